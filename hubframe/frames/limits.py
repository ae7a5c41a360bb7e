"""The limits that apply to the login that asks, from the servers that set them.

Facts: Docker's pages on usage limits. A pull is a GET of a manifest at docker.io; a HEAD of one is
free and tells what is left, and ``ratelimitpreview/test`` is there for that.
"""

from contextlib import suppress
from typing import Any

from hubframe.errors import NotFoundError, TransportError
from hubframe.oci.reference import DOCKER_HUB, ImageReference
from hubframe.wire.addresses import netloc
from hubframe.wire.client import Client
from hubframe.wire.limits import HUB, PULL, Limit

# Others behind the same address spend pulls too, so what was told is soon old. [seconds]
_SOON_OLD = 30.0
_PROBE = ImageReference(DOCKER_HUB, "ratelimitpreview/test", "latest")


def pull_limit(client: Client, *, at_least: int = 0) -> Limit | None:
    """Ask Docker Hub how many pulls are left; None where it sets no limit, or tells none.

    An answer of the last half minute that has room for `at_least` as many is good enough.
    """
    registry = client.registry(DOCKER_HUB)
    known = registry.last_limit(_PROBE, PULL)
    if known is not None and known.age < _SOON_OLD and known.remaining >= at_least:
        return known
    # A refusal tells what is left, too.
    with suppress(NotFoundError, TransportError):
        registry.probe(_PROBE)
    limit = registry.last_limit(_PROBE, PULL)
    if limit is None or limit.age > _SOON_OLD:
        return None
    if limit.remaining:
        registry.allow_pulls()
    return limit


def reported_pull_limit(client: Client) -> Limit | None:
    """Return what Docker Hub last told of the pulls that are left, without asking."""
    return client.registry(DOCKER_HUB).last_limit(_PROBE, PULL)


def hub_limit(client: Client) -> Limit | None:
    """Return the Hub API's limit as its last answer told it; ask where there was none."""
    if client.hub.last_limit() is None:
        # A refusal tells it, too.
        with suppress(NotFoundError):
            client.hub.probe()
    return client.hub.last_limit()


def known_limits(client: Client) -> list[dict[str, Any]]:
    """List what is known of Docker Hub's pulls and of its API, in the words of the frame."""
    return [
        _row(DOCKER_HUB, PULL, pull_limit(client)),
        _row(netloc(client.settings.hub_url), HUB, hub_limit(client)),
    ]


def _row(host: str, kind: str, limit: Limit | None) -> dict[str, Any]:
    row: dict[str, Any] = {"host": host, "limit": kind}
    if limit is not None:
        row |= {
            "allowed": limit.allowed,
            "remaining": limit.remaining,
            "window_seconds": limit.window,
            "resets_at": limit.resets_at and limit.resets_at.isoformat(),
        }
    return row

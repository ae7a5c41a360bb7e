"""What some registries tell beside the distribution protocol: sizes, dates, repositories, the past.

A provider is one module, for one kind of registry. quay.io is known by its name; any other registry
is asked in this way only where the settings say what it is: nothing is found out by trying.
"""

from collections.abc import Mapping

from hubframe.wire.providers.ecr import Ecr, EcrPublic
from hubframe.wire.providers.harbor import Harbor
from hubframe.wire.providers.provider import Provider as Provider
from hubframe.wire.providers.quay import Quay

_KINDS: dict[str, type[Provider]] = {one.kind: one for one in (Ecr, EcrPublic, Harbor, Quay)}


def kind_of(host: str, told: Mapping[str, str]) -> type[Provider] | None:
    """Return what reads a registry's own API, by what was told of hosts; None where none is known.

    Examples
    --------
    >>> [kind_of(host, {"harbor.example": "harbor"}) for host in ("harbor.example", "ghcr.io")]
    [<class 'hubframe.wire.providers.harbor.Harbor'>, None]
    """
    if host in told:
        return _KINDS[told[host]]
    return next((kind for kind in _KINDS.values() if kind.matches(host)), None)

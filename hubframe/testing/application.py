"""The sample services behind their host names: requests in, replies out, no socket."""

import time
from collections.abc import Sequence
from threading import Lock

from hubframe.testing.hub import LOGINS, Hub
from hubframe.testing.message import Exchange, Fault, Reply, Request
from hubframe.testing.quay import Quay
from hubframe.testing.registry import Registry
from hubframe.testing.service import Clock, Service
from hubframe.testing.world import DOCKER_IO, EXAMPLE, QUAY, World

HUB = "hub"
ROLES = {
    "hub.docker.com": HUB,
    "registry.hub.docker.com": HUB,
    "registry-1.docker.io": DOCKER_IO,
    "index.docker.io": DOCKER_IO,
    "auth.docker.io": DOCKER_IO,
    EXAMPLE: EXAMPLE,
    QUAY: QUAY,
}


class Application:
    """A small Hub and three registries over one world, the bundled one where none is given."""

    def __init__(  # noqa: PLR0913
        self,
        world: World | None = None,
        *,
        # In seconds since 1970: tokens expire, and limits are counted, by it.
        clock: Clock = time.time,
        # Manifest GETs on docker.io in six hours; None is no limit, and no header tells one.
        pull_limit: int | None = None,
        # Requests to the Hub API in a minute, and whether more of them are refused with 429.
        hub_limit: int = 180,
        enforce_hub_limit: bool = False,
        login_routes: Sequence[str] = tuple(LOGINS),  # the Hub's logins that exist
    ) -> None:
        self.world = world or World.bundled()
        self.log: list[Exchange] = []  # every exchange so far
        self.faults: list[Fault] = []  # what answers in place of the services: the first that fits
        self._lock = Lock()
        self._services: dict[str, Service] = {
            HUB: Hub(self.world, clock, hub_limit, enforce_hub_limit, login_routes),
            DOCKER_IO: Registry(self.world, clock, DOCKER_IO, pull_limit),
            EXAMPLE: Registry(self.world, clock, EXAMPLE),
            QUAY: Quay(self.world, clock, QUAY),
        }

    def answer(self, request: Request, role: str | None = None) -> Reply:
        """Return the reply to a request, and log it.

        The service of a role answers: ``hub``, ``docker.io``, ``registry.example`` or ``quay.io``,
        by default the one that has the host's name. A host that none has is a LookupError.
        """
        role = role or ROLES.get(request.host)
        if role is None:
            known = ", ".join(name for name in self._services if name != HUB)
            raise LookupError(f"the bundled sample has no host {request.host!r}, only {known}")
        with self._lock:
            matching = (each for each in self.faults if each.times != 0 and each.match(request))
            fault = next(matching, None)
            if fault and fault.times is not None:
                fault.times -= 1
        reply = fault.answer(request) if fault else self._services[role].answer(request)
        authorized = bool(request.headers.value("Authorization"))
        asked = (request.host, request.method, request.path_and_query)
        self.log.append(Exchange(*asked, reply.status, authorized))
        return reply

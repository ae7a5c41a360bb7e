"""The sample services behind their host names: requests in, replies out, no socket."""

import time
from collections.abc import Sequence
from threading import Lock

from hubframe.testing.hub import LOGINS, Hub
from hubframe.testing.message import Exchange, Fault, Reply, Request
from hubframe.testing.registry import Registry
from hubframe.testing.service import Clock, Service
from hubframe.testing.world import DOCKER_IO, EXAMPLE, World

HUB = "hub"
ROLES = {
    "hub.docker.com": HUB,
    "registry.hub.docker.com": HUB,
    "registry-1.docker.io": DOCKER_IO,
    "index.docker.io": DOCKER_IO,
    "auth.docker.io": DOCKER_IO,
    EXAMPLE: EXAMPLE,
}


class Application:
    """A small Hub and two registries over one world.

    Parameters
    ----------
    world
        What they know; None takes the bundled one.
    clock
        The time, in seconds since 1970, by which tokens expire and limits are counted.
    pull_limit
        Manifest GETs on docker.io in six hours; None is no limit, and no header tells one.
    hub_limit
        Requests to the Hub API in a minute.
    enforce_hub_limit
        Whether more of them are refused with 429.
    login_routes
        The Hub's logins that exist.

    Attributes
    ----------
    log
        Every exchange so far.
    faults
        What answers in place of the services: of those that match, the first.
    """

    def __init__(  # noqa: PLR0913
        self,
        world: World | None = None,
        *,
        clock: Clock = time.time,
        pull_limit: int | None = None,
        hub_limit: int = 180,
        enforce_hub_limit: bool = False,
        login_routes: Sequence[str] = tuple(LOGINS),
    ) -> None:
        self.world = world or World.bundled()
        self.log: list[Exchange] = []
        self.faults: list[Fault] = []
        self._lock = Lock()
        self._services: dict[str, Service] = {
            HUB: Hub(self.world, clock, hub_limit, enforce_hub_limit, login_routes),
            DOCKER_IO: Registry(self.world, clock, DOCKER_IO, pull_limit),
            EXAMPLE: Registry(self.world, clock, EXAMPLE),
        }

    def answer(self, request: Request, role: str | None = None) -> Reply:
        """Return the reply to a request, and log it.

        Parameters
        ----------
        request
            What is asked.
        role
            Who answers: ``hub``, ``docker.io`` or ``registry.example``. None goes by the host.

        Raises
        ------
        LookupError
            No role was given, and no service has the host's name.
        """
        role = role or ROLES.get(request.host)
        if role is None:
            known = ", ".join(ROLES)
            raise LookupError(f"the sample knows no host {request.host!r}, only {known}")
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

"""The sample services behind their host names: requests in, replies out, no socket."""

import time
from collections.abc import Callable, Sequence
from threading import Lock

from hubframe.testing.hub import Hub
from hubframe.testing.message import Exchange, Fault, Reply, Request
from hubframe.testing.registry import Registry
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
LOGIN_ROUTES = ("auth/token", "users/login")


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
        clock: Callable[[], float] = time.time,
        pull_limit: int | None = None,
        hub_limit: int = 180,
        enforce_hub_limit: bool = False,
        login_routes: Sequence[str] = LOGIN_ROUTES,
    ) -> None:
        self.world = world or World.bundled()
        self.log: list[Exchange] = []
        self.faults: list[Fault] = []
        self._lock = Lock()
        self._services: dict[str, Hub | Registry] = {
            HUB: Hub(
                self.world,
                clock,
                limit=hub_limit,
                enforce_limit=enforce_hub_limit,
                login_routes=login_routes,
            ),
            DOCKER_IO: Registry(self.world, DOCKER_IO, clock, pull_limit=pull_limit),
            EXAMPLE: Registry(self.world, EXAMPLE, clock),
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
        service = self._services[role or self._role(request.host)]
        fault = self._fault(request)
        reply = fault.answer(request) if fault else service.answer(request)
        self.log.append(
            Exchange(
                request.host,
                request.method,
                request.path_and_query,
                reply.status,
                bool(request.headers.value("Authorization")),
            )
        )
        return reply

    def _role(self, host: str) -> str:
        if host not in ROLES:
            raise LookupError(f"the sample knows no host {host!r}, only {', '.join(ROLES)}")
        return ROLES[host]

    def _fault(self, request: Request) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.times != 0 and fault.match(request):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

"""One object that holds what a call needs: settings, credentials, session, blobs, connections."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from hubframe.oci.reference import DOCKER_HUB, ImageReference, is_loopback
from hubframe.wire.addresses import netloc, origin
from hubframe.wire.auth import ApiAuth, Auth, Endpoint, HubAuth, RegistryAuth
from hubframe.wire.blobs import Blobs
from hubframe.wire.cancellation import Cancellation
from hubframe.wire.challenges import repository_of
from hubframe.wire.credentials import Credential, Credentials, Given, Sealed
from hubframe.wire.engines import Engine
from hubframe.wire.exchange import Exchanges
from hubframe.wire.hub import Hub
from hubframe.wire.layerfiles import LayerFiles
from hubframe.wire.local import LocalSource, OnDisk
from hubframe.wire.network import Network
from hubframe.wire.providers import Provider, kind_of
from hubframe.wire.registry import Registry
from hubframe.wire.session import Session
from hubframe.wire.settings import Settings
from hubframe.wire.statistics import mode
from hubframe.wire.store import Store
from hubframe.wire.transport import Transport

if TYPE_CHECKING:
    from hubframe.wire.redis import Redis


class Client:
    """Reads Docker Hub and registries; a context manager that closes what it opened.

    Parameters
    ----------
    settings
        Where to look and how patiently; read from the environment if left out.
    credentials
        A pair of user name and secret (password, PAT or OAT) for Docker Hub, or such pairs by
        registry or namespace: ``{"ghcr.io": ("me", "token")}``. Where none is given,
        ``DOCKER_USERNAME`` and ``DOCKER_PASSWORD`` count for Docker Hub, then the logins of
        ``docker login`` and ``podman login``. False asks anonymously, whatever is set.

    Examples
    --------
    >>> import hubframe
    >>> with hubframe.Client(hubframe.Settings(sample=True)) as client:
    ...     len(hubframe.repos_df("library", client=client)) > 0
    True
    """

    def __init__(self, settings: Settings | None = None, credentials: Given = None) -> None:
        self._given = Sealed(credentials)
        del credentials
        self.settings = settings or Settings()
        self.is_closed = False
        self.store = Store(self.settings, self._shared_redis())
        self._open()
        _clients.add(self)

    def _open(self) -> None:
        """Make all that belongs to one process: connections, locks, logins.

        On a connection of the parent's each would read the other's answers, and a lock that
        another thread held at the fork is never released in the child.
        """
        # The sample would refuse the logins of real accounts, and must run no helper.
        is_real = not self.settings.sample
        self._credentials = Credentials(self._given, self._environment(), files=is_real)
        self._registries: dict[str, Registry] = {}
        self._local: dict[str, LocalSource] = {}
        self._providers: dict[str, Provider] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._auths: dict[tuple[str, Credential | None], Auth] = {}
        self._lock = threading.RLock()
        self.cancellation = Cancellation()
        self.blobs = Blobs(self.store)
        self.layer_files = LayerFiles(self.store.documents)
        self.exchanges = self._connect()
        url = self.settings.hub_url
        self.hub = Hub(self._session(url, self._hub_auth), url)

    def forget_parent(self) -> None:
        """Leave what the parent process opened to it; here all is made anew."""
        # Never dropped: the pools of connections have locks, too, which dropping them would take.
        _of_parents.append(dict(vars(self)))
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        # A client that could not be made is shown by tracebacks with variables, too.
        settings = getattr(self, "settings", None)
        if settings is None:
            return "<hubframe.Client>"
        return f"<hubframe.Client {'sample' if settings.sample else settings.hub_url}>"

    def close(self) -> None:
        """Close connections and files, and end calls; the client cannot be used any more."""
        self.is_closed = True
        self.cancellation.cancel()
        self.exchanges.close()
        self.store.close()

    @property
    def is_offline(self) -> bool:
        """Whether the network may not be used now."""
        return self.settings.offline or mode() == "offline"

    def registry(self, host: str) -> Registry:
        """Return the registry of that name, with logins of its own."""
        with self._lock:
            if host not in self._registries:
                url = self._endpoint(host)
                auth_for = partial(self._registry_auth, host)
                session = self._session(url, auth_for, counts_pulls=host == DOCKER_HUB)
                self._registries[host] = Registry(session, self.blobs, host, url)
            return self._registries[host]

    def provider(self, host: str) -> Provider | None:
        """Return what knows more of a registry than the protocol tells, where anything does."""
        # boto3 would leave the sample.
        kind = kind_of(host, {} if self.settings.sample else self.settings.providers)
        if kind is None:
            return None
        with self._lock:
            if host not in self._providers:
                url = self._endpoint(host)
                session = self._session(url, partial(self._api_auth, kind, host))
                self._providers[host] = kind(session, host, url, self.settings.timeout)
            return self._providers[host]

    def source(self, reference: ImageReference) -> Registry | LocalSource:
        """Return what knows an image: its registry, or what has it on this machine."""
        if not reference.is_local:
            return self.registry(reference.registry)
        with self._lock:
            name = reference.registry
            if name not in self._local:
                is_in_engine = reference.is_in_engine
                made = Engine(name, self.settings.timeout[1]) if is_in_engine else OnDisk(name)
                self._local[name] = made
            return self._local[name]

    def end_call(self) -> None:
        """Let go what was opened on this machine for one call."""
        with self._lock:
            sources = [*self._local.values()]
        for source in sources:
            source.end_call()

    def _session(
        self, url: str, auth_for: Callable[[str], Auth], *, counts_pulls: bool = False
    ) -> Session:
        """Return what sends the requests of one API, which has logins of its own."""
        transport = Transport(
            self.exchanges, url, auth_for, self._other_auth, counts_pulls=counts_pulls
        )
        return Session(transport, self.store, lambda: self.is_offline)

    def _hub_auth(self, _url: str) -> Auth:
        """Return who asks at the Hub API, looked up when it is first needed."""
        who = ("", self._credentials.for_hub_api())
        made = self._auths.get(who)
        return made or self._auths.setdefault(who, HubAuth(self.settings.hub_url, who[1]))

    def _registry_auth(self, host: str, url: str) -> Auth:
        """Return who asks at an address: a registry may have a login for each of its namespaces.

        It is the same one for each credential, also where others redirect to the registry.
        """
        who = (host, self._credentials.find(host, repository_of(url)))
        made = self._auths.get(who)
        if made is None:
            endpoint = self._endpoints.setdefault(host, Endpoint(self._endpoint(host), host))
            made = self._auths.setdefault(who, RegistryAuth(endpoint, who[1]))
        return made

    def _api_auth(self, kind: type[Provider], host: str, url: str) -> Auth:
        """Return who asks at an address of a provider's API."""
        credential = self._credentials.find(host, kind.place_of(url))
        if credential is not None and not kind.takes(credential, url):
            credential = None
        who = (f"{host}/api", credential)
        made = self._auths.get(who)
        return made or self._auths.setdefault(who, ApiAuth(credential, host, kind.authorization))

    def _other_auth(self, url: str) -> Auth:
        """Return who asks at an address that a registry redirects to."""
        is_hub = origin(url) == origin(self.settings.registry_url)
        return self._registry_auth(DOCKER_HUB if is_hub else netloc(url), url)

    def _connect(self) -> Exchanges:
        how = (self.settings.timeout, self.settings.workers)
        if self.settings.sample:
            from hubframe.testing import SampleAdapter  # noqa: PLC0415 - a sample is rarely wanted

            return Exchanges(SampleAdapter(), *how)
        network = Network(pool_connections=1024, pool_maxsize=self.settings.workers, max_retries=0)
        if self.store.redis is None:
            return Exchanges(network, *how)
        from hubframe.wire.redis import SharedRateLimiter  # noqa: PLC0415 - an extra

        shared = SharedRateLimiter(self.store.redis, self.settings.requests_in_seconds)
        return Exchanges(network, *how, shared)

    def _shared_redis(self) -> Redis | None:
        """Return the Redis that several machines share, where that is set."""
        settings = self.settings
        if settings.sample or not (settings.is_redis or settings.rate):
            return None
        if not settings.is_redis:
            raise ValueError("rate needs a cache_url of a Redis, which keeps it for all workers")
        from hubframe.wire.redis import Redis  # noqa: PLC0415 - an extra

        return Redis(settings)

    def _environment(self) -> Mapping[str, str]:
        """Keep the logins of real accounts from the sample, which would refuse them."""
        if not self.settings.sample:
            return os.environ
        from hubframe.testing import World  # noqa: PLC0415 - a sample is rarely wanted

        username = os.environ.get("DOCKER_USERNAME")
        is_known = username is not None and username in World.bundled().accounts
        return os.environ if is_known else {}

    def _endpoint(self, host: str) -> str:
        if host == DOCKER_HUB:
            return self.settings.registry_url
        is_plain = is_loopback(host) or host in self.settings.insecure_registries
        return f"{'http' if is_plain else 'https'}://{host}"


_default: Client | None = None
_default_lock = threading.Lock()
_clients: weakref.WeakSet[Client] = weakref.WeakSet()
_of_parents: list[dict[str, Any]] = []


def _forget_parents() -> None:
    global _default_lock  # noqa: PLW0603 - another thread may have held it
    _default_lock = threading.Lock()
    for client in list(_clients):
        client.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


def default_client() -> Client:
    """Return the client of calls that name none, made at first use."""
    global _default  # noqa: PLW0603 - the one state that module functions share
    with _default_lock:
        if _default is None:
            _default = Client()
        return _default


def use(client: Client | None) -> Client | None:
    """Make a client the one of calls that name none; return the one before."""
    global _default
    with _default_lock:
        before, _default = _default, client
        return before


class Sample(ExitStack):
    """The sample being in use; leaving it goes back to the client before."""

    def __repr__(self) -> str:
        return "<hubframe sample: synthetic data, no network>"


def sample() -> Sample:
    """Answer from the bundled sample from now on, or inside a ``with`` block.

    The sample is synthetic: a small Hub and a registry inside the package, behind the same
    code, without a socket.

    Returns
    -------
    Sample
        A context manager; leaving it goes back to the client before.

    Examples
    --------
    >>> with hubframe.sample():
    ...     len(hubframe.repos_df("acme"))
    5
    """
    stack = Sample()
    client = stack.enter_context(Client(Settings(sample=True)))
    stack.callback(use, use(client))
    return stack

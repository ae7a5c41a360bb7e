"""Where hubframe looks and how patiently: one frozen object, read from the environment once.

A setting that is not given is read from its variable, ``HUBFRAME_WORKERS`` for ``workers``.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from hubframe.errors import GIVE_LOGIN
from hubframe.oci.reference import bare_host, parse_registry

# More requests at once than this only queue, here or there.
MOST_WORKERS = 256
# The kinds of registries that `hubframe.wire.providers` reads.
PROVIDERS = ("ecr", "ecr-public", "harbor", "quay")
_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True)
_FLAGS |= dict.fromkeys(("0", "false", "no", "off"), False)
_REDIS = ("redis://", "rediss://")
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
_RATE = re.compile(r"\s*0*([1-9][0-9]{0,8})\s*/\s*(second|minute|hour)\s*")
_SIZE = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(?:([kmgt])(i)?)?b?\s*", re.IGNORECASE)


class _FromEnvironment(type):
    """Makes the environment the default of what is not given."""

    def __call__(cls, *args: Any, **given: Any) -> Any:
        in_order = (each.name for each in fields(cls))  # type: ignore[arg-type]  # a dataclass
        taken = {*given, *(name for name, _ in zip(in_order, args, strict=False))}
        return super().__call__(*args, **given, **_checked(_read(os.environ, taken)))


@dataclass(frozen=True)
class Settings(metaclass=_FromEnvironment):
    """How a client reaches registries and what it keeps.

    What is not given is read from the environment: ``HUBFRAME_WORKERS`` for `workers`, and so on.

    Attributes
    ----------
    hub_url
        The Docker Hub API.
    registry_url
        The endpoint behind the name ``docker.io``.
    cache_dir
        The folder of the cache; None takes the platform's user cache folder.
    max_cache_bytes
        What that folder may hold: a number of bytes, or text such as ``"500 MB"`` and ``"2 GiB"``.
        What was not used for longest is dropped first.
    offline
        Answer from the cache alone; the sample, which needs no network, answers all the same.
    workers
        At most so many requests in flight per host; as many as the host bears are found by
        trying, from 64 on.
    timeout
        Seconds to wait for a connection, and for an answer.
    sample
        Answer from the bundled, synthetic sample; no socket is opened.
    insecure_registries
        Hosts that speak plain http. Loopback hosts do so always.
    cache_url
        What several machines share in place of `cache_dir`: a Redis (``redis://host:6379/0``), or a
        folder that all of them see. It may hold a login, so it is not shown.
    rate
        The most that each host is asked, by all who share a Redis together: ``"180/minute"``.
        None for what the hosts tell of themselves.
    providers
        Which API other registries have beside the protocol's, ``{"harbor.example": "harbor"}``, in
        the environment ``harbor.example=harbor,quay.corp=quay``: ``"quay"``, ``"harbor"``,
        ``"ecr"`` or ``"ecr-public"``. quay.io is known by its name; of no other it is found out.
        The sample has none but that.
    """

    hub_url: str = "https://hub.docker.com"
    registry_url: str = "https://registry-1.docker.io"
    cache_dir: Path | None = None
    max_cache_bytes: int = 2 * 1024**3
    offline: bool = False
    workers: int = 128
    timeout: tuple[float, float] = (10.0, 30.0)
    sample: bool = False
    insecure_registries: tuple[str, ...] = ()
    cache_url: str | None = field(default=None, repr=False)
    rate: str | None = None
    providers: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Normalise what may be given in more than one form, and refuse what cannot work."""
        object.__setattr__(self, "sample", _flag(self.sample))
        for name, normalised in _NORMALISED.items():
            # The sample stands for Docker Hub itself, wherever other calls are sent to.
            is_fixed = self.sample and name in ("hub_url", "registry_url", "offline")
            given = getattr(type(self) if is_fixed else self, name)
            object.__setattr__(self, name, normalised(given))

    @property
    def is_redis(self) -> bool:
        """Whether what several machines share is a Redis; it may be a folder, or nothing."""
        return (self.cache_url or "").startswith(_REDIS)

    @property
    def cache_folder(self) -> Path:
        """The folder of the cache, chosen or the platform's."""
        if self.cache_dir:
            return self.cache_dir
        return user_cache_path("hubframe", appauthor=False)

    @property
    def requests_in_seconds(self) -> tuple[int, float] | None:
        """The rate as a number of requests in a number of seconds; None where none is set."""
        if self.rate is None:
            return None
        count, _, unit = self.rate.partition("/")
        return int(count), _UNITS[unit]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **chosen: Any) -> Self:
        """Read the variables of an environment, this process's if it is left out.

        Keywords that are given and not None win over them.

        Raises
        ------
        ValueError
            A variable holds what its setting cannot take; the message names the variable.
        """
        given = {name: value for name, value in chosen.items() if value is not None}
        read = _read(os.environ if environment is None else environment, given)
        # The environment holds passwords, and some tracebacks show variables.
        del environment
        return cast("Self", type.__call__(cls, **_checked(read), **given))


def _read(environment: Mapping[str, str], taken: Collection[str]) -> dict[str, Any] | str:
    """Read the variables of all settings but those that are taken; or say which one is wrong."""
    read: dict[str, Any] = {}
    for name, normalised in _NORMALISED.items():
        variable = f"HUBFRAME_{name.upper()}"
        written = environment.get(variable, "").strip()
        # A variable that is set to nothing is not set.
        if written and name not in taken:
            try:
                read[name] = normalised(written)
            except ValueError as error:
                return f"{variable}={_without_login(written)!r}: {error}"
    return read


def _checked(read: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(read, str):
        raise ValueError(read)  # noqa: TRY004 - a variable's value is wrong
    return read


def _flag(given: Any) -> Any:
    if isinstance(given, str) and given.lower() not in _FLAGS:
        raise ValueError("expected 1 or 0")
    return _FLAGS[given.lower()] if isinstance(given, str) else given


def _workers(given: Any) -> int:
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if not isinstance(given, int) or not 1 <= given <= MOST_WORKERS:
        raise ValueError(f"workers must be 1 to {MOST_WORKERS}, not {given}")
    return given


def _folder(given: Any) -> Path | None:
    try:
        return None if given is None else Path(given).expanduser()
    except RuntimeError as error:
        raise ValueError(f"cache_dir {str(given)!r}: {error}") from None


def _bytes(given: Any) -> int:
    """Read a size: a number of bytes, or text with a unit."""
    written = _SIZE.fullmatch(given) if isinstance(given, str) else None
    if written:
        number, power, binary = written.groups()
        unit = (1024 if binary else 1000) ** ("kmgt".index(power.lower()) + 1 if power else 0)
        given = int(float(number) * unit)
    if not isinstance(given, int) or isinstance(given, bool) or given <= 0:
        raise ValueError(
            "max_cache_bytes must be a number of bytes above 0, or a size such as '500 MB' or "
            f"'2 GiB', not {given!r}. To keep nothing on disk, set cache_dir to a new temporary "
            "folder"
        )
    return given


def _url(name: str, url: str) -> str:
    """Check the address of an API; a slash at its end is taken off."""
    if not (url.lower().startswith(("https://", "http://")) and _has_host(url)):
        raise ValueError(
            f"{name} must start with https:// or http:// and a host, not {_without_login(url)!r}"
        )
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ValueError(f"{name} must hold no login: {GIVE_LOGIN} instead")
    return url.rstrip("/")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _without_login(written: str) -> str:
    """Take a login out of an address before it is shown."""
    return re.sub(r"//.*@", "//…@", written, flags=re.DOTALL)


def _cache_url(given: Any) -> str | None:
    """Check where a shared cache is; a path is made absolute: workers have other folders."""
    if given is None:
        return None
    url = str(given)
    if "://" not in url:
        return str(Path(url).expanduser().absolute())
    if not (url.startswith("file://") or (url.startswith(_REDIS) and _has_host(url))):
        raise ValueError(
            "cache_url must be redis:// or rediss:// and a host, or a folder, "
            f"not {_without_login(url)!r}"
        )
    return url


def _rate(given: Any) -> str | None:
    """Check a rate, and put it in one form."""
    if given is None:
        return None
    written = _RATE.fullmatch(given) if isinstance(given, str) else None
    if written is None:
        raise ValueError(f"rate must be such as '180/minute' or '5/second', not {given!r}")
    return f"{int(written[1])}/{written[2]}"


def _timeout(given: Any) -> tuple[float, float]:
    """Read seconds: one number, or two (connect, read)."""
    given = given.split(",") if isinstance(given, str) else given
    seconds = [float(one) for one in ([given] if isinstance(given, int | float) else given)]
    if len(seconds) not in (1, 2) or not all(isfinite(one) and one > 0 for one in seconds):
        raise ValueError(
            f"timeout must be seconds above 0, or two such (connect, read), not {given}"
        )
    return (min(10.0, seconds[0]) if len(seconds) == 1 else seconds[0], seconds[-1])


def _hosts(given: str | Iterable[str]) -> tuple[str, ...]:
    """Read hosts separated by commas or blanks, or several already apart."""
    names = given.replace(",", " ").split() if isinstance(given, str) else given
    return tuple(map(bare_host, names))


def _providers(given: Any) -> dict[str, str]:
    """Read which API each host has: a mapping, or pairs separated by commas or blanks."""
    if isinstance(given, str):
        pairs = [pair.partition("=")[::2] for pair in given.replace(",", " ").split()]
    else:
        pairs = list(given.items()) if isinstance(given, Mapping) else [("", "")]
    if not all(host and isinstance(host, str) and kind in PROVIDERS for host, kind in pairs):
        raise ValueError(
            "providers must be hosts, each with what it is, such as harbor.example=harbor: one of "
            f"{', '.join(PROVIDERS)}, not {_without_login(str(given))!r}"
        )
    return {parse_registry(host): kind for host, kind in pairs}


_NORMALISED: dict[str, Callable[[Any], Any]] = {
    "hub_url": partial(_url, "hub_url"),
    "registry_url": partial(_url, "registry_url"),
    "cache_dir": _folder,
    "max_cache_bytes": _bytes,
    "offline": _flag,
    "workers": _workers,
    "timeout": _timeout,
    "sample": _flag,
    "insecure_registries": _hosts,
    "cache_url": _cache_url,
    "rate": _rate,
    "providers": _providers,
}

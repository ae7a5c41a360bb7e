"""Where hubframe looks and how patiently: one frozen object, read from the environment once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from platformdirs import user_cache_path

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True)
class Settings:
    """How a client reaches registries and what it keeps.

    Attributes
    ----------
    hub_url
        The Docker Hub API.
    registry_url
        The endpoint behind the name ``docker.io``.
    cache_dir
        The folder of the cache; None takes the platform's user cache folder.
    offline
        Answer from the cache alone.
    workers
        How many requests are under way at once.
    timeout
        Seconds to wait for a connection, and for an answer.
    sample
        Answer from the bundled, synthetic sample; no socket is opened.
    insecure_registries
        Hosts that speak plain http. Loopback hosts do so always.
    """

    hub_url: str = "https://hub.docker.com"
    registry_url: str = "https://registry-1.docker.io"
    cache_dir: Path | None = None
    offline: bool = False
    workers: int = 16
    timeout: tuple[float, float] = (10.0, 30.0)
    sample: bool = False
    insecure_registries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Normalise what may be given in more than one form, and refuse what cannot work."""
        if isinstance(self.timeout, int | float):
            object.__setattr__(self, "timeout", (min(10.0, self.timeout), float(self.timeout)))
        if self.cache_dir is not None:
            object.__setattr__(self, "cache_dir", Path(self.cache_dir).expanduser())
        for name in ("hub_url", "registry_url"):
            url = getattr(self, name)
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"{name} must start with https:// or http://, not {url!r}")
            object.__setattr__(self, name, url.rstrip("/"))
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, not {self.workers}")

    @property
    def cache_folder(self) -> Path:
        """The folder of the cache, chosen or the platform's."""
        return self.cache_dir or user_cache_path("hubframe", appauthor=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **chosen: Any) -> Self:
        """Read ``HUBFRAME_*`` variables; keywords that are given and not None win over them.

        Raises
        ------
        ValueError
            A variable holds what its setting cannot take; the message names the variable.
        """
        environment = os.environ if environment is None else environment
        read: dict[str, Any] = {}
        for name, parse in _VARIABLES.items():
            variable = f"HUBFRAME_{name.upper()}"
            if variable in environment:
                try:
                    read[name] = parse(environment[variable])
                except ValueError as error:
                    raise ValueError(f"{variable}={environment[variable]!r}: {error}") from error
        given = {name: value for name, value in chosen.items() if value is not None}
        return replace(cls(), **{**read, **given})


def _flag(text: str) -> bool:
    if text.strip().lower() in TRUE:
        return True
    if text.strip().lower() in FALSE:
        return False
    raise ValueError("expected 1 or 0")


def _timeout(text: str) -> tuple[float, float]:
    """``30`` or ``10,30`` (connect, read), in seconds."""
    parts = [float(part) for part in text.split(",")]
    if len(parts) > 2 or any(part <= 0 for part in parts):  # noqa: PLR2004
        raise ValueError("expected seconds above 0, as 30 or as 10,30 (connect, read)")
    return (min(10.0, parts[0]), parts[0]) if len(parts) == 1 else (parts[0], parts[1])


_VARIABLES: dict[str, Any] = {
    "hub_url": str,
    "registry_url": str,
    "cache_dir": Path,
    "offline": _flag,
    "workers": int,
    "timeout": _timeout,
    "sample": _flag,
    "insecure_registries": lambda text: tuple(text.replace(",", " ").split()),
}

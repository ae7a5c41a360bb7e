"""Platforms: operating system and processor, in one spelling, and which image suits which."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from hubframe.oci.payload import text

T = TypeVar("T")
_PLATFORM = re.compile(r"[\w.+-]+(?:/[\w.+-]+){1,2}")
# Other words for systems and processors, as containerd reads them; two of them tell the variant.
_SYSTEMS = {"macos": "darwin"}
_ARCHITECTURES: Mapping[str, tuple[str, str | None]] = {
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "i386": ("386", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
# The variant that goes without saying is left out. Of arm none does: Docker takes v7 for it, but
# images that do not tell are of v6 too.
_USUAL_VARIANTS: Mapping[tuple[str, str], str] = {
    ("amd64", "v1"): "",
    ("arm64", "v8"): "",
    ("arm64", "8"): "",
    **{("arm", number): f"v{number}" for number in "5678"},
}
# Variants that a processor without a named one, or with a newer one, runs as well, best first.
_VARIANTS = {"arm": ("v8", "v7", "v6", "v5"), "arm64": ("v8",)}
# The fields that tell a platform; the Hub writes the last one so.
_FIELDS = ("os", "architecture", "variant", "os.version", "os_version")


@dataclass(frozen=True, slots=True)
class Platform:
    """Operating system and processor that an image runs on, as Go names them."""

    os: str
    architecture: str
    variant: str | None = None  # as it was told
    os_version: str | None = None
    # The one spelling of all that are the same; made once, since every row shows it.
    name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Translate other words, and make the name."""
        system, machine = self.os.lower(), self.architecture.lower()
        system = _SYSTEMS.get(system, system)
        machine, implied = _ARCHITECTURES.get(machine, (machine, None))
        variant = implied or (self.variant or "").lower()
        variant = _USUAL_VARIANTS.get((machine, variant), variant)
        object.__setattr__(self, "os", system)
        object.__setattr__(self, "architecture", machine)
        object.__setattr__(self, "name", "/".join(filter(None, (system, machine, variant))))

    @staticmethod
    def read(payload: Mapping[str, Any]) -> "Platform | None":
        """Read the platform of an index entry, a config, or an image of the Hub, if it has one."""
        return _of_fields(*map(text, map(payload.get, _FIELDS)))

    @staticmethod
    def parse(written: str) -> "Platform":
        """Read ``os/architecture[/variant]``; ValueError where the text is no platform."""
        found = _parsed(written) if isinstance(written, str) else None
        if found is None:
            raise ValueError(
                f"{written!r} is not a platform: expected os/architecture[/variant], "
                "such as linux/amd64, or 'all'"
            )
        return found

    @property
    def is_unknown(self) -> bool:
        """Whether it is the platform that attestations and caches are filed under."""
        return self.os == "unknown" and self.architecture == "unknown"

    def __str__(self) -> str:
        return self.name


# There are few, and many images have each.
@lru_cache(maxsize=1024)
def _of_fields(*fields: str | None) -> Platform | None:
    system, machine, variant, version, hub_version = fields
    if system is None and machine is None:
        return None
    return Platform(system or "unknown", machine or "unknown", variant, version or hub_version)


@lru_cache(maxsize=1024)
def _parsed(written: str) -> Platform | None:
    return Platform(*written.split("/")) if _PLATFORM.fullmatch(written) else None


def platform_name(written: str) -> str:
    """Return the one spelling of a platform; what is none, such as ``N/A``, stays as it is."""
    found = _parsed(written) if written.islower() else None
    return found.name if found else written


def acceptable(wanted: Platform) -> list[tuple[str, str, str | None]]:
    """List the platforms that will do, best first, in the order of containers/image."""
    known = _VARIANTS.get(wanted.architecture, ())
    if wanted.variant is None:
        variants: tuple[str | None, ...] = (None, *known)
    elif wanted.variant in known:
        variants = (*known[known.index(wanted.variant) :], None)
    else:
        variants = (wanted.variant, None)
    return [(wanted.os, wanted.architecture, variant) for variant in variants]


def acceptable_names(wanted: Platform) -> list[str]:
    """List the names of the platforms that will do, best first."""
    return [Platform(*each).name for each in acceptable(wanted)]


def best(wanted: Platform, entries: Iterable[tuple[Platform | None, T]]) -> T | None:
    """Choose the entry that suits a platform best; of equals the first; one without any last."""
    ranks = {platform: rank for rank, platform in enumerate((*acceptable(wanted), None))}
    keyed = (
        (platform and (platform.os, platform.architecture, platform.variant), entry)
        for platform, entry in entries
    )
    suited = [(ranks[key], entry) for key, entry in keyed if key in ranks]
    return min(suited, key=itemgetter(0))[1] if suited else None

"""Which distribution an image is of, as ``os-release`` tells (os-release(5))."""

import re
from typing import NamedTuple

_LINE = re.compile(r"^[ \t]*([A-Za-z0-9_]+)=(.*?)[ \t\r]*$", re.MULTILINE)
_ESCAPED = re.compile(r'\\([\\"$`\'])')
_LONGEST = 512


class Distribution(NamedTuple):
    """What a system says that it is; None for what it does not say."""

    id: str | None = None
    id_like: str | None = None
    version_id: str | None = None
    version_codename: str | None = None
    variant_id: str | None = None
    name: str | None = None
    cpe_name: str | None = None
    path: str | None = None

    @property
    def qualifier(self) -> str | None:
        """How package URLs name it: ``ID-VERSION_ID``."""
        return "-".join(filter(None, (self.id, self.version_id))) or None


_KEYS = (
    *("ID", "ID_LIKE", "VERSION_ID", "VERSION_CODENAME", "VARIANT_ID", "PRETTY_NAME", "CPE_NAME"),
)


def read_distribution(path: str, body: bytes) -> Distribution | None:
    """Read ``os-release``; None where it tells nothing of use.

    As in a shell, what is written last counts.
    """
    told = dict(_LINE.findall(body.decode("utf-8", "replace")))
    values = [_unquoted(told.get(key, "")) for key in _KEYS]
    return Distribution(*values)._replace(path=path) if any(values) else None


def _unquoted(value: str) -> str | None:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1] if value[0] == "'" else _ESCAPED.sub(r"\1", value[1:-1])
    value = value.strip()
    return value if 0 < len(value) <= _LONGEST else None

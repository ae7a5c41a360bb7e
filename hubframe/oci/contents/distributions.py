"""Which distribution an image is of, as ``os-release`` tells (os-release(5)) and older files do."""

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
_LSB = {
    "ID": "DISTRIB_ID",
    "VERSION_ID": "DISTRIB_RELEASE",
    "VERSION_CODENAME": "DISTRIB_CODENAME",
    "PRETTY_NAME": "DISTRIB_DESCRIPTION",
}
# CentOS release 6.10 (Final); and the ids that such systems have in os-release since.
_RELEASE = re.compile(r"((\w+).*?) release (\d[\d.]*)[^\n]*")
_IDS = {"red": "rhel", "oracle": "ol"}
_VERSIONS = {"alpine-release": "alpine", "debian_version": "debian"}
_NUMBER = re.compile(r"\d[\w.]*")


def read_distribution(path: str, body: bytes) -> Distribution | None:
    """Read ``os-release``, or an older file; None where it tells nothing of use.

    As in a shell, what is written last counts.
    """
    text, name = body.decode("utf-8", "replace"), path.rpartition("/")[2]
    told = {key: _unquoted(value) for key, value in _LINE.findall(text)}
    if name == "lsb-release":
        told = {key: told.get(old) for key, old in _LSB.items()}
        told["ID"] = told["ID"] and told["ID"].lower()
    elif name in _VERSIONS:
        # Of what is not released Debian tells names, and so do systems that are made of it.
        version = _NUMBER.fullmatch(text.strip()[:_LONGEST])
        told = {"ID": _VERSIONS[name], "VERSION_ID": version[0]} if version else {}
    elif name.endswith("-release") and name != "os-release":
        found = _RELEASE.match(text[:_LONGEST])
        told = _of_release(found) if found else {}
    values = [told.get(key) for key in _KEYS]
    return Distribution(*values)._replace(path=path) if any(values) else None


def _of_release(found: re.Match[str]) -> dict[str, str | None]:
    word = found[2].lower()
    return {"ID": _IDS.get(word, word), "VERSION_ID": found[3], "PRETTY_NAME": found[0].strip()}


def _unquoted(value: str) -> str | None:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1] if value[0] == "'" else _ESCAPED.sub(r"\1", value[1:-1])
    value = value.strip()
    return value if 0 < len(value) <= _LONGEST else None

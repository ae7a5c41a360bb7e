"""What registries ask for before they answer, and the scopes that their tokens are for."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Challenge:
    """The scheme of ``WWW-Authenticate`` and its parameters, which are untrusted."""

    scheme: str
    parameters: dict[str, str] = field(repr=False)


_PARAMETER = r'[A-Za-z0-9_.-]+\s*=\s*(?:"(?:\\.|[^"\\])*"|[^\s,"]*)'
_CHALLENGE = re.compile(
    rf"(?P<scheme>[A-Za-z][A-Za-z0-9-]*)(?P<rest>(?:\s+{_PARAMETER}(?:\s*,\s*{_PARAMETER})*)?)"
)
_PAIR = re.compile(r'([A-Za-z0-9_.-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,"]*))')


def parse_challenge(header: str) -> Challenge | None:
    """Read the first challenge that hubframe can meet; others, such as Negotiate, are skipped.

    Examples
    --------
    >>> parse_challenge('Bearer realm="https://auth.example/token",service="r"').parameters["service"]
    'r'
    """
    for match in _CHALLENGE.finditer(header[:8192]):
        scheme = match["scheme"].lower()
        if scheme in ("bearer", "basic"):
            found = _PAIR.findall(match["rest"])
            unquoted = {
                n.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for n, quoted, bare in found
            }
            return Challenge(scheme, unquoted)
    return None


_REPOSITORY = re.compile(r"(?P<path>.+)/(?:manifests|blobs|tags|referrers)/[^/]+/?")


def repository_of(url: str) -> str:
    """Return the path of the repository that an address lies in; empty for none."""
    # From the first one: to try each would take the square of a hostile link's length.
    match = _REPOSITORY.fullmatch(_path(url).partition("/v2/")[2])
    return match["path"] if match else ""


def _path(url: str) -> str:
    """Cut the query off; `urlsplit` would take longer, and remember what is asked for once."""
    return url.partition("?")[0]


def scope_of(url: str) -> str:
    """Return the scope that reading an address of a registry takes; empty for the ping."""
    if _path(url).rstrip("/").endswith("/v2/_catalog"):
        return "registry:catalog:*"
    path = repository_of(url)
    return f"repository:{path}:pull" if path else ""

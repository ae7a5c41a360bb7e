"""What registries ask for before they answer, and the scopes that their tokens are for."""

import re
from dataclasses import dataclass, field

from hubframe.wire.addresses import path_of


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


def parse_challenges(header: str) -> list[Challenge]:
    """Read the challenges that hubframe knows; others, such as Negotiate, are skipped.

    Examples
    --------
    >>> parse_challenges('Basic realm="r", Bearer realm="https://auth.example/token"')[1].scheme
    'bearer'
    """
    found = []
    for match in _CHALLENGE.finditer(header[:8192]):
        scheme = match["scheme"].lower()
        if scheme in ("bearer", "basic"):
            pairs = _PAIR.findall(match["rest"])
            unquoted = {
                n.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare for n, quoted, bare in pairs
            }
            found.append(Challenge(scheme, unquoted))
    return found


_REPOSITORY = re.compile(r"(?P<path>.+)/(?:manifests|blobs|tags|referrers)/[^/]+/?")


def repository_of(url: str) -> str:
    """Return the path of the repository that an address lies in; empty for none."""
    # From the first one: to try each would take the square of a hostile link's length.
    match = _REPOSITORY.fullmatch(path_of(url).partition("/v2/")[2])
    return match["path"] if match else ""


def scope_of(url: str) -> str:
    """Return the scope that reading an address of a registry takes; empty for the ping."""
    if path_of(url).rstrip("/").endswith("/v2/_catalog"):
        return "registry:catalog:*"
    path = repository_of(url)
    return f"repository:{path}:pull" if path else ""


def purpose_of(url: str) -> str:
    """Return what challenges are remembered by: some name one scope for lists, and one for all."""
    is_list = path_of(url).endswith("/tags/list")
    return f"{scope_of(url)} {'tags' if is_list else ''}"

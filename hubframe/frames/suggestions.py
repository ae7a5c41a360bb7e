"""What there is in place of what was not found, or matches nothing: the closest names."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from operator import itemgetter
from typing import Any

from hubframe.errors import HubframeError, NotFoundError
from hubframe.oci.reference import ImageReference
from hubframe.oci.tagnames import newest_first, read_all
from hubframe.wire import hub
from hubframe.wire.client import Client
from hubframe.wire.statuses import quotable

_NAMED = 3
_SHOWN = 5
_OFFICIAL = "library"
# How many repositories of a namespace are listed: they are for a message.
_MOST_REPOS = 5 * hub.PAGE_SIZE
# And how many tags and platforms that a call met are remembered for one.
_MOST_REMEMBERED = 1000


def instead(client: Client, reference: ImageReference, error: NotFoundError) -> NotFoundError:
    """Name what there is in place of a tag or a repository that was not found.

    Lists are asked for that cost no pull: the tags of the repository, and where there is no such
    repository on Docker Hub, those of its namespace. Other registries tell none of theirs.
    """
    try:
        if reference.tag and reference.is_hub:
            listing = hub.tags(reference.path, hub.PAGE_SIZE, itemgetter("name"))
            return _no_tag(reference, _listed(client, listing), error)
        if reference.tag:
            tags = client.source(reference).tags(reference.path)
            return _no_tag(reference, tags, error)
    except NotFoundError:
        pass
    except HubframeError:
        return error
    words = _no_repository(client, reference) if reference.is_hub else ""
    return NotFoundError(f"{error}. {words}") if words else error


def newest_names(names: Iterable[str]) -> list[str]:
    """Order tags by what their names tell, newest first."""
    return [name.tag for name in newest_first(read_all(names).values())]


def _repositories(client: Client, namespace: str) -> list[str]:
    """List the names of a namespace's repositories; none where they are not to be had."""
    listing = hub.repositories(namespace)
    try:
        return _listed(client, replace(listing, most=_MOST_REPOS, read=itemgetter("name")))
    except HubframeError:
        return []


def _listed(client: Client, listing: hub.Listing) -> list[str]:
    (found,) = client.hub.lists([listing], lambda work, items: [work(item) for item in items])
    if isinstance(found, Exception):
        raise found
    return found


def _no_tag(reference: ImageReference, known: Sequence[str], error: NotFoundError) -> NotFoundError:
    wanted = reference.tag or ""
    if not known or wanted in known:
        return error
    shown = _shown(_closest(wanted, known, 0.4) or newest_names(known)[:_NAMED])
    return NotFoundError(f"{reference}: the repository has no tag {wanted!r}; it does have {shown}")


def _no_repository(client: Client, reference: ImageReference) -> str:
    """Name the repositories of what is a namespace, or the closest ones in the same."""
    namespace, _, name = reference.path.partition("/")
    is_official = namespace == _OFFICIAL
    own = _repositories(client, name) if is_official else []
    known = _repositories(client, namespace)
    if name in known:
        return ""
    said = []
    if own:
        said.append(f"{name} is a namespace, {_holding(name, own)}")
    if close := _closest(name, known, 0.6):
        prefix = "" if is_official else f"{namespace}/"
        said.append(f"Closest in {namespace}: {_shown(f'{prefix}{one}' for one in close)}")
    elif known and not is_official:
        said.append(f"{namespace} is a namespace, {_holding(namespace, known)}")
    return ". ".join(said)


def _holding(namespace: str, names: Sequence[str]) -> str:
    shown = _shown(f"{namespace}/{name}" for name in names[:_NAMED])
    more = len(names) - _NAMED
    return f"and has {shown}" + (f" and {more} more" if more > 0 else "")


def _closest(name: str, known: Sequence[str], likeness: float) -> list[str]:
    return get_close_matches(name, known, _NAMED, likeness)


def _shown(names: Iterable[str]) -> str:
    """Join names for a message: strangers may have written them."""
    return ", ".join(map(quotable, names))


@dataclass
class Matches:
    """Which filters or platforms of a call matched nothing so far, and what there was to match."""

    unmatched: dict[str, None] = field(default_factory=dict)  # as they were written
    matched: set[str] = field(default_factory=set)
    # Tags or platforms, as many as a message needs.
    there: dict[str, None] = field(default_factory=dict)

    def note(
        self, wanted: Mapping[str, Callable[[Any], bool]], kept: Sequence[Any], there: Iterable[str]
    ) -> None:
        """Look which of them match something of what was kept of what there is."""
        for written in [one for one in wanted if one not in self.matched]:
            if any(map(wanted[written], kept)):
                self.matched.add(written)
                self.unmatched.pop(written, None)
            else:
                self.unmatched[written] = None
        if self.unmatched and len(self.there) < _MOST_REMEMBERED:
            self.there |= dict.fromkeys(there)

    @property
    def names(self) -> str:
        """Those that matched nothing, the first few."""
        return _shown(list(self.unmatched)[:_SHOWN])

    def words(self, order: Callable[[Iterable[str]], list[str]] = sorted) -> str:
        """Name those that matched nothing, and what there is: the closest, then the first few."""
        if not self.unmatched or not self.there:
            return ""
        close = [one for name in self.unmatched for one in _closest(name, list(self.there), 0.5)]
        shown = list(dict.fromkeys((*close, *order(self.there))))[:_SHOWN]
        more = len(self.there) - len(shown)
        there = _shown(shown) + (" and others" if more else "")
        return f"{self.names}; there are {there}"

"""The past of Docker's official images, from a checkout of docker-library/repo-info.

That repository keeps a page for each tag, ``repos/<image>/remote/<tag>.md``, and commits it anew
when the tag moves. A commit that touches an image was made after looking at all its tags.
"""

import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from hubframe.errors import HubframeError, InvalidReferenceError
from hubframe.oci.reference import TAG, ImageReference
from hubframe.snapshots.dataset import Part, observed, part_name, read_parts, run_row, seen_from
from hubframe.snapshots.git import Blobs, Checkout, Commit
from hubframe.snapshots.storage import Place
from hubframe.tables import REPOS, Snapshots, Table, shape
from hubframe.tables.observed import OBSERVED_REPOS, OBSERVED_TAGS, RUNS

SOURCE = "repo-info"
_PAGE = re.compile(r"repos/([a-z0-9][a-z0-9._-]*)/remote/([^/]+)\.md")
_PULL = re.compile(r"^\$ docker pull \S+@(sha256:[0-9a-f]{64})$", re.MULTILINE)
_MEDIA_TYPE = re.compile(r"^-\tManifest MIME: `([^`\n]+)`$", re.MULTILINE)
_PLATFORM = re.compile(r"^\t-\t([^;\n]+); ([^;\n]+)$", re.MULTILINE)
_CHILD = re.compile(r"^### `[^`\n]*` - (.+)$", re.MULTILINE)
# "2.4 KB (2415 bytes)", and what is below 1000 bytes as "218.0 B".
_SIZE = re.compile(r"^-\tTotal Size: \*\*(?:[^*(\n]*\((\d+) bytes\)|([\d.]+) B)", re.MULTILINE)
_USUAL = "linux; amd64"
_KEPT_PAGES = 65_536


def import_repo_info(
    path: str | os.PathLike[str],
    *,
    to: str | os.PathLike[str] | None = None,
    repos: str | Iterable[str] | None = None,
) -> Snapshots:
    """Read the history of the official images from a checkout of docker-library/repo-info.

    Then they have a past on day one: `tag_moves_df` tells which digest each tag had since 2016.
    There are no pulls or stars in it. Each commit of the main line is a run that saw the images
    that it touches, with all their tags, at the commit's date.

    Parameters
    ----------
    path
        The checkout, with its history: ``git clone https://github.com/docker-library/repo-info``.
        It is read with ``git``, and not changed.
    to
        A place to append the snapshots to, as for `hubframe.snapshot`; what is there already is
        passed over, so it may be repeated after a ``git pull`` or for other images. Without it
        they are held in memory, which is enough for a few images.
    repos
        Which images, ``"python"`` or ``"library/python"``; all if left out.

    Returns
    -------
    Snapshots
        What was read, without what was at the place already.

    Raises
    ------
    HubframeError
        It is no such checkout, or git is not installed.
    InvalidReferenceError
        One of `repos` is no official image.
    """
    images = None if repos is None else [_image(repo) for repo in _listed(repos)]
    checkout = Checkout(Path(path).expanduser().absolute())
    place = None if to is None else Place.open(to)
    known = seen_from(place, SOURCE) if place is not None else set()
    parts = _parts(checkout, images, known)
    if place is None:
        return _in_memory(list(parts))
    names = []
    for part in parts:
        part.write(place)
        names.append(part.name)
    return read_parts(place, names)


def _listed(repos: str | Iterable[str]) -> list[str]:
    return [repos] if isinstance(repos, str) else list(repos)


def _image(repo: str) -> str:
    reference = ImageReference.parse(repo)
    if not reference.is_hub or reference.namespace != "library":
        raise InvalidReferenceError(
            f"{reference.repo} is no official image: repo-info tells only of those, such as python"
        )
    return reference.path.removeprefix("library/")


def _in_memory(parts: list[Part]) -> Snapshots:
    runs, repos, tags = (
        pd.concat([getattr(part, name) for part in parts], ignore_index=True)
        if parts
        else table.frame()
        for name, table in (("runs", RUNS), ("repos", OBSERVED_REPOS), ("tags", OBSERVED_TAGS))
    )
    frames: dict[Table, pd.DataFrame] = {OBSERVED_REPOS: repos, OBSERVED_TAGS: tags}
    return Snapshots(runs, frames.__getitem__)


def _parts(
    checkout: Checkout, images: list[str] | None, known: set[tuple[str, str]]
) -> Iterator[Part]:
    """Replay the history; the commits of a day make a part."""
    paths = ["repos"] if images is None else [f"repos/{image}/remote" for image in images]
    tree = _Tree()
    with checkout.blobs() as blobs:
        pages = _Pages(blobs)
        days = groupby(checkout.commits(*paths), key=lambda one: one.committed_at.date())
        for day, commits in days:
            part = part_name(f"{SOURCE}-{day}")
            seen = [
                _Run(part, commit, further)
                for commit in commits
                if (further := _further(commit, tree.apply(commit), known))
            ]
            if seen:
                yield _part(part, [one.frames(pages) for one in seen])
    if not tree.has_begun and not known:
        raise HubframeError(
            f"{checkout.path} holds no pages of tags, repos/<image>/remote/<tag>.md: "
            "give a checkout of docker-library/repo-info"
            + ("" if images is None else f" that tells of {', '.join(images)}")
        )


def _further(
    commit: Commit, images: dict[str, dict[str, str]], known: set[tuple[str, str]]
) -> dict[str, dict[str, str]]:
    """Leave the images that no earlier import read at this commit: it may have read others."""
    run = _run(commit)
    return {image: tags for image, tags in images.items() if (run, _repo(image)) not in known}


class _Tree:
    """The pages of all images, at a commit: blobs by image and tag."""

    def __init__(self) -> None:
        self._blobs: dict[str, dict[str, str]] = {}

    @property
    def has_begun(self) -> bool:
        """Whether there was any page."""
        return bool(self._blobs)

    def apply(self, commit: Commit) -> dict[str, dict[str, str]]:
        """Go on to a commit, and return the pages of the images that it touched."""
        touched = set()
        for path, blob in commit.files.items():
            found = _PAGE.fullmatch(path)
            if found is None or not TAG.fullmatch(found[2]):
                continue
            image = self._blobs.setdefault(found[1], {})
            touched.add(found[1])
            if blob is None:
                image.pop(found[2], None)
            else:
                image[found[2]] = blob
        return {image: dict(self._blobs[image]) for image in sorted(touched)}


class _Pages:
    """Reads pages; most stand in one commit after the other."""

    def __init__(self, blobs: Blobs) -> None:
        self.read = lru_cache(maxsize=_KEPT_PAGES)(lambda blob: _payload(blobs.read(blob)))


class _Run:
    """A commit as a run, which saw some images."""

    def __init__(self, part: str, commit: Commit, images: dict[str, dict[str, str]]) -> None:
        self._part, self._commit, self._images = part, commit, images

    def frames(self, pages: _Pages) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Make the rows of runs, repositories and tags."""
        listings = [
            (_repo(image), [{"name": tag, **pages.read(blob)} for tag, blob in tags.items()])
            for image, tags in self._images.items()
        ]
        row = run_row(
            _run(self._commit),
            self._part,
            pd.Timestamp(self._commit.committed_at),
            source=SOURCE,
            repo_count=len(listings),
            tag_count=sum(len(tags) for _, tags in listings),
        )
        repos = REPOS.from_records(
            {"repo": repo, "namespace": "library", "name": repo.partition("/")[2]}
            for repo, _ in listings
        )
        counts = pd.array([len(tags) for _, tags in listings], dtype="Int64")
        return (
            RUNS.from_records([row]),
            observed(repos.assign(tag_count=counts), OBSERVED_REPOS, row),
            observed(shape.tags(listings), OBSERVED_TAGS, row),
        )


def _repo(image: str) -> str:
    return f"library/{image}"


def _run(commit: Commit) -> str:
    return f"{SOURCE}-{commit.sha[:16]}"


def _part(name: str, runs: list[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]) -> Part:
    joined = (pd.concat(frames, ignore_index=True) for frames in zip(*runs, strict=True))
    return Part(name, *joined)


def _payload(page: str) -> dict[str, Any]:
    """Read a page in the words of the Hub's own payloads."""
    pull, media_type = _PULL.search(page), _MEDIA_TYPE.search(page)
    head = page[: first.start()] if (first := _CHILD.search(page)) else page
    return {
        "digest": pull and pull[1],
        "media_type": media_type and media_type[1],
        "full_size": _usual_size(page),
        "images": [_platform(*found.groups()) for found in _PLATFORM.finditer(head)],
    }


def _platform(system: str, machine: str) -> dict[str, Any]:
    """Read ``linux; arm64 variant v8``, ``windows version 10.0.1; amd64``."""
    architecture, _, rest = machine.partition(" ")
    variant = re.search(r"variant (\S+)", rest)
    return {
        "os": system.partition(" ")[0],
        "architecture": architecture,
        "variant": variant and variant[1],
    }


def _usual_size(page: str) -> int | None:
    """Return the size of linux/amd64, else that of the only image."""
    heads = list(_CHILD.finditer(page))
    if not heads:
        return _size(page)
    ends = [head.start() for head in heads[1:]] + [len(page)]
    sizes = {head[1]: _size(page[head.end() : end]) for head, end in zip(heads, ends, strict=True)}
    if _USUAL in sizes:
        return sizes[_USUAL]
    return next(iter(sizes.values())) if len(sizes) == 1 else None


def _size(section: str) -> int | None:
    found = _SIZE.search(section)
    if found is None:
        return None
    return int(found[1]) if found[1] else int(float(found[2]))

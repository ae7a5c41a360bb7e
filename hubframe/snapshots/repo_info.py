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
from hubframe.snapshots import git
from hubframe.snapshots.dataset import observed, part_name, run_row, seen_by, select, write_part
from hubframe.snapshots.storage import Storage
from hubframe.tables import REPOS, Snapshots, shape
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
        skipped, so it may be repeated after a ``git pull`` or for other images. Without it
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
    listed = [repos] if isinstance(repos, str) else repos
    images = None if listed is None else [_image(repo) for repo in listed]
    checkout = Path(path).expanduser().absolute()
    if to is None:
        runs, of_repos, of_tags = _joined(list(_parts(checkout, images, set())))
        return Snapshots(runs, {OBSERVED_REPOS: of_repos, OBSERVED_TAGS: of_tags}.__getitem__)
    storage = Storage.open(to)
    seen = seen_by(storage, source=SOURCE)
    names: set[str] = set()
    for part in _parts(checkout, images, set(zip(seen["run"], seen["repo"], strict=True))):
        write_part(storage, *part)
        names.update(part[0]["part"])
    return select(storage, parts=names)


def _image(repo: str) -> str:
    reference = ImageReference.parse(repo)
    if not reference.is_hub or reference.namespace != "library":
        raise InvalidReferenceError(
            f"{reference.repo} is no official image: repo-info tells only of those, such as python"
        )
    return reference.path.removeprefix("library/")


# The rows of runs, repositories and tags.
_Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def _joined(parts: list[_Frames]) -> _Frames:
    runs, repos, tags = zip(*parts, strict=True) if parts else ((), (), ())
    return RUNS.joined(runs), OBSERVED_REPOS.joined(repos), OBSERVED_TAGS.joined(tags)


def _parts(
    checkout: Path, images: list[str] | None, known: set[tuple[str, str]]
) -> Iterator[_Frames]:
    """Replay the history; the commits of a day make a part."""
    paths = ["repos"] if images is None else [f"repos/{image}/remote" for image in images]
    # The blobs of all pages at a commit, by repository and tag.
    tree: dict[str, dict[str, str]] = {}
    with git.blobs(checkout) as blob_text:
        # Most pages stand in one commit after the other.
        read = lru_cache(maxsize=_KEPT_PAGES)(lambda blob: _payload(blob_text(blob)))
        days = groupby(git.commits(checkout, *paths), key=lambda one: one.committed_at.date())
        for day, commits in days:
            part = part_name(f"{SOURCE}-{day}")
            seen = []
            for commit in commits:
                run = f"{SOURCE}-{commit.sha[:16]}"
                # An earlier import may have read other images of the commit.
                further = {repo for repo in _apply(commit, tree) if (run, repo) not in known}
                listings = [
                    (repo, [{"name": tag, **read(blob)} for tag, blob in tree[repo].items()])
                    for repo in sorted(further)
                ]
                if listings:
                    seen.append(_frames(run, part, commit, listings))
            if seen:
                yield _joined(seen)
    if not tree and not known:
        raise HubframeError(
            f"{checkout} holds no pages of tags, repos/<image>/remote/<tag>.md: "
            "give a checkout of docker-library/repo-info"
            + ("" if images is None else f" that tells of {', '.join(images)}")
        )


def _apply(commit: git.Commit, tree: dict[str, dict[str, str]]) -> set[str]:
    """Go on to a commit, and return the repositories whose pages it touched."""
    touched = set()
    for path, blob in commit.files.items():
        found = _PAGE.fullmatch(path)
        if found is None or not TAG.fullmatch(found[2]):
            continue
        repo, tag = f"library/{found[1]}", found[2]
        touched.add(repo)
        pages = tree.setdefault(repo, {})
        pages.pop(tag, None) if blob is None else pages.update({tag: blob})
    return touched


def _frames(
    run: str, part: str, commit: git.Commit, listings: list[tuple[str, list[dict[str, Any]]]]
) -> _Frames:
    """Make the rows of a commit, which is a run that saw some repositories."""
    counts = [len(tags) for _, tags in listings]
    row = run_row(
        run,
        part,
        pd.Timestamp(commit.committed_at),
        source=SOURCE,
        repo_count=len(listings),
        tag_count=sum(counts),
    )
    repos = REPOS.from_records(
        {"repo": repo, "namespace": "library", "name": repo.partition("/")[2]}
        for repo, _ in listings
    )
    return (
        RUNS.from_records([row]),
        observed(repos.assign(tag_count=counts), OBSERVED_REPOS, row),
        observed(shape.tags(listings), OBSERVED_TAGS, row),
    )


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
    variant = rest.partition("variant ")[2].partition(" ")[0] or None
    return {"os": system.partition(" ")[0], "architecture": architecture, "variant": variant}


def _usual_size(page: str) -> int | None:
    """Return the size of linux/amd64, else that of the only image."""
    heads = list(_CHILD.finditer(page))
    if not heads:
        return _size(page)
    ends = [head.start() for head in heads[1:]] + [len(page)]
    sizes = {head[1]: _size(page[head.end() : end]) for head, end in zip(heads, ends, strict=True)}
    only = next(iter(sizes.values())) if len(sizes) == 1 else None
    return sizes.get(_USUAL, only)


def _size(section: str) -> int | None:
    found = _SIZE.search(section)
    return int(float(found[1] or found[2])) if found else None

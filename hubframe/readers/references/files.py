"""Which files name images, and their text.

In a git checkout they are those that git tracks; elsewhere the folders are gone through. Links are
not followed: what they lead to is read where it stands, if it is in the folder at all.
"""

import codecs
import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from hubframe.errors import PayloadError

DOCKERFILE, COMPOSE, KUBERNETES, VALUES, KUSTOMIZE, GITHUB, GITLAB, CIRCLECI = (
    "dockerfile",
    "compose",
    "kubernetes",
    "helm values",
    "kustomize",
    "github actions",
    "gitlab",
    "circleci",
)
DEVCONTAINER, BAKE, BUILDPACKS, QUADLET, TEXT = (
    "devcontainer",
    "bake",
    "buildpacks",
    "quadlet",
    "text",
)
USUAL = "usual"
# What a file may hold, so that it is read; manifests of the largest operators have half of it.
MOST_BYTES = 8 * 1024**2
_YAML = r"\.ya?ml$"
_OF_GITHUB = r"\.(github|gitea|forgejo)/(workflows|actions)"
# By the path of a file; of several the first. Manifests are known by what they hold.
_KINDS = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in (
        (GITHUB, rf"(^|/)((workflow-templates|{_OF_GITHUB})/.+|action){_YAML}"),
        (GITLAB, rf"\.gitlab-ci{_YAML}"),
        (CIRCLECI, rf"(^|/)\.circleci/.+{_YAML}"),
        (KUSTOMIZE, r"(^|/)kustomization(\.ya?ml)?$"),
        (COMPOSE, rf"(^|/)(docker-|podman-)?compose[^/]*{_YAML}"),
        (VALUES, rf"(^|/)(values[^/]*|[^/]*[-_.]values){_YAML}"),
        (DEVCONTAINER, r"(^|/)(\.devcontainer/([^/]+/)?|\.)devcontainer\.json$"),
        (BAKE, r"(^|/)docker-bake[^/]*\.json$"),
        (BUILDPACKS, r"(^|/)project\.toml$"),
        (KUBERNETES, r"\.(ya?ml|json)$"),
        (DOCKERFILE, r"(docker|container)file[^/]*$"),
        (QUADLET, r"\.(container|image|volume)$"),
    )
}
_SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".tox", ".venv", "__pycache__", "node_modules", "venv"}
)
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
# A hook's variables point git at another repository; a checkout's settings may name programs.
_FOREIGN = ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class File(NamedTuple):
    """A file that is to be read, relative to the folder."""

    path: str
    kind: str | None  # None where its name does not tell


class Body(NamedTuple):
    """The text of a file, and whether that is all of it."""

    text: str
    is_whole: bool


def kind_of(path: str) -> str | None:
    """Tell by its path what a file is.

    >>> kind_of("deploy/compose.prod.yml"), kind_of("Dockerfile.web"), kind_of("notes.txt")
    ('compose', 'dockerfile', None)
    """
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(path)), None)


def find(root: Path, patterns: Iterable[str] | None) -> Iterator[File]:
    """Yield the files below a folder that may name images, in order.

    They are those whose path fits a glob, or whose name does where the glob has no ``/``; without
    any those whose kind their path tells.
    """
    globs = None if patterns is None else list(patterns)
    for path in sorted(_tracked(root) or _walked(root)):
        kind = kind_of(path)
        fits = kind is not None if globs is None else any(_fits(path, glob) for glob in globs)
        # A folder is one that could not be gone through, which whoever reads it is told.
        if (fits or path.endswith("/")) and _SKIPPED.isdisjoint(path.split("/")):
            yield File(path, kind)


def _fits(path: str, glob: str) -> bool:
    return fnmatchcase(path if "/" in glob else path.rpartition("/")[2], glob)


def _tracked(root: Path) -> list[str]:
    """List the files that git tracks below a folder; none where it is no checkout."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    command = [*_GIT, "-C", str(root), "ls-files", "-z", "--cached", "--recurse-submodules"]
    try:
        done = subprocess.run(  # noqa: S603 - a list, and no shell
            command, capture_output=True, check=False, env=environment, stdin=subprocess.DEVNULL
        )
    except OSError:
        return []
    listed = done.stdout if done.returncode == 0 else b""
    return list(dict.fromkeys(filter(None, map(os.fsdecode, listed.split(b"\0")))))


def _walked(root: Path) -> Iterator[str]:
    """Go through folders, and yield files; of folders those that may not be read."""
    left = [""]
    while left:
        folder = left.pop()
        try:
            with os.scandir(root / folder) as listing:
                entries = list(listing)
        except OSError:
            yield folder or "./"
            continue
        for entry in entries:
            path = f"{folder}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED:
                    left.append(f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                yield path


def read(root: Path, path: str) -> Body | None:
    """Return the text of a file, up to a cap; None where it is no file, or behind a link.

    PayloadError where it cannot be read.
    """
    full = root / path
    if os.path.realpath(full) != os.path.normpath(full):
        return None
    try:
        handle = os.open(full, _FLAGS)
        with open(handle, "rb") as stream:  # noqa: PTH123 - it was opened without following links
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            body = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        # As in a checkout of a part of what git tracks.
        return None
    except OSError as error:
        raise PayloadError(f"it cannot be read ({error.strerror})") from None
    encoding = next((name for bom, name in _BOMS.items() if body.startswith(bom)), "utf-8")
    return Body(body[:MOST_BYTES].decode(encoding, "replace"), len(body) <= MOST_BYTES)

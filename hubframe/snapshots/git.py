"""Reads the past of a git checkout: which files each commit changed, and what they held.

It runs ``git`` on what is there; it fetches nothing, writes nothing and runs no program that the
checkout's configuration names.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubframe.errors import HubframeError

_MARK = "\x01"
_DELETED = "D"
# A hook's variables point git at another repository.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
_ENVIRONMENT = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
_SETTINGS = (
    *("-c", "log.showSignature=false"),
    *("-c", "log.showRoot=true"),
    *("-c", "core.quotePath=true"),
    *("-c", "core.fsmonitor=false"),
)
_LOG = (
    *("log", "--first-parent", "--diff-merges=first-parent", "--reverse", "--raw", "--no-abbrev"),
    *("--no-renames", "--no-ext-diff", "--no-textconv", f"--format={_MARK}%H %ct"),
)


@dataclass(frozen=True)
class Commit:
    """A commit of the main line, and the files that it changed."""

    sha: str
    committed_at: datetime
    # The blob by path; None where the file was deleted.
    files: dict[str, str | None] = field(default_factory=dict)


def commits(checkout: Path, *paths: str) -> Iterator[Commit]:
    """List the commits that changed something below some paths, the oldest first.

    HubframeError says that it is no git repository, or that git is not installed.
    """
    commit = None
    with _started(checkout, *_LOG, "HEAD", "--", *paths) as process:
        for written in process.stdout:
            line = written.decode("utf-8", "replace").rstrip("\n")
            if line.startswith(_MARK):
                if commit is not None:
                    yield commit
                sha, _, seconds = line.removeprefix(_MARK).partition(" ")
                commit = Commit(sha, datetime.fromtimestamp(int(seconds), UTC))
            elif line.startswith(":") and commit is not None:
                head, _, path = line.partition("\t")
                _, _, _, blob, change = head.split(" ")
                commit.files[path] = None if change == _DELETED else blob
        said = process.stderr.read().decode("utf-8", "replace").strip()
        if process.wait():
            raise HubframeError(
                f"{checkout}: git cannot read its history: {said or 'it said nothing'}"
            )
    if commit is not None:
        yield commit


@contextmanager
def blobs(checkout: Path) -> Iterator[Callable[[str], str]]:
    """Return what gives the text of a blob; it raises `HubframeError` for one that is not there."""
    with _started(checkout, "cat-file", "--batch") as process:

        def read(blob: str) -> str:
            process.stdin.write(f"{blob}\n".encode())
            process.stdin.flush()
            size = process.stdout.readline().rpartition(b" ")[2].strip()
            if not size.isdigit():
                raise HubframeError(f"the checkout lacks {blob}: is it whole? git fsck checks it")
            # A line break follows.
            return str(process.stdout.read(int(size) + 1)[:-1], "utf-8", "replace")

        yield read


@contextmanager
def _started(checkout: Path, *arguments: str) -> Iterator[Any]:
    """Start git, and have it end with its reader."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    command = ["git", "--no-pager", *_SETTINGS, "-C", str(checkout), *arguments]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(  # noqa: S603 - a list, and no shell
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=kept | _ENVIRONMENT
        )
    except FileNotFoundError as error:
        raise HubframeError("this needs git, which is not installed") from error
    with process:
        try:
            yield process
        finally:
            process.kill()

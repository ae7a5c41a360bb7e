"""Reads the past of a git checkout: which files each commit changed, and what they held.

It runs ``git`` on what is there; it fetches nothing, writes nothing and runs no program that the
checkout's configuration names.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from hubframe.errors import HubframeError

_MARK = "\x01"
_DELETED = "D"
# As if it were nowhere in particular: a hook's variables point git at another repository.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
_SETTINGS = (
    *("-c", "log.showSignature=false"),
    *("-c", "log.showRoot=true"),
    *("-c", "core.quotePath=true"),
    *("-c", "core.fsmonitor=false"),
)


@dataclass(frozen=True)
class Commit:
    """A commit of the main line, and the files that it changed.

    Attributes
    ----------
    sha, committed_at
        Its name and its date.
    files
        The blob by path; None where the file was deleted.
    """

    sha: str
    committed_at: datetime
    files: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkout:
    """A git checkout, or a bare repository."""

    path: Path

    def commits(self, *paths: str) -> Iterator[Commit]:
        """List the commits that changed something below some paths, the oldest first.

        Raises
        ------
        HubframeError
            It is no git repository, or git is not installed.
        """
        lines = self._lines(
            "log",
            *("--first-parent", "--diff-merges=first-parent", "--reverse", "--raw", "--no-abbrev"),
            *("--no-renames", "--no-ext-diff", "--no-textconv", f"--format={_MARK}%H %ct"),
            *("HEAD", "--", *paths),
        )
        commit = None
        for line in lines:
            if line.startswith(_MARK):
                if commit is not None:
                    yield commit
                commit = _commit(line)
            elif line.startswith(":") and commit is not None:
                told, _, path = line.partition("\t")
                _, _, _, blob, change = told.split(" ")
                commit.files[path] = None if change == _DELETED else blob
        if commit is not None:
            yield commit

    @contextmanager
    def blobs(self) -> Iterator["Blobs"]:
        """Open what gives the contents of blobs."""
        with _started(self._command("cat-file", "--batch"), stdin=subprocess.PIPE) as process:
            yield Blobs(process)

    def _lines(self, *arguments: str) -> Iterator[str]:
        with _started(self._command(*arguments)) as process:
            for line in _of(process.stdout):
                yield line.decode("utf-8", "replace").rstrip("\n")
            said = _of(process.stderr).read().decode("utf-8", "replace")
            if process.wait():
                raise HubframeError(
                    f"{self.path}: git cannot tell its history: {said.strip() or 'it said nothing'}"
                )

    def _command(self, *arguments: str) -> Sequence[str]:
        return ["git", "--no-pager", *_SETTINGS, "-C", str(self.path), *arguments]


@dataclass(frozen=True)
class Blobs:
    """Gives the contents of blobs, one after the other."""

    process: "subprocess.Popen[bytes]"

    def read(self, blob: str) -> str:
        """Return a blob's text.

        Raises
        ------
        HubframeError
            The repository lacks it.
        """
        asked, given = _of(self.process.stdin), _of(self.process.stdout)
        asked.write(f"{blob}\n".encode())
        asked.flush()
        _, _, size = given.readline().decode("utf-8", "replace").strip().rpartition(" ")
        if not size.isdigit():
            raise HubframeError(f"the checkout lacks {blob}: is it whole? git fsck tells")
        text = given.read(int(size)).decode("utf-8", "replace")
        given.read(1)
        return text


def _commit(line: str) -> Commit:
    sha, _, seconds = line.removeprefix(_MARK).partition(" ")
    return Commit(sha, datetime.fromtimestamp(int(seconds), UTC))


@contextmanager
def _started(
    command: Sequence[str], stdin: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start git, and have it end with whoever reads it."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment = {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        process = subprocess.Popen(  # noqa: S603 - a list, and no shell
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
    except FileNotFoundError as error:
        raise HubframeError("this needs git, which is not installed") from error
    with process:
        try:
            yield process
        finally:
            process.kill()


def _of(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe

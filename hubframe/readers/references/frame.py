"""The images that files name, as a frame."""

import errno
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from hubframe.errors import ALL_FAILURES, IncompleteWarning, PayloadError
from hubframe.readers.references import compose, files, kinds, pipelines
from hubframe.readers.references.documents import Node
from hubframe.readers.references.files import File
from hubframe.readers.references.found import Found, columns
from hubframe.readers.references.variables import Text
from hubframe.tables.references import REFERENCES


def references_df(
    where: str | os.PathLike[str] = ".",
    *,
    patterns: str | Iterable[str] = files.USUAL,
    follow: bool = False,
) -> pd.DataFrame:
    """List the images that files name: Dockerfiles, compose files, manifests, workflows and others.

    Nothing is asked of any registry, nothing is written, and nothing in a file is run. In a git
    checkout the files are those that git tracks. Links are not followed.

    Parameters
    ----------
    where
        A folder, or a file.
    patterns
        Which files: ``"usual"`` for those whose name, or content, says that they name images; or
        globs of paths, or of names where they have no ``/``. Files that fit one and are of no kind
        that is known are read as lists, with a reference on each line.
    follow
        Whether files are read, too, that others name, if they are below `where`: of compose files
        their Dockerfiles and what they include and extend, local includes of GitLab's pipelines.

    Returns
    -------
    DataFrame
        The table `references`, by file and line. What of a reference is a variable without a
        default, or a template, makes it a row without ``reference``, and ``problem`` says why.
        Files that cannot be read stand in ``frame.attrs["hubframe"]["failures"]``.

    Raises
    ------
    FileNotFoundError
        There is no such folder or file.

    Examples
    --------
    >>> from hubframe.testing import sample_files
    >>> references = hubframe.references_df(sample_files() / "shop")
    >>> references[references["kind"] == "kubernetes"]["repo"].tolist()
    ['library/alpine', 'registry.example/shop/web', 'registry.example/shop/batch']
    """
    if not isinstance(where, str | os.PathLike):
        raise TypeError(f"where: expected a folder or a file, not {type(where).__name__}")
    place = Path(where)
    # A name may begin with ~ and be nobody's home.
    with suppress(RuntimeError):
        place = place.expanduser()
    if not place.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(where))
    place = place.resolve()
    globs = _globs(patterns)
    if place.is_dir():
        reading = _Reading(place, is_following=follow)
        listed: Iterable[File] = files.find(place, globs)
    else:
        reading = _Reading(place.parent, is_following=follow)
        listed = [File(place.name, files.kind_of(place.as_posix()))]
    for file in listed:
        reading.file(file)
    return reading.finish()


def _globs(patterns: str | Iterable[str]) -> list[str] | None:
    if patterns == files.USUAL:
        return None
    patterns = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(patterns, Iterable) or isinstance(patterns, bytes | Mapping):
        raise TypeError(f"patterns: expected globs, not {type(patterns).__name__}")
    globs = list(patterns)
    if not globs or not all(isinstance(glob, str) and glob for glob in globs):
        raise ValueError(f"patterns: expected {files.USUAL!r} or globs such as '*.yaml'")
    return globs


class _Reading:
    """The rows of the files that were read, and which could not be."""

    def __init__(self, root: Path, *, is_following: bool) -> None:
        self._root = root
        self._is_following = is_following
        self._begun_at = datetime.now(UTC)
        self._rows: list[dict[str, Any]] = []
        self._failures: list[dict[str, str]] = []
        self._skipped = 0
        self._seen: set[str] = set()

    def file(self, file: File) -> None:
        """Read a file, and what it names, each once."""
        left = [file]
        while left:
            one = left.pop()
            if one.path in self._seen:
                continue
            named: list[File] = []
            rows: list[dict[str, Any]] = []
            try:
                # One by one: where a file cannot be read further, what was found before stays.
                rows.extend({"file": one.path, **columns(each)} for each in self._found(one, named))
            except PayloadError as error:
                self._failures.append(
                    {"ref": one.path, "error": type(error).__name__, "message": str(error)}
                )
            # What is no manifest may be named by another file, as what it is.
            if rows or one.kind != files.KUBERNETES:
                self._seen.add(one.path)
            self._rows += _told_apart(rows)
            left += named

    def finish(self) -> pd.DataFrame:
        """Make the frame, and say what could not be read."""
        rows = sorted(self._rows, key=lambda row: (row["file"], row["line"]))
        frame = REFERENCES.from_records(rows)
        frame.attrs["hubframe"] = {
            "table": REFERENCES.name,
            "source": "files",
            "sample": False,
            "fetched_at": self._begun_at.isoformat(timespec="seconds"),
            "complete": not self._failures,
            "requests": 0,
            "from_cache": 0,
            "stale": 0,
            "skipped": self._skipped,
            "failures": self._failures,
        }
        if self._failures:
            first = self._failures[0]
            words = (
                f"references: {len(self._failures)} files could not be read, or not to their end; "
                f"the first is {first['ref']}: {first['message']}. {ALL_FAILURES}"
            )
            warnings.warn(words, IncompleteWarning, stacklevel=3)
        return frame

    def _found(self, file: File, named: list[File]) -> Iterator[Found]:
        body = files.read(self._root, file.path)
        if body is None:
            self._skipped += 1
            return
        kind = file.kind or kinds.kind_by_content(body.text)
        if not kinds.is_worth(kind, body.text):
            return
        if not body.is_whole:
            raise PayloadError(f"it is larger than {files.MOST_BYTES:,} bytes, and was not read")
        read: list[Node] | None = [] if self._is_following else None
        yield from kinds.references(
            kind,
            body.text,
            is_json=file.path.endswith(".json"),
            variables=self._beside(file.path) if kinds.may_be_compose(kind, body.text) else {},
            read=read,
        )
        for document in read or ():
            named += self._named(file.path, kind, document)

    def _beside(self, path: str) -> dict[str, Text]:
        """Read the variables of the ``.env`` beside a compose file."""
        beside = PurePosixPath(path).with_name(".env")
        body = files.read(self._root, str(beside)) if (self._root / beside).is_file() else None
        return compose.assigned(body.text) if body else {}

    def _named(self, path: str, kind: str, document: Node) -> Iterator[File]:
        """Yield the files below the folder that a document names."""
        if kind == files.COMPOSE:
            folder = PurePosixPath(path).parent
            for name, of_kind in compose.named_files(document):
                yield from self._inside(folder / name, of_kind)
        elif kind == files.GITLAB:
            for name in pipelines.local_includes(document):
                yield from self._inside(PurePosixPath(name), files.GITLAB)

    def _inside(self, path: PurePosixPath, kind: str) -> Iterator[File]:
        plain = os.path.normpath(path)
        is_inside = not path.is_absolute() and plain.split("/")[0] != ".." and "\0" not in plain
        if is_inside and (self._root / plain).is_file():
            yield File(plain, kind)


def _told_apart(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Number the fields of one line that have the same name, from the second on."""
    counts: dict[tuple[int, str], int] = {}
    for row in rows:
        key = row["line"], row["field"]
        count = counts[key] = counts.get(key, 0) + 1
        yield row if count == 1 else {**row, "field": f"{row['field']} ({count})"}

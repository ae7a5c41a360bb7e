"""Documents on the disk: found, read up to a cap, and what could not be read of them."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd

from hubframe.errors import (
    ALL_FAILURES,
    HubframeError,
    IncompleteWarning,
    NotFoundError,
    PayloadError,
)
from hubframe.oci.contents import statements
from hubframe.oci.packing import unpacked
from hubframe.oci.payload import mapping, parse
from hubframe.tables.schema import Table

T = TypeVar("T")
Errors = Literal["raise", "collect"]
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
# What is read of JSON may take twenty times as much memory.
MOST_BYTES = 2**27
JSON_FILES = (".json", ".json.gz")
# What documents of each kind have at their top, and what reads them.
_READERS = {
    "spdxVersion": "read_spdx",
    "@graph": "read_spdx",
    "bomFormat": "read_cyclonedx, with vulnerabilities=True for those that it lists",
    "artifacts": "read_syft",
    "matches": "read_grype",
    "ArtifactName": "read_trivy",
    "ClusterName": "read_trivy",
    "statements": "read_openvex",
    "affected": "read_osv",
}
# How many distinct sources are told of.
_MOST_SOURCES = 100
_LEVEL_OF_CALLER = 3


class Reading:
    """One call that reads documents: what it read, and what failed.

    Parameters
    ----------
    table
        What the documents are made.
    errors
        ``"raise"`` ends at the first document that cannot be read, ``"collect"`` leaves it out.
    max_bytes
        Larger documents are refused.
    """

    def __init__(self, table: Table, errors: Errors, max_bytes: int = MOST_BYTES) -> None:
        if errors not in ("raise", "collect"):
            raise ValueError(f'errors must be "raise" or "collect", not {errors!r}')
        check_cap("max_bytes", max_bytes)
        self._table, self._errors, self._max_bytes = table, errors, max_bytes
        self._failures: list[dict[str, str]] = []
        # What is left out though it could be read, and what could not be told, each with a reason.
        self.skipped = 0
        self.unknown: dict[tuple[str, str], str] = {}
        self._sources: dict[tuple[tuple[str, Any], ...], int] = {}

    @property
    def has_failed(self) -> bool:
        """Whether something could not be read."""
        return bool(self._failures)

    def note(self, **source: Any) -> None:
        """Write down what a document says of its making: its tool, its date, its database."""
        key = tuple((name, value) for name, value in source.items() if value is not None)
        if key in self._sources or len(self._sources) < _MOST_SOURCES:
            self._sources[key] = self._sources.get(key, 0) + 1

    def documents(self, paths: Paths, read: Callable[[Mapping[str, Any], str], T]) -> Iterator[T]:
        """Yield what `read` makes of each document in JSON, bare or attested, and of its name."""

        def read_body(body: bytes, name: str) -> T:
            told: Mapping[str, Any] = parse(body, name)
            if statements.is_attestation(told):
                told = mapping(statements.read(body, name).predicate)
            return read(told, name)

        return self.bodies(paths, read_body)

    def bodies(self, paths: Paths, read: Callable[[bytes, str], T]) -> Iterator[T]:
        """Yield what `read` makes of the bytes of each document, and of its name.

        A folder stands for the files in it that end as `JSON_FILES` do, in the order of their
        names.
        """
        for path in find(paths, JSON_FILES):
            with self.trying(str(path)):
                yield read(read_file(path, self._max_bytes), str(path))

    @contextmanager
    def trying(self, name: str) -> Iterator[None]:
        """Write down why something cannot be read, and go on; or do not."""
        try:
            yield
        except (HubframeError, OSError) as error:
            if self._errors == "raise":
                raise
            failure = {"ref": name, "error": type(error).__name__, "message": str(error)}
            self._failures.append(failure)

    def finish(self, frame: pd.DataFrame, source: str, meaning: str | None = None) -> pd.DataFrame:
        """Write down where the rows came from, whether they are all, and what a row means."""
        frame.attrs["hubframe"] = {
            "table": self._table.name,
            "source": source,
            "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "complete": not self._failures,
            "requests": 0,
            "from_cache": 0,
            "skipped": self.skipped,
            "sources": [{**dict(key), "count": count} for key, count in self._sources.items()],
            "failures": self._failures,
            "unknown": [
                {"column": column, "ref": ref, "message": why}
                for (column, ref), why in self.unknown.items()
            ],
        }
        if meaning:
            frame.attrs["hubframe"]["meaning"] = meaning
        if self._failures:
            first = self._failures[0]
            warnings.warn(
                f"{self._table.name}: {len(self._failures)} of the documents could not be read; "
                f"the first is {first['ref']} ({first['error']}). {ALL_FAILURES}",
                IncompleteWarning,
                stacklevel=_LEVEL_OF_CALLER,
            )
        return frame


def check_cap(name: str, value: object) -> None:
    """Check that a cap is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}")


def other_reader(told: Mapping[str, Any], own: str) -> str | None:
    """Say what reads a document, by what it has at its top; None where that is one's own reader."""
    reader = next((reader for name, reader in _READERS.items() if name in told), own)
    return None if reader.startswith(own) else f"use {reader}"


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return what a file holds, unpacked; PayloadError where it is none, or holds too much."""
    if path.exists() and not path.is_file():
        raise PayloadError(f"{path} is no file")
    body = bytearray()
    with path.open("rb") as file:
        for piece in unpacked(iter((file.read(max_bytes + 1),)), str(path)):
            body += piece
            if len(body) > max_bytes:
                raise PayloadError(f"{path} has more than {max_bytes:,} bytes: raise max_bytes=")
    return bytes(body)


def find(paths: Paths, suffixes: tuple[str, ...], *, is_deep: bool = False) -> Iterator[Path]:
    """Yield files: those that are named, and of folders those with a suffix.

    Links within a folder are not followed. NotFoundError where a folder has none.
    """
    is_open = isinstance(paths, bytes | Mapping) or hasattr(paths, "read")
    if is_open or not isinstance(paths, str | os.PathLike | Iterable):
        raise TypeError(f"a file or folder is given by its name, not as {type(paths).__name__}")
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        place = Path(path)
        if not place.is_dir():
            yield place
            continue
        found = False
        for folder, folders, names in os.walk(place):
            folders.sort()
            if not is_deep:
                folders.clear()
            for name in sorted(names):
                file = Path(folder, name)
                if name.endswith(suffixes) and not file.is_symlink() and file.is_file():
                    found = True
                    yield file
        if not found:
            raise NotFoundError(f"{place} holds no file that ends in {' or '.join(suffixes)}")

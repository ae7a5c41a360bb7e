"""Where Parquet files lie: a folder, or an address that fsspec knows. A file is there whole or not.

It is written under a name that nobody reads, and then renamed.
"""

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from hubframe.errors import HubframeError

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import fs
except ImportError:  # an extra
    fs = None

SUFFIX, DRAFT = ".parquet", ".draft"


@dataclass(frozen=True)
class Storage:
    """A folder of Parquet files."""

    address: str  # how messages name it, without a login
    path: str  # within the file system
    filesystem: Any  # as pyarrow has it
    is_local: bool  # whether it is this machine's own

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Open a folder, or an address such as ``s3://bucket/folder``; nothing is made yet.

        HubframeError says what is not installed: pyarrow, or what the address needs.
        """
        if fs is None:
            raise HubframeError("Parquet needs pyarrow: pip install 'hubframe[parquet]'")
        if not isinstance(folder, str | os.PathLike):
            raise TypeError(f"expected a folder or an address, not {type(folder).__name__}")
        if not str(folder).strip():
            raise HubframeError("the place of the files has no name: give a folder or an address")
        if isinstance(folder, str) and "://" in folder:
            shown = re.sub(r"//[^/]*@", "//…@", folder)
            found, path = _read_address(folder, shown)
            filesystem = fs.PyFileSystem(fs.FSSpecHandler(found))
            return cls(shown, path.rstrip("/"), filesystem, is_local=False)
        path = str(Path(folder).expanduser().absolute())
        return cls(str(folder), path, fs.LocalFileSystem(), is_local=True)

    def prepare(self) -> None:
        """Make the folder: a missing permission is an error before anything is fetched."""
        self.filesystem.create_dir(self.path, recursive=True)

    def is_there(self) -> bool:
        """Tell whether there is such a folder."""
        return str(self.filesystem.get_file_info(self.path).type.name) == "Directory"

    def names(self, folder: str) -> list[str]:
        """List the files of a folder and those below it, by their paths within the storage."""
        listed = self._listed(folder)
        return [path for path in listed if path.endswith(SUFFIX) and "/." not in f"/{path}"]

    def drafts(self, folder: str) -> list[str]:
        """List the files that are being written there, or whose writer was killed."""
        return [path for path in self._listed(folder) if path.endswith(DRAFT)]

    def _listed(self, folder: str) -> list[str]:
        selector = fs.FileSelector(f"{self.path}/{folder}", recursive=True, allow_not_found=True)
        found = (one.path for one in self.filesystem.get_file_info(selector) if one.is_file)
        # Some file systems begin their paths with a slash that the root lacks.
        return sorted(path.partition(f"{self.path.lstrip('/')}/")[2] for path in found)

    def write(self, path: str, table: Any) -> None:
        """Write a frame, or a table of pyarrow: all of it, or nothing that is read."""
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        folder, _, name = f"{self.path}/{path}".rpartition("/")
        self.filesystem.create_dir(folder, recursive=True)
        # Two that write the same file at once have each their own.
        draft = f"{folder}/.{name}.{secrets.token_hex(4)}{DRAFT}"
        try:
            with self.filesystem.open_output_stream(draft) as stream:
                pq.write_table(table, stream, compression="zstd")
            self._sync(draft)
            self.filesystem.move(draft, f"{folder}/{name}")
            self._sync(folder)
        except BaseException:
            with suppress(OSError):
                self.filesystem.delete_file(draft)
            raise

    def delete(self, path: str) -> None:
        """Delete a file, if it is there."""
        with suppress(FileNotFoundError):
            self.filesystem.delete_file(f"{self.path}/{path}")

    def _sync(self, path: str) -> None:
        """Have the disk keep a file or a folder, before a power cut can come between."""
        if self.is_local and os.name != "nt":
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _read_address(address: str, shown: str) -> tuple[Any, str]:
    """Find the file system of an address, and the path within it."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra

        filesystem, path = url_to_fs(address)
    except ImportError as error:
        raise HubframeError(
            f"{shown} needs a package that is not installed: {error}. "
            "pip install fsspec, and what the address takes, such as s3fs or gcsfs"
        ) from error
    except ValueError as error:
        raise HubframeError(f"{shown} is no address that fsspec knows: {error}") from error
    return filesystem, str(path)

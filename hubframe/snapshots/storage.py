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

from hubframe.errors import HubframeError

SUFFIX, DRAFT = ".parquet", ".draft"


@dataclass(frozen=True)
class Place:
    """A folder of Parquet files.

    Attributes
    ----------
    shown
        How messages name it, without a login.
    root
        Its path within the file system.
    files
        The file system, as pyarrow has it.
    is_local
        Whether it is this machine's own.
    """

    shown: str
    root: str
    files: Any
    is_local: bool

    @classmethod
    def open(cls, place: str | os.PathLike[str]) -> Self:
        """Open a folder, or an address such as ``s3://bucket/folder``; nothing is made yet.

        Raises
        ------
        HubframeError
            pyarrow, or what the address needs, is not installed; or the address is none.
        TypeError
            It is neither text nor a path.
        """
        fs = _pyarrow_fs()
        if not isinstance(place, str | os.PathLike):
            raise TypeError(f"expected a folder or an address, not {type(place).__name__}")
        if not str(place).strip():
            raise HubframeError("the place of the files has no name: give a folder or an address")
        if isinstance(place, str) and "://" in place:
            shown = re.sub(r"//[^/]*@", "//…@", place)
            files, root = _addressed(place, shown)
            handler = fs.PyFileSystem(fs.FSSpecHandler(files))
            return cls(shown, root.rstrip("/"), handler, is_local=False)
        folder = Path(place).expanduser().absolute()
        return cls(str(place), str(folder), fs.LocalFileSystem(), is_local=True)

    def prepare(self) -> None:
        """Make the folder, so that who may not is told before anything is asked."""
        self.files.create_dir(self.root, recursive=True)

    def is_there(self) -> bool:
        """Tell whether there is such a folder."""
        return self._type("") == "Directory"

    def names(self, folder: str) -> list[str]:
        """List the files of a folder and those below it, by their paths within the place."""
        return [path for path in self._listed(folder) if _is_read(path)]

    def drafts(self, folder: str) -> list[str]:
        """List the files that are being written there, or whose writer was killed."""
        return [path for path in self._listed(folder) if path.endswith(DRAFT)]

    def _listed(self, folder: str) -> list[str]:
        from pyarrow import fs  # noqa: PLC0415 - loaded when used

        selector = fs.FileSelector(f"{self.root}/{folder}", recursive=True, allow_not_found=True)
        found = (one.path for one in self.files.get_file_info(selector) if one.is_file)
        # Some file systems begin their paths with a slash that the root lacks.
        return sorted(path.partition(f"{self.root.lstrip('/')}/")[2] for path in found)

    def write(self, path: str, table: Any) -> None:
        """Write a table of pyarrow: all of it, or nothing that is read."""
        import pyarrow.parquet as pq  # noqa: PLC0415 - loaded when used

        folder, _, name = f"{self.root}/{path}".rpartition("/")
        self.files.create_dir(folder, recursive=True)
        # Two that write the same file at once have each their own.
        draft = f"{folder}/.{name}.{secrets.token_hex(4)}{DRAFT}"
        try:
            with self.files.open_output_stream(draft) as stream:
                pq.write_table(table, stream, compression="zstd")
            self._keep(draft)
            self.files.move(draft, f"{folder}/{name}")
            self._keep(folder)
        except BaseException:
            with suppress(OSError):
                self.files.delete_file(draft)
            raise

    def delete(self, path: str) -> None:
        """Delete a file; one that is gone is as good."""
        with suppress(FileNotFoundError):
            self.files.delete_file(f"{self.root}/{path}")

    def _type(self, path: str) -> str:
        full = f"{self.root}/{path}".rstrip("/")
        return str(self.files.get_file_info(full).type.name)

    def _keep(self, path: str) -> None:
        """Have the disk keep a file or a folder, before a power cut can come between."""
        if not self.is_local or os.name == "nt":
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_read(path: str) -> bool:
    return path.endswith(SUFFIX) and not path.rpartition("/")[2].startswith(".")


def _pyarrow_fs() -> Any:
    try:
        from pyarrow import fs  # noqa: PLC0415 - loaded when used
    except ImportError as error:
        raise HubframeError("Parquet needs pyarrow: pip install 'hubframe[parquet]'") from error
    return fs


def _addressed(place: str, shown: str) -> tuple[Any, str]:
    """Find the file system of an address, and the path within it."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - loaded when used

        files, root = url_to_fs(place)
    except ImportError as error:
        raise HubframeError(
            f"{shown} needs a package that is not installed: {error}. "
            "pip install fsspec, and what the address takes, such as s3fs or gcsfs"
        ) from error
    except ValueError as error:
        raise HubframeError(f"{shown} is no address that fsspec knows: {error}") from error
    return files, str(root)

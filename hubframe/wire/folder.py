"""The folder of a cache: private, the user's own, and whether SQLite may keep files in it."""

import os
import stat
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hubframe.errors import CacheWarning, TransportError

if sys.platform != "win32":
    import fcntl

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
# Each is a file of SQLite, or a folder of files where SQLite's locks do not work.
STORAGES = ("http_cache", "tags", "documents")
DAMAGED = ".damaged-"
# What an older hubframe kept.
_OLD = ("blobs", "layers", "content.sqlite", "responses.sqlite", "files.sqlite")
_OLD_LAYOUT = ("index.json", "oci-layout")
# There locks may hang or do nothing, and SQLite's log wants memory that all its users share.
_NETWORK = {
    "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.davfs", "fuse.gcsfuse",
    "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4",
    "panfs", "smb3", "smbfs",
}  # fmt: skip


def prepare(folder: Path) -> Path | None:
    """Make a folder private and writable; None, and a warning, where that cannot be had."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        names = [each.name for each in folder.iterdir()]
        found, owner = folder.stat(), _owner(folder)
        # Somebody's home or a shared folder keeps its rights: the files are private in any case.
        is_ours = all(name in _OLD + _OLD_LAYOUT or _is_of(name, STORAGES) for name in names)
        if is_ours and found.st_uid == owner and stat.S_IMODE(found.st_mode) & ~PRIVATE_FOLDER:
            with suppress(OSError):  # some file systems know no rights
                folder.chmod(PRIVATE_FOLDER)
    except OSError as error:
        say(
            f"the cache folder {folder} cannot be written ({error.strerror}); "
            "answers are kept in memory until the program ends. Set HUBFRAME_CACHE_DIR to move it"
        )
        return None
    _say_old(folder, names)
    return folder


def shared_folder(url: str) -> Path:
    """Make the folder that several machines share, or raise `TransportError`."""
    parts = urlsplit(url)
    folder = Path(url2pathname(parts.path) if parts.scheme == "file" else url)
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        _say_old(folder, [each.name for each in folder.iterdir()])
    except OSError as error:
        raise TransportError(
            f"the shared cache, the folder {folder}, could not be made: {error.strerror}"
        ) from None
    return folder


def has_locks(folder: Path) -> bool:
    """Tell whether SQLite may keep files in a folder: what its locks need works there."""
    if sys.platform == "win32":
        return True
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return _file_system(folder) not in _NETWORK


def make_private(path: Path) -> None:
    """Make a file where there is none, and private where it is the user's.

    It raises `OSError` where somebody else put it there: it may hold forged answers, or be a link
    to another's file.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
    check_owner(path)
    if not path.is_file():
        raise OSError(f"{path.name} is no file")
    if stat.S_IMODE(path.stat().st_mode) != PRIVATE_FILE:
        with suppress(OSError):  # some file systems know no rights
            path.chmod(PRIVATE_FILE)


def check_owner(path: Path) -> None:
    """Raise `OSError` for what is not the user's, or a link of somebody else's."""
    if {path.lstat().st_uid, path.stat().st_uid} != {_owner(path.parent)}:
        raise OSError(f"{path.name} belongs to somebody else")


def size_of(folder: Path, storages: tuple[str, ...] = STORAGES) -> int:
    """Add up the bytes of what storages take in a folder; it may hold other things, too."""
    total = 0
    with suppress(OSError):  # others may remove some meanwhile
        for one in folder.iterdir():
            if _is_of(one.name, storages):
                for path in (one, *one.glob("*")):
                    with suppress(OSError):
                        total += 0 if path.is_dir() else path.lstat().st_size
    return total


def discard_damaged(folder: Path) -> None:
    """Delete the files that were set aside."""
    for path in folder.glob(f"*{DAMAGED}*"):
        path.unlink(missing_ok=True)


def say(message: str) -> None:
    """Warn of trouble with the cache."""
    warnings.warn(message, CacheWarning, stacklevel=3)


def _owner(folder: Path) -> int:
    """Return whose the files are that are made here: not always the user, on what others serve."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        return os.fstat(probe.fileno()).st_uid


def _is_of(name: str, storages: tuple[str, ...]) -> bool:
    return name in storages or name.startswith(tuple(f"{one}.sqlite" for one in storages))


def _say_old(folder: Path, names: list[str]) -> None:
    """Say what an older hubframe left, before the first file of this one is made."""
    old = [name for name in _OLD if name in names]
    if old and not any(_is_of(name, ("documents",)) for name in names):
        say(
            f"{', '.join(old)} in {folder}: what an older hubframe kept. It is not read any more, "
            "and left alone; delete it by hand"
        )


def _file_system(folder: Path) -> str:
    """Return the type of the file system, where the system tells it."""
    folder, found = folder.resolve(), ("", "")
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
            before, _, after = line.partition(" - ")
            # Blanks and the like are written as octal numbers, all else as UTF-8.
            octal = before.split()[4].encode().decode("unicode_escape")
            mounted = os.fsdecode(octal.encode("latin-1"))
            if len(mounted) >= len(found[0]) and folder.is_relative_to(mounted):
                found = mounted, after.partition(" ")[0]
    return found[1]

"""Files of images, as they are in the end. This downloads the layers that hold them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from operator import attrgetter
from posixpath import normpath
from typing import Any

import pandas as pd

from hubframe.errors import NotFoundError, PayloadError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.files import MOST_BYTES, MOST_ENTRIES, read_layers
from hubframe.frames.images import frame_of_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, Wanted, check_count, read_wanted
from hubframe.oci.archives import Archive, Caps, Listing
from hubframe.oci.contents.filesystem import Entry, FileSystem
from hubframe.tables import CONTENTS, LAYERS
from hubframe.tables.declarations import OF_IMAGE
from hubframe.tables.schema import plain_values
from hubframe.wire.client import Client

# An image: its key, the digests of its layers, base first, and its files.
Image = tuple[tuple[Any, ...], list[str], FileSystem]
_KEY = [column.name for column in OF_IMAGE]
_FILES = frozenset({"file", "hard link"})
_MOST_TEXT, _MOST_FILE = 1_048_576, 16_777_216
_CAPS = Caps(MOST_BYTES, MOST_ENTRIES)


def contents_df(
    what: What,
    paths: str | Iterable[str],
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    max_file_bytes: int = _MOST_TEXT,
    hash: bool = False,  # noqa: A002 - what it is for
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Read files of images, such as configuration. This downloads layers.

    The files are those of the final file system: of a path that several layers write the topmost
    counts, and what a layer removes is not there. Of the layers whose lists of files are here only
    those are asked for that hold one of the files.

    Parameters
    ----------
    what, tags, newest, platform, source, partial, errors, progress, client
        See `layers_df`. An image of which a layer fails has no rows.
    paths
        A path, or several, with ``*`` for any part, also of several folders: ``etc/os-release``,
        ``etc/*.conf``, ``*/requirements.txt``. A leading slash may be there.
    max_file_bytes
        Of larger files the text is cut to so much. [bytes]
    hash
        Whether the files' sha256 is wanted.

    Returns
    -------
    DataFrame
        The table `contents`, a row per file, by path. Links are no files; `read_file` follows them.
    """
    check_count("max_file_bytes", max_file_bytes)
    is_wanted = _reader_of(paths)
    wanted = read_wanted(tags, newest, platform)
    with calling(client, errors, progress) as call:
        images = list(_images(call, what, wanted, source, partial=partial))
        found = [
            (key, digests[entry.position], files, entry)
            for key, digests, files in images
            for entry in files.match(is_wanted)
            if files.kind(entry) in _FILES
        ]
        bodies = _bodies(call, images, {(digest, entry.path) for _, digest, _, entry in found})
        rows = (
            _row(*one, bodies[one[1], one[3].path], max_file_bytes, is_hashed=hash)
            for one in found
            if (one[1], one[3].path) in bodies
        )
        return call.finish(CONTENTS.from_rows(rows), CONTENTS.name)


def read_file(
    reference: str,
    path: str,
    *,
    platform: str = USUAL_PLATFORM,
    max_bytes: int = _MOST_FILE,
    client: Client | None = None,
) -> bytes:
    """Return a file of an image. This downloads layers.

    Parameters
    ----------
    reference, platform, client
        See `inspect`.
    path
        The path from the root of the image; links are followed, inside the image.
    max_bytes
        How large it may be. [bytes]

    Raises
    ------
    NotFoundError
        The image has no such file.
    PayloadError
        It is no file, or larger.
    """
    check_count("max_bytes", max_bytes)
    (asked,) = references(reference)
    named = asked if asked.digest else asked.at(tag=asked.target)
    wanted = read_wanted(None, None, platform)
    with calling(client) as call:
        images = list(_images(call, named, wanted, "auto", partial=False))
        if not images:
            raise NotFoundError(f"{named} has no layers")
        _, digests, files = images[0]
        entry = files.follow(path)
        if files.kind(entry) != "file":
            raise PayloadError(f"{named}: {path} is no file but a {files.kind(entry)}")
        if files.size(entry) > max_bytes:
            raise PayloadError(
                f"{named}: {path} has {files.size(entry):,} bytes, more than max_bytes allows"
            )
        digest = digests[entry.position]
        return _bodies(call, images[:1], {(digest, entry.path)})[digest, entry.path]


def _reader_of(paths: str | Iterable[str]) -> Callable[[str], bool]:
    given = [paths] if isinstance(paths, str) else list(paths)
    if not given or not all(isinstance(one, str) and one for one in given):
        raise ValueError("paths must be a path, or several: etc/os-release, etc/*.conf")
    patterns = "|".join(translate(normpath(one).lstrip("/")) for one in given)
    found = re.compile(patterns)
    return lambda path: found.match(path) is not None


def _images(
    call: Call, what: What, wanted: Wanted, source: Source, *, partial: bool
) -> Iterator[Image]:
    """Read the lists of files of images' layers."""
    layers = frame_of_images(call, LAYERS.name, what, wanted, source, partial=partial)
    read: dict[str, Listing] = read_layers(call, layers, _CAPS, attrgetter("listing"))
    order = [*_KEY, "layer_digest", "is_empty"]
    by_image: dict[tuple[Any, ...], list[tuple[str, bool]]] = {}
    for *key, digest, is_empty in plain_values(layers[order]).itertuples(index=False, name=None):
        by_image.setdefault(tuple(key), []).append((digest, bool(is_empty)))
    for key, held in by_image.items():
        own = [Listing() if is_empty else read.get(digest) for digest, is_empty in held]
        if None not in own:
            listings = [one for one in own if one is not None]
            yield key, [digest for digest, _ in held], FileSystem(listings)


def _bodies(
    call: Call, images: Iterable[Image], wanted: set[tuple[str, str]]
) -> dict[tuple[str, str], bytes]:
    """Read files out of the layers that hold them, each layer once."""
    paths: dict[str, set[str]] = {}
    for digest, path in wanted:
        paths.setdefault(digest, set()).add(path)
    rows = [(key[0], digest) for key, digests, _ in images for digest in digests if digest in paths]
    layers = pd.DataFrame(rows, columns=["repo", "layer_digest"], dtype="str")
    layers = layers.assign(media_type=None, size=None, is_empty=False)

    def keep(digest: str) -> Callable[[str, int], bool]:
        return lambda path, _: path in paths[digest]

    def read(archive: Archive) -> dict[str, bytes]:
        return archive.bodies

    found = read_layers(call, layers, _CAPS, read, keep=keep)
    return {
        (digest, path): body for digest, bodies in found.items() for path, body in bodies.items()
    }


def _row(
    key: tuple[Any, ...],
    digest: str,
    files: FileSystem,
    entry: Entry,
    body: bytes,
    most: int,
    *,
    is_hashed: bool,
) -> tuple[Any, ...]:
    made = hashlib.sha256(body).hexdigest() if is_hashed else None
    is_truncated = len(body) > most
    try:
        # A letter that is cut in two is not there.
        text = body[:most].decode("utf-8", "ignore" if is_truncated else "strict")
    except UnicodeDecodeError:
        text = None
    where = (*key, entry.position, digest, entry.path)
    return (*where, len(body), files.mode(entry), made, text, is_truncated)

"""Files of images, as they are in the end. This downloads the layers that hold them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from posixpath import normpath
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from hubframe.errors import NotFoundError, PayloadError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.files import MOST_BYTES, MOST_ENTRIES, read_layers
from hubframe.frames.images import frame_of_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, check_count, read_wanted
from hubframe.oci.archives import Archive, Caps, Keep, Listing
from hubframe.oci.contents.filesystem import Entry, FileSystem, Layer
from hubframe.tables import CONTENTS, LAYERS
from hubframe.tables.declarations import OF_IMAGE
from hubframe.tables.schema import plain_values
from hubframe.wire.client import Client

Read = TypeVar("Read")
# An image: its key, the digests of its layers, base first, and its files.
Image = tuple[tuple[Any, ...], list[str], FileSystem]
# Where a content is: the digest of the layer, and the path in it.
Place = tuple[str, str]
_KEY = [column.name for column in OF_IMAGE]
_FILES = frozenset({"file", "hard link"})
_MOST_TEXT, _MOST_FILE = 1_048_576, 16_777_216
_CAPS = Caps(MOST_BYTES, MOST_ENTRIES)
# How much of a layer's files is in memory at once, where no file that is asked for may be larger.
_MOST_OF_LAYER = 64 * 1024**2


class Told(NamedTuple):
    """What is told of the content of a file, as in the table."""

    size: int
    sha256: str | None
    text: str | None
    is_truncated: bool


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
    those are asked for that hold one of the files, and files that were read are kept.

    Parameters
    ----------
    what, tags, newest, platform, source, partial, errors, progress, client
        See `layers_df`. An image of which a layer fails has no rows.
    paths
        A path, or several, with ``*`` for any part, also of several folders: ``etc/os-release``,
        ``etc/*.conf``, ``*/requirements.txt``. A leading slash may be there.
    max_file_bytes
        Of larger files the text is cut to so much. Files of more than 64 MiB have no text, unless
        this is more. [bytes]
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
    most = max(_MOST_OF_LAYER, max_file_bytes)

    def tell(body: bytes) -> Told:
        return _told(body, max_file_bytes, is_hashed=hash)

    with calling(client, errors, progress) as call:
        layers = frame_of_images(call, LAYERS.name, what, wanted, source, partial=partial)
        images, told = _images(call, layers, is_wanted, most, tell)
        found = list(_found(call, images, is_wanted))
        left = {place: None for *_, place in found if place not in told}
        told |= _contents(call, images, left, most, tell)
        rows = (_row(call, *one, told[one[-1]]) for one in found if one[-1] in told)
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
        layers = frame_of_images(call, LAYERS.name, named, wanted, "auto", partial=False)
        images, told = _images(call, layers, _reader_of(path), max_bytes, bytes)
        if not images:
            raise NotFoundError(f"{named} has no layers")
        _, digests, files = images[0]
        try:
            entry = files.follow(path)
        except NotFoundError as error:
            raise NotFoundError(f"{named}: {error}") from None
        if files.kind(entry) != "file":
            raise PayloadError(f"{named}: {path} is no file but a {files.kind(entry)}")
        if files.size(entry) > max_bytes:
            raise PayloadError(
                f"{named}: {path} has {files.size(entry):,} bytes, more than max_bytes allows"
            )
        place = digests[entry.position], entry.path
        if place not in told:
            told |= _contents(call, images[:1], [place], max_bytes, bytes)
        body = told.get(place)
        if body is None:
            raise PayloadError(f"{named}: {path} has holes, which are not read")
        return body


def _reader_of(paths: str | Iterable[str]) -> Callable[[str], bool]:
    given = [paths] if isinstance(paths, str) else list(paths)
    if not given or not all(isinstance(one, str) and one for one in given):
        raise ValueError("paths must be a path, or several: etc/os-release, etc/*.conf")
    patterns = "|".join(translate(normpath(one).lstrip("/")) for one in given)
    found = re.compile(patterns)
    return lambda path: found.match(path) is not None


def _images(
    call: Call,
    layers: pd.DataFrame,
    is_wanted: Callable[[str], bool],
    most: int,
    tell: Callable[[bytes], Read],
) -> tuple[list[Image], dict[Place, Read | None]]:
    """Read the lists of files of layers, and what is wanted of those that are downloaded."""

    def read(archive: Archive) -> tuple[Layer, dict[str, Read]]:
        bodies = ((path, body) for path, body in archive.bodies.items() if is_wanted(path))
        return Layer(archive.listing), {path: tell(body) for path, body in bodies}

    found = read_layers(call, layers, _CAPS, read, keep=lambda _: _keeping(is_wanted, most))
    order = [*_KEY, "layer_digest", "is_empty"]
    by_image: dict[tuple[Any, ...], list[tuple[str, bool]]] = {}
    for *key, digest, is_empty in plain_values(layers[order]).itertuples(index=False, name=None):
        by_image.setdefault(tuple(key), []).append((digest, bool(is_empty)))
    images: list[Image] = []
    told: dict[Place, Read | None] = {}
    for image, held in by_image.items():
        own = [
            (Layer(Listing()), {}) if is_empty else found.get(digest) for digest, is_empty in held
        ]
        if None in own:
            continue
        digests = [digest for digest, _ in held]
        images.append((image, digests, FileSystem([one[0] for one in own if one])))
        for digest, one in zip(digests, own, strict=True):
            contents = one[1] if one else {}
            told |= {(digest, path): content for path, content in contents.items()}
    return images, told


def _keeping(is_wanted: Callable[[str], bool], most: int) -> Keep:
    """Return what tells which contents of one layer to keep: of all together so many bytes."""
    left = most

    def keep(path: str, size: int) -> bool:
        nonlocal left
        is_kept = size <= left and is_wanted(path)
        left -= size if is_kept else 0
        return is_kept

    return keep


def _found(
    call: Call, images: Iterable[Image], is_wanted: Callable[[str], bool]
) -> Iterator[tuple[tuple[Any, ...], FileSystem, Entry, str, Entry, Place]]:
    """Yield the files that are wanted: the entry with its layer, and the one with its content."""
    for key, digests, files in images:
        for entry in files.match(is_wanted):
            if files.kind(entry) not in _FILES:
                continue
            digest = digests[entry.position]
            try:
                content = files.content_of(entry)
            except NotFoundError as error:
                call.leave_out(f"{entry.path} of the layer {key[0]}@{digest}", str(error))
                continue
            yield key, files, entry, digest, content, (digests[content.position], content.path)


def _contents(
    call: Call,
    images: Iterable[Image],
    places: Iterable[Place],
    most: int,
    tell: Callable[[bytes], Read],
) -> dict[Place, Read | None]:
    """Return what is told of contents: nothing where a layer fails, None where none is read."""
    paths: dict[str, set[str]] = {}
    for digest, path in places:
        paths.setdefault(digest, set()).add(path)
    told: dict[Place, Read | None] = {}
    for digest, wanted in paths.items():
        kept = call.client.layer_files.get_files(digest, wanted)
        told |= {(digest, path): tell(body) for path, body in kept.items()}
        wanted.difference_update(kept)
    rows = [
        (key[0], digest) for key, digests, _ in images for digest in digests if paths.get(digest)
    ]
    layers = pd.DataFrame(rows, columns=["repo", "layer_digest"], dtype="str")
    layers = layers.assign(media_type=None, size=None, is_empty=False)

    def read(archive: Archive) -> dict[str, Read]:
        return {path: tell(body) for path, body in archive.bodies.items()}

    def keep(digest: str) -> Keep:
        return _keeping(paths[digest].__contains__, most)

    for digest, found in read_layers(call, layers, _CAPS, read, keep=keep, is_anew=True).items():
        told |= {(digest, path): found.get(path) for path in paths[digest]}
    return told


def _told(body: bytes, most: int, *, is_hashed: bool) -> Told:
    made = hashlib.sha256(body).hexdigest() if is_hashed else None
    is_truncated = len(body) > most
    try:
        # A letter that is cut in two is not there.
        text = body[:most].decode("utf-8", "ignore" if is_truncated else "strict")
    except UnicodeDecodeError:
        text = None
    return Told(len(body), made, text, is_truncated)


def _row(
    call: Call,
    key: tuple[Any, ...],
    files: FileSystem,
    entry: Entry,
    digest: str,
    content: Entry,
    place: Place,
    told: Told | None,
) -> tuple[Any, ...]:
    if told is None:
        words = f"not read: of more than {_MOST_OF_LAYER:,} bytes, or with holes"
        call.leave_out(f"{content.path} of the layer {key[0]}@{place[0]}", words)
        told = Told(files.size(content), None, None, is_truncated=True)
    size, *rest = told
    return (*key, entry.position, digest, entry.path, size, files.mode(entry), *rest)

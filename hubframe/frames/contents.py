"""Files of images, as they are in the end. This downloads the layers that hold them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from fnmatch import translate
from posixpath import normpath
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from hubframe.errors import NotFoundError, PayloadError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.files import MOST_BYTES, MOST_ENTRIES, layers_of_images, read_layers
from hubframe.frames.images import frame_of_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, check_count, read_wanted
from hubframe.oci.archives import Archive, Caps, Keep, Listing
from hubframe.oci.contents.filesystem import Entry, FileSystem, Layer
from hubframe.tables import CONTENTS, LAYERS
from hubframe.wire.client import Client

Read = TypeVar("Read")
# An image: its key, the digests of its layers, base first, and its files.
Image = tuple[tuple[Any, ...], list[str], FileSystem]
# Where a content is: the digest of the layer, and the path in it.
Place = tuple[str, str]
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


class Found(NamedTuple):
    """A file that is wanted, and where its content is: a hard link has that of another."""

    key: tuple[Any, ...]  # the first columns of its row
    mode: str | None
    place: Place
    size: int

    @property
    def path(self) -> str:
        """The path that was asked for."""
        return str(self.key[-1])


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
        ``etc/*.conf``, ``*/requirements.txt``. A leading slash may be there. A path as it stands is
        followed through links, as `read_file` does; of what ``*`` finds links are no files.
    max_file_bytes
        Of larger files the text is cut to so much. Files of more than 64 MiB have no text, unless
        this is more. [bytes]
    hash
        Whether the files' sha256 is wanted.

    Returns
    -------
    DataFrame
        The table `contents`, a row per file, by path. Of a path that leads through links, layer and
        mode are those of the file. `NoMatchWarning` names paths that no image has.
    """
    check_count("max_file_bytes", max_file_bytes)
    patterns = _read_paths(paths)
    is_wanted = _any_of(patterns)
    wanted = read_wanted(tags, newest, platform)
    most = max(_MOST_OF_LAYER, max_file_bytes)

    def tell(body: bytes) -> Told:
        return _told(body, max_file_bytes, is_hashed=hash)

    with calling(client, errors, progress) as call:
        layers = frame_of_images(call, LAYERS.name, what, wanted, source, partial=partial)
        found, told, has_images = list[Found](), dict[Place, Told | None](), False
        for image, of_image in _images(call, layers, is_wanted, most, tell):
            found += _found(call, image, is_wanted, patterns)
            told |= of_image
            has_images = True
        if has_images:
            call.files.note(patterns, list({one.path for one in found}), ())
        left = {one.place: one.key[0] for one in found if one.place not in told}
        told |= _contents(call, left, most, tell)
        rows = (_row(call, one, told[one.place]) for one in found if one.place in told)
        return call.finish(CONTENTS.from_rows(rows), CONTENTS.name)


def read_file(
    ref: str,
    path: str,
    *,
    platform: str = USUAL_PLATFORM,
    max_bytes: int = _MOST_FILE,
    client: Client | None = None,
) -> bytes:
    """Return a file of an image. This downloads layers.

    Parameters
    ----------
    ref, platform, client
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
    is_wanted = _any_of(_read_paths(path))
    (asked,) = references(ref)
    named = asked if asked.digest else asked.at(tag=asked.target)
    wanted = read_wanted(None, None, platform)
    with calling(client) as call:
        layers = frame_of_images(call, LAYERS.name, named, wanted, "auto", partial=False)
        images = list(_images(call, layers, is_wanted, max_bytes, bytes))
        if not images:
            raise NotFoundError(f"{named} has no layers")
        ((repo, *_), digests, files), told = images[0]
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
            told |= _contents(call, {place: repo}, max_bytes, bytes)
        body = told.get(place)
        if body is None:
            raise PayloadError(f"{named}: {path} has holes, which are not read")
        return body


def _read_paths(paths: str | Iterable[str]) -> dict[str, Callable[[str], Any]]:
    """Return what tells whether a path is one of those that are wanted, by each as it is given."""
    given = [paths] if isinstance(paths, str) or not isinstance(paths, Iterable) else [*paths]
    if not given or not all(isinstance(one, str) and one for one in given):
        raise ValueError("paths must be a path, or several: etc/os-release, etc/*.conf")
    return {one: re.compile(_pattern(one)).match for one in given}


def _from_root(path: str) -> str:
    return normpath(f"/{path}").lstrip("/")


def _pattern(path: str) -> str:
    """Return an expression for paths; names may hold what stands for others: ``pages/[id].js``."""
    own = _from_root(path)
    # As elsewhere, no folder is among those of ``**/``.
    forms = dict.fromkeys((own, own.replace("**/", "")))
    return "|".join((*map(translate, forms), rf"{re.escape(own)}\Z"))


def _any_of(paths: Iterable[str]) -> Callable[[str], bool]:
    found = re.compile("|".join(map(_pattern, paths)))
    return lambda path: found.match(path) is not None


def _images(
    call: Call,
    layers: pd.DataFrame,
    is_wanted: Callable[[str], bool],
    most: int,
    tell: Callable[[bytes], Read],
) -> Iterator[tuple[Image, dict[Place, Read | None]]]:
    """Read the lists of files of images, and what is wanted of those that are downloaded."""

    def read(archive: Archive) -> tuple[Layer, dict[str, Read]]:
        bodies = ((path, body) for path, body in archive.bodies.items() if is_wanted(path))
        return Layer(archive.listing), {path: tell(body) for path, body in bodies}

    nothing = Layer(Listing()), dict[str, Read]()
    images = layers_of_images(
        call, layers, _CAPS, read, nothing, keep=lambda _: _keeping(is_wanted, most)
    )
    for key, digests, own in images:
        told: dict[Place, Read | None] = {
            (digest, path): content
            for digest, (_, contents) in zip(digests, own, strict=True)
            for path, content in contents.items()
        }
        yield (key, digests, FileSystem([layer for layer, _ in own])), told


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
    call: Call, image: Image, is_wanted: Callable[[str], bool], paths: Iterable[str]
) -> Iterator[Found]:
    """Yield the files of an image that are wanted, by path."""
    key, digests, files = image
    found: dict[str, tuple[Entry, Entry]] = {}  # by its path a file, and where its content is
    for entry in files.match(is_wanted):
        if files.kind(entry) not in _FILES:
            continue
        try:
            found[entry.path] = entry, files.content_of(entry)
        except NotFoundError as error:
            layer = f"{key[0]}@{digests[entry.position]}"
            call.leave_out(f"{entry.path} of the layer {layer}", str(error))
    for path in map(_from_root, paths):
        with suppress(NotFoundError):
            entry = files.follow(path)
            found.setdefault(path, (entry, entry))
    for path, (entry, content) in sorted(found.items()):
        if files.kind(content) == "file":
            yield Found(
                (*key, entry.position, digests[entry.position], path),
                files.mode(entry),
                (digests[content.position], content.path),
                files.size(content),
            )


def _contents(
    call: Call, places: Mapping[Place, str], most: int, tell: Callable[[bytes], Read]
) -> dict[Place, Read | None]:
    """Return what is told of contents: nothing where a layer fails, None where none is read.

    `places` names the repository that has each.
    """
    paths: dict[str, set[str]] = {}
    for digest, path in places:
        paths.setdefault(digest, set()).add(path)
    told: dict[Place, Read | None] = {}
    for digest, wanted in paths.items():
        kept = call.client.layer_files.get_files(digest, wanted)
        told |= {(digest, path): tell(body) for path, body in kept.items()}
        wanted.difference_update(kept)
    rows = [(repo, digest) for (digest, _), repo in places.items() if paths[digest]]
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


def _row(call: Call, one: Found, told: Told | None) -> tuple[Any, ...]:
    if told is None:
        words = f"not read: of more than {_MOST_OF_LAYER:,} bytes, or with holes"
        digest, path = one.place
        call.leave_out(f"{path} of the layer {one.key[0]}@{digest}", words)
        told = Told(one.size, None, None, is_truncated=True)
    size, *rest = told
    return (*one.key, size, one.mode, *rest)

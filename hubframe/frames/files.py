"""The files within layers. This downloads layers: each is read once, as it comes, and not kept."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from hubframe.errors import HubframeError, InvalidReferenceError, PayloadError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.images import frame_of_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What
from hubframe.frames.sources import Source, check_count, read_wanted
from hubframe.oci.archives import Archive, Caps, Held, Keep, Listing
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables import FILES, LAYERS
from hubframe.tables.declarations import OF_IMAGE
from hubframe.tables.schema import plain_values
from hubframe.wire.client import Client
from hubframe.wire.progress import Bar, bar

Read = TypeVar("Read")
# An image: its key, and its layers' digests, base first, each with whether it is empty.
_Image = tuple[tuple[Any, ...], list[tuple[str, bool]]]
_OF_LAYER = ["repo", "tag", "platform", "image_digest", "position", "layer_digest"]
# In the order of the fields of a `Listing`.
_OF_ENTRY = [column for column in FILES.columns if column.name not in (*_OF_LAYER, "entry")]
MOST_BYTES = 32 * 1024**3
MOST_ENTRIES = 2_000_000
# Layers of images are read and held together: of so many images, but of no more once these are
# of so many bytes.
_TOGETHER, _BYTES_TOGETHER = 64, 1024**3
# How often the bar tells how much has come. [seconds]
_SAID_EVERY = 0.5


def files_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    max_bytes: int = MOST_BYTES,
    max_entries: int = MOST_ENTRIES,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the files in the layers of images. This downloads the layers.

    Each distinct layer is read once, as it comes: never in memory as a whole, and nothing is
    written to disk but the list of its files, which is kept by the layer's digest, so that
    the next call asks for no layer again. What came must be what the digest says, or it counts
    for nothing. Blobs cost no pull on Docker Hub.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. A layer that fails costs its own rows.
    max_bytes
        How much one layer may be, as it comes and unpacked. [bytes]
    max_entries
        How many entries one layer may have, extended headers included; and all layers of the call
        together, since these are held in memory, with names of 128 bytes each on average.

    Returns
    -------
    DataFrame
        The table `files`: a row per entry of each layer, base first, in the archive's order. A
        layer of several images is in the rows of each.

    Raises
    ------
    DigestMismatchError
        What came is not what the layer's digest says.
    PayloadError
        A layer is no archive, is cut off, lies elsewhere (foreign), or is more than was allowed.
    HubframeError
        Something else went wrong, see `layers_df`; zstd takes the extra ``files``.
    """
    check_count("max_bytes", max_bytes)
    check_count("max_entries", max_entries)
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        layers = frame_of_images(call, LAYERS.name, what, wanted, source, partial=partial)
        caps = Caps(max_bytes, max_entries)
        listings = read_layers(call, layers, caps, attrgetter("listing"))
        return call.finish(_frame(layers, listings), FILES.name)


class Layer(NamedTuple):
    """A layer, and where it is asked for."""

    repo: str
    layer_digest: str
    media_type: str | None
    size: int | None

    def __str__(self) -> str:
        return f"{self.repo}@{self.layer_digest}"

    @property
    def repository(self) -> ImageReference:
        """Where it lies; read when it is asked for, so that a bad one costs its own row."""
        if not isinstance(self.repo, str):
            raise InvalidReferenceError("the column repo holds a null: expected a repository")
        return ImageReference.parse(self.repo)

    @property
    def is_elsewhere(self) -> bool:
        """Whether its media type says that no registry has it."""
        media_type = self.media_type or ""
        return "foreign" in media_type or "nondistributable" in media_type

    @property
    def fault(self) -> str | None:
        """Why it cannot be read; null where it can."""
        media_type = self.media_type or ""
        if not DIGEST.fullmatch(self.layer_digest):
            return "it is named by what is no digest"
        if self.is_elsewhere:
            return "it lies elsewhere, and not in the registry"
        if media_type.endswith("encrypted"):
            return "it is encrypted"
        if media_type and not media_type.endswith((".tar", "gzip", "zstd")):
            return f"it is no layer of files, but {media_type[:80]}"
        return None


def read_layers(
    call: Call,
    layers: pd.DataFrame,
    caps: Caps,
    read: Callable[[Archive], Read],
    *,
    keep: Callable[[str], Keep] | None = None,
    is_anew: bool = False,
) -> dict[str, Read]:
    """Read the distinct layers, many at once, and return what `read` makes of each, by digest.

    `keep` tells which contents of a layer are wanted beside those that tell of packages, where it
    is read; with `is_anew` all are.
    """
    tasks = _distinct(layers)
    with bar(len(tasks), "layers", progress=call.progress) as shown:
        reading = _Reading(call, shown, caps, read, keep, is_anew=is_anew)
        reading.read(tasks)
        return reading.found


def layers_of_images(
    call: Call,
    layers: pd.DataFrame,
    caps: Caps,
    read: Callable[[Archive], Read],
    nothing: Read,
    *,
    with_bodies: bool = False,
    with_binaries: bool = False,
    keep: Callable[[str], Keep] | None = None,
) -> Iterator[tuple[tuple[Any, ...], list[str], list[Read]]]:
    """Yield images by their keys, with the digests of their layers, and what `read` makes of these.

    Each distinct layer is read once, those of some images at a time, and let go of when no other
    image has it; `nothing` stands for one that is empty. An image of which a layer is missing may
    hold anything: it is left out, and the failure recorded. Binaries are read only where they are
    wanted, and `keep` is as in `read_layers`.
    """
    images: dict[tuple[Any, ...], list[tuple[str, bool]]] = {}
    columns = [*(column.name for column in OF_IMAGE), "layer_digest", "is_empty"]
    for *key, digest, is_empty in plain_values(layers[columns]).itertuples(index=False, name=None):
        images.setdefault(tuple(key), []).append((digest, bool(is_empty)))
    last = {digest: place for place, own in enumerate(images.values()) for digest, _ in own}
    tasks = {layer.layer_digest: layer for layer in _distinct(layers)}
    how = {"with_bodies": with_bodies, "with_binaries": with_binaries}
    with bar(len(tasks), "layers", progress=call.progress) as shown:
        reading = _Reading(call, shown, caps, read, keep, **how)
        done = 0
        for some in _some_together(images.items(), tasks):
            done += len(some)
            digests = dict.fromkeys(digest for _, own in some for digest, _ in own)
            reading.read([tasks.pop(digest) for digest in digests if digest in tasks])
            for key, own in some:
                held = [nothing if is_empty else reading.found.get(name) for name, is_empty in own]
                if None not in held:
                    yield key, [name for name, _ in own], [one for one in held if one is not None]
            reading.forget(digest for digest in digests if last[digest] < done)


def _some_together(
    images: Iterable[_Image], unread: Mapping[str, Layer]
) -> Iterator[Sequence[_Image]]:
    """Yield images, some at a time, by the layers that are not read when they are asked for."""
    some, size = list[_Image](), 0
    for key, own in images:
        some.append((key, own))
        size += sum(unread[digest].size or 0 for digest, _ in own if digest in unread)
        if len(some) == _TOGETHER or size >= _BYTES_TOGETHER:
            yield some
            some, size = [], 0
    yield some


class _Reading(Generic[Read]):
    """Reads layers of a call, many at once, and has what was read until it is forgotten."""

    def __init__(
        self,
        call: Call,
        shown: Bar,
        caps: Caps,
        read: Callable[[Archive], Read],
        keep: Callable[[str], Keep] | None,
        **how: bool,
    ) -> None:
        self.found: dict[str, Read] = {}
        self._names: dict[str, str] = {}
        self._call, self._shown, self._caps, self._read = call, shown, caps, read
        self._keep, self._how = keep, how
        self._coming, self._held = _Coming(shown), Held(caps.entries)

    def read(self, layers: Sequence[Layer]) -> None:
        """Read layers; what hinders one is recorded."""
        outcomes = self._call.workers.do(self._work, layers, self._done)
        for layer, outcome in zip(layers, outcomes, strict=True):
            if not isinstance(outcome, HubframeError):
                self.found[layer.layer_digest] = outcome

    def forget(self, digests: Iterable[str]) -> None:
        """Let go of layers: others may take their room."""
        for digest in digests:
            if self.found.pop(digest, None) is not None:
                self._held.hold(self._names[digest], 0, 0)

    def _work(self, layer: Layer) -> Read:
        if layer.fault is not None:
            raise PayloadError(f"the layer {layer}: {layer.fault}")
        digest = layer.layer_digest
        name = self._names[digest] = f"the layer {layer}"
        return self._read(
            self._call.client.layer_files.fetch(
                digest,
                partial(_pieces, self._call, layer, self._coming),
                name,
                self._caps,
                self._held,
                keep=self._keep(digest) if self._keep else None,
                **self._how,
            )
        )

    def _done(self, layer: Layer, outcome: Any) -> None:
        self._shown.update()
        self._call.is_good(layer, outcome)


def missing_layers(
    client: Client, layers: pd.DataFrame, *, with_bodies: bool, with_binaries: bool = False
) -> list[Layer]:
    """Return the distinct layers that `read_layers` would download."""
    could = [one for one in _distinct(layers) if one.fault is None and not one.repository.is_local]
    kept = client.layer_files.kept(with_bodies=with_bodies, with_binaries=with_binaries)
    return [one for one in could if one.layer_digest not in kept]


def _distinct(layers: pd.DataFrame) -> list[Layer]:
    """List the distinct layers, without empty ones; those whose media type is told first."""
    full = layers[~layers["is_empty"].fillna(value=False)]
    by_type = full.sort_values("media_type", na_position="last", kind="stable")
    return rows_as_layers(by_type.drop_duplicates("layer_digest").sort_index())


def rows_as_layers(layers: pd.DataFrame) -> list[Layer]:
    """Read the rows of a frame of layers."""
    known = layers[[*Layer._fields]].astype(object)
    return [
        Layer(repo, digest, media_type, None if size is None else int(size))
        for repo, digest, media_type, size in known.where(known.notna(), None).to_numpy()
    ]


def _pieces(call: Call, layer: Layer, coming: "_Coming") -> Iterator[bytes]:
    """Download a layer."""
    repository = layer.repository
    call.asks([repository])
    yield from coming.counted(call.client.source(repository).blob(repository, layer.layer_digest))


class _Coming:
    """How much has come, for the bar: a layer may take minutes."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._lock = threading.Lock()
        self._bytes = 0
        self._said_at = time.monotonic()

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Count what comes."""
        for piece in pieces:
            self._count(len(piece))
            yield piece

    def _count(self, size: int) -> None:
        with self._lock:
            self._bytes += size
            if time.monotonic() - self._said_at > _SAID_EVERY:
                self._said_at = time.monotonic()
                self._bar.set_postfix_str(f"{self._bytes / 1e6:,.0f} MB")


def _frame(layers: pd.DataFrame, listings: Mapping[str, Listing]) -> pd.DataFrame:
    """Put the files of each layer where the layer stands."""
    made = {digest: _files(listing) for digest, listing in listings.items()}
    held = layers[layers["layer_digest"].isin(listings.keys())]
    parts = [made[digest] for digest in held["layer_digest"]]
    if not parts:
        return FILES.frame()
    counts = [len(part) for part in parts]
    at = np.repeat(np.arange(len(held)), counts)
    files = pd.concat(parts, ignore_index=True)
    return FILES.of(
        {
            **{name: held[name].take(at).array for name in _OF_LAYER},
            **{str(name): files[name].array for name in files},
        }
    )


def _files(listing: Listing) -> pd.DataFrame:
    """Make the columns of one layer."""
    at = [np.iinfo(np.int64).min if at is None else at for at in listing.modified]
    moments = pd.DatetimeIndex(np.array(at, dtype=np.int64).view("datetime64[us]"), tz="UTC")
    built = {
        column.name: pd.Series(moments) if column.name == "modified_at" else column.series(values)
        for column, values in zip(_OF_ENTRY, vars(listing).values(), strict=True)
    }
    built["entry"] = pd.Series(np.arange(len(listing)), dtype="Int64")
    return pd.DataFrame(built)

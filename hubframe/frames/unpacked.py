"""What layers take when they are unpacked, told by their last four bytes."""

from functools import partial
from typing import Any

import pandas as pd

from hubframe.errors import NotFoundError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.files import Layer, rows_as_layers
from hubframe.oci.reference import DIGEST
from hubframe.tables import LAYERS
from hubframe.tables.measured import UNPACKED_SIZES
from hubframe.wire.client import Client

TRAILER, PLAIN = "gzip trailer", "not packed"
# The trailer counts modulo this. [bytes]
_WRAPS = 2**32
# What packing adds at most to what cannot be packed: five bytes for each 32 KiB, and the frame.
_OVERHEAD = 1 + 5 / 32_768
_FRAME = 1024
_MAGIC = b"\x1f\x8b"


def unpacked_sizes_df(
    layers: pd.DataFrame,
    *,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Tell what layers take when they are unpacked. This asks the registry, for each layer.

    A gzip file ends with the size of what it holds, modulo 4 GiB (RFC 1952), so four bytes tell it
    without a download; blobs cost no pull on Docker Hub. The answers are not kept.

    Parameters
    ----------
    layers
        The `tables.LAYERS` frame. The Hub's API tells no media types: for layers without one the
        first bytes are asked for too.
    errors, progress, client
        See `hubframe.layers_df`.

    Returns
    -------
    pandas.DataFrame
        The table `unpacked_sizes`: a row per distinct layer, by repository and digest; of several
        repositories the first by name is asked. ``unpacked_size`` is null where it cannot be told,
        and ``reason`` says why: zstd, layers that lie elsewhere (foreign), packed sizes of 4 GiB
        and more or not known, registries that do not send such a part, and trailers that tell less
        than is packed, as those of files with several members do (eStargz). Such a file, or one of
        more than 4 GiB, that packs very well is not seen, and has too small a size.
    """
    columns = [*Layer._fields]
    LAYERS.require(layers, columns)
    distinct = layers[columns].sort_values(columns, na_position="last")
    distinct = distinct.drop_duplicates("layer_digest").sort_values(["repo", "layer_digest"])
    with calling(client, errors, progress) as call:
        tasks = rows_as_layers(distinct)
        told = call.results(partial(_told, call), tasks, "layers")
        records = [{**layer._asdict(), **answer} for layer, answer in told]
        return call.finish(UNPACKED_SIZES.from_records(records), UNPACKED_SIZES.name)


def _told(call: Call, layer: Layer) -> dict[str, Any]:
    """Return what there is to say of a layer."""
    call.asks([layer.repository])
    reason = _untold(layer)
    if reason:
        return {"reason": reason}
    if layer.media_type is not None and layer.media_type.endswith(".tar"):
        return {"unpacked_size": layer.size, "method": PLAIN}
    size = layer.size or 0
    if layer.media_type is None:
        head = _part(call, layer, 0, len(_MAGIC))
        if head is not None and head != _MAGIC:
            return {"reason": "not packed with gzip"}
    tail = _part(call, layer, size - 4, 4)
    if tail is None:
        return {"reason": "the registry sends no such part of it"}
    unpacked = int.from_bytes(tail, "little")
    if unpacked * _OVERHEAD + _FRAME < size:
        return {"reason": "less than is packed: several members, or more than 4 GiB"}
    return {"unpacked_size": unpacked, "method": TRAILER}


def _untold(layer: Layer) -> str | None:
    """Say why there is nothing to ask for; null where there is."""
    media_type, size = layer.media_type or "", layer.size
    if layer.is_elsewhere:
        return "lies elsewhere"
    if "zstd" in media_type:
        return "packed with zstd"
    if media_type and not media_type.endswith((".tar", "gzip")):
        return "no layer of files"
    if not DIGEST.fullmatch(layer.layer_digest) or size is None:
        return "its size is not known"
    if size >= _WRAPS:
        return "packed, 4 GiB or more"
    return None if size > len(_MAGIC) + 4 or media_type.endswith(".tar") else "too short"


def _part(call: Call, layer: Layer, start: int, count: int) -> bytes | None:
    repository = layer.repository
    registry = call.client.source(repository)
    try:
        return registry.part(repository, layer.layer_digest, start, count)
    except NotFoundError:
        if call.client.settings.sample:  # it tells of more layers than it holds
            return None
        raise

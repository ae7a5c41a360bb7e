"""Bills of materials that are attached to images, or lie in them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Literal, get_args

import pandas as pd

from hubframe.errors import NotFoundError, PayloadError
from hubframe.frames import attached, quota, sources
from hubframe.frames.attached import SBOMS as KIND
from hubframe.frames.attached import Attached, documents_of
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.files import MOST_BYTES, MOST_ENTRIES
from hubframe.frames.images import frame_of_images, rows_of_documents
from hubframe.frames.packages import images_of, read_caps
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, read_wanted
from hubframe.oci.archives import Caps
from hubframe.oci.contents import sboms, statements
from hubframe.oci.contents.databases import KINDS, SBOM
from hubframe.tables import LAYERS, SBOMS
from hubframe.tables.declarations import OF_IMAGE
from hubframe.wire.client import Client

Rows = Iterator[Mapping[str, Any]]
Where = Literal["sbom", "layers", "both"]
_OTHERS = KINDS - {SBOM}


def sboms_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    evidence: Where = "sbom",
    source: Source = "auto",
    partial: bool = False,
    max_bytes: int = MOST_BYTES,
    max_entries: int = MOST_ENTRIES,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the bills of materials (SBOMs) that are attached to images, or lie in them.

    Parameters
    ----------
    what, tags, newest, platform, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know what is attached.
    attestations
        Whether to list those that BuildKit wrote of other stages of the build, too.
    evidence
        ``"sbom"`` lists what is attached, with which no layer is downloaded; ``"layers"`` the
        files that lie in the image, as Bitnami and Wolfi put them there; ``"both"`` both. Layers
        are read as `packages_df` reads them, each once for both.
    max_bytes, max_entries
        See `files_df`.

    Returns
    -------
    DataFrame
        The table `sboms`, one row per document.

    Notes
    -----
    Files in the image are those whose names end in ``.spdx``, ``.spdx.json``, ``.cdx``,
    ``.cdx.json``, ``.sbom``, ``.sbom.json`` or ``.syft.json``, in its final file system. What is
    not in JSON has a row, and is not read: ``frame.attrs["hubframe"]["failures"]`` says so.
    """
    if evidence not in get_args(Where):
        raise ValueError(f"evidence must be sbom, layers or both, not {evidence!r}")
    caps = read_caps(max_bytes, max_entries)
    with calling(client, errors, progress) as call:
        rows: list[Iterable[Mapping[str, Any]]] = []
        if evidence != "layers":
            wanted = read_wanted(tags, newest, platform, attestations=attestations)
            rows.append(
                rows_of_documents(
                    call, SBOMS, what, wanted, source, lambda one: _rows(call, one), partial=partial
                )
            )
        if evidence != "sbom":
            wanted = read_wanted(tags, newest, platform)
            layers = frame_of_images(call, LAYERS.name, what, wanted, source, partial=partial)
            rows.append(_rows_of_files(call, layers, caps))
        return call.finish(SBOMS.from_records(chain.from_iterable(rows)), SBOMS.name)


def _rows_of_files(call: Call, layers: pd.DataFrame, caps: Caps) -> Rows:
    """Make rows of the documents that lie in images."""
    for key, _, contents in images_of(call, layers, caps, _OTHERS):
        for path, document in contents.documents:
            yield {
                **dict(zip((column.name for column in OF_IMAGE), key, strict=True)),
                **document.about,
                "digest": document.digest,
                "size": document.size,
                "where": "in the image",
                "path": path,
            }


def _rows(call: Call, one: Attached) -> Rows:
    row: dict[str, Any] = {
        "referrer_digest": one.referrer.descriptor["digest"],
        "format": sboms.format_of(one.media_type),
        "media_type": one.media_type,
        "size": len(one.body),
        "is_signed": False,
        "where": "cosign tag" if one.referrer.where.startswith(".") else one.referrer.where,
    }
    what = f"the document {one}"
    if statements.holds_statement(one.media_type):
        stated = one.statement
        row["format"] = stated and sboms.format_of_predicate(stated.predicate_type)
        if stated is None or row["format"] is None:
            return
        row |= {"predicate_type": stated.predicate_type, "is_signed": stated.is_signed}
        if words := attached.differs(one, stated):
            call.leave_out(one, words)
    try:
        read = sboms.read(sboms.document(one.body, what), what)
    except PayloadError as error:
        # It is there, all the same.
        call.leave_out(one, str(error))
    else:
        row |= read._asdict()
    yield row


def sbom(
    ref: str, *, platform: str | None = None, client: Client | None = None
) -> Mapping[str, Any]:
    """Return the bill of materials (SBOM) of an image: the first one that is attached to it.

    Parameters
    ----------
    ref
        A reference.
    platform
        Which image of a tag, ``linux/arm64``; None for linux/amd64.
    client
        See `layers_df`.

    Returns
    -------
    dict
        The document as it is written, without the statement that it may be wrapped in.

    Raises
    ------
    NotFoundError
        None is attached.
    PayloadError
        It is not in JSON.
    """
    (reference,) = references(ref)
    wanted = read_wanted(None, None, platform or USUAL_PLATFORM)
    with calling(client) as call:
        found = sources.find_tags(call, [reference], wanted, "auto")
        quota.guard(call, SBOMS.name, found, wanted, "auto", partial=False)
        for one in documents_of(call, KIND, found, wanted):
            what = f"the document {one}"
            document = sboms.document(one.body, what)
            try:
                sboms.read(document, what)
            except PayloadError:
                continue
            return document
    raise NotFoundError(f"{reference}: no bill of materials is attached to it")

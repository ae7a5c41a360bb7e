"""Bills of materials that are attached to images."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from hubframe.errors import NotFoundError, PayloadError
from hubframe.frames import attached, quota, sources
from hubframe.frames.attached import SBOMS as KIND
from hubframe.frames.attached import Attached, documents_of
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.images import frame_of_documents
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, read_wanted
from hubframe.oci.contents import sboms, statements
from hubframe.tables import SBOMS
from hubframe.wire.client import Client


def sboms_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the bills of materials (SBOMs) that are attached to images.

    Parameters
    ----------
    what, tags, newest, platform, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know them.
    attestations
        Whether to list those that BuildKit wrote of other stages of the build, too.

    Returns
    -------
    DataFrame
        The table `sboms`, one row per document.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    with calling(client, errors, progress) as call:
        return frame_of_documents(
            call, SBOMS, what, wanted, source, lambda one: _rows(call, one), partial=partial
        )


def _rows(call: Call, one: Attached) -> Iterator[Mapping[str, Any]]:
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

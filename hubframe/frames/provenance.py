"""How images were built, as is attested of them: provenance, materials and Dockerfiles."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.frames.attached import Attached
from hubframe.frames.call import Errors, calling
from hubframe.frames.images import frame_of_documents, frame_of_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What
from hubframe.frames.sources import Source, read_wanted
from hubframe.oci.contents import provenance
from hubframe.oci.contents.provenance import Material
from hubframe.oci.contents.statements import Statement
from hubframe.oci.payload import as_json
from hubframe.readers.references.dockerfiles import find_base
from hubframe.readers.references.found import parsed
from hubframe.tables import DOCKERFILES, HISTORY, MATERIALS, PROVENANCE
from hubframe.tables.schema import TEXT, Column, plain_records
from hubframe.wire.client import Client

Rows = Iterator[Mapping[str, Any]]
_BUILD_ARGS = Column("build_args", TEXT, "Build arguments, as JSON.")


def provenance_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    build_args: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Tell how images were built: by whom, of what, when, as SLSA provenance says.

    What is attached to a tag's index is told, too, once for the tag; what is attached to an
    attestation is about that, and is not. Nothing is verified here: what stands in these columns
    was written by whoever could write to the repository, or signed by whom `signatures_df` names.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know it.
    build_args
        Whether to add the column ``build_args``, as JSON. They may be secrets.

    Returns
    -------
    DataFrame
        The table `provenance`, one row per document.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    args: list[str | None] = []

    def rows(document: Attached) -> Rows:
        for stated in _statement(document):
            args.append(as_json(provenance.build_args(stated.predicate)) if build_args else None)
            yield {
                **provenance.read(stated.predicate),
                "predicate_type": stated.predicate_type,
                "is_signed": stated.is_signed,
                "subject_matches": document.image in stated.subjects,
            }

    with calling(client, errors, progress) as call:
        frame = frame_of_documents(call, PROVENANCE, what, wanted, source, rows, partial=partial)
    return frame.assign(build_args=_BUILD_ARGS.series(args)) if build_args else frame


def materials_df(
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
    """List what builds took, as SLSA provenance says: images, repositories of git, downloads.

    Which of several images a build goes on from is told where the document holds the Dockerfile;
    `bases_df` finds it by their layers, too.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know it.

    Returns
    -------
    DataFrame
        The table `materials`, one row per material of each document.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)

    def rows(document: Attached) -> Rows:
        for stated in _statement(document):
            base = _base(stated.predicate, document)
            for position, one in enumerate(provenance.materials(stated.predicate)):
                yield {**one._asdict(), "position": position, "is_base": _is_base(one, base)}

    with calling(client, errors, progress) as call:
        return frame_of_documents(call, MATERIALS, what, wanted, source, rows, partial=partial)


def dockerfiles_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Literal["provenance", "history"] = "provenance",
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Return the Dockerfiles that images were built by.

    Parameters
    ----------
    what, tags, newest, platform, attestations, partial, errors, progress, client
        See `layers_df`.
    source
        ``"provenance"``: the file itself, which BuildKit writes down with the mode ``max``.
        ``"history"``: the steps of the image's history, which every image has: its bases and
        other stages cannot be told from it.

    Returns
    -------
    DataFrame
        The table `dockerfiles`, one row per file.
    """
    if source not in ("provenance", "history"):
        raise ValueError(f'source must be "provenance" or "history", not {source!r}')
    wanted = read_wanted(tags, newest, platform, attestations=attestations)

    def rows(document: Attached) -> Rows:
        for stated in _statement(document):
            found = provenance.dockerfiles(stated.predicate, document)
            chosen = provenance.choices(stated.predicate)
            for position, one in enumerate(found):
                base = _pinned(find_base(one.text, *chosen), stated.predicate)
                yield {**one._asdict(), "position": position, "source": source, "base": base}

    with calling(client, errors, progress) as call:
        if source == "provenance":
            return frame_of_documents(
                call, DOCKERFILES, what, wanted, "auto", rows, partial=partial
            )
        history = frame_of_images(call, HISTORY.name, what, wanted, "auto", partial=partial)
        key = ["repo", "tag", "platform", "image_digest"]
        records = []
        for _, steps in history.groupby(key, sort=False, dropna=False):
            lines = "".join(f"{line}\n" for line in steps["instruction"].dropna())
            one = provenance.dockerfile(None, lines.encode())
            records.append(
                {
                    **plain_records(steps[key].head(1))[0],
                    **one._asdict(),
                    "position": 0,
                    "source": source,
                }
            )
        return call.finish(DOCKERFILES.from_records(records), DOCKERFILES.name)


def _base(predicate: Any, document: Attached) -> Material | None:
    """Return the image that a build goes on from, where its Dockerfile is told and names it."""
    chosen = provenance.choices(predicate)
    # A file that cannot be read tells nothing; `dockerfiles_df` says so.
    with suppress(PayloadError):
        files = provenance.dockerfiles(predicate, document)
        bases = {find_base(one.text, *chosen) for one in files}
        if len(bases) == 1:
            return next(_named(bases.pop(), predicate), None)
    return None


def _is_base(one: Material, base: Material | None) -> bool | None:
    """Tell whether a material is the base; None where another image may be."""
    if one.kind != "image" or one.is_frontend:
        return False
    return None if base is None else one == base


def _pinned(base: str | None, predicate: Any) -> str | None:
    """Add the digest that an image of a build had by the document, if it had one."""
    digests = {one.material_digest for one in _named(base, predicate) if one.material_digest}
    is_pinned = base is None or "@" in base
    return base if is_pinned or len(digests) != 1 else f"{base}@{digests.pop()}"


def _named(base: str | None, predicate: Any) -> Iterator[Material]:
    """Yield the materials of a build that a base names."""
    named = parsed(base) if base else None
    for one in provenance.materials(predicate) if named else ():
        if named and (one.material_repo, one.material_tag) == (named.repo, named.tag):
            yield one


def _statement(document: Attached) -> Iterator[Statement]:
    """Yield the statement that a document is, if it is about a build."""
    stated = document.statement
    if stated and (stated.predicate_type or "").startswith(provenance.PREDICATE):
        yield stated

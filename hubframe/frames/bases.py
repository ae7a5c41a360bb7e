"""What images are built on: what they say of it, fetched and held against layers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from hubframe.errors import InvalidReferenceError
from hubframe.frames import images as frames
from hubframe.frames.call import Errors
from hubframe.frames.provenance import dockerfiles_df, materials_df
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What
from hubframe.measure import bases as measured
from hubframe.measure.bases import DOCKERFILE, EVIDENCE, PROVENANCE, Base
from hubframe.measure.images import plain_rows
from hubframe.oci.reference import ImageReference, is_loopback
from hubframe.readers.builds import read_builds
from hubframe.tables import IMAGES, LAYERS
from hubframe.tables.measured import BASES
from hubframe.tables.schema import joined_attrs
from hubframe.wire.client import Client


def bases_df(
    what: What,
    *,
    layers: pd.DataFrame | None = None,
    evidence: str | Iterable[str] = "all",
    official: str | Path | None = None,
    history: pd.DataFrame | None = None,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    partial: bool = False,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Tell what images are built on, by what evidence, and whether that is outdated.

    An image may say what it is built on, in annotations or labels; that is held against the layers
    of that base, which must be the image's first ones. On Docker Hub this costs a pull for each
    distinct image, each distinct base, and each attestation, once; without ``provenance`` and
    ``dockerfile`` in `evidence` none for attestations.

    Parameters
    ----------
    what, tags, newest, platform, partial, errors, progress, client
        See `layers_df`. A base that cannot be had is a failure that does not end the call.
    layers
        The `layers` frame of images that may be bases though nothing says so, as `parents_df`
        finds them; None leaves out the evidence ``layers``.
    evidence
        ``"all"``, or some of ``annotation``, ``label``, ``provenance`` (the images that went into
        the build, of which the base is that whose layers come first), ``dockerfile`` (the last
        ``FROM`` of the Dockerfile that provenance holds), ``official`` and ``layers``.
    official
        A file ``builds.json`` of https://github.com/docker-library/meta, which tells what Docker's
        official images were built on; None leaves out that evidence.
    history
        What the tags of bases had, and when, for ``outdated_at_build``: a frame with ``repo``,
        ``tag``, ``digest`` and either ``started_at`` and ``ended_at``, or ``first_seen_at`` and
        ``last_seen_at``, as `tag_moves_df` makes it. None leaves that column null.

    Returns
    -------
    DataFrame
        The table `bases`, a row for each image and evidence. ``confidence`` is ``proved`` where
        the layers of the digest that was told are the image's first; ``likely`` where those of
        another image are, or of what the tag is now; ``told`` where nothing could be held against
        it; ``told but wrong`` where the layers are others. Of the images that went into a build
        those with other layers have no row.

    Notes
    -----
    The annotations are those of the OCI's image specification; the label
    ``io.buildpacks.lifecycle.metadata`` is that of Cloud Native Buildpacks. Whether a base was
    outdated when the image was built, hardly a registry tells: of its own observations, `snapshot`
    keeps a history. An image was built when its config says so. One of a single layer may hold all
    of its base's put together, so its layers contradict nothing; and a label may be inherited from
    the base, and tell the base of that.
    """
    wanted = _read_evidence(evidence)
    if history is not None:
        measured.check_history(history)
    how: dict[str, Any] = {"source": "registry", "progress": progress, "client": client}
    asked: dict[str, Any] = {
        "tags": tags,
        "newest": newest,
        "platform": platform,
        "partial": partial,
    }
    labels = frames.labels_df(what, **asked, errors=errors, **how)
    own = frames.layers_df(what, **asked, errors=errors, **how)
    # Both are read of the same documents, which are fetched once.
    materials = dockerfiles = None
    if PROVENANCE in wanted:
        materials = materials_df(what, **asked, errors=errors, **how)
    if DOCKERFILE in wanted:
        dockerfiles = dockerfiles_df(what, **asked, errors=errors, progress=progress, client=client)
    builds = read_builds(official) if official and measured.OFFICIAL in wanted else ()
    stated = measured.stated_bases(labels, materials, builds, own, dockerfiles)
    stated = stated[stated["evidence"].isin(wanted)]
    names = ["base_repo", "base_tag", "base_digest"]
    references = dict.fromkeys(
        one
        for repo, *row in plain_rows(stated[["repo", *names]])
        for one in Base(*row).references
        if _may_be_asked(one, repo)
    )
    platforms = list(dict.fromkeys(stated["platform"].dropna()))
    base_images, base_layers = IMAGES.frame(), LAYERS.frame()
    if references:
        of_bases = {**how, "platform": platforms or USUAL_PLATFORM, "errors": "collect"}
        base_images = frames.images_df(list(references), **of_bases)
        # What is not there is asked for, and told, once.
        lost = {one["ref"] for one in base_images.attrs["hubframe"]["failures"]}
        there = [one for one in references if str(ImageReference.parse(one)) not in lost]
        base_layers = frames.layers_df(there, **of_bases)
    others = layers if "layers" in wanted else None
    images = None
    if history is not None:
        images = frames.images_df(what, **asked, errors=errors, **how)
    found = measured.bases(
        stated, own, base_images, base_layers, others, images=images, history=history
    )
    known = [labels, own, base_images, base_layers, materials, dockerfiles]
    told = joined_attrs([frame for frame in known if frame is not None])
    found.attrs["hubframe"] = {"table": BASES.name, **told}
    return found


def _may_be_asked(base: str, repo: str) -> bool:
    """Whether a base is asked for: strangers name no file and no service of this machine."""
    try:
        named = ImageReference.parse(base)
    except InvalidReferenceError:
        return False
    is_own = named.registry == ImageReference.parse(repo).registry
    return not named.is_local and (is_own or not is_loopback(named.registry))


def _read_evidence(evidence: str | Iterable[str]) -> tuple[str, ...]:
    if evidence == "all":
        return EVIDENCE
    wanted = (evidence,) if isinstance(evidence, str) else tuple(evidence)
    if unknown := [one for one in wanted if one not in EVIDENCE]:
        raise ValueError(
            f"evidence must be all or some of {', '.join(EVIDENCE)}, not {unknown[0]!r}"
        )
    return wanted

"""A set of frames in a few figures, and whether it is all there."""

from collections.abc import Mapping, Sized
from typing import Any

import pandas as pd

from hubframe.measure.dates import dated, moments
from hubframe.measure.footprint import footprint_df
from hubframe.measure.images import USUAL_PLATFORM, identity
from hubframe.measure.layer_index import IMAGE
from hubframe.measure.names import among, names_of
from hubframe.measure.releases import pushes
from hubframe.measure.standard import source_links
from hubframe.oci.tagnames import moving, versioned
from hubframe.tables import IMAGES

Frames = Mapping[str, pd.DataFrame]
_TAG = ["repo", "tag"]


def totals(frames: Frames) -> pd.DataFrame:
    """Sum up frames that belong together.

    Parameters
    ----------
    frames
        The frames ``repos``, ``tags``, ``images`` and ``layers`` by name; others may be there.

    Returns
    -------
    pandas.DataFrame
        One row.

        - ``repo_count``, ``tag_count``: distinct ones in any frame.
        - ``image_count``: distinct images in ``images`` and ``layers``, attestations left out.
        - ``layered_image_count``, ``layer_count``: distinct images and layers in ``layers``.
        - ``size_referenced``: bytes that pulling each of these images alone would move; a layer
          that an image repeats is pulled once.
        - ``size_stored``: bytes of the distinct layers.
        - ``size_shared``: the part of ``size_referenced`` in layers that two or more images hold.
        - ``shared_share``: ``size_shared / size_referenced``; null where that is 0.
        - ``oldest_push_at``, ``newest_push_at``: of the tags; null without dates.
    """
    layers = frames["layers"]
    real = frames["images"][~frames["images"]["is_attestation"]]
    images = footprint_df(layers, by="image")
    referenced, shared = int(images["total_size"].sum()), int(images["shared_size"].sum())
    dates = pushes(frames["tags"])["pushed_at"]
    # What has no tag is of a repository, but of no tag.
    named = pd.concat([frame.reindex(columns=_TAG) for frame in frames.values()])
    figures = {
        "repo_count": named["repo"].nunique(),
        "tag_count": len(named.dropna().drop_duplicates()),
        "image_count": pd.concat([identity(real), identity(layers)]).nunique(),
        "layered_image_count": len(images),
        "layer_count": layers["layer_digest"].nunique(),
        "size_referenced": referenced,
        # A layer has one size; where registries disagree, the largest.
        "size_stored": int(layers.groupby("layer_digest")["size"].max().sum()),
        "size_shared": shared,
        "shared_share": shared / referenced if referenced else None,
        "oldest_push_at": dates.min(),
        "newest_push_at": dates.max(),
    }
    return pd.DataFrame([figures]).astype({"shared_share": "Float64"})


def overview(frames: Frames) -> pd.DataFrame:
    """List the repositories with what is known of them.

    Parameters
    ----------
    frames
        Frames by name, ``repos``, ``tags`` and ``labels`` among them.

    Returns
    -------
    pandas.DataFrame
        A row per repository in any frame, the most pulled first, then by name: ``repo``,
        ``description``, ``is_private``, ``pull_count`` and ``star_count`` as in ``repos``;
        ``tag_count``, its tags in ``tags``; ``pushed_at``, the last push of any of these, without a
        date that of the repository; ``built_at``, the last build of any of their images, where it
        is told; and ``source``, as in `hubframe.measure.source_links`.
    """
    names = pd.concat([frames["repos"]["repo"], *(frame["repo"] for frame in frames.values())])
    tags = frames["tags"].groupby("repo")
    columns = ["description", "is_private", "pull_count", "star_count", "pushed_at"]
    table = pd.DataFrame({"repo": names.drop_duplicates(ignore_index=True)})
    table = table.merge(frames["repos"][["repo", *columns]], how="left", on="repo")
    table["tag_count"] = table["repo"].map(tags.size()).fillna(0).astype("Int64")
    last_push = pushes(frames["tags"]).groupby("repo")["pushed_at"].max().reindex(table["repo"])
    table["pushed_at"] = last_push.array.fillna(table["pushed_at"].array)
    built = dated_tags(frames).groupby("repo")["built_at"].max().reindex(table["repo"])
    table["built_at"] = built.array
    table = table.merge(source_links(frames["labels"]), how="left", on="repo")
    order = ["pull_count", "repo"]
    return table.sort_values(order, ascending=[False, True], na_position="last", ignore_index=True)


def dated_tags(frames: Frames) -> pd.DataFrame:
    """List the tags, with what their images tell where the registry's list does not.

    Only Docker Hub tells sizes, platforms and pushes of tags. The images of other registries' tags
    have sizes, and say when they were built.

    Parameters
    ----------
    frames
        The frames ``tags``, ``images`` and ``configs`` by name; others may be there.

    Returns
    -------
    pandas.DataFrame
        ``tags`` with ``size`` (of the image for linux/amd64, else of the first) and
        ``platform_count`` filled; ``built_at``, the last build of any of its images, null where
        none tells; and ``dated_at``, the last push, where that is not told ``built_at``.
    """
    tags, images = frames["tags"], frames["images"]
    real = images[~images["is_attestation"] & images["tag"].notna()]
    ordered = real.assign(is_other=real["platform"] != USUAL_PLATFORM)
    of_tag = ordered.sort_values("is_other", kind="stable").groupby(_TAG, sort=False)
    of_images = pd.DataFrame(
        {"size": of_tag["size"].first(), "platforms": of_tag["platform"].nunique()}
    )
    built = pd.concat([frames["configs"], real])[[*_TAG, "created_at"]]
    of_images = of_images.join(built.groupby(_TAG)["created_at"].max(), how="outer").reset_index()
    found = tags[_TAG].merge(of_images.astype({"platforms": "Int64"}), how="left", on=_TAG)
    pushed = dated(tags["pushed_at"])
    return tags.assign(
        size=tags["size"].array.fillna(found["size"].array),
        platform_count=tags["platform_count"].array.fillna(found["platforms"].array),
        built_at=found["created_at"].array,
        dated_at=pushed.array.fillna(found["created_at"].array),
    )


def standing(tags: pd.DataFrame) -> pd.Series:
    """Tell what kind of name each tag is: what most people pull comes first.

    Parameters
    ----------
    tags
        The `tables.TAGS` frame, with all tags of its repositories.

    Returns
    -------
    pandas.Series
        ``latest``; ``moving`` for names without a version or a date, or with one that others go on
        from (``1.25`` beside ``1.25.3``); ``signature`` for those that name a digest; else ``pin``.
    """
    is_pin = among(tags, names_of(tags), lambda names: versioned(names) - moving(names))
    kinds = is_pin.map({True: "pin", False: "moving"}).astype("str")
    kinds[tags["tag"] == "latest"] = "latest"
    kinds[tags["is_digest_tag"].fillna(value=False)] = "signature"
    return kinds


def described_images(frames: Frames) -> pd.DataFrame:
    """Return the frame of the images whose labels were read.

    Parameters
    ----------
    frames
        Frames by name, ``configs`` and ``images`` among them.

    Returns
    -------
    pandas.DataFrame
        ``configs``, which has each image that was read; where there are labels alone, ``images``.
    """
    has_labels_alone = frames["configs"].empty and not frames["labels"].empty
    return frames["images"] if has_labels_alone else frames["configs"]


def platform_counts(images: pd.DataFrame) -> pd.DataFrame:
    """Count the images of each platform.

    Parameters
    ----------
    images
        The `tables.IMAGES` frame; attestations are left out.

    Returns
    -------
    pandas.DataFrame
        ``platform`` and ``image_count``, the number of distinct images, most first.
    """
    IMAGES.require(images, (*IMAGE, "is_attestation"))
    real = images[~images["is_attestation"]]
    counts = identity(real).groupby(real["platform"]).nunique().rename("image_count").reset_index()
    order = ["image_count", "platform"]
    return counts.sort_values(order, ascending=[False, True], ignore_index=True)


def provenance(frames: Frames) -> pd.DataFrame:
    """Tell where the rows of each frame came from, and whether they are all.

    Parameters
    ----------
    frames
        Frames by name; ``attrs["hubframe"]`` tells, and frames without it are not known.

    Returns
    -------
    pandas.DataFrame
        A row per frame: ``frame``, ``row_count``, ``source``, ``fetched_at``, ``complete``,
        ``requests``, ``from_cache``, ``failure_count``, ``skipped_count``, and ``scope``, what
        the frame was limited to, in words; null where not known.
    """
    counts = ("requests", "from_cache", "failures", "skipped")
    rows = [
        {
            "frame": name,
            "row_count": len(frame),
            "source": record.get("source"),
            "fetched_at": pd.to_datetime(record.get("fetched_at", ""), utc=True, errors="coerce"),
            "complete": record.get("complete"),
            # Counts, or what is counted.
            **{what: len(n) if isinstance(n := record.get(what), Sized) else n for what in counts},
            "scope": record.get("scope"),
        }
        for name, frame in frames.items()
        for record in [_record(frame)]
    ]
    dtypes = {"source": "str", "scope": "str", "complete": "boolean"}
    table = pd.DataFrame(rows).astype(dtypes | dict.fromkeys(counts, "Int64"))
    named = {"failures": "failure_count", "skipped": "skipped_count"}
    return table.assign(fetched_at=moments(table["fetched_at"])).rename(columns=named)


def _record(frame: pd.DataFrame) -> Mapping[str, Any]:
    record = frame.attrs.get("hubframe")
    return record if isinstance(record, Mapping) else {}


def is_complete(sources: pd.DataFrame) -> bool | None:
    """Tell whether all the rows are there.

    Parameters
    ----------
    sources
        What `provenance` returned.

    Returns
    -------
    bool or None
        False where a frame is known to lack rows, True where all are known to lack none, else None.
    """
    known = sources["complete"].dropna()
    if not known.all():
        return False
    return True if len(known) == len(sources) > 0 else None


def failures(frames: Frames) -> pd.DataFrame:
    """List what could not be fetched, each item once.

    Parameters
    ----------
    frames
        Frames by name, with their failures in ``attrs["hubframe"]``.

    Returns
    -------
    pandas.DataFrame
        ``ref``, ``error``, ``message`` and ``frames``, the names of the frames that lack its rows,
        joined by blanks.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for name, frame in frames.items():
        for failure in _record(frame).get("failures") or ():
            key = tuple(str(failure.get(part, "")) for part in ("ref", "error", "message"))
            found.setdefault(key, []).append(name)
    rows = [(*key, " ".join(dict.fromkeys(names))) for key, names in found.items()]
    return pd.DataFrame(rows, columns=["ref", "error", "message", "frames"], dtype="str")

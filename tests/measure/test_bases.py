"""Bases by hand: of several images that went into a build, the one whose layers come first."""

import pandas as pd

from hubframe.measure.bases import bases, outdated_bases_df, stated_bases
from hubframe.tables import IMAGES, LABELS, LAYERS, MATERIALS
from hubframe.tables.measured import BASES

IMAGE = {"repo": "org/app", "tag": "1", "platform": "linux/amd64", "image_digest": "sha256:aa"}
TOOL, BASE, OTHER = (f"sha256:{letter * 64}" for letter in "bcd")


def layers(image, *digests):
    return LAYERS.from_records(
        {**image, "position": place, "layer_digest": digest, "is_empty": False}
        for place, digest in enumerate(digests)
    )


def image_of(repo, digest, tag=None, created_at=None):
    where = {"repo": repo, "tag": tag, "platform": "linux/amd64", "image_digest": digest}
    return {**where, "created_at": created_at, "is_attestation": False}


def materials(*found):
    rows = [
        {
            **IMAGE, "digest": "sha256:ee", "position": place, "kind": "image",
            "material_repo": repo, "material_tag": "1", "material_digest": digest,
            "is_frontend": is_frontend,
        }
        for place, (repo, digest, is_frontend) in enumerate(found)
    ]  # fmt: skip
    return MATERIALS.from_records(rows)


def found(stated, *own, of_bases=()):
    images = IMAGES.from_records(image_of(*one[:2]) for one in of_bases)
    held = [layers(image_of(repo, digest), *digests) for repo, digest, digests in of_bases]
    return bases(stated, layers(IMAGE, *own), images, LAYERS.joined(held))


def test_of_several_materials_the_one_whose_layers_come_first():
    took = materials(
        ("docker/dockerfile", OTHER, True),
        ("library/go", TOOL, False),
        ("library/debian", BASE, False),
    )
    stated = stated_bases(LABELS.frame(), took)
    assert stated["base_repo"].tolist() == ["library/go", "library/debian"]
    held = [("library/go", TOOL, ["t"]), ("library/debian", BASE, ["d1", "d2"])]
    (row,) = found(stated, "d1", "d2", "app", of_bases=held).to_dict("records")
    assert (row["evidence"], row["base_repo"], row["confidence"]) == (
        "provenance", "library/debian", "proved",
    )  # fmt: skip


def test_of_several_none_is_guessed():
    took = materials(("library/go", TOOL, False), ("library/debian", BASE, False))
    stated = stated_bases(LABELS.frame(), took)
    assert found(stated, "app", of_bases=[("library/go", TOOL, ["t"])]).empty
    # One alone is what is told, where its layers cannot be had.
    one = stated_bases(LABELS.frame(), materials(("library/go", TOOL, False)))
    assert found(one, "app")["confidence"].tolist() == ["told"]


def test_without_words_there_is_no_row():
    stated = stated_bases(LABELS.frame())
    empty = found(stated, "a")
    assert empty.empty
    assert dict(empty.dtypes.astype(str)) == dict(BASES.dtypes)
    assert outdated_bases_df(empty).empty


def test_packed_otherwise_it_is_the_same_layer():
    said = [
        {
            **IMAGE,
            "source": "manifest",
            "key": f"org.opencontainers.image.base.{key}",
            "value": value,
        }
        for key, value in (("name", "debian:12"), ("digest", BASE))
    ]
    stated = stated_bases(LABELS.from_records(said))
    own = layers(IMAGE, "x1", "x2").assign(diff_id=["u1", "u2"])
    base = image_of("library/debian", BASE)
    held = layers(base, "y1").assign(diff_id=["u1"])
    result = bases(stated, LAYERS.of(own), IMAGES.from_records([base]), LAYERS.of(held))
    assert result["is_prefix"].tolist() == [True]
    assert pd.isna(result["is_outdated"][0])

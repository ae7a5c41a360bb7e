"""Bases by hand: of several images that went into a build, the one whose layers come first."""

import json

import pandas as pd
import pytest

import hubframe
from hubframe.errors import PayloadError
from hubframe.measure.bases import bases, outdated_bases_df, stated_bases
from hubframe.readers.builds import read_builds
from hubframe.tables import DOCKERFILES, IMAGES, LABELS, LAYERS, MATERIALS, TAGS
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


def test_the_evidence_of_an_image_stands_together():
    tags = [{**IMAGE, "tag": tag, "image_digest": f"sha256:{tag}"} for tag in ("2", "1")]
    told = [annotated("debian:12", **image, source=source)
            for source in ("config", "manifest") for image in reversed(tags)]  # fmt: skip
    own = LAYERS.joined([layers(image, "d1", "app") for image in tags])
    images, held = IMAGES.frame(), LAYERS.frame()
    made = bases(stated_bases(LABELS.joined(told)), own, images, held)
    assert made[["tag", "evidence"]].to_numpy().tolist() == [
        ["2", "annotation"], ["2", "label"], ["1", "annotation"], ["1", "label"],
    ]  # fmt: skip


def test_of_several_none_is_guessed():
    took = materials(("library/go", TOOL, False), ("library/debian", BASE, False))
    stated = stated_bases(LABELS.frame(), took)
    assert found(stated, "app", of_bases=[("library/go", TOOL, ["t"])]).empty
    # One alone is what is told, where its layers cannot be had.
    one = stated_bases(LABELS.frame(), materials(("library/go", TOOL, False)))
    assert found(one, "app")["confidence"].tolist() == ["told"]


@pytest.mark.parametrize(
    ("named", "layers_of_base", "confidence"),
    [
        (f"docker.io/library/debian:12@{BASE}", ["d1"], "proved"),
        (f"docker.io/library/debian:12@{BASE}", ["other"], "told but wrong"),
        (f"docker.io/library/debian:12@{BASE}", None, "told"),
        # What a tag is now says nothing against what it was.
        ("docker.io/library/debian:12", ["d1"], "likely"),
        ("docker.io/library/debian:12", ["other"], "told"),
    ],
)
def test_what_a_dockerfile_says_is_held_against_layers(named, layers_of_base, confidence):
    row = {
        **IMAGE,
        "digest": "sha256:ee",
        "position": 0,
        "text": "",
        "sha256": "x",
        "line_count": 0,
    }
    rows = [{**row, "source": "provenance", "base": base} for base in (named, None)]
    stated = stated_bases(LABELS.frame(), dockerfiles=DOCKERFILES.from_records(rows))
    images, held = IMAGES.frame(), LAYERS.frame()
    if layers_of_base:
        base = image_of("library/debian", BASE, "12")
        images, held = IMAGES.from_records([base]), layers(base, *layers_of_base)
    (made,) = bases(stated, layers(IMAGE, "d1", "app"), images, held).to_dict("records")
    assert (made["evidence"], made["base_repo"], made["base_tag"], made["confidence"]) == (
        "dockerfile", "library/debian", "12", confidence,
    )  # fmt: skip


def annotated(name, digest=None, **image):
    said = ((NAME, name), (DIGEST, digest))
    return LABELS.from_records(
        {**IMAGE, "source": "manifest", **image, "key": key, "value": value}
        for key, value in said
        if value
    )


NAME, DIGEST = (f"org.opencontainers.image.base.{part}" for part in ("name", "digest"))


@pytest.mark.parametrize(
    ("held", "of_tag", "is_prefix", "confidence", "is_outdated"),
    [
        # What is told is gone: the tag that it had tells what it can.
        (["d1", "app"], ["d1"], True, "likely", False),
        (["d1", "app"], ["d2"], None, "told", True),
        (["d1", "app"], None, None, "told", None),
        # One layer may be all of them put together, and an image without may be one not read.
        (["all"], ["d2"], None, "told", None),
        ([], ["d2"], None, "told", None),
    ],
)
def test_a_base_that_is_gone(held, of_tag, is_prefix, confidence, is_outdated):
    base = image_of("library/debian", OTHER, "12")
    of_base = LAYERS.frame() if of_tag is None else layers(base, *of_tag)
    stated = stated_bases(annotated("debian:12", BASE))
    (row,) = bases(stated, layers(IMAGE, *held), IMAGES.from_records([base]), of_base).to_dict(
        "records"
    )
    assert row["confidence"] == confidence
    for name, value in (("is_prefix", is_prefix), ("is_outdated", is_outdated)):
        assert row[name] is value or (value is None and pd.isna(row[name]))


@pytest.mark.parametrize(
    ("told", "outdated"),
    [
        ([("annotation", "proved", False), ("label", "told but wrong", True)], []),
        ([("annotation", "told", True), ("label", "likely", False)], []),
        ([("annotation", "told but wrong", False), ("label", "proved", True)], ["label"]),
        ([("annotation", "proved", None), ("label", "told", True)], ["label"]),
        ([("annotation", "proved", False), ("provenance", "proved", True)], ["provenance"]),
        ([("annotation", "told but wrong", True)], ["annotation"]),
    ],
)
def test_the_best_proof_tells_what_is_outdated(told, outdated):
    found = BASES.from_records(
        {**IMAGE, "evidence": evidence, "confidence": confidence, "is_outdated": is_outdated}
        for evidence, confidence, is_outdated in told
    )
    assert outdated_bases_df(found)["evidence"].tolist() == outdated


@pytest.mark.parametrize(
    ("digest", "before", "is_outdated", "later", "is_outdated_later"),
    [
        (BASE, BASE, False, OTHER, True),  # it has moved since
        (BASE, BASE, False, BASE, False),
        (BASE, OTHER, True, BASE, False),  # and back
        (BASE, OTHER, True, None, True),  # nothing is told of it
        (BASE, None, None, OTHER, True),
        (None, BASE, False, OTHER, True),
        (None, OTHER, True, BASE, True),
        (None, None, None, OTHER, None),
    ],
)
def test_tags_of_a_later_day_tell_what_is_outdated_since(
    digest, before, is_outdated, later, is_outdated_later
):
    told = {"base_repo": "library/debian", "base_tag": "12", "base_digest": digest}
    told |= {"base_name_now_digest": before, "is_outdated": is_outdated, "lag_days": 3.0}
    found = BASES.from_records(
        {**IMAGE, **told, "evidence": evidence, "confidence": "told"}
        for evidence in ("annotation", "label")
    )
    tags = TAGS.from_records(
        {"repo": repo, "tag": "12", "digest": later}
        for repo in ("library/debian", "library/alpine")
    )
    listed = outdated_bases_df(found.set_axis([7, 3]), tags)
    assert len(listed) == bool(is_outdated_later)
    if is_outdated_later and later not in (None, before):
        assert listed["base_name_now_digest"].tolist() == [later]
        assert listed["lag_days"].isna().all()


@pytest.mark.parametrize("digest", [None, BASE])
def test_a_tag_that_the_image_has_itself_now_is_not_its_base(digest):
    """Built on what the tag was, and pushed to it."""
    own = image_of("org/app", IMAGE["image_digest"], "1", "2024-03-01")
    images = [own, image_of("org/app", BASE, None, "2024-01-01")]
    held = LAYERS.joined([layers(own, "d1", "app"), layers(images[1], "d1")])
    stated = stated_bases(annotated("docker.io/org/app:1", digest))
    (row,) = bases(stated, layers(IMAGE, "d1", "app"), IMAGES.from_records(images), held).to_dict(
        "records"
    )
    assert (row["confidence"], row["base_name_now_digest"]) == (
        "proved" if digest else "told", IMAGE["image_digest"],
    )  # fmt: skip
    assert pd.isna([row["is_outdated"], row["lag_days"]]).all()
    assert pd.isna(row["base_layer_count"]) or row["base_layer_count"] == 1


@pytest.mark.parametrize(
    ("held", "is_prefix", "confidence"),
    [(["all"], False, "told"), (["x", "y"], False, "told but wrong"), ([], None, "told")],
)
def test_what_is_put_together_contradicts_nothing(held, is_prefix, confidence):
    stated = stated_bases(annotated("debian:12", BASE))
    (row,) = found(stated, *held, of_bases=[("library/debian", BASE, ["d1", "d2"])]).to_dict(
        "records"
    )
    assert row["confidence"] == confidence
    assert row["is_prefix"] is is_prefix or pd.isna(row["is_prefix"])


def test_what_a_build_took_and_has_other_layers_is_no_base():
    """A program that a stage of its own built, copied into nothing."""
    stated = stated_bases(LABELS.frame(), materials(("library/go", TOOL, False)))
    for own in (["app"], ["app", "config"]):
        assert found(stated, *own, of_bases=[("library/go", TOOL, ["t"])]).empty


def test_a_base_that_is_told_by_two_digests_is_one():
    held = [("library/debian", BASE, ["d1"]), ("library/debian", BASE, ["d1"])]
    (row,) = found(stated_bases(annotated("debian:12", BASE)), "d1", "app", of_bases=held).to_dict(
        "records"
    )
    assert (row["confidence"], row["base_layer_count"]) == ("proved", 1)


def test_no_base_is_nothing():
    assert stated_bases(annotated("scratch")).empty


def test_an_index_may_have_several_images_for_windows():
    windows = {"platform": "windows/amd64"}
    one, two = (
        {**image_of("library/servercore", digest, "1"), **windows, "index_digest": INDEX}
        for digest in (TOOL, OTHER)
    )
    held = LAYERS.joined([layers(one, "v1"), layers(two, "v2")])
    own = layers({**IMAGE, **windows}, "v2", "app")
    stated = stated_bases(annotated("servercore:1", INDEX, **windows))
    (row,) = bases(stated, own, IMAGES.from_records([one, two]), held).to_dict("records")
    assert (row["confidence"], row["base_platform_digest"]) == ("proved", OTHER)
    assert not row["is_outdated"]


RUN = "index.docker.io/org/run"


@pytest.mark.parametrize(
    ("told", "base"),
    [
        ({"runImage": {"reference": f"{RUN}@{BASE}"}}, ("org/run", None, BASE)),
        # The tag tells whether it is outdated.
        ({"runImage": {"reference": f"{RUN}@{BASE}", "image": "org/run:1"}}, ("org/run", "1", BASE)),
        (
            {"runImage": {"reference": f"{RUN}@{BASE}"}, "stack": {"runImage": {"image": "org/run:1"}}},
            ("org/run", "1", BASE),
        ),
        # Taken from a mirror.
        ({"runImage": {"reference": f"x.io/run@{BASE}", "image": "org/run:1"}}, ("x.io/run", None, BASE)),
        # Built in an engine.
        ({"runImage": {"reference": "a" * 64, "image": "org/run:1"}}, ("org/run", "1", None)),
        ({"runImage": {"reference": "a" * 64}}, None),
        ({"runImage": []}, None),
    ],
)  # fmt: skip
def test_what_buildpacks_say(told, base):
    label = {
        **IMAGE,
        "source": "config",
        "key": "io.buildpacks.lifecycle.metadata",
        "value": json.dumps(told),
    }
    stated = stated_bases(LABELS.from_records([label]))
    names = ["base_repo", "base_tag", "base_digest"]
    assert stated[names].to_numpy().tolist() == ([] if base is None else [list(base)])


def test_without_words_there_is_no_row():
    stated = stated_bases(LABELS.frame())
    empty = found(stated, "a")
    assert empty.empty
    assert dict(empty.dtypes.astype(str)) == dict(BASES.dtypes)
    assert outdated_bases_df(empty).empty


def test_packed_otherwise_it_is_the_same_layer():
    stated = stated_bases(annotated("debian:12", BASE))
    own = layers(IMAGE, "x1", "x2").assign(diff_id=["u1", "u2"])
    base = image_of("library/debian", BASE)
    held = layers(base, "y1").assign(diff_id=["u1"])
    result = bases(stated, LAYERS.of(own), IMAGES.from_records([base]), LAYERS.of(held))
    assert result["is_prefix"].tolist() == [True]
    assert pd.isna(result["is_outdated"][0])


def test_what_docker_says_of_official_images(tmp_path):
    def index(*digests):
        entries = [{"digest": digest, "platform": {"os": "linux"}} for digest in digests]
        nowhere = {"digest": INDEX, "platform": {"os": "unknown"}}
        return {"manifests": [nowhere, *entries]}

    def built(digest, last, **parents):
        resolved = {f"{name}:1": index(one) for name, one in parents.items()}
        return {
            "build": {
                "arch": "amd64",
                "resolved": digest and index(digest),
                "resolvedParents": resolved,
            },
            "source": {"arches": {"amd64": {"lastStageFrom": last}}},
        }

    entries = {
        "used": built(OTHER, "debian:1", debian=BASE, golang=TOOL),
        "scratch": built(TOOL, "scratch", golang=TOOL),
        "not yet": built(None, "debian:1", debian=BASE),
        "untold": built(ANOTHER, "debian:1"),
        "odd": [], "none": None, "bad": built("sha256:x", "debian:1"),
    }  # fmt: skip
    path = tmp_path / "builds.json"
    path.write_text(json.dumps(entries))
    found = read_builds(path)
    assert found == [(OTHER, "debian:1", BASE), (ANOTHER, "debian:1", None)]
    images = layers({**IMAGE, "image_digest": OTHER}, "d1", "app")
    stated = stated_bases(LABELS.frame(), None, found, images)
    assert stated[["evidence", "base_repo", "base_tag", "base_digest"]].to_numpy().tolist() == [
        ["official", "library/debian", "1", BASE]
    ]
    base = image_of("library/debian", BASE)
    held = bases(stated, images, IMAGES.from_records([base]), layers(base, "d1"))
    assert held["confidence"].tolist() == ["proved"]
    for wrong in (b"[]", b"{", b'{"a":' * 100_000):
        path.write_bytes(wrong)
        with pytest.raises(PayloadError, match=r"builds\.json"):
            read_builds(path)


ANOTHER, INDEX = (f"sha256:{letter * 64}" for letter in "ef")


@pytest.mark.parametrize(
    ("history", "built", "was_outdated"),
    [
        # From a start on: a registry that keeps its past.
        ([(BASE, "01-01", "03-01"), (ANOTHER, "03-01", None)], "02-01", False),
        ([(BASE, "01-01", "03-01"), (ANOTHER, "03-01", None)], "03-01", True),
        ([(BASE, "01-01", "03-01"), (ANOTHER, "03-01", None)], "05-01", True),
        # Deleted for a while, and before there was anything.
        ([(BASE, "01-01", "02-01"), (ANOTHER, "03-01", None)], "02-15", None),
        ([(BASE, "01-01", None)], "2023-12-31", None),
        # Back again.
        ([(BASE, "01-01", "02-01"), (ANOTHER, "02-01", "03-01"), (BASE, "03-01", None)], "04-01", False),
        # An index may name the same image, and a date may be missing.
        ([(INDEX, "01-01", None)], "02-01", None),
        ([(BASE, "01-01", None)], None, None),
        ([(BASE, None, None)], "02-01", None),
        ([], "02-01", None),
    ],
)  # fmt: skip
def test_whether_a_base_was_outdated_when_the_image_was_built(history, built, was_outdated):
    told = _history(history, "started_at", "ended_at")
    assert _outdated_at_build(told, built) == [was_outdated]
    if all(digest and since for digest, since, _ in history) and was_outdated is not None:
        # Without ends, the next start is one.
        assert _outdated_at_build(told.drop(columns="ended_at"), built) == [was_outdated]


@pytest.mark.parametrize(
    ("built", "was_outdated"),
    [("01-15", None), ("02-15", False), ("03-15", None), ("03-27", True), ("04-15", True), ("06-15", None)],
)  # fmt: skip
def test_between_two_observations_nothing_is_known(built, was_outdated):
    seen = [(BASE, "02-01", "03-01"), (ANOTHER, "04-01", "06-01")]
    told = _history(seen, "first_seen_at", "last_seen_at")
    # A push that the registry tells of was there from then on.
    told["pushed_at"] = _dates([None, "03-25"])
    assert _outdated_at_build(told, built) == [was_outdated]


def _history(rows, since, until):
    frame = pd.DataFrame(rows, columns=["digest", since, until], dtype="object")
    frame[since], frame[until] = _dates(frame[since]), _dates(frame[until])
    return frame.assign(repo="library/debian", tag="12")


def _dates(values):
    written = [None if value is None else f"2024-{value}"[-10:] for value in values]
    return pd.to_datetime(pd.Series(written, dtype="str"), utc=True)


def _outdated_at_build(history, built):
    labels = annotated("debian:12", BASE)
    (at,) = _dates([built])
    images = IMAGES.from_records([{**IMAGE, "created_at": None if built is None else str(at)}])
    nothing = IMAGES.frame(), LAYERS.frame()
    told = bases(
        stated_bases(labels), layers(IMAGE, "a"), *nothing, images=images, history=history
    )["outdated_at_build"]
    return told.astype("object").where(told.notna(), None).tolist()


def test_a_history_has_to_tell_times():
    for wrong in (pd.DataFrame({"repo": ["a"], "tag": ["1"], "digest": [BASE]}), {}):
        with pytest.raises(ValueError, match="such as tag_moves_df makes"):
            hubframe.bases_df("library/alpine", history=wrong)

"""Which images hold a layer, and what tags, images and repositories take."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.measure import identity, leading_tags
from hubframe.measure.layer_index import LayerIndex
from hubframe.tables import FETCHED, LAYERS
from hubframe.tables.measured import FOOTPRINT, SHARED_LAYERS

from .worlds import EMPTY, dtypes, frame, layer, shuffled, stored, worlds

BY = ("tag", "image", "repo", "namespace")


def small():
    """Two images of one base; the first has two tags, the second repeats a layer."""
    return frame(
        layer("n/a:1", "ab", digest="sha256:1"),
        layer("n/a:latest", "ab", digest="sha256:1"),
        layer("m/b:2", "acc", digest="sha256:2"),
    )


def test_layers_are_counted_per_image_tag_and_repository():
    found = hubframe.shared_layers_df(small()).set_index("layer_digest")
    assert found.index.tolist() == ["a", "c", "b"]
    assert found["size"].tolist() == [1, 4, 2]
    assert found["image_count"].tolist() == [2, 1, 1]
    assert found["tag_count"].tolist() == [3, 1, 2]
    assert found["repo_count"].tolist() == [2, 1, 1]
    assert found["saved_size"].tolist() == [1, 0, 0]
    assert found["instruction"].tolist() == ["RUN a", "RUN c", "RUN b"]


def test_a_layer_is_first_seen_in_the_image_that_was_built_first():
    layers = frame(
        layer("a/child:9", "ab", created="2024-01-01T00:00:00Z"),
        layer("z/base:1", "a", created="2021-01-01T00:00:00Z"),
        layer("b/undated:1", "a"),
    )
    found = hubframe.shared_layers_df(layers).set_index("layer_digest")
    assert found.loc["a", ["first_repo", "first_tag"]].tolist() == ["z/base", "1"]
    assert found.loc["b", ["first_repo", "first_tag"]].tolist() == ["a/child", "9"]


def test_an_image_is_built_when_its_last_step_ran():
    old = layer("a/old:1", "ab", created="2021-01-01T00:00:00Z")
    old[1]["created_at"] = "2025-01-01T00:00:00Z"
    new = layer("b/new:1", "ac", created="2023-01-01T00:00:00Z")
    found = hubframe.shared_layers_df(frame(old, new)).set_index("layer_digest")
    assert found.loc["a", "first_repo"] == "b/new"


def test_without_dates_the_smaller_image_comes_first_then_names_decide():
    layers = frame(layer("a/child:1", "ab"), layer("z/base:2", "a"), layer("z/base:1", "a"))
    found = hubframe.shared_layers_df(layers).iloc[0]
    assert (found["first_repo"], found["first_tag"]) == ("z/base", "1")


def test_of_differing_instructions_the_first_image_decides_and_null_does_not_count():
    base, child = layer("z/base:1", "a"), layer("a/child:1", "ab")
    base[0]["instruction"] = "ADD rootfs.tar /"
    assert hubframe.shared_layers_df(frame(child, base))["instruction"][0] == "ADD rootfs.tar /"
    base[0]["instruction"] = None
    assert hubframe.shared_layers_df(frame(child, base))["instruction"][0] == "RUN a"
    child[0]["instruction"] = None
    assert pd.isna(hubframe.shared_layers_df(frame(child, base))["instruction"][0])


def test_images_without_a_tag_count_as_images_and_not_as_tags():
    found = hubframe.shared_layers_df(frame(layer("n/a", "a", digest="sha256:1")))
    assert found[["image_count", "tag_count", "repo_count"]].to_numpy().tolist() == [[1, 0, 1]]
    assert pd.isna(found["first_tag"][0])


def test_a_layer_of_unknown_size_saves_an_unknown_size():
    layers = frame(layer("n/a:1", "ab", sizes={"a": None}), layer("n/a:2", "a", sizes={"a": None}))
    found = hubframe.shared_layers_df(layers).set_index("layer_digest")
    assert found["size"].isna().tolist() == found["saved_size"].isna().tolist() == [True, False]
    tags = hubframe.footprint_df(layers).set_index("tag")
    assert tags.loc["1", ["total_size", "unsized_layer_count"]].tolist() == [2, 1]


def test_the_empty_layer_is_marked():
    found = hubframe.shared_layers_df(frame(layer("n/a:1", ["a", EMPTY, EMPTY])))
    assert dict(zip(found["layer_digest"], found["is_empty"], strict=True)) == {
        "a": False,
        EMPTY: True,
    }


def test_bytes_split_into_shared_and_exclusive_and_an_alias_frees_nothing():
    tags = hubframe.footprint_df(small())
    assert tags["tag"].tolist() == ["2", "1", "latest"]
    assert tags["total_size"].tolist() == [5, 3, 3]
    assert tags["shared_size"].tolist() == [1, 1, 1]
    assert tags["exclusive_size"].tolist() == [4, 2, 2]
    assert tags["freed_size"].tolist() == [4, 0, 0]
    assert tags["layer_count"].tolist() == [2, 2, 2]
    assert tags["shared_share"].tolist() == pytest.approx([1 / 5, 1 / 3, 1 / 3])
    assert tags["image_digest"].tolist() == ["sha256:2", "sha256:1", "sha256:1"]


def test_an_image_goes_with_all_its_tags():
    images = hubframe.footprint_df(small(), by="image").set_index("image_digest")
    assert images.loc["sha256:1", "tag_count"] == 2
    assert images.loc["sha256:1", "tag"] == "1"
    assert images["freed_size"].tolist() == images["exclusive_size"].tolist() == [4, 2]


def test_a_repository_counts_what_its_tags_share_once():
    repos = hubframe.footprint_df(small(), by="repo").set_index("repo")
    assert repos.loc["n/a", ["tag_count", "image_count", "layer_count"]].tolist() == [2, 1, 2]
    assert repos.loc["n/a", ["total_size", "exclusive_size", "freed_size"]].tolist() == [3, 2, 2]
    assert repos[["tag", "platform", "image_digest"]].isna().all(axis=None)


def test_platforms_of_a_tag_share_within_it():
    tags = hubframe.footprint_df(
        frame(
            layer("n/a:1", "ab", digest="sha256:1"),
            layer("n/a:1", "ac", digest="sha256:2", platform="linux/arm64"),
            layer("n/a:2", "c", digest="sha256:3"),
        )
    ).set_index("tag")
    assert tags.loc["1", ["total_size", "exclusive_size", "freed_size"]].tolist() == [7, 3, 3]
    assert tags.loc["1", "image_count"] == 2
    assert pd.isna(tags.loc["1", "image_digest"])
    assert tags.loc["2", "image_digest"] == "sha256:3"


def test_a_copy_in_another_repository_is_the_same_image_but_keeps_its_layers():
    layers = frame(layer("n/a:1", "a", digest="sha256:1"), layer("m/a:1", "a", digest="sha256:1"))
    repos = hubframe.footprint_df(layers, by="repo")
    assert repos["exclusive_size"].tolist() == repos["freed_size"].tolist() == [0, 0]
    assert repos["shared_size"].tolist() == [1, 1]
    assert repos["image_count"].tolist() == [1, 1]
    assert hubframe.footprint_df(layers, by="image")["freed_size"].tolist() == [1]
    assert hubframe.footprint_df(layers)["shared_size"].tolist() == [1, 1]
    (owner,) = hubframe.footprint_df(
        layers.assign(repo=["n/a", "n/b"]), by="namespace"
    ).itertuples()
    assert (owner.image_count, owner.exclusive_size, owner.freed_size) == (1, 1, 1)


def test_images_asked_for_by_digest_are_tags_of_their_own():
    layers = frame(layer("n/a", "a", digest="sha256:1"), layer("n/a", "b", digest="sha256:2"))
    assert hubframe.footprint_df(layers)["image_digest"].tolist() == ["sha256:2", "sha256:1"]


@pytest.mark.parametrize(
    ("repo", "namespace"),
    [
        ("library/nginx", "library"),
        ("ghcr.io/acme/api", "ghcr.io/acme"),
        ("registry.gitlab.com/acme/tools/api/web", "registry.gitlab.com/acme"),
        ("localhost:5000/api", "localhost:5000"),
        ("localhost/api", "localhost"),
    ],
)
def test_namespaces(repo, namespace):
    layers = LAYERS.from_records([{**layer("x:1", "a")[0], "repo": repo}])
    row = hubframe.footprint_df(layers, by="namespace").iloc[0]
    assert row["namespace"] == namespace
    assert pd.isna(row["repo"])


def test_an_image_of_nothing_has_no_share():
    tags = hubframe.footprint_df(frame(layer("n/a:1", "a", sizes={"a": 0})))
    assert tags["shared_share"].isna().all()
    assert tags["total_size"].tolist() == [0]


def test_sizes_that_63_bits_cannot_add_up_are_null():
    huge = dict.fromkeys("ab", 2**63 - 1)
    tags = hubframe.footprint_df(frame(layer("n/a:1", "ab", sizes=huge), layer("n/a:2", "c")))
    assert tags["total_size"].isna().tolist() == [True, False]
    layers = frame(*(layer(f"n/a:{number}", "a", sizes=huge) for number in range(5)))
    assert hubframe.shared_layers_df(layers)["saved_size"].isna().all()


@pytest.mark.parametrize("by", BY)
def test_of_nothing_there_is_nothing_with_the_declared_columns(by):
    assert dtypes(hubframe.shared_layers_df(LAYERS.frame())) == SHARED_LAYERS.dtypes
    empty = hubframe.footprint_df(LAYERS.frame(), by=by)
    assert dtypes(empty) == FOOTPRINT.dtypes
    assert empty.empty


@pytest.mark.parametrize(
    "measured", [hubframe.shared_layers_df, hubframe.footprint_df, hubframe.sharing]
)
def test_a_wrong_frame_is_told_what_it_lacks(measured):
    with pytest.raises(
        ValueError, match=r"not the layers frame: it lacks the columns? .*layer_dig"
    ):
        measured(FETCHED["tags"].frame())
    with pytest.raises(TypeError, match="a str was given"):
        measured("ansible/ansible")


def test_by_is_one_of_four():
    with pytest.raises(ValueError, match="by='day' is none of 'tag', 'image'"):
        hubframe.footprint_df(small(), by="day")


def test_the_index_and_rows_without_a_digest_do_not_matter():
    layers = pd.concat([small(), small()])
    assert_frame_equal(hubframe.footprint_df(layers), hubframe.footprint_df(small()))
    layers = pd.concat([small(), LAYERS.from_records([{"repo": "n/z", "is_empty": False}])])
    assert_frame_equal(hubframe.shared_layers_df(layers), hubframe.shared_layers_df(small()))


@given(worlds())
def test_shared_layers_are_what_a_plain_count_says(layers):
    found = hubframe.shared_layers_df(layers)
    assert dtypes(found) == SHARED_LAYERS.dtypes
    assert sorted(found["layer_digest"]) == sorted(layers["layer_digest"].unique())
    for row in found.itertuples():
        held = layers[layers["layer_digest"] == row.layer_digest]
        assert row.image_count == identity(held).nunique()
        assert row.repo_count == held["repo"].nunique()
        assert row.tag_count == len(held[["repo", "tag"]].dropna().drop_duplicates())
        assert row.saved_size == row.size * (row.image_count - 1)
        assert row.first_repo in set(held["repo"])


# Positions are a stranger's: few or many, twice the same, or as far apart as numbers go.
_PLACES = st.integers(0, 3) | st.sampled_from([-(2**63), -1, 2**40, 2**62, 2**63 - 1])
_ROWS = st.lists(st.tuples(st.integers(0, 4), _PLACES, st.integers(0, 2)), max_size=12)


@given(_ROWS)
def test_rows_are_put_in_place_by_name_then_position_then_layer_each_once(rows):
    name, position, layer = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    # Of the other fields none is looked at.
    held = LayerIndex(layer, name, position, *[None] * 6)

    assert list(zip(*held.rows_in_place(), strict=True)) == sorted(set(rows))


@pytest.mark.parametrize("of", [identity, lambda frame: leading_tags(frame, 3)])
def test_images_are_told_apart_in_frames_that_name_them(of):
    with pytest.raises(ValueError, match="lacks the column platform"):
        of(small().drop(columns="platform"))
    with pytest.raises(TypeError, match="list was given"):
        of([])


@given(worlds(), st.sampled_from(BY))
def test_exclusive_and_shared_are_the_total(layers, by):
    found = hubframe.footprint_df(layers, by=by)
    assert dtypes(found) == FOOTPRINT.dtypes
    assert not found.duplicated(list(FOOTPRINT.key)).any()
    assert (found["exclusive_size"] + found["shared_size"]).equals(found["total_size"])
    assert (found["freed_size"] <= found["exclusive_size"]).all()
    if by != "tag":
        assert found["freed_size"].equals(found["exclusive_size"])
    if by == "image":
        exclusive = hubframe.shared_layers_df(layers).query("image_count == 1")["size"].sum()
        assert found["exclusive_size"].sum() == exclusive


@given(worlds(), st.sampled_from(BY))
def test_removing_a_row_frees_what_it_said(layers, by):
    for row in hubframe.footprint_df(layers, by=by).itertuples():
        gone = _is_of(layers, row, by)
        assert stored(layers) - stored(layers[~gone]) == row.freed_size
        assert stored(layers[gone]) == row.total_size


@given(worlds(), st.sampled_from(BY))
def test_shared_is_what_another_image_or_another_repository_holds(layers, by):
    image = identity(layers)
    for row in hubframe.footprint_df(layers, by=by).itertuples():
        own = _is_of(layers, row, by)
        outside = ~own
        if by == "tag":  # Aliases in its repository do not make a tag's layers shared.
            outside &= ~(image.isin(image[own]) & (layers["repo"] == row.repo))
        held = layers.loc[own, "layer_digest"]
        assert (
            stored(layers[own & held.isin(layers.loc[outside, "layer_digest"])]) == row.shared_size
        )
        assert row.image_count == image[own].nunique()
        assert row.tag_count == len(layers.loc[own, ["repo", "tag"]].dropna().drop_duplicates())


def _is_of(layers, row, by):
    if by == "namespace":
        return layers["repo"].map(lambda repo: repo.rpartition("/")[0]) == row.namespace
    if by == "repo":
        return layers["repo"] == row.repo
    if by == "image":
        key = ["repo", "tag", "platform", "image_digest"]
        image = pd.DataFrame([{column: getattr(row, column) for column in key}]).astype("str")
        return identity(layers) == identity(image)[0]
    if pd.isna(row.tag):
        return (
            (layers["repo"] == row.repo)
            & layers["tag"].isna()
            & (layers["image_digest"] == row.image_digest)
        )
    return (layers["repo"] == row.repo) & (layers["tag"] == row.tag)


@given(worlds(), st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(layers, seed):
    other = shuffled(layers, seed)
    assert_frame_equal(hubframe.shared_layers_df(other), hubframe.shared_layers_df(layers))
    for by in BY:
        assert_frame_equal(
            hubframe.footprint_df(other, by=by), hubframe.footprint_df(layers, by=by)
        )


@pytest.mark.usefixtures("sample")
def test_on_the_sample():
    layers = hubframe.layers_df(["library/debian", "library/nginx"], platform="all")
    before = layers.copy()
    found = hubframe.shared_layers_df(layers)
    repos = hubframe.footprint_df(layers, by="repo")
    assert_frame_equal(layers, before)
    base = found[found["repo_count"] == 2]
    assert set(base["first_repo"]) == {"library/debian"}
    assert repos["shared_size"].tolist() == [base["size"].sum()] * 2
    (namespace,) = hubframe.footprint_df(layers, by="namespace")["total_size"]
    assert namespace == found["size"].sum() == repos["total_size"].sum() - base["size"].sum()

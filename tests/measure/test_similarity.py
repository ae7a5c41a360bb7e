"""Which images are made of the same layers."""

import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.measure import identity
from hubframe.tables import LAYERS
from hubframe.tables.measured import DUPLICATES, SIMILARITY

from .worlds import EMPTY, dtypes, frame, layer, shuffled, size, worlds


def test_the_same_layers_in_the_same_order_are_duplicates():
    found = hubframe.duplicates_df(
        frame(
            layer("n/a:1", "ab", digest="sha256:1"),
            layer("n/a:latest", "ab", digest="sha256:1"),
            layer("m/b:2", "ab", digest="sha256:2"),
            layer("m/b:3", "ba", digest="sha256:3"),
            layer("m/b:4", "abb", digest="sha256:4"),
            layer("m/c:1", "d", digest="sha256:5"),
            layer("m/c", "d", digest="sha256:5"),
        )
    )
    assert found["group"].tolist() == [0, 0, 0, 1, 1]
    assert found["repo"].tolist() == ["m/b", "n/a", "n/a", "m/c", "m/c"]
    assert found["name_count"].tolist() == [3, 3, 3, 2, 2]
    assert found["image_count"].tolist() == [2, 2, 2, 1, 1]
    assert found["layer_count"].tolist() == [2, 2, 2, 1, 1]
    assert found["total_size"].tolist() == [3, 3, 3, 8, 8]


def test_platforms_of_one_name_are_no_duplicates():
    same = [
        layer("n/a:1", "ab", digest="sha256:1"),
        layer("n/a:1", "ab", digest="sha256:2", platform="linux/arm64"),
    ]
    assert hubframe.duplicates_df(frame(*same)).empty
    assert len(hubframe.duplicates_df(frame(*same, layer("n/a:2", "ab")))) == 3


@given(worlds(), st.integers(0, 99))
def test_duplicates_are_what_comparing_all_says(layers, seed):
    found = hubframe.duplicates_df(layers)
    assert dtypes(found) == DUPLICATES.dtypes
    assert_frame_equal(hubframe.duplicates_df(shuffled(layers, seed)), found)
    names = {}
    key = ["repo", "tag", "platform", "image_digest"]
    for (repo, tag, platform, digest), rows in layers.groupby(key, dropna=False):
        made_of = "".join(rows.sort_values("position")["layer_digest"])
        name = f"{repo}:{tag}" if isinstance(tag, str) else f"{repo}@{digest}"
        names.setdefault(made_of, []).append((name, platform))
    groups = [group for group in names.values() if len({name for name, _ in group}) > 1]
    assert len(found) == sum(map(len, groups))
    assert found["group"].nunique() == len(groups)
    for group, rows in found.groupby("group"):
        assert (rows["name_count"] == len(rows[["repo", "tag"]].drop_duplicates())).all() or (
            rows["tag"].isna().any()
        ), group


def test_pairs_are_compared_by_bytes():
    found = hubframe.similarity_df(
        frame(
            layer("n/a:1", ["a", "c", EMPTY], digest="sha256:1"),
            layer("n/a:latest", ["a", "c", EMPTY], digest="sha256:1"),
            layer("n/b:1", ["c", "d", EMPTY, "d"], digest="sha256:2"),
            layer("n/c:1", [EMPTY, "e"], digest="sha256:3"),
        )
    )
    (pair,) = found.to_dict("records")
    assert (pair["left_repo"], pair["left_tag"], pair["right_repo"]) == ("n/a", "1", "n/b")
    assert (pair["left_size"], pair["right_size"], pair["shared_size"]) == (5, 12, 4)
    assert pair["similarity"] == 4 / 13
    assert (pair["left_share"], pair["right_share"]) == (4 / 5, 4 / 12)


def test_disjoint_pairs_are_there_where_asked_for():
    layers = frame(layer("n/a:1", "ab"), layer("n/b:1", "bc"), layer("n/c:1", "d"))
    assert len(hubframe.similarity_df(layers)) == 1
    every = hubframe.similarity_df(layers, disjoint=True)
    assert every["similarity"].tolist() == pytest.approx([2 / 7, 0, 0])
    assert hubframe.similarity_df(layers, disjoint=True, at_least=0.1)["left_repo"].tolist() == [
        "n/a"
    ]


def test_images_of_no_bytes_have_no_similarity():
    layers = frame(layer("n/a:1", "a", sizes={"a": None}), layer("n/b:1", "a", sizes={"a": None}))
    assert hubframe.similarity_df(layers).empty
    (pair,) = hubframe.similarity_df(layers, disjoint=True).to_dict("records")
    assert pair["shared_size"] == 0
    assert hubframe.similarity_df(layers, disjoint=True)["similarity"].isna().all()


def test_too_many_pairs_are_refused_before_they_fill_the_memory():
    layers = frame(*(layer(f"n/a:{number}", "ab") for number in range(30)))
    assert len(hubframe.similarity_df(layers, most=435)) == 435
    with pytest.raises(ValueError, match="more than 434 pairs among 30 images: give fewer images"):
        hubframe.similarity_df(layers, most=434)


def test_sizes_that_63_bits_cannot_add_up_are_null():
    huge = dict.fromkeys("ab", 2**63 - 1)
    layers = frame(layer("n/a:1", "ab", sizes=huge), layer("n/a:2", "ab", sizes=huge))
    layers.loc[[0, 1], "image_digest"] = "sha256:1"
    assert hubframe.duplicates_df(layers)["total_size"].isna().all()
    (pair,) = hubframe.similarity_df(layers).to_dict("records")
    assert pair["similarity"] == 1
    assert pd.isna(pair["shared_size"])
    assert hubframe.summary(layers).set_index("metric")["value"]["layer_sharing_ratio"] == 2


@pytest.mark.parametrize("at_least", [-0.1, 1.5, float("nan")])
def test_a_similarity_is_a_share(at_least):
    with pytest.raises(ValueError, match="is no share: give a number from 0 to 1"):
        hubframe.similarity_df(LAYERS.frame(), at_least=at_least)


@given(worlds(), st.integers(0, 99))
def test_similarities_are_what_comparing_all_pairs_says(layers, seed):
    found = hubframe.similarity_df(layers)
    assert dtypes(found) == SIMILARITY.dtypes
    assert_frame_equal(hubframe.similarity_df(shuffled(layers, seed)), found)
    assert not found.duplicated(list(SIMILARITY.key)).any()
    made_of = {image: set(rows["layer_digest"]) for image, rows in layers.groupby(identity(layers))}
    expected = sorted(
        sum(map(size, one & other)) / sum(map(size, one | other))
        for one, other in itertools.combinations(made_of.values(), 2)
        if one & other
    )
    assert found["similarity"].tolist() == pytest.approx(expected[::-1])
    some = hubframe.similarity_df(layers, at_least=0.5)
    assert some["similarity"].tolist() == pytest.approx([x for x in expected[::-1] if x >= 0.5])
    assert (
        len(hubframe.similarity_df(layers, disjoint=True)) == len(made_of) * (len(made_of) - 1) // 2
    )


@pytest.mark.parametrize("measured", [hubframe.duplicates_df, hubframe.similarity_df])
def test_a_frame_without_its_columns_is_told_so(measured):
    with pytest.raises(ValueError, match="it lacks the column size"):
        measured(LAYERS.frame().drop(columns="size"))
    assert measured(LAYERS.frame()).empty


@pytest.mark.usefixtures("sample")
def test_on_the_sample():
    layers = hubframe.layers_df(["library/nginx", "acme/legacy"])
    found = hubframe.duplicates_df(layers)
    latest = found[(found["repo"] == "library/nginx") & (found["tag"] == "latest")]
    assert set(found[found["group"] == latest["group"].iloc[0]]["tag"]) >= {"latest", "mainline"}
    assert (found.loc[found["repo"] == "acme/legacy", "image_count"] > 1).any()
    assert hubframe.similarity_df(layers)["similarity"].between(0, 1).all()

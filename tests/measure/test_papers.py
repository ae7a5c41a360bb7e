"""The tables of the studies of Docker Hub, recomputed."""

import doctest
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.measure.figures import MAKE_UP, SHARING
from hubframe.tables import IMAGES, LAYERS, REPOS
from hubframe.tables.measured import FIGURES
from hubframe.wire.client import use

from .worlds import EMPTY, dtypes, frame, layer, shuffled, worlds

PAGE = Path(__file__).resolve().parents[2] / "docs" / "papers.md"


def small():
    """Three images; the second has two tags, the third is the first built anew."""
    return frame(
        layer("n/a:1", ["a", EMPTY, "b", EMPTY], digest="sha256:1"),
        layer("n/a:2", "ac", digest="sha256:2"),
        layer("n/a:latest", "ac", digest="sha256:2"),
        layer("m/b:1", ["a", EMPTY, "b", EMPTY], digest="sha256:3"),
    )


def values(figures):
    assert dtypes(figures) == FIGURES.dtypes
    return figures.set_index("metric")["value"].to_dict()


def test_sharing_of_a_small_world():
    found = values(hubframe.sharing(small()))
    assert found["referenced_size"] == 2 * (1 + 2 + 32) + 1 + 4
    assert found["stored_size"] == 1 + 2 + 4 + 32
    assert found["layer_sharing_ratio"] == 75 / 39
    assert found["layer_sharing_ratio_without_empty"] == 11 / 7
    assert found["shared_size_share"] == 71 / 75
    assert found["single_reference_share"] == 1 / 4
    assert found["double_reference_share"] == 2 / 4
    assert found["over_25_references_share"] == 0
    assert found["references_max"] == 3
    assert found["empty_layer_image_share"] == 2 / 3
    assert found["duplicate_image_share"] == 2 / 3


def test_sizes_and_counts_of_a_small_world():
    found = values(hubframe.summary(small()))
    assert found["repo_count"] == 2
    assert found["tag_count"] == 4
    assert found["image_count"] == 3
    assert found["layer_count"] == 4
    assert found["image_size_p50"] == found["image_size_max"] == 35
    assert found["layers_per_image_p50"] == found["layers_per_image_max"] == 4
    assert found["distinct_layers_per_image_p50"] == 3
    assert found["layer_size_p50"] == 3  # of 1, 2, 4, 32
    assert found["referenced_layer_size_p50"] == 2  # of 1, 1, 1, 2, 2, 4, 32, 32
    assert found["layers_below_1_mb_share"] == 1
    assert found["deep_size_share"] == 0
    assert pd.isna(found["alias_ratio"])
    assert pd.isna(found["pull_gini"])


def test_shares_of_sizes_are_counted_over_distinct_layers():
    sizes = dict(zip("abcd", (999_999, 1_000_000, 9_999_999, 10_000_000), strict=True))
    layers = frame(layer("n/a:1", "abcd", sizes=sizes), layer("n/a:2", "a", sizes=sizes))
    found = values(hubframe.summary(layers))
    assert found["layers_below_1_mb_share"] == 1 / 4
    assert found["layers_below_10_mb_share"] == 3 / 4


def test_deep_layers_are_the_ninth_and_above():
    found = values(hubframe.summary(frame(layer("n/a:1", "abcdefghi"))))
    assert found["deep_size_share"] == 256 / 511


def test_layers_of_unknown_size_have_no_part_in_quantiles():
    layers = frame(layer("n/a:1", "abc", sizes={"c": None}))
    assert values(hubframe.summary(layers))["layer_size_p50"] == 1.5


def images(*rows):
    return IMAGES.from_records(
        {
            "repo": "n/a",
            "tag": tag,
            "index_digest": index,
            "image_digest": digest,
            "is_attestation": is_attestation,
        }
        for tag, index, digest, is_attestation in rows
    )


def test_the_alias_ratio_goes_by_the_digest_of_the_tag():
    found = values(
        hubframe.summary(
            LAYERS.frame(),
            images(
                ("1", "sha256:i", "sha256:1", False),
                ("1", "sha256:i", "sha256:2", False),
                ("1", "sha256:i", "sha256:att", True),
                ("latest", "sha256:i", "sha256:1", False),
                ("old", None, "sha256:1", False),
                ("older", None, None, False),
            ),
        )
    )
    assert found["alias_ratio"] == pytest.approx(1 - 2 / 3)
    assert found["tag_count"] == 4


def test_layers_of_attestations_do_not_count():
    layers = frame(layer("n/a:1", "ab", digest="sha256:1"), layer("n/a:1", "c", digest="sha256:x"))
    listed = images(("1", "sha256:i", "sha256:1", False), ("1", "sha256:i", "sha256:x", True))
    assert values(hubframe.summary(layers, listed))["layer_count"] == 2


def pulls(*counts):
    return REPOS.from_records(
        {"repo": f"n/{number}", "pull_count": count} for number, count in enumerate(counts)
    )


@pytest.mark.parametrize(
    ("counts", "gini", "top", "slope"),
    [
        ((5, 5, 5, 5), 0, 1 / 4, 0),
        ((0, 0, 0, 8), 3 / 4, 1, None),
        ((1, 3), 1 / 4, 3 / 4, -1.584962500721156),
        ((None, 7), 0, 1, None),
        ((0, 0), None, None, None),
    ],
)
def test_popularity(counts, gini, top, slope):
    found = values(hubframe.summary(LAYERS.frame(), repos=pulls(*counts)))
    for name, value in (
        ("pull_gini", gini),
        ("pull_top_1_percent_share", top),
        ("pull_rank_slope", slope),
    ):
        assert pd.isna(found[name]) if value is None else found[name] == pytest.approx(value)


def test_the_top_hundredth_is_rounded_up():
    found = values(hubframe.summary(LAYERS.frame(), repos=pulls(*range(101))))
    assert found["pull_top_1_percent_share"] == pytest.approx((100 + 99) / 5050)
    assert found["pull_count_p90"] == 90


def test_the_rows_are_the_same_whatever_is_given():
    nothing = hubframe.summary(LAYERS.frame(), IMAGES.frame(), REPOS.frame())
    some = hubframe.summary(small())
    columns = ["metric", "unit", "meaning", "paper", "paper_value", "paper_note"]
    assert_frame_equal(nothing[columns], some[columns])
    assert nothing["metric"].is_unique
    assert nothing["metric"].tolist() == [figure.metric for figure in (*MAKE_UP, *SHARING)]
    assert nothing["value"].dropna().eq(0).all()


def test_figures_of_studies_say_whose_they_are():
    figures = hubframe.summary(LAYERS.frame())
    assert figures.loc[figures["paper_value"].notna(), "paper"].notna().all()
    assert (figures["paper"].notna() == figures["paper_note"].notna()).all()
    assert set(figures["unit"]) == {
        "bytes", "images", "layers", "repositories", "tags", "pulls", "ratio", "share",
    }  # fmt: skip


def test_wrong_frames_are_told_what_they_lack():
    with pytest.raises(ValueError, match="not the images frame: it lacks the column index_digest"):
        hubframe.summary(LAYERS.frame(), IMAGES.frame().drop(columns="index_digest"))
    with pytest.raises(ValueError, match="not the repos frame: it lacks the column pull_count"):
        hubframe.summary(LAYERS.frame(), repos=LAYERS.frame())
    with pytest.raises(ValueError, match="not the layers frame"):
        hubframe.summary(REPOS.frame(), IMAGES.frame())


@given(worlds(), st.integers(0, 99))
def test_figures_agree_with_the_frames_they_sum_up(layers, seed):
    figures = hubframe.summary(layers)
    assert_frame_equal(hubframe.summary(shuffled(layers, seed)), figures)
    found = values(figures)
    shared = hubframe.shared_layers_df(layers)
    images = hubframe.footprint_df(layers, by="image")
    assert found["referenced_size"] == images["total_size"].sum()
    assert found["stored_size"] == shared["size"].sum()
    assert found["referenced_size"] - found["stored_size"] == shared["saved_size"].sum()
    assert found["image_count"] == len(images)
    if len(shared):
        assert found["single_reference_share"] == pytest.approx((shared["image_count"] == 1).mean())
        assert found["layer_sharing_ratio"] >= 1


@pytest.mark.usefixtures("sample")
def test_on_the_sample():
    repos = hubframe.repos_df(["library", "ansible"])
    layers, images = hubframe.layers_df(repos), hubframe.images_df(repos)
    found = values(hubframe.summary(layers, images, repos))
    assert found["layer_sharing_ratio"] > 1
    assert 0 < found["alias_ratio"] < 1
    assert found["pull_count_max"] == repos["pull_count"].max()
    assert found["tag_count"] == len(images[["repo", "tag"]].drop_duplicates())


def test_the_page_prints_what_it_says():
    # The fences would be taken for output.
    plain = re.sub(r"^```.*$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(plain, {}, PAGE.name, str(PAGE), 0)
    before = use(None)
    try:
        result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples)
    finally:
        switched = use(before)
        if switched:
            switched.close()
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.usefixtures("sample")
def test_the_recipe_for_docker_hub_takes_two_requests_a_repository_and_no_pull():
    repos = hubframe.repos_df("library").nlargest(100, "pull_count")
    latest = [f"{repo}:latest" for repo in repos["repo"]]
    with hubframe.refresh():
        layers = hubframe.layers_df(latest, source="hub", errors="collect")
    images = hubframe.images_df(latest, source="hub", errors="collect")
    assert layers.attrs["hubframe"]["source"] == "hub"
    assert layers.attrs["hubframe"]["requests"] == 2 * len(latest)
    assert images.attrs["hubframe"]["requests"] == 0
    assert values(hubframe.summary(layers, images, repos))["repo_count"] == len(repos)

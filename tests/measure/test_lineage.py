"""Which image an image was built on, and whether that one is outdated."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.tables import TAGS
from hubframe.tables.measured import OUTDATED, PARENTS

from .worlds import dtypes, frame, layer, shuffled, size, worlds

ARM = {"platform": "linux/arm64"}


def tags(*rows):
    """Tags of one repository each: name, digest, day of the push."""
    return TAGS.from_records(
        {
            "repo": name.partition(":")[0],
            "tag": name.partition(":")[2],
            "digest": digest,
            "pushed_at": day,
            "is_digest_tag": False,
        }
        for name, digest, day in rows
    )


def parents(layers, *arguments):
    """Parent of each image, by name."""
    found = hubframe.parents_df(layers, *arguments)
    names = found["repo"] + ":" + found["tag"]
    of = found["parent_repo"] + ":" + found["parent_tag"]
    return dict(zip(names, of.astype(object).where(of.notna(), None), strict=True))


def test_the_parent_has_the_longest_proper_prefix():
    layers = frame(
        layer("n/base:1", "a", digest="sha256:1"),
        layer("n/lang:1", "ab", digest="sha256:2"),
        layer("n/app:1", "abc", digest="sha256:3"),
        layer("n/other:1", "acb", digest="sha256:4"),
        layer("n/alone:1", "ba", digest="sha256:5"),
    )
    assert parents(layers) == {
        "n/alone:1": None,
        "n/app:1": "n/lang:1",
        "n/base:1": None,
        "n/lang:1": "n/base:1",
        "n/other:1": "n/base:1",
    }
    app = hubframe.parents_df(layers).set_index("repo").loc["n/app"]
    assert app[["layer_count", "size", "parent_layer_count", "parent_size"]].tolist() == [
        3,
        7,
        2,
        3,
    ]
    assert app[["candidate_count", "growth_size"]].tolist() == [1, 4]
    assert app["growth_ratio"] == pytest.approx(7 / 3)
    assert app["parent_image_digest"] == "sha256:2"


def test_an_image_is_not_its_own_parent_under_another_name():
    layers = frame(
        layer("n/a:1", "ab", digest="sha256:1"),
        layer("n/a:latest", "ab", digest="sha256:1"),
        layer("n/b:1", "ab", digest="sha256:2"),
    )
    assert set(parents(layers).values()) == {None}


def test_official_images_come_first_then_the_oldest_push():
    layers = frame(
        layer("a/copy:1", "a", digest="sha256:1", created="2020-01-01T00:00:00Z"),
        layer("library/base:2", "a", digest="sha256:2", created="2021-01-01T00:00:00Z"),
        layer("library/base:3", "a", digest="sha256:3", created="2022-01-01T00:00:00Z"),
        layer("n/app:1", "ab", digest="sha256:4"),
    )
    pushes = tags(("library/base:2", None, "2023-01-02"), ("library/base:3", None, "2023-01-01"))
    assert parents(layers)["n/app:1"] == "library/base:2"
    assert parents(layers, pushes)["n/app:1"] == "library/base:3"
    unofficial = layers[~layers["repo"].str.startswith("library")]
    assert parents(unofficial)["n/app:1"] == "a/copy:1"
    found = hubframe.parents_df(layers).set_index("repo")
    assert found.loc["n/app", "candidate_count"] == 3


def test_a_parent_has_the_same_platform_however_it_is_spelled():
    layers = frame(
        layer("n/base:1", "a", digest="sha256:1"),
        layer("n/arm:1", "a", digest="sha256:2", platform="linux/arm64/v8"),
        layer("n/app:1", "ab", digest="sha256:3", **ARM),
    )
    assert parents(layers)["n/app:1"] == "n/arm:1"
    assert parents(layers[layers["repo"] != "n/arm"])["n/app:1"] is None


def test_attestations_are_no_images_and_unknown_sizes_are_not_guessed():
    layers = frame(
        layer("n/base:1", "a", digest="sha256:1", sizes={"a": None}),
        layer("n/app:1", "ab", digest="sha256:2", sizes={"a": None}),
        layer("n/app:1", "c", digest="sha256:3", platform="unknown/unknown"),
    )
    found = hubframe.parents_df(layers)
    assert found["repo"].tolist() == ["n/app", "n/base"]
    assert found.loc[0, "parent_repo"] == "n/base"
    assert found[["size", "parent_size", "growth_size", "growth_ratio"]].isna().all(axis=None)


@given(worlds(), st.integers(0, 99))
def test_parents_are_what_comparing_all_says(layers, seed):
    found = hubframe.parents_df(layers)
    assert dtypes(found) == PARENTS.dtypes
    assert not found.duplicated(list(PARENTS.key)).any()
    assert_frame_equal(hubframe.parents_df(shuffled(layers, seed)), found)
    key = ["repo", "tag", "platform", "image_digest"]
    stacks = {
        tuple("" if pd.isna(part) else part for part in name): "".join(
            rows.sort_values("position")["layer_digest"]
        )
        for name, rows in layers.groupby(key, dropna=False)
    }
    assert len(found) == len(stacks)
    for row in found.fillna(dict.fromkeys(found.select_dtypes("str"), "")).itertuples():
        own = stacks[row.repo, row.tag, row.platform, row.image_digest]
        prefixes = [
            stack
            for name, stack in stacks.items()
            if name[2] == row.platform and len(stack) < len(own) and own.startswith(stack)
        ]
        best = max(prefixes, key=len, default=None)
        assert bool(row.parent_repo) == (best is not None)
        assert row.size == sum(map(size, own))
        if best is not None:
            parent = row.parent_repo, row.parent_tag, row.parent_platform, row.parent_image_digest
            assert stacks[parent] == best
            assert row.growth_size == sum(map(size, own[len(best) :]))


def outdated(layers, listed):
    found = hubframe.outdated_df(layers, listed)
    assert dtypes(found) == OUTDATED.dtypes
    assert_frame_equal(hubframe.outdated_df(shuffled(layers), shuffled(listed)), found)
    return [
        (f"{row.repo}:{row.tag}", row.parent_tag, row.newer_tag, row.lag_days)
        for row in found.itertuples()
    ]


def test_a_release_whose_shorter_tag_moved_on_is_outdated():
    layers = frame(
        layer("library/base:3.18.2", "a", digest="sha256:m1"),
        layer("n/app:1", "ab", digest="sha256:m2"),
    )
    old = ("library/base:3.18.2", "sha256:1", "2024-01-01T00:00:00Z")
    now = ("library/base:3.18", "sha256:2", "2024-01-31T12:00:00Z")
    assert outdated(layers, tags(old, now)) == [("n/app:1", "3.18.2", "3.18", 30.5)]
    still = ("library/base:3.18", "sha256:1", "2024-01-31T12:00:00Z")
    assert outdated(layers, tags(old, still)) == []
    behind = ("library/base:3.18", "sha256:2", "2023-12-31T00:00:00Z")
    assert outdated(layers, tags(old, behind)) == []


@pytest.mark.parametrize(
    ("parent", "others", "newer"),
    [
        ("1.2.3", ["1.2.4", "1.2.10", "1.3.0", "1.2.11-alpine", "1.2.12rc1"], "1.2.10"),
        ("1.2.3-slim", ["1.2.4", "1.2.9-slim"], "1.2.9-slim"),
        ("v1.2", ["v1", "v1.3"], "v1"),
        ("3.15.0rc1-slim", ["3.15.0-slim", "3.15.1-slim"], "3.15.0-slim"),
        ("bookworm-20240110-slim", ["bookworm-slim", "bookworm"], "bookworm-slim"),
        (
            "noble-20240110",
            ["noble-20240210", "noble-20231210", "jammy-20250101"],
            "noble-20240210",
        ),
        ("20240110", ["20240211", "3"], "20240211"),
        ("12", ["13", "12.1"], None),
        ("8-rc", ["9"], None),
        ("latest", ["13"], None),
        ("1.2.3", ["2.0.0"], None),
    ],
)
def test_the_tag_of_a_parent_is_read_from_its_name(parent, others, newer):
    layers = frame(
        layer(f"library/base:{parent}", "a", digest="sha256:m1"),
        layer("n/app:1", "ab", digest="sha256:m2"),
    )
    listed = tags(
        (f"library/base:{parent}", "sha256:1", "2024-01-01T00:00:00Z"),
        *((f"library/base:{tag}", f"sha256:{tag}", "2024-02-01T00:00:00Z") for tag in others),
    )
    expected = [] if newer is None else [("n/app:1", parent, newer, 31.0)]
    assert outdated(layers, listed) == expected


def test_all_names_of_the_parent_count_and_the_first_push_of_each_image():
    layers = frame(
        layer("library/base:bookworm", "a", digest="sha256:m1"),
        layer("n/app:1", "ab", digest="sha256:m2"),
    )
    current = [
        ("library/base:12", "sha256:1", "2024-01-01T00:02:00Z"),
        ("library/base:12.4", "sha256:1", "2024-01-01T00:00:00Z"),
        ("library/base:bookworm", "sha256:1", "2024-01-01T00:01:00Z"),
    ]
    assert outdated(layers, tags(*current)) == []
    moved = [
        ("library/base:12", "sha256:2", "2024-03-01T00:00:00Z"),
        ("library/base:12.5", "sha256:2", "2024-02-01T00:00:00Z"),
    ]
    assert outdated(layers, tags(*moved, *current[1:])) == [("n/app:1", "bookworm", "12", 31.0)]


def test_a_newer_push_of_the_same_layers_is_not_newer():
    layers = frame(
        layer("library/base:1.1", "a", digest="sha256:m1"),
        layer("library/base:1", "a", digest="sha256:m3"),
        layer("n/app:1", "ab", digest="sha256:m2"),
    )
    listed = tags(
        ("library/base:1.1", "sha256:1", "2024-01-01T00:00:00Z"),
        ("library/base:1", "sha256:2", "2024-02-01T00:00:00Z"),
    )
    assert outdated(layers, listed) == []


def test_a_tag_at_several_times_is_outdated_by_itself():
    layers = frame(
        layer("library/base:1", "a", digest="sha256:1"),
        layer("library/base:1", "c", digest="sha256:2"),
        layer("n/app:1", "ab", digest="sha256:m2"),
    )
    listed = tags(
        ("library/base:1", "sha256:1", "2024-01-01T00:00:00Z"),
        ("library/base:1", "sha256:2", "2024-01-11T00:00:00Z"),
    )
    assert outdated(layers, listed) == [("n/app:1", "1", "1", 10.0)]
    assert outdated(layers, tags(("library/base:1", "sha256:1", "2024-01-12T00:00:00Z"))) == []


def test_of_an_index_at_several_times_the_build_tells_which_came_later():
    def built(first, second):
        return frame(
            layer("library/base:1", "a", digest="sha256:m1", created=first),
            layer("library/base:1", "c", digest="sha256:m2", created=second),
            layer("n/app:1", "ab", digest="sha256:m3"),
        )

    listed = tags(("library/base:1", "sha256:index", "2024-01-11T00:00:00Z"))
    earlier, later = "2024-01-01T00:00:00Z", "2024-01-10T00:00:00Z"
    found = hubframe.outdated_df(built(earlier, later), listed)
    assert found["newer_tag"].tolist() == ["1"]
    assert found["lag_days"].isna().all()
    assert hubframe.outdated_df(built(later, earlier), listed).empty
    assert hubframe.outdated_df(built(None, None), listed).empty


def test_images_without_digest_or_platform_are_judged_too():
    nameless = {"digest": None, "platform": None}
    layers = frame(
        layer("library/base:1.1", "a", **nameless),
        layer("n/app:1", "ab", **nameless),
    )
    listed = tags(
        ("library/base:1.1", "sha256:1", "2024-01-01T00:00:00Z"),
        ("library/base:1", "sha256:2", "2024-01-03T00:00:00Z"),
    )
    assert outdated(layers, listed) == [("n/app:1", "1.1", "1", 2.0)]
    several = pd.concat(
        [layers, frame(layer("library/base:1.1", "c", digest="sha256:9", platform=None))]
    )
    assert outdated(several, listed) == [("n/app:1", "1.1", "1", 2.0)]


def test_without_dates_a_lag_is_not_known_and_without_tags_nothing_is_judged():
    layers = frame(
        layer("ghcr.io/base:1.1", "a", digest="sha256:m1"),
        layer("n/app:1", "ab", digest="sha256:m2"),
    )
    listed = tags(("ghcr.io/base:1.1", "sha256:1", None), ("ghcr.io/base:1", "sha256:2", None))
    found = hubframe.outdated_df(layers, listed)
    assert found["newer_digest"].tolist() == ["sha256:2"]
    assert found["lag_days"].isna().all()
    assert hubframe.outdated_df(layers, tags()).empty


@pytest.mark.parametrize(
    "function", [hubframe.parents_df, lambda f: hubframe.outdated_df(f, tags())]
)
def test_nothing_gives_nothing_and_a_wrong_frame_an_error(function):
    nothing = function(frame())
    assert nothing.empty
    assert dtypes(nothing) in (PARENTS.dtypes, OUTDATED.dtypes)
    with pytest.raises(ValueError, match="layers frame: it lacks the column layer_digest"):
        function(frame().drop(columns="layer_digest"))
    with pytest.raises(TypeError, match="layers frame"):
        function("nginx")


def test_tags_must_be_tags():
    with pytest.raises(ValueError, match="tags frame: it lacks the column pushed_at"):
        hubframe.parents_df(frame(), tags().drop(columns="pushed_at"))
    with pytest.raises(ValueError, match="tags frame: it lacks the column digest"):
        hubframe.outdated_df(frame(), tags().drop(columns="digest"))


@pytest.mark.usefixtures("sample")
def test_the_sample_knows_its_parents():
    repos = ["ansible/ansible", "library/python", "library/debian"]
    layers = hubframe.layers_df(repos)
    listed = hubframe.tags_df(repos)
    found = hubframe.parents_df(layers, listed).set_index(["repo", "tag"])
    newest = found.loc[("ansible/ansible", "13.4.0")]
    assert newest[["parent_repo", "parent_tag"]].tolist() == ["library/python", "3.15.0-slim"]
    assert found.loc["library/debian"]["parent_repo"].isna().all()
    assert (found["growth_size"].dropna() > 0).all()
    late = hubframe.outdated_df(layers, listed).set_index(["repo", "tag"])
    runner = late.loc[("ansible/ansible", "12.3.0")]
    assert runner[["parent_tag", "newer_tag"]].tolist() == ["3.14.0-slim", "3.14.3-slim"]
    assert ("ansible/ansible", "13.4.0") not in late.index

"""Where the size of releases came from."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.measure import most_grown, threads
from hubframe.tables import LAYERS
from hubframe.tables.measured import SIZE_TREND

from .worlds import dtypes, shuffled


def release(tag, *steps, repo="n/a", platform="linux/amd64", digest=None):
    """Layers of a release: pairs of instruction and size."""
    return LAYERS.from_records(
        {
            "repo": repo,
            "tag": tag,
            "platform": platform,
            "image_digest": digest or f"sha256:{repo}{tag}{platform}",
            "position": position,
            "layer_digest": f"sha256:{tag}{position}",
            "size": size,
            "instruction": instruction,
            "created_at": f"2026-01-{position + 1:02}T00:00:00Z",
            "is_empty": False,
        }
        for position, (instruction, size) in enumerate(steps)
    )


def trend(*releases):
    return hubframe.size_trend_df(pd.concat(releases, ignore_index=True))


def test_the_step_that_grew_is_named_whatever_version_it_installs():
    found = trend(
        release("1.10.0", ("ADD base", 100), ("RUN install app-1.10.0", 70)),
        release("1.9.0", ("ADD base", 100), ("RUN install app-1.9.0", 40)),
    )
    assert found["tag"].tolist() == ["1.9.0", "1.9.0", "1.10.0", "1.10.0"]
    assert found["release"].tolist() == [0, 0, 1, 1]
    assert found["total_size"].tolist() == [140, 140, 170, 170]
    assert found["change"].tolist() == [pd.NA, pd.NA, 0, 30]
    assert found["total_change"].tolist() == [pd.NA, pd.NA, 30, 30]
    assert found["instruction"].iloc[-1] == "RUN install app-1.10.0"
    assert found["previous_tag"].iloc[-1] == "1.9.0"
    assert found["created_at"].iloc[-1] == pd.Timestamp("2026-01-02", tz="UTC")


def test_a_step_that_is_new_and_one_that_is_gone():
    found = trend(
        release("1", ("ADD base", 100), ("COPY docs", 5)),
        release("2", ("ADD base", 90), ("RUN more", 7)),
    )
    of_two = found[found["tag"] == "2"].set_index("instruction")
    assert of_two["change"].to_dict() == {"ADD base": -10, "RUN more": 7, "COPY docs": -5}
    assert of_two.loc["COPY docs", "step"] is pd.NA
    assert of_two.loc["COPY docs", ["size", "previous_size"]].tolist() == [0, 5]
    assert of_two["total_change"].tolist() == [-8] * 3


def changes(found, tag):
    rows = found[found["tag"] == tag]
    columns = ["previous_instruction", "instruction", "matched_by", "change"]
    return rows[columns].astype(object).where(rows[columns].notna(), None).to_numpy().tolist()


def test_what_was_replaced_is_the_counterpart_of_what_stands_in_its_place():
    found = trend(
        release("1", ("ADD bookworm in /", 280), ("RUN make", 130), ("COPY docs", 5)),
        release("2", ("RUN # debian trixie", 297), ("RUN make", 260), ("COPY start", 6)),
    )
    assert changes(found, "2") == [
        ["ADD bookworm in /", "RUN # debian trixie", "place", 17],
        ["RUN make", "RUN make", "instruction", 130],
        ["COPY docs", "COPY start", "place", 1],
    ]


def test_a_step_that_moved_is_known_again():
    found = trend(
        release("1", ("ADD base", 100), ("RUN app-1", 50), ("COPY docs", 5)),
        release("2", ("ADD base", 100), ("COPY docs", 5), ("RUN app-2", 60)),
    )
    assert [row[3] for row in changes(found, "2")] == [0, 0, 10]
    assert {row[2] for row in changes(found, "2")} == {"layer", "instruction", "pattern"} - {
        "layer"
    }
    assert found[found["tag"] == "2"]["previous_step"].tolist() == [0, 2, 1]


def test_of_several_steps_the_likest_is_the_counterpart():
    found = trend(
        release("1", ("RUN apt install curl", 30), ("RUN make with all flags", 70)),
        release("2", ("RUN make with few flags", 60), ("COPY docs", 5)),
    )
    assert changes(found, "2") == [
        ["RUN make with all flags", "RUN make with few flags", "place", -10],
        [None, "COPY docs", None, 5],
        ["RUN apt install curl", "RUN apt install curl", None, -30],
    ]


def test_without_history_layers_are_known_by_digest():
    layers = pd.concat(
        [release("1", (None, 1), (None, 2)), release("2", *[(None, n) for n in (1, 9, 2)])]
    )
    layers["layer_digest"] = ["a", "b", "a", "x", "b"]
    found = hubframe.size_trend_df(layers.reset_index(drop=True))
    assert [row[2:] for row in changes(found, "2")] == [["layer", 0], [None, 9], ["layer", 0]]


def test_the_sample_names_what_made_redis_grow():
    with hubframe.sample():
        found = hubframe.size_trend_df(hubframe.layers_df("library/redis"))
    grown = found[found["tag"] == "8.2.1"].set_index("step")
    assert grown["total_change"].iloc[0] == 14_719_602
    assert grown["change"].to_dict() == {0: 1_703_395, 1: -3, 2: 13_016_210, 3: 0, 4: 0, 5: 0}
    assert grown.loc[0, "matched_by"] == "place"


def test_steps_are_followed_through_a_line():
    found = trend(
        release("1", ("ADD bookworm", 9), ("RUN a-1", 1)),
        release("2", ("ADD trixie", 8), ("COPY b", 3), ("RUN a-2", 2)),
        release("3", ("COPY b", 4), ("RUN a-3", 2)),
    )
    of = threads(found).groupby(found["release"]).agg(list).tolist()
    base, app, copied = 0, 1, of[1][1]
    assert of == [[base, app], [base, copied, app], [copied, app, base]]


def test_lines_are_kept_apart_and_moving_names_are_no_releases():
    found = trend(
        release("1.2", ("A", 1)),
        release("1.2.3", ("A", 1)),
        release("1.2.3-alpine", ("A", 2)),
        release("v1.2.4", ("A", 3)),
        release("1.3.0-rc1", ("A", 4)),
        release("latest", ("A", 5)),
        release("20240101", ("A", 6)),
        release("sha256-" + "0" * 64, ("A", 7)),
        release("1.2.3", ("A", 8), platform="linux/arm64"),
    )
    lines = found.groupby(["line", "platform"])["tag"].agg(list).to_dict()
    assert lines == {
        ("*", "linux/amd64"): ["1.2.3", "v1.2.4"],
        ("*", "linux/arm64"): ["1.2.3"],
        ("*-alpine", "linux/amd64"): ["1.2.3-alpine"],
        ("<day>", "linux/amd64"): ["20240101"],
    }


def test_steps_without_history_are_matched_by_position():
    found = trend(release("1", (None, 3), (None, 4)), release("2", (None, 3), (None, 9)))
    assert found[found["tag"] == "2"]["change"].tolist() == [0, 5]


def test_a_size_that_nobody_knows_is_no_zero():
    found = trend(
        release("1", ("A", 3), ("B", None)),
        release("2", ("A", 5), ("B", 2)),
        release("3", ("A", 5), ("B", 3)),
    )
    assert found["total_size"].tolist() == [pd.NA, pd.NA, 7, 7, 8, 8]
    assert found["change"].tolist() == [pd.NA, pd.NA, 2, pd.NA, 0, 1]
    assert found["total_change"].tolist() == [pd.NA] * 4 + [1, 1]


def test_images_without_a_platform_are_a_line_too():
    found = trend(
        release("1", ("A", 1), platform=None, digest="sha256:1"),
        release("2", ("A", 3), platform=None, digest="sha256:2"),
    )
    assert found["total_change"].tolist() == [pd.NA, 2]


def test_no_layers_give_no_rows_and_the_same_columns():
    found = hubframe.size_trend_df(LAYERS.frame())
    assert len(found) == 0
    assert dtypes(found) == SIZE_TREND.dtypes


def test_another_frame_is_refused():
    with pytest.raises(ValueError, match=r"lacks the columns .*instruction"):
        hubframe.size_trend_df(pd.DataFrame({"repo": ["a/b"]}))


_RELEASES = st.dictionaries(
    st.sampled_from(["1", "1.1", "1.2", "1.2.1", "2-slim", "2.1-slim", "edge"]),
    st.lists(
        st.tuples(st.sampled_from(["RUN a 1", "RUN a 2", "COPY b", None]), st.integers(0, 99)),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
)


_SAID = ["FROM x", "RUN a 1", "RUN a 2", "RUN b", "RUN b c", "COPY b", "COPY c", None]
_STEPS = st.lists(st.tuples(st.sampled_from(_SAID), st.integers(0, 99)), max_size=6)


@given(_STEPS, _STEPS)
def test_no_step_comes_and_goes_that_has_a_counterpart(before, after):
    layers = pd.concat([release("1", ("ADD z", 1), *before), release("2", ("ADD z", 1), *after)])
    found = hubframe.size_trend_df(layers.reset_index(drop=True))
    found = found[found["release"] == 1]
    assert found["size"].sum() == found["total_size"].iloc[0]
    assert found["change"].sum() == sum(s for _, s in after) - sum(s for _, s in before)
    # Each layer of either release stands in one row.
    assert sorted(found["step"].dropna()) == list(range(len(after) + 1))
    assert sorted(found["previous_step"].dropna()) == list(range(len(before) + 1))
    came = found[found["previous_step"].isna()]["instruction"].dropna()
    went = found[found["step"].isna()]["instruction"].dropna()
    pattern = {"RUN a 1": "RUN a", "RUN a 2": "RUN a"}
    assert not {pattern.get(s, s) for s in came} & {pattern.get(s, s) for s in went}
    paired = found.dropna(subset=["step", "previous_step"])
    assert paired["matched_by"].notna().all()
    for row in paired.itertuples():
        if row.matched_by == "instruction":
            assert row.instruction == row.previous_instruction
        elif row.matched_by == "pattern":
            assert pattern[row.instruction] == pattern[row.previous_instruction]
        elif row.matched_by == "place" and isinstance(row.instruction, str):
            assert row.instruction.split()[0] == row.previous_instruction.split()[0]
    # Guesses are in order: none stands before another one and after its counterpart.
    guessed = paired[paired["matched_by"] == "place"].sort_values("step")
    assert guessed["previous_step"].is_monotonic_increasing
    assert not found.duplicated(list(SIZE_TREND.key)).any()


@given(_RELEASES, st.integers(0, 9))
def test_steps_sum_up_to_their_release_in_any_order_of_rows(given, seed):
    layers = pd.concat([release(tag, *steps) for tag, steps in given.items()], ignore_index=True)
    found = hubframe.size_trend_df(layers)
    assert_frame_equal(found, hubframe.size_trend_df(shuffled(layers, seed)))
    assert dtypes(found) == SIZE_TREND.dtypes
    for (tag, release_number), steps in found.groupby(["tag", "release"]):
        assert steps["size"].sum() == steps["total_size"].iloc[0]
        assert steps["total_size"].iloc[0] == sum(size for _, size in given[tag])
        if release_number:
            assert steps["change"].sum() == steps["total_change"].iloc[0]
            before = sum(size for _, size in given[steps["previous_tag"].iloc[0]])
            assert steps["total_size"].iloc[0] - before == steps["total_change"].iloc[0]


def test_on_the_sample():
    with hubframe.sample():
        layers = hubframe.layers_df(["library/python", "acme/api"])
    found = hubframe.size_trend_df(layers)
    sizes = layers.groupby(["repo", "tag"])["size"].sum()
    for (repo, tag), total in found.groupby(["repo", "tag"])["total_size"].first().items():
        assert sizes[repo, tag] == total
    assert set(found["line"]) >= {"*", "*-alpine", "*-slim"}


def test_the_line_that_grew_most():
    sizes = {"1.0": 10, "1.1": 50, "1.0-slim": 5, "1.1-slim": 4}
    found = trend(*(release(tag, ("ADD base", size)) for tag, size in sizes.items()))
    assert set(most_grown(found)["tag"]) == {"1.0", "1.1"}
    assert most_grown(found[found["line"] == "*-slim"]).empty
    assert most_grown(found.iloc[:0]).empty

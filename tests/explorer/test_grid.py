"""The table: a page at a time, sorted and chosen in Python."""

import json

import pandas as pd
import pytest

import hubframe
from hubframe.apps.explorer.grid import Grid
from hubframe.grid import PAGE
from hubframe.tables import TABLES

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def frame():
    names = [f"1.{minor}" for minor in range(40)]
    return pd.DataFrame({"tag": names, "size": [minor % 7 for minor in range(40)]})


def grid_of(frame, **options):
    grid = Grid("Tags", key=("tag",), many=True, **options)
    grid.show(frame)
    return grid


def first(grid):
    return [row[0][0] for row in grid.page["rows"]]


def name(grid, place):
    return grid.page["names"][place]


def say(grid, **message):
    grid._heard(grid, message, [])


def test_a_page_is_all_that_is_sent(frame):
    grid = grid_of(frame)
    assert len(grid.page["rows"]) == PAGE
    assert (grid.page["start"], grid.page["count"], grid.page["pages"]) == (0, 40, 3)
    say(grid, kind="turn", page=2)
    assert first(grid)[-1] == "1.39"
    say(grid, kind="turn", page=99)
    assert grid.page["page"] == 2


def test_columns_sort_up_down_and_back_and_tags_by_version(frame):
    grid = grid_of(frame)
    say(grid, kind="sort", name="tag")
    assert first(grid)[:3] == ["1.0", "1.1", "1.2"]
    say(grid, kind="sort", name="tag")
    assert first(grid)[:3] == ["1.39", "1.38", "1.37"]
    say(grid, kind="sort", name="tag")
    assert first(grid)[:3] == ["1.0", "1.1", "1.2"]
    assert grid.page["order"] is None
    say(grid, kind="sort", name="size")
    assert grid.frame["size"].tolist() == sorted(frame["size"])


def test_nulls_sort_last_both_ways():
    grid = grid_of(pd.DataFrame({"tag": ["a", "b", "c"], "size": pd.array([None, 2, 1], "Int64")}))
    grid.sort("size")
    assert first(grid) == ["c", "b", "a"]
    grid.sort("size")
    assert first(grid) == ["b", "c", "a"]


def test_rows_are_chosen_by_key_and_stay_so(frame):
    told = []
    grid = grid_of(frame, chose=told.append)
    say(grid, kind="choose", name=name(grid, 3), how="only")
    say(grid, kind="choose", name=name(grid, 1), how="toggle")
    assert told[-1] == [("1.3",), ("1.1",)]
    say(grid, kind="choose", name=name(grid, 3), how="toggle")
    assert told[-1] == [("1.1",)]
    grid.sort("tag")
    grid.sort("tag")
    grid.turn(2)
    assert grid.page["chosen"].index(True) == first(grid).index("1.1")


def test_a_row_that_the_browser_shows_is_chosen_wherever_it_is_by_now(frame):
    """A click comes later than the filter that was typed before it."""
    grid = grid_of(frame)
    seen, gone = name(grid, 3), name(grid, 4)
    grid.show(frame[3:4])
    say(grid, kind="choose", name=seen, how="toggle")
    assert grid.chosen == [("1.3",)]
    say(grid, kind="choose", name=gone, how="toggle")
    assert grid.chosen == [("1.3",)]


@pytest.mark.parametrize("direction", [(2, 5), (5, 2)])
def test_shift_chooses_all_between(frame, direction):
    grid = grid_of(frame)
    grid.choose(name(grid, direction[0]))
    grid.choose(name(grid, direction[1]), how="through")
    assert {tag for (tag,) in grid.chosen} == {"1.2", "1.3", "1.4", "1.5"}


def test_a_table_without_a_key_chooses_nothing(frame):
    grid = Grid("Frame")
    grid.show(frame)
    say(grid, kind="choose", name='["1.1"]', how="only")
    assert not grid.chosen
    assert not grid.page["names"]
    assert grid.page["chosen"] is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        "sort",
        {"kind": "sort", "name": "no such column"},
        {"kind": "sort"},
        {"kind": "choose", "name": "no such row", "how": "only"},
        {"kind": "choose", "name": 0, "how": "only"},
        {"kind": "turn", "page": "1"},
        {"kind": "size", "size": 10**9},
        {"kind": "column", "name": "no such column", "isShown": True},
        {"kind": "column", "name": "size", "isShown": "yes"},
        {"kind": "filter", "text": "where no field for it is"},
    ],
)
def test_what_nobody_can_click_does_nothing(frame, message):
    grid = grid_of(frame)
    before = json.dumps(grid.page)
    grid._heard(grid, message, [])
    assert json.dumps(grid.page) == before
    assert not grid.chosen


def test_what_strangers_wrote_is_sent_as_text_and_leads_nowhere():
    grid = Grid("Frame")
    grid.show(pd.DataFrame({"value": [HOSTILE, "javascript:alert(1)", "https://example.com/a"]}))
    rows = [row[0] for row in grid.page["rows"]]
    assert [text for text, *_ in rows] == [HOSTILE, "javascript:alert(1)", "https://example.com/a"]
    assert [href for *_, href in rows] == ["", "", "https://example.com/a"]


def test_an_empty_frame_says_so():
    grid = Grid("Frame")
    grid.show(pd.DataFrame({"tag": []}), nothing="No tag is like that.")
    assert (grid.page["count"], grid.page["nothing"]) == (0, "No tag is like that.")


def shown(grid):
    return [column["name"] for column in grid.page["columns"]]


def said(grid, name):
    (choice,) = (one for one in grid.page["choices"] if one["name"] == name)
    return choice


def test_what_all_rows_say_is_left_out_and_can_be_shown(frame):
    frame = frame.assign(repo="a/b", variant=pd.array([None] * 40, "str"))
    grid = grid_of(frame)
    assert shown(grid) == ["tag", "size"]
    assert (said(grid, "repo")["same"], said(grid, "repo")["isEmpty"]) == ("a/b", False)
    assert (said(grid, "variant")["same"], said(grid, "variant")["isEmpty"]) == (None, True)
    say(grid, kind="column", name="repo", isShown=True)
    say(grid, kind="column", name="size", isShown=False)
    assert shown(grid) == ["tag", "repo"]
    # What a person chose stays when other rows come.
    grid.show(frame.head(3))
    assert shown(grid) == ["tag", "repo"]
    for name in ("tag", "repo"):
        say(grid, kind="column", name=name, isShown=False)
    assert shown(grid) == ["repo"]


def test_a_row_alone_is_shown_whole(frame):
    assert shown(grid_of(frame.head(1))) == ["tag", "size"]


def test_a_part_is_judged_by_the_whole_and_the_name_of_rows_stays(frame):
    grid = Grid("Tags", key=("tag",))
    grid.show(frame[frame["size"] == 3], whole=frame)
    assert shown(grid) == ["tag", "size"]
    grid.show(frame[frame["tag"] == "1.1"].loc[[1, 1]])
    assert "tag" in shown(grid)


def test_columns_that_were_not_named_can_be_shown(frame):
    grid = Grid("Tags")
    grid.show(frame, ["size"])
    assert shown(grid) == ["size"]
    say(grid, kind="column", name="tag", isShown=True)
    assert shown(grid) == ["size", "tag"]


def test_meanings_are_those_of_the_frames_own_table(sample):  # noqa: ARG001 - it is there meanwhile
    tags = hubframe.tags_df("ansible/ansible")
    layers = hubframe.layers_df("ansible/ansible", newest=2)
    for frame, name in (
        (tags, "tags"),
        (layers, "layers"),
        (hubframe.size_trend_df(layers), "size_trend"),
    ):
        grid = Grid("Frame")
        grid.show(frame)
        meanings = {column.name: column.meaning for column in TABLES[name].columns}
        assert {one["name"]: one["about"] for one in grid.page["choices"]} == meanings


def test_a_frame_of_no_table_has_only_meanings_that_all_tables_share():
    grid = Grid("Frame")
    grid.show(pd.DataFrame({"size": [1, 2], "mine": [1, 2], "repo": ["a/b", "a/c"]}))
    assert said(grid, "mine")["about"] == said(grid, "size")["about"] == ""


def test_what_numbers_count_is_told_by_the_frames_own_columns():
    grid = Grid("Frame")
    grid.show(pd.DataFrame({"tag": ["1.0", "1.1"], "change": [1000, 2000]}))
    assert [cells[1][0] for cells in grid.page["rows"]] == [
        "1\N{NO-BREAK SPACE}kB",
        "2\N{NO-BREAK SPACE}kB",
    ]
    grid.show(
        TABLES["pulls_over_time"].from_records(
            [{"repo": "a/b", "change": 1000}, {"repo": "a/c", "change": 2000}]
        ),
        ["change"],
    )
    assert [cells[0][0] for cells in grid.page["rows"]] == ["1,000", "2,000"]


def test_a_filter_looks_for_words_in_what_is_on_screen(frame):
    frame = frame.assign(repo=["a/b", "a/c"] * 20)
    grid = grid_of(frame, can_filter=True)
    say(grid, kind="filter", text="A/C 1.3")
    assert first(grid) == ["1.3", "1.31", "1.33", "1.35", "1.37", "1.39"]
    assert (grid.page["count"], grid.page["total"]) == (6, 40)
    say(grid, kind="sort", name="tag")
    say(grid, kind="sort", name="tag")
    assert first(grid) == ["1.39", "1.37", "1.35", "1.33", "1.31", "1.3"]
    assert grid.frame["tag"].tolist() == first(grid)
    say(grid, kind="column", name="repo", isShown=False)
    assert grid.page["count"] == 0


def test_all_that_the_filter_left_are_chosen(frame):
    told = []
    grid = grid_of(frame, chose=told.append, can_filter=True)
    grid.choose(name(grid, 0))
    say(grid, kind="filter", text="1.3")
    say(grid, kind="all", isChosen=True)
    assert told[-1] == [("1.0",), ("1.3",), *((f"1.3{last}",) for last in range(10))]
    assert (grid.page["chosenCount"], grid.page["chosenHere"], grid.page["count"]) == (12, 11, 11)
    say(grid, kind="all", isChosen=False)
    assert told[-1] == [("1.0",)]


def test_a_page_has_as_many_rows_as_a_person_wants(frame):
    grid = grid_of(frame)
    grid.turn(2)
    say(grid, kind="size", size=50)
    assert len(grid.page["rows"]) == 40
    say(grid, kind="size", size=15)
    assert first(grid)[0] == "1.0"


def test_a_head_says_what_a_click_sorts_by(frame):
    grid = grid_of(frame.assign(is_odd=[False, True] * 20, name=frame["tag"] + "x"))
    assert said(grid, "tag")["hints"][:2] == (
        "the lowest version first",
        "the highest version first",
    )
    assert said(grid, "size")["hints"][0] == "the smallest first"
    assert said(grid, "is_odd")["hints"][1] == "yes first"
    assert said(grid, "name")["hints"] == ("A to Z", "Z to A", "as the rows came")


def test_values_that_have_no_order_are_shown_and_sorted():
    grid = Grid("Frame")
    grid.show(
        pd.DataFrame(
            {
                "mixed": [[2], "a", 1, None],
                "at": pd.to_datetime(["2026-01-02", None, "2026-01-01", "2025-01-01"]),
            }
        )
    )
    grid.sort("mixed")
    assert first(grid) == ["1", "[2]", "a", "\N{EN DASH}"]
    grid.sort("at")
    assert first(grid)[0] == "\N{EN DASH}"

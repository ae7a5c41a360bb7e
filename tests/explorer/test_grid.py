"""The table: a page at a time, sorted and chosen in Python."""

import json

import pandas as pd
import pytest

from hubframe.apps.explorer.grid import PAGE, Grid

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


def say(grid, **message):
    grid._heard(grid, message, [])


def test_a_page_is_all_that_is_sent(frame):
    grid = grid_of(frame)
    assert len(grid.page["rows"]) == PAGE
    assert grid.page["place"] == "1\N{EN DASH}15 of 40 rows"
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
    say(grid, kind="choose", place=3, how="only")
    say(grid, kind="choose", place=1, how="toggle")
    assert told[-1] == [("1.3",), ("1.1",)]
    say(grid, kind="choose", place=3, how="toggle")
    assert told[-1] == [("1.1",)]
    grid.sort("tag")
    grid.sort("tag")
    grid.turn(2)
    assert grid.page["chosen"].index(True) == first(grid).index("1.1")


@pytest.mark.parametrize("direction", [(2, 5), (5, 2)])
def test_shift_chooses_all_between(frame, direction):
    grid = grid_of(frame)
    grid.choose(direction[0])
    grid.choose(direction[1], how="through")
    assert {tag for (tag,) in grid.chosen} == {"1.2", "1.3", "1.4", "1.5"}


def test_a_table_without_a_key_chooses_nothing(frame):
    grid = Grid("Frame")
    grid.show(frame)
    say(grid, kind="choose", place=1, how="only")
    assert not grid.chosen
    assert grid.page["chosen"] is None


@pytest.mark.parametrize(
    "message",
    [
        None,
        "sort",
        {"kind": "sort", "name": "no such column"},
        {"kind": "sort"},
        {"kind": "choose", "place": -1, "how": "only"},
        {"kind": "choose", "place": 10**9, "how": "only"},
        {"kind": "turn", "page": "1"},
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
    assert grid.page["place"] == "No tag is like that."

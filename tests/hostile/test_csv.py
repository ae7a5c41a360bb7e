"""Frames as CSV: read back equal, and safe in a spreadsheet, whatever their cells hold."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from hubframe.errors import PayloadError
from hubframe.tables import TABLES
from hubframe.tables.files import guard, read_csv, write_csv
from tests.hostile.strategies import SNIPPETS, texts

rows = st.lists(st.tuples(texts, texts), min_size=1, max_size=6)
RUN = ("=", "+", "-", "@", "\t", "\r")


def labels(pairs):
    """A frame of labels, as `shape` would make it of these keys and values."""
    return TABLES["labels"].frame(
        {
            "repo": ["org/app"] * len(pairs),
            "tag": [None, *["3.10"] * (len(pairs) - 1)],
            "source": ["config"] * len(pairs),
            "key": [key for key, _ in pairs],
            "value": [value for _, value in pairs],
        }
    )


@given(rows)
@example([(snippet, snippet * 3) for snippet in SNIPPETS])
@example([(f"'{mark}", f"''{mark}1") for mark in RUN])
@example([("", ""), ("\r", "\n"), ("\r\n", '"'), ('"\r"', "a\rb\n")])
@example([("\x00", "a\x00b"), ("\ufeff", "\x1a")])
def test_a_frame_comes_back_equal(pairs):
    frame = labels(pairs)
    for verbatim in (False, True):
        written = write_csv(frame, verbatim=verbatim)
        read = read_csv(io.StringIO(written, newline=""), "labels", verbatim=verbatim)
        assert_frame_equal(read, frame)


@given(rows)
def test_a_file_comes_back_equal(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("csv") / "labels.csv"
    frame = labels(pairs)
    write_csv(frame, path)
    assert_frame_equal(read_csv(path, "labels"), frame)


@given(rows)
def test_no_cell_is_run_by_a_spreadsheet(pairs):
    frame = labels(pairs)
    guarded = guard(frame)
    for name in ("key", "value"):
        assert not guarded[name].str.startswith(RUN).any()
    written = write_csv(frame)
    # As other programs read it: they know no NUL, and take a lone CR for a line's end.
    if "\x00" not in written and "\r" not in written:
        for row in list(csv.reader(io.StringIO(written, newline="")))[1:]:
            assert not any(cell.startswith(RUN) for cell in row)
            assert len(row) == len(frame.columns)


@given(
    st.sampled_from(sorted(TABLES)),
    st.binary(max_size=200) | texts.map(lambda t: t.encode("utf-8", "replace")),
)
def test_any_file_is_read_or_refused_in_one_way(tmp_path_factory, name, body):
    path = tmp_path_factory.mktemp("csv") / "frame.csv"
    head = ",".join(TABLES[name].dtypes).encode()
    for content in (body, head + b"\n" + body):
        path.write_bytes(content)
        try:
            frame = read_csv(path, name)
        except PayloadError:
            continue
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == TABLES[name].dtypes


@given(st.lists(texts, min_size=1, max_size=3))
def test_any_frame_is_written(cells):
    frame = pd.DataFrame({"a": pd.Series(cells, dtype=object), "b": 1})
    clean = TABLES["catalog"].frame({"repo": cells})
    assert write_csv(clean) is not None
    assert write_csv(frame.drop(columns="a")) is not None


@pytest.mark.parametrize(
    "mark",
    ["=cmd|' /C calc'!A0", "'=1", "''+1", "\t=1", "\r=1", "-1", "@SUM(A1)", "'plain", "plain"],
)
def test_the_guard_comes_off_again(mark):
    frame = labels([("k", mark)])
    assert read_csv(io.StringIO(write_csv(frame), newline=""), "labels").value[0] == mark

"""Frames as workbooks, read back with openpyxl, and with the dtypes that other libraries take."""

import io
import zipfile
from datetime import datetime, timedelta

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.escape import unescape
from pandas.testing import assert_frame_equal

import hubframe
from hubframe import plain, write_excel
from hubframe.tables import TABLES
from hubframe.tables.excel import MOST_ROWS, MOST_TEXT
from tests.test_files import CELLS, hostile, labels


def book(frames):
    written = io.BytesIO()
    write_excel(frames, written)
    return openpyxl.load_workbook(written)


def rows(sheet):
    return [list(row) for row in sheet.iter_rows(min_row=2, max_col=sheet.max_column)]


def told(value):
    """What a person reads in a cell: text without the escapes of the file format."""
    return unescape(value) if isinstance(value, str) else value


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_table_comes_back_with_its_values_and_types(table):
    frame = hostile(table)
    sheet = book({"sheet": frame.copy(), table.name: frame}).worksheets[1]
    assert [cell.value for cell in sheet[1]] == list(frame.columns)
    for written, values in zip(rows(sheet), frame.itertuples(index=False), strict=True):
        for cell, value, dtype in zip(written, values, table.dtypes.values(), strict=True):
            if pd.isna(value) or value == "":
                assert cell.value is None
            elif dtype == "datetime64[us, UTC]" and value.year in (1, 9999):
                assert cell.value == value.tz_convert(None).isoformat(" ")
            elif dtype == "datetime64[us, UTC]":
                assert cell.is_date
                assert abs(cell.value - value.tz_convert(None)) <= timedelta(milliseconds=1)
                assert "UTC" in cell.number_format
            elif dtype == "Int64" and value > 2**53:
                assert cell.value == str(value)
            elif dtype == "Float64":
                assert cell.value == pytest.approx(value, rel=1e-15)
                assert cell.data_type == "n"
            else:
                assert told(cell.value) == value
                assert cell.data_type == {"str": "s", "boolean": "b"}.get(dtype, "n")


def test_text_is_neither_a_number_nor_a_formula_nor_a_link():
    texts = ["3.10", "1e5", "007", "=1+1", "@x", "#N/A", "TRUE", "https://example.org/", "2024-01-01"]  # fmt: skip
    sheet = book({"labels": labels(texts)})["labels"]
    cells = [row[6] for row in rows(sheet)]
    assert [cell.value for cell in cells] == texts
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert not any(cell.hyperlink for cell in cells)


def test_characters_that_xml_cannot_hold_come_back():
    texts = [
        *filter(None, CELLS), "_x000D_", "__x0041_", "_x00", *map(chr, range(1, 32)), "\ufffe", "a\udc80"
    ]  # fmt: skip
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object)})
    assert [told(row[0].value) for row in rows(book({"sheet": frame})["sheet"])] == texts


def test_sizes_are_numbers_in_a_format_of_bytes_and_times_say_their_zone():
    with hubframe.sample():
        tags = hubframe.tags_df("library/alpine", newest=3)
        trend = hubframe.size_trend_df(hubframe.layers_df("library/alpine"))
    written = book({"tags": tags, "size_trend": trend})
    place = {cell.value: cell.column - 1 for cell in written["tags"][1]}
    (first, *_) = rows(written["tags"])
    assert first[place["size"]].value == tags["size"].iloc[0]
    assert "MB" in first[place["size"]].number_format
    assert "MB" not in first[place["platform_count"]].number_format
    pushed = first[place["pushed_at"]]
    assert isinstance(pushed.value, datetime)
    assert pushed.number_format.endswith('" UTC"')


@pytest.mark.parametrize("number", [0, 2**53 - 1, 2**53, -(2**53), 2**53 + 1, 2**63 - 1])
def test_no_whole_number_loses_a_digit(number):
    frame = pd.DataFrame({"x": pd.Series([number], dtype="Int64")})
    assert int(book({"a": frame})["a"]["A2"].value) == number


def test_it_is_read_by_pandas_too(tmp_path):
    with hubframe.sample():
        tags = hubframe.tags_df("library/python", newest=20)
    path = tmp_path / "tags.xlsx"
    write_excel(tags, path)
    read = pd.read_excel(path, sheet_name="tags")
    assert read["tag"].tolist() == tags["tag"].tolist()
    assert read["size"].tolist() == tags["size"].tolist()
    pushed = tags["pushed_at"].dt.tz_convert(None)
    assert (read["pushed_at"] - pushed).abs().max() <= pd.Timedelta(milliseconds=1)


def test_a_sheet_lists_the_columns_of_all():
    frames = {"tags": TABLES["tags"].frame(), "footprint": TABLES["footprint"].frame()}
    own = pd.DataFrame({"mine": [1]})
    written = book({**frames, "own": own})
    assert written.sheetnames == ["tags", "footprint", "own", "columns"]
    listed = [[cell.value for cell in row] for row in rows(written["columns"])]
    for name in frames:
        meant = {row[1]: row for row in listed if row[0] == name}
        for column in TABLES[name].columns:
            assert meant[column.name][2] == column.dtype
            assert meant[column.name][3] == (column.unit or None)
            assert column.meaning.startswith(meant[column.name][4])
    assert listed[-1][:3] == ["own", "mine", "int64"]


@pytest.mark.parametrize("letter", ["x", "\N{GRINNING FACE}", "\x07", "_x0041_", "\r\n"])
def test_text_that_a_cell_cannot_hold_is_cut_and_that_is_said(letter):
    fits, long = letter * (MOST_TEXT // 14), letter * 40_000
    written = book({"labels": labels([fits, long])})
    first, second = (row[6].value for row in rows(written["labels"]))
    assert told(first) == fits
    assert len(second.encode("utf-16-le")) // 2 <= MOST_TEXT
    kept, mark, _ = told(second).partition("…")
    assert mark
    assert long.startswith(kept)
    assert len(kept) > 4_000
    assert f"{len(long):,}" in second
    notes = {row[1].value: row[5].value for row in rows(written["columns"])}
    assert "1" in notes["value"]
    assert notes["key"] is None


def test_more_rows_than_a_sheet_holds_are_refused_before_anything_is_written(tmp_path):
    path = tmp_path / "a.xlsx"
    with pytest.raises(ValueError, match=r"big has 1,048,576 rows, .* 1,048,575"):
        write_excel({"big": pd.DataFrame({"x": np.zeros(MOST_ROWS, dtype="int8")})}, path)
    assert not path.exists()


@pytest.mark.parametrize("names", [("a/b",), ("",), ("x" * 32,), ("'a",), ("a", "A"), ("Columns",)])
def test_names_that_no_sheet_has_are_refused(names):
    with pytest.raises(ValueError, match="sheet"):
        book({name: pd.DataFrame({"x": [1]}) for name in names})


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_excel({"a": pd.DataFrame({"x": [1]})}, tmp_path / "none" / "a.xlsx")


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="rename one"):
        book({"a": pd.DataFrame([[1, 2]], columns=["x", "x"])})


def test_excel_keeps_history_for_itself():
    assert book({"history": TABLES["history"].frame()}).sheetnames == ["build history", "columns"]


def test_other_dtypes_are_written_too():
    frame = pd.DataFrame(
        {
            "whole": np.array([1, 2]),
            "real": [0.5, float("inf")],
            "flag": [True, False],
            "at": pd.to_datetime(["2024-01-02T03:04:05+02:00"] * 2),
            "kind": pd.Categorical(["a", None]),
            "thing": [(1, 2), None],
        }
    )
    first, second = ([cell.value for cell in row] for row in rows(book({"x": frame})["x"]))
    at = pd.Timestamp("2024-01-02T01:04:05")
    assert first == [1, 0.5, True, at, "a", "(1, 2)"]
    assert second == [2, "inf", False, at, None, None]


def test_a_workbook_holds_no_formula_whatever_strangers_write():
    written = io.BytesIO()
    write_excel({"labels": labels([cell for cell in CELLS if cell])}, written)
    with zipfile.ZipFile(written) as packed:
        assert b"<f" not in packed.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_plain_dtypes_follow_from_the_table_alone(table):
    plain_of = {
        "str": "object",
        "boolean": "object",
        "Int64": "float64",
        "Float64": "float64",
        "datetime64[us, UTC]": "datetime64[us]",
    }
    expected = {name: plain_of[dtype] for name, dtype in table.dtypes.items()}
    for frame in (table.frame(), hostile(table), hostile(table).dropna()):
        made = plain(frame)
        assert made.dtypes.astype("str").to_dict() == expected
        assert made.index.equals(frame.index)
        assert made.isna().equals(frame.isna())


def test_plain_keeps_values_and_copies():
    frame = hostile(TABLES["tags"]).set_index("repo")
    frame.attrs = {"hubframe": {"failures": []}}
    made = plain(frame)
    for name in made:
        known = frame[name].notna()
        values, own = made.loc[known, name].tolist(), frame.loc[known, name]
        if str(own.dtype) == "datetime64[us, UTC]":
            own = own.dt.tz_localize(None)
        assert values == [
            float(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in own
        ]
        missing = made.loc[~known, name].tolist()
        assert all(value is None for value in missing) or made[name].dtype != object
    assert made.attrs == frame.attrs
    made.attrs["hubframe"]["failures"].append("x")
    made.loc[:, "tag"] = "changed"
    assert frame.attrs == {"hubframe": {"failures": []}}
    assert "changed" not in set(frame["tag"])


def test_plain_leaves_what_numpy_has_and_two_columns_of_one_name():
    frame = pd.DataFrame([[1, 0.5, True, "a"]] * 2, columns=["x", "x", "y", "z"])
    frame["at"] = pd.to_datetime(["2024-01-01", None])
    assert_frame_equal(plain(frame).drop(columns="z"), frame.drop(columns="z"))
    assert plain(pd.DataFrame(index=[1, 2])).shape == (2, 0)


def test_plain_frames_go_to_excel_with_pandas(tmp_path):
    with hubframe.sample():
        frame = hubframe.images_df("library/python", newest=3)
    with pytest.raises(ValueError, match="timezone"):
        frame.to_excel(tmp_path / "a.xlsx")
    plain(frame).to_excel(tmp_path / "a.xlsx", index=False)
    read = pd.read_excel(tmp_path / "a.xlsx")
    assert read["is_attestation"].tolist() == frame["is_attestation"].tolist()

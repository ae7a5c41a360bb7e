"""Frames as CSV: read back equal, and safe in a spreadsheet, whatever their cells hold."""

import csv
import io
import os
import shutil
import subprocess
import unicodedata
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from hubframe.errors import PayloadError
from hubframe.tables import TABLES
from hubframe.tables.excel import write_excel
from hubframe.tables.files import read_csv, write_csv
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


def kept(text):
    """What of a text is kept: all but control characters that are no line end and no tab."""
    return "".join(
        one if unicodedata.category(one) != "Cc" or one in "\t\r\n" else "\ufffd" for one in text
    )


@given(rows)
@example([(snippet, snippet * 3) for snippet in SNIPPETS])
@example([(f"'{mark}", f"''{mark}1") for mark in RUN])
@example([(f";'{mark}", f"x;\"'{mark}1\n{mark}") for mark in RUN])
@example([("", ""), ("\r", "\n"), ("\r\n", '"'), ('"\r"', "a\rb\n")])
@example([("\x00", "a\x00b"), ("\ufeff", "\x1a")])
def test_a_frame_comes_back_equal(pairs):
    frame = labels(pairs)
    written = write_csv(frame, verbatim=True)
    read = read_csv(io.StringIO(written, newline=""), "labels", verbatim=True)
    assert_frame_equal(read, frame)
    read = read_csv(io.StringIO(write_csv(frame), newline=""), "labels")
    assert_frame_equal(read, labels([(kept(key), kept(value)) for key, value in pairs]))


@given(rows)
def test_a_file_comes_back_equal(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("csv") / "labels.csv"
    frame = labels([(kept(key), kept(value)) for key, value in pairs])
    write_csv(frame, path)
    assert_frame_equal(read_csv(path, "labels"), frame)


@given(rows)
def test_no_cell_is_run_by_a_spreadsheet(pairs):
    frame = labels(pairs)
    written = write_csv(frame)
    assert kept(written) == written
    for row in list(csv.reader(io.StringIO(written, newline="")))[1:]:
        assert not any(cell.startswith(RUN) for cell in row)
        assert len(row) == len(frame.columns)


# What LibreOffice would run: behind what it drops, and behind what it may be told ends a cell.
SUMS = [f"{before}=1+{41 + number}{after}" for number, (before, after) in enumerate([
    ("", ""), ("\x00", ""), ("\x00\x00", ""), ("\x1f", ""), ("\x7f", ""), ("'", ""), ("''\x00", ""), (" ", ""),
    ("x;", ";y"), ("x\t", "\ty"), ("x,", ",y"), ('x";', ';"y'), ('x";"', '";"y'), ('";', ""), ('"\t', '\t"'),
    ('"\n', '\n"'), ("x\n", "\ny"), ("x\r", "\ry"), ("x\r\n", "\r\ny"), ("x;\x00", ";y"), ("x\n\x00", "\n"),
    ('"', '"'), ("\t", ""), (";", ";"), ("\n", "\n"), ("\ufeff", ""), ("\x85", ""), ("x;'", ";y"), ('x;"', '";y'),
])]  # fmt: skip


@pytest.fixture(scope="module")
def formulas(tmp_path_factory):
    """Give the formulas that LibreOffice makes of a file."""
    office = shutil.which("soffice")
    if office is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("LibreOffice Calc is not installed")
    profile = f"-env:UserInstallation={tmp_path_factory.mktemp('profile').as_uri()}"

    def convert(path, *how):
        to = path.parent / "converted"
        command = [office, profile, "--headless", *how, "--convert-to", "fods", "--outdir", to]
        subprocess.run([*command, path], check=True, capture_output=True, timeout=300)
        (made,) = to.iterdir()
        # A formula is an attribute, so that text which looks like one is none.
        cells = ET.parse(made).getroot().iter()
        told = [
            cell.get("{urn:oasis:names:tc:opendocument:xmlns:table:1.0}formula") for cell in cells
        ]
        assert len(told) > len(SUMS)
        return list(filter(None, told))

    return convert


@pytest.mark.parametrize("separators", ["44", "44/59", "44/9", "44/59/9", "59", "9"])
def test_libreoffice_runs_no_cell_whatever_it_takes_for_a_separator(tmp_path, formulas, separators):
    path = tmp_path / "labels.csv"
    write_csv(labels([("k", each) for each in SUMS]), path)
    assert formulas(path, f"--infilter=CSV:{separators},34,76,1") == []


def test_libreoffice_runs_what_is_written_as_it_is(tmp_path, formulas):
    path = tmp_path / "labels.csv"
    write_csv(labels([("k", each) for each in SUMS]), path, verbatim=True)
    assert formulas(path, "--infilter=CSV:44,34,76,1")


def test_libreoffice_runs_no_cell_of_a_workbook(tmp_path, formulas):
    frame = labels([(each, each) for each in SUMS]).rename(columns={"tag": "=1+40"})
    write_excel({"labels": frame}, tmp_path / "labels.xlsx")
    assert formulas(tmp_path / "labels.xlsx") == []


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

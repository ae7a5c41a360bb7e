"""Frames to CSV and back."""

import io
import random
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from packaging.version import Version
from pandas.testing import assert_frame_equal

from hubframe import read_csv, write_csv
from hubframe.errors import PayloadError
from hubframe.tables import TABLES
from hubframe.tables.schema import COUNT, FLAG, FLOAT, TEXT, UTC

CELLS = [
    "NA", "NaN", "nan", "null", "NULL", "None", "N/A", "", "3.10", "1e5", "007", "True", "inf", "-", "1,2", "a;b",
    "a\nb", "a\r\nb", "a\rb", "\r", "\n", "\r\n", "\ra", "a\r", "\ta", '"', '""', 'a"b', '"a"', "'", "''", "'a",
    " ", " a ", "\t", "\u2028", "é", "日本", "😀", "\u202e", "\ufeff",
    "=1+1", "+1", "-1", "@x", "'=1", "''=1", "'''@x", "'\t", "'\r", " =1", "'-", "=\nx", "\\", "\\N", "#",
]  # fmt: skip
# pandas before 3.1 ends text at a NUL.
WITH_NUL = ["a\0b", "\0", "\0=1"] if Version(pd.__version__) >= Version("3.1") else []
CONTROLS = [*WITH_NUL, "\x0b", "\x85", "\x7f", "\x1b[31m"]
RUN = tuple("=+-@\t\r")


def labels(values):
    return TABLES["labels"].from_records(
        {"repo": "a/b", "source": "config", "key": f"k{number}", "value": value}
        for number, value in enumerate(values)
    )


def hostile(table, seed=1, rows=60):
    """A frame of the table with hostile text, nulls and extreme numbers and dates in it."""
    chance = random.Random(seed)
    values = {
        TEXT: [*CELLS, None],
        COUNT: [0, 1, 2**63 - 1, None],
        FLOAT: [0.0, -1.5, 0.1 + 0.2, 1e-300, 1 / 3, None],
        FLAG: [True, False, None],
        UTC: [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
            "2024-05-06T07:08:09.1Z",
            "2024-01-01T00:00:00Z",
            None,
        ],
    }
    return table.frame(
        {
            column.name: [
                value
                if column.nullable or value not in (None, "")
                else "x"
                if column.dtype == TEXT
                else 1
                if column.dtype in (COUNT, FLOAT)
                else "2024-01-01T00:00:00Z"
                if column.dtype == UTC
                else True
                for value in chance.choices(values[column.dtype], k=rows)
            ]
            for column in table.columns
        }
    )


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("verbatim", [False, True])
def test_every_table_reads_back_equal(tmp_path, table, verbatim):
    for number, frame in enumerate([hostile(table), hostile(table, 2, 1), table.frame()]):
        path = tmp_path / f"{number}.csv"
        assert write_csv(frame, path, verbatim=verbatim) is None
        assert_frame_equal(read_csv(path, table, verbatim=verbatim), frame)
    assert_frame_equal(read_csv(str(path), table.name, verbatim=verbatim), frame)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("verbatim", [False, True])
def test_every_cell_reads_back_alone(cell, verbatim):
    frame = labels([cell])
    text = write_csv(frame, verbatim=verbatim)
    assert_frame_equal(read_csv(io.StringIO(text, newline=""), "labels", verbatim=verbatim), frame)


@pytest.mark.parametrize("cell", CONTROLS)
def test_control_characters_are_kept_by_verbatim_alone(cell):
    frame = labels([cell])
    text = write_csv(frame)
    assert text.replace("\n", "").isprintable()
    shown = "".join(one if one.isprintable() else "\ufffd" for one in cell)
    assert read_csv(io.StringIO(text, newline=""), "labels").value[0] == shown
    text = write_csv(frame, verbatim=True)
    assert_frame_equal(read_csv(io.StringIO(text, newline=""), "labels", verbatim=True), frame)


@pytest.mark.parametrize(
    "cell", ["x;=1", "x\n+1", "x\r\n-1", "x\t=1", 'x;"=1', "x;'@a", "a;b;-c;=d", "\r;=1", "'\r'=1"]
)
def test_what_another_separator_would_make_a_cell_is_guarded_and_reads_back(cell):
    text = write_csv(labels([cell]))
    assert not re.search('[;\n\r]"*[=+@-]|\t"*=', text)
    assert read_csv(io.StringIO(text, newline=""), "labels").value[0] == cell


def test_any_text_is_quoted_and_guarded_whatever_holds_it():
    cells = ["=1", "\0=1", None, "x"]
    objects = pd.Series([*cells[:2], 5, 5], dtype=object)
    frame = pd.DataFrame({"objects": objects, "kinds": pd.Categorical(cells), "=name": 1})
    frame.index = [0, 0, 1, 1]
    assert write_csv(frame).splitlines() == [
        '"objects","kinds","\'=name"', '"\'=1","\'=1",1', '"\ufffd=1","\ufffd=1",1', '5,"",1', '5,"x",1'
    ]  # fmt: skip


def test_missing_and_empty_differ_where_the_table_says_so():
    frame = labels(["", "NA"])
    back = read_csv(io.StringIO(write_csv(frame)), "labels")
    assert back.value.tolist() == ["", "NA"]
    assert back.tag.isna().all()


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell])
def test_a_cell_that_a_spreadsheet_would_run_gets_one_quote(cell):
    written = pd.read_csv(
        io.StringIO(write_csv(labels([cell]))), dtype=str, keep_default_na=False
    ).value[0]
    verbatim = pd.read_csv(
        io.StringIO(write_csv(labels([cell]), verbatim=True)), dtype=str, keep_default_na=False
    ).value[0]
    assert verbatim == cell
    assert written == (f"'{cell}" if cell.lstrip("'").startswith(RUN) else cell)
    assert not written.startswith(RUN)


def test_numbers_and_dates_are_not_guarded():
    frame = TABLES["tags"].from_records(
        [{"repo": "a/b", "tag": "1", "size": 5, "is_digest_tag": False, "pushed_at": "2024-01-01"}]
    )
    assert "'" not in write_csv(frame)


FULL = """
import resource, signal, sys
import pandas as pd
import hubframe
from hubframe.apps.cli import run
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
frame = hubframe.tables.TABLES["catalog"].frame({"repo": [f"org/{n}-{hash(n * 0.1)}" for n in range(5000)]})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
path, way = sys.argv[1:]
if way == "command":
    sys.exit(run(["tags", "library/python", "--sample", "--output", path]))
try:
    getattr(hubframe, way)(frame, path)
except OSError as error:
    sys.exit(f"{error.filename}: {error.strerror}")
"""


@pytest.mark.parametrize(
    ("name", "way"),
    [
        *((f"a.{suffix}", "command") for suffix in ("csv", "txt", "json", "jsonl", "md", "parquet", "xlsx")),
        ("a.csv", "write_csv"), ("a.csv.gz", "write_csv"), ("a.xlsx", "write_excel"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_link", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, name, way, is_link):
    kept, folder = tmp_path / "kept" / name, tmp_path / "here"
    folder.mkdir()
    kept.parent.mkdir()
    kept.write_bytes(b"yesterday's")
    path = folder / name
    path.symlink_to(kept) if is_link else kept.rename(path)
    # Without -B, Python would keep halves of the modules that it compiles.
    command = [sys.executable, "-B", "-c", FULL, path, way]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "too large" in done.stderr
    assert path.read_bytes() == b"yesterday's"
    assert [*folder.iterdir(), *kept.parent.iterdir()] == [path, *([kept] if is_link else [])]


def test_a_file_that_is_replaced_keeps_its_mode_and_what_leads_to_it(tmp_path):
    kept, path = tmp_path / "kept.csv", tmp_path / "x.csv"
    kept.write_text("old")
    kept.chmod(0o640)
    path.symlink_to(kept)
    write_csv(labels(["x"]), path)
    assert path.is_symlink()
    assert kept.stat().st_mode & 0o777 == 0o640
    assert_frame_equal(read_csv(kept, "labels"), labels(["x"]))


def test_a_device_is_written_and_not_replaced():
    assert write_csv(labels(["x"]), "/dev/null") is None
    assert Path("/dev/null").is_char_device()


def test_the_frame_that_is_written_is_left_as_it_was():
    frame = labels(CELLS)
    before = frame.copy()
    write_csv(frame)
    assert_frame_equal(frame, before)


def test_open_files_are_written_and_read(tmp_path):
    frame, path = labels(CELLS), tmp_path / "x.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(frame, file)
    with path.open(encoding="utf-8", newline="") as file:
        assert_frame_equal(read_csv(file, "labels"), frame)


def test_a_compressed_file_reads_back(tmp_path):
    frame = labels(CELLS)
    write_csv(frame, tmp_path / "x.csv.gz")
    assert_frame_equal(read_csv(tmp_path / "x.csv.gz", "labels"), frame)


@pytest.mark.parametrize("name", TABLES)
def test_a_frame_that_pandas_wrote_reads_back(tmp_path, name):
    frame = hostile(TABLES[name])
    text = frame.select_dtypes("str")
    # Python before 3.13 leaves a lone carriage return unquoted; and a quote before a formula is ours.
    for column in text:
        frame[column] = frame[column].str.replace("\r", "r").str.replace("^'+", "q", regex=True)
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert_frame_equal(read_csv(tmp_path / "x.csv", name), frame)


def test_flags_as_spreadsheets_write_them():
    text = write_csv(hostile(TABLES["search"])).replace("True", "TRUE").replace("False", "false")
    expected = hostile(TABLES["search"])
    assert read_csv(io.StringIO(text, newline=""), "search").is_official.equals(
        expected.is_official
    )


def test_more_columns_and_another_order_are_fine():
    frame = labels(["x", "=1"])
    text = write_csv(frame.assign(more=1)[["more", *reversed(frame.columns)]])
    assert_frame_equal(read_csv(io.StringIO(text), "labels"), frame)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(write_csv(labels(["x"])), encoding="utf-8-sig")
    assert_frame_equal(read_csv(path, "labels"), labels(["x"]))


def search(**cells):
    row = {
        "repo": "a/b",
        "description": "x",
        "is_official": "True",
        "is_automated": "False",
        "star_count": "5",
        "pull_count": "6",
    }
    return ",".join(row) + "\n" + ",".join({**row, **cells}.values()) + "\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (search(star_count="many"), "star_count cannot hold 'many' .row 1"),
        (search(star_count="-1"), "star_count cannot hold '-1'"),
        (search(star_count="1.5"), "star_count cannot hold"),
        (search(star_count="9" * 30), "star_count cannot hold"),
        (search(is_official="maybe"), "is_official cannot hold 'maybe'"),
        (search(is_official="1"), "is_official cannot hold '1'"),
        (search(repo=""), "repo cannot hold ''"),
        (search() + "c/d,x,True,False,1,2,3\n", "Expected 6 fields"),
        (search().replace(",6\n", ",6,7\n"), "more cells"),
        (search() + 'c/d,"open\n', "EOF inside string"),
        ("", "No columns"),
        (
            "repo,description\n",
            "lacks the column is_official, is_automated, star_count, pull_count",
        ),
        ("x\n1\n", "lacks the column repo"),
    ],
)
def test_what_is_no_csv_of_the_table_says_what_to_do(text, reason):
    with pytest.raises(PayloadError, match=reason) as raised:
        read_csv(io.StringIO(text), "search")
    assert "of the table search" in str(raised.value)
    assert "Read it with the table it was written from" in str(raised.value)


@pytest.mark.parametrize("date", ["soon", "now", "2024-13-01", "1700000000", "0"])
def test_a_bad_date_names_its_column(date):
    frame = TABLES["repos"].from_records(
        [{"repo": "a/b", "namespace": "a", "name": "b", "pushed_at": "2024-01-01"}]
    )
    text = write_csv(frame).replace("2024-01-01 00:00:00+00:00", date)
    with pytest.raises(PayloadError, match="pushed_at cannot hold"):
        read_csv(io.StringIO(text), "repos")


def test_a_row_that_was_cut_off_is_no_row():
    text = write_csv(
        TABLES["tags"].from_records([{"repo": "a/b", "tag": "1", "is_digest_tag": False}])
    )
    with pytest.raises(PayloadError, match="is_digest_tag cannot hold"):
        read_csv(io.StringIO(text + "a/b,2\n"), "tags")


def test_bytes_that_are_not_utf_8_name_the_file(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("repo\n\xe9\n".encode("latin-1"))
    with pytest.raises(PayloadError, match=r"latin\.csv"):
        read_csv(path, "catalog")


def test_a_file_that_is_not_there_is_the_system_s_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv", "tags")


@pytest.mark.parametrize("table", ["nothing", "", "Tags", None])
def test_an_unknown_table_names_those_there_are(table):
    with pytest.raises(ValueError, match="the tables are repos, search, tags"):
        read_csv(io.StringIO(""), table)

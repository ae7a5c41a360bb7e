"""Reading dates of end of life: hubframe's own table, files of endoflife.date, and files of strangers."""

import re
from importlib.resources import files

import pandas as pd
import pytest

import hubframe
from hubframe.errors import PayloadError
from hubframe.readers import eol
from hubframe.tables import TAGS
from hubframe.tables.lifecycle import CYCLES
from tests.documents_of_eol import full, product, release
from tests.fuzz import targets
from tests.test_structure import loaded
from tools.cycles import changes


def read(body):
    return eol.read_products(body, "the file")


def test_a_file_of_all_products(tmp_path):
    cycles = [
        release("13", codename="Trixie", eolFrom="2028-08-09", eoesFrom="2030-06-30", isEoes=False),
        release("12", eolFrom="2026-07-11", eoasFrom="2025-01-01", isEoas=True),
    ]
    python = [release("3.14", latest={"name": "3.14.7", "date": "2026-08-05"}, eolFrom=None)]
    path = tmp_path / "full.json"
    path.write_bytes(
        full(
            product("debian", cycles, "pkg:docker/library/debian", "cpe:/o:debian", "pkg:a b"),
            product("python", python, aliases=["py", "cpython", 5, "a b", ""]),
        )
    )
    found = hubframe.read_eol(path)
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == CYCLES.dtypes
    assert found["cycle"].tolist() == ["13", "12", "3.14"]
    trixie, bookworm, newest = found.to_dict("records")
    assert (trixie["codename"], trixie["is_eol"], trixie["is_extended"]) == ("Trixie", False, True)
    assert trixie["identifiers"] == "pkg:docker/library/debian"
    assert trixie["url"] == "https://endoflife.example/debian"
    assert trixie["dated_at"] == pd.Timestamp("2026-08-22 09:00", tz="UTC")
    assert bookworm["is_eol"]
    assert pd.isna(bookworm["is_extended"])
    assert bookworm["support_ends_at"] == pd.Timestamp("2025-01-01", tz="UTC")
    assert pd.isna(trixie["aliases"])
    assert newest["aliases"] == "cpython py"
    assert (newest["latest"], newest["eol_at"]) == ("3.14.7", pd.NaT)
    pd.testing.assert_frame_equal(hubframe.read_eol(str(path)), found)


def test_a_file_of_one_product():
    body = full(result=product("debian", [release("13")]))
    assert read(body)["product"].tolist() == ["debian"]


def test_a_file_of_the_older_api(tmp_path):
    path = tmp_path / "debian.json"
    path.write_text("""[
      {"cycle": "13", "codename": "Trixie", "releaseDate": "2025-08-09", "eol": false,
       "support": true, "extendedSupport": true, "latest": "13.5", "latestReleaseDate": "2026-07-11"},
      {"cycle": "12", "eol": "2026-06-10", "support": "2025-06-10", "extendedSupport": "2028-06-30"},
      {"cycle": "4", "eol": true, "extendedSupport": false}
    ]""")
    found = hubframe.read_eol(path)
    assert found["product"].tolist() == ["debian"] * 3
    assert found["is_eol"].tolist() == [False, pd.NA, True]
    assert found["is_extended"].tolist() == [True, pd.NA, False]
    assert found["latest"].tolist()[0] == "13.5"
    assert found["dated_at"].isna().all()
    frame = TAGS.from_records(
        {"repo": "library/debian", "tag": tag, "is_digest_tag": False} for tag in ("13", "12", "4")
    )
    ends = hubframe.eol_df(frame, found, today="2026-09-01")
    assert ends["is_eol"].tolist() == [False, True, True]
    assert ends["is_supported"].tolist() == [True, True, False]


def test_the_own_table_is_small_and_is_read_when_it_is_used():
    table = files("hubframe.readers").joinpath("cycles.toml")
    assert len(table.read_bytes()) < 400_000
    assert "tomllib" not in loaded("import hubframe")
    code = "from hubframe.readers import eol\nassert not eol._own.cache_info().currsize"
    assert "hubframe.readers.eol" in loaded(code)


def test_the_own_table_says_what_it_is_of():
    text = files("hubframe.readers").joinpath("cycles.toml").read_text(encoding="utf-8")
    (day,) = re.findall(r"^date = (\S+)$", text, re.MULTILINE)
    dates = hubframe.read_eol()
    assert dates["dated_at"].unique().tolist() == [pd.Timestamp(day, tz="UTC")]
    assert "https://endoflife.date (MIT)" in text
    # A line of each cycle, none lost.
    assert len(dates) == len(re.findall(r"^\S+ +\d{4}-\d\d-\d\d .*$", text, re.MULTILINE))
    python = dates[(dates["product"] == "python") & (dates["cycle"] == "3.5")]
    assert python["support_ends_at"].isna().all()
    assert python["eol_at"].tolist() == [pd.Timestamp("2020-09-30", tz="UTC")]
    windows = dates[dates["product"] == "windows-server-core"]
    assert windows["latest"].tolist()[0] == "10.0.26100"
    assert windows["codename"].isna().all()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"result": []}',
        b'{"result": [{"name": "debian"}]}',
        b'{"result": [{"name": 5, "releases": [{"name": "1"}]}]}',
        b'[{"eol": "2026-06-10"}]',
        b'[{"cycle": 12, "eol": "2026-06-10"}]',
    ],
)
def test_what_is_no_such_file_is_refused_and_says_which_is(body):
    with pytest.raises(PayloadError, match=f"Download {eol.FULL}"):
        read(body)


def test_odd_values_are_null():
    odd = {
        "codename": 5, "releaseDate": "soon", "isEol": "yes", "eolFrom": True, "eoasFrom": [],
        "isEoes": 1, "eoesFrom": "0000-00-00", "latest": "3",
    }  # fmt: skip
    row = read(
        full({"name": "a", "releases": [{"name": "1", **odd}], "links": {"html": "javascript:x"}})
    ).iloc[0]
    assert row[["product", "cycle"]].tolist() == ["a", "1"]
    assert row.drop(["product", "cycle", "dated_at"]).isna().all()


def test_a_cycle_that_is_named_twice_counts_once():
    twice = [release("1", eolFrom="2020-01-01"), release("1", eolFrom="2030-01-01")]
    assert read(full(product("a", twice)))["eol_at"].dt.year.tolist() == [2020]


def test_what_would_make_too_much_is_refused(monkeypatch, tmp_path):
    with pytest.raises(PayloadError, match="more than 1000 releases"):
        read(full(product("a", [release("1")] * 1001)))
    long = [f"pkg:docker/a/{number}" for number in range(1000)]
    many = [release(str(number)) for number in range(1000)]
    monkeypatch.setattr(eol, "_MOST_TEXT", 10_000_000)
    with pytest.raises(PayloadError, match="identifiers are too long"):
        read(full(product("a", many, *long)))
    monkeypatch.setattr(eol, "_MOST_BYTES", 10)
    path = tmp_path / "full.json"
    path.write_bytes(full(product("a", [release("1")])))
    with pytest.raises(PayloadError, match="more than 10 bytes"):
        hubframe.read_eol(path)
    with pytest.raises(FileNotFoundError):
        hubframe.read_eol(tmp_path / "none.json")


HOSTILE = (
    "=1+1", "\x1b[31m", "a b", "1" * 10_000, ".".join("1" * 5000), "é\ud800", "pkg:", "../..",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_matches_nothing_and_breaks_nothing(text):
    body = full(
        product(text, [release(text, codename=text)], f"pkg:oci/{text}?repository_url={text}")
    )
    targets.dates_of_end(body)
    names = [{"repo": text, "tag": "1"}, {"repo": "library/python", "tag": text}]
    frame = TAGS.from_records({**one, "is_digest_tag": False} for one in names)
    found = hubframe.eol_df(frame, read(body), today="2026-09-01")
    assert found["cycle"].isna().all()
    assert hubframe.write_csv(found)


def test_the_tool_prints_what_a_newer_file_says_otherwise():
    old = [release("2", eolFrom="2026-01-01"), release("1", eolFrom="2024-01-01")]
    new = [
        release("3", releaseDate="2026-02-01", isEol=False, isEoes=False),
        release("2", eolFrom="2026-06-01"),
        release("0", releaseDate="2001-01-01", eolFrom="2002-01-01"),
    ]
    own = read(full(product("a", old), product("b", old), product("c", old)))
    file = read(full(product("a", new), product("b", old), product("other", new)))
    assert [line.split() for line in changes(own, file)] == [
        ["[a]"],
        ["3", "2026-02-01", "-", "open", "open"],
        ["2", "2015-01-01", "-", "2026-06-01", "-"],
        ["#", "no", "more:", "1"],
        ["#", "no", "more:", "c"],
    ]
    assert list(changes(hubframe.read_eol(), hubframe.read_eol())) == []

"""Files are there whole or not at all; runs repeat without doubling; older files are read."""

import json
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.errors import HubframeError, InvalidReferenceError, NotFoundError, PayloadError
from hubframe.snapshots.dataset import FORMAT
from hubframe.tables import OBSERVED, REPOS, TAGS

HERE = Path(__file__).parent
# A dataset that was written when format 1 was new: it must be readable for ever.
FORMAT_1 = HERE / "format-1"
POINTS = 10


def repos(*names, pulls=5):
    return REPOS.from_records({"repo": name, "pull_count": pulls} for name in names)


def tags(**digests):
    return TAGS.from_records(
        {"repo": "a/b", "tag": tag, "digest": digest, "is_digest_tag": False}
        for tag, digest in digests.items()
    )


def killed(points):
    """Add the run ``second`` at places, in processes that kill themselves at a point; -1 lets one live."""
    words = [str(word) for pair in points.items() for word in pair]
    command = [sys.executable, "-m", "tests.snapshots.killed", *words]
    done = subprocess.run(
        command, cwd=HERE.parent.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_killed_at_each_of_ten_points_leaves_a_readable_dataset(tmp_path):
    assert killed({tmp_path / "whole": -1}) == [0]
    steps = int((tmp_path / "whole.steps").read_text())
    assert steps >= POINTS
    expected = hubframe.read_snapshots(tmp_path / "whole")
    assert expected.runs["run"].tolist() == ["first", "second"]
    places = [tmp_path / str(point) for point in range(POINTS)]
    for place in places:
        shutil.copytree(tmp_path / "whole", place, ignore=shutil.ignore_patterns("second-*"))
    points = [round(point * (steps - 1) / (POINTS - 1)) for point in range(POINTS)]
    assert killed(dict(zip(places, points, strict=True))) == [-signal.SIGKILL] * POINTS
    left = {place: hubframe.read_snapshots(place) for place in places}
    for found in left.values():
        # All of the run or nothing of it.
        runs = found.runs["run"].tolist()
        assert runs in (["first"], ["first", "second"])
        same_but_part(found.tags, expected.tags[expected.tags["run"].isin(runs)])
        same_but_part(found.repos, expected.repos[expected.repos["run"].isin(runs)])
    assert {len(found.runs) for found in left.values()} == {1, 2}
    # Files without their run, and drafts: all of them may go, and nothing else does.
    rest = [hubframe.clear_unfinished(place, older_than=timedelta(0)) for place in places]
    assert any(path.endswith(".draft") for paths in rest for path in paths)
    assert any(path.endswith(".parquet") for paths in rest for path in paths)
    for place, found in left.items():
        assert_frame_equal(hubframe.read_snapshots(place).tags, found.tags)
        assert len(list(place.rglob("*.parquet"))) == 3 * len(found.runs)
        assert not list(place.rglob("*.draft"))
    # The same command again makes up for it.
    assert killed(dict.fromkeys(places, -1)) == [0] * POINTS
    for place in places:
        again = hubframe.read_snapshots(place)
        same_but_part(again.tags, expected.tags)
        same_but_part(again.repos, expected.repos)


def test_what_is_being_written_is_not_cleared(tmp_path):
    hubframe.add_snapshot(to=tmp_path, repos=repos("a/b"), run="done")
    hubframe.add_snapshot(to=tmp_path, repos=repos("a/c"), run="begun")
    (last,) = (tmp_path / "runs").rglob("begun-*")
    last.unlink()
    draft = last.with_name(f".{last.name}.0123abcd.draft")
    draft.write_bytes(b"PAR1")
    (tmp_path / "repos" / "of-somebody-else.parquet").write_bytes(b"")
    assert hubframe.clear_unfinished(tmp_path) == []
    how = {"older_than": timedelta(0)}
    told = hubframe.clear_unfinished(tmp_path, dry_run=True, **how)
    assert len(told) == 3
    assert draft.exists()
    assert hubframe.clear_unfinished(tmp_path, **how) == told
    assert sorted(path.name[:5] for path in tmp_path.rglob("*.parquet")) == ["done-"] * 3 + [
        "of-so"
    ]
    assert hubframe.clear_unfinished(tmp_path, **how) == []
    with pytest.raises(NotFoundError):
        hubframe.clear_unfinished(tmp_path / "nowhere")


def same_but_part(left, right):
    """Compare all that does not differ from one writing to the next."""
    varying = ["part", "observed_at"]
    left, right = (one.drop(columns=varying).reset_index(drop=True) for one in (left, right))
    assert_frame_equal(left, right)


def test_two_that_write_at_once_do_not_meet(tmp_path):
    def add(number):
        name = f"a/n{number}"
        return hubframe.add_snapshot(to=tmp_path, repos=repos(name), run="day")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    found = hubframe.read_snapshots(tmp_path)
    assert sorted(found.repos["repo"]) == sorted(f"a/n{number}" for number in range(24))
    assert len(found.runs) == 24


def test_of_a_run_that_was_written_twice_the_last_word_counts(tmp_path):
    known = {"to": tmp_path, "run": "day", "observed_at": "2026-11-24"}
    hubframe.add_snapshot(repos=repos("a/b"), tags=tags(x="sha256:1", y="sha256:2"), **known)
    hubframe.add_snapshot(repos=repos("a/b", pulls=7), tags=tags(x="sha256:3"), **known)
    hubframe.add_snapshot(repos=repos("a/b", "a/c", pulls=9), **known)
    found = hubframe.read_snapshots(tmp_path)
    # The third did not read tags: it has no word on what the second saw.
    assert found.tags[["tag", "digest"]].to_numpy().tolist() == [["x", "sha256:3"]]
    assert dict(zip(found.repos["repo"], found.repos["pull_count"], strict=True)) == {
        "a/b": 7,
        "a/c": 9,
    }
    few = hubframe.read_snapshots(tmp_path, columns=["tag"])
    assert few.tags.columns.tolist() == ["tag"]
    assert few.tags["tag"].tolist() == ["x"]


@pytest.mark.usefixtures("sample")
def test_frames_come_back_as_they_were(tmp_path):
    listed, held = hubframe.repos_df(["ansible", "acme"]), hubframe.tags_df("acme/web")
    row = hubframe.add_snapshot(to=tmp_path, repos=listed, tags=held)
    found = hubframe.read_snapshots(tmp_path)
    assert_frame_equal(found.repos[list(REPOS.dtypes)], listed, check_flags=False)
    assert_frame_equal(found.tags[list(TAGS.dtypes)], held)
    assert_frame_equal(found.runs, row)
    counts = found.repos.set_index("repo")["tag_count"]
    assert counts["acme/web"] == len(held)
    for name, frame in (
        ("runs", found.runs),
        ("observed_repos", found.repos),
        ("observed_tags", found.tags),
    ):
        assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == OBSERVED[
            name
        ].dtypes
        assert not frame.duplicated(list(OBSERVED[name].key)).any()


def test_any_reader_of_parquet_finds_the_days(tmp_path):
    for day in ("2026-11-23", "2026-11-24"):
        hubframe.add_snapshot(to=tmp_path, repos=repos("a/b"), observed_at=day)
    frame = pd.read_parquet(tmp_path / "repos")
    assert frame["date"].astype(str).tolist() == ["2026-11-23", "2026-11-24"]
    assert [path.name for path in (tmp_path / "repos").iterdir() if not path.is_dir()] == []


@pytest.mark.usefixtures("sample")
def test_an_address_of_fsspec_is_a_place():
    place = "memory://bucket/snapshots"
    hubframe.snapshot("ansible", to=place, run="day")
    assert hubframe.snapshot("ansible", to=place, run="day").empty
    found = hubframe.read_snapshots(place, repos="ansible/awx")
    assert found.repos["repo"].tolist() == ["ansible/awx"]
    assert len(found.tags) == found.repos["tag_count"].sum() > 0


def test_the_first_format_is_read():
    found = hubframe.read_snapshots(FORMAT_1)
    assert found.runs["format"].tolist() == [1, 1]
    assert found.runs["is_complete"].tolist() == [True, True]
    pulls = hubframe.pulls_over_time_df(found)
    assert pulls["pulls_per_day"].tolist() == [25.0]
    moves = hubframe.tag_moves_df(found)
    assert moves["ending"].fillna("").tolist() == ["moved", "", ""]


def rewritten(place, folder, change):
    """Write each file of a folder anew, as another version might have written it."""
    for path in (place / folder).rglob("*.parquet"):
        pq.write_table(change(pq.ParquetFile(path).read()), path)


def test_columns_that_an_older_version_did_not_write_are_null(tmp_path):
    hubframe.add_snapshot(
        to=tmp_path, repos=repos("a/b"), tags=tags(x="sha256:1"), observed_at="2026-11-23"
    )
    rewritten(tmp_path, "repos", lambda table: table.drop_columns(["content_types", "star_count"]))
    rewritten(tmp_path, "tags", lambda table: table.append_column("more", table["tag"]))
    hubframe.add_snapshot(to=tmp_path, repos=repos("a/b").assign(star_count=3))
    found = hubframe.read_snapshots(tmp_path)
    assert list(found.repos) == list(OBSERVED["observed_repos"].dtypes)
    assert list(found.tags) == list(OBSERVED["observed_tags"].dtypes)
    assert found.repos["star_count"].isna().tolist() == [True, False]


def test_a_newer_format_is_not_guessed(tmp_path):
    hubframe.add_snapshot(to=tmp_path, repos=repos("a/b"))
    rewritten(
        tmp_path,
        "runs",
        lambda table: table.set_column(
            table.schema.get_field_index("format"), "format", [[FORMAT + 1]]
        ),
    )
    with pytest.raises(PayloadError, match="written by a newer one"):
        hubframe.read_snapshots(tmp_path)


DAMAGE = {
    "cut": lambda body: body[:50],
    "empty": lambda _: b"",
    "another page": lambda body: body[:4] + bytes(40) + body[44:],
    "another packing": lambda body: body.replace(b"\x28\xb5\x2f\xfd", b"\0\0\0\0"),
    "another footer": lambda body: body[:-4] + b"PAR2",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("folder", ["runs", "repos"])
def test_a_damaged_file_is_named(tmp_path, folder, damage):
    for run in ("day", "night"):
        hubframe.add_snapshot(to=tmp_path, repos=repos("a/b"), run=run)
    (path,) = (tmp_path / folder).rglob("night-*.parquet")
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(PayloadError, match=f"{folder}/.*/night-"):
        hubframe.read_snapshots(tmp_path).repos  # noqa: B018


def test_a_lost_file_is_named(tmp_path):
    hubframe.add_snapshot(to=tmp_path, repos=repos("a/b"), run="day")
    next((tmp_path / "repos").rglob("*.parquet")).unlink()
    with pytest.raises(NotFoundError, match="lost a file"):
        hubframe.read_snapshots(tmp_path).repos  # noqa: B018


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(NotFoundError, match="hubframe"):
        hubframe.read_snapshots(tmp_path / "nowhere")
    assert hubframe.read_snapshots(tmp_path).repos.empty
    assert repr(hubframe.read_snapshots(tmp_path)) == "<hubframe.Snapshots: none>"


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("", "no name"),
        ("nosuch://me:secret@x/y", "…@x/y"),
        ("s3://key:secret@bucket/y", "pip install|…@"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_without_its_login(place, word):
    with pytest.raises(HubframeError, match=word) as caught:
        hubframe.read_snapshots(place)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("run", ["", "../x", "a/b", ".hidden", "a b", "x" * 200, 7])
def test_a_name_that_is_no_part_of_a_file_name_is_refused(tmp_path, run):
    with pytest.raises(InvalidReferenceError, match="no name of a run"):
        hubframe.add_snapshot(to=tmp_path, repos=repos("a/b"), run=run)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, ValueError),
        ({"repos": [1]}, TypeError),
        ({"tags": repos("a/b")}, ValueError),
        ({"repos": repos("a/b"), "observed_at": "yesterday"}, ValueError),
        ({"repos": repos("not a repository")}, InvalidReferenceError),
    ],
)
def test_what_cannot_be_added_is_refused(tmp_path, given, error):
    with pytest.raises(error):
        hubframe.add_snapshot(to=tmp_path, **given)


@pytest.mark.parametrize(
    "asked", [{"columns": ["nothing"]}, {"since": "yesterday"}, {"until": 7}, {"repos": "A B"}]
)
def test_what_cannot_be_read_is_refused(tmp_path, asked):
    with pytest.raises(ValueError):
        hubframe.read_snapshots(tmp_path, **asked)

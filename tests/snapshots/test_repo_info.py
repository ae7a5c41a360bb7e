"""The history of official images, out of real git repositories that the tests make."""

import csv
import os
import subprocess

import pandas as pd
import pytest
from click.testing import CliRunner

import hubframe
from hubframe.apps.cli import cli
from hubframe.errors import HubframeError, InvalidReferenceError

PLATFORMS = (
    "linux; amd64",
    "unknown; unknown",
    "linux; arm64 variant v8",
    "windows version 10.0.20348.1; amd64",
)


def digest(letter):
    return "sha256:" + letter * 64


def page(name, letter, size=2415):
    """A page as the generator of that repository writes it."""
    written = f"{size / 1000:.1f} KB ({size} bytes)" if size >= 1000 else f"{size:.1f} B"
    lines = [
        f"## `{name}`\n",
        f"```console\n$ docker pull {name.partition(':')[0]}@{digest(letter)}\n```\n",
        "-\tManifest MIME: `application/vnd.oci.image.index.v1+json`",
        f"-\tPlatforms: {len(PLATFORMS)}",
        *(f"\t-\t{platform}" for platform in PLATFORMS),
    ]
    for number, platform in enumerate(PLATFORMS):
        told = written if platform == "linux; amd64" else "9.9 MB (9900000 bytes)"
        lines += [
            f"\n### `{name}` - {platform}\n",
            f"```console\n$ docker pull x@{digest(str(number))}\n```\n",
            "-\tManifest MIME: `application/vnd.docker.distribution.manifest.v2+json`",
            f"-\tTotal Size: **{told}**  ",
            "\t(compressed transfer size, not on-disk size)",
            '-\tDefault Command: `["\\/hello"]`',
        ]
    return "\n".join(lines) + "\n"


class Checkout:
    """A git repository, made with git."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=master")

    def git(self, *arguments, date="2020-01-01T00:00:00Z"):
        who = {
            f"GIT_{role}_{what}": "someone"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **who, **dates},
        )
        return done.stdout.strip()

    def commit(self, date, pages):
        """Commit pages by their path; None deletes one."""
        for path, text in pages.items():
            full = self.path / path
            if text is None:
                full.unlink()
            else:
                full.parent.mkdir(parents=True, exist_ok=True)
                full.write_text(text)
        self.git("add", "--all", date=date)
        self.git("commit", "--quiet", "--message", "Run remote.sh", date=date)


def remote(image, tag):
    return f"repos/{image}/remote/{tag}.md"


@pytest.fixture
def checkout(tmp_path):
    made = Checkout(tmp_path / "repo-info")
    made.commit("2020-01-01T00:00:00Z", {"README.md": "# about\n"})
    made.commit(
        "2020-01-02T10:00:00Z",
        {
            remote("tool", "1.0.0"): page("tool:1.0.0", "a"),
            remote("tool", "latest"): page("tool:latest", "a"),
            remote("tool", "old"): page("tool:old", "b", size=218),
            "repos/tool/local/latest.md": "# Docker Versions\n",
            "repos/tool/tag-details.md": "# all of it\n",
            remote("other", "latest"): page("other:latest", "c"),
        },
    )
    made.commit(
        "2020-01-05T10:00:00Z", {remote("tool", "latest"): page("tool:latest", "d", size=5000)}
    )
    made.commit(
        "2020-01-05T12:00:00Z",
        {remote("tool", "1.0.0"): page("tool:1.0.0", "e"), remote("tool", "old"): None},
    )
    made.commit("2020-01-06T00:00:00Z", {remote("other", "latest"): page("other:latest", "f")})
    return made


def moves(snapshots):
    told = hubframe.tag_moves_df(snapshots)
    columns = ["repo", "tag", "digest", "first_seen_at", "gone_at", "ending"]
    return [
        tuple(
            None
            if pd.isna(value)
            else value.isoformat()[:16]
            if isinstance(value, pd.Timestamp)
            else value
            for value in row
        )
        for row in told[columns].itertuples(index=False, name=None)
    ]


EXPECTED = [
    ("library/other", "latest", digest("c"), "2020-01-02T10:00", "2020-01-06T00:00", "moved"),
    ("library/other", "latest", digest("f"), "2020-01-06T00:00", None, None),
    ("library/tool", "1.0.0", digest("a"), "2020-01-02T10:00", "2020-01-05T12:00", "moved"),
    ("library/tool", "1.0.0", digest("e"), "2020-01-05T12:00", None, None),
    ("library/tool", "latest", digest("a"), "2020-01-02T10:00", "2020-01-05T10:00", "moved"),
    ("library/tool", "latest", digest("d"), "2020-01-05T10:00", None, None),
    ("library/tool", "old", digest("b"), "2020-01-02T10:00", "2020-01-05T12:00", "deleted"),
]


def test_the_past_of_official_images_is_the_committed_one(checkout):
    found = hubframe.import_repo_info(checkout.path)
    assert moves(found) == EXPECTED
    assert found.runs["source"].unique().tolist() == ["repo-info"]
    assert found.runs["is_complete"].all()
    first = found.tags[found.tags["observed_at"] == "2020-01-02T10:00:00Z"].set_index(
        ["repo", "tag"]
    )
    tool = first.loc[("library/tool", "1.0.0")]
    assert (tool["size"], tool["platform_count"], tool["version"], tool["aliases"]) == (
        2415,
        3,
        "1.0.0",
        "latest",
    )
    assert tool["media_type"] == "application/vnd.oci.image.index.v1+json"
    assert first.loc[("library/tool", "old"), "size"] == 218
    again = hubframe.mutable_tags_df(found)
    assert again[["tag", "push_count", "is_floating"]].to_numpy().tolist() == [["1.0.0", 2, False]]
    assert found.repos.groupby("repo")["tag_count"].agg(list).to_dict() == {
        "library/other": [1, 1],
        "library/tool": [3, 3, 2],
    }
    assert hubframe.pulls_over_time_df(found).empty


@pytest.mark.parametrize("repos", ["tool", ["library/tool"]])
def test_some_images_alone(checkout, repos):
    found = hubframe.import_repo_info(checkout.path, repos=repos)
    assert moves(found) == [row for row in EXPECTED if row[0] == "library/tool"]


def test_what_is_at_the_place_already_is_not_imported_again(checkout, tmp_path):
    place = tmp_path / "snapshots"
    first = hubframe.import_repo_info(checkout.path, to=place)
    assert moves(first) == moves(hubframe.read_snapshots(place)) == EXPECTED
    assert hubframe.import_repo_info(checkout.path, to=place).runs.empty
    checkout.commit("2020-02-01T00:00:00Z", {remote("tool", "latest"): page("tool:latest", "0")})
    further = hubframe.import_repo_info(checkout.path, to=place)
    assert len(further.runs) == 1
    # All tags of the image, not only the one that the commit changed.
    assert sorted(further.tags["tag"]) == ["1.0.0", "latest"]
    known = hubframe.read_snapshots(place)
    assert len(known.runs) == len(first.runs) + 1
    assert moves(known)[-2][2] == digest("0")


def test_other_images_of_the_same_commits_are_imported_later(checkout, tmp_path):
    place = tmp_path / "snapshots"
    for repos in ("tool", "other", "other"):
        hubframe.import_repo_info(checkout.path, to=place, repos=repos)
    assert moves(hubframe.read_snapshots(place)) == EXPECTED
    assert hubframe.import_repo_info(checkout.path, to=place).runs.empty


def test_the_command_line_imports_what_is_named(checkout, tmp_path):
    place = tmp_path / "snapshots"
    command = ["import-repo-info", str(checkout.path), "tool", "--to", str(place)]
    done = CliRunner().invoke(
        cli, [*command, "--format", "csv", "--columns", "observed_at,tag_count"]
    )
    assert done.exit_code == 0, done.output
    written = [row[1] for row in csv.reader(done.output.splitlines())]
    assert written == ["tag_count", "3", "3", "2"]
    assert set(hubframe.read_snapshots(place).tags["repo"]) == {"library/tool"}
    assert CliRunner().invoke(cli, command[:2]).exit_code == 2
    assert isinstance(
        CliRunner().invoke(cli, [*command[:1], str(tmp_path), *command[2:]]).exception,
        HubframeError,
    )


def test_the_past_and_the_hub_go_on_into_each_other(checkout, tmp_path):
    hubframe.import_repo_info(checkout.path, to=tmp_path / "place")
    tags = hubframe.import_repo_info(checkout.path, repos="tool").tags
    now = tags[tags["observed_at"] == tags["observed_at"].max()]
    hubframe.add_snapshot(to=tmp_path / "place", tags=now, observed_at="2020-03-01")
    told = hubframe.tag_moves_df(hubframe.read_snapshots(tmp_path / "place", repos="tool"))
    latest = told[told["tag"] == "latest"].iloc[-1]
    assert latest["digest"] == digest("d")
    assert latest["last_seen_at"] == pd.Timestamp("2020-03-01", tz="UTC")


def test_a_merge_counts_once_and_a_hooks_variables_do_not(checkout, monkeypatch):
    checkout.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    checkout.commit("2020-01-06T01:00:00Z", {remote("third", "1"): page("third:1", "a")})
    checkout.git("checkout", "--quiet", "master")
    checkout.git(
        "merge", "--quiet", "--no-ff", "--message", "merge", "side", date="2020-01-07T00:00:00Z"
    )
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    found = hubframe.import_repo_info(checkout.path, repos="third")
    assert found.tags["observed_at"].tolist() == [pd.Timestamp("2020-01-07", tz="UTC")]


def test_pages_of_strangers_are_no_tags(checkout):
    checkout.commit(
        "2020-01-08T00:00:00Z",
        {
            remote("tool", "empty"): "",
            remote("tool", "-bad"): page("tool:-bad", "a"),
            "repos/Tool/remote/latest.md": page("Tool:latest", "a"),
            "repos/tool/remote/sub/latest.md": page("x:latest", "a"),
            "repos/tööl/remote/latest.md": page("x:latest", "a"),
        },
    )
    found = hubframe.import_repo_info(checkout.path)
    last = found.tags[found.tags["observed_at"] == "2020-01-08"]
    assert set(last["repo"]) == {"library/tool"}
    assert set(last["tag"]) == {"1.0.0", "latest", "empty"}
    assert last.set_index("tag")["digest"].isna().to_dict() == {
        "1.0.0": False,
        "latest": False,
        "empty": True,
    }
    assert moves(found) == EXPECTED


def test_what_is_no_such_checkout_is_told(tmp_path, checkout):
    with pytest.raises(HubframeError, match="git cannot read its history"):
        hubframe.import_repo_info(tmp_path)
    with pytest.raises(HubframeError, match="git cannot read its history"):
        hubframe.import_repo_info(tmp_path / "nowhere")
    with pytest.raises(HubframeError, match="no pages of tags"):
        hubframe.import_repo_info(checkout.path, repos="nothing")
    with pytest.raises(InvalidReferenceError, match="no official image"):
        hubframe.import_repo_info(checkout.path, repos="acme/web")


def test_without_git_it_says_so(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(HubframeError, match="needs git"):
        hubframe.import_repo_info(checkout.path)

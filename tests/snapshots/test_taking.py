"""Taking snapshots: what is asked for, what failed, what is repeated; and the command line."""

import pandas as pd
import pytest

import hubframe
from hubframe.errors import HubframeError, InvalidReferenceError, NotFoundError, TransportError
from hubframe.testing import DROP, Application, Fault, Reply, serve
from tests.test_cli import run


@pytest.fixture
def stage(tmp_path):
    """A served sample, and a client of it."""
    application = Application()
    with serve(application) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url,
            registry_url=served.registry_url,
            cache_dir=tmp_path / "answers",
            timeout=2,
        )
        with hubframe.Client(settings, credentials=False) as client:
            yield application, client, served


def asked(application, part):
    return [one for one in application.log if part in one.path_and_query]


@pytest.mark.usefixtures("sample")
def test_namespaces_and_repositories_of_any_registry(tmp_path):
    row = hubframe.snapshot(["ansible", "library/alpine", "registry.example/team/api"], to=tmp_path)
    found = hubframe.read_snapshots(tmp_path)
    seen = found.repos.set_index("repo")
    assert set(seen.index) >= {"ansible/awx", "library/alpine", "registry.example/team/api"}
    assert "library/redis" not in seen.index
    assert row["repo_count"].item() == len(seen)
    assert row["source"].item() == "hub+registry"
    counts = found.tags["repo"].value_counts()
    assert seen["tag_count"].to_dict() == counts.to_dict()
    assert seen["pull_count"].isna().to_dict()["registry.example/team/api"]
    assert seen.loc["registry.example/team/api", ["namespace", "name"]].tolist() == ["team", "api"]
    assert_same_tags(found.tags, "ansible/awx")


def assert_same_tags(seen, repo):
    expected = hubframe.tags_df(repo)
    columns = list(expected.columns)
    rows = seen.loc[seen["repo"] == repo, columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, expected, check_flags=False)


@pytest.mark.usefixtures("sample")
def test_web_addresses_name_what_is_seen(tmp_path):
    pages = ["https://hub.docker.com/u/ansible", "https://hub.docker.com/_/alpine"]
    hubframe.snapshot(pages, to=tmp_path / "pages")
    hubframe.snapshot(["ansible", "library/alpine"], to=tmp_path / "names")
    seen = [hubframe.read_snapshots(tmp_path / name).repos["repo"] for name in ("pages", "names")]
    assert seen[0].tolist() == seen[1].tolist()
    assert {"ansible/awx", "library/alpine"} <= set(seen[0])


@pytest.mark.usefixtures("sample")
def test_frames_name_what_is_seen(tmp_path):
    repos = hubframe.repos_df("ansible")
    hubframe.snapshot(repos, to=tmp_path / "repos")
    hubframe.snapshot(repos[["namespace"]], to=tmp_path / "spaces")
    both = [hubframe.read_snapshots(tmp_path / name) for name in ("repos", "spaces")]
    assert (
        both[0].repos["repo"].tolist() == both[1].repos["repo"].tolist() == repos["repo"].tolist()
    )


def test_pulls_alone_take_a_request_for_a_namespace(tmp_path, stage):
    application, client, _ = stage
    hubframe.snapshot("ansible", to=tmp_path, frames=["repos"], client=client)
    assert asked(application, "/tags") == []
    found = hubframe.read_snapshots(tmp_path)
    assert found.repos["pull_count"].notna().all()
    assert found.repos["tag_count"].isna().all()
    assert found.tags.empty
    assert hubframe.tag_moves_df(found).empty


def test_everything_is_asked_anew(tmp_path, stage):
    application, client, _ = stage
    for _ in range(2):
        hubframe.snapshot("ansible", to=tmp_path, client=client)
    assert len(asked(application, "awx/tags")) == 2
    assert len(hubframe.read_snapshots(tmp_path).repos) == 6


def test_a_run_is_gone_on_with_until_it_lacks_nothing(tmp_path, stage):
    application, client, _ = stage
    application.faults.append(Fault(lambda request: "awx/tags" in request.url, Reply(404)))
    with pytest.warns(hubframe.IncompleteWarning):
        first = hubframe.snapshot("ansible", to=tmp_path, run="day", client=client)
    assert not first["is_complete"].item()
    assert first["failure_count"].item() == 1
    found = hubframe.read_snapshots(tmp_path)
    counts = found.repos.set_index("repo")["tag_count"]
    assert counts.isna().to_dict() == {
        "ansible/ansible": False,
        "ansible/awx": True,
        "ansible/ansible-runner": False,
    }
    application.faults.clear()
    application.log.clear()
    second = hubframe.snapshot("ansible", to=tmp_path, run="day", client=client)
    assert second[["repo_count", "is_complete"]].to_numpy().tolist() == [[1, True]]
    assert len(asked(application, "/tags")) == len(asked(application, "awx/tags")) > 0
    assert hubframe.snapshot("ansible", to=tmp_path, run="day", client=client).empty
    found = hubframe.read_snapshots(tmp_path)
    assert sorted(found.repos["repo"]) == [
        "ansible/ansible",
        "ansible/ansible-runner",
        "ansible/awx",
    ]
    assert found.repos["tag_count"].sum() == len(found.tags)


def test_a_repository_that_is_not_there_is_a_failure(tmp_path, stage):
    _, client, _ = stage
    with pytest.raises(NotFoundError, match="no such repository"):
        hubframe.snapshot("ansible/nothing", to=tmp_path, errors="raise", client=client)
    with (
        pytest.warns(hubframe.IncompleteWarning),
        pytest.raises(HubframeError, match="nothing was written"),
    ):
        hubframe.snapshot("ansible/nothing", to=tmp_path, client=client)
    assert hubframe.read_snapshots(tmp_path).runs.empty
    with pytest.warns(hubframe.IncompleteWarning, match="ansible/nothing"):
        row = hubframe.snapshot(["ansible/nothing", "ansible/awx"], to=tmp_path, client=client)
    assert row[["repo_count", "failure_count"]].to_numpy().tolist() == [[1, 1]]
    assert "ansible/nothing" in row["failures"].item()


@pytest.mark.filterwarnings("ignore::hubframe.StaleWarning")
def test_old_answers_are_not_written_as_new(tmp_path, stage):
    application, client, _ = stage
    hubframe.snapshot("ansible", to=tmp_path, client=client)
    application.faults.append(Fault(lambda request: "awx/tags" in request.url, DROP))
    with pytest.raises(TransportError, match="nothing was written"):
        hubframe.snapshot("ansible", to=tmp_path, client=client)
    assert len(hubframe.read_snapshots(tmp_path).runs) == 1


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("what", "options", "error"),
    [
        ("library/alpine:3.19", {}, InvalidReferenceError),
        ("An Sible", {}, InvalidReferenceError),
        (7, {}, TypeError),
        (b"ansible", {}, TypeError),
        ("ansible", {"frames": ["tags"]}, ValueError),
        ("ansible", {"frames": "layers"}, ValueError),
        ("ansible", {"errors": "ignore"}, ValueError),
        ("ansible", {"run": "a/b"}, InvalidReferenceError),
    ],
)
def test_what_cannot_be_seen_is_refused_before_anything_is_written(tmp_path, what, options, error):
    with pytest.raises(error):
        hubframe.snapshot(what, to=tmp_path, **options)
    assert list(tmp_path.rglob("*.parquet")) == []


def test_a_place_that_cannot_be_written_is_told_before_anything_is_asked(tmp_path, stage):
    application, client, _ = stage
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        hubframe.snapshot("ansible", to=tmp_path / "file", client=client)
    assert application.log == []


def test_the_command_line_says_what_it_saw(tmp_path):
    place = tmp_path / "snapshots"
    done = run(
        "snapshot", "ansible", "library/alpine", "--to", str(place), "--sample", "--format", "json"
    )
    assert done.returncode == 0, done.stderr
    assert '"is_complete": true' in done.stdout
    again = run(
        "snapshot", "ansible", "--to", str(place), "--sample", "--run", "day", "--frame", "repos"
    )
    assert again.returncode == 0, again.stderr
    found = hubframe.read_snapshots(place)
    assert len(found.runs) == 2
    assert found.repos["tag_count"].isna().sum() == 3


def test_the_command_line_tells_what_is_wrong(tmp_path):
    assert run("snapshot", "ansible", "--sample").returncode == 2
    bad = run("snapshot", "library/alpine:3.19", "--to", str(tmp_path), "--sample")
    assert bad.returncode == 1
    assert "without a tag" in bad.stderr
    lost = run("snapshot", "ansible/nothing", "--to", str(tmp_path), "--sample")
    assert lost.returncode == 1
    assert "nothing was written" in lost.stderr
    part = run("snapshot", "ansible/nothing", "ansible", "--to", str(tmp_path), "--sample")
    assert part.returncode == 0
    assert "ansible/nothing: NotFoundError" in part.stderr

"""How the images stand that files name: on the sample by hand, and what it costs."""

import json
import re
import warnings
from collections import Counter

import pandas as pd
import pytest

import hubframe
from hubframe.errors import IncompleteWarning
from hubframe.oci.newer import Newest, newest_of_line
from hubframe.oci.tagnames import read_all
from hubframe.testing import Application, Fault, Reply, sample_files, serve
from tests import shelf
from tests.fuzz.targets import is_declared
from tests.test_cli import run

NOW = "2026-11-29"
OLD = "sha256:" + "0" * 64


def named(folder, *images):
    """Return the references of a list."""
    (folder / "images.txt").write_text("".join(f"{image}\n" for image in images))
    return hubframe.references_df(folder / "images.txt")


def known(flags):
    return [None if pd.isna(one) else bool(one) for one in flags]


def by_written(frame):
    rows = frame.to_dict("records")
    return {row["written"]: {k: v for k, v in row.items() if not pd.isna(v)} for row in rows}


def test_the_sample():
    references = hubframe.references_df(sample_files() / "shop")
    with hubframe.sample():
        checked = hubframe.checked_references_df(references, now=NOW)
    is_declared(checked, "checked_references")
    assert checked.attrs["hubframe"]["complete"]
    same = checked[list(references.columns)]
    pd.testing.assert_frame_equal(same, references, check_like=True)
    rows = by_written(checked)
    pinned = next(row for written, row in rows.items() if written.startswith("alpine:3.24.2@"))
    assert (pinned["is_current"], pinned["newest_tag"], pinned["versions_behind"]) == (
        *(True, "3.24.2", 0),
    )
    outdated = next(row for written, row in rows.items() if "web:1.2@" in written)
    assert (outdated["is_current"], outdated["exists"]) == (False, True)
    assert outdated["digest_now"] != outdated["digest"]
    missing = rows["redis:6.0-alpine"]
    assert (missing["exists"], missing["newest_tag"], missing["behind"]) == (
        *(False, "8.6.0-alpine", "major"),
    )
    assert "digest_now" not in missing
    cache = rows["registry.example/shop/cache:7.2"]
    assert (cache["newest_tag"], cache["versions_behind"], cache["behind"]) == ("7.4", 1, "minor")
    assert (cache["platforms"], cache["lacks_platforms"]) == ("linux/amd64", "linux/arm64")
    assert not cache["is_official"]
    nginx = rows["nginx"]
    assert (nginx["age_days"], nginx["size"], nginx["is_official"]) == (23, 62817927, True)
    over = checked[checked["is_eol"].fillna(False)].set_index("reference")["eol_at"].dt.date
    assert over.astype(str).to_dict() == {
        "docker.io/library/debian:bookworm-slim": "2026-07-11",
        "docker.io/library/redis:6.0-alpine": "2022-05-31",
    }
    assert "newest_tag" not in nginx
    assert "exists" not in rows["registry.example/shop/orders:${ORDERS_VERSION}"]


def test_pinned_to_one_platform_only(tmp_path):
    with hubframe.sample():
        images = hubframe.images_df("library/alpine:3.24.2").set_index("platform")
        arm = images["image_digest"]["linux/arm64"]
        found = named(tmp_path, f"alpine:3.24.2@{arm}", f"alpine:3.24.2@{OLD}", f"alpine@{arm}")
        checked = hubframe.checked_references_df(found, platform="linux/riscv64")
    assert checked["is_current"].tolist()[:2] == [True, False]
    assert checked["problem"].tolist()[0] == "pinned to linux/arm64 only"
    assert checked["problem"].isna().tolist() == [False, True, True]
    assert checked["lacks_platforms"].tolist()[0] == "linux/riscv64"
    # Of a digest alone no more is known than whether it is there.
    assert checked["exists"].tolist()[2]
    assert checked[["is_current", "digest_now", "platforms"]].iloc[2].isna().all()


def test_a_pin_that_is_gone_is_not_there_whatever_its_tag_is(hub, tmp_path):
    application, client = hub
    found = hubframe.images_df("library/alpine:3.24.2", client=client).set_index("platform")
    arm, index = found.loc["linux/arm64", ["image_digest", "index_digest"]]
    names = [f"alpine:3.24.2@{index}", f"alpine:3.24.2@{arm}", f"alpine:3.24.2@{OLD}"]
    references = named(tmp_path, *names, f"alpine:0.1@{index}", f"alpine@{OLD}")
    for source, exists, current in (
        ("auto", [True, True, False, True, False], [True, True, False, None, None]),
        # By HEAD nobody tells which images a tag has.
        ("registry", [True, True, False, True, False], [True, None, False, None, None]),
        ("hub", [True, True, None, None, None], [True, True, False, None, None]),
    ):
        application.log.clear()
        checked = hubframe.checked_references_df(references, source=source, client=client)
        assert known(checked["exists"]) == exists
        assert known(checked["is_current"]) == current
        asked = [one for one in application.log if "/manifests/" in one.path_and_query]
        assert {one.method for one in asked} <= {"HEAD"}
        assert sum(OLD in one.path_and_query for one in asked) == (source != "hub")


def test_a_digest_alone_is_asked_for_without_a_pull(hub, tmp_path):
    application, client = hub
    digest = hubframe.images_df("library/alpine:3.24.2", client=client)["index_digest"].iloc[0]
    application.log.clear()
    found = named(tmp_path, f"alpine@{digest}", f"alpine@{OLD}", f"acme/nothing@{OLD}")
    with pytest.warns(IncompleteWarning, match="1 of"):
        checked = hubframe.checked_references_df(found, client=client)
    assert known(checked["exists"]) == [True, False, None]
    asked = [one for one in application.log if "/manifests/" in one.path_and_query]
    assert [one.method for one in asked] == ["HEAD"] * 3
    application.log.clear()
    apart = hubframe.checked_references_df(found, source="hub", client=client)
    assert apart["exists"].isna().all()
    assert not application.log


@pytest.fixture
def hub(tmp_path):
    application = Application()
    with serve(application) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=tmp_path / "kept"
        )
        with hubframe.Client(settings) as client:
            yield application, client


def kinds(exchanges):
    """Count requests as a plan does; logins come on top."""
    paths = {"hub": "/namespaces/", "list": "/tags/list", "head": "/manifests/"}
    asked = [one.path_and_query for one in exchanges]
    # Of that page the plan learns the limit.
    asked = [one for one in asked if not one.endswith("page_size=1")]
    return Counter({kind: sum(path in one for one in asked) for kind, path in paths.items()})


@pytest.mark.parametrize("source", ["auto", "hub", "registry"])
def test_each_tag_and_each_list_is_asked_once_without_a_pull(hub, tmp_path, source):
    application, client = hub
    tags = hubframe.tags_df(["library/python", "library/redis"], source="registry", client=client)
    hubframe.cache.clear(client=client)
    application.log.clear()
    names = (tags["repo"] + ":" + tags["tag"]).str.removeprefix("library/").head(25).tolist()
    found = named(tmp_path, *names * 20)
    assert len(found) == 500
    hubframe.checked_references_df(found.head(9), source=source, client=client)
    part = kinds(application.log)
    plan = hubframe.plan(found, "checked_references", source=source, client=client)
    assert (plan.tag_count, plan.pulls, plan.is_exact) == (25, 0, False)
    # A plan asks for nothing but the Hub API's lists, which are its own to ask for then.
    planned = {kind: count for kind, count in plan.requests.items() if count}
    assert kinds(application.log) == part or source == "hub"
    part = kinds(application.log)
    checked = hubframe.checked_references_df(found, source=source, client=client)
    assert part + Counter(planned) == kinds(application.log)
    after = hubframe.plan(found, "checked_references_df", source=source, client=client)
    assert (sum(after.requests.values()), after.is_exact) == (0, True)
    assert checked["exists"].all()
    assert checked["newest_tag"].notna().sum() > 200
    requests = list(application.log)
    lists, heads = (
        [one for one in requests if part in one.path_and_query]
        for part in ("tags/list", "/manifests/")
    )
    pages = [
        one for one in requests if re.search(r"/namespaces/.*/tags/[^?]+$", one.path_and_query)
    ]
    repos = found["repo"].nunique()
    assert {one.method for one in heads} <= {"HEAD"}
    if source == "registry":
        assert (len(heads), len(lists)) == (25, repos)
    else:
        assert len(pages) == 25
        assert len(lists) == (repos if source == "auto" else 0)
        assert not heads
    before = len(application.log)
    again = hubframe.checked_references_df(found, source=source, client=client)
    assert len(application.log) == before
    pd.testing.assert_frame_equal(again, checked)


def test_what_is_refused_is_null_and_said(hub, tmp_path):
    application, client = hub
    found = named(tmp_path, "python:3.14", "acme/web:4.4", "acme/nothing:1", "none:1", "python:0.0")
    application.faults.append(
        Fault(lambda request: "acme" in request.url and "web" in request.url, Reply(403))
    )
    with pytest.warns(IncompleteWarning):
        checked = hubframe.checked_references_df(found, client=client)
    # Another's repository that is not found may be private; an official image is not.
    assert known(checked["exists"]) == [True, None, None, False, False]
    failures = checked.attrs["hubframe"]["failures"]
    assert {one["ref"].removeprefix("docker.io/").partition(":")[0] for one in failures} == {
        *("acme/web", "acme/nothing"),
    }
    with pytest.raises(hubframe.UnauthorizedError):
        hubframe.checked_references_df(found, errors="raise", client=client)


def test_offline_the_newest_is_told_of_a_list_that_is_here(hub, tmp_path):
    _, client = hub
    found = named(tmp_path, "alpine:3.22", "alpine:0.1", "redis:7.2")
    online = hubframe.checked_references_df(found.head(2), client=client)
    with hubframe.offline(), pytest.warns(IncompleteWarning, match="3 of"):
        checked = hubframe.checked_references_df(found, client=client)
    assert known(checked["exists"]) == [True, None, None]
    assert checked["newest_tag"].fillna("").tolist() == [*online["newest_tag"].fillna(""), ""]
    with hubframe.offline():
        assert hubframe.plan(found, "checked_references", client=client).requests["hub"] == 2


def test_no_service_of_this_machine_is_asked(hub, tmp_path):
    application, client = hub
    names = (
        "localhost/app:1",
        "127.0.0.1:9/app",
        "host.docker.internal:5000/app",
        "[::1]:5000/a:2",
    )
    with pytest.warns(IncompleteWarning, match="4 of"):
        checked = hubframe.checked_references_df(named(tmp_path, *names), client=client)
    assert checked["exists"].isna().all()
    local = hubframe.references_df(sample_files() / "shop").head(1).assign(reference="oci:/etc/app")
    with pytest.warns(IncompleteWarning, match="1 of"):
        checked = hubframe.checked_references_df(local, client=client)
    assert checked["exists"].isna().all()
    assert not application.log


def test_another_registry_is_read_once_for_each_tag(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with shelf.serve() as registry:
        one, other = registry.image(), registry.image(architecture="arm64", variant="v8")
        registry.image("1.0", architecture="arm64")
        registry.index(
            "1.1",
            {**one, "platform": {"os": "linux", "architecture": "amd64"}},
            {**other, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        )
        settings = hubframe.Settings(
            cache_dir=tmp_path / "kept", insecure_registries=(registry.host,)
        )
        names = [f"{registry.repo}:{tag}" for tag in ("1.0", "1.1", "2")]
        pinned = f"{registry.repo}:1.1@{other['digest']}"
        alone = f"{registry.repo}@{one['digest']}"
        with hubframe.Client(settings) as client, warnings.catch_warnings():
            warnings.simplefilter("error")
            found = named(tmp_path, *names * 3, pinned, alone)
            plan = hubframe.plan(found, "checked_references", client=client)
            assert (plan.requests["manifest"], plan.requests["list"], plan.pulls) == (4, 1, 0)
            assert not registry.log
            checked = hubframe.checked_references_df(found, client=client)
            left = hubframe.plan(found, "checked_references", client=client)
        # That there is no such tag is asked anew each time.
        assert (sum(left.requests.values()), left.is_exact) == (1, False)
        assert len(registry.asked("/manifests/")) == 4
        assert len(registry.asked("/tags/list")) == 1
    assert checked["exists"].tolist() == [*[True, True, False] * 3, True, True]
    assert checked["platforms"].tolist()[:2] == ["linux/arm64", "linux/amd64 linux/arm64"]
    assert checked["lacks_platforms"].tolist()[0] == "linux/amd64"
    # What is not there and has nothing newer has no newest.
    assert checked["newest_tag"].fillna("").tolist()[:3] == ["1.1", "1.1", ""]
    assert checked["problem"].tolist()[9] == "pinned to linux/arm64 only"


def test_a_registry_that_lists_nothing_has_what_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with shelf.serve() as registry:
        registry.image("1.0")
        registry.lists_tags = False
        names = [f"{registry.repo}:1.0@{OLD}", f"{registry.repo}:2.0", f"{registry.repo}@{OLD}"]
        settings = hubframe.Settings(
            cache_dir=tmp_path / "kept", insecure_registries=(registry.host,)
        )
        with hubframe.Client(settings) as client:
            checked = hubframe.checked_references_df(named(tmp_path, *names), client=client)
        assert len(registry.asked(OLD)) == 1
    assert checked["exists"].tolist() == [False, False, False]
    assert known(checked["is_current"]) == [False, None, None]
    assert checked["newest_tag"].isna().all()


@pytest.mark.parametrize(
    ("tag", "others", "newest"),
    [
        ("3.12", ["3.12", "3.12.1", "3.13", "3.14", "4.0-rc1"], Newest("3.14", 2, "minor")),
        ("3.12.1", ["3.12.1", "3.12.4", "3.13.0", "4.0"], Newest("4.0", 3, "major")),
        ("3", ["3", "3.1", "4", "5.0"], Newest("5.0", 2, "major")),
        ("1.0.1", ["1.0.0", "1.0.1", "1.0.2"], Newest("1.0.2", 1, "patch")),
        ("1.2.3.4", ["1.2.3.4", "1.2.3.5"], Newest("1.2.3.5", 1, "patch")),
        ("1.25-alpine", ["1.25-alpine", "1.26", "1.27-alpine3.20"], Newest("1.25-alpine", 0, None)),
        ("v1.2", ["v1.2", "1.3", "v1.4"], Newest("v1.4", 2, "minor")),
        ("v1.2", ["v1.2", "1.3", "v1.4", "1.4"], Newest("v1.4", 2, "minor")),
        ("1.2", ["v1.2", "1.3", "v1.4", "1.4"], Newest("1.4", 2, "minor")),
        ("2.0-rc1", ["2.0-rc1", "2.0", "1.9"], Newest("2.0", 0, None)),
        ("3.0-rc1", ["3.0-rc1", "2.0"], Newest("3.0-rc1", 0, None)),
        ("1.2.3-r4", ["1.2.3-r4", "1.2.3-r10", "1.2.3"], Newest("1.2.3-r10", 0, None)),
        ("17.0.1", ["17.0.1", "17.0.1_9"], Newest("17.0.1", 0, None)),
        ("2026-01-05", ["2026-01-05", "2026-02-01", "2026-03-01"], Newest("2026-03-01", 2, None)),
        (
            "jdk-17.0.1",
            ["jdk-17.0.1", "jdk-21.0.2", "jre-22.0.0"],
            Newest("jdk-21.0.2", 1, "major"),
        ),
        ("1.5", ["1.4"], Newest("1.5", 0, None)),
        ("latest", ["latest", "1.0"], None),
        ("bookworm", ["bookworm", "trixie"], None),
    ],
)
def test_the_newest_of_a_line(tag, others, newest):
    assert newest_of_line(tag, read_all(others)) == newest


def test_wrong_arguments():
    references = hubframe.references_df(sample_files() / "shop")
    with pytest.raises(TypeError, match="references frame"):
        hubframe.checked_references_df(["nginx"])
    with hubframe.sample(), pytest.raises(TypeError, match="references frame"):
        hubframe.plan("nginx", "checked_references")
    with hubframe.sample(), pytest.raises(ValueError, match="no tags or newest"):
        hubframe.plan(references, "checked_references", newest=3)
    with pytest.raises(ValueError, match="lacks"):
        hubframe.checked_references_df(references.drop(columns="reference"))
    for wrong in ({"source": "docker"}, {"now": "now"}, {"platform": "amd64"}, {"errors": "no"}):
        with hubframe.sample(), pytest.raises(ValueError, match=next(iter(wrong))):
            hubframe.checked_references_df(references, **wrong)


def test_the_plan_of_a_check_at_the_command_line():
    done = run("references", "--plan", "--sample")
    assert done.returncode == 0, done.stderr
    head, *_, last = done.stdout.splitlines()
    assert head.startswith("checked_references of 14 tags: at least 21 requests")
    assert last == "  pulls: 0 needed, none counted"


def test_pins_are_printed_and_nothing_else(monkeypatch):
    done = run("references", "--pins", "--sample")
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head == '"file","line","old","new"'
    assert any(line.startswith('"compose.yaml",10,"nginx","nginx:latest@sha256:') for line in lines)
    assert not any("alpine:3.24.2" in line or "$" in line for line in lines)
    monkeypatch.chdir(sample_files() / "shop")
    assert run("references").stdout == run("references", "--sample").stdout
    assert len(json.loads(run("references", "--format", "json").stdout)) == 18
    assert run("references", "nothing").returncode == 1

"""The commands that answer questions, run as a user runs them."""

import io
import json
import re
import shlex
from inspect import isfunction

import pytest
from click import Option

import hubframe
from hubframe.apps.cli import cli, output
from hubframe.apps.cli.groups import Command
from hubframe.tables import TABLES
from hubframe.testing import sample_files

from .test_cli import run

FILES = sample_files()
SCANS, WEB = FILES / "scans", "registry.example/shop/web"
JOBS = "registry.example/team/worker/jobs"


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        (["compare", "library/python:3.14.0", "library/python:3.14.3"], "comparison"),
        (["compare", "acme/web", "acme/web:4.4.0", "acme/web:4.3.0"], "comparison"),
        (["cleanup", "acme/api", "--keep", "3", "--older-than", "365"], "cleanup"),
        (["cleanup", "library/alpine", "--unused-for", "0.5", "--freed"], "cleanup"),
        (["summary", "library/alpine", "acme/api", "--newest", "2"], "figures"),
        (["lag", "library/redis", "ansible/ansible"], "latest_lag"),
        (["cadence", "library/redis"], "cadence"),
        (["staleness", "library/redis", "--stale-after", "900"], "staleness"),
        (["shared", "library/redis", "library/debian", "--newest", "3"], "shared_layers"),
        (["footprint", "library/redis", "acme/web", "--by", "repo"], "footprint"),
        (["duplicates", "library/redis"], "duplicates"),
        (["similarity", "library/redis", "--disjoint", "--newest", "4"], "similarity"),
        (["size-trend", "library/alpine", "--versions", ">=3.18"], "size_trend"),
        (["parents", "library/redis:latest", "library/debian"], "parents"),
        (["outdated", "library/redis", "library/debian"], "outdated"),
        (["coverage", "acme/web", "--newest", "2"], "coverage"),
        (["standard-labels", "acme/web", "--newest", "2"], "standard_labels"),
        (["platform-coverage", "library/python", "--newest", "2"], "platform_coverage"),
        (["unpacked-sizes", "library/alpine:latest"], "unpacked_sizes"),
        (["efficiency", "registry.example/shop/batch"], "efficiency"),
        (["packages", "registry.example/shop/web", "--kind", "os"], "packages"),
        (["distributions", "registry.example/shop/cache"], "distributions"),
        (["contents", "registry.example/shop/web", "--path", "etc/*.conf"], "contents"),
        (["sboms", "registry.example/shop/web:1.2.0"], "sboms"),
        (["provenance", "registry.example/shop/web:1.2.0"], "provenance"),
        (["materials", "registry.example/shop/web:1.2.0"], "materials"),
        (["dockerfiles", "library/redis:latest", "--source", "history"], "dockerfiles"),
        (["signatures", "registry.example/shop/web"], "signatures"),
        (["bases", "registry.example/shop/web", "--outdated"], "bases"),
        (["packages-used", "registry.example/shop/web", "--name", "*ssl*"], "packages_used"),
        (["eol", "library/debian", "--today", "2026-09-01"], "eol"),
        (["eol", JOBS, "--annotations", "--over", "--today", "2026-09-01"], "eol"),
        (["lifecycles", JOBS], "lifecycles"),
        (
            [
                "eol",
                "registry.example/shop/cache",
                "--of",
                "distributions",
                "--over",
                "--today",
                "2026-09-01",
            ],
            "eol",
        ),
        (["package-lag", "registry.example/shop/web", "--behind"], "lag"),
        (
            ["vulnerabilities", f"{WEB}:1.2.0", "--advisories", f"{FILES}/advisories"],
            "vulnerabilities",
        ),
        (
            ["vulnerabilities", "--trivy", f"{SCANS}/trivy.json", "--grype", f"{SCANS}/grype.json"],
            "vulnerabilities",
        ),
        (
            ["vulnerability-summary", "--grype", f"{SCANS}/grype.json", "--by", "layer"],
            "vulnerability_summary",
        ),
        (
            [
                "vulnerability-summary",
                WEB,
                "--advisories",
                f"{FILES}/advisories",
                "--vex",
                f"{SCANS}/openvex.json",
            ],
            "vulnerability_summary",
        ),
        (["scans", "quay.io/acme/agent", "--newest", "2"], "vulnerabilities"),
        (["tag-pulls", "quay.io/acme/agent", "--newest", "2"], "tag_pulls"),
        (["draw-repos", "--namespace", "library", "-n", "2"], "search"),
        (["draw-repos", "ansible", "-n", "2", "--seed", "7"], "search"),
        (["draw-tags", "library/redis", "-n", "2"], "tags"),
    ],
)
def test_each_answer_is_a_command_and_its_csv_reads_back(arguments, table):
    done = run(*arguments, "--sample", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    frame = hubframe.read_csv(io.StringIO(done.stdout), table)
    assert len(frame) > 0
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == TABLES[table].dtypes


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        (["advisories", str(FILES / "advisories"), "--ecosystem", "PyPI"], "advisories"),
        (["vex", str(SCANS / "openvex.json")], "vex"),
        (["cycles", "debian", "alpine-linux"], "cycles"),
    ],
)
def test_what_asks_nobody_has_no_client(arguments, table):
    done = run(*arguments, "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(hubframe.read_csv(io.StringIO(done.stdout), table)) > 0


@pytest.mark.parametrize(
    "arguments", [[], [WEB], ["--vex", "a.json"], [WEB, "--trivy", "a.json"], ["--advisories", "a"]]
)
def test_vulnerabilities_need_images_and_advisories_or_reports(arguments):
    done = run("vulnerabilities", *arguments)
    assert done.returncode == 2
    assert "give REF and --advisories, or --trivy or --grype" in done.stderr


def test_the_sample_has_advisories_and_a_report():
    told = [run("vulnerability-summary", *what, "--sample").stdout for what in ([], [WEB])]
    given = (
        ["--trivy", str(SCANS / "trivy.json")],
        [WEB, "--advisories", str(FILES / "advisories")],
    )
    assert told == [run("vulnerability-summary", *what, "--sample").stdout for what in given]
    assert "1.2.0" in told[0]


# Public names without a command of their own, and what stands for them.
ELSEWHERE = {
    "manifest": "hubframe manifest prints it, as the registry sent it",
    "sharing": "hubframe summary has its rows",
    "newest": "--newest",
    "versions_in": "--versions",
    "sort_versions": "tags come newest first",
    "offline": "--offline",
    "refresh": "--refresh",
    "sample": "--sample",
    "read_snapshots": "hubframe runs, observed-repos and observed-tags",
    "read_csv": "hubframe add-snapshot reads them",
    "write_csv": "--format csv",
    "write_excel": "--format xlsx",
    "plain": "for other libraries in Python",
    "show": "for notebooks",
    "share": "hubframe report --interactive",
    "style": "for pictures in notebooks",
    "sample_repos": "hubframe draw-repos",
    "sample_tags": "hubframe draw-tags",
    "raw_manifest": "hubframe manifest",
    "outdated_bases_df": "hubframe bases --outdated",
    "read_eol": "hubframe cycles",
    "checked_references_df": "hubframe references --check",
    "read_trivy": "hubframe vulnerabilities --trivy",
    "read_grype": "hubframe vulnerabilities --grype",
    "read_osv": "hubframe advisories",
    "read_openvex": "hubframe vex",
    "with_vex": "hubframe vulnerabilities --vex",
    **dict.fromkeys(("read_syft", "read_spdx", "read_cyclonedx"), "for packages in Python"),
}


def commands_by_table():
    return {
        table: name
        for name, command in cli.commands.items()
        for table in (getattr(command, "table", ""), *getattr(command, "tables", {}).values())
    }


def test_every_public_function_has_a_command():
    tables = commands_by_table()
    for name in hubframe.__all__:
        if isfunction(getattr(hubframe, name)):
            spelled = {name.replace("_", "-"), name.removesuffix("_df").replace("_", "-")}
            has_command = spelled & set(cli.commands) or name.removesuffix("_df") in tables
            assert has_command or name in ELSEWHERE, f"hubframe.{name} has no command"
    missing = set(TABLES) - set(tables) - {"plan"}
    assert not missing, f"no command prints {missing}"


EXAMPLES = {
    name: command.epilog.splitlines()[-1].strip() for name, command in cli.commands.items()
    if isinstance(command, Command)
}  # fmt: skip


def test_each_command_has_an_example_and_tells_all_it_takes():
    for name, command in cli.commands.items():
        said = run(name, "--help").stdout
        if isinstance(command, Command):
            assert EXAMPLES[name].split()[:2] == ["hubframe", name]
            assert EXAMPLES[name] in said
            assert all(option.help for option in command.params if isinstance(option, Option))
        assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    "example",
    [
        one
        for one in EXAMPLES.values()
        if re.fullmatch("hubframe (?!explore|report).* --sample", one)
    ],
)
def test_the_examples_run(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*shlex.split(example)[1:])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.strip()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Three days, on which a tag moved and pulls were counted."""
    place = tmp_path_factory.mktemp("past") / "snapshots"
    with hubframe.sample():
        repos, tags = hubframe.repos_df("ansible"), hubframe.tags_df("ansible/awx")
    for day in range(3):
        seen = repos.assign(pull_count=repos["pull_count"] + 1000 * day)
        moved = tags.assign(
            digest=tags["digest"].mask(tags["tag"] == "24.6.1", f"sha256:{day:064}")
        )
        hubframe.add_snapshot(to=place, repos=seen, tags=moved, observed_at=f"2026-10-0{day + 1}")
    return place


@pytest.mark.parametrize(
    ("table", "count"),
    [
        ("runs", 3),
        ("observed_repos", 9),
        ("observed_tags", 39),
        ("pulls_over_time", 6),
        ("repos_over_time", 9),
        ("tag_moves", 15),
        ("mutable_tags", 1),
    ],
)
def test_the_past_is_printed(place, table, count):
    done = run(commands_by_table()[table], str(place), "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert len(hubframe.read_csv(io.StringIO(done.stdout), table)) == count


def test_the_past_is_chosen_by_repository_and_date(place):
    chosen = ["--repo", "ansible/awx", "--since", "2026-10-02", "--format", "json"]
    rows = json.loads(run("pulls-over-time", str(place), *chosen).stdout)
    assert [(row["repo"], row["change"]) for row in rows] == [("ansible/awx", 1000)]
    assert run("pulls-over-time", str(place), "--since", "yesterday").returncode == 2
    nowhere = run("tag-moves", str(place / "nowhere"))
    assert nowhere.returncode == 1
    assert "no snapshots" in nowhere.stderr


def test_csv_files_are_added_to_the_past(tmp_path):
    kept, to = tmp_path / "repos.csv", str(tmp_path / "past")
    assert run("repos", "ansible", "--sample", "--output", str(kept)).returncode == 0
    done = run("add-snapshot", "--to", to, "--repos", str(kept), "--observed-at", "2026-10-01")
    assert done.returncode == 0, done.stderr
    assert "2026-10-01" in run("observed-repos", to).stdout
    assert run("clear-unfinished", to, "--dry-run").stderr == "nothing was deleted (--dry-run)\n"
    assert run("add-snapshot", "--to", to).returncode == 2


def test_standard_labels_count_images_without_any():
    coverage = run("coverage", "library/redis:latest", "--sample", "--format", "csv").stdout
    frame = hubframe.read_csv(io.StringIO(coverage), "coverage")
    with hubframe.sample():
        assert hubframe.labels_df("library/redis:latest").empty
    assert (frame["state"] == "missing").all()
    assert len(frame) > 0


def test_parents_are_looked_for_in_what_is_named():
    def parent(*named):
        rows = json.loads(run("parents", *named, "--sample", "--format", "json").stdout)
        return {row["tag"]: row["parent_tag"] for row in rows if row["repo"] == "library/redis"}

    assert parent("library/redis:latest") == {"latest": None}
    assert parent("library/redis:latest", "library/debian") == {"latest": "13.3-slim"}


def test_a_config_is_printed():
    config = json.loads(run("config", "library/python", "--sample").stdout)
    with hubframe.sample():
        assert config == hubframe.config("library/python")


def test_images_without_a_difference_have_no_rows():
    done = run("compare", "acme/web", "acme/web:latest", "--sample")
    assert done.returncode == 0
    assert done.stdout.strip() == ""
    assert "no rows" in done.stderr


def test_differences_print_as_json_with_chosen_columns():
    images = "library/python:3.14.0", "library/python:3.14.3"
    done = run("compare", *images, "--sample", "--format", "json", "--columns", "aspect,key,right")
    rows = json.loads(done.stdout)
    assert {"aspect": "env", "key": "PYTHON_VERSION", "right": "3.14.3"} in rows
    arm = run("compare", *images, "--sample", "--format", "json", "--platform", "linux/arm64")
    assert json.loads(arm.stdout) != []


def test_protected_tags_are_protected_in_place_of_latest():
    arguments = ["cleanup", "acme/api", "--keep", "0", "--sample", "--format", "csv"]
    rule = run(*arguments, "--protect", "v2.*", "--protect", "edge").stdout
    plan = hubframe.read_csv(io.StringIO(rule), "cleanup")
    kept = plan.loc[plan["action"] == "keep", "tag"]
    assert set(kept) == {"edge", "v2.0", "v2.1", "v2.2", "v2.3"}
    usual = hubframe.read_csv(io.StringIO(run(*arguments).stdout), "cleanup")
    assert usual.loc[usual["action"] == "keep", "tag"].tolist() == ["latest"]


def test_collected_failures_are_said():
    done = run(
        "cleanup", "acme/api", "acme/nothing", "--keep", "1", "--errors", "collect", "--sample"
    )
    assert done.returncode == 0
    assert "acme/nothing" in done.stderr
    assert "acme/api" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["compare", "acme/web"], 2, "two images or more"),
        (["compare", "acme/web", "acme/nothing"], 1, "acme/nothing"),
        (["compare", "acme/web", "acme/api", "--platform", "all"], 2, "platform must be one"),
        (["compare", "acme/web", "acme/api", "--columns", "colour"], 2, "no column 'colour'"),
        (["cleanup", "acme/web"], 2, "no rule"),
        (["cleanup", "acme/web", "--keep", "-1"], 2, "-1"),
        (["cleanup", "acme/web:4.4.0", "--keep", "1"], 2, "name repositories"),
        (["cleanup", "Acme", "--keep", "1"], 1, "not an image reference"),
        (["summary"], 2, "Missing argument"),
        (["lag", "acme/web:4.4.0"], 2, "name repositories"),
        (["similarity", "acme/web", "--at-least", "2"], 2, "0<=x<=1"),
        (["similarity", "acme/web", "--most", "1"], 2, "1"),
        (["staleness", "acme/nothing"], 1, "acme/nothing"),
        (["efficiency", "library/alpine:latest"], 1, "the bundled sample holds the layers of"),
        (
            ["tags", "ghcr.io/acme/app"],
            1,
            "has no host 'ghcr.io', only docker.io, registry.example",
        ),
        (["draw-repos"], 2, "one of the two"),
    ],
)
def test_exit_status_and_what_is_said(arguments, status, said):
    done = run(*arguments, "--sample")
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_numbers_are_short_for_people_and_whole_for_programs(capsys):
    value = [457_627.0, 0.32499999999999996, 60_718_625.10000002, -7.0, None]
    frame = TABLES["figures"].frame({"value": value})[["value"]]
    for form, cells in (
        ("markdown", ["457627", "0.325", "60718625", "-7", ""]),
        ("table", ["457627", "0.325", "60718625", "-7", ""]),
        ("jsonl", [f'{{"value": {json.dumps(one)}}}' for one in value]),
    ):
        output.write(frame, form, None, verbatim=False)
        lines = capsys.readouterr().out.removesuffix("\n").split("\n")
        assert [line.strip("| ") for line in lines[-5:]] == cells

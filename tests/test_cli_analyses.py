"""The commands that answer questions, run as a user runs them."""

import io
import json

import pytest

import hubframe
from hubframe.apps.cli import output
from hubframe.tables import TABLES

from .test_cli import run


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        (["compare", "library/python:3.14.0", "library/python:3.14.3"], "comparison"),
        (["compare", "acme/web", "acme/web:4.4.0", "acme/web:4.3.0"], "comparison"),
        (["cleanup", "acme/api", "--keep", "3", "--older-than", "365"], "cleanup"),
        (["cleanup", "library/alpine", "--unused-for", "0.5", "--freed"], "cleanup"),
        (["summary", "library/alpine", "acme/api", "--newest", "2"], "figures"),
    ],
)
def test_each_answer_is_a_command_and_its_csv_reads_back(arguments, table):
    done = run(*arguments, "--sample", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    frame = hubframe.read_csv(io.StringIO(done.stdout), table)
    assert len(frame) > 0
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == TABLES[table].dtypes


def test_help_names_the_answers():
    said = run("--help").stdout
    for command in ("compare", "cleanup", "summary"):
        assert f"\n  {command} " in said
        assert run(command, "--help").returncode == 0


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

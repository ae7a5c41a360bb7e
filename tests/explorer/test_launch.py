"""The explorer without a notebook that is open: what is written, and what is run."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from importlib import import_module

import pytest
from click.testing import CliRunner

from benchmarks.ports import free_port
from hubframe.apps.cli import cli
from hubframe.apps.explorer import launch
from hubframe.errors import PayloadError
from hubframe.testing import sample_files

from . import servers
from .conftest import PATIENCE


@pytest.mark.parametrize(
    ("what", "sample", "source"),
    [
        (None, False, "import hubframe\n\nexplorer = hubframe.explore()\nexplorer"),
        (
            'no "image"',
            True,
            'import hubframe\n\nhubframe.sample()\n\nexplorer = hubframe.explore("no \\"image\\"")\nexplorer',
        ),
    ],
)
def test_the_notebook_opens_an_explorer(tmp_path, what, sample, source):
    path = launch.write_notebook(tmp_path, what, sample=sample, page=False)
    # It takes seconds to import, and each process that runs tests imports all files of tests.
    nbformat = import_module("nbformat")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code"]
    assert notebook.cells[1].source == source


def test_the_notebook_reads_what_is_given(tmp_path):
    trivy, grype = (str(sample_files() / "scans" / f"{name}.json") for name in ("trivy", "grype"))
    given = {"vulnerabilities": [trivy, grype], "references": tmp_path}
    path = launch.write_notebook(tmp_path, "a/b", sample=False, page=True, **given)
    (cell,) = json.loads(path.read_text("utf-8"))["cells"]
    assert (
        cell["source"]
        == f"""import hubframe
import pandas

vulnerabilities = pandas.concat([hubframe.read_trivy(["{trivy}"]), hubframe.read_grype(["{grype}"])])
references = hubframe.checked_references_df(hubframe.references_df("{tmp_path}"), errors="collect")

explorer = hubframe.explore("a/b", vulnerabilities=vulnerabilities, references=references)
explorer"""
    )


def test_a_file_that_is_no_report_is_said_before_anything_is_served():
    report = str(sample_files() / "scans" / "openvex.json")
    result = CliRunner().invoke(cli, ["explore", "--vulnerabilities", report])
    assert isinstance(result.exception, PayloadError)


@pytest.mark.parametrize(
    ("line", "what", "jupyter"),
    [
        ([], None, []),
        (["ansible"], "ansible", []),
        (["ansible", "--ip", "0.0.0.0"], "ansible", ["--ip", "0.0.0.0"]),
        (["--ip=0.0.0.0", "ansible"], "ansible", ["--ip=0.0.0.0"]),
        (["--ip", "0.0.0.0"], None, ["--ip", "0.0.0.0"]),
        (
            ["ansible", "--port", "8001", "--no-browser", "--debug"],
            "ansible",
            ["--no-browser", "--port=8001", "--debug"],
        ),
    ],
)
def test_options_of_jupyter_are_passed_on(monkeypatch, line, what, jupyter):
    told = []
    monkeypatch.setattr(launch, "explore", lambda *given, **_: told.append(given) or 0)
    result = CliRunner().invoke(cli, ["explore", *line], standalone_mode=False)
    assert result.exit_code == 0, result.output
    assert told == [(what, jupyter)]


def test_jupyterlab_opens_on_the_result_and_nothing_is_left(browser, pictures, tmp_path):
    port = free_port()
    line = ["explore", "ansible/ansible", "--sample", "--no-browser", "--port", str(port)]
    line += [f"--IdentityProvider.token={servers.TOKEN}", "--LabApp.news_url=None"]
    here = tmp_path / "here"
    here.mkdir()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hubframe", *line],
            stdout=log,
            stderr=log,
            cwd=here,
            env=servers.environment(tmp_path),
        )
    try:
        address = f"http://127.0.0.1:{port}"
        servers.wait_for(process, address, tmp_path / "log")
        notebook = f"{address}/api/contents/hubframe-explorer.ipynb?token={servers.TOKEN}"
        until = time.monotonic() + PATIENCE
        outputs = []
        while not outputs and time.monotonic() < until:
            with urllib.request.urlopen(notebook) as answer:
                outputs = json.load(answer)["content"]["cells"][-1]["outputs"]
            time.sleep(0.2)
        assert outputs, (tmp_path / "log").read_text()[-2000:]
        tab = browser.new_page(viewport={"width": 1400, "height": 900})
        tab.set_default_timeout(PATIENCE * 1000)
        tab.goto(f"{address}/lab/tree/hubframe-explorer.ipynb?token={servers.TOKEN}")
        tab.get_by_role("table", name="Tags", exact=True).get_by_text("13.2.0").first.click()
        tab.get_by_text("130 MB in 7 layers").wait_for()
        tab.screenshot(path=pictures / "explorer-command.png")
        tab.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert list(here.iterdir()) == []
    assert servers.is_gone(address)


def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launch, "find_spec", lambda _: None)
    result = CliRunner().invoke(cli, ["explore", "--voila"])
    assert result.exit_code == 1
    assert 'pip install "hubframe[voila]"' in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_the_command_ends_what_serves(tmp_path, way):
    port = free_port()
    line = [sys.executable, "-m", "hubframe", "explore", "--voila", "--sample", "--no-browser"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*line, "--port", str(port)],
            stdout=log,
            stderr=log,
            env=servers.environment(tmp_path),
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}/static/"
    servers.wait_for(process, address, tmp_path / "log")
    # A terminal interrupts all that runs in it; a service manager tells the command alone.
    if way == signal.SIGINT:
        os.killpg(process.pid, way)
    else:
        process.send_signal(way)
    process.wait(30)
    assert servers.is_gone(address), "what serves ends with the command"

"""The explorer without a notebook that is open: what is written, and what is run."""

import os
import signal
import subprocess
import sys
from importlib import import_module

import pytest
from click.testing import CliRunner

from hubframe.apps.cli import cli
from hubframe.apps.explorer import launch

from . import servers


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


def test_no_notebook_is_written_over(tmp_path):
    names = [launch.write_notebook(tmp_path, None, sample=True, page=False).name for _ in range(3)]
    assert names == [
        "hubframe-explorer.ipynb",
        "hubframe-explorer-2.ipynb",
        "hubframe-explorer-3.ipynb",
    ]


def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launch, "find_spec", lambda _: None)
    result = CliRunner().invoke(cli, ["explore", "--voila"])
    assert result.exit_code == 1
    assert 'pip install "hubframe[voila]"' in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_the_command_ends_what_serves(tmp_path, way):
    port = servers.free_port()
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

"""Real Jupyter servers, each in a process and with settings of its own."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ports import free_port

TOKEN = "test-token"


def environment(folder, **more):
    """Return settings of their own: nothing of whoever runs the tests."""
    places = {
        f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")
    }
    for place in places.values():
        Path(place).mkdir(exist_ok=True)
    # What is open in two windows is not saved over by either.
    saving = folder / "config" / "lab/user-settings/@jupyterlab/docmanager-extension"
    saving.mkdir(parents=True, exist_ok=True)
    (saving / "plugin.jupyterlab-settings").write_text('{"autosave": false}')
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUBFRAME_")}
    return {**kept, **places, "HUBFRAME_CACHE_DIR": str(folder / "cache"), **more}


def write_notebook(path, *cells):
    path.write_text(json.dumps(notebook_of(*cells)), encoding="utf-8")


def notebook_of(*cells):
    # Written by hand: nbformat takes seconds to import, in each process that runs tests.
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": [{**empty, "id": f"cell-{n}", "source": cell} for n, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@contextmanager
def serving(line, address, folder, settings):
    """Run a server until the block ends."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log, env=settings, cwd=folder)
    try:
        wait_for(process, address, folder / "server.log")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def wait_for(process, address, log):
    """Wait until a server answers."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


def is_gone(address):
    """Tell whether nobody answers, soon or already."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except ConnectionError:
            return True
        except urllib.error.HTTPError:
            pass
        except OSError as error:
            if isinstance(getattr(error, "reason", None), ConnectionError):
                return True
        time.sleep(0.1)
    return False


@contextmanager
def jupyter(folder, **more):
    """Serve JupyterLab and Notebook 7 over a folder, and give their address."""
    port = free_port()
    root = folder / "root"
    root.mkdir(exist_ok=True)
    line = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={root}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    with serving(line, f"http://127.0.0.1:{port}", folder, environment(folder, **more)) as address:
        yield address


@contextmanager
def voila(folder, *arguments, **more):
    """Serve an explorer as ``hubframe explore --voila`` does, and give its address."""
    port = free_port()
    line = [sys.executable, "-m", "hubframe", "explore", *arguments]
    line += ["--voila", "--no-browser", "--port", str(port)]
    with serving(line, f"http://127.0.0.1:{port}/", folder, environment(folder, **more)) as address:
        yield address

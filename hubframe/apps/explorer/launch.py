"""An explorer outside of a notebook that is open: JupyterLab or Voila, started with one."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

_NAME = "hubframe-explorer"
_INSTALL = 'it is not installed: pip install "hubframe[{extra}]"'


def write_notebook(folder: Path, what: str | None, *, sample: bool, page: bool) -> Path:
    """Write a notebook that opens an explorer; no file is written over.

    Parameters
    ----------
    folder
        Where to.
    what
        What it looks for at first.
    sample
        Whether it shows the bundled sample.
    page
        Whether it is served as a page, in which nobody has to run it.
    """
    names = (f"{_NAME}{'' if number == 1 else f'-{number}'}.ipynb" for number in count(1))
    path = next(folder / name for name in names if not (folder / name).exists())
    path.write_text(
        json.dumps(_notebook(what, sample=sample, page=page), indent=1), encoding="utf-8"
    )
    return path


def _notebook(what: str | None, *, sample: bool, page: bool) -> dict[str, Any]:
    asked = "" if what is None else json.dumps(what, ensure_ascii=False)
    lines = ["import hubframe", *(["", "hubframe.sample()"] if sample else []), ""]
    lines += [f"explorer = hubframe.explore({asked})", "explorer"]
    words = "Run the cell below (Shift+Enter), and look for a namespace, an image or words."
    how = {"cell_type": "markdown", "id": "how", "metadata": {}, "source": words}
    cell: dict[str, Any] = {
        "cell_type": "code",
        "id": "explorer",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": "\n".join(lines),
    }
    return {
        "cells": [cell] if page else [how, cell],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def command(notebook: Path, *, voila: bool, port: int | None, browser: bool) -> list[str]:
    """Return the command that serves a notebook.

    Parameters
    ----------
    notebook
        Its file.
    voila
        Whether as a page, by Voila; otherwise in JupyterLab.
    port
        Where it listens; None for where there is room.
    browser
        Whether a browser is opened.

    Raises
    ------
    ModuleNotFoundError
        What serves it is not installed; the message says how to.
    """
    module, extra = ("voila", "voila") if voila else ("jupyterlab", "notebook")
    if find_spec(module) is None:
        raise ModuleNotFoundError(_INSTALL.format(extra=extra), name=module)
    line = [sys.executable, "-m", module, str(notebook)]
    if not browser:
        line.append("--no-browser")
    if port is not None:
        line.append(f"--port={port}")
    return line


def run(line: list[str], environment: dict[str, str]) -> int:
    """Serve until it ends, and return its status; what ends this ends what serves."""
    with subprocess.Popen(line, env=environment) as served:  # noqa: S603 - our own line
        signal.signal(signal.SIGTERM, lambda *_: served.terminate())
        while True:
            with suppress(KeyboardInterrupt):
                return served.wait()

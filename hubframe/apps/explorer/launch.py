"""An explorer outside of a notebook that is open: JupyterLab or Voila, started with one."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

_HOW = "Run the cell below (Shift+Enter), and look for a namespace, an image or words."


def explore(
    what: str | None, arguments: list[str], *, voila: bool, sample: bool, offline: bool
) -> int:
    """Write a notebook that opens an explorer, serve it to its end, and return the status."""
    module, extra = ("voila", "voila") if voila else ("jupyterlab", "notebook")
    if find_spec(module) is None:
        raise ModuleNotFoundError(
            f'it is not installed: pip install "hubframe[{extra}]"', name=module
        )
    with TemporaryDirectory() as folder:
        # A page has nothing to keep; a notebook is its reader's own.
        place = Path(folder) if voila else Path()
        notebook = write_notebook(place, what, sample=sample, page=voila)
        if not voila:
            sys.stderr.write(f"{notebook}: run its cell to open the explorer\n")
        line = [sys.executable, "-m", module, str(notebook), *arguments]
        environment = os.environ | ({"HUBFRAME_OFFLINE": "1"} if offline else {})
        with subprocess.Popen(line, env=environment) as served:  # noqa: S603 - our own line
            # What ends this ends what serves.
            signal.signal(signal.SIGTERM, lambda *_: served.terminate())
            while True:
                with suppress(KeyboardInterrupt):
                    return served.wait()


def write_notebook(folder: Path, what: str | None, *, sample: bool, page: bool) -> Path:
    """Write a notebook that opens an explorer; no file is written over."""
    names = (f"hubframe-explorer{'' if n == 1 else f'-{n}'}.ipynb" for n in count(1))
    path = next(folder / name for name in names if not (folder / name).exists())
    asked = "" if what is None else json.dumps(what, ensure_ascii=False)
    source = "import hubframe\n\n" + "hubframe.sample()\n\n" * sample
    source += f"explorer = hubframe.explore({asked})\nexplorer"
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "how", "metadata": {}, "source": _HOW},
        {"cell_type": "code", "id": "explorer", "metadata": {}, "source": source},
    ]
    cells[1] |= {"execution_count": None, "outputs": []}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    form = {"metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps({"cells": cells[page:]} | form, indent=1), encoding="utf-8")
    return path

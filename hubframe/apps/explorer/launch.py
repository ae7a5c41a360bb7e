"""An explorer outside of a notebook that is open: JupyterLab or Voila, started with one."""

import json
import os
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

from hubframe.tables.files import replacing

_NAME = "hubframe-explorer.ipynb"
_HOW = (
    "This notebook ends with the command that opened it: *Copy as code* takes away what you find, "
    "and *File > Download* the notebook."
)
# How long a server may take to answer, and a kernel to show the explorer. [seconds]
_PATIENCE = 60.0
_GLANCE = 0.2


def explore(
    what: str | None, jupyter: Sequence[str], *, voila: bool, sample: bool, offline: bool
) -> int:
    """Serve a notebook that shows an explorer to its end, and return the status.

    `jupyter` are options of JupyterLab or of Voila.
    """
    module, extra = ("voila", "voila") if voila else ("jupyterlab", "notebook")
    if find_spec(module) is None:
        raise ModuleNotFoundError(
            f'it is not installed: pip install "hubframe[{extra}]"', name=module
        )
    environment = os.environ | ({"HUBFRAME_OFFLINE": "1"} if offline else {})
    with TemporaryDirectory(prefix="hubframe-") as folder:
        notebook = write_notebook(Path(folder), what, sample=sample, page=voila)
        line = [sys.executable, "-m", module, str(notebook), *jupyter]
        if not voila:
            # The browser is opened once there is something to see.
            line += ["--no-browser", *_as_root()]
        with subprocess.Popen(line, env=environment) as served:  # noqa: S603 - our own line
            # What ends this ends what serves.
            signal.signal(signal.SIGTERM, lambda *_: served.terminate())
            while True:
                with suppress(KeyboardInterrupt):
                    if not voila:
                        voila = True
                        _show(served, notebook, is_opened="--no-browser" not in jupyter)
                    return served.wait()


def _as_root() -> list[str]:
    """Return what lets Jupyter run where the only user is root, as in a container."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return ["--allow-root"] if is_root else []


def write_notebook(folder: Path, what: str | None, *, sample: bool, page: bool) -> Path:
    """Write a notebook that opens an explorer."""
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
    path = folder / _NAME
    path.write_text(json.dumps({"cells": cells[page:]} | form, indent=1), encoding="utf-8")
    return path


def _show(served: "subprocess.Popen[bytes]", notebook: Path, *, is_opened: bool) -> None:
    """Run the notebook in the kernel that JupyterLab will show, and open the browser on it.

    Where that cannot be done, as with a password, a person runs the cell.
    """
    server = _server_of(served)
    if server is None:
        return
    token = f"?token={server['token']}" if server["token"] else ""
    try:
        _run(server, token, notebook)
    except (OSError, ValueError, RuntimeError) as error:
        sys.stderr.write(f"run the cell of the notebook to open the explorer: {error}\n")
    if is_opened:
        webbrowser.open(f"{server['url']}lab/tree/{notebook.name}{token}")


def _server_of(served: "subprocess.Popen[bytes]") -> dict[str, Any] | None:
    """Return what the server that was started says of itself; None where it ended."""
    running = import_module("jupyter_server.serverapp").list_running_servers
    until = time.monotonic() + _PATIENCE
    while served.poll() is None and time.monotonic() < until:
        for server in running():
            if server["pid"] == served.pid:
                return dict(server)
        time.sleep(_GLANCE)
    return None


def _run(server: dict[str, Any], token: str, notebook: Path) -> None:
    """Run the last cell of a notebook in a kernel of its own, and write down what it shows."""
    # These take seconds to import, and tell no types.
    nbformat: Any = import_module("nbformat")
    notary: Any = import_module("nbformat.sign").NotebookNotary()
    client: Any = import_module("jupyter_client.blocking.client").BlockingKernelClient()
    folder = Path(import_module("jupyter_core.paths").jupyter_runtime_dir())
    session = {"path": notebook.name, "name": notebook.name, "type": "notebook"}
    asked = json.dumps({**session, "kernel": {"name": "python3"}}).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{server['url']}api/sessions{token}", asked, headers)  # noqa: S310 - our own
    with urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - our own
        kernel = json.load(answer)["kernel"]["id"]
    written = nbformat.read(notebook, as_version=4)
    cell = written.cells[-1]
    said: list[Any] = []
    client.load_connection_file(str(folder / f"kernel-{kernel}.json"))
    # A heart that misses a beat, as on a busy machine, would be taken for a dead one.
    client.start_channels(hb=False)
    try:
        client.wait_for_ready(timeout=_PATIENCE)
        client.execute_interactive(cell.source, timeout=_PATIENCE, output_hook=said.append)
    finally:
        client.stop_channels()
    told = (message for message in said if message["msg_type"] != "status")
    cell.outputs = [
        nbformat.v4.output_from_msg(message)
        for message in told
        if message["msg_type"] in ("execute_result", "display_data", "stream", "error")
    ]
    # A page shows widgets of notebooks that are trusted.
    notary.sign(written)
    # JupyterLab serves the file meanwhile: whoever asks reads all of it, or what was there before.
    with replacing(notebook) as draft:
        nbformat.write(written, draft)

"""A cell that is interrupted in a real kernel stops at once, and so do its threads."""

import time

import pytest
from jupyter_client import KernelManager

from .conftest import REPOSITORY
from .proxy import WHOLE, held_after, undisturbed
from .reader import environment

WORKERS = 16
# Two seconds are promised; a busy machine gets more. What is held takes sixty.
SOON = 20.0
NEWEST = 60
# Enough tags are left for all workers to be held.
# In the middle of the manifests: a ping, a list and 60 indexes come before.
PASSED = 80


class Kernel:
    """A kernel, and what its cells answer."""

    def __init__(self, manager):
        self._manager = manager
        self._client = manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=180)

    def begin(self, code):
        return self._client.execute(code)

    def interrupt(self):
        self._manager.interrupt_kernel()

    def finish(self, cell):
        """Wait for a cell's reply, and return that with what it printed and how long it took."""
        began = time.monotonic()
        reply = self._client.get_shell_msg(timeout=180)
        # A kernel that starts slowly is asked twice whether it is ready, and answers twice.
        while reply["parent_header"]["msg_id"] != cell:
            reply = self._client.get_shell_msg(timeout=180)
        took = time.monotonic() - began
        return reply["content"], self._printed(cell), took

    def _printed(self, cell):
        parts = []
        while True:
            message = self._client.get_iopub_msg(timeout=180)
            if message["parent_header"].get("msg_id") != cell:
                continue
            content = message["content"]
            if content.get("execution_state") == "idle":
                return "".join(parts)
            if content.get("name") == "stdout":
                parts.append(content["text"])

    def run(self, code):
        return self.finish(self.begin(code))

    def close(self):
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**environment(cache), "IPYTHONDIR": str(tmp_path / "ipython")})
    kernel = Kernel(manager)
    yield kernel
    kernel.close()


def test_an_interrupted_cell_stops_at_once_and_the_next_one_works(proxy, kernel):
    cell = f"labels = hubframe.labels_df('{proxy.host}/{REPOSITORY}', newest={NEWEST})"
    content, _, _ = kernel.run("import hubframe")
    assert content["status"] == "ok"

    proxy.begin(held_after(PASSED))
    running = kernel.begin(cell)
    proxy.wait_until(PASSED + WORKERS)
    had = {(one.method, one.path) for one in proxy.log if one.fate == WHOLE}
    kernel.interrupt()
    content, _, took = kernel.finish(running)
    assert content["ename"] == "KeyboardInterrupt"
    assert took < SOON

    content, printed, took = kernel.run("print(6 * 7)")
    assert (content["status"], printed) == ("ok", "42\n")
    assert took < SOON

    # What is under way may come to its end; then nobody asks for more.
    under_way = proxy.asked.total()
    proxy.plan = undisturbed
    time.sleep(1)
    assert proxy.asked.total() == under_way == PASSED + WORKERS

    proxy.begin()
    content, printed, _ = kernel.run(
        f"{cell}\nprint(len(labels), labels.attrs['hubframe']['complete'])"
    )
    assert (content["status"], printed) == ("ok", f"{2 * NEWEST} True\n")
    assert len(had & set(proxy.asked)) <= WORKERS
    assert not proxy.repeated()

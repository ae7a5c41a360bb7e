"""Photograph the explorer and the page to share: ``python docs/photograph.py``.

It needs Chromium and the extras ``voila`` and ``test``.
"""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from io import BytesIO
from pathlib import Path
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
_SIZE = {"width": 1280, "height": 900}
_PALETTE = Image.Quantize.MAXCOVERAGE


@contextmanager
def explorer() -> Iterator[str]:
    """Serve the explorer on the bundled sample, and give its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    line = ["explore", "ansible/ansible", "--sample", "--voila", "--no-browser", f"--port={port}"]
    served = subprocess.Popen([sys.executable, "-m", "hubframe", *line])  # noqa: S603 - our own
    address = f"http://127.0.0.1:{port}/"
    try:
        _wait(address)
        yield address
    finally:
        served.terminate()
        served.wait()


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            urlopen(address).close()  # noqa: S310 - a loopback address
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(address)


def click_through(page: Page) -> None:
    """Find which release grew most, and by which step."""
    page.get_by_role("table", name="Tags").wait_for()
    page.get_by_role("button", name="Size over time").click()
    page.get_by_role("img", name="Size over time").wait_for()
    page.get_by_text("More is on its way").wait_for(state="detached")
    page.get_by_role("button", name="Cancel").wait_for(state="hidden")


def save(content: bytes, path: Path) -> None:
    """Save a screenshot as a small PNG."""
    Image.open(BytesIO(content)).convert("RGB").quantize(method=_PALETTE).save(path, optimize=True)


def main() -> None:
    """Photograph it."""
    with explorer() as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        page = browser.new_page(viewport=_SIZE)
        page.goto(address)
        click_through(page)
        save(page.screenshot(), PICTURES / "explorer.png")
        browser.close()


def photograph_page() -> None:
    """Photograph the page to share of its guide, with its first table sorted."""
    code, *_ = re.findall(
        "```python\n(.*?)```", (HERE / "sharing.md").read_text("utf-8"), re.DOTALL
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver, chdir(folder):
        exec(code, {})  # noqa: S102 - our own
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1100, "height": 780})
        page.goto((Path(folder) / "ansible.html").as_uri())
        for _ in range(2):
            page.get_by_role("button", name="size", exact=True).first.click()
        save(page.screenshot(), PICTURES / "sharing.png")
        browser.close()


if __name__ == "__main__":
    photograph_page()
    main()

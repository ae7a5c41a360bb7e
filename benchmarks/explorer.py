"""How long the explorer takes to answer on screen, in JupyterLab in Chromium, with a repository of many tags.

For each kind of click the median and the longest time from the click to the first picture after the answer, taken
in the page itself, in milliseconds. `rows` returns the table, and `targets` what of it must be reached.
"""

import re
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from benchmarks.servers import running_module
from tests.explorer import servers

TAGS = 10_000
REPEATS = 15
# What is asked for: a click is answered on screen within so long, and no letter waits so long that
# typing stalls. [milliseconds]
ASKED, STALL = 300, 1000
LETTERS = "a letter in the filter"
_QUIET = 500
_REPOSITORY = "acme/tool"
# What stands beside a cell that waits for the kernel, or was run.
_BEGUN = re.compile(r"\[(\*|\d+)\]")
_CELL = "import hubframe\nexplorer = hubframe.explore()\nexplorer"
# Resolves when the table was drawn anew and the browser has painted it.
_WATCH = """
label => {
  const grid = [...document.querySelectorAll('.hubframe-grid')]
    .find(one => one.querySelector('table')?.getAttribute('aria-label') === label);
  window.painted = new Promise(resolve => {
    const drawn = new MutationObserver(() => {
      drawn.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    });
    drawn.observe(grid, {childList: true, subtree: true});
  });
  for (const kind of ['click', 'input']) {
    document.addEventListener(kind, () => { window.begun = performance.now(); }, {capture: true, once: true});
  }
}
"""
_TAKEN = "async () => (await window.painted) - window.begun"


def _timed(page: Page, act: Callable[[], object], label: str = "Tags") -> float:
    """Return the milliseconds from what a person does to the table that answers it."""
    # What the act before drew last is not this one's answer.
    page.wait_for_timeout(_QUIET)
    page.evaluate(_WATCH, label)
    act()
    return float(page.evaluate(_TAKEN))


def _button(page: Page, name: str) -> Locator:
    table = page.get_by_role("table", name="Tags", exact=True)
    return table.get_by_role("button", name=name, exact=True)


def _sorts(page: Page) -> Iterator[float]:
    for at in range(REPEATS):
        yield _timed(page, _button(page, ("size", "tag", "pushed at")[at % 3]).click)


def _turns(page: Page) -> Iterator[float]:
    turns = page.locator(".hubframe-grid", has=page.get_by_role("table", name="Tags", exact=True))
    for at in range(REPEATS):
        name = "Last page" if at % 2 == 0 else "First page"
        yield _timed(page, turns.get_by_role("button", name=name).click)


def _choices(page: Page) -> Iterator[float]:
    rows = page.get_by_role("table", name="Tags", exact=True).locator("tbody tr")
    for at in range(REPEATS):
        yield _timed(page, rows.nth(at % 10).locator("input").click)


def _letters(page: Page) -> Iterator[float]:
    field = page.get_by_placeholder("part of a name, or a glob")
    field.click()
    for _ in range(REPEATS // 3):
        for key in ("1", "2", "Backspace", "Backspace"):
            yield _timed(page, lambda key=key: field.press(key))  # type: ignore[misc]


KINDS: dict[str, Callable[[Page], Iterator[float]]] = {
    "sorting": _sorts,
    "turning to the last page, and back": _turns,
    "choosing a tag": _choices,
    LETTERS: _letters,
}


@contextmanager
def _explorer(tags: int) -> Iterator[Page]:
    """Open the explorer on the repository, in a browser."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_module("hub", "0", f"{_REPOSITORY}={tags}") as host,
        servers.jupyter(Path(folder), HUBFRAME_HUB_URL=f"http://{host}") as address,
        sync_playwright() as driver,
    ):
        servers.write_notebook(Path(folder) / "root" / "explorer.ipynb", _CELL)
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1800})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/lab/tree/explorer.ipynb?token={servers.TOKEN}&reset")
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        _run(page)
        field = page.get_by_placeholder(re.compile("^ansible, nginx"))
        field.fill(_REPOSITORY)
        field.press("Enter")
        page.get_by_text(f"of {tags:,} rows").first.wait_for()
        page.wait_for_timeout(2_000)
        yield page
        browser.close()


def _run(page: Page) -> None:
    # A kernel that is not connected yet runs nothing, and does not say so.
    for _ in range(5):
        page.locator(".jp-Cell").first.click()
        page.keyboard.press("Control+Enter")
        with suppress(PlaywrightTimeout):
            page.locator(".jp-InputPrompt", has_text=_BEGUN).first.wait_for(timeout=6_000)
            break
    page.wait_for_selector(".hubframe-explorer")


def rows(tags: int = TAGS) -> list[dict[str, Any]]:
    """Measure each kind of click.

    Returns
    -------
    list of dict
        A row per kind: ``work``, ``tags``, how many ``clicks``, and their ``median_ms`` and ``longest_ms``.
    """
    if shutil.which("chromium") is None:
        raise ImportError("chromium is not installed")
    with _explorer(tags) as page:
        taken = {kind: list(times(page)) for kind, times in KINDS.items()}
    return [
        {
            "work": kind,
            "tags": tags,
            "clicks": len(times),
            "median_ms": round(statistics.median(times)),
            "longest_ms": round(max(times)),
        }
        for kind, times in taken.items()
    ]


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge rows: the median of each kind of click, and the longest of letters."""
    return [
        {
            "work": f"explorer, {row['tags']:,} tags: {row['work']}, in the browser",
            "must": f"{which} at most {most:,} ms",
            "measured": f"{row[f'{which}_ms']} ms",
            "reached": row[f"{which}_ms"] <= most,
        }
        for row in found
        for which, most in (("median", ASKED), ("longest", STALL))
        if which == "median" or row["work"] == LETTERS
    ]

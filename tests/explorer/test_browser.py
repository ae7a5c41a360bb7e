"""The explorer in real browsers' pages: JupyterLab, Notebook 7, Voila, and where no kernel is."""

import json
import re
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from jupyter_client import BlockingKernelClient

import hubframe
from hubframe.apps.explorer.panels import PANELS
from hubframe.apps.explorer.session import Session
from hubframe.apps.explorer.view import Explorer
from hubframe.testing import Application, serve

from . import servers, world
from .conftest import PATIENCE, hold

NOTEBOOK = "explorer.ipynb"
# One kernel shows all explorers, one after the other: what was there before is closed.
BEGIN = """import contextlib, hubframe
for name in ("explorer", "sample"):
    globals().pop(name, contextlib.ExitStack()).close()"""
EXPLORE = "explorer = hubframe.explore()\nexplorer"
SAMPLE = (f"{BEGIN}\nsample = hubframe.sample()", EXPLORE)
REAL = (BEGIN, EXPLORE)
RUN = """async notebook => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    if (notebook) panel.context.model.fromJSON(notebook);
    await app.commands.execute("notebook:run-all-cells");
}"""
TAGS, LISTING, FRAME = "Tags", "Repositories", "Frame of the panel"
LAYERS = "Layers of the image"
FOUND = "Frame of the panel, with a filter"


@pytest.fixture(scope="session")
def application():
    """A Hub on a socket, with limits, and a stranger's repository in it."""
    return Application(world.hostile_world(), pull_limit=100)


@dataclass
class Lab:
    """JupyterLab and Notebook 7, and the connection to the one kernel that runs there."""

    address: str
    kernel: Path


@pytest.fixture(scope="session")
def lab(application, tmp_path_factory):
    """Start JupyterLab, and a kernel that asks that Hub."""
    folder = tmp_path_factory.mktemp("lab")
    with serve(application) as served:
        hub = {"HUBFRAME_HUB_URL": served.hub_url, "HUBFRAME_REGISTRY_URL": served.registry_url}
        with servers.jupyter(folder, **hub) as address:
            servers.write_notebook(folder / "root" / NOTEBOOK, *REAL)
            session = {"path": NOTEBOOK, "name": NOTEBOOK, "type": "notebook"}
            request = urllib.request.Request(
                f"{address}/api/sessions?token={servers.TOKEN}",
                json.dumps({**session, "kernel": {"name": "python3"}}).encode(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request) as answer:
                number = json.load(answer)["kernel"]["id"]
            yield Lab(address, folder / "runtime" / f"kernel-{number}.json")


@pytest.fixture(scope="session")
def voila(tmp_path_factory):
    """Serve the sample's explorer as a page."""
    with servers.voila(tmp_path_factory.mktemp("voila"), "--sample") as address:
        yield address


class Page:
    """A browser's page with an explorer in it, and what a person does there."""

    def __init__(self, browser, pictures, *, width=1400, height=2400):
        self._pictures = pictures
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(PATIENCE * 1000)
        self.dialogs, self.requests = [], []
        self.tab.on(
            "dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss())
        )
        self.tab.on("request", lambda request: self.requests.append(request.url))

    def open_notebook(self, lab, app="lab/tree"):
        """Open the notebook."""
        self.tab.goto(
            f"{lab.address}/{app}/{NOTEBOOK}?token={servers.TOKEN}" + "&reset" * (app == "lab/tree")
        )
        self.tab.wait_for_selector(".jp-NotebookPanel")
        return self

    def run(self, *cells):
        """Run these cells in place of those that are there; without any, those again."""
        self.tab.evaluate(RUN, servers.notebook_of(*cells) if cells else None)
        self.tab.wait_for_selector(".hubframe-explorer")
        return self

    def menu(self, *names):
        self.tab.locator(".lm-MenuBar-item", has_text=re.compile(f"^{names[0]}$")).first.click()
        for name in names[1:]:
            self.tab.locator(".lm-Menu-item", has_text=re.compile(f"^{name}")).last.click()

    def look_for(self, text):
        field = self.tab.get_by_placeholder(re.compile("^ansible, nginx"))
        field.fill(text)
        field.press("Enter")

    def table(self, label):
        return self.tab.get_by_role("table", name=label, exact=True)

    def row(self, label, text):
        return self.table(label).locator("tbody tr", has=self.tab.get_by_text(text, exact=True))

    def open(self, repo):
        """Open a repository by its name, as a newcomer does."""
        self.table(LISTING).get_by_text(repo, exact=True).click()
        self.table(TAGS).wait_for()

    def panel(self, title):
        self.tab.get_by_role("button", name=title, exact=True).click()
        self.tab.locator(".detail h3", has_text=title).first.wait_for()
        self.idle()

    def touch(self, cells):
        """Go over cells, and whatever is in them, with the mouse."""
        if cells.count():
            cells.first.hover()
        cells.evaluate_all(
            "cells => cells.flatMap(cell => [cell, ...cell.querySelectorAll('*')]).forEach("
            "one => one.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))"
        )

    def idle(self):
        """Wait until nothing is under way."""
        self.tab.wait_for_function(
            "() => { const b = document.querySelector('.hubframe-explorer .widget-hprogress');"
            "return b && getComputedStyle(b).visibility === 'hidden'; }"
        )

    def sort(self, label, title):
        self.table(label).get_by_role("button", name=title, exact=True).click()

    def cells(self, label, row=0):
        return self.table(label).locator("tbody tr").nth(row).locator("td").all_inner_texts()

    def has_code(self, text):
        """Wait until the code that a person may copy has a text."""
        self.tab.locator('pre[aria-label="Code"]', has_text=text).wait_for()

    def picture(self, title):
        return self.tab.locator(f'.hubframe-picture svg[aria-label="{title}"]')

    def screenshot(self, name):
        self.tab.screenshot(path=self._pictures / f"{name}.png")

    def has_text(self, text):
        self.tab.get_by_text(text).first.wait_for()


@pytest.fixture
def page(browser, pictures, request):
    """Open pages, and close them."""
    opened = []

    def open_page(**size):
        opened.append(Page(browser, pictures, **size))
        return opened[-1]

    yield open_page
    for one in opened:
        if not one.tab.is_closed():
            one.screenshot(f"last-{request.node.name}")
        one.context.close()


@pytest.fixture(scope="module")
def labs(browser, pictures, lab):
    """Return what gives the page with JupyterLab: to load it takes longer than most tests."""
    opened = []

    def page():
        if not opened or opened[-1].tab.is_closed():
            opened.append(Page(browser, pictures).open_notebook(lab))
        return opened[-1]

    yield page
    for one in opened:
        one.context.close()


@pytest.fixture
def in_lab(labs, request):
    """Return what runs cells in JupyterLab, and gives the page that shows their explorer."""
    failed = request.session.testsfailed
    page = labs()
    page.dialogs.clear()
    page.requests.clear()
    yield page.run
    if not page.tab.is_closed():
        page.screenshot(f"last-{request.node.name}")
        # What a test that failed left on the page is no other's business.
        if request.session.testsfailed > failed:
            page.tab.close()


@pytest.fixture
def sampled(in_lab):
    """An explorer of the bundled sample in JupyterLab."""
    return in_lab(*SAMPLE)


def grown():
    """Return the release that grew most, and the step that made it."""
    with hubframe.sample():
        trend = hubframe.size_trend_df(hubframe.layers_df("ansible/ansible", newest=20))
    release = trend.loc[trend["total_change"].idxmax()]
    step = trend[trend["tag"] == release.tag].nlargest(1, "change").iloc[0]
    return trend, release.tag, step.instruction


def test_a_newcomer_finds_what_grew_and_takes_it_away(sampled, tmp_path):
    trend, tag, instruction = grown()
    sampled.look_for("ansible")
    sampled.open("ansible/ansible")
    sampled.has_text("30 tags of 28 images")
    sampled.panel("Size over time")
    sampled.has_text(f"{tag} grew most")
    sampled.picture("Size over time").wait_for()
    # The answer is the first row, too.
    first = sampled.cells(FRAME)
    assert first[0] == tag
    assert [cell for cell in first if cell.startswith(instruction[:30])]
    with sampled.tab.expect_download() as download:
        sampled.tab.get_by_role("button", name="Save as CSV").click()
    path = tmp_path / "growth.csv"
    download.value.save_as(path)
    assert download.value.suggested_filename == "growth.csv"
    pd.testing.assert_frame_equal(hubframe.read_csv(path, "size_trend"), trend)


def test_code_is_copied_and_a_report_saved(sampled, tmp_path):
    sampled.look_for("ansible/ansible:13.4.0")
    sampled.table(TAGS).wait_for()
    sampled.panel("Layers")
    sampled.picture("Layers").wait_for()
    for name, copied in {
        "Copy the code of what is shown": 'hubframe.layers_df(["ansible/ansible:13.4.0"])',
        "Copy the code that opens this view": (
            'hubframe.explore("ansible/ansible", tags=["13.4.0"], panel="layers")'
        ),
    }.items():
        sampled.tab.get_by_role("button", name=name).click()
        sampled.has_text("Copied")
        code = sampled.tab.evaluate("navigator.clipboard.readText()")
        assert code == f"import hubframe\n\nhubframe.sample()\n\n{copied}"
    with sampled.tab.expect_download() as download:
        sampled.tab.get_by_role("button", name="Save a report").click()
    download.value.save_as(tmp_path / "report.zip")
    assert (tmp_path / "report.zip").stat().st_size > 10_000


def test_tags_are_chosen_by_mouse_and_compared(sampled):
    sampled.look_for("ansible/ansible")
    rows = sampled.table(TAGS).locator("tbody tr")
    rows.first.wait_for()
    sampled.tab.get_by_placeholder("part of a name").fill("13")
    sampled.has_text("4 of 30 shown")
    sampled.row(TAGS, "13.4.0").locator("input").click()
    sampled.tab.wait_for_selector('tr[aria-selected="true"]')
    sampled.idle()
    sampled.row(TAGS, "13.2.0").locator("input").click()
    sampled.tab.wait_for_function(
        "() => document.querySelectorAll('tr[aria-selected=\"true\"]').length === 2"
    )
    sampled.panel("Compare")
    sampled.picture("Compare").wait_for()
    sampled.has_code('hubframe.compare_df(["ansible/ansible:13.2.0", "ansible/ansible:13.4.0"])')
    sampled.tab.get_by_role("button", name="Swap").click()
    sampled.has_text("13.4.0 → 13.2.0")
    sampled.screenshot("explorer-compare")


def test_keys_do_what_the_mouse_does(sampled):
    sampled.look_for("ansible/ansible")
    rows = sampled.table(TAGS).locator("tbody tr")
    rows.first.wait_for()
    rows.first.focus()
    sampled.tab.keyboard.press("ArrowDown")
    sampled.tab.keyboard.press("ArrowDown")
    sampled.tab.keyboard.press(" ")
    sampled.tab.wait_for_function(
        "() => document.querySelectorAll('tr[aria-selected=\"true\"]').length === 1"
    )
    assert rows.nth(2).get_attribute("aria-selected") == "true"
    sampled.idle()
    sampled.tab.wait_for_function("() => document.activeElement.dataset.place === '2'")
    sampled.tab.keyboard.press("PageDown")
    sampled.has_text("16\N{EN DASH}30 of 30 rows")


def test_dark_pages_have_dark_pictures(sampled):
    sampled.look_for("ansible/ansible")
    picture = sampled.picture("Overview")
    picture.wait_for()
    written = "() => { const p = document.querySelector('.hubframe-picture svg'); return p && p.outerHTML; }"
    light = sampled.tab.evaluate(written)
    assert "ffffff" not in sampled.tab.evaluate(
        "document.querySelector('.hubframe-picture #patch_1')?.outerHTML ?? ''"
    )
    changed = f"light => {{ const now = ({written})(); return now && now !== light; }}"
    sampled.menu("Settings", "Theme", "JupyterLab Dark")
    sampled.tab.wait_for_function(changed, arg=light)
    sampled.screenshot("explorer-dark")
    assert sampled.tab.evaluate("document.body.dataset.jpThemeLight") == "false"
    dark = sampled.tab.evaluate(written)
    sampled.menu("Settings", "Theme", "JupyterLab Light")
    sampled.tab.wait_for_function(changed, arg=dark)


def test_notebook_seven_shows_it(lab, page):
    seven = page().open_notebook(lab, "notebooks").run(*SAMPLE)
    seven.look_for("ansible/ansible")
    seven.panel("Size over time")
    seven.picture("Size over time").wait_for()
    seven.screenshot("explorer-notebook")


def is_in_view(page, element):
    """Tell whether all of an element is on screen, without scrolling."""
    box = element.bounding_box()
    size = page.tab.viewport_size
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    is_below = box["x"] >= 0 and box["y"] >= 0
    return is_below and right <= size["width"] + 1 and bottom <= size["height"] + 1


WIDTHS = (480, 800, 1280)
# The picture, where there is one, is as wide as there is room; narrow ones are scaled.
DRAWN = """() => {
    const box = document.querySelector('.hubframe-picture');
    const picture = box?.querySelector('svg');
    if (!picture || !box.clientWidth) return true;
    const drawn = picture.viewBox.baseVal.width * 96 / 72;
    return Math.abs(drawn - Math.max(box.clientWidth, 400)) <= 20;
}"""


# Once the page has the size that was asked for.
LAID_OUT = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def shares(shown, path, text):
    """Save a page to share; it says the same from the disk."""
    with shown.tab.expect_download() as download:
        shown.tab.get_by_role("button", name="Save a page to share").click()
    download.value.save_as(path)
    shared = shown.tab.context.new_page()
    shared.goto(path.as_uri())
    shared.get_by_text(text).wait_for()
    shared.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_way_of_a_newcomer_fits_the_screen(page, voila, tmp_path, theme):  # noqa: PLR0915
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown = page(width=1280, height=900)
    trend, tag, instruction = grown()
    faults = {}

    def look(name):
        """Keep what each screen shows, and whether everybody can use it."""
        shown.idle()
        for width in WIDTHS if theme == "light" else WIDTHS[-1:]:
            shown.tab.set_viewport_size({"width": width, "height": 900})
            shown.tab.evaluate(LAID_OUT)
            shown.tab.wait_for_function(DRAWN)
            shown.screenshot(f"explorer-{width}-{theme}-{name}")
            assert shown.tab.evaluate("document.documentElement.scrollWidth") <= width, name
        found = axe.run(shown.tab, context=".hubframe-explorer").response["violations"]
        faults.update({f"{name}: {one['id']}": one["nodes"][0]["html"] for one in found})

    shown.tab.goto(f"{voila}?theme={theme}")
    example = shown.tab.get_by_role("button", name="ansible", exact=True)
    example.wait_for()
    look("first")
    example.click()
    shown.table(LISTING).wait_for()
    look("list")
    shown.open("ansible/ansible")
    shown.has_text("30 tags of 28 images")
    look("overview")
    shown.panel("Size over time")
    answer = shown.tab.get_by_text(f"{tag} grew most")
    answer.wait_for()
    step = shown.tab.get_by_text(instruction[:30]).first
    save = shown.tab.get_by_role("button", name="Save as CSV")
    look("growth")
    assert all(is_in_view(shown, one) for one in (answer, step, save))
    assert shown.tab.evaluate("window.scrollY") == 0
    with shown.tab.expect_download() as download:
        save.click()
    download.value.save_as(tmp_path / "growth.csv")
    pd.testing.assert_frame_equal(hubframe.read_csv(tmp_path / "growth.csv", "size_trend"), trend)
    # What is on screen goes to others as one page, which needs nothing but a browser.
    shares(shown, tmp_path / "page.html", f"{tag} grew most")
    # Why: the tag in the list, or in the picture, shows what it is made of.
    shown.panel("Overview")
    shown.table(TAGS).get_by_text(tag, exact=True).click()
    shown.table(LAYERS).wait_for()
    shown.has_text("in 7 layers")
    look("image")
    assert is_in_view(shown, shown.table(LAYERS))
    assert is_in_view(shown, shown.tab.get_by_role("button", name="Copy the command"))
    shown.panel("Compare")
    shown.has_text("12.0.0 → 12.3.0")
    look("compare")
    # What is inside: a filter finds a package, by keys alone.
    shown.look_for("registry.example/shop/web:1.2.0")
    shown.has_text("Tags of registry.example/shop/web")
    shown.panel("Inside")
    shown.has_text("12 packages (10 deb, 2 pypi)")
    shown.tab.get_by_role("searchbox").focus()
    shown.tab.keyboard.type("curl apt-get")
    shown.has_text("2 rows, 12 without the filter")
    assert [cells[1] for cells in map(shown.cells, (FOUND, FOUND), (0, 1))] == ["curl", "libcurl4"]
    look("inside")
    assert faults == {}


def test_voila_shows_it_as_a_page(page, voila):
    shown = page(width=1280, height=900)
    shown.tab.goto(voila)
    shown.look_for("ansible/ansible")
    shown.table(TAGS).wait_for()
    shown.panel("Layers")
    shown.picture("Layers").wait_for()
    assert shown.tab.locator("text=explorer = hubframe.explore").count() == 0
    # A mark that names a tag chooses it.
    shown.tab.locator('.hubframe-picture [data-name="13.2.0"]').first.click()
    shown.tab.wait_for_selector('tr[aria-selected="true"]')
    shown.idle()
    shown.has_code("ansible/ansible:13.2.0")
    assert shown.tab.locator(".hubframe-picture title").first.text_content()


def test_the_address_holds_what_is_shown(page, voila):
    shown = page(width=1280, height=900)
    shown.tab.goto(voila)
    shown.look_for("ansible/ansible")
    shown.table(TAGS).get_by_text("13.2.0", exact=True).click()
    shown.has_text("in 7 layers")
    shown.panel("History")
    shown.tab.wait_for_url("**panel=history")
    shown.tab.go_back()
    shown.table(LAYERS).wait_for()
    shown.idle()
    shown.tab.go_forward()
    shown.tab.locator(".detail h3", has_text="History").wait_for()
    shown.idle()
    shown.tab.reload()
    shown.tab.locator(".detail h3", has_text="History 13.2.0").wait_for()
    shown.idle()
    shown.has_code("ansible/ansible:13.2.0")
    selected = shown.tab.locator('tr[aria-selected="true"]')
    assert selected.locator("td").all_inner_texts()[1] == "13.2.0"
    assert shown.tab.get_by_role("button", name="Back", exact=True).is_disabled()


def test_what_costs_pulls_is_asked_for(in_lab):
    shown = in_lab(*REAL)
    shown.look_for("ansible/ansible:13.4.0")
    shown.table(TAGS).wait_for()
    shown.panel("Labels")
    shown.has_text("This needs 1 pull from Docker Hub")
    shown.screenshot("explorer-plan")
    shown.tab.get_by_role("button", name="Fetch", exact=True).click()
    shown.picture("Labels").wait_for()
    shown.has_text("pulls left")


def test_what_strangers_write_does_nothing(lab, in_lab):
    shown = in_lab(*REAL)
    shown.look_for("evil")
    shown.has_text(world.HANDLER)
    shown.open(world.REPO)
    for place in (0, 1):
        shown.table(TAGS).locator("tbody tr").nth(place).locator("input").click()
        # Choosing opens it; another panel that is asked for before that is not.
        shown.tab.locator(".detail h3", has_text="Image").first.wait_for()
        shown.idle()
    for panel in (one.title for one in PANELS.values() if not one.is_given):
        shown.panel(panel)
        fetch = shown.tab.get_by_role("button", name=re.compile("^Fetch"))
        if fetch.is_visible():
            fetch.click()
            shown.idle()
        table = LAYERS if panel == "Image" else FRAME
        shown.tab.locator(f'table[aria-label="{table}"]').wait_for(state="attached")
        links = shown.tab.evaluate(
            "[...document.querySelectorAll('.hubframe-explorer a')].map(link => link.href)"
        )
        assert all(re.match(r"https?://", link) for link in links)
        shown.touch(shown.table(FRAME).locator("td"))
        if panel == "Labels":
            shown.screenshot("explorer-strangers")
            shown.table(FRAME).get_by_text(world.SCRIPT).first.wait_for()
    shown.look_for(world.SCRIPT)
    shown.look_for(f"{world.REPO}:{'x' * 10}")
    shown.has_text("has no tag")
    host = lab.address.removeprefix("http://")
    assert shown.dialogs == []
    assert {
        url for url in shown.requests if host not in url and not url.startswith(("data:", "blob:"))
    } == set()


@contextmanager
def stuck(page, application):
    """Open a panel whose answers are kept back until the block, or the test, lets them go."""
    held, release = hold(application, "/images")

    def let_go():
        application.faults.clear()
        release.set()

    try:
        page.tab.get_by_role("button", name="Layers", exact=True).click()
        assert held.wait(PATIENCE)
        yield let_go
    finally:
        let_go()


def test_cancelling_leaves_nothing_half_built(in_lab, application):
    shown = in_lab(*REAL)
    shown.look_for("library/python")
    shown.table(TAGS).wait_for()
    shown.idle()
    with stuck(shown, application):
        shown.tab.get_by_role("button", name="Cancel", exact=True).click()
        shown.has_text("Cancelled. What was fetched is kept.")
        shown.idle()
        assert shown.picture("Layers").count() == 0
        shown.screenshot("explorer-cancelled")
    shown.tab.get_by_role("button", name="Read again", exact=True).click()
    shown.picture("Layers").wait_for()


def test_a_kernel_that_is_restarted_asks_for_nothing_more(in_lab, application):
    shown = in_lab(*REAL)
    shown.look_for("library/redis")
    shown.table(TAGS).wait_for()
    shown.idle()
    with stuck(shown, application) as let_go:
        shown.menu("Kernel", "Restart Kernel…")
        shown.tab.locator(".jp-Dialog button.jp-mod-accept").click()
        shown.tab.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        let_go()
        # What was held is answered now, to nobody.
        time.sleep(0.5)
        asked = len(application.log)
        time.sleep(0.5)
        assert len(application.log) == asked
    shown.run()
    shown.look_for("library/redis")
    shown.panel("Layers")
    shown.picture("Layers").wait_for()


def run_in_kernel(lab, code):
    """Run code in the kernel without a browser, and return what it said."""
    kernel = BlockingKernelClient(connection_file=str(lab.kernel))
    kernel.load_connection_file()
    kernel.start_channels()
    said = []
    try:
        kernel.execute_interactive(
            code, timeout=PATIENCE, output_hook=lambda told: said.append(told["content"])
        )
    finally:
        kernel.stop_channels()
    return said


def test_the_kernel_is_free_while_it_fetches(in_lab, application):
    shown = in_lab(*REAL, "print('free:', 6 * 7)")
    shown.look_for("library/nginx")
    shown.table(TAGS).wait_for()
    shown.idle()
    with stuck(shown, application):
        shown.menu("Edit", "Clear Outputs of All Cells")
        cell = shown.tab.locator(".jp-CodeCell").last
        cell.click()
        shown.tab.keyboard.press("Shift+Enter")
        shown.has_text("free: 42")


def test_a_notebook_that_is_closed_leaves_no_thread(lab, in_lab, application):
    shown = in_lab(*REAL)
    shown.look_for("library/debian")
    shown.table(TAGS).wait_for()
    shown.idle()
    with stuck(shown, application):
        shown.tab.close()
    said = run_in_kernel(
        lab,
        f"import threading\nprint(explorer.wait({PATIENCE}), explorer.session.is_partial)\n"
        "print([thread.name for thread in threading.enumerate()])",
    )
    done, threads = "".join(told.get("text", "") for told in said).splitlines()
    assert done == "True False"
    assert "hubframe" not in threads


def test_without_widgets_there_is_still_the_frame(browser, pictures, lab, tmp_path):
    # What comes later than a second is not in the file of a notebook that does not wait.
    show = 'explorer = hubframe.explore("ansible/ansible")\nexplorer.wait()\nexplorer'
    said = run_in_kernel(lab, f"{SAMPLE[0]}\n{show}")
    (html,) = [told["data"]["text/html"] for told in said if "text/html" in told.get("data", ())]
    assert "13.4.0" in html
    assert "hubframe.tags_df" in html
    assert "30 tags of 28 images" in html
    path = tmp_path / "static.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{html}", encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert tab.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    tab.screenshot(path=pictures / "explorer-static.png")
    tab.close()


def test_what_strangers_write_does_nothing_without_widgets_either(browser, application, tmp_path):
    with serve(application) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=tmp_path / "cache"
        )
        with hubframe.Client(settings) as client:
            explorer = Explorer(Session(client=client))
            explorer.session.look_for(world.REPO)
            assert explorer.wait()
            explorer.session.show("labels")
            assert explorer.wait()
            explorer.session.agree()
            assert explorer.wait()
            html = explorer._repr_mimebundle_()["text/html"]
            explorer.close()
    assert "alert" in html
    path = tmp_path / "static.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{html}", encoding="utf-8")
    tab = browser.new_page()
    dialogs, requests = [], []
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(path.as_uri())
    for cell in tab.locator("td").all()[:40]:
        cell.hover()
    assert dialogs == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    tab.close()

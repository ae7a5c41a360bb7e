"""The documentation's pages are made without a warning, from the code and by running notebooks.

The notebooks run from top to bottom, on the sample, while the pages are made: once for both.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import hubframe
from hubframe.tables import TABLES

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LOOK = """async () => {
    const images = [...document.images];
    images.forEach(image => { image.loading = "eager"; });
    await Promise.all(images.map(image => image.decode().catch(() => null)));
    return {
        images: images.length,
        blank: images.filter(image => !image.naturalWidth).map(image => image.src),
        links: [...document.querySelectorAll("a[href]")].map(link => link.href),
        anchors: [...document.querySelectorAll("[id]")].map(one => one.id),
    };
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    target = tmp_path_factory.mktemp("docs")
    command = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--fresh-env", "-q"]
    done = subprocess.run(
        [sys.executable, *command, "-d", str(target / "trees"), "docs", str(target / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target / "html"


def test_each_frame_and_column_has_its_line(pages):
    text = (pages / "made/data.html").read_text(encoding="utf-8")
    for table in TABLES.values():
        assert table.source.endswith("."), table.name
        assert f'id="{table.name.replace("_", "-")}"' in text
        for column in table.columns:
            assert f">{column.name}</span>" in text


def test_each_function_and_error_has_a_page(pages):
    public = [name for name in hubframe.__all__ if callable(getattr(hubframe, name))]
    assert len(public) > 40
    missing = [n for n in public if not (pages / f"made/api/hubframe.{n}.html").exists()]
    assert missing == []


def test_the_house_is_drawn_for_contributors(pages):
    text = (pages / "contributing.html").read_text(encoding="utf-8")
    drawn = re.sub("<[^>]+>", "", re.search(r"<pre>(.*?└.*?)</pre>", text, re.DOTALL)[1])
    lengths = {len(line.rstrip()) for line in re.findall(r"^[│├┌└].*[│┤┐┘]", drawn, re.MULTILINE)}
    assert len(lengths) == 1


def test_notebooks_are_shown_with_what_they_print(pages):
    text = (pages / "made/notebooks/first-steps.html").read_text(encoding="utf-8")
    assert "cell_output" in text
    assert "<img" in text


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(pages, path):
    executed = pages.parent / "jupyter_execute" / "made" / "notebooks" / path.name
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [*range(1, len(code) + 1)]
    shown = [output for cell in code for output in cell["outputs"]]
    assert any("text/html" in output.get("data", {}) for output in shown)
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not [output for output in shown if output.get("name") == "stderr"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_without_outputs(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.fixture(scope="module")
def opened(pages, browser):
    """Open every page in a browser, without a network, and return what is on it, by address."""
    tab = browser.new_page()
    tab.route(re.compile("^https?:"), lambda route: route.abort())
    seen = {}
    for path in sorted(pages.rglob("*.html")):
        if "_static" not in path.parts:
            tab.goto(path.as_uri())
            seen[path.as_uri()] = tab.evaluate(LOOK)
    tab.close()
    return seen


def test_every_picture_of_every_page_is_there(pages, opened):
    assert opened[(pages / "plots.html").as_uri()]["images"] > 40
    blank = {page: seen["blank"] for page, seen in opened.items() if seen["blank"]}
    assert blank == {}


def test_no_link_within_the_pages_is_dead(opened):
    inside = [
        (page, link)
        for page, seen in opened.items()
        for link in set(seen["links"])
        if not link.startswith(("http:", "https:", "mailto:"))
    ]
    assert len(inside) > 1000
    dead = []
    for page, link in inside:
        address, _, anchor = link.partition("#")
        if address in opened:
            is_dead = anchor and unquote(anchor) not in opened[address]["anchors"]
        else:
            is_dead = not Path(unquote(address.removeprefix("file://"))).is_file()
        if is_dead:
            dead.append((page, link))
    assert dead == []

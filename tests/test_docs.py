"""The documentation's pages are made without a warning, from the code and by running notebooks.

The notebooks run from top to bottom, on the sample, while the pages are made: once for both.
"""

import inspect
import json
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin

import pytest

import hubframe
from hubframe.apps.cli import cli
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
        cut: [...document.querySelectorAll(".hubframe")]
            .filter(table => table.scrollWidth > table.clientWidth).map(table => table.innerText),
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


def public():
    """What has a page: functions, classes and errors, as users write them."""
    places = {"": hubframe, "plots.": hubframe.plots}
    for place, module in places.items():
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and not (place and hasattr(hubframe, name)):
                yield f"{place}{name}", thing


def text_of(pages, name):
    return (pages / f"made/api/hubframe.{name}.html").read_text(encoding="utf-8")


def test_each_function_and_error_has_a_page(pages):
    names = [name for name, _ in public()]
    assert len(names) > 80
    missing = [n for n in names if not (pages / f"made/api/hubframe.{n}.html").exists()]
    assert missing == []


def test_each_function_is_listed_under_a_job(pages):
    jobs = re.findall(r'href="(\w+)\.html"', (pages / "made/api.html").read_text(encoding="utf-8"))
    listed = "".join(
        (pages / f"made/{job}.html").read_text("utf-8") for job in set(jobs) - {"data"}
    )
    assert [n for n, _ in public() if f'href="api/hubframe.{n}.html' not in listed] == []


def test_each_function_tells_its_own_keywords(pages):
    for name, function in public():
        if inspect.isfunction(function):
            page = text_of(pages, name)
            assert "See <" not in page.partition("<dt>Parameters")[2].partition("Returns")[0], name
            for keyword, parameter in inspect.signature(function).parameters.items():
                stars = {parameter.VAR_KEYWORD: r"\*\*", parameter.VAR_POSITIONAL: r"\*"}
                told = rf"<dt><strong>{stars.get(parameter.kind, '')}{keyword}</strong>.*?</dt><dd><p>(?!</p>)"
                assert re.search(told, page, re.DOTALL), (name, keyword)


def test_each_function_that_gives_a_frame_tells_its_columns(pages):
    for name, function in public():
        if name.endswith("_df"):
            table = TABLES[re.search(r"[Tt]he table `(\w+)`", inspect.getdoc(function))[1]]
            columns = text_of(pages, name).partition(">Columns<")[2]
            assert all(f">{column}</span>" in columns for column in table.dtypes), name


def test_each_plot_shows_its_picture(pages):
    overview = (pages / "made/plot.html").read_text(encoding="utf-8")
    for name in (name for name in hubframe.plots.__all__ if name.startswith("plot_")):
        pictures = re.findall(r'src="../../(_images/[\w-]+\.png)"', text_of(pages, f"plots.{name}"))
        assert len(pictures) == 2, name
        assert all(f'src="../{picture}"' in overview for picture in pictures), name


def test_types_and_names_are_links(pages):
    page = text_of(pages, "layers_df")
    assert 'href="hubframe.Client.html' in page
    assert 'href="../data.html#layers"' in page
    assert "made/api/hubframe.labels_df.html" in (pages / "limits.html").read_text(encoding="utf-8")


def test_each_command_and_option_is_on_the_page(pages):
    page = unescape(re.sub("<[^>]+>", "", (pages / "commands.html").read_text(encoding="utf-8")))
    named = 0
    for name, command in cli.commands.items():
        for sub, each in getattr(command, "commands", {"": command}).items():
            section = page.partition(f"\nhubframe {name} {sub}".rstrip() + "#")[2]
            for option in each.params:
                named += 1
                assert all(way in section for way in option.opts if way.startswith("-")), option
    assert named > 100


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


def pictures_of(source):
    """Each call of a plot makes a figure of its own, unless it is told where to draw."""
    calls = re.findall(r"plots\.plot_\w+\(|subplots\(", source)
    return len(calls) - len(re.findall(r"\bax=", source))


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
    for cell in code:
        if drawn := pictures_of(source := "".join(cell["source"])):
            kinds = [output.get("data", {}) for output in cell["outputs"]]
            assert sum("image/png" in kind for kind in kinds) == drawn, source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_without_outputs_and_begins_with_a_frame_for_people(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    first = next(cell for cell in cells if cell["cell_type"] == "code")
    assert first["source"][-1].startswith("hubframe.show(")


class Page(HTMLParser):
    """What a page links to, what of it can be linked to, and whether there is something to see."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.is_seen = set(), set(), False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.anchors.add(told.get("id"))
        self.is_seen |= tag == "img" or "hubframe" in (told.get("class") or "").split()
        if tag == "a" and "href" in told:
            self.links.add(told["href"])


@pytest.fixture(scope="module")
def read(pages):
    """Every page, by its address."""
    return {
        path.as_uri(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(pages.rglob("*.html"))
        if "_static" not in path.parts
    }


@pytest.fixture(scope="module")
def opened(read, browser):
    """Open the pages with pictures and tables in a browser; none asks a network."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    asked = []
    tab.route(
        re.compile("^https?:"), lambda route: (asked.append(route.request.url), route.abort())
    )
    seen = {}
    for address in (address for address, page in read.items() if page.is_seen):
        tab.goto(address)
        seen[address] = tab.evaluate(LOOK)
    tab.close()
    assert asked == []
    return seen


def test_every_picture_of_every_page_is_there(pages, opened):
    assert opened[(pages / "plots.html").as_uri()]["images"] > 40
    blank = {page: seen["blank"] for page, seen in opened.items() if seen["blank"]}
    assert blank == {}


def test_every_table_of_a_notebook_fits_its_column(opened):
    assert {page: seen["cut"] for page, seen in opened.items() if seen["cut"]} == {}


def test_no_link_within_the_pages_is_dead(read):
    inside = [(page, urljoin(page, link)) for page, seen in read.items() for link in seen.links]
    inside = [
        (page, link) for page, link in inside if not link.startswith(("http:", "https:", "mailto:"))
    ]
    assert len(inside) > 1000
    dead = []
    for page, link in inside:
        address, _, anchor = link.partition("#")
        if address in read:
            is_dead = anchor and unquote(anchor) not in read[address].anchors
        else:
            is_dead = not Path(unquote(address.removeprefix("file://"))).is_file()
        if is_dead:
            dead.append((page, link))
    assert dead == []

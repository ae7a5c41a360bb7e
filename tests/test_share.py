"""The page to share: opened from disk without a network, in a real browser, it answers and gives CSV."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import hubframe
from hubframe.tables import TABLES

SCRIPT = "</script><script>window.broken = 1</script>"
PRANKS = (
    SCRIPT,
    "<!--<script>",
    "<img src=x onerror='window.broken = 2'>",
    "javascript:window.broken=3",
    '=HYPERLINK("http://192.0.2.1")',
    "'=1+1",
    "\ta tab",
    "$x^2$ and $$y$$",
    "abc\u202egpj.exe \u2067rtl\u2069",
    '" onmouseover="window.broken=4" x="',
    'a\nline, and a "quote"',
    "\u2028\u2029&lt;\x1b[31m",
    "3.10",
    "NA",
    "",
)  # fmt: skip


@pytest.fixture
def labels():
    """Labels whose every key and value somebody tried something with."""
    rows = [
        {"repo": f"evil/{place % 2}", "tag": f"1.{place}", "platform": "linux/amd64", "image_digest": "sha256:" + f"{place:064x}", "source": "config", "key": f"key{place}" if place % 2 else prank or "empty", "value": prank}
        for place, prank in enumerate(PRANKS)
    ]  # fmt: skip
    frame = TABLES["labels"].from_records(rows)
    failure = {"ref": SCRIPT, "error": "NotFoundError", "message": f"gone {SCRIPT}"}
    frame.attrs["hubframe"] = {
        "table": "labels",
        "source": "hub",
        "fetched_at": "2026-11-15T10:30:00+00:00",
        "complete": False,
        "failures": [failure],
    }
    return frame


class Page:
    """A page from disk in a browser whose network is cut, and what a person does there."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(offline=True, accept_downloads=True, **options)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(60_000)
        self.faults, self.requests = [], []
        self.tab.on("console", lambda message: self.faults.append(message.text))
        self.tab.on("pageerror", lambda error: self.faults.append(str(error)))
        self.tab.on("dialog", lambda dialog: (self.faults.append(dialog.message), dialog.dismiss()))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(path.as_uri())
        self.tab.locator(".hubframe-grid").first.wait_for()
        self.grid = self.tab.locator(".hubframe-grid").first

    def texts(self, title):
        """Return a column of the table as it is on screen."""
        heads = self.grid.locator("thead th").all_inner_texts()
        place = next(at for at, head in enumerate(heads) if head.strip() == title)
        cells = "rows => rows.map(row => [...row.cells].filter(cell => !cell.matches('.box')))"
        return self.grid.locator("tbody tr").evaluate_all(
            f"(rows, at) => ({cells})(rows).map(cells => cells[at].textContent)", place
        )

    def sort(self, title):
        self.grid.get_by_role("button", name=title, exact=True).click()

    def status(self):
        return self.grid.get_by_role("status").inner_text()

    def csv(self, name, path):
        with self.tab.expect_download() as download:
            self.grid.get_by_role("button", name=name, exact=True).click()
        download.value.save_as(path)
        return download.value.suggested_filename


@pytest.fixture
def opened(browser):
    """Open pages, and close them; none asks for anything, and nothing goes wrong on any."""
    pages = []

    def open_page(path, **options):
        pages.append(Page(browser, path, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        assert page.tab.evaluate("window.broken") is None
        assert not page.faults
        assert [
            one for one in page.requests if not one.startswith(("file:", "data:", "blob:"))
        ] == []
        page.context.close()


@pytest.fixture
def tags(sample):  # noqa: ARG001 - it is there meanwhile
    return hubframe.tags_df("ansible/ansible")


def test_it_is_filtered_sorted_chosen_and_read_back(tags, opened, tmp_path):
    page = opened(hubframe.share(tags, tmp_path / "page.html"))
    assert page.tab.title() == "Tags of ansible/ansible"
    assert page.texts("tag") == tags["tag"].head(15).tolist()
    for _ in range(2):
        page.sort("size")
    assert page.grid.locator("th[aria-sort=descending]").inner_text() == "size"
    largest = tags.sort_values("size", ascending=False, kind="stable")
    assert page.texts("tag") == largest["tag"].head(15).tolist()
    page.grid.get_by_role("searchbox").fill("13.0")
    assert page.texts("tag") == ["13.0.0", "13.0.0rc1"]
    page.grid.get_by_role("checkbox", name="Choose all 2 rows").check()
    page.grid.get_by_role("searchbox").fill("")
    assert page.status() == "1\N{EN DASH}15 of 30 rows, 2 chosen"
    assert page.csv("CSV of 2 chosen rows", tmp_path / "some.csv") == "Tags-of-ansible-ansible.csv"
    some = largest[largest["tag"].isin(["13.0.0", "13.0.0rc1"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(hubframe.read_csv(tmp_path / "some.csv", "tags"), some)


def test_all_rows_as_csv_are_the_bytes_that_python_writes(tags, opened, tmp_path):
    page = opened(hubframe.share(tags, tmp_path / "page.html"))
    page.csv("CSV of 30 rows", tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_text(encoding="utf-8") == hubframe.write_csv(tags)


def test_what_strangers_wrote_stays_text(labels, opened, tmp_path):
    path = hubframe.share({SCRIPT: labels}, tmp_path / "page.html", title=SCRIPT, note=SCRIPT)
    text = path.read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert "window.broken = 1</script>" not in text
    page = opened(path)
    assert page.tab.title() == SCRIPT
    assert page.tab.locator("h1").inner_text() == SCRIPT
    shown = page.texts("value")
    assert shown[0] == SCRIPT
    assert shown[2:4] == list(PRANKS[2:4])
    assert not any(sign in "".join(shown) for sign in "\u202e\u2067\x1b\u2028\t")
    page.grid.locator("td, th, button, span").evaluate_all(
        "all => all.forEach(one => one.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))"
    )
    assert page.grid.locator("a").evaluate_all("all => all.map(one => new URL(one.href).host)") == [
        "hub.docker.com"
    ] * len(page.grid.locator("a").all())
    assert page.tab.locator("main img").count() == 0
    page.csv(f"CSV of {len(PRANKS)} rows", tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8") == hubframe.write_csv(labels)
    cells = (tmp_path / "labels.csv").read_text(encoding="utf-8")
    assert "\"'=HYPERLINK" in cells
    assert "\"''=1+1" in cells
    assert "\"'\ta tab" in cells
    back = hubframe.read_csv(tmp_path / "labels.csv", "labels")
    clean = labels.assign(
        **{name: labels[name].str.replace("\x1b", "\ufffd") for name in ("key", "value")}
    )
    pd.testing.assert_frame_equal(back, clean)


def test_it_loads_nothing_and_runs_only_its_own_script(labels, tmp_path):
    text = hubframe.share(labels, tmp_path / "page.html").read_text(encoding="utf-8")
    (rules,) = re.findall('Content-Security-Policy" content="([^"]*)"', text)
    assert "default-src &#39;none&#39;" in rules
    assert "unsafe-inline" not in rules.partition("script-src")[2].partition(";")[0]
    assert "unsafe-eval" not in rules
    outside = set(
        re.findall(
            r'(?:src|href)="([^"#][^"]*)"', re.sub("<script.*?</script>", "", text, flags=re.DOTALL)
        )
    )
    assert not [one for one in outside if not one.startswith("data:")]


def test_it_says_where_rows_come_from_and_what_is_missing(labels, opened, tmp_path):
    page = opened(hubframe.share(labels, tmp_path / "page.html"))
    state = page.tab.locator(".state").inner_text()
    assert state == "From Docker Hub, fetched on 2026-11-15 at 10:30 UTC. Not complete."
    page.tab.get_by_text("What could not be fetched").click()
    assert f"gone {SCRIPT}" in page.tab.locator("li").last.inner_text()


def test_the_sample_says_that_it_is_made_up(tags, opened, tmp_path):
    page = opened(hubframe.share(tags, tmp_path / "page.html"))
    assert "everything said of them is made up" in page.tab.locator(".state").inner_text()


def test_what_all_rows_say_is_said_once_and_can_be_shown(tags, opened, tmp_path):
    page = opened(hubframe.share(tags, tmp_path / "page.html"))
    same = page.grid.locator(".same")
    assert "repo ansible/ansible" in same.inner_text()
    page.grid.get_by_text(re.compile("^Columns: ")).click()
    page.grid.get_by_role("checkbox", name="repo", exact=True).check()
    assert set(page.texts("repo")) == {"ansible/ansible"}
    assert "repo" not in same.inner_text()


def test_keys_do_what_the_mouse_does(tags, opened, tmp_path):
    page = opened(hubframe.share(tags, tmp_path / "page.html"))
    page.grid.locator("tbody tr").first.focus()
    for key in ("ArrowDown", " ", "End", "ArrowDown"):
        page.tab.keyboard.press(key)
    assert page.status() == "16\N{EN DASH}30 of 30 rows, 1 chosen"
    assert page.tab.evaluate("document.activeElement.dataset.place") == "0"
    page.tab.keyboard.press("ArrowUp")
    page.tab.keyboard.press("Control+a")
    assert page.status() == "1\N{EN DASH}15 of 30 rows, 30 chosen"
    page.tab.keyboard.press("Enter")
    assert page.status() == "1\N{EN DASH}15 of 30 rows, 1 chosen"
    page.grid.get_by_role("combobox").select_option("50")
    assert page.status() == "30 rows, 1 chosen"


def test_ten_thousand_rows_are_on_a_page(opened, tmp_path):
    count = 10_000
    frame = pd.DataFrame(
        {"tag": [f"{one // 100}.{one % 100}" for one in range(count)], "size": range(count)}
    )
    page = opened(hubframe.share(frame, tmp_path / "page.html"))
    page.sort("tag")
    page.sort("tag")
    assert page.texts("tag")[:2] == ["99.99", "99.98"]
    page.grid.get_by_role("searchbox").fill("77.7")
    assert page.status() == "11 rows, 10,000 without the filter"
    page.grid.get_by_role("searchbox").fill("no such tag")
    assert page.status() == "No row has these words."


def test_all_rows_are_printed(tags, opened, tmp_path):
    page = opened(hubframe.share(tags, tmp_path / "page.html"))
    page.tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(page.texts("tag")) == 30
    page.tab.emulate_media(media="print")
    assert not page.grid.get_by_role("searchbox").is_visible()
    page.tab.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert len(page.texts("tag")) == 15


def test_frames_and_pictures_stand_under_their_headings(tags, opened, tmp_path):
    figure = Figure(figsize=(4, 3))
    hubframe.plots.plot_tags(tags, ax=figure.subplots())
    ax = Figure(figsize=(4, 3)).subplots()
    what = {
        "Tags": [tags, figure],
        "Alone": ax,
        "Counts": tags.groupby("status")["size"].sum().to_frame(),
    }
    page = opened(hubframe.share(what, tmp_path / "page.html"))
    assert page.tab.locator("h2").all_inner_texts() == ["Tags", "Alone", "Counts"]
    widths = page.tab.locator("main img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert len(widths) == 2
    assert all(widths)
    page.grid = page.tab.locator(".hubframe-grid").last
    # What names the rows of a frame that was counted is in its index.
    assert page.texts("status") == ["active", "inactive"]


def test_an_explorer_is_shared_as_it_is(sample, opened, tmp_path):  # noqa: ARG001 - it is there meanwhile
    explorer = hubframe.explore("ansible/ansible")
    explorer.wait()
    explorer.session.show("growth")
    assert explorer.wait()
    path = hubframe.share(explorer, tmp_path / "page.html")
    frame = explorer.session.result.table.reset_index(drop=True)
    explorer.close()
    assert path.stat().st_size < 3_000_000
    page = opened(path, color_scheme="dark")
    assert page.tab.title() == "ansible/ansible"
    assert page.tab.locator("main img:visible").evaluate("one => one.naturalWidth") > 0
    dark = page.tab.locator("main img:visible").get_attribute("src")
    page.tab.emulate_media(media="print")
    assert page.tab.locator("main img:visible").get_attribute("src") != dark
    page.tab.emulate_media(media="screen")
    assert "grew most" in page.tab.locator("main").inner_text()
    page.grid = page.tab.locator(".hubframe-grid").last
    page.csv(f"CSV of {len(frame)} rows", tmp_path / "growth.csv")
    pd.testing.assert_frame_equal(hubframe.read_csv(tmp_path / "growth.csv", "size_trend"), frame)


def test_the_whole_sample_is_small(sample, tmp_path):  # noqa: ARG001 - it is there meanwhile
    frames = hubframe.report.collect(list(hubframe.report.SAMPLE))
    assert hubframe.share(frames, tmp_path / "page.html").stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({}, ValueError),
        ("tags", TypeError),
        ({"Tags": "tags"}, TypeError),
        ({"Tags": [1]}, TypeError),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError),
    ],
)
def test_what_cannot_be_shared_is_an_error_and_leaves_the_file(what, error, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("before")
    with pytest.raises(error):
        hubframe.share(what, path)
    assert path.read_text() == "before"


def test_values_of_any_kind_are_json(tmp_path):
    frame = pd.DataFrame(
        {
            "float": [0.1, float("inf"), None],
            "list": [[1], None, ["</script>"]],
            "half": pd.Series(["\ud800", "a", "b"], dtype=object),
            "none": [None, None, None],
            "session": [1, 2, 3],
            7: pd.to_timedelta([1, 2, None], unit="D"),
        }
    )
    path = hubframe.share({"half \ud800": frame}, tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    (rows,) = re.findall('<script type="application/json"[^>]*>(.*?)</script>', text)
    assert [column["name"] for column in json.loads(rows)["columns"]] == [
        "float",
        "list",
        "half",
        "none",
        "session",
        "7",
    ]


def test_the_guides_code_prints_what_it_says(tmp_path, monkeypatch):
    guide = (Path(__file__).parent.parent / "docs" / "sharing.md").read_text(encoding="utf-8")
    (code, said) = re.search("```python\n(.*?)```\n\n```text\n(.*?)```", guide, re.DOTALL).groups()
    monkeypatch.chdir(tmp_path)
    printed = StringIO()
    with redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_window(labels, opened, pictures, tmp_path, scheme):
    page = opened(hubframe.share({"Labels": labels}, tmp_path / "page.html"), color_scheme=scheme)
    for width in (1280, 800, 480):
        page.tab.set_viewport_size({"width": width, "height": 900})
        page.tab.screenshot(path=pictures / f"share-{width}-{scheme}.png", full_page=True)
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= width

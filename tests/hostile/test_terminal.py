"""Untrusted text never acts on the terminal that it is printed on."""

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubframe.apps.cli import output
from hubframe.apps.cli.terminal import wide
from hubframe.tables import TABLES
from tests.hostile.strategies import SNIPPETS, texts

rows = st.lists(st.tuples(texts, texts), min_size=1, max_size=5)


class Terminal(io.StringIO):
    """A stream that people look at, or that a program reads."""

    def __init__(self, *, is_watched):
        super().__init__(newline="")
        self.is_watched = is_watched

    def isatty(self):
        return self.is_watched


def printed(frame, form, *, is_watched):
    """All that a command prints, on both streams."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Terminal(is_watched=is_watched), io.StringIO()
    try:
        output.write(frame, form, None, verbatim=False)
        return sys.stdout.getvalue(), sys.stderr.getvalue()
    finally:
        sys.stdout, sys.stderr = streams


def is_harmless(text, kept="\n"):
    for letter in set(text) - set(kept):
        assert unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"), ascii(letter)


def labels(pairs):
    return TABLES["labels"].frame(
        {
            "repo": [f"org/{key}" for key, _ in pairs],
            "key": [key for key, _ in pairs],
            "value": [value for _, value in pairs],
            "source": ["config"] * len(pairs),
        }
    )


@given(rows)
@example([(snippet, snippet) for snippet in SNIPPETS])
def test_a_table_never_acts_on_a_terminal(pairs):
    frame = labels(pairs)
    # The table is harmless also where a program reads it: it may only page it.
    for is_watched in (True, False):
        shown, said = printed(frame, "table", is_watched=is_watched)
        is_harmless(shown)
        is_harmless(said)
        assert shown.count("\n") == len(frame) + 1


@given(rows, st.sampled_from(("csv", "json", "jsonl", "markdown")))
def test_no_format_acts_on_a_terminal(pairs, form):
    shown, said = printed(labels(pairs), form, is_watched=True)
    is_harmless(shown, "\n\t")
    is_harmless(said)


@given(rows)
def test_programs_get_what_was_written(pairs):
    frame = labels(pairs)
    whole, _ = printed(frame, "json", is_watched=False)
    assert [row["value"] for row in json.loads(whole)] == frame.value.tolist()
    lines, _ = printed(frame, "jsonl", is_watched=False)
    assert [json.loads(line)["key"] for line in lines.split("\n") if line] == frame.key.tolist()


@given(texts)
def test_a_failure_is_one_harmless_line(text):
    frame = TABLES["catalog"].frame()
    frame.attrs["hubframe"] = {
        "failures": [{"ref": text, "error": "PayloadError", "message": text}]
    }
    before, sys.stderr = sys.stderr, io.StringIO()
    try:
        output.say_failures(frame)
        said = sys.stderr.getvalue()
    finally:
        sys.stderr = before
    is_harmless(said)
    assert said.count("\n") == 1


@pytest.mark.parametrize("width", [1, 20, 80, 400])
@pytest.mark.parametrize(
    "snippet", ["\x1b[31m", "\u202e", "\r\n", "x" * 1000, "世界" * 50, "e\u0301" * 99], ids=ascii
)
def test_every_width_is_harmless(width, snippet, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    # The same in all rows is said below the table.
    for count in (1, 2):
        shown, said = printed(labels([(snippet, snippet)] * count), "table", is_watched=True)
        is_harmless(shown)
        is_harmless(said)
        lines = shown.splitlines()
        assert len(lines) == count + 1
        assert max(map(wide, lines)) <= width

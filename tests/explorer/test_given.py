"""Frames that the explorer is given, and ends of life: shown for what is open or chosen."""

import pandas as pd
import pytest

import hubframe
from hubframe.apps.explorer.session import PANEL, Session
from hubframe.apps.explorer.wording import scope, static
from hubframe.apps.show import provenance
from hubframe.tables import TABLES
from hubframe.testing import sample_files

from .conftest import PATIENCE, run

WEB = "registry.example/shop/web"
FILES = sample_files()


@pytest.fixture(scope="module")
def frames():
    with hubframe.sample():
        checked = hubframe.checked_references_df(hubframe.references_df(FILES / "shop"))
    return {
        "vulnerabilities": hubframe.read_trivy(FILES / "scans" / "trivy.json"),
        "references": checked,
    }


@pytest.fixture
def given(session, frames):
    return opened(Session(session.client, frames))


def opened(session, what=WEB):
    session.look_for(what)
    assert session.work.wait(PATIENCE)
    return session


def shown(session, panel, *tags):
    session.choose([(session.state.repos[0], tag) for tag in tags])
    session.show(panel)
    assert session.work.wait(PATIENCE)
    assert PANEL not in session.messages
    return session.result


@pytest.mark.parametrize("tags", [(), ("1.2.0",), ("1.0.0", "1.1")])
def test_the_code_takes_the_same_rows(given, frames, tags):
    for panel in ("vulnerabilities", "references"):
        frame = shown(given, panel, *tags).frame
        pd.testing.assert_frame_equal(frame, run(given.code, **frames))


def test_vulnerabilities_are_told_with_their_step_the_worst_first(given):
    result = shown(given, "vulnerabilities")
    assert result.table[["id", "name", "instruction"]].head(2).to_numpy().tolist() == [
        ["CVE-2024-99001", "zlib1g", "ADD rootfs-12.5.tar.xz /"],
        ["CVE-2024-99002", "curl", "RUN apt-get update && apt-get install -y curl"],
    ]
    assert result.findings == [
        f"{WEB}:1.2.0: 4 vulnerabilities (1 critical, 1 high, 1 medium, 1 low), 2 with a fixed version.",
        "The step that brought most, 2 vulnerabilities: ADD rootfs-12.5.tar.xz /",
    ]
    assert given.figure().axes[0].get_title("left") == "Known vulnerabilities of 3 layers"
    assert scope(result) == f"{WEB}: all tags"


def test_a_chosen_tag_has_what_is_told_of_its_other_names(given):
    # A registry lists names alone: the digests of tags are looked up as they come into view.
    assert shown(given, "vulnerabilities", "latest").frame.empty
    given.look_up([(WEB, tag) for tag in given.state.tags["tag"]])
    assert given.looking.wait(PATIENCE)
    assert given.work.wait(PATIENCE)
    assert len(given.result.frame) == 5
    result = shown(given, "vulnerabilities", "1.0.0")
    assert result.findings == [
        f"No vulnerability is told of these, which does not mean that they are safe. Told of: {WEB}:1.2.0."
    ]
    assert given.figure() is None


def test_what_does_not_affect_an_image_is_counted_apart_and_of_many_images_few_are_named(
    session, frames
):
    found = frames["vulnerabilities"]
    cleared = found.assign(state=found["state"].mask(found["name"] == "libc6", "not affected"))
    tags = [cleared.assign(tag=f"1.{n}.0", image_digest=f"sha256:{n}") for n in range(8)]
    told = opened(Session(session.client, {"vulnerabilities": pd.concat(tags, ignore_index=True)}))
    said = shown(told, "vulnerabilities").findings
    assert said[0].endswith("; 1 more that somebody says not to affect it.")
    assert said[5:] == [
        "3 more images.",
        "The step that brought most, 1 vulnerability: ADD rootfs-12.5.tar.xz /",
    ]


def test_references_say_what_is_wrong_with_them(given):
    result = shown(given, "references")
    assert result.table["wrong"].iloc[0].startswith("its tag is another image by now")
    assert result.findings == [
        "3 references in 3 files; 1 not pinned to a digest; 1 pinned to a digest that the tag has left."
    ]
    opened(given, "acme/web")
    (said,) = shown(given, "references").findings
    assert said.startswith("No file names these. Files name: ")


def test_references_that_were_not_checked_are_shown_as_they_are(session):
    references = hubframe.references_df(FILES / "shop")
    told = opened(Session(session.client, {"references": references}))
    result = shown(told, "references")
    assert result.findings == ["3 references in 3 files; 1 not pinned to a digest."]
    assert {"file", "is_pinned", "problem"} <= {*result.table}
    assert "wrong" not in result.table


def test_a_panel_is_there_where_its_frame_is(session, given):
    assert {"vulnerabilities", "references"} <= given.panels.keys()
    assert not {"vulnerabilities", "references"} & session.panels.keys()
    opened(session).show("vulnerabilities")
    assert session.result is None
    assert session.code == ""


def test_the_line_of_a_view_names_the_frames(given):
    shown(given, "references")
    assert "vulnerabilities=vulnerabilities,\n    references=references,\n" in given.line


def test_a_frame_that_says_nothing_of_itself_is_not_called_complete(frames):
    frame = frames["vulnerabilities"].assign(aliases=None)
    frame.attrs.clear()
    (told,) = hubframe.explore(vulnerabilities=frame).session.state.given.values()
    assert provenance(told.attrs["hubframe"]) == (
        "vulnerabilities, from the frame given, it is not known whether it is complete"
    )
    assert told["aliases"].dtype == "str"


def test_what_is_given_is_a_frame_of_its_table():
    with pytest.raises(TypeError, match="DataFrame"):
        hubframe.explore(vulnerabilities="trivy.json")
    with pytest.raises(ValueError, match="references"):
        hubframe.explore(references=pd.DataFrame({"a": [1]}))
    with pytest.raises(ValueError, match="the panel references needs the frame: references="):
        hubframe.explore("acme/web", panel="references")


def test_ends_of_life_are_told_of_all_tags_or_of_those_chosen(session):
    opened(session, "library/python")
    (said,) = shown(session, "eol").findings
    assert said.startswith(
        "The end of life is known of 48 of 59 tags; 18 are past it: python 3.10 (7)"
    )
    assert session.result.table["cycle"].iloc[0] == "3.8"
    chosen = shown(session, "eol", "3.8", "latest")
    assert chosen.frame["tag"].tolist() == ["latest", "3.8"]
    assert scope(chosen) == "library/python: 3.8, latest"


def test_what_strangers_write_in_frames_is_text(given):
    evil = '<img src=x onerror="x()">\x1b[31m'
    frames = {
        "vulnerabilities": TABLES["vulnerabilities"].from_records(
            [{"repo": WEB, "tag": evil, "type": evil, "name": evil, "id": evil}]
        ),
        "references": TABLES["references"].from_records(
            [{"file": evil, "line": 1, "repo": evil, "tag": evil, "written": evil}]
        ),
    }
    told = opened(Session(given.client, frames))
    for panel in frames:
        shown(told, panel)
        page = static(told)
        assert "&lt;img src=x" in page
        assert "<img src=x" not in page
        assert "\x1b" not in page


def test_vulnerabilities_are_counted_once_however_often_they_are_drawn(given, monkeypatch):
    counted = []
    count = hubframe.vulnerability_summary_df
    monkeypatch.setattr(
        hubframe,
        "vulnerability_summary_df",
        lambda frame, by="tag": counted.append(by) or count(frame, by),
    )
    result = shown(given, "vulnerabilities")
    assert result.findings
    for _ in range(2):
        assert given.figure() is not None
    assert sorted(counted) == ["image", "layer"]

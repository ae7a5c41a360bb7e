"""What a rule would delete, why, and what that would free."""

import re
from datetime import timedelta
from itertools import chain

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.oci.tagnames import read_all
from hubframe.tables import TAGS
from hubframe.tables.measured import CLEANUP

from .test_releases import ROWS, tags
from .worlds import dtypes, frame, layer, shuffled, size

NOW = "2026-01-31T00:00:00Z"
HEX = "0123456789abcdef" * 4


def plan(listed, layers=None, **rule):
    found = hubframe.cleanup_df(listed, layers, now=NOW, **rule)
    assert dtypes(found) == CLEANUP.dtypes
    return found


def deleted(*arguments, **rule):
    found = plan(*arguments, **rule)
    return found.loc[found["action"] == "delete", "tag"].tolist()


def dated(*days):
    return tags(*((f"t{day}", f"sha256:{day}", day) for day in days))


def test_the_newest_stay():
    assert deleted(dated(1, 2, 3, 4), keep=2) == ["t2", "t1"]
    assert deleted(dated(1, 2), keep=0) == ["t2", "t1"]
    assert deleted(dated(1, 2), keep=2) == []
    both = pd.concat([dated(1, 2), tags(("x", None, 1), repo="m/b")])
    assert deleted(both, keep=1) == ["t1"]


def test_all_conditions_must_say_so():
    listed = tags(("old", None, 1), ("used", None, 2, 30), ("young", None, 29))
    assert deleted(listed, older_than=20) == ["used", "old"]
    assert deleted(listed, unused_for=20) == ["old"]
    assert deleted(listed, older_than=timedelta(days=20), unused_for=timedelta(days=20)) == ["old"]
    assert deleted(listed, older_than=20, keep=2) == ["old"]
    assert deleted(listed, older_than=30) == []


def test_each_tag_has_its_reason():
    listed = tags(
        ("old", None, 1), ("used", None, 2, 30), ("latest", None, 3), ("dateless", None, None)
    )
    found = plan(listed, keep=1, older_than=20, unused_for=5).set_index("tag")
    assert found["action"].to_dict() == {
        "latest": "keep",
        "used": "keep",
        "old": "delete",
        "dateless": "keep",
    }
    unknown = "the date of its last push is not known"
    assert found["reason"].to_dict() == {
        "latest": "protected",
        "used": "last used 1 days ago",
        "old": "not among the 1 newest; pushed 30 days ago; last used 30 days ago",
        "dateless": f"its place among the newest is not known; {unknown}; {unknown}",
    }


@pytest.mark.parametrize(
    ("protect", "gone"),
    [
        ((), ["latest", "t3", "t2"]),
        ("t*", ["latest"]),
        (["t3", "latest"], ["t2"]),
        (re.compile("2|est$"), ["t3"]),
        (lambda tag: tag == "t3", ["latest", "t2"]),
    ],
)
def test_protected_tags_stay(protect, gone):
    listed = pd.concat([dated(2, 3), tags(("latest", None, 4))])
    assert deleted(listed, keep=0, protect=protect) == gone


def test_without_any_date_the_version_tells_what_is_newest():
    listed = tags(*((name, None, None) for name in ("1.10", "1.9", "1.8", "edge")))
    assert deleted(listed, keep=1) == ["1.9", "1.8"]
    assert deleted(listed, older_than=1) == []


def test_signatures_go_with_the_last_tag_of_what_they_sign():
    signature = (f"sha256-{HEX}.sig", "sha256:s", 5)
    signed = [("a", f"sha256:{HEX}", 1), ("b", f"sha256:{HEX}", 2)]
    assert deleted(tags(*signed, signature), older_than=29) == ["a"]
    assert deleted(tags(*signed, signature), older_than=20) == [signature[0], "b", "a"]
    assert deleted(tags(*signed, signature), keep=1) == ["a"]
    assert deleted(tags(signature), keep=0) == []
    assert deleted(tags(*signed, signature), keep=0, protect="sha256-*") == ["b", "a"]


def test_a_signature_of_one_platform_goes_with_its_index():
    listed = tags(("a", "sha256:index", 1), (f"sha256-{HEX}.sig", "sha256:s", 5))
    layers = frame(layer("n/a:a", "x", digest=f"sha256:{HEX}"))
    assert deleted(listed, keep=0) == ["a"]
    assert deleted(listed, layers, keep=0) == [f"sha256-{HEX}.sig", "a"]


def test_only_layers_that_no_kept_tag_holds_are_freed_each_once():
    listed = tags(("new", "sha256:3", 30), ("mid", "sha256:2", 20), ("old", "sha256:1", 10))
    layers = frame(
        layer("n/a:new", "ab", digest="sha256:3"),
        layer("n/a:mid", "acd", digest="sha256:2"),
        layer("n/a:old", "acef", digest="sha256:1"),
        layer("m/b:1", "f", digest="sha256:4"),
    )
    found = plan(listed, layers, keep=1)
    assert found["freed_size"].tolist() == [0, size("c") + size("d"), size("e")]
    assert plan(listed, keep=1)["freed_size"].isna().all()


def test_an_alias_of_a_kept_tag_frees_nothing_and_unknown_layers_are_not_guessed():
    listed = tags(("latest", "sha256:1", 3), ("1", "sha256:1", 2), ("0", "sha256:0", 1))
    layers = frame(
        layer("n/a:latest", "ab", digest="sha256:1"), layer("n/a:1", "ab", digest="sha256:1")
    )
    found = plan(listed, layers, keep=0)
    assert found["action"].tolist() == ["keep", "delete", "delete"]
    assert found["freed_size"].tolist() == [0, 0, pd.NA]


@given(
    ROWS,
    st.lists(st.text("abcde", min_size=1, max_size=4), min_size=12, max_size=12),
    st.integers(0, 5),
    st.one_of(st.none(), st.integers(0, 28)),
    st.integers(0, 99),
)
def test_what_is_kept_and_deleted_is_all(rows, stacks, keep, age, seed):
    listed = tags(*rows)
    names = listed["tag"].unique()
    layers = frame(*(layer(f"n/a:{tag}", stack) for tag, stack in zip(names, stacks, strict=False)))
    found = plan(listed, layers, keep=keep, older_than=age)
    again = plan(shuffled(listed, seed), shuffled(layers, seed), keep=keep, older_than=age)
    assert_frame_equal(again, found)
    assert sorted(found["tag"]) == sorted(names)
    assert set(found["action"]) <= {"delete", "keep"}
    gone = set(found.loc[found["action"] == "delete", "tag"])
    kept = layers.loc[~layers["tag"].isin(gone), "layer_digest"].unique()
    freed = set(layers["layer_digest"]) - set(kept)
    assert found["freed_size"].sum() == sum(map(size, freed))
    assert "latest" not in gone
    wider = plan(listed, keep=keep)
    assert gone <= set(wider.loc[wider["action"] == "delete", "tag"])


@pytest.mark.parametrize(
    ("rule", "error", "said"),
    [
        ({}, ValueError, "no rule: give keep"),
        ({"keep": -1}, ValueError, "keep must be at least 0"),
        ({"keep": "3"}, TypeError, "keep must be a whole number"),
        ({"keep": True}, TypeError, "keep must be a whole number"),
        ({"older_than": -1}, ValueError, "older_than must be at least 0 days"),
        ({"older_than": float("nan")}, ValueError, "older_than must be at least 0 days"),
        ({"older_than": "1y"}, TypeError, "older_than must be a number of days"),
        ({"unused_for": timedelta(days=-1)}, ValueError, "unused_for must be at least 0 days"),
        ({"keep": 1, "protect": 3}, TypeError, "protect must be a glob"),
        ({"keep": 1, "protect": [3]}, TypeError, "protect must be a glob"),
        ({"keep": 1, "now": "soon"}, ValueError, "is no date"),
    ],
)
def test_a_wrong_rule_is_said(rule, error, said):
    with pytest.raises(error, match=said):
        hubframe.cleanup_df(tags(), **rule)


def test_nothing_gives_nothing_and_a_wrong_frame_an_error():
    assert plan(tags(), keep=1).empty
    assert plan(tags(), frame(), keep=1).empty
    with pytest.raises(ValueError, match="tags frame: it lacks the column pulled_at"):
        plan(tags().drop(columns="pulled_at"), keep=1)
    with pytest.raises(ValueError, match="layers frame: it lacks the column layer_digest"):
        plan(tags(), frame().drop(columns="layer_digest"), keep=1)
    with pytest.raises(TypeError, match="layers frame"):
        plan(tags(), "layers", keep=1)


@pytest.mark.usefixtures("sample")
def test_the_sample_keeps_what_is_signed():
    listed = hubframe.tags_df("acme/web")
    layers = hubframe.layers_df("acme/web", platform="all")
    found = plan(listed, layers, keep=5)
    assert len(found) == len(listed)
    signatures = found[found["tag"].str.startswith("sha256-")]
    assert len(signatures) > 0
    assert set(signatures["action"]) == {"keep"}
    assert found["freed_size"].sum() > 0
    assert (found.loc[found["action"] == "keep", "freed_size"] == 0).all()


LISTS = [
    ["1.2.3-debian-12-r2", "1.2.3-debian-12-r9", "1.2.3-debian-12-r10"],
    ["4.0.16.2944-ls298", "4.0.16.2944-ls299", "4.0.16.2944-ls300"],
    ["v1.30.5-k3s2", "v1.30.5-k3s10"],
    ["17.0.16_9", "17.0.16_10"],
    ["1.2.3", "1.2.3-10"],
    ["v2.8.1-9-gfafafaf", "v2.8.1-11-g0badcafe"],
    ["3.15.0-202509170943", "3.15.0-202510071201"],
    ["RELEASE.2021-01-05T05-22-38Z", "RELEASE.2024-02-17T01-15-57Z"],
    ["release-1.9.0", "release-1.27.10"],
    ["pg15.4-ts2.12.0", "pg16.1-ts2.13.0"],
    ["jdk-11.0.2", "jdk-17.0.10"],
    ["controller-v0.34", "controller-v0.41"],
    ["bookworm-20240110-slim", "bookworm-20240211-slim"],
    ["2025-06-03", "2025-08-05"],
    ["8u92-jdk", "8u482-jdk"],
    ["28-ea-9-jdk", "28-ea-12-jdk"],
]


@pytest.mark.parametrize("names", LISTS, ids=lambda names: names[-1])
def test_without_dates_the_newest_by_name_stays(names):
    plan = hubframe.cleanup_df(undated(*names), keep=1).set_index("tag")["action"]
    assert plan[names[-1]] == "keep"
    assert set(plan[names[:-1]]) == {"delete"}


@pytest.mark.parametrize(
    "names",
    [
        ["0f3a21c", "ab12cd3", "12a3456"],
        ["1.2.3-alpine", "1.2.3-slim"],
        ["20190331160914", "v5"],
        ["jdk-17", "controller-v1.2"],
        ["edge", "nightly", "1.2.3"],
    ],
)
def test_what_cannot_be_known_is_kept_and_said(names):
    plan = hubframe.cleanup_df(undated(*names), keep=1, protect=())
    assert set(plan["action"]) == {"keep"}
    assert plan["reason"].str.contains("not known").all()


@given(
    st.lists(st.sampled_from([*chain(*LISTS), "1.0", "1.1", "2.0", "latest", "edge"]), unique=True),
    st.integers(1, 4),
)
def test_what_goes_by_name_has_so_many_newer_ones(names, keep):
    plan = hubframe.cleanup_df(undated(*names), keep=keep, protect=())
    gone = plan.loc[plan["action"] == "delete", "tag"]
    read = read_all(names)
    for tag in gone:
        newer = [
            name
            for name in read.values()
            if name.kind is read[tag].kind and name.order > read[tag].order
        ]
        assert len(newer) >= keep


def undated(*names):
    return TAGS.from_records({"repo": "n/a", "tag": name} for name in names)

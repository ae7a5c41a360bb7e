"""What panels say of their frames in sentences."""

from types import SimpleNamespace

import pandas as pd
import pytest

import hubframe
from hubframe.apps.explorer import findings
from hubframe.plots.wording import BLANK
from hubframe.tables import TABLES

pytestmark = pytest.mark.usefixtures("sample")


def said(sentences):
    return [sentence.replace(BLANK, " ") for sentence in sentences]


def test_tags_are_counted_and_latest_is_told():
    tags = hubframe.tags_df(["ansible/ansible", "registry.example/team/api"])
    hub, registry = said(findings.of_tags(tags))
    assert hub.startswith("ansible/ansible: 30 tags of 28 images; 73.2 MB to 142 MB; last pushed ")
    assert hub.endswith("; latest is 13.4.0, the highest version.")
    # A registry tells neither sizes nor dates of tags.
    assert registry == (
        "registry.example/team/api: 15 tags of 7 images; latest is 2.3.0, the highest version."
    )


def test_a_latest_that_lags_is_told():
    tags = hubframe.tags_df("ansible/ansible")
    (old,) = tags.loc[tags["tag"] == "9.4.0", "digest"]
    tags.loc[tags["tag"] == "latest", "digest"] = old
    (told,) = findings.of_tags(tags)
    assert told.endswith("; latest is 9.4.0, 10 versions behind 13.4.0.")


def test_the_release_that_grew_most_is_named_with_its_step():
    trend = hubframe.size_trend_df(hubframe.layers_df("ansible/ansible"))
    release = trend.loc[trend["total_change"].idxmax()]
    step = trend[trend["tag"] == release.tag].nlargest(1, "change").iloc[0]
    grown, by = said(findings.of_trend(trend))
    assert grown.startswith(f"{release.tag} grew most: by ")
    assert f" over {release.previous_tag}" in grown
    assert f": {step.instruction[:60]}" in by
    # What was replaced by something as large made nothing grow.
    newer = said(findings.of_trend(trend[trend["release"] > trend["release"].max() - 6]))
    assert (
        newer[0]
        == "12.3.0 grew most: by 2.92 MB over 12.0.0 (3.1 MB more in some steps, 179 kB less in others)."
    )
    shrunk = trend.assign(total_change=-1, change=-1)
    assert findings.of_trend(shrunk) == ["No release is larger than the one before."]


def test_a_step_that_replaced_another_adds_what_it_is_larger_by():
    trend = hubframe.size_trend_df(hubframe.layers_df("library/redis", tags=["7.4.2", "8.2.1"]))
    grown, by = said(findings.of_trend(trend))
    assert (
        grown
        == "8.2.1 grew most: by 14.7 MB over 7.4.2 (14.7 MB more in some steps, 3 B less in others)."
    )
    assert by.startswith("The step that added most, 13 MB: RUN set -eux; make")
    base = trend[(trend["matched_by"] == "place") | (trend["release"] == 0)]
    _, by, guess = said(findings.of_trend(base))
    assert by.startswith(
        "The step that added most, 1.7 MB: RUN # debian.sh --arch out/ 'trixie-slim'"
    )
    assert "bookworm-slim" in guess


def test_what_sharing_saves_is_told():
    layers = hubframe.layers_df("ansible/ansible")
    shared = hubframe.shared_layers_df(layers)
    saved = hubframe.plots.wording.size(int(shared["saved_size"].sum()))
    (told,) = findings.of_shared(shared)
    assert f"saves {saved} of " in told
    alone = shared[shared["image_count"] == 1]
    assert findings.of_shared(alone) == ["No layer is in more than one image."]


def test_pairs_are_told_apart_and_what_is_the_same_too():
    names = [f"ansible/ansible:{tag}" for tag in ("13.4.0", "13.2.0", "13.0.0")]
    first, second = said(findings.of_comparison(hubframe.compare_df(names)))
    assert first.startswith(f"From {names[0]} to {names[1]}: 1.22 MB smaller; differences: 4 in ")
    assert second.startswith(f"From {names[1]} to {names[2]}: 586 kB smaller; ")
    same = hubframe.compare_df(["ansible/ansible:13.4.0", "ansible/ansible:latest"])
    assert findings.of_comparison(same) == ["Nothing differs: they are one image."]


@pytest.mark.parametrize(
    ("finding", "table"),
    [
        (findings.of_tags, "tags"),
        (findings.of_trend, "size_trend"),
        (findings.of_shared, "shared_layers"),
    ],
)
def test_of_nothing_nothing_is_told(finding, table):
    assert finding(hubframe.tables.TABLES[table].frame()) == []


def test_strangers_cannot_turn_sentences_around():
    tags = hubframe.tags_df("ansible/ansible", newest=1)
    turned = tags.assign(repo=pd.Series(["evil\u202e\x1b[2J/corp"], dtype="str"))
    (told,) = findings.of_tags(turned)
    assert "\u202e" not in told
    assert "\x1b" not in told


def test_of_an_image_it_is_said_which_packages_are_not_told():
    image = {"repo": "example.org/app", "tag": "1", "platform": "linux/amd64"}
    digest = f"sha256:{0:064}"
    fetched = {
        name: TABLES[name].frame() for name in ("packages", "bases", "provenance", "signatures")
    }
    fetched["distributions"] = TABLES["distributions"].from_records(
        [{**image, "image_digest": digest, "id": "arch", "evidence": "layers"}]
    )
    fetched["packages"].attrs["hubframe"] = {
        "unknown": [
            {
                "column": "name",
                "ref": f"example.org/app:{tag} linux/amd64",
                "message": f"pacman {tag}",
            }
            for tag in ("10", "1")
        ]
    }
    state = SimpleNamespace(inside=(("example.org/app", "1"),))
    result = SimpleNamespace(state=state, frame=fetched["packages"], fetched=fetched)
    (sentence,) = findings.of_inside(result)
    assert sentence.startswith("example.org/app:1: arch; pacman 1; no base is told")

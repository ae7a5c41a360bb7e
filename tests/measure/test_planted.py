"""On registries of which everything is known, the answers are exactly what was planted."""

import pandas as pd
import pytest

import hubframe

from .planted import NOW, planted
from .worlds import shuffled


@pytest.fixture(params=range(6))
def truth(request):
    found = planted(request.param)
    found.layers = shuffled(found.layers, request.param)
    found.tags = shuffled(found.tags, request.param)
    return found


def names(frame, prefix=""):
    return frame[f"{prefix}repo"] + ":" + frame[f"{prefix}tag"]


def test_parents(truth):
    found = hubframe.parents_df(truth.layers, truth.tags)
    # Of the base's names the one that was pushed first stands for the image; these are equal.
    parent = names(found, "parent_").str.replace(":latest", ":1.2")
    told = dict(zip(names(found), parent, strict=True))
    assert {k: None if pd.isna(v) else v for k, v in told.items()} == truth.parents


def test_outdated_parents(truth):
    found = hubframe.outdated_df(truth.layers, truth.tags)
    newer = zip(found["newer_tag"].replace("latest", "1.2"), found["lag_days"], strict=True)
    assert dict(zip(names(found), newer, strict=True)) == truth.outdated


def test_shared_layers(truth):
    found = hubframe.shared_layers_df(truth.layers).set_index("layer_digest")
    assert found["size"].to_dict() == truth.sizes
    assert found["tag_count"].to_dict() == {layer: len(by) for layer, by in truth.uses.items()}
    repos = {layer: len({n.partition(":")[0] for n in by}) for layer, by in truth.uses.items()}
    assert found["repo_count"].to_dict() == repos


def test_exclusive_bytes(truth):
    found = hubframe.footprint_df(truth.layers)
    assert dict(zip(names(found), found["exclusive_size"], strict=True)) == truth.exclusive
    assert (found["exclusive_size"] + found["shared_size"] == found["total_size"]).all()


def test_sharing(truth):
    found = hubframe.sharing(truth.layers).set_index("metric")["value"]
    stored, named = sum(truth.sizes.values()), sum(truth.images.values())
    assert found["layer_sharing_ratio"] == pytest.approx(named / stored)


def test_lag_of_latest(truth):
    found = hubframe.latest_lag_df(truth.tags).set_index("repo")
    behind = found["versions_behind"].dropna().to_dict()
    assert behind == truth.lag
    is_highest = found["is_highest"].dropna().to_dict()
    assert is_highest == {repo: not count for repo, count in truth.lag.items()}


def test_duplicates(truth):
    found = hubframe.duplicates_df(truth.layers)
    found = found[~found["repo"].str.startswith("library/")]
    groups = names(found).groupby(found["group"]).agg(frozenset)
    assert set(groups) == set(truth.copies)


def test_clean_up(truth):
    tags = truth.tags[truth.tags["repo"].str.startswith("acme/")]
    # What is protected stays, whatever the rule.
    found = hubframe.cleanup_df(tags, truth.layers, keep=1, protect="*", now=NOW)
    assert set(found["action"]) == {"keep"}
    # What latest names is kept with it, and frees nothing; it takes no place of the two.
    tags = tags[tags["tag"] != "latest"]
    found = hubframe.cleanup_df(tags, truth.layers, keep=2, now=NOW)
    gone = found[found["action"] == "delete"]
    assert set(names(gone)) == truth.deleted
    assert gone["freed_size"].sum() == truth.freed


def test_size_trend(truth):
    found = hubframe.size_trend_df(truth.layers)
    own = found[found["repo"].str.startswith("acme/") & found["instruction"].str.contains("app-")]
    changes = {n: None if pd.isna(c) else c for n, c in zip(names(own), own["change"], strict=True)}
    assert changes == truth.changes
    assert (own["change"].fillna(0) == own["total_change"].fillna(0)).all()

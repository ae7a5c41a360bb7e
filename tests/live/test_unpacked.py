"""Unpacked sizes of real layers on a real registry, beside what unpacking them gives."""

import gzip

import hubframe

from .conftest import LiveRegistry
from .test_registry import get


def test_sizes_are_those_of_the_unpacked_archives(live_registry: LiveRegistry, client) -> None:
    repos = [repo for repo in live_registry.repositories() if "app" in repo]
    layers = hubframe.layers_df(repos, platform="all", client=client)
    found = hubframe.unpacked_sizes_df(layers, client=client)

    assert len(found) == layers["layer_digest"].nunique() > 3
    told = found[found["method"] == "gzip trailer"]
    assert len(told) > 3
    for row in told.itertuples():
        path = row.repo.partition("/")[2]
        blob = get(f"{live_registry.url}/v2/{path}/blobs/{row.layer_digest}").content
        assert len(gzip.decompress(blob)) == row.unpacked_size
    assert found["reason"].notna()[found["unpacked_size"].isna()].all()
    # One request for each layer whose type is known, and no blob as a whole.
    assert found.attrs["hubframe"]["requests"] == len(told)


def test_nothing_is_asked_for_twice_in_a_call(live_registry: LiveRegistry, client) -> None:
    repo = next(repo for repo in live_registry.repositories() if "app" in repo)
    layers = hubframe.layers_df([repo, repo], client=client)
    doubled = layers.loc[layers.index.repeat(2)]
    found = hubframe.unpacked_sizes_df(doubled, client=client)
    assert found["layer_digest"].is_unique

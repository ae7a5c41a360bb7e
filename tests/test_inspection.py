"""One image read closely, on the bundled sample; skopeo itself is asked in `tests/live`."""

import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

import hubframe
from hubframe.frames.inspect import to_skopeo_json

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs" / "skopeo.md").read_text(encoding="utf-8")
MEANT, TRANSLATED = PAGE.split("## Differences that are meant")[1].split("## From other tools")

pytestmark = pytest.mark.usefixtures("sample")

KEYS = [
    "Name",
    "Digest",
    "RepoTags",
    "Created",
    "DockerVersion",
    "Labels",
    "Architecture",
    "Os",
    "Layers",
    "LayersData",
    "Env",
]


def test_inspect_has_skopeos_keys_in_its_order():
    found = hubframe.inspect("library/python:latest")
    assert list(found) == KEYS
    assert found["Name"] == "docker.io/library/python"
    assert found["Layers"] == [layer["Digest"] for layer in found["LayersData"]]
    assert "latest" in found["RepoTags"]
    assert hubframe.inspect("library/python:latest", tags=False)["RepoTags"] == []


def test_inspect_says_the_same_as_the_frames():
    found = hubframe.inspect("ansible/ansible:latest", platform="linux/arm64")
    layers = hubframe.layers_df("ansible/ansible:latest", platform="linux/arm64")
    labels = hubframe.labels_df("ansible/ansible:latest", platform="linux/arm64")
    env = hubframe.env_df("ansible/ansible:latest", platform="linux/arm64")
    assert found["Layers"] == layers.layer_digest.tolist()
    assert [layer["Size"] for layer in found["LayersData"]] == layers["size"].tolist()
    config = labels[labels.source == "config"]
    assert found["Labels"] == dict(zip(config.key, config.value, strict=True))
    assert found["Env"] == [f"{key}={value}" for key, value in zip(env.key, env.value, strict=True)]


def test_documents_are_what_their_digests_say():
    raw = hubframe.raw_manifest("library/alpine:latest")
    found = hubframe.inspect("library/alpine:latest", tags=False)
    assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == found["Digest"]
    assert json.loads(raw) == hubframe.manifest("library/alpine:latest")
    one = hubframe.raw_manifest("library/alpine:latest", platform="linux/amd64")
    assert json.loads(one) == hubframe.manifest("library/alpine:latest", platform="linux/amd64")
    digest = f"sha256:{hashlib.sha256(one).hexdigest()}"
    assert digest in {entry["digest"] for entry in json.loads(raw)["manifests"]}
    assert hubframe.config("library/alpine:latest")["architecture"] == "amd64"


def test_schema_1_shows_its_tag():
    tags = hubframe.images_df("acme/legacy", source="registry")
    old = tags[
        tags.media_type.str.contains("v1", regex=False) & tags.media_type.str.contains("docker")
    ]
    old = old[old.media_type.str.contains("prettyjws")].iloc[0]
    found = hubframe.inspect(f"acme/legacy:{old.tag}")
    assert found["Tag"] == old.tag
    assert found["Digest"] == old.image_digest


def test_an_artifact_is_no_image():
    with pytest.raises(hubframe.PayloadError, match="artifact of type"):
        hubframe.inspect("acme/charts:1.2.0")
    chart = hubframe.config("acme/charts:1.2.0")
    assert (chart["name"], chart["version"]) == ("web", "1.2.0")
    assert "helm" in hubframe.manifest("acme/charts:1.2.0")["config"]["mediaType"]


def test_platforms_of_one_image():
    with pytest.raises(hubframe.NoSuchPlatformError, match="plan9/amd64"):
        hubframe.inspect("library/alpine", platform="plan9/amd64")
    for several in ("all", ["linux/amd64", "linux/arm64"]):
        with pytest.raises(ValueError, match="one platform"):
            hubframe.inspect("library/alpine", platform=several)


def test_json_is_escaped_as_go_does():
    assert (
        to_skopeo_json({"a": "<b> & \u2028"}) == '{\n    "a": "\\u003cb\\u003e \\u0026 \\u2028"\n}'
    )


def cells(part):
    """The rows of a page's table, without its head; a bar in a cell is written after a backslash."""
    rows = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[1:]]


@pytest.mark.parametrize("row", cells(MEANT), ids=lambda row: row[0][:40])
def test_a_difference_that_is_meant_has_a_reason_and_a_test(row):
    assert len(row) == 4
    assert row[2]
    live = "".join(path.read_text(encoding="utf-8") for path in (TESTS / "live").glob("test_*.py"))
    names = re.findall(r"`(test_\w+)`", row[3])
    assert names
    for name in names:
        assert f"def {name}(" in live


@pytest.mark.parametrize("row", cells(TRANSLATED), ids=lambda row: row[1])
def test_a_line_that_stands_for_another_tools_runs_on_the_sample(row):
    line = row[2].strip("`")
    assert line.startswith("hubframe.")
    found = eval(line, {"hubframe": hubframe})
    assert len(found) > 0
    if isinstance(found, pd.DataFrame):
        assert found.attrs["hubframe"]["complete"]

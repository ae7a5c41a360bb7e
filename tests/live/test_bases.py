"""What images are built on: pushed to a real registry, with what they say right, wrong and missing."""

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import hubframe
from tests.test_local import CONFIG, LAYER, MANIFEST, Layout, archive

from .images import digest_of

NAME, DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


class Builder(Layout):
    """Images of several layers."""

    def build(
        self,
        name: str,
        layers: list[str],
        *,
        annotations: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        created: str = "2024-01-01T00:00:00Z",
    ) -> str:
        """Add an image, a file for each layer; return its digest."""
        contents = [archive({text: text.encode()}) for text in layers]
        described = [self.put(gzip.compress(one, mtime=0), f"{LAYER}+gzip") for one in contents]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": list(map(digest_of, contents))},
            "history": [{"created_by": f"RUN {text}", "created": created} for text in layers],
        }
        at = self.put(json.dumps(config).encode(), CONFIG)
        more = {"annotations": annotations} if annotations else {}
        entry = self.json(MANIFEST, config=at, layers=described, **more)
        self.add(name, entry)
        return str(entry["digest"])


@pytest.fixture(scope="module")
def pushed(live_registry, tmp_path_factory) -> dict[str, Any]:
    """A base that moved on, and images on it."""
    made = Builder(tmp_path_factory.mktemp("bases") / "layout")
    host = f"{live_registry.host}/built"
    old = made.build("base-1", ["os-1", "libs-1"])
    new = made.build("base-2", ["os-2", "libs-2"], created="2024-03-01T00:00:00Z")
    told = {NAME: f"{host}/base:1", DIGEST: old}
    made.build("good", ["os-1", "libs-1", "app"], annotations=told)
    made.build(
        "current", ["os-2", "libs-2", "app"], annotations={NAME: f"{host}/base:1", DIGEST: new}
    )
    made.build("wrong", ["other", "app"], annotations=told)
    made.build("label", ["os-1", "libs-1", "more"], labels=told)
    made.build("named", ["os-2", "libs-2", "b"], annotations={NAME: f"{host}/base:1"})
    made.build("older", ["os-1", "libs-1", "c"], annotations={NAME: f"{host}/base:1"})
    made.build("gone", ["x"], annotations={NAME: f"{host}/gone:1", DIGEST: "sha256:" + "1" * 64})
    made.build("digest", ["x", "y"], annotations={DIGEST: old})
    made.build("silent", ["os-1", "libs-1", "d"])
    made.build("disk", ["z"], annotations={NAME: f"oci:{made.path}:base-1", DIGEST: old})
    made.build("inside", ["z", "a"], annotations={NAME: "localhost:1/secret:1"})
    both = {NAME: f"{host}/base:1", DIGEST: old}
    wrong = {NAME: f"{host}/base:1", DIGEST: new}
    made.build("contradicts", ["os-1", "libs-1", "e"], annotations=wrong, labels=both)
    run = json.dumps({"runImage": {"reference": f"{host}/base@{old}", "topLayer": "x"}})
    made.build(
        "buildpacks", ["os-1", "libs-1", "f"], labels={"io.buildpacks.lifecycle.metadata": run}
    )
    names = [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in made.entries]
    for name in names:
        place = "base:" + name[-1] if name.startswith("base-") else f"app:{name}"
        _push(made.path, name, f"{host}/{place}")
    # The tag moves on, and what it was is still there by its digest.
    _push(made.path, "base-2", f"{host}/base:1")
    return {"host": host, "old": old, "new": new}


def _push(layout: Path, name: str, place: str) -> None:
    command = [
        "skopeo",
        "--insecure-policy",
        "copy",
        "--quiet",
        "--preserve-digests",
        "--dest-tls-verify=false",
    ]
    subprocess.run(
        [*command, "--dest-no-creds", f"oci:{layout}:{name}", f"docker://{place}"],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def found(pushed, client):
    """The table of all images, by tag and evidence."""
    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.bases_df(f"{pushed['host']}/app", client=client)
    return frame.set_index(["tag", "evidence"])


def test_confidence(found) -> None:
    assert found["confidence"].to_dict() == {
        ("good", "annotation"): "proved",
        ("current", "annotation"): "proved",
        ("wrong", "annotation"): "told but wrong",
        ("label", "label"): "proved",
        ("named", "annotation"): "likely",
        ("older", "annotation"): "told",
        ("gone", "annotation"): "told",
        ("digest", "annotation"): "told",
        ("disk", "annotation"): "told",
        ("inside", "annotation"): "told",
        ("contradicts", "annotation"): "told but wrong",
        ("contradicts", "label"): "proved",
        ("buildpacks", "label"): "proved",
    }


def test_outdated(found, pushed) -> None:
    outdated = found["is_outdated"].fillna(value=False)
    assert outdated["good", "annotation"]
    assert not outdated["current", "annotation"]
    assert not outdated["named", "annotation"]
    assert found["lag_days"]["good", "annotation"] == 60
    assert found["base_name_now_digest"]["good", "annotation"] == pushed["new"]
    unknown = found["is_outdated"].isna()
    assert unknown[["older", "gone", "digest", "buildpacks"]].all()
    listed = hubframe.outdated_bases_df(found.reset_index())
    assert sorted(listed["tag"]) == ["contradicts", "good", "label", "wrong"]


def test_strangers_lead_to_no_file_and_no_service_here(found) -> None:
    assert found["base_repo"].isna()["disk", "annotation"]
    asked = [one["ref"] for one in found.attrs["hubframe"]["failures"]]
    assert not any("localhost:1" in ref or "oci:" in ref for ref in asked)
    # What is gone is asked for, and told, once: by its digest, and by its tag.
    assert len(asked) == len(set(asked)) == 2


def test_by_layers(pushed, client) -> None:
    layers = hubframe.layers_df(f"{pushed['host']}/base", client=client)
    what = f"{pushed['host']}/app:silent"
    frame = hubframe.bases_df(what, layers=layers, evidence="layers", client=client)
    assert frame.empty
    old = hubframe.layers_df(f"{pushed['host']}/base@{pushed['old']}", client=client)
    frame = hubframe.bases_df(what, layers=old, evidence="layers", client=client)
    assert frame[["evidence", "confidence", "base_layer_count"]].to_numpy().tolist() == [
        ["layers", "likely", 2]
    ]
    with pytest.raises(ValueError, match="evidence must be"):
        hubframe.bases_df(what, evidence="guess", client=client)


def test_a_second_call_fetches_nothing(pushed, client) -> None:
    what = f"{pushed['host']}/app:good"
    first = hubframe.bases_df(what, client=client)
    again = hubframe.bases_df(what, client=client)
    assert first.equals(again)
    assert again.attrs["hubframe"]["requests"] == 0

"""Images on the disk, as skopeo writes them, beside the same images in a real registry."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import hubframe

from .conftest import LiveRegistry

FRAMES = ("images", "layers", "history", "labels", "env", "configs", "files", "distributions")
# Not all of these images hold any.
INSIDE = ("packages", "sboms", "provenance", "materials", "dockerfiles", "signatures")
TRANSPORTS = ("oci", "oci-archive", "dir")


def _copied(reference: str, transport: str, where: Path, *, every_platform: bool = True) -> str:
    """Copy an image out of a registry, and return what hubframe calls it."""
    end = "" if transport == "dir" else ":app/name:1"
    command = ["skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false"]
    command += ["--src-no-creds", *(["--all"] if every_platform else [])]
    command += [f"docker://{reference}", f"{transport}:{where}{end}"]
    subprocess.run(command, check=True, capture_output=True)
    return f"{transport}:{where}{end}"


def _without_place(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out where an image is, and what it is called there."""
    return frame.drop(columns=["repo", "tag"])


# OCI layouts hold the OCI's formats: skopeo turns others into these.
IN_OCI = ("base:3.20-arm64", "team/app/worker:2.0", "team/app:1.4.2", "team/app:1.4.1")
IN_BOTH = (*IN_OCI, "bare/image:oci", "bare/image:empty")
IN_FOLDERS = (*IN_BOTH, "team/app/worker:2.0-docker", "tool:1.0", "bare/image:docker")


@pytest.fixture
def references(live_registry: LiveRegistry, transport: str) -> list[str]:
    """One reference for each format and kind of image."""
    names = IN_FOLDERS if transport == "dir" else IN_BOTH
    return [live_registry.find(name).reference for name in names]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_frames_are_those_of_the_registry(references, transport, client, tmp_path) -> None:
    for number, reference in enumerate(references):
        local = _copied(reference, transport, tmp_path / f"{number}")
        for name in (*FRAMES, *INSIDE):
            read = getattr(hubframe, f"{name}_df")
            there = read(reference, platform="all", client=client)
            here = read(local, platform="all", client=client)
            assert len(here) or name in INSIDE or "app" not in reference, (name, reference)
            pd.testing.assert_frame_equal(_without_place(here), _without_place(there))
            assert here.attrs["hubframe"]["source"] == "local"
            assert here.attrs["hubframe"]["requests"] == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_inspect_is_that_of_skopeo(references, transport, client, tmp_path) -> None:
    for number, reference in enumerate(references):
        local = _copied(reference, transport, tmp_path / f"{number}")
        command = ["skopeo", "inspect", "--override-os=linux", "--override-arch=amd64", local]
        expected = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        found = hubframe.inspect(local, client=client)
        # skopeo tells the name of images in registries alone, and lists tags there alone.
        for one in (expected, found):
            one.pop("Name", None)
            one.pop("RepoTags", None)
        # Older ones do not tell it.
        found = {name: one for name, one in found.items() if name in {*expected, "Labels"}}
        assert found == expected


def test_docker_archive_has_the_layers_unpacked(live_registry, client, tmp_path) -> None:
    image = live_registry.find("team/app/worker:2.0")
    local = _copied(image.reference, "docker-archive", tmp_path / "a.tar", every_platform=False)
    there = hubframe.layers_df(image.reference, client=client)
    here = hubframe.layers_df(local, client=client)
    assert here["layer_digest"].tolist() == there["diff_id"].tolist()
    assert here["instruction"].equals(there["instruction"])
    files = hubframe.files_df(local, client=client)
    assert (
        files["path"].tolist() == hubframe.files_df(image.reference, client=client)["path"].tolist()
    )
    labels = [hubframe.labels_df(one, client=client) for one in (local, image.reference)]
    kept = [one[one["source"] == "config"][["key", "value"]] for one in labels]
    assert kept[0].to_numpy().tolist() == kept[1].to_numpy().tolist()

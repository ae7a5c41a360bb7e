"""Images on the disk, as skopeo writes them, beside the same images in a real registry."""

import json
import shutil
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


@pytest.fixture
def built(tmp_path) -> dict[str, str]:
    """An image that buildah builds, by transport."""
    if shutil.which("buildah") is None:
        pytest.skip("install buildah (a Debian package) to read what it builds")
    tree = tmp_path / "tree"
    status = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
    for path, text in (("etc/os-release", "ID=debian\n"), ("var/lib/dpkg/status", status)):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    own = f"--root={tmp_path}/root", f"--runroot={tmp_path}/run", "--storage-driver=vfs"

    def run(*command: str) -> str:
        done = subprocess.run(["buildah", *own, *command], check=True, capture_output=True)
        return done.stdout.decode().strip()

    container = run("from", "scratch")
    run("copy", "--quiet", container, str(tree), "/")
    run("config", "--label=a=b", "--env=X=1", "--created-by=COPY tree", container)
    made = {
        "oci": f"oci:{tmp_path}/layout:app/one:1",
        "oci-archive": f"oci-archive:{tmp_path}/one.tar:app/one:1",
        "dir": f"dir:{tmp_path}/folder",
        "docker-archive": f"docker-archive:{tmp_path}/docker.tar:app/one:1",
    }
    for place in made.values():
        run("commit", "--quiet", "--timestamp=1700000000", container, place)
    run("rm", container)
    return made


def test_images_that_buildah_built(built, live_registry, client) -> None:
    where = f"{live_registry.host}/buildah/one:1"
    command = ["skopeo", "--insecure-policy", "copy", "--quiet", "--preserve-digests"]
    how = ["--dest-tls-verify=false", "--dest-no-creds"]
    subprocess.run([*command, *how, built["oci"], f"docker://{where}"], check=True)
    for name in (*FRAMES, *INSIDE):
        read = getattr(hubframe, f"{name}_df")
        there = _without_place(read(where, client=client))
        for transport in TRANSPORTS:
            here = _without_place(read(built[transport], client=client))
            pd.testing.assert_frame_equal(here, there)
        # This is Docker's format, not packed: other digests, the same in them, no annotations.
        if name == "labels":
            there = there[there["source"] == "config"].reset_index(drop=True)
        here = _without_place(read(built["docker-archive"], client=client))
        same = [column for column in here if column in SAME]
        pd.testing.assert_frame_equal(here[same], there[same], check_flags=False)
        assert len(here) or name in INSIDE
    assert len(hubframe.packages_df(where, client=client)) == 1


# What an image is, in whichever format.
SAME = frozenset(
    {
        "platform",
        "position",
        "diff_id",
        "instruction",
        "key",
        "value",
        "path",
        "type",
        "mode",
        "name",
        "version",
        "purl",
        "id",
    }
)

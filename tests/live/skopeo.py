"""Debian's skopeo as the oracle: what it prints is what hubframe must say."""

import json
import subprocess
from pathlib import Path
from typing import Any

Credentials = tuple[str, str]


class SkopeoError(RuntimeError):
    """The tool failed; the message shows the command and what it printed."""


def inspect(  # noqa: PLR0913 - skopeo's own flags
    reference: str,
    *,
    os: str | None = None,
    architecture: str | None = None,
    variant: str | None = None,
    credentials: Credentials | None = None,
    raw: bool = False,
    config: bool = False,
    no_tags: bool = False,
) -> Any:
    """Return what ``skopeo inspect`` prints: parsed, or bytes with ``raw=True``."""
    chosen = {"os": os, "arch": architecture, "variant": variant}
    overrides = [f"--override-{name}={text}" for name, text in chosen.items() if text]
    flags = {"--raw": raw, "--config": config, "--no-tags": no_tags}
    given = [flag for flag, wanted in flags.items() if wanted]
    output = _run(*overrides, "inspect", *_access(credentials), *given, f"docker://{reference}")
    return output if raw else json.loads(output)


def list_tags(repository: str, *, credentials: Credentials | None = None) -> dict[str, Any]:
    """Return what ``skopeo list-tags`` prints, parsed."""
    parsed: dict[str, Any] = json.loads(
        _run("list-tags", *_access(credentials), f"docker://{repository}")
    )
    return parsed


def copy(  # noqa: PLR0913 - skopeo's own flags
    layout: Path,
    tag: str,
    reference: str,
    *,
    format: str = "oci",  # noqa: A002 - skopeo's own name for it
    every_platform: bool = False,
    credentials: Credentials | None = None,
) -> None:
    """Push an image of an OCI layout as ``oci``, ``v2s2`` or ``v2s1``."""
    _run(
        "copy",
        "--quiet",
        "--dest-tls-verify=false",
        f"--format={format}",
        *(["--all"] if every_platform else []),
        *([f"--dest-creds={':'.join(credentials)}"] if credentials else ["--dest-no-creds"]),
        f"oci:{layout}:{tag}",
        f"docker://{reference}",
    )


def _access(credentials: Credentials | None) -> list[str]:
    # Without --no-creds skopeo would use the logins of the machine.
    login = f"--creds={':'.join(credentials)}" if credentials else "--no-creds"
    return ["--tls-verify=false", login]


def _run(*arguments: str) -> bytes:
    command = ["skopeo", "--insecure-policy", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        text = done.stderr.decode(errors="replace")
        raise SkopeoError(f"{' '.join(command)} ended with {done.returncode}:\n{text}")
    return done.stdout

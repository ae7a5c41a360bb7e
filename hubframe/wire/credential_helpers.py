"""Credential helpers: programs that keep logins in a keychain, or make them for a cloud.

``docker-credential-NAME get`` reads the registry's name and prints a user name and a secret. What
it prints is never shown: not in a message, not in a traceback, not in a log.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from threading import Thread
from typing import IO, Any, TypeGuard, cast

from hubframe.errors import ASK_ANONYMOUSLY, GIVE_LOGIN, CredentialsError

# How long a helper may take. [seconds]
TIMEOUT = 10.0
NOT_FOUND = b"credentials not found in native keychain"
# No helper prints as much; one that does not stop must not fill the memory.
_MOST = 1024 * 1024
# Halves of characters; the others of them stand for bytes, as Python reads variables.
_UNSENDABLE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Answer:
    """A user name and a secret, as a helper printed them; both are empty where it knows nobody."""

    username: str = ""
    secret: str = field(default="", repr=False)


def get(name: str, server: str, source: str) -> Answer:
    """Ask the helper ``docker-credential-NAME`` for the login of a server, as the helper files it.

    It raises `CredentialsError`, which names the file that the helper stands in (`source`), where
    the helper is missing, fails, hangs, or prints what is no answer.
    """
    answer = _ask(name, server)
    if isinstance(answer, Answer):
        return answer
    program = f"docker-credential-{name if _NAME.fullmatch(name) else repr(name)}"
    raise CredentialsError(
        f"{program}, which keeps the login for {server} according to {source}, {answer}. "
        f"Try it: echo {server} | {program} get. Or take it out of {source}, {GIVE_LOGIN}, or "
        f"{ASK_ANONYMOUSLY}"
    )


def is_text(value: Any) -> TypeGuard[str]:
    """Tell whether a value is text that can be sent."""
    return isinstance(value, str) and not _UNSENDABLE.search(value)


def _ask(name: str, server: str) -> Answer | str:
    """Return the answer, or what went wrong."""
    path = shutil.which(f"docker-credential-{name}") if _NAME.fullmatch(name) else None
    if path is None:
        return "is not a program on PATH"
    try:
        ended = _run(path, server)
    except OSError as error:
        return f"could not be run: {error.strerror or type(error).__name__}"
    if ended is None:
        return f"gave no answer in {TIMEOUT:g} s"
    status, heard = ended
    if status:
        is_unknown = heard.getvalue().strip() == NOT_FOUND
        return Answer() if is_unknown else f"ended with status {status}"
    return _parsed(heard) or "printed something that is no answer"


def _parsed(heard: BytesIO) -> Answer | None:
    try:
        document = json.loads(heard.getvalue())
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    username, secret = document.get("Username"), document.get("Secret")
    if not is_text(username) or not is_text(secret) or (username and not secret):
        return None
    return Answer(username, secret)


def _run(path: str, server: str) -> tuple[int, BytesIO] | None:
    """Run a helper; None where it takes too long."""
    process = subprocess.Popen(  # noqa: S603 - a config file of the user's names it
        [path, "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        # In a group of its own, so that what it started can be ended with it.
        process_group=0 if os.name == "posix" else None,
    )
    ended = None
    try:
        ended = _communicate(process, server)
    finally:
        if ended is None:
            _end(process)
    return ended


def _communicate(process: subprocess.Popen[bytes], server: str) -> tuple[int, BytesIO] | None:
    """Say whose login is wanted, and listen; a thread, since pipes on Windows know no time."""
    deadline = time.monotonic() + TIMEOUT
    # Some tracebacks show variables, but not what is in this one.
    heard = BytesIO()
    reader = Thread(target=_copy, args=(process.stdout, heard), daemon=True)
    reader.start()
    with suppress(OSError), cast("IO[bytes]", process.stdin) as stdin:
        stdin.write(server.encode())  # it may answer without reading
    reader.join(TIMEOUT)
    if reader.is_alive():
        return None
    try:
        return process.wait(max(0.0, deadline - time.monotonic())), heard
    except subprocess.TimeoutExpired:
        return None


def _copy(output: IO[bytes], heard: BytesIO) -> None:
    """Read to the end, or as much as anybody needs."""
    with output:
        while heard.tell() <= _MOST and (chunk := output.read(65_536)):
            heard.write(chunk)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a helper and what it started; its pipes go with them."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()

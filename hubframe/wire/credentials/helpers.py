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
from typing import IO, Any

from hubframe.errors import CredentialsError
from hubframe.wire.credentials.credential import Credential, is_text

# How long a helper may take. [seconds]
PATIENCE = 10.0
NOT_FOUND = b"credentials not found in native keychain"
# The user name that says that the secret is an identity token.
_TOKEN = "<token>"  # noqa: S105 - it is none
# No helper prints as much; one that does not stop must not fill the memory.
_MOST = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Helper:
    """A helper as a config file names it.

    Attributes
    ----------
    name
        What follows ``docker-credential-``.
    source
        The file, for messages.
    """

    name: str
    source: str

    @property
    def program(self) -> str:
        """The program's name."""
        return f"docker-credential-{self.name}"

    def get(self, server: str) -> Credential | None:
        """Ask for the login of a server; None where it has none.

        Raises
        ------
        CredentialsError
            The helper is missing, fails, hangs, or prints what is no answer.
        """
        answer = self._ask(server)
        if answer.status and answer.output.strip() == NOT_FOUND:
            return None
        if answer.status:
            raise self._failed(server, f"ended with status {answer.status}")
        found = answer.parsed()
        if found is None:
            raise self._failed(server, "printed something that is no answer")
        return found.credential(f"{self.program} ({self.source})")

    def _ask(self, server: str) -> "_Answer":
        path = shutil.which(self.program) if _NAME.fullmatch(self.name) else None
        if path is None:
            raise self._failed(server, "is not a program on PATH")
        try:
            answer = _run(path, server)
        except OSError as error:
            reason = error.strerror or type(error).__name__
        else:
            if answer is None:
                raise self._failed(server, f"gave no answer in {PATIENCE:g} s")
            return answer
        raise self._failed(server, f"could not be run: {reason}")

    def _failed(self, server: str, what: str) -> CredentialsError:
        program = self.program if _NAME.fullmatch(self.name) else f"docker-credential-{self.name!r}"
        return CredentialsError(
            f"{program}, which keeps the login for {server} according to {self.source}, {what}. "
            f"Try it: echo {server} | {program} get. Or take it out of {self.source}, give "
            "Client(credentials=…), or ask anonymously with Client(credentials=False)"
        )


@dataclass(frozen=True)
class _Found:
    """A login that a helper printed."""

    username: str
    secret: str = field(repr=False)

    def credential(self, source: str) -> Credential | None:
        """Return it as ours; a helper that knows nobody may say so with empty texts."""
        if not self.secret:
            return None
        if self.username == _TOKEN:
            return Credential("", "", source, identity_token=self.secret)
        return Credential(self.username, self.secret, source)


@dataclass(frozen=True)
class _Answer:
    """What a helper said."""

    status: int
    output: bytes = field(repr=False)

    def parsed(self) -> _Found | None:
        """Read the answer; None for rubbish."""
        document = self._document()
        if not isinstance(document, dict):
            return None
        username, secret = document.get("Username"), document.get("Secret")
        if not is_text(username) or not is_text(secret) or (username and not secret):
            return None
        return _Found(username, secret)

    def _document(self) -> Any:
        try:
            return json.loads(self.output)
        except (ValueError, RecursionError):
            return None


def _run(path: str, server: str) -> _Answer | None:
    """Run a helper; None where it takes too long."""
    # In a group of its own, so that what it started can be ended with it.
    group = {"process_group": 0} if os.name == "posix" else {}
    process = subprocess.Popen(  # noqa: S603 - a config file of the user's names it
        [path, "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        **group,  # type: ignore[call-overload]
    )
    try:
        answer = _talk(process, server)
    except BaseException:
        _end(process)
        raise
    if answer is None:
        _end(process)
    return answer


def _talk(process: subprocess.Popen[bytes], server: str) -> _Answer | None:
    """Say whose login is wanted, and listen; a thread, since pipes on Windows know no time."""
    deadline = time.monotonic() + PATIENCE
    # An interrupt shows variables, but not what is in this one.
    heard = BytesIO()
    listener = Thread(target=_listen, args=(process.stdout, heard), daemon=True)
    listener.start()
    with suppress(OSError), process.stdin as said:  # type: ignore[union-attr]
        said.write(server.encode())  # it may answer without reading
    listener.join(PATIENCE)
    if listener.is_alive():
        return None
    try:
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
    return _Answer(status, heard.getvalue())


def _listen(output: IO[bytes], heard: BytesIO) -> None:
    """Read to the end; who says more than anybody needs is not listened to any longer."""
    size = 0
    with output:
        while size <= _MOST and (chunk := output.read(65_536)):
            size += len(chunk)
            heard.write(chunk)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a helper and what it started; its pipes go with them."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()

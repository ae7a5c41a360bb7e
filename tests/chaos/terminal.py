"""A program in a terminal, where somebody presses Ctrl-C."""

import os
import pty
import subprocess
import threading
import time
from typing import Self

CTRL_C = b"\x03"
_PATIENCE = 30


class Terminal:
    """Runs a program that has a terminal of its own; a context manager that leaves no process."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._screen, line = pty.openpty()
        self._said: list[bytes] = []
        # Ctrl-C reaches only those whose controlling terminal it is pressed in.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command], stdin=line, stdout=line, stderr=line, env=environment
        )
        os.close(line)
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join()
        os.close(self._screen)

    def interrupt(self) -> float:
        """Press Ctrl-C, and return how long the program takes to end. [seconds]"""
        began = time.monotonic()
        os.write(self._screen, CTRL_C)
        self.process.wait(_PATIENCE)
        return time.monotonic() - began

    def text(self) -> str:
        """Return what an ended program has said."""
        self._reading.join()
        return b"".join(self._said).decode()

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._screen, 4096)
            except OSError:
                return  # nobody holds the other end any more
            self._said.append(part)

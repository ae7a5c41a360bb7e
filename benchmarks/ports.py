"""Ports for servers that must be told theirs before they start."""

import random
import socket
from contextlib import suppress

# Below those that kernels give away: whoever asks for any port meanwhile gets another one.
_PORTS = range(20_000, 32_000)
# Tests that seed the usual one would all get the same ports.
_random = random.SystemRandom()


def free_port() -> int:
    """Return a loopback port where nobody listens."""
    for port in _random.sample(_PORTS, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError(f"no free port was found in {_PORTS}")

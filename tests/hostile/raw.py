"""A loopback server whose answers are plain bytes, well-formed or not."""

import socket
import threading
from contextlib import contextmanager, suppress


@contextmanager
def listening(answer):
    """Hand every connection to a function, in a thread of its own; yield ``host:port``."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, answer), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(server, answer):
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection, answer), daemon=True).start()


def _serve(connection, answer):
    with connection, suppress(OSError):
        answer(connection)

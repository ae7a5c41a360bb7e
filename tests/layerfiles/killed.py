"""Reads the layers of an image, and kills itself while it does so: STEP HUB REGISTRY FOLDER."""

import os
import signal
import sqlite3
import sys
from pathlib import Path

import hubframe
from hubframe.oci import archives

step, hub_url, registry_url, folder = sys.argv[1:]


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


if step == "reading":
    archives.cleaned = die
elif step == "third layer":
    cleaned = archives.cleaned
    archives.cleaned = lambda path: die() if path == "last" else cleaned(path)
else:

    class Dying(sqlite3.Connection):
        """Ends the program in the middle of a transaction."""

        def executemany(self, statement, rows):
            rows = list(rows)
            super().executemany(statement, rows)
            if any(key.startswith("files:") for key, *_ in rows):
                die()

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **how: connect(*args, factory=Dying, **how)
settings = hubframe.Settings(
    hub_url=hub_url, registry_url=registry_url, cache_dir=Path(folder), workers=1
)
with hubframe.Client(settings) as client:
    hubframe.packages_df("acme/tool:1", source="registry", client=client)

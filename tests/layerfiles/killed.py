"""Lists the files of an image, and kills itself while it writes them down: STEP HUB REGISTRY FOLDER."""

import os
import signal
import sys
from pathlib import Path

import hubframe
from hubframe.wire import archives, disk

step, hub_url, registry_url, folder = sys.argv[1:]


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


if step == "reading":
    archives.cleaned = die
else:

    def half(self, statement, rows):
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(statement, rows)
        if "listings" in statement:
            die()
        self._connection.execute("COMMIT")
        return []

    disk.Database._write = half
settings = hubframe.Settings(hub_url=hub_url, registry_url=registry_url, cache_dir=Path(folder))
with hubframe.Client(settings) as client:
    hubframe.files_df("acme/tool:1", source="registry", client=client)

"""Lists the files of an image, and kills itself while it writes them down: STEP HUB REGISTRY FOLDER."""

import os
import signal
import sys
from pathlib import Path

import hubframe
from hubframe.oci import archives

step, hub_url, registry_url, folder = sys.argv[1:]


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


if step == "reading":
    archives.cleaned = die
else:
    replace = os.replace
    os.replace = lambda one, other: die() if "/layers/" in str(other) else replace(one, other)
settings = hubframe.Settings(hub_url=hub_url, registry_url=registry_url, cache_dir=Path(folder))
with hubframe.Client(settings) as client:
    hubframe.files_df("acme/tool:1", source="registry", client=client)

"""Write the bundled data file."""

from pathlib import Path

import hubframe.testing
from hubframe.testing.world import FILE_NAME
from tools.sample import build

if __name__ == "__main__":
    Path(hubframe.testing.__file__).with_name(FILE_NAME).write_bytes(build())

"""Write the bundled data file, and the files that are about its images."""

from pathlib import Path

import hubframe.testing
from hubframe.testing.world import FILE_NAME
from tools.sample import build, scans

if __name__ == "__main__":
    place = Path(hubframe.testing.__file__)
    place.with_name(FILE_NAME).write_bytes(build())
    scans.write(hubframe.testing.sample_files())

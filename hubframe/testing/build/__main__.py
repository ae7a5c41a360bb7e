"""Write the bundled data file."""

from pathlib import Path

from hubframe.testing.build import build
from hubframe.testing.world import FILE_NAME

if __name__ == "__main__":
    Path(__file__).parents[1].joinpath(FILE_NAME).write_bytes(build())

"""Files as people have them, that name images of the sample."""

from pathlib import Path


def sample_files() -> Path:
    """Return the folder of the sample's files, which are synthetic as all of the sample is.

    Returns
    -------
    pathlib.Path
        A folder inside the package; to be read, and never written.
    """
    return Path(__file__).with_name("files")

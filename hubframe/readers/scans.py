"""Reports of scanners, told apart by what is in them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.oci.payload import parse
from hubframe.readers.boms import read_cyclonedx
from hubframe.readers.documents import JSON_FILES, MOST_BYTES, Paths, find, read_file
from hubframe.readers.grype import read_grype
from hubframe.readers.trivy import read_trivy
from hubframe.tables.schema import joined_attrs
from hubframe.tables.vulnerabilities import VULNERABILITIES

Scans = Mapping[Callable[..., pd.DataFrame], Sequence[Path]]
_READ_BILL = partial(read_cyclonedx, vulnerabilities=True)
# What reports of each have at their top, or what they are wrapped in.
_MARKS: Mapping[Callable[..., pd.DataFrame], set[str]] = {
    _READ_BILL: {"bomFormat"},
    read_grype: {"matches"},
    read_trivy: {"ArtifactName", "ClusterName", "scanner", "payload", "predicate", "dsseEnvelope"},
}


def tell_apart(paths: Paths) -> Scans:
    """Return which files are reports of trivy, of grype, or bills, by what reads them.

    Raises
    ------
    OSError, PayloadError
        A file is not there, or is none of these.
    """
    found: dict[Callable[..., pd.DataFrame], list[Path]] = {}
    for path in find(paths, JSON_FILES):
        document = parse(read_file(path, MOST_BYTES), str(path))
        reader = next((one for one, marks in _MARKS.items() if marks & document.keys()), None)
        if reader is None:
            raise PayloadError(
                f"{path} is no report of trivy or grype: write one with trivy image --format json, "
                "or grype --output json"
            )
        found.setdefault(reader, []).append(path)
    return found


def read_scans(scans: Scans, layers: pd.DataFrame) -> pd.DataFrame:
    """Read such reports as one table `vulnerabilities`; images are found by their `layers`."""
    frames = [reader(paths, layers=layers) for reader, paths in scans.items()]
    frame = pd.concat([VULNERABILITIES.frame(), *frames], ignore_index=True)
    frame.attrs["hubframe"] = joined_attrs(frames) | {
        "table": VULNERABILITIES.name,
        "sources": [one for each in frames for one in each.attrs["hubframe"]["sources"]],
    }
    return frame

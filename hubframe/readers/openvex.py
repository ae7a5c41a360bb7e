"""Statements of OpenVEX: whether a vulnerability affects a product, and why not.

The format: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md, version 0.2, and 0.0 where
products and vulnerabilities are mere names.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.oci.payload import array, items, mapping, text, texts
from hubframe.readers.documents import MOST_BYTES, Errors, Paths, Reading, other_reader
from hubframe.tables.vulnerabilities import VEX

Payload = Mapping[str, Any]
_STATUSES = ("not_affected", "affected", "fixed", "under_investigation")
# So many rows are made of a document of products by components.
_MOST_ROWS = 1_000_000


def read_openvex(
    paths: Paths, *, max_bytes: int = MOST_BYTES, errors: Errors = "raise"
) -> pd.DataFrame:
    """Read OpenVEX documents, a row for each statement, product and component; also attested ones.

    Parameters
    ----------
    paths, max_bytes, errors
        See `read_trivy`.

    Returns
    -------
    pandas.DataFrame
        The table `vex`, for ``vulnerabilities_df(…, vex=frame)``. Who may state what is for you to
        judge: nothing is verified.

    Raises
    ------
    PayloadError, NotFoundError
        See `read_trivy`.

    Examples
    --------
    >>> from hubframe.testing import sample_files
    >>> vex = read_openvex(sample_files() / "scans" / "openvex.json")
    >>> vex[["id", "status", "justification"]].to_numpy().tolist()
    [['CVE-2024-99003', 'not_affected', 'vulnerable_code_not_in_execute_path']]
    """
    reading = Reading(VEX, errors, max_bytes)

    def read(document: Payload, name: str) -> list[tuple[Any, ...]]:
        context = document.get("@context")
        if "openvex" not in str(context) or not isinstance(document.get("statements"), list):
            how = other_reader(document, "read_openvex")
            raise PayloadError(": ".join(filter(None, [f"{name} is no document of OpenVEX", how])))
        reading.note(author=text(document.get("author")), stated_at=text(document.get("timestamp")))
        rows: list[tuple[Any, ...]] = []
        for row in _rows(document):
            if len(rows) == _MOST_ROWS:
                raise PayloadError(f"{name} states more than {_MOST_ROWS:,} things")
            rows.append((text(document.get("@id")) or name, len(rows), *row))
        left_out = (one for one in items(document["statements"]) if not _is_sound(one))
        reading.skipped += sum(1 for _ in left_out)
        return rows

    rows = (row for some in reading.documents(paths, read) for row in some)
    return reading.finish(VEX.from_rows(rows), "openvex")


def _is_sound(statement: Payload) -> bool:
    """Whether it names a vulnerability, and one of the four statuses."""
    return _vulnerability(statement)[0] is not None and statement.get("status") in _STATUSES


def _rows(document: Payload) -> Iterator[tuple[Any, ...]]:
    """Yield rows in the order of the table's columns."""
    for one in filter(_is_sound, items(document["statements"])):
        name, aliases = _vulnerability(one)
        kinds = ("impact_statement", "action_statement", "status_notes")
        said = (
            one["status"],
            text(one.get("justification")),
            next(filter(None, (text(one.get(kind)) for kind in kinds)), None),
            text(document.get("author")),
            text(one.get("timestamp")) or text(document.get("timestamp")),
        )
        for product in array(one.get("products")) or [None]:
            components = array(mapping(product).get("subcomponents")) or [None]
            for component in components:
                yield (name, aliases, _identity(product), _identity(component), *said)


def _vulnerability(statement: Payload) -> tuple[str | None, str | None]:
    told = statement.get("vulnerability")
    name = text(told) or text(mapping(told).get("name")) or text(mapping(told).get("@id"))
    aliases = {*texts(mapping(told).get("aliases"))} - {name}
    return name, " ".join(sorted(filter(None, aliases))) or None


def _identity(product: Any) -> str | None:
    """Return the package URL of a product, else its name."""
    told = mapping(product)
    url = text(mapping(told.get("identifiers")).get("purl"))
    return url or text(product) or text(told.get("@id"))

"""The report's figures as JSON."""

from datetime import datetime
from typing import Any

import pandas as pd

from hubframe import measure
from hubframe.report import prose
from hubframe.report.answers import Told
from hubframe.version import __version__


def summarise(told: Told, written_at: datetime) -> dict[str, Any]:
    """Return what ``summary.json`` holds: plain values, null where something is not known."""
    frames = told.frames
    platforms = measure.platform_counts(frames["images"])
    sources = measure.provenance(frames)
    return {
        "generated_at": written_at.isoformat(),
        "hubframe_version": __version__,
        "rows": {name: len(frame) for name, frame in frames.items()},
        "totals": {name: plain(value) for name, value in told.totals.items()},
        "platforms": dict(
            zip(platforms["platform"], map(plain, platforms["image_count"]), strict=True)
        ),
        "label_coverage": dict(zip(told.keys["key"], map(plain, told.keys["share"]), strict=True)),
        "findings": [said.striptags() for said, _ in prose.findings(told)],
        "scopes": dict(told.scopes),
        "complete": measure.is_complete(sources),
        "failures": _records(measure.failures(frames)),
        "sources": _records(sources),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): plain(value) for name, value in record.items()}
        for record in frame.to_dict("records")
    ]


def plain(value: Any) -> Any:
    """Return a value as JSON spells it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value

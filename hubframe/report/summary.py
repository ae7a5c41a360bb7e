"""The report's figures as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from hubframe import measure
from hubframe.version import __version__


def summarise(frames: Mapping[str, pd.DataFrame], written_at: datetime) -> dict[str, Any]:
    """Return what ``summary.json`` holds: plain values, null where something is not known."""
    totals = measure.totals(frames).iloc[0]
    platforms = measure.platform_counts(frames["images"])
    sources = measure.provenance(frames)
    return {
        "generated_at": written_at.isoformat(),
        "hubframe_version": __version__,
        "rows": {name: len(frame) for name, frame in frames.items()},
        "totals": {name: plain(value) for name, value in totals.items()},
        "platforms": dict(
            zip(platforms["platform"], map(plain, platforms["image_count"]), strict=True)
        ),
        "label_coverage": _label_shares(frames),
        "complete": measure.is_complete(sources),
        "failures": _records(measure.failures(frames)),
        "sources": _records(sources),
    }


def _label_shares(frames: Mapping[str, pd.DataFrame]) -> dict[str, float | None]:
    coverage = measure.label_coverage(frames["labels"], measure.described_images(frames))
    keys = measure.key_coverage(coverage)
    return dict(zip(keys["key"], map(plain, keys["share"]), strict=True))


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

"""Writing the report's files; what they say is measured, drawn and worded elsewhere."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from hubframe import measure
from hubframe.readers.severities import SEVERITIES
from hubframe.report.answers import INSIDE, Facts, answer
from hubframe.report.page import About, render
from hubframe.report.pictures import draw
from hubframe.report.prose import findings, sentences
from hubframe.report.risks import GIVEN, REFERENCES, VULNERABILITIES
from hubframe.tables import TABLES
from hubframe.tables.excel import write_excel
from hubframe.tables.files import write_csv
from hubframe.tables.schema import plain_records, plain_values
from hubframe.version import __version__

FRAMES = ("repos", "tags", "images", "layers", "history", "labels", "env", "configs")


def write_report(  # noqa: PLR0913
    frames: Mapping[str, pd.DataFrame],
    output: str | Path,
    *,
    title: str,
    note: str | None = None,
    verbatim: bool = False,
    interactive: bool = False,
) -> Path:
    """Write a report about frames that belong together.

    The folder then holds ``report.html``, one self-contained page; its pictures as PNG;
    ``summary.json``; one CSV file for each frame, and for each table measured of them;
    ``sources.csv``, which tells where each came from and what it covers; and, where the extra
    ``xlsx`` is installed, ``report.xlsx`` with all of these as sheets. Each file is replaced as a
    whole, the page last: a run that fails leaves the files as they were. A picture with nothing to
    show is not there.

    A frame may say what it covers: ``attrs["hubframe"]["scope"]``, in words. Where its ``limited``
    says that this is less than all, the CSV has these words as a last column, ``scope``.

    Parameters
    ----------
    frames
        The frames ``repos``, ``tags``, ``images``, ``layers``, ``history``, ``labels``, ``env`` and
        ``configs`` by name; those that are left out are empty. Also ``packages``,
        ``distributions``, ``bases``, ``provenance`` and ``signatures``, and ``checked_references``
        and ``vulnerabilities``; the page does not speak of those that are left out.
    output
        The folder, made if needed.
    title
        The heading of the page.
    note
        A sentence or two of your own, shown below the heading.
    verbatim
        Write cells of the CSV files as they are, also those that a spreadsheet would run.
    interactive
        Let the tables of the page be filtered and sorted, and have all their rows in it.

    Returns
    -------
    pathlib.Path
        The page.
    """
    known = (*FRAMES, *INSIDE, *GIVEN)
    if unknown := sorted(set(frames) - set(known)):
        raise ValueError(f"a report has no frame {', '.join(unknown)}; it has {', '.join(known)}")
    given, frames = frames, {name: TABLES[name].frame() for name in FRAMES}
    frames |= {name: given[name] for name in known if name in given}
    now = datetime.now(UTC).replace(microsecond=0)
    # openpyxl is an extra.
    workbook = "report.xlsx" if find_spec("openpyxl") else None
    about = About(title, note, verbatim, interactive, now, workbook)
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".report-", dir=folder))
    try:
        empty = _write_draft(Facts(frames, answer(frames, now)), draft, about)
        for path in sorted(draft.iterdir(), key=lambda path: path.suffix == ".html"):
            path.replace(folder / path.name)
        for name in empty:
            (folder / f"{name}.png").unlink(missing_ok=True)
    finally:
        shutil.rmtree(draft)
    return folder / "report.html"


def _write_draft(facts: Facts, draft: Path, about: About) -> list[str]:
    """Write all files, and return the names of the pictures that have nothing to show."""
    tables = {
        name: frame.assign(scope=facts.scopes[name]) if facts.is_limited(name) else frame
        for name, frame in {**facts.frames, **facts.answers}.items()
    } | {"sources": facts.sources}
    for name, frame in tables.items():
        write_csv(frame, draft / f"{name}.csv", verbatim=about.verbatim)
    if about.workbook:
        write_excel(tables, draft / about.workbook)
    pictures = draw(facts)
    for name, picture in pictures.items():
        if picture:
            (draft / f"{name}.png").write_bytes(picture.light)
    said = sentences(facts)
    summary = _summary(facts, findings(facts, said), about)
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False, default=_json)
    (draft / "summary.json").write_text(text + "\n", encoding="utf-8")
    (draft / "report.html").write_text(render(facts, said, pictures, about), encoding="utf-8")
    return [name for name, picture in pictures.items() if not picture]


def _summary(facts: Facts, found: list[tuple[Markup, str]], about: About) -> dict[str, Any]:
    """Return what ``summary.json`` holds, null where something is not known."""
    platforms = measure.platform_counts(facts.frames["images"])
    return {
        "title": about.title,
        "generated_at": about.written_at,
        "hubframe_version": __version__,
        "rows": {name: len(frame) for name, frame in facts.frames.items()},
        "totals": {name: None if pd.isna(one) else one for name, one in facts.totals.items()},
        "platforms": dict(zip(platforms["platform"], platforms["image_count"], strict=True)),
        "label_coverage": plain_values(facts.keys.set_index("key")["share"]).to_dict(),
        **_inside(facts),
        **_risks(facts),
        "findings": [said.striptags() for said, _ in found],
        "scopes": facts.scopes,
        "complete": facts.is_complete,
        "failures": plain_records(measure.failures(facts.frames)),
        "sources": plain_records(measure.provenance(facts.frames)),
    }


def _inside(facts: Facts) -> dict[str, Any]:
    """Return what is inside images in figures, None for what was not read."""
    by_type = facts.answers.get("packages_used", TABLES["packages_used"].frame())["type"]
    counted: dict[str, dict[str, Any]] = {
        "packages": {
            "by_type": _counts(by_type),
            "changes": facts.releases.to_dict("records"),
        },
        "distributions": {"by_distribution": facts.distributions["image_count"].to_dict()},
        "bases": {
            "by_confidence": _counts(facts.best_bases["confidence"]),
            "outdated_image_count": len(facts.outdated_bases),
        },
        "provenance": {"by_builder": _counts(facts.distinct("provenance")["builder_id"])},
        "signatures": {"by_status": _counts(facts.distinct("signatures")["status"])},
    }
    images = {
        name: {"image_count": facts.inside(name)["image_digest"].nunique()} for name in counted
    }
    return {
        name: images[name] | figures if name in facts.frames else None
        for name, figures in counted.items()
    }


def _risks(facts: Facts) -> dict[str, Any]:
    """Return what is wrong in figures, None for what was not given, or is not known."""
    risks = facts.risks
    found, ended = risks.vulnerability_counts, risks.ended
    counted: dict[str, dict[str, Any]] = {
        REFERENCES: {f"{name}_count": count for name, count in risks.reference_counts.items()},
        VULNERABILITIES: {
            "image_count": len(facts.answers.get("vulnerability_summary", ())),
            "vulnerability_count": found.get("vulnerability_count", 0),
            "by_severity": {name: found.get(f"{name}_count", 0) for name in SEVERITIES},
            **{
                name: None if pd.isna(count := found.get(name, 0)) else count
                for name in ("fixable_count", "exploited_count", "not_affected_count")
            },
            "tools": plain_records(risks.tools),
        },
    }
    ends = {
        "dated_at": risks.dates["dated_at"],
        **{f"{name}_count": count for name, count in risks.end_counts.items()},
        **{
            f"{name}s_by_product": ended.loc[ended[count] > 0, count].to_dict()
            for name, count in (("tag", "tag_count"), ("reference", "reference_count"))
        },
    }
    return {name: counted[name] if name in facts.frames else None for name in GIVEN} | {
        "eol": None if risks.ends.empty else ends
    }


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(value): count for value, count in column.value_counts().items()}


def _json(value: Any) -> Any:
    """Return what JSON has for a date, or for a number of numpy's."""
    return value.isoformat() if hasattr(value, "isoformat") else value.item()

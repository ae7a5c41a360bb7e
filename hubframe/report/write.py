"""Writing the report's files; what they say is measured, drawn and worded elsewhere."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from hubframe.report.answers import Told, answer
from hubframe.report.page import About, render
from hubframe.report.pictures import HEADINGS, draw
from hubframe.report.scope import is_limited
from hubframe.report.summary import summarise
from hubframe.tables import TABLES
from hubframe.tables.excel import write_excel
from hubframe.tables.files import write_csv

FRAMES = ("repos", "tags", "images", "layers", "history", "labels", "env", "configs")


def write_report(
    frames: Mapping[str, pd.DataFrame],
    output: str | Path,
    *,
    title: str,
    note: str | None = None,
    verbatim: bool = False,
) -> Path:
    """Write a report about frames that belong together.

    The folder then holds ``report.html``, one self-contained page; its pictures as PNG;
    ``summary.json``; one CSV file for each frame, and for each table measured of them
    (``footprint``, ``shared_layers``, ``size_trend``, ``parents``, ``outdated``, ``latest_lag``,
    ``staleness``, ``coverage``, ``platform_coverage``, ``cleanup``); and ``sources.csv``, which
    tells where each came from and what it covers. Where the extra ``xlsx`` is installed,
    ``report.xlsx`` holds all of these as sheets. Each file is replaced as a whole, the page last:
    a run that fails leaves the files as they were. A picture with nothing to show is not there.

    A frame may say what it covers: ``attrs["hubframe"]["scope"]``, in words. Where its ``limited``
    says that this is less than all, the CSV has these words as a last column, ``scope``.

    Parameters
    ----------
    frames
        The frames ``repos``, ``tags``, ``images``, ``layers``, ``history``, ``labels``, ``env``
        and ``configs`` by name; those that are left out are empty.
    output
        The folder, made if needed.
    title
        The heading of the page.
    note
        A sentence or two of your own, shown below the heading.
    verbatim
        Write cells of the CSV files as they are, also those that a spreadsheet would run.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    ValueError
        A frame has a name that the report does not know.
    """
    frames = _complete(frames)
    now = datetime.now(UTC).replace(microsecond=0)
    # openpyxl is an extra.
    workbook = "report.xlsx" if find_spec("openpyxl") else None
    about = About(title, note, verbatim, now, workbook)
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".report-", dir=folder))
    try:
        drawn = _write_draft(frames, draft, about)
        for path in sorted(draft.iterdir(), key=lambda path: path.suffix == ".html"):
            path.replace(folder / path.name)
        for name in set(HEADINGS) - drawn:
            (folder / f"{name}.png").unlink(missing_ok=True)
    finally:
        shutil.rmtree(draft)
    return folder / "report.html"


def _complete(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """All the frames in the report's order, those that were left out empty."""
    if unknown := sorted(set(frames) - set(FRAMES)):
        raise ValueError(f"a report has no frame {', '.join(unknown)}; it has {', '.join(FRAMES)}")
    return {name: frames[name] if name in frames else TABLES[name].frame() for name in FRAMES}


def _write_draft(frames: Mapping[str, pd.DataFrame], draft: Path, about: About) -> set[str]:
    """Write all files, and return the names of the pictures among them."""
    told = Told(frames, answer(frames, about.written_at))
    _write_tables(told, draft, about)
    pictures = draw(told)
    for name, picture in pictures.items():
        (draft / f"{name}.png").write_bytes(picture.light)
    summary = {"title": about.title} | summarise(told, about.written_at)
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    (draft / "summary.json").write_text(text + "\n", encoding="utf-8")
    (draft / "report.html").write_text(render(told, pictures, about), encoding="utf-8")
    return set(pictures)


def _write_tables(told: Told, draft: Path, about: About) -> None:
    """Write the frames for other programs; the one place to add another format."""
    frames = {
        name: frame.assign(scope=told.scopes[name]) if is_limited(name, told.frames) else frame
        for name, frame in {**told.frames, **told.answers}.items()
    } | {"sources": told.sources}
    for name, frame in frames.items():
        write_csv(frame, draft / f"{name}.csv", verbatim=about.verbatim)
    if about.workbook:
        write_excel(frames, draft / about.workbook)

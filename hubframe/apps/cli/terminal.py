"""A frame as people read it in a terminal: what matters first, in the width that there is."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple
from unicodedata import category, east_asian_width

import pandas as pd

from hubframe.tables import TABLES
from hubframe.tables.amounts import BLANK, MINUS, more, percent, size
from hubframe.tables.schema import COUNT, FLAG, FLOAT, TEXT, UTC, Column

# The columns that a narrow terminal shows first, the most important one first; of other tables they
# come as they are declared.
FIRST = {
    "repos": ("repo", "pull_count", "star_count", "pushed_at", "description", "is_private"),
    "search": ("repo", "pull_count", "star_count", "is_official", "description"),
    "tags": ("repo", "tag", "size", "pushed_at", "platform_count", "digest", "aliases"),
    "tag_history": ("repo", "tag", "started_at", "ended_at", "digest", "size", "is_reversion"),
    "tag_pulls": ("repo", "tag", "pull_count", "pulled_at", "image_pull_count", "digest"),
    "images": ("repo", "tag", "platform", "size", "pushed_at", "created_at", "image_digest"),
    "layers": ("repo", "tag", "platform", "position", "size", "instruction", "layer_digest"),
    "history": ("repo", "tag", "platform", "step", "size", "instruction", "created_at"),
    "labels": ("repo", "tag", "platform", "key", "value", "source"),
    "env": ("repo", "tag", "platform", "key", "value"),
    "configs": ("repo", "tag", "platform", "user", "entrypoint", "cmd", "exposed_ports"),
    "referrers": ("repo", "tag", "artifact_type", "size", "title", "created_at", "digest"),
    "files": ("repo", "tag", "platform", "path", "size", "mode", "position"),
    "packages": ("repo", "tag", "platform", "type", "name", "version", "position", "licence"),
    "distributions": ("repo", "tag", "platform", "id", "version_id", "name"),
    "contents": ("repo", "tag", "platform", "path", "size", "text"),
    "sboms": ("repo", "tag", "platform", "format", "package_count", "tool", "created_at", "size"),
    "provenance": ("repo", "tag", "platform", "builder_id", "source_uri", "finished_at", "mode"),
    "materials": ("repo", "tag", "platform", "kind", "material_repo", "material_tag", "git_url"),
    "dockerfiles": ("repo", "tag", "platform", "name", "line_count", "source", "text"),
    "signatures": ("repo", "tag", "platform", "kind", "status", "identity", "issuer", "signed_at"),
    "bases": (
        *("repo", "tag", "base_repo", "base_tag", "evidence", "confidence", "is_outdated"),
        "lag_days",
    ),
    "references": ("file", "line", "written", "is_floating", "problem"),
    "checked_references": (
        *("file", "line", "written", "exists", "is_current", "newest_tag", "versions_behind"),
        "lacks_platforms",
    ),
    "packages_used": ("type", "name", "image_count", "version_count", "versions"),
    "cycles": ("product", "cycle", "codename", "eol_at", "is_eol", "extended_until", "released_at"),
    "eol": ("repo", "tag", "product", "cycle", "is_eol", "eol_at", "days_left", "extended_until"),
    "lag": ("repo", "tag", "type", "name", "version", "newest_version", "versions_behind"),
    "vulnerabilities": ("repo", "tag", "id", "severity", "name", "version", "fixed_version"),
    "vulnerability_summary": (
        *("repo", "tag", "layer_digest", "vulnerability_count", "critical_count", "high_count"),
        *("fixable_count", "exploited_count", "oldest_published_at"),
    ),
    "advisories": ("id", "ecosystem", "release", "name", "severity", "title", "aliases"),
    "vex": ("id", "product", "component", "status", "justification", "author"),
    "lifecycles": ("repo", "tag", "platform", "eol_at", "digest", "subject_digest"),
    "limits": ("host", "limit", "remaining", "allowed", "window_seconds", "resets_at"),
    "comparison": ("left_name", "right_name", "aspect", "key", "change", "left", "right"),
    "figures": ("metric", "value", "paper_value", "paper", "unit"),
    "cleanup": ("repo", "tag", "action", "reason", "freed_size", "pushed_at"),
    "shared_layers": ("layer_digest", "size", "image_count", "saved_size", "instruction"),
    "footprint": ("namespace", "repo", "tag", "total_size", "shared_size", "freed_size"),
    "duplicates": ("group", "repo", "tag", "platform", "name_count", "total_size"),
    "similarity": ("left_repo", "left_tag", "right_repo", "right_tag", "similarity", "shared_size"),
    "parents": ("repo", "tag", "platform", "parent_repo", "parent_tag", "growth_size"),
    "outdated": ("repo", "tag", "platform", "parent_repo", "parent_tag", "newer_tag", "lag_days"),
    "latest_lag": ("repo", "latest_version", "highest_version", "versions_behind", "lag_days"),
    "staleness": ("repo", "tag", "pushed_at", "age_days", "idle_days", "is_stale"),
    "cadence": ("repo", "version_count", "days_p50", "variation", "last_pushed_at"),
    "coverage": ("repo", "tag", "platform", "key", "state", "reason", "value"),
    "platform_coverage": ("repo", "tag", "platform", "is_present", "size", "tag_share"),
    "standard_labels": ("repo", "tag", "platform", "key", "value", "spelling"),
    "size_trend": ("repo", "line", "platform", "tag", "total_change", "change", "instruction"),
    "unpacked_sizes": ("layer_digest", "size", "unpacked_size", "method", "reason"),
    "efficiency": ("repo", "tag", "platform", "efficiency", "wasted_size", "size"),
    "wasted": ("repo", "tag", "platform", "path", "wasted_size", "copy_count", "removed_count"),
    "runs": ("run", "repo_count", "tag_count", "failure_count", "observed_at"),
    "observed_repos": ("repo", "observed_at", "pull_count", "star_count", "tag_count"),
    "observed_tags": ("repo", "tag", "observed_at", "size", "pushed_at", "digest"),
    "pulls_over_time": ("repo", "observed_at", "pulls_per_day", "change", "step"),
    "repos_over_time": ("repo", "observed_at", "star_change", "storage_change", "tag_change"),
    "tag_moves": ("repo", "tag", "digest", "first_seen_at", "gone_at", "ending"),
    "mutable_tags": ("repo", "tag", "push_count", "last_pushed_at", "is_floating"),
}
# What rows are about: where all rows are about the same, it is said once, below the table.
_ABOUT = re.compile("(left_|right_|parent_)?(namespace|repo|tag|platform|name|line|source)")
GAP = "  "
_ELLIPSIS = "…"
# How narrow text may be cut, and from where on it is legible as it is.
_LEAST_TEXT, _LEGIBLE = 12, 40
# A digest, and its first twelve digits, as Docker shows it.
_SHORT = re.compile(r"^sha256:([0-9a-f]{12})[0-9a-f]{52}$")
_NEAR = pd.Timedelta(days=1)
_LARGE = 1000
# What part of a text that is cut stands before the cut, tried in this order.
_AHEAD = (0.5, 0.25, 0.75, 0, 1)
_SPANS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_COLUMNS = {column.name: column for table in TABLES.values() for column in table.columns}
_Write = Callable[[Any], str]


class Laid(NamedTuple):
    """A table, and what to say of the columns that are not in it."""

    text: str
    notes: list[str]


def laid_out(frame: pd.DataFrame, width: int, tame: _Write, *, is_chosen: bool = False) -> Laid:
    """Lay a frame out in a width: the columns that matter most, and a note of the others.

    Numbers, dates and flags are never cut, which would make wrong ones of them.

    Parameters
    ----------
    frame
        A frame, with the name of its table in its attrs.
    width
        Of the terminal.
    tame
        What makes untrusted text harmless, on one line.
    is_chosen
        Whether somebody chose its columns: then all that they hold is shown where it fits.
    """
    table = frame.attrs.get("hubframe", {}).get("table")
    kept = frame if is_chosen else frame.dropna(axis="columns", how="all")
    cells = {
        str(name): [_SHORT.sub(r"\1", tame(cell)) for cell in cells_of(kept, str(name), table)]
        for name in kept
    }
    full = {name: max(map(wide, (name, *column))) for name, column in cells.items()}
    texts = {name for name in cells if kept[name].dtype == TEXT}
    least = {
        name: min(most, max(len(name), _LEAST_TEXT)) if name in texts else most
        for name, most in full.items()
    }
    same = {name for name in cells if not is_chosen and len(kept) > 1 and len({*cells[name]}) == 1}
    first = [*cells] if is_chosen else [name for name in FIRST.get(table, ()) if name in cells]
    first = [name for name in first if name not in same or not _ABOUT.fullmatch(name)]
    others = sorted((name for name in cells if name not in first), key=same.__contains__)
    taken = _fit(first, others, least, full, width)
    columns = {name: elided(cells[name], most) for name, most in taken.items()}
    numbers = {name for name in cells if kept[name].dtype in (COUNT, FLOAT)}
    left_out = [name for name in cells if name not in taken]
    notes = {
        "the same in all rows": [
            f"{name} {elided(cells[name][:1], _LEGIBLE)[0]}" for name in left_out if name in same
        ],
        "not shown": [name for name in left_out if name not in same],
        "no values": [str(name) for name in frame if name not in kept],
    }
    return Laid(
        aligned(columns, numbers, taken),
        [f"{words}: {', '.join(names)}" for words, names in notes.items() if names],
    )


def aligned(
    columns: dict[str, list[str]], numbers: Collection[str], widths: dict[str, int] | None = None
) -> str:
    """Write columns side by side below their names, numbers to the right."""
    lined = []
    for name, cells in columns.items():
        head = name if widths is None else elided([name], widths[name])[0]
        most = max(map(wide, (head, *cells)))
        blanks = [" " * (most - wide(cell)) for cell in (head, *cells)]
        pairs = zip(blanks, (head, *cells), strict=True)
        lined.append([b + cell if name in numbers else cell + b for b, cell in pairs])
    return "".join(GAP.join(line).rstrip() + "\n" for line in zip(*lined, strict=True))


def cells_of(frame: pd.DataFrame, name: str, table: str | None = None) -> list[str]:
    """Write a column as people read it: 131 MB, 2026-11-15, 1,204, 37 %, yes; empty for null."""
    values = frame[name]
    own = {column.name: column for column in TABLES[table].columns} if table in TABLES else {}
    write = _writer(own.get(name) or _COLUMNS.get(name), values)
    pairs = zip(values, values.isna(), strict=True)
    shown = ["" if is_missing else write(value) for value, is_missing in pairs]
    written = zip(shown, values, _units(frame, name), strict=True)
    shown = [
        _UNITS[unit](value) if text and unit in _UNITS else text for text, value, unit in written
    ]
    return [text.replace(BLANK, " ").replace(MINUS, "-") for text in shown]


def _units(frame: pd.DataFrame, name: str) -> Iterable[str | None]:
    """Tell what each row counts, in columns whose rows have units of their own."""
    if name in ("value", "paper_value") and "unit" in frame:
        return frame["unit"]
    if name in ("left", "right") and "aspect" in frame and "key" in frame:
        is_size = (frame["aspect"] == "size") & (frame["key"] == "size")
        return is_size.map({True: "bytes", False: ""})
    return [None] * len(frame)


def _writer(column: Column | None, values: pd.Series) -> _Write:
    """Return what writes the values of a column."""
    if values.dtype == UTC:
        away = (values - pd.Timestamp.now("UTC")).abs()
        # As in a listing of files: the time of day matters of what is near.
        form = "%Y-%m-%d %H:%M" if (away < _NEAR).any() else "%Y-%m-%d"
        return lambda moment: str(moment.strftime(form))
    if values.dtype == FLAG:
        return lambda flag: "yes" if flag else "no"
    if column and column.unit == "bytes":
        return more if column.may_be_negative else size
    if column and column.unit == "seconds":
        return _span
    if values.dtype not in (COUNT, FLOAT):
        return str
    name, written = str(values.name), _number if values.dtype == FLOAT else str
    return next((write for endings, write in _BY_NAME.items() if name.endswith(endings)), written)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.3g}"


def _span(seconds: int) -> str:
    """Write a time in its largest unit that divides it: 6 h."""
    unit, length = next((unit, length) for unit, length in _SPANS if seconds % length == 0)
    return f"{seconds // length} {unit}"


_BY_NAME: dict[tuple[str, ...], _Write] = {
    ("_count", "change", "allowed", "remaining"): "{:,}".format,
    ("share", "similarity", "efficiency"): percent,
}
_UNITS: dict[Any, _Write] = {"bytes": size, "share": percent}


def _fit(
    first: Sequence[str],
    others: Sequence[str],
    least: dict[str, int],
    full: dict[str, int],
    width: int,
) -> dict[str, int]:
    """Take columns while there is room, those that matter first, and widen those that are cut."""
    taken: dict[str, int] = {}

    def left() -> int:
        return width - sum(taken.values()) - len(GAP) * max(len(taken) - 1, 0)

    def take(names: Sequence[str], needed: dict[str, int]) -> None:
        for name in names:
            if not taken or needed[name] + len(GAP) <= left():
                taken[name] = min(needed[name], width)

    def widen(most: int) -> None:
        # The narrowest first: no long text takes the room of all others.
        room = left()
        while room > 0 and (cut := [one for one in taken if taken[one] < min(full[one], most)]):
            taken[min(cut, key=taken.__getitem__)] += 1
            room -= 1

    take(first or others, least)
    widen(_LEGIBLE)
    if len(taken) == len(first):
        take(others, {name: min(most, max(least[name], _LEGIBLE)) for name, most in full.items()})
    widen(width)
    return {name: taken[name] for name in full if name in taken}


def elided(cells: Sequence[str], width: int) -> list[str]:
    """Cut texts in their middle to a width; elsewhere, where that makes two of them the same."""
    long = sorted({cell for cell in cells if wide(cell) > width})
    if not long:
        return list(cells)
    kept = width - len(_ELLIPSIS)
    alike = next(
        (place for place, (a, b) in enumerate(zip(long[0], long[-1], strict=False)) if a != b), 0
    )
    ways: list[Callable[[str], str]] = [
        *(partial(_cut, kept=kept, ahead=round(kept * share)) for share in _AHEAD),
        lambda cell: _ELLIPSIS + _ahead(cell[alike:], kept - 1) + _ELLIPSIS,
    ]
    others = {cell for cell in cells if wide(cell) <= width}
    made: list[dict[str, str]] = []
    for way in ways:
        made.append({cell: way(cell) for cell in long})
        if len({*made[-1].values()} | others) == len(long) + len(others):
            break
    best = max(made, key=lambda way: len({*way.values()}))
    return [best.get(cell, cell) for cell in cells]


def _cut(cell: str, kept: int, ahead: int) -> str:
    head = _ahead(cell, ahead)
    tail = _ahead(cell[::-1], kept - wide(head))[::-1]
    while tail and not wide(tail[0]):
        # An accent without its letter.
        tail = tail[1:]
    return head + _ELLIPSIS + tail


def _ahead(cell: str, width: int) -> str:
    """Return as many of the first characters as fit."""
    taken = 0
    for place, letter in enumerate(cell):
        taken += wide(letter)
        if taken > width:
            return cell[:place]
    return cell


def wide(text: str) -> int:
    """Tell how many columns of a terminal text takes: two for Chinese characters, none for accents.

    Examples
    --------
    >>> wide("nginx"), wide("世界"), wide("e\N{COMBINING ACUTE ACCENT}")
    (5, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if category(letter) in ("Mn", "Me") else 1 + (east_asian_width(letter) in "WF")
        for letter in text
    )

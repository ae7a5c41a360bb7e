"""Tables of a page without a kernel: all their rows, and the script that shows them."""

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype

from hubframe.grid import HERE, SIZES
from hubframe.grid.cells import Cell
from hubframe.grid.columns import GridColumn, columns_of, shown_first
from hubframe.tables.files import guard
from hubframe.tables.schema import sound

# What would end the element that the data stand in, or begin a comment there.
_ESCAPED = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}


def script() -> str:
    """Return the script that shows the tables of a page; it goes behind them."""
    return "\n".join((HERE / name).read_text("utf-8") for name in ("grid.js", "rows.js"))


def style() -> str:
    """Return the style of tables, in the colours of the page that they are on."""
    return "\n".join((HERE / name).read_text("utf-8") for name in ("grid.css", "page.css"))


def policy(source: str = "") -> str:
    """Return a page's Content-Security-Policy: nothing is loaded, and only this script is run."""
    digest = b64encode(sha256(source.encode()).digest()).decode()
    rules = ["default-src 'none'", "img-src data:", "style-src 'unsafe-inline'"]
    rules += [f"script-src 'sha256-{digest}'"] if source else []
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def rows_as_json(label: str, frame: pd.DataFrame, columns: Sequence[str] = ()) -> str:
    """Return a frame as JSON to stand in a ``script`` element, whose end no text in it can be.

    Parameters
    ----------
    label
        What the table is called; CSV files are named for it.
    frame
        Any frame whose columns have different names.
    columns
        Those that are shown first; all where none are named.
    """
    if not frame.columns.is_unique:
        raise ValueError("two columns of the frame have the same name: rename one")
    made = columns_of(frame)
    table = {
        "label": label,
        "count": len(frame),
        "first": shown_first(made, columns),
        "sizes": SIZES,
        "columns": [_column(made[str(name)], series.dtype) for name, series in frame.items()],
    }
    written = json.dumps(table, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return written.translate(_ESCAPED)


def _column(column: GridColumn, dtype: Any) -> dict[str, Any]:
    header, *_ = guard(pd.DataFrame({column.name: []})).columns
    values = [sound(value) if isinstance(value, str) else value for value in column.distinct]
    guarded = guard(pd.DataFrame({"value": pd.Series(values, dtype=object)}))
    fields = [str(value) for value in guarded["value"]]
    shown = column.distinct_cells()
    kinds = [one.kind for one in shown]
    return {
        **column.heading,
        "header": header,
        "isFlag": is_bool_dtype(dtype),
        "codes": column.codes.tolist(),
        "values": [_value(*pair) for pair in zip(fields, shown, strict=True)],
        "kinds": kinds[0] if len(set(kinds)) == 1 else kinds,
    }


def _value(field: str, shown: Cell) -> str | list[str | None]:
    """Return a value as CSV has it and, where that is not all, its text, title and address.

    What is the same as in CSV is null.
    """
    parts: list[str | None] = [
        field,
        None if shown.text == field else shown.text,
        None if shown.title == field else shown.title,
        shown.href,
    ]
    while len(parts) > 1 and parts[-1] == "":
        parts.pop()
    return field if parts in ([field], [field, None]) else parts

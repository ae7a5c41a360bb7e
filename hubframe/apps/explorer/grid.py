"""A table to sort, to turn the pages of, and to choose rows in; the browser holds one page of it.

So a frame of ten thousand rows is answered as fast as one of ten. With all rows in the browser, as
tables for notebooks have them, each letter that was typed into a filter took more than a second.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from math import ceil
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import traitlets
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from hubframe.apps.show import cell
from hubframe.oci.tagnames import newest_first, read_all
from hubframe.plots import wording
from hubframe.tables import TABLES

PAGE = 15
_HERE = Path(__file__).parent
_MEANINGS = {column.name: column.meaning for table in TABLES.values() for column in table.columns}


class Grid(anywidget.AnyWidget):
    """A frame on screen, with a label for screen readers.

    Rows are chosen, one or `many`, by the columns of their `key`; without one, none can be.
    `chose` is called with the keys of those that are chosen now. `is_dark` is whether the page is.
    """

    _esm = _HERE / "grid.js"
    _css = _HERE / "grid.css"
    # All that is on screen, replaced at once, so that no half of it is ever shown.
    page = traitlets.Dict().tag(sync=True)

    is_dark = traitlets.Bool()

    def __init__(
        self,
        label: str,
        *,
        key: Sequence[str] = (),
        many: bool = False,
        chose: Callable[[list[Any]], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self._label, self._key, self._many, self._chose = label, list(key), many, chose
        self._frame = self._sorted = pd.DataFrame()
        self._columns: list[str] = []
        self._order: tuple[str, bool] | None = None
        self._at = 0
        self._nothing = ""
        self.chosen: list[tuple[Any, ...]] = []
        self.on_msg(self._heard)

    @property
    def frame(self) -> pd.DataFrame:
        """The frame, in the order on screen."""
        return self._sorted

    def show(
        self,
        frame: pd.DataFrame,
        columns: Sequence[str] = (),
        *,
        chosen: Sequence[tuple[Any, ...]] = (),
        nothing: str = "Nothing to show.",
    ) -> None:
        """Show a frame in the order on screen, or that `nothing` is there.

        All columns are shown where none are named; `chosen` are keys of rows.
        """
        self._frame = frame
        self._columns = list(columns) or [str(name) for name in frame.columns]
        self._nothing = nothing
        self.chosen = list(chosen)
        if self._order is not None and self._order[0] not in self._columns:
            self._order = None
        self._sort()

    def sort(self, name: str) -> None:
        """Sort by a column: upwards, then downwards, then as the frame came."""
        after = {None: (name, False), (name, False): (name, True), (name, True): None}
        self._order = after.get(self._order, (name, False))
        self._sort()

    def turn(self, page: int) -> None:
        """Turn to a page, from 0."""
        self._at = page
        self._draw()

    def choose(self, place: int, *, how: str = "only") -> None:
        """Choose a row by its place on the page, from 0.

        ``only`` it, ``toggle`` it, or all ``through`` to it from the one chosen before.
        """
        row = self._at * PAGE + place
        if not self._key or not 0 <= row < len(self._sorted):
            return
        keys = self._keys(self._sorted)
        key = keys[row]
        if not self._many or how == "only" or (how == "through" and not self.chosen):
            self.chosen = [key]
        elif how == "through":
            last = keys.index(self.chosen[-1]) if self.chosen[-1] in keys else row
            between = keys[min(last, row) : max(last, row) + 1]
            # The last one chosen is the one that was clicked.
            self.chosen = list(dict.fromkeys([*self.chosen, *between[:: 1 if row >= last else -1]]))
        elif key in self.chosen:
            self.chosen.remove(key)
        else:
            self.chosen.append(key)
        self._draw()
        self._chose(list(self.chosen))

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        """Do what was done in the browser; anything else is nobody's."""
        match message:
            case {"kind": "sort", "name": str(name)} if name in self._columns:
                self.sort(name)
            case {"kind": "turn", "page": int(page)}:
                self.turn(page)
            case {"kind": "choose", "place": int(place), "how": str(how)}:
                self.choose(place, how=how)
            case {"kind": "theme", "dark": bool(dark)}:
                self.is_dark = dark

    def _sort(self) -> None:
        self._at = 0
        self._sorted = self._frame
        if self._order is not None:
            name, is_falling = self._order
            self._sorted = self._frame.sort_values(
                name, ascending=not is_falling, kind="stable", na_position="last", key=_ordered
            )
        self._draw()

    def _keys(self, frame: pd.DataFrame) -> list[tuple[Any, ...]]:
        return list(frame[self._key].itertuples(index=False, name=None))

    def _draw(self) -> None:
        count = len(self._sorted)
        pages = max(1, ceil(count / PAGE))
        self._at = min(max(self._at, 0), pages - 1)
        start = self._at * PAGE
        shown = self._sorted.iloc[start : start + PAGE]
        rows = wording.counted(count, "row")
        if len(shown) < count:
            rows = f"{start + 1:,}\N{EN DASH}{start + len(shown):,} of {rows}"
        now = pd.Timestamp.now("UTC")
        columns = [[astuple(cell(name, one, now)) for one in shown[name]] for name in self._columns]
        self.page = {
            "label": self._label,
            "columns": [self._heading(name) for name in self._columns],
            "rows": [list(map(list, row)) for row in zip(*columns, strict=True)],
            "chosen": [key in self.chosen for key in self._keys(shown)] if self._key else None,
            "order": self._order,
            "many": self._many,
            "page": self._at,
            "pages": pages,
            "start": start,
            "place": rows if count else self._nothing,
        }

    def _heading(self, name: str) -> dict[str, Any]:
        column = self._frame[name]
        return {
            "name": name,
            "title": name.replace("_", " "),
            "about": _MEANINGS.get(name, ""),
            "isNumber": is_numeric_dtype(column) and not is_bool_dtype(column),
            "isKey": name in self._key,
        }


def _ordered(column: pd.Series) -> pd.Series:
    """Return what a column is sorted by: tags by version, the newest last."""
    if column.name not in ("tag", "version"):
        return column
    names = newest_first(read_all(column.dropna().unique()).values())
    return column.map({name.tag: -place for place, name in enumerate(names)})

"""A table to sort, to turn the pages of, and to choose rows in; the browser holds one page of it.

So a frame of ten thousand rows is answered as fast as one of ten.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import cached_property
from math import ceil
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets

from hubframe.grid import HERE, PAGE, SIZES
from hubframe.grid.columns import columns_of, shown_first


class _Rows:
    """A frame as it is on screen: its columns, and its rows filtered and in order."""

    def __init__(self, frame: pd.DataFrame, key: Sequence[str]) -> None:
        self.frame = frame
        self.columns = columns_of(frame, pd.Timestamp.now("UTC"))
        self.key = list(key)
        self.places = np.arange(len(frame))

    def find(self, text: str, shown: Sequence[str], order: tuple[str, bool] | None) -> None:
        """Keep the rows in whose columns, of those `shown`, each word of a text is; sort them."""
        found = np.ones(len(self.frame), dtype=bool)
        for word in text.casefold().split():
            found &= np.any([self.columns[name].holds(word) for name in shown], axis=0)
        places = np.arange(len(self.frame))
        if order is not None:
            places = self.columns[order[0]].order(is_falling=order[1])
        self.places = places[found[places]]
        vars(self).pop("keys", None)

    @cached_property
    def keys(self) -> list[tuple[Any, ...]]:
        """What names each row on screen."""
        named = self.frame[self.key].iloc[self.places]
        return list(named.itertuples(index=False, name=None))


def _name(key: tuple[Any, ...]) -> str:
    """Name a row in messages: its place may be another's before a message comes."""
    return json.dumps(key, default=str)


class Grid(anywidget.AnyWidget):
    """A frame on screen, with a label for screen readers.

    Rows are chosen, one or `many`, by the columns of their `key`; without one, none can be.
    `chose` is called with the keys of those that are chosen now. Where it `can_filter`, there is a
    field to look for words in the columns on screen. `is_dark` is whether the page is.
    """

    _esm = HERE / "grid.js"
    _css = HERE / "grid.css"
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
        can_filter: bool = False,
    ) -> None:
        super().__init__()
        self._label, self._key, self._many, self._chose = label, list(key), many, chose
        self._text = "" if can_filter else None
        self._size, self._at = PAGE, 0
        self._rows = _Rows(pd.DataFrame(), ())
        self._first: list[str] = []  # the columns that are shown unless a person says otherwise
        self._said: dict[str, bool] = {}  # and what a person said
        self._order: tuple[str, bool] | None = None
        self._nothing = ""
        self.chosen: list[tuple[Any, ...]] = []
        self.on_msg(self._heard)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows that are on the pages, in their order."""
        return self._rows.frame.iloc[self._rows.places]

    @property
    def columns(self) -> list[str]:
        """The columns on screen."""
        others = [name for name in self._rows.columns if name not in self._first]
        names = [name for name in self._first if self._said.get(name, True)]
        return [*names, *(name for name in others if self._said.get(name, False))] or self._first

    def show(
        self,
        frame: pd.DataFrame,
        columns: Sequence[str] = (),
        *,
        chosen: Sequence[tuple[Any, ...]] = (),
        nothing: str = "Nothing to show.",
        whole: pd.DataFrame | None = None,
    ) -> None:
        """Show a frame in the order on screen, or that `nothing` is there.

        All columns are shown where none are named, but those that say the same in all rows of the
        `whole` frame, of which this may be a part; a person may choose others. `chosen` are keys
        of rows.
        """
        self._rows = _Rows(frame, self._key)
        judged = self._rows.columns if whole is None else columns_of(whole)
        self._first = shown_first(judged, columns or list(self._rows.columns), self._key)
        self._nothing = nothing
        self.chosen = list(chosen)
        if self._order is not None and self._order[0] not in self._rows.columns:
            self._order = None
        self._find()

    def sort(self, name: str) -> None:
        """Sort by a column: upwards, then downwards, then as the frame came."""
        after = {None: (name, False), (name, False): (name, True), (name, True): None}
        self._order = after.get(self._order, (name, False))
        self._find()

    def filter(self, text: str) -> None:
        """Keep the rows with each word of a text in a column on screen."""
        self._text = text
        self._find()

    def turn(self, page: int) -> None:
        """Turn to a page, from 0."""
        self._at = page
        self._draw()

    def resize(self, size: int) -> None:
        """Show so many rows on a page; the first on screen stays there."""
        self._at = self._at * self._size // size
        self._size = size
        self._draw()

    def show_column(self, name: str, *, is_shown: bool) -> None:
        """Show a column, or leave it out; the last one stays."""
        if is_shown or self.columns != [name]:
            self._said[name] = is_shown
        self._find(self._at)

    def choose(self, name: str, *, how: str = "only") -> None:
        """Choose a row by its name, one of the page's ``names``.

        ``only`` it, ``toggle`` it, or all ``through`` to it from the one chosen before. A row that
        the browser still shows and that is here no more is not chosen, nor is another in its place.
        """
        keys = self._rows.keys if self._key else []
        row = next((at for at, key in enumerate(keys) if _name(key) == name), None)
        if row is None:
            return
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

    def choose_all(self, *, is_chosen: bool = True) -> None:
        """Choose all rows that the filter left, or none of them."""
        if not (self._key and self._many):
            return
        those = dict.fromkeys(self._rows.keys)
        kept = [key for key in self.chosen if key not in those]
        self.chosen = [*kept, *those] if is_chosen else kept
        self._draw()
        self._chose(list(self.chosen))

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        """Do what was done in the browser; anything else is nobody's."""
        match message:
            case {"kind": "sort", "name": str(name)} if name in self._rows.columns:
                self.sort(name)
            case {"kind": "turn", "page": int(page)}:
                self.turn(page)
            case {"kind": "size", "size": int(size)} if size in SIZES:
                self.resize(size)
            case {"kind": "filter", "text": str(text)} if self._text is not None:
                self.filter(text)
            case {"kind": "column", "name": str(name), "isShown": bool(is_shown)} if (
                name in self._rows.columns
            ):
                self.show_column(name, is_shown=is_shown)
            case {"kind": "choose", "name": str(name), "how": str(how)}:
                self.choose(name, how=how)
            case {"kind": "all", "isChosen": bool(is_chosen)}:
                self.choose_all(is_chosen=is_chosen)
            case {"kind": "theme", "dark": bool(dark)}:
                self.is_dark = dark

    def _find(self, at: int = 0) -> None:
        self._at = at
        self._rows.find(self._text or "", self.columns, self._order)
        self._draw()

    def _draw(self) -> None:
        rows, size, chosen = self._rows, self._size, set(self.chosen)
        count = len(rows.places)
        pages = max(1, ceil(count / size))
        self._at = min(max(self._at, 0), pages - 1)
        start = self._at * size
        keys = rows.keys[start : start + size] if self._key else []
        shown = rows.places[start : start + size]
        names = self.columns
        cells = [map(astuple, rows.columns[name].cells(shown)) for name in names]
        headings = {name: column.heading for name, column in rows.columns.items()}
        self.page = {
            "label": self._label,
            "columns": [{**headings[name], "isKey": name in self._key} for name in names],
            "choices": [{**one, "isShown": name in names} for name, one in headings.items()],
            "rows": [list(map(list, row)) for row in zip(*cells, strict=True)],
            "names": [_name(key) for key in keys],
            "chosen": [key in chosen for key in keys] if self._key else None,
            "chosenCount": len(chosen),
            "chosenHere": len(chosen.intersection(rows.keys)) if self._key else 0,
            "order": self._order,
            "many": self._many,
            "text": self._text,
            "page": self._at,
            "pages": pages,
            "size": size,
            "sizes": SIZES,
            "start": start,
            "count": count,
            "total": len(rows.frame),
            "nothing": self._nothing,
        }

"""The address of a page that shows an explorer alone: it says what is on screen, and Back works."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets


class Address(anywidget.AnyWidget):
    """The query of the page's address; `went` is called with one that a person went back to."""

    _esm = Path(__file__).parent / "address.js"
    query = traitlets.Unicode().tag(sync=True)

    def __init__(self, went: Callable[[str], None]) -> None:
        super().__init__()
        self._went = went
        self.on_msg(self._heard)

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        match message:
            case {"kind": "went", "query": str(query)}:
                self._went(query)

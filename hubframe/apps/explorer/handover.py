"""Buttons that hand something over to the browser: to its clipboard, or as a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

_HERE = Path(__file__).parent


class _Button(anywidget.AnyWidget):
    _esm = _HERE / "handover.js"
    _css = _HERE / "handover.css"
    label = traitlets.Unicode().tag(sync=True)
    # What it does, where its label alone does not say so.
    about = traitlets.Unicode().tag(sync=True)
    is_file = traitlets.Bool(default_value=False).tag(sync=True)


class CopyButton(_Button):
    """A button that copies a text."""

    text = traitlets.Unicode().tag(sync=True)


class SaveButton(_Button):
    """A button that has a file saved: `give` hands it over when it was pressed, or later."""

    def __init__(self, label: str, pressed: Callable[[], None], about: str = "") -> None:
        super().__init__(label=label, about=about, is_file=True)
        self._pressed = pressed
        self.on_msg(self._heard)

    def give(self, name: str, content: bytes) -> None:
        """Have the browser save a file."""
        self.send({"kind": "save", "name": name}, buffers=[content])

    def _heard(self, _: Any, message: Any, __: Any) -> None:
        if message == {"kind": "pressed"}:
            self._pressed()

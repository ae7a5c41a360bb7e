"""Run the code of the gallery, docs/plots.md, and draw its pictures: ``python docs/draw.py``.

Each block of Python is run after the one before it, on the bundled sample. Where a picture stands
below a block, what the block drew is saved under its name, light and dark.
"""

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

import hubframe

PAGE = Path(__file__).parent / "plots.md"
_BLOCK = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:\n<picture>.*?src=\"pictures/(?P<name>\w+)\.png\".*?</picture>)?",
    re.DOTALL,
)
_DPI = 100
# Flat colours and letters: a palette is enough, and a picture takes a third of the bytes.
_PALETTE = Image.Quantize.MAXCOVERAGE


def blocks() -> Iterator[tuple[str, str | None]]:
    """Each block of code on the page, with the name of the picture that it makes."""
    for block in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        yield block["code"], block["name"]


def draw(folder: Path, tones: tuple[bool, ...] = (False, True), dpi: int = _DPI) -> None:
    """Draw all pictures into a folder; tones are whether the background is dark."""
    mpl.use("agg")
    with hubframe.sample():
        for dark in tones:
            names: dict[str, Any] = {}
            for code, name in blocks():
                with hubframe.style(dark=dark):
                    exec(code, names)  # the page's own code
                    if name:
                        save(plt.gcf(), folder / f"{name}{'-dark' * dark}.png", dpi)
                plt.close("all")


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Save a figure as a small PNG."""
    image = BytesIO()
    figure.savefig(image, dpi=dpi)
    Image.open(image).convert("RGB").quantize(method=_PALETTE).save(path, optimize=True)


if __name__ == "__main__":
    draw(Path(*sys.argv[1:2]) if sys.argv[1:] else PAGE.parent / "pictures")

"""The code of the gallery runs, and makes the pictures that stand there."""

import importlib.util
import re
from pathlib import Path

import pytest
from PIL import Image

from hubframe import plots

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "plots.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawing():
    spec = importlib.util.spec_from_file_location("draw", DOCS / "draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_block_runs_and_draws_its_picture(drawing, tmp_path):
    drawing.draw(tmp_path, tones=(False,), dpi=30)
    shown = set(re.findall(r'src="pictures/(\w+\.png)"', TEXT))
    assert {path.name for path in tmp_path.iterdir()} == shown
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            assert len(image.getcolors()) > 2, path.name


# The pictures that are no plots, and stand on pages of their own.
PAGES = ("explorer.png", "sharing.png")


def test_every_picture_is_there_light_and_dark_and_small():
    linked = re.findall(r'"pictures/([\w-]+\.png)"', TEXT)
    assert len(linked) == len(set(linked))
    assert {path.name for path in (DOCS / "pictures").iterdir()} == {*linked, *PAGES}
    assert all((DOCS / "pictures" / name).stat().st_size < 60_000 for name in linked)


def test_every_plot_is_in_the_gallery(drawing):
    code = "".join(code for code, name in drawing.blocks() if name)
    assert {name for name in plots.__all__ if name.startswith("plot_")} == set(
        re.findall(r"plots\.(plot_\w+)", code)
    )

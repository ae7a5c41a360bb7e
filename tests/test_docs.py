"""The documentation's pages are made without a warning, from the code and by running notebooks."""

import subprocess
import sys
from pathlib import Path

import pytest

import hubframe
from hubframe.tables import TABLES

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    target = tmp_path_factory.mktemp("docs")
    command = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--fresh-env", "-q"]
    done = subprocess.run(
        [sys.executable, *command, "-d", str(target / "trees"), "docs", str(target / "html")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target / "html"


def test_each_frame_and_column_has_its_line(pages):
    text = (pages / "made/data.html").read_text(encoding="utf-8")
    for table in TABLES.values():
        assert table.source.endswith("."), table.name
        assert f'id="{table.name.replace("_", "-")}"' in text
        for column in table.columns:
            assert f">{column.name}</span>" in text


def test_each_function_and_error_has_a_page(pages):
    public = [name for name in hubframe.__all__ if callable(getattr(hubframe, name))]
    assert len(public) > 40
    missing = [n for n in public if not (pages / f"made/api/hubframe.{n}.html").exists()]
    # Callable, and a module.
    assert set(missing) <= {"sample"}


def test_notebooks_are_shown_with_what_they_print(pages):
    text = (pages / "made/notebooks/first-steps.html").read_text(encoding="utf-8")
    assert "cell_output" in text
    assert "<img" in text

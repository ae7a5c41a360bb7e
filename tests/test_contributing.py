"""The page for contributors: what it names is there, and its house is the package's."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import hubframe
from tests.test_structure import HOUSE, ONLY

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(hubframe.__file__).parent
PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))))
FOLDERS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
# Names that are whole, and those that leave out the package's.
MODULES = rf"(?:hubframe\.)?(?:{'|'.join(FOLDERS)})"
FUNCTIONS = [name for name in NAMED if re.fullmatch(rf"(?:hubframe|{MODULES})(?:\.\w+)+", name)]
PATHS = [name for name in NAMED if re.fullmatch(r"[\w.-]+(?:/[\w.*-]*)+", name)]
TABLE = re.findall(r"^\| `(\w+)/` \| .* \| (.*) \|$", PAGE, re.MULTILINE)


def found(name):
    """Return what a name such as `wire.blobs.Blobs.get` means."""
    parts = name.removeprefix("hubframe.").split(".")
    thing = hubframe
    for place, part in enumerate(parts):
        if not hasattr(thing, part):
            importlib.import_module(".".join(["hubframe", *parts[: place + 1]]))
        thing = getattr(thing, part)
    return thing


def test_much_is_named():
    assert len(FUNCTIONS) > 50
    assert len(PATHS) > 40


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_named_is_there(name):
    assert found(name) is not None
    assert "._" not in name, "what is private may be renamed by anybody"


@pytest.mark.parametrize("name", PATHS)
def test_the_files_that_are_named_are_there(name):
    at_root, in_package = (place / name for place in (ROOT, PACKAGE))
    assert at_root.exists() or in_package.exists()


def test_the_targets_of_make_that_are_named_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    assert set(re.findall(r"^(?:\$ |.*`)make ([\w-]+)", PAGE, re.MULTILINE)) <= targets


def test_the_drawing_is_of_the_package():
    drawing = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
    walls = re.findall(r"^[│├].*[│┤]", drawing, re.MULTILINE)
    assert sorted(re.findall("[a-z]+", " ".join(walls))) == sorted(FOLDERS)


def test_the_table_is_what_imports_are_held_to():
    assert [folder for folder, _ in TABLE] == [name for name in HOUSE[::-1] if name in FOLDERS]
    for folder, may in TABLE:
        named = set(re.findall(r"`(\w+)`", may))
        assert named == ONLY.get(folder, set()), folder
        assert bool(named) != may.startswith("what is below"), folder


def test_each_public_name_of_the_page_is_in_the_list():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    public = {name.asname for node in stub.body for name in node.names}
    said = {name.split(".")[1] for name in FUNCTIONS if name.startswith("hubframe.")}
    assert said <= public


def test_no_term_stands_twice():
    terms = re.findall(r"^\| ([^|`]+) \| ", PAGE.partition("## Words")[2], re.MULTILINE)
    words = [word for term in terms for word in term.split(", ")]
    assert len(words) > 30
    assert len(set(words)) == len(words)

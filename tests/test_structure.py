"""The shape of the package: which way imports point, what importing costs, what is public."""

import ast
import importlib
import inspect
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import hubframe

ROOT = Path(hubframe.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# The house: what lives in a folder may import what lives in those above it in this table.
HOUSE = ("version", "errors", "oci", "tables", "readers", "wire", "testing", "frames", "measure", "plots", "grid", "snapshots", "dask", "report", "apps", "__main__")  # fmt: skip
# Less than that: what only shapes and shows never fetches.
ONLY = {
    "testing": {"version", "errors"},
    "readers": {"version", "errors", "oci", "tables"},
    "measure": {"version", "oci", "tables", "readers"},
    "plots": {"version", "oci", "tables", "measure"},
    "grid": {"version", "errors", "oci", "tables", "measure", "plots"},
}
# Imports that point the other way, inside functions, each with its reason.
EXCEPTIONS = {
    ("wire/client.py", "testing"),  # a client of the bundled sample
    ("frames/compare.py", "measure"),  # what is compared is fetched
    ("frames/bases.py", "measure"),  # what images say of bases decides what is fetched
    ("frames/checked.py", "measure"),  # the moment that ages count to, read as everywhere
}
HTTP = {"requests", "requests_cache", "urllib3", "http", "httpx", "aiohttp", "socket"}


def home(path):
    """The folder or module of the package that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """Every module that a file imports, at any depth, also by `import_module` of a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            if node.module == "hubframe":
                yield from (f"hubframe.{name.name}" for name in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            (name, *_) = node.args
            if isinstance(name, ast.Constant):
                yield name.value


def targets(tree):
    """What of the package itself a file imports; public names count as the package."""
    for name in imported(tree):
        first, _, rest = name.partition(".")
        if first == "hubframe":
            module = rest.partition(".")[0]
            known = (ROOT / module).is_dir() or (ROOT / f"{module}.py").is_file()
            yield module if module and known else "hubframe"


# The package itself names everything, and loads it when it is used.
@pytest.mark.parametrize(
    "path",
    [path for path in FILES if home(path) != "__init__"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_imports_point_one_way(path):
    module = home(path)
    assert module in HOUSE, f"{module} has no place in the house"
    found = set(targets(parsed(path))) - {module}
    name = path.relative_to(ROOT).as_posix()
    excused = {target for file, target in EXCEPTIONS if file == name}
    allowed = ONLY.get(module, set(HOUSE[: HOUSE.index(module)]))
    # What people use stands on the public names.
    allowed |= {"hubframe"} if module in ("snapshots", "dask", "report", "apps") else set()
    assert found - excused <= allowed


def test_no_exception_is_out_of_date():
    for file, target in EXCEPTIONS:
        assert target in set(targets(parsed(ROOT / file))), f"{file} imports {target} no longer"


def test_the_listing_is_short():
    entries = {path.name.removesuffix(".py") for path in ROOT.iterdir() if path.suffix != ".pyi"}
    assert len(entries - {"__init__", "__main__", "__pycache__", "py.typed"}) <= 15


@pytest.mark.parametrize("folder", ["errors", "oci", "tables", "readers", "measure", "plots"])
def test_what_only_shapes_and_shows_has_no_http_library(folder):
    for path in FILES:
        if home(path) == folder:
            assert not {name.partition(".")[0] for name in imported(parsed(path))} & HTTP, path


def loaded(code):
    """Modules that are loaded after some code ran in a new interpreter."""
    script = f"import sys\n{code}\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy():
    found = loaded("import hubframe")
    assert "hubframe" in found
    assert not found & {
        "pandas",
        "numpy",
        "requests",
        "requests_cache",
        "matplotlib",
        "click",
        "tqdm",
    }


def test_help_loads_nothing_heavy():
    code = "from hubframe.apps.cli import main\nsys.argv = ['hubframe', '--help']\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass"
    found = loaded(code)
    assert "hubframe.apps.cli" in found
    assert not found & {"pandas", "numpy", "requests", "requests_cache", "matplotlib"}


def test_tables_load_no_http_library():
    assert not loaded("import hubframe.tables.files, hubframe.tables.shape") & {
        "requests",
        "urllib3",
    }


def test_what_registries_say_is_read_without_frames():
    assert not loaded("import hubframe.oci.manifests, hubframe.oci.tagnames") & {"pandas", "numpy"}


def test_the_public_names_are_sorted_and_there():
    assert hubframe.__all__ == sorted(set(hubframe.__all__))
    for name in hubframe.__all__:
        assert getattr(hubframe, name) is not None
    assert set(hubframe.__all__) <= set(dir(hubframe))
    with pytest.raises(AttributeError, match="attribute nothing"):
        hubframe.nothing  # noqa: B018


def test_type_checkers_see_the_public_names():
    stub = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    for node in stub.body:
        for name in node.names:
            assert name.name == name.asname
            value = getattr(hubframe, name.name)
            if node.module is None:
                assert value is importlib.import_module(f"hubframe.{name.name}")
            else:
                home_module = importlib.import_module(f"hubframe.{node.module}")
                assert value is getattr(home_module, name.name)


def public_functions():
    """Functions that users call: those of the package and of its public modules."""
    places = {
        "hubframe": hubframe,
        **{
            name: getattr(hubframe, name)
            for name in ("cache", "dask", "measure", "plots", "report")
        },
    }
    for place, module in places.items():
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "").startswith(module.__name__)
        ]
        for name in names:
            value = getattr(module, name)
            if inspect.isfunction(value) and not name.startswith("_"):
                yield pytest.param(value, id=f"{place}.{name}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_public_functions_say_what_they_take(function):
    written = inspect.getdoc(function)
    assert written, "no docstring"
    lines = written.splitlines()
    assert lines[0].endswith("."), "the first line is one sentence"
    taken = [
        name for name in inspect.signature(function).parameters if name not in ("args", "kwargs")
    ]
    if taken:
        assert "Parameters\n----------" in written
        section = written.partition("Parameters\n----------\n")[2]
        heads = {
            name.strip("* ")
            for line in section.splitlines()
            if line and not line.startswith(" ")
            for name in line.split(",")
        }
        assert set(taken) <= heads

"""The shape of the package: which way imports point, what importing costs, what is public."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import hubframe

ROOT = Path(hubframe.__file__).parent
FILES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}

# The design's table: what lives here may import what is named, and itself. The row `client, plan,
# frames` is these modules; `version` is a constant, and anyone may read it.
CORE = {"errors", "payload", "settings", "reference"}
CALLS = {
    "cache", "call", "client", "collector", "frames", "inspection", "layerfiles", "limits", "needs", "planning", "pool", "progress",
    "quota", "readers", "reading", "referrers", "selection", "sources", "unpacked", "watching"
}  # fmt: skip
BELOW_CALLS = CORE | {"oci", "tables", "wire", "sample"}
PUBLIC = {"hubframe", "cache", "client", "errors", "frames", "inspection", "limits", "measure", "plots", "report",
          "notebook", "oci", "planning", "reference", "selection", "settings", "tables", "watching"}  # fmt: skip
ALLOWED = {
    "version": set(),
    "errors": set(),
    "payload": set(),
    "reference": {"errors"},
    "place": {"errors"},
    "settings": {"errors", "reference"},
    "oci": set(),
    "tables": {"errors", "payload", "oci"},
    "wire": CORE,
    # `hubframe.sample` is a module that can be called, and then it makes a client: see below.
    "sample": {"errors"},
    **{module: BELOW_CALLS | (CALLS - {module}) for module in CALLS},
    "measure": {"oci", "tables"},
    "sampling": {"client", "frames", "sources", "tables"},
    "dask": {
        "call",
        "client",
        "errors",
        "frames",
        "measure",
        "place",
        "selection",
        "settings",
        "tables",
    },
    "compare": {"client", "frames", "measure", "reference", "selection"},
    "snapshots": {
        "cache",
        "call",
        "client",
        "errors",
        "frames",
        "place",
        "reference",
        "selection",
        "tables",
    },
    # The step above: what a picture shows is computed first.
    "plots": {"tables", "measure"},
    "notebook": {"errors", "tables", "measure", "plots"},
    "report": PUBLIC,
    "explorer": PUBLIC,
    "cli": PUBLIC | {"explorer"},
    "__main__": {"cli"},
}
# Imports inside functions that point the other way, each with its reason.
EXCEPTIONS = {
    ("sample/__init__.py", "client"),  # hubframe.sample() switches the default client.
}
CALL_ORDER = (
    "collector", "pool", "progress", "watching", "selection", "client", "call", "needs", "reading", "sources", "readers",
    "referrers", "limits", "quota", "planning", "frames", "inspection", "unpacked", "layerfiles",
    "cache"
)  # fmt: skip
HTTP = {"requests", "requests_cache", "urllib3", "http", "httpx", "aiohttp", "socket"}


def home(path):
    """The folder or module of the package that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


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
    assert module in ALLOWED, f"{module} has no row in the table of imports"
    found = set(targets(FILES[path])) - {module, "version"}
    name = path.relative_to(ROOT).as_posix()
    excused = {target for file, target in EXCEPTIONS if file == name}
    assert found - excused <= ALLOWED[module]


def test_no_exception_is_out_of_date():
    for file, target in EXCEPTIONS:
        assert target in set(targets(FILES[ROOT / file])), f"{file} imports {target} no longer"


def test_an_exception_is_an_import_inside_a_function():
    for file, target in EXCEPTIONS:
        top = [
            node
            for node in FILES[ROOT / file].body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert target not in {name for node in top for name in targets(ast.Module([node], []))}


def test_the_modules_of_the_calls_stand_in_one_order():
    for place, module in enumerate(CALL_ORDER):
        found = set(targets(FILES[ROOT / f"{module}.py"])) & CALLS
        assert found <= set(CALL_ORDER[:place]), module


@pytest.mark.parametrize(
    "folder", ["errors", "settings", "reference", "tables", "measure", "plots", "report"]
)
def test_what_only_shapes_and_shows_has_no_http_library(folder):
    for path, tree in FILES.items():
        if home(path) == folder:
            assert not {name.partition(".")[0] for name in imported(tree)} & HTTP, path


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
    code = "from hubframe.cli import main\nsys.argv = ['hubframe', '--help']\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass"
    found = loaded(code)
    assert "hubframe.cli" in found
    assert not found & {"pandas", "numpy", "requests", "requests_cache", "matplotlib"}


def test_new_answers_do_without_requests_cache():
    code = "import hubframe\nwith hubframe.sample():\n    hubframe.tags_df('library/alpine')"
    found = loaded(code)
    assert "requests" in found
    assert "requests_cache" not in found


def test_tables_load_no_http_library():
    assert not loaded("import hubframe.tables.files, hubframe.tables.shape") & {
        "requests",
        "urllib3",
    }


def test_the_public_names_are_sorted_and_there():
    assert hubframe.__all__ == sorted(set(hubframe.__all__))
    for name in hubframe.__all__:
        assert getattr(hubframe, name) is not None
    assert set(hubframe.__all__) <= set(dir(hubframe))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hubframe.nothing  # noqa: B018


def test_type_checkers_see_the_public_names():
    tree = FILES[ROOT / "__init__.py"]
    (checked,) = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    seen = {
        name.asname: f"{node.module}.{name.name}" for node in checked.body for name in node.names
    }
    assert sorted([*seen, "__version__"]) == hubframe.__all__
    for name, place in seen.items():
        module, _, attribute = place.rpartition(".")
        home_module = importlib.import_module(module)
        if module == "hubframe":
            assert getattr(hubframe, name) is importlib.import_module(place)
        else:
            assert getattr(hubframe, name) is getattr(home_module, attribute)


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
            if getattr(value, "__module__", "") == module.__name__
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

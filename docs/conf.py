"""How the documentation's pages are made: ``make docs``, where a warning is an error."""

import inspect
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from sphinx.application import Sphinx

import hubframe
from hubframe.tables import TABLES

HERE = Path(__file__).resolve().parent
# Pages that are made from the code, and never edited.
MADE = HERE / "made"
# As a page for GitHub has it, which Sphinx would neither copy nor switch with the theme.
_PICTURE = re.compile(
    r'<picture>\s*<source [^>]*srcset="(?P<dark>[^"]+)">\s*'
    r'<img src="(?P<light>[^"]+)" alt="(?P<alt>[^"]+)">\s*</picture>'
)

project = "hubframe"
author = "the hubframe developers"
copyright = "2026, the hubframe developers"  # noqa: A001 - Sphinx calls it so
version = release = hubframe.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
]
exclude_patterns = ["build"]
templates_path: list[str] = []
html_theme = "pydata_sphinx_theme"
html_title = "hubframe"
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_align": "left",
}
# The first page has no list at its side, and the frames' tables need the room.
html_sidebars = {"index": [], "made/data": []}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# The notebooks run on the bundled sample, each in a kernel of its own.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
numpydoc_show_class_members = False
autosummary_generate = True
autodoc_typehints = "none"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app: Sphinx) -> None:
    """Make the pages that come from the code before any is read."""
    app.connect("config-inited", lambda *_: make_pages())
    app.connect("source-read", show_pictures)


def show_pictures(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Make images of a page's ``<picture>``: one in the light, one in the dark."""
    source[0] = _PICTURE.sub(
        lambda found: "\n\n".join(
            f":::{{image}} {found[tone]}\n:alt: {found['alt']}\n:class: only-{tone}\n:::"
            for tone in ("light", "dark")
        ),
        source[0],
    )


def make_pages() -> None:
    """Write the pages of frames and of functions, and bring the notebooks in."""
    shutil.rmtree(MADE, ignore_errors=True)
    MADE.mkdir()
    (MADE / "data.md").write_text(data_page(), encoding="utf-8")
    (MADE / "api.rst").write_text(api_page(), encoding="utf-8")
    shutil.copytree(HERE.parent / "notebooks", MADE / "notebooks")


def data_page() -> str:
    """Return the page that tells each frame, its key and its columns."""
    head = (
        "# The frames\n\nEvery frame is a plain `pandas.DataFrame` with these columns, in this "
        "order and with these dtypes, also where it has no rows. Missing is null. Sizes are "
        "compressed bytes unless told otherwise; times are UTC. *Missing* says whether a column "
        "may be null, or holds empty text instead.\n"
    )
    return head + "".join(
        f"\n## {table.name}\n\nA row is {table.row}. Its key: "
        f"{', '.join(f'`{name}`' for name in table.key) or 'none'}. {table.source}\n\n"
        f"{table.markdown()}"
        for table in TABLES.values()
    )


def api_page() -> str:
    """Return the page that lists the public functions, classes and errors."""
    public = {name: getattr(hubframe, name) for name in hubframe.__all__}
    plots = {f"plots.{name}": getattr(hubframe.plots, name) for name in hubframe.plots.__all__}
    measures = {
        f"measure.{name}": measure
        for name, measure in sorted(vars(hubframe.measure).items())
        if inspect.isfunction(measure) and name not in public
    }
    clusters = {f"dask.{name}": getattr(hubframe.dask, name) for name in hubframe.dask.__all__}
    errors = _names(public, _is_error)
    classes = [n for n in _names(public, inspect.isclass) if n not in errors]
    functions = _names(public, inspect.isroutine)
    return "\n".join(
        [
            *("API reference", "=" * 13, "", ".. currentmodule:: hubframe", ""),
            *_section("Functions", functions),
            *_section("Further measures", _names(measures, inspect.isroutine), "measure"),
            *_section("Plots", _names(plots, inspect.isroutine), "plots"),
            *_section("Clusters", _names(clusters, inspect.isroutine)),
            *_section("Classes", classes),
            *_section("Errors and warnings", errors),
        ]
    )


def _is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Exception)


def _names(things: dict[str, object], is_meant: Callable[[object], bool]) -> list[str]:
    return [name for name, thing in things.items() if is_meant(thing)]


def _section(title: str, names: Iterable[str], module: str = "") -> list[str]:
    """List functions below a title, and below what their module says of all of them."""
    said = [f".. automodule:: hubframe.{module}", "   :no-members:", ""] if module else []
    listed = [f"   {name}" for name in names]
    heading = [title, "-" * len(title), "", *said, ".. currentmodule:: hubframe", ""]
    return [*heading, ".. autosummary::", "   :toctree: api", "", *listed, ""]

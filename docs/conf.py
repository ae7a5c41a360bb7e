"""How the documentation's pages are made: ``make docs``, where a warning is an error."""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

import hubframe

# The modules beside this file, which is not imported but run.
sys.path.insert(0, str(Path(__file__).parent))
import docstrings
import pages

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
    "sphinx_design",
]
exclude_patterns = ["build", "made/commands.md"]
templates_path = ["templates"]
html_theme = "pydata_sphinx_theme"
html_title = "hubframe"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_align": "left",
}
# The first page has no list at its side, and the frames' tables need the room.
html_sidebars = {"index": [], "made/data": []}
html_show_sourcelink = False
default_role = "py:obj"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# The notebooks run on the bundled sample, each in a kernel of its own.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
# No notebook shows a widget, and no page asks anybody else for a script.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
numpydoc_show_class_members = False
autosummary_generate = True
autodoc_typehints = "none"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app: Sphinx) -> None:
    """Make the pages that come from the code before any is read."""
    app.connect("config-inited", lambda *_: pages.make_pages())
    app.connect("source-read", show_pictures)
    docstrings.setup(app)


def show_pictures(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Make images of a page's ``<picture>``: one in the light, one in the dark."""
    source[0] = _PICTURE.sub(
        lambda found: "\n\n".join(
            f":::{{image}} {found[tone]}\n:alt: {found['alt']}\n:class: only-{tone}\n:::"
            for tone in ("light", "dark")
        ),
        source[0],
    )

"""What the pages of functions say beyond their docstrings: each its own keywords, types and columns."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pages
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

import hubframe
from hubframe.tables import TABLES, Table

_HEADING = "Parameters"
# Where the text of a keyword stands in the docstring of another function, and what else is said.
_SEE = re.compile(r"See `(?:hubframe\.)?([\w.]+)`[.,;]?\s*(.*)", re.DOTALL)
_TABLE = re.compile(r"[Tt]he table `(\w+)`")
_CODE = re.compile(r"(?P<package>hubframe\.)?(?P<name>[\w.]+)(?P<call>\(.*\))?", re.DOTALL)
# Code of more characters than that may be broken in a table. [characters]
_LONG = 30
# Where code is a link already, or stands where lists of contents take it from.
_NO_PLACE = nodes.reference | nodes.title | addnodes.pending_xref
_GENERIC = {Iterable: "iterable", Mapping: "mapping", Callable: "callable"}


def setup(app: Sphinx) -> None:
    """Change docstrings before numpydoc reads them and after, and make links of names."""
    app.connect("autodoc-process-docstring", _tell_parameters, priority=400)
    app.connect("autodoc-process-docstring", _show, priority=600)
    app.connect("doctree-read", _link_code)
    app.connect("missing-reference", _link_table)


def _tell_parameters(
    _app: Sphinx, _kind: str, _name: str, thing: Any, _options: Any, lines: list[str]
) -> None:
    if (inspect.isroutine(thing) or inspect.isclass(thing)) and inspect.getdoc(thing):
        lines[:] = _told(thing)


def _told(function: Any) -> list[str]:
    """Return the docstring of a function with all its parameters, each with its type and text."""
    lines = inspect.getdoc(function).splitlines()
    span = _section(lines)
    if span is None:
        return lines
    texts, notes = _parameters(function)
    types = {
        name: _type(parameter.annotation)
        for name, parameter in inspect.signature(function).parameters.items()
    }
    places = {name: place for place, name in enumerate(types)}
    told = []
    for name in sorted(texts, key=lambda name: places.get(name.strip("*"), len(places))):
        kind = types.get(name.strip("*"))
        told += [f"{name} : {kind}" if kind else name, *(f"    {line}" for line in texts[name]), ""]
    before = [line for note in notes for line in (note, "")]
    return [
        *lines[: span.start - 2],
        *before,
        *lines[span.start - 2 : span.start],
        *told,
        *lines[span.stop :],
    ]


def _section(lines: list[str]) -> slice | None:
    """Find what stands below the heading of the parameters."""
    if _HEADING not in lines:
        return None
    start = lines.index(_HEADING) + 2
    ends = (at - 1 for at in range(start, len(lines)) if re.fullmatch("-{3,}", lines[at]))
    return slice(start, next(ends, len(lines)))


def _parameters(function: Any) -> tuple[dict[str, list[str]], list[str]]:
    """Return the text of each parameter, and what is said of several that is of none alone."""
    lines = inspect.getdoc(function).splitlines()
    span = _section(lines)
    texts: dict[str, list[str]] = {}
    notes = []
    for names, text in _entries(lines[span] if span else []):
        seen = _SEE.match(" ".join(text))
        others = _texts_of(function, seen[1]) if seen else {}
        if not seen or not set(names) <= set(others):
            texts |= dict.fromkeys(names, text)
            continue
        texts |= {name: list(others[name]) for name in names}
        if more := seen[2][:1].upper() + seen[2][1:]:
            _add(texts, notes, names, more)
    return texts, notes


def _entries(lines: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    names, text = [], []
    for line in [*lines, "end"]:
        if line and not line.startswith(" "):
            if names:
                yield names, text
            names, text = [name.strip() for name in line.split(",")], []
        elif line:
            text.append(line.strip())


def _texts_of(function: Any, target: str) -> Mapping[str, list[str]]:
    """Return the texts of what a docstring points at: a function beside it, or a module."""
    thing = getattr(inspect.getmodule(function), target, None)
    if thing is None:
        thing = hubframe
        for part in target.split("."):
            thing = getattr(thing, part)
    if not isinstance(thing, ModuleType):
        return _parameters(thing)[0]
    # Of all pictures their module says what they draw on; the artist is each one's own.
    said = re.search(
        r"^- (`ax` .*?)(?=\n- |\n\n|\Z)", inspect.getdoc(thing) or "", re.DOTALL | re.MULTILINE
    )
    on = (
        " ".join(said[1].split()).partition(" Further keywords")[0]
        if said
        else "The Axes to draw on."
    )
    return {"ax": [on], "**artist": []}


def _add(texts: dict[str, list[str]], notes: list[str], names: list[str], more: str) -> None:
    """Say more of the parameter that it is about, or of the call if it is about none."""
    if names[-1].startswith("**"):
        texts[names[-1]].append(more)
        return
    about = [name for name in names if f"``{name}" in more]
    about = about or [name for name in names if re.search(rf"\b{name}s?\b", more)]
    if about:
        texts[about[0]].append(more)
    else:
        notes.append(more)


def _type(annotation: Any) -> str:
    """Return a type in words, as numpydoc has them."""
    kinds = list(dict.fromkeys(_kinds(annotation)))
    return " or ".join(filter(None, [", ".join(kinds[:-1]), *kinds[-1:]]))


def _kinds(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation)
    if annotation in (inspect.Parameter.empty, Any):
        return
    if origin is Literal:
        yield from (f'``"{value}"``' for value in get_args(annotation))
    elif origin in (Union, UnionType):
        for one in sorted(get_args(annotation), key=lambda one: one is NoneType):
            yield from _kinds(one)
    elif annotation is NoneType:
        yield "None"
    elif isinstance(annotation, str):  # of what is defined further below
        yield annotation.replace(" | ", " or ")
    else:
        kind = origin or annotation
        is_ours = kind.__module__.startswith("hubframe")
        yield _GENERIC.get(kind) or (f"`{kind.__name__}`" if is_ours else kind.__name__)


def _show(_app: Sphinx, _kind: str, name: str, thing: Any, _options: Any, lines: list[str]) -> None:
    """Add the picture of a plot below its first sentence, and the columns of a frame at the end."""
    if picture := pages.plotted().get(name.rpartition(".")[2]):
        first = next(at for at, line in enumerate(lines) if line)
        at = lines.index("", first)
        lines[at:at] = ["", *pages.pictured(*picture)]
    if inspect.isroutine(thing) and (said := _TABLE.search(inspect.getdoc(thing) or "")):
        examples = [at for at, line in enumerate(lines) if line == ".. rubric:: Examples"]
        at = examples[0] if examples else len(lines)
        lines[at:at] = _columns(TABLES[said[1]])


def _columns(table: Table) -> Iterator[str]:
    yield from ("", ".. rubric:: Columns", "")
    yield from (".. list-table::", "   :header-rows: 1", "   :class: columns", "")
    yield from ("   * - column", "     - dtype", "     - meaning")
    for column in table.columns:
        meaning = column.meaning.replace("`", "``").replace("*", r"\*")
        yield from (f"   * - ``{column.name}``", f"     - ``{column.dtype}``", f"     - {meaning}")
    yield ""


def _link_code(_app: Sphinx, tree: nodes.document) -> None:
    """Make links of the names of functions in the text of pages; mark what is long."""
    public = pages.public()
    taken = [
        code
        for place in tree.findall(lambda node: isinstance(node, _NO_PLACE))
        for code in place.findall(nodes.literal)
    ]
    for code in list(tree.findall(nodes.literal)):
        if len(code.astext()) > _LONG:
            code["classes"].append("long")
        said = _CODE.fullmatch(code.astext())
        if said and said["name"] in public and _is_name(said) and code not in taken:
            link = addnodes.pending_xref(
                "",
                refdomain="py",
                reftype="obj",
                reftarget=f"hubframe.{said['name']}",
                refwarn=False,
            )
            code.replace_self(link)
            link += code


def _is_name(said: re.Match[str]) -> bool:
    """Tell whether code means a function: a word alone may be a keyword, or another tool's."""
    return bool(
        said["package"] or said["call"] or not said["name"].islower() or "_" in said["name"]
    )


def _link_table(
    app: Sphinx, _env: Any, link: addnodes.pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """Lead from the name of a table to its columns."""
    name = link["reftarget"].removeprefix("hubframe.").removeprefix("tables.").lower()
    if name not in TABLES:
        return None
    page = app.builder.get_relative_uri(link["refdoc"], "made/data")
    made = nodes.reference("", "", internal=True, refuri=f"{page}#{name.replace('_', '-')}")
    made += content
    return made

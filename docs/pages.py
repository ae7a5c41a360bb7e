"""The pages that are made from the code: frames, functions, commands; and what lies outside docs/."""

import inspect
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

import hubframe
from hubframe.apps.cli import cli
from hubframe.tables import TABLES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MADE = HERE / "made"

# The jobs of the public names: what each is for, and the parts of the package that do it.
JOBS = {
    "fetch": (
        "Fetch",
        "Ask Docker Hub and registries, for a frame or for a document.",
        ("frames",),
    ),
    "read": ("Read your own files", "From files to frames: no network.", ("readers",)),
    "measure": ("Measure", "From frames to frames: nothing is fetched.", ("measure",)),
    "plot": ("Plot", "From a frame to a picture.", ("plots",)),
    "show": ("Show, explore, report", "For people who look and click.", ("apps", "report")),
    "keep": ("Keep and write", "CSV, workbooks, plain dtypes.", ("tables",)),
    "snapshot": ("Snapshot", "How things move over time.", ("snapshots", "tables.observed")),
    "client": (
        "Clients and the cache",
        "Logins, settings, the cache, the sample.",
        ("wire", "oci", "frames.cache"),
    ),
    "cluster": ("Clusters", "Frames of many repositories, with Dask.", ("dask",)),
    "errors": ("Errors and warnings", "What may go wrong, each with a name.", ("errors",)),
}
# Modules whose functions users call by the module's name.
_MODULES = ("measure", "plots", "report", "cache", "dask")
_PLOTTED = re.compile(
    r'plots\.(plot_\w+)\((?:(?!```python).)*?src="(pictures/\w+)\.png" alt="([^"]+)"', re.DOTALL
)


def make_pages() -> None:
    """Write all of them anew."""
    shutil.rmtree(MADE, ignore_errors=True)
    MADE.mkdir()
    (MADE / "data.md").write_text(data_page(), encoding="utf-8")
    (MADE / "commands.md").write_text("\n".join(commands(cli, "hubframe")), encoding="utf-8")
    listed = jobs()
    (MADE / "api.rst").write_text("\n".join(api_page()), encoding="utf-8")
    for job, names in listed.items():
        (MADE / f"{job}.rst").write_text("\n".join(job_page(job, names)), encoding="utf-8")
    shutil.copytree(ROOT / "notebooks", MADE / "notebooks")
    shutil.copy(ROOT / "benchmarks" / "RESULTS.md", MADE / "performance.md")
    shutil.copy(ROOT / "benchmarks" / "results.json", MADE)


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


def public() -> dict[str, Any]:
    """Return what users call, by the name that they write behind ``hubframe.``."""
    found = {name: getattr(hubframe, name) for name in hubframe.__all__}
    modules = {name: found[name] for name in _MODULES}
    for place, module in modules.items():
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "").startswith(module.__name__) and name[0] != "_"
        ]
        found |= {f"{place}.{name}": getattr(module, name) for name in sorted(names)}
    seen: dict[int, str] = {}
    return {
        name: thing
        for name, thing in found.items()
        if (inspect.isclass(thing) or inspect.isroutine(thing))
        and seen.setdefault(id(thing), name) == name
    }


def jobs() -> dict[str, list[str]]:
    """Return the public names by job."""
    listed: dict[str, list[str]] = {job: [] for job in JOBS}
    for name, thing in public().items():
        listed[_job_of(thing)].append(name)
    return listed


def _job_of(thing: Any) -> str:
    home = thing.__module__.removeprefix("hubframe.")
    fits = {
        place: job
        for job, (*_, places) in JOBS.items()
        for place in places
        if f"{home}.".startswith(f"{place}.")
    }
    if not fits:
        raise LookupError(f"hubframe.{home}: say in JOBS which job that is for")
    return fits[max(fits, key=len)]


def api_page() -> Iterator[str]:
    """Return the page that leads to the jobs."""
    yield from ("API reference", "=" * 13, "", "By job; every name is one of ``hubframe``.", "")
    yield from (".. grid:: 1 2 2 3", "   :gutter: 3", "")
    for job, (title, text, _) in JOBS.items():
        yield from (
            f"   .. grid-item-card:: {title}",
            f"      :link: {job}",
            "      :link-type: doc",
        )
        yield from ("", f"      {text}", "")
    yield from (".. toctree::", "   :hidden:", "", *(f"   {job}" for job in JOBS))


def job_page(job: str, names: Sequence[str]) -> Iterator[str]:
    """Return the page of a job: what it is, and all that is for it."""
    title, text, _ = JOBS[job]
    yield from (title, "=" * len(title), "", text, "", ".. currentmodule:: hubframe", "")
    if job == "plot":
        yield from _pictures(names)
    kinds = {"Functions": inspect.isroutine, "Classes": inspect.isclass}
    for heading, is_kind in kinds.items():
        some = [name for name in names if is_kind(public()[name])]
        if some and len(names) > len(some):
            yield from (heading, "-" * len(heading), "")
        if some:
            listed = (f"   {name}" for name in some)
            yield from (
                ".. autosummary::",
                "   :toctree: api",
                "   :nosignatures:",
                "",
                *listed,
                "",
            )


def _pictures(names: Sequence[str]) -> Iterator[str]:
    yield from (".. grid:: 1 2 2 3", "   :gutter: 2", "")
    shown = plotted()
    for name in names:
        if name.removeprefix("plots.") in shown:
            picture, about = shown[name.removeprefix("plots.")]
            yield from (f"   .. grid-item-card:: {name.removeprefix('plots.')}",)
            yield from (f"      :link: api/hubframe.{name}", "      :link-type: doc", "")
            yield from (f"      {line}" for line in pictured(picture, about))


def plotted() -> Mapping[str, tuple[str, str]]:
    """Return the picture of each plot, as the gallery shows it, and what it shows."""
    gallery = (HERE / "plots.md").read_text(encoding="utf-8")
    return {name: (picture, about) for name, picture, about in _PLOTTED.findall(gallery)}


def pictured(picture: str, about: str) -> Iterator[str]:
    """Show a picture in reStructuredText, in the light and in the dark."""
    for end, tone in (("", "light"), ("-dark", "dark")):
        yield from (
            f".. image:: /{picture}{end}.png",
            f"   :alt: {about}",
            f"   :class: only-{tone}",
            "",
        )


def commands(command: click.Command, name: str) -> Iterator[str]:
    """Write what each command takes, from the command line's own declarations."""
    context = click.Context(command, info_name=name, max_content_width=88)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from commands(command.commands[each], f"{name} {each}")
        return
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield from (f"## {name}", "", _inline(command.help or ""), "", "```text", usage, "```", "")
    records = [option.get_help_record(context) for option in command.get_params(context)]
    rows = [record for record in records if record]
    yield from ("| option | what it does |", "|---|---|")
    yield from (f"| `{_cell(option)}` | {_cell(text)} |" for option, text in rows)
    yield ""


def _inline(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split())


def _cell(text: str) -> str:
    return _inline(text).replace("|", r"\|")

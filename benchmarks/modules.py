"""Modules that measure for themselves, each a table of rows: all of one form.

Such a module has ``rows()``, which measures and returns a table, and, where something must be reached,
``targets(rows)``, which judges it. Its docstring begins with what is measured. ``QUICK`` is what a quick run gives to
`rows`; a module without it is left out there. What it takes and is not installed is an `ImportError`.
"""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from benchmarks.results import today

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Module:
    """A module of this package that measures for itself.

    Attributes
    ----------
    name
        Of the module, and for the command line.
    title
        Of its table.
    """

    name: str
    title: str

    def load(self) -> ModuleType:
        """Import it.

        Raises
        ------
        ImportError
            Something that it measures, or measures with, is not installed.
        """
        return import_module(f"benchmarks.{self.name}")

    def run(self, *, is_quick: bool = False) -> dict[str, Any] | None:
        """Measure, and return what is kept; None where it has nothing quick.

        Raises
        ------
        ImportError
            Something is not installed.
        """
        module = self.load()
        if is_quick and not hasattr(module, "QUICK"):
            return None
        found: Rows = module.rows(module.QUICK) if is_quick else module.rows()
        return {
            "title": self.title,
            "about": (module.__doc__ or "").partition("\n")[0],
            "date": today(),
            "targets": self.targets(found),
            "rows": found,
        }

    def targets(self, rows: Rows) -> Rows:
        """Judge a table: ``work``, ``must``, ``measured`` and ``reached`` of each target."""
        judge = getattr(self.load(), "targets", None)
        return [] if judge is None else list(judge(rows))


ALL = (
    Module("measure", "Measuring"),
    Module("explorer", "The explorer in a browser"),
    Module("snapshots", "A year of snapshots"),
    Module("cluster", "Workers of a cluster"),
    Module("layerfiles", "The files of a layer"),
    Module("packages", "Packages"),
    Module("references", "The images that files name"),
    Module("vulnerabilities", "Vulnerabilities"),
)
NAMES = frozenset(module.name for module in ALL)

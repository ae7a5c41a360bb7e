"""The report's page: frames and pictures put into a template that escapes all it is given."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hubframe import measure
from hubframe.plots.wording import legible, shorten
from hubframe.report import marks, prose
from hubframe.report.answers import Told
from hubframe.report.pictures import HEADINGS, Drawn, Pictures
from hubframe.version import __version__

MOST_ROWS = 15
_LONGEST_NAME = 64


@dataclass(frozen=True)
class About:
    """What the caller says of the report, when it is written, and the workbook beside it."""

    title: str
    note: str | None
    verbatim: bool
    written_at: datetime
    workbook: str | None


@dataclass(frozen=True)
class Picture:
    """A picture with its heading, what it shows, and what it covers; or the sentences alone."""

    name: str
    heading: str
    caption: Markup
    scope: Markup | None
    drawn: Drawn | None

    @property
    def alt(self) -> str:
        """What the picture shows, for those who do not see it."""
        return f"{self.heading}. {self.caption.striptags()}"

    @property
    def light(self) -> str:
        """The picture for a light page, as an address."""
        return _address(self.drawn.light if self.drawn else b"")

    @property
    def dark(self) -> str:
        """The picture for a dark page, as an address."""
        return _address(self.drawn.dark if self.drawn else b"")


def _address(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode("ascii")


@dataclass(frozen=True)
class Excerpt:
    """The first rows of a table, and how many more there are.

    Each row knows as ``Index`` its row in the CSV, or what it is called in a table that is none.
    """

    rows: list[Any]
    more: int
    scope: Markup | None

    @classmethod
    def of(cls, frame: pd.DataFrame, scope: Markup | None = None) -> Self:
        """Cut a frame; every missing value becomes None."""
        head = frame.head(MOST_ROWS).astype(object)
        rows = list(head.where(head.notna(), None).itertuples())
        return cls(rows, len(frame) - len(rows), scope)


def render(told: Told, pictures: Pictures, about: About) -> str:
    """Return the page as HTML."""
    template = _environment().get_template("report.html.jinja")
    sources = measure.provenance(told.frames)
    return template.render(
        about=about,
        version=__version__,
        headline=prose.headline(told),
        findings=prose.findings(told),
        figures=_figures(told),
        pictures=_pictures(told, pictures),
        again=prose.again(told),
        completeness=prose.completeness(told),
        lacking=measure.is_complete(sources) is False,
        skipped=prose.skipped(told),
        sources=Excerpt(
            list(told.sources.astype(object).where(told.sources.notna(), None).itertuples()),
            0,
            None,
        ),
        failures=Excerpt.of(measure.failures(told.frames)),
        files=[
            (name, told.rows(name), len(frame))
            for name, frame in {**told.frames, **told.answers}.items()
        ],
        **_tables(told),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals["unknown"] = marks.UNKNOWN
    environment.filters |= {
        "bytes": _cell(marks.size),
        "days": _cell(marks.days),
        "number": _cell(marks.count),
        "share": _cell(marks.share),
        "day": _cell(marks.moment),
        "minute": _cell(lambda column, value: marks.moment(column, value, "%Y-%m-%d %H:%M")),
        "date": lambda value: f"{value:%Y-%m-%d}",
        "legible": legible,
        "short": lambda text: shorten(text, _LONGEST_NAME),
        "short_digest": short_digest,
        "mark": marks.count,
    }
    return environment


def _cell(mark: Callable[[str, Any], Markup]) -> Callable[[Any, str], Markup | None]:
    """Mark a cell by its column; its row and its table say the rest."""

    def cell(row: Any, column: str) -> Markup | None:
        value = getattr(row, column)
        return None if value is None else mark(column, value)

    return cell


def _shown(value: Any) -> Any:
    """What the page prints for a value: strangers' text loses its control characters."""
    if value is None:
        return marks.UNKNOWN
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def short_digest(digest: str) -> str:
    """Return the first twelve digits of a digest, as docker shows them."""
    return digest.rpartition(":")[2][:12]


def _figures(told: Told) -> list[tuple[str, Markup]]:
    """The key figures: what it is, and how much."""
    totals = told.totals
    platforms = measure.platform_counts(told.frames["images"])
    sized = totals["layered_image_count"]
    figures = [
        ("repositories", marks.count("repo_count", totals["repo_count"])),
        ("tags", marks.count("tag_count", totals["tag_count"])),
        ("images", marks.count("image_count", totals["image_count"])),
        ("platforms", marks.count("platform_count", len(platforms))),
    ]
    if sized:
        figures += [
            ("distinct layers", marks.count("layer_count", totals["layer_count"])),
            (
                "compressed, image by image",
                marks.size("size_referenced", totals["size_referenced"]),
            ),
            ("each layer stored once", marks.size("size_stored", totals["size_stored"])),
            ("of the bytes in shared layers", marks.share("shared_share", totals["shared_share"])),
        ]
    if pd.notna(totals["newest_push_at"]):
        figures.append(("newest push", marks.moment("newest_push_at", totals["newest_push_at"])))
    elif told.tags["built_at"].notna().any():
        newest = told.tags["built_at"].max()
        figures.append(("newest build", marks.moment("newest_build_at", newest)))
    return figures


# What each picture and its sentence speak of.
_SAID: dict[str, tuple[Callable[[Told], Markup], str]] = {
    "pulls": (prose.pulls, "repos"),
    "tags": (prose.tags, "tags"),
    "layers": (prose.layers, "layers"),
    "layer_sizes": (prose.layer_sizes, "layers"),
    "size_trend": (prose.size_trend, "size_trend"),
    "parents": (prose.parents, "parents"),
    "shared_layers": (prose.shared_layers, "shared_layers"),
    "footprint": (prose.footprint, "footprint"),
    "latest_lag": (prose.latest_lag, "latest_lag"),
    "staleness": (prose.staleness, "staleness"),
    "labels": (prose.labels, "labels"),
    "platforms": (prose.platforms, "platform_coverage"),
    "cleanup": (prose.cleanup, "cleanup"),
}
# What a picture leaves out that its sentence counts.
_SHOWN = {
    "parents": "The picture shows one platform, linux/amd64 where there is one.",
    "shared_layers": "The picture shows some of the newest tags, each by one image.",
    "size_trend": "The picture shows this line.",
}


def _pictures(told: Told, drawn: Pictures) -> dict[str, Picture]:
    return {
        name: Picture(
            name,
            HEADINGS[name],
            Markup(" ").join(
                [say(told), *([_SHOWN[name]] if {name} <= _SHOWN.keys() & drawn.keys() else [])]
            ),
            prose.scope(told, table),
            drawn.get(name),
        )
        for name, (say, table) in _SAID.items()
    }


def _tables(told: Told) -> dict[str, Excerpt]:
    answers = told.answers
    layers, lag = answers["shared_layers"], answers["latest_lag"]
    trend, stated = answers["size_trend"], answers["coverage"]

    def excerpt(frame: pd.DataFrame, table: str) -> Excerpt:
        return Excerpt.of(frame, prose.scope(told, table))

    grown = trend[trend["change"].gt(0).fillna(value=False)]
    in_several = layers[(layers["image_count"] > 1) & ~layers["is_empty"]]
    return {
        "repos": excerpt(told.overview.set_index("repo", drop=False), "tags"),
        "tags": excerpt(_newest(told), "tags"),
        "images": excerpt(_largest(told), "images"),
        "layers": excerpt(_most(in_several, "saved_size"), "shared_layers"),
        "grown": excerpt(_most(grown, "change"), "size_trend"),
        "footprint": excerpt(answers["footprint"], "footprint"),
        "lag": excerpt(
            _most(lag[lag["is_highest"].eq(other=False).fillna(value=False)], "versions_behind"),
            "latest_lag",
        ),
        "outdated": excerpt(told.late, "outdated"),
        "repushed": excerpt(
            told.repushed.set_index(told.repushed["repo"] + ":" + told.repushed["tag"]), "tags"
        ),
        "labels": excerpt(told.keys.set_index("key", drop=False), "labels"),
        "invalid": excerpt(stated[stated["state"] == "invalid"], "coverage"),
        "cleanup": excerpt(told.goes, "cleanup"),
    }


def _newest(told: Told) -> pd.DataFrame:
    """The newest tags: of those of one image the name that most people pull, and no signatures."""
    proper = told.tags[~told.tags["is_digest_tag"].fillna(value=False)]
    order = ["dated_at", "rank"]
    newest = proper.sort_values(order, ascending=[False, True], kind="stable", na_position="last")
    image = newest["repo"] + "@" + newest["digest"].fillna(newest["tag"])
    foremost = newest.assign(image=image).sort_values("rank", kind="stable")
    foremost = foremost[~foremost["image"].duplicated()]
    foremost = foremost.sort_values(order, ascending=[False, True], kind="stable")
    return foremost.set_index(foremost["repo"] + ":" + foremost["tag"])


def _largest(told: Told) -> pd.DataFrame:
    largest = measure.largest(told.frames["images"], told.frames["layers"])
    return largest.set_index(measure.identity(largest))


def _most(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.sort_values(column, ascending=False, kind="stable", na_position="last")

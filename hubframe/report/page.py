"""The report's page: frames and pictures put into a template that escapes all it is given."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hubframe import measure
from hubframe.plots.wording import counted, legible, percent, shorten, size
from hubframe.report import prose
from hubframe.tables import TABLES
from hubframe.version import __version__

Frames = Mapping[str, pd.DataFrame]
MOST_ROWS = 15
_UNKNOWN = "–"  # noqa: RUF001
_LONGEST_NAME = 64


@dataclass(frozen=True)
class About:
    """What the caller says of the report, and when it is written."""

    title: str
    note: str | None
    verbatim: bool
    written_at: datetime


@dataclass(frozen=True)
class Picture:
    """A picture with its heading and what it shows."""

    name: str
    heading: str
    caption: str
    png: bytes

    @property
    def address(self) -> str:
        """The picture itself, as an address."""
        return "data:image/png;base64," + b64encode(self.png).decode("ascii")


@dataclass(frozen=True)
class Excerpt:
    """The first rows of a table, and how many more there are."""

    rows: list[Any]
    more: int

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Cut a frame; every missing value becomes None."""
        head = frame.head(MOST_ROWS).astype(object)
        rows = list(head.where(head.notna(), None).itertuples(index=False))
        return cls(rows, len(frame) - len(rows))


def render(
    frames: Frames,
    answers: Frames,
    pictures: Mapping[str, bytes],
    about: About,
) -> str:
    """Return the page as HTML."""
    template = _environment().get_template("report.html.jinja")
    return template.render(
        about=about,
        version=__version__,
        headline=prose.headline(frames),
        figures=_figures(frames),
        pictures=_pictures(frames, answers, pictures),
        completeness=prose.completeness(frames),
        lacking=measure.is_complete(measure.provenance(frames)) is False,
        skipped=prose.skipped(frames),
        sources=Excerpt.of(measure.provenance(frames)),
        failures=Excerpt.of(measure.failures(frames)),
        files=[
            (name, TABLES[name].row, len(frame)) for name, frame in {**frames, **answers}.items()
        ],
        **_tables(frames, answers),
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
    environment.globals["unknown"] = _UNKNOWN
    environment.filters |= {
        "bytes": lambda value: None if value is None else size(value),
        "days": lambda value: None if value is None else f"{value:,.0f}",
        "number": lambda value: None if value is None else f"{value:,}",
        "share": lambda value: None if value is None else percent(value),
        "day": lambda value: None if value is None else f"{value:%Y-%m-%d}",
        "minute": lambda value: None if value is None else f"{value:%Y-%m-%d %H:%M}",
        "legible": legible,
        "short": lambda text: shorten(text, _LONGEST_NAME),
        "short_digest": short_digest,
        "counted": counted,
    }
    return environment


def _shown(value: Any) -> Any:
    """What the page prints for a value: strangers' text loses its control characters."""
    if value is None:
        return _UNKNOWN
    return legible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def short_digest(digest: str) -> str:
    """Return the first twelve digits of a digest, as docker shows them."""
    return digest.rpartition(":")[2][:12]


def _figures(frames: Frames) -> list[tuple[str, str | None]]:
    """The key figures: what it is, and how much."""
    totals = measure.totals(frames).iloc[0]
    platforms = measure.platform_counts(frames["images"])
    share, newest = totals["shared_share"], totals["newest_push_at"]
    return [
        ("repositories", f"{totals['repo_count']:,}"),
        ("tags", f"{totals['tag_count']:,}"),
        ("images", f"{totals['image_count']:,}"),
        ("platforms", f"{len(platforms):,}"),
        ("distinct layers", f"{totals['layer_count']:,}"),
        ("compressed, image by image", size(totals["size_referenced"])),
        ("each layer stored once", size(totals["size_stored"])),
        ("of the bytes in shared layers", None if pd.isna(share) else percent(share)),
        ("newest push", None if pd.isna(newest) else f"{newest:%Y-%m-%d}"),
    ]


def _pictures(frames: Frames, answers: Frames, images: Mapping[str, bytes]) -> dict[str, Picture]:
    captions = {
        "pulls": ("Pulls", prose.pulls(frames)),
        "tags": ("Tags over time", prose.tags(frames)),
        "layers": ("Layers of the newest tags", prose.layers(frames)),
        "layer_sizes": ("How large layers are", prose.layer_sizes(answers)),
        "size_trend": ("Where releases grew", prose.size_trend(answers)),
        "parents": ("What images are built on", prose.parents(answers)),
        "shared_layers": ("Layers in several images", prose.shared_layers(answers)),
        "footprint": ("What each of them takes", prose.footprint(answers)),
        "latest_lag": ("How far latest lags", prose.latest_lag(answers)),
        "staleness": ("How old tags are", prose.staleness(answers)),
        "labels": ("Standard labels", prose.labels(frames)),
        "platforms": ("Platforms", prose.platforms(answers)),
        "cleanup": ("What a rule would free", prose.cleanup(answers)),
    }
    return {name: Picture(name, *said, images[name]) for name, said in captions.items()}


def _tables(frames: Frames, answers: Frames) -> dict[str, Excerpt]:
    tags, layers = frames["tags"], answers["shared_layers"]
    coverage = measure.label_coverage(frames["labels"], measure.described_images(frames))
    newest = tags.sort_values("pushed_at", ascending=False, kind="stable", na_position="last")
    lag, plan = answers["latest_lag"], answers["cleanup"]
    trend, stated = answers["size_trend"], answers["coverage"]
    goes = plan[plan["action"] == "delete"]
    return {
        "repos": Excerpt.of(measure.overview(frames)),
        "tags": Excerpt.of(newest),
        "images": Excerpt.of(measure.largest(frames["images"], frames["layers"])),
        "layers": Excerpt.of(layers[(layers["image_count"] > 1) & ~layers["is_empty"]]),
        "grown": Excerpt.of(_most(trend[trend["change"].gt(0).fillna(value=False)], "change")),
        "footprint": Excerpt.of(answers["footprint"]),
        "lag": Excerpt.of(lag[lag["is_highest"].eq(other=False).fillna(value=False)]),
        "outdated": Excerpt.of(_most(answers["outdated"], "lag_days")),
        "labels": Excerpt.of(measure.key_coverage(coverage)),
        "invalid": Excerpt.of(stated[stated["state"] == "invalid"]),
        "cleanup": Excerpt.of(_most(goes, "freed_size")),
    }


def _most(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.sort_values(column, ascending=False, kind="stable", na_position="last")

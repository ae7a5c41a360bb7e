"""The commands that tell how old what is in images is: end of life, and lag of packages."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import hubframe
from hubframe.apps.cli.groups import ANSWER, INSIDE, command, frame_command, with_failures
from hubframe.apps.cli.options import (
    FAILURES,
    OF_IMAGES,
    PARTIAL,
    PLATFORMS,
    REFERENCES,
    TAGS,
    did_you_mean,
    flag,
    given,
    many,
)

if TYPE_CHECKING:
    import pandas as pd

    from hubframe import Client

_WEB = "registry.example/shop/web"
_DATES = given(
    "--eol",
    "Dates of end of life, as endoflife.date has them. Default: hubframe's own table.",
    click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
)
_NEWER = "FILE is https://endoflife.date/api/v1/products/full, downloaded by you."


@command(
    "eol",
    "Tell which images are at their end of life.",
    REFERENCES,
    given(
        "--of",
        "What is held against the dates: names of tags; or what is in images, or their bases.",
        ("tags", "distributions", "packages", "bases"),
        "tags",
    ),
    flag("--over", "Only what is at its end."),
    flag("--annotations", "Look for lifecycle annotations of the images, too, which win."),
    _DATES,
    given("--today", "The day that counts. Default: this one.", metavar="DATE"),
    PLATFORMS,
    *TAGS[:-1],
    PARTIAL,
    *FAILURES,
    more="Of tags no image is asked for. Of images that your files name, hubframe references "
    f"--check tells it. {_NEWER}",
    example="hubframe eol library/debian --today 2026-09-01 --sample",
    job=ANSWER,
    table="eol",
)
def _eol(  # noqa: PLR0913
    client: "Client",
    what: list[str],
    *,
    of: str,
    over: bool,
    annotations: bool = False,
    eol: Path | None = None,
    today: str | None = None,
    partial: bool = False,
    **options: Any,
) -> "pd.DataFrame":
    if of == "tags" and "platform" in options:
        raise click.UsageError("--platform needs --of distributions, packages or bases")
    of_images = {**options, "partial": partial}
    asked = options if of == "tags" else of_images
    frame = getattr(hubframe, f"{of}_df")(what, **asked, client=client)
    lives = hubframe.lifecycles_df(what, **of_images, client=client) if annotations else None
    dates = None if eol is None else hubframe.read_eol(eol)
    found = hubframe.eol_df(frame, dates, lifecycles=lives, today=today)
    if over:
        found = found[found["is_eol"].fillna(value=False)].reset_index(drop=True)
    return with_failures("eol", found, frame, *([] if lives is None else [lives]))


frame_command(
    "lifecycles",
    "Tell until when images live, as is annotated.",
    *OF_IMAGES,
    more="Microsoft attaches such annotations to its images.",
    example="hubframe lifecycles registry.example/team/worker/jobs --sample",
    job=INSIDE,
)


@command(
    "cycles",
    "List until when products are supported.",
    click.argument("products", nargs=-1, metavar="[PRODUCT...]"),
    _DATES,
    more=f"All products unless some are named. {_NEWER}",
    example="hubframe cycles debian",
    job=ANSWER,
    table="cycles",
    session=(),
)
def _cycles(
    _client: "Client", *, products: tuple[str, ...], eol: Path | None = None
) -> "pd.DataFrame":
    dates = hubframe.read_eol(eol)
    known = set(dates["product"])
    for one in products:
        if one not in known:
            raise click.UsageError(f"there is no product {one!r}.{did_you_mean(one, known)}")
    chosen = dates[dates["product"].isin(products or known)].reset_index(drop=True)
    return with_failures("cycles", chosen)


@command(
    "package-lag",
    "Show how far the packages of images are behind.",
    REFERENCES,
    many("--newest-of newest_of", "REF", "Images whose packages are the newest ones."),
    flag("--behind", "Only packages that are behind."),
    PLATFORMS,
    *TAGS,
    PARTIAL,
    *FAILURES,
    more="Without --newest-of the images are held against one another. "
    "This downloads layers, once each, which costs no pull on Docker Hub.",
    example=f"hubframe package-lag {_WEB} --behind --sample",
    job=ANSWER,
    table="lag",
)
def _package_lag(
    client: "Client",
    what: list[str],
    *,
    behind: bool,
    newest_of: str | list[str] | None = None,
    **options: Any,
) -> "pd.DataFrame":
    packages = [hubframe.packages_df(what, **options, client=client)]
    if newest_of is not None:
        # Which tags are meant is told for the images that may be behind.
        chosen = {name: options[name] for name in options.keys() - {"tags", "newest"}}
        packages.append(hubframe.packages_df(newest_of, **chosen, client=client))
    found = hubframe.lag_df(*packages)
    if behind:
        found = found[found["is_behind"].fillna(value=False)].reset_index(drop=True)
    return with_failures("lag", found, *packages)

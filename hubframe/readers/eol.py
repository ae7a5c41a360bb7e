"""When products come to their end: hubframe's own table, or a file of endoflife.date.

The file is what https://endoflife.date/api/v1/products/full answers, as
https://endoflife.date/docs/api/v1 describes it. It is never fetched here: who wants newer dates
downloads it.
"""

import re
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from hubframe.errors import PayloadError, StaleWarning
from hubframe.oci import payload
from hubframe.tables.lifecycle import CYCLES

SITE = "https://endoflife.date"
FULL = f"{SITE}/api/v1/products/full"
# From this age on, so much may have been released that it is worth to say so.
OLD_AFTER = pd.Timedelta(days=180)
# The whole file has some megabytes.
_MOST_BYTES = 64 * 2**20
# Each cycle of a product has all its identifiers, so that a small file may make a large frame.
_MOST_TEXT = 256 * 2**20
_MOST_RELEASES = 1000
_TABLE = "cycles.toml"
# What is joined by blanks holds none.
_URL = re.compile(r"pkg:[^\s]+")
_NAME = re.compile(r"\S+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# What stands in place of a date that is not told.
_OPEN, _OVER = "open", "over"


def read_eol(path: str | Path | None = None) -> pd.DataFrame:
    """Read until when products are supported.

    Parameters
    ----------
    path
        A file that was downloaded from https://endoflife.date/api/v1/products/full, or that of one
        product; of the older API, whose files do not tell the product, named as it is there
        (``debian.json``). None for hubframe's own table of some 130 products, those that base
        images and common images are of, whose day is in ``dated_at``.

    Returns
    -------
    pandas.DataFrame
        The table `cycles`, a row for each product and cycle, in the order of the file. Own table:
        ``latest`` is null there but for Windows, since versions come by the week.

    Raises
    ------
    OSError
        The file cannot be read.
    PayloadError
        It is no such file, or too large for one.

    Notes
    -----
    The dates are those of https://endoflife.date, whose data are under the MIT licence.
    """
    if path is None:
        return _own().copy()
    with Path(path).open("rb") as file:
        body = file.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        raise PayloadError(f"{path}: it has more than {_MOST_BYTES} bytes. {_ASK}")
    return read_products(body, path)


_ASK = f"Download {FULL}, or one product of it"


def read_products(body: bytes, what: object) -> pd.DataFrame:
    """Read what the API answers: all products, or one; `what` names it in messages."""
    try:
        parsed = payload.parsed(body)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"{what}: it is not JSON ({error}). {_ASK}") from None
    document = payload.mapping(parsed)
    told = document.get("result")
    if cycles := [_of_v0(one) for one in payload.items(parsed) if payload.text(one.get("cycle"))]:
        told = {"name": Path(str(what)).stem, "releases": cycles}
    products = payload.items([told] if isinstance(told, dict) else told)
    listed = [(_of_product(one), payload.items(one.get("releases"))) for one in products]
    if not any(product["product"] and releases for product, releases in listed):
        raise PayloadError(f"{what}: it holds no products with releases. {_ASK}")
    if any(len(releases) > _MOST_RELEASES for _, releases in listed):
        raise PayloadError(f"{what}: a product has more than {_MOST_RELEASES} releases. {_ASK}")
    if sum(_length(product) * len(releases) for product, releases in listed) > _MOST_TEXT:
        raise PayloadError(f"{what}: its identifiers are too long. {_ASK}")
    rows = (
        {**_of_release(release), **product, "dated_at": document.get("generated_at")}
        for product, releases in listed
        for release in releases
        if product["product"] and payload.text(release.get("name"))
    )
    return CYCLES.from_records(rows).drop_duplicates([*CYCLES.key], ignore_index=True)


def _of_v0(cycle: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write a cycle of the API's version 0 as version 1 does: there a date or a flag is one key."""
    extended = cycle.get("extendedSupport")
    return {
        **cycle,
        "name": cycle["cycle"],
        "eoasFrom": cycle.get("support"),
        "isEol": cycle.get("eol"),
        "eolFrom": cycle.get("eol"),
        "isEoes": not extended if isinstance(extended, bool) else None,
        "eoesFrom": extended,
        "latest": {"name": cycle.get("latest"), "date": cycle.get("latestReleaseDate")},
    }


def _length(product: Mapping[str, Any]) -> int:
    return sum(len(one or "") for one in product.values())


def _of_product(product: Mapping[str, Any]) -> Mapping[str, Any]:
    told = (payload.text(one.get("id")) for one in payload.items(product.get("identifiers")))
    page = payload.text(payload.mapping(product.get("links")).get("html"))
    return {
        "product": payload.text(product.get("name")),
        "aliases": _joined(filter(_NAME.fullmatch, payload.texts(product.get("aliases")))),
        "identifiers": _joined(one for one in told if one and _URL.fullmatch(one)),
        "url": page if page and page.startswith("https://") else None,
    }


def _joined(words: Iterable[str]) -> str:
    return " ".join(sorted(set(words)))


def _of_release(release: Mapping[str, Any]) -> Mapping[str, Any]:
    latest = payload.mapping(release.get("latest"))
    is_over = release.get("isEoes")
    return {
        "cycle": release.get("name"),
        "codename": release.get("codename"),
        "released_at": release.get("releaseDate"),
        "support_ends_at": release.get("eoasFrom"),
        "eol_at": release.get("eolFrom"),
        "extended_until": release.get("eoesFrom"),
        "is_eol": release.get("isEol"),
        "is_extended": not is_over if isinstance(is_over, bool) else None,
        "latest": latest.get("name"),
        "latest_released_at": latest.get("date"),
    }


@cache
def _own() -> pd.DataFrame:
    """Read hubframe's own table."""
    told = tomllib.loads(files(__package__).joinpath(_TABLE).read_text(encoding="utf-8"))
    day = told.pop("date").isoformat()
    return CYCLES.from_records(_own_rows(told, day))


def _own_rows(products: Mapping[str, Any], day: str) -> Iterator[Mapping[str, Any]]:
    for product, one in products.items():
        aliases, identifiers = _joined(one.get("aliases", ())), _joined(one.get("identifiers", ()))
        for line in one["cycles"].splitlines():
            cycle, released, support, eol, extended, *rest = line.split(maxsplit=5)
            name = next(iter(rest), None)
            # Of Windows the build stands there.
            is_build = name is not None and name[0].isdigit()
            yield {
                "product": product,
                "cycle": cycle,
                "codename": None if is_build else name,
                "released_at": _date(released),
                "support_ends_at": _date(support),
                "eol_at": _date(eol),
                "extended_until": _date(extended),
                "is_eol": _is_over(eol, day),
                "is_extended": None if extended == "-" else not _is_over(extended, day),
                "latest": name if is_build else None,
                "aliases": aliases,
                "identifiers": identifiers,
                "url": f"{SITE}/{product}",
                "dated_at": day,
            }


def _date(written: str) -> str | None:
    return written if _DATE.fullmatch(written) else None


def _is_over(written: str, day: str) -> bool:
    return written == _OVER or (written != _OPEN and written < day)


def check_age(dates: pd.DataFrame, day: pd.Timestamp) -> None:
    """Warn of dates that are old on some day; what does not tell its own day is not judged."""
    dated_at = dates["dated_at"].min()
    # Null compares as false.
    if day - dated_at > OLD_AFTER:
        warnings.warn(
            f"the dates of end of life are of {dated_at:%Y-%m-%d}, {(day - dated_at).days} days "
            f"before {day:%Y-%m-%d}: download {FULL} and read it with hubframe.read_eol",
            StaleWarning,
            stacklevel=3,
        )

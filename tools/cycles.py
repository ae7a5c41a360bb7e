"""Hold hubframe's own table of end of life against a newer file: ``python -m tools.cycles FILE``.

FILE is https://endoflife.date/api/v1/products/full, downloaded. Each line that is printed is one of
``hubframe/readers/cycles.toml`` as it would be by the file, below its product. Who has looked at
them, and at the sources that the site names, writes them down there, and the day.
"""

import sys
from collections.abc import Iterator
from typing import Any

import pandas as pd

from hubframe.readers.eol import read_eol

_WIDTH = 12


def changes(own: pd.DataFrame, file: pd.DataFrame) -> Iterator[str]:
    """Yield what differs, of the products of the table: a line for each cycle, by product."""
    oldest = own.groupby("product")["released_at"].min()
    for product, cycles in file[file["product"].isin(oldest.index)].groupby("product", sort=False):
        # What was left out on purpose is older than all that is there.
        told = cycles[~(cycles["released_at"] < oldest[product])]
        written = [_line(row) for row in own[own["product"] == product].to_dict("records")]
        differ = [line for line in map(_line, told.to_dict("records")) if line not in written]
        gone = set(own.loc[own["product"] == product, "cycle"]) - set(cycles["cycle"])
        if differ or gone:
            yield f"[{product}]"
            yield from differ
            yield from (f"# no more: {cycle}" for cycle in sorted(gone))
    yield from (
        f"# no more: {product}" for product in oldest.index if product not in set(file["product"])
    )


def _line(row: dict[Any, Any]) -> str:
    """Write a cycle as the table has it, without its codename, which the site may not tell."""
    ends = (
        _date(row["released_at"], None),
        _date(row["support_ends_at"], None),
        _date(row["eol_at"], row["is_eol"]),
        _date(row["extended_until"], _not(row["is_extended"])),
    )
    return "".join(one.ljust(_WIDTH) for one in (row["cycle"], *ends)).rstrip()


def _not(flag: Any) -> Any:
    return None if pd.isna(flag) else not flag


def _date(at: pd.Timestamp, is_over: Any) -> str:
    if not pd.isna(at):
        return f"{at:%Y-%m-%d}"
    return "-" if pd.isna(is_over) else "over" if is_over else "open"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in changes(read_eol(), read_eol(sys.argv[1])))

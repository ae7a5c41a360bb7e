"""Print the lowest versions that hubframe says it works with, as constraints for pip."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A name, what of it, and from which version on.
_LEAST = re.compile(r"([\w.-]+)(?:\[[\w,]*\])?>=([0-9.]+)")


def floors(extras: list[str]) -> list[str]:
    """Return the lowest version of each package that the core and some extras need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    needed = [*project["dependencies"], *(one for name in extras for one in optional[name])]
    found = [_LEAST.fullmatch(one) for one in needed]
    return sorted({f"{one[1]}=={one[2]}" for one in found if one})


if __name__ == "__main__":
    sys.stdout.write("\n".join(floors(sys.argv[1:])) + "\n")

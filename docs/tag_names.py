"""Write the table of docs/tag-names.md anew: ``python docs/tag_names.py tags.json``.

The file holds the tags of repositories and what they point at: ``{"alpine": {"3.24": 1, ...}}``,
where equal numbers are one image.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hubframe import latest_lag_df, sort_versions
from hubframe.tables import TAGS

PAGE = Path(__file__).with_name("tag-names.md")
START, END = "<!-- made by docs/tag_names.py -->\n", "<!-- end of what is made -->"
SHOWN = 10


def frame_of(listed: Mapping[str, Mapping[str, int]]) -> pd.DataFrame:
    """Return the tags as a frame without dates, as registries without a Hub tell them."""
    return TAGS.from_records(
        {"repo": repo, "tag": tag, "digest": f"sha256:{number:064x}"}
        for repo, tags in listed.items()
        for tag, number in tags.items()
    )


def table_of(listed: Mapping[str, Mapping[str, int]]) -> str:
    """Write a row for each repository: the newest tags, the highest release, and latest."""
    tags = sort_versions(frame_of(listed))
    lags = latest_lag_df(tags).set_index("repo")
    lines = ["| repository | newest first | highest release | `latest` is |", "|---|---|---|---|"]
    for repo, group in tags.groupby("repo"):
        lag = lags.loc[repo]
        newest = ", ".join(f"`{tag}`" for tag in group["tag"].head(SHOWN))
        highest = "none" if pd.isna(lag.highest_tag) else f"`{lag.highest_tag}`"
        lines.append(f"| {repo} | {newest} | {highest} | {_latest(lag)} |")
    return "\n".join(lines) + "\n"


def _latest(lag: pd.Series) -> str:
    if pd.isna(lag.latest_digest):
        return "not there"
    if pd.isna(lag.is_highest):
        return "not known by name"
    if lag.is_highest:
        return "the highest"
    version = lag.latest_version if pd.notna(lag.latest_version) else "something else"
    return f"{version}: not the highest"


def page_with(table: str) -> str:
    """Return the page with another table in it."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table}\n{END}{after}"


if __name__ == "__main__":
    tags_json = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PAGE.write_text(page_with(table_of(tags_json)), encoding="utf-8")

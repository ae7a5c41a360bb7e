"""The frames in other people's libraries: what docs/arrow.md and docs/charts.md promise."""

import re
from pathlib import Path

import duckdb
import matplotlib as mpl
import matplotlib.pyplot as plt
import polars as pl
import pyarrow as pa
import pytest

import hubframe

PAGE = Path(__file__).parent.parent / "docs" / "charts.md"
FRAMES = {
    "repos": lambda: hubframe.repos_df("library"),
    "tags": lambda: hubframe.tags_df("ansible/ansible"),
    "no tags": lambda: hubframe.tags_df("ansible/ansible").iloc[:0],
    "images": lambda: hubframe.images_df("library/debian", newest=3),
    "layers": lambda: hubframe.layers_df("library/debian", newest=3),
    "configs": lambda: hubframe.configs_df("acme/api", newest=3),
    "shared layers": lambda: hubframe.shared_layers_df(hubframe.layers_df("library/debian")),
}


@pytest.fixture(params=FRAMES, ids=str)
def frame(sample, request):  # noqa: ARG001 - the sample answers
    return FRAMES[request.param]()


def test_arrow_gives_a_frame_back(frame):
    again = pa.table(frame).to_pandas()
    assert again.columns.equals(frame.columns)
    assert again.equals(frame)
    assert again.attrs == frame.attrs


def test_polars_and_duckdb_know_each_value_and_each_null(frame):
    read = pl.DataFrame(frame)
    asked = duckdb.sql("from frame").fetchall()
    expected = frame.astype(object).where(frame.notna(), None)
    assert read.columns == [*frame.columns]
    assert read.rows() == [*expected.itertuples(index=False, name=None)]
    # DuckDB gives moments in the zone of whoever asks: they are equal all the same.
    assert asked == read.rows()


def test_the_code_of_the_page_for_charts_runs(sample):  # noqa: ARG001
    mpl.use("agg")
    page = PAGE.read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code.replace("hubframe.sample()", ""), names)
        plt.close("all")
    assert names["plain"].dtypes["size"] == "float64"

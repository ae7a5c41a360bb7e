"""What measuring a million layers costs, beside polars and DuckDB doing the same in the same run.

Times are in seconds. `rows` returns the table, and `targets` what of it must be reached.
"""

import ctypes
import gc
import multiprocessing
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import hubframe
from benchmarks.results import verdict
from hubframe.tables import LAYERS

SIZES = (100_000, 1_000_000)
REPEATS = 3
# By the time of the faster of the others; by the frame's memory; for rows that are ten times as many.
_MOST_RATIO, _MOST_MEMORY, _MOST_GROWTH = 2.0, 3.0, 11.0
_PER_IMAGE = 10
_TAGS = 50
# So many rows of applications have one base more.
_PER_BASE = 5000
# Layers of the two bases, one on the other, that each release of a base has.
_THIN, _THICK = 3, 4
_START = np.datetime64("2020-01-01T00:00:00", "us")
_HOUR = np.timedelta64(3600 * 10**6, "us")


def layers(rows: int, seed: int = 1) -> pd.DataFrame:
    """Make a layers frame: repositories of fifty tags on shared bases, one tag in ten an alias.

    Each image of theirs has ten layers: three or four of a base, which is its parent, two that some
    tags of its repository share, the empty layer in every third image, the rest its own. About a
    third of the rows name a layer that other images hold too.
    """
    chance = np.random.default_rng(seed)
    bases = max(rows // _PER_BASE, 1)
    base_names = [
        (f"library/base-{base}", f"{release}{'-thin' * (depth == _THIN)}", depth)
        for base in range(bases)
        for release in range(2)
        for depth in (_THIN, _THICK)
    ]
    names = (rows - sum(depth for *_, depth in base_names)) // _PER_IMAGE
    repo = np.arange(names) // _TAGS
    age = np.arange(names) % _TAGS
    image = np.arange(names) - (age % 10 == 1)
    layer = _layers_of(image, repo, age, chance.integers(bases, size=repo[-1] + 1), bases)
    stacks = [
        np.arange(depth) + 1 + 4 * (number // 2) for number, (*_, depth) in enumerate(base_names)
    ]
    flat = np.concatenate([layer.ravel(), *stacks])
    digests = _digests(chance, int(flat.max()) + 1)
    sizes = (10 ** chance.uniform(2, 8, len(digests))).astype("int64")
    sizes[0] = 32
    counts = np.array([_PER_IMAGE] * names + [depth for *_, depth in base_names])
    each = np.repeat(np.arange(len(counts)), counts)
    repos = [f"team-{n % 97}/service-{n}" for n in repo] + [name for name, *_ in base_names]
    tags = [f"{n // 10}.{n % 10}.0" for n in age] + [tag for _, tag, _ in base_names]
    image = np.concatenate([image, names + np.arange(len(base_names))])
    steps = np.array([f"RUN make install-{number} && rm -rf /tmp/build" for number in range(5000)])
    return LAYERS.of(
        {
            "repo": pd.Series(repos).take(each).array,
            "tag": pd.Series(tags).take(each).array,
            "platform": pd.Series(["linux/amd64"]).take(each * 0).array,
            "image_digest": _digests(chance, len(counts)).take(image[each]).array,
            "position": np.concatenate([np.arange(count) for count in counts]),
            "layer_digest": digests.take(flat).array,
            "diff_id": None,
            "size": sizes[flat],
            "media_type": None,
            "instruction": pd.Series(steps).take(flat % len(steps)).array,
            "created_at": pd.Series(_START + (flat % 40_000) * _HOUR).dt.tz_localize("UTC"),
            "is_empty": flat == 0,
        }
    )


def _layers_of(
    image: np.ndarray, repo: np.ndarray, age: np.ndarray, base_of: np.ndarray, bases: int
) -> np.ndarray:
    """Number the layers of each name; an alias has those of its image."""
    count = len(image)
    base = base_of[repo] * 8 + 1
    shared = bases * 8 + 1 + (repo * _TAGS + age // 5) * 2
    own = shared.max() + 2 + np.arange(count * 5).reshape(count, 5)
    deep = np.arange(4) + base[:, None] + 4 * (repo % 2)[:, None]
    layer = np.column_stack([deep[:, :3], deep[:, 3], shared, shared + 1, own[:, :4]])
    layer[repo % 3 == 0, 3] = own[repo % 3 == 0, 4]
    layer[age % 3 == 0, 9] = 0
    return layer[image]


def _digests(chance: np.random.Generator, count: int) -> pd.Series:
    text = chance.bytes(32 * count).hex()
    return pd.Series([f"sha256:{text[64 * n : 64 * n + 64]}" for n in range(count)], dtype="str")


def _polars_shared_layers(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.group_by("layer_digest")
        .agg(
            pl.col("size").max(),
            pl.col("image_digest").n_unique().alias("image_count"),
            pl.struct("repo", "tag").n_unique().alias("tag_count"),
            pl.col("repo").n_unique().alias("repo_count"),
            pl.col("repo", "tag")
            .sort_by("created_at", "repo", "tag")
            .first()
            .name.prefix("first_"),
            pl.col("instruction").drop_nulls().first(),
            pl.col("is_empty").any(),
        )
        .with_columns(saved_size=pl.col("size") * (pl.col("image_count") - 1))
        .sort("image_count", "size", descending=True)
    )


_DUCKDB_SHARED_LAYERS = """
    SELECT layer_digest, max(size) AS size, count(DISTINCT image_digest) AS image_count,
        count(DISTINCT (repo, tag)) AS tag_count, count(DISTINCT repo) AS repo_count,
        max(size) * (count(DISTINCT image_digest) - 1) AS saved_size,
        arg_min((repo, tag), (created_at, repo, tag)) AS first_seen,
        any_value(instruction) AS instruction, bool_or(is_empty) AS is_empty
    FROM layers GROUP BY layer_digest ORDER BY image_count DESC, size DESC
"""


def _polars_footprint(frame: pl.DataFrame) -> pl.DataFrame:
    tag = pl.struct("repo", "tag")
    holders = frame.group_by("layer_digest").agg(
        pl.col("image_digest").n_unique().alias("images"), tag.n_unique().alias("tags")
    )
    held = frame.group_by("repo", "tag", "layer_digest").agg(
        pl.col("size").max(), pl.col("image_digest").n_unique().alias("inside")
    )
    size, inside = pl.col("size"), pl.col("inside")
    return (
        held.join(holders, on="layer_digest")
        .group_by("repo", "tag")
        .agg(
            size.sum().alias("total_size"),
            size.filter(inside == pl.col("images")).sum().alias("exclusive_size"),
            size.filter(pl.col("tags") == 1).sum().alias("freed_size"),
            pl.len().alias("layer_count"),
        )
        .with_columns(shared_size=pl.col("total_size") - pl.col("exclusive_size"))
        .sort("freed_size", "total_size", "repo", "tag", descending=[True, True, False, False])
    )


_DUCKDB_FOOTPRINT = """
    WITH holders AS (
        SELECT layer_digest, count(DISTINCT image_digest) AS images,
            count(DISTINCT (repo, tag)) AS tags FROM layers GROUP BY ALL
    ), held AS (
        SELECT repo, tag, layer_digest, max(size) AS size, count(DISTINCT image_digest) AS inside
        FROM layers GROUP BY ALL
    )
    SELECT repo, tag, sum(size) AS total_size, count(*) AS layer_count,
        coalesce(sum(size) FILTER (inside = images), 0) AS exclusive_size,
        coalesce(sum(size) FILTER (inside < images), 0) AS shared_size,
        coalesce(sum(size) FILTER (tags = 1), 0) AS freed_size
    FROM held JOIN holders USING (layer_digest)
    GROUP BY ALL ORDER BY freed_size DESC, total_size DESC, repo, tag
"""


def _polars_parents(frame: pl.DataFrame) -> pl.DataFrame:
    """Key each prefix of an image by a running sum of hashes, and look it up among whole images."""
    name = ["repo", "tag", "image_digest"]
    step = pl.struct("layer_digest", "position").hash()
    built = frame.group_by(*name, "platform").agg(pl.col("created_at").max().alias("built_at"))
    prefixes = (
        frame.select(*name, "platform", "position", "size", step.alias("key"))
        .sort(*name, "position")
        .with_columns(pl.col("key", "size").cum_sum().over(name))
        .join(built, on=[*name, "platform"])
        .with_columns(is_whole=pl.col("position") == pl.col("position").max().over(name))
    )
    whole = prefixes.filter("is_whole")
    parents = (
        whole.with_columns(is_other=~pl.col("repo").str.starts_with("library/"))
        .sort("is_other", "built_at", "repo", "tag")
        .group_by("platform", "key", maintain_order=True)
        .agg(pl.col("repo", "tag", "size").first().name.prefix("parent_"))
    )
    found = (
        prefixes.filter(~pl.col("is_whole"))
        .join(parents, on=["platform", "key"])
        .sort("position", descending=True)
        .unique(name, keep="first")
        .select(*name, "parent_repo", "parent_tag", "parent_size")
    )
    return whole.join(found, on=name, how="left").sort("repo", "tag")


_DUCKDB_PARENTS = """
    WITH prefixes AS (
        SELECT repo, tag, image_digest, platform, position,
            sum(hash(layer_digest, position)::HUGEINT) OVER steps AS key,
            sum(size) OVER steps AS total,
            max(created_at) OVER names AS built_at, max(position) OVER names AS top
        FROM layers
        WINDOW names AS (PARTITION BY repo, tag, image_digest),
            steps AS (PARTITION BY repo, tag, image_digest ORDER BY position)
    ), parents AS (
        SELECT platform, key,
            arg_min((repo, tag, total), (repo NOT LIKE 'library/%', built_at, repo, tag)) AS parent
        FROM prefixes WHERE position = top GROUP BY ALL
    ), found AS (
        SELECT repo, tag, image_digest, arg_max(parent, position) AS parent
        FROM prefixes JOIN parents USING (platform, key) WHERE position < top GROUP BY ALL
    )
    SELECT whole.repo, whole.tag, whole.image_digest, total AS size,
        parent[1] AS parent_repo, parent[2] AS parent_tag, parent[3] AS parent_size
    FROM prefixes AS whole LEFT JOIN found USING (repo, tag, image_digest)
    WHERE position = top ORDER BY repo, tag
"""


@dataclass(frozen=True)
class Work:
    """A measure, and what polars and DuckDB do for the same answer.

    Attributes
    ----------
    key, answer
        The columns that tell rows apart, and those that must be equal in all three, row by row.
    """

    ours: Callable[[pd.DataFrame], pd.DataFrame]
    polars: Callable[[pl.DataFrame], pl.DataFrame]
    duckdb: str
    key: list[str]
    answer: list[str]


WORKS = {
    "shared_layers_df": Work(
        hubframe.shared_layers_df,
        _polars_shared_layers,
        _DUCKDB_SHARED_LAYERS,
        ["layer_digest"],
        ["size", "image_count", "tag_count", "repo_count", "saved_size", "is_empty"],
    ),
    "footprint_df": Work(
        hubframe.footprint_df,
        _polars_footprint,
        _DUCKDB_FOOTPRINT,
        ["repo", "tag"],
        ["total_size", "shared_size", "exclusive_size", "freed_size", "layer_count"],
    ),
    "parents_df": Work(
        hubframe.parents_df,
        _polars_parents,
        _DUCKDB_PARENTS,
        ["repo", "tag"],
        ["size", "parent_repo", "parent_tag", "parent_size"],
    ),
}


def rows(sizes: Iterable[int] = SIZES) -> list[dict[str, Any]]:
    """Run everything side by side.

    Returns
    -------
    list of dict
        A row per measure and size of the frame: ``work``, ``rows``, the best of three times of
        each side in seconds (``hubframe``, ``polars``, ``duckdb``), ``ratio`` (hubframe's to the
        faster of the others), and ``memory_ratio``: hubframe's peak memory beyond the frame, by the
        frame's own (deep); None where the system does not tell.
    """
    found = []
    for size in sizes:
        for name, work in WORKS.items():
            memory = _in_a_process_of_its_own(name, size)
            found.append({"work": name, "rows": size, **_times(work, size), "memory_ratio": memory})
    return found


def targets(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge the largest frame of each measure, and how its time grew."""
    judged = []
    for name in WORKS:
        *_, before, last = (row for row in found if row["work"] == name)
        work = f"`{name}`, {last['rows']:,} layers"
        growth = last["hubframe"] / before["hubframe"]
        most = _MOST_GROWTH * last["rows"] / before["rows"] / 10
        judged.append(
            verdict(
                work,
                f"at most {_MOST_RATIO:.0f} × the faster of polars and DuckDB",
                f"{last['ratio']:.2f} ×",
                reached=last["ratio"] <= _MOST_RATIO,
            )
        )
        judged.append(
            verdict(
                "the same",
                f"time grows at most {most:.0f} × from {before['rows']:,}",
                f"{growth:.1f} ×",
                reached=growth <= most,
            )
        )
        if last["memory_ratio"] is not None:
            judged.append(
                verdict(
                    "the same",
                    f"at most {_MOST_MEMORY:.0f} × the memory of the frame",
                    f"{last['memory_ratio']:.1f} ×",
                    reached=last["memory_ratio"] <= _MOST_MEMORY,
                )
            )
    return judged


def _times(work: Work, size: int) -> dict[str, float]:
    frame = layers(size)
    theirs = pl.from_pandas(frame)
    with duckdb.connect() as connection:
        connection.register("given", frame)
        connection.execute("CREATE TABLE layers AS SELECT * FROM given")
        connection.unregister("given")
        sides: dict[str, Callable[[], Any]] = {
            "hubframe": lambda: work.ours(frame),
            "polars": lambda: work.polars(theirs),
            "duckdb": lambda: connection.sql(work.duckdb).pl(),
        }
        ours = _answer(sides["hubframe"](), work)
        for side in ("polars", "duckdb"):
            pd.testing.assert_frame_equal(_answer(sides[side](), work), ours, obj=side)
        best = dict.fromkeys(sides, float("inf"))
        # In turns, so that a busy moment of the machine meets all of them.
        for _ in range(REPEATS):
            for side, run in sides.items():
                best[side] = min(best[side], _seconds(run))
    return {**best, "ratio": best["hubframe"] / min(best["polars"], best["duckdb"])}


def _seconds(run: Callable[[], Any]) -> float:
    gc.collect()
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _answer(frame: pd.DataFrame | pl.DataFrame, work: Work) -> pd.DataFrame:
    """Return what all sides must say, in one order and with the same dtypes."""
    columns = {name: frame[name].to_list() for name in (*work.key, *work.answer)}
    table = pd.DataFrame(
        {name: pd.array(values, dtype=_dtype(values)) for name, values in columns.items()}
    )
    return table.sort_values(work.key, ignore_index=True)


def _dtype(values: list[Any]) -> str:
    told = next(value for value in values if not pd.isna(value))
    return "str" if isinstance(told, str) else "Int64"


def _in_a_process_of_its_own(name: str, size: int) -> float | None:
    """Measure memory where nothing that ran before has left any free."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(memory_ratio, (name, size))


def memory_ratio(name: str, size: int) -> float | None:
    """Divide the peak of what a measure takes beyond the frame by the frame's memory."""
    if not _STATUS.exists():
        return None
    frame = layers(size)
    WORKS[name].ours(layers(1000))
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)
    before = _status("VmRSS")
    _PEAK.write_text("5")  # From here on the kernel counts the peak anew.
    WORKS[name].ours(frame)
    return (_status("VmHWM") - before) / int(frame.memory_usage(deep=True).sum())


_STATUS, _PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _status(field: str) -> int:
    return int(_STATUS.read_text().partition(f"{field}:")[2].split()[0]) * 1024

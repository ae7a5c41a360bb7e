"""Layers and labels of all tags of a repository in a registry: cold, warm, for a second platform."""

from dataclasses import replace
from typing import Any

from benchmarks.collection import releases
from benchmarks.contenders import Contender
from benchmarks.jobs.job import (
    HUBFRAME,
    URLLIB3,
    Found,
    Job,
    Target,
    Verdict,
    at_most,
    at_most_processor,
    times_faster,
)
from benchmarks.servers import Servers

REQUESTS, CACHED = "requests + threads", "CachedSession + threads"
SKOPEO, SKOPEO_WITH_TAGS = "skopeo, 8 at a time", "skopeo without --no-tags, 8 at a time"
SQLITE, PANDAS = "SQLite + json", "pandas from ready columns"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
_FAR_WORKERS, _NEAR_WORKERS = 32, 16


def cold_far(servers: Servers) -> Job:
    """Read from a registry with latency, with nothing in the cache."""
    scale = servers.scale
    task = _task(servers, servers.far, _FAR_WORKERS)
    contenders = [_reader(*one, servers, task) for one in _THREADED] + _slow(servers, task)
    whole = f"cold, {scale.tags} tags, layers and labels of {AMD64}, "
    whole += f"{scale.latency * 1000:.0f} ms added, {_FAR_WORKERS} workers"
    return Job(
        "cold-far",
        f"Cold, {scale.tags} tags, {scale.latency * 1000:.0f} ms added, {_FAR_WORKERS} workers",
        "List the tags, then read index, manifest and config of each: hubframe into two frames, the "
        f"others as parsed JSON. Every answer of the registry is {scale.latency * 1000:.0f} ms late.",
        contenders,
        [
            Target(whole, "at most 1.25 × urllib3", at_most(1.25, HUBFRAME, URLLIB3)),
            Target(
                "the same",
                "at most 2 × the processor time of urllib3",
                at_most_processor(2, HUBFRAME, URLLIB3),
            ),
            Target(
                "the same",
                "at least 8 × faster than skopeo, 8 at a time",
                times_faster(8, HUBFRAME, SKOPEO, is_program=True),
            ),
            Target(
                "the same",
                "at least 8 × faster than skopeo as it is usually called",
                times_faster(8, HUBFRAME, SKOPEO_WITH_TAGS, is_program=True),
            ),
        ],
        scale.repeats,
    )


def cold_near(servers: Servers) -> Job:
    """Read from a registry beside, with nothing in the cache: what the processor costs."""
    task = _task(servers, servers.near, _NEAR_WORKERS)
    return Job(
        "cold-near",
        f"Cold, {servers.scale.tags} tags, 0 ms added, {_NEAR_WORKERS} workers",
        "The same without the proxy: registry and reader share the processors.",
        [_reader(*one, servers, task, folder="near", watched=False) for one in _THREADED],
        [
            Target(
                f"the same, 0 ms, {_NEAR_WORKERS} workers",
                "at most 1.6 × urllib3",
                at_most(1.6, HUBFRAME, URLLIB3),
            )
        ],
        servers.scale.repeats,
    )


def warm(servers: Servers) -> Job:
    """Read what was read before, in a new process."""
    task = _task(servers, servers.far, _NEAR_WORKERS)
    kept = [_reader(*one, servers, task, folder="warm") for one in _KEEPING]
    again = [_without_emptying(one) for one in kept]
    floors = [
        _reader(SQLITE, "sqlite_json", servers, task, watched=False),
        _reader(PANDAS, "ready_columns", servers, task, watched=False),
    ]
    return Job(
        "warm",
        f"Warm, the same frames of {servers.scale.tags} tags",
        "A new process in which hubframe was used before, as in a notebook; the cache was filled by another one. The two floors read the same documents "
        "by digest from SQLite in batches, and build the same two frames.",
        [*again, *floors],
        [
            Target(
                "warm, the same frames",
                "at most 2.5 × SQLite and pandas together",
                at_most(2.5, HUBFRAME, SQLITE, PANDAS),
            ),
            Target(
                "the same",
                "at least 12 × faster than CachedSession",
                times_faster(12, HUBFRAME, CACHED),
            ),
        ],
        servers.scale.short_repeats,
        before=kept,
    )


def second_platform(servers: Servers) -> Job:
    """Read another platform of tags that were read before."""
    task = _task(servers, servers.far, _FAR_WORKERS)
    first = [_reader(*one, servers, task, folder="second") for one in _KEEPING]
    other = {**task, "platform": ARM64}
    second = [_without_emptying(_reader(*one, servers, other, folder="second")) for one in _KEEPING]
    return Job(
        "second-platform",
        f"The second platform of {servers.scale.tags} tags",
        f"{ARM64} of tags whose {AMD64} is in the cache; requests are counted by the proxy.",
        [*second, _reader(URLLIB3, "urllib3_threads", servers, other)],
        [
            Target(
                "second platform of the same tags",
                "no index fetched again",
                lambda found: _indexes(found, servers.scale.tags),
            )
        ],
        1,
        before=first,
    )


_THREADED = (
    (HUBFRAME, "hubframe_frames"),
    (URLLIB3, "urllib3_threads"),
    (REQUESTS, "requests_threads"),
    (CACHED, "cached_session"),
)
_KEEPING = (_THREADED[0], _THREADED[3])


def _task(servers: Servers, host: str, workers: int) -> dict[str, Any]:
    tags = servers.scale.tags
    return {
        "host": host,
        "repository": f"app-{tags}",
        "tags": tags,
        "platform": AMD64,
        "workers": workers,
    }


def _reader(  # noqa: PLR0913
    name: str,
    peer: str,
    servers: Servers,
    task: dict[str, Any],
    *,
    folder: str = "cold",
    watched: bool = True,
) -> Contender:
    cache = servers.folder / folder / peer
    return Contender(
        name,
        peer,
        "images",
        {**task, "cache": str(cache)},
        fresh=cache,
        watched=servers.far if watched else None,
    )


def _without_emptying(one: Contender) -> Contender:
    return replace(one, fresh=None)


def _slow(servers: Servers, task: dict[str, Any]) -> list[Contender]:
    """Make those who would take minutes for all tags."""
    one_by_one = {"sampled": servers.scale.one_by_one, "workers": 1}
    together = {"sampled": servers.scale.eight_at_a_time, "workers": 8}
    return [
        _sampled(name, peer, servers, {**task, **how})
        for name, peer, how in (
            (f"oras-py, {_FAR_WORKERS} threads", "oras_py", {**together, "workers": _FAR_WORKERS}),
            ("oras-py, one by one", "oras_py", one_by_one),
            ("python-dxf, one by one", "python_dxf", one_by_one),
            (SKOPEO, "skopeo", together),
            (SKOPEO_WITH_TAGS, "skopeo", {**together, "lists_tags": True}),
            ("skopeo, one by one", "skopeo", one_by_one),
        )
    ]


def _sampled(name: str, peer: str, servers: Servers, task: dict[str, Any]) -> Contender:
    tags = servers.scale.tags
    return Contender(name, peer, "images", task, watched=servers.far, sampled_of=tags)


def _indexes(found: Found, tags: int) -> Verdict:
    """Count the requests for indexes, by tag or by digest."""
    known = {name for one in releases(tags) for name in (one.tag, one.index.digest)}
    passed: list[str] = found[HUBFRAME].told["passed"]
    again = [
        line for line in passed if line.startswith("GET ") and line.rpartition("/")[2] in known
    ]
    return f"{len(again)} of {len(passed)} requests", not again

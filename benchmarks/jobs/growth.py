"""How time and memory grow with a repository."""

from collections.abc import Callable
from functools import partial

from benchmarks.contenders import Contender
from benchmarks.jobs.job import Found, Job, Target, Verdict
from benchmarks.jobs.registry import AMD64
from benchmarks.servers import Servers

_WORKERS = 16
_MOST_TIME = 11.0
_MOST_MEMORY = 2.0


def growth(servers: Servers) -> Job:
    """Read repositories of growing size: cold, then warm from what that left."""
    scale = servers.scale
    small, large = scale.growth[-2:]
    return Job(
        "growth",
        f"Growth from {scale.growth[0]} to {large:,} tags",
        f"Layers and labels of {AMD64}, 0 ms added, {_WORKERS} workers; warm is a new process on the "
        "cache that cold left. Memory is the most that the work took beyond what the process had after "
        "its imports, also as a multiple of the frames' own.",
        [one for size in scale.growth for one in _contenders(servers, size)],
        [
            target
            for state in ("cold", "warm")
            for target in (
                Target(
                    f"{large:,} tags against {small:,}, {state}",
                    f"time grows at most {_MOST_TIME:.0f} ×",
                    partial(_time, small=small, large=large, state=state),
                ),
                Target(
                    "the same",
                    "memory over the frames' own does not grow",
                    partial(_memory, small=small, large=large, state=state),
                ),
            )
        ]
        + [
            Target(
                f"{large:,} tags, warm",
                f"at most {_MOST_MEMORY:.0f} × the memory of the frames",
                partial(_within, size=large),
            )
        ],
        scale.repeats,
    )


def name_of(size: int, state: str, who: str = "hubframe") -> str:
    """Name a contender."""
    return f"{who}, {size:,} tags, {state}"


def _contenders(servers: Servers, size: int) -> list[Contender]:
    cache = servers.folder / f"growth-{size}"
    task = {
        "host": servers.near,
        "repository": f"app-{size}",
        "platform": AMD64,
        "workers": _WORKERS,
        "cache": str(cache),
    }
    often = servers.scale.largest_repeats if size == servers.scale.growth[-1] else None
    make: Callable[..., Contender] = partial(Contender, work="images", task=task, at_most=often)
    return [
        make(name_of(size, "cold"), "hubframe_frames", fresh=cache),
        make(name_of(size, "warm"), "hubframe_frames"),
        make(name_of(size, "cold", "urllib3"), "urllib3_threads"),
    ]


def _time(found: Found, small: int, large: int, state: str) -> Verdict:
    ratio = found[name_of(large, state)].seconds / found[name_of(small, state)].seconds
    return f"{ratio:.1f} ×", ratio <= _MOST_TIME * (large / small) / 10


def _memory(found: Found, small: int, large: int, state: str) -> Verdict:
    """Compare multiples of the frames' own memory: frames ten times as large need ten times as much."""
    before, after = (multiple(found, size, state) for size in (small, large))
    return f"{before:.1f} × then {after:.1f} ×", after <= before


def _within(found: Found, size: int) -> Verdict:
    times = multiple(found, size, "warm")
    return f"{times:.1f} ×", times <= _MOST_MEMORY


def multiple(found: Found, size: int, state: str) -> float:
    """Return the peak as a multiple of the frames' own memory."""
    told = found[name_of(size, state)].told
    return float(told["peak_bytes"] / told["frame_bytes"])

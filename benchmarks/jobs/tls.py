"""The labels of all tags of a registry that is far away and speaks TLS, with the default settings."""

from functools import partial
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.jobs.job import Found, Job, Target, Verdict, at_most
from benchmarks.jobs.registry import AMD64
from benchmarks.servers import Servers
from benchmarks.tls_registry import REPOSITORY

_FEW, _SCRIPTED = 16, 100
_MOST_SECONDS = 4.0
_DEFAULT, _FEW_WORKERS = "hubframe, default settings", f"hubframe, workers={_FEW}"
_LIMIT = "the wire alone"


def cold_tls(servers: Servers) -> Job:
    """Read from far away over TLS, with nothing in the cache."""
    from hubframe import Settings  # noqa: PLC0415 - jobs are listed without it

    scale, most = servers.scale, Settings().workers
    milliseconds = f"{scale.tls_latency * 1000:.0f} ms"
    return Job(
        "cold-tls",
        f"Cold over TLS, {scale.tags} tags, {milliseconds} away, default settings",
        "List the tags, then read index, manifest and config of each "
        f"({3 * scale.tags + 1:,} documents): hubframe into a frame of labels, urllib3 as parsed JSON, with so "
        f"many threads. Every answer is {milliseconds} late, and a new connection twice as much more. "
        f"*{_LIMIT.capitalize()}* waits as long in {most} threads, and does nothing else.",
        [
            _hubframe(_DEFAULT, servers),
            _hubframe(_FEW_WORKERS, servers, workers=_FEW),
            *(_urllib3(servers, workers) for workers in (most, _SCRIPTED, _FEW)),
            Contender(_LIMIT, "wire_alone", "images", {**_task(servers), "workers": most}),
        ],
        [
            Target(
                f"cold over TLS, {scale.tags} tags, labels of {AMD64}, {milliseconds} away, default settings",
                f"at most {_MOST_SECONDS:.0f} s",
                partial(_seconds, name=_DEFAULT),
            ),
            Target(
                "the same",
                "at most 1.2 × urllib3 with as many in flight",
                at_most(1.2, _DEFAULT, _named(most)),
            ),
            Target(
                f"the same, {_FEW} workers",
                "at most 1.2 × urllib3 with as many in flight",
                at_most(1.2, _FEW_WORKERS, _named(_FEW)),
            ),
        ],
        scale.repeats,
    )


def _task(servers: Servers) -> dict[str, Any]:
    return {
        "host": servers.tls,
        "bundle": str(servers.folder / "ca.crt"),
        "repository": REPOSITORY,
        "platform": AMD64,
        "tags": servers.scale.tags,
        "delay": servers.scale.tls_latency,
    }


def _hubframe(name: str, servers: Servers, **more: int) -> Contender:
    cache = servers.folder / "tls"
    task = {**_task(servers), "cache": str(cache), **more}
    return Contender(name, "hubframe_frames", "tls_labels", task, fresh=cache)


def _urllib3(servers: Servers, workers: int) -> Contender:
    task = {**_task(servers), "workers": workers}
    return Contender(_named(workers), "urllib3_threads", "images", task)


def _named(workers: int) -> str:
    return f"urllib3, {workers} in flight"


def _seconds(found: Found, name: str) -> Verdict:
    return f"{found[name].seconds:.2f} s", found[name].seconds <= _MOST_SECONDS

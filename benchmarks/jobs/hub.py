"""The tags of a large repository on the Hub."""

from math import ceil
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.hub import PAGE_SIZE
from benchmarks.jobs.job import HUBFRAME, URLLIB3, Found, Job, Target, Verdict, at_most
from benchmarks.servers import HUB_REPOSITORY, Servers

_PATIENT = "hubframe, a Hub that takes its time"


def tags(servers: Servers) -> Job:
    """Read all pages of tags."""
    scale = servers.scale
    cache = servers.folder / "hub-tags"
    task = {
        "host": servers.hub,
        "repository": HUB_REPOSITORY,
        "workers": scale.hub_workers,
        "cache": str(cache),
    }
    pages = ceil(scale.hub_tags / PAGE_SIZE)
    work = f"tags of a Hub repository with {scale.hub_tags:,} tags, {scale.hub_workers} workers"
    return Job(
        "hub-tags",
        f"Tags of a Hub repository with {scale.hub_tags:,} tags",
        f"{pages} pages of {PAGE_SIZE} tags from a stand-in for the Hub whose answers are "
        f"{scale.latency * 1000:.0f} ms late: hubframe into a frame, urllib3 as parsed JSON. The first "
        "page tells how many there are, so the others can be under way together.",
        [
            Contender(
                HUBFRAME, "hubframe_frames", "hub_tags", task, fresh=cache, watched=servers.hub
            ),
            Contender(URLLIB3, "urllib3_threads", "hub_tags", task, watched=servers.hub),
            _patient(servers, task),
        ],
        [
            Target(work, "at most 2 × urllib3", at_most(2, HUBFRAME, URLLIB3)),
            Target(
                "the same",
                f"all {pages - 1} pages after the first in flight together",
                lambda found: _under_way(found, pages - 1),
            ),
        ],
        scale.short_repeats,
    )


def _patient(servers: Servers, task: dict[str, Any]) -> Contender:
    """However slow the processor is, what is asked at once is under way together here."""
    cache = servers.folder / "patient-hub"
    return Contender(
        _PATIENT,
        "hubframe_frames",
        "hub_tags",
        {**task, "host": servers.patient_hub, "cache": str(cache)},
        fresh=cache,
        watched=servers.patient_hub,
        at_most=1,
    )


def _under_way(found: Found, pages: int) -> Verdict:
    most = found[_PATIENT].told["passed"]["most_under_way"]
    return f"{most} in flight", most >= pages

"""The jobs, a module for each kind; `ALL` holds what makes each of them, in the order of the tables."""

from benchmarks.jobs import growth, hub, processes, registry, shaping, tls
from benchmarks.jobs.job import Job
from benchmarks.servers import Servers

_MAKERS = (
    registry.cold_far,
    tls.cold_tls,
    registry.cold_near,
    registry.warm,
    registry.second_platform,
    hub.tags,
    shaping.layers,
    growth.growth,
    processes.imports,
    processes.tags_command,
    processes.help_command,
)


def make(servers: Servers) -> list[Job]:
    """Make all jobs for servers that run."""
    return [maker(servers) for maker in _MAKERS]

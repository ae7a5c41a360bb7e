"""Shaping alone, without network and cache."""

from benchmarks.contenders import Contender
from benchmarks.jobs.job import HUBFRAME, Job, Target, at_most
from benchmarks.jobs.registry import PANDAS
from benchmarks.servers import Servers


def layers(servers: Servers) -> Job:
    """Shape a long frame of layers."""
    scale = servers.scale
    task = {"rows": scale.layer_rows}
    return Job(
        "shaping",
        f"{scale.layer_rows:,} layer rows shaped",
        "hubframe begins with manifests and configs as parsed JSON, ten layers and about twenty build "
        "steps each; pandas with a list for each column of the frame, dates as text.",
        [
            Contender(HUBFRAME, "hubframe_frames", "layers", task),
            Contender(PANDAS, "ready_columns", "layers", task),
        ],
        [
            Target(
                f"{scale.layer_rows:,} layer rows shaped",
                "at most 1.5 × pandas from ready columns",
                at_most(1.5, HUBFRAME, PANDAS),
            )
        ],
        scale.repeats,
    )

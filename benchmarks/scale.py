"""How much work a run does: all of it, or so little that a test can wait for it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """The sizes of the jobs.

    Attributes
    ----------
    tags
        Tags of the repository that most jobs read.
    one_by_one, eight_at_a_time
        Tags that contenders read who would take minutes for all; their times are scaled up.
    growth
        Sizes of repositories, smallest first; the last two are compared.
    hub_tags
        Tags of the repository of the stand-in Hub.
    hub_workers
        Workers that read it: as many as it has pages.
    layer_rows
        Rows of the frame that is shaped.
    latency
        What the proxy adds to each answer. [seconds]
    tls_latency
        What a registry far away takes for each answer, and twice for a connection. [seconds]
    patience
        What a Hub takes for each answer that shows what is under way together. [seconds]
    repeats
        How often each contender runs.
    short_repeats
        How often work is done that takes a second or less: its times vary most.
    largest_repeats
        How often the largest repository is read.
    apart
        Whether each contender has a process of its own, as it must to be measured.
    """

    tags: int = 500
    one_by_one: int = 20
    eight_at_a_time: int = 100
    growth: tuple[int, ...] = (10, 100, 1_000, 10_000)
    hub_tags: int = 5_000
    hub_workers: int = 50
    layer_rows: int = 1_000_000
    latency: float = 0.040
    tls_latency: float = 0.100
    patience: float = 2.0
    repeats: int = 5
    short_repeats: int = 15
    largest_repeats: int = 3
    apart: bool = True

    @property
    def most_tags(self) -> int:
        """Tags of the largest repository."""
        return max(self.tags, *self.growth)


FULL = Scale()
QUICK = Scale(
    tags=6,
    one_by_one=2,
    eight_at_a_time=3,
    growth=(2, 4),
    hub_tags=250,
    hub_workers=3,
    layer_rows=1_000,
    latency=0.002,
    tls_latency=0.01,
    patience=0.2,
    repeats=1,
    short_repeats=1,
    largest_repeats=1,
    apart=False,
)

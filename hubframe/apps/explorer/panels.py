"""What there is to see of the tags that were chosen: a frame, a picture, and the code for both."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

import hubframe
from hubframe import plots
from hubframe.apps.explorer import findings
from hubframe.apps.explorer.model import FEW, Asked, State
from hubframe.errors import harmless
from hubframe.wire.client import Client

Frames = Mapping[str, pd.DataFrame]
# Results are shown as they come, so many tags at a time.
_BATCH = 10
# A row of these is of one image: they can be read in parts, and without those that fail.
_OF_IMAGES = frozenset({"images", "layers", "history", "labels", "env", "configs"})
_COLLECT = {"errors": "collect"}
# The keywords that say which images of a tag.
_WHICH = {"platform", "attestations"}
# How long a line of code may be.
_WIDTH = 88


@dataclass(frozen=True, eq=False)
class Result:
    """What a panel shows."""

    frame: pd.DataFrame
    drawn: pd.DataFrame  # the one that its picture is of
    fetched: Frames  # what it is made of, by name
    is_partial: bool  # of some of the tags only, and the others were to follow

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What was written down of each frame that was fetched."""
        return [frame.attrs.get("hubframe", {}) for frame in self.fetched.values()]

    @property
    def is_complete(self) -> bool:
        """Whether nothing failed."""
        return not any(note.get("failures") for note in self.notes)


@dataclass(frozen=True)
class Panel:
    """One way to look at tags, declared: what is fetched, what it is measured and shown by."""

    name: str
    title: str
    about: str
    fetches: tuple[str, ...]  # ``layers`` for the frame of `hubframe.layers_df`, and so on
    asked: Callable[[State], Asked | None] = State.asked  # what they are asked for
    measured: str = ""  # which function of hubframe makes one frame of them, where it is not it
    rule: tuple[str, ...] = ()  # which parts of the state are keywords of that function
    plot: Callable[..., Axes] | None = None
    drawn: str = ""  # the fetched frame that is plotted, where it is not the panel's own
    findings: Callable[[pd.DataFrame], list[str]] | None = None  # what it tells, in sentences
    text: Callable[[pd.DataFrame], str] | None = None  # the frame as lines of code
    columns: tuple[str, ...] = ()  # those that a person sees first; all where none are named
    least: int = 0  # how many tags must have been chosen
    is_of_all: bool = False  # not of the tags that were chosen

    def code(self, state: State, *, has_client: bool = False, collects: bool = False) -> str:
        """Return the lines that give the panel's frame.

        The explorer's client is called ``client`` there, where it has one, and the calls go on
        without what fails, where something did.
        """
        asked = self.asked(state)
        if asked is not None and collects:
            asked = Asked(asked.what, {**asked.options, **_COLLECT})
        calls = {name: call_of(f"{name}_df", asked, has_client=has_client) for name in self.fetches}
        if not self.measured:
            return "\n".join(calls.values())
        made = [f"{name} = {call}" for name, call in calls.items()]
        arguments = [*calls, *(f"{name}={getattr(state, name)}" for name in self.rule)]
        return "\n".join([*made, f"hubframe.{self.measured}({', '.join(arguments)})"])

    def steps(self, state: State, client: Client) -> Iterator[Result]:
        """Make the panel's frame of more and more tags; the last is the one that the code gives."""
        asked = self.asked(state)
        if asked is not None and set(self.fetches) <= _OF_IMAGES:
            asked = Asked(asked.what, {**asked.options, **_COLLECT})
            kept = (_WHICH | _COLLECT.keys()) & asked.options.keys()
            named = {name: asked.options[name] for name in kept}
            images = state.images
            held: list[Frames] = []
            for start in range(0, len(images) - _BATCH, _BATCH):
                held.append(self._fetch(Asked(images[start : start + _BATCH], named), client))
                parts = {name: [frames[name] for frames in held] for name in self.fetches}
                whole = {name: pd.concat(some, ignore_index=True) for name, some in parts.items()}
                yield self._made(whole, state, is_partial=True)
        yield self._made(self._fetch(asked, client), state, is_partial=False)

    def _fetch(self, asked: Asked | None, client: Client) -> Frames:
        arguments, options = ((), {}) if asked is None else ((asked.what,), asked.options)
        return {
            name: getattr(hubframe, f"{name}_df")(*arguments, **options, client=client)
            for name in self.fetches
        }

    def _made(self, frames: Frames, state: State, *, is_partial: bool) -> Result:
        frame = frames[self.fetches[0]]
        if self.measured:
            rule = {name: getattr(state, name) for name in self.rule}
            frame = getattr(hubframe, self.measured)(*frames.values(), **rule)
        return Result(frame, frames.get(self.drawn, frame), frames, is_partial)


def call_of(function: str, asked: Asked | None, *, has_client: bool = False) -> str:
    """Return a call of one of hubframe's functions as code."""
    arguments = []
    if asked is not None:
        named = (f"{name}={_literal(value)}" for name, value in asked.options.items())
        arguments += [_literal(asked.what), *named]
    arguments += ["client=client"] if has_client else []
    call = f"hubframe.{function}({', '.join(arguments)})"
    if len(call) <= _WIDTH:
        return call
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"hubframe.{function}(\n{lines})"


def _literal(value: Any) -> str:
    is_json = isinstance(value, str | list)
    return json.dumps(value, ensure_ascii=False) if is_json else repr(value)


def _dockerfile(history: pd.DataFrame) -> str:
    """Return the steps of the first image as a Dockerfile."""
    if history.empty:
        return ""
    first = history.iloc[0]
    is_first = (history["repo"] == first.repo) & (history["image_digest"] == first.image_digest)
    is_first &= history["tag"].eq(first.tag) | history["tag"].isna()
    steps = history.loc[is_first].sort_values("step")["instruction"].dropna()
    heading = f"# {harmless(first.repo)}:{harmless(str(first.tag))}, {first.platform}"
    return "\n".join([heading, *(harmless(step) for step in steps)])


def _plot_platforms(images: pd.DataFrame, **artist: Any) -> Axes:
    return plots.plot_platform_coverage(hubframe.platform_coverage_df(images), **artist)


PANELS = {
    panel.name: panel
    for panel in (
        Panel(
            "overview",
            "Overview",
            "The tags shown above, and when each was last pushed.",
            ("tags",),
            asked=State.asked_tags,
            is_of_all=True,
            plot=plots.plot_tags,
            findings=findings.of_tags,
            columns=("repo", "tag", "size", "platform_count", "pushed_at", "digest"),
        ),
        Panel(
            "growth",
            "Size over time",
            "How the size of releases moved, and which build steps made the difference.",
            ("layers",),
            measured="size_trend_df",
            plot=plots.plot_size_trend,
            findings=findings.of_trend,
            columns=("tag", "previous_tag", "total_size", "total_change", "instruction", "change"),
        ),
        Panel(
            "layers",
            "Layers",
            "What images are made of, base first. Sizes are compressed.",
            ("layers",),
            plot=plots.plot_layers,
            columns=("repo", "tag", "platform", "position", "size", "instruction", "layer_digest"),
        ),
        Panel(
            "shared",
            "Shared",
            "Each layer once: how many images hold it, and what sharing saves.",
            ("layers",),
            measured="shared_layers_df",
            plot=plots.plot_shared_layers,
            findings=findings.of_shared,
            drawn="layers",
        ),
        Panel(
            "images",
            "Images",
            "One image for each platform of a tag.",
            ("images",),
            asked=State.asked_platforms,
            plot=_plot_platforms,
            columns=("repo", "tag", "platform", "size", "created_at", "image_digest"),
        ),
        Panel(
            "labels",
            "Labels",
            "Labels and annotations. On Docker Hub each image costs a pull, once.",
            ("labels",),
            plot=plots.plot_label_coverage,
            columns=("repo", "tag", "key", "value", "source"),
        ),
        Panel(
            "coverage",
            "Coverage",
            "Which of the OCI's labels are missing, or say nothing.",
            ("labels", "configs"),
            measured="coverage_df",
            plot=plots.plot_coverage,
        ),
        Panel(
            "history",
            "History",
            "The build steps; of the first image as a Dockerfile.",
            ("history",),
            text=_dockerfile,
            columns=("repo", "tag", "step", "instruction", "size", "created_at"),
        ),
        Panel(
            "env",
            "Environment",
            "Environment variables. On Docker Hub each image costs a pull, once.",
            ("env",),
            columns=("repo", "tag", "key", "value"),
        ),
        Panel(
            "compare",
            "Compare",
            "What differs from each chosen tag to the next.",
            ("compare",),
            asked=lambda state: Asked(state.images, state.platform),
            plot=plots.plot_comparison,
            findings=findings.of_comparison,
            columns=("aspect", "key", "left", "right", "size_change", "left_name", "right_name"),
            least=2,
        ),
        Panel(
            "cleanup",
            "Clean-up",
            "What a rule would delete, of all tags. Nothing is deleted.",
            ("tags",),
            asked=lambda state: Asked(state.opened_repos),
            is_of_all=True,
            measured="cleanup_df",
            rule=("keep", "older_than"),
            plot=plots.plot_cleanup,
        ),
        Panel(
            "limits",
            "Limits",
            "What Docker Hub lets you ask for, and what is left of it.",
            ("limits",),
            asked=lambda _: None,
            is_of_all=True,
        ),
    )
}


def missing(panel: Panel, state: State) -> str:
    """Say what has to be done before a panel can be shown; empty where it can be."""
    if panel.name != "limits" and state.tags.empty:
        return "Open a repository that has tags first."
    if len(state.chosen) < panel.least:
        return f"Choose {panel.least} tags or more in the table of tags."
    return ""


def scope(state: State) -> str:
    """Say which tags a panel reads."""
    count = len(state.taken)
    if state.chosen:
        return f"{count} chosen"
    is_all = count == len(state.visible)
    return f"all {count} shown" if is_all else f"the newest {FEW} of each repository"

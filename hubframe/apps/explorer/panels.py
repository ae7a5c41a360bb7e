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


@dataclass(frozen=True, eq=False)
class Result:
    """What a panel shows.

    Attributes
    ----------
    frame
        Its frame.
    drawn
        The frame that its picture is drawn of.
    fetched
        The frames that these are made of, by name.
    is_partial
        Whether it is of some of the tags only, and the others were to follow.
    """

    frame: pd.DataFrame
    drawn: pd.DataFrame
    fetched: Frames
    is_partial: bool

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
    """One way to look at tags.

    Attributes
    ----------
    name, title, about
        How code calls it, how people do, and what it tells them.
    fetches
        The frames that it is made of: ``layers`` for that of `hubframe.layers_df`, and so on.
    asked
        What these are asked for.
    measure
        What makes the panel's frame of them; None where there is only one, and it is it.
    line
        The same as code, in which each frame has the name of its table.
    plot, drawn
        The picture, None for a panel without; and the fetched frame that it is drawn of, where it
        is not the panel's own.
    findings
        Says what the frame tells, in sentences; None for a panel that leaves it to its picture.
    text
        The frame as lines of code; None for a panel that has none.
    columns
        Those that a person sees first; all where none are named.
    least
        How many tags must have been chosen.
    """

    name: str
    title: str
    about: str
    fetches: tuple[str, ...]
    asked: Callable[[State], Asked | None] = State.asked
    measure: Callable[[Frames, State], pd.DataFrame] | None = None
    line: Callable[[State], str] | None = None
    plot: Callable[..., Axes] | None = None
    drawn: str = ""
    findings: Callable[[pd.DataFrame], list[str]] | None = None
    text: Callable[[pd.DataFrame], str] | None = None
    columns: tuple[str, ...] = ()
    least: int = 0

    def code(self, state: State, *, has_client: bool = False, collects: bool = False) -> str:
        """Return the lines that give the panel's frame.

        Parameters
        ----------
        state
            What is shown.
        has_client
            Whether the explorer was given a client, which is called ``client`` in the code.
        collects
            Whether something failed, so that the call has to go on without it.
        """
        asked = self.asked(state)
        if asked is not None and collects:
            asked = Asked(asked.what, {**asked.options, **_COLLECT})
        calls = {name: call_of(f"{name}_df", asked, has_client=has_client) for name in self.fetches}
        if self.line is None:
            return "\n".join(calls.values())
        made = [f"{name} = {call}" for name, call in calls.items()]
        return "\n".join([*made, self.line(state)])

    def steps(self, state: State, client: Client) -> Iterator[Result]:
        """Make the panel's frame of more and more tags, and at last of all.

        Yields
        ------
        Result
            The last one has the frame that the code gives.
        """
        asked = self.asked(state)
        is_of_images = set(self.fetches) <= _OF_IMAGES
        more = _COLLECT if is_of_images else {}
        parts = list(_parts(state)) if is_of_images else []
        held: list[Frames] = []
        for part in parts[:-1]:
            held.append(self._fetch(Asked(part, _options(asked)), client, more))
            yield self._make(_together(held), state, is_partial=True)
        yield self._make(self._fetch(asked, client, more), state, is_partial=False)

    def _fetch(self, asked: Asked | None, client: Client, more: Mapping[str, Any]) -> Frames:
        arguments = () if asked is None else (asked.what,)
        options = {} if asked is None else asked.options
        return {
            name: getattr(hubframe, f"{name}_df")(*arguments, **options, **more, client=client)
            for name in self.fetches
        }

    def _make(self, frames: Frames, state: State, *, is_partial: bool) -> Result:
        frame = self.measure(frames, state) if self.measure else frames[self.fetches[0]]
        return Result(frame, frames[self.drawn] if self.drawn else frame, frames, is_partial)


def _parts(state: State) -> Iterator[list[str]]:
    refs = [f"{repo}:{tag}" for repo, tag in state.taken]
    for start in range(0, len(refs), _BATCH):
        yield refs[start : start + _BATCH]


def _options(asked: Asked | None) -> dict[str, Any]:
    """Return the keywords that say which images of a tag; the tags are named already."""
    options = {} if asked is None else asked.options
    return {name: options[name] for name in ("platform", "attestations") if name in options}


def _together(held: list[Frames]) -> Frames:
    return {
        name: pd.concat([frames[name] for frames in held], ignore_index=True) for name in held[0]
    }


# What the code of a call looks like.

_WIDTH = 88


def call_of(function: str, asked: Asked | None, *, has_client: bool = False) -> str:
    """Return a call as code.

    Parameters
    ----------
    function
        Its name in `hubframe`.
    asked
        Its arguments; None for none.
    has_client
        Whether it is made with a client.
    """
    arguments = [] if asked is None else [_literal(asked.what)]
    if asked is not None:
        arguments += [f"{name}={_literal(value)}" for name, value in asked.options.items()]
    if has_client:
        arguments.append("client=client")
    call = f"hubframe.{function}({', '.join(arguments)})"
    if len(call) <= _WIDTH:
        return call
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"hubframe.{function}(\n{lines})"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(_literal(one) for one in value)}]"
    return repr(value)


# What the panels ask for.


def _tags(state: State) -> Asked:
    visible = state.visible
    listed = [f"{repo}:{tag}" for repo, tag in zip(visible["repo"], visible["tag"], strict=True)]
    return state.asked_tags() or Asked(listed)


def _images(state: State) -> Asked:
    """Every platform, and attestations where everything is looked at."""
    asked = state.asked()
    options = {name: value for name, value in asked.options.items() if name != "platform"}
    if state.filters.everything:
        options["attestations"] = True
    return Asked(asked.what, options)


def _compared(state: State) -> Asked:
    named = [f"{repo}:{tag}" for repo, tag in state.taken]
    return Asked(named, {"platform": state.platform} if "platform" in state.asked().options else {})


def _all_tags(state: State) -> Asked:
    return Asked(state.what)


def _nothing(_: State) -> None:
    return None


# What they show.


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


def _cleanup(frames: Frames, state: State) -> pd.DataFrame:
    return hubframe.cleanup_df(frames["tags"], keep=state.keep, older_than=state.older_than)


PANELS = {
    panel.name: panel
    for panel in (
        Panel(
            "overview",
            "Overview",
            "The tags shown above, and when each was last pushed.",
            ("tags",),
            asked=_tags,
            plot=plots.plot_tags,
            findings=findings.of_tags,
            columns=("repo", "tag", "size", "platform_count", "pushed_at", "digest"),
        ),
        Panel(
            "growth",
            "Size over time",
            "How the size of releases moved, and which build steps made the difference.",
            ("layers",),
            measure=lambda frames, _: hubframe.size_trend_df(frames["layers"]),
            line=lambda _: "hubframe.size_trend_df(layers)",
            plot=plots.plot_size_trend,
            findings=findings.of_trend,
            columns=(
                "tag",
                "previous_tag",
                "total_size",
                "total_change",
                "instruction",
                "change",
            ),
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
            measure=lambda frames, _: hubframe.shared_layers_df(frames["layers"]),
            line=lambda _: "hubframe.shared_layers_df(layers)",
            plot=plots.plot_shared_layers,
            findings=findings.of_shared,
            drawn="layers",
        ),
        Panel(
            "images",
            "Images",
            "One image for each platform of a tag.",
            ("images",),
            asked=_images,
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
            measure=lambda frames, _: hubframe.coverage_df(frames["labels"], frames["configs"]),
            line=lambda _: "hubframe.coverage_df(labels, configs)",
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
            asked=_compared,
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
            asked=_all_tags,
            measure=_cleanup,
            line=lambda state: (
                f"hubframe.cleanup_df(tags, keep={state.keep}, older_than={state.older_than})"
            ),
            plot=plots.plot_cleanup,
        ),
        Panel(
            "limits",
            "Limits",
            "What Docker Hub lets you ask for, and what is left of it.",
            ("limits",),
            asked=_nothing,
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

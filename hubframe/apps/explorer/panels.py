"""What there is to see of the tags that were chosen: a frame, a picture, and the code for both."""

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes

import hubframe
from hubframe import plots
from hubframe.apps.explorer import findings, risks, views
from hubframe.apps.explorer.model import Asked, Row, State
from hubframe.errors import harmless
from hubframe.frames.selection import USUAL_PLATFORM
from hubframe.plots import wording
from hubframe.tables.schema import joined_attrs
from hubframe.wire.client import Client

Frames = Mapping[str, pd.DataFrame]
# Results are shown as they come, so many tags at a time.
_BATCH = 10
# A row of these is of one image: they can be read in parts, and without those that fail.
_OF_IMAGES = frozenset({"images", "layers", "history", "labels", "env", "configs"})
# And these too are read without those that fail.
_COLLECTED = _OF_IMAGES | {"packages"}
_COLLECT = {"errors": "collect"}
# The keywords that say which images of a tag.
_WHICH = {"platform", "attestations"}
# How long a line of code may be.
_WIDTH = 88
# More chosen tags than that are counted, not named.
_MOST_NAMED = 3
_LEAST_COMPARED = 2


@dataclass(frozen=True, eq=False)
class Result:
    """What was read for a panel, with what it was read for: all that is said of it comes from here.

    What a person asks for may have changed since.
    """

    panel: "Panel"
    state: State
    frame: pd.DataFrame
    fetched: Frames  # what it is made of, by name, and what stands beside it
    done: int = 1
    count: int = 1  # of how many tags, where more were to follow
    counted: dict[str, pd.DataFrame] = field(default_factory=dict)  # by what a row is

    @property
    def is_partial(self) -> bool:
        """Whether it is of some of the tags only, and the others were to follow."""
        return self.done < self.count

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What was written down of each frame that was fetched."""
        return [frame.attrs.get("hubframe", {}) for frame in self.fetched.values()]

    @property
    def is_complete(self) -> bool:
        """Whether nothing failed."""
        return not any(note.get("failures") for note in self.notes)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The frame as a person reads it; its attrs name the table that tells its columns."""
        table = self.panel.table(self) if self.panel.table else self.frame
        table = table.copy(deep=False)
        measured = self.panel.measured.removesuffix("_df")
        name = measured or self.frame.attrs.get("hubframe", {}).get("table")
        table.attrs["hubframe"] = {**table.attrs.get("hubframe", {}), "table": name}
        return table

    @cached_property
    def findings(self) -> list[str]:
        """What it tells, in sentences."""
        return self.panel.findings(self) if self.panel.findings else []

    def vulnerabilities(self, by: Literal["image", "layer"]) -> pd.DataFrame:
        """Count its vulnerabilities, once however often they are drawn."""
        if by not in self.counted:
            self.counted[by] = hubframe.vulnerability_summary_df(self.frame, by=by)
        return self.counted[by]


@dataclass(frozen=True)
class Panel:
    """One way to look at tags, declared: what is fetched, what it is measured and shown by."""

    name: str
    title: str
    about: str
    fetches: tuple[str, ...]  # ``layers`` for the frame of `hubframe.layers_df`, and so on
    asked: Callable[[State], Asked | None] = State.asked  # what they are asked for
    # What is asked for, where it is here.
    held: Callable[[State], pd.DataFrame | None] | None = None
    measured: str = ""  # which function of hubframe makes one frame of them, where it is not it
    rule: tuple[str, ...] = ()  # which parts of the state are keywords of that function
    # What else its picture and its table need: a frame, and what it is asked for, by name.
    beside: Mapping[str, tuple[str, Callable[[State], Asked]]] = field(default_factory=dict)
    plot: Callable[[Result, Axes], Axes] | None = None
    findings: Callable[[Result], list[str]] | None = None
    text: Callable[[pd.DataFrame], str] | None = None  # the frame as lines of code
    table: Callable[[Result], pd.DataFrame] | None = None
    columns: tuple[str, ...] = ()  # those that a person sees first; all where none are named
    scope: Callable[[State], str] | None = None  # which tags it reads; all that are open if None
    downloads: bool = False  # whether it reads layers
    is_given: bool = False  # whether it is of a frame that a person gave, which has its name
    can_filter: bool = False  # whether there is a field to look for words in its table

    def code(self, state: State, *, has_client: bool = False, collects: bool = False) -> str:
        """Return the lines that give the panel's frame.

        The explorer's client is called ``client`` there, where it has one, and the calls go on
        without what fails, where something did.
        """
        asked = self.asked(state)
        if asked is not None and collects:
            asked = Asked(asked.what, {**asked.options, **_COLLECT})
        if self.is_given:
            return state.told_by(self.name)[1]
        calls = {name: call_of(f"{name}_df", asked, has_client=has_client) for name in self.fetches}
        if not self.measured:
            return "\n".join(calls.values())
        made = [f"{name} = {call}" for name, call in calls.items()]
        arguments = [*calls, *(f"{name}={getattr(state, name)}" for name in self.rule)]
        return "\n".join([*made, f"hubframe.{self.measured}({', '.join(arguments)})"])

    def steps(self, state: State, client: Client) -> Iterator[Result]:
        """Make the panel's frame of more and more tags; the last is the one that the code gives."""
        asked = self.asked(state)
        here = None if self.held is None else self.held(state)
        if here is not None:
            frames = {self.fetches[0]: here}
        else:
            frames = yield from self._read(asked, state, client)
        if self.beside and (self.is_given or self.scope is one_image):
            # What is beside it is not waited for.
            yield self._made(frames, state)
        for name, (frame, beside) in self.beside.items():
            if name not in frames:
                wanted = beside(state)
                options = {**wanted.options, **_COLLECT}
                frames[name] = _call(frame, Asked(wanted.what, options), client)
        yield self._made(frames, state)

    def _read(
        self, asked: Asked | None, state: State, client: Client
    ) -> Generator[Result, None, dict[str, pd.DataFrame]]:
        """Fetch the panel's frames, and show what there is of them on the way."""
        if asked is not None and set(self.fetches) <= _COLLECTED:
            asked = Asked(asked.what, {**asked.options, **_COLLECT})
        if asked is not None and set(self.fetches) <= _OF_IMAGES:
            kept = (_WHICH | _COLLECT.keys()) & asked.options.keys()
            named = {name: asked.options[name] for name in kept}
            images = asked.what if self.scope is one_image else state.images
            held: list[Frames] = []
            for start in range(0, len(images) - _BATCH, _BATCH):
                part = Asked(images[start : start + _BATCH], named)
                held.append(self._fetch(part, client))
                parts = {name: _joined([frames[name] for frames in held]) for name in self.fetches}
                yield self._made(parts, state, start + _BATCH, len(images))
        return self._fetch(asked, client)

    def _fetch(self, asked: Asked | None, client: Client) -> dict[str, pd.DataFrame]:
        return {name: _call(name, asked, client) for name in self.fetches}

    def _made(self, frames: Frames, state: State, done: int = 1, count: int = 1) -> Result:
        frame = frames[self.fetches[0]]
        if self.measured:
            rule = {name: getattr(state, name) for name in self.rule}
            own = [frames[name] for name in self.fetches]
            frame = getattr(hubframe, self.measured)(*own, **rule)
        return Result(self, state, frame, frames, done, count)


def _call(name: str, asked: Asked | None, client: Client) -> pd.DataFrame:
    arguments, options = ((), {}) if asked is None else ((asked.what,), asked.options)
    found: pd.DataFrame = getattr(hubframe, f"{name}_df")(*arguments, **options, client=client)
    return found


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put parts of a frame together; there are more to come."""
    whole = pd.concat(frames, ignore_index=True)
    table = frames[0].attrs.get("hubframe", {}).get("table")
    whole.attrs["hubframe"] = {"table": table, **joined_attrs(frames), "complete": False}
    return whole


def call_of(
    function: str, asked: Asked | None, *, has_client: bool = False, given: Iterable[str] = ()
) -> str:
    """Return a call of one of hubframe's functions as code; frames that were given by name."""
    arguments = []
    if asked is not None:
        named = (f"{name}={_literal(value)}" for name, value in asked.options.items())
        arguments += [_literal(asked.what), *named]
    arguments += [f"{name}={name}" for name in given]
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


def one_image(state: State) -> str:
    """Say which image a panel of one is of."""
    return f"{_named(state, [state.image] if state.image else [])}{_of_platform(state)}"


def _some(state: State) -> str:
    """Say which tags a panel reads."""
    return f"{_count(state)}{_of_platform(state)}"


def _count(state: State) -> str:
    if state.chosen:
        named = _named(state, state.chosen)
        return named if len(state.chosen) <= _MOST_NAMED else f"{len(state.chosen)} chosen tags"
    count = len(state.taken)
    if count == len(state.visible):
        return f"all {count} tags shown"
    each = " of each repository" if len(state.repos) > 1 else ""
    return f"the newest {state.most}{each}"


def _shown(state: State) -> str:
    """Say of which tags it is where all are read."""
    if state.chosen:
        return _count(state)
    return f"all {wording.counted(len(state.visible), 'tag')} shown"


def _told(state: State) -> str:
    """Say of which tags it is where a given frame tells of those of a repository."""
    return _count(state) if state.chosen else "all tags"


def _compared(state: State) -> str:
    return _in_order(state, state.compared)


def _inside(state: State) -> str:
    return _in_order(state, state.inside)


def _in_order(state: State, rows: Sequence[Row]) -> str:
    first = not state.is_one_platform and f", {USUAL_PLATFORM}"
    return f"{_named(state, rows, ' → ')}{first or _of_platform(state)}"


def _named(state: State, rows: Sequence[Row], between: str = ", ") -> str:
    several = len(state.repos) > 1
    return between.join(f"{repo}:{tag}" if several else tag for repo, tag in rows)


def _of_platform(state: State) -> str:
    return f", {state.filters.platform}"


def _told_line(result: Result) -> pd.DataFrame:
    """Return the releases that the sentences speak of."""
    return findings.line_of(result.frame)


def _size_of_releases(result: Result, ax: Axes) -> Axes:
    return plots.plot_size_trend(_told_line(result), ax=ax)


def _dates(result: Result, ax: Axes) -> Axes:
    tags = result.frame
    if result.state.is_whole:
        return plots.plot_tags(tags, ax=ax)
    # A registry tells when images were made, and not when tags were pushed.
    tags = tags.assign(pushed_at=tags["pushed_at"].fillna(tags["created_at"]))
    plots.plot_tags(tags, ax=ax).set_title("When images were made, of the tags looked at so far")
    return ax


def _platforms(result: Result, ax: Axes) -> Axes:
    return plots.plot_platform_coverage(hubframe.platform_coverage_df(result.frame), ax=ax)


def _labels(result: Result, ax: Axes) -> Axes:
    # Images without a label are in no row of labels.
    return plots.plot_label_coverage(result.frame, result.fetched.get("configs"), ax=ax)


def _shared(result: Result, ax: Axes) -> Axes:
    return plots.plot_shared_layers(result.fetched["layers"], ax=ax)


def _packages(result: Result, ax: Axes) -> Axes:
    return plots.plot_packages(result.frame, result.fetched.get("layers"), ax=ax)


def _vulnerabilities(result: Result, ax: Axes) -> Axes:
    """Show the images; of one alone, which layers brought them."""
    summary = result.vulnerabilities("image")
    if len(summary) == 1:
        summary = result.vulnerabilities("layer")
    return plots.plot_vulnerability_summary(summary, result.fetched.get("layers"), ax=ax)


def _neighbours(state: State) -> Asked:
    """Return what asks for the images that one image may share its layers with."""
    return replace(state, chosen=()).asked()


PANELS = {
    panel.name: panel
    for panel in (
        Panel(
            "overview",
            "Overview",
            "The tags shown in the list, and when each was last pushed.",
            ("tags",),
            asked=State.asked_tags,
            held=lambda state: state.visible.reset_index(drop=True),
            plot=_dates,
            findings=lambda result: findings.of_tags(result.frame),
            columns=("repo", "tag", "aliases", "size", "platform_count", "pushed_at", "pulled_at"),
        ),
        Panel(
            "image",
            "Image",
            "One image, layer by layer; sizes are compressed.",
            ("layers",),
            asked=State.asked_image,
            beside={"others": ("layers", _neighbours)},
            findings=findings.of_image,
            table=views.layers_of_image,
            scope=one_image,
        ),
        Panel(
            "growth",
            "Size over time",
            "How the size of releases moved, and which build steps made the difference.",
            ("layers",),
            measured="size_trend_df",
            plot=_size_of_releases,
            findings=lambda result: findings.of_trend(result.frame),
            table=views.largest_changes,
            columns=(
                *("repo", "line", "platform", "tag", "previous_tag", "total_change"),
                *("change", "instruction", "total_size"),
            ),
            scope=_some,
        ),
        Panel(
            "compare",
            "Compare",
            "What differs from the old to the new.",
            ("compare",),
            asked=State.asked_compared,
            beside={"layers": ("layers", State.asked_compared)},
            plot=lambda result, ax: plots.plot_comparison(result.frame, ax=ax),
            findings=findings.of_compared,
            table=views.named_differences,
            scope=_compared,
        ),
        Panel(
            "inside",
            "Inside",
            "Packages and which build step brought them, distribution, base, who built it and who "
            "signed it; of several tags also what changed. Layers are downloaded.",
            ("packages",),
            asked=State.asked_packages,
            beside={
                name: (name, State.asked_inside)
                for name in ("layers", "distributions", "bases", "provenance", "signatures")
            },
            plot=_packages,
            findings=findings.of_inside,
            table=views.packages_inside,
            columns=(
                *("type", "name", "version", "before", "change", "instruction"),
                *("installed_size", "licence"),
            ),
            scope=_inside,
            downloads=True,
            can_filter=True,
        ),
        Panel(
            "vulnerabilities",
            "Vulnerabilities",
            "What the vulnerabilities that the explorer was given tell of these images, the worst "
            "first, with the build step that brought each.",
            ("vulnerabilities",),
            asked=State.asked_shown,
            held=lambda state: state.told_by("vulnerabilities")[0],
            beside={"layers": ("layers", State.asked_told)},
            plot=_vulnerabilities,
            findings=risks.of_vulnerabilities,
            table=views.worst_vulnerabilities,
            columns=(
                *("repo", "tag", "platform", "id", "severity", "is_exploited", "name", "version"),
                *("fixed_version", "instruction"),
            ),
            scope=_told,
            can_filter=True,
            is_given=True,
        ),
        Panel(
            "references",
            "References",
            "Which files name these images, of the references that the explorer was given.",
            ("references",),
            asked=State.asked_shown,
            held=lambda state: state.told_by("references")[0],
            findings=risks.of_references,
            table=views.wrong_references,
            columns=("file", "line", "written", "wrong", "newest_tag", "is_pinned", "problem"),
            scope=_told,
            can_filter=True,
            is_given=True,
        ),
        Panel(
            "eol",
            "End of life",
            "Until when the products are supported that the tags are of, by their names.",
            ("tags",),
            asked=State.asked_shown,
            held=lambda state: state.shown.reset_index(drop=True) if state.is_whole else None,
            measured="eol_df",
            plot=lambda result, ax: plots.plot_eol(result.frame, ax=ax),
            findings=lambda result: risks.of_ends(result.frame),
            table=views.ended_first,
            columns=(
                *("repo", "tag", "product", "cycle", "eol_at", "days_left", "is_supported"),
                *("extended_until", "latest", "url"),
            ),
            scope=_shown,
        ),
        Panel(
            "layers",
            "Layers",
            "What images are made of, base first. Sizes are compressed.",
            ("layers",),
            plot=lambda result, ax: plots.plot_layers(result.frame, ax=ax),
            columns=("repo", "tag", "platform", "position", "size", "instruction", "layer_digest"),
            scope=_some,
        ),
        Panel(
            "shared",
            "Shared layers",
            "Each layer once: how many images hold it, and what sharing saves.",
            ("layers",),
            measured="shared_layers_df",
            plot=_shared,
            findings=lambda result: findings.of_shared(result.frame),
            table=views.most_saved_first,
            columns=(
                *("size", "image_count", "tag_count", "repo_count", "saved_size"),
                *("first_repo", "first_tag", "instruction", "layer_digest"),
            ),
            scope=_some,
        ),
        Panel(
            "images",
            "Platforms",
            "One image for each platform of a tag.",
            ("images",),
            asked=State.asked_platforms,
            plot=_platforms,
            columns=("repo", "tag", "platform", "size", "created_at", "image_digest"),
            scope=_count,
        ),
        Panel(
            "labels",
            "Labels",
            "Labels and annotations, a column for each image. On Docker Hub each image costs a "
            "pull, once.",
            ("labels",),
            beside={"configs": ("configs", State.asked)},
            plot=_labels,
            table=views.by_image,
            scope=_some,
        ),
        Panel(
            "coverage",
            "Label coverage",
            "Which of the OCI's labels are missing, or say nothing.",
            ("labels", "configs"),
            measured="coverage_df",
            plot=lambda result, ax: plots.plot_coverage(result.frame, ax=ax),
            columns=("repo", "tag", "platform", "key", "state", "reason", "value"),
            scope=_some,
        ),
        Panel(
            "history",
            "History",
            "The build steps; of the first image as a Dockerfile.",
            ("history",),
            text=_dockerfile,
            columns=("repo", "tag", "platform", "step", "instruction", "size", "created_at"),
            scope=_some,
        ),
        Panel(
            "env",
            "Environment",
            "Environment variables, a column for each image. On Docker Hub each image costs a "
            "pull, once.",
            ("env",),
            table=views.by_image,
            scope=_some,
        ),
        Panel(
            "cleanup",
            "Clean-up",
            "What a rule would delete, of all tags. Nothing is deleted.",
            ("tags",),
            asked=lambda state: Asked(state.opened_repos),
            held=lambda state: state.tags if state.is_whole else None,
            measured="cleanup_df",
            rule=("keep", "older_than"),
            plot=lambda result, ax: plots.plot_cleanup(result.frame, ax=ax),
            table=views.deleted_first,
            columns=("repo", "tag", "action", "reason", "size", "pushed_at", "pulled_at"),
        ),
        Panel(
            "limits",
            "Limits",
            "What Docker Hub lets you ask for, and what is left of it.",
            ("limits",),
            asked=lambda _: None,
            table=views.windows_in_hours,
        ),
    )
}


def missing(panel: Panel, state: State) -> str:
    """Say what has to be done before a panel can be shown; empty where it can be."""
    if panel.name == "limits":
        return ""
    if panel.is_given and panel.name not in state.given:
        return f"Give the explorer the frame: hubframe.explore(…, {panel.name}={panel.name})."
    if state.tags.empty:
        return "Open a repository that has tags first."
    if panel.scope is not None and not (panel.is_given or state.taken):
        return "No tag is like that: change the filters."
    if panel.name == "compare" and len(state.compared) < _LEAST_COMPARED:
        return "There is one image only: choose two tags or more in the list."
    return ""

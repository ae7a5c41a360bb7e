"""How the images that files name stand: what registries tell of them, each asked once."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import pandas as pd

from hubframe.errors import HubframeError, NotCachedError, NotFoundError
from hubframe.frames import readers
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.fetching import Item, Survey
from hubframe.frames.selection import Platforms, platforms, suiting
from hubframe.frames.sources import Source
from hubframe.measure.dates import read_now
from hubframe.measure.lifecycle import ends
from hubframe.oci.newer import newest_of_line
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import ImageReference, is_loopback
from hubframe.oci.tagnames import Kind, TagName, read, read_all
from hubframe.tables.references import CHECKED_REFERENCES, REFERENCES
from hubframe.tables.schema import plain_records
from hubframe.tables.shape import OFFICIAL, Image, hub_images, hub_tag
from hubframe.wire import hub
from hubframe.wire.client import Client

USUAL_PLATFORMS = ("linux/amd64", "linux/arm64")
# Names by which containers reach the machine that they run on.
_OF_THIS_MACHINE = (".docker.internal", ".containers.internal")
_NOT_ASKED = (
    "it would be on this machine, and a file may be anybody's: it is not asked for. Name the "
    "registry in insecure_registries, and it is"
)


def checked_references_df(
    references: pd.DataFrame,
    *,
    platform: Platforms = USUAL_PLATFORMS,
    source: Source = "auto",
    now: datetime | str | None = None,
    errors: Errors = "collect",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Tell how the images that files name stand: whether they are there, current, and outdated.

    Each distinct tag is asked for once, and the list of tags of each repository. On Docker Hub
    that costs no pull. Elsewhere the manifest of each tag is read, which registries do not count.
    Of a digest without a tag Docker Hub is asked by HEAD whether it is there, and of one that its
    tag no longer points at any registry.

    Parameters
    ----------
    references
        The table `references`, or rows of it.
    platform
        The platforms that images should have.
    source
        What to ask about Docker Hub: ``"auto"`` asks its API about tags, ``"hub"`` nothing else;
        ``"registry"`` asks for digests, by HEAD.
    now
        The moment that ages count to, a date or its text; None for this moment.
    errors
        ``"collect"``, or ``"raise"`` for what fails. That an image is not there is no failure.
    progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `checked_references`, with the rows of `references` in their order. What cannot
        be known is null: of a repository that is not found, and may be private, whether the image
        exists; of a digest without a tag, whether it is current.

    Examples
    --------
    >>> from hubframe.testing import sample_files
    >>> references = hubframe.references_df(sample_files() / "shop")
    >>> with hubframe.sample():
    ...     checked = hubframe.checked_references_df(references)
    >>> checked[checked["exists"].eq(False)]["written"].tolist()
    ['redis:6.0-alpine']
    """
    named = _named(references)
    wanted, moment = platforms(platform) or [], read_now(now)
    with calling(client, errors, progress) as call:
        for one in references.attrs.get("hubframe", {}).get("failures", ()):
            call.failures[one["ref"], one["error"], one["message"]] = None
        standing = _Standing(call, source)
        standing.ask(named.values())
        told = {text: _told(standing, one, wanted) for text, one in named.items()}
        rows = ({**row, **told.get(row["reference"], {})} for row in plain_records(references))
        frame = CHECKED_REFERENCES.from_records(rows)
        age = (moment - frame["tag_pushed_at"]).dt.days
        frame["age_days"] = age.clip(lower=0).astype(CHECKED_REFERENCES.dtypes["age_days"])
        frame = frame.assign(**ends(frame, moment.to_pydatetime()))
        return call.finish(frame, CHECKED_REFERENCES.name)


def survey(call: Call, references: Any, source: Source) -> tuple[int, Survey]:
    """Note what is needed to check references, without asking; return of how many tags, too.

    It may take more: lists have further pages, and are asked for where a tag is not there; digests
    are where it has moved.
    """
    scratch = call.scratch()
    scratch.survey = Survey()
    return _Standing(scratch, source).ask(_named(references).values()), scratch.survey


def _named(references: Any) -> dict[str, ImageReference]:
    """Read what stands in a frame of references, each once, by its text."""
    REFERENCES.require(references)
    texts = dict.fromkeys(references["reference"].dropna())
    return {text: ImageReference.parse(text) for text in texts}


def _tag_of(reference: ImageReference) -> ImageReference:
    """Return what is asked for: the tag, be there a digest or not; else the digest."""
    return reference.at(tag=reference.tag) if reference.tag else reference


class _Tag(NamedTuple):
    """What is known of a tag, or of a digest."""

    digest: str | None
    images: Sequence[Image] = ()
    size: Any = None
    pushed_at: Any = None

    @property
    def own(self) -> dict[str | None, Image]:
        """Its images by their digests."""
        return {image.digest: image for image in self.images if not image.is_attestation}

    def has(self, digest: str | None) -> bool:
        """Tell whether a digest is its own, or that of one of its images."""
        return digest is not None and (digest == self.digest or digest in self.own)


class _Standing:
    """What registries tell of tags, and of the names of others beside them."""

    def __init__(self, call: Call, source: Source) -> None:
        if source not in ("auto", "hub", "registry"):
            raise ValueError(f'source must be "auto", "hub" or "registry", not {source!r}')
        self._call = call
        self._source = source
        self.tags: dict[ImageReference, _Tag] = {}
        self.names: dict[str, Mapping[str, TagName]] = {}
        self.missing: set[ImageReference] = set()

    def ask(self, references: Iterable[ImageReference]) -> int:
        """Ask for tags and digests, each once, and for the lists that some need.

        Return how many tags and digests it asks for.
        """
        references = list(references)
        tags = dict.fromkeys(map(_tag_of, references))
        asked = [one for one in tags if self._may_be_asked(one)]
        found: dict[ImageReference, Any] = {}
        for batch in self._call.batches(asked, "tags"):
            on_hub = [one for one in batch if one.is_hub]
            found |= self._on_hub([one for one in on_hub if one.tag])
            found |= self._elsewhere([one for one in batch if not one.is_hub])
            if self._source != "hub":
                found |= self._heads([one for one in on_hub if not one.tag])
        listed = self._lists(
            one
            for one, outcome in found.items()
            if isinstance(outcome, NotFoundError)
            # What is not here, of a plan or offline, may be there.
            or (isinstance(outcome, _Tag | NotCachedError) and _is_ordered(one))
        )
        self.tags = {one: told for one, told in found.items() if isinstance(told, _Tag)}
        there = listed | {one.repo for one in self.tags}
        for one, outcome in found.items():
            if one in self.tags:
                continue
            if isinstance(outcome, NotFoundError) and (one.repo in there or _is_official(one)):
                self.missing.add(one)
            else:
                # A repository that is not found may be private.
                self._call.is_good(one, outcome, is_spared=True)
        self._ask_for_pins(references)
        return len(asked)

    def _ask_for_pins(self, references: Iterable[ImageReference]) -> None:
        """Ask whether digests are there that tags no longer point at."""
        left = [one for one in references if one.tag and one.digest and self._has_left(one)]
        pins = dict.fromkeys(one.at(digest=one.digest) for one in left)
        asked = [one for one in pins if one not in self.tags and one not in self.missing]
        for batch in self._call.batches(asked, "digests"):
            for one, outcome in self._heads(batch).items():
                if isinstance(outcome, _Tag):
                    self.tags[one] = outcome
                elif isinstance(outcome, NotFoundError):
                    # The repository is there.
                    self.missing.add(one)
                else:
                    self._call.is_good(one, outcome)

    def _has_left(self, pin: ImageReference) -> bool:
        """Tell whether a tag is gone or has moved, so that its digest is to be asked for."""
        tag = self.tags.get(_tag_of(pin))
        has_moved = tag is not None and not tag.has(pin.digest)
        is_asked = not (pin.is_hub and self._source == "hub")
        return is_asked and (has_moved or _tag_of(pin) in self.missing)

    def _may_be_asked(self, reference: ImageReference) -> bool:
        host = reference.registry
        is_here = is_loopback(host) or host.partition(":")[0].endswith(_OF_THIS_MACHINE)
        is_named = host in self._call.client.settings.insecure_registries
        if reference.is_local or (is_here and not is_named):
            self._call.leave_out(reference, _NOT_ASKED)
            return False
        return True

    def _on_hub(self, references: Sequence[ImageReference]) -> dict[ImageReference, Any]:
        """Ask Docker Hub for tags, without a pull."""
        if self._source == "registry":
            return self._heads(references)
        self._call.sources |= {"hub"} if references else set()
        items = {one: Item("page", one) for one in references}
        answers = self._call.get(items.values())
        return {one: _of_page(one, answers[item]) for one, item in items.items()}

    def _heads(self, references: Sequence[ImageReference]) -> dict[ImageReference, Any]:
        """Ask a registry by HEAD, which costs no pull."""
        self._call.asks(references)
        # A digest is asked for as if it were a tag, since of what is written nothing else is asked.
        items = {one: Item("digest", one.at(tag=one.target)) for one in references}
        answers = self._call.get(items.values())
        return {
            one: at if isinstance(at, HubframeError) else _Tag(at.digest)
            for one, item in items.items()
            for at in [answers[item]]
        }

    def _elsewhere(self, references: Sequence[ImageReference]) -> dict[ImageReference, Any]:
        """Read what tags name in other registries: indexes, or images and their configs."""
        self._call.asks(references)
        items = {one: Item("tag" if one.tag else "manifest", one) for one in references}
        documents = self._call.get(items.values())
        found: dict[ImageReference, Any] = {}
        configs: dict[ImageReference, Item] = {}
        for one, item in items.items():
            try:
                found[one], config = _opened(item, documents[item])
            except HubframeError as error:
                found[one] = error
            else:
                configs |= {one: config} if config else {}
        answers = self._call.get(configs.values())
        for one, config in configs.items():
            # Without its config the platform of an image is not known, and no more is lost.
            with suppress(HubframeError):
                platform = Platform.read(_good(answers[config]).as_object(config))
                images = [replace(image, platform=platform) for image in found[one].images]
                found[one] = found[one]._replace(images=images)
        return found

    def _lists(self, references: Iterable[ImageReference]) -> set[str]:
        """List the tags of repositories, each once; return those that are there."""
        repos = dict.fromkeys(one.at() for one in references)
        on_hub = [one for one in repos if one.is_hub and self._source == "hub"]
        listings = [hub.tags(one.path, None, itemgetter("name")) for one in on_hub]
        gather = partial(self._call.outcomes, title="lists")
        lists: list[Any] = self._call.client.hub.lists(listings, gather)
        outcomes = dict(zip(on_hub, lists, strict=True))
        items = [Item("list", one) for one in repos if one not in outcomes]
        for batch in self._call.batches(items, "lists"):
            answers = self._call.get(batch)
            outcomes |= {item.reference: answers[item] for item in batch}
        for one, outcome in outcomes.items():
            if not isinstance(outcome, HubframeError):
                self.names[one.repo] = read_all(outcome)
            elif not isinstance(outcome, NotFoundError):
                self._call.is_good(one, outcome)
        return set(self.names)


def _good(outcome: Any) -> Any:
    if isinstance(outcome, HubframeError):
        raise outcome
    return outcome


def _of_page(reference: ImageReference, told: Any) -> Any:
    """Return what the Hub tells of a tag; an error stays one."""
    if isinstance(told, HubframeError):
        return told
    tag = hub_tag({**told, "name": reference.tag})
    return _Tag(tag.digest, hub_images(reference.repo, told), tag.size, tag.pushed_at)


def _opened(item: Item, outcome: Any) -> tuple[_Tag, Item | None]:
    """Return what a document tells of a tag, and the config of one that is an image."""
    document = _good(outcome)
    images = readers.images_in(item.reference, document)
    is_index = any(image.index_digest for image in images)
    config = None if is_index else readers.item_of_config(item, document)
    return _Tag(document.digest, images), config


def _is_ordered(reference: ImageReference) -> bool:
    """Tell whether a tag's name may have newer ones."""
    return reference.tag is not None and read(reference.tag).kind >= Kind.NUMBER


def _is_official(reference: ImageReference) -> bool:
    return reference.is_hub and reference.namespace == OFFICIAL


def _told(
    standing: _Standing, reference: ImageReference, wanted: Sequence[Platform]
) -> dict[str, Any]:
    """Return what the frame says of a reference beyond what is written."""
    asked = _tag_of(reference)
    row: dict[str, Any] = {"is_official": _is_official(reference)}
    if reference.tag and reference.repo in standing.names:
        newest = newest_of_line(reference.tag, standing.names[reference.repo])
        # Of a tag that is not there, the newest is another or none.
        if newest and (newest.tag != reference.tag or asked not in standing.missing):
            row |= {
                "newest_tag": newest.tag,
                "versions_behind": newest.versions_behind,
                "behind": newest.behind,
            }
    tag = standing.tags.get(asked)
    is_pin = bool(reference.tag and reference.digest)
    # What is there is the digest, whatever the tag points at.
    one = reference.at(digest=reference.digest) if is_pin else asked
    if one in standing.tags or (is_pin and tag and tag.has(reference.digest)):
        row["exists"] = True
    elif one in standing.missing:
        row["exists"] = False
    if tag is None:
        return row
    own = tag.own
    names = sorted({image.platform_name for image in own.values() if image.platform_name})
    lacking = [name for name, suits in suiting(wanted).items() if not any(map(suits, names))]
    if names:
        row |= {"platforms": " ".join(names), "lacks_platforms": " ".join(sorted(lacking))}
    if reference.tag:
        row |= {"digest_now": tag.digest, "tag_pushed_at": tag.pushed_at, "size": tag.size}
    # Of a tag that was asked for by HEAD no images are known.
    if is_pin and tag.digest and (own or tag.has(reference.digest) or one in standing.missing):
        row["is_current"] = tag.has(reference.digest)
        if reference.digest != tag.digest and row["is_current"] and len(names) > 1:
            platform = own[reference.digest].platform_name
            row["problem"] = f"pinned to {platform or 'one platform'} only"
    return row

"""Documents that are attached to images, fetched in waves: one mechanism for every kind of them.

A kind says which blobs may hold its documents, by what manifests and descriptors tell. A frame of
a kind is a table, and a reader that makes rows of one document. Blobs cost no pull; the manifests
that name them are counted as others are.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

from hubframe.errors import PayloadError
from hubframe.frames.call import Call
from hubframe.frames.fetching import Item
from hubframe.frames.readers import open_chosen
from hubframe.frames.referrers import Tree, trees_of, with_manifests
from hubframe.frames.sources import Found, Wanted
from hubframe.oci.contents import provenance, sboms, signatures, statements
from hubframe.oci.contents.statements import Statement
from hubframe.oci.payload import mapping, text
from hubframe.oci.reference import DIGEST, ImageReference
from hubframe.tables.shape import Referrer
from hubframe.wire.exchange import ATTACHED_LIMIT

Payload = Mapping[str, Any]
Of = TypeVar("Of", "Attached", Referrer)
# How many documents of an image are read; and how many, of how many bytes, are in memory at once.
MOST = 200
_TOGETHER, _ROOM = 64, 2 * ATTACHED_LIMIT
# Where attestations say what their predicates are.
_PREDICATES = ("in-toto.io/predicate-type", "predicateType", "dev.sigstore.bundle.predicateType")
# Artifacts that may hold documents of several kinds, by the start of their types.
_MIXED = ("application/vnd.docker.attestation.manifest.", "application/vnd.dev.cosign.artifact.")
_NOTATION = "application/vnd.cncf.notary.signature"


class Kind(NamedTuple):
    """A kind of documents: which blobs are such, and where they may be."""

    holds: Callable[[str | None, str | None], bool]  # by media type, and predicate where told
    suffixes: tuple[str, ...]  # of cosign's tags
    artifacts: tuple[str, ...] = _MIXED  # by the start of their types
    # Of how many artifacts of an image what is attached to them is of this kind, too.
    followed: int = 0


def _is_provenance(media_type: str | None, predicate: str | None) -> bool:
    is_other = predicate is not None and not predicate.startswith(provenance.PREDICATE)
    return statements.holds_statement(media_type) and not is_other


def _is_sbom(media_type: str | None, predicate: str | None) -> bool:
    is_other = predicate is not None and not sboms.format_of_predicate(predicate)
    is_stated = statements.holds_statement(media_type) and not is_other
    return is_stated or sboms.format_of(media_type) is not None


def _is_signature(media_type: str | None, _predicate: str | None) -> bool:
    return signatures.kind_of(media_type) is not None


PROVENANCE = Kind(_is_provenance, (".att",))
SBOMS = Kind(_is_sbom, (".att", ".sbom"))
# What is stated of an attestation is not stated of the image; a signature of it vouches for it.
SIGNATURES = Kind(_is_signature, (".sig", ".att"), (*_MIXED, _NOTATION), MOST)
# The kind of each frame.
KINDS = {
    "provenance": PROVENANCE,
    "materials": PROVENANCE,
    "dockerfiles": PROVENANCE,
    "sboms": SBOMS,
    "signatures": SIGNATURES,
}


@dataclass(slots=True)
class Attached:
    """A document that is attached to an image, or to its index."""

    referrer: Referrer  # the artifact that holds it, with its manifest
    platform: str | None  # of the image
    subject_kind: str  # image, index, attestation or artifact: what the artifact refers to
    layer: Payload  # its descriptor
    position: int  # its place in the artifact
    body: bytes = b""

    def __str__(self) -> str:
        return str(self.reference)

    @property
    def reference(self) -> ImageReference:
        """Where it is: its digest, in the repository of the image."""
        return ImageReference.parse(self.referrer.repo).at(digest=self.layer["digest"])

    @property
    def repo(self) -> str:
        """The repository of the image."""
        return self.referrer.repo

    @property
    def image(self) -> str:
        """The digest of the image, or of its index."""
        return self.referrer.image

    @property
    def media_type(self) -> str:
        """Its media type."""
        return text(self.layer.get("mediaType")) or ""

    @property
    def annotations(self) -> Payload:
        """What its descriptor says of it."""
        return mapping(self.layer.get("annotations"))

    @property
    def predicate_type(self) -> str | None:
        """The type of its predicate, where its descriptor or the artifact's tells it."""
        told = {**mapping(self.referrer.annotations), **self.annotations}
        return _predicate_of(told)

    @property
    def statement(self) -> Statement | None:
        """What it states; None where nothing says that it states something, and it does not."""
        try:
            return statements.read(self.body, f"the document {self}")
        except PayloadError:
            if self.predicate_type is None:
                return None
            raise

    @property
    def subject(self) -> str:
        """The digest that its artifact refers to."""
        return self.referrer.subject or self.referrer.image

    @property
    def size(self) -> int:
        """How long it is said to be; as long as it may be, where nothing is said."""
        told = self.layer.get("size")
        return told if isinstance(told, int) and told >= 0 else ATTACHED_LIMIT

    @property
    def key(self) -> dict[str, Any]:
        """The columns that all frames of attached documents begin with."""
        one = self.referrer
        return {
            "repo": one.repo,
            "tag": one.tag,
            "platform": self.platform,
            "image_digest": one.image,
            "digest": self.layer["digest"],
        }


def differs(one: Attached, stated: Statement) -> str | None:
    """Say where a document states to be of something else than what it is attached to."""
    if one.image in stated.subjects:
        return None
    found = ", ".join(stated.subjects[:2]) or "nothing"
    return f"the document {one} is attached to {one.image}, and states to be of {found}"


def documents_of(
    call: Call, kind: Kind, tags: Sequence[Found], wanted: Wanted
) -> Iterator[Attached]:
    """Yield the documents of a kind that are attached to images, image by image."""
    opened = partial(open_chosen, wanted=wanted)
    for trees in trees_of(call, tags, opened, kind.followed, kind.suffixes):
        found = [
            list(_first(call, (one for one in tree.in_order if _may_hold(kind, one))))
            for tree in trees
        ]
        flat = iter(with_manifests(call, [*chain.from_iterable(found)], lambda _: True))
        held = (
            _first(call, _held(call, kind, tree, [*islice(flat, len(artifacts))], wanted))
            for tree, artifacts in zip(trees, found, strict=True)
        )
        yield from _with_bodies(call, chain.from_iterable(held))


def _first(call: Call, found: Iterable[Of]) -> Iterator[Of]:
    """Yield so many of each image, and say where there are more."""
    counts: Counter[str] = Counter()
    for one in found:
        counts[one.image] += 1
        if counts[one.image] <= MOST:
            yield one
        else:
            words = f"more than {MOST} documents are attached to it; the others are not read"
            call.leave_out(f"{one.repo}@{one.image}", words)


def _may_hold(kind: Kind, one: Referrer) -> bool:
    """Tell whether the manifest of an artifact has to be read to know what it holds."""
    if one.where.startswith("."):
        return one.where in kind.suffixes
    told = one.artifact_type or ""
    is_known = not one.needs_reading and not told.startswith(kind.artifacts)
    return not is_known or kind.holds(told, _predicate_of(one.annotations))


def _predicate_of(annotations: Payload) -> str | None:
    return next(filter(None, map(text, map(annotations.get, _PREDICATES))), None)


def _held(
    call: Call, kind: Kind, tree: Tree, artifacts: Iterable[Referrer], wanted: Wanted
) -> Iterator[Attached]:
    """Yield what artifacts hold: each document of an image once."""
    platforms = {image.digest: image.platform_name for image in tree.images}
    kinds = {tree.top: "index"}
    for image in tree.images:
        kinds[image.digest or ""] = "attestation" if image.is_attestation else "image"
    seen = set()
    for artifact in artifacts:
        platform = platforms.get(artifact.image)
        subject_kind = kinds.get(artifact.subject or artifact.image, "artifact")
        begun: set[str | None] = set()
        for position, layer in enumerate(artifact.layers):
            one = Attached(artifact, platform, subject_kind, layer, position)
            if not kind.holds(one.media_type, one.predicate_type):
                continue
            if not DIGEST.fullmatch(text(layer.get("digest")) or ""):
                at = f"{artifact.repo}@{artifact.descriptor['digest']}"
                call.leave_out(at, "it names a blob by what is no digest")
                continue
            # BuildKit writes one for each stage that it was asked to look at, the image's first.
            if kind is SBOMS and artifact.where == "index" and not wanted.attestations:
                if one.predicate_type in begun:
                    continue
                begun.add(one.predicate_type)
            # Signatures of one payload differ in what is said beside it.
            same = artifact.image, layer["digest"], signatures.value_beside(one.annotations)
            if same not in seen:
                seen.add(same)
                yield one


def _with_bodies(call: Call, documents: Iterable[Attached]) -> Iterator[Attached]:
    """Fetch documents, some at a time; one that fails is recorded."""
    for group in _groups(call, documents):
        wanted = [Item("attached", one.reference, most=one.size) for one in group]
        answers = call.get(wanted)
        for item, one in zip(wanted, group, strict=True):
            # What is listed and not there costs its own rows alone.
            if call.is_good(one, answers[item], is_spared=True):
                one.body = answers[item].body
                yield one
                one.body = b""


def _groups(call: Call, documents: Iterable[Attached]) -> Iterator[list[Attached]]:
    group: list[Attached] = []
    for one in documents:
        if one.size > ATTACHED_LIMIT:
            words = f"{one}: it has {one.size:,} bytes, more than a document may; not read"
            call.is_good(one, PayloadError(words))
            continue
        if group and (len(group) == _TOGETHER or _size(group) + one.size > _ROOM):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _size(group: Iterable[Attached]) -> int:
    return sum(one.size for one in group)

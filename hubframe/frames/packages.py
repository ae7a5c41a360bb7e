"""What is installed in images: read of their layers, each downloaded once for all such frames."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from threading import Lock
from typing import Any, Literal, TypeVar, get_args

import pandas as pd

from hubframe.errors import PayloadError
from hubframe.frames import attached, quota
from hubframe.frames.attached import SBOMS as KIND
from hubframe.frames.attached import Attached, documents_of
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.files import MOST_BYTES, MOST_ENTRIES, layers_of_images
from hubframe.frames.images import frame_of_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Source, Wanted, check_count, find_tags, read_wanted
from hubframe.oci.archives import Archive, Caps
from hubframe.oci.contents import sboms, statements
from hubframe.oci.contents.binaries import TYPES
from hubframe.oci.contents.databases import APPLICATION, KINDS, OTHER_MANAGERS
from hubframe.oci.contents.distributions import Distribution
from hubframe.oci.contents.layers import Contents, Layer, Same, merge, read_layer
from hubframe.oci.contents.packages import OS_TYPES, Package, write_url
from hubframe.oci.reference import ImageReference
from hubframe.tables import DISTRIBUTIONS, IMAGES, LAYERS, PACKAGES, SBOMS
from hubframe.tables.declarations import OF_IMAGE
from hubframe.tables.schema import plain_values
from hubframe.wire.client import Client

Evidence = Literal["auto", "layers", "sbom", "both"]
# An image, by the table's key; its layers' digests, base first; and what they hold.
Image = tuple[tuple[Any, ...], list[str], Contents]
# The rows of an image: its key, and the other columns of the table.
Group = tuple[tuple[Any, ...], tuple[Sequence[Any], ...]]
T = TypeVar("T")
_USUAL = OS_TYPES | {"pypi", "npm", "conda", "cran", "bitnami"}
_OTHER = frozenset({"gem", "composer", "nuget"})
_ALL = _USUAL | _OTHER | TYPES
_NAMED: Mapping[str, frozenset[str]] = {"usual": _USUAL, "os": OS_TYPES, "all": _ALL}
_KEY = [column.name for column in OF_IMAGE]
_PLATFORM = _KEY.index("platform")
_NOTHING = Layer()
# These are in memory at once, those of lower layers included.
MOST_PACKAGES_OF_CALL = 5_000_000
_OWN = "hubframe"
_WINDOWS = "windows"


def packages_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    kinds: str | Iterable[str] = "usual",
    evidence: Evidence = "auto",
    source: Source = "auto",
    partial: bool = False,
    max_bytes: int = MOST_BYTES,
    max_entries: int = MOST_ENTRIES,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the packages that are installed in images, and since which layer. This downloads layers.

    Where a bill of materials (SBOM) is attached to an image, it can be read instead.

    Each distinct layer is read once, as `files_df` reads it, and what tells of packages is kept
    with the list of its files: then neither that frame nor this one, nor `distributions_df`, asks
    for the layer again. Blobs cost no pull on Docker Hub.

    Parameters
    ----------
    what, tags, newest, platform, source, partial, errors, progress, client
        See `layers_df`. An image of which a layer fails has no rows.
    kinds
        ``"usual"``: deb, apk, rpm, pypi, npm, conda, cran and bitnami. ``"os"``: the packages of
        the system alone (deb, apk, rpm). ``"all"``: also gem, composer, nuget, golang, maven,
        applications of npm themselves, and what else documents name. Or some of these types. The
        modules of Go programs (golang) and the libraries in archives of Java (maven) are told by
        binaries, which are read only where they are asked for: a layer that was read without them
        is downloaded once more.
    evidence
        ``"layers"`` reads the databases of packages in the layers, and the documents that lie
        beside them in the image; ``"sbom"`` the documents that are attached to images, with which
        no layer is downloaded; ``"both"`` tells both apart in the column ``evidence``. ``"auto"``
        takes an attached document where there is one that lists packages, and else layers; on
        Docker Hub always layers, since these cost no pull, and documents do.
    max_bytes, max_entries
        See `files_df`; of the entries those of some images are held in memory at a time, and of
        layers that later images have, too.

    Returns
    -------
    DataFrame
        The table `packages`: of each image's final file system a row per package and database,
        by path. What lower layers had and higher ones removed is not there.

    Notes
    -----
    Databases are those of dpkg (``status`` and ``status.d``), opkg, apk, rpm in its three forms and
    the list that Azure Linux has in place of one, PyPI, npm, conda, CRAN, RubyGems, Composer and
    .NET. What was installed without a package manager stands in none; a bill of materials in the
    image may tell of it, as Bitnami's do of what they install. Its packages are rows with its path,
    but for those that a database tells of, too. An image without any has no rows, nor has one of
    Windows, whose layers are not read, nor one without a document where documents alone are asked
    for. A document may list those of an application alone. Where the system of an image has no
    database, or one that is not read, such as pacman's, Portage's and Nix's, rows are of other
    packages alone. ``frame.attrs["hubframe"]["unknown"]`` says so.

    A layer in which a database is a hard link to a file of another name, as in images of ostree
    and with pnpm's store, is downloaded twice.

    Binaries are read up to 256 MiB each. A database of the system that cannot be read fails; any
    other file ends no call, and is named in ``frame.attrs["hubframe"]["failures"]``.
    """
    wanted_kinds = read_kinds(kinds)
    check_evidence(evidence, source)
    caps = read_caps(max_bytes, max_entries)
    wanted = read_wanted(tags, newest, platform)
    asked = references(what)
    documented = [one for one in asked if asks_for_documents(one, evidence, source)]
    with calling(client, errors, progress) as call:
        layers = frame_of_images(call, LAYERS.name, asked, wanted, source, partial=partial)
        groups, covered = list[Group](), set[Any]()
        if documented:
            documents = _documents(call, documented, wanted, source, partial=partial)
            groups = list(_stated(call, documents, layers))
            covered = {key for key, columns in groups if columns[0] or evidence == "sbom"}
            if evidence != "both":
                stated = [group for group in groups if group[0] in covered]
                _say_what_documents_lack(call, stated, wanted_kinds)
        if evidence == "sbom":
            _say_what_has_no_document(call, layers, covered)
        else:
            is_left = [evidence == "both" or key not in covered for key in _keys(layers)]
            left = layers.loc[is_left]
            unread = _OTHER - wanted_kinds | ({APPLICATION} if wanted_kinds != _ALL else set())
            images = images_of(call, left, caps, unread, with_binaries=has_binaries(wanted_kinds))
            groups += package_groups(call, images, wanted_kinds)
        order = {key: place for place, key in enumerate(dict.fromkeys(_keys(layers)))}
        groups.sort(key=lambda group: order.get(group[0], len(order)))
        found_packages = PACKAGES.from_groups(_of_kinds(groups, wanted_kinds))
        return call.finish(found_packages, PACKAGES.name)


def distributions_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    evidence: Evidence = "auto",
    source: Source = "auto",
    partial: bool = False,
    max_bytes: int = MOST_BYTES,
    max_entries: int = MOST_ENTRIES,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Tell which distribution each image is of, as its ``os-release`` says. This downloads layers.

    Systems from before 2012 have none; theirs is read of ``lsb-release``, ``redhat-release`` and
    such, ``alpine-release`` or ``debian_version`` in ``/etc``.

    Parameters
    ----------
    what, tags, newest, platform, source, partial, max_bytes, max_entries, errors, progress, client
        See `packages_df`.
    evidence
        ``"auto"`` and ``"layers"`` read the files of the image, which say most; ``"sbom"`` the bill
        of materials that is attached to it, with which no layer is downloaded; ``"both"`` tells
        both apart in the column ``evidence``.

    Returns
    -------
    DataFrame
        The table `distributions`, a row per image: with nulls where the image says nothing, as one
        from scratch does. Of Windows the version is that of the config, and no layer is read.
        Without a document that can be read an image has no row of the evidence ``sbom``.
    """
    check_evidence(evidence, source)
    caps = read_caps(max_bytes, max_entries)
    wanted = read_wanted(tags, newest, platform)
    asked = references(what)
    with calling(client, errors, progress) as call:
        layers = frame_of_images(call, LAYERS.name, asked, wanted, source, partial=partial)
        order = {key: place for place, key in enumerate(dict.fromkeys(_keys(layers)))}
        rows = list[tuple[Any, ...]]()
        if evidence in ("sbom", "both"):
            documents = _documents(call, asked, wanted, source, partial=partial)
            for key, told in _read_first(call, documents, _distribution_of):
                order.setdefault(key, len(order))
                rows.append((*key, *(told or Distribution())[:-1], None, None, "sbom"))
        if evidence == "sbom":
            _say_what_has_no_document(call, layers, {row[: len(_KEY)] for row in rows})
        else:
            images = list(images_of(call, layers, caps, KINDS - {"release"}))
            versions = _windows_versions(call, images)
            rows += (_distribution_row(*image, versions) for image in images)
        rows.sort(key=lambda row: order[row[: len(_KEY)]])
        return call.finish(DISTRIBUTIONS.from_rows(rows), DISTRIBUTIONS.name)


def check_evidence(evidence: str, source: Source = "auto") -> None:
    """Refuse what is no evidence of packages, or none that a source knows."""
    if evidence not in get_args(Evidence):
        raise ValueError(f"evidence must be auto, layers, sbom or both, not {evidence!r}")
    if source == "hub" and evidence in ("sbom", "both"):
        raise ValueError(
            f'evidence="{evidence}": the Hub API knows no documents; leave out source="hub"'
        )


def asks_for_documents(asked: ImageReference, evidence: Evidence, source: Source) -> bool:
    """Whether an image's documents are asked for; on Docker Hub they cost pulls."""
    if evidence == "auto":
        return source != "hub" and not asked.is_hub
    return evidence != "layers"


def with_databases(layers: pd.DataFrame) -> pd.DataFrame:
    """Return the layers, with those of Windows, which hold no databases of packages, as empty."""
    is_windows = layers["platform"].fillna("").str.startswith(_WINDOWS)
    return layers.assign(is_empty=layers["is_empty"].fillna(value=False) | is_windows)


def read_caps(max_bytes: int, max_entries: int) -> Caps:
    """Return how much of a layer is read."""
    check_count("max_bytes", max_bytes)
    check_count("max_entries", max_entries)
    return Caps(max_bytes, max_entries)


def read_kinds(kinds: str | Iterable[str]) -> frozenset[str]:
    """Return the types that are wanted."""
    is_one = isinstance(kinds, str) or not isinstance(kinds, Iterable)
    given: list[Any] = [kinds] if is_one else [*kinds]
    known = {*_ALL, *_NAMED}
    unknown = [one for one in given if not isinstance(one, str) or one not in known]
    if unknown or not given:
        raise ValueError(
            f"kinds must be usual, os, all, or some of {', '.join(sorted(_ALL))}, "
            f"not {(unknown or [kinds])[0]!r}"
        )
    return frozenset().union(*(_NAMED.get(one, {one}) for one in given))


def has_binaries(kinds: frozenset[str]) -> bool:
    """Tell whether some of these types are read of binaries."""
    return not kinds.isdisjoint(TYPES)


def _keys(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    return plain_values(frame[_KEY]).itertuples(index=False, name=None)  # type: ignore[no-any-return]


def _documents(
    call: Call, asked: Sequence[ImageReference], wanted: Wanted, source: Source, *, partial: bool
) -> Iterator[Attached]:
    """Read the bills of materials that are attached to images, if there are pulls enough."""
    found = find_tags(call, asked, wanted, source)
    quota.guard(call, SBOMS.name, found, wanted, source, partial=partial)
    return documents_of(call, KIND, found, wanted)


def _stated(call: Call, documents: Iterable[Attached], layers: pd.DataFrame) -> Iterator[Group]:
    """Yield the packages of the first document of each image that can be read."""
    columns = ["image_digest", "position", "layer_digest", "diff_id"]
    places: dict[tuple[Any, Any], tuple[int, str]] = {}
    for image, position, digest, diff_id in plain_values(layers[columns]).itertuples(
        index=False, name=None
    ):
        # The Hub tells no diff ids.
        places |= {(image, name): (int(position), digest) for name in (digest, diff_id) if name}

    def shape(image: str, _: sboms.Payload, sbom: sboms.Sbom) -> tuple[Sequence[Any], ...]:
        listed = list(sbom.packages())
        at = [places.get((image, each.layer_digest or each.diff_id)) for each in listed]
        return _columns(
            [each.package for each in listed],
            [each.purl or write_url(each.package) for each in listed],
            [place or (None, None) for place in at],
            ("sbom", sbom.tool),
        )

    return _read_first(call, documents, shape)


def _distribution_of(_: str, told: sboms.Payload, sbom: sboms.Sbom) -> Distribution | None:
    return sboms.distribution(told, sbom.packages())


def _read_first(
    call: Call, documents: Iterable[Attached], shape: Callable[[str, sboms.Payload, sboms.Sbom], T]
) -> Iterator[tuple[tuple[Any, ...], T]]:
    """Yield what is made of the first document of each image that can be read, with its key."""
    done: set[tuple[Any, ...]] = set()
    # An image of a repository may have several tags; in another one it may have another document.
    made: dict[tuple[str, str], T] = {}
    for one in documents:
        key = (one.repo, one.referrer.tag, one.platform, one.image)
        if key in done:
            continue
        same = one.repo, one.image
        if same not in made:
            what = f"the document {one}"
            try:
                if statements.holds_statement(one.media_type):
                    stated = statements.read(one.body, what)
                    if sboms.format_of_predicate(stated.predicate_type) is None:
                        continue
                    if words := attached.differs(one, stated):
                        call.leave_out(one, words)
                told = sboms.document(one.body, what)
                made[same] = shape(one.image, told, sboms.read(told, what))
            except PayloadError as error:
                call.leave_out(one, str(error))
                continue
        done.add(key)
        yield key, made[same]


def images_of(
    call: Call,
    layers: pd.DataFrame,
    caps: Caps,
    unread: Container[str],
    *,
    with_binaries: bool = False,
) -> Iterator[Image]:
    """Read the layers of images, and lay those of each upon each other.

    Files of the kinds that are `unread` are passed over.
    """
    count, lock = 0, Lock()

    def read_one(archive: Archive) -> Layer:
        nonlocal count
        layer = read_layer(*archive, unread)
        with lock:
            count += sum(len(file.packages) for file in layer.files.values())
            if count > MOST_PACKAGES_OF_CALL:
                raise PayloadError(
                    f"the layers of this call hold more than {MOST_PACKAGES_OF_CALL:,} packages; "
                    "make a call for each image"
                )
        return layer

    read = layers_of_images(
        call,
        with_databases(layers),
        caps,
        read_one,
        _NOTHING,
        with_bodies=True,
        with_binaries=with_binaries,
    )
    for key, digests, own in read:
        contents = merge(own)
        for position, path, why in contents.failures:
            failed = f"{_named(key)}, {path} of the layer {digests[position]}"
            call.is_good(failed, PayloadError(f"{failed}: {why}"))
        for position, path, why in contents.left_out:
            call.leave_out(
                f"{_named(key)}, {path} of the layer {digests[position]}", f"{path}: {why}"
            )
        yield key, digests, contents


def package_groups(call: Call, images: Iterable[Image], kinds: frozenset[str]) -> Iterator[Group]:
    """Shape the packages of images, and say of which kinds that are wanted nothing is known."""
    # Many images have the same packages.
    url_of = lru_cache(maxsize=100_000)(_url)
    for key, digests, contents in images:
        if why := _why_incomplete(key, contents, kinds):
            call.unknown["name", _named(key)] = why
        of = contents.distribution
        system = of.qualifier if of else None
        packages = [package for package, _ in contents.packages]
        yield (
            key,
            _columns(
                packages,
                [url_of(package[:5], system) for package in packages],
                [(position, digests[position]) for _, position in contents.packages],
                ("layers", _OWN),
            ),
        )


def _say_what_has_no_document(
    call: Call, layers: pd.DataFrame, covered: Container[tuple[Any, ...]]
) -> None:
    """Say of which images no document can be read."""
    for key in dict.fromkeys(_keys(layers)):
        if key not in covered:
            call.unknown["name", _named(key)] = "no bill of materials of it can be read"


def _say_what_documents_lack(call: Call, groups: Iterable[Group], kinds: frozenset[str]) -> None:
    """Say of which images the documents list none of a system: they may be of an application."""
    for key, columns in groups:
        if not OS_TYPES.isdisjoint(columns[0]) or kinds.isdisjoint(OS_TYPES):
            continue
        call.unknown["name", _named(key)] = (
            "its bill of materials lists no packages of a system (deb, apk, rpm)"
        )


def _why_incomplete(key: tuple[Any, ...], contents: Contents, kinds: frozenset[str]) -> str | None:
    """Say why packages of an image are not known; None where all of these kinds are."""
    if str(key[_PLATFORM]).startswith(_WINDOWS):
        return "layers of Windows are not read"
    if contents.unread and not kinds.isdisjoint(OS_TYPES):
        told = ", ".join(f"{OTHER_MANAGERS[path]} ({path})" for path in contents.unread)
        return f"the image has packages of {told}, which are not read"
    if contents.failures:
        return None
    if not contents.packages:
        return "the image has no database of packages"
    has_system = any(package.type in OS_TYPES for package, _ in contents.packages)
    if contents.distribution is None or has_system or kinds.isdisjoint(OS_TYPES):
        return None
    system = contents.distribution.qualifier or contents.distribution.name
    return f"the image has no database of its system's packages (deb, apk, rpm): it is of {system}"


def _url(same: Same, distribution: str | None) -> str:
    """Write the URL of packages that are the same."""
    return write_url(Package(*same), distribution if same[0] in OS_TYPES else None)


def _columns(
    packages: Sequence[Package],
    urls: Sequence[str],
    places: Sequence[tuple[int | None, str | None]],
    told_by: tuple[str, str | None],
) -> tuple[Sequence[Any], ...]:
    """Put the columns of an image's packages into the order of the table."""
    of_package = zip(*packages, strict=True) if packages else [()] * len(Package._fields)
    kind, name, version, namespace, architecture, source, source_version, *rest = of_package
    licence, size, path, is_direct = rest
    position, digest = zip(*places, strict=True) if places else ((), ())
    evidence, tool = ((one,) * len(packages) for one in told_by)
    return (
        kind, namespace, name, version, architecture, source, source_version, urls,
        licence, size, position, digest, path, evidence, tool, is_direct,
    )  # fmt: skip


def _of_kinds(groups: Iterable[Group], kinds: frozenset[str]) -> Iterator[Group]:
    """Leave out packages of other kinds."""
    for key, columns in groups:
        # Documents may tell of types that are none here.
        is_wanted = [kinds == _ALL or kind in kinds for kind in columns[0]]
        if all(is_wanted):
            yield key, columns
        else:
            yield key, tuple(list(compress(column, is_wanted)) for column in columns)


def _distribution_row(
    key: tuple[Any, ...],
    digests: list[str],
    contents: Contents,
    versions: Mapping[tuple[Any, ...], Any],
) -> tuple[Any, ...]:
    if key in versions:
        return (*key, _WINDOWS, None, versions[key], *[None] * 6, "config")
    at = contents.distribution_position
    *told, path = contents.distribution or Distribution()
    return (*key, *told, None if at is None else digests[at], path, "layers")


def _windows_versions(call: Call, images: Iterable[Image]) -> dict[tuple[Any, ...], Any]:
    """Return the versions of Windows images, which the images' frame tells."""
    keys = [key for key, _, _ in images if str(key[_PLATFORM]).startswith(_WINDOWS)]
    if not keys:
        return {}
    what = pd.DataFrame(keys, columns=_KEY, dtype="str")
    wanted = read_wanted(None, None, sorted({str(key[_PLATFORM]) for key in keys}))
    frame = frame_of_images(call, IMAGES.name, what[["repo", "tag"]], wanted, "auto", partial=False)
    rows = plain_values(frame[[*_KEY, "os_version"]]).itertuples(index=False, name=None)
    told = {tuple(key): version for *key, version in rows}
    return {key: told.get(key) for key in keys}


def _named(key: tuple[Any, ...]) -> str:
    repo, tag, platform, digest = key
    # A document may be about all images of an index.
    return f"{repo}:{tag} {platform or 'of all platforms'}" if tag else f"{repo}@{digest}"

"""What the scanners of registries found in images: their vulnerabilities."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from hubframe.errors import HubframeError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.fetching import Item
from hubframe.frames.readers import read_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import Found, Wanted, find_tags, provider_that, read_wanted
from hubframe.oci.reference import ImageReference
from hubframe.tables.shape import Image
from hubframe.tables.vulnerabilities import MEANING, VULNERABILITIES
from hubframe.wire.client import Client
from hubframe.wire.providers import Provider
from hubframe.wire.providers.provider import Scan

_WHO = (
    "only Quay, Harbor and Amazon ECR tell what their scanners found: quay.io, and hosts that "
    "HUBFRAME_PROVIDERS=host=harbor or Settings(providers=…) names. Of other images "
    "hubframe.read_trivy and hubframe.read_grype read your own scans"
)
SCANS = "scans"


def scans_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the vulnerabilities that the scanners of registries found in images.

    Quay has Clair, Harbor a scanner of each project, most often trivy, and Amazon ECR its own or
    Inspector: quay.io, and hosts that ``Settings(providers={"harbor.example": "harbor"})`` names.
    It costs a request for each distinct image, and what tells which images there are.

    Parameters
    ----------
    what, tags, newest, platform, errors, progress, client
        See `layers_df`.

    Returns
    -------
    DataFrame
        The table `vulnerabilities`, a row per package and vulnerability, in the order of the
        images. Clair and Inspector tell the layer of each package.
        ``frame.attrs["hubframe"]["sources"]`` says which scanners these were, and when they looked,
        where that is told.

    Raises
    ------
    NotFoundError
        An image that was named has no scan, or the registry has no scanner. In a call for all tags
        that is a failure which does not end it: `IncompleteWarning` says how many.
    UnauthorizedError
        The login may not see it; or the scanner of Quay is switched off, which it says so.
    ValueError
        The registry has no scans; the message says which do.

    Notes
    -----
    No row does not mean safe: it means that this scanner knew of nothing, or that the image is
    among ``frame.attrs["hubframe"]["failures"]``, with what hinders its scan.

    Examples
    --------
    >>> with hubframe.sample():
    ...     found = hubframe.scans_df("quay.io/acme/agent:latest")
    >>> found[["id", "name", "severity", "position"]].head(1).to_numpy().tolist()
    [['CVE-2024-99001', 'openssl', 'high', 0]]
    """
    asked = references(what)
    wanted = read_wanted(tags, newest, platform)
    with calling(client, errors, progress) as call:
        known = providers(call.client, asked)
        call.sources |= {provider.kind for provider in known.values()}
        found = find_tags(call, asked, wanted, "auto")
        named = {str(one) for one in found if one.is_named}
        sources: Counter[tuple[str, str | None]] = Counter()
        rows = _found(call, known, scans_of(call, found, wanted), named, sources)
        frame = call.finish(VULNERABILITIES.from_records(rows), VULNERABILITIES.name)
        frame.attrs["hubframe"]["sources"] = [
            {"tool": tool, "reported_at": date, "count": count}
            for (tool, date), count in sources.items()
        ]
        frame.attrs["hubframe"]["meaning"] = MEANING
        return frame


def providers(client: Client, asked: Iterable[ImageReference]) -> dict[str, Provider]:
    """Return what has a scanner, by registry; a ValueError where nothing has."""
    return {one.registry: provider_that(client, one, "scanner", _WHO) for one in asked}


def scans_of(
    call: Call, found: Sequence[Found], wanted: Wanted
) -> Iterator[tuple[Image, Scan | HubframeError]]:
    """Read the images of tags, and ask for the scans of these, each once; some at a time.

    Each may be of thousands of vulnerabilities.
    """
    images = [one for one in read_images(call, SCANS, found, wanted, "auto") if one.digest]
    for batch in call.batches(images, SCANS):
        items = [Item("scan", ImageReference.parse(f"{one.repo}@{one.digest}")) for one in batch]
        answers = call.get(items)
        yield from ((image, answers[item]) for image, item in zip(batch, items, strict=True))


def _found(
    call: Call,
    known: Mapping[str, Provider],
    scans: Iterable[tuple[Image, Scan | HubframeError]],
    named: Collection[str],
    sources: Counter[tuple[str, str | None]],
) -> Iterator[Mapping[str, Any]]:
    """Yield what was found in images, and count by whom."""
    for image, scan in scans:
        if isinstance(scan, HubframeError):
            name = f"{image.repo}:{image.tag}" if image.tag else f"{image.repo}@{image.digest}"
            call.is_good(name, scan, is_spared=name not in named)
            continue
        sources[scan.tool, scan.reported_at] += 1
        yield from _rows(image, known[ImageReference.parse(image.repo).registry], scan)


def _rows(image: Image, provider: Provider, scan: Scan) -> Iterator[Mapping[str, Any]]:
    """Make rows of what was found in an image, and say where the layers are that are named."""
    layers = image.content.descriptors if image.content else []
    positions = {one.get("digest"): position for position, one in reversed([*enumerate(layers)])}
    about = {
        "repo": image.repo,
        "tag": image.tag,
        "platform": image.platform_name,
        "image_digest": image.digest,
        "evidence": provider.scanner,
        "tool": scan.tool,
    }
    # What is listed twice is there once.
    distinct = {tuple(row.get(name) for name in VULNERABILITIES.key): row for row in scan.rows}
    for row in distinct.values():
        yield {**row, **about, "position": positions.get(row.get("layer_digest"))}

"""What the scanners of registries found in images: their vulnerabilities."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from hubframe.errors import HubframeError
from hubframe.frames.call import Call, Errors, calling
from hubframe.frames.readers import read_images
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What, references
from hubframe.frames.sources import find_tags, provider_that, read_wanted
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

# The scans of so many images are held at a time: each may be of thousands of vulnerabilities.
_TOGETHER = 512


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
        providers = {
            one.registry: provider_that(call.client, one, "scanner", _WHO) for one in asked
        }
        call.sources |= {provider.kind for provider in providers.values()}
        found = find_tags(call, asked, wanted, "auto")
        images = [one for one in read_images(call, "scans", found, wanted, "auto") if one.digest]
        named = {str(one) for one in found if one.is_named}
        sources: Counter[tuple[str, str | None]] = Counter()
        rows = _found(call, providers, images, named, sources)
        frame = call.finish(VULNERABILITIES.from_records(rows), VULNERABILITIES.name)
        frame.attrs["hubframe"]["sources"] = [
            {"tool": tool, "reported_at": date, "count": count}
            for (tool, date), count in sources.items()
        ]
        frame.attrs["hubframe"]["meaning"] = MEANING
        return frame


def _found(
    call: Call,
    providers: Mapping[str, Provider],
    images: Sequence[Image],
    named: Collection[str],
    sources: Counter[tuple[str, str | None]],
) -> Iterator[Mapping[str, Any]]:
    """Ask for the scans of images, each once, and yield what they found; some at a time."""
    for start in range(0, len(images), _TOGETHER):
        some = {
            image: ImageReference.parse(f"{image.repo}@{image.digest}")
            for image in images[start : start + _TOGETHER]
        }
        distinct = list(dict.fromkeys(some.values()))
        outcomes = call.outcomes(partial(_scan, providers), distinct, "scans")
        told = dict(zip(distinct, outcomes, strict=True))
        for image, reference in some.items():
            scan = told[reference]
            if isinstance(scan, HubframeError):
                name = f"{image.repo}:{image.tag}" if image.tag else str(reference)
                call.is_good(name, scan, is_spared=name not in named)
                continue
            sources[scan.tool, scan.reported_at] += 1
            yield from _rows(image, providers[reference.registry], scan)


def _scan(providers: Mapping[str, Provider], image: ImageReference) -> Scan:
    return providers[image.registry].scan(image.path, image.digest or "")


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

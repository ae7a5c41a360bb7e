"""What official images were built on, as Docker's builds.json says.

It is a file of https://github.com/docker-library/meta: an object with an entry for each build,
which names the images that came of it and what each ``FROM`` was at that time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci import payload
from hubframe.oci.payload import items, mapping, text
from hubframe.oci.reference import DIGEST

# Ten times what it has today. [bytes]
_MOST = 2 * 1024**3


class Build(NamedTuple):
    """An official image, and the last ``FROM`` of its build."""

    image_digest: str
    base_name: str  # as it is written, `alpine:3.18`
    base_digest: str | None  # of the platform's image that it was; null where that is not told


def read_builds(path: str | Path) -> list[Build]:
    """Read a file; PayloadError where it is none."""
    file = Path(path)
    if file.stat().st_size > _MOST:
        raise PayloadError(f"{file}: more than {_MOST:,} bytes; no builds.json is as large")
    return list(builds(file.read_bytes(), file))


def builds(body: bytes, what: object) -> Iterator[Build]:
    """Read the builds; PayloadError for what is no JSON object.

    An entry that lacks something is left out. Of a base with several images of an architecture, as
    those of Windows are, any may be it.
    """
    for entry in payload.parse(body, what).values():
        build = mapping(mapping(entry).get("build"))
        architecture = text(build.get("arch")) or ""
        source = mapping(mapping(mapping(entry).get("source")).get("arches"))
        base = text(mapping(source.get(architecture)).get("lastStageFrom"))
        if base is None or base == "scratch":
            continue
        parent = mapping(mapping(build.get("resolvedParents")).get(base))
        digests: list[str | None] = [*_digests(parent)] or [None]
        for image in _digests(build.get("resolved")):
            yield from (Build(image, base, digest) for digest in digests)


def _digests(resolved: Any) -> Iterator[str]:
    """Yield the digests of the images that an index names."""
    for one in items(mapping(resolved).get("manifests")):
        digest = text(one.get("digest"))
        is_image = mapping(one.get("platform")).get("os") != "unknown"
        if is_image and digest and DIGEST.fullmatch(digest):
            yield digest

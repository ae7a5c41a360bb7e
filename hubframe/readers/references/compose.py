"""Compose files: the images of services, with variables by their defaults and by ``.env``."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hubframe.readers.references import dockerfiles
from hubframe.readers.references.documents import Node, Path, field_of, walk
from hubframe.readers.references.found import BASE, RUN, Found, plain
from hubframe.readers.references.variables import Text, expand

_ASSIGNED = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.]*)[ \t]*=[ \t]*"
    r"(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s#]*))",
    re.ASCII | re.MULTILINE,
)
_IMAGE = "docker-image://"


def references(document: Node, values: Mapping[str, Text]) -> Iterator[Found]:
    """Find the images of a compose file.

    The name that is given to what a service builds is none.
    """
    for path, service in walk(document):
        fields: dict[str, Any] = dict(service.items)
        image, build = fields.get("image"), fields.get("build")
        is_service = len(path) == 1 or path[:-1] == ("services",)
        if build is not None and is_service:
            yield from _of_build(build, (*path, "build"), values)
        elif image is not None and image.text and path and path[0] not in _OTHERS:
            one = plain(image, field_of((*path, "image")), RUN, expand(image.text, values))
            one.platform = fields["platform"].text if "platform" in fields else None
            yield one


# Top-level elements whose entries are no services.
_OTHERS = ("volumes", "networks", "configs", "secrets", "models")


def _of_build(build: Node, path: Path, values: Mapping[str, Text]) -> Iterator[Found]:
    """Find the images in what a service is built of."""
    inline = build.get("dockerfile_inline")
    if inline.text:
        for one in dockerfiles.references(inline.text.replace("$$", "$")):
            one.line += inline.line
            one.field = f"{field_of((*path, 'dockerfile_inline'))} {one.field}"
            yield one
    yield from contexts(build.get("additional_contexts"), (*path, "additional_contexts"), values)


def contexts(node: Node, path: Path, values: Mapping[str, Text] | None = None) -> Iterator[Found]:
    """Find the images among named contexts of a build."""
    for name, context in node.items:
        if context.text and context.text.startswith(_IMAGE):
            written = context.text.removeprefix(_IMAGE)
            text = Text(written) if values is None else expand(written, values)
            yield Found(context.line, field_of((*path, name)), BASE, written, text)


def named_files(document: Node) -> Iterator[str]:
    """Yield the Dockerfiles that services are built by, relative to the file."""
    for _, service in document.get("services").items:
        build = service.get("build")
        name, context = build.get("dockerfile").text, build.text or build.get("context").text or "."
        if name and "://" not in context:
            yield f"{context}/{name}"


def assigned(text: str) -> dict[str, Text]:
    """Read the variables of a ``.env`` file."""
    values: dict[str, Text] = {}
    for name, double, single, other in _ASSIGNED.findall(text):
        values[name] = Text(single) if single else expand(double or other, values)
    return values

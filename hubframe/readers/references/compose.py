"""Compose files: the images of services, with variables by their defaults and by ``.env``."""

import re
from collections.abc import Iterator, Mapping

from hubframe.readers.references import dockerfiles
from hubframe.readers.references.documents import Node, Path, field_of, walk
from hubframe.readers.references.files import COMPOSE, DOCKERFILE
from hubframe.readers.references.found import BASE, RUN, Found, plain
from hubframe.readers.references.variables import Text, expand

_ASSIGNED = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.]*)[ \t]*=[ \t]*"
    r"(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s#]*))",
    re.ASCII | re.MULTILINE,
)
_IMAGE = "docker-image://"


def has_services(document: Node) -> bool:
    """Tell whether a document has services that are images."""
    services = document.get("services").items
    return any(service.get("image").text for _, service in services)


def references(document: Node, values: Mapping[str, Text]) -> Iterator[Found]:
    """Find the images of a compose file.

    The name that is given to what a service builds is none.
    """
    known: dict[int, dict[str, Node]] = {}
    for path, holder in walk(document):
        fields = dict(holder.items)
        is_service = len(path) == 1 or path[:-1] == ("services",)
        if "build" in fields and is_service:
            yield from _of_build(fields["build"], (*path, "build"), values)
        merged = _merged(holder, known)
        is_built = is_service and "build" in merged
        # A volume may be an image, too.
        key = "source" if holder.get("type").text == "image" else "image"
        node, platform = fields.get(key, Node(1)), merged.get("platform", Node(1))
        if node.text and not is_built and path and path[0] not in _OTHERS:
            one = plain(node, field_of((*path, key)), RUN, expand(node.text, values))
            asked = expand(platform.text or "", values)
            one.platform = None if asked.unknown else asked.text
            yield one


def _merged(holder: Node, known: dict[int, dict[str, Node]]) -> dict[str, Node]:
    """Return what a service is built of and runs on, also where it takes that from others."""
    if id(holder) not in known:
        known[id(holder)] = found = {
            key: node for key, node in holder.items if key in ("build", "platform")
        }
        base = holder.get("<<")
        for other in (base, *base.entries):
            found |= {**_merged(other, known), **found} if other.value else {}
    return known[id(holder)]


# Top-level elements whose entries are no services.
_OTHERS = ("volumes", "networks", "configs", "secrets", "models")


def _of_build(build: Node, path: Path, values: Mapping[str, Text]) -> Iterator[Found]:
    """Find the images in what a service is built of."""
    inline, others = build.get("dockerfile_inline"), build.get("additional_contexts")
    named = {name.lower() for name, _ in others.items}
    for one in dockerfiles.references((inline.text or "").replace("$$", "$")):
        if one.text.text.lower() not in named:
            one.line += inline.line
            one.field = f"{field_of((*path, 'dockerfile_inline'))} {one.field}"
            yield one
    yield from contexts(others, (*path, "additional_contexts"), values)


def contexts(node: Node, path: Path, values: Mapping[str, Text] | None = None) -> Iterator[Found]:
    """Find the images among named contexts of a build."""
    for name, context in node.items:
        if context.text and context.text.startswith(_IMAGE):
            written = context.text.removeprefix(_IMAGE)
            text = Text(written) if values is None else expand(written, values)
            yield Found(context.line, field_of((*path, name)), BASE, written, text)


def named_files(document: Node) -> Iterator[tuple[str, str]]:
    """Yield the files that a compose file names, relative to it, and what they are.

    They are the Dockerfiles of its services, and the compose files that it includes and extends.
    """
    for _, service in document.get("services").items:
        build = service.get("build")
        name, context = build.get("dockerfile").text, build.text or build.get("context").text or "."
        if name and "://" not in context:
            yield f"{context}/{name}", DOCKERFILE
        if extended := service.get("extends", "file").text:
            yield extended, COMPOSE
    for include in document.get("include").entries:
        paths = include.get("path")
        for node in (include, paths, *paths.entries):
            if node.text:
                yield node.text, COMPOSE


def assigned(text: str) -> dict[str, Text]:
    """Read the variables of a ``.env`` file."""
    values: dict[str, Text] = {}
    for name, double, single, other in _ASSIGNED.findall(text):
        values[name] = Text(single) if single else expand(double or other, values)
    return values

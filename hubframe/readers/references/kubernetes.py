"""Kubernetes: manifests, Kustomize's files, and values of Helm's charts."""

import re
from collections.abc import Iterator
from typing import Any

from hubframe.readers.references.documents import Node, Path, field_of, walk
from hubframe.readers.references.found import INIT, RUN, TEMPLATE, Found, plain
from hubframe.readers.references.variables import UNKNOWN, Text, expand

_OF_IMAGE = re.compile("image$", re.IGNORECASE)
_FIELD = re.compile(r"\s*(?:-\s+)?image:\s+[\"']?([^\s\"'#]+)")
# A definition of a resource describes fields; what it says of images is no image.
_DEFINITION = "CustomResourceDefinition"


def is_manifest(document: Node) -> bool:
    """Tell whether a document is one of Kubernetes."""
    return bool(document.get("apiVersion").text and document.get("kind").text)


def references(document: Node) -> Iterator[Found]:
    """Find the images of a manifest: fields ``image``, as text or in parts, and volumes."""
    if document.get("kind").text == _DEFINITION:
        return
    for path, holder in walk(document):
        fields: dict[str, Any] = dict(holder.items)
        if _is_image(path) and _repository(fields, is_image=True):
            yield _joined(fields, path, is_image=True)
            continue
        for key, node in holder.items:
            is_volume = key == "reference" and path[-1:] == ("image",)
            if node.text and (key == "image" or is_volume):
                role = INIT if "initContainers" in path else RUN
                yield plain(node, field_of((*path, key)), role, expand(node.text, {}))


def by_line(text: str, after: int) -> Iterator[Found]:
    """Find images behind a line of a manifest that is no YAML, by the fields ``image`` alone."""
    for number, line in enumerate(text.split("\n"), 1):
        found = _FIELD.match(line)
        if found and number > after:
            yield Found(number, "image", RUN, found[1], expand(found[1], {}))


def of_kustomization(document: Node) -> Iterator[Found]:
    """Find the images that a kustomization puts in place of others."""
    for place, image in enumerate(document.get("images").entries):
        fields = {key: node.text for key, node in image.items if node.text}
        name, tag, digest = (fields.get(key) for key in ("newName", "newTag", "digest"))
        is_changed = bool(name or tag or digest)
        name = name or fields.get("name")
        if name and is_changed:
            # With a digest the tag is ignored.
            end = f"@{digest}" if digest else f":{tag}" if tag else ""
            written = f"{name}{end}"
            yield Found(image.line, f"images[{place}]", RUN, written, Text(written))


def of_values(document: Node) -> Iterator[Found]:
    """Find the images among the values of a chart, by their shape.

    They are text under a key such as ``image`` or ``sidecarImage``, or a mapping with a repository
    and a tag. Where no tag is given, the chart's templates choose one.
    """
    for path, holder in walk(document):
        fields: dict[str, Any] = dict(holder.items)
        is_image = _is_image(path)
        if _repository(fields, is_image=is_image):
            yield _joined(fields, path, is_image=is_image)
            continue
        for key, node in holder.items:
            if node.text and _OF_IMAGE.search(key):
                yield plain(node, field_of((*path, key)), RUN)


def _is_image(path: Path) -> bool:
    """Tell whether a mapping stands under a key such as ``image`` or ``sidecarImage``."""
    return bool(path) and isinstance(path[-1], str) and _OF_IMAGE.search(path[-1]) is not None


def _repository(fields: dict[str, Any], *, is_image: bool) -> Node | None:
    """Return where the name of an image stands that is written in parts."""
    # A chart has a repository and a version, too.
    marks = ("tag", "digest", "version") if is_image else ("tag", "digest")
    is_tagged = any(key in fields for key in marks)
    names = ("repository", "repo", "name") if is_image else ("repository",)
    found = next((fields[key] for key in names if key in fields and fields[key].text), None)
    whole = fields.get("image")
    if found is None and "tag" in fields and whole is not None and whole.text:
        # image: registry/name, and tag: beside it.
        found = whole
    return found if is_tagged or (is_image and "repository" in fields) else None


def _joined(fields: dict[str, Any], path: Path, *, is_image: bool) -> Found:
    """Put the parts of a reference together."""
    name = _repository(fields, is_image=is_image) or Node(1)
    registry, tag, version, digest = (
        fields[key].text if key in fields else None
        for key in ("registry", "tag", "version", "digest")
    )
    tag = tag or version
    written = f"{registry}/{name.text}" if registry else str(name.text)
    if tag and tag.startswith("sha256:"):
        tag, digest = None, tag
    if digest:
        written += f":{tag}@{digest}" if tag else f"@{digest}"
    elif tag:
        written += f":{tag}"
    else:
        # A tag within the name, or none, which the chart chooses.
        is_whole = ":" in written.rpartition("/")[2] or "@" in written
        unknown = Text(written if is_whole else f"{written}:{UNKNOWN}")
        return Found(
            name.line, field_of(path), RUN, written, unknown, None if is_whole else TEMPLATE
        )
    return Found(name.line, field_of(path), RUN, written, Text(written))

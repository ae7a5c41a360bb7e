"""Kubernetes: manifests, Kustomize's files, and values of Helm's charts."""

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping

from hubframe.readers.references.documents import Node, Path, field_of, walk
from hubframe.readers.references.found import (
    INIT,
    RUN,
    TEMPLATE,
    Found,
    is_whole,
    parsed,
    plain,
)
from hubframe.readers.references.variables import UNKNOWN, Text, expand, fill, joined

# Fields of other resources that may hold one, beside much else.
_MAY_BE_IMAGES = ("image", "imagename")
_FIELD = re.compile(r"\s*(?:-\s+)?image:\s+[\"']?([^\s\"'#]+)")
# A definition of a resource describes fields; what it says of images is no image.
_DEFINITION = "CustomResourceDefinition"
# Of a repository whose tags Flux follows, a policy chooses the tag.
_REPOSITORY = "ImageRepository"
# What OpenShift builds on and imports, beside images of its own.
_IMPORTED = "DockerImage"
# Where an image is a word, a block device, or what is built: of Shipwright and Strimzi.
_NO_IMAGES = ("annotations", "labels", "matchLabels", "rbd", "output")
# Where a release has the values of its chart: of Flux, and of Argo CD.
_VALUES = ("values", "valuesObject")
# How Tekton's tasks and templates of OpenShift write a parameter.
_PARAMETER = re.compile(r"\$\((.{0,200}?)\)")
_SPELLINGS = ("{}", "params.{}", "inputs.params.{}", "params['{}']", 'params["{}"]')
# The parts of a reference: its name in a mapping of its own, or among other values of a chart.
_NAMES = ("repository", "repo", "name", "image")
_NAMES_IN_CHART = ("repository", "image", "imageName", "imageRepository")
_OF_OTHERS = re.compile(r"[\w.+-]+://|[\w.-]+@[\w.-]+:.*/")
_REGISTRY, _TAG, _DIGEST = ("registry", "hub"), ("tag", "imageTag"), ("digest", "imageDigest")

Fields = Mapping[str, Node]


def is_manifest(document: Node) -> bool:
    """Tell whether a document is one of Kubernetes."""
    return bool(document.get("apiVersion").text and document.get("kind").text)


def references(document: Node) -> Iterator[Found]:
    """Find the images of a manifest: fields ``image``, as text or in parts, and volumes.

    Values of a chart in it are read as those are. Parameters have their defaults.
    """
    kind, built = document.get("kind").text, _built(document)
    for one in _found(document) if kind != _DEFINITION else ():
        if kind == _REPOSITORY and not is_whole(one.written):
            one.text, one.problem = Text(f"{one.written}:{UNKNOWN}"), TEMPLATE
        if one.written not in built:
            yield one


def _found(document: Node) -> Iterator[Found]:
    scopes: list[tuple[Path, ChainMap[str, Text]]] = [((), ChainMap())]
    for path, holder in walk(document):
        if any(key in path[:-1] for key in _VALUES):
            continue
        if path and path[-1] in _VALUES:
            yield from of_values(holder, path)
        elif not path or path[-1] not in _NO_IMAGES:
            fields: Fields = dict(holder.items)
            while path[: len(scopes[-1][0])] != scopes[-1][0]:
                scopes.pop()
            if own := _defaults(fields, scopes[-1][1]):
                scopes.append((path, scopes[-1][1].new_child(own)))
            yield from _of_manifest(path, holder, fields, scopes[-1][1])


def _built(document: Node) -> set[str | None]:
    """Name what Skaffold builds, which its tests, charts and others take."""
    configs = [document, *document.get("profiles").entries]
    artifacts = (one for config in configs for one in config.get("build", "artifacts").entries)
    return {one.get("image").text for one in artifacts}


def _of_manifest(
    path: Path, holder: Node, fields: Fields, values: Mapping[str, Text]
) -> Iterator[Found]:
    if "images" in fields:
        yield from _put_in_place(fields["images"], (*path, "images"))
    if found := _in_parts(path, fields):
        yield found
        return
    is_imported = path[-1:] == ("from",) and "kind" in fields and fields["kind"].text == _IMPORTED
    other = "name" if is_imported else "reference" if path[-1:] == ("image",) else None
    # Of a template that chooses between two, a field may be there twice.
    for key, node in holder.items:
        is_image = key in ("image", other)
        may_be = is_image or key.lower().endswith(_MAY_BE_IMAGES)
        if may_be and node.text and (is_image or is_whole(node.text)):
            role = INIT if "initContainers" in path else RUN
            yield plain(node, field_of((*path, key)), role, _with_parameters(node.text, values))


def _defaults(fields: Fields, values: Mapping[str, Text]) -> dict[str, Text]:
    """Read what parameters are unless somebody says otherwise."""
    found: dict[str, Text] = {}
    for key in ("params", "parameters"):
        for each in fields[key].entries if key in fields else ():
            name, value = each.get("name").text, each.get("default").text or each.get("value").text
            if name and value:
                text = _with_parameters(value, values)
                found |= {spelling.format(name): text for spelling in _SPELLINGS}
    return found


def _with_parameters(written: str, values: Mapping[str, Text]) -> Text:
    expanded = expand(written, values)
    return joined([fill(expanded.text, _PARAMETER, values), Text("", expanded.unknown)])


def by_line(text: str, after: int) -> Iterator[Found]:
    """Find images behind a line of a manifest that is no YAML, by the fields ``image`` alone."""
    for number, line in enumerate(text.split("\n"), 1):
        found = _FIELD.match(line)
        if found and number > after:
            yield Found(number, "image", RUN, found[1], expand(found[1], {}))


def of_kustomization(document: Node) -> Iterator[Found]:
    """Find the images that a kustomization puts in place of others."""
    yield from _put_in_place(document.get("images"), ("images",))


def _put_in_place(images: Node, path: Path) -> Iterator[Found]:
    """Find images that are put in place of others; for Argo CD ``name=image`` is one, too."""
    for place, image in enumerate(images.entries):
        fields = {key: node.text for key, node in image.items if node.text}
        name, tag, digest = (fields.get(key) for key in ("newName", "newTag", "digest"))
        # With a digest the tag is ignored; without either it stays what it was in some manifest.
        end = f"@{digest}" if digest else f":{tag}" if tag else ""
        written = f"{name or fields.get('name') or ''}{end}" if name or end else ""
        if path[-2:-1] == ("kustomize",) and image.text:
            written = end = image.text.rpartition("=")[2]
        if written:
            text = Text(written if end else f"{written}:{UNKNOWN}")
            problem = None if end else TEMPLATE
            yield Found(image.line, field_of((*path, place)), RUN, written, text, problem)


def of_values(document: Node, at: Path = ()) -> Iterator[Found]:
    """Find the images among the values of a chart, by their shape.

    They are text under a key such as ``image`` or ``sidecarImage``, or a mapping with a repository
    and a tag. Where no tag is given, the chart's templates choose one, unless it is a container's.
    A registry for all images takes the place of each one's own, as is the custom of charts, or
    counts for those that have none.
    """
    common = document.get("global")
    registries = (common.get("imageRegistry").text, common.get("image", "registry").text)
    for inner, holder in walk(document):
        path, fields = (*at, *inner), dict(holder.items)
        if found := _in_parts(path, fields, registries, is_chart=True):
            yield found
            continue
        for key, node in holder.items:
            is_listed = "images" in inner[-2:] and is_whole(node.text or "")
            if node.text and (key.lower().endswith("image") or is_listed):
                one = plain(node, field_of((*path, key)), RUN)
                if not (_is_container(inner) or is_whole(node.text)) and parsed(node.text):
                    one.text, one.problem = Text(f"{node.text}:{UNKNOWN}"), TEMPLATE
                yield one


def _is_container(path: Path) -> bool:
    """Tell whether what stands there is a container, which a chart takes as it is."""
    return any(isinstance(key, int) or key.lower().endswith("containers") for key in path)


def _in_parts(
    path: Path,
    fields: Fields,
    of_all: tuple[str | None, str | None] = (None, None),
    *,
    is_chart: bool = False,
) -> Found | None:
    """Put the parts of a reference together, if a mapping holds such.

    Of the registries of all the first takes the place of its own, the second that of none.
    """
    is_image = bool(path) and str(path[-1]).lower().endswith("image")
    # A chart has a repository and a version, too.
    tags = (*_TAG, "version") if is_image else _TAG
    names = _NAMES if is_image else _NAMES_IN_CHART if is_chart else ("image",)
    key = next((key for key in names if key in fields and fields[key].text), None)
    is_tagged = not fields.keys().isdisjoint((*tags, *_DIGEST))
    # A repository may be one of git, or of charts.
    is_other = key is not None and _OF_OTHERS.match(fields[key].text or "")
    if key is None or is_other or not (is_tagged or (is_image and "repository" in fields)):
        return None
    name, field = fields[key], field_of(path or (key,))
    registry, tag, digest, sha = (
        next((fields[key].text for key in keys if key in fields and fields[key].text), None)
        for keys in (_REGISTRY, tags, _DIGEST, ("sha",))
    )
    if "registry" in fields:
        registry = of_all[0] or registry
    elif key == "image":
        registry = registry or of_all[1]
    if tag and tag.startswith("sha256:"):
        tag, digest = None, tag
    digest = digest or (f"sha256:{sha}" if sha else None)
    written = f"{registry.rstrip('/')}/{name.text}" if registry else str(name.text)
    # What stands within the name comes first.
    has_tag, has_digest = ":" in written.rpartition("/")[2], "@" in written
    text, problem = None, None
    if tag and not has_tag:
        written += f":{tag}"
    if digest and not has_digest:
        written += f"@{digest}"
    if not (tag or digest or has_tag or has_digest):
        # The chart chooses a tag.
        text, problem = Text(f"{written}:{UNKNOWN}"), TEMPLATE
    return Found(name.line, field, RUN, written, text or Text(written), problem)

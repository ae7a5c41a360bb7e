"""Pipelines: workflows and actions of GitHub, Gitea and Forgejo; GitLab; CircleCI."""

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping

from hubframe.readers.references.documents import Node, Path, field_of, walk
from hubframe.readers.references.found import BUILD, Found, plain
from hubframe.readers.references.variables import Text, expand, fill, joined

_DOCKER = "docker://"
# What the systems fill in when a pipeline runs.
_OF_GITHUB = re.compile(r"\$\{\{(.{0,500}?)\}\}")
_OF_GITLAB = re.compile(r"\$\[\[(.{0,500}?)\]\]")
_OF_CIRCLECI = re.compile(r"<<(.{0,500}?)>>")
# GitLab's proxy of Docker Hub: what follows is an image there.
_PROXY = re.compile(r"^\$\{?CI_DEPENDENCY_PROXY_(?:DIRECT_)?GROUP_IMAGE_PREFIX\}?/")


def of_github(document: Node) -> Iterator[Found]:
    """Find the images of a workflow or of an action; inputs have their defaults."""
    inputs: dict[str, Text] = {}
    for _, event in document.get("on").items:
        inputs |= _defaults(event, "inputs.", "inputs")
    for job, fields in document.get("jobs").items:
        yield from _named(fields.get("container"), ("jobs", job, "container"), inputs)
        for name, service in fields.get("services").items:
            yield from _named(service, ("jobs", job, "services", name), inputs)
    for path, step in walk(document):
        key = "image" if path == ("runs",) else "uses"
        node = step.get(key)
        if node.text and node.text.startswith(_DOCKER):
            written = node.text.removeprefix(_DOCKER)
            field = field_of((*path, key))
            yield Found(node.line, field, BUILD, written, fill(written, _OF_GITHUB, {}))


def _named(node: Node, path: Path, values: Mapping[str, Text]) -> Iterator[Found]:
    """Yield an image that is written as text, or in a mapping."""
    at = node if node.text else node.get("image")
    if at.text:
        written = at.text.removeprefix(_DOCKER)
        field = field_of(path if at is node else (*path, "image"))
        yield Found(at.line, field, BUILD, written, fill(written, _OF_GITHUB, values))


def inputs_of_gitlab(document: Node) -> dict[str, Text]:
    """Read the inputs of a pipeline by their defaults."""
    return _defaults(document.get("spec"), "inputs.", "inputs")


def of_gitlab(document: Node, inputs: dict[str, Text]) -> Iterator[Found]:
    """Find the images of a pipeline's jobs and of their services."""
    common = _assigned(document.get("variables"), ChainMap(inputs))
    jobs: list[tuple[Path, Node]] = [((name,), job) for name, job in document.items]
    for path, job in [((), document), *jobs]:
        values = _assigned(job.get("variables"), common)
        places: list[tuple[Path, Node]] = [((*path, "image"), job.get("image"))]
        for place, service in enumerate(job.get("services").entries):
            places.append(((*path, "services", place), service))
        for where, node in places:
            at = node if node.text else node.get("name")
            if at.text and path != ("variables",):
                field = field_of(where if at is node else (*where, "name"))
                one = plain(at, field, BUILD, _of_gitlab(at.text, values))
                one.platform = node.get("docker", "platform").text
                yield one


def _assigned(node: Node, common: ChainMap[str, Text]) -> ChainMap[str, Text]:
    """Read variables, which are text or a mapping with a value, beside those of all jobs."""
    values = common.new_child()
    for name, value in node.items:
        written = value.text or value.get("value").text
        if written:
            values[name] = _of_gitlab(written, values)
    return values


def _of_gitlab(written: str, values: Mapping[str, Text]) -> Text:
    filled = fill(_PROXY.sub("", written), _OF_GITLAB, values)
    return joined([expand(filled.text, values), Text("", filled.unknown)])


def local_includes(document: Node) -> Iterator[str]:
    """Yield the files of the same repository that a pipeline of GitLab includes, from its root."""
    include = document.get("include")
    for one in [include, *include.entries]:
        path = one.text or one.get("local").text
        if path and "://" not in path:
            yield path.lstrip("/")


def of_circleci(document: Node) -> Iterator[Found]:
    """Find the images of jobs and executors, and not those of virtual machines.

    Parameters have their defaults.
    """
    of_all = _defaults(document, "pipeline.parameters.")
    own: dict[str, Text] = {}
    for path, holder in walk(document):
        if holder.get("docker").value:
            own = _defaults(holder, "parameters.")
        node = holder.get("image")
        if node.text and path and isinstance(path[-1], int):
            filled = fill(node.text, _OF_CIRCLECI, ChainMap(own, of_all))
            yield plain(node, field_of((*path, "image")), BUILD, filled)


def _defaults(holder: Node, begin: str, key: str = "parameters") -> dict[str, Text]:
    """Read what parameters are unless somebody says otherwise."""
    named = holder.get(key).items
    return {
        f"{begin}{name}": Text(text) for name, one in named if (text := one.get("default").text)
    }

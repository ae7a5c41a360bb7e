"""What reads a file of each kind: its text to what was found in it."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from hubframe.errors import PayloadError
from hubframe.readers.references import (
    compose,
    dockerfiles,
    documents,
    files,
    kubernetes,
    others,
    pipelines,
)
from hubframe.readers.references.documents import Node
from hubframe.readers.references.found import TEMPLATE, Found
from hubframe.readers.references.templates import Templated, without_templates
from hubframe.readers.references.variables import Text

# What a file of a kind must hold, so that it is worth parsing: all of these, or any of those.
_ALL = {files.KUBERNETES: ("apiVersion", "kind", "image")}
_SOME = {
    files.COMPOSE: ("image", "build", "include", "extends"),
    files.VALUES: ("mage", "repository"),
    files.KUSTOMIZE: ("image",),
    files.GITHUB: ("docker://", "container", "services", "image"),
    files.GITLAB: ("image", "services", "include"),
    files.CIRCLECI: ("image",),
    files.QUADLET: ("Image",),
}
_OF_DOCUMENTS: Mapping[str, Callable[[Node], Iterator[Found]]] = {
    files.KUSTOMIZE: kubernetes.of_kustomization,
    files.VALUES: kubernetes.of_values,
    files.GITHUB: pipelines.of_github,
    files.CIRCLECI: pipelines.of_circleci,
    files.DEVCONTAINER: others.of_devcontainer,
    files.BAKE: others.of_bake,
}
_OF_TEXT: Mapping[str, Callable[[str], Iterable[Found]]] = {
    files.DOCKERFILE: dockerfiles.references,
    files.BUILDPACKS: others.of_buildpacks,
    files.QUADLET: others.of_quadlet,
    files.TEXT: others.of_text,
}


def is_worth(kind: str, text: str) -> bool:
    """Tell by a cheap look whether a file may name an image."""
    if kind != files.COMPOSE and may_be_compose(kind, text):
        return True
    some = _SOME.get(kind)
    has_all = all(word in text for word in _ALL.get(kind, ()))
    return has_all and (some is None or any(word in text for word in some))


def may_be_compose(kind: str, text: str) -> bool:
    """Tell whether a file has services: it may be a compose file, whatever its name is."""
    return kind == files.COMPOSE or (
        kind == files.KUBERNETES and "services:" in text and "image:" in text
    )


def kind_by_content(text: str) -> str:
    """Tell what a file is whose name does not: a Dockerfile, or a list."""
    return files.DOCKERFILE if dockerfiles.references(text) else files.TEXT


def references(
    kind: str,
    text: str,
    *,
    is_json: bool = False,
    variables: Mapping[str, Text] | None = None,
    read: list[Node] | None = None,
) -> Iterator[Found]:
    """Find the images in the text of a file.

    Parameters
    ----------
    kind
        What the file is.
    text
        What it holds.
    is_json
        Whether that is JSON, where it may be YAML too.
    variables
        Those of a compose file.
    read
        Takes the documents that were read.

    Raises
    ------
    PayloadError
        It cannot be read, or not to its end.
    """
    if "\0" in text:
        raise PayloadError("it is no text")
    if kind in _OF_TEXT:
        found: Iterable[Found] = _OF_TEXT[kind](text)
    else:
        templated = Templated(text, []) if is_json else without_templates(text)
        found = _of_documents(
            kind, templated, dict(variables or {}), _documents(templated, read, is_json=is_json)
        )
    for one in found:
        one.kind = one.kind or kind
        yield one


def _documents(templated: Templated, read: list[Node] | None, *, is_json: bool) -> Iterator[Node]:
    found = (
        iter([documents.read_json(templated.text)]) if is_json else documents.read(templated.text)
    )
    for document in found:
        if read is not None:
            read.append(document)
        yield document


def _of_documents(
    kind: str, templated: Templated, variables: dict[str, Text], read: Iterable[Node]
) -> Iterator[Found]:
    last = 0
    try:
        for document in read:
            if kind == files.GITLAB:
                # They stand in a document of their own, before the others.
                variables |= pipelines.inputs_of_gitlab(document)
            for one in _of_document(kind, variables, document):
                last = max(last, one.line)
                yield _restored(one, templated)
    except PayloadError:
        if kind == files.KUBERNETES:
            for one in kubernetes.by_line(templated.text, last):
                yield _restored(one, templated)
        raise


def _of_document(kind: str, variables: dict[str, Text], document: Node) -> Iterator[Found]:
    """Find the images of a document; manifests and compose files have any name."""
    if kind != files.KUSTOMIZE and kubernetes.is_manifest(document):
        for one in kubernetes.references(document):
            one.kind = files.KUBERNETES
            yield one
    elif kind == files.COMPOSE or (kind == files.KUBERNETES and compose.has_services(document)):
        for one in compose.references(document, variables):
            one.kind = files.COMPOSE
            yield one
    elif kind == files.GITLAB:
        yield from pipelines.of_gitlab(document, variables)
    elif kind in _OF_DOCUMENTS:
        yield from _OF_DOCUMENTS[kind](document)


def _restored(found: Found, templated: Templated) -> Found:
    """Put back what templates were taken out of what is shown."""
    if templated.is_in(found.written):
        found.written = templated.restored(found.written)
        found.text = templated.unknown(found.text)
        found.problem = TEMPLATE
    found.field = templated.restored(found.field)
    return found

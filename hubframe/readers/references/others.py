"""Development containers, bake files, project descriptors of buildpacks, quadlets, plain lists."""

import re
import tomllib
from collections.abc import Iterator

from hubframe.errors import PayloadError
from hubframe.readers.references import dockerfiles
from hubframe.readers.references.compose import contexts
from hubframe.readers.references.documents import Node, field_of
from hubframe.readers.references.found import (
    BUILD,
    INVALID,
    RUN,
    VARIABLE,
    Found,
    is_whole,
    parsed,
    plain,
)
from hubframe.readers.references.variables import LONGEST, UNKNOWN, Text, expand

_DOCKER = re.compile("docker:/{0,2}")
_SECTION = re.compile(r"\[([^\[\]]+)\]")
_SETTING = re.compile(r"Image\s*=\s*(.*)")
# Other units, which a quadlet may name in place of an image.
_UNITS = {"Container": (".image", ".build"), "Image": (), "Volume": (".image", ".build")}
_SPECIFIER = re.compile("%[a-zA-Z]")
_OF_MACHINE = re.compile(r"\$\{localEnv:(\w+)((?::[^}]*)?)\}")
_TRANSPORT = re.compile("docker://|docker-daemon:")


def of_devcontainer(document: Node) -> Iterator[Found]:
    """Find the image of a development container, and the features from registries."""
    image = document.get("image")
    if image.text:
        # As ``${localEnv:NAME:default}``: of whose machine it is, nobody knows.
        written = _OF_MACHINE.sub(
            lambda found: f"${{{found[1]}{found[2].replace(':', ':-', 1)}}}", image.text[:LONGEST]
        )
        yield plain(image, "image", BUILD, expand(written, {}))
    for name, feature in document.get("features").items:
        is_local = name.startswith((".", "/")) or "://" in name
        if name and not is_local and "/" in name:
            yield Found(feature.line, field_of(("features", name)), BUILD, name, Text(name))


def of_bake(document: Node) -> Iterator[Found]:
    """Find the images that targets of a bake file are built on; variables have their defaults."""
    targets = document.get("target").items
    values = {
        name: Text(default)
        for name, variable in document.get("variable").items
        if (default := variable.get("default").text)
    }
    # What targets inherit, too: these names stand for something else than images.
    named = {name.lower() for _, target in targets for name, _ in target.get("contexts").items}
    for target_name, target in targets:
        path = ("target", target_name)
        yield from contexts(target.get("contexts"), (*path, "contexts"), values)
        inline = target.get("dockerfile-inline")
        for one in dockerfiles.references(inline.text or ""):
            if one.text.text.lower() not in named:
                one.line = inline.line
                one.field = f"{field_of((*path, 'dockerfile-inline'))} {one.field}"
                yield one


def of_buildpacks(text: str) -> Iterator[Found]:
    """Find the builder and the buildpacks that a project descriptor names as images."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"no TOML ({error})") from None
    settings = _table(_table(document, "io"), "buildpacks")
    named = [("io.buildpacks.builder", settings.get("builder"))]
    groups = settings.get("group")
    for place, group in enumerate(groups if isinstance(groups, list) else ()):
        uri = group.get("uri") if isinstance(group, dict) else None
        if isinstance(uri, str) and (_DOCKER.match(uri) or is_whole(uri)):
            named.append((f"io.buildpacks.group[{place}].uri", uri))
    at = 0
    for field, value in named:
        if isinstance(value, str) and value.strip():
            at = max(text.find(value, at), at)
            written = _DOCKER.sub("", value, count=1)
            yield Found(text.count("\n", 0, at) + 1, field, BUILD, written, Text(written))


def _table(holder: dict[str, object], name: str) -> dict[str, object]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def of_quadlet(text: str) -> Iterator[Found]:
    """Find the images of containers, of volumes, and those that are pulled."""
    section = ""
    for line, written in enumerate(text.split("\n"), 1):
        stripped = written.strip()
        if header := _SECTION.fullmatch(stripped):
            section = header[1]
        elif (setting := _SETTING.fullmatch(stripped)) and section in _UNITS:
            value = setting[1].strip().strip("\"'")
            name = _TRANSPORT.sub("", value)
            if name and not name.endswith(_UNITS[section]):
                found = Found(line, f"{section}.Image", RUN, name, Text(name))
                if _SPECIFIER.search(name):
                    found.text, found.problem = Text(_SPECIFIER.sub(UNKNOWN, name)), VARIABLE
                yield found


def of_text(text: str) -> Iterator[Found]:
    """Find the references in a list that has one on each line."""
    for line, written in enumerate(text.split("\n"), 1):
        name = written.partition("#")[0].strip()
        if len(name.split()) == 1:
            is_plain = parsed(name) is not None
            yield Found(line, "line", None, name, Text(name), None if is_plain else INVALID)

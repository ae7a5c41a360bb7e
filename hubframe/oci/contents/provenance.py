"""How an image was built: SLSA provenance, as BuildKit, GitHub, Tekton and others write it."""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from hubframe.errors import InvalidReferenceError, PayloadError
from hubframe.oci.contents.statements import decoded, digests
from hubframe.oci.payload import items, mapping, text
from hubframe.oci.reference import DIGEST, ImageReference

Payload = Mapping[str, Any]
Path = tuple[str, ...]
PREDICATE = "https://slsa.dev/provenance/"
_BUILDKIT = "https://mobyproject.org/buildkit@v1#"
_V1 = ("runDetails", "metadata")
_OUTSIDE = ("buildDefinition", "externalParameters")
# Where BuildKit writes what the specification has no place for, in 1 and in 0.2.
_KIT = ((*_V1, "buildkit_metadata"), ("metadata", f"{_BUILDKIT}metadata"))
_REQUEST = ((*_OUTSIDE, "request"), ("invocation", "parameters"))
_SOURCE = (
    (*_OUTSIDE, "configSource"),
    ("invocation", "configSource"),
    (*_OUTSIDE, "source"),  # of the generators of SLSA's own framework
)
# Of GitHub; of Google Cloud Build, which may take its steps from elsewhere, and of Tekton.
_WORKFLOWS = tuple((*_OUTSIDE, name) for name in ("workflow", "sourceToBuild", "buildConfigSource"))
_MATERIALS = (("buildDefinition", "resolvedDependencies"), ("materials",))
_STEPS = (("buildDefinition", "internalParameters", "buildConfig"), ("buildConfig",))


def _below(places: tuple[Path, ...], *names: str) -> tuple[Path, ...]:
    return tuple((*place, name) for place in places for name in names)


# Where each column stands: in 1, then in 0.2 and 0.1; the first that is there counts.
_TEXTS: dict[str, tuple[Path, ...]] = {
    "build_type": (("buildDefinition", "buildType"), ("buildType",), ("recipe", "type")),
    "builder_id": (("runDetails", "builder", "id"), ("builder", "id")),
    "invocation_id": (
        (*_V1, "invocationId"),
        (*_V1, "invocationID"),
        ("metadata", "buildInvocationID"),
        ("metadata", "buildInvocationId"),
    ),
    "started_at": ((*_V1, "startedOn"), ("metadata", "buildStartedOn")),
    "finished_at": ((*_V1, "finishedOn"), ("metadata", "buildFinishedOn")),
    "source_uri": (
        *_below(_SOURCE, "uri"),
        *_below(_WORKFLOWS, "repository"),
        (*_OUTSIDE, "source"),  # of GitLab
    ),
    "source_revision": _below(_below(_SOURCE, "digest"), "sha1", "gitCommit"),
    "source_path": (
        *_below(_SOURCE, "path", "entryPoint"),
        *_below(_WORKFLOWS, "path"),
        *_below((_OUTSIDE,), "configPath", "entryPoint"),
        ("recipe", "entryPoint"),
    ),
    "vcs_source": _below(_below(_KIT, "vcs"), "source"),
    "vcs_revision": _below(_below(_KIT, "vcs"), "revision"),
    "frontend": _below(_REQUEST, "frontend"),
    "target": _below(_below(_REQUEST, "args"), "target"),
}
_FLAGS: dict[str, tuple[Path, ...]] = {
    "is_reproducible": ((*_V1, "buildkit_reproducible"), ("metadata", "reproducible")),
    "is_hermetic": ((*_V1, "buildkit_hermetic"), ("metadata", f"{_BUILDKIT}hermetic")),
    "is_complete_materials": (
        (*_V1, "buildkit_completeness", "resolvedDependencies"),
        ("metadata", "completeness", "materials"),
    ),
}
# What of an address is a login: a name before its host, and what its query calls a secret.
_LOGIN = re.compile(r"//[^/?#\s]*@(?!sha256:)")
_FIELD = re.compile(r"([?&][^=&#?]*=)([^&#]*)")
_SECRET = re.compile(r"token|secret|password|signature|credential|key|auth|\bsig", re.IGNORECASE)
_BUILD_ARG, _CONTEXT = "build-arg:", "context:"
_TOOLS = frozenset(
    {"docker/dockerfile", "docker/dockerfile-upstream", "docker/buildkit-syft-scanner"}
)
# Whose steps run in images, which are materials, too.
_STEPWISE = re.compile(r"tekton\.dev/|cloudbuild\.googleapis\.com|cloud\.google\.com/build")
# An image without a package URL; what begins with a word and a colon is another address.
_PLAIN_IMAGE = re.compile(
    r"(?:oci|docker|docker-pullable)://(.+)|((?!\w[\w+.-]*:(?!\d))[^@\s]+@sha256:[0-9a-f]{64})"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_GIT = re.compile(r"git[+:@]|(?:https?|ssh)://[^?#]+\.git(?:[#?]|$)")
_IMAGE = re.compile(
    r"pkg:(?P<type>docker|oci)/(?P<name>[^@?#]+)(?:@(?P<version>[^?#]*))?(?:\?(?P<qualifiers>[^#]*))?"
)
_LONGEST = 4096
_MOST_FILES = 1000


class Material(NamedTuple):
    """Something that a build took: an image, a repository of git, a download."""

    uri: str | None
    kind: str
    material_repo: str | None = None
    material_tag: str | None = None
    material_digest: str | None = None
    material_platform: str | None = None
    git_url: str | None = None
    git_ref: str | None = None
    git_revision: str | None = None
    is_frontend: bool = False


class Dockerfile(NamedTuple):
    """A file that the build was told by."""

    name: str | None
    text: str
    sha256: str
    line_count: int


class Choices(NamedTuple):
    """What whoever built chose of a Dockerfile, by its names: values may be secrets."""

    target: str | None  # the stage; None for the last one
    arguments: frozenset[str]
    contexts: frozenset[str]  # that stand in place of images


def read(predicate: Any) -> dict[str, Any]:
    """Read the columns of the table `provenance` that one document tells."""
    told = mapping(predicate)
    row: dict[str, Any] = {
        name: _without_login(text(_at(told, paths))) for name, paths in _TEXTS.items()
    }
    for name, paths in _FLAGS.items():
        found = _at(told, paths)
        row[name] = found if isinstance(found, bool) else None
    row["source_revision"] = row["source_revision"] or _revision(told, row["source_uri"])
    row["material_count"] = len(items(_at(told, _MATERIALS)))
    is_buildkit = "buildkit" in (row["build_type"] or "")
    # BuildKit has none where it was given a folder.
    if row["source_uri"] is None and not is_buildkit:
        row |= _only_repository(told)
    is_full = _at(told, _STEPS) is not None or _at(told, _below(_KIT, "source")) is not None
    row["mode"] = ("max" if is_full else "min") if is_buildkit else None
    # The mode min leaves them out.
    row["build_arg_count"] = len(build_args(told)) if row["mode"] == "max" else None
    return row


def build_args(predicate: Any) -> dict[str, Any]:
    """Return the build arguments, which may be secrets."""
    return _asked(predicate, _BUILD_ARG)


def choices(predicate: Any) -> Choices:
    """Tell what was chosen for the build."""
    target = text(_at(mapping(predicate), _TEXTS["target"]))
    names = (frozenset(_asked(predicate, start)) for start in (_BUILD_ARG, _CONTEXT))
    return Choices(target, *names)


def _asked(predicate: Any, start: str) -> dict[str, Any]:
    args = mapping(_at(mapping(predicate), _below(_REQUEST, "args")))
    return {
        name.removeprefix(start): value for name, value in args.items() if name.startswith(start)
    }


def materials(predicate: Any) -> Iterator[Material]:
    """List what the build took, in the document's order."""
    told = mapping(predicate)
    # What a Dockerfile names as its syntax is run by the builder, too.
    syntax = text(_at(told, _below(_below(_REQUEST, "args"), "source")))
    tools = _TOOLS | {_named(syntax)[0] if syntax else None}
    is_stepwise = _STEPWISE.search(text(_at(told, _TEXTS["build_type"])) or "") is not None
    for one in items(_at(told, _MATERIALS)):
        found = _material(text(one.get("uri")), mapping(one.get("digest")))
        is_step = is_stepwise and not (found.uri or "").startswith("pkg:")
        is_tool = found.kind == "image" and (is_step or found.material_repo in tools)
        yield found._replace(is_frontend=is_tool)


def dockerfiles(predicate: Any, what: object) -> Iterator[Dockerfile]:
    """Yield the files that BuildKit was told by; only a document of the mode ``max`` has them."""
    infos = items(_at(mapping(predicate), _below(_below(_KIT, "source"), "infos")))
    if len(infos) > _MOST_FILES:
        raise PayloadError(f"{what}: more than {_MOST_FILES} Dockerfiles; not read")
    for info in infos:
        if text(info.get("data")):
            body = decoded(info["data"], what)
            yield dockerfile(text(info.get("filename")), body)


def dockerfile(name: str | None, body: bytes) -> Dockerfile:
    """Describe a file."""
    # A byte order mark is no part of it, for BuildKit neither.
    written = body.decode("utf-8-sig", "replace")
    return Dockerfile(name, written, sha256(body).hexdigest(), len(written.splitlines()))


def _at(told: Payload, paths: tuple[Path, ...]) -> Any:
    """Return what stands at the first of some paths that is there."""
    for path in paths:
        found: Any = told
        for name in path:
            found = mapping(found).get(name)
        if found is not None:
            return found
    return None


def _without_login(uri: str | None) -> str | None:
    """Take logins out of an address."""

    def shown(field: re.Match[str]) -> str:
        return f"{field[1]}…" if _SECRET.search(field[1]) else field[0]

    return uri and _FIELD.sub(shown, _LOGIN.sub("//", uri))


def _revision(told: Payload, repository: str | None) -> str | None:
    """Return the commit that the builder resolved the source's repository to."""
    url = _material(repository, {}).git_url or repository
    return next((one.git_revision for one in materials(told) if url and one.git_url == url), None)


def _only_repository(told: Payload) -> dict[str, Any]:
    """Tell of the only repository that went into a build, whose document has no place for it."""
    found = {one.git_url: one for one in materials(told) if one.kind == "git"}
    return {
        name: value
        for one in found.values()
        if len(found) == 1
        for name, value in (("source_uri", one.uri), ("source_revision", one.git_revision))
    }


def _material(uri: str | None, digest: Payload) -> Material:
    uri = _without_login(uri)
    written = uri or ""
    is_git = _GIT.match(written) is not None
    commit = text(digest.get("gitCommit")) or text(digest.get("sha1"))
    # Repositories whose commits are longer hashes; GitLab calls the shorter ones so, too.
    other = text(digest.get("sha256"))
    commit = commit or (other if other and (is_git or _COMMIT.fullmatch(other)) else None)
    pinned = next((one for one in digests([{"digest": digest}]) if one.startswith("sha")), None)
    if written.startswith(("pkg:docker/", "pkg:oci/")):
        return _image(written, pinned)
    if len(written) <= _LONGEST and (plain := _PLAIN_IMAGE.fullmatch(written)):
        repo, tag = _named(plain[1] or plain[2])
        told = written.rpartition("@")[2]
        at = told if DIGEST.fullmatch(told) else pinned
        return Material(uri, "image" if repo else "other", repo, tag, at)
    if is_git or commit:
        url, _, ref = written.removeprefix("git+").partition("#")
        head, at, after = url.rpartition("@")
        if at and "/" in head.partition("//")[2]:
            url, ref = head, ref or after
        return Material(uri, "git", git_url=url, git_ref=ref or None, git_revision=commit)
    is_http = written.startswith(("http://", "https://"))
    return Material(uri, "http" if is_http else "other", material_digest=pinned)


def _image(uri: str, pinned: str | None) -> Material:
    """Read an image's package URL, ``pkg:docker/NAME@TAG?digest=…&platform=…``."""
    found = _IMAGE.fullmatch(uri) if len(uri) <= _LONGEST else None
    told = dict(parse_qsl((found and found["qualifiers"]) or ""))
    # A blob of a repository is no image.
    if found is None or "ref_type" in told:
        return Material(uri, "other", material_digest=pinned)
    name, version = unquote(found["name"]), unquote(found["version"] or "")
    place = told.get("repository_url", "").rstrip("/")
    if found["type"] == "oci":
        if not place:
            return Material(uri, "oci layout", material_digest=pinned)
        # By the specification the address ends in the name.
        name = place if place.endswith(f"/{name}") else f"{place}/{name}"
    elif place:
        name = f"{place}/{name}"
    repo, tag = _named(name)
    is_digest = DIGEST.fullmatch(version) is not None
    tag = tag or told.get("tag") or (None if is_digest else version)
    digest = told.get("digest") or (version if is_digest else pinned)
    return Material(uri, "image", repo, tag, digest, told.get("platform"))


def _named(name: str) -> tuple[str | None, str | None]:
    """Return the repository that a name means, in one spelling, and the tag if it holds one."""
    try:
        found = ImageReference.parse(name)
    except InvalidReferenceError:
        return None, None
    return (None, None) if found.is_local else (found.repo, found.tag)

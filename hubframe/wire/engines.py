"""Images that an engine on this machine has, Docker or podman, by its API over a local socket.

Two things are asked for: the list of images, and an image as the archive that ``docker save``
writes. Manifests, configs and layers are told by no other way.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from math import inf
from tempfile import TemporaryFile, gettempdir
from threading import RLock
from typing import Any, BinaryIO, NamedTuple, TypeVar
from urllib.parse import urlsplit

from hubframe.errors import (
    HubframeError,
    InvalidReferenceError,
    NotFoundError,
    PayloadError,
    TransportError,
)
from hubframe.oci import payload
from hubframe.oci.digests import Document
from hubframe.oci.reference import DIGEST, ImageReference, is_loopback
from hubframe.version import USER_AGENT
from hubframe.wire import cancellation, statuses
from hubframe.wire.exchange import LIST_LIMIT
from hubframe.wire.failures import failure_of
from hubframe.wire.layouts import Export
from hubframe.wire.local import Layout, LocalSource, Saved, some_of
from hubframe.wire.network import MEBIBYTE, Timed, deadline
from hubframe.wire.registry import Payload, Resolved

logger = logging.getLogger(__name__)
Read = TypeVar("Read")

# How much longer than a pause a whole list may take, and how long an engine may say nothing before
# it exports: it may make a copy first. [times the timeout]
_SLOWEST = 10
# The documents of so many images are held in memory, more than a call reads together.
_MOST_HELD = 1024
_LONGEST_REFUSAL = 4096
# How long the end of a call waits for another one. [seconds]
_PATIENCE = 1.0
_PORT = 2375


class _Kind(NamedTuple):
    """Where the engines of a kind listen."""

    variable: str  # names the address
    sockets: tuple[str, ...]  # where they are looked for, if it does not
    start: str  # how one is started


_KINDS = {
    "docker-daemon:": _Kind(
        "DOCKER_HOST",
        ("/var/run/docker.sock", "$XDG_RUNTIME_DIR/docker.sock", "$HOME/.docker/run/docker.sock"),
        "Start Docker (systemctl start docker)",
    ),
    "podman:": _Kind(
        "CONTAINER_HOST",
        ("$XDG_RUNTIME_DIR/podman/podman.sock", "/run/podman/podman.sock"),
        "Start podman's service (systemctl --user start podman.socket)",
    ),
}


class Listed(NamedTuple):
    """What an engine has: the ids of images, and which of them a name or another digest means."""

    ids: list[str]  # newest first
    names: dict[ImageReference, str]
    digests: dict[str, str]  # of manifests that images were pulled or pushed as, and the ids


def read_list(body: bytes, engine: str) -> Listed:
    """Read an engine's list of images, without what is odd in it."""
    try:
        entries = payload.parsed(body)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise PayloadError(f"{engine} what answers at its address is no engine")
    known = [one for one in payload.items(entries) if _is_digest(one.get("Id"))]
    known.sort(key=lambda one: (-_seconds(one.get("Created")), one["Id"]))
    found = Listed([one["Id"] for one in known], {}, {})
    for one in known:
        for name in _names(payload.array(one.get("RepoTags"))):
            found.names.setdefault(name.inside(engine), one["Id"])
        for digest in (one["Id"], *_digests(payload.array(one.get("RepoDigests")))):
            found.digests.setdefault(digest, one["Id"])
    return found


def _names(written: Sequence[Any]) -> Iterator[ImageReference]:
    """Read names; ``<none>:<none>`` is none."""
    for name in written:
        with suppress(InvalidReferenceError):
            read = ImageReference.parse(name)
            if read.tag and not read.is_local:
                yield read


def _digests(written: Sequence[Any]) -> Iterator[str]:
    """Read the digests of ``repository@digest``."""
    ends = (one.rpartition("@")[2] for one in written if isinstance(one, str))
    yield from filter(_is_digest, ends)


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _seconds(value: Any) -> int:
    return value if isinstance(value, int) else 0


class Engine(LocalSource):
    """Reads the images of an engine: ``docker-daemon:`` or ``podman:``.

    What an image holds never changes, so its documents stay in memory; the list is asked for in
    each call, and the archive of an image is there no longer than the call.
    """

    def __init__(self, name: str, timeout: float) -> None:
        self._name, self._kind, self._timeout = name, _KINDS[name], timeout
        self._listed: Listed | None = None
        self._lock = RLock()
        self._exports: dict[str, tuple[Layout, Export]] = {}

    def repositories(self) -> list[ImageReference]:
        """List the engine itself, for what has no name, and the repositories of what has one."""
        named = {name.at() for name in self._list().names}
        return [ImageReference(self._name, ""), *sorted(named, key=str)]

    def unnamed(self) -> list[ImageReference]:
        """List the images without a name, by their ids."""
        listed, at = self._list(), ImageReference(self._name, "")
        named = set(listed.names.values())
        return [at.at(digest=image) for image in listed.ids if image not in named]

    def tags(self, path: str = "") -> list[str]:
        """List the tags of a repository."""
        found = [name.tag for name in self._list().names if name.tag and name.path == path]
        if path and not found:
            raise self._missing(ImageReference(self._name, path))
        return sorted(found)

    def resolve(self, reference: ImageReference) -> Resolved:
        """Look up the id of what a name or a digest stands for."""
        listed, digest = self._list(), reference.digest
        named = reference.at(tag=reference.target)
        image = listed.digests.get(digest) if digest else listed.names.get(named)
        if image is None:
            raise self._missing(reference)
        return Resolved(image, None)

    def manifest(self, reference: ImageReference) -> Document:
        """Get what a digest names, verified; an engine's images have their ids for digests."""
        digest = reference.digest or ""
        return super().manifest(reference.at(digest=self._list().digests.get(digest, digest)))

    def referrers(self, subject: ImageReference) -> list[Payload]:
        """List the descriptors of what refers to a digest: the newest engines export it, too."""
        try:
            return super().referrers(subject)
        except NotFoundError:
            # An index names images for other platforms, which the engine need not have.
            return []

    def is_here(self, reference: ImageReference) -> bool:
        """Tell whether the image was exported already."""
        digest = reference.digest or self.resolve(reference).digest
        return self._held(digest) is not None

    def end_call(self) -> None:
        """Let go the list, and all archives."""
        self._listed = None
        # Where another call has one written, that call lets them go.
        if self._lock.acquire(timeout=_PATIENCE):
            try:
                for _, export in self._exports.values():
                    export.drop()
            finally:
                self._lock.release()

    def _list(self) -> Listed:
        """Return what there is, asked for once in a call."""
        listed = self._listed
        if listed is None:
            self._listed = listed = self._ask(
                "/images/json",
                "the list of its images",
                self._read_list,
                pause=self._timeout,
                most=_SLOWEST * self._timeout,
            )
        return listed

    def _read_list(self, answer: HTTPResponse) -> Listed:
        body = answer.read(LIST_LIMIT + 1)
        if len(body) > LIST_LIMIT:
            raise PayloadError(f"{self._name} a list of more than {LIST_LIMIT:,} bytes; not read")
        return read_list(body, self._name)

    def _missing(self, reference: ImageReference) -> NotFoundError:
        named = sorted(self._list().names, key=lambda name: name.path != reference.path)
        what = "image with this digest" if reference.digest else "such image"
        return NotFoundError(f"{reference}: the engine has no {what}. {some_of(map(str, named))}")

    def _layout(self, reference: ImageReference) -> Layout:
        """Return the image that holds a digest: its own id, or a document or a layer of it.

        Where images of the repository were read, the digest is from one of these, or from an index
        that names more than the engine has. Else, as after a frame was read from a file, they are
        looked through.
        """
        listed, digest = self._list(), reference.digest or ""
        if held := self._held(digest):
            return held
        if digest in listed.ids:
            return self._exported(digest)
        names = listed.names.items()
        of_repository = dict.fromkeys(image for one, image in names if one.path == reference.path)
        if self._exports.keys().isdisjoint(of_repository):
            for image in of_repository:
                layout = self._exported(image)
                if layout.has(digest):
                    return layout
        raise self._missing(reference)

    def _held(self, digest: str) -> Layout | None:
        held = self._exports.copy()
        if digest in held:
            return held[digest][0]
        return next((layout for layout, _ in held.values() if layout.has(digest)), None)

    def _exported(self, image: str) -> Layout:
        """Have an image exported, after those that other threads ask for."""
        with self._lock:
            if image not in self._exports:
                cancellation.check()
                for _, one in self._exports.values():
                    # Its documents are read; it may be gigabytes.
                    if not one.is_read:
                        one.drop()
                write = partial(self._save, image)
                export = Export(f"{self._name}{image}", write, self._lock)
                try:
                    self._exports[image] = self._opened(image, export), export
                except HubframeError:
                    export.drop()
                    raise
                if len(self._exports) > _MOST_HELD:
                    self._exports.pop(next(iter(self._exports)))[1].drop()
            return self._exports[image][0]

    def _opened(self, image: str, export: Export) -> Layout:
        """Read an archive.

        Docker's containerd store calls an image by its index or manifest, as registries do; all
        others by its config, whatever manifest they make for the archive.
        """
        for layout in (Layout(export, self._name), Saved(export, self._name)):
            try:
                if any(one.digest == image for one in layout.images):
                    return layout
            except NotFoundError:
                continue
        raise PayloadError(f"{self._name}{image}: what the engine exports is not this image")

    def _save(self, image: str) -> BinaryIO:
        """Return the archive of an image, in a file that has no name: it is gone when it closes."""
        with ExitStack() as unless_it_is_whole:
            try:
                file = unless_it_is_whole.enter_context(TemporaryFile())
            except OSError as error:
                raise _no_room(error) from None

            def write(answer: HTTPResponse) -> None:
                while piece := answer.read(MEBIBYTE):
                    cancellation.check()
                    try:
                        file.write(piece)
                        file.flush()
                    except OSError as error:
                        raise _no_room(error) from None
                if answer.length:
                    # Of chunks that do not come it says so itself.
                    raise IncompleteRead(b"", answer.length)

            asked = f"the image {image}"
            pause = _SLOWEST * self._timeout
            self._ask(f"/images/{image}/get", asked, write, pause=pause, most=inf)
            file.seek(0)
            unless_it_is_whole.pop_all()
        return file

    def _ask(
        self,
        path: str,
        asked: str,
        read: Callable[[HTTPResponse], Read],
        *,
        pause: float,
        most: float,
    ) -> Read:
        """Ask the engine, and read its answer; both are ended when nobody wants it any more."""
        logger.debug("%s GET %s", self._name, path)
        connection = _Connection(self._kind, pause)
        try:
            with deadline(most, f"//{self._name.rstrip(':')}"):
                connection.request("GET", path, headers={"User-Agent": USER_AGENT})
                answer = connection.getresponse()
                if answer.status != HTTPStatus.OK:
                    raise self._refusal(answer, asked)
                found = read(answer)
        except HubframeError:
            raise
        except (OSError, HTTPException, ValueError) as error:
            reason = failure_of(error).reason
            raise TransportError(
                f"{self._name} the engine did not give {asked}: {reason}"
            ) from None
        finally:
            connection.close()
        return found

    def _refusal(self, answer: HTTPResponse, asked: str) -> HubframeError:
        try:
            told = payload.mapping(payload.parsed(answer.read(_LONGEST_REFUSAL)))
        except (ValueError, RecursionError):
            told = {}
        said = statuses.quotable(payload.text(told.get("message")) or "")
        is_missing = answer.status == HTTPStatus.NOT_FOUND and "message" in told
        return (NotFoundError if is_missing else TransportError)(
            f"{self._name} asked for {asked}, the engine answered "
            f"{statuses.named(answer.status)}{f': {said}' if said else ''}"
        )


class _Connection(Timed, HTTPConnection):
    """A connection to an engine."""

    def __init__(self, kind: _Kind, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._kind = kind

    def connect(self) -> None:
        """Connect to the address that is named, or to the first socket that is there."""
        named = os.environ.get(self._kind.variable, "").strip()
        scheme, _, place = named.partition("://")
        if named and scheme != "unix":
            address = _on_this_machine(self._kind.variable, named)
            self.sock = socket.create_connection(address, self.timeout)
            return
        if not hasattr(socket, "AF_UNIX"):
            raise TransportError(
                f"Python has no Unix sockets here: set {self._kind.variable}=tcp://localhost:{_PORT}"
            )
        paths = [place] if named else map(os.path.expandvars, self._kind.sockets)
        # A variable that is not set is left as it is.
        paths = [path for path in paths if not path.startswith("$")]
        for path in paths:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            try:
                self.sock.connect(path)
            except FileNotFoundError:
                self.sock.close()
            except OSError as error:
                self.sock.close()
                raise TransportError(self._no_engine(path, error)) from None
            else:
                return
        raise TransportError(
            f"there is no engine at {' or '.join(paths)}. {self._kind.start}, or name its socket: "
            f"{self._kind.variable}=unix:///…"
        )

    def _no_engine(self, path: str, error: OSError) -> str:
        if isinstance(error, PermissionError):
            return (
                f"{path}: you may not use this socket. Members of its group may, which is often "
                "called docker, and whom it lets do what root may"
            )
        return f"{path}: nobody listens there ({error.strerror or error}). {self._kind.start}"


def _on_this_machine(variable: str, address: str) -> tuple[str, int]:
    """Read the address of an engine that listens at a port, if it is one of this machine."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or _PORT
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if parts.scheme in ("tcp", "http") and is_loopback(host):
        return host, port
    raise TransportError(
        f"{variable} must be such as unix:///var/run/docker.sock or tcp://localhost:{_PORT}. An "
        "engine on another machine is not asked; its socket can be brought here: "
        f"ssh -NL /tmp/engine.sock:/var/run/docker.sock HOST, and {variable}=unix:///tmp/engine.sock"
    )


def _no_room(error: OSError) -> TransportError:
    return TransportError(
        f"what the engine exports could not be written into {gettempdir()} ({error.strerror}). "
        "It takes as much room as the image does unpacked; TMPDIR names another folder"
    )

"""What the sample Hub and registries hold: repositories, tags, accounts, documents by digest.

Everything in it is synthetic; ``tools/sample``, beside the package, makes the bundled file. Nothing
here answers requests.
"""

import gzip
import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Self

FILE_NAME = "world.json.gz"
DOCKER_IO = "docker.io"
EXAMPLE = "registry.example"
QUAY = "quay.io"

Payload = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """A manifest, index, config, layer or another small blob, byte for byte."""

    media_type: str
    body: bytes

    @property
    def is_manifest(self) -> bool:
        """Whether a registry serves it under ``manifests``, not under ``blobs``."""
        return ".manifest." in self.media_type or self.media_type.endswith(".image.index.v1+json")

    def parsed(self) -> Payload:
        """Return the document's JSON object."""
        value: Payload = json.loads(self.body)
        return value


@dataclass(frozen=True)
class Tag:
    """A name in a repository, the digest it points to, and what the Hub tells about it."""

    name: str
    digest: str
    payload: Payload


@dataclass(frozen=True)
class Repository:
    """A repository of one host; ``payload`` is its entry in the Hub's list, if it has one."""

    host: str
    path: str
    is_private: bool
    readers: frozenset[str]
    payload: Payload
    tags: Mapping[str, Tag]
    untagged: Sequence[str] = ()
    history: Sequence[Payload] = ()  # what tags pointed at and when, where the host keeps it

    @property
    def namespace(self) -> str:
        """The first part of the path."""
        return self.path.partition("/")[0]

    def readable_by(self, account: str | None) -> bool:
        """Whether the account (None: anonymous) may see the repository."""
        return not self.is_private or account in self.readers


@dataclass(frozen=True)
class Account:
    """A user or an organisation of the Hub; an organisation has no password."""

    name: str
    is_organization: bool
    password: str | None
    organizations: Sequence[str]
    payload: Payload


@dataclass
class World:
    """All that the sample services know."""

    now: str  # the date that the sample pretends to be made at, as RFC 3339 text
    documents: dict[str, Document]  # by digest
    repositories: dict[tuple[str, str], Repository]  # by host and path
    accounts: dict[str, Account]  # by name
    _held: dict[tuple[str, str], Mapping[str, Document]] = field(default_factory=dict, repr=False)

    @classmethod
    def bundled(cls) -> Self:
        """Load the data file of the package."""
        data = files(__package__).joinpath(FILE_NAME).read_bytes()
        raw = json.loads(gzip.decompress(data))
        documents = {
            digest: Document(kind, text.encode()) for digest, kind, text in raw["documents"]
        }
        for digest, kind, encoded in raw["layers"]:
            documents[digest] = Document(kind, b64decode(encoded))
        repositories = {}
        for entry in raw["repositories"]:
            tags = {name: Tag(name, digest, payload) for name, digest, payload in entry["tags"]}
            fields = {**entry, "readers": frozenset(entry["readers"]), "tags": tags}
            repositories[entry["host"], entry["path"]] = Repository(**fields)
        accounts = {entry["name"]: Account(**entry) for entry in raw["accounts"]}
        return cls(raw["now"], documents, repositories, accounts)

    def log_in(self, name: str, password: str) -> Account | None:
        """Return the account of that name, where the password is its own."""
        account = self.accounts.get(name)
        return account if account and password and account.password == password else None

    def of_host(self, host: str) -> list[Repository]:
        """Return the repositories of one host, in order of path."""
        return [each for (_, path), each in sorted(self.repositories.items()) if each.host == host]

    def held(self, repository: Repository) -> Mapping[str, Document]:
        """Return all documents that the repository holds, by digest."""
        key = (repository.host, repository.path)
        if key not in self._held:
            waiting = [*(tag.digest for tag in repository.tags.values()), *repository.untagged]
            found: dict[str, Document] = {}
            while waiting:
                digest = waiting.pop()
                if digest in self.documents and digest not in found:
                    found[digest] = self.documents[digest]
                    waiting += _children(found[digest])
            self._held[key] = found
        return self._held[key]


def _children(document: Document) -> list[str]:
    content = document.parsed() if document.is_manifest else {}
    config = [content["config"]] if "config" in content else []
    below = [*content.get("manifests", ()), *content.get("layers", ()), *config]
    return [descriptor["digest"] for descriptor in below]

"""What the sample Hub and registries hold: repositories, tags, accounts, documents by digest.

Everything in it is synthetic; ``tools/sample``, beside the package, makes the bundled file. Nothing
here answers requests.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Self

FILE_NAME = "world.json.gz"
DOCKER_IO = "docker.io"
EXAMPLE = "registry.example"

Payload = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """A manifest, index or config (or another small blob), byte for byte."""

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
    untagged: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """The first part of the path."""
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        """What follows the namespace."""
        return self.path.partition("/")[2]

    def readable_by(self, account: str | None) -> bool:
        """Whether the account (None: anonymous) may see the repository."""
        return not self.is_private or account in self.readers


@dataclass(frozen=True)
class Account:
    """A user or an organisation of the Hub; an organisation has no password."""

    name: str
    is_organization: bool
    password: str | None
    organizations: tuple[str, ...]
    payload: Payload

    def accepts(self, password: str) -> bool:
        """Whether the password is the account's."""
        return self.password is not None and self.password == password


@dataclass
class World:
    """All that the sample services know.

    Attributes
    ----------
    now
        The date that the sample pretends to be made at, as RFC 3339 text.
    documents
        Documents by digest.
    repositories
        Repositories by host and path.
    accounts
        Accounts by name.
    """

    now: str
    documents: dict[str, Document]
    repositories: dict[tuple[str, str], Repository]
    accounts: dict[str, Account]
    _held: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict, repr=False)

    @classmethod
    def bundled(cls) -> Self:
        """Load the data file of the package."""
        return cls.from_bytes(files(__package__).joinpath(FILE_NAME).read_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Load a data file."""
        raw = json.loads(gzip.decompress(data))
        repositories = [_repository(entry) for entry in raw["repositories"]]
        return cls(
            now=raw["now"],
            documents={
                digest: Document(media_type, text.encode())
                for digest, media_type, text in raw["documents"]
            },
            repositories={(each.host, each.path): each for each in repositories},
            accounts={entry["name"]: _account(entry) for entry in raw["accounts"]},
        )

    def of_host(self, host: str) -> list[Repository]:
        """Return the repositories of one host, in order of path."""
        return [each for (_, path), each in sorted(self.repositories.items()) if each.host == host]

    def held(self, repository: Repository) -> frozenset[str]:
        """Return the digests of all documents that the repository holds."""
        key = (repository.host, repository.path)
        if key not in self._held:
            roots = [*(tag.digest for tag in repository.tags.values()), *repository.untagged]
            self._held[key] = frozenset(self._reachable(roots))
        return self._held[key]

    def _reachable(self, digests: list[str]) -> Iterator[str]:
        waiting, seen = list(digests), set[str]()
        while waiting:
            digest = waiting.pop()
            if digest in seen or digest not in self.documents:
                continue
            seen.add(digest)
            yield digest
            waiting += _children(self.documents[digest])


def _children(document: Document) -> list[str]:
    if not document.is_manifest:
        return []
    content = document.parsed()
    descriptors = [*content.get("manifests", ()), *content.get("layers", ())]
    if "config" in content:
        descriptors.append(content["config"])
    return [descriptor["digest"] for descriptor in descriptors]


def _repository(entry: Payload) -> Repository:
    tags = (Tag(name, digest, payload) for name, digest, payload in entry["tags"])
    return Repository(
        host=entry["host"],
        path=entry["path"],
        is_private=entry["is_private"],
        readers=frozenset(entry["readers"]),
        payload=entry["payload"],
        tags={tag.name: tag for tag in tags},
        untagged=tuple(entry["untagged"]),
    )


def _account(entry: Payload) -> Account:
    return Account(
        name=entry["name"],
        is_organization=entry["is_organization"],
        password=entry["password"],
        organizations=tuple(entry["organizations"]),
        payload=entry["payload"],
    )

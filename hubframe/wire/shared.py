"""Answers and documents that several machines share, on a shelf: `hubframe.wire.shelves`.

What stands there is JSON and the bytes that were sent, each beside its checksum or under its
digest; it is verified whenever it is read, since others may write to the same place.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hubframe.wire import patience
from hubframe.wire.answers import HELD, About, Answer, Answers, answer_of, packed, unpacked
from hubframe.wire.content import Content, Document, is_sound
from hubframe.wire.shelves import Claims, Shelf
from hubframe.wire.tally import count_cached

_ANSWERS, _DOCUMENTS = "answer", "document"
# How often whoever waits for another's fetch looks whether it is there. [seconds]
_GLANCE = 0.05
# What each process keeps of the documents beside, so as not to ask for them again. [bytes]
LOCAL = 64 * 1024**2


class SharedAnswers(Answers):
    """Answers by key, on a shelf.

    Parameters
    ----------
    shelf
        Where they lie.
    """

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(None)
        self._shelf = shelf

    def put(self, key: str, about: About, body: bytes) -> None:
        """Keep an answer."""
        left = None if about.expires is None else max(about.expires - time.time(), 0) + HELD
        self._shelf.put(_ANSWERS, key, packed(key, about, body), left)

    def write(self, key: str, answer: Answer, method: str) -> None:
        """Keep an answer that did not come by requests-cache."""
        self.put(key, About.of(answer, method), answer.content)

    def delete(self, key: str) -> None:
        """Forget an answer."""
        self._shelf.delete(_ANSWERS, [key])

    def __iter__(self) -> Iterator[str]:
        return self._shelf.names(_ANSWERS)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def rows(self, keys: Iterable[str]) -> Iterator[tuple[str, About, bytes]]:
        """Read what is as it was written."""
        for key, value in self._shelf.get_many(_ANSWERS, keys).items():
            if (row := unpacked(key, value)) is not None:
                yield key, *row

    def count_fresh(self) -> int:
        """Count the answers that have not expired."""
        return sum(answer_of(about, body).is_fresh for _, about, body in self.rows(self))

    def old(self, seconds: float) -> tuple[int, int]:
        """Count the answers that are no longer fresh for so long, and their bytes."""
        sizes = [len(body) for _, _, body in self._old(seconds)]
        return len(sizes), sum(sizes)

    def drop_old(self, seconds: float) -> None:
        """Forget the answers that are no longer fresh for so long."""
        self._shelf.delete(_ANSWERS, [key for key, _, _ in self._old(seconds)])

    def trim(self) -> None:
        """Do nothing: Redis drops what is too old, and a folder is cleared by its owner."""

    def clear(self) -> None:
        """Forget all answers."""
        self._shelf.delete(_ANSWERS, list(self))

    def flush(self) -> None:
        """Do nothing: answers are written as they come."""

    def _old(self, seconds: float) -> Iterator[tuple[str, About, bytes]]:
        until = time.time() - seconds
        for key, about, body in self.rows(self):
            if about.expires is not None and about.expires < until:
                yield key, about, body


class SharedContent(Content):
    """Documents by digest on a shelf, those used last in memory, too; each is fetched by one.

    Parameters
    ----------
    shelf
        Where they lie.
    """

    is_shared = True

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(None, LOCAL)
        self._shelf = shelf
        self._claims = Claims(shelf)

    def get_many(self, digests: Iterable[str]) -> dict[str, Document]:
        """Return those documents that are here or there, and sound, by digest."""
        wanted = list(digests)
        found = super().get_many(wanted)
        there = self._shelf.get_many(_DOCUMENTS, [one for one in wanted if one not in found])
        sound = [doc for name, value in there.items() if (doc := _document(name, value))]
        super().put_many(sound)
        return found | {document.digest: document for document in sound}

    def missing(self, digests: Iterable[str]) -> set[str]:
        """Return those digests whose documents are nowhere."""
        lacking = super().missing(digests)
        return lacking.difference(self.get_many(lacking))

    def put(self, document: Document) -> None:
        """Keep a document; it was verified by whoever fetched it."""
        super().put(document)
        self._shelf.put(_DOCUMENTS, document.digest, _packed(document))

    def put_many(self, documents: Iterable[Document]) -> None:
        """Keep documents."""
        for document in documents:
            self.put(document)

    def info(self) -> tuple[int, int]:
        """Count the documents on the shelf, and their bytes."""
        sizes = [len(value) for value in self._values()]
        return len(sizes), sum(sizes)

    def clear(self) -> None:
        """Forget all documents, for everybody."""
        super().clear()
        self._shelf.delete(_DOCUMENTS, list(self._shelf.names(_DOCUMENTS)))

    def close(self) -> None:
        """Close what is here, and the way there."""
        super().close()
        self._shelf.close()

    def _values(self) -> Iterator[bytes]:
        for name in self._shelf.names(_DOCUMENTS):
            yield from self._shelf.get_many(_DOCUMENTS, [name]).values()

    def _fetched(self, digest: str, fetcher: Callable[[], Document], is_missing: bool) -> Document:  # noqa: ARG002, FBT001
        """Fetch what is nowhere, unless another worker is about to: then wait for that."""
        while True:
            if (held := self.get(digest)) is not None:
                count_cached()
                return held
            if self._claims.take(digest):
                return self._fetched_alone(digest, fetcher)
            patience.wait(_GLANCE)

    def _fetched_alone(self, digest: str, fetcher: Callable[[], Document]) -> Document:
        try:
            # Between the look and the claim another worker may have put it there.
            held = self.get(digest)
            if held is not None:
                count_cached()
                return held
            document = fetcher()
            self.put(document)
            return document
        finally:
            self._claims.release(digest)


def _packed(document: Document) -> bytes:
    return json.dumps({"media_type": document.media_type}).encode() + b"\n" + document.body


def _document(digest: str, value: bytes) -> Document | None:
    head, _, body = value.partition(b"\n")
    if not is_sound(digest, body):
        return None
    try:
        about: Any = json.loads(head)
        media_type = about["media_type"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return Document(digest, media_type, body) if isinstance(media_type, str) else None

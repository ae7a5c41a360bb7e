"""Untrusted JSON: null where a list or a map should be, wrong types, missing keys."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from hubframe.errors import PayloadError

# So many values of an untrusted document take less than 512 MiB, whatever they are.
MOST_VALUES = 3_000_000


def parsed(body: bytes | str) -> Any:
    """Read JSON, several times faster than `json` does where it is proper.

    What orjson takes for an error `json` may still read: halves of surrogate pairs, numbers that
    are none, a byte order mark. Whole numbers of more than 64 bits come as floats. What is no JSON
    is a ValueError, what is nested too deep may be a RecursionError.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def parse(body: bytes, what: object) -> dict[str, Any]:
    """Read a JSON object; PayloadError where it is no JSON, or JSON of another shape."""
    return an_object(lambda: parsed(body), what)


def parse_attached(body: bytes, what: object, most: int | None = MOST_VALUES) -> dict[str, Any]:
    """Read an untrusted document of some size, as `parse` does; PayloadError for too many values.

    Small values take many times their size in memory. Commas in text are counted as values, too.
    """
    if most is not None and sum(map(body.count, (b",", b"{", b"["))) > most:
        raise PayloadError(f"{what}: it has more than {most:,} values; not read")
    return parse(body, what)


def an_object(read: Callable[[], Any], what: object) -> dict[str, Any]:
    """Read a JSON object as `parse` does, in a way of the caller's."""
    try:
        document = read()
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"{what}: it is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise PayloadError(f"{what}: expected a JSON object, got a {type(document).__name__}")
    return document


def as_json(value: Any) -> str | None:
    """Write what stands where a list or map is usual as JSON; null where nothing can be written."""
    try:
        # Python reads 1e999 and NaN, and would write words that are no JSON.
        return None if value is None else json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def array(value: Any) -> list[Any]:
    """Return a JSON array, or an empty one where something else stands."""
    return value if isinstance(value, list) else []


def items(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON array, or none where something else stands."""
    found = array(value)
    # Nearly always there is nothing else.
    if set(map(type, found)) <= {dict}:
        return found
    return [entry for entry in found if isinstance(entry, dict)]


def texts(value: Any) -> list[str]:
    """Return the texts of a JSON array, or none where something else stands."""
    return [entry for entry in array(value) if isinstance(entry, str)]


def text(value: Any) -> str | None:
    """Return text that is there and not empty."""
    return value if isinstance(value, str) and value else None


def pluck(entries: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """Return what objects hold under a key, null where they lack it; nearly always all have it."""
    try:
        return [entry[key] for entry in entries]
    except KeyError:
        return [entry.get(key) for entry in entries]


class Known(dict[Any, Any]):
    """What was read of texts, by text; a look-up is no call, so `functools.lru_cache` is slower.

    At most so many are remembered, and none longer than `longest`, which is rarely the same.
    """

    def __init__(
        self, read: Callable[[Any], Any], most: int = 16_384, longest: int = 2_000
    ) -> None:
        super().__init__()
        self._read, self._most, self._longest = read, most, longest

    def __missing__(self, written: Any) -> Any:
        """Read what is not known."""
        found = self._read(written)
        if written is None or len(written) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[written] = found
        return found

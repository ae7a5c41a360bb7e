"""Real documents, spoilt: the one way in which both the fuzzer and the properties do it."""

import json
from typing import Any

DIGEST = "sha256:" + "0123456789abcdef" * 4

# Values that somebody's code once fell over.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    5.0,
    2**63 - 1,
    2**63,
    10**400,
    -(10**400),
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "\0",
    "\r\n",
    "\ud800",
    "a\udfffb",
    "\u202e\u2066",
    "\x1b[31m",
    "=1+1",
    "'=1+1",
    "x" * 5000,
    "0",
    "-1",
    "\u0663",
    "9" * 30,
    "now",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999999-14:00",
    "2024-02-30T00:00:00Z",
    "2024-01-01",
    "2024-W01-1",
    DIGEST,
    "sha256:",
    "linux",
    "unknown",
    "index",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "1.2.3-rc1",
    'LABEL a="b c" d=\'e',
    '/bin/sh -c #(nop)  CMD ["sh"]',
    "|2 A=1 /bin/sh -c x",
    "|99999 A",
    "{}",
    "[[[[",
    '{"id": "a", "container_config": {"Cmd": [null, "x"]}}',
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": ""},
    {"a": None, "\ud800": 1, "\ud800\ud801": 1},
    {"digest": DIGEST, "size": -1},
    [{"digest": DIGEST}, {"digest": None}, "x"],
    ["b", "a", "", None, 1, "\ud800"],
)
# Fields that decide how a document is read.
KEYS = (
    "annotations",
    "architecture",
    "artifactType",
    "config",
    "digest",
    "empty_layer",
    "fsLayers",
    "history",
    "images",
    "layers",
    "manifests",
    "mediaType",
    "name",
    "os",
    "platform",
    "rootfs",
    "schemaVersion",
    "size",
)


def mutated(document: Any, random: Any, times: int = 1) -> Any:
    """Return a document with a few places spoilt.

    Parameters
    ----------
    document
        Any JSON value; it is left as it is.
    random
        What decides, with the methods of `random.Random`.
    times
        How many places.
    """
    held = [copied(document)]
    for _ in range(times):
        places = list(_places(held)) or list(_places(held := [None]))
        where, key = random.choice(places)
        random.choice(_WAYS)(where, key, places, random)
    return held[0] if held else None


def copied(value: Any) -> Any:
    """Copy a JSON value."""
    if isinstance(value, dict):
        return {key: copied(held) for key, held in value.items()}
    return [copied(held) for held in value] if isinstance(value, list) else value


def _places(value: Any) -> Any:
    """Name every place as its container and the key there."""
    for key, held in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(held, dict | list):
            yield from _places(held)


def _replace(where: Any, key: Any, _places: Any, random: Any) -> None:
    where[key] = copied(random.choice(VALUES))


def _drop(where: Any, key: Any, _places: Any, _random: Any) -> None:
    del where[key]


def _double(where: Any, key: Any, _places: Any, random: Any) -> None:
    if isinstance(where, list):
        where[key:key] = [copied(where[key]) for _ in range(random.choice((1, 2, 50)))]
    else:
        where[random.choice(KEYS)] = copied(where[key])


def _rename(where: Any, key: Any, _places: Any, random: Any) -> None:
    if isinstance(where, dict):
        where[random.choice(KEYS)] = where.pop(key)


def _add(where: Any, _key: Any, _places: Any, random: Any) -> None:
    if isinstance(where, dict):
        where[random.choice(KEYS)] = copied(random.choice(VALUES))
    else:
        where.append(copied(random.choice(VALUES)))


def _transplant(where: Any, key: Any, places: Any, random: Any) -> None:
    giver, at = random.choice(places)
    try:
        where[key] = copied(giver[at])
    except LookupError:
        where[key] = None


def _nest(where: Any, key: Any, _places: Any, random: Any) -> None:
    inner = where[key]
    for _ in range(random.choice((1, 3, 60))):
        inner = [inner] if random.random() < 0.5 else {random.choice(KEYS): inner}
    where[key] = inner


def _write(where: Any, key: Any, _places: Any, _random: Any) -> None:
    """Turn a value into its text, as schema 1 holds JSON within JSON."""
    where[key] = json.dumps(where[key])


_WAYS = (_replace, _replace, _replace, _drop, _double, _rename, _add, _transplant, _nest, _write)

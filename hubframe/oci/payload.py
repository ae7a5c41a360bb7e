"""JSON as strangers send it."""

import json
from typing import Any

import orjson


def parsed(body: bytes | str) -> Any:
    """Read JSON, several times faster than `json` does where it is proper.

    What orjson takes for an error `json` may still read: halves of surrogate pairs, numbers that
    are none, a byte order mark. Whole numbers of more than 64 bits come as floats.

    Raises
    ------
    ValueError, RecursionError
        It is no JSON, or nested too deep.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def written(value: Any) -> str:
    """Write JSON; halves of surrogate pairs and large numbers, which orjson refuses, as `json`."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value)

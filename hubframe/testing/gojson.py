"""JSON as Go's encoder writes it: the services and builders played here are Go programs."""

import json
from typing import Any

_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


def encode(value: Any, indent: int | None = None) -> bytes:
    """Return the value as UTF-8 JSON, compact unless an indent is given."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    return text.translate(_ESCAPES).encode()

"""Drive one target with atheris: ``python -m tests.fuzz.drive TARGET [libFuzzer's arguments]``."""

import json
import random
import sys

import atheris

# What texts are compared with guides as branches do.
atheris.enabled_hooks.add("str")

with atheris.instrument_imports(include=["hubframe"]):
    from tests.fuzz.mutation import mutated
    from tests.fuzz.targets import TARGETS

# One mutation in so many is of the bytes, for what is wrong before it is JSON.
_BYTES_EVERY = 5


def _spoil(data: bytes, most: int, seed: int) -> bytes:
    """Spoil a document as a document: of random bytes, few would be JSON at all."""
    chance = random.Random(seed)
    if chance.randrange(_BYTES_EVERY):
        try:
            found = mutated(json.loads(data), chance, chance.randrange(1, 4))
            written = json.dumps(found).encode()
        except (ValueError, RecursionError):
            written = b""
        if 0 < len(written) <= most:
            return written
    return atheris.Mutate(data, most)


def main() -> None:
    """Fuzz until libFuzzer has had enough."""
    name = sys.argv.pop(1)
    spoil = {"custom_mutator": _spoil} if name in ("documents", "shape") else {}
    atheris.Setup(sys.argv, TARGETS[name], **spoil)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

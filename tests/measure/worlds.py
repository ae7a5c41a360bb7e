"""Frames of layers to measure: small enough to check by hand, or made up by hypothesis."""

import random

from hypothesis import strategies as st

from hubframe.tables import LAYERS

EMPTY = "sha256:empty"


def layer(name, layers, *, digest=None, platform="linux/amd64", created=None, sizes=None):  # noqa: PLR0913
    """Rows of one name, `repo:tag` or `repo`; the layers are letters, sized by `size`."""
    repo, _, tag = name.partition(":")
    return [
        {
            "repo": repo,
            "tag": tag or None,
            "platform": platform,
            "image_digest": digest,
            "position": position,
            "layer_digest": letter,
            "size": (sizes or {}).get(letter, size(letter)),
            "instruction": f"RUN {letter}",
            "created_at": created,
            "is_empty": letter == EMPTY,
        }
        for position, letter in enumerate(layers)
    ]


def size(letter):
    """a is 1 byte, b 2, c 4 and so on: any sum tells its parts."""
    return 32 if letter == EMPTY else 2 ** (ord(letter) - ord("a"))


def frame(*images):
    return LAYERS.from_records(row for image in images for row in image)


def shuffled(layers, seed=0):
    order = list(range(len(layers)))
    random.Random(seed).shuffle(order)
    return layers.take(order).reset_index(drop=True)


def dtypes(table):
    return {name: str(dtype) for name, dtype in table.dtypes.items()}


# An image is a tuple of letters; a world gives images to names, so that some are aliases, some
# have no tag, and some no digest.
_IMAGES = st.lists(
    st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=5), min_size=1, max_size=6
)
_NAMES = st.lists(
    st.tuples(
        st.sampled_from(["n/a", "n/b", "m/a", "ghcr.io/n/a"]),
        st.sampled_from(["1", "2", "latest", ""]),
        st.sampled_from(["linux/amd64", "linux/arm64"]),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=10,
)


@st.composite
def worlds(draw):
    images = draw(_IMAGES)
    rows, seen = [], set()
    for repo, tag, platform, drawn, has_digest in draw(_NAMES):
        number = drawn % len(images)
        digest = f"sha256:{number}" if has_digest or not tag else None
        if (repo, tag, platform) not in seen or not tag:
            if (repo, tag, platform, digest) in seen:
                continue
            seen |= {(repo, tag, platform), (repo, tag, platform, digest)}
            rows.append(layer(f"{repo}:{tag}", images[number], digest=digest, platform=platform))
    return frame(*rows)


def stored(layers):
    """Bytes of the distinct layers."""
    return sum(map(size, layers["layer_digest"].unique()))

"""Registries made from a seed, of which everything that is measured is known, since it was planted.

Bases ``library/base0`` … have releases; applications ``acme/app0`` … are built on one of them, and
each release of theirs adds layers of its own. Every layer's size is drawn anew.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hubframe.tables import LAYERS, TAGS

_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
NOW = _FIRST + timedelta(days=400)


@dataclass
class Planted:
    """The frames, and what is true of them.

    Attributes
    ----------
    layers, tags
        The frames.
    parents
        The parent of each name, as names ``repo:tag``.
    outdated
        The newer tag of the parent, by the child's name, and the days between.
    uses
        The names that hold each layer.
    sizes
        The bytes of each layer.
    images
        The bytes of each image, by digest.
    exclusive
        The bytes that only one image holds, by each of its names.
    lag
        By repository: how many versions ``latest`` is behind.
    copies
        Groups of names that have the same layers.
    deleted
        The names that go where two of each application's releases are kept.
    freed
        The bytes that this frees.
    changes
        By application and release: what it has more than the one before, in its own step.
    """

    layers: object = None
    tags: object = None
    parents: dict = field(default_factory=dict)
    outdated: dict = field(default_factory=dict)
    uses: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)
    images: dict = field(default_factory=dict)
    exclusive: dict = field(default_factory=dict)
    lag: dict = field(default_factory=dict)
    copies: list = field(default_factory=list)
    deleted: set = field(default_factory=set)
    freed: int = 0
    changes: dict = field(default_factory=dict)


class _Garden:
    """What is planted, and what is written down of it."""

    def __init__(self, seed):
        self.drawn = random.Random(seed)
        self.numbers = count()
        self.rows, self.tags = [], []
        self.truth = Planted()

    def new_layer(self, instruction):
        digest = f"sha256:{next(self.numbers):064x}"
        self.truth.sizes[digest] = self.drawn.randint(1, 10**9)
        return digest, instruction

    def image(self, repo, tag, layers, day, *, digest=None):
        digest = digest or f"sha256:{next(self.numbers):064x}"
        pushed = (_FIRST + timedelta(days=day)).isoformat()
        self.truth.images[digest] = sum(self.truth.sizes[layer] for layer, _ in layers)
        self.tags.append({"repo": repo, "tag": tag, "digest": digest, "pushed_at": pushed})
        for position, (layer, instruction) in enumerate(layers):
            self.truth.uses.setdefault(layer, set()).add(f"{repo}:{tag}")
            self.rows.append(
                {
                    "repo": repo,
                    "tag": tag,
                    "platform": "linux/amd64",
                    "image_digest": digest,
                    "position": position,
                    "layer_digest": layer,
                    "size": self.truth.sizes[layer],
                    "instruction": instruction,
                    "created_at": pushed,
                    "is_empty": False,
                }
            )
        return digest


def planted(seed, *, bases=3, apps=4):
    """Plant a registry; the same seed gives the same one."""
    garden = _Garden(seed)
    bottoms = [_base(garden, f"library/base{number}") for number in range(bases)]
    for number in range(apps):
        _application(garden, f"acme/app{number}", *garden.drawn.choice(bottoms))
    truth = garden.truth
    truth.layers, truth.tags = LAYERS.from_records(garden.rows), TAGS.from_records(garden.tags)
    return truth


def _base(garden, repo):
    """Three releases of a base; whoever builds on the first two has an outdated parent."""
    truth, releases = garden.truth, []
    for number in range(3):
        layers = [garden.new_layer("ADD rootfs"), garden.new_layer("RUN setup")]
        day = 10 * number + garden.drawn.randint(0, 5)
        digest = garden.image(repo, f"1.{number}", layers, day)
        # Until somebody builds on it, a release alone holds its layers.
        alone = sum(truth.sizes[layer] for layer, _ in layers)
        truth.parents[f"{repo}:1.{number}"] = None
        truth.exclusive[f"{repo}:1.{number}"] = alone
        releases.append((layers, day))
    garden.image(repo, "latest", layers, day, digest=digest)
    truth.parents[f"{repo}:latest"] = None
    truth.exclusive[f"{repo}:latest"] = alone
    truth.lag[repo] = 0
    return repo, releases


def _application(garden, repo, base, releases):
    """Five releases of an application, on one release of a base, the last of them copied."""
    truth, drawn = garden.truth, garden.drawn
    chosen = drawn.randrange(len(releases))
    below, base_day = releases[chosen]
    # Now the base shares all that it has.
    _share(truth, base, chosen)
    behind = drawn.randrange(5)
    before = None
    for number in range(5):
        name = f"{repo}:2.{number}"
        own = garden.new_layer(f"RUN install app-2.{number}")
        digest = garden.image(repo, f"2.{number}", [*below, own], 50 + number)
        names, size = [name], truth.sizes[own[0]]
        if number == 4 - behind:
            garden.image(repo, "latest", [*below, own], 50 + number, digest=digest)
            names.append(f"{repo}:latest")
        if number == 4:
            garden.image("copy/" + repo.partition("/")[2], "2.4", [*below, own], 60)
            names.append(f"copy/{repo.partition('/')[2]}:2.4")
        for each in names:
            truth.parents[each] = f"{base}:1.{chosen}"
            truth.exclusive[each] = 0 if number == 4 else size
            if chosen < 2:
                truth.outdated[each] = ("1.2", releases[2][1] - base_day)
        if len(names) > 1:
            truth.copies.append(frozenset(names))
        if number < 3:
            truth.deleted.add(name)
            truth.freed += 0 if number == 4 - behind else size
        truth.changes[name] = None if before is None else size - before
        before = size
    truth.lag[repo] = behind


def _share(truth, base, chosen):
    truth.exclusive[f"{base}:1.{chosen}"] = 0
    if chosen == 2:
        truth.exclusive[f"{base}:latest"] = 0

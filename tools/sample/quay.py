"""``quay.io``: a registry that keeps what its tags pointed at, also of tags that are gone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tools.sample.draft import SYNTHETIC, Draft, Era, Payload, build_all
from tools.sample.image import AMD64, ARM64, Platform, cmd, copy, entrypoint
from tools.sample.seeded import moment
from tools.sample.store import Published, Store

HOST = "quay.io"
ERA = Era(buildkit=True, oci=True, attestation="")
# Far enough away for a tag that expires to be there.
EXPIRES = moment("2099-01-01")

# Tags, when they were pushed, megabytes: 1.1.0 again, after what it was built on was mended.
AGENT = (
    (("1.0.0", "1.0", "latest"), "2026-03-10", 18.2),
    (("1.1.0", "1.1", "latest"), "2026-06-02", 18.9),
    (("1.1.0", "1.1"), "2026-06-16", 19.0),
    (("1.2.0", "1.2", "latest"), "2026-10-27", 19.4),
)
NIGHTLY = (("2026-11-16", 20.0), ("2026-11-17", 20.1), ("2026-11-18", 20.1))
TOOLBOX = (("2025.1", "2025-02-04", 61.0), ("2026.1", "2026-02-03", 58.5))


def draft(store: Store) -> list[Draft]:
    """Return the registry's repositories."""
    return [_agent(store), _toolbox(store)]


@dataclass
class Kept(Draft):
    """A repository whose tags' past is kept."""

    host: str = HOST
    history: list[Payload] = field(default_factory=list)

    def build(
        self, tags: Iterable[str], day: str, megabytes: float, platforms: tuple[Platform, ...]
    ) -> Published:
        """Build an image, and push it."""
        at = moment(day, self.path)
        name = self.path.rpartition("/")[2]
        steps = [copy(f"{name} /usr/local/bin/", megabytes, day), entrypoint(name), cmd("--help")]
        return self.release(tags, at, build_all({}, platforms, steps, at, ERA), ERA)

    def push(
        self, tags: Iterable[str], at: datetime, published: Published, *how: Any, **more: Any
    ) -> None:
        """Point tags to what was published, and keep what they pointed at before."""
        named = list(tags)
        super().push(named, at, published, *how, **more)
        for name in named:
            self.keep(name, at, published)

    def keep(self, name: str, at: datetime, published: Published, *, back: bool = False) -> None:
        """Write down that a tag points at something from now on."""
        self.end(name, at)
        alone = published.images if len(published.images) == 1 else ()
        self.history.append(
            {
                "name": name,
                "digest": published.digest,
                "start": int(at.timestamp()),
                "end": None,
                "is_reversion": back,
                "size": alone[0][2] if alone else None,
            }
        )

    def revert(self, name: str, day: str, published: Published) -> None:
        """Go back to what a tag pointed at before."""
        at = moment(day, self.path)
        super().push([name], at, published)
        self.keep(name, at, published, back=True)

    def end(self, name: str, at: datetime) -> None:
        """Write down that a tag does not point at what it did."""
        for entry in self.history:
            if entry["name"] == name and entry["end"] is None:
                entry["end"] = int(at.timestamp())
                self.untagged.append(entry["digest"])

    def delete(self, name: str, day: str) -> None:
        """Delete a tag."""
        self.end(name, moment(day, self.path, "deleted"))
        del self.tags[name]

    def entry(self) -> Payload:
        """Return the repository as the data file holds it, its past with the last push first."""
        ordered = sorted(self.history, key=lambda entry: (-entry["start"], entry["name"]))
        payload = {"description": SYNTHETIC + self.description}
        untagged = list(dict.fromkeys(self.untagged))
        return {**super().entry(), "payload": payload, "untagged": untagged, "history": ordered}


def _agent(store: Store) -> Draft:
    repository = Kept(store, "acme/agent", "an agent for every host.")
    for tags, day, megabytes in AGENT:
        repository.build(tags, day, megabytes, (AMD64, ARM64))
    for day, megabytes in NIGHTLY:
        repository.build(["nightly"], day, megabytes, (AMD64,))
    repository.delete("nightly", "2026-11-19")
    repository.build(["preview"], "2026-11-12", 20.3, (AMD64,))
    repository.history[-1]["end"] = int(EXPIRES.timestamp())
    return repository


def _toolbox(store: Store) -> Draft:
    repository = Kept(store, "acme/toolbox", "what one needs to look into a container.")
    built = [repository.build([tag, "latest"], day, size, (AMD64,)) for tag, day, size in TOOLBOX]
    # The new one was broken.
    repository.revert("latest", "2026-02-05", built[0])
    return repository

"""``registry.example``: a registry that is not the Hub, with paths of two and three parts."""

from collections.abc import Sequence

from tools.sample.community import (
    bill_of_materials,
    oci_labels,
    revision,
    signature_bundle,
)
from tools.sample.draft import Draft, Era, build_all
from tools.sample.image import (
    AMD64,
    ARM64,
    Platform,
    Step,
    add,
    cmd,
    copy,
    entrypoint,
    env,
    expose,
    run,
    user,
)
from tools.sample.seeded import moment, stamp
from tools.sample.store import Published, Store

HOST = "registry.example"

BASE = (
    ("2022.1", "2022-01-18", 28.1), ("2023.1", "2023-01-24", 28.6), ("2024.1", "2024-01-23", 30.2),
    ("2025.1", "2025-01-21", 27.9), ("2026.1", "2026-01-20", 28.0),
)  # fmt: skip
API = (
    ("1.0.0", "2022-04-05", 22.0), ("1.1.0", "2022-12-06", 24.8), ("1.2.0", "2023-09-12", 27.5),
    ("2.0.0", "2024-06-11", 19.9), ("2.1.0", "2025-04-08", 21.3), ("2.2.0", "2026-02-17", 23.6),
    ("2.3.0", "2026-11-03", 24.1),
)  # fmt: skip
JOBS = (
    ("2023-03", "2023-03-14", 44.0), ("2023-10", "2023-10-10", 47.1),
    ("2024-05", "2024-05-21", 52.9),
    ("2025-02", "2025-02-18", 55.0), ("2025-11", "2025-11-25", 48.7),
    ("2026-08", "2026-08-18", 49.9),
)  # fmt: skip

LIFECYCLE = "application/vnd.microsoft.artifact.lifecycle"
END_OF_LIFE = "vnd.microsoft.artifact.lifecycle.end-of-life.date"
# When the life of jobs ends, as their publisher says.
ENDED = {"2023-03": "2024-03-31", "2023-10": "2024-10-31", "2026-08": "2027-08-31"}


def draft(store: Store) -> list[Draft]:
    """Return the registry's repositories."""
    base = _base(store)
    return [_api(store, base), base, _jobs(store, base)]


def _era(year: int) -> Era:
    return Era(buildkit=year >= 2023, oci=year >= 2024, attestation="")


def _base(store: Store) -> Draft:
    repository = Draft(store, "team/base", host=HOST)
    for version, day, megabytes in BASE:
        steps = [
            add(f"rootfs-{version}.tar.xz /", megabytes, version),
            env("LANG", "C.UTF-8"),
            cmd("/bin/bash"),
        ]
        _push(repository, [version, "latest"], day, None, steps, (AMD64, ARM64))
    return repository


def _push(  # noqa: PLR0913, PLR0917
    repository: Draft,
    tags: Sequence[str],
    day: str,
    base: Draft | None,
    steps: Sequence[Step],
    platforms: Sequence[Platform],
) -> Published:
    at = moment(day, repository.path)
    era = _era(at.year)
    below = base.at("latest", at) if base else {}
    images = build_all(below, platforms, steps, at, era)
    return repository.release(tags, at, images, era, created=stamp(at, 0))


def _api(store: Store, base: Draft) -> Draft:
    repository = Draft(store, "team/api", host=HOST)
    for version, day, megabytes in API:
        steps = [
            *oci_labels(title="api", version=version, revision=revision("team", version)),
            run("apt-get update && apt-get install -y libpq5 && rm -rf /var/lib/apt/lists/*", 2.2),
            copy("api /usr/local/bin/", megabytes, version),
            user("api"),
            expose(8443),
            entrypoint("api"),
        ]
        at = moment(day, repository.path)
        images = build_all(base.at("latest", at), (AMD64, ARM64), steps, at, _era(at.year))
        published = repository.release(
            [version, version.rpartition(".")[0], "latest"], at, images, _era(at.year)
        )
    subject = store.descriptor(published)
    artifacts = (bill_of_materials(store, subject, "api"), signature_bundle(store, subject))
    repository.untagged += [artifact.digest for artifact in artifacts]
    return repository


def _jobs(store: Store, base: Draft) -> Draft:
    repository = Draft(store, "team/worker/jobs", host=HOST)
    for version, day, megabytes in JOBS:
        steps = [
            run("apt-get update && apt-get install -y cron && rm -rf /var/lib/apt/lists/*", 3.7),
            copy("jobs/ /opt/jobs/", megabytes, version),
            env("JOBS_HOME", "/opt/jobs"),
            cmd("cron", "-f"),
        ]
        published = _push(repository, [version, "latest"], day, base, steps, (AMD64,))
        if version in ENDED:
            ended = store.artifact(
                [store.empty()],
                artifactType=LIFECYCLE,
                subject=store.descriptor(published),
                annotations={END_OF_LIFE: ENDED[version]},
            )
            repository.untagged.append(ended.digest)
    return repository

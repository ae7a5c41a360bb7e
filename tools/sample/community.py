"""The ``ansible`` and ``acme`` namespaces: ordinary, private and odd repositories of a company."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tools.sample.draft import Draft, Era, Images, build_all
from tools.sample.image import (
    AMD64,
    ARM64_PLAIN,
    Platform,
    Step,
    cmd,
    copy,
    entrypoint,
    env,
    expose,
    healthcheck,
    label,
    run,
    stop_signal,
    user,
    volume,
    workdir,
)
from tools.sample.image import ARM64 as ARM64_V8
from tools.sample.official import minor
from tools.sample.seeded import digest_of, moment, stamp
from tools.sample.store import OCI_CONFIG, OCI_INDEX, Published, Store

Pairs = Mapping[str, str]

INTEGRATION = ("Integration & delivery", "integration-and-delivery")
WEB_SERVERS = ("Web servers", "web-servers")
OCI = "org.opencontainers.image."
LABEL_SCHEMA = "org.label-schema."
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
COSIGN_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"

# version, pushed, compressed megabytes of what pip installs
ANSIBLE = (
    ("2.7.8", "2019-03-09", 41.2), ("2.8.0", "2019-09-20", 44.8), ("2.9.0", "2019-11-02", 46.1),
    ("2.9.10", "2020-06-22", 46.4), ("2.10.0", "2020-10-22", 58.9), ("3.0.0", "2021-02-19", 61.3),
    ("4.0.0", "2021-05-19", 64.0), ("4.8.0", "2021-11-03", 66.2), ("5.0.0", "2021-12-02", 68.8),
    ("6.0.0", "2022-06-22", 74.1), ("6.7.0", "2022-12-07", 75.9), ("7.0.0", "2022-12-23", 77.0),
    ("7.5.0", "2023-04-27", 78.8), ("8.0.0", "2023-06-16", 81.5), ("8.5.0", "2023-10-12", 83.0),
    ("9.0.0", "2023-11-22", 84.6), ("9.4.0", "2024-03-27", 86.2), ("10.0.0", "2024-07-05", 79.1),
    ("10.5.0", "2024-10-10", 80.4), ("11.0.0", "2024-11-20", 82.2), ("11.4.0", "2025-03-26", 83.7),
    ("11.8.0", "2025-07-17", 84.1), ("12.0.0", "2025-09-11", 71.7), ("12.3.0", "2026-01-15", 72.5),
    ("13.0.0rc1", "2026-05-12", 73.9), ("13.0.0", "2026-06-04", 74.0),
    ("13.2.0", "2026-09-10", 74.8), ("13.4.0", "2026-11-15", 75.1),
)  # fmt: skip

RUNNER = (
    ("1.4.6", "2020-03-26", 118.0), ("1.4.9", "2021-06-14", 121.5), ("2.0.0", "2021-06-30", 139.2),
    ("2.1.0", "2021-12-10", 142.7), ("2.2.1", "2022-06-02", 146.6), ("2.3.1", "2022-12-16", 149.1),
    ("2.3.4", "2023-08-23", 151.4), ("2.4.0", "2024-06-27", 133.6), ("2.4.1", "2025-03-25", 134.0),
    ("2.4.2", "2026-03-11", 134.2),
)  # fmt: skip
# The last release that was pushed as ``latest``, too: later ones forgot it.
_LATEST_RUNNER = "2.4.0"

AWX = (
    ("9.0.0", "2019-11-07", 512.0), ("11.0.0", "2020-04-21", 548.0),
    ("15.0.0", "2020-10-05", 571.0),
    ("17.1.0", "2021-03-09", 604.0), ("19.2.0", "2021-06-01", 633.0),
    ("20.1.0", "2022-03-16", 662.0),
    ("21.10.0", "2022-12-13", 701.0), ("22.5.0", "2023-07-05", 742.0),
    ("23.5.0", "2023-11-29", 806.0),
    ("24.6.1", "2024-07-08", 838.0), ("25.0.0", "2025-10-21", 497.0),
    ("25.2.0", "2026-07-14", 511.0),
)  # fmt: skip

# version, pushed, megabytes of dependencies: they grow until 4.0.0 throws half of them out
WEB = (
    ("1.0.0", "2020-01-22", 38.0), ("1.4.0", "2020-07-08", 52.5), ("2.0.0", "2021-02-03", 71.2),
    ("2.1.0", "2021-06-17", 83.0), ("2.3.0", "2021-11-11", 97.4), ("2.6.1", "2022-05-05", 118.9),
    ("3.0.0", "2022-10-19", 141.7), ("3.1.0", "2023-02-22", 160.3), ("3.2.0", "2023-07-06", 186.8),
    ("3.4.0", "2023-12-13", 214.6), ("3.5.0", "2024-05-15", 241.1), ("3.6.0", "2024-09-24", 267.9),
    ("4.0.0", "2025-03-12", 96.4), ("4.1.0", "2025-07-23", 101.8), ("4.2.0", "2025-11-19", 109.3),
    ("4.3.0", "2026-04-14", 117.0), ("4.4.0-rc.1", "2026-08-26", 121.4),
    ("4.4.0", "2026-09-16", 121.9), ("4.4.1", "2026-11-11", 122.3),
)  # fmt: skip

API = (
    ("v0.1", "2021-01-20", 11.2), ("v0.2", "2021-09-08", 12.8), ("v1.0", "2022-03-02", 14.1),
    ("v1.1", "2022-11-30", 14.9), ("v1.2", "2023-06-21", 17.4), ("v1.3", "2024-02-28", 18.8),
    ("v2.0", "2024-11-06", 12.1), ("v2.1", "2025-05-21", 12.6), ("v2.2", "2026-01-28", 13.5),
    ("v2.3", "2026-10-21", 14.2),
)  # fmt: skip


def draft(store: Store, official: Mapping[str, Draft]) -> list[Draft]:
    """Return the repositories of both namespaces."""
    return [
        _ansible(store, official["debian"], official["python"]),
        _runner(store, official["python"]),
        _awx(store, official["debian"]),
        _vault_tools(store, official["alpine"]),
        _web(store, official["nginx"]),
        _api(store, official["alpine"]),
        _charts(store),
        Draft(store, "acme/empty", "nothing was pushed yet.", 0, 0, "2026-02-17", readme=False),
        _billing(store, official["python"]),
    ]


def oci_labels(**values: str) -> list[Step]:
    """Return LABEL steps with OCI's keys."""
    return [label(OCI + name, text) for name, text in values.items()]


def _label_schema(**values: str) -> list[Step]:
    names = {"vcs_ref": "vcs-ref", "vcs_url": "vcs-url", "build_date": "build-date"}
    return [label(LABEL_SCHEMA + names.get(name, name), text) for name, text in values.items()]


def revision(*names: str) -> str:
    """Return a commit's name."""
    return digest_of("commit", *names)[7:47]


def _platforms(at: datetime, arm: Platform = ARM64_PLAIN) -> tuple[Platform, ...]:
    return (AMD64,) if at.year < 2022 else (AMD64, arm)


def with_plain_arm(base: Images) -> Images:
    """Offer an official arm64 image also to builds that name no variant."""
    return {**base, ARM64_PLAIN: replace(base[ARM64_V8], platform=ARM64_PLAIN)}


def _push(  # noqa: PLR0913, PLR0917
    repository: Draft,
    tags: Sequence[str],
    at: datetime,
    base: Images,
    steps: Sequence[Step],
    platforms: Sequence[Platform] = (),
) -> Published:
    era = Era.community(at)
    images = build_all(base, platforms or _platforms(at), steps, at, era)
    return repository.release(tags, at, images, era)


def _ansible(store: Store, debian: Draft, python: Draft) -> Draft:
    repository = Draft(
        store, "ansible/ansible", "automation in a container.", 12_847_310, 812, "2014-02-14",
        categories=(INTEGRATION,),
    )  # fmt: skip
    for version, day, megabytes in ANSIBLE:
        at = moment(day, "ansible")
        base = python.at("slim", at) if at.year >= 2021 else debian.at("stable-slim", at)
        tags = [version, *(["latest"] if "rc" not in version else [])]
        tags += ["stable"] if version.endswith(".0") and "latest" in tags else []
        _push(repository, tags, at, with_plain_arm(base), _ansible_steps(version, at, megabytes))
    return repository


def _ansible_steps(version: str, at: datetime, megabytes: float) -> list[Step]:
    arguments = (f"ANSIBLE_VERSION={version}", f"VCS_REF={revision('ansible', version)[:7]}")
    old = [
        label("maintainer", "Sample Automation Team <automation@sample.invalid>"),
        *_label_schema(name="ansible", version=version, vcs_ref=revision("ansible", version)[:7]),
    ]
    new = oci_labels(
        title="ansible", version=version, revision=revision("ansible", version),
        source="https://sample.invalid/ansible/ansible", licenses="GPL-3.0-or-later",
        created=stamp(at, 0), vendor="Sample Automation",
    )  # fmt: skip
    return [
        *(old if at.year < 2021 else new),
        env("ANSIBLE_FORCE_COLOR", "1"),
        run("apt-get update && apt-get install -y --no-install-recommends openssh-client sshpass"
            " && rm -rf /var/lib/apt/lists/*", 9.6),
        run('pip install --no-cache-dir "ansible==$ANSIBLE_VERSION"', megabytes, *arguments),
        workdir("/ansible", makes_layer=at.year >= 2023),
        volume("/ansible"),
        cmd("ansible-playbook", "--version"),
    ]  # fmt: skip


def _runner(store: Store, python: Draft) -> Draft:
    repository = Draft(
        store, "ansible/ansible-runner", "runs playbooks for other programs.", 3_481_902, 64,
        "2018-05-24", categories=(INTEGRATION,),
    )  # fmt: skip
    for version, day, megabytes in RUNNER:
        at = moment(day, "runner")
        steps = [
            *oci_labels(title="ansible-runner", version=version, licenses="Apache-2.0"),
            run(f"pip install --no-cache-dir ansible-core ansible-runner=={version}", megabytes),
            copy("entrypoint /bin/entrypoint", 0.0009),
            env("RUNNER_BASE_COMMAND", "ansible-runner"),
            user("1000"),
            workdir("/runner", makes_layer=at.year >= 2023),
            entrypoint("entrypoint"),
            cmd("ansible-runner", "run", "/runner"),
        ]
        tags = [version, *(["latest"] if version <= _LATEST_RUNNER else [])]
        _push(repository, tags, at, with_plain_arm(python.at("slim", at)), steps)
    return repository


def _awx(store: Store, debian: Draft) -> Draft:
    repository = Draft(
        store, "ansible/awx", "a web console for automation.", 41_220_876, 247, "2017-08-30",
        categories=(INTEGRATION, WEB_SERVERS),
    )  # fmt: skip
    for version, day, megabytes in AWX:
        at = moment(day, "awx")
        modern = oci_labels(title="awx", version=version, revision=revision("awx", version))
        old = _label_schema(
            name="awx", version=version, vcs_url="https://sample.invalid/ansible/awx",
            vcs_ref=revision("awx", version), build_date=stamp(at, 0),
        )  # fmt: skip
        steps = [
            *(modern if at.year >= 2023 else old),
            run("apt-get update && apt-get install -y git nginx python3 supervisor", 88.0),
            copy("venv/ /var/lib/awx/venv/", megabytes * 0.62, version),
            copy("static/ /var/lib/awx/public/static/", megabytes * 0.25, version),
            env("AWX_VERSION", version),
            expose(8052),
            healthcheck("curl -f http://localhost:8052/api/v2/ping/ || exit 1"),
            user("1000"),
            entrypoint("/usr/bin/tini", "--"),
            cmd("/usr/bin/launch_awx.sh"),
        ]
        _push(repository, [version, "latest"], at, debian.at("stable-slim", at), steps, (AMD64,))
    return repository


def _vault_tools(store: Store, alpine: Draft) -> Draft:
    repository = Draft(
        store, "ansible/vault-tools", "a private repository.", 1_904, 0, "2022-01-11",
        readers=("ansible-bot",), readme=False,
    )  # fmt: skip
    for version, day in (
        ("0.1.0", "2022-02-08"), ("0.2.0", "2023-04-04"), ("0.3.0", "2024-10-01"),
        ("1.0.0", "2026-07-07"),
    ):  # fmt: skip
        at = moment(day, "vault-tools")
        steps = [
            run("apk add --no-cache gnupg jq openssl", 7.9),
            copy("vault-tools /usr/local/bin/", 4.4, version),
            entrypoint("vault-tools"),
        ]
        _push(repository, [version, "latest"], at, alpine.at("latest", at), steps, (AMD64,))
    return repository


def _web(store: Store, nginx: Draft) -> Draft:
    repository = Draft(
        store, "acme/web", "a web shop whose dependencies grow.", 482_109, 17, "2019-12-03",
        categories=(WEB_SERVERS,),
    )  # fmt: skip
    for version, day, megabytes in WEB:
        at = moment(day, "web")
        tags = [version, *(["latest"] if "rc" not in version else [])]
        if at.year >= 2025:
            tags += [minor(version), f"sha-{revision('web', version)[:7]}"]
        published = _push(
            repository, tags, at, nginx.at("latest", at), _web_steps(version, at, megabytes),
            _platforms(at, ARM64_V8),
        )  # fmt: skip
    for branch, day in (("main", "2026-11-13"), ("pr-1284", "2026-11-12")):
        at = moment(day, "web")
        steps = _web_steps(branch, at, 122.6)
        _push(repository, [branch], at, nginx.at("latest", at), steps, (AMD64, ARM64_V8))
    _signature(repository, published, moment("2026-11-11", "web"))
    _referrers_tag(repository, published, moment("2026-11-11", "web"))
    return repository


def _web_steps(version: str, at: datetime, megabytes: float) -> list[Step]:
    commit = revision("web", version)
    created = {"created": stamp(at, 0)} if at.year >= 2022 else {}
    return [
        *oci_labels(
            title="web", version=version, revision=commit, vendor="Acme Sample Inc.",
            source="https://sample.invalid/acme/web", **created,
        ),
        env("APP_ENV", "production"),
        workdir("/srv/web", makes_layer=at.year >= 2021),
        copy("node_modules/ ./node_modules/", megabytes, version),
        copy("dist/ ./dist/", 3.1 + megabytes / 60, version),
        run("chown -R nginx:nginx /srv/web", 0.4, f"APP_VERSION={version}", f"COMMIT={commit[:7]}"),
        copy("nginx.conf /etc/nginx/nginx.conf", 0.0011),
        healthcheck("wget -q -O /dev/null http://127.0.0.1:8080/healthz || exit 1"),
        expose(8080),
    ]  # fmt: skip


def _signature(repository: Draft, published: Published, at: datetime) -> None:
    """Sign an image as cosign does: with a tag that is named for the digest."""
    identity = {"docker-reference": f"index.docker.io/{repository.path}"}
    image = {"docker-manifest-digest": published.digest}
    critical = {"identity": identity, "image": image, "type": "cosign container image signature"}
    layer = repository.store.put(COSIGN_LAYER, {"critical": critical, "optional": None})
    fake = base64.b64encode(b"no signature, this is a sample").decode()
    signed = {**layer, "annotations": {"dev.cosignproject.cosign/signature": fake}}
    rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
    never = "0001-01-01T00:00:00Z"
    config = {"architecture": "", "config": {}, "created": never, "os": "", "rootfs": rootfs}
    document = repository.store.put(OCI_CONFIG, config)
    signature = repository.store.artifact([signed], config=document, content_type="image")
    repository.push([f"{published.digest.replace(':', '-')}.sig"], at, signature)


def bill_of_materials(store: Store, subject: Mapping[str, object], title: str) -> Published:
    """Publish an SBOM that refers to an image."""
    layer = store.put("application/spdx+json", {"spdxVersion": "SPDX-2.3", "name": title})
    return store.artifact(
        [{**layer, "annotations": {OCI + "title": f"{title}.spdx.json"}}],
        artifactType="application/spdx+json", subject=dict(subject),
        annotations={OCI + "created": "2026-11-12T08:00:00Z", OCI + "title": f"{title}.spdx.json"},
    )  # fmt: skip


def signature_bundle(store: Store, subject: Mapping[str, object]) -> Published:
    """Publish a Sigstore bundle that refers to an image; it signs nothing."""
    layer = store.put(BUNDLE, {"mediaType": BUNDLE, "note": "no signature, this is a sample"})
    return store.artifact(
        [layer], artifactType=BUNDLE, subject=dict(subject),
        annotations={OCI + "created": "2026-11-12T08:05:00Z"},
    )  # fmt: skip


def _referrers_tag(repository: Draft, published: Published, at: datetime) -> None:
    """List referrers under the tag that clients fall back to where the API is missing."""
    store = repository.store
    subject = store.descriptor(published)
    entries = []
    for artifact in (bill_of_materials(store, subject, "web"), signature_bundle(store, subject)):
        content = store.parsed(artifact)
        described = {name: content[name] for name in ("artifactType", "annotations")}
        entries.append({**store.descriptor(artifact), **described})
    index = store.put(
        OCI_INDEX,
        {"schemaVersion": 2, "mediaType": OCI_INDEX,
         "manifests": entries},
    )  # fmt: skip
    tag = published.digest.replace(":", "-")
    listing = Published(index["digest"], index["mediaType"], (), "unrecognized")
    repository.push([tag], at, listing)


def _api(store: Store, alpine: Draft) -> Draft:
    repository = Draft(
        store, "acme/api", "a service with gaps in its labels.", 98_402, 4, "2020-11-17"
    )
    for position, (version, day, megabytes) in enumerate(API):
        at = moment(day, "api")
        known = {
            "version": version,
            # That one was built outside of its repository.
            "revision": "unknown" if version == "v2.2" else revision("api", version),
            "source": "https://sample.invalid/acme/api",
            "licenses": "Apache-2.0",
        }
        kept = dict(list(known.items())[: (0, 4, 2, 1, 4, 3)[position % 6]])
        steps = [
            *oci_labels(**kept),
            run("apk add --no-cache ca-certificates tzdata", 0.6),
            copy("api /usr/local/bin/api", megabytes, version),
            env("API_LISTEN", ":9000"),
            user("65532:65532"),
            expose(9000),
            stop_signal("SIGTERM"),
            entrypoint("/usr/local/bin/api"),
        ]
        tags = [version, "latest", *(["edge"] if position == len(API) - 1 else [])]
        _push(repository, tags, at, with_plain_arm(alpine.at("latest", at)), steps)
    return repository


def _charts(store: Store) -> Draft:
    repository = Draft(
        store, "acme/charts", "Helm charts.", 1_204, 0, "2023-08-08", readme=False,
    )  # fmt: skip
    for version, day, size in (
        ("1.0.0", "2023-08-09", 8_114), ("1.1.0", "2024-04-17", 8_930),
        ("1.2.0_build.1", "2025-06-11", 9_377), ("1.2.0", "2025-06-18", 9_381),
        ("2.0.0", "2026-09-17", 11_062),
    ):  # fmt: skip
        chart = {
            "name": "web", "version": version.replace("_", "+"), "apiVersion": "v2",
            "description": "Deploys a sample web shop", "appVersion": "4.4.0",
            "type": "application",
        }  # fmt: skip
        layer = {"mediaType": HELM_CHART, "digest": digest_of("chart", version), "size": size}
        at = moment(day, "charts")
        published = store.artifact(
            [layer],
            config=store.put(HELM_CONFIG, chart),
            content_type="helm",
            annotations={OCI + "created": stamp(at, 0), OCI + "title": "web"},
        )
        repository.push([version], at, published, full_size=size)
    return repository


def _billing(store: Store, python: Draft) -> Draft:
    repository = Draft(
        store, "acme/billing", "a private repository.", 7_733, 0, "2021-03-23",
        readers=("acme-bot",), readme=False,
    )  # fmt: skip
    for version, day, megabytes in (
        ("2021.4", "2021-04-20", 61.0), ("2022.10", "2022-10-26", 74.0),
        ("2024.7", "2024-07-16", 92.0), ("2026.5", "2026-05-19", 88.0),
    ):  # fmt: skip
        at = moment(day, "billing")
        steps = [
            *oci_labels(title="billing", version=version, vendor="Acme Sample Inc."),
            copy("requirements.txt /tmp/", 0.0007, version),
            run("pip install --no-cache-dir -r /tmp/requirements.txt", megabytes),
            env("BILLING_REGION", "sample"),
            cmd("gunicorn", "billing:app"),
        ]
        _push(repository, [version, "latest"], at, python.at("slim", at), steps, (AMD64,))
    return repository

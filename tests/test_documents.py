"""Indexes, manifests and configs: every format, and whatever strangers put in them."""

import copy
import json
import random
from types import SimpleNamespace

import pytest

from hubframe.errors import PayloadError
from hubframe.oci import manifests, payload
from hubframe.oci.history import dockerfile_line, label_step
from hubframe.oci.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    EMPTY_LAYERS,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA1,
    SCHEMA1_SIGNED,
    HubContent,
    ManifestContent,
    content,
    entries,
    kind,
)
from hubframe.oci.payload import parse
from hubframe.oci.platforms import Platform, acceptable, best
from hubframe.tables import TABLES, shape
from hubframe.tables.shape import Image

BASE, TOP = "sha256:" + "1" * 64, "sha256:" + "2" * 64
CONFIG_DIGEST = "sha256:" + "c" * 64
EMPTY = "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def manifest(*layers, **more):
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": CONFIG_DIGEST,
            "size": 7,
        },
        "layers": [{"mediaType": LAYER, "digest": layer, "size": 10} for layer in layers],
        **more,
    }


def config(**more):
    return {
        "created": "2024-01-02T03:04:05.123456789Z",
        "author": "Ada",
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8",
        "docker_version": "20.10",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "a" * 64, "sha256:" + "b" * 64]},
        "history": [
            {"created": "2024-01-01T00:00:00Z", "created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
            {"created": "2024-01-01T00:00:01Z", "created_by": "ENV A=b", "empty_layer": True},
            {"created_by": "RUN /bin/sh -c make # buildkit", "comment": "buildkit.dockerfile.v0"},
        ],
        "config": {
            "User": "app",
            "Env": ["PATH=/bin", "A=b=c"],
            "Entrypoint": ["/run"],
            "Cmd": ["-x", "é"],
            "WorkingDir": "/srv",
            "Labels": {"z": "1", "a": ""},
            "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
            "Volumes": {"/b": {}, "/a": {}},
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5},
            "Shell": ["/bin/bash", "-c"],
            "StopSignal": "SIGQUIT",
        },
        **more,
    }


def layers_of(read):
    """The layers of an image, one by one."""
    _, columns = manifests.layer_columns([read])
    rows = zip(*columns.values(), strict=True)
    return [SimpleNamespace(**dict(zip(columns, row, strict=True))) for row in rows]


def runtime(**more):
    return {"config": more}


def index(*manifests, **more):
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(manifests), **more}


# parse, kind


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nope", b"\xff\xfe", b"[]", b"null", b'"x"', b"1", b"[" * 100_000, b"9" * 10_000],
)
def test_what_is_no_json_object_says_what_it_was(body):
    with pytest.raises(PayloadError, match=r"^the index: "):
        parse(body, "the index")


def test_a_json_object_is_read():
    assert parse(b'{"a": [1]}', "x") == {"a": [1]}


@pytest.mark.parametrize(
    ("document", "sent_as", "expected"),
    [
        ({"mediaType": OCI_INDEX}, "", "index"),
        ({"mediaType": DOCKER_LIST}, "text/plain", "index"),
        ({"mediaType": OCI_MANIFEST}, OCI_INDEX, "manifest"),
        ({"mediaType": DOCKER_MANIFEST}, "", "manifest"),
        ({"manifests": []}, "", "index"),
        ({"manifests": []}, f"{OCI_INDEX}; charset=utf-8", "index"),
        ({"layers": [], "config": {}}, "", "manifest"),
        ({}, f"{DOCKER_LIST};x=y", "index"),
        ({}, "", "manifest"),
        ({"schemaVersion": 1}, "", "schema1"),
        ({"schemaVersion": 1, "fsLayers": [], "history": []}, "application/json", "schema1"),
        ({"fsLayers": []}, SCHEMA1_SIGNED, "schema1"),
        ({"fsLayers": []}, SCHEMA1, "schema1"),
        ({"manifests": [], "layers": None, "config": None}, "", "index"),
        ({"manifests": None}, "", "index"),
        ({"manifests": None, "layers": []}, "", "manifest"),
    ],
)
def test_kinds(document, sent_as, expected):
    assert kind(document, sent_as) == expected


@pytest.mark.parametrize(
    "document",
    [
        {"manifests": [], "layers": []},
        {"manifests": [], "config": {}},
        {"fsLayers": [], "config": {}},
        {"schemaVersion": 1, "history": [], "layers": []},
        {"mediaType": OCI_INDEX, "manifests": [], "fsLayers": []},
    ],
)
def test_a_document_of_two_kinds_is_refused(document):
    """Readers that look at one half each would see different images (CVE-2021-41190)."""
    with pytest.raises(PayloadError, match="ambiguous"):
        kind(document)


# indexes


def test_entries_of_an_index():
    found = entries(
        index(
            {
                "digest": "d1",
                "mediaType": OCI_MANIFEST,
                "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
            },
            {
                "digest": "d2",
                "platform": {"os": "windows", "architecture": "amd64", "os.version": "10.0.1"},
            },
            {"digest": "d3"},
            {"digest": "d4", "platform": {"os": "unknown", "architecture": "unknown"}},
            {
                "digest": "d5",
                "platform": {"os": "linux", "architecture": "amd64"},
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
            },
            {"digest": None},
            {"digest": 5},
            None,
            "x",
        )
    )
    assert [(entry.digest, str(entry.platform), entry.is_attestation) for entry in found] == [
        ("d1", "linux/arm/v7", False),
        ("d2", "windows/amd64", False),
        ("d3", "None", False),
        ("d4", "unknown/unknown", True),
        ("d5", "linux/amd64", True),
    ]
    assert found[1].platform.os_version == "10.0.1"


@pytest.mark.parametrize("manifests", [None, {}, "x", 5, [], [None], [{}]])
def test_an_index_without_entries(manifests):
    assert entries({"manifests": manifests}) == []


# platforms


@pytest.mark.parametrize(
    "written", ["linux/amd64", "linux/arm/v7", "wasip1/wasm", "unknown/unknown"]
)
def test_platforms_are_printed_as_they_are_read(written):
    assert str(Platform.parse(written)) == written


@pytest.mark.parametrize(
    "written",
    [
        "",
        "linux",
        "linux/",
        "/amd64",
        "a/b/c/d",
        "linux//v7",
        " linux/amd64",
        "linux/amd 64",
        "linux/amd64\n",
        None,
        5,
        ["linux/amd64"],
    ],
)
def test_what_is_no_platform(written):
    with pytest.raises(ValueError, match=r"expected os/architecture\[/variant\]"):
        Platform.parse(written)


@pytest.mark.parametrize(
    ("wanted", "variants"),
    [
        # skopeo's WantedPlatforms.
        ("linux/amd64", [None]),
        ("linux/arm", [None, "v8", "v7", "v6", "v5"]),
        ("linux/arm/v8", ["v8", "v7", "v6", "v5", None]),
        ("linux/arm/v6", ["v6", "v5", None]),
        ("linux/arm/v5", ["v5", None]),
        ("linux/arm/v9", ["v9", None]),
        ("linux/arm64", [None, "v8"]),
        ("linux/arm64/v8", ["v8", None]),
        ("linux/arm64/v9", ["v9", None]),
        ("linux/amd64/v2", ["v2", None]),
        ("windows/amd64", [None]),
    ],
)
def test_acceptable_platforms_best_first(wanted, variants):
    platform = Platform.parse(wanted)
    assert acceptable(platform) == [
        (platform.os, platform.architecture, variant) for variant in variants
    ]


def test_of_all_orders_of_an_index_the_best_entry_wins():
    chance = random.Random(5)
    ranked = ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "linux/arm", None]
    others = ["linux/arm/v8", "linux/arm64", "linux/amd64", "windows/arm/v7"]
    for kept in range(len(ranked)):
        had = ranked[kept:] + others
        for _ in range(20):
            offered = [
                (name and Platform.parse(name), name) for name in chance.sample(had, len(had))
            ]
            assert best(Platform.parse("linux/arm/v7"), offered) == ranked[kept]


def test_of_equals_the_first_wins_and_the_version_of_windows_does_not_count():
    offered = [
        (Platform("windows", "amd64", os_version=version), version) for version in ("2", "1", "3")
    ]
    assert best(Platform.parse("windows/amd64"), offered) == "2"


def test_no_entry_suits():
    assert best(Platform.parse("linux/s390x"), [(Platform.parse("linux/amd64"), "x")]) is None
    assert best(Platform.parse("linux/s390x"), []) is None


# manifests and configs


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST, None])
def test_manifests_of_docker_and_oci_read_alike(media_type):
    read = content(manifest(BASE, TOP, mediaType=media_type), config())
    assert read.size == 20
    assert read.media_type == media_type
    assert [
        (layer.layer_digest, layer.diff_id[-1], layer.instruction) for layer in layers_of(read)
    ] == [
        (BASE, "a", "ADD file:1 in /"),
        (TOP, "b", "RUN make"),
    ]
    assert [layer.created_at for layer in layers_of(read)] == ["2024-01-01T00:00:00Z", None]
    assert [(step.layer_digest, step.size, step.is_empty_layer) for step in read.steps] == [
        (BASE, 10, False),
        (None, None, True),
        (TOP, 10, False),
    ]
    assert read.steps[2].comment == "buildkit.dockerfile.v0"
    assert [tuple(label) for label in read.labels] == [("config", "a", ""), ("config", "z", "1")]
    assert read.env == {"PATH": "/bin", "A": "b=c"}


def test_annotations_of_the_manifest_are_labels_too():
    read = content(manifest(annotations={"b": "2", "a": "1"}), runtime(Labels={"a": "0"}))
    assert [tuple(label) for label in read.labels] == [
        ("config", "a", "0"),
        ("manifest", "a", "1"),
        ("manifest", "b", "2"),
    ]


def test_values_of_labels_that_are_no_text_become_text():
    found = manifests.labels("config", {"a": None, "b": 1, "c": {"é": [1]}, "d": True})
    assert [label.value for label in found] == ["", "1", '{"é": [1]}', "true"]


@pytest.mark.parametrize("layers", [[BASE], [BASE, TOP, TOP]])
def test_history_and_layers_that_disagree_in_number_are_not_joined(layers):
    read = content(manifest(*layers), config())
    assert [layer.layer_digest for layer in layers_of(read)] == layers
    assert {layer.instruction for layer in layers_of(read)} == {None}
    assert {layer.diff_id for layer in layers_of(read)} == {None}
    assert (
        {step.layer_digest for step in read.steps} == {step.size for step in read.steps} == {None}
    )
    assert len(read.steps) == 3


def test_a_layer_that_is_small_is_not_taken_for_empty():
    read = content(manifest(BASE, EMPTY), config())
    assert [layer.is_empty for layer in layers_of(read)] == [False, True]
    small = manifest(BASE)
    small["layers"][0]["size"] = 32
    assert not layers_of(content(small, {}))[0].is_empty
    assert EMPTY in EMPTY_LAYERS


def test_a_layer_that_comes_twice_is_counted_twice():
    read = content(manifest(BASE, BASE), config())
    assert read.size == 20
    assert [layer.layer_digest for layer in layers_of(read)] == [BASE, BASE]


def test_an_attestation_has_layers_and_no_history():
    read = content(manifest(BASE), {"rootfs": {"diff_ids": ["sha256:d"]}})
    assert layers_of(read)[0].diff_id == "sha256:d"
    assert layers_of(read)[0].instruction is None
    assert read.steps == []


@pytest.mark.parametrize(
    "artifact",
    [
        {"mediaType": "application/vnd.oci.artifact.manifest.v1+json", "blobs": [{"digest": "x"}]},
        {
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json"},
            "layers": [],
        },
        {"mediaType": OCI_MANIFEST, "layers": None, "annotations": None, "subject": {}},
    ],
)
def test_artifacts_have_no_image_in_them(artifact):
    read = content(artifact, {})
    assert (layers_of(read), list(read.steps), read.labels, read.env) == ([], [], [], {})
    assert read.created_at is None


@pytest.mark.parametrize(
    ("written", "env"),
    [
        (["A=1", "B=2", "A=3"], {"A": "3", "B": "2"}),
        (["A"], {"A": ""}),
        (["A="], {"A": ""}),
        (["=x"], {"": "x"}),
        ([""], {"": ""}),
        (["A=b=c"], {"A": "b=c"}),
        (["A= b "], {"A": " b "}),
        ([None, 1, {}, "A=1"], {"A": "1"}),
        (None, {}),
        ("A=1", {}),
        ({"A": "1"}, {}),
    ],
)
def test_environment(written, env):
    assert content(manifest(), runtime(Env=written)).env == env


# schema 1


def v1(**step):
    return {"v1Compatibility": json.dumps(step)}


SCHEMA1_DOCUMENT = {
    "schemaVersion": 1,
    "name": "old",
    "tag": "1",
    "architecture": "amd64",
    "fsLayers": [{"blobSum": EMPTY}, {"blobSum": TOP}, {"blobSum": BASE}],
    "history": [
        v1(
            id="3",
            created="2015-03-01T00:00:00Z",
            author="Ada",
            os="linux",
            architecture="amd64",
            docker_version="1.6",
            throwaway=True,
            config={"Env": ["A=1"], "Labels": {"k": "v"}, "Cmd": ["sh"], "User": "u"},
            container_config={"Cmd": ["/bin/sh", "-c", '#(nop) CMD ["sh"]'], "Env": ["WRONG=1"]},
        ),
        v1(
            id="2",
            created="2015-02-01T00:00:00Z",
            container_config={"Cmd": ["/bin/sh", "-c", "make"]},
        ),
        v1(
            id="1",
            created="2015-01-01T00:00:00Z",
            container_config={"Cmd": ["/bin/sh", "-c", "#(nop) ADD x in /"]},
        ),
    ],
}


def test_schema_1_is_read_as_its_successors_are():
    read = content(SCHEMA1_DOCUMENT, {})
    assert [layer.layer_digest for layer in layers_of(read)] == [BASE, TOP, EMPTY]
    assert [layer.is_empty for layer in layers_of(read)] == [False, False, True]
    assert (
        {layer.size for layer in layers_of(read)}
        == {layer.diff_id for layer in layers_of(read)}
        == {None}
    )
    assert [step.instruction for step in read.steps] == ["ADD x in /", "RUN make", 'CMD ["sh"]']
    assert [step.created_at[:7] for step in read.steps] == ["2015-01", "2015-02", "2015-03"]
    assert [step.layer_digest for step in read.steps] == [BASE, TOP, EMPTY]
    assert [tuple(label) for label in read.labels] == [("config", "k", "v")]
    assert read.env == {"A": "1"}
    assert read.media_type == SCHEMA1
    frame = shape.configs([Image("a/b", "1", "sha256:d", content=read)])
    row = frame.iloc[0]
    assert (row.os, row.architecture, row.docker_version, row.author, row.user) == (
        "linux", "amd64", "1.6", "Ada", "u",
    )  # fmt: skip
    assert (row.cmd, row.layer_count) == ('["sh"]', 3)


@pytest.mark.parametrize(
    "history",
    [
        None,
        [],
        {},
        [None],
        [{}],
        [{"v1Compatibility": None}],
        [{"v1Compatibility": "{"}],
        [{"v1Compatibility": "[]"}],
        [{"v1Compatibility": "[" * 100_000}],
    ],
)
def test_schema_1_without_a_sound_history_still_has_its_layers(history):
    read = content({**SCHEMA1_DOCUMENT, "history": history}, {})
    assert [layer.layer_digest for layer in layers_of(read)] == [BASE, TOP, EMPTY]
    assert {layer.instruction for layer in layers_of(read)} == {None}


# the Hub


def test_images_of_the_hub():
    read = HubContent(
        {
            "layers": [
                {"digest": BASE, "size": 5, "instruction": "ADD file:1 in / "},
                {"size": 0, "instruction": ' CMD ["/bin/sh"]'},
                {"size": 0, "instruction": "LABEL a=b c=d e f"},
                {"digest": EMPTY, "size": 32, "instruction": "/bin/sh -c make"},
                {"digest": None, "size": 0, "instruction": ""},
                None,
            ]
        }
    )
    assert [(layer.layer_digest, layer.size, layer.is_empty) for layer in layers_of(read)] == [
        (BASE, 5, False),
        (EMPTY, 32, True),
    ]
    assert [step.instruction for step in read.steps] == [
        "ADD file:1 in /", 'CMD ["/bin/sh"]', "LABEL a=b c=d e f", "RUN make", None,
    ]  # fmt: skip
    assert [step.size for step in read.steps] == [5, None, None, 32, None]
    assert [tuple(label) for label in read.labels] == [
        ("history", "a", "b"),
        ("history", "c", "d e f"),
    ]


@pytest.mark.parametrize("layers", [None, [], {}, "x", 5, [None], [[]], [{}]])
def test_images_of_the_hub_without_layers(layers):
    assert layers_of(HubContent({"layers": layers})) == []


# instructions


@pytest.mark.parametrize(
    ("created_by", "line"),
    [
        # The classic builder.
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ("/bin/sh -c #(nop) ADD file:ab12 in / ", "ADD file:ab12 in /"),
        ("/bin/sh -c #(nop) COPY dir:ab12 in /srv ", "COPY dir:ab12 in /srv"),
        ("/bin/sh -c #(nop)  EXPOSE 80/tcp", "EXPOSE 80/tcp"),
        ("/bin/sh -c #(nop)  EXPOSE map[80/tcp:{}]", "EXPOSE map[80/tcp:{}]"),
        ("/bin/sh -c #(nop)  LABEL maintainer=Ada <ada@example.org>", "LABEL maintainer=Ada <ada@example.org>"),
        ("/bin/sh -c #(nop) MAINTAINER Ada", "MAINTAINER Ada"),
        ('/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "0s" "0s" \'\\x00\'}', 'HEALTHCHECK &{["CMD-SHELL" "true"] "5s" "0s" "0s" \'\\x00\'}'),
        ("/bin/sh -c apk add --no-cache curl", "RUN apk add --no-cache curl"),
        ("|2 A=1 B=2 /bin/sh -c make $A", "RUN make $A"),
        ("|1 A=one two /bin/sh -c make", "RUN make"),
        ("|0 /bin/sh -c make", "RUN make"),
        ("/bin/sh -c set -eux;\tmake\n\tinstall", "RUN set -eux;\tmake\n\tinstall"),
        ("/bin/sh -c MAKE all", "RUN MAKE all"),
        ("/bin/sh -c GOOS=linux make", "RUN GOOS=linux make"),
        ("/bin/sh -c COPY a b", "RUN COPY a b"),
        # BuildKit.
        ("RUN /bin/sh -c apk add curl # buildkit", "RUN apk add curl"),
        ("RUN |1 A=1 /bin/sh -c apk add curl # buildkit", "RUN apk add curl"),
        ("COPY a /b # buildkit", "COPY a /b"),
        ("ADD rootfs.tar.xz / # buildkit", "ADD rootfs.tar.xz /"),
        ("ENV A=b", "ENV A=b"),
        ('CMD ["sh"]', 'CMD ["sh"]'),
        ('ENTRYPOINT ["/x"]', 'ENTRYPOINT ["/x"]'),
        ("WORKDIR /srv", "WORKDIR /srv"),
        ("WORKDIR /srv # buildkit", "WORKDIR /srv"),
        ("USER app", "USER app"),
        ("VOLUME [/data]", "VOLUME [/data]"),
        ("STOPSIGNAL SIGQUIT", "STOPSIGNAL SIGQUIT"),
        ("ARG VERSION=1", "ARG VERSION=1"),
        ("SHELL [/bin/bash -c]", "SHELL [/bin/bash -c]"),
        ("ONBUILD RUN make", "ONBUILD RUN make"),
        ("RUN /usr/bin/make install # buildkit", "RUN /usr/bin/make install"),
        ("RUN |2 A=1 B=2 /usr/bin/make install # buildkit", "RUN /usr/bin/make install"),
        ("RUN /bin/sh -c echo '# buildkit' # buildkit", "RUN echo '# buildkit'"),
        # Windows.
        ("cmd /S /C #(nop) WORKDIR C:\\app", "WORKDIR C:\\app"),
        ('cmd /S /C #(nop)  CMD ["cmd"]', 'CMD ["cmd"]'),
        ("cmd /S /C mkdir C:\\app", "RUN mkdir C:\\app"),
        ("Apply image 10.0.17763.437", "RUN Apply image 10.0.17763.437"),
        ("RUN Apply image 10.0.20348.1", "RUN Apply image 10.0.20348.1"),
        ("powershell -Command Write-Host x", "RUN Write-Host x"),
        ("powershell -Command #(nop)  USER x", "USER x"),
        # Neither: commits, imports, other builders.
        ("/bin/sh -ceu make", "RUN /bin/sh -ceu make"),
        ("/bin/bash", "RUN /bin/bash"),
        ("bazel build ...", "RUN bazel build ..."),
        ("ko build ko://example.org/app", "RUN ko build ko://example.org/app"),
        ("COPYRIGHT notice", "RUN COPYRIGHT notice"),
        # From the Hub, which leaves #(nop) out.
        (' CMD ["/bin/sh"]', 'CMD ["/bin/sh"]'),
        ("ADD file:ab12 in / ", "ADD file:ab12 in /"),
        # Nothing.
        ("", None),
        ("   ", None),
        (" # buildkit", None),
        ("/bin/sh -c", None),
        ("/bin/sh -c #(nop) ", None),
        (None, None),
        (5, None),
        (["RUN", "x"], None),
    ],
)  # fmt: skip
def test_steps_as_lines_of_a_dockerfile(created_by, line):
    assert dockerfile_line(created_by) == line


@pytest.mark.parametrize(
    ("created_by", "line"),
    [
        ("/bin/sh -c #(nop) HEALTHCHECK NONE|force-mtime=10", "HEALTHCHECK NONE"),
        ("/bin/sh -c #(nop) COPY file:9b in /app/ |force-mtime=10", "COPY file:9b in /app/"),
        ("/bin/sh -c #(nop) LABEL a=b|inheritLabels=false", "LABEL a=b"),
        ("/bin/sh -c #(nop) ARG A |unsetLabel=a.b|inheritAnnotations=false", "ARG A"),
        ("|1 A=1 /bin/sh -c make|unsetAnnotation=a|source-date-epoch=0", "RUN make"),
        ("/bin/sh -c #(nop) CMD |inheritLabels=false|force-mtime=10", "CMD"),
        # A shell's pipe, and values with one in them.
        ("/bin/sh -c ps | grep x=1", "RUN ps | grep x=1"),
        ("/bin/sh -c #(nop) ENV OPTIONS=a=1|b=2", "ENV OPTIONS=a=1|b=2"),
        ("/bin/sh -c touch|force-mtime=1 && make", "RUN touch|force-mtime=1 && make"),
    ],
)
def test_what_buildah_notes_behind_a_step_is_no_part_of_it(created_by, line):
    assert dockerfile_line(created_by) == line
    step = content(manifest(), config(history=[{"created_by": created_by}])).steps[0]
    assert (step.instruction, step.created_by) == (line, created_by)


@pytest.mark.parametrize(
    ("created_by", "line"),
    [
        ("RUN /bin/bash -o pipefail -c make # buildkit", "RUN make"),
        ("/bin/bash -o pipefail -c make", "RUN make"),
        ("/bin/bash -o pipefail -c #(nop)  USER x", "USER x"),
        ("RUN |1 A=one two /bin/bash -o pipefail -c make # buildkit", "RUN make"),
        ("/bin/sh -c make", "RUN make"),
        (
            "RUN |1 A=1 /bin/sh -c x && /bin/bash -o pipefail -c y # buildkit",
            "RUN x && /bin/bash -o pipefail -c y",
        ),
        ("COPY a b # buildkit", "COPY a b"),
    ],
)
def test_steps_of_an_image_with_a_shell_of_its_own(created_by, line):
    assert dockerfile_line(created_by, "/bin/bash -o pipefail -c") == line
    told = config(history=[{"created_by": created_by}])
    told["config"]["Shell"] = ["/bin/bash", "-o", "pipefail", "-c"]
    assert layers_of(content(manifest(BASE), told))[0].instruction == line


@pytest.mark.parametrize(
    ("instruction", "labels"),
    [
        ("LABEL a=b", {"a": "b"}),
        ("LABEL a=b c=d", {"a": "b", "c": "d"}),
        ("LABEL a=", {"a": ""}),
        ("LABEL a=b=c", {"a": "b=c"}),
        ("LABEL maintainer=Ada L <ada@example.org>", {"maintainer": "Ada L <ada@example.org>"}),
        ("LABEL a=one  two\nthree b=4", {"a": "one  two\nthree", "b": "4"}),
        ('LABEL a="one two" "b c"="d"', {"a": "one two", "b c": "d"}),
        ('LABEL a="x y=z" b=1', {"a": "x y=z", "b": "1"}),
        ('LABEL a="open b=1', {"a": "open", "b": "1"}),
        ("LABEL a=1 a=2", {"a": "2"}),
        ("LABEL", {}),
        ("LABEL ", {}),
        ("LABEL alone", {}),
    ],
)
def test_labels_of_a_step(instruction, labels):
    assert label_step(instruction) == labels


@pytest.mark.parametrize(
    "unit",
    [
        " ",
        "a",
        "a ",
        '"',
        '"a"',
        '\\"',
        '"\\"',
        "=",
        "a=b ",
        'a="',
        "\n",
        "|1 ",
        "RUN ",
        "#(nop) ",
        "|",
        "|a-mtime=1 ",
    ],
)
def test_no_step_is_so_long_that_it_cannot_be_read(unit):
    """A pattern that goes back and back would not end within this test's patience."""
    step = unit * (100_000 // len(unit))
    assert isinstance(label_step(f"LABEL {step}"), dict)
    for start in ("", "RUN ", "/bin/sh -c ", "RUN |5 ", "LABEL "):
        line = dockerfile_line(start + step)
        assert line is None or len(line) <= len(start + step) + len("RUN ")


# strangers


REPLACEMENTS = [
    None,
    0,
    -1,
    2**70,
    1.5,
    float("nan"),
    True,
    "",
    "x",
    "\ud800",
    [],
    [None],
    ["x"],
    {},
    {"x": None},
    {"x": "y"},
]


def places(node, path=()):
    """Every place in a document."""
    yield path
    inside = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in inside:
        yield from places(value, (*path, key))


def changed(document, path, value):
    if not path:
        return value
    document = copy.deepcopy(document)
    node = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return document


def mutants(document, seed):
    """The document with any one node replaced by anything, and with several at once."""
    every = list(places(document))
    for path in every:
        for value in REPLACEMENTS:
            yield changed(document, path, value)
    chance = random.Random(seed)
    for _ in range(300):
        mutant = document
        for _ in range(3):
            if not isinstance(mutant, dict):
                break
            mutant = changed(
                mutant, chance.choice(list(places(mutant))), chance.choice(REPLACEMENTS)
            )
        yield mutant


def check(frame, table):
    """The frame is as declared: dtypes, no empty text, no null where there is none."""
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(table.dtypes)
    for column in table.columns:
        if column.dtype == "str" and not column.may_be_empty:
            assert not (frame[column.name] == "").any(), column.name
        if not column.nullable:
            assert frame[column.name].notna().all(), column.name


def shape_all(images):
    for name in ("images", "layers", "history", "labels", "env", "configs"):
        check(getattr(shape, name)(images), TABLES[name])


def read_mutant(document, told):
    """Do with a document what the client does; null where it is refused."""
    try:
        read = parse(json.dumps(document).encode(), "it")
        kind(read, DOCKER_MANIFEST)
        found = content(read, parse(json.dumps(told).encode(), "its config"))
    except PayloadError:
        return None
    entries(read)
    shared = ("index", payload.mapping(read.get("annotations")))
    platform = Platform.read(found.config)
    return Image("a/b", "1", "sha256:d", platform, annotations=(shared,), content=found)


def survive(pairs):
    """Read and shape what can be read, in one go; give back how many that are."""
    images = [image for document, told in pairs if (image := read_mutant(document, told))]
    shape_all(images)
    return len(images)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (manifest(BASE, annotations={"k": "v"}), config(history=[{"created_by": "x"}])),
        (
            index(
                {
                    "digest": "d",
                    "platform": {"os": "linux", "architecture": "amd64"},
                    "annotations": {"k": "v"},
                },
                annotations={"k": "v"},
            ),
            {},
        ),
        ({**SCHEMA1_DOCUMENT, "history": SCHEMA1_DOCUMENT["history"][1:]}, {}),
    ],
    ids=["manifest", "index", "schema1"],
)
def test_whatever_stands_in_a_document_only_a_payload_error_comes_out(document, told):
    assert survive((mutant, told) for mutant in mutants(document, seed=1)) > 100


def test_whatever_stands_in_a_config_only_a_payload_error_comes_out():
    assert survive((manifest(BASE, TOP), mutant) for mutant in mutants(config(), seed=2)) > 500


def test_whatever_stands_in_a_v1_compatibility_only_a_payload_error_comes_out():
    step = json.loads(SCHEMA1_DOCUMENT["history"][0]["v1Compatibility"])
    histories = [[{"v1Compatibility": json.dumps(mutant)}] for mutant in mutants(step, seed=3)]
    pairs = [({**SCHEMA1_DOCUMENT, "history": history}, {}) for history in histories]
    assert survive(pairs) == len(pairs)


def test_whatever_stands_in_an_image_of_the_hub_nothing_comes_out():
    payload = {
        "os": "linux",
        "architecture": "amd64",
        "digest": "d",
        "layers": [
            {"digest": BASE, "size": 5, "instruction": "LABEL a=b"},
            {"size": 0, "instruction": "x"},
        ],
    }
    sound = [mutant for mutant in mutants(payload, seed=4) if isinstance(mutant, dict)]
    shape_all(
        [
            Image("a/b", "1", "sha256:d", Platform.read(mutant), content=HubContent(mutant))
            for mutant in sound
        ]
    )


@pytest.mark.parametrize("depth", [100, 400, 900, 950, 970, 980, 990])
def test_nesting_so_deep_that_it_can_hardly_be_read(depth):
    nested = "[" * depth + "]" * depth
    body = f'{{"config": {{"Entrypoint": {nested}, "Labels": {{"a": {nested}}}}}}}'
    try:
        told = parse(body.encode(), "it")
    except PayloadError:
        return
    shape_all([Image("a/b", "1", "sha256:d", content=ManifestContent({}, told))])

"""Statements, and what provenance tells: each field where it stands, in both versions."""

import json

import pytest

from hubframe.errors import PayloadError
from hubframe.oci.contents import provenance, statements
from hubframe.tables import PROVENANCE
from tests.contents import documents
from tests.contents.documents import GO, SECRET, V02, V1, buildkit

IMAGE = "sha256:" + "1" * 64


GOOGLE = {"buildConfigSource": {"repository": "git+https://git.example/a", "path": "build.yaml"}}
RESOLVED = (
    {"uri": "git+https://git.example/a-b@refs/heads/main", "digest": {"gitCommit": "ab12"}},
    {"uri": "git+https://git.example/a@refs/heads/main", "digest": {"gitCommit": "cd34"}},
)
BUILDKIT = "https://mobyproject.org/buildkit@v1"
GIT = {"uri": "git+https://git.example/a@v1", "digest": {"sha1": "ab" * 20}}
GIT_256 = {"uri": "https://git.example/a.git#main", "digest": {"sha256": "ab" * 32}}
STEP = {"uri": "oci://quay.io/org/step", "digest": {"sha256": "00" * 32}}


def outside(told=None, *resolved, **more):
    parameters = {**(told or {}), **more}
    return {
        "buildDefinition": {"externalParameters": parameters, "resolvedDependencies": [*resolved]}
    }


def written(document):
    return json.dumps(document).encode()


@pytest.mark.parametrize("version", ["v0.1", "v1"])
@pytest.mark.parametrize("wrap", [dict, documents.envelope, documents.bundle])
def test_a_statement_is_read_whatever_it_is_wrapped_in(version, wrap):
    stated = documents.statement(V1, {"a": 1}, IMAGE, GO, version=version)
    read = statements.read(written(wrap(stated)), "it")
    assert read == (V1, (IMAGE, GO), {"a": 1}, wrap is not dict)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"_type": 1}',
        b'{"payload": "%%%", "signatures": []}',
        b'{"payload": "e30=", "signatures": null}',
        b'{"payload": "W10=", "signatures": [{"sig": 5}]}',
        b'{"dsseEnvelope": {"payload": "e30=", "payloadType": [], "signatures": []}}',
    ],
)
def test_what_is_no_statement_is_refused(body):
    with pytest.raises(PayloadError):
        statements.read(body, "it")


@pytest.mark.parametrize("encoded", ["++//", "--__", "++//\n", "+w==", "-w"])
def test_base64_has_two_alphabets(encoded):
    assert statements.decoded(encoded, "it") in (b"\xfb\xef\xff", b"\xfb")


def test_a_bundle_of_a_message_states_nothing():
    bundle = {"mediaType": documents.BUNDLE, "messageSignature": {"signature": "AA=="}}
    assert statements.read(written(bundle), "it").predicate_type is None


@pytest.mark.parametrize("version", [V1, V02])
def test_buildkits_fields(version):
    read = provenance.read(buildkit(version))
    assert read.pop("build_type").startswith("https://")
    assert read == {
        "builder_id": "https://ci.example/1",
        "invocation_id": "run-1",
        "started_at": "2026-11-01T10:00:00.123456789Z",
        "finished_at": "2026-11-01T10:01:00Z",
        "source_uri": "https://git.example/app.git#main",
        "source_revision": "cd34",
        "source_path": "Dockerfile",
        # Without the login that the address held.
        "vcs_source": "https://git.example/app",
        "vcs_revision": "ab12",
        "frontend": "dockerfile.v0",
        "target": "final",
        "is_reproducible": False,
        "is_hermetic": True,
        "is_complete_materials": True,
        "build_arg_count": 1,
        "material_count": 5,
        "mode": "max",
    }
    assert provenance.build_args(buildkit(version)) == {"TOKEN": SECRET}
    (file,) = provenance.dockerfiles(buildkit(version), "it")
    assert (file.name, file.text, file.line_count) == ("Dockerfile", documents.DOCKERFILE, 3)


def test_a_byte_order_mark_is_no_text():
    marked = b"\xef\xbb\xbfFROM a:1\r\nRUN b\r\n"
    assert provenance.dockerfile(None, marked).text == "FROM a:1\r\nRUN b\r\n"


def test_the_mode_min_tells_no_arguments():
    told = {"buildType": "https://mobyproject.org/buildkit@v1", "invocation": {"parameters": {}}}
    read = provenance.read(told)
    assert (read["mode"], read["build_arg_count"]) == ("min", None)
    assert not list(provenance.dockerfiles(told, "it"))


def test_githubs_fields():
    repository = "https://github.com/org/app"
    told = {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {"ref": "refs/heads/main", "repository": repository, "path": "ci.yml"}
            },
            "resolvedDependencies": [
                {"uri": f"git+{repository}@refs/heads/main", "digest": {"gitCommit": "ef56"}}
            ],
        },
        "runDetails": {"metadata": {"invocationId": "run-2"}},
    }
    read = provenance.read(told)
    names = ("source_uri", "source_path", "source_revision", "invocation_id", "mode")
    assert [read[name] for name in names] == [repository, "ci.yml", "ef56", "run-2", None]
    (material,) = provenance.materials(told)
    assert (material.kind, material.git_url) == ("git", repository)
    assert (material.git_ref, material.git_revision) == ("refs/heads/main", "ef56")


@pytest.mark.parametrize(
    ("told", "column", "value"),
    [
        ({"recipe": {"type": "https://build.example/1"}}, "build_type", "https://build.example/1"),
        (outside(source={"uri": "git+https://git.example/a@v1"}), "source_uri", "git+https://git.example/a@v1"),
        (outside(source={"digest": {"sha1": "ab12"}}), "source_revision", "ab12"),
        (outside(buildConfigSource={"path": "build.yaml"}), "source_path", "build.yaml"),
        (outside(GOOGLE, *RESOLVED), "source_uri", "git+https://git.example/a"),
        # Of the repository itself, and not of one whose name begins like it.
        (outside(GOOGLE, *RESOLVED), "source_revision", "cd34"),
        (outside({"configSource": {"uri": "https://git.example/a.git#main"}}, GIT_256), "source_revision", "ab" * 32),
        (outside(GOOGLE | {"sourceToBuild": {"repository": "https://git.example/b"}}), "source_uri", "https://git.example/b"),
        # GitLab's, and what SLSA's own builder in containers writes.
        (outside(source="https://u:p@git.example/a"), "source_uri", "https://git.example/a"),
        (outside(source=["https://git.example/a"]), "source_uri", None),
        (outside(source="https://git.example/a", entryPoint="job"), "source_path", "job"),
        (outside({"configPath": "config.toml"}), "source_path", "config.toml"),
        ({"recipe": {"entryPoint": "build.yaml"}}, "source_path", "build.yaml"),
        # A document that has no place for the source, and took one repository, or several.
        ({"materials": [GIT, GIT, STEP]}, "source_uri", "git+https://git.example/a@v1"),
        ({"materials": [GIT, GIT, STEP]}, "source_revision", "ab" * 20),
        ({"materials": [GIT, {"uri": "git+https://git.example/b"}]}, "source_uri", None),
        ({"buildType": BUILDKIT, "materials": [GIT]}, "source_uri", None),
        # A login in any address, also one that holds @, and in a query.
        ({"builder": {"id": "https://a:b@c@ci.example/1"}}, "builder_id", "https://ci.example/1"),
        (outside(configSource={"uri": f"https://x/a.tgz?v=1&X-Amz-Signature={SECRET}&b=2#c"}), "source_uri", "https://x/a.tgz?v=1&X-Amz-Signature=…&b=2#c"),
    ],
)  # fmt: skip
def test_where_others_write_it(told, column, value):
    assert provenance.read(told)[column] == value


def test_what_builders_write_for_no_date_is_none():
    told = {"metadata": {"buildStartedOn": "0001-01-01T00:00:00Z", "buildFinishedOn": "1970-01-01"}}
    key = {"repo": "org/app", "image_digest": IMAGE, "digest": GO}
    made = PROVENANCE.from_records([{**key, **provenance.read(told)}])
    assert made[["started_at", "finished_at"]].isna().to_numpy().all()


def materials_of(uri, **digest):
    (one,) = provenance.materials({"materials": [{"uri": uri, "digest": digest}]})
    return one


@pytest.mark.parametrize(
    ("uri", "repo", "tag", "digest", "platform"),
    [
        (f"pkg:docker/golang@1.24?digest={GO}&platform=linux%2Farm64", "library/golang", "1.24", GO, "linux/arm64"),
        ("pkg:docker/ghcr.io/org/a%2Fb@2", "ghcr.io/org/a/b", "2", "sha256:00", None),
        (f"pkg:docker/org/app@{GO}", "org/app", None, GO, None),
        ("pkg:docker/docker:24-cli?platform=linux%2Famd64", "library/docker", "24-cli", "sha256:00", "linux/amd64"),
        ("pkg:docker/app@1?repository_url=gcr.io/org", "gcr.io/org/app", "1", "sha256:00", None),
        (f"pkg:oci/app@{GO}?repository_url=ghcr.io/org/app&tag=3", "ghcr.io/org/app", "3", GO, None),
        ("pkg:docker/UPPER@1", None, "1", "sha256:00", None),
        ("pkg:docker/oci:/etc/passwd@1", None, "1", "sha256:00", None),
    ],
)  # fmt: skip
def test_images_among_the_materials(uri, repo, tag, digest, platform):
    one = materials_of(uri, sha256="00")
    assert one.kind == "image"
    found = one.material_repo, one.material_tag, one.material_digest, one.material_platform
    assert found == (repo, tag, digest, platform)


@pytest.mark.parametrize(
    ("uri", "digest", "kind"),
    [
        ("pkg:oci/layout@1", {}, "oci layout"),
        (f"pkg:docker/org/app@{GO}?ref_type=blob", {}, "other"),
        ("https://git.example/a.git#main", {"sha256": "00"}, "git"),
        ("https://git.example/a.gitlab", {"sha256": "00"}, "http"),
        ("https://files.example/a", {"sha256": "00"}, "http"),
        ("git://git.example/a", {}, "git"),
        ("git@git.example:a.git", {}, "git"),
        ("https://git.example/a.git", {"sha1": "00"}, "git"),
        ("pkg:docker/", {}, "other"),
        ("pkg:docker/" + "a" * 10_000, {}, "other"),
        (None, {}, "other"),
        (5, {"sha256": 5}, "other"),
    ],
)
def test_kinds_of_materials(uri, digest, kind):
    assert materials_of(uri, **digest).kind == kind


@pytest.mark.parametrize(
    ("uri", "digest", "image"),
    [
        ("oci://quay.io/org/step", {"sha256": "00"}, ("quay.io/org/step", None, "sha256:00")),
        (f"oci://quay.io/org/step:1@{GO}", {}, ("quay.io/org/step", "1", GO)),
        (f"docker-pullable://bash@{GO}", {}, ("library/bash", None, GO)),
        (f"gcr.io/org/step@{GO}", {"sha256": "00"}, ("gcr.io/org/step", None, GO)),
        (f"localhost:5000/step@{GO}", {}, ("localhost:5000/step", None, GO)),
        ("oci://UPPER", {}, None),
        (f"pkg:generic/a@{GO}", {}, None),
        (f"gs://bucket/a@{GO}", {}, None),
    ],
)
def test_images_without_a_package_url(uri, digest, image):
    one = materials_of(uri, **digest)
    assert one.kind == ("image" if image else "other")
    if image:
        assert (one.material_repo, one.material_tag, one.material_digest) == image


def test_commits_that_are_called_something_else():
    one = materials_of("https://gitlab.example/a", sha256="ab" * 20)
    assert (one.kind, one.git_url, one.git_revision) == (
        "git",
        "https://gitlab.example/a",
        "ab" * 20,
    )
    assert materials_of("https://gitlab.example/a", sha256="ab" * 32).kind == "http"


@pytest.mark.parametrize("kind", ["tekton.dev/v1/TaskRun", "https://cloud.google.com/build/x/v1"])
def test_steps_run_in_tools(kind):
    told = {"buildType": kind, "materials": [STEP, {"uri": "pkg:docker/debian@12"}, GIT]}
    assert [one.is_frontend for one in provenance.materials(told)] == [True, False, False]
    told["buildType"] = "https://build.example/1"
    assert not any(one.is_frontend for one in provenance.materials(told))


def test_tools_are_told_from_bases():
    found = {one.material_repo: one.is_frontend for one in provenance.materials(buildkit())}
    assert found["docker/dockerfile"]
    assert not found["library/golang"]


def test_what_a_dockerfile_names_as_its_syntax_is_a_tool():
    told = {
        "invocation": {
            "parameters": {"frontend": "gateway.v0", "args": {"source": "org/syntax:2"}}
        },
        "materials": [{"uri": "pkg:docker/org/syntax@2"}, {"uri": "pkg:docker/org/app@2"}],
    }
    assert [one.is_frontend for one in provenance.materials(told)] == [True, False]


@pytest.mark.parametrize("part", ["?", "&", "=", "/", "//", "@", "token", "?token", "//a@", ".git"])
def test_long_addresses_take_no_long_time(part):
    one = materials_of("https://x.example/" + part * 200_000, sha256="00")
    assert one.kind in ("git", "http", "other")


def test_logins_are_left_out():
    assert materials_of("git+https://a:b@git.example/x@v1").uri == "git+https://git.example/x@v1"
    one = materials_of(f"https://x.example/a.tgz?private_token={SECRET}", sha256="00")
    assert one.uri == "https://x.example/a.tgz?private_token=…"
    one = materials_of("https://git.example/a.git#v1", sha256="ab" * 32)
    assert (one.git_url, one.git_ref, one.git_revision) == (
        "https://git.example/a.git",
        "v1",
        "ab" * 32,
    )

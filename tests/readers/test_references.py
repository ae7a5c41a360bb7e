"""The images that files name: each kind of file by hand, and which files are read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import hubframe
from hubframe.errors import IncompleteWarning
from hubframe.readers.references import documents, files
from hubframe.readers.references.dockerfiles import find_base
from hubframe.tables import TABLES

DIGEST = "sha256:" + "5" * 64


@pytest.fixture
def found(tmp_path):
    """Write a file, and return the rows that it makes, as mappings without nulls."""

    def read(text, name="Dockerfile", **how):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        frame = hubframe.references_df(tmp_path, **how)
        assert not frame.duplicated(list(TABLES["references"].key)).any()
        rows = [
            {k: v for k, v in row.items() if not pd.isna(v)} for row in frame.to_dict("records")
        ]
        return [row for row in rows if row["file"] == name]

    return read


def short(rows):
    """Line, field, and what the row says of the image."""
    return [(row["line"], row["field"], row.get("reference") or row["problem"]) for row in rows]


def test_a_dockerfile(found):
    rows = found(
        "\ufeff# syntax=docker/dockerfile:1.9\r\n"
        "# escape=`\r\n"
        "ARG PYTHON=3.12\r\n"
        "ARG OS\r\n"
        "ARG BASE='python:'${PYTHON}-\"${OS:-slim}\"\r\n"
        "FROM --platform=$BUILDPLATFORM `\r\n"
        "  # a comment within\r\n"
        "\r\n"
        " $BASE AS Build\r\n"
        "COPY --from=nginx:1.27 --chown=1 /a /b\r\n"
        "COPY --from=0 /a /b\r\n"
        "RUN --mount=type=cache,target=/c --mount=type=bind,from=alpine --mount=from=BUILD <<-EOF\r\n"
        "FROM not/this:1\r\n"
        "\tEOF\r\n"
        "FROM scratch AS empty\r\n"
        "FROM --platform=linux/arm64/v8 debian@" + DIGEST + " AS base\r\n"
        "FROM build\r\n"
        "from base as last\r\n"
    )
    assert short(rows) == [
        (1, "syntax", "docker.io/docker/dockerfile:1.9"),
        (6, "FROM", "docker.io/library/python:3.12-slim"),
        (10, "COPY --from", "docker.io/library/nginx:1.27"),
        (12, "RUN --mount=from", "docker.io/library/alpine:latest"),
        (15, "FROM", "scratch"),
        (16, "FROM", f"docker.io/library/debian@{DIGEST}"),
        (17, "FROM", "stage"),
        (18, "FROM", "stage"),
    ]
    assert [row["role"] for row in rows[:4]] == ["syntax", "base", "stage copy", "stage copy"]
    assert [row["is_last_stage"] for row in rows if row["field"] == "FROM"] == [
        *(False, False, True, False, False),
    ]
    assert rows[1]["written"] == "$BASE"
    assert "platform" not in rows[1]
    assert (rows[5]["platform"], rows[5]["is_pinned"], rows[5]["is_floating"]) == (
        *("linux/arm64", True, False),
    )


def test_what_of_a_dockerfile_is_not_known(found):
    rows = found(
        "ARG TAG\nARG REGISTRY\nFROM python:${TAG}\nFROM ${REGISTRY}/app:$TAG\nFROM A/B\n"
        "FROM {{ .Base }}:1\nFROM ${TAG#v}\nFROM ${TAG:+alpine:3}${TAG-busybox}\n"
    )
    told = [(row["problem"], row.get("variable"), row.get("repo")) for row in rows[:5]]
    assert told == [
        ("variable", "TAG", "library/python"),
        ("variable", "REGISTRY TAG", None),
        ("invalid", None, None),
        ("template", ".Base", None),
        ("variable", "TAG", None),
    ]
    assert rows[3]["written"] == "{{ .Base }}:1"
    assert rows[5]["reference"] == "docker.io/library/busybox:latest"


def test_templates_before_instructions(found):
    rows = found(
        "{{\n  set base to 'x' ^\n}}# A block ends in a comment.\n"
        "{{ if a:\n}}FROM {{base}}:1 AS build{{ if b:\n ARG X }}\n"
        "FROM alpine:3\nCOPY --from=build /a /b\n"
    )
    assert short(rows) == [(5, "FROM", "template"), (7, "FROM", "docker.io/library/alpine:3")]
    assert [row["is_last_stage"] for row in rows] == [False, True]


def test_what_begins_with_no_from_is_no_dockerfile(found):
    assert found("package dockerfile\n\nvar a = `\nFROM scratch\n`\n", "dockerfile_test.go") == []
    assert found("from a import b\n", "dockerfile.py") == []
    assert found("node_modules\n*.md\n", "Dockerfile.dockerignore") == []


def test_what_later_builds_do(found):
    rows = found(
        "FROM a:1\nONBUILD COPY --from=b:1 / /\nONBUILD RUN --mount=from=c:1 <<END\nFROM d\nEND\n"
    )
    assert short(rows)[1:] == [
        (2, "ONBUILD COPY --from", "docker.io/library/b:1"),
        (3, "ONBUILD RUN --mount=from", "docker.io/library/c:1"),
    ]


def test_two_of_a_kind_on_one_line_are_told_apart(found):
    rows = found("FROM a\nRUN --mount=from=b --mount=from=c,target=/c true\n")
    assert short(rows)[1:] == [
        (2, "RUN --mount=from", "docker.io/library/b:latest"),
        (2, "RUN --mount=from (2)", "docker.io/library/c:latest"),
    ]


def test_a_compose_file(found, tmp_path):
    (tmp_path / ".env").write_text("# of this machine\nCACHE=7.4\nexport QUOTED='8' # not 9\n")
    rows = found(
        "x-common: &common\n"
        "  image: app:${TAG:-1.0}\n"
        "services:\n"
        "  web:\n"
        "    <<: *common\n"
        "  cache: {image: 'redis:${CACHE}', platform: linux/arm64}\n"
        "  quoted: {image: 'redis:$QUOTED'}\n"
        "  unknown: {image: 'a$$b/c:${NO_DEFAULT}'}\n"
        "  built:\n"
        "    image: built-here\n"
        "    build:\n"
        "      context: .\n"
        "      additional_contexts: {base: docker-image://alpine:3.20, other: ../other}\n"
        "      dockerfile_inline: |\n"
        "        FROM base\n"
        "        COPY --from=busybox:$${V} / /\n",
        "deploy/compose.prod.yml",
    )
    # The file of variables is not beside it.
    assert short(rows)[1] == (6, "services.cache.image", "variable")
    rows = found((tmp_path / "deploy/compose.prod.yml").read_text(), "compose.yaml")
    assert short(rows) == [
        (2, "x-common.image", "docker.io/library/app:1.0"),
        (6, "services.cache.image", "docker.io/library/redis:7.4"),
        (7, "services.quoted.image", "docker.io/library/redis:8"),
        (8, "services.unknown.image", "variable"),
        (13, "services.built.build.additional_contexts.base", "docker.io/library/alpine:3.20"),
        # What is called as a context of the build is none.
        (16, "services.built.build.dockerfile_inline COPY --from", "variable"),
    ]
    assert rows[1]["platform"] == "linux/arm64"
    assert rows[3]["variable"] == "NO_DEFAULT"


def test_what_services_take_from_others(found):
    rows = found(
        "x-built: &built {build: .}\n"
        "x-more: &more {<<: *built, platform: 'linux/${ARCH:-arm64}'}\n"
        "x-image: &image postgres:17\n"
        "services:\n"
        "  ours: {<<: [*more], image: ours:1}\n"
        "  theirs: {image: *image, platform: '$NOT_KNOWN'}\n"
        "  itself: &itself {<<: *itself, image: a:1, platform: 'linux/${ARCH:-arm64}'}\n"
        "  id: {image: 'sha256:" + "5" * 64 + "'}\n"
        "  none: {image: false}\n"
        "  mounts: {image: b:1, volumes: [{type: image, source: 'c:1'}, {type: bind, source: d}]}\n",
        "stack.yml",
    )
    assert {row["kind"] for row in rows} == {"compose"}
    assert short(rows) == [
        (3, "services.theirs.image", "docker.io/library/postgres:17"),
        (7, "services.itself.image", "docker.io/library/a:1"),
        (8, "services.id.image", "invalid"),
        (10, "services.mounts.image", "docker.io/library/b:1"),
        (10, "services.mounts.volumes[0].source", "docker.io/library/c:1"),
    ]
    assert [row.get("platform") for row in rows[:2]] == [None, "linux/arm64"]
    assert found("services: {app: {arguments: {image: x}}}\n", "config/services.yaml") == []


def test_parameters_of_manifests_have_their_defaults(found):
    rows = found(
        "apiVersion: tekton.dev/v1\n"
        "kind: Task\n"
        "spec:\n"
        "  params: [{name: GO, default: 'golang:1.24'}, {name: other}]\n"
        "  steps:\n"
        "  - image: $(params.GO)\n"
        "  - image: mirror.example/$(inputs.params.GO)\n"
        "  - image: $(params.other)\n"
        "  - image: ${UNSET:=alpine:3}\n"
        "---\n"
        "apiVersion: template.openshift.io/v1\n"
        "kind: Template\n"
        "parameters: [{name: TAG, value: v1}, {name: IMAGE, value: quay.io/a/b}]\n"
        "objects: [{spec: {containers: [{image: '${IMAGE}:${TAG}'}]}}]\n"
        "---\n"
        "apiVersion: v1\n"
        "kind: Pod\n"
        "spec: {containers: [{image: '$(params.GO)'}]}\n",
        "task.yaml",
    )
    assert short(rows) == [
        (6, "spec.steps[0].image", "docker.io/library/golang:1.24"),
        (7, "spec.steps[1].image", "mirror.example/golang:1.24"),
        (8, "spec.steps[2].image", "variable"),
        (9, "spec.steps[3].image", "docker.io/library/alpine:3"),
        (14, "objects[0].spec.containers[0].image", "quay.io/a/b:v1"),
        (18, "spec.containers[0].image", "variable"),
    ]
    assert rows[2]["variable"] == "params.other"


def test_fields_of_manifests_that_are_no_images(found):
    rows = found(
        "apiVersion: v1\n"
        "kind: Pod\n"
        "metadata: {labels: {image: not:this}, annotations: {image: not:this}}\n"
        "spec: {volumes: [{rbd: {image: disk}}], build: {output: {image: made:1}}}\n"
        "build: {artifacts: [{image: made:2, docker: {image: this:1}}]}\n",
        "pod.yaml",
    )
    assert short(rows) == [(5, "build.artifacts[0].docker.image", "docker.io/library/this:1")]


def test_what_is_built_is_no_reference_elsewhere_either(found):
    rows = found(
        "apiVersion: skaffold/v4beta1\nkind: Config\n"
        "build: {artifacts: [{image: app, requires: [{image: base}]}, {image: base}]}\n"
        "test: [{image: app}]\nverify: [{container: {image: 'alpine:3'}}]\n"
        "profiles: [{build: {artifacts: [{image: extra}]}, test: [{image: extra}]}]\n"
        "---\napiVersion: build.openshift.io/v1\nkind: BuildConfig\n"
        "spec:\n  strategy: {dockerStrategy: {from: {kind: DockerImage, name: 'quay.io/org/b:9'}}}\n"
        "  source: {images: [{from: {kind: ImageStreamTag, name: 'own:1'}}]}\n"
        "  output: {to: {kind: DockerImage, name: 'made:1'}}\n"
        "---\napiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository\n"
        "spec: {image: ghcr.io/org/followed}\n",
        "skaffold.yaml",
    )
    assert short(rows) == [
        (5, "verify[0].container.image", "docker.io/library/alpine:3"),
        (11, "spec.strategy.dockerStrategy.from.name", "quay.io/org/b:9"),
        (17, "spec.image", "template"),
    ]


def test_other_resources_that_name_images(found):
    rows = found(
        "apiVersion: postgresql.cnpg.io/v1\n"
        "kind: Cluster\n"
        "spec: {imageName: 'ghcr.io/org/postgresql:17', osImage: Some Linux 12, baseImage: plain}\n"
        "---\n"
        "apiVersion: helm.toolkit.fluxcd.io/v2\n"
        "kind: HelmRelease\n"
        "spec:\n"
        "  values:\n"
        "    global: {imageRegistry: mirror.example}\n"
        "    web: {image: {registry: docker.io, repository: org/web, tag: 1}}\n"
        "    sidecarImage: busybox\n"
        "    more: {values: {image: nginx}}\n"
        "---\n"
        "apiVersion: argoproj.io/v1alpha1\n"
        "kind: Application\n"
        "spec:\n"
        "  source:\n"
        "    kustomize: {images: ['quay.io/a/b:1', 'old=quay.io/a/c:2']}\n"
        "    helm: {valuesObject: {image: {repository: org/d, tag: 3}}}\n"
        "---\n"
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\n"
        "kind: Kustomization\n"
        "spec: {images: [{name: a, newTag: v2}, {name: b, newName: c/d}]}\n",
        "other.yaml",
    )
    assert short(rows) == [
        (3, "spec.imageName", "ghcr.io/org/postgresql:17"),
        (10, "spec.values.web.image", "mirror.example/org/web:1"),
        (11, "spec.values.sidecarImage", "template"),
        (12, "spec.values.more.values.image", "template"),
        (18, "spec.source.kustomize.images[0]", "quay.io/a/b:1"),
        (18, "spec.source.kustomize.images[1]", "quay.io/a/c:2"),
        (19, "spec.source.helm.valuesObject.image", "docker.io/org/d:3"),
        (23, "spec.images[0]", "docker.io/library/a:v2"),
        # Its tag stays what it is in the manifests.
        (23, "spec.images[1]", "template"),
    ]


def test_manifests_of_kubernetes_in_whatever_file(found):
    rows = found(
        "apiVersion: apps/v1\n"
        "kind: Deployment\n"
        "spec:\n"
        "  template:\n"
        "    spec:\n"
        "      initContainers:\n"
        "      - image: busybox\n"
        "      containers:\n"
        "      - image: 'org/app:${TAG}'\n"
        "      ephemeralContainers: [{image: debian:12}]\n"
        "      volumes:\n"
        "      - name: data\n"
        "        image: {reference: 'quay.io/org/data:v1'}\n"
        "---\n"
        "kind: no manifest\n"
        "image: not:this\n"
        "---\n"
        "apiVersion: apiextensions.k8s.io/v1\n"
        "kind: CustomResourceDefinition\n"
        "spec: {default: {image: not:this}}\n"
        "---\n"
        "apiVersion: helm.example/v2\n"
        "kind: HelmRelease\n"
        "spec: {values: {web: {image: {repository: org/web, tag: 1.20}}}}\n",
        "deploy.yml",
    )
    pods = "spec.template.spec"
    assert short(rows) == [
        (7, f"{pods}.initContainers[0].image", "docker.io/library/busybox:latest"),
        (9, f"{pods}.containers[0].image", "variable"),
        (10, f"{pods}.ephemeralContainers[0].image", "docker.io/library/debian:12"),
        (13, f"{pods}.volumes[0].image.reference", "quay.io/org/data:v1"),
        (24, "spec.values.web.image", "docker.io/org/web:1.20"),
    ]
    assert {row["kind"] for row in rows} == {"kubernetes"}
    assert [row["role"] for row in rows] == ["init", "run", "run", "run", "run"]


def test_a_manifest_in_json_with_tabs(found):
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "a:1"}]}}
    rows = found(json.dumps(pod, indent="\t"), "pod.json")
    assert short(rows) == [(7, "spec.containers[0].image", "docker.io/library/a:1")]


def test_templates_of_charts(found):
    rows = found(
        "{{- if .Values.web }}\n"
        "apiVersion: v1\n"
        "kind: Pod\n"
        "metadata:\n"
        "  labels:\n"
        '    {{- include "labels" . | nindent 4 }}\n'
        "{{/* image: {{ not.this }} */}}\n"
        "spec:\n"
        "  containers:\n"
        "  - image: {{ .Values.image }}\n"
        '  - image: "org/app:{{ .Chart.AppVersion }}"\n'
        "  - image: plain:1\n"
        "{{- end }}\n",
        "templates/pod.yaml",
    )
    assert [(row["line"], row["written"], row.get("problem")) for row in rows] == [
        (10, "{{ .Values.image }}", "template"),
        (11, "org/app:{{ .Chart.AppVersion }}", "template"),
        (12, "plain:1", None),
    ]
    assert rows[1]["repo"] == "org/app"
    assert rows[1]["variable"] == ".Chart.AppVersion"


def test_blocks_that_templates_make(found):
    rows = found(
        "apiVersion: v1\n"
        "kind: Pod\n"
        "metadata:\n"
        '  labels: {{- include "labels" . | nindent 4 }}\n'
        "    part: web\n"
        "spec:\n"
        "  list:\n"
        "  - {{ . | toYaml | indent 4 | trim }}\n"
        "    more: true\n"
        "  containers:\n"
        "  - name: a\n"
        "    {{- if .Values.old }}\n"
        "    image: old:1\n"
        "    {{- else }}\n"
        "    image: new:1\n"
        "    {{- end }}\n",
        "templates/pod.yaml",
    )
    assert [(row["line"], row["written"]) for row in rows] == [(13, "old:1"), (15, "new:1")]


def test_values_of_charts(found):
    rows = found(
        "image:\n"
        "  registry: quay.io\n"
        "  repository: org/app\n"
        "  tag: 1.10\n"
        f"  digest: {DIGEST}\n"
        "sidecarImage: org/sidecar:2\n"
        "jobs: {image: {repository: org/jobs, tag: ''}}\n"
        "old: {image: org/old, tag: v3}\n"
        "logo: {image: https://a.example/logo.png}\n"
        "chart: {repository: https://charts.example, version: 1}\n"
        "whole: {image: {repository: 'org/whole:4'}}\n"
        "flat: {image: org/flat, imageTag: 5}\n"
        "named: {imageName: quay.io/org/named, imageTag: 6, imageDigest: ''}\n"
        f"sha: {{image: {{repository: org/sha, tag: 7, sha: '{'5' * 64}'}}}}\n"
        "hub: {image: {hub: quay.io/org/, name: hub, tag: 8}}\n"
        "images: {web: 'org/web:9', many: 2, tags: {db: 'org/db:9'}}\n"
        "config: {repository: https://git.example/org/config, tag: v1}\n"
        "ssh: {repository: git@git.example:org/config.git, tag: v1}\n",
        "charts/app/ci/prod-values.yaml",
    )
    assert short(rows) == [
        (3, "image", f"quay.io/org/app:1.10@{DIGEST}"),
        (6, "sidecarImage", "docker.io/org/sidecar:2"),
        (7, "jobs.image", "template"),
        (8, "old", "docker.io/org/old:v3"),
        (9, "logo.image", "invalid"),
        (11, "whole.image", "docker.io/org/whole:4"),
        (12, "flat", "docker.io/org/flat:5"),
        (13, "named", "quay.io/org/named:6"),
        (14, "sha.image", f"docker.io/org/sha:7@{DIGEST}"),
        (15, "hub.image", "quay.io/org/hub:8"),
        (16, "images.web", "docker.io/org/web:9"),
        (16, "images.tags.db", "docker.io/org/db:9"),
    ]
    rows = found(
        "global: {image: {registry: registry.example}}\n"
        "a: {image: {image: org/a, tag: 1}}\nb: {image: {repository: quay.io/org/b, tag: 2}}\n"
        "c: {image: {registry: ghcr.io, image: org/c, tag: 3}}\n"
        "d: {image: {repository: 'org/d:4', tag: 5}}\n",
        "values.yaml",
    )
    assert [row["reference"] for row in rows] == [
        *("registry.example/org/a:1", "quay.io/org/b:2", "ghcr.io/org/c:3"),
        "docker.io/org/d:4",
    ]
    # The chart chooses the tag; of a container nobody does.
    rows = found("webImage: org/web\nextraContainers: [{image: busybox}]\n", "values.yaml")
    assert short(rows) == [
        (1, "webImage", "template"),
        (2, "extraContainers[0].image", "docker.io/library/busybox:latest"),
    ]
    assert rows[0]["repo"] == "org/web"
    # On top, where no key leads to the mapping.
    assert short(found("image: org/top\nimageTag: v1\n", "values.yaml")) == [
        (1, "image", "docker.io/org/top:v1"),
    ]


def test_kustomizations(found):
    rows = found(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n"
        "- {name: app, newName: quay.io/org/app, newTag: '2.0'}\n"
        f"- {{name: pinned, newTag: ignored, digest: '{DIGEST}'}}\n"
        "- {name: untouched}\n"
        "- {name: moved, newName: quay.io/org/moved}\n",
        "kustomization.yaml",
    )
    assert short(rows) == [
        (4, "images[0]", "quay.io/org/app:2.0"),
        (5, "images[1]", f"docker.io/library/pinned@{DIGEST}"),
        # Its tag stays what it is in the manifests.
        (7, "images[3]", "template"),
    ]
    assert rows[2]["repo"] == "quay.io/org/moved"


def test_workflows_and_actions(found):
    rows = found(
        "on: push\n"
        "jobs:\n"
        "  a:\n"
        "    container: python:${{ matrix.python }}-slim\n"
        "    services:\n"
        "      db: {image: 'postgres:17'}\n"
        "    steps:\n"
        "    - uses: docker://ghcr.io/org/tool:v1\n"
        "    - uses: actions/checkout@v4\n"
        "      with: {image: not:this}\n",
        ".github/workflows/a.yml",
    )
    assert short(rows) == [
        (4, "jobs.a.container", "variable"),
        (6, "jobs.a.services.db.image", "docker.io/library/postgres:17"),
        (8, "jobs.a.steps[0].uses", "ghcr.io/org/tool:v1"),
    ]
    assert (rows[0]["variable"], rows[0]["repo"]) == ("matrix.python", "library/python")
    action = found("runs: {using: docker, image: 'docker://alpine:3'}\n", "tool/action.yml")
    assert short(action) == [(1, "runs.image", "docker.io/library/alpine:3")]


def test_inputs_of_workflows_have_their_defaults(found):
    rows = found(
        "on:\n  workflow_call:\n    inputs:\n      image: {type: string, default: 'node:24'}\n"
        "      tag: {default: 17}\n      other: {type: string}\n"
        "jobs:\n  a:\n    container: ${{ inputs.image }}\n    services:\n"
        "      db: {image: 'postgres:${{inputs.tag}}'}\n      c: '${{ inputs.other }}'\n",
        ".github/workflows/shared.yml",
    )
    assert short(rows) == [
        (9, "jobs.a.container", "docker.io/library/node:24"),
        (11, "jobs.a.services.db.image", "docker.io/library/postgres:17"),
        (12, "jobs.a.services.c", "variable"),
    ]


def test_pipelines(found):
    rows = found(
        "variables: {RUBY: '3.3', FULL: {value: 'ruby:$RUBY'}}\n"
        "image: $FULL\n"
        "default: {image: {name: 'ruby:$[[ inputs.v ]]'}}\n"
        "test:\n"
        "  variables: {RUBY: '3.4'}\n"
        "  image: ruby:${RUBY}\n"
        "  services:\n"
        "  - ${CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX}/redis:7\n"
        "  - {name: $CI_REGISTRY_IMAGE/db, alias: db}\n"
        "broken: {image: !reference [.a, image]}\n"
        "arm: {image: {name: 'ruby:3', docker: {platform: linux/arm64/v8}}}\n",
        ".gitlab-ci.yml",
    )
    assert short(rows) == [
        (2, "image", "docker.io/library/ruby:3.3"),
        (3, "default.image.name", "variable"),
        (6, "test.image", "docker.io/library/ruby:3.4"),
        (8, "test.services[0]", "docker.io/library/redis:7"),
        (9, "test.services[1].name", "variable"),
        (11, "arm.image.name", "docker.io/library/ruby:3"),
    ]
    assert rows[-1]["platform"] == "linux/arm64"
    rows = found(
        "executors: {e: {docker: [{image: cimg/base:2024.01}, {image: 'a:<< parameters.v >>'}]}}\n"
        "parameters: {go: {type: string, default: '1.24'}}\n"
        "jobs:\n"
        "  j: {machine: {image: ubuntu-2204:current}}\n"
        "  k:\n"
        "    parameters: {v: {type: string, default: '2'}}\n"
        "    docker: &same\n"
        "    - {image: 'cimg/go:<< pipeline.parameters.go >>'}\n"
        "    - {image: 'a:<<parameters.v>>'}\n"
        "  l: {docker: *same}\n",
        ".circleci/config.yml",
    )
    assert short(rows) == [
        (1, "executors.e.docker[0].image", "docker.io/cimg/base:2024.01"),
        (1, "executors.e.docker[1].image", "variable"),
        (8, "jobs.k.docker[0].image", "docker.io/cimg/go:1.24"),
        (9, "jobs.k.docker[1].image", "docker.io/library/a:2"),
    ]


def test_inputs_of_pipelines_have_their_defaults(found):
    rows = found(
        "spec:\n  inputs:\n    image: {default: 'ruby:3.4'}\n    tag: {type: string}\n---\n"
        "variables: {BASE: 'quay.io/$[[ inputs.image ]]'}\n"
        "a: {image: '$[[ inputs.image ]]'}\nb: {image: 'c:$[[ inputs.tag ]]'}\nc: {image: $BASE}\n",
        ".gitlab-ci.yml",
    )
    assert short(rows) == [
        (7, "a.image", "docker.io/library/ruby:3.4"),
        (8, "b.image", "variable"),
        (9, "c.image", "quay.io/ruby:3.4"),
    ]


def test_containers_for_development_and_others(found):
    rows = found(
        '{\n  // "image": "not:this"\n  "image": "mcr.example/base:1", /* here */\n'
        '  "features": {"ghcr.io/org/f/node:1": {}, "./local": {},},\n}\n',
        ".devcontainer/devcontainer.json",
    )
    assert short(rows) == [
        (3, "image", "mcr.example/base:1"),
        (4, 'features["ghcr.io/org/f/node:1"]', "ghcr.io/org/f/node:1"),
    ]
    container = {"image": "base:${localEnv:VARIANT:bookworm}-${localEnv:OTHER}"}
    (row,) = found(json.dumps(container), ".devcontainer.json")
    assert (row["repo"], row["variable"]) == ("library/base", "OTHER")
    bake = {
        "variable": {"ALPINE": {"default": "3.22"}},
        "target": {
            "app": {"contexts": {"base": "docker-image://alpine:${ALPINE}"}},
            "web": {
                "inherits": ["app"],
                "dockerfile-inline": "FROM base\nCOPY --from=busybox:1 / /",
            },
        },
    }
    assert short(found(json.dumps(bake), "docker-bake.json")) == [
        (1, "target.app.contexts.base", "docker.io/library/alpine:3.22"),
        (1, "target.web.dockerfile-inline COPY --from", "docker.io/library/busybox:1"),
    ]
    rows = found(
        '[io.buildpacks]\nbuilder = "org/builder:1"\n[[io.buildpacks.group]]\nuri = "docker://b/c:2"\n',
        "project.toml",
    )
    assert short(rows) == [
        (2, "io.buildpacks.builder", "docker.io/org/builder:1"),
        (4, "io.buildpacks.group[0].uri", "docker.io/b/c:2"),
    ]
    rows = found("[Unit]\nImage=no\n[Container]\nImage=quay.io/a/b:%i\n#Image=c\n", "web.container")
    assert short(rows) == [(4, "Container.Image", "variable")]
    assert found("[Container]\nImage=web.build\n", "b.container") == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_any_unicode_and_windows_line_ends(found, encoding):
    text = "apiVersion: v1\r\nkind: Pod\r\n# Grüße\r\nimage: a:1\r\n"
    assert short(found(text.encode(encoding), "a.yaml")) == [(4, "image", "docker.io/library/a:1")]
    assert short(found("FROM a:1\r\n".encode(encoding))) == [(1, "FROM", "docker.io/library/a:1")]


def test_what_is_no_yaml_is_said_and_read_by_line(found, tmp_path):
    with pytest.warns(IncompleteWarning, match="1 files could not be read"):
        rows = found(
            "apiVersion: v1\nkind: Pod\nimage: a:1\n---\napiVersion: v1\nkind: Pod\n"
            "image: b:1\n  bad: : :\n  - image: 'c:$TAG'\n",
            "a.yaml",
        )
    assert [(row["line"], row["written"]) for row in rows] == [
        (3, "a:1"),
        (7, "b:1"),
        (9, "c:$TAG"),
    ]
    with pytest.warns(IncompleteWarning):
        frame = hubframe.references_df(tmp_path)
    (failure,) = frame.attrs["hubframe"]["failures"]
    assert (failure["ref"], failure["error"]) == ("a.yaml", "PayloadError")
    assert "line 8" in failure["message"]


def test_a_document_may_be_no_larger_than_so(monkeypatch, found):
    monkeypatch.setattr(documents, "MOST_NODES", 10)
    small = "apiVersion: v1\nkind: Pod\nimage: a:1\n"
    large = "apiVersion: v1\nkind: Pod\nlist: [1, 2, 3, 4, 5]\nimage: b:1\n"
    with pytest.warns(IncompleteWarning):
        rows = found(f"{small}---\n{small}---\n{large}", "a.yaml")
    assert [row["line"] for row in rows] == [3, 7, 12]


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("FROM a\n")


def git(folder, *arguments):
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_in_a_checkout_the_files_that_git_tracks(tmp_path, monkeypatch):
    write(tmp_path, "Dockerfile", "sub/Dockerfile", "new/Dockerfile", "node_modules/a/Dockerfile")
    read = hubframe.references_df
    assert read(tmp_path)["file"].tolist() == ["Dockerfile", "new/Dockerfile", "sub/Dockerfile"]
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path}/run; false")
    git(tmp_path, "-c", "core.fsmonitor=false", "add", "Dockerfile", "sub")
    # A hook's variables are of another repository.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert read(tmp_path)["file"].tolist() == ["Dockerfile", "sub/Dockerfile"]
    assert read(tmp_path / "sub")["file"].tolist() == ["Dockerfile"]
    # As in a checkout of a part of it.
    (tmp_path / "sub/Dockerfile").unlink()
    assert read(tmp_path)["file"].tolist() == ["Dockerfile"]
    # What git does not know at all was asked for by name.
    assert read(tmp_path / "new")["file"].tolist() == ["Dockerfile"]
    assert not (tmp_path / "run").exists()


def test_submodules_are_read_as_what_git_tracks(tmp_path):
    write(tmp_path, "other/Dockerfile", "ours/Dockerfile")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for name in ("other", "ours"):
        git(tmp_path / name, "init", "--quiet")
        git(tmp_path / name, "add", ".")
        git(tmp_path / name, *author, "commit", "--quiet", "--message", "first")
    allowed = ("-c", "protocol.file.allow=always")
    git(tmp_path / "ours", *allowed, "submodule", "--quiet", "add", "../other", "docker/other")
    program = f"touch {tmp_path}/run; false"
    git(tmp_path / "ours/docker/other", "config", "core.fsmonitor", program)
    (tmp_path / "ours/docker/other/new.Dockerfile").write_text("FROM a\n")
    read = hubframe.references_df
    both = ["Dockerfile", "docker/other/Dockerfile"]
    assert read(tmp_path / "ours")["file"].tolist() == both
    assert read(tmp_path / "ours/docker")["file"].tolist() == ["other/Dockerfile"]
    assert not (tmp_path / "run").exists()


def test_files_by_globs_and_lists(tmp_path):
    write(tmp_path, "Dockerfile", "images/web.df")
    (tmp_path / "images.txt").write_text("# ours\na:1\nquay.io/b/c:2 # why\n\nno image here\nA:1\n")
    read = hubframe.references_df
    assert read(tmp_path)["file"].tolist() == ["Dockerfile"]
    some = read(tmp_path, patterns=["images/*", "*.txt"])
    assert some[["file", "line", "kind"]].to_numpy().tolist() == [
        *(["images.txt", 2, "text"], ["images.txt", 3, "text"], ["images.txt", 6, "text"]),
        ["images/web.df", 1, "dockerfile"],
    ]
    assert some["problem"].dropna().tolist() == ["invalid"]
    assert read(tmp_path / "images/web.df")["file"].tolist() == ["web.df"]
    for wrong in (3, b"*", {"a": 1}):
        with pytest.raises(TypeError, match="globs"):
            read(tmp_path, patterns=wrong)
    for wrong in ([], "", [""], [1]):
        with pytest.raises(ValueError, match="globs"):
            read(tmp_path, patterns=wrong)
    with pytest.raises(FileNotFoundError, match="nothing"):
        read(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="~nobody"):
        read("~nobody/here")
    for wrong in (None, b".", [tmp_path]):
        with pytest.raises(TypeError, match="where: expected a folder or a file"):
            read(wrong)


def test_files_that_others_name_are_followed_where_that_is_asked_for(tmp_path):
    write(tmp_path, "web/build.df", "other.df")
    (tmp_path / "compose.yaml").write_text(
        "services:\n  a: {build: {context: web, dockerfile: build.df}}\n"
        "  b: {build: {context: ../../etc, dockerfile: passwd}}\n"
    )
    (tmp_path / "a.yml").write_text("x-a: {image: a}\n")
    (tmp_path / "z.yml").write_text("x-z: {image: z}\n")
    (tmp_path / "compose.web.yaml").write_text(
        "include: [a.yml, {path: [../b.yml]}]\nservices: {d: {extends: {file: z.yml}}}\n"
    )
    (tmp_path / ".gitlab-ci.yml").write_text("include: {local: /ci/all.yml}\nimage: a\n")
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci/all.yml").write_text("include: .gitlab-ci.yml\njob: {image: b}\n")
    read = hubframe.references_df
    assert read(tmp_path)["file"].tolist() == [".gitlab-ci.yml"]
    assert read(tmp_path, follow=True)["file"].tolist() == [
        ".gitlab-ci.yml",
        "a.yml",
        "ci/all.yml",
        "web/build.df",
        "z.yml",
    ]


def test_nothing_is_written_and_the_frame_says_where_it_is_from(tmp_path):
    write(tmp_path, "Dockerfile")
    before = sorted(path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")])
    frame = hubframe.references_df(tmp_path)
    assert sorted(path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]) == before
    told = frame.attrs["hubframe"]
    assert (told["table"], told["source"], told["complete"], told["requests"]) == (
        *("references", "files", True, 0),
    )
    assert list(hubframe.references_df(tmp_path / "Dockerfile").columns) == list(
        TABLES["references"].dtypes
    )


def test_what_may_not_be_read_is_said(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    write(tmp_path, "Dockerfile")
    # Root may read everything.
    monkeypatch.setattr(files.os, "open", refused)
    with pytest.warns(IncompleteWarning, match="cannot be read"):
        assert hubframe.references_df(tmp_path).empty
    monkeypatch.setattr(files.os, "scandir", refused)
    with pytest.warns(IncompleteWarning, match="cannot be read"):
        frame = hubframe.references_df(tmp_path)
    assert [one["ref"] for one in frame.attrs["hubframe"]["failures"]] == ["./"]


def test_the_command_loads_nothing_that_asks_registries(tmp_path):
    write(tmp_path, "Dockerfile")
    code = (
        "import sys; from hubframe.apps.cli import run; status = run(['references', '.']); "
        "print(status, 'requests' in sys.modules, 'hubframe.wire.client' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(hubframe.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    head, row, last = done.stdout.splitlines()
    assert (head.split()[0], row.split()[0], last) == ("file", "Dockerfile", "0 False False")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("web.Dockerfile", "dockerfile"),
        ("a/Containerfile.alpine", "dockerfile"),
        ("docker-compose.override.yaml", "compose"),
        ("a/values-prod.yml", "helm values"),
        (".forgejo/actions/a/b.yaml", "github actions"),
        ("lib.gitlab-ci.yml", "gitlab"),
        (".devcontainer.json", "devcontainer"),
        (".devcontainer/a/devcontainer.json", "devcontainer"),
        ("data.volume", "quadlet"),
        ("Containerfile.volume", "dockerfile"),
        ("ci/prod-values.yaml", "helm values"),
        ("defaultvalues.yaml", "kubernetes"),
        ("Kustomization", "kustomize"),
        ("any/other.yaml", "kubernetes"),
        ("README.md", None),
        ("devcontainer.txt", None),
    ],
)
def test_kinds_by_path(path, kind):
    assert files.kind_of(path) == kind


STAGES = """\
ARG VERSION=12
ARG GO
FROM golang:1.24 AS build
FROM debian:${VERSION} AS base
RUN apt-get update
FROM base AS dev
FROM Base
COPY --from=build /app /app
"""


@pytest.mark.parametrize(
    ("text", "chosen", "base"),
    [
        (STAGES, {}, "docker.io/library/debian:12"),
        (STAGES, {"target": "DEV"}, "docker.io/library/debian:12"),
        (STAGES, {"target": "build"}, "docker.io/library/golang:1.24"),
        (STAGES, {"target": "0"}, "docker.io/library/golang:1.24"),
        (STAGES, {"target": "none"}, None),
        (STAGES, {"target": "4"}, None),
        # What was given in place of the default is not known.
        (STAGES, {"arguments": {"VERSION"}}, None),
        (STAGES, {"arguments": {"GO"}}, "docker.io/library/debian:12"),
        ("ARG A\nFROM debian:$A\n", {}, None),
        ("ARG A=12\nARG A\nFROM debian:$A\n", {}, "docker.io/library/debian:12"),
        ("ARG AB=12 B\nFROM debian:$B\n", {}, None),
        ("ARG AB=12 B\nFROM debian:${B-13}\n", {}, "docker.io/library/debian:13"),
        ("FROM app\n", {"contexts": {"app"}}, None),
        ("FROM app\n", {"contexts": {"other"}}, "docker.io/library/app:latest"),
        ("FROM alpine AS a\nFROM scratch\nCOPY --from=a / /\n", {}, None),
        # Of one stage alone there is one base.
        ("FROM ghcr.io/org/a:1@sha256:" + "a" * 64, {"target": "x"}, "ghcr.io/org/a:1@sha256:" + "a" * 64),
        ("FROM oci:/etc\n", {}, None),
        ("FROM {{ image }}\n", {}, None),
        ("", {}, None),
        ("RUN x\nFROM a\n", {}, None),
    ],
)  # fmt: skip
def test_the_image_that_a_build_goes_on_from(text, chosen, base):
    assert find_base(text, **chosen) == base

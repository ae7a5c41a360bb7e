"""Recorded answers and real documents, which live beside the project and are no part of it."""

import hashlib
import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

from hubframe.errors import PayloadError
from hubframe.oci.digests import digest_of
from hubframe.oci.manifests import HubContent, content, entries, kind
from hubframe.oci.payload import mapping, parse
from hubframe.oci.platforms import Platform
from hubframe.tables import TABLES, shape
from hubframe.tables.shape import Image, hub_images

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not on this machine")
HUB, MANIFESTS = CORPUS / "hub", CORPUS / "manifests"
DOCUMENTS = sorted(MANIFESTS.rglob("*.json"))
KINDS = {
    "docker-manifest-list": "index",
    "oci-index": "index",
    "docker-schema2": "manifest",
    "oci-manifest": "manifest",
    "oci-artifact": "manifest",
    "schema1": "schema1",
    "schema1-signed": "schema1",
}


def repos_of(payloads):
    return shape.repos(map(shape.hub_repo, payloads))


def named(path):
    return path.relative_to(MANIFESTS).as_posix()


def recorded(name):
    """A recorded answer; some stand in a wrapper of the client that took them."""
    answer = json.loads((HUB / name).read_text(encoding="utf-8"))
    return answer["data"] if isinstance(answer, dict) and "data" in answer else answer


def results(name):
    return recorded(name)["results"]


def is_declared(frame, table):
    table = TABLES[table]
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(table.dtypes)
    assert not frame.duplicated(list(table.key)).any()
    for column in table.columns:
        assert column.nullable or frame[column.name].notna().all(), column.name
        if column.dtype == "str" and not column.may_be_empty:
            assert not (frame[column.name] == "").any(), column.name
    return frame


def at(text):
    return pd.Timestamp(text, tz="UTC")


# the Hub


def test_repositories_of_2025():
    frame = is_declared(repos_of(results("repos-list-2025-docker_spec-example.json")), "repos")
    builder, whalesay = (frame.iloc[place] for place in range(2))
    assert frame.repo.tolist() == ["docker/highland_builder", "docker/whalesay"]
    assert (builder.star_count, builder.pull_count, builder.storage_size) == (
        7,
        15722123,
        488723114800,
    )
    assert (
        builder.categories == "integration-and-delivery languages-and-frameworks operating-systems"
    )
    assert builder.content_types == "image unrecognized"
    assert builder.pushed_at == at("2023-06-20T10:44:45.459826")
    assert builder.modified_at == whalesay.modified_at == at("2024-10-16T13:48:34.145251")
    assert builder.status == whalesay.status == "active"
    assert pd.isna(whalesay.repository_type)
    assert not frame.is_private.any()
    assert not frame.is_official.any()


def test_repositories_of_2019():
    frame = is_declared(repos_of(results("repos-list-2019-jessestuart.wrapped.json")), "repos")
    assert len(frame) == 25
    assert set(frame.namespace) == {"jessestuart"}
    assert frame.repo[0] == "jessestuart/owntracks"
    assert (frame.star_count[0], frame.pull_count[0]) == (3, 488928)
    assert frame.pushed_at[0] == at("2019-07-26T00:25:53.188984")
    assert set(frame.status) == {"active"}
    for name in ("storage_size", "registered_at", "modified_at", "categories", "media_types"):
        assert frame[name].isna().all(), name


def test_a_repository_that_was_never_pushed():
    name = "repos-list-2019-missing-last_updated.synthetic-edit.json"
    frame = is_declared(repos_of(results(name)), "repos")
    assert len(frame) == 1
    assert frame.pushed_at.isna().all()


def test_a_repository_on_its_own():
    frame = is_declared(
        repos_of([recorded("repo-detail-2026-ebusinessdocker-disney.json")]), "repos"
    )
    row = frame.iloc[0]
    assert (row.repo, row.pull_count, row.storage_size) == (
        "ebusinessdocker/disney",
        275,
        1007407794,
    )
    assert pd.isna(row.description)
    assert pd.isna(row.categories)


def test_search():
    frame = is_declared(shape.search(results("search-v2-2026-05-03-nginx.json")), "search")
    assert frame.repo.tolist() == [
        "library/nginx", "nginx/nginx-ingress", "nginx/nginx-prometheus-exporter",
    ]  # fmt: skip
    assert frame.pull_count.tolist() == [12981954060, 1085123768, 87347846]
    assert frame.is_official.tolist() == [True, False, False]


def test_tags_of_2026():
    payloads = results("tags-page-2026-ebusinessdocker-disney.json")
    row = is_declared(shape.tags([("ebusinessdocker/disney", payloads)]), "tags").iloc[0]
    assert (row.tag, row["size"], row.platform_count, row.status) == (
        "latest",
        25529703,
        1,
        "active",
    )
    assert pd.isna(row.digest)
    assert row.pulled_at == at("2026-01-09T19:20:49.733138")
    images = is_declared(shape.images(hub_images("ebusinessdocker/disney", payloads[0])), "images")
    assert images.platform.tolist() == ["linux/amd64"]
    assert images["size"].tolist() == [25529703]
    assert images.index_digest.isna().all()


def test_a_tag_whose_images_the_hub_forgot():
    payload = recorded("tag-2025-08-11-library-node_images-empty.json")
    row = is_declared(shape.tags([("library/node", [payload])]), "tags").iloc[0]
    assert (row.tag, row.version, row["size"]) == ("22.18.0-slim", "22.18.0", 78914007)
    assert pd.isna(row.platform_count)
    assert hub_images("library/node", payload) == []


def test_a_tag_of_2019():
    payload = recorded("tag-detail-2019-rackspacedot-python37.json")
    row = is_declared(shape.tags([("rackspacedot/python37", [payload])]), "tags").iloc[0]
    assert (row["size"], row.platform_count) == (410656749, 1)
    assert row.pushed_at == at("2019-11-20T20:20:34.392236")
    assert pd.isna(row.status)
    is_declared(shape.images(hub_images("rackspacedot/python37", payload)), "images")


def test_a_tag_of_2016_with_numbers_for_platforms():
    payloads = results("tags-page-2016-pavel-howdy_platforms-field.json")
    row = is_declared(shape.tags([("pavel/howdy", payloads)]), "tags").iloc[0]
    assert (row.tag, row["size"]) == ("latest", 5271296)
    assert pd.isna(row.platform_count)


def test_a_hundred_tags_for_several_platforms():
    payloads = results("tags-page-2019-jessestuart-minio-multiarch.wrapped.json")
    tags = is_declared(shape.tags([("jessestuart/minio", payloads)]), "tags")
    assert len(tags) == len(payloads) == 100
    images = [image for payload in payloads for image in hub_images("jessestuart/minio", payload)]
    frame = is_declared(shape.images(images), "images")
    assert len(frame) == sum(len(payload["images"]) for payload in payloads)
    assert (tags["size"][0], tags.platform_count[0]) == (19432829, 3)
    # What the Hub calls the full size is that of linux/amd64.
    amd = frame[frame.platform == "linux/amd64"].set_index("tag")["size"]
    full = tags.set_index("tag")["size"].reindex(amd.index)
    assert (amd == full).all()
    latest = frame[frame.tag == "latest"]
    assert latest.platform.tolist() == ["linux/amd64", "linux/arm", "linux/arm64"]
    assert latest["size"].tolist() == [19432829, 29142494, 29368616]


def test_layers_that_the_hub_tells():
    (payload,) = recorded("tag-images-layers-2026-ebusinessdocker-disney.json")
    told = HubContent(payload)
    image = Image(
        "ebusinessdocker/disney", "latest", payload["digest"], Platform.read(payload), content=told
    )
    layers = is_declared(shape.layers([image]), "layers")
    assert layers["size"].tolist() == [1991435, 4661792, 18876476]
    assert layers["size"].sum() == payload["size"] == 25529703
    assert [line.split(":")[0] for line in layers.instruction] == [
        "ADD file",
        "COPY file",
        "COPY dir",
    ]
    assert not layers.is_empty.any()
    history = is_declared(shape.history([image]), "history")
    assert history.is_empty_layer.tolist() == [False, True, True, False, False, True, True]
    assert history.instruction[1] == 'CMD ["/bin/sh"]'
    labels = is_declared(shape.labels([image]), "labels")
    assert labels[["source", "key", "value"]].to_numpy().tolist() == [
        ["history", "maintainer:", "Wang Xinguang <wangxinguang@e-business.co.jp>"],
    ]  # fmt: skip


def test_a_manifest_list_of_2019():
    found = entries(recorded("registry-manifest-list-2019-jessestuart.wrapped.json"))
    assert found
    assert all(entry.platform and not entry.is_attestation for entry in found)


@pytest.mark.parametrize("path", sorted(HUB.glob("error-*.json")), ids=lambda path: path.stem)
def test_an_error_is_no_image(path):
    document = parse(path.read_bytes(), path.name)
    assert entries(document) == []
    with pytest.raises(PayloadError, match="is no manifest"):
        content(document, {})
    assert repos_of([document]).empty
    assert shape.search([document]).empty
    assert shape.tags([("a/b", [document])]).empty


# documents


def listed():
    """The documents that SOURCES.md lists, with the hash of each."""
    owner = ""
    for line in (
        (MANIFESTS / "SOURCES.md").read_text(encoding="utf-8").splitlines()
        if CORPUS.is_dir()
        else ()
    ):
        if line.startswith("## "):
            owner = line.split()[1].replace("/", "__") if "(derived)" not in line else ""
        cells = [cell.strip() for cell in line.split("|")]
        if owner and len(cells) > 5 and cells[1].endswith(".json"):
            yield pytest.param(MANIFESTS / owner / cells[1], cells[4], id=f"{owner}/{cells[1]}")


@pytest.mark.parametrize(("path", "expected"), list(listed()))
def test_digests_are_those_of_the_bytes(path, expected):
    body = path.read_bytes()
    assert hashlib.sha256(body).hexdigest() == expected
    if path.parent.name == "schema1-signed" and "invalid-signatures" not in path.name:
        # Signatures are no part of what the digest names.
        assert digest_of(body) != f"sha256:{expected}"
    elif path.parent.name != "schema1-signed":
        assert digest_of(body) == f"sha256:{expected}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_document_is_read_as_what_it_is(path):
    document = parse(path.read_bytes(), named(path))
    folder = path.parent.name
    if folder.startswith("image-config"):
        read = content({"layers": []}, document)
        assert len(read.steps) == len(document.get("history") or [])
        frame = shape.configs(
            [Image("a/b", "1", "sha256:d", Platform.read(document), content=read)]
        )
        assert len(is_declared(frame, "configs")) == 1
        return
    assert kind(document) == KINDS[folder]
    if KINDS[folder] == "index":
        assert len(entries(document)) == len(document["manifests"] or [])
        return
    image = Image("a/b", "1", "sha256:d", content=content(document, {}))
    for name in ("images", "layers", "history", "labels", "env", "configs"):
        is_declared(getattr(shape, name)([image]), name)
    layers = document.get("layers" if "layers" in document else "fsLayers") or []
    assert len(shape.layers([image])) == len(layers)


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.parent.name == "image-config"], ids=named
)
def test_a_config_is_no_manifest(path):
    with pytest.raises(PayloadError, match="ambiguous"):
        kind(json.loads(path.read_bytes()))


def pairs():
    """Manifests whose config is there too."""
    configs = {
        f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}": path
        for path in DOCUMENTS
        if path.parent.name == "image-config"
    }
    for path in DOCUMENTS:
        if KINDS.get(path.parent.name) == "manifest":
            digest = mapping(json.loads(path.read_bytes()).get("config")).get("digest")
            if digest in configs:
                yield pytest.param(path, configs[digest], id=named(path))


@pytest.mark.parametrize(("manifest_at", "config_at"), list(pairs()))
def test_a_manifest_with_its_config_gives_right_frames(manifest_at, config_at):
    document, config = json.loads(manifest_at.read_bytes()), json.loads(config_at.read_bytes())
    runtime = config.get("config") or {}
    image = Image(
        "a/b",
        "1",
        digest_of(manifest_at.read_bytes()),
        Platform.read(config),
        content=content(document, config),
    )
    layers = is_declared(shape.layers([image]), "layers")
    assert layers.layer_digest.tolist() == [layer["digest"] for layer in document["layers"]]
    assert layers["size"].tolist() == [layer["size"] for layer in document["layers"]]
    made = [step for step in config["history"] if not step.get("empty_layer")]
    if len(made) == len(layers):
        assert layers.diff_id.tolist() == config["rootfs"]["diff_ids"]
        assert layers.created_at.tolist() == [
            pd.Timestamp(step["created"]).as_unit("us") for step in made
        ]
        for step, line in zip(made, layers.instruction, strict=True):
            assert line.startswith(("RUN ", "ADD ", "COPY "))
            assert step["created_by"].strip().endswith(line.removeprefix("RUN "))
    else:
        assert layers.instruction.isna().all()
    labels = is_declared(shape.labels([image]), "labels")
    assert dict(labels[labels.source == "config"][["key", "value"]].to_numpy()) == (
        runtime.get("Labels") or {}
    )
    assert dict(labels[labels.source == "manifest"][["key", "value"]].to_numpy()) == document.get(
        "annotations", {}
    )
    env = is_declared(shape.env([image]), "env")
    assert [f"{key}={value}" for key, value in zip(env.key, env.value, strict=True)] == runtime[
        "Env"
    ]
    row = is_declared(shape.configs([image]), "configs").iloc[0]
    assert row.config_digest == document["config"]["digest"]
    assert (row.os, row.architecture) == (config["os"], config["architecture"])
    assert row["size"] == sum(layer["size"] for layer in document["layers"])
    assert (row.env_count, row.layer_count) == (len(runtime["Env"]), len(document["layers"]))
    assert (None if pd.isna(row.cmd) else json.loads(row.cmd)) == runtime.get("Cmd")


def test_there_are_enough_pairs_to_mean_something():
    assert len(list(pairs())) > 40


def test_figures_of_httpd_by_hand():
    folder = MANIFESTS / "containers__container-libs"
    document = json.loads((folder / "oci-manifest" / "oci1.json").read_bytes())
    config = json.loads((folder / "image-config" / "oci1-config.json").read_bytes())
    image = Image(
        "library/httpd",
        "2.4.23",
        "sha256:d",
        Platform.read(config),
        content=content(document, config),
    )
    history = shape.history([image])
    assert len(history) == 15
    assert history.is_empty_layer.sum() == 10
    assert history.instruction[1] == 'CMD ["/bin/bash"]'
    assert history.instruction[4].startswith('RUN mkdir -p "$HTTPD_PREFIX"')
    row = shape.configs([image]).iloc[0]
    assert row["size"] == 71936145
    assert (row.working_dir, row.exposed_ports, row.cmd) == (
        "/usr/local/apache2",
        "80/tcp",
        '["httpd-foreground"]',
    )
    assert row.docker_version == "1.12.1"
    assert row.created_at == at("2016-09-23T23:20:45.789764")
    assert (row.label_count, row.env_count) == (0, 6)
    assert row[["user", "entrypoint", "volumes", "author"]].isna().all()
    env = shape.env([image]).set_index("key").value
    assert env["HTTPD_BZ2_URL"].endswith("filename=httpd/httpd-2.4.23.tar.bz2")


def test_schema_1_by_hand():
    path = MANIFESTS / "containers__container-libs" / "schema1-signed" / "schema1.json"
    document = parse(path.read_bytes(), named(path))
    read = content(document, {})
    digests = shape.layers([Image("a/b", "1", "d", content=read)]).layer_digest.tolist()
    assert digests == [layer["blobSum"] for layer in document["fsLayers"]][::-1]
    assert digests[0] == "sha256:9cadd93b16ff2a0c51ac967ea2abfadfac50cfa3af8b5bf983d89b8f8647f3e4"
    dates = [step.created_at for step in read.steps]
    assert dates == sorted(dates)
    assert len(read.steps) == len(digests) == 6


def test_the_page_of_tag_names_shows_what_is_read_in_real_ones():
    path = Path(__file__).resolve().parents[1] / "docs" / "tag_names.py"
    spec = importlib.util.spec_from_file_location("tag_names", path)
    assert spec is not None
    tag_names = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tag_names)
    table = tag_names.table_of(json.loads((CORPUS / "tags.json").read_text(encoding="utf-8")))
    assert table in tag_names.PAGE.read_text(encoding="utf-8")
    assert table.count("\n") > 130

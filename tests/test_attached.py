"""Frames of what is attached to images, on a registry that a test fills, and on the disk."""

import json
import logging

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

import hubframe
from hubframe.errors import IncompleteWarning, NotFoundError, PayloadError
from tests import shelf
from tests.contents import documents
from tests.contents.documents import BUNDLE, DSSE, IN_TOTO, SECRET, SIMPLE, SPDX, V02, V1, spdx
from tests.contents.fulcio import SIGNED, Sigstore
from tests.fuzz.targets import is_declared
from tests.test_local import Layout

EMPTY = "application/vnd.oci.empty.v1+json"
ATTESTATION = "application/vnd.docker.attestation.manifest.v1+json"
SPDX_JSON = "application/spdx+json"
FRAMES = ("sboms", "provenance", "materials", "dockerfiles", "signatures")
NOWHERE = {"os": "unknown", "architecture": "unknown"}


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with shelf.serve() as running:
        running.referrers = {}
        yield running


@pytest.fixture
def client(tmp_path):
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "kept")) as opened:
        yield opened


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1())


def layer(registry, content, media_type, **annotations):
    return {**registry.put(content, media_type), "annotations": annotations}


def stated(registry, predicate_type, predicate, *subjects):
    """Hold a statement, as BuildKit does."""
    content = documents.statement(predicate_type, predicate, *subjects)
    return layer(registry, content, IN_TOTO, **{"in-toto.io/predicate-type": predicate_type})


def artifact(registry, *layers, tag=None, **content):
    return registry.manifest(tag, config=registry.put({}, EMPTY), layers=list(layers), **content)


def attach(registry, subject, *layers, **content):
    """Refer to a subject."""
    made = artifact(registry, *layers, subject=subject, **content)
    told = {name: content[name] for name in ("artifactType", "annotations") if name in content}
    registry.referrers.setdefault(subject["digest"], []).append({**made, **told})
    return made


def attestation(registry, image, *layers):
    """Describe an attestation as an index of BuildKit's does."""
    about = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image["digest"],
    }
    made = artifact(registry, *layers, artifactType=ATTESTATION)
    return {**made, "platform": NOWHERE, "annotations": about}


def of(image, architecture):
    return {**image, "platform": {"os": "linux", "architecture": architecture}}


@pytest.fixture
def built(registry):
    """An image for two platforms, as BuildKit builds it, and its index."""
    entries = []
    for architecture in ("amd64", "arm64"):
        image = registry.image(architecture=architecture)
        digest = image["digest"]
        layers = [
            stated(registry, V1, documents.buildkit(), digest),
            stated(registry, SPDX, spdx(architecture), digest),
            stated(registry, SPDX, spdx("stage"), digest),
        ]
        entries += [of(image, architecture), attestation(registry, image, *layers)]
    return {"index": registry.index("1", *entries), "entries": entries}


def frame(registry, client, name, **how):
    made = getattr(hubframe, f"{name}_df")(f"{registry.repo}:1", client=client, **how)
    is_declared(made, name)
    assert not made.duplicated(list(hubframe.tables.TABLES[name].key)).any()
    return made


def failure(made):
    """Return the words of the only failure."""
    (one,) = made.attrs["hubframe"]["failures"]
    return one["message"]


def test_what_buildkit_attests(registry, client, built):
    amd64 = built["entries"][0]
    (row,) = frame(registry, client, "provenance").itertuples()
    assert (row.tag, row.platform, row.image_digest) == ("1", "linux/amd64", amd64["digest"])
    assert (row.source_uri, row.mode, row.build_arg_count) == (
        "https://git.example/app.git#main",
        "max",
        1,
    )
    assert row.started_at == pd.Timestamp("2026-11-01T10:00:00.123456Z")
    assert (row.subject_matches, row.is_signed, row.predicate_type) == (True, False, V1)
    materials = frame(registry, client, "materials")
    assert materials.kind.tolist() == ["image", "image", "git", "http", "image"]
    assert materials.position.tolist() == [0, 1, 2, 3, 4]
    # The Dockerfile that the document holds tells it of all images.
    assert materials.is_base.tolist() == [False, True, False, False, False]
    (file,) = frame(registry, client, "dockerfiles").itertuples()
    assert (file.name, file.text, file.source) == ("Dockerfile", documents.DOCKERFILE, "provenance")
    # With the digest that the build resolved it to.
    assert file.base == f"docker.io/library/golang:1.24@{documents.GO}"
    (bom,) = frame(registry, client, "sboms").itertuples()
    # Of the three that the attestation holds, that of the image is the first.
    assert (bom.name, bom.package_count, bom.where, bom.tool) == (
        "amd64",
        2,
        "index",
        "syft-1.18.1",
    )
    assert frame(registry, client, "signatures").empty
    everything = frame(registry, client, "sboms", platform="all", attestations=True)
    assert everything.name.tolist() == ["amd64", "stage", "arm64", "stage"]
    assert everything.platform.tolist() == ["linux/amd64"] * 2 + ["linux/arm64"] * 2
    assert len(frame(registry, client, "provenance", platform="linux/arm64")) == 1


def test_which_image_is_the_base_is_not_guessed_without_the_dockerfile(registry, client):
    image = registry.image()
    predicate = documents.buildkit()
    del predicate["runDetails"]["metadata"]["buildkit_metadata"]["source"]
    about = attestation(registry, image, stated(registry, V1, predicate, image["digest"]))
    registry.index("1", of(image, "amd64"), about)
    found = frame(registry, client, "materials")
    assert found.is_base.isna().tolist() == [False, True, False, False, True]
    assert not found.is_base.dropna().any()


@pytest.mark.usefixtures("built")
def test_each_document_is_asked_for_once(registry, client):
    for name in FRAMES:
        frame(registry, client, name, platform="all")
    asked = [one.path for one in registry.asked("/blobs/") + registry.asked("/manifests/sha256:")]
    assert len(asked) == len(set(asked))
    before = len(registry.log)
    with hubframe.offline():
        for name in FRAMES:
            frame(registry, client, name, platform="all")
    assert len(registry.log) == before
    assert hubframe.sbom(f"{registry.repo}:1", client=client) == spdx("amd64")


@pytest.mark.usefixtures("built")
def test_no_build_argument_is_shown_unless_asked_for(registry, client, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    for name in FRAMES:
        made = frame(registry, client, name)
        hubframe.write_csv(made, tmp_path / f"{name}.csv")
        shown = made.to_csv() + repr(made.attrs) + (tmp_path / f"{name}.csv").read_text()
        assert SECRET not in shown
    assert SECRET not in caplog.text
    made = hubframe.provenance_df(f"{registry.repo}:1", build_args=True, client=client)
    assert [json.loads(text) for text in made.build_args] == [{"TOKEN": SECRET}]
    assert made.attrs["hubframe"]["table"] == "provenance"


def test_every_place_is_looked_at_and_a_document_counts_once(registry, client):
    image = registry.image("1")
    digest = image["digest"]
    tag = digest.replace(":", "-")
    bare = registry.put(spdx("api"), SPDX_JSON)
    attach(registry, image, bare, artifactType=SPDX_JSON)
    # The same by another way.
    artifact(registry, bare, tag=f"{tag}.sbom")
    envelope = documents.envelope(documents.statement(SPDX, spdx("signed"), digest))
    held = layer(registry, envelope, DSSE, predicateType=SPDX)
    other = layer(registry, {"not": "asked for"}, DSSE, predicateType="https://example.com/other")
    artifact(registry, held, other, tag=f"{tag}.att")
    found = frame(registry, client, "sboms").set_index("name")
    assert found["where"].to_dict() == {"api": "referrers", "signed": "cosign tag"}
    assert found.is_signed.to_dict() == {"api": False, "signed": True}
    assert found.platform.tolist() == ["linux/amd64"] * 2
    assert not registry.asked(other["digest"])
    registry.referrers = None
    registry.index(tag, artifact(registry, bare, artifactType=SPDX_JSON))
    with hubframe.refresh():
        found = frame(registry, client, "sboms").set_index("name")
    assert found["where"]["api"] == "referrers tag"
    # Of the documents of an image the first tells its packages, and its distribution.
    assert len(frame(registry, client, "packages", evidence="sbom")) == 2
    (row,) = frame(registry, client, "distributions", evidence="sbom").itertuples()
    assert (row.evidence, row.image_digest) == ("sbom", digest)


def test_what_is_attached_to_an_index_is_of_no_platform(registry, client, built):
    index = built["index"]
    content = documents.bundle(documents.statement(V02, documents.buildkit(V02), index["digest"]))
    attach(registry, index, registry.put(content, BUNDLE), artifactType=BUNDLE)
    found = frame(registry, client, "provenance")
    assert found.platform.dropna().tolist() == ["linux/amd64"]
    (row,) = found[found.platform.isna()].itertuples()
    assert (row.image_digest, row.is_signed, row.subject_matches) == (index["digest"], True, True)
    (row,) = frame(registry, client, "signatures").itertuples()
    assert (row.subject_kind, row.subject_digest) == ("index", index["digest"])
    attach(registry, index, registry.put(spdx("of all"), SPDX_JSON), artifactType=SPDX_JSON)
    with hubframe.refresh():
        found = frame(registry, client, "packages", evidence="sbom")
    of_index = found[found.image_digest == index["digest"]]
    assert (len(found), len(of_index), of_index.platform.isna().all()) == (4, 2, True)


def test_a_signature_of_an_attestation(registry, client, built, key):
    """Docker puts its bundles there: index, attestation manifest, bundle."""
    about = {name: built["entries"][1][name] for name in ("mediaType", "digest", "size")}
    content = documents.statement("https://example.com/p", {}, about["digest"])
    bundle = {"mediaType": BUNDLE, "dsseEnvelope": documents.envelope(content, key)}
    attach(registry, about, registry.put(bundle, BUNDLE), artifactType=BUNDLE)
    (row,) = frame(registry, client, "signatures").itertuples()
    assert (row.subject_kind, row.subject_digest) == ("attestation", about["digest"])
    assert (row.image_digest, row.status) == (built["entries"][0]["digest"], "not checked")
    (row,) = frame(registry, client, "signatures", keys=documents.public(key)).itertuples()
    assert (row.status, row.key_id) == ("verified", documents.key_id(key))
    assert frame(registry, client, "provenance").shape[0] == 1


def cosigned(registry, key, image, *claims):
    """Sign an image as cosign does, once for each digest that is claimed."""
    layers = []
    for claimed in claims:
        payload = documents.simple_signing(claimed)
        value = documents.b64(key.sign(payload, ec.ECDSA(SHA256())))
        layers.append(
            layer(registry, payload, SIMPLE, **{"dev.cosignproject.cosign/signature": value})
        )
    artifact(registry, *layers, tag=f"{image['digest'].replace(':', '-')}.sig")


def test_cosigns_signatures_and_their_statuses(registry, client, key):
    image = registry.image("1")
    other = "sha256:" + "9" * 64
    cosigned(registry, key, image, image["digest"], image["digest"], other)
    found = frame(registry, client, "signatures")
    assert found.position.tolist() == [0, 1, 2]
    assert found.layer_digest.nunique() == 2
    assert found.status.tolist() == ["not checked", "not checked", "subject differs"]
    assert other in found.problem[2]
    found = frame(registry, client, "signatures", keys=[documents.public(key).encode()])
    assert found.status.tolist() == ["verified", "verified", "subject differs"]
    # What was made for another repository is good of the image, and says so.
    assert found.problem[0] == "it was made for registry.example/app:1"
    stranger = documents.public(ec.generate_private_key(ec.SECP256R1()))
    found = frame(registry, client, "signatures", keys=stranger)
    assert found.status.tolist() == ["bad", "bad", "subject differs"]


def test_a_signature_says_for_which_repository_it_was_made(registry, client):
    image = registry.image("1")
    claimed = [registry.repo, f"{registry.repo}:1", "index.docker.io/org/app", "NO REFERENCE", ""]
    layers = [
        layer(registry, documents.simple_signing(image["digest"], one), SIMPLE,
              **{"dev.cosignproject.cosign/signature": "AAAA"})
        for one in claimed
    ]  # fmt: skip
    artifact(registry, *layers, tag=f"{image['digest'].replace(':', '-')}.sig")
    found = frame(registry, client, "signatures")
    assert found.problem.fillna("").tolist() == [
        "",
        "",
        "it was made for index.docker.io/org/app",
        "it was made for NO REFERENCE",
        "",
    ]


def test_what_does_not_say_what_it_is_of_vouches_for_nothing(registry, client, key):
    image = registry.image("1")
    bundle = {"mediaType": BUNDLE, "dsseEnvelope": documents.envelope({"any": "payload"}, key)}
    attach(registry, image, registry.put(bundle, BUNDLE), artifactType=BUNDLE)
    found = frame(registry, client, "signatures", keys=documents.public(key))
    assert found.status.tolist() == ["subject differs"]
    assert found.problem.tolist() == ["it is of nothing that it names"]


def test_only_what_is_about_the_image_is_verified(registry, client, built, tmp_path):
    pytest.importorskip("sigstore", reason="the extra verify is not installed")
    instance = Sigstore()
    root = tmp_path / "trusted_root.json"
    root.write_text(json.dumps(instance.root))
    image, index = built["entries"][0], built["index"]
    about = {name: image[name] for name in ("mediaType", "digest", "size")}
    own, other = image["digest"], "sha256:" + "9" * 64

    def bundle(*subjects, **how):
        return instance.bundle(documents.statement(V1, {}, *subjects), "https://ci.example", **how)

    swapped = bundle(own)
    swapped["dsseEnvelope"] = bundle(other)["dsseEnvelope"]
    relabelled = bundle(own)
    relabelled["dsseEnvelope"]["payloadType"] = "application/vnd.in-toto.provenance+json"
    expected = {}
    for name, content, at in [
        ("its own", bundle(own), about),
        ("one of several", bundle(other, own), about),
        ("of the index", bundle(index["digest"]), index),
        ("of the index, at the image", bundle(index["digest"]), about),
        ("of the image, at the index", bundle(own), index),
        ("of another", bundle(other), about),
        ("no statement", bundle(own, kind="text/plain"), about),
        ("another envelope", swapped, about),
        ("another type", relabelled, about),
        ("another entry of the log", bundle(own, logIndex="7"), about),
        ("another time", bundle(own, integratedTime="1704164700"), about),
    ]:
        attached = attach(registry, at, registry.put(content, BUNDLE), artifactType=BUNDLE)
        expected[attached["digest"]] = name
    found = frame(registry, client, "signatures", verify=True, trusted_root=root)
    statuses = dict(zip(found.digest.map(expected), found.status, strict=True))
    assert statuses == {
        **dict.fromkeys(expected.values(), "bad"),
        **dict.fromkeys(["its own", "one of several", "of the index"], "verified"),
        **dict.fromkeys(
            [
                "of the index, at the image",
                "of the image, at the index",
                "of another",
                "no statement",
                "another envelope",
            ],
            "subject differs",
        ),
    }
    assert found[found.status == "verified"].signed_at.unique().tolist() == [SIGNED]


def test_a_signature_that_cannot_be_read_is_bad(registry, client):
    image = registry.image("1")
    for number, content in enumerate((b"{", b"[]", b"\xff" * 9, b"[" * 50_000)):
        attach(registry, image, registry.put(content, BUNDLE), artifactType=BUNDLE, number=number)
    found = frame(registry, client, "signatures")
    assert found.status.tolist() == ["bad"] * 4
    assert found.problem.notna().all()


def test_what_states_to_be_of_another_image_is_kept_and_said(registry, client):
    image = registry.image("1")
    other = "sha256:" + "9" * 64
    entry = of(image, "amd64")
    layers = [
        stated(registry, V1, documents.buildkit(), other),
        stated(registry, SPDX, spdx(), other),
    ]
    registry.index("1", entry, attestation(registry, image, *layers))
    assert frame(registry, client, "provenance").subject_matches.tolist() == [False]
    with pytest.warns(IncompleteWarning):
        found = frame(registry, client, "sboms")
    assert found.name.tolist() == ["sbom"]
    assert f"states to be of {other}" in failure(found)
    with pytest.warns(IncompleteWarning):
        found = frame(registry, client, "packages", evidence="sbom")
    assert len(found) == 2
    assert f"states to be of {other}" in failure(found)


@pytest.mark.parametrize("body", [b"<bom/>", b"SPDXVersion: SPDX-2.3\n"])
def test_a_form_that_is_not_read_is_listed_all_the_same(registry, client, body):
    attach(registry, registry.image("1"), registry.put(body, "text/spdx"), artifactType="text/spdx")
    with pytest.warns(IncompleteWarning):
        found = frame(registry, client, "sboms")
    assert "only JSON is read" in failure(found)
    assert (found["format"][0], found["size"][0]) == ("spdx", len(body))
    assert found.format_version.isna().all()
    with pytest.raises(PayloadError, match="only JSON is read"):
        hubframe.sbom(f"{registry.repo}:1", client=client)


def test_what_is_no_statement_fails_alone(registry, client):
    image = registry.image("1")
    good = stated(registry, V1, documents.buildkit(), image["digest"])
    hint = {"in-toto.io/predicate-type": V1}
    bad = layer(registry, b"[" * 100_000, IN_TOTO, **hint)
    gone = {**good, "digest": "sha256:" + "8" * 64}
    odd = {**good, "digest": "../../etc/passwd"}
    registry.index("1", of(image, "amd64"), attestation(registry, image, gone, odd, good))
    # What is listed and not there ends no call.
    with pytest.warns(IncompleteWarning):
        assert len(frame(registry, client, "provenance")) == 1
    registry.index("1", of(image, "amd64"), attestation(registry, image, bad, gone, odd, good))
    hubframe.cache.clear(client=client)
    with pytest.raises(PayloadError, match="not JSON"):
        frame(registry, client, "provenance")
    with pytest.warns(IncompleteWarning):
        found = frame(registry, client, "provenance", errors="collect")
    assert found.digest.tolist() == [good["digest"]]
    failures = found.attrs["hubframe"]["failures"]
    assert {one["error"] for one in failures} == {"PayloadError", "NotFoundError"}
    assert len(failures) == 3


def test_no_more_than_200_documents_of_an_image(registry, client):
    image = registry.image("1")
    layers = [
        layer(registry, documents.simple_signing(image["digest"], f"app:{number}"), SIMPLE,
              **{"dev.cosignproject.cosign/signature": "AAAA"})
        for number in range(210)
    ]  # fmt: skip
    artifact(registry, *layers, tag=f"{image['digest'].replace(':', '-')}.sig")
    with pytest.warns(IncompleteWarning):
        found = frame(registry, client, "signatures")
    assert len(found) == 200
    assert "more than 200 documents" in failure(found)
    assert len(registry.asked("/blobs/")) == 200 + 1


def test_no_more_than_200_artifacts_of_an_image_are_followed(registry, client):
    image = registry.image("1")
    for number in range(210):
        bundle = registry.put({"messageSignature": {"signature": "AAAA"}, "number": number}, BUNDLE)
        attach(registry, image, bundle, artifactType=BUNDLE, annotations={"number": f"{number}"})
    with pytest.warns(IncompleteWarning):
        found = frame(registry, client, "signatures")
    assert len(found) == 200
    assert len(registry.asked("/referrers/")) == 1 + 200


@pytest.mark.parametrize(
    ("size", "told", "is_asked"),
    [
        # What is said to be too long is not asked for; what is not said is read to the cap.
        (5, 66 * 1024**2, False),
        (64 * 1024**2 + 1, None, True),
        (64 * 1024**2 + 1, -1, True),
        # No more comes than was said.
        (100, 99, True),
    ],
)
def test_no_more_than_64_mib_of_a_document(registry, client, size, told, is_asked):
    image = registry.image("1")
    held = {**registry.put(b"{}".ljust(size), SPDX_JSON), "size": told}
    attach(registry, image, held, artifactType=SPDX_JSON)
    with pytest.raises(PayloadError, match="more than"):
        frame(registry, client, "sboms")
    assert bool(registry.asked(held["digest"])) == is_asked


def test_dockerfiles_of_the_history(registry, client):
    steps = [
        {"created_by": "/bin/sh -c #(nop) ADD file:1 in /"},
        {"created_by": f"RUN |1 TOKEN={SECRET} /bin/sh -c make # buildkit"},
    ]
    registry.image("1", history=steps)
    (row,) = frame(registry, client, "dockerfiles", source="history").itertuples()
    assert row.text == "ADD file:1 in /\nRUN make\n"
    assert (row.platform, row.line_count, row.source) == ("linux/amd64", 2, "history")
    assert frame(registry, client, "dockerfiles").empty


@pytest.mark.usefixtures("built")
def test_plans_and_wrong_arguments(registry, client):
    what = f"{registry.repo}:1"
    before = hubframe.plan(what, "provenance", client=client)
    assert not before.is_exact
    frame(registry, client, "provenance")
    after = hubframe.plan(what, "materials", client=client)
    assert (sum(after.requests.values()), after.is_exact) == (0, True)
    for how in ({"identities": [("*", None)]}, {"trusted_root": "root.json"}):
        with pytest.raises(ValueError, match="identities and a trusted root are for"):
            hubframe.signatures_df(what, **how, client=client)
    with pytest.raises(TypeError, match="keys must be public keys in PEM"):
        hubframe.signatures_df(what, keys=5, client=client)
    with pytest.raises(ValueError, match='"provenance" or "history"'):
        hubframe.dockerfiles_df(what, source="hub", client=client)
    with pytest.raises(ValueError, match="the Hub API does not tell"):
        hubframe.sboms_df(what, source="hub", client=client)
    registry.image("2")
    with pytest.raises(NotFoundError, match="no bill of materials"):
        hubframe.sbom(f"{registry.repo}:2", client=client)


def test_artifacts_of_other_kinds_are_not_read(registry, client):
    image = registry.image("1")
    types = ["application/vnd.cncf.notary.signature", "application/vnd.example", BUNDLE]
    hint = {"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"}
    made = [
        attach(registry, image, registry.put({}, kind), artifactType=kind, annotations=hint)
        for kind in types
    ]
    for name in ("sboms", "provenance"):
        assert frame(registry, client, name).empty
    assert not any(registry.asked(f"/manifests/{one['digest']}") for one in made)


def test_a_layout_on_the_disk(client, tmp_path, key):
    layout = Layout(tmp_path / "layout")
    image = layout.image("1")
    empty = layout.put(b"{}", EMPTY)
    content = documents.statement(SPDX, spdx(), image["digest"])
    bundle = {"mediaType": BUNDLE, "dsseEnvelope": documents.envelope(content, key)}
    held = layout.put(json.dumps(bundle).encode(), BUNDLE)
    more = {"artifactType": BUNDLE, "config": empty, "subject": image}
    layout.add(None, layout.json(shelf.OCI_MANIFEST, layers=[held], **more))
    what = f"oci:{layout.path}:1"
    assert hubframe.sboms_df(what, client=client).name.tolist() == ["sbom"]
    assert hubframe.sbom(what, client=client)["name"] == "sbom"
    found = hubframe.signatures_df(what, keys=documents.public(key), client=client)
    assert found[["subject_kind", "status"]].to_numpy().tolist() == [["image", "verified"]]
    assert found.attrs["hubframe"]["requests"] == 0


@pytest.fixture
def attested(registry):
    """So many tags, each with one attestation; one image has another under a tag of cosign's."""
    for number in range(16):
        image = registry.image(config={"Labels": {"number": str(number)}})
        made = stated(registry, V1, documents.buildkit(), image["digest"])
        entries = of(image, "amd64"), attestation(registry, image, made)
        registry.index(str(number), *entries)
    envelope = documents.envelope(
        documents.statement(V02, documents.buildkit(V02), image["digest"])
    )
    held = layer(registry, envelope, DSSE, predicateType=V02)
    artifact(registry, held, tag=f"{image['digest'].replace(':', '-')}.att")
    return [str(number) for number in range(16)]


@pytest.mark.parametrize("is_named", [False, True])
@pytest.mark.parametrize("has_api", [False, True])
def test_a_tag_takes_two_manifests_and_a_document(registry, client, attested, has_api, is_named):
    """And the list of tags one request; where lists of referrers are told, two of these."""
    registry.referrers = {} if has_api else None
    what = [f"{registry.repo}:{tag}" for tag in attested] if is_named else registry.repo
    count = len(attested)
    found = hubframe.provenance_df(what, tags=None if is_named else attested, client=client)
    assert len(found) == count + 1
    asked = [len(registry.asked(part)) for part in ("/tags/list", "/manifests/", "/blobs/")]
    assert asked == [1, 2 * count + 1, count + 1]
    # The first answer that there is no such API is enough.
    assert len(registry.asked("/referrers/")) == (2 * count if has_api else 1)


@pytest.mark.parametrize("lists_tags", [False, True])
def test_tags_that_need_not_be_there_are_looked_up_where_no_list_tells(
    registry, client, attested, lists_tags
):
    registry.lists_tags = lists_tags
    few = [f"{registry.repo}:{tag}" for tag in attested[-2:]]
    everything = [f"{registry.repo}:{tag}" for tag in attested]
    assert len(hubframe.provenance_df(few, client=client)) == 3
    assert not registry.asked("/tags/list")
    assert len(registry.asked(".att")) == 4
    plan = hubframe.plan(everything, "provenance", client=client)
    assert not plan.is_exact
    assert len(hubframe.provenance_df(everything, client=client)) == len(attested) + 1
    assert len(registry.asked(".att")) == 4 + (0 if lists_tags else 28)
    # What is not there is remembered.
    registry.log.clear()
    assert len(hubframe.provenance_df(everything, client=client)) == len(attested) + 1
    assert not registry.log


def test_a_list_that_lacks_the_tag_tells_nothing(registry, client):
    registry.image("1")
    assert hubframe.provenance_df(registry.repo, client=client).empty
    image = registry.image("2", config={"Labels": {"a": "b"}})
    envelope = documents.envelope(documents.statement(V1, documents.buildkit(), image["digest"]))
    tag = f"{image['digest'].replace(':', '-')}.att"
    artifact(registry, layer(registry, envelope, DSSE, predicateType=V1), tag=tag)
    assert len(hubframe.provenance_df(f"{registry.repo}:2", client=client)) == 1


def test_what_is_stated_of_an_attestation_is_not_stated_of_the_image(registry, client, built):
    about = {name: built["entries"][1][name] for name in ("mediaType", "digest", "size")}
    content = documents.bundle(documents.statement(V1, documents.buildkit(), about["digest"]))
    attach(registry, about, registry.put(content, BUNDLE), artifactType=BUNDLE)
    assert frame(registry, client, "provenance").is_signed.tolist() == [False]
    assert len(registry.asked("/referrers/")) == 2
    assert frame(registry, client, "signatures").subject_kind.tolist() == ["attestation"]


def test_a_dockerfile_tells_of_the_base_without_further_requests():
    web, counts = "registry.example/shop/web", []
    for evidence in ("provenance", ["provenance", "dockerfile"]):
        with hubframe.sample():
            found = hubframe.bases_df(web, tags="1.2.0", evidence=evidence)
        counts.append(found.attrs["hubframe"]["requests"])
    assert counts[0] == counts[1]
    assert found.evidence.tolist() == ["provenance", "dockerfile"]
    assert found.confidence.tolist() == ["proved"] * 2
    assert found.base_tag.tolist() == ["12"] * 2
    assert len(set(found.base_digest)) == 1

"""A document's digest is that of what is read, whatever a stranger writes beside it."""

import base64
import hashlib
import json

import pytest

import hubframe
from hubframe.oci.digests import Document, digest_of, verify
from hubframe.testing import World
from hubframe.wire.blobs import Blobs
from hubframe.wire.store import Store


def protected(length, tail):
    written = {
        "formatLength": length,
        "formatTail": base64.urlsafe_b64encode(tail).decode(),
    }
    return base64.urlsafe_b64encode(json.dumps(written).encode()).decode()


def test_signed_schema_1_is_named_by_its_payload():
    documents = World.bundled().documents.items()
    signed = [(digest, one.body) for digest, one in documents if b'"signatures"' in one.body]
    assert signed
    for digest, body in signed:
        assert digest_of(body) == digest != f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_a_payload_that_is_not_what_is_read_gives_no_digest(tmp_path):
    honest = b'{"schemaVersion": 2, "layers": []}'
    digest = f"sha256:{hashlib.sha256(honest).hexdigest()}"
    forged = json.dumps(
        {
            "schemaVersion": 2,
            "config": {"digest": f"sha256:{'e' * 64}"},
            "layers": [{"digest": f"sha256:{'f' * 64}"}],
            "fsLayers": None,
            "signatures": [{"protected": protected(0, honest)}],
        }
    ).encode()
    with pytest.raises(hubframe.DigestMismatchError):
        verify(Document(digest, forged), "registry.example")
    store = Store(hubframe.Settings(cache_dir=tmp_path))
    Blobs(store).put(Document(digest, forged))
    store.close()
    store = Store(hubframe.Settings(cache_dir=tmp_path))
    assert [one.size for one in store.documents.entries()] == [len(forged)]
    assert Blobs(store).get(digest) is None


@pytest.mark.parametrize("length", [float("inf"), -1, "x", None, 10**30])
def test_odd_lengths_are_no_payload(length):
    written = base64.urlsafe_b64encode(
        json.dumps({"formatLength": length, "formatTail": "fQ"}).encode()
    ).decode()
    body = json.dumps({"fsLayers": [], "signatures": [{"protected": written}]}).encode()
    assert digest_of(body) == f"sha256:{hashlib.sha256(body).hexdigest()}"

"""Signatures: what they tell, and how they stand."""

import base64
import json
import re
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils, x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hubframe.apps.cli import run
from hubframe.errors import PayloadError
from hubframe.oci.contents import signatures
from hubframe.oci.contents.verifying import Verifier
from tests.contents import documents
from tests.contents.documents import BUNDLE, DSSE, SIMPLE, V1, b64, der
from tests.contents.fulcio import SIGNED, Sigstore

IMAGE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
SIGNATURE = "dev.cosignproject.cosign/signature"
WORKFLOW = "https://github.com/org/app/.github/workflows/ci.yml@refs/heads/main"
FIELDS = {
    8: der("https://token.example"),
    9: der(WORKFLOW),
    11: der("github-hosted"),
    12: der("https://github.com/org/app" + "/long" * 30),
    13: der("cd34"),
    14: der("refs/heads/main"),
}


@pytest.fixture(scope="module")
def key():
    return ec.generate_private_key(ec.SECP256R1())


def one_of(body, media_type, annotations=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    (one,) = signatures.read(body, media_type, annotations or {}, "it")
    return one


def named(*names):
    return [x509.UniformResourceIdentifier(name) for name in names]


def simple(key, *, of=IMAGE, **annotations):
    body = documents.simple_signing(of)
    value = key.sign(body, ec.ECDSA(SHA256()))
    return one_of(body, SIMPLE, {SIGNATURE: b64(value), **annotations})


def test_cosigns_simple_signing_tells_its_certificate_and_log(key):
    held = documents.certificate(key, named(WORKFLOW), FIELDS)
    log = {"Payload": {"integratedTime": 1734374576, "logIndex": 42}}
    one = simple(
        key,
        **{
            "dev.sigstore.cosign/certificate": held.public_bytes(Encoding.PEM).decode(),
            "dev.sigstore.cosign/bundle": json.dumps(log),
        },
    )
    assert (one.kind, one.claims) == ("cosign simple signing", (IMAGE,))
    assert one.claimed_reference == "registry.example/app:1"
    assert (one.log_index, one.signed_at) == (42, "2024-12-16T18:42:56+00:00")
    assert one.key_id == documents.key_id(key)
    assert one.told["identity"] == one.told["build_signer"] == WORKFLOW
    assert one.told["issuer"] == "https://token.example"
    assert one.told["source_repository"] == "https://github.com/org/app" + "/long" * 30
    assert (one.told["source_ref"], one.told["source_revision"]) == ("refs/heads/main", "cd34")
    assert one.told["runner"] == "github-hosted"
    assert one.told["certificate_not_after"] == "2026-01-02T03:14:05+00:00"


@pytest.mark.parametrize(
    ("names", "fields", "identity", "issuer"),
    [
        ([x509.RFC822Name("a@example.com")], {1: b"https://old.example"}, "a@example.com", "https://old.example"),
        ([x509.RFC822Name("a@example.com"), *named("https://b")], {}, "https://b", None),
        ([x509.OtherName(x509.ObjectIdentifier(f"{documents.FULCIO}7"), der("own"))], {}, "own", None),
        ([], {8: b""}, None, None),
    ],
)  # fmt: skip
def test_identities(key, names, fields, identity, issuer):
    held = documents.certificate(key, names, fields).public_bytes(Encoding.DER)
    told = signatures.certificate(held, is_named=False)
    assert (told.get("identity"), told["issuer"]) == (identity, issuer)


def test_a_bundle(key):
    held = documents.certificate(key, named(WORKFLOW), FIELDS).public_bytes(Encoding.DER)
    entry = {"logIndex": "155690850", "integratedTime": "1734374576"}
    entry["inclusionPromise"] = {"signedEntryTimestamp": "AAAA"}
    stated = documents.statement(V1, {}, IMAGE)
    for material in (
        {"certificate": {"rawBytes": b64(held)}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": b64(held)}]}},
    ):
        one = one_of(documents.bundle(stated, tlogEntries=[entry], **material), BUNDLE)
        assert (one.claims, one.predicate_type) == ((IMAGE,), V1)
        assert one.told["identity"] == WORKFLOW
        assert (one.log_index, one.signed_at[:10]) == ("155690850", "2024-12-16")


def test_what_the_log_does_not_sign_is_not_told():
    entry = {"logIndex": "7", "integratedTime": "1734374576", "inclusionProof": {"logIndex": "8"}}
    one = one_of(documents.bundle({}, tlogEntries=[entry]), BUNDLE)
    assert (one.log_index, one.signed_at) == ("8", None)


def test_the_time_of_a_stamp():
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": b64(b"..\x18\x0f20250612120220Z..")}]}
    one = one_of(documents.bundle({}, timestampVerificationData=stamps), BUNDLE)
    assert one.signed_at == "2025-06-12T12:02:20+00:00"


@pytest.mark.parametrize("clock", ["signingTime", "authenticSigningTime"])
def test_notations(key, clock):
    held = documents.certificate(key, []).public_bytes(Encoding.DER)
    payload = {"targetArtifact": {"digest": IMAGE}}
    protected = {f"io.cncf.notary.{clock}": "2026-11-01T10:00:00Z"}
    url_safe = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in (payload, protected)
    ]
    one = one_of(
        {"payload": url_safe[0], "protected": url_safe[1], "header": {"x5c": [b64(held)]}},
        "application/jose+json",
    )
    assert (one.kind, one.claims) == ("notation jws", (IMAGE,))
    assert (one.signed_at, one.told["identity"]) == ("2026-11-01T10:00:00Z", "O=Example")
    assert one_of(b"\xd2\x84", "application/cose").problem
    assert Verifier([], None, by_roots=False).verify(one, IMAGE)[0] == "unsupported"


@pytest.mark.parametrize("spoilt", [False, True])
def test_keys_verify_what_keys_made(key, spoilt):
    other = ec.generate_private_key(ec.SECP256R1())
    verifier = Verifier([documents.public(other), documents.public(key)], None, by_roots=False)
    value = key.sign(bytes.fromhex("1" * 64), ec.ECDSA(utils.Prehashed(SHA256())))
    message = {"mediaType": BUNDLE, "messageSignature": {"signature": b64(value)}}
    envelope = documents.envelope(documents.statement(V1, {}, IMAGE), key)
    bundle = {"mediaType": BUNDLE, "dsseEnvelope": envelope}
    made = [simple(key), one_of(envelope, DSSE), one_of(bundle, BUNDLE), one_of(message, BUNDLE)]
    for one in made:
        if spoilt:
            one.value = one.value[:-1] + bytes([one.value[-1] ^ 1])
        assert verifier.verify(one, IMAGE)[0] == ("bad" if spoilt else "verified")
        assert spoilt or one.key_id == documents.key_id(key)
        assert Verifier([], None, by_roots=False).verify(one, IMAGE)[0] == "key needed"


def test_a_certificate_is_not_verified_by_keys(key):
    held = documents.certificate(key, named(WORKFLOW)).public_bytes(Encoding.DER)
    verifier = Verifier([documents.public(key)], None, by_roots=False)
    material = {"certificate": {"rawBytes": b64(held)}}
    one = one_of(documents.bundle(documents.statement(V1, {}, IMAGE), **material), BUNDLE)
    assert verifier.verify(one, IMAGE)[0] == "not checked"
    pem = documents.certificate(key, []).public_bytes(Encoding.PEM).decode()
    older = simple(key, **{"dev.sigstore.cosign/certificate": pem})
    assert verifier.verify(older, IMAGE)[0] == "unsupported"


def test_sigstore_refuses_what_it_does_not_know(key):
    pytest.importorskip("sigstore", reason="the extra verify is not installed")
    verifier = Verifier([], [("*", None)], by_roots=True)
    held = documents.certificate(key, named(WORKFLOW)).public_bytes(Encoding.DER)
    material = {"certificate": {"rawBytes": b64(held)}}
    one = one_of(documents.bundle(documents.statement(V1, {}, IMAGE), **material), BUNDLE)
    # Another root than Sigstore's made it.
    status, why = verifier.verify(one, IMAGE)
    assert status == "key needed"
    assert "\n" not in why


def test_a_root_of_ones_own(key, tmp_path):
    pytest.importorskip("sigstore", reason="the extra verify is not installed")
    held = documents.certificate(key, named(WORKFLOW)).public_bytes(Encoding.DER)
    root = tmp_path / "trusted_root.json"
    root.write_text(json.dumps(documents.trusted_root(key, held)))
    verifier = Verifier([], None, by_roots=True, trusted_root=root)
    statuses = {}
    for kind in ("dsse", "intoto"):
        entry = {"logIndex": "1", "kindVersion": {"kind": kind}}
        material = {"certificate": {"rawBytes": b64(held)}, "tlogEntries": [entry]}
        one = one_of(documents.bundle(documents.statement(V1, {}, IMAGE), **material), BUNDLE)
        statuses[kind], why = verifier.verify(one, IMAGE)
        assert why
    # It is one of those that the root vouches for, and the log has nothing of the kind.
    assert statuses == {"dsse": "bad", "intoto": "unsupported"}
    for wrong in ("{}", "[", json.dumps({**documents.trusted_root(key, held), "tlogs": []})):
        root.write_text(wrong)
        with pytest.raises(ValueError, match=r"trusted_root: .*json cannot be used: "):
            Verifier([], None, by_roots=True, trusted_root=root)
    with pytest.raises(FileNotFoundError):
        Verifier([], None, by_roots=True, trusted_root=tmp_path / "none")


@pytest.fixture(scope="module")
def instance():
    pytest.importorskip("sigstore", reason="the extra verify is not installed")
    return Sigstore()


@pytest.fixture
def rooted(instance, tmp_path):
    """Make a verifier that knows the root of the instance."""
    root = tmp_path / "trusted_root.json"
    root.write_text(json.dumps(instance.root))
    return lambda who=None: Verifier([], who, by_roots=True, trusted_root=root)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (None, "verified"),
        ([("https://github.com/org/*", "https://token.example")], "verified"),
        (iter([["https://other.example", None], (re.compile("ci.yml@"), None)]), "verified"),
        ([("https://github.com/org/*", "https://other.example")], "bad"),
        ([("https://github.com/other/*", None)], "bad"),
    ],
)
def test_who_may_have_signed(instance, rooted, who, status):
    bundle = instance.bundle(documents.statement(V1, {}, IMAGE), WORKFLOW)
    verifier = rooted(who)
    for _ in range(2):
        one = one_of(bundle, BUNDLE)
        assert verifier.verify(one, IMAGE)[0] == status
        assert one.signed_at == SIGNED.isoformat()


@pytest.mark.parametrize("part", ["certificate", "signed"])
def test_what_is_verified_is_what_was_read(instance, rooted, part):
    one = one_of(instance.bundle(documents.statement(V1, {}, IMAGE), WORKFLOW), BUNDLE)
    setattr(one, part, b"as another reader has it")
    status, why = rooted().verify(one, IMAGE)
    assert (status, why) == ("bad", "what it holds can be read in two ways")


def test_a_time_that_nobody_vouches_for_is_not_told(instance, rooted):
    one = one_of(instance.bundle(documents.statement(V1, {}, IMAGE), WORKFLOW), BUNDLE)
    one.signed_at = "2020-01-01T00:00:00+00:00"
    assert rooted().verify(one, IMAGE)[0] == "verified"
    assert one.signed_at is None


@pytest.mark.parametrize("time", [2**64 - 1, 10**14, 0])
def test_no_time_that_strangers_write_ends_the_call(instance, rooted, time):
    stated = documents.statement(V1, {}, IMAGE)
    one = one_of(instance.bundle(stated, WORKFLOW, integratedTime=str(time)), BUNDLE)
    status, why = rooted().verify(one, IMAGE)
    assert (status, bool(why)) == ("bad", True)


def test_certificates_of_other_keys_are_not_verified(instance, rooted):
    for other in (ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)):
        bundle = instance.bundle(documents.statement(V1, {}, IMAGE), WORKFLOW, other=other)
        status, why = rooted().verify(one_of(bundle, BUNDLE), IMAGE)
        assert status == "unsupported"
        assert "not of ECDSA" in why


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        (documents.statement(V1, {}, IMAGE), "application/vnd.example+json"),
        (documents.statement(V1, {}, IMAGE), ""),
        ({"subject": [{"digest": {"sha256": "1" * 64}}]}, documents.IN_TOTO),
    ],
)
def test_what_is_no_statement_is_of_nothing(key, stated, kind):
    one = one_of(documents.envelope(stated, key, kind), DSSE)
    assert (one.claims, one.predicate_type) == ((), None)


def test_a_payload_of_another_type_is_of_nothing():
    body = documents.simple_signing(IMAGE).replace(b"container image", b"other")
    assert one_of(body, SIMPLE, {SIGNATURE: "AAAA"}).claims == ()


@pytest.mark.parametrize(
    "who",
    ["https://github.com/org/*", ("glob", "issuer"), [("glob",)], [(None, "issuer")], [("glob", 1)], [None]],
)  # fmt: skip
def test_identities_are_pairs(who):
    with pytest.raises(TypeError, match=r"identities must be pairs .* such as \[\("):
        Verifier([], who, by_roots=False)


def test_keys_of_other_kinds_and_of_files(key, tmp_path):
    by_rsa = rsa.generate_private_key(65537, 2048)
    by_ed25519 = ed25519.Ed25519PrivateKey.generate()
    body = documents.simple_signing(IMAGE)
    values = [
        by_rsa.sign(body, padding.PKCS1v15(), SHA256()),
        by_ed25519.sign(body),
        key.sign(body, ec.ECDSA(SHA256())),
    ]
    keys = tmp_path / "keys.pem"
    keys.write_text("".join(documents.public(one) for one in (by_rsa, by_ed25519)))
    verifier = Verifier([keys], None, by_roots=False)
    made = [one_of(body, SIMPLE, {SIGNATURE: b64(value)}) for value in values]
    assert [verifier.verify(one, IMAGE)[0] for one in made] == ["verified", "verified", "bad"]
    assert made[0].key_id == documents.key_id(by_rsa)
    message = {"mediaType": BUNDLE, "messageSignature": {"signature": b64(values[1])}}
    assert verifier.verify(one_of(message, BUNDLE), IMAGE)[0] == "bad"
    with pytest.raises(TypeError, match="public keys in PEM"):
        Verifier([5], None, by_roots=False)
    with pytest.raises(ValueError, match="ECDSA, RSA or Ed25519"):
        Verifier([documents.public(x25519.X25519PrivateKey.generate())], None, by_roots=False)


@pytest.mark.parametrize(
    "written", ["", "no key", b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----"]
)
def test_what_is_no_key_is_a_wrong_argument(written):
    with pytest.raises(ValueError, match="public keys in PEM"):
        Verifier([written], None, by_roots=False)


@pytest.mark.parametrize("how", [["--verify"], ["--keys", "key.pem"]])
def test_what_is_not_installed_is_said(how, key, tmp_path, monkeypatch, capsys):
    (tmp_path / "key.pem").write_text(documents.public(key))
    monkeypatch.chdir(tmp_path)
    for module in ("sigstore.hashes", "cryptography.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    assert run(["signatures", "registry.example/shop/web:1.2.0", "--sample", *how]) == 1
    assert "pip install 'hubframe[verify]'" in capsys.readouterr().err


@pytest.mark.parametrize("media_type", [SIMPLE, BUNDLE, DSSE, "application/jose+json"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"payload": "e30=", "signatures": [{"sig": "!"}]}',
        b'{"messageSignature": {"signature": 5}}',
        b'{"critical": []}',
        b'{"verificationMaterial": {"certificate": {"rawBytes": "AAAA"}}, "messageSignature": {"signature": "AAAA"}}',
    ],
)
def test_what_cannot_be_read_is_refused(media_type, body):
    with pytest.raises(PayloadError):
        list(signatures.read(body, media_type, {}, "it"))

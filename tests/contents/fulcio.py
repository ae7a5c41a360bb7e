"""An instance of Sigstore: who issues certificates, and the logs, with one key for all of them."""

import datetime as dt
import hashlib
import json
import struct
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.contents import documents
from tests.contents.documents import b64

BEGIN = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
SIGNED = BEGIN + dt.timedelta(minutes=1)
_STAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


class Sigstore:
    """Signs for anybody, and writes it down."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._log_id = bytes.fromhex(documents.key_id(self._key))
        self._name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")])
        made = self._certificate(self._name, self._key, days=365).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._issuer = made.add_extension(_usage(is_ca=True), critical=True).sign(
            self._key, SHA256()
        )

    @property
    def root(self) -> Any:
        """Who vouches for it."""
        return documents.trusted_root(self._key, self._issuer.public_bytes(Encoding.DER))

    def bundle(
        self,
        stated: Any,
        identity: str,
        kind: str = documents.IN_TOTO,
        other: Any = None,
        **fields: Any,
    ) -> Any:
        """Sign a statement; what `fields` name of the log's entry is written over it.

        The certificate may be of another key than the one that signed.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._leaf(other or key, identity)
        envelope = documents.envelope(stated, key, kind)
        payload = json.dumps(stated).encode()
        pem = b64(certificate.public_bytes(Encoding.PEM))
        body = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                "payloadHash": {
                    "algorithm": "sha256",
                    "value": hashlib.sha256(payload).hexdigest(),
                },
                "signatures": [
                    {"signature": envelope["signatures"][0]["sig"], "verifier": pem},
                ],
            },
        }
        return {
            "mediaType": documents.BUNDLE,
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [{**self._entry(json.dumps(body).encode()), **fields}],
            },
            "dsseEnvelope": envelope,
        }

    def _entry(self, body: bytes) -> Any:
        """Write an entry down, the only one."""
        seconds = int(SIGNED.timestamp())
        promised = {
            "body": b64(body),
            "integratedTime": seconds,
            "logID": self._log_id.hex(),
            "logIndex": 0,
        }
        written = json.dumps(promised, separators=(",", ":")).encode()
        top = b64(hashlib.sha256(b"\0" + body).digest())
        note = f"log.example\n1\n{top}\n"
        signature = b64(self._log_id[:4] + self._sign(note.encode()))
        return {
            "logIndex": "0",
            "logId": {"keyId": b64(self._log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": b64(self._sign(written))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": top,
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.example {signature}\n"},
            },
            "canonicalizedBody": b64(body),
        }

    def _leaf(self, key: Any, identity: str) -> x509.Certificate:
        """Issue a certificate, with a stamp of the log of certificates."""
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            self._certificate(x509.Name([]), key, days=1)
            .add_extension(names, critical=True)
            .add_extension(own, critical=False)
            .add_extension(_usage(is_ca=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
            )
            .add_extension(
                x509.UnrecognizedExtension(
                    x509.ObjectIdentifier(f"{documents.FULCIO}8"),
                    documents.der("https://token.example"),
                ),
                critical=False,
            )
        )
        before = made.sign(self._key, SHA256()).tbs_certificate_bytes
        at = struct.pack("!Q", int(BEGIN.timestamp() * 1000))
        of_certificate = struct.pack("!32sB", self._log_id, 0) + struct.pack("!H", len(before))
        value = self._sign(b"\0\0" + at + b"\0\1" + of_certificate + before + b"\0\0")
        stamp = b"\0" + self._log_id + at + b"\0\0\4\3" + struct.pack("!H", len(value)) + value
        held = struct.pack("!HH", len(stamp) + 2, len(stamp)) + stamp
        listed = x509.UnrecognizedExtension(_STAMPS, b"\x04" + bytes([len(held)]) + held)
        return made.add_extension(listed, critical=False).sign(self._key, SHA256())

    def _certificate(self, name: x509.Name, key: Any, *, days: int) -> x509.CertificateBuilder:
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(7)
            .not_valid_before(BEGIN)
            .not_valid_after(BEGIN + dt.timedelta(days=days))
            .add_extension(own, critical=False)
        )

    def _sign(self, content: bytes) -> bytes:
        return self._key.sign(content, ec.ECDSA(SHA256()))


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    never = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, **never)

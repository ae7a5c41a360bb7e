"""What is attested of an image: in-toto statements, bare, in envelopes (DSSE) or bundles."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hubframe.errors import PayloadError
from hubframe.oci.payload import items, mapping, parse_attached, text

Payload = Mapping[str, Any]
DSSE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle"
_STATEMENT = "https://in-toto.io/Statement/"
# The end of the media types of BuildKit's envelopes: application/vnd.in-toto.spdx+dsse.
_SIGNED = "+dsse"


class Statement(NamedTuple):
    """What is stated (the predicate, of a type), and of what: digests of subjects."""

    predicate_type: str | None
    subjects: tuple[str, ...]
    predicate: Any
    is_signed: bool  # whether it came in an envelope; not whether the signature is good


class Envelope(NamedTuple):
    """A payload, the signatures of it, and what is signed: the payload in its encoding."""

    payload: bytes
    payload_type: str
    signatures: tuple[tuple[str | None, bytes], ...]  # the key that each names, and itself

    @property
    def signed(self) -> bytes:
        """The bytes that the signatures are of, by the specification of DSSE."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def holds_statement(media_type: str | None) -> bool:
    """Tell whether a blob of such a type is a statement, whatever it is wrapped in."""
    return is_bare(media_type) or is_envelope(media_type)


def is_bare(media_type: str | None) -> bool:
    """Tell whether that is the type of a statement itself."""
    kind = media_type or ""
    return kind.startswith("application/vnd.in-toto") and kind.endswith("+json")


def is_envelope(media_type: str | None) -> bool:
    """Tell whether a blob of such a type holds signatures."""
    kind = media_type or ""
    is_signed = kind.startswith("application/vnd.in-toto") and kind.endswith(_SIGNED)
    return is_signed or kind == DSSE or kind.startswith(BUNDLE)


def is_attestation(document: Payload) -> bool:
    """Tell whether a document is a statement, bare or in what it is wrapped in."""
    return not document.keys().isdisjoint({"predicate", "payload", "dsseEnvelope"})


def read(body: bytes, what: object) -> Statement:
    """Read a statement; `PayloadError` where there is none."""
    document = parse_attached(body, what)
    envelope = envelope_of(document, what)
    if envelope is not None:
        document = parse_attached(envelope.payload, what)
    elif "messageSignature" in document:
        # A bundle that signs what it is attached to, and states nothing.
        return Statement(None, (), None, is_signed=True)
    if not is_statement(document):
        raise PayloadError(f"{what}: it is no in-toto statement")
    return Statement(
        text(document.get("predicateType")),
        tuple(digests(document.get("subject"))),
        document.get("predicate"),
        envelope is not None,
    )


def is_statement(document: Payload) -> bool:
    """Tell whether a document says that it is a statement."""
    return (text(document.get("_type")) or "").startswith(_STATEMENT)


def envelope_of(document: Payload, what: object) -> Envelope | None:
    """Return the envelope that a document is, or holds as a bundle; None where there is none."""
    found = mapping(document.get("dsseEnvelope")) or document
    payload = text(found.get("payload"))
    if payload is None or "signatures" not in found:
        return None
    signatures = [
        (text(one.get("keyid")), decoded(one.get("sig"), what))
        for one in items(found.get("signatures"))
    ]
    kind = text(found.get("payloadType")) or ""
    return Envelope(
        decoded(payload, what), kind.encode("utf-8", "replace").decode(), (*signatures,)
    )


def digests(subjects: Any) -> Iterable[str]:
    """Yield the digests of subjects, as registries write them, each once."""
    found = (
        f"{algorithm}:{encoded}".lower()
        for subject in items(subjects)
        for algorithm, encoded in mapping(subject.get("digest")).items()
        if text(encoded)
    )
    return dict.fromkeys(found)


def decoded(encoded: Any, what: object) -> bytes:
    """Read base64, with either alphabet and with or without its end."""
    try:
        plain = "".join(encoded.split()).rstrip("=").translate(_URL_SAFE)
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (AttributeError, ValueError, binascii.Error):
        raise PayloadError(f"{what}: what should be base64 is none") from None


_URL_SAFE = str.maketrans("-_", "+/")

"""Who signed: cosign's signatures, Sigstore bundles, DSSE envelopes, Notation's; as they tell.

Nothing here says that a signature is good: `hubframe.oci.contents.verifying` does. Certificates are
read by ``cryptography``, of the extra ``verify``; without it what they tell is missing.
"""

import hashlib
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hubframe.errors import PayloadError
from hubframe.oci.contents.statements import (
    BUNDLE,
    Envelope,
    decoded,
    digests,
    envelope_of,
    is_bare,
    is_envelope,
    is_statement,
)
from hubframe.oci.payload import array, items, mapping, parse_attached, parsed, text

Payload = Mapping[str, Any]
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
_JWS, _COSE = "application/jose+json", "application/cose"
_KINDS = {SIMPLE_SIGNING: "cosign simple signing", _JWS: "notation jws", _COSE: "notation cose"}
# What a payload of cosign's has to say that it is: its key may sign others, too.
_SIMPLE_TYPE = "cosign container image signature"
_OF_COSIGN = "dev.cosignproject.cosign/signature"
_OF_SIGSTORE = "dev.sigstore.cosign/"
# By the signer's clock, or by that of an authority.
_SIGNING_TIMES = ("io.cncf.notary.signingTime", "io.cncf.notary.authenticSigningTime")
# Fields of Fulcio's certificates, the newer ones first: these are DER, the older ones plain text.
_FULCIO = "1.3.6.1.4.1.57264.1."
_PLAIN = frozenset(range(1, 7))
_FIELDS = {
    "issuer": (8, 1),
    "source_repository": (12, 5),
    "source_ref": (14, 6),
    "source_revision": (13, 3),
    "runner": (11,),
    "build_signer": (9,),
}
_NAME = f"{_FULCIO}7"
# The time in a time stamp (RFC 3161), before any certificate.
_STAMPED = re.compile(rb"\x18[\x0f-\x17](\d{14})(?:\.\d+)?Z")
_MOST_SIGNATURES = 1000


@dataclass
class Signature:
    """One signature: what it tells, and what it takes to verify it."""

    kind: str
    claims: tuple[str, ...] = ()  # digests that it says it is of; none where it does not say
    claimed_reference: str | None = None
    predicate_type: str | None = None
    key_id: str | None = None
    signed_at: str | None = None
    log_index: Any = None
    log_kind: str | None = None  # what the log calls its entry
    told: dict[str, Any] = field(default_factory=dict)  # what its certificate tells
    problem: str | None = None  # why something of it is not told
    is_unreadable: bool = False
    signed: bytes | None = field(default=None, repr=False)  # the bytes that it is of
    value: bytes = field(default=b"", repr=False)
    bundle: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)  # DER


def kind_of(media_type: str | None) -> str | None:
    """Tell which kind of signatures a blob of such a type holds; None where it holds none."""
    if not is_envelope(media_type):
        return _KINDS.get(media_type or "")
    return "sigstore bundle" if (media_type or "").startswith(BUNDLE) else "dsse"


def value_beside(annotations: Payload) -> str | None:
    """Return the signature that stands beside a payload, as cosign's do."""
    return text(annotations.get(_OF_COSIGN))


def read(body: bytes, media_type: str, annotations: Payload, what: object) -> Iterator[Signature]:
    """Yield the signatures of a blob, whose descriptor has these annotations."""
    if media_type == _COSE:
        words = "COSE is known by its media type, and not read"
        yield Signature("notation cose", problem=words)
        return
    if media_type == SIMPLE_SIGNING:
        yield _completed(_simple(body, annotations, what), what)
        return
    document = parse_attached(body, what)
    if media_type == _JWS:
        yield _completed(_notation(document, what), what)
    elif media_type.startswith(BUNDLE):
        yield _completed(_bundle(document, body, what), what)
    else:
        envelope = envelope_of(document, what)
        if envelope is None:
            raise PayloadError(f"{what}: it is no envelope of signatures")
        for key, value in envelope.signatures[:_MOST_SIGNATURES]:
            made = _of_envelope("dsse", envelope)
            made.key_id, made.value = key, value
            if pem := text(annotations.get(f"{_OF_SIGSTORE}certificate")):
                made.certificate = _der(pem, what)
            _add_log(made, annotations)
            yield _completed(made, what)


def _simple(body: bytes, annotations: Payload, what: object) -> Signature:
    critical = mapping(parse_attached(body, what).get("critical"))
    claimed = text(mapping(critical.get("image")).get("docker-manifest-digest"))
    made = Signature(
        "cosign simple signing",
        (claimed,) if claimed and critical.get("type") == _SIMPLE_TYPE else (),
        text(mapping(critical.get("identity")).get("docker-reference")),
        signed=body,
    )
    made.value = decoded(annotations.get(_OF_COSIGN), what)
    if pem := text(annotations.get(f"{_OF_SIGSTORE}certificate")):
        made.certificate = _der(pem, what)
    _add_log(made, annotations)
    return made


def _add_log(made: Signature, annotations: Payload) -> None:
    """Add what the log told cosign, which stands beside the signature."""
    try:
        log = mapping(parsed(text(annotations.get(f"{_OF_SIGSTORE}bundle")) or "{}"))
    except (ValueError, RecursionError):
        return
    entry = mapping(log.get("Payload"))
    made.log_index, made.signed_at = entry.get("logIndex"), _at(entry.get("integratedTime"))


def _bundle(document: Payload, body: bytes, what: object) -> Signature:
    material = mapping(document.get("verificationMaterial"))
    envelope = envelope_of(document, what)
    if envelope is not None:
        made = _of_envelope("sigstore bundle", envelope)
        made.value = next((value for _, value in envelope.signatures), b"")
    else:
        message = mapping(document.get("messageSignature"))
        digest = mapping(message.get("messageDigest"))
        made = Signature("sigstore bundle", value=decoded(message.get("signature"), what))
        if text(digest.get("digest")) and digest.get("algorithm") == "SHA2_256":
            made.claims = (f"sha256:{decoded(digest['digest'], what).hex()}",)
    made.bundle = body
    chain = mapping(material.get("x509CertificateChain")).get("certificates")
    for one in [mapping(material.get("certificate")), *items(chain)[:1]]:
        if text(one.get("rawBytes")):
            made.certificate = decoded(one["rawBytes"], what)
            break
    made.key_id = text(mapping(material.get("publicKey")).get("hint"))
    entry = next(iter(items(material.get("tlogEntries"))), {})
    if mapping(entry.get("inclusionPromise")):
        made.log_index, made.signed_at = entry.get("logIndex"), _at(entry.get("integratedTime"))
    else:
        # What the log does not sign, anybody may have written.
        made.log_index = mapping(entry.get("inclusionProof")).get("logIndex")
    made.log_kind = text(mapping(entry.get("kindVersion")).get("kind"))
    stamps = mapping(material.get("timestampVerificationData")).get("rfc3161Timestamps")
    for stamp in items(stamps)[:1] if made.signed_at is None else ():
        found = _STAMPED.search(decoded(stamp.get("signedTimestamp"), what))
        made.signed_at = found and _stamped(found[1].decode())
    return made


def _of_envelope(kind: str, envelope: Envelope) -> Signature:
    """Read what a statement says; what else an envelope holds says nothing here."""
    statement: Payload = {}
    if is_bare(envelope.payload_type):
        with suppress(PayloadError):
            statement = parse_attached(envelope.payload, kind)
    if not is_statement(statement):
        statement = {}
    return Signature(
        kind,
        tuple(digests(statement.get("subject"))),
        predicate_type=text(statement.get("predicateType")),
        signed=envelope.signed,
    )


def _notation(document: Payload, what: object) -> Signature:
    payload = parse_attached(decoded(document.get("payload"), what), what)
    protected = parse_attached(decoded(document.get("protected"), what), what)
    claimed = text(mapping(payload.get("targetArtifact")).get("digest"))
    made = Signature("notation jws", tuple(filter(None, [claimed])))
    made.signed_at = next(filter(None, map(text, map(protected.get, _SIGNING_TIMES))), None)
    for one in array(mapping(document.get("header")).get("x5c"))[:1]:
        made.certificate = decoded(one, what)
    return made


def _completed(made: Signature, what: object) -> Signature:
    """Add what the certificate tells."""
    if made.certificate is not None:
        try:
            made.told = certificate(made.certificate, is_named=made.kind == "notation jws")
        except ImportError:
            made.problem = "certificates are read with pip install 'hubframe[verify]'"
        except ValueError as error:
            raise PayloadError(f"{what}: its certificate cannot be read ({error})") from None
        made.key_id = made.told.pop("key_id", made.key_id)
    return made


def certificate(der: bytes, *, is_named: bool) -> dict[str, Any]:
    """Read a certificate; of one that is not Fulcio's (`is_named`) the names are the identity."""
    # An extra, and slow to load.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            # Of what is not by the rules, and is read all the same.
            warnings.simplefilter("ignore")
            found = x509.load_der_x509_certificate(der)
        told: dict[str, Any] = {
            "certificate_not_before": found.not_valid_before_utc.isoformat(),
            "certificate_not_after": found.not_valid_after_utc.isoformat(),
            "key_id": key_id(found.public_key()),
            "issued_by": found.issuer.rfc4514_string(),
        }
        held = {}
        for one in found.extensions:
            number = one.oid.dotted_string.removeprefix(_FULCIO)
            if isinstance(one.value, x509.UnrecognizedExtension) and number.isdecimal():
                held[int(number)] = _told(one.value.value, is_plain=int(number) in _PLAIN)
            elif isinstance(one.value, x509.SubjectAlternativeName):
                told["identity"] = _identity(one.value, x509)
    except (
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
        UnsupportedAlgorithm,
    ) as error:
        raise ValueError(str(error)) from None
    for name, numbers in _FIELDS.items():
        told[name] = next((held[one] for one in numbers if held.get(one)), None)
    if is_named:
        told["identity"] = told.get("identity") or found.subject.rfc4514_string()
        told["issuer"] = told["issuer"] or told["issued_by"]
    return told


def key_id(key: Any) -> str:
    """Return the hash of a public key, as cosign names it."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        PublicFormat,
    )

    written = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(written).hexdigest()


def _identity(names: Any, x509: Any) -> str | None:
    """Return the first address among the names, else an e-mail's, else a name of Fulcio's own."""
    for kind in (x509.UniformResourceIdentifier, x509.RFC822Name):
        if values := names.get_values_for_type(kind):
            return str(values[0])
    others = names.get_values_for_type(x509.OtherName)
    held = (_told(one.value) for one in others if one.type_id.dotted_string == _NAME)
    return next(held, None)


def _told(value: bytes, *, is_plain: bool = False) -> str | None:
    """Read a text, in DER unless it is plain."""
    if not is_plain:
        # A type, a length, in one byte or in as many as the first one tells, and the text.
        more = value[1] & 0x7F if len(value) > 1 and value[1] & 0x80 else 0
        value = value[2 + more :]
    return text(value.decode("utf-8", "replace"))


def _der(pem: str, what: object) -> bytes:
    lines = [line for line in pem.splitlines() if line and not line.startswith("-----")]
    return decoded("".join(lines), what)


def _at(seconds: Any) -> str | None:
    """Write seconds since 1970 as a date; JSON of protobuf writes numbers as text."""
    try:
        found = int(seconds)
        return datetime.fromtimestamp(found, UTC).isoformat() if found else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _stamped(written: str) -> str:
    """Write the time of a stamp as a date."""
    day, time = written[:8], written[8:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}+00:00"

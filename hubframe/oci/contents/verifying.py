"""Whether signatures are good: by keys that the caller has, or by roots of Sigstore's, offline.

Sigstore's own library does the latter, with the root that it brings or with one that the caller
has; it is an extra, and loaded when it is used.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from hubframe.errors import HubframeError
from hubframe.oci.contents.signatures import Signature, key_id
from hubframe.oci.contents.statements import Envelope

Status = Literal["not checked", "verified", "bad", "key needed", "unsupported", "subject differs"]
# Who may have signed: a glob or a pattern of the identity, and the issuer, None for any.
Identity = tuple[str | re.Pattern[str], str | None]
_LONGEST = 200
# The library and `hubframe.oci.contents.signatures` read something of it each in its own way.
_AMBIGUOUS = "what it holds can be read in two ways"
_OTHER_KEY = "it is of a key that is not of ECDSA, which the library does not verify"
_INSTALL = "pip install 'hubframe[verify]'"
# A public key as the caller has it: in PEM, or the file of it.
Key = str | bytes | Path
_KEYS = "keys must be public keys in PEM, as text or bytes, or files of these, as pathlib.Path"
_PEM = re.compile(rb"-----BEGIN .+?-----END [^-]*-----", re.DOTALL)
_IDENTITIES = (
    "identities must be pairs of a glob or compiled pattern and an issuer or None, such as "
    '[("https://github.com/org/*", None)]'
)


class Verifier:
    """Verifies signatures by keys, by roots, or by both."""

    def __init__(
        self,
        keys: Iterable[Key],
        identities: Iterable[Identity] | None,
        *,
        by_roots: bool,
        trusted_root: str | Path | None = None,
    ) -> None:
        self._keys = [(key_id(key), key) for one in keys for key in _read_keys(one)]
        self._identities = _read_identities(identities)
        self._of_roots = _roots_verifier(self._is_wanted, trusted_root) if by_roots else None

    def verify(self, one: Signature, subject: str) -> tuple[Status, str | None]:
        """Return how a signature stands that is attached to a subject, and why."""
        if one.kind.startswith("notation"):
            return "unsupported", "Notation's signatures are shown, and not verified"
        if one.certificate is None:
            return self._by_keys(one, subject)
        if one.kind != "sigstore bundle":
            words = "cosign's older signatures without a key are shown, and not verified"
            return "unsupported", words
        if self._of_roots is None:
            return "not checked", "a certificate signed it: verify=True checks it by its roots"
        return self._of_roots(one, subject)

    def _by_keys(self, one: Signature, subject: str) -> tuple[Status, str | None]:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

        if not self._keys:
            return "key needed", "a key made it: give keys="
        algorithm, _, encoded = subject.partition(":")
        if one.signed is not None:
            hashed = hashlib.sha256(one.signed).digest()
        elif algorithm == "sha256":
            # Of the subject itself, whose hash is its name.
            hashed = bytes.fromhex(encoded)
        else:
            return "unsupported", f"it is of a digest of the kind {algorithm}"
        for known, key in self._keys:
            try:
                _check(key, one, hashed)
            except InvalidSignature:
                continue
            one.key_id = known
            return "verified", None
        return "bad", "none of the keys made it"

    def _is_wanted(self, identity: str, issuer: str | None) -> bool:
        """Tell whether one of the identities that may have signed is this one."""
        if self._identities is None:
            return True
        return any(
            (told is None or told == issuer)
            and (
                fnmatchcase(identity, pattern)
                if isinstance(pattern, str)
                else pattern.search(identity) is not None
            )
            for pattern, told in self._identities
        )


def _read_identities(identities: Iterable[Identity] | None) -> list[Identity] | None:
    if identities is None:
        return None
    pairs = [one if isinstance(one, tuple | list) else () for one in identities]
    for pair in pairs:
        match pair:
            case (str() | re.Pattern(), str() | None):
                continue
        raise TypeError(_IDENTITIES)
    return [(identity, issuer) for identity, issuer in pairs]


def _read_keys(given: Key) -> Iterator[Any]:
    """Yield the public keys of a text or a file."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_public_key,
        )
    except ImportError as error:
        raise HubframeError(f"keys need cryptography: {_INSTALL} ({error})") from error
    if not isinstance(given, str | bytes | Path):
        raise TypeError(_KEYS)
    written = given.read_bytes() if isinstance(given, Path) else given
    found = _PEM.findall(written.encode() if isinstance(written, str) else written)
    if not found:
        raise ValueError(_KEYS)
    for one in found:
        try:
            key = load_pem_public_key(one)
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError(_KEYS) from None
        known = ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey
        if not isinstance(key, known):
            raise ValueError("keys must be of ECDSA, RSA or Ed25519")  # noqa: TRY004
        yield key


def _check(key: Any, one: Signature, hashed: bytes) -> None:
    """Raise InvalidSignature where a key did not make a signature."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    kind = utils.Prehashed(SHA256())
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(one.value, hashed, ec.ECDSA(kind))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(one.value, hashed, padding.PKCS1v15(), kind)
    elif one.signed is not None:
        key.verify(one.value, one.signed)
    else:
        # Ed25519 signs the whole, of which only the hash is here.
        raise InvalidSignature


class _Policy:
    """That a certificate is the one that is shown, of somebody who is wanted."""

    def __init__(self, one: Signature, is_wanted: Callable[[str, str | None], bool]) -> None:
        self._one, self._is_wanted = one, is_wanted

    def verify(self, certificate: Any) -> None:
        """Refuse others."""
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415
        from sigstore.errors import VerificationError  # noqa: PLC0415

        if certificate.public_bytes(Encoding.DER) != self._one.certificate:
            raise VerificationError(_AMBIGUOUS)
        told = self._one.told
        if not self._is_wanted(told.get("identity") or "", told.get("issuer")):
            raise VerificationError("the identity is none of those that were asked for")
        if not isinstance(certificate.public_key(), ec.EllipticCurvePublicKey):
            raise VerificationError(_OTHER_KEY)


def _roots_verifier(
    is_wanted: Callable[[str, str | None], bool], file: str | Path | None
) -> Callable[[Signature, str], tuple[Status, str | None]]:
    """Return what verifies bundles by the root in a file, else by Sigstore's own."""
    try:
        from sigstore.hashes import Hashed  # noqa: PLC0415
        from sigstore.models import Bundle  # noqa: PLC0415
        from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415
    except ImportError as error:
        raise HubframeError(f"to verify needs sigstore: {_INSTALL} ({error})") from error
    verifier, issuers = _sigstores(file)

    def verify(one: Signature, subject: str) -> tuple[Status, str | None]:
        algorithm, _, encoded = subject.partition(":")
        policy = _Policy(one, is_wanted)
        try:
            bundle = Bundle.from_json(one.bundle or b"")
            if one.signed is not None:
                kind, payload = verifier.verify_dsse(bundle, policy)
                if Envelope(payload, kind, ()).signed != one.signed:
                    return "bad", _AMBIGUOUS
            elif algorithm == "sha256":
                hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(encoded))
                verifier.verify_artifact(hashed, bundle, policy)
            else:
                return "unsupported", f"it is of a digest of the kind {algorithm}"
        except Exception as error:  # noqa: BLE001 - what strangers wrote may raise anything in it
            if one.told.get("issued_by") not in issuers:
                return "key needed", _short(error)
            # What older clients wrote into the log the library does not verify, be it good or bad.
            is_older = one.log_kind not in (None, "dsse", "hashedrekord")
            is_other = is_older or str(error) == _OTHER_KEY
            return ("unsupported" if is_other else "bad"), _short(error)
        one.signed_at = _while_it_held(one)
        return "verified", None

    return verify


def _while_it_held(one: Signature) -> str | None:
    """Return when a good signature was made; null for a time that nobody vouches for.

    Of several stamps one has to be good, which need not be the first. It tells of a time when the
    certificate held.
    """
    begin, end = (one.told[f"certificate_not_{edge}"] for edge in ("before", "after"))
    return one.signed_at if one.signed_at and begin <= one.signed_at <= end else None


def _sigstores(file: str | Path | None) -> tuple[Any, frozenset[str]]:
    """Return the library's verifier, and who issued the certificates that its root knows."""
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.models import ClientTrustConfig, TrustedRoot  # noqa: PLC0415
    from sigstore.verify import Verifier as Sigstores  # noqa: PLC0415

    try:
        root = (
            TrustedRoot.from_file(str(Path(file)))
            if file
            else ClientTrustConfig.production(offline=True).trusted_root
        )
        issuers = frozenset(one.subject.rfc4514_string() for one in root.get_fulcio_certs())
        return Sigstores(trusted_root=root), issuers
    except (Error, ValueError) as error:
        if file is None:
            raise
        raise ValueError(f"trusted_root: {file} cannot be used: {_short(error)}") from None


def _short(error: Exception) -> str:
    """Return the first line of what a library says."""
    return str(error).partition("\n")[0][:_LONGEST]

"""Whether signatures are good: by keys that the caller has, or by roots of Sigstore's, offline.

Sigstore's own library does the latter, with the root that it brings or with one that the caller
has; it is an extra, and loaded when it is used.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from hubframe.oci.contents.signatures import Signature, key_id

Status = Literal["not checked", "verified", "bad", "key needed", "unsupported", "subject differs"]
# Who may have signed: a glob or a pattern of the identity, and the issuer, None for any.
Identity = tuple[str | re.Pattern[str], str | None]
_LONGEST = 200
_INSTALL = "verify=True takes pip install 'hubframe[verify]'"
_EXPECTED = "keys must be public keys in PEM, as text or bytes"


class Verifier:
    """Verifies signatures by keys, by roots, or by both."""

    def __init__(
        self,
        keys: Iterable[str | bytes],
        identities: Sequence[Identity] | None,
        *,
        by_roots: bool,
        trusted_root: str | Path | None = None,
    ) -> None:
        self._keys = [(key_id(key), key) for key in map(_read_key, keys)]
        self._identities = identities
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
        from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        if not self._keys:
            return "key needed", "a key made it: give keys="
        algorithm, _, encoded = subject.partition(":")
        if one.signed is not None:
            signed, how = one.signed, ec.ECDSA(SHA256())
        elif algorithm == "sha256":
            # Of the subject itself, whose hash is its name.
            signed, how = bytes.fromhex(encoded), ec.ECDSA(utils.Prehashed(SHA256()))
        else:
            return "unsupported", f"it is of a digest of the kind {algorithm}"
        for known, key in self._keys:
            try:
                key.verify(one.value, signed, how)
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


def _read_key(written: str | bytes) -> Any:
    """Read a public key; only those of the curves that cosign uses are known."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_public_key,
        )
    except ImportError as error:
        raise ModuleNotFoundError(f"keys take pip install 'hubframe[verify]' ({error})") from None
    if not isinstance(written, str | bytes):
        raise TypeError(_EXPECTED)
    try:
        key = load_pem_public_key(written.encode() if isinstance(written, str) else written)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(_EXPECTED) from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("keys must be of ECDSA, as cosign makes them")  # noqa: TRY004
    return key


def _roots_verifier(
    is_wanted: Callable[[str, str | None], bool], file: str | Path | None
) -> Callable[[Signature, str], tuple[Status, str | None]]:
    """Return what verifies bundles by the root in a file, else by Sigstore's own."""
    try:
        from sigstore.errors import Error, VerificationError  # noqa: PLC0415
        from sigstore.hashes import Hashed  # noqa: PLC0415
        from sigstore.models import Bundle  # noqa: PLC0415
        from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415
    except ImportError as error:
        raise ModuleNotFoundError(f"{_INSTALL} ({error})") from None
    verifier, issuers = _sigstores(file)

    class Policy:
        """Whose certificates are wanted."""

        def __init__(self, told: dict[str, Any]) -> None:
            self._told = told

        def verify(self, _certificate: Any) -> None:
            """Refuse those of others."""
            identity = self._told.get("identity") or ""
            if not is_wanted(identity, self._told.get("issuer")):
                raise VerificationError("the identity is none of those that were asked for")

    def verify(one: Signature, subject: str) -> tuple[Status, str | None]:
        algorithm, _, encoded = subject.partition(":")
        try:
            bundle = Bundle.from_json(one.bundle or b"")
            if one.signed is not None:
                verifier.verify_dsse(bundle, Policy(one.told))
            elif algorithm == "sha256":
                hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(encoded))
                verifier.verify_artifact(hashed, bundle, Policy(one.told))
            else:
                return "unsupported", f"it is of a digest of the kind {algorithm}"
        except (Error, ValueError) as error:
            if one.told.get("issued_by") not in issuers:
                return "key needed", _short(error)
            # What older clients wrote into the log the library does not verify, be it good or bad.
            is_older = one.log_kind not in (None, "dsse", "hashedrekord")
            return ("unsupported" if is_older else "bad"), _short(error)
        return "verified", None

    return verify


def _sigstores(file: str | Path | None) -> tuple[Any, frozenset[str]]:
    """Return the library's verifier, and who issued the certificates that its root knows."""
    from sigstore.errors import Error  # noqa: PLC0415
    from sigstore.models import ClientTrustConfig, TrustedRoot  # noqa: PLC0415
    from sigstore.verify import Verifier as Sigstores  # noqa: PLC0415

    try:
        root = (
            TrustedRoot.from_file(str(file))
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

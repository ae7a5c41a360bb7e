"""Who signed images, and what is attached to them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from hubframe.errors import InvalidReferenceError, PayloadError
from hubframe.frames.attached import Attached
from hubframe.frames.call import Errors, calling
from hubframe.frames.images import frame_of_documents
from hubframe.frames.selection import USUAL_PLATFORM, Platforms, TagFilter, What
from hubframe.frames.sources import Source, read_wanted
from hubframe.oci.contents import signatures
from hubframe.oci.contents.signatures import Signature
from hubframe.oci.contents.verifying import Identity, Key, Verifier
from hubframe.oci.reference import ImageReference
from hubframe.tables import SIGNATURES
from hubframe.wire.client import Client


def signatures_df(
    what: What,
    *,
    tags: TagFilter = None,
    newest: int | None = None,
    platform: Platforms = USUAL_PLATFORM,
    attestations: bool = False,
    source: Source = "auto",
    partial: bool = False,
    verify: bool = False,
    keys: Key | Iterable[Key] | None = None,
    identities: Iterable[Identity] | None = None,
    trusted_root: str | Path | None = None,
    errors: Errors = "raise",
    progress: bool | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """List the signatures of images, of their indexes, and of what is attached to them.

    What a signature tells is shown as it is told, and ``status`` says what that is worth. One
    that cannot be read is ``bad``. Certificates are read with the extra ``verify``.

    Parameters
    ----------
    what, tags, newest, platform, attestations, source, partial, errors, progress, client
        See `layers_df`. ``source="hub"`` does not know them.
    verify
        Whether to verify Sigstore's bundles, without a network. ``verified`` then means: by
        somebody with the identity that is shown.
    keys
        Public keys of ECDSA, RSA or Ed25519, in PEM, or the files of these as `pathlib.Path`:
        signatures that were made with a key are verified by these, with SHA-256.
    identities
        Who may have signed, as pairs of an identity and its issuer: a glob, or a compiled pattern
        that is searched for, and None for any issuer. Those of others are ``bad``.
    trusted_root
        A file ``trusted_root.json`` of who vouches for signers: of an instance of Sigstore of your
        own. None for the root of the public one, which the library brings.

    Returns
    -------
    DataFrame
        The table `signatures`, one row per signature.

    Raises
    ------
    ValueError
        A key or a root is none that can be used.
    HubframeError
        The extra ``verify`` is not installed.

    Notes
    -----
    The library sigstore verifies what stands in a transparency log. GitHub's attestations of
    private repositories do not: they are ``key needed``, and the root of these is refused.
    """
    wanted = read_wanted(tags, newest, platform, attestations=attestations)
    if (identities is not None or trusted_root is not None) and not verify:
        raise ValueError("identities and a trusted root are for verify=True")
    given = _each(keys)
    verifier = None
    if verify or given:
        verifier = Verifier(given, identities, by_roots=verify, trusted_root=trusted_root)

    def rows(document: Attached) -> Iterator[Mapping[str, Any]]:
        for number, one in enumerate(_signatures(document)):
            status, problem = "bad" if one.is_unreadable else "not checked", one.problem
            if (one.claims or one.signed is not None) and document.subject not in one.claims:
                status = "subject differs"
                problem = f"it is of {', '.join(one.claims[:2]) or 'nothing that it names'}"
            elif verifier is not None and not one.is_unreadable:
                status, why = verifier.verify(one, document.subject)
                problem = why or problem
            problem = problem or _said_elsewhere(one.claimed_reference, document.repo)
            yield {
                **vars(one),
                **one.told,
                "digest": document.referrer.descriptor["digest"],
                "layer_digest": document.layer["digest"],
                "subject_digest": document.subject,
                "subject_kind": document.subject_kind,
                "position": document.position,
                "number": number,
                "media_type": document.media_type,
                "status": status,
                "problem": problem,
            }

    with calling(client, errors, progress) as call:
        return frame_of_documents(call, SIGNATURES, what, wanted, source, rows, partial=partial)


def _said_elsewhere(claimed: str | None, repo: str) -> str | None:
    """Say where a signature was made for another repository, as one of a copy is."""
    if claimed is None:
        return None
    with suppress(InvalidReferenceError):
        if ImageReference.parse(claimed).repo == repo:
            return None
    return f"it was made for {claimed}"


def _each(keys: Any) -> list[Any]:
    if keys is None:
        return []
    is_many = isinstance(keys, Iterable) and not isinstance(keys, str | bytes)
    return [*keys] if is_many else [keys]


def _signatures(document: Attached) -> Iterator[Signature]:
    """Yield the signatures of a document; what cannot be read is one that is bad."""
    kind = signatures.kind_of(document.media_type) or ""
    try:
        yield from signatures.read(
            document.body, document.media_type, document.annotations, "the signature"
        )
    except PayloadError as error:
        yield Signature(kind, problem=str(error), is_unreadable=True)

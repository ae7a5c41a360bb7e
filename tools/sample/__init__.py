"""Makes the data of the bundled sample: the same bytes each time, from nothing but this code.

``make sample`` writes ``hubframe/testing/world.json.gz``. All of it is
synthetic: the names are those of well-known images, the contents, numbers and dates are not.
"""

import base64
import gzip
import json
from typing import Any

from tools.sample import accounts, community, example, inside, legacy, official, quay
from tools.sample.draft import Draft, Era, build_all
from tools.sample.image import AMD64, copy
from tools.sample.seeded import NOW, moment, stamp
from tools.sample.store import DOCKER_LAYER, OCI_LAYER, Store

LAYERS = (DOCKER_LAYER, OCI_LAYER)

NOTICE = "Synthetic data, made by tools/sample; no image of any registry is in here."


def build() -> bytes:
    """Return the data file."""
    store = Store()
    drafts = _drafts(store)
    world: dict[str, Any] = {
        "notice": NOTICE,
        "now": stamp(NOW, 0),
        "accounts": accounts.entries(),
        "repositories": [draft.entry() for draft in drafts],
        # By type: what resembles each other lies together and compresses well.
        "documents": sorted(
            (
                [digest, kind, body.decode()]
                for digest, (kind, body) in store.documents.items()
                if kind not in LAYERS
            ),
            key=lambda row: row[1],
        ),
        "layers": [
            [digest, kind, base64.b64encode(body).decode()]
            for digest, (kind, body) in store.documents.items()
            if kind in LAYERS
        ],
    }
    text = json.dumps(world, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), 9, mtime=0)


def _drafts(store: Store) -> list[Draft]:
    official_drafts = official.draft(store)
    return [
        *official_drafts.values(),
        *community.draft(store, official_drafts),
        legacy.draft(store, official_drafts["alpine"]),
        _rate_limit_probe(store),
        *example.draft(store),
        *inside.draft(store),
        *quay.draft(store),
    ]


def _rate_limit_probe(store: Store) -> Draft:
    """Return the image that clients ask for to learn their pull limit."""
    probe = Draft(store, "ratelimitpreview/test", "tells the pull limit.", 90_210, 0, "2020-10-30")
    at = moment("2020-11-02", "probe")
    era = Era(buildkit=False, oci=False, attestation="")
    images = build_all({}, (AMD64,), [copy("hello /", 0.0025)], at, era)
    probe.release(["latest"], at, images, era)
    return probe

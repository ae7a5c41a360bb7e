"""Makes the data of the bundled sample: the same bytes each time, from nothing but this code.

``python -m hubframe.testing.build`` writes ``hubframe/testing/world.json.gz``. All of it is
synthetic: the names are those of well-known images, the contents, numbers and dates are not.
"""

import gzip
import json
from typing import Any

from hubframe.testing.build import accounts, community, example, oddities, official
from hubframe.testing.build.chance import NOW, moment, stamp
from hubframe.testing.build.draft import Draft, Era, build_all
from hubframe.testing.build.image import AMD64, copy
from hubframe.testing.build.shelf import Shelf

NOTICE = "Synthetic data, made by hubframe.sample.build; no image of any registry is in here."


def build() -> bytes:
    """Return the data file."""
    shelf = Shelf()
    drafts = _drafts(shelf)
    world: dict[str, Any] = {
        "notice": NOTICE,
        "now": stamp(NOW, 0),
        "accounts": accounts.entries(),
        "repositories": [draft.entry() for draft in drafts],
        # By type: what resembles each other lies together and compresses well.
        "documents": sorted(
            ([digest, kind, body.decode()] for digest, (kind, body) in shelf.documents.items()),
            key=lambda row: row[1],
        ),
    }
    text = json.dumps(world, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), 9, mtime=0)


def _drafts(shelf: Shelf) -> list[Draft]:
    official_drafts = official.draft(shelf)
    return [
        *official_drafts.values(),
        *community.draft(shelf, official_drafts),
        oddities.draft(shelf, official_drafts["alpine"]),
        _rate_limit_probe(shelf),
        *example.draft(shelf),
    ]


def _rate_limit_probe(shelf: Shelf) -> Draft:
    """Return the image that clients ask for to learn their pull limit."""
    probe = Draft(shelf, "ratelimitpreview/test", "tells the pull limit.", 90_210, 0, "2020-10-30")
    at = moment("2020-11-02", "probe")
    era = Era(buildkit=False, oci=False, attestation="")
    images = build_all({}, (AMD64,), [copy("hello /", 0.0025)], at, era)
    probe.release(["latest"], at, images, era)
    return probe

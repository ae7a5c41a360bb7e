"""Documents as endoflife.date's API writes them, made up."""

import json


def release(name, **more):
    """A release, of which `more` says otherwise than usual; end of life is told by its date."""
    eol = more.get("eolFrom")
    usual = {"name": name, "codename": None, "label": name, "releaseDate": "2015-01-01"}
    ends = {"isEol": eol is not None and eol < "2026-08-22", "eolFrom": eol}
    latest = {"name": None, "date": None, "link": None}
    return {**usual, **ends, "isMaintained": True, "latest": latest, **more}


def product(name, releases, *identifiers, aliases=()):
    return {
        "name": name,
        "aliases": list(aliases),
        "identifiers": [{"type": "purl", "id": one} for one in identifiers],
        "links": {"html": f"https://endoflife.example/{name}"},
        "releases": releases,
    }


def full(*products, **more):
    """The file of all products, or with one product alone the file of that."""
    head = {"schema_version": "1.2.1", "generated_at": "2026-08-22T09:00:00+00:00"}
    return json.dumps({**head, "total": len(products), "result": products, **more}).encode()

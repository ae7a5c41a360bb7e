"""Who is on the sample Hub: users with a password, and organisations without."""

from typing import Any

from tools.sample.seeded import digest_of

PASSWORD = "sample-password"

USERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ansible-bot", ("ansible",)),
    ("acme-bot", ("acme",)),
)
ORGANIZATIONS = (
    ("ansible", "Sample Automation", ""),
    ("acme", "Acme Sample Inc.", ""),
    ("library", "Docker Official Images (synthetic sample)", "official"),
)


def entries() -> list[dict[str, Any]]:
    """Return the accounts as the data file holds them."""
    users: list[dict[str, Any]] = [
        {
            "name": name,
            "is_organization": False,
            "password": PASSWORD,
            "organizations": list(belongs_to),
            "payload": _payload("username", name, "A synthetic account", "User"),
        }
        for name, belongs_to in USERS
    ]
    organizations: list[dict[str, Any]] = [
        {
            "name": name,
            "is_organization": True,
            "password": None,
            "organizations": [],
            "payload": _payload("orgname", name, full_name, "Organization")
            | {"badge": badge, "is_active": True},
        }
        for name, full_name, badge in ORGANIZATIONS
    ]
    return users + organizations


def _payload(key: str, name: str, full_name: str, kind: str) -> dict[str, Any]:
    return {
        "id": digest_of("account", name)[7:39],
        key: name,
        "full_name": full_name,
        "location": "",
        "company": "",
        "profile_url": "",
        "date_joined": "2019-01-07T09:00:00.145251Z",
        "gravatar_url": "",
        "gravatar_email": "",
        "type": kind,
    }

"""Pages of the Hub whose numbers and names are a stranger's."""

import pytest

from hubframe.wire import hub

LISTING = hub.tags("org/app")


@pytest.mark.parametrize(
    "count",
    [
        -1,
        True,
        1.5,
        None,
        "7",
        2**63,
        10**400,
    ],
)
def test_a_count_is_never_believed(count):
    first = {"count": count, "next": "https://hub.example/?page=2", "results": [{"name": "a"}]}
    assert len(list(hub._further_pages(LISTING, hub._Page.of(first, LISTING)))) <= 10_000


@pytest.mark.parametrize("entry", [{"repo_name": "a"}, {"repo_name": "a", "name": ["b"]}])
def test_a_tag_that_is_listed_has_a_name(entry):
    assert hub._Page.of({"results": [entry]}, LISTING).entries == {}

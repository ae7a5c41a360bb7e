"""Untrusted addresses: read, refused, and never followed into the clear."""

from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from hubframe.errors import HubframeError, TransportError
from hubframe.wire.addresses import (
    joined,
    loses_encryption,
    netloc,
    next_link,
    origin,
)
from hubframe.wire.registry import Registry
from tests.fuzz.targets import is_fit
from tests.hostile.strategies import texts

BASE = "https://registry.example/v2/org/app/tags/list?n=1000"
targets = st.one_of(
    texts,
    texts.map("//{}".format),
    texts.map("https://{}".format),
    texts.map("/v2/{}".format),
    texts.map("https://registry.example/{}".format),
    texts.map("https://registry.example:{}".format),
    texts.map("https://{}@registry.example/".format),
    st.lists(
        st.sampled_from(("https://", "//", "\\", "@", ":", "[", "]", "::1", "a.b", "%41", "/"))
    ).map("".join),
)


@given(targets)
def test_an_address_is_one_of_the_web_or_is_refused(target):
    try:
        address = joined(BASE, target, "the next page")
    except TransportError as error:
        is_fit(str(error))
        return
    assert urlsplit(address).scheme in ("http", "https")
    assert origin(address)
    loses_encryption(BASE, address)
    # Messages name it.
    is_fit(netloc(address))
    _leads_where_it_seems_to(address)


def _leads_where_it_seems_to(address):
    """Whoever connects reads the address with another parser than whoever checks it."""
    try:
        sent = requests.Request("GET", address).prepare().url
    except requests.exceptions.RequestException:
        return
    seen, taken = urlsplit(address).hostname, urlsplit(sent).hostname
    assert taken == seen or (not seen.isascii() and taken.isascii())


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1\\@registry.example/",
        "https://evil.example\\@registry.example/v2/",
        "//evil.example\\.registry.example/",
        "https://registry.example%2eevil.example/",
        "https://[::1]evil.example/",
        "https://" + "a" * 300 + ".example/",
    ],
)
def test_no_address_is_read_as_two_hosts(target):
    with pytest.raises(TransportError):
        joined(BASE, target, "its realm")


@given(
    st.sampled_from("\x00\x1b\x9b\u202e\u2066\u200b\ufeff \x7f\u2028"), st.text("a.", max_size=9)
)
def test_no_host_holds_what_a_terminal_would_act_on(bad, rest):
    with pytest.raises(TransportError):
        joined(BASE, f"https://a{bad}{rest}.example/", "its realm")


@pytest.mark.parametrize("login", ["\u0100", ":\u0100", "%C4%80", "a:%F0%9F%98%80"])
def test_no_address_holds_a_login_that_cannot_be_sent(login):
    with pytest.raises(TransportError):
        joined(BASE, f"https://{login}@registry.example/", "the next page")


@given(texts)
def test_https_is_never_lost(text):
    for there in (f"http://{text}", f"HTTP://{text}"):
        try:
            assert loses_encryption(BASE, there)
        except ValueError:
            with pytest.raises(TransportError):
                joined(BASE, there, "its realm")


def following(link):
    """The next page that a Link header names, as the registry reads it."""
    response = requests.Response()
    response.headers["Link"] = link
    registry = Registry(None, None, "registry.example", "https://registry.example")
    return registry._next(response, BASE)


@given(
    st.text(st.characters(codec="latin-1"), max_size=60) | targets.map('<{}>; rel="next"'.format)
)
def test_a_next_page_is_on_the_same_host_or_is_refused(link):
    try:
        found = following(link)
    except HubframeError as error:
        is_fit(str(error))
        return
    assert found is None or origin(found) == "https://registry.example:443"


@given(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", min_size=1, max_size=20),
    st.sampled_from(('; rel="next"', "; rel=next", ';rel="next"', '; title="x"; rel="next"', '; REL="NEXT"')),
)  # fmt: skip
def test_a_next_page_is_read_as_it_was_written(last, ending):
    target = f"/v2/org/app/tags/list?last={last}&n=100"
    assert following(f"<{target}>{ending}") == f"https://registry.example{target}"


@given(st.text('<>;,="\\ rel=next/x', max_size=200))
def test_any_link_is_read_without_an_error(header):
    found = next_link(header)
    assert found is None or found in header

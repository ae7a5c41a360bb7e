"""No text makes its reader slow: the time grows with the length, not with its square."""

import time
from contextlib import suppress

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from hubframe.errors import HubframeError
from hubframe.oci import tagnames
from hubframe.oci.history import dockerfile_line, label_step
from hubframe.oci.payload import parse
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import ImageReference, is_loopback, parse_namespace, parse_registry
from hubframe.tables import files, shape
from hubframe.wire.addresses import joined
from hubframe.wire.challenges import parse_challenges, repository_of
from hubframe.wire.limits import Limits, retry_after
from hubframe.wire.statuses import error_of, quotable
from tests.hostile.test_addresses import following

LENGTH = 100_000
# What is linear takes milliseconds, what is square minutes. [seconds of this process]
LONGEST = 2.0
# What regular expressions could turn about: quotes that never end, blanks, all kinds of repeats.
PARTS = (
    *("a", "A", "0", "-", ".", "_", "__", " ", "\t", "\n", "\\", '"', '\\"', '"\\', "'", "<", ">", "<a>;", "="),
    *("a=", 'a="', 'a b="', "a b=c,", ", ", ",", "; rel", "<a>; rel=", "|1 ", "|", "#(nop) ", "LABEL ", "A=1 "),
    *("/v2/", "/v2/a/manifests/", "/manifests/", "/", "//", ":", "::", "@", "[", "https://", "https://a?", "a."),
    *("https://a@", "Bearer ", "Bearer a", "eyJa", "dckr_pat_", "1.", "1-", "1.0-rc", "v1", "a-", "a--a", "sha256-"),
    *("+", "\x00", "\u200b", "\ud800", "\u0663", "%2f", "..", "/bin/sh -c ", "RUN ", "cmd /S /C", "T0", "2024-01-01"),
)  # fmt: skip
STARTS = ("", '"', "a ", "<", "/v2/", "v1", "https://", 'Bearer a="', "a=", "|9 ", "[")
ENDS = ("", "!", '"', ">", "=", "/", "x\n!")


def refusing(read):
    """Refusals are as good as answers here."""

    def readable(text):
        with suppress(HubframeError, ValueError):
            read(text)

    return readable


def refusal(text):
    response = requests.Response()
    response.status_code, response.url = 403, "https://registry.example/v2/"
    response._content = text.encode("utf-8", "replace")
    response.headers["Content-Type"] = "text/plain"
    response.headers["WWW-Authenticate"] = response.headers["Location"] = text
    return error_of(response, "the tags of org/app")


READERS = {
    "reference": ImageReference.parse,
    "namespace": parse_namespace,
    "registry": parse_registry,
    "loopback": is_loopback,
    "challenge": parse_challenges,
    "repository": lambda text: repository_of(f"https://registry.example/v2/{text}"),
    "address": lambda text: joined("https://registry.example/v2/", text, "its realm"),
    "wait": lambda text: retry_after({"Retry-After": text, "Date": text}),
    "limits": lambda text: Limits().note("a", "", {"RateLimit-Limit": text, "RateLimit-Remaining": text}),
    "refusal": refusal,
    "quote": quotable,
    "label step": label_step,
    "build step": dockerfile_line,
    "build step of a shell": lambda text: dockerfile_line(f"|2 {text}", text[:9]),
    "platform": Platform.parse,
    "version": tagnames.read,
    "order": lambda text: tagnames.newest_first([tagnames.read(text)]),
    "digest tag": tagnames.is_digest_tag,
    "document": lambda text: parse(text.encode("utf-8", "replace"), "a document"),
    "dates and counts": lambda text: shape.tags([("a/b", [{"name": text, "full_size": text, "last_updated": text}])]),
    "cells": lambda text: files.write_csv(shape.catalog([text])),
}  # fmt: skip


def taken(read, text):
    start = time.process_time()
    refusing(read)(text)
    return time.process_time() - start


@pytest.mark.parametrize("name", READERS)
def test_repeats_are_read_in_no_time(name):
    # All repeats together, since each on its own takes next to nothing.
    for part in PARTS:
        for start in STARTS[:: len(STARTS) - 1] if len(part) > 9 else STARTS:
            text = start + part * (LENGTH // 10 // len(part)) + "!"
            assert taken(READERS[name], text) < LONGEST, (start, part)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=25)
@given(
    start=st.sampled_from(STARTS),
    parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("".join),
    end=st.sampled_from(ENDS),
)
def test_long_text_is_read_in_no_time(name, start, parts, end):
    text = start + parts * (LENGTH // len(parts)) + end
    assert taken(READERS[name], text) < LONGEST


LINKS = ("<" * 8_000, "<a>;" * 3_000, "<a>; rel" * 3_000)


@pytest.mark.parametrize("link", LINKS, ids=range(len(LINKS)))
def test_links_are_read_in_no_time(link):
    # Headers may be eight times as long, and take 64 times as long then.
    assert taken(following, link) < LONGEST / 20

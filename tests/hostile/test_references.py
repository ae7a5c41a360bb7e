"""References: what was read prints and reads the same, and no other text does harm."""

from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubframe.errors import InvalidReferenceError
from hubframe.oci.reference import ImageReference, is_loopback, parse_namespace, parse_registry
from tests.fuzz.targets import is_fit, read_reference
from tests.hostile.strategies import texts

LOWER = "abcxyz0189"
names = st.lists(st.text(LOWER, min_size=1, max_size=8), min_size=1, max_size=3).flatmap(
    lambda words: st.lists(
        st.sampled_from((".", "_", "__", "-", "---")),
        min_size=len(words) - 1,
        max_size=len(words) - 1,
    ).map(lambda marks: "".join(w + m for w, m in zip(words, [*marks, ""], strict=True)))
)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
hosts = st.sampled_from(
    ("docker.io", "index.docker.io", "ghcr.io", "localhost", "localhost:5000", "127.0.0.1:5000",
     "[::1]", "[2001:db8::1]:8443", "UPPER.example", "a-b.c.example:65535")
)  # fmt: skip
tags = st.text(ascii_letters + digits + "_", min_size=1, max_size=1).flatmap(
    lambda head: st.text(ascii_letters + digits + "._-", max_size=127).map(lambda rest: head + rest)
)
digests = st.one_of(
    st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format),
    st.text("0123456789abcdef", min_size=128, max_size=128).map("sha512:{}".format),
    st.text("0123456789abcdefABCDEF", min_size=32, max_size=40).map("multihash+base58:{}".format),
)


@given(hosts | st.none(), paths, tags | st.none(), digests | st.none())
def test_a_reference_prints_as_it_is_read(host, path, tag, digest):
    # Without a host, a first part with a dot would be read as one.
    host = "docker.io" if host is None and "." in path.partition("/")[0] else host
    written = f"{host}/{path}" if host else path
    written += f":{tag}" if tag else ""
    written += f"@{digest}" if digest else ""
    found = ImageReference.parse(written)
    assert (found.tag, found.digest) == (tag, digest)
    assert found.target == (digest or tag or "latest")
    if host:
        assert found.path.removeprefix("library/") == path.removeprefix("library/")
    read_reference(written)


@given(texts)
def test_any_other_text_is_refused_in_one_way(text):
    for read in (ImageReference.parse, parse_namespace, parse_registry):
        try:
            read(text)
        except InvalidReferenceError as error:
            is_fit(str(error))
    is_loopback(text)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(texts))
def test_what_is_no_text_is_refused_too(value):
    for read in (ImageReference.parse, parse_namespace, parse_registry):
        with pytest.raises(InvalidReferenceError):
            read(value)


@given(paths, st.sampled_from("\x00\x1b\u202e\u200b \n\ud800éA%?#\\"), st.integers(0, 40))
def test_no_name_holds_what_an_address_or_a_terminal_would_act_on(path, bad, at):
    with pytest.raises(InvalidReferenceError):
        ImageReference.parse(f"ghcr.io/{path[:at]}{bad}{path[at:]}")

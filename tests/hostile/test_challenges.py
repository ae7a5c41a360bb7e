"""Challenges: valid ones are read as they were written, all others as none or as some."""

from string import ascii_letters, digits

from hypothesis import given
from hypothesis import strategies as st

from hubframe.wire.challenges import parse_challenges, repository_of, scope_of
from tests.fuzz.targets import challenge

names = st.text(ascii_letters + digits + "_-", min_size=1, max_size=10)
# What headers can hold.
values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30)
bare = st.text(ascii_letters + digits + ":/._-", min_size=1, max_size=20)
parameters = st.dictionaries(names.map(str.lower), values, min_size=1, max_size=4)
gaps = st.sampled_from(("", " ", "  "))


def quoted(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.sampled_from(("Bearer", "bearer", "BASIC", "Basic")), parameters, gaps, gaps)
def test_a_challenge_is_read_as_it_was_written(scheme, given_parameters, before, after):
    pairs = (f"{name}{before}={before}{quoted(value)}" for name, value in given_parameters.items())
    (found,) = parse_challenges(f"{scheme} {f'{before},{after}'.join(pairs)}")
    assert found.scheme == scheme.lower()
    assert found.parameters == given_parameters


@given(st.dictionaries(names.map(str.lower), bare, min_size=1, max_size=4))
def test_values_may_come_without_quotes(given_parameters):
    pairs = ",".join(f"{name}={value}" for name, value in given_parameters.items())
    assert parse_challenges(f"Bearer {pairs}")[0].parameters == given_parameters


@given(parameters, parameters)
def test_what_stands_in_quotes_is_no_challenge(others, own):
    """A scheme that hubframe cannot meet is skipped with all that it says."""
    tempting = ", ".join(f"{name}={quoted(f'x, Bearer {value}')}" for name, value in others.items())
    wanted = ", ".join(f"{name}={quoted(value)}" for name, value in own.items())
    (found,) = parse_challenges(f"Digest {tempting}, Bearer {wanted}")
    assert (found.scheme, found.parameters) == ("bearer", own)


@given(st.binary(max_size=200))
def test_any_header_is_read(header):
    challenge(header)


@given(st.lists(st.sampled_from(("Bearer", "Basic", "realm", "=", '"', "\\", ",", " ", "a"))))
def test_any_order_of_the_parts_is_read(parts):
    challenge("".join(parts).encode())


@given(
    st.lists(st.sampled_from(("v2", "manifests", "blobs", "tags", "list", "a", "", "..", "%2f")))
)
def test_the_scope_of_any_address_is_one_line(parts):
    url = "https://registry.example/" + "/".join(parts)
    assert repository_of(url) in url
    assert scope_of(url).isprintable()

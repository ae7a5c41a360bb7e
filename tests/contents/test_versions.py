"""The order of packages' versions, held against what each ecosystem's own tools say."""

import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubframe.oci.contents.versions import _RULES, compare, ordered

RISING = {
    "deb": ["1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-10", "1.0+dfsg-1", "1:0.1-1"],
    "rpm": ["1.0~rc1-1", "1.0-1", "1.0-1.el9", "1.0-10", "1.0.1-1", "1:0.1-1"],
    "apk": ["1.2.3_rc1-r0", "1.2.3-r0", "1.2.3-r1", "1.2.3_p1-r0", "1.2.10-r0"],
    "pypi": ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"],
    "npm": ["1.0.0-alpha.1", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0", "1.0.10", "1.2.0"],
    "maven": ["1.0-alpha-1", "1.0-beta-1", "1.0-SNAPSHOT", "1.0", "1.0-1", "1.0.1"],
    "gem": ["1.0.0.pre1", "1.0.0", "1.0.1", "1.10"],
    "golang": ["v0.0.0-20200101000000-abcdefabcdef", "v1.0.0-rc.1", "v1.0.0", "v1.10.0"],
    "nuget": ["1.0.0-beta", "1.0.0", "1.0.0.1", "1.1"],
    "composer": ["1.0.0-beta1", "1.0.0", "1.0.1", "1.10"],
}


@pytest.mark.parametrize("kind", RISING)
def test_versions_rise(kind):
    texts = RISING[kind]
    for left, right in pairwise(texts):
        assert (compare(kind, left, right), compare(kind, right, left)) == (-1, 1), (left, right)
    assert ordered(kind, reversed(texts)) == texts


def test_every_rule_has_a_row():
    assert set(RISING) == set(_RULES)


@pytest.mark.parametrize(("left", "right"), list(pairwise(RISING["deb"])))
def test_dpkg_agrees(left, right):
    assert (
        subprocess.run(["dpkg", "--compare-versions", left, "lt", right], check=False).returncode
        == 0
    )


def test_where_there_is_no_order():
    assert compare("conda", "1", "2") is None
    assert compare("pypi", "not a version", "1") is None
    assert compare("conda", "1", "1") == 0
    assert ordered("conda", ["1", "2"]) is None
    assert ordered("conda", ["1", "1"]) == ["1"]
    assert ordered("pypi", []) == []
    assert ordered("pypi", ["1.0", "odd one"]) is None
    assert ordered("pypi", ["1.0", "1.0.0"]) == ["1.0", "1.0.0"]


@given(
    st.sampled_from(sorted(_RULES)),
    st.lists(st.text("0123456789abz.~-+:_! \n\x00é", max_size=12), max_size=3),
)
def test_untrusted_versions_end_nothing(kind, texts):
    found = ordered(kind, texts)
    assert found is None or sorted(found) == sorted(set(texts))

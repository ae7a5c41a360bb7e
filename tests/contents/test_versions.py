"""The order of packages' versions, held against what each ecosystem's own tools say."""

import random
import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubframe.oci.contents.versions import _RULES, compare, ordered

RISING = {
    "deb": ["1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-10", "1.0+dfsg-1", "1:0.1-1"],
    "rpm": ["1.0~rc1-1", "1.0-1", "1.0-1.el9", "1.0-10", "1.0^git1-1", "1.0.1-1", "1:0.1-1"],
    "apk": [
        *("1.02-r0", "1.2.03-r0", "1.2.3_alpha2_pre1", "1.2.3_alpha2", "1.2.3_rc1-r0", "1.2.3"),
        *("1.2.3-r0", "1.2.3-r1", "1.2.3~0af-r0", "1.2.3_git20240101-r0", "1.2.3_p1-r0"),
        *("1.2.3a-r0", "1.2.10-r0", "006-r0"),
    ],
    "pypi": ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"],
    "npm": ["1.0.0-alpha.1", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0", "1.0.10", "1.2.0"],
    "maven": ["1.0-alpha-1", "1.0-beta-1", "1.0-SNAPSHOT", "1.0", "1.0-1", "1.0.1"],
    "gem": ["1.0.0.pre1", "1.0.0", "1.0.1", "1.10"],
    "golang": ["v0.0.0-20200101000000-abcdefabcdef", "v1.0.0-rc.1", "v1.0.0", "v1.10.0"],
    "nuget": ["1.0.0-beta", "1.0.0", "1.0.0.1", "1.1"],
    "composer": [
        *("v1.0-dev", "1.0-alpha", "1.0.0-ALPHA2", "1.0b1", "1.0.0-beta.2", "1.0.0-beta10-dev"),
        *("1.0.0-beta10", "1.0-RC1", "1.0.0.0", "1.0-patch1", "1.0.0.1", "1.0.1", "1.10"),
    ],
    "cargo": ["1.0.0-alpha.1", "1.0.0", "1.0.10"],
    "cran": ["0.9", "0.75", "1.0-0", "1.0-10"],
    "hex": ["1.0.0-rc.1", "1.0.0", "1.10.0"],
}


@pytest.mark.parametrize("kind", RISING)
def test_versions_rise(kind):
    texts = RISING[kind]
    for left, right in pairwise(texts):
        assert (compare(kind, left, right), compare(kind, right, left)) == (-1, 1), (left, right)
    assert ordered(kind, reversed(texts)) == texts


def test_every_rule_has_a_row():
    assert set(RISING) == set(_RULES)


def made_up(marks, count, *ends):
    """Pairs of versions of few marks, that differ in one, so that what is rare is there."""
    chance = random.Random(1)
    for _ in range(count):
        version = "1" + "".join(chance.choices(marks, k=chance.randrange(6)))
        place = chance.randrange(len(version))
        other = version[:place] + chance.choice(marks) + version[place + 1 :]
        yield tuple(
            chance.choice(["", "0:", "1:"]) + one + chance.choice(ends) for one in (version, other)
        )


DEBS = [
    *pairwise(RISING["deb"]),
    ("1.0", "1.0-0"),
    ("1.", "1.0"),
    ("0~", "0"),
    *made_up("00129aZ.~~+", 40, "", "-1", "-0", "-1~"),
]


@pytest.mark.skipif(not shutil.which("dpkg"), reason="dpkg is not installed")
def test_dpkg_agrees():
    script = """while read -r left right; do
        if dpkg --compare-versions "$left" lt "$right"; then echo -1
        elif dpkg --compare-versions "$left" eq "$right"; then echo 0
        else echo 1; fi
    done 2>&-"""
    pairs = "".join(f"{left} {right}\n" for left, right in DEBS)
    told = subprocess.run(
        ["sh", "-c", script], input=pairs, check=True, capture_output=True, text=True
    ).stdout
    assert [compare("deb", *pair) for pair in DEBS] == list(map(int, told.split()))


RPMS = [*pairwise(RISING["rpm"]), *made_up("00129aZ.~~^^_", 400, "", "-1", "-1.el9", "-1~")]


@pytest.mark.skipif(not shutil.which("rpm"), reason="rpm is not installed")
def test_rpm_agrees():
    script = "".join(f'print(rpm.vercmp("{left}", "{right}") .. " ")' for left, right in RPMS)
    told = subprocess.run(
        ["rpm", "--eval", f"%{{lua:{script}}}"], check=True, capture_output=True, text=True
    ).stdout
    assert [compare("rpm", *pair) for pair in RPMS] == list(map(int, told.split()))


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("npm", "1.0.0+build.1", "1.0.0+build.2"),
        ("golang", "v2.0.0+incompatible", "2.0.0"),
        ("golang", "1.21", "1.21.0"),
        ("deb", "1.0", "0:1.0-0"),
        ("rpm", "1.0-1", "0:1.0-1"),
        ("pypi", "1.0", "1.0.0"),
        ("composer", "v1.0-RC1", "1.0.0.0rc1"),
        ("composer", "1.2-stable", "1.2.0+build"),
        ("maven", "5.2.0.RELEASE", "5.2.0"),
    ],
)
def test_written_in_two_ways_they_are_equal(kind, left, right):
    assert compare(kind, left, right) == compare(kind, right, left) == 0


def test_where_there_is_no_order():
    assert compare("conda", "1", "2") is None
    assert compare("pypi", "not a version", "1") is None
    assert compare("nuget", "none", "1") is None
    assert compare("apk", "1.0_odd1", "1.0") is None
    assert compare("deb", "1" * 129, "1") is None
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

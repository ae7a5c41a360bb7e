"""What callers ask for: references, tags and platforms, in the forms people write."""

import random
import re

import numpy as np
import pandas as pd
import pytest

import hubframe
from hubframe.errors import InvalidReferenceError
from hubframe.frames.selection import choose, platforms, read_namespaces, references, tag_filter
from hubframe.oci.platforms import Platform
from hubframe.oci.reference import ImageReference
from hubframe.tables import TABLES
from hubframe.tables.shape import Image

DIGEST = "sha256:" + "ab" * 32
NGINX, AWX = ImageReference.parse("nginx:1"), ImageReference.parse("ansible/awx")


@pytest.mark.parametrize(
    "what",
    [
        ["nginx:1", "ansible/awx"],
        ("nginx:1", "ansible/awx"),
        {"nginx:1": 0, "ansible/awx": 0}.keys(),
        [NGINX, "docker.io/ansible/awx"],
        iter(["nginx:1", "nginx:1", "ansible/awx"]),
        (name for name in ("nginx:1", "ansible/awx", "library/nginx:1")),
        pd.Series(["nginx:1", "ansible/awx"]),
        pd.Series(["nginx:1", "ansible/awx"], dtype=object),
        pd.Index(["nginx:1", "ansible/awx"]),
        np.array(["nginx:1", "ansible/awx"]),
        pd.DataFrame({"repo": ["nginx", "ansible/awx", "nginx"], "tag": ["1", None, "1"]}),
        pd.DataFrame({"repo": ["nginx:1", "ansible/awx"]}),
    ],
    ids=lambda what: type(what).__name__,
)
def test_lists_of_references(what):
    assert references(what) == [NGINX, AWX]


@pytest.mark.parametrize("what", ["nginx:1", NGINX, ["nginx:1"], {"nginx:1"}, frozenset({NGINX})])
def test_one_reference(what):
    assert references(what) == [NGINX]


@pytest.mark.parametrize(
    "what",
    [[], (), set(), pd.Series([], dtype="str"), pd.DataFrame({"repo": []}), TABLES["tags"].frame()],
)
def test_nothing_is_nothing(what):
    assert references(what) == []


def test_frames_of_this_library_name_what_they_show():
    tags = TABLES["tags"].from_records(
        [{"repo": "a/b", "tag": "3.10"}, {"repo": "ghcr.io/a/b", "tag": "1"}]
    )
    assert list(map(str, references(tags))) == ["docker.io/a/b:3.10", "ghcr.io/a/b:1"]
    repos = TABLES["repos"].from_records([{"repo": "a/b"}, {"repo": "library/nginx"}])
    assert list(map(str, references(repos))) == ["docker.io/a/b", "docker.io/library/nginx"]
    images = TABLES["images"].from_records(
        [
            {"repo": "a/b", "tag": "1", "image_digest": DIGEST},
            {"repo": "a/b", "image_digest": DIGEST},
            {"repo": "a/b"},
        ]
    )
    assert list(map(str, references(images))) == [
        "docker.io/a/b:1",
        f"docker.io/a/b@{DIGEST}",
        "docker.io/a/b",
    ]
    # Of a reference whose tag is not known, not all tags are meant.
    named = TABLES["references"].from_records(
        [
            {"repo": "a/b", "tag": "1", "reference": "docker.io/a/b:1"},
            {"repo": "a/b", "digest": DIGEST, "reference": f"docker.io/a/b@{DIGEST}"},
            {"repo": "a/b", "problem": "variable"},
            {"problem": "stage"},
        ]
    )
    assert list(map(str, references(named))) == ["docker.io/a/b:1", f"docker.io/a/b@{DIGEST}"]
    layers = TABLES["layers"].from_records(
        [{"repo": "a/b", "tag": "1", "position": place} for place in range(9)]
    )
    assert len(references(layers)) == 1


@pytest.mark.parametrize(
    "what",
    ["Nginx", ["nginx", ""], ["nginx", None], pd.Series(["nginx", None]), [float("nan")], [5], [["nginx"]],
     pd.DataFrame({"repo": ["a/b", None]}), pd.DataFrame({"repo": ["a/b"], "tag": ["a b"]}),
     pd.DataFrame({"repo": ["a/b"], "image_digest": ["latest"]})],
)  # fmt: skip
def test_what_is_no_reference(what):
    with pytest.raises(InvalidReferenceError):
        references(what)


@pytest.mark.parametrize("what", [None, 5, b"nginx", {"nginx": 1}, re.compile("x"), print])
def test_forms_that_cannot_be_read_are_named(what):
    with pytest.raises(
        TypeError, match=f"expected an image reference, .* not {type(what).__name__}"
    ):
        references(what)


def test_a_frame_without_repositories_names_its_columns():
    with pytest.raises(TypeError, match="no column repo; its columns are a, b"):
        references(pd.DataFrame({"a": [1], "b": [2]}))


@pytest.mark.parametrize("tags", [[3.1], [20], pd.to_datetime(["2024-01-01"])])
def test_tags_that_were_read_as_numbers_are_refused(tags):
    """Left out, they would ask for all tags; printed, 3.10 would be 3.1."""
    with pytest.raises(TypeError, match=r"the column tag holds .* no text"):
        references(pd.DataFrame({"repo": ["a/b"], "tag": tags}))


@pytest.mark.parametrize(
    "what",
    ["ansible", ["ansible"], ("ansible", "ansible"), iter(["ansible"]), pd.Series(["ansible"])],
)
def test_namespaces(what):
    assert read_namespaces(what) == ["ansible"]


def test_what_is_no_namespace():
    with pytest.raises(InvalidReferenceError, match="'a/b' is not a namespace"):
        read_namespaces(["ansible", "a/b"])


SIGNATURE = f"sha256-{'a' * 64}.sig"
TAGS = ["latest", "1.0", "1.10", "1.1-alpine", "[x]", SIGNATURE]


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        (None, TAGS[:5]),
        ("latest", ["latest"]),
        ("*", TAGS),
        ("1.1*", ["1.10", "1.1-alpine"]),
        ("1.?", ["1.0"]),
        ("1.[01]*", ["1.0", "1.10", "1.1-alpine"]),
        ("LATEST", []),
        (["latest", "1.1*"], ["latest", "1.10", "1.1-alpine"]),
        ({"latest", "1.0"}, ["latest", "1.0"]),
        (("1.1",), []),
        (pd.Series(["1.0"]), ["1.0"]),
        (pd.Index(["1.0"]), ["1.0"]),
        (iter(["1.0", "latest"]), ["latest", "1.0"]),
        ([], []),
        (re.compile("alp"), ["1.1-alpine"]),
        (re.compile("^1"), ["1.0", "1.10", "1.1-alpine"]),
        (lambda tag: len(tag) == 3, ["1.0", "[x]"]),
        (lambda tag: tag.startswith("l") and "yes", ["latest"]),
        ({"1.0"}.__contains__, ["1.0"]),
    ],
)
def test_filters_of_tags(tags, kept):
    assert list(filter(tag_filter(tags), TAGS)) == kept


def test_a_filter_can_be_asked_twice():
    wanted = tag_filter(name for name in ["1.0"])
    assert wanted("1.0")
    assert wanted("1.0")


@pytest.mark.parametrize("tags", [5, 1.5, [1.0], [None], b"1.0", True])
def test_filters_that_cannot_be_read(tags):
    with pytest.raises(TypeError, match=r"^tags: "):
        tag_filter(tags)


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [
        ("all", None),
        (["all"], None),
        (["linux/amd64", "all"], None),
        ("linux/amd64", ["linux/amd64"]),
        (["linux/arm/v7", "linux/amd64"], ["linux/arm/v7", "linux/amd64"]),
        (("linux/arm64",), ["linux/arm64"]),
        (pd.Series(["linux/arm64"]), ["linux/arm64"]),
        (iter(["linux/arm64"]), ["linux/arm64"]),
    ],
)
def test_platforms(platform, wanted):
    found = platforms(platform)
    assert found is wanted if wanted is None else list(map(str, found)) == wanted


@pytest.mark.parametrize(
    "platform",
    ["", "linux", "amd64", "All", "linux/amd64,linux/arm64", ["linux/amd64", "x"], [None], []],
)
def test_what_is_no_platform(platform):
    with pytest.raises(ValueError, match="expected"):
        platforms(platform)


@pytest.mark.parametrize("platform", [None, 5])
def test_forms_of_platforms_that_cannot_be_read(platform):
    with pytest.raises(TypeError, match="platform: expected text or a list"):
        platforms(platform)


def image(platform, digest=None, **more):
    return Image(
        "a/b",
        "1",
        digest or f"sha256:{platform}",
        platform and Platform.parse(platform),
        index_digest="sha256:x",
        **more,
    )


AMD, ARM, ARM7, WINDOWS = map(
    image, ["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "windows/amd64"]
)
ATTESTATION = image("unknown/unknown", is_attestation=True)
IMAGES = [AMD, ARM, ARM7, WINDOWS, ATTESTATION]


def chosen(images, *wanted, attestations=False, is_single=False):
    return choose(
        images,
        [Platform.parse(one) for one in wanted] or None,
        attestations=attestations,
        is_single=is_single,
    )


def test_all_platforms_without_and_with_attestations():
    assert chosen(IMAGES) == [AMD, ARM7, ARM, WINDOWS]
    assert chosen(IMAGES, attestations=True) == [AMD, ARM7, ARM, WINDOWS, ATTESTATION]


def test_platforms_are_chosen_in_a_stable_order():
    assert chosen(IMAGES, "linux/arm64") == [ARM]
    assert chosen(IMAGES, "linux/arm") == [ARM7]
    assert chosen(IMAGES, "linux/arm64", "linux/amd64", "linux/arm64/v8", "linux/s390x") == [
        AMD,
        ARM,
    ]
    assert chosen(IMAGES, "linux/amd64", attestations=True) == [AMD, ATTESTATION]
    chance = random.Random(4)
    for _ in range(20):
        assert chosen(chance.sample(IMAGES, 5), "windows/amd64", "linux/arm/v7", "linux/amd64") == [
            AMD,
            ARM7,
            WINDOWS,
        ]


def test_a_platform_that_is_not_there_gives_nothing_attestations_neither():
    assert chosen(IMAGES, "linux/s390x", attestations=True) == []
    assert chosen([ATTESTATION], "linux/amd64", attestations=True) == []
    assert chosen([], "linux/amd64") == []


def test_an_attestation_is_never_taken_for_an_image():
    assert chosen([ATTESTATION], "unknown/unknown") == []


def test_a_single_image_is_given_whatever_its_platform():
    assert chosen([WINDOWS], "linux/amd64", is_single=True) == [WINDOWS]
    unknown = image(None)
    assert chosen([unknown], "linux/amd64", is_single=True) == [unknown]


def test_an_image_without_a_platform_is_the_last_resort():
    unknown = image(None)
    assert chosen([unknown, AMD], "linux/amd64") == [AMD]
    assert chosen([unknown, ARM], "linux/amd64") == [unknown]


def test_of_equals_the_one_that_the_index_names_first_is_chosen():
    later, earlier = (image("windows/amd64", digest) for digest in ("sha256:a", "sha256:b"))
    assert chosen([earlier, later], "windows/amd64") == [earlier]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["2.8", "2.9", "2.9.0", "2.9.1-slim", "2.10", "3.0-rc1", "3.0"]),
        ("stable", ["2.8", "2.9", "2.9.0", "2.9.1-slim", "2.10", "3.0"]),
        ("2.9", ["2.9", "2.9.0", "2.9.1-slim"]),
        ("==2.9", ["2.9", "2.9.0"]),
        ("!=2.9, <3.0", ["2.8", "2.9.1-slim", "2.10", "3.0-rc1"]),
        (">=2.9,<3", ["2.9", "2.9.0", "2.9.1-slim", "2.10", "3.0-rc1"]),
        (">2.9, <=2.10", ["2.9.1-slim", "2.10"]),
    ],
)
def test_versions_are_chosen_by_bounds(text, wanted):
    tags = ["2.8", "2.9", "2.9.0", "2.9.1-slim", "2.10", "3.0-rc1", "3.0", "latest", "20240101"]
    assert [tag for tag in tags if hubframe.versions_in(text)(tag)] == wanted


@pytest.mark.parametrize("text", [">=", "latest", "2.9-slim", "~2.9", ">=2.9 <3"])
def test_what_is_no_bound_is_named(text):
    with pytest.raises(ValueError, match="is no bound of a version"):
        hubframe.versions_in(text)


def test_a_choice_of_versions_says_itself_again():
    chosen = hubframe.versions_in(" >=2.9 ,stable")
    assert repr(chosen) == 'hubframe.versions_in(">=2.9, stable")'
    assert eval(repr(chosen), {"hubframe": hubframe}) == chosen

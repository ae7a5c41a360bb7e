"""What differs between images."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.measure import compare_frames
from hubframe.tables import TABLES
from hubframe.tables.measured import COMPARISON

from .worlds import dtypes, frame, layer, shuffled, size

NAME = {"repo": "n/a", "tag": "1", "platform": "linux/amd64", "image_digest": "sha256:1"}
OTHER = NAME | {"tag": "2", "image_digest": "sha256:2"}


def table(kind, name, *records):
    return TABLES[kind].from_records(name | record for record in records)


def stack(name, letters, **options):
    """Layers as letters; the same letter is the same instruction in either case."""
    layers = frame(layer(f"{name['repo']}:{name['tag']}", letters.lower(), **options))
    layers["layer_digest"] = list(letters)
    return {"layers": layers.assign(image_digest=name["image_digest"])}


def differences(*images):
    found = compare_frames(images)
    assert dtypes(found) == COMPARISON.dtypes
    assert not found.duplicated(list(COMPARISON.key)).any()
    columns = ["aspect", "key", "left", "right", "change"]
    rows = found[columns].astype(object).where(found[columns].notna(), None)
    return [tuple(row) for row in rows.to_numpy()]


def test_layers_are_aligned():
    assert differences(stack(NAME, "abc"), stack(OTHER, "axbc")) == [
        ("size", "size", "7", str(7 + size("x")), "changed"),
        ("size", "layer_count", "3", "4", "changed"),
        ("layers", "1", None, "x", "added"),
    ]
    assert differences(stack(NAME, "abcd"), stack(OTHER, "ad"))[2:] == [
        ("layers", "1", "b", None, "removed"),
        ("layers", "2", "c", None, "removed"),
    ]


def test_a_rebuilt_layer_is_known_by_its_instruction_and_else_by_its_kind():
    assert differences(stack(NAME, "abc"), stack(OTHER, "aBc")) == [
        ("layers", "1", "b", "B", "changed"),
    ]
    assert differences(stack(NAME, "abc"), stack(OTHER, "AxBC"))[2:] == [
        ("layers", "0", "a", "A", "changed"),
        ("layers", "1", None, "x", "added"),
        ("layers", "1", "b", "B", "changed"),
        ("layers", "2", "c", "C", "changed"),
    ]
    copied = stack(OTHER, "ax")
    assert differences(stack(NAME, "ab"), copied)[1:] == [("layers", "1", "b", "x", "changed")]
    copied["layers"].loc[1, "instruction"] = "COPY x"
    assert differences(stack(NAME, "ab"), copied)[1:] == [
        ("layers", "1", "b", None, "removed"),
        ("layers", "1", None, "x", "added"),
    ]


def test_sizes_that_are_not_known_are_not_compared():
    images = stack(NAME, "ab", sizes={"b": None}), stack(OTHER, "aB", sizes={"b": None})
    found = compare_frames(images)
    assert found["aspect"].tolist() == ["layers"]
    assert found["size_change"].isna().all()


def test_steps_are_compared_by_what_they_do():
    steps = [
        ["ADD rootfs /", "ENV A=1", "RUN make", None],
        ["ADD rootfs /", "LABEL b=1", "ENV A=2", "RUN make", None],
    ]
    images = [
        {
            "history": table(
                "history",
                name,
                *(
                    {"step": place, "instruction": step, "created_by": step or "buildkit"}
                    for place, step in enumerate(listed)
                ),
            )
        }
        for name, listed in zip((NAME, OTHER), steps, strict=True)
    ]
    assert differences(*images) == [
        ("history", "1", None, "LABEL b=1", "added"),
        ("history", "1", "ENV A=1", "ENV A=2", "changed"),
    ]


def test_values_are_added_removed_and_changed_also_empty_ones():
    def env(name, **values):
        return {"env": table("env", name, *({"key": k, "value": v} for k, v in values.items()))}

    left = env(NAME, SAME="x", GONE="", OLD="1", EMPTIED="y")
    right = env(OTHER, SAME="x", OLD="2", NEW="3", EMPTIED="")
    assert differences(left, right) == [
        ("env", "EMPTIED", "y", None, "changed"),
        ("env", "GONE", None, None, "removed"),
        ("env", "NEW", None, "3", "added"),
        ("env", "OLD", "1", "2", "changed"),
    ]


def test_labels_from_elsewhere_say_so():
    left = table("labels", NAME, {"source": "config", "key": "v", "value": "1"})
    right = table("labels", OTHER, {"source": "index", "key": "v", "value": "1"})
    assert differences({"labels": left}, {"labels": right}) == [
        ("labels", "v", "1", None, "removed"),
        ("labels", "v (index)", None, "1", "added"),
    ]


def test_configs_are_compared_field_by_field_and_counts_are_not():
    left = {"user": "app", "created_at": "2024-01-01T00:00:00Z", "layer_count": 3, "cmd": '["a"]'}
    right = {"created_at": "2024-01-02T00:00:00Z", "layer_count": 4, "cmd": '["a"]'}
    images = table("configs", NAME, left), table("configs", OTHER, right)
    dates = "2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"
    assert differences(*({"configs": config} for config in images)) == [
        ("config", "created_at", *dates, "changed"),
        ("config", "user", "app", None, "removed"),
    ]


def test_each_image_is_compared_with_the_next():
    third = NAME | {"tag": "3", "image_digest": "sha256:3"}
    found = compare_frames([stack(NAME, "a"), stack(OTHER, "ab"), stack(third, "a")])
    pairs = found[["left_name", "right_name"]].drop_duplicates().to_numpy().tolist()
    assert pairs == [["n/a:1", "n/a:2"], ["n/a:2", "n/a:3"]]


def test_images_are_named_by_digest_and_platform_where_the_tag_does_not_tell():
    untagged = stack(NAME | {"tag": ""}, "a")
    arm = stack(NAME, "ab", platform="linux/arm64")
    found = compare_frames([stack(NAME, "a"), arm, untagged, stack(OTHER, "b")])
    names = ["n/a:1 linux/amd64", "n/a:1 linux/arm64", "n/a@sha256:1"]
    assert found["left_name"].unique().tolist() == names


def test_an_aspect_is_compared_where_both_have_it():
    env = {"env": table("env", OTHER, {"key": "A", "value": "1"})}
    assert differences(stack(NAME, "ab"), env) == []
    assert dtypes(compare_frames([stack(NAME, "ab"), env])) == COMPARISON.dtypes


LETTERS = st.text("abcdefABCDEF", min_size=1, max_size=7)


@given(LETTERS, LETTERS, st.integers(0, 99))
def test_a_comparison_adds_up(first, second, seed):
    left, right = stack(NAME, first), stack(OTHER, second)
    assert compare_frames([left, left]).empty
    assert compare_frames([left, {"layers": shuffled(left["layers"], seed)}]).empty
    found = compare_frames([left, right])
    mixed = [{"layers": shuffled(image["layers"], seed)} for image in (left, right)]
    assert_frame_equal(compare_frames(mixed), found)
    rows = found[found["aspect"] == "layers"]
    assert rows.empty == (first == second)
    grown = sum(map(size, second.lower())) - sum(map(size, first.lower()))
    assert rows["size_change"].sum() == grown
    assert found.loc[found["key"] == "size", "size_change"].sum() == grown
    # Without what the rows name, both hold the same.
    sides = (first, rows["left"]), (second, rows["right"])
    same = [Counter(letters) - Counter(named.dropna()) for letters, named in sides]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("images", "error", "said"),
    [
        ([], ValueError, "two images or more, not 0"),
        ([stack(NAME, "a")], ValueError, "two images or more, not 1"),
        ([stack(NAME, "a"), "n/a:2"], TypeError, "image 2: expected frames by name, not str"),
        ([stack(NAME, "a"), {"tags": None}], ValueError, "image 2: tags: there are only layers"),
        ([{"env": stack(NAME, "a")["layers"]}], ValueError, "image 1: this is not the env frame"),
        ([{"layers": frame()}], ValueError, "image 1: no frame has a row"),
        (
            [{"layers": frame(layer("n/a:1", "a"), layer("n/a:2", "a"))}],
            ValueError,
            "image 1: its frames hold 2 images",
        ),
    ],
)
def test_wrong_images_are_named(images, error, said):
    with pytest.raises(error, match=said):
        compare_frames(images)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (-3, -3),
        ("-3", -3),
        ("3", 3),
        (-2.0, -2),
        (2.5, None),
        ("--3", None),
        ("-", None),
        (True, None),
    ],
)
def test_a_difference_of_sizes_has_a_sign(written, read):
    found = COMPARISON.from_records([{"size_change": written}])["size_change"]
    assert found.astype(object).where(found.notna(), None).tolist() == [read]


def test_a_comparison_reads_back_from_csv(tmp_path):
    found = compare_frames([stack(NAME, "abcd"), stack(OTHER, "aBX")])
    assert (found["size_change"] < 0).any()
    hubframe.write_csv(found, tmp_path / "comparison.csv")
    assert_frame_equal(hubframe.read_csv(tmp_path / "comparison.csv", "comparison"), found)


@pytest.mark.usefixtures("sample")
def test_references_are_fetched_and_compared():
    found = hubframe.compare_df(["library/python:3.14.0", "library/python:3.14.3"])
    assert set(found["aspect"]) >= {"layers", "config", "env", "history"}
    env = found[found["aspect"] == "env"]
    assert env[["key", "left", "right"]].to_numpy().tolist() == [
        ["PYTHON_VERSION", "3.14.0", "3.14.3"]
    ]
    sizes = found.loc[found["aspect"] == "layers", "size_change"].sum()
    assert found.loc[found["key"] == "size", "size_change"].tolist() == [sizes]
    told = found.attrs["hubframe"]
    assert told["table"] == "comparison"
    assert told["complete"] is True
    assert told["requests"] + told["from_cache"] > 0


@pytest.mark.usefixtures("sample")
def test_an_image_compared_with_itself_is_empty():
    found = hubframe.compare_df(["acme/web", "acme/web:latest"])
    assert found.empty
    assert dtypes(found) == COMPARISON.dtypes


@pytest.mark.usefixtures("sample")
def test_aliases_have_no_difference_and_frames_mix_with_references():
    listed = hubframe.tags_df(["library/alpine:3.24", "library/alpine:3.24.2"])
    assert hubframe.compare_df(listed).empty
    env = {"env": hubframe.env_df("library/python:3.14.0")}
    found = hubframe.compare_df([env, "library/python:3.14.3"])
    assert found["key"].tolist() == ["PYTHON_VERSION"]


@pytest.mark.usefixtures("sample")
def test_another_platform_is_compared_where_asked():
    images = ["library/python:3.14.0", "library/python:3.14.3"]
    found = hubframe.compare_df(images, platform="linux/arm64")
    assert found.loc[found["key"] == "size", "left"].tolist() != []
    with pytest.raises(hubframe.NoSuchPlatformError):
        hubframe.compare_df(images, platform="plan9/amd64")


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("images", "options", "error", "said"),
    [
        ("library/alpine", {}, TypeError, "a list of two references"),
        ({"layers": None}, {}, TypeError, "a list of two references"),
        (7, {}, TypeError, "not int"),
        ([7, 8], {}, ValueError, "not an image reference"),
        (["library/alpine"], {}, ValueError, "two images or more"),
        (["a", "b"], {"platform": "all"}, ValueError, "platform must be one"),
        (["a", "b"], {"platform": ["linux/amd64"]}, ValueError, "platform must be one"),
    ],
)
def test_what_cannot_be_compared_is_said(images, options, error, said):
    with pytest.raises(error, match=said):
        hubframe.compare_df(images, **options)

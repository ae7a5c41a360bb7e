"""What tags lack: labels and platforms."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import hubframe
from hubframe.measure import OCI_LABELS, label_coverage
from hubframe.tables import IMAGES, LABELS
from hubframe.tables.measured import COVERAGE, PLATFORM_COVERAGE

from .worlds import dtypes, shuffled

OCI = "org.opencontainers.image."


def labels(*rows, repo="n/a"):
    """Labels as tag, key (after the OCI's prefix, or whole with a leading dot) and value."""
    return LABELS.from_records(
        {
            "repo": repo,
            "tag": tag,
            "platform": "linux/amd64",
            "image_digest": f"sha256:{tag}",
            "source": "config",
            "key": key[1:] if key.startswith(".") else OCI + key,
            "value": value,
        }
        for tag, key, value in rows
    )


def images(*rows, repo="n/a"):
    return IMAGES.from_records(
        {
            "repo": repo,
            "tag": tag,
            "platform": platform,
            "image_digest": f"sha256:{tag}{platform}",
            "size": 5,
            "is_attestation": is_attestation,
        }
        for tag, platform, is_attestation in rows
    )


def state(key, value):
    found = hubframe.coverage_df(labels(("1", key, value)))
    row = found[found["key"] == OCI + key].iloc[0]
    return row["state"], None if pd.isna(row["reason"]) else row["reason"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("source", "https://github.com/acme/api"),
        ("licenses", "MIT"),
        ("licenses", "(GPL-2.0-or-later WITH Classpath-exception-2.0) OR LicenseRef-own"),
        ("created", "2026-01-31T10:20:30.5Z"),
        ("created", "2026-01-31 10:20:30+02:00"),
        ("revision", "0f3c2a1"),
        ("base.digest", "sha256:" + "a" * 64),
        ("vendor", "ACME <b>&</b>"),
    ],
)
def test_a_sound_value_is_present(key, value):
    assert state(key, value) == ("present", None)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("source", "git@github.com:acme/api.git", "no address with http or https"),
        ("source", "javascript:alert(1)", "no address with http or https"),
        ("licenses", "Apache License 2.0", "no SPDX expression"),
        ("licenses", "(MIT", "no SPDX expression"),
        ("created", "2026-13-31T10:20:30Z", "no moment as RFC 3339 writes them"),
        ("created", "yesterday", "no moment as RFC 3339 writes them"),
        ("revision", "unknown", "a placeholder"),
        ("revision", "${VCS_REF}", "a placeholder"),
        ("version", "{{ version }}", "a placeholder"),
        ("base.digest", "sha256:0f", "no digest"),
    ],
)
def test_a_value_that_says_nothing_is_invalid(key, value, reason):
    assert state(key, value) == ("invalid", reason)


def test_a_label_under_another_key_is_missing_and_the_key_is_named():
    found = hubframe.coverage_df(
        labels(("1", ".org.label-schema.vcs-url", "https://x.org"))
    ).set_index("key")
    row = found.loc[OCI + "source"]
    assert row["state"] == "missing"
    assert row["reason"] == "written as org.label-schema.vcs-url"
    assert row["value"] == "https://x.org"
    assert found.loc[OCI + "title", ["reason", "value"]].isna().all()


def test_images_without_labels_lack_all_of_them():
    given = images(
        ("1", "linux/amd64", False), ("1", "linux/arm64", False), ("1", "linux/amd64", True)
    )
    given["image_digest"] = given["image_digest"].where(given.index > 0, "sha256:1")
    found = hubframe.coverage_df(labels(("2", "title", "x")), given)
    assert found["tag"].unique().tolist() == ["2", "1"]
    assert (found[found["tag"] == "1"]["state"] == "missing").all()
    assert found[found["tag"] == "1"]["platform"].unique().tolist() == ["linux/amd64"]
    assert len(found) == 2 * len(OCI_LABELS)


def test_nothing_gives_no_rows_and_the_same_columns():
    assert dtypes(hubframe.coverage_df(LABELS.frame())) == COVERAGE.dtypes
    assert dtypes(hubframe.platform_coverage_df(IMAGES.frame())) == PLATFORM_COVERAGE.dtypes
    assert len(hubframe.coverage_df(LABELS.frame(), IMAGES.frame())) == 0
    assert len(hubframe.platform_coverage_df(IMAGES.frame())) == 0


def test_other_frames_are_refused():
    with pytest.raises(ValueError, match="lacks the column"):
        hubframe.coverage_df(pd.DataFrame())
    with pytest.raises(ValueError, match="lacks the column"):
        hubframe.platform_coverage_df(pd.DataFrame())


def test_platforms_that_other_tags_have_are_missed():
    found = hubframe.platform_coverage_df(
        pd.concat(
            [
                images(
                    ("1.9", "linux/amd64", False),
                    ("1.10", "linux/amd64", False),
                    ("1.10", "linux/arm64", False),
                    ("1.10", "linux/arm64", True),
                    ("chart", None, False),
                ),
                images(("1", "linux/s390x", False), repo="n/b"),
            ]
        )
    )
    rows = found[["repo", "tag", "platform", "is_present", "tag_count", "tag_share"]]
    assert rows.to_numpy().tolist() == [
        ["n/a", "1.10", "linux/amd64", True, 2, 1.0],
        ["n/a", "1.10", "linux/arm64", True, 1, 0.5],
        ["n/a", "1.9", "linux/amd64", True, 2, 1.0],
        ["n/a", "1.9", "linux/arm64", False, 1, 0.5],
        ["n/b", "1", "linux/s390x", True, 1, 1.0],
    ]
    assert found["size"].tolist() == [5, 5, 5, pd.NA, 5]


_TAGS = st.sampled_from(["1", "1.1", "2", "edge"])
_PLATFORMS = st.sampled_from(["linux/amd64", "linux/arm64", None])


@given(st.sets(st.tuples(_TAGS, _PLATFORMS, st.booleans())), st.integers(0, 9))
def test_every_tag_and_platform_meet_once_in_any_order_of_rows(rows, seed):
    given = images(*sorted(rows, key=str))
    found = hubframe.platform_coverage_df(given)
    assert_frame_equal(found, hubframe.platform_coverage_df(shuffled(given, seed)))
    proper = {(tag, platform) for tag, platform, other in rows if platform and not other}
    tags, platforms = {t for t, _ in proper}, {p for _, p in proper}
    pairs = set(zip(found["tag"], found["platform"], strict=True))
    assert pairs == {(tag, platform) for tag in tags for platform in platforms}
    assert len(found) == len(pairs)
    present = found[found["is_present"]]
    assert set(zip(present["tag"], present["platform"], strict=True)) == proper


@given(
    st.lists(
        st.tuples(_TAGS, st.sampled_from(["title", "source", "licenses"]), st.text(max_size=9)),
        unique_by=lambda row: row[:2],
    ),
    st.integers(0, 9),
)
def test_every_image_has_every_label_once_in_any_order_of_rows(rows, seed):
    given = labels(*rows)
    found = hubframe.coverage_df(given)
    assert_frame_equal(found, hubframe.coverage_df(shuffled(given, seed)))
    assert len(found) == len({tag for tag, *_ in rows}) * len(OCI_LABELS)
    assert not found.duplicated(["tag", "key"]).any()
    blank = {(tag, OCI + key) for tag, key, value in rows if not value.strip()}
    is_missing = found[found["state"] == "missing"]
    assert blank <= set(zip(is_missing["tag"], is_missing["key"], strict=True))
    assert found["reason"].isna()[found["state"] == "present"].all()
    assert found["reason"].notna()[found["state"] == "invalid"].all()


def test_on_the_sample():
    with hubframe.sample():
        repos = ["acme/api", "library/alpine"]
        coverage = hubframe.coverage_df(hubframe.labels_df(repos), hubframe.images_df(repos))
        gaps = hubframe.platform_coverage_df(hubframe.images_df(["library/python"]))
    assert set(coverage["state"]) == {"present", "missing", "invalid"}
    assert set(coverage["repo"]) == set(repos)
    assert gaps["tag_share"].between(0, 1).all()


def test_images_without_labels_count_where_the_call_tells_them():
    with hubframe.sample():
        read = hubframe.labels_df(["ansible/ansible", "ansible/awx", "acme/api"])
        configs = hubframe.configs_df(["ansible/ansible", "ansible/awx", "acme/api"])
    for measure in (label_coverage, hubframe.coverage_df):
        found = measure(read)
        assert_frame_equal(found, measure(read, configs))
        assert found.attrs["hubframe"]["share_of"] == "all images"
    counts = label_coverage(read).groupby("repo")["image_count"].first()
    assert counts.sum() > read["image_digest"].nunique()
    assert counts.sum() == configs["image_digest"].nunique()


@pytest.mark.parametrize(
    "taken",
    [
        lambda read: read[read["repo"] == "acme/api"],
        lambda read: pd.concat([read, read]),
        lambda read: read.drop(columns="source").assign(source="config").iloc[1:],
        lambda read: pd.DataFrame(read.to_dict("list")).astype(read.dtypes),
    ],
)
def test_of_rows_that_were_taken_from_it_nobody_knows_which_images_had_none(taken):
    with hubframe.sample():
        read = taken(hubframe.labels_df(["acme/api", "ansible/awx"]))
    for measure in (label_coverage, hubframe.coverage_df):
        found = measure(read)
        assert found.attrs["hubframe"]["share_of"] == "images with labels"
    assert set(found["image_digest"]) == set(read["image_digest"])


def test_attestations_are_no_images_without_labels():
    with hubframe.sample():
        read = hubframe.labels_df("acme/api", attestations=True)
        images = hubframe.images_df("acme/api", attestations=True, platform="linux/amd64")
    listed = {row[-1] for row in read.attrs["hubframe"]["unlabelled"]["images"]}
    assert images["is_attestation"].any()
    assert not listed & set(images.loc[images["is_attestation"], "image_digest"])


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        # Tags of their own for another system: neither kind lacks the other.
        ({"1": "linux/amd64", "2": "linux/amd64", "win": "windows/amd64"}, set()),
        # Most tags for Linux are for Windows too: one is not.
        (
            {
                "1": "linux/amd64 windows/amd64",
                "2": "linux/amd64 windows/amd64",
                "3": "linux/amd64",
            },
            {("3", "windows/amd64")},
        ),
        # Within a system each platform counts, however rare.
        (
            {"1": "linux/amd64", "2": "linux/amd64", "3": "linux/amd64 linux/arm64"},
            {("1", "linux/arm64"), ("2", "linux/arm64")},
        ),
    ],
)
def test_a_tag_lacks_what_tags_for_the_same_system_have(rows, missing):
    given = images(*((tag, one, False) for tag, said in rows.items() for one in said.split()))
    found = hubframe.platform_coverage_df(given)
    lacks = found.loc[~found["is_present"], ["tag", "platform"]]
    assert set(lacks.itertuples(index=False, name=None)) == missing

"""Standard labels under the keys that people write."""

import pandas as pd
import pytest

import hubframe
from hubframe.measure import OCI_LABELS
from hubframe.measure.standard import _SPELLINGS
from hubframe.tables import LABELS, STANDARD_LABELS

OCI = "org.opencontainers.image."


def labels(*rows):
    return LABELS.from_records(
        {
            "repo": "a/b",
            "tag": tag,
            "platform": "linux/amd64",
            "image_digest": f"sha256:{tag}",
            "source": source,
            "key": key,
            "value": value,
        }
        for tag, source, key, value in rows
    )


def found(*rows):
    frame = hubframe.standard_labels(labels(*rows))
    return list(
        zip(frame.tag, frame.key.str.removeprefix(OCI), frame.value, frame.spelling, strict=True)
    )


@pytest.mark.parametrize(
    ("key", "standard"),
    [
        ("org.label-schema.vcs-ref", "revision"),
        ("org.label-schema.build-date", "created"),
        ("maintainer", "authors"),
        ("license", "licenses"),
        ("io.k8s.description", "description"),
        ("vcs-url", "source"),
        (f"{OCI}base.name", "base.name"),
    ],
)
def test_other_spellings_are_read(key, standard):
    assert found(("1", "config", key, "x")) == [("1", standard, "x", key)]


def test_unknown_keys_and_blank_values_are_left_out():
    assert found(("1", "config", "architecture", "x86_64"), ("1", "config", "version", "  ")) == []
    empty = hubframe.standard_labels(LABELS.frame())
    assert {name: str(dtype) for name, dtype in empty.dtypes.items()} == STANDARD_LABELS.dtypes


def test_the_standard_spelling_wins_over_the_source():
    rows = [
        ("1", "config", "org.label-schema.version", "old"),
        ("1", "index", f"{OCI}version", "new"),
    ]
    assert found(*rows) == [("1", "version", "new", f"{OCI}version")]
    assert found(*rows[::-1]) == found(*rows)


def test_of_equal_spellings_the_config_counts():
    rows = [
        ("1", source, f"{OCI}title", source)
        for source in ("history", "index", "descriptor", "manifest", "config")
    ]
    for last in range(5, 0, -1):
        assert found(*rows[:last]) == [("1", "title", rows[last - 1][1], f"{OCI}title")]


def test_usage_is_a_documentation_only_where_it_is_an_address():
    assert found(("1", "config", "org.label-schema.usage", "run it")) == []
    address = "https://example.org/docs"
    assert found(("1", "config", "org.label-schema.usage", address))[0][2] == address


def test_images_keep_their_order_and_their_nulls():
    frame = labels(("2", "config", "version", "b"), ("1", "config", "version", "a"))
    frame.loc[0, "platform"] = None
    standard = hubframe.standard_labels(frame)
    assert standard.tag.tolist() == ["2", "1"]
    assert pd.isna(standard.platform[0])
    assert {name: str(dtype) for name, dtype in standard.dtypes.items()} == STANDARD_LABELS.dtypes


def test_every_standard_key_has_its_spellings():
    assert set(_SPELLINGS.standard) == set(OCI_LABELS)
    assert not _SPELLINGS.spelling.duplicated().any()


@pytest.mark.usefixtures("sample")
def test_on_the_sample():
    labels = hubframe.labels_df(["library/nginx", "acme/api"])
    standard = hubframe.standard_labels(labels)
    assert not standard.duplicated(list(STANDARD_LABELS.key)).any()
    assert "maintainer" in set(standard.spelling)
    assert (standard.spelling == standard.key).any()

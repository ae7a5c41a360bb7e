"""The declarations, and the one way to build a frame from them."""

import datetime as dt
import weakref
from io import StringIO

import pandas as pd
import pytest
from packaging.version import Version

from hubframe.oci.payload import Known
from hubframe.tables import FETCHED, LAYERS, PACKAGES, REPOS, TABLES, TAGS, schema
from hubframe.tables.schema import BATCH, COUNT, FLAG, FLOAT, TEXT, UTC, Column, Table

IMAGE = "repo tag platform image_digest"
# Columns in order, as the design lists them.
COLUMNS = {
    "repos": "repo namespace name repository_type description is_private is_official status "
    "star_count pull_count storage_size categories media_types content_types registered_at "
    "pushed_at modified_at",
    "search": "repo description is_official is_automated star_count pull_count",
    "tags": "repo tag digest media_type content_type status size platform_count pushed_at "
    "pulled_at aliases version is_prerelease is_digest_tag",
    "tag_history": "repo tag digest started_at ended_at is_reversion is_index size is_immutable "
    "expires_at",
    "tag_pulls": "repo tag digest pull_count pulled_at image_pull_count image_pulled_at",
    "images": "repo tag platform os architecture variant os_version image_digest index_digest "
    "media_type size layer_count status created_at pushed_at pulled_at is_attestation",
    "layers": f"{IMAGE} position layer_digest diff_id size media_type instruction created_at is_empty",
    "files": f"{IMAGE} position layer_digest entry path type size mode uid gid user group "
    "modified_at link_target whiteout",
    "packages": f"{IMAGE} type namespace name version architecture source_name source_version purl "
    "licence installed_size position layer_digest path evidence tool is_direct",
    "distributions": f"{IMAGE} id id_like version_id version_codename variant_id name cpe_name "
    "layer_digest path evidence",
    "contents": f"{IMAGE} position layer_digest path size mode sha256 text is_truncated",
    "history": f"{IMAGE} step created_at instruction created_by comment author is_empty_layer "
    "layer_digest size",
    "labels": f"{IMAGE} source key value",
    "env": f"{IMAGE} key value",
    "configs": f"{IMAGE} config_digest created_at author docker_version os architecture variant "
    "os_version user working_dir entrypoint cmd shell stop_signal exposed_ports volumes "
    "healthcheck layer_count label_count env_count size",
    "referrers": "repo tag image_digest digest artifact_type media_type size title created_at depth "
    "subject_digest",
    "sboms": f"{IMAGE} digest referrer_digest format format_version predicate_type media_type size "
    "package_count tool created_at name is_signed where path",
    "provenance": f"{IMAGE} digest predicate_type build_type builder_id invocation_id started_at "
    "finished_at source_uri source_revision source_path vcs_source vcs_revision frontend target "
    "build_arg_count is_reproducible is_hermetic is_complete_materials material_count mode "
    "is_signed subject_matches",
    "materials": f"{IMAGE} digest position uri kind material_repo material_tag material_digest "
    "material_platform git_url git_ref git_revision is_base is_frontend",
    "dockerfiles": f"{IMAGE} digest position name text sha256 line_count source base",
    "signatures": f"{IMAGE} subject_digest subject_kind digest position layer_digest number kind "
    "media_type identity issuer source_repository source_ref source_revision runner build_signer "
    "certificate_not_before certificate_not_after key_id signed_at log_index claimed_reference "
    "predicate_type status problem",
    "lifecycles": f"{IMAGE} digest subject_digest eol_at",
    "catalog": "repo",
    "limits": "host limit allowed remaining window_seconds resets_at",
}
OF_IMAGE = ("repo", "tag", "image_digest", "platform")
KEYS = {
    "repos": ("repo",),
    "search": ("repo",),
    "tags": ("repo", "tag"),
    "tag_history": ("repo", "tag", "started_at", "digest"),
    "tag_pulls": ("repo", "tag"),
    "images": OF_IMAGE,
    "layers": (*OF_IMAGE, "position"),
    "files": (*OF_IMAGE, "position", "entry"),
    "packages": (
        *OF_IMAGE,
        "evidence",
        "type",
        "namespace",
        "name",
        "version",
        "architecture",
        "path",
    ),
    "distributions": (*OF_IMAGE, "evidence"),
    "contents": (*OF_IMAGE, "path"),
    "history": (*OF_IMAGE, "step"),
    "labels": (*OF_IMAGE, "source", "key"),
    "env": (*OF_IMAGE, "key"),
    "configs": OF_IMAGE,
    "referrers": ("repo", "tag", "image_digest", "digest"),
    "sboms": (*OF_IMAGE, "digest", "path"),
    "provenance": (*OF_IMAGE, "digest"),
    "materials": (*OF_IMAGE, "digest", "position"),
    "dockerfiles": (*OF_IMAGE, "digest", "position"),
    "signatures": (*OF_IMAGE, "digest", "position", "number"),
    "lifecycles": (*OF_IMAGE, "digest"),
    "catalog": ("repo",),
    "limits": ("host", "limit"),
}
SOUND = {TEXT: "x", COUNT: 5, FLOAT: 0.5, FLAG: True, UTC: "2024-01-02T03:04:05.678901Z"}
HOSTILE = [
    None, "", "x", "\0", "\ud800", "é" * 3, "=1", 0, -1, 5, 2**63 - 1, 2**63, 10**30, -(10**30),
    1.5, 3.0, float("nan"), float("inf"), True, False, [], [1], {}, {"a": 1}, (), b"x",
    "12", "-5", " 12", "٣", "now", "NaT", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00",
]  # fmt: skip

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def dtypes(frame):
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def test_the_fetched_tables_are_those_of_the_design():
    assert {name: list(table.dtypes) for name, table in FETCHED.items()} == {
        name: columns.split() for name, columns in COLUMNS.items()
    }
    assert {name: table.key for name, table in FETCHED.items()} == KEYS


@every_table
def test_declarations_are_sound(table):
    assert TABLES[table.name] is table
    assert set(table.key) <= set(table.dtypes)
    assert set(table.dtypes.values()) <= {
        "str", "Int64", "Float64", "boolean", "datetime64[us, UTC]"
    }  # fmt: skip
    for column in table.columns:
        assert column.meaning.endswith((".", "]")), column
        assert not column.may_be_empty or (column.dtype == TEXT and not column.nullable), column
        # The sentinels mean "no date" where builders wrote them, and nowhere else.
        is_of_build = table.name == "provenance" and column.dtype == UTC
        assert column.no_epoch == (column.name == "created_at" or is_of_build), column


@every_table
@pytest.mark.parametrize("values", [{}, {"rows": [SOUND]}, {"rows": [{}]}, {"rows": HOSTILE}])
def test_dtypes_are_the_declared_ones_whatever_comes(table, values):
    rows = values.get("rows", [])
    frame = table.frame(
        {
            column.name: [row.get(column.dtype) if isinstance(row, dict) else row for row in rows]
            for column in table.columns
        }
    )
    assert dtypes(frame) == dict(table.dtypes)
    assert list(frame.columns) == list(table.dtypes)
    assert len(frame) == len(rows)
    assert isinstance(frame.index, pd.RangeIndex)


@every_table
def test_missing_is_null_and_only_may_be_empty_columns_are_empty(table):
    frame = table.frame(dict.fromkeys(table.dtypes, HOSTILE))
    for column in table.columns:
        values = frame[column.name]
        if column.may_be_empty:
            assert not values.isna().any()
            assert values[0] == values[1] == ""
            continue
        assert pd.isna(values[0])
        assert pd.isna(values[1])
        if column.dtype == TEXT:
            assert not (values == "").any()
        if column.dtype == COUNT and not column.may_be_negative:
            assert (values.dropna() >= 0).all()


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_records_become_a_frame_some_at_a_time(count, monkeypatch):
    """Mappings take several times the room of the frame that is made of them."""
    held, most = [], []

    def records():
        for number in range(count):
            record = Record(repo=f"a/{number}", star_count=None if number == 0 else number)
            held.append(weakref.ref(record))
            most.append(sum(each() is not None for each in held))
            yield record

    monkeypatch.setattr(schema, "BATCH", 3)
    frame = REPOS.from_records(records())

    assert dtypes(frame) == dict(REPOS.dtypes)
    assert frame["repo"].tolist() == [f"a/{number}" for number in range(count)]
    assert frame["star_count"].tolist() == [pd.NA, *range(1, 20)][:count]
    assert list(frame.index) == list(range(count))
    # Those of a frame, those that come after them, and the one just made.
    assert max(most, default=0) <= 2 * 3 + 1


class Record(dict):
    """A mapping whose end is seen."""


@every_table
def test_columns_left_out_are_null_and_unknown_keys_are_ignored(table):
    frame = table.from_records([{"nonsense": 1, table.key[0]: "x"}])
    assert dtypes(frame) == dict(table.dtypes)
    assert frame[table.key[0]].tolist() == ["x"]


@every_table
def test_concat_filters_and_merges_keep_the_dtypes(table):
    one = table.frame({column.name: [SOUND[column.dtype]] * 3 for column in table.columns})
    # pandas before 3.1 ends text at a NUL, and then finds that two texts are the same.
    is_old = Version(pd.__version__) < Version("3.1")
    hostile = [each for each in HOSTILE if not (is_old and each == "\0")]
    none, other = table.frame(), table.frame(dict.fromkeys(table.dtypes, hostile))
    for parts in ([one, other], [one, none], [none, one], [none, none]):
        assert dtypes(pd.concat(parts, ignore_index=True)) == dict(table.dtypes)
    first = table.key[0]
    assert dtypes(one[one[first] == "y"]) == dict(table.dtypes)
    assert dtypes(other[other[first].notna()]) == dict(table.dtypes)
    for how in ("inner", "left", "outer"):
        for right in (one, none, other):
            merged = one.merge(right, on=list(table.key), how=how, suffixes=("", "_right"))
            assert {name: str(merged[name].dtype) for name in table.dtypes} == dict(table.dtypes)


def test_markdown_shows_every_column():
    columns = (
        Column("a", TEXT, "One.", nullable=False),
        Column("n", COUNT, "Two. [bytes]"),
        Column("t", TEXT, "Three.", may_be_empty=True),
    )
    assert Table("t", "a thing", ("a",), columns).markdown() == (
        "| column | dtype | unit | missing | meaning |\n|---|---|---|---|---|\n"
        "| `a` | `str` |  | never | One. |\n"
        "| `n` | `Int64` | bytes | null | Two. |\n"
        '| `t` | `str` |  | `""` | Three. |\n'
    )


@every_table
def test_markdown_has_five_cells_a_line(table):
    lines = table.markdown().splitlines()
    assert len(lines) == len(table.columns) + 2
    assert all(line.count("|") == 6 for line in lines)


def test_text_of_other_types_is_null_and_half_surrogates_are_replaced():
    series = Column("a", TEXT, "").series(["ok", 5, True, ["x"], {"a": 1}, "\ud800x", "\0", "😀"])
    assert series.isna().tolist() == [False, True, True, True, True, False, False, False]
    assert series[5] == "\ufffdx"
    assert series.dropna().tolist() == ["ok", "\ufffdx", "\0", "😀"]


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0, 0), (7, 7), (2**63 - 1, 2**63 - 1), (12_981_954_060, 12_981_954_060), ("12", 12),
        (3.0, 3), (1e9, 10**9), (2**63, None), (-1, None), (1.5, None), (True, None), ("-1", None),
        (" 1", None), ("1e3", None), ("٣", None), ("9" * 30, None), (float("nan"), None),
        (float("inf"), None), ([1], None), ({}, None), (None, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("beside", [[], [5], ["x"], [None]])
def test_a_count_does_not_depend_on_the_other_rows(value, count, beside):
    found = Column("n", COUNT, "").series([value, *beside])[0]
    assert pd.isna(found) if count is None else found == count


def test_a_number_that_is_too_large_leaves_what_is_missing_missing():
    found = Column("n", COUNT, "").series([None, 2**63, 5, -1, 0])
    assert found.isna().tolist() == [True, True, False, True, False]
    assert found.dropna().tolist() == [5, 0]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0.0), (-1.5, -1.5), (5, 5.0), ("0.1", 0.1), ("1e-7", 1e-7), ("-0.0", 0.0), (1e308, 1e308),
        (float("inf"), None), (float("nan"), None), ("nan", None), ("inf", None), (10**400, None),
        (True, None), ("x", None), ("", None), ([1], None), (None, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("beside", [[], [5], ["x"], [None]])
def test_a_number_is_finite_and_does_not_depend_on_the_other_rows(value, number, beside):
    series = Column("n", FLOAT, "").series([value, *beside])
    assert str(series.dtype) == FLOAT
    assert pd.isna(series[0]) if number is None else series[0] == number


def test_a_frame_of_arrays_has_the_declared_columns_in_order():
    table = Table(
        "t", "a thing", ("a",), (Column("a", TEXT, "One."), Column("share", FLOAT, "Two."))
    )
    frame = table.of({"share": [0.5, float("nan")], "a": ["x", None], "more": [1, 2]})
    assert dtypes(frame) == dict(table.dtypes)
    assert frame["share"].isna().tolist() == [False, True]
    with pytest.raises(KeyError, match="share"):
        table.of({"a": ["x"]})


def test_a_wrong_frame_is_named_with_what_it_lacks():
    LAYERS.require(LAYERS.frame())
    LAYERS.require(LAYERS.frame()[["repo", "size"]], ["repo", "size"])
    with pytest.raises(TypeError, match="a list was given in place of the layers frame"):
        LAYERS.require(["ansible/ansible"])
    with pytest.raises(
        ValueError, match="not the layers frame: it lacks the columns size, is_empty"
    ):
        LAYERS.require(LAYERS.frame().drop(columns=["size", "is_empty"]))


def test_a_frame_that_lost_its_dtypes_in_a_file():
    text = (
        "repo,tag,pushed_at\na,{},2026-01-02 00:00:00+00:00\na,{},2026-01-02 03:04:05.678+00:00\n"
    )
    names = ["repo", "tag", "pushed_at"]
    read = TAGS.require(pd.read_csv(StringIO(text.format("3.10", "3.9-slim"))), names)
    assert read["pushed_at"].dtype == "datetime64[us, UTC]"
    assert str(read["pushed_at"][1]) == "2026-01-02 03:04:05.678000+00:00"
    with pytest.raises(
        ValueError, match=r"tag of this tags frame is float64.*read_csv\(path, 'tags"
    ):
        TAGS.require(pd.read_csv(StringIO(text.format("3.10", "3.9"))), names)
    with pytest.raises(ValueError, match="several columns tag"):
        TAGS.require(pd.concat([read, read["tag"]], axis=1), names)
    # What holds nothing is of no kind.
    assert TAGS.require(read.assign(tag=float("nan")), names)["tag"].isna().all()


def test_flags_are_booleans_only():
    assert Column("f", FLAG, "").series([True, False, None, 1, 0, "true"]).isna().tolist() == [
        False, False, True, True, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09.000000"),
        ("2024-05-06T07:08:09.5Z", "2024-05-06T07:08:09.500000"),
        ("2024-05-06T07:08:09.12345Z", "2024-05-06T07:08:09.123450"),
        ("2024-05-06T07:08:09.123456Z", "2024-05-06T07:08:09.123456"),
        ("2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09.123456"),
        ("2024-05-06T07:08:09+02:00", "2024-05-06T05:08:09.000000"),
        ("2024-05-06T07:08:09.123456789-07:30", "2024-05-06T14:38:09.123456"),
        ("2024-05-06T07:08:09", "2024-05-06T07:08:09.000000"),
        ("2024-05-06 07:08:09.1+00:00", "2024-05-06T07:08:09.100000"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999"),
        ("1677-01-01T00:00:00Z", "1677-01-01T00:00:00.000000"),
        ("1980-01-02T00:00:00Z", "1980-01-02T00:00:00.000000"),
    ],
)
def test_dates(written, at):
    for no_epoch in (False, True):
        column = Column("at", UTC, "", no_epoch=no_epoch)
        # Beside others, whose precision must not matter.
        found = column.series(
            [written, "2020-01-01T00:00:00.123456789Z", None, "0001-01-01T00:00:00Z"]
        )
        assert str(found.dtype) == UTC
        assert found[0] == pd.Timestamp(dt.datetime.fromisoformat(at), tz="UTC")


@pytest.mark.parametrize(
    "written",
    [
        "", "now", "today", "NaT", "nan", "None", "yesterday", "2024-13-01T00:00:00Z", "2024-02-30",
        "2024-01-01T25:00:00Z", "2016-12-31T23:59:60Z", "2024-01-01T00:00:00+99:99", "1700000000",
        "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
        # Beyond the calendar once in UTC: pandas makes years around 1970 of them.
        "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00",
        "\ud800", "2024-01-01 00:00:00 +0000 UTC", 1700000000, 1.5, True, [], {}, None,
    ],
)  # fmt: skip
def test_what_is_no_date_is_null(written):
    assert Column("at", UTC, "").series([written]).isna().all()


@pytest.mark.parametrize(
    "written",
    [
        "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z",
        "1980-01-01T00:00:00Z", "1980-01-01T00:00:01Z", "1969-12-31T19:00:00-05:00",
    ],
)  # fmt: skip
def test_dates_that_mean_no_date_are_null_in_created_at_only(written):
    assert Column("created_at", UTC, "", no_epoch=True).series([written]).isna().all()
    assert Column("pushed_at", UTC, "").series([written]).notna().all()


def test_what_is_known_is_not_read_again():
    read = []
    known = Known(lambda written: read.append(written) or len(written), most=2, longest=3)
    assert [known[written] for written in ("a", "bb", "a", "long", "long")] == [1, 2, 1, 4, 4]
    assert read == ["a", "bb", "long", "long"]
    assert [known[written] for written in ("ccc", "bb")] == [3, 2]
    assert len(known) <= 2


def test_a_date_that_comes_again_is_read_once(monkeypatch):
    read = []
    monkeypatch.setattr(schema, "_instant", read.append)
    column = Column("at", UTC, "")
    for _ in range(2):
        column.series(["a date of this test", "another of them", None] * 3)
    assert sorted(read) == ["a date of this test", "another of them"]


@pytest.mark.parametrize("sizes", [[], [0], [1], [3, 0, 2], [BATCH - 1, 1, 1], [2 * BATCH, 5]])
def test_groups_are_rows_that_have_the_first_columns_in_common(sizes):
    columns = PACKAGES.columns
    groups = [
        (
            (f"repo{place}", None, "linux/amd64", f"sha256:{place}"),
            [
                [place * row if column.dtype == "Int64" else None for row in range(size)]
                for column in columns[4:]
            ],
        )
        for place, size in enumerate(sizes)
    ]
    rows = [(*key, *row) for key, others in groups for row in zip(*others, strict=True)]
    found = PACKAGES.from_groups(iter(groups))
    pd.testing.assert_frame_equal(found, PACKAGES.from_rows(rows))
    assert len(found) == sum(sizes)

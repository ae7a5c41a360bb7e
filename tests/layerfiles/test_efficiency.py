"""dive's formulas, on layers whose answers were worked out by hand."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hubframe
from hubframe.tables import FILES
from hubframe.tables.measured import EFFICIENCY, WASTED


def files(*layers, tag="1"):
    """Make a frame: each layer a list of paths with sizes; `-path` removes, `path/` is a folder."""
    records = []
    for position, layer in enumerate(layers):
        for number, (path, size) in enumerate(layer):
            records.append(
                {
                    "repo": "acme/tool", "tag": tag, "platform": "linux/amd64",
                    "image_digest": f"sha256:{tag}", "position": position, "entry": number,
                    "layer_digest": f"sha256:{position}", "path": path.strip("-/"), "size": size,
                    "type": "directory" if path.endswith("/") else "file",
                    "whiteout": "removed" if path.startswith("-") else None,
                }
            )  # fmt: skip
    return FILES.from_records(records)


def figures(*layers):
    (row,) = hubframe.efficiency(files(*layers)).to_dict("records")
    return row


def test_nothing_twice_is_nothing_wasted():
    row = figures([("a/", 0), ("a/x", 10)], [("b", 5)])
    assert (row["efficiency"], row["wasted_size"], row["wasted_share"]) == (1.0, 0, 0.0)
    assert (row["size"], row["user_size"], row["layer_count"], row["path_count"]) == (15, 5, 2, 2)


def test_a_file_that_is_written_again_counts_with_all_copies():
    row = figures([("a", 100), ("b", 300)], [("a", 60)], [("a", 40)])
    # Smallest 40 + 300, of 200 + 300.
    assert row["efficiency"] == 340 / 500
    assert (row["wasted_size"], row["surplus_size"]) == (200, 160)
    assert row["wasted_share"] == 200 / 100


def test_a_file_that_is_removed_counts_once_and_as_nothing():
    row = figures([("a", 100), ("b", 300)], [("-a", 0)])
    assert row["efficiency"] == 300 / 400
    assert row["wasted_size"] == 100
    assert pd.isna(row["wasted_share"])


def test_the_removal_of_a_directory_counts_what_was_in_it():
    layers = [("d/", 0), ("d/x", 100), ("d/e/", 0), ("d/e/y", 50), ("k", 10)], [("-d", 0)]
    wasted = hubframe.wasted_df(files(*layers))
    # The directory is no leaf below, so its path stands once alone: 150 for its removal.
    assert wasted.empty
    assert figures(*layers)["efficiency"] == (100 + 50 + 10 + 150) / (100 + 50 + 10 + 150)
    again = (*layers, [("d/", 0), ("d/x", 7)], [("-d", 0)])
    row = figures(*again)
    # d/x: 100 and 7; d: removals of 150 and of 7.
    assert row["wasted_size"] == 107 + 157
    assert row["efficiency"] == (7 + 50 + 10 + 7) / (107 + 50 + 10 + 157)


def test_what_is_wasted_most_comes_first():
    wasted = hubframe.wasted_df(files([("a", 5), ("b", 50)], [("b", 60), ("-a", 0)], [("a", 9)]))
    assert wasted[["path", "copy_count", "removed_count", "min_size", "wasted_size"]].to_numpy().tolist() == [
        ["b", 2, 0, 50, 110], ["a", 3, 1, 0, 14]
    ]  # fmt: skip
    assert wasted[["surplus_size", "first_position", "last_position"]].to_numpy().tolist() == [
        [60, 0, 1], [14, 0, 2]
    ]  # fmt: skip


def test_the_last_entry_of_a_path_counts_and_opaque_directories_for_nothing():
    frame = files([("a", 5), ("a", 7)], [("a", 1), ("o/", 0)])
    frame.loc[frame["path"] == "o", "whiteout"] = "opaque"
    (row,) = hubframe.wasted_df(frame).to_dict("records")
    assert (row["path"], row["wasted_size"]) == ("a", 8)


def test_images_are_apart():
    both = pd.concat([files([("a", 5)], [("a", 5)]), files([("a", 5)], tag="2")])
    found = hubframe.efficiency(both)
    assert found["tag"].tolist() == ["1", "2"]
    assert found["efficiency"].tolist() == [0.5, 1.0]
    assert hubframe.wasted_df(both)["tag"].tolist() == ["1"]


@pytest.mark.parametrize(
    ("function", "table"), [(hubframe.efficiency, EFFICIENCY), (hubframe.wasted_df, WASTED)]
)
def test_no_files_are_a_typed_frame_without_rows(function, table):
    found = function(FILES.frame())
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == table.dtypes
    with pytest.raises(ValueError, match="files frame"):
        function(FILES.frame().drop(columns="path"))
    with pytest.raises(TypeError):
        function([])


PATHS = st.sampled_from(["a", "b", "d/x", "d/e/y", "-a", "-d", "-d/x", "d/", "d/e/"])


@given(st.lists(st.lists(st.tuples(PATHS, st.integers(0, 1000)), max_size=6), max_size=4))
def test_figures_stay_within_their_bounds(layers):
    sized = [[(p, 0 if p[0] == "-" or p[-1] == "/" else size) for p, size in one] for one in layers]
    frame = files(*sized)
    wasted = hubframe.wasted_df(frame)
    for row in hubframe.efficiency(frame).to_dict("records"):
        assert 0 <= row["efficiency"] <= 1
        assert 0 <= row["surplus_size"] <= row["wasted_size"]
        assert row["wasted_size"] == wasted["wasted_size"].sum()
    assert (wasted["copy_count"] > 1).all()

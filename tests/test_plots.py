"""What the pictures hold: bars, dots, names and legends."""

import doctest
import warnings
from itertools import pairwise

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from hubframe import plots
from hubframe.plots import wording
from hubframe.plots.style import BLUES, ORANGES
from hubframe.tables import TABLES

from .test_measure import ALIAS, IMAGE, NEVER, OTHER, frames, hub, label, layer, small

HOSTILE = "<script>alert(1)</script>$x^2$ $\\bad{\x1b[31m\n\u202e\u732b\U0001f98a" + "n" * 300
PLOTS = {
    "pulls": lambda world, ax: plots.plot_pulls(world["repos"], ax=ax),
    "tags": lambda world, ax: plots.plot_tags(world["tags"], ax=ax),
    "layers": lambda world, ax: plots.plot_layers(world["layers"], ax=ax),
    "labels": lambda world, ax: plots.plot_label_coverage(world["labels"], world["images"], ax=ax),
}


def axes():
    return Figure(layout="constrained").subplots()


def draw(ax):
    """Render, since much of what can go wrong goes wrong there."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FigureCanvasAgg(ax.figure).draw()
    return ax


def rows(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def texts(ax):
    return [text.get_text().replace(wording.BLANK, " ") for text in ax.texts]


def legend(ax):
    return [text.get_text().replace(wording.BLANK, " ") for text in ax.get_legend().get_texts()]


def repos(**pulls):
    return frames(repos=[{"repo": repo, "pull_count": count} for repo, count in pulls.items()])[
        "repos"
    ]


def hostile():
    """A world in which every text is a prank, and dates are missing or absurd."""
    world = hub(repos=2, tags=4)
    for frame in world.values():
        for name, dtype in frame.dtypes.items():
            if str(dtype) == "str" and name != "key":
                frame[name] = frame[name] + HOSTILE
    world["tags"]["pushed_at"] = pd.to_datetime(
        [None, NEVER, "9999-12-31", "2026-01-01"] * 2, format="ISO8601", utc=True
    ).as_unit("us")
    return world


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "world",
    [frames(), hub(repos=1, tags=1), hub(repos=2, tags=2), hostile(), hub(repos=25, tags=200)],
    ids=["empty", "one row", "few", "hostile", "5,000 rows"],
)
def test_every_picture_can_be_drawn(plot, world, dark):
    before = dict(mpl.rcParams)
    with plots.style(dark=dark):
        ax = axes()
        assert plot(world, ax) is ax
        draw(ax)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_frames_stay_as_they_were(plot):
    world = hub(repos=3, tags=5)
    before = {name: frame.copy() for name, frame in world.items()}
    plot(world, axes())
    for name, frame in world.items():
        pd.testing.assert_frame_equal(frame, before[name])


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_strangers_text_is_short_legible_and_no_formula(plot):
    ax = draw(plot(hostile(), axes()))
    for name in rows(ax):
        assert len(name) <= 42
        assert name.isprintable()
        assert "$" not in name.replace(r"\$", "")


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_nothing_to_show_is_said(plot):
    assert "nothing to show" in texts(draw(plot(frames(), axes())))[0]


def test_pulls_are_ranked_and_unknown_ones_left_out():
    ax = draw(plots.plot_pulls(repos(few=12, unknown=None, many=3_200_000, none=0), ax=axes()))
    assert rows(ax) == ["many", "few", "none"]
    assert [bar.get_width() for bar in ax.patches] == [3_200_000, 12, 0]
    assert texts(ax) == ["3.2 M", "12", "0"]
    assert ax.get_xscale() == "log"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.get_title(loc="left") + ax.get_title() == "Pulls: 3 of 4 repositories"


def test_pulls_show_sixty_and_say_so():
    ax = draw(plots.plot_pulls(hub(repos=75, tags=1)["repos"], ax=axes()))
    assert len(ax.patches) == 60
    assert "60 of 75" in ax.get_title(loc="left") + ax.get_title()


def test_rows_do_not_touch():
    ax = plots.plot_pulls(hub(repos=60, tags=1)["repos"], ax=axes())
    FigureCanvasAgg(ax.figure).draw()
    boxes = [text.get_window_extent() for text in ax.get_yticklabels()]
    assert not any(upper.y0 < lower.y1 - 1 for upper, lower in pairwise(boxes))


def test_options_reach_the_artists():
    world = small()
    assert (
        to_hex(plots.plot_pulls(repos(a=1), ax=axes(), color="red").patches[0].get_facecolor())
        == "#ff0000"
    )
    assert plots.plot_layers(world["layers"], ax=axes(), height=0.2).patches[0].get_height() == 0.2


def test_tags_have_a_row_per_repository_and_a_marker_per_kind():
    ax = draw(plots.plot_tags(hub(repos=3, tags=25)["tags"], ax=axes()))
    assert rows(ax) == ["library/nginx (24)", "acme/api (24)", "acme/web-frontend (24)"]
    assert legend(ax) == ["versions", "other tags", "signatures and other digests"]
    assert sum(len(dots.get_offsets()) for dots in ax.collections) == 72
    heights = {round(y) for dots in ax.collections for _, y in dots.get_offsets()}
    assert heights == {0, 1, 2}
    assert "72 of 75 tags" in ax.get_title(loc="left") + ax.get_title()
    assert "3 tags without a date" in ax.get_xlabel()


def test_tags_show_forty_repositories_and_say_so():
    ax = draw(plots.plot_tags(hub(repos=45, tags=3)["tags"], ax=axes()))
    assert len(rows(ax)) == 40
    assert "5 more repositories" in ax.get_xlabel()


def test_tags_know_dates_after_pandas_took_over_the_converters():
    pd.plotting.register_matplotlib_converters()
    try:
        draw(plots.plot_tags(hub(repos=1, tags=9)["tags"], ax=axes()))
    finally:
        pd.plotting.deregister_matplotlib_converters()


def test_layers_have_one_colour_and_shared_ones_are_blue():
    ax = draw(plots.plot_layers(small()["layers"], ax=axes()))
    assert rows(ax) == ["a/b:1", "a/b:latest", "a/c:2"]
    assert [bar.get_width() for bar in ax.patches] == [300, 100, 300, 100, 300, 700, 700]
    assert [bar.get_x() for bar in ax.patches] == [0, 300, 0, 300, 0, 300, 1000]
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    base, app, *_ = colours
    assert colours[:5] == [base, app, base, app, base]
    assert colours[5] == colours[6]
    assert base in BLUES
    assert set(colours) - {base} <= set(ORANGES)
    assert legend(ax) == [
        "in two or more images: 1 layer, 300 B",
        "in one image alone: 2 layers, 800 B",
    ]
    assert texts(ax) == ["400 B", "400 B", "1.7 kB"]


def test_layers_show_the_newest_and_one_platform():
    world = hub(repos=1, tags=25)
    arm = world["layers"].assign(platform="linux/arm64", image_digest=None)
    ax = draw(plots.plot_layers(pd.concat([world["layers"], arm]), newest=5, ax=axes()))
    assert rows(ax) == ["latest", "4.11.0", "4.10.0", "4.9.0", "4.8.0"]
    assert len(ax.patches) == 20


def test_layers_of_images_without_a_tag_are_named_by_digest():
    layers = frames(
        layers=[layer(IMAGE | {"tag": None, "image_digest": "sha256:" + "0f" * 32}, "x", 0)]
    )
    assert rows(plots.plot_layers(layers["layers"], ax=axes())) == ["sha256:0f0f0f0f0f0f"]


def test_coverage_is_written_in_per_cent():
    labels = TABLES["labels"].from_records([label(IMAGE, "title", "B"), label(OTHER, "url", "u")])
    bare = IMAGE | {"tag": "0", "image_digest": "sha256:0"}
    images = TABLES["images"].from_records(
        image | {"is_attestation": False} for image in (IMAGE, ALIAS, bare, OTHER)
    )
    ax = draw(plots.plot_label_coverage(labels, images, ax=axes()))
    assert rows(ax) == ["a/b (2)", "a/c (1)"]
    columns = [text.get_text() for text in ax.get_xticklabels()]
    assert columns[0] == "created"
    cells = texts(ax)
    assert len(cells) == 2 * 13
    assert cells[columns.index("title")] == "50 %"
    assert cells[13 + columns.index("url")] == "100 %"
    assert cells[13 + columns.index("title")] == "0 %"


def test_pyplot_gives_the_axes_where_none_are_given():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    plt.close("all")
    try:
        ax = plots.plot_pulls(hub(repos=40, tags=1)["repos"])
        assert ax.figure.get_figheight() > 10
        assert plots.plot_pulls(repos(a=1)) is ax
    finally:
        plt.close("all")


def test_wording_keeps_its_promises():
    assert doctest.testmod(wording, raise_on_error=True).attempted > 0
    assert wording.size(999_999).replace(wording.BLANK, " ") == "1 MB"
    assert wording.size(0).replace(wording.BLANK, " ") == "0 B"
    assert wording.large(10**16).replace(wording.BLANK, " ") == "10,000 tn"

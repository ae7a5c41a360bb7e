"""What the pictures hold: bars, dots, names and legends."""

import doctest
import os
import signal
import warnings
from functools import cache
from itertools import pairwise
from threading import Event, Thread

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

import hubframe
from hubframe import plots
from hubframe.measure import compare_frames, identity
from hubframe.measure.figures import MAKE_UP
from hubframe.plots import cells, wording
from hubframe.snapshots.dataset import observed, run_row
from hubframe.tables import TABLES

from .measure.planted import planted
from .test_measure import ALIAS, IMAGE, NEVER, OTHER, frames, hub, label, layer, small

HOSTILE = "<script>alert(1)</script>$x^2$ $\\bad{\x1b[31m\n\u202e\u732b\U0001f98a" + "n" * 300
NOW = "2026-11-24"
PLOTS = {
    "shared layers": lambda world, ax: plots.plot_shared_layers(world["layers"], ax=ax),
    "similarity": lambda world, ax: plots.plot_similarity(
        hubframe.similarity_df(world["layers"], at_least=0.6), ax=ax
    ),
    "parents": lambda world, ax: plots.plot_parents(
        hubframe.parents_df(world["layers"]),
        hubframe.outdated_df(world["layers"], world["tags"]),
        ax=ax,
    ),
    "layer sizes": lambda world, ax: plots.plot_layer_sizes(world["layers"], ax=ax),
    "footprint": lambda world, ax: plots.plot_footprint(
        hubframe.footprint_df(world["layers"]), ax=ax
    ),
    "latest lag": lambda world, ax: plots.plot_latest_lag(
        hubframe.latest_lag_df(world["tags"]), ax=ax
    ),
    "staleness": lambda world, ax: plots.plot_staleness(
        hubframe.staleness_df(world["tags"], NOW), ax=ax
    ),
    "cadence": lambda world, ax: plots.plot_cadence(hubframe.cadence_df(world["tags"]), ax=ax),
    "cleanup": lambda world, ax: plots.plot_cleanup(
        hubframe.cleanup_df(world["tags"], world["layers"], keep=1, now=NOW), ax=ax
    ),
    "duplicates": lambda world, ax: plots.plot_duplicates(
        hubframe.duplicates_df(world["layers"]), ax=ax
    ),
    "comparison": lambda world, ax: plots.plot_comparison(compared(world["layers"]), ax=ax),
    "packages": lambda world, ax: plots.plot_packages(
        packaged(world["layers"]), world["layers"], ax=ax
    ),
    "package changes": lambda world, ax: plots.plot_package_changes(
        packaged(world["layers"]), ax=ax
    ),
    "size trend": lambda world, ax: plots.plot_size_trend(
        hubframe.size_trend_df(world["layers"]), ax=ax
    ),
    "coverage": lambda world, ax: plots.plot_coverage(
        hubframe.coverage_df(world["labels"], world["images"]), ax=ax
    ),
    "platform coverage": lambda world, ax: plots.plot_platform_coverage(
        hubframe.platform_coverage_df(world["images"]), ax=ax
    ),
    "pulls over time": lambda world, ax: plots.plot_pulls_over_time(
        hubframe.pulls_over_time_df(world["seen"]), ax=ax
    ),
    "stars over time": lambda world, ax: plots.plot_repos_over_time(
        hubframe.repos_over_time_df(world["seen"]), ax=ax
    ),
    "tag moves": lambda world, ax: plots.plot_tag_moves(
        hubframe.tag_moves_df(world["seen"]), ax=ax
    ),
    "mutable tags": lambda world, ax: plots.plot_mutable_tags(
        hubframe.mutable_tags_df(world["seen"]), ax=ax
    ),
    "eol": lambda world, ax: plots.plot_eol(hubframe.eol_df(world["tags"], today=NOW), ax=ax),
    "vulnerability summary": lambda world, ax: plots.plot_vulnerability_summary(
        found_in(world["layers"]), world["layers"], ax=ax
    ),
    "figures": lambda world, ax: plots.plot_figures(hubframe.summary(world["layers"]), ax=ax),
    "pulls": lambda world, ax: plots.plot_pulls(world["repos"], ax=ax),
    "tags": lambda world, ax: plots.plot_tags(world["tags"], ax=ax),
    "layers": lambda world, ax: plots.plot_layers(world["layers"], ax=ax),
    "labels": lambda world, ax: plots.plot_label_coverage(world["labels"], world["images"], ax=ax),
}


def axes(height=12):
    # Few pixels: what is looked at are the artists.
    return Figure(layout="constrained", dpi=50, figsize=(9, height)).subplots()


def draw(ax):
    """Render, since much of what can go wrong goes wrong there."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FigureCanvasAgg(ax.figure).draw()
    return ax


def rows(ax):
    return [text.get_text().replace(wording.BLANK, " ") for text in ax.get_yticklabels()]


def texts(ax):
    return [text.get_text().replace(wording.BLANK, " ") for text in ax.texts]


def legend(ax):
    return [text.get_text().replace(wording.BLANK, " ") for text in ax.get_legend().get_texts()]


def seen(world, days=(0, 1, 2, 9, 10)):
    """The repositories and tags of a world as runs saw them; every third tag moves each day."""
    runs, repos, tags = [], [], []
    for day in days:
        at = pd.Timestamp("2026-11-01T06:00:00Z") + pd.Timedelta(days=day)
        counts = {"repo_count": len(world["repos"]), "tag_count": len(world["tags"])}
        row = run_row(f"day-{day}", "part", at, source="hub", **counts)
        tagged = world["repos"].assign(tag_count=len(world["tags"]))
        # The Hub forgets nearly all pulls on the last day.
        tagged["pull_count"] = (
            tagged["pull_count"] * (10 + day) // (1000 if day == days[-1] else 10)
        )
        moved = world["tags"].copy()
        moved["digest"] = moved["digest"].mask(moved.index % 3 == 0, moved["digest"] + str(day))
        runs.append(TABLES["runs"].from_records([row]))
        repos.append(observed(tagged, TABLES["observed_repos"], row))
        tags.append(observed(moved, TABLES["observed_tags"], row))
    told = {"observed_repos": pd.concat(repos), "observed_tags": pd.concat(tags)}
    return hubframe.Snapshots(pd.concat(runs), lambda table: told[table.name])


def compared(layers):
    """Compare the first image with each of the next two."""
    images = [rows for _, rows in layers.groupby(identity(layers), sort=False)][:3]
    if len(images) < 2:
        return TABLES["comparison"].frame()
    return compare_frames([{"layers": rows.drop_duplicates("position")} for rows in images])


KINDS = ("deb", "pypi", "npm")


def packaged(layers, kinds=KINDS):
    """Packages that layers brought: of each kind one, whose version is the layer's digest."""
    parts = [
        layers.assign(
            type=kind,
            name="of layer " + layers["position"].astype("str"),
            version=layers["layer_digest"],
            path=f"var/lib/{kind}",
            evidence="layers",
        )
        for kind in kinds
    ]
    rows = pd.concat(parts).sort_index(kind="stable")
    return TABLES["packages"].of(rows.reindex(columns=list(TABLES["packages"].dtypes)))


def found_in(layers):
    """Vulnerabilities that layers brought, as many as there are, by layer."""
    rows = layers.assign(id=layers["layer_digest"], type="deb", name="c", severity="high")
    rows = rows.assign(state="affected", evidence="x").reindex(
        columns=list(TABLES["vulnerabilities"].dtypes)
    )
    return hubframe.vulnerability_summary_df(TABLES["vulnerabilities"].of(rows), by="layer")


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


WORLDS = {
    "empty": frames,
    "one row": lambda: hub(repos=1, tags=1),
    "few": lambda: hub(repos=2, tags=2),
    "hostile": hostile,
    # More than there are rows of: 45 repositories, a thousand tags, four thousand layers.
    "many": lambda: hub(repos=45, tags=22),
}
PAIRS = [(plot, world) for plot in PLOTS for world in WORLDS]


@cache
def world_of(name):
    """A world, made once, and as snapshots saw it."""
    world = WORLDS[name]()
    return world | {"seen": seen(world)}


@cache
def picture(plot, name):
    """Draw a plot of a world once, light or dark: each plot and each world meets either."""
    world = world_of(name)
    before = {table: frame.copy() for table, frame in world.items() if table != "seen"}
    settings = dict(mpl.rcParams)
    size = (9, 9) if name == "many" else None
    with plots.style(dark=(list(PLOTS).index(plot) + list(WORLDS).index(name)) % 2 == 1):
        ax = Figure(layout="constrained", dpi=50, figsize=size).subplots()
        assert PLOTS[plot](world, ax) is ax
        draw(ax)
    assert dict(mpl.rcParams) == settings
    assert all(world[table].equals(frame) for table, frame in before.items())
    return ax


@pytest.mark.parametrize(("plot", "world"), PAIRS, ids=map("-".join, PAIRS))
def test_every_picture_can_be_drawn_and_leaves_frames_and_settings_as_they_were(plot, world):
    ax = picture(plot, world)
    assert title(ax)
    if world == "empty":
        assert "nothing to show" in texts(ax)[0]
    elif world in ("few", "many"):
        assert ax.has_data() or "nothing to show" in texts(ax)[0]


def assert_legible(ax):
    for name in rows(ax):
        assert len(name) <= 46
        assert name.isprintable()
    for text in ax.findobj(Text):
        assert "$" not in text.get_text() or not text.get_parse_math(), text


@pytest.mark.parametrize("plot", PLOTS)
def test_strangers_text_is_short_legible_and_no_formula(plot):
    assert_legible(picture(plot, "hostile"))


def test_strangers_names_of_relatives_and_copies_are_short_and_legible():
    layers = planted(1, bases=1, apps=1).layers
    layers = layers.assign(repo=layers["repo"] + HOSTILE, tag=layers["tag"] + HOSTILE)
    for plot, frame in (
        (plots.plot_parents, hubframe.parents_df(layers)),
        (plots.plot_duplicates, hubframe.duplicates_df(layers)),
    ):
        ax = draw(plot(frame, ax=axes()))
        assert len(rows(ax)) > 1
        assert_legible(ax)


def test_pulls_are_ranked_and_unknown_ones_left_out():
    ax = draw(plots.plot_pulls(repos(few=12, unknown=None, many=3_200_000, none=0), ax=axes()))
    assert rows(ax) == ["many", "few", "none"]
    assert [bar.get_width() for bar in ax.patches] == [3_200_000, 12, 0]
    assert texts(ax) == ["3.2 M", "12", "0"]
    assert ax.get_xscale() == "linear"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.get_title(loc="left") + ax.get_title() == "Pulls: 3 of 4 repositories"


def test_a_logarithmic_axis_has_dots_and_no_bars():
    ax = draw(plots.plot_pulls(repos(few=12, many=3_200_000, none=0), log=True, ax=axes()))
    assert ax.get_xscale() == "log"
    assert not ax.patches
    assert [dot[0] for dot in ax.collections[0].get_offsets().tolist()] == [3_200_000, 12, 1]
    assert texts(ax) == ["3.2 M", "12", "0"]
    for log in (True, False):
        versions = [tag(f"a/b:{n}.0.0", f"sha256:{n}", f"2026-01-{n:02}") for n in (1, 9)]
        cadence = hubframe.cadence_df(made("tags", *versions))
        ax = draw(plots.plot_cadence(cadence, log=log, ax=axes()))
        assert not ax.patches
        assert ax.get_xscale() == ("log" if log else "linear")
        ax = draw(plots.plot_layer_sizes(small()["layers"], log=log, ax=axes()))
        assert not ax.patches
        assert ax.get_xscale() == ("log" if log else "linear")


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


def test_many_tags_are_counted_by_month():
    tags = hub(repos=2, tags=700)["tags"]
    days = pd.Series(pd.date_range("2024-01-01", periods=1400, freq="12h", tz="UTC"))
    tags["pushed_at"] = days.astype(tags["pushed_at"].dtype)
    ax = draw(plots.plot_tags(tags, ax=axes()))
    assert not ax.collections
    assert title(ax) == "Last push of 1,400 tags, by month"
    assert texts(ax) == ["up to 62 a month"] * 2
    assert legend(ax) == ["versions", "other tags", "signatures and other digests"]
    # The kinds are stacked, and the fullest month of a repository is the same part of its row.
    tops = pd.DataFrame([(bar.get_x(), bar.get_y() + bar.get_height()) for bar in ax.patches])
    assert tops.groupby(0)[1].min().min() == pytest.approx(-0.4)
    ax = draw(plots.plot_tags(tags.head(900), ax=axes()))
    assert ax.collections
    assert not ax.patches


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


def test_an_image_is_one_row_with_its_tags_and_what_is_shared_is_said():
    ax = draw(plots.plot_layers(small()["layers"], ax=axes()))
    assert rows(ax) == ["a/b:1, latest", "a/c:2"]
    assert [bar.get_width() for bar in ax.patches] == [300, 100, 300, 700, 700]
    assert [bar.get_x() for bar in ax.patches] == [0, 300, 0, 300, 1000]
    assert texts(ax) == ["400 B, 300 B shared", "1.7 kB, 300 B shared"]


def test_a_step_has_one_colour_in_all_images_and_one_line_in_the_legend():
    def image(number):
        named = {"repo": "a/b", "tag": f"1.{number}", "platform": "linux/amd64"}
        return named | {"image_digest": f"sha256:{number}"}

    said = ("ADD rootfs-{} /", "RUN make v{}.0", "COPY . /app")
    layers = frames(
        layers=[
            layer(image(n), f"{n}-{place}", place) | {"instruction": words.format(n)}
            for n in (3, 2, 1)
            for place, words in enumerate(said)
        ]
    )["layers"]
    ax = draw(plots.plot_layers(layers, ax=axes()))
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert len(set(colours[:3])) == 3
    assert colours[:3] == colours[3:6] == colours[6:]
    assert legend(ax) == ["ADD rootfs-3 /", "RUN make v3.0", "COPY . /app"]


def test_a_layer_without_a_size_leaves_that_of_its_image_unknown_and_any_step_has_a_name():
    layers = small()["layers"]
    layers["size"] = layers["size"].mask(layers["position"] == 1)
    layers["instruction"] = layers["instruction"].mask(layers["position"] == 0, "\x07")
    layers["instruction"] = layers["instruction"].mask(layers["position"] == 2, "_hidden $x$")
    ax = draw(plots.plot_layers(layers, ax=axes()))
    assert texts(ax) == ["size not known"] * 2
    assert "_hidden $x$" in legend(ax)


def test_layers_say_which_tags_and_images_they_leave_out():
    world = hub(repos=1, tags=25)
    arm = world["layers"].assign(platform="linux/arm64", image_digest=None)
    ax = draw(plots.plot_layers(pd.concat([world["layers"], arm]), newest=5, ax=axes()))
    assert "18 more tags, 5 images for other platforms" in axis(ax)
    ax = draw(plots.plot_layers(world["layers"], newest=30, ax=axes(height=5)))
    assert f"{22 - len(rows(ax))} more tags" in axis(ax)


def test_layers_show_the_newest_and_one_platform():
    world = hub(repos=1, tags=25)
    arm = world["layers"].assign(platform="linux/arm64", image_digest=None)
    ax = draw(plots.plot_layers(pd.concat([world["layers"], arm]), newest=5, ax=axes()))
    assert rows(ax) == ["4.11.0, latest", "4.10.0", "4.9.0", "4.8.0"]
    assert len(ax.patches) == 16


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
    assert cells[columns.index("title")] == "50"
    assert cells[13 + columns.index("url")] == "100"
    assert cells[13 + columns.index("title")] == "0"
    assert "per cent" in axis(ax)


def title(ax):
    return ax.get_title(loc="left") + ax.get_title()


def axis(ax):
    return " ".join(ax.get_xlabel().split())


def made(table, *records):
    return TABLES[table].from_records(records)


def child(name, size, parent=None, parent_size=None):
    repo, tag = name.split(":")
    row = {"repo": repo, "tag": tag, "platform": "linux/amd64", "image_digest": f"sha256:{name}"}
    if parent:
        repo, tag = parent.split(":")
        row |= {"parent_repo": repo, "parent_tag": tag, "parent_platform": "linux/amd64"}
        row |= {"parent_image_digest": f"sha256:{parent}", "parent_size": parent_size}
    return row | {"size": size, "layer_count": 1, "candidate_count": 0}


def test_every_measured_table_has_its_picture():
    drawn = {name for name in plots.__all__ if name.startswith("plot_")}
    assert len(drawn) == len(PLOTS)


@pytest.mark.parametrize("plot", sorted(n for n in plots.__all__ if n.startswith("plot_")))
def test_a_wrong_frame_is_named_with_what_it_lacks(plot):
    with pytest.raises(ValueError, match=r"lacks the columns? \w+"):
        getattr(plots, plot)(pd.DataFrame({"a": [1]}), ax=axes())
    with pytest.raises(TypeError, match="a list was given in place of"):
        getattr(plots, plot)([], ax=axes())


def measured(world):
    """What each plot of a measured table takes, and of layers."""
    layers, tags = world["layers"], world["tags"]
    return {
        "plot_shared_layers": layers,
        "plot_layers": layers,
        "plot_layer_sizes": layers,
        "plot_similarity": hubframe.similarity_df(layers, at_least=0.3),
        "plot_parents": hubframe.parents_df(layers),
        "plot_footprint": hubframe.footprint_df(layers),
        "plot_latest_lag": hubframe.latest_lag_df(tags),
        "plot_staleness": hubframe.staleness_df(tags, NOW),
        "plot_cadence": hubframe.cadence_df(tags),
        "plot_cleanup": hubframe.cleanup_df(tags, layers, keep=2, now=NOW),
        "plot_duplicates": hubframe.duplicates_df(layers),
        "plot_comparison": compared(layers),
        "plot_packages": packaged(layers),
        "plot_package_changes": packaged(layers),
        "plot_figures": hubframe.summary(layers),
    }


def test_the_index_of_a_frame_does_not_matter():
    for name, frame in measured(hub(repos=4, tags=12)).items():
        plain = getattr(plots, name)(frame, ax=axes())
        glued = getattr(plots, name)(frame.set_axis([7] * len(frame)), ax=axes())
        assert rows(glued) == rows(plain), name
        assert texts(glued) == texts(plain), name
        assert axis(glued) == axis(plain), name


def test_style_is_public():
    assert hubframe.style is plots.style


def test_one_thread_at_a_time_has_the_style():
    before = dict(mpl.rcParams)
    seen = []

    def draw_elsewhere():
        with plots.style(dark=True):
            seen.append(mpl.rcParams["figure.facecolor"])

    elsewhere = Thread(target=draw_elsewhere)
    with plots.style():
        elsewhere.start()
        elsewhere.join(0.1)
        assert not seen
        with plots.style(dark=True):
            assert mpl.rcParams["figure.facecolor"] == "#15181c"
        assert mpl.rcParams["figure.facecolor"] == "#ffffff"
    elsewhere.join()
    assert seen == ["#15181c"]
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("plot", PLOTS)
def test_what_is_drawn_after_the_style_keeps_its_colours(plot):
    # As in a notebook, which draws at the end of the cell.
    with plots.style(dark=True):
        ax = PLOTS[plot](world_of("few"), axes(height=5))
        color = mpl.rcParams["xtick.labelcolor"]
    draw(ax)
    marks = [text for text in ax.get_xticklabels() if text.get_text()]
    assert {to_hex(text.get_color()) for text in marks} <= {color}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent():
    inside, done = Event(), Event()

    def draw_elsewhere():
        with plots.style():
            inside.set()
            done.wait(60)

    elsewhere = Thread(target=draw_elsewhere)
    elsewhere.start()
    try:
        assert inside.wait(60)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside a thread
            child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10)
            with plots.style(dark=True):
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        done.set()
        elsewhere.join()


@pytest.mark.parametrize("plot", PLOTS)
def test_legends_and_words_stay_on_the_paper(plot):
    ax = picture(plot, "many")
    paper = ax.figure.bbox
    parts = [*ax.texts, *ax.get_yticklabels(), ax.xaxis.label]
    parts += [ax.get_legend()] if ax.get_legend() else []
    for part in parts:
        box = part.get_window_extent()
        assert box.x0 >= paper.x0 - 1, part
        assert box.x1 <= paper.x1 + 1, part


def test_shared_layers_are_cells_of_layers_and_images():
    ax = draw(plots.plot_shared_layers(small()["layers"], ax=axes()))
    assert rows(ax) == ["300 B  RUN base"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a/b:1", "a/c:2"]
    assert ax.collections[0].get_array().ravel().tolist() == [1, 1]
    assert title(ax) == "1 shared layer, by image"


def test_shared_layers_say_what_is_left_out():
    world = hub(repos=12, tags=60)
    ax = draw(plots.plot_shared_layers(world["layers"], ax=axes()))
    cells = ax.collections[0].get_array()
    assert cells.shape[0] <= 30
    assert cells.shape[1] <= 40
    assert "more images with shared layers" in axis(ax)
    assert (cells.sum(axis=1) >= 2).all()
    assert cells.any(axis=0).all()


def test_of_equally_large_shared_layers_the_images_that_share_are_shown():
    def image(number):
        named = {"repo": "a/b", "tag": f"{number:03}", "platform": "linux/amd64"}
        return named | {"image_digest": f"sha256:{number}"}

    # A hundred layers of the same size, each in two images that stand far apart.
    layers = frames(layers=[layer(image(n), f"l{n % 100}", 0, size=500) for n in range(200)])
    ax = draw(plots.plot_shared_layers(layers["layers"], ax=axes()))
    cells = ax.collections[0].get_array()
    assert cells.shape == (16, 32)
    assert (cells.sum(axis=1) == 2).all()
    assert title(ax) == "16 of 100 shared layers, by image"
    assert "168 more images" in axis(ax)
    # A layer has one size, the largest that is told.
    told = layers["layers"].assign(size=range(200))
    ax = draw(plots.plot_shared_layers(told, ax=axes()))
    assert rows(ax)[:2] == ["199 B  RUN l99", "198 B  RUN l98"]
    assert ax.collections[0].get_array().shape[0] == 16


def test_similarity_is_symmetric_and_whole_on_the_diagonal():
    pairs = hubframe.similarity_df(small()["layers"])
    ax = draw(plots.plot_similarity(pairs, ax=axes()))
    cells = ax.collections[0].get_array()
    share = pairs["similarity"].iloc[0]
    assert rows(ax) == ["a/b:1", "a/c:2"]
    assert cells.tolist() == [[1, share], [share, 1]]
    assert texts(ax) == ["100 %", "27 %", "27 %", "100 %"]


def test_what_is_alike_stands_together():
    similarity = np.eye(6)
    for left, right in ((0, 3), (3, 5), (1, 4), (4, 2)):
        similarity[left, right] = similarity[right, left] = 0.8
    order = cells.clustered(similarity)
    assert sorted(order) == list(range(6))
    assert {frozenset(order[:3]), frozenset(order[3:])} == {
        frozenset((0, 3, 5)),
        frozenset((1, 4, 2)),
    }


def test_parents_are_a_tree_with_the_late_ones_marked():
    parents = made(
        "parents",
        child("base:1", 100),
        child("app:1", 400, "base:1", 100),
        child("app:2", 700, "app:1", 400),
        child("alone:1", 5),
        child("lib:1", 50, "gone:1", 20),
    )
    late = made("outdated", child("app:1", 400, "base:1", 100) | {"lag_days": 12.0})
    ax = draw(plots.plot_parents(parents, late, ax=axes()))
    assert rows(ax) == ["base:1", "    app:1", "        app:2", "gone:1", "    lib:1"]
    assert texts(ax) == ["100 B", "400 B, parent 12 days behind", "700 B", "20 B", "50 B"]
    assert legend(ax) == ["image", "parent outdated"]
    begins = [(line.get_xdata()[0], line.get_xdata()[-1]) for line in ax.lines]
    assert begins == [(100, 400), (400, 700), (20, 50)]
    assert axis(ax) == "compressed size; not shown: 1 image without parent or child"


def test_parents_that_go_round_in_a_circle_are_left_out():
    parents = made("parents", child("a:1", 5, "b:1", 5), child("b:1", 5, "a:1", 5))
    assert "nothing to show" in texts(draw(plots.plot_parents(parents, ax=axes())))[0]


def test_a_long_line_of_parents_is_cut():
    line = [child(f"a:{n + 1}", n, f"a:{n}", n) for n in range(3000)]
    ax = draw(plots.plot_parents(made("parents", *line), ax=axes()))
    assert len(rows(ax)) == 45
    assert "2,956 more images of such families" in axis(ax)


def test_layer_sizes_rise_from_none_to_all_beside_what_studies_found_if_asked():
    assert not draw(plots.plot_layer_sizes(small()["layers"], ax=axes())).collections
    ax = draw(plots.plot_layer_sizes(small()["layers"], papers=True, ax=axes()))
    distinct, referenced = ax.lines[:2]
    assert distinct.get_xdata().tolist() == [100, 100, 300, 700]
    assert distinct.get_ydata() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert referenced.get_ydata() == pytest.approx([0, 1 / 4, 3 / 4, 1])
    marked = {tuple(point) for dots in ax.collections for point in dots.get_offsets().tolist()}
    assert marked == {(4e6, 0.5), (63e6, 0.9), (1e6, 0.65), (1e7, 0.8)}
    assert {figure.paper for figure in MAKE_UP if figure.metric == "layer_size_p50"} == {
        "Zhao 2019"
    }
    assert legend(ax)[2:] == ["Zhao 2019: at most this", "Anwar 2018: so many below"]


def test_footprint_stacks_what_is_shared_kept_and_freed():
    footprint = hubframe.footprint_df(small()["layers"])
    ax = draw(plots.plot_footprint(footprint, ax=axes()))
    assert len(ax.patches) == 3 * len(footprint)
    assert rows(ax) == ["a/c:2", "a/b:1", "a/b:latest"]
    stacked = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert stacked == [[300, 300, 300], [0, 100, 100], [700, 0, 0]]
    assert texts(ax) == ["1 kB, frees 700 B", "400 B, frees 0 B", "400 B, frees 0 B"]


def test_footprint_says_where_a_size_is_not_known():
    layers = small()["layers"]
    layers["size"] = layers["size"].mask(layers["position"] == 1)
    ax = draw(plots.plot_footprint(hubframe.footprint_df(layers), ax=axes()))
    assert texts(ax)[1:] == ["at least 300 B, frees at least 0 B"] * 2


@pytest.mark.parametrize(
    ("by", "named"), [("repo", ["a/c", "a/b"]), ("namespace", ["a"]), ("image", ["a/c:2", "a/b:1"])]
)
def test_footprint_names_its_rows(by, named):
    footprint = hubframe.footprint_df(small()["layers"], by=by)
    assert rows(draw(plots.plot_footprint(footprint, ax=axes()))) == named


def test_rows_of_one_tag_are_told_apart_by_their_platforms():
    layers = small()["layers"]
    arm = layers.assign(platform="linux/arm64", image_digest=layers["image_digest"] + "arm")
    footprint = hubframe.footprint_df(pd.concat([layers, arm]), by="image")
    names = rows(draw(plots.plot_footprint(footprint, ax=axes())))
    assert sorted(names)[:2] == ["a/b:1 linux/amd64", "a/b:1 linux/arm64"]
    assert len(set(names)) == len(names)


def test_footprint_shows_forty_and_says_so():
    footprint = hubframe.footprint_df(hub(repos=3, tags=40)["layers"])
    ax = draw(plots.plot_footprint(footprint, ax=axes()))
    assert len(rows(ax)) == 40
    assert f"{len(footprint) - 40} more tags" in axis(ax)


def tag(name, digest, pushed, **more):
    repo, name = name.split(":")
    version = name if name[0].isdigit() else None
    row = {"repo": repo, "tag": name, "digest": digest, "pushed_at": pushed, "version": version}
    return row | {"is_prerelease": False, "is_digest_tag": False} | more


def test_latest_lag_is_in_words_and_those_most_behind_come_first():
    tags = made(
        "tags",
        tag("a/b:latest", "sha256:1", "2026-01-01"),
        tag("a/b:1.0.0", "sha256:1", "2026-01-01"),
        tag("a/b:1.1.0", "sha256:2", "2026-03-01"),
        tag("a/c:latest", "sha256:3", "2026-02-01"),
        tag("a/c:2.0.0", "sha256:3", "2026-02-01"),
        tag("a/d:2.0.0", "sha256:4", None),
    )
    ax = draw(plots.plot_latest_lag(hubframe.latest_lag_df(tags), ax=axes()))
    assert rows(ax) == ["a/b", "a/c", "a/d"]
    assert texts(ax) == ["1 version behind", "is the highest", "no tag latest"]
    assert title(ax) == "latest is behind the highest version in 1 of 3 repositories"


def test_without_dates_the_lag_of_latest_is_told_in_words():
    tags = made(
        "tags",
        tag("a/b:latest", "sha256:1", None),
        tag("a/b:1.0.0", "sha256:1", None),
        tag("a/b:1.1.0", "sha256:2", None),
    )
    ax = draw(plots.plot_latest_lag(hubframe.latest_lag_df(tags), ax=axes()))
    assert rows(ax) == ["a/b"]
    assert texts(ax) == ["1 version behind"]
    assert axis(ax) == "no push has a date"
    assert not ax.collections


def test_dates_that_are_close_or_absurd_do_not_spoil_the_axis():
    tags = made(
        "tags",
        tag("a/b:latest", "sha256:1", "2026-01-01T10:00:11"),
        tag("a/b:1.0.0", "sha256:1", "2026-01-01T10:00:00"),
        tag("a/c:latest", "sha256:2", "9999-12-31"),
    )
    ax = draw(plots.plot_latest_lag(hubframe.latest_lag_df(tags), ax=axes()))
    begin, end = ax.get_xlim()
    assert 59 < end - begin < 61
    assert rows(ax) == ["a/b", "a/c"]


def test_staleness_stacks_shares_that_add_up_to_one():
    tags = made(
        "tags",
        tag("a/b:1", "sha256:1", "2026-11-20"),
        tag("a/b:2", "sha256:2", "2019-11-20"),
        tag("a/b:3", "sha256:3", None),
        tag("a/b:4", "sha256:4", "2018-11-20"),
        tag("a/c:1", "sha256:5", "2026-11-20"),
    )
    ax = draw(plots.plot_staleness(hubframe.staleness_df(tags, NOW), ax=axes()))
    assert rows(ax) == ["a/b (4)", "a/c (1)"]
    assert legend(ax) == ["up to a month", "older", "not known"]
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert widths == [[0.25, 1], [0.5, 0], [0.25, 0]]
    assert texts(ax) == ["50 % stale", "0 % stale"]
    undated = made("tags", tag("a/d:1", "sha256:1", None))
    ax = draw(plots.plot_staleness(hubframe.staleness_df(undated, NOW), ax=axes()))
    assert texts(ax) == ["not known"]


def test_cadence_shows_the_quickest_first_and_leaves_out_single_versions():
    tags = made(
        "tags",
        *(tag(f"a/slow:{n}.0.0", f"sha256:{n}", f"202{n}-01-01") for n in range(1, 5)),
        *(tag(f"a/fast:{n}.0.0", f"sha256:f{n}", f"2026-01-{n:02}") for n in range(1, 5)),
        tag("a/once:1.0.0", "sha256:o", "2026-01-01"),
    )
    ax = draw(plots.plot_cadence(hubframe.cadence_df(tags), ax=axes()))
    assert rows(ax) == ["a/fast", "a/slow"]
    assert texts(ax)[0] == "1 day, 4 versions"
    assert ax.get_xscale() == "log"
    assert "1 repository with fewer than two dated versions" in axis(ax)


def test_an_axis_of_days_has_marks_however_far_apart_versions_are():
    for dates in (("2026-01-01", "2026-01-09"), ("2026-01-01", "9999-01-01")):
        versions = [tag(f"a/b:{n}.0.0", f"sha256:{n}", day) for n, day in enumerate(dates)]
        ax = draw(plots.plot_cadence(hubframe.cadence_df(made("tags", *versions)), ax=axes()))
        least, most = ax.get_xlim()
        assert any(least < mark < most for mark in ax.get_xticks())


def plan(*rows):
    names = ("repo", "tag", "action", "freed_size")
    return made(
        "cleanup", *({"reason": "old"} | dict(zip(names, row, strict=True)) for row in rows)
    )


def test_cleanup_sums_what_goes_and_counts_where_bytes_are_not_known():
    told = plan(("a/b", "1", "delete", 10), ("a/b", "2", "keep", 0), ("a/c", "1", "delete", 300))
    ax = draw(plots.plot_cleanup(told, ax=axes()))
    assert rows(ax) == ["a/c", "a/b"]
    assert [bar.get_width() for bar in ax.patches] == [300, 10]
    assert texts(ax) == ["300 B, 1 tag", "10 B, 1 of 2 tags"]
    assert title(ax) == "The rule would delete 2 of 3 tags"
    ax = draw(plots.plot_cleanup(told.assign(freed_size=pd.array([None] * 3, "Int64")), ax=axes()))
    assert texts(ax) == ["1 of 2 tags", "1 tag"]
    assert legend(ax) == ["would go", "stay"]


def test_a_rule_that_deletes_nothing_says_so():
    ax = draw(plots.plot_cleanup(plan(("a/b", "1", "keep", 0)), ax=axes()))
    assert texts(ax) == ["nothing to show: the rule deletes no tag"]


def difference(aspect, key, change, *sizes):
    pair = {"left_name": "a/b:1", "right_name": "a/b:2"}
    row = pair | {"aspect": aspect, "key": key, "change": change}
    if sizes:
        was, now = sizes
        row |= {"left_size": was, "right_size": now, "size_change": (now or 0) - (was or 0)}
    return row | ({"instruction": f"RUN {key}"} if aspect == "layers" else {})


def test_comparison_has_steps_before_and_after_and_counts_the_rest_in_words():
    ax = draw(
        plots.plot_comparison(
            made(
                "comparison",
                difference("size", "size", "changed", 900, 700),
                difference("layers", "0", "changed", 500, 200),
                difference("layers", "1", "added", None, 100),
                difference("layers", "2", "removed", 50, None),
                difference("env", "A", "added"),
                difference("env", "B", "changed"),
            ),
            ax=axes(),
        )
    )
    assert title(ax) == "From a/b:1 to a/b:2"
    assert rows(ax) == ["RUN 0", "RUN 1", "RUN 2"]
    before, after = ([bar.get_width() for bar in bars] for bars in ax.containers)
    assert before == [500, 0, 50]
    assert after == [200, 100, 0]
    minus = "\N{MINUS SIGN}"
    assert texts(ax) == [f"200 B, {minus}300 B", "+100 B, added", "50 B, removed"]
    assert axis(ax).replace(wording.BLANK, " ") == (
        f"compressed size of layers; of all 900 B before, 700 B after ({minus}200 B); "
        "env: 1 added, 1 changed"
    )


def test_several_comparisons_say_of_which_image_a_step_is():
    second = {"left_name": "a/b:2", "right_name": "a/b:3"}
    first, other = (difference("layers", "0", "changed", 5, size) for size in (7, 9))
    ax = draw(plots.plot_comparison(made("comparison", first, other | second), ax=axes()))
    assert title(ax) == "What changed in 2 comparisons"
    assert rows(ax) == ["b:2  RUN 0", "b:3  RUN 0"]


def test_comparison_without_layers_has_words_and_no_bars():
    ax = draw(plots.plot_comparison(made("comparison", difference("env", "A", "added")), ax=axes()))
    assert not ax.patches
    assert axis(ax).endswith("env: 1 added")


def test_comparison_leaves_out_the_layers_that_changed_least():
    rows_ = [difference("layers", str(n), "changed", 0, n) for n in range(60)]
    many = made("comparison", *rows_, difference("env", "A", "added"))
    ax = draw(plots.plot_comparison(many, ax=axes()))
    assert rows(ax) == [f"RUN {n}" for n in range(20, 60)]
    assert "20 layers that changed less" in axis(ax)


def test_duplicates_tell_tags_of_one_image_from_rebuilds():
    world = small()["layers"]
    rebuilt = world[world["repo"] == "a/c"].assign(tag="again", image_digest="sha256:again")
    found = hubframe.duplicates_df(pd.concat([world, rebuilt]))
    ax = draw(plots.plot_duplicates(found, ax=axes()))
    assert rows(ax) == ["a/c:2", "a/b:1"]
    assert not ax.patches
    written = texts(ax)
    assert written[0] == "name"
    cells = dict(zip(written[1::3], zip(written[2::3], written[3::3], strict=True), strict=True))
    assert cells == {
        "other names": ("a/c:again", "a/b:latest"),
        "names": ("2", "2"),
        "size": ("1 kB", "400 B"),
        "images": ("2, rebuilt", "one"),
    }


def test_figures_stand_beside_published_ones_only():
    figures = hubframe.summary(small()["layers"])
    ax = draw(plots.plot_figures(figures, ax=axes()))
    published = figures[figures["paper_value"].notna()]["metric"].str.replace("_", " ")
    assert set(rows(ax)) <= set(published)
    assert "layer count" not in rows(ax)
    assert texts(ax)[rows(ax).index("layers per image p90")] == "2.9 : 18"


@pytest.mark.parametrize("plot", PLOTS)
def test_without_axes_each_picture_is_a_new_figure(plot):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    plt.close("all")
    try:
        plt.plot([1, 2])
        drawn = [PLOTS[plot](world_of("few"), None) for _ in range(2)]
        assert len({ax.figure.number for ax in [plt.figure(1).gca(), *drawn]}) == 3
        assert not plt.figure(1).gca().get_title()
    finally:
        plt.close("all")


def test_a_new_figure_is_as_high_as_its_rows_ask_for():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    try:
        high = plots.plot_pulls(hub(repos=40, tags=1)["repos"]).figure.get_figheight()
        low = plots.plot_pulls(repos(a=1)).figure.get_figheight()
        assert low < 3
        assert high > 10
    finally:
        plt.close("all")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (wording.size(412_345_678), "412 MB"),
        (wording.size(None), "not known"),
        (wording.more(-200), "\N{MINUS SIGN}200 B"),
        (wording.large(3_204_000_000), "3.2 bn"),
        (wording.percent(0), "0 %"),
        (wording.percent(0.001), "<1 %"),
        (wording.percent(0.63), "63 %"),
        (wording.percent(0.999), ">99 %"),
        (wording.percent(1), "100 %"),
        (wording.counted(1, "tag"), "1 tag"),
        (wording.counted(1200, "repository"), "1,200 repositories"),
        (wording.counted(2, "{tag} without a date"), "2 tags without a date"),
        (wording.some(40, 1200, "tag"), "40 of 1,200 tags"),
        (wording.some(1, 1, "tag"), "1 tag"),
        (
            wording.left_out("UTC", {"more {tag}": 1200, "{tag} without a date": 1}),
            "UTC; not shown: 1,200 more tags, 1 tag without a date",
        ),
    ],
)
def test_numbers_and_names_are_written_to_be_read(written, said):
    assert written.replace(wording.BLANK, " ") == said


@given(st.lists(st.text("ab$\u732b\n", max_size=40), max_size=20), st.integers(12, 20))
def test_names_stay_apart_however_short(names, length):
    drawn = wording.distinct(names, length)
    assert len(set(drawn)) == len(names) == len(drawn)
    # But for a number, where letters do not tell them apart.
    assert all(len(name) <= length + len(" (20)") for name in drawn)


def test_names_that_differ_in_their_middle_are_cut_around_it():
    start, end = "RUN apt-get install " + "x" * 50, "y" * 50 + " && rm -rf /var/lib/apt/lists/*"
    drawn = wording.distinct([f"{start}{middle}{end}" for middle in ("curl", "git")], 40)
    assert ["curl" in name for name in drawn] == [True, False]
    assert ["git" in name for name in drawn] == [False, True]


def test_names_are_listed_as_far_as_there_is_room():
    assert wording.listed(["1.2", "1", "latest"]) == "1.2, 1, latest"
    assert wording.listed(["1.2", "1.2"]) == "1.2"
    many = wording.listed([f"1.{n}.0-alpine" for n in range(9)])
    assert many == "1.0.0-alpine, 1.1.0-alpine and 7 more"


def test_wording_keeps_its_promises():
    assert doctest.testmod(wording, raise_on_error=True).attempted > 0
    assert doctest.testmod(cells, raise_on_error=True).attempted > 0
    assert wording.size(999_999).replace(wording.BLANK, " ") == "1 MB"
    assert wording.size(0).replace(wording.BLANK, " ") == "0 B"
    assert wording.large(10**16).replace(wording.BLANK, " ") == "10,000 tn"


def test_a_size_trend_stacks_what_changed_with_the_sum_as_a_line():
    with hubframe.sample():
        trend = hubframe.size_trend_df(hubframe.layers_df("ansible/ansible"))
    ax = draw(plots.plot_size_trend(trend, ax=axes(height=20)))
    line = trend.drop_duplicates("release")[::-1]
    assert rows(ax) == line["tag"].tolist()
    totals = line["total_change"].astype("float64")
    for row, total in enumerate(totals.fillna(0)):
        bars = [bar for bar in ax.patches if bar.get_y() < row < bar.get_y() + bar.get_height()]
        assert sum(bar.get_width() for bar in bars) == total
        # What grew is at the right of 0, what shrank at the left.
        assert all(bar.get_x() * bar.get_width() >= 0 for bar in bars)
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), totals)
    assert sum("+" in text for text in texts(ax)) == (line["total_change"] > 0).sum()
    named = legend(ax)
    assert len(named) == len(set(named)) == 8
    assert (named[0], named[-1]) == ("all steps together", "other steps")


def test_a_size_trend_gives_a_step_that_was_replaced_the_colour_of_the_one_before():
    with hubframe.sample():
        layers = hubframe.layers_df("library/redis", tags=["7.2.4", "7.4.2", "8.2.1"])
        trend = hubframe.size_trend_df(layers)
    ax = draw(plots.plot_size_trend(trend, ax=axes()))
    bars = [bar for bar in ax.patches if bar.get_width()]
    colours = {row: [] for row in range(2)}
    for bar in bars:
        colours[round(bar.get_y() + bar.get_height() / 2)].append(to_hex(bar.get_facecolor()))
    assert set(colours[0]) & set(colours[1])
    assert len(set(colours[0])) == len(colours[0])
    named = legend(ax)
    assert named[1].endswith("'@1755062811'"), "the last release names it, and the base is first"


def test_a_size_trend_counts_the_lines_that_it_does_not_show():
    world = hub(repos=2, tags=4)
    layers = world["layers"].assign(repo=world["layers"]["repo"] + HOSTILE)
    shown = Figure(figsize=(9, 4), layout="constrained").subplots()
    ax = draw(plots.plot_size_trend(hubframe.size_trend_df(layers), ax=shown))
    assert axis(ax).endswith("not shown: 1 more line of releases")
    assert ax._left_title.get_window_extent().x1 <= ax.figure.bbox.x1 + 1


def test_a_release_without_one_before_it_has_no_change_to_show():
    trend = hubframe.size_trend_df(hub(repos=1, tags=2)["layers"])
    assert trend["release"].max() == 0
    assert "nothing to show: no two releases" in texts(plots.plot_size_trend(trend, ax=axes()))[0]


def test_coverage_matrices_show_each_state():
    with hubframe.sample():
        coverage = hubframe.coverage_df(hubframe.labels_df("acme/api"))
        platforms = hubframe.platform_coverage_df(hubframe.images_df("acme/api"))
    for plot, frame, present in (
        (plots.plot_coverage, coverage, coverage["state"].eq("present").sum()),
        (plots.plot_platform_coverage, platforms, platforms["is_present"].sum()),
    ):
        ax = draw(plot(frame, ax=axes()))
        cells = ax.collections[0].get_array()
        assert cells.count() == len(frame)
        assert (cells == 2).sum() == present
        assert (cells != 2).sum() == len(frame) - present


def test_platforms_that_no_shown_tag_could_lack_are_no_columns():
    def cell(tag, platform, *, is_present):
        row = {"repo": tag.partition(":")[0], "tag": tag, "platform": platform}
        return row | {"is_present": is_present, "tag_count": 1, "tag_share": 0.5}

    lacking = [
        cell(f"a/b:{n}", platform, is_present=platform == "linux/amd64")
        for n in range(40)
        for platform in ("linux/amd64", "linux/arm64")
    ]
    whole = cell("a/c:1", "linux/s390x", is_present=True)
    ax = draw(plots.plot_platform_coverage(made("platform_coverage", *lacking, whole), ax=axes()))
    assert [name.get_text() for name in ax.get_xticklabels()] == ["linux/amd64", "linux/arm64"]
    assert axis(ax) == "platforms; not shown: 1 more tag"


def interval(repo, begin, end, rate, step="growth", *, is_gap=False):  # noqa: PLR0913
    row = {"repo": repo, "from_at": f"2026-11-{begin:02}", "observed_at": f"2026-11-{end:02}"}
    told = {"days": end - begin, "pull_count": 9, "change": 1, "pulls_per_day": rate}
    return row | told | {"step": step, "is_gap": is_gap}


def test_pulls_over_time_break_at_gaps_and_mark_resets():
    pulls = made(
        "pulls_over_time",
        interval("a/b", 1, 2, 10.0),
        interval("a/b", 2, 6, 20.0, is_gap=True),
        interval("a/b", 6, 7, None, "reset"),
        interval("a/b", 7, 8, 5.0),
    )
    ax = draw(plots.plot_pulls_over_time(pulls, ax=axes()))
    usual, gap, cross = ax.lines
    assert np.nan_to_num(usual.get_ydata(), nan=-1).tolist() == [10, 10, -1, -1, -1, -1, 5, 5]
    assert np.nan_to_num(gap.get_ydata(), nan=-1).tolist() == [-1, -1, 20, 20, -1, -1, -1, -1]
    days = mpl.dates.date2num(np.array(["2026-11-06", "2026-11-07"], "datetime64[D]"))
    assert cross.get_xdata().tolist() == [days.mean()]
    assert legend(ax) == ["a/b", "observations are missing", "fewer than before: not known"]
    assert ax.get_yscale() == "linear"


def test_level_pulls_lie_within_the_picture():
    pulls = made("pulls_over_time", interval("a/b", 1, 2, 10.0), interval("a/b", 2, 3, 10.0))
    ax = draw(plots.plot_pulls_over_time(pulls, ax=axes()))
    assert ax.get_ylim()[1] > 10


def test_pulls_that_are_far_apart_have_a_logarithmic_axis_and_six_are_shown():
    pulls = made("pulls_over_time", *(interval(f"a/n{n}", 1, 2, 10.0**n) for n in range(9)))
    ax = draw(plots.plot_pulls_over_time(pulls, ax=axes()))
    assert ax.get_yscale() == "symlog"
    assert legend(ax) == [f"a/n{n}" for n in (8, 7, 6, 5, 4, 3)]
    assert "3 more repositories" in axis(ax)


@pytest.mark.parametrize(
    ("column", "label"),
    [("star_count", "Stars"), ("storage_size", "Storage on the Hub"), ("tag_count", "Tags")],
)
def test_repositories_over_time_show_the_figure_that_is_wanted(column, label):
    days = [("2026-11-01", 5, None), ("2026-11-02", 6, False), ("2026-11-09", 9, True)]
    told = made(
        "repos_over_time",
        *(
            {"repo": "a/b", "observed_at": day, column: count, "is_gap": gap}
            for day, count, gap in days
        ),
    )
    ax = draw(plots.plot_repos_over_time(told, column=column, ax=axes()))
    dots, usual, gap, _ = ax.lines
    assert dots.get_ydata().tolist() == [0, 1, 4]
    assert usual.get_ydata()[:2].tolist() == [0, 1]
    assert gap.get_ydata()[:2].tolist() == [1, 4]
    assert title(ax) == f"{label}: change since the first observation"
    assert legend(ax)[0].replace(" B", "") == "a/b: 5 → 9"
    with pytest.raises(ValueError, match="star_count"):
        plots.plot_repos_over_time(told, column="pull_count")


def test_tag_moves_have_a_colour_for_each_image():
    def stretch(tag, digest, first, last, gone):
        days = [day and f"2026-11-{day:02}" for day in (first, last, gone)]
        seen = dict(zip(("first_seen_at", "last_seen_at", "gone_at"), days, strict=True))
        return {"repo": "a/b", "tag": tag, "digest": digest} | seen

    moves = made(
        "tag_moves",
        stretch("1.0", "sha256:1", 1, 9, None),
        stretch("latest", "sha256:1", 1, 4, 6),
        stretch("latest", "sha256:2", 6, 9, None),
    )
    ax = draw(plots.plot_tag_moves(moves, ax=axes()))
    assert rows(ax) == ["latest", "1.0"]
    assert texts(ax) == ["2 digests", "1 digest"]
    pale, solid = ax.containers
    assert [bar.get_width() for bar in pale] == [0, 2, 0]
    assert [bar.get_width() for bar in solid] == [8, 3, 3]
    colours = [to_hex(bar.get_facecolor()) for bar in solid]
    assert colours[0] == colours[1] != colours[2]
    assert title(ax) == "1 of 2 tags moved"


def test_mutable_tags_show_first_those_that_should_not_move():
    def again(tag, pushes, digests, *, is_floating):
        counts = {"push_count": pushes, "digest_count": digests, "is_floating": is_floating}
        return {"repo": "a/b", "tag": tag, "version": tag, "first_seen_at": "2026-11-01"} | counts

    mutable = made(
        "mutable_tags",
        again("1.2", 9, 9, is_floating=True),
        again("1.2.3", 2, 1, is_floating=False),
    )
    ax = draw(plots.plot_mutable_tags(mutable, ax=axes()))
    assert rows(ax) == ["1.2.3", "1.2"]
    assert not ax.patches
    cells = texts(ax)
    assert cells[cells.index("pushes seen") :][1:3] == ["2", "9"]
    assert cells[cells.index("digests") :][1:3] == ["1", "9"]
    assert cells[cells.index("kind") :][1:3] == ["fixed", "floating"]
    assert title(ax) == "1 fixed version tag pushed again"


def test_end_of_life_shows_the_first_to_end_on_top_and_counts_images():
    names = ["debian:10", "debian:10-slim", "python:3.12-bookworm", "alpine:3.20", "redis:7"]
    found = [dict(zip(("repo", "tag"), f"library/{one}".split(":"), strict=True)) for one in names]
    eol = hubframe.eol_df(pd.DataFrame(found), today="2026-09-01")
    ax = draw(plots.plot_eol(eol, ax=axes()))
    assert ax.get_title() == "4 of 5 images at the end of life"
    assert rows_of_eol(ax) == [
        ("debian 10", "2 images, over for 1,452 days"),
        ("alpine-linux 3.20", "1 image, over for 153 days"),
        ("debian 12", "1 image, over for 52 days"),
        ("python 3.12", "1 image, 791 days left"),
    ]
    assert legend(ax) == [
        "support",
        "support that is over",
        "extended support",
        "extended support that is over",
        "2026-09-01",
    ]
    assert "not shown: 1 image without a date" in ax.get_xlabel()
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    days = (pd.Timestamp(day) for day in ("2028-10-31", "2022-09-10", "2026-04-01", "2026-07-11"))
    assert ends[:4] == [(day - pd.Timestamp(0)).days for day in days]


def rows_of_eol(ax):
    return list(zip(rows(ax), texts(ax), strict=True))


def test_end_of_life_of_nothing_that_is_known():
    eol = hubframe.eol_df(pd.DataFrame({"repo": ["a/b"], "tag": ["1"]}), today="2026-09-01")
    ax = draw(plots.plot_eol(eol, ax=axes()))
    assert texts(ax) == ["nothing to show: no end of life is known"]


def test_an_end_of_life_by_annotation_is_of_no_cycle_and_counted():
    image = {"repo": "acme/app", "tag": "1"}
    lives = hubframe.tables.LIFECYCLES.from_records(
        [{**image, "digest": "sha256:a", "subject_digest": "sha256:b", "eol_at": "2026-01-01"}]
    )
    frame = pd.DataFrame([image, {"repo": "library/debian", "tag": "10"}])
    ax = draw(plots.plot_eol(hubframe.eol_df(frame, lifecycles=lives, today=NOW), ax=axes()))
    assert ax.get_title() == "2 of 2 images at the end of life"
    assert rows(ax) == ["debian 10"]
    assert "not shown: 1 image by annotation" in ax.get_xlabel()
    alone = hubframe.eol_df(frame[:1], lifecycles=lives, today=NOW)
    ax = draw(plots.plot_eol(alone, ax=axes()))
    assert texts(ax) == ["nothing to show: the ends of life are of no cycle"]


def release(tag, *names, evidence="layers", position=0):
    """The packages ``name-version`` of a release, all of one layer."""
    image = {"repo": "a/b", "tag": tag, "platform": "linux/amd64", "image_digest": f"sha256:{tag}"}
    held = {"type": "deb", "evidence": evidence, "path": "var/lib/dpkg/status"}
    place = {"position": position, "layer_digest": f"sha256:{tag}-{position}"}
    if evidence == "sbom":
        place = {"position": None, "layer_digest": None}
    pairs = [name.split("-") for name in names]
    return [image | held | place | {"name": name, "version": version} for name, version in pairs]


def test_packages_are_stacked_by_type_for_each_layer_that_brought_some():
    layers = small()["layers"]
    packages = packaged(layers[layers["position"] != 1], ["deb", "npm"])
    ax = draw(plots.plot_packages(packages, layers, ax=axes()))
    named = layers.drop_duplicates("layer_digest").set_index("layer_digest")["instruction"]
    assert [name.partition("  ")[0] for name in rows(ax)] == ["b:1", "c:2"]
    assert rows(ax)[0].endswith(named[layers["layer_digest"].iloc[0]])
    assert legend(ax) == ["deb", "npm"]
    assert texts(ax) == ["2 packages, in 2 images", "2 packages"]
    assert [bar.get_width() for bar in ax.patches] == [1] * 4


def test_a_package_counts_once_however_many_kinds_of_evidence_tell_of_it():
    told = release("1", "a-1", "b-1"), release("1", "a-1", evidence="sbom")
    stated = release("2", "a-1", "b-1", "c-1", evidence="sbom")
    packages = made("packages", *told[0], *told[1], *stated)
    ax = draw(plots.plot_packages(packages, ax=axes()))
    assert rows(ax) == ["1  layer 0", "2  no layer told"]
    assert texts(ax) == ["2 packages", "3 packages"]


def test_many_types_of_packages_have_no_colour_of_their_own():
    kinds = [f"type {number}" for number in range(9)]
    one = release("1", "a-1")[0]
    packages = made("packages", *(one | {"type": kind} for kind in kinds))
    ax = draw(plots.plot_packages(packages, ax=axes()))
    assert legend(ax) == [*kinds[:6], "other types"]
    assert [bar.get_width() for bar in ax.patches] == [1] * 6 + [3]


def test_changes_of_packages_are_counted_from_release_to_release():
    packages = made(
        "packages",
        *release("3", "b-2", "c-1", "d-1"),
        *release("latest", "x-1"),
        *release("2", "a-1", "b-1", "c-1"),
        *release("1", "a-1", "b-1", "c-1"),
    )
    ax = draw(plots.plot_package_changes(packages, ax=axes()))
    assert rows(ax) == ["2 \N{RIGHTWARDS ARROW} 3", "1 \N{RIGHTWARDS ARROW} 2"]
    assert texts(ax) == ["1 added, 1 changed, 1 removed", "no change"]
    assert legend(ax) == ["added", "changed", "removed"]


def test_a_comparison_of_packages_is_counted_too():
    some = made("packages", *release("1", "a-1", "b-1")), made("packages", *release("2", "a-2"))
    found = compare_frames([{"packages": frame} for frame in some])
    ax = draw(plots.plot_package_changes(found, ax=axes()))
    assert rows(ax) == ["1 \N{RIGHTWARDS ARROW} 2"]
    assert texts(ax) == ["1 changed, 1 removed"]


def test_releases_of_other_evidence_are_not_compared():
    packages = made("packages", *release("2", "a-1"), *release("1", "a-1", evidence="sbom"))
    ax = draw(plots.plot_package_changes(packages, ax=axes()))
    assert "nothing to show" in texts(ax)[0]


def test_vulnerabilities_are_stacked_by_severity_and_said_in_words():
    summary = hubframe.vulnerability_summary_df(vulnerable())
    ax = draw(plots.plot_vulnerability_summary(summary, ax=axes()))
    assert title(ax) == "Known vulnerabilities of 2 images"
    assert list(zip(rows(ax), texts(ax), strict=True)) == [
        ("2", "2, 1 with a fix, 1 exploited"),
        ("1", "1, none with a fix"),
    ]
    assert legend(ax) == ["critical", "low"]
    assert [bar.get_width() for bar in ax.patches] == [1, 0, 1, 1]


def test_vulnerabilities_of_layers_are_named_by_their_steps_each_layer_once():
    summary = hubframe.vulnerability_summary_df(vulnerable(), by="layer")
    steps = frames(layers=[{"layer_digest": "sha256:base", "instruction": "ADD rootfs /"}])
    ax = draw(plots.plot_vulnerability_summary(summary, steps["layers"], ax=axes()))
    assert title(ax) == "Known vulnerabilities of 2 layers"
    assert list(zip(rows(ax), texts(ax), strict=True)) == [
        ("2  no layer told", "1, 1 with a fix, 1 exploited"),
        ("1  ADD rootfs /", "1, none with a fix, in 2 images"),
    ]


def test_vulnerabilities_of_repositories_and_of_nothing():
    summary = hubframe.vulnerability_summary_df(vulnerable(), by="repo")
    ax = draw(plots.plot_vulnerability_summary(summary, ax=axes()))
    assert (rows(ax), title(ax)) == (["a/b"], "Known vulnerabilities of 1 repository")
    cleared = hubframe.vulnerability_summary_df(vulnerable().assign(state="not affected"))
    ax = draw(plots.plot_vulnerability_summary(cleared, ax=axes()))
    assert texts(ax) == ["none", "none"]
    ax = draw(plots.plot_vulnerability_summary(summary[:0], ax=axes()))
    assert texts(ax) == ["nothing to show: no vulnerability is known, which does not mean safe"]


def vulnerable():
    """Of two images the vulnerability of a layer that both have, and one of no layer."""
    of_all = {"repo": "a/b", "platform": "linux/amd64", "type": "deb", "name": "c", "evidence": "x"}
    base = of_all | {"id": "CVE-1", "severity": "low", "layer_digest": "sha256:base"}
    worse = of_all | {"id": "CVE-2", "severity": "critical", "is_exploited": True}
    images = [{"tag": tag, "image_digest": f"sha256:{tag}", "state": "affected"} for tag in "12"]
    found = [base | images[0], base | images[1], worse | images[1] | {"fixed_version": "2"}]
    return TABLES["vulnerabilities"].from_records(found)

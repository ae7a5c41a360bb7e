"""What is written in pictures can be read: large enough, apart, on the paper, and no two alike."""

from functools import cache
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from hubframe import plots

from .measure.planted import planted
from .test_measure import hub
from .test_plots import PLOTS, seen

LEAST = 8
# Pixels that two texts may lie on each other: the box of a text has air in it.
TOLERANCE = 1.5
SIZES = {
    "of its own": None,
    "480 pixels": (5, 4.6),
}


def long_names(world):
    """Names of 80 letters that differ in their middle alone, with what would be a formula."""
    for frame in world.values():
        for name in ("repo", "tag", "left_name", "right_name"):
            if name in frame:
                frame[name] = [
                    text and f"{'team-' * 7}{text}{'-$of-$many' * 5}" for text in frame[name]
                ]
        if "instruction" in frame:
            frame["instruction"] = "RUN export $A && " * 4 + frame["instruction"] + " && $B" * 9
    return world


def without_dates(world):
    for frame in world.values():
        for name in frame.columns[frame.columns.str.endswith("_at")]:
            frame[name] = pd.Series(pd.NaT, frame.index, dtype=frame[name].dtype)
    return world


def thousands(count):
    """So many tags of one repository, pushed within eight years."""
    world = hub(repos=1, tags=count)
    days = pd.to_timedelta(np.arange(count) * (2900 / count), "D")
    pushed = pd.Series(pd.Timestamp("2026-11-01", tz="UTC") - days)
    world["tags"]["pushed_at"] = pushed.astype(world["tags"]["pushed_at"].dtype)
    return world


def with_copies(world):
    """The same images under another name, too."""
    layers = world["layers"]
    world["layers"] = pd.concat([layers, layers.assign(tag=layers["tag"] + "-copy")])
    return world


WORLDS = {
    "one row": lambda: hub(repos=1, tags=1),
    "few": lambda: with_copies(hub(repos=3, tags=9)),
    "relatives": lambda: hub(repos=1, tags=1) | {"layers": planted(1, bases=3, apps=9).layers},
    "long names": lambda: long_names(with_copies(hub(repos=4, tags=12))),
    "no dates": lambda: without_dates(hub(repos=3, tags=9)),
    "many repositories": lambda: hub(repos=45, tags=22),
    "many tags": lambda: thousands(1200),
    "very many tags": lambda: thousands(10_000),
}
# The others take long, or are much the same.
USUAL = [(world, "of its own") for world in ("one row", "few", "relatives", "many tags")]
USUAL += [("long names", size) for size in SIZES]
CASES = [
    pytest.param(*case, marks=[] if case[1:] in USUAL else [pytest.mark.slow])
    for case in product(PLOTS, WORLDS, SIZES)
]


@cache
def world_of(name):
    world = WORLDS[name]()
    return world | {"seen": seen(world)}


def written(ax):
    """The texts that are seen, with their boxes; marks beyond the end of an axis are not."""
    beyond = set()
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        places = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
        beyond |= {text for place, text in places if not low <= place <= high}
    return [
        (text, text.get_window_extent())
        for text in ax.figure.findobj(Text)
        if text.get_visible() and text.get_text() and text not in beyond
    ]


@pytest.mark.parametrize(("plot", "world", "size"), CASES)
def test_texts_are_large_apart_on_the_paper_and_distinct(plot, world, size):
    plt.switch_backend("agg")
    dark = (len(plot) + len(world)) % 2 == 1
    try:
        with plots.style(dark=dark):
            figsize = SIZES[size]
            given = figsize and Figure(figsize=figsize, layout="constrained").subplots()
            ax = PLOTS[plot](world_of(world), given)
        # Where texts lie is looked at, and no pixel.
        ax.figure.draw_without_rendering()
        texts = written(ax)
        assert texts
        paper = ax.figure.bbox
        for text, box in texts:
            assert text.get_fontsize() >= LEAST, text
            assert paper.x0 - 1 <= box.x0 <= box.x1 <= paper.x1 + 1, text
            assert paper.y0 - 1 <= box.y0 <= box.y1 <= paper.y1 + 1, text
        upright = [(text, box) for text, box in texts if text.get_rotation() in (0, 90)]
        left, bottom, right, top = np.array([box.extents for _, box in upright]).T
        across = np.minimum.outer(right, right) - np.maximum.outer(left, left)
        along = np.minimum.outer(top, top) - np.maximum.outer(bottom, bottom)
        lies_on = np.triu((across > TOLERANCE) & (along > TOLERANCE), 1)
        assert not [tuple(upright[n][0] for n in pair) for pair in np.argwhere(lies_on)]
        names = [ax.get_yticklabels()]
        names += [ax.get_legend().get_texts()] if ax.get_legend() else []
        for group in names:
            labels = [text.get_text() for text in group]
            assert len(labels) == len(set(labels))
    finally:
        plt.close("all")

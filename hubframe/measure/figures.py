"""The figures that studies of Docker Hub published: what each means, and what they found.

A study's figure stands here only where its text, or the notes of people who read it, could be
checked; where it could not, the note says so. They are of other images, years and
samples than yours, and no target.
"""
# A figure a line, so that this reads as a table.
# ruff: noqa: E501

from dataclasses import dataclass

ZHAO = "Zhao 2019"
ANWAR = "Anwar 2018"
HARTER = "Harter 2016"
IBRAHIM = "Ibrahim 2020"
MB, GB, TB = 10**6, 10**9, 10**12
_OF_2017 = "latest tags of Docker Hub in May 2017"
_UNCHECKED = "measured there too; the figure could not be checked and is left out"
_OF_IBM = "layers in five registries of IBM; whether its MB are 10^6 bytes is not said"


@dataclass(frozen=True)
class Figure:
    """What a figure means, and what a study found."""

    metric: str
    unit: str
    meaning: str
    paper: str | None = None
    paper_value: float | None = None
    paper_note: str | None = None


SHARING = (
    Figure("referenced_size", "bytes", "Sum over images of their distinct layers: what pulling each image alone would move."),
    Figure("stored_size", "bytes", "Sum of the distinct layers: what storing each once takes.", ZHAO, 47 * TB, _OF_2017),
    Figure("layer_sharing_ratio", "ratio", "`referenced_size` by `stored_size`.", ZHAO, None, _UNCHECKED),
    Figure("layer_sharing_ratio_without_empty", "ratio", "The same without the empty layer."),
    Figure("shared_size_share", "share", "Part of `referenced_size` in layers that two or more images hold."),
    Figure("single_reference_share", "share", "Distinct layers that one image holds, by distinct layers.", ZHAO, None, _UNCHECKED),
    Figure("double_reference_share", "share", "Distinct layers that two images hold, by distinct layers.", ZHAO, None, _UNCHECKED),
    Figure("over_25_references_share", "share", "Distinct layers that more than 25 images hold, by distinct layers.", ZHAO, None, _UNCHECKED),
    Figure("references_max", "images", "Images that hold the layer that most images hold, the empty layer left out."),
    Figure("empty_layer_image_share", "share", "Images that hold the empty layer, by images.", ZHAO, None, _UNCHECKED),
    Figure("duplicate_image_share", "share", "Images whose layers another image has too, in the same order, by images.", IBRAHIM, None, "median share of identical images: 27 % of Debian's, 35 % of CentOS's, 6 % of Ubuntu's and 9 % of Alpine's; 936 images"),
)  # fmt: skip

MAKE_UP = (
    Figure("repo_count", "repositories", "Distinct repositories in any of the frames.", ZHAO, 457_627, _OF_2017),
    Figure("tag_count", "tags", "Distinct tags: of `images`, else of `layers`."),
    Figure("image_count", "images", "Distinct images of `layers`; tags of the same image are one."),
    Figure("layer_count", "layers", "Distinct layers.", ZHAO, 1_792_609, _OF_2017),
    Figure("image_size_p50", "bytes", "Median image: compressed bytes of its distinct layers.", ZHAO, 17 * MB, _OF_2017),
    Figure("image_size_p90", "bytes", "The image that nine in ten do not exceed.", ZHAO, 0.48 * GB, _OF_2017),
    Figure("image_size_max", "bytes", "The largest image."),
    Figure("layers_per_image_p50", "layers", "Layers of the median image, repeated ones counted.", ZHAO, 8, f"less than this; {_OF_2017}"),
    Figure("layers_per_image_p90", "layers", "Layers that nine in ten images do not exceed.", ZHAO, 18, f"less than this; {_OF_2017}"),
    Figure("layers_per_image_max", "layers", "Layers of the image that has most.", ZHAO, 120, _OF_2017),
    Figure("distinct_layers_per_image_p50", "layers", "Layers of the median image, repeated ones counted once."),
    Figure("layer_size_p50", "bytes", "Median compressed layer, each distinct layer counted once.", ZHAO, 4 * MB, f"less than this; {_OF_2017}"),
    Figure("layer_size_p90", "bytes", "The layer that nine in ten distinct layers do not exceed.", ZHAO, 63 * MB, _OF_2017),
    Figure("referenced_layer_size_p50", "bytes", "Median compressed layer, each counted once per image that holds it."),
    Figure("referenced_layer_size_p90", "bytes", "The layer that nine in ten do not exceed, counted once per image that holds it."),
    Figure("layers_below_1_mb_share", "share", "Distinct layers of less than 10^6 bytes, by distinct layers.", ANWAR, 0.65, _OF_IBM),
    Figure("layers_below_10_mb_share", "share", "Distinct layers of less than 10^7 bytes, by distinct layers.", ANWAR, 0.80, _OF_IBM),
    Figure("deep_size_share", "share", "Bytes of all images in their ninth layer from the base and above.", HARTER, 0.5, "more than this, over the 57 images of HelloBench"),
    Figure("alias_ratio", "share", "One less distinct digests by tags, over tags of `images` whose digest is known."),
    Figure("pull_count_p50", "pulls", "Pulls of the median repository.", ZHAO, None, _UNCHECKED),
    Figure("pull_count_p90", "pulls", "Pulls that nine in ten repositories do not exceed.", ZHAO, None, _UNCHECKED),
    Figure("pull_count_max", "pulls", "Pulls of the repository that has most."),
    Figure("pull_top_1_percent_share", "share", "Part of all pulls that go to the first hundredth of the repositories, at least one."),
    Figure("pull_gini", "ratio", "Gini coefficient of the pulls: 0 where all repositories have equally many, towards 1 where one has all."),
    Figure("pull_rank_slope", "ratio", "Slope of log pulls over log rank, by least squares, repositories without pulls left out."),
)  # fmt: skip

"""hubframe, as its users call it; shaping alone is measured below the public functions."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

import hubframe
from benchmarks.collection import copies
from benchmarks.peers.ready_columns import PER_IMAGE, of_image
from benchmarks.tls_registry import know_name
from hubframe.oci.manifests import content
from hubframe.oci.platforms import Platform
from hubframe.tables import shape

Client, Settings = hubframe.Client, hubframe.Settings
layers_df, labels_df, tags_df = hubframe.layers_df, hubframe.labels_df, hubframe.tags_df
Told = dict[str, Any]

# What is loaded at its first use is not the work's: a notebook imports once.
with hubframe.sample():
    labels_df("library/alpine", newest=1)


def images(task: dict[str, Any]) -> Callable[[], Told]:
    """Read layers and labels of all tags into frames."""

    def work() -> Told:
        with Client(_settings(task)) as client:
            what, platform = f"{task['host']}/{task['repository']}", task["platform"]
            return _told(
                layers=layers_df(what, platform=platform, client=client),
                labels=labels_df(what, platform=platform, client=client),
            )

    return work


def tls_labels(task: dict[str, Any]) -> Callable[[], Told]:
    """Read the labels of all tags of a registry that speaks TLS into a frame."""
    os.environ["REQUESTS_CA_BUNDLE"] = task["bundle"]
    know_name()

    def work() -> Told:
        with Client(_settings(task)) as client:
            what, platform = f"{task['host']}/{task['repository']}", task["platform"]
            return _told(labels=labels_df(what, platform=platform, client=client))

    return work


def hub_tags(task: dict[str, Any]) -> Callable[[], Told]:
    """Read a repository's tags from the Hub."""

    def work() -> Told:
        with Client(_settings(task, hub_url=f"http://{task['host']}")) as client:
            return _told(tags=tags_df(task["repository"], client=client))

    return work


def layers(task: dict[str, Any]) -> Callable[[], Told]:
    """Shape manifests and configs that are parsed into one long frame of layers."""
    pairs = copies(task["rows"] // PER_IMAGE)
    # What an image is called is there before it is read.
    found = [(of_image(number), *pair) for number, pair in enumerate(pairs)]
    return lambda: _told(layers=shape.layers(_image(*one) for one in found))


def _image(
    name: tuple[str, str, str, str], manifest: dict[str, Any], config: dict[str, Any]
) -> shape.Image:
    repo, tag, platform, digest = name
    told = content(manifest, config)
    return shape.Image(repo, tag, digest, Platform.parse(platform), content=told)


def _settings(task: dict[str, Any], **more: str) -> hubframe.Settings:
    workers = {"workers": task["workers"]} if "workers" in task else {}
    return Settings(cache_dir=Path(task["cache"]), **workers, **more)


def _told(**frames: pd.DataFrame) -> Told:
    size = sum(int(frame.memory_usage(deep=True).sum()) for frame in frames.values())
    return {**{name: len(frame) for name, frame in frames.items()}, "frame_bytes": size}

"""Frames to frames: what there is to say about them, before anything is drawn or written.

One module per question; nothing here touches the network, draws or writes.
"""

from hubframe.measure.coverage import OCI_LABELS, key_coverage, label_coverage, source_links
from hubframe.measure.images import identity, newest
from hubframe.measure.sharing import image_sharing, largest, layer_use, shared_with
from hubframe.measure.standard import standard_labels
from hubframe.measure.summary import (
    described_images,
    failures,
    is_complete,
    overview,
    platform_counts,
    provenance,
    totals,
)
from hubframe.measure.trends import pushes

__all__ = [
    "OCI_LABELS",
    "described_images",
    "failures",
    "identity",
    "image_sharing",
    "is_complete",
    "key_coverage",
    "label_coverage",
    "largest",
    "layer_use",
    "newest",
    "overview",
    "platform_counts",
    "provenance",
    "pushes",
    "shared_with",
    "source_links",
    "standard_labels",
    "totals",
]

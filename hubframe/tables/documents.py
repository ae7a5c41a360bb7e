"""The names of `hubframe.oci` that stood here, until what imports them here is changed."""

from hubframe.oci.manifests import (
    CONFIG_TYPES,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEX_TYPES,
    OCI_MANIFEST,
    HubContent,
    Kind,
    ManifestContent,
    content,
    entries,
    kind,
    media_type,
)
from hubframe.oci.payload import an_object, items, mapping, parse, text
from hubframe.oci.platforms import Platform, acceptable, best

__all__ = [
    "CONFIG_TYPES",
    "DOCKER_LIST",
    "DOCKER_MANIFEST",
    "INDEX_TYPES",
    "OCI_MANIFEST",
    "HubContent",
    "Kind",
    "ManifestContent",
    "Platform",
    "acceptable",
    "an_object",
    "best",
    "content",
    "entries",
    "items",
    "kind",
    "mapping",
    "media_type",
    "parse",
    "text",
]

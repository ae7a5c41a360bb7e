"""Docker Hub and every OCI registry as tidy pandas frames.

>>> import hubframe
>>> with hubframe.sample():
...     tags = hubframe.tags_df("ansible/ansible", newest=3)

Importing this costs next to nothing: names are loaded when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hubframe.version import __version__ as __version__

if TYPE_CHECKING:
    from hubframe import cache as cache
    from hubframe import dask as dask
    from hubframe import errors as errors
    from hubframe import measure as measure
    from hubframe import plots as plots
    from hubframe import report as report
    from hubframe import sample as sample
    from hubframe import tables as tables
    from hubframe.cache import offline as offline
    from hubframe.cache import refresh as refresh
    from hubframe.client import Client as Client
    from hubframe.compare import compare_df as compare_df
    from hubframe.errors import BlockedError as BlockedError
    from hubframe.errors import CacheWarning as CacheWarning
    from hubframe.errors import CredentialsError as CredentialsError
    from hubframe.errors import DigestMismatchError as DigestMismatchError
    from hubframe.errors import HubframeError as HubframeError
    from hubframe.errors import IncompleteWarning as IncompleteWarning
    from hubframe.errors import InvalidReferenceError as InvalidReferenceError
    from hubframe.errors import NoSuchPlatformError as NoSuchPlatformError
    from hubframe.errors import NotCachedError as NotCachedError
    from hubframe.errors import NotFoundError as NotFoundError
    from hubframe.errors import PayloadError as PayloadError
    from hubframe.errors import QuotaError as QuotaError
    from hubframe.errors import RateLimitError as RateLimitError
    from hubframe.errors import StaleWarning as StaleWarning
    from hubframe.errors import TransportError as TransportError
    from hubframe.errors import UnauthorizedError as UnauthorizedError
    from hubframe.errors import UnknownOrderWarning as UnknownOrderWarning
    from hubframe.explorer.view import Explorer as Explorer
    from hubframe.explorer.view import explore as explore
    from hubframe.frames import catalog_df as catalog_df
    from hubframe.frames import configs_df as configs_df
    from hubframe.frames import env_df as env_df
    from hubframe.frames import history_df as history_df
    from hubframe.frames import images_df as images_df
    from hubframe.frames import labels_df as labels_df
    from hubframe.frames import layers_df as layers_df
    from hubframe.frames import limits_df as limits_df
    from hubframe.frames import referrers_df as referrers_df
    from hubframe.frames import repos_df as repos_df
    from hubframe.frames import search_df as search_df
    from hubframe.frames import tags_df as tags_df
    from hubframe.inspection import config as config
    from hubframe.inspection import inspect as inspect
    from hubframe.inspection import manifest as manifest
    from hubframe.inspection import raw_manifest as raw_manifest
    from hubframe.layerfiles import files_df as files_df
    from hubframe.measure.cleanup import cleanup_df as cleanup_df
    from hubframe.measure.footprint import footprint_df as footprint_df
    from hubframe.measure.gaps import coverage_df as coverage_df
    from hubframe.measure.gaps import platform_coverage_df as platform_coverage_df
    from hubframe.measure.growth import size_trend_df as size_trend_df
    from hubframe.measure.layers import shared_layers_df as shared_layers_df
    from hubframe.measure.likeness import duplicates_df as duplicates_df
    from hubframe.measure.likeness import similarity_df as similarity_df
    from hubframe.measure.lineage import outdated_df as outdated_df
    from hubframe.measure.lineage import parents_df as parents_df
    from hubframe.measure.moves import mutable_tags_df as mutable_tags_df
    from hubframe.measure.moves import tag_moves_df as tag_moves_df
    from hubframe.measure.observations import pulls_over_time_df as pulls_over_time_df
    from hubframe.measure.observations import repos_over_time_df as repos_over_time_df
    from hubframe.measure.papers import sharing as sharing
    from hubframe.measure.papers import summary as summary
    from hubframe.measure.releases import cadence_df as cadence_df
    from hubframe.measure.releases import latest_lag_df as latest_lag_df
    from hubframe.measure.releases import newest as newest
    from hubframe.measure.releases import sort_versions as sort_versions
    from hubframe.measure.releases import staleness_df as staleness_df
    from hubframe.measure.standard import standard_labels as standard_labels
    from hubframe.measure.waste import efficiency as efficiency
    from hubframe.measure.waste import wasted_df as wasted_df
    from hubframe.notebook import Shown as Shown
    from hubframe.notebook import show as show
    from hubframe.planning import Plan as Plan
    from hubframe.planning import plan as plan
    from hubframe.plots.style import style as style
    from hubframe.reference import ImageReference as ImageReference
    from hubframe.sampling import sample_repos as sample_repos
    from hubframe.sampling import sample_tags as sample_tags
    from hubframe.selection import versions_in as versions_in
    from hubframe.settings import Settings as Settings
    from hubframe.snapshots.adding import add_snapshot as add_snapshot
    from hubframe.snapshots.dataset import clear_unfinished as clear_unfinished
    from hubframe.snapshots.dataset import read_snapshots as read_snapshots
    from hubframe.snapshots.repo_info import import_repo_info as import_repo_info
    from hubframe.snapshots.taking import snapshot as snapshot
    from hubframe.tables.excel import write_excel as write_excel
    from hubframe.tables.files import plain as plain
    from hubframe.tables.files import read_csv as read_csv
    from hubframe.tables.files import write_csv as write_csv
    from hubframe.tables.observed import Snapshots as Snapshots
    from hubframe.unpacked import unpacked_sizes_df as unpacked_sizes_df

_HOMES = {
    "cache": ("offline", "refresh"),
    "client": ("Client",),
    "compare": ("compare_df",),
    "errors": (
        "BlockedError",
        "CacheWarning",
        "CredentialsError",
        "DigestMismatchError",
        "HubframeError",
        "IncompleteWarning",
        "InvalidReferenceError",
        "NoSuchPlatformError",
        "NotCachedError",
        "NotFoundError",
        "PayloadError",
        "QuotaError",
        "RateLimitError",
        "StaleWarning",
        "TransportError",
        "UnauthorizedError",
        "UnknownOrderWarning",
    ),
    "explorer.view": ("Explorer", "explore"),
    "frames": (
        "catalog_df",
        "configs_df",
        "env_df",
        "history_df",
        "images_df",
        "labels_df",
        "layers_df",
        "limits_df",
        "referrers_df",
        "repos_df",
        "search_df",
        "tags_df",
    ),
    "measure.cleanup": ("cleanup_df",),
    "measure.footprint": ("footprint_df",),
    "measure.gaps": ("coverage_df", "platform_coverage_df"),
    "measure.growth": ("size_trend_df",),
    "measure.layers": ("shared_layers_df",),
    "measure.likeness": ("duplicates_df", "similarity_df"),
    "measure.lineage": ("outdated_df", "parents_df"),
    "measure.moves": ("mutable_tags_df", "tag_moves_df"),
    "measure.papers": ("sharing", "summary"),
    "measure.observations": ("pulls_over_time_df", "repos_over_time_df"),
    "measure.releases": (
        "cadence_df",
        "latest_lag_df",
        "newest",
        "sort_versions",
        "staleness_df",
    ),
    "measure.standard": ("standard_labels",),
    "measure.waste": ("efficiency", "wasted_df"),
    "layerfiles": ("files_df",),
    "inspection": ("config", "inspect", "manifest", "raw_manifest"),
    "notebook": ("Shown", "show"),
    "planning": ("Plan", "plan"),
    "plots.style": ("style",),
    "reference": ("ImageReference",),
    "sampling": ("sample_repos", "sample_tags"),
    "selection": ("versions_in",),
    "settings": ("Settings",),
    "snapshots.adding": ("add_snapshot",),
    "snapshots.dataset": ("clear_unfinished", "read_snapshots"),
    "snapshots.repo_info": ("import_repo_info",),
    "snapshots.taking": ("snapshot",),
    "tables.excel": ("write_excel",),
    "tables.files": ("plain", "read_csv", "write_csv"),
    "tables.observed": ("Snapshots",),
    "unpacked": ("unpacked_sizes_df",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("cache", "dask", "errors", "measure", "plots", "report", "sample", "tables")

__all__ = sorted([*_HOME_OF, *_MODULES, "__version__"])  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Load a public name at its first use."""
    if name in _HOME_OF:
        value = getattr(import_module(f"hubframe.{_HOME_OF[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"hubframe.{name}")
    else:
        raise AttributeError(f"module 'hubframe' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

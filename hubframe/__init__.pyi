from . import (
    dask as dask,
)
from . import (
    errors as errors,
)
from . import (
    measure as measure,
)
from . import (
    plots as plots,
)
from . import (
    report as report,
)
from . import (
    tables as tables,
)
from . import (
    testing as testing,
)
from .apps.explorer.view import (
    Explorer as Explorer,
)
from .apps.explorer.view import (
    explore as explore,
)
from .apps.show import (
    Shown as Shown,
)
from .apps.show import (
    show as show,
)
from .errors import (
    BlockedError as BlockedError,
)
from .errors import (
    CacheWarning as CacheWarning,
)
from .errors import (
    CredentialsError as CredentialsError,
)
from .errors import (
    CredentialsWarning as CredentialsWarning,
)
from .errors import (
    DigestMismatchError as DigestMismatchError,
)
from .errors import (
    HubframeError as HubframeError,
)
from .errors import (
    IncompleteWarning as IncompleteWarning,
)
from .errors import (
    InvalidReferenceError as InvalidReferenceError,
)
from .errors import (
    NoSuchPlatformError as NoSuchPlatformError,
)
from .errors import (
    NotCachedError as NotCachedError,
)
from .errors import (
    NotFoundError as NotFoundError,
)
from .errors import (
    PayloadError as PayloadError,
)
from .errors import (
    QuotaError as QuotaError,
)
from .errors import (
    RateLimitError as RateLimitError,
)
from .errors import (
    StaleWarning as StaleWarning,
)
from .errors import (
    TransportError as TransportError,
)
from .errors import (
    UnauthorizedError as UnauthorizedError,
)
from .errors import (
    UnknownOrderWarning as UnknownOrderWarning,
)
from .frames import (
    cache as cache,
)
from .frames.cache import (
    offline as offline,
)
from .frames.cache import (
    refresh as refresh,
)
from .frames.compare import (
    compare_df as compare_df,
)
from .frames.files import (
    files_df as files_df,
)
from .frames.images import (
    catalog_df as catalog_df,
)
from .frames.images import (
    configs_df as configs_df,
)
from .frames.images import (
    env_df as env_df,
)
from .frames.images import (
    history_df as history_df,
)
from .frames.images import (
    images_df as images_df,
)
from .frames.images import (
    labels_df as labels_df,
)
from .frames.images import (
    layers_df as layers_df,
)
from .frames.images import (
    limits_df as limits_df,
)
from .frames.images import (
    referrers_df as referrers_df,
)
from .frames.images import (
    repos_df as repos_df,
)
from .frames.images import (
    search_df as search_df,
)
from .frames.images import (
    tags_df as tags_df,
)
from .frames.inspect import (
    config as config,
)
from .frames.inspect import (
    inspect as inspect,
)
from .frames.inspect import (
    manifest as manifest,
)
from .frames.inspect import (
    raw_manifest as raw_manifest,
)
from .frames.plan import (
    Plan as Plan,
)
from .frames.plan import (
    plan as plan,
)
from .frames.sampling import (
    sample_repos as sample_repos,
)
from .frames.sampling import (
    sample_tags as sample_tags,
)
from .frames.selection import (
    versions_in as versions_in,
)
from .frames.unpacked import (
    unpacked_sizes_df as unpacked_sizes_df,
)
from .measure.cleanup import (
    cleanup_df as cleanup_df,
)
from .measure.coverage import (
    coverage_df as coverage_df,
)
from .measure.coverage import (
    platform_coverage_df as platform_coverage_df,
)
from .measure.efficiency import (
    efficiency as efficiency,
)
from .measure.efficiency import (
    wasted_df as wasted_df,
)
from .measure.footprint import (
    footprint_df as footprint_df,
)
from .measure.growth import (
    size_trend_df as size_trend_df,
)
from .measure.layers import (
    shared_layers_df as shared_layers_df,
)
from .measure.lineage import (
    outdated_df as outdated_df,
)
from .measure.lineage import (
    parents_df as parents_df,
)
from .measure.moves import (
    mutable_tags_df as mutable_tags_df,
)
from .measure.moves import (
    tag_moves_df as tag_moves_df,
)
from .measure.observations import (
    pulls_over_time_df as pulls_over_time_df,
)
from .measure.observations import (
    repos_over_time_df as repos_over_time_df,
)
from .measure.papers import (
    sharing as sharing,
)
from .measure.papers import (
    summary as summary,
)
from .measure.releases import (
    cadence_df as cadence_df,
)
from .measure.releases import (
    latest_lag_df as latest_lag_df,
)
from .measure.releases import (
    newest as newest,
)
from .measure.releases import (
    sort_versions as sort_versions,
)
from .measure.releases import (
    staleness_df as staleness_df,
)
from .measure.similarity import (
    duplicates_df as duplicates_df,
)
from .measure.similarity import (
    similarity_df as similarity_df,
)
from .measure.standard import (
    standard_labels as standard_labels,
)
from .oci.reference import (
    ImageReference as ImageReference,
)
from .plots.style import (
    style as style,
)
from .snapshots.adding import (
    add_snapshot as add_snapshot,
)
from .snapshots.dataset import (
    clear_unfinished as clear_unfinished,
)
from .snapshots.dataset import (
    read_snapshots as read_snapshots,
)
from .snapshots.repo_info import (
    import_repo_info as import_repo_info,
)
from .snapshots.taking import (
    snapshot as snapshot,
)
from .tables.excel import (
    write_excel as write_excel,
)
from .tables.files import (
    plain as plain,
)
from .tables.files import (
    read_csv as read_csv,
)
from .tables.files import (
    write_csv as write_csv,
)
from .tables.observed import (
    Snapshots as Snapshots,
)
from .version import __version__ as __version__
from .wire.client import (
    Client as Client,
)
from .wire.client import (
    sample as sample,
)
from .wire.settings import (
    Settings as Settings,
)

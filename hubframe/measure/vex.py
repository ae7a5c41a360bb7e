"""What VEX documents state of vulnerabilities."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import pandas as pd

from hubframe.measure.ecosystems import release_of
from hubframe.measure.images import plain_rows
from hubframe.oci.contents.packages import OS_TYPES, Package, qualifiers, read_url, whole_name
from hubframe.oci.payload import Known
from hubframe.oci.reference import ImageReference
from hubframe.readers.severities import NOT_AFFECTED, STATES, UNDER_INVESTIGATION, fixed_or
from hubframe.tables.schema import joined_attrs
from hubframe.tables.vulnerabilities import VEX, VULNERABILITIES

# The types of package URLs that name images.
_IMAGES = frozenset({"docker", "oci"})
# What has been fixed in the product that is here affects it no longer.
_STATES = STATES | {"fixed": NOT_AFFECTED}
_URLS, _QUALIFIERS = Known(read_url), Known(qualifiers)
_RELEASES = Known(release_of)
_OF_ROW = [
    *("id", "aliases", "type", "name", "version", "purl"),
    *("repo", "tag", "platform", "image_digest"),
]


class _Row(NamedTuple):
    """What a statement may be about."""

    type: str
    name: str
    version: str | None
    purl: str | None
    repo: str
    tag: str | None
    platform: str | None
    image_digest: str | None


class _Statement(NamedTuple):
    """Whether a vulnerability affects a product, or a part of it."""

    number: int  # the oldest has the lowest
    product: str | None
    component: str | None
    status: str
    justification: str | None

    def covers(self, row: _Row) -> bool:
        """Whether it is about a row: its package, or the image and its package."""
        of_all = self.product is None or _names_image(self.product, row)
        if self.component is None:
            return of_all or _names_package(self.product or "", row)
        return of_all and _names_package(self.component, row)


def with_vex(vulnerabilities: pd.DataFrame, vex: pd.DataFrame) -> pd.DataFrame:
    """Add what VEX documents state of vulnerabilities, such as those of a scanner's report.

    Parameters
    ----------
    vulnerabilities
        The table `vulnerabilities`.
    vex
        The table `vex`, of `read_openvex`.

    Returns
    -------
    pandas.DataFrame
        The table `vulnerabilities`, row by row. What is stated of a row's package, or of its
        image, stands in ``vex_status`` and ``vex_justification``, and changes ``state``; other
        rows stay as they are. What is stated of a tag, a release of a distribution or an
        architecture is about no other. Of several statements the last holds. An advisory about
        several vulnerabilities is cleared with all of them.

    Notes
    -----
    Who may state what is for you to judge: nothing is verified.

    Examples
    --------
    >>> from hubframe.readers.openvex import read_openvex
    >>> from hubframe.readers.trivy import read_trivy
    >>> from hubframe.testing import sample_files
    >>> scans = sample_files() / "scans"
    >>> found = with_vex(read_trivy(scans / "trivy.json"), read_openvex(scans / "openvex.json"))
    >>> found[["id", "name", "state"]].tail(1).to_numpy().tolist()
    [['CVE-2024-99003', 'requests', 'not affected']]
    """
    VULNERABILITIES.require(vulnerabilities)
    VEX.require(vex)
    by_name: dict[str, list[_Statement]] = defaultdict(list)
    names = ["id", "aliases", "product", "component", "status", "justification"]
    dated = vex.sort_values("stated_at", kind="stable", na_position="first")
    for number, (id_, aliases, *told) in enumerate(plain_rows(dated[names])):
        for name in (id_, *(aliases or "").split()):
            by_name[name].append(_Statement(number, *told))
    stated = [_last(by_name, row) for row in plain_rows(vulnerabilities[_OF_ROW])]
    before = plain_rows(vulnerabilities[["state", "fixed_version"]])
    columns = VULNERABILITIES.frame(
        {
            "state": [_state(one, *told) for one, told in zip(stated, before, strict=True)],
            "vex_status": [one and one.status for one in stated],
            "vex_justification": [one and one.justification for one in stated],
        }
    )
    # What nothing is stated of stays as it is.
    is_stated = columns["vex_status"].notna()
    found = vulnerabilities.reset_index(drop=True)
    found = found.assign(
        state=columns["state"],
        **{
            name: columns[name].where(is_stated, found[name])
            for name in ("vex_status", "vex_justification")
        },
    ).set_axis(vulnerabilities.index)
    frames = [vulnerabilities, vex]
    of, about = (frame.attrs.get("hubframe") or {} for frame in frames)
    found.attrs["hubframe"] = (
        dict(of)
        | joined_attrs(frames)
        | {
            "table": VULNERABILITIES.name,
            "sources": [*(of.get("sources") or ()), *(about.get("sources") or ())],
        }
    )
    return found


def _state(stated: _Statement | None, state: str, fixed_version: str | None) -> str:
    """Return the state that a statement leads to; who only confirms it leaves it as it is."""
    if stated is None:
        return state
    if stated.status == "affected" and state in (NOT_AFFECTED, UNDER_INVESTIGATION):
        return fixed_or(fixed_version, None)
    return _STATES.get(stated.status, state)


def _last(by_name: dict[str, list[_Statement]], row: tuple[Any, ...]) -> _Statement | None:
    id_, aliases, *told = row
    about, names = _Row(*told), [id_, *(aliases or "").split()]
    bundled = [one for one in names if one.startswith("CVE-")]
    if len(bundled) > 1:
        # What bundles several affects as long as one of them does.
        stated = [_latest(by_name, [one], about) for one in bundled]
        clear = [one for one in stated if one and _STATES.get(one.status) == NOT_AFFECTED]
        if len(clear) < len(stated):
            return _latest(by_name, [id_], about)
    return _latest(by_name, names, about)


def _latest(
    by_name: dict[str, list[_Statement]], names: list[str], about: _Row
) -> _Statement | None:
    """Return what is stated last of what has some names."""
    stated = (
        next((one for one in reversed(by_name.get(each, ())) if one.covers(about)), None)
        for each in names
    )
    return max(filter(None, stated), default=None)


def _names_package(written: str, row: _Row) -> bool:
    """Whether a package URL names the package of a row; without a version, any."""
    package: Package | None = _URLS[written]
    if package is None or package.type != row.type:
        return False
    own: Package | None = _URLS[row.purl] if row.purl else None
    of_system = row.type in OS_TYPES
    if own and of_system:
        # A package of another distribution, or of another release of it, is another one.
        is_built_alike = (
            package.namespace == own.namespace
            and package.architecture in (None, own.architecture)
            and _RELEASES[written] in (None, _RELEASES[row.purl])
        )
        if not is_built_alike:
            return False
    name = _whole(own) if own and not of_system else row.name
    versions = (None, row.version, own and own.version)
    return _whole(package) == name and _bare(package.version) in {*map(_bare, versions)}


def _whole(package: Package) -> str:
    if package.type == "golang":
        return "/".join(filter(None, (package.namespace, package.name)))
    return whole_name(package.type, package.namespace, package.name)


def _bare(version: str | None) -> str | None:
    """Leave out the letter that only some write before a version: v1.2.3."""
    return version and version.removeprefix("v")


def _names_image(written: str, row: _Row) -> bool:
    """Whether a package URL, or the name of an image, names the image of a row."""
    package: Package | None = _URLS[written]
    if package is None:
        return _is_same(written, row)
    told = _QUALIFIERS[written]
    if package.type not in _IMAGES or not _is_version(package.version, told, row):
        return False
    if at := told.get("repository_url"):
        return _is_same(at, row)
    if package.type == "docker":
        return _is_same("/".join(filter(None, (package.namespace, package.name))), row)
    # Of `pkg:oci` often the last part of the name is all that is told.
    return f"/{row.repo}".endswith(f"/{package.name}")


def _is_version(version: str | None, told: Mapping[str, str], row: _Row) -> bool:
    """Whether the image of a row is that version: a digest, else a tag, for an architecture."""
    if version is not None and version == row.image_digest:
        return True
    architecture = (row.platform or "").split("/")[1:2]
    is_tag = {version, told.get("tag")} <= {None, row.tag}
    return is_tag and told.get("arch") in (None, *architecture)


def _reference(written: str) -> ImageReference | None:
    with suppress(ValueError):
        return ImageReference.parse(written)
    return None


_REFERENCES = Known(_reference)


def _is_same(written: str, row: _Row) -> bool:
    found: ImageReference | None = _REFERENCES[written]
    return (
        found is not None
        and found.repo == row.repo
        and found.tag in (None, row.tag)
        and found.digest in (None, row.image_digest)
    )

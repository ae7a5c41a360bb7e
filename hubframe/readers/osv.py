"""Advisories in the format of OSV, from a folder or an archive: never unpacked, read up to caps.

The format: https://ossf.github.io/osv-schema/
"""

import json
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from hubframe.errors import NotFoundError, PayloadError
from hubframe.oci.contents import cvss
from hubframe.oci.contents.packages import normalised
from hubframe.oci.payload import items, mapping, parse, text, texts
from hubframe.readers.documents import Errors, Reading, check_cap, find, other_reader, read_file
from hubframe.readers.severities import UNKNOWN, headline, joined, severity
from hubframe.tables.vulnerabilities import ADVISORIES

Payload = Mapping[str, Any]
# Those of all of PyPI, or of Debian, are 60,000 and 300 MB.
MOST_BYTES, MOST_ENTRIES = 8 * 2**30, 2_000_000
# An advisory has some kB; YAML is read at a megabyte a second.
_MOST_IN_ENTRY, _MOST_IN_YAML = 2**25, 2**20
_SUFFIXES = (".json", ".yaml", ".yml")
# Libyaml's is ten times as fast. All that it makes is text: no dates, no numbers, no objects.
_YAML: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# How an archive may be broken.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError),
    *(OSError, RuntimeError, ValueError, struct.error),
)
_EVENTS = ("introduced", "fixed", "last_affected", "limit")
# What GitHub writes where the last version that has it is known, and none that is without it.
_LAST_KNOWN = re.compile(r"(<=?)\s*(\S+)")
_MOST_SHOWN = 100
Row = tuple[Any, ...]


def read_osv(
    place: str | os.PathLike[str],
    *,
    ecosystems: str | Iterable[str] | None = None,
    max_bytes: int = MOST_BYTES,
    max_entries: int = MOST_ENTRIES,
    errors: Errors = "raise",
) -> pd.DataFrame:
    """Read advisories in the format of OSV, a row for each package that one is about.

    Parameters
    ----------
    place
        A folder with all its folders, an archive (``.zip``) as osv.dev has one for each ecosystem,
        or one file; in JSON, or in YAML as PyPI's have it. Archives are read without unpacking.
    ecosystems
        Only these, as OSV names them: ``"PyPI"``; ``"Debian"`` with all its releases, or
        ``"Debian:12"``.
    max_bytes, max_entries
        Refuse to read more bytes than this, unpacked, and more advisories.
    errors
        ``"raise"`` ends with the first file that cannot be read; ``"collect"`` leaves such out,
        with a warning, and ``frame.attrs["hubframe"]["failures"]`` says why.

    Returns
    -------
    pandas.DataFrame
        The table `advisories`. It can be filtered, joined with others by `pandas.concat`, and kept:
        ``frame.to_parquet(…)`` is read again in a hundredth of the time.

    Raises
    ------
    PayloadError
        A file is no JSON, or the caps are exceeded.
    NotFoundError
        There is no advisory.

    Notes
    -----
    Other files in JSON or YAML are passed over; ``frame.attrs["hubframe"]["skipped"]`` counts them,
    and ``sources`` tells how old the newest advisory is.

    Examples
    --------
    >>> from hubframe.testing import sample_files
    >>> advisories = read_osv(sample_files() / "advisories")
    >>> advisories[["id", "ecosystem", "release", "name"]].head(1).to_numpy().tolist()
    [['SAMPLE-2024-1', 'Debian', '12', 'curl']]
    """
    reading = Reading(ADVISORIES, errors, max_bytes)
    check_cap("max_entries", max_entries)
    named = {ecosystems} if isinstance(ecosystems, str) else ecosystems
    wanted = None if named is None else set(named)
    path = Path(place)
    rows = _all_rows(path, reading, wanted, max_bytes, max_entries)
    frame = ADVISORIES.from_rows(rows)
    newest = frame["modified_at"].max()
    is_known = not pd.isna(newest)
    reading.note(place=str(path), newest_modified_at=newest.isoformat() if is_known else None)
    return reading.finish(frame, "osv")


def _all_rows(
    place: Path, reading: Reading, wanted: set[str] | None, max_bytes: int, max_entries: int
) -> Iterator[Row]:
    """Yield the rows of all advisories; the caps hold for all of them together."""
    has_found, told = False, None
    for name, read_body in (_in_archive if place.suffix == ".zip" else _in_folder)(place):
        max_entries -= 1
        told = None
        with reading.trying(name):
            body = read_body()
            max_bytes -= len(body)
            told = _parse(body, name)
        if max_bytes < 0 or max_entries < 0:
            what = "bytes" if max_bytes < 0 else "entries"
            raise PayloadError(f"{place} holds more than may be read: raise max_{what}=")
        if told is None:
            continue
        if text(told.get("id")) and isinstance(told.get("affected"), list):
            has_found = True
            yield from _rows(told, wanted)
        else:
            reading.skipped += 1
    if not has_found and not reading.has_failed:
        how = other_reader(told, "read_osv") if told and place.is_file() else None
        what = f"{place} holds no advisory in the format of OSV"
        raise NotFoundError(": ".join(filter(None, [what, how])))


_Bodies = Iterator[tuple[str, Callable[[], bytes]]]


def _in_folder(place: Path) -> _Bodies:
    for path in find(place, _SUFFIXES, is_deep=True):
        yield str(path), partial(read_file, path, _MOST_IN_ENTRY)


def _in_archive(place: Path) -> _Bodies:
    with place.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise PayloadError(f"{place} is no archive that can be read ({_cut(error)})") from None
        for entry in archive.infolist():
            if entry.filename.endswith(_SUFFIXES):
                name = f"{place}: {_cut(entry.filename)}"
                yield name, partial(_unpacked, archive, entry, name)


def _cut(told: object) -> str:
    """Return what an archive says of itself as short as a message needs it."""
    written = str(told)
    return written if len(written) <= _MOST_SHOWN else f"…{written[-_MOST_SHOWN:]}"


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """Unpack an entry, whatever size it claims."""
    try:
        with archive.open(entry) as file:
            body = file.read(_MOST_IN_ENTRY + 1)
    except _BROKEN as error:
        raise PayloadError(f"{name} cannot be unpacked ({_cut(error)})") from None
    if len(body) > _MOST_IN_ENTRY:
        raise PayloadError(f"{name} has more than {_MOST_IN_ENTRY:,} bytes")
    return body


def _parse(body: bytes, name: str) -> Payload:
    if name.endswith(".json"):
        return parse(body, name)
    if len(body) > _MOST_IN_YAML:
        raise PayloadError(f"{name} has more than {_MOST_IN_YAML:,} bytes of YAML")
    try:
        # What is named once and used often may grow beyond all bounds.
        if b"&" in body and any(
            isinstance(event, yaml.AliasEvent) for event in yaml.parse(body, Loader=_YAML)
        ):
            raise PayloadError(f"{name} uses aliases of YAML, which are not read")
        found = yaml.load(body, Loader=_YAML)  # noqa: S506 (it makes nothing but text)
    except (yaml.YAMLError, RecursionError, UnicodeError) as error:
        raise PayloadError(f"{name} is no YAML ({_cut(error)})") from None
    if not isinstance(found, dict):
        raise PayloadError(f"{name} holds no mapping of YAML")
    return found


class _About(NamedTuple):
    """What tells a package, of which an advisory may have several entries."""

    ecosystem: str
    release: str | None
    name: str

    @property
    def with_release(self) -> str:
        """The ecosystem as OSV writes it."""
        return ":".join(filter(None, self[:2]))

    def is_of(self, wanted: set[str]) -> bool:
        """Whether it is of an ecosystem, or of a part of one: ``Ubuntu``, ``Ubuntu:22.04``."""
        return any(f"{self.with_release}:".startswith(f"{one}:") for one in wanted)


def _rows(told: Payload, wanted: set[str] | None) -> Iterator[Row]:
    """Yield rows in the order of the table's columns."""
    by_package: dict[_About, list[Payload]] = {}
    for entry in items(told.get("affected")):
        about = _about(mapping(entry.get("package")))
        if about and (wanted is None or about.is_of(wanted)):
            by_package.setdefault(about, []).append(entry)
    aliases, upstream = (
        {*texts(told.get(name))} - {told["id"]} for name in ("aliases", "upstream")
    )
    # Distributions have names of their own for each vulnerability, and for some together.
    aliases |= upstream if len(upstream) == 1 else set()
    links = items(told.get("references"))
    # The advisory itself before what is said elsewhere.
    links.sort(key=lambda link: link.get("type") != "ADVISORY")
    url = next(filter(None, (text(link.get("url")) for link in links)), None)
    for about, entries in by_package.items():
        ranges = [one for entry in entries for one in _ranges(entry)]
        versions = dict.fromkeys(one for entry in entries for one in _versions(entry))
        purls = (text(mapping(entry.get("package")).get("purl")) for entry in entries)
        word, score, vector = _severity(told, entries)
        yield (
            told["id"], joined(" ", *sorted(aliases)), joined(" ", *sorted(upstream)), *about,
            next(filter(None, purls), None),
            json.dumps(ranges, separators=(",", ":")) if ranges else None,
            " ".join(versions) or None, word, score, vector, _date(told.get("published")),
            _date(told.get("modified")), text(told.get("withdrawn")),
            headline(told.get("summary"), told.get("details")), url,
        )  # fmt: skip


def _about(package: Payload) -> _About | None:
    written, name = text(package.get("ecosystem")), text(package.get("name"))
    if not written or not name:
        return None
    ecosystem, _, release = written.partition(":")
    return _About(ecosystem, release or None, normalised(name) if ecosystem == "PyPI" else name)


def _ranges(entry: Payload) -> Iterator[dict[str, Any]]:
    """Yield ranges with the events that are known; those of commits are of no use here."""
    last_known = mapping(entry.get("database_specific")).get("last_known_affected_version_range")
    for one in items(entry.get("ranges")):
        if one.get("type") not in ("SEMVER", "ECOSYSTEM"):
            continue
        events = [
            {kind: at}
            for event in items(one.get("events"))
            for kind in _EVENTS
            if (at := text(event.get(kind)))
        ]
        known = _LAST_KNOWN.fullmatch(last_known) if isinstance(last_known, str) else None
        if known and all("introduced" in event for event in events):
            events.append({"last_affected" if known[1] == "<=" else "limit": known[2]})
        if events:
            yield {"type": one["type"], "events": events}


def _versions(entry: Payload) -> Iterator[str]:
    return (one for one in texts(entry.get("versions")) if one and not re.search(r"\s", one))


def _severity(told: Payload, entries: Iterable[Payload]) -> tuple[str, float | None, str | None]:
    """Return the word that an advisory has for how bad it is, else its score's; and that score."""
    scores = [*items(told.get("severity"))]
    words = []
    for part in (*entries, told):
        scores += items(part.get("severity")) if part is not told else []
        for place in ("ecosystem_specific", "database_specific"):
            specific = mapping(part.get(place))
            words += [specific.get("severity"), specific.get("urgency")]
    # Ubuntu writes a word where others write a vector.
    words += [one.get("score") for one in scores]
    found = filter(None, (cvss.read(text(one.get("score")) or "") for one in scores))
    newest = max(found, key=lambda one: (one.version, one.score), default=None)
    word = next((one for one in map(severity, words) if one != UNKNOWN), None)
    if word is None:
        word = cvss.word(newest.score) if newest else UNKNOWN
    return word, newest and newest.score, newest and newest.vector


def _date(written: Any) -> str | None:
    """Return a date; that of Go for "none" is none."""
    found = text(written)
    return None if found is None or found.startswith("0001-") else found

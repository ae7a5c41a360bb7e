"""Every number on a report's page, recomputed with plain pandas from the CSV files beside it."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest
import requests

from hubframe import read_eol
from hubframe.report import SAMPLE, SAMPLE_INSIDE, collect, write, write_report
from hubframe.testing import SampleAdapter, sample_files
from hubframe.version import __version__

from .test_measure import NAMES

# What holds names, which may have digits, and what stands for a number.
QUIET = {"data", "time", "code", "span", "a", "style", "title", "h1"}
CHECKED = {"p", "li", "dd", "dt", "h2", "h3", "h4", "figcaption"}
VOID = {"meta", "img", "source", "link", "br"}
DATES = ("newest_push_at", "newest_build_at", "first_dated_at", "last_dated_at")


@dataclass
class Mark:
    """A number as the page holds it."""

    figure: str
    value: str
    row: str | None
    of: str | None
    table: str | None
    shown: str = ""


class Page(HTMLParser):
    """The marked numbers of a page, and the text in which no number stands unmarked."""

    def __init__(self, text):
        super().__init__()
        self.marks, self.open, self.bare = [], [], ""
        self.table = self.line = None
        self.is_marked = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.table = told["data-table"]
        if tag == "tr":
            self.line = told.get("data-row")
        self.is_marked = "data-figure" in told
        if self.is_marked:
            value = told.get("value", told.get("datetime"))
            row = self.line if self.table else told.get("data-row")
            mark = Mark(told["data-figure"], value, row, told.get("data-of"), self.table)
            self.marks.append(mark)

    def handle_endtag(self, tag):
        self.open.pop()
        self.is_marked = False
        if tag == "table":
            self.table = None

    def handle_data(self, data):
        if self.is_marked:
            self.marks[-1].shown += data
        if CHECKED & set(self.open) and not QUIET & set(self.open) and not self.table:
            self.bare += data


class Beside:
    """The CSV files of a folder, as text, and what can be said of them."""

    def __init__(self, folder):
        self.files = {
            path.stem: pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
            for path in folder.glob("*.csv")
        }

    def __getattr__(self, name):
        return self.files[name]

    @cached_property
    def held(self):
        """Each image's distinct layers, of which each has one size: the largest that is told."""
        layers = self.layers.assign(image=image(self.layers), size=number(self.layers["size"]))
        layers["size"] = layers.groupby("layer_digest")["size"].transform("max")
        layers["holders"] = layers.groupby("layer_digest")["image"].transform("nunique")
        return layers.drop_duplicates(["image", "layer_digest"])

    @cached_property
    def shares(self):
        """The share of each image's bytes in layers that another image holds too."""
        shared = self.held["size"].where(self.held["holders"] > 1, 0)
        by = self.held["image"]
        return shared.groupby(by).sum() / self.held["size"].groupby(by).sum()

    @cached_property
    def proper(self):
        images = self.images[self.images["is_attestation"] == "False"]
        return images.assign(image=image(images), size=number(images["size"]))

    @cached_property
    def dated(self):
        """Tags, with the build where no push is told."""
        tags = self.tags.assign(pushed_at=date(self.tags["pushed_at"]))
        both = pd.concat([self.configs, self.proper])[["repo", "tag", "created_at"]].dropna()
        built = both.assign(at=date(both["created_at"])).groupby(["repo", "tag"])["at"].max()
        tags = tags.join(built.rename("built_at"), on=["repo", "tag"])
        first = self.proper.assign(other=self.proper["platform"] != "linux/amd64")
        first = first.sort_values("other", kind="stable").groupby(["repo", "tag"])
        tags = tags.join(first["size"].first().rename("of_image"), on=["repo", "tag"])
        tags = tags.join(first["platform"].nunique().rename("platforms"), on=["repo", "tag"])
        return tags.assign(
            dated_at=tags["pushed_at"].fillna(tags["built_at"]),
            size=number(tags["size"]).fillna(tags["of_image"]),
            platform_count=number(tags["platform_count"]).fillna(tags["platforms"]),
        )

    @cached_property
    def known_latest(self):
        return self.latest_lag.dropna(subset="is_highest")

    @cached_property
    def late_latest(self):
        return self.latest_lag[self.latest_lag["is_highest"] == "False"]

    @cached_property
    def goes(self):
        plan = self.cleanup[self.cleanup["action"] == "delete"]
        return plan.assign(freed_size=number(plan["freed_size"]))

    @cached_property
    def lacking(self):
        cells = self.platform_coverage
        return cells[cells["is_present"] == "False"].drop_duplicates(["repo", "tag"])

    @cached_property
    def in_several(self):
        layers = self.held.groupby("layer_digest").agg(
            size=("size", "max"), images=("image", "nunique"), empty=("is_empty", "first")
        )
        return layers[(layers["images"] > 1) & (layers["empty"] == "False")]

    @cached_property
    def distinct(self):
        return self.held.groupby("layer_digest")["size"].max()

    @cached_property
    def named(self):
        """The references to images."""
        return self.checked_references.dropna(subset="reference")

    @cached_property
    def ends(self):
        """Of each tag of a product with dates, whether it is at its end."""
        rows = self.eol[self.eol["file"].isna()].dropna(subset="is_eol")
        return (rows["is_eol"] == "True").groupby([rows["repo"], rows["tag"]]).any()

    @cached_property
    def found(self):
        """The vulnerabilities, by their CVE."""
        rows = self.vulnerabilities[self.vulnerabilities["state"] != "not affected"]
        names = rows["id"] + " " + rows["aliases"].fillna("")
        return rows.assign(vulnerability=names.str.extract(r"(CVE-\S+)")[0])

    @cached_property
    def severity(self):
        """How bad each of them is, at worst."""
        words = ["critical", "high", "medium", "low", "negligible", "unknown"]
        ranks = self.found["severity"].map(words.index)
        return ranks.groupby(self.found["vulnerability"]).min().map(words.__getitem__)

    @cached_property
    def again(self):
        """Versions whose last push came after that of the next one of their line."""
        tags = self.tags.dropna(subset=["version", "pushed_at"]).set_index(["repo", "tag"])
        found = {}
        lines = self.size_trend.drop_duplicates(["repo", "line", "platform", "tag"])
        for (repo, *_), line in lines.groupby(["repo", "line", "platform"], dropna=False):
            for earlier, later in pairwise(line["tag"]):
                if {(repo, earlier), (repo, later)} <= set(tags.index):
                    a, b = tags.loc[(repo, earlier)], tags.loc[(repo, later)]
                    same = a["version"].rsplit(".", 1)[0] == b["version"].rsplit(".", 1)[0]
                    days = (
                        pd.Timestamp(a["pushed_at"]) - pd.Timestamp(b["pushed_at"])
                    ).total_seconds()
                    if same and days > 0:
                        found[f"{repo}:{earlier}"] = {
                            "pushed_at": a["pushed_at"],
                            "next_pushed_at": b["pushed_at"],
                            "later_days": round(days / 86400, 2),
                        }
        return pd.DataFrame(found).T


def image(frame):
    spelled = frame["repo"] + ":" + frame["tag"].fillna("") + " " + frame["platform"].fillna("")
    return frame["image_digest"].fillna(spelled)


def number(column):
    return pd.to_numeric(column)


def date(column):
    return pd.to_datetime(column, utc=True, format="ISO8601").astype("datetime64[us, UTC]")


def pairs(beside, columns):
    every = [beside.files[name] for name in NAMES if set(columns) <= set(beside.files[name])]
    return len(pd.concat([one[columns] for one in every]).dropna().drop_duplicates())


def carrying(beside, key):
    rows = beside.coverage[
        (beside.coverage["key"] == key) & (beside.coverage["state"] != "missing")
    ]
    return image(rows).nunique()


def current(beside):
    """Images on outdated parents that `latest` or another moving tag names."""
    tags = beside.tags
    names = beside.outdated
    is_moving = [name in moving(tags) for name in zip(names["repo"], names["tag"], strict=True)]
    return image(names[is_moving]).nunique()


def moving(tags):
    """Name the tags that are latest, or that others go on from, or that are no version."""
    versions = set(zip(tags["repo"], tags["version"], strict=True))
    longer = {
        (repo, v.rsplit(".", n)[0])
        for repo, v in versions
        if isinstance(v, str)
        for n in range(1, v.count(".") + 1)
    }
    return {
        (row.repo, row.tag)
        for row in tags.itertuples()
        if row.is_digest_tag == "False"
        and (row.tag == "latest" or row.version != row.version or (row.repo, row.version) in longer)
        and not re.search(r"\d{8}", row.tag)
    }


FIGURES = {
    "repo_count": lambda b, _: pairs(b, ["repo"]),
    "tag_count": lambda b, _: pairs(b, ["repo", "tag"]),
    "image_count": lambda b, _: len({*b.proper["image"], *b.held["image"]}),
    "layered_image_count": lambda b, _: b.held["image"].nunique(),
    "platform_count": lambda b, _: b.proper["platform"].nunique(),
    "layer_count": lambda b, _: b.layers["layer_digest"].nunique(),
    "size_referenced": lambda b, _: b.held["size"].sum(),
    "size_stored": lambda b, _: b.distinct.sum(),
    "shared_share": lambda b, _: (
        b.held.loc[b.held["holders"] > 1, "size"].sum()
        / b.held["size"].sum()
    ),
    "newest_push_at": lambda b, _: date(b.tags["pushed_at"]).max(),
    "newest_build_at": lambda b, _: b.dated["built_at"].max(),
    "pulled_repo_count": lambda b, _: b.repos["pull_count"].notna().sum(),
    "pull_count": lambda b, _: number(b.repos["pull_count"]).sum(),
    "pull_share": lambda b, of: (
        number(b.repos.set_index("repo")["pull_count"])[of] / number(b.repos["pull_count"]).sum()
    ),
    "dated_tag_count": lambda b, _: b.dated["dated_at"].notna().sum(),
    "aged_tag_count": lambda b, _: b.staleness["age_days"].notna().sum(),
    "first_dated_at": lambda b, _: b.dated["dated_at"].min(),
    "last_dated_at": lambda b, _: b.dated["dated_at"].max(),
    "version_tag_count": lambda b, _: (
        b.dated["version"].notna() & b.dated["dated_at"].notna() & (b.dated["is_digest_tag"] == "False")
    ).sum(),
    "stale_share": lambda b, _: (number(b.staleness["age_days"].dropna()) > 365).mean(),
    "image_size": lambda b, of: b.held[b.held["image"] == of]["size"].sum(),
    "image_shared_share": lambda b, of: b.shares[of],
    "sized_layer_count": lambda b, _: b.distinct.notna().sum(),
    "layer_size_p50": lambda b, _: b.distinct.quantile(0.5),
    "layer_size_p90": lambda b, _: b.distinct.quantile(0.9),
    "line_count": lambda b, _: len(b.size_trend[["repo", "line", "platform"]].drop_duplicates()),
    "platform_tag_count": lambda b, _: len(b.platform_coverage[["repo", "tag"]].drop_duplicates()),
    "lacking_tag_count": lambda b, _: len(b.lacking),
    "lacking_repo_count": lambda b, _: b.lacking["repo"].nunique(),
    "related_image_count": lambda b, _: image(b.parents.dropna(subset="parent_repo")).nunique(),
    "outdated_image_count": lambda b, _: image(b.outdated).nunique(),
    "outdated_current_count": lambda b, _: current(b),
    "shared_layer_count": lambda b, _: len(b.in_several),
    "saved_size": lambda b, _: (b.in_several["size"] * (b.in_several["images"] - 1)).sum(),
    "known_latest_count": lambda b, _: len(b.known_latest),
    "late_repo_count": lambda b, _: len(b.late_latest),
    "more_late_count": lambda b, _: len(b.late_latest) - 3,
    "keep": lambda _, __: 10,
    "older_than": lambda _, __: 365,
    "deleted_tag_count": lambda b, _: len(b.goes),
    "unread_tag_count": lambda b, _: b.goes["freed_size"].isna().sum(),
    "freed_size": lambda b, _: b.goes["freed_size"].sum(),
    "described_image_count": lambda b, _: image(b.coverage).nunique(),
    "labelled_image_count": carrying,
    "label_share": lambda b, of: carrying(b, of) / image(b.coverage).nunique(),
    "packaged_image_count": lambda b, _: image(b.packages).nunique(),
    "package_count": lambda b, _: len(distinct_packages(b)),
    "package_type_count": lambda b, of: (distinct_packages(b)["type"] == of).sum(),
    "added_package_count": lambda b, of: changed(b, of, "added"),
    "changed_package_count": lambda b, of: changed(b, of, "changed"),
    "removed_package_count": lambda b, of: changed(b, of, "removed"),
    "distributed_image_count": lambda b, _: image(b.distributions.dropna(subset="id")).nunique(),
    "undistributed_image_count": lambda b, _: (
        image(b.distributions[b.distributions["id"].isna()]).nunique()
    ),
    "based_image_count": lambda b, _: image(b.bases).nunique(),
    "proved_image_count": lambda b, _: image(b.bases[b.bases["confidence"] == "proved"]).nunique(),
    "wrong_image_count": lambda b, _: (
        image(b.bases[b.bases["confidence"] == "told but wrong"]).nunique()
    ),
    "outdated_base_count": lambda b, _: image(b.bases[b.bases["is_outdated"] == "True"]).nunique(),
    "documented_tag_count": lambda b, _: len(b.provenance[["repo", "tag"]].drop_duplicates()),
    "builder_count": lambda b, _: b.provenance["builder_id"].nunique(),
    "signed_tag_count": lambda b, _: len(b.signatures[["repo", "tag"]].drop_duplicates()),
    "signature_count": lambda b, of: len(
        b.signatures[b.signatures["status"] == of].drop_duplicates(["digest", "position", "number"])
    ),
    "repushed_tag_count": lambda b, _: len(b.again),
    "repushed.later_days": lambda b, of: b.again.loc[of, "later_days"],
    "reference_count": lambda b, _: len(b.named),
    "referring_file_count": lambda b, _: b.named["file"].nunique(),
    "untold_reference_count": lambda b, _: (
        b.checked_references["problem"].isin(["variable", "template", "invalid"]).sum()
    ),
    "missing_reference_count": lambda b, _: (b.named["exists"] == "False").sum(),
    "unchecked_reference_count": lambda b, _: b.named["exists"].isna().sum(),
    # Of references, and of those whose product is known.
    "ended_reference_count": lambda b, _: (b.named["is_eol"] == "True").sum(),
    "left_reference_count": lambda b, _: (b.named["is_current"] == "False").sum(),
    "outdated_reference_count": lambda b, _: (number(b.named["versions_behind"]) > 0).sum(),
    "lacking_reference_count": lambda b, _: b.named["lacks_platforms"].notna().sum(),
    "floating_reference_count": lambda b, _: (b.named["is_floating"] == "True").sum(),
    "unpinned_reference_count": lambda b, _: (b.named["is_pinned"] == "False").sum(),
    "dated_reference_count": lambda b, _: b.named["is_eol"].notna().sum(),
    "dated_product_tag_count": lambda b, _: len(b.ends),
    "ended_tag_count": lambda b, _: b.ends.sum(),
    "ended_current_count": lambda b, _: len({*b.ends[b.ends].index} & moving(b.tags)),
    "eol_dated_at": lambda _, __: read_eol()["dated_at"].max(),
    "vulnerability_count": lambda b, _: b.found["vulnerability"].nunique(),
    "vulnerable_image_count": lambda b, _: image(b.found).nunique(),
    "severity_count": lambda b, of: (b.severity == of).sum(),
    "severe_count": lambda b, _: b.severity.isin(["critical", "high"]).sum(),
    "fixable_count": lambda b, _: (
        b.found["fixed_version"].notna().groupby(b.found["vulnerability"]).all().sum()
    ),
    "exploited_count": lambda b, _: (
        b.found[b.found["is_exploited"] == "True"]["vulnerability"].nunique()
    ),
}  # fmt: skip


def distinct_packages(beside):
    return beside.packages[["type", "namespace", "name"]].drop_duplicates()


def changed(beside, newer, how):
    rows = beside.comparison
    return ((rows["right_name"] == newer) & (rows["change"] == how)).sum()


def versions(beside):
    """Count the images of each version of a distribution."""
    rows = beside.distributions.dropna(subset="id")
    rows = rows.assign(image=image(rows), key=rows["id"] + " " + rows["version_id"].fillna(""))
    return rows.groupby("key").agg(image_count=("image", "nunique"))


def ended(beside):
    """Count what is of each product at its end."""
    rows = beside.eol[beside.eol["is_eol"] == "True"]
    key = rows["product"] + " " + rows["cycle"].fillna("")
    tag = (rows["repo"] + ":" + rows["tag"]).where(rows["file"].isna())
    place = rows["file"] + rows["line"].astype("str") + rows["field"]
    rows = rows.assign(key=key, of_tag=tag, place=place)
    return rows.groupby("key").agg(
        eol_at=("eol_at", "first"),
        extended_until=("extended_until", "first"),
        tag_count=("of_tag", "nunique"),
        reference_count=("place", "nunique"),
    )


def repositories(beside):
    table = beside.repos.drop_duplicates("repo").set_index("repo")
    dated = beside.dated
    names = pd.concat([beside.files[name]["repo"] for name in NAMES]).unique()
    table = table.reindex(names)
    return table.assign(
        tag_count=dated.groupby("repo").size().reindex(names).fillna(0),
        pushed_at=dated.groupby("repo")["pushed_at"]
        .max()
        .reindex(names)
        .fillna(date(table["pushed_at"])),
        built_at=dated.groupby("repo")["built_at"].max().reindex(names),
    )


def largest(beside):
    listed = beside.proper.drop_duplicates("image").set_index("image")
    return listed.assign(shared_share=beside.shares)


def keys(beside):
    images = image(beside.coverage).nunique()
    counts = {key: carrying(beside, key) for key in beside.coverage["key"].unique()}
    return pd.DataFrame(
        {
            key: {"labelled_count": n, "image_count": images, "share": n / images}
            for key, n in counts.items()
        }
    ).T


MADE = {
    "repositories": repositories,
    "newest": lambda b: b.dated.set_index(b.dated["repo"] + ":" + b.dated["tag"]),
    "largest": largest,
    "keys": keys,
    "repushed": lambda b: b.again,
    "distributions": versions,
    "ended": ended,
}


def images_of_tags(beside):
    """Count what proper tags name, each once in its repository."""
    proper = beside.tags[beside.tags["is_digest_tag"] == "False"]
    return len(proper.fillna({"digest": proper["tag"]}).drop_duplicates(["repo", "digest"]))


# What an excerpt of a table leaves out: of how many rows.
WHOLE = {
    "shared_layers": lambda b: len(b.in_several),
    "images": lambda b: b.proper["image"].nunique(),
    "size_trend": lambda b: (number(b.size_trend["change"]) > 0).sum(),
    "cleanup": lambda b: len(b.goes),
    "outdated": lambda b: image(b.outdated).nunique(),
    "footprint": lambda b: len(b.footprint),
    "latest_lag": lambda b: len(b.late_latest),
    "coverage": lambda b: (b.coverage["state"] == "invalid").sum(),
    "repos": lambda b: pairs(b, ["repo"]),
    "tags": images_of_tags,
    "eol": lambda b: len(ended(b)),
}  # fmt: skip


def expected(beside, mark, made):
    if mark.table:
        if mark.table in MADE:
            if mark.table not in made:
                made[mark.table] = MADE[mark.table](beside)
            return made[mark.table].loc[mark.row, mark.figure]
        return beside.files[mark.table].loc[int(mark.row), mark.figure]
    if mark.figure.startswith("rows."):
        return len(beside.files[mark.figure[5:]])
    if mark.figure.startswith("more."):
        return WHOLE[mark.figure[5:]](beside) - 15
    if mark.row is not None:
        table, column = mark.figure.split(".")
        return beside.files[table].loc[int(mark.row), column]
    return FIGURES[mark.figure](beside, mark.of)


def same(value, found):
    if re.match(r"\d{4}-\d\d-\d\d", value):
        return pd.Timestamp(value) == pd.Timestamp(found)
    return float(value) == pytest.approx(float(found), rel=1e-9)


@pytest.fixture(scope="module")
def of_shop(sample_client, tmp_path_factory):
    """The report of the sample's shop, with what is inside its images: its folder."""
    folder = tmp_path_factory.mktemp("shop")
    scans = [sample_files() / "scans" / f"{name}.json" for name in ("trivy", "grype")]
    given = {"references": sample_files() / "shop", "vulnerabilities": scans}
    read = collect(SAMPLE_INSIDE, inside=True, **given, client=sample_client, progress=False)
    write_report(read, folder, title="Shop")
    return folder


@pytest.fixture(scope="module")
def of_sample(sample_client, tmp_path_factory):
    """The report of the sample: its folder."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        # The numbers of the page and of its CSV files are looked at.
        patch.setattr(write, "write_excel", lambda *_: None)
        write_report(collect(SAMPLE, client=sample_client, progress=False), folder, title="Sample")
    return folder


def check(folder):
    """Compare each number of a report's page, and return which figures it has."""
    page, beside = Page((folder / "report.html").read_text(encoding="utf-8")), Beside(folder)
    made, wrong = {}, []
    for mark in page.marks:
        found = expected(beside, mark, made)
        if not same(mark.value, found):
            wrong.append((mark, found))
    assert not wrong
    bare = page.bare.replace(__version__, "").replace("linux/amd64", "")
    assert not re.findall(r".{0,30}\d.{0,30}", bare)
    return {mark.figure for mark in page.marks}


def test_each_number_of_the_sample_is_right(of_sample):
    figures = check(of_sample)
    assert len(figures) > 50
    assert {"freed_size", "outdated.lag_days", "latest_lag.lag_days", "label_share"} <= figures


def test_each_number_of_what_is_inside_is_right(of_shop):
    figures = check(of_shop)
    inside = {"package_count", "package_type_count", "changed_package_count", "image_count"}
    inside |= {"outdated_base_count", "lag_days", "documented_tag_count", "signature_count"}
    inside |= {"unpinned_reference_count", "ended_tag_count", "severity_count", "exploited_count"}
    assert inside <= figures


def test_the_summary_says_what_is_inside_as_brute_force_does(of_shop):
    summary, beside = json.loads((of_shop / "summary.json").read_text("utf-8")), Beside(of_shop)
    types = beside.packages.groupby("type")["name"].nunique().to_dict()
    assert summary["packages"]["by_type"] == types
    newest = {one["right_name"]: one for one in summary["packages"]["changes"]}
    assert newest["registry.example/shop/web:1.2.0"] == {
        "left_name": "registry.example/shop/web:1.1.0",
        "right_name": "registry.example/shop/web:1.2.0",
        "added": 0,
        "changed": 3,
        "removed": 0,
    }
    assert summary["distributions"]["by_distribution"] == versions(beside)["image_count"].to_dict()
    assert summary["bases"] == {
        "image_count": 3,
        "by_confidence": {"proved": 3},
        "outdated_image_count": 2,
    }
    assert summary["provenance"]["by_builder"] == {"https://sample.invalid/builders/1": 3}
    assert summary["signatures"]["by_status"] == {"not checked": 1}
    assert summary["eol"]["references_by_product"] == {"debian 12": 1, "redis 6.0": 1}
    assert summary["checked_references"]["missing_count"] == 1
    severities = {"critical": 1, "high": 1, "medium": 1, "low": 1, "negligible": 0, "unknown": 0}
    assert summary["vulnerabilities"]["by_severity"] == severities


def test_one_thing_has_one_number(of_sample):
    text = Page((of_sample / "report.html").read_text(encoding="utf-8"))
    shown = {}
    for mark in text.marks:
        if not mark.table and mark.row is None and mark.of is None:
            shown.setdefault(mark.figure, set()).add(mark.shown)
    assert {figure: words for figure, words in shown.items() if len(words) > 1} == {}


TYPES = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)


def layers_by_hand():
    """Ask the sample for the layers of each tag, as curl does; what its Hub lost, its registry."""
    session = requests.Session()
    session.mount("https://", SampleAdapter())
    found = {}
    for repo in SAMPLE:
        page = f"https://hub.docker.com/v2/repositories/{repo}/tags?page_size=100"
        while page:
            listed = session.get(page).json()
            for tag in listed["results"]:
                if not re.match(r"sha256-[0-9a-f]{64}", tag["name"]):
                    ask = told_by_hub if tag["images"] else told_by_registry
                    found[repo, tag["name"]] = ask(session, repo, tag["name"])
            page = listed["next"]
    return found


def told_by_hub(session, repo, tag):
    address = f"https://hub.docker.com/v2/repositories/{repo}/tags/{tag}/images"
    images = [one for one in session.get(address).json() if one["architecture"] != "unknown"]
    return union(
        {layer["digest"]: layer["size"]}
        for image in images
        for layer in image.get("layers") or ()
        if layer.get("digest")
    )


def told_by_registry(session, repo, what):
    address = f"https://registry-1.docker.io/v2/{repo}/manifests/{what}"
    scope = f"service=registry.docker.io&scope=repository:{repo}:pull"
    token = session.get(f"https://auth.docker.io/token?{scope}").json()["token"]
    headers = {"Accept": TYPES, "Authorization": f"Bearer {token}"}
    told = session.get(address, headers=headers).json()
    children = [
        told_by_registry(session, repo, one["digest"])
        for one in told.get("manifests", ())
        if one["platform"]["architecture"] != "unknown"
    ]
    # What a chart holds is no layer of an image.
    is_image = "image" in told.get("config", {}).get("mediaType", "")
    layers = told["layers"] if is_image else ()
    return union([*children, {one["digest"]: one["size"] for one in layers}])


def union(parts):
    """Join layers with their sizes; where the sample disagrees about one, the largest counts."""
    held = {}
    for part in parts:
        held |= {digest: max(size, held.get(digest, 0)) for digest, size in part.items()}
    return held


def test_the_report_of_the_sample_says_what_brute_force_says(of_sample):
    tags, beside = layers_by_hand(), Beside(of_sample)
    summary = json.loads((of_sample / "summary.json").read_text(encoding="utf-8"))
    assert summary["totals"]["size_stored"] == sum(union(tags.values()).values())
    size = union(tags.values())
    for row in beside.footprint.itertuples():
        own = union(held for (repo, _), held in tags.items() if repo == row.repo)
        others = union(held for (repo, _), held in tags.items() if repo != row.repo)
        assert int(row.total_size) == sum(size[digest] for digest in own)
        assert int(row.freed_size) == sum(size[digest] for digest in own.keys() - others.keys())
    gone = set(zip(beside.goes["repo"], beside.goes["tag"], strict=True))
    going = union(held for name, held in tags.items() if name in gone)
    kept = union(held for name, held in tags.items() if name not in gone)
    freed = sum(size[digest] for digest in going.keys() - kept.keys())
    assert beside.goes["freed_size"].sum() == freed

"""The report's files: complete, equal to the frames, and harmless."""

import json
import re
import shutil
from collections import defaultdict
from datetime import UTC, datetime
from html.parser import HTMLParser

import openpyxl
import pandas as pd
import pytest

from hubframe.errors import PayloadError
from hubframe.measure import footprint_df
from hubframe.report import collect, write, write_report
from hubframe.report.answers import ANSWERS, INSIDE, Facts, answer
from hubframe.report.prose import findings, sentences
from hubframe.report.risks import GIVEN
from hubframe.tables import TABLES
from hubframe.tables.files import read_csv
from hubframe.testing import sample_files

from . import test_report_numbers
from .test_measure import IMAGE, NAMES, frames, hub, label, layer, small

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PRANK = '<script>alert("x")</script><img src=x onerror=alert(1)>\x1b[31m\u202e$x^2$\'"&' + "n" * 300
QUESTIONS = (
    "What is here",
    "What it is made of",
    "What is shared",
    "What is stale or lags",
    "What is missing",
    "What to clean up",
)
PICTURES = ("pulls", "tags", "layers", "layer_sizes", "size_trend", "parents", "shared_layers", "footprint",
            "latest_lag", "staleness", "eol", "labels", "platforms", "cleanup")  # fmt: skip
TABLES_BESIDE = {f"{name}.csv" for name in (*NAMES, *ANSWERS, "sources")}
FILES = TABLES_BESIDE | {f"{name}.png" for name in PICTURES} | {"report.xlsx"}
# What is there only where it was asked for.
FILES |= {f"{name}.csv" for name in (*INSIDE, "packages_used", "comparison")}
FILES |= {f"{name}.csv" for name in (*GIVEN, "vulnerability_summary")}
FILES |= {"packages.png", "package_changes.png", "vulnerability_summary.png"}


def told(world, *, complete=True, failures=()):
    for name, frame in world.items():
        frame.attrs["hubframe"] = {
            "table": name,
            "source": "hub",
            "fetched_at": "2026-11-15T10:00:00+00:00",
            "complete": complete,
            "requests": 12,
            "from_cache": 3,
            "failures": list(failures),
            "skipped": 0,
        }
    return world


def hostile():
    world = hub(repos=2, tags=4)
    for frame in world.values():
        for name, dtype in frame.dtypes.items():
            if str(dtype) == "str" and name != "key":
                frame[name] = "=" + PRANK + frame[name]
    source = {"repo": world["repos"]["repo"][0], "tag": "t"}
    for name in (*INSIDE, *GIVEN):
        table = TABLES[name]
        pranks = {one.name: "=" + PRANK for one in table.columns if one.dtype == "str"}
        others = {one.name: True for one in table.columns if one.dtype == "boolean"}
        world[name] = table.from_records(
            [pranks | others | {"lag_days": 3, "position": 0, "number": 0, "line": 1}]
        )
    bad = [
        label(IMAGE | source, "source", value)
        for value in ("javascript:alert(1)", 'https://x"onclick="alert(1)')
    ]
    world["labels"] = pd.concat(
        [world["labels"], TABLES["labels"].from_records(bad)], ignore_index=True
    )
    return told(world, complete=False, failures=[{"ref": PRANK, "error": PRANK, "message": PRANK}])


def titled():
    world = small()
    world["labels"] = TABLES["labels"].from_records([label(IMAGE, "title", "B")])
    return told(world)


WORLDS = {
    "none": {},
    "empty": frames(),
    "one": hub(repos=1, tags=1),
    # Enough rows for tables to be cut.
    "many": hub(repos=4, tags=16),
    "told": titled(),
    "hostile": hostile(),
}


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def page(world, folder, **options):
    return read_page(write_report(world, folder, **{"title": "Images"} | options).parent)


def read_page(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def summary(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Return what gives the folder of a world's report; each is written once, and only read."""
    folders = {}

    def written(name, **options):
        key = (name, *options)
        if key not in folders:
            folder = folders[key] = tmp_path_factory.mktemp(name) / "new" / "report"
            says = {"title": PRANK, "note": PRANK} if name == "hostile" else {"title": "Images"}
            path = write_report(WORLDS[name], folder, **says, **options)
            assert path == folder / "report.html"
        return folders[key]

    return written


@pytest.fixture
def words_alone(monkeypatch):
    """Write no pictures and no workbook, which take most of the time."""
    monkeypatch.setattr(write, "draw", lambda _: defaultdict(lambda: None))
    monkeypatch.setattr(write, "write_excel", lambda *_: None)


@pytest.mark.parametrize(
    ("world", "pictures"), [("none", 0), ("empty", 0), ("one", 6), ("many", 10), ("hostile", 8)]
)
def test_every_file_is_there_and_no_empty_picture(world, pictures, reports):
    folder = reports(world)
    there = {path.name for path in folder.iterdir()}
    assert TABLES_BESIDE | {"report.html", "summary.json"} <= there
    assert there <= FILES | {"report.html", "summary.json"}
    drawn = {name for name in there if name.endswith(".png")}
    assert len(drawn) >= pictures
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == len(drawn)
    assert "nothing to show" not in page


@pytest.mark.parametrize("world", ["empty", "one", "many"])
def test_each_number_is_right(world, reports):
    test_report_numbers.check(reports(world))


def test_a_picture_that_is_empty_now_is_taken_away(reports, tmp_path):
    shutil.copytree(reports("many"), tmp_path, dirs_exist_ok=True)
    assert (tmp_path / "pulls.png").exists()
    write_report({}, tmp_path, title="Images")
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize("world", ["many", "hostile", "empty"])
def test_csv_reads_back_equal(world, reports):
    for name, frame in WORLDS[world].items():
        read = read_csv(reports(world) / f"{name}.csv", name)
        # Control characters are replaced, unless cells are written as they are.
        pd.testing.assert_frame_equal(read, frame.replace("\x1b", "\ufffd", regex=True))


@pytest.mark.usefixtures("words_alone")
def test_csv_reads_back_equal_as_it_is(tmp_path):
    write_report(WORLDS["hostile"], tmp_path, title="Images", verbatim=True)
    for name, frame in WORLDS["hostile"].items():
        read = read_csv(tmp_path / f"{name}.csv", name, verbatim=True)
        pd.testing.assert_frame_equal(read, frame)


def test_a_workbook_holds_the_tables(reports):
    world = WORLDS["many"]
    book = openpyxl.load_workbook(reports("many") / "report.xlsx", read_only=True)
    expected = [name.replace("history", "build history") for name in (*NAMES, *ANSWERS, "sources")]
    assert book.sheetnames == [*expected, "columns"]
    listed = [[cell.value for cell in row] for row in book["tags"].iter_rows(min_row=2)]
    tag = list(world["tags"].columns).index("tag")
    assert [row[tag] for row in listed] == world["tags"]["tag"].tolist()


def test_summary_has_the_figures_of_a_small_world(reports):
    written = summary(reports("told"))
    assert written["title"] == "Images"
    assert written["complete"] is True
    assert written["failures"] == []
    assert written["rows"]["layers"] == 7
    assert written["totals"] == {
        "repo_count": 2,
        "tag_count": 3,
        "image_count": 2,
        "layered_image_count": 2,
        "layer_count": 3,
        "size_referenced": 1400,
        "size_stored": 1100,
        "size_shared": 600,
        "shared_share": pytest.approx(600 / 1400),
        "oldest_push_at": None,
        "newest_push_at": None,
    }
    assert written["label_coverage"]["org.opencontainers.image.title"] == 1
    assert written["sources"][0]["source"] == "hub"
    assert written["sources"][0]["fetched_at"] == "2026-11-15T10:00:00+00:00"


@pytest.mark.usefixtures("words_alone")
def test_summary_tells_what_failed(tmp_path):
    failure = {"ref": "a/b:1", "error": "NotFoundError", "message": "a/b:1: no such tag"}
    text = page(told(small(), complete=False, failures=[failure]), tmp_path).text
    assert summary(tmp_path)["complete"] is False
    assert summary(tmp_path)["failures"] == [failure | {"frames": " ".join(NAMES)}]
    assert "a/b:1: no such tag" in text
    assert "incomplete" in text


@pytest.mark.parametrize(
    ("world", "said"), [("told", "This report is complete"), ("many", "It is not known whether")]
)
def test_the_page_says_whether_it_is_complete(world, said, reports):
    assert said in read_page(reports(world)).text


def test_strangers_text_is_escaped(reports):
    read = read_page(reports("hostile"))
    assert not read.all("script")
    assert all(image["src"].startswith("data:image/png;base64,") for image in read.all("img"))
    assert not [name for _, attrs in read.elements for name in attrs if name.startswith("on")]
    text = (reports("hostile") / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "None" not in re.sub('data:[^"]*|None(?=[.]| of| carries)', "", text)


def test_links_leave_the_folder_only_to_sources(reports):
    read = read_page(reports("many"))
    hrefs = {link["href"] for link in read.all("a")}
    away = {href for href in hrefs if ":" in href}
    assert away == {"https://git.example.org/acme/api"}
    assert {href for href in hrefs - away if not href.startswith("#")} <= FILES | {"summary.json"}
    anchors = {href[1:] for href in hrefs if href.startswith("#")}
    assert anchors <= {attrs.get("id") for _, attrs in read.elements}
    hostile_links = read_page(reports("hostile")).all("a")
    assert not [
        link for link in hostile_links if link["href"].startswith(("javascript", 'https://x"'))
    ]


def test_the_page_is_self_contained_and_accessible(reports):
    read = read_page(reports("many"))
    assert not read.all("script") + read.all("link") + read.all("iframe")
    policy = next(meta["content"] for meta in read.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert read.all("html") == [{"lang": "en"}]
    assert all(len(image["alt"]) > 20 for image in read.all("img"))
    assert all("scope" in head for head in read.all("th"))
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in read.elements}


def test_long_tables_are_cut_and_say_so(reports):
    text = read_page(reports("many")).text
    assert re.search(r"… and \d+ more in tags.csv\.", text)


def test_a_failed_run_leaves_the_files_as_they_were(reports, tmp_path):
    shutil.copytree(reports("one"), tmp_path, dirs_exist_ok=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = hub(repos=1, tags=2)
    broken["layers"] = broken["layers"].drop(columns="size")
    with pytest.raises(ValueError, match="lacks the column size"):
        write_report(broken, tmp_path, title="Second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_unknown_frame_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no frame reposs"):
        write_report({"reposs": frames()["repos"]}, tmp_path, title="Images")


def tell(world):
    return Facts(world, answer(world, NOW))


def plain(sentence):
    return sentence.striptags().replace("\xa0", " ")


def test_sentences_have_the_figures():
    world = tell(small())
    assert plain(sentences(world)["headline"]) == (
        "2 repositories have 3 tags. The layers of all 2 images were read: they add up to 1.4 kB "
        "compressed; storing each layer once takes 1.1 kB."
    )
    assert "The largest shown is a/c:2 with 1 kB; 30 % of its bytes are in layers that other" in (
        plain(sentences(world)["layers"])
    )
    alone = tell(frames(layers=[layer(IMAGE, "x", 0)]))
    assert plain(sentences(alone)["layers"]).endswith(
        "The largest shown is a/b:1 with 100 B; no other image here holds any of its layers."
    )
    pulled = tell(
        frames(repos=[{"repo": "a/b", "pull_count": 3}, {"repo": "a/c", "pull_count": 9}])
    )
    assert "a/c leads with 9, 75 % of all" in plain(sentences(pulled)["pulls"])


def test_sentences_on_what_was_measured_have_the_figures():
    told = tell(small())
    assert plain(sentences(told)["shared_layers"]) == (
        "1 of 3 distinct layers is in two or more images. Storing each of them once saves 300 B."
    )
    assert plain(sentences(told)["footprint"]) == (
        "a/c takes the most space, 1 kB; 700 B of that would be freed if it were deleted, since nothing "
        "else here holds it."
    )
    assert plain(sentences(told)["layer_sizes"]) == (
        "Half of all 3 distinct layers are not larger than 300 B, nine in ten not larger than "
        "620 B."
    )


def test_sentences_say_where_releases_grew_and_which_platforms_lack():
    def release(tag, size):
        image = {**IMAGE, "tag": tag, "image_digest": tag}
        return [layer(image, "base", 0), layer(image, "app", 1, size)]

    world = frames(
        layers=[*release("1.0", 50), *release("1.1", 950)],
        images=[
            {**IMAGE, "tag": tag, "platform": platform, "image_digest": tag + platform}
            for tag, platform in (
                ("1.0", "linux/amd64"),
                ("1.1", "linux/amd64"),
                ("1.1", "linux/arm64"),
            )
        ],
    )
    told = tell(world)
    assert plain(sentences(told)["size_trend"]) == (
        "Of 1 line of releases, each on one platform, that of a/b on linux/amd64 grew most: from "
        "150 B in 1.0 to 1.05 kB in 1.1. The build step that added most at once came with "
        "a/b:1.1: 900 B."
    )
    assert plain(sentences(told)["platforms"]) == (
        "Platforms are known for all 2 tags. 1 of 2 tags lack a platform that another tag of their "
        "repository has, in 1 repository."
    )
    nothing = tell(frames())
    assert sentences(nothing)["size_trend"].startswith("No repository here has two releases")
    assert sentences(nothing)["platforms"] == "No platforms are known here."


def test_one_repository_is_split_into_its_tags():
    world = small()
    world["layers"] = world["layers"][world["layers"]["repo"] == "a/b"].reset_index(drop=True)
    told = tell(world)
    assert told.answers["footprint"]["tag"].tolist() == ["1", "latest"]
    assert plain(sentences(told)["footprint"]).startswith("a/b:1 takes the most space, 400 B; 0 B")


def lagging():
    return frames(
        tags=[
            {"repo": "a/b", "tag": tag, "digest": digest, "pushed_at": pushed, "version": version}
            for tag, digest, pushed, version in (
                ("latest", "sha256:1", "2020-01-01", None),
                ("1.0.0", "sha256:1", "2020-01-01", "1.0.0"),
                *(
                    (f"2.{n}.0", f"sha256:2{n}", f"2021-01-{n + 1:02}", f"2.{n}.0")
                    for n in range(12)
                ),
            )
        ]
    )


def test_sentences_say_where_latest_lags_and_what_could_go():
    told = tell(lagging())
    assert plain(sentences(told)["latest_lag"]) == (
        "Both latest and a stable version are known for 1 repository. latest is not the highest in "
        "1: a/b."
    )
    assert plain(sentences(told)["staleness"]).startswith(
        "All 14 tags have a date; 100 % of these were"
    )
    assert "By this rule 3 of 14 tags could be deleted." in plain(sentences(told)["cleanup"])
    assert "not known, since their layers were not read" in plain(sentences(told)["cleanup"])


@pytest.mark.usefixtures("words_alone")
def test_findings_say_what_to_act_on_and_lead_to_their_evidence(tmp_path):
    told = tell(lagging())
    said = {anchor: plain(sentence) for sentence, anchor in findings(told, sentences(told))}
    assert "a/b is 12 versions and 377 days behind" in said["latest_lag"]
    assert said["cleanup"] == "3 of 14 tags could be deleted; how much that frees is not known."
    read = page(lagging(), tmp_path)
    ids = [attrs.get("id") for _, attrs in read.elements if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert set(said) <= set(ids)


@pytest.mark.parametrize("world", [hub(), hub(repos=1, tags=2), small(), lagging()])
def test_there_are_three_to_seven_findings(world):
    assert 3 <= len(findings(tell(world), sentences(tell(world)))) <= 7


def test_what_is_pushed_after_its_successor_was_pushed_again():
    world = frames(
        layers=[
            layer({**IMAGE, "tag": tag, "image_digest": tag}, tag, 0)
            for tag in ("1.0", "1.1", "2.0")
        ],
        tags=[
            {"repo": "a/b", "tag": tag, "version": tag, "pushed_at": pushed}
            # A fix of an old line after a new line began is in turn.
            for tag, pushed in (("1.0", "2024-05-11"), ("1.1", "2024-05-01"), ("2.0", "2024-01-01"))
        ],
    )
    told = tell(world)
    assert told.repushed[["tag", "next_tag", "later_days"]].to_numpy().tolist() == [
        ["1.0", "1.1", 10]
    ]
    assert "a/b:1.0 came 10 days after 1.1" in plain(sentences(told)["again"])


@pytest.mark.usefixtures("words_alone")
def test_newest_tags_have_latest_first_and_no_signature(tmp_path):
    tags = ("1.2.3", "1.2", "latest", "sha256-" + "0" * 64 + ".sig")
    world = frames(
        tags=[
            {
                "repo": "a/b",
                "tag": tag,
                "digest": "sha256:1" if "sig" not in tag else "sha256:2",
                "pushed_at": "2026-01-01",
                "version": tag if tag.startswith("1") else None,
                "is_digest_tag": "sig" in tag,
            }
            for tag in tags
        ]
    )
    write_report(world, tmp_path, title="Images")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    table = text[text.index('data-table="newest"') :].partition("</table>")[0]
    assert re.findall(r'<tr data-row="(.*?)"', table) == ["a/b:latest"]


def test_repositories_stand_by_pulls_and_shared_layers_by_bytes(reports):
    text = (reports("many") / "report.html").read_text(encoding="utf-8")

    def values(table, column):
        rows = text[text.index(f'data-table="{table}"') :].partition("</table>")[0]
        found = re.findall(rf'value="(\d+)" data-figure="{column}"', rows)
        return [int(value) for value in found]

    for column, table in (("pull_count", "repositories"), ("saved_size", "shared_layers")):
        counts = values(table, column)
        assert len(counts) > 3
        assert counts == sorted(counts, reverse=True)


def test_what_is_limited_says_so_everywhere(tmp_path):
    world = told(hub(repos=2, tags=3))
    words = "the 5 newest tags of each repository, linux/amd64"
    for name in ("labels", "env", "configs"):
        world[name].attrs["hubframe"] |= {"scope": words, "limited": True}
    text = page(world, tmp_path).text
    assert text.count(f"Covers {words}.") >= 2
    assert "Labels were read for" in text
    for name in ("labels", "configs", "coverage"):
        rows = pd.read_csv(tmp_path / f"{name}.csv", dtype=str, keep_default_na=False)
        assert set(rows["scope"]) == {words}
    assert "scope" not in pd.read_csv(tmp_path / "layers.csv")
    sources = pd.read_csv(tmp_path / "sources.csv").set_index("frame")
    assert sources.loc["coverage", "scope"] == words
    assert summary(tmp_path)["scopes"]["labels"] == words


def test_an_action_that_is_not_known_is_no_deletion():
    told = tell(lagging())
    plan = told.answers["cleanup"]
    told.answers["cleanup"] = plan.assign(action=plan["action"].replace("delete", "not known"))
    assert plain(sentences(told)["cleanup"]).endswith("It keeps every tag.")


def test_pictures_have_a_dark_side(reports):
    read = read_page(reports("many"))
    sources = read.all("source")
    assert len(sources) == len(read.all("img")) > 5
    for source, image in zip(sources, read.all("img"), strict=True):
        assert source["media"] == "(prefers-color-scheme: dark)"
        assert source["srcset"].startswith("data:image/png;base64,")
        assert source["srcset"] != image["src"]


def test_the_page_answers_in_order(reports):
    text = read_page(reports("many")).text
    body = text[text.index("Key figures") :]
    places = [text.rindex(question) for question in QUESTIONS]
    assert places == sorted(places)
    assert "Most shared layers" in body
    assert "Outdated parents" in body


def test_what_was_measured_reads_back(reports):
    footprint = read_csv(reports("many") / "footprint.csv", "footprint")
    expected = footprint_df(WORLDS["many"]["layers"], by="repo")
    pd.testing.assert_frame_equal(footprint, expected)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("world", ["many", "hostile", "empty"])
def test_a_browser_shows_it_without_asking_for_anything(browser, world, width, reports):
    address = (reports(world) / "report.html").as_uri()
    tab = browser.new_page(viewport={"width": width, "height": 900})
    requests, complaints = [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    tab.goto(address)
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert complaints == []
    for heading in (*QUESTIONS, "Key figures", "Newest tags", "Files"):
        assert tab.get_by_role("heading", name=heading, exact=True).is_visible()
    assert tab.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


@pytest.mark.usefixtures("words_alone")
def test_what_is_inside_images_is_there_where_it_was_asked_for(reports, tmp_path):
    assert "What is inside" not in read_page(reports("many")).text
    written = summary(reports("many"))
    assert {written[name] for name in INSIDE} == {None}
    assert {written[name] for name in GIVEN} == {None}
    ids = {attrs.get("id") for _, attrs in read_page(reports("many")).elements}
    assert not {"vulnerabilities", "references"} & ids
    some = {name: TABLES[name].frame() for name in ("packages", "signatures", *GIVEN)}
    read = page(WORLDS["many"] | some, tmp_path)
    assert "No database of packages was found" in read.text
    assert "No signature is attached" in read.text
    assert "Who built it" not in read.text
    assert summary(tmp_path)["packages"]["by_type"] == {}
    assert summary(tmp_path)["bases"] is None
    assert "No file that was read names an image." in read.text
    assert "No report of a tool is here." in read.text
    assert summary(tmp_path)["checked_references"]["reference_count"] == 0
    assert summary(tmp_path)["vulnerabilities"]["vulnerability_count"] == 0


def test_nothing_is_said_of_ends_where_none_is_known(reports):
    assert summary(reports("told"))["eol"] is None
    assert "End of life" not in read_page(reports("told")).text


def test_layers_are_downloaded_only_where_that_is_asked_for(sample_client):
    what = "registry.example/shop/web"
    read = collect(what, client=sample_client, progress=False)
    assert not set(read) & set(INSIDE)
    read = collect(what, described=2, inside=True, client=sample_client, progress=False)
    assert set(INSIDE) < set(read)
    assert read["packages"]["tag"].nunique() == 2
    assert set(read["packages"]["evidence"]) == {"layers"}
    for name in INSIDE:
        assert scope_of(read[name]) == "the 2 newest tags of each repository, linux/amd64"


def scope_of(frame):
    return frame.attrs["hubframe"]["scope"]


def test_all_tags_and_platforms_are_read_and_of_the_hub_few_labels(sample_client):
    read = collect("library/redis", client=sample_client, progress=False)
    tags = read["tags"].loc[~read["tags"]["is_digest_tag"], "tag"]
    for name in ("images", "layers", "history"):
        assert set(read[name]["tag"]) == set(tags)
        assert set(read[name]["platform"].dropna()) > {"linux/amd64"}
        assert scope_of(read[name]) == "all tags but signatures, all platforms"
    assert read["configs"]["tag"].nunique() <= 20
    assert set(read["configs"]["platform"]) == {"linux/amd64"}
    assert scope_of(read["configs"]) == "the 20 newest tags of each repository, linux/amd64"


def test_limits_are_those_that_were_asked_for(sample_client):
    read = collect(
        "library/redis",
        newest=3,
        platform=["linux/amd64", "linux/arm64"],
        described=2,
        client=sample_client,
        progress=False,
    )
    assert read["layers"]["tag"].nunique() == 3
    assert scope_of(read["layers"]) == (
        "the 3 newest tags of each repository, linux/amd64, linux/arm64"
    )
    assert read["configs"]["tag"].nunique() == 2
    assert scope_of(read["labels"]) == (
        "the 2 newest tags of each repository, linux/amd64, linux/arm64"
    )
    assert len(read["tags"]) > 3
    assert scope_of(read["tags"]) == "all tags"


def test_a_registry_is_read_by_its_catalogue_beside_the_hub(sample_client):
    read = collect(["library/alpine", "registry.example"], client=sample_client, progress=False)
    names = ("team/api", "team/base", "team/worker/jobs")
    shop = (f"shop/{name}" for name in ("base", "batch", "cache", "web"))
    others = {f"registry.example/{name}" for name in (*names, *shop)}
    assert set(read["repos"]["repo"]) == {"library/alpine"} | others
    labels = read["labels"].attrs["hubframe"]
    assert labels["source"] == "hub+registry"
    assert labels["scope"].startswith("on Docker Hub the 20 newest tags of each repository")
    assert labels["scope"].endswith("elsewhere all tags but signatures, all platforms")
    described = read["configs"]
    there = read["images"][~read["images"]["is_attestation"]]
    whole = described[described["repo"].isin(others)].groupby("repo")["tag"].nunique()
    assert (
        whole.to_dict()
        == there[there["repo"].isin(others)].groupby("repo")["tag"].nunique().to_dict()
    )


def test_the_most_pulled_repository_comes_first(sample_client):
    read = collect(["acme/legacy", "library/redis"], client=sample_client, progress=False)
    assert read["tags"]["repo"].drop_duplicates().tolist() == ["library/redis", "acme/legacy"]


@pytest.mark.parametrize("world", ["many", "hostile", "empty"])
def test_an_interactive_page_has_all_rows_and_its_own_script_alone(browser, world, reports):
    folder = reports(world, interactive=True)
    if world == "many":
        test_report_numbers.check(folder)
    tab = browser.new_context(offline=True).new_page()
    requests, complaints = [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    tab.goto((folder / "report.html").as_uri())
    places = tab.locator("[data-grid]")
    assert places.count() == tab.locator(".hubframe-grid").count()
    assert places.count() > 5 or world == "empty"
    for place in places.all():
        place.get_by_role("searchbox").fill("r")
    assert complaints == []
    assert {url.partition(":")[0] for url in requests} <= {"file", "data"}
    tab.context.close()


def test_rows_that_were_cut_are_found_in_an_interactive_page(browser, reports):
    path = reports("many", interactive=True) / "report.html"
    assert "more in" not in Page(path.read_text(encoding="utf-8")).text
    tab = browser.new_page()
    tab.goto(path.as_uri())
    grid = tab.locator(".hubframe-grid", has=tab.get_by_role("table", name="Newest tags"))
    assert grid.get_by_role("status").inner_text().endswith(" of 60 rows")
    grid.get_by_role("button", name="size").click()
    sizes = grid.locator("td.number").evaluate_all("cells => cells.map(one => one.textContent)")
    assert sizes
    assert grid.locator("th[aria-sort=ascending]").inner_text() == "size"
    tab.close()


SHOP, SCANS = sample_files() / "shop", sample_files() / "scans"
WEB = {"repo": "registry.example/shop/web", "tag": "1.2.0", "platform": "linux/amd64"}


def vulnerability(name, **told):
    row = WEB | {"image_digest": "sha256:1", "id": name, "type": "deb", "name": "curl"}
    row |= {"state": "affected", "severity": "low", "evidence": "trivy", "tool": "trivy-1"}
    return row | {"version": "1"} | told


def reference(written, **told):
    row = {"file": "Dockerfile", "line": 1, "kind": "dockerfile", "field": "FROM"}
    row |= {"written": written, "reference": written, "is_pinned": True, "is_floating": False}
    return row | {"exists": True} | told


def given(**records):
    return tell(small() | {name: TABLES[name].from_records(told) for name, told in records.items()})


def test_what_is_given_is_about_others_and_counts_no_repository():
    told = given(
        checked_references=[reference("x/y:1", repo="x/y", tag="1")],
        vulnerabilities=[vulnerability("CVE-1")],
    )
    assert (told.totals["repo_count"], told.totals["tag_count"]) == (2, 3)


def test_references_are_in_the_order_in_which_to_act():
    ended = {"is_eol": True, "eol_at": "2022-05-31", "versions_behind": 1}
    told = given(
        checked_references=[
            reference("a:1", lacks_platforms="linux/arm64"),
            reference("b:1", versions_behind=2, is_pinned=False),
            reference("c:1", **ended),
            reference("d:1", exists=False, is_floating=True, is_pinned=False),
            reference("e:1", exists=None),
            reference("f:1", versions_behind=9),
            reference("app", reference=None, exists=None, problem="stage"),
            reference("${X}", reference=None, exists=None, problem="variable"),
        ]
    )
    assert told.risks.wrong_references[["written", "wrong"]].to_numpy().tolist() == [
        ["d:1", "there is no such image; meant to move"],
        ["c:1", "end of life on 2022-05-31; 1 version behind"],
        ["f:1", "9 versions behind"],
        ["b:1", "2 versions behind"],
        ["a:1", "no image for linux/arm64"],
    ]
    assert plain(sentences(told)["references_named"]) == (
        "6 references to images stand in 1 file. Of these, 1 is of an image that is not there, 1 is of a product "
        "at its end of life, 3 have newer versions, 1 lacks a platform, 1 is meant to move, 2 are not pinned to "
        "a digest and 1 could not be checked. Which image 1 more means cannot be told by the files alone."
    )
    assert plain(findings(told, sentences(told))[0][0]).endswith(
        "1 is of an image that is not there and 1 is of a product at its end of life; the first is d:1 in "
        "Dockerfile, line 1."
    )


def test_good_references_are_no_finding():
    told = given(checked_references=[reference("a:1", versions_behind=0)])
    assert "nothing is wrong with them" in plain(sentences(told)["references_named"])
    assert "references" not in {anchor for _, anchor in findings(told, sentences(told))}


def test_ends_are_told_by_product_and_the_day_of_the_dates_is_said():
    tags = ("3.8-buster", "3.99", "latest")
    world = frames(tags=[{"repo": "library/python", "tag": tag} for tag in tags])
    told = tell(world)
    assert told.risks.ended.index.tolist() == ["python 3.8", "debian 10"]
    assert plain(sentences(told)["eol"]) == (
        "1 of 3 tags is of a product whose end of life is known: 1 is past it, and latest or another moving tag "
        "names 0 of these. The dates are those of hubframe's own table, of 2026-08-22. Makers mend no faults "
        "after them; others may, for longer."
    )
    later = Facts(world, answer(world, datetime(2031, 1, 1, tzinfo=UTC)))
    assert "which is long ago: more may be" in plain(sentences(later)["eol"])


def test_os_release_goes_before_the_name_of_a_tag():
    image = {"repo": "a/b", "tag": "1-bookworm-php8.2", "platform": "linux/amd64"}
    world = frames(tags=[{"repo": "a/b", "tag": image["tag"]}])
    told = TABLES["distributions"].from_records([image | {"id": "debian", "version_id": "13"}])
    ends = tell(world | {"distributions": told}).answers["eol"]
    assert ends[["product", "cycle", "matched_by"]].to_numpy().tolist() == [
        ["debian", "13", "os-release"],
        ["php", "8.2", "tag"],
    ]


def test_the_worst_vulnerability_comes_first_and_each_once():
    told = given(
        vulnerabilities=[
            vulnerability("CVE-1", severity="critical"),
            vulnerability("CVE-2", is_exploited=True, layer_digest="more", fixed_version="2"),
            vulnerability("GHSA-1", aliases="CVE-1", severity="high", evidence="grype"),
            vulnerability("CVE-3", severity="high", state="not affected"),
            vulnerability("CVE-4", severity="critical", fixed_version="3", state="fixed"),
        ]
    )
    worst = told.risks.vulnerabilities
    assert worst["id"].tolist() == ["CVE-2", "CVE-4", "CVE-1"]
    told_of = plain(sentences(told)["vulnerability_summary"])
    assert told_of == (
        "3 vulnerabilities are told of 1 image: 2 critical and 1 low. 2 have a fixed version for each package; "
        "1 is known to be exploited. Told by: trivy-1. Not counted: 1 that somebody says to affect no image."
    )
    assert plain(findings(told, sentences(told))[0][0]) == (
        "2 vulnerabilities are critical or high, and 1 is known to be exploited. The first to act on is CVE-2 in "
        "curl of registry.example/shop/web:1.2.0, fixed in 2."
    )


def test_it_is_said_of_when_reports_and_advisories_are():
    row = vulnerability("CVE-1", evidence="osv", tool="hubframe")
    frame = TABLES["vulnerabilities"].from_records([row])
    place = {"place": "/home/me/all.zip", "newest_modified_at": "2024-10-05T00:00:00+00:00"}
    frame.attrs["hubframe"] = {"sources": [place]}
    said = plain(sentences(tell(small() | {"vulnerabilities": frame}))["vulnerability_summary"])
    assert said.endswith("Told by: hubframe (database of 2024-10-05).")
    days = ("2024-10-01T08:00:00Z", "2024-11-02T08:00:00Z", "no day")
    frame.attrs["hubframe"] = {
        "sources": [{"tool": "hubframe", "reported_at": day} for day in days]
    }
    said = plain(sentences(tell(small() | {"vulnerabilities": frame}))["vulnerability_summary"])
    assert said.endswith("Told by: hubframe (2024-10-01 to 2024-11-02).")


def test_reports_are_read_with_the_layers_of_the_report(sample_client):
    paths = [SCANS / "trivy.json", SCANS / "grype.json"]
    read = collect(
        "registry.example/shop/web:1.2.0",
        vulnerabilities=paths,
        client=sample_client,
        progress=False,
    )
    assert set(read["vulnerabilities"]["evidence"]) == {"trivy", "grype"}
    told = tell(read)
    # The scanners name the same packages, of which each is told once.
    assert len(told.risks.vulnerabilities) == len(read["vulnerabilities"]) / 2
    steps = told.risks.vulnerabilities.set_index("name")["instruction"]
    assert steps["requests"] == "RUN pip install -r requirements.txt"
    assert plain(sentences(told)["vulnerability_summary"]).endswith(
        "Told by: trivy-0.59.1 (2024-10-01) and grype-0.90.0 (2024-10-01, database of 2024-09-30)."
    )
    with pytest.raises(PayloadError, match="no report of trivy or grype"):
        collect("no/such", vulnerabilities=SCANS / "openvex.json", client=sample_client)


def test_without_a_name_it_is_about_what_files_name(sample_client):
    session = {"client": sample_client, "progress": False}
    read = collect(None, references=SHOP / "compose.yaml", **session)
    assert set(read["tags"]["repo"] + ":" + read["tags"]["tag"]) == {
        "library/nginx:latest",
        "library/redis:8.6.0-alpine",
        "registry.example/shop/web:1.2.0",
    }
    checked = read["checked_references"]
    assert scope_of(checked) == "the file compose.yaml"
    assert "library/redis:6.0-alpine" in set(checked["repo"] + ":" + checked["tag"])
    # Rows of a frame that is checked are shown as they are.
    some = checked[checked["tag"] == "latest"]
    again = collect("acme/empty", references=some, **session)["checked_references"]
    pd.testing.assert_frame_equal(again, some.reset_index(drop=True))
    with pytest.raises(TypeError, match="give references="):
        collect(None, **session)

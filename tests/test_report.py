"""The report's files: complete, equal to the frames, and harmless."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pandas as pd
import pytest

from hubframe.measure import footprint_df
from hubframe.report import prose, write_report
from hubframe.report.answers import ANSWERS, answer
from hubframe.report.page import MOST_ROWS
from hubframe.tables import TABLES
from hubframe.tables.files import read_csv

from .test_measure import IMAGE, NAMES, frames, hub, label, layer, small

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PRANK = '<script>alert("x")</script><img src=x onerror=alert(1)>\x1b[31m\u202e$x^2$\'"&' + "n" * 300
QUESTIONS = (
    "What is here",
    "What it is made of",
    "What is shared",
    "What is stale or lags",
    "What is missing",
    "What could go",
)
PICTURES = ("pulls", "tags", "layers", "layer_sizes", "size_trend", "parents", "shared_layers", "footprint",
            "latest_lag", "staleness", "labels", "platforms", "cleanup")  # fmt: skip
FILES = {f"{name}.csv" for name in (*NAMES, *ANSWERS)} | {f"{name}.png" for name in PICTURES}


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
    bad = [
        label(IMAGE | source, "source", value)
        for value in ("javascript:alert(1)", 'https://x"onclick="alert(1)')
    ]
    world["labels"] = pd.concat(
        [world["labels"], TABLES["labels"].from_records(bad)], ignore_index=True
    )
    return told(world, complete=False, failures=[{"ref": PRANK, "error": PRANK, "message": PRANK}])


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
    path = write_report(world, folder, **{"title": "Images"} | options)
    return Page(path.read_text(encoding="utf-8"))


def summary(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "world",
    [{}, frames(), hub(repos=1, tags=1), hub(), hostile()],
    ids=["none", "empty", "one", "many", "hostile"],
)
def test_every_file_is_there_and_nothing_else(world, tmp_path):
    folder = tmp_path / "new" / "report"
    assert write_report(world, folder, title="Images") == folder / "report.html"
    assert {path.name for path in folder.iterdir()} == FILES | {"report.html", "summary.json"}


@pytest.mark.parametrize("verbatim", [False, True])
@pytest.mark.parametrize(
    "world", [hub(repos=3, tags=5), hostile(), frames()], ids=["many", "hostile", "empty"]
)
def test_csv_reads_back_equal(world, verbatim, tmp_path):
    write_report(world, tmp_path, title="Images", verbatim=verbatim)
    for name, frame in world.items():
        read = read_csv(tmp_path / f"{name}.csv", name, verbatim=verbatim)
        pd.testing.assert_frame_equal(read, frame)


def test_summary_has_the_figures_of_a_small_world(tmp_path):
    world = small()
    world["labels"] = TABLES["labels"].from_records([label(IMAGE, "title", "B")])
    write_report(told(world), tmp_path, title="Images")
    written = summary(tmp_path)
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


def test_summary_tells_what_failed(tmp_path):
    failure = {"ref": "a/b:1", "error": "NotFoundError", "message": "a/b:1: no such tag"}
    text = page(told(small(), complete=False, failures=[failure]), tmp_path).text
    assert summary(tmp_path)["complete"] is False
    assert summary(tmp_path)["failures"] == [failure | {"frames": " ".join(NAMES)}]
    assert "a/b:1: no such tag" in text
    assert "incomplete" in text


@pytest.mark.parametrize(
    ("world", "said"),
    [(told(small()), "This report is complete"), (small(), "It is not known whether")],
)
def test_the_page_says_whether_it_is_complete(world, said, tmp_path):
    assert said in page(world, tmp_path).text


def test_strangers_text_is_escaped(tmp_path):
    read = page(hostile(), tmp_path, title=PRANK, note=PRANK)
    assert not read.all("script")
    assert all(image["src"].startswith("data:image/png;base64,") for image in read.all("img"))
    assert not [name for _, attrs in read.elements for name in attrs if name.startswith("on")]
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "None" not in re.sub('data:[^"]*', "", text).replace("None.", "").replace("None of", "")


def test_links_leave_the_folder_only_to_sources(tmp_path):
    read = page(hub(repos=3, tags=6), tmp_path)
    hrefs = {link["href"] for link in read.all("a")}
    away = {href for href in hrefs if ":" in href}
    assert away == {"https://git.example.org/acme/api"}
    assert {href for href in hrefs - away if not href.startswith("#")} <= FILES | {"summary.json"}
    anchors = {href[1:] for href in hrefs if href.startswith("#")}
    assert anchors <= {attrs.get("id") for _, attrs in read.elements}
    hostile_links = page(hostile(), tmp_path).all("a")
    assert not [
        link for link in hostile_links if link["href"].startswith(("javascript", 'https://x"'))
    ]


def test_the_page_is_self_contained_and_accessible(tmp_path):
    read = page(hub(repos=3, tags=6), tmp_path)
    assert not read.all("script") + read.all("link") + read.all("iframe")
    policy = next(meta["content"] for meta in read.all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert read.all("html") == [{"lang": "en"}]
    assert all(len(image["alt"]) > 20 for image in read.all("img"))
    assert all("scope" in head for head in read.all("th"))
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in read.elements}


def test_long_tables_are_cut_and_say_so(tmp_path):
    text = page(hub(repos=1, tags=MOST_ROWS + 9), tmp_path).text
    assert "… and 9 more in tags.csv." in text


def test_a_failed_run_leaves_the_files_as_they_were(tmp_path):
    write_report(hub(repos=1, tags=2), tmp_path, title="First")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    broken = hub(repos=1, tags=2)
    broken["layers"] = broken["layers"].drop(columns="size")
    with pytest.raises(ValueError, match="lacks the column size"):
        write_report(broken, tmp_path, title="Second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_unknown_frame_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no frame reposs"):
        write_report({"reposs": frames()["repos"]}, tmp_path, title="Images")


def test_sentences_have_the_figures():
    world = small()
    assert prose.headline(world).replace("\xa0", " ") == (
        "2 repositories have 3 tags. The 2 images whose layers were read add up to 1.4 kB "
        "compressed; storing each of their layers once takes 1.1 kB."
    )
    assert prose.layers(world).replace("\xa0", " ") == (
        "The largest image of the 3 newest tags is a/c:2 with 1 kB; 30 % of its bytes are in "
        "layers that other images shown hold too, most of them shared with a/b:1."
    )
    alone = frames(layers=[layer(IMAGE, "x", 0)])
    assert prose.layers(alone).replace("\xa0", " ") == (
        "The largest image of the newest tag is a/b:1 with 100 B; no other image shown holds any "
        "of its layers."
    )
    pulled = frames(repos=[{"repo": "a/b", "pull_count": 3}, {"repo": "a/c", "pull_count": 9}])
    assert "a/c leads with 9, 75 % of all" in prose.pulls(pulled).replace("\xa0", " ")


def plain(sentence):
    return sentence.replace("\xa0", " ")


def test_sentences_on_what_was_measured_have_the_figures():
    answers = answer(small(), NOW)
    assert plain(prose.shared_layers(answers)).startswith(
        "1 of 3 distinct layers is in two or more images. Storing each of them once saves 300 B."
    )
    assert plain(prose.footprint(answers)) == (
        "Of what was read, a/c takes most, 1 kB; 700 B of that would be freed if it were deleted, "
        "since nothing else here holds it."
    )
    assert plain(prose.layer_sizes(answers)).startswith(
        "Half of 3 distinct layers are not larger than 300 B, nine in ten not larger than 620 B."
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
    answers = answer(world, NOW)
    assert plain(prose.size_trend(answers)) == (
        "Of 1 line of releases that of a/b grew most: from 150 B in 1.0 to 1.05 kB in 1.1. "
        "The build step that added most at once came with a/b:1.1: 900 B."
    )
    assert prose.platforms(answers) == (
        "1 of 2 tags lack a platform that another tag of their repository has, in 1 repository."
    )
    nothing = answer(frames(), NOW)
    assert prose.size_trend(nothing).startswith("No repository here has two releases")
    assert prose.platforms(nothing) == "No tag here tells its platforms."


def test_one_repository_is_split_into_its_tags():
    world = small()
    world["layers"] = world["layers"][world["layers"]["repo"] == "a/b"].reset_index(drop=True)
    answers = answer(world, NOW)
    assert answers["footprint"]["tag"].tolist() == ["1", "latest"]
    assert plain(prose.footprint(answers)).startswith(
        "Of what was read, a/b:1 takes most, 400 B; 0 B"
    )


def test_sentences_say_where_latest_lags_and_what_could_go():
    world = frames(
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
    answers = answer(world, NOW)
    assert prose.latest_lag(answers) == "latest is not the highest stable version in 1 of 1: a/b."
    assert prose.staleness(answers).startswith("100\xa0% of 14 tags with a date were last pushed")
    assert "By it 3 of 14 tags could go." in prose.cleanup(answers)
    assert "not known, since their layers were not read" in prose.cleanup(answers)


def test_the_page_answers_in_order(tmp_path):
    text = page(hub(), tmp_path).text
    body = text[text.index("Key figures") :]
    places = [text.rindex(question) for question in QUESTIONS]
    assert places == sorted(places)
    assert "Most shared layers" in body
    assert "Outdated parents" in body


def test_what_was_measured_reads_back(tmp_path):
    world = hub(repos=3, tags=14)
    write_report(world, tmp_path, title="Images")
    footprint = read_csv(tmp_path / "footprint.csv", "footprint")
    pd.testing.assert_frame_equal(footprint, footprint_df(world["layers"], by="repo"))


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("world", [hub(), hostile(), frames()], ids=["many", "hostile", "empty"])
def test_a_browser_shows_it_without_asking_for_anything(browser, world, width, tmp_path):
    address = write_report(world, tmp_path, title=PRANK).as_uri()
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

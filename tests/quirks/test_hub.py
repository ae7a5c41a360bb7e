"""What the Docker Hub API does oddly, a row each, by the numbers of ``docs/quirks.md``.

A row is the answer served and the frame or error expected.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest

import hubframe
from hubframe.testing import Reply

REPO = "acme/odd"
TAGS = "/repositories/odd/tags?"
ONE = "/repositories/odd/tags/1.0"
LAYERS = "/tags/1.0/images"
REPOS = "/namespaces/acme/repositories?"
SEARCH = "/search/repositories"
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
PUSHED = "2026-01-02T03:04:05.123456Z"
BACKFILL = "2024-10-16T13:48:34.145251Z"
MISSING = Reply.of_json({"message": "httperror 404: object not found", "errinfo": {}}, 404)
LIMITED = Reply.of_json({"detail": "Rate limit exceeded", "error": False}, 429)
ABUSE = Reply(429, {"Content-Type": "text/plain"}, b"Too Many Requests (HAP429).\n")
HTML = {"Content-Type": "text/html; charset=utf-8"}


def image(digest=A, architecture="amd64", **changes):
    return {
        "architecture": architecture,
        "features": "",
        "variant": None,
        "digest": digest,
        "os": "linux",
        "os_features": "",
        "os_version": None,
        "size": 100,
        "status": "active",
        "last_pulled": None,
        "last_pushed": PUSHED,
        **changes,
    }


def tag(name="1.0", *drop, **changes):
    payload = {
        "creator": 1,
        "id": 1,
        "repository": 1,
        "last_updater": 1,
        "last_updater_username": "acme",
        "name": name,
        "last_updated": PUSHED,
        "full_size": 100,
        "v2": True,
        "tag_status": "active",
        "tag_last_pulled": None,
        "tag_last_pushed": PUSHED,
        "media_type": INDEX,
        "content_type": "image",
        "digest": C,
        "images": [image(), image(B, "arm64", variant="v8", size=90)],
        **changes,
    }
    return {key: value for key, value in payload.items() if key not in drop}


def repository(*drop, **changes):
    payload = {
        "name": "odd",
        "namespace": "acme",
        "repository_type": "image",
        "status": 1,
        "status_description": "active",
        "description": "",
        "is_private": False,
        "star_count": 1,
        "pull_count": 2,
        "last_updated": PUSHED,
        "last_modified": PUSHED,
        "date_registered": PUSHED,
        "affiliation": "",
        "media_types": [],
        "content_types": ["image"],
        "categories": [],
        "storage_size": 3,
        **changes,
    }
    return {key: value for key, value in payload.items() if key not in drop}


def hit(**changes):
    return {
        "repo_name": "acme/odd",
        "short_description": None,
        "star_count": 1,
        "pull_count": 2,
        "repo_owner": "",
        "is_automated": False,
        "is_official": False,
        **changes,
    }


def page(*entries, count=None, following=None, previous=None):
    return Reply.of_json(
        {
            "count": len(entries) if count is None else count,
            "next": following,
            "previous": previous,
            "results": list(entries),
        }
    )


def pages(*each):
    """Serve pages by their number, and 404 past the end."""

    def answer(request):
        number = int(request.parameter("page", "1"))
        if number > len(each):
            return MISSING
        following = f"{request.url}&next" if number < len(each) else None
        return page(*each[number - 1], count=sum(map(len, each)), following=following)

    return answer


def values(frame, *columns):
    """Return rows as lists, null as None."""
    part = frame[list(columns)]
    return [
        [None if pd.isna(value) else value for value in row]
        for row in part.itertuples(index=False, name=None)
    ]


def tags(*columns, **how):
    return lambda client: values(hubframe.tags_df(REPO, client=client, **how), *columns)


def images(*columns, **how):
    return lambda client: values(hubframe.images_df(REPO, client=client, **how), *columns)


def layers(*columns, **how):
    return lambda client: values(hubframe.layers_df(REPO, client=client, **how), *columns)


def history(*columns):
    return lambda client: values(hubframe.history_df(REPO, client=client), *columns)


def repos(*columns):
    return lambda client: values(hubframe.repos_df("acme", client=client), *columns)


def search(*columns):
    return lambda client: values(hubframe.search_df("odd", client=client), *columns)


@dataclass(frozen=True)
class Fails:
    """An error, and what its message holds."""

    error: type[Exception]
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A quirk: its number in the list, answers by a part of the address, the call, the outcome."""

    number: int
    name: str
    served: Mapping[str, Any]
    call: Callable[[hubframe.Client], Any]
    expected: Any
    asked: Mapping[str, int] = field(default_factory=dict)


STEPS = [
    {"digest": A, "size": 60, "instruction": "ADD file:1 in / "},
    {"size": 0, "instruction": ' CMD ["/bin/sh"]'},
    {"digest": B, "size": 40, "instruction": "/bin/sh -c make \u003cx\u003e"},
]
FROM_LAYERS = Reply.of_json([{**image(), "features": None, "os_features": None, "layers": STEPS}])
ONE_IMAGE = page(tag(images=[image()]))
UNKNOWN = image(C, "unknown", os="unknown", size=683_914)
NIGHTLY = [tag(f"nightly-{number}", id=number) for number in range(100)]
STABLE = [tag("1.1"), tag("1.0")]
OLD = "2021-09-01T16:03:27"
FRACTIONS = ["Z", ".43797Z", ".437971Z", ".034071986Z"]
NEXT = "https://registry.hub.docker.com/v2/x?ordering=last_updated&page=2&page_size=1"


def dates(client):
    frame = hubframe.tags_df(REPO, client=client)
    assert str(frame.pushed_at.dtype) == "datetime64[us, UTC]"
    return {name: at.microsecond for name, at in zip(frame.tag, frame.pushed_at, strict=True)}


def sent_ordering(client):
    hubframe.tags_df(REPO, client=client)


def moved(_):
    return Reply(308, {"Location": "/v2/repositories/acme/?page=1&page_size=100"})


def by_size(request):
    assert request.parameter("page_size") == "100"
    return pages([tag("c"), tag("b")], [tag("a")])(request)


def ordered(request):
    assert request.parameter("ordering") == "last_updated"
    return page(tag("old", tag_last_pushed="2020-01-01T00:00:00Z"), tag("new"))


def unfiltered(request):
    assert request.parameter("name") in ("", "22.18"), "no filter, or the Hub's own"
    return page(tag("22.18"), tag("22.18-slim"), tag("122.18"))


def registry_only(client):
    """Compare the Hub's list with the registry's, which knows new tags first."""
    lists = {
        source: set(hubframe.tags_df("library/alpine", source=source, client=client).tag)
        for source in ("hub", "registry")
    }
    return sorted(lists["registry"] - lists["hub"])


def platforms(client):
    found = hubframe.images_df("library/alpine", client=client)
    return "linux/amd64" in set(found.platform) and set(found.tag) == {"latest"}


def unsized(_):
    """A list of all tags, whatever ``n``."""
    return Reply.of_json({"name": "library/alpine", "tags": ["latest"]})


def listed(client):
    return values(hubframe.tags_df("library/alpine", source="registry", client=client), "tag")


# A row a line, so that the table reads as one.
# fmt: off
ROWS = [
    Row(1, "a tag without a digest", {TAGS: page(tag("1.0", "digest"))}, tags("tag", "digest", "aliases"), [["1.0", None, None]]),
    Row(1, "an image without a digest", {TAGS: page(tag(images=[image(None)]))}, images("platform", "image_digest"), [["linux/amd64", None]]),
    Row(2, "full_size is 0", {TAGS: page(tag(full_size=0))}, tags("size"), [[100]]),
    Row(3, "full_size is that of one image", {TAGS: page(tag())}, tags("size", "platform_count"), [[100, 2]]),
    Row(3, "the images have sizes of their own", {TAGS: page(tag())}, images("platform", "size"), [["linux/amd64", 100], ["linux/arm64", 90]]),
    Row(4, "no images", {TAGS: page(tag(images=[]))}, tags("tag", "digest", "platform_count"), [["1.0", C, None]]),
    Row(4, "no images: the registry has them", {"/repositories/alpine/tags?": page(tag("latest", images=[]))}, platforms, True),
    Row(5, "attestations among the images", {TAGS: page(tag(images=[image(), UNKNOWN]))}, tags("platform_count"), [[1]]),
    Row(5, "attestations are not shown", {TAGS: page(tag(images=[image(), UNKNOWN]))}, images("platform", "is_attestation"), [["linux/amd64", False]]),
    Row(5, "attestations on request", {TAGS: page(tag(images=[image(), UNKNOWN]))}, images("image_digest", "is_attestation", attestations=True), [[A, False], [C, True]]),
    Row(6, "never pulled", {TAGS: page(tag())}, tags("pulled_at", "pushed_at"), [[None, pd.Timestamp(PUSHED)]]),
    Row(7, "features empty or null", {TAGS: ONE_IMAGE, LAYERS: FROM_LAYERS}, layers("platform", "layer_digest"), [["linux/amd64", A], ["linux/amd64", B]]),
    Row(8, "a step without a digest is no layer", {TAGS: ONE_IMAGE, LAYERS: FROM_LAYERS}, layers("position", "size", "instruction"), [[0, 60, "ADD file:1 in /"], [1, 40, "RUN make <x>"]]),
    Row(8, "but a step", {TAGS: ONE_IMAGE, LAYERS: FROM_LAYERS}, history("step", "is_empty_layer", "layer_digest"), [[0, False, A], [1, True, None], [2, False, B]]),
    Row(9, "fields as they are", {TAGS: page(tag(v2=True, tag_status="inactive"))}, tags("tag", "status"), [["1.0", "inactive"]]),
    Row(9, "fields as they are documented", {TAGS: page(tag("1.0", "tag_status", v2="true", images=image()))}, tags("tag", "digest"), [["1.0", C]]),
    Row(10, "repository_type is null", {REPOS: page(repository(repository_type=None))}, repos("repo", "repository_type"), [["acme/odd", None]]),
    Row(11, "affiliation empty or null", {REPOS: page(repository(), repository(name="b", affiliation=None))}, repos("repo", "description"), [["acme/odd", None], ["acme/b", None]]),
    Row(12, "full_description is absent", {REPOS: page(repository("full_description"))}, repos("repo"), [["acme/odd"]]),
    Row(13, "previous is empty text", {SEARCH: Reply.of_json({"count": 1, "next": "", "previous": "", "results": [hit()]})}, search("repo", "description"), [["acme/odd", None]]),
    Row(14, "pulls beyond 32 bits", {REPOS: page(repository(pull_count=12_981_954_060))}, repos("pull_count"), [[12_981_954_060]]),
    Row(14, "pulls as the website writes them", {SEARCH: page(hit(pull_count="1B+"), hit(repo_name="nginx"))}, search("repo", "pull_count"), [["acme/odd", None], ["library/nginx", 2]]),
    Row(15, "a page past the end", {TAGS: lambda request: page(tag("a"), count=3, following="x") if request.parameter("page") == "1" else MISSING}, tags("tag"), [["a"]]),
    Row(15, "missing or private", {TAGS: MISSING}, tags(), Fails(hubframe.NotFoundError, ("private to you", "object not found", REPO))),
    Row(16, "the sign of ordering", {TAGS: ordered}, tags("tag"), [["new"], ["old"]]),
    Row(17, "page_size capped in silence", {TAGS: by_size}, tags("tag"), [["c"], ["b"], ["a"]], {TAGS: 2}),
    Row(18, "429 that says error: false", {TAGS: LIMITED}, tags(), Fails(hubframe.RateLimitError, ("429", "Rate limit exceeded"))),
    Row(18, "429 as text", {TAGS: ABUSE}, tags(), Fails(hubframe.RateLimitError, ("429", "HAP429"))),
    Row(19, "403 as a web page", {TAGS: Reply(403, HTML, b"<!DOCTYPE html><title>Just a moment...</title>")}, tags(), Fails(hubframe.BlockedError, ("403", "bot wall"))),
    Row(19, "404 as a web page", {TAGS: Reply(404, HTML, b"<html><title>404 : Docker</title></html>")}, tags(), Fails(hubframe.NotFoundError, (REPO,))),
    Row(20, "fractions of 0, 5, 6 and 9 digits", {TAGS: page(*(tag(f"t{place}", tag_last_pushed=f"{OLD}{end}") for place, end in enumerate(FRACTIONS)))}, dates, {"t2": 437_971, "t1": 437_970, "t3": 34_071, "t0": 0}),
    Row(21, "next on another host, sorted", {TAGS: lambda request: page(tag("a"), count=2, following=NEXT) if request.parameter("page") == "1" else page(tag("b"), count=2)}, tags("tag"), [["a"], ["b"]], {TAGS: 2}),
    Row(22, "users moved to organisations", {REPOS: moved, "/v2/repositories/acme/": page(repository())}, repos("repo"), [["acme/odd"]]),
    Row(23, "aliases share a digest", {TAGS: page(tag("a"), tag("b"), tag("c", digest=A))}, tags("tag", "aliases"), [["a", "b"], ["b", "a"], ["c", None]]),
    Row(24, "a list that lags behind the registry", {"/repositories/alpine/tags": page(tag("latest"))}, lambda client: "latest" not in registry_only(client) and bool(registry_only(client)), True),
    Row(25, "last_modified of a back-fill", {REPOS: page(repository(last_modified=BACKFILL))}, repos("modified_at", "pushed_at"), [[pd.Timestamp(BACKFILL), pd.Timestamp(PUSHED)]]),
    Row(26, "names filtered by substring", {TAGS: unfiltered}, tags("tag", tags="22.18"), [["22.18"]]),
    Row(27, "a hundred nightly tags first", {TAGS: pages(NIGHTLY, STABLE)}, tags("tag", tags="1.*", newest=2), [["1.1"], ["1.0"]]),
    Row(28, "docker.io/ before the name", {TAGS: page(tag())}, lambda client: values(hubframe.tags_df(f"docker.io/{REPO}", client=client), "repo"), [[REPO]], {"docker.io": 0}),
    Row(29, "a config's type for a single image", {TAGS: page(tag(media_type=CONFIG, digest=A, images=[image()]))}, images("media_type", "image_digest", "index_digest"), [[None, A, None]]),
    Row(29, "and as it is told, in tags_df", {TAGS: page(tag(media_type=CONFIG))}, tags("media_type"), [[CONFIG]]),
    Row(30, "the registry's list ignores n", {"/tags/list": unsized}, listed, [["latest"]], {"/tags/list": 1}),
]
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.number} {row.name}" for row in ROWS])
def test_quirk(row, stage):
    for part, reply in row.served.items():
        stage.fail(part, reply)

    if isinstance(row.expected, Fails):
        with pytest.raises(row.expected.error) as caught:
            row.call(stage.client())
        assert type(caught.value) is row.expected.error
        assert [word for word in row.expected.words if word not in str(caught.value)] == []
    else:
        assert row.call(stage.client()) == row.expected
    assert {part: stage.count(part) for part in row.asked} == row.asked


def test_every_quirk_of_the_list_has_a_row():
    assert {row.number for row in ROWS} == set(range(1, 31))

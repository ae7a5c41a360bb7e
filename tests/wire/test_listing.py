"""Lists in pages: the Hub's, which has numbers, and the registries', which have links."""

import gzip

import pytest

import hubframe
from hubframe.sample import Reply
from hubframe.wire import hub
from hubframe.wire.content import digest_of

TAGS = "/repositories/many/tags"
ENDLESS = 50


def tags_of(stage, client=None):
    return (client or stage.client()).registry(stage.served.example_host).tags("team/app")


def linked(stage, pages, base=""):
    """Serve a registry's pages, each with a link to the next."""

    def answer(request):
        number = int(request.parameter("page", "0"))
        headers = {}
        if number + 1 < len(pages):
            headers["Link"] = f'<{base}/v2/team/app/tags/list?page={number + 1}&n=2>; rel="next"'
        return Reply.of_json({"name": "team/app", "tags": pages[number]}, headers=headers)

    stage.fail("/tags/list", answer)


PAGES = [["a", "b"], ["c", "b"], ["d"]]


def test_relative_links_are_followed(stage):
    linked(stage, PAGES)

    assert tags_of(stage) == ["a", "b", "c", "d"]
    assert "n=1000" in stage.asked("/tags/list")[0].path_and_query


def test_absolute_links_are_followed(stage):
    linked(stage, PAGES, f"http://{stage.served.example_host}")

    assert tags_of(stage) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "//other.example", "https://{host}"])
def test_links_to_elsewhere_are_refused(stage, base):
    linked(stage, PAGES, base.format(host=stage.served.example_host))

    with pytest.raises(hubframe.TransportError, match="next page"):
        tags_of(stage)
    assert stage.count("/tags/list") == 1


@pytest.mark.parametrize(
    "link",
    [
        "</v2/team/app/tags/list?n=1000>; rel=next",
        "</v2/team/app/tags/list?n=1000&turn={turn}>;rel=NEXT",
    ],
    ids=["the same page", "ever new pages"],
)
def test_circles_end(stage, link):
    def answer(_):
        turn = stage.count("/tags/list")
        assert turn < ENDLESS
        return Reply.of_json({"tags": ["a"]}, headers={"Link": link.format(turn=turn)})

    stage.fail("/tags/list", answer)

    assert tags_of(stage) == ["a"]
    assert stage.count("/tags/list") <= 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "x", "tags": None}, []),
        ({"tags": []}, []),
        ({"tags": ["b", None, "", "a", 3, "sha256:00", "b"]}, ["b", "a"]),
        ({"tags": ["a"], "child": [], "manifest": {}}, ["a"]),
    ],
)
def test_what_registries_list(stage, body, expected):
    stage.fail("/tags/list", Reply.of_json(body, headers={"Content-Type": "text/plain"}))

    assert tags_of(stage) == expected


@pytest.mark.parametrize("body", [[], None, {}, {"tags": {}}, {"tags": "a"}, "a"])
def test_what_is_no_list(stage, body):
    stage.fail("/tags/list", Reply.of_json(body))

    if body == {}:
        assert tags_of(stage) == []
    else:
        with pytest.raises(hubframe.PayloadError, match="no list of tags"):
            tags_of(stage)


@pytest.mark.parametrize("status", [405, 501])
def test_registries_without_head_are_asked_by_get(stage, status):
    stage.fail("/manifests/", status, method="HEAD")
    client = stage.client()

    def ask():
        return hubframe.configs_df("library/alpine:latest", source="registry", client=client)

    first = ask()
    spent = stage.count("/manifests/", "GET")

    assert ask().equals(first)
    assert spent == 2, "the index by its tag, and the image"
    assert stage.count("/manifests/", "GET") == spent


def test_a_head_without_a_digest_is_followed_by_one_get(stage):
    def without_digest(request):
        reply = stage.real_answer(request, "docker.io")
        return Reply(reply.status, {"Content-Type": reply.headers["Content-Type"]}, reply.body)

    stage.fail("/manifests/latest", without_digest)
    client = stage.client()
    resolved = client.registry("docker.io").resolve(
        hubframe.ImageReference.parse("library/alpine:latest")
    )
    again = client.registry("docker.io").resolve(
        hubframe.ImageReference.parse("library/alpine:latest")
    )

    assert resolved == again
    assert digest_of(client.content.get(resolved.digest).body) == resolved.digest
    assert stage.count("/manifests/latest", "GET") == 1


def page_of(count, names, has_next):
    results = [{"name": name} for name in names]
    return Reply.of_json({"count": count, "next": "x" if has_next else None, "results": results})


def names_of(stage, most=None):
    """List with the client's own threads, as frames do."""
    client = stage.client()
    (found,) = client.hub.lists([hub.tags("acme/many", most)], client.gather)
    return [payload["name"] for payload in found]


def numbered(stage, pages, count):
    def answer(request):
        number = int(request.parameter("page"))
        assert stage.count(TAGS) < ENDLESS
        if number > len(pages):
            return Reply.of_json({"message": "httperror 404: object not found"}, 404)
        return page_of(count, pages[number - 1], number < len(pages))

    stage.fail(TAGS, answer)


def test_entries_that_moved_between_pages_are_listed_once(stage):
    numbered(stage, [["a", "b"], ["b", "c"], ["d"]], 5)

    assert names_of(stage) == ["a", "b", "c", "d"]


def test_a_count_that_is_too_small_ends_nothing(stage):
    """The Hub's counts were capped before."""
    numbered(stage, [["a", "b"], ["c", "d"], ["e", "f"], ["g"]], 3)

    assert names_of(stage) == ["a", "b", "c", "d", "e", "f", "g"]


def test_a_count_that_is_too_large_is_no_error(stage):
    numbered(stage, [["a", "b"], ["c"]], 8)

    assert names_of(stage) == ["a", "b", "c"]


def test_a_page_that_comes_again_for_ever_ends(stage):
    def answer(_):
        assert stage.count(TAGS) < ENDLESS
        return page_of(4, ["a", "b"], True)

    stage.fail(TAGS, answer)

    assert names_of(stage) == ["a", "b"]
    assert stage.count(TAGS) == 3


def test_no_more_pages_are_asked_for_than_wanted(stage):
    numbered(stage, [["a", "b"], ["c", "d"], ["e"]], 5)

    assert names_of(stage, 3) == ["a", "b", "c"]
    assert stage.count(TAGS) == 2


@pytest.mark.parametrize("body", [[], {}, {"results": None}, {"results": {}}, None, "x"])
def test_what_is_no_page(stage, body):
    stage.fail(TAGS, Reply.of_json(body))

    with pytest.raises(hubframe.PayloadError, match="the tags of acme/many"):
        names_of(stage)


def test_lists_may_come_packed_and_documents_may_not(stage):
    asked = {}

    def answering(role):
        def answer(request):
            reply = stage.real_answer(request, role)
            taken = asked.setdefault(role, set())
            taken.add(request.headers.value("Accept-Encoding"))
            if "gzip" not in taken:
                return reply
            headers = {**reply.headers, "Content-Encoding": "gzip"}
            return Reply(reply.status, headers, gzip.compress(reply.body))

        return answer

    stage.fail("/repositories/alpine/tags", answering("hub"))
    stage.fail("/alpine/manifests/", answering("docker.io"))
    found = hubframe.configs_df("library/alpine", client=stage.client())

    assert asked == {"hub": {"gzip"}, "docker.io": {"identity"}}
    with hubframe.sample():
        assert hubframe.configs_df("library/alpine").equals(found)

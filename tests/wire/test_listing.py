"""Lists in pages: the Hub's, which has numbers, and the registries', which have links."""

import gzip

import pytest

import hubframe
from hubframe.oci.digests import digest_of
from hubframe.testing import Reply
from hubframe.wire import hub

TAGS = "/repositories/many/tags"
ENDLESS = 50


def one_by_one(work, items):
    return [work(item) for item in items]


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
def test_links_keep_the_registrys_own_host(stage, base):
    """Behind a proxy a registry writes hosts and ports at which nobody reaches it."""
    linked(stage, PAGES, base.format(host=stage.served.example_host))

    assert tags_of(stage) == ["a", "b", "c", "d"]
    assert stage.count("/tags/list") == 3


@pytest.mark.parametrize(
    "link",
    [
        '<{next}>; rel="next"; title="x"',
        '<{next}>; title="one, <two>; rel=prev"; rel="next"',
        '<{next}>; rel="first next"',
        '</other>; rel="prev"; title="a, b", <{next}>; rel="NEXT last"',
        '</other>; title="</no>; rel=\\"next\\""; rel=first,<{next}>;rel=next',
        "<{next}>; rel=next; rel=prev",
        "<{next}>",
        '<>; rel="next", <{next}> ; Rel = "next"',
    ],
)
def test_links_are_read_as_rfc_8288_writes_them(stage, link):
    def answer(request):
        if request.parameter("last"):
            return Reply.of_json({"tags": ["b"]})
        headers = {"Link": link.format(next="/v2/team/app/tags/list?last=a,x;y&n=1")}
        return Reply.of_json({"tags": ["a"]}, headers=headers)

    stage.fail("/tags/list", answer)

    assert tags_of(stage) == ["a", "b"]
    assert stage.asked("/tags/list")[1].path_and_query.endswith("?last=a,x;y&n=1")


@pytest.mark.parametrize(
    "link",
    [
        '</v2/x>; rel="prev"',
        '</v2/x>; rel="nextish"',
        '</v2/x>; title="</v2/y>; rel=next"; rel=last',
    ],
)
def test_links_to_other_pages_are_not_the_next(stage, link):
    stage.fail("/tags/list", Reply.of_json({"tags": ["a"]}, headers={"Link": link}))

    assert tags_of(stage) == ["a"]


def unlinked(stage, names, *, takes_last=True):
    """Serve pages of the size that is asked for, without a link."""

    def answer(request):
        size, last = int(request.parameter("n", "0")), request.parameter("last")
        if last and not takes_last:
            return Reply.of_json({"errors": [{"code": "UNSUPPORTED", "message": "token"}]}, 405)
        left = [name for name in names if name > last]
        return Reply.of_json({"tags": left[:size]})

    stage.fail("/tags/list", answer)


@pytest.mark.parametrize(("count", "asked"), [(999, 1), (1000, 2), (1001, 2), (2000, 3), (2500, 3)])
def test_a_full_page_without_a_link_is_not_the_end(stage, count, asked):
    names = [f"{number:04}" for number in range(count)]
    unlinked(stage, names)

    assert tags_of(stage) == names
    assert stage.count("/tags/list") == asked


def test_who_pages_by_links_alone_is_believed(stage):
    """Some registries know no `last` but their own."""
    names = [f"{number:04}" for number in range(1000)]
    unlinked(stage, names, takes_last=False)

    assert tags_of(stage) == names


def test_a_full_page_that_comes_again_is_the_end(stage):
    """Old registries know neither `n` nor `last`."""
    names = [f"{number:04}" for number in range(1000)]
    stage.fail("/tags/list", Reply.of_json({"tags": names}))

    assert tags_of(stage) == names
    assert stage.count("/tags/list") == 2


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_refusal_that_says_nothing_of_the_list_is_an_error(stage, status):
    def answer(request):
        if request.parameter("last"):
            return Reply.of_json({}, status)
        return Reply.of_json({"tags": [f"{number:04}" for number in range(1000)]})

    stage.fail("/tags/list", answer)

    with pytest.raises(hubframe.HubframeError):
        tags_of(stage)


@pytest.mark.parametrize("middle", [[], None, ["a", "b"], [None, "", 3]])
def test_a_page_that_brings_nothing_new_has_a_next_one(stage, middle):
    linked(stage, [["a", "b"], middle, ["c"]])

    assert tags_of(stage) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "link",
    [
        "</v2/team/app/tags/list?n=1000>; rel=next",
        "</v2/team/app/tags/list?n=1000&turn={turn}>;rel=NEXT",
    ],
    ids=["the same page", "ever new pages"],
)
def test_pages_without_an_end_are_an_error(stage, link):
    def answer(_):
        turn = stage.count("/tags/list")
        assert turn < ENDLESS
        return Reply.of_json({"tags": ["a"]}, headers={"Link": link.format(turn=turn)})

    stage.fail("/tags/list", answer)

    with pytest.raises(hubframe.TransportError, match="no end"):
        tags_of(stage)


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


ERRORS = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        {},
        {"tags": {}},
        {"tags": "a"},
        "a",
        ERRORS,
        {**ERRORS, "tags": []},
        {"message": "x"},
    ],
)
def test_what_is_no_list(stage, body):
    stage.fail("/tags/list", Reply.of_json(body), times=1)
    stage.fail("/tags/list", Reply.of_json({"tags": ["a"]}))
    client = stage.client()

    with pytest.raises(hubframe.PayloadError, match="no list of tags") as caught:
        tags_of(stage, client)
    assert ("authentication required" in str(caught.value)) == ("errors" in (body or ()))
    assert tags_of(stage, client) == ["a"], "what is none is not kept"


@pytest.mark.parametrize("source", ["hub", "registry"])
@pytest.mark.parametrize("body", [ERRORS, {**ERRORS, "message": "x"}])
def test_errors_are_no_tag(stage, source, body):
    """Nor where they come as a good answer, to a HEAD without a digest."""
    for part in ("/tags/latest", "/manifests/latest"):
        stage.fail(part, Reply.of_json(body))

    for function in (hubframe.tags_df, hubframe.images_df):
        with pytest.raises(hubframe.PayloadError):
            function("library/alpine:latest", source=source, client=stage.client())


def test_a_catalogue_that_is_none(stage):
    stage.fail("/v2/_catalog", Reply.of_json(ERRORS))

    with pytest.raises(hubframe.PayloadError, match="no list of repositories: authentication"):
        hubframe.catalog_df(stage.served.example_host, client=stage.client())


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
    assert digest_of(client.blobs.get(resolved.digest).body) == resolved.digest
    assert stage.count("/manifests/latest", "GET") == 1


def page_of(count, names, has_next):
    results = [{"name": name} for name in names]
    return Reply.of_json({"count": count, "next": "x" if has_next else None, "results": results})


def names_of(stage, most=None):
    """List with the client's own threads, as frames do."""
    client = stage.client()
    (found,) = client.hub.lists([hub.tags("acme/many", most)], one_by_one)
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


def test_a_page_that_comes_again_for_ever_is_an_error(stage):
    def answer(_):
        assert stage.count(TAGS) < ENDLESS
        return page_of(4, ["a", "b"], True)

    stage.fail(TAGS, answer)

    with pytest.raises(hubframe.TransportError, match="no end"):
        names_of(stage)


@pytest.mark.parametrize("middle", [[], None, ["b", "a"]])
def test_a_page_of_the_hub_that_brings_nothing_new_has_a_next_one(stage, middle):
    def answer(request):
        number = int(request.parameter("page"))
        results = [["a", "b"], middle, ["c"]][number - 1]
        listed = results and [{"name": name} for name in results]
        following = "x" if number < 3 else None
        return Reply.of_json({"count": 2, "next": following, "results": listed})

    stage.fail(TAGS, answer)

    assert names_of(stage) == ["a", "b", "c"]


def test_a_first_page_of_the_hub_that_is_empty_has_a_next_one(stage):
    numbered(stage, [[], ["a"]], 1)

    assert names_of(stage) == ["a"]


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

"""What registries do differently, a row each: the answer served, and the frame or error expected.

``docs/quirks.md`` names the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import hubframe

from .registry import (
    DOCUMENTS,
    OCI_INDEX,
    OCI_MANIFEST,
    REPO,
    REPOSITORIES,
    TAGS,
    USER,
    Answer,
    Quirks,
    index,
    refusal,
)

ALL = sorted(TAGS)
IN_CATALOG = list(REPOSITORIES)
SOME_DIGEST = f"sha256:{'0' * 64}"
REFERRER = {"mediaType": OCI_MANIFEST, "digest": DOCUMENTS.tags["1.0"], "size": 7}
OTHER_REFERRER = {"mediaType": OCI_MANIFEST, "digest": DOCUMENTS.tags["1.1"], "size": 8}


def tags(running, client):
    """List tags, each with the digest that it has."""
    frame = hubframe.tags_df(running.repo, client=client)
    told = dict(zip(frame.tag, frame.digest, strict=True))
    assert told == {tag: DOCUMENTS.tags[tag] for tag in told}
    return sorted(told)


def types(running, client):
    frame = hubframe.tags_df(f"{running.repo}:2.0", client=client)
    return [None if frame.media_type.isna().item() else frame.media_type.item()]


def labels(running, client):
    frame = hubframe.labels_df(f"{running.repo}:2.0", client=client)
    return dict(zip(frame.key, frame.value, strict=True))


def images(running, client):
    frame = hubframe.images_df(f"{running.repo}:2.0", client=client)
    return list(zip(frame.image_digest, frame.platform, frame.layer_count, strict=True))


def manifest(running, client):
    """Read a document by its tag, told the digest that HEAD names."""
    registry = client.registry(running.host)
    reference = hubframe.ImageReference.parse(f"{running.repo}:2.0")
    told = registry.resolve(reference).digest
    return registry.manifest(reference, told).digest


def catalog(running, client):
    frame = hubframe.catalog_df(running.host, client=client)
    return [repo.removeprefix(f"{running.host}/") for repo in frame.repo]


def referrers(running, client):
    subject = hubframe.ImageReference.parse(f"{running.repo}@{SOME_DIGEST}")
    found = client.registry(running.host).referrers(subject)
    return None if found is None else [one["digest"] for one in found]


LABELS = {"version": "2.0"}
IMAGES = [(DOCUMENTS.tags["2.0"], "linux/amd64", 1)]


@dataclass(frozen=True)
class Fails:
    """An error, and what its message must and must not hold."""

    error: type[Exception]
    words: tuple[str, ...] = ()
    never: tuple[str, ...] = ("top-secret", "\x1b")


@dataclass(frozen=True)
class Row:
    """A quirk: the switches, the call, what comes of it, and how often was asked for what."""

    name: str
    quirks: Quirks
    call: Callable[..., Any]
    expected: Any
    asked: dict[str, int] = field(default_factory=dict)
    login: bool = False


def without(*names):
    """Take headers off an answer."""

    def change(answer):
        left = {name: text for name, text in answer.headers.items() if name not in names}
        return Answer(answer.status, left, answer.body)

    return change


def with_header(name, text):
    return lambda answer: Answer(answer.status, {**answer.headers, name: text}, answer.body)


def status(code):
    return lambda _: Answer(code)


def without_types(answer):
    """Serve a manifest as storage does: its type neither in the answer nor in the document."""
    return with_header("Content-Type", "text/plain")(answer)


def paged_referrers(asked):
    if asked.parameter("page"):
        return index(OTHER_REFERRER)
    return index(REFERRER, Link=f'<{asked.path}?page=2>; rel="next"')


def oddly_google(body):
    sizes = {"imageSizeBytes": "0", "tag": ["2.0"], "timeCreatedMs": "0"}
    return {**body, "child": ["deep"], "manifest": {DOCUMENTS.tags["2.0"]: sizes}}


def with_nulls(body):
    return {**body, "tags": [None, *body["tags"], None, ""]}


def with_digests(body):
    return {**body, "tags": [*body["tags"], SOME_DIGEST]}


TOO_LARGE = refusal(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
NO_SUCH_SIZE = refusal(405, "UNSUPPORTED", "'maxResults' must be less than or equal to 1000")
CLAMPED = {"largest": 3}
ABSOLUTE = '<http://{host}{path}?{query}>; rel="next"'
JFROG = {"X-JFrog-Version": "Artifactory/7.90"}


def hop(asked):
    """Send on three times on the same host, and then away."""
    number = int(asked.parameter("hop") or 0)
    if number < 3:
        return Answer(307, {"Location": f"{asked.path}?hop={number + 1}"})
    return None


def error_row(name, answer, error, *words, never=()):
    never = (*Fails(error).never, *never)
    quirks = Quirks(instead={"/tags/list": answer})
    return Row(f"error: {name}", quirks, tags, Fails(error, words, never))


def text(status, body, kind="text/plain; charset=utf-8", **headers):
    return Answer(status, {"Content-Type": kind, **headers}, body.encode())


PRESIGNED = "GET https://me:hunter2@s3.example/b?X-Amz-Signature=top-secret: denied"
JWT = f"eyJ{'a' * 30}.{'b' * 30}"

# A row a line, so that the table reads as one.
# fmt: off

# Lists of tags, and how they are paged
LISTS = [
    Row("spec", Quirks(), tags, ALL, {"/tags/list": 1, "n=1000": 1}),
    Row("docker hub: all at once, or links", Quirks(**CLAMPED), tags, ALL, {"/tags/list": 3}),
    Row("docker hub: n ignored", Quirks(ignores_size=True, link=None), tags, ALL, {"/tags/list": 1}),
    Row("ghcr: links with n=0", Quirks(page=3, ignores_size=True, link_size="0"), tags, ALL, {"n=0": 0, "/tags/list": 3}),
    Row("quay: n clamped, opaque next_page", Quirks(**CLAMPED, cursor="token"), tags, ALL, {"next_page=opaque%2F%2B%3D3": 1}),
    Row("quay: absolute links", Quirks(**CLAMPED, link=ABSOLUTE), tags, ALL, {"/tags/list": 3}),
    Row("red hat: no digest in HEAD", Quirks(head=without("Docker-Content-Digest")), tags, ALL, {"/manifests/": 14}),
    Row("ecr: n above 1000 refused, as text", Quirks(refuses_size=NO_SUCH_SIZE, refuses_above=1000, list_type="text/plain", **CLAMPED, cursor="token", link=ABSOLUTE), tags, ALL, {"/tags/list": 3}),
    Row("ecr public: opaque token", Quirks(largest=5, cursor="token"), tags, ALL, {"/tags/list": 2, "last=": 0}),
    Row("gcr: more keys", Quirks(wrap=oddly_google), tags, ALL),
    Row("distribution 2: n ignored, no link", Quirks(ignores_size=True, link=None), tags, ALL),
    Row("distribution 2: tags null", Quirks(wrap=lambda body: {**body, "tags": None}), tags, []),
    Row("distribution 3.1: n too large", Quirks(refuses_size=TOO_LARGE, refuses_above=500), tags, ALL, {"n=1000": 1, "/tags/list": 2}),
    Row("n refused whatever it is", Quirks(refuses_size=NO_SUCH_SIZE, page=3), tags, ALL, {"n=1000": 1, "/tags/list": 4}),
    Row("a refusal that is not about n", Quirks(instead={"/tags/list": refusal(400, "NAME_INVALID", "bad name")}), tags, Fails(hubframe.TransportError, ("400", "bad name")), {"/tags/list": 2}),
    Row("harbor: last before n", Quirks(**CLAMPED), tags, ALL, {"last=1.2&n=1000": 1}),
    Row("zot: last not encoded", Quirks(largest=2, cursor="raw"), catalog, IN_CATALOG, {"last=team/b": 1}),
    Row("gitlab: pages of 100 whatever n", Quirks(page=3, ignores_size=True), tags, ALL, {"/tags/list": 3}),
    Row("mcr: all in one answer", Quirks(link=None), tags, ALL, {"/tags/list": 1}),
    Row("artifactory: links with a wrong path", Quirks(**CLAMPED, link='</v2/wrong/tags/list?{query}>; rel="next"', everywhere=JFROG), tags, ALL, {"wrong": 0, "/tags/list": 3}),
    Row("artifactory: digests among the tags", Quirks(wrap=with_digests), tags, ALL),
    Row("nexus: null inside the list", Quirks(wrap=with_nulls, link=None), tags, ALL),
    Row("link: spaced, bare rel", Quirks(**CLAMPED, link="<{path}?{query}> ;  Rel=next"), tags, ALL),
    Row("link: others before it", Quirks(**CLAMPED, link='</first>; rel="first", <{path}?{query}>; rel="next"'), tags, ALL),
    Row("link: empty", Quirks(**CLAMPED, link='<>; rel="next"'), tags, ["1.0", "1.1", "1.2"]),
    Row("link: relative to the page", Quirks(**CLAMPED, link='<list?{query}>; rel="next"'), tags, ALL),
    Row("link: to another host", Quirks(**CLAMPED, link='<http://127.0.0.1:9{path}?{query}>; rel="next"'), tags, ALL, {"/tags/list": 3}),
    Row("link: to a host that is none", Quirks(**CLAMPED, link='<http://$host:99999{path}?{query}>; rel="next"'), tags, ALL, {"/tags/list": 3}),
    Row("link: to no address of the web", Quirks(**CLAMPED, link='<unix://registry.sock{path}?{query}>; rel="next"'), tags, ALL, {"/tags/list": 3}),
    Row("link: without brackets", Quirks(**CLAMPED, link="{path}?{query}"), tags, ALL, {"/tags/list": 3}),
    Row("link: without its last bracket", Quirks(**CLAMPED, link='<{path}?{query}; rel="next"'), tags, ALL, {"/tags/list": 3}),
    Row("link: back, without brackets", Quirks(**CLAMPED, link='{path}?{query}; rel="prev"'), tags, ["1.0", "1.1", "1.2"]),
    Row("link: a circle", Quirks(**CLAMPED, link='<{path}?n=1000>; rel="next"'), tags, Fails(hubframe.TransportError, ("no end",)), {"/tags/list": 1}),
    Row("link: with titles, several relations", Quirks(**CLAMPED, link='</x>; title="a, <b>; rel=next"; rel=up, <{path}?{query}>; title="c, d"; rel="last next"'), tags, ALL, {"/tags/list": 3}),
    Row("quay: n too large, by 413", Quirks(refuses_size=refusal(413, "TOO_MANY_TAGS_REQUESTED"), refuses_above=100, page=3), tags, ALL, {"n=1000": 1, "/tags/list": 4}),
    Row("errors with 200", Quirks(wrap=lambda _: {"errors": [{"code": "DENIED", "message": "not for you"}]}), tags, Fails(hubframe.PayloadError, ("no list of tags", "not for you"))),
    Row("no list at all", Quirks(wrap=lambda _: {"name": REPO}), tags, Fails(hubframe.PayloadError, ("no list of tags",))),
    Row("repository names of many parts", Quirks(), images, IMAGES, {f"/v2/{REPO}/manifests/2.0": 1}),
]

# Catalogues
CATALOGS = [
    Row("catalog: spec", Quirks(), catalog, IN_CATALOG, {"n=1000": 1}),
    Row("catalog: paged", Quirks(largest=2), catalog, IN_CATALOG, {"_catalog": 2}),
    Row("catalog: n too large", Quirks(refuses_size=TOO_LARGE, refuses_above=100, page=3), catalog, IN_CATALOG),
    Row("catalog: quay shows none", Quirks(wrap=lambda _: {"repositories": []}), catalog, []),
    Row("catalog: refused", Quirks(instead={"_catalog": refusal(403, "DENIED", "not for you")}), catalog, Fails(hubframe.UnauthorizedError, ("not for you", "needs a login"))),
    Row("catalog: unknown", Quirks(instead={"_catalog": refusal(405, "UNSUPPORTED", "not here")}), catalog, Fails(hubframe.TransportError, ("405", "not here", "catalogue"))),
    Row("catalog: null", Quirks(wrap=lambda _: {"repositories": None}), catalog, []),
]

# Manifests and digests
MANIFESTS = [
    Row("head: no digest", Quirks(head=without("Docker-Content-Digest")), images, IMAGES),
    Row("head: no type", Quirks(head=without("Content-Type")), types, [OCI_MANIFEST]),
    Row("head: nothing", Quirks(head=without("Docker-Content-Digest", "Content-Type")), types, [OCI_MANIFEST]),
    Row("head: 405", Quirks(head=status(405)), tags, ALL),
    Row("head: 404", Quirks(head=status(404)), images, IMAGES),
    Row("head: 400", Quirks(head=status(400)), images, IMAGES),
    Row("head: a digest that is none", Quirks(head=with_header("Docker-Content-Digest", "latest")), images, IMAGES),
    Row("type: text/plain", Quirks(manifest=without_types), types, [OCI_MANIFEST]),
    Row("type: text/plain, images", Quirks(manifest=without_types), images, IMAGES),
    Row("type: application/json; charset", Quirks(manifest=with_header("Content-Type", "application/json; charset=utf-8")), images, IMAGES),
    Row("type: with parameters", Quirks(manifest=with_header("Content-Type", f"{OCI_MANIFEST}; charset=utf-8")), types, [OCI_MANIFEST]),
    Row("digest: the header's is wrong", Quirks(manifest=with_header("Docker-Content-Digest", SOME_DIGEST)), manifest, DOCUMENTS.tags["2.0"]),
    Row("digest: the bytes are others", Quirks(manifest=lambda answer: Answer(200, answer.headers, answer.body + b" ")), manifest, Fails(hubframe.DigestMismatchError, (DOCUMENTS.tags["2.0"], "nothing was kept"))),
    Row("accept: all types, unweighted", Quirks(needs_all_types=True), labels, LABELS),
    Row("manifest unknown", Quirks(), lambda running, client: hubframe.images_df(f"{running.repo}:3.0", client=client), Fails(hubframe.NotFoundError, ("no tag '3.0'", "2.0"))),
    Row("repository unknown", Quirks(), lambda running, client: hubframe.tags_df(f"{running.host}/gone", client=client), Fails(hubframe.NotFoundError, ("not known to registry",))),
]

# Redirects
REDIRECTS = [
    Row("blobs: on another host", Quirks(away=["/blobs/"]), labels, LABELS, {"/blobs/": 1}),
    Row("blobs: on another host, with a login", Quirks(away=["/blobs/"], token={"token": "t-1"}), labels, LABELS, {"/blobs/": 1}, login=True),
    Row("manifests: on another host, with a login", Quirks(away=["/manifests/"], token={"token": "t-1"}), labels, LABELS, login=True),
    Row("blobs: several hops", Quirks(away=["/blobs/"], instead={"/blobs/": hop}), labels, LABELS, {"/blobs/": 4}),
    Row("blobs: a circle", Quirks(instead={"/blobs/": lambda asked: Answer(307, {"Location": f"{asked.path}?top-secret"})}), labels, Fails(hubframe.TransportError, ("307", "not followed")), {"/blobs/": 6}),
    Row("blobs: to no address", Quirks(instead={"/blobs/": Answer(307, {"Location": "http://["})}), labels, Fails(hubframe.TransportError, ("malformed",))),
    Row("referrers: ghcr sends to its website", Quirks(referrers=lambda _: Answer(303, {"Location": "http://127.0.0.1:9/team"})), referrers, None, {"/referrers/": 1}),
    Row("referrers: on the same host", Quirks(referrers=lambda asked: index(REFERRER) if asked.parameter("again") else Answer(307, {"Location": f"{asked.path}?again=1"})), referrers, [REFERRER["digest"]], {"/referrers/": 2}),
    Row("referrers: none", Quirks(referrers=lambda _: index()), referrers, []),
    Row("referrers: paged", Quirks(referrers=paged_referrers), referrers, [REFERRER["digest"], OTHER_REFERRER["digest"]]),
    Row("referrers: 404 of a router", Quirks(), referrers, None),
    Row("referrers: 404 of a repository", Quirks(referrers=lambda _: refusal(404, "NAME_UNKNOWN")), referrers, Fails(hubframe.NotFoundError)),
    Row("referrers: quay, no such subject", Quirks(referrers=lambda _: refusal(400, "MANIFEST_INVALID")), referrers, None),
    Row("referrers: a login page", Quirks(referrers=lambda _: Answer(200, {"Content-Type": "text/html"}, b"<html>")), referrers, None),
    Row("referrers: not an index", Quirks(referrers=lambda _: Answer.of({"manifests": []})), referrers, None),
    Row("referrers: errors with 200", Quirks(referrers=lambda _: refusal(200, "DENIED", "not for you")), referrers, Fails(hubframe.PayloadError, ("not for you",))),
    Row("referrers: a page without a list", Quirks(referrers=lambda _: Answer(200, {"Content-Type": OCI_INDEX}, b"{}")), referrers, Fails(hubframe.PayloadError, ("no list of manifests",))),
    Row("referrers: an empty page before the last", Quirks(referrers=lambda asked: paged_referrers(asked) if asked.parameter("page") else index(Link=f'<{asked.path}?page=2>; rel="next"')), referrers, [OTHER_REFERRER["digest"]]),
    Row("referrers: slow down", Quirks(referrers=lambda _: Answer(429)), referrers, Fails(hubframe.RateLimitError, ("429",))),
]

# Errors, in bodies of every form
ERRORS = [
    error_row("code and message", refusal(404, "NAME_UNKNOWN", "no such name"), hubframe.NotFoundError, "no such name"),
    error_row("code alone", Answer.of({"errors": [{"code": "UNKNOWN"}]}, 404), hubframe.NotFoundError, "UNKNOWN"),
    error_row("red hat: UNKNOWN, Not Found", refusal(404, "UNKNOWN", "Not Found"), hubframe.NotFoundError, "Not Found"),
    error_row("missing, by its code", refusal(400, "MANIFEST_UNKNOWN", "gone"), hubframe.NotFoundError, "gone"),
    error_row("quay: TAG_EXPIRED", refusal(404, "TAG_EXPIRED", "expired"), hubframe.NotFoundError, "expired"),
    error_row("denied", refusal(403, "DENIED", "requested access is denied"), hubframe.UnauthorizedError, "requested access is denied"),
    error_row("login needed", refusal(401, "UNAUTHORIZED", "authentication required"), hubframe.UnauthorizedError, "authentication required", "needs a login"),
    error_row("too many, by its status", refusal(429, "TOOMANYREQUESTS", "slow down"), hubframe.RateLimitError, "slow down"),
    error_row("too many, by its code", refusal(403, "TOOMANYREQUESTS", "Rate exceeded"), hubframe.RateLimitError, "Rate exceeded", "(403"),
    error_row("quay: TOO_MANY_TAGS_REQUESTED", refusal(413, "TOO_MANY_TAGS_REQUESTED", "many"), hubframe.TransportError, "413", "many"),
    error_row("message", Answer.of({"message": "not so"}, 404), hubframe.NotFoundError, "not so"),
    error_row("detail", Answer.of({"detail": "not so"}, 410), hubframe.TransportError, "410", "not so"),
    error_row("details", Answer.of({"details": "not so"}, 404), hubframe.NotFoundError, "not so"),
    error_row("error", Answer.of({"error": "not so"}, 404), hubframe.NotFoundError, "not so"),
    error_row("errors as text", Answer.of({"errors": ["not so"]}, 404), hubframe.NotFoundError, "not so"),
    error_row("errors as an object", Answer.of({"errors": {"message": "not so"}}, 404), hubframe.NotFoundError, "not so"),
    error_row("plain text", text(404, "404 page not found\n"), hubframe.NotFoundError, "404 page not found"),
    error_row("a web page", text(404, "<html><h1>Not Found</h1></html>", "text/html"), hubframe.NotFoundError, never=("<h1>",)),
    error_row("nothing", Answer(410), hubframe.TransportError, "410 Gone"),
    error_row("broken JSON", text(404, '{"errors": [', "application/json"), hubframe.NotFoundError),
    error_row("JSON of a form unknown", Answer.of([{"errors": 1}, None], 400), hubframe.TransportError, "400"),
    error_row("numbers for words", Answer.of({"errors": [{"code": 7, "message": [1]}]}, 400), hubframe.TransportError, "400"),
    error_row("control characters", refusal(404, "X", "a\x1b[31mb\u202ec\r\nd"), hubframe.NotFoundError, "a [31mb c d", never=("\u202e", "\n", "\r")),
    error_row("endless addresses", refusal(404, "X", "http://" * 400_000), hubframe.NotFoundError),
    error_row("endless words", refusal(404, "X", "many " * 10_000), hubframe.NotFoundError, "many", never=("many " * 50,)),
    error_row("a signed address", refusal(400, "X", PRESIGNED), hubframe.TransportError, "s3.example/b?…", never=("hunter2", "Signature")),
    error_row("a token", refusal(400, "X", f"bad token {JWT} or Bearer {'q' * 40}"), hubframe.TransportError, "bad token …", never=(JWT, "q" * 40)),
    error_row("a proxy's own login", Answer(407), hubframe.TransportError, "407", "the proxy on the way"),
]

# fmt: on

ROWS = [*LISTS, *CATALOGS, *MANIFESTS, *REDIRECTS, *ERRORS]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_quirk(row, running, client, tmp_path):
    one = running(row.quirks)
    if row.login:
        client = hubframe.Client(client.settings, {one.host: USER})

    if isinstance(row.expected, Fails):
        with pytest.raises(row.expected.error) as caught:
            row.call(one, client)
        message = str(caught.value)
        assert type(caught.value) is row.expected.error
        assert "127.0.0.1" in message
        assert [word for word in row.expected.words if word not in message] == []
        assert [word for word in row.expected.never if word in message] == []
    else:
        assert row.call(one, client) == row.expected
    assert {part: len(one.registry.asked(part)) for part in row.asked} == row.asked
    assert not [asked for asked in one.storage.log if "authorization" in asked.headers]
    assert not [
        path
        for path in (tmp_path / "kept").rglob("*")
        if path.is_file() and b"top-secret" in path.read_bytes()
    ]

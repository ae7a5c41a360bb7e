"""What registries tell beside the protocol: stand-ins written from the sources of Quay and Harbor.

Documents are our own. AWS is answered by botocore's own stubs.
"""

import json
import os
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest

import hubframe
from hubframe.wire.providers import kind_of
from hubframe.wire.providers import quay as quay_api
from tests import shelf
from tests.quirks.registry import Answer, listening

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
LAST = 1_790_000_000
DAY = 86_400
PATH = shelf.PATH
NAMESPACE, _, NAME = PATH.partition("/")
HISTORY = f"/api/v1/repository/{PATH}/tag/"
REPOS = "/api/v1/repository"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
TOKEN = ("$oauthtoken", "sesame-of-the-api")
ROBOT = ("acme+robot", "sesame-of-a-robot")
REFUSED = {"detail": "Requires authentication", "error_type": "invalid_token", "status": 401}


def moment(seconds):
    return pd.Timestamp(seconds, unit="s", tz="UTC")


def entry(name="latest", start=LAST, end=None, digest=A, *drop, **changes):
    """What Quay tells of a tag for a time."""
    told = {
        "name": name,
        "reversion": False,
        "start_ts": start,
        "manifest_digest": digest,
        "is_manifest_list": False,
        "size": 100,
        "last_modified": formatdate(start),
    }
    if end is not None:
        told |= {"end_ts": end, "expiration": formatdate(end)}
    return {key: value for key, value in (told | changes).items() if key not in drop}


def page(*entries, number=1, more=False):
    return {"tags": list(entries), "page": number, "has_additional": more}


class Beside:
    """A registry with an API beside the protocol: answers by path, and what was asked."""

    def __init__(self, kind, folder, stack):
        self.kind = kind
        self.answers = {}
        self.log = []
        self._folder, self._stack = folder, stack
        self.registry = stack.enter_context(shelf.serve())
        self.host = stack.enter_context(listening(self.answer))
        self.repo = f"{self.host}/{PATH}"

    def answer(self, asked):
        self.log.append(asked)
        if not asked.path.startswith("/api/"):
            return self.registry.answer(asked)
        found = self.answers.get(urlsplit(asked.target).path, Answer.of({"status": 404}, 404))
        found = found(asked) if callable(found) else found
        return found if isinstance(found, Answer) else Answer.of(found)

    def client(self, credentials=None, **changes):
        settings = hubframe.Settings(
            **{"cache_dir": self._folder, "providers": {self.host: self.kind}, **changes}
        )
        given = None if credentials is None else {self.host: credentials}
        return self._stack.enter_context(hubframe.Client(settings, given))

    def asked(self, part):
        return [one for one in self.log if part in one.target]


@pytest.fixture
def beside(tmp_path):
    with ExitStack() as stack:
        yield lambda kind: Beside(kind, tmp_path / "kept", stack)


@pytest.fixture
def quay(beside):
    return beside("quay")


@pytest.fixture
def harbor(beside):
    return beside("harbor")


def history(quay, **how):
    return hubframe.tag_history_df(quay.repo, client=quay.client(), **how)


def test_quay_is_known_by_its_name_and_others_are_told():
    told = {"harbor.example": "harbor", "quay.corp": "quay"}
    kinds = {host: kind_of(host, told) for host in ("quay.io", "quay.corp", "harbor.example")}

    assert {host: kind.kind for host, kind in kinds.items()} == {"quay.io": "quay",
        "quay.corp": "quay", "harbor.example": "harbor"
    }  # fmt: skip
    others = ("docker.io", "ghcr.io", "harbor.corp", "public.ecr.aws", "quay.io:5000")
    assert [kind_of(host, told) for host in others] == [None] * len(others)


def test_nothing_is_asked_that_was_not_told(quay):
    quay.registry.image("1.0")
    tags = hubframe.tags_df(quay.repo, client=quay.client(providers={}))

    assert tags.tag.tolist() == ["1.0"]
    assert quay.asked("/api/") == []


# The history of tags.


def test_a_history_is_what_quay_tells(quay):
    quay.answers[HISTORY] = page(
        entry("1.0", LAST, None, B, is_manifest_list=True, size=None, immutable=True),
        entry("latest", LAST - DAY, LAST, A, reversion=True),
        entry("soon", LAST - 2 * DAY, 4_000_000_000, C),
    )
    found = history(quay)

    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == (
        hubframe.tables.TAG_HISTORY.dtypes
    )
    first, second, third = hubframe.tables.schema.plain_records(found)
    assert first == {
        "repo": quay.repo,
        "tag": "1.0",
        "digest": B,
        "started_at": moment(LAST),
        "ended_at": None,
        "is_reversion": False,
        "is_index": True,
        "size": None,
        "is_immutable": True,
        "expires_at": None,
    }
    told = ("digest", "started_at", "ended_at", "is_reversion", "size", "is_immutable")
    values = [A, moment(LAST - DAY), moment(LAST), True, 100, None]
    assert [second[name] for name in told] == values
    # A date of the future is not when it ended.
    assert (third["ended_at"], third["expires_at"]) == (None, moment(4_000_000_000))
    assert found.attrs["hubframe"]["source"] == "quay"


def test_ten_thousand_rows_take_a_hundred_requests(quay):
    entries = [entry(f"{n % 50}.0", LAST - n, LAST - n + 50) for n in range(10_000)]

    def answer(asked):
        number, size = int(asked.parameter("page")), min(100, int(asked.parameter("limit")))
        shown = entries[(number - 1) * size : number * size]
        return page(*shown, number=number, more=number * size < len(entries))

    quay.answers[HISTORY] = answer
    found = history(quay)

    assert len(found) == 10_000
    assert found["started_at"].is_monotonic_decreasing
    assert len(quay.log) == found.attrs["hubframe"]["requests"] == 100
    again = history(quay)
    pd.testing.assert_frame_equal(again, found)
    assert len(quay.log) == 100


def test_one_tag_is_asked_for_alone(quay):
    quay.answers[HISTORY] = lambda asked: page(
        *[entry("1.0", LAST), entry("1.0", LAST - DAY, LAST, B)]
        if asked.parameter("specificTag") == "1.0"
        else []
    )
    found = hubframe.tag_history_df(f"{quay.repo}:1.0", client=quay.client())

    assert found.digest.tolist() == [A, B]
    both = hubframe.tag_history_df(
        [quay.repo, f"{quay.repo}:1.0"], tags="no*", client=quay.client()
    )
    pd.testing.assert_frame_equal(both, found)
    quay.registry.image("1.1")
    with pytest.raises(hubframe.NotFoundError, match=r"no tag '2.0'.*1\.1"):
        hubframe.tag_history_df(f"{quay.repo}:2.0", client=quay.client())


def test_tags_are_chosen_as_elsewhere(quay):
    quay.answers[HISTORY] = page(entry("1.0"), entry("1.1"), entry("latest"))

    assert history(quay, tags="1.*").tag.tolist() == ["1.0", "1.1"]
    with pytest.warns(hubframe.NoMatchWarning, match="2"):
        assert history(quay, tags="2.*").empty


ODD = {
    "a digest is missing": (entry("1.0", LAST, None, A, "manifest_digest"), {"digest": None}),
    "a digest is none": (entry(digest="sha256:no"), {"digest": None}),
    "dates as RFC 2822 alone": (
        entry("1.0", LAST, LAST + DAY, A, "start_ts", "end_ts"),
        {"started_at": moment(LAST), "ended_at": moment(LAST + DAY)},
    ),
    "dates of another zone": (
        entry("1.0", LAST, None, A, "start_ts", last_modified="Thu, 02 Jan 2025 03:04:05 +0200"),
        {"started_at": pd.Timestamp("2025-01-02T01:04:05Z")},
    ),
    "no date": (
        entry("1.0", LAST, None, A, "start_ts", "last_modified"),
        {"started_at": None, "ended_at": None},
    ),
    "dates that are none": (
        entry("1.0", start_ts="soon", last_modified=["x"], end_ts=True, expiration="never"),
        {"started_at": None, "ended_at": None, "expires_at": None},
    ),
    "a date beyond all": (entry("1.0", end_ts=10**18, expiration=None), {"ended_at": None}),
    "other types": (
        entry("1.0", reversion="no", is_manifest_list=1, size="many", immutable={}),
        {"is_reversion": None, "is_index": None, "size": None, "is_immutable": None},
    ),
    "a size below 0": (entry("1.0", size=-1), {"size": None}),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_rows(quay, name):
    told, expected = ODD[name]
    quay.answers[HISTORY] = page(told)
    (row,) = hubframe.tables.schema.plain_records(history(quay))

    assert {column: row[column] for column in expected} == expected


@pytest.mark.parametrize("name", [None, 7, "", "a b", "x" * 200, ["1.0"]])
def test_what_cannot_be_a_tag_is_none(quay, name):
    quay.answers[HISTORY] = page(entry(name), entry("1.0"))

    assert history(quay).tag.tolist() == ["1.0"]


def test_what_comes_back_within_a_second_is_still_there(quay):
    """Quay tells seconds; the last push comes first."""
    there, gone = entry(start=LAST), [entry(end=LAST, digest=one) for one in (B, A)]
    for pages in ([[there, *gone]], [[there], gone]):
        quay.answers[HISTORY] = lambda asked, pages=pages: page(
            *pages[int(asked.parameter("page")) - 1],
            more=int(asked.parameter("page")) < len(pages),
        )
        with hubframe.refresh():
            found = history(quay)
        assert found.digest.tolist() == [A, B]
        assert found.ended_at.isna().tolist() == [True, False]
        (move,) = hubframe.tables.schema.plain_records(hubframe.tag_moves_df(found))
        assert (move["digest"], move["ending"]) == (A, None)


def test_a_page_that_repeats_is_read_once(quay):
    same = [entry("1.0"), entry("1.1")]
    quay.answers[HISTORY] = lambda asked: page(*same, more=int(asked.parameter("page")) < 3)

    assert history(quay).tag.tolist() == ["1.0", "1.1"]


@pytest.mark.parametrize("entries", [[], [entry("1.0")]])
def test_pages_without_an_end_are_given_up(quay, entries):
    quay.answers[HISTORY] = page(*entries, more=True)

    with pytest.raises(hubframe.TransportError, match="the pages have no end"):
        history(quay)
    assert len(quay.log) <= 18


def test_rows_that_go_away_between_the_pages_end_the_list(quay):
    def answer(asked):
        is_first = asked.parameter("page") == "1"
        return page(entry("1.0"), more=True) if is_first else Answer.of({"status": 404}, 404)

    quay.answers[HISTORY] = answer

    assert history(quay).tag.tolist() == ["1.0"]


@pytest.mark.parametrize(
    "told", [{}, [], {"tags": None}, {"tags": {}}, {"tags": "1.0"}, "x", None, 1]
)
def test_what_is_no_list_is_refused_and_not_kept(quay, told):
    quay.answers[HISTORY] = lambda _: Answer.of(told)

    for asked in (1, 2):
        with pytest.raises(hubframe.PayloadError, match=r"Is .* a registry of Quay"):
            history(quay)
        assert len(quay.log) == asked


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, hubframe.UnauthorizedError, "Requires authentication.*OAuth token.*no robot account"),
        (403, hubframe.UnauthorizedError, r"needs a login \(403\)"),
        (404, hubframe.NotFoundError, "no such thing"),
        (520, hubframe.TransportError, "520"),
    ],
)
def test_refusals_are_said_plainly(quay, status, error, words):
    quay.answers[HISTORY] = Answer.of({**REFUSED, "status": status}, status)

    with pytest.raises(error, match=words) as caught:
        history(quay)
    assert quay.host in str(caught.value)
    with pytest.warns(hubframe.IncompleteWarning):
        found = history(quay, errors="collect")
    (failure,) = found.attrs["hubframe"]["failures"]
    assert (failure["ref"], failure["error"]) == (quay.repo, error.__name__)


def test_a_page_for_people_is_no_answer(quay):
    """As where the API is off, or the registry is no Quay at all."""
    quay.answers[HISTORY] = Answer(200, {"Content-Type": "text/html"}, b"<html>Welcome</html>")

    with pytest.raises(hubframe.BlockedError, match="page for people"):
        history(quay)


@pytest.mark.parametrize("repo", ["library/nginx", "ghcr.io/org/app", "harbor.example/a/b"])
def test_registries_that_keep_none_say_which_do(repo):
    settings = hubframe.Settings(providers={"harbor.example": "harbor"})
    with (
        hubframe.Client(settings) as client,
        pytest.raises(ValueError, match=r"only Quay keeps.*quay\.io.*snapshot"),
    ):
        hubframe.tag_history_df(repo, client=client)


def test_a_digest_has_no_history():
    for frame in (hubframe.tag_history_df, hubframe.tag_pulls_df):
        with hubframe.sample(), pytest.raises(ValueError, match=f"{frame.__name__} takes tags"):
            frame(f"quay.io/acme/agent@{A}")


def test_an_oauth_token_is_sent_and_a_robots_login_is_not(quay):
    quay.answers[HISTORY] = page(entry("1.0"))
    for login, expected in ((TOKEN, f"Bearer {TOKEN[1]}"), (ROBOT, None), (None, None)):
        hubframe.tag_history_df(quay.repo, client=quay.client(login))
        assert quay.log[-1].headers.get("authorization") == expected
    # What a token may see is served to nobody else, and what nobody may is served to a robot.
    assert len(quay.log) == 2


def test_a_token_that_is_refused_is_sent_once(quay):
    quay.answers[HISTORY] = Answer.of({**REFUSED, "detail": f"bad {TOKEN[1]}"}, 401)
    client = quay.client(TOKEN)
    for _ in range(2):
        with pytest.raises(hubframe.UnauthorizedError, match="refused the credentials") as caught:
            hubframe.tag_history_df(quay.repo, client=client)
        assert TOKEN[1] not in str(caught.value)
    assert len(quay.log) == 1


def test_a_token_is_kept_nowhere(quay):
    quay.answers[REPOS] = {"repositories": [{"namespace": NAMESPACE, "name": "app"}]}
    client = quay.client(TOKEN)
    assert len(hubframe.repos_df(f"{quay.host}/{NAMESPACE}", client=client)) == 1

    kept = [path.read_bytes() for path in quay._folder.rglob("*") if path.is_file()]
    assert kept
    assert not any(TOKEN[1].encode() in body for body in kept)
    assert TOKEN[1] not in repr((client, client.settings, vars(client.provider(quay.host))))


# Tags and repositories of Quay.


def test_tags_have_the_dates_and_sizes_that_quay_tells(quay):
    quay.answers[HISTORY] = lambda asked: page(
        entry("latest", LAST, None, B, is_manifest_list=True, size=None),
        entry("1.1", LAST, None, B, is_manifest_list=True, size=None),
        entry("1.0", LAST - DAY, None, A),
        *([] if asked.parameter("onlyActiveTags") == "true" else [entry("0.9", 1, 2)]),
    )
    tags = hubframe.tags_df(quay.repo, client=quay.client())

    assert tags.tag.tolist() == ["latest", "1.1", "1.0"]
    assert tags.digest.tolist() == [B, B, A]
    assert tags["size"].tolist() == [pd.NA, pd.NA, 100]
    assert tags.pushed_at.tolist() == [moment(LAST), moment(LAST), moment(LAST - DAY)]
    assert tags.aliases.fillna("").tolist() == ["1.1", "latest", ""]
    assert tags.version.fillna("").tolist() == ["", "1.1", "1.0"]
    assert tags.attrs["hubframe"]["source"] == "quay"
    assert tags.attrs["hubframe"]["unknown"] == []
    assert len(quay.log) == 1


def test_a_call_for_some_tags_knows_the_aliases_of_all(quay):
    quay.answers[HISTORY] = page(entry("2.0", LAST, None, B), entry("1.0"), entry("1"))
    tags = hubframe.tags_df(quay.repo, tags="1.0", client=quay.client())

    assert tags.aliases.tolist() == ["1"]


def test_a_tag_that_moved_between_two_pages_is_there_once(quay):
    quay.answers[HISTORY] = lambda asked: (
        page(entry("1.0", LAST, None, B), more=True)
        if asked.parameter("page") == "1"
        else page(entry("1.0", LAST - DAY, None, A))
    )
    tags = hubframe.tags_df(quay.repo, client=quay.client())

    assert tags.digest.tolist() == [B]


def test_the_registry_is_asked_where_source_says_so(quay):
    quay.registry.image("1.0")
    tags = hubframe.tags_df(quay.repo, source="registry", client=quay.client())

    assert tags.tag.tolist() == ["1.0"]
    assert tags.pushed_at.isna().all()
    assert quay.asked("/api/") == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_where_quay_refuses_its_registry_is_asked(quay, status):
    """A robot account may pull, and the API knows none."""
    digest = quay.registry.image("1.0")["digest"]
    quay.answers[HISTORY] = Answer.of({**REFUSED, "status": status}, status)
    for asked in (quay.repo, f"{quay.repo}:1.0"):
        tags = hubframe.tags_df(asked, client=quay.client())
        assert tags.digest.tolist() == [digest]
        assert tags.attrs["hubframe"]["source"] == "registry"
        (why,) = [one for one in tags.attrs["hubframe"]["unknown"] if one["column"] == "pushed_at"]
        # Ports hold numbers as well.
        assert (why["ref"], f"({status})" in why["message"]) == (quay.repo, status != 404)


def test_where_the_api_is_down_the_rows_lack_what_it_tells(quay):
    digest = quay.registry.image("1.0")["digest"]
    quay.answers[HISTORY] = Answer.of({"status": 520}, 520)
    with pytest.raises(hubframe.TransportError, match="520"):
        hubframe.tags_df(quay.repo, client=quay.client())
    with pytest.warns(hubframe.IncompleteWarning):
        tags = hubframe.tags_df(quay.repo, errors="collect", client=quay.client())
    assert tags.digest.tolist() == [digest]
    assert [one["ref"] for one in tags.attrs["hubframe"]["failures"]] == [quay.repo]


def test_a_tag_by_name_is_one_request(quay):
    quay.answers[HISTORY] = lambda asked: page(
        *[entry(asked.parameter("specificTag"))] if asked.parameter("specificTag") == "1.0" else []
    )
    tags = hubframe.tags_df(f"{quay.repo}:1.0", client=quay.client())

    assert tags.pushed_at.tolist() == [moment(LAST)]
    assert len(quay.log) == 1
    quay.registry.image("1.0")
    with pytest.raises(hubframe.NotFoundError, match=r"no tag '9'.*1\.0"):
        hubframe.tags_df(f"{quay.repo}:9", client=quay.client())


def test_newest_goes_by_push_and_images_are_the_registrys(quay):
    image = quay.registry.image(created="2026-01-02T03:04:05Z")
    quay.answers[HISTORY] = page(
        entry("1.0", LAST, None, image["digest"]), entry("2.0", LAST - DAY)
    )
    configs = hubframe.configs_df(quay.repo, newest=1, client=quay.client())

    assert configs.tag.tolist() == ["1.0"]
    assert configs.attrs["hubframe"]["source"] == "quay+registry"


def test_a_plan_of_tags_costs_nothing_more(quay):
    quay.answers[HISTORY] = page(entry("1.0"), entry("1.1"))
    planned = hubframe.plan(quay.repo, "tags", client=quay.client())

    assert (planned.tag_count, planned.pulls, sum(planned.requests.values())) == (2, 0, 0)
    hubframe.tags_df(quay.repo, client=quay.client())
    assert len(quay.log) == 1


def test_what_was_fetched_is_there_offline(quay):
    quay.answers[HISTORY] = page(entry("1.0"))
    tags = hubframe.tags_df(quay.repo, client=quay.client())
    with hubframe.offline():
        pd.testing.assert_frame_equal(hubframe.tags_df(quay.repo, client=quay.client()), tags)
        with pytest.raises(hubframe.NotCachedError):
            hubframe.tag_history_df(quay.repo, client=quay.client())


def test_repositories_of_an_owner(quay):
    told = {"namespace": NAMESPACE, "description": "", "kind": "image", "is_public": True}

    def answer(asked):
        assert asked.parameter("namespace") == NAMESPACE
        if asked.parameter("next_page") is None:
            first = {**told, "name": "app", "last_modified": LAST}
            return {"repositories": [first, {"name": 3}, None], "next_page": "gAAA+/="}
        assert asked.parameter("next_page") == "gAAA+/="
        second = {**told, "name": "secret", "is_public": False, "description": "Hush."}
        return {"repositories": [second, {**told, "name": "app"}]}

    quay.answers[REPOS] = answer
    repos = hubframe.repos_df(f"{quay.host}/{NAMESPACE}", client=quay.client())

    assert repos.repo.tolist() == [f"{quay.host}/{NAMESPACE}/{name}" for name in ("app", "secret")]
    assert repos.namespace.tolist() == [NAMESPACE] * 2
    assert repos.name.tolist() == ["app", "secret"]
    assert repos.is_private.tolist() == [False, True]
    assert repos.is_official.tolist() == [False, False]
    assert repos.description.fillna("").tolist() == ["", "Hush."]
    assert repos.pull_count.isna().all()
    assert repos.attrs["hubframe"]["source"] == "quay"


def test_owners_come_in_the_order_given():
    with hubframe.sample():
        names = ["quay.io/acme", "ansible", "https://quay.io/organization/acme"]
        repos = hubframe.repos_df(names)
        alone = [hubframe.repos_df(name) for name in names[:2]]

    pd.testing.assert_frame_equal(repos, pd.concat(alone, ignore_index=True))
    with hubframe.sample():
        pd.testing.assert_frame_equal(hubframe.repos_df(repos), repos)
    assert repos.attrs["hubframe"]["source"] == "hub+quay"


def test_owners_that_cannot_be_listed():
    with hubframe.sample():
        with pytest.raises(ValueError, match=r"quay\.io do.*HUBFRAME_PROVIDERS=ghcr\.io=.*harbor"):
            hubframe.repos_df("ghcr.io/org")
        with pytest.raises(hubframe.InvalidReferenceError, match=r"quay\.io/org"):
            hubframe.repos_df("quay.io/")
        for name in ("quay.io/Org", "quay.io/a b", "quay.io/a:1", "https://ghcr.io/org"):
            with pytest.raises(hubframe.InvalidReferenceError):
                hubframe.repos_df(name)


# Moves, of a history: equal to what a hand would write.


def rows(*entries):
    """Make a history by hand: tag, day of the start, day of the end, digest."""
    days = [pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=n) for n in range(32)]
    return hubframe.tables.TAG_HISTORY.from_records(
        {
            "repo": "quay.io/acme/app",
            "tag": tag,
            "digest": digest,
            "started_at": days[start].isoformat(),
            "ended_at": None if end is None else days[end].isoformat(),
            "size": 7,
        }
        for tag, start, end, digest in reversed(entries)
    )


MOVES = ("tag", "move", "digest", "previous_digest", "not_yet_at", "first_seen_at", "gone_at")
MOVES += ("ending", "observation_count")
N = None
BY_HAND = {
    "it stays": ([("a", 1, N, A)], [("a", 0, A, N, N, 1, N, N, 1)]),
    "it moves": (
        [("a", 1, 3, A), ("a", 3, N, B)],
        [("a", 0, A, N, N, 1, 3, "moved", 1), ("a", 1, B, A, 3, 3, N, N, 1)],
    ),
    "it is deleted": ([("a", 1, 3, A)], [("a", 0, A, N, N, 1, 3, "deleted", 1)]),
    "it is deleted, and comes back the same": (
        [("a", 1, 3, A), ("a", 5, N, A)],
        [("a", 0, A, N, N, 1, 3, "deleted", 1), ("a", 1, A, A, 5, 5, N, N, 1)],
    ),
    "it is pushed again the same": (
        [("a", 1, 3, A), ("a", 3, 4, A), ("a", 4, N, B)],
        [("a", 0, A, N, N, 1, 4, "moved", 2), ("a", 1, B, A, 4, 4, N, N, 1)],
    ),
    "it goes back": (
        [("a", 1, 2, A), ("a", 2, 3, B), ("a", 3, N, A)],
        [
            ("a", 0, A, N, N, 1, 2, "moved", 1),
            ("a", 1, B, A, 2, 2, 3, "moved", 1),
            ("a", 2, A, B, 3, 3, N, N, 1),
        ],
    ),
    "it moves to what is not told": (
        [("a", 1, 3, A), ("a", 3, N, None)],
        [("a", 0, A, N, N, 1, 3, "moved", 1)],
    ),
    "twice in a moment": (
        [("a", 1, 3, A), ("a", 3, 3, B), ("a", 3, N, C)],
        [("a", 0, A, N, N, 1, 3, "moved", 1), ("a", 1, C, A, 3, 3, N, N, 1)],
    ),
    "others move meanwhile": (
        [("b", 0, 2, C), ("a", 1, N, A), ("b", 2, N, A)],
        [
            ("a", 0, A, N, N, 1, N, N, 1),
            ("b", 0, C, N, N, 0, 2, "moved", 1),
            ("b", 1, A, C, 2, 2, N, N, 1),
        ],
    ),
    "nothing": ([], []),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_moves_of_a_history(name):
    entries, expected = BY_HAND[name]
    moves = hubframe.tag_moves_df(rows(*entries))

    hubframe.tables.TABLES["tag_moves"].require(moves)
    assert {name: str(kind) for name, kind in moves.dtypes.items()} == (
        hubframe.tables.TABLES["tag_moves"].dtypes
    )
    first = pd.Timestamp("2026-01-01", tz="UTC")
    told = []
    for row in hubframe.tables.schema.plain_records(moves):
        cells = [row[column] for column in MOVES]
        told.append(tuple((c - first).days if isinstance(c, pd.Timestamp) else c for c in cells))
    assert told == expected
    assert (moves["last_seen_at"] >= moves["first_seen_at"]).all()
    assert moves["last_seen_at"].notna().all()


def test_moves_of_a_history_are_those_that_daily_snapshots_see(tmp_path):
    """Where a snapshot is taken at the moment of each change, both tell the same moves."""
    entries = [
        ("1.0", 1, 4, A), ("1.0", 4, 9, B), ("latest", 1, 6, A), ("latest", 6, N, C),
        ("1.0", 12, N, B), ("gone", 2, 5, A),
    ]  # fmt: skip
    told = rows(*entries)
    for day in range(1, 14):
        there = {tag: digest for tag, begun, end, digest in entries if begun <= day < (end or 99)}
        tags = pd.DataFrame(
            {"repo": "quay.io/acme/app", "tag": [*there], "digest": [*there.values()]}
        )
        repos = pd.DataFrame({"repo": ["quay.io/acme/app"]})
        at = f"2026-01-{day + 1:02}"
        hubframe.add_snapshot(to=tmp_path / "kept", repos=repos, tags=tags, observed_at=at)
    seen = hubframe.tag_moves_df(hubframe.read_snapshots(tmp_path / "kept"))
    moves = hubframe.tag_moves_df(told)

    same = [
        "repo",
        "tag",
        "move",
        "digest",
        "previous_digest",
        "first_seen_at",
        "gone_at",
        "ending",
    ]
    pd.testing.assert_frame_equal(moves[same], seen[same])
    mutable = hubframe.mutable_tags_df(told)
    assert mutable.tag.tolist() == ["1.0"]
    assert (mutable.push_count[0], mutable.digest_count[0]) == (3, 2)
    assert (mutable.first_digest[0], mutable.last_digest[0]) == (A, B)
    assert mutable.last_pushed_at[0] == pd.Timestamp("2026-01-13", tz="UTC")


def test_a_history_that_is_none():
    with pytest.raises(ValueError, match="lacks the column"):
        hubframe.tag_moves_df(pd.DataFrame({"repo": []}))
    with pytest.raises(TypeError, match="tag_history_df"):
        hubframe.mutable_tags_df({})


def test_pictures_take_the_moves_of_a_history():
    with hubframe.sample():
        told = hubframe.tag_history_df(["quay.io/acme/agent", "quay.io/acme/toolbox"])
    hubframe.plots.plot_tag_moves(hubframe.tag_moves_df(told))
    hubframe.plots.plot_mutable_tags(hubframe.mutable_tags_df(told))


def test_a_history_is_read_back_from_csv(tmp_path):
    with hubframe.sample():
        told = hubframe.tag_history_df("quay.io/acme/agent")
    hubframe.write_csv(told, tmp_path / "history.csv")
    pd.testing.assert_frame_equal(hubframe.read_csv(tmp_path / "history.csv", "tag_history"), told)


def test_snapshots_keep_the_dates(tmp_path):
    with hubframe.sample():
        run = hubframe.snapshot("quay.io/acme/agent", to=tmp_path / "kept")
        tags = hubframe.tags_df("quay.io/acme/agent")
    seen = hubframe.read_snapshots(tmp_path / "kept").tags

    assert run.source.tolist() == ["quay"]
    pd.testing.assert_series_equal(seen.pushed_at, tags.pushed_at)


# Harbor.

PROJECT = f"/api/v2.0/projects/{NAMESPACE}/repositories"


def artifact(digest=A, *tags, **changes):
    """What Harbor tells of an artifact and its tags."""
    return {
        "digest": digest,
        "type": "IMAGE",
        "media_type": "application/vnd.oci.image.config.v1+json",
        "manifest_media_type": MANIFEST,
        "size": 300,
        "push_time": "2026-01-01T00:00:00.000Z",
        "pull_time": "2026-03-01T00:00:00.000Z",
        "extra_attrs": {"os": "linux", "architecture": "amd64"},
        "tags": [
            {
                "name": name,
                "push_time": f"2026-01-{day:02}T03:04:05.678Z",
                "pull_time": pulled,
                "immutable": False,
            }
            for name, day, pulled in tags
        ],
        **changes,
    }


def test_tags_of_harbor(harbor):
    platforms = [
        {"child_digest": C, "platform": {"os": os, "architecture": architecture}}
        for os, architecture in (("linux", "amd64"), ("linux", "arm64"), ("unknown", "unknown"))
    ]
    never = "0001-01-01T00:00:00.000Z"
    harbor.answers[f"{PROJECT}/{NAME}/artifacts"] = [
        artifact(A, ("1.0", 2, never), ("1", 3, "2026-02-01T00:00:00.000Z")),
        artifact(B, ("2.0", 9, never), manifest_media_type=INDEX, size=900, references=platforms),
        artifact(C, ("chart", 1, None), type="CHART", extra_attrs={}),
    ]
    tags = hubframe.tags_df(harbor.repo, client=harbor.client())

    assert tags.tag.tolist() == ["2.0", "1", "1.0", "chart"]
    assert tags.digest.tolist() == [B, A, A, C]
    assert tags.media_type.tolist() == [INDEX, MANIFEST, MANIFEST, MANIFEST]
    assert tags.content_type.tolist() == ["image", "image", "image", "helm"]
    # Of an index Harbor tells the size of all its images together.
    assert tags["size"].tolist() == [pd.NA, 300, 300, 300]
    assert tags.platform_count.tolist() == [2, 1, 1, pd.NA]
    assert tags.pushed_at[0] == pd.Timestamp("2026-01-09T03:04:05.678Z")
    assert tags.pulled_at.tolist() == [pd.NaT, pd.Timestamp("2026-02-01", tz="UTC"), pd.NaT, pd.NaT]
    assert tags.aliases.fillna("").tolist() == ["", "1.0", "1", ""]
    (asked,) = harbor.log
    expected = {"q": "tags=*", "with_tag": "true", "page_size": "100", "page": "1"}
    assert {name: asked.parameter(name) for name in expected} == expected
    named = hubframe.tags_df(f"{harbor.repo}:1.0", client=harbor.client())
    assert named.digest.tolist() == [A]
    assert harbor.log[-1].parameter("q") == "tags=1.0"


def test_slashes_within_a_repository_are_encoded_twice(harbor):
    # What the path unquoted once holds is what Harbor unquotes again.
    harbor.answers["/api/v2.0/projects/team/repositories/sub%252Fdeep%252Fapp/artifacts"] = [
        artifact(A, ("1.0", 2, None))
    ]
    tags = hubframe.tags_df(f"{harbor.host}/team/sub/deep/app", client=harbor.client())

    assert tags.tag.tolist() == ["1.0"]
    assert unquote(unquote(harbor.log[0].target)).count("/sub/deep/app/") == 1


@pytest.mark.parametrize("has_links", [True, False])
def test_pages_of_harbor(harbor, has_links):
    """Its links may name another host, and a proxy may take them off."""
    artifacts = [artifact(f"sha256:{n:064}", (f"1.{n}", 2, None)) for n in range(250)]

    def answer(asked):
        number = int(asked.parameter("page"))
        shown = artifacts[100 * (number - 1) : 100 * number]
        more = has_links and 100 * number < len(artifacts)
        link = '<https://elsewhere.example/api?page=1>; rel="prev" , </x?page=2>; rel="next"'
        return Answer.of(shown, **({"Link": link} if more else {}))

    harbor.answers[f"{PROJECT}/{NAME}/artifacts"] = answer
    tags = hubframe.tags_df(harbor.repo, client=harbor.client())

    assert len(tags) == 250
    assert len(harbor.log) == 3


def test_repositories_of_harbor(harbor):
    harbor.answers[PROJECT] = [
        {
            "name": f"{NAMESPACE}/{name}",
            "description": "",
            "artifact_count": 3,
            "pull_count": pulls,
            "creation_time": "2025-01-02T03:04:05.000Z",
            "update_time": "2026-01-02T03:04:05.000Z",
        }
        for name, pulls in (("app", 12), ("sub/tool", 0))
    ] + [{"name": "odd"}, {"name": "/odd"}, {"name": None}, "odd"]
    repos = hubframe.repos_df(f"{harbor.host}/{NAMESPACE}", client=harbor.client())

    names = [f"{harbor.host}/{NAMESPACE}/{name}" for name in ("app", "sub/tool")]
    assert repos.repo.tolist() == names
    assert repos.name.tolist() == ["app", "sub/tool"]
    assert repos.pull_count.tolist() == [12, 0]
    assert repos.registered_at.tolist() == [pd.Timestamp("2025-01-02T03:04:05Z")] * 2
    for wrong in (f"{harbor.host}/", f"{harbor.host}/a/b"):
        with pytest.raises(hubframe.InvalidReferenceError, match="no project"):
            hubframe.repos_df(wrong, client=harbor.client())


def test_harbor_takes_the_login_of_its_registry(harbor):
    harbor.answers[PROJECT] = lambda asked: (
        [] if asked.headers.get("authorization", "").startswith("Basic ") else Answer.of({}, 401)
    )
    for login in (None, ("robot$acme", "sesame")):
        client = harbor.client(login)
        if login:
            assert hubframe.repos_df(f"{harbor.host}/{NAMESPACE}", client=client).empty
        else:
            with pytest.raises(
                hubframe.UnauthorizedError, match=r"needs a login.*Harbor says the same of what is"
            ):
                hubframe.repos_df(f"{harbor.host}/{NAMESPACE}", client=client)


def test_a_login_for_a_project_is_for_that_alone(harbor):
    harbor.answers |= {PROJECT: [], "/api/v2.0/projects/other/repositories": []}
    harbor.answers[f"{PROJECT}/sub%252Fapp/artifacts"] = []
    logins = {f"{harbor.host}/{NAMESPACE}": ("me", "sesame")}
    settings = hubframe.Settings(cache_dir=harbor._folder, providers={harbor.host: "harbor"})
    with hubframe.Client(settings, logins) as client:
        hubframe.repos_df([f"{harbor.host}/{NAMESPACE}", f"{harbor.host}/other"], client=client)
        hubframe.tags_df(f"{harbor.host}/{NAMESPACE}/sub/app", client=client)
    sent = {urlsplit(one.target).path: "authorization" in one.headers for one in harbor.log}
    assert sent == {
        PROJECT: True,
        "/api/v2.0/projects/other/repositories": False,
        f"{PROJECT}/sub%252Fapp/artifacts": True,
    }


@pytest.mark.parametrize("told", [{}, {"errors": [{"code": "X"}]}, None, "x"])
def test_what_is_no_list_of_harbor(harbor, told):
    harbor.answers[f"{PROJECT}/{NAME}/artifacts"] = Answer.of(told)
    with pytest.raises(hubframe.PayloadError, match="registry of Harbor"):
        hubframe.tags_df(harbor.repo, client=harbor.client())


def test_where_harbor_refuses_its_registry_is_asked(harbor):
    digest = harbor.registry.image("1.0")["digest"]
    harbor.answers[f"{PROJECT}/{NAME}/artifacts"] = Answer.of(
        {"errors": [{"code": "FORBIDDEN", "message": "no"}]}, 403
    )
    tags = hubframe.tags_df(harbor.repo, client=harbor.client())

    assert tags.digest.tolist() == [digest]


# Pulls of tags, and scans of images.

PULLS = f"/api/v1/repository/{PATH}/tag/{{}}/pull_statistics"


def pulls_of(tag="1.0", count=7, **changes):
    return {
        "tag_name": tag,
        "tag_pull_count": count,
        "last_tag_pull_date": formatdate(LAST) if count else None,
        "current_manifest_digest": A,
        "manifest_pull_count": 2 * count,
        "last_manifest_pull_date": formatdate(LAST + DAY) if count else None,
        **changes,
    }


def test_pulls_of_tags(quay):
    quay.answers[HISTORY] = page(entry("1.1"), entry("1.0", LAST - DAY), entry("x", 1))
    quay.answers[PULLS.format("1.1")] = pulls_of("1.1", 0)
    quay.answers[PULLS.format("1.0")] = pulls_of(tag_pull_count=3 * 10**9)
    pulls = hubframe.tag_pulls_df(quay.repo, tags="1.*", client=quay.client())

    assert {name: str(kind) for name, kind in pulls.dtypes.items()} == (
        hubframe.tables.TABLES["tag_pulls"].dtypes
    )
    first, second = hubframe.tables.schema.plain_records(pulls)
    never = {"pulled_at": None, "image_pull_count": 0, "image_pulled_at": None}
    assert first == {"repo": quay.repo, "tag": "1.1", "digest": A, "pull_count": 0, **never}
    assert (second["pull_count"], second["image_pull_count"]) == (3 * 10**9, 14)
    assert (second["pulled_at"], second["image_pulled_at"]) == (moment(LAST), moment(LAST + DAY))
    assert pulls.attrs["hubframe"]["source"] == "quay"
    assert len(quay.log) == 3
    named = hubframe.tag_pulls_df(f"{quay.repo}:1.0@{A}", client=quay.client())
    assert named.pull_count.tolist() == [3 * 10**9]


@pytest.mark.parametrize(
    ("status", "error"), [(404, hubframe.NotFoundError), (401, hubframe.UnauthorizedError)]
)
def test_where_no_pulls_are_counted_one_tag_is_asked_for(quay, status, error):
    """Quay then takes the address for that of a repository: is it not there, or private?"""
    quay.answers[HISTORY] = page(*[entry(f"1.{n}") for n in range(50)])
    for n in range(50):
        quay.answers[PULLS.format(f"1.{n}")] = Answer.of(REFUSED, status)
    with pytest.raises(error, match=r"says the same.* where it counts no pulls of tags"):
        hubframe.tag_pulls_df(quay.repo, client=quay.client())
    assert len(quay.asked("pull_statistics")) == 1
    with pytest.warns(hubframe.IncompleteWarning):
        pulls = hubframe.tag_pulls_df(quay.repo, errors="collect", client=quay.client())
    assert pulls.empty
    assert [one["error"] for one in pulls.attrs["hubframe"]["failures"]] == [error.__name__]
    assert len(quay.asked("pull_statistics")) == 2


def test_pulls_of_a_repository_are_told_where_another_is_private(quay):
    """The registry may list its tags all the same."""
    other = HISTORY.replace(NAME, "other")
    quay.answers |= {
        HISTORY: Answer.of(REFUSED, 401),
        PULLS.format("1.0"): Answer.of(REFUSED, 401),
        other: page(entry("2.0")),
        f"{other}2.0/pull_statistics": pulls_of("2.0"),
    }
    quay.registry.image("1.0")
    repos = [quay.repo, quay.repo.replace(NAME, "other")]
    with pytest.warns(hubframe.IncompleteWarning):
        pulls = hubframe.tag_pulls_df(repos, errors="collect", client=quay.client())
    assert pulls.tag.tolist() == ["2.0"]
    (failure,) = pulls.attrs["hubframe"]["failures"]
    assert failure["ref"] == f"{quay.repo}:1.0"


@pytest.mark.parametrize("told", [{}, [], "x", {"tag_name": "1.0"}])
def test_what_is_no_count_of_pulls(quay, told):
    quay.answers[HISTORY] = page(entry("1.0"))
    quay.answers[PULLS.format("1.0")] = Answer.of(told)
    with pytest.raises(hubframe.PayloadError, match="registry of Quay"):
        hubframe.tag_pulls_df(quay.repo, client=quay.client())


def finding(name="CVE-2026-0001", updater="debian/updater", **changes):
    """What Quay tells of a vulnerability."""
    score = {"Vectors": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "Score": 7.5}
    return {
        "Name": name,
        "Severity": "High",
        "NamespaceName": updater,
        "Link": "https://x.example/a https://x.example/b",
        "FixedBy": "1.2-3",
        "Metadata": {"UpdatedBy": updater, "NVD": {"CVSSv3": score}},
        **changes,
    }


def scanned(*findings, layer=C, name="openssl"):
    feature = {"Name": name, "Version": "1.2-1", "AddedBy": layer, "Vulnerabilities": [*findings]}
    clean = {"Name": "zlib", "Version": "1", "AddedBy": layer, "Vulnerabilities": []}
    return {"status": "scanned", "data": {"Layer": {"Features": [clean, feature]}}}


def scan_of(image):
    return f"/api/v1/repository/{PATH}/manifest/{image['digest']}/security"


def test_what_clair_found(quay):
    image = quay.registry.image("1.0")
    quay.registry.tags["1"] = image["digest"]
    same = image["digest"]
    quay.answers[HISTORY] = page(entry("1.0", LAST, None, same), entry("1", 1, None, same))
    layers = hubframe.layers_df(quay.repo, source="registry", client=quay.client())
    layer = layers["layer_digest"].iloc[0]
    quay.answers[scan_of(image)] = scanned(finding(), finding("CVE-2026-2"), layer=layer)
    found = hubframe.scans_df(quay.repo, client=quay.client())

    table = hubframe.tables.TABLES["vulnerabilities"]
    assert {name: str(kind) for name, kind in found.dtypes.items()} == table.dtypes
    assert found.tag.tolist() == ["1.0", "1.0", "1", "1"]
    row = hubframe.tables.schema.plain_records(found)[0]
    assert {name: value for name, value in row.items() if value is not None} == {
        "repo": quay.repo,
        "tag": "1.0",
        "platform": "linux/amd64",
        "image_digest": image["digest"],
        "id": "CVE-2026-0001",
        "type": "deb",
        "name": "openssl",
        "version": "1.2-1",
        "fixed_version": "1.2-3",
        "state": "fixed",
        "severity": "high",
        "cvss": 7.5,
        "cvss_vector": finding()["Metadata"]["NVD"]["CVSSv3"]["Vectors"],
        "advisory_source": "debian/updater",
        "layer_digest": layer,
        "position": 0,
        "evidence": "clair",
        "tool": "clair",
        "url": "https://x.example/a",
    }
    told = found.attrs["hubframe"]
    assert told["sources"] == [{"tool": "clair", "reported_at": None, "count": 2}]
    assert (told["source"], told["complete"]) == ("quay+registry", True)
    # Tags that are one image are asked for once.
    assert len(quay.asked("/security")) == 1
    (summary,) = hubframe.vulnerability_summary_df(found, by="image").itertuples()
    assert (summary.vulnerability_count, summary.high_count) == (2, 2)


NAMES = {
    "CVE-2026-0001": ("CVE-2026-0001", None, None),
    "RHSA-2026:0119: libxml2 security update (Moderate)": (
        "RHSA-2026:0119", None, "libxml2 security update (Moderate)"
    ),
    "pyup.io-38765 (CVE-2026-20916)": ("pyup.io-38765", "CVE-2026-20916", None),
    "CVE-2026-0001 ncurses: null dereference (low)": (
        "CVE-2026-0001", None, "ncurses: null dereference (low)"
    ),
    "glib: a size is not checked": ("glib: a size is not checked", None,
        "glib: a size is not checked"
    ),
    "openSUSE-SU-2026:1-1 ": ("openSUSE-SU-2026:1-1", None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_vulnerabilities_at_clair(name):
    expected = NAMES[name]
    (row,) = quay_api.read_scan(scanned(finding(name))).rows
    assert (row["id"], row["aliases"], row["title"]) == expected


def test_a_cve_that_the_link_alone_names():
    link = "https://x.example/errata/RHSA-2026:1 https://x.example/cve/CVE-2026-0009"
    one, other = (finding(name, Link=link) for name in ("glib: a size", "GHSA-1-2"))
    rows = quay_api.read_scan(scanned(one, other)).rows
    assert [(row["id"], row["aliases"]) for row in rows] == [
        ("CVE-2026-0009", None),
        ("GHSA-1-2", "CVE-2026-0009"),
    ]


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        ("2.0", "2.0"), ("", None), (None, None), (7, None),
        ("fixed=2.0%2B1&introduced=1.0", "2.0+1"), ("introduced=0&lastAffected=3.1", None),
    ],
)  # fmt: skip
def test_what_fixes_it_may_be_a_range(fixed, expected):
    (row,) = quay_api.read_scan(scanned(finding(FixedBy=fixed))).rows
    assert (row["fixed_version"], row["state"]) == (expected, "fixed" if expected else "affected")


@pytest.mark.parametrize(
    ("updater", "kind"),
    [
        ("alpine-main-v3.20-updater", "apk"), ("RHEL8-rhel-8", "rpm"), ("rhel-vex", "rpm"),
        ("ubuntu/updater/jammy", "deb"), ("osv/PyPI", "pypi"), ("osv/go", "golang"),
        ("osv/crates.io", "generic"), ("", "generic"), (None, "generic"), (3, "generic"),
    ],
)  # fmt: skip
def test_kinds_of_packages_at_clair(updater, kind):
    (row,) = quay_api.read_scan(scanned(finding(updater=updater))).rows
    assert row["type"] == kind


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"status": "queued", "data": None}, "still to be scanned"),
        ({"status": "failed", "data": None}, "could not be scanned"),
        ({"status": "unsupported", "data": None}, "nothing that Clair scans"),
        ({"status": "manifest_layer_too_large", "data": None}, "too large"),
        ({"status": "new\x1b[31m", "data": None}, "its status is 'new"),
        (Answer.of({"status": 404}, 404), "no such thing.*scanner is switched off"),
    ],
)
def test_images_without_a_scan_are_no_safe_ones(quay, told, words):
    first, second = quay.registry.image("1.0"), quay.registry.image("1.1", os="linux", variant="x")
    quay.answers[HISTORY] = page(
        entry("1.0", digest=first["digest"]), entry("1.1", digest=second["digest"])
    )
    quay.answers[scan_of(first)] = told
    quay.answers[scan_of(second)] = scanned()
    # One that is named has to have a scan; of all tags some may lack one, which is said.
    with pytest.raises(hubframe.NotFoundError, match=words) as caught:
        hubframe.scans_df(f"{quay.repo}:1.0", client=quay.client())
    assert "\x1b" not in str(caught.value)
    with pytest.warns(hubframe.IncompleteWarning):
        found = hubframe.scans_df(quay.repo, client=quay.client())
    assert found.empty
    (failure,) = found.attrs["hubframe"]["failures"]
    assert (failure["ref"], failure["error"]) == (f"{quay.repo}:1.0", "NotFoundError")
    # It is asked for anew.
    quay.answers[scan_of(first)] = scanned(finding())
    assert len(hubframe.scans_df(quay.repo, client=quay.client())) == 1


@pytest.mark.parametrize("told", [{}, [], "x", {"status": "scanned", "data": None}, {"status": 3}])
def test_what_is_no_scan(quay, told):
    image = quay.registry.image("1.0")
    quay.answers[HISTORY] = page(entry("1.0", digest=image["digest"]))
    quay.answers[scan_of(image)] = Answer.of(told)
    with pytest.raises(hubframe.PayloadError, match="registry of Quay"):
        hubframe.scans_df(quay.repo, client=quay.client())


def test_a_robot_may_ask_what_clair_found(quay):
    """Quay takes its login there, and nowhere else of its API."""
    image = quay.registry.image("1.0")
    quay.answers[scan_of(image)] = lambda asked: (
        scanned(finding())
        if asked.headers.get("authorization", "").startswith("Basic ")
        else Answer.of(REFUSED, 401)
    )
    with pytest.raises(hubframe.UnauthorizedError, match="needs a login"):
        hubframe.scans_df(quay.repo, client=quay.client())
    assert len(hubframe.scans_df(quay.repo, client=quay.client(ROBOT))) == 1
    sent = {one.path: "authorization" in one.headers for one in quay.asked("/api/v1/")}
    assert sent == {HISTORY: False, scan_of(image): True}


def report(*vulnerabilities, **changes):
    """A report as Harbor keeps it."""
    told = {
        "generated_at": "2026-01-02T03:04:05.678Z",
        "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "v0.59.1"},
        "severity": "High",
        "vulnerabilities": [*vulnerabilities],
        **changes,
    }
    return {"application/vnd.security.vulnerability.report; version=1.1": told}


WEAKNESS = {
    "id": "CVE-2026-0001",
    "package": "openssl",
    "version": "1.2-1",
    "fix_version": "1.2-3, 1.3-1",
    "severity": "High",
    "status": "fixed",
    "description": "It is weak.",
    "links": ["https://x.example/a", "https://x.example/b"],
    "artifact_digests": [A],
    "preferred_cvss": {"score_v3": 7.5, "score_v2": 5, "vector_v3": "3", "vector_v2": "2"},
    "cwe_ids": ["CWE-1"],
}


def test_what_harbors_scanner_found(harbor):
    image = harbor.registry.image("1.0")
    artifacts = f"{PROJECT}/{NAME.replace('/', '%252F')}/artifacts"
    scan = f"{artifacts}/{image['digest']}/additions/vulnerabilities"
    harbor.answers |= {
        artifacts: [artifact(image["digest"], ("1.0", 2, None))],
        scan: report(
            WEAKNESS,
            WEAKNESS | {"package": "zlib", "fix_version": "", "status": "will_not_fix",
                        "severity": "None", "links": None,
                        "preferred_cvss": {"score_v3": None, "score_v2": 5, "vector_v2": "2"}},
            WEAKNESS,
            {"id": "CVE-2026-0002"}, None,
        ),
    }  # fmt: skip
    found = hubframe.scans_df(f"{harbor.repo}:1.0", client=harbor.client())

    shown = ["id", "type", "name", "fixed_version", "state", "severity", "cvss", "cvss_vector"]
    assert found[shown].fillna("").to_numpy().tolist() == [
        ["CVE-2026-0001", "generic", "openssl", "1.2-3 1.3-1", "fixed", "high", 7.5, "3"],
        ["CVE-2026-0001", "generic", "zlib", "", "will not fix", "negligible", 5.0, "2"],
    ]
    assert found.url.fillna("").tolist() == ["https://x.example/a", ""]
    assert found.evidence.tolist() == ["harbor"] * 2
    assert found.tool.tolist() == ["trivy-0.59.1"] * 2
    assert found.layer_digest.isna().all()
    assert found.platform.tolist() == ["linux/amd64"] * 2
    date = "2026-01-02T03:04:05.678Z"
    source = {"tool": "trivy-0.59.1", "reported_at": date, "count": 1}
    assert found.attrs["hubframe"]["sources"] == [source]
    # A clean scan is no scan that is missing.
    harbor.answers[scan] = report()
    client = harbor.client()
    with hubframe.refresh():
        assert hubframe.scans_df(harbor.repo, client=client).attrs["hubframe"]["complete"]
    harbor.answers[scan] = {}
    with hubframe.refresh(), pytest.raises(hubframe.NotFoundError, match="not scanned yet"):
        hubframe.scans_df(f"{harbor.repo}:1.0", client=client)


@pytest.mark.parametrize("repo", ["library/nginx", "ghcr.io/org/app", f"oci:/nowhere:{A[:9]}"])
def test_registries_without_scans_and_pulls_say_which_have_them(repo):
    with hubframe.Client(hubframe.Settings(offline=True)) as client:
        with pytest.raises(ValueError, match=r"only Quay, Harbor and.*read_trivy"):
            hubframe.scans_df(repo, client=client)
        with pytest.raises(ValueError, match=r"only Quay counts.*repos_df"):
            hubframe.tag_pulls_df(repo, client=client)


# Plans of what is told beside the protocol.


def planned(beside, what, frame, **how):
    """Hold a plan against what the call then asks, and against a plan after it."""
    client = beside.client()
    plan = hubframe.plan(what, frame, **how, client=client)
    before = len(beside.log)
    found = getattr(hubframe, f"{frame}_df")(what, **how, client=client)
    # Which login a registry wants is asked once for all.
    spent = [one.path for one in beside.log[before:] if one.path != "/v2/"]
    kinds = {"provider": "/api/", "manifest": "/manifests/", "config": "/blobs/"}
    counts = {kind: sum(part in path for path in spent) for kind, part in kinds.items()}
    assert counts == {kind: plan.requests[kind] for kind in kinds}
    assert sum(plan.requests.values()) == len(spent)
    assert found.attrs["hubframe"]["complete"]
    after = hubframe.plan(what, frame, **how, client=client)
    assert (sum(after.requests.values()), after.is_exact, after.pulls) == (0, True, 0)
    return plan


def test_scans_are_planned_image_by_image(quay, tmp_path):
    one, other = quay.registry.image("1.0"), quay.registry.image("2.0", Env=["A=B"])
    platform = {"os": "linux", "architecture": "amd64"}
    index = quay.registry.index("3.0", other | {"platform": platform})
    quay.answers |= {scan_of(one): scanned(finding()), scan_of(other): scanned()}
    entries = [
        *(entry(tag, LAST, None, one["digest"]) for tag in ("1.0", "1")),
        entry("2.0", 1, None, other["digest"]),
    ]
    quay.answers[HISTORY] = page(*entries)
    plan = planned(quay, quay.repo, "scans")
    # Three tags, two images.
    assert (plan.requests["manifest"], plan.requests["provider"], plan.is_exact) == (2, 2, True)

    # Which images an index has is not known before.
    quay.answers[HISTORY] = page(entry("3.0", LAST, None, index["digest"], is_manifest_list=True))
    client = quay.client(cache_dir=tmp_path / "other")
    plan = hubframe.plan(quay.repo, "scans", client=client)
    assert (plan.requests["manifest"], plan.requests["provider"], plan.is_exact) == (2, 1, False)
    assert hubframe.scans_df(quay.repo, client=client).attrs["hubframe"]["complete"]
    assert sum(hubframe.plan(quay.repo, "scans", client=client).requests.values()) == 0


def test_scans_that_are_here_are_not_planned_again(quay):
    images = [quay.registry.image(f"{n}.0", Env=[f"N={n}"]) for n in range(4)]
    quay.answers |= {scan_of(image): scanned() for image in images}
    quay.answers[HISTORY] = page(
        *[entry(f"{n}.0", LAST - n, None, image["digest"]) for n, image in enumerate(images)]
    )
    planned(quay, quay.repo, "scans", newest=1)
    hubframe.labels_df(quay.repo, newest=2, client=quay.client())
    plan = planned(quay, quay.repo, "scans")
    assert (plan.requests["manifest"], plan.requests["provider"]) == (2, 3)


def test_scans_of_harbor_are_planned(harbor):
    image = harbor.registry.image("1.0")
    artifacts = f"{PROJECT}/{NAME.replace('/', '%252F')}/artifacts"
    harbor.answers |= {
        artifacts: [artifact(image["digest"], ("1.0", 2, None), ("1", 2, None))],
        f"{artifacts}/{image['digest']}/additions/vulnerabilities": report(WEAKNESS),
    }
    plan = planned(harbor, harbor.repo, "scans")
    assert (sum(plan.requests.values()), plan.requests["provider"], plan.is_exact) == (3, 1, True)


def test_pulls_of_tags_are_planned_tag_by_tag(quay):
    quay.answers[HISTORY] = page(*[entry(f"1.{n}", LAST - n) for n in range(5)])
    quay.answers |= {PULLS.format(f"1.{n}"): pulls_of(f"1.{n}") for n in range(5)}
    assert planned(quay, quay.repo, "tag_pulls", newest=2).requests["provider"] == 2
    assert planned(quay, quay.repo, "tag_pulls", tags="1.[1-3]").requests["provider"] == 2
    plan = hubframe.plan(quay.repo, "tag_pulls", client=quay.client())
    assert "tag_pulls of 5 tags: 1 requests" in str(plan)


def test_a_past_is_planned_by_its_first_page(quay):
    """How many pages there are is not told; those that are here are not asked for again."""
    other = HISTORY.replace(NAME, "other")
    quay.answers |= {HISTORY: page(entry()), other: page(entry())}
    repos = [quay.repo, quay.repo.replace(NAME, "other")]
    assert planned(quay, repos[0], "tag_history").requests["provider"] == 1
    plan = planned(quay, repos, "tag_history")
    assert (plan.requests["provider"], plan.is_exact) == (1, False)
    assert "tag_history of 2 repositories: at least 1 requests" in str(plan)


@pytest.mark.parametrize("frame", ["scans", "tag_pulls", "tag_history"])
def test_what_nobody_tells_is_not_planned(frame):
    with pytest.raises(ValueError, match="only Quay"):
        hubframe.plan("library/nginx", frame)


def test_images_that_are_here_are_not_asked_for_by_their_tags(quay):
    """Quay told what the tags point at."""
    image = quay.registry.image("1.0")
    quay.answers[HISTORY] = page(entry("1.0", LAST, None, image["digest"]))
    client = quay.client()
    hubframe.labels_df(quay.repo, client=client)
    assert [one.path for one in quay.asked("/manifests/")] == [
        f"/v2/{PATH}/manifests/{image['digest']}"
    ]
    with hubframe.refresh():
        hubframe.tags_df(quay.repo, client=client)
    assert hubframe.labels_df(quay.repo, client=client).attrs["hubframe"]["requests"] == 0


# Amazon ECR, by botocore's own stubs.

ACCOUNT = "123456789012"
ECR = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
GALLERY = "public.ecr.aws"
PUSHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def aws(monkeypatch, tmp_path):
    """Return a stub of a service of AWS, and the client that asks it."""
    session = pytest.importorskip("boto3.session")
    stubs = pytest.importorskip("botocore.stub")
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "y")):
        monkeypatch.setenv(f"AWS_{name}", value)
    real = session.Session.client
    with ExitStack() as stack:

        def start(host, kind, **changes):
            made = real(session.Session(), kind, region_name="eu-west-1")
            stub = stack.enter_context(stubs.Stubber(made))
            asked = []

            def client(_, service, **how):
                asked.append((service, how["region_name"]))
                return made

            monkeypatch.setattr(session.Session, "client", client)
            settings = hubframe.Settings(
                cache_dir=tmp_path / "kept", providers={host: kind}, **changes
            )
            return stub, stack.enter_context(hubframe.Client(settings)), asked

        yield start


def test_tags_of_ecr(aws):
    stub, client, asked = aws(ECR, "ecr")
    which = {
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "filter": {"tagStatus": "TAGGED"},
        "maxResults": 1000,
    }
    image = {
        "imageDigest": A,
        "imageTags": ["1.0", "latest"],
        "imageSizeInBytes": 700,
        "imagePushedAt": PUSHED,
        "imageManifestMediaType": MANIFEST,
        "imageStatus": "ACTIVE",
    }
    older = {**image, "imageDigest": B, "imageTags": ["0.9"], "lastRecordedPullTime": PUSHED}
    older |= {"imagePushedAt": PUSHED.replace(year=2025), "imageStatus": "ARCHIVED"}
    stub.add_response("describe_images", {"imageDetails": [image], "nextToken": "2"}, which)
    stub.add_response("describe_images", {"imageDetails": [older]}, {**which, "nextToken": "2"})
    tags = hubframe.tags_df(f"{ECR}/team/app", client=client)

    assert asked == [("ecr", "eu-west-1")]
    assert tags.tag.tolist() == ["1.0", "latest", "0.9"]
    assert tags.digest.tolist() == [A, A, B]
    assert tags["size"].tolist() == [700] * 3
    assert tags.media_type.tolist() == [MANIFEST] * 3
    assert tags.status.tolist() == ["active", "active", "archived"]
    assert tags.pushed_at.tolist() == [pd.Timestamp(PUSHED)] * 2 + [
        pd.Timestamp(PUSHED.replace(year=2025))
    ]
    assert tags.pulled_at.tolist() == [pd.NaT, pd.NaT, pd.Timestamp(PUSHED)]
    assert tags.aliases.fillna("").tolist() == ["latest", "1.0", ""]
    assert (tags.attrs["hubframe"]["source"], tags.attrs["hubframe"]["requests"]) == ("ecr", 2)
    which = {"registryId": ACCOUNT, "repositoryName": "team/app", "imageIds": [{"imageTag": "1.0"}]}
    stub.add_response("describe_images", {"imageDetails": [image]}, which)
    assert hubframe.tags_df(f"{ECR}/team/app:1.0", client=client).digest.tolist() == [A]


SCAN = {
    "registryId": ACCOUNT,
    "repositoryName": "team/app",
    "imageId": {"imageDigest": A},
    "maxResults": 1000,
}


def test_what_ecr_found(aws):
    stub, client, _ = aws(ECR, "ecr")
    words = {"package_name": "e2fsprogs", "package_version": "1.44.1-1", "CVSS2_SCORE": "4.6"}
    weakness = {
        "name": "CVE-2026-0001",
        "uri": "https://x.example",
        "severity": "INFORMATIONAL",
        "attributes": [{"key": key, "value": value} for key, value in words.items()],
    }
    answer = {
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {"imageScanCompletedAt": PUSHED, "findings": [weakness]},
    }
    other = weakness | {"name": "CVE-2026-0002", "severity": "UNDEFINED", "attributes": []}
    last = {**answer, "imageScanFindings": {"imageScanCompletedAt": PUSHED, "findings": [other]}}
    stub.add_response("describe_image_scan_findings", {**answer, "nextToken": "2"}, SCAN)
    stub.add_response("describe_image_scan_findings", last, {**SCAN, "nextToken": "2"})
    scan = client.provider(ECR).scan("team/app", A)

    assert (scan.tool, scan.reported_at) == ("ecr", PUSHED.isoformat())
    # What names no package is none.
    (row,) = scan.rows
    assert row == {
        "id": "CVE-2026-0001",
        "type": "generic",
        "name": "e2fsprogs",
        "version": "1.44.1-1",
        "state": "affected",
        "severity": "negligible",
        "cvss": 4.6,
        "cvss_vector": None,
        "url": "https://x.example",
    }


def test_what_inspector_found(aws):
    stub, client, _ = aws(ECR, "ecr")
    package = {
        "name": "libssl3", "version": "3.0.13", "release": "0ubuntu3.2", "epoch": 0,
        "packageManager": "OS", "fixedInVersion": "0:3.0.13-0ubuntu3.4", "sourceLayerHash": C,
    }  # fmt: skip
    wheel = {
        "name": "requests", "version": "2.31.0", "packageManager": "PYTHONPKG", "epoch": 1,
        "filePath": "/usr/lib/requests", "fixedInVersion": "NotAvailable",
    }  # fmt: skip
    about = {
        "vulnerabilityId": "CVE-2026-0001",
        "relatedVulnerabilities": ["USN-2", "USN-1", "CVE-2026-0001"],
        "cvss": [
            {"version": "2.0", "baseScore": 5.0, "scoringVector": "2", "source": "NVD"},
            {"version": "3.1", "baseScore": 7.5, "scoringVector": "3", "source": "NVD"},
        ],
        "source": "UBUNTU_CVE",
        "sourceUrl": "https://x.example",
        "vendorCreatedAt": PUSHED,
        "vulnerablePackages": [package, wheel],
    }
    found = {"severity": "HIGH", "title": "libssl3", "packageVulnerabilityDetails": about}
    answer = {
        "imageScanStatus": {"status": "ACTIVE"},
        "imageScanFindings": {"enhancedFindings": [found]},
    }
    stub.add_response("describe_image_scan_findings", answer, SCAN)
    scan = client.provider(ECR).scan("team/app", A)

    told = [*scan.rows[0]], [tuple(row.values()) for row in scan.rows]
    shared = ("CVE-2026-0001", "USN-1 USN-2", "high", 7.5, "3", PUSHED.isoformat(), None)
    shared += ("UBUNTU_CVE", "libssl3", "https://x.example")
    assert scan.tool == "inspector"
    assert set(told[0]) <= set(hubframe.tables.TABLES["vulnerabilities"].dtypes)
    assert told[1] == [
        (*shared, "deb", "libssl3", "3.0.13-0ubuntu3.2", "3.0.13-0ubuntu3.4", "fixed", C, None),
        (*shared, "pypi", "requests", "1:2.31.0", None, "affected", None, "usr/lib/requests"),
    ]


def test_images_that_ecr_did_not_scan(aws):
    stub, client, _ = aws(ECR, "ecr")
    answer = {"imageScanStatus": {"status": "UNSUPPORTED_IMAGE"}}
    stub.add_response("describe_image_scan_findings", answer, SCAN)
    stub.add_client_error("describe_image_scan_findings", "ScanNotFoundException", "no scan")
    for words in ("its scan is UNSUPPORTED_IMAGE", "no scan"):
        with pytest.raises(hubframe.NotFoundError, match=words):
            client.provider(ECR).scan("team/app", A)
    with pytest.raises(ValueError, match=r"only Quay, Harbor and Amazon ECR"):
        hubframe.scans_df(f"{GALLERY}/a/b", client=client)


def test_repositories_of_ecr(aws):
    stub, client, _ = aws(ECR, "ecr")
    told = {
        "repositories": [
            {"repositoryName": name, "registryId": ACCOUNT, "createdAt": PUSHED}
            for name in ("team/app", "teams", "team/sub/tool")
        ]
    }
    for _ in range(2):
        stub.add_response(
            "describe_repositories", told, {"registryId": ACCOUNT, "maxResults": 1000}
        )
    repos = hubframe.repos_df(f"{ECR}/", client=client)

    assert repos.repo.tolist() == [f"{ECR}/team/app", f"{ECR}/teams", f"{ECR}/team/sub/tool"]
    assert repos.namespace.tolist() == [ACCOUNT] * 3
    assert repos.registered_at.tolist() == [pd.Timestamp(PUSHED)] * 3
    assert repos.is_private.all()
    stub.add_response("describe_repositories", told, {"registryId": ACCOUNT, "maxResults": 1000})
    pd.testing.assert_frame_equal(hubframe.repos_df(repos, client=client), repos)
    below = hubframe.repos_df(f"{ECR}/team", client=client)
    assert below.name.tolist() == ["team/app", "team/sub/tool"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", hubframe.UnauthorizedError),
        ("ExpiredTokenException", hubframe.UnauthorizedError),
        ("MissingAuthenticationToken", hubframe.UnauthorizedError),
        ("InvalidSignatureException", hubframe.UnauthorizedError),
        ("ThrottlingException", hubframe.RateLimitError),
        ("RequestLimitExceeded", hubframe.RateLimitError),
        ("RegistryNotFoundException", hubframe.NotFoundError),
        ("ServerException", hubframe.TransportError),
    ],
)
def test_what_aws_refuses(aws, code, error):
    stub, client, _ = aws(ECR, "ecr")
    stub.add_client_error("describe_repositories", code, "no \x1b[31m")
    with pytest.raises(error, match=code) as caught:
        hubframe.repos_df(f"{ECR}/", client=client)
    assert "\x1b" not in str(caught.value)


def test_aws_without_a_login(aws, monkeypatch):
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415 - an extra

    _, client, _ = aws(ECR, "ecr")

    def refuse(*_, **__):
        raise NoCredentialsError

    monkeypatch.setattr("boto3.session.Session.client", refuse)
    with pytest.raises(hubframe.UnauthorizedError, match="aws configure"):
        hubframe.repos_df(f"{ECR}/", client=client)


def test_aws_with_half_a_login(aws, monkeypatch):
    from botocore.exceptions import PartialCredentialsError  # noqa: PLC0415 - an extra

    _, client, _ = aws(ECR, "ecr")

    def refuse(*_, **__):
        raise PartialCredentialsError(provider="env", cred_var="aws_secret_access_key")

    monkeypatch.setattr("boto3.session.Session.client", refuse)
    with pytest.raises(hubframe.CredentialsError, match=r"repositories on .*aws_secret_access_key"):
        hubframe.repos_df(f"{ECR}/", client=client)


def test_aws_is_not_asked_by_the_sample(aws):
    _, client, asked = aws(ECR, "ecr", sample=True)
    with pytest.raises(ValueError, match="quay"):
        hubframe.repos_df(f"{ECR}/", client=client)
    assert asked == []


def test_what_aws_told_a_plan_it_is_asked_again(aws):
    stub, client, asked = aws(ECR, "ecr")
    stub.add_response("describe_images", {"imageDetails": []})
    plan = hubframe.plan(f"{ECR}/team/app", "tags", client=client)
    assert asked
    assert (sum(plan.requests.values()), plan.is_exact) == (0, False)


def test_aws_is_not_asked_offline(aws):
    _, client, asked = aws(ECR, "ecr", offline=True)
    with pytest.raises(hubframe.NotCachedError):
        hubframe.tags_df(f"{ECR}/team/app", client=client)
    assert asked == []


@pytest.mark.parametrize(
    ("host", "region", "endpoint"),
    [
        ("dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", (None, None)),
        ("dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", (True, None)),
        ("dkr-ecr-fips.us-east-1.on.aws", "us-east-1", (True, True)),
    ],
)
def test_the_api_of_aws_is_that_of_the_host(aws, monkeypatch, host, region, endpoint):
    host = f"{ACCOUNT}.{host}"
    stub, client, _ = aws(host, "ecr")
    made, asked = stub.client, []

    def client_of(_, _service, region_name, config):
        asked.append(region_name)
        asked.append((config.use_fips_endpoint, config.use_dualstack_endpoint))
        return made

    monkeypatch.setattr("boto3.session.Session.client", client_of)
    stub.add_response("describe_images", {"imageDetails": []})
    assert hubframe.tags_df(f"{host}/team/app", client=client).empty
    assert asked == [region, endpoint]


def test_without_boto3_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "boto3", None)
    settings = hubframe.Settings(cache_dir=tmp_path, providers={ECR: "ecr"})
    with (
        hubframe.Client(settings) as client,
        pytest.raises(hubframe.HubframeError, match=r"hubframe\[ecr\]"),
    ):
        hubframe.tags_df(f"{ECR}/team/app", client=client)


@pytest.mark.parametrize(("host", "kind"), [("ecr.example", "ecr"), (ECR, "ecr-public")])
def test_hosts_that_are_none_of_aws(tmp_path, host, kind):
    settings = hubframe.Settings(cache_dir=tmp_path, providers={host: kind})
    with (
        hubframe.Client(settings) as client,
        pytest.raises(hubframe.InvalidReferenceError, match="providers"),
    ):
        hubframe.tags_df(f"{host}/team/app", client=client)


def registries(*names):
    aliases = [
        {
            "name": name,
            "status": "ACTIVE",
            "primaryRegistryAlias": False,
            "defaultRegistryAlias": True,
        }
        for name in names
    ]
    registry = {"registryId": ACCOUNT, "registryArn": "a", "registryUri": "b", "verified": False}
    return {"registries": [{**registry, "aliases": aliases}]}


def test_the_gallery_tells_of_your_own_registries(aws):
    stub, client, asked = aws(GALLERY, "ecr-public")
    stub.add_response("describe_registries", registries("acme", "x1y2"))
    detail = {"imageDigest": A, "imageSizeInBytes": 5, "imagePushedAt": PUSHED}
    tag = {"imageTag": "1.0", "createdAt": PUSHED.replace(year=2025), "imageDetail": detail}
    which = {"repositoryName": "team/app", "maxResults": 1000}
    stub.add_response("describe_image_tags", {"imageTagDetails": [tag]}, which)
    tags = hubframe.tags_df(f"{GALLERY}/acme/team/app", client=client)

    assert asked == [("ecr-public", "us-east-1")]
    assert tags.tag.tolist() == ["1.0"]
    assert (tags.digest[0], tags["size"][0]) == (A, 5)
    # When the tag was made, not its image.
    assert tags.pushed_at[0] == pd.Timestamp(PUSHED.replace(year=2025))
    told = {"repositories": [{"repositoryName": "app", "repositoryUri": f"{GALLERY}/acme/app"}]}
    stub.add_response("describe_repositories", told, {"maxResults": 1000})
    repos = hubframe.repos_df(f"{GALLERY}/acme", client=client)
    assert repos.repo.tolist() == [f"{GALLERY}/acme/app"]
    assert (repos.namespace[0], repos.name[0]) == ("acme", "app")
    with pytest.raises(hubframe.NotFoundError, match="your own"):
        hubframe.repos_df(f"{GALLERY}/docker", client=client)


# Downloads of GitHub's packages.


def package(day="2026-11-20", count=1000, **changes):
    return {
        "owner_type": "orgs",
        "package_type": "container",
        "owner": "Acme",
        "repo": "web",
        "package": "web%2FApp",
        "date": day,
        "downloads": "1k",
        "raw_downloads": count,
        "version": [{"id": 1, "name": A, "tags": ["latest"], "raw_downloads": 3}],
        **changes,
    }


def test_downloads_are_pulls_over_time(tmp_path):
    folder = tmp_path / "backage"
    folder.mkdir()
    for number, (day, count) in enumerate((("2026-11-20", 1000), ("2026-11-22", 1300))):
        written_file = json.dumps([package(day, count), package(day, 5, owner="b")])
        (folder / f"{number}.json").write_text(written_file)
    found = hubframe.import_downloads(folder)

    assert found.runs["run"].tolist() == ["backage-2026-11-20", "backage-2026-11-22"]
    assert found.repos.repo.unique().tolist() == ["ghcr.io/acme/web/app", "ghcr.io/b/web/app"]
    assert found.tags.empty
    assert found.repos.tag_count.isna().all()
    pulls = hubframe.pulls_over_time_df(found)
    assert pulls.pulls_per_day.tolist() == [150.0, 0.0]
    written = hubframe.import_downloads(
        [folder / "0.json", package("2026-11-23", 1301)], to=tmp_path / "p"
    )
    assert len(written.repos) == 3
    # What is there already is skipped.
    assert hubframe.import_downloads(folder / "0.json", to=tmp_path / "p").runs.empty
    assert len(hubframe.import_downloads(folder, to=tmp_path / "p").runs) == 1
    read = hubframe.read_snapshots(tmp_path / "p")
    assert len(read.repos) == 5
    assert len(hubframe.pulls_over_time_df(read)) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"package_type": "npm"}, {"date": None}, {"date": "20261120"}, {"date": "soon"},
        {"raw_downloads": None}, {"raw_downloads": "1k"}, {"raw_downloads": -1},
        {"raw_downloads": True}, {"raw_downloads": 1.5}, {"owner": None}, {"package": 3},
        {"package": "a:b"}, {"package": "../x"}, {"owner": "a b"},
    ],
)  # fmt: skip
def test_packages_that_tell_nothing(changes):
    with pytest.raises(hubframe.HubframeError, match="no package"):
        hubframe.import_downloads(package(**changes))


def test_files_that_are_none(tmp_path):
    odd = tmp_path / "odd.json"
    for written in (b"", b"\xff", b"3", b'"x"', b"[" * 100_000):
        odd.write_bytes(written)
        with pytest.raises(hubframe.PayloadError, match=r"odd\.json is no file of backage"):
            hubframe.import_downloads(odd)
    odd.write_text(json.dumps(package()))
    with pytest.raises(hubframe.PayloadError, match="more than 100 bytes"):
        hubframe.import_downloads(odd, max_bytes=100)
    folder = tmp_path / "folder"
    folder.mkdir()
    # A link in a folder that strangers made may lead anywhere.
    (folder / "a.json").symlink_to(odd)
    with pytest.raises(hubframe.NotFoundError, match="holds no file"):
        hubframe.import_downloads(folder)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(hubframe.PayloadError, match="is no file"):
        hubframe.import_downloads(tmp_path / "pipe.json")
    with pytest.raises(hubframe.HubframeError, match="cannot be read"):
        hubframe.import_downloads(tmp_path / "nowhere.json")
    with pytest.raises(TypeError):
        hubframe.import_downloads(3)
    with pytest.raises(TypeError):
        hubframe.import_downloads([3])

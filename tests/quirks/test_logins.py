"""What token servers do differently, a row each: the answers served, and what comes of them."""

import pytest

import hubframe

from .registry import BASIC, REPO, TAGS, USER, Answer, Quirks, refusal

ALL = sorted(TAGS)
GOOD = {"token": "t-1", "access_token": "t-2", "expires_in": 300}
SCOPE = f"repository:{REPO}:pull"
BEARER = 'Bearer realm="http://{host}/token",service="quirks"'
INSUFFICIENT = f'{BEARER},scope="{SCOPE}",error="insufficient_scope"'


def tags(client, host):
    return sorted(hubframe.tags_df(f"{host}/{REPO}", client=client).tag)


def tokens(one):
    return one.registry.asked("/token")


@pytest.mark.parametrize(
    "said",
    [
        {"token": "t-1"},
        {"access_token": "t-2"},
        {"token": "t-1", "access_token": "t-2"},
        {"token": None, "access_token": "t-2"},
        {"token": "", "access_token": "t-2"},
        {"token": "t-1", "expires_in": None},
        {"token": "t-1", "expires_in": "300"},
        {"token": "t-1", "expires_in": 0},
        {"token": "t-1", "expires_in": -7},
        {"token": "t-1", "expires_in": 1e300},
        {"token": "t-1", "expires_in": True},
        {"token": "t-1", "expires_in": 300, "issued_at": None},
        {"token": "t-1", "expires_in": 300, "issued_at": "0001-01-01T00:00:00Z"},
        {"token": "t-1", "expires_in": 300, "issued_at": "2999-01-01T00:00:00Z"},
        {"token": "t-1", "expires_in": 300, "issued_at": 7},
        {"token": "t-1", "refresh_token": {}, "scope": []},
    ],
    ids=str,
)
def test_fields_that_are_missing_or_odd(client, running, said):
    """One token serves the whole call: no answer of these makes it stale at once."""
    one = running(Quirks(token=GOOD, instead={"/token": Answer.of(said)}))

    assert tags(client, one.host) == ALL
    assert len(tokens(one)) == 1
    assert tokens(one)[0].parameter("scope") == SCOPE


@pytest.mark.parametrize(
    "answer",
    [
        Answer.of({}),
        Answer.of({"token": None}),
        Answer.of({"token": 7}),
        Answer.of({"token": "two\r\nlines"}),
        Answer.of([]),
        Answer(200, {}, b"t-1"),
        Answer(200),
    ],
    ids=lambda answer: answer.body.decode() or "nothing",
)
def test_no_token_in_the_answer(client, running, answer):
    one = running(Quirks(token=GOOD, instead={"/token": answer}))

    with pytest.raises(hubframe.TransportError, match="without a token") as caught:
        tags(client, one.host)
    assert "t-1" not in str(caught.value)


@pytest.mark.parametrize(
    "challenge",
    [
        BEARER,
        'bearer REALM="http://{host}/token"',
        "Bearer realm=http://{host}/token",
        'Negotiate, Bearer realm="http://{host}/token",service="quirks"',
        'Bearer realm="/token",service="quirks"',
        'Bearer realm="http://{host}/token?account=x",service="quirks"',
        INSUFFICIENT,
    ],
)
def test_challenges_that_are_met(client, running, challenge):
    one = running(Quirks(token=GOOD, challenge=challenge))

    assert tags(client, one.host) == ALL
    assert tokens(one)[0].parameter("scope") == SCOPE
    assert tokens(one)[0].parameter("account") == ("x" if "account" in challenge else None)
    assert tokens(one)[0].parameter("service") == ("quirks" if "service" in challenge else None)


@pytest.mark.parametrize("login", [None, USER])
def test_a_token_for_less_is_no_such_thing(client, running, login):
    """Token servers grant less instead of refusing; then the registry refuses."""
    refused = refusal(401, "UNAUTHORIZED", "authentication required")
    one = running(Quirks(token=GOOD))

    def answer(_):
        challenge = {"WWW-Authenticate": INSUFFICIENT.format(host=one.host)}
        return Answer(401, {**refused.headers, **challenge}, refused.body)

    one.registry.quirks = Quirks(token=GOOD, instead={"/tags/list": answer})
    with (
        hubframe.Client(client.settings, {one.host: login} if login else None) as known,
        pytest.raises(hubframe.NotFoundError, match=r"private to you.*authentication required"),
    ):
        tags(known, one.host)
    assert len(tokens(one)) <= 2
    assert len(one.registry.asked("/tags/list")) <= 2


@pytest.mark.parametrize("status", [401, 403])
def test_ghcr_refuses_the_token_itself(client, running, status):
    denied = refusal(status, "DENIED", "requested access to the resource is denied")
    one = running(Quirks(token=GOOD, instead={"/token": denied}))

    with pytest.raises(hubframe.UnauthorizedError, match="no such repository, or it needs a login"):
        tags(client, one.host)


class Turnstile:
    """Gives numbered tokens, and takes none below the least."""

    def __init__(self, status):
        self.status = status
        self.given = 0
        self.least = 1
        self.challenge = ""

    def give(self, _):
        self.given += 1
        return Answer.of({"token": f"t-{self.given}", "expires_in": 43_200})

    def check(self, asked):
        number = int(asked.headers.get("authorization", "Bearer t-0").rpartition("-")[2])
        if number >= self.least:
            return Answer.of({"name": REPO, "tags": []})
        told = {"WWW-Authenticate": self.challenge} if self.status == 401 else {}
        return refusal(self.status, "DENIED", "expired", **told)


ECR_PUBLIC = pytest.param(400, id="ecr public: 400 and no challenge")


@pytest.mark.parametrize("status", [401, ECR_PUBLIC])
def test_a_token_that_expired_before_its_time_is_renewed_once(client, running, status):
    turnstile = Turnstile(status)
    turned = {"/token": turnstile.give, "/tags/list": turnstile.check}
    one = running(Quirks(token=GOOD, instead=turned))
    turnstile.challenge = BEARER.format(host=one.host)

    with hubframe.refresh():
        assert tags(client, one.host) == []
        turnstile.least = 2
        assert tags(client, one.host) == []
    assert turnstile.given == 2


def test_the_pings_challenge_serves_where_others_have_none(client, running):
    """gcr.io leaves it out of the answers to real requests."""
    one = running(Quirks(token=GOOD))
    bare = refusal(401, "UNAUTHORIZED")

    def answer(asked):
        is_known = asked.headers.get("authorization") == "Bearer t-1"
        return None if is_known else bare

    one.registry.quirks = Quirks(token=GOOD, instead={"/tags/": answer, "/manifests/": answer})
    assert tags(client, one.host) == ALL


def test_basic_and_nothing_else(client, running):
    one = running(Quirks(token={}, challenge='Basic realm="quirks"'))

    with pytest.raises(hubframe.UnauthorizedError, match="needs a login"):
        tags(client, one.host)
    with hubframe.Client(client.settings, {one.host: USER}) as known:
        assert tags(known, one.host) == ALL
    assert tokens(one) == []
    sent = [asked.headers.get("authorization") for asked in one.registry.asked("/tags/")]
    assert sent == [None, BASIC]

"""Challenges that ask for something else than was expected, and what becomes of logins then."""

import json

import pytest

import hubframe

from .registry import BASIC, DOCUMENTS, REPO, TAGS, USER, Answer, Quirks, listening, refusal

ALL = sorted(TAGS)
PULL = f"repository:{REPO}:pull"
BEARER = 'Bearer realm="http://{host}/token",service="quirks"'


class Registry:
    """Answers each request by functions of its path; a token server gives a token per scope."""

    def __init__(self, **answers):
        self.answers = answers
        self.log = []
        self.host = ""

    def __call__(self, asked):
        self.log.append(asked)
        for part, answer in self.answers.items():
            if part in asked.path:
                return answer(asked) if callable(answer) else answer
        if asked.path == "/token":
            number = len(self.asked("/token"))
            return Answer.of({"token": f"{number}-for_{asked.parameter('scope')}"})
        return served(asked)

    def asked(self, part):
        return [one for one in self.log if part in one.target]

    def scopes(self):
        return [one.parameter("scope") for one in self.asked("/token")]


def served(asked):
    """Answer as a registry does that lets everybody in."""
    if asked.path == "/v2/":
        return Answer.of({})
    last = asked.path.rpartition("/")[2]
    if last == "list":
        return Answer.of({"name": REPO, "tags": list(TAGS)})
    media_type, body = DOCUMENTS.bodies[DOCUMENTS.tags.get(last, last)]
    digest = DOCUMENTS.tags.get(last, last)
    return Answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, body)


def guarded(registry, scope, answer=served, challenge=BEARER):
    """Let in whoever has a token for a scope; name the scope in the challenge."""

    def answering(asked):
        if asked.headers.get("authorization", "").endswith(f"-for_{scope}"):
            return answer(asked)
        text = challenge.format(host=registry.host) + f',scope="{scope}"'
        return refusal(401, "UNAUTHORIZED", **{"WWW-Authenticate": text})

    return answering


@pytest.fixture
def run():
    """Run registries until the test is over."""
    running = []

    def start(registry):
        server = listening(registry)
        registry.host = server.__enter__()
        running.append(server)
        return registry

    yield start
    for server in running:
        server.__exit__(None, None, None)


def tags(client, registry):
    return sorted(hubframe.tags_df(f"{registry.host}/{REPO}", client=client).tag)


@pytest.mark.parametrize(
    "scope",
    [f"repository:{REPO}:metadata_read", "repository:inner/app:pull", "registry:catalog:*"],
)
def test_the_scope_that_the_challenge_names_is_asked_for_once(run, client, scope):
    one = run(Registry())
    one.answers["/tags/"] = guarded(one, scope)
    one.answers["/v2/"] = guarded(one, PULL)

    assert tags(client, one) == ALL
    with hubframe.refresh():
        assert tags(client, one) == ALL
    assert sorted(one.scopes()) == sorted([PULL, scope])


def test_a_scope_that_opens_nothing_is_asked_for_once(run, client):
    one = run(Registry())
    one.answers["/v2/"] = guarded(one, "repository:other:pull", lambda _: refusal(401, "DENIED"))

    with pytest.raises(hubframe.HubframeError):
        tags(client, one)
    assert one.scopes().count("repository:other:pull") == 1


@pytest.mark.parametrize(("status", "login"), [(401, False), (403, False), (403, True)])
def test_a_token_server_may_know_only_the_scope_that_the_challenge_names(
    run, client, status, login
):
    """As where a vanity host stands before GHCR, which has no repository of that name."""
    one = run(Registry())

    def token(asked):
        scope = asked.parameter("scope")
        is_known = scope == "repository:inner/app:pull"
        return Answer.of({"token": f"1-for_{scope}"}) if is_known else refusal(status, "DENIED")

    one.answers = {"/token": token, "/v2/": guarded(one, "repository:inner/app:pull")}
    with hubframe.Client(client.settings, {one.host: USER} if login else False) as asking:
        assert tags(asking, one) == ALL
    assert one.scopes().count("repository:inner/app:pull") == 1


def test_what_is_open_stays_so_beside_what_nobody_may_see(run, client):
    """As where a registry asks for tokens of private repositories alone."""
    one = run(Registry())
    one.answers = {
        "/token": refusal(403, "DENIED"),
        "/v2/private/": guarded(one, "repository:private/app:pull"),
    }
    with pytest.raises(hubframe.UnauthorizedError):
        hubframe.tags_df(f"{one.host}/private/app", client=client)
    assert tags(client, one) == ALL


@pytest.mark.parametrize(
    "challenge",
    [
        f'Basic realm="r", {BEARER}',
        f'Bearer error="invalid_token", {BEARER}',
        f'Bearer realm="ftp://registry.example/token", {BEARER}',
        f'Negotiate, Basic realm="Bearer", {BEARER}',
        f'Basic realm="r"\r\nWWW-Authenticate: {BEARER}',
    ],
)
def test_without_a_login_the_challenge_that_can_be_met_is_taken(run, client, challenge):
    one = run(Registry())
    one.answers["/v2/"] = guarded(one, PULL, challenge=challenge)

    assert tags(client, one) == ALL


@pytest.mark.parametrize(
    "challenge", ['Basic realm="r", {bearer}', 'Bearer error="none", Basic realm="r"']
)
def test_with_a_login_the_first_challenge_that_can_be_met_is_taken(run, client, challenge):
    one = run(Registry())

    def answering(asked):
        if asked.headers.get("authorization") == BASIC:
            return served(asked)
        named = challenge.format(bearer=BEARER.format(host=one.host))
        return refusal(401, "UNAUTHORIZED", **{"WWW-Authenticate": named})

    one.answers["/v2/"] = answering
    with hubframe.Client(client.settings, {one.host: USER}) as known:
        assert tags(known, one) == ALL
    assert one.scopes() == []


def test_an_identity_token_is_for_the_token_server_whatever_comes_first(run, client, monkeypatch):
    one = run(Registry())
    one.answers["/v2/"] = guarded(one, PULL, challenge=f'Basic realm="r", {BEARER}')
    one.answers["/token"] = lambda asked: Answer.of({"access_token": f"{asked.method}-for_{PULL}"})
    login = {"auths": {one.host: {"identitytoken": "identity-token-1"}}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(login))
    with hubframe.Client(client.settings) as known:
        assert tags(known, one) == ALL
    assert {asked.method for asked in one.asked("/token")} == {"POST"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/token/?{query}", "http://{host}/v3/token?{query}"])
def test_a_token_server_is_followed_on_its_own_host(run, client, status, location):
    one = run(Registry())

    def token(asked):
        if asked.path == "/token":
            query = asked.target.partition("?")[2]
            return Answer(status, {"Location": location.format(host=one.host, query=query)})
        assert asked.headers["authorization"] == BASIC
        return Answer.of({"token": f"1-for_{asked.parameter('scope')}"})

    one.answers = {"/token": token, "/v2/": guarded(one, PULL)}
    with hubframe.Client(client.settings, {one.host: USER}) as known:
        assert tags(known, one) == ALL


@pytest.mark.parametrize("login", [True, False])
def test_a_token_server_is_not_followed_to_another_host(run, client, login):
    other, one = run(Registry()), run(Registry())
    there = Answer(307, {"Location": f"http://{other.host}/token"})
    one.answers = {"/token": there, "/v2/": guarded(one, PULL)}
    credentials = {one.host: USER} if login else False
    with (
        hubframe.Client(client.settings, credentials) as known,
        pytest.raises(hubframe.TransportError, match="not followed: no credentials go there"),
    ):
        tags(known, one)
    assert other.log == []


@pytest.mark.parametrize("login", [True, False])
@pytest.mark.parametrize(
    "realm", ["http://{host}/token", "http://127.0.0.1/token", "http://127.0.0.1:8080/token"]
)
def test_a_realm_of_the_host_itself_is_asked_by_https(  # noqa: PLR0913, PLR0917
    client, encrypted, authority, proxied, monkeypatch, login, realm
):
    """Whoever stands behind a proxy that ends TLS knows nothing of it."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    challenge = BEARER.replace("http://{host}/token", realm).replace("127.0.0.1", "registry.test")
    encrypted.quirks = Quirks(token={"token": "t-1"}, challenge=challenge)
    proxied({"registry.test:443": encrypted.host})
    encrypted.host = "registry.test"

    with hubframe.Client(client.settings, {"registry.test": USER} if login else False) as known:
        told = hubframe.tags_df(f"registry.test/{REPO}", client=known)
    assert sorted(told.tag) == ALL
    sent = [one.headers.get("authorization") for one in encrypted.asked("/token")]
    assert sent == [BASIC if login else None]


@pytest.mark.parametrize("host", ["registry.test", "registry.test:80", "registry.test:8080"])
@pytest.mark.parametrize("part", ["/tags/", "/manifests/", "/blobs/"])
def test_a_redirect_to_the_host_itself_is_followed_by_https(  # noqa: PLR0913, PLR0917
    client, encrypted, authority, proxied, monkeypatch, part, host
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    proxied({"registry.test:443": encrypted.host})

    def away(asked):
        if "inner=1" in asked.target:
            return None
        path, _, query = asked.target.partition("?")
        return Answer(307, {"Location": f"http://{host}{path}?inner=1&{query}"})

    encrypted.quirks = Quirks(instead={part: away})
    told = hubframe.labels_df(f"registry.test/{REPO}", client=client)
    assert sorted(told.tag) == ALL
    assert encrypted.asked("inner=1")


@pytest.mark.parametrize("login", [True, False])
def test_another_registry_is_met_with_its_own_login(run, client, login):
    """As lscr.io does, and other names for a registry of somebody else."""
    home, vanity = run(Registry()), run(Registry())
    home.answers["/v2/"] = guarded(home, PULL)

    def away(asked):
        return Answer(307, {"Location": f"http://{home.host}{asked.target}"})

    home.answers = {
        "/_catalog": guarded(
            home, "registry:catalog:*", lambda _: Answer.of({"repositories": [REPO]})
        ),
        **home.answers,
    }
    vanity.answers = {"/manifests/": away, "/blobs/": away, "/tags/": away, "/_catalog": away}
    credentials = {home.host: USER, vanity.host: ("else", "other-secret")} if login else False
    with hubframe.Client(client.settings, credentials) as known:
        assert tags(known, vanity) == ALL
        labels = hubframe.labels_df(f"{vanity.host}/{REPO}:2.0", client=known)
        assert labels.value.tolist() == ["2.0"]
        assert hubframe.catalog_df(vanity.host, client=known).repo.tolist() == [
            f"{vanity.host}/{REPO}"
        ]

    sent = {one.headers.get("authorization") for one in home.log}
    assert {text for text in sent if text and "-for_" not in text} == ({BASIC} if login else set())
    assert not any("authorization" in one.headers for one in vanity.log)


def test_what_another_login_opened_is_served_to_nobody_else(run, client):
    home, vanity = run(Registry()), run(Registry())

    def private(asked):
        if asked.headers.get("authorization") == BASIC:
            return served(asked)
        return refusal(401, "UNAUTHORIZED", **{"WWW-Authenticate": 'Basic realm="r"'})

    home.answers = {"/v2/": private}
    vanity.answers = {
        "/manifests/": lambda asked: Answer(307, {"Location": f"http://{home.host}{asked.target}"}),
        "/tags/": lambda asked: Answer(307, {"Location": f"http://{home.host}{asked.target}"}),
    }
    with hubframe.Client(client.settings, {home.host: USER}) as known:
        assert tags(known, vanity) == ALL

    with pytest.raises(hubframe.HubframeError):
        tags(client, vanity)


@pytest.mark.parametrize("status", [401, 405, 500, 501, 503])
def test_what_refuses_head_is_read_by_get(run, client, sleeps, status):
    one = run(Registry())

    def manifests(asked):
        return Answer(status) if asked.method == "HEAD" else served(asked)

    one.answers = {"/manifests/": manifests}
    told = hubframe.tags_df(f"{one.host}/{REPO}", client=client)

    assert dict(zip(told.tag, told.digest, strict=True)) == DOCUMENTS.tags
    assert len(sleeps) <= 5 * len(TAGS)


@pytest.mark.parametrize("status", [401, 400])
def test_a_token_that_expires_in_the_middle_of_paging_is_renewed(run, client, status):
    one, refused = run(Registry()), []

    def listed(asked):
        if not asked.parameter("last"):
            return Answer.of({"tags": ALL[:4]}, Link=f'<{asked.path}?n=4&last=4>; rel="next"')
        if asked.headers["authorization"].startswith("Bearer 1-"):
            refused.append(asked)
            named = {"WWW-Authenticate": BEARER.format(host=one.host)} if status == 401 else {}
            return refusal(status, "DENIED", "Your authorization token has expired", **named)
        return Answer.of({"tags": ALL[4:]})

    one.answers["/tags/"] = guarded(one, PULL, listed)
    one.answers["/v2/"] = guarded(one, PULL)
    assert tags(client, one) == ALL
    assert len(refused) == 1


def test_tokens_of_very_many_repositories_are_not_all_remembered(run, client):
    one = run(Registry())
    one.answers["/v2/"] = lambda asked: guarded(one, _scope(asked))(asked)
    registry = client.registry(one.host)
    for number in range(1100):
        registry.tags(f"team/app{number}")
    asked = len(one.scopes())
    with hubframe.refresh():
        registry.tags("team/app1099")
        assert len(one.scopes()) == asked
        registry.tags("team/app0")
        assert len(one.scopes()) == asked + 1


def _scope(asked):
    path = asked.path.removeprefix("/v2/").partition("/tags")[0]
    return f"repository:{path}:pull" if path else ""


@pytest.mark.parametrize("sent", ["absolute", "relative", "inner host", "inner path"])
def test_a_list_that_was_redirected_goes_on_where_it_was_found(run, client, sent):
    """As registry.k8s.io does, and proxies before Nexus and Harbor."""
    back, front = run(Registry()), run(Registry())
    inner = "/v2/prod/images/app/tags/list"

    def listed(asked):
        if asked.parameter("last"):
            return Answer.of({"tags": ALL[4:]})
        link = {
            "absolute": f"http://{back.host}{inner}",
            "relative": inner,
            "inner host": f"https://registry.internal:5443{inner}",
            "inner path": f"/repository/docker{inner}",
        }[sent]
        return Answer.of({"tags": ALL[:4]}, Link=f'<{link}?n=4&last=4>; rel="next"')

    back.answers = {inner: listed}
    front.answers = {
        "/tags/list": lambda asked: Answer(
            307, {"Location": f"http://{back.host}{inner}?{asked.target.partition('?')[2]}"}
        )
    }
    with hubframe.Client(client.settings, {front.host: USER}) as known:
        assert tags(known, front) == ALL
        with hubframe.offline():
            assert tags(known, front) == ALL
    assert not any("authorization" in one.headers for one in back.log)


def test_another_registrys_refusal_is_no_limit_of_docker_hub(run, client, sleeps):
    headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600"}
    one = run(Registry())
    left = [Answer(429, headers), Answer(429, headers)]
    one.answers = {"/manifests/": lambda asked: left.pop() if left else served(asked)}

    told = hubframe.tags_df(f"{one.host}/{REPO}", client=client)
    assert sorted(told.tag) == ALL
    left += [Answer(429, headers)] * 100
    with hubframe.refresh(), pytest.raises(hubframe.RateLimitError) as caught:
        hubframe.tags_df(f"{one.host}/{REPO}:2.0", client=client)
    assert caught.value.limit != "pull"
    assert sleeps

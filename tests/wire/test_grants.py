"""What a registry is shown of a login: tokens of several kinds, Basic, and for which repository."""

import base64
import json
import logging
import os
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

import hubframe
from hubframe.testing import Fault, Reply, Request
from hubframe.testing.message import Headers

from .conftest import LOGIN, held_by
from .test_credentials import docker_config, encoded
from .test_helpers import Bin

HUB_KEY = "https://index.docker.io/v1/"
IDENTITY = "identity+token/with=signs"


@pytest.fixture
def private(bundled):
    """The name of a repository that only acme's account sees."""
    return next(each.path for each in bundled.of_host("docker.io") if each.readable_by(LOGIN[0])
                and each.is_private)  # fmt: skip


@pytest.fixture
def programs(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Bin(folder)


def basic(username, secret):
    return f"Basic {base64.b64encode(f'{username}:{secret}'.encode()).decode()}"


class TokenServer:
    """Gives tokens for one identity token: to the form, to Basic, or to both."""

    def __init__(self, stage, *, form=None, with_basic=None):
        self.stage = stage
        self.form = form
        self.with_basic = with_basic
        self.forms = []
        self.pairs = []
        self.tokens = []
        # The Hub's login ends in the same word.
        fault = Fault(lambda request: request.path == "/token", self.answer)
        stage.application.faults.append(fault)

    def answer(self, request):
        if request.method == "POST":
            return self.to_form(request)
        self.pairs.append(request.headers.value("Authorization"))
        if self.with_basic != self.pairs[-1]:
            return Reply.of_json({"details": f"no: {IDENTITY}"}, 401)
        return self.granted(dict(request.parameters))

    def to_form(self, request):
        fields = parse_qs(request.body.decode(), strict_parsing=True)
        self.forms.append(fields)
        assert request.headers.value("Content-Type") == "application/x-www-form-urlencoded"
        assert "Authorization" not in request.headers
        if self.form is not None:
            return Reply.of_json({"error": "invalid", "error_description": IDENTITY}, self.form)
        if fields["refresh_token"] != [IDENTITY]:
            return Reply.of_json({"error": "invalid_grant"}, 401)
        return self.granted({name: value for name, (value,) in fields.items()})

    def granted(self, asked):
        """What the sample itself grants the account."""
        url = f"{self.stage.served.registry_url}/token?scope={asked['scope']}"
        real = self.stage.real_answer(
            Request("GET", url, Headers({"Authorization": basic(*LOGIN)})), "docker.io"
        )
        token = json.loads(real.body)["token"]
        self.tokens.append(token)
        return Reply.of_json({"access_token": token, "expires_in": 300, "refresh_token": "other"})


def read(client, repo, count=1):
    assert len(hubframe.tags_df(repo, source="registry", client=client)) >= count


def test_an_identity_token_is_posted(home, stage, private):
    docker_config(home, {"auths": {HUB_KEY: {**encoded("me", ""), "identitytoken": IDENTITY}}})
    server = TokenServer(stage)
    read(stage.client(), private)

    assert server.forms[0] == {
        "grant_type": ["refresh_token"],
        "refresh_token": [IDENTITY],
        "client_id": ["hubframe"],
        "service": ["registry.docker.io"],
        "scope": [f"repository:{private}:pull"],
    }
    assert len(server.forms) == 1
    assert server.pairs == []


def test_a_helpers_identity_token_is_posted(home, stage, private, programs):
    docker_config(home, {"credsStore": "test"})
    programs.answers("test", "<token>", IDENTITY)
    server = TokenServer(stage)
    read(stage.client(), private)

    assert len(server.forms) == 1
    assert len(programs.calls("test")) == 1


@pytest.mark.parametrize("status", [404, 401, 400, 405])
def test_where_nothing_can_be_posted_the_token_is_a_password(home, stage, private, status):
    docker_config(home, {"auths": {HUB_KEY: {**encoded("me", ""), "identitytoken": IDENTITY}}})
    server = TokenServer(stage, form=status, with_basic=basic("me", IDENTITY))
    client = stage.client()
    read(client, private)
    read(client, "library/alpine")

    assert len(server.forms) == 1, "it is not tried again"
    assert server.pairs == [basic("me", IDENTITY)] * 2


def test_a_password_beside_an_identity_token_is_the_password(home, stage, private):
    docker_config(home, {"auths": {HUB_KEY: {**encoded(*LOGIN), "identitytoken": IDENTITY}}})
    server = TokenServer(stage, form=404, with_basic=basic(*LOGIN))
    client = stage.client()
    read(client, private)

    assert server.pairs == [basic(*LOGIN)]
    assert private in set(hubframe.repos_df("acme", client=client).repo), "and logs in to the Hub"


@pytest.mark.parametrize("status", [403, 429, 500])
def test_other_refusals_of_the_form_are_final(home, stage, private, status):
    docker_config(home, {"auths": {HUB_KEY: {"identitytoken": IDENTITY}}})
    server = TokenServer(stage, form=status, with_basic=basic("", IDENTITY))

    with pytest.raises(hubframe.HubframeError) as caught:
        read(stage.client(), private)
    assert server.pairs == []
    assert IDENTITY not in str(caught.value)


@pytest.mark.parametrize("form", [401, 404])
def test_an_identity_token_that_is_refused_is_refused_once(home, stage, private, form):
    docker_config(home, {"auths": {HUB_KEY: {**encoded("me", ""), "identitytoken": IDENTITY}}})
    server = TokenServer(stage, form=form)
    client = stage.client()

    for repo in (private, "library/alpine"):
        with pytest.raises(hubframe.UnauthorizedError) as caught:
            read(client, repo)
        assert "refused the credentials from ~/.docker/config.json (docker.io)" in str(caught.value)
        assert "Client(credentials=False)" in str(caught.value)
        assert IDENTITY not in str(caught.value)
    assert (len(server.forms), len(server.pairs)) == (1, 1)


def test_a_server_that_takes_forms_alone_says_what_is_wrong(home, stage, private):
    docker_config(home, {"auths": {HUB_KEY: {**encoded("me", ""), "identitytoken": IDENTITY}}})
    stage.fail("/token?", 405)
    TokenServer(stage, form=401)

    with pytest.raises(hubframe.UnauthorizedError, match="refused the credentials from"):
        read(stage.client(), private)


def test_an_identity_token_does_not_log_in_to_the_hub_api(home, stage, private):
    docker_config(home, {"auths": {HUB_KEY: {"identitytoken": IDENTITY}}})

    assert private not in set(hubframe.repos_df("acme", client=stage.client()).repo)
    assert stage.count("/v2/auth/token") == 0


def test_a_login_of_a_file_logs_in_to_the_hub_api(home, stage, private):
    docker_config(home, {"auths": {HUB_KEY: encoded(*LOGIN)}})

    assert private in set(hubframe.repos_df("acme", client=stage.client()).repo)


def test_a_wrong_login_of_a_file_is_named(home, stage):
    docker_config(home, {"auths": {HUB_KEY: encoded(LOGIN[0], "hunter2-wrong")}})

    with pytest.raises(hubframe.UnauthorizedError) as caught:
        hubframe.repos_df("acme", client=stage.client())
    assert "~/.docker/config.json (docker.io)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


# Registry tokens


def registry_token(stage, repo):
    url = f"{stage.served.registry_url}/token?scope=repository:{repo}:pull"
    asked = Request("GET", url, Headers({"Authorization": basic(*LOGIN)}))
    return json.loads(stage.real_answer(asked, "docker.io").body)["token"]


def test_a_registry_token_is_used_as_it_is(home, stage, private):
    token = registry_token(stage, private)
    docker_config(home, {"auths": {HUB_KEY: {"registrytoken": token}}})
    read(stage.client(), private)

    assert stage.count("/token") == 0


def test_a_registry_token_that_is_refused_is_named(home, stage, private):
    docker_config(home, {"auths": {HUB_KEY: {"registrytoken": "old-bearer-token"}}})

    with pytest.raises(hubframe.UnauthorizedError) as caught:
        read(stage.client(), private)
    assert "refused the credentials from ~/.docker/config.json (docker.io)" in str(caught.value)
    assert private in str(caught.value)
    assert "old-bearer-token" not in str(caught.value)
    assert stage.count("/token") == 0
    assert stage.count("/tags/list") == 1


def test_a_registry_that_challenges_late_is_shown_the_token_then(home, stage, private):
    token = registry_token(stage, private)
    docker_config(home, {"auths": {HUB_KEY: {"registrytoken": token}}})
    stage.fail("/v2/", Reply.of_json({}), times=1)  # the ping

    read(stage.client(), private)
    assert stage.count("/token") == 0


# Basic


class BasicRegistry:
    """Takes some logins, and notes which were sent for which address."""

    def __init__(self, stage, *pairs):
        self.pairs = {basic(*pair): pair[0] for pair in pairs}
        self.sent = []
        self.host = stage.served.example_host
        stage.fail("/v2/", self.answer)

    def answer(self, request):
        value = request.headers.value("Authorization")
        if value:
            self.sent.append((request.path, base64.b64decode(value[6:]).decode().partition(":")[0]))
        if value not in self.pairs:
            return Reply(401, {"WWW-Authenticate": 'Basic realm="r"'})
        if "secret-of-others" in request.path:
            return Reply(401, {"WWW-Authenticate": 'Basic realm="r"'})
        return Reply.of_json({"name": "x", "tags": ["1"], "repositories": []})


def tags(client, host, path):
    names = client.registry(host).tags(path)
    # Public functions do so at their end.
    client.store.flush()
    return names


@pytest.mark.parametrize("secret", ["x" * 4000, '{\n "private_key": "ä:b\\n"\n}\n'])
@pytest.mark.parametrize("username", ["AWS", "_json_key", "oauth2accesstoken", "org+robot"])
def test_special_users_are_plain_basic(home, stage, username, secret):
    registry = BasicRegistry(stage, (username, secret))
    docker_config(home, {"auths": {registry.host: encoded(username, secret)}})

    assert tags(stage.client(), registry.host, "x") == ["1"]
    assert tags(stage.client({registry.host: (username, secret)}), registry.host, "x") == ["1"]


def test_a_wrong_basic_login_is_sent_once(home, stage, at_once):
    registry = BasicRegistry(stage, LOGIN)
    docker_config(home, {"auths": {registry.host: encoded(LOGIN[0], "hunter2-wrong")}})
    client = stage.client()

    def ask():
        with pytest.raises(hubframe.UnauthorizedError) as caught:
            tags(client, registry.host, "x")
        assert f"~/.docker/config.json ({registry.host})" in str(caught.value)
        assert "hunter2" not in str(caught.value)

    at_once(ask)
    ask()
    assert len(registry.sent) == 1


def test_a_basic_login_is_tried_once_by_a_ping(stage):
    registry = BasicRegistry(stage, LOGIN)
    client = stage.client({registry.host: LOGIN})
    for path in ("x", "y"):
        tags(client, registry.host, path)

    assert [path for path, _ in registry.sent] == ["/v2/", "/v2/x/tags/list", "/v2/y/tags/list"]


def test_a_repository_that_basic_does_not_open_spoils_no_other(stage):
    registry = BasicRegistry(stage, LOGIN)
    client = stage.client({registry.host: LOGIN})

    with pytest.raises(hubframe.UnauthorizedError):
        tags(client, registry.host, "secret-of-others")
    assert tags(client, registry.host, "x") == ["1"]


def test_basic_without_a_login_asks_for_one_and_does_not_loop(stage):
    registry = BasicRegistry(stage, LOGIN)

    with pytest.raises(hubframe.UnauthorizedError, match="needs a login"):
        tags(stage.client(), registry.host, "x")
    assert stage.count("/v2/") == 2  # the ping, and the request


def test_an_identity_token_serves_basic_as_a_password(home, stage):
    registry = BasicRegistry(stage, ("me", IDENTITY))
    docker_config(
        home, {"auths": {registry.host: {**encoded("me", ""), "identitytoken": IDENTITY}}}
    )

    assert tags(stage.client(), registry.host, "x") == ["1"]


# Namespaces


@pytest.fixture
def namespaces(home, stage):
    """A registry, and a file with a login for it, and for two namespaces in it."""
    registry = BasicRegistry(stage, ("host", "1"), ("a", "2"), ("ab", "3"))
    host = registry.host
    entries = {host: ("host", "1"), f"{host}/a": ("a", "2"), f"{host}/a/b": ("ab", "3")}
    docker_config(home, {"auths": {name: encoded(*pair) for name, pair in entries.items()}})
    return registry


def test_each_namespace_is_asked_with_its_own_login(stage, namespaces):
    client = stage.client()
    for path in ("x", "a/x", "a/b/x"):
        tags(client, namespaces.host, path)
    client.registry(namespaces.host).catalog()

    assert {path: user for path, user in namespaces.sent if path != "/v2/"} == {
        "/v2/_catalog": "host",
        "/v2/x/tags/list": "host",
        "/v2/a/x/tags/list": "a",
        "/v2/a/b/x/tags/list": "ab",
    }


def test_a_refusal_names_the_namespace(home, stage, namespaces):
    host = namespaces.host
    entries = {host: encoded("host", "1"), f"{host}/a": encoded("a", "hunter2")}
    docker_config(home, {"auths": entries})
    client = stage.client()

    with pytest.raises(hubframe.UnauthorizedError) as caught:
        tags(client, host, "a/x")
    assert f"~/.docker/config.json ({host}/a)" in str(caught.value)
    assert tags(client, host, "x") == ["1"], "the other login is not spoilt"


def test_what_is_held_for_one_login_does_not_serve_another(home, stage, namespaces):
    host = namespaces.host
    tags(stage.client(), host, "a/x")
    docker_config(home, {"auths": {host: encoded("host", "1")}})
    with hubframe.offline(), pytest.raises(hubframe.NotCachedError):
        tags(stage.client(), host, "a/x")

    docker_config(home, {"auths": {f"{host}/a": encoded("a", "2")}})
    with hubframe.offline():
        assert tags(stage.client(), host, "a/x") == ["1"]


def test_tokens_are_fetched_with_the_login_of_their_repository(home, stage, private):
    namespace = private.partition("/")[0]
    docker_config(home, {"auths": {f"docker.io/{namespace}": encoded(*LOGIN)}})
    client = stage.client()
    read(client, private)
    read(client, "library/alpine")

    asked = {
        parse_qsl(urlsplit(each.path_and_query).query)[-1][1]: each.authorized
        for each in stage.asked("/token")
    }
    assert asked == {
        f"repository:{private}:pull": True,
        "repository:library/alpine:pull": False,
    }


# Where logins are not sent


# What is kept and shown


def test_no_secret_is_kept_or_shown(home, stage, private, programs, caplog):
    caplog.set_level(logging.DEBUG)
    docker_config(home, {"credsStore": "test"})
    programs.answers("test", "<token>", IDENTITY)
    server = TokenServer(stage, form=404, with_basic=basic("", IDENTITY))
    client = stage.client()
    read(client, private)
    hubframe.labels_df(private, source="registry", client=client)

    shown = held_by(client)
    assert any(type(one).__name__ == "Token" for one in shown)
    secrets = {IDENTITY, basic("", IDENTITY).partition(" ")[2], *server.tokens}
    text = caplog.text + "".join(map(repr, shown))
    held = b"".join(path.read_bytes() for path in stage.folder.rglob("*") if path.is_file())
    assert private in caplog.text
    assert held
    assert server.tokens
    for secret in secrets:
        assert secret not in text
        assert secret.encode() not in held
    assert server.pairs

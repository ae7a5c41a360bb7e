"""A registry's logins: challenges, tokens, Basic, and where they are never sent."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

import hubframe
from hubframe.testing import Fault, Reply
from hubframe.wire.challenges import parse_challenges, scope_of

from .conftest import LOGIN

IMAGE = "library/alpine"


def configs(client, what=f"{IMAGE}:latest", **how):
    return hubframe.configs_df(what, source="registry", client=client, **how)


def tokens(stage):
    """Count the tokens fetched, without the one for the image that tells the pull limit."""
    return stage.count("/token") - stage.count("ratelimitpreview%2Ftest%3Apull")


def challenge(text, status=401):
    return Reply(status, {"WWW-Authenticate": text})


def pinged(stage, text):
    """Answer the ping with a challenge of the test's own."""
    stage.fail("/v2/", challenge(text), times=1)


def test_one_token_of_a_scope_serves_all_threads(stage, at_once):
    client = stage.client()
    at_once(lambda: configs(client))

    assert tokens(stage) == 1
    assert "scope=repository%3Alibrary%2Falpine%3Apull" in stage.asked("/token")[0].path_and_query
    assert [each.path_and_query for each in stage.asked("/v2/")].count("/v2/") == 1


def test_each_repository_has_its_own_token(stage):
    client = stage.client()
    configs(client)
    configs(client, "library/python:latest")

    assert tokens(stage) == 2


@pytest.mark.parametrize(("told", "enough", "too_long"), [(300, 290, 296), (10, 50, 56)])
def test_a_token_is_renewed_shortly_before_it_expires(stage, later, told, enough, too_long):
    """The least is a minute, whatever a registry says."""
    stage.fail("/token", lambda request: _token(stage, request, expires_in=told))
    client = stage.client()
    with hubframe.refresh():
        configs(client)
        later(enough)
        configs(client)
        assert stage.count("/token") == 1
        later(too_long)
        configs(client)

    assert stage.count("/token") == 2


def _token(stage, request, *drop, **changes):
    reply = stage.real_answer(request, "docker.io")
    told = {**json.loads(reply.body), **changes}
    return Reply.of_json({name: value for name, value in told.items() if name not in drop})


@pytest.mark.parametrize("drop", [("token",), ("access_token",), ("token", "expires_in")])
def test_either_name_of_the_token_will_do(stage, drop):
    stage.fail("/token", lambda request: _token(stage, request, *drop))

    assert len(configs(stage.client())) == 1


def test_a_token_that_the_registry_forgot_is_renewed_once(stage):
    client = stage.client()
    configs(client)
    stage.application._services["docker.io"].tokens.clear()
    with hubframe.refresh():
        assert len(configs(client)) == 1

    assert tokens(stage) == 2


def test_the_realms_own_query_is_kept(stage):
    realm = f"{stage.served.registry_url}/token?account=me&x="
    pinged(stage, f'Bearer realm="{realm}",service="a b"')
    configs(stage.client())

    asked = parse_qsl(urlsplit(stage.asked("/token")[0].path_and_query).query, True)
    assert asked == [
        ("account", "me"),
        ("x", ""),
        ("service", "a b"),
        ("scope", f"repository:{IMAGE}:pull"),
    ]


def test_a_registry_that_knows_only_basic(stage):
    def answer(request):
        if request.headers.value("Authorization") != "Basic YWNtZS1ib3Q6c2FtcGxlLXBhc3N3b3Jk":
            return challenge('Negotiate, Basic realm="it, really"')
        return Reply.of_json({"name": "x", "tags": ["1", "2"]})

    stage.fail("/v2/", answer)
    host = stage.served.example_host

    with pytest.raises(hubframe.UnauthorizedError, match="needs a login"):
        stage.client().registry(host).tags("x")
    with pytest.raises(hubframe.UnauthorizedError, match=r"refused the credentials from Client"):
        stage.client({host: ("acme-bot", "wrong")}).registry(host).tags("x")
    assert stage.client({host: LOGIN}).registry(host).tags("x") == ["1", "2"]
    assert stage.count("/token") == 0


def test_a_registry_that_answers_pings_but_challenges_the_rest(stage):
    stage.fail("/v2/", lambda request: _if_ping(stage, request))

    assert len(configs(stage.client())) == 1


def _if_ping(stage, request):
    if request.path == "/v2/":
        return Reply.of_json({})
    return stage.real_answer(request, "docker.io")


@pytest.fixture
def encrypted():
    """A client of registries behind https, answered by the sample without a socket."""
    with hubframe.Client(hubframe.Settings(sample=True), LOGIN) as client:
        yield client


def application_of(client):
    return client.exchanges.network.application


def fault(client, part, reply):
    application_of(client).faults.append(Fault(lambda request: part in request.url, reply))


def test_a_realm_without_encryption_gets_no_login(encrypted):
    fault(encrypted, "docker.io/v2/", challenge('Bearer realm="http://auth.docker.io/token"'))

    with pytest.raises(hubframe.TransportError, match="in the clear"):
        configs(encrypted)
    assert not [each for each in application_of(encrypted).log if each.authorized]


@pytest.mark.parametrize("target", ["http://registry.example/x", "ftp://registry.example/x"])
def test_a_redirect_without_encryption_is_not_followed(encrypted, target):
    fault(encrypted, "/tags/list", Reply(307, {"Location": target}))

    with pytest.raises(hubframe.TransportError):
        hubframe.tags_df(IMAGE, source="registry", client=encrypted)
    assert not [each for each in application_of(encrypted).log if "example" in each.host]


@pytest.mark.parametrize("address", ["http://[", "https://host:port/x", "mailto:me"])
def test_a_malformed_address_is_an_error_of_ours(stage, address):
    pinged(stage, f'Bearer realm="{address}"')
    with pytest.raises(hubframe.TransportError, match="malformed"):
        configs(stage.client())

    stage.heal()
    stage.fail("/repositories?", Reply(302, {"Location": address}))
    with pytest.raises(hubframe.TransportError, match="malformed"):
        hubframe.repos_df("acme", client=stage.client())


def test_a_wrong_login_is_refused_by_name_and_sent_once(stage):
    host = stage.served.example_host
    client = stage.client({host: (LOGIN[0], "hunter2-wrong")})
    for path in ("team/app", "team/other"):
        with pytest.raises(hubframe.UnauthorizedError) as caught:
            client.registry(host).tags(path)
        assert host in str(caught.value)
        assert "Client(credentials=…)" in str(caught.value)
        assert "hunter2" not in str(caught.value)

    assert stage.count("/token") == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_to_everybody_asks_for_a_login(stage, status):
    stage.fail("/token", status)

    with pytest.raises(hubframe.UnauthorizedError, match="refused to anonymous users"):
        configs(stage.client())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer realm="r",service="a,b"', ("bearer", {"realm": "r", "service": "a,b"})),
        ('bEARER REALM="a\\"b" , Service=x', ("bearer", {"realm": 'a"b', "service": "x"})),
        ('Negotiate, NTLM abc, Basic realm="x"', ("basic", {"realm": "x"})),
        ('Digest realm="Basic x", Bearer realm="r"', ("bearer", {"realm": "r"})),
        ("Basic", ("basic", {})),
    ],
)
def test_challenges(header, expected):
    (found,) = parse_challenges(header)

    assert (found.scheme, found.parameters) == expected


@pytest.mark.parametrize("header", ["", "Negotiate", '"', "=" * 9000, "Token realm=x"])
def test_no_challenge_to_meet(header):
    assert parse_challenges(header) == []


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://h/v2/", ""),
        ("https://h/v2/_catalog?n=1", "registry:catalog:*"),
        ("https://h/v2/a/manifests/manifests/latest", "repository:a/manifests:pull"),
        ("https://h/v2/a/b/blobs/sha256:00", "repository:a/b:pull"),
        ("https://h/v2/a/tags/list?n=1000", "repository:a:pull"),
    ],
)
def test_scopes(url, scope):
    assert scope_of(url) == scope

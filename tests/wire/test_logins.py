"""Who asks: the Hub's login, what it may see, and that nobody else sees it."""

import base64
import logging
import re
from contextlib import ExitStack

import pandas as pd
import pytest

import hubframe
from hubframe.testing import Application, Reply

from .conftest import LOGIN, Stage, held_by


@pytest.fixture
def private(bundled):
    """The name of a repository that only acme's account sees."""
    return next(
        each.path
        for each in bundled.of_host("docker.io")
        if each.is_private and each.readable_by(LOGIN[0])
    )


def repos(client):
    return set(hubframe.repos_df("acme", client=client).repo)


@pytest.mark.parametrize("order", [(None, LOGIN), (LOGIN, None)])
def test_one_logins_answers_never_serve_another(stage, private, order):
    seen = {}
    for credentials in (*order, *order):
        with hubframe.Client(stage.settings(), credentials) as client:
            seen.setdefault(credentials, []).append(private in repos(client))

    assert seen == {None: [False, False], LOGIN: [True, True]}
    assert stage.count("/v2/namespaces/acme/repositories?") == 2


def test_private_tags_and_labels_need_the_login(stage, private):
    labels = hubframe.labels_df(private, platform="all", client=stage.client(LOGIN))

    with pytest.raises(hubframe.NotFoundError):
        hubframe.labels_df(private, client=stage.client())
    assert labels.attrs["hubframe"]["complete"]


def test_a_wrong_password_is_refused_although_answers_are_held(stage):
    repos(stage.client(LOGIN))

    with pytest.raises(hubframe.UnauthorizedError):
        repos(stage.client((LOGIN[0], "wrong")))
    with pytest.raises(hubframe.NotCachedError), hubframe.offline():
        repos(stage.client((LOGIN[0], "wrong")))


def test_a_refusal_names_the_host_and_where_the_login_comes_from(stage, monkeypatch):
    monkeypatch.setenv("DOCKER_USERNAME", LOGIN[0])
    monkeypatch.setenv("DOCKER_PASSWORD", "hunter2-wrong")

    with pytest.raises(hubframe.UnauthorizedError) as caught:
        repos(stage.client())

    message = str(caught.value)
    assert stage.served.hub_url.removeprefix("http://") in message
    assert "DOCKER_USERNAME and DOCKER_PASSWORD" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_refusal_that_repeats_the_password_is_not_quoted(stage, status):
    stage.fail(
        "/v2/auth/token",
        lambda request: Reply.of_json({"detail": request.body.decode()}, status),
    )

    with pytest.raises(hubframe.HubframeError) as caught:
        repos(stage.client((LOGIN[0], "hunter2-wrong")))

    assert "hunter2" not in str(caught.value)


def test_a_wrong_password_is_sent_once(stage, at_once):
    client = stage.client((LOGIN[0], "wrong"))

    def ask():
        with pytest.raises(hubframe.UnauthorizedError):
            repos(client)

    at_once(ask)
    ask()

    assert stage.count("/v2/auth/token") == 1


def test_the_old_login_serves_where_the_new_one_is_missing(stage_of, bundled, private):
    stage = stage_of(bundled, login_routes=("users/login",))

    assert private in repos(stage.client(LOGIN))
    assert [each.path_and_query for each in stage.asked(method="POST")] == [
        "/v2/auth/token",
        "/v2/users/login",
    ]


def test_one_login_serves_all_threads(stage, at_once):
    client = stage.client(LOGIN)
    at_once(lambda: hubframe.repos_df("acme", client=client))
    with hubframe.refresh():
        hubframe.repos_df("acme", client=client)

    assert stage.count("/v2/auth/token") == 1


def test_the_jwt_is_renewed_before_its_ten_minutes_end(stage, later):
    client = stage.client(LOGIN)
    with hubframe.refresh():
        repos(client)
        later(530)
        repos(client)
        assert stage.count("/v2/auth/token") == 1
        later(550)
        repos(client)

    assert stage.count("/v2/auth/token") == 2
    assert {each.status for each in stage.asked()} == {200}


def test_a_jwt_that_is_refused_is_renewed_once(stage):
    client = stage.client(LOGIN)
    refused = Reply.of_json({"message": "unauthorized", "errinfo": {}}, 401)
    stage.fail("/repositories?", refused, times=1)

    assert repos(client)
    assert stage.count("/v2/auth/token") == 2

    stage.fail("/repositories?", refused)
    with hubframe.refresh(), pytest.raises(hubframe.UnauthorizedError):
        repos(client)
    assert stage.count("/v2/auth/token") == 3


def test_a_login_without_a_token_is_no_usable_answer(stage):
    stage.fail("/v2/auth/token", Reply.of_json({"access_token": ""}))

    with pytest.raises(hubframe.TransportError, match="without a token"):
        repos(stage.client(LOGIN))


class Recorder(Application):
    """Keeps every request's Authorization."""

    def answer(self, request, role=None):
        value = request.headers.value("Authorization")
        self.sent = [*getattr(self, "sent", []), (role, value, request.body.decode())]
        return super().answer(request, role)


@pytest.fixture
def recorded(bundled, private, caplog, tmp_path):
    """Use a login for everything, with all logs on; return what was sent, and the client."""
    caplog.set_level(logging.DEBUG)
    with ExitStack() as stack:
        stage = Stage(stack, Recorder(bundled), tmp_path / "recorded")
        stage.fail("/v2/namespaces/acme", _with_cookie(stage), times=1)
        client = stage.client(LOGIN)
        hubframe.repos_df("acme", client=client)
        hubframe.labels_df(private, client=client)
        hubframe.labels_df(private, source="registry", client=client)
        yield stage, client


def _with_cookie(stage):
    def answer(request):
        cookie = {"Set-Cookie": "session=cookie-secret; Path=/"}
        return stage.real_answer(request).with_headers(cookie)

    return answer


def _secrets(stage):
    values = {value.partition(" ")[2] for _, value, _ in stage.application.sent if value}
    pair = base64.b64encode(":".join(LOGIN).encode()).decode()
    assert pair in values, "the registry's token was asked for with the login"
    assert len(values) >= 3, "a JWT, a pair, and tokens"
    return values | {LOGIN[1], "cookie-secret"}


def test_no_secret_is_in_a_file(recorded):
    stage, _ = recorded
    files = [path for path in stage.folder.rglob("*") if path.is_file()]
    bytes_held = b"".join(path.read_bytes() for path in files)

    assert len(files) >= 2
    assert b"acme" in bytes_held
    for secret in _secrets(stage):
        assert secret.encode() not in bytes_held
        assert base64.b64encode(secret.encode()) not in bytes_held
    assert b"Authorization" not in bytes_held


def test_no_secret_is_in_a_log(recorded, caplog):
    stage, _ = recorded
    records = caplog.get_records("setup")
    text = "\n".join(f"{record.getMessage()} {record.args}" for record in records)

    assert "/v2/namespaces/acme" in text
    for secret in _secrets(stage):
        assert secret not in text


def test_no_secret_is_in_a_repr(recorded):
    stage, client = recorded
    shown = held_by(client)
    assert sum(type(one).__name__ == "Token" for one in shown) >= 2
    for secret in _secrets(stage):
        for each in shown:
            assert secret not in repr(each)
            assert secret not in str(each)


def test_the_jwt_never_reaches_the_registry(recorded):
    stage, _ = recorded
    to_hub = {value for role, value, _ in stage.application.sent if role == "hub" and value}
    to_registry = {value for role, value, _ in stage.application.sent if role != "hub" and value}

    assert to_hub
    assert to_registry
    assert not to_hub & to_registry


class OneHost(Application):
    """Docker Hub's API and a registry at one address, as a mirror may serve them."""

    def answer(self, request, role=None):
        path = r"/token|/v2/|.*/(manifests|blobs)/.*|.*/tags/list"
        role = "docker.io" if re.fullmatch(path, request.path) else "hub"
        return super().answer(request, role)


@pytest.mark.parametrize("credentials", [None, LOGIN])
def test_the_hub_api_and_its_registry_may_be_one_host(bundled, private, tmp_path, credentials):
    with ExitStack() as stack:
        stage = Stage(stack, OneHost(bundled), tmp_path)
        client = stage.client(credentials, registry_url=stage.served.hub_url)
        apart = Stage(stack, Application(bundled), tmp_path / "apart").client(credentials)
        for call in (
            lambda client: hubframe.repos_df("acme", client=client),
            lambda client: hubframe.tags_df("library/alpine", client=client),
            lambda client: hubframe.labels_df("library/alpine", newest=3, client=client),
            lambda client: hubframe.tags_df("acme/web", source="registry", client=client),
        ):
            pd.testing.assert_frame_equal(call(client), call(apart), check_flags=False)
        assert (private in repos(client)) == (credentials is not None)
        # Each API is asked with what it gave, though they have one address.
        assert {each.status for each in stage.asked()} <= {200, 401}
        assert len(stage.asked("/v2/auth/token")) == (1 if credentials else 0)
        assert stage.asked("/token?")

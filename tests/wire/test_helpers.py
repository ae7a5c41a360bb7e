"""Credential helpers, as small programs: what they say, and how they fail."""

import base64
import json
import logging
import os
import shutil
import socket
import sys
from threading import Thread

import pytest

import hubframe
from hubframe.errors import CredentialsError
from hubframe.wire import credential_helpers as helpers
from hubframe.wire.credentials import Credentials

from .conftest import LOGIN
from .test_credentials import docker_config, encoded, shown_by, write

HOST = "registry.example"
HUB_KEY = "https://index.docker.io/v1/"
SECRET = "s3cret-of-the-helper"
NOT_FOUND = "print('credentials not found in native keychain'); sys.exit(1)"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the helpers here are Unix scripts")


class Bin:
    """A folder on PATH, and the helpers in it, which note how they were called."""

    def __init__(self, folder):
        self.folder = folder

    def add(self, name, body):
        path = self.folder / f"docker-credential-{name}"
        log = self.log(name)
        lines = [
            f"#!{sys.executable} -S",
            "import json, os, socket, sys, time",
            "asked = sys.stdin.read()",
            f"open({str(log)!r}, 'a').write(json.dumps([sys.argv[1:], asked]) + chr(10))",
            body,
        ]
        path.write_text("\n".join(lines))
        path.chmod(0o755)

    def answers(self, name, username="from-helper", secret=SECRET):
        answer = {"ServerURL": "any", "Username": username, "Secret": secret}
        self.add(name, f"print(json.dumps({answer!r}))")

    def log(self, name):
        return self.folder / f"{name}.log"

    def calls(self, name):
        log = self.log(name)
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def programs(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return Bin(folder)


@pytest.fixture
def configured(home):
    """A config file that names the helper for the host."""
    return docker_config(home, {"credHelpers": {HOST: "test"}})


def find(registry=HOST, path=""):
    return Credentials().find(registry, path)


@pytest.mark.usefixtures("configured")
def test_a_helper_that_works(programs):
    programs.answers("test")
    login = find()

    assert (login.username, login.secret) == ("from-helper", SECRET)
    assert login.source == "docker-credential-test (~/.docker/config.json)"
    assert programs.calls("test") == [[["get"], HOST]]
    assert SECRET not in repr(login)


@pytest.mark.usefixtures("configured")
def test_an_identity_token(programs):
    programs.answers("test", "<token>")
    login = find()

    assert (login.username, login.secret, login.identity_token) == ("", "", SECRET)


@pytest.mark.parametrize("secret", ['{\n "private_key": "-----BEGIN\\nä\\n"\n}\n', "a:b", " x "])
@pytest.mark.usefixtures("configured")
def test_secrets_arrive_unharmed(programs, secret):
    programs.answers("test", "_json_key", secret)

    assert find().basic == f"Basic {base64.b64encode(f'_json_key:{secret}'.encode()).decode()}"


@pytest.mark.parametrize("key", [HUB_KEY, "docker.io", "index.docker.io"])
def test_docker_hub_is_asked_for_by_its_full_key(home, programs, key):
    docker_config(home, {"credHelpers": {key: "test"}})
    programs.answers("test")

    assert find("docker.io", "library/nginx").username == "from-helper"
    assert programs.calls("test") == [[["get"], HUB_KEY]]


def test_a_hosts_own_helper_wins_over_the_store_and_that_over_entries(home, programs):
    entries = {name: encoded("entry") for name in (HOST, "other.example", f"{HOST}/a")}
    config = {"credHelpers": {HOST: "own"}, "credsStore": "store", "auths": entries}
    docker_config(home, config)
    programs.answers("own", "own")
    programs.answers("store", "store")

    assert find().username == "own"
    assert find(path="a/b").username == "own"
    assert find("other.example").username == "store"
    assert programs.calls("store") == [[["get"], "other.example"]]


def test_a_helper_of_an_earlier_file_wins(home, programs):
    auth_file = home / ".config" / "containers" / "auth.json"
    write(auth_file, {"credHelpers": {HOST: "podman"}})
    docker_config(home, {"auths": {HOST: encoded("docker")}})
    programs.answers("podman", "podman")
    assert find().username == "podman"

    write(auth_file, {"auths": {HOST: encoded("podman")}})
    docker_config(home, {"credsStore": "docker"})
    programs.answers("docker")
    assert find().username == "podman"
    assert programs.calls("docker") == []


@pytest.mark.parametrize(
    "body", [NOT_FOUND, """print('{"ServerURL":"", "Username":"", "Secret":""}')"""]
)
def test_a_helper_that_knows_nobody_passes_on(home, programs, body):
    config = docker_config(home, {"credHelpers": {HOST: "test"}})
    programs.add("test", body)
    assert find() is None

    config.write_text(json.dumps({"credsStore": "test", "auths": {HOST: encoded("entry")}}))
    assert find().username == "entry"


FAILURES = {
    "fails": (f"print('{SECRET}'); sys.exit(3)", "ended with status 3"),
    "fails and says it aside": (
        f"print('{SECRET}', file=sys.stderr); sys.exit(1)",
        "ended with status 1",
    ),
    "finds nothing and ends well": (
        "print('credentials not found in native keychain')",
        "printed something that is no answer",
    ),
    "says nothing": ("", "printed something that is no answer"),
    "no JSON": (f"print('password: {SECRET}')", "no answer"),
    "a list": (f"print('[\"{SECRET}\"]')", "no answer"),
    "no secret": ("""print('{"Username": "me"}')""", "no answer"),
    "an empty secret": ("""print('{"Username": "me", "Secret": ""}')""", "no answer"),
    "a number": (f"""print('{{"Username": "{SECRET}", "Secret": 1}}')""", "no answer"),
    "half a letter": (
        f"""print('{{"Username": "{SECRET}", "Secret": "\\\\ud800"}}')""",
        "no answer",
    ),
    "bytes": (f"sys.stdout.buffer.write(b'\\xff\\xfe{SECRET}')", "no answer"),
    "depth": (f"print('[' * 100_000 + '{SECRET}')", "no answer"),
    "no end": (f"while True: print('{SECRET}')", "ended with status"),
}


@pytest.mark.parametrize(("body", "said"), FAILURES.values(), ids=FAILURES)
@pytest.mark.usefixtures("configured")
def test_a_helper_that_fails_is_named_and_never_quoted(programs, caplog, capfd, body, said):
    caplog.set_level(logging.DEBUG)
    programs.add("test", body)

    with pytest.raises(CredentialsError) as caught:
        find()
    message = str(caught.value)
    for part in ("docker-credential-test", HOST, "~/.docker/config.json", said):
        assert part in message
    assert f"echo {HOST} | docker-credential-test get" in message
    assert SECRET not in shown_by(caught.value)
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.usefixtures("configured", "programs")
def test_a_helper_that_is_missing():
    with pytest.raises(CredentialsError, match=r"docker-credential-test, .* not a program on PATH"):
        find()


@pytest.mark.parametrize("name", ["../test", "a/b", "", ".", "-x", "a b", "x\n"])
def test_a_name_that_leads_elsewhere_is_not_run(home, programs, monkeypatch, name):
    programs.answers("test")
    misplaced = programs.folder / f"docker-credential-{name}"
    misplaced.parent.mkdir(exist_ok=True)
    shutil.copy(programs.folder / "docker-credential-test", misplaced)
    monkeypatch.chdir(programs.folder)
    docker_config(home, {"credHelpers": {HOST: name}, "auths": {HOST: encoded("entry")}})

    if name:
        with pytest.raises(CredentialsError, match="is not a program on PATH"):
            find()
    else:
        assert find().username == "entry"
    assert programs.calls("test") == []


@pytest.mark.usefixtures("configured")
def test_a_helper_that_cannot_be_run(programs):
    path = programs.folder / "docker-credential-test"
    path.write_bytes(b"\0 no program\n")
    path.chmod(0o755)

    with pytest.raises(CredentialsError, match="could not be run: Exec format error"):
        find()


@pytest.mark.usefixtures("configured")
def test_a_helper_that_does_not_listen(programs):
    path = programs.folder / "docker-credential-test"
    path.write_text(
        f"""#!/bin/sh\nexec 0<&-\necho '{{"Username": "me", "Secret": "{SECRET}"}}'\n"""
    )
    path.chmod(0o755)

    assert find().secret == SECRET


@pytest.mark.usefixtures("configured")
def test_a_helper_that_hangs_is_ended_with_what_it_started(programs, monkeypatch):
    """It and its child hold a line to the test; that is cut only when both are gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        lines = []

        class Impatient(Thread):
            """Gives up waiting as soon as the helper and its child are there."""

            def join(self, timeout=None):
                assert timeout == 10
                lines.append(server.accept()[0])
                lines[0].settimeout(60)
                assert lines[0].recv(1) + lines[0].recv(1) == b"xx"

        monkeypatch.setattr(helpers, "Thread", Impatient)
        hang = f"line = socket.create_connection({server.getsockname()!r})\n"
        hang += f"print({SECRET!r}, flush=True)\nos.fork()\nline.send(b'x')\ntime.sleep(3600)"
        programs.add("test", hang)

        with pytest.raises(CredentialsError, match="gave no answer in 10 s") as caught:
            find()
        with lines[0]:
            assert lines[0].recv(1) == b""
    assert SECRET not in shown_by(caught.value)


@pytest.mark.usefixtures("configured")
def test_a_helper_runs_once_however_many_ask(programs, at_once):
    programs.answers("test")
    logins = Credentials()
    found = at_once(lambda: logins.find(HOST))
    found += [logins.find(HOST, "a/b"), logins.find(HOST, "c")]

    assert {login.secret for login in found} == {SECRET}
    assert len(programs.calls("test")) == 1


@pytest.mark.usefixtures("configured")
def test_a_helper_that_fails_runs_once_too_and_again_later(programs, at_once, later):
    programs.add("test", "sys.exit(1)")
    logins = Credentials()

    def ask():
        with pytest.raises(CredentialsError, match="status 1"):
            logins.find(HOST)

    at_once(ask)
    assert len(programs.calls("test")) == 1
    programs.answers("test")
    later(11)
    assert logins.find(HOST).secret == SECRET


def test_a_client_runs_it_only_for_the_registry_that_is_asked(home, programs, stage):
    docker_config(home, {"credHelpers": {HUB_KEY: "hub", stage.served.example_host: "other"}})
    programs.answers("hub", *LOGIN)
    programs.answers("other", *LOGIN)
    client = stage.client()
    client.registry(stage.served.example_host)
    assert programs.calls("hub") + programs.calls("other") == []

    assert hubframe.repos_df("acme", client=client).is_private.any()
    hubframe.configs_df("library/alpine:latest", source="registry", client=client)
    assert len(programs.calls("hub")) == 1
    assert programs.calls("other") == []


def test_a_failing_helper_costs_its_items_and_no_request(home, programs, stage):
    docker_config(home, {"credHelpers": {stage.served.example_host: "test"}})
    programs.add("test", f"print('{SECRET}'); sys.exit(1)")
    what = ["library/alpine", f"{stage.served.example_host}/team/app"]

    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.tags_df(what, errors="collect", client=stage.client())
    (failure,) = frame.attrs["hubframe"]["failures"]
    assert failure["error"] == "CredentialsError"
    assert "docker-credential-test" in failure["message"]
    assert SECRET not in failure["message"]
    assert set(frame.repo) == {"library/alpine"}
    assert stage.count("team/app") == 0

"""Where logins are looked for, in which order, and what the entries of the files mean."""

import base64
import json
import os
import sys
import textwrap
import traceback
import tracemalloc
from pathlib import Path

import pytest

import hubframe
from hubframe.errors import CredentialsError, InvalidReferenceError
from hubframe.wire import credentials as files
from hubframe.wire.credentials import Credentials

HOST = "registry.example"
HUB_KEY = "https://index.docker.io/v1/"
SECRET = "s3cret-of-the-file"


def encoded(username, secret=SECRET):
    return {"auth": base64.b64encode(f"{username}:{secret}".encode()).decode()}


def write(path, document):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def docker_config(home, document):
    return write(home / ".docker" / "config.json", document)


def auths(**entries):
    return {"auths": entries}


def found(registry=HOST, path="", given=None):
    """The user name and the place of a registry's login."""
    login = Credentials(given).find(registry, path)
    return login and (login.username, login.source)


@pytest.fixture
def everywhere(home, monkeypatch, tmp_path):
    """Logins in every place, each with the place's name as user; take them away one by one."""

    def at(name):
        return {"auths": {HOST: encoded(name)}}

    paths = {
        "registry auth file": write(tmp_path / "chosen.json", at("registry auth file")),
        "runtime": write(home / "run" / "containers" / "auth.json", at("runtime")),
        "podman": write(home / ".config" / "containers" / "auth.json", at("podman")),
        "docker": docker_config(home, at("docker")),
        "legacy": write(home / ".dockercfg", at("legacy")["auths"]),
    }
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(at("variable")))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(paths["registry auth file"]))
    return paths


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere two places are one")
def test_the_places_in_their_order(everywhere, monkeypatch, tmp_path):
    assert found(given={HOST: ("given", "x")}) == ("given", "Client(credentials=…)")
    assert found() == ("variable", f"DOCKER_AUTH_CONFIG ({HOST})")
    monkeypatch.delenv("DOCKER_AUTH_CONFIG")

    shown = {
        "registry auth file": str(tmp_path / "chosen.json"),
        "runtime": "~/run/containers/auth.json",
        "podman": "~/.config/containers/auth.json",
        "docker": "~/.docker/config.json",
        "legacy": "~/.dockercfg",
    }
    for name, path in everywhere.items():
        assert found() == (name, f"{shown[name]} ({HOST})")
        path.unlink()
    assert found() is None


def test_a_place_without_an_entry_for_the_registry_is_passed_over(everywhere, monkeypatch):
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(auths(other=encoded("x"))))
    everywhere["registry auth file"].write_text("{}")
    everywhere["runtime"].write_text("")
    everywhere["podman"].write_text(json.dumps({"auths": {HOST: {}}}))

    assert found()[0] == "docker"


def test_variables_move_the_folders(home, monkeypatch, tmp_path):
    docker_config(home, {"auths": {HOST: encoded("at home")}})
    write(tmp_path / "moved" / "config.json", {"auths": {HOST: encoded("docker moved")}})
    write(tmp_path / "xdg" / "containers" / "auth.json", {"auths": {HOST: encoded("xdg moved")}})

    assert found()[0] == "at home"
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "moved"))
    assert found()[0] == "docker moved"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert found()[0] == "xdg moved"


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "/somewhere", "/somewhere/containers/auth.json"),
        ("linux", None, "/run/containers/{uid}/auth.json"),
        ("darwin", "/somewhere", "{home}/.config/containers/auth.json"),
        ("win32", None, "{home}/.config/containers/auth.json"),
    ],
)
def test_podmans_first_file_on_each_platform(home, monkeypatch, platform, variable, expected):
    monkeypatch.setattr(files.sys, "platform", platform)
    environment = {"XDG_RUNTIME_DIR": variable} if variable else {}

    first = files.places(environment)[0].path
    assert first.as_posix() == expected.format(uid=os.getuid(), home=home.as_posix())


def test_a_machine_without_a_home_has_no_files_there(monkeypatch):
    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    places = files.places({"XDG_RUNTIME_DIR": "/nowhere"})

    assert [place.source for place in places][-1] == (
        "/nowhere/containers/auth.json" if sys.platform.startswith("linux") else ""
    )


def test_docker_hubs_variables_win_over_files_and_are_for_docker_hub_alone(home, monkeypatch):
    docker_config(home, {"auths": {HUB_KEY: encoded("file"), HOST: encoded("other")}})
    assert found("docker.io") == ("file", "~/.docker/config.json (docker.io)")
    monkeypatch.setenv("DOCKER_USERNAME", "variable")
    monkeypatch.setenv("DOCKER_PASSWORD", "x")

    assert found("docker.io") == ("variable", "DOCKER_USERNAME and DOCKER_PASSWORD")
    assert found() == ("other", f"~/.docker/config.json ({HOST})")


@pytest.mark.parametrize("name", ["DOCKER_USERNAME", "DOCKER_PASSWORD"])
def test_half_a_login_in_the_environment(monkeypatch, name):
    monkeypatch.setenv(name, SECRET)

    with pytest.raises(CredentialsError, match="set both or none") as caught:
        found("docker.io")
    assert SECRET not in shown_by(caught.value)
    assert found("docker.io", given=False) is None


# What was given


def test_a_pair_is_for_docker_hub():
    assert found("docker.io", given=("me", "x")) == ("me", "Client(credentials=…)")
    assert found(given=("me", "x")) is None


@pytest.mark.usefixtures("everywhere")
def test_false_is_anonymous(monkeypatch):
    monkeypatch.setenv("DOCKER_USERNAME", "variable")
    monkeypatch.setenv("DOCKER_PASSWORD", "x")

    assert found(given=False) is None
    assert found("docker.io", given=False) is None
    assert found(given={HOST: False}) is None
    assert found("docker.io", given={HOST: False})[0] == "variable"


def test_what_is_given_may_be_for_a_namespace():
    given = {HOST: ("host", "x"), f"{HOST}/a": ("a", "x"), f"{HOST}/a/b": False}

    assert found(path="z", given=given)[0] == "host"
    assert found(path="a/z", given=given)[0] == "a"
    assert found(path="a/b", given=given) is None


def test_aliases_of_docker_hub_may_be_given():
    assert found("docker.io", given={"index.docker.io": ("me", "x")})[0] == "me"
    assert found("docker.io", "acme/app", given={"docker.io/acme": ("me", "x")})[0] == "me"


@pytest.mark.parametrize("pair", [True, "me:hunter2", ("me", ""), ("", "hunter2"), ("me", None), 1,
                                  ("me", "hunter2", "x"), ("me", "hunter2\ud800")])  # fmt: skip
def test_what_is_no_pair_is_refused_at_once(pair):
    with pytest.raises(CredentialsError, match="pair of user name and secret") as caught:
        hubframe.Client(credentials={HOST: pair})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "registry", "path"),
    [(HUB_KEY, "docker.io", ""), ("https://ghcr.io", "ghcr.io", ""), (f"{HOST}/", HOST, ""),
     ("registry-1.docker.io:443", "docker.io", ""), ("registry.hub.docker.com", "docker.io", ""),
     ("https://hub.docker.com/u/acme", "docker.io", "acme/app"),
     ("https://hub.docker.com/r/acme/app/tags", "docker.io", "acme/app"),
     ("https://quay.io/repository/org/app?tab=tags", "quay.io", "org/app")],
)  # fmt: skip
def test_a_login_may_be_given_for_what_people_paste(name, registry, path):
    assert found(registry, path, given={name: ("me", "x")})[0] == "me"


@pytest.mark.parametrize(
    "name", ["acme", "acme/app", f"{HOST}/a:1", f"{HOST}/A", "https://example.com/a", 1]
)
def test_what_is_no_registry_is_refused_at_once(name):
    with pytest.raises(InvalidReferenceError):
        hubframe.Client(credentials={name: ("me", "x")})


# What keys mean


@pytest.mark.parametrize(
    "key",
    ["docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/",
     "https://index.docker.io/v1", "index.docker.io/v1/", "https://registry-1.docker.io",
     "registry-1.docker.io:443", "docker.io:443", "https://registry.hub.docker.com/v2/",
     "registry.hub.docker.com", "https://hub.docker.com"],
)  # fmt: skip
def test_the_names_of_docker_hub(home, key):
    docker_config(home, {"auths": {key: encoded("me")}})

    assert found("docker.io", "library/nginx") == ("me", "~/.docker/config.json (docker.io)")


@pytest.mark.parametrize("suffix", ["access-token", "refresh-token"])
def test_dockers_logins_to_itself_are_none_to_the_registry(home, suffix):
    other = {f"{HUB_KEY}{suffix}": encoded("application")}
    docker_config(home, {"auths": other})
    assert found("docker.io") is None

    docker_config(home, {"auths": {**other, HUB_KEY: encoded("me")}})
    assert found("docker.io")[0] == "me"


@pytest.mark.parametrize(
    "key", ["https://{}", "http://{}/", "https://{}/v2/", "{}/", "HTTPS://{}/v1/x/y"]
)
def test_old_keys_are_addresses(home, key):
    docker_config(home, {"auths": {key.format("Registry.Example"): encoded("old")}})
    assert found() == ("old", f"~/.docker/config.json ({HOST})")
    assert found(f"{HOST}:5000") is None

    both = {key.format(HOST): encoded("old"), HOST: encoded("plain")}
    docker_config(home, {"auths": both})
    assert found()[0] == "plain"


def test_the_longest_namespace_wins(home):
    entries = {
        HOST: encoded("host"),
        f"{HOST}/a": encoded("a"),
        f"{HOST}/a/b": encoded("a/b"),
        f"{HOST}/a/b/empty": {},
        "docker.io/acme": encoded("acme"),
    }
    docker_config(home, {"auths": entries})

    expected = {"": "host", "x": "host", "ab": "host", "a": "a", "a/x": "a", "a/b": "a/b",
                "a/b/c/d": "a/b", "a/b/empty": "a/b"}  # fmt: skip
    assert {path: found(path=path)[0] for path in expected} == expected
    assert found(path="a/x")[1] == f"~/.docker/config.json ({HOST}/a)"
    assert found("docker.io", "acme/app")[0] == "acme"
    assert found("docker.io", "other/app") is None
    assert found("docker.io") is None


def test_a_file_that_comes_first_wins_although_its_key_is_shorter(home):
    write(home / ".config" / "containers" / "auth.json", {"auths": {HOST: encoded("podman")}})
    docker_config(home, {"auths": {f"{HOST}/a": encoded("docker")}})

    assert found(path="a/b")[0] == "podman"


def test_a_port_is_part_of_the_name(home):
    docker_config(home, {"auths": {"localhost:5000": encoded("me")}})

    assert found("localhost:5000")[0] == "me"
    assert found("localhost:5001") is None


# What entries mean


def login(home, entry):
    docker_config(home, {"auths": {HOST: entry}})
    return Credentials().find(HOST)


KEY = json.dumps(
    {"type": "service_account", "private_key": "-----BEGIN\nä:b\n-----END\n"}, indent=2
)


@pytest.mark.parametrize(
    ("username", "secret"),
    [("me", "a:b:c"), ("AWS", "x" * 3000), ("oauth2accesstoken", "ya29.x"), ("_json_key", KEY),
     ("00000000-0000-0000-0000-000000000000", "eyJ.x.y"), ("org+robot", "pässword 🐳"),
     ("me", " spaces ")],
)  # fmt: skip
def test_any_user_and_any_secret_arrive_unharmed(home, username, secret):
    raw = base64.b64encode(f"{username}:{secret}".encode()).decode()
    for entry in (encoded(username, secret), {"username": username, "password": secret}):
        one = login(home, entry)
        assert (one.username, one.secret) == (username, secret)
        assert one.basic == f"Basic {raw}"


def test_nuls_at_the_end_of_a_password_are_stripped(home):
    assert login(home, encoded("me", "x\0y\0\0")).secret == "x\0y"


def test_auth_wins_over_the_two_fields(home):
    assert login(home, {**encoded("auth"), "username": "field", "password": "x"}).username == "auth"


@pytest.mark.parametrize(
    "written",
    [
        lambda auth: f"{auth}\n",
        lambda auth: f"  {auth}\r\n",
        lambda auth: "\n".join(textwrap.wrap(auth, 76)),
        lambda auth: "\r\n\t".join(textwrap.wrap(auth, 64)),
        lambda auth: auth.rstrip("="),
        lambda auth: auth.translate(str.maketrans("+/", "-_")),
        lambda auth: f"{auth.translate(str.maketrans('+/', '-_')).rstrip('=')}\n",
    ],
    ids=["line end", "blanks", "wrapped", "wrapped at 64", "unpadded", "url-safe", "all of it"],
)
@pytest.mark.parametrize("secret", ["p?>~~wé" * 12, "x", "xy", "xyz"])
def test_base64_as_other_tools_write_it(home, written, secret):
    entry = {"auth": written(encoded("user+robot~?>", secret)["auth"])}
    one = login(home, entry)
    assert (one.username, one.secret) == ("user+robot~?>", secret)


@pytest.mark.parametrize(
    "entry",
    [{}, None, {"auth": ""}, {"auth": None}, encoded("", ""), {"email": "me@example.com"},
     {"username": "", "password": ""}],
    ids=str,
)  # fmt: skip
def test_an_empty_entry_is_none(home, entry):
    assert login(home, entry) is None


UNREADABLE = [
    ([], "no JSON object"), ("text", "no JSON object"), ({"auth": "not base64!"}, "its auth"),
    ({"auth": "bm9jb2xvbg=="}, "its auth"), ({"auth": 3}, "its auth"), ({"auth": "x"}, "its auth"),
    ({"auth": base64.b64encode(b"\xff:\xff").decode()}, "its auth"),
    ({"auth": "bad!", "username": "me", "password": "x"}, "its auth"),
    ({"username": "me"}, "lacks"), ({"password": SECRET}, "lacks"), (encoded("", "x"), "lacks"),
    (encoded("me", ""), "lacks"), (encoded("me", "\0"), "lacks"),
    ({"username": ["me"], "password": SECRET}, "no text"),
    ({"username": "me", "password": "\ud800"}, "no text"), ({"identitytoken": 1}, "no text"),
    ({"registrytoken": 1}, "no text"), ({"registrytoken": "two\nlines"}, "its registrytoken"),
    ({"registrytoken": "ä"}, "its registrytoken"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "why"), UNREADABLE, ids=str)
def test_an_entry_that_cannot_be_read_is_said_with_its_file_and_host(home, entry, why):
    with pytest.warns(hubframe.CredentialsWarning) as said:
        assert login(home, entry) is None
    [message] = [str(each.message) for each in said]
    assert f"~/.docker/config.json: the login for {HOST} cannot be read" in message
    assert why in message
    assert f"docker login {HOST}" in message
    assert SECRET not in message


def test_an_entry_that_cannot_be_read_is_said_once_and_only_where_it_is_wanted(home, monkeypatch):
    entries = {HOST: {"auth": "!"}, f"{HOST}/a": {"auth": "!"}, "other.example": encoded("me")}
    docker_config(home, {"auths": entries})
    logins = Credentials()
    assert logins.find("other.example").username == "me"
    with pytest.warns(hubframe.CredentialsWarning, match=HOST) as said:
        tried = [logins.find(HOST, path) for path in ("b", "b/c", "a/b", "a/c")]
    assert tried == [None] * 4
    assert len(said) == 2

    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HOST: {"auth": "!"}}}))
    docker_config(home, {"auths": {HOST: encoded("me")}})
    with pytest.warns(hubframe.CredentialsWarning, match=rf"DOCKER_AUTH_CONFIG.*{HOST}"):
        assert found()[0] == "me"


def test_an_entry_that_can_be_read_under_another_key_serves(home):
    entries = {HUB_KEY: {"auth": "!"}, "docker.io": encoded("me")}
    docker_config(home, {"auths": entries})
    assert found("docker.io")[0] == "me"


def test_tokens_need_no_password(home):
    one = login(home, {**encoded("me", ""), "identitytoken": "identity"})
    assert (one.username, one.secret, one.identity_token) == ("me", "", "identity")
    assert not one.is_pair

    assert login(home, {"registrytoken": "bearer"}).registry_token == "bearer"


def test_logins_differ_in_everything_that_answers_may_depend_on(home):
    entries = [encoded("me"), encoded("you"), encoded("me", "other"), {"identitytoken": SECRET},
               {"registrytoken": SECRET}]  # fmt: skip
    identities = [login(home, entry).identity for entry in entries]

    assert len(set(identities)) == len(entries)
    assert login(home, entries[0]).identity == identities[0]


# What goes wrong


@pytest.mark.parametrize(
    ("content", "said"),
    [(f'{{"auths": {SECRET}', "is not JSON"), (f"\xff{SECRET}".encode("latin-1"), "is not JSON"),
     (f'["{SECRET}"]', "does not hold a JSON object"), (f'"{SECRET}"', "does not hold a JSON object"),
     ("[" * 100_000 + SECRET, "is not JSON"), (f'{{"auths": ["{SECRET}"]}}', "holds auths that"),
     (f'{{"credHelpers": "{SECRET}"}}', "holds credHelpers that"),
     (f'{{"credHelpers": {{"{HOST}": ["{SECRET}"]}}}}', "names a credential helper that"),
     (f'{{"credsStore": {{"a": "{SECRET}"}}}}', "names a credential helper that")],
    ids=["cut", "bytes", "list", "text", "deep", "auths", "helpers", "helper", "store"],
)  # fmt: skip
def test_a_spoilt_file_is_named_and_not_quoted(home, content, said):
    path = docker_config(home, "")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(CredentialsError) as caught:
        found()
    assert f"~/.docker/config.json {said}" in str(caught.value)
    assert "Client(credentials=False)" in str(caught.value)
    assert SECRET not in shown_by(caught.value)


def test_a_spoilt_variable_is_named_and_not_quoted(monkeypatch):
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", f"{{{SECRET}")

    with pytest.raises(CredentialsError, match="DOCKER_AUTH_CONFIG is not JSON") as caught:
        found()
    assert SECRET not in shown_by(caught.value)


def shown_by(error):
    """What a traceback shows that shows variables too, of hubframe's own frames."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(error.args)]
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals["__name__"].startswith("hubframe"):
                texts += [repr(value) for value in frame.f_locals.values()]
        error = error.__cause__ or error.__context__
    assert len(texts) > 3
    return "\n".join(texts)


def test_a_file_that_may_not_be_read_is_named(home):
    path = home / ".docker" / "config.json"
    path.mkdir(parents=True)  # a folder: also root cannot read it

    with pytest.raises(CredentialsError, match=r"~/\.docker/config\.json cannot be read: Is a dir"):
        found()


def test_a_home_that_is_no_folder_has_no_files(monkeypatch):
    monkeypatch.setenv("HOME", os.devnull)
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.devnull)

    assert found() is None


def test_a_file_may_begin_with_a_byte_order_mark(home):
    path = docker_config(home, "")
    path.write_text(json.dumps({"auths": {HOST: encoded("me")}}), encoding="utf-8-sig")

    assert found()[0] == "me"


def test_a_spoilt_file_behind_the_login_that_is_found_is_not_read(home):
    write(home / ".config" / "containers" / "auth.json", {"auths": {HOST: encoded("me")}})
    docker_config(home, "{")

    assert found()[0] == "me"


# When they are looked up


def test_nothing_is_read_before_it_is_needed(home, stage):
    docker_config(home, "{")
    client = stage.client()
    client.registry(HOST)
    repr(client)

    with pytest.raises(CredentialsError, match=r"config\.json"):
        hubframe.repos_df("acme", client=client)
    assert stage.count() == 0


def test_a_file_is_read_once_for_a_client(home, stage):
    path = docker_config(home, {"auths": {HUB_KEY: encoded("acme-bot", "sample-password")}})
    client = stage.client()
    assert hubframe.repos_df("acme", client=client).is_private.any()
    path.write_text("{")

    assert len(hubframe.tags_df("library/alpine", client=client)) > 0
    assert len(hubframe.tags_df("library/alpine", source="registry", client=client)) > 0


def test_a_failure_serves_all_and_is_forgotten_after_a_while(home, later):
    path = docker_config(home, "{")
    logins = Credentials()
    with pytest.raises(CredentialsError):
        logins.find(HOST)
    docker_config(home, {"auths": {HOST: encoded("me")}})
    with pytest.raises(CredentialsError, match="is not JSON"):
        logins.find(HOST, "a/b")
    later(11)

    assert logins.find(HOST).username == "me"
    assert path.exists()


def test_the_sample_reads_no_file_and_no_variable(home, bundled, monkeypatch):
    docker_config(home, "{")
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "{")
    monkeypatch.setenv("DOCKER_USERNAME", "real-account")
    monkeypatch.setenv("DOCKER_PASSWORD", "x")

    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        assert not hubframe.repos_df("acme", client=client).is_private.any()
        repo = f"{HOST}/{bundled.of_host(HOST)[0].path}"
        assert len(hubframe.tags_df(repo, client=client)) > 0


def test_who_is_anonymous_on_purpose_reads_no_file(home, stage):
    docker_config(home, "{")

    assert len(hubframe.repos_df("acme", client=stage.client(False))) > 0


def test_what_is_found_for_very_many_repositories_is_not_all_remembered():
    credentials = Credentials({"x.example": ("reader", "sesame-open")})
    tracemalloc.start()
    try:
        for number in range(20_000):
            assert credentials.find("x.example", f"team/app{number}")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2**20

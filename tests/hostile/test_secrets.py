"""No secret is told: not to the disk, a log, a message, a traceback with variables, or a page."""

import base64
import json
import os
import re
from urllib.parse import parse_qsl, quote, unquote

import pytest

import hubframe
from hubframe.sample import Reply
from hubframe.sample.message import DROP
from tests.wire.test_credentials import docker_config, write

from . import seen as watch
from .seen import COOKIE, GIVEN_TOKEN, IDENTITY, PASSWORD, SIGNATURE, USER, Seen

HUB_KEY = "https://index.docker.io/v1/"
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
ENTRY = {"auth": PAIR}
TOKEN_ENTRY = {"auth": base64.b64encode(f"{USER}:".encode()).decode(), "identitytoken": IDENTITY}

# How a login is given: for Docker Hub and for the second registry.


def by_argument(_, host):
    return {"docker.io": (USER, PASSWORD), host: (USER, PASSWORD)}


def by_variables(machine, _):
    machine.set("DOCKER_USERNAME", USER)
    machine.set("DOCKER_PASSWORD", PASSWORD)


def by_docker(machine, host):
    docker_config(machine.home, {"auths": {HUB_KEY: ENTRY, host: ENTRY}})


def by_podman(machine, host):
    path = machine.home / "run" / "containers" / "auth.json"
    write(path, {"auths": {"docker.io": ENTRY, host: ENTRY}})


def by_text(machine, host):
    machine.set("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HUB_KEY: ENTRY, host: ENTRY}}))


def by_identity_token(machine, host):
    docker_config(machine.home, {"auths": {HUB_KEY: TOKEN_ENTRY, host: TOKEN_ENTRY}})


def by_registry_token(machine, host):
    entry = {"registrytoken": GIVEN_TOKEN}
    docker_config(machine.home, {"auths": {HUB_KEY: entry, host: entry}})


def by_helper(machine, host):
    machine.programs.answers("ck", USER, PASSWORD)
    docker_config(
        machine.home, {"credHelpers": {"docker.io": "ck", host: "ck"}, "credsStore": "ck"}
    )


def by_helpers_token(machine, _):
    machine.programs.answers("ck", "<token>", IDENTITY)
    docker_config(machine.home, {"credsStore": "ck"})


def by_helper_that_fails(machine, _):
    said = f'import json; print(\'{{"Secret": "{PASSWORD}"\'); sys.stderr.write({PASSWORD!r})'
    machine.programs.add("ck", f"{said}; sys.exit(3)")
    docker_config(machine.home, {"credsStore": "ck"})


def by_broken_file(machine, _):
    docker_config(
        machine.home, f'{{"auths": {{"x": {{"auth": "{PAIR}", "identitytoken": "{IDENTITY}"'
    )


def by_odd_file(machine, _):
    docker_config(machine.home, {"auths": [ENTRY, TOKEN_ENTRY]})


WAYS = [
    by_argument, by_variables, by_docker, by_podman, by_text, by_identity_token,
    by_registry_token, by_helper, by_helpers_token, by_helper_that_fails, by_broken_file,
    by_odd_file,
]  # fmt: skip


class Machine:
    """What a way to give a login may set up."""

    def __init__(self, home, programs, monkeypatch):
        self.home, self.programs, self.set = home, programs, monkeypatch.setenv


@pytest.fixture
def machine(home, programs, monkeypatch):
    return Machine(home, programs, monkeypatch)


# What comes back.


def said_in(request):
    """Return what was sent as a login, as it was sent and as it is meant."""
    value = request.headers.value("Authorization")
    scheme, _, sent = value.partition(" ")
    pair = base64.b64decode(sent).decode() if scheme == "Basic" else ""
    secret = pair.partition(":")[2]
    body = request.body.decode()
    fields = " ".join(value for _, value in parse_qsl(body))
    quoted = quote(secret, safe="")
    return f"{value} {sent} {pair} {secret} {quoted} {body} {fields} {unquote(body)}"


def repeats(status, **headers):
    """Say everything again that was sent, in the forms in which servers do."""

    def answer(request):
        told = said_in(request)
        body = {
            "errors": [{"code": "DENIED", "message": told, "detail": told}],
            "message": told, "detail": told, "token": [told], "refresh_token": told,
        }  # fmt: skip
        line = told.replace("\n", " ").replace('"', "'").encode("ascii", "replace").decode()
        filled = {name: value.format(told=line) for name, value in headers.items()}
        return Reply.of_json(body, status, filled)

    return answer


def challenge(realm):
    return {"WWW_Authenticate": f'Bearer realm="{realm}",service="{{told}}"'}


def named(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}


def again(status, part="/", **headers):
    def install(stage):
        answer = repeats(status, **named(headers))
        stage.fail(part, answer)

    return install


def bare(status, part, start="", kind="text/plain"):
    """Repeat it in a body that is no JSON."""

    def answer(request):
        return Reply(status, {"Content-Type": kind}, (start + said_in(request)).encode())

    return lambda stage: stage.fail(part, answer)


def nothing(_):
    pass


def hangs_up(stage):
    stage.fail("/", DROP)


def hangs_up_later(stage):
    for part in ("/tags", "/manifests/", "/blobs/", "/repositories"):
        stage.fail(part, DROP)


def is_slow(stage):
    stage.fail("/", Reply(200, delay=0.3))


def sets_cookies(stage):
    def answer(request):
        real = stage.real_answer(request, request_role(stage, request))
        told = {"Set-Cookie": f"s={COOKIE}", "X-Debug": request.headers.value("Authorization")}
        return real.with_headers({name: value for name, value in told.items() if value})

    stage.fail("/", answer)


def request_role(stage, request):
    if request.host in stage.served.hub_url:
        return "hub"
    return "docker.io" if request.host in stage.served.registry_url else "registry.example"


def signed(then):
    """Send everything that is authorised away, to a signed address where something happens."""

    def install(stage):
        target = f"http://{stage.served.example_host}/signed?X-Amz-Signature={SIGNATURE}"

        def answer(request):
            real = stage.real_answer(request, request_role(stage, request))
            is_let_in = real.status == 200 and "token" not in request.path
            is_let_in = is_let_in and not request.path == "/v2/"
            return Reply(307, {"Location": then.format(target)}) if is_let_in else real

        stage.fail("/v2/", answer)
        stage.fail(
            "/token", lambda request: stage.real_answer(request, request_role(stage, request))
        )

    return install


def signed_to(reply, location="{}"):
    def install(stage):
        stage.fail("/signed", reply)
        signed(location)(stage)

    return install


FAULTS = {
    "nothing": nothing,
    "refused login": again(401, "token"),
    "forbidden login": again(403, "token"),
    "too many logins": again(429, "token"),
    "broken login": again(500, "token"),
    "login without a token": again(200, "token"),
    "login sent on": again(302, "token", Location="https://other.example/?{told}"),
    "login that is no JSON": bare(200, "/token"),
    "401": again(401),
    "401, the login in the challenge": again(401, **challenge("https://auth.example/{told}")),
    "401, realm in the clear": again(401, **challenge("ftp://{told}@auth.example/?{told}")),
    "401, basic": again(401, WWW_Authenticate='Basic realm="{told}"'),
    "403": again(403),
    "404": again(404),
    "429": again(429, Retry_After="1"),
    "500": again(500),
    "503": again(503),
    "400 in words": bare(400, "/"),
    "403 in words": bare(403, "/v2"),
    "a warning": again(400, Warning='299 - "{told}"'),
    "sent on to nowhere": again(307, Location="http://[{told}"),
    "a page": bare(200, "/", "<p>", "text/html"),
    "bad JSON": bare(200, "/", "{"),
    "hangs up": hangs_up,
    "hangs up later": hangs_up_later,
    "no answer in time": is_slow,
    "cookies and echoes": sets_cookies,
    "signed, hangs up": signed_to(DROP),
    "signed, refused": signed_to(Reply(403, {"Content-Type": "text/plain"}, f"no: https://x.example/?s={SIGNATURE}".encode())),
    "signed, other bytes": signed_to(Reply(200, {}, b"{}")),
    "signed, no answer in time": signed_to(Reply(200, delay=0.3)),
    "signed, sent on": signed_to(Reply(302, {"Location": f"http://nowhere.invalid:1/?{SIGNATURE}"})),
    "signed, sent in circles": signed_to(Reply(302, {"Location": f"/signed?X={SIGNATURE}"})),
    "signed, malformed": signed_to(Reply(200), "http://[{}"),
    "signed, no port": signed_to(Reply(200), f"http://127.0.0.1:1/?{SIGNATURE}"),
}  # fmt: skip


def leaks_of(stage, seen):
    recorder = stage.application
    return seen.leaks(*recorder.given, *recorder.logins())


def use(stage, seen, private, given, caplog):
    """Run a whole session, then the same offline, and take over what is on the disk."""
    with watch.watching(seen, caplog):
        client = stage.client(given, timeout=0.2)
        watch.session(client, seen, private, stage.served.example_host)
        with hubframe.offline():
            watch.session(client, seen, private, stage.served.example_host)
        client.close()
        seen.client(client)
    seen.folder(stage.folder)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_however_a_login_is_given(stage, machine, private, caplog, way):
    seen = Seen()
    given = way(machine, stage.served.example_host)
    use(stage, seen, private, given, caplog)

    assert leaks_of(stage, seen) == []


@pytest.mark.parametrize("way", [by_argument, by_identity_token, by_registry_token])
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_comes_back(stage, machine, private, caplog, way, fault):
    seen = Seen()
    given = way(machine, stage.served.example_host)
    FAULTS[fault](stage)
    use(stage, seen, private, given, caplog)

    assert leaks_of(stage, seen) == []
    assert fault in ("nothing", "cookies and echoes") or seen.errors

"""No secret is told: not to the disk, a log, a message, a traceback with variables, or a page."""

import base64
import copy
import hashlib
import html
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, unquote

import pytest
from jupyter_client.manager import run_kernel

import hubframe
from hubframe.testing import Reply
from hubframe.testing.message import DROP
from hubframe.wire.credentials import Credential, Credentials
from tests.quirks import registry
from tests.wire.test_credentials import docker_config, write

from . import seen as watch
from .raw import listening
from .seen import COOKIE, GIVEN_TOKEN, IDENTITY, PASSWORD, PROXY, SIGNATURE, USER, Seen

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


def as_go_writes_it(text):
    """Escape as Go's encoder of JSON does, and some that are written by hand."""
    escaped = json.dumps(text)[1:-1]
    for sign in "&<>+=/":
        escaped = escaped.replace(sign, f"\\u{ord(sign):04x}")
    return escaped


WRITTEN = {
    "JSON": lambda text: '{"errors":[{"message":"' + as_go_writes_it(text) + '"}]}',
    "JSON in JSON": lambda text: json.dumps({"message": f'{{"m":"{as_go_writes_it(text)}"}}'}),
    "an address": lambda text: quote(text, safe=""),
    "an address, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "HTML": lambda text: html.escape(text).replace("+", "&#43;").replace("/", "&#x2F;"),
    "escapes": lambda text: "".join(f"\\x{ord(sign):02x}" for sign in text),
}


def written(status, form):
    """Repeat it as others write it."""

    def answer(request):
        kind = "application/json" if form.startswith("JSON") else "text/plain"
        body = WRITTEN[form](said_in(request)).encode()
        return Reply(status, {"Content-Type": kind, "X-Said": quote(body)}, body)

    return lambda stage: stage.fail("/", answer)


def nothing(_):
    pass


def hangs_up(stage):
    stage.fail("/", DROP)


def hangs_up_later(stage):
    for part in ("/tags", "/manifests/", "/blobs/", "/repositories"):
        stage.fail(part, DROP)


def is_slow(stage):
    stage.fail("/", Reply(200, delay=0.15))


def sets_cookies(stage):
    def answer(request):
        real = stage.real_answer(request, request_role(stage, request))
        told = {"Set-Cookie": f"s={COOKIE}", "X-Debug": request.headers.value("Authorization")}
        # A secret that is not ours to strike out, as storage behind a registry has them.
        told["X-Upstream"] = f"https://storage.example/?X-Amz-Signature={SIGNATURE}"
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
            is_let_in = is_let_in and request.path != "/v2/"
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
    **{f"403 written as {form}": written(403, form) for form in WRITTEN},
    **{f"401 written as {form}": written(401, form) for form in WRITTEN},
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
    "signed, no answer in time": signed_to(Reply(200, delay=0.15)),
    "signed, sent on": signed_to(Reply(302, {"Location": f"http://nowhere.invalid:1/?{SIGNATURE}"})),
    "signed, sent in circles": signed_to(Reply(302, {"Location": f"/signed?X={SIGNATURE}"})),
    "signed, malformed": signed_to(Reply(200), "http://[{}"),
    "signed, no port": signed_to(Reply(200), f"http://127.0.0.1:1/?{SIGNATURE}"),
}  # fmt: skip


def leaks_of(stage, seen):
    recorder = stage.application
    return seen.leaks(*recorder.given, *recorder.logins())


def use(stage, seen, private, given, caplog, *, offline=False):  # noqa: PLR0913
    """Run a whole session, and take over what is on the disk."""
    with watch.watching(seen, caplog):
        client = stage.client(given, timeout=0.1)
        watch.session(client, seen, private, stage.served.example_host)
        if offline:
            with hubframe.offline():
                watch.session(client, seen, private, stage.served.example_host)
        client.close()
        seen.client(client)
    seen.folder(stage.folder)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_however_a_login_is_given(stage, machine, private, caplog, way):
    seen = Seen()
    given = way(machine, stage.served.example_host)
    use(stage, seen, private, given, caplog, offline=True)

    assert leaks_of(stage, seen) == []
    refused = (by_registry_token, by_helper_that_fails, by_broken_file, by_odd_file)
    assert stage.application.logins() or stage.application.forms() or way in refused
    assert len(seen.texts) > 50


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_comes_back(stage, machine, private, caplog, fault):
    seen = Seen()
    given = by_argument(machine, stage.served.example_host)
    FAULTS[fault](stage)
    use(stage, seen, private, given, caplog)

    assert leaks_of(stage, seen) == []
    assert fault in ("nothing", "cookies and echoes") or seen.errors


@pytest.mark.parametrize(
    "way", [by_identity_token, pytest.param(by_registry_token, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "fault", [name for name in FAULTS if re.match("login|refused|40|500|signed, (hang|ref)", name)]
)
def test_whatever_comes_back_for_a_token(stage, machine, private, caplog, way, fault):  # noqa: PLR0913, PLR0917
    seen = Seen()
    given = way(machine, stage.served.example_host)
    FAULTS[fault](stage)
    use(stage, seen, private, given, caplog)

    assert leaks_of(stage, seen) == []


# Proxies.


@pytest.mark.parametrize(
    "address",
    [
        f"http://me:{PROXY}@127.0.0.1:9",
        f"http://me:{PROXY}@proxy.invalid:3128",
        f"http://me:{PROXY}@127.0.0.1:port",
        f"http://me:{PROXY}@[::1",
        f"http://me:{PROXY}/x@127.0.0.1:9",
        f"me:{PROXY}@127.0.0.1:9",
        f"socks5://me:{PROXY}@127.0.0.1:9",
        f"nonsense://me:{PROXY}@127.0.0.1:9",
        f"https://me:{PROXY}@127.0.0.1:9",
    ],
)
def test_the_login_of_a_proxy(monkeypatch, tmp_path, caplog, address):
    seen = Seen()
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, address)
    monkeypatch.delenv("NO_PROXY")
    settings = hubframe.Settings(cache_dir=tmp_path, timeout=0.5)
    with watch.watching(seen, caplog), hubframe.Client(settings) as client:
        for what in ("nginx", "registry.invalid/a"):
            with pytest.raises(hubframe.TransportError) as caught:
                hubframe.tags_df(what, client=client)
            seen.caught(caught.value)
        seen.client(client)

    assert seen.leaks() == []


def test_a_proxy_that_repeats_its_login(monkeypatch, tmp_path, caplog):
    seen = Seen()

    def refuse(connection):
        sent = connection.recv(65536)
        pair = base64.b64encode(f"me:{PROXY}".encode())
        assert pair in sent
        connection.sendall(b"HTTP/1.1 407 no, " + pair + PROXY.encode() + b"\r\nX: " + pair)
        connection.sendall(b"\r\nContent-Length: 0\r\n\r\n")

    with listening(refuse) as host:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://me:{PROXY}@{host}")
        monkeypatch.delenv("NO_PROXY")
        settings = hubframe.Settings(cache_dir=tmp_path, insecure_registries="plain.invalid")
        with watch.watching(seen, caplog), hubframe.Client(settings) as client:
            for what in ("nginx", "plain.invalid/a"):
                with pytest.raises(hubframe.TransportError, match="407") as caught:
                    hubframe.tags_df(what, client=client)
                seen.caught(caught.value)

    assert seen.leaks() == []


@pytest.mark.parametrize("form", WRITTEN)
def test_a_proxy_that_repeats_its_login_in_other_words(monkeypatch, tmp_path, caplog, form):
    seen, login = Seen(), f"me:{PROXY}&+=/"

    def refuse(connection):
        connection.recv(65536)
        body = WRITTEN[form](login).encode()
        head = b"HTTP/1.1 407 no\r\nContent-Type: text/plain\r\nX-Said: " + quote(login).encode()
        connection.sendall(head + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with listening(refuse) as host:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:{quote(login[3:], safe='')}@{host}")
        monkeypatch.delenv("NO_PROXY")
        settings = hubframe.Settings(cache_dir=tmp_path, insecure_registries="plain.invalid")
        with watch.watching(seen, caplog), hubframe.Client(settings) as client:
            with pytest.raises(hubframe.TransportError, match="407") as caught:
                hubframe.tags_df("plain.invalid/a", client=client)
            seen.caught(caught.value)

    assert seen.leaks() == []


OTHER_WORDS = {
    "as Go writes JSON": as_go_writes_it,
    "an address": lambda text: quote(text, safe=""),
    "HTML": html.escape,
    "in hex": lambda text: text.encode().hex(),
    "in hex, in capitals": lambda text: text.encode().hex().upper(),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "bytes of Python": lambda text: repr(text.encode())[2:-1],
    "signs of JavaScript": lambda text: "".join(f"\\u{{{ord(sign):x}}}" for sign in text),
    "signs of C": lambda text: "".join(f"\\U{ord(sign):08x}" for sign in text),
    "read as Latin-1": lambda text: text.encode().decode("latin-1"),
    "a form": quote_plus,
    "no sign at all": lambda text: text + r"\UFFFFFFFF",
}


@pytest.mark.parametrize("form", OTHER_WORDS)
@pytest.mark.parametrize("secret", ["zwei W\u00f6rter", "tab\tand \U0001f600", "plain+and/=&<x>"])
def test_a_login_in_other_words_is_redacted(tmp_path, form, secret):
    said = f"bad password {OTHER_WORDS[form](secret)}."
    refused = registry.Answer(403, {"Content-Type": "text/plain"}, said.encode())
    asks = registry.Answer(401, {"WWW-Authenticate": 'Basic realm="r"'})

    def answer(asked):
        if "authorization" not in asked.headers:
            return asks
        return registry.Answer() if asked.path == "/v2/" else refused

    with (
        registry.listening(answer) as host,
        hubframe.Client(hubframe.Settings(cache_dir=tmp_path), {host: ("reader", secret)}) as known,
        pytest.raises(hubframe.UnauthorizedError) as caught,
    ):
        hubframe.tags_df(f"{host}/a", client=known)
    assert "bad password …" in str(caught.value)


NO_HTTP = {
    "a status line": b"%s\r\n\r\n",
    "another protocol": b"HTTP/9.9 200 %s\r\n\r\n",
    "a status": b"HTTP/1.1 %s\r\n\r\n",
    "a header": b"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: nine\r\n\r\n",
    "a chunk's size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n{}\r\n",
    "a chunk below 0": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1e;%s\r\n{}\r\n",
    "half an answer": b"HTTP/1.1 200 OK\r\nX-A: %s\r\nContent-Length: 99\r\n\r\n{",
    "what unpacks to nothing": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX: %s\r\n\r\nno",
}


@pytest.mark.usefixtures("sleeps")
@pytest.mark.parametrize("form", NO_HTTP)
def test_what_is_no_http_costs_its_own_rows(tmp_path, caplog, form):
    """Errors of the libraries quote what came, and some are no errors of HTTP at all."""
    seen = Seen()

    def answer(connection):
        sent = connection.recv(65536)
        login = sent.partition(b"Authorization: ")[2].partition(b"\r")[0] or b"none"
        if b" /v2/ " in sent.partition(b"\r\n")[0] and login == b"none":
            ask = b"HTTP/1.1 401 no\r\nWWW-Authenticate: Basic realm=r\r\n"
            connection.sendall(ask + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if b" /v2/ " in sent.partition(b"\r\n")[0]:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        told = base64.b64decode(login.removeprefix(b"Basic "))
        connection.sendall(NO_HTTP[form] % (login + b" " + told))

    with listening(answer) as host:
        settings = hubframe.Settings(cache_dir=tmp_path, timeout=2)
        with (
            watch.watching(seen, caplog),
            hubframe.Client(settings, {host: (USER, PASSWORD)}) as client,
        ):
            told = hubframe.tags_df([f"{host}/a", f"{host}/b"], errors="collect", client=client)
            seen.frame(told)

    errors = {each["error"] for each in told.attrs["hubframe"]["failures"]}
    assert errors <= {"TransportError", "PayloadError"}
    assert len(told.attrs["hubframe"]["failures"]) == 2
    assert seen.leaks() == []


# Interrupts, and what goes wrong before anything is asked.


def _interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_an_interrupt(stage, private, caplog):
    seen = Seen()
    stage.fail("/manifests/", Reply(200, delay=1.0))
    client = stage.client((USER, PASSWORD))
    # Names are loaded at their first use, which an interrupt is not meant to strike.
    ask = hubframe.config
    with watch.watching(seen, caplog):
        threading.Timer(0.5, _interrupt).start()
        with pytest.raises(KeyboardInterrupt) as caught:
            ask(f"{private}:latest", client=client)
        seen.show("locals", watch.with_locals(caught.value))

    assert leaks_of(stage, seen) == []
    assert "in send" in seen.texts[0][1].decode(), "it struck while an answer was waited for"


def test_an_interrupt_while_a_login_is_hashed(monkeypatch):
    """It takes long enough for that; what raises has no variables of its own."""
    seen = Seen()
    monkeypatch.setattr(hashlib, "scrypt", int)
    with pytest.raises(TypeError) as caught:
        _ = Credential(USER, PASSWORD, "a test").identity
    seen.show("locals", watch.with_locals(caught.value))

    assert seen.leaks() == []
    assert USER in seen.texts[0][1].decode()


def test_an_interrupt_of_a_helper(machine):
    seen = Seen()
    machine.programs.add("ck", f"print({PASSWORD!r}, flush=True); time.sleep(5)")
    docker_config(machine.home, {"credsStore": "ck"})
    threading.Timer(0.6, _interrupt).start()
    with pytest.raises(KeyboardInterrupt) as caught:
        Credentials().find("registry.example")
    seen.show("locals", watch.with_locals(caught.value))

    assert seen.leaks() == []
    assert "heard" in seen.texts[0][1].decode()


@pytest.mark.parametrize(
    "given",
    [
        (USER, PASSWORD, "three"), PASSWORD, [PASSWORD], {"ghcr.io": PASSWORD}, {"x": (USER, PASSWORD)},
        {"ghcr.io": (USER, PASSWORD), "a b": (USER, PASSWORD)}, (PASSWORD, None), (USER, PASSWORD + "\ud800"),
        {"docker.io/a:1": (USER, PASSWORD)},
    ],
)  # fmt: skip
def test_a_login_that_is_given_wrongly(given):
    seen = Seen()
    with pytest.raises(hubframe.HubframeError) as caught:
        hubframe.Client(hubframe.Settings(sample=True), given)
    seen.caught(caught.value)

    assert seen.leaks() == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HUBFRAME_WORKERS", "many"),
        ("HUBFRAME_HUB_URL", f"https://me:{PASSWORD}@hub.example"),
        ("HUBFRAME_REGISTRY_URL", f"ftp://me:{PASSWORD}@hub.example"),
        ("HUBFRAME_CACHE_DIR", "~nobody-of-that-name/x"),
        ("HUBFRAME_CACHE_URL", f"memcached://me:{PASSWORD}@cache.example"),
    ],
)
def test_a_setting_that_is_wrong(monkeypatch, variable, value):
    seen = Seen()
    monkeypatch.setenv("DOCKER_USERNAME", USER)
    monkeypatch.setenv("DOCKER_PASSWORD", PASSWORD)
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=variable) as caught:
        hubframe.Client(credentials=(USER, PASSWORD))
    seen.caught(caught.value)
    with pytest.raises(ValueError, match=variable) as caught:
        hubframe.Settings.from_environment(dict(os.environ))
    seen.caught(caught.value)

    assert seen.leaks() == []


@pytest.mark.parametrize("what", [
    f"https://me:{PASSWORD}@ghcr.io/org/app", f"me:{PASSWORD}@ghcr.io/org/app:1", f"docker://me:{PASSWORD}@x.example/a",
])  # fmt: skip
def test_a_reference_with_a_login(what):
    seen = Seen()
    with pytest.raises(hubframe.InvalidReferenceError) as caught:
        hubframe.tags_df(what, client=hubframe.Client(hubframe.Settings(sample=True)))
    seen.show("message", str(caught.value))

    assert seen.leaks() == []


def test_errors_survive_being_copied_and_pickled():
    for error in (
        hubframe.errors.QuotaError("few", needed=3, remaining=1),
        hubframe.errors.RateLimitError("slow", retry_after=3.0, limit="pull"),
    ):
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (str(twin), vars(twin)) == (str(error), vars(error))


# Programs: a kernel, and the command line.


CELL = """
import hubframe
%xmode Verbose
client = hubframe.Client(hubframe.Settings(hub_url={hub!r}, registry_url={registry!r}, timeout=2),
                         credentials=("{user}", open({path!r}).read()))
hubframe.labels_df({repo!r}, source="registry", client=client)
"""


@pytest.mark.filterwarnings("default")
def test_a_cell_that_fails(stage, private, tmp_path):
    seen = Seen()
    path = tmp_path / "secret"
    path.write_text(PASSWORD)
    hangs_up_later(stage)
    cell = CELL.format(
        user=USER, path=str(path), repo=private,
        hub=stage.served.hub_url, registry=stage.served.registry_url,
    )  # fmt: skip
    said = []
    with run_kernel(kernel_name="python3") as kernel:
        reply = kernel.execute_interactive(
            cell, timeout=180, output_hook=lambda message: said.append(message["content"])
        )
    seen.show("notebook", json.dumps([*said, reply["content"]]))

    assert "TransportError" in seen.texts[0][1].decode()
    assert leaks_of(stage, seen) == []


@pytest.mark.parametrize("fault", ["nothing", "signed, hangs up"])
def test_the_command_line(stage, private, fault, tmp_path):
    seen = Seen()
    FAULTS[fault](stage)
    done = subprocess.run(
        [sys.executable, "-m", "hubframe", "report", private, "--output", str(tmp_path / "report")],
        capture_output=True,
        check=False,
        timeout=180,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(hubframe.__file__).parent.parent),
            "DOCKER_USERNAME": USER,
            "DOCKER_PASSWORD": PASSWORD,
            "HUBFRAME_HUB_URL": stage.served.hub_url,
            "HUBFRAME_REGISTRY_URL": stage.served.registry_url,
            "HUBFRAME_CACHE_DIR": str(stage.folder),
            "HUBFRAME_TIMEOUT": "2",
        },
    )
    seen.show("stdout", done.stdout)
    seen.show("stderr", done.stderr)
    seen.folder(tmp_path)

    assert done.returncode == (fault != "nothing")
    assert leaks_of(stage, seen) == []

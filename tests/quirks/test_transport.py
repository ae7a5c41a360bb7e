"""How registries are reached: certificates, proxies, plain http, and what is said on the way."""

import logging
import os
import subprocess
import sys

import pytest

import hubframe
from hubframe.testing import Reply

from . import proxy, registry
from .registry import BASIC, REPO, TAGS, USER, Answer, Quirks, index
from .tls import NAME

SECRET = "proxy-hunter2"
LOGIN = f"me:{SECRET}"


def tags(client, host):
    return sorted(hubframe.tags_df(f"{host}/{REPO}", client=client).tag)


# Certificates


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_authority_is_trusted_where_it_is_named(
    client, encrypted, authority, monkeypatch, name
):
    monkeypatch.setenv(name, str(authority.bundle))

    assert tags(client, encrypted.host) == sorted(TAGS)


def test_a_private_authority_that_is_not_named_is_an_error_in_words(client, encrypted, sleeps):
    with pytest.raises(hubframe.TransportError) as caught:
        tags(client, encrypted.host)

    message = str(caught.value)
    for part in (encrypted.host, "certificate is not trusted", "REQUESTS_CA_BUNDLE", "issuer"):
        assert part in message
    assert sleeps == [], "asking again would not help"
    assert encrypted.log == []


def test_a_notebook_may_name_the_authority_afterwards(client, encrypted, authority, monkeypatch):
    with pytest.raises(hubframe.TransportError):
        tags(client, encrypted.host)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))

    assert tags(client, encrypted.host) == sorted(TAGS)


def test_a_bundle_that_is_not_there_is_named(client, encrypted, authority, monkeypatch):
    monkeypatch.setenv("CURL_CA_BUNDLE", str(authority.folder / "gone.crt"))

    with pytest.raises(hubframe.TransportError, match=r"CURL_CA_BUNDLE names .*gone\.crt"):
        tags(client, encrypted.host)


def test_a_certificate_for_another_name_is_refused(
    client, encrypted, authority, monkeypatch, proxied
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    proxied({"other.test:443": encrypted.host})

    with pytest.raises(hubframe.TransportError, match=r"not trusted .*other\.test"):
        tags(client, "other.test")
    assert encrypted.log == []


def test_loopback_is_asked_in_the_clear_until_it_asks_for_tls(
    client, encrypted, authority, monkeypatch
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with hubframe.Client(client.settings, {encrypted.host: USER}) as known:
        assert tags(known, encrypted.host) == sorted(TAGS)


# Proxies


@pytest.fixture
def trusting(authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("login", [None, LOGIN])
def test_https_goes_through_a_tunnel(client, encrypted, proxied, login):
    proxy = proxied({f"{NAME}:443": encrypted.host}, login)

    assert tags(client, NAME) == sorted(TAGS)
    assert {method for method, _ in proxy.passed} == {"CONNECT"}
    assert encrypted.asked("/tags/list")
    assert not [one for one in encrypted.log if "proxy-authorization" in one.headers]


@pytest.mark.parametrize("login", [None, LOGIN])
def test_http_is_forwarded(client, running, proxied, login):
    one = running()
    proxy = proxied({one.host: one.host}, login)

    assert tags(client, one.host) == sorted(TAGS)
    assert ("GET", f"http://{one.host}/v2/") in proxy.passed
    assert len(proxy.passed) == len(one.registry.log)


def test_no_proxy_is_heeded(client, running, proxied, monkeypatch):
    one = running()
    proxy = proxied({})
    monkeypatch.setenv("NO_PROXY", "elsewhere.test,127.0.0.1")

    assert tags(client, one.host) == sorted(TAGS)
    assert proxy.passed == []


@pytest.mark.parametrize("host", ["127.0.0.1:9", NAME])
def test_a_proxy_that_refuses_the_login_is_named_without_it(
    client, proxied, monkeypatch, caplog, host
):
    proxy = proxied({}, LOGIN)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://me:{SECRET}-wrong@{proxy.host}")

    with caplog.at_level(logging.DEBUG), pytest.raises(hubframe.TransportError) as caught:
        tags(client, host)
    for part in (host, "proxy", "407"):
        assert part in str(caught.value)
    assert SECRET not in str(caught.value) + caplog.text
    assert len(set(proxy.passed)) == len(proxy.passed), "asking again would not help"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks4"])
def test_a_proxy_that_is_not_there_is_named_without_its_login(
    client, monkeypatch, variable, scheme
):
    if scheme != "http":
        pytest.importorskip("socks")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv(variable, f"{scheme}://{LOGIN}@127.0.0.1:9")

    words = rf"through the proxy 127\.0\.0\.1:9.*Check the proxy \(.*{variable}"
    with pytest.raises(hubframe.TransportError, match=words) as caught:
        tags(client, NAME)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("proxy", ["http://", f"gopher://{LOGIN}@127.0.0.1:9"])
def test_a_proxy_of_an_unknown_kind_is_said(client, monkeypatch, sleeps, proxy):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    with pytest.raises(hubframe.TransportError, match="HTTPS_PROXY") as caught:
        tags(client, NAME)
    assert SECRET not in str(caught.value)
    assert sleeps == [], "asking again would not help"


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"])
def test_a_socks_proxy_without_pysocks_says_what_to_install(variable):
    code = "import sys; sys.modules['socks'] = None; from hubframe.apps import cli; cli.main()"
    for scheme in ("socks5h", "SOCKS5"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, "tags", "ghcr.io/org/app"],
            env={**os.environ, "NO_PROXY": "", variable: f"{scheme}://{LOGIN}@127.0.0.1:9"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        for words in ("ALL_PROXY", "HTTPS_PROXY", "hubframe[socks]"):
            assert words in done.stderr
        assert SECRET not in done.stderr


@pytest.fixture
def socks(monkeypatch):
    """Make PySocks there, and take the proxies away that other tests would use."""
    pytest.importorskip("socks")
    monkeypatch.delenv("NO_PROXY")


@pytest.mark.usefixtures("socks")
@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTPS_PROXY"])
def test_a_socks_proxy_is_gone_through(client, encrypted, authority, monkeypatch, variable):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.bundle))
    with proxy.serve({f"{NAME}:443": encrypted.host}, is_socks=True) as one:
        monkeypatch.setenv(variable, f"socks5h://{one.host}")
        assert tags(client, NAME) == sorted(TAGS)
    assert set(one.passed) == {("SOCKS", f"{NAME}:443")}


@pytest.mark.usefixtures("socks")
def test_a_socks_proxy_without_a_version_is_said(client, monkeypatch, sleeps):
    monkeypatch.setenv("ALL_PROXY", f"socks://{LOGIN}@127.0.0.1:9")

    with pytest.raises(hubframe.TransportError, match="cannot be used; see ALL_PROXY") as caught:
        tags(client, NAME)
    assert SECRET not in str(caught.value)
    assert sleeps == []


# Plain http


def test_other_hosts_are_asked_by_https_alone(client, running, proxied):
    one = running()
    proxy = proxied({f"{NAME}:443": one.host, NAME: one.host})

    with pytest.raises(hubframe.TransportError, match="HUBFRAME_INSECURE_REGISTRIES"):
        tags(client, NAME)
    assert proxy.passed == [("CONNECT", f"{NAME}:443")]
    assert [one for one in one.registry.log if one.target.startswith("/v2")] == []


def test_hosts_that_are_named_are_asked_in_the_clear(running, proxied, monkeypatch):
    one = running()
    proxy = proxied({NAME: one.host})
    monkeypatch.setenv("HUBFRAME_INSECURE_REGISTRIES", f"other.test {NAME}")

    with hubframe.Client() as client:
        assert tags(client, NAME) == sorted(TAGS)
    assert {method for method, _ in proxy.passed} == {"GET", "HEAD"}


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:9/x",
        "http://storage.test/x",
    ],
)
def test_https_is_not_left_by_a_redirect(client, encrypted, proxied, target):
    encrypted.quirks = Quirks(instead={"/tags/list": Answer(307, {"Location": target})})
    proxy = proxied({f"{NAME}:443": encrypted.host})

    with pytest.raises(hubframe.TransportError, match="not followed"):
        tags(client, NAME)
    assert {where for _, where in proxy.passed} == {f"{NAME}:443"}


def test_a_login_is_not_sent_where_an_other_host_sends_back(client, running):
    """Otherwise that host would choose what is read in the user's name."""
    one = running()
    back = f"http://{one.host}/v2/{REPO}/secret/list"
    with registry.listening(lambda _: Answer(307, {"Location": back})) as other:
        one.registry.quirks = Quirks(
            token={"token": "t-1"},
            instead={"/tags/list": Answer(307, {"Location": f"http://{other}/x"})},
        )
        with (
            hubframe.Client(client.settings, {one.host: USER}) as known,
            pytest.raises(hubframe.HubframeError),
        ):
            tags(known, one.host)

    assert [asked.headers.get("authorization") for asked in one.registry.asked("/secret/")] == [
        None
    ]
    assert one.registry.asked("/token")[0].headers["authorization"] == BASIC


# What is said on the way


def test_a_warning_is_said_once(client, running, caplog):
    text = '299 - "closing in \\"May\\"\x1b[31m", 110 - "stale", 299 - "grüße"'.encode().decode(
        "latin-1"
    )
    one = running(Quirks(everywhere={"Warning": text}))

    with caplog.at_level(logging.WARNING, "hubframe"):
        tags(client, one.host)
        with hubframe.refresh():
            tags(client, one.host)

    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith(f"{one.host} says: closing in")
    assert "\x1b" not in said[0]
    assert said[1] == f"{one.host} says: grüße"


def test_a_stranger_cannot_fill_the_screen_with_warnings(client, running, caplog):
    counter = iter(range(10_000))
    quirks = Quirks(
        instead={"/manifests/": lambda _: Answer(404, {"Warning": _warnings(counter)})},
    )
    one = running(quirks)
    with caplog.at_level(logging.WARNING, "hubframe"):
        for tag in TAGS:
            with pytest.raises(hubframe.NotFoundError):
                hubframe.images_df(f"{one.repo}:{tag}", client=client)

    assert len(caplog.records) == 100


def _warnings(counter):
    return ", ".join(f'299 - "{next(counter)}"' for _ in range(40))


def test_every_request_names_hubframe(client, running):
    """The ping and the token too: bot walls refuse what does not say who it is."""
    one = running(Quirks(token={"token": "t-1"}))
    tags(client, one.host)

    assert one.registry.asked("/token")
    assert {asked.headers["user-agent"].partition("/")[0] for asked in one.registry.log} == {
        "hubframe"
    }


# What a registry was found not to know is not asked for again


def test_a_registry_without_referrers_is_asked_once(client, running):
    one = running(Quirks(referrers=lambda _: Answer(303, {"Location": "http://127.0.0.1:9/"})))
    for tag in TAGS:
        subject = hubframe.ImageReference.parse(f"{one.repo}@{registry.DOCUMENTS.tags[tag]}")
        assert client.registry(one.host).referrers(subject) is None

    assert len(one.registry.asked("/referrers/")) == 1


def test_a_subject_that_is_unknown_says_nothing_about_others(client, running):
    unknown = registry.refusal(400, "MANIFEST_INVALID")
    one = running(Quirks(referrers=lambda asked: unknown if "0000" in asked.path else index()))
    ask = client.registry(one.host).referrers
    odd, even = (hubframe.ImageReference.parse(f"{one.repo}@sha256:{c * 64}") for c in "01")

    assert (ask(odd), ask(even)) == (None, [])


@pytest.mark.parametrize("status", [405, 501])
def test_a_registry_without_head_is_asked_once(client, running, status):
    one = running(Quirks(head=lambda _: Answer(status)))
    for tag in TAGS:
        assert len(hubframe.tags_df(f"{one.repo}:{tag}", client=client)) == 1

    assert len(one.registry.asked("/manifests/", "HEAD")) == 1


def test_a_registry_that_refuses_sizes_is_asked_once(client, running):
    one = running(Quirks(refuses_size=registry.refusal(400, "PAGINATION_NUMBER_INVALID")))
    tags(client, one.host)
    with hubframe.refresh():
        tags(client, one.host)

    assert len(one.registry.asked("n=1000")) == 1


@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(head=lambda _: Answer(405)),
        Quirks(refuses_size=registry.refusal(400, "PAGINATION_NUMBER_INVALID"), page=3),
    ],
    ids=["no HEAD", "no size"],
)
def test_what_was_read_another_way_is_there_offline(client, running, quirks):
    one = running(quirks)
    online = hubframe.labels_df(one.repo, client=client)
    with hubframe.offline(), hubframe.Client(client.settings) as later:
        offline = hubframe.labels_df(one.repo, client=later)

    assert offline.equals(online)
    assert len(online) == len(TAGS)


# On Docker Hub a GET of a manifest is a pull


def test_a_tag_that_is_not_on_the_hub_costs_no_pull(stage):
    with pytest.raises(hubframe.NotFoundError):
        hubframe.images_df("library/alpine:gone", source="registry", client=stage.client())

    assert stage.count("/manifests/", "HEAD") == 1
    assert stage.count("/manifests/", "GET") == 0


def test_a_type_that_the_hub_does_not_tell_costs_no_pull(stage):
    def untyped(request):
        reply = stage.real_answer(request, "docker.io")
        digest = reply.headers["Docker-Content-Digest"]
        return Reply(200, {"Docker-Content-Digest": digest})

    stage.fail("/manifests/", untyped, method="HEAD")
    tags = hubframe.tags_df("library/alpine:latest", source="registry", client=stage.client())

    assert tags.digest.notna().all()
    assert tags.media_type.isna().all()
    assert stage.count("/manifests/", "GET") == 0

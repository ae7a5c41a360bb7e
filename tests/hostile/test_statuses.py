"""Refusals, whatever they hold, become one error that is short, harmless and tells no secret."""

import json
import time
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from hubframe.errors import HubframeError, RateLimitError
from hubframe.wire.limits import Limits, resets_in, retry_after
from hubframe.wire.statuses import check, check_login, code_of, error_of, quotable
from tests.hostile.strategies import clean_texts, texts

ASKED = "the tags of org/app"
statuses = st.sampled_from(
    (200, 204, 301, 307, 400, 401, 403, 404, 407, 418, 429, 500, 503, 599, 999)
)
names = st.sampled_from(
    ("code", "message", "detail", "details", "text", "error", "errors", "errinfo")
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=300),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.dictionaries(names, values, max_size=4).map(lambda body: json.dumps(body).encode()),
    values.map(lambda body: json.dumps({"errors": [body]}).encode()),
    st.sampled_from((b"[" * 100_000, b'{"errors":' * 50_000, b'{"message": "' + b"x" * 10**6 + b'"}',
                     b"<html>", b"error code: 1010", b"\xff\xfe", b'{"message": 1' + b"0" * 5000 + b"}")),
)  # fmt: skip
# What headers can hold.
header_values = st.text(st.characters(codec="latin-1"), max_size=40) | st.sampled_from(
    ("text/plain", "text/html", "application/json", "120", "-1", "9" * 400, "1e400", "0x10",
     "999999999999999", "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000",
     "Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359", "100;w=21600", ";w=",
     "Bearer", "https://evil\x1b[31m.example/", "//[::1", "https://a:b@c/", "https://" + "a" * 9000,
     "/" + "a" * 9000)
)  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(
        ("Content-Type", "Retry-After", "X-Retry-After", "X-RateLimit-Reset", "X-RateLimit-Limit", "Date",
         "X-RateLimit-Remaining", "RateLimit-Limit", "RateLimit-Remaining", "WWW-Authenticate", "Location")
    ),
    header_values,
)  # fmt: skip


def answer(status, body, given_headers=None):
    response = requests.Response()
    response.status_code = status
    response._content = body
    response.url = "https://registry.example/v2/org/app/tags/list"
    response.headers.update(given_headers or {})
    return response


def is_fit(message):
    assert len(message) < 1500
    assert message.isprintable()


@given(statuses, bodies, headers, st.sampled_from((None, "the environment")))
def test_every_refusal_is_one_error(status, body, given_headers, login):
    response = answer(status, body, given_headers)
    error = error_of(response, ASKED, login)
    assert isinstance(error, HubframeError)
    assert str(error).startswith(ASKED)
    is_fit(str(error))
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        assert 0 <= error.retry_after < 10**16
    code_of(response)
    for is_good in (check, check_login):
        try:
            assert is_good(response, ASKED, login) is response
        except HubframeError as refused:
            is_fit(str(refused))


SECRET = "hunter2S3cr3t"
FORMS = (
    f"https://storage.example/blob?X-Amz-Signature={SECRET}&x=1",
    f"https://storage.example/blob#{SECRET}",
    f"https://user:{SECRET}@registry.example/v2/",
    f"HTTPS://{SECRET}@registry.example",
    f"Bearer {SECRET}abcdefghijklmnop",
    f"bearer   {SECRET}/+=",
    f"Basic {SECRET}==",
    f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.sig",
    f"dckr_pat_{SECRET}",
    f"dckr_oat_{SECRET}-x",
)


@pytest.mark.parametrize(
    "location",
    [
        "https://evil\x1b[31m.example/",
        "//[::1",
        "https://" + "a" * 9000,
        "https://a:b@c.example/?sig=x",
        "::",
    ],
)
def test_a_redirect_is_told_of_wherever_it_leads(location):
    error = error_of(answer(301, b"", {"Location": location}), ASKED)
    assert "301" in str(error)
    assert "b@" not in str(error)
    assert "sig=" not in str(error)
    is_fit(str(error))


@pytest.mark.parametrize(
    "text", ["\ud800", "a\u061cb", "\u00adx", "\u180e", "\U000e0001tag", "a\x9b31mb"]
)
def test_what_cannot_be_shown_is_not_quoted(text):
    error = error_of(answer(403, json.dumps({"message": f"x{text}y"}).encode()), ASKED)
    is_fit(str(error))
    str(error).encode()


@given(
    st.sampled_from(FORMS),
    clean_texts,
    clean_texts,
    st.sampled_from(("", " ", '"', "'", "(", "\n", "=", ":", "_")),
)
def test_no_message_quotes_a_secret(form, before, after, mark):
    text = f"{before}{mark}{form} {after}"
    assert SECRET not in quotable(text)
    for body, kind in (
        (json.dumps({"errors": [{"code": "DENIED", "message": text}]}), "application/json"),
        (json.dumps({"detail": text}), "application/json"),
        (text, "text/plain"),
    ):
        said = error_of(answer(403, body.encode(), {"Content-Type": kind}), ASKED)
        assert SECRET not in str(said)


@pytest.mark.parametrize("words", ["Basic authentication is required", "Bearer token expired: log in",
                                   "basic auth, see https://docs.example/login"])  # fmt: skip
def test_plain_words_stay(words):
    assert quotable(words) == words


@given(bodies)
def test_a_login_is_never_quoted(body):
    response = answer(500, body + SECRET.encode())
    with pytest.raises(HubframeError) as caught:
        check_login(response, ASKED, "the environment")
    assert SECRET not in str(caught.value)


@given(headers)
def test_a_wait_is_a_number_that_can_be_waited(given_headers):
    for read in (retry_after, resets_in):
        wait = read(given_headers)
        assert wait is None or 0 <= wait < 10**16
    Limits().note("registry.example", "", requests.structures.CaseInsensitiveDict(given_headers))


@pytest.mark.parametrize("reset", ["999999999999999", "1e9", "-1", "0", "4102444800"])
def test_a_limit_is_noted_whenever_it_ends(reset):
    limits = Limits()
    told = {"X-RateLimit-Limit": "180", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": reset}
    limits.note("hub.example", "", told)
    assert limits.last("hub.example", "", "hub").remaining == 7


@pytest.mark.parametrize("place", ["America/New_York", "Asia/Kolkata"])
def test_a_date_without_a_zone_is_in_utc(place, monkeypatch):
    monkeypatch.setenv("TZ", place)
    time.tzset()
    try:
        told = {
            "Retry-After": "Wed, 21 Oct 2015 07:28:00 -0000",
            "Date": "Wed, 21 Oct 2015 07:27:00 GMT",
        }
        assert retry_after(told) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.integers(0, 10**8))
def test_a_wait_in_seconds_is_read_as_it_was_written(seconds):
    assert retry_after({"Retry-After": f" {seconds} "}) == seconds


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(0, 86400))  # noqa: DTZ001
def test_a_date_is_measured_by_the_clock_of_who_names_it(now, seconds):
    now = now.replace(tzinfo=UTC, microsecond=0)
    until = datetime.fromtimestamp(now.timestamp() + seconds, UTC)
    for zone in ("GMT", "+0000", "-0000"):
        form = f"%a, %d %b %Y %H:%M:%S {zone}"
        told = {"Retry-After": until.strftime(form), "Date": now.strftime(form)}
        assert retry_after(told) == seconds

"""Everything that somebody may see of a session, and a search for secrets in it."""

import base64
import copy
import dataclasses
import json
import logging
import pickle
import traceback
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import hubframe
from hubframe.testing import Application

USER = "acme-bot"
# Each holds a core of letters and digits, which quoting, JSON and reprs leave as it is; and signs,
# which they do not.
PASSWORD = "dckr_pat_/Ck7PasswordQx+=&"
IDENTITY = "Ck7IdentityQx+/="
GIVEN_TOKEN = "Ck7BearerQx.eyJhbGci"
SIGNATURE = "Ck7SignatureQx"
COOKIE = "Ck7CookieQx"
PROXY = "Ck7ProxyQx"
PLANTED = (PASSWORD, IDENTITY, GIVEN_TOKEN, SIGNATURE, COOKIE, PROXY)
HERE = str(Path(__file__).parents[1])


def core(secret):
    """Return the part of a planted secret that every quoting leaves alone."""
    start = secret.index("Ck7")
    return secret[start : secret.index("Qx") + 2]


def forms(secret):
    """Yield a secret as it may be written: plain, backwards, in hex, and within base64."""
    plain = secret.encode()
    yield plain
    yield plain[::-1]
    yield plain.hex().encode()
    for before in range(3):
        # Of a secret within a longer text, base64 leaves these letters whatever stands around.
        packed = base64.b64encode(b"\0" * before + plain)
        inner = packed[4 if before else 0 : -4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


class Recorder(Application):
    """Notes every login that is sent, and every token that is given for one."""

    def __init__(self, *arguments, **how):
        super().__init__(*arguments, **how)
        self.sent, self.given = [], set()

    def answer(self, request, role=None):
        self.sent.append((role, request.headers.value("Authorization"), request.body))
        reply = super().answer(request, role)
        if request.path.endswith(("/token", "/login")) and reply.status == 200:
            self.given |= _tokens(reply.body)
        return reply

    def logins(self):
        """Return the values of all Authorization headers, without their schemes."""
        return {value.partition(" ")[2] for _, value, _ in self.sent if value}

    def forms(self):
        """Return the identity tokens that were posted."""
        posted = [dict(parse_qsl(body.decode())) for _, _, body in self.sent if body]
        return {form["refresh_token"] for form in posted if "refresh_token" in form}


def _tokens(body):
    try:
        told = json.loads(body)
    except ValueError:
        return set()
    held = told.values() if isinstance(told, dict) else ()
    return {value for value in held if isinstance(value, str) and len(value) > 20}


class Seen:
    """What a session showed, by where it was shown."""

    def __init__(self):
        self.texts = []
        self.errors = []

    def show(self, place, text):
        self.texts.append((place, text.encode() if isinstance(text, str) else text))

    def caught(self, error):
        """Render an error in all the ways that tools and programs render one."""
        self.errors.append(error)
        self.show("message", f"{error} {error!r} {error.args!r} {vars(error)!r}")
        self.show("traceback", "".join(traceback.format_exception(error)))
        self.show("locals", with_locals(error))
        self.show("pickle", pickle.dumps(error, 0))
        # Clusters send the causes of an error along, with all that they hold.
        for cause in _shown(error):
            self.show("cause", f"{cause!r} {vars(cause)!r}")
        assert str(copy.copy(error)) == str(error)
        logging.getLogger("somebody").error("caught", exc_info=error)

    def records(self, caplog):
        """Take over the log, as a handler would write it."""
        formatter = logging.Formatter("%(name)s %(message)s")
        for record in caplog.records:
            self.show(f"log of {record.name}", f"{formatter.format(record)} {record.args!r}")

    def folder(self, path):
        for each in Path(path).rglob("*"):
            if each.is_file():
                self.show(f"file {each.name}", each.name.encode() + each.read_bytes())

    def client(self, client):
        """Take over what a client and all that it holds look like."""
        for each in held_by(client):
            self.show(f"repr of {type(each).__name__}", f"{each!r} {each} {deep(each)}")

    def frame(self, frame):
        """Take over a frame in every form in which it is written."""
        self.show("frame", f"{frame} {frame.attrs!r} {frame.to_csv()} {frame.to_json()}")
        self.show("html", frame._repr_html_() or frame.to_html())

    def leaks(self, *more):
        """Name where which secret is seen."""
        secrets = [*(core(each) for each in PLANTED), *filter(None, more)]
        return sorted(
            {
                f"{secret[:24]} in {place}: {text[max(0, text.index(form) - 60) :][:120]!r}"
                for secret in secrets
                for form in set(forms(secret))
                for place, text in self.texts
                if form in text
            }
        )


def held_by(thing):
    """Yield an object of hubframe, and all of its objects that it holds, directly or not."""
    seen, waiting = set(), [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, (list, tuple, set, frozenset)):
            waiting += one
        elif type(one).__module__.startswith("hubframe"):
            yield one
            waiting += [getattr(one, name) for name in getattr(one, "__slots__", ())]
            waiting += vars(one).values() if hasattr(one, "__dict__") else ()


def with_locals(error):
    """Render a traceback with the variables of each function but those of tests."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    for each in _chain(told):
        each.stack[:] = [frame for frame in each.stack if not frame.filename.startswith(HERE)]
    return "".join(told.format()) + "".join(
        f"{name} = {deep(value)}\n"
        for cause in _shown(error)
        for frame, _ in traceback.walk_tb(cause.__traceback__)
        if not frame.f_code.co_filename.startswith(HERE)
        for name, value in frame.f_locals.items()
    )


def _chain(told):
    while told is not None:
        yield told
        told = told.__cause__ or told.__context__


def _shown(error):
    """Go through an error and all that stands behind it, also what is not printed."""
    seen = []
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__]
    return seen


def deep(value, depth=4):
    """Render a value as the pretty printers of notebooks and terminals do: what is in it, too."""
    if depth and dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [each for each in dataclasses.fields(value) if each.repr]
        inner = [f"{each.name}={deep(getattr(value, each.name), depth - 1)}" for each in fields]
    elif depth and isinstance(value, Mapping):
        inner = [f"{deep(k, depth - 1)}: {deep(v, depth - 1)}" for k, v in list(value.items())]
    elif depth and isinstance(value, list | tuple | set | frozenset):
        inner = [deep(each, depth - 1) for each in value]
    else:
        inner = []
    try:
        return f"{value!r} {' '.join(inner)}"
    except Exception as error:  # noqa: BLE001 - the value's own, and no matter here
        return f"<{error!r}>"


@contextmanager
def watching(seen, caplog):
    """Take over log and warnings of what is done inside."""
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield seen
    for each in said:
        seen.show("warning", str(each.message))
    seen.records(caplog)


def session(client, seen, private, registry):
    """Use a client for everything that takes a login; note what comes of it."""
    asked = f"{registry}/team/app"
    calls = [
        lambda: hubframe.repos_df("acme", client=client),
        lambda: hubframe.tags_df(private, client=client),
        lambda: hubframe.tags_df([private, "library/alpine:latest"], source="registry",
                                 errors="collect", client=client),
        lambda: hubframe.labels_df(private, newest=2, source="registry", client=client),
        lambda: hubframe.configs_df(private, newest=2, errors="collect", client=client),
        lambda: hubframe.catalog_df(registry, client=client),
        lambda: hubframe.tags_df(asked, errors="collect", client=client),
    ]  # fmt: skip
    for call in calls:
        try:
            frame = call()
        except hubframe.HubframeError as error:
            seen.caught(error)
        else:
            seen.frame(frame)
    seen.client(client)

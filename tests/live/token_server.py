"""A token server that a registry trusts: it signs what a user may do, and notes who asked."""

import base64
import datetime as dt
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from .registry import TokenAuth

SERVICE = "registry.test"
ISSUER = "token-server.test"
EXPIRES_IN = 300
PUBLIC = "public/"
READER = ("reader", "reader-password")
PUSHER = ("pusher", "pusher-password")

_PASSWORDS = dict([READER, PUSHER])
_ALLOWED = {"reader": {"pull", "*"}, "pusher": {"pull", "push", "delete", "*"}}


@dataclass(frozen=True)
class TokenRequest:
    """One request for a token."""

    method: str
    target: str
    has_authorization: bool

    @property
    def scopes(self) -> tuple[str, ...]:
        """What was asked for."""
        return tuple(parse_qs(urlsplit(self.target).query).get("scope", []))


@dataclass
class TokenServer:
    """A running token server: who asked, and the tokens that it gave."""

    realm: str
    certificate: Path
    requests: list[TokenRequest] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)

    @property
    def auth(self) -> TokenAuth:
        """What the registry must be told."""
        return TokenAuth(self.realm, SERVICE, ISSUER, self.certificate)

    def forget(self) -> None:
        """Start a new record."""
        self.requests.clear()
        self.issued.clear()


@contextmanager
def serve(folder: Path) -> Iterator[TokenServer]:
    """Run a token server whose certificate lives in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    signer = _Signer()
    certificate = folder / "certificate.pem"
    certificate.write_bytes(signer.certificate.public_bytes(serialization.Encoding.PEM))
    server = _Server(("127.0.0.1", 0), _Handler)
    tokens = TokenServer(f"http://127.0.0.1:{server.server_port}/token", certificate)
    server.signer, server.tokens = signer, tokens  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield tokens
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


class _Signer:
    """A key with a self-signed certificate, which is the registry's root bundle too."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
        now = dt.datetime.now(dt.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def sign(self, user: str, service: str, access: list[dict[str, Any]]) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": service,
            "iat": now,
            # The registry's clock counts whole seconds and may stand a moment earlier.
            "nbf": now - 10,
            "exp": now + EXPIRES_IN,
            "jti": str(uuid.uuid4()),
            "access": access,
        }
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        chain = [base64.b64encode(der).decode()]
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"x5c": chain})


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        tokens: TokenServer = self.server.tokens
        request = TokenRequest("GET", self.path, "Authorization" in self.headers)
        tokens.requests.append(request)
        user = _user(self.headers.get("Authorization"))
        if user is None:
            self._answer(401, {"details": "incorrect username or password"})
            return
        service = parse_qs(urlsplit(self.path).query).get("service", [""])[0]
        token = self.server.signer.sign(user, service, _granted(user, request.scopes))
        tokens.issued.append(token)
        self._answer(200, {"token": token, "expires_in": EXPIRES_IN})

    def do_POST(self) -> None:
        """Refuse the OAuth2 form, as servers do that offer the GET form only."""
        asked = TokenRequest("POST", self.path, "Authorization" in self.headers)
        self.server.tokens.requests.append(asked)
        self._answer(404, {"details": "not found"})

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


def _user(authorization: str | None) -> str | None:
    """Name who asks: "" without a login, None where the login is wrong."""
    if authorization is None:
        return ""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    name, _, password = base64.b64decode(encoded).decode().partition(":")
    return name if _PASSWORDS.get(name) == password else None


def _granted(user: str, scopes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Cut what is asked down to what is allowed; asking for too much is no error."""
    access = []
    for scope in scopes:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        allowed = _ALLOWED.get(user) or ({"pull"} if name.startswith(PUBLIC) else set())
        granted = [action for action in actions.split(",") if action in allowed]
        access.append({"type": kind, "name": name, "actions": granted})
    return access

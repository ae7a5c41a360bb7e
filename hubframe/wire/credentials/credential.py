"""One login: what is secret of it stays out of its ``repr``."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, TypeGuard


@dataclass(frozen=True)
class Credential:
    """What one registry is told about who asks, and the place that it comes from.

    Attributes
    ----------
    username, secret
        A user name with its password or access token; empty where a login has none.
    source
        Where it was found, for messages.
    identity_token
        What a registry's token server takes in place of a password.
    registry_token
        A bearer token, used as it is.
    """

    username: str
    secret: str = field(repr=False)
    source: str
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)
    _identity: str = field(default="", init=False, repr=False, compare=False)

    @property
    def identity(self) -> str:
        """What tells this login's cached answers from another's.

        It depends on the secret too, so that a wrong password is never served a right one's
        answers; a slow hash keeps the cache's keys from helping anybody to guess it.
        """
        if not self._identity:
            # It takes a while, and an interrupt may show all variables: none holds a secret.
            found = hashlib.scrypt(
                json.dumps([self.secret, self.identity_token, self.registry_token]).encode(),
                salt=_bytes(f"hubframe:{self.username}"),
                n=2**14,
                r=8,
                p=1,
                dklen=16,
            )
            object.__setattr__(self, "_identity", found.hex())
        return self._identity

    @property
    def is_pair(self) -> bool:
        """Whether it can be typed into a login: a user name and a secret."""
        return bool(self.username and self.secret)

    @property
    def basic(self) -> str | None:
        """The value of a Basic ``Authorization``; an identity token serves as a password."""
        secret = self.secret or self.identity_token
        pair = base64.b64encode(_bytes(f"{self.username}:{secret}")).decode()
        return f"Basic {pair}" if secret else None


class Sealed:
    """A value on its way through functions that may raise: no traceback shows what it holds."""

    def __init__(self, value: Any) -> None:
        self.value = value


def is_text(value: Any) -> TypeGuard[str]:
    """Tell whether a value is text that can be sent."""
    if not isinstance(value, str):
        return False
    try:
        _bytes(value)
    except UnicodeEncodeError:
        return False
    return True


def is_token(value: Any) -> bool:
    """Tell whether a value can stand in a header."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value


def _bytes(text: str) -> bytes:
    """Encode; what was no UTF-8 in a variable is sent as it was."""
    return text.encode("utf-8", "surrogateescape")

"""The exceptions and warnings of hubframe, arranged by what the caller can do.

::

    HubframeError
    ├── TransportError             no usable answer
    │   ├── RateLimitError         asked to slow down
    │   │   └── QuotaError         the plan needs more pulls than are left
    │   ├── NotCachedError         offline, and not here
    │   └── BlockedError           a bot wall answered, not the API
    ├── UnauthorizedError          credentials refused, or needed
    ├── NotFoundError              no such thing, or private to you   (also LookupError)
    ├── InvalidReferenceError      the text is no image reference     (also ValueError)
    ├── PayloadError               not what its table expects         (also ValueError)
    │   └── DigestMismatchError    not the bytes that the digest names
    ├── CredentialsError           a credential helper or config file failed
    └── NoSuchPlatformError        the tag has no such platform       (also LookupError)

    UserWarning
    ├── IncompleteWarning          a frame lacks rows, or values, of items that failed
    ├── StaleWarning               an old answer was served, since no new one could be had
    ├── NoMatchWarning             a filter or a platform matches nothing that there is
    ├── UnknownOrderWarning        neither dates nor names tell which tags are the newest
    ├── CacheWarning               the cache on disk could not be used as it is
    └── CredentialsWarning         a login in a config file could not be read

No message ever holds a secret, nor a character that steers a terminal: parts of it may be
untrusted.
"""

import re
from typing import Literal

# How Python is given a login, and asks without one; the command line says it in words of its own.
GIVE_LOGIN = "give Client(credentials=…)"
ASK_ANONYMOUSLY = "ask anonymously with Client(credentials=False)"
# Where Python finds what failed.
ALL_FAILURES = 'All stand in frame.attrs["hubframe"]["failures"]'

Limit = Literal["pull", "hub", "abuse"]
# Control characters, halves of characters, those without a width, and those that turn the
# direction of what follows.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]+"
)
_LONGEST = 4000


def harmless(text: str) -> str:
    """Return untrusted text on one line, with a blank for what steers."""
    return _STEERING.sub(" ", text)


class HubframeError(Exception):
    """Everything that hubframe raises on purpose."""

    def __init__(self, message: str = "") -> None:
        shown = harmless(message)
        super().__init__(shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…")


class TransportError(HubframeError):
    """The other side gave no usable answer."""


class RateLimitError(TransportError):
    """The other side asked to slow down.

    Attributes
    ----------
    retry_after
        Seconds to wait, or None where the answer did not say.
    limit
        Which limit it is: "pull", "hub" (the Hub API's per-minute limit) or "abuse".
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, limit: Limit = "hub"
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.limit = limit


class QuotaError(RateLimitError):
    """A plan needs more pulls than are left.

    Attributes
    ----------
    needed, remaining
        Pulls that the plan needs, and pulls that are left.
    """

    # Pickling and copying make it of the message alone, and then set the rest.
    def __init__(self, message: str, *, needed: int = 0, remaining: int = 0) -> None:
        super().__init__(message, limit="pull")
        self.needed = needed
        self.remaining = remaining


class NotCachedError(TransportError):
    """The network is not to be used, and the answer is not in the cache."""


class BlockedError(TransportError):
    """A bot wall answered in place of the API."""


class UnauthorizedError(HubframeError):
    """The credentials were refused, or are needed and missing."""


class NotFoundError(HubframeError, LookupError):
    """There is no such repository, tag or document, or it is private to you."""


class InvalidReferenceError(HubframeError, ValueError):
    """The text is not an image reference."""


class PayloadError(HubframeError, ValueError):
    """The answer is not shaped as its table expects."""


class DigestMismatchError(PayloadError):
    """The bytes are not those that their digest names."""


class CredentialsError(HubframeError):
    """A credential helper or a config file failed."""


class NoSuchPlatformError(HubframeError, LookupError):
    """The tag has no image for the platform."""


class IncompleteWarning(UserWarning):
    """A frame lacks rows, or values, of items that failed."""


class NoMatchWarning(UserWarning):
    """A filter of tags or a platform matches nothing that there is."""


class UnknownOrderWarning(UserWarning):
    """Neither dates nor names tell which tags are the newest."""


class StaleWarning(UserWarning):
    """What was answered is old: no new answer could be had, or no newer dates are here."""


class CacheWarning(UserWarning):
    """The cache on disk could not be used as it is."""


class CredentialsWarning(UserWarning):
    """A login in a config file could not be read."""


def __dir__() -> list[str]:
    kinds = {name: value for name, value in globals().items() if isinstance(value, type)}
    return [name for name, kind in kinds.items() if issubclass(kind, HubframeError | UserWarning)]

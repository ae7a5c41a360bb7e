"""A table of routes: which method of a service answers which path."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hubframe.testing.message import Reply, Request

READ = ("GET", "HEAD")


@dataclass(frozen=True)
class Route:
    """A path, as a regular expression over all of it, and the function that answers it."""

    methods: tuple[str, ...]
    path: re.Pattern[str]
    handler: Callable[..., Reply]


def read(path: str, handler: Callable[..., Reply]) -> Route:
    """Return a route for GET and HEAD."""
    return Route(READ, re.compile(path), handler)


def post(path: str, handler: Callable[..., Reply]) -> Route:
    """Return a route for POST."""
    return Route(("POST",), re.compile(path), handler)


def find(
    routes: Sequence[Route], request: Request
) -> tuple[Callable[..., Reply], dict[str, Any]] | None:
    """Return the function that answers the request, and the named parts of its path."""
    for route in routes:
        match = route.path.fullmatch(request.path)
        if match and request.method in route.methods:
            return route.handler, match.groupdict()
    return None

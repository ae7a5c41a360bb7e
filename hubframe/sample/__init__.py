"""A small Docker Hub and two registries inside the package, synthetic, with true digests.

They answer through a requests transport adapter, with no socket and no network, or on loopback
sockets. Nothing is loaded before it is asked for.

``hubframe.sample`` is this module and the switch in one: calling it has all calls that name no
client answered from here.
"""

import sys
from contextlib import ExitStack
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hubframe.sample.adapter import SampleAdapter
    from hubframe.sample.application import Application
    from hubframe.sample.message import DROP, Exchange, Fault, Reply, Request
    from hubframe.sample.server import Served, serve
    from hubframe.sample.world import World

__all__ = [
    "DROP",
    "Application",
    "Exchange",
    "Fault",
    "Reply",
    "Request",
    "SampleAdapter",
    "Served",
    "World",
    "serve",
]

_HOMES = {
    "Application": "application",
    "DROP": "message",
    "Exchange": "message",
    "Fault": "message",
    "Reply": "message",
    "Request": "message",
    "SampleAdapter": "adapter",
    "Served": "server",
    "World": "world",
    "serve": "server",
}


class _Switch(ModuleType):
    """A module that can be called: Python binds a submodule over a function of the same name."""

    def __call__(self) -> ExitStack:
        """Answer from the bundled sample; see `hubframe.client.sample`."""
        switch: ExitStack = import_module("hubframe.client").sample()
        return switch


sys.modules[__name__].__class__ = _Switch


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

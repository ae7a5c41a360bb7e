"""Live fixtures: an open registry and one behind a token server, both filled once a session."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import images, registry, token_server

TOOLS = ("docker-registry", "skopeo", "umoci")
# A login or a setting of the machine must not change what these tests see.
FOREIGN = ("DOCKER_USERNAME", "DOCKER_PASSWORD", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE")


@dataclass(frozen=True)
class LiveRegistry:
    """An open registry and the images in it; it never changes during a session."""

    host: str
    url: str
    images: list[images.Image]
    storage: Path

    def repositories(self) -> list[str]:
        """Name the repositories with tags, as frames do, sorted."""
        return sorted({image.repo for image in self.images})

    def tagged(self, repository: str) -> list[images.Image]:
        """Return the images of one repository."""
        return [image for image in self.images if image.repository == repository]

    def find(self, name: str) -> images.Image:
        """Return the image called ``repository:tag``."""
        return next(image for image in self.images if str(image) == name)


@dataclass(frozen=True)
class TokenRegistry:
    """A registry behind a token server; ``username`` may pull everything."""

    host: str
    url: str
    images: list[images.Image]
    token_server: token_server.TokenServer
    username: str
    password: str

    @property
    def credentials(self) -> dict[str, tuple[str, str]]:
        """The login, as ``hubframe.Client`` takes it."""
        return {self.host: (self.username, self.password)}

    def find(self, name: str) -> images.Image:
        """Return the image called ``repository:tag``."""
        return next(image for image in self.images if str(image) == name)


@pytest.fixture(scope="session")
def tools() -> None:
    """Skip where the tools are missing, and fail where they must be there."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if not missing:
        return
    message = (
        "install docker-registry, skopeo and umoci (Debian packages) to run the live tests; "
        f"missing here: {', '.join(missing)}"
    )
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def image_library(
    tools: None,  # noqa: ARG001 - asked for what it checks
    tmp_path_factory: pytest.TempPathFactory,
) -> images.Library:
    """Every image, built once."""
    return images.Library.build(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def live_registry(
    image_library: images.Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveRegistry]:
    """The open registry, filled."""
    with registry.serve(tmp_path_factory.mktemp("registry")) as running:
        filled = images.fill(image_library, running.host)
        yield LiveRegistry(running.host, running.url, filled, running.storage)


@pytest.fixture(scope="session")
def shared_token_registry(
    image_library: images.Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TokenRegistry]:
    """The registry behind a token server, filled; use ``token_registry``."""
    folder = tmp_path_factory.mktemp("token-registry")
    with (
        token_server.serve(folder) as tokens,
        registry.serve(folder, auth=tokens.auth) as running,
    ):
        filled = images.fill_private(image_library, running.host, token_server.PUSHER)
        yield TokenRegistry(running.host, running.url, filled, tokens, *token_server.READER)


@pytest.fixture
def token_registry(shared_token_registry: TokenRegistry) -> TokenRegistry:
    """The registry behind a token server, whose record of requests starts with this test."""
    shared_token_registry.token_server.forget()
    return shared_token_registry


@pytest.fixture
def plain_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide logins and settings of the machine."""
    for name in os.environ:
        if name.startswith("HUBFRAME_") or name in FOREIGN:
            monkeypatch.delenv(name)
    empty = tmp_path / "docker-config"
    empty.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(empty))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(empty))
    monkeypatch.setenv("HOME", str(empty))


@pytest.fixture
def client(
    plain_machine: None,  # noqa: ARG001 - asked for what it hides
    tmp_path: Path,
) -> Iterator[Any]:
    """A client with an empty cache and no login."""
    import hubframe  # noqa: PLC0415 - the fixtures above need no hubframe

    with hubframe.Client(settings=hubframe.Settings(cache_dir=tmp_path / "cache")) as opened:
        yield opened

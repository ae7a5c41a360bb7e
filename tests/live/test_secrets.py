"""No secret is told when real registries are asked with right and with wrong logins."""

import logging
from pathlib import Path
from typing import Any

import pytest

import hubframe
from tests.hostile.seen import Seen, watching

from .conftest import TokenRegistry

WRONG = "Ck7WrongPasswordQx"


def asked(client: Any, seen: Seen, repository: str) -> None:
    for call in (
        lambda: hubframe.tags_df(repository, client=client),
        lambda: hubframe.labels_df(repository, client=client),
        lambda: hubframe.config(f"{repository}:nowhere", client=client),
        lambda: hubframe.catalog_df(repository.partition("/")[0], client=client),
    ):
        try:
            seen.frame(call())
        except hubframe.HubframeError as error:
            seen.caught(error)
    seen.client(client)


@pytest.mark.usefixtures("plain_machine")
@pytest.mark.parametrize("is_right", [True, False])
def test_tokens_and_passwords_are_told_to_nobody(
    token_registry: TokenRegistry,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    is_right: bool,  # noqa: FBT001
) -> None:
    seen = Seen()
    login = (token_registry.username, token_registry.password if is_right else WRONG)
    settings = hubframe.Settings(cache_dir=tmp_path / "kept")
    with watching(seen, caplog), hubframe.Client(settings, {token_registry.host: login}) as client:
        asked(client, seen, token_registry.images[0].repo)
    seen.folder(tmp_path / "kept")

    assert bool(token_registry.token_server.issued) == is_right
    assert seen.errors
    assert logging.getLogger("urllib3").isEnabledFor(logging.DEBUG)
    assert any("urllib3" in place for place, _ in seen.texts)
    assert seen.leaks(*token_registry.token_server.issued, login[1]) == []

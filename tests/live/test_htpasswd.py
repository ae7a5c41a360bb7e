"""A registry of Debian's that knows only Basic: hubframe and skopeo with the same logins."""

import base64
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import hubframe

from . import images, registry, skopeo

LOGIN = ("reader", "pass:with:colons and spaces")
# Made by crypt(3); the registry takes no other kind of hash.
HTPASSWD = "reader:$2y$05$hubframehubframehubfrOgztsO6PgNO5zsg76Rb81G78aYACE0j2\n"
WRONG = "not-the-password-5c1e"
REPOSITORIES = ("base", "team/app", "team/tools/app")


@dataclass(frozen=True)
class Guarded:
    """A registry that shows nothing without a login, and its log."""

    host: str
    log: Path

    def reference(self, repository: str) -> str:
        """Return the reference of the repository's only tag."""
        return f"{self.host}/{repository}:1"

    def refusals(self) -> int:
        """Count the logins that the registry refused so far."""
        return self.log.read_text().count("error authenticating user")


@pytest.fixture(scope="module")
def guarded(
    image_library: images.Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    """The registry, filled by skopeo."""
    folder = tmp_path_factory.mktemp("htpasswd")
    passwords = folder / "htpasswd"
    passwords.write_text(HTPASSWD)
    usual = registry._configuration

    def with_passwords(storage: Path, auth: Any) -> dict[str, Any]:
        basic = {"realm": "the test", "path": str(passwords)}
        return {**usual(storage, auth), "auth": {"htpasswd": basic}}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_configuration", with_passwords)
        with registry.serve(folder) as running:
            for repository in REPOSITORIES:
                reference = f"{running.host}/{repository}:1"
                skopeo.copy(image_library.layout.folder, "worker", reference, credentials=LOGIN)
            yield Guarded(running.host, running.log)


@pytest.fixture
def auth_file(
    plain_machine: None,  # noqa: ARG001 - asked for what it hides
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Path:
    """The file that both read; empty so far."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    path = tmp_path / "auth.json"
    path.write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(path))
    return path


def entry(username: str, secret: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{secret}".encode()).decode()}


def printed(reference: str) -> dict[str, Any]:
    """What skopeo prints with the logins that it finds by itself."""
    shown: dict[str, Any] = json.loads(
        skopeo._run("inspect", "--tls-verify=false", f"docker://{reference}")
    )
    return shown


def seen(reference: str, folder: Path, credentials: Any = None) -> dict[str, Any]:
    """What hubframe says, with an empty cache."""
    settings = hubframe.Settings(cache_dir=folder)
    with hubframe.Client(settings, credentials) as client:
        return dict(hubframe.inspect(reference, client=client))


def same(seen: dict[str, Any], printed: dict[str, Any]) -> bool:
    return {key: seen[key] for key in printed} == printed


@pytest.mark.usefixtures("auth_file")
def test_a_login_that_is_given_reads_what_skopeo_reads(guarded: Guarded, tmp_path: Path) -> None:
    for repository in REPOSITORIES:
        reference = guarded.reference(repository)
        told = skopeo.inspect(reference, credentials=LOGIN)
        assert told["RepoTags"] == ["1"]
        assert same(seen(reference, tmp_path / repository, {guarded.host: LOGIN}), told)


@pytest.mark.usefixtures("auth_file")
def test_a_login_reads_the_catalogue(guarded: Guarded, tmp_path: Path) -> None:
    with hubframe.Client(
        hubframe.Settings(cache_dir=tmp_path / "cache"), {guarded.host: LOGIN}
    ) as client:
        frame = hubframe.catalog_df(guarded.host, client=client)
    assert set(frame["repo"]) == {f"{guarded.host}/{path}" for path in REPOSITORIES}


@pytest.mark.usefixtures("auth_file")
def test_without_a_login_both_are_refused(guarded: Guarded, tmp_path: Path) -> None:
    reference = guarded.reference("base")

    with pytest.raises(skopeo.SkopeoError, match=r"unauthorized|authentication required"):
        printed(reference)
    with pytest.raises(hubframe.UnauthorizedError, match="needs a login") as caught:
        seen(reference, tmp_path / "cache")
    assert guarded.host in str(caught.value)


def test_a_wrong_password_is_sent_once_and_its_file_named(
    guarded: Guarded, auth_file: Path, tmp_path: Path
) -> None:
    auth_file.write_text(json.dumps({"auths": {guarded.host: entry("reader", WRONG)}}))
    repos = [f"{guarded.host}/{path}" for path in REPOSITORIES]
    before = guarded.refusals()

    with (
        hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "cache")) as client,
        pytest.warns(hubframe.IncompleteWarning),
    ):
        frame = hubframe.tags_df(repos, errors="collect", client=client)
    failures = frame.attrs["hubframe"]["failures"]
    assert [each["error"] for each in failures] == ["UnauthorizedError"] * len(repos)
    for each in failures:
        assert str(auth_file) in each["message"]
        assert WRONG not in each["message"]
    assert guarded.refusals() == before + 1


@pytest.mark.parametrize("key", ["{}", "http://{}", "https://{}/v1/"])
def test_both_read_the_same_file(
    guarded: Guarded, auth_file: Path, tmp_path: Path, key: str
) -> None:
    auth_file.write_text(json.dumps({"auths": {key.format(guarded.host): entry(*LOGIN)}}))
    reference = guarded.reference("team/app")

    assert same(seen(reference, tmp_path / "cache"), printed(reference))


# A login for: the registry, team, team/tools; and who may then read what.
RIGHT, BAD = LOGIN[1], WRONG
NAMESPACES = [
    ({"": BAD, "/team": RIGHT}, {"team/app", "team/tools/app"}),
    ({"": RIGHT, "/team": BAD}, {"base"}),
    ({"": BAD, "/team": BAD, "/team/tools": RIGHT}, {"team/tools/app"}),
    ({"/team/tools/app": RIGHT}, {"team/tools/app"}),
    ({"": RIGHT, "/tea": BAD, "/team/app": BAD}, {"base", "team/tools/app"}),
    ({"/team": RIGHT, "/team/tools": BAD}, {"team/app"}),
]


@pytest.mark.parametrize(("passwords", "expected"), NAMESPACES, ids=lambda each: str(len(each)))
def test_both_choose_the_same_login_for_a_namespace(
    guarded: Guarded,
    auth_file: Path,
    tmp_path: Path,
    passwords: dict[str, str],
    expected: set[str],
) -> None:
    auths = {f"{guarded.host}{path}": entry("reader", each) for path, each in passwords.items()}
    auth_file.write_text(json.dumps({"auths": auths}))

    assert {path for path in REPOSITORIES if _reads(printed, guarded.reference(path))} == expected
    with hubframe.Client(hubframe.Settings(cache_dir=tmp_path / "cache")) as client:
        readable = {
            path
            for path in REPOSITORIES
            if _reads(hubframe.inspect, guarded.reference(path), client=client)
        }
    assert readable == expected


def _reads(inspect: Any, reference: str, **how: Any) -> bool:
    try:
        return "1" in inspect(reference, **how)["RepoTags"]
    except (skopeo.SkopeoError, hubframe.UnauthorizedError):
        return False


@pytest.mark.skipif(os.name != "posix", reason="the helper here is a Unix script")
def test_both_ask_the_same_helper(
    guarded: Guarded, auth_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = {"ServerURL": guarded.host, "Username": LOGIN[0], "Secret": LOGIN[1]}
    heard = tmp_path / "heard"
    helper = tmp_path / "docker-credential-live"
    helper.write_text(
        f"#!{sys.executable} -S\n"
        f"import sys\nopen({str(heard)!r}, 'a').write(sys.stdin.read().strip() + '\\n')\n"
        f"print({json.dumps(answer)!r})\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    auth_file.write_text(json.dumps({"credHelpers": {guarded.host: "live"}}))
    reference = guarded.reference("base")

    told = printed(reference)
    asked_by_skopeo = heard.read_text().splitlines()
    assert set(asked_by_skopeo) == {guarded.host}
    assert same(seen(reference, tmp_path / "cache"), told)
    assert heard.read_text().splitlines() == [*asked_by_skopeo, guarded.host]


def test_no_secret_is_written_to_the_cache(
    guarded: Guarded, auth_file: Path, tmp_path: Path
) -> None:
    auth_file.write_text(json.dumps({"auths": {guarded.host: entry(*LOGIN)}}))
    seen(guarded.reference("base"), tmp_path / "cache")

    held = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert any(b"base" in each for each in held)
    for secret in (LOGIN[1], entry(*LOGIN)["auth"]):
        assert not any(secret.encode() in each for each in held)

"""The live fixtures themselves, looked at with requests and skopeo only."""

import json

import jwt
import pytest
import requests

from . import images, proxy, skopeo, token_server
from .conftest import LiveRegistry, TokenRegistry

ACCEPT = {"Accept": ", ".join(images.KINDS)}


def get(url: str, **more: object) -> requests.Response:
    """Ask once, as nobody in particular."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=30, **more)


def test_every_tag_that_was_pushed_is_there_and_no_other(live_registry: LiveRegistry) -> None:
    for repo in live_registry.repositories():
        listed = skopeo.list_tags(repo)["Tags"]
        pushed = [image.tag for image in live_registry.images if image.repo == repo]
        assert sorted(listed) == sorted(pushed)


def test_digest_and_media_type_are_what_the_registry_serves(live_registry: LiveRegistry) -> None:
    for image in live_registry.images:
        url = f"{live_registry.url}/v2/{image.repository}/manifests/{image.tag}"
        answer = get(url, headers=ACCEPT)
        assert answer.headers["Content-Type"] == image.media_type
        assert answer.headers["Docker-Content-Digest"] == image.digest
        if image.format != "schema1":  # whose digest leaves the signature out
            assert images.digest_of(answer.content) == image.digest


def test_all_kinds_of_images_are_there(live_registry: LiveRegistry) -> None:
    kinds = {(image.format, image.kind) for image in live_registry.images}
    assert kinds == set(images.KINDS.values())
    platforms = {platform for image in live_registry.images for platform in image.platforms}
    assert platforms == {images.AMD64, images.ARM64, images.ARM, "windows/amd64"}


def test_aliases_share_a_digest(live_registry: LiveRegistry) -> None:
    newest = {image.digest for image in live_registry.tagged("team/app") if image.tag != "1.4.1"}
    assert len(newest) == 1
    assert live_registry.find("base:3.20").digest == live_registry.find("base:latest").digest
    assert live_registry.find("tool:1.0").digest == live_registry.find("tool:stable").digest


def test_an_index_says_what_its_children_are(live_registry: LiveRegistry) -> None:
    for image in live_registry.images:
        if image.kind != "index":
            continue
        entries = json.loads(skopeo.inspect(image.reference, raw=True))["manifests"]
        named = ["/".join(_platform(entry["platform"])) for entry in entries]
        # The images here are listed by the one spelling that frames have.
        named = [name.replace("arm64/v8", "arm64") for name in named]
        expected = {*image.platforms, *(["unknown/unknown"] if image.attestations else [])}
        assert set(named) == expected
        unknown = [
            entry["digest"] for entry in entries if _platform(entry["platform"])[0] == "unknown"
        ]
        assert tuple(unknown) == image.attestations


def _platform(entry: dict[str, str]) -> list[str]:
    return [entry[key] for key in ("os", "architecture", "variant") if key in entry]


def test_bases_are_shared(live_registry: LiveRegistry) -> None:
    layers = {
        name: skopeo.inspect(
            live_registry.find(name).reference, os="linux", architecture="amd64", no_tags=True
        )["Layers"]
        for name in ("base:3.20", "team/app:1.4.2", "team/app/worker:2.0")
    }
    base, app, worker = layers.values()
    assert (len(base), len(app), len(worker)) == (1, 3, 4)
    assert app[:1] == base
    assert worker[:3] == app


def test_platforms_differ_in_content(live_registry: LiveRegistry) -> None:
    app = live_registry.find("team/app:1.4.2").reference
    tops = [
        skopeo.inspect(app, os="linux", architecture=architecture, no_tags=True)["Layers"][-1]
        for architecture in ("amd64", "arm64", "arm")
    ]
    assert len(set(tops)) == 3


def test_labels_and_environment_arrive_unchanged(live_registry: LiveRegistry) -> None:
    app = live_registry.find("team/app:1.4.2").reference
    seen = skopeo.inspect(app, os="linux", architecture="amd64")
    assert seen["Labels"] == {**images.LABELS, "org.opencontainers.image.version": "1.4.2"}
    assert dict(line.split("=", 1) for line in seen["Env"]) == images.ENVIRONMENT


def test_images_have_the_same_digests_in_each_session(
    image_library: images.Library, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = images.Library.build(tmp_path_factory.mktemp("again"))
    for tag in ("base-arm", "app-amd64", "worker", "app-list"):
        assert again.layout.find(tag)["digest"] == image_library.layout.find(tag)["digest"]


def test_a_repository_without_tags_is_in_the_catalogue(live_registry: LiveRegistry) -> None:
    names = get(f"{live_registry.url}/v2/_catalog").json()["repositories"]
    pushed = {image.repository for image in live_registry.images}
    # Other tests push theirs.
    assert set(names) >= pushed | {"empty/untagged"}
    assert get(f"{live_registry.url}/v2/empty/untagged/tags/list").json()["tags"] is None


def test_a_failing_skopeo_shows_what_it_said(live_registry: LiveRegistry) -> None:
    with pytest.raises(skopeo.SkopeoError, match="manifest unknown"):
        skopeo.inspect(f"{live_registry.host}/team/app:gone")


def test_the_proxy_counts_documents(live_registry: LiveRegistry) -> None:
    image = live_registry.find("base:3.20")
    with proxy.recording(live_registry.host) as recorded:
        url = f"http://{recorded.host}/v2/base"
        assert get(f"{url}/tags/list").json()["name"] == "base"
        for tag in ("3.20", "latest"):
            assert get(f"{url}/manifests/{tag}", headers=ACCEPT).status_code == 200
        assert get(f"{url}/manifests/gone", headers=ACCEPT).status_code == 404
        with requests.Session() as session:
            head = session.head(f"{url}/manifests/3.20", headers=ACCEPT, timeout=30)
    assert head.headers["Docker-Content-Digest"] == image.digest
    assert recorded.documents() == {image.digest: 2}
    assert len(recorded.passed) == 5


def test_skopeo_reads_through_the_proxy(live_registry: LiveRegistry) -> None:
    with proxy.recording(live_registry.host) as recorded:
        seen = skopeo.inspect(f"{recorded.host}/team/app:1.4.2", os="linux", architecture="arm64")
    assert seen["Architecture"] == "arm64"
    assert len(recorded.documents()) == 3  # index, manifest, config


def test_anonymous_may_pull_what_is_public(token_registry: TokenRegistry) -> None:
    public = token_registry.find("public/base:3.20")
    assert skopeo.inspect(public.reference)["Digest"] == public.digest
    assert not any(asked.has_authorization for asked in token_registry.token_server.requests)


def test_anonymous_gets_a_token_that_is_worth_nothing(token_registry: TokenRegistry) -> None:
    url = f"{token_registry.url}/v2/private/app/manifests/1.4"
    challenge = get(url).headers["WWW-Authenticate"]
    assert f'service="{token_server.SERVICE}"' in challenge
    scope = "repository:private/app:pull"
    realm = token_registry.token_server.realm
    answer = get(realm, params={"service": token_server.SERVICE, "scope": scope}).json()
    assert answer["expires_in"] == 300
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["access"] == [{"type": "repository", "name": "private/app", "actions": []}]
    refused = get(url, headers={**ACCEPT, "Authorization": f"Bearer {answer['token']}"})
    assert refused.status_code == 401


def test_the_reader_may_pull_everything_and_push_nothing(
    token_registry: TokenRegistry, image_library: images.Library
) -> None:
    for image in token_registry.images:
        seen = skopeo.inspect(
            image.reference, os="linux", architecture="amd64", credentials=token_server.READER
        )
        assert seen["Digest"] == image.digest
    with pytest.raises(skopeo.SkopeoError, match=r"denied|authentication required|unauthorized"):
        skopeo.copy(
            image_library.layout.folder,
            "worker",
            f"{token_registry.host}/private/app:pushed",
            credentials=token_server.READER,
        )


def test_a_wrong_password_is_refused_at_the_realm(token_registry: TokenRegistry) -> None:
    answer = get(token_registry.token_server.realm, auth=("reader", "wrong"))
    assert answer.status_code == 401
    assert [asked.has_authorization for asked in token_registry.token_server.requests] == [True]

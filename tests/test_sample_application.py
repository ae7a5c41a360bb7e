"""The bundled sample: true documents, and services that answer as the real ones do."""

import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from importlib.resources import files

import pytest
import requests
import requests_cache

import hubframe
from hubframe.testing import DROP, Application, Fault, Reply, SampleAdapter, World, serve
from hubframe.testing.message import Headers, Request
from hubframe.testing.world import FILE_NAME
from tools.sample import build
from tools.sample.draft import SYNTHETIC

HUB = "https://hub.docker.com"
DOCKER = "https://registry-1.docker.io"
EXAMPLE = "https://registry.example"
ACCEPT = (
    ",".join(
        f"application/vnd.{kind}+json"
        for kind in (
            "oci.image.index.v1",
            "docker.distribution.manifest.list.v2",
            "oci.image.manifest.v1",
            "docker.distribution.manifest.v2",
        )
    )
    + ",application/vnd.docker.distribution.manifest.v1+prettyjws"
)
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
PASSWORD = "sample-password"


class Clock:
    """A time that tests move."""

    now = 1_795_132_800.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def world():
    return World.bundled()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def application(world, clock):
    return Application(world, clock=clock)


@pytest.fixture
def session(application):
    return session_of(application)


def session_of(application):
    session = requests.Session()
    session.mount("https://", SampleAdapter(application))
    session.mount("http://", SampleAdapter(application))
    return session


def hub_token(session, name="acme-bot"):
    body = {"identifier": name, "secret": PASSWORD}
    return session.post(f"{HUB}/v2/auth/token", json=body).json()["access_token"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def pull_token(session, path, auth=None, realm="https://auth.docker.io/token"):
    answer = session.get(realm, params={"scope": f"repository:{path}:pull"}, auth=auth)
    return answer.json()["token"]


def manifest(session, path, reference, method="GET", *, root=DOCKER, accept=ACCEPT):  # noqa: PLR0913
    realm = "https://auth.docker.io/token" if root == DOCKER else f"{root}/token"
    headers = {**bearer(pull_token(session, path, realm=realm)), "Accept": accept}
    return session.request(method, f"{root}/v2/{path}/manifests/{reference}", headers=headers)


# --- The data ------------------------------------------------------------------------------------


def test_every_document_has_its_digest(world):
    for digest, document in world.documents.items():
        body = document.body
        if document.media_type == SCHEMA_1:
            body = schema_1_payload(body)
        assert "sha256:" + hashlib.sha256(body).hexdigest() == digest


def schema_1_payload(body):
    def decoded(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    protected = json.loads(decoded(json.loads(body)["signatures"][0]["protected"]))
    return body[: protected["formatLength"]] + decoded(protected["formatTail"])


def test_every_reference_to_a_document_is_true(world):
    for document in world.documents.values():
        if document.is_manifest and document.media_type != SCHEMA_1:
            content = document.parsed()
            for child in [*content.get("manifests", []), *filter(None, [content.get("config")])]:
                found = world.documents[child["digest"]]
                assert len(found.body) == child["size"]
                # A config's bytes may go by Docker's and by OCI's type.
                assert not found.is_manifest or found.media_type == child["mediaType"]
    for repository in world.repositories.values():
        for tag in repository.tags.values():
            assert world.documents[tag.digest].is_manifest


def test_no_document_is_out_of_reach(world):
    held = {digest for each in world.repositories.values() for digest in world.held(each)}
    assert held == set(world.documents)


def test_history_and_layers_agree(world):
    checked = 0
    for document in world.documents.values():
        content = document.parsed() if document.is_manifest else {}
        config = content.get("config", {})
        if "container.image" not in config.get("mediaType", "") or "layers" not in content:
            continue
        image = world.documents[config["digest"]].parsed()
        assert len(image["rootfs"]["diff_ids"]) == len(content["layers"])
        steps = [step for step in image["history"] if not step.get("empty_layer")]
        assert len(steps) in {0, len(content["layers"])}
        checked += 1
    assert checked > 300


def test_a_child_image_starts_with_its_base(world):
    def layers(path, tag):
        document = world.documents[world.repositories["docker.io", path].tags[tag].digest]
        child = document.parsed()["manifests"][0]["digest"]
        return [layer["digest"] for layer in world.documents[child].parsed()["layers"]]

    base = layers("library/debian", "13.6-slim")
    nginx = layers("library/nginx", "1.31.2")
    assert nginx[: len(base)] == base
    assert layers("acme/web", "4.4.1")[: len(nginx)] == nginx


def test_the_build_is_reproducible_and_bundled():
    bundled = files("hubframe.testing").joinpath(FILE_NAME).read_bytes()
    built = build()
    assert built == build()
    # Decompressed: another zlib may compress otherwise.
    assert gzip.decompress(built) == gzip.decompress(bundled)
    assert len(bundled) < 900_000


def test_loading_is_quick():
    def seconds():
        start = time.process_time()
        World.bundled()
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.15


def test_counts(world):
    hosts = Counter(each.host for each in world.repositories.values())
    tags = Counter()
    for each in world.repositories.values():
        tags[each.host] += len(each.tags)
    assert hosts == {"docker.io": 16, "registry.example": 7, "quay.io": 2}
    assert 280 <= tags["docker.io"] <= 340
    assert tags["registry.example"] == 45
    assert tags["quay.io"] == 11
    private = {each.path for each in world.repositories.values() if each.is_private}
    assert private == {"ansible/vault-tools", "acme/billing"}


def test_what_is_in_it_varies(world):
    docker = world.of_host("docker.io")
    payloads = [tag.payload for each in docker for tag in each.tags.values()]
    images = [image for payload in payloads for image in payload["images"]]
    platforms = {(image["os"], image["architecture"]) for image in images}
    assert {("unknown", "unknown"), ("windows", "amd64"), ("linux", "s390x")} <= platforms
    windows = [payload for payload in payloads if payload["name"].endswith("windowsservercore")]
    assert [len({image["os_version"] for image in each["images"]}) for each in windows] == [2, 2]
    assert {payload.get("content_type") for payload in payloads} == {
        "image", "helm", "unrecognized", None,
    }  # fmt: skip
    sizes = [image["size"] for image in images if image["size"] > 1e6]
    assert min(sizes) < 3.5e6
    assert 7e8 < max(sizes) < 9e8
    pushed = [payload["last_updated"] for payload in payloads]
    assert min(pushed)[:4] == "2019"
    assert max(pushed)[:10] == "2026-11-15"
    types = {document.media_type for document in world.documents.values()}
    assert SCHEMA_1 in types
    fractions = {len(re.sub(r".*:\d\d\.?(\d*)Z", r"\1", text)) for text in pushed}
    assert fractions == {0, 5, 6, 9}


def test_it_says_that_it_is_synthetic(world):
    for repository in world.of_host("docker.io"):
        assert repository.payload["description"].startswith(SYNTHETIC)


# --- The Hub API ---------------------------------------------------------------------------------

UNKNOWN_TAG = {
    "message": "httperror 404: tag 'nope' not found",
    "errinfo": {"namespace": "acme", "repository": "web", "tag": "nope"},
}
NOT_FOUND = {
    "message": "httperror 404: object not found",
    "errinfo": {"namespace": "acme", "repository": "billing"},
}

HUB_STATUSES = [
    ("/v2/namespaces/library/repositories", 200),
    ("/v2/namespaces/library/repositories/", 200),
    ("/v2/repositories/library", 200),
    ("/v2/repositories/library/", 200),
    ("/v2/repositories/library/alpine", 200),
    ("/v2/namespaces/library/repositories/alpine/", 200),
    ("/v2/repositories/library/alpine/tags", 200),
    ("/v2/namespaces/library/repositories/alpine/tags/", 200),
    ("/v2/repositories/library/alpine/tags/latest/", 200),
    ("/v2/namespaces/library/repositories/alpine/tags/latest", 200),
    ("/v2/repositories/library/alpine/tags/latest/images", 200),
    ("/v2/repositories/_/python/tags", 200),
    ("/v2/repositories/python/tags", 404),
    ("/v2/namespaces/nobody/repositories", 404),
    ("/v2/namespaces/library/repositories?page=2", 404),
    ("/v2/namespaces/library/repositories?ordering=size", 400),
    ("/v2/namespaces/acme/repositories/billing/tags", 404),
    ("/v2/search/repositories/?query=web", 200),
    ("/v2/search/repositories/?query=web&page=9", 404),
    ("/v2/users/acme-bot/", 200),
    ("/v2/users/acme/", 308),
    ("/v2/orgs/acme", 200),
    ("/v2/orgs/acme-bot", 308),
    ("/v2/users/nobody", 404),
    ("/v2/user/", 401),
    ("/v2/user/orgs", 401),
    ("/v2/repositories/namespaces", 401),
    ("/v1/anything", 404),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "status"), HUB_STATUSES)
def test_hub_statuses(session, path, status, method):
    answer = session.request(method, HUB + path, allow_redirects=False)
    assert answer.status_code == status
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= {*answer.headers}
    assert bool(answer.content) == (method == "GET")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/repositories/acme/web/tags/nope", UNKNOWN_TAG),
        ("/v2/repositories/acme/billing", NOT_FOUND),
        (
            "/v2/repositories/acme/web/tags?page=99",
            {
                "message": "httperror 404: object not found",
                "errinfo": {"namespace": "acme", "repository": "web"},
            },
        ),
        (
            "/v2/repositories/acme?ordering=size",
            {
                "fields": {
                    "ordering": [
                        (
                            "Invalid ordering value. Must be one of: name, -name, last_updated, "
                            "-last_updated, pull_count, -pull_count"
                        )
                    ]
                },
                "text": "Invalid ordering value",
            },
        ),
        (
            "/v2/repositories/acme/empty/tags",
            {"count": 0, "next": None, "previous": None, "results": []},
        ),
        ("/v2/user", {"message": "unauthorized", "errinfo": {}}),
    ],
)
def test_hub_bodies(session, path, body):
    assert session.get(HUB + path).json() == body


def test_unrouted_paths_answer_html(session):
    answer = session.get(f"{HUB}/v1/repositories/library/alpine")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_page_is_ten_and_never_more_than_a_hundred(session):
    url = f"{HUB}/v2/repositories/library/python/tags"
    assert len(session.get(url).json()["results"]) == 10
    page = session.get(f"{url}?page_size=1000").json()
    assert len(page["results"]) == min(100, page["count"])


def test_pages_link_to_each_other_on_the_same_host(session):
    answer = session.get(f"{HUB}/v2/repositories/acme/web/tags?page_size=5&page=2&name=4")
    assert r"name=4\u0026page=3" in answer.text
    root = f"{HUB}/v2/repositories/acme/web/tags?name=4"
    page = answer.json()
    assert page["next"] == f"{root}&page=3&page_size=5"
    assert page["previous"] == f"{root}&page=1&page_size=5"


def test_search_links_are_empty_text(session):
    page = session.get(f"{HUB}/v2/search/repositories/?query=nginx").json()
    assert (page["next"], page["previous"]) == ("", "")
    assert page["results"][0]["repo_name"] == "nginx"
    assert all(hit["repo_name"] != "acme/billing" for hit in page["results"])


def names(session, query):
    url = f"{HUB}/v2/repositories/ansible/ansible/tags?page_size=100&{query}"
    return [(tag["last_updated"], tag["name"]) for tag in session.get(url).json()["results"]]


def test_tags_order_dates_with_an_inverted_sign(session):
    newest_first = names(session, "")
    assert newest_first == names(session, "ordering=last_updated")
    assert [at for at, _ in newest_first] == sorted((at for at, _ in newest_first), reverse=True)
    assert names(session, "ordering=-last_updated") == newest_first[::-1]
    by_name = [name for _, name in names(session, "ordering=name")]
    assert by_name == sorted(by_name)
    assert all("13" in name for _, name in names(session, "name=13"))


def test_repositories_filter_by_type(session):
    url = f"{HUB}/v2/namespaces/acme/repositories?content_types=helm"
    assert [each["name"] for each in session.get(url).json()["results"]] == ["charts"]


def test_head_of_tags_asks_whether_there_are_any(session):
    assert session.head(f"{HUB}/v2/repositories/acme/empty/tags").status_code == 404
    assert session.head(f"{HUB}/v2/repositories/acme/web/tags").status_code == 200


def test_the_list_and_the_detail_of_a_repository_differ(session):
    entry = session.get(f"{HUB}/v2/repositories/acme?name=lega").json()["results"][0]
    detail = session.get(f"{HUB}/v2/repositories/acme/legacy").json()
    assert (entry["affiliation"], detail["affiliation"]) == ("", None)
    assert entry["repository_type"] is detail["repository_type"] is None
    assert "full_description" not in detail
    assert detail["immutable_tags_settings"] == {"enabled": False, "rules": [".*"]}


def test_layers_of_a_tag(session):
    url = f"{HUB}/v2/repositories/library/nginx/tags/1.17.3/images"
    images = session.get(url).json()
    assert isinstance(images, list)
    for image in images:
        assert image["features"] is image["os_features"] is None
        assert sum(layer["size"] for layer in image["layers"]) == image["size"]
    empty = [layer for layer in images[0]["layers"] if "digest" not in layer]
    assert empty[0] == {"size": 0, "instruction": ' CMD ["bash"]'}
    assert images[0]["layers"][0]["instruction"].startswith("ADD file:")
    assert images[0]["layers"][0]["instruction"].endswith(" in / ")


def test_every_tag_answers_its_images(session, world):
    for repository in world.of_host("docker.io"):
        if not repository.is_private:
            for tag in repository.tags:
                url = f"{HUB}/v2/repositories/{repository.path}/tags/{tag}/images"
                assert session.get(url).status_code == 200


def test_oddities_of_old_tags(session):
    def tag(name):
        return session.get(f"{HUB}/v2/repositories/acme/legacy/tags/{name}").json()

    assert "digest" not in tag("1.0")
    assert "status" not in tag("1.2")["images"][0]
    assert tag("1.0")["full_size"] == 0 < tag("1.0")["images"][0]["size"]
    assert tag("1.1")["tag_last_pulled"] is None
    assert tag("images-missing")["images"] == []
    assert tag("0.9")["media_type"] == SCHEMA_1
    assert tag("2.0")["last_updated"].endswith("Z")
    assert "." not in tag("2.0")["last_updated"]


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("auth/token", {"identifier": "acme-bot", "secret": "wrong"}),
        ("auth/token", {"identifier": "acme", "secret": None}),
        ("users/login", {"username": "acme-bot", "password": "wrong"}),
        ("users/login", ["acme-bot"]),
    ],
)
def test_wrong_passwords(session, route, body):
    answer = session.post(f"{HUB}/v2/{route}", json=body)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Incorrect authentication credentials"


def test_a_login_shows_what_is_private_for_ten_minutes(session, clock):
    headers = bearer(hub_token(session))
    url = f"{HUB}/v2/namespaces/acme/repositories?page_size=100"
    shown = {each["name"] for each in session.get(url, headers=headers).json()["results"]}
    hidden = {each["name"] for each in session.get(url).json()["results"]}
    assert shown - hidden == {"billing"}
    assert session.get(f"{HUB}/v2/user", headers=headers).json()["username"] == "acme-bot"
    clock.now += 601
    expired = session.get(url, headers=headers)
    assert (expired.status_code, expired.json()) == (
        401,
        {"message": "unauthorized", "errinfo": {}},
    )


def test_each_account_sees_its_own(session):
    url = f"{HUB}/v2/repositories/ansible/vault-tools/tags"
    for name, status in (("ansible-bot", 200), ("acme-bot", 404)):
        headers = {"Authorization": f"JWT {hub_token(session, name)}"}
        assert session.get(url, headers=headers).status_code == status


def test_a_login_route_may_be_missing(world):
    session = session_of(Application(world, login_routes=("users/login",)))
    assert session.post(f"{HUB}/v2/auth/token", json={}).status_code == 404
    body = {"username": "acme-bot", "password": PASSWORD}
    assert session.post(f"{HUB}/v2/users/login", json=body).json()["token"].count(".") == 2


def test_the_hub_limit(world, clock):
    session = session_of(Application(world, clock=clock, hub_limit=2, enforce_hub_limit=True))
    answers = [session.get(f"{HUB}/v2/search/repositories") for _ in range(3)]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].status_code == 429
    assert answers[2].json() == {"detail": "Rate limit exceeded", "error": False}
    clock.now += int(answers[2].headers["Retry-After"]) + 1
    assert session.get(f"{HUB}/v2/search/repositories").status_code == 200


# --- The registries ------------------------------------------------------------------------------


def test_a_challenge_names_realm_service_and_scope(session):
    answer = session.get(f"{DOCKER}/v2/acme/web/tags/list")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
        'scope="repository:acme/web:pull"'
    )
    assert answer.json()["errors"][0]["code"] == "UNAUTHORIZED"
    ping = session.get(f"{EXAMPLE}/v2/")
    assert ping.headers["WWW-Authenticate"] == (
        'Bearer realm="https://registry.example/token",service="registry.example"'
    )


@pytest.mark.parametrize("path", ["acme/billing", "acme/nothing"])
def test_missing_and_private_look_alike_on_docker_io(session, path):
    answer = manifest(session, path, "latest")
    assert answer.status_code == 401
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert answer.json()["errors"][0]["detail"] == [
        {"Type": "repository", "Class": "", "Name": path, "Action": "pull"}
    ]


def test_a_registry_login_opens_what_is_private(session):
    token = pull_token(session, "acme/billing", ("acme-bot", PASSWORD))
    answer = session.get(f"{DOCKER}/v2/acme/billing/tags/list", headers=bearer(token))
    assert "latest" in answer.json()["tags"]


def test_token_endpoint(session, clock):
    wrong = session.get("https://auth.docker.io/token", auth=("acme-bot", "wrong"))
    assert wrong.status_code == 401
    form = {
        "grant_type": "password", "username": "acme-bot", "password": PASSWORD,
        "scope": "repository:acme/billing:pull repository:acme/web:pull,push",
    }  # fmt: skip
    answer = session.post("https://auth.docker.io/token", data=form).json()
    assert answer["token"] == answer["access_token"]
    assert answer["expires_in"] == 300
    url = f"{DOCKER}/v2/acme/billing/tags/list"
    assert session.get(url, headers=bearer(answer["token"])).status_code == 200
    clock.now += 301
    expired = session.get(url, headers=bearer(answer["token"]))
    assert 'error="invalid_token"' in expired.headers["WWW-Authenticate"]


def test_a_hub_token_means_nothing_to_a_registry(session):
    answer = session.get(f"{DOCKER}/v2/acme/billing/tags/list", headers=bearer(hub_token(session)))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("root", "path", "reference"),
    [
        (DOCKER, "library/alpine", "3.21.3"),
        (DOCKER, "library/python", "3.14.3-windowsservercore"),
        (DOCKER, "acme/legacy", "0.9"),
        (DOCKER, "acme/charts", "1.2.0_build.1"),
        (EXAMPLE, "team/worker/jobs", "latest"),
    ],
)
def test_manifests_by_tag_and_digest(session, root, path, reference):
    head = manifest(session, path, reference, "HEAD", root=root)
    digest = head.headers["Docker-Content-Digest"]
    got = manifest(session, path, digest, root=root)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert int(head.headers["Content-Length"]) == len(got.content)
    assert head.headers["ETag"] == f'"{digest}"'
    body = schema_1_payload(got.content) if reference == "0.9" else got.content
    assert "sha256:" + hashlib.sha256(body).hexdigest() == digest
    assert got.headers["Content-Type"] == got.json().get("mediaType", SCHEMA_1)


def test_configs_are_blobs(session):
    path = "team/worker/jobs"
    config = manifest(session, path, "latest", root=EXAMPLE).json()["config"]
    headers = bearer(pull_token(session, path, realm=f"{EXAMPLE}/token"))
    answer = session.get(f"{EXAMPLE}/v2/{path}/blobs/{config['digest']}", headers=headers)
    assert len(answer.content) == config["size"]
    other = "sha256:" + "0" * 64
    missing = session.get(f"{EXAMPLE}/v2/{path}/blobs/{other}", headers=headers)
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "BLOB_UNKNOWN")


@pytest.mark.parametrize(
    ("root", "path", "status", "code"),
    [
        (DOCKER, "acme/web", 404, "MANIFEST_UNKNOWN"),
        (EXAMPLE, "team/api", 404, "MANIFEST_UNKNOWN"),
        (EXAMPLE, "team/nothing", 404, "NAME_UNKNOWN"),
    ],
)
def test_missing_manifests(session, root, path, status, code):
    answer = manifest(session, path, "nope", root=root)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


def test_oci_needs_to_be_accepted(session):
    answer = manifest(session, "library/alpine", "3.24.2", accept="*/*")
    assert answer.json()["errors"][0]["message"] == (
        "OCI index found, but accept header does not support OCI indexes"
    )
    assert manifest(session, "library/alpine", "3.10.0", accept="*/*").status_code == 200


def test_etags_are_understood(session):
    digest = manifest(session, "library/alpine", "3.10.0").headers["Docker-Content-Digest"]
    headers = bearer(pull_token(session, "library/alpine")) | {"If-None-Match": f'"{digest}"'}
    url = f"{DOCKER}/v2/library/alpine/manifests/3.10.0"
    assert session.get(url, headers=headers).status_code == 304


@pytest.mark.parametrize(("root", "path"), [(DOCKER, "acme/web"), (EXAMPLE, "team/api")])
def test_tags_are_listed_whole_or_in_pages(session, root, path):
    realm = "https://auth.docker.io/token" if root == DOCKER else f"{root}/token"
    headers = bearer(pull_token(session, path, realm=realm))
    url = f"{root}/v2/{path}/tags/list"
    whole = session.get(url, headers=headers)
    assert "Link" not in whole.headers
    tags, page = [], session.get(f"{url}?n=4", headers=headers)
    assert page.headers["Link"].startswith(f"</v2/{path}/tags/list?")
    while True:
        tags += page.json()["tags"]
        if "next" not in page.links:
            break
        page = session.get(root + page.links["next"]["url"], headers=headers)
    assert tags == whole.json()["tags"] == sorted(tags)
    assert session.get(f"{url}?n=0", headers=headers).json() == {"name": path, "tags": []}
    assert session.get(f"{url}?n=-1", headers=headers).status_code == 400


def test_a_repository_may_have_no_tags(session):
    headers = bearer(pull_token(session, "acme/empty"))
    answer = session.get(f"{DOCKER}/v2/acme/empty/tags/list", headers=headers)
    assert answer.json() == {"name": "acme/empty", "tags": []}


def test_the_catalogue(session):
    scope = {"scope": "registry:catalog:*"}
    headers = bearer(session.get(f"{EXAMPLE}/token", params=scope).json()["token"])
    answer = session.get(f"{EXAMPLE}/v2/_catalog", headers=headers)
    assert answer.json() == {
        "repositories": [
            "shop/base", "shop/batch", "shop/cache", "shop/web",
            "team/api", "team/base", "team/worker/jobs",
        ]
    }  # fmt: skip
    page = session.get(f"{EXAMPLE}/v2/_catalog?n=2", headers=headers)
    assert page.links["next"]["url"] == "/v2/_catalog?last=shop%2Fbatch&n=2"
    headers = bearer(session.get("https://auth.docker.io/token", params=scope).json()["token"])
    assert session.get(f"{DOCKER}/v2/_catalog", headers=headers).status_code == 401


def test_referrers(session, world):
    digest = manifest(session, "team/api", "latest", root=EXAMPLE).headers["Docker-Content-Digest"]
    headers = bearer(pull_token(session, "team/api", realm=f"{EXAMPLE}/token"))
    url = f"{EXAMPLE}/v2/team/api/referrers/{digest}"
    answer = session.get(url, headers=headers)
    assert answer.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"
    types = {entry["artifactType"] for entry in answer.json()["manifests"]}
    assert len(types) == 2
    wanted = {"artifactType": "application/spdx+json"}
    filtered = session.get(url, headers=headers, params=wanted)
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
    assert len(filtered.json()["manifests"]) == 1
    web = world.repositories["docker.io", "acme/web"]
    digest = web.tags["latest"].digest
    headers = bearer(pull_token(session, "acme/web"))
    url = f"{DOCKER}/v2/acme/web/referrers/{digest}"
    assert session.get(url, headers=headers).status_code == 404
    fallback = manifest(session, "acme/web", digest.replace(":", "-")).json()
    assert len(fallback["manifests"]) == 2
    assert f"{digest.replace(':', '-')}.sig" in web.tags


def test_the_pull_limit_counts_gets_alone(world, clock):
    session = session_of(Application(world, clock=clock, pull_limit=1))
    seen = [manifest(session, "acme/web", "latest", method) for method in ("HEAD", "GET", "HEAD")]
    assert [each.headers["ratelimit-remaining"] for each in seen] == [
        "1;w=21600", "0;w=21600", "0;w=21600",
    ]  # fmt: skip
    assert seen[0].headers["ratelimit-limit"] == "1;w=21600"
    spent = manifest(session, "acme/web", "latest")
    assert (spent.status_code, spent.json()["errors"][0]["code"]) == (429, "TOOMANYREQUESTS")
    clock.now += 21_601
    assert manifest(session, "acme/web", "latest").status_code == 200


def test_without_a_pull_limit_no_header_tells_one(session):
    assert "ratelimit-limit" not in manifest(session, "ratelimitpreview/test", "latest").headers


# --- Faults, the log, the adapter ----------------------------------------------------------------


def test_faults_take_the_place_of_answers(application, session):
    blocked = Reply(403, {"Content-Type": "text/plain"}, b"error code: 1010")
    application.faults.append(Fault(lambda request: "tags" in request.path, blocked, times=1))
    url = f"{HUB}/v2/repositories/acme/web/tags"
    assert [session.get(url).status_code for _ in range(2)] == [403, 200]
    application.faults.append(Fault(lambda _: True, lambda _: Reply(503, {}, b"")))
    assert session.get(url).status_code == 503
    assert [exchange.status for exchange in application.log] == [403, 200, 503]


def test_a_dropped_connection(application, session):
    application.faults.append(Fault(lambda _: True, DROP))
    with pytest.raises(requests.ConnectionError):
        session.get(HUB)
    assert application.log[0].status == 0


def test_a_slow_answer_times_out(application, session):
    application.faults.append(Fault(lambda _: True, Reply(200, delay=5.0)))
    with pytest.raises(requests.ReadTimeout):
        session.get(HUB, timeout=(1, 0.01))


def test_a_cut_answer_is_noticed(application, session):
    application.faults.append(Fault(lambda _: True, Reply(200, {"Content-Length": "99"}, b"{")))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(HUB)


def test_other_hosts_cannot_be_reached(session):
    with pytest.raises(hubframe.TransportError, match=r"has no host 'elsewhere\.example'"):
        session.get("https://elsewhere.example/v2/")


def test_the_log_says_who_was_authorized(application, session):
    session.get(f"{HUB}/v2/search/repositories?x=1", headers=bearer("nonsense"))
    exchange = application.log[0]
    assert exchange.host == "hub.docker.com"
    assert exchange.method == "GET"
    assert exchange.path_and_query == "/v2/search/repositories?x=1"
    assert (exchange.status, exchange.authorized) == (401, True)


def test_redirects_are_followed(session):
    answer = session.get(f"{HUB}/v2/users/acme/")
    assert answer.json()["type"] == "Organization"
    assert answer.history[0].status_code == 308


def test_responses_look_like_any_other(session):
    answer = session.get(f"{HUB}/v2/search/repositories", stream=True)
    assert answer.url == f"{HUB}/v2/search/repositories"
    assert answer.reason == "OK"
    assert answer.request.method == "GET"
    assert answer.raw.headers["Content-Type"] == "application/json"
    assert answer.json()["count"] == 14


def test_responses_can_be_cached(application):
    session = requests_cache.CachedSession(backend="memory")
    session.mount("https://", SampleAdapter(application))
    answers = [session.get(f"{HUB}/v2/repositories/library/redis") for _ in range(2)]
    assert [answer.from_cache for answer in answers] == [False, True]
    assert answers[0].json() == answers[1].json()
    assert len(application.log) == 1


def test_headers_are_found_in_any_case():
    assert Request("GET", HUB, Headers({"ACCEPT": "a"})).headers.value("accept") == "a"


# --- On sockets ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(world):
    with serve(Application(world)) as served:
        yield served


def test_served_hub(served):
    url = f"{served.hub_url}/v2/repositories/acme/web/tags?page_size=2"
    page = requests.get(url, timeout=10).json()
    assert page["next"] == f"{served.hub_url}/v2/repositories/acme/web/tags?page=2&page_size=2"
    assert requests.head(url, timeout=10).content == b""


def test_served_realm_is_on_the_same_socket(served):
    for root in (served.registry_url, f"http://{served.example_host}"):
        challenge = requests.get(f"{root}/v2/", timeout=10).headers["WWW-Authenticate"]
        assert f'realm="{root}/token"' in challenge


def test_served_connections_are_kept_and_quick(served):
    with requests.Session() as session:
        url = f"{served.hub_url}/v2/search/repositories"
        session.get(url)
        seconds = min(session.get(url).elapsed.total_seconds() for _ in range(20))
        assert seconds < 0.03  # Nagle's delay would be 0.04 each time


def test_served_connections_can_be_dropped_or_cut(served):
    served.application.faults.append(Fault(lambda _: True, DROP, times=1))
    with pytest.raises(requests.ConnectionError):
        requests.get(served.hub_url, timeout=10)
    short = Reply(200, {"Content-Length": "99"}, b"{")
    served.application.faults.append(Fault(lambda _: True, short, times=1))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(served.hub_url, timeout=10)


def test_serving_stops_with_a_connection_open(world):
    with requests.Session() as session:
        with serve(Application(world)) as served:
            session.get(f"{served.hub_url}/v2/search/repositories")
        with pytest.raises(requests.ConnectionError):
            session.get(f"{served.hub_url}/v2/search/repositories")


def skopeo(*arguments):
    if shutil.which("skopeo") is None:
        if os.environ.get("CI"):
            pytest.fail("skopeo is not installed")
        pytest.skip("skopeo is not installed")
    command = ["skopeo", "--override-arch", "amd64", "--override-os", "linux", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("team/api", "latest"),
        ("team/api", "1.0.0"),
        ("team/base", "2022.1"),
        ("team/worker/jobs", "2023-03"),
        ("team/worker/jobs", "latest"),
    ],
)
def test_skopeo_inspects(served, world, path, tag):
    told = skopeo("inspect", "--tls-verify=false", f"docker://{served.example_host}/{path}:{tag}")
    repository = world.repositories["registry.example", path]
    assert told["Digest"] == repository.tags[tag].digest
    assert told["RepoTags"] == sorted(repository.tags)
    assert told["Architecture"] == "amd64"
    assert "LANG=C.UTF-8" in told["Env"]


def test_skopeo_inspects_what_docker_io_holds(served):
    host = served.registry_url.removeprefix("http://")
    for reference in ("acme/legacy:0.9", "acme/web:latest", "library/debian:12.9"):
        told = skopeo("inspect", "--tls-verify=false", f"docker://{host}/{reference}")
        assert told["Layers"]


def test_skopeo_lists_tags(served, world):
    name = f"{served.example_host}/team/worker/jobs"
    told = skopeo("list-tags", "--tls-verify=false", f"docker://{name}")
    tags = sorted(world.repositories["registry.example", "team/worker/jobs"].tags)
    assert told == {"Repository": name, "Tags": tags}

"""Image references: Docker's rules, what is refused, and that printing gives back what was read."""

import random

import pytest

from hubframe.errors import HubframeError, InvalidReferenceError
from hubframe.oci.reference import (
    ImageReference,
    bare_host,
    is_loopback,
    is_registry,
    parse_namespace,
    parse_registry,
)

SHA256 = "sha256:" + "ab" * 32
SHA512 = "sha512:" + "cd" * 64


@pytest.mark.parametrize(
    ("text", "registry", "path", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", None, None),
        ("nginx:1.27", "docker.io", "library/nginx", "1.27", None),
        ("ansible/ansible", "docker.io", "ansible/ansible", None, None),
        ("a/b/c", "docker.io", "a/b/c", None, None),
        ("docker.io/nginx", "docker.io", "library/nginx", None, None),
        ("index.docker.io/nginx", "docker.io", "library/nginx", None, None),
        ("registry-1.docker.io/ansible/awx", "docker.io", "ansible/awx", None, None),
        ("ghcr.io/org/app", "ghcr.io", "org/app", None, None),
        ("ghcr.io/app", "ghcr.io", "app", None, None),
        ("localhost/app", "localhost", "app", None, None),
        ("localhost:5000/app:1", "localhost:5000", "app", "1", None),
        ("localhost:5000", "docker.io", "library/localhost", "5000", None),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b", None, None),
        ("[::1]:5000/app", "[::1]:5000", "app", None, None),
        ("Example.COM/app", "Example.COM", "app", None, None),
        ("host:80/app", "host:80", "app", None, None),
        ("localhosts/app", "docker.io", "localhosts/app", None, None),
        ("docker.io", "docker.io", "library/docker.io", None, None),
        (f"nginx@{SHA256}", "docker.io", "library/nginx", None, SHA256),
        (f"nginx:1@{SHA256}", "docker.io", "library/nginx", "1", SHA256),
        (f"r.io/a@{SHA512}", "r.io", "a", None, SHA512),
        ("a.b_c__d---e", "docker.io", "library/a.b_c__d---e", None, None),
        ("x:_", "docker.io", "library/x", "_", None),
        ("x:" + "T" * 128, "docker.io", "library/x", "T" * 128, None),
        ("x/" + "a" * 253, "docker.io", "x/" + "a" * 253, None, None),
        ("ab" * 32 + ":1", "docker.io", "library/" + "ab" * 32, "1", None),
    ],
)
def test_docker_rules(text, registry, path, tag, digest):
    assert ImageReference.parse(text) == ImageReference(registry, path, tag, digest)


@pytest.mark.parametrize(
    ("text", "repo", "target", "printed"),
    [
        ("docker-daemon:", "docker-daemon:", "", "docker-daemon:"),
        ("docker-daemon:nginx", "docker-daemon:library/nginx", "latest",
         "docker-daemon:library/nginx"),
        ("docker-daemon:index.docker.io/org/app:1.2", "docker-daemon:org/app", "1.2",
         "docker-daemon:org/app:1.2"),
        ("podman:localhost/app:dev", "podman:localhost/app", "dev", "podman:localhost/app:dev"),
        ("podman:localhost:5000/app", "podman:localhost:5000/app", "latest",
         "podman:localhost:5000/app"),
        ("podman:podman:5", "podman:library/podman", "5", "podman:library/podman:5"),
        (f"podman:org/app@{SHA256}", "podman:org/app", SHA256, f"podman:org/app@{SHA256}"),
        (f"docker-daemon:{SHA256}", "docker-daemon:", SHA256, f"docker-daemon:{SHA256}"),
        # As frames have it: the repository, and the digest.
        (f"docker-daemon:@{SHA256}", "docker-daemon:", SHA256, f"docker-daemon:{SHA256}"),
        # Of Docker Hub a namespace may be a number, which would be a port.
        ("podman:docker.io/2048/app", "podman:docker.io/2048/app", "latest",
         "podman:docker.io/2048/app"),
    ],
)  # fmt: skip
def test_images_of_engines(text, repo, target, printed):
    found = ImageReference.parse(text)
    assert (found.repo, found.target, str(found)) == (repo, target, printed)
    assert found.is_local
    assert not found.is_hub
    assert ImageReference.parse(printed) == found
    assert ImageReference.parse(repo) == found.at()


def test_a_host_may_be_called_like_an_engine():
    assert ImageReference.parse("podman:5000/app").registry == "podman:5000"
    assert ImageReference.parse("docker://podman:5000/app").registry == "podman:5000"
    assert ImageReference.parse("podman:5").is_hub
    assert ImageReference.parse("podman/stable:5").is_hub


@pytest.mark.parametrize(
    "host",
    ["registry.hub.docker.com", "index.docker.io", "registry-1.docker.io", "registry-1.docker.io:443",
     "docker.io:443", "registry.hub.docker.com:443", "Index.Docker.io", "https://docker.io",
     "https://registry.hub.docker.com", "https://registry-1.docker.io:443", "docker://docker.io"],
)  # fmt: skip
def test_docker_hub_by_each_of_its_hosts(host):
    for path in ("alpine", "library/alpine"):
        assert str(ImageReference.parse(f"{host}/{path}:3")) == "docker.io/library/alpine:3"
    assert ImageReference.parse(f"{host}/org/app@{SHA256}").repo == "org/app"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("docker://alpine:3", "docker.io/library/alpine:3"),
        (f"docker://quay.io/org/app@{SHA256}", f"quay.io/org/app@{SHA256}"),
        ("oci://ghcr.io/org/chart:1.0", "ghcr.io/org/chart:1.0"),
        # Docker Hub
        ("https://hub.docker.com/r/org/app", "docker.io/org/app"),
        ("https://hub.docker.com/r/org/app/", "docker.io/org/app"),
        ("https://hub.docker.com/r/org/app/tags?page=1&name=3.#top", "docker.io/org/app"),
        ("HTTPS://Hub.Docker.com/r/org/app?utm_source=x", "docker.io/org/app"),
        ("http://www.hub.docker.com/r/org/app#", "docker.io/org/app"),
        ("hub.docker.com/r/org/app/tags", "docker.io/org/app"),
        ("https://hub.docker.com/r/org/app:1.2", "docker.io/org/app:1.2"),
        ("https://hub.docker.com/_/alpine", "docker.io/library/alpine"),
        ("https://hub.docker.com/_/alpine/tags/", "docker.io/library/alpine"),
        ("https://hub.docker.com/r/_/alpine", "docker.io/library/alpine"),
        ("https://hub.docker.com/r/library/alpine", "docker.io/library/alpine"),
        ("https://hub.docker.com/layers/library/alpine/3.20/images/sha256-ab?context=explore",
         "docker.io/library/alpine:3.20"),
        ("https://hub.docker.com/layers/alpine/library/alpine/3.20/images/sha256-ab",
         "docker.io/library/alpine:3.20"),
        ("https://hub.docker.com/layers/org/app/1.0/images/sha256-ab/", "docker.io/org/app:1.0"),
        ("https://hub.docker.com/layers/org/app/1.0/images", "docker.io/org/app:1.0"),
        ("https://hub.docker.com/layers/org/app/1.0?tab=layers", "docker.io/org/app:1.0"),
        ("https://hub.docker.com/layers/alpine/library/alpine/3.20", "docker.io/library/alpine:3.20"),
        ("https://hub.docker.com/repository/docker/org/app/general", "docker.io/org/app"),
        ("https://hub.docker.com/v2/repositories/org/app/tags?page_size=100", "docker.io/org/app"),
        ("https://registry.hub.docker.com/r/org/app/", "docker.io/org/app"),
        ("https://registry.hub.docker.com/v2/repositories/org/app/tags", "docker.io/org/app"),
        # Quay
        ("https://quay.io/repository/org/app", "quay.io/org/app"),
        ("https://quay.io/repository/org/app?tab=tags&tag=latest", "quay.io/org/app"),
        ("https://quay.io/repository/org/app/tag/v1?tab=layers", "quay.io/org/app:v1"),
        (f"https://quay.io/repository/org/app/manifest/{SHA256}", f"quay.io/org/app@{SHA256}"),
        ("quay.io/repository/org/app", "quay.io/org/app"),
        ("https://quay.io/username/app", "quay.io/username/app"),
        # GitHub
        ("https://ghcr.io/org/app", "ghcr.io/org/app"),
        ("https://ghcr.io/org/app/part:1.2/", "ghcr.io/org/app/part:1.2"),
        (f"https://ghcr.io/org/app@{SHA256}", f"ghcr.io/org/app@{SHA256}"),
        ("https://github.com/orgs/Org/packages/container/package/App", "ghcr.io/org/app"),
        ("https://github.com/orgs/org/packages/container/app/versions", "ghcr.io/org/app"),
        ("https://github.com/orgs/org/packages/container/app%2Fpart", "ghcr.io/org/app/part"),
        ("https://github.com/users/me/packages/container/app/123?tag=1.2", "ghcr.io/me/app:1.2"),
        ("https://github.com/org/repo/pkgs/container/app", "ghcr.io/org/app"),
        ("github.com/org/repo/pkgs/container/app/12?a=b&tag=v1#usage", "ghcr.io/org/app:v1"),
        # Addresses of registries' APIs
        ("http://localhost:5000/v2/org/app/tags/list?n=100", "localhost:5000/org/app"),
        ("https://registry.example/v2/app/manifests/1.0", "registry.example/app:1.0"),
        (f"https://registry-1.docker.io/v2/org/app/manifests/{SHA256}", f"docker.io/org/app@{SHA256}"),
    ],
)  # fmt: skip
def test_what_people_paste_is_read_as_what_it_shows(text, reference):
    found = ImageReference.parse(text)
    assert str(found) == reference
    assert ImageReference.parse(str(found)) == found


BAD = [
    "",
    " ",
    "\n",
    "Ubuntu",
    "library/Ubuntu",
    "a//b",
    "/a",
    "a/",
    "docker.io/",
    "http://x/y",
    "https://hub.docker.com/u/ansible",
    "https://hub.docker.com/search?q=nginx",
    "https://hub.docker.com/_/Nginx",
    "hub.docker.com/org/app",
    "https://index.docker.io/v1/",
    "https://quay.io/organization/org",
    "https://quay.io/search?q=nginx",
    "https://github.com/ansible/ansible",
    "https://github.com/orgs/ansible/packages",
    "github.com/ansible/ansible",
    "https://registry.example/org/app",
    "https://www.google.com/search?q=https://ghcr.io/org/app",
    "ftp://ghcr.io/org/app",
    "docker-daemon:Alpine:3",
    "docker-daemon:alpine:3:4",
    "docker-daemon://alpine",
    "docker-daemon:docker://alpine",
    "podman:oci:/folder",
    "podman:" + "ab" * 32,
    "docker://" + "ab" * 32,
    "podman:alpine@sha256:12",
    "docker://",
    "docker://docker://nginx",
    "ab" * 32,
    "nginx:",
    ":1",
    "@",
    "nginx@",
    f"@{SHA256}",
    "nginx@sha256:12",
    "nginx@sha256:" + "AB" * 32,
    "nginx@sha256:" + "ab" * 33,
    "nginx@sha512:" + "ab" * 32,
    f"nginx@{SHA256}@{SHA256}",
    "nginx:-a",
    "nginx:.a",
    "nginx:a b",
    "nginx:" + "a" * 129,
    "nginx:a:b",
    "a b",
    " nginx",
    "nginx ",
    "nginx\n",
    "nginx:1\n",
    "ngin\tx",
    "nginx\x00",
    "ünginx",
    "nginx/日本",
    "nginx:é",
    "nginx\u202e",
    "ngi\ud800nx",
    "-a",
    "a-",
    "a___b",
    "a..b",
    "a._b",
    "_a",
    "x/" + "a" * 254,
    "ghcr.io:/x",
    "ghcr.io:port/x",
    "ghcr.io:65536/x",
    "-ghcr.io/x",
    "ghcr..io/x",
    "user@ghcr.io/x",
    "a?b",
    "a%2fb",
    "../../etc/passwd",
    "a\\b",
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_reference_is_shown_with_the_form_expected(text):
    with pytest.raises(InvalidReferenceError) as raised:
        ImageReference.parse(text)
    message = str(raised.value)
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, HubframeError)
    assert message.startswith(repr(text if len(text) <= 80 else f"{text[:80]}..."))
    assert "[registry/]path[:tag][@digest]" in message
    assert message.isprintable()


@pytest.mark.parametrize("given", [None, 1, 1.5, b"nginx", ["nginx"], float("nan")])
def test_what_is_no_text_is_no_reference(given):
    with pytest.raises(InvalidReferenceError, match="no text"):
        ImageReference.parse(given)


@pytest.mark.parametrize(
    "text",
    [
        unit * (100_000 // len(unit)) + end
        for unit in ("a", "a-", "a_", "a__", "-", "a/", "a.", "a:", "A", "Ä", "\0", "0", "[", "@")
        for end in ("", "!", "/x", "/x:", "@sha256:0", ":!")
    ],
    ids=lambda text: f"{text[:3]!r}{text[-3:]!r}",
)
def test_long_text_is_refused_with_a_short_message(text):
    """A pattern that goes back and back would not end within this test's patience."""
    with pytest.raises(InvalidReferenceError) as raised:
        ImageReference.parse(text)
    assert len(str(raised.value)) < 1200


def test_printing_and_reading_give_back_the_reference():
    chance = random.Random(7)
    parts = ["a", "b1", "a.b", "a_b", "a__b", "a---b", "library", "0"]
    hosts = ["", "docker.io/", "ghcr.io/", "localhost/", "localhost:5000/", "[::1]:80/", "A.b/"]
    for _ in range(2000):
        path = "/".join(chance.choices(parts, k=chance.randint(1, 3)))
        tag = chance.choice(["", ":1", ":latest", ":_x.Y-2", ":" + "9" * 128])
        digest = chance.choice(["", f"@{SHA256}", f"@{SHA512}"])
        # A first part with a dot is a host, as it is to Docker.
        read = ImageReference.parse(f"{chance.choice(hosts)}{path}{tag}{digest}")
        assert ImageReference.parse(str(read)) == read
        assert ImageReference.parse(read.repo) == read.at()


def test_repo_is_the_path_on_the_hub_and_has_the_host_elsewhere():
    assert ImageReference.parse("nginx").repo == "library/nginx"
    assert ImageReference.parse("ghcr.io/org/app:1").repo == "ghcr.io/org/app"
    assert ImageReference.parse("localhost:5000/app").repo == "localhost:5000/app"


@pytest.mark.parametrize("text", ["docker.io/foo.bar/baz", "docker.io/localhost/baz"])
def test_a_path_of_the_hub_that_looks_like_a_host_keeps_its_registry(text):
    reference = ImageReference.parse(text)
    assert reference.is_hub
    assert reference.repo == text
    assert ImageReference.parse(reference.repo) == reference


def test_the_digest_decides_then_the_tag_then_latest():
    assert ImageReference.parse("nginx").target == "latest"
    assert ImageReference.parse("nginx:1").target == "1"
    assert ImageReference.parse(f"nginx:1@{SHA256}").target == SHA256


def test_at_changes_tag_and_digest_only():
    reference = ImageReference.parse(f"ghcr.io/a/b:1@{SHA256}")
    assert str(reference.at(tag="2")) == "ghcr.io/a/b:2"
    assert str(reference.at(digest=SHA512)) == f"ghcr.io/a/b@{SHA512}"
    assert reference.namespace == "a"


def test_references_can_be_keys():
    assert len({ImageReference.parse("nginx"), ImageReference.parse("docker.io/nginx")}) == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("_", "library"),
        ("ansible", "ansible"),
        ("a-b", "a-b"),
        ("docker.io/ansible", "ansible"),
        ("index.docker.io/ansible/", "ansible"),
        ("https://hub.docker.com/u/ansible", "ansible"),
        ("hub.docker.com/u/ansible/starred", "ansible"),
        ("https://hub.docker.com/orgs/ansible/repositories?page=2", "ansible"),
        ("https://hub.docker.com/r/ansible/", "ansible"),
        ("https://hub.docker.com/v2/repositories/ansible/?page_size=100", "ansible"),
    ],
)
def test_namespaces(text, name):
    assert parse_namespace(text) == name


@pytest.mark.parametrize(
    "text",
    ["", "A", "a/b", "a b", "a\n", "é", None, 3, "a" * 100_000 + "!", "quay.io/ansible",
     "https://hub.docker.com/r/ansible/awx", "https://hub.docker.com/search?q=ansible",
     "https://quay.io/organization/ansible", "https://github.com/orgs/ansible/packages"],
)  # fmt: skip
def test_what_is_no_namespace(text):
    with pytest.raises(InvalidReferenceError, match="namespace") as raised:
        parse_namespace(text)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("index.docker.io", "docker.io"),
        ("[::1]:5000", "[::1]:5000"),
        ("registry:5000", "registry:5000"),
        ("registry-1.docker.io:443", "docker.io"),
        ("registry.hub.docker.com", "docker.io"),
        ("Docker.io", "docker.io"),
        ("https://hub.docker.com", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker://ghcr.io", "ghcr.io"),
        ("https://quay.io/", "quay.io"),
        ("http://localhost:5000/v2/_catalog?n=100", "localhost:5000"),
    ],
)
def test_registries(text, host):
    assert parse_registry(text) == host


@pytest.mark.parametrize(
    # A bare word would come back as a namespace of Docker Hub.
    "text",
    [
        "",
        "registry",
        "https://registry/",
        "ghcr.io/x",
        "https://ghcr.io/x",
        "ghcr.io/v2/",
        "ghcr.io:",
        "https://me:secret@ghcr.io/",
        "ftp://ghcr.io",
        "a:99999",
        "gh cr.io",
        None,
        "\n",
    ],
)
def test_what_is_no_registry(text):
    with pytest.raises(InvalidReferenceError, match="is not a registry"):
        parse_registry(text)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost:5000",
        "a.localhost",
        "127.0.0.1:1",
        "127.9.9.9",
        "[::1]",
        "[::1]:80",
    ],
)
def test_loopback_hosts(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["ghcr.io", "127.0.0.1.nip.io", "localhost.com", "10.0.0.1", "notlocalhost", "[::2]:80"]
)
def test_other_hosts(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "text",
    ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "ghcr.io", "ghcr.io/",
     "registry:5000/", "http://registry:5000", "https://registry.example:443/", "docker://ghcr.io",
     "http://localhost:5000/v2/", "https://ghcr.io/?a=b"],
)  # fmt: skip
def test_a_registry_is_told_from_a_repository(text):
    assert is_registry(text)
    assert parse_registry(text) == bare_host(text)


@pytest.mark.parametrize(
    "text",
    [
        "redis",
        "redis:5000",
        "ghcr.io/org/app",
        "localhost:5000/app",
        "acme/api",
        "",
        ":5000",
        "https://ghcr.io/org/app",
        "https://hub.docker.com/_/redis",
    ],
)
def test_a_repository_is_no_registry(text):
    assert not is_registry(text)

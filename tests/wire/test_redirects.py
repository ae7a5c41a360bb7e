"""Where answers come from elsewhere: signed addresses, other hosts, circles."""

from pathlib import Path

import pytest

import hubframe
from hubframe.testing import Reply

from .conftest import LOGIN

IMAGE = "library/alpine:latest"


def elsewhere(stage, path="/signed/file?signature=top-secret"):
    return f"http://{stage.served.example_host}{path}"


def test_a_blob_on_another_host_is_fetched_without_the_login(stage):
    """Storage refuses requests with two kinds of authorisation."""
    bodies = {}

    def redirect(request):
        bodies["config"] = stage.real_answer(request, "docker.io").body
        return Reply(307, {"Location": elsewhere(stage)})

    stage.fail("/blobs/", redirect)
    stage.fail("/signed/", lambda _: Reply(200, {}, bodies["config"]))
    client = stage.client({"docker.io": LOGIN, stage.served.example_host: LOGIN})
    client.registry(stage.served.example_host)

    assert len(hubframe.configs_df(IMAGE, source="registry", client=client)) == 1
    assert [each.authorized for each in stage.asked("/blobs/")] == [True]
    assert [each.authorized for each in stage.asked("/signed/")] == [False]


def test_the_cap_of_a_document_holds_behind_a_redirect(stage):
    stage.fail("/blobs/", Reply(307, {"Location": elsewhere(stage)}))
    stage.fail("/signed/", Reply(200, {}, b" " * (4 * 2**20 + 1)))

    with pytest.raises(hubframe.PayloadError, match="more than 4 MiB"):
        hubframe.configs_df(IMAGE, source="registry", client=stage.client())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_address_of_a_redirect_is_not_kept(stage, status):
    stage.fail("/repositories?", Reply(status, {"Location": elsewhere(stage)}), times=1)
    stage.fail("/signed/", Reply.of_json({"count": 0, "next": None, "results": []}))
    client = stage.client(LOGIN)

    first = hubframe.repos_df("acme", client=client)
    spent = stage.count()
    again = hubframe.repos_df("acme", client=client)

    assert len(first) == len(again) == 0
    assert stage.count() == spent, "kept under the address that was asked"
    assert [each.authorized for each in stage.asked("/signed/")] == [False]
    for path in filter(Path.is_file, stage.folder.rglob("*")):
        assert b"top-secret" not in path.read_bytes()


def test_a_redirect_on_the_same_host_keeps_the_login(stage):
    target = "/v2/repositories/acme?page=1&page_size=100"
    stage.fail("/namespaces/acme", Reply(301, {"Location": target}))

    repos = hubframe.repos_df("acme", client=stage.client(LOGIN))

    assert repos.is_private.any()
    assert stage.count("/v2/auth/token") == 1


def test_a_circle_of_redirects_ends(stage):
    stage.fail("/repositories?", lambda request: Reply(302, {"Location": request.url}))

    with pytest.raises(hubframe.TransportError, match="302"):
        hubframe.repos_df("acme", client=stage.client())
    assert stage.count("/repositories?") == 6

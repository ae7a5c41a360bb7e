"""What last four bytes tell, and what odd registries say in their place."""

import pandas as pd
import pytest

import hubframe
from hubframe.tables import LAYERS
from hubframe.tables.measured import UNPACKED_SIZES
from hubframe.testing import Reply

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DIGEST = "sha256:" + "a" * 64


def layers(*, size=5000, media_type=GZIP, repo="acme/tool", digest=DIGEST):
    return LAYERS.from_records(
        [{"repo": repo, "layer_digest": digest, "size": size, "media_type": media_type}]
    )


def trailer(size):
    return Reply(206, {}, (size % 2**32).to_bytes(4, "little"))


def asked(stage, reply, **layer):
    stage.fail("/blobs/", reply)
    (row,) = hubframe.unpacked_sizes_df(layers(**layer), client=stage.client()).to_dict("records")
    return row


def test_the_last_four_bytes_are_the_size(stage):
    seen = []

    def answer(request):
        seen.append({name.lower(): value for name, value in request.headers.items()})
        return trailer(51_200)

    row = asked(stage, answer)
    assert (row["unpacked_size"], row["method"]) == (51_200, "gzip trailer")
    assert pd.isna(row["reason"])
    assert [headers["range"] for headers in seen] == ["bytes=4996-4999"]


@pytest.mark.parametrize("size", [0, 512, 2**32 + 2000])
def test_a_size_that_cannot_be_is_none(stage, size):
    row = asked(stage, trailer(size))
    assert pd.isna(row["unpacked_size"])
    assert row["reason"].startswith("less than is packed")


def test_what_cannot_be_packed_may_be_smaller_than_its_file(stage):
    assert asked(stage, trailer(4608), size=4700)["unpacked_size"] == 4608


def test_a_registry_that_sends_the_whole_blob_is_not_listened_to(stage):
    row = asked(stage, Reply(200, {}, b" " * 10 * 2**20))
    assert pd.isna(row["unpacked_size"])
    assert row["reason"] == "the registry sends no such part of it"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(416, {}, b""),
        Reply(206, {"Content-Range": "bytes 0-3/5000"}, b"\0\xc8\0\0"),
    ],
)
def test_another_part_or_none_is_no_answer(stage, reply):
    assert asked(stage, reply)["reason"] == "the registry sends no such part of it"


@pytest.mark.parametrize("length", [0, 3, 5])
def test_a_part_of_another_length_is_none(stage, length):
    assert asked(stage, Reply(206, {}, b"x" * length))["reason"].startswith("the registry sends no")


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ({"media_type": GZIP.replace("gzip", "zstd")}, "packed with zstd"),
        ({"media_type": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}, "lies else"),
        ({"media_type": "application/spdx+json"}, "no layer of files"),
        ({"size": None}, "its size is not known"),
        ({"size": 2**32}, "packed, 4 GiB or more"),
        ({"digest": "sha256:../../x"}, "its size is not known"),
        ({"size": 3}, "too short"),
    ],
)
def test_some_layers_are_not_asked_for(stage, layer, reason):
    row = asked(stage, Reply(500, {}, b""), **layer)
    assert pd.isna(row["unpacked_size"])
    assert row["reason"].startswith(reason)


def test_an_archive_that_is_not_packed_has_its_size(stage):
    row = asked(stage, Reply(500, {}, b""), media_type=GZIP.removesuffix("+gzip"))
    assert (row["unpacked_size"], row["method"]) == (5000, "not packed")


def test_without_a_media_type_the_first_bytes_tell(stage):
    parts = {"bytes=0-1": b"\x1f\x8b", "bytes=4996-4999": (10_240).to_bytes(4, "little")}

    def answer(request):
        (wanted,) = (v for name, v in request.headers.items() if name.lower() == "range")
        return Reply(206, {}, parts[wanted])

    assert asked(stage, answer, media_type=None)["unpacked_size"] == 10_240
    parts["bytes=0-1"] = b"\x28\xb5"
    assert asked(stage, answer, media_type=None)["reason"] == "not packed with gzip"


def test_a_part_is_fetched_where_a_redirect_leads_and_without_the_login(stage):
    seen = []

    def answer(request):
        seen.append({name.lower() for name in request.headers})
        return trailer(10_240)

    stage.fail("/signed/", answer)
    target = f"{stage.served.hub_url}/signed/layer?sig=secret"
    row = asked(stage, Reply(307, {"Location": target.replace("127.0.0.1", "localhost")}))
    assert row["unpacked_size"] == 10_240
    assert "range" in seen[0]
    assert "authorization" not in seen[0]


def test_what_fails_costs_its_own_row(stage):
    stage.fail("/blobs/" + DIGEST, Reply(404, {}, b'{"errors": [{"code": "BLOB_UNKNOWN"}]}'))
    stage.fail("/blobs/sha256:b", trailer(10_240))
    both = pd.concat([layers(), layers(digest="sha256:" + "b" * 64)])
    client = stage.client()
    with pytest.raises(hubframe.NotFoundError):
        hubframe.unpacked_sizes_df(both, client=client)
    with pytest.warns(hubframe.IncompleteWarning):
        found = hubframe.unpacked_sizes_df(both, errors="collect", client=client)
    assert found["unpacked_size"].tolist() == [10_240]
    (failure,) = found.attrs["hubframe"]["failures"]
    assert failure["ref"] == f"acme/tool@{DIGEST}"


def test_no_layers_ask_for_nothing(stage):
    found = hubframe.unpacked_sizes_df(LAYERS.frame(), client=stage.client())
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == UNPACKED_SIZES.dtypes
    assert found.attrs["hubframe"]["requests"] == 0


@pytest.mark.parametrize("repo", ["Not A Repository", None])
def test_a_bad_repository_costs_its_own_row(stage, repo):
    stage.fail("/blobs/", trailer(51_200))
    good, bad = layers(), layers(repo=repo, digest="sha256:" + "b" * 64)
    both = pd.concat([good, bad], ignore_index=True)
    with pytest.raises(hubframe.InvalidReferenceError):
        hubframe.unpacked_sizes_df(both, client=stage.client())
    with pytest.warns(hubframe.IncompleteWarning):
        told = hubframe.unpacked_sizes_df(both, errors="collect", client=stage.client())
    assert told.unpacked_size.tolist() == [51_200]
    assert [failure["error"] for failure in told.attrs["hubframe"]["failures"]] == [
        "InvalidReferenceError"
    ]


@pytest.mark.usefixtures("sample")
def test_the_sample_sends_no_part_of_what_it_lacks():
    told = hubframe.unpacked_sizes_df(hubframe.layers_df("acme/api", newest=1))
    assert told["unpacked_size"].isna().all()
    assert set(told["reason"]) == {"the registry sends no such part of it"}
    held = hubframe.unpacked_sizes_df(hubframe.layers_df("registry.example/shop/web:1.2.0"))
    assert held["unpacked_size"].tolist() == [10_240] * 4

"""Digests by other algorithms than the usual one."""

import hashlib
import json

import pytest

import hubframe
from tests.quirks.registry import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Answer, listening, refusal


class Named:
    """A registry that names its documents by an algorithm of its own choice."""

    def __init__(self, algorithm, **kept):
        self.algorithm = algorithm
        # Headers that answers keep, by method; all where nothing is said.
        self.kept = kept
        self.log = []
        self.documents = {}
        config = {"os": "linux", "architecture": "amd64", "config": {"Labels": {"a": "b"}}}
        layer = {"digest": self.digest(b"layer"), "size": 5}
        manifest = self.add(OCI_MANIFEST, config=self.add(OCI_CONFIG, **config), layers=[layer])
        platform = {"os": "linux", "architecture": "amd64"}
        self.image = manifest["digest"]
        self.index = self.add(OCI_INDEX, manifests=[{**manifest, "platform": platform}])["digest"]

    def digest(self, body):
        return f"{self.algorithm}:{hashlib.new(self.algorithm, body).hexdigest()}"

    def add(self, media_type, **fields):
        body = json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode()
        self.documents[self.digest(body)] = (media_type, body)
        return {"mediaType": media_type, "digest": self.digest(body), "size": len(body)}

    def answer(self, asked):
        self.log.append((asked.method, asked.path))
        name = asked.path.rpartition("/")[2]
        if name == "list":
            return Answer.of({"tags": ["1.0", "2.0"]})
        digest = self.index if name in ("1.0", "2.0") else name
        if digest not in self.documents:
            return refusal(404, "MANIFEST_UNKNOWN")
        media_type, body = self.documents[digest]
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest}
        names = self.kept.get(asked.method, headers)
        return Answer(200, {key: headers[key] for key in names}, body)


@pytest.mark.parametrize(
    "kept",
    [{}, {"HEAD": []}, {"HEAD": ["Docker-Content-Digest"], "GET": ["Content-Type"]}],
    ids=["digest and type", "nothing by HEAD", "the digest by HEAD alone"],
)
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_digests_keep_the_registrys_algorithm(tmp_path, sleeps, algorithm, kept):
    named = Named(algorithm, **kept)
    settings = hubframe.Settings(cache_dir=tmp_path)
    with listening(named.answer) as host, hubframe.Client(settings) as client:
        repo = f"{host}/team/app"
        tags = hubframe.tags_df(repo, client=client)
        assert tags.digest.tolist() == [named.index] * 2
        assert tags.aliases.tolist() == ["1.0", "2.0"]
        for what in (f"{repo}:1.0", f"{repo}@{named.index}", repo):
            images = hubframe.images_df(what, client=client)
            assert set(images.index_digest) == {named.index}
            assert set(images.image_digest) == {named.image}
        labels = hubframe.labels_df(f"{repo}@{named.image}", client=client)
        assert labels.value.tolist() == ["b"]
        spent = len(named.log)
        assert hubframe.labels_df(f"{repo}:2.0", client=client).value.tolist() == ["b"]
        assert [path for method, path in named.log[spent:] if method == "GET"] == []
    assert not sleeps


def test_another_document_under_a_digest_of_any_algorithm_is_refused(tmp_path):
    named = Named("sha384")
    media_type, body = named.documents[named.index]
    named.documents[named.index] = (media_type, body + b" ")
    settings = hubframe.Settings(cache_dir=tmp_path)
    with (
        listening(named.answer) as host,
        hubframe.Client(settings) as client,
        pytest.raises(hubframe.DigestMismatchError, match="sha384"),
    ):
        hubframe.images_df(f"{host}/team/app@{named.index}", client=client)

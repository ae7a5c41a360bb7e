"""The files of real layers on a real registry, beside what the standard library reads of them."""

import gzip
import io
import tarfile

import hubframe

from .conftest import LiveRegistry
from .test_registry import get


def test_files_are_those_of_the_archives(live_registry: LiveRegistry, client) -> None:
    repos = [repo for repo in live_registry.repositories() if "app" in repo]
    files = hubframe.files_df(repos, platform="all", client=client)
    assert files["path"].nunique() > 3
    for (repo, digest), rows in files.groupby(["repo", "layer_digest"]):
        path = repo.partition("/")[2]
        blob = get(f"{live_registry.url}/v2/{path}/blobs/{digest}").content
        content = gzip.decompress(blob) if blob.startswith(b"\x1f\x8b") else blob
        # umoci leaves out what fills the last block, and the end.
        content += bytes(-len(content) % 512 + 1024)
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            sizes = [member.size for member in tar]
        first = rows.drop_duplicates("entry").sort_values("entry")
        assert first["size"].tolist() == sizes
    again = hubframe.files_df(repos, platform="all", client=client)
    assert again.equals(files)
    scores = hubframe.efficiency(files)
    assert len(scores) == files[["repo", "tag", "platform"]].drop_duplicates().shape[0]
    assert scores["efficiency"].between(0, 1).all()


def test_private_layers_take_the_login(token_registry, plain_machine, tmp_path) -> None:  # noqa: ARG001
    image = token_registry.find("private/app:1.4")
    reference = f"{image.repo}:{image.tag}"
    settings = hubframe.Settings(cache_dir=tmp_path / "cache")
    with hubframe.Client(settings, token_registry.credentials) as client:
        files = hubframe.files_df(reference, platform="all", client=client)
        assert files["layer_digest"].nunique() > 0
        assert files.attrs["hubframe"]["complete"]

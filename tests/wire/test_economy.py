"""How few requests it takes: pages together, documents once, nothing twice."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Barrier

import pytest

import hubframe

from .releases import REPO

TAGS = "/v2/namespaces/acme/repositories/tool/tags"
SCRIPT = """
import sys, hubframe
hub_url, registry_url, cache_dir, repo = sys.argv[1:]
settings = hubframe.Settings(hub_url=hub_url, registry_url=registry_url, cache_dir=cache_dir)
with hubframe.Client(settings) as client:
    labels = hubframe.labels_df(repo, client=client)
print(len(labels), labels.attrs["hubframe"]["requests"])
"""


def begin(stage, script=SCRIPT):
    """Start a new Python that asks for all labels."""
    package = Path(hubframe.__file__).parent.parent
    where = [stage.served.hub_url, stage.served.registry_url, str(stage.folder), REPO]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script, *where],
        env={**os.environ, "PYTHONPATH": str(package)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return [int(number) for number in out.split()]


@pytest.fixture
def large(stage_of, releases):
    return stage_of(releases)


def test_all_tags_and_images_take_three_requests(large):
    client = large.client()

    tags = hubframe.tags_df(REPO, client=client)
    images = hubframe.images_df(REPO, client=client)

    assert (len(tags), len(images)) == (230, 690)
    assert [each.path_and_query.partition("?")[0] for each in large.asked()] == [TAGS] * 3


def test_layers_of_all_tags_take_no_manifest(large):
    layers = hubframe.layers_df(REPO, client=large.client())

    assert len(layers) == 460
    assert large.count("/manifests/") == 0
    assert large.count("/images") == 115, "one for each distinct digest"


def test_labels_take_one_manifest_for_each_distinct_image(large):
    client = large.client()

    first = hubframe.labels_df(REPO, client=client)
    spent = large.count()
    again = hubframe.labels_df(REPO, client=client)

    assert len(first) == 460
    assert first.equals(again)
    assert large.count("/manifests/", "GET") == 115
    assert max(Counter(each.path_and_query for each in large.asked("/v2/acme")).values()) == 1
    assert large.count() == spent
    assert again.attrs["hubframe"]["requests"] == 0


def test_a_new_process_asks_for_nothing_that_is_held(large):
    hubframe.labels_df(REPO, client=large.client())
    spent = large.count()

    assert finish(begin(large)) == [460, 0]
    assert large.count() == spent


def test_two_processes_share_one_cold_cache(large):
    processes = [begin(large), begin(large)]

    assert [finish(process)[0] for process in processes] == [460, 460]
    assert not list(large.folder.glob("*damaged*"))
    assert finish(begin(large)) == [460, 0], "what either fetched is held"


def test_further_pages_are_asked_for_together(large):
    both = Barrier(2)

    def wait_for_the_other(request):
        both.wait(30)
        return large.real_answer(request)

    for page in (2, 3):
        large.fail(f"page={page}&", wait_for_the_other)

    assert len(hubframe.tags_df(REPO, client=large.client())) == 230
    assert not both.broken


def test_threads_that_ask_the_same_at_once_share_the_answers(large, at_once):
    client = large.client()

    frames = at_once(lambda: hubframe.labels_df(REPO, newest=10, client=client))

    assert {len(frame) for frame in frames} == {20}
    counts = Counter((each.method, each.path_and_query) for each in large.asked())
    assert set(counts.values()) == {1}, counts.most_common(4)


def test_a_shared_failure_is_told_to_all_and_not_kept(large, at_once):
    client = large.client()
    large.fail(TAGS, 404)

    def ask():
        with pytest.raises(hubframe.NotFoundError):
            hubframe.tags_df(REPO, client=client)

    at_once(ask)
    large.heal()

    assert len(hubframe.tags_df(REPO, client=client)) == 230


def test_index_manifest_and_config_are_fetched_once_through_the_registry(large, at_once):
    client = large.client()

    def ask():
        return hubframe.labels_df(
            [f"{REPO}:1.7", f"{REPO}:1.7.0"], source="registry", client=client
        )

    frames = at_once(ask)

    assert {len(frame) for frame in frames} == {4}
    kinds = Counter(each.path_and_query for each in large.asked("sha256:"))
    assert len(kinds) == 3
    assert set(kinds.values()) == {1}
    assert large.count("/manifests/1.7", "HEAD") == 2

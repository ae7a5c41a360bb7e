"""Aliases are those of the repository's whole list, however few rows are asked for, or not known."""

import pytest

import hubframe
from hubframe.testing import Reply

HUB_TAGS = "/repositories/many/tags"


def digest(number):
    return f"sha256:{number:064x}"


def serve(stage, count, *, is_last=True):
    """Serve a repository on the Hub whose newest and oldest tag are one image."""
    tags = [
        {
            "name": f"t{number}",
            "digest": digest(number % (count - 1)),
            "last_updated": f"2024-01-01T{23 - number // 60:02}:{59 - number % 60:02}:00Z",
        }
        for number in range(count)
    ]

    def answer(request):
        number = int(request.parameter("page"))
        size = int(request.parameter("page_size"))
        shown = tags[(number - 1) * size : number * size]
        has_next = number * size < count or not is_last
        return Reply.of_json({"count": count, "next": (has_next and "x") or None, "results": shown})

    stage.fail(HUB_TAGS, answer)


def told(frame):
    return frame.aliases.astype(object).where(frame.aliases.notna(), None).tolist()


@pytest.mark.parametrize("count", [3, 99, 100])
@pytest.mark.parametrize("options", [{"newest": 1}, {"tags": "t0"}, {"tags": ["t0"], "newest": 1}])
def test_aliases_outside_the_rows_are_told(stage, count, options):
    serve(stage, count)
    frame = hubframe.tags_df("acme/many", client=stage.client(), **options)

    assert frame.tag.tolist() == ["t0"]
    assert told(frame) == [f"t{count - 1}"]
    assert frame.attrs["hubframe"]["unknown"] == []
    assert stage.count(HUB_TAGS) == 1


def test_a_filter_reads_the_whole_list(stage):
    serve(stage, 250)
    frame = hubframe.tags_df("acme/many", tags="t0", client=stage.client())

    assert told(frame) == ["t249"]
    assert frame.attrs["hubframe"]["unknown"] == []


def test_aliases_are_not_known_where_the_list_was_not_read_whole(stage):
    serve(stage, 101)
    client = stage.client()
    frame = hubframe.tags_df(["acme/many", "ansible/ansible"], newest=3, client=client)
    of_many = frame[frame.repo == "acme/many"]

    assert told(of_many) == [None] * 3
    assert "13.4.0 latest" in told(frame), "of the other repository they are known"
    said = frame.attrs["hubframe"]
    assert [(one["column"], one["ref"]) for one in said["unknown"]] == [("aliases", "acme/many")]
    assert said["complete"]
    assert stage.count(HUB_TAGS) == 1, "no page is asked for because of aliases alone"
    assert told(hubframe.tags_df("acme/many", client=client))[0] == "t100"


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("source", ["hub", "registry"])
def test_a_tag_that_is_named_has_aliases_that_are_not_known(source):
    frame = hubframe.tags_df("ansible/ansible:latest", source=source)

    assert told(frame) == [None]
    assert frame.attrs["hubframe"]["unknown"][0]["ref"] == "ansible/ansible"
    both = hubframe.tags_df(["ansible/ansible:latest", "ansible/ansible"], source=source)
    assert both.attrs["hubframe"]["unknown"] == []
    assert both.set_index("tag").aliases["latest"] == "13.4.0 stable"


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("options", [{"newest": 2}, {"tags": ["latest", "stable"]}])
def test_a_registry_is_asked_for_no_more_digests(options):
    repo = "ansible/ansible"
    some = hubframe.tags_df(repo, source="registry", **options)
    whole = hubframe.tags_df(repo, source="registry")

    assert told(some) == [None, None]
    assert [one["column"] for one in some.attrs["hubframe"]["unknown"]] == ["aliases"]
    assert whole.set_index("tag").aliases["latest"] == "13.4.0 stable"
    assert whole.attrs["hubframe"]["unknown"] == []
    every = hubframe.tags_df(repo, source="registry", newest=len(whole))
    assert told(every) == told(whole)


def test_a_digest_that_could_not_be_asked_for_is_not_guessed(stage):
    stage.fail("/manifests/stable", 500)
    client = stage.client()
    with pytest.warns(hubframe.IncompleteWarning):
        frame = hubframe.tags_df(
            "ansible/ansible", source="registry", errors="collect", client=client
        )

    assert set(told(frame)) == {None}
    assert len(frame.attrs["hubframe"]["unknown"]) == 1

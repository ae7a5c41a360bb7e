"""What is looked for and chosen, without widgets or a kernel."""

from dataclasses import replace

import pandas as pd
import pytest

import hubframe
from hubframe.apps.explorer.model import (
    FEW,
    NAMESPACE,
    REGISTRY,
    REPOSITORY,
    WORDS,
    Search,
    State,
    read_filters,
)
from hubframe.tables import TAGS

SIGNATURE = "sha256-" + "0" * 64 + ".sig"


def tags_of(*names, repo="acme/web"):
    return TAGS.from_records(
        [{"repo": repo, "tag": name, "is_digest_tag": name == SIGNATURE} for name in names]
    )


def state_of(*names, **filters):
    state = State().opened(["acme/web"], tags_of(*names))
    return replace(state, filters=read_filters(**filters))


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("ansible", (NAMESPACE, REPOSITORY, WORDS)),
        (" ansible/ansible ", (REPOSITORY,)),
        ("nginx:1.27", (REPOSITORY,)),
        ("ghcr.io/org/app", (REPOSITORY,)),
        ("localhost:5000/app:1", (REPOSITORY,)),
        ("localhost:5000", (REGISTRY,)),
        ("127.0.0.1:5000", (REGISTRY,)),
        ("registry.example.com:443", (REGISTRY,)),
        ("ghcr.io/", (REGISTRY,)),
        ("https://ghcr.io", (REGISTRY,)),
        ("https://hub.docker.com/r/ansible/ansible/", (REPOSITORY,)),
        ("https://github.com/orgs/org/packages/container/app", (REPOSITORY,)),
        ("https://hub.docker.com/u/ansible/", (NAMESPACE,)),
        ("web server", (WORDS,)),
    ],
)
def test_what_is_typed_has_a_meaning(text, meanings):
    assert Search.read(text).meanings == meanings


def test_a_person_may_say_what_it_means():
    assert Search.read("nginx", WORDS).meanings == (WORDS,)


def test_nothing_typed_says_what_could_be():
    with pytest.raises(ValueError, match="type a namespace"):
        Search.read("  ")


def test_filters_choose_tags():
    names = ["2.10", "2.9.1", "2.9-alpine", "latest", SIGNATURE]

    def shown(**filters):
        return state_of(*names, **filters).visible["tag"].tolist()

    assert shown() == names[:-1]
    assert shown(everything=True) == names
    assert shown(text="2.9") == ["2.9.1", "2.9-alpine"]
    assert shown(text="2.9*") == ["2.9.1", "2.9-alpine"]
    assert shown(text="*alpine") == ["2.9-alpine"]
    assert shown(versions="") == ["2.10", "2.9.1", "2.9-alpine"]
    assert shown(versions=">2.9.0", newest=1) == ["2.10"]


@pytest.mark.parametrize("filters", [{"versions": ">="}, {"platform": "linux amd64 x"}])
def test_filters_that_cannot_be_read_are_named(filters):
    with pytest.raises(ValueError):
        read_filters(**filters)


def test_calls_ask_for_the_tags_that_are_taken():
    names = [f"1.{minor}" for minor in reversed(range(30))]

    def ask(**filters):
        return state_of(*names, **filters).asked()

    assert (ask().what, ask().options) == ("acme/web", {"newest": FEW})
    assert ask(newest=5).options == {"newest": 5}
    assert ask(text="1.2").options == {"tags": "*1.2*"}
    assert ask(platform="linux/arm64").options == {"newest": FEW, "platform": "linux/arm64"}
    assert ask(versions=">=1.25").options == {"tags": hubframe.versions_in(">=1.25")}
    both = ask(versions=">=1.25", text="1.2")
    assert both.what == [f"acme/web:1.{minor}" for minor in (29, 28, 27, 26, 25)]
    assert not both.options


def test_a_glob_that_would_take_signatures_is_not_asked_with():
    asked = state_of("56", SIGNATURE, text="5*").asked()
    assert asked.options == {"tags": "5*"}
    asked = state_of("s1", SIGNATURE, text="s*").asked()
    assert (asked.what, dict(asked.options)) == (["acme/web:s1"], {})


def test_chosen_tags_are_named_in_the_order_of_choosing():
    state = state_of("1", "2", "3").chose([("acme/web", "3"), ("acme/web", "1")])
    assert state.asked().what == ["acme/web:3", "acme/web:1"]
    assert state.taken == [("acme/web", "3"), ("acme/web", "1")]


def test_newest_counts_in_each_repository():
    frame = pd.concat([tags_of("2", "1"), tags_of("4", "3", repo="acme/api")])
    state = State().opened(["acme/web", "acme/api"], frame)
    shown = replace(state, filters=read_filters(newest=1)).visible
    assert list(zip(shown["repo"], shown["tag"], strict=True)) == [
        ("acme/web", "2"),
        ("acme/api", "4"),
    ]


def test_what_was_looked_for_is_remembered_once_and_not_for_ever():
    state = State()
    for text in [*(f"name{number}" for number in range(12)), "name5"]:
        state = state.found(Search.read(text, NAMESPACE), pd.DataFrame({"repo": []}))
    assert state.recent[:2] == ("name5", "name11")
    assert len(state.recent) == len(set(state.recent)) == 10


def test_an_image_that_is_looked_for_is_chosen():
    state = State().named(Search.read("acme/web:2"), tags_of("2", "1"))
    assert state.chosen == (("acme/web", "2"),)


def test_a_tag_that_is_not_there_is_named():
    with pytest.raises(hubframe.NotFoundError, match=r"acme/web has no tag 3; look for acme/web"):
        State().named(Search.read("acme/web:3"), tags_of("2", "1"))

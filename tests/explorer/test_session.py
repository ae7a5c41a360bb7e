"""What happens when a person does something; threads and clients are real, widgets there are none."""

import threading
import zipfile
from dataclasses import replace

import pandas as pd
import pytest

import hubframe
from hubframe.apps.explorer.findings import line_of
from hubframe.apps.explorer.model import Place, read_filters
from hubframe.apps.explorer.panels import PANELS, missing
from hubframe.apps.explorer.session import LISTING, PANEL, TAGS, Session
from hubframe.apps.explorer.wording import (
    digest_of,
    price,
    pull_command,
    scope,
    state_of,
    static,
)
from hubframe.testing import Application, Fault, Reply, World, serve
from hubframe.wire.limits import Limits

from .conftest import PATIENCE, hold, run


def opened(session, what="ansible/ansible"):
    session.look_for(what)
    assert session.work.wait(PATIENCE)
    return session


def working():
    """Return the threads that fetch for explorers."""
    return [thread for thread in threading.enumerate() if thread.name == "hubframe explorer"]


def last(code):
    """Return the lines of code after those that every notebook begins with."""
    return code.removeprefix("import hubframe\n\n").removeprefix("hubframe.sample()\n\n")


def shown(session, panel):
    session.show(panel)
    assert session.work.wait(PATIENCE)
    return session.result.frame


def test_a_namespace_is_listed(session):
    opened(session, "ansible")
    assert session.state.listing["repo"].tolist() == hubframe.repos_df("ansible")["repo"].tolist()
    assert last(session.listing_code) == 'hubframe.repos_df("ansible")'
    assert not session.state.repos


def test_an_official_image_is_found_by_its_short_name(session):
    opened(session, "redis")
    assert session.state.repos == ("library/redis",)
    assert session.state.listing is None


def test_a_word_that_is_neither_is_searched_for(session):
    opened(session, "automation")
    assert last(session.listing_code) == 'hubframe.search_df("automation")'
    assert "ansible/ansible" in set(session.state.listing["repo"])


@pytest.mark.parametrize(
    "text", ["", "acme/nothing-here", "Not/An/Image", "ansible/ansible:no-such"]
)
def test_what_is_not_found_is_said_where_it_was_looked_for(session, text):
    opened(session, text)
    assert session.messages[LISTING]
    assert session.progress is None


def test_repositories_are_opened_together(session):
    session.open(["ansible/ansible", "ansible/awx"])
    assert session.work.wait(PATIENCE)
    assert last(session.code) == 'hubframe.tags_df(["ansible/ansible", "ansible/awx"])'
    pd.testing.assert_frame_equal(session.result.frame, run(session.code))


def test_no_repository_is_open_when_the_last_is_let_go(session):
    opened(session)
    session.open([])
    assert session.state.tags.empty
    assert session.result is None
    assert session.code == ""
    opened(session)
    assert len(session.result.frame)


def test_what_was_seen_is_suggested_and_what_was_looked_for_first(session):
    first = session.suggestions
    for what in first:
        opened(session, what)
        assert LISTING not in session.messages
    opened(session, "ansible")
    assert session.suggestions[:2] == ("ansible", "registry.example/")
    assert {"ansible/awx", "acme/web", "library/nginx"} < set(session.suggestions)
    assert len(set(session.suggestions)) == len(session.suggestions)


# The others read layers, which the sample has of few repositories, or are of frames that somebody
# gave: see `test_inside.py` and `test_given.py`.
OF_ANY = [name for name, panel in PANELS.items() if not (panel.downloads or panel.is_given)]
SITUATIONS = {
    "nothing chosen": {},
    "a part of the name": {"text": "1."},
    "versions": {"versions": ">=9, stable", "newest": 3},
    "both": {"versions": ">=9", "text": "0"},
    "everything": {"everything": True},
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("panel", OF_ANY)
def test_the_code_gives_the_same_frame(session, panel, situation):
    opened(session)
    session.filter(read_filters(**SITUATIONS[situation]))
    if panel == "compare":
        session.choose([("ansible/ansible", tag) for tag in session.state.visible["tag"][:3]])
        session.work.wait(PATIENCE)
    pd.testing.assert_frame_equal(shown(session, panel), run(session.code))


@pytest.mark.usefixtures("sample")
def test_the_code_names_the_client_that_was_given():
    with hubframe.Client(hubframe.Settings(sample=True)) as client:
        session = opened(Session(client=client))
        assert session.code == (
            "import hubframe\n\nclient = hubframe.Client(hubframe.Settings(sample=True))\n\n"
            'hubframe.tags_df("ansible/ansible", client=client)'
        )
        pd.testing.assert_frame_equal(session.result.frame, run(session.code))


def test_results_come_in_parts(session):
    opened(session)
    counts = []
    session.changed = lambda part: counts.append(
        (len(session.result.frame), session.is_partial)
        if part == PANEL and session.result
        else None
    )
    frame = shown(session, "layers")
    told = [count for count in counts if count]
    assert told[0][0] < len(frame)
    assert told[0][1]
    assert told[-1] == (len(frame), False)


def test_a_panel_says_what_it_needs(session):
    opened(session)
    session.filter(read_filters("13.4.0"))
    session.show("compare")
    assert session.work.wait(PATIENCE)
    assert session.result is None
    assert session.code == ""
    assert missing(session.panel, session.state).startswith("There is one image only")
    session.choose([("ansible/ansible", tag) for tag in ("13.4.0", "13.2.0")])
    assert session.work.wait(PATIENCE)
    assert (
        last(session.code)
        == 'hubframe.compare_df(["ansible/ansible:13.2.0", "ansible/ansible:13.4.0"])'
    )


def test_other_filters_are_read_for_once_nothing_more_is_typed(session):
    opened(session)
    for panel in ("overview", "growth", "layers"):
        session.filter(read_filters())
        shown(session, panel)
        session.filter(read_filters("1"))
        assert session.is_old
        session.filter(read_filters("13"))
        assert session.work.wait(PATIENCE)
        assert not session.is_old
        assert set(session.result.frame["tag"]) <= {"13.4.0", "13.2.0", "13.0.0", "13.0.0rc1"}
        assert "*13*" in session.code


@pytest.mark.parametrize("panel", ["overview", "layers", "compare", "image"])
def test_what_is_said_of_a_result_is_of_what_it_was_read_for(session, panel):
    opened(session)
    shown(session, panel)
    before, told = session.result, (session.code, scope(session.result))
    session.filter(read_filters("12"))
    session.cancel()
    assert session.result is before
    assert (session.code, scope(session.result)) == told
    pd.testing.assert_frame_equal(before.frame, run(session.code))
    assert session.may_read_again
    session.read_panel()
    assert session.work.wait(PATIENCE)
    assert (session.code, scope(session.result)) != told


def test_overview_counts_the_tags_that_are_shown(session):
    opened(session)
    session.filter(read_filters("13"))
    assert session.work.wait(PATIENCE)
    assert session.result.findings[0].startswith("ansible/ansible: 4 tags of 4 images;")
    assert session.result.frame["tag"].tolist() == session.state.visible["tag"].tolist()


def test_newest_is_as_many_as_were_asked_for(session):
    opened(session)
    session.filter(read_filters(newest=25))
    frame = shown(session, "layers")
    assert frame["tag"].nunique() == 25
    assert last(session.code) == 'hubframe.layers_df("ansible/ansible", newest=25)'


@pytest.mark.parametrize("platform", ["all", "linux/arm64"])
def test_every_panel_can_be_shown_for_every_platform_that_is_offered(session, platform):
    opened(session)
    session.filter(read_filters(platform=platform))
    for panel in OF_ANY:
        frame = shown(session, panel)
        assert PANEL not in session.messages, panel
        if panel != "limits":
            assert len(frame), panel
        pd.testing.assert_frame_equal(frame, run(session.code))


def test_a_comparison_says_of_which_platform_it_is(session):
    opened(session)
    session.filter(read_filters(platform="all"))
    shown(session, "compare")
    assert scope(session.result).endswith("linux/amd64")


def test_a_failed_open_leaves_one_repository_on_screen(session):
    opened(session, "ansible")
    session.open(["ansible/ansible"])
    assert session.work.wait(PATIENCE)
    before, drawn = session.state, []
    session.changed = drawn.append
    session.open(["ansible/no-such"])
    assert session.work.wait(PATIENCE)
    assert session.messages[TAGS].endswith("Still shown: ansible/ansible.")
    assert session.state is before
    # What is chosen in the list is what is open.
    assert LISTING in drawn
    assert "ansible/ansible" in session.code
    session.look_for("acme/no-such")
    assert session.work.wait(PATIENCE)
    assert session.messages[LISTING].endswith("Still shown: ansible/ansible.")


def test_an_open_that_ends_what_is_read_says_that_it_is_not_all(stand):
    session, application = stand
    opened(session)
    (_, late) = session.state.taken[15]
    held, release = hold(application, f"/tags/{late}/images")
    session.show("layers")
    assert held.wait(PATIENCE)
    session.work.post.drain()
    session.open(["ansible/no-such"])
    release.set()
    assert session.work.wait(PATIENCE)
    assert session.is_partial
    assert session.may_read_again


def test_sentences_and_pictures_are_of_one_repository(session):
    session.open(["ansible/ansible-runner", "ansible/ansible"])
    assert session.work.wait(PATIENCE)
    shown(session, "growth")
    told = line_of(session.result.frame)
    assert len(set(told["repo"])) == 1
    tag = session.result.findings[0].split(" ")[0]
    assert tag in set(told["tag"])
    titles = [axes.get_title(side) for axes in session.figure().axes for side in ("left", "center")]
    assert told["repo"].iloc[0] in " ".join(titles)


def test_a_click_on_a_tag_shows_its_image(session):
    opened(session)
    session.choose([("ansible/ansible", "13.2.0")])
    assert session.work.wait(PATIENCE)
    assert session.panel.name == "image"
    assert set(session.result.frame["tag"]) == {"13.2.0"}
    told = session.result.findings
    assert told[0].replace("\N{NO-BREAK SPACE}", " ").startswith("130 MB in 7 layers; pushed ")
    table = session.result.table
    assert table["also_in"].max() > 0
    assert digest_of(session.result) in pull_command(session.result)
    assert pull_command(session.result).startswith("docker pull ansible/ansible@sha256:")
    # Where a panel of chosen tags is open it stays.
    shown(session, "layers")
    session.choose([("ansible/ansible", "13.4.0")])
    assert session.work.wait(PATIENCE)
    assert session.panel.name == "layers"


def test_old_and_new_are_told_apart_by_version_and_swapped(session):
    opened(session)
    session.choose([("ansible/ansible", tag) for tag in ("13.4.0", "9.4.0")])
    frame = shown(session, "compare")
    assert frame["left_name"].iloc[0] == "ansible/ansible:9.4.0"
    grown = frame.loc[frame["aspect"] == "size", "size_change"].iloc[0]
    session.swap()
    assert session.work.wait(PATIENCE)
    swapped = session.result.frame
    assert swapped["left_name"].iloc[0] == "ansible/ansible:13.4.0"
    assert swapped.loc[swapped["aspect"] == "size", "size_change"].iloc[0] == -grown
    session.compare(("ansible/ansible", "8.0.0"), ("ansible/ansible", "8.5.0"))
    assert session.work.wait(PATIENCE)
    assert session.result.frame["right_name"].iloc[0] == "ansible/ansible:8.5.0"
    table = session.result.table
    steps = table.loc[table["part"] == "layers", "what"]
    assert steps.str.startswith(("RUN", "ADD", "WORKDIR")).all()


def test_without_a_choice_the_newest_is_compared_with_the_image_before_it(session):
    opened(session)
    frame = shown(session, "compare")
    assert set(frame["left_name"]) == {"ansible/ansible:13.2.0"}
    session.choose([("ansible/ansible", "12.3.0")])
    assert session.work.wait(PATIENCE)
    assert set(session.result.frame["left_name"]) == {"ansible/ansible:12.0.0"}


def test_back_goes_where_one_was(session):
    opened(session)
    shown(session, "growth")
    session.choose([("ansible/ansible", "13.2.0")])
    assert session.work.wait(PATIENCE)
    opened(session, "acme/web")
    session.back()
    assert session.work.wait(PATIENCE)
    assert session.state.repos == ("ansible/ansible",)
    assert session.state.chosen == (("ansible/ansible", "13.2.0"),)
    session.back()
    assert session.work.wait(PATIENCE)
    assert not session.state.chosen
    assert session.panel.name == "growth"
    session.back()
    assert session.work.wait(PATIENCE)
    assert session.panel.name == "overview"
    assert not session.may_go_back


def test_a_place_is_found_again(session):
    opened(session, "ansible")
    session.open(["ansible/ansible"])
    assert session.work.wait(PATIENCE)
    session.filter(read_filters("13", ">=13", 3, "linux/arm64", everything=True))
    assert session.work.wait(PATIENCE)
    session.choose([("ansible/ansible", tag) for tag in ("13.4.0", "13.2.0")])
    shown(session, "compare")
    session.swap()
    assert session.work.wait(PATIENCE)
    place = Place.read(session.state.place.query(), PANELS)
    assert place == session.state.place
    other = Session()
    other.go(place)
    assert other.work.wait(PATIENCE)
    assert other.state.place == place
    pd.testing.assert_frame_equal(other.result.frame, session.result.frame)
    assert other.code == session.code


@pytest.mark.parametrize(
    "query", ["", "panel=layers", "what=&tag=a", "newest=x", "utm_source=news&x=%ff"]
)
def test_an_address_without_a_place_is_none(query):
    assert Place.read(query, PANELS) is None


def test_nonsense_in_an_address_is_passed_over(session):
    query = "what=ansible/ansible&panel=no&tag=gone:1&newest=-1&versions=%3E%3D&as=what"
    session.go(Place.read(query, PANELS))
    assert session.work.wait(PATIENCE)
    assert session.panel.name == "overview"
    assert not session.state.chosen
    assert not session.messages


def test_the_line_of_code_opens_the_same(session):
    opened(session)
    session.choose([("ansible/ansible", "13.4.0")])
    shown(session, "layers")
    assert last(session.line) == (
        'hubframe.explore("ansible/ansible", tags=["13.4.0"], panel="layers")'
    )
    explorer = run(session.line)
    assert explorer.wait()
    assert explorer.code == session.code
    pd.testing.assert_frame_equal(explorer.frame, session.result.frame)
    explorer.close()


def test_a_panel_of_all_tags_is_not_read_again_for_those_that_are_chosen(session):
    opened(session)
    session.choose([("ansible/ansible", "13.2.0")])
    assert session.work.wait(PATIENCE)
    for panel, is_same in (("overview", True), ("cleanup", True), ("layers", False)):
        shown(session, panel)
        before = session.result
        session.choose([])
        assert session.work.wait(PATIENCE)
        assert (session.result is before) == is_same, panel
        pd.testing.assert_frame_equal(session.result.frame, run(session.code))
        session.choose([("ansible/ansible", "13.2.0")])
        assert session.work.wait(PATIENCE)


def test_a_rule_is_part_of_the_code(session):
    opened(session)
    shown(session, "cleanup")
    session.rule(3, 30)
    assert session.work.wait(PATIENCE)
    assert "keep=3, older_than=30" in session.code
    pd.testing.assert_frame_equal(session.result.frame, run(session.code))


def test_every_panel_with_a_picture_draws_it(session):
    opened(session)
    session.choose([("ansible/ansible", tag) for tag in ("13.4.0", "13.2.0", "11.8.0")])
    for name in OF_ANY:
        shown(session, name)
        assert (session.figure() is not None) == (PANELS[name].plot is not None), name


def test_the_history_is_shown_as_a_dockerfile(session):
    opened(session, "ansible/ansible:13.4.0")
    text = PANELS["history"].text(shown(session, "history"))
    assert text.startswith("# ansible/ansible:13.4.0, linux/amd64\n")
    assert "\nRUN pip install" in text


def test_what_fails_costs_its_own_rows_and_is_told(session):
    opened(session, "library/alpine")
    session.filter(read_filters(platform="windows/amd64"))
    session.choose([("library/alpine", tag) for tag in session.state.visible["tag"][:2]])
    assert session.work.wait(PATIENCE)
    frame = shown(session, "layers")
    assert frame.empty
    assert not session.result.is_complete
    assert session.may_read_again
    assert 'errors="collect"' in session.code
    with pytest.warns(hubframe.IncompleteWarning):
        pd.testing.assert_frame_equal(frame, run(session.code))


def test_a_report_is_handed_over_as_an_archive(session, tmp_path):
    opened(session, "ansible/ansible:13.4.0")
    packed = []
    session.report(packed.append)
    assert session.work.wait(PATIENCE)
    path = tmp_path / "report.zip"
    path.write_bytes(packed[0])
    with zipfile.ZipFile(path) as archive:
        assert {"report.html", "summary.json"} <= set(archive.namelist())


@pytest.fixture
def stand(tmp_path):
    """Serve the sample on sockets, as a Hub with limits, and give a session of it."""
    application = Application(pull_limit=100)
    with serve(application) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=tmp_path, workers=2
        )
        with hubframe.Client(settings) as client:
            session = Session(client=client)
            yield session, application
            session.cancel()


def pulls(application):
    asked = [one for one in list(application.log) if one.method == "GET"]
    return [one for one in asked if "/manifests/" in one.path_and_query]


def test_what_costs_pulls_is_asked_for_first(stand):
    session, application = stand
    opened(session, "ansible/ansible:13.4.0")
    session.show("labels")
    assert session.work.wait(PATIENCE)
    assert session.offer.plan.pulls == 1
    assert session.result is None
    assert not pulls(application)
    assert session.badges == ["100 of 100 pulls left"]
    session.decline()
    assert session.offer is None
    assert session.may_read_again, "what was declined can be asked for again"
    session.read_panel()
    assert session.work.wait(PATIENCE)
    session.agree()
    assert session.work.wait(PATIENCE)
    assert len(session.result.frame)
    assert len(pulls(application)) == 1
    assert session.badges == ["99 of 100 pulls left"]
    session.read_panel()
    assert session.work.wait(PATIENCE)
    assert session.offer is None, "what is here costs nothing"


def test_as_many_of_the_newest_as_fit_are_offered(tmp_path):
    application = Application(pull_limit=7)
    with serve(application) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=tmp_path
        )
        with hubframe.Client(settings) as client:
            session = opened(Session(client=client))
            session.show("labels")
            assert session.work.wait(PATIENCE)
            # Three of the newest tags are one image.
            assert session.offer.fitting == 9
            assert "in 6 hours" in price(session.offer)
            session.agree_to_fitting()
            assert session.work.wait(PATIENCE)
            session.agree()
            assert session.work.wait(PATIENCE)
            assert session.result.is_complete
            assert session.result.frame["tag"].nunique() == 9
            assert len(pulls(application)) == 7


def test_of_answers_that_overtake_one_another_the_least_that_is_left_counts():
    limits = Limits()
    for left in (98, 96, 97):
        headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": f"{left};w=21600"}
        limits.note("docker.io", "", headers)
    assert limits.last("docker.io", "", "pull").remaining == 96


def test_cancelling_ends_the_work_at_once_and_keeps_nothing_half_built(stand):
    session, application = stand
    opened(session)
    held, release = hold(application, "/images")
    session.show("layers")
    (thread,) = working()
    assert held.wait(PATIENCE)
    session.cancel()
    thread.join(PATIENCE / 6)
    assert not thread.is_alive()
    release.set()
    assert session.progress is None
    assert session.result is None
    assert session.messages[PANEL].startswith("Cancelled")
    assert session.may_read_again
    application.faults.clear()
    assert len(shown(session, "layers"))
    assert PANEL not in session.messages
    assert not session.may_read_again


def test_a_part_that_nothing_is_added_to_says_so(stand):
    session, application = stand
    opened(session)
    (_, late) = session.state.taken[15]
    held, release = hold(application, f"/tags/{late}/images")
    session.show("layers")
    assert held.wait(PATIENCE)
    session.work.post.drain()
    assert session.is_partial
    session.look_for("Not/An/Image")
    release.set()
    assert session.work.wait(PATIENCE)
    assert session.is_partial, "what was shown of it is no more than it was"
    told = state_of(session.result, is_busy=session.work.is_busy)
    assert told == "10 of 20 tags so far. This is not all of it."
    assert not session.result.frame.attrs["hubframe"]["complete"]
    assert "This is not all of it." in static(session)
    assert ", complete" not in static(session)


def test_a_repository_without_tags_says_so(session):
    opened(session, "acme/empty")
    assert session.result is None
    assert missing(session.panel, session.state) == "Open a repository that has tags first."


@pytest.fixture
def many(tmp_path):
    """Serve a registry with a repository of 10,000 tags, and give a session that has it open."""
    world = World.bundled()
    like = world.repositories["registry.example", "team/api"]
    old = like.tags["1.0.0"]
    tags = {name: replace(old, name=name) for name in (f"1.{n}" for n in range(9_999))}
    tags["latest"] = replace(like.tags["2.3.0"], name="latest")
    world.repositories["registry.example", "team/many"] = replace(like, path="team/many", tags=tags)
    application = Application(world)
    with serve(application) as served, hubframe.Client(cache_dir(tmp_path)) as client:
        session = opened(Session(client=client), f"{served.example_host}/team/many")
        yield session, application
        session.cancel()
        session.looking.cancel()


def cache_dir(folder):
    return hubframe.Settings(cache_dir=folder)


def asked_of(application):
    return {
        one.path_and_query.rpartition("/")[2]
        for one in list(application.log)
        if "/manifests/" in one.path_and_query and "sha256:" not in one.path_and_query
    }


def test_of_a_registry_only_the_tags_in_view_are_asked_for(many):
    session, application = many
    assert len(session.state.tags) == 10_000
    assert not asked_of(application)
    assert len(session.result.frame) == 10_000
    rows = list(zip(session.state.tags["repo"], session.state.tags["tag"], strict=True))
    session.look_up(rows[20:35])
    assert session.looking.wait(PATIENCE)
    assert session.work.wait(PATIENCE)
    assert asked_of(application) == {tag for _, tag in rows[20:35]}
    known = session.result.frame.iloc[20:35]
    assert known[["size", "digest", "created_at"]].notna().all(axis=None)
    assert session.state.tags["size"].notna().sum() == 15
    assert session.state.tags.dtypes[list(hubframe.tables.TAGS.dtypes)].astype(str).to_dict() == {
        name: str(dtype) for name, dtype in hubframe.tables.TAGS.dtypes.items()
    }
    before = len(application.log)
    session.look_up(rows[20:35])
    assert session.looking.wait(PATIENCE)
    assert len(application.log) == before


def test_pages_that_are_turned_fast_are_not_asked_for(many):
    session, application = many
    rows = list(zip(session.state.tags["repo"], session.state.tags["tag"], strict=True))
    for start in range(0, 600, 15):
        session.look_up(rows[start : start + 15])
    assert session.looking.wait(PATIENCE)
    assert asked_of(application) == {tag for _, tag in rows[585:600]}


def test_what_was_asked_for_later_wins(stand):
    session, application = stand
    opened(session)
    held, release = hold(application, "/images")
    session.show("layers")
    assert held.wait(PATIENCE)
    session.show("overview")
    assert session.work.wait(PATIENCE)
    assert last(session.code).startswith("# client is the one")
    assert "hubframe.tags_df" in session.code
    release.set()
    session.work.post.drain()
    assert list(session.result.frame) == list(hubframe.tables.TAGS.dtypes)


@pytest.mark.usefixtures("sleeps")
def test_a_network_that_is_gone_is_said_where_it_was_needed(stand):
    session, application = stand
    opened(session)
    application.faults.append(Fault(lambda _: True, Reply(500), None))
    session.open(["ansible/awx"])
    assert session.work.wait(PATIENCE)
    assert "500" in session.messages[TAGS]
    assert session.state.repos == ("ansible/ansible",)
    assert session.progress is None


@pytest.mark.usefixtures("sleeps")
def test_a_network_that_dies_in_the_middle_loses_nothing_that_is_shown(tmp_path):
    with serve(Application()) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url,
            registry_url=served.registry_url,
            cache_dir=tmp_path,
            timeout=2,
        )
        client = hubframe.Client(settings)
        session = opened(Session(client=client))
        before = session.state.tags
    with client:
        session.show("layers")
        assert session.work.wait(PATIENCE)
        session.look_for("acme")
        assert session.work.wait(PATIENCE)
        assert "could not be reached" in session.messages[LISTING]
        pd.testing.assert_frame_equal(session.state.tags, before)
        assert session.progress is None
        assert not working()


def test_a_login_that_is_refused_is_said_without_it(tmp_path):
    with serve(Application()) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=tmp_path
        )
        login = ("ansible-bot", "Wr0ngPassw0rd")
        with hubframe.Client(settings, credentials=login) as client:
            session = opened(Session(client=client), "ansible")
            said = session.messages[LISTING]
    assert "refused the credentials" in said
    assert "Wr0ng" not in said
    assert session.progress is None


def test_no_thread_is_left_behind(session):
    opened(session)
    shown(session, "growth")
    session.cancel()
    assert not working()


def test_a_rule_is_part_of_the_place(session):
    opened(session)
    shown(session, "cleanup")
    session.rule(3, 30)
    assert session.work.wait(PATIENCE)
    place = Place.read(session.state.place.query(), PANELS)
    assert (place.keep, place.older_than) == (3, 30)
    other = Session()
    other.go(place)
    assert other.work.wait(PATIENCE)
    assert other.code == session.code

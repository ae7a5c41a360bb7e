"""What is inside images, and what reading it costs."""

import re

import pandas as pd
import pytest

import hubframe
from hubframe.apps.explorer.model import read_filters
from hubframe.apps.explorer.session import PANEL, Session
from hubframe.apps.explorer.wording import price, scope
from hubframe.testing import Application, serve
from tests.contents.test_layers import DEBIAN, STATUS, debs
from tests.layerfiles.conftest import shelf  # noqa: F401
from tests.layerfiles.layers import archive, packed
from tests.wire.conftest import bundled, direct, home, sleeps, stage, stage_of  # noqa: F401

from .conftest import PATIENCE, run

WEB = "registry.example/shop/web"


def looked_into(session, *tags):
    session.look_for(WEB)
    assert session.work.wait(PATIENCE)
    session.choose([(WEB, tag) for tag in tags])
    assert session.work.wait(PATIENCE)
    session.show("inside")
    assert session.work.wait(PATIENCE)
    assert PANEL not in session.messages
    return session.result


@pytest.mark.parametrize("platform", ["linux/amd64", "all"])
def test_packages_are_told_with_the_step_that_brought_them(session, platform):
    session.filter(read_filters(platform=platform))
    table = looked_into(session, "1.2.0").table.set_index("name")
    assert table.loc["curl", "version"] == "7.88.1-10+deb12u6"
    assert table.loc["curl", "instruction"] == "RUN apt-get update && apt-get install -y curl"
    assert "before" not in table
    pd.testing.assert_frame_equal(session.result.frame, run(session.code))
    assert session.figure() is not None
    assert scope(session.result) == f"{WEB}: 1.2.0, linux/amd64"


def test_without_a_choice_it_is_the_newest(session):
    frame = looked_into(session).frame
    assert set(frame["tag"]) == {"1.2.0"}


def test_of_several_what_changed_comes_first(session):
    table = looked_into(session, "1.2.0", "1.0.0").table
    changed = table[["name", "before", "version", "change"]].head(4).to_numpy().tolist()
    assert changed == [
        ["curl", "7.88.1-10+deb12u5", "7.88.1-10+deb12u6", "changed"],
        ["libcurl4", "7.88.1-10+deb12u5", "7.88.1-10+deb12u6", "changed"],
        ["libssl3", "3.0.11-1~deb12u2", "3.0.13-1~deb12u1", "changed"],
        ["requests", "2.31.0", "2.32.3", "changed"],
    ]
    assert table["change"].iloc[4:].isna().all()
    assert session.result.findings[0] == f"From {WEB}:1.0.0 to {WEB}:1.2.0: 4 packages changed."


def test_the_distribution_the_base_and_the_makers_are_told(session):
    looked_into(session, "1.2.0", "1.1.0")
    _, new, old = session.result.findings
    assert new == (
        f"{WEB}:1.2.0: Debian GNU/Linux 12 (bookworm); its end of life was on 2026-07-11; "
        "12 packages (10 deb, 2 pypi); "
        "built on registry.example/shop/base:12 (proved), which is current; "
        "built by https://sample.invalid/builders/1 of "
        "https://sample.invalid/shop/web.git#refs/tags/v1.2.0 (not checked); "
        "1 signature (not checked)."
    )
    assert "whose tag has a newer image now, by 147 days" in old
    assert "no signature is attached" in old


def test_an_image_whose_layers_are_not_there_says_so(session):
    session.look_for("ansible/ansible:13.4.0")
    assert session.work.wait(PATIENCE)
    session.show("inside")
    assert session.work.wait(PATIENCE)
    assert session.has_failed
    assert session.result.table.empty
    assert "its layers could not be read; no base is told" in session.result.findings[0]


def test_layers_are_downloaded_once_it_is_said_how_many_bytes(stage, shelf):  # noqa: F811
    base = packed(archive(("etc/os-release", DEBIAN), (STATUS, debs(base="1", nano="6"))))
    tops = [packed(archive((STATUS, debs(base="1", **more)))) for more in ({"git": "2"}, {})]
    for tag, top in zip(("1.0.0", "1.1.0"), tops, strict=True):
        shelf.add(tag, base, top)
    session = Session(client=stage.client())
    repo = f"{stage.served.example_host}/team/api"

    def look(tag):
        session.look_for(f"{repo}:{tag}")
        assert session.work.wait(PATIENCE)
        session.show("inside")
        assert session.work.wait(PATIENCE)
        assert PANEL not in session.messages

    look("1.0.0")
    assert session.result is None
    assert not shelf.layers_asked(), "nothing is downloaded before it is agreed to"
    assert session.offer.size == len(base) + len(tops[0])
    assert price(session.offer).endswith("of layers, once.")
    session.agree()
    assert session.work.wait(PATIENCE)
    assert sorted(session.result.table["name"]) == ["base", "git"]
    assert "no base is told" in session.result.findings[0]
    asked = shelf.layers_asked()
    # Of another image only what is not here is offered.
    look("1.1.0")
    assert session.offer.size == len(tops[1])
    session.decline()
    assert shelf.layers_asked() == asked
    look("1.0.0")
    assert session.offer is None, "what is here costs nothing"
    assert shelf.layers_asked() == asked
    session.cancel()


def test_what_it_costs_on_docker_hub_is_said_before_it_is_spent(tmp_path):
    application = Application(pull_limit=100)
    with serve(application) as served:
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=tmp_path
        )
        with hubframe.Client(settings) as client:
            session = Session(client=client)
            session.look_for("ansible/ansible:13.4.0")
            assert session.work.wait(PATIENCE)
            session.show("inside")
            assert session.work.wait(PATIENCE)
            image = hubframe.layers_df("ansible/ansible:13.4.0", client=client)
            assert session.offer.size == image.loc[~image["is_empty"], "size"].sum()
            assert "needs at least 2 pulls from Docker Hub" in price(session.offer)
            asked = [one for one in list(application.log) if one.method == "GET"]
            assert not [
                one for one in asked if re.search("/(manifests|blobs)/", one.path_and_query)
            ]
            session.cancel()

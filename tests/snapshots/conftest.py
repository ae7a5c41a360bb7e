"""A stand-in Hub whose days pass as planted, and the clock that goes with them."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

import hubframe
from hubframe.testing import Application, Fault, Reply, World, serve
from hubframe.testing.world import DOCKER_IO, Tag
from hubframe.wire import statistics

from . import days


def turn_to(day, application, models):
    """Set the Hub to a day: counts, tags, and the tags that cannot be read."""
    for repo in days.PULLS_A_DAY:
        known = application.world.repositories[DOCKER_IO, repo]
        known.payload.update(pull_count=days.pulls(repo, day), star_count=days.stars(repo, day))
        known.tags.clear()
        for name, (letter, begun) in days.tags(repo, day).items():
            known.tags[name] = tag(models[repo], name, letter, begun)
    application.faults[:] = [refused(repo) for repo, bad in days.UNREAD if bad == day]


def refused(repo):
    """The Hub does not tell the tags of a repository."""
    part = f"{repo.partition('/')[2]}/tags"
    return Fault(lambda request: part in request.url, Reply(404))


def tag(model, name, letter, begun):
    pushed = (days.at(begun) - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    told = {"name": name, "digest": days.digest(letter), "full_size": days.SIZES[letter]}
    dates = {"tag_last_pushed": pushed, "last_updated": pushed}
    return Tag(name, days.digest(letter), {**model, **told, **dates})


def clock_at(moment):
    class Clock(statistics.datetime):
        @classmethod
        def now(cls, tz=None):
            return moment.astimezone(tz)

    return Clock


@pytest.fixture(scope="session")
def forty_days(tmp_path_factory):
    """A place with the snapshots of forty days, taken from the stand-in Hub over sockets."""
    folder = tmp_path_factory.mktemp("forty-days")
    application = Application(World.bundled())
    models = {
        repo: next(iter(application.world.repositories[DOCKER_IO, repo].tags.values())).payload
        for repo in days.PULLS_A_DAY
    }
    with serve(application) as served, pytest.MonkeyPatch.context() as patch:
        settings = hubframe.Settings(
            hub_url=served.hub_url, registry_url=served.registry_url, cache_dir=folder / "cache"
        )
        with hubframe.Client(settings, credentials=False) as client:
            for day in days.LOOKED:
                turn_to(day, application, models)
                patch.setattr(statistics, "datetime", clock_at(days.at(day)))
                is_partly = any(bad == day for _, bad in days.UNREAD)
                warned = pytest.warns(hubframe.IncompleteWarning) if is_partly else nullcontext()
                with warned:
                    hubframe.snapshot([days.WEB, days.API], to=folder / "place", client=client)
    return folder / "place"

"""Settings: keywords, the environment, and messages that name what is wrong."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from pathlib import Path

import pytest

import hubframe
from hubframe import Settings


@pytest.fixture(autouse=True)
def no_folder(monkeypatch):
    """Take the one variable away that all tests have."""
    monkeypatch.delenv("HUBFRAME_CACHE_DIR")


def read(**variables):
    return Settings.from_environment(
        {f"HUBFRAME_{name.upper()}": value for name, value in variables.items()}
    )


def test_defaults_are_those_of_the_design():
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert settings.hub_url == "https://hub.docker.com"
    assert settings.registry_url == "https://registry-1.docker.io"
    assert settings.cache_dir is None
    assert settings.cache_folder.name == "hubframe"
    assert (settings.offline, settings.sample) == (False, False)
    assert settings.workers == 128
    assert settings.timeout == (10.0, 30.0)
    assert settings.insecure_registries == ()


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("hub_url", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("hub_url", "https://mirror/hub/", "https://mirror/hub"),
        ("registry_url", " https://mirror ", "https://mirror"),
        ("cache_dir", "/some/where", Path("/some/where")),
        ("max_cache_bytes", "1000", 1000),
        ("max_cache_bytes", "500MB", 500 * 10**6),
        ("max_cache_bytes", "1.5 gib", 3 * 2**29),
        ("max_cache_bytes", "2 T", 2 * 10**12),
        ("offline", "1", True),
        ("offline", "TRUE", True),
        ("offline", "no", False),
        ("sample", "on", True),
        ("sample", "0", False),
        ("workers", "3", 3),
        ("timeout", "5", (5.0, 5.0)),
        ("timeout", "60", (10.0, 60.0)),
        ("timeout", "1.5, 2", (1.5, 2.0)),
        ("insecure_registries", "a:1,b:2 c:3", ("a:1", "b:2", "c:3")),
        ("cache_url", "redis://cache:6379/0", "redis://cache:6379/0"),
        ("cache_url", "/mnt/shared", "/mnt/shared"),
        ("rate", " 180 / minute", "180/minute"),
    ],
)
def test_each_variable_is_read(name, written, value):
    assert getattr(read(**{name: written}), name) == value


def test_a_folder_below_home_is_spelled_out():
    assert read(cache_dir="~/x").cache_dir == Path.home() / "x"


WRITTEN = {
    "hub_url": "http://h",
    "registry_url": "http://r",
    "cache_dir": "/c",
    "max_cache_bytes": "1 MB",
    "offline": "1",
    "workers": "1",
    "timeout": "1",
    "insecure_registries": "a:1",
    "cache_url": "/shared",
    "rate": "1/second",
    "providers": "h.example=harbor",
}


def test_there_is_a_variable_for_every_setting():
    settings = read(**WRITTEN)
    for field in fields(Settings):
        if field.name != "sample":
            assert getattr(settings, field.name) != getattr(Settings(), field.name), field.name
    assert read(sample="1").sample


@pytest.mark.parametrize("name", WRITTEN)
def test_the_environment_is_the_default_of_every_field(monkeypatch, name):
    for each, written in WRITTEN.items():
        monkeypatch.setenv(f"HUBFRAME_{each.upper()}", written)
    expected = read(**WRITTEN)
    assert Settings() == Settings.from_environment() == expected
    # One that is given is the only one that is not read.
    chosen = Settings(**{name: getattr(Settings.from_environment({}), name)})
    for field in fields(Settings):
        source = Settings.from_environment({}) if field.name == name else expected
        assert getattr(chosen, field.name) == getattr(source, field.name), field.name


@pytest.mark.parametrize(
    ("name", "bad", "given"),
    [("workers", "many", 3), ("timeout", "soon", 5), ("offline", "maybe", False),
     ("cache_dir", "~nobody-of-that-name/x", "/c"), ("rate", "fast", None)],
)  # fmt: skip
def test_a_bad_variable_is_named_unless_its_setting_is_given(monkeypatch, name, bad, given):
    monkeypatch.setenv(f"HUBFRAME_{name.upper()}", bad)
    for make in (Settings, Settings.from_environment, lambda: Settings(max_cache_bytes=1)):
        with pytest.raises(ValueError, match=f"HUBFRAME_{name.upper()}="):
            make()
    assert getattr(Settings(**{name: given}), name) is not bad


def test_copies_are_of_the_settings_and_not_of_the_environment(monkeypatch):
    monkeypatch.setenv("HUBFRAME_WORKERS", "7")
    settings = Settings(timeout=5)
    monkeypatch.setenv("HUBFRAME_WORKERS", "9")
    monkeypatch.setenv("HUBFRAME_CACHE_DIR", "/elsewhere")
    copies = (replace(settings), copy.deepcopy(settings), pickle.loads(pickle.dumps(settings)))
    for twin in copies:
        assert twin == settings
        assert twin.workers == 7
    assert replace(settings, workers=3).timeout == (5.0, 5.0)


def test_subclasses_and_arguments_without_names_do_the_same(monkeypatch):
    @dataclass(frozen=True)
    class Mine(Settings):
        workers: int = 2
        word: str = "mine"

    monkeypatch.setenv("HUBFRAME_REGISTRY_URL", "http://r")
    assert (Mine().workers, Mine(word="x").word) == (2, "x")
    assert Mine("http://h").registry_url == Settings("http://h").registry_url == "http://r"
    monkeypatch.setenv("HUBFRAME_WORKERS", "7")
    assert Mine() == Mine.from_environment()
    assert (Mine().workers, Mine(workers=3).workers) == (7, 3)
    with pytest.raises(TypeError):
        Settings("http://h", hub_url="http://h")
    with pytest.raises(TypeError):
        Settings(colour="red")


def test_the_sample_answers_also_offline(monkeypatch):
    monkeypatch.setenv("HUBFRAME_OFFLINE", "1")
    for opened in (hubframe.Client(Settings(sample=True)), hubframe.sample()):
        with opened:
            client = opened if isinstance(opened, hubframe.Client) else None
            assert len(hubframe.tags_df("library/alpine", client=client))


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_a_variable_that_is_set_to_nothing_is_not_set(name):
    assert read(**{name: ""}) == read(**{name: "  "}) == Settings()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("hub_url", "hub.docker.com"),
        ("hub_url", "ftp://hub"),
        ("hub_url", "https://"),
        ("registry_url", "registry-1.docker.io"),
        ("offline", "maybe"),
        ("sample", "2"),
        ("workers", "0"),
        ("workers", "-1"),
        ("workers", "many"),
        ("workers", "1_0"),
        ("workers", "2.5"),
        ("timeout", "0"),
        ("timeout", "-1"),
        ("timeout", "soon"),
        ("timeout", "1,2,3"),
        ("timeout", "5,"),
        ("timeout", "nan"),
        ("timeout", "inf"),
    ],
)
def test_a_bad_value_names_its_variable(name, written):
    with pytest.raises(ValueError, match=f"HUBFRAME_{name.upper()}=") as raised:
        read(**{name: written})
    assert written in str(raised.value)


def test_a_keyword_wins_over_its_variable_unless_it_is_none():
    environment = {"HUBFRAME_WORKERS": "3", "HUBFRAME_OFFLINE": "1"}
    settings = Settings.from_environment(environment, workers=5, offline=None)
    assert (settings.workers, settings.offline) == (5, True)


def test_the_process_environment_is_read(monkeypatch):
    monkeypatch.setenv("HUBFRAME_WORKERS", "7")
    assert Settings.from_environment().workers == 7


def test_keywords_come_in_the_forms_people_write():
    settings = Settings(
        cache_dir="~/x", timeout=5, hub_url="http://h/", insecure_registries=["a:1", "b:2"]
    )
    assert settings.cache_dir == settings.cache_folder == Path.home() / "x"
    assert settings.timeout == (5.0, 5.0)
    assert all(type(seconds) is float for seconds in settings.timeout)
    assert settings.hub_url == "http://h"
    assert Settings(timeout=[1, 2]).timeout == (1.0, 2.0)
    # As a plain text, each of its letters would pass for a host.
    assert Settings(insecure_registries="a:1").insecure_registries == ("a:1",)
    pasted = Settings(insecure_registries=["http://registry.example:5000/"])
    assert pasted.insecure_registries == ("registry.example:5000",)
    assert isinstance(hash(settings), int)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("workers", 0),
        ("workers", 2.5),
        ("timeout", 0),
        ("timeout", (0, 5)),
        ("timeout", (1, 2, 3)),
        ("timeout", float("nan")),
        ("hub_url", "hub.docker.com"),
        ("registry_url", ""),
    ],
)
def test_a_bad_keyword_is_named(keyword, value):
    with pytest.raises(ValueError, match=keyword):
        Settings(**{keyword: value})


def test_settings_are_frozen():
    with pytest.raises(FrozenInstanceError):
        Settings().workers = 2


def test_addresses_hold_no_login():
    with pytest.raises(ValueError, match="no login") as raised:
        Settings(hub_url="https://me:hunter2@hub.example")
    assert "hunter2" not in str(raised.value)


def test_a_login_in_an_address_is_never_shown():
    for address in ("http://u:hunter2@hub.example", "ftp://u:hunter2@hub.example"):
        with pytest.raises(ValueError, match="HUBFRAME_HUB_URL") as raised:
            Settings.from_environment({"HUBFRAME_HUB_URL": address})
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hub_url", "http://h:abc"),
        ("hub_url", "http://h:99999"),
        ("hub_url", "http://["),
        ("cache_dir", "~nobody-of-that-name/x"),
        ("workers", 10**20),
        ("max_cache_bytes", 0),
        ("max_cache_bytes", -1),
        ("max_cache_bytes", True),
        ("max_cache_bytes", 1.5),
        ("max_cache_bytes", None),
        ("max_cache_bytes", "0"),
        ("max_cache_bytes", "0.1 B"),
        ("max_cache_bytes", "-1 MB"),
        ("max_cache_bytes", "much"),
        ("max_cache_bytes", "1 EB"),
    ],
)
def test_what_cannot_work_names_its_setting(name, value):
    with pytest.raises(ValueError, match=name):
        Settings(**{name: value})


def test_the_sample_stands_for_docker_hub_itself(monkeypatch):
    monkeypatch.setenv("HUBFRAME_HUB_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HUBFRAME_REGISTRY_URL", "http://127.0.0.1:8")
    with hubframe.sample():
        assert len(hubframe.layers_df("library/alpine:latest", source="registry"))
        assert len(hubframe.tags_df("library/alpine"))


def test_providers_are_read_as_they_are_written():
    told = {"harbor.example": "harbor", "localhost:5000": "quay"}
    for written in (
        told,
        {"https://harbor.example/": "harbor", "localhost:5000": "quay"},
        "harbor.example=harbor,localhost:5000=quay",
        " harbor.example=harbor  localhost:5000=quay ",
    ):
        assert Settings(providers=written).providers == told
    assert hash(Settings(providers=told)) is not None
    assert Settings(providers={}).providers == Settings(providers="").providers == {}


@pytest.mark.parametrize(
    "written",
    ["harbor.example", "harbor.example=harbour", "=quay", "a b", {"h.example": None}, {"": "quay"},
     {"h.example/path": "quay"}, {3: "quay"}, ["h.example=quay"], None, 3],
)  # fmt: skip
def test_providers_that_are_none(written):
    with pytest.raises(ValueError, match=r"providers must be hosts|is not a registry"):
        Settings(providers=written)

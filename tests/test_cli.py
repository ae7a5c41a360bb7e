"""The command line: what goes to stdout and stderr, and the exit status."""

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import CliRunner

import hubframe
from hubframe.apps import cli
from hubframe.apps.cli import one_line, output, terminal
from hubframe.tables import FETCHED, LABELS, TABLES
from hubframe.testing import Fault, Reply, serve
from tests.quirks import registry


def run(*arguments, **environment):
    """Run in this process as a program does, with streams and an environment of its own."""
    with CliRunner(env=environment).isolation() as (printed, said, _), warnings.catch_warnings():
        # Outside of tests a warning is no error.
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)
        status = cli.run(arguments)
        texts = [stream.getvalue().decode("utf-8") for stream in (printed, said)]
    return SimpleNamespace(returncode=status, stdout=texts[0], stderr=texts[1])


def on_terminal(*arguments, columns=100):
    """Run in a real pseudo-terminal, and return what somebody would see."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hubframe", *arguments],
        stdout=other,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": str(columns), "LINES": "40"},
    )
    os.close(other)
    seen = b""
    while chunk := _read(main):
        seen += chunk
    os.close(main)
    said = process.stderr.read().decode()
    process.stderr.close()
    return seen.decode().replace("\r\n", "\n"), said, process.wait(60)


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_help_names_every_command_and_loads_nothing_heavy():
    done = run("--help")
    assert done.returncode == 0
    frames = [name.replace("_", "-") for name in FETCHED]
    for command in (*frames, "inspect", "manifest", "report", "cache"):
        assert f"\n  {command} " in done.stdout
    code = (
        "import sys\nfrom hubframe.apps.cli import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "print(sorted({'pandas', 'requests', 'matplotlib', 'tqdm'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "table"),
    [
        (["repos", "ansible", "acme"], "repos"),
        (["search", "ansible", "--limit", "3"], "search"),
        (["tags", "ansible/ansible", "--tags", "13.*"], "tags"),
        (["images", "library/alpine:latest"], "images"),
        (["layers", "library/alpine", "--newest", "2", "--platform", "linux/arm64"], "layers"),
        (["history", "ansible/ansible:latest"], "history"),
        (["labels", "acme/web", "--newest", "2"], "labels"),
        (["env", "library/python:latest"], "env"),
        (["configs", "library/redis", "--newest", "2", "--platform", "all"], "configs"),
        (["referrers", "acme/web:4.4.1"], "referrers"),
        (["catalog", "registry.example"], "catalog"),
    ],
)
def test_each_frame_is_a_command_and_its_csv_reads_back(arguments, table):
    done = run(*arguments, "--sample", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    frame = hubframe.read_csv(io.StringIO(done.stdout), table)
    assert len(frame) > 0
    assert list(frame.columns) == list(TABLES[table].dtypes)


def test_formats(tmp_path):
    expected = run("tags", "library/alpine", "--newest", "3", "--sample", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(expected)))
    records = json.loads(
        run("tags", "library/alpine", "--newest", "3", "--sample", "--format", "json").stdout
    )
    lines = run("tags", "library/alpine", "--newest", "3", "--sample", "--format", "jsonl").stdout
    assert [json.loads(line) for line in lines.splitlines()] == records
    assert [record["tag"] for record in records] == [row["tag"] for row in rows]
    assert [record["size"] for record in records] == [int(row["size"]) for row in rows]
    markdown = run("tags", "library/alpine", "--newest", "3", "--sample", "--format", "markdown")
    assert markdown.stdout.startswith("| repo | tag | digest |")
    assert len(markdown.stdout.splitlines()) == 5
    path = tmp_path / "tags.parquet"
    assert run("tags", "library/alpine", "--sample", "--output", str(path)).returncode == 0
    assert len(pd.read_parquet(path)) > 30
    path = tmp_path / "tags.xlsx"
    assert run("tags", "library/alpine", "--sample", "--output", str(path)).stdout == ""
    sheet = pd.read_excel(path, sheet_name="tags")
    assert [record["tag"] for record in records] == sheet["tag"].tolist()[:3]
    assert [record["size"] for record in records] == sheet["size"].tolist()[:3]
    path = tmp_path / "tags.csv"
    assert run("tags", "library/alpine", "--sample", "--output", str(path)).stdout == ""
    assert len(hubframe.read_csv(path, "tags")) > 30


def test_columns_are_chosen_in_order():
    done = run("tags", "library/alpine", "--newest", "2", "--columns", "size,tag", "--sample")
    assert done.stdout.split()[:2] == ["size", "tag"]
    assert all(len(line.split()) == 2 for line in done.stdout.splitlines())


def test_inspect_and_manifest_print_documents():
    found = json.loads(run("inspect", "library/alpine", "--sample", "--no-tags").stdout)
    assert found["Name"] == "docker.io/library/alpine"
    done = run("manifest", "library/alpine", "--sample")
    with hubframe.sample():
        assert done.stdout.encode() == hubframe.raw_manifest("library/alpine")


def test_sample_and_login_come_from_the_environment():
    login = {"DOCKER_USERNAME": "ansible-bot", "DOCKER_PASSWORD": "sample-password"}
    done = run("repos", "ansible", "--format", "csv", HUBFRAME_SAMPLE="1", **login)
    assert "ansible/vault-tools" in done.stdout
    anonymous = run("repos", "ansible", "--format", "csv", HUBFRAME_SAMPLE="1")
    assert "ansible/ansible" in anonymous.stdout
    assert "ansible/vault-tools" not in anonymous.stdout
    wrong = run("repos", "ansible", HUBFRAME_SAMPLE="1", **{**login, "DOCKER_PASSWORD": "hunter2"})
    assert wrong.returncode == 1
    assert "DOCKER_USERNAME" in wrong.stderr
    assert "hunter2" not in wrong.stderr + wrong.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["tags", "Ubuntu", "--sample"], 1, "'Ubuntu' is not an image reference"),
        (["tags", "ansible/nothing", "--sample"], 1, "private"),
        (["tags", "library/alpine:3.99", "--sample"], 1, "it does have 3.9"),
        (["tags", "ansible", "--sample"], 1, "ansible is a namespace, and has ansible/ansible"),
        (["inspect", "ansible/ansibl", "--sample"], 1, "Closest in ansible: ansible/ansible"),
        (["plan", "labels", "alpin", "--sample"], 1, "Closest in library: alpine"),
        (["layers", "library/alpine:3.9", "--platform", "plan9/amd64", "--sample"], 1, "it has"),
        (["layers", "library/alpine", "--platform", "amd64", "--sample"], 2, "not a platform"),
        (["env", "library/alpine", "--source", "hub", "--sample"], 2, "does not tell"),
        (["tags"], 2, "Missing argument"),
        (["nonsense"], 2, "No such command"),
        (["tags", "library/alpine", "--format", "xml"], 2, "xml"),
        (
            ["tags", "library/alpine", "--columns", "tag,colour"],
            2,
            "no column 'colour'; it has repo",
        ),
        (["tags", "library/alpine", "--offline"], 1, "not in the cache"),
        (["tags", "library/alpine", "--offline", "--refresh"], 2, "exclude"),
        (["tags", "127.0.0.1:1/app"], 1, "could not be reached"),
        (["tags", "library/alpine", "--sample", "--output", "/nowhere/at/all.csv"], 1, "/nowhere"),
        (["report", "--output", "somewhere"], 2, "--sample"),
    ],
)
def test_exit_status_and_one_line_on_stderr(arguments, status, said):
    done = run(*arguments)
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    if status == 1:
        assert len(done.stderr.splitlines()) == 1


def test_a_bad_setting_names_its_variable():
    done = run("tags", "library/alpine", HUBFRAME_WORKERS="many")
    assert done.returncode == 2
    assert "HUBFRAME_WORKERS" in done.stderr


def test_collected_failures_are_said_and_the_rest_is_printed():
    done = run("tags", "library/redis", "ansible/nothing", "--errors", "collect", "--sample")
    assert done.returncode == 0
    assert "library/redis" in done.stdout
    assert "1 of what was asked for failed" in done.stderr
    assert "frame.attrs" not in done.stderr


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        (["tags"], ["--tags", "99*"], "tags: no tag matches 99*; there are 3."),
        (
            ["layers"],
            ["--platform", "linux/amd65"],
            "no tag has an image for linux/amd65; there are",
        ),
        (["plan", "labels"], ["--tags", "nightly"], "plan: no tag matches nightly; there are"),
    ],
)
def test_what_matches_nothing_is_said(command, options, said):
    done = run(*command, "library/alpine", "--sample", *options)
    assert done.returncode == 0
    assert done.stderr.count(said) == done.stderr.count("no tag ") == 1


def test_a_reader_that_stops_early_is_no_error():
    command = f"{sys.executable} -m hubframe layers library/python --sample --format csv | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith('"repo","tag"')
    assert done.stderr == ""


@pytest.mark.parametrize("columns", [40, 80, 400])
def test_tables_fit_the_terminal(columns):
    seen, said, status = on_terminal("tags", "ansible/ansible", "--sample", columns=columns)
    assert status == 0
    assert max(map(len, seen.splitlines())) <= columns
    head, *rows = seen.splitlines()
    assert {"tag", "size", "pushed_at"} <= set(head.split())
    assert any(row.split()[-3:] == ["131", "MB", "2026-11-15"] for row in rows) == (columns == 40)
    assert ("not shown" in said) == (columns < 400)
    named = set(head.split()) | set(re.findall(r"[a-z_]+", said))
    assert named >= set(TABLES["tags"].dtypes), "no column is left out without a word"


def test_programs_get_bytes_dates_and_whole_digests():
    digest = json.loads(run("inspect", "ansible/ansible", "--sample").stdout)["Digest"]
    arguments = ["tags", "ansible/ansible", "--newest", "1", "--sample"]
    piped = run(*arguments).stdout
    assert piped.split()[: len(TABLES["tags"].dtypes)] == list(TABLES["tags"].dtypes)
    csv_on_terminal, _, _ = on_terminal(*arguments, "--format", "csv")
    for text in (piped, csv_on_terminal, run(*arguments, "--format", "markdown").stdout):
        assert digest in text
        assert "131446203" in text
        assert re.search(r"2026-11-15.20:21:\d\d", text)
    seen, _, _ = on_terminal(*arguments)
    assert digest not in seen
    assert digest.removeprefix("sha256:")[:12] in seen


def test_strangers_text_is_tame():
    hostile = "\x1b[31mred\x1b[0m\x07\u202ebidi\nline\r=1+1"
    frame = LABELS.frame(
        {"repo": ["a/b"], "source": ["config"], "key": ["k|ey"], "value": [hostile]}
    )
    for form in ("table", "markdown"):
        text = output._WRITERS[form](frame)
        assert not any(c for c in text if not (c.isprintable() or c == "\n"))
        assert len(text.splitlines()) == (2 if form == "table" else 3)
    assert json.loads(output._WRITERS["json"](frame))[0]["value"] == hostile
    assert one_line(hostile) == "[31mred [0m bidi line =1+1"


def test_cache_info_and_clear(tmp_path):
    environment = {"HUBFRAME_CACHE_DIR": str(tmp_path / "kept")}
    told = run("cache", "info", **environment)
    assert str(tmp_path / "kept") in told.stdout
    assert "documents  0" in told.stdout
    assert "of at most 2.0 GiB" in told.stdout
    limited = run("cache", "info", HUBFRAME_MAX_CACHE_BYTES="5 MB", **environment)
    assert "of at most 4.8 MiB" in limited.stdout
    assert run("cache", "clear", "--dry-run", **environment).stderr.startswith("nothing")
    assert run("cache", "clear", "--older-than", "30", **environment).stderr == "removed\n"
    assert run("cache", "clear", "--older-than", "1e300", **environment).returncode == 2
    assert run("cache", "clear", **environment).stderr == "removed\n"


def test_interrupting_stops_and_says_so():
    asked = threading.Event()

    def is_layers(request):
        if request.path.endswith("/images"):
            asked.set()
        return asked.is_set()

    with serve() as served:
        served.application.faults.append(Fault(is_layers, Reply(200, {}, b"[]", delay=120)))
        process = subprocess.Popen(
            [sys.executable, "-m", "hubframe", "layers", "library/debian"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "HUBFRAME_HUB_URL": served.hub_url},
        )
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == b""
    assert said.decode().splitlines()[-1].startswith("hubframe: interrupted")


def test_the_report_of_the_sample_is_written(tmp_path):
    # Few tags, since it is written at the lowest versions too.
    done = run("report", "acme/legacy", "acme/empty", "--sample", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    page = tmp_path / "report.html"
    assert done.stdout.strip() == str(page)
    assert "acme/legacy" in page.read_text(encoding="utf-8")
    assert set(hubframe.read_csv(tmp_path / "repos.csv", "repos").repo) == {
        "acme/legacy",
        "acme/empty",
    }


def test_who_may_have_signed(monkeypatch):
    asked, signatures = [], hubframe.signatures_df

    def without_library(*what, verify, identities=None, **options):
        asked.append((verify, identities))
        return signatures(*what, **options)

    monkeypatch.setattr(hubframe, "signatures_df", without_library)
    what = ["signatures", "acme/web:4.4.1", "--sample", "--verify"]
    for more in (
        [],
        ["--identity", "*@a"],
        ["--identity", "a", "--identity", "b", "--issuer", "c"],
    ):
        assert run(*what, *more).returncode == 0
    assert asked == [(True, None), (True, [("*@a", None)]), (True, [("a", "c"), ("b", "c")])]
    refused = run(*what, "--issuer", "c")
    assert "--issuer is for --identity" in refused.stderr


def test_a_report_of_what_files_name_needs_no_name(monkeypatch, tmp_path):
    asked = []

    def report(what, output, **options):
        asked.append((what, options.get("references"), options.get("vulnerabilities")))
        return output

    monkeypatch.setattr(hubframe.report, "report", report)
    to = ("--output", str(tmp_path), "--sample")
    for more in (("--references", str(tmp_path)), ("a/b", "--vulnerabilities", "trivy.json"), ()):
        assert run("report", *more, *to).returncode == 0
    assert asked == [
        (None, tmp_path, None),
        (["a/b"], None, "trivy.json"),
        (hubframe.report.SAMPLE, None, None),
    ]
    assert run("report", "--references", str(tmp_path / "none"), *to).returncode == 2


def test_what_is_not_known_is_said_beside_the_frame():
    named = run("tags", "ansible/ansible:latest", "--sample")
    whole = run("tags", "ansible/ansible", "--newest", "3", "--sample")

    assert "ansible/ansible: aliases not known" in named.stderr
    assert named.returncode == 0
    assert whole.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "host"),
    [
        (["tags", "registry.example"], "registry.example"),
        (["labels", "localhost:5000"], "localhost:5000"),
        (["inspect", "https://ghcr.io/"], "ghcr.io"),
        (["plan", "layers", "library/alpine", "ghcr.io"], "ghcr.io"),
        (["repos", "quay.io"], "quay.io"),
        (["manifest", "docker://127.0.0.1:5000"], "127.0.0.1:5000"),
    ],
)
def test_a_registry_in_place_of_a_repository_is_told_of_its_catalogue(arguments, host):
    done = run(*arguments, "--sample")
    assert done.returncode == 1
    assert f"hubframe catalog {host} lists repositories" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tags", "index.docker.io"], "hubframe repos NAMESPACE lists"),
        (["tags", "library/nothing"], "no such thing"),
        (["catalog", "nowhere.example"], "the bundled sample has no host"),
    ],
)
def test_other_names_are_told_of_no_catalogue(arguments, said):
    done = run(*arguments, "--sample")
    assert done.returncode == 1
    assert said in done.stderr
    assert "hubframe catalog" not in done.stderr


def test_a_file_in_place_of_an_image_is_told_what_reads_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.tar").touch()
    (tmp_path / "app").mkdir()
    for name, said in [
        ("app.tar", "If the archive app.tar is meant: docker-archive:app.tar"),
        ("./app", "If the folder ./app is meant: oci:./app or dir:./app"),
    ]:
        done = run("labels", name, "--sample")
        assert done.returncode == 1
        assert said in done.stderr


@pytest.fixture
def logging_in(monkeypatch):
    """A registry that asks for a login, and what refuses every one."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with registry.serve(registry.Quirks(token={}, challenge='Basic realm="quirks"')) as one:
        yield one.host


def refused(*arguments, **environment):
    """Return what the command line says of a login that is refused."""
    done = run(*arguments, **environment)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Client(" not in done.stderr
    return done.stderr


def test_a_refused_login_names_the_ways_of_the_command_line(logging_in, tmp_path):
    config = {"auths": {logging_in: {"username": "me", "password": "hunter2"}}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    wanted = (f"docker login {logging_in}", "DOCKER_AUTH_CONFIG")

    anonymous = refused("tags", f"{logging_in}/app")
    wrong = refused("tags", f"{logging_in}/app", DOCKER_CONFIG=str(tmp_path))
    for said in (anonymous, wrong):
        assert all(words in said for words in wanted)
    assert "config.json" in wrong
    assert "hunter2" not in wrong


@pytest.mark.parametrize(
    "arguments",
    [("repos", "acme"), ("labels", "acme/api", "--source", "registry"), ("inspect", "acme/api")],
)
def test_a_refused_login_to_docker_hub_names_its_variables(arguments):
    with serve() as served:
        said = refused(
            *arguments,
            HUBFRAME_HUB_URL=served.hub_url,
            HUBFRAME_REGISTRY_URL=served.registry_url,
            NO_PROXY="127.0.0.1",
            DOCKER_USERNAME="acme-bot",
            DOCKER_PASSWORD="wrong",
        )
    assert "docker login docker.io" in said
    assert "DOCKER_USERNAME and DOCKER_PASSWORD" in said
    assert "wrong" not in said


def test_failures_and_warnings_speak_as_the_command_line_does(logging_in, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"auths": {logging_in: {"auth": "!"}}}))
    done = run("tags", f"{logging_in}/app", "--errors", "collect", DOCKER_CONFIG=str(tmp_path))
    lines = [line for line in done.stderr.splitlines() if "docker login" in line]
    assert len(lines) == 2
    assert "Client(" not in done.stderr
    assert "config.json" in done.stderr


def test_python_is_told_its_own_way(logging_in):
    with hubframe.Client() as client, pytest.raises(hubframe.UnauthorizedError) as raised:
        hubframe.tags_df(f"{logging_in}/app", client=client)
    assert f"docker login {logging_in}, or give Client(credentials=…)" in str(raised.value)
    given = {logging_in: ("me", "hunter2")}
    with (
        hubframe.Client(credentials=given) as client,
        pytest.raises(hubframe.UnauthorizedError, match=r"Client\(credentials=False\)"),
    ):
        hubframe.tags_df(f"{logging_in}/app", client=client)


WIDTHS = [1, 7, 24, 40, 80, 200, 1000]


@pytest.fixture(scope="module")
def frames():
    """Frames as commands print them: many rows and few, and what is hard to lay out."""
    with hubframe.sample():
        made = {
            "tags": hubframe.tags_df(["ansible/ansible", "library/redis"]),
            "layers": hubframe.layers_df("ansible/ansible", newest=2),
            "labels": hubframe.labels_df("acme/web", newest=3),
            "repos": hubframe.repos_df(["ansible", "library"]),
            "comparison": hubframe.compare_df(["library/python:3.14.0", "library/python:3.14.3"]),
        }
    long = [f"{'a-very-long-name/' * 5}{number:03}{'-and-its-end' * 5}" for number in range(7)]
    wide = ["漢字かな交じり文" * number for number in range(1, 8)]
    accents = ["e\N{COMBINING ACUTE ACCENT}" * 9 * number for number in range(1, 8)]
    values = {"repo": long, "tag": wide, "key": accents, "value": long, "source": ["config"] * 7}
    made["hostile"] = TABLES["labels"].frame(values)
    made["hostile"].attrs["hubframe"] = {"table": "labels"}
    return made


@pytest.mark.parametrize("width", WIDTHS)
def test_every_table_fits_and_names_what_it_leaves_out(frames, width):
    for frame in frames.values():
        laid = terminal.laid_out(frame, width, str)
        lines = laid.text.splitlines()
        assert len(lines) == len(frame) + 1
        assert max(map(terminal.wide, lines)) <= width
        if width >= 40:
            named = set(lines[0].split()) | set(re.findall(r"\w+", " ".join(laid.notes)))
            assert named >= set(frame.columns)


def test_chosen_columns_come_first_whatever_they_hold(frames):
    chosen = frames["tags"][["content_type", "version", "repo", "tag", "size"]]
    head = terminal.laid_out(chosen, 40, str, is_chosen=True).text.split("\n")[0]
    assert head.split() == ["content_type", "version", "repo"]


@pytest.mark.parametrize("width", [12, 20, 40])
def test_names_that_are_cut_stay_apart(frames, width):
    for column in ("repo", "value"):
        cells = list(frames["hostile"][column])
        cut = terminal.elided(cells, width)
        assert len(set(cut)) == len(set(cells))
        assert max(map(terminal.wide, cut)) <= width
    ends = terminal.elided(["organisation/first", "organisation/last"], 12)
    assert ends == ["organi…first", "organi…/last"]


def test_what_is_the_same_in_all_rows_is_said_once(frames):
    laid = terminal.laid_out(frames["layers"], 80, str)
    assert "repo" not in laid.text.split("\n")[0]
    assert "repo ansible/ansible, platform linux/amd64" in laid.notes[0]
    one = terminal.laid_out(frames["layers"].head(1), 80, str)
    assert one.text.split()[:2] == ["repo", "tag"]


@pytest.mark.parametrize(
    ("table", "column", "value", "shown"),
    [
        ("tags", "size", 131_446_203, "131 MB"),
        ("tags", "size", 0, "0 B"),
        ("size_trend", "change", -5_000, "-5 kB"),
        ("size_trend", "change", 5_000, "+5 kB"),
        ("pulls_over_time", "change", -5_000, "-5,000"),
        ("repos", "pull_count", 12_981_954_060, "12,981,954,060"),
        ("files", "uid", 100_000, "100000"),
        ("layers", "position", 1_000, "1000"),
        ("footprint", "shared_share", 0.254, "25 %"),
        ("footprint", "shared_share", 0.999, ">99 %"),
        ("staleness", "age_days", 2_621.04, "2,621"),
        ("staleness", "age_days", 0.51, "0.51"),
        ("limits", "window_seconds", 21_600, "6 h"),
        ("limits", "window_seconds", 90, "90 s"),
        ("images", "is_attestation", True, "yes"),
        ("tags", "pushed_at", "2026-01-02T03:04:05Z", "2026-01-02"),
        ("tags", "pushed_at", None, ""),
    ],
)
def test_people_get_sizes_dates_and_shares(table, column, value, shown):
    frame = TABLES[table].frame({column: [value]})
    assert terminal.cells_of(frame, column, table) == [shown]


def test_a_date_of_today_has_its_time():
    now = pd.Timestamp.now("UTC").floor("us")
    frame = TABLES["limits"].frame({"resets_at": [now.isoformat(), "2020-01-02T03:04:05Z"]})
    shown = terminal.cells_of(frame, "resets_at", "limits")
    assert shown == [f"{now:%Y-%m-%d %H:%M}", "2020-01-02 03:04"]


def test_rows_with_units_of_their_own_are_written_in_them():
    frame = TABLES["figures"].frame({"value": [60e6, 0.5, 3], "unit": ["bytes", "share", "tags"]})
    assert terminal.cells_of(frame, "value", "figures") == ["60 MB", "50 %", "3"]


def test_the_columns_that_come_first_are_there():
    for table, names in terminal.FIRST.items():
        assert set(names) <= set(TABLES[table].dtypes), table


def test_a_table_without_an_order_of_its_own_shows_its_first_columns(frames):
    frame = frames["tags"].copy()
    frame.attrs["hubframe"] = {"table": "new"}
    laid = terminal.laid_out(frame, 80, str)
    assert laid.text.split()[:2] == ["repo", "tag"]
    assert "not shown" in laid.notes[-1]


def test_summaries_are_whole_and_below_their_jobs():
    said = run("--help").stdout
    assert max(map(len, said.splitlines())) <= 80
    for name, command in cli.cli.commands.items():
        summary = command.get_short_help_str(1000)
        assert re.search(rf"\n  {name} +{re.escape(summary)}\n", said), f"{name}: {summary}"
        assert summary in run(name, "--help").stdout.replace("\n", " ") or command.help
        assert f"\n{command.job}:\n" in said


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["tgas", "x"], "tags"),
        (["tags_df", "x"], "tags"),
        (["latest-lag", "x"], "lag"),
        (["shared_layers", "x"], "shared"),
        (["cache", "inof"], "info"),
        (["tags", "x", "--nwest", "3"], "'?--newest'?"),
        (["tags", "x", "--format", "cvs"], "csv"),
        (["tags", "x", "--source", "regitsry"], "registry"),
        (["tags", "x", "--columns", "tag,pushd_at"], "pushed_at or pulled_at"),
        (["tags", "x", "--output", "x.cvs"], ".csv"),
        (["plan", "label", "x"], "labels"),
        (["footprint", "x", "--by", "repos"], "repo"),
        (["completion", "fsh"], "fish"),
    ],
)
def test_a_slip_is_told_what_may_be_meant(arguments, meant):
    done = run(*arguments)
    assert done.returncode == 2
    assert re.search(rf"Did you mean {meant}( or .*)?\?", done.stderr)
    assert done.stdout == ""


def test_what_is_like_nothing_is_told_no_guess():
    for arguments in (["zzzzzz"], ["tags", "x", "--format", "zzzzzz"], ["--zzzzzz"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert "Did you mean" not in done.stderr


def test_versions_are_chosen_by_bounds():
    chosen = run("tags", "library/alpine", "--versions", ">=3.18,<3.20", "--sample")
    assert {line.split()[1][:4] for line in chosen.stdout.splitlines()[1:]} == {"3.18", "3.19"}
    both = run("tags", "library/alpine", "--versions", "3", "--tags", "3*", "--sample")
    assert both.returncode == 2
    assert "exclude each other" in both.stderr
    assert run("tags", "library/alpine", "--versions", ">>3").returncode == 2

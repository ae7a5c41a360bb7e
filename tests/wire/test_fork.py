"""After a fork: each process has its own connections, files and locks."""

import hashlib
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.quirks.tls import Authority

REPOSITORIES = 12
# What each child does in a process of its own, so that a child that hangs hangs nobody else.
PROGRAM = """
import concurrent.futures, json, multiprocessing, os, sys, threading, warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)  # forks of a process with threads
import hubframe
host, when, which, kind = sys.argv[1:]
client = None if which == "default" else hubframe.Client()
repos = [f"{host}/team/app{number}" for number in range(REPOSITORIES)]

def rows(repo):
    frame = hubframe.tags_df(repo, client=client, source="registry")
    images = hubframe.labels_df(repo, client=client, source="registry")
    return repo, frame["tag"].tolist(), images["value"].tolist(), frame.attrs["hubframe"]["complete"]

def mapped(work):
    context = multiprocessing.get_context("fork")
    if kind == "pool":
        with context.Pool(4) as pool:
            return pool.map(work, repos, chunksize=1)
    if kind == "executor":
        with concurrent.futures.ProcessPoolExecutor(4, mp_context=context) as pool:
            return list(pool.map(work, repos))
    return forked(work)

def forked(work):  # as servers do that fork their workers
    pipes = []
    for number in range(4):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, json.dumps([work(repo) for repo in repos[number::4]]).encode())
            os.close(writing)
            sys.exit(0)
        os.close(writing)
        pipes.append(reading)
    told = [row for pipe in pipes for row in json.loads(os.fdopen(pipe).read())]
    assert all(os.wait()[1] == 0 for _ in pipes)
    return told

if when == "before":
    found = mapped(rows)
elif when == "between":
    rows(repos[0])
    found = mapped(rows)
    found += [rows(repo) for repo in repos]
else:
    rows(repos[0])
    is_over = threading.Event()
    seen = []
    def go_on():
        while not is_over.is_set():
            with hubframe.refresh():
                seen.extend(rows(repo) for repo in repos)
    threads = [threading.Thread(target=go_on) for _ in range(2)]
    [thread.start() for thread in threads]
    found = [row for _ in range(3) for row in mapped(rows)]
    is_over.set()
    [thread.join() for thread in threads]
    found += seen
print(json.dumps(found))
"""


class Handler(BaseHTTPRequestHandler):
    """A registry whose every repository has a tag, and an image with a label, of its own name."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = self.path.split("/team/app", 1)[-1].partition("/")[0]
        time.sleep(0.002)
        if self.path.endswith("/v2/"):
            return self._answer({})
        if "/tags/list" in self.path:
            return self._answer({"name": f"team/app{number}", "tags": [f"of-{number}"]})
        if "/blobs/" in self.path:
            return self._answer(config(number))
        return self._answer(manifest(number), "application/vnd.oci.image.manifest.v1+json")

    do_HEAD = do_GET  # noqa: N815 - as said

    def _answer(self, document, media_type="application/json"):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Docker-Content-Digest", digest_of(body))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def digest_of(body):
    return "sha256:" + hashlib.sha256(body).hexdigest()


def config(number):
    return {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Labels": {"name": f"label-{number}"}},
    }


def manifest(number):
    body = json.dumps(config(number)).encode()
    media_type = "application/vnd.oci.image.config.v1+json"
    described = {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}
    return {"schemaVersion": 2, "config": described, "layers": []}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(request, authority):
    made = Server(("127.0.0.1", 0), Handler)
    if request.param == "https":
        made.socket = authority.server_context().wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    yield request.param, f"127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()


WAYS = [
    ("between", "default", "pool"),
    ("before", "named", "fork"),
    ("during", "named", "fork"),
    ("between", "named", "executor"),
    ("during", "default", "pool"),
]
# Each of the first three meets one of the two, and the slow tests are of all the rest.
SHORT = {("https", WAYS[0]), ("http", WAYS[1]), ("https", WAYS[2])}


@pytest.mark.parametrize(
    ("server", "how"),
    [
        pytest.param(
            scheme, how, id=f"{scheme}-{'-'.join(how)}",
            marks=() if (scheme, how) in SHORT else pytest.mark.slow,
        )
        for scheme in ("http", "https")
        for how in WAYS
    ],
    indirect=["server"],
)  # fmt: skip
def test_each_row_is_of_the_repository_that_was_asked_for(server, authority, tmp_path, how):
    scheme, host = server
    program = PROGRAM.replace("REPOSITORIES", str(REPOSITORIES))
    variables = {
        "PATH": "",
        "HOME": str(tmp_path),
        "HUBFRAME_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": ":".join(filter(None, sys.path)),
    }
    if scheme == "https":
        variables |= {
            "REQUESTS_CA_BUNDLE": str(authority.bundle),
            "HUBFRAME_REGISTRY_URL": f"https://{host}",
        }
        host = "docker.io"
    done = subprocess.run(
        [sys.executable, "-c", program, host, *how],
        env=variables, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert {repo for repo, *_ in found} == {
        f"{host}/team/app{number}" for number in range(REPOSITORIES)
    }
    for repo, tags, labels, is_complete in found:
        number = repo.rpartition("app")[2]
        assert (tags, labels, is_complete) == ([f"of-{number}"], [f"label-{number}"], True)


FIRST_CALL = """
import faulthandler, os, sys, threading, time
import hubframe

def call():
    hubframe.tags_df(sys.argv[1], source="registry")

first = threading.Thread(target=call)
first.start()
children = []
for _ in range(8):
    time.sleep(float(sys.argv[2]))
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(60, exit=True)
        call()
        os._exit(0)
    children.append(child)
first.join()
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
sys.exit(any(codes))
"""


@pytest.mark.parametrize("server", ["http"], indirect=True)
@pytest.mark.parametrize("step", [0.01, 0.04, 0.1])
def test_children_that_are_forked_while_the_first_call_loads_what_it_needs(server, tmp_path, step):
    _, host = server
    variables = {
        "PATH": "",
        "HOME": str(tmp_path),
        "HUBFRAME_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": ":".join(filter(None, sys.path)),
    }
    command = [sys.executable, "-W", "ignore", "-c", FIRST_CALL, f"{host}/team/app0", str(step)]
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=200, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

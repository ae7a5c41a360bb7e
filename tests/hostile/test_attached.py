"""What is attached to images, as strangers might write it: rows, or one kind of refusal."""

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hubframe
from hubframe.errors import PayloadError
from hubframe.oci.contents import sboms, statements
from hubframe.oci.payload import MOST_VALUES
from hubframe.wire.exchange import ATTACHED_LIMIT
from tests.contents import documents
from tests.contents.documents import DSSE, SIMPLE
from tests.fuzz.mutation import mutated
from tests.fuzz.seeds import BUILDS, attached
from tests.fuzz.targets import TARGETS

IN_JSON = ("provenance", "sbom", "signature", "builds")
SEEDS = {**attached(), "builds": [BUILDS]}


@given(st.sampled_from(IN_JSON), st.data())
def test_spoilt_documents(target, data):
    seed = data.draw(st.sampled_from(SEEDS[target]))
    case = mutated(json.loads(seed), data.draw(st.randoms(use_true_random=False)))
    TARGETS[target](json.dumps(case).encode())


@given(st.sampled_from(IN_JSON), st.data())
def test_spoilt_statements_in_envelopes(target, data):
    stated = documents.statement(documents.V1, documents.buildkit())
    case = mutated(stated, data.draw(st.randoms(use_true_random=False)))
    TARGETS[target](json.dumps(documents.envelope(case)).encode())


@given(st.sampled_from([*SEEDS]), st.data())
def test_spoilt_bytes(target, data):
    seed = bytearray(data.draw(st.sampled_from(SEEDS[target])))
    for _ in range(data.draw(st.integers(1, 5))):
        seed[data.draw(st.integers(0, len(seed) - 1))] = data.draw(st.integers(0, 255))
    TARGETS[target](bytes(seed[: data.draw(st.integers(1, len(seed)))]))


@pytest.mark.parametrize("target", SEEDS)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"predicate":' * 100_000,
        b'{"payload":"' + b"A" * 1_000_000 + b'","signatures":[]}',
        b'{"artifacts":[' + b"{}," * 200_000 + b"{}]}",
        b'{"signatures":[' + b'{"sig":"AAAA"},' * 100_000 + b'{}],"payload":"e30="}',
    ],
)
def test_what_is_deep_or_long_takes_no_long_time(target, body):
    begin = time.process_time()
    TARGETS[target](body)
    assert time.process_time() - begin < 10


# What one document takes in memory beside itself, in a process of its own.
READING = """
import resource, sys
from pathlib import Path
from hubframe.errors import PayloadError
from hubframe.oci.contents import provenance, sboms, signatures, statements
from hubframe.oci.contents.databases import read_packages
kind, path = sys.argv[1:]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
body = Path(path).read_bytes()
try:
    if kind == "sbom":
        sum(1 for _ in sboms.read(sboms.document(body, "it"), "it").packages())
    elif kind == "file":
        read_packages("srv/a.spdx", body)
    elif kind == "provenance":
        stated = statements.read(body, "it").predicate
        provenance.read(stated), list(provenance.materials(stated))
        list(provenance.dockerfiles(stated, "it"))
    else:
        list(signatures.read(body, kind, {}, "it"))
except PayloadError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
SPDX_START = b'{"spdxVersion":"SPDX-2.3","packages":['
STATED = b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"buildDefinition":{"resolvedDependencies":['


def many(start, made, most, end=b"{}]}"):
    """Repeat what is made of a number, up to so many values."""
    return start + b"".join(map(made, range(most))) + end


def wrapped(body):
    coded = base64.b64encode(body)
    return b'{"payloadType":"x","signatures":[{"sig":"AAAA"}],"payload":"' + coded + b'"}'


HUGE = {
    "packages": ("sbom", lambda: many(SPDX_START, b'{"name":"n%d"},'.__mod__, MOST_VALUES // 2 - 9)),
    "empty values": ("sbom", lambda: SPDX_START + b"[]," * 20_000_000 + b"{}]}"),
    "empty values in a file": ("file", lambda: SPDX_START + b"[]," * 5_000_000 + b"{}]}"),
    "numbers": ("sbom", lambda: SPDX_START + b"1e9," * 16_000_000 + b"{}]}"),
    "one text": ("sbom", lambda: SPDX_START + b'"' + b"x" * 60 * 2**20 + b'"]}'),
    "dependencies": ("provenance", lambda: many(STATED, b'{"uri":"u%d"},'.__mod__, MOST_VALUES // 2 - 9, b"{}]}}}")),
    "a wrapped statement": ("provenance", lambda: wrapped(STATED + b"[]," * 15_000_000 + b"{}]}}}")),
    "a wrapped signature": (DSSE, lambda: wrapped(STATED + b"[]," * 15_000_000 + b"{}]}}}")),
    "a signature": (SIMPLE, lambda: b'{"critical":[' + b"[]," * 20_000_000 + b"1]}"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE)
def test_no_document_takes_512_mib(name, tmp_path):
    kind, make = HUGE[name]
    path = tmp_path / "document"
    path.write_bytes(make())
    assert path.stat().st_size <= ATTACHED_LIMIT
    done = subprocess.run(
        [sys.executable, "-c", READING, kind, str(path)],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(hubframe.__file__).parent.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) < 512


def test_a_document_of_too_many_values_is_refused_before_it_is_read():
    body = SPDX_START + b"[]," * (MOST_VALUES // 2) + b"{}]}"
    for read in (sboms.document, statements.read):
        with pytest.raises(PayloadError, match="more than 3,000,000 values; not read"):
            read(body, "it")
    # Of a file of one's own there may be more.
    assert sboms.document(body, "it", most=None)["spdxVersion"] == "SPDX-2.3"

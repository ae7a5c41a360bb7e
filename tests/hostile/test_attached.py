"""What is attached to images, as strangers might write it: rows, or one kind of refusal."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contents import documents
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

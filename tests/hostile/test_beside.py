"""What registries tell beside the protocol, as strangers might write it: rows, or one refusal."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

NAMES = ("beside", "downloads")


@given(st.sampled_from(NAMES), st.data())
def test_spoilt_pages(target, data):
    seed = data.draw(st.sampled_from(seeds()[target]))
    case = mutated(json.loads(seed), data.draw(st.randoms(use_true_random=False)))
    TARGETS[target](json.dumps(case).encode())


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"tags":' * 100_000,
        b'{"tags":[' + b"{}," * 200_000 + b"{}]}",
        b"[" + b'{"name":"a/b"},' * 100_000 + b"{}]",
        b'{"tags":[{"name":"a","last_modified":"' + b"1 Jan " * 100_000 + b'"}]}',
        *(
            b'{"status":"scanned","data":{"Layer":{"Features":[{"Name":"a","Vulnerabilities":'
            b'[{"Name":"' + name + b'x","FixedBy":"' + b"a=b&" * 100_000 + b'"}]}]}}}'
            for name in (
                b"A" * 500_000,
                b"AB-" * 200_000,
                b"AB-a" + b" " * 500_000,
                b"CVE-" * 99_999,
            )
        ),
    ],
)
def test_what_is_deep_or_long_takes_no_long_time(target, body):
    begin = time.process_time()
    TARGETS[target](body)
    assert time.process_time() - begin < 10

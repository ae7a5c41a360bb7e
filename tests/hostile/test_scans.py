"""Files of scanners, advisories and VEX, as strangers might write them: rows, or one refusal."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.seeds import in_files
from tests.fuzz.targets import TARGETS

SEEDS = in_files()
IN_JSON = ("trivy", "grype", "bill-in-file", "osv", "openvex")


@settings(max_examples=25)
@given(st.sampled_from(IN_JSON), st.data())
def test_spoilt_documents(target, data):
    seed = data.draw(st.sampled_from(SEEDS[target]))
    case = mutated(json.loads(seed), data.draw(st.randoms(use_true_random=False)))
    TARGETS[target](json.dumps(case).encode())


@settings(max_examples=25)
@given(st.sampled_from([*SEEDS]), st.data())
def test_spoilt_bytes(target, data):
    seed = bytearray(data.draw(st.sampled_from(SEEDS[target])))
    for _ in range(data.draw(st.integers(1, 5))):
        seed[data.draw(st.integers(0, len(seed) - 1))] = data.draw(st.integers(0, 255))
    TARGETS[target](bytes(seed[: data.draw(st.integers(1, len(seed)))]))


MANY = 5_000
LONG = {
    "lists": b"[" * 200_000,
    "objects": b'{"affected":' * 50_000,
    "layers": json.dumps(
        {
            "SchemaVersion": 2,
            "ArtifactName": "a",
            "Metadata": {"DiffIDs": [f"d{number}" for number in range(MANY)]},
            "Results": [
                {
                    "Vulnerabilities": [
                        {
                            "VulnerabilityID": "C",
                            "PkgName": "p",
                            "Layer": {"DiffID": f"d{number}"},
                            "FixedVersion": ", " * 100,
                        }
                        for number in range(MANY)
                    ]
                }
            ],
        }
    ).encode(),
    "entries": json.dumps(
        {
            "id": "A",
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": "a"},
                    "versions": [f"{number}.{'0' * 60}"],
                    "ranges": [
                        {"type": "ECOSYSTEM", "events": [{"introduced": f"1.{number}"}] * 3}
                    ],
                }
                for number in range(MANY // 5)
            ],
        }
    ).encode(),
    "products": json.dumps(
        {
            "@context": "openvex",
            "statements": [
                {
                    "vulnerability": {"name": "CVE-1"},
                    "status": "fixed",
                    "products": [{"@id": "pkg:pypi/a", "subcomponents": [{"@id": "b"}] * 200}]
                    * 200,
                }
            ],
        }
    ).encode(),
    "dashes": b"-" * 100_000 + b"\n" + b"." * 100_000,
    "slashes": b"CVSS:3.1/" + b"AV:N/" * 20_000,
}


@pytest.mark.parametrize("body", LONG.values(), ids=LONG)
@pytest.mark.parametrize("target", SEEDS)
def test_what_is_deep_or_long_takes_no_long_time(target, body):
    begin = time.process_time()
    TARGETS[target](body)
    assert time.process_time() - begin < 10

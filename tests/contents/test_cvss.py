"""Scores of CVSS, as its own documents and NVD have them."""

import pytest

from hubframe.oci.contents import cvss

SCORES = [
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "critical"),
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, "critical"),
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "medium"),
    ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, "medium"),
    ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.6, "low"),
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, "negligible"),
    # What 3.1 rounds otherwise than 3.0.
    ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:H/A:H", 8.3, "high"),
    ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O/RC:C", 9.8, "critical"),
    ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0, "critical"),
    ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8, "high"),
    ("(AV:L/AC:H/Au:N/C:C/I:C/A:C)", 6.2, "medium"),
    ("AV:N/AC:L/Au:N/C:N/I:N/A:N", 0.0, "negligible"),
    ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, "critical"),
]


@pytest.mark.parametrize(("vector", "score", "word"), SCORES)
def test_scores(vector, score, word):
    found = cvss.read(vector)
    assert found.score == score
    assert cvss.word(found.score) == word


@pytest.mark.parametrize(
    "text",
    ["", "high", "CVSS:3.1", "CVSS:4.0", "CVSS:5/AV:N", "CVSS:3.1/AV:X/AC:L", "/" * 600, "AV:N/AC"],
)
def test_what_is_no_vector(text):
    assert cvss.read(text) is None

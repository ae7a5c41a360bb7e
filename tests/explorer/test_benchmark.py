"""What the browser's benchmark asks for."""

from benchmarks import explorer


def test_medians_are_judged_and_of_letters_the_longest_too():
    found = [
        {"work": kind, "tags": 10_000, "clicks": 15, "median_ms": 300, "longest_ms": 1001}
        for kind in explorer.KINDS
    ]
    judged = explorer.targets(found)
    assert [one["reached"] for one in judged] == [True] * len(found) + [False]
    assert judged[-1]["must"] == "longest at most 1,000 ms"
    assert set(judged[0]) == {"work", "must", "measured", "reached"}
    slow = explorer.targets([{**found[0], "median_ms": 301}])
    assert [one["reached"] for one in slow] == [False]

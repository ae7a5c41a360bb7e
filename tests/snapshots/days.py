"""Forty days of two repositories, of which all that moves is known, since it was planted.

The days that nobody looked, and the looks that failed, are planted too.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

WEB, API = "acme/web", "acme/api"
FIRST = datetime(2026, 3, 1, 6, tzinfo=UTC)
DAYS = 40
# Cron was off for three days; and for one day, three days after.
MISSED = {8, 9, 10, 14}
# The tags of a repository that could not be read that day.
UNREAD = {(API, 20), (API, 29)}
# The pulls that came in the day before, and the days on which the Hub counted anew.
PULLS_A_DAY = {WEB: 120, API: 7}
RESET, FALL = (WEB, 25), (API, 31)
# What a tag points at from a day on; None where it is deleted.
MOVES = {
    (WEB, "1.0.0"): {0: "a", 17: "b"},
    (WEB, "1.1.0"): {9: "c"},
    (WEB, "latest"): {0: "a", 9: "c", 17: "b", 18: "c"},
    (WEB, "edge"): {0: "d", 5: None, 7: "d", 13: "e", 14: "f", 15: "g"},
    (API, "2.0"): {0: "h", 20: None, 21: "i", 29: "j"},
    (API, "2.0.1"): {0: "h"},
    (API, "old"): {0: "k", 31: None},
}
SIZES = {letter: 1000 * (number + 1) for number, letter in enumerate("abcdefghijk")}
LOOKED = [day for day in range(DAYS) if day not in MISSED]


def at(day):
    return FIRST + timedelta(days=day)


def digest(letter):
    return "sha256:" + letter.encode().hex() * 32


def pulls(repo, day):
    """How many pulls the Hub counts."""
    count = 1000 + PULLS_A_DAY[repo] * day
    if repo == RESET[0] and day >= RESET[1]:
        count = PULLS_A_DAY[repo] * (day - RESET[1])
    if repo == FALL[0] and day >= FALL[1]:
        count -= 100
    return count


def stars(repo, day):
    return 10 + day // 10 if repo == WEB else 3


def tags(repo, day):
    """What the repository's tags point at, and since which day."""
    found = {}
    for (owner, name), moves in MOVES.items():
        begun = max((start for start in moves if start <= day), default=None)
        if owner == repo and begun is not None and moves[begun] is not None:
            found[name] = (moves[begun], begun)
    return found


def expected_pulls(repo):
    """The rows of `pulls_over_time`, as tuples."""
    rows = []
    for before, day in pairwise(LOOKED):
        change = pulls(repo, day) - pulls(repo, before)
        step = {(repo, day) == RESET: "reset", (repo, day) == FALL: "fall"}.get(True, "growth")
        rate = change / (day - before) if step == "growth" else None
        rows.append(
            (at(before), at(day), float(day - before), change, rate, step, day - before > 1)
        )
    return rows


def expected_moves(repo, name):
    """The rows of `tag_moves`, as tuples: digest, from when, seen until, gone when, how."""
    seen = [day for day in LOOKED if (repo, day) not in UNREAD]
    rows = []
    for place, day in enumerate(seen):
        letter = tags(repo, day).get(name, (None,))[0]
        before = tags(repo, seen[place - 1]).get(name, (None,))[0] if place else None
        if before is not None and letter != before:
            rows[-1][3:5] = [at(day), "moved" if letter else "deleted"]
        if letter is not None and letter != before:
            pushed = at(tags(repo, day)[name][1]) - timedelta(hours=1)
            not_yet = at(seen[place - 1]) if place else None
            rows.append([digest(letter), at(day), None, None, None, pushed, not_yet, 0])
        if letter is not None:
            rows[-1][2] = at(day)
            rows[-1][7] += 1
    return [tuple(row) for row in rows]

"""Run every target for a while: ``python -m tests.fuzz --seconds 60``.

Each runs in a process of its own, since a find ends it. A find is written to ``tests/hostile``,
where it is a test from then on; the exit code tells whether there was one.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.mutation import KEYS
from tests.fuzz.seeds import WORDS, seeds

ROOT = Path(__file__).resolve().parents[2]
FINDS = ROOT / "tests" / "hostile" / "finds"
# More says nothing new, and takes long.
_LONGEST = {"reference": 1024, "challenge": 4096}
_LONGEST_DOCUMENT = 32 * 1024
# One input may not take longer than so many seconds, nor more than so many megabytes.
_LIMITS = ("-timeout=10", "-rss_limit_mb=4096")
# What a process is granted on top of its time, to start and to stop.
_GRACE = 120
_TOLD = re.compile(r"^#\d+\s+DONE .*|^stat::number_of_executed_units: .*", re.MULTILINE)

_PROGRESS = re.compile(r"#\d+\s|INFO|\[INFO\]|WARNING")


def main(arguments: list[str] | None = None) -> int:
    """Return 0 where nothing was found, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long each target is run")
    parser.add_argument("--finds", type=Path, default=FINDS, help="where finds are written to")
    parser.add_argument("--target", choices=list(seeds()), action="append", help="only this one")
    given = parser.parse_args(arguments)
    targets = given.target or list(seeds())
    broken = [target for target in targets if not is_sound(target, given.seconds, given.finds)]
    if broken:
        print(f"found: {', '.join(broken)}; see {given.finds}")  # noqa: T201
    return 1 if broken else 0


def is_sound(target: str, seconds: int, finds: Path) -> bool:
    """Run one target; tell whether it stood."""
    folder = finds / target
    folder.mkdir(parents=True, exist_ok=True)
    kept = set(folder.iterdir())
    with TemporaryDirectory() as work:
        done = _run(target, seconds, folder, Path(work))
    for line in _TOLD.findall(done.stderr):
        print(f"{target}: {line}", flush=True)  # noqa: T201
    found = sorted(set(folder.iterdir()) - kept)
    if not kept | set(found):
        folder.rmdir()
    if found or done.returncode:
        told = [line for line in done.stderr.splitlines() if not _PROGRESS.match(line)]
        print(done.stdout, *told, *found, sep="\n", flush=True)  # noqa: T201
    return not found and done.returncode == 0


def _run(target: str, seconds: int, folder: Path, work: Path) -> subprocess.CompletedProcess[str]:
    corpus, words = work / "corpus", work / "words"
    corpus.mkdir()
    for place, seed in enumerate(seeds()[target]):
        (corpus / f"seed-{place}").write_bytes(seed)
    words.write_text("".join(f"{_quoted(word)}\n" for word in WORDS.get(target, KEYS)))
    command = [
        sys.executable,
        *("-m", "tests.fuzz.drive", target, str(corpus), f"-dict={words}"),
        *(f"-max_total_time={seconds}", f"-max_len={_LONGEST.get(target, _LONGEST_DOCUMENT)}"),
        *(f"-artifact_prefix={folder}/", "-print_final_stats=1", *_LIMITS),
    ]
    return subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds + _GRACE,
    )


def _quoted(word: str) -> str:
    """Write a word as libFuzzer's dictionaries hold it."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    sys.exit(main())

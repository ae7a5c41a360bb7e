"""Whole processes, from the start of Python to the exit."""

import sys
from functools import partial

from benchmarks.contenders import Contender, command_of
from benchmarks.jobs.job import Found, Job, Target, Verdict, at_most
from benchmarks.servers import SMALL_HUB_REPOSITORY, Servers

_MOST_HELP = 0.2
_PRINTS = """
import sys
import pandas as pd
rows = int(sys.argv[1])
names = [f"{row}.0" for row in range(rows)]
frame = pd.DataFrame({"repo": "acme/small", "tag": names, "size": range(rows), "digest": names[::-1]})
print(frame.to_string())
"""
_HUBFRAME = (sys.executable, "-m", "hubframe")
IMPORT, IMPORT_PANDAS, PRINTED = "import hubframe", "import pandas", "import pandas, print a frame"


def imports(servers: Servers) -> Job:
    """Import the package, and use a name of it."""
    return Job(
        "import",
        "Importing",
        "A process that imports and ends.",
        [
            Contender(code, command=command_of(code))
            for code in (IMPORT, "import hubframe; hubframe.tags_df", IMPORT_PANDAS, "pass")
        ],
        [
            Target(
                "`import hubframe`",
                "at most 1.1 × `import pandas`",
                at_most(1.1, IMPORT, IMPORT_PANDAS),
            )
        ],
        servers.scale.short_repeats,
    )


def tags_command(servers: Servers) -> Job:
    """Run ``hubframe tags`` on a cache that holds the answers, for the Hub and for a registry."""
    scale = servers.scale
    places = {
        "Hub": SMALL_HUB_REPOSITORY,
        "registry": f"{servers.near}/app-{scale.tags}",
    }
    asked = [_tags(servers, name, place) for name, place in places.items()]
    printed = Contender(PRINTED, command=command_of(_PRINTS, f"{scale.tags}"))
    return Job(
        "tags-command",
        f"`hubframe tags` on a warm cache, {scale.tags} tags",
        "The whole process, and a process that imports pandas and prints a frame of as many rows.",
        [*asked, printed],
        [
            Target(
                f"`{one.name}` warm, whole process",
                "at most 1.3 × importing pandas and printing a frame",
                at_most(1.3, one.name, PRINTED),
            )
            for one in asked
        ],
        scale.short_repeats,
        before=asked,
    )


def help_command(servers: Servers) -> Job:
    """Run ``hubframe --help``."""
    return Job(
        "help-command",
        "`hubframe --help`",
        "The whole process.",
        [
            Contender("hubframe --help", command=(*_HUBFRAME, "--help")),
            Contender("pass", command=command_of("pass")),
        ],
        [
            Target(
                "`hubframe --help`",
                "at most 0.2 s",
                partial(_seconds, name="hubframe --help"),
            )
        ],
        servers.scale.short_repeats,
    )


def _tags(servers: Servers, name: str, place: str) -> Contender:
    environment = {
        "HUBFRAME_CACHE_DIR": str(servers.folder / "tags-command"),
        "HUBFRAME_HUB_URL": f"http://{servers.hub}",
    }
    command = (*_HUBFRAME, "tags", place)
    return Contender(f"hubframe tags, {name}", command=command, environment=environment)


def _seconds(found: Found, name: str) -> Verdict:
    return f"{found[name].seconds:.2f} s", found[name].seconds <= _MOST_HELP

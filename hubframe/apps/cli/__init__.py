"""The command line: parse, call, print. Data go to stdout, all else to stderr.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

import gc
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from hubframe.apps.cli.commands import cli
from hubframe.errors import ALL_FAILURES, ASK_ANONYMOUSLY, GIVE_LOGIN, HubframeError

__all__ = ["cli", "main", "one_line", "run"]

# How the command line is given a login, and asks without one, in place of Python's words for it.
_WORDS = {
    GIVE_LOGIN: (
        "set DOCKER_USERNAME and DOCKER_PASSWORD (Docker Hub) or DOCKER_AUTH_CONFIG (any registry)"
    ),
    ASK_ANONYMOUSLY: "take the login away to ask anonymously",
    ALL_FAILURES: "Each is named below",
}
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


def main() -> NoReturn:
    """Run the command line as a program."""
    # What pandas makes when it is imported stays to the end: it need not be looked through.
    gc.set_threshold(100_000, 50, 100)
    status = run()
    if status == EXIT_INTERRUPTED:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        # An orderly exit would join the threads that still wait for answers nobody wants any more.
        os._exit(status)
    sys.exit(status)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command, this process's by default; say errors in a line, and return the status."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _say(str(message))
        status: Any = EXIT_FAILED
        try:
            status = cli.main(arguments, prog_name="hubframe", standalone_mode=False)
            sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            status = error.exit_code
        except HubframeError as error:
            _say(". ".join([str(error), *getattr(error, "__notes__", ())]))
        except BrokenPipeError:
            # The reader has seen enough (`| head`); a second error at exit would only confuse.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        except OSError as error:
            _say(f"{error.filename or 'writing'}: {error.strerror or error}")
        except (KeyboardInterrupt, click.Abort):
            _say("interrupted; what was fetched is kept, and the same command goes on from there")
            status = EXIT_INTERRUPTED
    return status if isinstance(status, int) else 0


def _say(message: str) -> None:
    click.echo(f"hubframe: {one_line(message)}", err=True)


def one_line(text: str) -> str:
    """Return text for a line of a terminal: in the words of the command line, and harmless.

    Control characters and line ends are taken out, since it is untrusted.
    """
    for words, ours in _WORDS.items():
        text = text.replace(words, ours)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())

"""The command line: parse, call, print. Data go to stdout, all else to stderr.

Nothing heavy is imported before a command runs, so that ``--help`` answers at once.
"""

import gc
import os
import sys
import warnings
from typing import Any, NoReturn

import click

from hubframe.errors import HubframeError
from hubframe.version import __version__

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class LazyGroup(click.Group):
    """A group whose commands are imported when one is wanted, not for the list of names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of the work: find, read, report, keep."""
        from hubframe.apps.cli.analyses import COMMANDS  # noqa: PLC0415

        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        from hubframe.apps.cli.analyses import COMMANDS  # noqa: PLC0415

        return COMMANDS.get(cmd_name) or super().get_command(ctx, cmd_name)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hubframe")
def cli() -> None:
    """Docker Hub and every OCI registry as tables.

    Try it without a network: hubframe tags ansible/ansible --sample
    """


def main() -> NoReturn:
    """Run the command line, and turn errors into one line and an exit status."""
    # What pandas makes when it is imported stays to the end: it need not be looked through.
    gc.set_threshold(100_000, 50, 100)
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = EXIT_USAGE
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except HubframeError as error:
        status = _fail(str(error))
    except BrokenPipeError:
        # The reader has seen enough (`| head`); a second error at exit would only confuse.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        status = _fail(f"{error.filename or 'writing'}: {error.strerror or error}")
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; what was fetched is kept, and the same command goes on from there")
        # Threads may still wait for answers that nobody wants any more.
        os._exit(EXIT_INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str) -> int:
    click.echo(f"hubframe: {one_line(message)}", err=True)
    return EXIT_FAILED


def _show_warning(message: Warning | str, *_: Any) -> None:
    click.echo(f"hubframe: {one_line(str(message))}", err=True)


def one_line(text: str) -> str:
    """Return text without control characters and line ends: a stranger may have written it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())

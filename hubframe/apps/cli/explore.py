"""The command that opens an explorer."""

import os
import tempfile
from pathlib import Path

import click


@click.command(help="Click through repositories, tags and images in JupyterLab, or in a page.")
@click.argument("what", required=False, metavar="[WHAT]")
@click.option("--voila", is_flag=True, help="Serve it as a page, by Voila.")
@click.option("--port", type=click.IntRange(1, 65535), help="Where to listen.")
@click.option("--no-browser", is_flag=True, help="Open no browser; print the address.")
@click.option("--sample", is_flag=True, help="Show the bundled sample: no network.")
@click.option("--offline", is_flag=True, help="Show what is in the cache: no network.")
def explore(  # noqa: PLR0913 - one for each option
    *,
    what: str | None,
    voila: bool,
    port: int | None,
    no_browser: bool,
    sample: bool,
    offline: bool,
) -> int:
    """Write a notebook, and serve it."""
    from hubframe.apps.explorer import launch

    environment = {**os.environ, **({"HUBFRAME_OFFLINE": "1"} if offline else {})}
    with tempfile.TemporaryDirectory() as folder:
        # A page has nothing to keep; a notebook is its reader's own.
        home = Path(folder) if voila else Path()
        notebook = launch.write_notebook(home, what, sample=sample, page=voila)
        try:
            line = launch.command(notebook, voila=voila, port=port, browser=not no_browser)
        except ModuleNotFoundError as error:
            notebook.unlink()
            raise click.ClickException(f"{error.name}: {error}") from error
        if not voila:
            click.echo(f"{notebook}: run its cell to open the explorer", err=True)
        return launch.run(line, environment)

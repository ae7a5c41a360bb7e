"""What shells and notebooks complete: commands and their values, and public names."""

import os
import shutil
import subprocess
import sys
from inspect import isfunction
from pathlib import Path
from types import ModuleType

import pytest
from click.shell_completion import ShellComplete
from jupyter_client.manager import start_new_kernel

import hubframe
from hubframe.apps.cli import cli
from hubframe.apps.cli.commands import PLANNED
from hubframe.apps.cli.options import FORMATS
from hubframe.tables import MEASURED

from .test_cli import run


def completed(*words):
    """What the last word may become."""
    *before, begun = words
    found = ShellComplete(cli, {}, "hubframe", "_HUBFRAME_COMPLETE").get_completions(before, begun)
    return [one.value for one in found]


def test_commands_and_options_are_completed():
    assert completed("ta") == ["tags", "tag-history", "tag-pulls", "tag-moves"]
    assert completed("cache", "") == ["info", "clear"]
    assert completed("tags", "--ne") == ["--newest"]
    assert set(completed("")) == set(cli.commands)


def test_values_are_completed():
    assert completed("tags", "--format", "") == list(FORMATS)
    assert completed("tags", "x", "--source", "h") == ["hub"]
    assert completed("plan", "") == list(PLANNED)
    assert completed("plan", "la") == ["layers", "labels"]
    assert completed("footprint", "--by", "n") == ["namespace"]
    assert completed("completion", "f") == ["fish"]


def test_names_of_columns_are_completed_one_after_the_other():
    assert completed("tags", "--columns", "pu") == ["pushed_at", "pulled_at"]
    assert completed("tags", "--columns", "size,pushed_at,pu") == ["size,pushed_at,pulled_at"]


# Asks a real shell what it completes a line to, and prints that.
ASKED = {
    "bash": 'eval "$(hubframe completion bash)"\n'
    "COMP_WORDS=(hubframe plan la); COMP_CWORD=2; _hubframe_completion hubframe\n"
    'echo "${COMPREPLY[@]}"',
    "fish": 'hubframe completion fish | source\ncomplete -C "hubframe plan la"',
    # zsh completes at a prompt alone, so that what it is given is run with its builtins replaced.
    "zsh": "compdef() { :; }; compadd() { echo ${(P)@[-1]}; }; _describe() { :; }\n"
    'eval "$(hubframe completion zsh)"\n'
    "words=(hubframe plan la); CURRENT=3; _hubframe_completion",
}


@pytest.mark.parametrize("shell", ASKED)
def test_a_real_shell_completes(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "hubframe"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hubframe "$@"\n')
    program.chmod(0o755)
    places = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [shell, "-c", ASKED[shell]],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **places},
    )
    assert set(done.stdout.split()) == {"layers", "labels"}
    assert done.stderr == ""


def test_a_shell_that_is_not_known_is_a_usage_error():
    assert run("completion", "tcsh").returncode == 2


# The public modules, and of what they show something.
SHOWN = {
    "cache": {"info", "clear", "CacheInfo"},
    "dask": {"crawl", "frame"},
    "errors": {"HubframeError", "StaleWarning"},
    "frames": {"tags_df", "files_df", "compare_df"},
    "measure": {"coverage_df", "label_coverage", "efficiency"},
    "plots": {"plot_tags", "style"},
    "report": {"report"},
    "tables": {"TAGS", "Table"},
}


@pytest.mark.parametrize("name", SHOWN)
def test_public_modules_show_public_names(name):
    module = getattr(hubframe, name)
    shown = dir(module)
    assert set(shown) >= SHOWN[name]
    assert not [one for one in shown if isinstance(getattr(module, one), ModuleType)]
    homes = {getattr(getattr(module, one), "__module__", "hubframe") for one in shown}
    assert all(home.startswith("hubframe") or home == "builtins" for home in homes)


@pytest.mark.parametrize("name", ["frames", "measure", "plots"])
def test_fetchers_measures_and_plots_are_told_apart(name):
    module = getattr(hubframe, name)
    assert dir(module) == sorted(dir(module))
    assert all(isfunction(getattr(module, one)) for one in dir(module))


def test_every_frame_that_is_fetched_and_every_measure_stands_in_its_module():
    of_files = {"references_df"}  # which is neither fetched nor measured
    for name in set(hubframe.__all__) - of_files:
        if name.endswith("_df"):
            is_measured = name.removesuffix("_df") in {*MEASURED, "outdated_bases"}
            of = hubframe.measure if is_measured else hubframe.frames
            of = hubframe.frames if name in ("bases_df", "compare_df", "unpacked_sizes_df") else of
            assert name in dir(of)
            assert getattr(of, name) is getattr(hubframe, name)


def test_names_that_are_not_shown_can_be_imported():
    for name in ("OCI_LABELS", "identity", "is_address", "is_complete", "leading_tags", "threads"):
        assert getattr(hubframe.measure, name) is not None


def test_a_notebook_completes_public_names():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute_interactive("import hubframe", timeout=180)
        for code, module in (
            ("hubframe.", hubframe),
            ("hubframe.frames.", hubframe.frames),
            ("hubframe.measure.", hubframe.measure),
            ("hubframe.plots.", hubframe.plots),
        ):
            answer = client.complete(code, reply=True, timeout=180)["content"]
            found = {match.removeprefix(code) for match in answer["matches"]}
            assert found == {name for name in dir(module) if not name.startswith("_")}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

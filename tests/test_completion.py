"""What shells complete: commands, options, and the values that they may have."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from hubframe.apps.cli import cli
from hubframe.apps.cli.commands import PLANNED
from hubframe.apps.cli.options import FORMATS

from .test_cli import run


def completed(*words):
    """What the last word may become."""
    *before, begun = words
    found = ShellComplete(cli, {}, "hubframe", "_HUBFRAME_COMPLETE").get_completions(before, begun)
    return [one.value for one in found]


def test_commands_and_options_are_completed():
    assert completed("ta") == ["tags", "tag-moves"]
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

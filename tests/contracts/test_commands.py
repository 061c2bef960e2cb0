"""The contract of commands, over every row of the table, and over every step of those that are groups."""

import contextlib
import io
import subprocess
import sys
from types import SimpleNamespace

import pytest

from rushes.cli.library import steps as library
from rushes.cli.main import COMMANDS, main
from rushes.cli.prepare import steps as prepare

GROUPS = {"prepare": prepare.STEPS, "library": library.STEPS}
"""Commands that hold others: what reports to programs are those."""
STEPS = [(group, name) for group, steps in GROUPS.items() for name in steps]


@pytest.fixture(params=[*((name,) for name in COMMANDS), *STEPS], ids=" ".join)
def command(request):
    return request.param


def run(*arguments):
    """Run a command as a user does; the steps of a group in this process, which spares a second a call."""
    if arguments[0] not in GROUPS:
        return subprocess.run([sys.executable, "-m", "rushes", *arguments], capture_output=True, text=True, check=False)
    out, error, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main(list(arguments))
        except SystemExit as end:
            status = end.code or 0
    return SimpleNamespace(returncode=status, stdout=out.getvalue(), stderr=error.getvalue())


def test_it_explains_itself(command):
    done = run(*command, "--help")
    row = GROUPS[command[0]][command[1]] if len(command) > 1 else COMMANDS[command[0]]
    assert done.returncode == 0
    assert row.summary.split()[0] in done.stdout
    if command[-1] in GROUPS:
        assert all(name in done.stdout for name in GROUPS[command[0]])
    else:
        assert "--json" in done.stdout, "every command reports to programs too"


def test_a_wrong_option_is_status_2(command):
    done = run(*command, "--no-such-option")
    assert done.returncode == 2
    assert "no-such-option" in done.stderr
    assert "Traceback" not in done.stderr

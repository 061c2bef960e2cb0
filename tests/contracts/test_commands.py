"""The contract of commands, over every row of the table."""

import subprocess
import sys

import pytest

from rushes.cli.main import COMMANDS


@pytest.fixture(params=list(COMMANDS))
def command(request):
    return request.param


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "rushes", *arguments], capture_output=True, text=True, check=False)


def test_it_explains_itself(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert COMMANDS[command].summary.split()[0] in done.stdout
    assert "--json" in done.stdout, "every command reports to programs too"


def test_a_wrong_option_is_status_2(command):
    done = run(command, "--no-such-option")
    assert done.returncode == 2
    assert "no-such-option" in done.stderr
    assert "Traceback" not in done.stderr

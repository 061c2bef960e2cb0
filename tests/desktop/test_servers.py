"""The servers that the other tests of this folder stand on: they start, they are their own, they end."""

import contextlib
import os
import subprocess
import time

import pytest


@pytest.mark.require("display")
def test_two_displays_run_side_by_side_and_leave_nothing_behind(servers):
    with servers.run_display() as one, servers.run_display((640, 480), window_manager=False) as two:
        assert one.name != two.name
        assert os.environ["DISPLAY"] == two.name
        sizes = [geometry(display.name) for display in (one, two)]
        assert sizes == ["1280 720", "640 480"]
    for display in (one, two):
        with pytest.raises(subprocess.CalledProcessError):
            geometry(display.name)
    assert os.environ.get("DISPLAY") not in {one.name, two.name}


def geometry(display: str) -> str:
    command = ["xdotool", "getdisplaygeometry"]
    env = {**os.environ, "DISPLAY": display}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


@pytest.mark.require("display")
def test_a_display_ends_even_when_the_test_fails(servers):
    with contextlib.suppress(ZeroDivisionError), servers.run_display(window_manager=False) as display:
        raise ZeroDivisionError
    with pytest.raises(subprocess.CalledProcessError):
        geometry(display.name)


def test_the_default_output_is_the_null_sink_and_its_monitor_can_be_heard(sound_server, servers):
    info = servers.pactl("info").stdout
    assert "Default Sink: game" in info
    assert "Default Source: game.monitor" in info
    assert "rate" not in servers.pactl("list", "short", "sinks").stdout
    assert "48000Hz" in servers.pactl("list", "short", "sinks").stdout


def test_a_program_ends_with_the_children_that_it_left(servers, tmp_path):
    with servers.programs_that_end() as programs:
        script = f"sleep 300 & echo $! > {tmp_path}/child; trap '' TERM; wait; sleep 300"
        shell = programs.start(["bash", "-c", script])
        servers.wait_for(
            lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text(), "the child's start"
        )
        child = int((tmp_path / "child").read_text())
        assert programs.end(shell, patience_s=0.2) != 0
    end = time.monotonic() + 30
    while alive(child) and time.monotonic() < end:
        time.sleep(0.01)
    assert not alive(child)


def alive(pid: int) -> bool:
    """Whether it runs; one that is dead and not yet fetched by its parent does not."""
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(answer.stdout.strip()) and not answer.stdout.startswith("Z")

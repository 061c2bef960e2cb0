"""`rushes record --backend browser` as a process: its address, its plays, Ctrl+C, and what a kill leaves."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rushes.store.reader import open_session
from rushes.store.recover import recover

RUSHES = (sys.executable, "-m", "rushes", "record", "--backend", "browser", "--port", "0")
WAIT_S = 60


@pytest.fixture
def start(tmp_path):
    """Start the command in a folder of its own; gives the process and its address."""
    started = []

    def begin(*arguments, at_once="stdout"):
        process = subprocess.Popen(
            [*RUSHES, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, getattr(process, at_once).readline().strip()

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def page(browser_page):
    """Pages, closed afterwards."""
    made = []

    def open_page(address):
        made.append(browser_page(address))
        return made[-1]

    yield open_page
    for one in made:
        one.close()


def now_ms():
    return time.perf_counter() * 1000 + 5000


def test_each_play_gets_a_line_and_a_folder_and_ctrl_c_ends_the_last_one_whole(start, page, tmp_path):
    process, address = start("--size", "16x12", "--game", "Mine", "--player", "Ada B")
    assert address.startswith("http://127.0.0.1:")
    assert address.endswith("&player=Ada+B")
    me = page(address).join(game="Theirs")
    _, first = me.frames(3)
    me.send({"type": "end", "t": now_ms() + 250, "reason": "saved_all"})
    me.until("saved")
    line = process.stdout.readline()
    assert ": 3 frames, 1 segments, ended by saved_all" in line
    me = page(address).join()
    me.frames(3)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert me.until("saved")["reason"] == "stop"
    out, error = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, error
    assert "Traceback" not in error
    assert "ended by stop" in out
    one, two = sorted((tmp_path / "data" / "sessions").iterdir())
    assert one.name.startswith("Mine_")
    assert np.array_equal(np.stack(list(open_session(one).frames(0, 3))), first)
    assert open_session(two).segments[-1].end_reason == "stop"


def test_a_killed_server_leaves_a_session_that_recover_brings_back(start, page, tmp_path):
    process, address = start("--size", "16x12", "--out", "taken")
    me = page(address).join()
    times, pixels = me.frames(6)
    while now_ms() < times[-1] + 500:  # half a second after the last picture
        time.sleep(0.05)
    process.kill()
    process.wait(WAIT_S)
    assert recover(tmp_path / "taken").frames == 6
    session = open_session(tmp_path / "taken")
    assert [s.end_reason for s in session.segments] == ["killed"]
    assert np.array_equal(np.stack(list(session.frames(0, 6))), pixels)
    assert session.telemetry()["k"].tolist() == list(range(6))


@pytest.mark.full
def test_json_is_one_object_and_the_address_stands_on_standard_error(start, page):
    process, address = start("--size", "16x12", "--plays", "1", "--json", at_once="stderr")
    me = page(address).join()
    me.frames(2)
    me.close()
    out, _ = process.communicate(timeout=WAIT_S)
    (play,) = json.loads(out)["plays"]
    assert (play["frames"], play["reason"], play["failed"], process.returncode) == (2, "tab_closed", False, 0)

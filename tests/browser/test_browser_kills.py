"""`rushes record --backend browser` and a real Chromium, of which one is killed at a random moment of a play.

Whatever dies, the session opens, is sound, and holds all that the page had captured, up to a second before.
"""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rushes.qa.base import run_checks
from rushes.store.reader import open_session
from rushes.store.recover import recover

sys.path.insert(0, str(Path(__file__).parent))

from chromium_tab import WAIT_S, Chromium, until
from rescue_probe import PROBE, TRUTH, Truth, number_in, told

pytestmark = pytest.mark.require("browser")

RUSHES = (sys.executable, "-m", "rushes", "record", "--backend", "browser", "--port", "0")
LOSES_MS = 1000
MOMENTS_S = (1.1, 2.0)  # after the first picture, so that something has to be there
KEYS = ("KeyW", "KeyA", "KeyS", "KeyD", "KeyE", "Space")


class Server:
    """The command, in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.seen = folder, 0
        with (folder / "out").open("wb") as out, (folder / "error").open("wb") as error:
            self.process = subprocess.Popen(RUSHES, cwd=folder, stdout=out, stderr=error)
        self.address = until(self.lines, "an address of the server")[0]

    def lines(self):
        """Give the whole lines that it has said."""
        error = (self.folder / "error").read_text()
        assert "Traceback" not in error, error
        return (self.folder / "out").read_text().rpartition("\n")[0].splitlines()

    def page(self, seed):
        """Give the address of a play that begins by itself."""
        return f"{self.address}&autostart=1&marker=1&width=160&environment=wildfire&seed={seed}&player=Ada"

    def ended(self):
        """Wait for the line of the next play that has ended."""
        self.seen += 1
        until(lambda: len(self.plays()) >= self.seen, "the end of a play")
        return self.plays()[self.seen - 1]

    def plays(self):
        """Give the lines of plays that have ended."""
        return [line for line in self.lines() if "ended by" in line]

    def sessions(self):
        """List the folders of its plays, in that order."""
        return sorted((self.folder / "data" / "sessions").iterdir(), key=lambda path: path.stat().st_ctime_ns)


@pytest.fixture
def start(tmp_path):
    """Start servers."""
    started = []

    def begin(name="one"):
        (tmp_path / name).mkdir()
        started.append(Server(tmp_path / name))
        return started[-1]

    yield begin
    for server in started:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def browser(chromium, tmp_path):
    with Chromium(chromium, tmp_path / "profile") as found:
        yield found


def play(tab, rng, seconds=MOMENTS_S):
    """Play with random keys, s from the first picture on; give what the page knows, and how far clocks differ, ms."""
    tab.until("window.seen && seen.shots[0]?.back")
    end_s = time.monotonic() + rng.uniform(*seconds)
    offset_ms, _ = tab.clock(4)
    while time.monotonic() < end_s:
        key = str(rng.choice(KEYS))
        tab.press(key)
        time.sleep(rng.uniform(0.01, 0.12))
        tab.release(key)
    return Truth(**tab.js(TRUTH)), offset_ms


def now_ms():
    return time.perf_counter() * 1000


def holds(path, truth, killed_ms, reason):
    """Check a session against what its page had captured at a time of the page; give it."""
    session = open_session(path)
    assert [f for f in run_checks(session) if f.severity == "error"] == []
    assert session.ledger.balances
    assert session.segments[-1].end_reason == reason
    promised = killed_ms - LOSES_MS
    numbers = [number_in(picture) for picture in session.frames(0, session.frame_count)]
    shots = {shot["frame"]: shot for shot in truth.shots}
    known = [number for number in numbers if number <= truth.shots[-1]["frame"]]
    assert set(known) <= set(shots)
    assert known == sorted(set(known))
    left_out = [number for number in shots if number < numbers[-1] and number not in known]
    assert len(left_out) <= sum(session.ledger["frames"].lost.values()), "a machine that is behind says so"
    assert known[-1] >= max(shot["frame"] for shot in truth.shots if shot.get("back", math.inf) <= promised)
    rows = [(frame, fields) for _, frame, fields in told(session) if frame is not None]
    assert [frame for frame, _ in rows] == list(range(len(numbers)))
    for number, (_, fields) in zip(known, rows, strict=False):
        assert fields == {name: value for name, value in shots[number]["fields"].items() if value is not None}
    table = session.events()
    table = table[table["kind"].isin(["press", "release"])]
    stored = list(zip(table["control"], table["kind"] == "press", strict=True))
    pressed = [event for event in truth.inputs if event["kept"] and event["control"] in KEYS]
    known = min(len(stored), len(pressed))
    assert stored[:known] == [(event["control"], event["down"]) for event in pressed[:known]]
    assert known >= sum(event["at"] <= promised for event in pressed)
    between = np.diff(table["t_ns"][:known]) - 1e6 * np.diff([event["t"] for event in pressed[:known]])
    assert np.abs(between).max(initial=0) <= 1, "intervals are those of the page, to the nanosecond"
    return session


def kill(what, browser, tab, server):
    """Kill one of them."""
    if what == "server":
        server.process.send_signal(signal.SIGKILL)
    elif what == "renderers":
        browser.kill_renderers()
    elif what == "browser":
        os.kill(*browser.processes()["browser"], signal.SIGKILL)
    elif what == "tab":
        tab.close()
    else:
        tab.ask("Page.reload")


def test_a_killed_tab_and_a_killed_server_leave_all_but_a_second_and_a_new_server_records_on(start, browser):
    rng = np.random.default_rng(8)
    server = start()
    tab = browser.open(server.page(1), width=320, height=180, first=PROBE)
    truth, offset_ms = play(tab, rng)
    browser.kill_renderers()
    killed_ms = now_ms() - offset_ms
    assert "ended by tab_closed" in server.ended()
    holds(server.sessions()[0], truth, killed_ms, "tab_closed")

    tab = browser.open(server.page(2), width=320, height=180, first=PROBE)
    _, offset_ms = play(tab, rng)
    server.process.send_signal(signal.SIGKILL)
    killed_ms = now_ms() - offset_ms
    tab.until("rushesCapture.state === 'lost'")
    assert tab.js("document.getElementById('recording').dataset.state") == "lost"
    assert tab.js("rescue.mode") == "playing", "the game goes on"
    truth = Truth(**tab.js(TRUTH))
    server.process.wait(WAIT_S)
    path = server.sessions()[1]
    assert recover(path).frames > 0
    holds(path, truth, killed_ms, "killed")

    server = start("two")
    tab.go(server.page(3))
    play(tab, rng, seconds=(0.2, 0.4))
    tab.hide()
    tab.show()
    taken = tab.js("seen.shots.length")
    tab.js("rescue.resume()")
    tab.until(f"seen.shots.length > {taken}")
    truth = Truth(**tab.js(TRUTH))
    saved = tab.js("rescue.stop()")
    assert "ended by stop" in server.ended()
    session = holds(server.sessions()[0], truth, math.inf, "stop")
    assert "hidden" in [segment.end_reason for segment in session.segments]
    assert (saved["name"], saved["frames"]) == (session.path.name, session.frame_count)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("what", ["server", "renderers", "browser", "tab", "reload"])
def test_whatever_dies_at_whatever_moment_all_but_a_second_is_there(start, browser, what, seed):
    server = start()
    tab = browser.open(server.page(seed), width=320, height=180, first=PROBE)
    truth, offset_ms = play(tab, np.random.default_rng([seed, 5]), seconds=(1.1, 5.0))
    kill(what, browser, tab, server)
    killed_ms = now_ms() - offset_ms
    if what == "server":
        tab.until("rushesCapture.state === 'lost'")
        truth = Truth(**tab.js(TRUTH))
        server.process.wait(WAIT_S)
        recover(server.sessions()[0])
    else:
        assert "ended by tab_closed" in server.ended()
    holds(server.sessions()[0], truth, killed_ms, "killed" if what == "server" else "tab_closed")
    if what == "reload":  # and the page plays on by itself
        truth, _ = play(tab, np.random.default_rng(seed), seconds=(0.2, 0.4))
        tab.js("rescue.stop()")
        assert "ended by stop" in server.ended()
        holds(server.sessions()[1], truth, math.inf, "stop")

"""The recorder's panel on the kernel's side: what the buttons do, what it shows, and how it ends."""

import io
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from rushes.capture.settings import Settings
from rushes.errors import RushesError, StoppedError
from rushes.store.reader import open_session
from rushes.widgets import record_panel as room
from rushes.widgets.panel_look import counters, headline
from rushes.widgets.record_panel import RecordPanel, record_panel

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from waiting import until

STATUS = {
    "state": "recording", "reason": "", "rate_hz": 29.97, "seconds": 61.25, "frames": 1837, "dropped": 3, "late": 2,
    "duplicates": 1, "events": 4321, "discarded": 55, "segments": 2, "backlog": 4, "free_bytes": 81_000_000_000,
    "notes": [],
}  # fmt: skip


class Fake:
    """A recorder that does what the test says."""

    def __init__(self, settings):
        self.settings, self.path = settings, Path(settings.out or "take")
        self.status = {"state": "starting"}
        self.picture = None
        self.commands = []
        self.end = {"path": str(self.path), "reason": "stop", "sentence": "", "notes": [], "frames": 7}
        self._over = threading.Event()

    @property
    def running(self):
        return not self._over.is_set()

    def command(self, name):
        self.commands.append(name)
        if name == "stop":
            self._over.set()

    def wait(self, timeout_s=None):
        return self._over.wait(timeout_s)

    def result(self):
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


@pytest.fixture
def made():
    return []


@pytest.fixture
def panel(made):
    def fake(settings):
        made.append(Fake(settings))
        return made[-1]

    panel = RecordPanel(Settings(backend="synthetic", game="Trees & <bees>"), recorder=fake)
    yield panel
    panel.close()


@pytest.fixture(autouse=True)
def none_open():
    yield
    while room._open:
        room._open[-1].close()


def press(panel, name):
    """Let the page say what it says when a button is pressed."""
    panel.view._handle_custom_msg({"do": name}, [])


def enabled(panel):
    return set(panel.view.look["can"])


def values(panel):
    return {name: value for name, value, _ in panel.view.look["rows"]}


def test_a_panel_that_was_not_armed_starts_no_recorder(panel, made):
    assert made == []
    assert enabled(panel) == {"start"}
    assert panel.view.picture == b""


def test_an_armed_recorder_waits_paused_and_says_how_to_begin(panel, made):
    panel.arm()
    assert enabled(panel) == set(), "nothing can be pressed while it starts"
    made[0].status = {**STATUS, "state": "paused", "frames": 0}
    until(lambda: panel.state == "ready")
    assert enabled(panel) == {"start", "stop"}
    assert made[0].commands == []
    assert made[0].settings.start_immediately is False
    assert "F8" in panel.view.look["said"]


def test_the_buttons_give_the_commands_and_can_only_be_pressed_when_they_mean_something(panel, made):
    press(panel, "start")
    assert made[0].commands == ["resume"]
    made[0].status = STATUS
    until(lambda: panel.state == "recording")
    assert enabled(panel) == {"pause", "stop"}
    press(panel, "pause")
    made[0].status = {**STATUS, "state": "paused"}
    until(lambda: panel.state == "paused")
    assert enabled(panel) == {"start", "stop"}
    assert panel.view.look["start"] == "Go on"
    press(panel, "start")
    press(panel, "stop")
    assert made[0].commands == ["resume", "pause", "resume", "stop"]
    until(lambda: panel.state == "ended")
    assert enabled(panel) == {"start"}
    assert panel.path == Path("take")
    assert "7 frames, ended by stop. The session is take" in panel.view.look["said"]


def test_pictures_and_counters_are_shown_as_they_come(panel, made):
    panel.arm()
    made[0].status, made[0].picture = STATUS, b"first"
    until(lambda: panel.view.picture == b"first")
    made[0].picture = b"second"
    until(lambda: panel.view.picture == b"second")
    look, said = panel.view.look, values(panel)
    assert (look["state"], look["seconds"]) == ("recording", 61.25)
    assert "Trees & <bees>" in look["subject"]
    expected = {
        "rate": "30.0 fps", "frames": "1,837", "dropped": "3", "inputs kept": "4,321", "inputs not kept": "55",
        "free on the disk": "81.0 GB",
    }  # fmt: skip
    assert {name: said[name] for name in expected} == expected
    assert [name for name, _, tone in look["rows"] if tone == "bad"] == ["dropped"]
    assert [name for name, _, tone in look["rows"] if tone == "warn"] == ["late"]


def test_a_message_that_means_nothing_does_nothing(panel, made):
    for message in ({"do": "close"}, {"do": None}, {}, "start"):
        panel.view._handle_custom_msg(message, [])
    assert made == []


def test_a_note_of_a_stream_that_is_gone_is_shown(panel, made):
    panel.arm()
    made[0].status = {**STATUS, "notes": ["mic: the device is gone; the recording went on without it"]}
    until(lambda: "mic: the device is gone" in panel.view.look["said"])


def test_what_a_recorder_could_not_do_is_a_sentence_in_the_panel_and_start_tries_again(panel, made):
    panel.start()
    made[0].end = StoppedError("a recorder that died", accepts="one that lives", fix="`rushes recover take`")
    made[0].command("stop")
    until(lambda: panel.state == "failed")
    assert "a recorder that died" in panel.view.look["said"]
    assert "rushes recover take" in panel.view.look["said"]
    assert panel.view.look["start"] == "Try again"
    panel.start()
    assert len(made) == 2
    assert made[1].commands == ["resume"]
    assert panel.error is None


def test_a_recorder_that_cannot_be_made_is_a_sentence_too():
    def refuse(settings):
        raise RushesError("no display", accepts="a desktop", fix="log in")

    panel = RecordPanel(Settings(backend="synthetic"), recorder=refuse)
    panel.start()
    assert panel.state == "failed"
    assert "no display" in panel.view.look["said"]


def test_a_stop_before_the_first_frame_says_that_there_is_no_session(panel, made):
    panel.arm()
    made[0].end = {**made[0].end, "frames": 0}
    panel.stop()
    until(lambda: panel.state == "ended")
    assert "Nothing was recorded" in panel.view.look["said"]
    assert panel.path is None


def test_later_sessions_stand_beside_the_first(tmp_path, made):
    panel = RecordPanel(
        Settings(backend="synthetic", out=str(tmp_path / "take")), recorder=lambda s: made.append(Fake(s)) or made[-1]
    )
    for name in ("take", "take_2", "take_3"):
        panel.start()
        assert made[-1].path == tmp_path / name
        made[-1].path.mkdir()
        (made[-1].path / "session.json").touch()
        panel.close()


def test_a_panel_that_was_closed_knows_how_it_ended(monkeypatch):
    def late(self):
        time.sleep(0.2)
        return self.end

    monkeypatch.setattr(Fake, "result", late)
    panel = RecordPanel(Settings(backend="synthetic"), recorder=Fake)
    panel.start()
    panel.close()
    assert (panel.state, panel.result["frames"], panel.path) == ("ended", 7, Path("take"))
    panel.start()
    panel.close()
    assert panel.state == "ended", "also the second time"


def test_the_region_is_that_of_the_picker_when_start_is_pressed(made):
    picker = SimpleNamespace(region=None)
    settings = Settings(backend="desktop", no_keys=True)
    panel = RecordPanel(settings, picker=picker, recorder=lambda s: made.append(Fake(s)) or made[-1])
    picker.region = (10, 20, 330, 260)
    panel.start()
    assert made[0].settings.region == (10, 20, 330, 260)
    panel.close()


def test_words_for_states_and_counters():
    assert [headline(*pair) for pair in (("paused", 0), ("paused", 3), ("recording", 3), ("starting", 0))] == [
        "ready", "paused", "recording", "starting",
    ]  # fmt: skip
    assert [value for _, value, _ in counters({})] == ["\N{EN DASH}"] * 10, "dashes before anything is known"


def test_a_new_panel_ends_the_one_before_it_and_a_real_recorder_records(tmp_path):
    first = record_panel(Settings(backend="synthetic", game="Synthetic", out=str(tmp_path / "take"), seed=1))
    until(lambda: first.state == "ready")
    assert first.path is None
    second = record_panel(Settings(backend="synthetic", game="Synthetic", out=str(tmp_path / "take"), seed=1))
    assert first.state == "ended"
    until(lambda: second.state == "ready")
    before = second.view.picture
    second.start()
    until(lambda: second.state == "recording")
    until(lambda: second.view.picture != before)
    second.pause()
    until(lambda: second.state == "paused")
    second.stop()
    until(lambda: second.state == "ended")
    assert second.path == tmp_path / "take", "the first one left nothing there"
    session = open_session(second.path)
    assert session.frame_count == second.result["frames"] > 0
    assert [s.end_reason for s in session.segments] == ["pause"]
    assert Image.open(io.BytesIO(second.view.picture)).size == (480, 270)


def test_a_real_recorder_that_cannot_begin_says_why_in_the_panel(tmp_path):
    (tmp_path / "take").write_text("a file of somebody")
    panel = RecordPanel(Settings(backend="synthetic", game="Synthetic", out=str(tmp_path / "take"), resume=True))
    panel.start()
    until(lambda: panel.state == "failed")
    assert "take" in panel.view.look["said"]
    assert panel.error is not None
    assert (tmp_path / "take").read_text() == "a file of somebody"


def test_when_the_kernel_is_killed_the_recorder_ends_its_session(tmp_path):
    code = (
        "import os, signal, sys, time\n"
        "from rushes.capture.settings import Settings\n"
        "from rushes.widgets.record_panel import record_panel\n"
        "panel = record_panel(Settings(backend='synthetic', game='Synthetic', out=sys.argv[1]))\n"
        "panel.start()\n"
        "while panel.path is None:\n"
        "    time.sleep(0.05)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, tmp_path / "take"], check=False, timeout=60)
    assert killed.returncode == -9

    def sealed():
        return (tmp_path / "take" / "chunks" / "0001" / "chunk.json").is_file() and open_session(tmp_path / "take")

    session = until(sealed)
    assert [s.end_reason for s in session.segments] == ["stop"]
    assert session.problems == ()
    assert session.frame_count > 0

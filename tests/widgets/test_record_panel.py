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
from rushes.widgets.panel_look import PICTURE_PX, clock_words, headline, numbers
from rushes.widgets.record_panel import RecordPanel, record_panel

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


def until(found, seconds=20.0):
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)
    return value


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


def buttons(panel):
    start, pause, stop = panel.view.children[2].children
    return {"start": start, "pause": pause, "stop": stop}


def enabled(panel):
    return {name for name, button in buttons(panel).items() if not button.disabled}


def texts(panel):
    head, (_, table), message = panel.view.children[0], panel.view.children[1].children, panel.view.children[3]
    return head.value, table.value, message.value


def test_a_panel_that_was_not_armed_starts_no_recorder(panel, made):
    assert made == []
    assert enabled(panel) == {"start"}
    picture = Image.open(io.BytesIO(panel.view.children[1].children[0].value))
    assert picture.size == PICTURE_PX


def test_an_armed_recorder_waits_paused_and_says_how_to_begin(panel, made):
    panel.arm()
    assert enabled(panel) == set(), "nothing can be pressed while it starts"
    made[0].status = {**STATUS, "state": "paused", "frames": 0}
    until(lambda: panel.state == "ready")
    assert enabled(panel) == {"start", "stop"}
    assert made[0].commands == []
    assert made[0].settings.start_immediately is False
    assert "F8" in texts(panel)[2]


def test_the_buttons_give_the_commands_and_can_only_be_pressed_when_they_mean_something(panel, made):
    buttons(panel)["start"].click()
    assert made[0].commands == ["resume"]
    made[0].status = STATUS
    until(lambda: panel.state == "recording")
    assert enabled(panel) == {"pause", "stop"}
    buttons(panel)["pause"].click()
    made[0].status = {**STATUS, "state": "paused"}
    until(lambda: panel.state == "paused")
    assert enabled(panel) == {"start", "stop"}
    assert buttons(panel)["start"].description == "Go on"
    buttons(panel)["start"].click()
    buttons(panel)["stop"].click()
    assert made[0].commands == ["resume", "pause", "resume", "stop"]
    until(lambda: panel.state == "ended")
    assert enabled(panel) == {"start"}
    assert panel.path == Path("take")
    assert "7 frames, ended by stop. The session is take" in texts(panel)[2]


def test_pictures_and_counters_are_shown_as_they_come(panel, made):
    panel.arm()
    made[0].status, made[0].picture = STATUS, b"first"
    image = panel.view.children[1].children[0]
    until(lambda: image.value == b"first")
    made[0].picture = b"second"
    until(lambda: image.value == b"second")
    head, table, _ = texts(panel)
    assert "1:01.2" in head
    assert "Trees &amp; &lt;bees&gt;" in head, "names cannot become HTML"
    for said in ("30.0 fps", "1,837", ">3<", "4,321", ">55<", "81.0 GB"):
        assert said in table
    assert "recording" in head


def test_a_note_of_a_stream_that_is_gone_is_shown(panel, made):
    panel.arm()
    made[0].status = {**STATUS, "notes": ["mic: the device is gone; the recording went on without it"]}
    until(lambda: "mic: the device is gone" in texts(panel)[2])


def test_what_a_recorder_could_not_do_is_a_sentence_in_the_panel_and_start_tries_again(panel, made):
    panel.start()
    made[0].end = StoppedError("a recorder that died", accepts="one that lives", fix="`rushes recover take`")
    made[0].command("stop")
    until(lambda: panel.state == "failed")
    assert "a recorder that died" in texts(panel)[2]
    assert "rushes recover take" in texts(panel)[2]
    assert buttons(panel)["start"].description == "Try again"
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
    assert "no display" in texts(panel)[2]


def test_a_stop_before_the_first_frame_says_that_there_is_no_session(panel, made):
    panel.arm()
    made[0].end = {**made[0].end, "frames": 0}
    panel.stop()
    until(lambda: panel.state == "ended")
    assert "Nothing was recorded" in texts(panel)[2]
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
        until(lambda: panel.state == "ended")


def test_the_region_is_that_of_the_picker_when_start_is_pressed(made):
    picker = SimpleNamespace(region=None)
    settings = Settings(backend="desktop", no_keys=True)
    panel = RecordPanel(settings, picker=picker, recorder=lambda s: made.append(Fake(s)) or made[-1])
    picker.region = (10, 20, 330, 260)
    panel.start()
    assert made[0].settings.region == (10, 20, 330, 260)
    panel.close()


def test_words_for_states_and_times():
    assert [headline(*pair) for pair in (("paused", 0), ("paused", 3), ("recording", 3), ("starting", 0))] == [
        "ready", "paused", "recording", "starting",
    ]  # fmt: skip
    assert [clock_words(s) for s in (0, 9.96, 60, 3725.5)] == ["0:00.0", "0:09.9", "1:00.0", "62:05.5"]
    assert numbers({}).count("\N{EN DASH}") == 10, "dashes before anything is known"


def test_a_new_panel_ends_the_one_before_it_and_a_real_recorder_records(tmp_path):
    first = record_panel(Settings(backend="synthetic", game="Synthetic", out=str(tmp_path / "take"), seed=1))
    until(lambda: first.state == "ready")
    assert first.path is None
    second = record_panel(Settings(backend="synthetic", game="Synthetic", out=str(tmp_path / "take"), seed=1))
    assert first.state == "ended"
    until(lambda: second.state == "ready")
    before = second.view.children[1].children[0].value
    second.start()
    until(lambda: second.state == "recording")
    until(lambda: second.view.children[1].children[0].value != before)
    second.pause()
    until(lambda: second.state == "paused")
    second.stop()
    until(lambda: second.state == "ended")
    assert second.path == tmp_path / "take", "the first one left nothing there"
    session = open_session(second.path)
    assert session.frame_count == second.result["frames"] > 0
    assert [s.end_reason for s in session.segments] == ["pause"]
    assert Image.open(io.BytesIO(second.view.children[1].children[0].value)).size == (480, 270)


def test_a_real_recorder_that_cannot_begin_says_why_in_the_panel(tmp_path):
    (tmp_path / "take").write_text("a file of somebody")
    panel = RecordPanel(Settings(backend="synthetic", game="Synthetic", out=str(tmp_path / "take"), resume=True))
    panel.start()
    until(lambda: panel.state == "failed")
    assert "take" in texts(panel)[2]
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

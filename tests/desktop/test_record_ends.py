"""How recordings of a desktop begin and end: paused first; a window, a display or a sound server that goes away."""

import signal
import time

import numpy as np
import pytest

from rushes.capture.director import Director
from rushes.model.readings import Frame, Lost

pytestmark = [pytest.mark.require("display"), pytest.mark.slow]
BRIEFLY_S = 0.7
PICTURE = np.zeros((2, 2, 3), np.uint8)


@pytest.fixture
def pit(display, servers, programs, game, tmp_path):
    """A game that shows a counter, in a window of its own."""
    made = game.start(servers, programs, tmp_path, title="Pit", options=("--size", "320", "240"))
    yield made
    programs.end(made.program)


@pytest.fixture
def playing(hands, pit):
    with hands.Hands() as made:
        made.focus(pit.window)
        yield made


def test_it_waits_for_the_hotkey_and_ends_with_the_window(servers, programs, recording, pit, playing, tmp_path):
    running = recording.start(servers, programs, playing.tap, tmp_path, "--window", "Pit", knock="F6")
    time.sleep(BRIEFLY_S)
    playing.tap("KeyW")
    time.sleep(BRIEFLY_S)
    playing.close(pit.window)
    told = recording.finished(running)
    assert told["reason"] == "window_closed"
    taken = recording.Taken(running.out)
    (segment,) = taken.session.segments
    assert segment.end_reason == "window_closed"
    assert segment.frames > 10
    hotkeys = taken.events[taken.events["flag"] == "hotkey"]
    assert set(hotkeys["control"]) == {"F6"}
    began = segment.start_ns + taken.zero_ns
    assert began >= hotkeys["t_ns"].iloc[0], "nothing before the hotkey"
    assert [edge[:2] for edge in taken.edges({"KeyW"})] == [("KeyW", True), ("KeyW", False)]
    assert "paused" in running.said


def test_a_recording_that_ends_by_its_limit_holds_as_much_as_was_asked_for(
    servers, programs, recording, pit, playing, tmp_path
):
    options = ("--window", "Pit", "--start-immediately", "--max-seconds", "1.5", "--fps", "20", "--codec", "lossless")
    running = recording.start(servers, programs, playing.tap, tmp_path, *options)
    told = recording.finished(running)
    assert told["reason"] == "max_seconds"
    taken = recording.Taken(running.out)
    (segment,) = taken.session.segments
    assert (segment.end_ns - segment.start_ns) / 1e9 == pytest.approx(1.5, abs=0.1)
    index = taken.session.index()
    ticks = len(index) + index["dropped_before"].sum()
    assert 15 <= ticks <= 31, "30, save for those that were still to be made up for at its end"


@pytest.mark.require("sound")
def test_a_sound_server_that_dies_ends_its_stream_and_not_the_recording(
    servers, programs, recording, pit, playing, tmp_path
):
    with servers.run_sound_server() as server:
        options = ("--window", "Pit", "--start-immediately", "--audio", "system")
        running = recording.start(servers, programs, playing.tap, tmp_path, *options, sound="system")
        time.sleep(BRIEFLY_S)
        server.program.send_signal(signal.SIGKILL)
        died_ns = time.perf_counter_ns()
        time.sleep(2.5)
        told = recording.stop(running)
    assert told["reason"] == "stop"
    assert any("system" in note and "went on without" in note for note in told["notes"])
    taken = recording.Taken(running.out)
    assert taken.session.index()["t_ns"].iloc[-1] + taken.zero_ns > died_ns + 1e9, "the picture went on"
    times, _ = taken.sound("system")
    assert len(times) > 0
    assert times[-1] < died_ns + 0.5e9


def test_a_display_that_dies_ends_the_recording_and_what_there_is_stays(
    servers, game, hands, recording, require, tmp_path
):
    require("display")
    with servers.run_display() as display, servers.programs_that_end() as programs, hands.Hands() as playing:
        made = game.start(servers, programs, tmp_path, title="Pit", options=("--size", "320", "240"))
        playing.focus(made.window)
        running = recording.start(servers, programs, playing.tap, tmp_path, "--window", "Pit", "--start-immediately")
        time.sleep(BRIEFLY_S)
        display.server.send_signal(signal.SIGKILL)
        died_ns = time.perf_counter_ns()
        told = recording.finished(running)
    assert told["reason"] in {"display_lost", "window_closed"}
    taken = recording.Taken(running.out)
    (segment,) = taken.session.segments
    assert segment.frames > 8
    assert segment.end_ns + taken.zero_ns < died_ns + 1e9
    assert len(list(taken.session.frames(0, segment.frames))) == segment.frames


def test_a_display_that_stands_still_ends_the_segment_and_the_recording_goes_on(
    servers, game, hands, recording, require, tmp_path
):
    """For two seconds the server answers nobody, as a screen that hangs."""
    require("display")
    with servers.run_display() as display, servers.programs_that_end() as programs, hands.Hands() as playing:
        made = game.start(servers, programs, tmp_path, title="Pit", options=("--size", "320", "240"))
        playing.focus(made.window)
        running = recording.start(servers, programs, playing.tap, tmp_path, "--window", "Pit", "--start-immediately")
        time.sleep(BRIEFLY_S)
        display.server.send_signal(signal.SIGSTOP)
        stood_ns = time.perf_counter_ns()
        try:
            time.sleep(2)
        finally:
            display.server.send_signal(signal.SIGCONT)
        went_on_ns = time.perf_counter_ns()

        def heard():
            playing.tap("KeyE")
            return b'"KeyE"' in running.journal()

        servers.wait_for(heard, "the end of the stillness")
        time.sleep(BRIEFLY_S)
        told = recording.stop(running)
    assert told["reason"] == "stop"
    assert any("no picture for a second" in note for note in told["notes"])
    taken = recording.Taken(running.out)
    first, second = taken.session.segments
    assert (first.end_reason, second.end_reason) == ("drop", "stop")
    assert first.end_ns + taken.zero_ns < stood_ns + 0.5e9, "it ends where its last picture does"
    assert second.start_ns + taken.zero_ns > stood_ns + 1e9
    assert second.start_ns + taken.zero_ns < went_on_ns + 10e9
    pressed = taken.session.events(second.index).query("control == 'KeyE' and kind == 'press'")["t_ns"]
    assert len(pressed) > 0
    assert pressed.between(second.start_ns, second.end_ns).all()
    ledger = taken.session.ledger["frames"]
    assert ledger.balances


def test_a_picture_that_was_asked_for_when_the_screen_froze_begins_no_segment_of_its_own():
    director = Director(rate_hz=30, paused=False)
    list(director.take(Frame(0, PICTURE)))
    (gap,) = director.tick(1_100_000_000)
    assert (gap.t_ns, gap.reason) == (33_333_333, "drop")
    found = list(director.take(Frame(33_340_000, PICTURE, tick=1)))  # its grab began at its tick and took 1.1 s
    assert found == [Lost(found[0].t_ns, "frames", "between_segments", 1)]


@pytest.mark.require("sound")
def test_a_sound_device_that_was_asked_for_and_cannot_be_opened_ends_the_recording_with_status_1(
    programs, recording, pit, playing, tmp_path, monkeypatch
):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'nobody'}")
    options = ("--window", "Pit", "--start-immediately", "--audio", "system", "--out", tmp_path / "take")
    with (tmp_path / "said.txt").open("wb") as file:
        program = programs.start([*recording.COMMAND, *options], stdout=file, stderr=file)
    assert program.wait(90) == 1
    said = (tmp_path / "said.txt").read_text()
    assert "Traceback" not in said
    assert "sound" in said

"""Input against sound on a real recording: the game beeps on every press of the space bar, and says when it did."""

import time

import numpy as np
import pytest

from rushes.qa.sound.check import check_sound
from rushes.qa.subject import Subject

pytestmark = [pytest.mark.require("display", "sound"), pytest.mark.full]
PRESSES = 24


@pytest.fixture(scope="module")
def taken(display, sound_server, servers, programs, game, hands, recording, tmp_path_factory):
    folder = tmp_path_factory.mktemp("beeps")
    rng = np.random.default_rng(5)
    at_s = np.cumsum(rng.uniform(0.5, 0.9, PRESSES))  # a beep lasts a quarter of a second
    pit = game.start(servers, programs, folder, title="Pit", options=("--relative", "--sound"))
    with hands.Hands() as playing:
        playing.focus(pit.window)
        running = recording.start(
            servers, programs, playing.tap, folder,
            *("--game", "Pit", "--window", "Pit", "--fps", "30", "--codec", "h264", "--layout", "capture28"),
            *("--audio", "system", "--start-immediately", "--max-seconds", "60"), sound="system",
        )  # fmt: skip
        time.sleep(0.5)
        playing.perform(hands.spread([act for at in at_s for act in hands.hold("Space", float(at), 0.08)]))
        time.sleep(1.0)
        recording.stop(running)
    return recording.Taken(running.out)


def test_the_measured_offset_is_that_of_the_beeps_themselves(taken):
    times, samples = taken.sound("system")
    pressed = [t for control, down, t in taken.edges({"Space"}) if down]
    assert len(pressed) == PRESSES
    late_ms = []
    for t_ns in pressed:
        about = (times >= t_ns) & (times < t_ns + 400_000_000)
        late_ms.append((times[about][np.abs(samples[about]) > 0.02][0] - t_ns) / 1e6)
    subject = Subject(taken.session)
    offset = next(o for _, o in subject.measured.sounds if o.between == "input_sound")
    assert offset.known, offset.reason
    assert abs(offset.ms - np.median(late_ms)) < 10, (str(offset), np.round(late_ms, 1))


def test_its_sound_is_whole(taken):
    found = list(check_sound(Subject(taken.session)))
    assert [f for f in found if f.check not in {"sound.gap", "sound.missing", "sound.dropout"}] == [], found

"""Does the machine keep up? The answer comes within two seconds and is held against what has to be encoded."""

import time
from dataclasses import dataclass

import numpy as np
import pytest

from rushes.capture import trial as trial_module
from rushes.capture.child import record_live
from rushes.capture.encoding import Encoding
from rushes.capture.live_synthetic import LiveSynthetic
from rushes.capture.settings import Settings
from rushes.capture.source import SourceEnd
from rushes.capture.trial import require_rate, trial
from rushes.errors import BadInputError, UnavailableError
from rushes.model.readings import Frame
from rushes.store.reader import open_session


@dataclass
class Every:
    """A screen of which every n-th tick shows a new picture."""

    rate_hz: float
    every: int
    name: str = "screen"
    essential: bool = True

    def run(self, clock, emit, stop):
        tick, start_ns = 0, clock.now_ns()
        while not stop.wait(max(0.0, (start_ns + tick * 1e9 / self.rate_hz - clock.now_ns()) / 1e9)):
            picture = np.full((64, 64, 3), tick % 250, np.uint8) if tick % self.every == 0 else None
            emit(Frame(clock.now_ns(), picture, tick=tick))
            tick += 1


@dataclass(frozen=True)
class Stage(LiveSynthetic):
    screen: object = None

    def sources(self, say=print):
        del say
        return [self.screen]


@pytest.fixture
def slow(monkeypatch):
    """Every picture takes 40 ms on each of two threads, so fifty a second can be encoded."""
    real = Encoding._encode

    def encode(self, pixels, key):
        time.sleep(0.04)
        return real(self, pixels, key)

    monkeypatch.setattr(Encoding, "_encode", encode)
    monkeypatch.setattr("rushes.capture.encoding.os.cpu_count", lambda: 2)


def stage(rate_hz, every):
    return Stage(size=(64, 160), codec="png", rate_hz=rate_hz, screen=Every(rate_hz, every))


def test_it_measures_what_two_threads_of_forty_milliseconds_give(slow):
    found = trial(stage(100.0, 1), rate_hz=100.0)
    assert 30 < found.sustained_hz <= 51
    assert found.seconds < 2.0
    assert not found.keeps_up


def test_a_rate_is_refused_with_one_that_works(slow):
    with pytest.raises(BadInputError, match=r"png of 160x64 at 200 fps.*encodes \d\d a second.*--fps \d\d"):
        require_rate(stage(200.0, 1), rate_hz=200.0)


def test_repeated_pictures_cost_nothing_and_that_is_told(slow):
    found = trial(stage(100.0, 10), rate_hz=100.0)
    assert found.keeps_up
    assert found.new_share < 0.3
    assert "more new ones" in found.warning
    assert trial(stage(5.0, 1), rate_hz=5.0).warning == ""


def test_a_screen_that_ends_says_why():
    class Gone:
        name, essential = "screen", True

        def run(self, clock, emit, stop):
            raise SourceEnd("display_lost", "the display is gone")

    with pytest.raises(SourceEnd, match="the display is gone"):
        trial(Stage(size=(64, 160), screen=Gone()), rate_hz=30.0)


def test_a_screen_that_shows_nothing_is_an_error(monkeypatch):
    class Dark:
        name, essential = "screen", True

        def run(self, clock, emit, stop):
            stop.wait()

    monkeypatch.setattr(trial_module, "_FIRST_S", 0.1)
    with pytest.raises(UnavailableError, match="shows nothing"):
        trial(Stage(size=(64, 160), screen=Dark()), rate_hz=30.0)


def test_png_is_tried_before_anything_is_written(slow, tmp_path):
    asked = {"backend": "synthetic", "codec": "png", "start_immediately": True, "max_frames": 10}
    with pytest.raises(BadInputError, match="lossless, which is exact too"):
        record_live(Settings(out=str(tmp_path / "a"), fps=500.0, **asked))
    assert list(tmp_path.iterdir()) == []
    record_live(Settings(out=str(tmp_path / "b"), fps=10.0, **asked))
    assert open_session(tmp_path / "b").frame_count == 10

"""Sound that is heard beside the pictures: every sample of the planted stream is its own number."""

import itertools

import numpy as np
import pytest

from rushes.errors import BadInputError, BadNameError
from rushes.model.actions import ActionSpace
from rushes.model.readings import Frame, Gap, Sound, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter
from rushes.widgets.player import player
from rushes.widgets.player_hearing import Hearing
from rushes.widgets.player_source import open_shown

NS, RATE, ROUND = 1_000_000_000, 1_000, 16_000
SILENT = range(3, 5)
"""Seconds without sound, between two segments."""


def numbers(first, stop):
    """Samples as they were planted."""
    found = np.arange(first, stop) % ROUND
    found[[second // RATE in SILENT for second in range(first, stop)]] = 0
    return found


@pytest.fixture
def recorded(tmp_path):
    """Forty-two seconds of two channels whose mean is the number of the sample, a pause from 3 s to 5 s."""
    streams = (
        StreamSpec("screen", "frames", "png", width=8, height=6, rate_hz=1.0),
        StreamSpec("game", "sound", "flac", rate_hz=float(RATE)),
    )
    info = SessionInfo("h", "Game", {}, "measured", streams, ActionSpace.from_names(["Space"]))
    with SessionWriter(tmp_path / "h", info) as writer:
        for second in range(42):
            if second in SILENT:
                continue
            if second in {0, SILENT.stop}:
                writer.write(Start(second * NS))
            writer.write(Frame(second * NS, np.full((6, 8, 3), second, np.uint8)))
            mean = (np.arange(second * RATE, (second + 1) * RATE) % ROUND).astype(np.int16)
            writer.write(Sound(second * NS, np.stack([mean - 100, mean + 100], axis=1), RATE, "game"))
            if second in {SILENT.start - 1, 41}:
                writer.write(Gap((second + 1) * NS, "paused"))
    return open_session(tmp_path / "h")


@pytest.mark.parametrize("stretch", [(0, 1), (2.5, 5.5), (19.5, 20.5), (19, 20), (20, 21), (41.25, 42)])
def test_each_sample_stands_at_its_time_across_pauses_too(recorded, stretch):
    first, stop = (round(edge * RATE) for edge in stretch)
    found = Hearing(open_shown(recorded)).piece("game", first * NS // RATE, stop * NS // RATE)
    assert found.dtype == np.int16
    assert found.tolist() == numbers(first, stop).tolist()


def test_pieces_join_without_a_gap_wherever_they_are_cut(recorded):
    hearing = Hearing(open_shown(recorded))
    edges = [0, 700_300_000, 1_234_567_891, 1_900_000_001, 9 * NS]
    parts = [hearing.piece("game", *pair) for pair in itertools.pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), numbers(0, 9 * RATE))


def test_a_page_is_given_samples_and_their_rate_and_behind_the_end_silence(recorded):
    widget, told = player(recorded), []
    widget.send = lambda content, buffers=None: told.append((content, buffers))
    for start in (7, 41.5):
        message = {"do": "sound", "stream": "game", "from_ns": round(start * NS), "to_ns": round((start + 1) * NS)}
        widget._on_msg(widget, message, [])
    assert widget._talk.wait(20)
    (first, (data,)), (_, (last,)) = told
    assert first == {"is": "sound", "stream": "game", "from_ns": 7 * NS, "rate": RATE}
    assert np.frombuffer(data, "<i2").tolist() == numbers(7_000, 8_000).tolist()
    assert np.frombuffer(last, "<i2").tolist() == [*numbers(41_500, 42_000).tolist(), *[0] * 500]
    widget.close()


def test_what_cannot_be_heard_is_refused(recorded):
    hearing = Hearing(open_shown(recorded))
    for stretch in ((5, 5), (-1, 5), (0, 11 * NS)):
        with pytest.raises(BadInputError, match="up to 10 s"):
            hearing.piece("game", *stretch)
    with pytest.raises(BadNameError, match="'mic'"):
        hearing.piece("mic", 0, NS)

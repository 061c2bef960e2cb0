"""A recording that is not ours keeps its sound when it is copied into the store."""

from dataclasses import replace

import numpy as np
import pytest

from rushes.formats.base import convert, open_any
from rushes.formats.playback import readings
from rushes.model.readings import Lost, Sound
from rushes.model.recording import Sessions
from rushes.model.session import StreamSpec
from rushes.store.reader import open_session

MS = 1_000_000
STREAMS = {"game": (8000, 2), "mic": (44_100, 1)}


@pytest.fixture
def loud(fake):
    """Two episodes, 0 to 333 and 400 to 600 ms, and sound from -50 to 750 ms in blocks of 100 ms."""

    class Loud(fake.Fake):
        def sound(self, stream):
            rate_hz, channels = STREAMS[stream]
            for number in range(8):
                samples = np.arange(rate_hz // 10)[:, None] * np.ones(channels) + 3 * number
                yield Sound((number * 100 - 50) * MS, samples.astype(np.int16), rate_hz, stream)

    recording = Loud([6, 4])
    sounds = (StreamSpec(name, "sound", "wav", rate_hz=float(rate)) for name, (rate, _) in STREAMS.items())
    recording.info = replace(recording.info, streams=(*recording.info.streams, *sounds))
    return recording


def samples_in(recording, stream, since_ns, until_ns):
    """The samples of a stretch, chosen one by one."""
    for block in recording.sound(stream):
        t_ns = block.t_ns + np.arange(len(block.samples)) * 1e9 / block.rate_hz
        yield block.samples[(t_ns >= since_ns - 1) & (t_ns < until_ns - 1)]


def test_sound_within_segments_is_copied_exactly_and_what_lies_outside_is_counted(loud, tmp_path):
    report = convert(Sessions([loud], format="x"), tmp_path / "copies", format="session")
    copy = open_session(tmp_path / "copies" / "atari_alien")
    assert [(s.name, s.codec, s.rate_hz) for s in copy.sound_streams] == [
        ("game", "flac", 8000.0),
        ("mic", "flac", 44_100.0),
    ]
    for name, (rate_hz, _) in STREAMS.items():
        kept = [p for s in loud.segments for p in samples_in(loud, name, s.start_ns, s.end_ns)]
        mine = list(copy.sound(name))
        np.testing.assert_array_equal(np.concatenate([b.samples for b in mine]), np.concatenate(kept))
        assert [b.t_ns // MS for b in mine] == [0, 50, 150, 250, 400, 450, 550]
        count = sum(map(len, kept))
        for ledger in (report.ledger, copy.ledger):
            account = ledger[name]
            assert (account.offered, account.kept) == (8 * rate_hz // 10, count)
            assert dict(account.lost) == {"outside_segment": 8 * rate_hz // 10 - count}
    assert report.ledger.balances
    assert "audio" in report.kept
    assert len(copy.segments) == 2


def test_readings_come_in_the_order_of_time_within_a_segment(loud):
    times = [r.t_ns for r in readings(loud) if not isinstance(r, Lost)]
    assert times == sorted(times)


@pytest.mark.parametrize("name", ["atari_folders", "atari_interleaved"])
def test_a_format_without_a_place_for_sound_loses_it_and_does_not_say_that_it_is_there(loud, tmp_path, name):
    report = convert(Sessions([loud], format="x"), tmp_path / "out", format=name)
    assert "audio" in report.lost
    (back,) = open_any(tmp_path / "out")
    assert back.sound_streams == ()

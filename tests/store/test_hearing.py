"""What is heard in a row is the sound of its interval: to the sample, and whatever else is asked for."""

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, BadNameError, MissingError
from rushes.model.actions import ActionSpace
from rushes.model.readings import Frame, Gap, Sound, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.entry import describe
from rushes.store.facts import add_fact
from rushes.store.hearing import Hearing, as_hearing, choose_stream, hear, hearing_of
from rushes.store.reader import open_session
from rushes.store.validity import honour
from rushes.store.writer import SessionWriter

NS = 1_000_000_000
ROW = NS // 30
PIXELS = np.zeros((2, 2, 3), np.uint8)
KINDS = [
    Hearing(),
    Hearing("waveform", rate_hz=48_000, row_ns=ROW),
    Hearing("waveform", row_ns=ROW),
    Hearing("waveform", rate_hz=44_100, row_ns=ROW),
]


def info(**rates):
    sounds = (StreamSpec(name, "sound", "flac", rate_hz=rate) for name, rate in rates.items())
    return SessionInfo(
        id="heard",
        game="Heard",
        source={"kind": "synthetic", "name": "heard"},
        time_source="measured",
        streams=(StreamSpec("screen", "frames", "png", width=2, height=2, rate_hz=30.0), *sounds),
        action_space=ActionSpace.from_names(["KeyW"]),
    )


def record(path, t_ns, end_ns, blocks, **rates):
    """Frames at t_ns and blocks of sound, put in the order of time; a chunk holds 20 frames."""
    readings = [Frame(int(t), PIXELS) for t in t_ns] + list(blocks)
    with SessionWriter(path, info(**rates), chunk_frames=20) as writer:
        writer.write(Start(int(t_ns[0])))
        for reading in sorted(readings, key=lambda r: r.t_ns):
            writer.write(reading)
        writer.write(Gap(int(end_ns), "end"))
    return open_session(path)


def blocks_of(samples, rate_hz, *, start_ns=0, length=960, stream="system", drift=0.0):
    """Cut a line of samples into blocks; with a drift their clock runs faster than the session's."""
    for at in range(0, len(samples), length):
        t_ns = start_ns + round(at / rate_hz / (1 + drift) * NS)
        yield Sound(t_ns, samples[at : at + length].reshape(len(samples[at : at + length]), -1), rate_hz, stream)


def edges(recording):
    t_ns = recording.index()["t_ns"].to_numpy()
    return t_ns, np.append(t_ns[1:], recording.segments[-1].end_ns)


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """75 rows whose times jitter, over stereo noise from 0.1 s on with a hole of 0.1 s, in blocks of 20 ms."""
    rng = np.random.default_rng(3)
    t_ns = np.arange(75) * ROW + rng.integers(0, 6_000_000, 75)
    samples = rng.integers(-8000, 8000, (48_000 * 5 // 2, 2)).astype(np.int16)
    blocks = blocks_of(samples, 48_000, drift=1e-4)
    blocks = [b for b in blocks if not 0.99 <= b.t_ns / NS < 1.09 and b.t_ns > 0.09 * NS]
    return record(tmp_path_factory.mktemp("noise") / "s", t_ns, 75 * ROW, blocks, system=48_000.0)


@pytest.mark.parametrize("hearing", KINDS, ids=lambda h: f"{h.kind}{h.rate_hz}")
def test_some_rows_are_heard_as_they_are_heard_among_all(noise, hearing):
    starts, ends = edges(noise)
    features, heard = hear(noise, None, starts, ends, hearing)
    assert features.shape == (75, hearing.features)
    assert features.dtype == np.float32
    rng = np.random.default_rng(0)
    for rows in (slice(20, 36), slice(29, 31), slice(74, 75), slice(0, 0), rng.permutation(75)[:20]):
        some, known = hear(open_session(noise.path), None, starts[rows], ends[rows], hearing)
        np.testing.assert_array_equal(some, features[rows])
        np.testing.assert_array_equal(known, heard[rows])


@pytest.mark.parametrize("hearing", KINDS[:3], ids=lambda h: f"{h.kind}{h.rate_hz}")
def test_rows_of_which_less_than_half_was_recorded_are_not_heard_and_zero(noise, hearing):
    starts, ends = edges(noise)
    features, heard = hear(noise, "system", starts, ends, hearing)
    silent = [(0.0, 0.1), (1.0, 1.1)]
    missing = [
        sum(max(0.0, min(e, until) - max(s, since)) for since, until in silent) / (e - s)
        for s, e in zip(starts / NS, ends / NS, strict=True)
    ]
    missing = np.array(missing)
    sure = np.abs(missing - 0.5) > 0.1  # blocks of 20 ms end a little beside
    assert sure.sum() > 70
    np.testing.assert_array_equal(heard[sure], missing[sure] < 0.5)
    assert not features[~heard].any()
    assert features[heard].any(axis=1).all()


@pytest.mark.parametrize("where", [0.04, 0.5, 0.96])  # a resampled click within 0.6 ms of an edge reaches beyond it
@pytest.mark.parametrize("hearing", KINDS, ids=lambda h: f"{h.kind}{h.rate_hz}")
def test_a_click_shows_in_its_row_and_only_there(tmp_path, hearing, where):
    t_ns = np.arange(12) * ROW
    samples = np.zeros(12 * 1600, np.int16)
    samples[round((7 + where) * 1600)] = 32_000
    recording = record(tmp_path / "s", t_ns, 12 * ROW, blocks_of(samples, 48_000), system=48_000.0)
    features, heard = hear(recording, None, *edges(recording), hearing)
    assert heard.all()
    loud = np.abs(features).max(axis=1)
    assert loud[7] > 0.2
    assert (np.delete(loud, 7) < 1e-4).all()


@pytest.mark.parametrize("place", [7 * 1600, 8 * 1600 - 1])
@pytest.mark.parametrize("hearing", KINDS[:2], ids=lambda h: f"{h.kind}{h.rate_hz}")
def test_where_nothing_is_resampled_so_does_a_click_at_the_first_and_at_the_last_sample(tmp_path, hearing, place):
    samples = np.zeros(12 * 1600, np.int16)
    samples[place] = 32_000
    t_ns = np.arange(12) * NS // 30
    recording = record(tmp_path / "s", t_ns, 12 * NS // 30, blocks_of(samples, 48_000), system=48_000.0)
    features, _ = hear(recording, None, *edges(recording), hearing)
    assert np.flatnonzero(np.abs(features).max(axis=1)).tolist() == [7]


@pytest.mark.parametrize(("rate_hz", "to_hz"), [(48_000, 16_000), (44_100, 16_000), (16_000, 44_100), (30_720, 16_000)])
def test_resampling_delays_nothing_and_leaves_no_seam(tmp_path, rate_hz, to_hz):
    time_s = np.arange(rate_hz * 2) / rate_hz
    tone = np.rint(20_000 * np.sin(2 * np.pi * 500 * time_s)).astype(np.int16)
    recording = record(
        tmp_path / "s", np.arange(60) * ROW, 60 * ROW, blocks_of(tone, rate_hz, length=777), system=float(rate_hz)
    )
    hearing = Hearing("waveform", rate_hz=to_hz, row_ns=ROW)
    starts, ends = edges(recording)
    features, _ = hear(recording, None, starts, ends, hearing)
    for row in range(1, 59):
        first = -(-int(starts[row]) * to_hz // NS)
        count = min(hearing.features, -(-int(ends[row]) * to_hz // NS) - first)
        expected = 20_000 / 32_768 * np.sin(2 * np.pi * 500 * (first + np.arange(count)) / to_hz)
        np.testing.assert_allclose(features[row, :count], expected, atol=2e-3)


def test_a_sound_card_whose_clock_drifts_leaves_no_clicks(tmp_path):
    time_s = np.arange(48_000 * 3 // 2) / 48_000
    tone = np.rint(20_000 * np.sin(2 * np.pi * 500 * time_s)).astype(np.int16)
    hearing = Hearing("waveform", rate_hz=48_000, row_ns=ROW)
    for name, drift in (("fast", 3e-4), ("slow", -3e-4)):
        blocks = blocks_of(tone, 48_000, drift=drift)
        recording = record(tmp_path / name, np.arange(40) * ROW, 40 * ROW, blocks, system=48_000.0)
        features, heard = hear(recording, None, *edges(recording), hearing)
        assert heard.all()
        steps = np.abs(np.diff(features.ravel()[: 40 * 1600 - 10]))
        assert steps.max() < 2.2 * 20_000 / 32_768 * 2 * np.pi * 500 / 48_000, "a step of two samples at the most"


def test_the_waveform_at_its_own_rate_is_what_was_recorded(noise):
    starts, ends = edges(noise)
    features, _ = hear(noise, None, starts[40:41], ends[40:41], KINDS[1])
    inside = [b for b in noise.sound("system") if b.t_ns < ends[40] and b.t_ns + 20_000_000 > starts[40]]
    stored = np.concatenate([b.samples for b in inside]).astype(float).mean(axis=1) / 32_768
    row = features[0][features[0] != 0][100:500]
    places = np.lib.stride_tricks.sliding_window_view(stored, 400)
    assert np.abs(places - row).max(axis=1).min() < 1e-6


def test_longer_rows_are_cut_and_shorter_ones_filled_with_zeros(noise):
    starts = np.array([2 * NS // 5] * 3)
    features, _ = hear(noise, None, starts, starts + np.array([ROW, 2 * ROW, ROW // 2]), KINDS[1])
    assert (features[0] == features[1]).all()
    assert (features[2, :799] == features[0, :799]).all()
    assert not features[2, 801:].any()


def test_several_streams_stand_one_behind_the_other(tmp_path):
    rng = np.random.default_rng(1)
    parts = {name: rng.integers(-9000, 9000, (int(rate) // 2, 1)).astype(np.int16) for name, rate in RATES.items()}
    blocks = [b for name, part in parts.items() for b in blocks_of(part, RATES[name], stream=name)]
    recording = record(tmp_path / "s", np.arange(12) * ROW, 12 * ROW, blocks, **RATES)
    times = edges(recording)
    alone = {name: hear(recording, name, *times, Hearing(bins=32)) for name in ("mic", "system", "game")}
    both, heard = hear(recording, ("mic", "game", "system"), *times, Hearing(bins=32))
    np.testing.assert_array_equal(both, np.concatenate([alone[n][0] for n in ("mic", "game", "system")], axis=1))
    assert heard.all()
    assert not alone["game"][1].any(), "a stream that is not there is not heard"
    np.testing.assert_array_equal(hear(recording, None, *times, Hearing(bins=32))[0], alone["system"][0])


RATES = {"mic": 16_000, "system": 44_100}


def test_the_streams_that_are_meant():
    assert choose_stream(["mic", "system"]) == "system"
    assert choose_stream(["mic", "game"]) == "mic"
    assert choose_stream([]) is None


def test_a_stretch_marked_invalid_is_not_heard(noise, tmp_path):
    samples = np.full((48_000, 1), 9000, np.int16) * np.where(np.arange(48_000) % 2, 1, -1)[:, None].astype(np.int16)
    recording = record(tmp_path / "s", np.arange(30) * ROW, 30 * ROW, blocks_of(samples, 48_000), system=48_000.0)
    add_fact(recording.path, "validity", {"valid": False}, author="me", t_start_ns=10 * ROW, t_end_ns=20 * ROW)
    left = honour(open_session(recording.path))
    times = edges(recording)
    features, heard = hear(left, None, *times, KINDS[1])
    assert heard.tolist() == [True] * 10 + [False] * 10 + [True] * 10
    assert not features[10:20].any()
    assert sum(len(b.samples) for b in left.sound("system")) == pytest.approx(32_000, abs=2)


def test_only_the_wanted_blocks_of_a_session_are_given_and_they_are_whole(noise):
    everything = list(noise.sound("system"))
    for start, stop in ((0.5, 0.51), (0.62, 1.4), (0.99, 1.101), (1.02, 1.08), (2.4, 9.0)):
        between = list(noise.sound_between("system", int(start * NS), int(stop * NS)))
        expected = [b for b in everything if b.t_ns < stop * NS and b.t_ns + 20_000_000 > start * NS]
        assert [b.t_ns for b in between] == [b.t_ns for b in expected]
        assert all((a.samples == b.samples).all() for a, b in zip(between, expected, strict=True))


def test_a_recording_without_sound_gives_zeros_and_says_so(tmp_path):
    recording = record(tmp_path / "s", np.arange(3) * ROW, 3 * ROW, [])
    features, heard = hear(recording, None, *edges(recording), Hearing())
    assert features.shape == (3, 128)
    assert not features.any()
    assert not heard.any()
    assert recording.sound_streams == ()
    for ask in (recording.sound, lambda name: recording.sound_between(name, 0, 1)):
        with pytest.raises(BadNameError, match="the session has no sound"):
            ask("mic")


def test_a_file_that_is_cut_is_told_and_one_that_is_gone_too(tmp_path):
    samples = np.random.default_rng(2).integers(-9000, 9000, 48_000).astype(np.int16)
    recording = record(tmp_path / "s", np.arange(19) * ROW, 19 * ROW, blocks_of(samples, 48_000), system=48_000.0)
    flac = tmp_path / "s" / "chunks" / "0001" / "audio" / "system.flac"
    flac.write_bytes(flac.read_bytes()[:20_000])
    with pytest.raises(BadDataError, match="cut or damaged"):
        hear(recording, None, *edges(recording), Hearing())
    flac.unlink()
    with pytest.raises(MissingError, match="no such file"):
        hear(recording, None, *edges(recording), Hearing())


def test_what_users_pass_as_audio():
    assert as_hearing(None) is None
    assert as_hearing(False) is None
    assert as_hearing(True) == as_hearing("logmel") == Hearing()
    assert as_hearing("waveform").kind == "waveform"
    assert as_hearing(KINDS[2]) is KINDS[2]
    with pytest.raises(BadNameError):
        as_hearing("mfcc")
    with pytest.raises(BadInputError, match="bins"):
        Hearing(bins=0)


def test_auto_hears_where_any_recording_has_sound_in_rows_as_long_as_theirs(noise, tmp_path):
    silent = record(tmp_path / "s", np.arange(3) * ROW, 3 * ROW, [])
    assert hearing_of("auto", [describe(silent)]) is None
    assert hearing_of("auto", [describe(silent), describe(noise)]).kind == "logmel"
    assert hearing_of("waveform", [describe(silent)], frame_skip=3).features == pytest.approx(1600, abs=2)


def test_how_many_numbers_a_row_has():
    assert Hearing().features == 128
    assert Hearing("waveform").features_of(NS // 60) == 267
    assert Hearing("waveform", rate_hz=44_100).for_rows(NS // 15).features == 2940
    with pytest.raises(BadInputError, match="for_rows"):
        _ = Hearing("waveform").features


def test_intervals_that_end_before_they_begin_are_refused(noise):
    with pytest.raises(BadInputError, match="none before its start"):
        hear(noise, None, [5], [4], Hearing())

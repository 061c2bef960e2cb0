"""Sound against presses and against pictures: planted distances come back; where there is none nothing is claimed."""

from types import SimpleNamespace

import numpy as np
import pytest

from rushes.model.events import events_frame
from rushes.model.readings import Event, Sound
from rushes.qa.alignment.sound import measure_sounds
from rushes.qa.alignment.sound_brackets import Brackets, Stimuli, tell
from rushes.qa.alignment.sound_onsets import novelty, onsets
from rushes.qa.pictures.signs import SIGN, Signs
from rushes.qa.sound.signs import read_sound_signs

RATE = 8000
SECONDS = 40
NS = 1_000_000_000


def hands(rng, seconds=SECONDS, count=50):
    return np.sort(rng.uniform(1, seconds - 1, count))


def heard(rng, bangs, seconds=SECONDS, music=0.05):
    """Bursts at the given times over a tune and a little noise."""
    line = 1e-3 * rng.standard_normal(seconds * RATE)
    for note in np.arange(0, seconds - 1, 0.31):
        first = int(note * RATE)
        tone = np.sin(2 * np.pi * rng.uniform(200, 900) * np.arange(2000) / RATE)
        line[first : first + 2000] += (
            music * tone * np.exp(-np.arange(2000) / 600) * np.minimum(np.arange(2000) / 60, 1)
        )
    for bang in bangs:
        first = round(bang * RATE)
        fall = np.exp(-np.arange(400) / 120)
        line[first : first + 400] += 0.4 * fall * rng.uniform(-1, 1, 400)
    whole = (line * 32_767).clip(-32_767, 32_767).astype(np.int16)[:, None]
    return read_sound_signs(
        Sound(s * NS // RATE, whole[s : s + 160], RATE, "system") for s in range(0, len(whole), 160)
    )


def seen(rng, flashes, seconds=SECONDS, rate_hz=30.0):
    """Signs of frames that flicker, and change much in one place in the first frame after each flash."""
    t_s = np.arange(0, seconds, 1 / rate_hz) + rng.uniform(0, 2e-3, int(seconds * rate_hz))
    rows = np.zeros(len(t_s), SIGN)
    rows["frame_index"], rows["t_ns"] = np.arange(len(t_s)), (t_s * NS).astype(int)
    rows["blocks"] = rng.uniform(0.5, 2.0, (len(t_s), 9, 16))
    for frame in np.searchsorted(t_s, flashes):
        rows["blocks"][frame : frame + 1, 3:6, 4:8] += 12
    rows["change"] = rows["blocks"].astype(float).mean(axis=(1, 2))
    rows["change"][0] = rows["blocks"][0] = np.nan
    return Signs(rows)


def play(pressed, sound, signs, seconds=SECONDS):
    """A recording as far as measuring looks at it."""
    rows = [Event(round(t * NS), "keyboard", "Space", "press") for t in pressed]
    rows += [Event(round(t * NS) + 60_000_000, "keyboard", "Space", "release") for t in pressed]
    segment = SimpleNamespace(start_ns=0, end_ns=seconds * NS)
    recording = SimpleNamespace(segments=(segment,), rate_hz=30.0)
    return SimpleNamespace(
        recording=recording,
        events=events_frame(sorted(rows, key=lambda row: row.t_ns)),
        signs=signs,
        sounds={"system": sound},
    )


def test_planted_distances_come_back_within_their_intervals():
    rng = np.random.default_rng(1)
    pressed = hands(rng)
    bangs = pressed[:44] + 0.083
    subject = play(pressed, heard(rng, bangs), seen(rng, bangs - 0.047))
    (name, sound), (_, picture) = measure_sounds(subject)
    assert (name, sound.between, picture.between) == ("system", "input_sound", "sound_picture")
    assert sound.ms == pytest.approx(83, abs=3)
    assert sound.low_ms < 83 < sound.high_ms
    assert picture.ms == pytest.approx(-47, abs=6)
    assert picture.low_ms < -47 < picture.high_ms
    assert sound.frames == pytest.approx(2.49, abs=0.1)
    assert sound.curve.lag_ms[sound.curve.score.argmax()] == pytest.approx(83, abs=6)
    assert sound.confidence > 0.99
    assert sound.evidence["presses"] == 50


def test_nothing_is_claimed_where_nothing_is_tied():
    rng = np.random.default_rng(2)
    subject = play(hands(rng), heard(rng, hands(rng)), seen(rng, hands(rng)))
    for _, offset in measure_sounds(subject):
        assert not offset.known
        assert "chance" in offset.reason


def test_silence_and_idle_hands_say_what_they_lack():
    rng = np.random.default_rng(3)
    silent = read_sound_signs([Sound(0, np.zeros((RATE * SECONDS, 1), np.int16), RATE, "system")])
    sound, picture = (offset for _, offset in measure_sounds(play(hands(rng), silent, seen(rng, []))))
    assert sound.reason == "0 onsets of sound, 8 are needed"
    assert picture.reason == "0 onsets of sound, 8 are needed"
    sound, _ = (offset for _, offset in measure_sounds(play(np.zeros(0), heard(rng, hands(rng)), seen(rng, []))))
    assert sound.reason == "0 presses, 8 are needed"
    assert sound.confidence == 0


def brackets(times, width=5.0):
    low = np.sort(times) // width * width
    return Brackets(low, low + width)


def one_group(ms):
    return Stimuli(np.sort(ms), np.zeros(len(ms), int))


def test_a_person_who_answers_what_is_heard_is_no_offset():
    rng = np.random.default_rng(4)
    sounds = hands(rng, 90_000, 120)
    told = tell([(one_group(sounds + 120 + rng.gamma(6, 22, 120)), brackets(sounds))])
    assert not told.known
    assert "where a person answers" in told.reason


def test_drift_is_told_where_the_stretch_is_long_enough():
    rng = np.random.default_rng(5)
    pressed = hands(rng, 600_000, 300)
    told = tell([(one_group(pressed), brackets(pressed + 30 + 120e-6 * (pressed - 300_000)))])
    assert told.drift_ppm == pytest.approx(120, abs=5)
    assert told.drift_low_ppm < 120 < told.drift_high_ppm
    assert told.ms == pytest.approx(30 + 120e-6 * (told.middle_ms - 300_000), abs=2)
    short = pressed[pressed < 40_000]
    assert tell([(one_group(short), brackets(short + 30))]).drift_ppm is None


def test_an_offset_lies_in_its_frames_and_not_half_a_frame_beside():
    rng = np.random.default_rng(6)
    pressed = hands(rng, 120_000, 80)
    frames = Brackets(*(np.sort((pressed + 61) // 50 * 50) + shift for shift in (0, 50)))
    told = tell([(one_group(pressed), frames)])
    assert told.ms == pytest.approx(61, abs=4)


def test_a_control_without_a_sound_spoils_nothing():
    rng = np.random.default_rng(7)
    loud, still = hands(rng, 60_000, 40), hands(rng, 60_000, 120)
    ms = np.concatenate([loud, still])
    order = np.argsort(ms)
    group = (np.arange(160) >= 40).astype(int)[order]
    told = tell([(Stimuli(ms[order], group), brackets(np.concatenate([loud + 25, hands(rng, 60_000, 60)])))])
    assert told.ms == pytest.approx(25, abs=2)


def test_a_beginning_lies_in_its_bracket():
    rng = np.random.default_rng(8)
    bangs = np.arange(1, 38, 0.83)
    found = onsets(heard(rng, bangs, music=0.0))[0]
    assert len(found.low) == len(bangs)
    assert ((found.low <= bangs * 1e3) & (bangs * 1e3 <= found.high)).mean() > 0.9


def test_what_was_loud_just_before_is_nothing_new():
    series = np.array([np.nan, 1.0, 1.0, 8.0, 1.0, 8.0, 8.0, 1.0, 1.0, 1.0, 1.0, 8.0])
    assert np.flatnonzero(novelty(series) > 0.5).tolist() == [3, 11]

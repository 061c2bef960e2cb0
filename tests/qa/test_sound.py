"""The check of sound finds each planted fault, and nothing in whole sound."""

import numpy as np
import pytest

from rushes.model.actions import ActionSpace
from rushes.model.ledger import Ledger
from rushes.model.readings import Sound
from rushes.model.recording import Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.qa.rules import Limits
from rushes.qa.sound.check import RULES, check_sound
from rushes.qa.sound.signs import HOP_NS, clipped, read_sound_signs
from rushes.qa.subject import Subject

NS = 1_000_000_000
RATE = 8000
BLOCK = 160  # 20 ms
SECONDS = 12


class Fake(Recording):
    """A recording of nothing but sound, in segments of the given ends."""

    def __init__(self, blocks, ends_s=(0, SECONDS), kind="desktop"):
        streams = (StreamSpec("screen", "frames"), StreamSpec("system", "sound", rate_hz=RATE))
        if kind == "env":
            streams += (StreamSpec("steps", "steps"),)
        source = {"kind": kind, "name": "fake"}
        self.info = SessionInfo("fake", "Fake", source, "measured", streams, ActionSpace.from_names(["Space"]))
        edges = zip(ends_s[::2], ends_s[1::2], strict=True)
        self.segments = tuple(Segment(k, int(a * NS), int(b * NS), k * 30, 30, "end") for k, (a, b) in enumerate(edges))
        self.ledger, self.problems, self.blocks = Ledger(), (), blocks

    def sound(self, stream):
        return iter(self.blocks)

    index = steps = events = frames = pictures = None


def music(seconds=SECONDS, channels=2, level=0.2):
    """Two tones that beat, a little noise, channels alike but not the same."""
    rng = np.random.default_rng(7)
    t = np.arange(seconds * RATE) / RATE
    line = np.sin(2 * np.pi * 330 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 1.3 * t)) + 0.5 * np.sin(2 * np.pi * 523 * t)
    return level * (line[:, None] / 1.5 + 0.05 * rng.standard_normal((len(t), channels)))


def blocks_of(samples, jitter_ms=0.3, ppm=0.0):
    rng = np.random.default_rng(8)
    whole = np.clip(np.round(samples * 32_768), -32_768, 32_767).astype(np.int16)
    starts = range(0, len(whole), BLOCK)
    late = rng.normal(0, jitter_ms * 1e6, len(starts)).astype(int)
    times = [max(int(s * NS / RATE * (1 + ppm * 1e-6)) + n, 0) for s, n in zip(starts, late, strict=True)]
    return [Sound(t, whole[s : s + BLOCK], RATE, "system") for t, s in zip(times, starts, strict=True)]


def found(blocks, limits=None, **options):
    return list(check_sound(Subject(Fake(blocks, **options), Limits(limits or {}))))


def only(findings):
    (one,) = findings
    return one


def test_whole_sound_has_no_finding_and_neither_has_a_recording_without_any():
    assert found(blocks_of(music())) == []
    assert found(blocks_of(music(channels=1))) == []
    silent = Fake([])
    silent.info = silent.info.without("sound")
    assert list(check_sound(Subject(silent))) == []


def test_quickly_it_reads_no_sound():
    assert list(check_sound(Subject(Fake(None), quick=True))) == []


def with_holes(whole):
    """Ten stretches of zeros of 8 to 50 ms, each between samples that are loud."""
    rng = np.random.default_rng(3)
    for second in range(1, 11):
        first = int(second * RATE + np.abs(whole[second * RATE : second * RATE + 400, 0]).argmax()) + 8
        whole[first : first + rng.integers(60, 400)] = 0
    return whole


def without(start_s, stop_s):
    return [b for b in blocks_of(music()) if not start_s <= b.t_ns / NS < stop_s]


FAULTS = {  # of each rule: blocks, and the value of the finding
    "sound.silence": lambda: (blocks_of(music() * 0), 100.0),
    "sound.quiet": lambda: (blocks_of(music() * 0.006), -57.5),  # the loudest of whole sound is near -13 dBFS
    "sound.clipping": lambda: (blocks_of(music() * 8), 100 * (np.abs(music() * 8) >= 1).mean(axis=0).max()),
    "sound.dc": lambda: (blocks_of(music() + np.array([0.08, 0.0])), 8.0),
    "sound.dead_channel": lambda: (blocks_of(music() * np.array([1, 0.001])), 60.0),
    "sound.inverted": lambda: (blocks_of(music() * np.array([1, -1])), 98.0),
    "sound.dropout": lambda: (blocks_of(with_holes(music())), 50.0),
    "sound.gap": lambda: (without(4.0, 4.3), 300.0),
    "sound.missing": lambda: ([b for k, b in enumerate(blocks_of(music())) if k % 12 or not k], 100 / 12),
    "sound.overlap": lambda: (
        [b._replace(t_ns=b.t_ns - 100_000_000 * (b.t_ns > 5 * NS)) for b in without(0, 0)],
        100.0,
    ),
    "sound.rate": lambda: (blocks_of(music(), ppm=1000), 1000.0),
    "sound.start": lambda: (without(0.0, 3.5), 3500.0),
    "sound.end": lambda: (without(10.5, SECONDS), 1500.0),
}


@pytest.mark.parametrize("rule", [*RULES, *(FAULTS.keys() - RULES)])
def test_each_fault_is_found_by_its_rule_alone_with_its_value(rule):
    blocks, value = FAULTS[rule]()
    one = only(found(blocks))
    assert (one.check, one.severity, one.stream, one.session) == (rule, "warning", "system", "fake")
    assert one.value == pytest.approx(value, rel=0.15)
    assert one.limit == RULES[rule].limit
    assert "system: " in one.sentence
    assert ";" in one.sentence, "it says what to do"


def test_findings_say_when():
    assert only(found(FAULTS["sound.gap"]()[0])).t_ns == pytest.approx(4.0 * NS, abs=0.03 * NS)
    assert only(found(FAULTS["sound.end"]()[0])).t_ns == pytest.approx(10.5 * NS, abs=0.03 * NS)


def test_limits_move_what_is_found():
    assert found(FAULTS["sound.gap"]()[0], {"sound.gap": 400}) == []
    assert only(found(blocks_of(music()), {"sound.quiet": -5})).check == "sound.quiet"


def test_what_was_paused_is_no_gap():
    blocks = [b for b in blocks_of(music()) if not 4 <= b.t_ns / NS < 7]
    assert found(blocks, ends_s=(0, 4, 7, SECONDS)) == []
    assert {f.check for f in found(blocks)} == {"sound.gap", "sound.missing"}


def test_a_stream_that_was_promised_and_holds_nothing_is_missing():
    one = only(found([]))
    assert (one.check, one.value) == ("sound.missing", 100.0)


def test_a_sound_chip_may_have_a_constant_and_stop_anywhere():
    for rule in ("sound.dc", "sound.dropout"):
        assert found(FAULTS[rule]()[0], kind="env") == []


def test_an_emulator_that_is_silent_is_no_fault_of_a_device():
    one = only(found(blocks_of(music() * 0), kind="env"))
    assert (one.check, one.severity) == ("sound.silence", "info")


def test_a_clock_as_sound_cards_have_it_is_none_to_speak_of():
    assert found(blocks_of(music(), ppm=-150)) == []
    assert only(found(blocks_of(music(), ppm=-900))).value == pytest.approx(-900, abs=60)


def test_sound_declared_at_a_wrong_rate_is_found():
    blocks = [b._replace(t_ns=b.t_ns * 48_000 // 44_100) for b in blocks_of(music(), jitter_ms=0)]
    one = only([f for f in found(blocks, ends_s=(0, 13.06)) if f.check == "sound.rate"])
    assert one.value == pytest.approx(88_435, rel=0.01)


def test_only_runs_at_full_scale_count_as_clipped():
    line = np.zeros((100, 2))
    line[10], line[20:22], line[30:35, 1], line[40:43, 1] = 1, 1, 1, -1
    assert clipped(line) == 8


def test_hops_say_when_something_begins_and_how_loud_it_is():
    line = np.zeros((RATE * 9, 1))
    rng = np.random.default_rng(1)
    for second in (2.003, 4.001, 8.0):  # in the first piece, at the seam of two, behind it
        line[int(second * RATE) :][: RATE // 10, 0] = rng.uniform(-0.5, 0.5, RATE // 10)
    heard = read_sound_signs(iter(blocks_of(line, jitter_ms=0)))
    assert heard["hop"].tolist() == list(range(1, 1800))  # the window of the first one begins before the sound does
    begun = heard["hop"][heard["onset"] > 15] * HOP_NS // 1_000_000
    assert begun[np.diff(begun, prepend=0) > 50].tolist() == [2000, 4000, 8000]
    assert heard["level"][heard["hop"] == 405].item() == pytest.approx(0.5 / 3**0.5, rel=0.25)
    assert not heard["onset"][heard["hop"] < 399].any()


def test_floats_and_one_long_block_are_heard_alike():
    line = music(channels=1)
    short = read_sound_signs(iter(blocks_of(line, jitter_ms=0)))
    long = read_sound_signs(iter([Sound(0, line.astype(np.float32), RATE, "system")]))
    assert long["hop"].tolist() == short["hop"].tolist()
    np.testing.assert_allclose(long["level"], short["level"], atol=1e-4)

"""Recorded play with planted truth: what pictures show is made by hand, so offset and drift are known."""

import numpy as np
import pytest

from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.recording import Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.qa.alignment.check import check_alignment
from rushes.qa.alignment.measure import measure
from rushes.qa.alignment.measured import Measured, Offset
from rushes.qa.pictures.signs import BLOCKS, SIGN, Signs
from rushes.qa.rules import Limits
from rushes.qa.subject import Expected, Subject

NAN = float("nan")
FRAME_MS = 1000 / 30


class Planted(Recording):
    """Play of which only times and events are known."""

    def __init__(self, segments, events, time_source):
        self.info = SessionInfo(
            id="planted",
            game="Planted",
            source={"kind": "synthetic", "name": "planted"},
            time_source=time_source,
            streams=(StreamSpec("screen", "frames", "h264", width=320, height=180, rate_hz=30.0),),
            action_space=ActionSpace.from_names(["Space"]),
        )
        self.problems, self._events = (), events
        self.segments = tuple(
            Segment(n, int(t[0] * 1e6), int(t[-1] * 1e6) + 1, 0, len(t), "end") for n, t in enumerate(segments)
        )

    def events(self, segment=None):
        return self._events

    def index(self, segment=None):
        raise AssertionError("offsets are told by signs and events alone")

    steps = frames = pictures = index


def frames_ms(start, seconds, rng):
    return start + np.arange(0, seconds * 1000, FRAME_MS) + rng.uniform(0, 6, int(np.ceil(seconds * 1000 / FRAME_MS)))


def mouse(seconds, rng):
    """Bursts of motion at 125 Hz: (t_ms, dx)."""
    t_ms = np.arange(0, seconds * 1000, 8.0)
    speed = np.repeat(rng.normal(0, 6, len(t_ms) // 25 + 1) * (rng.random(len(t_ms) // 25 + 1) < 0.4), 25)[: len(t_ms)]
    return t_ms[speed != 0], np.round(speed[speed != 0])


def moved(t_ms, dx):
    return events_frame(
        (int(t * 1e6), "m", "Mouse", "move", NAN, NAN, NAN, x, 0.0, "") for t, x in zip(t_ms, dx, strict=True)
    )


def typed(t_ms, held_ms):
    edges = sorted([(t, "press") for t in t_ms] + [(t + h, "release") for t, h in zip(t_ms, held_ms, strict=True)])
    return events_frame((int(t * 1e6), "k", "Space", kind, NAN, NAN, NAN, NAN, NAN, "") for t, kind in edges)


def signs_of(segments, rng):
    rows = np.zeros(sum(map(len, segments)), SIGN)
    rows["t_ns"] = (np.concatenate(segments) * 1e6).astype(np.int64)
    rows["frame_index"], rows["readable"], rows["sure"] = np.arange(len(rows)), True, 0.8
    rows["segment"] = np.repeat(np.arange(len(segments)), [len(t) for t in segments])
    rows["blocks"] = rng.exponential(1.0, (len(rows), *BLOCKS))
    rows["change"] = rows["blocks"].mean(axis=(1, 2))
    return rows


def subject_of(segments, rows, events, time_source="measured", **more):
    subject = Subject(Planted(segments, events, time_source), **more)
    subject.signs = Signs(rows)
    return subject


def camera(offset_ms, *, seconds=40, drift_ppm=0.0, seed=0, gain=-0.3, segments=1, step_ms=0.0, **more):
    """Mouse motion that takes effect later by an offset that grows and, from segment to segment, steps."""
    rng = np.random.default_rng(seed)
    parts = [frames_ms(number * (seconds + 20) * 1000, seconds, rng) for number in range(segments)]
    t_ms, dx = mouse(segments * (seconds + 20), rng)
    middle = (parts[0][0] + parts[-1][-1]) / 2
    rows = signs_of(parts, rng)
    shift = []
    for number, part in enumerate(parts):
        effect = t_ms + offset_ms + number * step_ms + drift_ppm * 1e-6 * (t_ms - middle)
        went = np.append(0, np.cumsum(dx))[np.searchsorted(effect, part, "right")] * gain
        shift.append(np.diff(went, prepend=went[0]) + rng.normal(0, 0.15, len(went)))
    rows["shift"][:, 0] = np.concatenate(shift)
    return subject_of(parts, rows, moved(t_ms, dx), **more)


def keyed(offset_ms, *, seed=0, reacts=True, seconds=60, places=1):
    """Presses that light a block, one of so many in turn, in the first frame that can show them; others flicker."""
    rng = np.random.default_rng(seed)
    part = frames_ms(0, seconds, rng)
    pressed = np.cumsum(rng.uniform(300, 1400, 60))
    pressed = pressed[pressed < seconds * 1000 - 1500]
    rows = signs_of([part], rng)
    if reacts:
        place = 7 + np.arange(len(pressed)) % places
        rows["blocks"][np.searchsorted(part, pressed + offset_ms), 4, place] += 15 * places**2
    rows["blocks"][rng.integers(0, len(part), 200), 2, 3] += 15
    return subject_of([part], rows, typed(pressed, rng.uniform(60, 280, len(pressed))))


@pytest.mark.parametrize("offset_ms", [-180.0, 96.0])
def test_camera_motion_by_the_mouse_tells_the_offset_to_a_quarter_of_a_frame(offset_ms):
    offset = measure(camera(offset_ms, seed=int(offset_ms) % 7)).offset
    assert abs(offset.ms - offset_ms) < FRAME_MS / 4
    assert offset.half_width_ms < FRAME_MS
    assert offset.confidence > 0.99
    assert offset.frames == pytest.approx(offset.ms / FRAME_MS, rel=0.02)


@pytest.mark.parametrize("offset_ms", [-150.0, 60.0])
def test_a_block_that_lights_after_presses_tells_the_offset_without_a_half_frame_bias(offset_ms):
    offset = measure(keyed(offset_ms)).offset
    assert abs(offset.ms - offset_ms) < FRAME_MS / 4
    assert offset.low_ms < offset_ms < offset.high_ms
    assert offset.evidence["edges"] >= 50


@pytest.mark.parametrize("offset_ms", [-85.0, 50.0, 82.0, 115.0])
def test_a_figure_that_hops_from_place_to_place_tells_it_as_well(offset_ms):
    offset = measure(keyed(offset_ms, places=4, seed=3)).offset
    assert abs(offset.ms - offset_ms) < FRAME_MS / 4
    assert offset.low_ms < offset_ms < offset.high_ms


def test_drift_over_five_minutes_is_told_to_ten_ppm_and_held_against_its_limit():
    subject = camera(40.0, seconds=300, drift_ppm=120.0)
    offset = measure(subject).offset
    assert abs(offset.drift_ppm - 120) < 10
    assert offset.drift_low_ppm < 120 < offset.drift_high_ppm
    assert abs(offset.ms - 40) < 5
    assert [f.check for f in check_alignment(subject)] == ["alignment.drift"]
    assert abs(subject.figures["drift_ppm"] - 120) < 10


def test_nothing_is_claimed_where_nothing_follows_the_inputs():
    apart = camera(20.0, seed=4)
    apart.recording._events = camera(20.0, seed=5).recording._events
    for subject in (keyed(60.0, reacts=False), apart):
        offset = measure(subject).offset
        assert not offset.known
        assert "chance" in offset.reason
        assert [f.severity for f in check_alignment(subject)] == ["info"]


def test_without_inputs_it_says_so():
    subject = camera(20.0)
    subject.recording._events = events_frame()
    assert "nothing was pressed" in measure(subject).offset.reason


def test_an_offset_beyond_the_limit_is_a_finding_with_its_figures():
    subject = camera(190.0)
    (found,) = check_alignment(subject)
    assert (found.check, found.severity, found.limit) == ("alignment.offset", "warning", 150.0)
    assert abs(found.value - 190) < 8
    assert "190" in found.sentence or "189" in found.sentence or "191" in found.sentence
    assert subject.figures["offset_low_ms"] < 190 < subject.figures["offset_high_ms"]
    subject.limits = Limits({"alignment.offset": 250})
    assert not list(check_alignment(subject))


def test_the_games_own_latency_is_taken_off():
    offset = measure(camera(90.0, expected=Expected(game_latency_ms=50.0))).offset
    assert abs(offset.ms - 40) < 8
    assert offset.low_ms < 40 < offset.high_ms
    assert offset.game_latency_ms == 50


def test_segments_with_offsets_of_their_own_are_named():
    subject = camera(10.0, segments=2, step_ms=90.0)
    measured = subject.measured
    assert measured.segments_differ
    assert [abs(one.ms - true) < 8 for one, true in zip(measured.segments, (10, 100), strict=True)] == [True, True]
    assert "alignment.segments" in {f.check for f in check_alignment(subject)}
    assert measured.offset.drift_ppm is None, "a line through two offsets is no drift"
    alike = camera(10.0, segments=2).measured
    assert not alike.segments_differ
    assert abs(alike.offset.ms - 10) < 8


def test_a_drift_over_a_pause_is_not_two_offsets():
    subject = camera(10.0, segments=2, seconds=180, drift_ppm=200.0)
    first, second = subject.measured.segments
    assert second.ms - first.ms == pytest.approx(40, abs=6)  # 200 ppm over the 200 s between their middles
    assert not subject.measured.segments_differ
    assert abs(subject.measured.offset.drift_ppm - 200) < 20
    assert {f.check for f in check_alignment(subject)} == {"alignment.drift"}


@pytest.mark.parametrize(
    ("between", "ms", "said"),
    [
        ("input_sound", 200, "after the input"),
        ("input_sound", -200, "before the input"),
        ("sound_picture", 200, "before its picture"),
        ("sound_picture", -200, "after its picture"),
    ],
)
def test_sound_is_said_to_come_before_or_after(between, ms, said):
    subject = camera(20.0)
    offset = Offset(between, ms=ms, low_ms=ms - 5, high_ms=ms + 5)
    subject.__dict__["measured"] = Measured(Offset("input_picture", reason="still"), sounds=(("mic", offset),))
    (found,) = (f for f in check_alignment(subject) if f.check == "alignment.sound_offset")
    assert found.sentence.startswith(f"mic is heard 200 ms {said} ")


def test_times_that_nobody_measured_are_not_certified():
    found = list(check_alignment(camera(10.0, time_source="nominal")))
    assert [(f.check, f.severity) for f in found] == [("alignment.clock", "info")]


def test_a_person_who_answers_what_is_seen_is_not_taken_for_the_game():
    rng = np.random.default_rng(3)
    part = frames_ms(0, 120, rng)
    seen = np.cumsum(rng.uniform(500, 1600, 110))
    rows = signs_of([part], rng)
    rows["blocks"][np.searchsorted(part, seen), 4, 7] += 15
    pressed = seen[seen < part[-1] - 1500] + rng.normal(230, 25, int((seen < part[-1] - 1500).sum()))
    answers = subject_of([part], rows, typed(np.sort(pressed), rng.uniform(60, 200, len(pressed))))
    offset = measure(answers).offset
    assert not offset.known
    assert "answers" in offset.reason

"""The steered worlds plant what they say: every expected value is read off the pictures or reckoned by hand."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from rushes.capture.recorder import record
from rushes.capture.steered import SteeredBackend
from rushes.errors import BadNameError
from rushes.worlds.steered.motion import apart, bent, driven, held, since, turned
from rushes.worlds.steered.play import IDLE, KINDS, STEERED
from rushes.worlds.steered.world import Steered

FLASH = np.array((255, 230, 150))
SEEDS = {0: 60.0, 1: -120.0, 2: 0.0}


def shots(world):
    """Times of the shots that are far enough from each other to count, s."""
    found = []
    for event in world.play.events:
        if (
            event.control == "MouseLeft"
            and event.kind == "press"
            and (not found or event.t_ns / 1e9 > found[-1] + 0.17)
        ):
            found.append(event.t_ns / 1e9)
    return found


def flashes(picture):
    return np.abs(picture.astype(int) - FLASH).sum(axis=2).min() < 60


@pytest.mark.parametrize(("seed", "offset_ms"), SEEDS.items())
def test_a_shot_flashes_in_the_first_frame_that_was_grabbed_after_its_effect(seed, offset_ms):
    world = Steered(
        kind="keys_local",
        seconds=20.0,
        seed=seed,
        offset_ms=offset_ms,
        drift_ppm=2000.0,
        jitter_ms=3.0,
        drop_share=0.02,
    )
    grabbed, looked = world.ticks.grabbed_s, 0
    for shot in shots(world):
        effect = shot + offset_ms / 1e3 + 2000e-6 * (shot - 10.0)
        if not 0.2 < effect < 19.5:
            continue
        frame = int(np.flatnonzero(grabbed >= effect)[0])
        if grabbed[frame] - effect > 0.06:  # it is over already
            continue
        assert [flashes(world.picture(k)) for k in (frame - 1, frame)] == [False, True]
        looked += 1
    assert looked >= 4


def test_the_camera_shows_the_sum_of_what_has_taken_effect():
    world = Steered(kind="mouse_camera", seconds=8.0, seed=4, offset_ms=90.0)
    gain = world.play.turns[0]
    for frame in (30, 100, 200):
        t_s = frame / 30
        sum_x = sum(e.dx for e in world.play.events if e.t_ns / 1e9 + 0.090 <= t_s)
        assert world.states[frame].camera[0] == pytest.approx(gain * sum_x)


def test_pictures_move_against_the_camera():
    world = Steered(kind="mouse_camera", seconds=8.0, seed=5)
    steps = np.diff([state.camera[0] for state in world.states])
    frame = int(np.argmax((np.abs(steps) > 2) & (np.abs(steps) < 12)))
    before, after = (cv2.cvtColor(world.picture(k), cv2.COLOR_RGB2GRAY)[20:120, 40:280] for k in (frame, frame + 1))
    (dx, _), _ = cv2.phaseCorrelate(before.astype(np.float32), after.astype(np.float32))
    assert dx == pytest.approx(-steps[frame], abs=0.6)


def test_a_game_slower_than_the_grab_repeats_its_pictures_and_half_its_period_is_part_of_the_truth():
    world = Steered(kind="mixed", seconds=6.0, seed=1, offset_ms=40.0, screen_hz=20.0)
    index = world.recording().index()
    assert 0.2 < index["duplicate"].mean() < 0.45  # 20 new ones among 30
    assert world.true_ms == 65.0
    repeated = int(index.loc[index["duplicate"], "frame_index"].iloc[0])
    assert (world.picture(repeated) == world.picture(repeated - 1)).all()


def test_drift_is_reckoned_from_the_middle():
    world = Steered(seconds=100.0, offset_ms=10.0, drift_ppm=100.0)
    assert [world.true_ms_at(t * 1_000_000_000) for t in (0, 50, 100)] == pytest.approx([5.0, 10.0, 15.0])
    assert world.effect_s(np.array([0.0, 50.0])).tolist() == pytest.approx([0.005, 50.010])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_the_same_again_and_only_the_steered_ones_react(kind):
    one, two = (Steered(kind=kind, seconds=4.0, seed=9) for _ in range(2))
    assert (one.picture(60) == two.picture(60)).all()
    assert one.recording().events().equals(two.recording().events())
    assert one.reacts == (kind in STEERED)
    later = Steered(kind=kind, seconds=4.0, seed=9, offset_ms=150.0)
    differs = any((one.picture(k) != later.picture(k)).any() for k in range(0, 120, 7))
    assert differs == (kind in STEERED), "an offset changes what is seen exactly where inputs do"


@pytest.mark.parametrize("kind", STEERED)
def test_a_minute_holds_enough_to_tell(kind):
    world = Steered(kind=kind, seconds=60.0, seed=11)
    assert world.edges >= 50 or world.motion_s >= 10.0


def test_idle_kinds_say_that_nothing_is_to_be_told():
    assert [Steered(kind=kind, seconds=4.0).motion_s for kind in IDLE] == [0.0] * len(IDLE)


def test_a_written_session_is_the_recording_in_memory(tmp_path):
    world = Steered(
        kind="mixed", seconds=4.0, seed=2, jitter_ms=2.0, stamp_jitter_ms=1.0, drop_share=0.1, screen_hz=21.0
    )
    session, made = record(SteeredBackend(world), tmp_path / "take"), world.recording()
    assert session.index().drop(columns="late").equals(made.index().drop(columns="late"))
    assert session.events().equals(made.events())
    assert session.ledger["frames"].lost == made.ledger["frames"].lost
    off = [np.abs(a.astype(int) - b).mean() for a, b in zip(session.frames(0, 40), made.frames(0, 40), strict=True)]
    assert max(off) < 12


def test_an_unknown_kind_is_named_with_a_near_one():
    with pytest.raises(BadNameError, match="mouse_camera"):
        _ = Steered(kind="mouse_kamera").play


# --- the arithmetic ---


def test_a_speed_goes_on_until_the_next_one():
    times, speeds, at = [1.0, 2.0], np.array([[10.0], [0.0]]), np.array([0.5, 1.0, 1.5, 2.0, 9.0])
    assert driven(times, speeds, at).ravel().tolist() == [0.0, 0.0, 5.0, 10.0, 10.0]


def test_easing_follows_an_exponential_from_the_moment_of_the_input():
    at = np.array([0.9, 1.0, 1.5, 2.0])
    expected = [0.0, 0.0, 4 * (1 - np.exp(-1)), 4 * (1 - np.exp(-2))]
    assert turned([1.0], np.array([[4.0]]), at, ease_s=0.5).ravel() == pytest.approx(expected)
    gone = [0.0, 0.0, *(4 * (t - 0.5 * (1 - np.exp(-t / 0.5))) for t in (0.5, 1.0))]
    assert driven([1.0], np.array([[4.0]]), at, ease_s=0.5).ravel() == pytest.approx(gone)


def test_a_camera_does_not_turn_over():
    up = turned(
        [0.0, 1.0, 2.0], np.array([[0.0, 50.0], [0.0, 50.0], [0.0, -10.0]]), np.array([0.5, 1.5, 2.5]), bound=80.0
    )
    assert up[:, 1].tolist() == [50.0, 80.0, 70.0]


def test_keys_hops_and_dead_zones():
    assert held([1.0, 2.0], [True, False], np.array([0.5, 1.0, 1.9, 2.0])).tolist() == [False, True, True, False]
    assert since([1.0], np.array([0.0, 3.0])).tolist() == [np.inf, 2.0]
    assert apart([0.0, 0.3, 0.6], 0.5) == [0.0, 0.6]
    assert bent(np.array([[0.1, 0.0], [1.0, 0.0], [0.6, 0.0]]), dead=0.2, power=2.0)[:, 0].tolist() == pytest.approx(
        [0.0, 1.0, 0.25]
    )


def test_pauses_make_segments_with_offsets_of_their_own(tmp_path):
    world = Steered(
        kind="keys_local", seconds=12.0, seed=3, offset_ms=40.0, pauses=2, jump_ms=30.0, drop_share=0.1, size=(90, 160)
    )
    made, session = world.recording(), record(SteeredBackend(world), tmp_path / "take")
    assert [world.true_ms_at(t * 1_000_000_000) for t in (1, 6, 11)] == [40.0, 70.0, 100.0]
    assert [(s.start_ns // 1_000_000_000, s.end_ns // 1_000_000_000) for s in made.segments] == [
        (0, 3),
        (5, 7),
        (9, 12),
    ]
    assert made.segments == tuple(replace(s, attrs={}, wall_ns=None) for s in session.segments)
    assert made.ledger["frames"].lost == session.ledger["frames"].lost
    for number in range(3):
        own = ["late", "picture"]  # pictures are numbered anew in every chunk
        assert made.index(number).drop(columns=own).equals(session.index(number).drop(columns=own))
        assert made.events(number).equals(session.events(number))

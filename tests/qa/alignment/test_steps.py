"""Emulator play with its actions moved by whole steps: the shift is found; where there is none to find it says so."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rushes.capture.env.sample import sample
from rushes.model.actions import ActionSpace
from rushes.model.session import Segment
from rushes.qa.alignment.steps import measure_steps
from rushes.qa.subject import Subject

STEP_NS = 66_666_667
BUTTONS = ActionSpace.discrete(["NOOP", "RIGHT", "LEFT"], world="ALE")
STICK = ActionSpace.box([-1.0], [1.0])


def table(actions, first, segment):
    """Steps as far as measuring looks at them."""
    return pd.DataFrame({"frame_index": first + np.arange(len(actions)), "segment": segment, "action": list(actions)})


def world(rng, moves, *, latency=0):
    """Pictures of a paddle that moves as it is told, on a background that flickers, beside a ball that flies alone."""
    paddle, ball, pictures = 40.0, np.array([10.0, 20.0]), []
    for step in range(len(moves) + 1):
        picture = np.full((105, 80, 3), 30 + 20 * (step % 2), np.uint8)
        picture[90:94, round(paddle) : round(paddle) + 8] = 220
        ball = (ball + rng.integers(-3, 4, 2)) % 70
        picture[round(ball[1]) : round(ball[1]) + 3, round(ball[0]) : round(ball[0]) + 3] = 200
        pictures.append(picture)
        done = step - latency
        if 0 <= done < len(moves):
            paddle = float(np.clip(paddle + 2 * moves[done], 0, 70))
    return pictures


def play(actions, pictures, space=BUTTONS, game_latency_ms=None):
    """A subject of episodes: what is stored as done, and the pictures of each."""
    segments, parts, first = [], [], 0
    for number, (done, shown) in enumerate(zip(actions, pictures, strict=True)):
        start = first * STEP_NS
        segments.append(Segment(number, start, start + len(done) * STEP_NS, first, len(shown), "terminated"))
        parts.append(table(done, first, number))
        first += len(shown)
    every = [picture for shown in pictures for picture in shown]
    index = pd.DataFrame(
        {"t_ns": np.arange(first) * STEP_NS, "segment": np.repeat(np.arange(len(pictures)), [len(p) for p in pictures])}
    )
    steps = pd.concat(parts, ignore_index=True)
    recording = SimpleNamespace(
        info=SimpleNamespace(action_space=space), segments=tuple(segments), index=lambda _=None: index,
        steps=lambda s=None: steps if s is None else steps[steps["segment"] == s], frames=lambda a, b: iter(every[a:b]),
    )  # fmt: skip
    return Subject(recording, expected=SimpleNamespace(game_latency_ms=game_latency_ms))


def stored(done, shift):
    """Actions as they are stored when the one that is stored at k was done at k + shift."""
    return done[np.clip(np.arange(len(done)) + shift, 0, len(done) - 1)]


def held(rng, count):
    """Actions that are held for a few steps, as hands do."""
    return np.repeat(rng.integers(0, 3, count), rng.integers(1, 6, count))[:count]


def way(actions):
    """+1 for RIGHT, -1 for LEFT."""
    return np.array([0, 1, -1])[actions]


@pytest.mark.parametrize(("shift", "latency"), [(-3, 0), (0, 1), (2, 0)])
def test_whole_steps_are_found_with_the_latency_of_the_game_in_them(shift, latency):
    rng = np.random.default_rng(shift + 10)
    done = held(rng, 300)
    offset, (segment,) = measure_steps(play([stored(done, shift)], [world(rng, way(done), latency=latency)]))
    assert (offset.frames, segment.frames, segment.segment) == (shift + latency, shift + latency, 0)
    assert offset.ms == pytest.approx((shift + latency) * 66.667, abs=0.01)
    assert offset.low_ms == offset.ms == offset.high_ms
    assert offset.confidence > 0.99
    assert offset.curve.lag_ms[offset.curve.score.argmax()] == pytest.approx(offset.ms)


def test_each_episode_has_an_offset_of_its_own():
    rng = np.random.default_rng(3)
    done = [held(rng, 300), held(rng, 300), held(rng, 20)]
    subject = play([stored(done[0], 0), stored(done[1], 2), done[2]], [world(rng, way(d)) for d in done])
    _, (first, second, short) = measure_steps(subject)
    assert (first.frames, second.frames, short.frames) == (0, 2, None)
    assert "fewer than 60 steps" in short.reason


def test_a_stick_of_numbers_is_found_too():
    rng = np.random.default_rng(4)
    done = rng.uniform(-1, 1, 300)
    offset, _ = measure_steps(play([[[x] for x in stored(done, 1)]], [world(rng, 2 * done)], space=STICK))
    assert offset.frames == 1


def test_a_known_latency_of_the_game_is_taken_off():
    rng = np.random.default_rng(5)
    done = held(rng, 300)
    subject = play([done], [world(rng, way(done), latency=1)], game_latency_ms=66.666667)
    offset, _ = measure_steps(subject)
    assert offset.frames == pytest.approx(0, abs=1e-6)
    assert offset.game_latency_ms == pytest.approx(66.667, abs=0.001)


def test_actions_of_another_play_are_told_nothing_of():
    rng = np.random.default_rng(2)
    offset, _ = measure_steps(play([held(rng, 300)], [world(rng, way(held(rng, 300)))]))
    assert offset.frames is None
    assert "no lag" in offset.reason


def test_still_pictures_and_idle_hands_say_nothing():
    rng = np.random.default_rng(6)
    done, still = held(rng, 200), [np.zeros((105, 80, 3), np.uint8)] * 201
    assert measure_steps(play([done], [still]))[0].reason == "nothing moves"
    idle = np.zeros(200, int)
    assert measure_steps(play([idle], [world(rng, idle)]))[0].reason == "the same was done all the time"


@pytest.fixture(scope="module")
def alien(tmp_path_factory):
    """A short session of an emulator, all in one episode."""
    out = tmp_path_factory.mktemp("alien") / "s"
    return sample(out, "Alien", frames_per_env=200, max_episodes=1, policy="uniform", seed=11, workers=1).sessions[0]


class Late:
    """The session with its actions stored `shift` steps too early."""

    def __init__(self, recording, shift):
        self._recording, self._shift = recording, shift

    def __getattr__(self, name):
        return getattr(self._recording, name)

    def steps(self, segment=None):
        """Give the steps with other actions."""
        steps = self._recording.steps(segment).copy()
        steps["action"] = stored(steps["action"].to_numpy(), self._shift)
        return steps


@pytest.mark.parametrize("shift", [-1, 2])
def test_an_emulator_that_plays_again_says_the_shift_exactly(alien, shift):
    offset, _ = measure_steps(Subject(Late(alien, shift)))
    assert (offset.frames, offset.confidence) == (shift, 1.0)
    assert offset.evidence["replayed_steps"] >= 197


def test_pictures_and_actions_alone_say_the_same_of_it(alien):
    offset, _ = measure_steps(Subject(Late(alien, -2)), replay=False)
    assert offset.frames == -2
    assert "replayed_steps" not in offset.evidence


def test_an_emulator_that_plays_again_and_whose_actions_move_nothing_leaves_no_room_for_guesses(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "asleep.py").write_text("def still(moment):\n    return 0\n")
    how = {"policy": "asleep:still", "randomness": 0.0, "workers": 1}
    played = sample(tmp_path / "s", "Pong", frames_per_env=80, max_episodes=1, **how)
    offset, (segment,) = measure_steps(Subject(played.sessions[0]))
    assert not offset.known
    assert "gives its pictures" in offset.reason
    assert segment.evidence == {"replayed_steps": 79.0}

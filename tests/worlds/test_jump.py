"""The jump world: its rules by hand, courses that can be survived, pictures that are never equal, and its expert."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rushes.capture.env.sample import sample
from rushes.errors import BadInputError
from rushes.worlds.catalog import make_world, resolve_games
from rushes.worlds.jump import JUMP, NOOP, JumpEnv, Obstacle, easiest_leap, flight
from rushes.worlds.jump_expert import Expert, game_of

EXPERT = "rushes.worlds.jump_expert:Expert"


def game(*obstacles, seed=0):
    """A game with a course of our own; the last obstacle is out of sight."""
    env = JumpEnv("rgb_array")
    env.reset(seed=seed)
    env.course = (*obstacles, Obstacle(100_000, 6, 8))
    return env


def heights(env, actions):
    return [env.step(action) and round(env.height_px, 6) for action in actions]


def test_a_tap_rises_three_px_and_falls_by_six_tenths_more_each_frame():
    by_hand = [3.0, 5.4, 7.2, 8.4, 9.0, 9.0, 8.4, 7.2, 5.4, 3.0, 0.0]
    env = game()
    assert heights(env, [JUMP, *[NOOP] * 10]) == by_hand
    assert env.standing
    assert [round(h, 6) for h in flight(1)] == by_hand


def test_the_key_lifts_for_as_long_as_it_is_held_and_for_twelve_frames_at_the_most():
    env = game()
    assert heights(env, [JUMP] * 14) == [*range(3, 37, 3), 38.4, 40.2]
    assert heights(game(), [JUMP] * 4 + [NOOP]) == [3, 6, 9, 12, 14.4]


def test_once_let_go_the_key_lifts_no_more_in_the_air():
    assert heights(game(), [JUMP, NOOP, JUMP]) == [3.0, 5.4, 7.2]


def test_a_key_that_stays_down_begins_no_second_jump_and_a_new_press_does():
    env = game()
    heights(env, [JUMP] * 40)
    assert env.standing
    assert heights(env, [JUMP, NOOP, JUMP]) == [0, 0, 3]


def test_who_does_not_jump_crashes_at_the_obstacle_and_gets_nothing_for_it():
    env = game(Obstacle(42 + 12, 6, 8))  # twelve px before the runner: three frames
    assert [env.step(NOOP)[1:3] for _ in range(4)] == [(1.0, False)] * 3 + [(0.0, True)]


@pytest.mark.parametrize(("hold", "crashes"), [(3, True), (10, False)])
def test_a_high_obstacle_asks_for_a_long_hold(hold, crashes):
    env = game(Obstacle(42 + 50, 6, 28))
    ended = [env.step(JUMP if k < hold else NOOP)[2] for k in range(30)]
    assert any(ended) is crashes


def test_the_easiest_jump_forgives_three_frames_and_higher_obstacles_ask_for_longer_holds():
    for width in (6, 12, 18):
        holds = [easiest_leap(width, height).hold for height in (8, 12, 16, 20, 24, 28)]
        assert holds == sorted(set(holds)), "each height has a hold of its own"
        for height in (8, 28):
            leap = easiest_leap(width, height)
            for late in (-3, 0, 3):
                env = game(Obstacle(42 + leap.distance_px - 4 * late, width, height))
                assert not any(env.step(JUMP if k < leap.hold else NOOP)[2] for k in range(leap.frames))


def test_every_course_can_be_survived_by_the_expert():
    for seed in range(12):
        env, expert, rng = JumpEnv(), Expert(), np.random.default_rng(seed)
        env.reset(seed=seed)
        assert not any(env.step(expert.act(env, rng))[2] for _ in range(900))


def test_no_two_pictures_of_an_episode_are_equal_even_when_they_are_small():
    import cv2

    env, expert, rng = JumpEnv(), Expert(), np.random.default_rng(0)
    env.reset(seed=5)
    whole = [env.step(expert.act(env, rng))[0] for _ in range(1500)]
    assert len({cv2.resize(one, (64, 64), interpolation=cv2.INTER_AREA).tobytes() for one in whole}) == 1500


def test_everything_follows_from_the_seed():
    def pictures(seed):
        env = JumpEnv("rgb_array")
        first = env.reset(seed=seed)[0]
        return [first, *(env.step(k % 20 > 15)[0] for k in range(40))]

    assert all((a == b).all() for a, b in zip(pictures(3), pictures(3), strict=True))
    assert (pictures(3)[0] != pictures(4)[0]).any()


def test_gymnasium_finds_it_and_has_no_complaint():
    resolve_games("Jump")
    env = gymnasium.make("rushes/Jump-v0", render_mode="rgb_array")
    check_env(env.unwrapped)
    assert env.spec.max_episode_steps == 3600
    env.reset(seed=0)
    assert (env.render() == env.unwrapped.render_picture()).all()


def test_its_name_in_any_case_leads_to_it_and_its_actions_have_names():
    assert resolve_games("jump, Pong, rushes/Jump-v0") == ("rushes/Jump-v0", "ALE/Pong-v5")
    world = make_world("rushes/Jump-v0")
    assert world.action_space.names == ("Jump/NOOP", "Jump/JUMP")
    assert (world.game, world.rate_hz, world.time_source, world.size) == ("Jump", 30.0, "nominal", (96, 160))


def test_the_experts_sessions_come_by_the_usual_way_and_are_the_same_each_time(tmp_path):
    for folder in ("a", "b"):
        sample(tmp_path / folder, "Jump", frames_per_env=160, max_episodes=2, randomness=0.0, policy=EXPERT, workers=1)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert files
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)


def test_the_expert_holds_as_long_as_the_obstacle_asks_for_and_says_where_he_cannot_play(tmp_path):
    obstacle = Obstacle(42 + 200, 12, 20)
    env, expert, rng = game(obstacle), Expert(), np.random.default_rng(0)
    done = []
    for _ in range(70):
        done.append(expert.act(env, rng))
        env.step(done[-1])
    assert sum(done) == easiest_leap(12, 20).hold
    first = done.index(JUMP)
    assert abs((200 - 4 * first) - easiest_leap(12, 20).distance_px) <= 4, "at most a frame early or late"
    with pytest.raises(BadInputError, match="sample Jump"):
        game_of(make_world("CartPole-v1"))

"""The Atari world against plain Gymnasium, which is the truth here."""

import ale_py
import gymnasium
import numpy as np
import pytest

from rushes.errors import BadNameError
from rushes.worlds.atari import Atari, atari_ids
from rushes.worlds.palettes import NTSC, PAL

gymnasium.register_envs(ale_py)
SOME = ("ALE/Alien-v5", "ALE/Pacman-v5", "ALE/Solaris-v5", "ALE/Berzerk-v5", "ALE/Pong-v5", "ALE/AirRaid-v5")
"""An ordinary game, a PAL one, two that do not come back from a saved state, a fast one, one with odd colours."""


def pytest_generate_tests(metafunc):
    if "env_id" in metafunc.fixturenames:
        metafunc.parametrize("env_id", atari_ids() if metafunc.config.getoption("--full") else SOME)


def plain(env_id, seed, actions, **kwargs):
    """Frames, rewards and ends from plain Gymnasium."""
    kwargs = {"frameskip": 4, "repeat_action_probability": 0.0, "full_action_space": False, **kwargs}
    env = gymnasium.make(env_id, **kwargs)
    observation, _ = env.reset(seed=seed)
    yield observation, None
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        yield observation, (reward, terminated, truncated, info["lives"])
        if terminated or truncated:
            return


def drawn(world, count, seed=0):
    return np.random.default_rng(seed).integers(len(world.action_space), size=count).tolist()


def test_every_registered_v5_environment_is_there():
    assert len(atari_ids()) == 104
    assert set(atari_ids()) == {i for i in gymnasium.registry if i.startswith("ALE/") and i.endswith("-v5")}


def test_play_is_that_of_plain_gymnasium_picture_by_picture(env_id):
    """The second episode begins by the quick way; both must be what reset(seed) and step(action) give."""
    world = Atari(env_id)
    for seed in (3, 4):
        actions = drawn(world, 120, seed)
        world.reset(seed)
        for number, (observation, outcome) in enumerate(plain(env_id, seed, actions)):
            if outcome is not None:
                assert tuple(world.act(actions[number - 1])) == outcome
            assert (world.rgb() == observation).all(), f"frame {number}"
            pixels, palette = world.screen()
            assert (palette[pixels] == observation).all(), f"palette of frame {number}"


def test_sticky_actions_and_the_full_action_space_are_gymnasiums_own():
    world = Atari("ALE/Breakout-v5", sticky=0.25, full_action_space=True, frameskip=3)
    assert len(world.action_space) == 18
    actions = drawn(world, 200)
    made = {"repeat_action_probability": 0.25, "full_action_space": True, "frameskip": 3}
    for seed in (11, 12):
        world.reset(seed)
        for number, (observation, outcome) in enumerate(plain("ALE/Breakout-v5", seed, actions, **made)):
            if outcome is not None:
                assert tuple(world.act(actions[number - 1])) == outcome
            assert (world.rgb() == observation).all()


def test_a_saved_state_comes_back_with_its_picture_its_future_and_its_chance():
    world = Atari("ALE/Seaquest-v5", sticky=0.25)
    world.reset(1)
    actions = drawn(world, 90)
    for action in actions[:30]:
        world.act(action)
    picture, state = world.rgb().copy(), world.save()
    future = [(world.act(a), world.rgb().tobytes()) for a in actions[30:]]
    world.restore(state)
    assert (world.rgb() == picture).all()
    assert (world.screen().palette[world.screen().pixels] == picture).all()
    assert [(world.act(a), world.rgb().tobytes()) for a in actions[30:]] == future


def test_pal_games_get_the_pal_colours():
    assert Atari("ALE/Pacman-v5")._palette is PAL
    assert Atari("ALE/Alien-v5")._palette is NTSC


def test_an_unknown_game_names_the_nearest():
    with pytest.raises(BadNameError, match="'ALE/Breakout-v5'"):
        Atari("ALE/Braekout-v5")

"""The contract of policies, over every row of the table."""

import numpy as np
import pytest

from rushes.capture.env.policies import POLICIES, Moment, choose, make_policy
from rushes.worlds.catalog import make_world


@pytest.fixture(params=list(POLICIES))
def policy(request):
    return request.param


@pytest.fixture(scope="module", params=["ALE/Pong-v5", "ALE/Seaquest-v5"])
def world(request):
    made = make_world(request.param)
    yield made
    made.close()


def play(name, world, seed, steps=12):
    world.reset(3)
    policy, rng, actions = make_policy(name), np.random.default_rng(seed), []
    for step in range(steps):
        actions.append(choose(policy, Moment(world, step, rng)))
        world.act(actions[-1])
    return actions


def test_its_actions_are_actions_of_the_world(policy, world):
    actions = play(policy, world, 0)
    assert all(type(a) is int and 0 <= a < len(world.action_space) for a in actions)


def test_the_same_seed_plays_the_same_game(policy, world):
    assert play(policy, world, 5) == play(policy, world, 5)


def test_it_leaves_the_world_as_it_found_it(policy, world):
    world.reset(3)
    world.act(0)
    chosen, rng = make_policy(policy), np.random.default_rng(0)
    before = world.rgb().copy()
    choose(chosen, Moment(world, 0, rng))
    assert (world.rgb() == before).all()
    after = [world.act(1) for _ in range(5)], world.rgb().copy()
    world.reset(3)
    world.act(0)
    untouched = [world.act(1) for _ in range(5)], world.rgb().copy()
    assert after[0] == untouched[0]
    assert (after[1] == untouched[1]).all()


def test_two_episodes_share_nothing(policy, world):
    first = play(policy, world, 5)
    play(policy, world, 6)
    assert play(policy, world, 5) == first


def test_it_has_a_line_for_the_readme(policy):
    assert POLICIES[policy].summary

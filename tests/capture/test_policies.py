"""Policies: what each of them promises, what `choose` refuses, and how a policy is found by its name."""

import sys
from collections import Counter
from itertools import groupby

import numpy as np
import pytest

from rushes.capture.env.lookahead import Lookahead
from rushes.capture.env.policies import POLICIES, Moment, Persistent, Uniform, choose, make_policy
from rushes.errors import BadInputError, BadNameError, UnavailableError
from rushes.model.actions import ActionSpace
from rushes.worlds.atari import Atari
from rushes.worlds.base import Outcome, Restorable, Screen, World

NAN, INF = float("nan"), float("inf")


class Corridor:
    """Ten places in a row: a life is lost at the left end, a point made at the right end; over after `length` steps."""

    env_id, game, time_source, frameskip, rate_hz, size, indexed = (
        "Corridor-v0",
        "Corridor",
        "nominal",
        1,
        30.0,
        (4, 10),
        False,
    )
    action_space = ActionSpace.discrete(["STAY", "LEFT", "RIGHT"], world="Corridor")

    def __init__(self, *, length=60, point=1.0):
        self.length, self.point, self.acts = length, point, 0
        self.attrs = {}
        self.reset(0)

    def reset(self, seed):
        self.chance = np.random.default_rng(seed)
        self.place, self.lives, self.time = 5, 3, 0
        return self.lives

    def act(self, action):
        self.acts += 1
        self.time += 1
        self.place += (0, -1, 1)[action] * int(self.chance.integers(1, 3))  # one or two places
        lost, won = self.place <= 0, self.place >= 9
        self.lives -= lost
        if lost or won:
            self.place = 5
        return Outcome(self.point * won, self.lives == 0 or self.time >= self.length, False, self.lives)

    def rgb(self):
        picture = np.zeros((*self.size, 3), np.uint8)
        picture[0, self.place], picture[1, self.lives], picture[2:, :, 0] = 255, 255, self.time
        return picture

    def screen(self):
        return Screen(self.rgb(), None)

    def random_action(self, rng):
        return int(rng.integers(3))

    def close(self):
        pass

    def state(self):
        return (self.place, self.lives, self.time, str(self.chance.bit_generator.state))


class Saving(Corridor):
    def save(self):
        return self.place, self.lives, self.time, self.chance.bit_generator.state

    def restore(self, state):
        self.place, self.lives, self.time, self.chance.bit_generator.state = state


class Steering(Corridor):
    """Takes a vector: two numbers with limits and one without."""

    action_space = ActionSpace.box([-1.0, 0.0, -np.inf], [1.0, 0.5, np.inf])

    def random_action(self, rng):
        return [float(v) for v in rng.uniform([-1, 0, -1], [1, 0.5, 1])]


def played(world, policy, steps, *, seed=0, stream=0):
    """Actions, pictures and outcomes of one episode."""
    rng = np.random.default_rng(stream)
    world.reset(seed)
    actions, looks, outcomes = [], [], []
    for step in range(steps):
        actions.append(choose(policy, Moment(world, step, rng)))
        looks.append(world.screen().pixels.tobytes())
        outcomes.append(world.act(actions[-1]))
        if outcomes[-1].terminated or outcomes[-1].truncated:
            break
    return actions, looks, outcomes


def answered(world, answer):
    """What `choose` makes of a policy's answer."""
    return choose(lambda _: answer, Moment(world, 7, np.random.default_rng(0)))


def score(outcomes):
    return sum(outcome.reward for outcome in outcomes)


def complete(error):
    """Whether an error says what was given, what is accepted and what to do."""
    return bool(error.given and error.accepts and error.fix)


def test_the_worlds_of_this_test_are_worlds():
    assert isinstance(Corridor(), World)
    assert isinstance(Saving(), Restorable)
    assert not isinstance(Corridor(), Restorable)


# --- uniform and persistent ---------------------------------------------------------------------------------------


def test_uniform_takes_every_action_equally_often():
    world, rng, policy = Corridor(), np.random.default_rng(1), Uniform()
    counts = Counter(policy(Moment(world, step, rng)) for step in range(9000))
    assert sorted(counts) == [0, 1, 2]
    assert all(abs(count - 3000) < 5 * (9000 * 2 / 9) ** 0.5 for count in counts.values())


@pytest.mark.parametrize("mean_steps", [1, 2.5, 8, 30])
def test_persistent_holds_as_long_as_it_says_on_average_and_then_changes(mean_steps):
    world, rng, policy = Corridor(), np.random.default_rng(2), Persistent(mean_steps=mean_steps)
    actions = [policy(Moment(world, step, rng)) for step in range(30_000)]
    holds = np.array([len(list(run)) for _, run in groupby(actions)])[:-1]
    assert abs(holds.mean() - mean_steps) < 5 * holds.std() / len(holds) ** 0.5 + 0.02 * mean_steps  # whole steps
    assert set(actions) == {0, 1, 2}
    assert (holds.std() > 0) == (mean_steps > 1)


@pytest.mark.parametrize("mean_steps", [0, 0.5, -1, float("nan"), float("inf"), True])
def test_persistent_refuses_a_mean_below_one_step(mean_steps):
    with pytest.raises(BadInputError) as caught:
        Persistent(mean_steps=mean_steps)
    assert complete(caught.value)


@pytest.mark.parametrize("name", ["uniform", "persistent"])
def test_the_same_random_numbers_give_the_same_actions(name):
    first, again, other = (played(Corridor(), make_policy(name), 60, stream=s)[0] for s in (4, 4, 5))
    assert first == again != other


@pytest.mark.parametrize("name", ["uniform", "persistent"])
def test_vectors_stay_within_their_limits(name):
    world, rng, policy = Steering(), np.random.default_rng(3), make_policy(name)
    vectors = np.array([choose(policy, Moment(world, step, rng)) for step in range(300)])
    assert vectors.shape == (300, 3)
    assert (vectors >= [-1, 0, -1]).all()
    assert (vectors <= [1, 0.5, 1]).all()
    different = len(np.unique(vectors, axis=0))
    assert different == 300 if name == "uniform" else 10 < different < 100


# --- choose -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [-1, 3, np.int64(3), True, np.True_, 1.0, np.float32(1), float("nan"), "1", None, [1]]
)
def test_an_answer_that_is_no_action_is_refused_with_what_is_accepted(answer):
    with pytest.raises(BadInputError, match="step 7") as caught:
        answered(Corridor(), answer)
    assert complete(caught.value)
    assert repr(answer) in caught.value.given
    assert "0 to 2" in caught.value.accepts


@pytest.mark.parametrize("answer", [2, np.int64(2), np.uint8(2)])
def test_a_whole_number_in_range_becomes_an_int(answer):
    action = answered(Corridor(), answer)
    assert action == 2
    assert type(action) is int


@pytest.mark.parametrize(
    "answer",
    [
        [0, 0],
        [0, 0, 0, 0],
        [NAN, 0, 0],
        [0, 0, INF],
        [1.01, 0, 0],
        [0, -0.01, 0],
        0,
        None,
        "abc",
        [True] * 3,
        [[0], [0, 0]],
    ],
)
def test_a_vector_that_is_no_action_is_refused_with_what_is_accepted(answer):
    with pytest.raises(BadInputError) as caught:
        answered(Steering(), answer)
    assert complete(caught.value)
    assert "3 finite numbers" in caught.value.accepts


@pytest.mark.parametrize("answer", [[1, 0.5, -99], (1.0, 0.5, -99.0), np.array([[1, 0.5, -99]], np.float32)])
def test_a_vector_within_limits_becomes_a_list_of_floats(answer):
    action = answered(Steering(), answer)
    assert action == [1.0, 0.5, -99.0]
    assert {type(value) for value in action} == {float}


def test_a_moment_shows_the_picture_and_the_actions():
    moment = Moment(Corridor(), 0, np.random.default_rng(0))
    assert moment.action_count == 3
    assert moment.action_names == ("Corridor/STAY", "Corridor/LEFT", "Corridor/RIGHT")
    assert moment.rgb().shape == (4, 10, 3)


# --- names --------------------------------------------------------------------------------------------------------

OWN = """
def right(moment):
    return 2

class Counting:
    def __init__(self):
        self.calls = 0
    def __call__(self, moment):
        self.calls += 1
        return self.calls % 3

def counting():
    return Counting()

class Demanding:
    def __init__(self, size):
        self.size = size

ready = Counting()
number = 3
def nothing():
    return None
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's own, on the path for one test."""
    (tmp_path / "own_policies.py").write_text(OWN)
    (tmp_path / "own_broken.py").write_text("import no_such_library_here\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_policies", None)


@pytest.mark.parametrize("name", POLICIES)
def test_every_row_of_the_table_makes_a_new_policy_an_episode(name):
    assert callable(make_policy(name))
    assert make_policy(name) is not make_policy(name)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "actions"),
    [("right", [2, 2]), ("Counting", [1, 2]), ("counting", [1, 2]), ("ready", [1, 2])],
)
def test_a_function_of_ones_own_is_called_and_a_class_or_factory_makes_one_an_episode(name, actions):
    for _ in range(2 if name != "ready" else 1):
        assert played(Corridor(), make_policy(f"own_policies:{name}"), 2)[0] == actions


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("lookahed", BadNameError, "did you mean 'lookahead'"),
        ("", BadNameError, "take a name"),
        ("own_policies", BadNameError, "module:function"),
        ("own_policies:", BadNameError, "module:function"),
        (":right", BadNameError, "module:function"),
        ("own_policy:right", BadNameError, "did you mean 'own_policies'"),
        ("rushes.capture.env.policie:Uniform", BadNameError, "did you mean 'rushes.capture.env.policies'"),
        ("no.such.place:right", BadNameError, "PYTHONPATH"),
        ("own_policies:rihgt", BadNameError, "did you mean 'right'"),
        ("own_policies:number", BadInputError, "type int"),
        ("own_policies:nothing", BadInputError, "NoneType"),
        ("own_policies:Demanding", BadInputError, "'size'"),
        ("own_broken:right", UnavailableError, "no_such_library_here"),
    ],
)
def test_a_name_that_leads_nowhere_says_why_and_what_is_near(name, error, hint):
    with pytest.raises(error) as caught:
        make_policy(name)
    assert complete(caught.value)
    assert hint in str(caught.value)


# --- lookahead ----------------------------------------------------------------------------------------------------


def test_lookahead_makes_points_and_loses_no_life():
    _, _, outcomes = played(Saving(), Lookahead(budget=100, horizon=20), 60)
    assert score(outcomes) >= 10  # a point takes two to four steps
    assert outcomes[-1].lives == 3


def test_lookahead_plays_to_the_end_of_the_episode():
    _, _, outcomes = played(Saving(length=25), Lookahead(budget=100), 60)
    assert len(outcomes) == 25
    assert outcomes[-1].terminated


def test_lookahead_finds_its_way_after_chance_acted_in_its_place():
    world, policy, rng = Saving(length=200), Lookahead(budget=100, horizon=20), np.random.default_rng(0)
    total = 0.0
    for step in range(150):
        action = choose(policy, Moment(world, step, rng))
        total += world.act(1 if step % 5 == 0 else action).reward  # every fifth step goes left
    assert total >= 15


def test_lookahead_moves_about_where_there_is_nothing_to_win():
    actions, _, _ = played(Saving(length=300, point=0.0), Lookahead(budget=60), 200)
    assert set(actions) == {0, 1, 2}
    holds = [len(list(run)) for _, run in groupby(actions)]
    assert 2 < np.mean(holds) < 30


def test_lookahead_leaves_the_world_as_it_was_and_keeps_its_budget():
    world, policy, rng = Saving(), Lookahead(budget=50), np.random.default_rng(0)
    for step in range(20):
        before, acts = world.state(), world.acts
        action = choose(policy, Moment(world, step, rng))
        assert world.state() == before
        assert 2 < world.acts - acts <= 50
        world.act(action)


def test_lookahead_leaves_the_world_as_it_was_when_a_rollout_fails():
    class Failing(Saving):
        def act(self, action):
            if self.time > 6:
                raise RuntimeError
            return super().act(action)

    world = Failing()
    before = world.state()
    with pytest.raises(RuntimeError):
        Lookahead()(Moment(world, 0, np.random.default_rng(0)))
    assert world.state() == before


def test_the_same_play_comes_from_the_same_random_numbers_in_a_used_policy_too():
    world, used = Saving(), Lookahead(budget=40)
    first = played(world, used, 30)
    assert first == played(world, used, 30) == played(Saving(), Lookahead(budget=40), 30)
    assert first[0] != played(Saving(), Lookahead(budget=40), 30, stream=1)[0]


def test_lookahead_says_what_to_do_on_a_world_that_cannot_be_saved():
    with pytest.raises(BadInputError, match="Corridor-v0") as caught:
        Lookahead()(Moment(Corridor(), 0, np.random.default_rng(0)))
    assert complete(caught.value)
    assert "'uniform'" in caught.value.fix


@pytest.mark.parametrize("values", [{"budget": 0}, {"budget": True}, {"horizon": 1.5}])
def test_lookahead_refuses_a_budget_that_is_no_number_of_frames(values):
    with pytest.raises(BadInputError) as caught:
        Lookahead(**values)
    assert complete(caught.value)


@pytest.mark.parametrize(
    ("env_id", "sticky"),
    [("ALE/Breakout-v5", 0.0), ("ALE/Breakout-v5", 0.25), ("ALE/TicTacToe3D-v5", 0.0), ("ALE/Berzerk-v5", 0.0)],
)
def test_looking_ahead_changes_nothing_in_the_emulator(env_id, sticky):
    """The same actions give the same pictures and rewards without a policy.

    Two of the games go on differently when a state is put back, and with sticky actions all of them do.
    """
    actions, looks, outcomes = played(Atari(env_id, sticky=sticky), Lookahead(budget=80), 30, seed=3)
    chosen = iter(actions)
    bare = played(Atari(env_id, sticky=sticky), lambda _: next(chosen), 30, seed=3)
    assert bare == (actions, looks, outcomes)


def test_lookahead_plays_a_game_twice_in_the_same_way():
    first, again = (played(Atari("ALE/Pong-v5"), Lookahead(budget=60), 25, stream=7) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(("env_id", "steps"), [("ALE/Alien-v5", 60), ("ALE/Seaquest-v5", 120)])
def test_lookahead_scores_higher_than_uniform(env_id, steps):
    """Few decisions, a small budget, and seeds that are neither the benchmark's nor those it was tuned on."""
    world = Atari(env_id)
    ahead = sum(score(played(world, Lookahead(budget=120), steps, stream=s)[2]) for s in (51, 52))
    chance = sum(score(played(world, Uniform(), steps, stream=s)[2]) for s in (51, 52))
    assert ahead > 1.5 * chance

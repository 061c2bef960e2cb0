"""Other Gymnasium environments: the same play as plain Gymnasium, all common kinds of actions."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from rushes.errors import BadInputError, UnavailableError
from rushes.worlds.gymnasium import GymnasiumWorld


class Panel(gymnasium.Env):
    """A world of ours with any action space: its picture shows what it was given."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - the form that Gymnasium asks for
    observation_space = spaces.Box(0, 1, (1,))

    def __init__(self, render_mode=None, action_space=None, picture=True):
        self.render_mode, self.action_space, self.picture, self.given = render_mode, action_space, picture, 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.given = float(self.np_random.random())
        return np.zeros(1, np.float32), {}

    def step(self, action):
        assert self.action_space.contains(action), f"{action!r} is no action of {self.action_space}"
        self.given = float(np.sum(action))
        return np.zeros(1, np.float32), self.given, False, False, {}

    def render(self):
        return np.full((4, 5, 3), int(abs(self.given * 40)) % 256, np.uint8) if self.picture else None


SPACES = {
    "Discrete": spaces.Discrete(3, start=-1),
    "Box": spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 9.0], np.float32)),
    "Unbounded": spaces.Box(-np.inf, np.inf, (2,)),
    "Above": spaces.Box(2.0, np.inf, (2,)),
    "Below": spaces.Box(-np.inf, -3.0, (2,)),
    "FarAway": spaces.Box(5000.0, 6000.0, (2,)),
    "Wide": spaces.Box(-1e6, 1e6, (3,)),
    "Bytes": spaces.Box(0, 255, (2,), np.uint8),
    "Half": spaces.Box(-1.0, 1.0, (2,), np.float16),
    "MultiDiscrete": spaces.MultiDiscrete([3, 2, 5]),
    "MultiBinary": spaces.MultiBinary(4),
}


@pytest.fixture(autouse=True)
def registered():
    for name, space in SPACES.items():
        gymnasium.register(f"Panel{name}-v0", entry_point=Panel, kwargs={"action_space": space})
    gymnasium.register("PanelText-v0", entry_point=Panel, kwargs={"action_space": spaces.Text(4)})
    gymnasium.register(
        "PanelBlind-v0", entry_point=Panel, kwargs={"action_space": spaces.Discrete(2), "picture": False}
    )
    yield
    for name in (*SPACES, "Text", "Blind"):
        del gymnasium.registry[f"Panel{name}-v0"]


@pytest.mark.parametrize("name", SPACES)
def test_uniform_actions_of_every_kind_are_actions_that_the_environment_accepts(name):
    world = GymnasiumWorld(f"Panel{name}-v0")
    world.reset(0)
    rng = np.random.default_rng(0)
    drawn = [world.random_action(rng) for _ in range(60)]
    for action in drawn:
        world.act(action)
    assert len({str(a) for a in drawn}) > 2
    assert (world.time_source, world.rate_hz) == ("assumed", 30.0)


def test_wide_boxes_are_drawn_from_all_over():
    world = GymnasiumWorld("PanelWide-v0")
    rng = np.random.default_rng(0)
    drawn = np.array([world.random_action(rng) for _ in range(300)])
    assert drawn.min() < -8e5
    assert drawn.max() > 8e5
    assert 0.4 < (np.abs(drawn) > 5e5).mean() < 0.6


def test_a_discrete_space_that_starts_elsewhere_is_numbered_from_zero_and_named_by_its_own_numbers():
    world = GymnasiumWorld("PanelDiscrete-v0")
    assert world.action_space.names == ("PanelDiscrete/-1", "PanelDiscrete/0", "PanelDiscrete/1")
    world.reset(0)
    assert world.act(0).reward == -1.0


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (["LEFT", "STAY", "RIGHT"], ("LEFT", "STAY", "RIGHT")),
        (["LEFT", "RIGHT"], ("-1", "0", "1")),
        (["A", "A", "B"], ("-1", "0", "1")),
        (["go left", "STAY", "RIGHT"], ("-1", "0", "1")),
    ],
    ids=["its own", "too few", "one twice", "no words"],
)
def test_actions_are_called_as_the_environment_calls_them_where_each_has_a_word(said, names, monkeypatch):
    monkeypatch.setattr(Panel, "get_action_meanings", lambda _: said, raising=False)
    world = GymnasiumWorld("PanelDiscrete-v0")
    assert world.action_space.names == tuple(f"PanelDiscrete/{name}" for name in names)
    world.reset(0)
    assert world.act(0).reward == -1.0
    assert isinstance(world.environment, Panel)


def test_play_is_that_of_plain_gymnasium():
    world, env = GymnasiumWorld("CartPole-v1"), gymnasium.make("CartPole-v1", render_mode="rgb_array")
    world.reset(9)
    env.reset(seed=9)
    for action in (0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1):
        _, reward, terminated, truncated, _ = env.step(action)
        assert tuple(world.act(action)) == (reward, terminated, truncated, -1)
        assert (world.rgb() == env.render()).all()
    assert (world.time_source, world.rate_hz) == ("nominal", 50.0)


def test_environments_that_cannot_be_recorded_say_why():
    with pytest.raises(BadInputError, match="actions of type Text"):
        GymnasiumWorld("PanelText-v0")
    with pytest.raises(BadInputError, match="rgb_array"):
        GymnasiumWorld("PanelBlind-v0")
    with pytest.raises(UnavailableError, match="cannot be made here"):
        GymnasiumWorld("NoSuchThing-v0")

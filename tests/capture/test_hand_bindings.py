"""Keys and pads become actions by the names of the actions, in any world."""

import pytest

from rushes.capture.hand.bindings import Bindings, Held
from rushes.model.actions import ActionSpace
from rushes.model.controls import CONTROLS

ALE18 = ["NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN", "UPRIGHT", "UPLEFT", "DOWNRIGHT", "DOWNLEFT", "UPFIRE",
         "RIGHTFIRE", "LEFTFIRE", "DOWNFIRE", "UPRIGHTFIRE", "UPLEFTFIRE", "DOWNRIGHTFIRE", "DOWNLEFTFIRE"]  # fmt: skip
BREAKOUT = ["NOOP", "FIRE", "RIGHT", "LEFT"]
PONG = ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"]
FREEWAY = ["NOOP", "UP", "DOWN"]


def ale(names):
    return Bindings(ActionSpace.discrete(names, world="ALE"))


def numbered(world, count):
    return Bindings(ActionSpace.discrete([str(number) for number in range(count)], world=world))


@pytest.mark.parametrize(
    ("names", "down", "action"),
    [
        (ALE18, "", "NOOP"),
        (ALE18, "ArrowUp ArrowRight Space", "UPRIGHTFIRE"),
        (ALE18, "KeyS KeyA", "DOWNLEFT"),
        (ALE18, "DPAD_UP EAST", "UPFIRE"),
        (ALE18, "J_LEFT_X- J_LEFT_Y- SOUTH", "UPLEFTFIRE"),
        (ALE18, "ArrowLeft ArrowRight", "RIGHT"),  # of two opposites the newer one
        (ALE18, "KeyD KeyA Space", "LEFTFIRE"),
        (PONG, "ArrowUp ArrowRight Space", "RIGHTFIRE"),  # UP is unknown there
        (BREAKOUT, "ArrowRight Space", "FIRE"),  # no RIGHTFIRE: the newest
        (BREAKOUT, "Space ArrowRight", "RIGHT"),
        (BREAKOUT, "ArrowUp", "NOOP"),
        (FREEWAY, "ArrowLeft Space KeyW", "UP"),
        (FREEWAY, "KeyQ", "NOOP"),
    ],
)
def test_an_emulators_joystick(names, down, action):
    assert ale(names).action(Held(tuple(down.split()))) == names.index(action)


@pytest.mark.parametrize(
    ("world", "count", "control", "action"),
    [
        ("MountainCar", 3, "ArrowLeft", 0),
        ("MountainCar", 3, "", 1),
        ("CarRacing", 5, "ArrowRight", 1),
        ("CarRacing", 5, "KeyA", 2),
        ("CarRacing", 5, "KeyW", 3),
        ("CarRacing", 5, "DPAD_DOWN", 4),
        ("LunarLander", 4, "KeyW", 2),
        ("Taxi", 6, "ArrowUp", 1),
        ("Taxi", 6, "Space", 4),
        ("Taxi", 6, "Enter", 5),
        ("FrozenLake", 4, "KeyD", 2),
        ("Blackjack", 2, "", None),
        ("CartPole", 2, "", None),
        ("Unheard", 7, "Digit6", 6),
        ("Unheard", 7, "", 0),
        ("Unheard", 12, "Space", 10),
    ],
)
def test_numbers_that_gymnasium_explains_are_named_and_others_are_digits(world, count, control, action):
    assert numbered(world, count).action(Held((control,) if control else ())) == action


def test_only_worlds_without_time_wait_for_a_move():
    assert [numbered(*w).in_turns for w in (("Taxi", 6), ("FrozenLake", 4), ("CartPole", 2))] == [True, True, False]


def test_a_key_of_a_vector_is_the_bound_and_a_stick_its_share_beyond_the_dead_zone():
    two = Bindings(ActionSpace.box([-2.0, -1.0], [2.0, 3.0]))
    assert two.action(Held()) == [0.0, 0.0]
    assert two.action(Held(("ArrowLeft", "KeyW"))) == [-2.0, 3.0]
    assert two.action(Held(("KeyA", "KeyD"))) == [2.0, 0.0]
    assert two.action(Held((), {"J_LEFT_X": 1.0, "J_LEFT_Y": 1.0})) == [2.0, -1.0]  # down is less
    assert two.action(Held((), {"J_LEFT_X": 0.11, "J_LEFT_Y": -0.1})) == [0.0, 0.0]
    assert two.action(Held((), {"J_LEFT_X": 0.56})) == pytest.approx([1.0, 0.0])  # (0.56 - 0.12) / 0.88 = 0.5


def test_gas_and_brake_share_a_pair_as_they_go_one_way_only():
    car = Bindings(ActionSpace.box([-1.0, 0.0, 0.0], [1.0, 1.0, 1.0]))
    assert car.action(Held(("KeyA", "KeyW"))) == [-1.0, 1.0, 0.0]
    assert car.action(Held(("ArrowDown",))) == [0.0, 0.0, 1.0]
    assert car.action(Held((), {"J_LEFT_Y": -1.0})) == [0.0, 1.0, 0.0]


def test_a_number_that_cannot_be_zero_rests_at_its_nearest_bound_and_one_without_limits_reaches_one():
    odd = Bindings(ActionSpace.box([1.0, float("-inf")], [3.0, float("inf")]))
    assert odd.action(Held()) == [1.0, 0.0]
    assert sorted(row["does"] for row in odd.table()) == ["0 = 3", "1 = -1", "1 = 1"]


@pytest.mark.parametrize("space", [ale(ALE18), numbered("Taxi", 6), Bindings(ActionSpace.box([-1.0] * 4, [1.0] * 4))])
def test_the_table_names_every_control_once_and_only_such_as_exist(space):
    said = [control for row in space.table() for control in (*row["keys"], *row["pad"])]
    assert len(said) == len(set(said))
    assert {control.rstrip("+-") for control in said} == space.controls
    assert space.controls <= set(CONTROLS)
    assert not space.controls & {"KeyP", "KeyR", "KeyM", "Escape"}  # the panel's own

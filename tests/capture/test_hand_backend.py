"""The readings of a play: each edge stands at the step that took it, and none is lost at the end."""

import threading
import time

import pytest

from rushes.capture.hand.backend import HandBackend
from rushes.capture.hand.orders import Orders
from rushes.capture.hand.settings import HandSettings
from rushes.model.clock import Clock
from rushes.model.readings import Event, Gap, Lost, Step, Telemetry


@pytest.fixture
def shared():
    """A game that a policy plays until a key takes over, and at once again when it is let go of."""
    settings = HandSettings("Breakout", policy="persistent", give_back_s=0.0, sound=False, start_immediately=True)
    backend = HandBackend(settings)
    yield backend
    backend.world.close()


def press(backend, code, down):
    now_ns = backend._clock.now_ns()
    backend.hands.key(code, down, edge_ns=now_ns, received_ns=now_ns)


def test_an_edge_that_comes_while_a_step_is_chosen_takes_over_with_the_next_one(shared):
    take, steps = shared.hands.take, []

    def late():
        grip = take()
        if len(steps) in {5, 9}:
            press(shared, "ArrowLeft", len(steps) == 5)
        return grip

    shared.hands.take = late
    used = {}
    with shared.open(Clock()) as readings:
        for reading in readings:
            if isinstance(reading, Step):
                steps.append(reading)
                if len(steps) == 14:
                    shared.orders.put("stop")
            elif isinstance(reading, Telemetry):
                used[len(steps) - 1] = reading.fields["down"]
    assert [step.is_human for step in steps] == [6 <= number < 10 for number in range(14)]
    assert {step.action_name for step in steps[6:10]} == {"ALE/LEFT"}
    assert used == {6: 1.0}, "and letting go is the policy's step"


def test_an_edge_that_comes_with_the_stop_is_stored(shared):
    with shared.open(Clock()) as readings:
        found = []
        for reading in readings:
            found.append(reading)
            if isinstance(reading, Step):
                press(shared, "ArrowLeft", True)
                shared.orders.put("stop")
    assert [(r.control, r.kind) for r in found if isinstance(r, Event)] == [("ArrowLeft", "press")]
    assert isinstance(found[-1], Gap)
    assert next(r.t_ns for r in found if isinstance(r, Event)) <= found[-1].t_ns


def test_what_is_pressed_in_a_pause_that_ends_the_play_is_counted(shared):
    with shared.open(Clock()) as readings:
        for reading in readings:
            if isinstance(reading, Step):
                shared.orders.put("pause")
            elif isinstance(reading, Gap):
                press(shared, "ArrowLeft", True)
                shared.orders.put("stop")
    assert isinstance(reading, Lost)
    assert (reading.stream, reading.reason, reading.count) == ("events", "paused", 1)


def test_an_end_that_is_no_order_ends_a_pause_too():
    orders = Orders(has_policy=False)
    begun_s = time.monotonic()
    threading.Timer(0.05, setattr, (orders, "over", "stop")).start()  # as a signal does
    assert orders.wait("resume", seconds=30) == ""
    assert time.monotonic() - begun_s < 10

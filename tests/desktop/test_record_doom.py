"""The recorder beside a real game that records itself: Crispy Doom's own demo says which keys it saw, tic by tic."""

import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

pytestmark = [pytest.mark.require("display", "game"), pytest.mark.slow]


@pytest.fixture(scope="module")
def take(display, servers, programs, hands, demo, recording, crispy_doom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("doom")
    running = demo.start(servers, programs, folder, crispy_doom)
    with hands.Hands() as playing:
        recorder = recording.start(
            servers, programs, playing.tap, folder,
            *("--game", "Freedoom", "--window", running.title, "--fps", "35", "--start-immediately"),
            *("--max-seconds", "60"),
        )  # fmt: skip
        time.sleep(0.5)
        began_ns = time.perf_counter_ns()
        acts = [act for at_s, key, held_s in demo.SCORE for act in hands.hold(key, at_s, held_s)]
        playing.perform(hands.spread(acts))
        time.sleep(0.2)
    told = recording.stop(recorder)
    tics = demo.read_demo(demo.finish(servers, programs, hands, running))
    taken = recording.Taken(recorder.out)
    return SimpleNamespace(taken=taken, session=taken.session, tics=tics, began_ns=began_ns, told=told)


def test_the_session_holds_every_press_that_the_game_saw_for_as_long(take, demo):
    events = take.taken.events
    agreement = demo.compare(events[events["t_ns"] >= take.began_ns], take.tics)
    assert agreement.holds == agreement.spans == Counter(name for _, name, _ in demo.SCORE)
    assert agreement.is_right(), agreement


def test_the_picture_moves_when_the_player_does(take):
    """Walking changes most of the picture from one tic to the next; standing still changes little."""
    index = take.session.index()
    times = index["t_ns"].to_numpy() + take.taken.zero_ns
    walk = [hold for hold in take.taken.edges({"KeyW"}, take.began_ns) if hold[1]]
    start = int(np.searchsorted(times, walk[0][2]))
    before, after = (take.session.frame(number).astype(np.int16)[:300] for number in (start - 1, start + 7))
    assert np.mean(np.abs(after - before).max(axis=-1) > 20) > 0.1

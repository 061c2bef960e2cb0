"""The recorder beside a real game that records itself: Crispy Doom's own demo says which keys it saw, tic by tic."""

import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytestmark = [pytest.mark.require("display", "game"), pytest.mark.slow]
MS = 1_000_000


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
        sent = playing.perform(hands.spread(acts))
        time.sleep(0.2)
    told = recording.stop(recorder)
    tics = demo.read_demo(demo.finish(servers, programs, hands, running))
    taken = recording.Taken(recorder.out)
    played = taken.events[taken.events["t_ns"] >= began_ns]
    return SimpleNamespace(
        taken=taken, session=taken.session, tics=tics, began_ns=began_ns, told=told, sent=sent, played=played
    )


def judge(take, demo, events):
    """Hold recorded events against the game's demo, and both against the log of the hands."""
    agreement = demo.compare(events, take.tics)
    assert agreement.holds == agreement.spans == Counter(name for _, name, _ in demo.SCORE)
    assert agreement.is_right(), agreement
    rows = [(one.after_ns, one.act.control, one.act.kind) for one in take.sent]
    by_hands = demo.compare(pd.DataFrame(rows, columns=["t_ns", "control", "kind"]), take.tics)
    assert abs(agreement.zero_ns - by_hands.zero_ns) < 10 * MS, "the game began when the hands' log says"
    edges = events[events["kind"].isin(["press", "release"]) & events["control"].isin(demo.DOES)]
    recorded = list(zip(edges["control"], edges["kind"], edges["t_ns"], strict=True))
    assert [row[:2] for row in recorded] == [(one.act.control, one.act.kind) for one in take.sent]
    outside_ms = [
        max(one.before_ns - t_ns, t_ns - one.after_ns, 0) / MS
        for (_, _, t_ns), one in zip(recorded, take.sent, strict=True)
    ]
    assert np.median(outside_ms) < 1, "stamped when the hands did it"
    assert np.mean(np.array(outside_ms) > 20) <= 0.05, "stamped when the hands did it"


def test_the_session_holds_every_press_that_the_game_saw_for_as_long_and_at_its_time(take, demo):
    judge(take, demo, take.played)


def shifted(events, by_ms, rows=None):
    chosen = np.ones(len(events), bool) if rows is None else rows
    return events.assign(t_ns=events["t_ns"] + np.where(chosen, by_ms * MS, 0).astype("int64"))


def some_edges_off(events):
    """One edge in five up to ten tics too late, where its key does nothing else meanwhile."""
    rng = np.random.default_rng(1)
    off_ms = np.where(rng.random(len(events)) < 0.2, rng.uniform(3, 10, len(events)) * 1000 / 35, 0)
    return shifted(events, off_ms)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda e: shifted(e, 30), id="30 ms late"),
        pytest.param(lambda e: shifted(e, -30), id="30 ms early"),
        pytest.param(lambda e: shifted(e, 7000), id="7 s late"),
        pytest.param(lambda e: shifted(e, 40, e["kind"] == "release"), id="releases 40 ms late"),
        pytest.param(some_edges_off, id="one edge in five off"),
        pytest.param(lambda e: e[e["control"] != "Space"], id="a key is missing"),
    ],
)
def test_events_at_other_times_are_found_out(take, demo, spoil):
    with pytest.raises(AssertionError):
        judge(take, demo, spoil(take.played))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda e: shifted(e, 40, e["kind"] == "release"), id="releases 40 ms late"),
        pytest.param(some_edges_off, id="one edge in five off"),
    ],
)
def test_the_demo_alone_finds_edges_out_that_are_apart_from_the_others(take, demo, spoil):
    try:
        agreement = demo.compare(spoil(take.played), take.tics)
    except AssertionError:  # a release before its press
        return
    assert not agreement.is_right()


def test_the_picture_moves_when_the_player_does(take):
    """Walking changes most of the picture from one tic to the next; standing still changes little."""
    index = take.session.index()
    times = index["t_ns"].to_numpy() + take.taken.zero_ns
    walk = [hold for hold in take.taken.edges({"KeyW"}, take.began_ns) if hold[1]]
    start = int(np.searchsorted(times, walk[0][2]))
    before, after = (take.session.frame(number).astype(np.int16)[:300] for number in (start - 1, start + 7))
    assert np.mean(np.abs(after - before).max(axis=-1) > 20) > 0.1

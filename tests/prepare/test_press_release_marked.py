"""Presses within what is marked invalid: each stands in the ledger once, kept or under its reason."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tape import KEYS, STEP, ns, press, release

from rushes.capture.env.sample import sample
from rushes.model.readings import Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.prepare.press_release import press_release
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.validity import honour
from rushes.store.writer import SessionWriter

FRAMES = 40
HELD = [(2, 3), (5, 8), (11, 12), (13, 13.5), (14, 17), (21, 22), (25, 33), (27, 28), (35, 36)]
"""From press to release, in rows; all of W but the last but one, which is of A."""


@pytest.fixture
def path(tmp_path):
    streams = (
        StreamSpec("screen", "frames", "png", width=8, height=6, rate_hz=10.0),
        StreamSpec("events", "events", unit="counts"),
    )
    events = [press(a, "KeyA" if a == 27 else "KeyW") for a, _ in HELD]
    events += [release(b, "KeyA" if b == 28 else "KeyW") for _, b in HELD]
    frames = [Frame(k * STEP, np.full((6, 8, 3), k, np.uint8)) for k in range(FRAMES)]
    with SessionWriter(tmp_path / "s", SessionInfo("s", "G", {}, "measured", streams, KEYS)) as writer:
        writer.write(Start(0))
        for reading in sorted([*events, *frames], key=lambda one: one.t_ns):
            writer.write(reading)
        writer.write(Gap(FRAMES * STEP, "stopped"))
    return tmp_path / "s"


def marked(path, *stretches):
    for start, end in stretches:
        add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=ns(start), t_end_ns=ns(end))
    return honour(open_session(path))


def account(recording, controls, **options):
    samples, _ = press_release(recording, controls, **options)
    found = samples.steps[0].ledger["presses"]
    assert found.balances
    assert found.kept == len(samples)
    return found.offered, dict(found.lost)


def test_a_press_within_a_mark_is_lost_for_that_reason(path):
    assert account(open_session(path), "w, a") == (9, {})
    view = marked(path, (10, 16), (26, 30))
    # 11 and 13 are marked whole, 14 reaches out of its mark; W is held from 25 on through the second one
    assert account(view, "w") == (9, {"marked_invalid": 2, "press_not_seen": 2})
    assert account(view, "a") == (1, {"marked_invalid": 1})
    assert account(view, "w|a") == (9, {"marked_invalid": 2, "press_not_seen": 2})
    assert account(view, "w", action_delay_ms="120")[0] == 9
    assert account(marked(path, (0, FRAMES)), "w, a") == (9, {"marked_invalid": 9})


def test_a_mark_without_a_press_changes_nothing(path):
    assert account(marked(path, (18, 20)), "w, a") == (9, {})


def test_of_a_sampled_game_each_press_stands_in_the_ledger(tmp_path):
    sample(tmp_path / "s", "Breakout", frames_per_env=60, max_episodes=1, policy="persistent", workers=1, seed=3)
    path = tmp_path / "s" / "atari_breakout"
    session = open_session(path)
    (offered, _), t_ns = account(session, "ALE/FIRE"), session.index()["t_ns"].tolist()
    frames = press_release(session, "ALE/FIRE")[0].rows["frame_index"].tolist()
    add_fact(path, "validity", {"valid": False}, author="me", t_start_ns=t_ns[frames[1]], t_end_ns=t_ns[-1] + 1)
    assert account(honour(open_session(path)), "ALE/FIRE") == (offered, {"marked_invalid": offered - 1})

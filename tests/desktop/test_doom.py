"""Crispy Doom's own recording against the hands that played, and the functions that compare a session with it."""

import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest

NS = 1_000_000_000
PLAYS = 4


@pytest.fixture(scope="module")
def played(require, display, servers, programs, hands, demo, crispy_doom, tmp_path_factory):
    """A game that was played for three seconds: what was sent, as a session's events, and its tics.

    It is played again where the machine held the game up for two tics and more: what it saw then, and when, says
    nothing of who pressed.
    """
    acts = [act for at_s, key, held_s in demo.SCORE for act in hands.hold(key, at_s, held_s)]
    for _ in range(PLAYS):
        running = demo.start(servers, programs, tmp_path_factory.mktemp("doom"), crispy_doom)
        time.sleep(1.2)  # the picture melts, and meanwhile nobody moves
        with hands.Hands() as playing:
            sent = playing.perform(hands.spread(acts))
        time.sleep(0.2)
        tics = demo.read_demo(demo.finish(servers, programs, hands, running))
        if tics.held_up_ns * demo.TIC_HZ < 2 * NS:
            break
    rows = [(s.after_ns, s.act.control, s.act.kind) for s in sent]
    return pd.DataFrame(rows, columns=["t_ns", "control", "kind"]), tics


def test_the_demo_holds_every_press_for_as_long_as_it_was_held(played, demo):
    agreement = demo.compare(*played)
    pressed = Counter(name for _, name, _ in demo.SCORE)
    assert agreement.holds == agreement.spans == pressed
    assert agreement.is_right(), agreement


# --- the comparison itself, on made-up demos ---


def lmp(tics: list[tuple[int, int, int, int]], *, version: int = 109) -> bytes:
    """Write a demo byte by byte, as the game's source says."""
    header = bytes([version, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    size = 2 if version == 111 else 1
    body = b"".join(
        bytes([f & 255, s & 255]) + turn.to_bytes(size, "little", signed=True) + bytes([b]) for f, s, turn, b in tics
    )
    return header + body + b"\x80"


def test_a_demo_is_read_as_the_game_writes_it(demo, tmp_path):
    path = tmp_path / "demo.lmp"
    for version, turn in ((109, -3), (111, -700)):
        path.write_bytes(lmp([(25, 0, 0, 0), (-50, 24, turn, 3)], version=version))
        assert demo.read_demo(path) == (demo.Tic(25, 0, 0, 0), demo.Tic(-50, 24, turn, 3))


def test_a_demo_that_was_cut_off_is_no_demo(demo, tmp_path):
    (tmp_path / "demo.lmp").write_bytes(lmp([(0, 0, 0, 0)])[:-1])
    with pytest.raises(AssertionError, match="no end"):
        demo.read_demo(tmp_path / "demo.lmp")


FOUND = [(10, 20), (40, 43), (100, 190), (400, 410), (500, 510), (600, 603), (700, 701)]


@pytest.fixture
def tics(demo):
    """A demo of which FOUND are the stretches with KeyW."""
    return [demo.Tic(25 * any(a <= at < b for a, b in FOUND), 0, 0, 0) for at in range(800)]


def pressed(spans, *, zero_ns=5 * NS, control="KeyW"):
    """Make the events of one who pressed half a tic before each of these stretches."""
    edges = [(kind, tic) for span in spans for kind, tic in zip(("press", "release"), span, strict=True)]
    rows = [(zero_ns + int((tic - 0.5) * NS / 35), control, kind) for kind, tic in edges]
    return pd.DataFrame(rows, columns=["t_ns", "control", "kind"])


def test_right_holds_agree(demo, tics):
    agreement = demo.compare(pressed(FOUND), tics)
    assert agreement.is_right()
    assert np.abs(agreement.edges_tics).max() < 0.01
    assert agreement.zero_ns == pytest.approx(5 * NS - 0.5 * NS / 35, abs=1e6)


@pytest.mark.parametrize(
    "wrong",
    [
        FOUND[1:],
        [*FOUND, (750, 760)],
        [(a * 1.05, b * 1.05) for a, b in FOUND],
        [(a, b + 5) for a, b in FOUND],
        [(a + 15, b + 15) if a == 40 else (a, b) for a, b in FOUND],
    ],
    ids=["missing", "invented", "drifting", "longer", "one far away"],
)
def test_wrong_holds_do_not_agree(demo, tics, wrong):
    assert not demo.compare(pressed(wrong), tics).is_right()


def test_a_hold_of_another_key_does_not_agree(demo, tics):
    assert not demo.compare(pressed(FOUND, control="KeyS"), tics).is_right()


def test_spans_are_half_open(demo):
    tics = [demo.Tic(f, 0, 0, 0) for f in (0, 25, 25, 0, -25, 25)]
    assert demo.spans(tics, demo.DOES["KeyW"]) == [(1, 3), (5, 6)]
    assert demo.spans(tics, demo.DOES["KeyS"]) == [(4, 5)]

"""Whatever was pressed, no negative lies near a press of its control, and each one says truly how far it is."""

import re
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from tape import STEP, Tape, press, release

from rushes.prepare.negatives import negatives
from rushes.prepare.press_release import press_release

CONTROLS = ("KeyW", "KeyD")
REASON = re.compile(
    r"(?P<kind>\w+): (.*; )?((?P<frames>\d+) frames? \((?P<ms>\d+) ms\) (?P<side>before|after) the nearest press of "
    r"(?P<control>\w+)|no press of \w+ in its segment); \w+ (?P<state>up|held)"
)
KINDS = "uniform=all,near_miss=5,idle=4,during_hold=all,shifted=3,swapped=all,cross_session=6"


@st.composite
def played(draw):
    """Frames of one or two segments; control -> (down, up) in rows, stretches that do not touch."""
    lengths = draw(st.lists(st.integers(1, 25), min_size=1, max_size=2))
    held = {}
    for control in CONTROLS:
        edges = draw(st.lists(st.integers(0, 4 * sum(lengths) - 1), unique=True, max_size=12))
        at = [edge / 4 + 0.1 for edge in sorted(edges)]
        held[control] = list(zip(at[::2], at[1::2], strict=False))
    return lengths, held


def tape_of(name, lengths, held):
    events = [
        event
        for control, stretches in held.items()
        for down, up in stretches
        for event in (press(down, control), release(up, control))
    ]
    return Tape(lengths, events, name=name)


def segment_of(lengths, frame):
    return 0 if frame < lengths[0] else 1


def truth(lengths, stretches, frame):
    """Brute force: distances to all presses of the segment, and whether the target is down on the frame."""
    segment = segment_of(lengths, frame)
    presses = [int(down) for down, _ in stretches]
    apart = [frame - row for row in presses if segment_of(lengths, row) == segment]
    held = any(down < frame + 1 and up > frame for down, up in stretches)
    return apart, held


@settings(max_examples=8, deadline=None)
@given(first=played(), second=played(), exclusion=st.integers(0, 3), length=st.integers(1, 3), seed=st.integers(0, 9))
def test_no_negative_lies_near_a_press_of_its_control(first, second, exclusion, length, seed):
    sessions = {"a": first, "b": second}
    tapes = [tape_of(name, *one) for name, one in sessions.items()]
    positives, _ = press_release(tapes, "w,d", length=length)
    options = {"kinds": KINDS, "exclusion": exclusion, "seed": seed, "shift": "4", "controls": "w,d", "length": length}
    found = negatives(positives, tapes, **options, pixels=False)
    found.validate()
    assert found.steps[-1].ledger.balances
    for row in found.rows.to_dict("records"):
        lengths, held = sessions[row["session"]]
        last = row["frame_index"] + length - 1
        apart, down = truth(lengths, held[row["control"]], last)
        assert all(abs(frames) > exclusion for frames in apart)
        assert down == (row["kind"] == "during_hold")
        assert segment_of(lengths, row["frame_index"]) == segment_of(lengths, last) == row["segment"]
        said = REASON.fullmatch(row["reason"])
        assert said["kind"] == row["kind"]
        assert said["state"] == ("held" if down else "up")
        if apart:
            nearest = min(map(abs, apart))
            assert (int(said["frames"]), int(said["ms"])) == (nearest, nearest * STEP // 1_000_000)
            assert (nearest if said["side"] == "after" else -nearest) in apart
            assert said["control"] == row["control"]
        else:
            assert said["frames"] is None
    other = negatives(positives, tapes[::-1], **options, pixels=False)
    assert other.rows["sample_id"].tolist() == found.rows["sample_id"].tolist()
    assert other.rows["reason"].tolist() == found.rows["reason"].tolist()


@settings(max_examples=15, deadline=None)
@given(one=played(), exclusion=st.integers(0, 3))
def test_uniform_and_holds_and_exclusions_are_all_frames(one, exclusion):
    lengths, held = one
    tape = tape_of("a", lengths, held)
    positives, _ = press_release(tape, "w")
    found = negatives(positives, tape, kinds="uniform=all,during_hold=all", exclusion=exclusion, controls="w")
    frames = set(found.rows["frame_index"])
    near = {k for k in range(sum(lengths)) if any(abs(n) <= exclusion for n in truth(lengths, held["KeyW"], k)[0])}
    assert frames | near == set(range(sum(lengths)))
    assert not frames & near

"""The training file: what a trainer loads from it, what the reference's own files give, and what may go wrong."""

import hashlib
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import zipfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from rushes.errors import BadDataError, BadInputError, StoppedError, StorageError
from rushes.formats.base import convert, open_any, sniff_path
from rushes.formats.nitrogen import pt as nitrogen_pt
from rushes.formats.nitrogen import pt_plan, pt_read
from rushes.model.grid import to_grid
from rushes.model.recording import Sessions
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.resized import resized

HERE = Path(__file__).parent
LIB = HERE.parents[1] / "lib"
sys.path.insert(0, str(HERE))
import hand_play as hand  # noqa: E402 - test folders are no packages

STEP = hand.STEP
# systems.md 4.2, typed here: key -> (column, value); None: no place. Physical keys as the recorder names them.
GOLDEN = {
    "KeyW": (1, 1), "KeyA": (0, -1), "KeyS": (1, -1), "KeyD": (0, 1), "Space": (4, 1), "ShiftLeft": (6, 1),
    "ControlLeft": (5, 1), "KeyE": (7, 1), "KeyQ": (10, 1), "KeyR": (11, 1), "KeyF": (12, 1), "KeyG": (13, 1),
    "KeyC": (14, 1), "KeyV": (15, 1), "KeyX": None, "KeyZ": None, "KeyT": None, "KeyP": None, "KeyI": None,
    "Backspace": None, "Escape": None, "Digit1": (16, 1), "Digit2": (17, 1), "Digit3": (18, 1), "Digit4": (19, 1),
    "Enter": None, "MouseLeft": (8, 1), "MouseRight": (9, 1),
}  # fmt: skip
MORE = {"KeyX": (20, 1), "KeyZ": (21, 1), "Enter": (22, 1), "Escape": (23, 1), "KeyI": (24, 1)}
NAMES20 = [
    "lx",
    "ly",
    "rx",
    "ry",
    "space",
    "ctrl",
    "shift",
    "e",
    "lmb",
    "rmb",
    "q",
    "r",
    "f",
    "g",
    "c",
    "v",
    "1",
    "2",
    "3",
    "4",
]


def loaded(path):
    return torch.load(path, weights_only=True, mmap=True)


def small(number, side):
    return cv2.resize(hand.SCENERY.picture(number), (side, side), interpolation=cv2.INTER_AREA)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Two segments, 30 and 21 frames: w held over rows 2 and 3, a click in row 7, motion in rows 5 and 33, p once."""
    events = [
        hand.press(2.5, "KeyW"), hand.release(3.5, "KeyW"),
        hand.press(7.2, "MouseLeft"), hand.release(7.4, "MouseLeft"),
        hand.move(5.1, 60, 30), hand.move(5.9, -30, 0), hand.move(33.5, 900, -15),
        hand.press(12.1, "KeyP"), hand.release(12.2, "KeyP"),
    ]  # fmt: skip
    return hand.play(tmp_path_factory.mktemp("pt") / "hand", [30, 21], events)


@pytest.mark.parametrize(("layout", "table"), [("capture20", GOLDEN), ("capture25", GOLDEN | MORE)])
def test_each_key_goes_to_its_column_by_name(tmp_path, layout, table):
    events = [e for k, key in enumerate(table) for e in (hand.press(k + 0.2, key), hand.release(k + 0.7, key))]
    played = hand.play(tmp_path / "s", [28], events)
    convert(played, tmp_path / "a.pt", format="nitrogen_pt", options=[f"layout={layout}", "seq_len=1", "img_size=8"])
    rows = loaded(tmp_path / "a.pt")["actions"][:, 0].numpy()
    wanted = np.zeros((28, int(layout[-2:])), np.float32)
    for row, place in enumerate(table.values()):
        if place is not None:
            wanted[row, place[0]] = place[1]
    np.testing.assert_array_equal(rows, wanted)


def test_motion_of_600_and_150_is_a_full_stick_and_half_a_stick_up(tmp_path):
    played = hand.play(tmp_path / "s", [4], [hand.move(0.5, 600, 150), hand.move(1.2, 600, 150), hand.move(2, -30, 0)])
    convert(played, tmp_path / "a.pt", format="nitrogen_pt", options=["seq_len=1", "img_size=8"])
    rows = loaded(tmp_path / "a.pt")["actions"][:, 0].numpy()
    np.testing.assert_array_equal(rows[:, 2:4], np.array([[1, -0.5], [1, -0.5], [-0.1, 0], [0, 0]], np.float32))
    options = ["seq_len=1", "img_size=8", "mouse_scale=100", "mouse_clip=0.25"]
    report = convert(played, tmp_path / "b.pt", format="nitrogen_pt", options=options)
    rows = loaded(tmp_path / "b.pt")["actions"][:, 0].numpy()
    np.testing.assert_array_equal(rows[:3, 2], np.array([0.25, 0.25, -0.25], np.float32))
    assert report.ledger["actions"].marked == {"clipped": 3}


def test_a_trainer_finds_pictures_and_their_next_rows_and_no_window_crosses_an_edge(session, tmp_path):
    convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=32", "seq_len=16"])
    found = loaded(tmp_path / "a.pt")
    firsts = [*range(30 - 16 + 1), *range(30, 30 + 21 - 16 + 1)]
    assert found["obs"].shape == (len(firsts), 3, 32, 32)
    assert found["actions"].shape == (len(firsts), 16, 20)
    assert found["obs"].dtype == found["actions"].dtype == torch.float32
    for number, k in enumerate(firsts):
        np.testing.assert_array_equal(
            found["obs"][number].numpy(), small(k, 32).transpose(2, 0, 1).astype(np.float32) / 255.0
        )
    rows = np.zeros((51, 20), np.float32)
    rows[2:4, 1] = 1
    rows[7, 8] = 1
    rows[5, 2:4] = np.float32(0.1), np.float32(-0.1)
    rows[33, 2:4] = 1, np.float32(0.05)
    np.testing.assert_array_equal(found["actions"].numpy(), np.stack([rows[k : k + 16] for k in firsts]))


def test_meta_is_the_references(session, tmp_path):
    five = {"img_size": 16, "seq_len": 16, "mouse_scale": 300.0, "mouse_clip": 1.0}
    convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16", "strict=true"])
    wording = "20D gamepad mapping derived from PC controls"  # convert_to_nitrogen.py at 4ff5523
    assert loaded(tmp_path / "a.pt")["meta"] == five | {"actions_layout": wording}
    options = ["img_size=16", "strict=true", "layout=capture25"]
    convert(session, tmp_path / "b.pt", format="nitrogen_pt", options=options)
    names = [*NAMES20, "x", "z", "enter", "esc", "i"]
    wording = "25D mapping derived from PC controls (WASD->LS, mouse->RS)"  # at ad2df1f
    named = {"action_dim": 25, "action_names": names, "actions_layout": wording}
    assert loaded(tmp_path / "b.pt")["meta"] == five | named
    convert(session, tmp_path / "c.pt", format="nitrogen_pt", options=["img_size=16", "action_delay_ms=3"])
    meta = loaded(tmp_path / "c.pt")["meta"]
    assert meta["action_names"] == NAMES20
    own = meta["rushes"]
    assert (own["fps"], own["action_delay_ms"], own["stride"]) == (25.0, 3.0, 1)
    assert [s["id"] for s in own["sources"]] == ["hand"]
    assert [(s["first_window"], s["windows"], s["rows"]) for s in own["segments"]] == [(0, 15, 30), (15, 6, 21)]
    assert "[t_k, t_{k+1})" in own["pairing"]
    card = json.loads((tmp_path / "c.pt.card.json").read_text())
    assert card["action_delay_ms"] == 3.0
    assert card["written"] == {"episodes": 2, "frames": 21, "samples": 21}


def test_a_strict_row_is_what_the_reference_notes_when_it_takes_the_frame(session, tmp_path):
    report = convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16", "strict=true"])
    convert(session, tmp_path / "b.pt", format="nitrogen_pt", options=["img_size=16"])
    strict, plain = loaded(tmp_path / "a.pt"), loaded(tmp_path / "b.pt")
    assert torch.equal(strict["obs"], plain["obs"])
    rows = np.zeros((51, 20), np.float32)
    rows[3, 1] = 1  # w went down at 2.5 and up at 3.5: it was down at t_3 alone; the click was between two frames
    rows[6, 2:4] = np.float32(0.1), np.float32(-0.1)  # moved in row 5
    rows[34, 2:4] = 1, np.float32(0.05)
    firsts = [*range(15), *range(30, 36)]
    np.testing.assert_array_equal(strict["actions"].numpy(), np.stack([rows[k : k + 16] for k in firsts]))
    ledger = report.ledger
    assert ledger.balances
    assert (ledger["events"].offered, ledger["events"].kept) == (9, 5)
    assert ledger["events"].lost == {"no_place_KeyP": 2, "tap_between_frames": 2}
    assert ledger["episodes"].marked == {"border_not_written": 1}
    assert ledger["actions"].marked == {"clipped": 1}
    assert json.loads((tmp_path / "a.pt.card.json").read_text())["pairing"].endswith("motion of (t_{k-1}, t_k]")


def test_what_comes_behind_the_last_frame_is_in_no_strict_row_and_counted(tmp_path):
    events = [hand.move(0, 90, 0), hand.move(7.5, 600, 0), hand.press(7.2, "Space")]
    played = hand.play(tmp_path / "s", [8, 3], events)
    options = ["img_size=8", "seq_len=4", "strict=true"]
    report = convert(played, tmp_path / "a.pt", format="nitrogen_pt", options=options)
    found = loaded(tmp_path / "a.pt")["actions"].numpy()
    assert np.argwhere(found).tolist() == [[0, 0, 2]]  # what moved at the instant of the first frame
    assert report.ledger["events"].lost == {"behind_last_frame": 2}
    assert report.ledger["actions"].marked == {}  # what would be clipped is not in it
    report = convert(played, tmp_path / "b.pt", format="nitrogen_pt", options=["img_size=8", "seq_len=4"])
    assert report.ledger["actions"].marked == {"clipped": 1}


def test_a_strict_file_is_what_the_references_converter_makes_of_a_strict_set(tmp_path):
    """Its convert_to_nitrogen.py at 4ff5523, typed here, on the arrays of `nitrogen_capture`."""
    events = [
        hand.press(1.5, "KeyW"), hand.release(9.2, "KeyW"), hand.press(3, "KeyA"), hand.release(4, "KeyA"),
        hand.press(5.9, "ControlLeft"), hand.release(7.1, "ControlLeft"), hand.press(10.5, "MouseRight"),
        hand.move(2, 3, 4), hand.move(2.5, -40, 700), hand.move(11.1, 25, -5), hand.press(12.5, "Digit4"),
    ]  # fmt: skip
    one = hand.play(tmp_path / "s", [24], events)
    convert(one, tmp_path / "set", format="nitrogen_capture", options=["strict=true"])
    convert(one, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=8", "seq_len=5", "strict=true"])
    keys, mouse = np.load(tmp_path / "set/actions.npy"), np.load(tmp_path / "set/mouse_deltas.npy")
    names = json.loads((tmp_path / "set/meta.json").read_text())["actions"]
    out = np.zeros((24, 20), np.float32)
    for row in range(24):
        down = {name: float(value) for name, value in zip(names, keys[row], strict=True)}
        out[row, 0], out[row, 1] = down["d"] - down["a"], down["w"] - down["s"]
        out[row, 2:4] = np.clip(mouse[row] * [1, -1] / np.float32(300), -1, 1)
        out[row, 4:] = [down[name] for name in NAMES20[4:]]
    wanted = np.stack([out[k : k + 5] for k in range(20)])
    np.testing.assert_allclose(loaded(tmp_path / "a.pt")["actions"].numpy(), wanted, rtol=0, atol=1e-7)
    assert len(np.unique(np.argwhere(wanted)[:, 2])) == 7  # all that was done is there


def test_a_strict_file_is_read_back_with_motion_in_its_own_row(session, tmp_path):
    convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16", "strict=true"])
    (one,) = found = open_any(tmp_path / "a.pt")
    held, motion = rows_of(one)
    assert held == {"KeyW": [3]}
    assert [(k, *motion[k]) for k in np.flatnonzero(motion.any(1))] == [(5, 30, 30), (15 + 3, 300, -15)]
    assert {p.kind for p in found.problems} == {"assumed_rate"}
    options = ["img_size=16", "seq_len=6", "strict=true"]
    convert(one, tmp_path / "b.pt", format="nitrogen_pt", options=options)  # and goes there again
    again, first = loaded(tmp_path / "b.pt")["actions"], loaded(tmp_path / "a.pt")["actions"]
    assert torch.equal(again[:10], first[:10, :6])


def test_the_account_says_what_is_not_there(session, tmp_path):
    report = convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=8", "seq_len=25"])
    ledger = report.ledger
    assert ledger.balances
    assert (ledger["frames"].offered, ledger["frames"].kept) == (51, 6)
    assert ledger["frames"].lost == {"no_window": 24, "too_short": 21}
    assert (ledger["actions"].kept, ledger["actions"].lost) == (30, {"too_short": 21})
    assert ledger["episodes"].lost == {"too_short": 1}
    assert ledger["events"].offered == 9
    assert ledger["events"].lost == {"no_place_KeyP": 2, "too_short": 1}


def test_what_happens_where_no_window_is_stands_in_the_account(tmp_path):
    events = [hand.move(k + 0.5, 3, 0) for k in (0, 1, 4, 5, 11)] + [hand.press(7.5, "Space"), hand.press(3.5, "KeyP")]
    played = hand.play(tmp_path / "s", [12], events)
    options = ["img_size=8", "seq_len=2", "stride=5"]  # rows 0, 1, 5, 6 and 10, 11
    report = convert(played, tmp_path / "a.pt", format="nitrogen_pt", options=options)
    assert report.ledger["actions"].lost == {"no_window": 6}
    assert report.ledger["events"].lost == {"no_window": 2, "no_place_KeyP": 1}


def test_an_offset_of_the_inputs_moves_them(session, tmp_path):
    options = ["img_size=8", "seq_len=1", "action_delay_ms=40"]
    convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=options)
    rows = loaded(tmp_path / "a.pt")["actions"][:, 0].numpy()
    assert np.flatnonzero(rows[:, 1]).tolist() == [3, 4]
    options = ["img_size=8", "action_delay_ms=measured"]
    with pytest.raises(BadInputError, match="measured for hand"):
        convert(session, tmp_path / "b.pt", format="nitrogen_pt", options=options)


def test_marked_stretches_are_left_out_and_no_window_crosses_them(tmp_path):
    played = hand.play(tmp_path / "s", [40])
    add_fact(played.path, "validity", {"valid": False}, author="t", t_start_ns=20 * STEP, t_end_ns=25 * STEP)
    convert(played, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16", "seq_len=10"])
    found = loaded(tmp_path / "a.pt")
    firsts = [*range(20 - 10 + 1), *range(25, 40 - 10 + 1)]
    wanted = [small(k, 16).transpose(2, 0, 1) for k in firsts]
    np.testing.assert_array_equal(np.rint(found["obs"].numpy() * 255).astype(np.uint8), np.stack(wanted))


def test_eight_bits_and_safetensors_hold_the_same(session, tmp_path):
    for name, obs in (("a.pt", "uint8"), ("b.safetensors", "float32"), ("c.safetensors", "uint8")):
        convert(session, tmp_path / name, format="nitrogen_pt", options=["img_size=16", f"obs={obs}"])
    eight, plain = loaded(tmp_path / "a.pt"), load_file(tmp_path / "b.safetensors")
    assert eight["obs"].dtype == torch.uint8
    np.testing.assert_array_equal(eight["obs"][3].numpy(), small(3, 16).transpose(2, 0, 1))
    np.testing.assert_array_equal(plain["obs"], eight["obs"].numpy().astype(np.float32) / 255.0)
    np.testing.assert_array_equal(load_file(tmp_path / "c.safetensors")["obs"], eight["obs"].numpy())
    np.testing.assert_array_equal(plain["actions"], eight["actions"].numpy())
    sessions = [open_any(tmp_path / name) for name in ("a.pt", "b.safetensors", "c.safetensors")]
    assert {s.format for s in sessions} == {"nitrogen_pt"}
    for (one,) in sessions:
        assert (one.info.id, one.frame_count, len(one.segments)) == ("hand", 21, 2)
        np.testing.assert_array_equal(one.frame(20), small(35, 16))


def rows_of(recording):
    """What each row of a recording holds, by its events alone."""
    held, motion = {}, []
    for segment in recording.segments:
        index = recording.index(segment.index)
        grid = to_grid(recording.events(segment.index), index["t_ns"], end_ns=segment.end_ns)
        for control, down in grid.held.items():
            held.setdefault(control, []).extend((np.flatnonzero(down) + segment.first_frame).tolist())
        motion.append(np.stack([grid.motion["MouseDX"], grid.motion["MouseDY"]], axis=1))
    return {k: v for k, v in held.items() if v}, np.concatenate(motion)


def test_what_was_written_is_read_back_row_by_row(session, tmp_path):
    convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16"])
    assert sniff_path(tmp_path / "a.pt") == "nitrogen_pt"
    (one,) = found = open_any(tmp_path / "a.pt")
    assert (one.info.game, [s.frames for s in one.segments]) == ("Game", [15, 6])
    assert [s.end_reason for s in one.segments] == ["pause", "pause"]
    assert one.index()["t_ns"].tolist() == [k * STEP for k in [*range(15), *range(30, 36)]]
    held, motion = rows_of(one)
    assert held == {"KeyW": [2, 3], "MouseLeft": [7]}
    assert motion[5].tolist() == [30, 30]
    assert motion[15 + 3].tolist() == [300, -15]  # 900 was cut to what the stick can say
    assert np.abs(motion).sum() == 60 + 315
    assert found.problems == ()
    assert one.ledger["actions"].lost == {"without_frame": 30}
    assert one.ledger["actions"].marked == {"clipped": 1}
    convert(one, tmp_path / "b.pt", format="nitrogen_pt", options=["img_size=16", "seq_len=6"])
    again = loaded(tmp_path / "b.pt")
    np.testing.assert_array_equal(again["actions"][:10].numpy(), loaded(tmp_path / "a.pt")["actions"][:10, :6].numpy())
    assert torch.equal(again["obs"][:10], loaded(tmp_path / "a.pt")["obs"][:10])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    holds=st.dictionaries(
        st.sampled_from(["KeyW", "Space", "MouseLeft", "Digit3"]), st.tuples(st.integers(0, 9), st.integers(0, 5))
    ),
    moves=st.lists(st.tuples(st.integers(0, 9), st.integers(-90, 90), st.integers(-90, 90)), max_size=3),
)
def test_any_holds_and_motion_come_back_in_their_rows(tmp_path_factory, holds, moves):
    folder = tmp_path_factory.mktemp("any")
    events = []
    for key, (first, more) in holds.items():
        events += [hand.press(first + 0.3, key), hand.release(min(first + more + 0.6, 9.9), key)]
    events += [hand.move(row + 0.5, float(dx), float(dy)) for row, dx, dy in moves]
    played = hand.play(folder / "s", [10], events)
    convert(played, folder / "a.pt", format="nitrogen_pt", options=["seq_len=1", "img_size=4"])
    held, motion = rows_of(open_any(folder / "a.pt")[0])
    assert held == {key: list(range(first, min(first + more, 9) + 1)) for key, (first, more) in holds.items()}
    wanted = np.zeros((10, 2))
    for row, dx, dy in moves:
        wanted[row] += dx, dy
    np.testing.assert_array_equal(motion, wanted)


@pytest.mark.parametrize(("stride", "seq_len"), [(3, 4), (2, 2), (5, 2)])
def test_a_stride_leaves_frames_out_and_is_read_back_by_time(session, tmp_path, stride, seq_len):
    options = ["img_size=16", f"stride={stride}", f"seq_len={seq_len}"]
    convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=options)
    firsts = [*range(0, 30 - seq_len + 1, stride), *range(30, 51 - seq_len + 1, stride)]
    found = loaded(tmp_path / "a.pt")
    np.testing.assert_array_equal(np.rint(found["obs"][:, 0].numpy() * 255), [small(k, 16)[:, :, 0] for k in firsts])
    (one,) = open_any(tmp_path / "a.pt")
    assert one.index()["t_ns"].tolist() == [k * STEP for k in firsts]
    assert one.ledger.balances
    if stride <= seq_len:
        events = one.events()
        assert events[events["control"] == "KeyW"]["t_ns"].tolist() == [2 * STEP, 4 * STEP]


def test_several_recordings_go_one_behind_the_other_and_come_back_as_several(session, tmp_path):
    other = hand.play(tmp_path / "s", [20], [hand.press(4.5, "Space"), hand.release(4.6, "Space")], name="other")
    convert(Sessions([session, other], format="x"), tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=8"])
    found = loaded(tmp_path / "a.pt")
    assert len(found["obs"]) == 15 + 6 + 5
    assert found["actions"][21, 4, 4] == 1
    one, two = open_any(tmp_path / "a.pt")
    assert (one.info.id, two.info.id, two.frame_count) == ("hand", "other", 5)
    assert rows_of(two)[0] == {"Space": [4]}


def test_what_a_pad_did_goes_through_the_map(tmp_path):
    from rushes.model.readings import Event

    events = [
        Event(round(1.2 * STEP), "pad", "SOUTH", "press"), Event(round(1.6 * STEP), "pad", "SOUTH", "release"),
        Event(round(2.5 * STEP), "pad", "J_LEFT_X", "axis", 0.9),
        Event(round(3.5 * STEP), "pad", "J_LEFT_X", "axis", 0.0),
    ]  # fmt: skip
    played = hand.play(tmp_path / "s", [6], events)
    convert(played, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=8", "seq_len=1"])
    rows = loaded(tmp_path / "a.pt")["actions"][:, 0].numpy()
    assert np.flatnonzero(rows[:, 4]).tolist() == [1]  # SOUTH is space in the default map
    assert np.flatnonzero(rows[:, 0]).tolist() == [2]


@pytest.mark.parametrize(
    ("options", "name", "says"),
    [
        (["seq_len=60"], "a.pt", r"the longest has 30 frames"),
        (["layout=capture28"], "a.pt", "capture20 or capture25"),
        (["obs=float16"], "a.pt", "float32 or uint8"),
        (["img_size=0"], "a.pt", "img_size=0"),
        (["mouse_scale=0"], "a.pt", "mouse_scale=0"),
        (["strict=true", "obs=uint8"], "a.pt", "what the reference writes"),
        ([], "a.npz", r"\.pt or \.safetensors"),
        (["action_delay_ms=soon"], "a.pt", "milliseconds"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is(session, tmp_path, options, name, says):
    with pytest.raises(BadInputError, match=says):
        convert(session, tmp_path / name, format="nitrogen_pt", options=options)
    assert list(tmp_path.iterdir()) == []


def test_play_of_an_emulator_has_no_place_and_is_told(fake, tmp_path):
    with pytest.raises(BadInputError, match=r"none of whose controls .*ALE/"):
        convert(fake.Fake([40]), tmp_path / "a.pt", format="nitrogen_pt")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_picture_ends_it_and_leaves_nothing(session, tmp_path):
    class Cut(type(session)):
        def pictures(self, start, stop):
            for k, picture in enumerate(super().pictures(start, stop), start):
                yield picture._replace(data=picture.data[:-40]) if k == 9 else picture

    with pytest.raises(BadDataError, match="hand, frame 9"):
        convert(Cut(session.path), tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("codec", ["png", "h264"])
def test_the_bytes_do_not_depend_on_who_makes_the_pictures(tmp_path, codec):
    played = hand.play(tmp_path / "s", [70], [hand.press(3.5, "KeyW")], codec=codec)
    found = []
    with ThreadPoolExecutor(1) as one, ProcessPoolExecutor(2) as processes:
        for number, executor in enumerate((None, one, processes)):
            target = tmp_path / f"{number}" / "a.pt"
            convert(played, target, format="nitrogen_pt", options=["img_size=24"], executor=executor)
            found.append([digest(p) for p in sorted(target.parent.iterdir())])
    assert found[0] == found[1] == found[2]


KILLED = """
import json, os, signal, sys, time
from pathlib import Path
from rushes.formats import tensor_writer
from rushes.formats.nitrogen import pt as nitrogen_pt
from rushes.formats.base import convert
from rushes.store.resized import resized
tensor_writer._SYNC_BYTES, tensor_writer._NOTE_BYTES = 20_000, 40_000
target = Path(sys.argv[2])
def noted():
    path = target.with_name(f".{target.name}.progress.partial")
    return path.exists() and json.loads(path.read_text())["tensors"]["obs"]["rows"]
def some(*given, **named):
    for number, batch in enumerate(resized(*given, **named)):
        if number == 3:
            while not noted():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch
nitrogen_pt.resized = some
convert(sys.argv[1], sys.argv[2], format="nitrogen_pt", options=["img_size=32"])
"""


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_a_killed_conversion_goes_on_and_ends_with_the_same_bytes(tmp_path, monkeypatch, name):
    played = hand.play(tmp_path / "s", [90], [hand.press(3.5, "KeyW"), hand.move(8, 3, 4)], codec="h264")
    convert(played, tmp_path / "whole" / name, format="nitrogen_pt", options=["img_size=32"])
    target = tmp_path / "killed" / name
    command = [sys.executable, "-c", KILLED, str(played.path), str(target)]
    run = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(LIB)}, capture_output=True, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert all(p.name.startswith(".") and p.name.endswith(".partial") for p in target.parent.iterdir())
    noted = json.loads((target.parent / f".{name}.progress.partial").read_text())["tensors"]
    assert noted["obs"]["rows"] > 0
    made = []

    def counted(*given, **named):
        for batch in resized(*given, **named):
            made.append(len(batch))
            yield batch

    monkeypatch.setattr(nitrogen_pt, "resized", counted)
    convert(open_session(played.path), target, format="nitrogen_pt", options=["img_size=32"])
    assert sum(made) == 75 - noted["obs"]["rows"] < 75
    assert [digest(p) for p in sorted(target.parent.iterdir())] == [
        digest(p) for p in sorted((tmp_path / "whole").iterdir())
    ]


@pytest.mark.parametrize("changed", ["inputs", "pictures"])
def test_another_source_does_not_go_on_with_what_this_one_left(tmp_path, monkeypatch, changed):
    """It has the same name, times and segments, and what was done of the first one is not in the file."""
    first = hand.play(tmp_path / "one" / "s", [40], [hand.press(3.5, "KeyW")])
    if changed == "pictures":
        monkeypatch.setattr(hand, "SCENERY", hand.Scenery((hand.HEIGHT, hand.WIDTH), seed=6))
    second = hand.play(tmp_path / "two" / "s", [40], [hand.press(5.5 if changed == "inputs" else 3.5, "KeyW")])
    if changed == "inputs":  # neither do the manifests tell
        monkeypatch.setattr(pt_plan, "content_of", lambda _: "same")

    def interrupted(*given, **named):
        yield next(resized(*given, **named))
        raise KeyboardInterrupt

    target = tmp_path / "out" / "a.pt"
    with monkeypatch.context() as patched:
        patched.setattr(nitrogen_pt, "resized", interrupted)
        with pytest.raises(StoppedError):
            convert(first, target, format="nitrogen_pt", options=["img_size=16"])
    convert(second, target, format="nitrogen_pt", options=["img_size=16"])
    convert(second, tmp_path / "fresh" / "a.pt", format="nitrogen_pt", options=["img_size=16"])
    assert digest(target) == digest(tmp_path / "fresh" / "a.pt")


def test_ctrl_c_keeps_what_is_done_and_other_options_begin_anew(session, tmp_path, monkeypatch):
    def interrupted(*given, **named):
        yield next(resized(*given, **named))
        raise KeyboardInterrupt

    target = tmp_path / "a.pt"
    with monkeypatch.context() as patched:
        patched.setattr(nitrogen_pt, "resized", interrupted)
        with pytest.raises(StoppedError, match=r"stopped before it was complete.*run the same again"):
            convert(session, target, format="nitrogen_pt", options=["img_size=16"])
    assert {p.name for p in tmp_path.iterdir()} == {".a.pt.partial", ".a.pt.progress.partial"}
    noted = json.loads((tmp_path / ".a.pt.progress.partial").read_text())["tensors"]
    assert noted["obs"]["rows"] == 15  # all of the first chunk
    convert(session, target, format="nitrogen_pt", options=["img_size=16", "mouse_scale=100"])
    assert {p.name for p in tmp_path.iterdir()} == {"a.pt", "a.pt.card.json", "a.pt.card.md"}
    convert(session, tmp_path / "b" / "a.pt", format="nitrogen_pt", options=["img_size=16", "mouse_scale=100"])
    assert digest(target) == digest(tmp_path / "b" / "a.pt")


def test_a_disk_that_is_too_full_to_go_on_keeps_what_an_earlier_try_left(session, tmp_path, monkeypatch):
    def interrupted(*given, **named):
        yield next(resized(*given, **named))
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(nitrogen_pt, "resized", interrupted)
        with pytest.raises(StoppedError):
            convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16"])
    left = {p.name: digest(p) for p in tmp_path.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
        with pytest.raises(StorageError, match="the disk is full"):
            convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16"])
    assert {p.name: digest(p) for p in tmp_path.iterdir()} == left


def test_a_disk_that_is_too_small_is_told_and_nothing_stays(session, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with pytest.raises(OSError, match=r"the disk is full.*free some space"):
            convert(session, folder / "a.pt", format="nitrogen_pt", options=["img_size=64"])
        assert list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


# --- files of others -------------------------------------------------------------------------------------------------


def reference(rows, *, seq_len=4, side=8, **meta):
    """A file as the reference's converter makes it: frame k is grey by k, rows as its logger noted them."""
    count = len(rows) - seq_len + 1
    grey = np.arange(count, dtype=np.float32)[:, None, None, None] / 255.0
    said = {"img_size": side, "seq_len": seq_len, "mouse_scale": 300.0, "mouse_clip": 1.0, "actions_layout": "..."}
    return {
        "obs": torch.from_numpy(np.broadcast_to(grey, (count, 3, side, side)).copy()),
        "actions": torch.from_numpy(np.stack([rows[k : k + seq_len] for k in range(count)]).astype(np.float32)),
        "meta": said | meta,
    }


def test_a_file_of_the_reference_is_read_and_its_motion_moved_back_by_one_row(tmp_path):
    rows = np.zeros((20, 20), np.float32)
    rows[3:6, 1], rows[4, 8] = 1, 1  # w, lmb: noted when the frame was taken
    rows[0, 2], rows[7, 2:4] = 0.5, (30 / 300, -12 / 300)
    torch.save(reference(rows), tmp_path / "game.pt")
    (one,) = found = open_any(tmp_path / "game.pt")
    assert (one.info.id, one.frame_count, one.info.time_source) == ("game", 17, "assumed")
    held, motion = rows_of(one)
    assert held == {"KeyW": [3, 4, 5], "MouseLeft": [4]}
    assert [(k, *motion[k]) for k in np.flatnonzero(motion.any(1))] == [(6, 30, 12)]
    assert one.frame(9).tolist() == np.full((8, 8, 3), 9).tolist()
    assert {p.kind for p in found.problems} == {"assumed_rate"}
    assert one.ledger["actions"].marked == {"motion_before_first_frame": 1}
    (other,) = open_any(tmp_path / "game.pt", options=["fps=10"])
    assert other.index()["t_ns"].tolist() == [k * 100_000_000 for k in range(17)]


@pytest.mark.parametrize("block", [1, 5, 6, 7, 4096])
def test_a_window_that_does_not_go_on_begins_a_segment(tmp_path, monkeypatch, block):
    monkeypatch.setattr(pt_read, "_BLOCK", block)
    rng = np.random.default_rng(0)
    one, two = (reference((rng.random((n, 20)) > 0.5).astype(np.float32)) for n in (9, 12))
    both = {key: torch.cat([one[key], two[key]]) for key in ("obs", "actions")} | {"meta": one["meta"]}
    torch.save(both, tmp_path / "a.pt")
    (found,) = open_any(tmp_path / "a.pt")
    assert [s.frames for s in found.segments] == [6, 9]
    assert found.ledger["actions"].lost == {"without_frame": 6}


def test_columns_go_by_their_names_and_unknown_ones_are_left_out(tmp_path):
    """As encode.py of the reference's HEAD writes them: K keys, then the sticks."""
    names = ["w", "space", "left_click", "key_80", "lx", "ly", "rx", "ry"]
    rows = np.zeros((10, 8), np.float32)
    rows[2, [0, 5]], rows[3, 1], rows[4, 2], rows[5, 3] = 1, 1, 1, 1
    torch.save(reference(rows, action_names=names, source_meta={"fps": 60}), tmp_path / "a.pt")
    (one,) = found = open_any(tmp_path / "a.pt")
    assert rows_of(one)[0] == {"KeyW": [2], "Space": [3], "MouseLeft": [4]}
    assert one.info.stream("frames").rate_hz == 60
    assert any(p.kind == "unknown_column" and "key_80" in p.where for p in found.problems)
    torch.save(reference(rows), tmp_path / "b.pt")
    with pytest.raises(BadDataError, match="8 columns without their names"):
        open_any(tmp_path / "b.pt")


def test_all_89_columns_of_the_references_head_are_known(tmp_path):
    from rushes.model.layouts import layout

    names = [s.name for s in layout("capture85").slots] + ["lx", "ly", "rx", "ry"]
    rows = np.zeros((10, 89), np.float32)
    rows[3, names.index("scroll_up")], rows[4, names.index("f5")] = 1, 1
    torch.save(reference(rows, action_names=names), tmp_path / "a.pt")
    (one,) = open_any(tmp_path / "a.pt", options=["fps=25"])
    events = one.events()
    assert rows_of(one)[0] == {"F5": [4]}
    turned = events[events["kind"] == "scroll"]
    assert turned["value"].tolist() == [1.0]
    assert (turned["t_ns"] // STEP).tolist() == [2]  # since the frame before


def test_rows_that_are_no_numbers_are_left_out_with_their_row_named(tmp_path):
    rows = np.zeros((12, 20), np.float32)
    rows[5, 7] = np.nan
    rows[2:9, 4] = 1
    torch.save(reference(rows), tmp_path / "a.pt")
    (one,) = found = open_any(tmp_path / "a.pt")
    assert [(s.frames, s.end_reason) for s in one.segments] == [(5, "gap"), (3, "unknown")]
    assert rows_of(one)[0] == {"Space": [2, 3, 4, 5, 6, 7]}
    assert [one.frame(k)[0, 0, 0] for k in range(8)] == [0, 1, 2, 3, 4, 6, 7, 8]
    assert one.index()["t_ns"].tolist() == [round(k * 1e9 / 30) for k in (0, 1, 2, 3, 4, 6, 7, 8)]
    assert one.ledger["frames"].lost == {"not_a_number": 1}
    (problem,) = [p for p in found.problems if p.kind == "not_a_number"]
    assert problem.where.endswith("a.pt, actions row 5")


def test_a_picture_that_is_no_numbers_is_named_by_its_row(tmp_path):
    held = reference(np.zeros((9, 20)))
    held["obs"][4, 0, 0, 0] = float("nan")
    held["obs"][2] *= 300
    torch.save(held, tmp_path / "a.pt")
    (one,) = open_any(tmp_path / "a.pt")
    for k in (2, 4):
        with pytest.raises(BadDataError, match=f"obs row {k}: values from"):
            one.frame(k)
    assert one.frame(3)[0, 0, 0] == 3


def test_lengths_that_differ_are_told_and_counted(tmp_path):
    held = reference(np.zeros((12, 20)))
    torch.save(held | {"obs": held["obs"][:7]}, tmp_path / "a.pt")
    (one,) = found = open_any(tmp_path / "a.pt")
    assert one.frame_count == 7
    assert one.ledger["frames"].lost == {"unequal_lengths": 2}
    assert any(p.kind == "unequal_lengths" and "row 7" in p.where for p in found.problems)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"obs": torch.zeros(9, 8, 8, 3)}, r"obs \(9, 8, 8, 3\)"),
        ({"actions": torch.zeros(9, 20)}, r"actions of shape \(9, 20\)"),
        ({"obs": [1, 2]}, "obs is no array of plain numbers"),
        ({"obs": torch.zeros(9, 3, 8, 8, dtype=torch.bfloat16)}, "obs is no array of plain numbers"),
        ({"obs": torch.zeros(9, 3, 8, 8, dtype=torch.int64)}, "obs of shape"),
        ({"actions": torch.zeros(0, 4, 20)}, "at least one row"),
        ({"actions": torch.full((9, 4, 20), float("nan"))}, "no row of numbers"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_file_named(tmp_path, change, says):
    torch.save(reference(np.zeros((12, 20))) | change, tmp_path / "odd.pt")
    with pytest.raises(BadDataError, match=f"odd.pt: .*{says}|odd.pt: {says}"):
        open_any(tmp_path / "odd.pt", format="nitrogen_pt")


def test_a_missing_key_and_bad_numbers_in_meta(tmp_path):
    held = reference(np.zeros((12, 20)))
    torch.save({"obs": held["obs"], "meta": {}, "note": "actions"}, tmp_path / "a.pt")
    with pytest.raises(BadDataError, match=r"a\.pt: no actions"):
        open_any(tmp_path / "a.pt")
    torch.save(
        {**held, "meta": {"mouse_scale": -1, "mouse_clip": "x", "rushes": {"segments": [{}]}}}, tmp_path / "b.pt"
    )
    kinds = [p.kind for p in open_any(tmp_path / "b.pt").problems]
    assert kinds.count("bad_number") == 2
    assert "bad_segments" in kinds


def said(**change):
    """Segments as our own files name them, with one lie."""
    return {"source": 0, "first_window": 0, "windows": 9, "start_ns": 0, "end_reason": ""} | change


@pytest.mark.parametrize(
    "own",
    [
        {"sources": [{}], "segments": [said(windows=10**30)]},
        {"sources": [{}], "segments": [said(start_ns=10**40)]},
        {"sources": [{"fps": 1e-300}], "stride": 10**12, "segments": [said()]},
        {"sources": [{}], "segments": [said(source=4)]},
        {"sources": 5, "segments": "x"},
        {"sources": [], "segments": []},
        {"sources": [3], "segments": [7]},
    ],
)
def test_segments_that_lie_do_no_harm(tmp_path, own):
    torch.save(reference(np.zeros((12, 20)), rushes=own), tmp_path / "a.pt")
    (one,) = open_any(tmp_path / "a.pt")
    assert one.frame_count == 9
    assert len(list(one.frames(0, 9))) == 9


def test_a_file_of_ours_that_somebody_cut_keeps_its_rows(session, tmp_path):
    for stride, windows in ((1, 18), (2, 10)):
        options = ["img_size=8", "seq_len=16", f"stride={stride}"]
        convert(session, tmp_path / f"{stride}.pt", format="nitrogen_pt", options=options)
        held = loaded(tmp_path / f"{stride}.pt")
        cut = {key: held[key][:windows].clone() for key in ("obs", "actions")} | {"meta": held["meta"]}
        torch.save(cut, tmp_path / f"cut{stride}.pt")
        (one,) = found = open_any(tmp_path / f"cut{stride}.pt")
        assert {p.kind for p in found.problems} == {"bad_segments"}
        whole, events = open_any(tmp_path / f"{stride}.pt")[0].events(0), one.events(0)
        shown = ["t_ns", "control", "kind", "dx", "dy"]
        assert events[shown].fillna(0).to_numpy().tolist() == whole[shown].fillna(0).to_numpy().tolist()
        assert [s.frames for s in one.segments] == ([15, 3] if stride == 1 else [8, 2])


@pytest.mark.parametrize("name", ["obs", "actions"])
def test_one_number_that_is_said_to_stand_everywhere_is_refused(tmp_path, name):
    held = reference(np.zeros((12, 20)))
    many = held[name][:1].expand(1_000_000_000, *held[name].shape[1:])
    torch.save(held | {name: many}, tmp_path / "a.pt")
    assert (tmp_path / "a.pt").stat().st_size < 30_000
    with pytest.raises(BadDataError, match=rf"a\.pt: {name} of shape \(1000000000, .*more than the"):
        open_any(tmp_path / "a.pt")


def test_times_that_no_recording_has_are_refused(tmp_path):
    own = {"sources": [{"fps": 1e-3}], "stride": 10**6, "segments": [said(start_ns=2**61)]}
    torch.save(reference(np.zeros((12, 20)), rushes=own), tmp_path / "a.pt")
    with pytest.raises(BadDataError, match=r"a\.pt, meta\.rushes: rows up to"):
        open_any(tmp_path / "a.pt")


def test_what_a_file_calls_itself_is_a_name_or_is_not_taken(tmp_path):
    for number, name in enumerate(["a\0b", "\ud800", "x" * 300, ["x"], 7, ""]):
        own = {"sources": [{"id": name, "game": name, "motion_unit": name}], "segments": [said(end_reason=name)]}
        torch.save(reference(np.zeros((12, 20)), rushes=own), tmp_path / f"{number}.pt")
        (one,) = open_any(tmp_path / f"{number}.pt")
        assert (one.info.id, one.info.game, one.info.stream("events").unit) == (str(number), "unknown", "px")
        assert one.segments[0].end_reason == "unknown"
        convert(one, tmp_path / f"copy{number}", format="session")


def test_a_name_that_leads_out_of_the_folder_writes_nothing_there(tmp_path):
    own = {"sources": [{"id": "../../out"}], "segments": [said()]}
    torch.save(reference(np.zeros((12, 20)), rushes=own), tmp_path / "a.pt")
    convert(open_any(tmp_path / "a.pt"), tmp_path / "in" / "copy", format="session")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pt", "in"]
    assert len([p for p in (tmp_path / "in" / "copy").iterdir() if p.is_dir()]) == 1


def test_a_damaged_archive_is_told_whatever_is_damaged(tmp_path):
    torch.save(reference(np.zeros((12, 20))), tmp_path / "plain.pt")
    packed = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "plain.pt") as plain, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in plain.namelist():
            out.writestr(name, plain.read(name))
    deflated = bytearray(packed.getvalue())
    deflated[60:100] = bytes(range(200, 240))
    named = bytearray((tmp_path / "plain.pt").read_bytes())
    place = named.rindex(b"data.pkl")
    named[place] = 0xFF
    named[named.rindex(b"PK\x01\x02", 0, place) + 9] |= 8  # its names are UTF-8
    for content in (deflated, named):
        (tmp_path / "a.pt").write_bytes(content)
        with pytest.raises(BadDataError, match=r"a\.pt"):
            sniff_path(tmp_path / "a.pt")


def test_numbers_that_are_beyond_everything_are_left_out_too(tmp_path):
    rows = np.zeros((12, 20), np.float32)
    rows[5, 2] = 1e38
    torch.save(reference(rows), tmp_path / "a.pt")
    (one,) = open_any(tmp_path / "a.pt")
    assert [s.frames for s in one.segments] == [4, 4]
    assert one.ledger["frames"].lost == {"not_a_number": 1}


def test_an_old_file_without_a_zip_is_read_too(tmp_path):
    rows = np.zeros((12, 20), np.float32)
    rows[2, 4] = 1
    torch.save(reference(rows), tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    assert sniff_path(tmp_path / "a.pt") == "nitrogen_pt"
    assert rows_of(open_any(tmp_path / "a.pt")[0])[0] == {"Space": [2]}


def test_a_safetensors_file_of_somebody_else_is_read(tmp_path):
    held = reference(np.zeros((12, 20)))
    tensors = {key: held[key].numpy() for key in ("obs", "actions")}
    save_file(tensors, tmp_path / "a.safetensors", {"mouse_scale": "150", "note": "mine"})
    (one,) = open_any(tmp_path / "a.safetensors")
    assert one.frame(7)[0, 0].tolist() == [7, 7, 7]
    data = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[:-100])
    with pytest.raises(BadDataError, match=r"cut\.safetensors"):
        open_any(tmp_path / "cut.safetensors")


def test_a_cut_file_is_told(session, tmp_path):
    convert(session, tmp_path / "a.pt", format="nitrogen_pt", options=["img_size=16"])
    data = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadDataError, match=r"cut\.pt: a file of tensors that is cut"):
        open_any(tmp_path / "cut.pt")


class Call:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def hostile(data, *, extra=()):
    """A ZIP as torch's with this pickle in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
        for name in ("archive/data/0", "archive/data/1", *extra):
            archive.writestr(name, bytes(4000))
    return out.getvalue()


@pytest.mark.parametrize("what", ["system", "eval", "path", "old", "setstate"])
def test_a_hostile_file_runs_nothing_and_touches_nothing(tmp_path, what):
    mark = tmp_path / "ran"
    calls = {
        "system": Call(os.system, f"touch {mark}"),
        "eval": Call(eval, f"open({str(mark)!r}, 'w')"),
        "setstate": Call(Path.touch, mark),
    }
    folder = tmp_path / "in"
    folder.mkdir()
    if what == "path":
        out = "../" * 5 + f"{tmp_path.name}_out"
        content = hostile(pickle.dumps({"obs": 1, "actions": 2, "meta": {}}), extra=[out, str(mark)])
    elif what == "old":
        parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
        data = {"obs": calls and Call(os.system, f"touch {mark}"), "actions": 1}
        content = b"".join(pickle.dumps(part, protocol=2) for part in (*parts, data, []))
    else:
        content = hostile(pickle.dumps({"obs": calls[what], "actions": 1, "meta": {}}, protocol=2))
    (folder / "a.pt").write_bytes(content)
    for asked in ({}, {"format": "nitrogen_pt"}):
        with pytest.raises(BadDataError, match=r"a\.pt"):
            open_any(folder / "a.pt", **asked)
    assert not mark.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    assert [p.name for p in folder.iterdir()] == ["a.pt"]


def test_a_file_of_other_tensors_is_none_of_ours(tmp_path):
    torch.save({"actions": torch.zeros(3, 28), "mouse_deltas": torch.zeros(3, 2)}, tmp_path / "dataset.pt")
    np.savez(tmp_path / "a.npz", obs=np.zeros(3), actions=np.zeros(3))
    for name in ("dataset.pt", "a.npz"):
        with pytest.raises(BadDataError, match="which no format knows"):
            sniff_path(tmp_path / name)


# --- memory ----------------------------------------------------------------------------------------------------------

GROWING = """
import sys, threading, time
import numpy as np
sys.path.insert(0, sys.argv[1])
import hand_play as hand
from pathlib import Path
from rushes.formats.base import convert
from rushes.model.session import Segment
from rushes.store.reader import Session
session = hand.play(Path(sys.argv[2]) / "s", [64], [hand.press(3.5, "KeyW")])
COUNT, MADE = int(sys.argv[3]), list(session.pictures(0, 64))

class Long(Session):
    def __init__(self, path):
        super().__init__(path)
        self.segments = (Segment(0, 0, COUNT * hand.STEP, 0, COUNT, "stop"),)
        self.made = MADE
    def index(self, segment=None):
        import pandas as pd
        k, no = np.arange(COUNT), np.zeros(COUNT, bool)
        return pd.DataFrame({"frame_index": k, "tick": k, "picture": k, "t_ns": k * hand.STEP, "segment": 0 * k,
                             "duplicate": no, "late": no, "dropped_before": 0 * k})
    def stored(self, start, stop):
        yield self.path, False, list(range(start, stop))
    def pictures(self, start, stop):
        for k in range(start, stop):
            yield self.made[k % 64]

def anonymous():
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("RssAnon"))
    return int(line.split()[1]) / 1024
seen, over = [], threading.Event()
def told(done, total, what):
    seen.append((done / total, anonymous()))
convert(Long(session.path), Path(sys.argv[2]) / "long.pt", format="nitrogen_pt", progress=told)
print(max(mb for part, mb in seen if part < 1 / 3), max(mb for part, mb in seen if part > 2 / 3))
print(max(mb for _, mb in seen))
print(Path(sys.argv[2], "long.pt").stat().st_size)
"""


def grow(folder, frames):
    command = [sys.executable, "-c", GROWING, str(HERE), str(folder), str(frames)]
    run = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(LIB)}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    first, last, most, size = (float(word) for word in run.stdout.split())
    return first, last, most, size


def test_memory_does_not_grow_with_the_length(tmp_path):
    first, last, most, size = grow(tmp_path, 315)
    assert size > 300 * 3 * 256 * 256 * 4
    assert most < 1000
    assert last < first + 100
    (tmp_path / "long.pt").unlink()


@pytest.mark.full
def test_ten_gb_take_less_than_one_gb_of_memory(tmp_path):
    first, last, most, size = grow(tmp_path, 13_015)
    assert size > 10.2e9
    assert most < 1000
    assert last < first + 60
    found = loaded(tmp_path / "long.pt")
    assert found["obs"].shape == (13_000, 3, 256, 256)
    np.testing.assert_array_equal(np.rint(found["obs"][12_999].numpy() * 255)[0], small(12_999 % 64, 256)[:, :, 0])
    assert zipfile.ZipFile(tmp_path / "long.pt").testzip() is None
    (tmp_path / "long.pt").unlink()

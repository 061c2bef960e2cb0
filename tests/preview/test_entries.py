"""The first entries of each stage's file, against rows that are planted here."""

import json
import math

import numpy as np
import pytest

from rushes.errors import BadInputError, MissingError, OccupiedError
from rushes.formats.base import open_any
from rushes.model.actions import ActionSpace
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.preview.entries import MOST, Entry, entries_sheet, entry_text, first_entries

SPACE = ActionSpace.from_names(["KeyA", "KeyW"])


def row(name, frame, *, label=1.0, hold=np.nan, phase="press", session="doom-1", **more):
    kind = {} if label else {"kind": "near_miss", "reason": "near_miss: 3 frames after"}
    return {
        "sample_id": name, "session": session, "frame_index": frame, "t_ns": frame, "control": "KeyW",
        "label": label, "keys": [0.0, 1.0], "hold_s": hold, "phase": phase, **kind,
    } | more  # fmt: skip


def read(recordings, *rows, count=5):
    samples = Samples(samples_frame(rows), SPACE)
    return first_entries(Sessions(recordings, format="samples", samples=samples), count)


def test_an_entry_says_what_the_guides_last_script_prints(alien):
    """Frame 3 of the session in memory is grey 21, 210 x 160."""
    first = row("a", 3, hold=0.2944, session=alien.info.id)
    found = read([alien], first, row("b", 5, label=0.0, phase="up", session=alien.info.id))
    assert (found.total, dict(found.counts), found.keys) == (2, {"near_miss": 1, "positive": 1}, ("KeyA", "KeyW"))
    assert entry_text(1, found.shown[0]).splitlines()[:7] == [
        "Entry #1",
        "  image.shape     : (210, 160, 3)",
        "  label           : 1.0",
        "  keys_raw        : [0. 1.]",
        "  hold_duration   : [0.    0.294]",
        "  phase           : press",
        "  frame_index     : 3",
    ]
    second = entry_text(2, found.shown[1])
    assert "label           : 0.0" in second
    assert "hold_duration   : [0. 0.]" in second
    assert "reason          : near_miss: 3 frames after" in second
    assert (found.shown[0].pixels == 21).all()


def test_a_window_says_its_length_and_the_frame_of_its_press(alien):
    (entry,) = read([alien], row("a", 1, length=3, session=alien.info.id)).shown
    assert (entry.shape, entry.frame_index) == ((3, 210, 160, 3), 3)
    assert (entry.pixels == 21).all(), "its last picture"


def test_a_hold_that_was_left_open_is_said_and_null_for_programs(alien):
    (entry,) = read([alien], row("a", 1, phase="open", session=alien.info.id)).shown
    assert math.isnan(entry.hold[1])
    said = json.loads(json.dumps(entry.to_json(), allow_nan=False))
    assert said["hold_duration"] == [0.0, None]
    assert said["phase"] == "open"
    assert said["kind"] == "positive"


def test_only_as_many_as_were_asked_for_are_read(alien):
    rows = [row(f"a{k}", k, session=alien.info.id) for k in range(5)]
    found = read([alien], *rows, count=2)
    assert (found.total, len(found.shown)) == (5, 2)
    for count in (0, MOST + 1):
        with pytest.raises(BadInputError, match="entries="):
            read([alien], *rows, count=count)


def test_a_recording_without_labels_shows_the_frames_of_its_presses_and_releases(desktop):
    """KeyW goes down at 0 and up at 0.2 s, the mouse's button down at 0.1 s; frames stand at 0, 0.1 and 0.2 s."""
    found = first_entries(Sessions([desktop], format="session"), 5)
    assert found.total == 3
    assert [(e.phase, e.frame_index, e.more["control"]) for e in found.shown] == [
        ("press", 0, "KeyW"), ("press", 1, "MouseLeft"), ("release", 2, "KeyW"),
    ]  # fmt: skip
    assert [e.label for e in found.shown] == [None] * 3
    assert found.shown[2].hold == (0.2, 0.0, 0.0)
    assert entry_text(1, found.shown[0]).splitlines()[2] == "  label           : none"


def test_a_key_log_shows_what_stands_in_its_rows_also_those_of_releases(tmp_path):
    """Keys are those that are down after the event, as the recorder notes them: A and W down, A up, W up."""
    image, vector = np.zeros((24, 24, 3), np.float32), lambda *values: np.array(values, np.float32)
    rows = [
        (image, 0.0, vector(1, 0), vector(0, 0), "press", 10),
        (image, 0.0, vector(1, 1), vector(0, 0), "press", 16),
        (image, 0.0, vector(0, 1), vector(0.4, 0), "release", 22),
        (image, 0.0, vector(0, 0), vector(0, 0.3), "release", 25),
    ]
    np.savez(tmp_path / "run.npz", data=np.array(rows, dtype=object), keys=np.array(["a", "w"], dtype=object))
    found = first_entries(open_any(tmp_path / "run.npz"))
    assert [entry.keys for entry in found.shown] == [(1, 0), (1, 1), (0, 1), (0, 0)]
    assert [entry.frame_index for entry in found.shown] == [10, 16, 22, 25]
    assert [entry.hold for entry in found.shown[2:]] == [pytest.approx((0.4, 0)), pytest.approx((0, 0.3))]


def test_pictures_stand_on_one_sheet_with_their_labels(alien, tmp_path):
    found = read([alien], *[row(f"a{k}", k, session=alien.info.id) for k in range(8)], count=8)
    sheet = entries_sheet(found, tmp_path / "e.png", title="file.npz")
    for grey in range(0, 8 * 7, 7):
        assert (sheet == grey).all(-1).sum() > 5000, "each picture"
    with pytest.raises(OccupiedError):
        entries_sheet(found, tmp_path / "e.png")


def test_a_session_that_is_not_there_is_named(alien):
    with pytest.raises(MissingError, match="elsewhere"):
        read([alien], row("a", 0, session="elsewhere"))


def test_numbers_are_those_of_the_guide():
    entry = Entry((227, 227, 3), 1.0, (1.0,), (0.294,), "press", 7720)
    assert entry_text(1, entry).splitlines()[3:5] == ["  keys_raw        : [1.]", "  hold_duration   : [0.294]"]

"""Telemetry and edges in training files: any field comes back with its type, and what a row has not stays missing."""

import json

import numpy as np
import pytest

from rushes.formats.base import convert, open_any
from rushes.model.actions import ActionSpace
from rushes.model.readings import OF_FRAME_BEFORE, Event, Frame, Gap, Start, Step, Telemetry
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter

MS = 1_000_000
FORMS = ["set.h5:hdf5", "set.npz:npz", "set.pt:torch", "set.safetensors:torch", "set:tfrecord"]
FIRST = [
    (0, 0, {"battery": 99.5, "zone": "safe", "saved": 1, "known": True}),
    (50, None, {"event": "rescue \u00e9"}),
    (100, 1, {"battery": 98.25, "zone": "", "saved": 2, "known": False}),
]
SECOND = [(1000, 2, {"battery": 97.0, "own": 7}), (1100, 3, {"zone": "red zone", "known": True})]
"""ms, frame, fields."""


def write(path, number, told):
    info = SessionInfo(
        id=f"play-{number}", game="Rescue", source={"kind": "browser", "name": "demo"}, time_source="measured",
        streams=(StreamSpec("screen", "frames", "png", width=8, height=8, rate_hz=10.0),
                 StreamSpec("events", "events", unit="px"), StreamSpec("telemetry", "telemetry")),
        action_space=ActionSpace.from_layout("capture28"),
    )  # fmt: skip
    with SessionWriter(path, info) as writer:
        for rows in told:
            writer.write(Start(rows[0][0] * MS, {}))
            writer.write(Event(rows[0][0] * MS, "keyboard", "KeyW", "press", 1.0))
            for at_ms, frame, fields in rows:
                if frame is not None:
                    writer.write(Frame(at_ms * MS, np.full((8, 8, 3), frame, np.uint8)))
                writer.write(Telemetry(at_ms * MS, fields, None if frame is None else OF_FRAME_BEFORE))
            writer.write(Gap((rows[-1][0] + 100) * MS, "stop"))
    return open_session(path)


def rows_of(table):
    """(ms, segment, frame, the fields that the row has) of each row."""
    plain = table.astype(object).where(table.notna(), None)
    found = []
    for row in plain.to_dict("records"):
        ms, segment, frame = row.pop("t_ns") // MS, row.pop("segment"), row.pop("frame_index")
        found.append((ms, segment, frame, {name: value for name, value in row.items() if value is not None}))
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_field_comes_back_and_what_a_row_has_not_stays_missing(tmp_path, form):
    name, _, form = form.partition(":")
    both = write(tmp_path / "one", 1, [FIRST, SECOND])
    other = write(tmp_path / "two", 2, [[(0, 0, {"speed": 3.5})]])
    silent = write(tmp_path / "three", 3, [[(0, 0, {})]])
    options = ["sequence_length=1"] if form == "tfrecord" else []
    report = convert(Sessions([both, other, silent], format="x"), tmp_path / name, format=form, options=options)
    assert (report.ledger["telemetry"].offered, report.ledger["telemetry"].kept) == (7, 7)
    one, two, _ = open_any(tmp_path / name)
    told = [(ms, part, frame, fields) for part, rows in enumerate((FIRST, SECOND)) for ms, frame, fields in rows]
    assert rows_of(one.telemetry()) == told
    assert rows_of(one.telemetry(1)) == told[3:]
    assert rows_of(two.telemetry()) == [(0, 0, 0, {"speed": 3.5})]
    assert one.ledger["telemetry"].kept == 5


def test_numpy_alone_reads_a_field_as_a_column(tmp_path):
    convert(write(tmp_path / "one", 1, [FIRST]), tmp_path / "set.npz", format="npz")
    with np.load(tmp_path / "set.npz", allow_pickle=False) as data:
        told = data["telemetry"]
        assert told["battery"][told["frame_index"] >= 0].tolist() == [99.5, 98.25]
        assert np.isnan(told["battery"][1])
        assert [text.decode() for text in told["event"].tolist()] == ["", "rescue \u00e9", ""]
        assert told["frame_index"].tolist() == [0, -1, 1]
        names = [name for name in told.dtype.names if name not in {"t_ns", "segment", "frame_index", "known_"}]
        assert told["known_"][1].tolist() == [name == "event" for name in names]


def test_record_files_keep_the_rows_of_frames_that_a_window_shows_and_count_the_others(tmp_path):
    rows = [(100 * k, k, {"k": k}) for k in range(5)] + [(450, None, {"k": 45})]
    report = convert(
        write(tmp_path / "one", 1, [rows]), tmp_path / "set", format="tfrecord",
        options=["sequence_length=2", "rest=false"],
    )  # fmt: skip
    (found,) = open_any(tmp_path / "set")
    assert [fields for *_, fields in rows_of(found.telemetry())] == [{"k": k} for k in range(4)]
    assert dict(report.ledger["telemetry"].lost) == {"outside_windows": 2}
    card = json.loads((tmp_path / "set.card.json").read_text())
    assert "telemetry" in card["kept"]


@pytest.mark.parametrize("form", FORMS)
def test_of_an_environment_played_by_hand_the_edges_come_back_beside_its_steps(tmp_path, form):
    name, _, form = form.partition(":")
    info = SessionInfo(
        id="by-hand", game="Breakout", source={"kind": "env", "name": "ALE/Breakout-v5"}, time_source="measured",
        streams=(StreamSpec("screen", "frames", "png", width=8, height=8, rate_hz=10.0),
                 StreamSpec("steps", "steps"), StreamSpec("events", "events")),
        action_space=ActionSpace.discrete(["NOOP", "LEFT"], world="ALE"),
    )  # fmt: skip
    with SessionWriter(tmp_path / "session", info) as writer:
        writer.write(Start(0, {}))
        for frame in range(4):
            writer.write(Frame(frame * 100 * MS, np.full((8, 8, 3), frame, np.uint8)))
            if frame < 3:
                human = frame == 1
                writer.write(Step(frame * 100 * MS, frame, int(human), is_human=human))
                writer.write(Event((frame * 100 + 30) * MS, "keyboard", "KeyA", "press" if human else "release"))
        writer.write(Gap(400 * MS, "stop"))
    convert(tmp_path / "session", tmp_path / name, format=form)
    (back,) = open_any(tmp_path / name)
    edges = back.events(0)[["t_ns", "control", "kind"]].to_numpy().tolist()
    assert edges == [[30 * MS, "KeyA", "release"], [130 * MS, "KeyA", "press"], [230 * MS, "KeyA", "release"]]
    assert back.steps(0)["is_human"].tolist() == [False, True, False]
    card = json.loads((tmp_path / f"{name}.card.json").read_text())
    assert card["ledger"]["events"]["kept"] == 3

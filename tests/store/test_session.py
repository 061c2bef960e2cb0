"""Writer, seal, reader and recovery together: what goes in comes out, wherever the writer dies."""

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rushes.errors import BadDataError, BadInputError, BusyError, MissingError, OccupiedError, StorageError
from rushes.model.actions import ActionSpace
from rushes.model.clock import Clock
from rushes.model.readings import OF_FRAME_BEFORE, Encoded, Event, Frame, Gap, Sound, Start, Step, Telemetry
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact, read_facts
from rushes.store.reader import open_session, open_sessions
from rushes.store.recover import discard_unfinished, recover
from rushes.store.writer import SessionWriter

KEYS = ActionSpace.from_names(["KeyW", "MouseDX", "MouseDY"])
GAME = ActionSpace.discrete(["NOOP", "LEFT"], world="ALE")


@pytest.fixture
def hasty(monkeypatch):
    """Wait for no disk: the thousands of seals of a test say nothing about power cuts."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def described(space=KEYS, kind="events"):
    return SessionInfo(
        id="made-by-hand",
        game="Test",
        source={"kind": "synthetic", "name": "test"},
        time_source="measured",
        streams=(StreamSpec("screen", "frames", "png", width=8, height=6), StreamSpec(kind, kind)),
        action_space=space,
    )


def picture(number):
    return np.full((6, 8, 3), [number % 256, 255 - number % 256, number // 256], np.uint8)


def play(frames, *, first=0, t0=0):
    """Readings of one episode, and nothing but literals in them."""
    yield Start(t0, {"seed": 5})
    for k in range(frames):
        t_ns = t0 + k * 100
        yield Frame(t_ns, picture(first + k))
        if k < frames - 1:
            yield Step(t_ns, -1, k % 2, ("ALE/NOOP", "ALE/LEFT")[k % 2], float(k), k == frames - 2, False, 3, k == 1)
    yield Gap(t0 + (frames - 1) * 100, "terminated", {"score": 1.0})


def write(path, readings, info=None, **options):
    with SessionWriter(path, info or described(), **options) as writer:
        for reading in readings:
            writer.write(reading)
    return open_session(path)


def test_an_episode_comes_back_as_it_was_written(tmp_path):
    session = write(tmp_path / "s", [*play(4), *play(3, first=4, t0=400)], described(GAME, "steps"))
    assert [(s.first_frame, s.frames, s.start_ns, s.end_ns, s.end_reason) for s in session.segments] == [
        (0, 4, 0, 300, "terminated"),
        (4, 3, 400, 600, "terminated"),
    ]
    assert session.segments[0].attrs == {"seed": 5, "score": 1.0}
    steps = session.steps()
    assert steps["frame_index"].tolist() == [0, 1, 2, 4, 5]
    assert steps["segment"].tolist() == [0, 0, 0, 1, 1]
    assert steps["action"].tolist() == [0, 1, 0, 0, 1]
    assert steps["reward"].tolist() == [0.0, 1.0, 2.0, 0.0, 1.0]
    assert steps["terminated"].tolist() == [False, False, True, False, True]
    assert steps["random_action"].tolist() == [False, True, False, False, True]
    for number, frame in enumerate(session.frames(0, 7)):
        assert (frame == picture(number)).all()
    assert (session.frame(5) == picture(5)).all()
    assert session.ledger.balances
    assert session.ledger["actions"].kept == 5
    assert [e.observations for e in session.episodes()] == [4, 3]


def test_the_files_are_what_the_documentation_says_and_open_with_pandas_and_pillow(tmp_path):
    write(tmp_path / "s", play(4), described(GAME, "steps"))
    chunk = tmp_path / "s" / "chunks" / "0001"
    assert sorted(p.name for p in chunk.iterdir()) == ["chunk.json", "images.parquet", "index.parquet", "steps.parquet"]
    assert list(pd.read_parquet(chunk / "steps.parquet")) == [
        "frame_index", "t_ns", "segment", "action", "action_name", "reward", "terminated", "truncated", "lives",
        "random_action", "is_human",
    ]  # fmt: skip
    assert list(pd.read_parquet(chunk / "index.parquet")) == [
        "frame_index", "tick", "picture", "t_ns", "segment", "duplicate", "late", "dropped_before",
    ]  # fmt: skip
    image = Image.open(io.BytesIO(pd.read_parquet(chunk / "images.parquet")["data"][2]))
    assert (np.asarray(image) == picture(2)).all()
    stored = json.loads((tmp_path / "s" / "session.json").read_text())
    assert stored["schema"] == "rushes/session/1"
    assert [s["frames"] for s in stored["segments"]] == [4]


def test_a_segment_runs_over_chunks_and_each_chunk_opens_with_the_state_of_the_inputs(tmp_path):
    readings = [Start(0)]
    for k in range(10):
        readings.append(Frame(k * 100, picture(k)))
        if k == 2:
            readings.append(Event(250, "keyboard", "KeyW", "press", 1.0))
        if k == 8:
            readings.append(Event(850, "keyboard", "KeyW", "release", 0.0))
    session = write(tmp_path / "s", [*readings, Gap(1000, "end")], chunk_frames=4)
    assert [(s.frames, s.start_ns, s.end_ns) for s in session.segments] == [(10, 0, 1000)]
    chunks = sorted((tmp_path / "s" / "chunks").iterdir())
    assert [len(pd.read_parquet(c / "index.parquet")) for c in chunks] == [4, 4, 2]
    second = pd.read_parquet(chunks[1] / "events.parquet")
    assert second[["control", "kind"]].to_numpy().tolist() == [["KeyW", "state"]]
    assert session.events()["kind"].tolist() == ["press", "release"], "a repeated state is no event"
    assert [int(f[0, 0, 0]) for f in session.frames(2, 9)] == [2, 3, 4, 5, 6, 7, 8]


def test_a_segment_begins_with_what_is_held_from_before(tmp_path):
    readings = [
        Start(0), Frame(0, picture(0)), Event(50, "keyboard", "KeyW", "press", 1.0), Gap(100, "pause"),
        Event(150, "mouse", "MouseLeft", "press", 1.0), Start(200), Frame(200, picture(1)),
        Event(250, "keyboard", "KeyW", "release", 0.0), Gap(300, "end"),
    ]  # fmt: skip
    session = write(tmp_path / "s", readings)
    rows = session.events(1)[["t_ns", "control", "kind"]].to_numpy().tolist()
    assert rows == [[200, "KeyW", "state"], [200, "MouseLeft", "state"], [250, "KeyW", "release"]]
    assert session.ledger["events"].marked == {"outside_segment": 1}


def test_repeated_late_and_dropped_frames_are_flagged_and_counted(tmp_path):
    readings = [
        Start(0), Frame(0, picture(0), tick=0), Frame(100, None, tick=1),
        Frame(400, picture(9), tick=4, late=True, dropped_before=2),
        Gap(500, "end"),
    ]  # fmt: skip
    session = write(tmp_path / "s", readings)
    index = session.index()
    assert index["picture"].tolist() == [0, 0, 1]
    assert index["duplicate"].tolist() == [False, True, False]
    assert [int(f[0, 0, 0]) for f in session.frames(0, 3)] == [0, 0, 9]
    account = session.ledger["frames"]
    assert (account.offered, account.kept, dict(account.lost)) == (5, 3, {"dropped_tick": 2})
    assert dict(account.marked) == {"duplicate": 1, "late": 1}


def test_a_repeated_picture_may_stand_at_the_start_of_a_chunk(tmp_path):
    """Chunks open alone, so the picture stands in the second one again; it is still a duplicate."""
    readings = [Start(0), *(Frame(k, picture(7) if k == 0 else None) for k in range(5)), Gap(5, "end")]
    session = write(tmp_path / "s", readings, chunk_frames=2)
    assert session.index()["duplicate"].tolist() == [False, True, True, True, True]
    assert [int(f[0, 0, 0]) for f in session.frames(0, 5)] == [7] * 5
    assert session.ledger["frames"].marked == {"duplicate": 4}


def test_telemetry_of_the_frame_before_gets_its_number(tmp_path):
    readings = [Start(0), Telemetry(0, {"battery": 100.0}, OF_FRAME_BEFORE)]
    for k in range(3):
        readings += [Frame(k, picture(k)), Telemetry(k, {"battery": 9.0 - k}, OF_FRAME_BEFORE)]
    session = write(tmp_path / "s", [*readings, Telemetry(3, {"battery": 0.0}), Gap(100, "end")])
    rows = session.telemetry()
    assert [None if pd.isna(f) else int(f) for f in rows["frame_index"]] == [None, 0, 1, 2, None]
    assert rows["battery"].tolist() == [100.0, 9.0, 8.0, 7.0, 0.0]


def test_telemetry_comes_back_with_its_own_fields(tmp_path):
    readings = [Start(0), Frame(0, picture(0)), Telemetry(5, {"health": 80, "zone": "red"}, 0), Gap(100, "end")]
    session = write(tmp_path / "s", readings)
    assert session.telemetry().to_dict("records") == [
        {"t_ns": 5, "segment": 0, "frame_index": 0, "health": 80, "zone": "red"}
    ]


def killed_after(path, count):
    """A session whose writer vanished after `count` readings."""
    writer = SessionWriter(path, described(GAME, "steps"), sync_s=0)
    for _, reading in zip(range(count), [*play(4), *play(5, first=4, t0=400)], strict=False):
        writer.write(reading)
    writer.abandon()


@pytest.mark.parametrize("count", range(1, 21))
def test_a_session_killed_after_any_reading_opens_and_recovers_with_everything_written(tmp_path, count):
    killed_after(tmp_path / "s", count)
    before = open_session(tmp_path / "s")
    found = recover(tmp_path / "s")
    session = open_session(tmp_path / "s")
    written = [*play(4), *play(5, first=4, t0=400)][:count]
    frames = sum(isinstance(r, Frame) for r in written)
    assert session.frame_count == frames
    assert [int(f[0, 0, 0]) for f in session.frames(0, frames)] == list(range(frames))
    assert len(session.steps()) == sum(isinstance(r, Step) for r in written)
    assert session.ledger.balances
    assert not session.problems
    is_open = not isinstance(written[-1], Gap)
    assert bool(before.problems) == is_open
    if is_open and frames and not isinstance(written[-1], Start):
        assert session.segments[-1].end_reason == "killed"
    assert recover(tmp_path / "s").chunks == 0, "a second recovery finds nothing to do"
    assert found.cut_bytes == 0


def test_a_session_whose_journal_is_cut_at_any_byte_recovers_every_whole_record(tmp_path, hasty):
    """The acceptance of the whole store: the copy is cut at each byte offset of its journal."""
    killed_after(tmp_path / "s", 8)
    journal = tmp_path / "s" / "chunks" / "0001" / "journal.bin"
    whole = journal.read_bytes()
    ends, frames_at = [], []
    from rushes.store.journal import read_journal

    for record in read_journal(journal):
        ends.append(record.end)
        frames_at.append(record.kind == b"F")
    for cut in range(len(whole)):
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "s", copy)
        with (copy / "chunks" / "0001" / "journal.bin").open("r+b") as file:
            file.truncate(cut)
        recover(copy)
        expected = sum(f for end, f in zip(ends, frames_at, strict=True) if end <= cut)
        session = open_session(copy)
        assert session.frame_count == expected, f"cut at byte {cut}"
        for number, frame in enumerate(session.frames(0, expected)):
            assert (frame == picture(number)).all()
        shutil.rmtree(copy)


def test_a_seal_that_was_cut_is_done_again(tmp_path):
    killed_after(tmp_path / "s", 6)
    chunk = tmp_path / "s" / "chunks" / "0001"
    (chunk / "images.parquet").write_bytes(b"PAR1 half a file")
    recover(tmp_path / "s")
    assert open_session(tmp_path / "s").frame_count == 3
    assert not (chunk / "journal.bin").exists()


def test_recovery_refuses_a_session_that_is_still_written(tmp_path):
    writer = SessionWriter(tmp_path / "s", described(GAME, "steps"))
    for reading in list(play(4))[:4]:
        writer.write(reading)
    with pytest.raises(BusyError, match="another process"):
        recover(tmp_path / "s")
    writer.close()


def test_discarding_removes_only_episodes_that_a_kill_cut(tmp_path):
    killed_after(tmp_path / "s", 12)
    recover(tmp_path / "s")
    assert discard_unfinished(tmp_path / "s") == 1
    assert [s.end_reason for s in open_session(tmp_path / "s").segments] == ["terminated"]


def test_a_resumed_session_goes_on_with_its_numbers(tmp_path):
    write(tmp_path / "s", play(4), described(GAME, "steps"))
    session = write(tmp_path / "s", play(3, first=4, t0=400), described(GAME, "steps"), resume=True)
    assert session.index()["frame_index"].tolist() == list(range(7))
    assert [s.index for s in session.segments] == [0, 1]
    with pytest.raises(OccupiedError, match="holds session made-by-hand"):
        SessionWriter(tmp_path / "s", SessionInfo(**{**described().__dict__, "id": "other"}), resume=True)


def test_chunks_are_ordered_by_number_and_not_by_name_or_disk(tmp_path, monkeypatch, hasty):
    """1,100 chunks, so that '1000' stands before '999' as text, and a listing in a shuffled order."""
    readings = [Start(0), *(Frame(k, picture(k)) for k in range(1100)), Gap(1100, "end")]
    write(tmp_path / "s", readings, chunk_frames=1, sync_s=0)
    real = Path.iterdir

    def shuffled(path):
        found = list(real(path))
        return iter(np.random.default_rng(3).permutation(np.array(found, object)).tolist())

    monkeypatch.setattr(Path, "iterdir", shuffled)
    session = open_session(tmp_path / "s")
    assert session.index()["frame_index"].tolist() == list(range(1100))
    assert (session.frame(1050) == picture(1050)).all()


@pytest.mark.parametrize(
    ("readings", "message"),
    [
        ([Frame(0, picture(0))], "a Frame outside a segment"),
        ([Step(0, 0, 1)], "a Step outside a segment"),
        ([Gap(0, "end")], "a Gap outside a segment"),
        ([Start(0), Start(1)], "a Start inside a segment"),
        ([Start(0), Frame(9, picture(0)), Frame(3, picture(1))], "a Frame at 3 ns after one at 9 ns"),
        ([Start(0), Frame(0, Encoded("h264", b"packet", key=False))], "a h264 picture that needs those before it"),
        ([Start(0), Clock()], "a reading of type Clock"),
        ([Start(0), Frame(0, None)], "a repeated picture where there is none before"),
        ([Sound(0, np.zeros((4, 1), np.int16), 44100, "mic")], "a Sound outside a segment"),
    ],
)
def test_readings_that_make_no_sense_are_refused_in_three_parts(tmp_path, readings, message):
    writer = SessionWriter(tmp_path / "s", described())
    for reading in readings[:-1]:
        writer.write(reading)
    with pytest.raises(BadInputError, match=message) as caught:
        writer.write(readings[-1])
    assert caught.value.accepts
    assert caught.value.fix
    writer.abandon()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("mine")
    with pytest.raises(OccupiedError):
        SessionWriter(tmp_path / "s", described())
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["thesis.txt"]
    write(tmp_path / "t", play(3), described(GAME, "steps"))
    with pytest.raises(OccupiedError):
        SessionWriter(tmp_path / "t", described())


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((StorageError, OccupiedError), match="file"):
        SessionWriter(tmp_path / "file" / "s", described())


def test_paths_that_are_no_session_and_damaged_ones_say_so(tmp_path):
    with pytest.raises(MissingError, match="rushes info"):
        open_session(tmp_path)
    with pytest.raises(MissingError, match="holds no session"):
        open_sessions(tmp_path)
    write(tmp_path / "s", play(4), described(GAME, "steps"))
    images = tmp_path / "s" / "chunks" / "0001" / "images.parquet"
    images.write_bytes(images.read_bytes()[:-40])
    with pytest.raises(BadDataError, match=r"images\.parquet: a Parquet file that is cut or damaged"):
        open_session(tmp_path / "s").frame(0)
    (tmp_path / "s" / "session.json").write_text('{"schema": "rushes/session/99"}')
    with pytest.raises(BadDataError, match="rushes/session/99"):
        open_session(tmp_path / "s")


def test_facts_are_appended_replaced_and_survive_a_cut_line(tmp_path):
    first = add_fact(tmp_path, "validity", {"valid": False}, author="me", t_start_ns=0, t_end_ns=50)
    second = add_fact(tmp_path, "validity", {"valid": True}, author="me", t_start_ns=0, t_end_ns=50, replaces=first.id)
    with (tmp_path / "facts.jsonl").open("a") as file:
        file.write('{"id": "cut off by a cra')
    assert read_facts(tmp_path) == (second,)
    third = add_fact(tmp_path, "tag", {"tag": "boss"}, author="me")
    assert read_facts(tmp_path) == (second, third)
    assert read_facts(tmp_path, replaced=True) == (first, second, third)


@pytest.mark.parametrize(
    ("kind", "value", "more", "message"),
    [
        ("validty", {"valid": True}, {}, "did you mean 'validity'"),
        ("tag", {"tga": "x"}, {}, "exactly these keys"),
        ("tag", {"tag": "x"}, {"t_start_ns": 9, "t_end_ns": 3}, "an end at or after the start"),
        ("tag", {"tag": "x"}, {"replaces": "nobody"}, "the id of a fact"),
    ],
)
def test_facts_that_make_no_sense_are_refused(tmp_path, kind, value, more, message):
    with pytest.raises(BadInputError, match=message):
        add_fact(tmp_path, kind, value, author="me", **more)
    assert not (tmp_path / "facts.jsonl").exists()

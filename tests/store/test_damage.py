"""A journal in which a stretch is damaged: what is behind it comes back, and what is lost is counted and kept aside."""

import os
import shutil
import struct
import threading
import zlib
from typing import ClassVar

import numpy as np
import pytest

from rushes.errors import BadDataError
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.readings import Encoded, Event, Frame, Gap, Sound, Start, Step, Telemetry
from rushes.model.session import SessionInfo, StreamSpec
from rushes.qa.base import run_checks
from rushes.store.images import decode
from rushes.store.journal import read_journal
from rushes.store.reader import open_session
from rushes.store.recover import discard_unfinished, recover
from rushes.store.seal import seal
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter

TICK_NS = NS // 10
KEY_EVERY = 5


def described(codec):
    return SessionInfo(
        id="made-by-hand",
        game="Test",
        source={"kind": "synthetic", "name": "test"},
        time_source="measured",
        streams=(
            StreamSpec("screen", "frames", codec, width=32, height=16, rate_hz=10),
            StreamSpec("events", "events"),
            StreamSpec("mic", "sound", "flac", rate_hz=8000),
        ),
        action_space=ActionSpace.from_names(["KeyW"]),
    )


def picture(number):
    return np.full((16, 32, 3), number * 4, np.uint8)


def take(frames, codec="png", gaps=()):
    """Readings of a take: picture `k` shows 4 k, an event 10 ns behind each, 80 samples of value k behind that."""
    encoder = VideoEncoder("lossless", width=32, height=16, rate_hz=10) if codec == "lossless" else None
    yield Start(0, {"level": 3}, wall_ns=NS)
    for k in range(frames):
        t_ns = k * TICK_NS
        if k in gaps:
            yield Gap(t_ns - 1, "pause")
            yield Start(t_ns - 1, {"level": 4}, wall_ns=NS + t_ns - 1)
        pixels = picture(k)
        if encoder:
            pixels = Encoded("lossless", encoder.encode(pixels, key=k % KEY_EVERY == 0), encoder.last_was_key)
        yield Frame(t_ns, pixels)
        yield Event(t_ns + 10, "keyboard", "KeyW", "release" if k % 2 else "press", 1.0 - k % 2)
        yield Sound(t_ns + 20, np.full((80, 1), k, np.int16), 8000, "mic")


def killed(path, readings, codec="png", **options):
    writer = SessionWriter(path, described(codec), sync_s=0, sealer=lambda _: None, **options)
    for reading in readings:
        writer.write(reading)
    writer.abandon()
    return sorted(path.glob("chunks/*/journal.bin"))


def test_a_disk_that_stands_still_holds_nothing_back_from_the_journals(tmp_path, monkeypatch):
    """No wait for the disk comes back, three chunks fill up: all is in the files, where a kill would leave it."""

    class Elsewhere:
        sealed: ClassVar = []

        def __call__(self, folder):
            self.sealed.append(folder.name)

        def wait(self):
            pass

    goes_on, real = threading.Event(), os.fsync
    writer = SessionWriter(tmp_path / "s", described("png"), chunk_frames=5, sealer=Elsewhere())
    monkeypatch.setattr(os, "fsync", lambda handle: goes_on.wait(10) and real(handle))
    for reading in take(14):
        writer.write(reading)
    assert Elsewhere.sealed == [], "one is sealed when the disk has it"
    journals = sorted(tmp_path.glob("s/chunks/*/journal.bin"))
    assert [len(list(read_journal(journal, b"F"))) for journal in journals] == [5, 5, 4]
    goes_on.set()
    writer.close()
    assert Elsewhere.sealed == ["0001", "0002", "0003"]


def flip(journal, kind, number):
    """Flip a bit in the last byte of the `number`-th record of a kind; returns the record's length."""
    begin, at = 8, -1
    for record in read_journal(journal):
        at += record.kind == kind
        if at == number and record.kind == kind:
            break
        begin = record.end
    damaged = bytearray(journal.read_bytes())
    damaged[record.end - 1] ^= 1
    journal.write_bytes(damaged)
    return record.end - begin


def opened(path):
    """Open a session that must be right in itself, whatever is lost."""
    session = open_session(path)
    assert session.ledger.balances
    assert [f for f in run_checks(session) if f.severity == "error"] == []
    index = session.index()
    assert index["frame_index"].tolist() == list(range(session.frame_count))
    assert [s.index for s in session.segments] == sorted(set(index["segment"]))
    for segment in session.segments:
        assert len(session.index(segment.index)) == segment.frames
        assert session.index(segment.index)["frame_index"].iloc[0] == segment.first_frame
    assert all(a.end_ns <= b.start_ns for a, b in zip(session.segments, session.segments[1:], strict=False))
    shown = [int(p[0, 0, 0]) // 4 for p in session.frames(0, session.frame_count)]
    assert shown == [round(t / TICK_NS) for t in index["t_ns"]], "every picture stands at its own time"
    return session, shown


def test_a_flipped_bit_in_a_picture_costs_that_picture_and_splits_the_segment(tmp_path):
    journal = killed(tmp_path / "s", take(9))[0]
    size = flip(journal, b"F", 4)
    kept_aside = journal.read_bytes()
    found = recover(tmp_path / "s")
    session, shown = opened(tmp_path / "s")
    assert shown == [0, 1, 2, 3, 5, 6, 7, 8]
    assert (found.frames, found.damaged_bytes, found.cut_bytes) == (8, size, 0)
    assert [(s.end_reason, s.frames) for s in session.segments] == [("damaged", 4), ("killed", 4)]
    assert [dict(s.attrs) for s in session.segments] == [{"level": 3}] * 2
    assert [s.wall_ns for s in session.segments] == [NS, NS + 5 * TICK_NS]
    assert dict(session.ledger["frames"].lost) == {"damaged": 1}
    assert dict(session.ledger["journal_bytes"].lost) == {"damaged": size}
    assert dict(session.ledger["mic"].lost) == {"damaged": 80}, "sound between the segments"
    assert len(session.events()) == 9
    assert [(p.kind, p.count) for p in session.problems] == [("damaged_journal", size)]
    assert [f.check for f in run_checks(session) if f.severity == "warning"].count("structure.damaged_journal") == 1
    assert (journal.parent / "journal.damaged").read_bytes() == kept_aside
    assert not journal.exists()
    assert recover(tmp_path / "s").chunks == 0
    assert (journal.parent / "journal.damaged").read_bytes() == kept_aside


@pytest.mark.parametrize(("hit", "lost"), [(0, range(5)), (1, range(1, 5)), (4, [4]), (5, range(5, 10)), (11, [11])])
def test_a_video_goes_on_with_the_next_picture_that_needs_none_before_it(tmp_path, hit, lost):
    journal = killed(tmp_path / "s", take(12, "lossless"), "lossless")[0]
    flip(journal, b"F", hit)
    recover(tmp_path / "s")
    session, shown = opened(tmp_path / "s")
    assert shown == [k for k in range(12) if k not in lost]
    if hit < 11:
        assert dict(session.ledger["frames"].lost) == {"damaged": len(lost)}


@pytest.mark.parametrize("kind", [b"B", b"G", b"E", b"A"])
@pytest.mark.parametrize("number", [0, 1])
def test_whatever_kind_of_record_is_damaged_the_session_is_right_in_itself(tmp_path, kind, number):
    journals = killed(tmp_path / "s", [*take(9, gaps=(3, 6)), Gap(9 * TICK_NS, "end")], chunk_frames=99)
    flip(journals[0], kind, number)
    recover(tmp_path / "s")
    _, shown = opened(tmp_path / "s")
    assert shown == list(range(9)), "each picture decodes alone and none was hit"


@pytest.mark.parametrize("codec", ["png", "lossless"])
@pytest.mark.parametrize("kind", [b"B", b"F"])
@pytest.mark.parametrize("chunk", [0, 1, 2])
@pytest.mark.parametrize("later_first", [False, True])
def test_chunks_behind_a_damaged_one_are_numbered_on_from_it(tmp_path, codec, kind, chunk, later_first):
    """A segment over three chunks, then another; also where a later chunk was sealed before the damage was met."""
    readings = [*take(18, codec, gaps=(15,)), Gap(18 * TICK_NS, "end")]
    journals = killed(tmp_path / "s", readings, codec, chunk_frames=5)
    assert len(journals) == 4
    flip(journals[chunk], kind, 0)
    if later_first:
        for journal in journals[chunk + 1 :]:
            seal(journal.parent)
    recover(tmp_path / "s")
    session, shown = opened(tmp_path / "s")
    lost = 0 if kind == b"B" else 1 if codec == "png" else 5
    assert shown == [k for k in range(18) if not chunk * 5 <= k < chunk * 5 + lost]
    assert dict(session.ledger["frames"].lost) == ({"damaged": lost} if lost else {})
    assert session.segments[-1].end_reason == "end"
    assert sum(s.end_reason == "damaged" for s in session.segments) == (chunk > 0)
    assert len(session.events()) == 18
    resumed = SessionWriter(tmp_path / "s", described("png"), resume=True)
    assert resumed.frame_index == session.frame_count
    resumed.abandon()


def test_steps_and_telemetry_stay_with_their_frames(tmp_path):
    readings = [Start(0)]
    for k in range(8):
        readings.append(Frame(k * TICK_NS, picture(k)))
        readings.append(Telemetry(k * TICK_NS, {"number": k}, k))
        readings.append(Step(k * TICK_NS, -1, k, reward=float(k)))
    journal = killed(tmp_path / "s", readings)[0]
    flip(journal, b"F", 3)
    recover(tmp_path / "s")
    session = open_session(tmp_path / "s")
    rows = [tuple(row) for row in session.steps()[["frame_index", "action", "segment"]].to_numpy().tolist()]
    assert rows == [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 4, 1), (4, 5, 1), (5, 6, 1), (6, 7, 1)]
    assert dict(session.ledger["actions"].lost) == {"damaged": 1}
    told = session.telemetry()
    assert told["number"].tolist() == list(range(8))
    assert told["frame_index"].fillna(-1).tolist() == [0, 1, 2, -1, 3, 4, 5, 6]


def test_a_journal_of_another_version_stays_and_the_rest_is_recovered(tmp_path):
    journals = killed(tmp_path / "s", take(8), chunk_frames=5)
    foreign = b"RUSHESJ7" + journals[0].read_bytes()[8:]
    journals[0].write_bytes(foreign)
    for attempt in (recover, discard_unfinished, recover):
        with pytest.raises(BadDataError, match=r"'RUSHESJ7'; accepted: b'RUSHESJ1'"):
            attempt(tmp_path / "s")
        assert journals[0].read_bytes() == foreign
    assert open_session(tmp_path / "s").frame_count == 3
    assert [p.kind for p in open_session(tmp_path / "s").problems] == ["unfinished_chunk"]


def test_a_seal_that_was_killed_before_it_put_the_damaged_journal_aside_does_it_later(tmp_path):
    journal = killed(tmp_path / "s", take(9))[0]
    flip(journal, b"F", 4)
    shutil.copytree(tmp_path / "s", tmp_path / "copy")
    recover(tmp_path / "s")
    (journal.parent / "journal.damaged").rename(journal)
    recover(tmp_path / "s")
    copied = tmp_path / "copy" / "chunks" / "0001" / "journal.bin"
    assert (journal.parent / "journal.damaged").read_bytes() == copied.read_bytes()
    assert not journal.exists()


def test_sampled_episodes_behind_a_damaged_one_are_played_anew(tmp_path):
    path = tmp_path / "s"
    writer = SessionWriter(path, described("png"), sync_s=0, sealer=lambda _: None)
    for episode in range(3):
        for k in range(4):
            t_ns = (episode * 4 + k) * TICK_NS
            if not k:
                writer.write(Start(t_ns))
            writer.write(Frame(t_ns, picture(k)))
        writer.write(Gap(t_ns, "terminated"))
    writer.abandon()
    flip(path / "chunks" / "0002" / "journal.bin", b"F", 1)
    recover(path)
    assert discard_unfinished(path) == 2
    assert [s.end_reason for s in open_session(path).segments] == ["terminated"]


def test_a_journal_of_nothing_but_noise_is_kept(tmp_path):
    journal = killed(tmp_path / "s", take(3))[0]
    noise = np.random.default_rng(4).bytes(5000)
    journal.write_bytes(b"RUSHESJ1" + b"\0" * 4 + noise)
    assert recover(tmp_path / "s").damaged_bytes == 5004
    assert open_session(tmp_path / "s").frame_count == 0
    assert (journal.parent / "journal.damaged").read_bytes()[12:] == noise


@pytest.mark.parametrize("side", [60_000, 12_000])
def test_a_picture_that_claims_a_monstrous_size_is_refused_before_memory_is_taken(side):
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    with pytest.raises(BadDataError, match=f"{side * side:,} pixels"):
        decode(data, where="a.png")
    with pytest.raises(BadDataError):
        decode(data[:8] + data[-12:])

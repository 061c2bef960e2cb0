"""The journal: whatever is cut off, all whole records come back."""

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.errors import BadDataError, StorageError
from rushes.store.journal import HOLE, MAGIC, Journal, count_records, read_journal

RECORDS = [
    (b"B", [0, 0, {"seed": 7}, None, "", True], b""),
    (b"F", [0, 0, "png", 0, False, 0], bytes(range(256))),
    (b"S", [0, 0, 3, "LEFT", 1.5, False, False, 5, False, False], b""),
    (b"E", [12, "keyboard", "KeyW", "press", 1.0, None, None, None, None, ""], b""),
    (b"F", [1, 66, "png", 1, False, 0], b"\x00" * 90),
]


def by_hand(records):
    """The documented form, written without the code under test; returns the bytes and each record's end."""
    out, ends = bytearray(b"RUSHESJ1"), []
    for kind, text, data in records:
        encoded = json.dumps(text, separators=(",", ":")).encode()
        body = kind + struct.pack("<I", len(encoded)) + encoded + data
        out += struct.pack("<II", len(body), zlib.crc32(body)) + body
        ends.append(len(out))
    return bytes(out), ends


def test_a_journal_has_the_documented_form(tmp_path):
    with Journal(tmp_path / "j") as journal:
        for record in RECORDS:
            journal.append(*record)
    assert (tmp_path / "j").read_bytes() == by_hand(RECORDS)[0]


def test_a_journal_cut_at_every_byte_gives_back_all_whole_records(tmp_path):
    whole, ends = by_hand(RECORDS)
    path = tmp_path / "j"
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        back = [(r.kind, r.text, r.data) for r in read_journal(path)]
        assert back == RECORDS[: sum(end <= cut for end in ends)], f"cut at byte {cut}"


def test_records_are_counted_while_the_journal_grows(tmp_path):
    whole, ends = by_hand(RECORDS)
    path, found, at = tmp_path / "j", 0, 0
    for cut in (0, 3, ends[0], ends[1] - 1, ends[1], ends[3] + 7, len(whole)):
        path.write_bytes(whole[:cut])
        more, at = count_records(path, b"F", at)
        found += more
        assert found == sum(r[0] == b"F" and end <= cut for r, end in zip(RECORDS, ends, strict=True))


def test_a_flipped_bit_costs_its_record_and_none_behind_it(tmp_path):
    whole, ends = by_hand(RECORDS)
    path = tmp_path / "j"
    for at in range(len(MAGIC), len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        hit = sum(end <= at for end in ends)
        begin = [len(MAGIC), *ends][hit]
        back = list(read_journal(path))
        kept = [(r.kind, r.text, r.data) for r in back if r.kind != HOLE]
        assert kept == [r for n, r in enumerate(RECORDS) if n != hit], f"bit flipped in byte {at}"
        if hit < len(RECORDS) - 1:
            assert [(r.text, r.end) for r in back if r.kind == HOLE] == [(ends[hit] - begin, ends[hit])]
            assert [r.text for r in read_journal(path, b"S")] == [r[1] for n, r in enumerate(RECORDS) if n == 2 != hit]


@pytest.mark.parametrize("noise", [0, 1, 7, 5000, (1 << 20) - 20, (1 << 20) - 9, (1 << 20) - 8, 1 << 20, 3 << 20])
def test_the_next_record_is_found_wherever_it_stands_behind_noise(tmp_path, noise):
    whole, ends = by_hand(RECORDS)
    junk = np.random.default_rng(noise).bytes(noise)
    (tmp_path / "j").write_bytes(whole[: ends[1]] + junk + whole[ends[1] :])
    back = list(read_journal(tmp_path / "j"))
    assert [(r.kind, r.text, r.data) for r in back if r.kind != HOLE] == RECORDS
    assert [r.text for r in back if r.kind == HOLE] == ([noise] if noise else [])


@pytest.mark.parametrize("begin", [b"RUSHESJ2", b"PAR1PAR1"])
def test_a_journal_of_another_version_is_named_and_not_taken_for_an_empty_one(tmp_path, begin):
    (tmp_path / "j").write_bytes(begin + b"whatever that version writes")
    with pytest.raises(BadDataError, match=rf"begins with b'{begin.decode()}'; accepted: b'RUSHESJ1'"):
        list(read_journal(tmp_path / "j"))


def test_a_journal_of_which_only_the_name_of_its_form_is_damaged_is_read(tmp_path):
    (tmp_path / "j").write_bytes(b"RUSHEPJ1" + by_hand(RECORDS)[0][8:])
    assert [(r.kind, r.text, r.data) for r in read_journal(tmp_path / "j")] == RECORDS


@pytest.mark.parametrize("dirty", [True, False])
def test_a_disk_that_fails_at_the_end_is_told_and_the_file_is_closed_all_the_same(tmp_path, monkeypatch, dirty):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    journal = Journal(tmp_path / "j", sync_s=30 if dirty else 0.01)
    handle = journal._file
    monkeypatch.setattr(os, "fsync", full)
    journal.append(b"E", [1])
    if not dirty:
        until = time.monotonic() + 10
        while journal._failure is None and time.monotonic() < until:
            time.sleep(0.01)
    with pytest.raises(StorageError, match="the disk is full"):
        journal.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)
    journal.close()


def test_the_folders_of_a_journal_are_forced_to_the_disk_too(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("rushes.store.journal.sync", asked.append)
    (tmp_path / "chunks" / "0001").mkdir(parents=True)
    places = [tmp_path / "chunks" / "0001", tmp_path / "chunks", tmp_path]
    Journal(places[0] / "j", places=places).close()
    assert asked == places


@given(st.lists(st.tuples(st.sampled_from([b"E", b"F"]), st.lists(st.integers() | st.text()), st.binary(max_size=300))))
def test_any_records_come_back_as_they_went_in(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path, sync_s=0) as journal:
        for record in records:
            journal.append(*record)
    assert [(r.kind, r.text, r.data) for r in read_journal(path)] == records


def test_what_was_appended_is_there_after_kill_9(tmp_path):
    """The writer kills itself right after an append; nothing is flushed or closed."""
    code = (
        "import os, signal, sys; from pathlib import Path; from rushes.store.journal import Journal\n"
        "j = Journal(Path(sys.argv[1]), sync_s=0)\n"
        "for n in range(100): j.append(b'E', [n], b'x' * n)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "j"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [r.text for r in read_journal(tmp_path / "j")] == [[n] for n in range(100)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_a_full_disk_is_an_error_that_says_so(tmp_path):
    """The journal's file is exchanged for a device that is always full."""
    journal = Journal(tmp_path / "j", sync_s=0)
    real, journal._file = journal._file, os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(StorageError, match=r"the disk is full.*free some space"):
        journal.append(b"E", [1])
    os.close(real)
    journal.close()

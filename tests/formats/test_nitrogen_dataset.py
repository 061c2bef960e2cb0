"""The official data set: its chunks read with all their faults, its labels joined to a video, and our own in its form.

The chunks that are read here are written by this file alone, with pyarrow and json.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import shutil
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.base import convert, get_format, open_any, sniff_path
from rushes.formats.nitrogen.shards import Shard
from rushes.model.actions import ActionSpace
from rushes.model.readings import Event, Frame, Gap, Start
from rushes.model.recording import Sessions
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact
from rushes.store.pairing import pairs
from rushes.store.reader import open_session
from rushes.store.video import write_video
from rushes.store.writer import SessionWriter
from rushes.worlds.synthetic import Synthetic, draw_counter, read_counter

COLUMNS = [
    "back", "dpad_down", "dpad_left", "dpad_right", "dpad_up", "east", "guide", "left_shoulder", "left_thumb",
    "left_trigger", "north", "right_shoulder", "right_thumb", "right_trigger", "south", "start", "west",
]  # fmt: skip
PAD = ActionSpace.from_layout("nitrogen21")
SOUTH, LEFT_X, LEFT_Y, RIGHT_X = (PAD.index(name) for name in ("SOUTH", "J_LEFT_X", "J_LEFT_Y", "J_RIGHT_X"))


def columns_of(count, *, left=None, right=None, ints=False, **pressed):
    """The columns of a chunk; `south=[0, 1]` names what is pressed."""
    flags = {name: pressed.get(name, [0] * count) for name in COLUMNS}
    found = {n: pa.array(v, pa.int64()) if ints else pa.array([bool(x) for x in v]) for n, v in flags.items()}
    for name, values in (("j_left", left), ("j_right", right)):
        kind = pa.list_(pa.int64() if ints else pa.float32())
        found[name] = pa.array(values if values is not None else [[0, 0]] * count, kind)
    return found


def write_chunk(folder, number, columns, *, start, rate=60, video="v1", name="actions_raw.parquet", meta=None):
    """A chunk as the release has it, in folder/<video>/<video>_chunk_<number>."""
    chunk = folder / video / f"{video}_chunk_{number:04d}"
    chunk.mkdir(parents=True, exist_ok=True)
    count = len(columns["j_left"])
    pq.write_table(pa.table(columns), chunk / name)
    said = {
        "uuid": f"{video}_chunk_{number:04d}_actions",
        "chunk_id": f"{number:04d}",
        "chunk_size": count,
        "original_video": {
            "resolution": [720, 1280],
            "video_id": video,
            "source": "youtube",
            "url": f"https://example.test/{video}",
            "start_time": start / rate,
            "end_time": (start + count) / rate,
            "duration": count / rate,
            "start_frame": start,
            "end_frame": start + count,
        },
        "game": "celeste",
        "controller_type": "xboxone",
        "bbox_controller_overlay": [0, 0, 0, 0],
    }
    said = {**said, **(meta or {})}
    (chunk / "metadata.json").write_text(json.dumps({k: v for k, v in said.items() if v is not None}))
    return chunk


def rows_of(recording):
    return [pair.grid.vector(PAD) for pair in pairs(recording)]


@pytest.fixture
def shard(tmp_path):
    return tmp_path / "actions" / "SHARD_0000"


# -- what the release's rows say ------------------------------------------------------------------------------------


def test_a_row_of_theirs_is_what_was_done_on_the_frame_before(shard):
    left = [[0, 0], [0.5, 0], [0.5, -1], [0.5, -1], [-1, 0], [-1, 0.25]]
    write_chunk(
        shard, 0, columns_of(6, left=left, south=[1, 1, 0, 0, 1, 0], left_trigger=[0, 1, 1, 0, 0, 0]), start=120
    )
    (recording,) = open_any(shard)
    (rows,) = rows_of(recording)
    assert rows[:5, SOUTH].tolist() == [1, 0, 0, 1, 0]
    assert rows[:5, PAD.index("LEFT_TRIGGER")].tolist() == [1, 1, 0, 0, 0]
    assert rows[:5, LEFT_X].tolist() == [0.5, 0.5, 0.5, -1, -1]
    assert rows[:5, LEFT_Y].tolist() == [0, -1, -1, 0, 0.25]
    assert recording.index()["t_ns"].tolist() == [2_000_000_000 + round(k * 1e9 / 60) for k in range(6)]
    assert recording.index()["tick"].tolist() == [120, 121, 122, 123, 124, 125]
    events = recording.events(0)
    south = events[events["control"] == "SOUTH"]
    assert south["kind"].tolist() == ["state", "release", "press", "release"]
    assert south["t_ns"].tolist() == [recording.index()["t_ns"][k] for k in (0, 1, 3, 4)]
    info = recording.info
    assert (info.id, info.game, info.time_source) == ("v1", "celeste", "assumed")
    assert info.provenance["url"] == "https://example.test/v1"
    assert recording.problems == ()


def test_what_is_done_on_the_last_frame_is_not_known_and_said_so(shard):
    write_chunk(shard, 0, columns_of(4), start=0)
    recording = open_any(shard)[0]
    assert recording.segments[0].attrs == {"last_row": "assumed"}
    assert recording.ledger["frames"].marked == {"action_assumed": 1}
    assert recording.segments[0].end_ns == round(4e9 / 60)


def test_labels_have_no_pictures_and_say_how_to_get_them(shard):
    write_chunk(shard, 0, columns_of(4), start=0)
    recording = open_any(shard)[0]
    assert recording.info.stream("frames") is None
    with pytest.raises(MissingError, match=r"videos/v1\.mp4"):
        recording.frame(0)


def test_chunks_follow_by_their_number_and_a_missing_one_ends_a_segment(shard):
    for number, start in ((10, 40), (9, 36), (2, 8), (11, 44)):  # 9, 10 and 11 follow each other, 2 stands alone
        chunk = write_chunk(shard, number, columns_of(4, left=[[number / 20, 0]] * 4), start=start)
        chunk.rename(chunk.with_name(f"v1_chunk_{number}"))
    recording = open_any(shard)[0]
    assert [s.frames for s in recording.segments] == [4, 12]
    assert [s.end_reason for s in recording.segments] == ["gap", "end"]
    first, second = rows_of(recording)
    np.testing.assert_allclose(first[:, LEFT_X], 0.1)
    np.testing.assert_allclose(second[:, LEFT_X], [*[0.45] * 3, *[0.5] * 4, *[0.55] * 5], rtol=1e-6)
    assert recording.index()["tick"].tolist() == [*range(8, 12), *range(36, 48)]


def test_whole_numbers_fixed_lists_and_missing_processed_files_are_read(shard):
    ints = columns_of(4, left=[[0, 1], [1, 0], [0, 0], [-1, -1]], ints=True, south=[0, 1, 0, 0])
    write_chunk(shard, 0, ints, start=0)
    fixed = columns_of(4)
    fixed["j_left"] = pa.array([[0.5, 0.25]] * 4, pa.list_(pa.float64(), 2))
    write_chunk(shard, 1, fixed, start=4)
    (rows,) = rows_of(open_any(shard)[0])
    assert rows[:7, LEFT_X].tolist() == [1, 0, -1, 0.5, 0.5, 0.5, 0.5]
    assert rows[:4, SOUTH].tolist() == [1, 0, 0, 0]


def test_the_processed_table_is_read_when_it_is_asked_for(shard):
    write_chunk(shard, 0, columns_of(3), start=0)
    write_chunk(shard, 0, columns_of(3, south=[0, 1, 1]), start=0, name="actions_processed.parquet")
    write_chunk(shard, 1, columns_of(3), start=3)
    recording = open_any(shard, options=["actions=processed"])[0]
    assert rows_of(recording)[0][:, SOUTH].tolist() == [1, 1, 1]
    assert [(p.kind, p.count) for p in recording.problems] == [("unreadable_chunk", 1)]
    assert recording.ledger["chunks"].lost == {"unreadable_chunk": 1}


def test_twenty_seconds_are_taken_where_the_times_say_nothing(shard):
    video = {"video_id": "v1", "start_frame": 0, "duration": "?"}
    write_chunk(shard, 0, columns_of(600), start=0, meta={"original_video": video})
    assert np.diff(open_any(shard)[0].index()["t_ns"])[0] == 33_333_333


# -- where they lie -------------------------------------------------------------------------------------------------


def pack_shard(shard, target, *more):
    with tarfile.open(target, "w:gz") as archive:
        for member, data in more:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for file in sorted(p for p in shard.rglob("*") if p.is_file()):
            archive.add(file, file.relative_to(shard).as_posix())


def test_every_level_and_the_archive_are_the_same(shard, tmp_path):
    for video in ("v1", "v2"):
        for number in range(2):
            write_chunk(shard, number, columns_of(3, south=[0, number, 1]), start=3 * number, video=video)
    packed = tmp_path / "SHARD_0000.tar.gz"
    pack_shard(shard, packed)
    for path in (shard, shard.parent, tmp_path, packed):
        assert sniff_path(path) == "nitrogen_dataset"
    shutil.copytree(tmp_path / "actions", tmp_path / "copy" / "actions")
    for path in (shard, tmp_path / "copy", tmp_path / "copy" / "actions", packed):
        found = open_any(path)
        assert [r.info.id for r in found] == ["v1", "v2"]
        assert [r.frame_count for r in found] == [6, 6]
        assert [r.events().to_csv() for r in found] == [r.events().to_csv() for r in open_any(shard)]
    assert [r.info.id for r in open_any(shard / "v2")] == ["v2"]
    one = open_any(shard / "v2" / "v2_chunk_0001")[0]
    assert one.index()["tick"].tolist() == [3, 4, 5]


def test_a_chunk_at_two_places_counts_once(shard, tmp_path):
    write_chunk(shard, 0, columns_of(3), start=0)
    pack_shard(shard, shard.with_name("SHARD_0000.tar.gz"))
    found = open_any(tmp_path)
    assert [r.frame_count for r in found] == [3]
    assert [p.kind for p in found.own_problems] == ["chunk_twice"]


def test_hostile_names_in_an_archive_are_refused_and_nothing_is_written(shard, tmp_path):
    write_chunk(shard, 0, columns_of(3), start=0)
    bad = [tarfile.TarInfo(name) for name in ("../x/x_chunk_0000/metadata.json", "/etc/x_chunk_0000/metadata.json")]
    link = tarfile.TarInfo("v1/v1_chunk_0001/metadata.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device = tarfile.TarInfo("v1/v1_chunk_0002/actions_raw.parquet")
    device.type = tarfile.CHRTYPE
    packed = tmp_path / "in" / "SHARD_0000.tar.gz"
    packed.parent.mkdir()
    pack_shard(shard, packed, *((member, b"") for member in (*bad, link, device)))
    shutil.rmtree(shard.parent)
    before = sorted(tmp_path.rglob("*"))
    found = open_any(packed)
    assert [r.frame_count for r in found] == [3]
    assert [(p.kind, p.count) for p in found.own_problems] == [("refused_name", 4)]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_cut_archive_gives_what_is_before_the_cut(shard, tmp_path):
    rng = np.random.default_rng(0)
    for number in range(8):
        write_chunk(shard, number, columns_of(600, left=rng.uniform(-1, 1, (600, 2)).tolist()), start=600 * number)
    packed = tmp_path / "SHARD_0000.tar.gz"
    pack_shard(shard, packed)
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    found = open_any(packed)
    assert 0 < found[0].frame_count < 4800
    assert found.own_problems[0].kind == "damaged_shard"


def test_links_that_lead_out_of_the_folder_are_refused(shard, tmp_path):
    write_chunk(shard, 0, columns_of(3), start=0)
    secret = write_chunk(tmp_path / "elsewhere", 1, columns_of(3), start=3)
    chunk = shard / "v1" / "v1_chunk_0001"
    chunk.mkdir()
    for name in ("metadata.json", "actions_raw.parquet"):
        (chunk / name).symlink_to(secret / name)
    found = open_any(shard)
    assert [r.frame_count for r in found] == [3]
    assert [(p.kind, p.count) for p in found.own_problems] == [("refused_name", 2)]


def test_a_linked_archive_that_lies_elsewhere_is_refused(shard, tmp_path):
    write_chunk(tmp_path / "root" / "actions" / "SHARD_0000", 0, columns_of(3), start=0)
    write_chunk(shard, 1, columns_of(3), start=3)
    pack_shard(shard, tmp_path / "SHARD_0001.tar.gz")
    (tmp_path / "root" / "actions" / "SHARD_0001.tar.gz").symlink_to(tmp_path / "SHARD_0001.tar.gz")
    found = open_any(tmp_path / "root")
    assert [r.frame_count for r in found] == [3]
    assert [p.kind for p in found.own_problems] == ["refused_name"]


def with_sum(header):
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return header


def broken_archive(shard, change):
    """An archive of three chunks whose unpacked bytes were changed behind the first chunk."""
    for number in range(3):
        write_chunk(shard, number, columns_of(4), start=4 * number)
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for file in sorted(p for p in shard.rglob("*") if p.is_file()):
            archive.add(file, file.relative_to(shard).as_posix())
    data = bytearray(sink.getvalue())
    with tarfile.open(fileobj=io.BytesIO(bytes(data))) as archive:
        place = archive.getmembers()[2].offset
    packed = shard.parent.parent / "SHARD_0009.tar.gz"
    packed.write_bytes(gzip.compress(bytes(change(data, place))))
    return packed


def negative(data, place):
    header = data[place : place + 512]
    header[124:136] = ((1 << 96) - 512).to_bytes(12, "big")  # the member after it would be itself, for ever
    return data[:place] + with_sum(header) + data[place + 512 :]


def endless_name(data, place):
    long = tarfile.TarInfo("x")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    return data[:place] + long.tobuf(tarfile.GNU_FORMAT) + data[place:]


DAMAGE = {
    "a header whose sum is wrong": lambda data, place: data[: place + 20] + b"?" + data[place + 21 :],
    "cut within a header": lambda data, place: data[: place + 100],
    "an end in the middle": lambda data, place: data[:place] + bytes(1024) + data[place + 1024 :],
    "a negative size": negative,
    "a name of a gigabyte": endless_name,
}


@pytest.mark.parametrize("what", DAMAGE)
def test_an_archive_that_is_damaged_within_gives_what_is_before_and_says_so(shard, what):
    found = open_any(broken_archive(shard, DAMAGE[what]))
    assert [r.frame_count for r in found] == [4]
    assert [p.kind for p in found.own_problems] == ["damaged_shard"]


def test_an_archive_with_another_check_sum_says_so(shard):
    packed = broken_archive(shard, lambda data, _place: data)
    assert open_any(packed).own_problems == ()
    data = bytearray(packed.read_bytes())
    data[-6] ^= 255
    packed.write_bytes(data)
    assert [p.kind for p in open_any(packed).own_problems] == ["damaged_shard"]


@pytest.mark.parametrize("order", [(3, 0, 2, 1), (0, 1, 2, 3)])
def test_an_archive_is_unpacked_once_whatever_its_order(shard, tmp_path, monkeypatch, order):
    packed = tmp_path / "SHARD_0000.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        for number in order:
            chunk = write_chunk(shard, number, columns_of(3, left=[[number / 10, 0]] * 3), start=3 * number)
            for name in ("actions_raw.parquet", "metadata.json"):
                archive.add(chunk / name, f"v1/{chunk.name}/{name}")
    found = open_any(packed)
    places = []
    read = Shard.read

    def watched(archive, offset, size):
        places.append(offset)
        return read(archive, offset, size)

    monkeypatch.setattr(Shard, "read", watched)
    np.testing.assert_allclose(rows_of(found[0])[0][::3, LEFT_X], [0, 0.1, 0.2, 0.3], rtol=1e-6)
    assert len(places) == 8
    assert places == sorted(places)  # going back unpacks it from its start


def test_other_folders_are_none_of_it(tmp_path):
    form = get_format("nitrogen_dataset")
    (tmp_path / "frames" / "chunk_001").mkdir(parents=True)
    (tmp_path / "x_chunk_0000").mkdir()
    (tmp_path / "a.tar.gz").write_bytes(b"no archive")
    assert not form.sniff(tmp_path)
    assert not form.sniff(tmp_path / "a.tar.gz")


# -- bad input ------------------------------------------------------------------------------------------------------

BAD_ROWS = {
    "stick_nan": {"left": [[0, 0], [0, 0], [np.nan, 0], [0, 0], [0, 0]]},
    "stick_range": {"right": [[0, 0], [0, 0], [0, 1.5], [0, 0], [0, 0]]},
    "stick_length": {"left": [[0, 0], [0, 0], [0], [0, 0], [0, 0]]},
}


@pytest.mark.parametrize("why", BAD_ROWS)
def test_a_bad_row_is_left_out_counted_and_ends_a_segment(shard, why):
    chunk = write_chunk(shard, 3, columns_of(5, south=[0, 1, 1, 1, 0], **BAD_ROWS[why]), start=0)
    recording = open_any(shard)[0]
    assert [s.frames for s in recording.segments] == [2, 2]
    assert [s.end_reason for s in recording.segments] == ["gap", "end"]
    assert recording.ledger["frames"].lost == {why: 1}
    assert recording.ledger.balances
    (problem,) = recording.problems
    assert (problem.kind, problem.count) == (why, 1)
    assert problem.where == f"{chunk}/actions_raw.parquet, row 2"
    assert recording.segments[0].end_ns == 33_333_333  # where the bad row begins


def test_a_button_that_is_neither_and_an_empty_cell_are_bad_rows(shard):
    columns = columns_of(5, ints=True, south=[0, 2, 0, 0, 0])
    columns["west"] = pa.array([0, 0, 0, None, 0], pa.int64())
    columns["j_left"] = pa.array([[0, 0], [0, 0], [0, 0], [0, 0], None], pa.list_(pa.int64()))
    write_chunk(shard, 0, columns, start=0)
    recording = open_any(shard)[0]
    assert recording.ledger["frames"].lost == {"button_value": 2, "stick_length": 1}
    assert [s.frames for s in recording.segments] == [1, 1]


def break_missing(chunk):
    table = pq.read_table(chunk / "actions_raw.parquet").drop_columns(["west"])
    pq.write_table(table, chunk / "actions_raw.parquet")


def break_type(chunk):
    table = pq.read_table(chunk / "actions_raw.parquet").drop_columns(["j_left"])
    pq.write_table(table.append_column("j_left", pa.array([0.5] * len(table))), chunk / "actions_raw.parquet")


def break_text(chunk):
    table = pq.read_table(chunk / "actions_raw.parquet").drop_columns(["west"])
    pq.write_table(table.append_column("west", pa.array(["no"] * len(table))), chunk / "actions_raw.parquet")


BROKEN = {
    "actions_raw.parquet: no column west": break_missing,
    "column j_left: double": break_type,
    "column west": break_text,
    "actions_raw.parquet: no Parquet file": lambda c: (c / "actions_raw.parquet").write_bytes(b"PAR1 cut"),
    "actions_raw.parquet: no such file": lambda c: (c / "actions_raw.parquet").unlink(),
    "metadata.json: no JSON": lambda c: (c / "metadata.json").write_text('{"chunk_size": 4,'),
    "metadata.json: list": lambda c: (c / "metadata.json").write_text("[]"),
    "metadata.json: no such file": lambda c: (c / "metadata.json").unlink(),
}


@pytest.mark.parametrize("said", BROKEN)
def test_a_broken_chunk_is_named_and_the_others_are_read(shard, said):
    for number in range(3):
        write_chunk(shard, number, columns_of(4), start=4 * number)
    BROKEN[said](shard / "v1" / "v1_chunk_0001")
    recording = open_any(shard)[0]
    assert [s.frames for s in recording.segments] == [4, 4]
    (problem,) = recording.problems
    assert problem.kind == "unreadable_chunk"
    assert problem.where.endswith("v1_chunk_0001")
    assert said in problem.sentence
    with pytest.raises(BadDataError, match=said):
        open_any(shard / "v1" / "v1_chunk_0001")[0]


def test_a_table_of_millions_of_rows_in_a_few_bytes_is_refused(shard):
    write_chunk(shard, 0, columns_of(4), start=0)
    chunk = write_chunk(shard, 1, columns_of(4), start=4)
    count = (1 << 20) + 1
    pairs_of_zeros = pa.ListArray.from_arrays(np.arange(0, 2 * count + 1, 2, dtype=np.int32), np.zeros(2 * count))
    long = {name: np.zeros(count, bool) for name in COLUMNS} | dict.fromkeys(("j_left", "j_right"), pairs_of_zeros)
    pq.write_table(pa.table(long), chunk / "actions_raw.parquet")
    assert (chunk / "actions_raw.parquet").stat().st_size < 250_000
    recording = open_any(shard)[0]
    assert recording.frame_count == 4
    assert "1048577 rows" in recording.problems[0].sentence


def test_columns_that_nobody_asked_for_are_not_read(shard):
    chunk = write_chunk(shard, 0, columns_of(4), start=0)
    table = pq.read_table(chunk / "actions_raw.parquet")
    pq.write_table(table.append_column("west2", pa.array(["x" * 100] * 4)), chunk / "actions_raw.parquet")
    assert open_any(shard)[0].frame_count == 4


def test_a_video_without_a_row_that_can_be_used_is_refused_by_name(shard):
    write_chunk(shard, 0, columns_of(2, left=[[9, 9]] * 2), start=0)
    with pytest.raises(BadDataError, match=r"v1_chunk_0000/actions_raw.parquet: 2 rows.*stick_range"):
        open_any(shard)[0]


def test_one_broken_video_among_others_is_told_and_the_others_are_read(shard, tmp_path):
    write_chunk(shard, 0, columns_of(5), start=0, video="v1")
    bad = write_chunk(shard, 0, columns_of(5), start=0, video="v2")
    (bad / "metadata.json").write_text("{")
    found = open_any(shard)
    assert [r.frame_count for r in found] == [5, 0]
    assert [p.kind for p in found.problems] == ["unreadable_video_labels"]
    assert "v2_chunk_0000/metadata.json" in found.problems[0].sentence
    report = convert(shard, tmp_path / "out", format="nitrogen_dataset")
    assert report.written["frames"] == 5


def test_sizes_and_numbers_that_lie_are_told(shard):
    write_chunk(shard, 0, columns_of(4), start=0, meta={"chunk_size": 7})
    write_chunk(shard, 1, columns_of(4), start=4, meta={"original_video": {"start_frame": -3}, "chunk_size": 4})
    write_chunk(shard, 2, columns_of(4), start=6)  # two rows that the chunk before has, too
    recording = open_any(shard)[0]
    kinds = {p.kind: p for p in recording.problems}
    assert set(kinds) == {"chunk_size_differs", "start_frame_assumed", "overlap"}
    assert kinds["overlap"].count == 2
    assert kinds["overlap"].where.endswith("v1_chunk_0002/actions_raw.parquet, row 0")
    assert recording.index()["tick"].tolist() == list(range(10))


@pytest.mark.parametrize("value", [float("nan"), 10**400, True, "8", None, {}])
def test_numbers_that_are_none_do_no_harm(shard, value):
    text = {"original_video": {"resolution": [value, 2], "start_time": value, "end_time": value, "start_frame": value}}
    write_chunk(shard, 0, columns_of(4), start=0, meta={**text, "bbox_controller_overlay": [value] * 4, "game": value})
    recording = open_any(shard)[0]
    assert recording.frame_count == 4
    assert [p.kind for p in recording.problems] == ["start_frame_assumed"]


# -- joined to a video ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['{"chunk_size": ' + "9" * 5000 + "}", '{"game": "\\ud800"}'])
def test_json_that_nobody_can_use_is_named(shard, text):
    chunk = write_chunk(shard, 0, columns_of(4), start=0)
    (chunk / "metadata.json").write_text(text)
    with pytest.raises(BadDataError, match=r"metadata\.json: no JSON"):
        open_any(shard)[0]


def film(path, count, *, size=(120, 160), rate=60, first=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = []
    for number in range(first, first + count):
        picture = np.full((*size, 3), 200, np.uint8)
        draw_counter(picture, number)
        pictures.append(picture)
    write_video(path, pictures, rate_hz=rate)


def test_labels_are_joined_by_number_whatever_the_rate(shard, tmp_path):
    write_chunk(shard, 0, columns_of(4), start=5)
    write_chunk(shard, 1, columns_of(4), start=15)
    film(tmp_path / "videos" / "v1.mp4", 17, rate=50)
    recording = open_any(shard)[0]
    assert [read_counter(f) for f in recording.frames(0, recording.frame_count)] == [5, 6, 7, 8, 15, 16]
    assert recording.ledger["frames"].lost == {"without_frame": 2}
    assert {p.kind for p in recording.problems} == {"rate_differs", "without_frame"}
    assert recording.info.stream("frames").height == 120
    one, two = recording.frames(0, 4), recording.frames(0, 4)
    assert [(read_counter(next(one)), read_counter(next(two))) for _ in range(4)] == [(k, k) for k in (5, 6, 7, 8)]


@pytest.mark.parametrize("opened", ["chunk", "video", "shard", "actions", "root"])
def test_the_video_is_found_beside_from_every_level(shard, tmp_path, opened):
    chunk = write_chunk(shard, 0, columns_of(3), start=0)
    film(tmp_path / "videos" / "v1.mp4", 3)
    levels = {"chunk": chunk, "video": chunk.parent, "shard": shard, "actions": shard.parent, "root": tmp_path}
    assert read_counter(open_any(levels[opened])[0].frame(2)) == 2


def test_a_video_may_be_named_or_left_alone(shard, tmp_path):
    write_chunk(shard, 0, columns_of(3), start=0)
    film(tmp_path / "mine" / "v1.mkv", 3)
    film(tmp_path / "other.mp4", 3, first=40)
    assert read_counter(open_any(shard, options=[f"video={tmp_path / 'mine'}"])[0].frame(1)) == 1
    assert read_counter(open_any(shard, options=[f"video={tmp_path / 'other.mp4'}"])[0].frame(1)) == 41
    film(tmp_path / "videos" / "v1.mp4", 3)
    assert open_any(shard, options=["video=none"])[0].info.stream("frames") is None
    with pytest.raises(MissingError, match="nothing is there"):
        open_any(shard, options=["video=nowhere"])[0]


def test_one_file_is_not_joined_to_the_labels_of_two_videos(shard, tmp_path):
    for video in ("v1", "v2"):
        write_chunk(shard, 0, columns_of(3), start=0, video=video)
    film(tmp_path / "mine" / "v1.mp4", 3)
    with pytest.raises(BadInputError, match="for 2 videos"):
        open_any(shard, options=[f"video={tmp_path / 'mine' / 'v1.mp4'}"])
    found = open_any(shard, options=[f"video={tmp_path / 'mine'}"])
    assert [r.info.stream("frames") is not None for r in found] == [True, False]


@pytest.mark.parametrize("video", ["_Ab9-xyz", "-dQw4w9_", "v1."])
def test_ids_as_video_sites_give_them_find_their_video(shard, tmp_path, video):
    write_chunk(shard, 0, columns_of(3), start=0, video=video)
    film(tmp_path / "videos" / f"{video}.mp4", 3)
    assert read_counter(open_any(shard)[0].frame(2)) == 2


def test_a_damaged_video_leaves_the_labels(shard, tmp_path):
    write_chunk(shard, 0, columns_of(3), start=0)
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "v1.mp4").write_bytes(b"no video")
    recording = open_any(shard)[0]
    assert [p.kind for p in recording.problems] == ["unreadable_video"]
    assert recording.frame_count == 3


def test_a_linked_video_outside_is_not_taken_by_itself(shard, tmp_path):
    write_chunk(shard, 0, columns_of(3), start=0)
    film(tmp_path / "outside.mp4", 3)
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "v1.mp4").symlink_to(tmp_path / "outside.mp4")
    assert open_any(shard)[0].info.stream("frames") is None


def test_the_drawn_controller_is_painted_over_in_the_pixels_of_the_video(shard, tmp_path):
    # labels of 720 x 1280, a video of 120 x 160: y by 1/6, x by 1/8; the second box leaves the picture
    write_chunk(shard, 0, columns_of(2), start=0, meta={"bbox_controller_overlay": [80, 300, 161, 60]})
    write_chunk(shard, 1, columns_of(2), start=2, meta={"bbox_controller_overlay": [1200, 600, 300, 500.5]})
    film(tmp_path / "videos" / "v1.mp4", 4)
    first, _, third, _ = open_any(shard)[0].frames(0, 4)
    black = first.max(-1) == 0
    assert black[50:60, 10:31].all()  # (80 + 161) / 8 = 30.1: the column that is touched, too
    assert not black[20:50].any()
    assert not black[60:].any()
    assert not black[50:60, :10].any()
    assert not black[50:60, 31:].any()
    black = third.max(-1) == 0
    assert black[100:, 150:].all()
    assert black[20:].sum() == 20 * 10
    assert read_counter(third) == 2
    seen = open_any(shard, options=["mask=false"])[0].frame(0)
    assert not (seen[20:].max(-1) == 0).any()


def test_a_box_without_a_size_is_told_as_a_missing_one(shard, tmp_path):
    write_chunk(shard, 0, columns_of(4), start=0, meta={"bbox_controller_overlay": [10, 10, -5, 20]})
    film(tmp_path / "videos" / "v1.mp4", 4)
    assert "without_mask" in {p.kind for p in open_any(shard)[0].problems}


def test_processed_rows_that_no_frame_is_known_for_are_left_out_and_said(shard):
    write_chunk(shard, 0, columns_of(3), start=0)
    write_chunk(shard, 0, columns_of(2), start=0, name="actions_processed.parquet", meta={"chunk_size": 3})
    write_chunk(shard, 1, columns_of(3), start=3)
    write_chunk(shard, 1, columns_of(3), start=3, name="actions_processed.parquet")
    found = open_any(shard, options=["actions=processed"])
    assert [r.frame_count for r in found] == [3]
    assert any("which frames they are of" in p.sentence for p in found.problems)


def test_strict_writes_labels_alone_and_says_so_where_a_video_is_asked_for(hand_play, tmp_path):
    hand_play.play(tmp_path / "s", [6], [hand_play.press(2.5, "KeyW")])
    with pytest.raises(BadInputError, match="labels alone"):
        convert(tmp_path / "s", tmp_path / "out", format="nitrogen_dataset", options=["strict=true", "video=h264"])


def test_a_missing_box_is_told_and_swapped_sizes_are_seen(shard, tmp_path):
    video = {"resolution": [1280, 720], "start_frame": 0, "start_time": 0.0, "end_time": 4 / 60}
    box = {"bbox_controller_overlay": [0, 360, 1280, 360]}
    write_chunk(shard, 0, columns_of(4), start=0, meta={"original_video": video, **box})
    write_chunk(shard, 1, columns_of(4), start=4, meta={"bbox_controller_overlay": None})
    film(tmp_path / "videos" / "v1.mp4", 8)
    recording = open_any(shard)[0]
    assert {p.kind for p in recording.problems} == {"resolution_swapped", "without_mask", "aspect_differs"}
    black = recording.frame(0).max(-1) == 0
    assert black[60:].all()
    assert not black[20:60].any()


def test_a_video_of_another_shape_is_told(shard, tmp_path):
    write_chunk(shard, 0, columns_of(2), start=0, meta={"bbox_controller_overlay": [80, 300, 161, 60]})
    film(tmp_path / "videos" / "v1.mp4", 2, size=(160, 160))
    assert [p.kind for p in open_any(shard)[0].problems] == ["aspect_differs"]


def test_pictures_are_cut_to_the_game_when_it_is_asked_for(shard, tmp_path):
    area = {"bbox_game_area": {"xtl": 0.0, "ytl": 0.0, "xbr": 0.95, "ybr": 0.5}}
    write_chunk(shard, 0, columns_of(2), start=0, meta=area)
    film(tmp_path / "videos" / "v1.mp4", 2)
    assert open_any(shard)[0].frame(1).shape == (120, 160, 3)
    recording = open_any(shard, options=["crop=true"])[0]
    assert recording.frame(1).shape == (60, 152, 3)
    assert read_counter(recording.frame(1)) == 1
    assert (recording.info.stream("frames").height, recording.info.stream("frames").width) == (60, 152)


def test_a_recording_with_its_video_goes_to_another_process(shard, tmp_path):
    write_chunk(shard, 0, columns_of(3), start=0)
    film(tmp_path / "videos" / "v1.mp4", 3)
    recording = open_any(shard)[0]
    recording.frame(0)
    assert read_counter(pickle.loads(pickle.dumps(recording)).frame(2)) == 2


# -- written --------------------------------------------------------------------------------------------------------

MS = 1_000_000


def record(path, segments, *, rate=10.0, game="Doom", names=("w", "space", "lmb", "dx", "dy"), before=()):
    """A session of segments (times in ms of its frames, end, events)."""
    info = SessionInfo(
        id=path.name,
        game=game,
        source={"kind": "desktop", "name": "test"},
        time_source="measured",
        streams=(
            StreamSpec("screen", "frames", "png", width=160, height=120, rate_hz=rate),
            StreamSpec("events", "events", unit="counts"),
        ),
        action_space=ActionSpace.from_names(names),
        provenance={"fps": rate},
    )
    number = 0
    with SessionWriter(path, info) as writer:
        for event in before:
            writer.write(event)
        for position, (times, end, events) in enumerate(segments):
            writer.write(Start(times[0] * MS, {"map": position}))
            frames = []
            for t in times:
                picture = np.full((120, 160, 3), 90, np.uint8)
                draw_counter(picture, number)
                frames.append(Frame(t * MS, picture, tick=number))
                number += 1
            for reading in sorted([*frames, *events], key=lambda r: (r.t_ns, isinstance(r, Event))):
                writer.write(reading)
            writer.write(Gap(end * MS, "pause" if position + 1 < len(segments) else "end"))
    return open_session(path)


def key(t_ms, control, kind):
    return Event(t_ms * MS, "kbd", control, kind, float(kind == "press"))


PLAY = [
    key(150, "KeyW", "press"),
    key(250, "KeyW", "release"),
    Event(220 * MS, "mouse", "Mouse", "move", dx=150.0, dy=-75.0),
    Event(320 * MS, "mouse", "Mouse", "move", dx=900.0, dy=0.0),
    key(330, "KeyP", "press"),
    key(340, "KeyP", "release"),
    key(450, "Space", "press"),
    key(460, "Space", "release"),
]


def table_of(target, video="take"):
    return pq.read_table(target / "actions" / "SHARD_0000" / video / f"{video}_chunk_0000" / "actions_raw.parquet")


def meta_of(target, number=0, video="take"):
    folder = target / "actions" / "SHARD_0000" / video / f"{video}_chunk_{number:04d}"
    return json.loads((folder / "metadata.json").read_text())


def test_what_is_done_shows_on_the_next_frame(tmp_path):
    take = record(tmp_path / "take", [([0, 100, 200, 300, 400], 500, PLAY)])
    report = convert(take, tmp_path / "out", format="nitrogen_dataset")
    table = table_of(tmp_path / "out")
    assert table.column_names[:19] == [*COLUMNS, "j_left", "j_right"]
    assert [table.schema.field(name).type for name in COLUMNS] == [pa.bool_()] * 17
    assert table.schema.field("j_left").type == pa.list_(pa.float64())
    assert table["j_left"].to_pylist() == [[0, 0], [0, 0], [0, -1], [0, -1], [0, 0]]  # W is up, up is -1
    assert table["j_right"].to_pylist() == [[0, 0], [0, 0], [0, 0], [0.5, -0.25], [1, 0]]  # 300 counts are full
    assert not any(any(table[name].to_pylist()) for name in COLUMNS)
    assert table["t_ns"].to_pylist() == [0, 100 * MS, 200 * MS, 300 * MS, 400 * MS]
    assert meta_of(tmp_path / "out")["rushes"]["after"]["row"] == [*[0.0] * 14, 1.0, *[0.0] * 6]  # SOUTH: the jump
    assert report.ledger["events"].lost == {"no_place_KeyP": 2}
    assert report.ledger["actions"].marked == {"clipped_motion": 1}
    assert report.written == {"episodes": 1, "frames": 5, "samples": 0}
    assert report.ledger.balances


def test_strict_counts_what_is_done_on_the_last_frame(tmp_path):
    take = record(tmp_path / "take", [([0, 100, 200, 300, 400], 500, PLAY)], rate=0.25)  # 20 s are 5 rows
    report = convert(take, tmp_path / "out", format="nitrogen_dataset", options=["strict=true"])
    assert table_of(tmp_path / "out").column_names == [*COLUMNS, "j_left", "j_right"]
    assert report.ledger["events"].lost == {"no_place_KeyP": 2, "after_last_frame": 2}
    assert report.ledger["actions"].lost == {"after_last_frame": 1}
    assert report.kept == ()


def test_a_segment_begins_in_the_state_that_was_before(tmp_path):
    before = [key(-0 + 10, "KeyW", "press")]
    take = record(tmp_path / "take", [([100, 200, 300], 400, [key(210, "KeyW", "release")])], before=before)
    convert(take, tmp_path / "out", format="nitrogen_dataset")
    assert table_of(tmp_path / "out")["j_left"].to_pylist() == [[0, -1], [0, -1], [0, -1]]
    (rows,) = rows_of(open_any(tmp_path / "out")[0])
    assert rows[:, LEFT_Y].tolist() == [-1, -1, 0]


def test_an_input_at_the_very_instant_of_a_frame_belongs_to_its_row(tmp_path):
    take = record(
        tmp_path / "take", [([0, 100, 200, 300], 400, [key(100, "Space", "press"), key(200, "Space", "release")])]
    )
    convert(take, tmp_path / "out", format="nitrogen_dataset")
    assert table_of(tmp_path / "out")["south"].to_pylist() == [False, False, True, False]
    (rows,) = rows_of(open_any(tmp_path / "out")[0])
    assert rows[:, SOUTH].tolist() == [0, 1, 0, 0]


def test_the_metadata_are_those_of_the_release(tmp_path):
    take = record(tmp_path / "take", [([0, 100, 200], 300, [])])
    convert(take, tmp_path / "out", format="nitrogen_dataset", options=["action_delay_ms=12.5"])
    found = meta_of(tmp_path / "out")
    own = found.pop("rushes")
    assert found == {
        "uuid": "take_chunk_0000_actions",
        "chunk_id": "0000",
        "chunk_size": 3,
        "original_video": {
            "resolution": [120, 160],
            "video_id": "take",
            "source": "local",
            "url": "",
            "start_time": 0.0,
            "end_time": 0.3,
            "duration": 0.3,
            "start_frame": 0,
            "end_frame": 3,
        },
        "game": "Doom",
        "controller_type": "gamepad",
        "bbox_controller_overlay": [0, 0, 0, 0],
        "bbox_game_area": {"xtl": 0.0, "ytl": 0.0, "xbr": 1.0, "ybr": 1.0},
        "bbox_others": [],
    }
    assert (own["action_delay_ms"], own["pad_map"], own["session"]["id"]) == (12.5, "wasd_mouse (Doom)", "take")


@pytest.mark.parametrize("strict", ["true", "false"])
def test_the_card_says_the_delay_and_which_rows_these_are(tmp_path, strict):
    take = record(tmp_path / "take", [([0, 100, 200, 300, 400], 500, PLAY)], rate=0.25)
    convert(take, tmp_path / "out", format="nitrogen_dataset", options=["action_delay_ms=12.5", f"strict={strict}"])
    card = json.loads((tmp_path / "out.card.json").read_text())
    assert card["action_delay_ms"] == 12.5
    assert card["pairing"].startswith("row i = [t_{i-1}, t_i)")


def test_a_delay_moves_inputs_before_rows_are_made(tmp_path):
    take = record(
        tmp_path / "take", [([0, 100, 200, 300], 400, [key(150, "Space", "press"), key(180, "Space", "release")])]
    )
    convert(take, tmp_path / "out", format="nitrogen_dataset", options=["action_delay_ms=100"])
    assert table_of(tmp_path / "out")["south"].to_pylist() == [False, False, False, True]
    with pytest.raises(BadInputError, match="nobody measured"):
        convert(take, tmp_path / "two", format="nitrogen_dataset", options=["action_delay_ms=measured"])
    assert not (tmp_path / "two").exists()


def test_segments_are_cut_into_twenty_seconds_and_strict_leaves_the_rest_out(tmp_path):
    seconds = [list(range(0, 45_000, 1000)), list(range(60_000, 80_000, 1000)), list(range(90_000, 95_000, 1000))]
    take = record(tmp_path / "take", [(t, t[-1] + 1000, []) for t in seconds], rate=1.0)
    convert(take, tmp_path / "out", format="nitrogen_dataset")
    found = [meta_of(tmp_path / "out", k) for k in range(5)]
    assert [m["chunk_size"] for m in found] == [20, 20, 5, 20, 5]
    assert [m["original_video"]["start_frame"] for m in found] == [0, 20, 40, 45, 65]
    assert found[2]["original_video"]["end_time"] == 45.0
    report = convert(take, tmp_path / "strict", format="nitrogen_dataset", options=["strict=true"])
    found = [meta_of(tmp_path / "strict", k) for k in range(3)]
    assert [m["original_video"]["start_frame"] for m in found] == [0, 20, 60]  # the pause shows
    assert not any("rushes" in m for m in found)
    assert report.ledger["frames"].lost == {"remainder": 10}
    assert report.ledger["episodes"].lost == {"remainder": 1}
    assert report.ledger["actions"].kept == 39 + 19
    files = {p.name for p in (tmp_path / "strict").rglob("*") if p.is_file()}
    assert files == {"actions_raw.parquet", "metadata.json"}
    back = open_any(tmp_path / "strict")[0]
    assert [s.frames for s in back.segments] == [40, 20]
    assert back.info.time_source == "assumed"


def test_strict_without_a_single_piece_is_refused(tmp_path):
    take = record(tmp_path / "take", [([0, 100, 200], 300, [])])
    with pytest.raises(BadInputError, match="20 s"):
        convert(take, tmp_path / "out", format="nitrogen_dataset", options=["strict=true"])
    assert not (tmp_path / "out").exists()


def synthetic(tmp_path, **changes):
    world = Synthetic(**{"frames": 90, "segments": 3, "seed": 5, **changes})
    info = SessionInfo(
        id="take",
        game="Synthetic",
        source={"kind": "synthetic", "name": "synthetic"},
        time_source="nominal",
        streams=(
            StreamSpec("screen", "frames", "png", width=160, height=120, rate_hz=world.rate_hz),
            StreamSpec("events", "events", unit="counts"),
        ),
        action_space=world.action_space,
        provenance=world.parameters(),
    )
    with SessionWriter(tmp_path / "take", info) as writer:
        for reading in world.readings():
            writer.write(reading)
    return open_session(tmp_path / "take")


def pad_by_hand(grid):
    """The pad that the default map makes of W A S D, Space, the left button and the mouse."""
    held = {name: grid.held.get(name, np.zeros(len(grid), bool)) for name in
            ("KeyA", "KeyD", "KeyW", "KeyS", "Space", "MouseLeft")}  # fmt: skip
    rows = np.zeros((len(grid), 21), np.float32)
    rows[:, SOUTH], rows[:, PAD.index("RIGHT_TRIGGER")] = held["Space"], held["MouseLeft"]
    rows[:, LEFT_X] = held["KeyD"].astype(int) - held["KeyA"].astype(int)
    rows[:, LEFT_Y] = held["KeyS"].astype(int) - held["KeyW"].astype(int)
    rows[:, RIGHT_X] = np.clip(grid.motion["MouseDX"] / 300, -1, 1)
    rows[:, RIGHT_X + 1] = np.clip(grid.motion["MouseDY"] / 300, -1, 1)
    return rows


@pytest.mark.parametrize("shard", ["folder", "tar.gz"])
def test_what_is_written_comes_back_with_times_segments_frames_and_every_row(tmp_path, shard):
    take = synthetic(tmp_path)
    convert(take, tmp_path / "out", format="nitrogen_dataset", options=[f"shard={shard}"])
    assert sniff_path(tmp_path / "out") == "nitrogen_dataset"
    back = open_any(tmp_path / "out")[0]
    assert back.segments == take.segments
    assert back.index().drop(columns="picture").equals(take.index().drop(columns="picture"))
    for pair, rows in zip(pairs(take), rows_of(back), strict=True):
        np.testing.assert_array_equal(rows, pad_by_hand(pair.grid))
    assert [read_counter(f) for f in back.frames(0, 90)] == list(range(90))
    assert (back.info.id, back.info.time_source, back.info.provenance) == ("take", "nominal", take.info.provenance)
    assert back.problems == ()


def test_a_second_time_gives_the_same_tables_and_the_same_archive(tmp_path):
    take = synthetic(tmp_path)
    for name in ("one", "two"):
        convert(take, tmp_path / name, format="nitrogen_dataset", options=["shard=tar.gz"])
    convert(tmp_path / "one", tmp_path / "three", format="nitrogen_dataset", options=["shard=tar.gz"])
    archives = [(tmp_path / name / "actions" / "SHARD_0000.tar.gz").read_bytes() for name in ("one", "two", "three")]
    assert archives[0] == archives[1]
    with tarfile.open(fileobj=io.BytesIO(archives[0])) as first, tarfile.open(fileobj=io.BytesIO(archives[2])) as third:
        assert first.getnames() == third.getnames()
        for name in first.getnames():
            if name.endswith(".parquet"):
                assert first.extractfile(name).read() == third.extractfile(name).read()


def test_labels_alone_become_labels_and_sessions_need_pictures(tmp_path):
    take = synthetic(tmp_path)
    convert(take, tmp_path / "one", format="nitrogen_dataset", options=["video=none"])
    assert not (tmp_path / "one" / "videos").exists()
    convert(tmp_path / "one", tmp_path / "two", format="nitrogen_dataset")
    for first, second in zip(
        rows_of(open_any(tmp_path / "one")[0]), rows_of(open_any(tmp_path / "two")[0]), strict=True
    ):
        np.testing.assert_array_equal(first, second)
    with pytest.raises(MissingError, match="labels without pictures"):
        convert(tmp_path / "one", tmp_path / "session", format="session")
    assert not (tmp_path / "session").exists()


def test_a_marked_stretch_is_left_out_and_ends_a_segment(tmp_path):
    record(tmp_path / "take", [(list(range(0, 1000, 100)), 1000, PLAY)])
    add_fact(tmp_path / "take", "validity", {"valid": False}, author="me", t_start_ns=600 * MS, t_end_ns=800 * MS)
    report = convert(tmp_path / "take", tmp_path / "out", format="nitrogen_dataset")
    assert report.ledger["frames"].lost == {"marked_invalid": 2}
    assert report.ledger.balances
    back = open_any(tmp_path / "out")[0]
    assert [s.frames for s in back.segments] == [6, 2]
    assert [read_counter(f) for f in back.frames(0, 8)] == [0, 1, 2, 3, 4, 5, 8, 9]


def test_a_picture_of_odd_size_comes_back_in_its_size(tmp_path):
    take = synthetic(tmp_path, size=(121, 161), frames=10, segments=1)
    convert(take, tmp_path / "out", format="nitrogen_dataset")
    assert open_any(tmp_path / "out")[0].frame(3).shape == (121, 161, 3)


def test_chunks_of_ours_that_are_gone_are_counted(tmp_path):
    take = record(tmp_path / "take", [(list(range(0, 65_000, 1000)), 65_000, [])], rate=1.0)
    convert(take, tmp_path / "out", format="nitrogen_dataset")
    for number in (1, 3):
        shutil.rmtree(tmp_path / "out" / "actions" / "SHARD_0000" / "take" / f"take_chunk_{number:04d}")
    back = open_any(tmp_path / "out")[0]
    assert [(s.frames, s.start_ns // MS) for s in back.segments] == [(20, 0), (20, 40_000)]
    assert [read_counter(f) for f in back.frames(19, 21)] == [19, 40]
    assert back.ledger["frames"].lost == {"missing_chunk": 25}
    assert [(p.kind, p.count) for p in back.problems] == [("missing_chunk", 25)]


@pytest.mark.parametrize("name", ["take_chunk_0003", "a" * 300])
def test_a_session_of_any_name_comes_back(tmp_path, name):
    take = record(tmp_path / "take", [([0, 100, 200], 300, PLAY[:2])])
    take.info = SessionInfo(**{**vars(take.info), "id": name})
    convert(take, tmp_path / "out", format="nitrogen_dataset")
    back = open_any(tmp_path / "out")[0]
    assert (back.info.id, back.frame_count) == (name, 3)
    assert read_counter(back.frame(2)) == 2


def test_our_additions_that_make_no_sense_are_passed_over(tmp_path):
    take = record(tmp_path / "take", [([0, 100, 200], 300, PLAY[:2])])
    convert(take, tmp_path / "out", format="nitrogen_dataset", options=["video=none"])
    place = tmp_path / "out" / "actions" / "SHARD_0000" / "take" / "take_chunk_0000" / "metadata.json"
    whole = json.loads(place.read_text())
    for change in (
        {"segment": 5},
        {"session": {}},
        {"after": {"row": [9] * 21}},
        {"after": {"row": "x"}},
        {"schema": "?"},
        {"segment": {**whole["rushes"]["segment"], "end_ns": 2**70}},
    ):
        place.write_text(json.dumps({**whole, "rushes": {**whole["rushes"], **change}}))
        back = open_any(tmp_path / "out")[0]
        assert back.info.time_source == "assumed"
        assert back.frame_count == 3
    whole["rushes"]["segment"]["end_ns"] = 5
    place.write_text(json.dumps(whole))
    assert open_any(tmp_path / "out")[0].info.time_source == "assumed"


def test_sessions_of_one_name_and_of_a_hostile_one_get_names_of_their_own(tmp_path, fake):
    takes = [record(tmp_path / str(k) / "take", [([0, 100], 200, [])]) for k in range(2)]
    hostile = record(tmp_path / "bad", [([0, 100], 200, [])])
    hostile.info = SessionInfo(**{**vars(hostile.info), "id": "../../etc/pass wd"})
    convert(
        Sessions([*takes, hostile], format="x"), tmp_path / "out", format="nitrogen_dataset", options=["video=none"]
    )
    folders = sorted(p.name for p in (tmp_path / "out" / "actions" / "SHARD_0000").iterdir())
    assert folders == ["etc_pass_wd", "take", "take-2"]
    assert [r.info.id for r in open_any(tmp_path / "out")] == ["../../etc/pass wd", "take", "take"]


ATARI = """
name = "joystick"
[sticks]
J_LEFT_X = { minus = ["ALE/LEFT"], plus = ["ALE/RIGHT"] }
J_LEFT_Y = { minus = ["ALE/UP"], plus = ["ALE/DOWN"] }
[buttons]
SOUTH = ["ALE/FIRE"]
"""


def test_an_environment_goes_through_a_map_and_its_actions_show_on_the_next_observation(tmp_path, fake):
    (tmp_path / "map.toml").write_text(ATARI)
    play = fake.Fake([5], env_id="ALE/Breakout-v5", game="Breakout", names=fake.BREAKOUT, salt=2)
    steps = play.steps(0)["action_name"].tolist()
    assert len(steps) == 4
    report = convert(play, tmp_path / "out", format="nitrogen_dataset", options=[f"pad_map={tmp_path / 'map.toml'}"])
    assert report.ledger["actions"].kept == 4
    table = table_of(tmp_path / "out", video="session-2")
    sides = {"ALE/RIGHT": 1.0, "ALE/LEFT": -1.0}
    assert table["south"].to_pylist() == [False, *(name == "ALE/FIRE" for name in steps)]
    assert [x for x, _ in table["j_left"].to_pylist()] == [0.0, *(sides.get(name, 0.0) for name in steps)]
    back = open_any(tmp_path / "out")[0]
    assert back.frame_count == 5
    assert rows_of(back)[0][:4, SOUTH].tolist() == [float(name == "ALE/FIRE") for name in steps]


def test_an_environment_without_a_place_is_refused_before_anything_is_written(tmp_path, fake):
    with pytest.raises(BadInputError, match=r"ALE/NOOP.*pad_map=FILE"):
        convert(fake.Fake([5]), tmp_path / "out", format="nitrogen_dataset")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_write_that_breaks_leaves_nothing(tmp_path, fake, error):
    (tmp_path / "map.toml").write_text(ATARI)

    class Broken(fake.Fake):
        def frames(self, start, stop):
            yield from super().frames(start, stop - 1)
            raise error

    with pytest.raises(error):
        convert(Broken([5]), tmp_path / "out", format="nitrogen_dataset", options=[f"pad_map={tmp_path / 'map.toml'}"])
    assert [p.name for p in tmp_path.iterdir()] == ["map.toml"]


def test_options_out_of_their_range_are_refused(tmp_path):
    take = record(tmp_path / "take", [([0, 100], 200, [])])
    for option, said in (("shard=zip", "tar.gz"), ("actions=both", "raw or processed"), ("video=h265", "h264 or none")):
        with pytest.raises(BadInputError, match=said):
            convert(take, tmp_path / "out", format="nitrogen_dataset", options=[option])

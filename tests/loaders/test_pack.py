"""Packs: the pixels that clips give, made once, found again, and never taken for something else."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from rushes.cli.main import main
from rushes.errors import BadInputError, BusyError, StorageError
from rushes.formats.base import convert, open_any
from rushes.loaders import pack as packing
from rushes.loaders import packed
from rushes.loaders.pack import pack, packs_in, plan, remove_packs
from rushes.loaders.packed import FRAMES, PackedClips, find_pack, key_of, place_of
from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.clips import Clips, Want
from rushes.store.facts import add_fact
from rushes.store.lock import hold
from rushes.store.reader import open_session
from rushes.store.validity import honour
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

FRAMES_EACH, STEP = 40, 33_333_333
SIZE = (36, 64)


def record(path, game, seed):
    streams = (StreamSpec("screen", "frames", "h264", width=320, height=180, rate_hz=30.0),)
    info = SessionInfo(path.name, game, {}, "measured", streams, ActionSpace.from_layout("capture28"))
    encoder, scenery = (
        VideoEncoder("h264", width=320, height=180, rate_hz=30, gop_s=0.4),
        Scenery((180, 320), seed=seed),
    )
    with SessionWriter(path, info) as writer:
        writer.write(Start(0, {}))
        for k in range(FRAMES_EACH):
            data = encoder.encode(scenery.picture(k))
            writer.write(Frame(k * STEP, Encoded("h264", data, encoder.last_was_key)))
        writer.write(Gap(FRAMES_EACH * STEP, "stop"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A library of two sessions, never written to."""
    root = tmp_path_factory.mktemp("library")
    record(root / "sessions" / "first", "Doom", 1)
    record(root / "sessions" / "second", "Quake", 2)
    return root


@pytest.fixture
def library(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "library"))


def session(library, name="first"):
    return open_session(library / "sessions" / name)


def test_a_pack_has_the_pixels_that_clips_give_and_numpy_reads_it(library):
    done = pack(plan(library, SIZE))
    assert [one.recording for one in done] == ["first", "second"]
    (wanted,) = Clips(SIZE).read([Want(session(library), range(FRAMES_EACH))])
    found = find_pack(session(library), SIZE, library)
    np.testing.assert_array_equal(np.load(found.path / FRAMES), wanted)
    np.testing.assert_array_equal(found.read([7, 3, 3]), wanted[[7, 3, 3]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).read(range(5, 9)), wanted[5:9])
    assert found.is_whole()
    with pytest.raises(BadInputError, match="first: frames"):
        found.read([FRAMES_EACH])


def test_the_plan_says_what_it_takes_and_a_second_run_finds_it_done(library):
    before = plan(library, SIZE)
    assert (before.bytes, before.root) == (2 * FRAMES_EACH * 36 * 64 * 3, library)
    steps = []
    pack(before, progress=lambda *said: steps.append(said))
    assert steps[-1] == (2 * FRAMES_EACH, 2 * FRAMES_EACH, "second")
    files = {path: path.stat().st_mtime_ns for path in (library / "packs").rglob("*")}
    again = plan(library, SIZE)
    assert again.bytes == 0
    assert len(pack(again)) == 2
    assert {path: path.stat().st_mtime_ns for path in (library / "packs").rglob("*")} == files


def test_what_was_packed_since_it_was_planned_is_left_as_it_is(library):
    before = plan(library, SIZE)
    pack(plan(library / "sessions" / "first", SIZE))
    (path,) = (library / "packs").glob("*/frames.npy")
    inode = path.stat().st_ino
    steps = []
    assert len(pack(before, progress=lambda *said: steps.append(said[:2]))) == 2
    assert path.stat().st_ino == inode
    assert steps[-1] == (2 * FRAMES_EACH, 2 * FRAMES_EACH)


def test_runs_shorter_than_a_recording_give_the_same_pack(library, monkeypatch):
    whole = pack(plan(library, SIZE))
    remove_packs(library)
    monkeypatch.setattr(packing, "_HELD_BYTES", 7 * 36 * 64 * 3)
    assert [one.sha256 for one in pack(plan(library, SIZE), threads=1)] == [one.sha256 for one in whole]


def test_readers_take_packs_where_there_are_such_and_decode_the_rest(library):
    wants = [Want(session(library, name), [9, 2]) for name in ("second", "first", "second")]
    wanted = Clips(SIZE).read(wants)
    (only,) = pack(plan(library, SIZE, game="quake"))
    with (only.path / FRAMES).open("r+b") as file:  # a mark by which its pixels are known
        file.seek(-FRAMES_EACH * 36 * 64 * 3, 2)
        file.write(np.zeros((FRAMES_EACH, *SIZE, 3), np.uint8).data)
    reader = PackedClips(SIZE, library)
    for one in (reader, pickle.loads(pickle.dumps(reader))):
        found = one.read(wants)
        assert not found[0].any()
        assert not found[2].any()
        np.testing.assert_array_equal(found[1], wanted[1])
    assert not only.is_whole()


def test_its_name_follows_from_what_is_shown_and_the_size_alone(library, tmp_path):
    key = key_of(session(library), SIZE)
    assert key_of(open_session(shutil.copytree(library / "sessions" / "first", tmp_path / "copy")), SIZE) == key
    assert len({key, key_of(session(library), (64, 36)), key_of(session(library, "second"), SIZE)}) == 3
    pack(plan(library, SIZE, game="Doom"))
    add_fact(
        library / "sessions" / "first", "validity", {"valid": False}, author="a person", t_start_ns=0, t_end_ns=9 * STEP
    )
    marked = honour(session(library))
    assert marked.frame_count < FRAMES_EACH
    assert find_pack(marked, SIZE, library).frames == FRAMES_EACH, "a frame_index means the same with marks"


def test_a_film_that_is_no_session_is_read_for_its_name_only_where_a_pack_may_be_its(library, tmp_path, monkeypatch):
    convert(library / "sessions" / "first", tmp_path / "theirs", format="gameon")
    (theirs,) = open_any(tmp_path / "theirs")
    read = []
    monkeypatch.setattr(packed, "_digest", lambda film: read.append(film) or "0")
    (tmp_path / "packs").mkdir()
    assert find_pack(theirs, SIZE, tmp_path) is None
    assert read == []
    (made,) = pack(plan(tmp_path / "theirs", SIZE, root=tmp_path))
    assert find_pack(theirs, SIZE, tmp_path) == made
    read.clear()
    assert find_pack(theirs, (18, 32), tmp_path) is None
    assert read == []


def test_damaged_and_half_packs_are_noticed_and_made_anew(library):
    first, second = pack(plan(library, SIZE))
    with (first.path / FRAMES).open("r+b") as file:
        file.truncate(1000)
    (second.path / "pack.json").write_text("{")
    half = library / "packs" / ".0123.partial"
    half.mkdir()
    assert packs_in(library) == ([], sorted([half, first.path, second.path]))
    with pytest.warns(UserWarning, match="a pack that is damaged"):
        assert find_pack(session(library), SIZE, library) is None
    with pytest.warns(UserWarning, match="damaged"):
        planned = plan(library, SIZE)
    assert len(pack(planned)) == 2
    assert packs_in(library)[1] == []


def test_a_picture_that_cannot_be_decoded_leaves_no_pack(library):
    film = library / "sessions" / "second" / "chunks" / "0001" / "frames.mp4"
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"second.*frames\.mp4"):
        pack(plan(library, SIZE))
    whole, broken = packs_in(library)
    assert ([one.recording for one in whole], broken) == (["first"], [])


def test_one_process_packs_at_a_time_and_a_full_disk_is_said_before(library, monkeypatch):
    planned = plan(library, SIZE)
    (library / "packs").mkdir()
    with hold(library / "packs"), pytest.raises(BusyError, match="another process is packing"):
        pack(planned)
    monkeypatch.setattr(packing.Plan, "free", 1000)
    with pytest.raises(StorageError, match="packing takes"):
        pack(planned)
    assert list((library / "packs").iterdir()) == []


@pytest.mark.parametrize("size", [0, (4, 0)])
def test_a_size_without_pixels_is_refused(library, size):
    with pytest.raises(BadInputError, match="size"):
        plan(library, size)


def test_packs_lie_in_the_library_whatever_part_of_it_is_named(library):
    assert {place_of(library), place_of(library / "sessions"), place_of(library / "sessions" / "first")} == {library}


def test_the_command_says_what_it_takes_makes_lists_checks_and_removes(library, capsys):
    def said(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["pack", str(library), *arguments])
        assert not end.value.code
        return capsys.readouterr().out

    megabytes = 2 * FRAMES_EACH * 36 * 64 * 3 / 1e6
    assert f"2 recordings to pack, 80 frames of 64 x 36: {megabytes:.1f} MB" in said("--size", "36x64", "--dry-run")
    assert json.loads(said("--list", "--json"))["packs"] == []
    assert "2 packs, 0.6 MB; 2 new" in said("--size", "36x64")
    told = json.loads(said("--size", "36x64", "--json"))
    assert (told["packed"], told["there_already"], len(told["packs"])) == (0, 2, 2)
    assert "Quake  second" in said("--check")
    assert json.loads(said("--remove", "--game", "quake", "--json"))["removed"] == 1
    assert "1 pack removed" in said("--remove", "--size", "36x64")
    assert "0 packs" in said("--list")


@pytest.mark.parametrize("arguments", [["--list"], ["--remove"], []])
def test_a_place_where_nothing_is_and_a_size_that_is_none_are_refused(tmp_path, capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(["pack", str(tmp_path / "nothing"), *arguments])
    assert (end.value.code, "nothing is there" in capsys.readouterr().err) == (1, True)
    with pytest.raises(SystemExit) as end:
        main(["pack", str(tmp_path), "--size", "big", *arguments])
    assert (end.value.code, "HEIGHTxWIDTH" in capsys.readouterr().err) == (2, True)

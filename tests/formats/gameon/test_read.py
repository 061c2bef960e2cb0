"""What the recorder left, read: every input is the control that was moved, or counted with its reason."""

import os
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.base import open_any, sniff_path
from rushes.model.grid import to_grid

NS = 1_000_000_000
MS = 1_000_000


def events(recording, *names):
    table = recording.events(0)
    return [tuple(row) for row in table[list(names)].itertuples(index=False, name=None)]


def problems(found):
    return {problem.kind: problem.count for problem in found.problems}


def held(recording, control):
    segment, index = recording.segments[0], recording.index(0)
    grid = to_grid(recording.events(0), index["t_ns"], end_ns=segment.end_ns)
    return np.flatnonzero(grid.held[control]).tolist()


def test_a_key_is_down_from_its_press_to_its_release_on_frames_at_the_nominal_rate(gameon, recorder, one):
    key = gameon.key
    recorder.session(1, [key(100, "w", "press"), key(433, "w", "release"), key(500, "Key.space", "press"),
                         key(510, "Key.space", "release")])  # fmt: skip
    for path in (recorder.database, recorder.database.parent, recorder.root):
        assert sniff_path(path) == "gameon"
    found = one(open_any(recorder.root))
    assert (found.info.game, found.info.id, found.info.time_source) == ("Doom", "Doom_20251127_143021", "assumed")
    assert (found.frame_count, found.segments[0].end_ns, found.info.action_space.names) == (30, NS, ("KeyW", "Space"))
    assert held(found, "KeyW") == list(range(3, 13))  # 100 ms is frame 3; 433 ms is just before frame 13
    assert held(found, "Space") == [15]
    for k in (0, 1, 17, 29):
        assert abs(int(found.frame(k)[20, 30, 0]) - gameon.level(k)) < 6
    assert problems(found) == {"assumed_times": 30}
    assert found.ledger["events"].kept == 4
    assert found.ledger.balances


def test_every_row_is_an_event_or_counted(gameon, recorder, one):
    key, move = gameon.key, gameon.move
    recorder.session(1, [
        key(0, "W", "press"), key(1, "\x17", "press"), key(2, "w", "release"),  # with shift, with Ctrl: one key
        key(10, "!", "press"), key(11, "Key.shift", "press"), key(12, "Key.ctrl_r", "press"),
        key(13, "Key.f5", "press"),
        key(20, None, "press"), key(21, None, "release"), key(22, "é", "press"), key(23, "Key.nonsense", "press"),
        key(24, "a", "hover"), key(25, "a", "press", "joystick"), key("soon", "a", "press"),
        key(30, "Button.x2", "press", "mouse"), key(31, "Button.unknown", "press", "mouse"),
        (40, "mouse", "scroll", "scroll", -2.0, 5.0, 5.0), (41, "mouse", "scroll", "scroll", 0.0, 5.0, 5.0),
        move(50, 100, 200), move(51, 103, 198), (52, "mouse", "move", "move", None, None, 7.0),
        key(5000, "a", "press"), key(-5, "d", "press"),
    ])  # fmt: skip
    found = one(open_any(recorder.database))
    assert found.ledger["events"].lost == {
        "time_unreadable": 1, "key_without_name": 2, "unknown_key": 2, "unknown_action": 1, "unknown_device": 1,
        "unknown_button": 1, "key_repeat": 1, "first_position": 1, "scroll_sideways": 1, "value_unreadable": 1,
        "behind_video": 1, "before_video": 1,
    }  # fmt: skip
    assert found.ledger["events"].offered == 23
    assert found.ledger.balances
    assert events(found, "control", "kind") == [
        ("KeyD", "state"), ("KeyW", "press"), ("KeyW", "release"), ("Digit1", "press"), ("ShiftLeft", "press"),
        ("ControlRight", "press"), ("F5", "press"), ("MouseX2", "press"), ("MouseWheel", "scroll"), ("Mouse", "state"),
        ("Mouse", "move"),
    ]  # fmt: skip
    last = found.events(0).iloc[-1]
    assert (last["dx"], last["dy"], last["x"], last["y"]) == (3, -2, 103, 198)
    assert problems(found)["sparse_motion"] == 1
    assert {"MouseDX", "MouseDY", "MouseWheel"} <= set(found.info.action_space.names)


def test_pads_are_read_as_the_recorders_library_names_them(gameon, recorder, one):
    pad = gameon.pad
    recorder.session(1, [
        pad(0, "BTN_SOUTH", 1), pad(5, "BTN_SOUTH", 0), pad(6, "SYN_REPORT", 0), pad(10, "BTN_SELECT", 1),
        pad(20, "ABS_X", -32768), pad(21, "ABS_Y", 32767), pad(22, "ABS_Z", 51), pad(30, "ABS_HAT0Y", -1),
        pad(31, "ABS_HAT0Y", 1), pad(32, "ABS_HAT0Y", 1), pad(40, "BTN_NOWHERE", 1), pad(41, "ABS_RX", None),
    ], input_type="xbox")  # fmt: skip
    found = one(open_any(recorder.database))
    assert [row[:2] for row in events(found, "control", "kind")] == [
        ("SOUTH", "press"), ("SOUTH", "release"), ("START", "press"), ("J_LEFT_X", "axis"), ("J_LEFT_Y", "axis"),
        ("LEFT_TRIGGER", "axis"), ("DPAD_UP", "press"), ("DPAD_UP", "release"), ("DPAD_DOWN", "press"),
    ]  # fmt: skip
    assert found.events(0)["value"].dropna().tolist() == [-1.0, -1.0, 0.2]  # up is -1
    assert found.ledger["events"].lost == {"sync_report": 1, "changes_nothing": 1, "unknown_code": 1,
                                           "value_unreadable": 1}  # fmt: skip
    assert found.ledger.balances
    assert problems(found)["start_and_select_swapped"] == 1


def test_sticks_of_eight_bits_are_known_by_their_range(gameon, recorder, one):
    values = [(0, "ABS_X", 0), (1, "ABS_Y", 255), (2, "ABS_X", 128)]
    recorder.session(1, [gameon.pad(*row, "playstation") for row in values], input_type="playstation")
    found = one(open_any(recorder.database))
    assert found.events(0)["value"].tolist() == [-1.0, 1.0, 0.0]
    assert problems(found)["sticks_of_eight_bits"] == 1


def test_the_first_form_of_the_tables_reads(gameon, tmp_path, one):
    recorder = gameon.Recorder(tmp_path, first_form=True)
    recorder.session(1, [gameon.key(40, "d", "press")], notes="practice")
    found = one(open_any(tmp_path))
    assert held(found, "KeyD")[0] == 1
    assert found.info.provenance["gameon"]["notes"] == "practice"


def test_what_the_migration_tool_begins_has_a_session_without_anything(tmp_path):
    path = tmp_path / "gameon.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, game_name TEXT)")
        connection.execute("INSERT INTO sessions VALUES (1, 'Doom')")
        connection.commit()
    found = open_any(path)
    assert [recording.frame_count for recording in found] == [0]
    assert found.ledger["episodes"].lost == {"without_frames": 1}


def test_files_are_found_by_the_paths_of_another_machine(gameon, recorder):
    def stored(path):
        return {"video_path": path, "fps": 30}

    row = [gameon.key(0, "w", "press")]
    recorder.session(1, row, folder="A", **stored("data\\sessions\\A\\video.mp4"))
    recorder.session(2, row, folder="B", **stored("C:\\GameOn\\data\\sessions\\B\\video.mp4"))
    recorder.session(3, row, folder="C", **stored("./data/sessions/C/video.avi"))  # the file is an .mp4
    recorder.session(4, row, folder="D", **stored("/home/somebody/sessions/D/video.mp4"))
    assert [recording.frame_count for recording in open_any(recorder.database)] == [30] * 4


def test_a_path_that_leads_elsewhere_is_followed_only_when_asked(gameon, recorder, tmp_path_factory, one):
    mine = gameon.film(tmp_path_factory.mktemp("mine") / "private" / "video.mp4", 5)
    recorder.session(1, [gameon.key(0, "w", "press")], frames=0, video_path=str(mine))
    link = recorder.database.parent / "sessions" / "linked"
    link.mkdir(parents=True)
    (link / "video.mp4").symlink_to(mine)
    recorder.session(2, frames=0, video_path="data/sessions/linked/video.mp4")
    recorder.session(3, frames=0, video_path="../../../../../../etc/passwd")
    found = open_any(recorder.database)
    assert [recording.frame_count for recording in found] == [0, 0, 0]
    assert found[0].ledger["events"].lost == {"without_video": 1}
    assert "outside=true" in found[0].problems[0].sentence
    followed = open_any(recorder.database, options=["outside=true", "sessions=1"])
    assert one(followed).frame_count == 5


def test_sound_of_a_killed_recorder_is_read_though_its_header_claims_none(gameon, recorder, one):
    samples = np.arange(8000, dtype="<i2")[:, None] * [[1, -1]]
    place = recorder.session(1, [gameon.key(0, "w", "press")], status="recording", end_time=None,
                             system_audio_path="data\\sessions\\S\\system_audio.wav", folder="S",
                             microphone_audio_path="data/sessions/S/microphone_audio.wav")  # fmt: skip
    gameon.wav(place / "system_audio.wav", samples.astype("<i2"), claimed=0)
    gameon.wav(place / "microphone_audio.wav", np.zeros((0, 1), "<i2"))
    found = one(open_any(recorder.database))
    assert [stream.name for stream in found.sound_streams] == ["system"]
    blocks = list(found.sound("system"))
    assert (blocks[0].t_ns, blocks[0].rate_hz, sum(len(block.samples) for block in blocks)) == (0, 8000, 8000)
    np.testing.assert_array_equal(blocks[0].samples[:3], [[0, 0], [1, -1], [2, -2]])
    (near,) = found.sound_between("system", 500 * MS, 501 * MS)
    assert abs(near.t_ns - 500 * MS) < 2 * MS
    assert near.samples[0, 0] == near.t_ns * 8000 // NS
    assert problems(found) == {"assumed_times": 30, "unfinished": 1, "sound_header": 1, "empty_sound": 1,
                               "sound_without_times": 1}  # fmt: skip
    assert found.segments[0].end_reason == "killed"
    assert found.ledger["system"].kept == 8000


def test_a_killed_session_without_inputs_is_not_called_idle(recorder, one):
    recorder.session(1, status="recording", end_time=None, duration_seconds=None)
    assert {"unfinished", "without_events"} <= set(problems(one(open_any(recorder.database))))


def test_a_video_without_its_table_is_told_and_its_inputs_are_counted(gameon, recorder, one):
    place = recorder.session(1, [gameon.key(0, "w", "press")])
    whole = (place / "video.mp4").read_bytes()
    (place / "video.mp4").write_bytes(whole[: len(whole) // 3])
    found = one(open_any(recorder.database))
    assert (found.frame_count, problems(found)) == (0, {"unreadable_video": 1})
    assert found.ledger["events"].lost == {"without_video": 1}
    with pytest.raises(IndexError):
        found.frame(0)


def test_frames_behind_whole_thousands_of_inputs_are_left_out_for_the_recorder_stops_at_a_key_without_a_name(
    gameon, recorder, one
):
    rows = [gameon.key(k // 4, "w", "release" if k % 2 else "press") for k in range(1000)]  # the last one at 249 ms
    recorder.session(1, rows)
    found = one(open_any(recorder.root))
    assert (found.frame_count, found.segments[0].end_ns) == (7, 233_333_333)  # frame 7 begins at 233 ms
    assert found.ledger["frames"].lost == {"inputs_not_stored": 23}
    assert problems(found)["inputs_not_stored"] == 23
    assert found.ledger["events"].lost == {"behind_video": 64}  # 234 to 249 ms, four each
    assert found.ledger.balances
    recorder.events(1, [gameon.key(260, "w", "press")])
    assert one(open_any(recorder.root)).frame_count == 30


def test_times_of_frames_are_taken_where_the_database_has_them(gameon, recorder, one):
    recorder.session(1, [gameon.key(45, "w", "press"), gameon.key(99, "w", "release")], frames=4)
    rows = [(1, 1, 0, 0, 0), (2, 1, 1, 40, 0), (3, 1, 2, 60, 1), (4, 1, 2, 100, 0), (5, 1, 3, 141, 0)]
    recorder.run("INSERT INTO frame_timestamps (id, session_id, frame_number, capture_timestamp_ms, dropped) "
                 "VALUES (?, ?, ?, ?, ?)", rows)  # fmt: skip
    found = one(open_any(recorder.database))
    index = found.index()
    assert (index["t_ns"] // MS).tolist() == [0, 40, 100, 141]
    assert (index["tick"].tolist(), index["dropped_before"].tolist()) == ([0, 1, 3, 4], [0, 0, 1, 0])
    assert (found.info.time_source, held(found, "KeyW"), problems(found)) == ("measured", [1], {})
    assert found.ledger["frames"].lost == {"dropped_tick": 1}
    recorder.run("DELETE FROM frame_timestamps WHERE id = 2")
    found = one(open_any(recorder.database))
    assert (found.info.time_source, problems(found)["frame_timestamps_do_not_fit"]) == ("assumed", 4)


def test_frames_before_the_oldest_input_that_was_kept_are_left_out(gameon, recorder, one):
    recorder.session(1, [gameon.move(500 + k // 25, k, 0) for k in range(10_000)])
    found = one(open_any(recorder.database))
    assert (found.frame_count, problems(found)["inputs_overwritten"]) == (15, 15)
    assert found.ledger["frames"].lost == {"inputs_overwritten": 15}
    assert abs(int(found.frame(0)[20, 30, 0]) - gameon.level(15)) < 6


def test_what_is_known_of_its_clocks_is_said(gameon, recorder, one):
    recorder.session(1, [gameon.key(100, "w", "press")], latency_offset_ms=-40, end_time="2025-11-27T14:30:24.500000")
    found = one(open_any(recorder.database))
    assert found.events(0)["t_ns"].tolist() == [100 * MS]  # as it is stored
    said = {problem.kind: problem.sentence for problem in found.problems}
    assert "-40 ms" in said["latency_offset"]
    assert "30 frames of 2.0 s" in said["video_and_clock_differ"]
    assert "fast, by 1.0 s" in said["video_and_clock_differ"]
    assert found.info.provenance["gameon"]["latency_offset_ms"] == -40


def listing(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_that_was_left_open_is_read_whole_and_not_touched(gameon, recorder, tmp_path, mode, one):
    recorder.session(1, [gameon.key(0, "w", "press")])
    connection = sqlite3.connect(recorder.database)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("PRAGMA cache_spill = 1")
    row = "INSERT INTO input_events (session_id, timestamp_ms, input_device, button_key, action) VALUES "
    connection.execute(row + "(1, 50, 'keyboard', 'a', 'press')")
    connection.commit()
    if mode == "delete":  # a transaction that was not ended: its rows are in the file, the journal takes them back
        connection.execute("PRAGMA cache_size = 1")
        connection.executemany(row + "(1, 60, 'keyboard', ?, 'press')", [("d" * 3000,)] * 50)
    copy = tmp_path / "copy" / "data"
    shutil.copytree(recorder.database.parent, copy)
    connection.close()
    before = listing(copy)
    assert len(before) > 1
    found = one(open_any(copy))
    assert [row[0] for row in events(found, "control")] == ["KeyW", "KeyA"]
    assert listing(copy) == before


def test_a_database_with_a_log_that_was_closed_is_not_touched(gameon, recorder, one):
    recorder.session(1, [gameon.key(0, "w", "press")])
    recorder.run("PRAGMA journal_mode = wal")
    before = listing(recorder.database.parent)
    assert len(one(open_any(recorder.root)).events(0)) == 1
    assert listing(recorder.database.parent) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_database_in_a_folder_that_cannot_be_written_is_read(gameon, recorder, one):
    recorder.session(1, [gameon.key(0, "w", "press")])
    recorder.database.parent.chmod(0o500)
    try:
        assert len(one(open_any(recorder.database)).events()) == 2
    finally:
        recorder.database.parent.chmod(0o700)


def test_only_the_sessions_asked_for_are_read(gameon, recorder):
    for number in (1, 2, 3):
        recorder.session(number, [gameon.key(0, "w", "press")], frames=3)
    assert [r.numbers for r in open_any(recorder.root, options=["sessions=3,1"])] == [(1,), (3,)]
    with pytest.raises(BadInputError, match=r"of which 7 is not there; accepted: ids of gameon\.db: 1, 2, 3"):
        open_any(recorder.root, options=["sessions=1,7"])
    with pytest.raises(BadInputError, match="ids with commas"):
        open_any(recorder.root, options=["sessions=all"])


def test_what_is_no_database_of_gameon_is_refused_by_name(tmp_path, recorder):
    empty = tmp_path / "empty" / "gameon.db"
    empty.parent.mkdir()
    empty.touch()
    with pytest.raises(BadDataError, match=r"gameon\.db: empty"):
        open_any(empty)
    empty.write_bytes(b"not a database at all")
    with pytest.raises(BadDataError, match="no SQLite database"):
        open_any(empty.parent)
    whole = recorder.database.read_bytes()
    empty.write_bytes(whole[:4096] + b"\xff" * 4096)
    with pytest.raises(BadDataError, match="malformed"):
        open_any(empty)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE sessions (id INTEGER)")
        connection.commit()
    with pytest.raises(BadDataError, match="no format"):
        open_any(other)
    with pytest.raises(MissingError):
        open_any(tmp_path / "gone.db")


def test_a_database_of_many_sessions_reads_each_when_it_is_asked_for(gameon, recorder):
    for number in range(1, 13):
        recorder.session(number, [gameon.key(number, "w", "press")], frames=0, video_path=None)
    found = open_any(recorder.root)
    assert len(found) == 12
    assert found[11] is found[11]
    assert [recording.info.id for recording in found[9:]] == ["gameon-10", "gameon-11", "gameon-12"]

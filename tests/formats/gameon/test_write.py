"""Recordings written as GameOn keeps them: rows held against literal ones, and read back."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rushes.errors import BadInputError
from rushes.formats.base import convert, open_any
from rushes.formats.gameon.rows_write import rows_of_segment
from rushes.model.actions import ActionSpace
from rushes.model.readings import Event, Sound
from rushes.model.session import StreamSpec
from rushes.store.video import probe

MS = 1_000_000
NS = 1000 * MS


def rows(target, said):
    with closing(sqlite3.connect(target / "data" / "gameon.db")) as connection:
        return connection.execute(said).fetchall()


def columns(target, table):
    return [row[1] for row in rows(target, f"PRAGMA table_info({table})")]


@pytest.fixture
def play(hands):
    """Doom: two segments, one of them with two dropped ticks; what was done in each is `hands.some`."""
    return hands.Hands([11, 8], drops=(3,))


def test_the_columns_stand_where_the_original_takes_them_by_position(play, tmp_path):
    convert(play, tmp_path / "out", format="gameon")
    assert columns(tmp_path / "out", "sessions") == [
        "id", "game_name", "start_time", "end_time", "duration_seconds", "video_path", "system_audio_path",
        "microphone_audio_path", "input_type", "fps", "latency_offset_ms", "status", "monitor_index", "notes",
        "video_width", "video_height", "video_codec", "total_frames", "file_size_bytes",
    ]  # fmt: skip
    assert columns(tmp_path / "out", "input_events") == [
        "id", "session_id", "timestamp_ms", "input_device", "button_key", "action", "value", "x_position",
        "y_position", "action_code",
    ]  # fmt: skip
    first, second = rows(tmp_path / "out", "SELECT * FROM sessions")
    folder = "data/sessions/Doom_20010909_014640"  # 10**18 ns is 2001-09-09 01:46:40 UTC
    assert first[:13] == (
        1, "Doom", "2001-09-09T01:46:40", "2001-09-09T01:46:40.440000", 0, f"{folder}/video.mp4", None, None,
        "keyboard", 25, 0, "completed", 0,
    )  # fmt: skip
    video = probe(tmp_path / "out" / folder / "video.mp4")
    assert first[14:] == (16, 12, "h264", 11, video.size_bytes)
    assert (video.codec, video.pixel_format, video.frames, video.rate_hz) == ("h264", "yuv420p", 11, 25.0)
    assert (second[2], second[5][:34]) == ("2001-09-09T01:46:41.440000", "data/sessions/Doom_20010909_014641")
    assert rows(tmp_path / "out", "SELECT * FROM session_health") == []


def test_events_stand_in_the_originals_words_with_their_numbers(play, tmp_path):
    convert(play, tmp_path / "out", format="gameon", options=["strict=true"])
    said = (
        "SELECT timestamp_ms, e.input_device, button_key, action, value, x_position, y_position, encoded_value "
        "FROM input_events e JOIN action_codes c ON action_code = c.id WHERE session_id = 2 ORDER BY e.id"
    )
    assert rows(tmp_path / "out", said) == [
        (0, "mouse", "move", "move", None, 0.0, 0.0, 33),
        (20, "keyboard", "w", "press", 1.0, None, None, 0),
        (40, "keyboard", "e", "press", 1.0, None, None, 15),
        (40, "keyboard", "e", "release", 0.0, None, None, 15),
        (40, "mouse", "move", "move", None, 3.0, -4.0, 33),
        (40, "mouse", "move", "move", None, 4.0, -3.0, 33),
        (80, "mouse", "Button.left", "press", 1.0, 4.0, -3.0, 30),
        (100, "keyboard", "w", "release", 0.0, None, None, 0),
        (120, "mouse", "Button.left", "release", 0.0, 4.0, -3.0, 30),
    ]
    assert rows(tmp_path / "out", "PRAGMA foreign_key_check") == []
    tables = {row[0] for row in rows(tmp_path / "out", "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables - {"sqlite_sequence"} == {
        "sessions", "input_events", "action_codes", "frame_timestamps", "session_health",
    }  # fmt: skip


def test_deleting_a_session_takes_its_rows_along(play, tmp_path):
    convert(play, tmp_path / "out", format="gameon")
    with closing(sqlite3.connect(tmp_path / "out" / "data" / "gameon.db")) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM sessions WHERE id = 1")
        for table in ("input_events", "frame_timestamps"):
            assert connection.execute(f"SELECT DISTINCT session_id FROM {table}").fetchall() == [(2,)]
        for table in ("rushes_events", "rushes_frames", "rushes_sessions"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] in (8, 1)


def test_when_each_frame_was_taken_is_there_and_each_that_was_dropped(play, tmp_path):
    convert(play, tmp_path / "out", format="gameon")
    said = "SELECT frame_number, capture_timestamp_ms, dropped FROM frame_timestamps WHERE session_id = 1 ORDER BY id"
    assert rows(tmp_path / "out", said)[:6] == [(0, 0, 0), (1, 40, 0), (2, 80, 0), (3, 93, 1), (3, 106, 1), (3, 120, 0)]


def test_a_recording_comes_back_as_it_was(play, tmp_path):
    convert(play, tmp_path / "out", format="gameon")
    (found,) = open_any(tmp_path / "out")
    assert found.segments == play.segments
    assert found.problems == ()
    assert (found.info.id, found.info.game, found.info.time_source) == ("hands-1", "Doom", "measured")
    assert found.info.action_space == play.info.action_space
    pd.testing.assert_frame_equal(found.index(), play.index().assign(picture=found.index()["picture"]))
    for segment in (0, 1):
        pd.testing.assert_frame_equal(found.events(segment), play.events(segment))
    shown = list(found.frames(9, 13))  # over the border of two videos
    assert [np.abs(a.astype(int) - play.frame(k)).mean() < 30 for k, a in enumerate(shown, 9)] == [True] * 4


def test_an_event_stays_in_its_row_though_both_have_whole_ms(hands, tmp_path):
    """Frames at 0, 40 and 80 ms; what happens just before one shares its ms in no form."""
    late = [hands.key(40 * MS - 1, "KeyW", "press"), hands.key(80 * MS - 1, "KeyW", "release")]
    play = hands.Hands([3], events=[lambda _: late])
    play._rows["t_ns"] += [0, 600_000, 300_000]  # 40.6 and 80.3 ms
    play._events["t_ns"] += [600_000, 300_000]
    convert(play, tmp_path / "out", format="gameon", options=["strict=true"])
    (found,) = open_any(tmp_path / "out")
    assert (found.index()["t_ns"] // MS).tolist() == [0, 40, 80]
    assert (found.events(0)["t_ns"] // MS).tolist() == [39, 79]


def test_pads_keys_without_a_word_and_wheels(hands, tmp_path):
    made = [
        Event(1, "pad0", "J_LEFT_Y", "axis", -0.5), Event(2, "pad0", "RIGHT_TRIGGER", "axis", 0.25),
        Event(3, "pad0", "START", "press"), Event(4, "pad0", "DPAD_LEFT", "press"),
        Event(5, "pad0", "DPAD_LEFT", "release"), Event(6, "keyboard", "Numpad5", "press"),
        Event(7, "mouse", "MouseWheel", "scroll", 2.0), Event(8, "mouse", "MouseWheelX", "scroll", -1.0),
        Event(9, "keyboard", "KeyQ", "press", flag="hotkey"),
    ]  # fmt: skip
    play = hands.Hands([4], events=[lambda _: made])
    report = convert(play, tmp_path / "strict", format="gameon", options=["strict=true"])
    assert report.ledger["events"].lost == {"no_place_Numpad5": 1, "no_place_MouseWheelX": 1, "hotkey": 1}
    said = "SELECT input_device, button_key, action, value FROM input_events ORDER BY id"
    assert rows(tmp_path / "strict", said) == [
        ("xbox", "ABS_Y", "move", 16384.0), ("xbox", "ABS_RZ", "move", 64.0), ("xbox", "BTN_SELECT", "press", 1.0),
        ("xbox", "ABS_HAT0X", "move", -1.0), ("xbox", "ABS_HAT0X", "move", 0.0), ("mouse", "scroll", "scroll", 2.0),
    ]  # fmt: skip
    assert rows(tmp_path / "strict", "SELECT input_type FROM sessions") == [("xbox",)]
    (found,) = open_any(tmp_path / "strict")
    assert found.events()["control"].tolist()[:4] == ["J_LEFT_Y", "RIGHT_TRIGGER", "START", "DPAD_LEFT"]
    assert found.events()["value"][0] == pytest.approx(-0.5, abs=1e-4)
    convert(play, tmp_path / "own", format="gameon")
    (found,) = open_any(tmp_path / "own")
    assert found.events(0)["control"].tolist() == [event.control for event in made[:8]]
    assert found.events(0)["value"][0] == -0.5


def test_numbers_go_on_where_the_seeded_ones_end_or_begin_at_first_sight(hands, tmp_path):
    made = [hands.key(k, name, "press") for k, name in enumerate(("KeyM", "KeyW", "KeyN", "MouseLeft"))]
    for codes, wanted in (("seeded", [100, 0, 101, 30]), ("first_seen", [0, 1, 2, 0])):
        play = hands.Hands([4], events=[lambda _: made])
        convert(play, tmp_path / codes, format="gameon", options=[f"codes={codes}"])
        assert [row[0] for row in rows(tmp_path / codes, "SELECT encoded_value FROM action_codes")] == wanted
    with pytest.raises(BadInputError, match="did you mean 'seeded'"):
        convert(hands.Hands([4]), tmp_path / "no", format="gameon", options=["codes=seded"])


def test_what_is_down_when_a_segment_begins_is_pressed_at_its_start(hands, tmp_path):
    held = [Event(0, "keyboard", "KeyA", "state", 1.0), Event(0, "keyboard", "KeyD", "state", 0.0),
            Event(0, "mouse", "Mouse", "state", x=7.0, y=9.0),
            Event(60 * MS, "keyboard", "KeyA", "release")]  # fmt: skip
    convert(hands.Hands([4], events=[lambda _: held]), tmp_path / "out", format="gameon")
    said = "SELECT timestamp_ms, button_key, action, x_position FROM input_events"
    assert rows(tmp_path / "out", said) == [(0, "a", "press", None), (0, "move", "move", 7), (60, "a", "release", None)]
    (found,) = open_any(tmp_path / "out")
    assert found.events(0)["kind"].tolist() == ["state", "state", "release"]
    assert found.ledger["events"].kept == 1


def test_an_environments_last_observation_is_kept_out(hands, tmp_path):
    report = convert(hands.Hands([5], environment=True), tmp_path / "out", format="gameon")
    assert report.ledger["frames"].lost == {"without_action": 1}
    (found,) = open_any(tmp_path / "out")
    assert (found.frame_count, found.is_environment, found.segments[0].end_ns) == (4, False, 160 * MS)


@pytest.fixture
def heard(hands):
    """Sound of two streams at 8 kHz: numbered samples; the microphone is silent from 40 to 120 ms."""

    class Heard(hands.Hands):
        def sound(self, stream):
            self.sound_stream(stream)
            for at in range(0, 3520, 320):
                if stream != "mic" or at not in (320, 640):
                    samples = np.arange(at, at + 320, dtype=np.int16)[:, None]
                    yield Sound(at * NS // 8000, samples, 8000, stream)

    play = Heard([11])
    sounds = tuple(StreamSpec(name, "sound", "flac", rate_hz=8000.0) for name in ("game", "mic", "voice"))
    play.info = replace(play.info, streams=(*play.info.streams, *sounds))
    return play


def test_sound_is_laid_on_the_time_of_its_segment(heard, tmp_path):
    import soundfile

    report = convert(heard, tmp_path / "out", format="gameon")
    (row,) = rows(tmp_path / "out", "SELECT system_audio_path, microphone_audio_path FROM sessions")
    game, rate = soundfile.read(tmp_path / "out" / row[0], dtype="int16")
    assert rate == 8000
    np.testing.assert_array_equal(game, np.arange(3520))
    mic, _ = soundfile.read(tmp_path / "out" / row[1], dtype="int16")
    wanted = np.arange(3520)
    wanted[320:960] = 0
    np.testing.assert_array_equal(mic, wanted)
    assert report.ledger["mic"].marked == {"silence": 640}
    assert report.ledger["voice"].lost == {"no_place_voice": 3520}
    (found,) = open_any(tmp_path / "out")
    assert [stream.name for stream in found.sound_streams] == ["game", "mic"]
    blocks = [(block.t_ns // MS, len(block.samples)) for block in found.sound("mic")]
    assert blocks == [(0, 320), (120, 2560)]  # the silence was put in: it is not heard
    assert [int(block.samples[0, 0]) for block in found.sound_between("mic", 200 * MS, 201 * MS)] == [1599]
    assert found.ledger["mic"].kept == 2880


def test_pictures_of_an_odd_size_come_back_in_it(hands, tmp_path):
    class Odd(hands.Hands):
        def frames(self, start, stop):
            return (pixels[:11, :15] for pixels in super().frames(start, stop))

    convert(Odd([3]), tmp_path / "out", format="gameon")
    assert rows(tmp_path / "out", "SELECT video_width, video_height FROM sessions") == [(16, 12)]
    (found,) = open_any(tmp_path / "out")
    assert found.frame(1).shape == (11, 15, 3)


def test_names_of_games_lead_nowhere(hands, tmp_path):
    convert(hands.Hands([2], game="../../x: y/z"), tmp_path / "out", format="gameon")
    (row,) = rows(tmp_path / "out", "SELECT video_path, game_name FROM sessions")
    assert row == ("data/sessions/x_y_z_20010909_014640/video.mp4", "../../x: y/z")


def test_our_own_tables_are_not_trusted(play, tmp_path):
    convert(play, tmp_path / "out", format="gameon")
    database = tmp_path / "out" / "data" / "gameon.db"
    with closing(sqlite3.connect(database)) as connection:
        (about,) = connection.execute("SELECT about FROM rushes_sessions WHERE session_id = 1").fetchone()
        connection.execute("UPDATE rushes_sessions SET about = '[1' WHERE session_id = 2")
        told = json.loads(about) | {"size": ["a", {}]}
        connection.execute("UPDATE rushes_sessions SET about = ? WHERE session_id = 1", [json.dumps(told)])
        connection.commit()
    found = open_any(database)
    assert [recording.frame_count for recording in found] == [0, 8]
    assert [problem.kind for problem in found[0].problems] == ["unreadable_session"]
    assert found[1].info.action_space == ActionSpace.from_names(["KeyE", "KeyW", "MouseLeft", "MouseDX", "MouseDY"])
    assert found.ledger.balances


def test_a_state_within_a_segment_that_tells_something_new_is_written_and_one_that_repeats_is_not():
    def said(t_ms, control, kind, value):
        return Event(t_ms * MS, "d", control, kind, value)

    told = [
        said(0, "KeyW", "state", 1.0), said(0, "KeyA", "state", 0.0), said(5, "KeyW", "state", 1.0),
        said(10, "KeyW", "state", 0.0), said(11, "KeyW", "state", 0.0), said(20, "KeyW", "press", 1.0),
    ]  # fmt: skip
    written = [(v[0], v[2], v[3]) for v, _ in rows_of_segment(told, np.array([0, 100 * MS]))]
    assert written == [(0, "w", "press"), (10, "w", "release"), (20, "w", "press")]

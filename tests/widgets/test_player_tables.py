"""Rows, lanes and sound of the player, against what was planted."""

import av
import numpy as np
import pytest

from rushes.errors import BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.readings import Event, Frame, Gap, Sound, Start, Step, Telemetry
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import open_session
from rushes.store.writer import SessionWriter
from rushes.widgets.player import player
from rushes.widgets.player_inputs import read_inputs
from rushes.widgets.player_lines import Lines, spans, ticks
from rushes.widgets.player_link import Link, read_link
from rushes.widgets.player_places import event_frames
from rushes.widgets.player_rows import Rows
from rushes.widgets.player_sound import BIN_NS, Wave
from rushes.widgets.player_source import open_shown

NS, STEP = 1_000_000_000, 50_000_000
NAMES = ("NOOP", "UP", "FIRE", "UPFIRE")
PLAYED = [[0, 1, 1, 3, 2], [3, 0, 0, 1]]
"""Actions of two episodes."""
REWARDS = [[0, 0, 5, 0, 1], [0, 2, 0, 0]]
HUMAN = [[0, 0, 1, 1, 0], [1, 0, 0, 0]]


@pytest.fixture
def episodes(tmp_path):
    """Two episodes with N + 1 pictures each: rewards, lives that fall by one in each, who played."""
    streams = (StreamSpec("screen", "frames", "png", width=8, height=6, rate_hz=20.0), StreamSpec("steps", "steps"))
    info = SessionInfo("e", "Game", {}, "emulated", streams, ActionSpace.discrete(NAMES, world="ALE"))
    frame = 0
    with SessionWriter(tmp_path / "e", info) as writer:
        for number, actions in enumerate(PLAYED):
            writer.write(Start(frame * STEP, {"episode": number}))
            for k, action in enumerate([*actions, None]):
                writer.write(Frame(frame * STEP, np.full((6, 8, 3), frame, np.uint8)))
                if action is not None:
                    reward, human = float(REWARDS[number][k]), bool(HUMAN[number][k])
                    lives = 3 - (k > 1)
                    step = Step(frame * STEP, frame, action, NAMES[action], reward, lives=lives, is_human=human)
                    writer.write(step)
                    writer.write(Telemetry(frame * STEP, {"depth": float(k), "still": 1.0}, frame))
                frame += 1
            writer.write(Gap((frame - 1) * STEP, "terminated"))
    return open_session(tmp_path / "e")


def test_rows_of_an_environment_say_action_reward_and_what_stood_before(episodes):
    rows = Rows(open_shown(episodes)).json(0, 11)
    assert [row["action"] for row in rows[:6]] == ["NOOP", "UP", "UP", "UPFIRE", "FIRE", "last picture"]
    assert rows[3]["down"] == ["ALE/FIRE", "ALE/UP"]
    assert rows[3]["pressed"] == ["ALE/FIRE"], "up was down before"
    assert [row["reward"] for row in rows] == [0, 0, 5, 0, 1, None, 0, 2, 0, 0, None]
    assert [row["score"] for row in rows] == [0, 0, 0, 5, 5, 6, 0, 0, 2, 2, 2]
    assert [row["lives"] for row in rows] == [None, 3, 3, 2, 2, 2, None, 3, 3, 2, 2]
    assert [row["human"] for row in rows[:6]] == [False, False, True, True, False, None]
    assert rows[5]["note"] == "ended by the game"
    assert [row["seg"] for row in rows] == [0] * 6 + [1] * 5


def test_a_correction_moves_actions_by_whole_steps_within_their_episode(episodes):
    rows = Rows(open_shown(episodes)).json(0, 11, 104.0)  # two steps of 50 ms
    assert [row["action"] for row in rows[:5]] == ["no action", "no action", "NOOP", "UP", "UP"]
    assert [row["action"] for row in rows[6:9]] == ["no action", "no action", "UPFIRE"]
    assert [row["reward"] for row in rows[:5]] == [0, 0, 5, 0, 1], "rewards stay"


def test_numbers_of_actions_say_how_far_they_go(tmp_path):
    streams = (StreamSpec("screen", "frames", "png", width=8, height=6, rate_hz=20.0), StreamSpec("steps", "steps"))
    space = ActionSpace.box([-2.0, -1.0], [2.0, 1.0])
    info = SessionInfo("v", "Pendulum", {}, "nominal", streams, space)
    with SessionWriter(tmp_path / "v", info) as writer:
        writer.write(Start(0, {"episode": 0}))
        for k, torque in enumerate((0.5, -2.0, 0.0)):
            writer.write(Frame(k * STEP, np.full((6, 8, 3), k, np.uint8)))
            if k < 2:
                writer.write(Step(k * STEP, k, [torque, 0.25], "", 0.0))
        writer.write(Gap(2 * STEP, "terminated"))
    rows = Rows(open_shown(tmp_path / "v"))
    assert list(rows.reach.values()) == [2.0], "the second stays within 1"
    assert list(rows.reach) == list(rows.axes[:1])
    lane, _ = Lines(rows).summary(0, 2 * STEP, 2, 50.0)
    assert lane["high"] == [0.0, 0.5], "a correction moves them by a step"


def test_an_episode_is_shown_alone(episodes):
    second = list(episodes.episodes())[1]
    shown = open_shown(second)
    rows = Rows(shown).json(0, 5)
    assert (len(shown), [row["frame_index"] for row in rows]) == (5, [6, 7, 8, 9, 10])
    assert [row["action"] for row in rows] == ["UPFIRE", "NOOP", "NOOP", "UP", "last picture"]
    assert player(second).about["segments"][0]["start"] == 0


def test_lanes_of_an_environment(episodes):
    rows = Rows(open_shown(episodes))
    lanes = {lane["name"]: lane for lane in Lines(rows).summary(0, 11 * STEP, 11)}
    assert lanes["ALE/UP"]["spans"] == [[1 * STEP, 4 * STEP, 1], [6 * STEP, 7 * STEP, 1], [9 * STEP, 10 * STEP, 1]]
    assert lanes["by hand"]["spans"] == [[2 * STEP, 4 * STEP, 1], [6 * STEP, 7 * STEP, 1]]
    assert lanes["reward"]["t"] == [2 * STEP, 4 * STEP, 7 * STEP]
    assert lanes["score"]["values"] == [0, 0, 0, 5, 5, 6, 0, 0, 2, 2, 2]
    assert lanes["lives"]["values"] == [None, 3, 3, 2, 2, 2, None, 3, 3, 2, 2]
    assert lanes["depth"]["values"][:5] == [0, 1, 2, 3, 4]
    assert "still" not in lanes, "what never changes says nothing"
    later = {lane["name"]: lane for lane in Lines(rows).summary(0, 11 * STEP, 11, 104.0)}
    assert later["by hand"]["spans"] == [[4 * STEP, 5 * STEP, 1], [8 * STEP, 9 * STEP, 1]], "two steps"
    assert later["reward"] == lanes["reward"]
    assert event_frames(rows, 0.0) == [1, 2, 3, 4, 6, 7, 9]


def test_holds_that_meet_in_a_column_are_one_span_and_their_number_is_kept():
    holds = np.array([[10, 20], [30, 40], [500, 600], [605, 610], [990, 2000]])
    assert spans(holds, 0, 1000, 10) == [[10, 40, 2], [500, 610, 2], [990, 2000, 1]]
    assert spans(holds, 0, 1000, 1000) == [[10, 20, 1], [30, 40, 1], [500, 600, 1], [605, 610, 1], [990, 2000, 1]]
    assert spans(holds, 41, 499, 10) == []
    assert spans(holds[:0], 0, 10, 10) == []
    rng = np.random.default_rng(3)
    many = np.sort(rng.integers(0, NS, 20_000)).reshape(-1, 2)
    found = spans(many, 0, NS, 300)
    assert len(found) <= 300
    assert sum(n for _, _, n in found) == 10_000


def test_ticks_are_at_most_one_a_column():
    times = np.array([1, 2, 3, 55, 56, 99])
    assert ticks(times, np.linspace(0, 100, 11).astype(np.int64)) == [1, 55, 99]
    assert ticks(times, np.array([4, 50])) == []


def test_sticks_mouse_and_pointer():
    events = [
        Event(5, "pad", "J_LEFT_X", "axis", 0.5), Event(12, "pad", "J_LEFT_X", "axis", -1.0),
        Event(14, "pad", "J_LEFT_X", "axis", 0.25), Event(15, "mouse", "Mouse", "move", x=7.0, y=9.0, dx=3.0, dy=-4.0),
        Event(16, "mouse", "MouseWheel", "scroll", 2.0), Event(17, "mouse", "Mouse", "move", dx=3.0, dy=-4.0),
        Event(18, "kbd", "F9", "press", flag="hotkey"),
    ]  # fmt: skip
    found = read_inputs([(events_frame(events), 0, 30)])
    first, second, third = found.rows(np.array([0, 10, 20]), np.array([10, 20, 30]))
    assert [dict(row.axes) for row in (first, second, third)] == [{"J_LEFT_X": v} for v in (0.5, 0.25, 0.25)]
    assert (first.mouse, second.mouse, third.mouse) == (None, (6.0, -8.0), None)
    assert (first.pointer, second.pointer) == (None, (7.0, 9.0))
    assert (second.wheel, third.wheel) == (2.0, 0.0)
    assert second.down == (), "a chord of the recorder is no play"
    assert [row.mouse for row in found.later(1e-5).rows(np.array([20]), np.array([30]))] == [(6.0, -8.0)]


@pytest.fixture
def heard(tmp_path):
    """Ninety seconds: a tone of amplitude 0.5 from 10 to 20 s, nothing recorded from 40 to 50 s, else silence."""
    streams = (
        StreamSpec("screen", "frames", "png", width=8, height=6, rate_hz=1.0),
        StreamSpec("mic", "sound", "flac", rate_hz=1000.0),
    )
    info = SessionInfo("h", "Game", {}, "measured", streams, ActionSpace.from_names(["Space"]))
    with SessionWriter(tmp_path / "h", info) as writer:
        writer.write(Start(0, {}))
        for second in range(90):
            writer.write(Frame(second * NS, np.full((6, 8, 3), second, np.uint8)))
            if not 40 <= second < 50:
                wave = 16384 * np.sign(np.sin(np.arange(1000) / 3)) * (10 <= second < 20)
                writer.write(Sound(second * NS, wave.astype(np.int16)[:, None], 1000, "mic"))
        writer.write(Gap(90 * NS, "end"))
    return open_session(tmp_path / "h")


def test_sound_is_drawn_as_far_as_it_is_known_and_then_whole(heard):
    wave = Wave(heard, "mic", 0, 90 * NS)
    assert wave.columns(0, 90 * NS, 9).high == [None] * 9, "nothing is read yet"
    blocks = 0
    while wave.fill(0, 90 * NS, 9):
        blocks += 1
    assert blocks == 5, "twenty seconds each"
    found = wave.columns(0, 90 * NS, 9)
    assert [None if v is None else round(v, 2) for v in found.high] == [0, 0.5, 0, 0, None, 0, 0, 0, 0]
    assert [None if v is None else round(v, 2) for v in found.low] == [0, -0.5, 0, 0, None, 0, 0, 0, 0]


def test_a_clip_is_heard_at_its_time(heard, tmp_path):
    widget = player(heard)
    widget.clip(tmp_path / "clip.mp4", 8, 12)
    widget.close()
    with av.open(str(tmp_path / "clip.mp4")) as film:
        blocks = [(block.time, np.abs(block.to_ndarray()[0])) for block in film.decode(audio=0)]
        seconds = float(film.streams.audio[0].duration * film.streams.audio[0].time_base)
    loud = [np.concatenate([sound for time, sound in blocks if 0.05 < time - k < 0.9]).mean() for k in range(4)]
    assert seconds == pytest.approx(4.0, abs=0.05)
    assert (max(loud[:2]) < 0.02, min(loud[2:]) > 0.3) == (True, True), (
        "the tone begins at 10 s, two seconds into the clip"
    )


def test_near_the_samples_themselves_are_drawn(heard):
    wave = Wave(heard, "mic", 0, 90 * NS)
    start = 19 * NS + 998_000_000
    found = wave.columns(start, start + 4_000_000, 4)
    assert [round(abs(v), 2) for v in found.high] == [0.5, 0.5, 0, 0]
    assert not wave.fill(start, start + BIN_NS, 4), "nothing is summed up for it"


def test_lines_with_sound_come_at_once_and_again_when_more_is_known(heard):
    widget, told = player(heard), []
    widget.send = lambda content, _=None: told.append(content)
    widget._on_msg(widget, {"do": "lines", "ticket": 3, "from_ns": 0, "to_ns": 90 * NS, "px": 9}, [])
    assert widget._talk.wait(20)
    first, last = told[0]["lanes"][0], told[-1]["lanes"][0]
    assert (first["name"], first["kind"], set(first["high"])) == ("mic", "wave", {None})
    assert last["high"].count(None) == 1
    assert {content["ticket"] for content in told} == {3}
    widget.close()


def test_no_more_rows_or_columns_than_a_page_can_use(episodes):
    rows = Rows(open_shown(episodes))
    with pytest.raises(BadInputError, match="rows 0 to 12"):
        rows.json(0, 12)
    with pytest.raises(BadInputError, match="columns"):
        Lines(rows).summary(0, 10, 0)


@pytest.mark.parametrize("session", ["", "b/c d&e=1"])
def test_a_link_is_read_as_it_was_written(session):
    link = Link("/some where/a?b", 17, session)
    assert read_link(link.text(1.25)) == link
    assert read_link("/no/link") is None

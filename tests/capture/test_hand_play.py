"""Play by hand: planted edges go into a game, and the session that comes of it says what was done, when and by whom."""

import io
import os
import signal
import threading
import time

import gymnasium
import numpy as np
import pytest
from PIL import Image

from rushes.capture.hand.backend import HandBackend
from rushes.capture.hand.process import HandProcess
from rushes.capture.hand.settings import HandSettings
from rushes.capture.recorder import record
from rushes.errors import BadInputError, BadNameError, RushesError, StoppedError
from rushes.model.clock import NS, Clock
from rushes.model.readings import Frame, Gap, Start
from rushes.qa.base import run_checks
from rushes.qa.replay import check_replay
from rushes.qa.subject import Subject
from rushes.store.reader import open_session
from rushes.store.recover import recover

MS = 1_000_000
NOOP, FIRE, RIGHT, LEFT = range(4)  # Breakout: `env.unwrapped.get_action_meanings()`
AGE_MS = 777_000.0
"""The page was opened at another time than the recorder."""
WAIT_S = 60


def replayed(session):
    """Give the frames that came back bit for bit; fails where anything differs or cannot be told."""
    (finding,) = check_replay(Subject(session))
    assert finding.check == "replay.exact"
    return finding.value


def page_ms():
    return time.perf_counter() * 1000 + AGE_MS


class Front:
    """A panel without a browser."""

    def __init__(self, path, **settings):
        self.messages, self.frames, self.sounds = [], [], []
        self.game = HandProcess(HandSettings(out=str(path), **settings), self.take)
        self.until(lambda: self.game.state["state"] != "starting")

    def take(self, message, data):
        if message["is"] == "frame":
            self.frames.append((message, data))
        elif message["is"] == "sound":
            self.sounds.append((message, data))
        else:
            self.messages.append(message)
        if message["is"] == "sync":
            self.game.send({"do": "sync", "s": message["s"], "c": page_ms()})

    def until(self, there):
        end = time.monotonic() + WAIT_S
        while not there() and self.game.running and time.monotonic() < end:
            time.sleep(0.005)

    def go(self, do, **more):
        self.game.send({"do": do, **more})

    def key(self, *edges, late_ms=0.0):
        self.go("edges", rows=[[page_ms() - late_ms, code, down] for code, down in edges])

    def play(self, seconds):
        steps = self.game.state["steps"] + round(60 * seconds)
        self.until(lambda: self.game.state["steps"] >= steps)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """One game with everything in it."""
    path = tmp_path_factory.mktemp("hand") / "game"
    front = Front(path, env_id="Breakout", seed=3, policy="persistent", control="human", give_back_s=0.3)
    front.until(lambda: any(m["is"] == "sync" for m in front.messages))
    front.go("start")
    front.play(0.3)
    front.taps = []
    for _ in range(5):
        front.taps.append(time.time_ns() - 40 * MS)
        front.key(("Space", 1), ("Space", 0), late_ms=40)
        time.sleep(0.06)
    front.key(("ArrowRight", 1))
    front.play(0.3)
    front.go("pause")
    front.until(lambda: front.game.state["state"] == "paused")
    front.key(("KeyQ", 1), ("ArrowRight", 0), ("ArrowLeft", 1))
    front.go("resume")
    front.play(0.5)
    front.key(("ArrowLeft", 0))
    front.go("restart")
    front.play(0.3)
    front.go("control", who="shared")
    front.play(0.8)
    front.key(("KeyD", 1))
    time.sleep(0.2)
    front.key(("KeyD", 0))
    front.play(0.8)
    front.go("nonsense")
    front.go("control", who="nobody")
    front.state = dict(front.game.state)
    front.game.close()
    front.session = open_session(path)
    return front


def test_it_ends_whole_and_replays_bit_for_bit_across_the_pause(played):
    session = played.session
    assert played.game.result()["frames"] == session.frame_count
    assert [s.end_reason for s in session.segments] == ["pause", "reset", "stop"]
    assert [s.attrs["episode"] for s in session.segments] == [0, 0, 1]
    assert replayed(session) == session.frame_count
    assert [f.sentence for f in run_checks(session, quick=True) if f.severity == "error"] == []


def test_a_stranger_repeats_it_with_gymnasium_alone(played):
    session = played.session
    first, second, _ = session.segments
    assert second.attrs["from_step"] == first.frames - 1
    actions = [*session.steps(0)["action"], *session.steps(1)["action"]]
    env = gymnasium.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0)
    seen = [env.reset(seed=first.attrs["seed"])[0], *(env.step(action)[0] for action in actions)]
    env.close()
    stored = list(session.frames(0, second.stop_frame))
    assert np.array_equal(stored[first.frames - 1], stored[first.frames])  # the picture that the pause stood on
    del stored[first.frames]
    assert len(stored) == len(seen)
    assert all(np.array_equal(a, b) for a, b in zip(stored, seen, strict=True))


def test_the_emulators_rate_is_held_within_one_percent(played):
    index = played.session.index()
    intervals = np.concatenate([np.diff(of["t_ns"]) for _, of in index.groupby("segment")])
    assert np.median(intervals) == pytest.approx(NS / 60, rel=0.01)


def test_each_tap_that_is_shorter_than_a_step_fires_for_one_step(played):
    steps = played.session.steps(0)
    fired = steps["action"].to_numpy() == FIRE
    assert fired.sum() == 5
    assert not (fired[1:] & fired[:-1]).any()
    assert steps["action"].iloc[-1] == RIGHT
    assert set(steps["action"][~fired]) == {NOOP, RIGHT}


def test_edges_have_the_pages_time_the_receipt_and_the_step_that_used_them(played):
    session, segment = played.session, played.session.segments[0]
    rows = session.telemetry(0)
    rows = rows[(rows["control"] == "Space") & (rows["down"] == 1)]
    wall = segment.wall_ns + rows["edge_t_ns"].to_numpy() - segment.start_ns
    assert np.abs(wall - np.array(played.taps)).max() < 100 * MS
    waited = (rows["received_t_ns"] - rows["edge_t_ns"]).to_numpy()
    assert (waited >= 40 * MS - MS).all()
    assert (rows["step_t_ns"] >= rows["received_t_ns"]).all()
    times = dict(zip(session.index()["frame_index"], session.index()["t_ns"], strict=True))
    for frame, step_ns in zip(rows["frame_index"], rows["step_t_ns"], strict=True):
        assert times[frame] < step_ns <= times[frame + 1]
    actions = session.steps(0).set_index("frame_index")["action"]
    assert list(actions[rows["frame_index"]]) == [FIRE] * 5
    events = session.events(0)
    presses = events[(events["control"] == "Space") & (events["kind"] == "press")]
    assert list(presses["t_ns"]) == list(rows["edge_t_ns"])
    assert segment.attrs["round_trip_ms"] < 1000


def test_what_happens_in_a_pause_is_counted_and_the_game_goes_on_from_what_is_held(played):
    events = played.session.events()
    assert "KeyQ" not in set(events["control"])
    released = events[(events["control"] == "ArrowRight") & (events["kind"] == "release")]
    first, second, _ = played.session.segments
    assert len(released) == 1
    assert first.start_ns < released["t_ns"].iloc[0] <= first.end_ns
    steps = played.session.steps(1)
    assert set(steps["action"][:20]) == {LEFT}
    lost = played.session.ledger.accounts["events"].lost
    assert lost["paused"] == 1  # ArrowLeft: the pause had let go of ArrowRight, and Q means nothing
    state = events[events["kind"] == "state"]
    assert ("ArrowLeft", second.start_ns) in set(zip(state["control"], state["t_ns"], strict=True))


def test_who_played_each_step_is_known(played):
    assert played.session.steps(0)["is_human"].all()
    human = played.session.steps(2)["is_human"].to_numpy()
    changes = np.flatnonzero(np.diff(human.astype(int)))
    assert [bool(human[c]) for c in changes] == [True, False, True]  # asked to share, took over, gave back
    taken = changes[2] - changes[1]
    assert taken == pytest.approx((0.2 + 0.3) * 60, abs=20)
    assert played.state["human_steps"] < played.state["steps"]
    actions = played.session.steps(2)["action"].to_numpy()
    assert (actions[changes[1] + 1 : changes[1] + 9] == RIGHT).all()


def test_the_front_sees_the_sessions_own_pictures_and_hears_its_sound(played):
    numbers = [m["number"] for m, _ in played.frames]
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 0.5 * played.session.frame_count
    message, data = played.frames[-20]
    assert message["type"] == "png"
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(shown, played.session.frame(message["number"]))
    assert message["lives"] == 5
    said, samples = played.sounds[0]
    assert (said["rate"], said["channels"], len(samples)) == (30_720, 1, 2 * 512)
    heard = sum(len(block.samples) for block in played.session.sound("game"))
    assert heard == 512 * len(played.session.steps())


def test_states_say_what_a_panel_needs_and_a_wrong_message_changes_nothing(played):
    state = played.state
    assert state["state"] == "playing"
    assert state["asked_hz"] == 60.0
    assert state["latency_ms"]["p50"] <= state["latency_ms"]["p95"]
    assert {"does": "FIRE", "keys": ["Space"], "pad": ["SOUTH", "EAST"]} in state["bindings"]
    refused = [m["given"] for m in played.messages if m["is"] == "refused"]
    assert refused
    assert refused[-1] == "control 'nobody'"
    assert played.messages[-1]["is"] == "ended"


def test_a_killed_game_comes_back_but_for_its_last_record(tmp_path):
    front = Front(tmp_path / "s", env_id="Pong", sound=False, start_immediately=True)
    front.until(lambda: front.frames and front.frames[-1][0]["number"] > 60)
    os.kill(front.game.pid, signal.SIGKILL)
    assert front.game.wait(WAIT_S)
    last = front.frames[-1][0]["number"]
    with pytest.raises(StoppedError, match="recover"):
        front.game.result()
    recover(tmp_path / "s")
    session = open_session(tmp_path / "s")
    assert session.frame_count >= last
    assert session.segments[-1].end_reason == "killed"
    assert replayed(session) == session.frame_count


def test_a_front_that_goes_away_ends_the_game_and_loses_nothing(tmp_path):
    front = Front(tmp_path / "s", env_id="CartPole-v1", start_immediately=True)
    front.until(lambda: front.frames and front.frames[-1][0]["number"] > 10)
    front.game._process.stdin.close()
    assert front.game.wait(WAIT_S)
    session = open_session(tmp_path / "s")
    assert session.segments[-1].end_reason == "front_gone"
    assert session.frame_count == front.game.result()["frames"]
    assert session.frame_count > front.frames[-1][0]["number"]
    message, data = front.frames[-1]
    assert (message["type"], Image.open(io.BytesIO(data)).size) == ("jpeg", (600, 400))
    assert replayed(session) == session.frame_count


def later(seconds, act):
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def test_a_world_without_time_steps_once_a_press(tmp_path):
    backend = HandBackend(HandSettings("FrozenLake-v1", seconds=1.2, start_immediately=True))
    for place, code in enumerate(("ArrowLeft", "KeyA", "ArrowLeft")):  # into the wall: nobody falls
        now = [(0.2 + 0.2 * place, True), (0.3 + 0.2 * place, False)]
        for seconds, down in now:
            later(seconds, lambda code=code, down=down: backend.hands.key(code, down, edge_ns=0, received_ns=0))
    session = record(backend, tmp_path / "s")
    assert len(session.steps()) == 3
    assert set(session.steps()["action"]) == {0}
    assert session.info.stream("frames").rate_hz == 0.0


def test_a_hold_up_ends_the_segment_and_the_same_episode_goes_on(tmp_path):
    backend = HandBackend(HandSettings("Pendulum-v1", seconds=1.5, start_immediately=True))
    act, steps = backend.world.act, []

    def slow(action):
        steps.append(action)
        time.sleep(0.6 * (len(steps) == 15))
        return act(action)

    backend.world.act = slow
    backend.hands.pad([0.56, 0, 0, 0], [], edge_ns=0, received_ns=0)
    session = record(backend, tmp_path / "s")
    *held_up, last = session.segments
    assert {s.end_reason for s in held_up} == {"stall"}
    assert last.end_reason == "max_seconds"
    done = [s.attrs.get("from_step", 0) + s.frames - 1 for s in session.segments]
    assert 15 in done
    assert [s.attrs["from_step"] for s in session.segments[1:]] == done[:-1]
    assert backend.tally.stalls == len(held_up)
    assert session.steps()["action"].iloc[3][0] == pytest.approx(1.0)
    assert replayed(session) == session.frame_count


def test_settings_refuse_what_cannot_be_before_anything_is_started(tmp_path):
    with pytest.raises(BadInputError, match="without a policy"):
        HandSettings(control="shared")
    with pytest.raises(BadNameError, match="human"):
        HandSettings(control="humn")
    with pytest.raises(BadInputError, match="speed"):
        HandSettings(speed=0)
    with pytest.raises(BadInputError, match="sticky"):
        HandSettings(sticky=2.0).play()
    with pytest.raises(BadNameError, match="tests_nowhere"):
        HandBackend(HandSettings("Pong", policy="tests_nowhere:policy"))


def test_times_never_run_back_across_a_hold_up():
    backend = HandBackend(HandSettings("Jump", seconds=0.9, start_immediately=True))
    act, steps = backend.world.act, []

    def slow(action):
        steps.append(action)
        time.sleep(0.5 * (len(steps) == 5))
        return act(action)

    backend.world.act = slow
    with backend.open(Clock()) as readings:
        found = [r for r in readings if isinstance(r, Start | Frame | Gap)]
    times = [r.t_ns for r in found]
    assert times == sorted(times)
    assert "stall" in [r.reason for r in found if isinstance(r, Gap)]


def test_a_game_that_cannot_begin_says_why_and_leaves_the_folder_alone(tmp_path):
    (tmp_path / "mine").write_text("x")
    front = Front(tmp_path, env_id="Pong")
    assert front.game.wait(WAIT_S)
    with pytest.raises(RushesError, match="exists already"):
        front.game.result()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert front.messages[-1]["reason"] == "failed"

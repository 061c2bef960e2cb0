"""The test game and the hands themselves: what one sends the other receives, and a picture holds what it drew."""

import time

import numpy as np
import pytest

from rushes.worlds.synthetic import read_counter

pytestmark = pytest.mark.require("display")
SECONDS = 2.5


@pytest.fixture(scope="module")
def played(display, servers, programs, game, hands, tmp_path_factory):
    """A pointer-locked game, and everything that was done to it."""
    folder = tmp_path_factory.mktemp("game")
    made = game.start(servers, programs, folder, title="Pit", options=("--relative", "--at", "200", "100"))
    with hands.Hands() as playing:
        sent = playing.perform(hands.plan(3, seconds=SECONDS, wheel=True))
    given = len(made.lines("frame"))
    notches = sum(s.act.kind == "wheel" for s in sent)
    servers.wait_for(lambda: len(made.lines("wheel")) >= notches, "the last notch")
    servers.wait_for(lambda: len(made.presses()) >= len(edges(sent)), "the last release")
    servers.wait_for(lambda: len(made.lines("frame")) > given + 3, "a few pictures more")
    return made, sent


def edges(sent):
    return [(s.act.control, s.act.kind == "press") for s in sent if s.act.control]


def test_the_game_sees_every_press_and_release_once_and_in_order(played):
    made, sent = played
    assert len(edges(sent)) > 40
    assert [(control, down) for control, down, _ in made.presses()] == edges(sent)


def test_the_game_receives_a_press_after_it_was_sent_and_soon(played):
    made, sent = played
    waits_ms = [
        (t_ns - s.before_ns) / 1e6
        for (_, _, t_ns), s in zip(made.presses(), [s for s in sent if s.act.control], strict=True)
    ]
    assert min(waits_ms) > 0
    assert np.median(waits_ms) < 50


def test_relative_motion_sums_to_what_was_sent(played):
    made, sent = played
    moves = [s.act for s in sent if s.act.kind == "move"]
    assert made.motion() == (sum(a.dx for a in moves), sum(a.dy for a in moves))
    assert max(abs(sum(a.dx for a in moves[:n])) for n in range(len(moves))) > 20


def test_notches_of_the_wheel_arrive(played):
    made, sent = played
    assert [line["y"] for line in made.lines("wheel")] == [s.act.dy for s in sent if s.act.kind == "wheel"]


def test_sixty_frames_a_second_are_drawn_and_numbered_without_a_hole(played):
    made, _ = played
    frames = made.lines("frame")
    assert [line["counter"] for line in frames] == list(range(len(frames)))
    times = np.array([line["t_ns"] for line in frames])
    assert (np.diff(times) > 0).all()
    assert 10e6 < np.median(np.diff(times)) < 50e6
    assert all(line["before_ns"] < line["t_ns"] for line in frames)


def test_a_screenshot_shows_the_counter_that_was_drawn(played):
    import mss

    made, _ = played
    with mss.MSS() as screen:
        for _ in range(10):
            began_ns = time.perf_counter_ns()
            shot = np.asarray(screen.grab({"left": 0, "top": 0, "width": 1280, "height": 720}))
            ended_ns = time.perf_counter_ns()
            left, top = corner(shot)
            seen = read_counter(shot[top:, left:, 2::-1])
            time.sleep(0.03)
            frames = made.lines("frame")
            surely = max(line["counter"] for line in frames if line["t_ns"] < began_ns)
            at_most = max(line["counter"] for line in frames if line["before_ns"] < ended_ns)
            assert surely <= seen <= at_most


def corner(shot):
    """Find the game's client area by its background alone, which stands right of the cells and below them."""
    rows, columns = np.nonzero((shot[..., 2::-1] == (32, 40, 56)).all(axis=-1))
    return int(columns.min()), int(rows.min())


def test_the_sprite_goes_where_the_keys_say(display, servers, programs, game, hands, tmp_path):
    made = game.start(servers, programs, tmp_path, title="Walk")
    with hands.Hands() as playing:
        playing.focus(made.window)
        before = made.lines("frame")[-1]["sprite"]
        playing.perform(hands.hold("KeyD", 0.0, 0.6))
        servers.wait_for(lambda: any(not line["down"] for line in made.lines("key")), "the release")
        let_go = len(made.lines("frame"))
        servers.wait_for(lambda: len(made.lines("frame")) > let_go + 2, "the pictures after it")
    after = made.lines("frame")[-1]["sprite"]
    assert after[0] > before[0] + 30
    assert after[1] == before[1]
    assert programs.end(made.program) == 0
    assert made.lines("end")


def test_space_beeps(display, sound_server, servers, programs, game, hands, tmp_path):
    made = game.start(servers, programs, tmp_path, title="Beep", options=("--sound",))
    listen = ["parec", "--device=game.monitor", "--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=20"]

    def loud():
        return np.flatnonzero(np.abs(np.fromfile(tmp_path / "heard.raw", np.int16) / 32_768) > 0.1)

    with (tmp_path / "heard.raw").open("wb") as file, hands.Hands() as playing:
        ear = programs.start([*listen, "--raw"], stdout=file)
        servers.wait_for(lambda: (tmp_path / "heard.raw").stat().st_size, "the first sound")
        playing.focus(made.window)
        playing.tap("Space")
        servers.wait_for(lambda: len(loud()) > 9_000, "the beep")
        programs.end(ear)
    assert len(made.lines("beep")) == 1
    heard = np.fromfile(tmp_path / "heard.raw", np.int16) / 32_768
    tone = heard[loud()[0] : loud()[0] + 9_600]
    assert np.argmax(np.abs(np.fft.rfft(tone))) * 5 == pytest.approx(440, abs=5)  # bins of 5 Hz

"""The recorder against a game that says itself what it drew and what it was given.

One recording of a pointer-locked game holds it all: play with keys, mouse, wheel and beeps; a pause by hotkey; another
window with the focus; keys that no layout lists; a window that moves. Each test looks at one of these.
"""

import time
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from rushes.worlds.synthetic import read_counter

pytestmark = [pytest.mark.require("display", "sound"), pytest.mark.slow]
MS = 1_000_000
PLAYED = {"KeyW", "KeyA", "KeyS", "KeyD", "ShiftLeft", "KeyE", "Space", "MouseLeft", "MouseRight"}
PAUSED = "KeyR"
AFTERWARDS = "KeyF"
SECRET = ("KeyZ", "KeyX", "KeyC", "KeyI", "KeyX", "KeyZ")
"""Typed into the other window; the layout lists these, and nothing else uses them."""
UNLISTED = ("KeyH", "KeyU", "KeyN", "KeyJ", "Digit7")
"""Typed into the game; the layout does not list them."""
OTHER_TITLE = "Bank correcthorsebattery"
BEEPS_S = (0.3, 0.9, 1.5, 2.1)
MOVE_PX = (120, 60)
SETTLE_S = 0.25
GAME_FRAME_MS = 1000 / 60


@pytest.fixture(scope="module")
def take(display, sound_server, servers, programs, game, hands, recording, tmp_path_factory):
    folder = tmp_path_factory.mktemp("record")
    options = ("--relative", "--sound", "--at", "40", "60")
    other = game.start(
        servers, programs, folder, title=OTHER_TITLE, options=("--at", "900", "500", "--size", "200", "100")
    )
    pit = game.start(servers, programs, folder, title="Pit", options=options)
    with hands.Hands() as playing:
        playing.focus(pit.window)
        switch(servers, playing, pit)
        running = recording.start(
            servers, programs, playing.tap, folder,
            *("--game", "Pit", "--window", "Pit", "--fps", "60", "--codec", "h264", "--layout", "capture28"),
            *("--audio", "system", "--chunk-size", "200", "--start-immediately", "--max-seconds", "60"), sound="system",
        )  # fmt: skip
        time.sleep(SETTLE_S)
        at = SimpleNamespace(began=now())
        play = [*hands.plan(11, seconds=2.6, wheel=True)]
        play += [act for at_s in BEEPS_S for act in hands.hold("Space", at_s, 0.08)]
        sent = playing.perform(hands.spread(play))
        time.sleep(SETTLE_S)
        at.played = now()
        playing.perform(hands.text(UNLISTED, 0.0))
        time.sleep(SETTLE_S)
        at.pause = now()
        playing.perform(hands.hold("F8", 0.0, 0.03))
        playing.perform(hands.spread([*hands.text([PAUSED] * 3, 0.05), hands.Act(0.1, "move", dx=9, dy=5)]))
        time.sleep(SETTLE_S)
        playing.perform(hands.hold("F8", 0.0, 0.03))
        at.resumed = now()
        time.sleep(SETTLE_S)
        sent_afterwards = playing.perform(hands.text([AFTERWARDS] * 2, 0.05))
        time.sleep(SETTLE_S)
        at.left = now()
        switch(servers, playing, other)
        playing.perform(hands.spread([*hands.text(SECRET, 0.0), hands.Act(0.05, "move", dx=3, dy=3)]))
        time.sleep(SETTLE_S)
        switch(servers, playing, pit)
        at.back = now()
        time.sleep(SETTLE_S)
        at.move = now()
        count = len(pit.lines("moved"))
        playing.move(pit.window, 40 + MOVE_PX[0], 60 + MOVE_PX[1])
        servers.wait_for(lambda: len(pit.lines("moved")) > count, "the move of the window")
        time.sleep(SETTLE_S)
        at.moved = now()
        time.sleep(SETTLE_S)
        told = recording.stop(running)
        at.ended = now()
    for made in (pit, other):
        programs.end(made.program)
    taken = recording.Taken(running.out)
    return SimpleNamespace(
        folder=running.out, taken=taken, session=taken.session, pit=pit, other=other, told=told, at=at, sent=sent,
        sent_afterwards=sent_afterwards,
    )  # fmt: skip


def now():
    return time.perf_counter_ns()


def switch(servers, playing, made):
    """Give a game the focus and wait until it knows."""
    since = now()
    if servers.focused() != made.window:
        playing.focus(made.window)
        servers.wait_for(
            lambda: any(line["gained"] and line["t_ns"] > since for line in made.lines("focus")),
            "the change of the focus",
        )
    time.sleep(0.05)


def in_game(take, controls):
    return [edge for edge in take.pit.presses() if edge[0] in controls and edge[2] >= take.at.began]


# --- it opens and says what it is ---


def test_the_session_is_whole_and_the_command_says_what_became_of_it(take):
    assert take.session.problems == ()
    assert take.told["frames"] == take.session.frame_count > 150
    assert take.told["reason"] == "stop"
    assert not list(take.folder.rglob("journal.bin"))
    assert len(list(take.folder.glob("chunks/*"))) >= 2
    screen = take.session.info.stream("frames")
    assert (screen.width, screen.height, screen.codec) == (640, 480, "h264")


# --- the hands ---


def test_every_press_and_release_is_recorded_once_and_in_order(take):
    told = in_game(take, PLAYED | {AFTERWARDS})
    assert len(told) > 50
    recorded = take.taken.edges(PLAYED | {AFTERWARDS}, take.at.began)
    assert [edge[:2] for edge in recorded] == [edge[:2] for edge in told]


def test_stamps_are_near_the_time_when_the_game_was_told(take):
    """It is told after the stamp, soon after it, save for the time in which the game itself stood still."""
    judge_stamps(take, take.taken.edges(PLAYED, take.at.began))


def judge_stamps(take, recorded):
    told = in_game(take, PLAYED)
    shown = np.array([line["t_ns"] for line in take.pit.lines("frame")])
    still = [(a, b) for a, b in pairwise(shown) if b - a > 20 * MS]
    waits_ms = []
    for (_, _, stamp), (_, _, receipt) in zip(recorded, told, strict=True):
        stood = sum(max(0, min(b, receipt) - max(a, stamp)) for a, b in still)
        waits_ms.append((receipt - stamp - stood) / MS)
    assert min(waits_ms) > -5
    assert np.mean(np.array(waits_ms) > 20) < 0.1, "a busy machine wakes the game up late now and then"
    assert max(waits_ms) < 500
    assert abs(np.median(waits_ms)) < 5


@pytest.mark.parametrize("by_ms", [30, -30])
def test_stamps_that_are_30_ms_off_are_found_out(take, by_ms):
    recorded = [(control, down, t_ns + by_ms * MS) for control, down, t_ns in take.taken.edges(PLAYED, take.at.began)]
    with pytest.raises(AssertionError):
        judge_stamps(take, recorded)


def test_stamps_are_within_a_millisecond_of_when_it_happened(take):
    """Each act happened between the time before it was sent and the time at which the server had answered."""
    sent = [one for one in take.sent if one.act.control]
    recorded = take.taken.edges(PLAYED, take.at.began)
    outside_ms = [
        max(one.before_ns - edge[2], edge[2] - one.after_ns, 0) / MS for edge, one in zip(recorded, sent, strict=True)
    ]
    assert np.median(outside_ms) < 1
    assert np.mean(np.array(outside_ms) > 20) <= 0.05, "a busy machine holds up the server or the recorder"


def test_motion_sums_to_what_the_game_was_given(take):
    moves = take.taken.within("move", take.at.began, take.at.played)
    given = [line for line in take.pit.lines("motion") if take.at.began <= line["t_ns"] < take.at.played]
    total = (sum(line["xrel"] for line in given), sum(line["yrel"] for line in given))
    assert (moves["dx"].sum(), moves["dy"].sum()) == total
    acts = [one.act for one in take.sent if one.act.kind == "move"]
    assert total == (sum(act.dx for act in acts), sum(act.dy for act in acts))
    assert len(acts) > 80


def test_every_notch_of_the_wheel_is_recorded(take):
    notches = take.taken.within("scroll", take.at.began, take.at.played)
    acts = [one.act.dy for one in take.sent if one.act.kind == "wheel"]
    assert notches["value"].tolist() == acts
    assert set(notches["control"]) == {"MouseWheel"}


# --- the picture ---


def test_each_picture_shows_the_game_at_its_time(take):
    """What is seen at t had been shown by then, and 50 ms before it was still to come or the newest.

    A stamp is taken just before the picture: when the machine is busy with something else in between, the picture is
    newer than its stamp. That happens to few, and never by much. At the median a picture is half a frame of the game
    old, and a whole one more at most.
    """
    judge_pictures(take, steady(take))


def judge_pictures(take, seen):
    frames = take.pit.lines("frame")
    assert [line["counter"] for line in frames] == list(range(len(frames)))
    begun, times = (np.array([line[key] for line in frames]) for key in ("before_ns", "t_ns"))
    newest = [(t_ns, int(np.searchsorted(times, t_ns)) - 1, counter) for t_ns, counter in seen]
    assert len(newest) > 150
    newer_ms = np.array([max(0, begun[counter] - t_ns) / MS for t_ns, _, counter in newest])
    older_ms = np.array([max(0, t_ns - times[counter + 1]) / MS for t_ns, _, counter in newest])
    assert np.mean(older_ms > 50) < 0.05
    assert np.mean(newer_ms > 5) < 0.3
    assert max(older_ms.max(), newer_ms.max()) < 1000
    assert np.median([shown - counter for _, shown, counter in newest]) == 0
    age_ms = np.median([(t_ns - times[counter]) / MS for t_ns, _, counter in newest])
    assert -0.5 * GAME_FRAME_MS < age_ms < 1.5 * GAME_FRAME_MS, f"a picture is {age_ms:.1f} ms old at the median"


@pytest.mark.parametrize("by", [2, -2])
def test_pictures_that_are_two_frames_off_are_found_out(take, by):
    seen = steady(take)
    times, counters = [t_ns for t_ns, _ in seen], [counter for _, counter in seen]
    moved = list(zip(times[by:], counters, strict=False)) if by > 0 else list(zip(times, counters[-by:], strict=False))
    with pytest.raises(AssertionError):
        judge_pictures(take, moved)


def steady(take):
    """Read every picture but those of the moment in which the window moved: (t_ns, counter)."""
    return [seen for seen in take.taken.seen(read_counter) if not take.at.move <= seen[0] < take.at.moved]


def test_the_picture_never_goes_back(take):
    assert (np.diff([counter for _, counter in steady(take)]) >= 0).all()


def test_frames_come_at_the_rate_and_every_missing_one_is_counted(take):
    for segment in take.session.segments:
        index = take.session.index(segment.index)
        ticks = len(index) + int(index["dropped_before"].sum())
        assert ticks == index["tick"].iloc[-1] - index["tick"].iloc[0] + 1 + index["dropped_before"].iloc[0]
        due = (segment.end_ns - segment.start_ns) * 60 / 1e9
        assert due - 60 < ticks < due + 2, "a segment that ends while it is behind is so by a second at most"


def test_the_window_is_followed_when_it_moves(take):
    told = take.session.telemetry().dropna(subset=["left", "top"])
    places = [(int(left), int(top)) for left, top in zip(told["left"], told["top"], strict=True)]
    moved = [(line["x"], line["y"]) for line in take.pit.lines("moved") if line["t_ns"] > take.at.move]
    assert places[-1] == moved[-1]
    assert (places[-1][0] - places[0][0], places[-1][1] - places[0][1]) == MOVE_PX
    seen = [counter for t_ns, counter in take.taken.seen(read_counter) if t_ns >= take.at.moved]
    assert len(set(seen)) > 5, "the game goes on in the picture"


# --- the sound ---


def test_a_beep_is_heard_when_the_game_made_it(take):
    times, samples = take.taken.sound("system")
    beeps = take.pit.lines("beep")
    assert len(beeps) == len(BEEPS_S)
    for beep in beeps:
        about = (times >= beep["t_ns"] - 50 * MS) & (times < beep["t_ns"] + 500 * MS)
        loud = times[about][np.abs(samples[about]) > 0.1]
        assert len(loud) > 9_000, "a quarter of a second of tone"
        late_ms = (loud[0] - beep["t_ns"]) / MS - 1000 * beep["waiting_s"]
        assert -5 <= late_ms <= 250 + 1000 * beep["buffer_s"]  # generous: a busy machine plays late


# --- the pause ---


def test_a_hotkey_pauses_and_nothing_of_the_pause_is_kept(take):
    first, second = take.session.segments
    assert (first.end_reason, second.end_reason) == ("pause", "stop")
    events, zero_ns = take.taken.events, take.taken.zero_ns
    marked = events[(events["flag"] == "hotkey") & (events["kind"] == "press")]
    assert marked["control"].tolist() == ["F8", "F8"]
    assert first.end_ns + zero_ns == marked["t_ns"].iloc[0]
    assert second.start_ns + zero_ns >= marked["t_ns"].iloc[1]
    times = take.session.index()["t_ns"] + zero_ns
    assert not ((times > marked["t_ns"].iloc[0]) & (times < marked["t_ns"].iloc[1])).any()
    inside = events[(events["t_ns"] > marked["t_ns"].iloc[0]) & (events["t_ns"] < marked["t_ns"].iloc[1])]
    assert set(inside["flag"]) == {"hotkey"}
    assert PAUSED not in set(events["control"])
    assert len(take.taken.edges({AFTERWARDS})) == len(take.sent_afterwards) == 4


# --- privacy ---


def test_what_was_typed_into_another_window_is_not_there(take):
    typed = [control for control, down, t_ns in take.other.presses() if down and t_ns >= take.at.left]
    assert typed == list(SECRET), "the other window has got it"
    away = take.taken.events[(take.taken.events["t_ns"] >= take.at.left) & (take.taken.events["t_ns"] < take.at.back)]
    assert set(away["kind"]) <= {"state"}
    assert not set(SECRET) & set(take.taken.events["control"])


def test_keys_that_no_layout_lists_are_named_nowhere(take, recording):
    typed = [control for control, down, t_ns in take.pit.presses() if down and take.at.played <= t_ns < take.at.pause]
    assert typed == [name.removeprefix("Key").removeprefix("Digit") for name in UNLISTED], "the game has got them"
    stored = recording.every_byte(take.folder, media=False)
    assert b"KeyW" in stored
    for name in UNLISTED:
        assert name.encode() not in stored


def test_no_byte_of_the_output_tells_the_secret_or_the_other_window(take, recording):
    stored = recording.every_byte(take.folder).lower()
    assert b"pit" in stored
    for planted in (
        OTHER_TITLE,
        "correcthorse",
        "zxcixz",
        "hunj7",
        "".join(SECRET),
        " ".join(SECRET),
        ",".join(SECRET),
    ):
        assert planted.lower().encode() not in stored


def test_what_was_discarded_is_counted_by_reason_and_not_named(take):
    events = take.session.ledger["events"]
    assert events.balances
    dropped = events.lost
    assert dropped["not_in_layout"] == 2 * len(UNLISTED)
    assert dropped["other_window"] >= 2 * len(SECRET) + 1  # and what came before the recorder knew of the focus
    assert dropped["paused"] == 2 * 3 + 1

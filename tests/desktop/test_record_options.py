"""What the options of `rushes record` promise, each with the real command; several recorders watch the same play.

`watched`: one play in a window and in another one, seen by recorders with different options at once, and by one that
learns keys. `pressed_on`: an idle limit, and two recorders that are stopped for a moment. `gone_on`: a session that is
gone on with.
"""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytestmark = [pytest.mark.require("display"), pytest.mark.slow]
RUSHES = str(Path(sys.executable).with_name("rushes"))
MS = 1_000_000
SETTLE_S = 0.25
KNOCK = "F6"
"""A hotkey that asks a recorder to go on, which it does already; every recorder keeps it, whatever its options are."""
SIGNS = (f'"{KNOCK}"'.encode(), b"monotonic_zero_ns")
"""What stands in the journal of a recorder that hears and sees: the hotkey, and the beginning of a segment."""
LISTED = {
    *(f"Key{letter}" for letter in "WASDEQRFGCVXZTPI"), "Digit1", "Digit2", "Digit3", "Digit4", "Space", "ShiftLeft",
    "ShiftRight", "ControlLeft", "ControlRight", "Backspace", "Escape", "Enter", "MouseLeft", "MouseRight",
}  # fmt: skip
"""What the layout capture28 lists: the 28 actions of the program that it comes from, by hand."""
MOTION, HOTKEYS = {"Mouse", "MouseWheel"}, {"F6", "F7", "F8"}
PLAYED = ("KeyW", "KeyA", "KeyS", "KeyD", "KeyE")
ROUNDS_S = (0.2, 1.0, 2.0)
"""When PLAYED is typed, each key once: a connection that breaks after its first second would lose the later ones."""
UNLISTED = ("KeyH", "KeyU", "KeyN")
SECRET = ("KeyZ", "KeyX", "KeyC", "KeyI", "KeyX")
"""Typed into the other window; the layout lists these, and the play does not use them."""
SECRET_UNLISTED = ("KeyB", "KeyK", "KeyJ", "KeyL")
IN_PAUSE, RESUMED, LATER = "KeyR", "KeyF", "KeyG"
OTHER_TITLE = "Bank correcthorsebattery"
MOVE_INSIDE, MOVE_OUTSIDE = (7, 3), (21, 10)
PAINTED_AT, PAINTED_SIZE = (60, 420), (320, 240)
GROUND = (0x40, 0x40, 0x40)
CORNERS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
"""What painted.py draws into the corners of its window: top left, top right, bottom left, bottom right (RGB)."""


def now():
    return time.perf_counter_ns()


def launch(programs, folder, name, *options, out=True):
    """Start `rushes record` in a folder of its own, whose files are its session and what it printed."""
    place = folder / name
    place.mkdir()
    command = [RUSHES, "record", "--json", *(["--out", str(place / "take")] if out else []), *options]
    with (place / "record.json").open("wb") as file, (place / "record.txt").open("wb") as errors:
        program = programs.start(command, stdout=file, stderr=errors, cwd=place)
    return SimpleNamespace(program=program, out=place / "take", place=place)


def said(made):
    return (made.place / "record.txt").read_text()[-3000:]


def journal(made):
    return b"".join(path.read_bytes() for path in made.place.rglob("journal.bin"))


def until_they_record(servers, playing, recorders):
    """Tap a hotkey until every recorder has kept it."""
    missing = list(recorders)

    def heard():
        for made in missing:
            assert made.program.poll() is None, "the recorder ended:\n" + said(made)
        playing.tap(KNOCK)
        missing[:] = [made for made in missing if not all(sign in journal(made) for sign in SIGNS)]
        return not missing

    servers.wait_for(heard, "the start of the recorders", seconds=90)


def end_all(recorders):
    """Ctrl+C for all of them; what each one printed."""
    for made in recorders:
        made.program.send_signal(signal.SIGINT)
    return [told_by(made) for made in recorders]


def told_by(made, *, status=0):
    assert made.program.wait(90) == status, said(made)
    return json.loads((made.place / "record.json").read_text())


def paint(programs, *, name="Paint.exe", title="Painted"):
    """Show the window of `painted.py` as the process `name`."""
    file = Path(__file__).with_name("painted.py")
    words = [name, str(file), title, *map(str, (*PAINTED_SIZE, *PAINTED_AT))]
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")}  # its name hides the environment
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": None}
    program = programs.start(words, env=environment, executable=sys.executable, **pipes)
    window = int(program.stdout.readline(), 16)  # it says so when its window is there
    return SimpleNamespace(program=program, window=window)


def unpaint(programs, painter):
    programs.end(painter.program)
    painter.program.stdin.close()
    painter.program.stdout.close()


def place_of(window):
    """Where a window's client area begins on the screen, as the server says."""
    from Xlib.display import Display

    display = Display()
    try:
        found = display.screen().root.translate_coords(display.create_resource_object("window", window), 0, 0)
        return found.x, found.y
    finally:
        display.close()


def switch(servers, playing, window):
    playing.focus(window)
    servers.wait_for(lambda: servers.focused() == window, "the change of the focus")
    time.sleep(0.1)


def presses(taken):
    """Count presses that are no hotkey: control -> how many."""
    events = taken.events
    found = events[(events["kind"] == "press") & (events["flag"].fillna("") != "hotkey")]
    return Counter(found["control"])


# --- one play, seen by several recorders ---


@pytest.fixture(scope="module")
def watched(display, servers, programs, game, hands, recording, tmp_path_factory):
    folder = tmp_path_factory.mktemp("options")
    painter = paint(programs)
    bank = game.start(
        servers, programs, folder, title=OTHER_TITLE, options=("--at", "700", "60", "--size", "240", "160")
    )
    pit = game.start(servers, programs, folder, title="Pit", options=("--at", "60", "60", "--size", "320", "240"))
    usual = ("--fps", "15", "--start-immediately", "--game", "Pit")
    left, top = place_of(painter.window)
    box = [left, top, left + PAINTED_SIZE[0], top + PAINTED_SIZE[1]]
    with hands.Hands() as playing:
        switch(servers, playing, pit.window)
        learn = launch(programs, folder, "learn", "--learn-keys", "--window", "Pit", "--out", "keys.json", out=False)
        servers.wait_for(lambda: "recording nothing" in said(learn), "the start of the one that learns")
        window = launch(programs, folder, "window", "--window", "Pit", *usual)
        no_keys = launch(programs, folder, "no_keys", "--window", "Pit", "--no-keys", *usual)
        anywhere = launch(
            programs, folder, "anywhere", "--region", *map(str, box), "--keys-anywhere", "--codec", "lossless", *usual
        )
        recorders = (window, no_keys, anywhere)
        until_they_record(servers, playing, recorders)
        at = SimpleNamespace(began=now())
        play = [act for at_s in ROUNDS_S for act in hands.text(PLAYED, at_s)]
        play += [act for at_s in ROUNDS_S for act in hands.text(UNLISTED, at_s + 0.3)]
        playing.point(200, 200)
        time.sleep(0.05)  # its stamp may lie a millisecond after the call
        at.pointed = now()
        play += [*hands.hold("MouseLeft", 0.5, 0.05), hands.Act(0.7, "move", "", *MOVE_INSIDE)]
        playing.perform(hands.spread(play))
        time.sleep(SETTLE_S)
        at.left = now()
        switch(servers, playing, bank.window)
        at.outside = now()
        secret = [*hands.text(SECRET, 0.05), *hands.text(SECRET_UNLISTED, 0.25)]
        secret += [hands.Act(0.1, "move", "", *MOVE_OUTSIDE), hands.Act(0.15, "wheel", dy=1)]
        playing.perform(hands.spread(secret))
        time.sleep(SETTLE_S)
        at.paused = now()
        playing.tap("F7")
        chord_of_t = (*hands.hold("ControlLeft", 0.0, 0.1), *hands.hold("KeyT", 0.03, 0.03))
        time.sleep(SETTLE_S)
        playing.perform(hands.spread(chord_of_t))
        time.sleep(SETTLE_S)
        switch(servers, playing, pit.window)
        playing.tap(IN_PAUSE)
        time.sleep(SETTLE_S)
        at.resumed = now()
        playing.perform(hands.spread(chord_of_t))
        time.sleep(SETTLE_S)
        playing.tap(RESUMED)
        chord = [*hands.hold("ControlLeft", 0.0, 0.15), *hands.hold("ShiftLeft", 0.03, 0.09)]
        playing.perform(hands.spread([*chord, *hands.hold("KeyP", 0.06, 0.03)]))
        time.sleep(SETTLE_S)
        playing.tap(LATER)
        time.sleep(SETTLE_S)
        end_all(recorders)
        learn.program.send_signal(signal.SIGINT)
        learned = told_by(learn)
    for made in (pit, bank):
        programs.end(made.program)
    unpaint(programs, painter)
    taken = {made.place.name: recording.Taken(made.out) for made in recorders}
    return SimpleNamespace(at=at, taken=taken, learn=learn, learned=learned, bank=bank, box=box)


def test_a_window_has_every_listed_key_that_was_typed_inside_and_nothing_else(watched):
    """Also a second, two seconds after it began: other connections to the server take nothing from it."""
    typed = [control for control, down, t_ns in watched.bank.presses() if down and t_ns >= watched.at.outside]
    assert [*SECRET, *(name.removeprefix("Key") for name in SECRET_UNLISTED)] == typed[: len(SECRET + SECRET_UNLISTED)]
    expected = Counter(dict.fromkeys(PLAYED, len(ROUNDS_S)))
    expected += Counter(["MouseLeft", RESUMED, LATER, "ControlLeft", "ShiftLeft", "KeyP"])
    assert presses(watched.taken["window"]) == expected


def test_no_row_of_a_window_names_a_control_outside_of_the_layout_and_the_hotkeys(watched):
    events = watched.taken["window"].events
    assert set(events["control"]) <= LISTED | MOTION | HOTKEYS
    marked = events[events["flag"] == "hotkey"]
    assert set(marked["control"]) == {KNOCK, "F7", "KeyT"}, "Ctrl+T in another window is none of its hotkeys"
    away = events[(events["t_ns"] >= watched.at.outside) & (events["t_ns"] < watched.at.resumed)]
    assert set(away[away["flag"] != "hotkey"]["control"]) == set()
    assert set(away["control"]) == {"F7"}


def test_no_byte_of_a_window_or_of_learning_tells_what_was_typed_elsewhere(watched, recording):
    for name in ("window", "no_keys"):
        stored = recording.every_byte(watched.taken[name].session.path).lower()
        assert b"pit" in stored
        for planted in (OTHER_TITLE, "correcthorse", "".join(SECRET), ",".join(SECRET), "zxcix", "bkjl"):
            assert planted.lower().encode() not in stored
        stored = recording.every_byte(watched.taken[name].session.path, media=False)
        for control in (*SECRET_UNLISTED, *UNLISTED):
            assert control.encode() not in stored, (name, control)
        stored = recording.every_byte(watched.taken[name].session.path / "chunks", media=False)
        assert b"MouseLeft" in stored
        for control in SECRET:  # session.json names it, as it names all that the layout lists
            assert control.encode() not in stored, (name, control)
    printed = recording.every_byte(watched.learn.place)
    for control in (*SECRET, *SECRET_UNLISTED):
        assert control.encode() not in printed


def test_what_a_window_did_not_keep_is_counted(watched):
    ledger = watched.taken["window"].session.ledger["events"]
    assert ledger.balances
    unlisted = 2 * len(UNLISTED) * len(ROUNDS_S)
    assert ledger.lost["not_in_layout"] - unlisted in {0, 1}, "1: a knock that was down before it listened is let go"
    # keys, motion, wheel and Ctrl+T in the other window
    assert ledger.lost["other_window"] >= 2 * len(SECRET + SECRET_UNLISTED) + 2 + 4
    assert ledger.lost["paused"] >= 2, "the key in the pause"


def test_with_no_keys_no_key_is_kept_and_the_mouse_only_inside_the_window(watched):
    taken = watched.taken["no_keys"]
    events = taken.events
    assert set(events[events["device"] == "keyboard"]["control"]) == {KNOCK, "F7", "KeyT"}
    assert set(events[events["device"] == "keyboard"]["flag"]) == {"hotkey"}
    assert presses(taken) == Counter(["MouseLeft"])
    inside = taken.within("move", watched.at.pointed, watched.at.left)
    assert (inside["dx"].sum(), inside["dy"].sum()) == MOVE_INSIDE
    outside = events[(events["t_ns"] >= watched.at.outside) & (events["t_ns"] < watched.at.resumed)]
    assert "mouse" not in set(outside["device"])
    assert taken.session.ledger["events"].lost["keyboard_off"] > 2 * len(PLAYED) * len(ROUNDS_S)


def test_keys_anywhere_has_listed_keys_of_every_window_and_counts_the_others(watched):
    taken = watched.taken["anywhere"]
    expected = Counter(dict.fromkeys(PLAYED, len(ROUNDS_S))) + Counter(SECRET)
    expected += Counter(["MouseLeft", IN_PAUSE, RESUMED, LATER, "ControlLeft", "ControlLeft", "ShiftLeft", "KeyP"])
    assert presses(taken) == expected
    assert set(taken.events["control"]) <= LISTED | MOTION | HOTKEYS
    moved = taken.within("move", watched.at.outside, watched.at.paused)
    assert (moved["dx"].sum(), moved["dy"].sum()) == MOVE_OUTSIDE
    unlisted = len(UNLISTED) * len(ROUNDS_S) + len(SECRET_UNLISTED)
    lost = taken.session.ledger["events"].lost
    assert lost["not_in_layout"] - 2 * unlisted in {0, 1}
    assert "other_window" not in lost


def test_ctrl_t_resumes_in_the_chosen_window_alone_and_ctrl_shift_p_is_no_hotkey(watched):
    for name in ("window", "no_keys"):
        taken = watched.taken[name]
        first, second = taken.session.segments
        assert (first.end_reason, second.end_reason) == ("pause", "stop"), "Ctrl+Shift+P ended nothing"
        assert first.end_ns + taken.zero_ns < watched.at.resumed <= second.start_ns + taken.zero_ns
    taken = watched.taken["anywhere"]
    first, second = taken.session.segments
    assert (first.end_reason, second.end_reason) == ("pause", "stop")
    assert watched.at.paused < second.start_ns + taken.zero_ns < watched.at.resumed, "no window is chosen there"


def test_a_region_is_that_part_of_the_screen(watched):
    session = watched.taken["anywhere"].session
    picture = next(iter(session.frames(0, 1)))
    width, height = PAINTED_SIZE
    assert picture.shape == (height, width, 3)
    rows, columns = (3, 3, height - 4, height - 4), (3, width - 4, 3, width - 4)
    assert [tuple(int(v) for v in picture[r, c]) for r, c in zip(rows, columns, strict=True)] == CORNERS
    assert tuple(int(v) for v in picture[height // 2, width // 2]) == GROUND
    assert session.info.provenance["box"] == watched.box


def test_learning_writes_a_list_of_what_was_used_inside_that_layout_takes(watched, display, servers, programs, hands):
    written = json.loads((watched.learn.place / "keys.json").read_text())
    assert written == watched.learned["controls"]
    assert set(PLAYED) | set(UNLISTED) | {"MouseLeft"} <= set(written)
    assert not set(written) & {*SECRET, *SECRET_UNLISTED}
    assert set(UNLISTED) <= set(watched.learned["missing"])
    assert list(watched.learn.place.glob("**/session.json")) == [], "it records nothing"
    # --layout takes it, and the process name finds its window; without --out the session has a place of its own
    painter = paint(programs)
    try:
        made = launch(
            programs, watched.learn.place, "by_list", "--process-name", "Paint.exe", "--game", "My Game: 2",
            "--layout", str(watched.learn.place / "keys.json"), "--codec", "lossless", "--max-frames", "12",
            "--start-immediately", out=False,
        )  # fmt: skip
        told = told_by(made)
    finally:
        unpaint(programs, painter)
    assert (told["reason"], told["frames"]) == ("max_frames", 12)
    (path,) = (made.place / "data" / "sessions").iterdir()
    assert Path(told["path"]).name == path.name
    assert path.name.startswith("My_Game_2_20")
    from rushes.store.reader import open_session

    session = open_session(path)
    assert session.frame_count == 12
    assert session.info.provenance["window"] == "Painted"
    assert [slot.name for slot in session.info.action_space.slots][: len(written)] == written
    picture = next(iter(session.frames(11, 12)))
    assert tuple(int(v) for v in picture[3, 3]) == CORNERS[0]


# --- an idle limit, and recorders that are stopped for a moment ---

STALL_S, FPS = 0.5, 30
IDLE_S = 2.0


@pytest.fixture(scope="module")
def pressed_on(display, servers, programs, game, hands, recording, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stalls")
    other = game.start(servers, programs, folder, title="Other", options=("--at", "700", "60", "--size", "240", "160"))
    pit = game.start(servers, programs, folder, title="Pit", options=("--at", "60", "60", "--size", "160", "120"))
    usual = ("--window", "Pit", "--start-immediately")
    with hands.Hands() as playing:
        switch(servers, playing, pit.window)
        idle = launch(programs, folder, "idle", *usual, "--fps", "5", "--idle-stop", str(IDLE_S))
        skips = launch(programs, folder, "skips", *usual, "--fps", str(FPS), "--skip-late")
        catches = launch(programs, folder, "catches", *usual, "--fps", str(FPS))
        until_they_record(servers, playing, (idle, skips, catches))
        at = SimpleNamespace(began=now())
        for made in (skips, catches):
            playing.tap("KeyH")
            child = recorder_of(made.program.pid)
            os.kill(child, signal.SIGSTOP)
            try:
                time.sleep(STALL_S)
            finally:
                os.kill(child, signal.SIGCONT)
            playing.tap("KeyU")
            time.sleep(0.6)
        end_all((skips, catches))
        while now() < at.began + int((IDLE_S + 1.5) * 1e9):
            playing.tap("KeyN")
            time.sleep(0.3)
        running = idle.program.poll() is None
        switch(servers, playing, other.window)
        at.left = now()
        while idle.program.poll() is None and now() < at.left + 60e9:  # somebody types on, elsewhere
            playing.tap("KeyN")
            time.sleep(0.3)
        told = told_by(idle)
    for made in (pit, other):
        programs.end(made.program)
    taken = {made.place.name: recording.Taken(made.out) for made in (idle, skips, catches)}
    return SimpleNamespace(at=at, taken=taken, running=running, told=told)


def recorder_of(front):
    """Find the process in which the command records: its only child."""
    (child,) = (int(word) for word in Path(f"/proc/{front}/task/{front}/children").read_text().split())
    return child


def test_an_idle_limit_counts_every_input_in_the_window_and_none_elsewhere(pressed_on):
    assert pressed_on.running, "keys that no layout lists were pressed in the window all the time"
    assert pressed_on.told["reason"] == "idle"
    taken = pressed_on.taken["idle"]
    assert taken.session.segments[-1].end_reason == "idle"
    assert set(taken.events["control"]) == {KNOCK}
    ended = taken.session.segments[-1].end_ns + taken.zero_ns
    assert ended > pressed_on.at.began + IDLE_S * 1e9
    assert ended < pressed_on.at.left + (IDLE_S + 10) * 1e9, "what is typed elsewhere keeps nothing going"


def ticks_of(session):
    (segment,) = session.segments
    index = session.index(segment.index)
    ticks = int(index["tick"].iloc[-1] - index["tick"].iloc[0]) + 1
    due = (segment.end_ns - segment.start_ns) * FPS / 1e9
    assert due - FPS < ticks < due + 2, "a recorder that is stopped while it is behind is by a second at most"
    return ticks, index


def test_skip_late_skips_the_ticks_of_a_stall_and_counts_each(pressed_on):
    session = pressed_on.taken["skips"].session
    ticks, index = ticks_of(session)
    assert len(index) + index["dropped_before"].sum() == ticks
    assert index["dropped_before"].max() >= 0.8 * STALL_S * FPS, "one gap"
    assert (np.diff(index["tick"]) - 1 == index["dropped_before"].iloc[1:]).all()
    assert session.ledger["frames"].lost["dropped_tick"] == index["dropped_before"].sum()
    assert session.ledger["frames"].balances


def test_without_it_the_ticks_of_a_stall_are_caught_up_with_and_flagged(pressed_on):
    session = pressed_on.taken["catches"].session
    ticks, index = ticks_of(session)
    assert len(index) + index["dropped_before"].sum() == ticks
    assert index["late"].sum() >= 0.5 * STALL_S * FPS
    assert index["dropped_before"].sum() < 0.5 * STALL_S * FPS, "most are there"
    waits_ms = np.diff(index["t_ns"].to_numpy()) / MS
    assert waits_ms.max() > 800 * STALL_S
    after = int(waits_ms.argmax()) + 1
    assert np.median(waits_ms[after : after + 6]) < 500 / FPS, "one right after the other"
    assert index["late"].iloc[after : after + 6].all()


# --- a session that is gone on with ---


@pytest.fixture(scope="module")
def gone_on(display, servers, programs, game, hands, recording, tmp_path_factory):
    folder = tmp_path_factory.mktemp("resumed")
    usual = ("--window", "Pit", "--game", "Pit", "--fps", "15", "--start-immediately")
    found = []
    with hands.Hands() as playing:
        for number, (key, more) in enumerate((("KeyW", ()), ("KeyS", ("--resume",)))):
            pit = game.start(servers, programs, folder, title="Pit", options=("--size", "160", "120"))
            made = launch(programs, folder, f"part{number}", *usual, *more, "--out", str(folder / "take"), out=False)
            switch(servers, playing, pit.window)
            servers.wait_for(
                lambda made=made, key=key: knock_at(playing, folder / "take", made, key), "the start of the recorder",
                seconds=90,
            )  # fmt: skip
            time.sleep(SETTLE_S)
            (told,) = end_all((made,))
            found.append(SimpleNamespace(told=told, id=recording.Taken(folder / "take").session.info.id))
            if not number:
                programs.end(pit.program)
                (folder / "Pit.jsonl").unlink()
        before = {path: path.read_bytes() for path in (folder / "take").rglob("*") if path.is_file()}
        yield SimpleNamespace(
            found=found, taken=recording.Taken(folder / "take"), before=before, folder=folder, usual=usual
        )
        programs.end(pit.program)


def knock_at(playing, path, made, key):
    assert made.program.poll() is None, "the recorder ended:\n" + said(made)
    playing.tap(key)
    found = b"".join(file.read_bytes() for file in path.glob("chunks/*/journal.bin"))
    return f'"{key}"'.encode() in found and SIGNS[1] in found


def test_a_session_goes_on_in_a_segment_of_its_own_with_the_window_that_is_there_now(gone_on):
    first, second = gone_on.found
    assert first.id == second.id == gone_on.taken.session.info.id
    session = gone_on.taken.session
    assert session.problems == ()
    one, two = session.segments
    assert (one.end_reason, two.end_reason) == ("stop", "stop")
    assert (one.clock, two.clock) == ("", "rejoined")
    assert two.start_ns > one.end_ns
    passed_ns = two.wall_ns - one.wall_ns
    assert two.start_ns - one.start_ns == pytest.approx(passed_ns, abs=250 * MS), "placed by the wall clock"
    assert first.told["frames"] == one.frames
    assert one.frames + two.frames == session.frame_count
    assert len(list(session.frames(0, session.frame_count))) == session.frame_count
    events = session.events()
    keys = events[events["kind"] == "press"]
    assert set(keys[keys["t_ns"] < two.start_ns]["control"]) <= {"KeyW", "KeyS"}
    assert set(session.events(two.index)["control"]) >= {"KeyS"}
    assert "KeyS" not in set(session.events(one.index)["control"])


def same_files(gone_on):
    return {
        path: path.read_bytes() for path in (gone_on.folder / "take").rglob("*") if path.is_file()
    } == gone_on.before


def test_a_session_that_was_begun_otherwise_is_refused_by_the_command(gone_on, programs):
    options = ("--resume", "--no-keys", "--out", str(gone_on.folder / "take"))
    made = launch(programs, gone_on.folder, "refused", *gone_on.usual, *options, out=False)
    assert made.program.wait(90) == 1
    assert "other options than it was begun with: privacy" in said(made)
    assert "Traceback" not in said(made)
    assert same_files(gone_on)


@pytest.mark.parametrize(
    ("what", "options"),
    [
        ("game", {"game": "Moor"}),
        ("layout", {"layout": "capture25_keys"}),
        ("privacy", {"keys_anywhere": True}),
        ("streams", {"fps": 20.0}),
        ("streams", {"codec": "lossless"}),
        ("streams", {"audio": ("system",)}),
    ],
)
def test_a_session_does_not_go_on_with_other_options(gone_on, what, options):
    from rushes.capture.child import record_live
    from rushes.capture.settings import Settings
    from rushes.errors import OccupiedError

    asked = {"out": str(gone_on.folder / "take"), "game": "Pit", "window": "Pit", "fps": 15.0, "resume": True}
    with pytest.raises(OccupiedError, match=rf"begun with: {what}"):
        record_live(Settings(**{**asked, "start_immediately": True, "max_frames": 1, **options}))
    assert same_files(gone_on)

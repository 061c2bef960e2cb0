"""A play of the demo by hand in a real Chromium, recorded: pictures, times, inputs and telemetry are the game's own.

One play of some nine seconds: into the name field, over the start button, with the mouse locked; walk, pause, go on,
clear rubble, inspect somebody, go to another tab and come back, stop. Every test looks at a part of its session.
"""

import math
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rushes.capture import director, encoding
from rushes.capture.browser.serving import Serving
from rushes.capture.settings import Settings
from rushes.model.clock import NS
from rushes.qa.base import run_checks
from rushes.store.reader import open_session

sys.path.insert(0, str(Path(__file__).parent))

from chromium_tab import WAIT_S, Chromium
from rescue_probe import PROBE, TRUTH, Truth, by_area, number_in, told

pytestmark = pytest.mark.require("browser")

MS = 1_000_000
SEED = 129  # rubble lies straight ahead of the start, somebody waits six units to the left of it
GAME_KEYS = {"KeyW", "KeyA", "KeyS", "KeyD", "Space", "KeyE", "KeyR", "KeyF", "MouseLeft"}
EVERY = 8  # of the pictures that are kept whole


@dataclass(frozen=True)
class Played:
    """A play.

    Attributes:
        session: What was stored.
        truth: What the page noted.
        pictures: (N, 128, 128, 3) of the session.
        wholes: Frame index -> the canvas (H, W, 3) in which it was drawn, top row first.
        px: Sums of the mouse's motion that the script made while it was recorded.
        clock: This process's perf_counter minus the page's clock, and how far that may be off, ms.
        yaw: What the game's log says last.
        faults: Of the page.
    """

    session: Any
    truth: Truth
    pictures: np.ndarray
    wholes: dict
    px: list
    clock: tuple
    yaw: float
    faults: list

    def epochs(self, t_ns):
        """Give the number of segments that had ended at each time; one clock join holds in each."""
        ends = [segment.end_ns for segment in self.session.segments[:-1]]
        return np.searchsorted(ends, t_ns, side="left")

    def offsets(self):
        """Give, for each epoch, session time minus page time in ns, from inputs that carry both."""
        events = self.session.events()
        keys = events[events["kind"].isin(["press", "release"])]
        own = [event for event in self.truth.inputs if event["kept"] and event["control"] not in {"*", "KeyB"}]
        found = {}
        for t_ns, epoch, control in zip(keys["t_ns"], self.epochs(keys["t_ns"]), keys["control"], strict=True):
            if own and control == own[0]["control"]:
                found.setdefault(epoch, set()).add(t_ns - round(own.pop(0)["t"] * MS))
        assert not own, f"not stored: {own}"
        assert all(len(each) == 1 for each in found.values()), f"intervals are not those of the page: {found}"
        return [found[epoch].pop() for epoch in range(len(self.session.segments))]


@pytest.fixture(scope="module")
def played(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")
    settings = Settings(backend="browser", fps=10.0, codec="png", out=str(folder / "session"))
    with (
        pytest.MonkeyPatch.context() as patch,
        Serving(settings, port=0) as serving,
        Chromium(chromium, folder / "profile") as browser,
    ):
        patch.setattr(director, "STALL_NS", WAIT_S * NS)  # a busy machine may stand still for a second
        patch.setattr(encoding, "_WAIT_S", WAIT_S)  # and be behind
        results = []
        thread = threading.Thread(target=lambda: results.extend(serving.plays(1)), daemon=True)
        thread.start()
        address = serving.address_with(seed=str(SEED), environment="earthquake", marker="1", width="480")
        tab = browser.open(address, width=480, height=270, first=PROBE)
        tab.until("window.rescue && document.readyState === 'complete'")
        tab.js(f"seen.every = {EVERY}")
        px = play(tab)
        yaw = tab.js("rescue.log.at(-1).yaw")
        tab.js("rescue.stop()")
        truth = Truth(**tab.js(TRUTH))
        wholes = {
            shot: np.frombuffer(tab.bytes(f"seen.full[{k}].pixels"), np.uint8).reshape(*size, 4)[::-1, :, :3]
            for k, (shot, size) in enumerate(truth.full)
        }
        clock, faults = tab.clock(), tab.faults()
        thread.join(WAIT_S)
    session = open_session(results[0].path)
    pictures = np.stack(list(session.frames(0, session.frame_count)))
    return Played(session, truth, pictures, wholes, px, clock, yaw, faults)


def play(tab):
    """Play; give the sums of the mouse's motion."""
    px = [0, 0]

    def move(dx, dy, parts=1):
        px[0], px[1] = px[0] + dx, px[1] + dy
        tab.move(dx, dy, parts)
        frames(tab, 2)  # the game takes it in the next step

    def face(what):
        x, z, yaw = tab.js(f"""((log) => rescue.sim.plan.{what}.map(({{x, z}}) => [x - log.x, z - log.z, log.yaw])
            .sort((a, b) => Math.hypot(a[0], a[1]) - Math.hypot(b[0], b[1]))[0])(rescue.log.at(-1))""")
        move(round(-math.remainder(math.atan2(-x, -z) - yaw, 2 * math.pi) / 0.002), 0)

    tab.click("#player")
    for code in ("KeyW", "KeyA", "KeyD", "KeyE"):
        tab.press(code)
        tab.release(code)
    tab.click("#title button.go")
    tab.until("rescue.mode === 'playing' && seen.shots.length")
    move(30, 5, 5)
    tab.press("KeyW", "KeyB")
    tab.until("rescue.log.at(-1).z < 49")
    tab.press("KeyD")
    move(-30, -4, 2)
    tab.release("KeyB")
    tab.press("KeyP")
    tab.release("KeyP")
    tab.until("rushesCapture.state === 'paused' && !document.pointerLockElement")
    tab.release("KeyW")
    tab.press("KeyA")
    tab.move(16, 0)  # belongs to nothing
    again(tab)
    tab.release("KeyP", "KeyA", "KeyD")
    face("rubble")
    tab.press("KeyW")
    tab.until("rescue.log.at(-1).z < 34")
    tab.press("KeyR")
    tab.release("KeyW")
    tab.until("seen.rows.some((row) => row.fields.event === 'destroy_rubble')")
    tab.release("KeyR")
    face("victims")
    tab.press("KeyW")
    tab.until("rescue.state().nearest_victim_distance < 2.4")
    tab.press("KeyE")
    tab.release("KeyW")
    tab.until("seen.rows.some((row) => row.fields.event === 'inspect')")
    tab.release("KeyE")
    tab.press("Space", "KeyA")
    tab.click()
    tab.release("Space")
    frames(tab, 6)
    tab.hide()
    tab.show()
    again(tab)
    tab.release("KeyP")
    tab.press("KeyS")
    frames(tab, 6)
    tab.release("KeyS")
    return px


def frames(tab, count):
    """Wait for so many animation frames of the game."""
    number = tab.js("rescue.log.at(-1).frame")
    tab.until(f"rescue.log.at(-1).frame >= {number + count}")


def again(tab):
    """Go on after a pause."""
    taken = tab.js("seen.shots.length")
    tab.press("KeyP")
    tab.until(f"seen.shots.length > {taken + 2}")


def test_each_picture_shows_the_animation_frame_whose_time_it_carries(played):
    shots, index = played.truth.shots, played.session.index()
    assert [number_in(picture) for picture in played.pictures] == [shot["frame"] for shot in shots]
    offsets = played.offsets()
    for shot, t_ns, epoch in zip(shots, index["t_ns"], index["segment"], strict=True):
        assert shot["t"] == shot["drawnIn"], "the probe looked in another animation frame"
        assert shot["t"] <= shot["drawn"] <= (t_ns - offsets[epoch]) / MS + 1e-6
        assert (t_ns - offsets[epoch]) / MS <= shot["after"] + 1e-6
    for offset, segment in zip(offsets, played.session.segments, strict=True):
        wanted_ms, unsure_ms = played.clock
        off_ms = abs((offset + segment.attrs["monotonic_zero_ns"]) / MS - wanted_ms)
        assert off_ms <= segment.attrs["round_trip_ms"] / 2 + unsure_ms + 0.1, "0.1: steps of the page's clock"
    assert played.faults == []


def test_pictures_are_the_canvas_averaged_by_area_upright_and_never_black(played):
    assert len(played.wholes) >= len(played.pictures) // EVERY
    for number, whole in played.wholes.items():
        assert whole.shape == (270, 480, 3)
        off = np.abs(played.pictures[number] - by_area(whole, 128, 128))
        assert off.max() <= 1.5, f"frame {number}"
    assert all(picture[:100].std() > 5 for picture in played.pictures)


def test_a_picture_every_tenth_of_a_second_by_a_clock_that_does_not_drift(played):
    index = played.session.index()
    late_ms = index["t_ns"] / MS - 100 * index["tick"]
    assert late_ms.max() - late_ms.min() < 126, "from a quarter of a tick before to the whole one that it takes"
    for _, part in index.groupby("segment"):
        assert np.array_equal(np.diff(part["tick"]) - 1, part["dropped_before"].iloc[1:])
    lost = dict(played.session.ledger["frames"].lost)
    assert lost.get("dropped_tick", 0) == index["dropped_before"].sum()
    assert lost.keys() <= {"dropped_tick"}


def test_keys_stand_at_their_own_times_and_are_held_as_the_game_knew_them(played):
    events, truth = played.session.events(), played.truth
    kept = set(events["control"])
    assert "KeyB" not in kept
    assert dict(played.session.ledger["events"].lost) == {"not_in_layout": 2}, "down and up, and not its name"
    offsets, compared = played.offsets(), 0
    for number, segment in enumerate(played.session.segments):
        index, mine = played.session.index(number), played.session.events(number)
        for t_ns, shot in zip(index["t_ns"], truth.shots[segment.first_frame :], strict=False):
            t_ms = (t_ns - offsets[number]) / MS
            held = held_at(mine, t_ns)
            assert held == truth.held(t_ms, kept), f"frame {shot['frame']}"
            begun_ms = (segment.start_ns - offsets[number]) / MS
            on_its_way = any(event["t"] <= t_ms < event["at"] for event in truth.inputs)
            since = [event for event in truth.inputs if event["down"] and event["t"] <= t_ms]
            before = {event["control"] for event in since if event["t"] < begun_ms}
            if not on_its_way and not held & GAME_KEYS & before - {e["control"] for e in since if e["t"] >= begun_ms}:
                assert set(shot["keys"]) == held & GAME_KEYS, f"frame {shot['frame']}"
                compared += 1
    assert compared > len(truth.shots) / 2


def held_at(events, t_ns):
    """Replay events up to a time."""
    down = set()
    for event in events[events["t_ns"] <= t_ns].itertuples():
        if event.kind == "press" or (event.kind == "state" and event.value):
            down.add(event.control)
        elif event.kind in {"release", "state"}:
            down.discard(event.control)
    return down


def test_the_mouse_went_as_far_as_it_was_moved(played):
    events = played.session.events()
    moves = events[events["kind"] == "move"]
    assert [moves["dx"].sum(), moves["dy"].sum()] == played.px
    assert played.yaw == pytest.approx(-0.002 * played.px[0])
    offsets = np.array(played.offsets())[played.epochs(moves["t_ns"])]
    page_ns = (moves["t_ns"] - offsets).to_numpy()
    before = -1
    for t, dx, dy in played.truth.moves:
        part = moves[(page_ns > before) & (page_ns <= round(t * MS))]
        assert (part["dx"].sum(), part["dy"].sum()) == (dx, dy)
        before = round(t * MS)


def test_telemetry_of_each_picture_is_the_state_of_its_animation_frame_and_every_other_row_is_there_once(played):
    rows, index = told(played.session), played.session.index()
    of_frames = [(frame, t_ns, fields) for t_ns, frame, fields in rows if frame is not None]
    assert [frame for frame, _, _ in of_frames] == list(range(len(played.truth.shots)))
    assert [t_ns for _, t_ns, _ in of_frames] == index["t_ns"].tolist()
    for (_, _, fields), shot in zip(of_frames, played.truth.shots, strict=True):
        assert fields == {name: value for name, value in shot["fields"].items() if value is not None}
    others = [(t_ns, fields) for t_ns, frame, fields in rows if frame is None]
    assert [fields for _, fields in others] == [row["fields"] for row in played.truth.rows]
    names = [fields["event"] for _, fields in others]
    assert (names[0], names[-1]) == ("game_start", "game_end")
    assert {"destroy_rubble", "inspect"} <= set(names)
    assert others[0][0] == index["t_ns"][0], "told before the first picture"
    offsets = played.offsets()
    for (t_ns, _), row, epoch in list(
        zip(others, played.truth.rows, played.epochs([t_ns for t_ns, _ in others]), strict=True)
    )[1:]:
        assert row["at"] <= (t_ns - offsets[epoch]) / MS + 1e-6
        assert (t_ns - offsets[epoch]) / MS <= row["by"] + 1e-6


def test_a_pause_and_another_tab_in_front_leave_holes_in_which_nothing_is(played):
    session, truth = played.session, played.truth
    first, second, third = (segment.end_reason for segment in session.segments)
    assert (first, third) == ("pause", "stop")
    assert second in {"hidden", "pause"}, "a tab that is hidden loses the mouse too, at which the game pauses"
    offsets, events, index = played.offsets(), session.events(), session.index()
    paused, resumed, resumed_again = (e for e in truth.inputs if e["control"] == "KeyP" and e["down"])
    (hidden, is_hidden), (shown, is_shown) = truth.hidden
    assert (is_hidden, is_shown) == (True, False)
    last = max(e["t"] for e in truth.inputs if e["control"] == "Space" and e["t"] < hidden)
    for number, begun, ended, back in (
        (0, paused["t"], resumed["t"], resumed["t"]),
        (1, last, shown, resumed_again["t"]),
    ):
        end_ns, offset = session.segments[number].end_ns, offsets[number]
        assert begun <= (end_ns - offset) / MS <= ended
        for table in (events, index):
            assert not ((table["t_ns"] > end_ns) & (table["t_ns"] < offsets[number + 1] + back * MS)).any()
    start_ns = session.segments[1].start_ns
    states = events[(events["kind"] == "state") & (events["t_ns"] == start_ns)]
    assert dict(zip(states["control"], states["value"], strict=True)) == {"KeyW": 0.0, "KeyA": 1.0}
    assert held_at(session.events(1), start_ns) - {"KeyP"} == {"KeyA", "KeyD"}, "one pressed in the pause, one kept"
    assert "KeyA" not in held_at(session.events(2), session.segments[2].start_ns), "the tab in front had the keyboard"


def test_the_session_is_sound_and_says_who_played_what(played):
    session = played.session
    assert [finding for finding in run_checks(session) if finding.severity == "error"] == []
    assert session.ledger.balances
    said = {"player": "wade", "environment": "earthquake", "seed": SEED, "canvas": [270, 480]}
    assert said.items() <= session.info.provenance.items()

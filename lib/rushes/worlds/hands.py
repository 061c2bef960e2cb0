"""Worlds of the matrix about inputs: events that come late, twice or never, and what hands do on which devices.

Each function plants one world from a random generator; its first line says what it is. `rushes.worlds.matrix` gives
them their names.

Example:
    >>> auto_repeat(np.random.default_rng(0)).counters.echoes
    25
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rushes.model.clock import NS
from rushes.model.readings import Event, Lost
from rushes.worlds.devices import (
    FRAMES,
    KEYS,
    MS,
    TICK,
    Build,
    deliver,
    keys,
    mouse,
    one,
    pad,
    plain,
    play,
    press,
    screen,
    stretch,
    stretches,
    wheel,
)
from rushes.worlds.planted import Given, PlantedWorld, Stretch


def silence(_: np.random.Generator) -> PlantedWorld:
    """Nobody touches anything."""
    return PlantedWorld("", (one(),))


def no_motion(rng: np.random.Generator) -> PlantedWorld:
    """Keys alone."""
    return plain(rng, one(), given=deliver(keys(rng, 0, 2 * NS)))


def reordered(rng: np.random.Generator) -> PlantedWorld:
    """Events arrive 1 to 40 ms after they happened, each by its own delay, so after frames that they precede."""
    delays = rng.integers(MS, 40 * MS, 997).tolist()
    return plain(rng, one(), given=deliver(play(rng, 0, 3 * NS), delays_ns=delays))


def reordered_far(rng: np.random.Generator) -> PlantedWorld:
    """Events arrive up to 300 ms late: with short chunks in a later one."""
    delays = rng.integers(MS, 300 * MS, 997).tolist()
    return plain(rng, one(), given=deliver(play(rng, 0, 3 * NS), delays_ns=delays))


def device_lags(rng: np.random.Generator) -> PlantedWorld:
    """The keyboard reports a steady 250 ms later than the mouse."""
    found = deliver(keys(rng, 0, 2 * NS), delays_ns=(250 * MS,))
    return plain(rng, one(), given=(*found, *deliver(mouse(rng, 0, 2 * NS))))


def reordered_over_pauses(rng: np.random.Generator) -> PlantedWorld:
    """Events arrive up to 60 ms late, after the end of the segment in which they happened."""
    delays = rng.integers(MS, 60 * MS, 997).tolist()
    parts = stretches(5, 12, pause_ns=400 * MS)
    slow = [
        *press("KeyW", parts[0].start_ns + 100 * MS, parts[0].end_ns - 20 * MS, device="keyboard2"),
        *press("KeyA", parts[0].end_ns - 20 * MS, parts[1].start_ns + 100 * MS, device="keyboard2", bare=True),
        *press("KeyS", parts[1].start_ns + 50 * MS, parts[2].start_ns - 10 * MS, device="keyboard2", bare=True),
        *press("KeyD", parts[2].start_ns - 10 * MS, parts[4].start_ns + MS, device="keyboard2"),
    ]
    given = (*deliver(play(rng, 0, parts[-1].end_ns), delays_ns=delays), *deliver(slow, delays_ns=(60 * MS,)))
    return plain(rng, *parts, given=given)


def presses_doubled(rng: np.random.Generator) -> PlantedWorld:
    """A keyboard that bounces: each press and each release is reported twice."""
    events = keys(rng, 0, 2 * NS)
    # Less than the shortest hold, so that an echo never crosses an edge of its own key.
    twice = [event._replace(t_ns=event.t_ns + MS // 2) for event in events]
    return plain(rng, one(), given=(*deliver(events), *deliver(twice, echo=True)))


def auto_repeat(_: np.random.Generator) -> PlantedWorld:
    """A held key that the keyboard repeats 25 times a second."""
    hold = press("KeyW", 300 * MS, 1700 * MS)
    again = [hold[0]._replace(t_ns=t) for t in range(700 * MS, 1700 * MS, 40 * MS)]
    return PlantedWorld("", (one(),), (*deliver(hold), *deliver(again, echo=True)))


def stuck_key(_: np.random.Generator) -> PlantedWorld:
    """A press whose release never comes; it is down to the end, and in the next segment."""
    events = [press("KeyD", 400 * MS, 0)[0], press("KeyA", 500 * MS, 0, bare=True)[0], *press("KeyW", NS, 3 * NS)]
    return PlantedWorld("", stretches(2, 30, pause_ns=NS), deliver(events))


def release_alone(_: np.random.Generator) -> PlantedWorld:
    """A release of what was never seen going down, as when a key is held while the recording starts."""
    alone = press("Space", 0, 800 * MS)[1], press("KeyA", 0, 900 * MS, bare=True)[1]
    return PlantedWorld("", (one(),), (*deliver(press("KeyW", NS, 3 * NS // 2)), *deliver(alone, echo=True)))


def held_over_pauses(_: np.random.Generator) -> PlantedWorld:
    """Keys, a trigger and a stick that stay where they are over pauses; one that changes within a pause."""
    parts = stretches(3, 15, pause_ns=NS)
    middle = parts[0].end_ns + NS // 2
    events = [
        *press("KeyW", 200 * MS, parts[2].start_ns + 200 * MS),
        *press("KeyA", 210 * MS, parts[2].start_ns + 210 * MS, bare=True),
        *press("KeyS", 220 * MS, middle),
        *press("KeyD", middle, parts[1].start_ns + 100 * MS, bare=True),
        *press("Space", middle, middle + 100 * MS),
        Event(230 * MS, "pad0", "RIGHT_TRIGGER", "axis", 0.8),
        Event(parts[1].start_ns + 50 * MS, "pad0", "RIGHT_TRIGGER", "axis", 0.2),
        Event(240 * MS, "pad0", "J_LEFT_X", "axis", -0.6),
        Event(250 * MS, "pad0", "J_LEFT_Y", "axis", 0.5),
        Event(middle, "pad0", "J_LEFT_Y", "axis", 0.0),
    ]
    return PlantedWorld("", parts, deliver(events))


def held_over_chunks(rng: np.random.Generator) -> PlantedWorld:
    """Keys that are held for nearly all of the session, over many chunks, beside short ones."""
    events = [*press("KeyW", 150 * MS, 1900 * MS), *press("KeyA", 160 * MS, 1850 * MS, bare=True)]
    events += keys(rng, 0, 2 * NS, controls=("Space", "KeyD"))
    return PlantedWorld("", (one(),), deliver(events))


def withheld(rng: np.random.Generator) -> PlantedWorld:
    """Events that the backend does not pass on, counted by reason, in segments and in a pause."""
    parts = stretches(2, 20, pause_ns=NS)
    counts = [
        (Lost(100 * MS, "events", "not_in_layout", 3), 100 * MS),
        (Lost(300 * MS, "events", "other_window", 11), 300 * MS),
        (Lost(parts[0].end_ns + 1, "events", "paused", 7), parts[0].end_ns + 1),
        (Lost(parts[1].start_ns + MS, "events", "not_in_layout", 2), parts[1].start_ns + MS),
        (Lost(parts[1].start_ns + MS, "events", "auto_repeat", 40), parts[1].start_ns + MS),
    ]
    withheld = tuple(Given(lost, at) for lost, at in counts)
    return plain(rng, *parts, given=(*deliver(play(rng, 0, parts[1].end_ns)), *withheld))


def two_pads(rng: np.random.Generator) -> PlantedWorld:
    """Two pads with the same buttons, sticks and triggers; one of them over a pause."""
    parts = stretches(2, 25, pause_ns=NS // 2)
    first = pad(rng, 0, parts[1].end_ns)
    second = keys(rng, 0, parts[1].end_ns, device="pad1", controls=("SOUTH", "WEST"))
    second += [Event(t, "pad1", "LEFT_TRIGGER", "axis", (t // MS % 7) / 6) for t in range(0, 2 * NS, 33 * MS)]
    second += [Event(t, "pad1", "J_RIGHT_Y", "axis", -1 + t / NS) for t in range(10, 2 * NS, 50 * MS)]
    return PlantedWorld("", parts, deliver([*first, *second]))


def two_keyboards(_: np.random.Generator) -> PlantedWorld:
    """Two keyboards hold the same key; it is down while either of them holds it."""
    events = [
        *press("KeyW", 200 * MS, 900 * MS, device="keyboard"),
        *press("KeyW", 500 * MS, 1300 * MS, device="keyboard2"),
        *press("KeyW", 600 * MS, 700 * MS, device="keyboard3", bare=True),
        *press("Space", 400 * MS, 500 * MS, device="keyboard"),
        *press("Space", 500 * MS, 600 * MS, device="keyboard2"),
    ]
    return PlantedWorld("", (one(),), deliver(events))


def two_mice(rng: np.random.Generator) -> PlantedWorld:
    """Two mice move and click at once; their motion adds up."""
    events = [*mouse(rng, 0, 2 * NS), *mouse(rng, 0, 2 * NS, device="mouse2")]
    events += keys(rng, 0, 2 * NS, device="mouse", controls=("MouseLeft",))
    events += keys(rng, 0, 2 * NS, device="mouse2", controls=("MouseLeft", "MouseRight"))
    return PlantedWorld("", (one(),), deliver(events))


def taps(rng: np.random.Generator) -> PlantedWorld:
    """Taps shorter than a frame, up to five of a key in one step, one without any length."""
    events: list[Event] = []
    for number in range(3, FRAMES - 3, 4):
        control, at = KEYS[number % len(KEYS)], (number + 1) * TICK
        for _ in range(int(rng.integers(1, 6))):
            at += int(rng.integers(MS, 3 * MS))
            events += press(control, at, at := at + int(rng.integers(MS, 3 * MS)))
    at = 30 * TICK + MS
    return PlantedWorld("", (one(),), deliver([*events, *press("ShiftLeft", at, at)]))


def events_on_edges(_: np.random.Generator) -> PlantedWorld:
    """Every event falls on the very time of a frame, of the start or of the end."""
    part = one()
    times = [frame.t_ns for frame in part.frames]
    events = [*press("KeyW", times[0], times[1]), *press("KeyA", times[5], times[9])]
    events += press("KeyD", times[-1], part.end_ns)
    events += press("Space", part.end_ns, part.end_ns + 1)
    events += [Event(t, "mouse", "Mouse", "move", dx=float(k + 1), dy=-3.0) for k, t in enumerate(times)]
    events += [Event(times[0] - 1, "mouse", "Mouse", "move", dx=1000.0, dy=1000.0)]
    events += [Event(part.end_ns, "mouse", "Mouse", "move", dx=2000.0, dy=2000.0)]
    events += [Event(part.end_ns - 1, "mouse", "Mouse", "move", dx=0.5, dy=0.25)]
    return PlantedWorld("", (part,), deliver(events))


def events_before_and_after(rng: np.random.Generator) -> PlantedWorld:
    """A second of play before the first frame and after the end."""
    part = stretch(screen(20, start_ns=NS))
    return plain(rng, part, given=deliver(play(rng, 0, part.end_ns + NS)))


def motion_huge(rng: np.random.Generator) -> PlantedWorld:
    """A mouse that reports a thousand times a second with counts as 16 bits hold them."""
    return plain(rng, one(), given=deliver(mouse(rng, 0, 2 * NS, rate_hz=1000, reach=32_767)))


def motion_fractional(rng: np.random.Generator) -> PlantedWorld:
    """Motion in pixels with the 32 fractional bits of XInput2, and the pointer's place."""
    events = mouse(rng, 0, 2 * NS, fine=True)
    placed = [e._replace(x=100 + k / 8, y=50 - k / 4) if k % 3 == 0 else e for k, e in enumerate(events)]
    return replace(plain(rng, one(), given=deliver(placed)), unit="px")


def wheels(rng: np.random.Generator) -> PlantedWorld:
    """Both wheels, beside motion."""
    return plain(rng, one(), given=deliver([*wheel(rng, 0, 2 * NS), *mouse(rng, 0, 2 * NS)]))


def hotkeys(rng: np.random.Generator) -> PlantedWorld:
    """Chords of the recorder end one segment and begin the next; they count nowhere and leave no key stuck."""
    parts = stretches(2, 20, pause_ns=NS)
    stop, go = parts[0].end_ns - 1, parts[1].start_ns - MS
    chord = [
        Event(stop - 40 * MS, "keyboard", "ControlLeft", "press", 1.0),
        Event(stop, "keyboard", "KeyP", "press", 1.0, flag="hotkey"),
        Event(stop + 50 * MS, "keyboard", "KeyP", "release", 0.0, flag="hotkey"),
        Event(stop + 60 * MS, "keyboard", "ControlLeft", "release", 0.0, flag="hotkey"),
        Event(go, "keyboard", "F6", "press", 1.0, flag="hotkey"),
        Event(go + 80 * MS, "keyboard", "F6", "release", 0.0, flag="hotkey"),
    ]
    return plain(rng, *parts, given=deliver([*play(rng, 0, parts[1].end_ns), *chord]))


def everything(rng: np.random.Generator) -> PlantedWorld:
    """Drops, late and repeated frames, pauses, late and doubled events, two pads and a mouse at once."""
    drops, late, repeats = {4, 9, 10}, {6}, {12, 13}
    parts: list[Stretch] = []
    for number in range(4):
        at = parts[-1].end_ns + 200 * MS if parts else 50 * MS
        shown = screen(
            18, start_ns=at, tick=30 * number, jitter_ns=5 * MS, drops=drops, late=late, repeats=repeats, rng=rng
        )
        parts.append(stretch(shown, reason="end" if number == 3 else "pause"))  # noqa: PLR2004 - the last one
    end = parts[-1].end_ns
    doubled = keys(rng, 0, end)
    echoes = [event._replace(t_ns=event.t_ns + MS // 2) for event in doubled]
    delays = rng.integers(MS, 80 * MS, 991).tolist()
    others = [*mouse(rng, 0, end), *pad(rng, 0, end), *pad(rng, 0, end, device="pad1"), *wheel(rng, 0, end)]
    given = (*deliver(doubled), *deliver(echoes, echo=True), *deliver(others, delays_ns=delays))
    return PlantedWorld("", tuple(parts), (*given, Given(Lost(end // 2, "events", "not_in_layout", 5), end // 2)))


HANDS: tuple[Build, ...] = (
    silence,
    no_motion,
    reordered,
    reordered_far,
    device_lags,
    reordered_over_pauses,
    presses_doubled,
    auto_repeat,
    stuck_key,
    release_alone,
    held_over_pauses,
    held_over_chunks,
    withheld,
    two_pads,
    two_keyboards,
    two_mice,
    taps,
    events_on_edges,
    events_before_and_after,
    motion_huge,
    motion_fractional,
    wheels,
    hotkeys,
    everything,
)

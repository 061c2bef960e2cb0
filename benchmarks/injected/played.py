"""Sessions to spoil: recorded play in memory, with sound where it is asked for, as a good recorder leaves it.

A scenery scrolls, a hand of keyboard and mouse plays, there is a pause of a few seconds between two stretches. Frames
jitter by parts of a millisecond and one in some hundred comes a few ms late, each segment has the wall clock that
belongs to it, the ledger balances. With `sound=True` a stream of 20 ms blocks holds a quiet tune, a little noise, and a
blip 20 ms behind each press.

Example:
    >>> take = Played(seed=1, seconds=(4.0, 2.0))
    >>> [segment.frames for segment in take.segments], take.info.time_source
    ([120, 60], 'measured')
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.capture.encoding import Encoding
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.events import cut_events, events_frame
from rushes.model.ledger import Account, Ledger
from rushes.model.readings import Event, Frame, Gap, Reading, Sound, Start
from rushes.model.recording import INDEX_COLUMNS, STEP_COLUMNS, Picture, Recording
from rushes.model.session import Segment, SessionInfo, StreamSpec
from rushes.notebook.desktop_sample import plan_hand
from rushes.worlds.scenery import Scenery

Pixels = npt.NDArray[np.uint8]

KEYS = (
    *("KeyW", "KeyA", "KeyS", "KeyD", "Space", "ShiftLeft", "ControlLeft", "KeyE", "KeyQ", "KeyR", "KeyF", "KeyV"),
    *("Digit1", "Digit2", "KeyX", "KeyT", "Escape", "Tab", "KeyM"),
)
"""Keys that the game knows; a short take does not press all of them."""
WALL_NS = 1_790_000_000 * NS
"""Unix time at which every take begins."""
PAUSE_S = 3.0
SOUND_HZ, BLOCK = 48_000, 960
_JITTER_MS, _LATE_MS, _LATE = 0.3, 4.0, 1 / 300


class Played(Recording):
    """Recorded play in memory.

    Args:
        seed: Of the hand, the scenery and the times.
        seconds: Length of each segment.
        size: (height, width) in px.
        rate_hz: Frames a second.
        sound: With the stream `system`.
    """

    def __init__(
        self,
        *,
        seed: int,
        seconds: tuple[float, ...] = (11.0, 5.0),
        size: tuple[int, int] = (180, 320),
        rate_hz: float = 30.0,
        sound: bool = False,
    ) -> None:
        rng = np.random.default_rng([seed, 0xB45E])
        self.scenery, self.problems = Scenery(size, seed=seed), ()
        step, start, tables, segments, hands = NS / rate_hz, 0, [], [], []
        for number, length in enumerate(seconds):
            count = round(length * rate_hz)
            late = np.where(rng.random(count) < _LATE, rng.exponential(_LATE_MS, count), 0.0)
            jitter_ns = (np.abs(rng.normal(0, _JITTER_MS, count)) + late) * 1e6
            t_ns = np.round(start + np.arange(count) * step + jitter_ns).astype(np.int64)
            end_ns = round(start + count * step)
            tick = round(start / step)
            tables.append(pd.DataFrame({"t_ns": t_ns, "segment": number, "tick": tick + np.arange(count)}))
            begin = int(t_ns[0])
            hand = plan_hand(seed=seed * 16 + number, seconds=(end_ns - begin) / NS - 0.05)
            hands += [event._replace(t_ns=event.t_ns + begin) for event in hand]
            first = sum(s.frames for s in segments)
            reason = "stop" if number == len(seconds) - 1 else "pause"
            wall = WALL_NS + begin
            segments.append(Segment(number, begin, end_ns, first, count, reason, wall_ns=wall))
            start = end_ns + PAUSE_S * NS
        table = pd.concat(tables, ignore_index=True)
        numbers = np.arange(len(table))
        columns = {"frame_index": numbers, "picture": numbers, "duplicate": False, "late": False, "dropped_before": 0}
        self._index = table.assign(**columns)[list(INDEX_COLUMNS)]
        self._events = events_frame(hands)
        self.segments = tuple(segments)
        height, width = size
        streams = [
            StreamSpec("screen", "frames", "h264", exact=False, width=width, height=height, rate_hz=rate_hz),
            StreamSpec("events", "events", unit="counts"),
        ]
        accounts = {"frames": Account(len(table), len(table)), "events": Account(len(hands), len(hands))}
        self._blocks: list[Sound] = []
        if sound:
            streams.append(StreamSpec("system", "sound", "flac", rate_hz=float(SOUND_HZ)))
            self._blocks = list(_sound(self.segments, self._events, rng))
            heard = sum(len(block.samples) for block in self._blocks)
            accounts["system"] = Account(heard, heard)
        seen = {control for control in self._events["control"] if control not in {"Mouse", "MouseWheel"}}
        self.info = SessionInfo(
            id=f"played-{seed}",
            game="Scenery",
            source={"kind": "desktop", "name": "desktop"},
            time_source="measured",
            streams=tuple(streams),
            action_space=ActionSpace.from_names([*sorted(seen | set(KEYS)), "MouseDX", "MouseDY"]),
        )
        self.ledger = Ledger(accounts)

    def index(self, segment: int | None = None) -> pd.DataFrame:
        """See `Recording`."""
        table = self._index
        return table if segment is None else table[table["segment"] == segment].reset_index(drop=True)

    def steps(self, segment: int | None = None) -> pd.DataFrame:
        """See `Recording`; there are none."""
        del segment
        return pd.DataFrame({column: [] for column in STEP_COLUMNS})

    def events(self, segment: int | None = None) -> pd.DataFrame:
        """See `Recording`."""
        if segment is None:
            return self._events
        one = self.segments[segment]
        return cut_events(self._events, one.start_ns, one.end_ns)

    def frames(self, start: int, stop: int) -> Iterator[Pixels]:
        """See `Recording`."""
        for number in range(start, stop):
            yield self.scenery.picture(number)

    def pictures(self, start: int, stop: int) -> Iterator[Picture | None]:
        """See `Recording`."""
        return iter([None] * (stop - start))

    def sound(self, stream: str) -> Iterator[Sound]:
        """See `Recording`."""
        self.sound_stream(stream)
        return iter(self._blocks)


def _sound(segments: tuple[Segment, ...], events: pd.DataFrame, rng: np.random.Generator) -> Iterator[Sound]:
    """Make a tune with noise, and a blip for each press."""
    presses = events.loc[events["kind"] == "press", "t_ns"].to_numpy(np.int64)
    blip = np.sin(np.arange(2400) * 2 * np.pi * 900 / SOUND_HZ) * np.exp(-np.arange(2400) / 700) * 7000
    for segment in segments:
        count = int((segment.end_ns - segment.start_ns) * SOUND_HZ // NS) // BLOCK * BLOCK
        at = np.arange(count) / SOUND_HZ
        wave = rng.normal(0, 40, count)
        for note in range(int(at[-1] / 0.25) + 1):  # a note of a quarter second after the other
            part = slice(note * SOUND_HZ // 4, min(count, (note + 1) * SOUND_HZ // 4))
            swell = np.sin(np.linspace(0, np.pi, part.stop - part.start)) ** 0.5
            wave[part] += 3000 * swell * np.sin(2 * np.pi * 220 * 2 ** (rng.integers(13) / 12) * at[part])
        for press in presses[(presses >= segment.start_ns) & (presses < segment.end_ns)].tolist():
            first = (press + 20_000_000 - segment.start_ns) * SOUND_HZ // NS
            wave[first : first + len(blip)] += blip[: max(0, count - first)]
        side = wave * 0.9 + rng.normal(0, 30, count)
        samples = np.clip(np.stack([wave, side], axis=1), -30_000, 30_000).astype(np.int16)
        for first in range(0, count, BLOCK):
            t_ns = segment.start_ns + first * NS // SOUND_HZ
            yield Sound(t_ns, samples[first : first + BLOCK], SOUND_HZ, "system")


def readings(take: Recording, *, codec: str = "h264") -> Iterator[Reading]:
    """Give a recording as what a recorder met, in the order of time, with its pictures encoded.

    Args:
        take: Recorded play.
        codec: `h264`, `h265`, `lossless` or `png`.
    """
    stream = take.info.stream("frames")
    assert stream is not None
    rest: list[tuple[int, Reading]] = [(row[0], Event(*_plain(row))) for row in take.events().itertuples(index=False)]
    for name in take.sound_streams:
        rest += [(block.t_ns, block) for block in take.sound(name.name)]
    rest.sort(key=lambda one: one[0])
    with Encoding(codec, width=stream.width, height=stream.height, rate_hz=stream.rate_hz) as encoding:
        at = 0
        for segment in take.segments:
            yield Start(segment.start_ns, {}, segment.wall_ns)
            shown = take.frames(segment.first_frame, segment.stop_frame)
            for k, row in enumerate(take.index(segment.index).itertuples()):
                pixels = encoding.submit(next(shown), key=k == 0).result()
                while at < len(rest) and rest[at][0] < row.t_ns:
                    yield rest[at][1]
                    at += 1
                yield Frame(int(row.t_ns), pixels, tick=int(row.tick))
            while at < len(rest) and rest[at][0] < segment.end_ns:
                yield rest[at][1]
                at += 1
            yield Gap(segment.end_ns, segment.end_reason)


def _plain(row: tuple) -> list:
    """Turn a row of events into the values of an `Event`, None where there is no number."""
    return [None if isinstance(value, float) and np.isnan(value) else value for value in row]

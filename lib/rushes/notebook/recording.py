"""A recording as the first notebook makes it: from its parameters, in a process of its own, held against its limits.

Example (cells of a notebook):
    >>> def cells(namespace):
    ...     run = begin("01_record_session", namespace)
    ...     settings = settings_of(run)
    ...     take = record(run, settings)
    ...     return run.finish(judge(take), figures=take.figures())
    >>> _share(3, 60)
    5.0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rushes.capture.hand.settings import HandSettings
from rushes.capture.process import Recorder
from rushes.capture.settings import Settings
from rushes.errors import StoppedError
from rushes.model.clock import NS
from rushes.model.findings import Finding
from rushes.notebook.browser_play import PORT, record_play
from rushes.notebook.hand_play import hand_panel, hand_result, play_alone
from rushes.notebook.recording_settings import BROWSER, SESSION, settings_of
from rushes.notebook.run import Run
from rushes.preview.html import Html, table
from rushes.preview.places import Places
from rushes.preview.timing import lateness_ms
from rushes.store.reader import Session, open_session
from rushes.widgets.panel_look import end_words
from rushes.widgets.play_panel import PlayPanel
from rushes.widgets.record_panel import RecordPanel, record_panel
from rushes.widgets.region_picker import RegionPicker

__all__ = ["SESSION", "Take", "judge", "panel_of", "record", "segments_table", "settings_of"]

_LOOK_S: Final = 0.25
_PERCENT: Final = 100


@dataclass(frozen=True)
class Take:
    """What was recorded.

    Attributes:
        session: It.
        result: How it ended, as `Recorder.result` says it: path, reason, sentence, notes, frames.
        shown: Where it lies, as it is shown.
    """

    session: Session
    result: Mapping[str, Any]
    shown: str

    @property
    def dropped(self) -> int:
        """Ticks without a frame, inside of segments."""
        return int(self.session.index()["dropped_before"].sum())

    @property
    def late(self) -> int:
        """Frames that are flagged as late."""
        return int(self.session.index()["late"].sum())

    def figures(self) -> dict[str, Any]:
        """Give what was measured: counts, the rate, shares in per cent, how late frames were after their ticks, ms."""
        session, ledger = self.session, self.session.ledger
        screen = session.info.stream("frames")
        late_ms = [
            lateness_ms(index["t_ns"], index["tick"], rate_hz=screen.rate_hz)
            for index in (session.index(s.index) for s in session.segments)
            if screen is not None and screen.rate_hz
        ]
        every = np.concatenate(late_ms) if late_ms else np.zeros(0)
        events = ledger.get("events")
        return {
            "seconds": round(session.duration_s, 3),
            "frames": session.frame_count,
            "rate_hz": self._rate_hz(),
            "dropped_percent": _share(self.dropped, session.frame_count + self.dropped),
            "late_percent": _share(self.late, session.frame_count),
            "lateness_p50_ms": float(np.percentile(every, 50)) if len(every) else None,
            "lateness_p99_ms": float(np.percentile(every, 99)) if len(every) else None,
            "inputs": events.kept if events else 0,
            "inputs_not_kept": sum(events.lost.values()) if events else 0,
            "segments": len(session.segments),
        }

    def _rate_hz(self) -> float | None:
        spans = [
            (int(index["t_ns"].iloc[-1]) - int(index["t_ns"].iloc[0]), len(index) - 1)
            for index in (self.session.index(s.index) for s in self.session.segments)
            if len(index) > 1
        ]
        length_ns = sum(span for span, _ in spans)
        return sum(count for _, count in spans) * NS / length_ns if length_ns else None

    def _repr_html_(self) -> str:
        info = self.session.info
        screen = info.stream("frames")
        picture = f"{screen.width} x {screen.height} px, {screen.rate_hz:g} fps, {screen.codec}" if screen else "none"
        sound = ", ".join(stream.name for stream in info.streams if stream.kind == "sound") or "none"
        rows = [
            ["ended by", end_words(self.result)],
            ["session", self.shown],
            ["game", info.game],
            ["recorded", f"{self.session.duration_s:.2f} s, {self.session.frame_count:,} frames"],
            ["picture", picture],
            ["sound", sound],
            *(["note", str(sentence)] for sentence in self.result.get("notes", ())),
        ]
        return table(["", ""], rows).html

    def __repr__(self) -> str:
        return f"<Take {self.shown}: {self.session.frame_count} frames, ended by {end_words(self.result)}>"


def panel_of(settings: Settings | HandSettings, *, picker: RegionPicker | None = None) -> RecordPanel | PlayPanel:
    """Make the panel that a person records with, or plays with.

    Args:
        settings: What is recorded or played.
        picker: Gives the region of a desktop when Start is pressed.
    """
    return hand_panel(settings) if isinstance(settings, HandSettings) else record_panel(settings, picker=picker)


def record(
    run: Run,
    settings: Settings | HandSettings,
    *,
    panel: RecordPanel | PlayPanel | None = None,
    port: int = PORT,
) -> Take:
    """Record for as long as the settings say, in a process of its own; or one play; or take what a panel recorded.

    Args:
        run: The run; a bar shows how far it is.
        settings: What to record, or to play.
        panel: Takes its session instead.
        port: Where a page is served; 0 takes a free one.

    Raises:
        StoppedError: Nothing was recorded, the recording with the panel has not ended, or the recorder was killed.
        RushesError: It could not begin, or the disk failed.
    """
    if panel is not None:
        result = _of_panel(panel)
    elif isinstance(settings, HandSettings):
        result = play_alone(run, settings)
    elif settings.backend == BROWSER:
        result = record_play(settings, port=port)
    else:
        result = _by_itself(run, settings)
    if not result["frames"]:
        raise StoppedError(
            f"a recording without a frame ({end_words(result)})",
            accepts="at least one frame",
            fix="record again, and begin with Start or F8",
        )
    shown = Places(run.folder).path(result["path"])
    run.note("recording", {**{k: v for k, v in result.items() if k != "error"}, "path": shown})
    return Take(open_session(result["path"]), result, shown)


def _by_itself(run: Run, settings: Settings) -> Mapping[str, Any]:
    bar, whole = run.bar("recording, seconds"), math.ceil(settings.max_seconds)
    with Recorder(settings) as recorder:
        while not recorder.wait(_LOOK_S):
            bar(min(int(recorder.status.get("seconds", 0)), whole - 1), whole)
        result = recorder.result()
    bar(whole, whole)
    return result


def _of_panel(panel: RecordPanel | PlayPanel) -> Mapping[str, Any]:
    if panel.error is not None:
        raise panel.error
    if panel.state != "ended":
        raise StoppedError(
            f"a panel whose recording has not ended: it is {panel.state!r}",
            accepts="a session that was ended with Stop",
            fix="press Start, play, press Stop, then choose Run > Run Selected Cell and All Below",
        )
    return hand_result(panel.result) if isinstance(panel, PlayPanel) else panel.result


def segments_table(take: Take) -> Html:
    """Show the unbroken stretches of a recording, a row each."""
    session = take.session
    begin_ns = session.segments[0].start_ns
    rows = []
    for segment in session.segments:
        index, events = session.index(segment.index), session.events(segment.index)
        rows.append(
            [
                segment.index,
                f"{(segment.start_ns - begin_ns) / NS:.2f}",
                f"{segment.duration_s:.2f}",
                segment.frames,
                int(index["dropped_before"].sum()),
                int(index["late"].sum()),
                int((events["kind"] != "state").sum()),
                end_words({"reason": segment.end_reason, "sentence": ""}),
            ]
        )
    columns = ["segment", "begins at, s", "seconds", "frames", "dropped", "late", "inputs", "ended by"]
    return table(columns, rows, caption="Segments: no window of a training sample crosses their edges")


def judge(take: Take, *, most_dropped: float = 0.5, most_late: float = 1.0) -> list[Finding]:
    """Hold a recording against its limits.

    Args:
        take: It.
        most_dropped: Ticks without a frame, in per cent of all; more is an error.
        most_late: Frames that were taken late, in per cent of all; more is a warning: each is flagged.

    Returns:
        Findings `record.*`; what went on without a stream is a warning.
    """
    session, found = take.session, []
    ledger = session.ledger
    if not ledger.balances:
        unlike = ", ".join(stream for stream, account in ledger.items() if not account.balances)
        found.append(
            Finding("record.ledger", "error", f"the sums of {unlike} do not balance: record again", session.info.id)
        )
    dropped = _share(take.dropped, session.frame_count + take.dropped)
    late = _share(take.late, session.frame_count)
    if dropped > most_dropped:
        sentence = f"{take.dropped} ticks have no frame, {dropped:.2f} % of all: record fewer frames a second"
        found.append(
            Finding(
                "record.dropped", "error", sentence, session.info.id, "frames", value=dropped, limit=float(most_dropped)
            )
        )
    if late > most_late:
        sentence = f"{take.late} frames were taken late, {late:.2f} % of all; each is flagged: close other programs"
        found.append(
            Finding("record.late", "warning", sentence, session.info.id, "frames", value=late, limit=float(most_late))
        )
    found += [Finding("record.without", "warning", str(n), session.info.id) for n in take.result.get("notes", ())]
    return found


def _share(count: int, whole: int) -> float:
    return _PERCENT * count / whole if whole else 0.0

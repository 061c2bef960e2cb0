"""How the recorder's panel looks and what it says: pieces of HTML that keep their size, so that nothing jumps.

Example:
    >>> clock_words(75.5), headline("paused", 0)
    ('1:15.5', 'ready')
    >>> end_words({"reason": "max_seconds", "sentence": ""})
    'the time limit'
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from rushes.capture.settings import Settings
from rushes.preview.style import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, RED, RULE, SHADE, font

PICTURE_PX: Final = (480, 270)
"""(width, height) of the picture in the panel; another shape stands in the middle of it."""
_FACE: Final = f"font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:14px;line-height:1.5;color:{INK}"
_STYLE: Final = f"<style>.rushes-record-panel{{background:{PAPER};border:1px solid {RULE};border-radius:6px}}</style>"
COLOURS: Final = {
    "off": MUTED, "starting": MUTED, "ready": BLUE, "recording": RED, "paused": ORANGE, "ending": MUTED,
    "ended": GREEN, "failed": RED,
}  # fmt: skip
SAYS: Final = {
    "off": "Press Start.",
    "starting": "The recorder is starting.",
    "ready": "Nothing is recorded yet. Start or F8 begins, also from inside the game.",
    "recording": "Pause or F7 ends the segment; Stop ends the session.",
    "paused": "What you do now is not kept. Go on or F8 begins a new segment.",
    "ending": "The last chunk is being written.",
}
_ENDS: Final = {
    "stop": "stop", "max_seconds": "the time limit", "max_frames": "the frame limit", "idle": "a time without input",
    "low_disk": "the full disk", "window_closed": "the window, which was closed", "display_lost": "the lost display",
}  # fmt: skip
_NONE: Final = "\N{EN DASH}"


def end_words(result: Mapping[str, Any]) -> str:
    """Say by what a recording was ended.

    Args:
        result: As `Recorder.result` gives it.
    """
    return str(result["sentence"] or _ENDS.get(result["reason"], result["reason"]))


def headline(state: str, frames: int) -> str:
    """Name the state for a person: a recorder that is paused before its first frame is `ready`.

    Args:
        state: Of the recorder's status.
        frames: Recorded until now.
    """
    if state == "ended":
        return "ending"
    return "ready" if state == "paused" and not frames else state


def clock_words(seconds: float) -> str:
    """Say a time as minutes, seconds and tenths."""
    tenths = int(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def head(state: str, seconds: float, settings: Settings) -> str:
    """Draw the line at the top: state, recorded time, what is recorded.

    Args:
        state: One of `COLOURS`.
        seconds: Recorded until now.
        settings: What is recorded.
    """
    colour = COLOURS[state]
    return (
        _STYLE + f'<div style="{_FACE};display:flex;align-items:center;gap:12px;height:36px">'
        f'<span style="width:14px;height:14px;border-radius:7px;background:{colour};flex:none"></span>'
        f'<b class="rushes-state" style="font-size:18px;color:{colour};width:110px">{state}</b>'
        f'<span style="font-size:18px;font-variant-numeric:tabular-nums;width:90px">{clock_words(seconds)}</span>'
        f'<span style="color:{MUTED};white-space:nowrap;overflow:hidden;text-overflow:ellipsis">'
        f"{escape(_subject(settings))}</span>"
        "</div>"
    )


def _subject(settings: Settings) -> str:
    what = settings.window or settings.process_name or settings.backend
    keys = "no keys" if settings.no_keys else "keys anywhere" if settings.keys_anywhere else ""
    called = [settings.game] if what.casefold() == settings.game.casefold() else [settings.game, what]
    return ", ".join(part for part in (*called, f"{settings.fps:g} fps", settings.codec, keys) if part)


def numbers(status: Mapping[str, Any]) -> str:
    """Draw the counters.

    Args:
        status: Of the recorder; dashes stand where it has said nothing yet.
    """
    known = "frames" in status

    def said(name: str, pattern: str = "{:,}") -> str:
        return pattern.format(status[name]) if known else _NONE

    rows = [
        ("rate", said("rate_hz", "{:.1f} fps") if status.get("rate_hz") else _NONE, ""),
        ("frames", said("frames"), ""),
        ("dropped", said("dropped"), RED if known and status["dropped"] else ""),
        ("late", said("late"), ORANGE if known and status["late"] else ""),
        ("repeated pictures", said("duplicates"), ""),
        ("inputs kept", said("events"), ""),
        ("inputs not kept", said("discarded"), ""),
        ("segments", said("segments"), ""),
        ("waiting for the encoder", said("backlog"), ""),
        (
            "free on the disk",
            f"{status['free_bytes'] / 1e9:.1f} GB" if known and status["free_bytes"] else "\N{EN DASH}",
            "",
        ),
    ]
    lines = "".join(
        f'<tr><td style="color:{MUTED};padding:1px 0;text-align:left">{name}</td>'
        f'<td style="padding:1px 0;text-align:right;font-variant-numeric:tabular-nums;color:{colour or INK};'
        f'font-weight:{600 if colour else 400}">{value}</td></tr>'
        for name, value, colour in rows
    )
    return f'<table style="{_FACE};width:100%;border-collapse:collapse;border:0;margin:0">{lines}</table>'


def box(text: str, colour: str) -> str:
    """Say something below the panel.

    Args:
        text: Sentences.
        colour: Of the bar at the left.
    """
    return (
        f'<div style="{_FACE};border-left:4px solid {colour};background:{SHADE};padding:6px 12px;'
        f'overflow-wrap:anywhere">{escape(text)}</div>'
    )


def blank(text: str) -> bytes:
    """Draw a grey picture that says why there is none.

    Args:
        text: A few words.

    Returns:
        A JPEG file of `PICTURE_PX`.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", PICTURE_PX, SHADE)
    middle = (PICTURE_PX[0] / 2, PICTURE_PX[1] / 2)
    ImageDraw.Draw(image).text(middle, text, MUTED, font(16), anchor="mm")
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=90)
    return file.getvalue()

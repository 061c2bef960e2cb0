"""Small pieces of HTML for notebooks: tables of ledgers, findings and episodes, pictures, and films that play offline.

Each is an object that a notebook shows as HTML and a terminal as text; put it last in a cell. A film is embedded in
the page, so that a report which is one file holds everything.

Example:
    >>> table(["game", "frames"], [["Alien", 100]])
    game   frames
    Alien  100
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import MissingError
from rushes.model.findings import Finding, Problem
from rushes.model.ledger import Ledger
from rushes.model.recording import Episode, Recording
from rushes.preview.choose import episodes_of
from rushes.preview.notes import end_word, episode_number
from rushes.preview.style import GREEN, INK, MUTED, ORANGE, RED, RULE, SHADE, WIDTH_PX
from rushes.store.images import encode_rgb, size
from rushes.store.video import probe

SEVERITY: Final[Mapping[str, str]] = {
    "info": MUTED, "warning": ORANGE, "error": RED, "PASS": GREEN, "WARN": ORANGE, "FAIL": RED,
}  # fmt: skip
"""Colours of severities and verdicts."""
_SHORT: Final = 24  # letters of a cell that is never broken into lines
_NARROWEST: Final = "min-width:18ch;"  # of a column that may be broken
_HOW: Final = ("policy", "randomness", "frameskip", "sticky")
MOST_ROWS: Final = 60
LARGEST_MB: Final = 24.0
_FACE: Final = "font-family:system-ui,'Segoe UI','DejaVu Sans',sans-serif;font-size:14px;line-height:1.45"
_CELL: Final = f"padding:5px 11px 5px 0;border-bottom:1px solid {RULE};vertical-align:top;text-align:"


@dataclass(frozen=True)
class Html:
    """Something to look at.

    Attributes:
        html: What a notebook shows.
        text: What a terminal shows.
    """

    html: str
    text: str = ""

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Shown:
    """A picture to look at.

    Attributes:
        png: The file.
        width_px: Width on the page, CSS pixels.
        text: What a terminal shows.
        alt: What it shows, in words.
    """

    png: bytes
    width_px: int
    text: str
    alt: str

    def _repr_png_(self) -> tuple[bytes, dict[str, int | str]]:
        return self.png, {"width": self.width_px, "alt": self.alt}

    def __repr__(self) -> str:
        return self.text


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str = "",
    most: int = MOST_ROWS,
    colours: bool = False,
) -> Html:
    """Make a plain table.

    Args:
        columns: Heads.
        rows: Cells; numbers stand at the right, everything is escaped.
        caption: Stands above.
        most: Rows at the most; the last line says how many are not shown.
        colours: Paint cells that are a severity or a verdict.
    """
    every = [list(row) for row in rows]
    short = [all(len(_said(row[k])) <= _SHORT for row in every[:most]) for k in range(len(columns))]
    shown, left = every[:most], len(every) - most
    widths = ["white-space:nowrap;" if s else _width(row[k] for row in shown) for k, s in enumerate(short)]
    right = [bool(shown) and all(_is_number(row[k]) or row[k] is None for row in shown) for k in range(len(columns))]
    head = "".join(
        f'<th style="{_CELL}{"right" if r else "left"};color:{MUTED};font-weight:600">{escape(c)}</th>'
        for c, r in zip(columns, right, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL}{"right" if r else "left"};{w}'
            f'{_paint(cell) if colours else ""}">'
            f"{escape(_said(cell))}</td>"
            for cell, r, w in zip(row, right, widths, strict=True)
        )
        + "</tr>"
        for row in shown
    )
    thead = f"<thead><tr>{head}</tr></thead>" if any(columns) else ""
    more = f"{left:,} more" if left > 0 else ""
    html = (
        f'<div style="{_FACE};color:{INK};overflow-x:auto">'
        + (f'<div style="font-weight:600;margin:2px 0 4px">{escape(caption)}</div>' if caption else "")
        + f'<table style="border-collapse:collapse;border:0;margin:0;{_FACE}">{thead}<tbody>{body}</tbody></table>'
        + (f'<div style="color:{MUTED};margin-top:4px">{more}</div>' if more else "")
        + "</div>"
    )
    return Html(html, _as_text(caption, columns, shown, more))


def ledger_table(ledger: Ledger, *, caption: str = "Ledger: what came in, what is there, what was lost") -> Html:
    """Show a ledger, a row a stream."""
    rows = [
        [stream, a.offered, a.kept, _counts(a.lost), _counts(a.marked), "yes" if a.balances else "NO"]
        for stream, a in ledger.items()
    ]
    return table(["stream", "offered", "kept", "lost", "marked", "balances"], rows, caption=caption)


def findings_table(findings: Iterable[Finding], *, caption: str = "Findings") -> Html:
    """Show findings, errors first; a sentence where there is none."""
    order = {"error": 0, "warning": 1, "info": 2}
    every = sorted(findings, key=lambda f: order[f.severity])
    if not every:
        return note("No findings: every check passed.")
    placed = any(f.frame_index is not None for f in every)
    columns = ["severity", "check", "session", *(["frame"] if placed else []), "what was found"]
    rows = [[f.severity, f.check, f.session, *([f.frame_index] if placed else []), f.sentence] for f in every]
    return table(columns, rows, caption=caption, colours=True)


def problems_table(problems: Iterable[Problem], *, caption: str = "Problems that reading worked around") -> Html:
    """Show what reading a foreign file had to work around."""
    rows = [[p.kind, p.count, p.sentence, p.where] for p in problems]
    if not rows:
        return note("No problems: everything was read as it stands.")
    return table(["kind", "count", "what it means", "where"], rows, caption=caption)


def episodes_table(source: Recording | Episode | Iterable[Recording | Episode], *, caption: str = "Episodes") -> Html:
    """Show the episodes of recordings, a row each; what is the same for all of them stands in the caption."""
    episodes = episodes_of(source)
    constant = [_one_for_all(name, [e.segment.attrs.get(name) for e in episodes]) for name in _HOW]
    rates = {f"{_steps_hz(e):.3g}" for e in episodes if e.recording.is_environment and e.segment.duration_s}
    said = [words for words in constant if words]
    if len(rates) == 1 and all(e.recording.is_environment for e in episodes):
        said.append(f"{rates.pop()} decisions a second")
    varying = [
        name
        for name, words in zip(_HOW, constant, strict=True)
        if not words and any(e.segment.attrs.get(name) is not None for e in episodes)
    ]
    scored, seeded = (
        any(e.recording.is_environment for e in episodes),
        any(e.segment.attrs.get("seed") is not None for e in episodes),
    )
    columns = ["game", "episode", "frames", "seconds", *(["score"] if scored else []), *varying]
    ends = {end_word(e.segment.end_reason) for e in episodes}
    alike = len(ends) == 1 < len(episodes)
    said += [f"all ended by {ends.pop()}"] if alike else []
    columns += [*(["seed"] if seeded else []), *([] if alike else ["ended by"])]
    rows = []
    for e in episodes:
        attrs = e.segment.attrs
        row = [e.recording.info.game, episode_number(e.segment), e.segment.frames, f"{e.segment.duration_s:.1f}"]
        row += [e.score if e.recording.is_environment else None] if scored else []
        row += [attrs.get(name) for name in varying]
        row += [None if attrs.get("seed") is None else str(attrs["seed"])] if seeded else []
        rows.append([*row, *([] if alike else [end_word(e.segment.end_reason)])])
    return table(columns, rows, caption=caption + (f": {', '.join(said)}" if said else ""))


def _one_for_all(name: str, values: Sequence[Any]) -> str:
    if not values or values[0] is None or any(value != values[0] for value in values):
        return ""
    if name == "sticky" and not values[0]:
        return "no sticky actions"
    return f"{name} {_said(values[0])}"


def _steps_hz(episode: Episode) -> float:
    return (episode.segment.frames - 1) / episode.segment.duration_s


def note(text: str, *, colour: str = MUTED) -> Html:
    """Say a sentence."""
    return Html(f'<div style="{_FACE};color:{colour}">{escape(text)}</div>', text)


def picture(source: str | Path | npt.NDArray[np.uint8], *, width_px: int = WIDTH_PX, alt: str = "") -> Shown:
    """Show a picture, no wider than the page.

    Args:
        source: A PNG file, or (H, W, 3) uint8 RGB.
        width_px: Widest, CSS pixels.
        alt: What it shows, for somebody who does not see it; by default the file's name.

    Raises:
        MissingError: No such file.
    """
    if isinstance(source, np.ndarray):
        png = encode_rgb(source)
    else:
        _must_be_there(Path(source))
        png = Path(source).read_bytes()
    height, width = size(png)
    named = alt or ("" if isinstance(source, np.ndarray) else Path(source).stem.replace("_", " "))
    return Shown(png, min(width, width_px), f"<picture, {width} x {height} px>", named or "picture")


def video(path: str | Path, *, largest_mb: float = LARGEST_MB, width_px: int = WIDTH_PX) -> Html:
    """Embed a film, so that it plays in the page without any other file.

    Args:
        path: An mp4 file.
        largest_mb: A larger file is not embedded; the page then says where it lies.
        width_px: Widest, CSS pixels.

    Raises:
        MissingError: No such file.
        BadDataError: No video.
    """
    file = Path(path)
    _must_be_there(file)
    info = probe(file)
    mb = info.size_bytes / 1e6
    says = f"{file.name}: {info.duration_s:.1f} s, {info.width} x {info.height} px, {mb:.1f} MB"
    if mb > largest_mb:
        return Html(
            f'<div style="{_FACE};color:{INK};background:{SHADE};padding:10px 14px;border-left:3px solid {ORANGE}">'
            f"The film is too large to stand in this page (limit {largest_mb:g} MB). It lies beside it: "
            f'<a href="{escape(file.name)}">{escape(says)}</a></div>',
            f"{says}, too large to embed",
        )
    data = base64.b64encode(file.read_bytes()).decode()
    wide = min(info.width, width_px)
    return Html(
        f'<video controls muted loop preload="auto" width="{wide}" '
        f'style="max-width:100%;display:block;background:#000" '
        f'src="data:video/mp4;base64,{data}"></video>'
        f'<div style="{_FACE};color:{MUTED};margin-top:4px">{escape(says)}</div>',
        says,
    )


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        raise MissingError(
            f"{path}: no such file", accepts="a file that was written before", fix="run the cell that writes it"
        )


def rounded(value: Any) -> Any:
    """Give a measured number with the digits that somebody reads, anything else as it is.

    Args:
        value: A figure.
    """
    if not isinstance(value, float | np.floating):
        return value
    number = float(value)
    return f"{number:.1f}".removesuffix(".0") if abs(number) >= 10 else f"{number:.3g}"  # noqa: PLR2004 - two digits before the point


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.replace(".", "", 1).removeprefix("-").isdigit()
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _said(value: Any) -> str:
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value}" if abs(int(value)) < 10_000 else f"{value:,}"  # noqa: PLR2004 - the usual place for a comma
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _width(cells: Iterable[Any]) -> str:
    """Say how narrow a column may become: words that are too long for it, such as ids, are broken."""
    longest = max((len(word) for cell in cells for word in _said(cell).split()), default=0)
    return _NARROWEST + ("overflow-wrap:anywhere;" if longest > _SHORT else "")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "\N{EN DASH}"


def _paint(cell: Any) -> str:
    colour = SEVERITY.get(cell) if isinstance(cell, str) else None
    return f"color:{colour};font-weight:600" if colour else ""


def _as_text(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], more: str) -> str:
    cells = [list(columns), *([_said(c) for c in row] for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(columns))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([*([caption] if caption else []), *lines, *([more] if more else [])])

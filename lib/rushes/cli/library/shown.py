"""What the steps of `rushes library` show: sessions as a table for people, and as JSON.

Example:
    >>> table([["name", "frames"], ["take", "31"], ["take-2", "3100"]], right={1})
    ['name    frames', 'take        31', 'take-2    3100']
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from rushes.cli import show

if TYPE_CHECKING:  # they load pandas, and every command line would wait for it
    from rushes.store.library import Library
    from rushes.store.library_item import Item

Root = Annotated[
    str, typer.Argument(metavar="LIBRARY", help="a folder with sessions in it, or with a folder sessions/")
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
HEAD: Final = ("name", "game", "started UTC", "length", "frames", "Hz", "lost", "picture", "MB", "inputs", "sound")
_RIGHT: Final = frozenset({3, 4, 5, 6, 8})
_NOTHING: Final = "-"
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


@contextmanager
def reading() -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar from the first session that has to be worked on; none where there is nothing to do."""
    shown: list[show.Bar] = []

    def move(done: int, total: int, what: str) -> None:
        if not shown:
            shown.append(show.Bar("session"))
        shown[0](done, total, what)

    try:
        yield move
    finally:
        for bar in shown:
            bar.close()


def plain(library: Library, items: Sequence[Item]) -> dict[str, Any]:
    """Return what `list --json`, `find --json` and `rebuild --json` print."""
    looked = library.looked
    return {
        "library": str(library.root),
        "sessions": [item.to_json() for item in items],
        "new": looked.new,
        "changed": looked.changed,
        "gone": looked.gone,
        "remarks": list(library.remarks),
    }


def say_items(library: Library, items: Sequence[Item], *, of: int | None = None) -> None:
    """Print sessions as a table, and below it those with a problem and what the look at the folders found.

    Args:
        library: Theirs.
        items: What to show.
        of: How many there are, where these are a choice.
    """
    good = [item for item in items if not item.problem]
    games = {item.game for item in good}
    size = sum(item.size_bytes for item in items)
    chosen = many(len(items), "session") if of is None else f"{len(items)} of {many(of, 'session')}"
    lasts = length(sum(item.duration_s for item in good))
    show.say(f"{library.root}: {chosen} of {many(len(games), 'game')}, {lasts}, {size / 1e6:.1f} MB")
    if good:
        extra = [name for name in ("verdict", "tags", "checked") if any(getattr(item, name) for item in good)]
        rows = [[*HEAD, *extra], *([*_cells(item), *(_word(getattr(item, e)) for e in extra)] for item in good)]
        for line in table(rows, right=_RIGHT):
            show.say(f"  {line}")
    for item in items:
        if item.problem:
            show.say(f"  left out: {item.problem}")
        elif item.unfinished:
            show.say(f"  unfinished: {item.place}: it is being recorded, or `rushes recover {item.path}` mends it")
    say_looked(library)


def say_looked(library: Library) -> None:
    """Print what the last look at the folders found, where it found anything."""
    looked = library.looked
    parts = [f"{n} {what}" for what in ("new", "changed", "gone") if (n := getattr(looked, what))]
    if parts:
        show.say(f"  since the last look: {', '.join(parts)}")
    for remark in library.remarks:
        show.note(f"rushes: {remark}")


def table(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> list[str]:
    """Lay cells out in columns.

    Args:
        rows: Cells, a line each.
        right: Columns that are flush right.

    Returns:
        Lines without blanks at their ends.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def many(count: int, what: str) -> str:
    """Write a number of things: `1 session`, `2 sessions`."""
    return f"{count} {what}{'s' * (count != 1)}"


def length(seconds: float) -> str:
    """Write a length of time: `8.0 s`, `2:05 min`, `1:02:05 h`."""
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, _MINUTE_S)
    if whole < _HOUR_S:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // _MINUTE_S}:{minutes % _MINUTE_S:02d}:{rest:02d} h"


def _cells(item: Item) -> list[str]:
    return [
        item.path.name,
        item.game,
        item.started.replace("T", " ")[:16] or _NOTHING,
        length(item.duration_s),
        str(item.frames),
        f"{item.rate_hz:.2f}",
        str(item.dropped),
        f"{item.width}x{item.height} {item.codec}".strip(),
        f"{item.size_bytes / 1e6:.1f}",
        " ".join(f"{device}:{count}" for device, count in item.inputs.items()) or _NOTHING,
        _word(item.sounds),
    ]


def _word(value: str | tuple[str, ...]) -> str:
    return (value if isinstance(value, str) else ",".join(value)) or _NOTHING

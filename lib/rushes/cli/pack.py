"""`rushes pack`: a training cache, made, listed, checked and removed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli import show

if TYPE_CHECKING:  # they load pandas, and every command line would wait for it
    from rushes.loaders.pack import Plan
    from rushes.loaders.packed import Pack

_USUAL = "224"
_ROOT = "the folder that holds `packs`; left out, the library, or the folder that the sessions lie in"


def pack(
    source: Annotated[Path, typer.Argument(help="a library, a folder of sessions, a session, or a film that is read")],
    size: Annotated[str, typer.Option("--size", help=f"pixels a side, or HEIGHTxWIDTH; {_USUAL} if left out")] = "",
    game: Annotated[list[str] | None, typer.Option("--game", help="only this game; may be given several times")] = None,
    root: Annotated[Path | None, typer.Option("--root", help=_ROOT)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what it would take, and leave")] = False,
    list_them: Annotated[bool, typer.Option("--list", help="list the packs that are there, and leave")] = False,
    check: Annotated[bool, typer.Option("--check", help="the same, and read every byte of them")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="remove packs, with --size and --game only those")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Make a training cache: every frame at the size that a model reads; loaders use it where it is there."""
    from rushes.errors import MissingError
    from rushes.loaders.packed import place_of

    if not source.exists():
        raise MissingError(f"{source}: nothing is there", accepts="a file or a folder", fix="check the path")
    if remove and (list_them or check or dry_run):
        raise typer.BadParameter("--remove goes with --size, --game and --root alone")
    pair = _pair(size) if size or not remove else None
    place = root or place_of(source)
    if remove:
        _remove(place, game, pair, as_json=as_json)
    elif list_them or check:
        _list(place, check=check, as_json=as_json)
    else:
        _make(source, pair or _pair(""), game, root, dry_run=dry_run, as_json=as_json)


def _pair(size: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?:x(\d+))?", size or _USUAL)
    if found is None:
        raise typer.BadParameter(f"--size {size}: give pixels a side, or HEIGHTxWIDTH, such as 224 or 180x320")
    return int(found[1]), int(found[2] or found[1])


def _make(
    source: Path, pair: tuple[int, int], game: list[str] | None, root: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    from rushes.loaders import pack as packing
    from rushes.loaders.packed import PACKS

    planned = packing.plan(source, pair, game=game or None, root=root)
    if not as_json:
        _say_plan(planned)
    made: tuple[Pack, ...] = ()
    if not dry_run:
        with show.bar("frame") as shown:
            made = packing.pack(planned, progress=shown)
    new = [one for one in planned.each if one.is_to_do]
    if as_json:
        show.emit({
            "root": str(planned.root),
            "size": list(planned.size),
            "bytes_needed": planned.bytes,
            "packed": 0 if dry_run else len(new),
            "there_already": sum(one.there is not None for one in planned.each),
            "refused": list(planned.refused),
            "packs": [one.to_json() for one in made],
        })  # fmt: skip
    elif not dry_run:
        whole = sum(one.bytes for one in made)
        show.say(f"{planned.root / PACKS}: {_packs(len(made))}, {_amount(whole)}; {len(new)} new")


def _say_plan(planned: Plan) -> None:
    new = [one for one in planned.each if one.is_to_do]
    there = sum(one.there is not None for one in planned.each)
    height, width = planned.size
    show.say(
        f"{len(new)} recordings to pack, {sum(one.frames for one in new)} frames of {width} x {height}: "
        f"{_amount(planned.bytes)}, {_amount(planned.free)} are free"
    )
    if there:
        show.say(f"  {there} there already")
    for name in planned.refused:
        show.say(
            f"  {name}: neither a session nor a film, so it could not be told later whether it changed: convert it"
        )


def _list(place: Path, *, check: bool, as_json: bool) -> None:
    from rushes.loaders.pack import packs_in

    whole, broken = packs_in(place)
    bad = [one for one in whole if check and not one.is_whole()]
    broken += [one.path for one in bad]
    whole = [one for one in whole if one not in bad]
    if as_json:
        show.emit({
            "root": str(place), "packs": [one.to_json() for one in whole], "broken": [str(path) for path in broken],
        })  # fmt: skip
        return
    for one in whole:
        show.say(f"{one.path.name}  {one.size[1]} x {one.size[0]}  {one.frames:8d} frames  {_amount(one.bytes):>8s}  "
                 f"{one.game}  {one.recording}")  # fmt: skip
    for path in broken:
        show.say(f"{path.name}  damaged or never finished; `rushes pack` makes it anew")
    show.say(f"{place}: {_packs(len(whole))}, {_amount(sum(one.bytes for one in whole))}")


def _remove(place: Path, game: list[str] | None, pair: tuple[int, int] | None, *, as_json: bool) -> None:
    from rushes.loaders.pack import remove_packs

    count, freed = remove_packs(place, game=game or None, size=pair)
    if as_json:
        show.emit({"root": str(place), "removed": count, "bytes": freed})
        return
    show.say(f"{place}: {_packs(count)} removed, {_amount(freed)} are free again")


def _packs(count: int) -> str:
    return f"{count} pack" + "s" * (count != 1)


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"  # noqa: PLR2004 - a gigabyte

"""Which sets lie at a path: a folder of files, a folder of such folders, a ZIP file of either, or one file of a set.

Example:
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for ending in ("_data.jsonl", "_metadata.json", "_frame_000000.png"):
    ...     _ = (folder / f"reacture_17{ending}").write_text("")
    >>> [(one.id, one.pngs) for one in find_sets(folder)]
    [('reacture_17', {0: 'reacture_17_frame_000000.png'})]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rushes.errors import BadDataError
from rushes.formats.reacture import names
from rushes.formats.reacture.place import Place, zip_members

_ZIP: Final = ".zip"
_ENDINGS: Final = (names.DATA, names.METADATA)


@dataclass(frozen=True)
class Found:
    """A set and its files.

    Attributes:
        id: What its files' names begin with.
        place: Where they lie.
        sizes: File -> bytes, of the whole place.
        pngs: Number -> file of a picture.
        split: Number -> file of an array under `frames/`.
        alone: Whether no other set lies there.
    """

    id: str
    place: Place
    sizes: Mapping[str, int]
    pngs: Mapping[int, str]
    split: Mapping[int, str]
    alone: bool

    def file(self, ending: str) -> str | None:
        """Give the name of a file by its ending; None where it is not there."""
        name = self.id + ending
        return name if name in self.sizes else None


def find_sets(path: Path) -> list[Found]:
    """Find the sets at a path.

    Args:
        path: A folder, a ZIP file, or a set's metadata or data file.

    Raises:
        BadDataError: A ZIP file of sets that is cut or damaged.
    """
    if path.is_file() and path.suffix.lower() != _ZIP:
        ending = next((e for e in _ENDINGS if path.name.endswith(e)), None)
        wanted = path.name.removesuffix(ending) if ending else ""
        return [one for one in _sets(Place(path.parent)) if one.id == wanted]
    return [one for place in _places(path) for one in _sets(place)]


def holds_sets(path: Path) -> bool:
    """Say whether a set lies at a path; cheap.

    Raises:
        BadDataError: A `.zip` that begins as one, and is cut or damaged.
    """
    if path.is_file():
        if path.suffix.lower() != _ZIP:
            return any(path.name.endswith(e) and _known(path.parent, path.name.removesuffix(e)) for e in _ENDINGS)
        try:
            return any(_is_data(name.rpartition("/")[2]) for name in zip_members(path))
        except BadDataError:
            if _begins_as_zip(path):
                raise
            return False
    return path.is_dir() and any(_has_data(place) for place in _places(path))


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _is_data(name: str) -> bool:
    return name.startswith(names.PREFIX) and name.endswith(names.DATA)


def _known(folder: Path, stem: str) -> bool:
    """Say whether files of this name are a set's: by the name, or by both files being there."""
    data = (folder / f"{stem}{names.DATA}").is_file()
    return data and (stem.startswith(names.PREFIX) or (folder / f"{stem}{names.METADATA}").is_file())


def _has_data(place: Place) -> bool:
    if place.zipped:
        return any(_is_data(name) for name in place.sizes())
    return any(_known(place.path, p.name.removesuffix(names.DATA)) for p in place.path.glob(f"*{names.DATA}"))


def _places(path: Path) -> Iterator[Place]:
    """Give the folders in which sets may lie: the path itself, and those in it."""
    if path.is_file():
        inner = {name.rpartition("/")[0] for name in zip_members(path) if _is_data(name.rpartition("/")[2])}
        yield from (Place(path, f"{one}/" if one else "", zipped=True) for one in sorted(inner))
        return
    yield Place(path)
    for child in sorted(path.iterdir()):
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            yield Place(child)


def _sets(place: Place) -> Iterator[Found]:
    sizes = place.sizes()
    data = [name.removesuffix(names.DATA) for name in sizes if name.endswith(names.DATA) and "/" not in name]
    ids = [one for one in data if one.startswith(names.PREFIX) or one + names.METADATA in sizes]
    split = {int(match[1]): name for name in sizes if (match := names.SPLIT.fullmatch(name))}
    for one in ids:
        pngs: dict[int, str] = {}
        for name in sizes:
            number = names.png_number(name[len(one) :]) if name.startswith(one) else None
            if number is not None:
                pngs.setdefault(number, name)
        yield Found(one, place, sizes, pngs, split if len(ids) == 1 else {}, len(ids) == 1)


def is_zip(path: Path) -> bool:
    """Say whether a target shall be one ZIP file."""
    return path.suffix.lower() == _ZIP

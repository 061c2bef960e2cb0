r"""Where the files of a recording lie: paths that were written on another machine, found beside the database.

The original stores paths as its own machine had them: relative to the folder that it was started in, with backslashes
on Windows, absolute where its settings are. A file is looked for by the last two parts of its path in `sessions/`
beside the database, then by the path as it is from the database's folder and from the one above. The ending may be
another one (`video.avi` in the table, `video.mp4` in the folder). A path that leads out of these folders is not
followed, unless the reader says so: somebody else's database does not choose which of your files is opened.

Example:
    >>> Places(Path("data/gameon.db")).candidates(r"data\sessions\Doom_1\video.avi")[0].as_posix()
    'data/sessions/Doom_1/video.avi'
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

SESSIONS: Final = "sessions"
VIDEO_ENDINGS: Final = (".mp4", ".avi", ".mkv", ".mov")
SOUND_ENDINGS: Final = (".wav",)


@dataclass(frozen=True)
class Places:
    """Finds the files that a database names.

    Attributes:
        database: Its path.
        outside: Whether paths that lead out of its folders are followed.
    """

    database: Path
    outside: bool = False

    def candidates(self, stored: str) -> list[Path]:
        """Say where a file may lie, nearest first.

        Args:
            stored: A path as the database has it.
        """
        windows = "\\" in stored or PureWindowsPath(stored).drive
        given = PurePosixPath(PureWindowsPath(stored).as_posix() if windows else stored)
        is_absolute = given.is_absolute() or bool(windows and PureWindowsPath(stored).is_absolute())
        here = self.database.parent
        tail = given.parts[-2:]
        found = [here / SESSIONS / Path(*tail)] if tail else []
        if not is_absolute:
            found += [here / given, here.parent / given]
        if self.outside:
            found.append(Path(stored) if is_absolute and not windows else Path(given))
        return list(dict.fromkeys(found))

    def find(self, stored: Any, endings: tuple[str, ...]) -> Path | None:
        """Find a file.

        Args:
            stored: A path as the database has it.
            endings: Endings that it may have instead.

        Returns:
            Its path; None where there is none that may be opened.
        """
        if not isinstance(stored, str) or not stored.strip("\\/ .") or "\0" in stored:
            return None
        for place in self._with_endings(stored, endings):
            try:
                if place.is_file() and (self.outside or self._is_inside(place)):
                    return place
            except OSError:  # a name that is too long
                continue
        return None

    def _with_endings(self, stored: str, endings: tuple[str, ...]) -> Iterator[Path]:
        places = self.candidates(stored)
        yield from places
        for place in places:
            if place.name:
                yield from (place.with_suffix(ending) for ending in endings if ending != place.suffix.lower())

    def _is_inside(self, place: Path) -> bool:
        """Say whether a file lies below the database's folder, or the one above where that is `data/`."""
        here = self.database.resolve().parent
        root = here.parent if here.name == "data" else here
        return root in place.resolve().parents

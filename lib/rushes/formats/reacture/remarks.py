"""What reading a set had to work around, each thing once with its count.

Example:
    >>> notes = Notes("reacture_17")
    >>> notes.add("damaged_line", 2, "line 7")
    >>> [(p.kind, p.where, p.count) for p in notes.problems()]
    [('damaged_line', 'reacture_17: line 7', 2)]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rushes.model.findings import Problem

SENTENCES: Final[Mapping[str, str]] = {
    "missing_metadata": "there is no metadata file: player, environment and game result are not known",
    "damaged_metadata": "the metadata file cannot be read, or not all of it; what it says is not used",
    "damaged_description": "what this program wrote of itself into the metadata is not whole; the set is read as one "
    "of the game",
    "cut_line": "the last line is cut in the middle; it is left out",
    "damaged_line": "lines that are no JSON object of a row; they are left out",
    "bad_value": "values that are no finite number, no text and no truth value; they are left out",
    "rows_without_frame": "rows of the game that belong to no picture stand between those of pictures: row i is not "
    "frame i, and frames are joined by the number in visual_frame_path",
    "paired_by_time": "frames whose number no row says, or an earlier row said; each is joined with the nearest row in "
    "time",
    "paired_by_order": "frames without numbers and times, as many as there are rows; they are joined in order",
    "frame_without_row": "pictures of which no row speaks; they are left out",
    "row_without_picture": "rows of frames whose picture is not there; the frame is left out, its telemetry is kept",
    "missing_pictures": "no pictures at all; times, keys and telemetry can be read",
    "not_pictures": "arrays under frames/ that are no pictures: uint8 of (height, width, 3) is one; they are left out",
    "truncated_png": "pictures that are cut or no PNG; they are left out",
    "other_size": "pictures of another size than the first; they are left out",
    "damaged_head": "a head that NumPy refuses: its first byte was written as UTF-8 (C2 93 for 93), or it says `false` "
    "for `False`; it is read for what was meant, the file is not changed",
    "cut_array": "an array that says it has more than the file holds; what is there is read",
    "damaged_array": "an array that cannot be read; it is left out",
    "cut_frames_json": "the file of encoded pictures is cut, or some cannot be read; what is whole is read",
    "upside_down": "the game stores pictures bottom-up and nothing in the set says otherwise; read it with the option "
    "bottom_up=true to turn them",
    "regenerated_times": "times that are frame number x 100 ms exactly, or none: no clock gives such; they are nominal",
    "time_not_rising": "rows whose time does not rise; they are left out",
    "missing_time": "rows of frames without a time among rows that have one; they are left out",
    "missing_keys": "rows of frames that do not say which keys are down; they are left out",
    "no_keys": "no row says which keys are down: what was done is not known",
    "never_updated": "columns of keys that are the same in every row, as the game never updates them: whether these "
    "were used is not known, and the action space leaves them out",
    "mode_as_key": "column E repeats the mode `inspect`, and is not the key",
    "counts_differ": "the metadata counts other rows or frames than there are",
    "auto_repeat": "actions `_start` of what had started already, as the keyboard repeats them; they are left out",
    "missing_events": "the file of events is not there or not whole: keys and motion are those of the rows",
    "altered_file": "files that are not as long as this program wrote them; they are read as they are",
    "two_sets": "pictures under frames/ belong to one of several sets; they are left out",
    "unreadable_set": "nothing of it can be read",
}
_LONGEST: Final = 120


class Notes:
    """Collects problems.

    Args:
        where: The set.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._found: dict[str, tuple[str, int, str]] = {}

    def add(self, kind: str, count: int = 1, first: str = "", *, more: str = "") -> None:
        """Count a thing.

        Args:
            kind: A key of `SENTENCES`.
            count: How many; 0 is nothing.
            first: Where the first is, in the set.
            more: What to add to the sentence.
        """
        if count:
            place, before, said = self._found.get(kind, (first[:_LONGEST], 0, more[:_LONGEST]))
            self._found[kind] = (place, before + count, said)

    def problems(self) -> tuple[Problem, ...]:
        """Give them in the order in which they were met."""
        return tuple(
            Problem(
                kind,
                f"{self._where}: {place}" if place else self._where,
                count,
                SENTENCES[kind] + (f" ({said})" if said else ""),
            )
            for kind, (place, count, said) in self._found.items()
        )

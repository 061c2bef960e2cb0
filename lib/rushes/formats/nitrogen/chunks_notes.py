"""What was met in a folder of the NitroGen Capture program and worked around: counted, with the first place.

Example:
    >>> notes = Notes()
    >>> notes.add("cut_png", "frames/chunk_001/000002.png, row 1")
    >>> notes.add("cut_png", "frames/chunk_001/000009.png, row 8")
    >>> [(p.kind, p.where, p.count) for p in notes.problems()]
    [('cut_png', 'frames/chunk_001/000002.png, row 1', 2)]
"""

from __future__ import annotations

from typing import Final

from rushes.model.findings import Problem

SENTENCES: Final = {
    "damaged_meta": "a meta.json that does not read; the set is read from its chunk files alone",
    "damaged_entry": "an entry of meta.json that names no chunk; it is passed over",
    "damaged_description": (
        "what this program wrote of itself into meta.json does not read; segments are told by gaps, and that the "
        "times were not assumed can no longer be known"
    ),
    "description_lost": (
        "a set of this program without its meta.json: segments are told by gaps, and that the times were not "
        "assumed can no longer be known"
    ),
    "missing_meta": "a set without meta.json: its last run was killed, or it was removed",
    "fps_assumed": "nothing says how many frames a second there were; the option fps is taken",
    "drops_not_recorded": (
        "frame_indices count saved frames, so that pauses and dropped frames leave no trace; times and segments "
        "are what they are without any"
    ),
    "missing_chunk": "a chunk number that is left out; the segment ends there",
    "incomplete_chunk": (
        "a chunk that lacks one of its arrays, as a killed run leaves it; it is left out and the segment ends there"
    ),
    "damaged_array": "an array that does not read; its chunk is left out and the segment ends there",
    "other_width": "a chunk with another number of actions than the first; it is left out and the segment ends there",
    "merged_used": "a chunk without files of its own; its rows are taken from the merged arrays",
    "no_mouse_deltas": "a set without mouse deltas; the motion of the pointer is not known",
    "no_frame_indices": "a set without frame_indices; rows are numbered as they stand",
    "names_do_not_fit": "meta.json names another number of actions than the arrays have; their width decides",
    "unknown_action": "an action in meta.json that is no key, button or wheel; its column is left out",
    "unequal_length": "arrays of one chunk that differ in length; the rows beyond the shortest are left out",
    "bad_value": "an action that is neither 0 nor 1; the row is left out and the segment ends before it",
    "bad_motion": "a mouse delta that is no finite number; the row is left out and the segment ends before it",
    "index_not_rising": "a frame index that does not rise; the row is left out and the segment ends before it",
    "time_not_rising": (
        "a time that does not rise, or lies in no segment; the row is left out and the segment ends before it"
    ),
    "missing_png": "a row whose picture is missing; it is left out and the segment ends before it",
    "cut_png": "a picture that is cut or no PNG; its row is left out and the segment ends before it",
    "png_without_row": "pictures without a row, as a killed run leaves them; they are left out",
    "mixed_frame_sizes": "a picture of another size than the one before; a segment ends there",
}
"""What each kind of problem means."""


class Notes:
    """Problems in the making: one a kind, with how often it came and where first."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._places: dict[str, str] = {}

    def add(self, kind: str, where: str, count: int = 1) -> None:
        """Count a problem.

        Args:
            kind: A key of `SENTENCES`.
            where: File and row.
            count: How many.
        """
        self._counts[kind] = self._counts.get(kind, 0) + count
        self._places.setdefault(kind, where)

    def problems(self) -> tuple[Problem, ...]:
        """Give what was counted, in the order in which it was met."""
        return tuple(Problem(kind, self._places[kind], count, SENTENCES[kind]) for kind, count in self._counts.items())

    def __repr__(self) -> str:
        return f"Notes({', '.join(f'{count} {kind}' for kind, count in self._counts.items())})"

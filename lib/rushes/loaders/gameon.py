"""GameOn's dataset class, with its signature and its 20 slots, over anything that can be read.

    from rushes.loaders.gameon import GameOnDataset
    dataset = GameOnDataset("data/gameon.db", game_name="Fortnite", sequence_length=16)

An item holds `frames` (T, 3, H, W) float32 from 0 to 1, RGB; `inputs` (T, 20) float32 in the slots of the layout
`gameon20`; where sound is given `audio` (T, 128) float32, log-mel, and `audio_mask` (T,) bool; `t_ns` (T,) int64; and
`session_id`, the id of the row of `sessions` (of another source: the id of the session, a text). Slots 12 and 13 are
what the mouse moved in the row, to the right and down, over `mouse_scale` and from -1 to 1; slot 14 is its wheel, a
notch or more away from the user 1. The guide promises velocities that are normalised and does not say how.

What is other than in the original, because it was wrong there:

| the original | here |
| --- | --- |
| a key is 1 where it goes down and where it goes up, 0 between | 1 in each row in which it is down at any time |
| `space` is never found: it is stored as `Key.space` | it is |
| inputs are laid at 60 frames a second, whatever the video has | at each frame's own time |
| `frame_skip` shows every n-th frame from the last of n on; inputs from the first | the first of n; all inputs of n |
| the last window of a session is left out | it is given |
| `sequence_length=1` raises ValueError | it works; windows are one frame apart |
| a key without a character raises AttributeError | it is counted |
| pictures that are missing at the end are zeros | no window goes over an end |
| a video that is missing is left out with a line of print | left out, listed in `left_out`, with a warning |
| a session whose inputs were lost looks idle | left out likewise |
| `load_audio` does nothing | it gives sound |
| mouse motion, wheel: never | slots 12 to 14 |
| one database and one video are opened for each item | videos stay open, and a batch is decoded together |
| a game that is not there gives an empty set | is refused, and those there are are named |

Example:
    >>> def losses(path, model, loss):
    ...     dataset = GameOnDataset(path, sequence_length=1)
    ...     for batch in torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True, num_workers=2):
    ...         yield loss(model(batch["frames"][:, 0]), batch["inputs"][:, 0])
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from rushes.errors import BadInputError
from rushes.formats.base import open_any
from rushes.formats.gameon.read import Take, count_events, list_takes
from rushes.formats.gameon.schema import find_database
from rushes.loaders.source import Named
from rushes.loaders.torch import FrameTransform, GameplayDataset
from rushes.loaders.windows import Item
from rushes.model.actions import ActionSpace
from rushes.model.layouts import CAPTURE_MOUSE_SCALE
from rushes.store.choose import games_named

LAYOUT: Final = "gameon20"
_SOUND: Final[Mapping[bool | None, str | None]] = {None: "auto", True: "logmel", False: None}


class GameOnDataset(GameplayDataset):
    """Windows of play as GameOn's class gives them, mended.

    Args:
        db_path: `gameon.db`, a folder that holds it or `data/gameon.db`, or any path that can be read.
        game_name: Only this game; upper and lower case are one.
        session_ids: Only these rows of `sessions`; of another source, sessions by their ids.
        sequence_length: T; 1 works.
        frame_skip: Every n-th frame; what was done on those between counts for the one before them.
        transform: Called with each frame, (H, W, 3) uint8 RGB, of the target size. An array that it gives is taken as
            (H, W, C), a tensor as (C, H, W); uint8 is scaled to 0..1, other numbers are taken as they are. A flip that
            it draws is drawn frame by frame and mirrors no action.
        load_audio: None: wherever a chosen session has sound, with zeros and `audio_mask` False elsewhere; True:
            always; False: never.
        target_size: (width, height), as the original hands it to OpenCV, or pixels a side; None: as stored.
        stride: Frames from one window's start to the next; None: half of what a window spans, as the original has it.
        action_delay_ms: Moves every input this much later first; the negative of `latency_offset_ms` undoes that.
        mouse_scale: Motion in a row, in the session's unit (pixels), that counts as 1; None gives the sums as they are,
            and the wheel's in notches.
        seed: Of the order that `sampler` gives.
        broken: What becomes of a window that cannot be read: `raise`, or `skip`.

    Attributes:
        left_out: Id of a session that gives no window -> why.

    Raises:
        BadInputError: An option out of its range, an id that is not there, or no window at all.
        BadNameError: A game that is not there.
        MissingError: Nothing is there.
        BadDataError: The database is damaged, or a path is of no format.
    """

    def __init__(
        self,
        db_path: str | Path = "data/gameon.db",
        game_name: str | None = None,
        session_ids: Sequence[int | str] | None = None,
        sequence_length: int = 16,
        frame_skip: int = 1,
        transform: FrameTransform | None = None,
        load_audio: bool | None = None,
        target_size: int | tuple[int, int] | None = (224, 224),
        *,
        stride: int | None = None,
        action_delay_ms: str | float = 0,
        mouse_scale: float | None = CAPTURE_MOUSE_SCALE,
        seed: int = 0,
        broken: Literal["raise", "skip"] = "raise",
    ) -> None:
        _refuse_odd(session_ids, load_audio, target_size)
        self.left_out: dict[int | str, str] = {}
        self._takes: dict[str, Take] = {}
        path = Path(db_path)
        database = find_database(path) if path.exists() else None
        source: Named | list[Any] = path
        options = None
        if database is not None:
            source = database
            options = self._choose(database, game_name, session_ids)
        elif session_ids is not None:
            source = _by_id(path, session_ids)
        super().__init__(
            source,
            game=game_name,
            sequence_length=sequence_length,
            stride=max(1, sequence_length * frame_skip // 2) if stride is None else stride,
            frame_skip=frame_skip,
            size=(target_size[1], target_size[0]) if isinstance(target_size, tuple | list) else target_size,
            layout=_columns(mouse_scale),
            audio=_SOUND[load_audio],
            transform=transform,
            action_delay_ms=action_delay_ms,
            seed=seed,
            broken=broken,
            options=options,
        )
        span = self.windows.cut.span
        for entry in self.entries:
            longest = max((part.rows for part in entry.stretches), default=0)
            if longest < span:
                short = f"{longest} frames at a stretch, and a window spans {span}"
                why = short if longest else "nothing of its video can be read"
                self.left_out |= dict.fromkeys(self._numbers(entry.id), why)
        if self.left_out:
            told = "; ".join(f"session {number}: {why}" for number, why in self.left_out.items())
            warnings.warn(f"left out of {path}: {told}", stacklevel=2)

    def _choose(self, database: Path, game: str | None, wanted: Sequence[int | str] | None) -> dict[str, str]:
        """Choose rows of `sessions`: those asked for of which it is known what was done."""
        events = count_events(database)
        there = {int(row["id"]): str(row["game_name"]) for take in list_takes(database) for row in take.rows}
        known = {str(number): number for number in there}
        gone = [number for number in wanted or () if str(number) not in known]
        if wanted is not None and (gone or not wanted):
            raise BadInputError(
                f"session_ids={list(wanted)}" + f", of which {gone[0]!r} is not there" * bool(gone),
                accepts=f"ids of {database.name}: {', '.join(map(str, there)) or 'it has none'}",
                fix="leave session_ids out for all",
            )
        asked = [known[str(number)] for number in wanted or ()]
        games = games_named(game, (there[number] for number in asked or there))
        mine = [number for number in asked or there if there[number] in games]
        chosen = [number for number in mine if events.get(number)]
        self.left_out |= {n: "no input was stored, so what was done is not known" for n in mine if n not in chosen}
        if not chosen:
            raise BadInputError(
                f"{database}, in which no chosen session has inputs" + (f" (game {game!r})" if game else ""),
                accepts="at least one session that its recorder ended",
                fix="`rushes info PATH` says what each session has",
            )
        self._takes = {take.id: take for take in list_takes(database, chosen)}
        return {"sessions": ",".join(map(str, chosen))}

    def _number(self, session: str, t_ns: int) -> int | str:
        """Give the id of the row of `sessions` that a time belongs to."""
        return self._takes[session].row_at(t_ns) if session in self._takes else session

    def _numbers(self, session: str) -> tuple[int | str, ...]:
        """Give the ids of the rows of `sessions` that are a recording."""
        return tuple(int(row["id"]) for row in self._takes[session].rows) if session in self._takes else (session,)

    def _chosen(self, item: Item) -> Item:
        kept = {name: item[name] for name in ("frames", "inputs", "audio", "audio_mask", "t_ns") if name in item}
        return kept | {"session_id": self._number(item["session"], int(item["t_ns"][0]))}

    def __repr__(self) -> str:
        return f"<GameOnDataset: {self.windows!r}>"


def _columns(mouse_scale: float | None) -> ActionSpace:
    """Give the 20 slots, motion normalised.

    Raises:
        BadInputError: A scale that is not above 0.
    """
    space = ActionSpace.from_layout(LAYOUT)
    if mouse_scale is None:
        return space
    if not isinstance(mouse_scale, int | float) or not 0 < mouse_scale < float("inf"):
        raise BadInputError(
            f"mouse_scale={mouse_scale!r}", accepts="pixels above 0, or None", fix=f"pass {CAPTURE_MOUSE_SCALE:g}"
        )
    scales = {"MouseDX": 1 / mouse_scale, "MouseDY": 1 / mouse_scale, "MouseWheel": 1.0}
    return ActionSpace(
        space.kind,
        tuple(
            replace(slot, scale=scales[slot.plus[0]], low=-1.0, high=1.0) if slot.role == "motion" else slot
            for slot in space.slots
        ),
    )


def _refuse_odd(session_ids: Any, load_audio: Any, target_size: Any) -> None:
    """Refuse what is of another kind than the signature says.

    Raises:
        BadInputError: Ids that are no list, sound that is no yes or no, a size that is no pair.
    """
    if session_ids is not None and (isinstance(session_ids, str) or not isinstance(session_ids, Iterable)):
        raise BadInputError(
            f"session_ids={session_ids!r}", accepts="a list of ids, or None", fix=f"pass session_ids=[{session_ids!r}]"
        )
    if load_audio not in (None, True, False):
        raise BadInputError(
            f"load_audio={load_audio!r}",
            accepts="None, True or False",
            fix="for another kind of sound take rushes.loaders.torch.GameplayDataset(audio=...)",
        )
    if isinstance(target_size, tuple | list) and len(target_size) != 2:  # noqa: PLR2004 - width, height
        raise BadInputError(
            f"target_size={target_size!r}", accepts="(width, height), pixels a side, or None", fix="pass (224, 224)"
        )


def _by_id(path: Path, wanted: Sequence[int | str]) -> list[Any]:
    """Choose recordings of any source by their ids.

    Raises:
        BadInputError: One is not there.
    """
    there = {recording.info.id: recording for recording in open_any(path)}
    gone = [str(one) for one in wanted if str(one) not in there]
    if gone or not wanted:
        raise BadInputError(
            f"session_ids={list(wanted)}" + f", of which {gone[0]!r} is not there" * bool(gone),
            accepts=", ".join(there),
            fix="leave session_ids out for all",
        )
    return [there[str(one)] for one in wanted]

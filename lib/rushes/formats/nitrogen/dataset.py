"""The form of the official NitroGen data set: 20 s chunks of 17 buttons and two sticks, with their metadata.

```
actions/SHARD_0000/<video_id>/<video_id>_chunk_0000/{actions_raw.parquet, metadata.json}
videos/<video_id>.mp4                                                       not in the release, which has labels alone
```

Row i is what the controller does until frame i is seen: our row i - 1, [t_{i-1}, t_i). A segment's first row is the
state in which it begins. So a model of the release's kind, which looks `action_shift` >= 1 rows ahead, sees what ours
does. Keyboard and mouse become a pad by the pad map; what has no place there is counted by name.

A segment is cut into pieces of 20 s by its stream's nominal rate; its remainder is a shorter piece. By default the
frames stand beside as H.264 at that rate, picture k is row k's frame, and six columns and a key `rushes` in
metadata.json bring times, segments and the row behind the last frame back. `strict=True` writes the release's files
alone: no video, no remainder, and frame numbers of a video that would run through pauses, so that a pause shows.

`actions_processed.parquet` is not written: the release calls it filtered and remapped and does not say how.

Source: card of the data set nvidia/NitroGen, and loaders that others wrote for it.

Example:
    >>> NitrogenDataset().keeps_with(NitrogenOptions(strict=True)).kept
    ()
    >>> # convert("sessions/game", "nitrogen", format="nitrogen_dataset", options=["pad_map=mine.toml"])
    >>> # open_any("NitroGen/actions/SHARD_0000.tar.gz", options=["video=my_videos"])
"""

from __future__ import annotations

from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from rushes.errors import BadDataError, BadInputError
from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import export
from rushes.formats.nitrogen.gather import Videos
from rushes.formats.nitrogen.pieces import Plan, Shelf, write_one
from rushes.formats.nitrogen.release import PIECE_S
from rushes.formats.nitrogen.shards import ACTIONS, find_chunks, holds_chunks, safe_name
from rushes.formats.report import Keeps, Report
from rushes.formats.session import numbered
from rushes.model.findings import Problem
from rushes.model.recording import Sessions

_KINDS: Final = {"shard": ("folder", "tar.gz"), "actions": tuple(ACTIONS)}


@dataclass(frozen=True)
class NitrogenOptions:
    """How to write and to read.

    Attributes:
        strict: The release's files and columns alone; see the module.
        pad_map: A TOML file; empty takes the default, WASD and mouse.
        action_delay_ms: By how much events are moved later first: a number, or `measured`.
        shard: `folder` or `tar.gz`, as the release packs them.
        video: Writing: `h264`, or `none`; empty is `h264`. Reading: the video, or a folder of `<video_id>.*`; `none`
            looks for none; empty looks in `videos/` beside the labels.
        actions: Reading: `raw` or `processed`.
        mask: Reading: paint the drawn controller black.
        crop: Reading: cut pictures to `bbox_game_area`.
    """

    strict: bool = False
    pad_map: str = ""
    action_delay_ms: str = "0"
    shard: str = "folder"
    video: str = ""
    actions: str = "raw"
    mask: bool = True
    crop: bool = False

    def __post_init__(self) -> None:
        for name, accepted in _KINDS.items():
            if getattr(self, name) not in accepted:
                raise BadInputError(
                    f"{name}={getattr(self, name)!r}", accepts=" or ".join(accepted), fix=f"write {name}={accepted[0]}"
                )


class NitrogenDataset(Format):
    """Chunks of the official data set."""

    name: ClassVar[str] = "nitrogen_dataset"
    looks_for: ClassVar[str] = (
        "folders <video_id>_chunk_0000 with actions_raw.parquet and metadata.json: one, those of a video, of a shard, "
        "of a root with actions/, or a SHARD_0000.tar.gz"
    )
    Options: ClassVar[type[Any]] = NitrogenOptions
    keeps: ClassVar[Keeps] = Keeps("lossy", times=True, audio=False, rewards=False, names=False, events=False)
    takes: ClassVar[Takes] = "inputs"

    def keeps_with(self, options: Any) -> Keeps:
        """Say what survives: strict has no times, and neither strict nor `video=none` has frames."""
        bare = options.strict or options.video == "none"
        return replace(self.keeps, frames="none" if bare else "lossy", times=not options.strict)

    def sniff(self, path: Path) -> bool:
        """Say whether a path holds chunks."""
        return holds_chunks(path)

    def read(self, path: Path, options: Any) -> Sessions:
        """Open the chunks of a path, one recording a video; see `Format.read`."""
        problems: list[Problem] = []
        chunks = find_chunks(path, problems)
        if not chunks:
            raise BadDataError(f"{path}: no chunk in it", accepts=self.looks_for, fix="fetch the shard again")
        if len(chunks) > 1 and options.video and Path(options.video).is_file():
            raise BadInputError(
                f"video={options.video} for {len(chunks)} videos ({', '.join(list(chunks)[:3])} ...)",
                accepts="a folder of <video_id>.*, or a file with the labels of one video",
                fix=f"pass video={Path(options.video).parent}, or open the folder of one video",
            )
        return Sessions(Videos(path, chunks, options), format=self.name, problems=problems)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: Any,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write recordings as videos of the data set; see `Format.write`.

        Raises:
            BadInputError: A recording none of whose controls has a place, an option out of its range, or an
                `action_delay_ms=measured` that nobody measured.
        """
        del executor  # one film is encoded at a time, by the encoder's own threads
        if options.video not in ("", "h264", "none"):
            raise BadInputError(
                f"video={options.video!r} for writing", accepts="h264 or none", fix="write video=none for labels alone"
            )
        if options.strict and options.video == "h264":
            raise BadInputError(
                "video=h264 with strict=true",
                accepts="labels alone, as the release has them",
                fix="leave out one of them",
            )
        names = numbered(safe_name(recording.info.id) for recording in source)
        plans = [Plan(recording, options, name) for recording, name in zip(source, names, strict=True)]
        if options.strict and not any(plan.has_piece for plan in plans):
            raise BadInputError(
                f"{len(plans)} recordings, no segment of which is {PIECE_S:g} s long",
                accepts="with strict=true at least one segment of that length",
                fix="leave out strict: the remainder of a segment is a shorter piece then",
            )
        total = sum(recording.frame_count for recording in source)
        with export(self, source, path, options, folder=True) as job, ExitStack() as stack:
            shelf = stack.enter_context(Shelf(job.partial / "actions", options.shard))
            done = 0
            for plan in plans:
                done = write_one(plan, shelf, job, lambda frames: progress and progress(frames, total, "frames"), done)
        return job.report

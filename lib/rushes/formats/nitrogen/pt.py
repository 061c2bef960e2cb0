"""The training file of the NitroGen Capture program: every window's first frame and its T action rows, in one file.

`obs` (M, 3, S, S) float32 RGB from 0 to 1, squashed to a square by INTER_AREA; `actions` (M, T, A) float32; `meta`.
A name that ends in .pt gives what `torch.save` gives, .safetensors the same tensors with `meta` as texts.

- **Pairing:** obs[i] is a frame, actions[i] are the T rows from it on, so actions[i, 0] is what was done on obs[i]. A
  row is what happened from its frame to the next one, in [t_k, t_{k+1}).
- **Strict** files hold what the reference's converter makes of what its logger notes when it takes a frame: keys as
  they were at t_k, motion of (t_{k-1}, t_k]. What such a row does not show is counted (`tap_between_frames`,
  `behind_last_frame`), and reading moves motion back. Its windows cross the edges of segments; ours never do.
- **Columns** go by name: `capture20` is lx, ly (keys), rx, ry (mouse; up is +1) and 16 buttons; `capture25` has x, z,
  enter, esc, i behind them. A pad goes through the pad map.
- **Windows** begin at every `stride`-th frame that has T rows from it on; none crosses the edge of a segment or a
  stretch that is marked invalid. Several recordings go one behind the other.
- **Long conversions** take a few hundred MB of memory whatever the length, are written in place, and go on where they
  were when the same is run again after a kill or Ctrl+C. The last T - 1 frames of a segment begin no window: they stand
  in the ledger under `no_window`.

Source of the layout: taisrisk/frame-capture convert_to_nitrogen.py at 4ff5523, the 25 columns at ad2df1f.

Example:
    >>> NitrogenPt().Options(layout="capture25").seq_len
    16
    >>> # convert("outputs/run/session", "game.pt", format="nitrogen_pt", options=["seq_len=18"])
    >>> # torch.load("game.pt", weights_only=True, mmap=True)["obs"].shape
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from rushes.errors import BadInputError
from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import PAIRING, export
from rushes.formats.imported import ASSUMED_HZ
from rushes.formats.nitrogen.noted import STRICT_PAIRING
from rushes.formats.nitrogen.pt_columns import target_of
from rushes.formats.nitrogen.pt_load import looks_like
from rushes.formats.nitrogen.pt_plan import Plan
from rushes.formats.nitrogen.pt_read import read_file
from rushes.formats.report import Keeps, Report
from rushes.formats.tensor_file import SUFFIXES, Tensor, blueprint
from rushes.formats.tensor_writer import TensorWriter
from rushes.model.actions import ActionSpace
from rushes.model.recording import Sessions
from rushes.store.atomic import progress_name, refuse_occupied
from rushes.store.resized import resized

SCHEMA: Final = "rushes/nitrogen_pt/1"
WORDING: Final = {
    "capture20": "20D gamepad mapping derived from PC controls",
    "capture25": "25D mapping derived from PC controls (WASD->LS, mouse->RS)",
}
"""What the reference writes as `actions_layout`: of 20 columns at 4ff5523, of 25 from ad2df1f on."""
_PIECE_BYTES: Final = 24_000_000
"""What is made ready for the file at a time."""
_NAMED: Final = "capture25"
"""The layout with which the reference writes `action_dim` and `action_names`, too."""


@dataclass(frozen=True)
class NitrogenPtOptions:
    """Options of the training file.

    Attributes:
        img_size: S, pixels a side.
        seq_len: T, rows a window.
        stride: Frames from one window to the next.
        layout: `capture20` or `capture25`.
        obs: `float32` from 0 to 1, or `uint8` from 0 to 255, a quarter of the size.
        mouse_scale: Motion a step at which rx or ry is full.
        mouse_clip: The most that rx and ry say.
        pad_map: Path of a pad map; empty takes the default.
        action_delay_ms: Moves inputs this much later, or `measured`.
        strict: The reference's keys of `meta` alone, and its rows; float32, stride 1, a .pt.
        fps: In reading: frames a second to assume where the file does not say.
    """

    img_size: int = 256
    seq_len: int = 16
    stride: int = 1
    layout: str = "capture20"
    obs: str = "float32"
    mouse_scale: float = 300.0
    mouse_clip: float = 1.0
    pad_map: str = ""
    action_delay_ms: str = "0"
    strict: bool = False
    fps: float = ASSUMED_HZ


class NitrogenPt(Format):
    """One file of windows."""

    name: ClassVar[str] = "nitrogen_pt"
    looks_for: ClassVar[str] = "a .pt or .safetensors file that holds obs and actions"
    Options: ClassVar[type[Any]] = NitrogenPtOptions
    keeps: ClassVar[Keeps] = Keeps("lossy", times=False, audio=False, rewards=False, names=True, events=False)
    takes: ClassVar[Takes] = "inputs"

    def sniff(self, path: Path) -> bool:
        """Say whether a file holds obs and actions, by its header alone; nothing in it is run."""
        return path.is_file() and looks_like(path)

    def read(self, path: Path, options: Any) -> Sessions:
        """Open a file; see `formats.nitrogen.pt_read`."""
        return read_file(path, fps=options.fps)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: Any,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write all windows of all recordings; see `Format.write`.

        Raises:
            StoppedError: Ctrl+C; what is done stays, and the same call goes on.
        """
        _check(path, options)
        refuse_occupied(path)
        target = target_of(options.layout, mouse_scale=options.mouse_scale, mouse_clip=options.mouse_clip)
        plan = Plan(
            source,
            target,
            seq_len=options.seq_len,
            stride=options.stride,
            pad_map=options.pad_map,
            action_delay_ms=options.action_delay_ms,
            strict=options.strict,
        )
        side = options.img_size
        tensors = [
            Tensor("obs", (plan.windows, 3, side, side), options.obs),
            Tensor("actions", (plan.windows, options.seq_len, len(target)), "float32"),
        ]
        form = blueprint(path.suffix, tensors, {"meta": meta_of(options, target, plan)})
        ready = _planes if options.obs == "uint8" else _from_zero_to_one
        with export(self, source, path, options, folder=False, resumable=True) as job:
            plan.count(job)
            job.pairing = STRICT_PAIRING if options.strict else PAIRING
            digest = plan.digest({**asdict(options), "suffix": path.suffix, "schema": SCHEMA})
            with TensorWriter(job.partial, progress_name(path), form, plan=digest) as writer:
                _fill(writer, plan, side, ready, executor, progress)
                writer.finish()
        return job.report


def _check(path: Path, options: NitrogenPtOptions) -> None:
    if path.suffix not in SUFFIXES:
        raise BadInputError(
            f"{path.name}, whose ending says no form", accepts=" or ".join(SUFFIXES), fix=f"name it {path.stem}.pt"
        )
    for name in ("img_size", "seq_len", "stride"):
        if getattr(options, name) < 1:
            raise BadInputError(
                f"{name}={getattr(options, name)}", accepts="a whole number from 1 on", fix=f"leave {name} out"
            )
    if options.obs not in ("float32", "uint8"):
        raise BadInputError(f"obs={options.obs!r}", accepts="float32 or uint8", fix="pass obs=float32")
    if options.strict and (options.obs, options.stride, path.suffix) != ("float32", 1, ".pt"):
        raise BadInputError(
            f"strict=true with obs={options.obs}, stride={options.stride}, {path.suffix}",
            accepts="what the reference writes: float32, every frame, a .pt",
            fix="leave out strict, or the others",
        )


def meta_of(options: NitrogenPtOptions, target: ActionSpace, plan: Plan) -> dict[str, Any]:
    """Make `meta`: the reference's keys, and without `strict` what is needed to read the file back."""
    meta: dict[str, Any] = {
        "img_size": options.img_size,
        "seq_len": options.seq_len,
        "mouse_scale": options.mouse_scale,
        "mouse_clip": options.mouse_clip,
    }
    if options.layout == _NAMED or not options.strict:
        meta |= {"action_dim": len(target), "action_names": list(target.names)}
    meta["actions_layout"] = WORDING[options.layout]
    if not options.strict:
        about = plan.about()
        first = about["sources"][0]
        meta["rushes"] = {
            "schema": SCHEMA,
            "pairing": PAIRING,
            "stride": options.stride,
            "fps": first["fps"],
            "action_delay_ms": first["action_delay_ms"],
            **about,
        }
    return meta


def _fill(
    writer: TensorWriter,
    plan: Plan,
    side: int,
    ready: Callable[[npt.NDArray[np.uint8]], npt.NDArray[Any]],
    executor: Executor | None,
    progress: Progress | None,
) -> None:
    """Write the rows that are not there yet."""
    for rows in plan.actions(writer.done["actions"]):
        writer.write("actions", rows)
    at = writer.done["obs"]
    few = max(1, _PIECE_BYTES // (side * side * 3 * 4))
    for recording, frames in plan.frames(at):
        for batch in resized(recording, frames, size=side, executor=executor):
            for start in range(0, len(batch), few):
                writer.write("obs", ready(batch[start : start + few]))
            at += len(batch)
            if progress:
                progress(at, plan.windows, "frames written")


def _planes(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Put the colours in front: (n, S, S, 3) to (n, 3, S, S)."""
    return np.ascontiguousarray(batch.transpose(0, 3, 1, 2))


def _from_zero_to_one(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Put the colours in front, as float32 from 0 to 1; divided in float32, as the reference does it."""
    import cv2

    made: npt.NDArray[np.float32] = np.empty((len(batch), 3, *batch.shape[1:3]), np.float32)
    for planes, picture in zip(made, batch, strict=True):
        for plane, colour in zip(planes, cv2.split(picture), strict=True):  # nearly twice as quick as a transposed view
            plane[:] = colour
    return np.divide(made, np.float32(255), out=made)

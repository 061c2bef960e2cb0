"""Rows of negatives: of frames that were chosen, a table with addresses, actions, and the reason of each.

Example:
    >>> from rushes.model.samples import samples_frame
    >>> none = Samples(samples_frame(), ActionSpace.from_names(["Space"]))
    >>> len(table_of({}, ["Space"], Positives.of(none), none, none.space))
    0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples, join
from rushes.model.samples import SampleKind, samples_columns, samples_frame
from rushes.prepare.negatives.kinds import BORROWED, OWN, Picks
from rushes.prepare.negatives.scenes import Positives, Scene


def table_of(
    chosen: Mapping[SampleKind, Sequence[Picks]],
    controls: Sequence[str],
    positives: Positives,
    samples: Samples,
    space: ActionSpace,
) -> pd.DataFrame:
    """Make the rows of what was chosen.

    Args:
        chosen: Kind -> picks.
        controls: Their order.
        positives: Whose numbers stand in the picks.
        samples: The table that they come from.
        space: Of the new rows; holds every slot of the positives and of the recordings.

    Returns:
        A table with `samples.COLUMNS`, in the order of controls, kinds, sessions and times.
    """
    borrowed = Samples(positives.rows, samples.space)
    known = join([borrowed, Samples(samples_frame(), space)])[0]
    keys = known.keys[:, [known.space.index(name) for name in space.names]]
    splits = _splits(samples)
    parts = [
        _rows(kind, picks, positives, keys, space, splits)
        for control in controls
        for kind in chosen
        for picks in chosen[kind]
        if picks.scene.control == control
    ]
    if not parts:
        return samples_frame()
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["sample_id"] = _unique(columns["sample_id"], columns["frame_index"])
    return samples_columns(len(columns["label"]), columns)


def _splits(samples: Samples) -> dict[str, str]:
    """Give the split of each session that is a group of its own."""
    rows = samples.rows[samples.rows["group"] == samples.rows["session"]]
    return dict(zip(rows["group"], rows["split"], strict=True))


def _rows(
    kind: SampleKind,
    picks: Picks,
    positives: Positives,
    borrowed: npt.NDArray[np.float32],
    space: ActionSpace,
    splits: Mapping[str, str],
) -> dict[str, npt.NDArray[Any]]:
    scene = picks.scene
    picks = picks[np.argsort(picks.rows, kind="stable")]
    frames, count = scene.track.frames, len(picks)
    first = picks.rows - (scene.length - 1)
    own = np.zeros((count, len(space)), np.float32)
    own[:, [space.index(name) for name in frames.space.names]] = frames.keys[picks.rows]
    times = frames.t_ns[picks.rows]
    columns: dict[str, Any] = {
        "session": scene.session, "segment": frames.segment[picks.rows], "frame_index": frames.frame_index[first],
        "t_ns": frames.t_ns[first], "length": scene.length, "action_session": scene.session, "action_t_ns": times,
        "control": scene.control, "label": 0.0, "hold_s": np.nan, "group": scene.session, "kind": kind.value,
        "phase": np.where(scene.track.held[picks.rows], "held", "up"), "split": splits.get(scene.session, ""),
    }  # fmt: skip
    ids = [f"{scene.session}:{scene.control}:{kind}:{t_ns}" for t_ns in times.tolist()]
    detail = [""] * count
    if (picks.positive != OWN).all() and count:
        theirs = positives.rows.iloc[picks.positive]
        at = theirs["action_t_ns"].to_numpy(np.int64)
        session, control = theirs["session"].to_numpy(object), theirs["control"].to_numpy(object)
        if kind in BORROWED:
            own = borrowed[picks.positive]
            columns |= {
                "action_session": theirs["action_session"].to_numpy(object), "action_t_ns": at,
                "hold_s": theirs["hold_s"].to_numpy(float), "phase": theirs["phase"].to_numpy(object),
            }  # fmt: skip
        shown = positives.control[picks.value.astype(np.int64)] if kind == SampleKind.SWAPPED else control
        several = zip(session, shown, at.tolist(), picks.value.tolist(), strict=True)
        detail = [_detail(kind, scene, *one) for one in several]
        again = zip(ids, session, control, at.tolist(), strict=True)
        ids = [f"{name}:{_whose(scene, s, c)}{t_ns}" for name, s, c, t_ns in again]
    words = zip(detail, scene.words(picks.rows), strict=True)
    columns |= {"sample_id": ids, "reason": [f"{kind}: {one}{other}" for one, other in words]}
    whole = {
        name: np.asarray(value, object if isinstance(value, str | list) else None)
        if hasattr(value, "__len__") and not isinstance(value, str)
        else np.full(count, value, object if isinstance(value, str) else None)
        for name, value in columns.items()
    }
    return whole | {"keys": own}


def _whose(scene: Scene, session: str, control: str) -> str:
    """Say whose press it is, as far as that is not the scene's own."""
    return f"{session}:" * (session != scene.session) + f"{control}:" * (control != scene.control)


def _detail(kind: SampleKind, scene: Scene, session: str, control: str, t_ns: int, value: float) -> str:
    where = f"at {t_ns / 1e9:.3f} s" + f" of {session}" * (session != scene.session)
    if kind == SampleKind.SHIFTED:
        side = "before" if value < 0 else "after"
        return f"pixels {abs(value):.0f} frames {side} the press {where} whose action it is; "
    if kind == SampleKind.SWAPPED:
        return f"{control} is pressed here, the action is that of the press {where}; "
    if kind == SampleKind.HARD:
        return f"looks like the press {where} (distance {value:.4f}); "
    return f"action of the press {where}; "


def _unique(ids: npt.NDArray[Any], frames: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Put the frame behind an id that stands twice, where two frames have one time."""
    twice = pd.Series(ids).duplicated(keep=False).to_numpy()
    behind = [f":{frame}" if again else "" for frame, again in zip(frames.tolist(), twice, strict=True)]
    return np.asarray(ids + np.array(behind, object), object)

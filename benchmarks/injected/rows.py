"""Faults of labelled rows: what was split to be kept apart stands together, and labels that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from injected.bases import Rows
from injected.held import Held
from injected.plan import NOT_INJECTED, Rng, fault

NOT_INJECTED["leakage.balance"] = "says how many positives each part has; it is no fault"
NOT_INJECTED["leakage.unseen"] = "says that pictures are not there, and is no fault of the rows (info)"


def with_rows(rows: Rows, table: Any) -> Rows:
    """Give the same set with another table."""
    return Rows(replace(rows.samples, rows=table.reset_index(drop=True)), rows.recordings)


def other(split: str) -> str:
    """Give the other part."""
    return "test" if split == "train" else "train"


def originals(table: Any) -> Any:
    """Give the positions of rows that are no copies."""
    return np.flatnonzero((table["parent"] == "").to_numpy())


def moved(table: Any, at: Any) -> Any:
    """Put rows into the other part."""
    changed = table["split"].to_numpy(object).copy()
    changed[at] = [other(name) for name in changed[at]]
    return table.assign(split=changed).astype({"split": table["split"].dtype})


@fault("leakage.family", base="rows", strengths=(1, 3, 10), stated=1, unit="children in another split")
def family(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Copies stand in another part than what they were made of."""
    table = rows.samples.rows
    children = np.flatnonzero((table["parent"] != "").to_numpy())
    return with_rows(rows, moved(table, rng.choice(children, int(strength), replace=False)))


@fault("leakage.group", base="rows", strengths=(1, 3, 10), stated=1, unit="rows of a group in another split")
def group(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Rows of one group stand in two parts."""
    table = rows.samples.rows
    name = rng.choice(table["group"].unique())
    mine = np.flatnonzero((table["group"] == name).to_numpy())
    return with_rows(rows, moved(table, rng.choice(mine, min(int(strength), len(mine) - 1), replace=False)))


@fault("leakage.overlap", base="rows", strengths=(1, 3, 10), stated=1, unit="windows doubled into another split")
def overlap(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Windows of two parts share a frame."""
    table = rows.samples.rows
    chosen = table.iloc[rng.choice(originals(table), int(strength), replace=False)].copy()
    shift = rng.integers(-1, 2, len(chosen))
    chosen["sample_id"] = [f"{name}:again" for name in chosen["sample_id"]]
    chosen["frame_index"] = (chosen["frame_index"] + shift).clip(lower=0)
    chosen["group"] = "again"
    chosen = moved(chosen, np.arange(len(chosen)))
    import pandas as pd

    return with_rows(rows, pd.concat([table, chosen]))


@fault("leakage.near", base="rows", strengths=(0.9, 0.5, 0.1), stated=0.5, unit="s behind a row of another split")
def near(rows: Rows, strength: float, rng: Rng) -> Rows:
    """A row of another part stands close behind."""
    table = rows.samples.rows
    index = {one.info.id: one.index() for one in rows.recordings}
    order = rng.permutation(originals(table))
    for at in order:
        row = table.iloc[at : at + 1].copy()
        frames = index[row["session"].iloc[0]]
        last = int(row["frame_index"].iloc[0] + row["length"].iloc[0] - 1)
        t_ns = frames["t_ns"].to_numpy()
        behind = int(np.searchsorted(t_ns, t_ns[last] + strength * 1e9))
        if behind + 2 >= len(frames):
            continue
        row["sample_id"] = "near"
        row["frame_index"], row["t_ns"] = behind, int(t_ns[behind])
        row["action_t_ns"], row["group"] = int(t_ns[behind + 1]), "near"
        import pandas as pd

        return with_rows(rows, pd.concat([table, moved(row, [0])]))
    raise AssertionError("no room for a row")


@fault("leakage.undecided", base="rows", strengths=(1, 5, 20), stated=1, unit="rows without a split")
def undecided(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Some rows have no part."""
    table = rows.samples.rows
    changed = table["split"].to_numpy(object).copy()
    changed[rng.choice(len(table), int(strength), replace=False)] = ""
    return with_rows(rows, table.assign(split=changed).astype({"split": table["split"].dtype}))


@fault("leakage.no_such_frame", base="rows", strengths=(1, 5, 20), stated=1, unit="rows")
def no_such_frame(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Rows name frames that their session does not have."""
    table = rows.samples.rows
    changed = table["frame_index"].to_numpy().copy()
    changed[rng.choice(originals(table), int(strength), replace=False)] += 100_000
    return with_rows(rows, table.assign(frame_index=changed))


@fault("leakage.equal_pictures", base="rows", strengths=(0.02, 0.1, 0.4), stated=0.02, unit="share of shown pictures")
def equal_pictures(rows: Rows, strength: float, rng: Rng) -> Rows:
    """A session shows pictures of one in another part."""
    table = rows.samples.rows
    by_part = {part: table.loc[table["split"] == part, "session"].unique() for part in ("train", "test")}
    giver, taker = (rng.choice(by_part[part]) for part in rng.permutation(["train", "test"]))
    known = {one.info.id: one for one in rows.recordings}
    mine = Spliced(known[taker], known[giver])
    frames = table.loc[table["session"] == taker, ["frame_index", "length"]].drop_duplicates().to_numpy()
    theirs = table.loc[(table["session"] == giver) & (table["parent"] == ""), "frame_index"].to_numpy()
    count = max(1, round(strength * len(table)))
    for frame, length in rng.permutation(frames)[:count]:
        first = rng.choice(theirs)
        mine.shows[frame : frame + length] = mine.stop + first + np.arange(length)
    return Rows(rows.samples, [mine if one.info.id == taker else one for one in rows.recordings])


class Spliced(Held):
    """A session whose frames may also show those of another one: numbers from `stop` on."""

    def __init__(self, source: Any, donor: Any) -> None:
        super().__init__(source)
        self.donor, self.stop = donor, source.frame_count

    def frames(self, start: int, stop: int) -> Iterator[Any]:
        """See `Recording`."""
        for k in range(start, stop):
            at = int(self.shows[k])
            yield from (self.source, self.donor)[at >= self.stop].frames(at % self.stop, at % self.stop + 1)


@fault("leakage.alike_pictures", base="rows", strengths=(0.02, 0.1, 0.4), stated=0.1, unit="share of shown pictures")
def alike_pictures(rows: Rows, strength: float, rng: Rng) -> Rows:
    """A film shows screens of another part again, changed a little by the codec."""
    spliced = equal_pictures(rows, strength, rng)
    noise = np.random.default_rng(int(rng.integers(1 << 30))).normal(0, 1.2, (180, 320, 3))
    for one in spliced.recordings:
        if isinstance(one, Held):
            one.paint(lambda k, pixels: np.clip(pixels + np.roll(noise, k, 1), 0, 255).astype(np.uint8))
    return spliced


@fault("leakage.contradiction", base="rows", strengths=(1, 3, 10), stated=1, unit="rows with the other label too")
def contradiction(rows: Rows, strength: float, rng: Rng) -> Rows:
    """One frame has both labels."""
    import pandas as pd

    table = rows.samples.rows
    chosen = table.iloc[rng.choice(originals(table), int(strength), replace=False)].copy()
    chosen["sample_id"] = [f"{name}:other" for name in chosen["sample_id"]]
    chosen["label"] = (1 - chosen["label"]).astype("float32")
    chosen["kind"] = ["uniform" if label == 0 else "positive" for label in chosen["label"]]
    return with_rows(rows, pd.concat([table, chosen]))


@fault("leakage.copies", base="rows", strengths=(0.9, 1.0), stated=1.0, unit="share of negatives' copies left out")
def copies(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Only positives have augmented copies."""
    table = rows.samples.rows
    negative = np.flatnonzero(((table["parent"] != "") & (table["label"] == 0)).to_numpy())
    gone = rng.choice(negative, round(strength * len(negative)), replace=False)
    return with_rows(rows, table.drop(index=table.index[gone]))


@fault("leakage.same_look", base="rows", strengths=(0.02, 0.1, 0.4), stated=0.1, unit="share of positives")
def same_look(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Positives show the very pictures of a negative."""
    table = rows.samples.rows
    own = (table["parent"] == "").to_numpy()
    positives = np.flatnonzero(own & (table["label"] == 1).to_numpy())
    known = {one.info.id: Held.of(one) for one in rows.recordings}
    for at in rng.choice(positives, max(1, round(strength * len(positives))), replace=False):
        row = table.iloc[at]
        same = own & (table["label"] == 0).to_numpy() & (table["session"] == row["session"]).to_numpy()
        if not same.any():
            continue
        donor = table.iloc[rng.choice(np.flatnonzero(same))]
        for k in range(int(row["length"])):
            known[row["session"]].shows[int(row["frame_index"]) + k] = int(donor["frame_index"]) + k
    return Rows(rows.samples, list(known.values()))


@fault("leakage.near_press", base="rows", strengths=(1, 3, 10), stated=1, unit="negatives beside a press")
def near_press(rows: Rows, strength: float, rng: Rng) -> Rows:
    """Negatives stand where a press is, within the exclusion that they were made with."""
    import pandas as pd

    table = rows.samples.rows
    own = table[(table["parent"] == "") & (table["label"] == 1)]
    chosen = own.iloc[rng.choice(len(own), min(len(own), int(strength)), replace=False)].copy()
    chosen["sample_id"] = [f"{name}:near" for name in chosen["sample_id"]]
    chosen["frame_index"] = (chosen["frame_index"] + rng.choice([-1, 1], len(chosen))).clip(lower=0)
    chosen["label"], chosen["kind"] = np.float32(0), "uniform"
    return with_rows(rows, pd.concat([table, chosen.astype(table.dtypes)]))


@fault("leakage.marked_invalid", base="play_files", strengths=(0.2, 1.0), stated=1.0, unit="s marked")
def marked_invalid(path: Path, strength: float, rng: Rng) -> Rows:
    """Rows show what was marked invalid after the table was made."""
    from rushes.model.recording import Sessions
    from rushes.prepare.press_release import press_release
    from rushes.store.facts import add_fact
    from rushes.store.reader import open_session

    samples, _ = press_release(open_session(path), "MouseLeft", length=2)
    row = samples.rows.iloc[int(rng.integers(len(samples.rows)))]
    at = int(row["t_ns"])
    reach = int(strength * 5e8)
    add_fact(path, "validity", {"valid": False}, author="bench", t_start_ns=max(0, at - reach), t_end_ns=at + reach)
    return Rows(samples, [*Sessions([open_session(path)], format="session")])


@fault("leakage.frame_number", base="rows", strengths=(0.05, 0.3), stated=0.05, unit="share of rows")
def frame_number(rows: Rows, strength: float, rng: Rng) -> Rows:
    """A file gives frames of two parts one number, as JumpNet's do with copies."""
    table = rows.samples.rows
    by_session = table.groupby("session").groups
    name = rng.choice(sorted(by_session))
    known = {one.info.id: Held.of(one) for one in rows.recordings}
    own = table[(table["session"] == name) & (table["parent"] == "")]
    frames = rng.permutation(own["frame_index"].to_numpy() + own["length"].to_numpy() - 1)
    half = max(1, min(len(frames) // 2, round(strength * len(table))))
    tick = known[name].frames_table["tick"].to_numpy().copy()
    tick[frames[half : 2 * half]] = tick[frames[:half]]
    known[name].frames_table = known[name].frames_table.assign(tick=tick)
    last = (table["frame_index"] + table["length"] - 1).to_numpy()
    flips = np.flatnonzero((table["session"] == name).to_numpy() & np.isin(last, frames[half : 2 * half]))
    return Rows(with_rows(rows, moved(table, flips)).samples, list(known.values()))

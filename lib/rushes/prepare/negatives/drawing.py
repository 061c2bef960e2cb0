"""Drawing negatives: kind by kind, evenly over sessions, the first of a shuffled order.

Pictures are looked at where it matters: for those that look most like a positive, and so that nothing carries the
action of a positive while it shows the very same picture.

Example:
    >>> Draw({}, Positives.of(NONE), seed=0).draw(SampleKind.UNIFORM, Amount(5))
    []
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from rushes.model.actions import ActionSpace
from rushes.model.sample_table import Samples
from rushes.model.samples import SampleKind, samples_frame
from rushes.prepare.negatives.album import Album, Pixels
from rushes.prepare.negatives.amounts import Amount, order_of, share
from rushes.prepare.negatives.kinds import BORROWED, Picks, candidates
from rushes.prepare.negatives.scenes import Bools, Ints, Positives, Scene
from rushes.store.alike import closest, nearest

NONE: Final = Samples(samples_frame(), ActionSpace.from_names([]))
"""A set without rows."""
SAME: Final = "same_pictures"
"""Reason of what shows the pictures of a positive: a static scene, a screen that comes again."""


@dataclass
class Draw:
    """Negatives for all controls over the scenes of all sessions, as they are drawn.

    Attributes:
        scenes: Control -> its scenes in the order of session ids.
        positives: What the amounts count, and whose actions are borrowed.
        seed: Of all draws.
        shifts: By how many frames shifted pixels lie apart from their action.
        album: Where pictures are looked at; None leaves them alone.
        lost: Kind -> candidates that were not taken, by reason.
        report: Kind -> `amount`, and the numbers of `wanted`, `candidates` and `found`.
    """

    scenes: Mapping[str, Sequence[Scene]]
    positives: Positives
    seed: int
    shifts: Sequence[int] = ()
    album: Album | None = None
    lost: dict[str, Counter[str]] = field(default_factory=dict)
    report: dict[str, dict[str, Any]] = field(default_factory=dict)

    def draw(self, kind: SampleKind, amount: Amount) -> list[Picks]:
        """Choose the rows of a kind, and mark their frames as taken.

        Args:
            kind: Any but `positive`.
            amount: A number is shared out over the controls; a factor counts the positives of each.

        Returns:
            What is taken, a part or two a session and control.
        """
        why = Counter[str]()
        strata = [[p for scene in scenes for p in self._parts(kind, scene, why)] for scenes in self.scenes.values()]
        there = [sum(map(len, several)) for several in strata]
        offered = sum(there) + why.total()
        total = amount.number >= 0 and not amount.per_positive
        counts = [
            amount.wanted(positives=len(self.positives.of_control(control)), found=found)
            for control, found in zip(self.scenes, there, strict=True)
        ]
        wanted = round(amount.number) if total else sum(counts)
        counts = share(wanted, there) if total else [min(pair) for pair in zip(counts, there, strict=True)]
        chosen: list[Picks] = []
        for control, several, count in zip(self.scenes, strata, counts, strict=True):
            numbers = share(count, [len(part) for part in several])
            if kind == SampleKind.HARD:
                found = self._alike(control, several, count, why)
            elif kind in BORROWED and self.album is not None:
                found = self._unlike(several, numbers, self.album, why)
            else:
                found = [part[:number] for part, number in zip(several, numbers, strict=True)]
            for picks in found:
                picks.scene.taken[picks.rows] = True
            chosen += found
        many = sum(map(len, chosen))
        why["not_drawn"] += offered - why.total() - many
        self.lost[kind.value] = +why
        self.report[kind.value] = {"amount": str(amount), "wanted": wanted, "candidates": offered, "found": many}
        return [picks for picks in chosen if len(picks)]

    def look(self, kinds: Iterable[SampleKind]) -> None:
        """Look at all pictures that kinds compare whatever is drawn, in one pass a session."""
        if self.album is None or SampleKind.HARD not in kinds:
            return
        wanted: dict[str, list[Ints]] = {}
        for control, scenes in self.scenes.items():
            for scene in scenes:
                mine = self._visible(control, scene)
                frames = scene.track.frames.frame_index[scene.free]
                wanted.setdefault(scene.session, []).extend((frames, self.positives.last[mine]))
        self.album.look(wanted)

    def _parts(self, kind: SampleKind, scene: Scene, why: Counter[str]) -> list[Picks]:
        """Give the candidates of a scene in their shuffled order, in parts that are drawn from alike."""
        found, lost = candidates(kind, scene, self.positives, seed=self.seed, shifts=self.shifts)
        why.update(lost)
        found = found[order_of(len(found), self.seed, scene.session, scene.control, kind)]
        if kind != SampleKind.NEAR_MISS:
            return [found]
        before = scene.track.since[found.rows] < 0
        return [found[before], found[~before]]  # as many before presses as after them, where there are

    def _visible(self, control: str, scene: Scene) -> Ints:
        """Number the positives of a scene that stand on one of its frames."""
        mine = self.positives.of_control(control, [scene.session])
        return mine[scene.track.frames.rows(self.positives.last[mine]) >= 0]

    def _alike(self, control: str, several: Sequence[Picks], count: int, why: Counter[str]) -> list[Picks]:
        """Take the frames that look most like the positives of the control, but are no equal pictures."""
        album = self.album
        assert album is not None
        if not several:
            return []
        shown = [(part.scene.session, self._visible(control, part.scene)) for part in several]
        positive = np.concatenate([np.zeros(0, np.int64), *(mine for _, mine in shown)])
        last = self.positives.last
        seen = np.concatenate([album.small(session, last[mine]) for session, mine in shown])
        differ = []
        for part in several:
            whole = Picks.of(part.scene, np.sort(part.rows))
            same = self._known(whole, positive, seen, album)
            why[SAME] += int(same.sum())
            differ.append(whole[~same])
        tiny = [album.small(part.scene.session, part.last) for part in differ]
        matches = nearest(seen, np.concatenate(tiny), count)
        place = np.array([match.candidate for match in matches], np.int64)
        like = positive[np.array([match.positive for match in matches], np.int64)]
        far = np.array([match.distance for match in matches])
        starts = np.cumsum([0, *map(len, differ)])
        found = []
        for part, first, stop in zip(differ, starts[:-1], starts[1:], strict=True):
            at = np.flatnonzero((place >= first) & (place < stop))
            found.append(Picks(part.scene, part.rows[place[at] - first], like[at], far[at]))
        return found

    def _known(self, part: Picks, positive: Ints, seen: Pixels, album: Album) -> Bools:
        """Say which of them show the pictures of any positive; `seen` are the tiny pictures of the positives."""
        if not len(positive) or not len(part):
            return np.zeros(len(part), bool)
        session, here = self.positives.session[positive], part.scene.session
        names = sorted(set(session))
        content = [album.content(name, self.positives.last[positive[session == name]]) for name in names]
        same = np.isin(album.content(here, part.last), np.concatenate(content))
        if album.lossy & {here, *names}:
            near = positive[closest(album.small(here, part.last), seen)]
            same |= self._shows(part, near, album)
        return np.asarray(same, bool)

    def _shows(self, part: Picks, positive: Ints, album: Album) -> Bools:
        """Say which of them show the pictures of the positive with the number beside it; -1 stands for none."""
        same = np.zeros(len(part), bool)
        session = np.where(positive >= 0, self.positives.session[positive], "")
        for name in sorted(set(session) - {""}):
            at = np.flatnonzero(session == name)
            same[at] = album.same(part.scene.session, part.last[at], name, self.positives.last[positive[at]])
        return same

    def _unlike(self, several: Sequence[Picks], numbers: Sequence[int], album: Album, why: Counter[str]) -> list[Picks]:
        """Take the first of each part whose pictures differ from those of the positive whose action they carry."""
        found = [part[:0] for part in several]
        left = list(several)
        while True:
            wanted = [number - len(done) for number, done in zip(numbers, found, strict=True)]
            turn = [part[:more] for part, more in zip(left, wanted, strict=True)]
            if not any(map(len, turn)):
                return found
            left = [part[more:] for part, more in zip(left, wanted, strict=True)]
            for number, (part, same) in enumerate(zip(turn, self._same(turn, album), strict=True)):
                why[SAME] += int(same.sum())
                found[number] += part[~same]

    def _same(self, turn: Sequence[Picks], album: Album) -> list[Bools]:
        """Say which of them show the pictures of their positive."""
        scenes = {scene.session: scene for several in self.scenes.values() for scene in several}
        wanted: dict[str, list[Ints]] = {}
        visible = []
        for part in turn:
            session, last = self.positives.session[part.positive], self.positives.last[part.positive]
            there = np.zeros(len(part), bool)
            for name in set(session) & set(scenes):
                at = np.flatnonzero(session == name)
                there[at] = scenes[name].track.frames.rows(last[at]) >= 0
                wanted.setdefault(name, []).append(last[at[there[at]]])
            visible.append(np.where(there, part.positive, -1))
            wanted.setdefault(part.scene.session, []).append(part.last)
        album.look(wanted)
        return [self._shows(part, positive, album) for part, positive in zip(turn, visible, strict=True)]

"""A choice of games: the recordings of some games out of a set, with all others accounted for.

Example:
    >>> from rushes.model.recording import Sessions
    >>> of_games(Sessions([], format="session"), ())
    <Sessions from session: 0 recordings, 0 frames>
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rushes.model.findings import Problem
from rushes.model.ledger import Account, Ledger
from rushes.model.recording import Recording, Sessions
from rushes.model.sample_table import Samples
from rushes.store.choose import games_named, listed

OTHER: Final = "other_game"
"""Reason in the ledger."""


def of_games(source: Sessions, games: str | Sequence[str] | None) -> Sessions:
    """Leave out what is of other games.

    Args:
        source: Any set; rows of samples go with the recording that their pixels are from.
        games: Names of games, exact but for case; none means all.

    Returns:
        The set without the others, in the same order. What is left out is lost as `other_game` in its ledger, and a
        problem says how many recordings, of which games.

    Raises:
        BadNameError: A game that is not there; the message lists those that are.
    """
    if not listed(games):
        return source
    wanted = games_named(games, {recording.info.game for recording in source})
    kept = [recording for recording in source if recording.info.game in wanted]
    others = [recording for recording in source if recording.info.game not in wanted]
    if not others:
        return source
    ledger = source.over([]).ledger  # what concerns the whole path
    ledger += sum((_left_out(recording) for recording in others), Ledger())
    ledger += sum((_frames(recording) for recording in kept if "frames" not in recording.ledger), Ledger())
    samples = source.samples
    if samples is not None:
        samples = _rows_of(samples, kept)
        ledger = Ledger({**ledger, "samples": _fewer(ledger.get("samples"), len(source.samples or ()), len(samples))})
    names = ", ".join(f"{name} ({count})" for name, count in sorted(Counter(r.info.game for r in others).items()))
    sentence = f"sessions of games that were not asked for are left out: {names}"
    problem = Problem(OTHER, others[0].info.id, len(others), sentence)
    return Sessions(
        kept, format=source.format, problems=(*source.own_problems, problem), ledger=ledger, samples=samples
    )


def _left_out(recording: Recording) -> Ledger:
    accounts = recording.ledger if "frames" in recording.ledger else recording.ledger + _frames(recording)
    return Ledger(
        {
            stream: Account(a.offered, 0, dict(Counter(a.lost) + Counter({OTHER: a.kept})))
            for stream, a in accounts.items()
        }
    )


def _frames(recording: Recording) -> Ledger:
    return Ledger({"frames": Account(recording.frame_count, recording.frame_count)})


def _rows_of(samples: Samples, kept: Sequence[Recording]) -> Samples:
    rows = samples.rows[samples.rows["session"].isin([recording.info.id for recording in kept])]
    return replace(samples, rows=rows.reset_index(drop=True))


def _fewer(account: Account | None, before: int, after: int) -> Account:
    found = account or Account(before, before)
    return replace(found, kept=after, lost=dict(Counter(found.lost) + Counter({OTHER: before - after})))

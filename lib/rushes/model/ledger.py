"""The ledger: nothing is lost silently, and the sums balance.

For each stream: `offered` things came in, `kept` of them are there, and each one that is not stands under the
reason why. What is there but is not plain (a duplicate, a late frame, an action without its outcome) is marked.

Example:
    >>> tally = Tally()
    >>> tally.offer("frames", 10)
    >>> tally.lose("frames", "truncated_png", 1)
    >>> ledger = tally.close()
    >>> ledger["frames"].kept, ledger.balances
    (9, True)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Account:
    """One stream's sums.

    Attributes:
        offered: How many came in.
        kept: How many are there.
        lost: Reason -> how many are not.
        marked: Remark -> how many of the kept ones carry it.
    """

    offered: int = 0
    kept: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    marked: Mapping[str, int] = field(default_factory=dict)

    @property
    def balances(self) -> bool:
        """Whether kept and lost make up what was offered."""
        return self.offered == self.kept + sum(self.lost.values())

    def __add__(self, other: Account) -> Account:
        return Account(
            self.offered + other.offered,
            self.kept + other.kept,
            dict(Counter(self.lost) + Counter(other.lost)),
            dict(Counter(self.marked) + Counter(other.marked)),
        )


@dataclass(frozen=True)
class Ledger(Mapping[str, Account]):
    """Stream name -> account.

    Attributes:
        accounts: The accounts by stream name (`frames`, `actions`, `events`, `episodes` ...).
    """

    accounts: Mapping[str, Account] = field(default_factory=dict)

    def __getitem__(self, stream: str) -> Account:
        return self.accounts[stream]

    def __iter__(self) -> Iterator[str]:
        return iter(self.accounts)

    def __len__(self) -> int:
        return len(self.accounts)

    @property
    def balances(self) -> bool:
        """Whether every account balances."""
        return all(account.balances for account in self.accounts.values())

    def __add__(self, other: Ledger) -> Ledger:
        streams = {**self.accounts, **other.accounts}
        return Ledger({s: self.accounts.get(s, Account()) + other.accounts.get(s, Account()) for s in streams})

    def to_json(self) -> dict[str, Any]:
        """Return the accounts as plain JSON values."""
        return {
            s: {"offered": a.offered, "kept": a.kept, "lost": dict(a.lost), "marked": dict(a.marked)}
            for s, a in self.accounts.items()
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ledger:
        """Rebuild a ledger from `to_json()`."""
        return cls({s: Account(a["offered"], a["kept"], a["lost"], a["marked"]) for s, a in value.items()})


class Tally:
    """A ledger in the making: count what comes in and what is lost; what is kept follows."""

    def __init__(self) -> None:
        self._offered: Counter[str] = Counter()
        self._lost: dict[str, Counter[str]] = {}
        self._marked: dict[str, Counter[str]] = {}

    def offer(self, stream: str, count: int = 1) -> None:
        """Count things that came in."""
        self._offered[stream] += count

    def lose(self, stream: str, reason: str, count: int = 1) -> None:
        """Count things that came in and are not kept, under a reason."""
        if count:
            self._lost.setdefault(stream, Counter())[reason] += count

    def mark(self, stream: str, remark: str, count: int = 1) -> None:
        """Count kept things that carry a remark."""
        if count:
            self._marked.setdefault(stream, Counter())[remark] += count

    def close(self) -> Ledger:
        """Return the ledger as it stands."""
        accounts = {}
        for stream in self._offered | dict.fromkeys(self._lost, 0) | dict.fromkeys(self._marked, 0):
            lost = dict(self._lost.get(stream, {}))
            offered = self._offered[stream]
            accounts[stream] = Account(offered, offered - sum(lost.values()), lost, dict(self._marked.get(stream, {})))
        return Ledger(accounts)

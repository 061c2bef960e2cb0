"""What the command line shows: text and one JSON object on standard output, complaints and bars on standard error.

Example:
    >>> say("done")
    done
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from rushes.model.findings import Finding
from rushes.model.ledger import Ledger


def say(text: str = "") -> None:
    """Print a line on standard output."""
    print(text)  # noqa: T201 - this is where the command line speaks


def note(text: str) -> None:
    """Print a line on standard error: what accompanies the output and is not part of it."""
    print(text, file=sys.stderr)  # noqa: T201 - this is where the command line speaks


def complain(text: str) -> None:
    """Print an error."""
    print(f"rushes: {text}", file=sys.stderr)  # noqa: T201 - this is where the command line speaks


def emit(value: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    print(json.dumps(value, indent=1, ensure_ascii=False))  # noqa: T201 - this is where the command line speaks


class Bar:
    """One progress bar; call it with (done, total, what)."""

    def __init__(self, unit: str) -> None:
        self._bar = tqdm(unit=unit, file=sys.stderr, dynamic_ncols=True, mininterval=0.3, leave=True)

    def __call__(self, done: int, total: int, what: str) -> None:
        """Move to `done` of `total`."""
        self._bar.total = total
        self._bar.set_postfix_str(what, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """End the line."""
        self._bar.close()


@contextmanager
def bar(unit: str) -> Iterator[Bar]:
    """Show a progress bar while the block runs."""
    shown = Bar(unit)
    try:
        yield shown
    finally:
        shown.close()


class Line:
    """One line that is written again and again on standard error; a line each now and then where it is no terminal."""

    def __init__(self, every: int = 20) -> None:
        self._every, self._count, self._width = every, 0, 0
        self._terminal = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        """Show a text in place of the last one."""
        if self._terminal:
            columns = shutil.get_terminal_size().columns - 1
            shown = text[:columns]
            sys.stderr.write("\r" + shown.ljust(self._width))
            sys.stderr.flush()
            self._width = len(shown)
        elif not self._count % self._every:
            note(text)
        self._count += 1

    def close(self) -> None:
        """End the line."""
        if self._terminal and self._count:
            sys.stderr.write("\n")


def say_ledger(ledger: Ledger) -> None:
    """Print what came in, what is kept and what is lost, a line a stream."""
    for stream, account in ledger.items():
        lost = ", ".join(f"{n} {reason}" for reason, n in account.lost.items()) or "none lost"
        marked = "".join(f"; {n} {remark}" for remark, n in account.marked.items())
        say(f"  {stream}: {account.offered} came in, {account.kept} kept, {lost}{marked}")


def say_findings(findings: list[Finding]) -> None:
    """Print findings, a line each; rules that cannot tell share one."""
    for finding in findings:
        if not finding.tells_nothing:
            say(f"  {finding.severity:8s}{finding.check}: {finding.sentence}")
    silent = dict.fromkeys(finding.check for finding in findings if finding.tells_nothing)
    if silent:
        say(f"  info    {len(silent)} rules cannot tell ({', '.join(silent)}); --json says why")

"""Recall and false alarms of every rule: faults that are put in, and sessions that have none.

Run it with `make bench` or `python benchmarks/checks.py`; `--injections 6 --clean 20 --no-speed` is a short form.

- Recall: for each rule a fault is put into sessions again and again, at strengths from weak to strong, at places, of
  lengths and colours that are drawn (`injected/`). A rule has to find it from the stated strength on in at least 95 %
  of the cases; the table also says from which strength on it finds half of them and 95 % of them. A rule without a
  fault, and without a reason why it has none, fails the benchmark.
- False alarms: sessions that no injector made, each with all rules: all Atari games by several players, the jump game,
  other environments, a desktop game recorded for real, recorded play as H.264, and imports, which are such sessions
  written in foreign formats and read back. A rule may speak (more than `info`) on at most 1 % of them. They are built
  once under `--work` and found there the next time.
- Speed: all rules over ten minutes of 640 x 360 H.264 against decoding the film once; the quick rules on that session
  in a fresh process, after the imports.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from injected.clean import Asked, Clean, alarms, clean_sessions
from injected.judge import Injection, Outcome, injections, judge_all, load_faults, unplanned
from injected.plan import FAULTS, NOT_INJECTED
from injected.speed import speed
from rushes.qa.base import every_rule
from rushes.qa.rules import Rule

RECALL, ALARMS = 0.95, 0.01
RATIO, QUICK_MS = 3.0, 50.0


def chosen_rules(text: str) -> list[Rule]:
    """Give the rules that are named, by id or the beginning of one; all where nothing is."""
    wanted = tuple(part.strip() for part in text.split(",") if part.strip())
    return [rule for rule in every_rule().values() if not wanted or rule.id.startswith(wanted)]


def found_from(rule: str, outcomes: Sequence[Outcome], share: float) -> str:
    """Say from which strength on at least that share is found, for each of a rule's faults."""
    said = []
    for number, fault in enumerate(FAULTS[rule]):
        from_here = None
        for strength in reversed(fault.strengths):
            mine = [o.found for o in outcomes if o.injection[1:3] == (number, strength)]
            if not mine or sum(mine) < share * len(mine):
                break
            from_here = strength
        said.append("never" if from_here is None else f"{from_here:g}")
    return " | ".join(said)


def stated_on(outcome: Outcome) -> tuple[float, ...]:
    """Give the strengths at which such a fault has to be found."""
    return FAULTS[outcome.injection.rule][outcome.injection.fault].from_stated_on


def row(rule: Rule, outcomes: Sequence[Outcome], spoke: Counter[str], clean: int) -> dict[str, Any]:
    """Sum up one rule."""
    counted = [o for o in outcomes if o.injection.strength in stated_on(o)]
    hits, alarm = sum(o.found for o in counted), spoke[rule.id]
    faults = FAULTS.get(rule.id, [])
    short = [name for name, bad in (
        ("no plan", not faults and rule.id not in NOT_INJECTED),
        ("recall", bool(counted) and hits < RECALL * len(counted)),
        ("false alarms", bool(clean) and alarm > ALARMS * clean),
    ) if bad]  # fmt: skip
    return {
        "rule": rule.id,
        "limit": rule.limit,
        "unit": rule.unit,
        "stated": [f"{fault.stated:g} {fault.unit}" for fault in faults],
        "half_from": found_from(rule.id, outcomes, 0.5) if outcomes else "",
        "most_from": found_from(rule.id, outcomes, RECALL) if outcomes else "",
        "found": hits,
        "injected": len(counted),
        "injected_in_all": len(outcomes),
        "alarms": alarm,
        "clean": clean,
        "not_injected": NOT_INJECTED.get(rule.id, ""),
        "short": short,
    }


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print the table."""
    head = ("rule", "limit", "50 % from", "95 % from", "stated", "found", "alarms", "")
    lines = [head]
    for one in rows:
        limit = "" if one["limit"] is None else f"{one['limit']:g} {one['unit']}"
        found = f"{one['found']}/{one['injected']}" if one["injected"] else "-"
        alarm = f"{one['alarms']}/{one['clean']}"
        verdict = "FALLS SHORT: " + ", ".join(one["short"]) if one["short"] else "holds"
        stated = " | ".join(one["stated"]) or f"not injected: {one['not_injected'] or 'NO REASON'}"
        lines.append((one["rule"], limit, one["half_from"], one["most_from"], stated, found, alarm, verdict))
    widths = [min(46, max(len(line[k]) for line in lines)) for k in range(len(head))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def apart(environments: bool, asked: Sequence[Asked]) -> None:
    """Say which rules speak on more than their share of one half of the sessions: for many rules it is the smaller."""
    per_rule = Counter(alarm.rule for one in asked for alarm in one.alarms)
    over = [f"{name} on {count}" for name, count in per_rule.most_common() if count > ALARMS * len(asked)]
    what = "of environments" if environments else "of recorded play"
    print(f"  {len(asked)} {what}: rules that speak on more than {ALARMS:.0%}: {', '.join(over) or 'none'}")


def with_count(what: str, several: Iterable[Any], total: int) -> Iterator[Any]:
    """Pass things on and say on a terminal how many there were."""
    for number, one in enumerate(several, 1):
        if sys.stderr.isatty():
            print(f"\r{number} of {total} {what}", end="\n" * (number == total), file=sys.stderr)
        yield one


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", default="", help="ids or beginnings of ids, with commas: timing,content.black")
    parser.add_argument("--injections", type=int, default=60, help="a rule, from the stated strength on; 0: none")
    parser.add_argument("--clean", type=int, default=360, help="sessions without a fault; 0: none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=10_000)
    parser.add_argument("--work", type=Path, help="folder that keeps what is built; a temporary one by default")
    parser.add_argument("--no-speed", action="store_true", help="do not measure the time that rules take")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument(
        "--misses", action="store_true", help="name each fault that should have been found and each false alarm"
    )
    return parser.parse_args()


def main() -> int:
    """Print the figures; exit 1 when one falls short."""
    options = parse()
    load_faults()
    started = time.perf_counter()
    rules = chosen_rules(options.rules)
    with tempfile.TemporaryDirectory(prefix="rushes-checks-") as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        todo = [
            one
            for rule in rules
            for number, fault in enumerate(FAULTS.get(rule.id, []))
            for one in injections(
                fault, number, count=-(-options.injections // len(FAULTS[rule.id])), seed=options.seed + 100 * number
            )
        ] if options.injections else []  # fmt: skip
        outcomes = list(with_count("faults", judge_all(todo, work, workers=options.workers), len(todo)))
        cleans: list[Clean] = clean_sessions(work, options.clean, seed=options.seed, workers=options.workers)
        heard = alarms(cleans, [rule.id for rule in rules], workers=options.workers)
        asked = list(with_count("clean sessions", heard, len(cleans)))
        timed = {} if options.no_speed else speed(work)
    spoke = [alarm for one in asked for alarm in one.alarms]
    per_rule = Counter(rule for rule, _ in {(a.rule, a.session) for a in spoke})
    rows = [
        row(rule, [o for o in outcomes if o.injection.rule == rule.id], per_rule, len(cleans)) for rule in rules
    ]  # fmt: skip
    unknown = sorted(set(per_rule) - set(every_rule()))
    slow = [name for name, (value, limit) in timed.items() if limit and value > limit]
    few = len(cleans) < options.clean
    good = not any(one["short"] for one in rows) and not slow and not few
    missed = [o for o in outcomes if not o.found and o.injection.strength in stated_on(o)]
    if options.json:
        print(json.dumps({"rows": rows, "speed": timed, "clean": dict(Counter(c.kind for c in cleans)),
                          "other": {name: per_rule[name] for name in unknown}, "good": good}))  # fmt: skip
        return int(not good)
    show(rows)
    judged, caught = sum(one["injected"] for one in rows), sum(one["found"] for one in rows)
    print(f"\n{len(rows)} rules, {len(todo)} faults put in; from the stated strength on {caught} of {judged} found")
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(c.kind for c in cleans).items())
    loud = len({a.session for a in spoke})
    print(f"{len(cleans)} sessions without a fault ({kinds}); some rule speaks on {loud} of them"
          + (f"; {options.clean} were asked for: FALLS SHORT" if few else ""))  # fmt: skip
    for kind in (False, True) if cleans else ():
        apart(kind, [one for one in asked if one.environment == kind])
    for name in unknown:
        print(f"  beside the rules: {name} on {per_rule[name]}")
    for name, (value, limit) in timed.items():
        print(f"  {name:58s} {value:8.2f}" + (f"  at most {limit:g}: {'FALLS SHORT' if value > limit else 'holds'}"
                                                if limit else ""))  # fmt: skip
    if options.misses:
        for outcome in missed:
            at: Injection = outcome.injection
            print(f"  missed {at.rule} [{at.fault}] at {at.strength:g}, seed {at.seed}"
                  f"{' (spoke before)' if outcome.before else ''}: {outcome.told[:300]}")  # fmt: skip
        for alarm in spoke:
            print(f"  alarm {alarm.rule} on {alarm.session}: {alarm.sentence[:300]}")
    for name in unplanned(rule.id for rule in rules):
        print(f"  no fault is put in for {name}, and there is no reason why")
    print(f"{time.perf_counter() - started:.0f} s")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())

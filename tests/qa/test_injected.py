"""Faults that are put in are found, and nothing is said before: a handful of rules; benchmarks/checks.py has them all.

The faults are those of the benchmark, which a person wrote from each rule's sentence; every rule has one, or a reason.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rushes.qa.base import every_rule

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from injected.judge import Injection, injections, judge, load_faults, unplanned
from injected.plan import FAULTS, NOT_INJECTED

load_faults()
HANDFUL = (
    "timing.gap",
    "timing.tick",
    "actions.impossible_pairs",
    "actions.repeats",
    "structure.frames",
    "actions.superhuman",
)
SLOW = {"alignment.drift"}
"""Ten minutes of play a case: the benchmark alone has the time."""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("injected")


def test_every_rule_has_a_fault_or_a_reason_why_not():
    assert unplanned(every_rule()) == []
    assert set(FAULTS) | set(NOT_INJECTED) <= set(every_rule())
    assert not set(FAULTS) & set(NOT_INJECTED)


def test_faults_say_what_is_wrong_and_grow():
    for rule, faults in FAULTS.items():
        for fault in faults:
            assert len(fault.what) > 10, rule
            assert list(fault.strengths) in (sorted(fault.strengths), sorted(fault.strengths, reverse=True)), rule


@pytest.mark.parametrize("rule", HANDFUL)
def test_a_fault_of_the_stated_strength_is_found(rule, work):
    outcomes = [judge(Injection(rule, 0, FAULTS[rule][0].stated, seed), work) for seed in (20, 31)]
    assert [o.told for o in outcomes if not o.found] == []


@pytest.mark.parametrize(("rule", "strength"), [("timing.gap", 100), ("actions.impossible_pairs", 1.0)])
def test_a_fault_far_below_the_limit_is_borne(rule, strength, work):
    assert not judge(Injection(rule, 0, strength, 20), work).found


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("rule", sorted(set(FAULTS) - SLOW))
def test_ten_faults_of_each_rule_are_found(rule, work):
    for number, fault in enumerate(FAULTS[rule]):
        strong = [i for i in injections(fault, number, count=10, seed=300) if i.strength in fault.from_stated_on]
        outcomes = [judge(one, work) for one in strong[:10]]
        assert sum(o.found for o in outcomes) >= 9, [o.told for o in outcomes if not o.found]

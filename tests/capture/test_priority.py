"""Threads that stamp ask to be woken at once, and are content with what they get."""

import os
import sys
import threading

import pytest

from rushes.capture.merge import Merge
from rushes.capture.priority import urgent
from rushes.model.clock import Clock


def on_a_thread(act):
    found = []
    thread = threading.Thread(target=lambda: found.append(act()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(sys.platform != "linux", reason="the scheduler is asked by Linux's calls")
def test_it_says_what_it_got_and_leaves_other_threads_alone():
    def act():
        got = urgent()
        return got, os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.getpriority(os.PRIO_PROCESS, 0)

    before = os.sched_getscheduler(0)
    assert not before & os.SCHED_RESET_ON_FORK, "another test raised this thread"
    got, policy, nice = on_a_thread(act)
    assert (got == "realtime") == (policy == os.SCHED_RR)
    if got == "raised":
        assert nice == -11
    assert os.sched_getscheduler(0) == before
    assert on_a_thread(lambda: os.sched_getscheduler(0)) == before


def test_where_nothing_is_granted_the_sources_run_all_the_same(monkeypatch):
    def refused(*_):
        raise PermissionError

    monkeypatch.setattr("os.sched_setscheduler", refused, raising=False)
    monkeypatch.setattr("os.setpriority", refused, raising=False)
    assert urgent() == "normal"

    class Once:
        name, essential = "screen", True

        def run(self, clock, emit, stop):
            stop.wait(1)

    merge = Merge([Once()], Clock())
    merge.start()
    merge.stop()
    assert merge.ends() == []

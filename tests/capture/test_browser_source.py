"""What a page sent, as readings on the session's clock, by hand numbers: new sizes, new joins, rows from before."""

import contextlib
import queue
import threading

import numpy as np

from rushes.capture.browser.clock_join import Sample
from rushes.capture.browser.messages import Break, Ending, Missing, Picture, Told
from rushes.capture.browser.page_source import Joins, PageSource
from rushes.capture.input.gate import Gate
from rushes.capture.source import SourceEnd
from rushes.model.clock import Clock
from rushes.model.readings import Frame, Gap, Lost, Telemetry

MS = 1_000_000
PIXELS = np.zeros((2, 2, 3), np.uint8)


class Link:
    """A page that has said all that it says."""

    def __init__(self, messages):
        self.inbox = queue.SimpleQueue()
        for message in messages:
            self.inbox.put(message)

    def go(self):
        pass

    def refuse(self, error):
        raise error


def answer(at_ms, offset_ms, round_trip_ms):
    """An answer that came midway of a round trip, from a page whose clock is that much behind."""
    half = round_trip_ms / 2
    return Sample(round((at_ms - half) * MS), at_ms - offset_ms, round((at_ms + half) * MS))


def emitted(*messages):
    """What becomes of messages on a clock that shows a minute."""
    clock = Clock(start_ns=60_000 * MS)
    moved = [
        message._replace(sent_ns=message.sent_ns + clock.zero_ns, received_ns=message.received_ns + clock.zero_ns)
        if isinstance(message, Sample)
        else message
        for message in messages
    ]
    found = []
    source = PageSource(Link(moved), Gate(frozenset(), scope="anywhere"), 10.0, Joins())
    with contextlib.suppress(SourceEnd):
        source.run(clock, found.append, threading.Event())
    return found


def readings(*messages):
    """What becomes of messages: (kind, ms) of what is kept, and what is lost."""
    found = emitted(*messages)
    kept = [(type(r), r.t_ns / MS) for r in found if not isinstance(r, Lost)]
    return kept, [r[1:] for r in found if isinstance(r, Lost)]


def picture(t_ms, tick):
    return Picture(t_ms, tick, False, 0, PIXELS, None)


def test_a_picture_of_the_moment_at_which_the_size_changed_begins_the_next_segment():
    kept, lost = readings(
        answer(900, 0, 2), picture(1000, 0), picture(1100, 1), Break(1200, "resized"), picture(1200, 2),
        Break(1300, "hidden"), Break(1300, "pause"), picture(1300, 3), Ending(1400, "stop"),
    )  # fmt: skip
    assert kept == [
        (Frame, 1000), (Frame, 1100), (Gap, 1200), (Frame, 1200), (Gap, 1300), (Gap, 1300), (Frame, 1300), (Gap, 1400),
    ]  # fmt: skip
    assert lost == []


def test_a_better_join_waits_where_it_would_begin_a_segment_inside_the_one_before():
    # the page is 500 ms behind by a slow answer, 499.5 ms by a quick one that comes later
    kept, lost = readings(
        answer(900, 500, 4), picture(500, 0), answer(1100, 499.5, 1), picture(600, 1),
        Break(700, "resized"), picture(700, 2), Break(800, "pause"), picture(900, 4), Ending(1000, "stop"),
    )  # fmt: skip
    assert kept == [
        (Frame, 1000), (Frame, 1100), (Gap, 1200), (Frame, 1200), (Gap, 1300), (Frame, 1399.5), (Gap, 1499.5),
    ]  # fmt: skip
    assert lost == []


def test_a_row_from_before_its_segment_is_counted():
    kept, lost = readings(
        answer(900, 0, 2), picture(1000, 0), Told(400, {"k": 1}), Told(1000, {"k": 2}), Break(1100, "pause"),
        picture(1500, 5), Told(1050, {"k": 3}), Ending(1600, "stop"),
    )  # fmt: skip
    assert kept == [(Frame, 1000), (Telemetry, 1000), (Gap, 1100), (Frame, 1500), (Gap, 1600)]
    assert lost == [("telemetry", "between_segments", 1)] * 2


def test_a_picture_that_the_page_could_not_read_is_a_tick_without_one_wherever_another_follows():
    unread = Missing(1100, "frames", "not_read", 2)
    found = emitted(
        answer(900, 0, 2), unread, picture(1000, 0), unread, picture(1300, 3), unread._replace(t_ms=1400),
        Break(1500, "pause"), picture(1600, 6), unread._replace(t_ms=1700), Ending(1800, "stop"),
    )  # fmt: skip
    assert [(r.tick, r.dropped_before) for r in found if isinstance(r, Frame)] == [(0, 0), (3, 2), (6, 0)]
    assert [r[1:] for r in found if isinstance(r, Lost)] == [("frames", "not_read", 2)] * 3

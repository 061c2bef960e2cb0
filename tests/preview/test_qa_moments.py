"""Strips of frames: which frames, which inputs, and what stands under them."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from qa_play import MS, Play, evenly

from rushes.errors import MissingError
from rushes.model.findings import Finding
from rushes.preview.html import Html, Shown
from rushes.preview.qa_answers import answers, clearest, part
from rushes.preview.qa_frames import interval_histogram
from rushes.preview.qa_glance import glance, glance_sheet
from rushes.preview.qa_moments import worst_moments
from rushes.preview.qa_stretch import Stretch, pixels_of
from rushes.qa.alignment.measured import Offset
from rushes.qa.rules import Limits

OFFSET = Offset("input_picture", ms=200.0, low_ms=190.0, high_ms=210.0)
PLAY = Play([evenly(100), evenly(60, start_ms=9000.0)], presses_ms=(1010, 2520, 9990))


def test_the_answering_frame_is_the_first_at_or_after_stamp_and_offset():
    found = clearest(PLAY, OFFSET, most=3)
    assert [(one.t_ns // MS, one.stamped, one.answered) for one in sorted(found, key=lambda x: x.t_ns)] == [
        (1010, 21, 25),  # frames every 50 ms: the first from 1010 on is 1050, from 1210 on 1250
        (2520, 51, 55),
        (9990, 100 + 20, 100 + 24),
    ]
    for one in found:
        assert one.control == "Space"
        assert one.clear > 150, "black before, white then"
        assert 0.7 < one.at[0] < 1
        assert 0.6 < one.at[1] < 0.95
    own = Offset("input_picture", ms=150.0, low_ms=140.0, high_ms=160.0, game_latency_ms=50.0)
    assert clearest(PLAY, own, most=3) == found, "what the game takes was taken off the offset, and not off the picture"
    wrong = clearest(PLAY, Offset("input_picture", ms=100.0), most=3)
    assert max(one.clear for one in wrong) < 1, "nothing answers there"


def test_without_an_offset_or_an_input_there_is_nothing_to_show():
    assert clearest(PLAY, Offset("input_picture", reason="idle")) == ()
    assert clearest(Play([evenly(100)]), OFFSET) == ()
    assert isinstance(answers(PLAY, ()), Html)


def test_strips_of_inputs_and_of_findings_are_pictures_that_say_their_frames():
    inputs = clearest(PLAY, OFFSET)
    assert isinstance(answers(PLAY, inputs), Shown)
    assert isinstance(answers(PLAY, inputs, at_ms=-120.0), Shown)
    late = Finding("alignment.offset", "warning", "", "play-1", t_ns=3_000 * MS, value=200.0, limit=150.0)
    gap = Finding("timing.gap", "error", "", "play-1", t_ns=1_049 * MS)
    other = Finding("timing.late", "error", "", "another", frame_index=3)
    remark = Finding("content.dark", "info", "", "play-1", frame_index=3)
    shown = worst_moments(PLAY, [late, gap, other, remark], inputs=inputs)
    assert f"timing.gap at frame 20, alignment.offset at frame {inputs[0].answered}" in shown.alt
    assert "content" not in shown.alt
    assert "timing.late" not in shown.alt
    assert "alignment.offset at frame 60" in worst_moments(PLAY, [late]).alt, "without an input where it was measured"
    nowhere = Finding("content.size", "error", "", "play-1")
    assert "No moment" in repr(worst_moments(PLAY, [nowhere, remark]))


def test_a_stretch_knows_what_was_held_and_a_picture_that_cannot_be_read_is_grey():
    stretch = Stretch.around(PLAY, 20)
    assert [stretch.held(k) for k in (19, 20, 21, 22, 23)] == ["", "Space", "Space", "Space", ""]
    assert (stretch.time_ns(20), stretch.first_from(1_001 * MS), stretch.first_from(10**12)) == (1_000 * MS, 21, 99)
    broken = list(pixels_of(Play([evenly(10)], unreadable=3), [2, 3, 5]))
    assert [int(p.mean()) for p in broken] == [60, 128, 128]
    assert broken[1].shape == (90, 160, 3)


def test_the_part_that_is_shown_stays_inside_the_picture():
    assert part((90, 160), (0.99, 0.5)) == (slice(22, 67), slice(80, 160))
    assert np.zeros((91, 161))[part((91, 161), (0.0, 1.0))].shape == (45, 80)


def test_a_glance_says_length_inputs_and_where_times_come_from():
    text = repr(glance(PLAY, format="session"))
    assert "8.0 s, 160 frames" in text
    assert "3 presses (Space 3)" in text
    assert "2, ended by pause (2)" in text
    assert "160 x 90 px, h264, 20 frames a second" in text
    assert "measured when it was recorded" in text
    assert glance_sheet(PLAY).png.startswith(b"\x89PNG")


def test_what_cannot_be_drawn_of_a_damaged_recording_is_said_and_nothing_stops():
    class Damaged(Play):
        def index(self, segment=None):
            raise MissingError("index.parquet: no such file", accepts="a whole session", fix="restore it from a copy")

    broken = Damaged([evenly(10)], presses_ms=(200,))
    assert clearest(broken, OFFSET) == ()
    gap = Finding("timing.gap", "error", "", "play-1", t_ns=1_000 * MS)
    for drawn in (worst_moments(broken, [gap]), interval_histogram(broken, Limits())):
        assert "index.parquet: no such file" in repr(drawn)
        assert "restore it" in repr(drawn)

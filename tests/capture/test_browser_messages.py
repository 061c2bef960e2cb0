"""What a page may say, and what is refused; the clock by hand numbers; how much one play may send."""

import json
import struct
import zlib

import numpy as np
import pytest

from rushes.capture.browser.clock_join import Sample, join
from rushes.capture.browser.messages import BadMessageError
from rushes.capture.browser.parsing import parse_picture, parse_text
from rushes.capture.browser.safety import Allowance, Door, origin_of
from rushes.errors import BadInputError

MS = 1_000_000
HELLO = {"type": "hello", "version": 1, "game": "Rescue", "player": "Ada", "page": "http://x/", "canvas": [360, 640]}


def text(**message):
    return json.dumps(message)


def row(*cells):
    return text(type="events", rows=[[*cells, *[None] * (9 - len(cells))]])


def picture(head, pixels=bytes(12), length=None):
    data = json.dumps(head).encode()
    return struct.pack("<I", len(data) if length is None else length) + data + pixels


HEAD = {"t": 1.0, "tick": 3, "late": False, "dropped": 2, "w": 2, "h": 2, "fields": None}


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no json",
        "[1, 2]",
        '"gap"',
        "null",
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 10_000,
        "x" * (256 * 1024 + 1),
        text(type="shutdown"),
        text(type=["gap"]),
        text(type="hello"),
        text(**HELLO | {"version": 2}),
        text(**HELLO | {"canvas": [0, 640]}),
        text(**HELLO | {"canvas": [True, 640]}),
        text(**HELLO | {"player": {"name": "Ada"}}),
        text(**HELLO | {"attrs": {"deep": {"er": 1}}}),
        text(**HELLO | {"attrs": {f"a{k}": k for k in range(33)}}),
        text(type="gap", t=1, reason="two words"),
        text(type="gap", t=1, reason="x" * 33),
        text(type="gap", t="1", reason="hidden"),
        text(type="gap", t=True, reason="hidden"),
        text(type="gap", t=-1, reason="hidden"),
        text(type="gap", t=1e13, reason="hidden"),
        '{"type": "gap", "t": NaN, "reason": "hidden"}',
        '{"type": "gap", "t": 1e999, "reason": "hidden"}',
        text(type="telemetry", t=1, fields=[1]),
        text(type="telemetry", t=1, fields={"t_ns": 1}),
        text(type="telemetry", t=1, fields={"frame_index": 1}),
        text(type="telemetry", t=1, fields={"a-b": 1}),
        text(type="telemetry", t=1, fields={"a": [1]}),
        text(type="telemetry", t=1, fields={"a": 2**53 + 1}),
        text(type="telemetry", t=1, fields={f"f{k}": 0 for k in range(101)}),
        text(type="lost", t=1, stream="sound", reason="x", count=1),
        text(type="lost", t=1, stream="events", reason="x", count=-1),
        text(type="lost", t=1, stream="events", reason="x", count=1.5),
        text(type="sync", s="1", c=1),
        text(type="events", rows=[[1, "keyboard"]]),
        text(type="events", rows=[[0] * 9] * 4097),
        row(1, "mouse", "KeyW", "press"),
        row(1, "mouse", "MouseDX", "press"),
        row(1, "mouse", "Mouse", "move"),
        row(1, "mouse", "MouseWheel", "scroll"),
        row(1, "keyboard", "KeyW", "press", 2),
        row(1, "keyboard", "KeyW", "move"),
        row(1, "pad0", "SOUTH", "press"),
        row(None, "keyboard", "KeyW", "press"),
    ],
    ids=lambda message: f"{zlib.crc32(message.encode(errors='replace')):08x}",
)
def test_what_no_page_may_say_is_refused_in_three_parts(message):
    with pytest.raises(BadMessageError) as caught:
        parse_text(message)
    assert caught.value.given
    assert caught.value.accepts
    assert caught.value.fix


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 40,
        picture(HEAD, bytes(11)),
        picture(HEAD, bytes(13)),
        picture(HEAD, length=1 << 31),
        picture(HEAD, length=3),
        picture(HEAD | {"w": 1, "h": 4}),
        picture(HEAD | {"late": 1}),
        picture(HEAD | {"tick": -1}),
        picture(HEAD | {"dropped": 1e9}),
        picture(HEAD | {"fields": {"segment": 1}}),
        struct.pack("<I", 2) + b"\xff\xfe" + bytes(12),
        struct.pack("<I", 4) + b"[1] " + bytes(12),
    ],
    ids=range(13),
)
def test_a_picture_that_is_none_is_refused(data):
    with pytest.raises(BadMessageError):
        parse_picture(data, (2, 2))


def test_a_picture_comes_apart_with_its_top_row_first():
    found = parse_picture(picture(HEAD | {"fields": {"fuel": 5}, "new": 1}, bytes(range(12))), (2, 2))
    assert found.pixels.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    assert found.pixels.dtype == np.uint8
    assert (found.t_ms, found.tick, found.late, found.dropped, dict(found.fields)) == (1.0, 3, False, 2, {"fuel": 5})


def test_unknown_keys_are_passed_over_names_are_cut_and_cleaned_and_nothing_stays_null():
    found = parse_text(
        text(**HELLO | {"player": "A\n\u202eda\ud800" + "a" * 99, "later": 1, "attrs": {"seed": 7, "x": None}})
    )
    assert found.player == "A  da?" + "a" * 58
    assert dict(found.attrs) == {"seed": 7}
    assert parse_text(text(**HELLO | {"game": " \x00 "})).game == "Game"


def test_a_game_that_failed_is_no_recording_that_failed():
    reasons = [parse_text(text(type="end", t=1, reason=word)).reason for word in ("failed", "died", "tab_closed")]
    assert reasons == ["game_failed", "died", "game_tab_closed"]


def test_a_key_without_a_name_is_an_input_all_the_same():
    ((t_ms, event),) = parse_text(row(5, "keyboard", "Unidentified", "press")).rows
    assert (t_ms, event.control, event.kind) == (5.0, "", "press")


def test_the_quickest_answer_joins_the_clocks_and_half_its_round_trip_is_the_doubt():
    # the page's clock is 500 ms behind; it answers after 1 of 6 ms, then in the middle of 2 ms, then after 29 of 30 ms
    samples = [
        Sample(1000 * MS, 501.0, 1006 * MS),
        Sample(2000 * MS, 1501.0, 2002 * MS),
        Sample(3000 * MS, 2529.0, 3030 * MS),
    ]
    found = join(samples)
    assert found.offset_ns == 500 * MS
    assert (found.round_trip_ns, found.uncertainty_ns, found.spread_ns) == (2 * MS, MS, 0)
    assert found.drift_ppm is None
    assert found.attrs() == {"round_trip_ms": 2.0, "clock_spread_ms": 0.0}
    assert [found.at(t) for t in (0.0, 0.25, 1e6)] == [500 * MS, 500 * MS + 250_000, 1_000_500 * MS]


def test_a_drift_is_told_where_twenty_seconds_lie_between():
    # the recorder's clock runs 100 millionths faster: 3 ms more in 30 s; the last answer is 1 ms later than the middle
    samples = [Sample(k * 1000 * MS, k * 1000 * (1 - 1e-4) + 1, k * 1000 * MS + 2 * MS) for k in range(31)]
    assert join(samples).drift_ppm == pytest.approx(100, rel=1e-6)
    assert join(samples).spread_ns == 3 * MS
    assert join(samples[:20]).drift_ppm is None
    with pytest.raises(BadInputError, match="no answer"):
        join([])


@pytest.mark.parametrize(
    ("counts", "messages", "apart_s", "reason"),
    [
        ({"frames": 1}, 101, 0.0, "too_many_frames"),  # 2 x 10 Hz x 5 s
        ({"frames": 1}, 1000, 0.051, ""),  # a little under twice the rate
        ({"frames": 1}, 1000, 0.049, "too_many_frames"),
        ({"texts": 1}, 2001, 0.0, "too_many_messages"),
        ({"rows": 4096}, 25, 0.1, "too_many_inputs"),
        ({}, 11, 9.0, "too_large"),
    ],
)
def test_too_much_ends_a_play_with_its_reason(counts, messages, apart_s, reason):
    allowance = Allowance(10.0, max_bytes=1000)
    size = 100 if reason == "too_large" else 0

    def play():
        for k in range(messages):
            allowance.take(k * apart_s + 1e-9, size, **counts)

    if not reason:
        play()
        return
    with pytest.raises(BadMessageError) as caught:
        play()
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("http://Localhost:3000", "http://localhost:3000"),
        ("https://game.example:443/", "https://game.example"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_an_origin_is_brought_to_the_form_of_browsers(given, origin):
    assert origin_of(given) == origin


@pytest.mark.parametrize(
    "given", ["*", "null", "http://*.example", "http://x/page", "ftp://x", "x:80", "http://a@x", "http://x:port"]
)
def test_a_pattern_or_a_page_is_no_origin(given):
    with pytest.raises(BadInputError, match="--allow-origin"):
        origin_of(given)


@pytest.mark.parametrize(
    ("host", "named", "good"),
    [
        ("127.0.0.1", "127.0.0.1:8000", True),
        ("127.0.0.1", "LOCALHOST:8000", True),
        ("127.0.0.1", "127.0.0.1:8001", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1.evil.example:8000", False),
        ("127.0.0.1", "", False),
        ("192.168.1.5", "192.168.1.5:8000", True),
        ("192.168.1.5", "localhost:8000", False),
        ("0.0.0.0", "192.168.1.5:8000", True),
        ("0.0.0.0", "evil.example:8000", False),
    ],
)
def test_only_names_of_ours_are_served(host, named, good):
    assert Door(token="t", port=8000, host=host).serves(named) is good

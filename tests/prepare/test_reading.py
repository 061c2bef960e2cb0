"""Pictures of samples: the frames that rows name, small, transformed as the row says, whoever decodes them."""

import json
import tracemalloc
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.imported import Imported, Part
from rushes.model.actions import ActionSpace
from rushes.model.events import events_frame
from rushes.model.ledger import Ledger
from rushes.model.readings import Encoded, Frame, Gap, Start
from rushes.model.sample_table import Samples, Source
from rushes.model.samples import samples_frame
from rushes.model.session import SessionInfo, StreamSpec
from rushes.prepare.augment import augment
from rushes.prepare.reading import load_pictures, read_pictures
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.validity import honour
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter

HEIGHT, WIDTH, STEP, SIZE = 48, 64, 40_000_000, 32
SPACE = ActionSpace.from_names(["KeyA", "KeyD", "Space"])


def picture(k, salt=0):
    """What frame k shows: no two are alike, and none is its own mirror image."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([(x * 2 + 7 * k) % 256, (y * 4 + 3 * k + salt) % 256, (x + y + 5 * k) % 256], -1).astype(np.uint8)


def small(k, salt=0, size=SIZE):
    return cv2.resize(picture(k, salt), (size, size), interpolation=cv2.INTER_AREA)


def info(name, codec="png"):
    stream = StreamSpec("screen", "frames", codec, exact=codec != "h264", width=WIDTH, height=HEIGHT, rate_hz=25.0)
    return SessionInfo(name, "Game", {"kind": "synthetic", "name": "t"}, "measured", (stream,), SPACE)


def record(path, segments, *, name="one", codec="png", salt=0):
    encoder = VideoEncoder(codec, width=WIDTH, height=HEIGHT, rate_hz=25) if codec != "png" else None
    k = 0
    with SessionWriter(path, info(name, codec)) as writer:
        for count in segments:
            writer.write(Start(k * STEP, {}))
            for number in range(k, k + count):
                pixels = picture(number, salt)
                if encoder is not None:
                    pixels = Encoded(codec, encoder.encode(pixels, key=number == k), encoder.last_was_key)
                writer.write(Frame(number * STEP, pixels))
            k += count
            writer.write(Gap(k * STEP, "pause"))
    return open_session(path)


class Shown:
    """Pictures without files, which counts who asks for them."""

    def __init__(self):
        self.asked = []

    def frames(self, start, stop):
        for k in range(start, stop):
            self.asked.append(k)
            yield picture(k)

    def pictures(self, start, stop):
        return iter([None] * (stop - start))


def foreign(count, shown, name="far"):
    ticks = np.arange(count)
    part = Part(t_ns=ticks * STEP, end_ns=count * STEP, tick=ticks, events=events_frame(), end_reason="file_end")
    return Imported(info(name), [part], shown, ledger=Ledger())


def rows(*frames, session="one", length=1, transforms=None):
    made = [
        {"sample_id": f"{session}:{n}", "session": session, "frame_index": k, "t_ns": k * STEP, "length": length,
         "control": "Space", "label": 1.0, "keys": [0.0, 0.0, 1.0], "group": session,
         "transform": (transforms or {}).get(n, "")}
        for n, k in enumerate(frames)
    ]  # fmt: skip
    return Samples(samples_frame(made), SPACE)


def both(first, second):
    frame = samples_frame([*first.rows.to_dict("records"), *second.rows.to_dict("records")])
    return Samples(frame, SPACE)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("read")
    made = {codec: record(folder / codec, [60, 30], codec=codec) for codec in ("png", "lossless", "h264")}
    return made | {"two": record(folder / "two", [20], name="two", salt=90)}


@pytest.mark.parametrize("codec", ["png", "lossless"])
def test_a_row_shows_the_frame_that_it_names_made_small(sessions, codec):
    found = load_pictures(rows(50, 3, 4, 89), [sessions[codec]], size=SIZE)
    assert found.shape == (4, 1, SIZE, SIZE, 3)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[:, 0], np.stack([small(k) for k in (50, 3, 4, 89)]))


def test_a_film_gives_what_it_gives_frame_by_frame(sessions):
    film = sessions["h264"]
    wanted = [cv2.resize(film.frame(k), (SIZE, SIZE), interpolation=cv2.INTER_AREA) for k in (70, 12)]
    np.testing.assert_array_equal(load_pictures(rows(70, 12), [film], size=SIZE)[:, 0], np.stack(wanted))


def test_a_window_shows_its_frames_from_the_first_on(sessions):
    found = load_pictures(rows(7, 5, length=3), [sessions["png"]], size=SIZE)
    np.testing.assert_array_equal(found[0], np.stack([small(k) for k in (7, 8, 9)]))
    np.testing.assert_array_equal(found[1], np.stack([small(k) for k in (5, 6, 7)]))


def test_rows_come_by_session_and_frame_with_their_places_in_the_table(sessions):
    table = both(rows(11, 2, session="two"), rows(40, 6, 6))
    batches = list(read_pictures(table, [sessions["two"], sessions["png"]], size=SIZE, batch=2))
    assert [batch.rows.tolist() for batch in batches] == [[3, 4], [2, 1], [0]]
    np.testing.assert_array_equal(batches[0].pixels[0, 0], small(6))
    np.testing.assert_array_equal(batches[1].pixels[:, 0], np.stack([small(40), small(2, salt=90)]))


def test_each_frame_is_decoded_once_however_many_rows_show_it():
    shown = Shown()
    load_pictures(rows(9, 4, 4, 5, 4, 6, length=3, session="far"), [foreign(20, shown)], size=SIZE)
    assert shown.asked == list(range(4, 12))


def test_a_foreign_set_is_read_like_any_other():
    found = load_pictures(rows(3, 17, session="far"), [foreign(20, Shown())], size=SIZE)
    np.testing.assert_array_equal(found[:, 0], np.stack([small(3), small(17)]))


def test_a_transform_is_applied_to_its_row_and_to_no_other(sessions):
    flip = json.dumps([{"name": "flip"}])
    found = load_pictures(rows(7, 7, 8, length=2, transforms={1: flip}), [sessions["png"]], size=SIZE)
    np.testing.assert_array_equal(found[1], np.stack([small(7), small(8)])[:, :, ::-1])
    np.testing.assert_array_equal(found[0], np.stack([small(7), small(8)]))
    np.testing.assert_array_equal(found[2], np.stack([small(8), small(9)]))


def test_transforms_are_applied_in_the_order_written(sessions):
    one = json.dumps([{"name": "flip"}, {"name": "shift", "dx": 227, "dy": 0}, {"name": "brightness", "factor": 2}])
    two = json.dumps([{"name": "flip"}, {"name": "shift", "dx": 71, "dy": 0}])  # 71 of 227 is 10 of 32
    found = load_pictures(rows(7, 7, transforms={0: one, 1: two}), [sessions["png"]], size=SIZE)
    assert not found[0].any()
    np.testing.assert_array_equal(found[1, 0, :, 10:], small(7)[:, ::-1][:, :22])
    assert not found[1, 0, :, :10].any()


def test_copies_show_what_their_rows_say(sessions):
    made = augment(rows(7, 12, length=2), recipe="flip=1, brightness=1:0.5", copies=1, kinds="all")
    found = load_pictures(made, [sessions["png"]], size=SIZE)
    for parent, child, frames in ((0, 2, (7, 8)), (1, 3, (12, 13))):
        plain = np.stack([small(k) for k in frames])
        np.testing.assert_array_equal(found[parent], plain)
        np.testing.assert_array_equal(found[child], np.round(plain[:, :, ::-1] * 0.5).astype(np.uint8))


def test_faster_play_shows_frames_from_before_the_window(sessions):
    fast = json.dumps([{"name": "stretch", "speed": 1.5}])
    slow = json.dumps([{"name": "stretch", "speed": 0.5}])
    found = load_pictures(rows(10, 10, 62, length=3, transforms={0: fast, 1: slow}), [sessions["png"]], size=SIZE)
    np.testing.assert_array_equal(found[0], np.stack([small(k) for k in (9, 10, 12)]))
    np.testing.assert_array_equal(found[1], np.stack([small(k) for k in (11, 11, 12)]))


def test_faster_play_that_would_cross_the_edge_of_a_segment_is_refused(sessions):
    fast = json.dumps([{"name": "stretch", "speed": 2}])
    assert len(load_pictures(rows(62, length=3, transforms={0: fast}), [sessions["png"]], size=SIZE)) == 1
    with pytest.raises(BadDataError, match=r"row 0 \(one:0\): frames 59 to 63 of one, which no segment holds whole"):
        load_pictures(rows(61, length=3, transforms={0: fast}), [sessions["png"]], size=SIZE)


def test_a_frame_waits_for_a_later_row_that_reaches_back_to_it():
    far = json.dumps([{"name": "stretch", "speed": 13}])
    table = rows(*range(13), 35, 38, length=3, session="far", transforms={14: far})
    shown = Shown()
    found = load_pictures(table, [foreign(60, shown)], size=SIZE)
    np.testing.assert_array_equal(found[14], np.stack([small(k) for k in (14, 27, 40)]))
    np.testing.assert_array_equal(found[13], np.stack([small(k) for k in (35, 36, 37)]))
    assert len(shown.asked) == len(set(shown.asked))


@pytest.mark.parametrize("frame", [59, 88, 500])
def test_a_window_that_no_segment_holds_is_refused_by_name(sessions, frame):
    with pytest.raises(BadDataError, match=f"row 1 .*frames {frame} to {frame + 2}"):
        read_pictures(rows(3, frame, length=3), [sessions["png"]])


def test_a_row_that_was_marked_invalid_since_is_refused(tmp_path):
    session = record(tmp_path / "s", [20])
    add_fact(session.path, "validity", {"valid": False}, t_start_ns=5 * STEP, t_end_ns=8 * STEP, author="me")
    valid = honour(open_session(session.path))
    np.testing.assert_array_equal(load_pictures(rows(4, 8), [valid], size=SIZE)[:, 0], np.stack([small(4), small(8)]))
    with pytest.raises(BadDataError, match="row 1"):
        read_pictures(rows(4, 6), [valid])


@pytest.mark.parametrize("codec", ["png", "h264"])
def test_the_bytes_do_not_depend_on_who_decodes_or_on_the_batch(sessions, codec):
    noisy = json.dumps([{"name": "noise", "sigma": 0.1, "seed": 8}])
    table = rows(*range(0, 57, 3), length=3, transforms={2: noisy, 5: noisy})
    wanted = load_pictures(table, [sessions[codec]], size=SIZE)
    with ThreadPoolExecutor(1) as one, ProcessPoolExecutor(2) as processes:
        for executor, batch in ((one, 64), (processes, 5), (None, 1)):
            found = np.zeros_like(wanted)
            for pictures in read_pictures(table, [sessions[codec]], size=SIZE, executor=executor, batch=batch):
                assert 1 <= len(pictures.rows) <= batch
                found[pictures.rows] = pictures.pixels
            np.testing.assert_array_equal(found, wanted)


def test_pixels_are_the_readers_own(sessions):
    batches = read_pictures(rows(3, 3, 4, 3, length=2), [sessions["png"]], size=SIZE, batch=1)
    found = []
    for pictures in batches:
        found.append(pictures.pixels.copy())
        pictures.pixels[:] = 0
    np.testing.assert_array_equal(np.concatenate(found)[0], np.stack([small(3), small(4)]))
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize(("count", "length"), [(1200, 1), (200, 8)])
def test_a_long_table_is_read_in_little_memory(count, length, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)  # what is ahead grows with the cores
    table = rows(*range(count), session="far", length=length)
    tracemalloc.start()
    try:
        done = sum(len(pictures.rows) for pictures in read_pictures(table, [foreign(count + 8, Shown())]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done == count
    assert peak < 0.75 * count * length * 227 * 227 * 3  # 185 and 247 MB in all


def test_stopping_early_ends_the_threads(sessions):
    import threading

    batches = read_pictures(rows(*range(50)), [sessions["png"]], size=SIZE, batch=4)
    next(batches)
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith(("transforms", "decoding"))]


def test_no_row_needs_no_recording():
    assert load_pictures(rows(), [], size=SIZE).shape == (0, 1, SIZE, SIZE, 3)
    assert list(read_pictures(rows(), [])) == []


def test_a_session_that_is_not_passed_is_named_with_what_to_pass(sessions):
    table = rows(3, session="gone")
    with pytest.raises(MissingError, match=r"session gone.*got one.*pass the recording that has this id"):
        read_pictures(table, [sessions["png"]])
    told = Samples(table.rows, SPACE, sources={"gone": Source("/data/gone")})
    with pytest.raises(MissingError, match="pass the recording at /data/gone"):
        read_pictures(told, [sessions["png"]])


def test_windows_of_several_lengths_are_refused(sessions):
    with pytest.raises(BadDataError, match="windows of 1, 3 frames in one table"):
        load_pictures(both(rows(3), rows(3, session="two", length=3)), list(sessions.values())[:1])


def test_two_recordings_with_one_id_are_refused(sessions):
    with pytest.raises(BadInputError, match="two recordings with the id one"):
        read_pictures(rows(3), [sessions["png"], sessions["h264"]])


def test_a_transform_that_does_not_read_is_named_with_its_row(sessions):
    with pytest.raises(BadDataError, match=r"row 1: transform .*did you mean 'flip'"):
        read_pictures(rows(3, 4, transforms={1: '[{"name":"flp"}]'}), [sessions["png"]])


@pytest.mark.parametrize(("size", "batch"), [(0, 4), (32, 0)])
def test_a_size_or_batch_of_nothing_is_refused(sessions, size, batch):
    with pytest.raises(BadInputError, match=f"size={size}, batch={batch}"):
        read_pictures(rows(3), [sessions["png"]], size=size, batch=batch)

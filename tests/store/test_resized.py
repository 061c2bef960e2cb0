"""Frames made small: the same as OpenCV makes of each frame, whoever does it and wherever the pictures lie."""

import pickle
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError
from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.resized import resized
from rushes.store.validity import honour
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery

SIZE, FRAMES, STEP = (180, 320), 90, 33_333_333
SCENERY = Scenery(SIZE, seed=3)


def small(picture, side=48):
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def record(path, codec, *, gop_s=0.5, same=()):
    """A session of the scenery; frames in `same` show the picture before once more."""
    streams = (StreamSpec("screen", "frames", codec, width=SIZE[1], height=SIZE[0], rate_hz=30.0),)
    space = ActionSpace.from_layout("capture28")
    info = SessionInfo("s", "Scenery", {"kind": "synthetic", "name": "t"}, "measured", streams, space)
    encoder = VideoEncoder(codec, width=320, height=180, rate_hz=30, gop_s=gop_s) if codec != "png" else None
    with SessionWriter(path, info) as writer:
        writer.write(Start(0, {}))
        for k in range(FRAMES):
            pixels = SCENERY.picture(k)
            if k in same:
                pixels = None
            elif encoder is not None:
                data = encoder.encode(pixels)
                pixels = Encoded(codec, data, encoder.last_was_key)
            writer.write(Frame(k * STEP, pixels))
        writer.write(Gap(FRAMES * STEP, "stop"))
    return open_session(path)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resized")
    return {
        "png": record(folder / "png", "png", same={20, 21}),
        "lossless": record(folder / "lossless", "lossless", same={20, 21}),
        "h264": record(folder / "h264", "h264"),
        "few keys": record(folder / "few", "h264", gop_s=60.0),
    }


def together(*given, **options):
    batches = list(resized(*given, **options))
    assert all(batch.dtype == np.uint8 for batch in batches)
    return np.concatenate(batches)


@pytest.mark.parametrize("name", ["png", "lossless"])
def test_exact_pictures_are_those_that_opencv_makes_of_the_frames(sessions, name):
    shown = [19 if k in {20, 21} else k for k in range(FRAMES)]
    found = together(sessions[name], np.arange(FRAMES), size=48)
    np.testing.assert_array_equal(found, np.stack([small(SCENERY.picture(k)) for k in shown]))


@pytest.mark.parametrize("name", ["h264", "few keys"])
def test_a_film_is_what_it_gives_frame_by_frame(sessions, name):
    session = sessions[name]
    wanted = np.stack([small(frame) for frame in session.frames(0, FRAMES)])
    np.testing.assert_array_equal(together(session, np.arange(FRAMES), size=48), wanted)


@pytest.mark.parametrize("name", ["png", "lossless", "h264", "few keys"])
def test_any_rising_choice_of_frames_comes_in_its_order(sessions, name):
    chosen = np.array([3, 4, 5, 30, 31, 62, 89])
    whole = together(sessions[name], np.arange(FRAMES), size=48)
    np.testing.assert_array_equal(together(sessions[name], chosen, size=48), whole[chosen])
    assert list(resized(sessions[name], [], size=48)) == []


@pytest.mark.parametrize("codec", ["png", "lossless"])
def test_a_picture_that_stands_for_long_comes_in_small_batches(tmp_path, codec):
    session = record(tmp_path / "still", codec, same=set(range(6, 86)))
    batches = list(resized(session, np.arange(FRAMES), size=48))
    assert max(len(batch) for batch in batches) <= 32
    shown = [5 if 6 <= k < 86 else k for k in range(FRAMES)]
    np.testing.assert_array_equal(np.concatenate(batches), np.stack([small(SCENERY.picture(k)) for k in shown]))


class Elsewhere(Executor):
    """Like a cluster: what is sent and what comes back is pickled, and it is done when somebody asks."""

    def submit(self, fn, /, *args, **kwargs):
        task = pickle.dumps((fn, args, kwargs))

        class Later(Future):
            def result(self, timeout=None):
                work, arguments, named = pickle.loads(task)
                return pickle.loads(pickle.dumps(work(*arguments, **named)))

        return Later()


@pytest.mark.parametrize("name", ["png", "h264"])
def test_the_pictures_do_not_depend_on_who_makes_them(sessions, name):
    wanted = together(sessions[name], np.arange(FRAMES), size=40)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(3) as three, ProcessPoolExecutor(2) as processes:
        for executor in (one, three, processes, Elsewhere()):
            np.testing.assert_array_equal(
                together(sessions[name], np.arange(FRAMES), size=40, executor=executor), wanted
            )


def test_frames_keep_their_numbers_where_a_stretch_is_marked_invalid(tmp_path):
    session = record(tmp_path / "marked", "lossless")
    span = {"t_start_ns": 10 * STEP, "t_end_ns": 20 * STEP}
    add_fact(session.path, "validity", {"valid": False}, author="test", **span)
    left = honour(open_session(session.path))
    assert left.frame_count == FRAMES - 10
    numbers = left.index()["frame_index"].to_numpy()
    wanted = np.stack([small(SCENERY.picture(k)) for k in [*range(10), *range(20, FRAMES)]])
    np.testing.assert_array_equal(together(left, numbers, size=48), wanted)


def test_a_recording_that_only_gives_frames_is_resized_too(sessions):
    class Plain(type(sessions["png"])):
        def pictures(self, start, stop):
            return iter([None] * (stop - start))

        def stored(self, start, stop):
            for folder, _, numbers in super().stored(start, stop):
                yield folder, False, numbers

    plain = Plain(sessions["png"].path)
    wanted = together(sessions["png"], np.arange(FRAMES), size=48)
    np.testing.assert_array_equal(together(plain, np.arange(FRAMES), size=48), wanted)


def test_a_picture_of_the_right_size_stays_as_it_is(tmp_path):
    scenery = Scenery((144, 144))
    streams = (StreamSpec("screen", "frames", "png", width=144, height=144, rate_hz=30.0),)
    space = ActionSpace.from_layout("capture28")
    info = SessionInfo("s", "S", {"kind": "synthetic", "name": "t"}, "measured", streams, space)
    with SessionWriter(tmp_path / "s", info) as writer:
        writer.write(Start(0, {}))
        writer.write(Frame(0, scenery.picture(5)))
        writer.write(Gap(STEP, "stop"))
    (batch,) = resized(open_session(tmp_path / "s"), [0], size=144)
    np.testing.assert_array_equal(batch[0], scenery.picture(5))


def test_a_damaged_picture_is_named_by_its_frame(sessions):
    class Cut(type(sessions["png"])):
        def pictures(self, start, stop):
            for k, picture in enumerate(super().pictures(start, stop), start):
                yield picture._replace(data=picture.data[:-40]) if k == 37 else picture

    with pytest.raises(BadDataError, match="frame 37"):
        together(Cut(sessions["png"].path), np.arange(FRAMES), size=48)


def test_wrong_questions_are_told(sessions):
    with pytest.raises(BadInputError, match="size=0"):
        resized(sessions["png"], [0], size=0)
    with pytest.raises(BadInputError, match="do not rise"):
        resized(sessions["png"], [3, 3], size=8)
    with pytest.raises(IndexError):
        together(sessions["png"], [FRAMES], size=8)


def test_who_stops_in_the_middle_leaves_no_thread(sessions):
    before = threading.active_count()
    batches = resized(sessions["h264"], np.arange(FRAMES), size=48)
    next(batches)
    batches.close()
    assert threading.active_count() == before

"""Pictures by number: every picture of the planted world carries its own, so the right one can be told."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from rushes.errors import BadInputError
from rushes.model.readings import Encoded, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.reader import open_session
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter
from rushes.widgets.reel import Reel
from rushes.worlds.synthetic import Synthetic, read_counter

FRAMES, STEP = 90, 33_333_333


def record(path, codec, *, size=(120, 160), chunk_frames=40):
    world = Synthetic(frames=FRAMES, size=size)
    stream = StreamSpec("screen", "frames", codec, codec != "h264", size[1], size[0], 30.0)
    info = SessionInfo("reel", "Synthetic", {}, "measured", (stream,), world.action_space)
    encoder = None if codec == "png" else VideoEncoder(codec, width=size[1], height=size[0], rate_hz=30, gop_s=0.5)
    with SessionWriter(path, info, chunk_frames=chunk_frames) as writer:
        writer.write(Start(0, {}))
        for k in range(FRAMES):
            pixels = world.picture(k)
            if encoder is not None:
                is_first = k % chunk_frames == 0
                if is_first:
                    encoder = VideoEncoder(codec, width=size[1], height=size[0], rate_hz=30, gop_s=0.5)
                data = encoder.encode(pixels)
                pixels = Encoded(codec, data, encoder.last_was_key)
            writer.write(Frame(k * STEP, pixels))
        writer.write(Gap(FRAMES * STEP, "end"))
    return open_session(path)


def shown(encoded):
    return np.asarray(Image.open(io.BytesIO(encoded.data)).convert("RGB"))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return record(tmp_path_factory.mktemp("film") / "s", "lossless")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return record(tmp_path_factory.mktemp("large") / "s", "h264", size=(360, 640))


def test_any_picture_comes_by_its_number_in_any_order(film):
    rng = np.random.default_rng(4)
    there, back = range(FRAMES), range(FRAMES - 1, -1, -1)
    for order in (there, back, rng.integers(0, FRAMES, 60).tolist()):
        with Reel(film) as reel:
            assert [read_counter(shown(reel.picture(k))) for k in order] == list(order)


def test_playing_on_decodes_each_picture_once(film, large):
    for session in (film, large):
        with Reel(session) as reel:
            for k in range(FRAMES):
                reel.picture(k)
            assert reel.decoded == FRAMES


def test_stepping_back_decodes_little_more_than_there_is(large):
    with Reel(large) as reel:
        for k in range(FRAMES - 1, -1, -1):
            reel.picture(k)
        assert reel.decoded <= 2 * FRAMES


def test_large_pictures_are_jpeg_while_they_play_and_their_own_pixels_where_they_stand(large):
    with Reel(large) as reel:
        playing, standing = reel.picture(33), reel.picture(33, exact=True)
        assert (playing.type, standing.type) == ("jpeg", "png")
        assert len(playing.data) < 100_000
        assert np.array_equal(shown(standing), large.frame(33))
        near = np.abs(shown(playing).astype(int) - large.frame(33)).mean()
        assert near < 3
        assert np.array_equal(reel.pixels(33), large.frame(33))


def test_what_is_kept_stays_within_its_bytes_and_still_every_picture_comes(film):
    with Reel(film, kept_bytes=3000) as reel:
        for k in itertools.chain(range(FRAMES), range(40, 0, -1)):
            assert read_counter(shown(reel.picture(k))) == k
            assert reel.kept <= 3000


def test_stored_pictures_are_handed_on_as_they_are(tmp_path):
    session = record(tmp_path / "s", "png")
    stored = [picture.data for picture in session.pictures(0, FRAMES)]
    with Reel(session) as reel:
        for k in (*range(5, 20), 80, 79, 3, 4, 5):
            assert reel.picture(k).data == stored[k]


def test_a_rest_closes_the_films_and_the_next_picture_opens_them(film):
    with Reel(film, kept_bytes=1) as reel:
        reel.picture(2)
        reel.rest()
        assert read_counter(shown(reel.picture(77))) == 77


@pytest.mark.parametrize("number", [-1, FRAMES])
def test_a_number_that_is_not_there_is_refused(film, number):
    with Reel(film) as reel, pytest.raises(BadInputError, match="frames 0 to 89"):
        reel.picture(number)

"""Clips: the pictures that were recorded, from anywhere, whatever else is asked for and by whom."""

import multiprocessing
import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.model.actions import ActionSpace
from rushes.model.readings import Encoded, Frame, Gap, Start
from rushes.model.session import SessionInfo, StreamSpec
from rushes.store.clips import Clips, Want
from rushes.store.facts import add_fact
from rushes.store.reader import open_session
from rushes.store.shelf import KEPT
from rushes.store.validity import honour
from rushes.store.video_film import Film
from rushes.store.video_stream import VideoEncoder, mux
from rushes.store.writer import SessionWriter
from rushes.worlds.scenery import Scenery
from rushes.worlds.synthetic import read_counter

SIZE, FRAMES, STEP = (180, 320), 60, 33_333_333
SCENERY = Scenery(SIZE, seed=3)
SMALL = (48, 64)


def record(path, codec, *, size=SIZE, same=()):
    """Record the scenery; frames in `same` show the picture before once more."""
    streams = (StreamSpec("screen", "frames", codec, width=size[1], height=size[0], rate_hz=30.0),)
    info = SessionInfo(path.name, "Scenery", {}, "measured", streams, ActionSpace.from_layout("capture28"))
    film = codec != "png"
    encoder = VideoEncoder(codec, width=size[1], height=size[0], rate_hz=30, gop_s=0.4) if film else None
    with SessionWriter(path, info) as writer:
        writer.write(Start(0, {}))
        for k in range(FRAMES):
            pixels = None if k in same else SCENERY.picture(k)[: size[0], : size[1]]
            if encoder is not None and pixels is not None:
                data = encoder.encode(np.ascontiguousarray(pixels))
                pixels = Encoded(codec, data, encoder.last_was_key)
            writer.write(Frame(k * STEP, pixels))
        writer.write(Gap(FRAMES * STEP, "stop"))
    return open_session(path)


def film_as_players_have_it(path, frames=120):
    """Encode as ffmpeg does it unasked: pictures that need later ones, a key every 50."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.options = {"preset": "medium", "crf": "16", "bf": "3", "g": "50", "sc_threshold": "0"}
        for k in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(SCENERY.picture(k), format="rgb24")))
        container.mux(stream.encode(None))
    return path


class OfFilm:
    """A foreign recording whose pictures are those of a film."""

    whole = property(lambda self: self)

    def __init__(self, path, frames=120):
        self.frame_count, self.info, self.source_of_frames = frames, SimpleNamespace(id="foreign"), self
        self.path = path

    def films(self, start, stop):
        yield self.path, None, list(range(start, stop))


class Drawn:
    """A foreign recording whose pictures are asked for one by one."""

    frame_count, info = FRAMES, SimpleNamespace(id="drawn")
    whole = property(lambda self: self)

    def pictures(self, start, stop):
        return iter([None] * (stop - start))

    def frames(self, start, stop):
        return (SCENERY.picture(k) for k in range(start, stop))


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    return {
        "png": record(folder / "png", "png", same={20, 21}),
        "lossless": record(folder / "lossless", "lossless", same={20, 21}),
        "odd": record(folder / "odd", "lossless", size=(179, 319)),
        "h264": record(folder / "h264", "h264"),
        "drawn": Drawn(),
        "foreign": OfFilm(film_as_players_have_it(folder / "video.mp4")),
    }


@pytest.fixture
def clips():
    with Clips() as found:
        yield found


ANY_ORDER = [59, 3, 3, 21, 40, 19, 20, 0]


@pytest.mark.parametrize("name", ["png", "lossless", "odd", "drawn"])
def test_exact_pictures_come_out_as_they_were_recorded(sessions, clips, name):
    height, width = (179, 319) if name == "odd" else SIZE
    shown = [19 if k in {20, 21} and name in {"png", "lossless"} else k for k in ANY_ORDER]
    (found,) = clips.read([Want(sessions[name], ANY_ORDER)])
    np.testing.assert_array_equal(found, np.stack([SCENERY.picture(k)[:height, :width] for k in shown]))


@pytest.mark.parametrize("name", ["h264", "foreign"])
def test_every_picture_of_a_film_is_the_one_of_its_number(sessions, clips, name):
    numbers = np.random.default_rng(0).permutation(FRAMES)
    (together,) = clips.read([Want(sessions[name], numbers)])
    alone = [one[0] for one in clips.read([Want(sessions[name], [k]) for k in numbers])]
    for found in (together, alone):
        assert [read_counter(picture) for picture in found] == numbers.tolist()


def test_a_film_with_pictures_that_need_later_ones_is_as_ffmpeg_reads_it_from_its_start(sessions, clips):
    with av.open(str(sessions["foreign"].path)) as container:
        whole = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    frames = [119, 49, 50, 51, 99, 97, 13]
    (found,) = clips.read([Want(sessions["foreign"], frames)])
    assert max(np.abs(found[k] - whole[frame]).max() for k, frame in enumerate(frames)) <= 2


def test_without_a_size_a_film_gives_what_its_recording_gives_frame_by_frame(sessions, clips):
    (found,) = clips.read([Want(sessions["h264"], range(10, 40))])
    np.testing.assert_array_equal(found, np.stack(list(sessions["h264"].frames(10, 40))))


@pytest.mark.parametrize("width", [36, 50, 52, 60, 100])
def test_every_column_is_there_whatever_the_width(tmp_path, clips, width):
    colour = np.full((40, width, 3), (200, 40, 90), np.uint8)
    encoder = VideoEncoder("lossless", width=width, height=40, rate_hz=30)
    packets = [(encoder.encode(colour), k * STEP, encoder.last_was_key) for k in range(3)]
    mux(tmp_path / "film.mp4", packets, codec="lossless", width=width, height=40, rate_hz=30)
    want = Want(OfFilm(tmp_path / "film.mp4", frames=3), [0, 2])
    np.testing.assert_array_equal(clips.read([want])[0], np.stack([colour, colour]))
    for size in ((40, width), (40, width - 1), (39, width), (20, width // 2 + 1)):
        assert np.abs(Clips(size).read([want])[0] - np.array((200.0, 40, 90))).max() <= 1


def test_pictures_that_no_other_needs_are_not_decoded_on_the_way(sessions):
    with Film(sessions["foreign"].path) as film:
        found = [number for number, _ in film.pictures([45, 46])]
        assert found == [45, 46]
        assert 2 < film.decoded < 40


@pytest.mark.parametrize("name", ["png", "odd", "h264", "drawn", "foreign"])
def test_a_size_squashes_by_area(sessions, name):
    (whole,) = Clips().read([Want(sessions[name], ANY_ORDER)])
    (found,) = Clips(SMALL).read([Want(sessions[name], ANY_ORDER)])
    assert found.shape == (len(ANY_ORDER), *SMALL, 3)
    wanted = np.stack([cv2.resize(picture, SMALL[::-1], interpolation=cv2.INTER_AREA) for picture in whole])
    assert np.abs(found.astype(int) - wanted).mean() < (2.5 if name in {"h264", "foreign"} else 1e-9)


def test_pixels_do_not_hang_on_what_else_is_asked_for_or_on_threads(sessions):
    wants = [Want(s, (np.arange(6) * 7 + k) % FRAMES) for k, s in enumerate([*sessions.values()] * 3)]
    together = Clips(SMALL, threads=3).read(wants)
    with Clips(SMALL, threads=1) as alone:
        for want, found in zip(wants[::-1], together[::-1], strict=True):
            np.testing.assert_array_equal(alone.read([want])[0], found)


def test_marks_change_no_number(sessions, tmp_path):
    session = record(tmp_path / "marked", "h264")
    add_fact(session.path, "validity", {"valid": False}, author="a person", t_start_ns=5 * STEP, t_end_ns=30 * STEP)
    marked = honour(open_session(session.path))
    assert marked.frame_count < FRAMES
    (found,) = Clips().read([Want(marked, [50, 2])])
    assert [read_counter(picture) for picture in found] == [50, 2]


def test_nothing_wanted_gives_nothing(sessions):
    assert Clips(SMALL).read([]) == []
    assert Clips(SMALL).read([Want(sessions["h264"], [])])[0].shape == (0, *SMALL, 3)


@pytest.mark.parametrize("frames", [[-1], [0, FRAMES]])
def test_frames_that_are_not_there_are_refused_by_name(sessions, clips, frames):
    with pytest.raises(BadInputError, match="h264: frames"):
        clips.read([Want(sessions["h264"], frames)])


def test_pictures_of_several_sizes_need_a_size(clips):
    class Mixed(Drawn):
        def frames(self, start, stop):
            return (np.zeros((4 + k, 6, 3), np.uint8) for k in range(start, stop))

    with pytest.raises(BadInputError, match=r"of \(4, 6\) and of \(5, 6\)"):
        clips.read([Want(Mixed(), [0, 1])])


@pytest.mark.parametrize(("given", "problem"), [({"size": (0, 4)}, "size"), ({"threads": 0}, "threads")])
def test_settings_out_of_their_range_are_refused(given, problem):
    with pytest.raises(BadInputError, match=problem):
        Clips(**given)


def test_a_film_whose_end_is_missing_names_the_file_and_the_frame(sessions, tmp_path):
    whole = Path(sessions["foreign"].path).read_bytes()
    with av.open(str(sessions["foreign"].path)) as container:
        last = [p.pos for p in container.demux(video=0) if p.size][-20]
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(
        whole[:last] + bytes(len(whole) - last)
        if whole.find(b"moov") < whole.find(b"mdat")
        else whole[:last] + bytes(1) * (whole.find(b"moov") - 4 - last) + whole[whole.find(b"moov") - 4 :]
    )
    clips, broken = Clips(SMALL), OfFilm(cut)
    assert len(clips.read([Want(broken, [3])])[0]) == 1
    with pytest.raises(BadDataError, match=r"foreign, frame 11\d: .*cut\.mp4: damaged"):
        clips.read([Want(broken, [3]), Want(broken, [118, 119])])
    assert len(clips.read([Want(broken, [4])])[0]) == 1, "what is whole can still be read"


def test_a_film_with_flipped_bits_is_not_taken_for_a_picture(sessions, tmp_path):
    with av.open(str(sessions["foreign"].path)) as container:
        packet = [p for p in container.demux(video=0) if p.size][52]
        place, size = packet.pos, packet.size
    data = bytearray(Path(sessions["foreign"].path).read_bytes())
    data[place + 40 : place + size - 10] = b"\xa5" * (size - 50)
    broken = tmp_path / "flipped.mp4"
    broken.write_bytes(data)
    with pytest.raises(BadDataError, match=r"foreign, frame 60: .*flipped\.mp4"):
        Clips(SMALL).read([Want(OfFilm(broken), [60])])


def test_a_film_with_fewer_pictures_than_the_recording_says_so(sessions):
    short = OfFilm(sessions["foreign"].path, frames=200)
    for others in ([], [Want(sessions["h264"], [0])]):
        with pytest.raises(BadDataError, match="120 pictures, of which number 150"):
            Clips(SMALL).read([Want(short, [150]), *others])


def test_a_film_that_is_gone_is_said(tmp_path):
    with pytest.raises(MissingError, match="gone"):
        Clips().read([Want(OfFilm(tmp_path / "gone.mp4"), [0])])


def test_a_handful_of_films_stays_open_whatever_their_number(sessions, tmp_path):
    films = []
    for k in range(KEPT + 6):
        films.append(tmp_path / f"{k}.mp4")
        films[-1].symlink_to(sessions["foreign"].path)
    with Clips(SMALL, threads=2) as clips:
        clips.read([Want(OfFilm(film), [0]) for film in films])
        handles = Path("/proc/self/fd")
        links = [str(place.readlink()) for place in handles.iterdir() if place.is_symlink()] if handles.exists() else []
        assert sum("video.mp4" in link for link in links) <= KEPT
        assert len(clips.read([Want(OfFilm(films[0]), [5])])) == 1


def test_another_film_in_the_same_place_is_not_taken_for_the_first(sessions, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(Path(sessions["foreign"].path).read_bytes())
    with Clips() as clips:
        assert read_counter(clips.read([Want(OfFilm(film), [7])])[0][0]) == 7
        film.unlink()
        film.write_bytes(next(sessions["h264"].path.glob("chunks/*/frames.mp4")).read_bytes())
        (found,) = clips.read([Want(OfFilm(film, frames=FRAMES), [7])])
    np.testing.assert_array_equal(found[0], sessions["h264"].frame(7))


def test_a_closed_or_pickled_reader_opens_its_files_again(sessions):
    clips, want = Clips(SMALL), Want(sessions["h264"], [7, 50])
    (first,) = clips.read([want])
    for again in (pickle.loads(pickle.dumps(clips)), clips):
        again.close()
        np.testing.assert_array_equal(again.read([want])[0], first)


def in_child(clips, sessions, answers):
    (found,) = clips.read([Want(sessions["h264"], [7, 50])])
    answers.put(found)
    answers.close()
    answers.join_thread()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_opens_its_own_files(sessions):
    clips = Clips(SMALL)
    (mine,) = clips.read([Want(sessions["h264"], [7, 50])])
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=in_child, args=(clips, sessions, answers))
    child.start()
    np.testing.assert_array_equal(answers.get(timeout=30), mine)
    child.join(30)
    assert child.exitcode == 0
    np.testing.assert_array_equal(clips.read([Want(sessions["h264"], [7, 50])])[0], mine)


def test_runs_end_at_keys_and_hold_every_frame(sessions, clips):
    runs = list(clips.runs(sessions["foreign"], 70))
    assert runs == [(0, 50), (50, 120)]
    assert list(clips.runs(sessions["foreign"], 30)) == [(0, 30), (30, 50), (50, 80), (80, 100), (100, 120)]
    assert [stop for _, stop in clips.runs(sessions["png"], 25)] == [25, 50, 60]

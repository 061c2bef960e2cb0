"""H.264 files: what FFmpeg itself says of them, and what a real browser does with them."""

import base64
import subprocess
import sys

import av
import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError, OccupiedError, StorageError
from rushes.store.video import probe, read_video, write_video

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 72, 72), (255, 255, 255), (0, 0, 0)]


def flat(colour, height=48, width=64):
    return np.full((height, width, 3), colour, np.uint8)


@pytest.fixture
def clip(tmp_path):
    write_video(tmp_path / "clip.mp4", (flat(c) for c in COLOURS), rate_hz=15)
    return tmp_path / "clip.mp4"


def test_the_file_is_what_browsers_play_and_says_its_colours(clip):
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        coder = stream.codec_context
        assert (coder.name, coder.pix_fmt, coder.width, coder.height) == ("h264", "yuv420p", 64, 48)
        assert (coder.colorspace, coder.color_range) == (1, 1)  # BT.709, limited
        assert (float(stream.average_rate), stream.frames) == (15.0, 6)
        assert stream.metadata.get("creation_time") is None


def test_the_table_of_contents_stands_in_front(clip):
    data = clip.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_colours_and_times_come_back(clip):
    frames = list(read_video(clip))
    assert [f.t_ns for f in frames] == [round(k * 1e9 / 15) for k in range(6)]
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert np.abs(frame.pixels[20, 30].astype(int) - colour).max() <= 3


AGAIN = """
import sys, numpy as np
from rushes.store.video import write_video
rng, files = np.random.default_rng(5), set()
ground = rng.integers(0, 256, (124, 124, 3), np.uint8)
frames = [ground[k:k + 64, 2 * (k % 30):][:, :64] for k in range(40)]
for number in range(40):
    write_video(f"{number}.mp4", frames, rate_hz=30)
    files.add(open(f"{number}.mp4", "rb").read())
    lies = [rng.integers(0, 256, int(rng.integers(10, 200_000)), np.uint8) for _ in range(5)]
print(len(files))
"""


def test_the_same_frames_give_the_same_bytes_whatever_lay_in_memory_before(tmp_path):
    """In a process of its own, whose memory is not as full of other things as that of these tests."""
    done = subprocess.run([sys.executable, "-c", AGAIN], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n", "x264 as it comes gives several"


@pytest.mark.parametrize(("height", "width"), [(49, 64), (48, 63), (49, 63), (1, 1)])
def test_an_odd_size_is_made_even_and_can_be_cut_back(tmp_path, height, width):
    info = write_video(tmp_path / "odd.mp4", [flat((200, 72, 72), height, width)] * 3, rate_hz=10)
    assert (info.height, info.width) == (height + height % 2, width + width % 2)
    frame = next(read_video(tmp_path / "odd.mp4", size=(height, width)))
    assert frame.pixels.shape == (height, width, 3)
    assert np.abs(frame.pixels.astype(int) - (200, 72, 72)).max() <= 3


@pytest.mark.parametrize("rate_hz", [1, 7.5, 15, 30000 / 1001, 59.94])
def test_the_rate_is_kept(tmp_path, rate_hz):
    info = write_video(tmp_path / "r.mp4", [flat((9, 9, 9))] * 20, rate_hz=rate_hz)
    assert info.rate_hz == pytest.approx(rate_hz, rel=1e-5)
    assert info.duration_s == pytest.approx(20 / rate_hz, rel=1e-3)


def test_key_frames_stand_as_often_as_asked(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (40, 48, 64, 3), np.uint8)
    write_video(tmp_path / "keys.mp4", noise, rate_hz=20, gop_s=0.5)
    with av.open(str(tmp_path / "keys.mp4")) as container:
        keys = sorted(packet.pts * packet.time_base * 20 for packet in container.demux(video=0) if packet.is_keyframe)
    assert keys[0] == 0
    assert np.diff([*keys, 40]).max() <= 10


def test_frames_are_taken_one_by_one_and_never_collected(tmp_path):
    alive = 0
    most = 0

    class Counted(np.ndarray):
        def __del__(self):
            nonlocal alive
            alive -= 1

    def frames():
        nonlocal alive, most
        for k in range(200):
            alive += 1
            most = max(most, alive)
            yield flat((k, k, k)).view(Counted)

    write_video(tmp_path / "many.mp4", frames(), rate_hz=30)
    assert most < 20
    assert probe(tmp_path / "many.mp4").frames == 200


def test_nothing_stays_when_the_frames_break_off(tmp_path):
    def frames():
        yield flat((1, 2, 3))
        raise KeyError("the game died")

    with pytest.raises(KeyError):
        write_video(tmp_path / "half.mp4", frames(), rate_hz=15)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [flat((0, 0, 0)), flat((0, 0, 0), 50, 64)],
        [np.zeros((48, 64), np.uint8)],
        [np.zeros((48, 64, 3), np.float32)],
        [np.zeros((0, 64, 3), np.uint8)],
    ],
    ids=["none", "two sizes", "grey", "floats", "no rows"],
)
def test_frames_that_make_no_film_are_refused_and_leave_nothing(tmp_path, frames):
    with pytest.raises(BadInputError):
        write_video(tmp_path / "x.mp4", frames, rate_hz=15)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [{"rate_hz": 0}, {"rate_hz": -1}, {"rate_hz": 15, "crf": 60}])
def test_settings_out_of_range_are_refused(tmp_path, settings):
    with pytest.raises(BadInputError):
        write_video(tmp_path / "x.mp4", [flat((0, 0, 0))], **settings)


def test_a_film_is_never_overwritten(clip):
    before = clip.read_bytes()
    with pytest.raises(OccupiedError):
        write_video(clip, [flat((0, 0, 0))], rate_hz=15)
    assert clip.read_bytes() == before


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises((StorageError, OccupiedError, FileExistsError)):
        write_video(tmp_path / "file" / "x.mp4", [flat((0, 0, 0))], rate_hz=15)


def test_a_cut_file_says_how_much_is_there(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (30, 48, 64, 3), np.uint8)
    write_video(tmp_path / "whole.mp4", noise, rate_hz=15)
    data = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(BadDataError, match=r"of 30 frames|damaged after"):
        list(read_video(tmp_path / "cut.mp4"))


@pytest.mark.parametrize("content", [b"", b"this is a letter" * 40])
def test_what_is_no_video_is_said_to_be_none(tmp_path, content):
    (tmp_path / "x.mp4").write_bytes(content)
    for read in (probe, lambda p: list(read_video(p))):
        with pytest.raises(BadDataError, match=r"x\.mp4"):
            read(tmp_path / "x.mp4")


def test_a_sound_file_has_no_pictures(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadDataError, match="without pictures"):
        probe(tmp_path / "a.wav")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(MissingError):
        probe(tmp_path / "nowhere.mp4")


def test_a_real_browser_plays_it_and_shows_its_colours(clip, chromium):
    from playwright.sync_api import sync_playwright

    source = "data:video/mp4;base64," + base64.b64encode(clip.read_bytes()).decode()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.set_content(f'<video muted src="{source}"></video>')
        found = page.evaluate("""async () => {
            const video = document.querySelector('video');
            while (video.readyState < 2 && !video.error) await new Promise(r => setTimeout(r, 20));
            video.currentTime = 0.01;
            await new Promise(r => video.onseeked = r);
            const first = document.createElement('canvas').getContext('2d');
            first.drawImage(video, 0, 0);
            const pixel = Array.from(first.getImageData(30, 20, 1, 1).data.slice(0, 3));
            await video.play();
            await new Promise(r => video.onended = r);
            return {error: video.error && video.error.message, duration: video.duration, pixel,
                    size: [video.videoWidth, video.videoHeight], ended: video.ended};
        }""")
        browser.close()
    assert found["error"] is None
    assert found["ended"]
    assert found["duration"] == pytest.approx(6 / 15, abs=0.001)
    assert found["size"] == [64, 48]
    assert np.abs(np.array(found["pixel"]) - COLOURS[0]).max() <= 4

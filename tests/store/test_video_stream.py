"""Packets that come at once, files made of them, and any picture by number; FFmpeg's own programs are the witness."""

import base64
import json
import shutil
import subprocess
import threading
import time

import av
import numpy as np
import pytest

from rushes.errors import BadDataError, BadInputError, MissingError, StorageError
from rushes.store.video import write_video
from rushes.store.video_pictures import VideoPictures
from rushes.store.video_stream import CODECS, CODERS, VideoEncoder, mux, settings

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 72, 72), (30, 90, 160), (255, 255, 255), (0, 0, 0)]
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
MS = 1_000_000


def flat(colour, height=48, width=64):
    return np.full((height, width, 3), colour, np.uint8)


def noise(count, height=48, width=64, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (count, height, width, 3), np.uint8)


def numbered(number, height=48, width=64):
    """A picture that carries its number as eight black or white bars."""
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(8):
        picture[:, bit * width // 8 : (bit + 1) * width // 8] = 255 * (number >> bit & 1)
    return picture


def number_of(pixels):
    width = pixels.shape[1]
    return sum((pixels[20, bit * width // 8 + width // 16, 0] > 127) << bit for bit in range(8))


def encoded(frames, codec="h264", rate_hz=30, keys=(), **more):
    height, width = frames[0].shape[:2]
    encoder = VideoEncoder(codec, width=width, height=height, rate_hz=rate_hz, **more)
    packets = []
    for number, frame in enumerate(frames):
        data = encoder.encode(frame, key=number in keys)
        packets.append((data, number * 1_000_000_000 // rate_hz, encoder.last_was_key))
    return packets


def film(path, frames, codec="h264", rate_hz=30, **more):
    height, width = frames[0].shape[:2]
    mux(path, encoded(frames, codec, rate_hz, **more), codec=codec, width=width, height=height, rate_hz=rate_hz)
    return path


def program(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here: apt-get install ffmpeg")
    return found


def asked(path, entries):
    command = [program("ffprobe"), "-v", "error", "-show_entries", entries, "-of", "json", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def decoded_by_ffmpeg(path, raw=""):
    """RGB of all pictures, as FFmpeg's program gives it; `raw` names the form of a bare stream."""
    form = ["-f", raw] if raw else []
    command = [program("ffmpeg"), "-v", "error", *form, "-i", str(path), "-fps_mode", "passthrough"]
    size = av.open(str(path), format=raw or None).streams.video[0].codec_context
    done = subprocess.run(
        [*command, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=60
    )
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, size.height, size.width, 3)


@pytest.mark.parametrize("codec", CODECS)
def test_every_picture_gives_its_packet_at_once_and_keys_stand_as_often_as_asked(codec):
    packets = encoded(noise(35), codec, rate_hz=20, gop_s=0.5)
    assert len(packets) == 35
    assert all(data for data, *_ in packets)
    assert [number for number, (*_, key) in enumerate(packets) if key] == [0, 10, 20, 30]


@pytest.mark.parametrize("codec", CODECS)
def test_a_stretch_that_begins_at_a_forced_key_decodes_alone(tmp_path, codec):
    packets = encoded([numbered(k) for k in range(14)], codec, keys=(7,))
    assert packets[7][2]
    (tmp_path / "bare").write_bytes(b"".join(data for data, *_ in packets[7:]))
    pictures = decoded_by_ffmpeg(tmp_path / "bare", CODERS[codec].raw)
    assert [number_of(p) for p in pictures] == list(range(7, 14))


@pytest.mark.parametrize("count", [4, 3])
@pytest.mark.parametrize("codec", CODECS)
def test_colours_come_back_without_a_tint(tmp_path, codec, count):
    frames = [flat(c) for c in COLOURS]
    given = frames if count == 3 else [np.dstack([f[..., ::-1], np.full(f.shape[:2], 7, np.uint8)]) for f in frames]
    path = film(tmp_path / "c.mp4", given, codec)
    limit = 0 if codec == "lossless" else 3
    with VideoPictures(path) as pictures:
        ours = list(pictures.frames())
    for ours_or_theirs in (ours, decoded_by_ffmpeg(path)):
        for picture, colour in zip(ours_or_theirs, COLOURS, strict=True):
            assert np.abs(picture.astype(int) - colour).mean() <= limit


def test_lossless_is_exact_for_noise_at_odd_sizes_and_from_both_orders_of_colour(tmp_path):
    frames = noise(12, 47, 63)
    screen = [np.dstack([f[..., ::-1], np.zeros(f.shape[:2], np.uint8)]) for f in frames]
    for name, given in (("rgb", frames), ("bgra", screen)):
        path = film(tmp_path / f"{name}.mp4", given, "lossless")
        with VideoPictures(path, size=(47, 63)) as pictures:
            assert np.array_equal(list(pictures.frames()), frames)
        assert np.array_equal(decoded_by_ffmpeg(path)[:, :47, :63], frames)


@pytest.mark.parametrize(("height", "width"), [(49, 64), (48, 63), (49, 63)])
@pytest.mark.parametrize("codec", CODECS)
def test_an_odd_size_is_doubled_at_its_edge_and_cut_back(tmp_path, codec, height, width):
    path = film(tmp_path / "odd.mp4", [flat((200, 72, 72), height, width)] * 3, codec)
    stream = asked(path, "stream=width,height")["streams"][0]
    assert (stream["height"], stream["width"]) == (height + height % 2, width + width % 2)
    with VideoPictures(path, size=(height, width)) as pictures:
        picture = next(pictures.frames())
    assert picture.shape == (height, width, 3)
    assert np.abs(picture.astype(int) - (200, 72, 72)).max() <= 3


def test_arrays_of_any_strides_and_rights_give_the_same_packets():
    big = noise(1, 200, 300)[0]
    screen = np.dstack([big, big[..., 0]])
    views = {
        "part of a larger one": screen[10:58, 20:84],
        "every second": screen[::2, ::2][:48, :64],
        "upside down": screen[::-1][:48, :64],
        "mirrored": screen[:48, 63::-1],
        "turned": screen.transpose(1, 0, 2)[:48, :64],
        "three of four": screen[10:58, 20:84, :3],
    }
    for name, view in views.items():
        copy = view.copy()
        copy.flags.writeable = False
        packets = [encoded([pixels] * 2, "lossless") for pixels in (view, copy)]
        assert packets[0] == packets[1], name


def test_the_pixels_may_be_changed_once_the_packet_is_there(tmp_path):
    screen, packets = np.zeros((48, 64, 4), np.uint8), []
    encoder = VideoEncoder("lossless", width=64, height=48, rate_hz=30)
    for k in range(6):
        screen[..., :3] = 40 * k
        packets.append((encoder.encode(screen), k * MS, encoder.last_was_key))
        screen[...] = 255
    mux(tmp_path / "x.mp4", packets, codec="lossless", width=64, height=48, rate_hz=30)
    with VideoPictures(tmp_path / "x.mp4") as pictures:
        assert [int(p.max()) for p in pictures.frames()] == [0, 40, 80, 120, 160, 200]


def test_other_threads_run_while_a_picture_is_encoded():
    encoder = VideoEncoder("h264", width=1280, height=720, rate_hz=30, threads=1)
    frames, done, turns = noise(2, 720, 1280), threading.Event(), 0

    def encode():
        for k in range(16):
            encoder.encode(frames[k % 2])
        done.set()

    worker = threading.Thread(target=encode)
    worker.start()
    while not done.is_set():
        time.sleep(0.001)
        turns += 1
    worker.join()
    assert turns > 16  # a held lock would give one turn a picture at best


@pytest.mark.parametrize(
    "wrong",
    [
        {"codec": "vp9"},
        {"width": 0},
        {"height": 20_000},
        {"rate_hz": 0},
        {"quality": 52},
        {"codec": "lossless", "quality": 20},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(BadInputError):
        VideoEncoder(**{"codec": "h264", "width": 64, "height": 48, "rate_hz": 30} | wrong)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((48, 64), np.uint8), np.zeros((48, 66, 3), np.uint8), np.zeros((48, 64, 3), np.float32)],
    ids=["grey", "another size", "floats"],
)
def test_pixels_of_another_kind_are_refused_and_the_encoder_goes_on(pixels):
    encoder = VideoEncoder("h264", width=64, height=48, rate_hz=30)
    with pytest.raises(BadInputError, match=r"48, 64, 3"):
        encoder.encode(pixels)
    assert encoder.encode(flat((1, 2, 3)))


@pytest.mark.parametrize("codec", CODECS)
def test_ffmpeg_takes_the_same_settings(tmp_path, codec):
    given = [word for name, value in settings(codec).items() for word in (f"-{name}", value)]
    source = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=30:duration=0.2"]
    coder = ["-c:v", CODERS[codec].encoder, "-pix_fmt", CODERS[codec].pixel_format]
    command = [program("ffmpeg"), "-v", "error", *source, *coder, *given, str(tmp_path / "x.mkv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("codec", "name", "tag"), [("h264", "h264", "avc1"), ("h265", "hevc", "hvc1"), ("lossless", "h264", "avc1")]
)
def test_the_file_has_the_real_times_and_says_its_colours(tmp_path, codec, name, tag):
    packets = encoded([numbered(k) for k in range(20)], codec, keys=(13,))
    start_ns, times_ns = 7_000_000_123, np.cumsum([0, *[33 * MS, 17 * MS, 250 * MS, 5 * MS] * 5])[:20]
    timed = [(data, start_ns + int(t), key) for (data, _, key), t in zip(packets, times_ns, strict=True)]
    mux(tmp_path / "v.mp4", timed, codec=codec, width=64, height=48, rate_hz=30)
    stream = asked(tmp_path / "v.mp4", "stream=codec_name,codec_tag_string,color_space,color_range,nb_frames,time_base")
    stream = stream["streams"][0]
    assert (stream["codec_name"], stream["codec_tag_string"], stream["nb_frames"]) == (name, tag, "20")
    assert (stream["color_space"], stream["color_range"]) == (("gbr", "pc") if codec == "lossless" else ("bt709", "tv"))
    shown = asked(tmp_path / "v.mp4", "packet=pts_time,flags")["packets"]
    assert [float(p["pts_time"]) for p in shown] == pytest.approx(times_ns / 1e9, abs=1e-5)
    assert [k for k, p in enumerate(shown) if p["flags"].startswith("K")] == [k for k, p in enumerate(packets) if p[2]]
    assert [number_of(p) for p in decoded_by_ffmpeg(tmp_path / "v.mp4")] == list(range(20))
    with VideoPictures(tmp_path / "v.mp4") as pictures:
        assert np.abs(pictures.times_ns - times_ns).max() <= 5556  # half a tick of 1/90000 s


def test_times_that_stand_still_or_run_back_are_put_behind_each_other(tmp_path):
    packets = [(data, t, key) for (data, _, key), t in zip(encoded(noise(4)), [5, 5, 3, 40 * MS], strict=True)]
    mux(tmp_path / "v.mp4", packets, codec="h264", width=64, height=48, rate_hz=30)
    with VideoPictures(tmp_path / "v.mp4") as pictures:
        assert pictures.times_ns.tolist() == [0, 11_111, 22_222, 40 * MS]


def test_the_same_packets_give_the_same_bytes_and_the_table_of_contents_in_front(tmp_path):
    packets = encoded(noise(20))
    for name in ("a.mp4", "b.mp4"):
        mux(tmp_path / name, iter(packets), codec="h264", width=64, height=48, rate_hz=30)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data == (tmp_path / "b.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_a_remainder_of_a_cut_seal_is_replaced_and_nothing_stays_when_the_packets_break_off(tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"half")
    packets = encoded(noise(5))

    def broken():
        yield packets[0]
        raise KeyError("the journal is gone")

    with pytest.raises(KeyError):
        mux(tmp_path / "v.mp4", broken(), codec="h264", width=64, height=48, rate_hz=30)
    assert (tmp_path / "v.mp4").read_bytes() == b"half"
    mux(tmp_path / "v.mp4", packets, codec="h264", width=64, height=48, rate_hz=30)
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]
    assert VideoPictures(tmp_path / "v.mp4").count == 5


def test_packets_are_taken_one_by_one_and_never_collected(tmp_path):
    packets = encoded(noise(30))
    alive, most = set(), 0

    class Counted(bytes):
        def __del__(self):
            alive.discard(id(self))

    def stream():
        nonlocal most
        for number in range(600):
            data, _, key = packets[number % 30]
            counted = Counted(data)
            alive.add(id(counted))
            most = max(most, len(alive))
            yield counted, number * 33 * MS, key

    mux(tmp_path / "v.mp4", stream(), codec="h264", width=64, height=48, rate_hz=30)
    assert most < 20


def test_packets_that_make_no_film_are_refused_and_leave_nothing(tmp_path):
    good = encoded(noise(3))
    cases = [
        ([], {}),
        (good[1:], {}),
        (good, {"width": 640}),
        ([(b"a letter" * 9, 0, True)], {}),
        (good, {"codec": "vp9"}),
        (good, {"codec": "h265"}),
    ]
    for packets, wrong in cases:
        options = {"codec": "h264", "width": 64, "height": 48, "rate_hz": 30} | wrong
        with pytest.raises(BadInputError):
            mux(tmp_path / "v.mp4", packets, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError):
        mux(tmp_path / "file" / "v.mp4", encoded(noise(2)), codec="h264", width=64, height=48, rate_hz=30)


@pytest.mark.parametrize("codec", CODECS)
def test_any_picture_comes_by_its_number(tmp_path, codec):
    path = film(tmp_path / "v.mp4", [numbered(k) for k in range(70)], codec, keys=(23, 24, 69))
    order = np.random.default_rng(3).permutation(70).tolist()
    with VideoPictures(path) as pictures:
        assert pictures.count == 70
        for number in [*order, 69, 69, 0, 0]:
            assert [number_of(p) for p in pictures.frames(number, number + 1)] == [number]
        for start, stop in [(0, 70), (20, 30), (68, 70), (5, 5), (23, 25)]:
            assert [number_of(p) for p in pictures.frames(start, stop)] == list(range(start, stop))


def test_reading_on_seeks_no_more(tmp_path):
    path = film(tmp_path / "v.mp4", [numbered(k) for k in range(90)])
    with VideoPictures(path) as pictures:
        found = [number_of(p) for start in range(0, 90, 9) for p in pictures.frames(start, start + 9)]
        assert (found, pictures.seeks) == (list(range(90)), 1)
        assert [number_of(p) for p in pictures.frames(50, 52)] == [50, 51]
        assert pictures.seeks == 2
        assert [number_of(p) for p in pictures.frames(55, 57)] == [55, 56]
        assert pictures.seeks == 2


def test_two_readers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = film(tmp_path / "v.mp4", [numbered(k) for k in range(40)])
    with VideoPictures(path) as pictures:
        pairs = zip(pictures.frames(0, 20), pictures.frames(20, 40), strict=True)
        assert [(number_of(a), number_of(b)) for a, b in pairs] == [(k, k + 20) for k in range(20)]


def test_pictures_are_in_the_order_of_their_times_where_the_file_has_another(tmp_path):
    write_video(tmp_path / "b.mp4", (numbered(k) for k in range(60)), rate_hz=30, gop_s=0.7)
    with av.open(str(tmp_path / "b.mp4")) as container:
        pts = [p.pts for p in container.demux(video=0) if p.size]
    assert pts != sorted(pts)  # x264 put B frames in
    with VideoPictures(tmp_path / "b.mp4") as pictures:
        for start in (59, 0, 41, 20, 21, 22):
            assert number_of(next(pictures.frames(start))) == start
        assert [number_of(p) for p in pictures.frames()] == list(range(60))


def test_each_picture_is_an_array_of_its_own(tmp_path):
    with VideoPictures(film(tmp_path / "v.mp4", [flat((9, 9, 9))] * 3, "lossless")) as pictures:
        first, second = pictures.frames(0, 2)
        first[...] = 0
        (again,) = pictures.frames(1, 2)
        assert (int(second.min()), int(again.min())) == (9, 9)


def test_a_cut_or_damaged_file_says_so(tmp_path):
    data = film(tmp_path / "v.mp4", noise(40)).read_bytes()
    for name, size in (("tail", len(data) - 5000), ("half", len(data) // 2), ("head", data.find(b"mdat") + 100)):
        (tmp_path / name).write_bytes(data[:size])
        with pytest.raises(BadDataError, match=rf"{name}: .*(cut|damaged|of 40)"):
            VideoPictures(tmp_path / name)
    at = data.find(b"mdat") + 4 + len(data) // 3
    (tmp_path / "hole").write_bytes(data[:at] + bytes(len(data) // 4) + data[at + len(data) // 4 :])

    def read():
        with VideoPictures(tmp_path / "hole") as pictures:
            list(pictures.frames())

    with pytest.raises(BadDataError, match="hole"):
        read()


def test_numbers_that_are_not_there_and_files_that_are_none(tmp_path):
    with VideoPictures(film(tmp_path / "v.mp4", noise(4))) as pictures:
        for start, stop in ((-1, 2), (0, 5), (3, 2)):
            with pytest.raises(BadInputError, match="0 to 4"):
                pictures.frames(start, stop)
    with pytest.raises(MissingError):
        VideoPictures(tmp_path / "nowhere.mp4")
    (tmp_path / "letter").write_bytes(b"this is a letter" * 50)
    with pytest.raises(BadDataError):
        VideoPictures(tmp_path / "letter")


def test_a_real_browser_plays_what_was_put_together(tmp_path, chromium):
    from playwright.sync_api import sync_playwright

    path = film(tmp_path / "v.mp4", [flat((200, 72, 72))] * 12, rate_hz=30)
    source = "data:video/mp4;base64," + base64.b64encode(path.read_bytes()).decode()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.set_content(f'<video muted src="{source}"></video>')
        found = page.evaluate("""async () => {
            const video = document.querySelector('video');
            while (video.readyState < 2 && !video.error) await new Promise(r => setTimeout(r, 20));
            const brush = document.createElement('canvas').getContext('2d');
            let pixel = [0, 0, 0];
            for (let k = 0; k < 200 && !pixel.some(v => v); k++) {  // a busy machine shows the first picture late
                brush.drawImage(video, 0, 0);
                pixel = Array.from(brush.getImageData(30, 20, 1, 1).data.slice(0, 3));
                await new Promise(r => setTimeout(r, 20));
            }
            await video.play();
            await new Promise(r => video.onended = r);
            return {error: video.error && video.error.message, duration: video.duration, pixel, ended: video.ended};
        }""")
        browser.close()
    assert (found["error"], found["ended"]) == (None, True)
    assert found["duration"] == pytest.approx(0.4, abs=0.01)
    assert np.abs(np.array(found["pixel"]) - (200, 72, 72)).max() <= 4

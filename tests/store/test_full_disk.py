"""A disk that fills up: a clear error, nothing that looks whole, and all that was written before is kept."""

import shutil
import subprocess

import numpy as np
import pytest

from rushes.capture.env.sample import sample
from rushes.errors import RushesError, StorageError
from rushes.formats.base import FORMATS, convert, get_format
from rushes.model.actions import ActionSpace
from rushes.model.clock import NS
from rushes.model.readings import Encoded, Event, Frame, Sound, Start
from rushes.model.recording import Sessions
from rushes.model.sample_table import Samples
from rushes.model.samples import samples_frame
from rushes.model.session import SessionInfo, StreamSpec
from rushes.preview.video import preview_video
from rushes.qa.base import run_checks
from rushes.store.reader import open_session
from rushes.store.recover import recover
from rushes.store.video_stream import VideoEncoder
from rushes.store.writer import SessionWriter


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 300 kB; needs the right to mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "s"
    return sample(out, "Alien", frames_per_env=300, max_episodes=2, policy="uniform", workers=1).sessions[0]


def test_sampling_onto_a_full_disk_says_so_and_keeps_what_was_written(small_disk):
    with pytest.raises(RushesError, match=r"the disk is full.*free some space"):
        sample(small_disk / "s", "Alien", frames_per_env=900, max_episodes=9, policy="uniform", workers=1)
    path = small_disk / "s" / "atari_alien"
    assert open_session(path).problems, "it does not look whole"
    subprocess.run(["mount", "-o", "remount,size=4M", small_disk], check=True)
    recover(path)
    kept = open_session(path)
    assert kept.frame_count > 30
    assert [f for f in run_checks(kept) if f.severity == "error"] == []
    report = sample(
        small_disk / "s", "Alien", frames_per_env=900, max_episodes=9, policy="uniform", workers=1, resume=True
    )
    assert report.sessions[0].frame_count == 900


@pytest.mark.parametrize("name", [name for name in FORMATS if get_format(name).takes in {"steps", "any"}])
def test_an_export_onto_a_full_disk_says_so_and_leaves_nothing(small_disk, session, name):
    with pytest.raises(StorageError, match="the disk is full"):
        convert(session.path, small_disk / "out", format=name)
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("strict", [False, True])
def test_labelled_pictures_onto_a_full_disk_say_so_and_leave_nothing(small_disk, session, strict):
    several = Samples(
        samples_frame(
            {"sample_id": f"{k}", "session": session.info.id, "frame_index": k, "t_ns": k, "control": "ALE/FIRE",
             "label": 1.0, "keys": [1.0], "hold_s": 0.1}
            for k in range(120)
        ),
        ActionSpace.from_names(["ALE/FIRE"]),
    )  # fmt: skip
    with pytest.raises(StorageError, match="the disk is full"):
        convert(
            Sessions([session], format="session", samples=several), small_disk / "out.npz", format="jumpnet",
            options={"strict": strict},
        )  # fmt: skip
    assert list(small_disk.iterdir()) == []


def test_a_film_onto_a_full_disk_says_so_and_leaves_nothing(small_disk, session):
    (small_disk / "ballast").write_bytes(b"x" * 270_000)
    with pytest.raises(StorageError, match="the disk is full"):
        preview_video(session, small_disk / "film.mp4")
    assert [p.name for p in small_disk.iterdir()] == ["ballast"]


@pytest.fixture(scope="module")
def unsealed(tmp_path_factory):
    """A session of 3 chunks that a kill left: pictures, sound and events in each; with its description."""
    made = {}
    for codec in ("png", "lossless"):
        path = tmp_path_factory.mktemp("unsealed") / "s"
        write_unsealed(path, codec)
        made[codec] = path
    return made


def write_unsealed(path, codec):
    noise = np.random.default_rng(0)
    encoder = VideoEncoder("lossless", width=64, height=48, rate_hz=30) if codec == "lossless" else None
    info = SessionInfo(
        id="noise", game="Test", source={"kind": "synthetic", "name": "test"}, time_source="measured",
        streams=(
            StreamSpec("screen", "frames", codec, width=64, height=48, rate_hz=30),
            StreamSpec("events", "events"), StreamSpec("mic", "sound", "flac", rate_hz=8000),
        ),
        action_space=ActionSpace.from_names(["KeyW"]),
    )  # fmt: skip
    writer = SessionWriter(path, info, chunk_frames=30, sealer=lambda _: None)
    writer.write(Start(0))
    for k in range(60):
        pixels = noise.integers(0, 255, (48, 64, 3), np.uint8)
        frame = (
            Encoded("lossless", encoder.encode(pixels, key=k % 30 == 0), encoder.last_was_key) if encoder else pixels
        )
        writer.write(Frame(k * NS // 30, frame))
        writer.write(Event(k * NS // 30 + 5, "keyboard", "KeyW", "release" if k % 2 else "press", 1.0 - k % 2))
        writer.write(Sound(k * NS // 30 + 6, noise.integers(-999, 999, (266, 1), np.int16), 8000, "mic"))
    writer.abandon()


@pytest.mark.parametrize("codec", ["png", "lossless"])
@pytest.mark.parametrize("room", [0, 9_000, 60_000, 200_000, 300_000])
def test_a_seal_onto_a_full_disk_says_so_and_leaves_the_journal_alone(small_disk, unsealed, codec, room):
    """`room`: bytes that are free when the seal begins; the disk fills up in another file each time."""
    size = sum(p.stat().st_size for p in unsealed[codec].rglob("*.*"))
    subprocess.run(["mount", "-o", f"remount,size={(size + room) // 4096 * 4 + 60}k", small_disk], check=True)
    shutil.copytree(unsealed[codec], small_disk / "s")
    before = sorted((p.relative_to(small_disk), p.stat().st_size) for p in small_disk.rglob("*.*"))
    free = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(b"x" * max(0, free - room - 4096))
    for _ in range(2):
        with pytest.raises(StorageError, match=r"the disk is full.*free some space"):
            recover(small_disk / "s")
        left = sorted((p.relative_to(small_disk), p.stat().st_size) for p in small_disk.rglob("*.*"))
        if left != before:  # the first chunk found its room
            assert open_session(small_disk / "s").frame_count == 30
            left = [one for one in left if "0001" not in str(one[0])]
            assert left == [one for one in before if "0001" not in str(one[0])]
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=20M", small_disk], check=True)
    recover(small_disk / "s")
    kept = open_session(small_disk / "s")
    assert (kept.frame_count, len(kept.events()), sum(len(s.samples) for s in kept.sound("mic"))) == (60, 60, 60 * 266)
    assert [f for f in run_checks(kept) if f.severity == "error"] == []

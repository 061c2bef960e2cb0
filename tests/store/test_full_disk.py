"""A disk that fills up: a clear error, nothing that looks whole, and all that was written before is kept."""

import subprocess

import pytest

from rushes.capture.env.sample import sample
from rushes.errors import RushesError, StorageError
from rushes.formats.base import FORMATS, convert
from rushes.preview.video import preview_video
from rushes.qa.base import run_checks
from rushes.store.reader import open_session
from rushes.store.recover import recover


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


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_export_onto_a_full_disk_says_so_and_leaves_nothing(small_disk, session, name):
    with pytest.raises(StorageError, match="the disk is full"):
        convert(session.path, small_disk / "out", format=name)
    assert list(small_disk.iterdir()) == []


def test_a_film_onto_a_full_disk_says_so_and_leaves_nothing(small_disk, session):
    (small_disk / "ballast").write_bytes(b"x" * 270_000)
    with pytest.raises(StorageError, match="the disk is full"):
        preview_video(session, small_disk / "film.mp4")
    assert [p.name for p in small_disk.iterdir()] == ["ballast"]

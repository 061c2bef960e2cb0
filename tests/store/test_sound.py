"""Sound of a chunk: what was put in comes back to the bit, and time comes from the table."""

import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from rushes.errors import BadDataError, BadInputError, MissingError, StorageError
from rushes.store.sound import SoundFile, read_sound, sound_between, to_int16
from rushes.store.tables import read_table

MS = 1_000_000


def noise(count, channels=2, seed=0):
    return np.random.default_rng(seed).integers(-32768, 32768, (count, channels), np.int16)


def stored(folder, blocks, *, stream="system", rate_hz=8000, channels=2):
    with SoundFile(folder, stream, rate_hz, channels) as sound:
        for t_ns, samples in blocks:
            sound.add(t_ns, samples)
    return sound


@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 2), (44_100, 1), (16_000, 6), (96_000, 8)])
def test_samples_and_times_come_back_to_the_bit(tmp_path, rate_hz, channels):
    blocks = [(k * 20 * MS + k, noise(100 + k, channels, k)) for k in range(30)]
    stored(tmp_path, blocks, rate_hz=rate_hz, channels=channels)
    index, samples = read_sound(tmp_path, "system")
    assert np.array_equal(samples, np.concatenate([block for _, block in blocks]))
    places = np.cumsum([0, *[100 + k for k in range(29)]])
    assert index["t_ns"].tolist() == [t for t, _ in blocks]
    assert index["sample"].tolist() == places.tolist()
    assert index["count"].tolist() == [100 + k for k in range(30)]
    assert soundfile.info(tmp_path / "audio" / "system.flac").samplerate == rate_hz


def test_other_programs_read_it(tmp_path):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed here: apt-get install ffmpeg")
    block = noise(3000)
    stored(tmp_path, [(0, block)])
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "audio" / "system.flac", "-f", "s16le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert np.array_equal(np.frombuffer(raw, "<i2").reshape(-1, 2), block)


def test_the_tables_columns_are_what_the_manual_says(tmp_path):
    stored(tmp_path, [(5, noise(10))])
    fields = read_table(tmp_path / "audio" / "system.parquet").schema
    assert [(f.name, str(f.type)) for f in fields] == [("t_ns", "int64"), ("sample", "int64"), ("count", "int64")]


def test_a_gap_is_not_filled(tmp_path):
    stored(tmp_path, [(0, noise(160)), (500 * MS, noise(160, seed=1))])
    index, samples = read_sound(tmp_path, "system")
    assert len(samples) == 320
    assert index.to_numpy().tolist() == [[0, 0, 160], [500 * MS, 160, 160]]


def test_floats_become_whole_numbers_and_what_is_cut_is_counted(tmp_path):
    given = np.array([[0.0, 0.5], [-1.0, 1.0], [1.5, -2.0], [np.nan, np.inf]], np.float32)
    sound = stored(tmp_path, [(0, given)])
    _, samples = read_sound(tmp_path, "system")
    assert samples.tolist() == [[0, 16384], [-32768, 32767], [32767, -32768], [0, 32767]]
    assert sound.clipped == 4


def test_sixteen_bit_that_a_server_gave_as_floats_comes_back_exactly():
    whole = np.arange(-32768, 32768, dtype=np.int16)
    back, cut = to_int16((whole.astype(np.float32) / 32768)[:, None])
    assert np.array_equal(back[:, 0], whole)
    assert cut == 0


def test_a_line_of_samples_is_one_channel(tmp_path):
    stored(tmp_path, [(0, noise(50)[:, 0])], channels=1)
    assert read_sound(tmp_path, "system")[1].shape == (50, 1)


def test_a_stretch_of_time_is_cut_to_the_sample_across_gaps_and_chunks(tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    one.mkdir()
    two.mkdir()
    blocks = [noise(80, seed=k) for k in range(3)]  # 10 ms each at 8000 Hz
    stored(one, [(0, blocks[0]), (30 * MS, blocks[1])])
    stored(two, [(40 * MS, blocks[2])])
    found = list(sound_between([one, two], "system", start_ns=5 * MS, stop_ns=45 * MS))
    assert [t_ns for t_ns, _ in found] == [5 * MS, 30 * MS, 40 * MS]
    for (_, part), wanted in zip(found, [blocks[0][40:], blocks[1], blocks[2][:40]], strict=True):
        assert np.array_equal(part, wanted)
    assert list(sound_between([one, two], "system", start_ns=12 * MS, stop_ns=29 * MS)) == []
    (odd,) = sound_between([one], "system", start_ns=1, stop_ns=125_001)  # samples 1 (125 us) alone
    assert odd[0] == 125_000
    assert np.array_equal(odd[1], blocks[0][1:2])


def test_the_same_blocks_give_the_same_bytes_and_a_remainder_is_replaced(tmp_path):
    for name in "ab":
        (tmp_path / name / "audio").mkdir(parents=True)
        (tmp_path / name / "audio" / "system.flac").write_bytes(b"cut")
        stored(tmp_path / name, [(0, noise(900)), (20 * MS, noise(900))])
    for name in ("system.flac", "system.parquet"):
        assert (tmp_path / "a" / "audio" / name).read_bytes() == (tmp_path / "b" / "audio" / name).read_bytes()


@pytest.mark.parametrize(
    "samples",
    [np.zeros((5, 3), np.int16), np.zeros((5, 2), np.int32), np.zeros((5, 2, 1), np.int16)],
    ids=["channels", "type", "shape"],
)
def test_blocks_of_another_kind_are_refused(tmp_path, samples):
    with SoundFile(tmp_path, "mic", 8000, 2) as sound, pytest.raises(BadInputError):
        sound.add(0, samples)
    assert list((tmp_path / "audio").iterdir()) == []  # a stream without a sample leaves no file


@pytest.mark.parametrize(("rate_hz", "channels"), [(0, 2), (48_000, 0), (48_000, 9), (10**6, 2)])
def test_what_flac_does_not_have_is_refused(tmp_path, rate_hz, channels):
    with pytest.raises(BadInputError, match=r"Hz"):
        SoundFile(tmp_path, "mic", rate_hz, channels)


def test_damage_and_absence_are_told(tmp_path):
    with pytest.raises(MissingError):
        read_sound(tmp_path, "mic")
    stored(tmp_path, [(k, noise(4000, seed=k)) for k in range(9)], stream="mic")
    flac = tmp_path / "audio" / "mic.flac"
    whole = flac.read_bytes()
    for size in (0, 20, len(whole) // 2):
        flac.write_bytes(whole[:size])
        with pytest.raises(BadDataError, match=r"mic\.flac: sound that is cut"):
            read_sound(tmp_path, "mic")
    flac.unlink()
    with pytest.raises(MissingError):
        read_sound(tmp_path, "mic")


def test_a_full_disk_is_told(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with pytest.raises((StorageError, OSError), match=r"free some space|No space"):
            stored(small, [(k, noise(4000, seed=k)) for k in range(40)])
    finally:
        subprocess.run(["umount", "-l", small], check=True)

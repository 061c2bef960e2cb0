"""Sound through a real PulseAudio: the right device, the right samples at the right time, and every way to lose it."""

import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from rushes.capture.audio.base import AUDIO, audio_source
from rushes.capture.audio.devices import open_device
from rushes.capture.audio.soundcard_source import SoundSource
from rushes.capture.source import Source, SourceEnd
from rushes.errors import BadInputError, BadNameError, UnavailableError
from rushes.model.clock import Clock
from rushes.model.readings import Lost, Sound

RATE = 48_000
NS = 1_000_000_000


@pytest.fixture
def server(require, servers):
    """A sound server of this test's own: some tests end it."""
    require("sound")
    with servers.run_sound_server() as made:
        yield made


@pytest.fixture
def players(servers):
    with servers.programs_that_end() as made:
        yield made
        for program in made.running:
            program.stdin.close()


class Run:
    """A source that runs on a thread."""

    def __init__(self, name="system", **options):
        self.clock, self.stop, self.readings = Clock(), threading.Event(), []
        self.arrived: queue.SimpleQueue = queue.SimpleQueue()
        self.ended_with: BaseException | None = None
        self.source = audio_source(name, **options)
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self):
        try:
            self.source.run(self.clock, self._take, self.stop)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.ended_with = error

    def _take(self, reading):
        self.readings.append(reading)
        self.arrived.put(reading)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(30)

    def first(self):
        """Wait for the first block; a speaker that was idle takes its time."""
        return self.arrived.get(timeout=60)

    def end(self, patience_s=30.0):
        """Wait for its end; returns how long it took and how it ended."""
        began = time.monotonic()
        self.thread.join(patience_s)
        assert not self.thread.is_alive(), f"it did not end within {patience_s} s"
        return time.monotonic() - began, self.ended_with

    @property
    def blocks(self):
        return [reading for reading in list(self.readings) if isinstance(reading, Sound)]

    @property
    def elapsed_s(self):
        """From the first block to the last."""
        blocks = self.blocks
        return (blocks[-1].t_ns - blocks[0].t_ns) / NS if blocks else 0.0

    @property
    def samples(self):
        return np.concatenate([block.samples for block in self.blocks])

    @property
    def times_ns(self):
        """Time of each sample."""
        return np.concatenate([b.t_ns + np.arange(len(b.samples)) * NS // b.rate_hz for b in self.blocks])


def tone(seconds, hz=440, level=0.5):
    wave = level * 32767 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave.astype("<i2")[:, None], 2, axis=1).tobytes()


def player(players, sink="game", latency_ms=10):
    command = ["pacat", "--playback", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=2", f"--device={sink}"]
    return players.start([*command, f"--latency-msec={latency_ms}"], stdin=subprocess.PIPE)


def test_it_is_a_source_that_opens_nothing_before_it_runs():
    for name in AUDIO:
        source = audio_source(name)
        assert isinstance(source, Source)
        assert (source.name, source.essential) == (name, False)
    with pytest.raises(BadNameError):
        audio_source("radio")
    for wrong in ({"rate_hz": 0}, {"channels": 0}):
        with pytest.raises(BadInputError):
            SoundSource("mic", **wrong)


def test_a_tone_comes_with_its_pitch_its_loudness_and_its_time(server, servers, players):
    def loud():
        return np.abs(run.samples[:, 0].astype(int)) > 300

    with Run() as run:
        run.first()
        program, written_ns = player(players, latency_ms=60), []
        time.sleep(0.3)  # it connects
        for number in range(1, 4):
            before = loud().sum()
            written_ns.append(run.clock.now_ns())
            program.stdin.write(tone(0.2))
            program.stdin.flush()
            servers.wait_for(lambda b=before: loud().sum() > b + 0.1 * RATE, f"tone {number}")
            servers.wait_for(lambda: not loud()[-RATE // 2 :].any(), f"the end of tone {number}")
    heard = loud()
    starts = [i for i in np.flatnonzero(heard) if not heard[max(0, i - RATE // 3) : i].any()]
    assert len(starts) == 3
    errors_ms = (run.times_ns[starts] - written_ns) / 1e6
    assert -5 < errors_ms.min() <= errors_ms.max() < 500, errors_ms  # generous: a busy machine plays late
    # the loudest stretches of 50 ms are whole, whatever a busy machine did to the player between them
    stretches = run.samples[: len(run.samples) // 2400 * 2400, 0].astype(float).reshape(-1, 2400)
    loudness = np.sqrt((stretches**2).mean(axis=1))
    loudest = np.argsort(loudness)[-3:]
    assert [np.abs(np.fft.rfft(stretches[k])).argmax() * 20 for k in loudest] == [440, 440, 440]
    assert loudness[loudest] == pytest.approx(0.5 * 32767 / np.sqrt(2), rel=0.02)
    assert run.samples.dtype == np.int16
    assert run.samples.shape[1] == 2


def test_time_and_samples_agree_and_silence_is_silent(server, servers):
    with Run() as run:
        run.first()
        servers.wait_for(lambda: run.elapsed_s > 1.5, "a second and a half of sound", seconds=60)
    judge_times(run)
    assert not run.samples.any()
    assert {(b.rate_hz, b.stream, len(b.samples)) for b in run.blocks} == {(RATE, "system", 960)}
    assert run.end()[1] is None


def judge_times(run):
    """Samples that are there and samples that are counted as missing make up the time, block after block.

    Where none is missing a block follows 20 ms after the one before it; a machine that is busy elsewhere moves that by
    less than the jump from which on samples count as missing (50 ms).
    """
    times_ns, missing = [b.t_ns for b in run.blocks], {}
    for number, reading in enumerate(run.readings):
        if isinstance(reading, Lost):
            assert (reading.stream, reading.reason) == ("system", "overrun")
            assert reading.count > 0
            following = next(r for r in run.readings[number:] if isinstance(r, Sound))
            assert reading.t_ns == following.t_ns, "it is told with the block behind the hole"
            missing[following.t_ns] = reading.count
    assert (np.diff(times_ns) > 0).all()
    early_ns = [
        after - before - 20_000_000 - missing.get(after, 0) * NS // RATE
        for before, after in itertools.pairwise(times_ns)
    ]
    assert np.median(np.abs(early_ns)) < 1_000_000
    assert np.abs(early_ns).max() < 60_000_000
    counted = sum(len(b.samples) for b in run.blocks[:-1]) + sum(missing.values())
    assert counted / RATE == pytest.approx(run.elapsed_s, abs=0.05 * (1 + len(missing)))
    return sum(missing.values())


def test_it_stops_at_once_even_where_nothing_plays(server):
    run = Run()
    with run:
        time.sleep(0.4)  # a speaker that was idle gives nothing yet
        run.stop.set()
        took_s, ended_with = run.end()
    assert ended_with is None
    assert took_s < 5, "it did not wait for sound"
    assert run.readings == []


def test_a_suspended_speaker_is_no_lost_device_and_its_silence_is_counted(server, servers):
    with Run() as run:
        run.first()
        assert servers.pactl("suspend-sink", "game", "1").returncode == 0
        time.sleep(1.5)
        assert run.thread.is_alive()
        before = len(run.blocks)
        assert servers.pactl("suspend-sink", "game", "0").returncode == 0
        servers.wait_for(lambda: len(run.blocks) > before + 10, "sound after the pause", seconds=60)
    assert (np.diff([r.t_ns for r in run.readings]) >= 0).all()
    assert 1 * RATE < judge_times(run) < run.elapsed_s * RATE


def test_an_unplugged_speaker_ends_it_and_the_microphone_is_not_taken_instead(server, servers, players):
    pactl = servers.pactl
    assert pactl("load-module", "module-null-sink", "sink_name=cable").returncode == 0
    assert pactl("set-default-source", "cable.monitor").returncode == 0  # where a server moves homeless streams
    whisper = player(players, "cable")
    with Run() as run:
        run.first()
        whisper.stdin.write(tone(1.5, hz=1000))
        whisper.stdin.flush()
        modules = [line.split("\t") for line in pactl("list", "short", "modules").stdout.splitlines()]
        (number,) = [m[0] for m in modules if "sink_name=game" in m[2]]
        assert pactl("unload-module", number).returncode == 0
        took_s, ended_with = run.end()
    assert isinstance(ended_with, SourceEnd)
    assert ended_with.reason == "device_lost"
    assert "system" in ended_with.sentence
    assert took_s < 10
    assert not run.samples.any(), "sound of the other device was recorded"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_ends_the_source(server, how):
    with Run() as run:
        run.first()
        os.kill(server.program.pid, how)
        took_s, ended_with = run.end()
    assert isinstance(ended_with, SourceEnd)
    assert ended_with.reason == "device_lost"
    assert took_s < 10


def test_loopbacks_and_microphones_are_not_mistaken_for_each_other(server, servers):
    with pytest.raises(UnavailableError, match="no microphone"), open_device("mic", rate_hz=RATE, channels=1):
        pass
    pactl = servers.pactl
    assert pactl("load-module", "module-null-sink", "sink_name=cable").returncode == 0
    words = ("master=cable.monitor", "source_name=voice", "source_properties=device.description=Voice")
    assert pactl("load-module", "module-remap-source", *words).returncode == 0
    assert pactl("set-default-source", "voice").returncode == 0
    with open_device("mic", rate_hz=RATE, channels=1) as microphone:
        assert microphone.name == "Voice"
    with open_device("system", rate_hz=RATE, channels=2) as speaker:
        assert speaker.name == "Monitor of Null Output"
    with open_device("mic", rate_hz=RATE, channels=1, device="voice") as named:
        assert named.name == "Voice"
    with (
        pytest.raises(BadNameError, match="Voice"),
        open_device("mic", rate_hz=RATE, channels=1, device="trumpet"),
    ):
        pass


def test_without_a_server_it_says_what_is_missing(monkeypatch, tmp_path):
    words = "from rushes.capture.audio.devices import open_device; open_device('system', rate_hz=48000, channels=2)"
    env = {**os.environ, "PULSE_SERVER": f"unix:{tmp_path / 'none'}", "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", words], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "UnavailableError" in done.stderr
    assert "sound server" in done.stderr
    assert "record without sound" in done.stderr

"""Log-mel against TensorFlow's table, SciPy's periodogram and what a sine of known power must give."""

import numpy as np
import pytest
from scipy import signal

from rushes.errors import BadInputError
from rushes.model.mel import band_hz, hz_to_mel, log_mel, mel_to_hz, mel_weights, window

RNG = np.random.default_rng(5)
TENSORFLOW = [
    [0.0, 0.77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0.0, 0.23, 0.9313, 0.3105, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0.0, 0, 0.0687, 0.6895, 0.8174, 0.4083, 0.0587, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0.0, 0, 0, 0, 0.1826, 0.5917, 0.9413, 0.7535, 0.4827, 0.2392, 0.0182, 0, 0, 0, 0, 0, 0],
    [0.0, 0, 0, 0, 0, 0, 0, 0.2465, 0.5173, 0.7608, 0.9818, 0.8157, 0.629, 0.4557, 0.294, 0.1425, 0],
]
"""tf.signal.linear_to_mel_weight_matrix(5, 17, 16000, 20.0, 8000.0) of TensorFlow 2.21, transposed, four digits."""


def sine(hz, *, rate_hz=16_000, count=533, amplitude=1.0):
    return amplitude * np.sin(2 * np.pi * hz * np.arange(count) / rate_hz + 0.3)[None]


def powers(values):
    return 10 ** ((values.astype(float) - 1) * 10)


def test_a_thousand_hertz_are_a_thousand_mel():
    """The HTK Book's other form of the formula: 2595 log10(1 + f / 700)."""
    hz = np.array([0.0, 100, 1000, 8000])
    np.testing.assert_allclose(hz_to_mel(hz), 2595 * np.log10(1 + hz / 700), rtol=1e-4)
    assert hz_to_mel(1000) == pytest.approx(1000, abs=0.02)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz, atol=1e-9)


def test_the_bands_are_those_of_tensorflow():
    np.testing.assert_allclose(mel_weights(5, np.arange(17) * 500.0, high_hz=8000), TENSORFLOW, atol=6e-5)


def test_powers_are_those_of_scipys_periodogram():
    noise = RNG.normal(0, 0.1, 533)
    hz, density = signal.periodogram(
        noise, 16_000, window=window(533), nfft=2048, detrend="constant", return_onesided=False
    )
    half = 2 * density[:1024] * 16_000 / 2048
    expected = mel_weights(128, hz[:1024], high_hz=8000) @ half
    np.testing.assert_allclose(powers(log_mel(noise[None], rate_hz=16_000)[0]), expected, rtol=2e-4)


@pytest.mark.parametrize("hz", [220.0, 1000.0, 3456.0])
@pytest.mark.parametrize(("rate_hz", "n_fft"), [(16_000, 2048), (30_720, 4096), (48_000, 8192)])
def test_a_sine_is_loudest_in_its_band_and_all_bands_hold_its_power(hz, rate_hz, n_fft):
    for seconds in (1 / 30, 0.3):  # one window, and several over each other
        values = log_mel(sine(hz, rate_hz=rate_hz, count=int(seconds * rate_hz)), rate_hz=rate_hz, n_fft=n_fft)[0]
        nearest = np.abs(band_hz(128, high_hz=8000) - hz).argmin()
        assert abs(values.argmax() - nearest) <= 1
        assert powers(values).sum() == pytest.approx(0.5, rel=0.06)


def test_ten_decibels_are_a_tenth_and_silence_is_zero():
    loud, soft = (log_mel(sine(1000, amplitude=a), rate_hz=16_000)[0].max() for a in (1.0, 10**-1.5))
    assert loud - soft == pytest.approx(0.3, abs=1e-4)
    assert not log_mel(np.zeros((2, 500)), rate_hz=16_000).any()
    assert not log_mel(np.full((1, 500), 0.4), rate_hz=16_000).any(), "a constant is no sound"


def test_a_click_counts_the_same_wherever_it_falls_and_ten_times_less_at_the_very_edge():
    clicks = np.zeros((533, 533))
    np.fill_diagonal(clicks, 1.0)
    found = log_mel(clicks, rate_hz=16_000).max(axis=1)
    assert np.ptp(found[66:-66]) < 0.01
    np.testing.assert_allclose(found[[0, -1]], found[266] - 0.2, atol=0.01)
    assert (found > found[266] - 0.21).all()


def test_what_a_stretch_gives_does_not_depend_on_those_beside_it():
    many = RNG.normal(0, 0.1, (37, 1024))
    whole = log_mel(many, rate_hz=30_720, n_fft=4096)
    assert all((log_mel(many[k : k + 1], rate_hz=30_720, n_fft=4096) == whole[k]).all() for k in range(37))
    assert (log_mel(many[3:19], rate_hz=30_720, n_fft=4096) == whole[3:19]).all()


def test_bands_above_what_a_recording_can_hold_are_silent():
    values = log_mel(RNG.normal(0, 0.2, (1, 800)), rate_hz=8000, high_hz=8000)[0]
    above = band_hz(128, high_hz=8000) > 4100
    assert not values[above].any()
    assert values[band_hz(128, high_hz=8000) < 3900].all()


def test_more_bands_than_the_spectrum_has_lines_are_refused():
    with pytest.raises(BadInputError, match="hold no line"):
        log_mel(np.zeros((1, 100)), rate_hz=16_000, bins=128, n_fft=256)

"""What an element is made of, and what is said where TensorFlow is missing."""

import sys

import pytest

from rushes.errors import BadInputError, UnavailableError
from rushes.loaders.elements import Elements, load_tensorflow

ARRAYS = {"frames": "f", "inputs": "i", "audio": "a", "mask": "m"}


@pytest.mark.parametrize(
    ("names", "keras", "everything", "wanted"),
    [
        (("frames", "inputs", "audio"), False, False, ("f", "i", "a")),
        (("frames", "inputs"), False, False, ("f", "i")),
        (("frames", "inputs", "audio"), True, False, (("f", "a"), "i")),
        (("frames", "inputs"), True, False, ("f", "i")),
        (("frames", "inputs", "mask"), True, False, ("f", "i", "m")),
        (("frames", "inputs", "audio", "mask"), True, False, (("f", "a"), "i", "m")),
        (("mask", "frames"), False, True, {"mask": "m", "frames": "f"}),
    ],
)
def test_arrays_are_nested_as_documented(names, keras, everything, wanted):
    assert Elements(names, keras=keras, everything=everything).arranged(ARRAYS) == wanted


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(BadInputError, match="dtype='int8'"):
        Elements(("frames",), dtype="int8")
    with pytest.raises(BadInputError, match="one of them"):
        Elements(("frames",), keras=True, everything=True)


def test_without_tensorflow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(UnavailableError, match=r'pip install "rushes\[tf\]"'):
        load_tensorflow()

"""What a TensorFlow dataset gives for each batch: which arrays, in which nesting, as which numbers.

| form | element |
|---|---|
| as the original documents it | `(frames, inputs, audio)` where there is sound, else `(frames, inputs)` |
| `keras=True` | `((frames, audio), inputs)` or `(frames, inputs)`: what `model.fit` takes for inputs and targets |
| `everything=True` | one dict with all that windows hold: `mask`, `t_ns`, `session`, `rewards` and so on |

`model.fit` takes a third part of a tuple for sample weights, so a dataset with sound is trained on with `keras=True`.
There the third part is `mask` as float32, (B, T), where windows are padded.

Example:
    >>> Elements(("frames", "inputs", "audio"), keras=True).arranged({"frames": 1, "inputs": 2, "audio": 3})
    ((1, 3), 2)
    >>> Elements(("frames", "inputs"), everything=True).arranged({"frames": 1, "inputs": 2})
    {'frames': 1, 'inputs': 2}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from rushes.errors import BadInputError, UnavailableError

Dtype = Literal["float32", "float16", "bfloat16", "uint8"]
DTYPES: Final = ("float32", "float16", "bfloat16", "uint8")
_WHITE: Final = 255


def load_tensorflow() -> Any:
    """Import TensorFlow.

    Raises:
        UnavailableError: It is missing or does not load.
    """
    try:
        import tensorflow as tf
    except Exception as error:
        raise UnavailableError(
            f"TensorFlow does not load here ({type(error).__name__}: {error})",
            accepts="an environment with TensorFlow",
            fix='pip install "rushes[tf]"',
        ) from error
    return tf


@dataclass(frozen=True)
class Elements:
    """How the arrays of a batch become an element.

    Attributes:
        names: The arrays: `frames`, `inputs`, `audio` where sound is given, `mask` for weights, or everything.
        dtype: Of the frames: floats from 0 to 1, or `uint8` as they are decoded.
        keras: Whether it is for `model.fit`.
        everything: Whether it is a dict of all arrays.

    Raises:
        BadInputError: Another dtype, or two forms at once.
    """

    names: tuple[str, ...]
    dtype: str = "float32"
    keras: bool = False
    everything: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise BadInputError(f"dtype={self.dtype!r}", accepts=", ".join(DTYPES), fix="pass dtype='float32'")
        if self.keras and self.everything:
            raise BadInputError(
                "keras=True with everything=True", accepts="one of them", fix="model.fit takes keras=True alone"
            )

    def arranged(self, arrays: Mapping[str, Any]) -> Any:
        """Nest the arrays of a batch, whatever they are."""
        if self.everything:
            return {name: arrays[name] for name in self.names}
        if not self.keras:
            return tuple(arrays[name] for name in self.names)
        seen = (arrays["frames"], arrays["audio"]) if "audio" in self.names else arrays["frames"]
        return (seen, arrays["inputs"], *([arrays["mask"]] if "mask" in self.names else []))

    def converted(self, arrays: Mapping[str, Any], tf: Any) -> dict[str, Any]:
        """Make tensors what a model takes: frames of `dtype`, a mask that is a weight.

        Args:
            arrays: Name -> tensor; `frames` are uint8.
            tf: TensorFlow.
        """
        found = dict(arrays)
        if self.dtype != "uint8":
            found["frames"] = tf.cast(tf.cast(found["frames"], tf.float32) / _WHITE, self.dtype)
        if self.keras and "mask" in found:
            found["mask"] = tf.cast(found["mask"], tf.float32)
        return found

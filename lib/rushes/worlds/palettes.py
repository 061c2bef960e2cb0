"""The two palettes of the emulator: index on its screen -> RGB.

A console picture is 160 pixels wide and has at most 128 colours; the emulator keeps it as one index a pixel. Stored
that way a frame costs a sixth of its RGB form. Even indices are colours; the odd index after one is its grey, which
PAL consoles show when they lose colour.

Source: read off ale-py 0.12 by comparing `getScreen()` with `getScreenRGB()` over all games (94 NTSC, 10 PAL);
`tests/worlds/test_atari.py` compares both again for every game.

Example:
    >>> NTSC.shape, NTSC[6].tolist()
    ((256, 3), [142, 142, 142])
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_NTSC: Final = (
    "0000004a4a4a6f6f6f8e8e8eaaaaaac0c0c0d6d6d6ececec48480069690f86861da2a22abbbb35d2d240e8e84afcfc54"
    "7c2c00904811a26221b47a30c3903dd2a44adfb755ecc860901c00a33915b55328c66c3ad5824ae39759f0aa67fcbc74"
    "940000a71a1ab83232c84848d65c5ce46f6ff08080fc909084006497197aa8308fb846a2c659b3d46cc3e07cd2ec8ce0"
    "50008468199a7d30ad9246c0a459d0b56ce0c57ceed48cfc140090331aa34e32b56848c67f5cd5956fe3a980f0bc90fc"
    "000094181aa72d32b84248c8545cd6656fe47580f08490fc001c88183b9d2d57b04272c2548ad265a0e175b5ef84c8fc"
    "0030641850802d6d984288b054a0c565b7d975cceb84e0fc00403018624e2d8169429e8254b89965d1ae75e7c284fcd4"
    "0044001a661a32843248a0485cba5c6fd26f80e88090fc90143c00355f18527e2d6e9c4287b7549ed065b4e775c8fc84"
    "3038005059166d762b88923ea0ab4fb7c25fccd86ee0ec7c482c00694d14866a26a28638bb9f47d2b656e8cc63fce070"
)
_PAL: Final = (
    "0000002b2b2b525252767676979797b6b6b6d2d2d2ececec0000002b2b2b525252767676979797b6b6b6d2d2d2ececec"
    "80580096711aab8732be9c48cfaf5cdfc06feed180fce090445c005e791a7693328cac48a0c25cb3d76fc4ea80d4fc90"
    "70340089511aa06b32b68448c99a5cdcaf6fecc280fcd4900064141a803532985248b06e5cc5876fd99e80ebb490fcc8"
    "700014891a35a03252b6486ec95c87dc6f9eec80b4fc90c8005c5c1a7676328e8e48a4a45cb8b86fcbcb80dcdc90ecec"
    "70005c841a74963289a8489eb75cb0c66fc1d380d1e090e0003c70195a892f75a0448eb657a5c968badc79ceec88e0fc"
    "5800706e1a898332a09648b6a75cc9b76fdcc680ecd490fc002070193f892f5aa04474b6578bc968a1dc79b5ec88c8fc"
    "3400804a1a965f32ab7248be835ccf936fdfa280eeb090fc0000881a1a9d3232b04848c25c5cd26f6fe18080ef9090fc"
    "0000002b2b2b525252767676979797b6b6b6d2d2d2ececec0000002b2b2b525252767676979797b6b6b6d2d2d2ececec"
)
_LUMA: Final = (0.2989, 0.587, 0.114)
"""Weights of the grey that stands for a lost colour; they reproduce all 128 odd entries of the PAL table."""


def _expand(colours: str) -> npt.NDArray[np.uint8]:
    even = np.frombuffer(bytes.fromhex(colours), np.uint8).reshape(128, 3)
    grey = (even @ np.array(_LUMA) + 0.5).astype(np.uint8)
    table = np.empty((256, 3), np.uint8)
    table[0::2], table[1::2] = even, grey[:, None]
    table.setflags(write=False)
    return table


NTSC: Final[npt.NDArray[np.uint8]] = _expand(_NTSC)
"""(256, 3) uint8 RGB."""
PAL: Final[npt.NDArray[np.uint8]] = _expand(_PAL)
"""(256, 3) uint8 RGB."""

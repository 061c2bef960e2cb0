"""Figures of a dataset that a training begins with: how often each control is used, class weights, means of pixels.

Example:
    >>> def class_weights(windows):
    ...     return statistics(windows).weights
"""

from __future__ import annotations

from rushes.loaders.windows import GameplayWindows
from rushes.store.statistics import Statistics, spaced

WINDOWS = 64


def statistics(windows: GameplayWindows, *, most: int = WINDOWS) -> Statistics:
    """Count what a dataset gives, before anything is drawn.

    Args:
        windows: The dataset.
        most: Windows whose pictures and sound are looked at, evenly spaced over all; 0 looks at none.

    Returns:
        Over every row of its recordings' stretches the inputs, once each, however the windows overlap; for a table of
        samples over the frames of its rows. Pixels and sound over the windows that were looked at.

    Raises:
        BadDataError: A table or picture cannot be read.
    """
    found = Statistics(windows.space, features=windows.shapes["audio"][1] if windows.hearing else 0)
    for inputs in windows.every_input():
        found.add_rows(inputs)
    chosen = spaced(len(windows), most)
    found.sampled = len(chosen) < len(windows)
    for number in chosen.tolist():
        item = windows.fetch_plain(number)
        found.add_pictures(item["frames"][item["mask"]])
        if windows.hearing is not None:
            found.add_sound(item["audio"][item["mask"]], item["audio_mask"][item["mask"]])
    return found

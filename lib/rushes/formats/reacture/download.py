"""What the page's download button gives: one session as one zip, with the card of the export in it.

Beside a file that was downloaded nothing stands, so the card that `convert` writes beside its target goes into the zip.

Example:
    >>> def serve(settings):
    ...     from rushes.capture.browser.serving import Serving
    ...     return Serving(settings, exporter=as_zip)
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from rushes.formats.base import convert
from rushes.formats.card import card_paths
from rushes.formats.reacture.zipped import add


def as_zip(session: Path, folder: Path) -> Path:
    """Write a session as a zip of the format `reacture`.

    Args:
        session: The session's folder.
        folder: Where the zip goes.

    Returns:
        The zip, `<session>.zip`; it holds `<session>.zip.card.json` and `.card.md` beside the set.

    Raises:
        BadInputError: None of the session's controls has a place in the format.
        StorageError: The disk is full.
    """
    target = folder / f"{session.name}.zip"
    convert(session, target, format="reacture")
    with zipfile.ZipFile(target, "a") as archive:
        for card in card_paths(target):
            add(archive, card.name, card)
    return target

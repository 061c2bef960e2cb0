"""Foreign files: one table of formats, one way to open any path, one way to convert any to any.

`rushes info PATH` says what a path is; `open_any` opens it; `convert` writes it in another format, with a
data card beside it. A format may lose things, never silently: `keeps` declares it, the ledger counts it, the
card says it.

Example:
    >>> get_format("interleaved").name, get_format("interleaved").keeps.frames
    ('atari_interleaved', 'exact')
    >>> # convert("outputs/run/sessions", "alien.parquet", format="interleaved", options=["strict=true"])
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from rushes.errors import BadDataError, BadInputError, MissingError
from rushes.formats.delays import with_delay
from rushes.formats.games import of_games
from rushes.formats.options import Given, NoOptions, parse_options
from rushes.formats.report import Keeps, Report
from rushes.model.recording import Recording, Sessions
from rushes.store.validity import honour_all
from rushes.table import Table

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what): frames written, frames to write, and a word for the bar."""

Takes = Literal["steps", "inputs", "keys", "any", "samples"]
"""What a format can be written from."""

FORMATS: Final = Table(
    "format",
    {
        "session": ("rushes.formats.session:SessionFormat", "", "the session directory of this program"),
        "atari_folders": (
            "rushes.formats.atari_folders:AtariFolders",
            "",
            "a folder an episode, a PNG and a text file a frame",
        ),
        "atari_interleaved": (
            "rushes.formats.atari_interleaved:AtariInterleaved",
            "",
            "Parquet, one row an episode: texts and images in turn",
        ),
        "atari_simple": (
            "rushes.formats.atari_simple:AtariSimple",
            "",
            "Parquet, one row a frame with its action",
        ),
        "nitrogen_capture": (
            "rushes.formats.nitrogen.capture:NitrogenCapture",
            "",
            "folders of the NitroGen Capture program: chunks of PNGs, keys and mouse motion",
        ),
        "nitrogen_pt": (
            "rushes.formats.nitrogen.pt:NitrogenPt",
            "",
            "one .pt or .safetensors of windows: a picture and its next 16 action rows",
        ),
        "nitrogen_dataset": (
            "rushes.formats.nitrogen.dataset:NitrogenDataset",
            "",
            "chunks of the official NitroGen data set: 17 buttons and two sticks a frame, 20 s a folder",
        ),
        "jumpnet_raw": (
            "rushes.formats.jumpnet.raw:JumpNetRaw",
            "",
            "NPZ of the JumpNet recorder: a row with its picture for each press and release",
        ),
        "jumpnet": (
            "rushes.formats.jumpnet.processed:JumpNet",
            "",
            "NPZ of JumpNet's scripts: labelled rows with their pictures",
        ),
        "hdf5": ("rushes.formats.hdf5:Hdf5", "", "one HDF5 file of pictures, inputs and sound, for any reader of HDF5"),
        "npz": ("rushes.formats.npz:Npz", "", "the same as NumPy arrays; nothing is pickled"),
        "torch": ("rushes.formats.torch_file:TorchFile", "", "the same as tensors: a .pt or a .safetensors"),
        "tfrecord": (
            "rushes.formats.tfrecord.folder:TfRecord",
            "",
            "TensorFlow's record files of windows, for tf.data; written and read without TensorFlow",
        ),
        "gameon": (
            "rushes.formats.gameon.gameon:GameOn",
            "",
            "the database of GameOn with its videos and WAV files",
        ),
        "reacture": (
            "rushes.formats.reacture.reacture:ReActure",
            "",
            "a browser game at 10 Hz with telemetry, as ReActure exports it; 128x128 unless `size=` says otherwise",
        ),
        "samples": ("rushes.formats.samples:SamplesFormat", "", "labelled rows as `rushes prepare` makes them"),
    },
)
"""All formats. To add one: a file here, a test file, a line in this table."""

ALIASES: Final[Mapping[str, str]] = {
    "folders": "atari_folders",
    "interleaved": "atari_interleaved",
    "simple": "atari_simple",
}
"""Short names, as the reference guides use them."""


class Format(ABC):
    """One foreign format, which both reads and writes.

    Attributes:
        name: Its row in `FORMATS`.
        looks_for: By what it knows its own, for the message that a path is nothing.
        Options: A frozen dataclass; `key=value` texts are parsed against it.
        keeps: What survives with the default options.
        takes: What it can be written from: `steps` of an environment, `inputs` (keyboard, mouse, pad), `keys`
            (presses and releases alone), `any`, or labelled `samples`.
        honours_facts: Whether stretches that side facts mark invalid are left out; a plain copy keeps both.
    """

    name: ClassVar[str]
    looks_for: ClassVar[str]
    Options: ClassVar[type[Any]] = NoOptions
    keeps: ClassVar[Keeps]
    takes: ClassVar[Takes]
    honours_facts: ClassVar[bool] = True

    def keeps_with(self, options: Any) -> Keeps:
        """Say what survives with these options (`strict` leaves out what the reference has no place for)."""
        del options
        return self.keeps

    @abstractmethod
    def sniff(self, path: Path) -> bool:
        """Say whether a path is of this format; cheap, whatever its size.

        Raises:
            BadDataError: It would be, but it is cut or damaged.
        """

    @abstractmethod
    def read(self, path: Path, options: Any) -> Sessions:
        """Open a path. Tolerant: what had to be worked around stands in `problems` and `ledger`.

        Args:
            path: What `sniff` accepts.
            options: An instance of `Options`.

        Raises:
            BadDataError: Nothing sensible can be read.
        """

    @abstractmethod
    def write(
        self,
        source: Sessions,
        path: Path,
        options: Any,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write recordings, with a data card beside: whole or not at all, in bounded memory.

        Args:
            source: What to write, in this order.
            path: A new path.
            options: An instance of `Options`.
            executor: Where encoding may be spread; the bytes do not depend on it.
            progress: Called now and then from this thread.

        Raises:
            OccupiedError: The target or its card exists.
            BadInputError: The format has no place for such recordings.
        """


@dataclass(frozen=True)
class StrictOptions:
    """What the formats with a reference take.

    Attributes:
        strict: The reference's columns or files alone, nothing beside them. What still differs from its files:
            `inputs` has the 2N+1 entries that its guide shows (its code writes one text less), -1 and "" where it
            has null in an entry, large list and binary types, and randomness in names as `%g` (0.25 stays 0.25).
            Folders and simple leave out an episode's last frame, on which nothing was done; interleaved shows it,
            as the guide does.
        indexed: Copy the stored PNG bytes, indexed ones too, instead of writing RGB.
    """

    strict: bool = False
    indexed: bool = False


def get_format(name: str) -> Format:
    """Load a format by its name or alias.

    Args:
        name: A row of `FORMATS` or a key of `ALIASES`.

    Raises:
        BadNameError: No such format; the message names the nearest.
        UnavailableError: A library that it needs is missing.
    """
    made: Format = FORMATS.load(ALIASES.get(name, name))()
    return made


def is_there(path: str | Path) -> bool:
    """Say whether something is at a path; nothing is at one that is longer than any can be."""
    try:
        return Path(path).exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def sniff_path(path: str | Path) -> str:
    """Say what a path is.

    Args:
        path: A file or a folder.

    Returns:
        A name of `FORMATS`.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is of no format, or cut; the message says what was looked for.
    """
    found = Path(path)
    if not is_there(found):
        raise MissingError(f"{found}: nothing is there", accepts="a file or a folder", fix="check the path")
    formats = [get_format(name) for name in FORMATS]
    for form in formats:
        if form.sniff(found):
            return form.name
    empty = found.is_dir() and not any(found.iterdir())
    raise BadDataError(
        f"{found}, {'an empty folder' if empty else 'which no format knows as its own'},",
        accepts="; ".join(f"{form.name}: {form.looks_for}" for form in formats),
        fix="point at the file or folder itself; `rushes info PATH` says what any path is",
    )


def open_any(path: str | Path, *, format: str | None = None, options: Given = None) -> Sessions:  # noqa: A002
    """Open a path of any format.

    Args:
        path: A file or a folder.
        format: Name of its format where it is known; found out otherwise.
        options: Reading options of the format.

    Returns:
        Its recordings; frames are decoded when they are asked for.

    Raises:
        MissingError: Nothing is there.
        BadDataError: It is of no format, of another one than was said, or damaged.
    """
    found = Path(path)
    if format is None:
        form = get_format(sniff_path(found))
    else:
        form = get_format(format)
        if not is_there(found):
            raise MissingError(f"{found}: nothing is there", accepts="a file or a folder", fix="check the path")
        if not form.sniff(found):
            raise BadDataError(
                f"{found}, which is not {form.name},",
                accepts=form.looks_for,
                fix="leave out format to have it found out",
            )
    return form.read(found, parse_options(form.Options, options))


def convert(
    source: str | Path | Recording | Sessions,
    target: str | Path,
    *,
    format: str,  # noqa: A002 - the word that users know
    options: Given = None,
    games: Sequence[str] = (),
    action_delay_ms: str | float = "",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Report:
    """Write anything that can be opened in another format.

    Args:
        source: A path of any format, or recordings.
        target: A new path; its card stands beside it as `<target>.card.json` and `<target>.card.md`.
        format: Name of the format to write.
        options: Its options: `["strict=true"]`, a mapping, or its `Options`.
        games: Only recordings of these games, exact names in any case; none means all. The others are lost as
            `other_game` in the ledger and named in the card.
        action_delay_ms: Moves the inputs of every recording this much later first, whatever the format: a number of
            ms, or `measured` for each recording's own offset (`store.delayed`). Empty leaves it to the option of that
            name that some formats have.
        executor: Any executor to spread encoding over; the same bytes come out with and without.
        progress: See `Progress`.

    Returns:
        What was written, kept and lost.

    Raises:
        BadNameError: An unknown format, or a game of which there is no recording.
        BadInputError: An unknown option, or a source that the format has no place for.
        BadDataError: The source is damaged.
        OccupiedError: The target exists; nothing is overwritten.
        StorageError: The disk is full or the folder cannot be written.
    """
    form = get_format(format)
    chosen = parse_options(form.Options, options)
    if isinstance(source, Recording):
        source = Sessions([source], format="recording")
    elif not isinstance(source, Sessions):
        source = open_any(source)
    source = of_games(source, games)
    if form.honours_facts:
        source = honour_all(source)
    source = with_delay(source, chosen, action_delay_ms)
    if source.samples is None and not any(recording.segments for recording in source):
        raise BadInputError(
            "a source without any episode",
            accepts="at least one recording with frames",
            fix="`rushes info PATH` says what it holds and what was wrong; facts.jsonl what was marked invalid",
        )
    return form.write(source, Path(target), chosen, executor=executor, progress=progress)

"""A folder of TensorFlow's record files: windows of T frames with what was done on each, ready for `tf.data`.

    windows-00000.tfrecord ...   the windows, each a `tf.train.Example`; features: `rushes.formats.tfrecord.examples`
    rest-00000.tfrecord ...      frames that no window shows (a stretch's last few, an environment's last
                                 observation), one a record: nothing is lost, and no training reads them
    features.json                what each feature is, which files there are and in which order, columns, statistics
    recordings/                  tables and sound of each recording, so that the folder opens as recordings again

No window crosses the edge of a segment or a stretch that is marked invalid. TensorFlow is not needed to write or read
the folder. With it, `rushes.loaders.tfrecord.read_tfrecord` gives a `tf.data.Dataset`, and a parser is this:

    def parse(record):
        row = tf.io.parse_single_example(record, {
            "frames": tf.io.FixedLenFeature([T], tf.string), "inputs": tf.io.FixedLenFeature([T, A], tf.float32)})
        frames = tf.map_fn(lambda data: tf.io.decode_png(data, 3), row["frames"], fn_output_signature=tf.uint8)
        return tf.ensure_shape(frames, [T, H, W, 3]), row["inputs"]

`strict=true` writes what the original's exporter writes; see `rushes.formats.tfrecord.strict`.

Example:
    >>> TfRecord.name, TfRecord().keeps_with(TfRecordOptions(size="224")).frames
    ('tfrecord', 'lossy')
    >>> # convert("data/sessions", "game_tfrecords", format="tfrecord", options=["size=224", "frame_skip=2"])
"""

from __future__ import annotations

import json
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from rushes.errors import BadDataError
from rushes.formats.base import Format, Progress, Takes
from rushes.formats.card import export
from rushes.formats.report import Keeps, Report
from rushes.formats.tfrecord import strict
from rushes.formats.tfrecord.options import TfRecordOptions, make_plan
from rushes.formats.tfrecord.recording import TfRecording
from rushes.formats.tfrecord.writing import FEATURES, SCHEMA, Writing
from rushes.model.recording import Recording, Sessions
from rushes.store.clips import Clips
from rushes.store.entry import Entry, describe


class TfRecord(Format):
    """Record files of windows."""

    name: ClassVar[str] = "tfrecord"
    looks_for: ClassVar[str] = f"a folder with {FEATURES} beside its .tfrecord files, or {strict.PATTERN.format(0)}"
    Options: ClassVar[type[Any]] = TfRecordOptions
    keeps: ClassVar[Keeps] = Keeps(
        "exact", times=True, audio=True, rewards=True, names=True, events=True, telemetry=True, human=True
    )
    takes: ClassVar[Takes] = "any"

    def keeps_with(self, options: TfRecordOptions) -> Keeps:
        """Say what survives: other sizes and JPEG are lossy, `strict` keeps windows alone; see `Format.keeps_with`."""
        lossy = options.resizes or options.pictures == "jpeg"
        if options.strict:
            return Keeps("lossy", times=False, audio=False, rewards=False, names=True, events=False)
        return replace(self.keeps, frames="lossy") if lossy else self.keeps

    def sniff(self, path: Path) -> bool:
        """Look for features.json of ours, or for the original's first file; see `Format.sniff`."""
        return manifest(path) is not None or strict.holds(path)

    def read(self, path: Path, options: TfRecordOptions) -> Sessions:
        """Open the recordings of a folder; see `Format.read`. The options are those of writing and change nothing."""
        del options
        found = manifest(path)
        if found is None:
            return strict.read(path, self.name)
        try:
            each = [TfRecording(path, one["folder"], found["pictures"]) for one in found["recordings"]]
        except (KeyError, TypeError) as error:
            raise BadDataError(
                f"{path / FEATURES}: a list of features that does not read ({error!r})",
                accepts="the file as it was written",
                fix="restore it from a copy",
            ) from error
        return Sessions(each, format=self.name)

    def write(
        self,
        source: Sessions,
        path: Path,
        options: TfRecordOptions,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Write windows; see `Format.write`."""
        entries = [_with_size(recording, describe(recording)) for recording in source]
        plan = make_plan(entries, options)
        if options.strict:
            strict.refuse_without_keys(source)
        total = sum(recording.frame_count for recording in source)

        def count(done: int) -> None:
            if progress is not None:
                progress(done, total, "frames written")

        kind = strict.StrictWriting if options.strict else Writing
        with (
            export(self, source, path, options, folder=True) as job,
            Clips(plan.size) as clips,
            kind(job, plan, clips, executor, count) as writing,
        ):
            for recording, entry in zip(source, entries, strict=True):
                writing.add(recording, entry)
        return job.report


def _with_size(recording: Recording, entry: Entry) -> Entry:
    """Look at a picture where the description does not say how large they are."""
    if entry.height and entry.width:
        return entry
    height, width, _ = recording.frame(recording.segments[0].first_frame).shape
    return replace(entry, height=height, width=width)


def manifest(path: Path) -> dict[str, Any] | None:
    """Read features.json; None where there is none of ours."""
    file = path / FEATURES
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else None

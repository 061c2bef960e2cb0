"""One session in the three forms of NitroGen data, with the account of what each form has no place for.

The forms: `nitrogen_capture` (the folder of chunks that the NitroGen Capture program records), one `.pt` file
(windows of pictures and actions, as its converter makes them) and `nitrogen_dataset` (the pieces of the official
release). `rushes.notebook.nitrogen.reload` reads them back as a trainer would.

Example (cells of a recipe):
    >>> def cells(namespace):
    ...     run = begin("desktop_to_nitrogen", namespace)
    ...     plan = plan_of(run)
    ...     sessions = play_of(run, plan)
    ...     forms = write_forms(run, sessions, plan)
    ...     return controls_table(forms)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from rushes.capture.settings import Settings
from rushes.errors import BadInputError, near
from rushes.formats.base import convert, open_any
from rushes.formats.inputs import NO_PLACE
from rushes.formats.report import Report
from rushes.model.recording import Sessions
from rushes.notebook.desktop_sample import desktop_source
from rushes.notebook.provenance import size_bytes
from rushes.notebook.recording import SESSION, record
from rushes.notebook.run import Run
from rushes.preview.html import Html, note, table
from rushes.store.pad_maps import read_pad_map

LAYOUTS: Final = ("capture20", "capture25")
"""What the rows of the .pt file may be."""
OBS: Final = ("float32", "uint8")
TARGETS: Final[Mapping[str, str]] = {
    "nitrogen_capture": "nitrogen_capture",
    "nitrogen_pt": "nitrogen.pt",
    "nitrogen_dataset": "nitrogen_dataset",
}
"""Format -> what its export is called in the run folder."""
_RECORD_HZ: Final = 30.0


@dataclass(frozen=True)
class Plan:
    """What a run shall make.

    Attributes:
        source: What to read; `""` for the notebook's own session.
        record_s: Seconds to record from the synthetic world first; 0 for none.
        img_size: Side of the trainer's pictures, px.
        seq_len: T, rows of a window.
        layout: Columns of the .pt file's rows.
        pad_map: TOML file of the keys that stand for a pad's controls; `""` for the default.
        obs: `float32` or `uint8`: how the .pt file holds pictures.
    """

    source: str
    record_s: float
    img_size: int
    seq_len: int
    layout: str
    pad_map: str
    obs: str

    def options(self, form: str) -> dict[str, Any]:
        """Give the options of a format's writer."""
        own: dict[str, Any] = {"pad_map": self.pad_map}
        if form == "nitrogen_pt":
            own |= {"img_size": self.img_size, "seq_len": self.seq_len, "layout": self.layout, "obs": self.obs}
        return own


@dataclass(frozen=True)
class Forms:
    """What was written.

    Attributes:
        reports: Format -> what `convert` says of it.
        plan: What was asked for.
        sessions: What went in.
    """

    reports: Mapping[str, Report]
    plan: Plan
    sessions: Sessions

    def _repr_html_(self) -> str:
        return self.show().html

    def show(self) -> Html:
        """Show the outputs, a row each."""
        rows = [
            [
                report.target.name,
                report.written.get("frames"),
                report.written.get("samples") or None,
                f"{size_bytes(report.target) / 1e6:.1f}",
                ", ".join(report.kept),
                ", ".join(report.lost) or "nothing",
            ]
            for report in self.reports.values()
        ]
        return table(["output", "frames", "samples", "MB", "keeps", "loses"], rows)

    def __repr__(self) -> str:
        return repr(self.show())


def plan_of(run: Run) -> Plan:
    """Turn the parameters of a notebook into a plan; what means nothing is refused before any work begins.

    Args:
        run: Of a notebook with the parameters source, record_s, img_size, seq_len, layout, pad_map, obs.

    Raises:
        BadInputError: A value that means nothing; the sentence names the parameter.
        MissingError: There is no such pad map.
        BadDataError: The pad map says what a map cannot say.
    """
    p = cast("Mapping[str, Any]", run.parameters)
    for name, accepted in (("layout", LAYOUTS), ("obs", OBS)):
        if p[name] not in accepted:
            raise BadInputError(
                f"{name}={p[name]!r}",
                accepts=", ".join(accepted),
                fix=near(p[name], accepted) or f"set {name} to one of them",
            )
    for name in ("img_size", "seq_len"):
        if p[name] < 1:
            raise BadInputError(f"{name}={p[name]!r}", accepts="a whole number from 1", fix=f"leave {name} out")
    if not p["record_s"] >= 0:
        raise BadInputError(f"record_s={p['record_s']!r}", accepts="seconds from 0", fix="leave record_s out")
    if p["source"] and p["record_s"]:
        raise BadInputError(
            "source and record_s together",
            accepts="a session that is there, or seconds to record",
            fix="set record_s=0 to read the source",
        )
    read_pad_map(p["pad_map"])
    return Plan(
        source=p["source"],
        record_s=p["record_s"],
        img_size=p["img_size"],
        seq_len=p["seq_len"],
        layout=p["layout"],
        pad_map=p["pad_map"],
        obs=p["obs"],
    )


def play_of(run: Run, plan: Plan) -> Sessions:
    """Open what the notebook works on: what was named, what it records now, or its own planted session.

    Args:
        run: The run; what is read is entered in it.
        plan: See `plan_of`.

    Raises:
        MissingError: Nothing is at `source`.
        BadDataError: `source` is of no format.
        StoppedError: Nothing was recorded.
    """
    if plan.record_s:
        settings = Settings(
            backend="synthetic",
            out=str(run.path(SESSION)),
            game="Synthetic",
            fps=_RECORD_HZ,
            max_seconds=plan.record_s,
            start_immediately=True,
        )
        return Sessions([record(run, settings).session], format="session")
    path = plan.source or desktop_source(run.name, progress=run.bar("making a session"))
    return open_any(run.input(path))


def write_forms(run: Run, sessions: Sessions, plan: Plan) -> Forms:
    """Write the three forms into the run folder, each with its data card.

    Args:
        run: The run.
        sessions: What to write.
        plan: How.

    Raises:
        BadInputError: Recordings whose controls have no place in a form, or that are shorter than a window.
        StorageError: The disk is full or the folder cannot be written.
    """
    reports = {
        form: convert(
            sessions, run.path(target), format=form, options=plan.options(form), progress=run.bar(f"writing {target}")
        )
        for form, target in TARGETS.items()
    }
    return Forms(reports, plan, sessions)


def controls_table(forms: Forms) -> Html:
    """Show what was lost for want of a place: a row a control, a column a form."""
    without = {name: without_place(report) for name, report in forms.reports.items()}
    controls = sorted({c for lost in without.values() for c in lost})
    if not controls:
        return note("Every control that was used has a place in every form.")
    rows = [[c, *(f"{lost[c]:,} lost" if c in lost else "has a place" for lost in without.values())] for c in controls]
    columns = ["control", *(forms.reports[name].target.name for name in without)]
    return table(
        columns, rows, caption="Controls without a place in a form, and their events (a press and its release are two)"
    )


def without_place(report: Report) -> Counter[str]:
    """Read from a ledger which controls a form had no place for: control -> events."""
    account = report.ledger.get("events")
    lost = account.lost if account is not None else {}
    return Counter({reason.removeprefix(NO_PLACE): n for reason, n in lost.items() if reason.startswith(NO_PLACE)})


def ledgers_table(forms: Forms) -> Html:
    """Show the ledgers of all forms below each other; controls without a place are summed, see `controls_table`."""
    rows = []
    for report in forms.reports.values():
        for stream, a in report.ledger.items():
            lost: Counter[str] = Counter()
            for reason, count in a.lost.items():
                lost["no_place" if reason.startswith(NO_PLACE) else reason] += count
            marked = ", ".join(f"{k} {v:,}" for k, v in a.marked.items())
            said = ", ".join(f"{k} {v:,}" for k, v in lost.items())
            rows.append([report.target.name, stream, a.offered, a.kept, said, marked, "yes" if a.balances else "NO"])
    columns = ["output", "stream", "offered", "kept", "lost", "marked", "balances"]
    return table(columns, rows, caption="What went in, what is there, what was lost")

"""The data card that every export writes, and the one way in which an export becomes visible.

`<target>.card.json` is for programs, `<target>.card.md` for people; both stand beside the target, so that a
strict folder tree holds nothing but what the reference holds. A card names what went in, what came out, what is kept
(the source has it and the format keeps it), lost (the source has it and the format does not keep it) and absent (the
source did not have it), and how frames and actions are paired. It holds no wall time, host, path or version: the same
source gives the same bytes. What
checks said stands in it as the side facts of each session have it; no export checks anything by itself.

Example (a writer of a format):
    >>> def write(form, source, target, options):
    ...     with export(form, source, target, options, folder=False) as job:
    ...         job.partial.write_bytes(b"...")
    ...         job.wrote(episodes=1, frames=2, actions=1)
    ...     return job.report
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rushes.errors import OccupiedError
from rushes.formats.base import Format
from rushes.formats.card_checked import checked_lines, figures_of
from rushes.formats.card_figures import figures_text
from rushes.formats.card_people import a_person_chose, people_lines, people_of
from rushes.formats.report import Keeps, Report
from rushes.model.ledger import Account, Ledger, Tally
from rushes.model.recording import Recording, Sessions
from rushes.store.atomic import new_file, new_folder, resumed_file
from rushes.store.checked import checked_of
from rushes.store.delayed import Delayed

SCHEMA: Final = "rushes/card/1"
PAIRING: Final = "row k = what happened in [t_k, t_{k+1}); action k is taken on frame k"
LICENSE: Final = (
    "No licence is given with these data. Pictures and sounds show a game, whose rights stay with their "
    "holders; whoever shares the file decides and says under which terms."
)
_PROGRAM: Final = "Played by programs; nobody was recorded."
_UNKNOWN: Final = (
    "It is not known who played: the source does not say whether a program or a person did. "
    "Look through it before you share it."
)
_PERSON: Final = (
    "Recorded from a person: pictures may show names and messages, inputs may hold what was typed. "
    "Look through it before you share it."
)


def card_paths(target: str | Path) -> tuple[Path, Path]:
    """Return where the card of a target stands: (for programs, for people)."""
    path = Path(target)
    return path.with_name(f"{path.name}.card.json"), path.with_name(f"{path.name}.card.md")


class Job:
    """An export under way.

    Attributes:
        partial: Where to write; becomes the target when all is well.
        tally: Count here what the format has no place for.
        renamed: Episodes that got another name than they had; the card lists them.
        delays_ms: By how much the events of each recording were moved; empty where none were.
        pairing: How frames and actions are paired, where it is not as everywhere else.
        statistics: Figures of what was written, as plain JSON values; None leaves them out of the card.
        report: What came of it; there when the export is complete.
    """

    report: Report
    statistics: Mapping[str, Any] | None = None

    def __init__(self, partial: Path, *, of_samples: bool = False) -> None:
        self.partial, self._of_samples = partial, of_samples
        self.tally = Tally()
        self.counts: Counter[str] = Counter()
        self.renamed: list[dict[str, str]] = []
        self.delays_ms: list[float] = []
        self.pairing = PAIRING

    def wrote(self, *, episodes: int = 0, frames: int = 0, actions: int = 0, samples: int = 0) -> None:
        """Count what was written; samples have an account of their own where the format takes samples."""
        self.counts.update(episodes=episodes, frames=frames, samples=samples)
        if self._of_samples:
            self.tally.offer("samples", samples)
            return
        for stream, count in (("frames", frames), ("actions", actions), ("episodes", episodes)):
            self.tally.offer(stream, count)

    def lose(self, stream: str, reason: str, count: int = 1) -> None:
        """Count what the source has and the target has not."""
        if count:
            self.tally.offer(stream, count)
            self.tally.lose(stream, reason, count)


@contextmanager
def export(
    form: Format, source: Sessions, target: Path, options: Any, *, folder: bool, resumable: bool = False
) -> Iterator[Job]:
    """Write a target and its card so that both appear together when all is written, or not at all.

    Args:
        form: The format that writes.
        source: What is written.
        target: A new path.
        options: The format's options.
        folder: Whether the target is a folder.
        resumable: Whether `job.partial` may hold the beginning of an earlier try; see `store.atomic.resumed_file`.

    Yields:
        The job; its `report` is set when the block ends well.

    Raises:
        OccupiedError: The target or its card exists.
        StorageError: The disk is full or the folder cannot be written.
        StoppedError: A resumable export was interrupted.
    """
    data_path, text_path = card_paths(target)
    if not folder and target.is_dir():
        raise OccupiedError(f"{target}, a folder", accepts="the path of a new file", fix="name a file in it")
    with ExitStack() as stack:
        # they are renamed in the opposite order: the target appears last, when its card is there
        new = new_folder if folder else resumed_file if resumable else new_file
        partial = stack.enter_context(new(target))
        data = stack.enter_context(new_file(data_path))
        text = stack.enter_context(new_file(text_path))
        of_samples = form.takes == "samples"
        job = Job(partial, of_samples=of_samples)
        yield job
        keeps = form.keeps_with(options)
        before = source.ledger
        if of_samples:  # rows are written, not recordings: what became of frames and events is another account
            before = Ledger({name: account for name, account in before.items() if name == "samples"})
        ledger = chain(before, job.tally.close())
        written = {"episodes": job.counts["episodes"], "frames": job.counts["frames"], "samples": job.counts["samples"]}
        has = known(source)
        kept, lost = (tuple(w for w in words if w.split()[0] in has) for words in (keeps.kept, keeps.lost))
        absent = tuple(w for w in (*keeps.kept, *keeps.lost) if w.split()[0] not in has)
        job.report = Report(target, form.name, written, ledger, kept, lost, absent)
        card = describe(
            job.report, source, options, keeps, renamed=job.renamed, delays_ms=job.delays_ms, pairing=job.pairing
        )
        if job.statistics is not None:
            card["statistics"] = job.statistics
        data.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        text.write_text(card_text(card), encoding="utf-8")


def known(source: Sessions) -> frozenset[str]:
    """Say what a source has, in the words of `Keeps`: nothing that is only assumed, no reward that nobody told."""
    has: set[str] = set()
    for recording in source:
        info = recording.info
        kinds = {stream.kind for stream in info.streams}
        has |= {"frames"} if recording.frame_count else set()
        has |= {"times"} if info.time_source != "assumed" else set()
        has |= {"audio"} if "sound" in kinds else set()
        has |= {"events"} if "events" in kinds else set()
        if "telemetry" not in has and len(recording.telemetry()):
            has.add("telemetry")
        has |= {"names"} if any(info.action_space.names) else set()
        if "rewards" not in has and any(_has_outcomes(recording, s.index) for s in recording.segments):
            has.add("rewards")
        if "human" not in has and a_person_chose(recording):
            has.add("human")
    return frozenset(has)


def _has_outcomes(recording: Recording, segment: int) -> bool:
    if not recording.is_environment:
        return False
    steps = recording.steps(segment)
    ends = steps["terminated"] | steps["truncated"]
    return bool(steps["reward"].notna().any() or (steps["lives"] >= 0).any() or ends.any())


def chain(before: Ledger, own: Ledger) -> Ledger:
    """Put two stages of a way together: what was lost in reading and what was lost in writing.

    Args:
        before: The ledger of the source.
        own: The ledger of the export, which was offered what the source kept.

    Returns:
        One account a stream from the first offer to what stands in the target. A stream for which the format
        has no place is lost as `no_place_in_format`. Episodes that reading split are more than it was offered:
        the parts beyond the first are added to the offer and marked `split_off`.
    """
    accounts: dict[str, Account] = {}
    for stream, account in own.items():
        earlier = before.get(stream)
        more = account.offered - earlier.kept if earlier is not None else 0
        if earlier is None or (more and stream != "episodes") or more < 0:
            accounts[stream] = account
            continue
        lost = Counter(earlier.lost) + Counter(account.lost)
        marked = Counter(earlier.marked) + Counter(account.marked)
        marked += Counter(split_off=more)
        accounts[stream] = Account(earlier.offered + more, account.kept, dict(lost), dict(marked))
    for stream, earlier in before.items():
        if stream not in own:
            lost = Counter(earlier.lost) + Counter({"no_place_in_format": earlier.kept})
            accounts[stream] = Account(earlier.offered, 0, dict(lost), {})
    return Ledger(accounts)


def describe(
    report: Report,
    source: Sessions,
    options: Any,
    keeps: Keeps,
    *,
    renamed: Sequence[Mapping[str, str]] = (),
    delays_ms: Sequence[float] = (),
    pairing: str = PAIRING,
) -> dict[str, Any]:
    """Build a card.

    Args:
        report: What was written.
        source: What it was written from.
        options: The options used.
        keeps: What the format keeps with them, whatever the source has.
        renamed: Episodes that got another name than they had.
        delays_ms: By how much the events of each recording were moved; one number in the card where all are equal.
        pairing: How frames and actions are paired.

    Returns:
        Plain JSON values.
    """
    checked = [checked_of(recording) for recording in source]
    moved_ms = [float(r.delay_ms) if isinstance(r, Delayed) else 0.0 for r in source]
    spaces: dict[str, dict[str, Any]] = {}
    seeds: dict[str, list[Any]] = {}
    reasons: Counter[str] = Counter()
    sessions = []
    for recording in source:
        info = recording.info
        space = info.action_space
        entry = {"kind": space.kind, "names": list(space.names), "digest": space.digest, "sessions": []}
        spaces.setdefault(space.digest, entry)["sessions"].append(info.id)
        sessions.append(
            {
                "id": info.id,
                "game": info.game,
                "source": dict(info.source),
                "time_source": info.time_source,
                "segments": len(recording.segments),
                "frames": recording.frame_count,
                "duration_s": recording.duration_s,
            }
        )
        if known := [s.attrs["seed"] for s in recording.segments if s.attrs.get("seed") is not None]:
            seeds[info.id] = known
        reasons.update(s.end_reason for s in recording.segments)
    return {
        "schema": SCHEMA,
        "target": report.target.name,
        "format": report.format,
        "options": {name: _without_folders(value) for name, value in asdict(options).items()},
        "written": dict(report.written),
        "games": list(dict.fromkeys(s["game"] for s in sessions)),
        "sessions": sessions,
        "action_spaces": list(spaces.values()),
        "seeds": seeds,
        "human": people_of(source),
        "end_reasons": dict(sorted(reasons.items())),
        "time_source": sorted({s["time_source"] for s in sessions}),
        "pairing": pairing,
        "action_delay_ms": _one_or_all(delays_ms if any(delays_ms) else moved_ms),
        "keeps": asdict(keeps),
        "kept": list(report.kept),
        "lost": list(report.lost),
        "absent": list(report.absent),
        "renamed": [dict(one) for one in renamed],
        "ledger": report.ledger.to_json(),
        "problems": [{**p.to_json(), "where": _without_folders(p.where)} for p in source.problems],
        "figures": figures_of(checked),
        "checked": [{"id": r.info.id, **one} for r, one in zip(source, checked, strict=True) if one],
        "license": LICENSE,
        "privacy": _privacy(source),
    }


def _one_or_all(delays_ms: Sequence[float]) -> float | list[float]:
    return list(delays_ms) if len(set(delays_ms)) > 1 else (delays_ms[0] if delays_ms else 0.0)


def _privacy(source: Sessions) -> str:
    if any(map(_shows_a_person, source)):
        return _PERSON
    imported = any(recording.info.source.get("kind") == "import" for recording in source)
    return _UNKNOWN if imported else _PROGRAM


def _shows_a_person(recording: Recording) -> bool:
    return not recording.is_environment or a_person_chose(recording)


def _without_folders(where: Any) -> Any:
    """Leave the folders of this machine out of a place; what is no text stays."""
    return Path(where).name if isinstance(where, str) and where.startswith(("/", "~")) else where


def card_text(card: Mapping[str, Any]) -> str:
    """Write a card so that it reads well.

    Args:
        card: What `describe` gives.

    Returns:
        Markdown.
    """
    written, sessions = card["written"], card["sessions"]
    lines = [
        f"# {card['target']}",
        "",
        (
            f"{_what(written)} of {_listed(card['games'])}, "
            f"from {len(sessions)} session{'s' * (len(sessions) != 1)}, as `{card['format']}`."
        ),
        "",
        f"- **Pairing:** {card['pairing']}. Actions were moved by {_ms(card['action_delay_ms'])} ms.",
        f"- **Times:** {_listed(card['time_source'])}.",
        f"- **Kept:** {_listed(card['kept'])}. **Lost:** {_listed(card['lost'])}.",
        f"- **The source did not have:** {_listed(card['absent'])}.",
        f"- **Options:** {_listed(f'{k}={v}' for k, v in card['options'].items())}.",
        f"- **Ends of episodes:** {_listed(f'{n} {why}' for why, n in card['end_reasons'].items())}.",
        "- **Figures:** "
        + _listed(f"{k} {'not measured' if v is None else f'{v:g}'}" for k, v in card["figures"].items())
        + ".",
        *checked_lines(card["checked"]),
        "",
        "## What became of everything",
        "",
        "| stream | offered | kept | lost | remarks |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    for stream, a in card["ledger"].items():
        lost, marked = (_listed(f"{n} {why}" for why, n in a[key].items()) for key in ("lost", "marked"))
        lines.append(f"| {stream} | {a['offered']} | {a['kept']} | {lost} | {marked} |")
    lines += [
        "",
        "## Sessions",
        "",
        "| id | game | segments | frames | seconds | seeds |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for s in sessions:
        seeds = _listed(map(str, card["seeds"].get(s["id"], [])), most=6)
        lines.append(f"| {s['id']} | {s['game']} | {s['segments']} | {s['frames']} | {s['duration_s']:.1f} | {seeds} |")
    lines += people_lines(card["human"])
    lines += ["", "## Actions", ""]
    for space in card["action_spaces"]:
        names = ", ".join(f"{k} {name}" for k, name in enumerate(space["names"]))
        lines.append(f"- {space['kind']}, {len(space['names'])}: {names} ({_listed(space['sessions'], most=6)})")
    if "statistics" in card:
        lines += ["", "## Figures", "", *figures_text(card["statistics"])]
    if card["renamed"]:
        lines += ["", "## Episodes with a new name", "", "| session | was | is |", "| --- | --- | --- |"]
        lines += [f"| {r['session']} | {r['environment']}/{r['old']} | {r['new']} |" for r in card["renamed"]]
    lines += ["", "## Problems found in reading", ""]
    lines += [f"- {p['count']} x {p['kind']}: {p['sentence']} (first: {p['where']})" for p in card["problems"]] or [
        "None."
    ]
    lines += ["", "## Rights and privacy", "", card["license"], "", card["privacy"], ""]
    return "\n".join(lines)


def _what(written: Mapping[str, int]) -> str:
    if written["samples"] and not written["frames"]:
        return f"{written['samples']} samples"
    return f"{written['episodes']} episodes with {written['frames']} frames"


def _ms(delay: float | list[float]) -> str:
    return f"{delay:g}" if isinstance(delay, float) else _listed(f"{one:g}" for one in delay)


def _listed(words: Any, *, most: int = 30) -> str:
    found = [str(word) for word in words]
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return ", ".join([*found[:most], *more]) or "none"

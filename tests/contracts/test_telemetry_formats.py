"""What every row of FORMATS that takes recorded play does with telemetry: run over the table, so that a new format is
held to it too."""

import json

import pytest

from rushes.capture.recorder import record
from rushes.capture.rescue import RescueBackend
from rushes.formats.base import FORMATS, convert, get_format, open_any
from rushes.worlds.rescue.world import Rescue

NAMES = [name for name in FORMATS if get_format(name).takes in {"inputs", "keys", "any"}]
KEEP = {"session", "hdf5", "npz", "torch", "tfrecord", "reacture"}
OPTIONS = {name: ["size=32"] for name in ("hdf5", "npz", "torch", "tfrecord", "reacture")}
OPTIONS["nitrogen_pt"] = ["img_size=32"]
"""Small pictures, for time; telemetry is the same."""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Five seconds at 10 Hz: a row for each of the 50 frames, and the rows of what happened between them."""
    return record(RescueBackend(Rescue(seconds=5.0, size=(64, 64))), tmp_path_factory.mktemp("telemetry") / "play")


def values(table):
    """Rows as plain values, in the order of the columns' names."""
    plain = table[sorted(table.columns)].astype(object)
    return plain.where(table[sorted(table.columns)].notna(), None).to_numpy().tolist()


@pytest.mark.parametrize("name", NAMES)
def test_telemetry_comes_back_as_it_was_or_the_card_says_that_it_is_lost(played, tmp_path, name):
    wanted = played.telemetry()
    assert len(wanted) > played.frame_count == 50
    target = tmp_path / ("target.pt" if name == "nitrogen_pt" else "target")
    report = convert(played, target, format=name, options=OPTIONS.get(name))
    card = json.loads((tmp_path / f"{target.name}.card.json").read_text())
    account = report.ledger["telemetry"]
    assert account.balances
    assert account.offered == len(wanted)
    assert ("telemetry" in card["kept"], "telemetry" in card["lost"]) == (name in KEEP, name not in KEEP)
    assert account.kept == (len(wanted) if name in KEEP else 0)
    assert "| telemetry |" in (tmp_path / f"{target.name}.card.md").read_text()
    if name in KEEP:
        (found,) = open_any(target)
        assert set(found.telemetry().columns) == set(wanted.columns)
        assert values(found.telemetry()) == values(wanted)
        assert values(found.telemetry(0)) == values(played.telemetry(0))
        assert found.info.stream("telemetry") is not None

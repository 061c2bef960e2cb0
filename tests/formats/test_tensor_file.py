"""Files of tensors written in place: whole for every reader, and the same after a kill."""

import hashlib
import json
import shutil
import subprocess
import threading
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from rushes.errors import BadInputError, StorageError
from rushes.formats import tensor_writer
from rushes.formats.tensor_file import Tensor, blueprint
from rushes.formats.tensor_writer import TensorWriter

META = {"img_size": 7, "scale": 0.5, "names": ["lx", "ly"], "inner": {"none": None, "yes": True}, "text": "20D"}
OBS = np.random.default_rng(1).random((100, 3, 7, 7)).astype(np.float32)
ROWS = np.random.default_rng(2).random((100, 4, 5)).astype(np.float32)


def form_of(suffix, *, dtype="float32", count=100):
    return blueprint(
        suffix, [Tensor("obs", (count, 3, 7, 7), dtype), Tensor("actions", (count, 4, 5), "float32")], {"meta": META}
    )


def fill(path, form, *, plan="p", obs=OBS):
    with TensorWriter(path, path.with_name("progress"), form, plan=plan) as writer:
        writer.write("actions", ROWS[writer.done["actions"] :])
        for start in range(writer.done["obs"], 100, 9):
            writer.write("obs", obs[start : start + 9])
        writer.finish()
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("mapped", [True, False])
def test_torch_reads_what_was_written(tmp_path, mapped):
    fill(tmp_path / "a.pt", form_of(".pt"))
    found = torch.load(tmp_path / "a.pt", weights_only=True, mmap=mapped)
    assert list(found) == ["obs", "actions", "meta"]
    np.testing.assert_array_equal(found["obs"].numpy(), OBS)
    np.testing.assert_array_equal(found["actions"].numpy(), ROWS)
    assert found["obs"].is_contiguous()
    assert found["meta"] == META


def test_the_zip_is_whole_for_every_other_reader(tmp_path):
    path = tmp_path / "a.pt"
    form = form_of(".pt")
    fill(path, form)
    assert path.stat().st_size == form.size
    assert zipfile.ZipFile(path).testzip() is None
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)


def test_numbers_of_eight_bits_are_written_as_they_are(tmp_path):
    pixels = (OBS * 255).astype(np.uint8)
    fill(tmp_path / "a.pt", form_of(".pt", dtype="uint8"), obs=pixels)
    found = torch.load(tmp_path / "a.pt", weights_only=True)["obs"]
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.numpy(), pixels)


def test_the_safetensors_library_reads_what_was_written(tmp_path):
    fill(tmp_path / "a.safetensors", form_of(".safetensors"))
    with safe_open(tmp_path / "a.safetensors", framework="numpy") as file:
        assert set(file.keys()) == {"obs", "actions"}
        np.testing.assert_array_equal(file.get_tensor("obs"), OBS)
        np.testing.assert_array_equal(file.get_tensor("actions"), ROWS)
        said = file.metadata()
    assert said["text"] == "20D"
    assert {key: json.loads(text) for key, text in said.items() if key != "text"} == {
        key: value for key, value in META.items() if key != "text"
    }


def test_a_file_of_more_than_4_gb_has_its_numbers_of_64_bits(tmp_path):
    path = tmp_path / "big.pt"
    tensors = [Tensor("obs", (7_000, 3, 256, 256), "float32"), Tensor("actions", (7_000, 16, 20), "float32")]
    form = blueprint(".pt", tensors, {"meta": {}})
    assert form.size > 7_000 * 3 * 256 * 256 * 4 > 2**32
    with path.open("wb") as file:  # holes: it takes no room
        file.truncate(form.size)
        for offset, data in form.around({"obs": 0, "actions": 0}):
            file.seek(offset)
            file.write(data)
        file.seek(form.offsets["actions"] + (7_000 * 320 - 1) * 4)
        file.write(np.float32(2.5).tobytes())
    assert path.stat().st_size == form.size
    found = torch.load(path, weights_only=True, mmap=True)
    assert found["obs"].shape == (7_000, 3, 256, 256)
    assert found["actions"][-1, -1, -1] == 2.5
    with zipfile.ZipFile(path) as archive:
        assert {i.filename: i.file_size for i in archive.infolist()}["archive/data/0"] == 7_000 * 3 * 256 * 256 * 4
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-lq", path], check=True, capture_output=True)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("at", [1, 45, 99])
def test_what_goes_on_after_a_break_ends_with_the_same_bytes(tmp_path, monkeypatch, suffix, at):
    wanted = fill(tmp_path / f"whole{suffix}", form_of(suffix))
    monkeypatch.setattr(tensor_writer, "_SYNC_BYTES", 2_000)
    monkeypatch.setattr(tensor_writer, "_NOTE_BYTES", 4_000)
    path, form = tmp_path / f"broken{suffix}", form_of(suffix)
    with TensorWriter(path, tmp_path / "progress", form, plan="p") as writer:
        writer.write("actions", ROWS)
        for k in range(at):
            writer.write("obs", OBS[k : k + 1])
        while writer._waiting:
            writer._take_one()
    assert (tmp_path / "progress").exists()
    noted = json.loads((tmp_path / "progress").read_text())["tensors"]
    assert noted["actions"]["rows"] == 100
    assert max(0, at - 8) <= noted["obs"]["rows"] <= at
    with path.open("r+b") as file:  # what a kill leaves behind the last note may be anything
        file.seek(form.offsets["obs"] + noted["obs"]["rows"] * 3 * 7 * 7 * 4)
        file.write(b"\xff" * 50)
    assert fill(path, form_of(suffix)) == wanted


@pytest.mark.parametrize("change", ["plan", "progress", "size"])
def test_another_plan_or_damaged_notes_begin_anew(tmp_path, monkeypatch, change):
    wanted = fill(tmp_path / "whole.pt", form_of(".pt"))
    monkeypatch.setattr(tensor_writer, "_SYNC_BYTES", 2_000)
    monkeypatch.setattr(tensor_writer, "_NOTE_BYTES", 0)
    path = tmp_path / "broken.pt"
    with TensorWriter(path, tmp_path / "progress", form_of(".pt"), plan="p") as writer:
        writer.write("actions", ROWS + 1)
        writer.write("obs", OBS[:50] + 1)
        while writer._waiting:
            writer._take_one()
    if change == "progress":
        (tmp_path / "progress").write_text('{"plan": "p", "size"')
    if change == "size":
        with path.open("r+b") as file:
            file.truncate(1000)
    assert fill(path, form_of(".pt"), plan="q" if change == "plan" else "p") == wanted


def test_rows_that_do_not_fit_are_refused(tmp_path):
    with TensorWriter(tmp_path / "a.pt", tmp_path / "progress", form_of(".pt"), plan="p") as writer:
        with pytest.raises(BadInputError, match=r"\(1, 3, 8, 7\) as rows from 0 on of obs"):
            writer.write("obs", np.zeros((1, 3, 8, 7)))
        with pytest.raises(BadInputError, match="rows from 0 on of actions"):
            writer.write("actions", np.zeros((101, 4, 5)))
        writer.write("actions", ROWS)
        with pytest.raises(BadInputError, match="obs with 0 rows"):
            writer.finish()


def test_another_ending_has_no_form():
    with pytest.raises(BadInputError, match=r"'\.npz'.*\.pt or \.safetensors"):
        blueprint(".npz", [], {})


def test_too_little_room_is_told_before_a_row_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=50_000))
    with pytest.raises(StorageError, match=r"the disk is full.*free some space"):
        TensorWriter(tmp_path / "a.pt", tmp_path / "progress", form_of(".pt"), plan="p")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_is_told_to_the_one_who_writes(tmp_path, monkeypatch):
    def full(offset, data):
        raise OSError(28, "No space left on device")

    with TensorWriter(tmp_path / "a.pt", tmp_path / "progress", form_of(".pt"), plan="p") as writer:
        monkeypatch.setattr(writer, "_at", full)
        writer.write("actions", ROWS)
        with pytest.raises(OSError, match="No space left"):
            writer.finish()


def test_what_comes_behind_a_failed_write_is_not_noted(tmp_path, monkeypatch):
    """Else who goes on after Ctrl+C would leave a hole."""
    writer = TensorWriter(tmp_path / "a.pt", tmp_path / "progress", form_of(".pt"), plan="p")
    put, given = writer._at, []

    def second_fails(offset, data):
        given.append(offset)
        if len(given) == 2:
            raise OSError(5, "Input/output error")
        put(offset, data)

    monkeypatch.setattr(writer, "_at", second_fails)
    for start in (0, 9, 18):
        writer.write("obs", OBS[start : start + 9])
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert json.loads((tmp_path / "progress").read_text())["tensors"]["obs"]["rows"] == 9
    monkeypatch.setattr(writer, "_at", put)
    assert fill(tmp_path / "a.pt", form_of(".pt")) == fill(tmp_path / "b.pt", form_of(".pt"), plan="q")


def test_the_one_who_writes_waits_for_a_slow_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tensor_writer, "_WAITING_BYTES", 3 * 9 * 3 * 7 * 7 * 4)
    goes_on, written = threading.Event(), []
    with TensorWriter(tmp_path / "a.pt", tmp_path / "progress", form_of(".pt"), plan="p") as writer:
        put = writer._at
        monkeypatch.setattr(writer, "_at", lambda offset, data: goes_on.wait(30) and put(offset, data))

        def write():
            for start in range(0, 90, 9):
                writer.write("obs", OBS[start : start + 9])
                written.append(start)

        other = threading.Thread(target=write)
        other.start()
        other.join(0.3)
        assert len(written) == 3
        goes_on.set()
        other.join(30)
    assert len(written) == 10

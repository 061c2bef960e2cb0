"""A table is names to lazily imported things, and every wrong name or missing library is answered."""

import pickle
import sys

import pytest

from rushes.errors import BadNameError, UnavailableError
from rushes.table import Row, Table


@pytest.fixture
def table():
    return Table(
        "format",
        {
            "json": ("json:loads", "", "text that everything reads"),
            "hdf5": ("no_such_library_anywhere:File", "hdf", "arrays in a tree"),
            "plain": ("no_such_library_anywhere:File", "", "of the base"),
            "moved": ("json:no_such_name", "", "a row that points nowhere"),
        },
    )


def test_a_row_says_its_target_extra_and_summary(table):
    assert table["hdf5"] == Row("hdf5", "no_such_library_anywhere:File", "hdf", "arrays in a tree")


def test_it_is_a_mapping_in_the_order_of_its_rows(table):
    assert list(table) == ["json", "hdf5", "plain", "moved"]
    assert len(table) == 4
    assert [row.name for row in table.values()] == list(table)
    assert "json" in table
    assert "jsom" not in table


def test_load_imports_the_attribute_that_a_row_names(table):
    assert table.load("json")("[1, 2]") == [1, 2]


def test_nothing_is_imported_before_load(tmp_path, monkeypatch):
    (tmp_path / "planted_for_table.py").write_text("thing = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    table = Table("toy", {"thing": ("planted_for_table:thing", "", "")})
    list(table), table["thing"], table.markdown(), repr(table)
    assert "planted_for_table" not in sys.modules
    assert table.load("thing") == 7
    del sys.modules["planted_for_table"]


@pytest.mark.parametrize("ask", [lambda t: t["jsom"], lambda t: t.load("jsom")], ids=["item", "load"])
def test_an_unknown_name_is_answered_with_the_nearest_and_with_all(table, ask):
    with pytest.raises(BadNameError) as caught:
        ask(table)
    assert "format 'jsom'" in str(caught.value)
    assert "did you mean 'json'?" in str(caught.value)
    assert "json, hdf5, plain, moved" in str(caught.value)


def test_a_name_that_is_near_to_none_still_gets_an_advice(table):
    with pytest.raises(BadNameError, match="take a name from the list"):
        table["zzzzzzzz"]


def test_a_missing_library_is_answered_with_the_line_that_installs_it(table):
    with pytest.raises(UnavailableError) as caught:
        table.load("hdf5")
    assert 'pip install "rushes[hdf]"' in str(caught.value)
    assert "no_such_library_anywhere" in str(caught.value)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_row_of_the_base_that_fails_never_names_an_extra(table):
    for name in ("plain", "moved"):
        with pytest.raises(UnavailableError) as caught:
            table.load(name)
        assert "rushes[" not in str(caught.value)


@pytest.mark.parametrize("fault", ["OSError('no PortAudio')", "AssertionError('no display')", "KeyError('DISPLAY')"])
def test_a_library_that_fails_at_import_in_its_own_way_is_one_clear_error(tmp_path, monkeypatch, fault):
    (tmp_path / "planted_that_fails.py").write_text(f"raise {fault}\n")
    monkeypatch.syspath_prepend(tmp_path)
    table = Table("backend", {"device": ("planted_that_fails:Device", "desktop", "")})
    with pytest.raises(UnavailableError, match=fault.split("(", maxsplit=1)[0]) as caught:
        table.load("device")
    assert 'pip install "rushes[desktop]"' in str(caught.value)


def test_it_draws_itself_as_markdown(table):
    lines = table.markdown().splitlines()
    assert lines[0] == "| format | what it is | needs |"
    assert "| `json` | text that everything reads |  |" in lines
    assert "| `hdf5` | arrays in a tree | `[hdf]` |" in lines
    assert len(lines) == 2 + 4


def test_it_crosses_a_process_border(table):
    again = pickle.loads(pickle.dumps(table))
    assert list(again) == list(table)
    assert again["json"] == table["json"]

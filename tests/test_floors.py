"""The floors of lib/rushes: an arrow points down, and rooms on one floor do not know each other.

Read from the source, not from what happens to be imported: imports inside functions and under TYPE_CHECKING
count, and so do names of modules in strings, as the tables hold them. docs/architecture.md draws the house.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

LIB = Path(__file__).parent.parent / "lib"

FLOORS = (
    ("model", "errors", "table"),
    ("store", "worlds"),
    ("capture", "qa", "prepare"),
    ("formats", "preview"),
    ("loaders", "widgets"),
    ("notebook", "cli"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# On the ground the three stand in a row of their own: whom each may import beside itself.
GROUND = {"model": {"errors", "table"}, "table": {"errors"}, "errors": set()}
# The doors: `import rushes` and `python -m rushes`. They may open every room; no room comes through them,
# except for the version, which stands in every file that is written.
DOORS = {"", "__main__"}
FREE_NAMES = {"__version__"}

# `"rushes.room.file:attribute"`, as in the rows of a Table.
TARGET = re.compile(r"rushes(\.\w+)+:\w+")

HEAVY = (
    *("torch", "tensorflow", "av", "h5py", "cv2", "matplotlib", "PIL", "ale_py", "gymnasium"),
    *("papermill", "nbconvert", "IPython", "jupyterlab", "ipywidgets", "anywidget", "mss", "pynput"),
)


class Arrow(NamedTuple):
    """One import: who names what, and where."""

    source: str  # dotted module
    target: str  # dotted module, below or above
    place: str  # file:line


def module_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, parsed once."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))))


def arrows(root: Path) -> Iterator[Arrow]:
    """Every import of every file under `root`, foreign ones included."""
    for path in sorted(root.rglob("*.py")):
        source = module_of(path, root)
        package = source if path.name == "__init__.py" else source.rpartition(".")[0]
        name = path.relative_to(root.parent)
        for node in nodes(path):
            for target in targets(node, package):
                yield Arrow(source, target, f"{name}:{getattr(node, 'lineno', 0)}")


def targets(node: ast.AST, package: str) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (name.name for name in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = module or ""
            if level:
                above = package.split(".")[: len(package.split(".")) - level + 1]
                base = ".".join([*above, *([module] if module else [])])
            if base == "rushes":  # `from rushes import store`: the name is the room
                yield from (f"rushes.{name.name}" for name in names if name.name not in FREE_NAMES)
            else:
                yield base
        case ast.Constant(value=str(text)) if TARGET.fullmatch(text):
            yield text.partition(":")[0]
        case ast.Call(func=called, args=[ast.Constant(value=str(text)), *_]) if text.startswith("rushes."):
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in {"import_module", "__import__"}:
                yield text


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def why_not(arrow: Arrow) -> str:
    """The rule that an arrow breaks, or an empty string."""
    source, target = room(arrow.source), room(arrow.target)
    if source == target or source in DOORS:
        return ""
    if target in DOORS:
        return "a room does not import the package itself, only __version__ from it"
    for name in (source, target):
        if name not in FLOOR:
            return f"{name!r} stands on no floor; the rooms are {', '.join(FLOOR)}"
    return why_not_from(source, target)


def why_not_from(source: str, target: str) -> str:
    low, high = FLOOR[source], FLOOR[target]
    if low == high == 0:
        return "" if target in GROUND[source] else f"on the ground floor {source} does not import {target}"
    if low == high:
        return f"{source} and {target} are siblings on floor {low}; siblings do not import each other"
    if low < high:
        return f"{source} (floor {low}) imports {target} (floor {high}); an arrow only points down"
    return ""


def offences(root: Path) -> list[str]:
    return [
        f"{arrow.place}: {arrow.source} -> {arrow.target}: {rule}"
        for arrow in arrows(root)
        if arrow.target.split(".")[0] == "rushes" and (rule := why_not(arrow))
    ]


def test_every_arrow_points_down():
    found = offences(LIB)
    assert not found, "the floors of the house (docs/architecture.md) are broken:\n" + "\n".join(found)


def test_every_file_stands_in_a_room():
    modules = {module_of(path, LIB) for path in (LIB / "rushes").rglob("*.py")}
    strays = sorted(name for name in modules if room(name) not in FLOOR and room(name) not in DOORS)
    assert not strays, f"{', '.join(strays)}: on no floor; the rooms are {', '.join(FLOOR)}"


def test_every_row_of_a_table_names_something_that_is_there():
    missing = [
        f"{path.relative_to(LIB.parent)}:{line}: {module}:{attribute}"
        for path in sorted(LIB.rglob("*.py"))
        for line, module, attribute in rows_of(path)
        if attribute not in names_bound(module)
    ]
    assert not missing, "these rows name nothing that exists:\n" + "\n".join(missing)


def rows_of(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, module and attribute of every string that names something of the package."""
    for node in nodes(path):
        match node:
            case ast.Constant(value=str(text)) if TARGET.fullmatch(text):
                module, _, attribute = text.partition(":")
                yield node.lineno, module, attribute


def names_bound(module: str) -> set[str]:
    """What a module's file binds at its top level; empty when there is no such file."""
    base = LIB.joinpath(*module.split("."))
    path = next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)
    if path is None:
        return set()
    bound: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Assign(targets=assigned):
                bound |= {target.id for target in assigned if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                bound.add(name)
            case ast.ImportFrom(names=imported) | ast.Import(names=imported):
                bound |= {name.asname or name.name for name in imported}
    return bound


PLANTED = {
    "up": ("store/bad.py", "from rushes.capture import base\n", "store (floor 1) imports capture (floor 2)"),
    "up, inside a function": (
        "model/bad.py",
        "def f():\n    import rushes.store.reader\n",
        "model (floor 0)",
    ),
    "up, for types only": (
        "qa/bad.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rushes.formats.base import Format\n",
        "qa (floor 2) imports formats (floor 3)",
    ),
    "up, by a relative import": ("store/bad.py", "from ..cli import main\n", "store (floor 1) imports cli"),
    "up, by the room's name": (
        "worlds/bad.py",
        "from rushes import capture\n",
        "worlds (floor 1) imports capture",
    ),
    "up, by a row of a table": (
        "capture/bad.py",
        'from rushes.table import Table\nT = Table("x", {"a": ("rushes.preview.video:Video", "", "")})\n',
        "capture (floor 2) imports preview (floor 3)",
    ),
    "up, by import_module": (
        "store/bad.py",
        'import importlib\nimportlib.import_module("rushes.qa.timing.check")\n',
        "store (floor 1) imports qa",
    ),
    "sideways": ("qa/deep/bad.py", "from rushes.capture.env import policies\n", "siblings on floor 2"),
    "sideways, at the top": ("cli/bad.py", "from rushes.notebook import run\n", "siblings on floor 5"),
    "sideways, on the ground": (
        "errors.py",
        "from rushes.table import Table\n",
        "on the ground floor errors",
    ),
    "through the door": ("formats/bad.py", "import rushes\n", "does not import the package itself"),
    "to a room that nobody knows": (
        "qa/bad.py",
        "from rushes.utils import x\n",
        "'utils' stands on no floor",
    ),
}


@pytest.mark.parametrize(("file", "text", "rule"), PLANTED.values(), ids=PLANTED)
def test_a_planted_arrow_is_found_with_its_place_and_its_rule(tmp_path, file, text, rule):
    path = tmp_path / "lib" / "rushes" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = offences(tmp_path / "lib")
    assert len(found) == 1, found
    assert found[0].startswith(f"lib/rushes/{file}:")
    assert rule in found[0]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("cli/good.py", "from rushes.store import reader\nfrom rushes.qa.base import CHECKS\n"),
        (
            "store/good.py",
            "from rushes import __version__\nfrom . import layout\nfrom .journal import Journal\n",
        ),
        ("formats/base.py", 'ROWS = {"hdf5": ("rushes.formats.hdf5:Hdf5", "", "arrays")}\n'),
        (
            "model/good.py",
            "from rushes.errors import near\nfrom rushes.table import Table\nimport numpy as np\n",
        ),
        ("__init__.py", "from rushes.formats.base import open_any\n"),
        ("__main__.py", "from rushes.cli.main import main\n"),
        ("qa/good.py", '"""See rushes.cli.main."""\nKIND = "rushes.formats"\n'),
    ],
)
def test_an_arrow_that_points_down_is_let_through(tmp_path, file, text):
    path = tmp_path / "lib" / "rushes" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert offences(tmp_path / "lib") == []


def test_the_ground_floor_knows_only_numpy_pandas_and_the_standard_library():
    allowed = {"rushes", "numpy", "pandas", *sys.stdlib_module_names}
    found = [
        f"{arrow.place}: {arrow.target}"
        for arrow in arrows(LIB)
        if FLOOR.get(room(arrow.source)) == 0 and arrow.target.split(".")[0] not in allowed
    ]
    assert not found, "floor 0 is types and pure arithmetic:\n" + "\n".join(found)


def test_only_one_file_touches_pyav():
    files = {arrow.source for arrow in arrows(LIB) if arrow.target.split(".")[0] == "av"}
    assert files <= {"rushes.store.video"}, "PyAV belongs to store/video.py alone"


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, rushes; print(*[m for m in sys.argv[1:] if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code, *HEAVY],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(LIB), "PATH": ""},
    )
    assert run.stdout.split() == []
    assert run.stderr == ""


def test_nothing_is_printed_below_the_top_floor():
    found = [
        f"{path.relative_to(LIB.parent)}:{node.lineno}"
        for path in sorted(LIB.rglob("*.py"))
        if FLOOR.get(room(module_of(path, LIB))) != FLOOR["cli"]
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not found, "progress and text belong to notebook/ and cli/; print stands in:\n" + "\n".join(found)

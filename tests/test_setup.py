"""The set-up holds together: one list of dependencies, pins, the wheel, the checkout, notebooks, make."""

import ast
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LIMIT = 2_000_000  # bytes; a repository is not where recordings live

# conda packages that are no Python libraries, so pip could not bring them
BINARIES = {"python", "pip", "ffmpeg", "git", "make"}


def dependencies() -> list[Requirement]:
    lists = [PROJECT["dependencies"], *EXTRAS.values()]
    return [Requirement(text) for one in lists for text in one]


def pins() -> dict[str, list[Requirement]]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found: dict[str, list[Requirement]] = {}
    for line in lines:
        if line and not line.startswith("#"):
            pin = Requirement(line)
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


# --- the one list of dependencies ---


def test_no_library_is_listed_twice():
    for platform in ("linux", "win32", "darwin"):
        wanted = [r for r in dependencies() if r.marker is None or r.marker.evaluate({"sys_platform": platform})]
        names = [canonicalize_name(requirement.name) for requirement in wanted]
        assert sorted(names) == sorted(set(names)), platform


IMPORTED_AS = {
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "ipython": "IPython",
    "ale-py": "ale_py",
    "tensorflow-cpu": "tensorflow",
    "python-xlib": "Xlib",
    "pysdl2": "sdl2",
}
NOT_IMPORTED = {
    "jupyterlab": "started by make lab",
    "anywidget": "the player comes with a later issue; the base installation promises it",
    "ipywidgets": "the same",
    "pygame-ce": "Gymnasium imports it",
    "pysdl2-dll": "pysdl2 loads it",
    "soundcard": "capture.audio.devices imports it by name, with the arguments that it wants to see",
}


def test_every_library_that_lib_imports_is_declared_and_every_one_declared_is_used():
    found = set()
    for path in (ROOT / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    found -= set(sys.stdlib_module_names) | {"rushes"}
    extras = [text for name, texts in EXTRAS.items() if name != "test" for text in texts]
    base = {Requirement(text).name for text in [*PROJECT["dependencies"], *extras]}
    declared = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in base}
    assert found <= declared, f"imported and not declared: {found - declared}"
    unused = {n for n in base if IMPORTED_AS.get(n, n.replace("-", "_")) not in found} - set(NOT_IMPORTED)
    assert not unused, f"declared and not imported: {unused}"


def test_every_dependency_has_a_pin_that_it_admits():
    known = pins()
    for requirement in dependencies():
        name = canonicalize_name(requirement.name)
        assert name in known, f"{requirement} has no pin in constraints.txt"
        for pin in known[name]:
            (version,) = (spec.version for spec in pin.specifier)
            assert requirement.specifier.contains(version), f"{pin} is outside {requirement}"


def test_every_pin_is_one_version_from_any_index():
    for name, lines in pins().items():
        for pin in lines:
            assert [spec.operator for spec in pin.specifier] == ["=="], f"{pin} is no pin"
            assert pin.url is None
            assert Version(next(iter(pin.specifier)).version).local is None, f"{pin} names a build of one machine"
        valid = [pin for pin in lines if pin.marker is None or pin.marker.evaluate()]
        assert len(valid) == 1, f"{name} has {len(valid)} pins for this Python"


def test_the_pins_that_others_lean_on_are_as_agreed():
    lines = (ROOT / "constraints.txt").read_text()
    assert re.search(r"^torch==2\.13\.0$", lines, re.MULTILINE)
    assert re.search(r"^h5py==3\.14\.0\b", lines, re.MULTILINE)  # the newest that TensorFlow takes


def test_what_is_installed_here_is_what_is_pinned():
    if os.environ.get("CI") is None:
        pytest.skip("only CI promises that its environment is new")
    known = pins()
    for requirement in dependencies():
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue  # for another system
        (pin,) = (p for p in known[canonicalize_name(requirement.name)] if not p.marker or p.marker.evaluate())
        installed = Version(importlib.metadata.version(requirement.name)).public
        assert pin.specifier.contains(installed), f"{requirement.name} {installed} is installed, not {pin}"


# --- environment.yml ---


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text())


def conda_specs(environment) -> dict[str, str]:
    specs = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    parts = [re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*([=<>!~].*)?", spec) for spec in specs]
    assert all(parts), specs
    return {part[1].lower(): part[2] or "" for part in parts}


def pip_lines(environment) -> list[str]:
    (section,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    return section


def test_conda_brings_python_and_binaries_only(environment):
    assert set(conda_specs(environment)) <= BINARIES
    assert {"python", "pip"} <= set(conda_specs(environment))
    assert environment["name"] == PROJECT["name"]
    assert environment["channels"] == ["conda-forge"]


def test_conda_names_no_library_that_pip_brings(environment):
    ours = {canonicalize_name(requirement.name) for requirement in dependencies()} | set(pins())
    assert not ours & {canonicalize_name(name) for name in conda_specs(environment)}


def test_conda_takes_a_python_that_the_project_accepts(environment):
    version = re.fullmatch(r"={1,2}(3\.\d+)(\.\*)?", conda_specs(environment)["python"])
    assert version, "environment.yml names one minor version of Python: the one that CI ran"
    assert SpecifierSet(PROJECT["requires-python"]).contains(version[1])
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["classifiers"]


def test_pip_installs_the_project_itself_under_the_constraints(environment):
    lines = pip_lines(environment)
    assert lines[0] == "-c constraints.txt"
    assert len(lines) == 2, "a library named here would be named twice"
    project = re.fullmatch(r"-e \.(?:\[([a-z,]+)\])?", lines[1])
    assert project, lines[1]
    assert set((project[1] or "test").split(",")) <= set(EXTRAS)


# --- the wheel ---


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The names in a wheel that is built from a copy, so that nothing is left in the checkout."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "lib", copy / "lib", ignore=ignore)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy / "dist", copy]
    run = subprocess.run(build, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    (path,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_package_and_its_type_mark(wheel):
    assert {"rushes/__init__.py", "rushes/py.typed"} <= wheel


def test_the_wheel_holds_every_source_and_data_file_and_nothing_else(wheel):
    files = (path for path in (ROOT / "lib").rglob("*") if path.is_file() and path.suffix != ".pyc")
    expected = {path.relative_to(ROOT / "lib").as_posix() for path in files if ".egg-info" not in str(path)}
    assert {name for name in wheel if ".dist-info/" not in name} == expected


def test_the_version_is_said_once(wheel):
    line = re.search(r'^__version__ = "(.+)"$', (ROOT / "lib/rushes/__init__.py").read_text(), re.MULTILINE)
    assert line
    assert line[1] == PROJECT["version"]
    assert any(name.startswith(f"rushes-{line[1]}.dist-info/") for name in wheel)


# --- the checkout ---


def git(*arguments: str) -> str:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    command = ["git", "-c", "safe.directory=*", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def in_git() -> list[Path]:
    """What is committed, or would be."""
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_no_file_in_git_is_large():
    large = [str(path.relative_to(ROOT)) for path in in_git() if path.stat().st_size > LIMIT]
    assert not large, f"over {LIMIT:,} bytes: " + ", ".join(large)


def test_the_ignore_file_hides_no_source():
    committed = set(in_git())
    sources = [path for folder in ("lib", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert sources
    hidden = [str(path.relative_to(ROOT)) for path in sources if path not in committed]
    assert not hidden, "git does not see: " + ", ".join(hidden)


@pytest.mark.parametrize(
    "name",
    [
        *(
            ".venv/bin/python",
            "data/sessions/Game/session.json",
            "outputs/atari_sample/latest",
            "outputs/x.mp4",
        ),
        *(
            "lib/rushes/__pycache__/x.pyc",
            "recipes/.ipynb_checkpoints/a.ipynb",
            "lib/rushes.egg-info/PKG-INFO",
        ),
        *("some/where/a.parquet.partial", ".pytest_cache/README.md", ".hypothesis/x"),
    ],
)
def test_what_runs_leave_behind_is_ignored(name):
    assert git("check-ignore", "--no-index", name).strip() == name


@pytest.mark.parametrize(
    "name",
    [
        "lib/rushes/model/x.py",
        "lib/rushes/data/x.json",
        "outputs/README.md",
        "tests/data/a.parquet",
        ".ci/run",
    ],
)
def test_what_belongs_to_the_project_is_not_ignored(name):
    with pytest.raises(subprocess.CalledProcessError) as caught:
        git("check-ignore", "--no-index", name)
    assert caught.value.returncode == 1


def test_the_ci_script_can_be_run():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


# --- notebooks ---

spec = importlib.util.spec_from_file_location("notebook_rules", ROOT / ".ci" / "notebooks.py")
assert spec is not None
assert spec.loader is not None
notebook_rules = importlib.util.module_from_spec(spec)
spec.loader.exec_module(notebook_rules)

NOTEBOOKS = sorted([*(ROOT / "recipes").glob("*.ipynb"), *(ROOT / "notebooks").glob("*.ipynb")])


def test_there_are_notebooks():
    assert ROOT / "recipes" / "atari_sample.ipynb" in NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_clean_and_only_calls(path):
    assert list(notebook_rules.faults(path)) == []


def book(*sources: str, kernel: str = "python3", tags: tuple[str, ...] = ("parameters",), **cell: object) -> dict:
    cells = [
        {
            "cell_type": "code",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": [source],
            **cell,
        }
        for source in sources
    ]
    for one, tag in zip(cells, tags, strict=False):
        one["metadata"] = {"tags": [tag]}
    return {"cells": cells, "metadata": {"kernelspec": {"name": kernel}}, "nbformat": 4, "nbformat_minor": 5}


PLANTED = {
    "outputs": (book("1", outputs=[{"output_type": "stream"}]), "outputs"),
    "an execution count": (book("1", execution_count=3), "execution count"),
    "another kernel": (book("1", kernel="my-env"), "kernelspec"),
    "no parameters": (book("1", tags=()), "0 cells"),
    "parameters twice": (book("1", "2", tags=("parameters", "parameters")), "2 cells"),
    "a function": (book("1", "def f():\n    return 1"), "defines 'f'"),
    "a class, deep": (book("if True:\n    class A:\n        pass"), "defines 'A'"),
    "a shell line": (book("1", "x = 1\n!pip install y"), "magic"),
    "a cell magic": (book("1", "%%bash\nls"), "magic"),
    "a half line": (book("1", "x = ("), "does not parse"),
    "widget state": ({**book("1"), "metadata": {"kernelspec": {"name": "python3"}, "widgets": {}}}, "widget"),
}


@pytest.mark.parametrize(("content", "sentence"), PLANTED.values(), ids=PLANTED)
def test_a_notebook_with_a_planted_fault_is_named(tmp_path, content, sentence, capsys):
    path = tmp_path / "bad.ipynb"
    path.write_text(json.dumps(content))
    assert notebook_rules.main([str(tmp_path)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(str(path))
    assert sentence in line


def test_a_clean_notebook_passes(tmp_path):
    (tmp_path / "good.ipynb").write_text(json.dumps(book("n: int = 1  # frames", "print(n)")))
    assert notebook_rules.main([str(tmp_path)]) == 0


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    assert "is no notebook" in next(notebook_rules.faults(tmp_path / "torn.ipynb"))


# --- make and the hooks ---

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # these tests are themselves run by make, whose variables would reach this one
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_make_has_the_targets_that_the_house_promises():
    assert {"sample", "lab", "test", "full", "check", "bench", "clean"} <= TARGETS


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_that_is_shown_is_a_target(page):
    shown = set(re.findall(r"(?:^|`)(?:\w+=\S+ )*make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE))
    assert shown
    assert shown <= TARGETS


def test_every_target_says_what_it_does_and_is_listed_by_make():
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    listed = make().stdout
    assert {line.split()[1] for line in listed.splitlines()} == TARGETS


@pytest.mark.parametrize("python", ["old", "none"])
def test_make_names_the_python_that_it_needs(tmp_path, python):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")  # what `sys.exit(sys.version_info < (3, 11))` gives under 3.10
    old.chmod(0o755)
    run = make("sample", f"PYTHON={tmp_path / python}", f"VENV={tmp_path / 'venv'}")
    assert run.returncode != 0
    assert "needs Python 3.11 or newer" in run.stderr
    assert f"{tmp_path / python}" in run.stderr
    assert not (tmp_path / "venv").exists()


def test_the_hooks_fetch_nothing_and_are_those_of_make_check():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    check = MAKEFILE.partition("\ncheck:")[2].partition("\n\n")[0]
    for repo in config["repos"]:
        assert repo["repo"] == "local"
        for hook in repo["hooks"]:
            assert hook["language"] == "system"
            program = hook["entry"].removeprefix(".venv/bin/python ").removesuffix(" --force-exclude")
            assert f"$(BIN)/python {program}" in check, f"{hook['id']} is not what make check runs"


# --- optional components and the long form: what tests/conftest.py promises ---

SUITE = """
import pytest

@pytest.mark.require("tensorflow")
def test_by_marker(): pass

def test_by_fixture(require):
    require("tensorflow")

@pytest.mark.full
def test_long(): pass

def test_short(full):
    assert isinstance(full, bool)
"""


@pytest.fixture
def suite(tmp_path):
    """Run a small suite under our conftest, without the component that it asks for."""
    text = (ROOT / "tests" / "conftest.py").read_text()
    text += '\nCOMPONENTS["tensorflow"] = lambda: "no tensorflow: planted"\n'
    (tmp_path / "conftest.py").write_text(text)
    (tmp_path / "test_suite.py").write_text(SUITE)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def run(*arguments: str, require: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", ".", *arguments]
        env = {**os.environ, "RUSHES_REQUIRE": require}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


def test_an_optional_component_that_is_missing_skips_with_its_reason(suite):
    run = suite()
    assert run.returncode == 0, run.stdout
    assert "1 passed, 2 skipped, 1 deselected" in run.stdout
    assert "no tensorflow: planted" in run.stdout


def test_an_optional_component_that_must_be_there_fails(suite):
    run = suite(require="browser, tensorflow")
    assert run.returncode == 1, run.stdout
    assert "1 failed, 1 passed, 1 deselected, 1 error" in run.stdout
    assert "skipped" not in run.stdout
    assert "RUSHES_REQUIRE names tensorflow" in run.stdout


def test_a_required_component_that_nobody_knows_is_an_error(suite):
    run = suite(require="browsr")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "RUSHES_REQUIRE names browsr" in run.stderr


def test_the_long_form_runs_when_it_is_asked_for(suite):
    assert "2 passed, 2 skipped" in suite("--full").stdout
    assert "1 passed, 3 deselected" in suite("-m", "full").stdout

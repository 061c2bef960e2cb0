r"""One ESM text of several files: what a widget sends to the browser, without a build step and without a network.

The files of the family lie in `esm/` and are real modules, so that editors and Node read them. A notebook gives a
widget one text, without a place that `./stage.js` could be loaded from. So the files that a widget needs are put behind
each other, each after what it imports, without their imports and the word `export`; only the last has a default export.
That needs a little order, and what breaks it is an error when the text is made, not one in somebody's browser:

- an import is one line, `import { a, b } from "./x.js";`, and what it names is exported there;
- `export` stands at the start of a line, before `function`, `class`, `const` or `let`;
- no name stands at the top of two files.

Example:
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "stage.js").write_text("export function draw() {}\n")
    >>> _ = (folder / "show.js").write_text('import { draw } from "./stage.js";\nexport default { render: draw };\n')
    >>> print(join("show.js", folder=folder))
    // stage.js
    function draw() {}
    // show.js
    export default { render: draw };
    <BLANKLINE>
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rushes.errors import BadDataError, MissingError

FOLDER: Final = Path(__file__).parent / "esm"
"""Where the family lies."""
_IMPORT: Final = re.compile(r'import \{ ([\w$]+(?:, [\w$]+)*),? \} from "\./([\w-]+\.js)";\s*(?://.*)?')
_EXPORT: Final = re.compile(r"export (?=(?:async )?function\b|class\b|const\b|let\b)")
_DEFAULT: Final = re.compile(r"export default\b")
_TOP: Final = re.compile(r"(?:export )?(?:(?:async )?function\*?|class|const|let|var) ([\w$]+)")
_TAKEN_APART: Final = re.compile(r"(?:export )?(?:const|let|var) [\[{]")


@dataclass(frozen=True)
class Module:
    """One file, read.

    Attributes:
        name: Of the file.
        imports: File -> names that are taken from it, in the order of the lines.
        exports: Names that others may import.
        names: All names at its top.
        body: Its text without imports, and without the word `export` but for the default one.
        is_entry: Whether it has a default export.
    """

    name: str
    imports: Mapping[str, tuple[str, ...]]
    exports: frozenset[str]
    names: tuple[str, ...]
    body: str
    is_entry: bool


def join(entry: str, *, folder: Path = FOLDER) -> str:
    """Join a module with all that it needs.

    Args:
        entry: Name of the file with the default export.
        folder: Where the files lie.

    Returns:
        The text of one module.

    Raises:
        MissingError: A file is not there.
        BadDataError: A file that does not keep to the order above; the message names file and line.
    """
    modules = _needed(entry, folder)
    owner: dict[str, str] = {}
    for module in modules:
        for name, taken in module.imports.items():
            known = next(one for one in modules if one.name == name)
            if lacking := [one for one in taken if one not in known.exports]:
                raise _error(module.name, f"imports {', '.join(lacking)}, which {name} does not export", "export it")
        for name in module.names:
            if name in owner:
                raise _error(module.name, f"{name}, which stands in {owner[name]} too", "rename one of the two")
            owner[name] = module.name
        if module.is_entry != (module.name == entry):
            wrong = "a default export" if module.is_entry else "no default export"
            raise _error(module.name, wrong, f"let {entry} alone have one: export default {{ render }};")
    return "\n".join(f"// {module.name}\n{module.body.strip()}" for module in modules) + "\n"


def styles(*names: str, folder: Path = FOLDER) -> str:
    """Join style sheets.

    Args:
        names: Files, in the order in which they hold.
        folder: Where they lie.

    Raises:
        MissingError: A file is not there.
    """
    return "\n".join(f"/* {name} */\n{_text(name, folder).strip()}" for name in names) + "\n"


def _needed(entry: str, folder: Path) -> list[Module]:
    """Read a module and what it imports, each after what it needs."""
    found: dict[str, Module] = {}
    under_way: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        if name in under_way:
            raise _error(name, f"is needed by itself: {' > '.join([*under_way, name])}", "move what both need out")
        under_way.append(name)
        module = read_module(name, _text(name, folder))
        for other in module.imports:
            visit(other)
        found[under_way.pop()] = module

    visit(entry)
    return list(found.values())


def read_module(name: str, text: str) -> Module:
    """Take a module apart.

    Args:
        name: Of its file.
        text: Of it.

    Raises:
        BadDataError: It does not keep to the order above; the message names the line.
    """
    imports: dict[str, tuple[str, ...]] = {}
    exports: set[str] = set()
    body: list[str] = []
    is_entry = False
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}, line {number}"
        if re.match(r"import\b", line):
            match = _IMPORT.fullmatch(line)
            if match is None:
                raise _error(where, f"{line.strip()!r}", 'write import { a, b } from "./x.js"; in one line')
            imports[match[2]] = imports.get(match[2], ()) + tuple(match[1].split(", "))
            continue
        if _TAKEN_APART.match(line):
            raise _error(where, f"{line.strip()!r}", "name one thing a line at the top of a file")
        if _DEFAULT.match(line):
            is_entry = True
        elif line.startswith("export"):
            top = _TOP.match(line)
            if _EXPORT.match(line) is None or top is None:
                raise _error(where, f"{line.strip()!r}", "write export before function, class, const or let")
            exports.add(top[1])
            line = _EXPORT.sub("", line, count=1)  # noqa: PLW2901 - the line as it goes on
        body.append(line)
    return Module(name, imports, frozenset(exports), tuple(_names(body)), "\n".join(body), is_entry)


def _names(lines: Iterable[str]) -> Iterable[str]:
    return (match[1] for line in lines if (match := _TOP.match(line)))


def _text(name: str, folder: Path) -> str:
    path = folder / name
    if not path.is_file():
        raise MissingError(f"{path}: no such file", accepts="a file of the family", fix="reinstall rushes")
    return path.read_text(encoding="utf-8")


def _error(where: str, given: str, fix: str) -> BadDataError:
    return BadDataError(f"{where}: {given}", accepts="modules as rushes.widgets.esm says", fix=fix)

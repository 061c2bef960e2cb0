"""Hold committed notebooks against the house rules: no outputs, one parameters cell, no definitions.

Standard library only, so it also runs where nothing is installed.

Example:
    $ python .ci/notebooks.py recipes notebooks
"""

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path


def faults(path: Path) -> Iterator[str]:
    """Name each rule that a notebook breaks.

    Args:
        path: An .ipynb file.

    Yields:
        One sentence a fault, beginning with the file and, where there is one, the cell.
    """
    try:
        book = json.loads(path.read_text(encoding="utf-8"))
        cells = book["cells"]
    except (ValueError, KeyError, TypeError) as error:
        yield f"{path}: is no notebook ({type(error).__name__}: {error})"
        return
    kernel = book.get("metadata", {}).get("kernelspec", {}).get("name")
    if kernel != "python3":
        yield f"{path}: the kernelspec is {kernel!r}; it must be 'python3', which every environment has"
    if "widgets" in book.get("metadata", {}):
        yield f"{path}: the metadata holds widget state; clear it with the outputs"
    marked = sum("parameters" in cell.get("metadata", {}).get("tags", []) for cell in cells)
    if marked != 1:
        yield f"{path}: {marked} cells have the tag 'parameters'; exactly one must"
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            for fault in _cell_faults(cell):
                yield f"{path}: cell {number}: {fault}"


def _cell_faults(cell: dict[str, object]) -> Iterator[str]:
    if cell.get("outputs") or cell.get("execution_count") is not None:
        yield "holds outputs or an execution count; to clear: jupyter nbconvert --clear-output --inplace FILE"
    source = cell.get("source", "")
    text = "".join(source) if isinstance(source, list) else str(source)
    magic = next((line for line in text.splitlines() if line.lstrip().startswith(("!", "%"))), None)
    if magic is not None:
        yield f"holds a magic ({magic.strip()}); notebooks are plain Python"
        return
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError as error:
        yield f"does not parse ({error.msg}, line {error.lineno})"
        return
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"defines {node.name!r}; cells call, they do not define: move it to lib/ with a test"


def main(arguments: list[str]) -> int:
    """Print the faults of the notebooks named, or in the folders named.

    Args:
        arguments: Files and folders.

    Returns:
        The exit status: 1 when there is a fault.
    """
    given = [Path(a) for a in arguments]
    paths = [p for g in given for p in ([g] if g.is_file() else sorted(g.rglob("*.ipynb")))]
    found = [fault for path in paths if ".ipynb_checkpoints" not in path.parts for fault in faults(path)]
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

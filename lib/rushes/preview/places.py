r"""How places on this machine are named in what is sent to others: from the project, never from the root of the disk.

The run folder and the project lose what stands above them and the home folder becomes `~`, wherever they occur: in
parameters, in outputs of cells, in tracebacks. A path outside of all three stays as it is.

Example:
    >>> places = Places(Path("/home/ann/films/outputs/tour/mine"), root=Path("/home/ann/films"), home=Path("/home/ann"))
    >>> places.text("/home/ann/films/outputs/tour/mine/a.mp4, /home/ann/films/b.py, /home/ann/c and /home/anna")
    'outputs/tour/mine/a.mp4, ./b.py, ~/c and /home/anna'
    >>> Places(Path("/mnt/ann/mine"), root=Path("/films")).text("out_dir = '/mnt/ann/mine'")
    "out_dir = 'mine'"
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rushes.store.atomic import replace_text
from rushes.store.runs import project_root

# embedded files are not searched: their letters may look like a path
_EMBEDDED: Final = r"data:[\w/+.;=-]{1,200};base64,[A-Za-z0-9+/=\s]*"
_BEFORE: Final = r"(?:(?<![\w.-])|(?<=[\d;\[]m)|(?<=\\[nrt])|(?<=-[IL]))"  # colours of tracebacks, escapes, options
_AFTER: Final = r"(?![\w-])(?!\.\w)"
_BINARY: Final = re.compile(r"(?:image|video|audio)/(?!svg)|application/(?:pdf|octet-stream)")


class Places:
    """The names that places of one run get.

    Args:
        folder: The run folder.
        root: The project; by default that of the current folder.
        home: By default the user's.
    """

    def __init__(self, folder: Path, *, root: Path | None = None, home: Path | None = None) -> None:
        root = root or project_root()
        absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - without following links, and without `..`
        inside = absolute.is_relative_to(root)
        named = {absolute: str(absolute.relative_to(root)) if inside else absolute.name, root: "."}
        if home is None:
            with suppress(RuntimeError):
                home = Path.home()
        if home is not None:
            named.setdefault(home, "~")
        self._names: dict[str, str] = {}
        for place, name in named.items():
            for path in (place, place.resolve()):
                if path != Path(path.anchor):
                    for spelt in _spellings(str(path)):
                        self._names.setdefault(spelt, name)
        longest = sorted(self._names, key=len, reverse=True)
        found = "|".join(map(re.escape, longest)) or r"(?!)"
        self._pattern = re.compile(f"(?P<kept>{_EMBEDDED})|{_BEFORE}(?P<place>{found}){_AFTER}", re.ASCII)

    def path(self, path: str | Path) -> str:
        """Name a path; one inside the project without `./`."""
        absolute = os.path.abspath(path)  # noqa: PTH100 - as above
        return self.text(absolute).removeprefix("./")

    def text(self, text: str) -> str:
        """Name all places that stand in a text."""
        return self._pattern.sub(lambda found: found["kept"] or self._names[found["place"]], text)

    def value(self, value: Any) -> Any:
        """Name all places in a JSON value, keys included; pictures and films stay as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self.text(k) if isinstance(k, str) else k: v
                if isinstance(k, str) and _BINARY.match(k)
                else self.value(v)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.value(v) for v in value]
        return self.text(str(value)) if isinstance(value, Path) else value

    def tidy(self, notebook: Path, source: Path) -> None:
        """Name all places in an executed notebook anew, in its file.

        Args:
            notebook: The file; one that is no JSON is left alone.
            source: The notebook that was executed.
        """
        try:
            book = json.loads(notebook.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        made = book.get("metadata", {}).get("papermill", {})
        inside = not Path(self.path(source)).is_absolute()
        made |= {"input_path": self.path(source) if inside else source.name, "output_path": self.path(notebook)}
        replace_text(notebook, json.dumps(self.value(book), indent=1, ensure_ascii=False) + "\n")


def _spellings(path: str) -> tuple[str, ...]:
    """Give a path as it stands, and as HTML, JSON, addresses, and Python (so papermill) spell it."""
    in_python = path.encode("unicode_escape").decode()
    quoted = (in_python.replace(mark, "\\" + mark) for mark in "'\"")
    return (path, escape(path), json.dumps(path)[1:-1], quote(path), repr(path)[1:-1], in_python, *quoted)

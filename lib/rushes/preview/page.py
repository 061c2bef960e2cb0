"""A notebook as one page that can be sent: verdict first, code folded away, nothing loaded from anywhere.

The page opens offline and stays as it is: pictures and films stand in it, scripts are left out, and a content policy
forbids the browser to fetch anything. Live widgets do not survive this; notebooks show a static picture first.

Example:
    >>> import nbformat, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> cell = nbformat.v4.new_markdown_cell("# What was played?", id="a")
    >>> nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "a.ipynb")
    >>> "<title>What was played?</title>" in to_html(folder / "a.ipynb", folder / "a.html").read_text()
    True
"""

from __future__ import annotations

import logging
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from rushes.errors import BadDataError, MissingError
from rushes.store.atomic import replace_text

_log: Final = logging.getLogger("rushes.preview.page")
_log.setLevel(logging.ERROR)  # nbconvert warns of pictures without a text beside them
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; "
    "img-src data: blob: 'self' file:; media-src data: blob: 'self' file:"
)
_SCRIPT: Final = re.compile(r"<script\b.*?</script\s*>", re.IGNORECASE | re.DOTALL)
# an attribute within the first 2,000 letters of a tag: the letters of an embedded film are not searched
_FOREIGN: Final = re.compile(
    r"<(script|link|iframe|object|embed|source|img|video|audio|track)\b[^>]{0,2000}?"
    r"\s(?:src|href|data|srcset|poster)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)[^>]*>",
    re.IGNORECASE,
)
_STYLES: Final = re.compile(
    r"<style\b.*?</style\s*>|\sstyle\s*=\s*(?:\"[^\"]{0,2000}\"|'[^']{0,2000}')", re.IGNORECASE | re.DOTALL
)
_ADDRESS: Final = re.compile(
    r"(?:@import\s+)?url\(\s*[\"']?(?:https?:)?//[^)]*\)|@import\s+[\"'](?:https?:)?//[^\"']*[\"']", re.IGNORECASE
)
VERDICT_MARK: Final = 'class="verdict"'
"""By what an output is known as the verdict, which the page shows below its title."""
_HEADING: Final = re.compile(r"#+[^\n]*\s*")
_TITLE: Final = re.compile(r"^#\s+(.+?)\s*$", re.MULTILINE)

_TEMPLATE: Final = """
{%- extends 'basic/index.html.j2' -%}
{%- block codecell -%}
{%- if cell.source or cell.outputs -%}
<div class="cell{{ '' if cell.outputs else ' quiet' }}">{{ self.input_group() }}
{%- if cell.outputs %}<div class="outputs">{{ self.outputs() }}</div>{% endif -%}
</div>
{% endif -%}
{%- endblock codecell -%}
{%- block input_group -%}
{%- if cell.source -%}
{%- set tags = cell.metadata.get('tags', []) -%}
{%- set name = 'parameters and code' if 'parameters' in tags else 'code' -%}
<details><summary>{{ name }}</summary>{{ cell.source | highlight_code(metadata=cell.metadata) }}</details>
{%- endif -%}
{%- endblock input_group -%}
{%- block output -%}
{%- if output.output_type == 'execute_result' or output.output_type == 'display_data' -%}
<div>{{ self.data_priority() }}</div>
{%- elif output.output_type == 'stream' and output.name == 'stderr' -%}
<details><summary>log</summary><pre>{{ output.text | ansi2html }}</pre></details>
{%- elif output.output_type == 'stream' -%}
<div class="stream"><pre>{{ output.text | ansi2html }}</pre></div>
{%- elif output.output_type == 'error' -%}
<div class="error"><strong>{{ output.ename | e }}</strong><pre>{{ output.evalue | ansi2html }}</pre>
<details><summary>where</summary><pre>
{%- for line in output.traceback %}{{ line | ansi2html }}
{% endfor -%}
</pre></details></div>
{%- endif -%}
{%- endblock output -%}
{%- block markdowncell -%}
{%- set failed = 'papermill-error-cell-tag' in cell.metadata.get('tags', []) -%}
<div class="cell{{ ' failed' if failed }}">{{ cell.source | markdown2html | strip_files_prefix }}</div>
{% endblock markdowncell -%}
{%- block data_javascript -%}{%- endblock data_javascript -%}
{%- block data_widget_view -%}{%- endblock data_widget_view -%}
{%- block footer -%}{%- endblock footer -%}
"""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
{body}
{foot}
</main>
</body>
</html>
"""


def to_html(notebook: str | Path, page: str | Path, *, foot: str = "") -> Path:
    """Turn a notebook into a page.

    Args:
        notebook: An .ipynb file, executed or not.
        page: The .html file; one that is there is replaced, since it only repeats the notebook.
        foot: A line for the page's foot.

    Returns:
        `page`.

    Raises:
        MissingError: No such notebook.
        BadDataError: The file is no notebook.
        StorageError: The disk is full or the folder cannot be written.
    """
    book, source = _read(Path(notebook)), Path(notebook)
    body = _offline(_body(_arranged(book), source.parent))
    text = _PAGE.format(
        policy=_POLICY,
        title=escape(title_of(book) or source.stem),
        style=files("rushes.preview").joinpath("report.css").read_text(encoding="utf-8"),
        body=body,
        foot=f"<footer>{escape(foot)}</footer>" if foot else "",
    )
    replace_text(Path(page), text)
    return Path(page)


def title_of(book: Any) -> str:
    """Give the first heading of a notebook, or `""`.

    Args:
        book: A notebook as nbformat reads it.
    """
    for cell in book.cells:
        if cell.cell_type == "markdown" and (found := _TITLE.search(cell.source)):
            return re.sub(r"[*`_]", "", found[1])
    return ""


def _read(path: Path) -> Any:
    import nbformat

    if not path.is_file():
        raise MissingError(f"{path}: no such notebook", accepts="an .ipynb file", fix="check the path")
    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:  # nbformat has several errors of its own for what is no notebook
        raise BadDataError(
            f"{path}: no notebook ({type(error).__name__})", accepts="an .ipynb file", fix="check what it is"
        ) from error


def _arranged(book: Any) -> Any:
    """Bring cells into the order of a page: verdict below the title, neighbouring code as one, an error last."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    cells: list[Any] = []
    for cell in book.cells:
        if cells and cell.cell_type == "code" and cells[-1].cell_type == "code":
            before = cells[-1]
            before.source = "\n\n".join(text for text in (before.source, cell.source) if text)
            before.outputs = [*before.outputs, *cell.outputs]
            before.metadata["tags"] = [*before.metadata.get("tags", []), *cell.metadata.get("tags", [])]
        else:
            cells.append(cell)
        if cell.cell_type == "code" and any(output.output_type == "error" for output in cell.outputs):
            break
    verdict = _taken(cells)
    for k, cell in enumerate(cells):
        if verdict is not None and cell.cell_type == "markdown" and (title := _TITLE.search(cell.source)):
            above, below = cell.source[: title.end()], cell.source[title.end() :]
            lifted = new_code_cell("", outputs=[verdict])  # type: ignore[no-untyped-call]
            cells[k : k + 1] = [new_markdown_cell(above), lifted, new_markdown_cell(below)]  # type: ignore[no-untyped-call]
            break
    book.cells = cells
    return book


def _taken(cells: list[Any]) -> Any:
    """Take the verdict out of the cells, with the heading that it leaves empty; None where there is none."""
    if not any(cell.cell_type == "markdown" and _TITLE.search(cell.source) for cell in cells):
        return None
    for k, cell in reversed([*enumerate(cells)]):
        for output in cell.get("outputs", ()):
            if VERDICT_MARK in "".join(output.get("data", {}).get("text/html", "")):
                cell.outputs = [other for other in cell.outputs if other is not output]
                if k and not cell.outputs and _HEADING.fullmatch(cells[k - 1].source):
                    del cells[k - 1]
                return output
    return None


def _body(book: Any, folder: Path) -> str:
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic",
        template_file="rushes.html.j2",
        extra_loaders=[DictLoader({"rushes.html.j2": _TEMPLATE})],
        embed_images=True,
        exclude_anchor_links=True,
        log=_log,
    )
    body, _ = exporter.from_notebook_node(book, resources={"metadata": {"path": str(folder)}})
    return str(body)


def _offline(body: str) -> str:
    """Leave out scripts and whatever would be fetched; a picture from elsewhere becomes a link to it."""

    def linked(found: re.Match[str]) -> str:
        if found[1].lower() in ("link", "script", "source", "track"):
            return ""
        address = escape(found[2])
        return f'<a href="{address}">{address}</a>'

    body = _STYLES.sub(lambda found: _ADDRESS.sub("none", found[0]), _SCRIPT.sub("", body))
    return _FOREIGN.sub(linked, body)

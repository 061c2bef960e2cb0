"""Joining the modules of the family: what stands in the joined text, and what is refused before a browser sees it."""

import re

import pytest

from rushes.errors import BadDataError, MissingError
from rushes.widgets.esm import FOLDER, join, styles

GOOD = {
    "line.js": "export const WIDTH = 3; // px\nfunction own() { return WIDTH; }\n"
    "export function line() { return own(); }\n",
    "box.js": 'import { line, WIDTH } from "./line.js";\nexport class Box {\n  draw() { return line() + WIDTH; }\n}\n',
    "view.js": 'import { Box } from "./box.js";\nimport { line } from "./line.js";\n'
    "async function render({ el }) { new Box(); line(); }\nexport default { render };\n",
}


def files(folder, **changed):
    for name, text in (GOOD | {name.replace("_", "."): text for name, text in changed.items()}).items():
        (folder / name).write_text(text)
    return folder


def test_each_module_stands_once_after_what_it_needs_and_nothing_is_imported(tmp_path):
    text = join("view.js", folder=files(tmp_path))
    places = [text.index(part) for part in ("const WIDTH", "function line", "class Box", "async function render")]
    assert places == sorted(places)
    assert text.count("const WIDTH") == 1
    assert not re.search(r"^import", text, re.MULTILINE)
    assert re.findall(r"^export.*", text, re.MULTILINE) == ["export default { render };"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"box_js": "function line() {}\nexport class Box {}\n"}, "view.js: imports|line, which stands in"),
        (
            {"box_js": 'import { lines } from "./line.js";\nexport class Box {}\n'},
            "lines, which line.js does not export",
        ),
        ({"box_js": 'import { line as l } from "./line.js";\nexport class Box {}\n'}, "box.js, line 1"),
        ({"box_js": 'import {\n  line } from "./line.js";\nexport class Box {}\n'}, "box.js, line 1"),
        ({"box_js": 'import "https://example.org/x.js";\nexport class Box {}\n'}, "box.js, line 1"),
        ({"box_js": "class Box {}\nexport { Box };\n"}, "box.js, line 2"),
        ({"box_js": "export const [a, Box] = [1, 2];\n"}, "box.js, line 1"),
        ({"line_js": 'import { Box } from "./box.js";\n' + GOOD["line.js"]}, "needed by itself"),
        ({"box_js": GOOD["box.js"] + "export default {};\n"}, "box.js: a default export"),
        ({"view_js": "export function render() {}\n"}, "no default export"),
    ],
)
def test_what_would_break_in_a_browser_is_refused_here(tmp_path, changed, says):
    with pytest.raises(BadDataError, match=says):
        join("view.js", folder=files(tmp_path, **changed))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingError, match=r"nowhere\.js"):
        join("nowhere.js", folder=tmp_path)
    with pytest.raises(MissingError, match=r"nowhere\.css"):
        styles("nowhere.css", folder=tmp_path)


def test_every_entry_of_the_family_joins():
    entries = [p.name for p in FOLDER.glob("*.js") if re.search(r"^export default", p.read_text(), re.MULTILINE)]
    assert "player.js" in entries
    for name in entries:
        text = join(name)
        assert len(re.findall(r"^export ", text, re.MULTILINE)) == 1
        assert not re.search(r"https?://(?!www\.w3\.org)", text), "nothing is fetched"

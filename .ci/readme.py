"""The generated tables of README.md: `python .ci/readme.py` checks them, `--write` writes them anew."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from rushes.capture.base import BACKENDS
from rushes.capture.env.policies import POLICIES
from rushes.cli.main import COMMANDS
from rushes.formats.kept_table import format_table_markdown
from rushes.prepare.augment.base import TRANSFORMS
from rushes.qa.base import CHECKS, SAMPLE_CHECKS

ROOT = Path(__file__).parent.parent
PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def recipes() -> str:
    """List recipes and notebooks with the question that each answers: the title of its first cell."""
    lines = ["| recipe or notebook | the question that it answers |", "| --- | --- |"]
    for folder in ("recipes", "notebooks"):
        for path in sorted((ROOT / folder).glob("*.ipynb")):
            first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
            title = first.splitlines()[0].lstrip("# ").strip()
            name = f"{folder}/{path.name}"
            lines.append(f"| [`{name}`]({name}) | {title} |")
    return "\n".join(lines)


TABLES = {
    "recipes": recipes,
    "commands": COMMANDS.markdown,
    "backends": BACKENDS.markdown,
    "policies": POLICIES.markdown,
    "formats": format_table_markdown,
    "checks": CHECKS.markdown,
    "sample_checks": SAMPLE_CHECKS.markdown,
    "transforms": TRANSFORMS.markdown,
}


def generated(text: str) -> str:
    """Fill the tables into the text of README.md."""
    return PLACE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", text)


def main() -> int:
    """Check or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into README.md")
    options = parser.parse_args()
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    if options.write:
        path.write_text(generated(text), encoding="utf-8")
        return 0
    if generated(text) != text:
        print("README.md: its tables are older than the code; run `python .ci/readme.py --write`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

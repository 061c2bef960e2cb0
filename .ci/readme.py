"""The generated tables of README.md and of docs: `python .ci/readme.py` checks them, `--write` writes them anew."""

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
from rushes.qa.base import CHECKS, SAMPLE_CHECKS, every_rule

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/checking.md")
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


def rules() -> str:
    """List every rule with its limit."""
    lines = ["| rule | what it finds | limit | then | reads |", "| --- | --- | ---: | --- | --- |"]
    for rule in every_rule().values():
        limit = "" if rule.limit is None else f"{rule.limit:g} {rule.unit}".strip()
        what = rule.what + (f"; cannot tell without {rule.needs}" if rule.needs else "")
        lines.append(f"| `{rule.id}` | {what} | {limit} | {rule.severity} | {rule.sees} |")
    return "\n".join(lines)


TABLES = {
    "rules": rules,
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
    """Fill the tables into the text of a page."""
    return PLACE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", text)


def main() -> int:
    """Check or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into the pages")
    options = parser.parse_args()
    stale = []
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        if options.write:
            path.write_text(generated(text), encoding="utf-8")
        elif generated(text) != text:
            stale.append(page)
    if stale:
        told = f"{', '.join(stale)}: tables are older than the code; run `python .ci/readme.py --write`"
        print(told, file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

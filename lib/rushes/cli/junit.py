"""Findings as JUnit XML, which build servers draw: a suite for each recording, a case for each rule.

An error is a failure, and what cannot be told is skipped, as are the other rules of a check that came to no end. A
warning passes, as `rushes qa` itself does with one, and stands in the case's output.

Example:
    >>> one = Finding("timing.gap", "error", "no frame for 3 s", session="take", value=3000.0, limit=250.0)
    >>> print(junit([("take", [one])], [one], ["timing.gap"]).splitlines()[2].strip())
    <testsuite name="take" tests="1" failures="1" skipped="0">
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from rushes.model.findings import CANNOT_TELL, Finding


def junit(sessions: Sequence[tuple[str, Sequence[Finding]]], findings: Sequence[Finding], rules: Iterable[str]) -> str:
    """Write findings as JUnit XML.

    Args:
        sessions: The id of each recording that was checked, and the findings about it.
        findings: All findings.
        rules: Ids of the rules that were held against each recording.

    Returns:
        XML with its declaration, ending with a line end.
    """
    held = list(rules)
    known = {name for name, _ in sessions}
    elsewhere = [f for f in findings if f.session not in known]
    root = ET.Element("testsuites", name="rushes qa")
    for name, own in sessions:
        _suite(root, name, own, held)
    if elsewhere:
        _suite(root, "the whole path", elsewhere, [])
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, name: str, findings: Sequence[Finding], rules: Sequence[str]) -> None:
    suite = ET.SubElement(root, "testsuite", name=name)
    ids = [*rules, *dict.fromkeys(f.check for f in findings if f.check not in rules)]
    broken = {f.check.removesuffix(".failed") for f in findings if f.check.endswith(".failed")}
    failures = skipped = 0
    for rule in ids:
        said = [f for f in findings if f.check == rule]
        case = ET.SubElement(suite, "testcase", classname=rule.partition(".")[0], name=rule)
        errors = [f for f in said if f.severity == "error"]
        if errors:
            failures += 1
            failure = ET.SubElement(case, "failure", message=_plain(errors[0].sentence), type=rule)
            failure.text = "\n".join(_line(f) for f in errors)
        elif said and all(f.tells_nothing for f in said):
            skipped += 1
            ET.SubElement(case, "skipped", message=_plain(said[0].sentence))
        elif not said and (check := rule.partition(".")[0]) in broken:
            skipped += 1
            ET.SubElement(case, "skipped", message=f"{CANNOT_TELL}: see {check}.failed")
        rest = [f for f in said if f not in errors]
        if rest:
            ET.SubElement(case, "system-out").text = "\n".join(_line(f) for f in rest)
    for key, value in (("tests", len(ids)), ("failures", failures), ("skipped", skipped)):
        suite.set(key, str(value))


def _line(finding: Finding) -> str:
    return f"{finding.severity}: {_plain(finding.sentence)}"


def _plain(text: str) -> str:
    """Leave out what XML 1.0 has no place for."""
    return "".join(c for c in text if c in "\t\n\r" or c.isprintable() or c == " ")

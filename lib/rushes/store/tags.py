"""Tags: words that people put on a session, as side facts that go with every copy of it.

To take a tag off, an empty one replaces it; the line that put it on stays readable.

Example:
    >>> import tempfile
    >>> session = Path(tempfile.mkdtemp())
    >>> retag(session, add={"boss", "night"}, author="me")
    >>> retag(session, remove={"night"}, author="me")
    >>> tags_of(read_facts(session))
    ('boss',)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from rushes.errors import BadInputError
from rushes.store.facts import Fact, add_fact, read_facts


def tags_of(facts: Iterable[Fact]) -> tuple[str, ...]:
    """Give the tags that hold, in alphabetical order."""
    return tuple(sorted({str(fact.value["tag"]) for fact in facts if fact.kind == "tag"} - {""}))


def check_tags(add: Collection[str], remove: Collection[str]) -> None:
    """Refuse tags that say nothing, and those to be put on and taken off at once.

    Raises:
        BadInputError: Such a tag is among them.
    """
    if not all(tag.strip() for tag in (*add, *remove)) or set(add) & set(remove):
        raise BadInputError(
            f"tags to add: {sorted(add)}, to remove: {sorted(remove)}",
            accepts="tags with a letter in them, each to be added or removed",
            fix="say `--add boss` or `--remove boss`",
        )


def retag(session: Path, *, add: Collection[str] = (), remove: Collection[str] = (), author: str) -> None:
    """Put tags on a session and take them off.

    Args:
        session: Its directory.
        add: Tags to put on; one that is there already stays once.
        remove: Tags to take off; one that is not there is no fault.
        author: Who says so.

    Raises:
        BadInputError: A tag without a letter, or one to add and to remove at once.
        BusyError: Somebody else is writing side facts of the session at this moment.
    """
    check_tags(add, remove)
    facts = [fact for fact in read_facts(session) if fact.kind == "tag"]
    for tag in sorted(set(add) - {fact.value["tag"] for fact in facts}):
        add_fact(session, "tag", {"tag": tag}, author=author)
    for fact in facts:
        if fact.value["tag"] in remove:
            add_fact(session, "tag", {"tag": ""}, author=author, replaces=fact.id)

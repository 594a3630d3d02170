"""`hexcore diff OLD NEW`: what changed between two releases of the rules."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.data.sources_in_use import find_release
from hexcore_engine.errors import KnowledgeMissingError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.changes import MovedRule, ReleaseChanges, WordChange
from hexcore_engine.knowledge.rules.numbers import parent_number
from hexcore_engine.knowledge.store.pointer import Pointer, read_pointer
from hexcore_engine.protocol.records import to_builtins

_KEPT_AROUND = 40


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("old", help="date of a loaded release, e.g. 2022-11-18")
    parser.add_argument("new", nargs="?", help="date of another (the one in use)")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the changes; 1 when there are none.

    Raises:
        KnowledgeMissingError: naming the releases loaded, when one of the two is not.
    """
    folder = context.paths.knowledge_dir
    pointer = read_pointer(folder) or Pointer(generation=0)
    current = pointer.current_release()
    old = find_release(pointer, arguments.old).key
    new = find_release(pointer, arguments.new or (current.key if current else "")).key
    knowledge = Knowledge(folder)
    try:
        changes = knowledge.changes(old, new)
    finally:
        knowledge.close()
    if changes is None:
        raise KnowledgeMissingError(f"The release {old} or {new} was removed meanwhile.")
    context.output.result(changes_document(changes), changes_text(changes))
    return 0 if has_changes(changes) else 1


def has_changes(changes: ReleaseChanges) -> bool:
    """Whether the releases differ."""
    return bool(changes.added or changes.removed or changes.changed or changes.moved or changes.glossary)


def changes_document(changes: ReleaseChanges) -> dict[str, object]:
    """Return the changes as one JSON document, with how many there are of each kind."""
    kinds = ("added", "removed", "changed", "moved", "glossary")
    return {**to_builtins(changes), "counts": {kind: len(getattr(changes, kind)) for kind in kinds}}


def changes_text(changes: ReleaseChanges) -> str:
    """Return the changes as text: words taken out as [-words-], words put in as {+words+}."""
    lines = [
        f"Comprehensive Rules {changes.old} → {changes.new}: {len(changes.added)} added, "
        f"{len(changes.removed)} removed, {len(changes.changed)} changed, {len(changes.moved)} moved, "
        f"{len(changes.glossary)} terms of the glossary"
    ]
    lines += _block("Added", [f"{rule.rule}  {rule.text}" for rule in changes.added])
    lines += _block("Removed", [f"{rule.rule}  {rule.text}" for rule in changes.removed])
    reworded = [rule for rule in changes.changed if not rule.numbers_only]
    lines += _block("Changed", [f"{rule.rule}  {words_text(rule.words)}" for rule in reworded])
    only = [rule.rule for rule in changes.changed if rule.numbers_only]
    lines += _block("Changed in the rule numbers they name alone", [", ".join(only)] if only else [])
    lines += _block("Moved", _moved_lines(changes.moved))
    lines += _block("Glossary", [_term_line(term.kind, term.term, term.words) for term in changes.glossary])
    return "\n".join(lines)


def words_text(words: Sequence[WordChange]) -> str:
    """Return changed words with a little of the text around them."""
    pieces = []
    for place, word in enumerate(words):
        if word.kind == "removed":
            pieces.append(f"[-{word.text}-]")
        elif word.kind == "added":
            pieces.append(f"{{+{word.text}+}}")
        else:
            pieces.append(_shortened(word.text, first=place == 0, last=place == len(words) - 1))
    return "".join(pieces)


def _shortened(text: str, *, first: bool, last: bool) -> str:
    room = _KEPT_AROUND if first or last else 2 * _KEPT_AROUND
    if len(text) <= room + 2:
        return text
    if first:
        return f"… {text[-_KEPT_AROUND:]}"
    if last:
        return f"{text[:_KEPT_AROUND]} …"
    return f"{text[:_KEPT_AROUND]} … {text[-_KEPT_AROUND:]}"


def _moved_lines(moved: Sequence[MovedRule]) -> list[str]:
    """One line a rule; rules that moved along with the one above them are counted there."""
    places = {rule.old: rule.new for rule in moved}
    lines: dict[str, str] = {}
    along: dict[str, int] = {}
    for rule in moved:
        parent = parent_number(rule.old)
        went_along = parent in places and places[parent] == parent_number(rule.new)
        if went_along and (not rule.words or rule.numbers_only):
            along[parent or ""] = along.get(parent or "", 0) + 1
        else:
            reworded = f"  {words_text(rule.words)}" if rule.words and not rule.numbers_only else ""
            lines[rule.old] = f"{rule.old} → {rule.new}{reworded}"
    return [
        f"{line}  (with {along[number]} below it)" if number in along else line
        for number, line in lines.items()
    ]


def _term_line(kind: str, term: str, words: Sequence[WordChange]) -> str:
    return f"{kind:<8} {term}" + (f"  {words_text(words)}" if words else "")


def _block(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []

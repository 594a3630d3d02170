"""A rule as a text to read: where it stands, what it says, what stands around it, what links to it."""

from __future__ import annotations

from collections.abc import Sequence

from hexcore_engine.knowledge.rules.moves import RuleMove
from hexcore_engine.knowledge.rules.numbers import find_references
from hexcore_engine.knowledge.rules.records import ReleaseRecord, RuleRecord, RuleView
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder
from hexcore_tui.widgets.shared.mana import with_symbols

OUR_WORDS = "in our words, not official"
MUTED = "$text-muted"
TITLE = "bold $secondary"
# More neighbours than this are given by their first words only, and only the nearest of them.
MAX_WHOLE_NEIGHBOURS = 30
NEAREST = 6
MAX_FIRST_LINE = 70
MAX_REFERENCES = 60


def rule_document(view: RuleView, warnings: Sequence[str] = ()) -> Document:
    """Return the text of a rule and all that belongs around it; `warnings` are about the release."""
    builder = DocumentBuilder()
    _add_place(builder, view)
    for warning in warnings if view.release.official else ():
        builder.add(f"! {clean_line(warning)}", "$warning")
        builder.end_line(2)
    _add_rule(builder, view.rule)
    if view.children:
        _add_neighbours(builder, f"Under {view.rule.number}", view.children, view.children, None)
    if len(view.siblings) > 1:
        many = len(view.siblings) > MAX_WHOLE_NEIGHBOURS
        shown = view.near_siblings(NEAREST) if many else view.siblings
        _add_neighbours(builder, f"Beside {view.rule.number}", view.siblings, shown, view.rule.number)
    _add_numbers(builder, "This rule points to", view.points_to)
    _add_numbers(builder, "Rules that point here", view.pointed_from)
    _add_walk(builder, view)
    return builder.build()


def unknown_rule_document(
    number: str, exists: bool, release: ReleaseRecord | None, move: RuleMove | None = None
) -> Document:
    """Return the text that stands in for a rule that was not found; `move` says what it was before."""
    builder = DocumentBuilder()
    name = clean_line(number)
    if release is None:
        builder.add("No rules are here yet. Get them with: hexcore setup", "$warning")
    elif exists:
        builder.add(f"Rule {name} exists, but its text is not here. Get it with: hexcore setup", "$warning")
    else:
        builder.add(f"There is no rule {name} in {release_text(release)}.", "$warning")
    if move is not None:
        builder.end_line(2)
        builder.add(f"In the release of {clean_line(move.release)} it was: {clean_text(move.text)}")
        builder.end_line(2)
        builder.add("Today: ", MUTED)
        if move.today:
            builder.link(move.today, "rule", move.today)
        else:
            builder.add("no rule says this any more")
    return builder.build()


def release_text(release: ReleaseRecord | None) -> str:
    """Return which release is shown, in one line."""
    if release is None:
        return "no rules loaded: hexcore setup"
    source = clean_line(release.source)
    if not release.official:
        return source if OUR_WORDS in source else f"{source}, {OUR_WORDS}"
    date = clean_line(release.effective or "date unknown")
    return source if date in source else f"{source}, effective {date}"


def first_line(rule: RuleRecord) -> str:
    """Return the start of a rule's text on one line; where there is none, what its group is called."""
    line = clean_line(rule.text or rule.plain or rule.heading)
    return line if len(line) <= MAX_FIRST_LINE else f"{line[: MAX_FIRST_LINE - 1].rstrip()}…"


def _add_place(builder: DocumentBuilder, view: RuleView) -> None:
    builder.add(release_text(view.release), "$warning" if not view.release.official else MUTED)
    builder.end_line()
    for ancestor in view.ancestors:
        builder.link(ancestor.number, "rule", ancestor.number)
        builder.add(f" {first_line(ancestor)}", MUTED)
        builder.end_line()
    builder.end_line()


def _add_rule(builder: DocumentBuilder, rule: RuleRecord) -> None:
    builder.add(rule.number, "bold $primary")
    builder.add("  ")
    _add_text(builder, clean_text(rule.text), rule.number)
    builder.end_line(2)
    if not rule.official:
        builder.add(f"({OUR_WORDS})", "$warning")
        builder.end_line(2)
    for example in rule.examples:
        text = clean_text(example).removeprefix("Example:").strip()
        builder.add("Example  ", MUTED)
        _add_text(builder, text, rule.number)
        builder.end_line(2)
    if rule.official and rule.plain:
        builder.add(f"{OUR_WORDS[0].upper()}{OUR_WORDS[1:]}: ", "$warning")
        builder.add(with_symbols(clean_text(rule.plain)))
        builder.end_line(2)


def _add_text(builder: DocumentBuilder, text: str, own: str) -> None:
    """Add text with each rule number in it as a link."""
    rest = text
    for number in find_references(text):
        place = rest.find(number)
        if number == own or len(number) < len("100.1") or place < 0:
            continue
        builder.add(with_symbols(rest[:place]))
        builder.link(number, "rule", number)
        rest = rest[place + len(number) :]
    builder.add(with_symbols(rest))


def _add_neighbours(
    builder: DocumentBuilder,
    title: str,
    rules: Sequence[RuleRecord],
    shown: Sequence[RuleRecord],
    own: str | None,
) -> None:
    whole = len(rules) <= MAX_WHOLE_NEIGHBOURS
    builder.add(title, TITLE)
    if len(shown) < len(rules):
        builder.add(f"  the nearest {len(shown)} of {len(rules)}", MUTED)
    builder.end_line()
    for rule in shown:
        _add_neighbour(builder, rule, whole, own)
    builder.end_line()


def _add_neighbour(builder: DocumentBuilder, rule: RuleRecord, whole: bool, own: str | None) -> None:
    if rule.number == own:
        builder.add(f"{rule.number}  above", MUTED)
    else:
        builder.link(rule.number, "rule", rule.number)
        text = clean_text(rule.text or rule.plain) if whole else first_line(rule)
        builder.add("  ")
        builder.add(with_symbols(text))
    builder.end_line()


def _add_numbers(builder: DocumentBuilder, title: str, numbers: Sequence[str]) -> None:
    if not numbers:
        return
    builder.add(title, TITLE)
    builder.add(f"  {len(numbers)}", MUTED)
    builder.end_line()
    for place, number in enumerate(numbers[:MAX_REFERENCES]):
        builder.add("  " if place else "")
        builder.link(number, "rule", number)
    if len(numbers) > MAX_REFERENCES:
        builder.add(f"  and {len(numbers) - MAX_REFERENCES} more", MUTED)
    builder.end_line(2)


def _add_walk(builder: DocumentBuilder, view: RuleView) -> None:
    for word, number in (("Before it", view.previous), ("After it", view.next)):
        if number:
            builder.add(f"{word} ", MUTED)
            builder.link(number, "rule", number)
            builder.add("   ")

"""Rules and cards as pages to read: a title, where it comes from, the text, and what it links to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from textual.content import Content

from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.records import RuleRecord, RuleView
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.messages import RuleRequested
from hexcore_tui.widgets.chat.links import Link

OUR_WORDS = "in our words, not official"
# As many characters of another rule's text as fit a line of the pane.
PREVIEW = 60


@dataclass(frozen=True)
class Page:
    """What the side pane shows."""

    title: str
    source: str
    body: Content
    links: tuple[Link, ...] = field(default=())


def rule_page(knowledge: Knowledge, number: str) -> Page:
    """Return the page of a rule; of an unknown one, the page that says so."""
    view = knowledge.rule(number)
    if view is None:
        return _unknown_rule(knowledge, number)
    rule = view.rule
    parts = [Content(clean_text(rule.text))] if rule.text else []
    if rule.heading and rule.heading != rule.text:
        parts.insert(0, Content(clean_line(rule.heading)).stylize("bold"))
    if rule.official and rule.plain:
        parts.append(Content.assemble((f"{OUR_WORDS}: ", "$warning"), clean_text(rule.plain)))
    parts += [
        Content(f"Example: {clean_text(text)}".replace("Example: Example:", "Example:")).stylize(
            "$text-muted"
        )
        for text in rule.examples
    ]
    source = clean_line(view.release.source) if rule.official else OUR_WORDS
    return Page(
        clean_line(rule.number), source, Content("\n\n").join(parts), tuple(_rule_links(view, knowledge))
    )


def _unknown_rule(knowledge: Knowledge, number: str) -> Page:
    known = knowledge.rule_exists(number)
    words = (
        "This rule exists, but its text is not here: no rules file has been imported and our words do not "
        "cover it. `hexcore setup` fetches the official rules."
        if known
        else "No rule has this number in the loaded rules."
    )
    return Page(clean_line(number), "", Content(words))


def _rule_links(view: RuleView, knowledge: Knowledge) -> Iterable[Link]:
    around = [
        ("above", view.ancestors),
        ("below", view.children),
        ("beside", tuple(rule for rule in view.siblings if rule.number != view.rule.number)),
    ]
    for word, numbers in (("points to", view.points_to), ("pointed to by", view.pointed_from)):
        records = [(number, knowledge.rule_record(number)) for number in numbers]
        yield from (_link(word, number, record) for number, record in records)
    for word, rules in around:
        yield from (_link(word, rule.number, rule) for rule in rules)


def _link(word: str, number: str, rule: RuleRecord | None) -> Link:
    text = clean_line(rule.heading or rule.text) if rule else ""
    if len(text) > PREVIEW:
        text = f"{text[:PREVIEW].rstrip()}…"
    content = Content.assemble(
        (f"{word} ", "$text-muted"), (clean_line(number), "bold $primary"), f"  {text}"
    )
    return Link(content, RuleRequested(number))


def card_page(knowledge: Knowledge, name: str) -> Page:
    """Return the page of a card; of an unknown one, the page that says so."""
    card = knowledge.card(name)
    if card is None:
        words = "No card of this name is in the loaded card data. `hexcore setup` fetches the cards."
        return Page(clean_line(name), "", Content(words))
    parts = [_face(face) for face in card.faces]
    parts += _warnings(card)
    if card.rulings:
        parts += [Content(f"{ruling.published}: {clean_text(ruling.text)}") for ruling in card.rulings]
    return Page(clean_line(card.name), clean_line(card.source), Content("\n\n").join(parts))


def _face(face: FaceRecord) -> Content:
    numbers = [f"{face.power}/{face.toughness}"] if face.power is not None else []
    numbers += [f"loyalty {face.loyalty}"] if face.loyalty else []
    numbers += [f"defense {face.defense}"] if face.defense else []
    head = "  ".join([clean_line(face.type_line), *map(clean_line, numbers)])
    return Content.assemble(
        (clean_line(face.name), "bold"),
        (f"  {clean_line(face.mana_cost)}\n", "$primary"),
        (f"{head}\n", "$text-muted"),
        clean_text(face.oracle_text),
    )


def _warnings(card: CardRecord) -> list[Content]:
    if not card.missing_faces:
        return []
    names = ", ".join(map(clean_line, card.missing_faces))
    return [Content(f"The loaded card data lacks this card's other face: {names}.").stylize("$warning")]

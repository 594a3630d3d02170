"""Two more ways to look at a rule: its neighbourhood in the graph of references, and what points to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hexcore_engine.knowledge.rules.records import (
    Neighbour,
    Neighbourhood,
    PointsHere,
    ReleaseRecord,
    RuleRecord,
    RuleView,
)
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.widgets.rules.rule_document import MUTED, TITLE, first_line, release_text
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder

Records = Mapping[str, RuleRecord]
_TITLES = {
    "points to": "It points to",
    "pointed from": "Points to it",
    "above": "Above it",
    "below": "Below it",
}


def near_document(
    rule: RuleRecord, near: Neighbourhood, records: Records, release: ReleaseRecord
) -> Document:
    """Return what is near a rule, by the way it is reached; `records` are the neighbours by number."""
    builder = DocumentBuilder()
    _add_head(builder, "Near", rule, release)
    for way, title in _TITLES.items():
        steps = [step for step in near.neighbours if step.way == way and step.num_steps == 1]
        _add_rules(builder, title, steps, records)
    _add_rules(builder, "Two steps away", [step for step in near.neighbours if step.num_steps > 1], records)
    if not near.neighbours:
        builder.add("Nothing refers to it, and it refers to nothing.", MUTED)
    if near.num_more:
        builder.add(f"and {near.num_more} more", MUTED)
    return builder.build()


def pointing_document(view: RuleView, records: Records) -> Document:
    """Return what points to a rule: rules, glossary entries, cards; `records` are the rules by number."""
    builder = DocumentBuilder()
    here = view.points_here
    _add_head(builder, "What points to", view.rule, view.release)
    _add_rules(builder, "Rules", [Neighbour(number, "pointed from") for number in view.pointed_from], records)
    below = [Neighbour(number, "pointed from") for number in here.rules_below]
    _add_rules(builder, f"Rules that point below {view.rule.number}", below, records)
    _add_terms(builder, here)
    _add_cards(builder, here)
    if not (view.pointed_from or here.rules_below or here.terms or here.num_cards):
        builder.add("Nothing points to it.", MUTED)
    return builder.build()


def _add_head(builder: DocumentBuilder, title: str, rule: RuleRecord, release: ReleaseRecord) -> None:
    builder.add(release_text(release), MUTED)
    builder.end_line()
    builder.add(f"{title} ", TITLE)
    builder.link(rule.number, "rule", rule.number)
    builder.add(f"  {first_line(rule)}")
    builder.end_line(2)


def _add_rules(builder: DocumentBuilder, title: str, steps: Sequence[Neighbour], records: Records) -> None:
    if not steps:
        return
    builder.add(title, TITLE)
    builder.add(f"  {len(steps)}", MUTED)
    builder.end_line()
    for step in steps:
        builder.link(step.number, "rule", step.number)
        if step.number in records:
            builder.add(f"  {first_line(records[step.number])}")
        if step.over:
            builder.add(f"  over {step.over}", MUTED)
        builder.end_line()
    builder.end_line()


def _add_terms(builder: DocumentBuilder, here: PointsHere) -> None:
    if here.terms:
        builder.add("Glossary", TITLE)
        builder.end_line()
        builder.add(", ".join(clean_line(term) for term in here.terms))
        builder.end_line(2)


def _add_cards(builder: DocumentBuilder, here: PointsHere) -> None:
    if not here.num_cards:
        return
    builder.add(f"Cards with {clean_line(here.keyword)}", TITLE)
    builder.add(f"  {here.num_cards:,}", MUTED)
    builder.end_line()
    for name in here.cards:
        builder.link(clean_line(name), "card", name)
        builder.end_line()
    if here.num_cards > len(here.cards):
        builder.add(f"and {here.num_cards - len(here.cards):,} more: kw:{here.keyword.lower()}", MUTED)
        builder.end_line()

"""A card as a text to read: every face the source has, what it lacks, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping

from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord
from hexcore_engine.knowledge.store.status import KnowledgeStatus
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder
from hexcore_tui.widgets.shared.mana import with_symbols

MUTED = "$text-muted"
# The statuses in the order people ask for them, and how each looks.
LEGALITY_ORDER = {"banned": 1, "restricted": 2, "legal": 3, "not_legal": 4}
LEGALITY_STYLES = {"banned": "bold $error", "restricted": "bold $warning", "legal": "$success"}


def card_document(card: CardRecord, keyword_rules: Mapping[str, str], status: KnowledgeStatus) -> Document:
    """Return the text of `card`; a keyword that has a rule in `keyword_rules` links to it."""
    builder = DocumentBuilder()
    if len(card.faces) > 1 or card.missing_faces:
        builder.add(clean_line(card.name), "bold $primary")
        builder.end_line()
        builder.add(f"{clean_line(card.layout).replace('_', ' ')} card, {_num_faces(card)}", MUTED)
        builder.end_line(2)
    for face in card.faces:
        _add_face(builder, face)
    _add_missing(builder, card)
    _add_keywords(builder, card, keyword_rules)
    _add_legalities(builder, card)
    _add_rulings(builder, card)
    _add_source(builder, card, status)
    return builder.build()


def unknown_card_document(name: str, status: KnowledgeStatus) -> Document:
    """Return the text that stands in for a card that was not found."""
    builder = DocumentBuilder()
    if status.num_cards:
        builder.add(f"None of the {status.num_cards:,} cards at hand is named {clean_line(name)}.")
    else:
        builder.add("No cards are here yet. Get them with: hexcore setup", "$warning")
    return builder.build()


def face_numbers(face: FaceRecord) -> str:
    """Return power and toughness, loyalty or defense as printed, or ""."""
    if face.power is not None or face.toughness is not None:
        return clean_line(f"{face.power or '?'}/{face.toughness or '?'}")
    if face.loyalty is not None:
        return f"loyalty {clean_line(face.loyalty)}"
    return f"defense {clean_line(face.defense)}" if face.defense is not None else ""


def _num_faces(card: CardRecord) -> str:
    total = len(card.faces) + len(card.missing_faces)
    return f"{total} faces" if total != 1 else "1 face"


def _add_face(builder: DocumentBuilder, face: FaceRecord) -> None:
    builder.add(clean_line(face.name), "bold")
    if face.mana_cost:
        builder.add("  ")
        builder.add(with_symbols(clean_line(face.mana_cost)))
    builder.end_line()
    builder.add(clean_line(face.type_line), "italic")
    numbers = face_numbers(face)
    if numbers:
        builder.add(f"  {numbers}", "bold")
    builder.end_line()
    if face.oracle_text:
        builder.add(with_symbols(clean_text(face.oracle_text).strip()))
        builder.end_line()
    builder.end_line()


def _add_missing(builder: DocumentBuilder, card: CardRecord) -> None:
    if card.missing_faces:
        names = ", ".join(clean_line(name) for name in card.missing_faces)
        builder.add(f"Missing: the source of this card has no text for {names}.", "$warning")
        builder.end_line(2)


def _add_keywords(builder: DocumentBuilder, card: CardRecord, keyword_rules: Mapping[str, str]) -> None:
    if not card.keywords:
        return
    builder.add("Keywords  ", MUTED)
    for place, keyword in enumerate(card.keywords):
        builder.add(" · " if place else "")
        number = keyword_rules.get(keyword)
        if number:
            builder.link(f"{clean_line(keyword)} {number}", "rule", number)
        else:
            builder.add(clean_line(keyword))
    builder.end_line(2)


def _add_legalities(builder: DocumentBuilder, card: CardRecord) -> None:
    """Add where the card may be played, by status, where the source tells."""
    by_status: dict[str, list[str]] = {}
    for name, status in sorted((card.legalities or {}).items()):
        by_status.setdefault(status, []).append(clean_line(name).replace("_", " "))
    for status in sorted(by_status, key=lambda status: LEGALITY_ORDER.get(status, 0)):
        label = clean_line(status).replace("_", " ").capitalize()
        builder.add(f"{label}  ", LEGALITY_STYLES.get(status, MUTED))
        builder.add(", ".join(by_status[status]), MUTED if status == "not_legal" else "")
        builder.end_line()
    if by_status:
        builder.end_line()


def _add_rulings(builder: DocumentBuilder, card: CardRecord) -> None:
    for ruling in card.rulings or ():
        builder.add(f"{clean_line(ruling.published)}, {clean_line(ruling.source)}: ", MUTED)
        builder.add(with_symbols(clean_text(ruling.text)))
        builder.end_line(2)


def _add_source(builder: DocumentBuilder, card: CardRecord, status: KnowledgeStatus) -> None:
    source = clean_line(card.source or status.cards_source or "unknown")
    date = clean_line(status.cards_date or "date unknown")
    builder.add(f"Source: {source}, {date}", MUTED)

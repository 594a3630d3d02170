"""Cards as plain text: for the reader, and as patterns of card text are written."""

from __future__ import annotations

import re

from hexcore_engine.knowledge.cards.records import CardRecord

_THIS = re.compile(
    r"\bthis (creature|artifact|enchantment|land|permanent|spell|vehicle|equipment|aura)\b", re.IGNORECASE
)


def card_text(card: CardRecord) -> str:
    """Return a card as plain text, all faces, what is missing said."""
    faces = []
    for face in card.faces:
        size = f"{face.power}/{face.toughness}" if face.power is not None else ""
        loyalty = f"loyalty {face.loyalty}" if face.loyalty is not None else ""
        defense = f"defense {face.defense}" if face.defense is not None else ""
        parts = (face.name, face.mana_cost, "|", face.type_line, size, loyalty, defense)
        head = " ".join(part for part in parts if part)
        faces.append(f"{head}\n{face.oracle_text}".strip())
    missing = [f"{name}: its text is not in the card data." for name in card.missing_faces]
    return "\n//\n".join([*faces, *missing])


def generic_text(card: CardRecord) -> str:
    """Return a card's types and text in lower case with its own name as `~`, as the digest's patterns
    write it."""
    texts = []
    for face in card.faces:
        text = f"{face.type_line}\n{face.oracle_text}"
        for name in {face.name, face.name.split(",")[0]}:
            text = text.replace(name, "~")
        texts.append(_THIS.sub("~", text).lower())
    return "\n".join(texts)

"""`hexcore card NAME`: one card with all its faces."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.errors import KnowledgeMissingError
from hexcore_engine.knowledge.cards.records import CardRecord, FaceRecord
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.protocol.records import to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("name", nargs="+", help="the card's name, or the name of one face")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the card; 1 with the nearest names when there is none.

    Raises:
        KnowledgeMissingError: when no cards are loaded.
    """
    name = joined(arguments.name)
    knowledge = Knowledge(context.paths.knowledge_dir)
    try:
        card = knowledge.card(name)
        status = knowledge.status()
        near = [hit.name for hit in knowledge.complete_names(name, 3)] if card is None else []
    finally:
        knowledge.close()
    if not status.num_cards:
        raise KnowledgeMissingError("No cards are loaded.")
    if card is None:
        why = f"There is no card {name!r}."
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        context.output.result({"card": None, "nearest": near}, f"{why}{hint}")
        return 1
    source = {"source": status.cards_source, "date": status.cards_date}
    text = f"{card_face_text(card)}\n\n— {status.cards_source} ({status.cards_date})"
    context.output.result({**to_builtins(card), **source}, text)
    return 0


def card_face_text(card: CardRecord) -> str:
    """Return a card as text, what its source lacks said."""
    parts = [_face(face) for face in card.faces]
    parts += [f"{name}\n(the text of this face is not in the card data)" for name in card.missing_faces]
    text = "\n\n".join(parts)
    if card.keywords:
        text += f"\n\nKeywords: {', '.join(card.keywords)}"
    rulings = [f"{ruling.published}  {ruling.text}" for ruling in card.rulings or ()]
    return "\n\n".join([text, *(["Rulings"] if rulings else []), *rulings])


def _face(face: FaceRecord) -> str:
    lines = [f"{face.name}  {face.mana_cost}".rstrip(), face.type_line, face.oracle_text]
    if face.power is not None:
        lines.append(f"{face.power}/{face.toughness}")
    if face.loyalty is not None:
        lines.append(f"Loyalty {face.loyalty}")
    if face.defense is not None:
        lines.append(f"Defense {face.defense}")
    return "\n".join(line for line in lines if line)

"""The order of cards found by words of their names: the exact name, names that begin so, names with words
that begin so, then the rest, each by name."""

from __future__ import annotations

from hexcore_engine.knowledge.cards.columns import CardColumns

# Of more names than this the typed words say too little for an order.
_MOST_RANKED = 5000


def names_first(columns: CardColumns, card_ids: list[int], key: str) -> list[int]:
    """The cards reordered; `key` is the `name_key` of the words typed."""
    exact = set(columns.named(key))
    first = [card for card in card_ids if card in exact]
    rest = [card for card in card_ids if card not in exact] if first else card_ids
    if len(rest) > _MOST_RANKED:
        return first + rest
    column = columns.text("name_key")
    words = key.split()

    def rank(card: int) -> int:
        name = column.text(card)
        if name.startswith(key):
            return 0
        padded = f" {name}"
        return 1 if all(f" {word}" in padded for word in words) else 2

    return first + sorted(rest, key=rank)

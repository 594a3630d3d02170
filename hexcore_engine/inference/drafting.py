"""Guessing the next tokens from the prompt: answers quote rules, so what followed before follows again."""

from __future__ import annotations

MAX_DRAFT_TOKENS = 8
_LONGEST_MATCH = 4
_SHORTEST_MATCH = 2


class PromptLookup:
    """Finds the last place where the newest tokens stood before, and drafts what came after it."""

    def __init__(self, tokens: list[int]) -> None:
        self._tokens = list(tokens)
        self._places: dict[tuple[int, ...], int] = {}
        for end in range(1, len(self._tokens)):
            self._note(end)

    def add(self, token: int) -> None:
        """Note a token that was written."""
        if self._tokens:
            self._note(len(self._tokens))
        self._tokens.append(token)

    def draft(self, limit: int = MAX_DRAFT_TOKENS) -> list[int]:
        """Return up to `limit` tokens that may come next, none when nothing matches."""
        for length in range(_LONGEST_MATCH, _SHORTEST_MATCH - 1, -1):
            if len(self._tokens) < length:
                continue
            place = self._places.get(tuple(self._tokens[-length:]))
            if place is not None:
                return self._tokens[place : place + limit]
        return []

    def _note(self, end: int) -> None:
        """Remember that the tokens before `end` were followed by the one at `end`."""
        for length in range(_SHORTEST_MATCH, _LONGEST_MATCH + 1):
            if end >= length:
                self._places[tuple(self._tokens[end - length : end])] = end

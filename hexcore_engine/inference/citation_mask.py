"""Constrained citations for a token loop: inside brackets only retrieved rule numbers can be drawn.

The same language as the grammar in grammar.py, walked token by token: free text without brackets, or one of
the numbers between a pair of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

_OUTSIDE = ""


class TokenTexts:
    """What each token of a vocabulary spells, and which may stand outside brackets. One a tokenizer."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.with_brackets = [i for i, text in enumerate(texts) if "[" in text or "]" in text]
        self.by_first: dict[str, list[int]] = defaultdict(list)
        for token, text in enumerate(texts):
            if text:
                self.by_first[text[0]].append(token)

    @classmethod
    def of(cls, tokenizer: Any) -> TokenTexts:
        """Spell every token of a transformers tokenizer; special tokens spell nothing."""
        special = set(tokenizer.all_special_ids)
        size = len(tokenizer)
        spelt = tokenizer.batch_decode([[token] for token in range(size)], clean_up_tokenization_spaces=False)
        return cls(["" if token in special else text for token, text in enumerate(spelt)])


class CitationMask:
    """Where one answer stands in the citation language. `rules` () allows no bracket at all."""

    def __init__(self, texts: TokenTexts, rules: Sequence[str]) -> None:
        self._texts = texts
        self._rules = tuple(f"[{rule}]" for rule in dict.fromkeys(rules))
        # What was written since the bracket that is still open, that bracket included.
        self._open = _OUTSIDE
        self._allowed: dict[str, Any] = {}

    def apply(self, logits: Any) -> Any:
        """Return logits [vocabulary] with every token that leaves the language set to minus infinity."""
        allowed = self._allowed.get(self._open)
        if allowed is None:
            allowed = self._allowed[self._open] = self._allow(logits)
        return logits.masked_fill(~allowed, float("-inf"))

    def advance(self, token: int) -> None:
        """Note the token that was drawn."""
        after = self._after(self._open, self._texts.texts[token] if token < len(self._texts.texts) else "")
        self._open = after if after is not None else _OUTSIDE

    def _allow(self, logits: Any) -> Any:
        import torch

        if self._open == _OUTSIDE:
            allowed = torch.ones(logits.shape, dtype=torch.bool, device=logits.device)
            # Rows beyond the tokenizer's tokens are padding of the embedding.
            allowed[len(self._texts.texts) :] = False
            candidates = self._texts.with_brackets
        else:
            allowed = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
            candidates = [
                token for first in self._next_characters() for token in self._texts.by_first.get(first, ())
            ]
        for token in candidates:
            allowed[token] = self._after(self._open, self._texts.texts[token]) is not None
        return allowed

    def _next_characters(self) -> set[str]:
        length = len(self._open)
        return {rule[length] for rule in self._rules if rule.startswith(self._open) and len(rule) > length}

    def _after(self, opened: str, text: str) -> str | None:
        """Return the open citation after `text`, "" outside of one, None when `text` is not allowed."""
        for character in text:
            if opened == _OUTSIDE:
                if character == "]":
                    return None
                opened = "[" if character == "[" else _OUTSIDE
                if opened and not self._rules:
                    return None
                continue
            opened += character
            if opened in self._rules:
                opened = _OUTSIDE
            elif not any(rule.startswith(opened) for rule in self._rules):
                return None
        return opened

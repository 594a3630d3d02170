"""Choosing one of the five modes for a question.

Clear rules over the question's words, for now; a trained classifier takes their place behind the same call.
"""

from __future__ import annotations

import math
import re

from hexcore_engine.protocol.records import MODE_NAMES, ModeChoice, ModeName, ModeProbability

# Weight of a pattern in log-odds. Order does not matter; matches add up.
_CUES: tuple[tuple[ModeName, float, str], ...] = (
    (
        "TEACH",
        3.0,
        r"\b(teach|learn|new to|never played|beginner|first time|get started|where do i (begin|start))\b",
    ),
    ("TEACH", 1.6, r"\b(step by step|walk me through|basics?|lesson|practice|quiz|tutorial)\b"),
    ("EXPLAIN", 2.2, r"^\s*(what (is|are|does|do)|explain|define|describe|tell me (about|what))\b"),
    (
        "EXPLAIN",
        1.6,
        r"\b(mean|means|difference between|how does .{1,40} work|what .{1,30} (covers?|does))\b",
    ),
    ("EXPLAIN", 0.8, r"^\s*(how do|how does|why (is|are|do|does))\b"),
    ("PREDICT", 3.0, r"\b(odds|chance|chances|probab\w*|likely|likelihood|percent|expected|how often)\b"),
    (
        "PREDICT",
        1.8,
        r"\b(draws?|outs?|cards? left|in (my|the) (deck|library)).{0,40}\b(next|by turn|two|three)\b",
    ),
    (
        "PREDICT",
        1.4,
        r"\b(what (will|would) happen if|who wins|can i win|next turn|should i (attack|block|keep))\b",
    ),
    (
        "RETROSPECT",
        3.0,
        r"\b(i lost|we lost|did i (lose|throw|misplay|mess)|my mistake|went wrong|turn list)\b",
    ),
    ("RETROSPECT", 2.4, r"\b(last (night|game|round|match|week)|should i have|could i have)\b"),
    ("RETROSPECT", 2.0, r"\bwas (it|that) (right|wrong|legal)\b"),
    ("RETROSPECT", 1.2, r"\b(yesterday|earlier today|we played|judge ruled|in hindsight|looking back)\b"),
    (
        "REASON",
        1.6,
        r"\b(my|his|her|their|opponent\w*|attacks?|blocks?|respon\w+|trigger\w*|stack|resolve\w*|dies)\b",
    ),
    ("REASON", 1.4, r"^\s*(if|when|can|do|does|will|is|are|am)\b"),
    ("REASON", 1.0, r"\[\[|\b\d+/\d+\b"),
)
_PATTERNS = tuple((mode, weight, re.compile(pattern, re.IGNORECASE)) for mode, weight, pattern in _CUES)
# A rules question that shows no cue at all is most often about a board.
_PRIOR: dict[ModeName, float] = {
    "REASON": 0.6,
    "EXPLAIN": 0.3,
    "TEACH": 0.0,
    "PREDICT": 0.0,
    "RETROSPECT": 0.0,
}
ABSTAIN_BELOW = 0.45


class TransactionClassifier:
    """Says which mode a question asks for, and how sure it is."""

    def classify(self, question: str) -> ModeChoice:
        """Return the best mode with all five ranked; `abstained` when none stands out."""
        scores = dict(_PRIOR)
        for mode, weight, pattern in _PATTERNS:
            if pattern.search(question):
                scores[mode] += weight
        total = sum(math.exp(score) for score in scores.values())
        ranked = sorted(
            (ModeProbability(mode, math.exp(scores[mode]) / total) for mode in MODE_NAMES),
            key=lambda entry: -entry.probability,
        )
        best = ranked[0]
        return ModeChoice(
            mode=best.mode,
            confidence=best.probability,
            abstained=best.probability < ABSTAIN_BELOW,
            ranked=tuple(ranked),
        )


def pinned(mode: ModeName) -> ModeChoice:
    """Return the choice of a user who named the mode."""
    others = tuple(ModeProbability(name, 1.0 if name == mode else 0.0) for name in MODE_NAMES)
    ranked = tuple(sorted(others, key=lambda entry: -entry.probability))
    return ModeChoice(mode=mode, confidence=1.0, pinned=True, ranked=ranked)

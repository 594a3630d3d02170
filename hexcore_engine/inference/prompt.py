"""The words given to the model: a fixed prefix, earlier turns byte for byte, new passages, the question.

Passages stand between fences they can't close, and special tokens in any text from outside are plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hexcore_engine.inference.decoders.base import ChatMessage
from hexcore_engine.protocol.records import ModeName, Passage, TurnRecord
from hexcore_engine.utils.validation import clean_text

SYSTEM = (
    "You help people with the rules of Magic: The Gathering. Use only the evidence given. Say the verdict "
    "first, in one sentence. Then name the rule that decides it in square brackets, like the numbers in the "
    "evidence, and quote it word for word. Then name the edge case in one sentence: what would change the "
    "verdict. If the evidence does not decide the question, say so. Be short."
)
OPEN_FENCE = "=== EVIDENCE ==="
CLOSE_FENCE = "=== END OF EVIDENCE ==="
# Everything that looks like a chat template's own token: <|im_start|>, <s>, <end_of_turn>, [INST],
# [TOOL_CALLS] …
_SPECIAL = re.compile(r"<[/|｜]?[\w|｜▁:.-]{1,40}[/|｜]?>|<</?\w{1,20}>>|\[/?[A-Z][A-Z_]{2,20}\]")
_SOFT = str.maketrans({"<": "(", ">": ")", "|": "/", "｜": "/", "[": "(", "]": ")"})
_FENCE_LIKE = re.compile(r"={3,}")


@dataclass(frozen=True)
class ModeStyle:
    """What a mode changes: one instruction after the question, and how freely words are drawn once the
    temperature is above 0."""

    instruction: str
    top_p: float = 0.9
    min_p: float = 0.05


MODE_STYLES: dict[ModeName, ModeStyle] = {
    "REASON": ModeStyle("Decide what happens, verdict first.", top_p=0.8, min_p=0.1),
    "EXPLAIN": ModeStyle("Explain what this means in plain words."),
    "TEACH": ModeStyle("Teach this to a new player, one step after the other.", top_p=0.95),
    "PREDICT": ModeStyle("Say what can happen next and what it depends on."),
    "RETROSPECT": ModeStyle("Say what went wrong and what would have been right.", top_p=0.8, min_p=0.1),
}


def defuse(text: str) -> str:
    """Return text from outside made harmless for a prompt: no controls, no special tokens, no fences."""
    return _FENCE_LIKE.sub(lambda match: " ".join(match.group()), defuse_specials(clean_text(text)))


def defuse_specials(text: str) -> str:
    """Return `text` with every special token turned into plain text of the same length."""
    return _SPECIAL.sub(lambda match: match.group().translate(_SOFT), text)


def fixed_prefix() -> tuple[ChatMessage, ...]:
    """The part of every prompt that never changes; warmed before the first question."""
    return (ChatMessage("system", SYSTEM),)


def warm_prompt() -> tuple[ChatMessage, ...]:
    """A prompt that begins like every other; computing it once makes the first question quick."""
    return (*fixed_prefix(), ChatMessage("user", OPEN_FENCE))


def user_message(question: str, modes: tuple[ModeName, ...], passages: tuple[Passage, ...]) -> str:
    """Return the user's message: evidence between fences, the question, the instruction of the mode, and of
    the other one it may be."""
    parts = []
    if passages:
        lines = [OPEN_FENCE, *(_passage_line(passage) for passage in passages), CLOSE_FENCE]
        parts.append("\n".join(lines))
    parts.append(f"Question: {defuse(question)}")
    first, *others = (MODE_STYLES[mode].instruction for mode in modes)
    parts += [first, *(f"If that is not asked: {other[:1].lower()}{other[1:]}" for other in others)]
    rules = [passage.id for passage in passages if passage.kind in ("rule", "digest")]
    if rules:
        parts.append(f"Begin with the number of the rule that decides it, in brackets like [{rules[0]}].")
    return "\n".join(parts)


def messages_for(history: tuple[TurnRecord, ...], sent: str) -> tuple[ChatMessage, ...]:
    """Return the whole prompt; earlier turns are repeated exactly as they were sent and written.

    Only a special token that a model spelt out in its own answer is changed, and the same way each time.
    """
    messages = list(fixed_prefix())
    for turn in history:
        messages.append(ChatMessage("user", turn.sent))
        messages.append(ChatMessage("assistant", defuse_specials(turn.response)))
    messages.append(ChatMessage("user", sent))
    return tuple(messages)


def _passage_line(passage: Passage) -> str:
    text = " ".join(defuse(passage.text).split())
    if passage.kind in ("rule", "digest"):
        return f"[{passage.id}] {text}"
    return f"{passage.kind.capitalize()} {defuse(passage.title)}: {text}"

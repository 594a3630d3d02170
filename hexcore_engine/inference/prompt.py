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
    "evidence, and quote its words. If the evidence does not decide the question, say so. Be short."
)
OPEN_FENCE = "=== EVIDENCE ==="
CLOSE_FENCE = "=== END OF EVIDENCE ==="
# Everything that looks like a chat template's own token: <|im_start|>, <s>, [INST], <start_of_turn> …
_SPECIAL = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>",
    re.IGNORECASE,
)
_FENCE_LIKE = re.compile(r"={3,}")


@dataclass(frozen=True)
class ModeStyle:
    """What a mode changes: one instruction after the question, and how much to write."""

    instruction: str
    max_tokens: int


MODE_STYLES: dict[ModeName, ModeStyle] = {
    "REASON": ModeStyle("Decide what happens, verdict first.", 320),
    "EXPLAIN": ModeStyle("Explain what this means in plain words.", 320),
    "TEACH": ModeStyle("Teach this to a new player, one step after the other.", 480),
    "PREDICT": ModeStyle("Say what can happen next and what it depends on.", 320),
    "RETROSPECT": ModeStyle("Say what went wrong and what would have been right.", 320),
}


def defuse(text: str) -> str:
    """Return text from outside made harmless for a prompt: no controls, no special tokens, no fences."""
    text = _SPECIAL.sub(lambda match: match.group().translate(_SOFT), clean_text(text))
    return _FENCE_LIKE.sub(lambda match: " ".join(match.group()), text)


_SOFT = str.maketrans({"<": "(", ">": ")", "|": "/", "[": "(", "]": ")"})


def fixed_prefix() -> tuple[ChatMessage, ...]:
    """The part of every prompt that never changes; warmed before the first question."""
    return (ChatMessage("system", SYSTEM),)


def warm_prompt() -> tuple[ChatMessage, ...]:
    """A prompt that begins like every other; computing it once makes the first question quick."""
    return (*fixed_prefix(), ChatMessage("user", OPEN_FENCE))


def user_message(question: str, mode: ModeName, passages: tuple[Passage, ...]) -> str:
    """Return the user's message: evidence between fences, the question, the mode's instruction."""
    parts = []
    if passages:
        lines = [OPEN_FENCE, *(_passage_line(passage) for passage in passages), CLOSE_FENCE]
        parts.append("\n".join(lines))
    parts.append(f"Question: {defuse(question)}")
    parts.append(MODE_STYLES[mode].instruction)
    rules = [passage.id for passage in passages if passage.kind in ("rule", "digest")]
    if rules:
        parts.append(f"Begin with the number of the rule that decides it, in brackets like [{rules[0]}].")
    return "\n".join(parts)


def messages_for(history: tuple[TurnRecord, ...], sent: str) -> tuple[ChatMessage, ...]:
    """Return the whole prompt; earlier turns are repeated exactly as they were sent and written."""
    messages = list(fixed_prefix())
    for turn in history:
        messages += [ChatMessage("user", turn.sent), ChatMessage("assistant", turn.response)]
    messages.append(ChatMessage("user", sent))
    return tuple(messages)


def _passage_line(passage: Passage) -> str:
    text = " ".join(defuse(passage.text).split())
    if passage.kind in ("rule", "digest"):
        return f"[{passage.id}] {text}"
    return f"{passage.kind.capitalize()} {defuse(passage.title)}: {text}"

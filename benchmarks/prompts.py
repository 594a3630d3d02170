"""Prompts to measure decoders with, made of the digest: as long as wanted, the same every time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from hexcore_engine.inference.decoders.base import ChatMessage
from hexcore_engine.knowledge.digest.loader import LABEL, load_digest
from hexcore_engine.protocol.records import Passage, TurnRecord


def passages_from(
    entries: Iterator[Passage], count: Callable[[str], int], tokens: int
) -> tuple[Passage, ...]:
    """Take passages as long as all of them together hold at most `tokens`; at least one."""
    taken: list[Passage] = []
    held = 0
    for passage in entries:
        held += count(f"[{passage.id}] {passage.text}\n")
        if taken and held > tokens:
            break
        taken.append(passage)
    return tuple(taken)


def digest_passages() -> Iterator[Passage]:
    """Every rule of the digest, in its order."""
    for entry in load_digest().values():
        yield Passage("digest", entry.rule, entry.rule, entry.plain, "measured", LABEL, official=False)


def digest_questions() -> Iterator[str]:
    """Players' questions of the digest, in its order."""
    return itertools.chain.from_iterable(entry.asks for entry in load_digest().values())


def turn(question: str, sent: str, response: str) -> TurnRecord:
    """A turn as the store gives it back."""
    return TurnRecord(
        turn_id=0,
        question=question,
        mode=None,
        passages=(),
        response=response,
        citations=(),
        usage=None,
        stop_reason="end",
        rules_release=None,
        model=None,
        asked_at="",
        sent=sent,
    )


def counter(count_tokens: Callable[[tuple[ChatMessage, ...]], int]) -> Callable[[str], int]:
    """Return a function that counts the tokens of a text, without the template around it."""
    template = count_tokens((ChatMessage("user", ""),))
    return lambda text: count_tokens((ChatMessage("user", text),)) - template

"""Why a rule was found, in words, from the signals of the question."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hexcore_engine.knowledge.index.signals import SignalReader, Signals
from hexcore_engine.knowledge.rules.marks import matching_words
from hexcore_engine.knowledge.rules.records import RuleRecord

MOST_REASONS = 3
# A phrase of players counts as said when at least this share of its words' weight is in the question.
_SAID_SHARE = 0.6
# How near a list's best a rule must stand for the list to be named as a reason.
_NEAR_BEST = 0.4
# Vectors of any two questions about rules are somewhat alike.
_NEAR_MEANING = 0.85


@dataclass(frozen=True)
class Asked:
    """A question's reader, what it found, and the question's content words."""

    reader: SignalReader
    signals: Signals
    words: list[str]


def reasons_for(asked: Asked, rule: RuleRecord, phrases: Sequence[str], shown: Collection[str]) -> str:
    """Say why `rule` is here; `phrases` are what players say for it, `shown` the rules already shown above
    it."""
    reader, signals = asked.reader, asked.signals
    place = reader.table.position[rule.number]
    found = [
        *_of_cards(reader, signals, place),
        *_of_names(reader, signals, place),
        *filter(None, [matching_words(rule, asked.words)]),
        *_of_players(reader, signals, place, phrases),
        *_of_references(reader, place, shown),
    ]
    if len(found) < MOST_REASONS and _is_near_best(signals, "asked_all", place):
        found.append("it decided questions like yours")
    if len(found) < MOST_REASONS and _is_near_best(signals, "near", place, _NEAR_MEANING):
        found.append("its meaning is near your question")
    return "; ".join(found[:MOST_REASONS]) or "it belongs to what was found around your words"


def _of_cards(reader: SignalReader, signals: Signals, place: int) -> list[str]:
    if place in signals.named_on:
        card, stems = signals.named_on[place]
        return [f"{card} has “{reader.topics.by_stems[stems].name}”"]
    if place in signals.pointing_card and _is_near_best(signals, "pattern_rare", place):
        return [f"the text of {signals.pointing_card[place]} points here"]
    return []


def _of_names(reader: SignalReader, signals: Signals, place: int) -> list[str]:
    stems = signals.named.get(place)
    return [f"you name “{reader.topics.by_stems[stems].name}”"] if stems else []


def _of_players(reader: SignalReader, signals: Signals, place: int, phrases: Sequence[str]) -> list[str]:
    shares = signals.unit_shares[reader.postings.units_of("said", place)]
    if len(shares) != len(phrases) or not len(shares) or shares.max() < _SAID_SHARE:
        return []
    return [f"players say “{phrases[int(shares.argmax())]}”"]


def _of_references(reader: SignalReader, place: int, shown: Collection[str]) -> list[str]:
    table = reader.table
    pointing = table.link_source[table.link_target == place].tolist()
    pointed = table.link_target[table.link_source == place].tolist()
    by = next((table.numbers[other] for other in pointing if table.numbers[other] in shown), None)
    to = next((table.numbers[other] for other in pointed if table.numbers[other] in shown), None)
    if by is not None:
        return [f"{by} points here"]
    return [f"it points to {to}"] if to is not None else []


def _is_near_best(signals: Signals, name: str, place: int, share: float = _NEAR_BEST) -> bool:
    scores = signals.lists[name]
    best = float(scores.max(initial=0.0))
    return best > 0 and float(scores[place]) >= share * best

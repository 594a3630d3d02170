"""A small release of invented rules for tests of ranking."""

from __future__ import annotations

from hexcore_engine.knowledge.index.decided_questions import DecidedQuestion, index_decided
from hexcore_engine.knowledge.index.postings import Postings, build_postings
from hexcore_engine.knowledge.index.rule_table import RuleTable, make_rule_table
from hexcore_engine.knowledge.index.signals import SignalReader
from hexcore_engine.knowledge.index.tokens import Stemmer
from hexcore_engine.knowledge.index.topics import make_topics

NUMBERS = ("7", "702", "702.1", "702.1a", "702.1b", "702.2", "702.2a")
UNITS = (
    (3, "body", "Gloaming lanterns burn until the moth returns."),
    (3, "example", "A moth lands on a quiet windowsill."),
    (3, "said", "moth trick"),
    (3, "said", "lantern lock forever"),
    (3, "asks", "Does my lantern keep burning when his moth leaves?"),
    (4, "body", "A moth that returns puts out one lantern."),
    (4, "plain", "Moths put out lanterns one at a time."),
    (6, "body", "Ferries carry pilgrims across still water."),
    (6, "asks", "Can two pilgrims share a ferry?"),
)


def make_table() -> RuleTable:
    parents = (None, "7", "702", "702.1", "702.1", "702", "702.2")
    return make_rule_table(
        [(number, parent, 40) for number, parent in zip(NUMBERS, parents, strict=True)],
        [("702.1b", "702.1a"), ("702.1b", "999.9")],
    )


def make_postings() -> Postings:
    stemmer = Stemmer()
    return build_postings([(rule, field, stemmer.terms(text)) for rule, field, text in UNITS], len(NUMBERS))


def make_reader(without: tuple[str, ...] = ()) -> SignalReader:
    stemmer, table = Stemmer(), make_table()
    decided = [
        DecidedQuestion(tuple(stemmer.terms("Who steers the drifting barge at night?")), ("702.2a", "998.1")),
        DecidedQuestion(tuple(stemmer.terms("Is the barge lit by a lantern?")), ("702.1a",)),
    ]
    return SignalReader(
        postings=make_postings(),
        table=table,
        patterns=[("whenever ~ floats", 6), ("floats", 6), ("floats", 4)],
        topics=make_topics(stemmer, [("Lantern Lock", [2, 3]), ("Ferry", [5, 6]), ("the", [0])]),
        stemmer=stemmer,
        decided=index_decided(decided, table),
        without=without,
    )

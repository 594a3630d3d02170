"""Reading what ranking needs from the attached release, once a release."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from hexcore_engine.knowledge.index.decided_questions import DecidedQuestion, index_decided
from hexcore_engine.knowledge.index.postings import read_postings
from hexcore_engine.knowledge.index.rule_table import RuleTable, load_rule_table
from hexcore_engine.knowledge.index.signals import SignalReader
from hexcore_engine.knowledge.index.tokens import Stemmer
from hexcore_engine.knowledge.index.topics import LONGEST_NAME, make_topics


def open_signals(
    connection: sqlite3.Connection,
    decided: Sequence[DecidedQuestion] = (),
    without: Collection[str] = (),
) -> SignalReader:
    """Return the reader of the attached release's signals; `without` as `SignalReader` takes it."""
    table = load_rule_table(connection)
    stemmer = Stemmer()
    patterns = connection.execute("SELECT pattern, number FROM release.oracle_pattern").fetchall()
    return SignalReader(
        postings=read_postings(connection),
        table=table,
        patterns=[(text, table.position[rule]) for text, rule in patterns if rule in table.position],
        topics=make_topics(stemmer, _names(connection, table)),
        stemmer=stemmer,
        decided=index_decided(decided, table) if decided else None,
        without=without,
    )


def _names(connection: sqlite3.Connection, table: RuleTable) -> Iterator[tuple[str, list[int]]]:
    """Yield short names of rules and groups, and glossary terms, with what they stand for and what is right
    below."""
    below: defaultdict[int, list[int]] = defaultdict(list)
    for place, parent in enumerate(table.parent.tolist()):
        below[parent].append(place)
    titles = connection.execute(
        "SELECT number, text FROM release.rule WHERE official AND length(text) BETWEEN 1 AND ?",
        (LONGEST_NAME,),
    )
    for number, title in titles.fetchall():
        place = table.position[number]
        yield title, [place, *below[place]]
    terms = connection.execute("SELECT term, rules FROM release.glossary WHERE official").fetchall()
    for term, numbers in terms:
        places = [table.position[number] for number in json.loads(numbers) if number in table.position]
        yield term, [other for place in places for other in (place, *below[place])]

"""A query from its text to its cards."""

from __future__ import annotations

import dataclasses
import sqlite3
from functools import cached_property

from msgspec.structs import replace

from hexcore_engine.knowledge.cards.columns import CardColumns, CardSet
from hexcore_engine.knowledge.cards.name_search import NameSearch
from hexcore_engine.knowledge.cards.names import name_key
from hexcore_engine.knowledge.cards.query.compiler import Compiled, Plan, compile_tree, run_plan
from hexcore_engine.knowledge.cards.query.free_text import FreeText, Vocabulary, read_free_text
from hexcore_engine.knowledge.cards.query.leaves import Run
from hexcore_engine.knowledge.cards.query.names_first import names_first
from hexcore_engine.knowledge.cards.query.problems import IgnoredTerm
from hexcore_engine.knowledge.cards.query.regex_search import BUDGET_S
from hexcore_engine.knowledge.cards.query.syntax import Tree, bare_words, parse
from hexcore_engine.knowledge.cards.reader import read_hits, read_source
from hexcore_engine.knowledge.cards.records import CardSearch
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_engine.utils.validation import clean_text

LONGEST_QUERY = 1000
QUERY_CODE = "HX-USAGE"
DATA_CODE = "HX-KNOWLEDGE"
ONLY_EXTRAS = (
    "only extras match (schemes, planes, tokens, rebalanced cards); include:extras always lists them"
)


class CardQueries:
    """Queries over one open cards file; what was read of it is kept for the next."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._columns = CardColumns(connection)
        self._provides = read_source(connection).provides

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self._columns)

    @cached_property
    def _extras(self) -> CardSet:
        return self._columns.cards_where("extra", bool)

    def search(self, query: str, limit: int) -> CardSearch:
        """Answer a query. Whatever is typed, the result says how it was understood; damage alone raises."""
        text = clean_text(query[:LONGEST_QUERY]).replace("\n", " ").replace("\t", " ")
        tree = parse(text)
        compiled = self._compile(tree)
        if len(query) > LONGEST_QUERY:
            reason = f"only the first {LONGEST_QUERY} signs are read"
            compiled.ignored.append(IgnoredTerm(LONGEST_QUERY + 1, "the rest", reason))
        if compiled.plan is None:
            return _unanswerable(text, compiled)
        return self._answer(tree, compiled, compiled.plan, limit)

    def _compile(self, tree: Tree) -> Compiled:
        return compile_tree(tree, self._columns, self._provides)

    def _answer(self, tree: Tree, compiled: Compiled, plan: Plan, limit: int) -> CardSearch:
        run = Run(self._columns)
        found = self._without_extras(self._run(plan, run), compiled, bare_words(tree))
        if not found and not run.regex.stopped and tree.has_bare_words:
            other = self._read_otherwise(tree, compiled, run, limit)
            if other is not None:
                return replace(other, ignored=(*_ignored(compiled), *other.ignored))
        self._suggest(tree, compiled)
        return self._result(compiled, found, run, bare_words(tree), limit)

    def _suggest(self, tree: Tree, compiled: Compiled) -> None:
        """Words of the game that also stand in names: say how to ask for what they mean."""
        reading = self._reading(tree, compiled) if tree.is_bare_words else None
        if reading is not None and reading.certain:
            compiled.notes.append(f"looked for in names; as words of the game: {reading.query}")

    def _run(self, plan: Plan, run: Run) -> CardSet:
        found = run_plan(plan, run, self._columns.every_card)
        return found & ~run.undecided

    def _without_extras(self, found: CardSet, compiled: Compiled, words: str) -> CardSet:
        """Extras are left out unless asked for, named exactly, or all there is."""
        if compiled.include_extras:
            return found
        named = self._columns.set_of(self._columns.named(name_key(words))) if words else 0
        kept = found & ~(self._extras & ~named)
        if found and not kept:
            compiled.notes.append(ONLY_EXTRAS)
            return found
        return kept

    def _result(self, compiled: Compiled, found: CardSet, run: Run, words: str, limit: int) -> CardSearch:
        columns = self._columns
        card_ids = compiled.order.sort(columns, columns.in_list_order(found))
        if words and not compiled.is_ordered:
            card_ids = names_first(columns, card_ids, name_key(words))
        if run.regex.stopped:
            compiled.notes.append(f"stopped after {BUDGET_S * 1000:.0f} ms, {len(card_ids)} cards so far")
        return CardSearch(
            hits=read_hits(self.connection, card_ids[: max(0, limit)]),
            total=len(card_ids),
            reading=compiled.reading,
            ignored=_ignored(compiled),
            notes=tuple(dict.fromkeys(compiled.notes)),
            stopped=run.regex.stopped,
        )

    def _reading(self, tree: Tree, compiled: Compiled) -> FreeText | None:
        return read_free_text(tree, self._vocabulary, {term.column for term in compiled.ignored})

    def _read_otherwise(self, tree: Tree, compiled: Compiled, run: Run, limit: int) -> CardSearch | None:
        """What words that are in no name may mean: known words of the game, a misspelt name, words of the
        text. `run` is what looked for them as names; there is no more time for expressions than it left."""
        reading = self._reading(tree, compiled)
        if reading is not None and reading.certain:
            found = self._search_reading(reading.query, run, limit)
            return found or self._near_spelling(tree, limit)
        spelt = self._near_spelling(tree, limit)
        if spelt is not None or reading is None:
            return spelt
        return self._search_reading(reading.query, run, limit)

    def _search_reading(self, query: str, former: Run, limit: int) -> CardSearch | None:
        tree = parse(query)
        compiled = self._compile(tree)
        if compiled.plan is None:
            return None
        # Nobody typed this text, so its columns say nothing.
        compiled.ignored = [dataclasses.replace(term, column=None) for term in compiled.ignored]
        run = Run(self._columns, former.regex)
        found = self._without_extras(self._run(compiled.plan, run), compiled, "")
        compiled.notes.append(f"no name holds these words; read as: {query}")
        return self._result(compiled, found, run, "", limit) if found else None

    def _near_spelling(self, tree: Tree, limit: int) -> CardSearch | None:
        words = bare_words(tree)
        if not words or not tree.is_bare_words:
            return None
        search = NameSearch(self.connection, name_key(words))
        card_ids = search.complete(limit)
        if not card_ids or not search.by_spelling:
            return None
        hits = read_hits(self.connection, card_ids)
        return CardSearch(
            hits, len(hits), words, notes=("no name holds these words; these are spelt nearly so",)
        )


def _ignored(compiled: Compiled) -> tuple[str, ...]:
    return tuple(str(term) for term in compiled.ignored)


def _unanswerable(text: str, compiled: Compiled) -> CardSearch:
    """Nothing of the query can be answered: an error, never all cards and never "none"."""
    reasons = "; ".join(_ignored(compiled))
    if not text.strip():
        error = ErrorRecord(
            QUERY_CODE, "The query is empty.", "Type words of a name, or terms such as t:elf."
        )
    elif compiled.ignored and all(term.lacks_data for term in compiled.ignored):
        error = ErrorRecord(
            DATA_CODE, f"The loaded cards can't answer this: {reasons}.", "See `hexcore data status`."
        )
    else:
        what = reasons or "it holds no term to look for"
        error = ErrorRecord(QUERY_CODE, f"The query can't be read: {what}.", "Mend the term named.")
    return CardSearch((), 0, compiled.reading, _ignored(compiled), tuple(compiled.notes), error=error)

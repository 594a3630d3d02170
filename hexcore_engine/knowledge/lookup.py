"""The light façade over the knowledge files: all that the terminal app may import of this room.

Opens the files read-only, looks at the pointer before each query and reopens when it moved. No numpy or torch
behind it, and networkx behind `neighbourhood` alone. Not safe to share between threads: one `Knowledge` a
thread.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hexcore_engine.errors import KnowledgeMissingError
from hexcore_engine.knowledge.cards import reader as cards
from hexcore_engine.knowledge.cards.records import CardHit, CardRecord, CardSearch
from hexcore_engine.knowledge.digest.loader import known_numbers
from hexcore_engine.knowledge.digest.placement import stale_entries
from hexcore_engine.knowledge.rules import reader as rules
from hexcore_engine.knowledge.rules import search, terms
from hexcore_engine.knowledge.rules.numbers import nearest_numbers, parse_number
from hexcore_engine.knowledge.rules.pointing import points_here
from hexcore_engine.knowledge.rules.records import (
    GlossaryRecord,
    Neighbourhood,
    ReleaseRecord,
    RuleHit,
    RuleRecord,
    RuleView,
)
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.knowledge.store.status import KnowledgeStatus, older_than_cards
from hexcore_engine.protocol.records import ErrorRecord

if TYPE_CHECKING:
    from hexcore_engine.knowledge.cards.query.search import CardQueries
    from hexcore_engine.knowledge.rules.changes import ReleaseChanges
    from hexcore_engine.knowledge.rules.graph import RulesGraph
    from hexcore_engine.knowledge.rules.moves import RuleMove

NO_RULES = "no official rules file is loaded; our own words stand in (`hexcore data import FILE`)"
NO_RULES_AT_ALL = "no rules are loaded, not even in our own words (`hexcore setup`)"
NO_CARDS = "no cards are loaded (`hexcore setup`)"


class Knowledge:
    """Rules and cards, looked up. Without set-up everything is empty and nothing raises.

    Raises:
        KnowledgeCorruptError: from any look-up, when a file is damaged.
        KnowledgeOutdatedError: likewise, when a file was made by another version.
    """

    def __init__(self, folder: Path, release_key: str | None = None) -> None:
        self._folder = folder
        self._reader = KnowledgeReader(folder, release_key)
        self._release: tuple[int, ReleaseRecord] | None = None
        self._card_queries: CardQueries | None = None
        self._graph: tuple[sqlite3.Connection, RulesGraph] | None = None

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    @property
    def generation(self) -> int | None:
        """Grows with every change; None before set-up."""
        pointer = self._reader.pointer
        return pointer.generation if pointer else None

    def status(self) -> KnowledgeStatus:
        """What is loaded, how old it is, and what is missing."""
        with self._reader.query() as connection:
            source = None
            if connection is not None and self._reader.has_cards:
                source = cards.read_source(connection)
            release = self.release()
            return KnowledgeStatus(
                release=release,
                num_cards=source.num_cards if source else 0,
                cards_source=source.name if source else None,
                cards_date=source.date if source else None,
                generation=self.generation,
                warnings=_warnings(release, source.date if source else None, source is not None),
            )

    def stale_entries(self) -> tuple[str, ...]:
        """Rules whose entry in our digest was written for another text than the loaded release has."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return ()
            texts = rules.official_texts(connection)
            return stale_entries(texts) if texts else ()

    # -- rules

    def release(self) -> ReleaseRecord | None:
        """The release in use."""
        with self._reader.query() as connection:
            pointer = self._reader.pointer
            entry = self._reader.release_entry
            if connection is None or pointer is None or entry is None:
                return None
            if self._release is None or self._release[0] != pointer.generation:
                record = rules.release_record(connection, entry.key, entry.effective)
                self._release = (pointer.generation, record)
            return self._release[1]

    def rule(self, number: str) -> RuleView | None:
        """A rule, group or section with what stands around it; `number` as a person types it."""
        with self._reader.query() as connection:
            release = self.release()
            if connection is None or release is None:
                return None
            view = rules.rule_view(connection, number, release)
            if view is None:
                return None
            find_cards = self._queries(connection).search if self._reader.has_cards else None
            return replace(view, points_here=points_here(connection, view.rule, find_cards))

    def rules_warnings(self) -> tuple[str, ...]:
        """What a reader of the rules must know: that they are not official, or older than the cards."""
        return tuple(warning for warning in self.status().warnings if warning != NO_CARDS)

    def rule_record(self, number: str) -> RuleRecord | None:
        """A rule alone."""
        parsed = parse_number(number)
        with self._reader.query() as connection:
            if connection is None or parsed is None or not self._reader.has_release:
                return None
            return rules.rule_record(connection, parsed)

    def rule_exists(self, number: str) -> bool:
        """Whether the loaded release has such a rule; before set-up the shipped table of numbers decides."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return number in known_numbers()
            return rules.exists(connection, number)

    def nearest_rules(self, number: str, limit: int = 3) -> tuple[str, ...]:
        """Numbers a person may have meant."""
        parsed = parse_number(number)
        known = (known for known in known_numbers() if self.rule_exists(known))
        return nearest_numbers(parsed, known, limit) if parsed else ()

    def search_rules(self, text: str, limit: int = 20) -> tuple[RuleHit, ...]:
        """Rules by number, words, or "words in quotes" for exactly these; whole sections where that helps."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return ()
            return search.search_rules(connection, text, limit)

    def glossary(self, term: str) -> tuple[GlossaryRecord, ...]:
        """Official entries, then players' words labelled as ours."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return ()
            return terms.glossary(connection, term)

    def nearest_terms(self, term: str) -> tuple[str, ...]:
        """Terms that may have been meant by one that is not known, the most alike first; up to three."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return ()
            return terms.nearest_terms(connection, term)

    def rules_of_term(self, term: str) -> tuple[str, ...]:
        """The rules the official glossary names for exactly this term."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return ()
            return terms.rules_of_term(connection, term)

    def contents(self, parent: str | None = None) -> tuple[RuleRecord, ...]:
        """What stands directly below a number; the sections for None."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return ()
            return rules.children(connection, parent)

    def neighbourhood(self, number: str) -> Neighbourhood | None:
        """What is near a rule by cross-references and by place; None when there is no such rule."""
        parsed = parse_number(number)
        with self._reader.query() as connection:
            if connection is None or parsed is None or not self._reader.has_release:
                return None
            return self._rules_graph(connection).neighbourhood(parsed)

    # -- releases

    def releases(self) -> tuple[str, ...]:
        """The keys of all official releases, the newest first; each opens with `Knowledge(folder, key)`."""
        pointer = self._reader.pointer
        return tuple(entry.key for entry in pointer.official_releases()) if pointer else ()

    def release_named(self, typed: str) -> str | None:
        """The key of the release a person names by its date or the beginning of it."""
        pointer = self._reader.pointer
        entry = pointer.release_named(typed) if pointer else None
        return entry.key if entry else None

    def changes(self, old: str, new: str) -> ReleaseChanges | None:
        """What changed between two releases, named by their keys; None when one of them is not loaded."""
        from hexcore_engine.knowledge.releases import release_changes

        return release_changes(self._folder, old, new)

    def move(self, number: str, release: str | None = None) -> RuleMove | None:
        """What a number meant in the newest older release that used it for another rule, or in the one whose
        key is given, and where that rule stands in this one; None when none of those loaded did."""
        from hexcore_engine.knowledge.releases import rule_move

        parsed = parse_number(number)
        current = self.release()
        if parsed is None or current is None or not current.official:
            return None
        older = (release,) if release else tuple(key for key in self.releases() if key < current.key)
        return rule_move(self._folder, parsed, current.key, older) if older else None

    def _rules_graph(self, connection: sqlite3.Connection) -> RulesGraph:
        if self._graph is None or self._graph[0] is not connection:
            from hexcore_engine.knowledge.rules.graph import RulesGraph

            self._graph = (connection, RulesGraph(connection))
        return self._graph[1]

    # -- cards

    def card(self, name: str) -> CardRecord | None:
        """A card by its exact name, its folded name, or the name of a face."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_cards:
                return None
            return cards.find_card(connection, name)

    def complete_names(self, text: str, limit: int = 20) -> tuple[CardHit, ...]:
        """Cards for a name being typed, the exact name first."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_cards:
                return ()
            return cards.complete_names(connection, text, limit)

    def find_cards(self, typed: str, limit: int = 50) -> CardSearch:
        """Cards while one types: ordinary words find names, as `complete_names` does; what is more than that,
        or what no name holds, is answered by `search_cards`."""
        # Not needed to show the first screen.
        from hexcore_engine.knowledge.cards.query.operator_help import is_plain

        names = self.complete_names(typed, limit) if is_plain(typed) else ()
        return CardSearch(names, len(names), typed) if names else self.search_cards(typed, limit)

    def search_cards(self, query: str, limit: int = 50) -> CardSearch:
        """Cards for a query in the card query language; words alone look for names."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_cards:
                error = KnowledgeMissingError("No cards are loaded.")
                record = ErrorRecord(error.code, error.message, error.remedy)
                return CardSearch((), 0, NO_CARDS, error=record)
            try:
                return self._queries(connection).search(query, limit)
            except (IndexError, ValueError, TypeError) as error:
                # Columns that don't fit together; the reader finds out whether the file is damaged.
                raise sqlite3.DatabaseError(f"the columns of cards can't be used: {error}") from error

    def _queries(self, connection: sqlite3.Connection) -> CardQueries:
        if self._card_queries is None or self._card_queries.connection is not connection:
            # Not needed to show the first screen.
            from hexcore_engine.knowledge.cards.query.search import CardQueries

            self._card_queries = CardQueries(connection)
        return self._card_queries


def _warnings(release: ReleaseRecord | None, cards_date: str | None, has_cards: bool) -> tuple[str, ...]:
    warnings = []
    if release is None or not release.official:
        warnings.append(NO_RULES if release else NO_RULES_AT_ALL)
    if not has_cards:
        warnings.append(NO_CARDS)
    older = older_than_cards(release.effective, cards_date) if release is not None else None
    return (*warnings, older) if older else tuple(warnings)

"""The light façade over the knowledge files: all that the terminal app may import of this room.

Opens the files read-only, looks at the pointer before each query and reopens when it moved. No networkx,
numpy or torch behind it. Not safe to share between threads: one `Knowledge` a thread.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hexcore_engine.knowledge.cards import reader as cards
from hexcore_engine.knowledge.cards.records import CardHit, CardRecord, CardSearch
from hexcore_engine.knowledge.digest.loader import known_numbers
from hexcore_engine.knowledge.rules import reader as rules
from hexcore_engine.knowledge.rules import search
from hexcore_engine.knowledge.rules.numbers import nearest_numbers, parse_number
from hexcore_engine.knowledge.rules.records import (
    GlossaryRecord,
    ReleaseRecord,
    RuleHit,
    RuleRecord,
    RuleView,
)
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.knowledge.store.status import KnowledgeStatus

NO_RULES = "no official rules file is loaded; our own words stand in (`hexcore setup --rules FILE`)"
NO_CARDS = "no cards are loaded (`hexcore setup`)"
# Releases come with each set, about every two months; older rules than this beside newer cards mislead.
STALE_DAYS = 60


class Knowledge:
    """Rules and cards, looked up. Without set-up everything is empty and nothing raises.

    Raises:
        KnowledgeCorruptError: from any look-up, when a file is damaged.
        KnowledgeOutdatedError: likewise, when a file was made by another version.
    """

    def __init__(self, folder: Path) -> None:
        self._reader = KnowledgeReader(folder)
        self._release: tuple[int, ReleaseRecord] | None = None

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

    # -- rules

    def release(self) -> ReleaseRecord | None:
        """The release in use."""
        with self._reader.query() as connection:
            pointer = self._reader.pointer
            entry = pointer.current_release() if pointer else None
            if connection is None or pointer is None or entry is None:
                return None
            if self._release is None or self._release[0] != pointer.generation:
                record = rules.release_record(connection, entry.key, entry.effective)
                self._release = (pointer.generation, record)
            return self._release[1]

    def rule(self, number: str) -> RuleView | None:
        """A rule, group or section with what stands around it; `number` as a person types it."""
        release = self.release()
        with self._reader.query() as connection:
            if connection is None or release is None:
                return None
            return rules.rule_view(connection, number, release)

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
            return rules.glossary(connection, term)

    def contents(self, parent: str | None = None) -> tuple[RuleRecord, ...]:
        """What stands directly below a number; the sections for None."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_release:
                return ()
            return rules.children(connection, parent)

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

    def search_cards(self, query: str, limit: int = 50) -> CardSearch:
        """Cards whose name holds all words."""
        with self._reader.query() as connection:
            if connection is None or not self._reader.has_cards:
                return CardSearch((), 0, NO_CARDS)
            return cards.search_names(connection, query, limit)


def _warnings(release: ReleaseRecord | None, cards_date: str | None, has_cards: bool) -> tuple[str, ...]:
    warnings = []
    if release is None or not release.official:
        warnings.append(NO_RULES)
    if not has_cards:
        warnings.append(NO_CARDS)
    if release is not None and release.effective and cards_date:
        days = (date.fromisoformat(cards_date) - date.fromisoformat(release.effective)).days
        if days > STALE_DAYS:
            warnings.append(f"the rules ({release.effective}) are older than the cards ({cards_date})")
    return tuple(warnings)

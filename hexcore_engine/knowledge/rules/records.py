"""Frozen values for rules, glossary entries and what was found."""

from __future__ import annotations

from typing import Literal

from hexcore_engine.protocol.records import Record

# Columns of a release's full-text table, in their order; whoever ranks weighs them.
COLUMNS = ("body", "heading", "parent_body", "plain", "said", "asks")


# A stretch of a text: offsets of its first character and of the one behind its last.
Mark = tuple[int, int]
Way = Literal["points to", "pointed from", "above", "below"]


class ReleaseRecord(Record, frozen=True):
    """One edition of the Comprehensive Rules, or our own digest standing in for it.

    `effective` is an ISO date, None for the digest alone. `source` names it in words a reader understands.
    """

    key: str
    effective: str | None
    official: bool
    source: str
    num_rules: int


class RuleRecord(Record, frozen=True):
    """One numbered rule, or the heading of a section ("7") or group ("702").

    `text` is the official text, or our own plain statement where `official` is False. `plain` is our
    statement in either case ("" when we have none). `heading` is the name of the group a rule stands in.
    """

    number: str
    text: str
    official: bool
    parent: str | None = None
    heading: str = ""
    examples: tuple[str, ...] = ()
    plain: str = ""


class Neighbour(Record, frozen=True):
    """A rule near another: how it is reached, in how many steps (1 or 2), and over which rule in two."""

    number: str
    way: Way
    num_steps: int = 1
    over: str = ""


class Neighbourhood(Record, frozen=True):
    """What is near a rule, nearest first; `num_more` were left out."""

    number: str
    neighbours: tuple[Neighbour, ...]
    num_more: int = 0


class PointsHere(Record, frozen=True):
    """What points to a rule beside other rules.

    `terms` are glossary entries that name the rule or one below it; `rules_below` are rules outside that name
    one below it. `keyword` is the keyword the rule defines, "" for none, and `cards` the first of the
    `num_cards` cards that have it; None where no cards are loaded.
    """

    terms: tuple[str, ...] = ()
    rules_below: tuple[str, ...] = ()
    keyword: str = ""
    num_cards: int | None = None
    cards: tuple[str, ...] = ()


class RuleView(Record, frozen=True):
    """A rule with what a reader wants around it; all in document order.

    `points_to` and `pointed_from` are rule numbers of cross-references.
    """

    rule: RuleRecord
    ancestors: tuple[RuleRecord, ...]
    siblings: tuple[RuleRecord, ...]
    children: tuple[RuleRecord, ...]
    previous: str | None
    next: str | None
    points_to: tuple[str, ...]
    pointed_from: tuple[str, ...]
    release: ReleaseRecord
    points_here: PointsHere = PointsHere()

    def near_siblings(self, each_side: int) -> tuple[RuleRecord, ...]:
        """The siblings around the rule, at most `each_side` before and after it, itself among them."""
        numbers = [sibling.number for sibling in self.siblings]
        place = numbers.index(self.rule.number) if self.rule.number in numbers else 0
        return self.siblings[max(0, place - each_side) : place + each_side + 1]


class RuleHit(Record, frozen=True):
    """One rule found by a search, best first; `why` in words a reader understands.

    `marks` are the places in the text shown (`rule.text`, or `rule.plain` where that is empty) that hold what
    was looked for. `of_section` marks rules that are here because the section they belong to was named.
    """

    rule: RuleRecord
    score: float
    why: str
    marks: tuple[Mark, ...] = ()
    of_section: bool = False


class GlossaryRecord(Record, frozen=True):
    """A glossary term; `official` False marks players' words explained by us.

    `said` are players' words for what an official entry is about; they are never official.
    """

    term: str
    text: str
    official: bool
    rules: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

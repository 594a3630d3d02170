"""Frozen values for rules, glossary entries and what was found."""

from __future__ import annotations

from hexcore_engine.protocol.records import Record

# Columns of a release's full-text table, in their order; whoever ranks weighs them.
COLUMNS = ("body", "heading", "parent_body", "plain", "said", "asks")


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


class RuleHit(Record, frozen=True):
    """One rule found by a search, best first; `why` in words a reader understands."""

    rule: RuleRecord
    score: float
    why: str


class GlossaryRecord(Record, frozen=True):
    """A glossary term; `official` False marks players' words explained by us."""

    term: str
    text: str
    official: bool
    rules: tuple[str, ...] = ()

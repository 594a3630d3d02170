"""Rules, cards and our own words about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.lazy_names import lazy_names

if TYPE_CHECKING:
    from hexcore_engine.knowledge.cards.records import (
        CardHit,
        CardRecord,
        CardSearch,
        FaceRecord,
        RulingRecord,
    )
    from hexcore_engine.knowledge.index.base import NearTexts, VectorIndex
    from hexcore_engine.knowledge.lookup import Knowledge
    from hexcore_engine.knowledge.retriever import HybridRetriever, Retrieval
    from hexcore_engine.knowledge.rules.changes import ReleaseChanges
    from hexcore_engine.knowledge.rules.moves import RuleMove
    from hexcore_engine.knowledge.rules.parser import ParsedRules, parse_rules_file
    from hexcore_engine.knowledge.rules.records import (
        GlossaryRecord,
        Neighbourhood,
        ReleaseRecord,
        RuleHit,
        RuleRecord,
        RuleView,
    )
    from hexcore_engine.knowledge.rules.release import ImportReport, import_rules_file
    from hexcore_engine.knowledge.store.status import KnowledgeStatus

__all__ = [
    "CardHit",
    "CardRecord",
    "CardSearch",
    "FaceRecord",
    "GlossaryRecord",
    "HybridRetriever",
    "ImportReport",
    "Knowledge",
    "KnowledgeStatus",
    "NearTexts",
    "Neighbourhood",
    "ParsedRules",
    "ReleaseChanges",
    "ReleaseRecord",
    "Retrieval",
    "RuleHit",
    "RuleMove",
    "RuleRecord",
    "RuleView",
    "RulingRecord",
    "VectorIndex",
    "import_rules_file",
    "parse_rules_file",
]

__getattr__ = lazy_names(
    __name__,
    {
        "CardHit": "cards.records",
        "CardRecord": "cards.records",
        "CardSearch": "cards.records",
        "FaceRecord": "cards.records",
        "GlossaryRecord": "rules.records",
        "HybridRetriever": "retriever",
        "ImportReport": "rules.release",
        "Knowledge": "lookup",
        "KnowledgeStatus": "store.status",
        "NearTexts": "index.base",
        "Neighbourhood": "rules.records",
        "ParsedRules": "rules.parser",
        "ReleaseChanges": "rules.changes",
        "ReleaseRecord": "rules.records",
        "Retrieval": "retriever",
        "RuleHit": "rules.records",
        "RuleMove": "rules.moves",
        "RuleRecord": "rules.records",
        "RuleView": "rules.records",
        "RulingRecord": "cards.records",
        "VectorIndex": "index.base",
        "import_rules_file": "rules.release",
        "parse_rules_file": "rules.parser",
    },
)

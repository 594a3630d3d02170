"""What `HexcorePipeline.generate` tells beside the answer, collected from the events of its stream."""

from __future__ import annotations

from typing import Any

from hexcore_engine.protocol.events import AnswerOutcome, Event, PassagesRetrieved, PlanMade, QuestionRouted
from hexcore_engine.protocol.records import to_builtins


def metadata_of(events: list[Event]) -> dict[str, Any]:
    """Return what the events of one question tell beside its text."""
    metadata: dict[str, Any] = {}
    for event in events:
        if isinstance(event, QuestionRouted):
            metadata["mode"] = to_builtins(event.choice)
        elif isinstance(event, PassagesRetrieved):
            metadata["passages"] = to_builtins(event.passages)
            metadata["retrieval"] = safe_retrieval_result(event)
        elif isinstance(event, PlanMade):
            metadata["plan"] = to_builtins(event.plan)
        elif isinstance(event, AnswerOutcome):
            fields = ("citations", "usage", "stop_reason", "rules_release", "model", "notes")
            metadata |= {name: to_builtins(getattr(event, name)) for name in fields}
    return metadata


def safe_retrieval_result(event: PassagesRetrieved) -> dict[str, Any]:
    """Return what retrieval gave in the form a caller can rely on, its failure included."""
    if event.error is None:
        return {"results": [passage.id for passage in event.passages], "fallback_applied": False}
    return {
        "results": [],
        "error": event.error.message,
        "error_type": event.error.code,
        "fallback_applied": True,
    }

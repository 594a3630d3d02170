"""Small parts for tests of the pipeline: invented rules, a fixed retrieval, no model."""

from __future__ import annotations

from hexcore_engine.inference.decoders.scripted import ScriptedDecoder
from hexcore_engine.inference.pipeline import HexcorePipeline
from hexcore_engine.knowledge.retriever import Retrieval
from hexcore_engine.models.router import TransactionClassifier
from hexcore_engine.protocol.records import Passage
from hexcore_engine.settings import Settings

PASSAGES = (
    Passage(
        "rule", "702.19b", "Trample", "What is left over after the blockers may hit the player.", "x", "s"
    ),
    Passage("rule", "702.2c", "Deathtouch", "One point of damage is enough to count as deadly.", "x", "s"),
    Passage("card", "Tusked Yak", "Tusked Yak", "Tusked Yak {3}{G} | Creature — Yak 5/5\nTrample", "x", "s"),
)


class FixedRetriever:
    """Finds the same for every question, or fails."""

    def __init__(
        self,
        passages: tuple[Passage, ...] = PASSAGES,
        error: Exception | None = None,
        optional: tuple[str, ...] = (),
    ) -> None:
        self._passages = passages
        self._error = error
        self._optional = optional

    def retrieve(self, question: str, limit: int = 12) -> Retrieval:
        if self._error is not None:
            raise self._error
        return Retrieval(self._passages[:limit], "2026-01-16", 1.0, optional=self._optional)

    def close(self) -> None:
        pass


class KnownNumbers:
    """A knowledge in which the rules of group 702 exist."""

    def rule_exists(self, number: str) -> bool:
        return number.startswith("702.")

    def close(self) -> None:
        pass


def pipeline(
    decoder: ScriptedDecoder | None = None,
    retriever: FixedRetriever | None = None,
    router: TransactionClassifier | None = None,
) -> HexcorePipeline:
    chosen = decoder or ScriptedDecoder(tokens_per_s=0)
    return HexcorePipeline.from_parts(
        open_decoder=lambda: chosen,
        retriever=retriever or FixedRetriever(),  # type: ignore[arg-type]
        knowledge=KnownNumbers(),  # type: ignore[arg-type]
        router=router or TransactionClassifier(),
        settings=Settings(),
    )

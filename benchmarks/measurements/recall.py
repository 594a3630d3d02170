"""How many of the deciding rules are found by words alone, for questions of topics nothing was learned from.

The training questions are asked by topic: a ranker learned from all other topics, and what other questions of
the topic decided is forgotten. The development questions, where they are at hand, are asked of what ships.
Both are counted as `hexcore eval` counts. The limits lie two or three points below what was found when the
ranker was made (docs/development/log.md), so that a change for the worse shows.
"""

from __future__ import annotations

import importlib.util

from benchmarks.harness import Bench, NotMeasurable, Target
from benchmarks.homes import require_set_up
from benchmarks.shared_data import TEST_DATA, VARIABLE
from hexcore_engine.errors import HexcoreError
from hexcore_engine.evaluation.questions import read_questions
from hexcore_engine.evaluation.retrieval import evaluate
from hexcore_engine.knowledge.index.base import VectorIndex
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.training.ranker import DATA_FILE, RankerTrainer, open_trainer

DEVELOPMENT_FILE = TEST_DATA / "questions_dev.jsonl"
HELD_OUT = (
    Target("training questions by topic, recall@20", 0.82, at_least=True),
    Target("training questions by topic, recall@5", 0.59, at_least=True),
)
DEVELOPMENT = (
    Target("development questions, recall@20", 0.87, at_least=True),
    Target("development questions, recall@5", 0.71, at_least=True),
)
TARGETS = (*HELD_OUT, *DEVELOPMENT)


def measure(bench: Bench) -> dict[str, float]:
    """Ask both sets without vectors."""
    require_set_up(bench.prepared)
    return held_out(bench, HELD_OUT, None) | development(bench, DEVELOPMENT, None)


def held_out(bench: Bench, targets: tuple[Target, ...], vectors: VectorIndex | None) -> dict[str, float]:
    """Ask the training questions, whole topics left out of what is learned."""
    if importlib.util.find_spec("lightgbm") is None:
        bench.leave_out(targets, "learning anew needs lightgbm: `make setup EXTRAS=train`")
        return {}
    if bench.quick:
        bench.leave_out(targets, "learning anew takes minutes; a quick run leaves it out")
        return {}
    trainer = _trainer(bench, vectors)
    found = trainer.cross_validate()["with_vectors" if vectors else "without_vectors"]
    return dict(zip([target.name for target in targets], (found["20"], found["5"]), strict=True)) | {
        "training questions": float(trainer.num_questions)
    }


def _trainer(bench: Bench, vectors: VectorIndex | None) -> RankerTrainer:
    """The trainer of what is set up.

    Raises:
        NotMeasurable: where there are no rules.
    """
    try:
        return open_trainer(bench.prepared.knowledge_dir, DATA_FILE, vectors)
    except HexcoreError as error:
        raise NotMeasurable(f"{error.message} {error.remedy}") from error


def development(bench: Bench, targets: tuple[Target, ...], vectors: VectorIndex | None) -> dict[str, float]:
    """Ask the development questions of what ships."""
    if not DEVELOPMENT_FILE.is_file():
        bench.leave_out(targets, f"there is no {DEVELOPMENT_FILE.name}; name its folder in {VARIABLE}")
        return {}
    retriever = HybridRetriever(bench.prepared.knowledge_dir, vectors)
    try:
        found = evaluate(retriever, read_questions(DEVELOPMENT_FILE))
    finally:
        retriever.close()
    figures = (found.recall["20"], found.recall["5"])
    return dict(zip([target.name for target in targets], figures, strict=True)) | {
        "development questions, mean reciprocal rank": found.mrr,
        "development questions": float(found.questions),
    }

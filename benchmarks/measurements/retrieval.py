"""Finding the evidence for a question: against one plain full-text query of its words, and the first time."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from benchmarks.harness import Bench, NotMeasurable, Target, percentile, timed_ms
from benchmarks.homes import environment, require_set_up
from hexcore_engine.errors import HexcoreError
from hexcore_engine.evaluation.questions import read_questions
from hexcore_engine.knowledge.index.base import VectorIndex
from hexcore_engine.knowledge.index.lexical import content_words, ranked_rules
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.training.ranker import DATA_FILE

TARGETS = (
    Target("retrieval / one plain full-text query, medians", 6),
    Target("retrieval, p99", 60, "ms"),
    Target("first question of a fresh retriever, median", 150, "ms"),
)
# Starts with everything imported, as the engine does; told in milliseconds.
_FIRST = """
import pathlib, sys, time
from hexcore_engine.knowledge.retriever import HybridRetriever
started = time.perf_counter()
HybridRetriever(pathlib.Path(sys.argv[1])).retrieve(sys.argv[2])
print((time.perf_counter() - started) * 1000)
"""


def measure(bench: Bench) -> dict[str, float]:
    """Ask the training questions, each after a plain query of its words."""
    require_set_up(bench.prepared)
    texts = questions(bench)
    plain_ms, retrieval_ms = ask_all(bench, texts, None)
    first_ms = [ask_first(bench, texts[number]) for number in range(bench.rounds(7))]
    return {
        "retrieval / one plain full-text query, medians": (
            statistics.median(retrieval_ms) / statistics.median(plain_ms)
        ),
        "retrieval, p99": percentile(retrieval_ms, 99),
        "first question of a fresh retriever, median": statistics.median(first_ms),
        "retrieval, median, ms": statistics.median(retrieval_ms),
        "one plain full-text query, median, ms": statistics.median(plain_ms),
        "one plain full-text query, p99, ms": percentile(plain_ms, 99),
    }


def questions(bench: Bench) -> list[str]:
    """Return the questions to measure with."""
    return [question.question for question in read_questions(DATA_FILE)][: bench.rounds(300, quick=20)]


def ask_all(
    bench: Bench, texts: Sequence[str], vectors: VectorIndex | None
) -> tuple[list[float], list[float]]:
    """Return the milliseconds of plain queries and of retrieval, in turn by question.

    Raises:
        NotMeasurable: when the home has no rules to search, or damaged ones.
    """
    reader = KnowledgeReader(bench.prepared.knowledge_dir)
    retriever = HybridRetriever(bench.prepared.knowledge_dir, vectors)
    try:
        connection = reader.connection()
        if connection is None or not reader.has_release:
            raise NotMeasurable(f"{bench.prepared.home} has no rules; run `hexcore setup` first")
        retriever.retrieve(texts[0])
        ranked_rules(connection, content_words(texts[0]))
        plain_ms, retrieval_ms = [], []
        for text in texts:
            plain_ms.append(timed_ms(partial(ranked_rules, connection, content_words(text))))
            retrieval_ms.append(timed_ms(partial(retriever.retrieve, text)))
    except HexcoreError as error:
        raise NotMeasurable(f"{error.message} {error.remedy}") from error
    finally:
        retriever.close()
        reader.close()
    return plain_ms, retrieval_ms


def ask_first(bench: Bench, text: str) -> float:
    """Ask one question in a process of its own and return its milliseconds, imports left out."""
    command = [sys.executable, "-c", _FIRST, str(bench.prepared.knowledge_dir), text]
    done = subprocess.run(
        command, env=environment(bench.prepared), check=True, capture_output=True, text=True, timeout=60
    )
    return float(done.stdout)

"""Card queries over the loaded cards: 200 different ones without expressions, and 60 with them."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterable, Iterator

from benchmarks.harness import Bench, Target, percentile
from benchmarks.homes import require_set_up
from hexcore_engine.knowledge.lookup import Knowledge

TARGETS = (
    Target("without expressions, p99", 25, "ms"),
    Target("with expressions, p99", 150, "ms"),
)
NUM_PLAIN = 200
LIMIT = 50
_TYPES = (
    "elf", "goblin", "merfolk", "artifact", "instant", "legendary", "land", "planeswalker", "wizard",
    "equipment",
)  # fmt: skip
_COLORS = ("c:r", "c>=uw -c:r", "c=g", "c:m", "c:c", "id<=esper", "id:boros", "c:wubrg", "id>=4", "c!=b")
_TEXTS = (
    "o:draw", 'o:"~ enters"', "o:damage -o:combat", "fo:flying", "o:token o:sacrifice", 'o:"each opponent"',
    "o:exile or o:destroy", "kw:trample", "kw:flying -kw:vigilance", "any:dragon",
)  # fmt: skip
_NUMBERS = (
    "mv<=2", "pow>=4 tou<=2", "pow>tou", "pt>=12", "mv:odd", "pips>=3", "devotion:{g}{g}", "m:2ww",
    "produces>=2", "loy>=4", "pow=*", "mv>pow",
)  # fmt: skip
_TRAITS = (
    "is:vanilla", "is:commander", "is:shockland", "is:modal", "not:permanent", "is:hybrid", "is:funny",
)  # fmt: skip
_NAMES = (
    "bolt", "of the", "dragon lord", '"fire // ice"', "!forest", "lightnig bolt", "white flying creature",
)  # fmt: skip
_EXPRESSIONS = (
    "o:/^{T}:/", r"o:/\bdraws?\b/", r"o:/\spp/", r"o:/\spt/", r"o:/\sm, \ss/", r"o:/\smm/", "o:/(x|y)/",
    "o:/whenever .* attacks/", "o:/(destroy|exile) target/", r"name:/\bof\b/", r"t:/^legendary .*dragon/",
    "o:/^~/", "fo:/[^.]+ dies/", r"o:/search your library for (a|an|up to \w+)/", r"o:/\d+ damage/",
)  # fmt: skip
_WITH = ("", "t:creature", "c:g", "-t:land")


def measure(bench: Bench) -> dict[str, float]:
    """Ask each query of each kind several times in one look-up."""
    require_set_up(bench.prepared)
    plain = list(itertools.islice(plain_queries(), NUM_PLAIN))
    expressions = [
        f"{query} {other}".strip() for query in _EXPRESSIONS for other in ("", "t:creature", "c:g", "-t:land")
    ]
    rounds = bench.rounds(5)
    knowledge = Knowledge(bench.prepared.knowledge_dir)
    try:
        started = time.perf_counter()
        knowledge.search_cards("t:creature o:flying", LIMIT)
        first_ms = (time.perf_counter() - started) * 1000
        plain_ms = times_of(knowledge, plain, rounds)
        expression_ms = times_of(knowledge, expressions, rounds)
    finally:
        knowledge.close()
    return {
        "without expressions, p99": percentile(plain_ms, 99),
        "with expressions, p99": percentile(expression_ms, 99),
        "without expressions, median, ms": statistics.median(plain_ms),
        "with expressions, median, ms": statistics.median(expression_ms),
        "first query, ms": first_ms,
    }


def plain_queries() -> Iterator[str]:
    """Different queries: each kind of term alone, then pairs and triples of them."""
    kinds = (_NAMES, [f"t:{kind}" for kind in _TYPES], _COLORS, _TEXTS, _NUMBERS, _TRAITS)
    yield from itertools.chain.from_iterable(kinds)
    pairs = itertools.zip_longest(
        *(itertools.product(one, other) for one, other in itertools.combinations(kinds[1:], 2))
    )
    for row in pairs:
        yield from (" ".join(pair) for pair in row if pair is not None)


def times_of(knowledge: Knowledge, queries: Iterable[str], rounds: int) -> list[float]:
    """The median time of each query over the rounds, in ms; a round before them warms up."""
    figures = []
    for query in queries:
        times = []
        for _ in range(rounds + 1):
            started = time.perf_counter()
            knowledge.search_cards(query, LIMIT)
            times.append((time.perf_counter() - started) * 1000)
        figures.append(statistics.median(times[1:]))
    return figures

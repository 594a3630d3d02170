"""What the ranker sees of each candidate rule: how every list scored it, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.knowledge.index.rule_table import Floats, Positions, RuleTable
from hexcore_engine.knowledge.index.signals import Scores, Signals

RANK_OFFSET = 20.0
# Scored lists, each with these columns; the names are part of the stored ranker's form.
LISTS = (
    "all", "body", "heading", "parent_body", "plain", "said", "asks",
    "oracle_all", "oracle_body", "oracle_plain", "ours", "phrase", "pattern", "keyword", "glossary", "fused",
)  # fmt: skip
PLACE = (
    "rule_mass", "group_mass", "parent_fused", "best_child", "before", "after", "in_links", "in_mass",
    "out_mass", "length", "depth", "hundred", "rule_prior", "group_prior", "num_cards", "num_words",
)  # fmt: skip
FEATURES: tuple[str, ...] = (
    *(f"{name}_{kind}" for name in LISTS for kind in ("share", "rank")),
    *(f"{name}_raw" for name in ("all", "body", "plain", "said", "asks", "oracle_all", "phrase")),
    *PLACE,
)


@dataclass(frozen=True)
class Priors:
    """How often rules and groups decided questions people asked, log(1 + a thousandth); empty: unknown."""

    rules: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[int, float] = field(default_factory=dict)


def candidates_of(signals: Signals, limit: int) -> Positions:
    """Return the positions of the best fused rules, best first."""
    return np.array(list(signals.fused)[:limit], dtype=np.int64)


def feature_matrix(table: RuleTable, signals: Signals, candidates: Positions, priors: Priors) -> Floats:
    """Return features [candidates, len(FEATURES)]."""
    lists = {**signals.lists, "fused": signals.fused}
    columns: list[NDArray[np.float32]] = []
    for name in LISTS:
        columns += _share_and_rank(lists.get(name, {}), candidates)
    for name in ("all", "body", "plain", "said", "asks", "oracle_all", "phrase"):
        columns.append(_values(lists.get(name, {}), candidates))
    columns += _places(table, signals, candidates, priors)
    return np.stack(columns, axis=1).astype(np.float32)


def _share_and_rank(scores: Scores, candidates: Positions) -> list[Floats]:
    """A list's scores as shares of its best, and one over the rank."""
    values = _values(scores, candidates)
    best = max(scores.values(), default=0.0)
    order = {place: rank for rank, place in enumerate(sorted(scores, key=lambda p: -scores[p]), start=1)}
    ranks = np.array(
        [1 / (RANK_OFFSET + order[p]) if scores.get(p, 0.0) > 0 else 0.0 for p in candidates.tolist()],
        dtype=np.float32,
    )
    return [values / best if best > 0 else values, ranks]


def _values(scores: Scores, candidates: Positions) -> Floats:
    return np.array([scores.get(place, 0.0) for place in candidates.tolist()], dtype=np.float32)


def _places(table: RuleTable, signals: Signals, candidates: Positions, priors: Priors) -> list[Floats]:
    fused = np.zeros(table.size + 1, dtype=np.float32)
    for place in candidates.tolist():
        fused[place] = signals.fused[place]
    total = float(fused.sum()) or 1.0
    rule_mass = np.zeros(table.size, dtype=np.float32)
    group_mass = np.zeros(1000, dtype=np.float32)
    best_child = np.zeros(table.size, dtype=np.float32)
    for place in candidates.tolist():
        rule_mass[table.rule[place]] += fused[place]
        group_mass[table.group[place] % 1000] += fused[place]
        parent = int(table.parent[place])
        if parent >= 0:
            best_child[parent] = max(best_child[parent], fused[place])
    numbers = [table.numbers[place] for place in candidates.tolist()]
    groups = table.group[candidates]
    size = len(candidates)
    return [
        rule_mass[table.rule[candidates]] / total,
        group_mass[groups % 1000] / total,
        fused[table.parent[candidates]],
        best_child[candidates],
        fused[candidates - 1],
        fused[candidates + 1],
        np.array([np.log1p(len(table.links_from.get(p, ()))) for p in candidates.tolist()], dtype=np.float32),
        _mass(table.links_from, fused, candidates),
        _mass(table.links_to, fused, candidates),
        table.length[candidates],
        table.depth[candidates].astype(np.float32),
        (groups // 100).astype(np.float32),
        np.array([priors.rules.get(number, 0.0) for number in numbers], dtype=np.float32),
        np.array([priors.groups.get(int(group), 0.0) for group in groups], dtype=np.float32),
        np.full(size, signals.num_cards, dtype=np.float32),
        np.full(size, signals.num_words, dtype=np.float32),
    ]


def _mass(links: Mapping[int, Sequence[int]], fused: NDArray[np.float32], candidates: Positions) -> Floats:
    return np.array(
        [sum(float(fused[other]) for other in links.get(p, ())) for p in candidates.tolist()],
        dtype=np.float32,
    )

"""What the ranker sees of each candidate rule: how every list scored it, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.knowledge.index.rule_table import RuleTable
from hexcore_engine.knowledge.index.signals import PARTS, RANK_OFFSET, Signals, order_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_BY_SHARE = (
    "all", "with_oracle", "ours", "rest", "in_body", "in_heading", "in_plain", "in_said", "in_asks",
    "best_said", "best_ask", "shared_said", "shared_ask", "oracle_body", "oracle_plain", "oracle_said",
    "oracle_asks", "pattern", "pattern_rare", "topic", "card_topic", "asked", "asked_all", "fused",
)  # fmt: skip
_BY_RANK = (
    "all", "with_oracle", "ours", "rest", "in_body", "in_plain", "in_said", "in_asks", "best_said",
    "best_ask", "oracle_body", "oracle_plain", "pattern", "asked", "asked_all", "fused",
)  # fmt: skip
_RAW = (
    "all", "with_oracle", "in_body", "in_example", "in_parent_body", "in_plain", "in_said", "in_asks",
    "shared_said", "shared_ask", "pattern_rare", "topic", "card_topic", "asked", "asked_all", "fused",
)  # fmt: skip
_PLACE = (
    "rule_mass", "group_mass", "rule_best", "group_best", "parent_fused", "best_child", "before", "after",
    "num_links_in", "mass_in", "mass_out", "length", "depth", "hundred", "rule_prior", "group_prior",
    "num_cards", "num_terms",
)  # fmt: skip
_NEAR = PARTS["vectors"]
FEATURES: tuple[str, ...] = (
    *(f"{name}_share" for name in _BY_SHARE),
    *(f"{name}_rank" for name in _BY_RANK),
    *(f"{name}_raw" for name in _RAW),
    *_PLACE,
    # All 0 where there are no vectors, which is learned, too.
    *(f"{name}_gap" for name in _NEAR),
    *(f"{name}_rank" for name in _NEAR),
    *(f"{name}_raw" for name in _NEAR),
)
_MOST_GROUPS = 1000
_NONE: Ints = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Priors:
    """How often rules and groups decided questions people asked, as shares of all; empty: nothing was
    learned."""

    rules: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[int, float] = field(default_factory=dict)


def candidates_of(signals: Signals, limit: int) -> Ints:
    """Return the positions of the best fused rules."""
    return order_of(signals.fused)[:limit]


def feature_matrix(table: RuleTable, signals: Signals, candidates: Ints, priors: Priors) -> Floats:
    """Return features [candidates, len(FEATURES)]."""
    lists = {**signals.lists, "fused": signals.fused}
    orders = {**signals.orders, "fused": order_of(signals.fused)}
    columns: list[NDArray[Any]] = [_share(lists[name], candidates) for name in _BY_SHARE]
    columns += [_rank(orders[name], table.size, candidates) for name in _BY_RANK]
    columns += [lists[name][candidates] for name in _RAW]
    columns += _places(table, signals, candidates, priors)
    columns += [_gap(lists[name], candidates) for name in _NEAR]
    columns += [_rank(orders.get(name, _NONE), table.size, candidates) for name in _NEAR]
    columns += [lists[name][candidates] for name in _NEAR]
    return np.stack(columns, axis=1).astype(np.float32)


def _share(scores: Floats, candidates: Ints) -> Floats:
    """Scores as shares of the list's best."""
    return scores[candidates] / max(float(scores.max(initial=0.0)), 1e-6)


def _gap(likeness: Floats, candidates: Ints) -> Floats:
    """How far below the list's best: cosines are comparable as differences."""
    return np.asarray(float(likeness.max(initial=0.0)) - likeness[candidates], dtype=np.float32)


def _rank(order: Ints, size: int, candidates: Ints) -> Floats:
    """One over the rank in the list, 0 where it is silent."""
    ranks = np.zeros(size, dtype=np.float32)
    ranks[order] = 1 / (RANK_OFFSET + 1 + np.arange(len(order), dtype=np.float32))
    return ranks[candidates]


def _places(table: RuleTable, signals: Signals, candidates: Ints, priors: Priors) -> list[NDArray[Any]]:
    fused = np.zeros(table.size + 1, dtype=np.float32)
    fused[candidates] = signals.fused[candidates] / max(float(signals.fused.max(initial=0.0)), 1e-6)
    own = fused[: table.size]
    total = max(float(own.sum()), 1e-6)
    rule_mass = np.bincount(table.rule, own, table.size)
    group_mass = np.bincount(table.group, own, _MOST_GROUPS)
    # Of the scores' own type: numpy's `at` is ten times slower where it must convert.
    rule_best, group_best = np.zeros(table.size, own.dtype), np.zeros(_MOST_GROUPS, own.dtype)
    np.maximum.at(rule_best, table.rule, own)
    np.maximum.at(group_best, table.group, own)
    best_child = np.zeros(table.size + 1, own.dtype)
    np.maximum.at(best_child, table.parent, own)
    rule, group = table.rule[candidates], table.group[candidates]
    source, target = table.link_source, table.link_target
    numbers = [table.numbers[place] for place in candidates.tolist()]
    size = len(candidates)
    return [
        rule_mass[rule] / total,
        group_mass[group] / total,
        rule_best[rule],
        group_best[group],
        fused[table.parent[candidates]],
        best_child[candidates],
        fused[candidates - 1],
        fused[candidates + 1],
        np.log1p(np.bincount(target, minlength=table.size)[candidates]),
        np.bincount(target, own[source], table.size)[candidates],
        np.bincount(source, own[target], table.size)[candidates],
        table.length[candidates],
        table.depth[candidates],
        group // 100,
        np.array([priors.rules.get(number, 0.0) for number in numbers]),
        np.array([priors.groups.get(int(one), 0.0) for one in group]),
        np.full(size, signals.num_cards),
        np.full(size, signals.num_terms),
    ]

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hexcore_engine.knowledge.index.features import FEATURES, Priors, candidates_of, feature_matrix
from hexcore_engine.knowledge.index.ranker import CARD_NAME, FOLDER, TREES_NAME, Ranker, load_ranker
from hexcore_engine.knowledge.index.rule_table import RuleTable
from hexcore_engine.knowledge.index.signals import combine, ranks_as_scores
from hexcore_engine.training.ranker import ensemble_of

NUMBERS = ("7", "702", "702.1", "702.1a", "702.1b")


def make_table() -> RuleTable:
    return RuleTable(
        numbers=NUMBERS,
        position={number: place for place, number in enumerate(NUMBERS)},
        parent=np.array([-1, 0, 1, 2, 2]),
        rule=np.array([0, 1, 2, 2, 2]),
        group=np.array([7, 702, 702, 702, 702]),
        depth=np.array([0, 0, 1, 2, 2]),
        length=np.zeros(5, dtype=np.float32),
        links_to={4: [3]},
        links_from={3: [4]},
    )


def test_the_shipped_ranker_fits_this_versions_features() -> None:
    ranker = load_ranker()
    assert ranker is not None
    assert int(ranker.trees.feature.max()) < len(FEATURES)


def test_a_ranker_of_other_features_is_left_alone(tmp_path: Path) -> None:
    card = json.loads((FOLDER / CARD_NAME).read_text("utf-8"))
    (tmp_path / TREES_NAME).write_bytes((FOLDER / TREES_NAME).read_bytes())
    (tmp_path / CARD_NAME).write_text(json.dumps(card | {"features": ["other"]}))
    assert load_ranker(tmp_path) is None
    (tmp_path / CARD_NAME).write_text("{nonsense")
    assert load_ranker(tmp_path) is None
    assert load_ranker(tmp_path / "nowhere") is None


def test_features_say_how_lists_scored_and_where_a_rule_stands() -> None:
    signals = combine({"all": {3: 4.0, 4: 2.0}, "keyword": {4: 1.0}}, num_cards=1, num_words=6)
    candidates = candidates_of(signals, 10)
    rows = feature_matrix(make_table(), signals, candidates, Priors({"702.1b": 2.0}, {702: 1.0}))
    by_rule = {
        NUMBERS[place]: dict(zip(FEATURES, row.tolist(), strict=True))
        for place, row in zip(candidates.tolist(), rows, strict=True)
    }
    assert by_rule["702.1a"]["all_share"] == 1.0
    assert by_rule["702.1b"]["all_share"] == 0.5
    assert by_rule["702.1b"]["keyword_share"] == 1.0
    assert by_rule["702.1a"]["in_mass"] > 0 == by_rule["702.1b"]["in_mass"]
    assert by_rule["702.1b"]["rule_prior"] == 2.0
    assert by_rule["702.1a"]["group_prior"] == 1.0
    assert by_rule["702.1a"]["rule_mass"] == 1.0


def test_the_order_follows_the_trees() -> None:
    share = FEATURES.index("keyword_share")
    tree = {
        "split_feature": share,
        "threshold": 0.5,
        "left_child": {"leaf_value": 0.0},
        "right_child": {"leaf_value": 1.0},
    }
    signals = combine({"all": {3: 4.0, 4: 2.0}, "keyword": {4: 1.0}}, num_cards=0, num_words=2)
    order = Ranker(ensemble_of([tree], 1.0), Priors()).order(make_table(), signals)
    assert order == [(4, 1.0), (3, 0.0)]
    assert Ranker(ensemble_of([tree], 1.0), Priors()).order(make_table(), combine({}, 0, 0)) == []


def test_a_list_of_rules_becomes_scores_by_place() -> None:
    scores = ranks_as_scores(["702.1b", "999.9", "702.1b", "702.1a"], make_table().position)
    assert scores == {4: 1.0, 3: 0.25}

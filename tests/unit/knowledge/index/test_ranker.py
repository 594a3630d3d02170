from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hexcore_engine.knowledge.index.decided_questions import DecidedQuestion
from hexcore_engine.knowledge.index.features import FEATURES, Priors, candidates_of, feature_matrix
from hexcore_engine.knowledge.index.ranker import FOLDER, WEIGHTS_NAME, Ranker, load_ranker
from hexcore_engine.knowledge.index.signals import Query, Signals
from hexcore_engine.training.exported_trees import ensemble_of

from .releases import NUMBERS, make_reader, make_table

QUESTION = Query("Does the moth's lantern lock hold?", "Does the moth's lantern lock hold?")
STUMP = {
    "split_feature": FEATURES.index("in_plain_share"),
    "threshold": 0.5,
    "left_child": {"leaf_value": 0.0},
    "right_child": {"leaf_value": 1.0},
}


def signals() -> Signals:
    return make_reader().read(QUESTION)


def test_the_shipped_ranker_fits_this_versions_features() -> None:
    ranker = load_ranker()
    assert ranker is not None
    assert int(ranker.trees.feature.max()) < len(FEATURES)
    assert ranker.decided


def test_a_ranker_of_other_features_or_none_at_all_is_left_alone(tmp_path: Path) -> None:
    assert load_ranker(tmp_path / "nowhere") is None
    (tmp_path / WEIGHTS_NAME).write_bytes(b"nonsense")
    assert load_ranker(tmp_path) is None
    np.savez(tmp_path / WEIGHTS_NAME, features=np.frombuffer(b"other", dtype=np.uint8))
    assert load_ranker(tmp_path) is None


@pytest.mark.parametrize("changed", [0x40, 0x20, 0xFF])
def test_damaged_weights_are_left_alone_and_that_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changed: int
) -> None:
    content = bytearray((FOLDER / WEIGHTS_NAME).read_bytes())
    # Flags of the first member in the archive's table of contents.
    content[content.index(b"PK\x01\x02") + 8] ^= changed
    (tmp_path / WEIGHTS_NAME).write_bytes(content)
    assert load_ranker(tmp_path) is None
    assert "damaged" in caplog.text


def test_what_is_saved_is_read_back_without_pickle(tmp_path: Path) -> None:
    decided = (DecidedQuestion(("moth", "return"), ("702.1a", "702.1b")),)
    ranker = Ranker(ensemble_of([STUMP], 1.0), Priors({"702.1a": 2.5}, {702: 1.5}), decided)
    ranker.save(tmp_path / WEIGHTS_NAME)
    again = load_ranker(tmp_path)
    assert again is not None
    assert (again.priors, again.decided) == (ranker.priors, decided)
    assert again.order(make_table(), signals()) == ranker.order(make_table(), signals())


def test_features_say_how_lists_scored_and_where_a_rule_stands() -> None:
    found = signals()
    candidates = candidates_of(found, 10)
    rows = feature_matrix(make_table(), found, candidates, Priors({"702.1b": 2.0}, {702: 1.0}))
    assert rows.shape == (len(candidates), len(FEATURES))
    by_rule = {
        NUMBERS[place]: dict(zip(FEATURES, row.tolist(), strict=True))
        for place, row in zip(candidates.tolist(), rows, strict=True)
    }
    assert by_rule["702.1a"]["in_said_share"] == 1.0
    assert by_rule["702.1b"]["in_plain_share"] == 1.0
    assert by_rule["702.1a"]["mass_in"] > 0 == by_rule["702.1b"]["mass_in"]
    assert by_rule["702.1b"]["mass_out"] > 0 == by_rule["702.1a"]["mass_out"]
    assert (by_rule["702.1b"]["rule_prior"], by_rule["702.1a"]["rule_prior"]) == (2.0, 0.0)
    assert by_rule["702.1a"]["group_prior"] == 1.0
    assert by_rule["702.1a"]["rule_best"] == 1.0


def test_the_order_follows_the_trees() -> None:
    order = Ranker(ensemble_of([STUMP], 1.0), Priors()).order(make_table(), signals())
    assert (NUMBERS[order[0][0]], order[0][1]) == ("702.1b", 1.0)
    assert order[-1][1] == 0.0
    nothing = make_reader().read(Query("xylophone", "xylophone"))
    assert Ranker(ensemble_of([STUMP], 1.0), Priors()).order(make_table(), nothing) == []

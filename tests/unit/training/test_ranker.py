from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hexcore_engine.errors import NotSetUpError
from hexcore_engine.evaluation.questions import EvaluationQuestion
from hexcore_engine.knowledge.index.ranker import CARD_NAME, load_ranker
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.training.ranker import folds_by_topic, learn_priors, open_trainer, train_ranker
from tests.unit.knowledge.index.word_vectors import FixedIndex
from tests.unit.knowledge.rules.own_release import OwnRelease

RULES = {
    "101": [
        "101.1. Lanterns glow until the moth returns.",
        "101.2. Whoever drops a kettle waits.",
        "101.3. Ferries carry pilgrims across still water.",
        "Example: Two pilgrims share a ferry.",
    ]
}
QUESTIONS = [
    {"question": "Does my lantern glow on?", "rules": ["101.1"], "topic": "light"},
    {"question": "I dropped the kettle, must I wait?", "rules": ["101.2"], "topic": "tea"},
    {"question": "How many pilgrims fit a ferry?", "rules": ["101.3", "999.9"], "topic": "travel"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "own.txt"
    file.write_text(OwnRelease("May 5, 2025", "effective", "Game Concepts", RULES).text())
    import_rules_file(tmp_path / "knowledge", file)
    return tmp_path / "knowledge"


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, QUESTIONS)))
    return file


def test_a_topic_stays_in_one_fold() -> None:
    topics = ["a", "b", "a", "c", "b", "d", "e", "f"]
    folds = folds_by_topic(topics)
    assert sorted(place for _, fold in folds for place in fold) == list(range(len(topics)))
    for rest, fold in folds:
        assert not {topics[place] for place in rest} & {topics[place] for place in fold}


def test_priors_grow_with_how_often_a_rule_decided() -> None:
    questions = [EvaluationQuestion("?", ("101.1",)), EvaluationQuestion("?", ("101.1", "205.2"))]
    priors = learn_priors(questions)
    assert priors.rules["101.1"] > priors.rules["205.2"] > 0
    assert priors.groups[101] > priors.groups[205]


def test_only_found_candidates_are_learned_from(folder: Path, data_file: Path) -> None:
    trainer = open_trainer(folder, data_file)
    assert trainer.num_questions == len(QUESTIONS)
    rows = trainer.training_rows([0, 1, 2])
    assert [int(found.gold.sum()) for found in rows] == [1, 1, 1]


def test_what_a_question_itself_taught_is_hidden_from_it(folder: Path, data_file: Path) -> None:
    from hexcore_engine.knowledge.index.features import FEATURES

    trainer = open_trainer(folder, data_file)
    asked = FEATURES.index("asked_share")
    prior = FEATURES.index("rule_prior")
    for found in trainer.training_rows([0, 1, 2]):
        assert not found.features[found.gold == 1][:, [asked, prior]].any()


def test_the_rules_own_examples_are_learned_from_as_if_not_written(folder: Path, data_file: Path) -> None:
    from hexcore_engine.knowledge.index.features import FEATURES

    trainer = open_trainer(folder, data_file)
    (found,) = trainer.example_rows([0, 1, 2])
    assert trainer.num_rule_examples == 1
    assert 0 < found.weight < 1
    assert found.features[found.gold == 1][0][FEATURES.index("in_example_raw")] == 0


def test_training_needs_rules(tmp_path: Path, data_file: Path) -> None:
    pytest.importorskip("lightgbm", reason="the train extra is not installed")
    with pytest.raises(NotSetUpError):
        train_ranker(tmp_path / "empty", data_file)


def test_training_writes_weights_that_load_and_a_run_card(
    folder: Path, data_file: Path, tmp_path: Path
) -> None:
    pytest.importorskip("lightgbm", reason="the train extra is not installed")
    from hexcore_engine.training.ranker_card import save_ranker

    trained = train_ranker(folder, data_file)
    assert set(trained.scores) == {"without_vectors"}
    assert set(trained.scores["without_vectors"]) == {"5", "10", "20", "50"}
    save_ranker(trained, tmp_path / "weights", data_file)
    ranker = load_ranker(tmp_path / "weights")
    assert ranker is not None
    assert len(ranker.decided) == len(QUESTIONS)
    assert np.isfinite(ranker.trees.value).all()
    card = json.loads((tmp_path / "weights" / CARD_NAME).read_text("utf-8"))
    assert card["num_questions"] == len(QUESTIONS)
    assert {"data_sha256", "digest_hash", "seeds", "made", "cross_validated_recall"} <= set(card)


def test_where_there_are_vectors_each_question_is_learned_from_with_and_without(
    folder: Path, data_file: Path
) -> None:
    from hexcore_engine.knowledge.index.features import FEATURES

    trainer = open_trainer(folder, data_file, FixedIndex((1, "body", 0.9), (2, "asks", 0.4)))
    near = FEATURES.index("near_raw")
    assert all(rows.features[:, near].any() for rows in trainer.training_rows([0, 1, 2], vectors=True))
    assert not any(rows.features[:, near].any() for rows in trainer.training_rows([0, 1, 2]))


def test_figures_are_told_with_vectors_and_without(folder: Path, data_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightgbm", reason="the train extra is not installed")
    from hexcore_engine.training.ranker_card import save_ranker

    trained = train_ranker(folder, data_file, FixedIndex((1, "body", 0.9), (2, "asks", 0.4)))
    assert set(trained.scores) == {"with_vectors", "without_vectors"}
    save_ranker(trained, tmp_path / "weights", data_file)
    card = json.loads((tmp_path / "weights" / CARD_NAME).read_text("utf-8"))
    assert card["cross_validated_recall"] == trained.scores

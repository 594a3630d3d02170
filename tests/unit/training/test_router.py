from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hexcore_engine.data.vectors import EMBEDDER_KEY
from hexcore_engine.errors import ImportFileError, NotSetUpError, UsageError
from hexcore_engine.models.embedder import WIDTH
from hexcore_engine.models.router import (
    CARD_NAME,
    FOLDER,
    MEANING_CARD_NAME,
    MEANING_WEIGHTS_NAME,
    WEIGHTS_NAME,
    TransactionClassifier,
)
from hexcore_engine.models.router_model import load_model, softmax
from hexcore_engine.protocol.records import MODE_NAMES
from hexcore_engine.training.calibration import calibration_error, figures, fit_temperature, fit_thresholds
from hexcore_engine.training.router import (
    ROUTER_DATA_FILE,
    LabelledQuery,
    folds_by_group,
    read_queries,
    train_router,
)
from hexcore_engine.training.router_card import features_hash, file_hash, save_router, shared_queries

ROOT = Path(__file__).resolve().parents[3]
UNSEEN_FILE = (
    Path(os.environ.get("HEXCORE_TEST_DATA") or ROOT.parent / "shared" / "data") / "router_dev.jsonl"
)
QUERIES = read_queries(ROUTER_DATA_FILE)
CARD, MEANING_CARD = (
    json.loads((FOLDER / name).read_text("utf-8")) for name in (CARD_NAME, MEANING_CARD_NAME)
)
FEW = QUERIES[:120]


def test_the_training_queries_are_many_balanced_and_a_third_mislead() -> None:
    rows = [json.loads(line) for line in ROUTER_DATA_FILE.read_text("utf-8").splitlines()]
    assert all(set(row) == {"id", "question", "mode", "group", "misleading"} for row in rows)
    assert len({row["id"] for row in rows}) == len(rows) >= 1_200
    assert len({row["question"].lower() for row in rows}) == len(rows)
    shares = [count / len(rows) for count in Counter(row["mode"] for row in rows).values()]
    assert len(shares) == len(MODE_NAMES)
    assert all(0.17 <= share <= 0.23 for share in shares)
    assert 0.3 <= sum(row["misleading"] for row in rows) / len(rows) <= 0.4


def test_no_training_query_is_taken_from_those_it_is_checked_with() -> None:
    if not UNSEEN_FILE.exists():
        pytest.skip(f"{UNSEEN_FILE} is not at hand")
    assert list(shared_queries(QUERIES, read_queries(UNSEEN_FILE))) == []


def test_shared_words_are_found_across_case_and_signs() -> None:
    ours = [
        LabelledQuery("So, does MY lantern glow on at night?", "REASON"),
        LabelledQuery("odds?", "PREDICT"),
    ]
    assert list(shared_queries(ours, [LabelledQuery("does my lantern glow on at noon", "REASON")])) == [
        ours[0].question
    ]
    assert list(shared_queries(ours, [LabelledQuery("Odds", "PREDICT")])) == ["odds?"]
    assert list(shared_queries(ours, [LabelledQuery("does my lantern glow", "REASON")])) == []


@pytest.mark.parametrize(("card", "name"), [(CARD, WEIGHTS_NAME), (MEANING_CARD, MEANING_WEIGHTS_NAME)])
def test_the_run_card_is_of_these_weights_data_and_features(card: dict[str, Any], name: str) -> None:
    assert card["data_sha256"] == file_hash(ROUTER_DATA_FILE)
    assert card["features_sha256"] == features_hash()
    assert card["num_queries"] == len(QUERIES)
    model = load_model(FOLDER / name)
    assert card["num_features"] == len(model.keys)
    assert list(card["thresholds"].values()) == model.thresholds.tolist()
    assert (model.meaning is None) == (name == WEIGHTS_NAME)


@pytest.mark.parametrize("card", [CARD, MEANING_CARD])
def test_the_run_card_tells_how_well_it_does_on_what_it_did_not_learn(card: dict[str, Any]) -> None:
    held_out = card["cross_validated_by_group"]
    assert held_out["accuracy"] >= 0.85
    assert held_out["expected_calibration_error"] <= 0.08
    assert set(held_out["confusion"]) == set(MODE_NAMES)
    assert len(held_out["accuracy_by_seed"]) == len(card["seeds"])


def test_the_stronger_model_is_of_the_sentence_model_in_use_and_better_on_what_it_did_not_learn() -> None:
    assert MEANING_CARD["embedder"] == EMBEDDER_KEY
    light, stronger = (card["cross_validated_by_group"] for card in (CARD, MEANING_CARD))
    assert min(stronger["accuracy_by_seed"]) > max(light["accuracy_by_seed"])
    assert stronger["accuracy_misleading"] > light["accuracy_misleading"]


def test_a_group_stays_in_one_fold() -> None:
    groups = [query.group for query in QUERIES]
    folds = folds_by_group(groups, seed=1)
    assert sorted(place for _, fold in folds for place in fold) == list(range(len(groups)))
    for rest, fold in folds:
        assert not {groups[place] for place in rest} & {groups[place] for place in fold}


def test_training_twice_gives_the_same_weights() -> None:
    one, other = train_router(FEW).model, train_router(FEW).model
    assert np.array_equal(one.keys, other.keys)
    assert np.array_equal(one.weights, other.weights)
    assert one.temperature == other.temperature


def test_training_writes_weights_that_load_and_a_run_card(tmp_path: Path) -> None:
    unseen = [LabelledQuery("Does my lantern glow on?", "REASON")]
    card = save_router(train_router(FEW), tmp_path, unseen=unseen)
    assert card == json.loads((tmp_path / CARD_NAME).read_text("utf-8"))
    assert card["num_queries"] == len(FEW)
    assert card["unseen"]["num_queries"] == 1
    assert TransactionClassifier(tmp_path).classify(FEW[0].question).mode == FEW[0].mode


def test_with_sentence_vectors_the_stronger_model_is_trained_and_written_beside_the_light_one(
    tmp_path: Path,
) -> None:
    # Queries of one mode have the same vector: what decides can't be learned from the words alone.
    labels = np.array([MODE_NAMES.index(query.mode) for query in FEW])
    vectors = np.eye(len(MODE_NAMES), WIDTH, dtype=np.float32)[labels]
    trained = train_router(FEW, vectors)
    unseen = [LabelledQuery("Does my lantern glow on?", "RETROSPECT")]
    save_router(train_router(FEW), tmp_path)
    last = np.eye(len(MODE_NAMES), WIDTH, dtype=np.float32)[-1:]
    card = save_router(trained, tmp_path, unseen=unseen, unseen_vectors=last, embedder="own")
    assert card == json.loads((tmp_path / MEANING_CARD_NAME).read_text("utf-8"))
    assert (card["embedder"], card["unseen"]["accuracy"]) == ("own", 1.0)
    assert {file.name for file in tmp_path.iterdir()} == {
        WEIGHTS_NAME,
        CARD_NAME,
        MEANING_WEIGHTS_NAME,
        MEANING_CARD_NAME,
    }
    scores, labels = trained.held_out[0], trained.labels
    assert (scores.argmax(axis=1) == labels).mean() > 0.99
    classifier = TransactionClassifier(tmp_path, lambda question: last[0])
    assert classifier.classify("Does my lantern glow on?").mode == "RETROSPECT"


def test_queries_to_check_with_may_not_be_trained_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="training data"):
        save_router(train_router(FEW), tmp_path, unseen=FEW[3:4])
    assert not (tmp_path / WEIGHTS_NAME).exists()


def test_too_few_groups_can_not_be_trained_on() -> None:
    with pytest.raises(NotSetUpError):
        train_router([LabelledQuery("does it die", "REASON", "one")])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ""),
        ("[]", "no JSON object"),
        ('{"question": "a"}', "no mode"),
        ('{"question": "a", "mode": "GUESS"}', "no mode 'GUESS'"),
        ('{"question": "a", "mode": ["TEACH"]}', "no mode"),
        ('{"mode": "TEACH"}', "no question"),
        pytest.param("[" * 100_000, "", id="deep"),
    ],
)
def test_a_line_that_is_no_labelled_query_is_named_by_its_number(
    line: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text('{"question": "a", "mode": "TEACH"}\n\n' + line)
    with pytest.raises(ImportFileError, match=rf"queries\.jsonl, line 3: .*{re.escape(said)}"):
        read_queries(file)


def test_queries_may_begin_with_a_byte_order_mark_and_must_be_text(tmp_path: Path) -> None:
    file = tmp_path / "queries.jsonl"
    file.write_text('{"query": "a", "mode": "TEACH", "group": 7}\n', "utf-8-sig")
    assert read_queries(file) == (LabelledQuery("a", "TEACH", "7"),)
    file.write_bytes(b'{"question": "\xff", "mode": "TEACH"}')
    with pytest.raises(ImportFileError, match="no UTF-8"):
        read_queries(file)


def test_the_temperature_makes_confidence_what_was_right() -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 5, 2_000)
    scores = generator.normal(size=(2_000, 5))
    scores[np.arange(2_000), labels] += 1.5
    overconfident = scores * 6
    temperature = fit_temperature(overconfident, labels)
    assert temperature > 3
    assert calibration_error(softmax(overconfident / temperature), labels) < 0.05
    assert calibration_error(softmax(overconfident), labels) > 0.15


def test_a_mode_whose_doubtful_guesses_are_wrong_gets_a_higher_threshold() -> None:
    labels = np.array([0] * 20 + [1] * 20)
    scores = np.zeros((40, 5))
    scores[:, 0] = 1.6
    scores[:20, 1] = -9
    thresholds = fit_thresholds(scores, labels)
    assert thresholds[0] > thresholds[2]


def test_figures_count_what_was_wanted_and_guessed() -> None:
    probabilities = np.eye(5)[[0, 0, 1]] * 0.9 + 0.02
    told = figures(probabilities, np.array([0, 1, 1]), np.full(5, 0.5))
    assert told["confusion"]["EXPLAIN"] == {**dict.fromkeys(MODE_NAMES, 0), "REASON": 1, "EXPLAIN": 1}
    assert told["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert told["abstained"] == 0

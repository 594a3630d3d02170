from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexcore_engine.errors import RoutingError
from hexcore_engine.models.embedder import WIDTH
from hexcore_engine.models.router import (
    FOLDER,
    MEANING_WEIGHTS_NAME,
    WEIGHTS_NAME,
    TransactionClassifier,
    pinned,
    undecided,
)
from hexcore_engine.models.router_features import BLOCKS, features_of, tokens_of
from hexcore_engine.models.router_model import RouterModel, load_model
from hexcore_engine.protocol.records import MODE_NAMES, ModeChoice

CLASSIFIER = TransactionClassifier()
HOSTILE = (
    "",
    " ",
    "\x00\x1b[31m",
    "\ud800",
    "\u202e" * 50,
    "[[" * 3_000,
    "9" * 5_000,
    "?" * 5_000,
    "ﬀ" * 400,
)


def assert_sound(choice: ModeChoice) -> None:
    assert {entry.mode for entry in choice.ranked} == set(MODE_NAMES)
    assert sum(entry.probability for entry in choice.ranked) == pytest.approx(1)
    probabilities = [entry.probability for entry in choice.ranked]
    assert probabilities == sorted(probabilities, reverse=True)
    assert (choice.mode, choice.confidence) == (choice.ranked[0].mode, probabilities[0])


@pytest.fixture
def small_model() -> RouterModel:
    weights = np.zeros((3, len(MODE_NAMES)), dtype=np.float16)
    keys = np.array([1, 2, 3], dtype=np.uint32)
    return RouterModel(keys, weights, 1.0, np.full(len(MODE_NAMES), 0.4))


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300))
def test_any_text_gets_five_modes_whose_probabilities_sum_to_one(text: str) -> None:
    assert_sound(CLASSIFIER.classify(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_is_no_question_is_judged_too(text: str) -> None:
    assert_sound(CLASSIFIER.classify(text))


def test_nothing_to_judge_by_is_unsure_and_every_mode_as_likely() -> None:
    choice = CLASSIFIER.classify("")
    assert choice.abstained
    assert {entry.probability for entry in choice.ranked} == {0.2}
    assert choice == undecided()


def test_a_very_long_question_is_judged_by_its_ends() -> None:
    middle = "he attacks with a lantern and I block. " * 2_600
    assert len(middle) > 100_000
    question = f"Teach me the stack from the beginning, I am new. {middle}"
    assert_sound(CLASSIFIER.classify(question))
    assert len(tokens_of(question)) < 1_000


@pytest.mark.parametrize(
    ("question", "mode"),
    [
        ("Does my 3/3 survive if he blocks with two 2/2s?", "REASON"),
        ("teach me what happens if he responds to that", "REASON"),
        ("what is trample", "EXPLAIN"),
        ("I am new, teach me the stack step by step", "TEACH"),
        ("what are the odds of drawing a land in two draws", "PREDICT"),
        ("explain to me why I lost", "RETROSPECT"),
        ("should I have blocked last turn?", "RETROSPECT"),
    ],
)
def test_plain_questions_and_those_with_misleading_words_find_their_mode(question: str, mode: str) -> None:
    assert CLASSIFIER.classify(question).mode == mode


def test_the_same_question_is_judged_the_same_however_it_is_typed() -> None:
    plain = CLASSIFIER.classify("can't he block my [[Tusked Yak]]?")
    assert plain == CLASSIFIER.classify("  CAN\u2019T he block   my [[Other Card]]?\n")


def test_confidence_below_the_modes_threshold_is_unsure(small_model: RouterModel, tmp_path: Path) -> None:
    (key,) = small_model.keys[:1]
    for threshold, unsure in ((0.1, False), (0.9, True)):
        thresholds = np.full(len(MODE_NAMES), threshold)
        folder = tmp_path / str(threshold)
        folder.mkdir()
        RouterModel(np.array([key]), small_model.weights[:1], 1.0, thresholds).save(folder / WEIGHTS_NAME)
        choice = TransactionClassifier(folder).classify("does it die")
        assert choice.abstained is unsure
        assert len(choice.ranked) == len(MODE_NAMES)


def test_the_stronger_model_judges_where_the_questions_vector_is_known(lost_vector: np.ndarray) -> None:
    known = {"he cast it": lost_vector}
    classifier = TransactionClassifier(known_meaning=known.get)
    assert classifier.classify("who wins") == CLASSIFIER.classify("who wins")
    choice = classifier.classify("he cast it")
    assert_sound(choice)
    assert choice.mode == "RETROSPECT"
    assert choice != CLASSIFIER.classify("he cast it")


@pytest.fixture
def lost_vector() -> np.ndarray:
    """A sentence vector that speaks for RETROSPECT."""
    meaning = load_model(FOLDER / MEANING_WEIGHTS_NAME).meaning
    assert meaning is not None
    direction = meaning[:, MODE_NAMES.index("RETROSPECT")]
    return np.asarray(direction / np.linalg.norm(direction))


def test_where_the_stronger_models_weights_are_damaged_the_light_one_judges(
    tmp_path: Path, lost_vector: np.ndarray
) -> None:
    (tmp_path / WEIGHTS_NAME).hardlink_to(FOLDER / WEIGHTS_NAME)
    (tmp_path / MEANING_WEIGHTS_NAME).write_bytes(b"PK")
    classifier = TransactionClassifier(tmp_path, lambda question: lost_vector)
    for _ in range(2):
        assert classifier.classify("he cast it") == CLASSIFIER.classify("he cast it")


@pytest.mark.parametrize("mode", MODE_NAMES)
def test_a_pinned_mode_is_certain(mode: str) -> None:
    choice = pinned(mode)  # type: ignore[arg-type]
    assert (choice.mode, choice.confidence, choice.pinned, choice.abstained) == (mode, 1.0, True, False)
    assert_sound(choice)


def test_missing_weights_are_a_named_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(RoutingError, match="missing") as raised:
        TransactionClassifier(tmp_path).classify("does it die")
    assert "hexcore train router" in raised.value.remedy


@pytest.mark.parametrize("kept", [0, 1, 100, 5_000, -200])
def test_cut_weights_are_a_named_error(kept: int, tmp_path: Path) -> None:
    file = tmp_path / WEIGHTS_NAME
    file.write_bytes((FOLDER / WEIGHTS_NAME).read_bytes()[:kept])
    with pytest.raises(RoutingError, match="damaged"):
        load_model(file)


def test_pickled_weights_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / WEIGHTS_NAME, format=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(RoutingError, match="damaged"):
        load_model(tmp_path / WEIGHTS_NAME)


@pytest.mark.parametrize(
    "change",
    [
        {"format": np.array(99)},
        {"temperature": np.array(0.0)},
        {"temperature": np.array(np.nan)},
        {"thresholds": np.zeros(2)},
        {"weights": np.full((3, 5), np.inf, dtype=np.float16)},
        {"weights": np.zeros((2, 5), dtype=np.float16)},
        {"keys": np.array(["a", "b", "c"])},
        {"keys": np.zeros((3, 3), dtype=np.uint32)},
        {"meaning": np.zeros((2, 5), dtype=np.float32)},
        {"meaning": np.full((WIDTH, 5), np.nan, dtype=np.float32)},
        {"meaning": np.array([{"a": 1}], dtype=object)},
    ],
)
def test_weights_of_another_form_are_refused(
    change: dict[str, np.ndarray], small_model: RouterModel, tmp_path: Path
) -> None:
    file = tmp_path / WEIGHTS_NAME
    small_model.save(file)
    with np.load(file) as stored:
        arrays = dict(stored) | change
    np.savez(file, **arrays)
    with pytest.raises(RoutingError):
        load_model(file)


def test_saved_weights_come_back_the_same(tmp_path: Path) -> None:
    vector = np.linspace(-0.1, 0.1, WIDTH, dtype=np.float32)
    for name in (WEIGHTS_NAME, MEANING_WEIGHTS_NAME):
        model = load_model(FOLDER / name)
        model.save(tmp_path / name)
        again = load_model(tmp_path / name)
        before, after = (one.probabilities("who wins?", vector) for one in (model, again))
        assert np.array_equal(before, after)


def test_the_weights_are_small() -> None:
    for name in (WEIGHTS_NAME, MEANING_WEIGHTS_NAME):
        assert (FOLDER / name).stat().st_size <= 1_000_000


def test_features_have_their_blocks_and_names_of_cards_do_not_count() -> None:
    features = features_of("Does [[Tusked Yak]] die to a 3/3 under 702.19b?")
    assert set(features) == set(BLOCKS)
    assert {"¤card", "¤size", "¤rule", "does ¤card"} <= features["words"]
    assert not any("yak" in name for name in features["letters"])
    assert all(not names for names in features_of("\x00").values())


def test_importing_the_router_loads_no_numpy() -> None:
    program = "import sys; from hexcore_engine.models.router import *; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"

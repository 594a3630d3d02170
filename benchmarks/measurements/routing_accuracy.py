"""How often the right mode is chosen for queries nothing was trained on, and how far confidence is off."""

from __future__ import annotations

from benchmarks.harness import Bench, NotMeasurable, Target
from benchmarks.shared_data import TEST_DATA, VARIABLE
from hexcore_engine.errors import HexcoreError
from hexcore_engine.models.router import FOLDER, WEIGHTS_NAME
from hexcore_engine.models.router_model import load_model
from hexcore_engine.training.router import read_queries
from hexcore_engine.training.router_card import unseen_figures

TARGETS = (
    Target("right mode", 0.90, at_least=True),
    Target("expected calibration error", 0.08),
)
QUERIES_FILE = TEST_DATA / "router_dev.jsonl"


def measure(bench: Bench) -> dict[str, float]:
    """Judge the labelled queries of the test data."""
    try:
        queries = read_queries(QUERIES_FILE)
    except HexcoreError as error:
        raise NotMeasurable(f"{error.message} Name the folder in {VARIABLE}") from error
    figures = unseen_figures(load_model(FOLDER / WEIGHTS_NAME), queries)
    return {
        "right mode": figures["accuracy"],
        "expected calibration error": figures["expected_calibration_error"],
        "unsure, share": figures["abstained"],
        "right mode where not unsure": figures["accuracy_when_sure"] or 0.0,
        "queries": figures["num_queries"],
    }

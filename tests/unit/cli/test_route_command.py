"""`hexcore route` and `hexcore train router` keep the command line's contract."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.cli import route
from hexcore_engine.cli.main import main
from hexcore_engine.models.router import CARD_NAME, WEIGHTS_NAME, TransactionClassifier, undecided
from hexcore_engine.protocol.records import MODE_NAMES
from hexcore_engine.training.router import ROUTER_DATA_FILE

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))


@pytest.fixture
def without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "TransactionClassifier", lambda: TransactionClassifier(tmp_path))


def assert_contract(document: dict[str, Any]) -> None:
    assert set(document) == {"mode", "confidence", "abstained", "ranked"}
    assert {entry["mode"] for entry in document["ranked"]} == set(MODE_NAMES)
    assert sum(entry["probability"] for entry in document["ranked"]) == pytest.approx(1)
    assert document["ranked"][0] == {"mode": document["mode"], "probability": document["confidence"]}


def test_a_question_gets_one_document(capsys: Capture) -> None:
    assert main(["route", "explain", "to", "me", "why", "I", "lost", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert_contract(document)
    assert document["mode"] == "RETROSPECT"


def test_lines_are_answered_in_order_one_document_each(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "what is trample\nteach me the stack from zero\r\n\n\x1b[31m\nshould I have blocked"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert main(["route", "-", "--json"]) == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for document in documents:
        assert_contract(document)
    modes = [document["mode"] for document in documents]
    assert (modes[0], modes[1], modes[4]) == ("EXPLAIN", "TEACH", "RETROSPECT")
    assert documents[2]["abstained"]


def test_without_json_it_says_the_mode_the_others_and_why_it_is_unsure(capsys: Capture) -> None:
    assert main(["route", "what is trample"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("EXPLAIN  ")
    assert "RETROSPECT" in shown
    unsure = route.choice_text(undecided())
    assert "Unsure: REASON and EXPLAIN are both possible" in unsure
    assert "hexcore ask --mode" in unsure


def test_lines_without_json_show_mode_and_question_safely(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("what is \x1b[31mtrample\n"))
    assert main(["route", "-"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("EXPLAIN ")
    assert line.endswith("\twhat is trample")


@pytest.mark.parametrize("words", [[], [" "], ["\x00"]])
def test_an_empty_question_is_wrong_use(words: list[str], capsys: Capture) -> None:
    assert main(["route", *words, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "HX-USAGE"


@pytest.mark.usefixtures("without_weights")
def test_missing_weights_are_told_with_the_remedy(capsys: Capture) -> None:
    assert main(["route", "what is trample", "--json"]) == 4
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "HX-ROUTING"
    assert "hexcore train router" in error["remedy"]


def test_training_an_unknown_thing_or_checking_the_ranker_is_wrong_use(capsys: Capture) -> None:
    assert main(["train", "wizard", "--json"]) == 2
    assert "router" in json.loads(capsys.readouterr().out)["error"]["remedy"]
    assert main(["train", "ranker", "--check", "x.jsonl", "--json"]) == 2
    assert main(["train", "router", "--check", "missing.jsonl", "--json"]) == 4


def test_without_the_sentence_model_the_light_router_alone_is_trained_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(ROUTER_DATA_FILE.read_text("utf-8").splitlines()[:60]))
    monkeypatch.setattr("hexcore_engine.training.router.ROUTER_DATA_FILE", few)
    assert main(["train", "router", "--output", str(tmp_path / "out"), "--json"]) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert (document["num_queries"], document["stronger"]) == (60, None)
    assert told.err.startswith("only the light router is trained: ")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {WEIGHTS_NAME, CARD_NAME}

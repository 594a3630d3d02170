from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.errors import ImportFileError
from hexcore_engine.evaluation.questions import EvaluationQuestion, read_questions
from hexcore_engine.evaluation.retrieval import _Answer, report
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.knowledge.rules.release import import_rules_file
from tests.unit.knowledge.rules.own_release import OwnRelease


def answer(rules: tuple[str, ...], ranked: list[str], topic: str = "") -> _Answer:
    return _Answer(EvaluationQuestion("What?", rules, topic=topic), ranked, 2.0, 0)


def test_recall_counts_deciding_rules_among_the_first() -> None:
    ranked = [f"100.{number}" for number in range(1, 60)]
    found = report([answer(("100.1", "100.15"), ranked, "combat"), answer(("100.60",), ranked)])
    assert found.recall == {"5": 0.25, "10": 0.25, "20": 0.5, "50": 0.5}
    assert found.mrr == 0.5
    assert found.by_topic == {"combat": 1.0}
    assert found.card_linking_recall is None
    assert found.questions == 2


def test_a_rule_named_twice_counts_once() -> None:
    assert report([answer(("100.1", "100.1"), ["100.1"])]).recall["5"] == 1.0


@pytest.mark.parametrize(
    ("text", "said"),
    [("{nonsense", "line 1"), ('{"question": "x", "rules": 5}', "line 1"), ("\n\n", "no question")],
)
def test_a_file_that_is_not_one_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(text)
    with pytest.raises(ImportFileError, match=said):
        read_questions(file)
    with pytest.raises(ImportFileError, match="can't be read"):
        read_questions(tmp_path / "nowhere.jsonl")


@pytest.fixture
def evaluated(
    make_home: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[dict[str, Any], str]]:
    """Run `hexcore eval` on questions of one's own; return its document and what it narrated."""
    from hexcore_engine.cli.main import main

    monkeypatch.setenv("HEXCORE_HOME", str(make_home(tmp_path)))

    def run(*questions: dict[str, object]) -> tuple[dict[str, Any], str]:
        file = tmp_path / "q.jsonl"
        file.write_text("".join(f"{json.dumps(question)}\n" for question in questions))
        assert main(["eval", str(file), "--json"]) == 0
        printed = capsys.readouterr()
        return json.loads(printed.out), printed.err

    return run


def test_questions_without_rules_are_left_out_and_counted(
    evaluated: Callable[..., tuple[dict[str, Any], str]],
) -> None:
    rules: tuple[list[str], ...] = (["702.2c"], [], [])
    document, narrated = evaluated(*({"question": "What kills?", "rules": found} for found in rules))
    assert document["questions"] == 1
    assert "2 questions without rules are left out" in narrated


def test_eval_prints_the_documented_figures(evaluated: Callable[..., tuple[dict[str, Any], str]]) -> None:
    document, _ = evaluated(
        {"question": "What does deathtouch do with trample?", "rules": ["702.2c"], "topic": "combat"}
    )
    assert set(document) == {
        "recall", "mrr", "latency_ms", "by_topic", "card_linking_recall", "questions"
    }  # fmt: skip
    assert set(document["recall"]) == {"5", "10", "20", "50"}
    assert set(document["latency_ms"]) == {"p50", "p99"}
    assert document["recall"]["50"] == 1.0


def test_eval_asks_for_a_file_or_for_the_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hexcore_engine.cli.main import main

    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path))
    for words in (["eval"], ["eval", "x.jsonl", "--examples"]):
        assert main([*words, "--json"]) == 2
        assert "--examples" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert main(["eval", "--examples", "--json"]) == 3


def test_an_example_is_not_found_by_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hexcore_engine.cli.main import main

    file = tmp_path / "own.txt"
    rules = ["101.1. Lanterns glow.", "101.2. Whoever drops a kettle waits.", "Example: Two quokkas tango."]
    groups = {"101": [*rules, "101.3. Kittens purr."]}
    file.write_text(OwnRelease("May 5, 2025", "effective", "Game Concepts", groups).text())
    import_rules_file(tmp_path / "home" / "knowledge", file)
    # In the fused order: what weights learned from the real rules make of three sentences is chance.
    retriever = HybridRetriever(tmp_path / "home" / "knowledge", without=frozenset({"ranker"}))
    ((number, place, text),) = retriever.examples()
    assert retriever.ranked_rules(text, 1)[0][0] == number == "101.2"
    assert "101.2" not in dict(retriever.ranked_rules("quokkas tango", 5, (number, place)))
    retriever.close()
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    assert main(["eval", "--examples", "--ablate", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["questions"] == 1
    assert set(document["ablations"]) == set(HybridRetriever.PARTS)

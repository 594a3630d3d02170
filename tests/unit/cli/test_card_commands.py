"""`hexcore card`, `cards`, `setup` and `doctor` keep the command line's contract."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.cli.main import main
from tests.conftest import paths_of
from tests.unit.data.own_rules import own_rules
from tests.unit.knowledge.cards.own_cards import own_card, publish_own

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def cards(home: Path) -> Path:
    folder = paths_of(home).knowledge_dir
    names = ["Ash Lantern", "Âsh-Moor's Lantern", "Fern // Ember", "Fire: the Lantern"]
    publish_own(folder, [own_card(name, missing=("Ember",)) for name in names])
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with `--json`; return its exit code and its one document."""

    def call(*words: str) -> tuple[int, Any]:
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


@pytest.mark.usefixtures("cards")
def test_a_card_is_printed_with_its_source_and_what_is_missing(run: Run) -> None:
    code, document = run("card", "ember")
    assert code == 0
    assert document["name"] == "Fern // Ember"
    assert document["missing_faces"] == ["Ember"]
    assert document["faces"][0]["toughness"] == "*"
    assert (document["source"], document["date"]) == ("our own cards", "2026-05-04")


@pytest.mark.usefixtures("cards")
def test_a_list_of_cards_says_which_faces_are_missing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = run("cards", "fern")
    assert (code, document["results"][0]["missing_faces"]) == (0, ["Ember"])
    main(["cards", "fern"])
    assert "(Ember: not in the card data)" in capsys.readouterr().out


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize("command", ["cards", "rules"])
@pytest.mark.parametrize("number", ["0", "-3", "many", "9" * 20])
def test_a_number_of_results_that_cant_be_is_refused_by_name(run: Run, command: str, number: str) -> None:
    code, document = run(command, "-k", number, "lantern")
    assert (code, document["error"]["code"]) == (2, "HX-USAGE")
    assert "-k: a whole number from 1 to 1,000,000 is wanted" in document["error"]["message"]


@pytest.mark.usefixtures("cards")
def test_all_results_are_found_with_the_largest_number(run: Run) -> None:
    assert run("cards", "-k", "1000000", "lantern")[1]["total"] == 3


@pytest.mark.usefixtures("cards")
def test_the_text_of_a_card_shows_its_faces_and_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["card", "fern"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "Fern  {1}{G}",
        "Creature — Lantern",
        "Fern glows.",
        "1/*",
        "Ember\n(the text",
        "2026-05-04",
    ):
        assert part in shown


@pytest.mark.usefixtures("cards")
def test_an_unknown_card_names_the_nearest(run: Run) -> None:
    code, document = run("card", "ahs", "lantern")
    assert code == 1
    assert document["nearest"][0] == "Ash Lantern"


@pytest.mark.usefixtures("cards")
def test_cards_are_searched_by_name_accents_aside(run: Run) -> None:
    code, document = run("cards", "ash-moor", "-k", "1")
    assert code == 0
    assert [hit["name"] for hit in document["results"]] == ["Âsh-Moor's Lantern"]
    assert (document["total"], document["ignored"]) == (1, [])
    assert "ash-moor" in document["reading"]


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize("query", ["zzzz", "t:elf", "!zzz", "lantern -t:lantern"])
def test_queries_that_find_nothing_end_with_1_and_one_document(run: Run, query: str) -> None:
    code, document = run("cards", query)
    assert (code, document["results"], document["total"]) == (1, [], 0)
    assert "error" not in document


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize(
    "query", ["", "-", "!", "t:", "(", "o:/[/", "c:purple", "mv>=abc", "is:foo", ")", "or", '"', "x:1"]
)
def test_queries_that_cannot_be_read_end_with_2_and_say_why(run: Run, query: str) -> None:
    code, document = run("cards", query)
    assert (code, document["results"], document["total"]) == (2, [], 0)
    assert document["error"]["code"] == "HX-USAGE"
    assert query == "" or document["ignored"][0].startswith("column 1: ")


@pytest.mark.usefixtures("cards")
@pytest.mark.parametrize("query", ["f:modern", "banned:legacy", "r:rare", "usd>1", "is:reserved", "-e:war"])
def test_data_that_is_not_loaded_is_named_and_never_counted_as_none(run: Run, query: str) -> None:
    code, document = run("cards", query)
    assert (code, document["results"]) == (3, [])
    assert "card" in document["error"]["message"]
    assert query.removeprefix("-") in document["ignored"][0]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["card", "cards"])
def test_without_cards_the_remedy_is_set_up(run: Run, command: str) -> None:
    code, document = run(command, "lantern")
    assert code == 3
    assert "hexcore setup" in document["error"]["remedy"]


@pytest.mark.parametrize("command", ["card", "cards"])
def test_a_damaged_card_file_is_said_with_its_remedy(run: Run, cards: Path, command: str) -> None:
    os.truncate(cards / "knowledge-1.sqlite", 6000)
    code, document = run(command, "lantern")
    assert (code, document["error"]["code"]) == (4, "HX-CORRUPT")
    assert "knowledge-1.sqlite" in document["error"]["message"]


@pytest.mark.usefixtures("home")
def test_set_up_with_nothing_to_fetch_from_still_gives_rules(run: Run) -> None:
    code, document = run("setup", "--rules", "none")
    assert code == 3
    assert document["complete"] is False
    ready = {item["name"]: item["ready"] for item in document["items"]}
    # Asked for only where the extra torch is installed.
    assert not ready.pop("vectors", False)
    assert ready == {"digest": True, "cards": False, "model": False, "rules": False}
    assert all(item["error"]["remedy"] for item in document["items"] if item["name"] in ("cards", "model"))
    assert run("rule", "702.19b")[0] == 0


@pytest.mark.usefixtures("home")
def test_set_up_takes_a_rules_file_and_refuses_a_bad_one(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_bytes(own_rules())
    bad.write_bytes(b"<html>")
    assert "2025-01-02" in run("setup", "--rules", str(good))[1]["items"][-1]["detail"]
    code, document = run("setup", "--rules", str(bad))
    assert (code, document["error"]["code"]) == (4, "HX-IMPORT")
    assert run("setup", "--rules", str(tmp_path / "absent.txt"))[0] == 4
    assert run("rule", "100.1a")[0] == 0


def test_the_doctor_names_each_problem_with_its_remedy(run: Run, cards: Path) -> None:
    code, document = run("doctor")
    findings = {finding["name"]: finding for finding in document["findings"]}
    assert (code, document["ok"]) == (1, False)
    assert findings["cards"]["ok"]
    assert findings["packages"]["ok"]
    assert not findings["model"]["ok"]
    assert all(finding["remedy"] for finding in findings.values() if not finding["ok"])
    content = bytearray((cards / "knowledge-1.sqlite").read_bytes())
    content[-10] ^= 1
    (cards / "knowledge-1.sqlite").write_bytes(content)
    damaged = {finding["name"]: finding for finding in run("doctor")[1]["findings"]}["files"]
    assert "knowledge-1.sqlite" in damaged["detail"]


def test_all_is_well_after_set_up(run: Run, prepared_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(prepared_home))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    findings = {finding["name"]: finding for finding in run("doctor")[1]["findings"]}
    for name in ("version", "packages", "files", "rules", "cards", "model", "gpu", "terminal"):
        assert findings[name]["ok"], findings[name]

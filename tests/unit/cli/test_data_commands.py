"""`hexcore data`, `diff` and `rule` on releases of our own, each in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.cli.main import main
from hexcore_engine.data.sources_in_use import sources_status
from hexcore_engine.knowledge.digest.loader import our_titles
from hexcore_engine.knowledge.retriever import HybridRetriever
from hexcore_engine.knowledge.rules.release import ensure_digest_release
from hexcore_engine.knowledge.store.builder import import_lock
from hexcore_engine.knowledge.store.pointer import read_pointer
from tests.conftest import paths_of
from tests.unit.data.own_card_files import scryfall_card, write_json
from tests.unit.data.own_rules import own_rules
from tests.unit.data.rules_server import PAGE, rules_server
from tests.unit.knowledge.cards.own_cards import own_card, publish_own
from tests.unit.knowledge.rules.counting import count, releases_in
from tests.unit.knowledge.rules.own_release import OwnRelease, own_editions
from tests.unit.knowledge.rules.test_real_releases import FOLDER

Answer = Callable[..., tuple[int, Any]]
# A suite that runs in the background may have been told to ignore Ctrl-C, and hands that down.
HEARING_CTRL_C = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from hexcore_engine.cli.main import main
sys.exit(main())
"""
KEYS = {"kind", "effective", "rules", "groups", "examples", "glossary", "encoding", "warnings", "unchanged"}


@pytest.fixture
def answer(home: Path, capsys: pytest.CaptureFixture[str]) -> Answer:
    """Run a command with --json and return its exit code and document."""

    def run(*words: str) -> tuple[int, Any]:
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def editions(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> list[Path]:
    files = []
    for name, content in own_editions().items():
        file = tmp_path / f"{name}.txt"
        file.write_bytes(content)
        assert main(["data", "import", str(file)]) == 0
        files.append(file)
    capsys.readouterr()
    return files


@pytest.mark.parametrize("words", [("rule", "100.1"), ("rules", "lantern"), ("glossary", "lantern")])
def test_without_any_rules_a_look_up_is_not_set_up(
    answer: Answer, home: Path, words: tuple[str, ...]
) -> None:
    code, document = answer(*words)
    assert (code, document["error"]["code"]) == (3, "HX-KNOWLEDGE")
    assert "hexcore setup" in document["error"]["remedy"]
    # With cards alone as well: what is missing is the rules.
    publish_own(paths_of(home).knowledge_dir, [own_card("Moss Lantern")])
    assert answer(*words)[0] == 3


def test_with_our_words_alone_they_stand_in_and_are_labelled(
    answer: Answer, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_digest_release(paths_of(home).knowledge_dir)
    code, shown = answer("rule", "702.19b")
    assert (code, shown["rule"]["official"]) == (0, False)
    assert "in our words, not official" in text_of(capsys, "rule", "702.19b")
    assert answer("rules", "trample")[0] == 0
    code, section = answer("rule", "6")
    assert (code, section["rule"]["text"], section["rule"]["official"]) == (0, our_titles()["6"], False)
    assert all(group["text"] == our_titles()[group["number"]] for group in section["children"])
    assert answer("glossary", "fizzle")[0] == 0
    code, unknown = answer("glossary", "fizle")
    assert (code, unknown["entries"], unknown["nearest"]) == (1, [], ["fizzle"])
    code, missing = answer("rule", "999.1")
    assert (code, missing["rule"]) == (1, None)


def test_an_import_that_waits_says_for_whom(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rules.txt"
    file.write_bytes(own_rules())
    waiting = [sys.executable, "-c", HEARING_CTRL_C, "data", "import", str(file), "--json"]
    with import_lock(paths_of(home).knowledge_dir):
        process = subprocess.Popen(waiting, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = process.stderr.readline()
        assert f"waiting for another import (process {os.getpid()}, since " in said
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        process.communicate()
        process = subprocess.Popen(waiting, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        process.stderr.readline()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(out)["rules"] == 3


def text_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    main(list(words))
    return capsys.readouterr().out


def test_an_import_into_an_empty_home_prints_the_counts_and_is_looked_up_at_once(
    answer: Answer, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "my rules.txt"
    file.write_bytes(own_editions()["2025-01-01"])
    code, document = answer("data", "import", str(file))
    assert code == 0
    assert set(document) == KEYS
    assert document == {
        "kind": "rules", "effective": "2025-01-01", "rules": 7, "groups": 1, "examples": 0, "glossary": 2,
        "encoding": "utf-8", "warnings": [], "unchanged": False,
    }  # fmt: skip
    assert answer("data", "import", str(file))[1] == {**document, "unchanged": True}
    code, rule = answer("rule", "100.6")
    assert code == 0
    assert rule["release"]["effective"] == "2025-01-01"
    assert not (home / "models").exists()


def test_warnings_are_listed_with_their_lines_and_leave_the_exit_code_alone(
    answer: Answer, tmp_path: Path
) -> None:
    file = tmp_path / "old.txt"
    file.write_bytes(OwnRelease(groups={"100": ["100.1. A ferry.", "100.1. Again."]}).text().encode("utf-16"))
    code, document = answer("data", "import", str(file))
    assert code == 0
    assert document["encoding"] == "utf-16-le"
    assert document["effective"] == "2003-03-01"
    assert document["rules"] == 1
    (warning,) = document["warnings"]
    lines = file.read_text("utf-16").split("\n")
    assert lines[warning["line"] - 1] == "100.1. Again."
    assert f"used before in line {lines.index('100.1. A ferry.') + 1}" in warning["reason"]
    assert answer("rule", "100.1")[1]["rule"]["text"] == "A ferry.\nAgain."


@pytest.mark.parametrize("file", releases_in(FOLDER), ids=lambda file: file.stem)
def test_official_releases_are_imported_with_exact_counts(answer: Answer, file: Path) -> None:
    counted = count(file.read_bytes())
    code, document = answer("data", "import", str(file))
    assert code == 0
    assert (document["rules"], document["groups"], document["examples"]) == (
        counted.rules,
        counted.groups,
        counted.examples,
    )
    assert document["effective"] in file.stem
    assert answer("data", "import", str(file))[1]["unchanged"]


BAD_FILES = {
    "empty": b"",
    "words": b"rubbish",
    "NUL": b"\x00" * 9000,
    "HTML": b"<html>" * 99,
    "deep nesting": b"[" * 200_000,
    "10 MB in one line": b"x" * 10_000_000,
    "JSON of something else": b'{"a": 1}',
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_what_no_importer_reads_is_one_error_and_the_old_data_stays(
    answer: Answer, editions: list[Path], home: Path, tmp_path: Path, content: bytes
) -> None:
    folder = paths_of(home).knowledge_dir
    before = (read_pointer(folder), sorted(file.name for file in folder.iterdir()))
    bad = tmp_path / "bad.txt"
    bad.write_bytes(content)
    code, document = answer("data", "import", str(bad))
    assert code == 4
    assert set(document) == {"error"}
    assert "bad.txt" in document["error"]["message"]
    assert (read_pointer(folder), sorted(file.name for file in folder.iterdir())) == before
    assert answer("rule", "100.5")[0] == 0


def test_a_cut_release_is_refused_and_the_old_data_stays(
    answer: Answer, editions: list[Path], home: Path, tmp_path: Path
) -> None:
    before = read_pointer(paths_of(home).knowledge_dir)
    cut = tmp_path / "cut.txt"
    whole = own_editions()["2025-02-01"]
    for length in range(0, whole.rindex(b"Credits"), 97):
        cut.write_bytes(whole[:length])
        assert answer("data", "import", str(cut))[0] == 4
    assert read_pointer(paths_of(home).knowledge_dir) == before


@pytest.mark.parametrize("name", ["nowhere.txt", "."])
def test_a_file_that_is_none_is_said(answer: Answer, tmp_path: Path, name: str) -> None:
    code, document = answer("data", "import", str(tmp_path / name))
    assert code == 4
    assert document["error"]["code"] == "HX-IMPORT"


def test_the_newest_release_is_in_use_unless_one_is_pinned(
    answer: Answer, editions: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer("rule", "100.2")[1]["release"]["effective"] == "2025-02-01"
    assert answer("data", "pin", "2025-01")[1] == {"current": "2025-01-01", "pinned": "2025-01-01"}
    assert "kettle" in answer("rule", "100.2")[1]["rule"]["text"]
    assert "it is pinned" in text_of(capsys, "data", "import", str(editions[1]))
    assert answer("data", "pin", "none")[1]["current"] == "2025-02-01"
    code, document = answer("data", "pin", "1999")
    assert code == 3
    assert "2025-02-01, 2025-01-01" in document["error"]["message"]


def test_an_older_file_imported_later_does_not_become_the_one_in_use(
    answer: Answer, editions: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "2003.txt"
    old.write_text(OwnRelease(groups={"100": ["100.1. A ferry."]}).text())
    assert "in use stays 2025-02-01: it is newer" in text_of(capsys, "data", "import", str(old))
    status = answer("data", "status")[1]
    assert [(release["key"], release["current"]) for release in status["rules"]] == [
        ("2025-02-01", True),
        ("2025-01-01", False),
        ("2003-03-01", False),
    ]
    assert status["rules"][2]["age_days"] > 8000


def test_rules_are_rolled_back_step_by_step_and_removed(
    answer: Answer, editions: list[Path], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer("data", "rollback")[1]["current"] == "2025-01-01"
    assert answer("data", "rollback")[0] == 2
    assert answer("data", "remove", "2025-01-01")[0] == 0
    assert answer("data", "status")[1]["pinned"] is None
    assert answer("rule", "100.1")[1]["release"]["effective"] == "2025-02-01"
    assert answer("data", "remove", "2025-02-01")[0] == 0
    assert answer("data", "remove", "2025-02-01")[0] == 3
    # Our own words stand in.
    assert answer("rule", "702.19b")[1]["rule"]["official"] is False
    assert not list(paths_of(home).downloads_dir.glob("rules-*"))


def test_cards_are_rolled_back_and_forth_and_removed(answer: Answer, home: Path) -> None:
    folder = paths_of(home).knowledge_dir
    assert answer("data", "rollback", "cards")[0] == 2
    publish_own(folder, [own_card("Ash Lantern")])
    publish_own(folder, [own_card("Ash Lantern"), own_card("Moss Lantern")])
    for expected in (1, 2, 1):
        assert answer("data", "rollback", "cards")[1]["cards"]["num_cards"] == expected
    assert answer("data", "remove", "cards")[0] == 0
    assert answer("card", "Ash Lantern")[0] == 3


def test_card_files_are_imported_by_the_same_command(answer: Answer, tmp_path: Path) -> None:
    file = write_json(tmp_path / "cards.json", [scryfall_card("Ash Lantern"), scryfall_card("Moss Lantern")])
    code, document = answer("data", "import", str(file))
    assert code == 0
    assert (document["kind"], document["cards"]) == ("cards", 2)


def test_the_age_of_each_source_is_shown_and_old_rules_beside_new_cards_are_warned_of(
    answer: Answer, editions: list[Path], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_own(paths_of(home).knowledge_dir, [own_card("Ash Lantern")])
    status = sources_status(paths_of(home), date(2026, 5, 14))
    assert status.cards is not None
    assert status.cards.age_days == 10
    assert status.rules[0].age_days == (date(2026, 5, 14) - date(2025, 2, 1)).days
    for words in (["data", "status"], ["rule", "100.1"]):
        assert "older than the cards (2026-05-04)" in text_of(capsys, *words)
    assert "older than the cards" in answer("rule", "100.1")[1]["warnings"][0]
    for words in (["rules", "lantern"], ["glossary", "lantern"]):
        assert main(words) == 0
        assert "older than the cards" in capsys.readouterr().err
    retriever = HybridRetriever(paths_of(home).knowledge_dir)
    assert any("older than the cards" in note for note in retriever.retrieve("a lantern").notes)
    retriever.close()


def test_sources_that_can_not_be_asked_are_named_and_exit_4(answer: Answer) -> None:
    code, document = answer("data", "update")
    assert code == 4
    assert document["error"] == document["rules"]["error"]
    assert {name: set(document[name]) for name in ("rules", "cards")} == {
        "rules": {"error"},
        "cards": {"error"},
    }


def test_the_newest_rules_are_fetched_from_their_page(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEXCORE_OFFLINE")
    with rules_server() as server:
        monkeypatch.setenv("HEXCORE_DATA_RULES_PAGE", f"{server.address}/rules/page")
        assert answer("data", "update", "rules")[0] == 4
        server.answers["/rules/page"] = (200, "text/html", PAGE)
        server.answers["/rules/files/Own%20Rules%2020250101.txt"] = (200, "text/plain", own_rules())
        code, document = answer("data", "update", "rules")
        assert code == 0
        assert (document["rules"]["effective"], document["rules"]["unchanged"]) == ("2025-01-02", False)
        assert answer("data", "update", "rules")[1]["rules"]["unchanged"]


@pytest.mark.parametrize(
    "words", [["data"], ["data", "polish"], ["data", "import"], ["data", "pin"], ["data", "status", "now"]]
)
def test_wrong_use_is_exit_2(answer: Answer, words: list[str]) -> None:
    assert answer(*words)[0] == 2


def test_changes_are_printed_word_by_word_and_as_json(
    answer: Answer, editions: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = answer("diff", "2025-01-01", "2025-02-01")
    assert code == 0
    assert document["counts"] == {"added": 1, "removed": 2, "changed": 2, "moved": 3, "glossary": 1}
    assert {"from": "100.6", "to": "100.5"}.items() <= document["moved"][2].items()
    text = text_of(capsys, "diff", "2025-01", "2025-02")
    assert "{+small +}thing" in text
    assert "100.2 → 100.3" in text
    assert answer("diff", "2025-02-01", "2025-02-01")[0] == 1
    assert answer("diff", "2024", "2025")[0] == 3


def test_a_number_of_an_old_ruling_leads_to_its_rule_of_today(
    answer: Answer, editions: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = answer("rule", "100.6")
    assert code == 1
    assert document["move"]["today"] == "100.5"
    assert "100.6 was another rule, which is 100.5 in 2025-02-01" in text_of(capsys, "rule", "100.6")
    code, document = answer("rule", "100.2", "--release", "2025-01-01")
    assert code == 0
    assert "kettle" in document["rule"]["text"]
    assert document["move"]["today"] == "100.3"
    assert answer("rule", "100.1", "--release", "1999")[0] == 3


def test_siblings_are_shown_near_by_and_all_on_request(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "many.txt"
    file.write_text(OwnRelease(groups={"100": [f"100.{n}. Ferry {n} leaves." for n in range(1, 191)]}).text())
    main(["data", "import", str(file)])
    capsys.readouterr()
    near = text_of(capsys, "rule", "100.90")
    assert "… and 181 more (--all)" in near
    assert len(near.splitlines()) < 20
    assert "100.190  Ferry 190" in text_of(capsys, "rule", "100.90", "--all")
    assert "Near 100.90" in text_of(capsys, "rule", "100.90", "--near")

"""Disks that are full or read-only during an answer; knowledge that is damaged, outdated or incomplete."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hexcore_engine.client.supervisor import engine_status
from hexcore_engine.data.rules_files import kept_file
from hexcore_engine.errors import KnowledgeCorruptError
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.service.recorder import NOT_SAVED
from tests.conftest import paths_of
from tests.integration.data.test_setup_faults import mounted
from tests.integration.parts import ENGINE, HEXCORE, QUESTION, SLOW_TEXT, Run, bound_by_modes, wait_until
from tests.unit.data.own_rules import own_rules

pytestmark = pytest.mark.slow
RULES_DATE = "2025-01-02"
FILE_LIMIT_BYTES = 300_000


def test_a_disk_that_fills_up_during_an_answer_does_not_stop_it_and_that_is_said(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The disk of the conversations takes the questions before, not a long answer.
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT_BYTES, FILE_LIMIT_BYTES))

    engine = subprocess.Popen(ENGINE, preexec_fn=limit)  # noqa: PLW1509 - this test has one thread
    wait_until(scripted_home.socket_file.exists)
    answers = [json.loads(hexcore("ask", QUESTION, "--max-tokens", "400", "--json").stdout) for _ in range(6)]
    assert {answer["stop_reason"] for answer in answers} == {"length"}
    assert len({answer["response"] for answer in answers}) == 1
    saved = [NOT_SAVED not in answer["metadata"]["notes"] for answer in answers]
    assert saved[0]
    assert not saved[-1]
    # What was saved before is still there.
    shown = json.loads(hexcore("sessions", "show", answers[0]["metadata"]["session_id"], "--json").stdout)
    assert shown["turns"][0]["response"] == answers[0]["response"]
    assert hexcore("engine", "stop").returncode == 0
    assert engine.wait(20) == 0


def test_a_read_only_home_is_said_with_what_to_do(scripted_home: Paths, hexcore: Run) -> None:
    home = scripted_home.home
    with mounted(home, "--bind", "-o", "ro", str(home)):
        # Look-ups need no writing.
        assert hexcore("rule", "702.2c").returncode == 0
        done = hexcore("ask", QUESTION, "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (4, "HX-UNREACHABLE")
    assert "Read-only" in error["message"]
    assert "HEXCORE_HOME" in error["remedy"]


def test_a_home_that_may_not_be_read_is_said(scripted_home: Paths, hexcore: Run) -> None:
    for folder in (scripted_home.home, scripted_home.knowledge_dir):
        mode = folder.stat().st_mode
        folder.chmod(0)
        for words in (("rule", "702.2c"), ("data", "status"), ("cards", "lantern"), ("setup",)):
            done = hexcore(*words, "--json", preexec_fn=bound_by_modes)
            error = json.loads(done.stdout)["error"]
            assert (done.returncode, error["code"]) == (4, "HX-STORAGE"), (folder, words, error)
            assert str(folder) in error["message"]
            assert "Permission denied." in error["message"]
            assert "Errno" not in done.stdout + done.stderr
        folder.chmod(mode)


def test_knowledge_that_may_not_be_read_does_not_keep_the_engine_from_saying_so(
    scripted_home: Paths, hexcore: Run
) -> None:
    scripted_home.knowledge_dir.chmod(0)
    asked = json.loads(hexcore("ask", QUESTION, "--json", preexec_fn=bound_by_modes).stdout)
    scripted_home.knowledge_dir.chmod(0o700)
    assert asked["metadata"]["retrieval"]["error_type"] == "HX-STORAGE"
    assert asked["stop_reason"] == "end"


def test_an_answer_outlives_a_home_that_turns_read_only_under_it(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    asking = subprocess.Popen(
        [*HEXCORE, "ask", QUESTION, "--json", "--max-tokens", "120"],
        stdout=subprocess.PIPE,
        preexec_fn=bound_by_modes,  # noqa: PLW1509 - this test has one thread
    )

    def is_being_written() -> bool:
        status = asyncio.run(engine_status(scripted_home))
        return status is not None and status.generated_tokens > 10

    wait_until(is_being_written)
    for folder in (scripted_home.home, scripted_home.knowledge_dir, scripted_home.log_dir):
        folder.chmod(0o500)
    answer = json.loads(asking.communicate(timeout=30)[0])
    assert answer["stop_reason"] == "length"
    assert answer["response"].startswith("The rule is")
    # What the engine had open it could still write: saved, or said not to be.
    shown = json.loads(hexcore("sessions", "show", "last", "--json").stdout)["turns"][0]
    assert (shown["response"] == answer["response"]) != (NOT_SAVED in answer["metadata"]["notes"])
    for folder in (scripted_home.home, scripted_home.knowledge_dir, scripted_home.log_dir):
        folder.chmod(0o700)


def test_conversations_that_another_program_holds_do_not_stop_an_answer(
    scripted_home: Paths, hexcore: Run
) -> None:
    assert hexcore("ask", QUESTION).returncode == 0
    connection = sqlite3.connect(scripted_home.sessions_file)
    connection.execute("BEGIN EXCLUSIVE")
    answer = json.loads(hexcore("ask", QUESTION, "--json").stdout)
    connection.rollback()
    connection.close()
    assert answer["stop_reason"] == "end"
    assert NOT_SAVED in answer["metadata"]["notes"]
    after = json.loads(hexcore("ask", QUESTION, "--json").stdout)
    assert NOT_SAVED not in after["metadata"]["notes"]


def damaged_cards(paths: Paths) -> Path:
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    assert pointer.cards_file is not None
    file = paths.knowledge_dir / pointer.cards_file
    with file.open("r+b") as stream:
        stream.seek(8192)
        stream.write(os.urandom(file.stat().st_size // 2))
    return file


def test_damaged_knowledge_is_said_kept_aside_and_built_anew(
    tmp_path: Path,
    make_home: Callable[[Path], Path],
    hexcore: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(make_home(tmp_path)))
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    file = damaged_cards(default_paths())
    said = hexcore("card", "Lightning Bolt", "--json")
    error = json.loads(said.stdout)["error"]
    assert (said.returncode, error["code"]) == (4, KnowledgeCorruptError.code)
    assert str(file) in error["message"]
    assert "hexcore setup" in error["remedy"]
    asked = hexcore("ask", "Can Lightning Bolt be countered?", "--no-model", "--json")
    assert (asked.returncode, json.loads(asked.stdout)["error"]["code"]) == (4, KnowledgeCorruptError.code)
    doctor = json.loads(hexcore("doctor", "--json").stdout)
    assert any(file.name in finding["detail"] for finding in doctor["findings"] if not finding["ok"])
    repaired = hexcore("setup", "--rules", "none", "--json")
    assert repaired.returncode == 0
    assert "kept aside" in repaired.stdout
    assert list(file.parent.glob(f"{file.name}.*.damaged"))
    assert hexcore("card", "Lightning Bolt").returncode == 0
    assert hexcore("ask", QUESTION, "--no-model").returncode == 0
    hexcore("engine", "stop")


@pytest.fixture
def outdated(home: Paths, tmp_path: Path, hexcore: Run) -> Path:
    """The file of an official release in the form of an older version; the source of it is kept."""
    source = tmp_path / "rules.txt"
    source.write_bytes(own_rules())
    # Nothing else can be fetched here.
    assert hexcore("setup", "--rules", str(source), "--json").returncode == 3
    assert kept_file(home, RULES_DATE).exists()
    pointer = read_pointer(home.knowledge_dir)
    assert pointer is not None
    release = pointer.current_release()
    assert release is not None
    file = home.knowledge_dir / release.file
    connection = sqlite3.connect(file)
    connection.executescript("UPDATE meta SET value = '1' WHERE name = 'schema'; DROP TABLE oracle_pattern")
    connection.close()
    return file


def test_knowledge_of_another_version_is_named_and_built_anew_from_its_kept_source(
    outdated: Path, hexcore: Run
) -> None:
    for words in (("rule", "100.1"), ("rules", "lantern"), ("ask", "What is a lantern?", "--no-model")):
        done = hexcore(*words, "--json")
        error = json.loads(done.stdout)["error"]
        assert (done.returncode, error["code"]) == (3, "HX-OUTDATED")
        assert str(outdated) in error["message"]
        assert "another version of Hexcore" in error["message"]
        assert "hexcore setup" in error["remedy"]
    assert "another version" in hexcore("doctor").stdout
    hexcore("setup", "--rules", "none")
    found = hexcore("rule", "100.1")
    assert found.returncode == 0
    assert f"Comprehensive Rules {RULES_DATE}" in found.stdout
    # The engine that was running sees it too.
    asked = hexcore("ask", "What is a lantern?", "--no-model", "--json")
    assert asked.returncode == 0
    assert json.loads(asked.stdout)["rules_release"] == RULES_DATE


def test_with_a_model_the_answer_goes_on_and_says_that_nothing_was_found(
    outdated: Path, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_MODEL_PATH", "scripted")
    done = hexcore("ask", "What is a lantern?")
    assert done.returncode == 0
    assert "another version of Hexcore" in done.stderr
    assert "hexcore setup" in done.stderr
    assert "No rule was cited" in done.stdout
    document = json.loads(hexcore("ask", "What is a lantern?", "--json").stdout)
    assert document["metadata"]["retrieval"] == {
        "results": [],
        "error": document["metadata"]["retrieval"]["error"],
        "error_type": "HX-OUTDATED",
        "fallback_applied": True,
    }


def test_without_an_index_look_ups_work_and_what_is_missing_is_named(
    tmp_path: Path, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "fresh"))
    # pip's own settings: an index nobody listens at, and no other source.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    set_up = hexcore("setup", "--rules", "none")
    assert set_up.returncode == 3
    for what in ("cards", "model"):
        line = next(line for line in set_up.stdout.splitlines() if line.startswith(f"missing  {what}"))
        assert len(line) > 20
    assert "hexcore setup" in set_up.stdout
    assert hexcore("rule", "702.2c").returncode == 0
    assert hexcore("rules", "deathtouch").returncode == 0
    card = hexcore("card", "Moss Lantern")
    assert card.returncode == 3
    assert "hexcore setup" in card.stderr
    asked = hexcore("ask", QUESTION)
    assert asked.returncode == 0
    assert "702.2" in asked.stderr
    assert "No model is at hand" in asked.stderr
    assert "hexcore setup" in asked.stderr
    doctor = hexcore("doctor")
    assert doctor.returncode == 1
    assert doctor.stdout.count("hexcore setup") >= 2
    hexcore("engine", "stop")
    shutil.rmtree(paths_of(tmp_path / "fresh").downloads_dir, ignore_errors=True)

"""Vectors with the real sentence model: built in processes that are ended, read by an engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hexcore_engine.client.client import EngineClient
from hexcore_engine.client.supervisor import engine_status
from hexcore_engine.data.vectors import EMBEDDER_KEY
from hexcore_engine.knowledge.index.vectors import built_so_far
from hexcore_engine.knowledge.rules.release import import_rules_file
from hexcore_engine.paths import Paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.service.vector_keeper import CHILD
from hexcore_engine.settings import Settings
from tests.conftest import paths_of
from tests.integration.parts import Run, answer_to, until
from tests.unit.knowledge.rules.own_release import OwnRelease

pytestmark = pytest.mark.slow
FEW = ["101.8. Lanterns glow until dawn.", "101.9. Whoever lets a teapot fall on the floor skips a turn."]


@pytest.fixture
def vectors_home(scripted_home: Paths, sentence_model: Path) -> Paths:
    """A home with our digest, the sentence model and the scripted model."""
    scripted_home.models_dir.mkdir()
    shutil.copytree(
        paths_of(sentence_model).sentence_model_dir, scripted_home.sentence_model_dir, copy_function=os.link
    )
    return scripted_home


@pytest.fixture
def few_rules(vectors_home: Paths, tmp_path: Path) -> Paths:
    """The same home with a release of two rules in use."""
    file = tmp_path / "own.txt"
    file.write_text(OwnRelease("May 5, 2025", "effective", "Game Concepts", {"101": FEW}).text())
    import_rules_file(vectors_home.knowledge_dir, file)
    return vectors_home


def begin_build() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_killed_build_goes_on_where_it_was(vectors_home: Paths) -> None:
    done = 0
    for _ in range(2):
        with begin_build() as child:
            assert child.stdout is not None
            told = [child.stdout.readline().split() for _ in range(2)]
            child.send_signal(signal.SIGKILL)
        assert int(told[0][0]) >= done
        done = built_so_far(vectors_home.knowledge_dir, EMBEDDER_KEY).done
        assert int(told[1][0]) <= done < int(told[1][1])
    assert not list(vectors_home.knowledge_dir.glob("*.damaged"))


def test_a_build_ends_with_its_parent(vectors_home: Paths) -> None:
    with begin_build() as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        child.stdin.close()
        assert child.wait(timeout=20) == 0


async def ready_client(home: Paths) -> EngineClient:
    """A client of an engine that has its vectors."""
    client = await EngineClient.connect(home, Settings(), client_name="test")

    async def ready() -> bool:
        status = await engine_status(home)
        return status is not None and status.vectors == "ready"

    await until(ready, seconds=120, every_s=0.2)
    return client


async def test_a_mode_the_words_leave_unsure_is_settled_by_what_the_question_means(few_rules: Paths) -> None:
    client = await ready_client(few_rules)
    question = "run my boy through combat so he can play on saturday"

    async def told() -> list[tuple[str, bool]]:
        asked = requests.AskQuestion(question, use_model=False)
        routed = [event async for event in client.stream(asked) if isinstance(event, events.QuestionRouted)]
        return [(event.choice.mode, event.choice.abstained) for event in routed]

    # The words answer at once, the meaning when the rules were looked up by it; once looked up, it is known.
    assert await told() == [("TEACH", True), ("TEACH", False)]
    assert await told() == [("TEACH", False)]
    await client.close()


async def test_an_engine_builds_them_and_finds_rules_by_meaning(few_rules: Paths) -> None:
    client = await ready_client(few_rules)
    outcome = await answer_to(client, "I dropped my kettle, what now?", use_model=False)
    assert not [note for note in outcome.notes if "ector" in note]
    await client.close()


async def test_an_engine_that_lacked_the_sentence_model_builds_them_once_it_is_there(
    few_rules: Paths,
) -> None:
    aside = few_rules.sentence_model_dir.with_name("aside")
    few_rules.sentence_model_dir.rename(aside)
    client = await EngineClient.connect(few_rules, Settings(), client_name="test")

    async def vectors_are(words: str) -> bool:
        status = await engine_status(few_rules)
        return status is not None and status.vectors.startswith(words)

    await until(lambda: vectors_are("none"), seconds=60, every_s=0.2)
    aside.rename(few_rules.sentence_model_dir)
    await answer_to(client, "I dropped my kettle, what now?", use_model=False)
    await until(lambda: vectors_are("ready"), seconds=120, every_s=0.2)
    await client.close()


async def test_a_killed_engine_takes_its_build_along(vectors_home: Paths) -> None:
    client = await EngineClient.connect(vectors_home, Settings(), client_name="test")
    status = await engine_status(vectors_home)
    assert status is not None
    assert status.pid is not None
    engine = psutil.Process(status.pid)

    def builds() -> list[psutil.Process]:
        return [child for child in engine.children() if CHILD in child.cmdline()]

    (child,) = await until(builds, seconds=60)
    engine.kill()
    await until(lambda: not child.is_running(), seconds=20)
    await client.close()


def test_the_command_builds_and_measures(few_rules: Paths, hexcore: Run, tmp_path: Path) -> None:
    assert json.loads(hexcore("data", "vectors", "--json").stdout) == {"texts": 2}
    doctor = json.loads(hexcore("doctor", "--json").stdout)
    (finding,) = [found for found in doctor["findings"] if found["name"] == "vectors"]
    assert finding["detail"] == "2 texts have vectors"
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "I dropped my kettle, what now?", "rules": ["101.9"]}')
    measured = json.loads(hexcore("eval", str(questions), "--ablate", "--json").stdout)
    assert measured["recall"]["5"] == 1
    assert measured["ablations"]["vectors"]["recall"]["5"] == 0


def test_damaged_vectors_are_said_and_built_anew(few_rules: Paths, hexcore: Run) -> None:
    hexcore("data", "vectors")
    (file,) = few_rules.knowledge_dir.glob("*.vectors")
    file.write_bytes(file.read_bytes()[:-100])
    (finding,) = [
        found
        for found in json.loads(hexcore("doctor", "--json").stdout)["findings"]
        if found["name"] == "vectors"
    ]
    assert not finding["ok"]
    assert "hexcore data vectors" in finding["remedy"]
    assert hexcore("data", "vectors").returncode == 0
    assert list(few_rules.knowledge_dir.glob("*.damaged"))
    assert file.exists()

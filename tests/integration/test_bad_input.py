"""Questions and texts nobody should write: none is refused without a word, none reaches the terminal."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hexcore_engine.cli.main import main
from hexcore_engine.client.client import EngineClient
from hexcore_engine.errors import UsageError
from hexcore_engine.knowledge.store.reader import KnowledgeReader
from hexcore_engine.paths import Paths, default_paths
from hexcore_engine.protocol import events, requests
from hexcore_engine.settings import Settings
from tests.integration.parts import QUESTION, Run, answer_to
from tests.unit.knowledge.cards.own_cards import own_card, publish_own
from tests.unit.knowledge.cards.test_real_names import NUM_TYPOS, mistyped

pytestmark = pytest.mark.slow

HOSTILE = (
    "a\x1b[31mred\x1b]0;owned\x07\x9b31m\x90q\x9c\u202eright\u2066\u200b\r\x00\x7f [bold]b[/] **c** \udcff"
)
# C0 but tab and newline, DEL, C1, bidi and invisible signs.
FORBIDDEN = {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160))} | set(
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


def assert_harmless(*texts: str) -> None:
    for text in texts:
        assert not FORBIDDEN & set(text), ascii(text)


@pytest.mark.parametrize("question", ["", " \n\t ", "\x00\x1b[2J\u200b"])
def test_an_empty_question_is_refused_in_words(scripted_home: Paths, hexcore: Run, question: str) -> None:
    done = hexcore("ask", "-", "--json", input=question)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (2, "HX-USAGE")
    assert "empty" in error["message"]


@pytest.mark.parametrize("word", ["What does deathtouch do with trample? ", "x", "[702.19b ", "\U0001f409"])
async def test_a_hundred_thousand_characters_are_answered_and_what_was_left_out_is_said(
    client: EngineClient, word: str
) -> None:
    question = (word * (100_000 // len(word) + 1))[:100_000]
    plans = []
    async for event in client.stream(requests.AskQuestion(question, max_tokens=5)):
        if isinstance(event, events.PlanMade):
            plans.append(event.plan)
    assert isinstance(event, events.AnswerCompleted)
    cut = [step.detail for step in plans[0].given_up if step.name == "question"]
    # A question of one word is one word long to the scripted model, however long the word.
    assert bool(cut) == (len(question.split()) > plans[0].context_tokens)
    assert all("100,000 characters" in detail for detail in cut)
    assert (await answer_to(client)).stop_reason == "end"


async def test_the_real_model_says_what_it_left_out_of_a_long_question(
    model_home: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_MODEL_CONTEXT_TOKENS", "512")
    client = await EngineClient.connect(model_home, Settings())
    request = requests.AskQuestion("Does the lantern glow? " * 400, max_tokens=4)
    got = [event async for event in client.stream(request)]
    (plan,) = [event.plan for event in got if isinstance(event, events.PlanMade)]
    assert "of the question's 9,200 characters" in plan.given_up[0].detail
    assert plan.prompt_tokens + plan.max_tokens <= 512
    assert isinstance(got[-1], events.AnswerCompleted)
    await client.close()


async def test_a_question_longer_than_any_context_is_refused_in_words(
    client: EngineClient, hexcore: Run
) -> None:
    question = "word " * 100_000
    done = hexcore("ask", "-", "--json", input=question)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (2, "HX-USAGE")
    assert "500,000 characters" in error["message"]
    with pytest.raises(UsageError, match="500,000"):
        await client.call(requests.AskQuestion(question))


@pytest.mark.parametrize("number", ["999.1", "702.19z", "702.999", "0", "1000000000.1a", "702.2c.2", "seven"])
def test_a_rule_number_that_does_not_exist_names_the_nearest(home: Paths, hexcore: Run, number: str) -> None:
    done = hexcore("rule", number, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["rule"]) == (1, None)
    for near in document["nearest"]:
        assert hexcore("rule", near).returncode == 0


def test_numbers_a_model_makes_up_are_marked(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", "It is 999.99z and [702.2c] and also 104.3a that say so.")
    answer = json.loads(hexcore("ask", QUESTION, "--json").stdout)
    marks = {cited["rule"]: cited["status"] for cited in answer["citations"]}
    assert marks["999.99z"] == "unknown"
    assert marks["702.2c"] == "retrieved"
    assert marks["104.3a"] == "exists-not-retrieved"


def test_hostile_words_in_questions_and_answers_reach_no_terminal(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", HOSTILE.replace("\x00", "").replace("\udcff", ""))
    question = os.fsencode(f"{QUESTION} {HOSTILE}").replace(b"\x00", b"")
    for options in ((), ("--json",)):
        done = hexcore("ask", os.fsdecode(question), *options)
        assert done.returncode == 0, done.stderr
        assert_harmless(done.stdout, done.stderr)
        assert "[bold]b[/] **c**" in done.stdout
    for words in (("sessions",), ("sessions", "show", "last"), ("sessions", "export", "last")):
        shown = hexcore(*words)
        assert shown.returncode == 0
        assert_harmless(shown.stdout, shown.stderr, hexcore(*words, "--json").stdout)
    assert_harmless(scripted_home.engine_log_file.read_text())


def test_hostile_words_on_a_command_line_reach_no_terminal(home: Paths, hexcore: Run) -> None:
    hostile = HOSTILE.replace("\x00", "")
    for words in (
        ("rule", hostile),
        ("rules", hostile),
        ("glossary", hostile),
        ("card", hostile),
        ("cards", hostile),
        ("models", "use", f"/nowhere/{hostile}.gguf"),
        ("models", "use", f"http://{hostile}/v1"),
        ("setup", "--rules", f"/nowhere/{hostile}"),
        ("sessions", "show", hostile),
        ("ask", "x", "--mode", hostile),
        ("engine", hostile),
        (hostile,),
    ):
        for options in ((), ("--json",)):
            done = hexcore(*words, *options)
            assert "Traceback" not in done.stderr, done.stderr
            assert done.stdout + done.stderr
            assert_harmless(done.stdout, done.stderr)


def test_hostile_words_in_cards_and_file_names_reach_no_terminal(home: Paths, hexcore: Run) -> None:
    hostile = HOSTILE.replace("\udcff", "")
    publish_own(home.knowledge_dir, [own_card(f"Moss {hostile}"), own_card("Moss Lantern")], name=hostile)
    home.models_dir.mkdir()
    (home.models_dir / f"{HOSTILE.replace(chr(0), '')[:80].replace('/', '')}.gguf").write_bytes(b"GGUF")
    for words in (
        ("cards", "moss"),
        ("card", f"Moss {hostile}".replace("\x00", "")),
        ("models",),
        ("doctor",),
    ):
        for options in ((), ("--json",)):
            done = hexcore(*words, *options)
            assert "Traceback" not in done.stderr, done.stderr
            assert_harmless(done.stdout, done.stderr)


@pytest.mark.parametrize("seed", [20261125])
def test_fifty_mistyped_names_are_answered_with_the_right_card_among_three(
    make_home: Callable[[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seed: int,
) -> None:
    monkeypatch.setenv("HEXCORE_HOME", str(make_home(tmp_path)))
    chance = random.Random(seed)
    missed = []
    for name in sample_of_names(chance):
        typed = mistyped(name, chance)
        code = main(["card", typed, "--json"])
        document = json.loads(capsys.readouterr().out)
        # Another card may happen to have the mistyped name.
        if code == 1 and name not in document["nearest"]:
            missed.append((name, typed))
    assert missed == []


def sample_of_names(chance: random.Random) -> list[str]:
    reader = KnowledgeReader(default_paths().knowledge_dir)
    with reader.query() as connection:
        assert connection is not None
        rows = connection.execute("SELECT name FROM card WHERE extra = 0 ORDER BY card_id").fetchall()
    reader.close()
    return chance.sample([name for (name,) in rows if len(name) > 4], NUM_TYPOS)

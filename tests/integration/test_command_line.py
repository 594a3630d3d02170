"""`hexcore` in processes of its own: what `ask` prints, follow-ups, conversations, the engine, exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from hexcore_engine.cli.main import COMMANDS
from hexcore_engine.paths import Paths
from tests.integration.parts import HEXCORE, QUESTION, SLOW_TEXT, Run, until

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def at_home(scripted_home: Paths) -> Paths:
    return scripted_home


def test_ask_answers_in_the_documented_shape(hexcore: Run) -> None:
    done = hexcore("ask", QUESTION, "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert set(answer) == {
        *("response", "mode", "passages", "citations", "usage", "stop_reason", "rules_release", "model"),
        "metadata",
    }
    assert set(answer["mode"]) == {"name", "confidence"}
    assert answer["mode"]["name"].isupper()
    assert set(answer["passages"][0]) == {"kind", "id", "title", "why"}
    assert set(answer["citations"][0]) == {"rule", "bracketed", "status"}
    assert set(answer["usage"]) == {
        *("prompt_tokens", "cached_tokens", "generated_tokens", "ttft_ms", "tokens_per_s"),
    }
    assert answer["stop_reason"] == "end"
    assert answer["rules_release"] is None
    assert answer["metadata"]["session_id"]


def test_text_goes_to_stdout_and_evidence_to_stderr(hexcore: Run) -> None:
    done = hexcore("ask", QUESTION)
    assert done.stdout.startswith("The rule that decides this is [")
    assert "702.2" in done.stderr
    assert "from the evidence" in done.stderr
    assert "verified" not in done.stderr


def test_evidence_alone_needs_no_model(hexcore: Run) -> None:
    done = hexcore("ask", QUESTION, "--no-model", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["response"], answer["usage"]) == (0, "", None)
    assert answer["stop_reason"] == "no_model"
    assert answer["passages"]
    nothing = hexcore("ask", "qqxyzzy", "--no-model", "--json")
    assert (nothing.returncode, json.loads(nothing.stdout)["passages"]) == (1, [])


def test_a_question_is_read_from_stdin(hexcore: Run) -> None:
    done = hexcore("ask", "-", "--no-model", "--json", input="What does\ndeathtouch do?\n")
    assert "702.2" in done.stdout
    shown = hexcore("sessions", "show", "last").stdout
    assert "deathtouch do?" in shown


def test_bytes_that_are_no_text_are_read_with_a_sign_in_their_place() -> None:
    asked = subprocess.run(
        [*HEXCORE, "ask", "-", "--no-model", "--json"],
        input="What does deathtouch do, señor?".encode("latin-1"),
        capture_output=True,
        check=False,
    )
    assert (asked.returncode, asked.stderr) == (0, b"")
    assert any(found["id"].startswith("702.2") for found in json.loads(asked.stdout)["passages"])
    routed = subprocess.run(
        [*HEXCORE, "route", "-"],
        input=b"\xff\nwhat is trample\n",
        capture_output=True,
        check=False,
    )
    assert (routed.returncode, routed.stderr) == (0, b"")
    assert len(routed.stdout.splitlines()) == 2


LATIN = {"PYTHONIOENCODING": "latin-1"}
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("locale", [LATIN, PLAIN], ids=["latin-1", "ascii"])
def test_a_terminal_without_all_letters_gets_a_sign_in_their_place_and_json_its_values(
    hexcore: Run, locale: dict[str, str]
) -> None:
    poor = {**os.environ, **locale}
    for words in (("rule", "702.2c"), ("rules", "deathtouch"), ("glossary", "deathtouch")):
        done = hexcore(*words, env=poor, encoding="latin-1")
        assert (done.returncode, "nobody foresaw" in done.stderr) == (0, False), done.stderr
        assert "? " in done.stdout
        rich, told = hexcore(*words, "--json"), hexcore(*words, "--json", env=poor, encoding="latin-1")
        assert json.loads(told.stdout) == json.loads(rich.stdout)
    assert hexcore("ask", QUESTION, env=poor, encoding="latin-1").returncode == 0


def test_a_mode_is_pinned_and_an_answer_bounded(hexcore: Run) -> None:
    done = hexcore("ask", QUESTION, "--mode", "teach", "--max-tokens", "5", "--json")
    answer = json.loads(done.stdout)
    assert answer["mode"]["name"] == "TEACH"
    assert (answer["stop_reason"], answer["usage"]["generated_tokens"]) == ("length", 5)


def test_conversations_go_on_and_are_listed_renamed_exported_and_deleted(hexcore: Run) -> None:
    first = json.loads(hexcore("ask", QUESTION, "--json").stdout)["metadata"]["session_id"]
    second = json.loads(hexcore("ask", "And flying?", "--session", "last", "--json").stdout)
    assert second["metadata"]["session_id"] == first
    third = json.loads(hexcore("ask", "And reach?", "--session", first[:6], "--json").stdout)
    assert third["metadata"]["session_id"] == first
    assert hexcore("sessions", "rename", first, "Combat", "keywords").returncode == 0
    listed = json.loads(hexcore("sessions", "--json").stdout)["sessions"]
    assert [(entry["title"], entry["num_turns"]) for entry in listed] == [("Combat keywords", 3)]
    found = json.loads(hexcore("sessions", "search", "reach", "--json").stdout)["hits"]
    assert [hit["session"]["session_id"] for hit in found] == [first]
    assert hexcore("sessions", "search", "neversaid").returncode == 1
    assert "And flying?" in hexcore("sessions", "export", "last").stdout
    assert len(json.loads(hexcore("sessions", "export", "last", "json").stdout)["turns"]) == 3
    assert hexcore("sessions", "delete", first).returncode == 0
    assert hexcore("sessions").returncode == 1
    assert hexcore("sessions", "undelete", "last").returncode == 0
    assert hexcore("sessions").returncode == 0


def test_looking_at_conversations_loads_no_model(hexcore: Run) -> None:
    assert hexcore("sessions").returncode == 1
    assert hexcore("sessions", "search", "trample").returncode == 1
    assert json.loads(hexcore("engine", "--json").stdout)["model"] is None


def test_the_engine_is_started_seen_restarted_and_stopped(hexcore: Run) -> None:
    away = hexcore("engine", "status", "--json")
    status = json.loads(away.stdout)
    assert (away.returncode, status["running"], status["pid"]) == (1, False, None)
    names = {"running", "pid", "model", "decoder", "quantization", "uptime_s", "clients", "busy"}
    assert names | {"generated_tokens"} <= set(status)
    assert hexcore("engine", "stop").returncode == 1
    started = json.loads(hexcore("engine", "start", "--json").stdout)
    assert started["running"]
    assert json.loads(hexcore("engine", "start", "--json").stdout)["pid"] == started["pid"]
    restarted = json.loads(hexcore("engine", "restart", "--json").stdout)
    assert restarted["running"]
    assert restarted["pid"] != started["pid"]
    assert f"process {restarted['pid']}" in hexcore("engine").stdout
    assert hexcore("engine", "stop").returncode == 0
    assert hexcore("engine").returncode == 1


def test_a_model_is_named_by_a_path_from_where_the_command_is_typed(
    hexcore: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moss.gguf").write_bytes(b"no model at all")
    error = json.loads(hexcore("ask", QUESTION, "--model", "./moss.gguf", "--json").stdout)["error"]
    assert str(tmp_path / "moss.gguf") in error["message"]
    assert "There is no" not in error["message"]


def test_ctrl_c_stops_the_answer_and_keeps_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    asking = subprocess.Popen([*HEXCORE, "ask", QUESTION], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert asking.stdout is not None
    seen = b""
    while b"word1" not in seen:
        seen += os.read(asking.stdout.fileno(), 4096)
    asking.send_signal(signal.SIGINT)
    rest, said = asking.communicate(timeout=20)
    assert asking.returncode == 0
    assert b"word399" not in seen + rest
    assert b"Traceback" not in said


def test_ctrl_c_leaves_the_answer_another_command_waits_for_alone(
    hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)

    def num_sessions() -> int:
        return len(json.loads(hexcore("sessions", "--json").stdout)["sessions"])

    first = subprocess.Popen([*HEXCORE, "ask", QUESTION, "--json"], stdout=subprocess.PIPE)
    asyncio.run(until(lambda: num_sessions() == 1))
    queued = subprocess.Popen([*HEXCORE, "ask", QUESTION, "--json"], stdout=subprocess.PIPE)
    asyncio.run(until(lambda: num_sessions() == 2))
    queued.send_signal(signal.SIGINT)
    ended = [json.loads(asking.communicate(timeout=60)[0])["stop_reason"] for asking in (first, queued)]
    assert ended == ["length", "stopped"]


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    asking = subprocess.Popen([*HEXCORE, "rules", "creature"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert asking.stdout is not None
    asking.stdout.close()
    assert asking.stderr is not None
    assert b"Traceback" not in asking.stderr.read()
    assert asking.wait(20) == 0


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (("ask", "", "--json"), 2, "HX-USAGE"),
        (("ask", "x", "--mode", "dance", "--json"), 2, "HX-USAGE"),
        (("ask", "x", "--max-tokens", "0", "--json"), 2, "HX-USAGE"),
        (("ask", "x", "--max-tokens", "many", "--json"), 2, "HX-USAGE"),
        (("ask", "x", "--model", "scripted", "--decoder", "llama_cpp", "--json"), 2, "HX-USAGE"),
        (("ask", "x", "--model", "/nowhere/m.gguf", "--json"), 3, "HX-MODEL"),
        (("ask", "x", "--session", "nope", "--json"), 4, "HX-SESSION"),
        (("sessions", "show", "--json"), 2, "HX-USAGE"),
        (("sessions", "exprot", "last", "--json"), 2, "HX-USAGE"),
        (("sessions", "show", "nope", "--json"), 4, "HX-SESSION"),
        (("engine", "dance", "--json"), 2, "HX-USAGE"),
        (("rule", "702.2", "--tree", "--json"), 2, "HX-USAGE"),
        (("rul", "702.2", "--json"), 2, "HX-USAGE"),
        (("card", "Moss Lantern", "--json"), 3, "HX-KNOWLEDGE"),
        (("models", "use", "/nowhere/m.gguf", "--json"), 3, "HX-MODEL"),
        (("models", "use", "--json"), 2, "HX-USAGE"),
        (("setup", "--rules", "/nowhere/rules.txt", "--json"), 4, "HX-IMPORT"),
    ],
)
def test_failures_are_one_json_document_with_a_remedy(
    hexcore: Run, words: tuple[str, ...], exit_code: int, code: str
) -> None:
    done = hexcore(*words)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (exit_code, code)
    assert error["message"]
    assert error["remedy"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("settings.toml", "[model]\npth = 'x'\n", "'path'"),
        ("settings.toml", "[answer]\nmax_tokens = 'many'\n", "max_tokens"),
        ("settings.toml", "[model\n", "settings.toml"),
    ],
)
def test_unusable_settings_are_named(hexcore: Run, at_home: Paths, name: str, text: str, said: str) -> None:
    at_home.config_dir.mkdir()
    (at_home.config_dir / name).write_text(text)
    done = hexcore("ask", "x", "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (2, "HX-SETTINGS")
    assert said in error["message"] + error["remedy"]


def test_every_command_explains_itself(hexcore: Run) -> None:
    listed = hexcore("--help")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in COMMANDS)
    assert hexcore().returncode == 2
    assert "--session" in hexcore("ask", "--help").stdout


def test_the_doctor_names_what_is_missing(hexcore: Run) -> None:
    done = hexcore("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert findings["rules"]["ok"]
    assert not findings["cards"]["ok"]
    assert "hexcore setup" in findings["cards"]["remedy"]
    assert findings["model"]["ok"]


def test_look_ups_work_on_our_own_words_and_say_so(hexcore: Run) -> None:
    done = hexcore("rule", "702.2c")
    assert done.returncode == 0
    assert "in our words, not official" in done.stdout
    missing = hexcore("rule", "999.1")
    assert missing.returncode == 1
    assert "Nearest" in missing.stdout
    assert json.loads(hexcore("rules", "deathtouch", "--json").stdout)["results"]
    assert hexcore("rules", "qqxyzzy").returncode == 1
    assert hexcore("glossary", "qqxyzzy").returncode == 1


def test_a_home_with_a_hostile_name_is_told_without_its_signs(
    hexcore: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = tmp_path / "a\x1b]0;owned\x07b\u202ec\x9b31md"
    monkeypatch.setenv("HEXCORE_HOME", str(hostile))
    for words in (
        ("doctor",),
        ("models",),
        ("models", "use", f"{hostile}/m.gguf"),
        ("setup", "--rules", f"{hostile}"),
    ):
        done = hexcore(*words)
        assert not set("\x1b\x07\x9b\u202e") & set(done.stdout + done.stderr), words
        assert done.stdout + done.stderr

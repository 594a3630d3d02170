"""`hexcore bench` where conversations can't be kept, where the model refuses, and where it is broken off."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from contextlib import closing

import pytest

from hexcore_engine.paths import Paths
from hexcore_engine.sessions.store import SessionStore
from tests.integration.parts import HEXCORE, SLOW_TEXT, Run, wait_until

pytestmark = pytest.mark.slow


def test_where_no_conversation_can_be_begun_all_but_the_follow_up_is_measured(
    scripted_home: Paths, hexcore: Run
) -> None:
    SessionStore(scripted_home.sessions_file).close()
    with closing(sqlite3.connect(scripted_home.sessions_file)) as connection, connection:
        refusing = "CREATE TRIGGER refuse BEFORE INSERT ON session BEGIN SELECT RAISE(ABORT, 'refused'); END"
        connection.execute(refusing)
    done = hexcore("bench", "--quick", "--json")
    figures = {entry["name"]: entry for entry in json.loads(done.stdout)["figures"]}
    follow_up = figures.pop("model, first token of a follow-up")
    assert all(entry["value"] > 0 for entry in figures.values())
    assert (follow_up["value"], follow_up["note"]) == (None, "conversations can't be kept here")


def test_where_no_model_answers_the_figures_of_look_ups_are_kept_and_no_conversation(
    home: Paths, hexcore: Run
) -> None:
    done = hexcore("bench", "--quick", "--json")
    figures = json.loads(done.stdout)["figures"]
    assert [entry["value"] is None for entry in figures] == [False] * 3 + [True] * 3
    assert all(entry["note"] for entry in figures[3:])
    assert hexcore("sessions").returncode == 1


def test_ctrl_c_leaves_no_conversation_of_the_measurement(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", SLOW_TEXT)
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "4")
    measuring = subprocess.Popen([*HEXCORE, "bench", "--quick"], stderr=subprocess.PIPE, text=True)

    def is_answering() -> bool:
        status = hexcore("engine", "status", "--json")
        return bool(json.loads(status.stdout)["generated_tokens"])

    wait_until(is_answering)
    assert hexcore("sessions").returncode == 0
    measuring.send_signal(signal.SIGINT)
    said = measuring.communicate(timeout=20)[1]
    assert (measuring.returncode, "Traceback" in said) == (130, False)
    assert hexcore("sessions").returncode == 1

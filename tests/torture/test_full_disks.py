"""Disks that fill up while the program writes: it says so, and what was there before is still there."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.service.recorder import NOT_SAVED
from hexcore_engine.sessions.store import SessionStore
from hexcore_engine.utils.logging import MAX_LOG_BYTES
from tests.conftest import paths_of
from tests.integration.data import test_card_import_faults as card_imports
from tests.integration.data import test_rules_import_faults as rules_imports
from tests.integration.data.test_setup_faults import mounted
from tests.integration.parts import ENGINE, HEXCORE, QUESTION, Run, wait_until
from tests.torture.tally import Tally, scaled

pytestmark = pytest.mark.torture

MIB = 1024 * 1024
WAIT_S = 120
NUM_SIZES = 12
LONG_ANSWER = " ".join(f"word{number}" for number in range(3000))


@contextmanager
def disk_of(folder: Path, num_bytes: int) -> Iterator[None]:
    """A small disk at `folder`, with what lay there on it."""
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    folder.mkdir()
    with mounted(folder, "-t", "tmpfs", "-o", f"size={num_bytes}", "tmpfs"):
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield


def fill(folder: Path, left: int) -> Path:
    """Leave that many bytes free."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free - left)))
    return ballast


def limit_of(num_bytes: int) -> Callable[[], None]:
    """For `preexec_fn`: files may only grow that far."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))


def asked(hexcore: Run, *options: str) -> dict[str, Any]:
    """The document of one question."""
    done = hexcore("ask", QUESTION, "--json", "--max-tokens", "2500", *options)
    assert "Traceback" not in done.stderr, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_conversations_on_a_disk_that_fills_up_keep_all_they_held(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_TEXT", LONG_ANSWER)
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0")
    with disk_of(scripted_home.home, 24 * MIB):
        first = asked(hexcore)
        for number in range(scaled(NUM_SIZES)):
            ballast = fill(scripted_home.home, 20_000 * number)
            document = asked(hexcore)
            tally.tried("answers on a full disk")
            whole = document["response"] == first["response"] and document["stop_reason"] == "length"
            tally.expect(whole, f"{20_000 * number} bytes left: {document}"[:400])
            ballast.unlink()
            saved = NOT_SAVED not in document["metadata"]["notes"]
            shown = hexcore("sessions", "show", first["metadata"]["session_id"], "--json").stdout
            kept = json.loads(shown)["turns"][0]["response"] == first["response"]
            tally.expect(kept, "the first answer is not what it was")
            if saved:
                again = json.loads(hexcore("sessions", "show", "last", "--json").stdout)["turns"][-1]
                tally.expect(again["response"] == document["response"], "called saved, and is not")
            else:
                tally.tried("of them said not to be saved")
        after = asked(hexcore)
        tally.expect(NOT_SAVED not in after["metadata"]["notes"], "with room again, still not saved")
        tally.expect(hexcore("engine", "stop").returncode == 0, "the engine did not stop")
        with closing(SessionStore(scripted_home.sessions_file)) as store:
            tally.expect(store.damaged_file is None, "the conversations were damaged")


def test_an_import_on_a_disk_that_fills_up_is_said_and_leaves_the_old_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    home = tmp_path / "home"
    paths = paths_of(home)
    words = {"ember", "willow"}
    cards = {word: card_imports.many_cards(tmp_path / f"{word}.json", word) for word in words}
    rules = {
        word: rules_imports.release_of(tmp_path / f"{word}.txt", word, "January 1, 2025") for word in words
    }
    for file in (cards["ember"], rules["ember"]):
        assert rules_imports.start_import(home, file).wait(WAIT_S) == 0
    with disk_of(home, 64 * MIB):
        for number in range(scaled(NUM_SIZES)):
            file = (cards, rules)[number % 2]["willow"]
            before = read_pointer(paths.knowledge_dir)
            ballast = fill(home, 60_000 * number)
            said = imported(home, file)
            ballast.unlink()
            tally.tried("imports on a full disk")
            card_imports.assert_whole(paths.knowledge_dir, words)
            rules_imports.assert_whole(paths, words)
            if "error" in said:
                right = said["error"]["code"] == "HX-STORAGE" and said["error"]["remedy"]
                tally.expect(right, f"{60_000 * number} bytes left: {said}")
                tally.expect(
                    read_pointer(paths.knowledge_dir) == before, "failed, and changed what is in use"
                )
                tally.tried("of them refused")
        for file in (cards["willow"], rules["willow"]):
            tally.expect("error" not in imported(home, file), f"{file.name} failed with room again")


def imported(home: Path, file: Path, limit: Callable[[], None] | None = None) -> dict[str, Any]:
    """The document of one import."""
    done = subprocess.run(
        [*HEXCORE, "data", "import", str(file), "--json"],
        env={**os.environ, "HEXCORE_HOME": str(home)},
        capture_output=True,
        timeout=WAIT_S,
        preexec_fn=limit,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_files_that_may_not_grow_are_said_like_a_full_disk(tmp_path: Path, tally: Tally) -> None:
    home = tmp_path / "home"
    paths = paths_of(home)
    old = card_imports.many_cards(tmp_path / "ember.json", "ember")
    new = card_imports.many_cards(tmp_path / "willow.json", "willow")
    assert rules_imports.start_import(home, old).wait(WAIT_S) == 0
    for number in range(scaled(NUM_SIZES)):
        said = imported(home, new, limit_of(40_000 * (number + 1)))
        tally.tried("imports with a limit on files")
        tally.expect(said.get("error", {}).get("code") == "HX-STORAGE", f"{said}"[:300])
        card_imports.assert_whole(paths.knowledge_dir, {"ember", "willow"})


def test_a_model_converted_onto_a_full_disk_leaves_no_half_of_it(
    model_home: Paths, hexcore: Run, tally: Tally
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    for limit in [MIB * size for size in (1, 128)][: scaled(2)]:
        done = hexcore("models", "import-gguf", "--json", preexec_fn=limit_of(limit), timeout=WAIT_S)
        tally.tried("conversions with a limit on files")
        error = json.loads(done.stdout).get("error", {})
        tally.expect(error.get("code") == "HX-STORAGE", f"{limit} bytes: {done.stdout} {done.stderr[-300:]}")
        left = [
            file.name for file in model_home.models_dir.iterdir() if file != model_home.embedded_model_file
        ]
        tally.expect(not left, f"left behind: {left}")
    done = hexcore("models", "import-gguf", "--json", timeout=WAIT_S)
    tally.expect(done.returncode == 0, f"with room again: {done.stdout}")


def test_logs_on_a_full_disk_stop_no_answer_and_stay_bounded(
    scripted_home: Paths, hexcore: Run, monkeypatch: pytest.MonkeyPatch, tally: Tally
) -> None:
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0")
    scripted_home.log_dir.mkdir(parents=True)
    # As large as it may become: the next record would begin another file.
    scripted_home.engine_log_file.write_bytes(b"x" * (MAX_LOG_BYTES - 10))
    with disk_of(scripted_home.log_dir, 2 * MIB):
        fill(scripted_home.log_dir, 0)
        engine = subprocess.Popen(ENGINE)
        wait_until(scripted_home.socket_file.exists)
        for _ in range(scaled(10)):
            tally.tried("answers with a full log")
            tally.expect(asked(hexcore)["stop_reason"] == "end", "an answer failed")
        tally.expect(hexcore("engine", "stop").returncode == 0, "the engine did not stop")
        tally.expect(engine.wait(20) == 0, f"the engine ended with {engine.returncode}")


def test_a_run_folder_on_a_full_disk_is_said(scripted_home: Paths, hexcore: Run, tally: Tally) -> None:
    with disk_of(scripted_home.home, 16 * MIB):
        for left in (0, 4096, 40_000)[: scaled(3)]:
            ballast = fill(scripted_home.home, left)
            done = hexcore("ask", QUESTION, "--json")
            tally.tried("starts on a full disk")
            tally.expect("Traceback" not in done.stderr, done.stderr[-500:])
            document = json.loads(done.stdout)
            said = document.get("error", {}).get("remedy") or document.get("stop_reason") == "end"
            tally.expect(said, f"{left} bytes left: {document}"[:400])
            hexcore("engine", "stop")
            ballast.unlink()
        tally.expect(hexcore("ask", QUESTION).returncode == 0, "with room again, no answer")
        hexcore("engine", "stop")

"""Card imports that are killed, doubled, or run under a reader leave old or new cards, never a mixture."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hexcore_engine.data.card_files import import_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.integrity import damage_of
from hexcore_engine.knowledge.store.pointer import read_pointer
from tests.conftest import paths_of
from tests.unit.data.own_card_files import scryfall_card, write_json

pytestmark = pytest.mark.slow

NUM_CARDS = 2000
NUM_KILLS = 20
WAIT_S = 120


def many_cards(file: Path, word: str, count: int = NUM_CARDS) -> Path:
    """A file of cards that all have `word` in their name and their text."""
    rows = [
        scryfall_card(f"{word} {number}", oracle_text=f"{word} number {number} glows.")
        for number in range(count)
    ]
    return write_json(file, rows)


def start_import(home: Path, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.data.import_once", str(file)],
        env={**os.environ, "HEXCORE_HOME": str(home)},
        stderr=subprocess.PIPE,
    )


def assert_whole(folder: Path, words: set[str], count: int = NUM_CARDS) -> None:
    """All cards are of one of these words, and the file in use is undamaged."""
    pointer = read_pointer(folder)
    assert pointer is not None
    assert pointer.cards_file is not None
    assert damage_of(folder / pointer.cards_file, pointer.digests[pointer.cards_file]) is None
    knowledge = Knowledge(folder)
    totals = {word: knowledge.search_cards(f"{word} o:{word}").total for word in words}
    status = knowledge.status()
    knowledge.close()
    assert status.num_cards == count
    assert sorted(totals.values()) == [*[0] * (len(words) - 1), count]


def test_an_import_killed_at_any_moment_leaves_the_old_cards_in_use(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    import_cards(paths, many_cards(tmp_path / "old.json", "ember"), QuietProgress())
    new = many_cards(tmp_path / "new.json", "willow")
    started = time.monotonic()
    whole = start_import(tmp_path / "another-home", new)
    assert whole.wait(WAIT_S) == 0
    takes_s = time.monotonic() - started
    chance = random.Random(7)
    killed = 0
    for _ in range(NUM_KILLS):
        process = start_import(paths.home, new)
        # A moment of the work itself is meant, whichever it is; nothing is waited for.
        time.sleep(chance.uniform(0.2, 0.9) * takes_s)
        process.send_signal(signal.SIGKILL)
        killed += process.wait(WAIT_S) == -signal.SIGKILL
        assert_whole(paths.knowledge_dir, {"ember", "willow"})
    assert killed > 0
    assert start_import(paths.home, new).wait(WAIT_S) == 0
    assert_whole(paths.knowledge_dir, {"ember", "willow"})


def test_two_imports_at_once_take_turns(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    files = [many_cards(tmp_path / f"{word}.json", word) for word in ("ember", "willow")]
    processes = [start_import(paths.home, file) for file in files]
    assert [process.wait(WAIT_S) for process in processes] == [0, 0]
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    assert pointer.generation == 2
    assert_whole(paths.knowledge_dir, {"ember", "willow"})


def test_a_reader_sees_old_or_new_cards_and_never_a_mixture(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    old = many_cards(tmp_path / "ember.json", "ember", 300)
    new = many_cards(tmp_path / "willow.json", "willow", 500)
    import_cards(paths, old, QuietProgress())
    knowledge = Knowledge(paths.knowledge_dir)
    seen = set()
    for file in (new, old, new):
        process = start_import(paths.home, file)
        while process.poll() is None:
            found = knowledge.search_cards("o:glows -name:nothing", 1000)
            names = {hit.name.split()[0] for hit in found.hits}
            seen.add((found.total, *names))
        assert process.returncode == 0
    found = knowledge.search_cards("o:glows", 1)
    knowledge.close()
    seen.add((found.total, found.hits[0].name.split()[0]))
    assert seen <= {(300, "ember"), (500, "willow")}
    assert (500, "willow") in seen

"""Rules imports that are killed, run twice at once, or run under a reader: old or new, never a mixture."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hexcore_engine.data.rules_files import import_and_keep, rebuild_releases
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.integrity import damage_of
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths
from tests.conftest import paths_of
from tests.integration.parts import HEXCORE
from tests.unit.knowledge.rules.own_release import OwnRelease

pytestmark = pytest.mark.slow

NUM_KILLS = 20
NUM_RULES = 900
WAIT_S = 120


def release_of(file: Path, word: str, effective: str, num_rules: int = NUM_RULES) -> Path:
    """A rules file whose every rule holds `word`."""
    groups = {
        str(group): [
            f"{group}.{n}. The {word} number {n} glows in harbor {group}."
            for n in range(1, num_rules // 9 + 1)
        ]
        for group in range(100, 109)
    }
    text = OwnRelease(effective, "effective", "Game Concepts", groups, [(word, f"A {word} glows.")]).text()
    file.write_text(text)
    return file


def start_import(home: Path, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*HEXCORE, "data", "import", str(file), "--json"],
        env={**os.environ, "HEXCORE_HOME": str(home)},
        stdout=subprocess.PIPE,
    )


def assert_whole(paths: Paths, words: set[str], num_rules: int = NUM_RULES) -> str:
    """The release in use is undamaged and holds rules of one word alone; return that word."""
    folder = paths.knowledge_dir
    pointer = read_pointer(folder)
    assert pointer is not None
    entry = pointer.current_release()
    assert entry is not None
    assert damage_of(folder / entry.file, pointer.digests[entry.file]) is None
    knowledge = Knowledge(folder)
    found = {word: len(knowledge.search_rules(f'"the {word} number"', 5000)) for word in words}
    knowledge.close()
    assert sorted(found.values()) == [*[0] * (len(words) - 1), num_rules]
    return max(found, key=lambda word: found[word])


def test_an_import_killed_at_any_moment_leaves_a_whole_release_in_use(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    import_and_keep(paths, release_of(tmp_path / "old.txt", "ember", "January 1, 2025"))
    # The same date, so that each import replaces the release in use.
    files = {
        word: release_of(tmp_path / f"{word}.txt", word, "January 1, 2025") for word in ("willow", "ember")
    }
    started = time.monotonic()
    assert start_import(tmp_path / "another-home", files["willow"]).wait(WAIT_S) == 0
    takes_s = time.monotonic() - started
    chance = random.Random(11)
    killed = 0
    for number in range(NUM_KILLS):
        before = assert_whole(paths, set(files))
        process = start_import(paths.home, files["willow" if before == "ember" else "ember"])
        # A moment of the work itself is meant, whichever it is; nothing is waited for.
        time.sleep(chance.uniform(0.2, 1.1) * takes_s)
        process.send_signal(signal.SIGKILL)
        killed += process.wait(WAIT_S) == -signal.SIGKILL
        assert_whole(paths, set(files))
        if number % 5 == 4:
            # Set-up finds nothing to mend that it can't.
            rebuild_releases(paths)
            assert_whole(paths, set(files))
    assert killed > 0
    process = start_import(paths.home, files["willow"])
    assert process.wait(WAIT_S) == 0
    assert assert_whole(paths, set(files)) == "willow"


def test_two_imports_at_once_take_turns(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    files = [
        release_of(tmp_path / "ember.txt", "ember", "January 1, 2025"),
        release_of(tmp_path / "willow.txt", "willow", "February 1, 2025"),
    ]
    processes = [start_import(paths.home, file) for file in files]
    documents = [json.loads(process.communicate(timeout=WAIT_S)[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [document["effective"] for document in documents] == ["2025-01-01", "2025-02-01"]
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    assert pointer.generation == 2
    assert [entry.key for entry in pointer.official_releases()] == ["2025-02-01", "2025-01-01"]
    assert assert_whole(paths, {"ember", "willow"}) == "willow"


def test_a_reader_sees_the_old_or_the_new_release_and_never_a_mixture(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    old = release_of(tmp_path / "ember.txt", "ember", "January 1, 2025", 450)
    new = release_of(tmp_path / "willow.txt", "willow", "January 1, 2025", 900)
    import_and_keep(paths, old)
    knowledge = Knowledge(paths.knowledge_dir)
    seen = set()
    for file in (new, old, new):
        process = start_import(paths.home, file)
        while process.poll() is None:
            hits = knowledge.search_rules('"glows in harbor"', 5000)
            seen.add((len(hits), *{hit.rule.text.split()[1] for hit in hits}))
        assert process.returncode == 0
    hits = knowledge.search_rules('"glows in harbor"', 5000)
    knowledge.close()
    seen.add((len(hits), *{hit.rule.text.split()[1] for hit in hits}))
    assert seen <= {(450, "ember"), (900, "willow")}
    assert (900, "willow") in seen

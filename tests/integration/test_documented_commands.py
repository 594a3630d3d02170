"""Each command that the pages show is run, in a home where what it speaks of exists."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from hexcore_engine.data.demo import build_demo
from hexcore_engine.data.rules_files import import_and_keep
from hexcore_engine.paths import Paths
from hexcore_engine.sessions.store import SessionStore
from tests.conftest import paths_of
from tests.integration.parts import Run
from tests.unit.knowledge.rules.own_release import own_editions
from tests.unit.test_documentation import ROOT, shown_commands

pytestmark = pytest.mark.slow

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
RELEASES = {
    "2022-11-18": "November 18, 2022",
    "2025-11-14": "November 14, 2025",
    "2026-01-16": "January 16, 2026",
}
QUESTIONS = '{"question": "Does the lantern glow?", "rules": ["100.1"]}\n'
# Names that stand for something of the reader's.
STANDING_FOR = {
    "…": "What does deathtouch do?",
    "X": "scripted",
    "QUERY": "t:elf",
    "PATH.gguf": "{home}/models/none.gguf",
    "OWNER/NAME": "somebody/lantern",
}
# What ends otherwise than with 0 or 1 here, where there is no network, no adapter and no model file.
OTHERWISE = (
    (r"^route$|^models use$|^ask --model X$", {2}, "only named, not shown: it takes words"),
    (r"^setup", {3}, "nothing can be fetched"),
    (r"^data update", {4}, "the sources can't be asked"),
    (
        r"^data vectors|import-gguf|^models (get|plan .)|torch",
        {2, 3, 4},
        "the extra or its model is missing",
    ),
    (r"^models use (.*\.gguf|OWNER/NAME|embedded)", {3, 4}, "there is no such model"),
    (r"^ask --experts", {4}, "the scripted model has no adapters"),
    (r"adapter", {0, 1, 3, 4}, "there is no such adapter, or no model that torch runs"),
)


def distinct() -> list[str]:
    """The words behind `hexcore` of each command, once."""
    found = {shlex.join(shlex.split(command, comments=True)[1:]) for _, command in shown_commands()}
    return sorted(found - {"--about", "--version"})


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the demo's cards, three small releases and a conversation; only to be copied."""
    paths = paths_of(tmp_path_factory.mktemp("furnished") / "home")
    build_demo(paths.knowledge_dir)
    text = own_editions()["2025-01-01"].decode()
    text = text.replace("100.1a", "Example: One lantern glows and others do not.\n\n100.1a", 1)
    for said in RELEASES.values():
        file = paths.home / "rules.txt"
        file.write_text(text.replace("January 1, 2025", said), "utf-8")
        import_and_keep(paths, file)
    store = SessionStore(paths.sessions_file)
    turn = store.begin_turn(store.create("combat"), "What if the blocker leaves?")
    store.update_turn(turn, response="It stays blocked.", stop_reason="end")
    gone = store.create("gone")
    store.update_turn(store.begin_turn(gone, "Where?"), response="Here.", stop_reason="end")
    store.delete(gone)
    store.close()
    return paths.home


@pytest.fixture
def at_home(scripted_home: Paths, furnished: Path) -> Paths:
    """This test's home, furnished."""
    shutil.rmtree(scripted_home.home)
    shutil.copytree(furnished, scripted_home.home)
    return scripted_home


def made_real(words: list[str], paths: Paths) -> list[str]:
    """The words with what stands for something of the reader's put in."""
    real = [STANDING_FOR.get(word, word).format(home=paths.home) for word in words]
    file = paths.home / ("questions.jsonl" if words[0] == "eval" else "rules.txt")
    if words[0] == "eval":
        file.write_text(QUESTIONS)
    real = [str(file) if word in ("FILE", "FILE.jsonl") else word for word in real]
    # The weights of the package stay as they are.
    return [*real, "--output", str(paths.home)] if words[0] == "train" else real


@pytest.mark.parametrize("command", distinct())
def test_each_command_that_is_shown_does_what_it_says(command: str, at_home: Paths, hexcore: Run) -> None:
    words = shlex.split(command)
    done = hexcore(*made_real(words, at_home), input="What is trample?\n", timeout=180)
    expected = next((codes for pattern, codes, _ in OTHERWISE if re.search(pattern, command)), {0, 1})
    assert done.returncode in expected, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() or done.stderr.strip()


def test_each_make_target_that_is_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    shown = {
        name
        for page in pages
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert len(shown) > 8
    assert shown <= targets

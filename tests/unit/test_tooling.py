"""The project's own tools: mutants, coverage, the release."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pyte
import pytest

from scripts import cast, coverage_check, mutation_check, release, screenshots


def test_what_explains_a_mutant_fits_one() -> None:
    places = {
        (mutant.module, mutant.text, mutant.change)
        for module in mutation_check.TARGETS
        for mutant in mutation_check.mutants_of(module)
    }
    assert set(mutation_check.EQUIVALENT) <= places


def test_the_tests_that_answer_for_a_module_exist() -> None:
    for module, tests in mutation_check.TARGETS.items():
        assert mutation_check.source_file(module).is_file()
        assert all((mutation_check.ROOT / name).is_file() for name in tests)


def test_each_place_of_a_module_is_changed_once_and_annotations_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lantern.py").write_text(
        "from typing import TYPE_CHECKING, Literal\n"
        "if TYPE_CHECKING:\n    import os\n"
        "def glow(size: Literal[1] = 2, *, lit: bool = True) -> bool:\n"
        "    if size < 3 and lit:\n        return size + 1 != 4\n    return False\n"
    )
    monkeypatch.setattr(mutation_check, "ROOT", tmp_path)
    mutants = mutation_check.mutants_of("lantern")
    assert sorted((mutant.line, mutant.change) for mutant in mutants) == sorted(
        [
            (4, "True -> False"),
            (4, "2 -> 3"),
            (5, "condition -> its opposite"),
            (5, "And -> Or"),
            (5, "Lt -> LtE"),
            (5, "3 -> 4"),
            (6, "NotEq -> Eq"),
            (6, "Add -> Sub"),
            (6, "1 -> 2"),
            (6, "4 -> 5"),
            (7, "False -> True"),
        ]
    )
    names: dict[str, object] = {}
    exec(mutation_check.compiled(mutants[-1]), names)
    glow = names["glow"]
    assert callable(glow)
    assert (glow(1), glow(2), glow(5)) == (True, True, True)


def test_mutants_are_taken_evenly() -> None:
    module = next(iter(mutation_check.TARGETS))
    every = mutation_check.mutants_of(module)
    few = mutation_check.spread(every, 5)
    assert len(few) == 5
    assert few[0] == every[0]
    assert few == sorted(few, key=lambda mutant: mutant.line)
    assert mutation_check.spread(every, len(every)) == every


def test_lines_and_branches_are_added_up_by_package_and_room() -> None:
    def entry(lines: int, run: int) -> dict[str, dict[str, int]]:
        return {"summary": {"num_statements": lines, "covered_lines": run, "missing_lines": lines - run}}

    files = {"lamp/a.py": entry(10, 5), "lamp/room/b.py": entry(10, 10), "lamp/room/c.py": entry(20, 15)}
    found = coverage_check.totals(files)
    assert (found["lamp"]["lines"], found["lamp"]["run"]) == (40, 30)
    assert (found["lamp/room"]["lines"], found["lamp/room"]["run"]) == (30, 25)
    rows = list(coverage_check.table(files))
    assert rows[1].split() == ["lamp", "40", "75.0%", "0", "100.0%"]
    assert [row.split() for row in rows[-2:]] == [["lamp/room/c.py", "5"], ["lamp/a.py", "5"]]


def test_files_of_the_extra_are_known_by_what_they_import() -> None:
    assert coverage_check.needs_extra("hexcore_engine/models/loader.py")
    assert not coverage_check.needs_extra("hexcore_engine/models/catalog.py")


def test_what_was_made_is_listed_with_size_and_hash(tmp_path: Path) -> None:
    file = tmp_path / "hexcore.whl"
    file.write_bytes(b"x" * 1234)
    row = release.table([file])
    assert row.split() == [hashlib.sha256(b"x" * 1234).hexdigest(), "1,234", "hexcore.whl"]


def test_a_stranger_has_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEXCORE_MODEL_PATH", "PYTHONPATH", "VIRTUAL_ENV", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, "ours")
    environment = release.stranger(tmp_path)
    assert "ours" not in environment.values()
    assert environment["HOME"] == str(tmp_path / "home")
    assert environment["HEXCORE_HOME"] == str(tmp_path / "hexcore")


def test_every_target_that_is_listed_is_run_whatever_files_there_are() -> None:
    makefile = (mutation_check.ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert phony is not None
    listed = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert listed <= set(phony[1].replace("\\", " ").split())


def test_a_program_that_fails_is_no_release() -> None:
    with pytest.raises(release.ReleaseProblem, match="ended with 3"):
        release.run("sh", "-c", "echo why; exit 3")


def test_a_recording_holds_what_a_terminal_was_shown_and_the_keys_it_was_sent() -> None:
    program = "stty -echo; printf 'Name?'; read -r name; printf '\\nGlow, %s.' \"$name\"; read -r end"
    script = (cast.Step("Name?", 0.0, "Ada\r"), cast.Step("Glow, Ada.", 0.0, "\r"))
    events = cast.record(("sh", "-c", program), script)
    assert "Glow, Ada." in "".join(text for _, text in events)
    assert [seconds for seconds, _ in events] == sorted(seconds for seconds, _ in events)
    assert list(cast.read_cast(cast.cast_text(events))) == events


def test_a_recording_whose_words_never_come_says_what_stood_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cast, "STEP_TIMEOUT_S", 0.3)
    with pytest.raises(TimeoutError, match=r"'lantern' was not seen.*\n.*dark"):
        cast.record(("sh", "-c", "printf dark; sleep 5"), (cast.Step("lantern", 0.0, ""),))


def test_what_is_no_recording_is_not_played() -> None:
    with pytest.raises(ValueError, match="no asciicast"):
        list(cast.read_cast('{"version": 1}\n'))


def test_the_recording_shows_question_answer_cards_and_rules_and_nothing_of_a_machine() -> None:
    text = cast.CAST.read_text("utf-8")
    screen = pyte.Screen(cast.COLUMNS, cast.ROWS)
    stream = pyte.Stream(screen)
    wanted = [step.seen for step in cast.SCRIPT]
    for _, words in cast.read_cast(text):
        stream.feed(words)
        if wanted and wanted[0] in "\n".join(screen.display):
            wanted.pop(0)
    assert wanted == []
    assert not re.search(r"/tmp/|/home/|/var/|/private/|/Users/", text)


def test_a_picture_that_nobody_draws_any_more_is_stale(tmp_path: Path) -> None:
    drawn = screenshots.draw(tmp_path)
    assert screenshots.stale(tmp_path) == []
    drawn[0].write_text("old", "utf-8")
    (tmp_path / "lantern.svg").write_text("gone", "utf-8")
    assert screenshots.stale(tmp_path) == sorted([drawn[0].name, "lantern.svg"])

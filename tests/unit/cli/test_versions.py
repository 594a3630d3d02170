"""`hexcore --version` says what is in use: the program, the rules' release, the cards' date."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hexcore_engine import __version__
from hexcore_engine.cli.main import main
from hexcore_engine.data.demo import build_demo
from tests.unit.data.own_card_files import atomic_face, atomic_file, write_json
from tests.unit.knowledge.rules.own_release import own_editions

ROOT = Path(__file__).resolve().parents[3]
Output = pytest.CaptureFixture[str]


def versions(capsys: Output) -> dict[str, str | None]:
    """What `--version --json` prints."""
    assert main(["--version", "--json"]) == 0
    found: dict[str, str | None] = json.loads(capsys.readouterr().out)
    return found


def test_before_set_up_only_the_program_has_a_version(home: Path, capsys: Output) -> None:
    assert versions(capsys) == {"version": __version__, "rules_release": None, "cards_date": None}
    assert main(["-V"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [f"hexcore {__version__}", "rules   none set up"]


def test_our_own_words_are_no_release(home: Path, capsys: Output) -> None:
    build_demo(home / "knowledge")
    assert versions(capsys)["rules_release"] is None
    main(["--version"])
    assert "rules   no official release, our own words" in capsys.readouterr().out


def test_a_release_and_a_card_file_are_named_by_their_dates(
    home: Path, tmp_path: Path, capsys: Output
) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_bytes(own_editions()["2025-02-01"])
    cards = write_json(tmp_path / "cards.json", atomic_file({"Moss Lantern": [atomic_face("Moss Lantern")]}))
    for file in (rules, cards):
        assert main(["data", "import", str(file)]) == 0
    capsys.readouterr()
    found = versions(capsys)
    assert (found["rules_release"], found["cards_date"]) == ("2025-02-01", "2026-02-03")
    main(["--version"])
    assert capsys.readouterr().out.splitlines()[1:] == ["rules   2025-02-01", "cards   2026-02-03"]


def test_a_damaged_file_is_said_and_the_version_shown_all_the_same(home: Path, capsys: Output) -> None:
    build_demo(home / "knowledge")
    for file in (home / "knowledge").glob("*.sqlite"):
        file.write_bytes(b"no file of ours" * 100)
    assert versions(capsys)["version"] == __version__
    main(["--version"])
    assert "rules   unreadable, " in capsys.readouterr().out


def test_the_version_stands_in_one_place() -> None:
    places = [
        file.relative_to(ROOT).as_posix()
        for package in ("hexcore_engine", "hexcore_tui", "scripts")
        for file in (ROOT / package).rglob("*.py")
        if re.search(rf"['\"]{re.escape(__version__)}['\"]", file.read_text("utf-8"))
    ]
    # A data package may have the same number.
    assert [place for place in places if place != "hexcore_engine/data/packages.py"] == [
        "hexcore_engine/__init__.py"
    ]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'dynamic = ["version"]' in project
    assert 'path = "hexcore_engine/__init__.py"' in project

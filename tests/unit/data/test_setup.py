"""Set-up on small parts: repeated, offline, with bad rules files, and after damage."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hexcore_engine.data.packages import CARDS
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.data.setup import SetupItem, SetupReport, run_setup
from hexcore_engine.errors import ImportFileError, StorageError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.pointer import POINTER_NAME, Pointer, read_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.settings import DataSettings, Settings
from tests.conftest import paths_of
from tests.unit.data.own_rules import own_rules
from tests.unit.data.rules_server import PAGE, rules_server

MakeHome = Callable[[Path], Path]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    file = tmp_path / "own rules.txt"
    file.write_bytes(own_rules())
    return file


def set_up(paths: Paths, rules_file: Path | None = None, settings: Settings | None = None) -> SetupReport:
    return run_setup(paths, settings or Settings(), rules_file=rules_file, progress=QuietProgress())


def item(report: SetupReport, name: str) -> SetupItem:
    return next(item for item in report.items if item.name == name)


def pointer_of(paths: Paths) -> Pointer:
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    return pointer


def flip(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 0x55
    file.write_bytes(content)


@pytest.mark.usefixtures("offline")
def test_offline_our_own_words_are_ready_and_what_is_missing_is_said(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    report = set_up(paths)
    assert not report.complete
    assert [entry.name for entry in report.items if entry.ready] == ["digest"]
    error = item(report, "cards").error
    assert error is not None
    assert "hexcore setup" in error.remedy
    assert "hexcore data import FILE" in item(report, "rules").detail
    knowledge = Knowledge(paths.knowledge_dir)
    assert knowledge.rule("702.19b") is not None
    knowledge.close()


@pytest.mark.usefixtures("offline")
def test_set_up_leaves_alone_what_is_there_and_removes_what_is_stale(
    make_home: MakeHome, tmp_path: Path
) -> None:
    paths = paths_of(make_home(tmp_path))
    (paths.knowledge_dir / "knowledge-999.sqlite").write_bytes(b"an old generation")
    (paths.knowledge_dir / "knowledge-7.sqlite.new").write_bytes(b"half built")
    before = {file.name: file.stat().st_mtime_ns for file in paths.models_dir.iterdir()}
    generation = pointer_of(paths).generation
    report = set_up(paths)
    assert report.complete
    assert pointer_of(paths).generation == generation
    assert {file.name: file.stat().st_mtime_ns for file in paths.models_dir.iterdir()} == before
    databases = {file.name for file in paths.knowledge_dir.glob("*.sqlite*")}
    assert databases == set(pointer_of(paths).files)


@pytest.mark.usefixtures("offline")
def test_a_rules_file_becomes_the_release_and_is_kept(tmp_path: Path, rules_file: Path) -> None:
    paths = paths_of(tmp_path / "home")
    assert "2025-01-02: 3 rules, 1 examples" in item(set_up(paths, rules_file), "rules").detail
    rules_file.unlink()
    assert item(set_up(paths), "rules").detail == "Comprehensive Rules 2025-01-02"


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02\xff" * 500, b"<!doctype html><p>no</p>", own_rules()[:200], "ключ".encode("utf-16")],
)
def test_a_bad_rules_file_is_refused_and_what_was_there_stays(
    tmp_path: Path, rules_file: Path, content: bytes
) -> None:
    paths = paths_of(tmp_path / "home")
    set_up(paths, rules_file)
    before = pointer_of(paths)
    bad = tmp_path / "bad.txt"
    bad.write_bytes(content)
    with pytest.raises(ImportFileError, match=r"bad\.txt"):
        set_up(paths, bad)
    assert pointer_of(paths) == before


@pytest.mark.usefixtures("offline")
def test_a_damaged_card_file_is_kept_aside_and_built_anew(make_home: MakeHome, tmp_path: Path) -> None:
    paths = paths_of(make_home(tmp_path))
    name = pointer_of(paths).cards_file
    assert name is not None
    file = paths.knowledge_dir / name
    flip(file, file.stat().st_size // 2)
    report = set_up(paths)
    assert report.complete
    assert "cards" in item(report, "repair").detail
    assert [kept.name.startswith(name) for kept in paths.knowledge_dir.glob("*.damaged")] == [True]
    knowledge = Knowledge(paths.knowledge_dir)
    assert knowledge.status().num_cards > 34_000
    knowledge.close()


@pytest.mark.usefixtures("offline")
def test_damaged_releases_are_built_anew_from_their_kept_source(tmp_path: Path, rules_file: Path) -> None:
    paths = paths_of(tmp_path / "home")
    set_up(paths, rules_file)
    for entry in pointer_of(paths).releases:
        os.truncate(paths.knowledge_dir / entry.file, 5000)
    report = set_up(paths)
    assert item(report, "rules").detail == "Comprehensive Rules 2025-01-02"
    assert "rules 2025-01-02" in item(report, "repair").detail
    assert len(list(paths.knowledge_dir.glob("*.damaged"))) == 2
    knowledge = Knowledge(paths.knowledge_dir)
    assert knowledge.rule_exists("100.1a")
    knowledge.close()


@pytest.mark.usefixtures("offline")
def test_a_damaged_pointer_is_kept_aside_and_everything_found_again(
    make_home: MakeHome, tmp_path: Path, rules_file: Path
) -> None:
    paths = paths_of(make_home(tmp_path))
    set_up(paths, rules_file)
    (paths.knowledge_dir / POINTER_NAME).write_bytes(b"{rubbish")
    report = set_up(paths)
    assert report.complete
    assert item(report, "rules").ready


def test_a_cut_model_is_fetched_again(
    make_home: MakeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = paths_of(make_home(tmp_path))
    paths.embedded_model_file.unlink()
    paths.embedded_model_file.write_bytes(b"GGUF cut")
    monkeypatch.setenv("HEXCORE_OFFLINE", "1")
    assert not item(set_up(paths), "model").ready


def test_the_rules_page_is_asked_until_a_release_is_there(tmp_path: Path) -> None:
    paths = paths_of(tmp_path / "home")
    paths.downloads_dir.mkdir(parents=True)
    with rules_server() as server:
        settings = Settings(data=DataSettings(rules_page=f"{server.address}/rules/page"))
        # Nothing is fetched from an index here: pip is told that there is none.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PIP_NO_INDEX", "1")
            patch.setenv("PIP_FIND_LINKS", str(tmp_path))
            patch.setenv("PIP_CONFIG_FILE", os.devnull)
            missing = item(set_up(paths, settings=settings), "rules")
            server.answers["/rules/page"] = (200, "text/html", PAGE)
            server.answers["/rules/files/Own%20Rules%2020250101.txt"] = (200, "text/plain", own_rules())
            found = item(set_up(paths, settings=settings), "rules")
            set_up(paths, settings=settings)
    assert missing.error is not None
    assert not missing.ready
    assert "hexcore data import FILE" in missing.error.remedy
    assert "2025-01-02" in found.detail
    assert server.requests.count("/rules/page") == 2


@pytest.mark.usefixtures("offline")
def test_cards_in_the_form_of_another_version_are_built_anew(make_home: MakeHome, tmp_path: Path) -> None:
    import sqlite3

    from msgspec.structs import replace

    from hexcore_engine.knowledge.store.integrity import digest_of
    from hexcore_engine.knowledge.store.pointer import write_pointer

    paths = paths_of(make_home(tmp_path))
    pointer = pointer_of(paths)
    assert pointer.cards_file is not None
    file = paths.knowledge_dir / pointer.cards_file
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    write_pointer(
        paths.knowledge_dir, replace(pointer, digests=pointer.digests | {file.name: digest_of(file)})
    )
    assert set_up(paths).complete
    assert pointer_of(paths).cards_file != file.name


@pytest.mark.usefixtures("offline")
def test_a_home_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("in the way")
    with pytest.raises(StorageError):
        set_up(paths_of(home))


def test_the_kept_wheel_is_of_cards_alone(prepared_home: Path) -> None:
    wheels = [file.name for file in paths_of(prepared_home).downloads_dir.glob("*.whl")]
    assert wheels == [CARDS.file]

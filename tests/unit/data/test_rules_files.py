"""Releases are kept with their sources; they are built anew when their form or our words changed."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from hexcore_engine.data.repair import keep_damaged_aside
from hexcore_engine.data.rules_files import import_and_keep, kept_file, rebuild_releases
from hexcore_engine.data.sources_in_use import pin_release
from hexcore_engine.errors import StorageError
from hexcore_engine.knowledge.rules.release import has_stale_digest
from hexcore_engine.knowledge.store.builder import import_lock, publish, tell_waiting
from hexcore_engine.knowledge.store.pointer import Pointer, read_pointer
from hexcore_engine.paths import Paths
from tests.conftest import paths_of
from tests.unit.data.own_rules import own_rules
from tests.unit.knowledge.rules.own_release import OwnRelease, own_editions

MONTHS = ("January", "February", "March", "April")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = paths_of(tmp_path / "home")
    for name, content in own_editions().items():
        file = tmp_path / f"{name}.txt"
        file.write_bytes(content)
        import_and_keep(paths, file)
    return paths


def pointer_of(paths: Paths) -> Pointer:
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    return pointer


def change(paths: Paths, name: str, value: str) -> None:
    """Change what every release says of how it was built."""
    for entry in pointer_of(paths).releases:
        connection = sqlite3.connect(paths.knowledge_dir / entry.file)
        connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
        connection.commit()
        connection.close()


def stale_keys(paths: Paths) -> set[str]:
    folder = paths.knowledge_dir
    return {entry.key for entry in pointer_of(paths).releases if has_stale_digest(folder, entry)}


def test_a_changed_digest_rebuilds_the_release_in_use_and_another_when_it_is_pinned(paths: Paths) -> None:
    change(paths, "digest_hash", "another")
    rebuild_releases(paths)
    assert stale_keys(paths) == {"2025-01-01"}
    pin_release(paths, "2025-01-01")
    assert stale_keys(paths) == set()


def test_a_changed_form_rebuilds_all_and_drops_those_without_a_source(paths: Paths) -> None:
    kept_file(paths, "2025-01-01").unlink()
    change(paths, "schema", "0")
    rebuild_releases(paths)
    assert [entry.key for entry in pointer_of(paths).releases] == ["2025-02-01"]
    assert stale_keys(paths) == set()


def test_the_release_in_use_is_not_dropped_for_a_changed_digest_alone(paths: Paths) -> None:
    kept_file(paths, "2025-02-01").unlink()
    change(paths, "digest_hash", "another")
    rebuild_releases(paths)
    assert len(pointer_of(paths).releases) == 2


def test_a_release_without_a_date_is_kept_too(paths: Paths, tmp_path: Path) -> None:
    file = tmp_path / "undated.txt"
    file.write_text(OwnRelease("Someday", groups={"100": ["100.1. A ferry."]}).text())
    report = import_and_keep(paths, file)
    assert report.effective is None
    assert report.key.startswith("undated-")
    assert kept_file(paths, report.key).is_file()
    assert import_and_keep(paths, file).unchanged
    current = pointer_of(paths).current_release()
    assert current is not None
    assert current.key == "2025-02-01"


def test_a_damaged_kept_source_is_let_go(paths: Paths) -> None:
    kept_file(paths, "2025-01-01").write_bytes(b"rubbish")
    change(paths, "schema", "0")
    rebuild_releases(paths)
    assert [entry.key for entry in pointer_of(paths).releases] == ["2025-02-01"]
    assert not kept_file(paths, "2025-01-01").exists()


def test_a_kept_source_that_may_not_be_read_is_named_and_not_deleted(paths: Paths) -> None:
    kept = kept_file(paths, "2025-01-01")
    change(paths, "schema", "0")
    # Root may read everything; a link to itself nobody can.
    kept.rename(kept.with_suffix(".away"))
    kept.symlink_to(kept)
    with pytest.raises(StorageError, match="can't be read"):
        rebuild_releases(paths)
    assert kept.is_symlink()
    assert len(pointer_of(paths).releases) == 2


def test_without_room_for_the_copy_nothing_is_imported_either(paths: Paths, tmp_path: Path) -> None:
    before = read_pointer(paths.knowledge_dir)
    file = tmp_path / "newer.txt"
    file.write_bytes(own_rules("March 3, 2027"))
    shutil.rmtree(paths.downloads_dir)
    paths.downloads_dir.write_text("no folder can be made here")
    with pytest.raises(StorageError):
        import_and_keep(paths, file)
    assert read_pointer(paths.knowledge_dir) == before


def test_files_imported_at_once_by_one_process_are_kept_each_under_its_own_key(
    paths: Paths, tmp_path: Path
) -> None:
    contents = {f"2027-0{month}-03": own_rules(f"{name} 3, 2027") for month, name in enumerate(MONTHS, 1)}
    files = []
    for key, content in contents.items():
        files.append(tmp_path / f"{key}.txt")
        files[-1].write_bytes(content)
    with ThreadPoolExecutor(len(files)) as pool:
        keys = [report.key for report in pool.map(partial(import_and_keep, paths), files)]
    assert keys == list(contents)
    assert {key: kept_file(paths, key).read_bytes() for key in keys} == contents
    assert not list(paths.downloads_dir.glob("*.new"))


def test_what_killed_imports_left_goes_with_the_next_one(paths: Paths, tmp_path: Path) -> None:
    # No process has this number: they end at 4,194,304.
    copy = paths.downloads_dir / "rules-import.4999999.new"
    half_built = paths.knowledge_dir / "rules-2025-01-01-9.sqlite.new"
    for left in (copy, half_built):
        left.write_bytes(b"left")
    file = tmp_path / "newer.txt"
    file.write_bytes(own_rules("March 3, 2027"))
    import_and_keep(paths, file)
    assert not copy.exists()
    assert not half_built.exists()


def test_a_release_published_while_a_repair_waits_for_its_import_stays(paths: Paths, tmp_path: Path) -> None:
    folder = paths.knowledge_dir
    damaged, whole = pointer_of(paths).releases[:2]
    content = bytearray((folder / damaged.file).read_bytes())
    content[len(content) // 2] ^= 0x55
    (folder / damaged.file).write_bytes(content)
    waits = threading.Event()

    def repair() -> tuple[str, ...]:
        tell_waiting.set(lambda holder: waits.set())
        return keep_damaged_aside(folder)

    with ThreadPoolExecutor(1) as pool:
        with import_lock(folder):
            repaired = pool.submit(repair)
            assert waits.wait(timeout=20)
            before = pointer_of(paths)
            entry = replace(whole, key="2027-01-03", effective="2027-01-03")
            changed = replace(before, generation=before.generation + 1, releases=(*before.releases, entry))
            publish(folder, changed)
        assert repaired.result() == (f"rules {damaged.key}",)
    assert {entry.key for entry in pointer_of(paths).releases} == {whole.key, "2027-01-03"}

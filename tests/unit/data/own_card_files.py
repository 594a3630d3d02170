"""Card files in the forms of the sources, with invented cards."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any


def scryfall_card(name: str, **fields: Any) -> dict[str, Any]:
    """An entry of an oracle_cards file."""
    row: dict[str, Any] = {
        "object": "card", "id": "0", "oracle_id": f"id-{name}", "name": name, "lang": "en",
        "layout": "normal", "mana_cost": "{1}{G}", "cmc": 2.0,
        "type_line": "Creature — Lantern", "oracle_text": f"{name} glows.",
        "power": "1", "toughness": "*", "colors": ["G"], "color_identity": ["G"], "keywords": [],
        "legalities": {"modern": "legal", "vintage": "restricted", "pauper": "not_legal"}, "reserved": False,
        "set_type": "core", "image_uris": {"small": "nowhere"},
    }  # fmt: skip
    return row | fields


def two_faced(front: str, back: str, **fields: Any) -> dict[str, Any]:
    """A transforming card."""
    faces = [
        {"object": "card_face", "name": front, "mana_cost": "{B}", "type_line": "Creature — Lamp",
         "oracle_text": "Turn it.", "colors": ["B"], "power": "1", "toughness": "1"},
        {"object": "card_face", "name": back, "mana_cost": "", "type_line": "Creature — Wolf",
         "oracle_text": "", "colors": ["R"], "color_indicator": ["R"], "power": "4", "toughness": "4"},
    ]  # fmt: skip
    row = scryfall_card(
        f"{front} // {back}", layout="transform", cmc=1.0, card_faces=faces, color_identity=["B", "R"]
    )
    for name in ("mana_cost", "oracle_text", "colors", "power", "toughness"):
        row.pop(name)
    return row | fields


def scryfall_ruling(name: str, text: str, day: str = "2024-05-06") -> dict[str, Any]:
    """An entry of a rulings file."""
    return {
        "object": "ruling", "oracle_id": f"id-{name}", "source": "wotc", "published_at": day, "comment": text,
    }  # fmt: skip


def atomic_face(name: str, **fields: Any) -> dict[str, Any]:
    """A face of an AtomicCards file."""
    row: dict[str, Any] = {
        "name": name, "layout": "normal", "manaCost": "{2}{W}", "manaValue": 3.0, "convertedManaCost": 3.0,
        "type": "Artifact", "types": ["Artifact"], "text": f"{name} hums.", "colors": ["W"],
        "colorIdentity": ["W"],
        "legalities": {"modern": "Legal", "vintage": "Restricted", "legacy": "Banned"},
        "rulings": [{"date": "2023-01-02", "text": "It hums on."}],
        "identifiers": {"scryfallOracleId": f"id-{name}"},
    }  # fmt: skip
    return row | fields


def atomic_file(cards: dict[str, list[dict[str, Any]]], day: str = "2026-02-03") -> dict[str, Any]:
    """A whole AtomicCards document."""
    return {"meta": {"date": day, "version": "5"}, "data": cards}


def write_json(file: Path, document: Any, *, zipped: bool = False) -> Path:
    """Write a document; bytes are taken as they are."""
    content = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    file.write_bytes(gzip.compress(content) if zipped else content)
    return file

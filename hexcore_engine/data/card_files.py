"""Importing card files: read entry by entry, built aside, and swapped in whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from hexcore_engine.data import packaged
from hexcore_engine.data.card_readers import CARDS, RULINGS, CardFile, is_wheel, read_json, read_packaged
from hexcore_engine.data.json_stream import open_json
from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.errors import ImportFileError, KnowledgeCorruptError
from hexcore_engine.knowledge.cards.reader import read_source
from hexcore_engine.knowledge.cards.records import CardRecord, CardsSource, RulingRecord
from hexcore_engine.knowledge.cards.schema import write_cards
from hexcore_engine.knowledge.store.builder import import_lock, publish_cards
from hexcore_engine.knowledge.store.pointer import read_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import Record

_SNIFFED_BYTES = 4096
_GZIP_MAGIC = b"\x1f\x8b"
_RECORD = msgspec.msgpack.Decoder(CardRecord)
_Rulings = dict[str, list[RulingRecord]]


class CardImportReport(Record, frozen=True):
    """What an import did. `kind` is cards or rulings; counts are of the file that is in use now, `duplicates`
    of entries whose name was there already; `date` is the ISO day of the source."""

    kind: str
    source: str
    date: str | None
    cards: int
    extras: int = 0
    duplicates: int = 0
    rulings: int = 0
    incomplete: int = 0
    unchanged: bool = False
    warnings: tuple[str, ...] = ()


def is_card_file(file: Path) -> bool:
    """Whether a file is meant for this importer: JSON, compressed or not, or a data package."""
    try:
        with file.open("rb") as stream:
            start = stream.read(_SNIFFED_BYTES)
    except OSError:
        return False
    if start.startswith(_GZIP_MAGIC):
        return True
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{") or is_wheel(file)


def import_cards(
    paths: Paths, file: Path, progress: ProgressReporter, *, least_cards: int = 1
) -> CardImportReport:
    """Make the cards of a file, or the rulings of one, those in use; rulings loaded before stay with their
    cards.

    Raises:
        ImportFileError: when it is no whole card file, or holds fewer than `least_cards`; what was there
            stays untouched.
        StorageError: when the disk refuses.
    """
    progress.say(f"reading {file.name}")
    with _opened(file) as opened, import_lock(paths.knowledge_dir):
        if opened.kind == RULINGS:
            return _import_rulings(paths.knowledge_dir, opened, file)
        rulings, source = _loaded_rulings(paths.knowledge_dir)
        return _import_cards(paths.knowledge_dir, opened, rulings, source, least_cards)


def import_cards_and_rulings(
    paths: Paths, cards: Path, rulings: Path, progress: ProgressReporter, *, least_cards: int
) -> tuple[CardImportReport, CardImportReport]:
    """Make the cards of one file and the rulings of another those in use, in one step.

    Raises:
        ImportFileError: when one of them is not whole, or there are fewer than `least_cards`; what was there
            stays untouched.
        StorageError: when the disk refuses.
    """
    progress.say(f"reading {rulings.name}")
    with _opened(rulings) as opened_rulings:
        by_card = _by_card(opened_rulings)
    progress.say(f"reading {cards.name}")
    with _opened(cards) as opened, import_lock(paths.knowledge_dir):
        _require(opened, CARDS, cards)
        source = _with_rulings_of(opened.source, opened_rulings.source)
        report = _import_cards(paths.knowledge_dir, opened, by_card, source, least_cards)
    ruled = replace(report, kind=RULINGS, source=source.rulings_source, date=source.rulings_date, extras=0)
    return report, replace(ruled, duplicates=0)


@contextmanager
def _opened(file: Path) -> Iterator[CardFile]:
    if not file.is_file():
        raise ImportFileError(f"{file} is not a file.", "Give the name of a card file.")
    if is_wheel(file):
        yield read_packaged(file)
        return
    with open_json(file) as json:
        yield read_json(json)


def _require(opened: CardFile, kind: str, file: Path) -> None:
    if opened.kind != kind:
        raise ImportFileError(f"{file.name} holds {opened.kind} where {kind} belong.")


def _by_card(opened: CardFile) -> _Rulings:
    rulings: _Rulings = {}
    for oracle_id, ruling in opened.rulings:
        rulings.setdefault(oracle_id, []).append(ruling)
    return rulings


def _import_cards(
    folder: Path, opened: CardFile, rulings: _Rulings, rulings_source: CardsSource, least_cards: int
) -> CardImportReport:
    source = opened.source
    cards: Iterable[CardRecord] = opened.cards
    if rulings and "rulings" not in source.provides:
        source = _with_rulings_of(source, rulings_source)
        cards = (_with_rulings(card, rulings) for card in opened.cards)
    return _publish(folder, cards, source, opened, least_cards)


def _import_rulings(folder: Path, opened: CardFile, file: Path) -> CardImportReport:
    loaded = loaded_source(folder)
    if loaded is None or not _has_oracle_ids(folder):
        raise ImportFileError(
            f"{file.name} holds rulings, and the cards in use don't say which are theirs.",
            "Import Scryfall's oracle_cards first.",
        )
    rulings = _by_card(opened)
    source = _with_rulings_of(loaded, opened.source)
    cards = (_with_rulings(card, rulings) for card in loaded_cards(folder))
    return _publish(folder, cards, source, opened, least_cards=1)


def _with_rulings_of(source: CardsSource, rulings: CardsSource) -> CardsSource:
    """The source of cards with that of their rulings, which came in a file of their own."""
    return replace(
        source,
        provides=tuple(dict.fromkeys((*source.provides, "rulings"))),
        rulings_source=rulings.rulings_source or rulings.name,
        rulings_date=rulings.rulings_date or rulings.date,
    )


def _with_rulings(card: CardRecord, rulings: _Rulings) -> CardRecord:
    if not card.oracle_id:
        return card
    return replace(card, rulings=tuple(rulings.get(card.oracle_id, ())))


class _Tally:
    """Counts what passes into the file."""

    def __init__(self, cards: Iterable[CardRecord]) -> None:
        self._cards = cards
        self.rulings = 0
        self.incomplete = 0

    def __iter__(self) -> Iterator[CardRecord]:
        for card in self._cards:
            self.rulings += len(card.rulings or ())
            self.incomplete += bool(card.missing_faces)
            yield card


def _publish(
    folder: Path, cards: Iterable[CardRecord], source: CardsSource, opened: CardFile, least_cards: int
) -> CardImportReport:
    tally = _Tally(cards)
    written = 0

    def build(connection: sqlite3.Connection) -> None:
        nonlocal written
        write_cards(connection, tally, source)
        written = read_source(connection).num_cards
        if written < least_cards:
            raise ImportFileError(f"It holds {written:,} cards, too few to be whole.")

    publish_cards(folder, build)
    is_cards = opened.kind != RULINGS
    return CardImportReport(
        kind=opened.kind,
        source=source.name if is_cards else source.rulings_source,
        date=source.date if is_cards else source.rulings_date,
        cards=written,
        extras=opened.num_extras,
        duplicates=opened.num_read - written if is_cards else 0,
        rulings=tally.rulings,
        incomplete=tally.incomplete,
    )


def loaded_cards(folder: Path) -> Iterator[CardRecord]:
    """The records of the cards in use, whatever form their file has."""
    with _loaded_file(folder) as connection:
        if connection is not None:
            for (packed,) in connection.execute("SELECT record FROM card ORDER BY card_id"):
                yield _RECORD.decode(packed)


def rebuild_cards(folder: Path) -> CardsSource | None:
    """Build imported cards anew from their own records, after an update that changed the file's form. None
    when there are none, or they are the packaged ones, which are built from their package.

    Raises:
        StorageError: when the disk refuses.
    """
    with import_lock(folder):
        try:
            source = loaded_source(folder)
            if source is None or source.name == packaged.SOURCE_NAME:
                return None
            publish_cards(folder, lambda connection: write_cards(connection, loaded_cards(folder), source))
        except KnowledgeCorruptError:
            return None
        return source


def _loaded_rulings(folder: Path) -> tuple[_Rulings, CardsSource]:
    """Rulings that came in a file of their own, by the card they belong to."""
    source = loaded_source(folder)
    if source is None or not source.rulings_source:
        return {}, source or CardsSource("", None, 0)
    return {card.oracle_id: list(card.rulings) for card in loaded_cards(folder) if card.rulings}, source


def _has_oracle_ids(folder: Path) -> bool:
    return any(card.oracle_id for card in loaded_cards(folder))


def loaded_source(folder: Path) -> CardsSource | None:
    """The source of the cards in use, whatever form their file has."""
    with _loaded_file(folder) as connection:
        if connection is None:
            return None
        try:
            return read_source(connection)
        except sqlite3.OperationalError:
            # The first form of the file told name, date and number alone.
            row = connection.execute("SELECT name, date, num_cards FROM card_source").fetchone()
            return CardsSource(*row)


@contextmanager
def _loaded_file(folder: Path) -> Iterator[sqlite3.Connection | None]:
    pointer = read_pointer(folder)
    file = folder / pointer.cards_file if pointer and pointer.cards_file else None
    if file is None or not file.is_file():
        yield None
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            yield connection
    except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
        raise KnowledgeCorruptError(f"The card file {file} is damaged: {error}.") from error

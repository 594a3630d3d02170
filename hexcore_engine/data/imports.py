"""Importing any file a person has: rules by our own parser, cards by theirs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexcore_engine.data.card_files import CardImportReport, import_cards, is_card_file
from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.data.rules_files import import_and_keep
from hexcore_engine.errors import DataError, DownloadError
from hexcore_engine.knowledge.rules.release import ImportReport
from hexcore_engine.knowledge.store.pointer import Pointer, read_pointer
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import ErrorRecord, to_builtins
from hexcore_engine.settings import Settings, is_offline

RULES, CARDS = "rules", "cards"
UPDATED = (RULES, CARDS)
_MOST_WARNINGS_SHOWN = 20


@dataclass(frozen=True)
class FileReport:
    """What was imported: `document` for JSON, `text` for people."""

    document: dict[str, Any]
    text: str


def import_file(paths: Paths, file: Path, progress: ProgressReporter) -> FileReport:
    """Import `file`.

    Raises:
        ImportFileError: naming file and place, when no importer can read it; the old data stays.
        StorageError: when the disk refuses.
    """
    if is_card_file(file):
        return _of_cards(import_cards(paths, file, progress))
    return _of_rules(import_and_keep(paths, file), read_pointer(paths.knowledge_dir))


def fetch_rules(paths: Paths, settings: Settings) -> FileReport:
    """Fetch and import the newest official rules.

    Raises:
        DownloadError: when they can't be had or are not what they should be.
        StorageError: when the disk refuses.
    """
    if is_offline():
        raise DownloadError("HEXCORE_OFFLINE forbids fetching the rules.", "Run it without HEXCORE_OFFLINE.")
    from hexcore_engine.data.official import fetch_official_rules

    report = fetch_official_rules(settings.data.rules_page, paths)
    return _of_rules(report, read_pointer(paths.knowledge_dir))


def fetch_cards(paths: Paths, settings: Settings, progress: ProgressReporter) -> tuple[FileReport, ...]:
    """Fetch and import the newest cards and rulings. Raises as `fetch_rules`."""
    from hexcore_engine.data.card_updates import update_cards

    return tuple(_of_cards(report) for report in update_cards(paths, settings, progress))


@dataclass(frozen=True)
class SourceUpdate:
    """What asking one source brought: `document` for JSON, `text` for people, `error` when it failed."""

    document: Any
    text: str
    error: DataError | None = None


def update_sources(paths: Paths, settings: Settings, progress: ProgressReporter, name: str) -> SourceUpdate:
    """Ask the source of the rules or of the cards, one of `UPDATED`; that it failed is said, not raised."""
    try:
        if name == RULES:
            progress.say("looking for newer rules")
            report = fetch_rules(paths, settings)
            return SourceUpdate(report.document, report.text)
        progress.say("looking for newer cards")
        reports = fetch_cards(paths, settings, progress)
        return SourceUpdate(
            [report.document for report in reports], "\n".join(report.text for report in reports)
        )
    except DataError as error:
        record = ErrorRecord(error.code, error.message, error.remedy)
        text = f"{name}: {error.message} {error.remedy}"
        return SourceUpdate({"error": to_builtins(record)}, text, error)


def _of_cards(report: CardImportReport) -> FileReport:
    what = f"{report.rulings:,} rulings" if report.kind == "rulings" else f"{report.cards:,} cards"
    lines = [f"{what} from {report.source} ({report.date or 'no date'})"]
    if report.unchanged:
        lines.append("these are in use already; nothing changed")
    return FileReport(to_builtins(report), "\n".join([*lines, *report.warnings]))


def _of_rules(report: ImportReport, pointer: Pointer | None) -> FileReport:
    document = {
        "kind": report.kind,
        "effective": report.effective,
        "rules": report.rules,
        "groups": report.groups,
        "examples": report.examples,
        "glossary": report.glossary,
        "encoding": report.encoding,
        "warnings": [{"line": warning.line, "reason": warning.reason} for warning in report.warnings],
        "unchanged": report.unchanged,
    }
    lines = [
        f"Comprehensive Rules {report.effective or 'without a date'}: {report.rules:,} rules in"
        f" {report.groups} groups, {report.examples} examples, {report.glossary} terms ({report.encoding})"
    ]
    if report.unchanged:
        lines.append("the same file was imported before; nothing changed")
    current = pointer.current_release() if pointer else None
    if pointer is not None and current is not None and current.key != report.key:
        why = "it is pinned" if pointer.pinned == current.key else "it is newer"
        lines.append(f"in use stays {current.key}: {why}")
    shown = report.warnings[:_MOST_WARNINGS_SHOWN]
    lines += [f"  line {warning.line}: {warning.reason}" for warning in shown]
    if len(shown) < len(report.warnings):
        lines.append(f"  and {len(report.warnings) - len(shown)} more irregular lines (--json shows all)")
    return FileReport(document, "\n".join(lines))

"""Importing any file a person has: rules by our own parser, cards by theirs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexcore_engine.data.progress import ProgressReporter
from hexcore_engine.data.rules_files import import_and_keep
from hexcore_engine.knowledge.rules.release import ImportReport
from hexcore_engine.paths import Paths

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
    return _of_rules(import_and_keep(paths, file))


def _of_rules(report: ImportReport) -> FileReport:
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
    shown = report.warnings[:_MOST_WARNINGS_SHOWN]
    lines += [f"  line {warning.line}: {warning.reason}" for warning in shown]
    if len(shown) < len(report.warnings):
        lines.append(f"  and {len(report.warnings) - len(shown)} more irregular lines (--json shows all)")
    return FileReport(document, "\n".join(lines))

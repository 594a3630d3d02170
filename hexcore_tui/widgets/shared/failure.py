"""What stands in a view when a look-up failed."""

from __future__ import annotations

from hexcore_engine.errors import HexcoreError
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_engine.utils.validation import clean_text
from hexcore_tui.widgets.shared.document import Document, DocumentBuilder


def failure_document(error: HexcoreError | ErrorRecord) -> Document:
    """Return what happened and what to do about it."""
    builder = DocumentBuilder()
    builder.add(clean_text(error.message), "$error")
    builder.end_line()
    builder.add(clean_text(error.remedy))
    return builder.build()

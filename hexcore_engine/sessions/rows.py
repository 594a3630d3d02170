"""From rows of the sessions file to records. A value that damage made nonsense of is left empty: what was
said is worth more than what stood around it, and no client can read a record with a wrong type in it."""

from __future__ import annotations

from typing import Any

import msgspec

from hexcore_engine.protocol.records import (
    Citation,
    ErrorRecord,
    ModeChoice,
    Passage,
    SessionRecord,
    StopReason,
    TurnRecord,
    Usage,
)

# Columns that hold JSON, with what they say.
JSON_COLUMNS: dict[str, Any] = {
    "mode": ModeChoice | None,
    "passages": tuple[Passage, ...],
    "citations": tuple[Citation, ...],
    "usage": Usage | None,
    "error": ErrorRecord | None,
    "notes": tuple[str, ...],
}
_LISTS = ("passages", "citations", "notes")
_OPTIONAL_TEXTS = ("rules_release", "model")


def turn_of(row: tuple[Any, ...]) -> TurnRecord:
    """Return the turn of a row with the fields of `TurnRecord`, in their order."""
    names = TurnRecord.__struct_fields__
    return TurnRecord(**{name: _sound(name, value) for name, value in zip(names, row, strict=True)})


def session_of(row: tuple[Any, ...]) -> SessionRecord:
    """Return the conversation of a row: id, title, two dates, number of turns, how many of them run."""
    session_id, title, created_at, updated_at = map(_text, row[:4])
    return SessionRecord(session_id, title, created_at, updated_at, row[4], running=bool(row[5]))


def _sound(name: str, value: Any) -> Any:
    if name in JSON_COLUMNS:
        return _from_json(name, value)
    if name == "turn_id":
        return value
    if name == "stop_reason":
        return _stop_reason(value)
    return None if value is None and name in _OPTIONAL_TEXTS else _text(value)


def _from_json(name: str, value: Any) -> Any:
    empty = () if name in _LISTS else None
    if not isinstance(value, str) or not value:
        return empty
    try:
        return msgspec.json.decode(value, type=JSON_COLUMNS[name])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return empty


def _stop_reason(value: Any) -> StopReason | None:
    try:
        reason: StopReason | None = msgspec.convert(value, StopReason | None)
        return reason
    except msgspec.ValidationError:
        # None would say that it is being written.
        return "engine_lost"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

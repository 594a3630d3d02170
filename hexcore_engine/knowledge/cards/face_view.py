"""A face as queries see it: folded, taken apart once for all that is derived from it."""

from __future__ import annotations

from dataclasses import dataclass

from hexcore_engine.knowledge.cards.oracle_text import own_names, say_self, without_reminder
from hexcore_engine.knowledge.cards.records import FaceRecord
from hexcore_engine.utils.validation import fold


@dataclass(frozen=True)
class FaceView:
    """All texts folded; `oracle` is without reminders, `about_itself` the same with `~` for the card itself,
    `kinds` the words of the type line."""

    face: FaceRecord
    type_line: str
    kinds: frozenset[str]
    full_oracle: str
    oracle: str
    about_itself: str


def face_view(face: FaceRecord) -> FaceView:
    """Take a face apart."""
    type_line = fold(face.type_line)
    kinds = frozenset(type_line.replace("—", " ").split())
    full_oracle = fold(face.oracle_text)
    oracle = without_reminder(full_oracle)
    about_itself = say_self(oracle, own_names(fold(face.name), legendary="legendary" in kinds))
    return FaceView(face, type_line, kinds, full_oracle, oracle, about_itself)

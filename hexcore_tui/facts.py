"""What the top line of every screen says: the model and the age of the data."""

from __future__ import annotations

from dataclasses import dataclass

from hexcore_engine.protocol.records import ModelRecord


@dataclass(frozen=True)
class Facts:
    """None where it is not known or not there. Dates are ISO text."""

    model: ModelRecord | None = None
    rules_date: str | None = None
    rules_official: bool = True
    cards_date: str | None = None
    num_cards: int = 0


def size_text(size_bytes: int) -> str:
    """Return a size as people write it, in powers of 1,000 as disks do."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.0f} MB"

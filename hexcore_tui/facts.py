"""What the top line of every screen says: the model and the age of the data; what is not there yet; and
whether somebody was here before."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from hexcore_engine.errors import HexcoreError
from hexcore_engine.protocol.events import ModelsListed
from hexcore_engine.protocol.records import ModelRecord, Usage

NOTHING_SET_UP = "Nothing is set up yet: there are no rules and no cards to look up. Get them: hexcore setup"


@dataclass(frozen=True)
class Facts:
    """None where it is not known or not there. Dates are ISO text."""

    model: ModelRecord | None = None
    has_rules: bool | None = None
    rules_date: str | None = None
    cards_date: str | None = None
    num_cards: int | None = None


@dataclass(frozen=True)
class AnswerCost:
    """A question and what its answer cost."""

    question: str
    usage: Usage


@dataclass(frozen=True)
class KnowledgeReport:
    """The knowledge files in words: their facts, and a line for each thing that is missing or wrong."""

    facts: Facts
    missing: tuple[str, ...]


def first_sight(folder: Path) -> tuple[str, ...]:
    """Return the first-run notice where not even the knowledge folder is; opens nothing, so that the first
    frame can say it."""
    return () if folder.exists() else (NOTHING_SET_UP,)


def read_knowledge(folder: Path) -> KnowledgeReport:
    """Look at the knowledge files. Takes some milliseconds: call it in a thread."""
    from hexcore_engine.knowledge.lookup import Knowledge

    knowledge = Knowledge(folder)
    try:
        status = knowledge.status()
    except HexcoreError as error:
        return KnowledgeReport(Facts(), (f"{error.message} {error.remedy}",))
    finally:
        knowledge.close()
    if status.generation is None:
        return KnowledgeReport(Facts(has_rules=False, num_cards=0), (NOTHING_SET_UP,))
    official = status.release if status.release and status.release.official else None
    facts = Facts(
        has_rules=status.release is not None,
        rules_date=official.effective if official else None,
        cards_date=status.cards_date,
        num_cards=status.num_cards,
    )
    return KnowledgeReport(facts, tuple(f"{line[:1].upper()}{line[1:]}" for line in status.warnings))


def configured_model(listed: ModelsListed) -> ModelRecord | None:
    """Return the model a question would be answered by, as the engine knows it."""
    for model in listed.models:
        if listed.configured in (model.location, model.name):
            return model
    return None


def missing_model(listed: ModelsListed) -> tuple[str, ...]:
    """Return the line that says why no model answers, or nothing when one will."""
    model = configured_model(listed)
    if model and model.available:
        return ()
    note = model.note if model else ""
    remedy = "" if "hexcore " in note else " Get the small one: hexcore setup"
    return (f"No model is here: you get the evidence alone. {note}{remedy}".strip(),)


def size_text(size_bytes: int) -> str:
    """Return a size as people write it, in powers of 1,000 as disks do."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.0f} MB"


def is_first_run(seen_file: Path, sessions_file: Path) -> bool:
    """Whether nobody has seen the tour or asked a question here yet."""
    return not seen_file.exists() and not sessions_file.exists()


def remember_tour(seen_file: Path) -> None:
    """Note that the tour was shown. Where nothing can be written, it comes once more."""
    with contextlib.suppress(OSError):
        seen_file.parent.mkdir(parents=True, exist_ok=True)
        seen_file.touch()

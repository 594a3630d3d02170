"""An answer without a screen: whole sentences, in order, each once."""

from __future__ import annotations

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import ErrorRecord
from hexcore_tui.plain_answer import AnswerLines

from .conftest import CITATIONS, beginning, ending, streamed


def _lines(*told: events.Event) -> list[str]:
    said: list[str] = []
    lines = AnswerLines(said.append)
    for event in told:
        lines.take(event)
    return said


def test_evidence_stands_before_the_answer_and_marks_after_it() -> None:
    checked = [events.CitationChecked("q1", citation) for citation in CITATIONS]
    said = _lines(*beginning(), *streamed(size=3), *checked, ending())
    assert said[0] == "Found 3 rules and cards."
    assert said[1].startswith("Card Gravel Titan")
    assert said.index("Yes: the lantern decides it [702.19b].") > said.index(
        "A small model's draft, by Pebble-1M:"
    )
    marks = [line for line in said if line.startswith("Rule ") and line.count(":") == 1]
    assert [line for line in marks if "quoted" in line] == ["Rule 702.19b: quoted."]
    assert said[-1] == "Rules of 2026-01-16."


def test_text_is_said_by_sentences_however_it_comes() -> None:
    said = _lines(*streamed("One thing. Two", 1))
    assert said == ["One thing."]


def test_a_stopped_answer_says_so_and_keeps_its_part() -> None:
    said = _lines(*streamed("Half a sent", 4), ending(events.AnswerStopped, "Half a sent"))
    assert said[0] == "Half a sent"
    assert said[-1].startswith("Stopped; what was written is kept.")


def test_a_refusal_is_said_with_its_remedy() -> None:
    refusal = events.RequestFailed(ErrorRecord("HX-X", "It is too long.", "Shorten it."))
    assert _lines(refusal) == ["It is too long. Shorten it."]


def test_a_model_that_takes_its_time_is_told_once_with_what_is_left() -> None:
    loading = [events.ModelLoading("Pebble", "reading", share, 2.0 + share) for share in (0.25, 0.5, 0.75)]
    said = _lines(*loading)
    assert said == ["The model loads, about 7 s left."]
    assert _lines(events.ModelLoading("Pebble", "reading", None, 2.0)) == ["The model loads."]

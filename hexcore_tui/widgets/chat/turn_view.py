"""One question and all that answers it, top to bottom: question, mode, evidence, answer, its citations."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from hexcore_engine.protocol import events
from hexcore_engine.protocol.records import (
    Citation,
    ErrorRecord,
    ModeChoice,
    ModelRecord,
    Passage,
    StopReason,
    TurnRecord,
    Usage,
)
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui import messages
from hexcore_tui.display_profile import DisplayProfile
from hexcore_tui.host import host
from hexcore_tui.widgets.chat.answer_view import AnswerView
from hexcore_tui.widgets.chat.links import (
    LinkList,
    MoreEvidenceRequested,
    citation_links,
    more_link,
    passage_link,
)
from hexcore_tui.widgets.chat.marks import MARKS, first_of_each

# A question longer than this is shown by its beginning; the session keeps it whole.
LONGEST_SHOWN_QUESTION = 2000

# The first passages show the beginning of their text, the next fit on a line each, the others wait behind one
# line, so that question, evidence and answer share a small screen.
NUM_PREVIEWS = 3
NUM_SHOWN = 6

STOP_WORDS: dict[StopReason, str] = {
    "end": "",
    "length": "The answer reached its longest allowed length.",
    "stopped": "Stopped.",
    "budget": "Stopped by a budget.",
    "engine_lost": "The engine was lost.",
    "refused": "Refused.",
    # The engine's own note says why.
    "no_model": "",
}
CUT_SHORT: frozenset[StopReason] = frozenset({"stopped", "budget", "engine_lost"})


class TurnView(Vertical):
    """The sink of the engine's messages about one question."""

    DEFAULT_CSS = """
    TurnView {
        height: auto;
        margin-bottom: 1;
        & > Static { height: auto; padding: 0 1; }
        & > .question { text-style: bold; background: $boost; }
        & > .muted { color: $text-muted; }
        & > .draft { color: $warning; }
        & > .failed { color: $error; }
    }
    """

    class Finished(Message):
        """The answer ended, one way or another. `usage` is None without a model; `in_vain` when it failed
        before a word was written."""

        def __init__(self, turn: TurnView, usage: Usage | None, in_vain: bool) -> None:
            super().__init__()
            self.turn = turn
            self.usage = usage
            self.in_vain = in_vain

    def __init__(self, question: str, profile: DisplayProfile) -> None:
        super().__init__()
        self.question = question
        self.session_id: str | None = None
        self.model: ModelRecord | None = None
        self.citations: tuple[Citation, ...] = ()
        self.passages: tuple[Passage, ...] = ()
        self._plain = not profile.unicode
        self._mode = Static(classes="muted")
        self._trouble = Static(classes="failed")
        self._evidence = LinkList()
        self._label = Static(classes="draft")
        self._answer = AnswerView(profile.batch_s, self._plain)
        self._cited = Static(Content("Rules in this answer:"), classes="muted")
        self._citations = LinkList()
        self._end = Static(classes="muted")
        self._choice: ModeChoice | None = None
        self._shows_all = False
        self._release: str | None = None
        self._evidence_notes: list[str] = []
        self._given_up: list[str] = []
        self._mode.update(Content("Looking for the rules that decide it …"))
        below = (self._trouble, self._evidence, self._label, self._answer, self._cited, self._citations)
        for part in (*below, self._end):
            part.display = False

    def compose(self) -> ComposeResult:
        """The evidence, or why there is none, stands above the answer."""
        question = clean_text(self.question)
        if len(question) > LONGEST_SHOWN_QUESTION:
            question = f"{question[:LONGEST_SHOWN_QUESTION]}… ({len(question):,} characters)"
        yield Static(Content(f"{'>' if self._plain else '›'} {question}"), classes="question")
        yield self._mode
        yield self._trouble
        yield self._evidence
        yield self._label
        yield self._answer
        yield self._cited
        yield self._citations
        yield self._end

    def on_answer_accepted(self, message: messages.AnswerAccepted) -> None:
        """Remember the conversation, and say when others are answered first."""
        self.session_id = message.event.session_id
        if message.event.queue_position:
            self._mode.update(Content(f"Waiting: {message.event.queue_position} question(s) are before it."))

    def on_answer_routed(self, message: messages.AnswerRouted) -> None:
        """Show the mode."""
        self._choice = message.event.choice
        self._mode.update(Content(mode_words(self._choice)))

    def on_evidence_found(self, message: messages.EvidenceFound) -> None:
        """Show the rules and cards, each with its reason."""
        event = message.event
        found = evidence_words(event.passages, event.rules_release, event.elapsed_ms)
        mode = mode_words(self._choice) if self._choice else ""
        self._mode.update(Content(" · ".join(part for part in (mode, found) if part)))
        self._show_passages(event.passages, event.rules_release)
        self._evidence_notes = list(event.notes)
        self._say(self._evidence_notes)
        if event.error:
            words = f"Looking for rules failed: {event.error.message} {event.error.remedy}"
            self._trouble.update(Content(clean_line(words)))
            self._trouble.display = True

    def on_answer_planned(self, message: messages.AnswerPlanned) -> None:
        """Say who writes, and what was given up."""
        self.model = message.event.model
        self._show_label(message.event.model.name, message.event.model.small)
        self._given_up = [f"To fit: {clean_line(step.detail)}." for step in message.event.plan.given_up]
        self._say([*self._evidence_notes, *self._given_up])

    def on_more_evidence_requested(self, message: MoreEvidenceRequested) -> None:
        """Show the passages that wait behind the last line, and go on with the first of them."""
        message.stop()
        self._shows_all = True
        self._show_passages(self.passages, self._release)
        self._evidence.highlighted = NUM_SHOWN

    def on_answer_text_arrived(self, message: messages.AnswerTextArrived) -> None:
        """Add to the answer."""
        self._answer.display = True
        self._label.display = self.model is not None
        self._answer.append(message.event.text)

    def on_citation_arrived(self, message: messages.CitationArrived) -> None:
        """Mark a rule number and list it below."""
        known = len(first_of_each(self.citations))
        self.citations = (*self.citations, message.event.citation)
        self._answer.add_citation(message.event.citation)
        if len(first_of_each(self.citations)) > known:
            self._show_citations()

    def on_answer_ended(self, message: messages.AnswerEnded) -> None:
        """Show the whole answer as it is stored, and how it ended."""
        event = message.event
        error = event.error if isinstance(event, events.AnswerFailed) else None
        self._finish(event.response, event.citations, event.stop_reason, event.notes, error)
        in_vain = error is not None and not event.response
        self.post_message(self.Finished(self, event.usage, in_vain))

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        """Keep what was written, and say what happened."""
        message.stop()
        reason: StopReason | None = "engine_lost" if message.engine_lost else None
        # Nobody looks any more when nothing was heard of it.
        self._mode.display = self._choice is not None
        self._finish(self._answer.text, self.citations, reason, (), message.error)
        self.post_message(self.Finished(self, None, in_vain=not self._answer.text))

    @property
    def answer(self) -> str:
        """The text so far."""
        return self._answer.text

    @property
    def first_link(self) -> LinkList | None:
        """The first list of this turn one can enter, if there is any."""
        for links in (self._evidence, self._citations):
            if links.display:
                return links
        return None

    def show_stored(self, turn: TurnRecord) -> None:
        """Show a turn as it was stored."""
        self._choice = turn.mode
        self.passages = turn.passages
        words = [mode_words(turn.mode)] if turn.mode else []
        words.append(evidence_words(turn.passages, turn.rules_release, None))
        self._mode.update(Content(" · ".join(words)))
        self._show_passages(turn.passages, turn.rules_release)
        self._finish(turn.response, turn.citations, turn.stop_reason, turn.notes, turn.error)
        if turn.model and turn.response:
            # What kind of model it was is not stored; the one at hand is known.
            now = host(self).facts.model
            self._show_label(turn.model, small=now is not None and now.name == turn.model and now.small)
            self._label.display = True

    def as_text(self) -> str:
        """Return question, evidence and answer as plain text, for copying."""
        evidence = "\n".join(f"- {clean_line(p.id)}: {clean_line(p.why)}" for p in self.passages)
        marks = "\n".join(f"- {c.rule}: {MARKS[c.status].word}" for c in first_of_each(self.citations))
        parts = [
            self.question,
            f"Evidence:\n{evidence}",
            self.answer,
            f"Rules cited:\n{marks}" if marks else "",
        ]
        return "\n\n".join(part for part in parts if part)

    def stopping(self) -> None:
        """Say at once that the stop was heard."""
        self._say(["Stopping …"])

    def _finish(
        self,
        text: str,
        citations: tuple[Citation, ...],
        reason: StopReason | None,
        notes: tuple[str, ...],
        error: ErrorRecord | None,
    ) -> None:
        self.citations = citations
        self._answer.finish(text, citations)
        self._answer.display = bool(text)
        self._label.display = bool(text) and self.model is not None
        self._show_citations()
        lines = [end_words(reason, bool(text))] if reason else []
        lines += [*self._evidence_notes, *self._given_up, *notes]
        if error:
            lines.append(f"{error.message} {error.remedy}")
        self._end.set_class(error is not None, "failed")
        self._say(lines)

    def _show_passages(self, passages: tuple[Passage, ...], release: str | None) -> None:
        self.passages, self._release = passages, release
        few = self._shows_all or len(passages) <= NUM_SHOWN + 1
        shown = passages if few else passages[:NUM_SHOWN]
        # Without a release all rules are in our words, which the line above says once.
        links = [
            passage_link(passage, preview=number < NUM_PREVIEWS, mark_ours=release is not None)
            for number, passage in enumerate(shown)
        ]
        if not few:
            links.append(more_link(len(passages) - NUM_SHOWN))
        self._evidence.show(tuple(links))
        self._evidence.display = bool(passages)

    def _show_citations(self) -> None:
        self._citations.show(citation_links(self.citations, self._plain))
        self._cited.display = self._citations.display = bool(self.citations)

    def _show_label(self, name: str, small: bool) -> None:
        name = clean_line(name)
        if small:
            decides = "the rules above decide" if self.passages else "no rule was found to hold it against"
            words = f"A small model's draft ({name}). It can phrase, not judge: {decides}."
        else:
            words = f"Written by {name}. What it claims about a rule is not checked unless quoted."
        self._label.update(Content(words))
        self._label.set_class(small, "draft")
        self._label.set_class(not small, "muted")

    def _say(self, lines: list[str]) -> None:
        words = "\n".join(dict.fromkeys(clean_line(line) for line in lines if line))
        self._end.update(Content(words))
        self._end.display = bool(words)


def end_words(reason: StopReason, has_text: bool) -> str:
    """Return how an answer ended, or "" when there is nothing to say about it."""
    if reason not in CUT_SHORT:
        return STOP_WORDS[reason]
    kept = "What was written is kept." if has_text else "Nothing was written yet."
    return f"{STOP_WORDS[reason]} {kept}"


def mode_words(choice: ModeChoice) -> str:
    """Return how the question was understood, e.g. "mode EXPLAIN 83 %"."""
    if choice.pinned:
        return f"mode {choice.mode} (chosen)"
    if choice.abstained and len(choice.ranked) > 1:
        return f"mode unsure: {choice.ranked[0].mode} or {choice.ranked[1].mode}"
    return f"mode {choice.mode} {choice.confidence:.0%}"


def evidence_words(passages: tuple[Passage, ...], release: str | None, elapsed_ms: float | None) -> str:
    """Return what was found, e.g. "5 rules, 2 cards in 14 ms (rules 2026-01-16)"."""
    cards = sum(passage.kind in ("card", "ruling") for passage in passages)
    rules = len(passages) - cards
    if not passages:
        return "no rule or card found"
    counts = [f"{rules} rule{'s' * (rules != 1)}"] if rules else []
    counts += [f"{cards} card{'s' * (cards != 1)}"] if cards else []
    words = ", ".join(counts)
    if elapsed_ms is not None:
        words += f" in {elapsed_ms:.0f} ms" if elapsed_ms >= 1 else " while you typed"
    return f"{words} ({f'rules {clean_line(release)}' if release else 'rules in our words, not official'})"

"""A turn as pieces to draw, top to bottom: question, mode, evidence, answer, its citations, how it ended."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from textual.content import Content
from textual.message import Message
from textual.style import Style

from hexcore_engine.protocol.records import Citation, ModeChoice, Passage, StopReason
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.facts import size_text
from hexcore_tui.messages import CardRequested, RuleRequested, TextRequested
from hexcore_tui.widgets.chat.marks import MARKS, first_of_each
from hexcore_tui.widgets.chat.markup import Block, render_block, split_blocks, spot_key, whole_part
from hexcore_tui.widgets.chat.pieces import SPOT, Piece, Spot
from hexcore_tui.widgets.chat.tables import table_contents
from hexcore_tui.widgets.chat.turn import CUT_SHORT, Turn, release_words

# A question longer than this is shown by its beginning; the session keeps it whole.
LONGEST_SHOWN_QUESTION = 2000

# The first passages show the beginning of their text, the next fit on a line each, the others wait behind one
# line, so that question, evidence and answer share a small screen.
NUM_PREVIEWS = 3
NUM_SHOWN = 6
PREVIEW_CHARACTERS = 300

KIND_WORDS = {"rule": "rule", "card": "card", "ruling": "ruling", "glossary": "term", "digest": "our words"}
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


class MoreEvidenceRequested(Message, bubble=True):
    """The user wants to see the passages left out at first."""


def head_pieces(turn: Turn, plain: bool) -> list[Piece]:
    """Return what stands above the answer."""
    question = clean_text(turn.question)
    if len(question) > LONGEST_SHOWN_QUESTION:
        question = f"{question[:LONGEST_SHOWN_QUESTION]}… ({len(question):,} characters)"
    pieces = []
    if turn.num_hidden:
        words = f"{turn.num_hidden:,} earlier turns are not shown here; an export holds them all."
        pieces.append(Piece(Content(words).stylize("$text-muted")))
    pieces.append(Piece(Content(f"{'>' if plain else '›'} {question}"), look="question"))
    if words := _mode_line(turn):
        pieces.append(Piece(Content(words).stylize("$text-muted")))
    if turn.trouble:
        words = f"Looking for rules failed: {turn.trouble.message} {turn.trouble.remedy}"
        pieces.append(Piece(Content(clean_line(words)).stylize("$error")))
    pieces += _evidence(turn)
    if turn.text and turn.model_name:
        pieces.append(_label(turn))
    return pieces


def tail_pieces(turn: Turn, plain: bool) -> list[Piece]:
    """Return what stands below the answer."""
    pieces = []
    if turn.citations:
        pieces.append(Piece(Content("Rules in this answer:").stylize("$text-muted"), gap=True))
        pieces += [_cited_rule(turn, citation, plain) for citation in first_of_each(turn.citations)]
    if turn.ended and (words := turn.basis):
        pieces.append(Piece(Content(f"Rests on: {words}").stylize("$text-muted"), gap=not turn.citations))
    if words := "\n".join(_end_lines(turn)):
        pieces.append(Piece(Content(words).stylize("$error" if turn.error else "$text-muted")))
    return pieces


class AnswerPieces:
    """The answer's text as pieces, one a block; only those that changed are made anew."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._pieces: list[tuple[object, Piece]] = []

    def update(self, turn: Turn, plain: bool) -> list[Piece]:
        """Return the pieces of the text so far."""
        self._cut(turn.text, turn.ended)
        first = frozenset(citation.start for citation in first_of_each(turn.citations))
        names = _card_names(turn)
        kept: list[tuple[object, Piece]] = []
        for number, block in enumerate(self._blocks):
            last = number == len(self._blocks) - 1 and not turn.ended
            mine = tuple(c for c in turn.citations if block.start <= c.start < block.end)
            made_of = (block, mine, first.intersection(c.start for c in mine), last, number)
            if number < len(self._pieces) and self._pieces[number][0] == made_of:
                kept.append(self._pieces[number])
            else:
                kept.append((made_of, _block_piece(*made_of, names, plain)))
        self._pieces = kept
        return [piece for _, piece in kept]

    def _cut(self, text: str, ended: bool) -> None:
        """Cut the text into blocks; while it grows, all but the last stay as they are."""
        done = [] if ended else self._blocks[:-1]
        if done and not text.startswith(done[-1].text, done[-1].start):
            done = []
        start = self._blocks[-1].start if done else 0
        self._blocks = done + split_blocks(text[start:], start)


def _block_piece(
    block: Block,
    citations: tuple[Citation, ...],
    first: frozenset[int],
    unfinished: bool,
    number: int,
    names: tuple[str, ...],
    plain: bool,
) -> Piece:
    block, held_back = whole_part(block) if unfinished else (block, "")
    if clean_text(block.text) != block.text:
        # The engine sends clean text. Should one not, the marks go, because their offsets no longer fit.
        block, citations = Block(block.start, clean_text(block.text)), ()
    content = render_block(block, citations, first, plain)
    spots = [Spot(spot_key(c), "answer", partial(RuleRequested, c.rule), c.rule) for c in citations]
    content, cards = _mark_cards(content, names, block.start)
    if number == 0 and block.kind == "text":
        content = _verdict_bold(content)
    narrow = None
    if block.kind == "table":
        content, narrow = table_contents(content)
    if held_back:
        content = Content.assemble(content, (held_back, "$text-muted italic"))
    return Piece(content, (*spots, *cards), narrow=narrow, gap=True)


_VERDICT_END = re.compile(r"[.!?](?=\s|$)")


def _verdict_bold(content: Content) -> Content:
    """The answer's first sentence is its verdict."""
    end = _VERDICT_END.search(content.plain)
    return content.stylize("bold", 0, end.end() if end else len(content.plain))


def _card_names(turn: Turn) -> tuple[str, ...]:
    """Return the names of the cards an answer was given, longest first."""
    names = {clean_line(p.id) for p in turn.passages or () if p.kind == "card"}
    return tuple(sorted((name for name in names if name), key=lambda name: (-len(name), name)))


def _mark_cards(content: Content, names: tuple[str, ...], start: int) -> tuple[Content, list[Spot]]:
    if not names:
        return content, []
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)
    spelling = {name.casefold(): name for name in names}
    spots = []
    for found in pattern.finditer(content.plain):
        name = spelling.get(found[0].casefold(), found[0])
        key = f"name:{start + found.start()}"
        spots.append(Spot(key, "answer", partial(CardRequested, name), name, "card"))
        content = content.stylize("$primary underline", *found.span())
        content = content.stylize(Style.from_meta({SPOT: key}), *found.span())
    return content, spots


def _evidence(turn: Turn) -> list[Piece]:
    passages = turn.passages or ()
    few = turn.shows_all or len(passages) <= NUM_SHOWN + 1
    # Without a release all rules are in our words, which the line above says once.
    pieces = [
        _passage_piece(turn, passage, number)
        for number, passage in enumerate(passages if few else passages[:NUM_SHOWN])
    ]
    if not few:
        spot = Spot("evidence:more", "evidence", MoreEvidenceRequested, kind="more")
        pieces.append(_line_piece(Content(f"{len(passages) - NUM_SHOWN} more").stylize("$text-muted"), spot))
    return pieces


def _passage_piece(turn: Turn, passage: Passage, number: int) -> Piece:
    """Return one piece of evidence: what it is and why it is here, the first ones with the beginning of
    their text, an unfolded one with the whole."""
    name = clean_line(passage.id)
    words: list[str | tuple[str, str]] = [(name, "bold $primary")]
    if passage.kind not in ("rule", "digest"):
        words.append((f" {KIND_WORDS[passage.kind]}", "$text-muted"))
    if turn.release is not None and not passage.official:
        words.append((" in our words", "$warning"))
    title = clean_line(passage.title).removeprefix(name).lstrip(" .:·—-")
    if title:
        words.append(f"  {title}")
    words.append((f"  {clean_line(passage.why)}", "$text-muted"))
    key = f"evidence:{number}"
    unfolded = key in turn.unfolded
    if unfolded:
        words.append(f"\n{clean_text(passage.text)}")
    elif number < NUM_PREVIEWS:
        words.append(f"\n  {clean_line(passage.text[:PREVIEW_CHARACTERS])}")
    kind = "rule" if passage.kind in ("rule", "digest") else "card" if passage.kind == "card" else "text"
    spot = Spot(key, "evidence", partial(_wish, passage), name, kind, passage.text)  # type: ignore[arg-type]
    return _line_piece(Content.assemble(*words), spot, wraps=unfolded)


def _cited_rule(turn: Turn, citation: Citation, plain: bool) -> Piece:
    """Return a cited rule: its number, its mark, and its own words, folded to one line."""
    mark = MARKS[citation.status]
    symbol = mark.plain_symbol if plain else mark.symbol
    passage = turn.passage_of(citation.rule)
    key = f"cited:{citation.rule}:{citation.status}"
    unfolded = key in turn.unfolded
    words: list[str | tuple[str, str]] = [
        (clean_line(citation.rule), f"bold {mark.style}"),
        (f" {symbol} {mark.word}", mark.style),
    ]
    if passage:
        words.append(f"\n{clean_text(passage.text)}" if unfolded else f"  {clean_line(passage.text)}")
    spot = Spot(
        key,
        "cited",
        partial(RuleRequested, citation.rule),
        citation.rule,
        unfolds=passage.text if passage else "",
    )
    return _line_piece(Content.assemble(*words), spot, wraps=unfolded)


def _line_piece(content: Content, spot: Spot, wraps: bool = False) -> Piece:
    return Piece(content.stylize(Style.from_meta({SPOT: spot.key})), (spot,), wraps=wraps)


def _wish(passage: Passage) -> Message:
    if passage.kind in ("rule", "digest"):
        return RuleRequested(passage.id)
    if passage.kind == "card":
        return CardRequested(passage.id)
    return TextRequested(clean_line(passage.title), clean_text(passage.text), clean_line(passage.source))


def _label(turn: Turn) -> Piece:
    name = clean_line(turn.model_name or "")
    if turn.model and turn.model.weights_bytes:
        name += f", {size_text(turn.model.weights_bytes)}"
    if turn.model and turn.model.small:
        decides = "the rules above decide" if turn.passages else "no rule was found to hold it against"
        words = f"A small model's draft ({name}). It can phrase, not judge: {decides}."
        return Piece(Content(words).stylize("$warning"))
    words = f"Written by {name}. What it claims about a rule is not checked unless quoted."
    return Piece(Content(words).stylize("$text-muted"))


def _mode_line(turn: Turn) -> str:
    words = [mode_words(turn.choice)] if turn.choice else []
    if turn.passages is not None:
        words.append(evidence_words(turn.passages, turn.release, turn.elapsed_ms, turn.cards_date))
    elif not turn.ended and not words:
        words.append(turn.doing)
    return " · ".join(words)


def _end_lines(turn: Turn) -> Iterable[str]:
    if turn.stopping and not turn.ended:
        return ["Stopping …"]
    lines = [end_words(turn.stop_reason, bool(turn.text))] if turn.ended and turn.stop_reason else []
    notes = [*turn.evidence_notes, *turn.given_up, *turn.notes]
    lines += [note for note in notes if note not in turn.told]
    if turn.error:
        lines.append(f"{turn.error.message} {turn.error.remedy}")
    return dict.fromkeys(clean_line(line) for line in lines if line)


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
    if choice.abstained:
        first, *others = choice.modes
        if not others:
            return f"mode {first}, a mere guess; /mode chooses one"
        return f"mode {first} or {others[0]}? Answered as {first}; /mode {others[0].lower()} for the other"
    return f"mode {choice.mode} {choice.confidence:.0%}"


def evidence_words(
    passages: tuple[Passage, ...],
    release: str | None,
    elapsed_ms: float | None,
    cards_date: str | None = None,
) -> str:
    """Return what was looked up, e.g. "5 rules, 2 cards in 14 ms (rules 2026-01-16, cards 2026-01-10)"."""
    cards = sum(passage.kind in ("card", "ruling") for passage in passages)
    rules = len(passages) - cards
    if not passages:
        return "no rule or card found"
    counts = [f"{rules} rule{'s' * (rules != 1)}"] if rules else []
    counts += [f"{cards} card{'s' * (cards != 1)}"] if cards else []
    words = ", ".join(counts)
    if elapsed_ms is not None:
        words += f" in {elapsed_ms:.0f} ms" if elapsed_ms >= 1 else " while you typed"
    dates = [release_words(release)]
    if cards and cards_date:
        dates.append(f"cards {clean_line(cards_date)}")
    return f"{words} ({', '.join(dates)})"

"""Lists whose lines open a rule, a card or another passage: one focus stop, arrow keys inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from hexcore_engine.protocol.records import Citation, Passage
from hexcore_engine.utils.validation import clean_line, clean_text
from hexcore_tui.actions import bindings_of
from hexcore_tui.messages import CardRequested, RuleRequested, TextRequested
from hexcore_tui.textual_gaps import scroll_to_line
from hexcore_tui.widgets.chat.marks import MARKS, first_of_each


@dataclass(frozen=True)
class Link:
    """A line and what makes the wish that Enter on it sends.

    A message knows who made it and goes no further than there, so the list itself must make it.
    """

    content: Content
    wish: Callable[[], Message]


class MoreEvidenceRequested(Message, bubble=True):
    """The user wants to see the passages left out at first."""


class LinkList(OptionList):
    """Lines to open. Leaving the list at its ends goes on to the next field."""

    BINDINGS = bindings_of("links")
    DEFAULT_CSS = """
    LinkList {
        height: auto;
        max-height: 1000;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        border: none;
        padding: 0;
        background: transparent;
        &:focus { border: none; background-tint: transparent; }
        & > .option-list--option { padding: 0 1; }
        & > .option-list--option-highlighted { background: transparent; color: $foreground; }
        &:focus > .option-list--option-highlighted {
            background: $primary 25%;
            color: $foreground;
            text-style: bold;
        }
    }
    """

    def __init__(self, links: tuple[Link, ...] = ()) -> None:
        super().__init__(*(Option(link.content) for link in links), markup=False)
        self._links = links

    def on_focus(self) -> None:
        """Start at the first line, so that Enter has something to open."""
        if self.highlighted is None and self._links:
            self.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open what the line stands for."""
        event.stop()
        self.post_message(self._links[event.option_index].wish())

    def action_cursor_down(self) -> None:
        """Past the last line the focus goes on."""
        if self.highlighted is not None and self.highlighted >= len(self._links) - 1:
            self.screen.focus_next()
        else:
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        """Before the first line the focus goes back."""
        if not self.highlighted:
            self.screen.focus_previous()
        else:
            super().action_cursor_up()

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Bring the line into sight inside whatever scrolls around this list."""
        scroll_to_line(self)

    def show(self, links: tuple[Link, ...]) -> None:
        """Replace the lines."""
        self._links = links
        self.set_options(Option(link.content) for link in links)


KIND_WORDS = {"rule": "rule", "card": "card", "ruling": "ruling", "glossary": "term", "digest": "our words"}
PREVIEW_CHARACTERS = 300


def passage_link(passage: Passage, *, preview: bool, mark_ours: bool) -> Link:
    """Return the line of one piece of evidence: what it is and why it is here, with the beginning of its
    text below when `preview`."""
    name = clean_line(passage.id)
    words: list[str | tuple[str, str]] = [(name, "bold $primary")]
    if passage.kind not in ("rule", "digest"):
        words.append((f" {KIND_WORDS[passage.kind]}", "$text-muted"))
    if mark_ours and not passage.official:
        words.append((" in our words", "$warning"))
    title = clean_line(passage.title).removeprefix(name).lstrip(" .:·—-")
    if title:
        words.append(f"  {title}")
    words.append((f"  {clean_line(passage.why)}", "$text-muted"))
    if preview:
        words.append(f"\n  {clean_line(passage.text[:PREVIEW_CHARACTERS])}")
    return Link(Content.assemble(*words), partial(_wish, passage))


def more_link(num_more: int) -> Link:
    """Return the line behind which further passages wait."""
    return Link(Content(f"{num_more} more").stylize("$text-muted"), MoreEvidenceRequested)


def _wish(passage: Passage) -> Message:
    if passage.kind in ("rule", "digest"):
        return RuleRequested(passage.id)
    if passage.kind == "card":
        return CardRequested(passage.id)
    return TextRequested(clean_line(passage.title), clean_text(passage.text), clean_line(passage.source))


def citation_links(citations: tuple[Citation, ...], plain: bool) -> tuple[Link, ...]:
    """Return one line for each rule of an answer with its mark in symbol and word."""
    lines = []
    for citation in first_of_each(citations):
        mark = MARKS[citation.status]
        symbol = mark.plain_symbol if plain else mark.symbol
        number = clean_line(citation.rule)
        content = Content.assemble((number, f"bold {mark.style}"), (f" {symbol} {mark.word}", mark.style))
        lines.append(Link(content, partial(RuleRequested, citation.rule)))
    return tuple(lines)

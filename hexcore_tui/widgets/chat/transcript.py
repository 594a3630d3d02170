"""The conversation so far: its turns, which one the focus is in, and what its keys ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.timer import Timer

from hexcore_engine.protocol.records import ModelRecord, SessionRecord, TurnRecord
from hexcore_tui.actions import bindings_of
from hexcore_tui.host import host
from hexcore_tui.widgets.chat.pieces import SPOT, Spot
from hexcore_tui.widgets.chat.turns_view import TurnsView

# What draws a turn is imported with the first one: it may not delay the first frame.
if TYPE_CHECKING:
    from hexcore_tui.widgets.chat.turn import Turn
    from hexcore_tui.widgets.chat.turn_feed import TurnFeed
    from hexcore_tui.widgets.chat.turn_page import Part, SpotPlace

TurnWish = Literal["retry", "edit", "continue", "copy", "search"]


class Transcript(TurnsView, can_focus=True):
    """Turns in the order they were asked, and the welcome while there is none.

    With the focus, one turn is the current one, and one of its spots is marked where it has any.
    """

    BINDINGS = bindings_of("answer")

    class Marked(Message):
        """Another turn or spot is the marked one."""

    class Asked(Message):
        """The user wants something done with a turn; `spot` is the marked one of its spots."""

        def __init__(self, what: TurnWish, turn: Turn, spot: Spot | None) -> None:
            super().__init__()
            self.what = what
            self.turn = turn
            self.spot = spot

    def __init__(self, welcome: Content) -> None:
        super().__init__(welcome)
        self._paint_timer: Timer | None = None

    # -- what Textual asks

    def allow_focus(self) -> bool:
        """An empty conversation has nothing to go to."""
        return bool(self._pages) and super().allow_focus()

    def on_focus(self) -> None:
        """Start at the newest turn."""
        if self._at is None and self._pages:
            self.enter(first=True)

    def on_blur(self) -> None:
        """A spot is marked only where Enter would open it; its place is kept for whoever comes back."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Open the spot under the pointer."""
        key = event.style.meta.get(SPOT)
        number, _ = self._turn_at(event.y + round(self.scroll_offset.y))
        if key is not None and number is not None:
            self._at, self._key = number, str(key)
            self.action_open()

    # -- keys

    def action_move(self, delta: int) -> None:
        """Go to the next or previous spot; past the newest the focus goes on to the question field."""
        if self._at is None:
            return
        spots = self._spots(self._at)
        place = self._place(spots)
        here = place + delta if place is not None else (-1 if delta < 0 else len(spots))
        if 0 <= here < len(spots):
            self._mark(self._at, spots[here].spot.key)
        elif 0 <= self._at + delta < len(self._pages):
            self._mark_end(self._at + delta, first=delta > 0)
        elif delta > 0:
            self.screen.focus_next()

    def action_move_group(self, delta: int) -> None:
        """Go to the next or previous group of spots: evidence, answer, rules cited; past them the focus goes
        on."""
        spots = self._spots(self._at) if self._at is not None else []
        place = self._place(spots)
        group = spots[place].spot.group if place is not None else None
        ahead = spots[(place or 0) :] if delta > 0 else spots[: (place or 0) + 1][::-1]
        wanted = next((spot for spot in ahead if spot.spot.group != group), None)
        if wanted and self._at is not None:
            start = next(spot for spot in spots if spot.spot.group == wanted.spot.group)
            self._mark(self._at, start.spot.key)
        elif delta > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_open(self) -> None:
        """Open what is marked."""
        if self.marked:
            self.post_message(self.marked.wish())

    def action_unfold(self) -> None:
        """Show or hide the whole words of the marked rule or card in place."""
        turn, spot = self.current, self.marked
        if turn and spot and spot.unfolds:
            turn.unfolded ^= {spot.key}
            self.turn_changed(turn, "head", "tail")

    def action_wish(self, what: TurnWish) -> None:
        """Ask the screen to do something with the current turn; called from elsewhere, with the newest."""
        if self.screen.focused is not self and self._pages:
            self._mark(len(self._pages) - 1, None)
        if self.current:
            self.post_message(self.Asked(what, self.current, self.marked))

    # -- for the screen

    @property
    def turns(self) -> list[Turn]:
        """The turns, oldest first."""
        return [page.turn for page in self._pages]

    @property
    def current(self) -> Turn | None:
        """The turn the focus is in."""
        return self._pages[self._at].turn if self._at is not None and self._at < len(self._pages) else None

    @property
    def marked(self) -> Spot | None:
        """The marked spot."""
        if self._at is None:
            return None
        spots = self._spots(self._at)
        place = self._place(spots)
        return spots[place].spot if place is not None else None

    def enter(self, *, first: bool) -> None:
        """Take the focus at the first or last spot of the newest turn."""
        if self._pages:
            self._mark_end(len(self._pages) - 1, first)
            # At once: a key typed together with the one that leads here belongs here.
            self.screen.set_focus(self)

    def add_turn(self, question: str) -> TurnFeed:
        """Start a turn at the end and follow it; returns what takes the engine's messages about it."""
        from hexcore_tui.widgets.chat.turn import Turn
        from hexcore_tui.widgets.chat.turn_feed import TurnFeed
        from hexcore_tui.widgets.chat.turn_page import TurnPage

        page = TurnPage(Turn(question))
        page.turn.cards_date = host(self).facts.cards_date
        page.turn.told = frozenset(note for turn in self.turns for note in turn.evidence_notes)
        self._pages.append(page)
        self._follows = True
        self._lay_out()
        return TurnFeed(page.turn, self.turn_changed, self._grew)

    def clear(self) -> None:
        """Back to an empty conversation."""
        self._pages = []
        self._at = self._key = None
        self._follows = True
        self._lay_out()

    def show_stored(
        self, turns: tuple[TurnRecord, ...], session: SessionRecord, num_turns: int, model: ModelRecord | None
    ) -> None:
        """Show a stored conversation of `num_turns`, the last of which are `turns`, instead of the present
        one."""
        from hexcore_tui.widgets.chat.turn import Turn
        from hexcore_tui.widgets.chat.turn_page import TurnPage

        self.clear()
        self._pages = [TurnPage(Turn.stored(turn, session.session_id, model)) for turn in turns]
        if self._pages:
            self._pages[0].turn.num_hidden = num_turns - len(turns)
        self._lay_out()

    def show_all_evidence(self, turn: Turn) -> None:
        """Show the passages that wait behind the last line, and go on with the first of them."""
        turn.shows_all = True
        number = self.turns.index(turn)
        place = self._place(self._spots(number)) or 0
        self.turn_changed(turn, "head")
        self._mark(number, self._spots(number)[place].spot.key)

    def turn_changed(self, turn: Turn, *parts: Part) -> None:
        """Draw parts of a turn anew, at once."""
        for page in self._pages:
            if page.turn is turn:
                page.changed(*parts)
                self._lay_out(only_newest=page is self._pages[-1])

    def _grew(self, turn: Turn) -> None:
        """Draw a longer answer with the next batch."""
        if self._paint_timer is None:
            self._paint_timer = self.set_timer(self._batch_s, lambda: self._paint(turn))

    # -- inside

    def _paint(self, turn: Turn) -> None:
        self._paint_timer = None
        self.turn_changed(turn, "answer", "tail")

    def _spots(self, number: int) -> list[SpotPlace]:
        return self._pages[number].spots(self._width, self._plain) if number < len(self._pages) else []

    def _place(self, spots: list[SpotPlace]) -> int | None:
        return next((place for place, spot in enumerate(spots) if spot.spot.key == self._key), None)

    def _mark_end(self, number: int, first: bool) -> None:
        spots = self._spots(number)
        self._mark(number, (spots[0] if first else spots[-1]).spot.key if spots else None)

    def _mark(self, number: int, key: str | None) -> None:
        self._at, self._key = number, key
        self._lay_out()
        spots = self._spots(number)
        place = self._place(spots)
        top = self._tops[number]
        if place is None:
            region = Region(0, top, 1, min(self.size.height, self._pages[number].height(self._width)))
        else:
            first, last = spots[place].first_line, spots[place].last_line
            region = Region(0, top + first, 1, last - first + 1)
        self.scroll_to_region(region, animate=False, origin_visible=False, x_axis=False, force=True)
        self.refresh()
        self.post_message(self.Marked())

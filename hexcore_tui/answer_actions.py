"""What one can do with an answer that has the focus; a part of the registry."""

from __future__ import annotations

from hexcore_tui.action import Action

ANSWER_ACTIONS: tuple[Action, ...] = (
    Action(
        "open",
        "enter",
        "Open",
        "Read the marked rule, card or term beside the chat.",
        "answer",
    ),
    Action("move(-1)", "up", "Up", "Go to the rule or card before.", "answer", palette=False, setting="up"),
    Action(
        "move(1)", "down", "Down", "Go to the next rule or card.", "answer", palette=False, setting="down"
    ),
    Action(
        "move_group(1)",
        "tab",
        "Next part",
        "From the evidence to the answer, and on to the rules it cites.",
        "answer",
        palette=False,
        setting="next_part",
    ),
    Action(
        "move_group(-1)",
        "shift+tab",
        "Part before",
        "Go back by a part.",
        "answer",
        palette=False,
        setting="part_before",
    ),
    Action(
        "unfold",
        "space",
        "Unfold",
        "Show the whole words of the marked rule or card in place; once more, fold them.",
        "answer",
    ),
    Action(
        "wish('retry')",
        "r",
        "Retry",
        "Have the question answered anew; the old answer stays in a conversation of its own.",
        "answer",
        setting="retry",
    ),
    Action(
        "wish('edit')",
        "e",
        "Edit",
        "Change the question and ask it anew; the old line stays in a conversation of its own.",
        "answer",
        setting="edit",
    ),
    Action(
        "wish('continue')",
        "c",
        "Continue",
        "Go on with an answer that was stopped or reached its length.",
        "answer",
        setting="continue",
    ),
    Action(
        "wish('copy')",
        "y",
        "Copy",
        "Copy the marked rule or card with its date, or else the answer with its rules.",
        "answer",
        setting="copy",
    ),
    Action(
        "wish('search')",
        "s",
        "Search",
        "Look for the marked rule, card or words on the rules or cards screen.",
        "answer",
        setting="search",
    ),
)

"""The one registry of actions: footer, help screen, palette and documentation are all made from it.

An action `stop` is carried out by the method `action_stop` of whoever owns its scope: the app for
"everywhere", the screen for a screen's name, a widget for a widget's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Scope = Literal[
    "everywhere", "chat", "prompt", "answer", "pane", "cards", "rules", "changes", "memory", "sessions"
]

SCOPE_TITLES: dict[Scope, str] = {
    "everywhere": "Everywhere",
    "chat": "Chat",
    "prompt": "While typing a question",
    "answer": "On an answer and its evidence (Tab, or ↑ from an empty question field)",
    "pane": "Rule beside the chat",
    "cards": "Cards",
    "rules": "Rules",
    "changes": "What changed in the rules",
    "memory": "Memory",
    "sessions": "Sessions",
}


@dataclass(frozen=True)
class Action:
    """One thing a person can do.

    `name` may carry arguments as Textual writes them, e.g. "go('cards')". `key` holds one or more keys,
    comma-separated, the first is the one shown. `label` is for the footer, `help` a whole sentence.
    With `footer` it stands in the line of keys; with `palette` the palette offers it; `priority` makes the
    key win over what a focused field would do with it.
    """

    name: str
    key: str
    label: str
    help: str
    scope: Scope
    footer: bool = False
    palette: bool = True
    priority: bool = False


ACTIONS: tuple[Action, ...] = (
    Action("help", "f1,question_mark", "Help", "Show every key and what it does.", "everywhere", footer=True),
    Action(
        "go('chat')",
        "f2",
        "Chat",
        "Ask questions and read answers.",
        "everywhere",
        footer=True,
        priority=True,
    ),
    Action("go('cards')", "f3", "Cards", "Look up cards.", "everywhere", footer=True, priority=True),
    Action("go('rules')", "f4", "Rules", "Look up rules.", "everywhere", footer=True, priority=True),
    Action(
        "go('memory')", "f5", "Memory", "See what the model costs.", "everywhere", footer=True, priority=True
    ),
    Action(
        "go('sessions')",
        "f6",
        "Sessions",
        "Reopen, rename or delete conversations.",
        "everywhere",
        footer=True,
        priority=True,
    ),
    Action(
        "command_palette",
        "ctrl+p",
        "Palette",
        "Find an action by its name.",
        "everywhere",
        footer=True,
        palette=False,
        priority=True,
    ),
    Action("change_theme", "", "Theme", "Choose other colours.", "everywhere"),
    Action("run_setup", "", "Set up", "Fetch and build what is still missing.", "everywhere"),
    Action("import_data", "", "Import", "Read a rules or card file of yours.", "everywhere"),
    Action("update_data", "", "Update", "Look for newer rules and cards and fetch them.", "everywhere"),
    Action(
        "stop_answer",
        "escape",
        "Stop",
        "Stop the running answer; what was written is kept.",
        "everywhere",
        priority=True,
    ),
    Action(
        "quit",
        "ctrl+q",
        "Quit",
        "Leave; a running answer is finished and stored.",
        "everywhere",
        footer=True,
        priority=True,
    ),
    Action("submit", "enter", "Ask", "Ask the question.", "prompt", palette=False),
    Action(
        "insert_line",
        "ctrl+j,shift+enter,alt+enter",
        "New line",
        "Start a new line in the question.",
        "prompt",
        palette=False,
    ),
    Action(
        "older",
        "up,alt+up",
        "Earlier question",
        "Bring back an earlier question; from an empty field, Up goes to the newest answer.",
        "prompt",
        palette=False,
    ),
    Action("newer", "down,alt+down", "Later question", "Go on to a later question.", "prompt", palette=False),
    Action(
        "search_history",
        "ctrl+r",
        "Earlier",
        "Search the questions of all conversations by the words typed.",
        "prompt",
        palette=False,
    ),
    Action(
        "open",
        "enter",
        "Open",
        "Read the marked rule, card or term beside the chat.",
        "answer",
        palette=False,
    ),
    Action("move(-1)", "up,k", "Up", "Go to the rule or card before.", "answer", palette=False),
    Action("move(1)", "down,j", "Down", "Go to the next rule or card.", "answer", palette=False),
    Action(
        "move_group(1)",
        "tab",
        "Next part",
        "From the evidence to the answer, and on to the rules it cites.",
        "answer",
        palette=False,
    ),
    Action("move_group(-1)", "shift+tab", "Part before", "Go back by a part.", "answer", palette=False),
    Action(
        "unfold",
        "space",
        "Unfold",
        "Show the whole words of the marked rule or card in place; once more, fold them.",
        "answer",
        palette=False,
    ),
    Action(
        "wish('retry')",
        "r",
        "Retry",
        "Have the question answered anew; the old answer stays in a conversation of its own.",
        "answer",
        palette=False,
    ),
    Action(
        "wish('edit')",
        "e",
        "Edit",
        "Change the question and ask it anew; the old line stays in a conversation of its own.",
        "answer",
        palette=False,
    ),
    Action(
        "wish('continue')",
        "c",
        "Continue",
        "Go on with an answer that was stopped or reached its length.",
        "answer",
        palette=False,
    ),
    Action(
        "wish('copy')",
        "y",
        "Copy",
        "Copy the marked rule or card with its date, or else the answer with its rules.",
        "answer",
        palette=False,
    ),
    Action(
        "wish('search')",
        "s",
        "Search",
        "Look for the marked rule, card or words on the rules or cards screen.",
        "answer",
        palette=False,
    ),
    Action(
        "next_mode", "ctrl+t", "Mode", "Choose the mode the next answer is written in.", "chat", footer=True
    ),
    Action("new_session", "ctrl+n", "New", "Start a new conversation.", "chat", footer=True),
    Action("copy_answer", "f8", "Copy", "Copy the last answer with its rules.", "chat"),
    Action(
        "focus_next",
        "tab",
        "Evidence",
        "Go to the newest rules and cards found.",
        "chat",
        palette=False,
    ),
    Action("page(-1)", "pageup", "Page up", "Scroll back.", "chat", palette=False, priority=True),
    Action("page(1)", "pagedown", "Page down", "Scroll on.", "chat", palette=False, priority=True),
    Action(
        "leave", "escape", "Back", "Close the pane, or go back to the question field.", "chat", palette=False
    ),
    Action("focus_prompt", "f9", "Prompt", "Go back to the question field.", "chat"),
    Action(
        "back",
        "left_square_bracket,alt+left",
        "Back",
        "Go back to what was read before.",
        "pane",
        footer=True,
    ),
    Action(
        "forward",
        "right_square_bracket,alt+right",
        "Forward",
        "Go forward along the trail.",
        "pane",
        footer=True,
    ),
    Action("close", "escape", "Close", "Close the pane.", "pane", footer=True),
    Action("ask_about", "f7", "Ask", "Put this card's name into a question.", "cards", footer=True),
    Action(
        "take_reading",
        "ctrl+e",
        "Reading",
        "Put the query as it was read into the field, to change it there.",
        "cards",
        priority=True,
    ),
    Action(
        "focus_query",
        "escape,slash",
        "Search",
        "Go back to the field; there, empty it.",
        "cards",
        footer=True,
    ),
    Action("ask_about", "f7", "Ask", "Put this rule's number into a question.", "rules", footer=True),
    Action(
        "focus_query",
        "escape,slash",
        "Search",
        "Go back to the field; there, empty it.",
        "rules",
        footer=True,
    ),
    Action(
        "back",
        "alt+left,left_square_bracket",
        "Back",
        "Go back to the rule read before.",
        "rules",
        footer=True,
    ),
    Action(
        "forward",
        "alt+right,right_square_bracket",
        "Forward",
        "Go forward along the trail.",
        "rules",
        footer=True,
    ),
    Action(
        "show_near",
        "ctrl+g",
        "Near",
        "See what is near this rule by cross-references; once more, read the rule.",
        "rules",
        footer=True,
        priority=True,
    ),
    Action(
        "show_pointing",
        "ctrl+r",
        "Refs",
        "See which rules, terms and cards point to this rule; once more, read the rule.",
        "rules",
        footer=True,
        priority=True,
    ),
    Action(
        "show_changes",
        "ctrl+o",
        "Changes",
        "See what changed since an older release.",
        "rules",
        footer=True,
        priority=True,
    ),
    Action(
        "older",
        "left,left_square_bracket",
        "Older",
        "Compare with the release before.",
        "changes",
        footer=True,
    ),
    Action(
        "newer",
        "right,right_square_bracket",
        "Newer",
        "Compare with the release after.",
        "changes",
        footer=True,
    ),
    Action("leave", "escape", "Rules", "Go back to the rules.", "changes", footer=True),
    Action(
        "load_model",
        "l",
        "Load",
        "Load the marked model; an answer is finished first.",
        "memory",
        footer=True,
    ),
    Action("unload_model", "u", "Unload", "Give the model's memory back.", "memory", footer=True),
    Action("refresh_models", "r", "Refresh", "List the models again.", "memory", footer=True),
    Action("open_session", "enter", "Open", "Go on with this conversation.", "sessions", footer=True),
    Action("rename_session", "r", "Rename", "Give this conversation another title.", "sessions", footer=True),
    Action("delete_session", "d", "Delete", "Delete this conversation.", "sessions", footer=True),
    Action("undo_delete", "u", "Undo", "Bring the last deleted conversation back.", "sessions", footer=True),
    Action("leave", "escape", "Chat", "Go back to the chat.", "sessions", palette=False),
    Action("export_session", "x", "Export", "Write this conversation as Markdown.", "sessions", footer=True),
)


def actions_of(*scopes: Scope) -> tuple[Action, ...]:
    """Return the actions of these scopes, in the registry's order."""
    return tuple(action for action in ACTIONS if action.scope in scopes)


def bindings_of(*scopes: Scope) -> list[BindingType]:
    """Return Textual's bindings for these scopes, for a class's BINDINGS."""
    return [
        Binding(action.key, action.name, action.label, show=False, priority=action.priority)
        for action in actions_of(*scopes)
        if action.key
    ]


KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}


def key_text(key: str) -> str:
    """Return a key as people write it: `ctrl+p` is ^P, `f1` is F1."""
    *modifiers, last = key.split("+")
    name = KEY_NAMES.get(last) or (last.upper() if modifiers == ["ctrl"] or last[:1] == "f" else last)
    if modifiers == ["ctrl"]:
        return f"^{name}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def keys_text(keys: str) -> str:
    """Return all keys of an action as people write them."""
    return " or ".join(key_text(key) for key in keys.split(",") if key)


def footer_actions(scopes: Iterable[Scope]) -> tuple[Action, ...]:
    """Return what the line of keys shows for these scopes, the first scope's actions first."""
    return tuple(action for scope in scopes for action in actions_of(scope) if action.footer)

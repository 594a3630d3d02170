"""The one registry of actions: footer, help screen, palette and documentation are all made from it.

An action `stop` is carried out by the method `action_stop` of whoever owns its scope: the app for
"everywhere", the screen for a screen's name, a widget for a widget's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

from hexcore_tui.action import SCOPE_NAMES as SCOPE_NAMES
from hexcore_tui.action import SCOPE_TITLES as SCOPE_TITLES
from hexcore_tui.action import Action as Action
from hexcore_tui.action import Scope as Scope
from hexcore_tui.answer_actions import ANSWER_ACTIONS
from hexcore_tui.key_names import key_text as key_text
from hexcore_tui.key_names import keys_text as keys_text
from hexcore_tui.screen_actions import SCREEN_ACTIONS

ACTIONS: tuple[Action, ...] = (
    Action("help", "f1", "Help", "Show every key and what it does.", "everywhere", footer=True),
    Action("help_here", "question_mark", "Keys", "Show the keys of where you are.", "everywhere"),
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
        "Find, reopen, rename, delete or export conversations.",
        "everywhere",
        footer=True,
        priority=True,
    ),
    Action("go('settings')", "f10", "Settings", "See and change every setting.", "everywhere", priority=True),
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
    Action(
        "save_copy",
        "ctrl+s",
        "Save copy",
        "Save what was copied last to a file.",
        "everywhere",
        priority=True,
    ),
    Action("change_theme", "", "Theme", "Choose other colours.", "everywhere"),
    Action("run_setup", "", "Set up", "Fetch and build what is still missing.", "everywhere"),
    Action("import_data", "", "Import", "Read a rules or card file of yours.", "everywhere"),
    Action(
        "restart_engine",
        "",
        "Restart engine",
        "End the engine, by force where it does not answer, and start it anew; no question is lost.",
        "everywhere",
    ),
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
    Action("submit", "enter", "Ask", "Ask the question.", "prompt"),
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
    ),
    *ANSWER_ACTIONS,
    Action(
        "next_mode", "ctrl+t", "Mode", "Choose the mode the next answer is written in.", "chat", footer=True
    ),
    Action("new_session", "ctrl+n", "New", "Start a new conversation.", "chat", footer=True),
    Action(
        "look_up",
        "ctrl+l",
        "Look up",
        "Look for a rule or a card beside the chat; the question being written stays.",
        "chat",
        priority=True,
    ),
    Action("copy_answer", "f8", "Copy", "Copy the last answer with its rules.", "chat"),
    Action(
        "focus_next",
        "tab",
        "Evidence",
        "Go to the newest rules and cards found.",
        "chat",
    ),
    Action(
        "page(-1)",
        "pageup",
        "Page up",
        "Scroll back.",
        "chat",
        palette=False,
        priority=True,
        setting="page_up",
    ),
    Action(
        "page(1)",
        "pagedown",
        "Page down",
        "Scroll on.",
        "chat",
        palette=False,
        priority=True,
        setting="page_down",
    ),
    Action("leave", "escape", "Back", "Close the pane, or go back to the question field.", "chat"),
    Action("focus_prompt", "f9", "Prompt", "Go back to the question field.", "chat"),
    # First, so that the way out is in sight where there is room for few keys.
    Action("close", "escape", "Close", "Leave the search, or close the pane.", "pane", footer=True),
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
    Action("search", "slash", "Search", "Look for a rule or a card here.", "pane", footer=True),
    Action("copy", "y", "Copy", "Copy the rule or card being read, with its date.", "pane", footer=True),
    Action("ask_about", "f7", "Ask", "Put this rule or card into a question.", "pane", footer=True),
    *SCREEN_ACTIONS,
)


# What a person moves with is in a table of its own below: (scope, key, name, setting, help).
_MOVES: tuple[tuple[Scope, str, str, str, str], ...] = (
    ("field", "up", "move('up')", "up", "Mark the row above."),
    ("field", "down", "move('down')", "down", "Mark the row below."),
    ("field", "pageup", "move('pageup')", "page_up", "Go a screenful up in the list."),
    ("field", "pagedown", "move('pagedown')", "page_down", "Go a screenful down in the list."),
    ("list", "up", "move(-1)", "up", "Mark the row above."),
    ("list", "down", "move(1)", "down", "Mark the row below."),
    ("list", "pageup", "move_page(-1)", "page_up", "Go a screenful up."),
    ("list", "pagedown", "move_page(1)", "page_down", "Go a screenful down."),
    ("list", "home", "move_to_end(-1)", "first", "Mark the first row."),
    ("list", "end", "move_to_end(1)", "last", "Mark the last row."),
    ("list", "enter", "select", "select", "Open the marked row."),
    ("text", "tab", "step(1)", "next_link", "Go to the next rule or card in the text."),
    ("text", "shift+tab", "step(-1)", "previous_link", "Go to the one before."),
    ("text", "enter", "open", "open", "Open the marked rule or card."),
    ("motion", "j", "app.press('down')", "down", "Down."),
    ("motion", "k", "app.press('up')", "up", "Up."),
    ("motion", "g", "app.press('home')", "first", "To the beginning."),
    ("motion", "G", "app.press('end')", "last", "To the end."),
    ("motion", "ctrl+d", "app.press('pagedown')", "page_down", "A screenful down."),
    ("motion", "ctrl+u", "app.press('pageup')", "page_up", "A screenful up."),
)
_MOVES_SHOWN = {("text", "next_link"), ("text", "open")}
ACTIONS += tuple(
    Action(
        name,
        key,
        setting.replace("_", " ").capitalize(),
        words,
        scope,
        footer=(scope, setting) in _MOVES_SHOWN,
        palette=False,
        setting=setting,
    )
    for scope, key, name, setting, words in _MOVES
)
_in_use: dict[str, Action] = {action.identity: action for action in ACTIONS}


def use_keys(keys: Mapping[str, str]) -> None:
    """Give these actions these keys, by identity, and all others their own, for the whole process."""
    for action in ACTIONS:
        _in_use[action.identity] = replace(action, key=keys.get(action.identity, action.key))


def actions_of(*scopes: Scope) -> tuple[Action, ...]:
    """Return the actions of these scopes with the keys in use, in the registry's order."""
    return tuple(action for action in _in_use.values() if action.scope in scopes)


def first_key(name: str, scope: Scope) -> str:
    """Return the key that is shown for an action, as people write it; of one without a key, its name in the
    palette."""
    action = _in_use[f"{scope}.{name}"]
    return key_text(action.key.split(",")[0]) if action.key else f'"{action.label}" in the palette'


def bindings_of(*scopes: Scope) -> list[BindingType]:
    """Return Textual's bindings for these scopes, for a class's BINDINGS: the default keys, which the app's
    keymap replaces by their id."""
    return [
        Binding(
            action.key, action.name, action.label, show=False, priority=action.priority, id=action.identity
        )
        for action in ACTIONS
        if action.key and action.scope in scopes
    ]


def is_help_mark(key: str) -> bool:
    """Whether `key` is the question mark, and that still shows the keys of where one is."""
    return key == "question_mark" and is_key_of(key, "everywhere.help_here")


def is_key_of(key: str, identity: str) -> bool:
    """Whether `key` is one of those in use for an action."""
    return key in _in_use[identity].key.split(",")


def scopes_of(node: DOMNode) -> set[Scope]:
    """Return the scopes whose actions `node` carries out."""
    named = {(binding.id or "").partition(".")[0] for _, binding in node._bindings}
    return {scope for scope in SCOPE_TITLES if scope in named}


def footer_actions(scopes: Iterable[Scope]) -> tuple[Action, ...]:
    """Return what the line of keys shows for these scopes, the first scope's actions first."""
    return tuple(action for scope in scopes for action in actions_of(scope) if action.footer)

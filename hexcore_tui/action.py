"""What an action is, and the places where actions work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Scope = Literal[
    "everywhere",
    "chat",
    "prompt",
    "answer",
    "pane",
    "cards",
    "rules",
    "changes",
    "memory",
    "sessions",
    "settings",
    "field",
    "list",
    "text",
    "motion",
]

# What the palette and the keys' documentation call a place in a word.
SCOPE_NAMES: dict[Scope, str] = {
    "chat": "Chat",
    "prompt": "Question",
    "answer": "Answer",
    "pane": "Beside the chat",
    "cards": "Cards",
    "rules": "Rules",
    "changes": "Changes",
    "memory": "Memory",
    "sessions": "Sessions",
    "settings": "Settings",
}

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
    "settings": "Settings",
    "field": "In the field of a search",
    "list": "In a list",
    "text": "In a text to read",
    "motion": 'Wherever letters are not text, with `motion = "vim"` under [screen]',
}


@dataclass(frozen=True)
class Action:
    """One thing a person can do.

    `name` may carry arguments as Textual writes them, e.g. "go('cards')". `key` holds one or more keys,
    comma-separated, the first is the one shown. `label` is for the footer, `help` a whole sentence.
    With `footer` it stands in the line of keys; the palette offers it unless it only moves a mark, the cursor
    or a page (`palette`); `priority` makes the
    key win over what a focused field would do with it. `setting` is what [keys] of the settings calls it; by
    default its name.
    """

    name: str
    key: str
    label: str
    help: str
    scope: Scope
    footer: bool = False
    palette: bool = True
    priority: bool = False
    setting: str = ""

    @property
    def setting_name(self) -> str:
        """What the settings call it: `go_cards` for "go('cards')"."""
        return self.setting or re.sub(r"\W+", "_", self.name).strip("_")

    @property
    def identity(self) -> str:
        """Its name among all: scope and setting's name."""
        return f"{self.scope}.{self.setting_name}"

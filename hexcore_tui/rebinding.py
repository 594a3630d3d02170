"""[keys] of the settings: which action has which keys, and what is wrong with it.

`name = "keys"`, where the name is an action's as docs/reference/keys.md lists it, with its place before it
("rules.back") or for every place that has it ("back"); keys are comma-separated, and none takes the key away.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.keys import Keys, _character_to_key

from hexcore_engine.utils.validation import clean_line
from hexcore_tui.actions import ACTIONS, Action, keys_text

MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")
NAMED_KEYS = frozenset(
    key.value for key in Keys if "+" not in key.value and "<" not in key.value and len(key.value) > 1
)
# No terminal sends it: Textual 8.2 has no other way to take a key away.
NO_KEY = "unbound"


@dataclass(frozen=True)
class KeyPlan:
    """`keys` by an action's identity, "" for none; a sentence in `problems` for each line that is not
    followed."""

    keys: dict[str, str]
    problems: tuple[str, ...]

    @property
    def keymap(self) -> dict[str, str]:
        """The same for Textual."""
        return {identity: keys or NO_KEY for identity, keys in self.keys.items()}


class _Wrong(ValueError):
    """A line that can't be followed, in words."""


def plan_keys(wanted: Mapping[str, str]) -> KeyPlan:
    """Return the keys that [keys] asks for."""
    keys: dict[str, str] = {}
    problems = []
    for name, text in wanted.items():
        try:
            actions = _actions_named(name)
            read = ",".join(_read_key(part) for part in text.split(",") if part.strip())
            for action in actions:
                _check_typing(action, read)
        except _Wrong as wrong:
            problems.append(f"[keys] {clean_line(name)}: {wrong}")
        else:
            keys |= {action.identity: read for action in actions}
    clashes = tuple(_clashes(keys))
    for identity, words in clashes:
        keys.pop(identity, None)
        problems.append(words)
    return KeyPlan(keys, tuple(problems))


def _actions_named(name: str) -> list[Action]:
    found = [action for action in ACTIONS if name in (action.identity, action.setting_name)]
    if not found:
        known = [known for action in ACTIONS for known in (action.setting_name, action.identity)]
        raise _Wrong(f"there is no such action. {_nearest(name, known)}")
    return found


def _read_key(text: str) -> str:
    *modifiers, last = text.strip().split("+") if text.strip() != "+" else ["+"]
    name = _character_to_key(last) if len(last) == 1 else last.lower()
    wrong = [modifier for modifier in modifiers if modifier.lower() not in MODIFIERS]
    if wrong:
        raise _Wrong(f"{clean_line(text)!r} is no key. {_nearest(wrong[0].lower(), MODIFIERS)}")
    if len(last) != 1 and name not in NAMED_KEYS and not _names_a_character(name):
        raise _Wrong(f"{clean_line(text)!r} is no key. {_nearest(name, NAMED_KEYS)}")
    if modifiers and len(last) == 1:
        name = name.lower()
    return "+".join([*(modifier.lower() for modifier in modifiers), name])


def _names_a_character(name: str) -> bool:
    return any(name == _character_to_key(chr(code)) for code in range(32, 127))


def _check_typing(action: Action, keys: str) -> None:
    typed = [key for key in keys.split(",") if key and "+" not in key and key not in NAMED_KEYS]
    if action.priority and typed:
        raise _Wrong(f"{keys_text(typed[0])!r} is typed in questions; take a key with Ctrl or an F key.")


def _clashes(keys: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    owners: dict[tuple[str, str], list[Action]] = defaultdict(list)
    for action in ACTIONS:
        for key in keys.get(action.identity, action.key).split(","):
            if key:
                owners[action.scope, key].append(action)
    for (_scope, key), actions in owners.items():
        changed = [action for action in actions if action.identity in keys]
        if len(actions) > 1 and changed:
            other = next(action for action in actions if action is not changed[0])
            words = f"[keys] {changed[0].identity}: {keys_text(key)} is already {other.identity}'s."
            yield changed[0].identity, words


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    return f"Did you mean {near[0]!r}?" if near else "docs/reference/keys.md lists them."

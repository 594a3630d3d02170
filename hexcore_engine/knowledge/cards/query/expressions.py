"""From what a person types between slashes to an expression that is safe to run.

Texts are folded, so letters of the pattern are folded too and matching is case-insensitive. Back references,
flags, recursion and fuzzy matching are no part of the language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hexcore_engine.knowledge.cards.oracle_text import SELF
from hexcore_engine.knowledge.cards.query.problems import TermProblem
from hexcore_engine.knowledge.cards.query.regex_search import BARRIER, Expression
from hexcore_engine.utils.validation import fold

LONGEST = 300
_LARGEST_REPEAT = 500
# Shortcut -> what it stands for, and a sign that every match of it holds.
_SHORTCUTS = {
    r"\smm": (r"[-−](?:\d+|x)/[-−](?:\d+|x)", "/"),
    r"\spp": (r"\+(?:\d+|x)/\+(?:\d+|x)", "/+"),
    r"\spt": (r"(?<![-+\w*/])[\dx*]+/[\dx*]+(?![\w*/])", "/"),
    r"\sm": (r"\{(?:[wubrgcsxyz]|\d+|(?:[wubrgc2]|\d+)/[wubrgcp](?:/p)?)\}", "{"),
    r"\ss": (r"\{[^{}\s]+\}", "{"),
}
_GROUP_STARTS = ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>")
_REPEAT = re.compile(r"\{(\d*)(,?)(\d*)\}")
_PROPERTY = re.compile(r"\\[pP](?:\{\^?[A-Za-z_=:& ]{1,30}\}|[A-Z])")
# What may not match the sign between two texts; the others can't.
_ESCAPES = {
    "D": f"[^\\d{BARRIER}]",
    "W": f"[^\\w{BARRIER}]",
    "s": f"[^\\S{BARRIER}]",
    "A": f"(?<={BARRIER})",
    "Z": f"(?={BARRIER})",
    "z": f"(?={BARRIER})",
}
_SIGNS = {".": f"[^\n{BARRIER}]", "^": f"(?<![^\n{BARRIER}])", "$": f"(?![^\n{BARRIER}])"}
_NOT_A_BARRIER = f"(?!{BARRIER})"
_PLAIN_ESCAPES = frozenset("dwSbBntm")


def read_expression(text: str, self_pattern: str = SELF) -> Expression:
    """Check and translate a pattern, in which `~` stands for `self_pattern`.

    Raises:
        TermProblem: naming what is wrong with it and where in it.
    """
    if not text:
        raise TermProblem("the expression is empty")
    if len(text) > LONGEST:
        raise TermProblem(f"the expression is longer than {LONGEST} signs")
    reader = _Reader(text, self_pattern)
    pattern = reader.read()
    _try_out(pattern)
    return Expression(pattern, reader.literals())


def _try_out(pattern: str) -> None:
    import regex

    try:
        regex.compile(pattern, regex.VERSION1)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        reason = str(error).split(" at position")[0]
        raise TermProblem(f"the expression can't be read: {reason}") from None


@dataclass
class _Reader:
    text: str
    _self_pattern: str
    _place: int = 0
    _depth: int = 0
    _parts: list[str] = field(default_factory=list)
    # Runs of letters outside of groups; broken by everything that may let a letter be absent.
    _runs: list[list[str]] = field(default_factory=lambda: [[]])
    _has_choice: bool = False
    # Whether what follows does not stand next to the last run's letters.
    _is_sealed: bool = False

    def read(self) -> str:
        while self._place < len(self.text):
            self._step()
        return "".join(self._parts)

    def literals(self) -> tuple[str, ...]:
        """Runs that stand in every text that matches."""
        if self._has_choice:
            return ()
        runs = ("".join(run) for run in self._runs)
        return tuple(sorted((run for run in runs if run), key=len, reverse=True))

    def _step(self) -> None:
        sign = self.text[self._place]
        if sign == "\\":
            self._escape()
        elif sign == "[":
            self._set()
        elif sign == "(":
            self._open()
        elif sign == ")":
            self._depth -= 1
            self._other(sign)
        elif sign == "{":
            self._brace()
        elif sign in "*+?":
            self._repeat(sign)
        elif sign == "|":
            self._has_choice = self._has_choice or self._depth == 0
            self._other(sign)
        elif sign == SELF and self._self_pattern != SELF:
            self._other(f"(?:{self._self_pattern})", 1)
        elif sign in _SIGNS:
            self._other(_SIGNS[sign], 1)
        else:
            self._literal(sign)

    def _other(self, written: str, length: int | None = None) -> None:
        self._parts.append(written)
        self._runs.append([])
        self._is_sealed = False
        self._place += len(written) if length is None else length

    def _literal(self, sign: str, length: int = 1) -> None:
        folded = fold(sign) or sign
        written = re.escape(folded)
        self._parts.append(written if len(folded) == 1 else f"(?:{written})")
        if self._is_sealed:
            self._runs.append([])
            self._is_sealed = False
        if self._depth == 0:
            self._runs[-1].append(folded)
        self._place += length

    def _repeat(self, sign: str) -> None:
        if self._runs[-1]:
            self._runs[-1].pop()
        self._other(sign)

    def _escape(self) -> None:
        for written, (meaning, sign) in _SHORTCUTS.items():
            if self.text.startswith(written, self._place):
                self._other(f"(?:{meaning})", len(written))
                # A repeat that follows may make it optional, and takes the sign away again.
                if self._depth == 0:
                    self._runs[-1].append(sign)
                    self._is_sealed = True
                return
        following = self.text[self._place + 1 : self._place + 2]
        found = _PROPERTY.match(self.text, self._place)
        if found:
            self._other(f"(?:{_NOT_A_BARRIER}(?i:{found.group()}))", len(found.group()))
        elif not following:
            self._refuse("it ends with \\")
        elif following.isdigit():
            self._refuse("back references are not possible")
        elif following in _ESCAPES:
            self._other(_ESCAPES[following], 2)
        elif following in _PLAIN_ESCAPES:
            self._other(f"\\{following}")
        elif following.isalpha():
            self._refuse(f"\\{following} is not known")
        else:
            self._literal(following, 2)

    def _set(self) -> None:
        end = self._place + 1
        if self.text.startswith("^", end):
            end += 1
        if self.text.startswith("]", end):
            end += 1
        while end < len(self.text) and self.text[end] != "]":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            self._refuse("[ is never closed")
        inside = self.text[self._place + 1 : end]
        # Set operations and sets within sets are not part of the language.
        escaped = re.sub(r"\\.|[\[&|~-]{2}|\[", lambda found: _in_set(found.group()), inside, flags=re.DOTALL)
        self._other(_without_barrier(_fold_set(escaped)), end + 1 - self._place)

    def _open(self) -> None:
        start = next((known for known in _GROUP_STARTS if self.text.startswith(known, self._place)), "")
        if not start:
            if self.text.startswith(("(?", "(*"), self._place):
                self._refuse("flags, names and other special groups are not possible")
            start = "("
        self._depth += 1
        self._other("(?:" if start == "(" else start, len(start))

    def _brace(self) -> None:
        repeat = _REPEAT.match(self.text, self._place)
        if repeat is None or not (repeat[1] or repeat[3]) or not self._parts:
            self._literal("{")
            return
        if repeat[1] and not repeat[2] and not self._repeats_something():
            self._literal("{")
            return
        if max(int(number or 0) for number in (repeat[1], repeat[3])) > _LARGEST_REPEAT:
            self._refuse(f"more than {_LARGEST_REPEAT} repetitions")
        if self._runs[-1]:
            self._runs[-1].pop()
        self._other(repeat.group())

    def _repeats_something(self) -> bool:
        """Whether {2} repeats what stands before it; after a space or a symbol it is mana."""
        before = self.text[self._place - 1 : self._place]
        return bool(before) and before not in " }:,(^|"

    def _refuse(self, reason: str) -> None:
        raise TermProblem(f"the expression can't be read: {reason} (sign {self._place + 1} of it)")


def _without_barrier(inside: str) -> str:
    """A set that does not hold the sign between texts."""
    if inside.startswith("^"):
        return f"[{inside}{BARRIER}]"
    wide = re.search(r"\\[sSDWpP]", inside)
    return f"(?:{_NOT_A_BARRIER}[{inside}])" if wide else f"[{inside}]"


def _in_set(written: str) -> str:
    if written.startswith("\\"):
        return written
    return "".join(f"\\{sign}" for sign in written)


def _fold_set(inside: str) -> str:
    folded = []
    place = 0
    while place < len(inside):
        step = 2 if inside[place] == "\\" else 1
        part = inside[place : place + step]
        plain = fold(part) if step == 1 else part
        folded.append(plain if len(plain) == 1 else part)
        place += step
    return "".join(folded)

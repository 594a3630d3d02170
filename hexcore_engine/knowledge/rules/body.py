"""The numbered rules of a rules file, taken line by line: headings, rules, examples and what is irregular."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from hexcore_engine.knowledge.rules.decoding import SOFT_BREAK
from hexcore_engine.knowledge.rules.numbers import SUBRULE_LETTERS

GROUP = re.compile(r"(\d{3})\.\s+(\S.*)")
COUNTED_RULE = re.compile(r"(\d{3}\.\d{1,3}[a-z]?)\.?\s+\S")
_SECTION = re.compile(r"([1-9])\.\s+(\S.*)")
_REGULAR_RULE = re.compile(r"(\d{3}\.\d{1,3})(?:([a-z])\s|\.\s|([a-z])\.\s|\s)\s*(\S.*)")
# A number whose separator is missing or wrong, e.g. "901.4.Text" or "702.5a: Text".
_IRREGULAR_RULE = re.compile(r"(\d{3}\.\d{1,3}[a-z]?)(?:\s*[.:]+\s*|\s*$)(.*)")
_ALMOST_RULE = re.compile(r"\d+\.\d")
# Releases of some years write slanted words between underscores.
_EXAMPLE = re.compile(r"[_*]*Examples?(?![a-z])[_*]*\s*[:.]?[_*]*\s*")
_RULED_LINE = re.compile(r"[-=_*~]{3,}")
_PAGE_NUMBER = re.compile(r"(?:page\s+|-\s*)?\d{1,3}(?:\s*-|\s+of\s+\d{1,3})?", re.IGNORECASE)


@dataclass(frozen=True)
class ParsedHeading:
    """The heading of a section ("7") or a group ("702")."""

    number: str
    title: str
    line: int


@dataclass
class ParsedRule:
    """One numbered rule: the lines of its text and those of each example. `line` is where it begins."""

    number: str
    line: int
    text_lines: list[str]
    example_lines: list[list[str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text, lines joined by newlines."""
        return "\n".join(self.text_lines).strip()

    @property
    def examples(self) -> list[str]:
        """The examples, likewise."""
        return ["\n".join(lines) for lines in self.example_lines]


class BodyReader:
    """Takes the lines between the first section's heading and the glossary, one by one.

    `start` is how many lines of the file stand before them; `titles` are lines that pages repeat.
    """

    def __init__(self, start: int, titles: Collection[str] = ()) -> None:
        self.sections: list[ParsedHeading] = []
        self.groups: list[ParsedHeading] = []
        self.rules: list[ParsedRule] = []
        self.warnings: list[tuple[int, str]] = []
        self._titles = titles
        self._line = start
        self._lines_of_number: dict[str, int] = {}
        self._groups_seen: set[str] = set()

    def read(self, raw: str) -> None:
        """Take the next line of the file."""
        self._line += 1
        if raw[:1].isspace() and COUNTED_RULE.match(raw.strip()):
            self._warn("a rule stands behind white space")
        for part in raw.split(SOFT_BREAK):
            line = part.strip()
            if line and not self._is_of_the_page(line):
                self._read_part(line)

    def _read_part(self, line: str) -> None:
        if not (self._read_rule(line) or self._read_heading(line)):
            self._read_continuation(line)

    def _is_of_the_page(self, line: str) -> bool:
        if line in self._titles or _PAGE_NUMBER.fullmatch(line):
            self._warn(f"a line of the page, not of the rules: {line[:60]}")
            return True
        return _RULED_LINE.fullmatch(line) is not None

    def _read_rule(self, line: str) -> bool:
        regular = _REGULAR_RULE.match(line)
        if regular:
            if regular[3]:
                self._warn(f"{regular[1]}{regular[3]}: a full stop after a subrule's letter")
            self._add_rule(f"{regular[1]}{regular[2] or regular[3] or ''}", regular[4])
            return True
        irregular = _IRREGULAR_RULE.match(line)
        if irregular is None:
            return False
        self._warn(f"{irregular[1]}: the number is not followed by one full stop or space")
        self._add_rule(irregular[1], irregular[2])
        return True

    def _add_rule(self, number: str, text: str) -> None:
        earlier = self._lines_of_number.setdefault(number, self._line)
        if earlier != self._line:
            self._warn(f"{number} was used before in line {earlier}; both are kept")
        group = number.split(".")[0]
        if self.groups and self.groups[-1].number != group:
            self._warn(f"{number} stands in group {self.groups[-1].number}")
        self._check_order(number)
        self.rules.append(ParsedRule(number, self._line, [text]))

    def _check_order(self, number: str) -> None:
        if not number[-1].isalpha():
            return
        parent, letter = number[:-1], number[-1]
        if parent not in self._lines_of_number:
            self._warn(f"{number} has no rule {parent} before it")
        if letter not in SUBRULE_LETTERS:
            self._warn(f"{number}: subrules have no letter {letter}")
            return
        place = SUBRULE_LETTERS.index(letter)
        if place and f"{parent}{SUBRULE_LETTERS[place - 1]}" not in self._lines_of_number:
            self._warn(f"{number} follows a gap: {parent}{SUBRULE_LETTERS[place - 1]} is missing")

    def _read_heading(self, line: str) -> bool:
        group, section = GROUP.match(line), _SECTION.match(line)
        if group:
            if group[1] in self._groups_seen:
                self._warn(f"group {group[1]} has a second heading")
            self._groups_seen.add(group[1])
            self.groups.append(ParsedHeading(group[1], group[2], self._line))
            return True
        # A numbered list inside a rule looks like a section; sections come in order and before their groups.
        expected = str(int(self.sections[-1].number) + 1) if self.sections else "1"
        if section and section[1] == expected and not section[2].endswith((".", ";", ",")):
            self.sections.append(ParsedHeading(section[1], section[2], self._line))
            return True
        return False

    def _read_continuation(self, line: str) -> None:
        owner = self._owner()
        if owner is None:
            self._warn(f"text that belongs to no rule: {line[:60]}")
        elif example := _EXAMPLE.match(line):
            owner.example_lines.append([line[example.end() :]])
        else:
            if _ALMOST_RULE.match(line):
                self._warn(f"looks like a rule, read as part of {owner.number}: {line[:40]}")
            (owner.example_lines[-1] if owner.example_lines else owner.text_lines).append(line)

    def _owner(self) -> ParsedRule | None:
        headings = [*self.sections[-1:], *self.groups[-1:]]
        rule = self.rules[-1] if self.rules else None
        return rule if rule and all(rule.line > heading.line for heading in headings) else None

    def _warn(self, reason: str) -> None:
        self.warnings.append((self._line, reason))

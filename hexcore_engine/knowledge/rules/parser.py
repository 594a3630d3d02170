"""Reading an official text file of the Comprehensive Rules.

    title, date, introduction, contents
    1. Game Concepts          (in old releases "1. The Game"; its last occurrence starts the rules)
      100. General            group
        100.1. Text …         rule, over one line or several; "Example: …" lines follow their rule
        100.1a Text …         subrule; letters skip l and o
    Glossary                  (its last occurrence) terms and definitions, a blank line between entries
    Credits

What is irregular is read as well as it can be and named in the warnings; nothing is left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.rules.decoding import REMEDY, DecodedText, read_rules_text
from hexcore_engine.knowledge.rules.glossary import ParsedTerm, parse_glossary
from hexcore_engine.knowledge.rules.numbers import SUBRULE_LETTERS

_FIRST_HEADING = re.compile(r"1\.\s+(?:Game Concepts|The Game)", re.IGNORECASE)
_SECTION = re.compile(r"([1-9])\.\s+(\S.*)")
_GROUP = re.compile(r"(\d{3})\.\s+(\S.*)")
_REGULAR_RULE = re.compile(r"(\d{3}\.\d+)(?:([a-z])\s|\.\s|([a-z])\.\s|\s)\s*(\S.*)")
# A number whose separator is missing or wrong, e.g. "901.4.Text" or "702.5a: Text".
_IRREGULAR_RULE = re.compile(r"(\d{3}\.\d+[a-z]?)(?:\s*[.:]+\s*|\s*$)(.*)")
_COUNTED_RULE = re.compile(r"(\d{3}\.\d+[a-z]?)\.?\s+\S")
_ALMOST_RULE = re.compile(r"\d+\.\d")
_DATE = re.compile(
    r"(?:effective|current)\s+as\s+of\s+([a-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class ParseWarning:
    """A line (from 1) that was not as expected, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class ParsedHeading:
    """The heading of a section ("7") or a group ("702")."""

    number: str
    title: str
    line: int


@dataclass
class ParsedRule:
    """One numbered rule with its text (lines joined by newlines) and its examples."""

    number: str
    text: str
    line: int
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ParsedRules:
    """A whole release. Numbers that occur twice stand twice in `rules`; `num_rules` counts them once.

    `num_rules` and `num_examples` count lines by the shape the releases document: number, full stop or none,
    white space, text; and lines that begin with "Example".
    """

    effective: date | None
    encoding: str
    sections: tuple[ParsedHeading, ...]
    groups: tuple[ParsedHeading, ...]
    rules: tuple[ParsedRule, ...]
    glossary: tuple[ParsedTerm, ...]
    credits: str
    num_rules: int
    num_examples: int
    warnings: tuple[ParseWarning, ...]


def parse_rules_file(file: Path) -> ParsedRules:
    """Read `file`.

    Raises:
        ImportFileError: naming file and place, when it is not a whole rules file.
    """
    return parse_rules_text(read_rules_text(file), str(file))


def parse_rules_text(decoded: DecodedText, name: str) -> ParsedRules:
    """Parse decoded lines; `name` names the file in errors. Raises as `parse_rules_file`."""
    lines = [line.replace("\u00a0", " ") for line in decoded.lines]
    start, end, credits_start, warnings = _find_parts(lines, name)
    warnings += [ParseWarning(number, "bytes that are no text were replaced") for number in decoded.replaced]
    effective = _find_date(lines[: start + 1]) or _find_date(lines)
    if effective is None:
        warnings.append(ParseWarning(1, "no effective date was found"))
    body = _BodyReader(start)
    for line in lines[start:end]:
        body.read(line)
    warnings += body.warnings + _check_contents(lines[:start], body.groups)
    terms, skipped = parse_glossary(lines[end + 1 : credits_start], end + 2)
    warnings += [ParseWarning(line, reason) for line, reason in skipped]
    counted = [found[1] for line in lines[start:end] if (found := _COUNTED_RULE.match(line))]
    return ParsedRules(
        effective=effective,
        encoding=decoded.encoding,
        sections=tuple(body.sections),
        groups=tuple(body.groups),
        rules=tuple(body.rules),
        glossary=terms,
        credits="\n".join(lines[credits_start + 1 :]).strip(),
        num_rules=len(set(counted)),
        num_examples=sum(line.startswith("Example") for line in lines[start:end]),
        warnings=tuple(sorted(warnings, key=lambda warning: warning.line)),
    )


def _find_parts(lines: Sequence[str], name: str) -> tuple[int, int, int, list[ParseWarning]]:
    start = _last(lines, lambda line: _FIRST_HEADING.fullmatch(line) is not None)
    if start is None:
        raise ImportFileError(
            f'{name}: no line reads "1. Game Concepts"; this is not a file of the Comprehensive Rules.',
            REMEDY,
        )
    end = _last(lines, lambda line: line.lower() == "glossary")
    if end is None or end < start:
        raise ImportFileError(
            f"{name}, line {len(lines)}: the file ends before its glossary; it is cut.", REMEDY
        )
    if not any(_COUNTED_RULE.match(line) for line in lines[start:end]):
        raise ImportFileError(f"{name}, line {start + 1}: no numbered rule follows the contents.", REMEDY)
    last_credits = _last(lines, lambda line: line.lower() == "credits")
    if last_credits is not None and last_credits > end:
        return start, end, last_credits, []
    if last_credits is not None:
        raise ImportFileError(
            f"{name}, line {len(lines)}: the file ends before its credits; it is cut.", REMEDY
        )
    return start, end, len(lines), [ParseWarning(len(lines), "no credits follow the glossary")]


def _cut(name: str, lines: Sequence[str], missing: str) -> ImportFileError:
    place = f"{name}, line {len(lines)}"
    return ImportFileError(f"{place}: the file ends before its {missing}; it is cut.", REMEDY)


def _last(lines: Sequence[str], wanted: Callable[[str], bool]) -> int | None:
    return next((place for place in range(len(lines) - 1, -1, -1) if wanted(lines[place].strip())), None)


def _find_date(lines: Iterable[str]) -> date | None:
    for line in lines:
        found = _DATE.search(line)
        month = found[1].lower() if found else ""
        if found and month in _MONTHS:
            try:
                return date(int(found[3]), _MONTHS.index(month) + 1, int(found[2]))
            except ValueError:
                continue
    return None


def _check_contents(contents: Sequence[str], groups: Sequence[ParsedHeading]) -> list[ParseWarning]:
    present = {group.number for group in groups}
    return [
        ParseWarning(place, f"group {found[1]} is listed in the contents and missing from the rules")
        for place, line in enumerate(contents, 1)
        if (found := _GROUP.match(line.strip())) and found[1] not in present
    ]


class _BodyReader:
    """Takes the lines between the first section's heading and the glossary, one by one."""

    def __init__(self, start: int) -> None:
        self.sections: list[ParsedHeading] = []
        self.groups: list[ParsedHeading] = []
        self.rules: list[ParsedRule] = []
        self.warnings: list[ParseWarning] = []
        self._line = start
        self._lines_of_number: dict[str, int] = {}

    def read(self, raw: str) -> None:
        """Take the next line."""
        self._line += 1
        line = raw.strip()
        if not line:
            return
        if raw[:1].isspace() and _COUNTED_RULE.match(line):
            self._warn("a rule stands behind white space")
        if not (self._read_rule(line) or self._read_heading(line)):
            self._read_continuation(line)

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
        self.rules.append(ParsedRule(number, text, self._line))

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
        group, section = _GROUP.match(line), _SECTION.match(line)
        if group:
            if any(known.number == group[1] for known in self.groups):
                self._warn(f"group {group[1]} has a second heading")
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
        elif line.startswith("Example"):
            owner.examples.append(re.sub(r"^Examples?\s*[:.]?\s*", "", line))
        else:
            if _ALMOST_RULE.match(line):
                self._warn(f"looks like a rule, read as part of {owner.number}: {line[:40]}")
            if owner.examples:
                owner.examples[-1] += f"\n{line}"
            else:
                owner.text = f"{owner.text}\n{line}".strip()

    def _owner(self) -> ParsedRule | None:
        headings = [*self.sections[-1:], *self.groups[-1:]]
        rule = self.rules[-1] if self.rules else None
        return rule if rule and all(rule.line > heading.line for heading in headings) else None

    def _warn(self, reason: str) -> None:
        self.warnings.append(ParseWarning(self._line, reason))

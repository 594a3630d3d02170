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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hexcore_engine.errors import ImportFileError
from hexcore_engine.knowledge.rules.body import COUNTED_RULE, GROUP, BodyReader, ParsedHeading, ParsedRule
from hexcore_engine.knowledge.rules.dates import find_date
from hexcore_engine.knowledge.rules.decoding import REMEDY, SOFT_BREAK, DecodedText, read_rules_text
from hexcore_engine.knowledge.rules.glossary import ParsedTerm, parse_glossary

_FIRST_HEADING = re.compile(r"1\.?\s+(?:Game Concepts|The Game)", re.IGNORECASE)
_CREDITS = re.compile(r"[_*]*credits?\b[_*:]*", re.IGNORECASE)
# Words of credits whose heading is missing.
_OF_CREDITS = re.compile(r"game design|published by|trademarks|all rights reserved", re.IGNORECASE)
_NUM_TITLE_LINES = 3


@dataclass(frozen=True)
class ParseWarning:
    """A line (from 1) that was not as expected, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class ParsedRules:
    """A whole release. Numbers that occur twice stand twice in `rules`; `num_rules` counts them once.

    `num_rules`, `num_groups` and `num_examples` count lines by the shape the releases document: number, full
    stop or none, white space, text; three digits, full stop, text; and lines that begin with "Example".
    """

    effective: date | None
    encoding: str
    sections: tuple[ParsedHeading, ...]
    groups: tuple[ParsedHeading, ...]
    rules: tuple[ParsedRule, ...]
    glossary: tuple[ParsedTerm, ...]
    credits: str
    num_rules: int
    num_groups: int
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
    warnings += [ParseWarning(number, "control characters were left out") for number in decoded.cleaned]
    effective = find_date(lines[:start]) or find_date(lines)
    if effective is None:
        warnings.append(ParseWarning(1, "no effective date was found"))
    body = BodyReader(start, _titles(lines[:start]))
    for line in lines[start:end]:
        body.read(line)
    warnings += [ParseWarning(*found) for found in body.warnings] + _check_contents(
        lines[:start], body.groups
    )
    terms, irregular = parse_glossary(lines[end + 1 : credits_start], end + 2)
    warnings += [ParseWarning(line, reason) for line, reason in irregular]
    # What a line begins with is what a reader sees there first.
    heads = [line.split(SOFT_BREAK, 1)[0].strip() for line in lines[start:end]]
    return ParsedRules(
        effective=effective,
        encoding=decoded.encoding,
        sections=tuple(body.sections),
        groups=tuple(body.groups),
        rules=tuple(body.rules),
        glossary=terms,
        credits="\n".join(lines[credits_start + 1 :]).replace(SOFT_BREAK, "\n").strip(),
        num_rules=len({found[1] for head in heads if (found := COUNTED_RULE.match(head))}),
        num_groups=len({found[1] for head in heads if (found := GROUP.match(head))}),
        num_examples=sum(head.startswith("Example") for head in heads),
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
        raise _cut(name, lines, "glossary")
    if not any(COUNTED_RULE.match(line.strip()) for line in lines[start:end]):
        raise ImportFileError(f"{name}, line {start + 1}: no numbered rule follows the contents.", REMEDY)
    credits_start = _last(lines, lambda line: _CREDITS.fullmatch(line) is not None)
    if credits_start is not None and credits_start > end:
        return start, end, credits_start, []
    named = next((place for place in range(end + 1, len(lines)) if _OF_CREDITS.search(lines[place])), None)
    if credits_start is not None and named is None:
        raise _cut(name, lines, "credits")
    place = len(lines) if named is None else named - 1
    return start, end, place, [ParseWarning(place, "no heading of the credits follows the glossary")]


def _cut(name: str, lines: Sequence[str], missing: str) -> ImportFileError:
    place = f"{name}, line {len(lines)}"
    return ImportFileError(f"{place}: the file ends before its {missing}; it is cut.", REMEDY)


def _last(lines: Sequence[str], wanted: Callable[[str], bool]) -> int | None:
    return next((place for place in reversed(range(len(lines))) if wanted(lines[place].strip())), None)


def _titles(introduction: Sequence[str]) -> frozenset[str]:
    """The first lines of a file, which its pages may repeat; headings of the contents are none."""
    filled = [line.strip() for line in introduction if line.strip()][:_NUM_TITLE_LINES]
    return frozenset(line for line in filled if not _FIRST_HEADING.fullmatch(line))


def _check_contents(contents: Sequence[str], groups: Sequence[ParsedHeading]) -> list[ParseWarning]:
    present = {group.number for group in groups}
    return [
        ParseWarning(place, f"group {found[1]} is listed in the contents and missing from the rules")
        for place, line in enumerate(contents, 1)
        if (found := GROUP.match(line.strip())) and found[1] not in present
    ]

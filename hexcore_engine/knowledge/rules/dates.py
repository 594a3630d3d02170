"""The effective date of a release, as its introduction writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>[a-z]{3})[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_SAID = r"(?:effective|current|updated?|revised)\s+(?:as\s+of|on|through)?[\s:_*]*"
_DATES = tuple(
    re.compile(_SAID + form, re.IGNORECASE)
    for form in (
        rf"{_MONTH}\s+{_DAY}\s*,?\s*(?P<year>\d{{4}})",
        rf"{_DAY}\s+(?:of\s+)?{_MONTH}\s*,?\s*(?P<year>\d{{4}})",
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})",
    )
)
# A sentence may run over the end of a line, not further.
_LINES_OF_A_SENTENCE = 2


def find_date(lines: Sequence[str]) -> date | None:
    """Return the first date that `lines` call effective, current or updated; None when there is none."""
    for place in range(len(lines)):
        # Long runs of white space would make the patterns slow.
        sentence = " ".join(" ".join(lines[place : place + _LINES_OF_A_SENTENCE]).split())
        for form in _DATES:
            for found in form.finditer(sentence):
                read = _read(found["year"], found["month"], found["day"])
                if read is not None:
                    return read
    return None


def _read(year: str, month: str, day: str) -> date | None:
    name = month.lower()
    number = int(month) if month.isdigit() else _MONTHS.index(name) + 1 if name in _MONTHS else 0
    try:
        return date(int(year), number, int(day))
    except ValueError:
        return None

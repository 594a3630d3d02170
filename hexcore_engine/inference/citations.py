"""Finding the rule numbers printed in an answer and checking each against the rules and the evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from hexcore_engine.protocol.records import Citation, CitationStatus, Passage

# Three digits, a dot, one to three digits that begin with no zero, at most one letter. Not part of a longer
# number, a word or an amount of money.
_NUMBER = re.compile(
    r"(?<![\w.,$€£¥])(?<![$€£¥] )([1-9]\d{2}\.[1-9]\d{0,2}[a-z]?)"
    r"(?!\w|[.,]\d|\s?[%€£¥$]|\s?(?:usd|eur|dollars?|euros?|tix|percent)\b)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"(?<!\[)\[\s*([1-9]\d{2}(?:\.[1-9]\d{0,2}[a-z]?)?)\s*\]", re.IGNORECASE)
# "rule 702", "rules 508 and 509", "CR 608": three digits alone are a rule only behind such a word. Within one
# line, so that an answer gives the same in pieces.
_GROUP = r"[1-9]\d{2}(?!\w|[.,]\d|[^\S\n]?%)"
_GROUPS_NAMED = re.compile(
    rf"\b(?:rules?|sections?|CR)[^\S\n]+({_GROUP}"
    rf"(?:(?:[^\S\n]*[,–-][^\S\n]*|,?[^\S\n]+(?:and|or|to|through)[^\S\n]+){_GROUP})*)",
    re.IGNORECASE,
)
# A bracket that may still close after the end of a line.
_OPEN_BRACKET = re.compile(r"\[[^\[\]]{0,12}$")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
QUOTED_WORDS = 5
NO_CITATION = "No rule was cited; the rules found are above."


class CitationChecker:
    """Checks an answer as it grows; each citation is reported once, when nothing after it can change it."""

    def __init__(self, passages: Iterable[Passage], rule_exists: Callable[[str], bool]) -> None:
        self._texts = {passage.id: passage.text for passage in passages if passage.kind in ("rule", "digest")}
        self._exists = rule_exists
        self._text = ""
        self._checked_to = 0
        self.citations: list[Citation] = []

    def feed(self, text: str) -> Iterator[Citation]:
        """Take the next piece; yield the citations that it completes."""
        self._text += text
        yield from self._check(final=False)

    def finish(self) -> Iterator[Citation]:
        """Yield what the end of the answer completes."""
        yield from self._check(final=True)

    def _check(self, final: bool) -> Iterator[Citation]:
        end = len(self._text)
        if not final:
            # The sentence decides between quoted and retrieved, so a citation waits for its sentence to end.
            ends = [match.start() for match in _SENTENCE_END.finditer(self._text, self._checked_to)]
            end = ends[-1] if ends else self._checked_to
            unfinished = _OPEN_BRACKET.search(self._text, self._checked_to, end)
            end = unfinished.start() if unfinished else end
        for start, stop, rule, bracketed in find_rule_numbers(self._text, self._checked_to, end):
            citation = Citation(rule, bracketed, self._status(rule, start, stop), start, stop)
            self.citations.append(citation)
            yield citation
        self._checked_to = max(self._checked_to, end)

    def _status(self, rule: str, start: int, stop: int) -> CitationStatus:
        if rule in self._texts:
            sentence = sentence_around(self._text, start, stop)
            return "quoted" if shares_words(sentence, self._texts[rule]) else "retrieved"
        return "exists-not-retrieved" if self._exists(rule) else "unknown"


def find_rule_numbers(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int, str, bool]]:
    """Return (start, end, rule, bracketed) of every rule number between two offsets, in order."""
    end = len(text) if end is None else end
    found = [
        (match.start(), match.end(), match.group(1).lower(), True)
        for match in _BRACKETED.finditer(text, start, end)
    ]
    taken = [(first, last) for first, last, _, _ in found]
    for named in _GROUPS_NAMED.finditer(text, start, end):
        groups = re.finditer(r"\d{3}", named[1])
        offset = named.start(1)
        found += [(offset + one.start(), offset + one.end(), one[0], False) for one in groups]
    for match in _NUMBER.finditer(text, start, end):
        if not any(first <= match.start() < last for first, last in taken):
            found.append((match.start(), match.end(), match.group(1).lower(), False))
    return sorted(found)


def sentence_around(text: str, start: int, stop: int) -> str:
    """Return the sentence in which the characters from `start` to `stop` stand, without them.

    A number in brackets after a full stop belongs to the sentence before it.
    """
    first = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() > start or not text[match.end() : start].strip(" ["):
            break
        first = match.end()
    after = _SENTENCE_END.search(text, stop)
    last = after.start() if after else len(text)
    return f"{text[first:start]} {text[stop:last]}"


def shares_words(sentence: str, rule_text: str, num_words: int = QUOTED_WORDS) -> bool:
    """Whether at least `num_words` words in a row of the sentence stand in the rule's text."""
    words = _words(sentence)
    rule = f" {' '.join(_words(rule_text))} "
    return any(
        f" {' '.join(words[index : index + num_words])} " in rule
        for index in range(len(words) - num_words + 1)
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", ""))

"""Names of rules, groups and glossary terms, and where a text uses one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hexcore_engine.knowledge.index.tokens import Stemmer

LONGEST_NAME = 30
_LONGEST_NAME_WORDS = 4
Stems = tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """A name as it is written, and the positions of the rules it stands for."""

    name: str
    places: tuple[int, ...]


@dataclass(frozen=True)
class Topics:
    """Topics by the stems of their names."""

    by_stems: Mapping[Stems, Topic] = field(default_factory=dict)

    def named_in(self, terms: Sequence[str]) -> dict[int, Stems]:
        """Return the positions whose name stands word by word in `terms`, with the longest such name."""
        found: dict[int, Stems] = {}
        for length in range(_LONGEST_NAME_WORDS, 0, -1):
            for start in range(len(terms) - length + 1):
                name = tuple(terms[start : start + length])
                topic = self.by_stems.get(name)
                for place in topic.places if topic else ():
                    found.setdefault(place, name)
        return found


def make_topics(stemmer: Stemmer, named: Iterable[tuple[str, Iterable[int]]]) -> Topics:
    """Build topics from (name, positions); names without content or of many words are left out."""
    rows = list(named)
    places: defaultdict[Stems, list[int]] = defaultdict(list)
    written: dict[Stems, str] = {}
    for terms, (name, positions) in zip(stemmer.many_terms([name for name, _ in rows]), rows, strict=True):
        if 0 < len(terms) <= _LONGEST_NAME_WORDS:
            places[tuple(terms)].extend(positions)
            written.setdefault(tuple(terms), name)
    return Topics(
        {stems: Topic(written[stems], tuple(dict.fromkeys(found))) for stems, found in places.items()}
    )

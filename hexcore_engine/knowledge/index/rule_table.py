"""What ranking needs to know of every rule of a release, in arrays by position."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.knowledge.rules.numbers import sort_key

Positions = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RuleTable:
    """Rules by position, in document order.

    `parent` is a position or -1; `depth` 0 is a group or section, 1 a rule, 2 a subrule; `links_` are
    cross-references; `length` is the logarithm of a text's.
    """

    numbers: tuple[str, ...]
    position: dict[str, int]
    parent: Positions
    rule: Positions
    group: Positions
    depth: Positions
    length: Floats
    links_to: dict[int, list[int]]
    links_from: dict[int, list[int]]

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.numbers)


def load_rule_table(connection: sqlite3.Connection) -> RuleTable:
    """Read the current release's rules; texts stay on disk."""
    rows = connection.execute(
        "SELECT number, parent, length(text), length(plain) FROM release.rule ORDER BY position"
    ).fetchall()
    numbers = tuple(row[0] for row in rows)
    position = {number: place for place, number in enumerate(numbers)}
    keys = [sort_key(number) for number in numbers]
    links_to: defaultdict[int, list[int]] = defaultdict(list)
    links_from: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in connection.execute("SELECT source, target FROM release.reference"):
        if source in position and target in position:
            links_to[position[source]].append(position[target])
            links_from[position[target]].append(position[source])
    depth = [0 if "." not in number else 2 if number[-1].isalpha() else 1 for number in numbers]
    parent = [position.get(row[1], -1) if row[1] else -1 for row in rows]
    return RuleTable(
        numbers=numbers,
        position=position,
        parent=np.array(parent),
        rule=np.array(
            [up if deep == 2 else own for own, (up, deep) in enumerate(zip(parent, depth, strict=True))]
        ),
        group=np.array([key[0] for key in keys]),
        depth=np.array(depth),
        length=np.log1p(np.array([max(row[2], row[3]) for row in rows], dtype=np.float32)),
        links_to=dict(links_to),
        links_from=dict(links_from),
    )

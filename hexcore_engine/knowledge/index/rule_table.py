"""What ranking needs to know of every rule of a release, in arrays by position."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.knowledge.rules.numbers import sort_key

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RuleTable:
    """Rules by position, in document order.

    `parent` and `rule` (the rule a subrule belongs to, else itself) are positions, `parent` is `size` where
    there is none; `group` is a number such as 702; `depth` 0 is a section or group, 1 a rule, 2 a subrule.
    Cross-references lead from `link_source` to `link_target`. `length` is the logarithm of letters.
    """

    numbers: tuple[str, ...]
    position: dict[str, int]
    parent: Ints
    rule: Ints
    group: Ints
    depth: Ints
    length: Floats
    link_source: Ints
    link_target: Ints

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.numbers)


def make_rule_table(
    rows: Sequence[tuple[str, str | None, int]], links: Sequence[tuple[str, str]]
) -> RuleTable:
    """Build the table from (number, parent's number, letters) in document order, and cross-references."""
    numbers = tuple(row[0] for row in rows)
    position = {number: place for place, number in enumerate(numbers)}
    depth = [0 if "." not in number else 1 + number[-1].isalpha() for number in numbers]
    parent = [position.get(row[1] or "", len(rows)) for row in rows]
    own = range(len(rows))
    known = [
        (position[one], position[other]) for one, other in links if one in position and other in position
    ]
    source, target = np.array(known, dtype=np.int64).reshape(-1, 2).T
    return RuleTable(
        numbers=numbers,
        position=position,
        parent=np.array(parent, dtype=np.int64),
        rule=np.array(
            [parent[at] if depth[at] == 2 and parent[at] < len(rows) else at for at in own], np.int64
        ),
        group=np.array([sort_key(number)[0] for number in numbers], dtype=np.int64),
        depth=np.array(depth, dtype=np.int64),
        length=np.log1p(np.array([row[2] for row in rows], dtype=np.float32)),
        link_source=source,
        link_target=target,
    )


def load_rule_table(connection: sqlite3.Connection) -> RuleTable:
    """Read the current release's rules; texts stay on disk."""
    rows = connection.execute(
        "SELECT number, parent, max(length(text), length(plain)) FROM release.rule ORDER BY position"
    ).fetchall()
    return make_rule_table(
        rows, connection.execute("SELECT source, target FROM release.reference").fetchall()
    )

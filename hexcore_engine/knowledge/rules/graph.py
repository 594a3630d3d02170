"""The graph of the rules: what refers to what, what stands below what, and the neighbourhood of a rule.

Nodes are rule numbers. networkx is imported here alone: whoever imports this module pays for it.
"""

from __future__ import annotations

import sqlite3

import networkx as nx

from hexcore_engine.knowledge.rules.numbers import sort_key
from hexcore_engine.knowledge.rules.records import Neighbour, Neighbourhood, Way

MAX_NEIGHBOURS = 60
_WAYS: tuple[Way, ...] = ("points to", "pointed from", "above", "below")


class RulesGraph:
    """The graph of one release."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._tree: nx.DiGraph[str] = nx.DiGraph()
        self._references: nx.DiGraph[str] = nx.DiGraph()
        for number, parent in connection.execute("SELECT number, parent FROM release.rule"):
            self._tree.add_node(number)
            if parent is not None:
                self._tree.add_edge(parent, number)
        self._references.add_nodes_from(self._tree)
        self._references.add_edges_from(connection.execute("SELECT source, target FROM release.reference"))

    def neighbourhood(self, number: str, limit: int = MAX_NEIGHBOURS) -> Neighbourhood | None:
        """What is one step away from a rule, then what is two cross-references away, nearest first; None when
        there is no such rule."""
        if number not in self._tree:
            return None
        near = self._one_step(number)
        found = (*near, *self._two_steps(number, near))
        return Neighbourhood(number, found[:limit], max(0, len(found) - limit))

    def _one_step(self, number: str) -> list[Neighbour]:
        steps = {step.number: step for step in (*self._family(number), *self._referred(number))}
        return sorted(steps.values(), key=lambda step: (_WAYS.index(step.way), sort_key(step.number)))

    def _two_steps(self, number: str, near: list[Neighbour]) -> list[Neighbour]:
        seen = {number, *(step.number for step in near)}
        found: dict[str, Neighbour] = {}
        for first in near:
            # A group is near to too much to lead anywhere.
            if "." in first.number:
                for step in self._referred(first.number):
                    if step.number not in seen:
                        found.setdefault(step.number, Neighbour(step.number, step.way, 2, first.number))
        around = self._around(number)
        return sorted(
            found.values(),
            key=lambda step: (-len(around & self._around(step.number)), sort_key(step.number)),
        )

    def _referred(self, number: str) -> list[Neighbour]:
        return [
            *(Neighbour(other, "pointed from") for other in self._references.predecessors(number)),
            *(Neighbour(other, "points to") for other in self._references.successors(number)),
        ]

    def _family(self, number: str) -> list[Neighbour]:
        if "." not in number:
            return []
        return [
            *(Neighbour(other, "above") for other in self._tree.predecessors(number) if "." in other),
            *(Neighbour(other, "below") for other in self._tree.successors(number)),
        ]

    def _around(self, number: str) -> set[str]:
        return {step.number for step in (*self._referred(number), *self._family(number))}

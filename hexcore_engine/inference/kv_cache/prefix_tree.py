"""A tree of token sequences: the longest known beginning of a prompt is found in one walk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(eq=False)
class _Node(Generic[V]):
    """`tokens` lead here from the parent; `value` belongs to the sequence that ends here."""

    tokens: tuple[int, ...] = ()
    children: dict[int, _Node[V]] = field(default_factory=dict)
    value: V | None = None


class PrefixTree(Generic[V]):
    """Values by token sequence; sequences that begin alike share their beginning."""

    def __init__(self) -> None:
        self._root: _Node[V] = _Node()

    def put(self, tokens: Sequence[int], value: V) -> None:
        """Keep `value` under `tokens`, replacing what stood there."""
        node, rest = self._root, tuple(tokens)
        while rest:
            child = node.children.get(rest[0])
            if child is None:
                child = node.children[rest[0]] = _Node(rest)
            shared = common_length(child.tokens, rest)
            if shared < len(child.tokens):
                child = self._split(node, child, shared)
            node, rest = child, rest[shared:]
        node.value = value

    def longest(self, tokens: Sequence[int]) -> tuple[int, V | None]:
        """Return how many tokens some kept sequence shares with the beginning of `tokens`, and its value."""
        node, rest, length = self._root, tuple(tokens), 0
        while rest and (child := node.children.get(rest[0])) is not None:
            shared = common_length(child.tokens, rest)
            length += shared
            node, rest = child, rest[shared:]
            if shared < len(child.tokens):
                break
        return length, next(_values(node), None) if length else None

    def remove(self, tokens: Sequence[int]) -> None:
        """Forget the value of a sequence; branches that lead nowhere go with it."""
        path: list[_Node[V]] = [self._root]
        rest = tuple(tokens)
        while rest:
            child = path[-1].children.get(rest[0])
            if child is None or child.tokens != rest[: len(child.tokens)]:
                return
            path.append(child)
            rest = rest[len(child.tokens) :]
        path[-1].value = None
        while len(path) > 1 and path[-1].value is None and not path[-1].children:
            leaf = path.pop()
            del path[-1].children[leaf.tokens[0]]

    def _split(self, parent: _Node[V], child: _Node[V], at: int) -> _Node[V]:
        upper: _Node[V] = _Node(child.tokens[:at])
        parent.children[child.tokens[0]] = upper
        child.tokens = child.tokens[at:]
        upper.children[child.tokens[0]] = child
        return upper


def common_length(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two sequences share from their beginnings."""
    return next(
        (place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
        min(len(left), len(right)),
    )


def _values(node: _Node[V]) -> Iterator[V]:
    """Values below a node, its own first; all of them begin with the tokens that lead to it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if current.value is not None:
            yield current.value
        waiting.extend(current.children.values())

"""The tree of a query, and its parser. Whatever is typed gives a tree; what had to be left out is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hexcore_engine.knowledge.cards.query.amounts import join_amounts
from hexcore_engine.knowledge.cards.query.lexer import Kind, Token, tokens
from hexcore_engine.knowledge.cards.query.problems import IgnoredTerm

DEEPEST = 40


@dataclass(frozen=True)
class Term:
    """A leaf: one token."""

    token: Token


@dataclass(frozen=True)
class Not:
    """Cards the part does not match."""

    part: Node


@dataclass(frozen=True)
class And:
    """Cards all parts match."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """Cards a part matches."""

    parts: tuple[Node, ...]


Node = Term | Not | And | Or


@dataclass(frozen=True)
class Tree:
    """A parsed query; `root` is None when nothing is left of it."""

    root: Node | None
    ignored: tuple[IgnoredTerm, ...]

    @property
    def has_bare_words(self) -> bool:
        """Whether words of a name stand in it, none of them negated or one of several choices."""
        return any(_is_bare(token) for token in _required(self.root))

    @property
    def is_bare_words(self) -> bool:
        """Whether it is nothing but words of a name."""
        return all(_is_bare(token) for token in terms_of(self.root)) and not isinstance(self.root, Not | Or)


def parse(query: str) -> Tree:
    """Parse a query."""
    parser = _Parser(join_amounts(list(tokens(query))))
    return Tree(parser.parse(), tuple(parser.ignored))


@dataclass
class _Parser:
    tokens: list[Token]
    ignored: list[IgnoredTerm] = field(default_factory=list)
    _place: int = 0
    _depth: int = 0

    def parse(self) -> Node | None:
        parts = []
        while self._place < len(self.tokens):
            parts.append(self._any_of())
            if self._kind() is Kind.CLOSE:
                self._ignore(self._take(), "no ( opens it")
        return _join(And, parts)

    def _any_of(self) -> Node | None:
        parts = [self._all_of()]
        while self._kind() is Kind.OR:
            sign = self._take()
            right = self._all_of()
            if right is None or parts[-1] is None:
                self._ignore(sign, "it needs a term on both sides")
            parts.append(right)
        return _join(Or, parts)

    def _all_of(self) -> Node | None:
        parts = []
        while self._kind() not in (None, Kind.OR, Kind.CLOSE):
            parts.append(self._part())
        return _join(And, parts)

    def _part(self) -> Node | None:
        token = self._take()
        if token.kind is Kind.NOT:
            return self._negated(token)
        if token.kind is Kind.OPEN:
            return self._group(token)
        if token.kind is Kind.AND:
            return self._and(token)
        if token.open_ended:
            sign = "/" if token.style.value == "regex" else "quote"
            self.ignored.append(IgnoredTerm(token.column, token.text, f"no closing {sign}"))
            return None
        return Term(token)

    def _negated(self, sign: Token) -> Node | None:
        following = self._peek()
        if following is None or following.column != sign.column + 1 or following.kind is Kind.CLOSE:
            self._ignore(sign, "it must stand right before a term")
            return None
        if self._is_too_deep(sign):
            return None
        self._depth += 1
        part = self._part()
        self._depth -= 1
        return Not(part) if part is not None else None

    def _group(self, sign: Token) -> Node | None:
        if self._is_too_deep(sign):
            return None
        self._depth += 1
        part = self._any_of()
        self._depth -= 1
        if self._kind() is Kind.CLOSE:
            closing = self._take()
            if part is None and not self.ignored:
                self._ignore(closing, "nothing stands between ( and )")
        else:
            self._ignore(sign, "it is never closed; read as if closed at the end")
        return part

    def _and(self, token: Token) -> Node | None:
        """`and` joins terms; between words of a name it is one of them."""
        following = self._peek()
        before = self.tokens[self._place - 2] if self._place > 1 else None
        around = [other for other in (before, following) if other is not None and other.kind is Kind.TERM]
        if all(other.field == "" for other in around):
            return Term(Token(Kind.TERM, token.column, token.text, value=token.text))
        return None

    def _is_too_deep(self, sign: Token) -> bool:
        if self._depth < DEEPEST:
            return False
        self._ignore(sign, f"more than {DEEPEST} levels deep; the rest is left out")
        self._place = len(self.tokens)
        return True

    def _kind(self) -> Kind | None:
        token = self._peek()
        return token.kind if token else None

    def _peek(self) -> Token | None:
        return self.tokens[self._place] if self._place < len(self.tokens) else None

    def _take(self) -> Token:
        self._place += 1
        return self.tokens[self._place - 1]

    def _ignore(self, token: Token, reason: str) -> None:
        self.ignored.append(IgnoredTerm(token.column, token.text, reason))


def _join(kind: type[And] | type[Or], parts: list[Node | None]) -> Node | None:
    present = tuple(part for part in parts if part is not None)
    if len(present) <= 1:
        return present[0] if present else None
    return kind(present)


def bare_words(tree: Tree) -> str:
    """The words of a name that must be there, as typed."""
    return " ".join(token.value for token in _required(tree.root) if _is_bare(token))


def _required(node: Node | None) -> tuple[Token, ...]:
    """The tokens that stand at the top: terms every match fulfils."""
    parts = node.parts if isinstance(node, And) else (node,)
    return tuple(part.token for part in parts if isinstance(part, Term))


def _is_bare(token: Token) -> bool:
    return token.field == ""


def terms_of(node: Node | None) -> Iterator[Token]:
    """The tokens of a tree's terms, in order."""
    if isinstance(node, Term):
        yield node.token
    elif isinstance(node, Not):
        yield from terms_of(node.part)
    elif node is not None:
        for part in node.parts:
            yield from terms_of(part)

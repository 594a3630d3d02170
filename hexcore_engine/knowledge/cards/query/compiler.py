"""From the tree to something that runs: each term is compiled by its field, terms with problems are left out
and named, and what steers the list (`order:`, `include:`) is taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from hexcore_engine.knowledge.cards.card_facts import FORMAT_PREFIX
from hexcore_engine.knowledge.cards.columns import CardColumns, CardSet
from hexcore_engine.knowledge.cards.query import color_terms, text_terms
from hexcore_engine.knowledge.cards.query.absent import ABSENT_FIELDS, VIEW_FIELDS
from hexcore_engine.knowledge.cards.query.leaves import Leaf, Run
from hexcore_engine.knowledge.cards.query.lexer import Token
from hexcore_engine.knowledge.cards.query.numbers import NUMBER_FIELDS, number_leaf
from hexcore_engine.knowledge.cards.query.order import Order, read_direction, read_order
from hexcore_engine.knowledge.cards.query.problems import DataMissing, IgnoredTerm, TermProblem, nearest
from hexcore_engine.knowledge.cards.query.syntax import Node, Not, Or, Term, Tree
from hexcore_engine.knowledge.cards.query.trait_terms import Traits

LeafCompiler = Callable[[Token], Leaf]
_TEXT_FIELDS: dict[LeafCompiler, tuple[str, ...]] = {
    text_terms.name_leaf: ("", "name", "n"),
    text_terms.exact_name_leaf: ("!",),
    text_terms.type_leaf: ("t", "type"),
    text_terms.oracle_leaf: ("o", "oracle"),
    text_terms.full_oracle_leaf: ("fo", "fulloracle"),
    text_terms.keyword_leaf: ("kw", "keyword"),
    text_terms.any_leaf: ("any", "*"),
}
_WORDS_ONLY = frozenset(name for names in _TEXT_FIELDS.values() for name in names)
_STEERING_FIELDS = VIEW_FIELDS | {"order", "sort", "direction", "dir", "include"}


@dataclass(frozen=True)
class Negation:
    """All cards but those of the part."""

    part: Plan


@dataclass(frozen=True)
class Group:
    """Cards of all parts, or of any part."""

    parts: tuple[Plan, ...]
    any_of: bool


Plan = Leaf | Negation | Group


@dataclass
class Compiled:
    """A query ready to run; `plan` is None when no term is left."""

    plan: Plan | None = None
    order: Order = field(default_factory=Order)
    include_extras: bool = False
    ignored: list[IgnoredTerm] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steering: list[str] = field(default_factory=list)

    @property
    def is_ordered(self) -> bool:
        """Whether the query says how to order the list."""
        return any(word.startswith(("order:", "direction:")) for word in self.steering)

    @property
    def reading(self) -> str:
        """The query as it was understood, in a form that may be typed again."""
        parts = [reading_of(self.plan)] if self.plan is not None else []
        return " ".join([*parts, *self.steering])


def compile_tree(tree: Tree, columns: CardColumns, provides: tuple[str, ...]) -> Compiled:
    """Compile a parsed query."""
    compiler = _Compiler(_leaf_compilers(columns, provides))
    compiled = compiler.compiled
    compiled.ignored.extend(tree.ignored)
    compiled.plan = compiler.plan(tree.root) if tree.root is not None else None
    compiled.ignored.sort(key=lambda term: term.column or 0)
    return compiled


def _leaf_compilers(columns: CardColumns, provides: tuple[str, ...]) -> dict[str, LeafCompiler]:
    formats = tuple(
        name.removeprefix(FORMAT_PREFIX) for name in columns.names() if name.startswith(FORMAT_PREFIX)
    )
    traits = Traits(provides, formats)
    has_defense = any(columns.column("defense").values)
    compilers: dict[LeafCompiler, tuple[str, ...]] = {
        **_TEXT_FIELDS,
        color_terms.color_leaf: ("c", "color", "colors", "colour"),
        color_terms.identity_leaf: ("id", "identity", "ci", "coloridentity"),
        color_terms.produces_leaf: ("produces",),
        color_terms.mana_leaf: ("m", "mana"),
        color_terms.devotion_leaf: ("devotion",),
        partial(number_leaf, has_defense=has_defense): tuple(
            name for names in NUMBER_FIELDS.values() for name in names
        ),
        traits.is_leaf: ("is",),
        traits.not_leaf: ("not",),
        traits.has_leaf: ("has",),
        traits.format_leaf: ("f", "format", "legal", "banned", "restricted"),
    }  # fmt: skip
    return {name: compiler for compiler, names in compilers.items() for name in names}


class _Compiler:
    def __init__(self, compilers: dict[str, LeafCompiler]) -> None:
        self._compilers = compilers
        # How many signs of negation stand before the node at hand.
        self._negations = 0
        self.compiled = Compiled()

    def plan(self, node: Node) -> Plan | None:
        """Compile a node; None when nothing of it can be answered."""
        if isinstance(node, Term):
            return self._term(node.token)
        if isinstance(node, Not):
            self._negations += 1
            part = self.plan(node.part)
            self._negations -= 1
            return Negation(part) if part is not None else None
        parts = tuple(plan for part in node.parts if (plan := self.plan(part)) is not None)
        if len(parts) <= 1:
            return parts[0] if parts else None
        return Group(parts, any_of=isinstance(node, Or))

    def _term(self, token: Token) -> Plan | None:
        try:
            if token.field in _STEERING_FIELDS:
                self._steer(token)
                return None
            leaf = self._leaf(token)
        except TermProblem as problem:
            self.compiled.ignored.append(
                IgnoredTerm(token.column, token.text, str(problem), isinstance(problem, DataMissing))
            )
            return None
        self.compiled.include_extras |= leaf.reveals_extras and self._negations % 2 == 0
        self.compiled.notes.extend(leaf.notes)
        return leaf

    def _leaf(self, token: Token) -> Leaf:
        if token.field in ABSENT_FIELDS:
            raise DataMissing(ABSENT_FIELDS[token.field])
        compiler = self._compilers.get(token.field)
        if compiler is None and not token.value:
            # A colon at the end of a word is part of a name.
            return text_terms.name_leaf(replace(token, field="", operator="", value=token.field))
        if compiler is None:
            raise TermProblem(f"there is no field {token.field}:{nearest(token.field, self._compilers)}")
        if token.field and token.field != "!" and not token.value:
            raise TermProblem(f"{token.field}{token.operator} needs a value")
        if token.field in _WORDS_ONLY and token.operator not in ("", ":", "="):
            raise TermProblem(f"{token.field} takes : only")
        return compiler(token)

    def _steer(self, token: Token) -> None:
        compiled = self.compiled
        if self._negations:
            raise TermProblem("it finds no cards, so it can't be negated")
        if token.field in VIEW_FIELDS:
            compiled.notes.append(f"{token.text}: changes the view of a web page; it has no effect here")
        elif token.field in ("order", "sort"):
            compiled.order.key = read_order(token.value)
            compiled.steering.append(f"order:{compiled.order.key}")
        elif token.field in ("direction", "dir"):
            compiled.order.descending = read_direction(token.value)
            compiled.steering.append(f"direction:{token.value.casefold()}")
        elif token.value.casefold() != "extras":
            raise TermProblem("include: knows extras only")
        else:
            compiled.include_extras = True
            compiled.steering.append("include:extras")


def run_plan(plan: Plan, run: Run, within: CardSet) -> CardSet:
    """The cards of `within` that match."""
    if isinstance(plan, Leaf):
        return plan.find(run, within)
    if isinstance(plan, Negation):
        return within & ~run_plan(plan.part, run, within)
    parts = sorted(plan.parts, key=cost_of)
    if plan.any_of:
        found = 0
        for part in parts:
            found |= run_plan(part, run, within & ~found)
        return found
    for part in parts:
        within = run_plan(part, run, within)
    return within


def cost_of(plan: Plan) -> int:
    """How expensive the dearest part is."""
    if isinstance(plan, Leaf):
        return plan.cost
    parts = (plan.part,) if isinstance(plan, Negation) else plan.parts
    return max(cost_of(part) for part in parts)


def reading_of(plan: Plan, *, inside: bool = False) -> str:
    """A plan as a query; `inside` another group."""
    if isinstance(plan, Leaf):
        return plan.reading
    if isinstance(plan, Negation):
        return f"-{reading_of(plan.part, inside=True)}"
    text = (" or " if plan.any_of else " ").join(reading_of(part, inside=True) for part in plan.parts)
    return f"({text})" if inside else text

"""Change a module a little, one place at a time; its tests must notice: `python -m scripts.mutation_check`.

Comparisons, `and` and `or`, plus and minus, whole numbers, truth values and conditions are changed in the
syntax tree; nothing is written to disk. Each mutant runs in a forked child that stops at the first test that
fails. `--most N` takes N mutants of each module, spread evenly, `--all` every one. What survives
is printed; 1 when anything did that `EQUIVALENT` does not explain.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 60
NUM_BY_DEFAULT = 40
# Third parties, so that each child need not import them; nothing of ours may be loaded before the mutant.
WARM = (
    "pytest",
    "_pytest.assertion.rewrite",
    "hypothesis",
    "msgspec",
    "numpy",
    "asyncio",
    "sqlite3",
    "psutil",
)

PARSER_TESTS = (
    "tests/unit/knowledge/rules/test_parser_places.py",
    "tests/unit/knowledge/rules/test_parser.py",
)
# module -> the tests that answer for it, the quick ones first
TARGETS = {
    "hexcore_engine.knowledge.rules.parser": PARSER_TESTS,
    "hexcore_engine.knowledge.rules.body": PARSER_TESTS,
    "hexcore_engine.inference.citations": ("tests/unit/inference/test_citations.py",),
    "hexcore_engine.inference.budget": (
        "tests/unit/inference/test_budget.py",
        "tests/unit/inference/test_degradation.py",
    ),
}

# (module, line as it reads, change) -> why no test can tell the difference
EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "hexcore_engine.knowledge.rules.parser",
        "heads = [line.split(SOFT_BREAK, 1)[0].strip() for line in lines[start:end]]",
        "1 -> 2",
    ): "only the first part is used",
    (
        "hexcore_engine.knowledge.rules.parser",
        "if end is None or end < start:",
        "Lt -> LtE",
    ): "one line can't be both headings",
    (
        "hexcore_engine.knowledge.rules.parser",
        "if credits_start is not None and credits_start > end:",
        "Gt -> GtE",
    ): "one line can't be both headings",
    (
        "hexcore_engine.knowledge.rules.body",
        "headings = [*self.sections[-1:], *self.groups[-1:]]",
        "1 -> 2",
    ): "earlier headings stand above the last ones",
    (
        "hexcore_engine.inference.citations",
        "if not any(first <= match.start() < last for first, last in taken):",
        "LtE -> Lt",
    ): "a bracket stands before its number",
    (
        "hexcore_engine.inference.citations",
        'if match.end() > start or not text[match.end() : start].strip(" ["):',
        "Gt -> GtE",
    ): "where the two are equal nothing stands between them",
}

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: where, what the line reads, what was changed into what, and how to make it."""

    module: str
    line: int
    text: str
    change: str
    place: int
    kind: int

    def explained(self) -> str:
        """Why no test can tell it from the original; empty where one could."""
        return EQUIVALENT.get((self.module, self.text, self.change), "")


class Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module's changed code to whoever imports it."""

    def __init__(self, name: str, code: CodeType) -> None:
        self._name = name
        self._code = code

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for that module alone."""
        return importlib.machinery.ModuleSpec(name, self) if name == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code."""
        module.__file__ = str(source_file(self._name))
        exec(self._code, module.__dict__)


def source_file(module: str) -> Path:
    """Where a module's source stands."""
    return ROOT / (module.replace(".", "/") + ".py")


def changes(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    """What can be changed at a node, in words, and how."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in SWAPS:
                swapped = SWAPS[type(operator)]()
                yield (
                    f"{type(operator).__name__} -> {type(swapped).__name__}",
                    lambda index=index, swapped=swapped: node.ops.__setitem__(index, swapped),  # type: ignore[misc]
                )
    if isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in SWAPS:
        other = SWAPS[type(node.op)]()
        yield f"{type(node.op).__name__} -> {type(other).__name__}", lambda: setattr(node, "op", other)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        value = not node.value if isinstance(node.value, bool) else node.value + 1
        yield f"{node.value!r} -> {value!r}", lambda: setattr(node, "value", value)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield (
            "condition -> its opposite",
            lambda: setattr(node, "test", ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)),
        )


def code_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes of a module that run: no annotations, and no imports for types alone."""
    waiting: list[ast.AST] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        if _is_figure(node) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            continue
        yield node
        skipped = {id(getattr(node, name, None)) for name in ("annotation", "returns", "decorator_list")}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            skipped |= {id(decorator) for decorator in node.decorator_list}
        waiting += [child for child in ast.iter_child_nodes(node) if id(child) not in skipped]


def _is_figure(node: ast.AST) -> bool:
    """Whether it names a figure that was chosen; tests take it by its name."""
    named = (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
    )
    return named and isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)


def mutants_of(module: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    source = source_file(module).read_text("utf-8")
    lines = source.splitlines()
    found = []
    for place, node in enumerate(code_nodes(ast.parse(source))):
        for kind, (change, _) in enumerate(changes(node)):
            line = getattr(node, "lineno", 0)
            found.append(Mutant(module, line, lines[line - 1].strip(), change, place, kind))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.place, mutant.kind))


def compiled(mutant: Mutant) -> CodeType:
    """The changed module."""
    file = source_file(mutant.module)
    tree = copy.deepcopy(ast.parse(file.read_text("utf-8")))
    for place, node in enumerate(code_nodes(tree)):
        if place == mutant.place:
            list(changes(node))[mutant.kind][1]()
            break
    return compile(ast.fix_missing_locations(tree), str(file), "exec")


def spread(mutants: list[Mutant], most: int) -> list[Mutant]:
    """At most so many, evenly over the module."""
    if len(mutants) <= most:
        return mutants
    return [mutants[index * len(mutants) // most] for index in range(most)]


def survives(code: CodeType | None, module: str, tests: Sequence[str]) -> bool:
    """Whether the tests pass with the changed code; without `code` with the module as it is."""
    child = os.fork()
    if child == 0:
        _test_and_leave(code, module, tests)
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _test_and_leave(code: CodeType | None, module: str, tests: Sequence[str]) -> None:
    os.setsid()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    if code is not None:
        sys.meta_path.insert(0, Loader(module, code))
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-seed=0"]
    os._exit(int(pytest.main([*options, *tests])))


def check(module: str, mutants: list[Mutant]) -> list[Mutant]:
    """Run the mutants of a module; return those that no test noticed and nothing explains."""
    tests = [str(ROOT / name) for name in TARGETS[module]]
    started = time.monotonic()
    if not survives(None, module, tests):
        raise SystemExit(f"the tests of {module} fail before anything is changed")
    left = [m for m in mutants if not m.explained() and survives(compiled(m), module, tests)]
    print(
        f"{module}: {len(mutants) - len(left)} of {len(mutants)} noticed, {time.monotonic() - started:.0f} s"
    )
    for mutant in left:
        print(f"    line {mutant.line}: {mutant.change}: {mutant.text}", flush=True)
    return left


def main() -> int:
    """Check the modules named, all by default; 1 when a mutant survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", help="the ends of modules' names; all by default")
    parser.add_argument("--most", type=int, default=NUM_BY_DEFAULT, help="mutants of each module")
    parser.add_argument("--all", action="store_true", help="every mutant")
    options = parser.parse_args()
    os.chdir(ROOT)
    for name in WARM:
        importlib.import_module(name)
    left = []
    for module in TARGETS:
        if not options.names or module.rpartition(".")[2] in options.names:
            every = mutants_of(module)
            left += check(module, every if options.all else spread(every, options.most))
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())

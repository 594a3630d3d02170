"""Every check of the source, each a step of its own: `python scripts/lint.py [--fix] [STEP ...]`."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
PACKAGES = ("hexcore_engine", "hexcore_tui", "scripts", "benchmarks", "tests")
# Addresses of package indexes and home folders of a machine have no place in the source.
FORBIDDEN = re.compile(r"pypi\.org|pythonhosted|/home/[a-z]+/|/root/|/Users/[a-z]+/")


def format_step(fix: bool) -> list[str]:
    """Layout of the code."""
    return run("ruff", "format", *([] if fix else ["--check"]), *PACKAGES)


def ruff_step(fix: bool) -> list[str]:
    """Defects and style."""
    return run("ruff", "check", *(["--fix"] if fix else []), "--output-format=concise", *PACKAGES)


def types_step(fix: bool) -> list[str]:
    """Types, strict."""
    return run("mypy")


def imports_step(fix: bool) -> list[str]:
    """Who may import whom."""
    return run("lint-imports")


def digest_step(fix: bool) -> list[str]:
    """Our own words: real numbers, nothing copied."""
    return run("python", "scripts/check_digest.py")


def sizes_step(fix: bool) -> list[str]:
    """Files and functions short enough to read at once."""
    problems = []
    for file in sources():
        text = file.read_text("utf-8")
        if text.count("\n") > MAX_FILE_LINES and "longer than" not in text[:2000]:
            problems.append(f"{file.relative_to(ROOT)}: {text.count(chr(10))} lines and no reason at its top")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    problems.append(f"{file.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines")
    return problems


def words_step(fix: bool) -> list[str]:
    """No index addresses and no paths of a machine."""
    files = [ROOT / name for name in run_text("git", "ls-files").splitlines()]
    problems = []
    for file in files:
        if file.suffix in (".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".cfg", "") and file.is_file():
            found = FORBIDDEN.search(file.read_text("utf-8", "replace"))
            if found and file != Path(__file__).resolve():
                problems.append(f"{file.relative_to(ROOT)}: {found.group()!r}")
    return problems


def docs_step(fix: bool) -> list[str]:
    """Reference pages and pictures as the code makes them, and no broken link."""
    mode = [] if fix else ["--check"]
    problems = run("python", "scripts/generate_docs.py", *mode)
    problems += run("python", "scripts/screenshots.py", *mode)
    return problems + run(
        "python", "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", "build/docs"
    )


STEPS: dict[str, Callable[[bool], list[str]]] = {
    "format": format_step,
    "ruff": ruff_step,
    "types": types_step,
    "imports": imports_step,
    "digest": digest_step,
    "docs": docs_step,
    "sizes": sizes_step,
    "words": words_step,
}


def sources() -> list[Path]:
    """All Python files of ours."""
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def run(program: str, *arguments: str) -> list[str]:
    """Run a program of this environment; return its output as problems when it fails."""
    done = subprocess.run(
        [str(BIN / program), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return []
    return (done.stdout + done.stderr).strip().splitlines() or [f"{program} failed"]


def run_text(*command: str) -> str:
    """Return what a program prints, nothing when it fails."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def main() -> int:
    """Run the steps; 1 when one found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
    parser.add_argument(
        "steps", nargs="*", choices=[[], *STEPS], help=f"any of {', '.join(STEPS)}; all by default"
    )
    arguments = parser.parse_args()
    failed = False
    for name in arguments.steps or STEPS:
        started = time.monotonic()
        problems = STEPS[name](arguments.fix)
        seconds = time.monotonic() - started
        print(f"{'FAILED' if problems else 'ok':<7} {name:<8} {seconds:5.1f} s")
        for problem in problems:
            print(f"        {problem}")
        failed = failed or bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

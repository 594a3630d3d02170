"""Say which lines and branches the tests run: `python -m scripts.coverage_check [--whole] [PYTEST WORD ...]`.

By default the light suite runs, and the cores are judged: what it runs in its own process. `--whole` runs all
tests, what they start included, and judges both packages whole. Where the extra torch is not installed, files
that import it are left out and counted. Ends with 1 when less than the floor was run.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "coverage"
PACKAGES = ("hexcore_engine", "hexcore_tui")
FLOOR_PERCENT = 90.0
# What lives in processes and terminals of its own, which slow tests start.
OUTSIDE_CORES = (
    "hexcore_engine/service/",
    "hexcore_engine/client/",
    "hexcore_engine/cli/",
    "hexcore_engine/inference/decoders/",
    "hexcore_engine/inference/kv_cache/",
    "hexcore_tui/__main__.py",
    "hexcore_tui/demo.py",
    "hexcore_tui/demo_pictures.py",
    "hexcore_tui/plain.py",
)
EXTRA = {"torch", "transformers", "peft", "bitsandbytes", "accelerate", "safetensors", "faiss", "tokenizers"}
NUM_SHOWN = 15
# Looks at what is loaded, and coverage loads more.
LOOKS_AT_MODULES = "tests/unit/tui/test_first_paint.py"


def measure(words: list[str]) -> tuple[dict[str, Any], bool]:
    """Run the tests; return coverage's own report by files, and whether all passed."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    report = WORK / "report.json"
    coverage = [sys.executable, "-m", "coverage"]
    tests = [*coverage, "run", "-m", "pytest", "-q", "--deselect", LOOKS_AT_MODULES, *words]
    tested = subprocess.run(tests, cwd=ROOT, check=False)
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=True)
    subprocess.run([*coverage, "json", "--quiet", "-o", str(report)], cwd=ROOT, check=True)
    if tested.returncode:
        print("tests failed; what follows is of those that ran")
    return dict(json.loads(report.read_text("utf-8"))["files"]), tested.returncode == 0


def needs_extra(file: str) -> bool:
    """Whether a file imports something of the extra torch, at its top or later."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return bool({name.partition(".")[0] for name in names} & EXTRA)


def totals(files: dict[str, Any]) -> dict[str, Counter[str]]:
    """Lines and branches of each package and room, all and run."""
    found: dict[str, Counter[str]] = {}
    for file, entry in files.items():
        summary = entry["summary"]
        parts = Path(file).parts
        for name in dict.fromkeys((parts[0], "/".join(parts[:2]) if len(parts) > 2 else parts[0])):
            found.setdefault(name, Counter()).update(
                lines=summary["num_statements"],
                run=summary["covered_lines"],
                branches=summary.get("num_branches", 0),
                taken=summary.get("covered_branches", 0),
            )
    return found


def percent(part: int, whole: int) -> float:
    """A share in percent; everything of nothing."""
    return 100 * part / whole if whole else 100.0


def table(files: dict[str, Any]) -> Iterator[str]:
    """A line for each package and room, then the files with the most lines that never ran."""
    yield f"{'':<44} {'lines':>7} {'run':>7} {'branches':>9} {'taken':>7}"
    for name, count in sorted(totals(files).items()):
        lines, branches = percent(count["run"], count["lines"]), percent(count["taken"], count["branches"])
        yield f"{name:<44} {count['lines']:>7} {lines:>6.1f}% {count['branches']:>9} {branches:>6.1f}%"
    missing = sorted(
        ((entry["summary"]["missing_lines"], file) for file, entry in files.items()), reverse=True
    )
    yield f"\nmost lines that never ran, of {len(files)} files:"
    yield from (f"{file:<60} {count:>5}" for count, file in missing[:NUM_SHOWN] if count)


def main() -> int:
    """Measure, print, and hold the floor; 1 when it is broken or a test failed."""
    words = [word for word in sys.argv[1:] if word != "--whole"]
    whole = "--whole" in sys.argv
    files, passed = measure(words if whole else ["-m", "not slow", *words])
    left_out = [] if importlib.util.find_spec("torch") else [file for file in files if needs_extra(file)]
    for file in left_out:
        del files[file]
    print("\n".join(table(files)))
    if left_out:
        print(f"{len(left_out)} files that import the extra torch, not installed here, are left out")
    if not whole:
        print("judged without what lives in processes of its own: " + ", ".join(OUTSIDE_CORES))
        files = {file: entry for file, entry in files.items() if not file.startswith(OUTSIDE_CORES)}
    found = totals(files)
    shares = {name: percent(found[name]["run"], found[name]["lines"]) for name in PACKAGES}
    for name, share in shares.items():
        print(f"{name}: {share:.1f} % of lines, the floor is {FLOOR_PERCENT:.0f} %")
    return int(not passed or any(share < FLOOR_PERCENT for share in shares.values()))


if __name__ == "__main__":
    sys.exit(main())

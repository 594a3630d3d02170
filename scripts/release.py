"""Build what is released and use it as a stranger would: `python -m scripts.release`.

Wheel and sdist are built from this tree with the installed hatchling, checked by twine and looked into. The
wheel is then installed into an empty environment under the tested versions, set up in a new home, and asked a
question. HEXCORE_TEST_DOWNLOADS may name a folder with the data packages, which are fetched otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hexcore_engine import __version__
from scripts import sbom
from scripts.wheel_contents import wheel_problems

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
CONSTRAINTS = ROOT / "constraints" / "tested.txt"
# One that the embedded model answers with a rule in brackets.
QUESTION = "Does trample still count if the blocker is gone?"
# Where pip keeps its user's configuration, below the home that is replaced here.
PIP_CONFIGURATIONS = (".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf")


class ReleaseProblem(Exception):
    """Why this can't be released."""


def run(*command: str | Path, environment: dict[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run a program and return what it prints; ReleaseProblem with its last lines when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise ReleaseProblem(f"{' '.join(words)}\nended with {done.returncode}:\n{last}")
    return done.stdout


def build() -> tuple[Path, Path]:
    """Build wheel and sdist into an empty dist/ and have both checked."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST)
    (wheel,) = DIST.glob(f"hexcore-{__version__}-*.whl")
    sdist = DIST / f"hexcore-{__version__}.tar.gz"
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    if found := list(wheel_problems(wheel)):
        raise ReleaseProblem("the wheel\n" + "\n".join(found))
    return wheel, sdist


def stranger(folder: Path) -> dict[str, str]:
    """The environment of somebody who has nothing of ours: new homes, and pip configured as it is here."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HEXCORE_", "PYTHON", "XDG_", "VIRTUAL_ENV"))
    }
    kept |= {"HOME": str(folder / "home"), "HEXCORE_HOME": str(folder / "hexcore")}
    (folder / "home").mkdir()
    known = [Path.home() / name for name in PIP_CONFIGURATIONS]
    for configuration in known:
        if configuration.is_file():
            kept.setdefault("PIP_CONFIG_FILE", str(configuration))
    return kept


def install(wheel: Path, folder: Path, environment: dict[str, str]) -> Path:
    """Install the wheel into an environment of its own; return the folder of its programs."""
    run(sys.executable, "-m", "venv", folder / "venv")
    programs = folder / "venv" / "bin"
    arguments = ("--quiet", "--disable-pip-version-check", "-c", CONSTRAINTS, wheel)
    run(programs / "python", "-m", "pip", "install", *arguments, environment=environment, folder=folder)
    return programs


def lay_out_downloads(home: Path) -> None:
    """Put the data packages where set-up looks for them, if they are kept anywhere."""
    kept = os.environ.get("HEXCORE_TEST_DOWNLOADS", "")
    if kept:
        shutil.copytree(kept, home / "downloads")


def ask(programs: Path, folder: Path, environment: dict[str, str]) -> tuple[str, ...]:
    """Set up, ask the question, and return the rules its answer cites; ReleaseProblem where it cites none."""
    hexcore = programs / "hexcore"
    said = run(hexcore, "--version", environment=environment, folder=folder)
    if not said.startswith(f"hexcore {__version__}"):
        raise ReleaseProblem(f"the installed program calls itself {said.strip()!r}, not {__version__}")
    try:
        run(hexcore, "setup", "--rules", "none", environment=environment, folder=folder)
        answer = json.loads(run(hexcore, "ask", "--json", QUESTION, environment=environment, folder=folder))
    finally:
        subprocess.run([hexcore, "engine", "stop"], env=environment, capture_output=True, check=False)
    known = [entry["rule"] for entry in answer["citations"] if entry["status"] != "unknown"]
    cited = tuple(dict.fromkeys(known))
    if not cited:
        raise ReleaseProblem(f"the answer cites no rule: {answer['response']!r}")
    return cited


def used_as_a_stranger(wheel: Path) -> tuple[str, ...]:
    """Install, set up and ask in a folder that is removed; list beside the wheel what was installed."""
    with tempfile.TemporaryDirectory(prefix="hexcore-release-") as name:
        folder = Path(name)
        environment = stranger(folder)
        programs = install(wheel, folder, environment)
        lay_out_downloads(folder / "hexcore")
        cited = ask(programs, folder, environment)
        sbom.write(DIST / f"hexcore-{__version__}.cdx.json", programs / "python")
    return cited


def table(files: Iterable[Path]) -> str:
    """A line a file: its size and SHA-256."""
    return "\n".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.stat().st_size:>10,}  {file.name}"
        for file in files
    )


def main() -> int:
    """Print what was made; 1 and the reason when it can't be released."""
    try:
        print(f"building hexcore {__version__}", flush=True)
        build_results = build()
        print("installing it into an empty environment and asking a question", flush=True)
        cited = used_as_a_stranger(build_results[0])
    except ReleaseProblem as problem:
        print(f"not released: {problem}", file=sys.stderr)
        return 1
    print(f"answered, exit code 0, citing {', '.join(cited)}")
    print(f"{'sha256':<64}  {'bytes':>10}  file")
    print(table(sorted(DIST.iterdir())))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Write docs/reference/licences.md, every dependency with its licence: `python -m scripts.licences`.

pip resolves Hexcore with all its extras under the tested versions and reports their metadata; nothing is
installed. What a package says of itself is taken: its licence expression, else its classifiers, else its
text.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hexcore_engine.data.packages import CARDS, MODEL, SENTENCES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "licences.md"
CONSTRAINTS = ROOT / "constraints" / "tested.txt"
EXTRAS = ("torch", "train", "dev")
MAX_LICENCE_LENGTH = 80
HEAD = """# Licences

Every package Hexcore asks for, directly or through another, in the tested version, with the licence it names
itself. "always" is the base install; the others come with an extra. `make licences` writes this page.

"""
DATA_HEAD = """
## Data packages

Fetched by set-up as data and never installed as code; set-up checks the SHA-256.

| package | version | licence | SHA-256 of the wheel |
|---|---|---|---|
"""

Metadata = dict[str, Any]


def resolved() -> dict[str, Metadata]:
    """The metadata of Hexcore and of everything it may need, by its name as indexes compare it."""
    arguments = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-", "-c", str(CONSTRAINTS)]
    command = [sys.executable, "-m", "pip", "install", *arguments, f"{ROOT}[{','.join(EXTRAS)}]"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    entries = [item["metadata"] for item in json.loads(done.stdout)["install"]]
    return {canonicalize_name(entry["name"]): entry for entry in entries}


def needed_by(packages: dict[str, Metadata], name: str, extras: Iterable[str], seen: set[str]) -> set[str]:
    """Everything a package asks for with these extras, itself included; `seen` is added to and returned."""
    seen.add(name)
    for text in packages[name].get("requires_dist", ()):
        asked = Requirement(text)
        wanted = asked.marker is None or any(
            asked.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        other = canonicalize_name(asked.name)
        if wanted and other in packages and other not in seen:
            needed_by(packages, other, asked.extras, seen)
    return seen


def came_with(packages: dict[str, Metadata]) -> dict[str, str]:
    """For each package the first of base install and extras that brings it."""
    found: dict[str, str] = {}
    for extra in ("", *EXTRAS):
        for name in needed_by(packages, "hexcore", (extra,), set()):
            found.setdefault(name, extra or "always")
    return {name: found.get(name, "dev") for name in packages if name != "hexcore"}


def licence_of(metadata: Metadata) -> str:
    """What a package says of its licence, in a line; empty where it says nothing."""
    stated = str(metadata.get("license") or "").strip()
    classifiers = [
        re.sub(r"^License :: (OSI Approved :: )?", "", line)
        for line in metadata.get("classifier", ())
        if line.startswith("License :: ")
    ]
    short = stated if "\n" not in stated and len(stated) <= MAX_LICENCE_LENGTH else ""
    text = metadata.get("license_expression") or " or ".join(classifiers) or short
    return " ".join(str(text).split()).replace("|", "\\|")


def version_of(metadata: Metadata) -> str:
    """A package's version without the name of its build."""
    return str(metadata["version"]).partition("+")[0]


def page(packages: dict[str, Metadata]) -> str:
    """The page's text."""
    rows = [
        f"| {metadata['name']} | {version_of(metadata)} | {licence_of(metadata)} | {origin} |"
        for metadata, origin in (
            (packages[name], origin) for name, origin in sorted(came_with(packages).items())
        )
    ]
    table = "\n".join(["| package | version | licence | comes with |", "|---|---|---|---|", *rows, ""])
    data = "\n".join(
        f"| {p.name} | {p.version} | {p.licence} | `{p.sha256}` |" for p in (CARDS, MODEL, SENTENCES)
    )
    return f"{HEAD}{table}{DATA_HEAD}{data}\n"


def main() -> int:
    """Write the page; 1 when a package names no licence."""
    packages = resolved()
    silent = [name for name in packages if not licence_of(packages[name])]
    PAGE.write_text(page(packages), "utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(packages) - 1} packages")
    for name in silent:
        print(f"{name} names no licence", file=sys.stderr)
    return int(bool(silent))


if __name__ == "__main__":
    sys.exit(main())

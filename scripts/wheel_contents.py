"""What a wheel of ours must hold and what it must not."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("hexcore_engine", "hexcore_tui")
# Asked for by name, so that a wheel made from a tree that lacks them is refused too.
NEEDED = (
    "hexcore_engine/py.typed",
    "hexcore_tui/py.typed",
    "hexcore_engine/knowledge/digest/702.jsonl",
    "hexcore_engine/models/weights/router.json",
    "hexcore_tui/themes/hexcore-dark.toml",
)
# Data of others, and questions that retrieval is measured on.
FOREIGN = re.compile(r"_dev\.jsonl|MagicCompRules|\.(gguf|sqlite|safetensors|whl)$|(^|/)tests?/")


def wheel_problems(wheel: Path) -> Iterator[str]:
    """Each file that is missing or out of place."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    yield from (f"lacks {name}" for name in sorted(wanted_names() - names))
    if not any(name.endswith("licenses/LICENSE") for name in names):
        yield "lacks the licence"
    own = (*(f"{package}/" for package in PACKAGES), "hexcore-")
    yield from (f"holds {name}" for name in sorted(names) if not name.startswith(own) or FOREIGN.search(name))


def wanted_names() -> set[str]:
    """The names of every file of the packages and of every theme, as they stand in a wheel."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*")]
    packaged = {
        file.relative_to(ROOT).as_posix()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }
    themes = {f"hexcore_tui/themes/{theme.name}" for theme in (ROOT / "themes").glob("*.toml")}
    return packaged | themes | set(NEEDED)

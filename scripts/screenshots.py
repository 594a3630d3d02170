"""Draw the documentation's pictures from the app's demo: `python scripts/screenshots.py [--check]`.

The recording beside them is made by `scripts/cast.py` and not compared: it holds when each byte was written,
which no two runs share. A test plays it instead.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"


def draw(folder: Path) -> list[Path]:
    """Write a picture of each of the demo's scenes into `folder`; return the files."""
    from hexcore_tui.demo_pictures import SCENES, draw_pictures

    folder.mkdir(parents=True, exist_ok=True)
    files = {scene: folder / f"{scene}.svg" for scene in SCENES}
    draw_pictures(files)
    return list(files.values())


def stale(folder: Path) -> list[str]:
    """Return the names of pictures in `folder` that are not what the app shows, or not drawn by us."""
    with tempfile.TemporaryDirectory() as aside:
        fresh = {file.name: file.read_bytes() for file in draw(Path(aside))}
    stored = {file.name: file.read_bytes() for file in folder.glob("*.svg")}
    return sorted(name for name in fresh | stored if fresh.get(name) != stored.get(name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, or with --check compare; 1 when a stored picture is not what the app shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the pictures are fresh")
    if not parser.parse_args(arguments).check:
        draw(PICTURES)
        return 0
    names = stale(PICTURES)
    for name in names:
        print(f"docs/pictures/{name} is stale: `make pictures` draws it anew")
    return int(bool(names))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())

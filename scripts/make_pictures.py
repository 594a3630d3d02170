"""Draw the documentation's pictures from the app's demo: `python scripts/make_pictures.py [--check]`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "pictures" / "demo.svg"


def draw(file: Path) -> None:
    """Write the demo's picture."""
    command = [sys.executable, "-m", "hexcore_tui", "--demo", "--screenshot", str(file)]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> int:
    """Draw, or with --check compare; 1 when the stored picture is not what the app shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the picture is fresh")
    if not parser.parse_args().check:
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        draw(PICTURE)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "demo.svg"
        draw(fresh)
        if PICTURE.is_file() and PICTURE.read_bytes() == fresh.read_bytes():
            return 0
    print(f"{PICTURE.relative_to(ROOT)} is stale: `make pictures` draws it anew")
    return 1


if __name__ == "__main__":
    sys.exit(main())

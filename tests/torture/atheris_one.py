"""Feed one reader with bytes that atheris chooses:
`python -m tests.torture.atheris_one READER SECONDS SEED`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["hexcore_engine", "hexcore_tui", "tomllib"], enable_loader_override=False
):
    from tests.torture.parsers import parsers

MOST_BYTES = 4096


def main() -> None:
    """Run until the time is over; a reader that breaks ends the process with its traceback."""
    name, seconds, seed = sys.argv[1:4]
    parser = parsers()[name]
    with tempfile.TemporaryDirectory() as corpus:
        (Path(corpus) / "example").write_bytes(parser.example)
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MOST_BYTES}"]
        options += ["-print_final_stats=1", f"-artifact_prefix={corpus}/", corpus]
        atheris.Setup([sys.argv[0], *options], parser.survives)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

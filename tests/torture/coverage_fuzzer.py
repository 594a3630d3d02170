"""Feed every reader with bytes that atheris chooses: `python -m tests.torture.coverage_fuzzer SECONDS SEED`.

The first byte says which reader gets the rest.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped,unused-ignore]

OURS = ["hexcore_engine", "hexcore_tui", "tomllib"]
with atheris.instrument_imports(include=OURS, enable_loader_override=False):
    from tests.torture.parsers import parsers

MOST_BYTES = 4096


def main() -> None:
    """Run until the time is over; a reader that breaks ends the process with its traceback."""
    seconds, seed = sys.argv[1:3]
    known = list(parsers().items())

    def feed(content: bytes) -> None:
        if content:
            known[content[0] % len(known)][1].survives(content[1:])

    with tempfile.TemporaryDirectory() as corpus:
        for number, (_, parser) in enumerate(known):
            (Path(corpus) / str(number)).write_bytes(bytes([number]) + parser.example)
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MOST_BYTES}"]
        options += ["-print_final_stats=1", f"-artifact_prefix={corpus}/", corpus]
        atheris.Setup([sys.argv[0], *options], feed)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

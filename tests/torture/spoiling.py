"""Changing files one byte at a time, and watching what their readers make of it."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexcore_engine.errors import HexcoreError
from tests.torture.tally import Tally, scaled

# How the end of a long traceback is kept.
MOST_CHARACTERS = 600


def nothing_else(_right: Any, _got: Any) -> bool:
    """Only the right answer will do."""
    return False


@dataclass(frozen=True)
class Kept:
    """A file the program keeps and how it is read. `may_differ(right, got)` says which other answers nobody
    could know from right ones; `places` is how many bytes are tried, 0 all of them."""

    name: str
    file: Path
    read: Callable[[], Any]
    places: int = 0
    may_differ: Callable[[Any, Any], bool] = nothing_else


def spoil_each(kept: Kept, chance: random.Random, tally: Tally) -> None:
    """Change one byte after another: the right answer, or an error with a remedy, and nothing else."""
    good, right = kept.file.read_bytes(), kept.read()
    named = unnoticed = 0
    for place in _places(kept, len(good), chance):
        change = chance.randrange(1, 256)
        _write(kept.file, good, place, change)
        where = f"{kept.name}, byte {place} ^ {change:#x}"
        try:
            got = kept.read()
        except HexcoreError as error:
            named += 1
            tally.expect(
                error.message.strip() and error.remedy.strip(), f"{where}: {error!r} says too little"
            )
        except BaseException:
            tally.lost(f"{where}: {traceback.format_exc()[-MOST_CHARACTERS:]}")
        else:
            if got != right:
                unnoticed += 1
                tally.expect(kept.may_differ(right, got), f"{where}: another answer, without a word")
        tally.tried("changed bytes")
    kept.file.write_bytes(good)
    tally.expect(kept.read() == right, f"{kept.name}: mended, it does not read as before")
    other = f", {unnoticed} read as another valid value" if unnoticed else ""
    tally.note(f"{kept.name} ({len(good):,} bytes): {named} named{other}")


def _places(kept: Kept, size: int, chance: random.Random) -> Iterable[int]:
    wanted = min(size, scaled(kept.places or size))
    return sorted(chance.sample(range(size), wanted))


def _write(file: Path, good: bytes, place: int, change: int) -> None:
    spoilt = bytearray(good)
    spoilt[place] ^= change
    file.write_bytes(spoilt)

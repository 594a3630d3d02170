"""A bulk file of 160 MB of invented cards, imported in a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import Bench, Target
from benchmarks.homes import empty_home, environment

TARGETS = (
    Target("160 MB of cards imported", 60, "s"),
    Target("peak memory of the import", 300, "MB"),
)
FILE_BYTES = 160_000_000
QUICK_BYTES = 16_000_000
_IMPORT = """
import json, resource, sys, time
from pathlib import Path
from hexcore_engine.data.card_files import import_cards
from hexcore_engine.data.progress import QuietProgress
from hexcore_engine.paths import default_paths
started = time.monotonic()
report = import_cards(default_paths(), Path(sys.argv[1]), QuietProgress())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([time.monotonic() - started, peak, report.cards]))
"""
# Parts of a real entry that the importer has no use for.
_UNREAD = ("image_uris", "related_uris", "purchase_uris")
# ru_maxrss is in KiB on Linux and in bytes on macOS.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def measure(bench: Bench) -> dict[str, float]:
    """Write the file, import it."""
    file = bench.work / "oracle-cards.json"
    write_bulk_file(file, QUICK_BYTES if bench.quick else FILE_BYTES)
    with empty_home(bench, "home") as paths:
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT, str(file)],
            env=environment(paths),
            check=True,
            capture_output=True,
            timeout=600,
        )
    seconds, peak, num_cards = json.loads(done.stdout)
    return {
        "160 MB of cards imported": seconds,
        "peak memory of the import": peak * PEAK_UNIT / 1e6,
        "cards": num_cards,
    }


def write_bulk_file(file: Path, size_bytes: int) -> None:
    """Write a list of invented cards in the form of Scryfall's bulk files, one a line."""
    chance = random.Random(4)
    syllables = [consonant + vowel for consonant in "bdfglmnprst" for vowel in "aeiou"]
    words = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(4000)]
    with file.open("w", encoding="utf-8") as out:
        out.write("[\n")
        number = 0
        while out.tell() < size_bytes:
            out.write(",\n" if number else "")
            number += 1
            out.write(json.dumps(invented_card(number, words, chance)))
        out.write("\n]\n")


def invented_card(number: int, words: list[str], chance: random.Random) -> dict[str, object]:
    """A card with all that a real entry carries, what the importer does not read included."""
    name = " ".join(chance.choices(words, k=3)).title()
    text = " ".join(chance.choices(words, k=36))
    return {
        "object": "card",
        "oracle_id": f"{chance.getrandbits(128):032x}",
        "name": f"{name} {number}",
        "layout": "normal",
        "mana_cost": chance.choice(("{1}{G}", "{U}", "{2}{W}{W}", "{X}{R}")),
        "cmc": float(chance.randint(0, 7)),
        "type_line": f"Creature — {chance.choice(words).title()}",
        "oracle_text": f"{text[:150]}\n{text[150:]}",
        "colors": ["G"],
        "color_identity": ["G"],
        "keywords": ["Flying"],
        "power": "2",
        "toughness": "3",
        "legalities": {f"format{index}": chance.choice(("legal", "not_legal")) for index in range(22)},
        "set_type": "core",
        **{name: dict.fromkeys("abcd", f"https://example.invalid/{name * 13}") for name in _UNREAD},
        "prices": {"usd": "0.10", "eur": None},
    }

"""Whole rules files in invented words, in the shapes the official ones have had since 2003."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

LETTERS = "abcdefghijkmnpqrstuvwxyz"
WORDS = [
    "lantern",
    "moss",
    "harbor",
    "kettle",
    "glow",
    "thimble",
    "orchard",
    "ferry",
    "whistle",
    "copper",
    "drizzle",
    "button",
    "marble",
]


@dataclass
class OwnRelease:
    """What a file shall hold; `text` writes it."""

    effective: str = "March 1, 2003"
    said: str = "current"
    first: str = "The Game"
    groups: dict[str, list[str]] = field(default_factory=dict)  # "100" -> lines of rules and examples
    glossary: list[tuple[str, str]] = field(default_factory=lambda: [("Lantern", "A thing that glows.")])
    credits: str | None = "Credits"
    page: str = ""

    def text(self) -> str:
        """The file, lines ended by newlines."""
        contents = [f"1. {self.first}", *(f"{number}. Group {number}" for number in self.groups), "Glossary"]
        contents += ["Credits"] if self.credits else []
        lines = ["Invented Rules", "", f"These rules are {self.said} as of {self.effective}.", "", "Contents"]
        lines += ["", *contents, "", f"1. {self.first}", ""]
        for number, rules in self.groups.items():
            lines += [f"{number}. Group {number}", "", *(part for rule in rules for part in (rule, ""))]
            lines += [self.page] if self.page else []
        lines += ["Glossary", ""]
        lines += [part for term, meaning in self.glossary for part in (term, meaning, "")]
        if self.credits:
            lines += [self.credits, "", "Nobody."]
        return "\n".join(lines) + "\n"


def with_line_ends(text: str, ends: tuple[str, ...]) -> str:
    """The text with its newlines replaced by `ends` in turn."""
    number = iter(range(len(text)))
    return re.sub("\n", lambda _: ends[next(number) % len(ends)], text)


def made_up_release(seed: int, num_groups: int = 3) -> OwnRelease:
    """A release of random shape: rules with and without full stops, subrules, examples, second paragraphs."""
    chance = random.Random(seed)
    groups = {}
    for number in range(100, 100 + num_groups):
        lines: list[str] = []
        for rule in range(1, chance.randint(2, 14)):
            lines.append(f"{number}.{rule}{chance.choice(['.', '', '.'])} {_sentence(chance)}")
            lines += [f"Example: {_sentence(chance)}" for _ in range(chance.randint(0, 4) // 2)]
            for letter in LETTERS[: chance.randint(0, len(LETTERS)) if chance.random() < 0.3 else 0]:
                stop = "." if chance.random() < 0.1 else ""
                lines.append(f"{number}.{rule}{letter}{stop} {_sentence(chance)}")
                if chance.random() < 0.2:
                    lines.append(chance.choice(["Example ", "Examples: ", "Example:\t"]) + _sentence(chance))
            if chance.random() < 0.2:
                lines.append(f"     {_sentence(chance)}")
        groups[str(number)] = lines
    first = chance.choice(["The Game", "Game Concepts"])
    return OwnRelease(first=first, said=chance.choice(["current", "effective"]), groups=groups)


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(3, 25))).capitalize() + "."


def own_editions() -> dict[str, bytes]:
    """Two editions of one small book by their dates: a rule was put in as 100.2, two rules were
    taken out, 100.1 was reworded."""
    old = [
        "100.1. A lantern is a thing that glows.",
        "100.1a A player may own any number of lanterns. See rule 100.2.",
        "100.2. Whoever drops a kettle picks it up.",
        "100.3. Ferries leave at noon, whatever the weather does.",
        "100.4. Buttons are never counted twice by anybody.",
        "100.5. Copper is not drizzle, and drizzle is not copper.",
        "100.6. The orchard keeper whistles. See rule 100.3.",
    ]
    new = [
        "100.1. A lantern is a small thing that glows.",
        "100.1a A player may own any number of lanterns. See rule 100.3.",
        "100.2. Thimbles protect the thumb of the marble seller.",
        "100.3. Whoever drops a kettle picks it up.",
        "100.4. Ferries leave at noon, whatever the weather does.",
        "100.5. The orchard keeper whistles. See rule 100.4.",
    ]
    return {
        "2025-01-01": _edition("January 1, 2025", old, "100.2"),
        "2025-02-01": _edition("February 1, 2025", new, "100.3"),
    }


def _edition(effective: str, rules: list[str], kettle: str) -> bytes:
    glossary = [
        ("Kettle", f"It boils. See rule {kettle}."),
        ("Lantern", "A thing that glows. See rule 100.1."),
    ]
    return OwnRelease(effective, "effective", "Game Concepts", {"100": rules}, glossary).text().encode()

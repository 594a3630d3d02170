"""A rules file in our own invented words, of the official shape."""

from __future__ import annotations


def own_rules(effective: str = "January 2, 2025", word: str = "lantern") -> bytes:
    """A whole file with one group, three rules and one example."""
    lines = [
        "Invented Rules", "", f"These rules are effective as of {effective}.", "", "Contents", "",
        "1. Game Concepts", "100. General", "Glossary", "Credits", "",
        "1. Game Concepts", "", "100. General", "",
        f"100.1. A {word} is a thing that glows.",
        f"100.1a A player may own any number of {word}s. See rule 100.2.",
        f"Example: A player who owns two {word}s may light both.", "",
        f"100.2. Whoever drops a {word} picks it up.", "",
        "Glossary", "", "Lantern", "A thing that glows. See rule 100.1.", "", "Credits", "", "Nobody.",
    ]  # fmt: skip
    return "\r\n".join(lines).encode("utf-8")

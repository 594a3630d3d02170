"""The grammar that makes an invented rule number in brackets impossible (GBNF, as llama.cpp reads it)."""

from __future__ import annotations

import re

_RULE_NUMBER = re.compile(r"[1-9]\d{2}(?:\.\d{1,3}[a-z]?)?")


def citation_grammar(rules: tuple[str, ...]) -> str:
    """Return a grammar of free text in which a bracket holds exactly one of `rules`.

    With no rules there is no citation branch: no bracket can be written at all. `[[` never opens one.
    """
    for rule in rules:
        if not _RULE_NUMBER.fullmatch(rule):
            raise ValueError(f"not a rule number: {rule!r}")
    if not rules:
        return "root ::= text+\ntext ::= [^\\[\\]]\n"
    numbers = " | ".join(f'"{rule}"' for rule in dict.fromkeys(rules))
    return f'root ::= (text | cite)+\ntext ::= [^\\[\\]]\ncite ::= "[" ({numbers}) "]"\n'

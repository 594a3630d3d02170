"""`hexcore rule N`: one rule with its parent, siblings and examples."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.records import RuleRecord, RuleView
from hexcore_engine.protocol.records import to_builtins

OWN_WORDS = "in our words, not official"


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("number", nargs="+", help="a rule number, e.g. 702.19b, 702.19, 702")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the rule; 1 with the nearest numbers when there is none."""
    typed = joined(arguments.number)
    knowledge = Knowledge(context.paths.knowledge_dir)
    try:
        view = knowledge.rule(typed)
        if view is None:
            nearest = list(knowledge.nearest_rules(typed))
            text = f"There is no rule {typed!r}." + (f" Nearest: {', '.join(nearest)}." if nearest else "")
            context.output.result({"rule": None, "nearest": nearest}, text)
            return 1
        context.output.result(to_builtins(view), rule_text(view))
        return 0
    finally:
        knowledge.close()


def rule_text(view: RuleView) -> str:
    """Return a rule and what stands around it as text."""
    rule = view.rule
    lines = [" › ".join(f"{above.number} {_short(above)}" for above in view.ancestors)]
    lines += ["", _line(rule), *(f"    Example: {text}" for text in map(_example, rule.examples))]
    if rule.official and rule.plain:
        lines.append(f"    {rule.plain} ({OWN_WORDS})")
    lines += _block("Below it:", view.children)
    lines += _block("Beside it:", (other for other in view.siblings if other.number != rule.number))
    if view.points_to:
        lines += ["", f"Points to: {', '.join(view.points_to)}"]
    if view.pointed_from:
        lines += ["", f"Pointed to from: {', '.join(view.pointed_from)}"]
    lines += ["", f"— {view.release.source}"]
    return "\n".join(lines).strip("\n")


def _block(title: str, rules: Iterable[RuleRecord]) -> list[str]:
    lines = [f"  {_line(rule)}" for rule in rules if rule.text or rule.plain]
    return ["", title, *lines] if lines else []


def _line(rule: RuleRecord) -> str:
    text = rule.text or rule.plain
    if not text:
        return f"{rule.number}  (this number exists; its text comes with an official rules file)"
    mark = "" if rule.official else f"  ({OWN_WORDS})"
    return f"{rule.number}  {text}{mark}"


def _short(rule: RuleRecord) -> str:
    return rule.text if len(rule.text) <= 60 else f"{rule.text[:57]}…"


def _example(text: str) -> str:
    return text.removeprefix("Example:").strip()

"""`hexcore rule N`: one rule with what stands around it, what it points to and what points here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.cli.releases import add_release_option, open_knowledge
from hexcore_engine.knowledge.digest.loader import LABEL
from hexcore_engine.knowledge.lookup import Knowledge
from hexcore_engine.knowledge.rules.moves import RuleMove
from hexcore_engine.knowledge.rules.records import Neighbourhood, PointsHere, RuleRecord, RuleView
from hexcore_engine.protocol.records import to_builtins

# So many siblings are shown on each side, and so many rules below; --all shows the rest.
NEAR = 4
MOST_BELOW = 30
MOST_REFERENCES = 40


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("number", nargs="+", help="a rule number, e.g. 702.19b, 702.19, 702")
    parser.add_argument("--all", action="store_true", help="show all that stands beside and below it")
    parser.add_argument(
        "--near", action="store_true", help="show its neighbourhood in the graph of references"
    )
    add_release_option(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Show the rule; 1 with the nearest numbers, and where it moved, when there is none."""
    typed = joined(arguments.number)
    knowledge = open_knowledge(context, arguments.release)
    try:
        view = knowledge.rule(typed)
        move = _move(context, knowledge, typed, arguments.release)
        if view is None:
            return _unknown(context, knowledge, typed, move)
        warnings = knowledge.rules_warnings()
        near = knowledge.neighbourhood(view.rule.number) if arguments.near else None
    finally:
        knowledge.close()
    document = {**to_builtins(view), "move": to_builtins(move), "warnings": list(warnings)}
    if near is not None:
        document["neighbourhood"] = to_builtins(near)
    parts = [rule_text(view, whole=arguments.all), move_text(move), near_text(near)]
    parts += [f"warning: {warning}" for warning in warnings]
    context.output.result(document, "\n".join(part for part in parts if part))
    return 0


def _move(context: Context, knowledge: Knowledge, typed: str, release: str | None) -> RuleMove | None:
    """Where the number of an old release stands today, or what today's number meant in an old one."""
    if release is None:
        return knowledge.move(typed)
    today = Knowledge(context.paths.knowledge_dir)
    old = knowledge.release()
    try:
        return today.move(typed, old.key) if old is not None else None
    finally:
        today.close()


def _unknown(context: Context, knowledge: Knowledge, typed: str, move: RuleMove | None) -> int:
    nearest = list(knowledge.nearest_rules(typed))
    release = knowledge.release()
    where = f" in {release.source}" if release and release.official else ""
    lines = [f"There is no rule {typed!r}{where}.", move_text(move)]
    lines += [f"Nearest: {', '.join(nearest)}."] if nearest else []
    document = {"rule": None, "nearest": nearest, "move": to_builtins(move)}
    context.output.result(document, "\n".join(line for line in lines if line))
    return 1


def rule_text(view: RuleView, whole: bool = False) -> str:
    """Return a rule and what stands around it as text; with `whole` nothing is left out."""
    rule = view.rule
    lines = [" › ".join(f"{above.number} {_short(above)}" for above in view.ancestors)]
    lines += ["", _line(rule), *(f"    Example: {text}" for text in map(_example, rule.examples))]
    if rule.official and rule.plain:
        lines.append(f"    {rule.plain} ({LABEL})")
    below = view.children if whole else view.children[:MOST_BELOW]
    lines += _block("Below it:", below, len(view.children) - len(below))
    beside = view.siblings if whole else view.near_siblings(NEAR)
    num_more = len(view.siblings) - len(beside)
    lines += _block("Beside it:", [other for other in beside if other.number != rule.number], num_more)
    lines += _numbers("Points to", view.points_to, whole)
    lines += _numbers("Pointed to from", view.pointed_from, whole)
    lines += _points_here(view.points_here, whole)
    lines += ["", f"— {view.release.source}"]
    return "\n".join(lines).strip("\n")


def move_text(move: RuleMove | None) -> str:
    """Return in words what a number meant in an older release."""
    if move is None:
        return ""
    text = move.text if len(move.text) <= 120 else f"{move.text[:119].rstrip()}…"
    now = f"is {move.today} in {move.today_release}" if move.today else f"is gone in {move.today_release}"
    return f"In the release of {move.release}, {move.number} was another rule, which {now}: {text}"


def near_text(near: Neighbourhood | None) -> str:
    """Return the neighbourhood of a rule, one line a rule."""
    if near is None:
        return ""
    lines = ["", f"Near {near.number}:"]
    for step in near.neighbours:
        over = f"  over {step.over}" if step.over else ""
        lines.append(f"  {step.number:<9} {step.way}{over}")
    if near.num_more:
        lines.append(f"  and {near.num_more} more")
    return "\n".join(lines)


def _points_here(here: PointsHere, whole: bool) -> list[str]:
    lines = _numbers("Rules that point below it", here.rules_below, whole)
    if here.terms:
        lines += ["", f"Glossary: {', '.join(here.terms)}"]
    if here.keyword and here.num_cards:
        more = f", and {here.num_cards - len(here.cards):,} more" if here.num_cards > len(here.cards) else ""
        lines += ["", f"Cards with {here.keyword}: {'; '.join(here.cards)}{more}"]
    return lines


def _numbers(title: str, numbers: Sequence[str], whole: bool) -> list[str]:
    shown = numbers if whole else numbers[:MOST_REFERENCES]
    more = f", and {len(numbers) - len(shown)} more (--all)" if len(shown) < len(numbers) else ""
    return ["", f"{title}: {', '.join(shown)}{more}"] if numbers else []


def _block(title: str, rules: Sequence[RuleRecord], num_more: int) -> list[str]:
    lines = [f"  {_line(rule)}" for rule in rules if rule.text or rule.plain]
    if num_more > 0:
        lines.append(f"  … and {num_more} more (--all)")
    return ["", title, *lines] if lines else []


def _line(rule: RuleRecord) -> str:
    text = rule.text or rule.plain
    if not text:
        return f"{rule.number}  (this number exists; its text comes with an official rules file)"
    mark = "" if rule.official else f"  ({LABEL})"
    return f"{rule.number}  {text}{mark}"


def _short(rule: RuleRecord) -> str:
    return rule.text if len(rule.text) <= 60 else f"{rule.text[:57]}…"


def _example(text: str) -> str:
    return text.removeprefix("Example:").strip()

"""A conversation as text for a judge or a table dispute: what was asked, found, answered and checked."""

from __future__ import annotations

import json

from hexcore_engine.errors import UsageError
from hexcore_engine.protocol.records import CITATION_WORDS, SessionRecord, TurnRecord, to_builtins


def export_session(session: SessionRecord, turns: tuple[TurnRecord, ...], form: str) -> str:
    """Return the conversation as "markdown" or "json".

    Raises:
        UsageError: for any other form.
    """
    if form == "json":
        document = {"session": to_builtins(session), "turns": to_builtins(turns)}
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if form != "markdown":
        raise UsageError(f"A conversation can't be written as {form!r}.", "Known: markdown, json.")
    parts = [f"# {session.title}", f"Begun {session.created_at}, last written {session.updated_at}."]
    parts += [_turn_markdown(turn) for turn in turns]
    return "\n\n".join(parts) + "\n"


def _turn_markdown(turn: TurnRecord) -> str:
    lines = [f"## {' '.join(turn.question.split())}", ""]
    if turn.passages:
        lines.append("Found before the answer:")
        lines += [f"- {passage.kind} {passage.id}: {passage.why}" for passage in turn.passages]
        lines.append("")
    lines.append(turn.response or "(no answer text)")
    if turn.citations:
        lines += ["", "Rules named:"]
        lines += [f"- {citation.rule}: {CITATION_WORDS[citation.status]}" for citation in turn.citations]
    release = (
        f"Comprehensive Rules {turn.rules_release}" if turn.rules_release else "no official rules loaded"
    )
    ended = turn.stop_reason or "unfinished"
    lines += ["", f"*{turn.asked_at}; {release}; model: {turn.model or 'none'}; ended: {ended}.*"]
    return "\n".join(lines)

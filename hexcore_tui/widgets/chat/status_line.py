"""What the last answer cost, and what the app is doing now."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from hexcore_engine.protocol.records import Usage
from hexcore_engine.utils.validation import clean_line


class StatusLine(Widget):
    """One line below the question field."""

    DEFAULT_CSS = """
    StatusLine { height: auto; min-height: 1; max-height: 3; padding: 0 1; color: $text-muted; }
    """

    alarm: reactive[str] = reactive("", layout=True)
    doing: reactive[str] = reactive("", layout=True)
    usage: reactive[Usage | None] = reactive(None, layout=True)
    basis: reactive[str] = reactive("", layout=True)
    problem: reactive[str] = reactive("", layout=True)
    notice: reactive[str] = reactive("", layout=True)

    def render(self) -> Content:
        """What is wrong with the engine, else the reply to what the user just did, else what is being done,
        else what went wrong, what the last answer rests on and its figures."""
        words, style = self.alarm or self.notice, "$warning"
        if not words:
            words, style = (self.doing, "") if self.doing else (self.problem, "$warning")
        busy = self.alarm or self.notice or self.doing
        figures = "" if busy else usage_words(self.usage)
        parts = [(clean_line(words), style), ("" if busy else self.basis, ""), (figures, "")]
        return Content("   ").join(Content.assemble(part) for part in parts if part[0])


def usage_words(usage: Usage | None) -> str:
    """Return what an answer cost, e.g. "96 tokens · 84.1 tokens/s · first after 0.31 s"."""
    if usage is None or not usage.generated_tokens:
        return ""
    words = [f"{usage.generated_tokens} tokens"]
    if usage.tokens_per_s:
        words.append(f"{usage.tokens_per_s:.1f} tokens/s")
    if usage.ttft_ms is not None:
        words.append(f"first after {usage.ttft_ms / 1000:.2f} s")
    if usage.cached_tokens:
        words.append(f"{usage.cached_tokens / max(1, usage.prompt_tokens):.0%} of the prompt reused")
    return " · ".join(words)

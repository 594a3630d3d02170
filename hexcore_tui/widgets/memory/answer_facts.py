"""The model in memory and what its last answer cost."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from hexcore_engine.protocol.records import CacheStats, ModelRecord, Snapshot, Usage
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.facts import size_text

MUTED = "$text-muted"
LABEL_WIDTH = 13


class AnswerFacts(Widget):
    """A few lines of label and value; what is not known is said, not left out."""

    DEFAULT_CSS = """
    AnswerFacts { height: auto; padding: 0 1; }
    """

    snapshot: reactive[Snapshot | None] = reactive(None, layout=True)
    progress: reactive[str] = reactive("", layout=True)

    def render(self) -> Content:
        """One line a fact."""
        snapshot = self.snapshot
        model = snapshot.model if snapshot else None
        usage = snapshot.last_answer if snapshot else None
        lines = [_line("Model", model_text(model))]
        if self.progress:
            lines.append(Content(clean_line(self.progress)).stylize("$warning"))
        lines += [_line(label, value) for label, value in usage_texts(usage, model)]
        lines.append(_line("Prefix cache", cache_text(snapshot.cache if snapshot else None)))
        return Content("\n").join(lines)


def model_text(model: ModelRecord | None) -> str:
    """Return the model in memory in one line."""
    if model is None:
        return "none in memory"
    size = size_text(model.weights_bytes) if model.weights_bytes else "size unknown"
    words = [clean_line(model.name), model.decoder, clean_line(model.quantization or ""), size]
    return ", ".join(word for word in words if word)


def usage_texts(usage: Usage | None, model: ModelRecord | None) -> list[tuple[str, str]]:
    """Return label and value of what the last answer cost."""
    if usage is None:
        return [("Last answer", "none yet")]
    rate = f"{usage.tokens_per_s:.1f} tokens/s" if usage.tokens_per_s is not None else "rate unknown"
    first = f"first after {usage.ttft_ms:,.0f} ms" if usage.ttft_ms is not None else "no text"
    used = usage.prompt_tokens + usage.generated_tokens
    limit = f"{model.context_tokens:,}" if model and model.context_tokens else "?"
    peak = f", peak {size_text(usage.peak_memory_bytes)}" if usage.peak_memory_bytes else ""
    return [
        ("Last answer", f"{usage.generated_tokens:,} tokens, {rate}, {first}{peak}"),
        ("Context", f"{used:,} of {limit} tokens, {usage.cached_tokens:,} of the prompt reused"),
    ]


def cache_text(cache: CacheStats | None) -> str:
    """Return how much of all prompts was already computed."""
    if cache is None:
        return "not told by this decoder"
    if not cache.prompt_tokens:
        return "no prompt yet"
    share = 100 * cache.cached_tokens / cache.prompt_tokens
    return f"{cache.cached_tokens:,} of {cache.prompt_tokens:,} prompt tokens reused ({share:.0f} %)"


def _line(label: str, value: str) -> Content:
    return Content.assemble((f"{label:<{LABEL_WIDTH}}", MUTED), value)

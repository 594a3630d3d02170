"""What each answer of this sitting cost, beside the question that it cost it for."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from hexcore_engine.utils.validation import clean_line
from hexcore_tui.facts import AnswerCost
from hexcore_tui.widgets.shared.row_list import RowList

MUTED = "$text-muted"


class AnswerLog(RowList):
    """One row an answer, the newest first: tokens a second, time to the first, tokens, and the question."""

    DEFAULT_CSS = """
    AnswerLog { height: 1fr; min-height: 3; border-top: solid $panel; border-title-color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__(id="answers")
        self.border_title = "Answers: tokens/s, first after, tokens, question"
        self._costs: Sequence[AnswerCost] = ()

    def show_costs(self, costs: Sequence[AnswerCost]) -> None:
        """Replace the rows."""
        self._costs = tuple(reversed(costs))
        self.show_rows(max(1, len(self._costs)), self._draw_cost, self.highlighted or 0)

    def _draw_cost(self, index: int, _width: int) -> Content:
        if not self._costs:
            return Content(" No question was answered yet.").stylize(MUTED)
        return cost_line(self._costs[index])


def cost_line(cost: AnswerCost) -> Content:
    """Return one answer's figures and its question."""
    usage = cost.usage
    rate = f"{usage.tokens_per_s:.1f}" if usage.tokens_per_s is not None else "?"
    first = f"{usage.ttft_ms / 1000:.2f} s" if usage.ttft_ms is not None else "no text"
    figures = f" {rate:>7}  {first:>8}  {usage.generated_tokens:>6,}  "
    return Content.assemble((figures, MUTED), clean_line(cost.question))

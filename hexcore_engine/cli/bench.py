"""`hexcore bench`: how quick this machine is with what is set up: look-up, evidence, the model."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from hexcore_engine.cli.command import CommandParser, Context, Output
from hexcore_engine.errors import HexcoreError, KnowledgeMissingError
from hexcore_engine.protocol.records import Record, Usage, to_builtins

if TYPE_CHECKING:
    from hexcore_engine.client.client import EngineClient

NUM_QUESTIONS, NUM_QUICK = 100, 20
ANSWER_TOKENS, QUICK_TOKENS = 128, 48
# Groups that every release has.
LOOKED_UP = ("601.2", "702.2", "509.1")


class Measured(Record, frozen=True):
    """One figure beside what is aimed at; `at_least` says on which side of `target` it should lie.

    `note` says why there is none.
    """

    name: str
    value: float | None
    target: float
    unit: str
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None where nothing was measured."""
        if self.value is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("--quick", action="store_true", help="few rounds: half a minute at most")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print a table; 0 when every aim that could be measured is reached, else 1."""
    from hexcore_engine.knowledge.lookup import Knowledge

    with closing(Knowledge(context.paths.knowledge_dir)) as knowledge:
        if knowledge.release() is None:
            raise KnowledgeMissingError("There is nothing to measure with yet.")
    figures = [_look_up(context), *_evidence(context, NUM_QUICK if arguments.quick else NUM_QUESTIONS)]
    context.output.narrate("asking the model")
    figures += asyncio.run(_answer(context, QUICK_TOKENS if arguments.quick else ANSWER_TOKENS))
    rows = [{**to_builtins(figure), "met": figure.met} for figure in figures]
    context.output.result({"machine": machine(), "figures": rows}, table(figures))
    return int(any(figure.met is False for figure in figures))


def machine() -> str:
    """This machine, and how busy it is: the load of a minute, full at the number of cores."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, load {os.getloadavg()[0]:.1f}"


def table(figures: Sequence[Measured]) -> str:
    """The figures, a line each."""
    lines = [machine()]
    for figure in figures:
        sign = ">=" if figure.at_least else "<="
        value = "-" if figure.value is None else f"{figure.value:,.1f} {figure.unit}"
        verdict = {True: "ok", False: "missed", None: f"not measured: {figure.note}"}[figure.met]
        target = f"{sign} {figure.target:,.0f} {figure.unit}"
        lines.append(f"{figure.name:<44} {value:>16}  {target:<14} {verdict}")
    return "\n".join(lines)


def _look_up(context: Context) -> Measured:
    """Opening the knowledge and reading a rule, as a first look-up does."""
    from hexcore_engine.knowledge.lookup import Knowledge

    times = []
    for number in LOOKED_UP:
        started = time.perf_counter()
        with closing(Knowledge(context.paths.knowledge_dir)) as knowledge:
            knowledge.rule(number)
        times.append((time.perf_counter() - started) * 1000)
    return Measured("first look-up, median", statistics.median(times), 150, "ms")


def _evidence(context: Context, num_questions: int) -> list[Measured]:
    """Finding the rules of questions that come with the package."""
    from hexcore_engine.evaluation.questions import read_questions
    from hexcore_engine.evaluation.retrieval import evaluate
    from hexcore_engine.knowledge.retriever import HybridRetriever
    from hexcore_engine.training.ranker import DATA_FILE

    with closing(HybridRetriever(context.paths.knowledge_dir)) as retriever:
        # The first question reads the lists.
        retriever.retrieve("What does deathtouch do?")
        report = evaluate(retriever, read_questions(DATA_FILE)[:num_questions])
    return [
        Measured("evidence for a question, median", report.latency_ms["p50"], 25, "ms"),
        Measured(
            f"evidence for a question, slowest of {report.questions}", report.latency_ms["p99"], 60, "ms"
        ),
    ]


async def _answer(context: Context, num_tokens: int) -> list[Measured]:
    """One answer of the configured model, and a follow-up that has its beginning computed already."""
    from hexcore_engine.client.client import EngineClient

    client = await EngineClient.connect(context.paths, context.settings, client_name="bench")
    asked = _Asked(client, num_tokens)
    try:
        first, why_not = await asked.ask("What does deathtouch do?")
        second, why_no_second = await asked.follow_up("And together with trample?")
    finally:
        await asked.forget(context.output)
        await client.close()
    speed = first.tokens_per_s if first else None
    waits = [usage.ttft_ms if usage else None for usage in (first, second)]
    # People read four or five words a second.
    return [
        Measured("model, tokens written", speed, 7, "tokens/s", True, why_not),
        Measured("model, first token of a first question", waits[0], 10_000, "ms", note=why_not),
        Measured("model, first token of a follow-up", waits[1], 5_000, "ms", note=why_no_second),
    ]


class _Asked:
    """A conversation of the measurement's own, none of the user's."""

    def __init__(self, client: EngineClient, num_tokens: int) -> None:
        self._client = client
        self._num_tokens = num_tokens
        self._session_id = ""

    async def ask(self, question: str) -> tuple[Usage | None, str]:
        """Return the figures of one answer, or why there are none."""
        from hexcore_engine.protocol.events import AnswerOutcome, QuestionAccepted, RequestFailed
        from hexcore_engine.protocol.requests import AskQuestion

        ask = AskQuestion(question, session_id=self._session_id or None, max_tokens=self._num_tokens)
        async for event in self._client.stream(ask):
            if isinstance(event, QuestionAccepted):
                self._session_id = event.session_id
            elif isinstance(event, RequestFailed):
                return None, event.error.message
            elif isinstance(event, AnswerOutcome):
                return event.usage, "" if event.usage else event.stop_reason.replace("_", " ")
        return None, "no answer came"

    async def follow_up(self, question: str) -> tuple[Usage | None, str]:
        """Like `ask`, about what was said before."""
        if not self._session_id:
            return None, "conversations can't be kept here"
        return await self.ask(question)

    async def forget(self, output: Output) -> None:
        """Delete the conversation, an answer still being written included."""
        from hexcore_engine.protocol.requests import DeleteSession

        if not self._session_id:
            return
        try:
            await self._client.call(DeleteSession(self._session_id))
        except HexcoreError as error:
            output.narrate(f"The measurement's own conversation stays: {error.message}")

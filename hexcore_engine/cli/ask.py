"""`hexcore ask QUESTION`: the answer streams to stdout, evidence and marks to stderr."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from dataclasses import dataclass, field
from typing import Any, get_args

from hexcore_engine.cli.command import CommandParser, Context, joined, one_of, whole_number
from hexcore_engine.cli.progress_line import ProgressLine
from hexcore_engine.client.client import EngineClient
from hexcore_engine.errors import EngineLostError, HexcoreError, NotSetUpError, error_from_record
from hexcore_engine.models.catalog import absolute_location
from hexcore_engine.models.quantization import check_quantization
from hexcore_engine.protocol import events, requests
from hexcore_engine.protocol.limits import check_experts, check_question
from hexcore_engine.protocol.progress import progress_words
from hexcore_engine.protocol.records import (
    CITATION_WORDS,
    MODE_NAMES,
    Citation,
    DecoderName,
    ModeChoice,
    Passage,
    Usage,
    to_builtins,
)
from hexcore_engine.utils.validation import clean_line, clean_text

# Longer than any model's context, and not too long to be sent.
MOST_TOKENS = 1_000_000


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--max-tokens", type=whole_number(MOST_TOKENS), metavar="N", help="longest answer, in tokens"
    )
    parser.add_argument("--mode", metavar="M", help=f"one of {', '.join(MODE_NAMES).lower()}")
    parser.add_argument(
        "--model",
        metavar="X",
        help="PATH.gguf, a folder of safetensors, http(s)://host/v1, embedded or scripted",
    )
    parser.add_argument("--decoder", metavar="D", help="llama_cpp, openai, torch or scripted")
    parser.add_argument("--quantization", metavar="Q", help="of a torch model: 4bit, 8bit or none")
    parser.add_argument(
        "--experts",
        type=int,
        metavar="N",
        help="let the N likeliest modes' adapters write together, or refuse; 1 lets one write",
    )
    parser.add_argument("--session", metavar="ID", help="continue a conversation; `last` is the newest")
    parser.add_argument("--no-model", action="store_true", help="the evidence alone")
    parser.add_argument("question", nargs="*", help="the question; `-` reads it from stdin")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Ask and print; exit codes as everywhere, 4 with the part that was written when the engine is lost."""
    question = joined(arguments.question)
    if question == "-":
        question = joined([sys.stdin.read()])
    ask = requests.AskQuestion(
        question=question,
        session_id=joined([arguments.session]) if arguments.session else None,
        mode=one_of("mode", arguments.mode, MODE_NAMES) if arguments.mode is not None else None,
        max_tokens=arguments.max_tokens,
        use_model=not arguments.no_model,
        num_experts=arguments.experts,
    )
    check_question(question)
    check_experts(ask.num_experts, ask.mode)
    return asyncio.run(_Asker(context, ask, _load(arguments, context)).run())


def _load(arguments: argparse.Namespace, context: Context) -> requests.LoadModel | None:
    """The model that was named; None leaves the one that is loaded, or the configured one."""
    if not (arguments.model or arguments.decoder or arguments.quantization):
        return None
    decoder: DecoderName | None = None
    if arguments.decoder:
        decoder = one_of("decoder", arguments.decoder, get_args(DecoderName))
    if arguments.quantization:
        check_quantization(arguments.quantization)
    model = joined([arguments.model]) if arguments.model else None
    # A path is one of the machine the engine runs on.
    if model and not context.settings.engine.command:
        model = absolute_location(model)
    return requests.LoadModel(model, decoder, arguments.quantization or None)


def understood_words(choice: ModeChoice) -> str:
    """Return the mode a question was understood in, or the two it may be and how to say which."""
    if choice.abstained:
        first, *others = (mode.lower() for mode in choice.modes)
        if not others:
            return f"mode {first}, a mere guess (--mode chooses one)"
        return f"{first} or {others[0]}? (answered as {first}; --mode {others[0]} for the other)"
    return f"understood as {choice.mode.lower()} ({choice.confidence:.0%})"


@dataclass
class _Answer:
    """What came so far; also what is told when the engine is lost."""

    response: str = ""
    choice: ModeChoice | None = None
    passages: tuple[Passage, ...] = ()
    citations: list[Citation] = field(default_factory=list)
    usage: Usage | None = None
    stop_reason: str = "engine_lost"
    rules_release: str | None = None
    model: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON form, as the documentation states it."""
        passages = [
            {"kind": found.kind, "id": found.id, "title": found.title, "why": found.why}
            for found in self.passages
        ]
        citations = [
            {"rule": cited.rule, "bracketed": cited.bracketed, "status": cited.status}
            for cited in self.citations
        ]
        names = ("prompt_tokens", "cached_tokens", "generated_tokens", "ttft_ms", "tokens_per_s")
        return {
            "response": self.response,
            "mode": {"name": self.choice.mode, "confidence": self.choice.confidence} if self.choice else None,
            "passages": passages,
            "citations": citations,
            "usage": {name: getattr(self.usage, name) for name in names} if self.usage else None,
            "stop_reason": self.stop_reason,
            "rules_release": self.rules_release,
            "model": self.model,
            "metadata": self.metadata,
        }


class _Asker:
    def __init__(self, context: Context, ask: requests.AskQuestion, load: requests.LoadModel | None) -> None:
        self._context = context
        self._ask = ask
        self._load = load
        self._answer = _Answer()
        self._line = ProgressLine(not context.output.as_json)
        self._stop_wanted = False
        self._error: HexcoreError | None = None
        self._retrieval_error: HexcoreError | None = None

    async def run(self) -> int:
        client = await EngineClient.connect(self._context.paths, self._context.settings)
        loop = asyncio.get_running_loop()
        stops: set[asyncio.Task[Any]] = set()

        def stop() -> None:
            # One Ctrl-C stops the answer and keeps the part; a second one ends the command.
            loop.remove_signal_handler(signal.SIGINT)
            self._stop_wanted = True
            stop_by_id()

        def stop_by_id() -> None:
            # Without an id the running answer would be stopped, which may be another client's.
            question_id = self._answer.metadata.get("question_id")
            if self._stop_wanted and question_id and not stops:
                stops.add(asyncio.create_task(client.call(requests.StopAnswer(question_id))))

        loop.add_signal_handler(signal.SIGINT, stop)
        try:
            if self._load is not None:
                async for event in client.stream(self._load):
                    self._take(event)
            async for event in client.stream(self._ask):
                self._take(event)
                stop_by_id()
        except EngineLostError as error:
            self._error = error
        finally:
            self._line.clear()
            await client.close()
        return self._finish()

    def _take(self, event: events.Event) -> None:
        if isinstance(event, events.ModelLoading):
            progress = progress_words(event.share, event.elapsed_s)
            if progress:
                self._line.show(f"Loading {clean_line(event.model)}: {clean_line(event.stage)} … {progress}")
            return
        self._line.clear()
        if isinstance(event, events.RequestFailed):
            raise error_from_record(event.error.code, event.error.message, event.error.remedy)
        if isinstance(event, events.TextStreamed):
            self._take_text(event)
        elif isinstance(event, events.CitationChecked):
            self._answer.citations.append(event.citation)
        elif isinstance(event, events.PassagesRetrieved):
            self._take_passages(event)
        elif isinstance(event, events.AnswerOutcome):
            self._take_outcome(event)
        else:
            self._take_beginning(event)

    def _take_beginning(self, event: events.Event) -> None:
        answer = self._answer
        if isinstance(event, events.QuestionAccepted):
            answer.metadata |= {"session_id": event.session_id, "question_id": event.question_id}
        elif isinstance(event, events.QuestionRouted):
            answer.choice = event.choice
            routing = to_builtins(event.choice)
            answer.metadata["routing"] = {name: routing[name] for name in ("abstained", "pinned", "ranked")}
            self._say(understood_words(event.choice))
        elif isinstance(event, events.PlanMade):
            self._take_plan(event)

    def _take_plan(self, event: events.PlanMade) -> None:
        """A plan comes again when more had to be given up in mid-answer."""
        answer = self._answer
        told = len(answer.metadata["plan"]["given_up"]) if "plan" in answer.metadata else None
        plan = to_builtins(event.plan)
        plan.pop("sent")
        answer.metadata["plan"] = plan
        answer.model = event.model.name
        for step in event.plan.given_up[told:]:
            self._say(f"  {step.detail}")
        if told is None:
            self._say("a small model's draft:" if event.model.small else "answer:")

    def _take_text(self, event: events.TextStreamed) -> None:
        self._answer.response += event.text
        if not self._context.output.as_json:
            sys.stdout.write(clean_text(event.text))
            sys.stdout.flush()

    def _take_passages(self, event: events.PassagesRetrieved) -> None:
        self._answer.passages = event.passages
        self._answer.rules_release = event.rules_release
        self._answer.metadata["retrieval_ms"] = round(event.elapsed_ms, 1)
        if event.error is not None:
            failed = {"results": [], "error": event.error.message, "error_type": event.error.code}
            self._answer.metadata["retrieval"] = {**failed, "fallback_applied": True}
            error = error_from_record(event.error.code, event.error.message, event.error.remedy)
            self._retrieval_error = error
            self._say(f"{error.message} {error.remedy}")
        for found in event.passages:
            self._say(f"  {found.kind:<7} {found.id:<10} {found.title} — {found.why}")

    def _take_outcome(self, event: events.AnswerOutcome) -> None:
        answer = self._answer
        answer.response, answer.citations = event.response, list(event.citations)
        answer.usage, answer.stop_reason = event.usage, event.stop_reason
        answer.rules_release, answer.model = event.rules_release, event.model
        answer.metadata["notes"] = list(event.notes)
        if isinstance(event, events.AnswerFailed):
            self._error = error_from_record(event.error.code, event.error.message, event.error.remedy)

    def _finish(self) -> int:
        output, answer = self._context.output, self._answer
        if not output.as_json and answer.response:
            sys.stdout.write("\n")
            sys.stdout.flush()
        for cited in {cited.rule: cited for cited in answer.citations}.values():
            self._say(f"  [{cited.rule}] {CITATION_WORDS[cited.status]}")
        for note in answer.metadata.get("notes", ()):
            self._say(note)
        if answer.stop_reason == "no_model" and self._error is None:
            # Evidence was all there could be.
            self._error = self._retrieval_error
        if self._error is not None:
            output.failure(self._error, answer.document())
            return self._error.exit_code
        if output.as_json:
            output.result(answer.document(), "")
        if answer.stop_reason == "no_model":
            return 0 if answer.passages else NotSetUpError.exit_code if self._ask.use_model else 1
        return 0

    def _say(self, text: str) -> None:
        if not self._context.output.as_json:
            self._context.output.narrate(text)

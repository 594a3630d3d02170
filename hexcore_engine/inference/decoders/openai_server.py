"""Writing through an OpenAI-compatible server: llama-server, vLLM, SGLang, Ray Serve LLM, Ollama.

The decoder is driven from the inference thread and owns a private event loop, so that a stop from any thread
cancels the pending read at once, in the middle of a prompt too; closing the stream stops the server's work.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from collections.abc import AsyncGenerator, Coroutine, Generator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx

from hexcore_engine.errors import DecoderError, HexcoreError, ModelMissingError
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    DecoderMemory,
    StopSignal,
)
from hexcore_engine.inference.decoders.openai_wire import (
    PromptTooLongError,
    StreamState,
    as_dicts,
    lost,
    no_such_interface,
    not_at_hand,
    read_chunk,
    refused,
)
from hexcore_engine.inference.grammar import citation_grammar
from hexcore_engine.models.catalog import check_address
from hexcore_engine.protocol.records import CacheStats, ModelRecord
from hexcore_engine.utils.validation import clean_line

T = TypeVar("T")
# A server may prefill a long prompt for minutes without a byte; connecting is quick or broken.
TIMEOUT = httpx.Timeout(connect=10.0, read=600.0, write=60.0, pool=10.0)
# What a server says about itself needs no model, so it comes soon or never.
ASK_TIMEOUT_S = 15.0
DEFAULT_CONTEXT_TOKENS = 4096
# Upper estimate where a server can't count: English rules text has more characters a token than this.
CHARACTERS_PER_TOKEN = 3.0
TOKENS_PER_MESSAGE = 8
UNCONSTRAINED = "This server may take no grammar: rule numbers are checked after they are written, not while."


class GrammarRefusedError(DecoderError):
    """The server refused a request that held a grammar; it may take the same one without."""


@dataclass(frozen=True)
class ServerCapabilities:
    """What a server told about itself; `native` means llama-server's own endpoints are there."""

    model: str
    context_tokens: int
    native: bool


class OpenAIServerDecoder:
    """A model behind `<base>/v1/chat/completions`."""

    warmed: DecodeFinished | None = None

    def __init__(self, address: str, api_key: str | None = None, model_name: str = "") -> None:
        """Connect and ask what is there.

        Raises:
            ModelMissingError: when nothing answers at the address, or the key is refused.
        """
        check_address(address)
        self._base = address.rstrip("/").removesuffix("/v1")
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._loop = asyncio.new_event_loop()
        # trust_env off for loopback: a proxy must not see a local server's traffic.
        local = httpx.URL(self._base).host in ("127.0.0.1", "localhost", "::1")
        self._client = httpx.AsyncClient(headers=headers, timeout=TIMEOUT, trust_env=not local)
        self._closed = False
        self._takes_grammar = True
        self._prompt_tokens = 0
        self._cached_tokens = 0
        try:
            self._capabilities = self._run(self._ask_capabilities(model_name))
        except BaseException:
            self.close()
            raise

    @property
    def model(self) -> ModelRecord:
        """The model the server serves."""
        capabilities = self._capabilities
        return ModelRecord(
            name=clean_line(capabilities.model),
            location=self._base,
            decoder="openai",
            context_tokens=capabilities.context_tokens,
            note="" if capabilities.native and self._takes_grammar else UNCONSTRAINED,
        )

    @property
    def context_tokens(self) -> int:
        """The server's context, or a careful guess where it does not say."""
        return self._capabilities.context_tokens

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int:
        """Ask llama-server; elsewhere an upper estimate from the number of characters."""
        if self._capabilities.native:
            return self._run(self._count_natively(messages))
        characters = sum(len(message.content) for message in messages)
        return math.ceil(characters / CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)

    def generate(
        self, request: DecodeRequest, stop: StopSignal
    ) -> Generator[DecodedText | DecodeFinished, None, None]:
        """Stream an answer; see the contract in base.py."""
        state = StreamState()
        body = self._body(request)
        try:
            yield from self._read(body, state, stop)
        except GrammarRefusedError:
            del body["grammar"]
            yield from self._read(body, state, stop)
            self._takes_grammar = False
        yield self._finished(state, stopped=stop.is_set() and state.finish_reason is None)

    def _read(
        self, body: dict[str, Any], state: StreamState, stop: StopSignal
    ) -> Generator[DecodedText, None, None]:
        chunks = self._stream(body)
        try:
            while not stop.is_set() and (chunk := self._next(chunks, stop)) is not None:
                text = state.take(chunk)
                if text:
                    yield DecodedText(text)
        except PromptTooLongError as error:
            if error.context_tokens is not None:
                self._capabilities = replace(self._capabilities, context_tokens=error.context_tokens)
            raise
        finally:
            self._run(chunks.aclose())

    def memory(self) -> DecoderMemory | None:
        """Unknown: the memory is the server's."""
        return None

    def cache_stats(self) -> CacheStats | None:
        """Prompt tokens sent, and those the server had kept."""
        return CacheStats(self._prompt_tokens, self._cached_tokens)

    def is_usable(self) -> bool:
        """A server may be back by the time it is asked."""
        return not self._closed

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._run(self._disconnect())
        self._loop.close()

    # -- the private loop

    async def _disconnect(self) -> None:
        await self._client.aclose()
        # Readers of streams that were left early close themselves in tasks of their own.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def _next(self, chunks: AsyncGenerator[dict[str, Any], None], stop: StopSignal) -> dict[str, Any] | None:
        """Return the next chunk; None at the end, or when `stop` is set while waiting."""
        task = self._loop.create_task(_next_or_none(chunks))

        def cancel() -> None:
            # The loop may have been closed between the stop and this call.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(task.cancel)

        forget = stop.on_set(cancel)
        try:
            return self._loop.run_until_complete(task)
        except asyncio.CancelledError:
            return None
        finally:
            forget()

    # -- talking to the server

    async def _ask_capabilities(self, model_name: str) -> ServerCapabilities:
        listed = (await self._get_json("/v1/models")).get("data")
        models = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        names = [str(entry.get("id", "")) for entry in models]
        if model_name and names and model_name not in names:
            raise ModelMissingError(
                f"The server at {self._base} does not serve {model_name!r}.",
                f"It serves: {', '.join(names[:8])}.",
            )
        if not names and not model_name:
            raise ModelMissingError(
                f"The server at {self._base} lists no model.", "Load a model there first."
            )
        entry = models[names.index(model_name) if model_name in names else 0] if models else {}
        native = entry.get("owned_by") == "llamacpp"
        context = await self._context_tokens(entry, native)
        return ServerCapabilities(model_name or names[0], context, native)

    async def _context_tokens(self, entry: dict[str, Any], native: bool) -> int:
        if native:
            defaults = (await self._get_json("/props")).get("default_generation_settings")
            context = defaults.get("n_ctx") if isinstance(defaults, dict) else None
            if isinstance(context, int) and context > 0:
                return context
        stated = entry.get("max_model_len") or entry.get("context_length")
        return stated if isinstance(stated, int) and stated > 0 else DEFAULT_CONTEXT_TOKENS

    async def _get_json(self, path: str) -> dict[str, Any]:
        try:
            response = await self._client.get(self._base + path, timeout=ASK_TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise not_at_hand(self._base, error) from error
        if response.status_code in (401, 403):
            raise ModelMissingError(
                f"The server at {self._base} refuses the key.",
                "Put its key into the environment variable that [model] api_key_variable names "
                "(HEXCORE_API_KEY), then `hexcore engine restart`.",
            )
        try:
            document = response.raise_for_status().json()
        except (httpx.HTTPStatusError, ValueError) as error:
            raise no_such_interface(self._base, path, response.status_code) from error
        if not isinstance(document, dict):
            raise no_such_interface(self._base, path, response.status_code)
        return document

    async def _count_natively(self, messages: tuple[ChatMessage, ...]) -> int:
        prompt = await self._post("/apply-template", {"messages": as_dicts(messages)}, "prompt")
        tokens = await self._post(
            "/tokenize", {"content": prompt, "add_special": True, "parse_special": True}, "tokens"
        )
        return len(tokens)

    async def _post(self, path: str, body: dict[str, Any], field: str) -> Any:
        """Return one field of the answer."""
        try:
            response = await self._client.post(self._base + path, json=body)
            return response.raise_for_status().json()[field]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise lost(error) from error

    def _body(self, request: DecodeRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._capabilities.model,
            "messages": as_dicts(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if self._capabilities.native:
            body |= {
                "cache_prompt": True,
                "min_p": request.min_p,
                "repeat_penalty": request.repetition_penalty,
            }
        if self._takes_grammar and request.citable_rules is not None:
            # Other servers leave what they don't know unread, or refuse it and are asked again without.
            body["grammar"] = citation_grammar(request.citable_rules)
        return body

    def _refusal(self, body: dict[str, Any], status: int, answer: bytes) -> HexcoreError:
        error = refused(status, answer)
        if "grammar" in body and status in (400, 422) and isinstance(error, DecoderError):
            return GrammarRefusedError(error.message, error.remedy)
        return error

    async def _stream(self, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the server's chunks.

        The connection is closed after each stream: reusing it right after one fails now and then on
        llama-server (seen in build 11549).
        """
        try:
            async with self._client.stream(
                "POST", f"{self._base}/v1/chat/completions", json=body, headers={"Connection": "close"}
            ) as response:
                if response.status_code != httpx.codes.OK:
                    raise self._refusal(body, response.status_code, await response.aread())
                async for line in response.aiter_lines():
                    if line.startswith("data:"):
                        data = line[5:].strip()
                        if data == "[DONE]":
                            return
                        yield read_chunk(data)
        except httpx.HTTPError as error:
            raise lost(error) from error

    def _finished(self, state: StreamState, stopped: bool) -> DecodeFinished:
        prompt_tokens = state.prompt_tokens or 0
        self._prompt_tokens += prompt_tokens
        self._cached_tokens += state.cached_tokens
        reason = state.finish_reason
        if not stopped and reason is None:
            raise DecoderError("The model server ended the answer without saying why.", "Ask again.")
        return DecodeFinished(
            stop_reason="stopped" if stopped else "length" if reason == "length" else "end",
            prompt_tokens=prompt_tokens,
            cached_tokens=state.cached_tokens,
            generated_tokens=state.generated_tokens,
            prompt_ms=state.prompt_ms,
            tokens_per_s=state.tokens_per_s,
        )


async def _next_or_none(chunks: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any] | None:
    return await anext(chunks, None)


def api_key(variable: str) -> str | None:
    """Return the key held by the named environment variable, if any."""
    return os.environ.get(variable) or None

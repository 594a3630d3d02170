"""What goes over the wire to and from an OpenAI-compatible server, and its errors in words."""

from __future__ import annotations

import json
from typing import Any

import httpx

from hexcore_engine.errors import ContextOverflowError, DecoderError, HexcoreError, ModelMissingError
from hexcore_engine.inference.decoders.base import ChatMessage
from hexcore_engine.utils.validation import clean_line


class PromptTooLongError(ContextOverflowError):
    """The server's own count of the prompt exceeds its context, which it may have told."""

    def __init__(self, reason: str, context_tokens: int | None) -> None:
        super().__init__(
            f"The prompt is longer than the server's context: {reason}.",
            "Shorten the question or begin a new conversation.",
        )
        self.context_tokens = context_tokens


class StreamState:
    """What the chunks of one stream said so far."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.prompt_tokens: int | None = None
        self.cached_tokens = 0
        self.generated_tokens = 0
        self.prompt_ms: float | None = None
        self.tokens_per_s: float | None = None

    def take(self, chunk: dict[str, Any]) -> str:
        """Note what a chunk says; return its text.

        Raises:
            DecoderError: when it is not put together as the interface says.
        """
        try:
            return self._take(chunk)
        except (AttributeError, KeyError, IndexError, TypeError) as error:
            raise _no_event() from error

    def _take(self, chunk: dict[str, Any]) -> str:
        self._take_usage(chunk.get("usage") or {}, chunk.get("timings") or {})
        choices = chunk.get("choices") or []
        if not choices:
            return ""
        self.finish_reason = choices[0].get("finish_reason") or self.finish_reason
        text = (choices[0].get("delta") or {}).get("content") or ""
        if text:
            self.generated_tokens += 1
        return str(text)

    def _take_usage(self, usage: dict[str, Any], timings: dict[str, Any]) -> None:
        if usage:
            self.prompt_tokens = usage.get("prompt_tokens", self.prompt_tokens)
            self.generated_tokens = usage.get("completion_tokens", self.generated_tokens)
            details = usage.get("prompt_tokens_details") or {}
            self.cached_tokens = details.get("cached_tokens") or self.cached_tokens
        if timings:
            self.prompt_ms = timings.get("prompt_ms", self.prompt_ms)
            self.tokens_per_s = timings.get("predicted_per_second", self.tokens_per_s)
            self.cached_tokens = timings.get("cache_n", self.cached_tokens)


def as_dicts(messages: tuple[ChatMessage, ...]) -> list[dict[str, str]]:
    """Return messages as the interface writes them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def read_chunk(data: str) -> dict[str, Any]:
    """Return one event of a stream.

    Raises:
        DecoderError: when it is no event, or reports that the server failed.
    """
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _no_event() from error
    if not isinstance(chunk, dict):
        raise _no_event()
    if "error" in chunk:
        raise DecoderError(f"The model server failed: {_error_text(chunk)}.", "Ask again.")
    return chunk


def refused(status: int, body: bytes) -> HexcoreError:
    """Return the error for a request the server answered with `status` instead of a stream."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if _is_overflow(document):
        return PromptTooLongError(_error_text(document), _context_tokens(document))
    return DecoderError(
        f"The model server refused the question ({status}): {_error_text(document)}.",
        "Ask again, or choose another model with `hexcore models use`.",
    )


def _is_overflow(document: Any) -> bool:
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return False
    kinds = ("exceed_context_size_error", "context_length_exceeded")
    return (
        error.get("type") in kinds
        or error.get("code") in kinds
        or "maximum context length" in str(error.get("message", ""))
    )


def _context_tokens(document: Any) -> int | None:
    tokens = document["error"].get("n_ctx")
    return tokens if isinstance(tokens, int) and tokens > 0 else None


def _error_text(document: Any) -> str:
    error = document.get("error") if isinstance(document, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return clean_line(str(message or "no reason given"))[:300].rstrip(".")


def lost(error: Exception) -> DecoderError:
    """Return the error for a server that broke while it was needed."""
    if isinstance(error, httpx.HTTPStatusError):
        happened = f"The model server refused a request ({error.response.status_code})"
    elif isinstance(error, httpx.TimeoutException):
        happened = "The model server fell silent"
    elif isinstance(error, httpx.ConnectError):
        happened = "The model server can't be reached any more"
    elif isinstance(error, httpx.HTTPError):
        happened = "The model server closed the connection in the middle of its work"
    else:
        return _no_event()
    return DecoderError(f"{happened}.", "Ask again: the model is started or connected anew.")


def not_at_hand(address: str, error: httpx.HTTPError | httpx.InvalidURL) -> ModelMissingError:
    """Return the error for a server that did not answer when it was first asked."""
    reason = clean_line(str(error)).rstrip(".")
    if isinstance(error, httpx.TimeoutException):
        reason = "it does not answer in time"
    elif isinstance(error, httpx.ConnectError):
        reason = "the connection failed" + (f" ({reason})" if reason else "")
    elif isinstance(error, httpx.TransportError) and not reason:
        reason = "it hung up"
    return ModelMissingError(
        f"No model server answers at {clean_line(address)}: {reason}.",
        "Start the server, or choose another model with `hexcore models use`.",
    )


def no_such_interface(address: str, path: str, status: int) -> ModelMissingError:
    """Return the error for a server whose answer to `path` can't be used."""
    address = clean_line(address)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return ModelMissingError(
            f"The model server at {address} is not ready: {path} answered {status}.",
            "Wait until it has loaded its model, then ask again.",
        )
    return ModelMissingError(
        f"{address} is no OpenAI-compatible server: what it answered to {path} ({status}) can't be used.",
        "Give the address that ends in /v1.",
    )


def _no_event() -> DecoderError:
    return DecoderError(
        "The model server sent something that is no part of an answer.",
        "Ask again; if it stays so, see with `hexcore models` whether the address is the right one.",
    )

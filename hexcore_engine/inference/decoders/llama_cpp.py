"""Running a GGUF file with llama.cpp, in a child process of ours, spoken to like any other model server."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

from hexcore_engine.errors import DecoderError
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    DecoderMemory,
    StopSignal,
)
from hexcore_engine.inference.decoders.openai_server import OpenAIServerDecoder
from hexcore_engine.models.gguf import describe_gguf, read_gguf_header
from hexcore_engine.protocol.records import CacheStats, ModelRecord
from hexcore_engine.utils.validation import clean_line

# A model has this long to be ready, and longer the larger its file: a slow disk reads so many bytes a second.
READY_TIMEOUT_S = 120.0
SLOW_DISK_BYTES_A_S = 30e6
LOG_TAIL_LINES = 80
# A line of llama.cpp's log: time, severity, who speaks, what happened.
_REASON = re.compile(r"^(?:[\d.]+ [A-Z] )?(?:\w+ *)*:? *(?:error loading model: )?(.+)$", re.DOTALL)


class LlamaCppDecoder:
    """A GGUF model in a llama.cpp server of our own."""

    warmed: DecodeFinished | None = None

    def __init__(
        self,
        file: Path,
        *,
        context_tokens: int,
        threads: int,
        prompt_cache_mb: int,
        warm_prompt: tuple[ChatMessage, ...] = (),
        on_stage: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start the child, wait until the model is loaded, and compute `warm_prompt`; `on_stage` is told
        which of it begins. How much of the file was read llama.cpp does not tell.

        Raises:
            ModelMissingError: when the file is absent or damaged.
            DecoderError: when llama.cpp can't load it.
        """
        self._header = read_gguf_header(file)
        self._file = file
        trained_for = self._header.context_tokens or context_tokens
        self._context_tokens = min(context_tokens, trained_for)
        on_stage("reading the weights")
        api_key = secrets.token_urlsafe(32)
        with contextlib.ExitStack() as opened:
            self._child = LlamaChild(
                {
                    "model": str(file),
                    "api_key": api_key,
                    "context_tokens": self._context_tokens,
                    "threads": threads or default_threads(),
                    "prompt_cache_mb": prompt_cache_mb,
                }
            )
            opened.callback(self._child.close)
            self._server = OpenAIServerDecoder(self._child.address, api_key)
            opened.callback(self._server.close)
            on_stage("warming up")
            self._warm_up(warm_prompt)
            # All went well, so nothing is closed.
            opened.pop_all()

    @property
    def model(self) -> ModelRecord:
        """The file's own name and size."""
        return describe_gguf(self._file, self._header, self._context_tokens)

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may hold together."""
        return self._context_tokens

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int:
        """Count with the model's own tokenizer and template."""
        try:
            return self._server.count_tokens(messages)
        except DecoderError as error:
            raise self._child.explain(error) from error

    def generate(
        self, request: DecodeRequest, stop: StopSignal
    ) -> Generator[DecodedText | DecodeFinished, None, None]:
        """Stream an answer; see the contract in base.py."""
        try:
            yield from self._server.generate(request, stop)
        except DecoderError as error:
            raise self._child.explain(error) from error

    def memory(self) -> DecoderMemory:
        """Weights are the file's bytes and the cache is layers x heads x context: llama.cpp reports
        neither."""
        kv_cache = self._header.kv_cache_bytes(self._context_tokens)
        return DecoderMemory(self._header.file_bytes, kv_cache, 0, "computed", (self._child.pid,))

    def cache_stats(self) -> CacheStats | None:
        """Prefix reuse since loading."""
        return self._server.cache_stats()

    def is_usable(self) -> bool:
        """Whether the child lives."""
        return self._child.is_alive()

    def close(self) -> None:
        """End the child; its memory is given back with it."""
        self._server.close()
        self._child.close()

    def _warm_up(self, prompt: tuple[ChatMessage, ...]) -> None:
        """Bring weights into memory and the fixed prefix into the cache: the first request takes seconds
        else."""
        messages = prompt or (ChatMessage("user", "Hello"),)
        request = DecodeRequest(messages=messages, max_tokens=1, citable_rules=())
        for _ in self._server.generate(request, StopSignal()):
            pass


class LlamaChild:
    """The child process and the pipes to it."""

    def __init__(self, settings: dict[str, str | int]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hexcore_engine.inference.decoders.llama_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._log: collections.deque[str] = collections.deque(maxlen=LOG_TAIL_LINES)
        self._log_reader = threading.Thread(target=self._read_log, name="llama-log", daemon=True)
        self._log_reader.start()
        try:
            self.address = self._wait_ready(settings)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def explain(self, error: DecoderError) -> DecoderError:
        """Return `error`, or one that says the child ended and why."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.5)
        code = self._process.returncode
        if code is None:
            return error
        ended = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return DecoderError(
            f"The process that runs the model ended ({ended}).", "Ask again: the model is loaded anew."
        )

    def close(self) -> None:
        """End the child and wait for it; safe to call twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log_reader.join(timeout=1)

    def _wait_ready(self, settings: dict[str, str | int]) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - a pipe, asked for above
        assert stdout is not None  # noqa: S101
        limit_s = READY_TIMEOUT_S + Path(str(settings["model"])).stat().st_size / SLOW_DISK_BYTES_A_S
        too_late = threading.Event()

        def end() -> None:
            too_late.set()
            self._process.kill()

        killer = threading.Timer(limit_s, end)
        killer.start()
        try:
            stdin.write(json.dumps(settings).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            killer.cancel()
        if not line and too_late.is_set():
            raise DecoderError(
                f"llama.cpp had not loaded the model after {limit_s:.0f} s, and was ended.",
                "Ask again: what was read is quicker the second time. Or choose a smaller model.",
            )
        if not line:
            raise self._failed_to_load()
        address: str = json.loads(line)["address"]
        return address

    def _failed_to_load(self) -> DecoderError:
        self._process.wait()
        self._log_reader.join(timeout=1)
        reasons = [line for line in self._log if "error" in line.lower() or "failed" in line.lower()]
        # What went wrong comes first; after it each layer says that it failed too.
        found = _REASON.search(reasons[0]) if reasons else None
        reason = clean_line(found.group(1))[:300].rstrip(".") if found else "it gave no reason"
        return DecoderError(
            f"llama.cpp could not load the model: {reason}.",
            "Check the file, or choose another model with `hexcore models use`.",
        )

    def _read_log(self) -> None:
        stream = self._process.stderr
        assert stream is not None  # noqa: S101 - a pipe, asked for above
        with stream:
            for line in stream:
                self._log.append(line.decode("utf-8", "replace"))


def default_threads() -> int:
    """One core is left to the screen and the rest of the machine."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 2
    return max(1, cores - 1)

"""Our own token loop over a transformers model: chunked prefill, kept prefixes, drafting, sure stopping."""

from __future__ import annotations

import gc
import hashlib
import os
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal

from hexcore_engine import errors
from hexcore_engine.errors import ContextOverflowError, DecoderError
from hexcore_engine.inference.citation_mask import CitationMask, TokenTexts
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    DecoderMemory,
    StopSignal,
)
from hexcore_engine.inference.drafting import PromptLookup
from hexcore_engine.inference.kv_cache.manager import CacheKey, KVCacheManager
from hexcore_engine.inference.sampling import Sampler
from hexcore_engine.models.loader import LoadedTorchModel
from hexcore_engine.models.torch_folder import describe_torch_folder
from hexcore_engine.protocol.records import CacheStats, ModelRecord

# Tokens computed between two looks at the stop signal: 100 to 260 ms on two cores.
PREFILL_CHUNK = 128
MIB = 2**20


@dataclass
class _Progress:
    """One generation: what was computed, and what stopped it."""

    prompt: list[int]
    cache: Any
    written: list[int]
    cached_tokens: int
    stop_reason: Literal["end", "length", "stopped"] = "length"
    prompt_ms: float = 0.0


class TorchDecoder:
    """Runs one loaded model; used by one thread at a time.

    `prompt_cache_mb` bounds the keys and values kept between questions, in MiB. `drafting` guesses tokens
    from the prompt and verifies them in one step; it never changes what is drawn from the same logits.
    """

    def __init__(
        self,
        loaded: LoadedTorchModel,
        *,
        context_tokens: int,
        threads: int,
        prompt_cache_mb: int,
        drafting: bool = True,
    ) -> None:
        import torch

        torch.set_num_threads(threads)
        self._torch = torch
        self._loaded: LoadedTorchModel | None = loaded
        self._context_tokens = min(context_tokens, loaded.folder.context_tokens)
        self._record = describe_torch_folder(loaded.folder.folder, loaded.quantization, self._context_tokens)
        self._drafting = drafting
        self._texts: TokenTexts | None = None
        self._key = _cache_key(loaded)
        self.kv_cache_manager = KVCacheManager(prompt_cache_mb * MIB, prompt_cache_mb * MIB)

    @property
    def model(self) -> ModelRecord:
        """The loaded model's record."""
        return self._record

    @property
    def context_tokens(self) -> int:
        """Tokens of prompt and answer together."""
        return self._context_tokens

    @property
    def torch_model(self) -> Any:
        """The transformers model."""
        return self._need().model

    @property
    def tokenizer(self) -> Any:
        """The transformers tokenizer."""
        return self._need().tokenizer

    def count_tokens(self, messages: tuple[ChatMessage, ...]) -> int:
        """Return the tokens of the whole prompt, template included."""
        return len(self._encode(messages))

    def generate(
        self, request: DecodeRequest, stop: StopSignal
    ) -> Generator[DecodedText | DecodeFinished, None, None]:
        """Write an answer; see the contract in base.py.

        Raises:
            ContextOverflowError: when the prompt alone fills the context.
            MemoryError: when the device's memory ran out; the pieces already yielded stay valid.
            DecoderError: when the model's numbers are not finite.
        """
        prompt = self._encode(request.messages)
        if len(prompt) >= self._context_tokens:
            raise ContextOverflowError(
                f"The prompt has {len(prompt)} tokens and the model's context {self._context_tokens}.",
                "Ask a shorter question, or begin a new conversation.",
            )
        config = self._need().model.config
        cache = self.kv_cache_manager.fork(self._key, prompt, config, self._need().model.device)
        progress = _Progress(prompt, cache, [], cache.get_seq_length())
        ran_out = False
        try:
            yield from self._run(request, stop, progress)
        except self._torch.cuda.OutOfMemoryError:
            # Freed outside this block: the traceback pins the tensors.
            ran_out = True
        finally:
            self.kv_cache_manager.keep(self._key, prompt + progress.written, progress.cache)
        if ran_out:
            self._free(progress)
            raise errors.MemoryError(
                "The device ran out of memory in mid-answer; what was written is kept.",
                "Ask again with a shorter conversation, or load the model with `--quantization 4bit`.",
            )

    def memory(self) -> DecoderMemory | None:
        """Weights as measured after loading; the cache as it stands; workspace is what CUDA holds beyond."""
        loaded = self._loaded
        if loaded is None:
            return None
        cache = self.kv_cache_manager.statistics().device_bytes
        workspace = 0
        if self._torch.cuda.is_available():
            held = self._torch.cuda.memory_allocated()
            workspace = max(0, int(held) - loaded.weights_bytes - cache)
        return DecoderMemory(loaded.weights_bytes, cache, workspace, "measured", (os.getpid(),))

    def cache_stats(self) -> CacheStats:
        """How much of the prompts was found computed."""
        kept = self.kv_cache_manager.statistics()
        return CacheStats(kept.prompt_tokens, kept.reused_tokens, self._context_tokens)

    def is_usable(self) -> bool:
        """Whether the model is still loaded."""
        return self._loaded is not None

    def warm(self, messages: tuple[ChatMessage, ...]) -> None:
        """Compute the beginning of every prompt once; packs quantised weights, builds the mask's tables."""
        self._citation_mask(())
        for _ in self.generate(DecodeRequest(messages, max_tokens=1), StopSignal()):
            pass

    def close(self) -> None:
        """Give the memory back."""
        self._loaded = None
        self.kv_cache_manager.clear()
        gc.collect()
        if self._torch.cuda.is_available():
            self._torch.cuda.empty_cache()

    # -- the loop

    def _run(
        self, request: DecodeRequest, stop: StopSignal, progress: _Progress
    ) -> Generator[DecodedText | DecodeFinished, None, None]:
        started = time.perf_counter()
        logits = self._prefill(progress, stop)
        progress.prompt_ms = (time.perf_counter() - started) * 1000
        decode_started = time.perf_counter()
        if logits is None:
            progress.stop_reason = "stopped"
        else:
            yield from self._decode(request, stop, progress, logits)
        seconds = time.perf_counter() - decode_started
        num_written = len(progress.written)
        yield DecodeFinished(
            stop_reason=progress.stop_reason,
            prompt_tokens=len(progress.prompt),
            cached_tokens=progress.cached_tokens,
            generated_tokens=num_written,
            prompt_ms=progress.prompt_ms,
            tokens_per_s=num_written / seconds if num_written and seconds > 0 else None,
        )

    def _prefill(self, progress: _Progress, stop: StopSignal) -> Any:
        """Compute what is not cached, a chunk at a time; returns the last logits, None when stopped."""
        logits = None
        for begin in range(progress.cache.get_seq_length(), len(progress.prompt), PREFILL_CHUNK):
            if stop.is_set():
                return None
            logits = self._forward(progress.prompt[begin : begin + PREFILL_CHUNK], progress.cache, 1)[-1]
        return None if stop.is_set() else logits

    def _decode(
        self, request: DecodeRequest, stop: StopSignal, progress: _Progress, logits: Any
    ) -> Generator[DecodedText, None, None]:
        sampler = Sampler(request, progress.prompt, self._citation_mask(request.citable_rules))
        lookup = PromptLookup(progress.prompt) if self._drafting else None
        text = _TextOf(self.tokenizer, request.stop)
        room = min(request.max_tokens, self._context_tokens - len(progress.prompt))
        ends = _end_tokens(self._need())
        rows = [logits]
        draft: list[int] = []
        while True:
            for place, row in enumerate(rows):
                if stop.is_set():
                    progress.stop_reason = "stopped"
                    return
                token = sampler.draw(row)
                if token in ends:
                    progress.stop_reason = "end"
                    yield from text.rest()
                    return
                progress.written.append(token)
                if lookup is not None:
                    lookup.add(token)
                piece, ended = text.add(token)
                if piece:
                    yield piece
                if ended or len(progress.written) >= room:
                    progress.stop_reason = "end" if ended else "length"
                    yield from text.rest()
                    return
                if place < len(draft) and draft[place] != token:
                    break
            self._crop(progress)
            draft = lookup.draft(room - len(progress.written) - 1) if lookup is not None else []
            rows = self._forward([progress.written[-1], *draft], progress.cache, len(draft) + 1)

    def _crop(self, progress: _Progress) -> None:
        """Take guessed tokens that were not drawn out of the cache; the last drawn one is not in it yet."""
        surplus = progress.cache.get_seq_length() - (len(progress.prompt) + len(progress.written) - 1)
        if surplus > 0:
            progress.cache.crop(-surplus)

    def _forward(self, tokens: list[int], cache: Any, num_logits: int) -> Any:
        """Return logits [num_logits, vocabulary] of the last tokens; the cache grows by `tokens`."""
        model = self._need().model
        with self._torch.inference_mode():
            ids = self._torch.tensor([tokens], device=model.device)
            return model(
                input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=num_logits
            ).logits[0]

    # -- parts

    def _encode(self, messages: tuple[ChatMessage, ...]) -> list[int]:
        conversation = [{"role": message.role, "content": message.content} for message in messages]
        encoded = self.tokenizer.apply_chat_template(
            conversation, add_generation_prompt=True, tokenize=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def _citation_mask(self, rules: tuple[str, ...] | None) -> CitationMask | None:
        if rules is None:
            return None
        if self._texts is None:
            self._texts = TokenTexts.of(self.tokenizer)
        return CitationMask(self._texts, rules)

    def _need(self) -> LoadedTorchModel:
        if self._loaded is None:
            raise DecoderError("The model was unloaded.", "Ask again; it is loaded anew.")
        return self._loaded

    def _free(self, progress: _Progress) -> None:
        progress.cache = None
        self.kv_cache_manager.clear()
        gc.collect()
        self._torch.cuda.empty_cache()


class _TextOf:
    """Text of tokens as it becomes whole: a letter may span several, a stop string too."""

    def __init__(self, tokenizer: Any, stops: tuple[str, ...]) -> None:
        self._tokenizer = tokenizer
        self._stops = stops
        self._hold = max((len(stop) for stop in stops), default=1) - 1
        self._tokens: list[int] = []
        self._shown = ""
        self._num_pending = 0

    def add(self, token: int) -> tuple[DecodedText | None, bool]:
        """Return the text that is certain now, and whether a stop string was written."""
        self._tokens.append(token)
        self._num_pending += 1
        whole = self._whole()
        for stop in self._stops:
            place = whole.find(stop)
            if place >= 0:
                return self._piece(whole[:place]), True
        if whole.endswith("\ufffd"):
            return None, False
        return self._piece(whole[: len(whole) - self._hold] if self._hold else whole), False

    def rest(self) -> Generator[DecodedText, None, None]:
        """Yield what was held back."""
        piece = self._piece(self._whole().rstrip("\ufffd"), final=True)
        if piece is not None:
            yield piece

    def _whole(self) -> str:
        return str(
            self._tokenizer.decode(self._tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def _piece(self, certain: str, final: bool = False) -> DecodedText | None:
        new = certain[len(self._shown) :]
        if not new or (final and any(stop in certain for stop in self._stops)):
            return None
        self._shown = certain
        num_tokens, self._num_pending = self._num_pending, 0
        return DecodedText(new, num_tokens)


def _end_tokens(loaded: LoadedTorchModel) -> frozenset[int]:
    """Tokens that end an answer: the tokenizer's and all the model's configuration names."""
    configured = getattr(loaded.model.generation_config, "eos_token_id", None)
    configured = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in (*configured, loaded.tokenizer.eos_token_id) if token is not None)


def _cache_key(loaded: LoadedTorchModel) -> CacheKey:
    """Keys and values depend on the weights, how they are held, and the template."""
    digest = hashlib.sha256(repr((loaded.folder.config, loaded.quantization, loaded.plan)).encode())
    for shard in loaded.folder.shards:
        stat = shard.stat()
        digest.update(f"{shard}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    template = hashlib.sha256(str(loaded.tokenizer.chat_template).encode()).hexdigest()
    return CacheKey(digest.hexdigest(), "", template)

"""Our own token loop over a transformers model: chunked prefill, kept prefixes, drafting, sure stopping."""

from __future__ import annotations

import builtins
import hashlib
import os
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from hexcore_engine.errors import ContextOverflowError, DecoderError, ModelMissingError
from hexcore_engine.inference.citation_mask import CitationMask, TokenTexts
from hexcore_engine.inference.decoders.base import (
    ChatMessage,
    DecodedStep,
    DecodedText,
    DecodeFinished,
    DecodeRequest,
    DecoderMemory,
    StopSignal,
)
from hexcore_engine.inference.decoders.expert_rows import ExpertRows
from hexcore_engine.inference.decoders.generation import PREFILL_CHUNK, Generation, end_tokens
from hexcore_engine.inference.decoders.interruption import ForwardInterrupted, InterruptibleLayers
from hexcore_engine.inference.decoders.limits import AnswerLimits, ended_by, free_unused
from hexcore_engine.inference.decoders.token_text import TokenText
from hexcore_engine.inference.decoders.writers import choose_writers
from hexcore_engine.inference.drafting import MAX_DRAFT_TOKENS, PromptLookup
from hexcore_engine.inference.kv_cache.manager import CacheKey, KVCacheManager
from hexcore_engine.inference.sampling import Sampler
from hexcore_engine.models.adapters import ExpertAdapterManager
from hexcore_engine.models.cross_expert import CrossExpertAttention
from hexcore_engine.models.loader import LoadedTorchModel
from hexcore_engine.models.torch_folder import describe_torch_folder
from hexcore_engine.protocol.records import CacheStats, ModelRecord
from hexcore_engine.utils.device import is_out_of_memory
from hexcore_engine.utils.memory import give_back_freed
from hexcore_engine.utils.validation import clean_line

# Enough to measure the speed of writing when the model is warmed.
WARM_TOKENS = 6
DEFAULT_ADAPTERS_MB = 512
MIB = 2**20


class TorchDecoder:
    """Runs one loaded model; used by one thread at a time.

    `prompt_cache_mb` bounds the keys and values kept between questions, in MiB. `drafting` guesses tokens
    from the prompt and verifies them in one step; it never changes what is drawn from the same logits. A
    prompt is computed at most `prefill_chunk` tokens at a time. Adapters of experts are looked for in
    `adapters_dir` and take at most `adapters_mb` MiB.
    """

    def __init__(
        self,
        loaded: LoadedTorchModel,
        *,
        context_tokens: int,
        threads: int,
        prompt_cache_mb: int,
        adapters_dir: Path | None = None,
        adapters_mb: int = DEFAULT_ADAPTERS_MB,
        drafting: bool = True,
        prefill_chunk: int = PREFILL_CHUNK,
    ) -> None:
        import torch

        torch.set_num_threads(threads)
        self._torch = torch
        self._loaded: LoadedTorchModel | None = loaded
        self._context_tokens = min(context_tokens, loaded.folder.context_tokens)
        self._record = describe_torch_folder(loaded.folder.folder, loaded.quantization, self._context_tokens)
        self._drafting = drafting
        self._prefill_chunk = prefill_chunk
        self._texts: TokenTexts | None = None
        self._key = _cache_key(loaded)
        self._running_tokens = 0
        self.warmed: DecodeFinished | None = None
        self.kv_cache_manager = KVCacheManager(prompt_cache_mb * MIB, prompt_cache_mb * MIB)
        per_token = loaded.folder.kv_bytes_per_token(loaded.model.dtype.itemsize)
        self.expert_manager = ExpertAdapterManager(loaded.model, adapters_dir, limit_bytes=adapters_mb * MIB)
        self.cross_expert = CrossExpertAttention()
        self._limits = AnswerLimits(self.kv_cache_manager, per_token)
        self._layers = InterruptibleLayers(loaded.model)

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
    ) -> Generator[DecodedText | DecodedStep | DecodeFinished, None, None]:
        """Write an answer; see the contract in base.py.

        Raises:
            ContextOverflowError: when the prompt alone fills the context.
            MemoryError: when the device's memory ran out twice; the pieces already yielded stay valid.
            DecoderError: when the model's numbers are not finite.
        """
        progress = self._begin(request)
        try:
            while reason := (yield from self._run_until_out_of_memory(request, stop, progress)):
                yield self._limits.one_step_lower(progress, self._need(), reason)
            yield self._finished(progress)
        finally:
            self._running_tokens = 0
            if not progress.gave_up_cache:
                # Beyond what was computed for sure the cache may hold guesses that were not drawn.
                progress.rows.keep(progress.tokens[: progress.computed])
            give_back_freed()

    def memory(self) -> DecoderMemory | None:
        """Weights as measured after loading; the cache as it stands; workspace is what CUDA holds beyond, or
        on a processor the tables of the tokenizer."""
        loaded = self._loaded
        if loaded is None:
            return None
        kept = self.kv_cache_manager.statistics().device_bytes
        cache = kept + self._running_tokens * self._limits.bytes_per_token
        workspace = loaded.folder.table_bytes if loaded.device.device == "cpu" else 0
        if self._torch.cuda.is_available():
            held = self._torch.cuda.memory_allocated()
            workspace = max(0, int(held) - loaded.weights_bytes - cache)
        return DecoderMemory(
            loaded.weights_bytes + self.expert_manager.loaded_bytes,
            cache,
            workspace,
            "measured",
            (os.getpid(),),
            bytes_per_token=self._limits.bytes_per_token,
            step_bytes=loaded.folder.step_bytes(
                self._prefill_chunk, loaded.model.dtype.itemsize, self._context_tokens
            ),
            releasable_bytes=kept,
        )

    def cache_stats(self) -> CacheStats:
        """How much of the prompts was found computed."""
        kept = self.kv_cache_manager.statistics()
        return CacheStats(kept.prompt_tokens, kept.reused_tokens)

    def is_usable(self) -> bool:
        """Whether the model is still loaded."""
        return self._loaded is not None

    def warm(self, messages: tuple[ChatMessage, ...]) -> None:
        """Compute the beginning of every prompt once; packs quantised weights, builds the mask's tables and
        measures the speed.

        Raises:
            ModelMissingError: when the model's context does not hold that beginning.
        """
        if (num_tokens := self.count_tokens(messages)) >= self._context_tokens:
            raise ModelMissingError(
                f"The model {self._record.name} holds {self._context_tokens} tokens of context, and every "
                f"question begins with {num_tokens}.",
                "Choose a model with a longer context.",
            )
        self._citation_mask(())
        # The first forward packs; its speed says nothing.
        for num_tokens in (1, WARM_TOKENS):
            self.kv_cache_manager.clear()
            for item in self.generate(DecodeRequest(messages, max_tokens=num_tokens), StopSignal()):
                if isinstance(item, DecodeFinished):
                    self.warmed = item

    def close(self) -> None:
        """Give the memory back."""
        if self._loaded is not None:
            self.expert_manager.close()
            self._layers.close()
        self._loaded = None
        self.kv_cache_manager.clear()
        free_unused()

    # -- the loop

    def _begin(self, request: DecodeRequest) -> Generation:
        prompt = self._encode(request.messages)
        if len(prompt) >= self._context_tokens:
            raise ContextOverflowError(
                f"The prompt has {len(prompt)} tokens and the model's context {self._context_tokens}.",
                "Ask a shorter question, or begin a new conversation.",
            )
        self._need()
        writers = choose_writers(self.expert_manager, request.experts, prompt, request.must_mix)
        rows = ExpertRows(self.expert_manager, self.kv_cache_manager, writers, self._key, prompt)
        cached = rows.num_tokens
        if writers.mixer is not None:
            self.cross_expert = writers.mixer
        return Generation(
            prompt,
            rows,
            sampler=Sampler(request, prompt, self._citation_mask(request.citable_rules)),
            text=TokenText(self.tokenizer, request.stop),
            lookup=PromptLookup(prompt) if self._drafting else None,
            room=min(request.max_tokens, self._context_tokens - len(prompt)),
            cached_tokens=cached,
            computed=cached,
            chunk=self._prefill_chunk,
        )

    def _run_until_out_of_memory(
        self, request: DecodeRequest, stop: StopSignal, progress: Generation
    ) -> Generator[DecodedText | DecodedStep, None, str]:
        """Write; returns why memory ran out, "" at the end of the answer. What was out of memory is freed
        only once the exception is gone: its traceback pins the tensors."""
        try:
            yield from self._run(request, stop, progress)
        except (RuntimeError, builtins.MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return clean_line(str(error))[:200] or "out of memory"
        return ""

    def _run(
        self, request: DecodeRequest, stop: StopSignal, progress: Generation
    ) -> Generator[DecodedText | DecodedStep, None, None]:
        try:
            with progress.timed_prompt():
                logits = yield from self._prefill(request, stop, progress)
            if logits is not None:
                with progress.timed_answer():
                    yield from self._decode(request, stop, progress, logits)
        except ForwardInterrupted:
            progress.rows.repair(progress.computed)
            yield from self._limits.must_end(request, stop, progress, progress.computed)

    def _prefill(
        self, request: DecodeRequest, stop: StopSignal, progress: Generation
    ) -> Generator[DecodedStep, None, Any]:
        """Compute what is not computed, a chunk at a time; returns the last logits, None when stopped."""
        logits: Any = None
        tokens = progress.tokens
        while progress.computed < len(tokens):
            end = progress.next_chunk()
            if (yield from self._limits.must_end(request, stop, progress, end)):
                return None
            with self._interruptible(request, stop):
                logits = self._forward(tokens[progress.computed : end], progress.rows, 1)
            self._note_computed(progress, end)
        ended = yield from self._limits.must_end(request, stop, progress, len(tokens))
        return None if ended else logits[-1]

    def _decode(
        self, request: DecodeRequest, stop: StopSignal, progress: Generation, logits: Any
    ) -> Generator[DecodedText | DecodedStep, None, None]:
        ends = end_tokens(self._need())
        rows = [logits]
        draft: list[int] = []
        while True:
            for place, row in enumerate(rows):
                num_tokens = len(progress.prompt) + len(progress.written) + 1
                if (yield from self._limits.must_end(request, stop, progress, num_tokens)):
                    return
                token = progress.sampler.draw(row)
                if token in ends:
                    progress.stop_reason = "end"
                    yield from progress.text.rest()
                    return
                if (yield from self._write(token, progress)):
                    return
                if place < len(draft) and draft[place] != token:
                    break
            self._crop(progress)
            left = progress.room - len(progress.written) - 1
            draft = progress.lookup.draft(min(left, MAX_DRAFT_TOKENS)) if progress.lookup is not None else []
            with self._interruptible(request, stop):
                rows = self._forward([progress.written[-1], *draft], progress.rows, len(draft) + 1)

    def _write(self, token: int, progress: Generation) -> Generator[DecodedText, None, bool]:
        """Take a drawn token into the answer; returns whether the answer ends with it."""
        progress.written.append(token)
        if progress.lookup is not None:
            progress.lookup.add(token)
        piece, ended = progress.text.add(token)
        if piece:
            yield piece
        if not ended and len(progress.written) < progress.room:
            return False
        progress.stop_reason = "end" if ended else "length"
        yield from progress.text.rest()
        return True

    def _crop(self, progress: Generation) -> None:
        """Take guessed tokens that were not drawn out of the cache; the last drawn one is not in it yet."""
        known = len(progress.prompt) + len(progress.written) - 1
        progress.rows.crop(known)
        self._note_computed(progress, known)

    def _note_computed(self, progress: Generation, num_tokens: int) -> None:
        progress.computed = num_tokens
        self._running_tokens = num_tokens * progress.rows.num_rows

    def _finished(self, progress: Generation) -> DecodeFinished:
        num_written = len(progress.written)
        return DecodeFinished(
            stop_reason=progress.stop_reason,
            prompt_tokens=len(progress.prompt),
            cached_tokens=progress.cached_tokens,
            generated_tokens=num_written,
            prompt_ms=progress.prompt_ms,
            tokens_per_s=num_written / progress.decode_s if num_written and progress.decode_s > 0 else None,
            notes=progress.rows.notes,
        )

    def _forward(self, tokens: list[int], rows: ExpertRows, num_logits: int) -> Any:
        """Return logits [num_logits, vocabulary] of the last tokens, mixed where several experts write."""
        self._need()
        return rows.forward(tokens, num_logits)

    def _interruptible(self, request: DecodeRequest, stop: StopSignal) -> AbstractContextManager[None]:
        return self._layers.until(lambda: ended_by(request, stop) is not None)

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


def _cache_key(loaded: LoadedTorchModel) -> CacheKey:
    """Keys and values depend on the weights, how they are held, and the template."""
    digest = hashlib.sha256(repr((loaded.folder.config, loaded.quantization, loaded.plan)).encode())
    for shard in loaded.folder.shards:
        stat = shard.stat()
        digest.update(f"{shard}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    template = hashlib.sha256(str(loaded.tokenizer.chat_template).encode()).hexdigest()
    return CacheKey(digest.hexdigest(), "", template)

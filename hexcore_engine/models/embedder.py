"""Meanings of sentences as vectors: MiniLM from its safetensors, run by torch on the processor.

The network is put together here from torch's encoder layers: importing transformers for it would cost four
seconds and 150 MB. `tokenizers` comes with the extra `torch`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hexcore_engine.errors import ModelMissingError
from hexcore_engine.models.packed_layers import PackedLayers, packed_layers
from hexcore_engine.utils.device import cpu_has_fast_bf16
from hexcore_engine.utils.memory import bound_kernel_caches
from hexcore_engine.utils.validation import clean_line

Floats = NDArray[np.float32]
T = TypeVar("T")

WIDTH = 384
WEIGHTS_NAME = "model.safetensors"
TOKENIZER_NAME = "tokenizer.json"
_LIBRARIES = ("torch", "safetensors", "tokenizers")
_NUM_LAYERS = 6
_NUM_HEADS = 12
_NUM_INNER = 1536
_SUMMED = ("word", "position", "token_type")
_NORM_EPSILON = 1e-12
# torch's names of a layer's parts and the file's.
_PARTS = {
    "self_attn.out_proj": "attention.output.dense",
    "linear1": "intermediate.dense",
    "linear2": "output.dense",
    "norm1": "attention.output.LayerNorm",
    "norm2": "output.LayerNorm",
}
# The model was trained on texts no longer than this; the rest of a longer one is not read.
_MAX_TOKENS = 256
_BATCH_TOKENS = 2048
# A question is asked about while it is typed, when its rules are looked up and when its mode is chosen.
_NUM_REMEMBERED = 8


def missing_libraries() -> list[str]:
    """Return which parts of the extra `torch` the embedder lacks."""
    return [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]


class SentenceEmbedder:
    """MiniLM-L6: texts of near meaning have vectors of high inner product. Safe to use from several
    threads: it computes on one of its own."""

    def __init__(self, folder: Path, threads: int = 1, *, rounded: bool = False) -> None:
        """Load WEIGHTS_NAME and TOKENIZER_NAME of a folder; takes a second or two. torch computes on
        `threads` processors. With `rounded`, and where the processor has it, in bfloat16: a vector takes
        60 % of the time and is like the exact one to 0.9999.

        Raises:
            ModelMissingError: when a library or a file is absent, or a file is damaged.
        """
        missing = missing_libraries()
        if missing:
            raise ModelMissingError(
                f"Vectors need {' and '.join(missing)}, which is not installed.",
                "Install it with `make setup EXTRAS=torch`.",
            )
        bound_kernel_caches()
        try:
            self._tokenizer, weights = _read(folder)
            self._embeddings = {name: weights[name] for name in weights if name.startswith("embeddings.")}
            self._layers = [_layer(weights, f"encoder.layer.{number}") for number in range(_NUM_LAYERS)]
        except Exception as error:
            # The libraries raise errors of their own without a common base.
            raise ModelMissingError(
                f"The sentence model in {folder} can't be read: {clean_line(str(error))}.",
                "Run `hexcore setup`; it fetches what is missing or damaged.",
            ) from error
        self._packed: PackedLayers | None = None
        if rounded and cpu_has_fast_bf16():
            for layer in self._layers:
                layer.bfloat16()
            self._packed = packed_layers(self._layers)
        # Texts embedded alone lately, the oldest first; changed on the embedder's own thread only.
        self._remembered: dict[str, Floats] = {}
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")
        _limit_threads(self._executor, threads)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length 1 for each text, [len(texts), WIDTH]; texts of like length are computed
        together. A text that comes alone is remembered for a while."""
        if len(texts) != 1:
            return self.run(lambda: self._embed(texts))
        known = self.known(texts[0])
        return (known if known is not None else self.run(lambda: self._embed_one(texts[0])))[None, :]

    def known(self, text: str) -> Floats | None:
        """Return the vector [WIDTH] of a text embedded alone lately, None for any other; never computes."""
        return self._remembered.get(text)

    def run(self, work: Callable[[], T]) -> T:
        """Do work on its thread and return what it gave."""
        return self._executor.submit(work).result()

    def close(self) -> None:
        """End its thread."""
        self._executor.shutdown()

    def _embed(self, texts: Sequence[str]) -> Floats:
        encoded = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(encoded), WIDTH), dtype=np.float32)
        for batch in _batches(encoded):
            vectors[batch] = self._embed_batch([encoded[place] for place in batch])
        return vectors

    def _embed_one(self, text: str) -> Floats:
        vector = self.known(text)
        if vector is None:
            vector = self._embed([text])[0]
            self._remembered[text] = vector
            if len(self._remembered) > _NUM_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
        return vector

    def _embed_batch(self, rows: Sequence[Sequence[int]]) -> Floats:
        import torch

        longest = max(len(row) for row in rows)
        tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        present = torch.arange(longest) < torch.tensor([[len(row)] for row in rows])
        with torch.inference_mode():
            states = self._states(tokens, present)
            kept = states * present[:, :, None]
            means = kept.sum(dim=1) / present.sum(dim=1, keepdim=True)
            found: Floats = torch.nn.functional.normalize(means, dim=1).numpy()
        return found

    def _states(self, tokens: Any, present: Any) -> Any:
        """Last hidden states [text, token, WIDTH]; padding is where `present` is False."""
        import torch

        words, places, kinds = (self._embeddings[f"embeddings.{part}_embeddings.weight"] for part in _SUMMED)
        norm = "embeddings.LayerNorm"
        states = torch.nn.functional.layer_norm(
            words[tokens] + places[: tokens.shape[1]] + kinds[0],
            (WIDTH,),
            self._embeddings[f"{norm}.weight"],
            self._embeddings[f"{norm}.bias"],
            _NORM_EPSILON,
        ).to(self._layers[0].linear1.weight.dtype)
        padding = None if bool(present.all()) else ~present
        if self._packed is not None and len(tokens) == 1:
            return self._packed(states).float()
        for layer in self._layers:
            states = layer(states, src_key_padding_mask=padding)
        return states.float()


def _limit_threads(executor: ThreadPoolExecutor, threads: int) -> None:
    """Let torch use so many threads when called by the executor's, and as many as before when called by
    others, a torch decoder among them. Two that wait for each other on busy cores burn ten times the time.

    torch 2.13: a thread takes over what was set last, anywhere, when it first asks; from then on its own
    number holds.
    """
    import torch

    before = torch.get_num_threads()
    executor.submit(torch.get_num_threads).result()
    executor.submit(torch.set_num_threads, threads).result()
    torch.set_num_threads(before)


def _read(folder: Path) -> tuple[Any, dict[str, Any]]:
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_NAME))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MAX_TOKENS)
    weights = load_file(folder / WEIGHTS_NAME)
    last = f"encoder.layer.{_NUM_LAYERS - 1}.output.dense.weight"
    if weights[last].shape[0] != WIDTH:
        raise ValueError(f"its vectors are not {WIDTH} wide")
    return tokenizer, weights


def _batches(encoded: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of texts by length, in batches of at most _BATCH_TOKENS with padding."""
    batches: list[list[int]] = []
    for place in sorted(range(len(encoded)), key=lambda place: len(encoded[place])):
        if not batches or (len(batches[-1]) + 1) * len(encoded[place]) > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(place)
    return batches


def _layer(weights: dict[str, Any], name: str) -> Any:
    """Return a layer of the file as torch's own, whose forward is one call without the interpreter's lock: a
    look-up goes on beside it."""
    import torch

    layer = torch.nn.TransformerEncoderLayer(
        WIDTH, _NUM_HEADS, _NUM_INNER, 0.0, "gelu", layer_norm_eps=_NORM_EPSILON, batch_first=True
    )
    state = {}
    for kind in ("weight", "bias"):
        read = [weights[f"{name}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
        state[f"self_attn.in_proj_{kind}"] = torch.cat(read)
        state |= {f"{ours}.{kind}": weights[f"{name}.{theirs}.{kind}"] for ours, theirs in _PARTS.items()}
    layer.load_state_dict(state)
    return layer.eval()

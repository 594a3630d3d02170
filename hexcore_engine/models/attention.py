"""Causal attention on a processor, one head after the other.

transformers repeats keys and values for each head of queries and hands torch a mask over the whole context;
torch's kernel then takes half the time of a prompt that follows a long conversation. Here what one head sees
stays in the processor's cache, and only what can't be seen of a chunk itself is masked. Rounding is that of
transformers' "eager" attention.
"""

from __future__ import annotations

from typing import Any

NAME = "by_head"
# Guesses and single tokens: torch's kernel, which keeps nothing for each new length of the context.
FEW_TOKENS = 16


def use_by_head(model: Any) -> None:
    """Let a model on a processor attend this way, where it would use torch's kernel."""
    from transformers import AttentionInterface, AttentionMaskInterface

    if getattr(model.config, "_attn_implementation", None) != "sdpa":
        return
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, mask)
    model.set_attn_implementation(NAME)


def mask(*, q_length: int, kv_length: int, **given: Any) -> Any:
    """Return None where each token sees all before it, else torch's mask [rows, 1, q_length, kv_length]."""
    from transformers.masking_utils import causal_mask_function, sdpa_mask

    several = q_length > 1
    plain = (
        given.get("allow_is_causal_skip", True)
        and given.get("attention_mask") is None
        and given.get("mask_function", causal_mask_function) is causal_mask_function
        and given.get("local_size") is None
        and given.get("q_offset", 0) + q_length == kv_length
    )
    if several and plain:
        return None
    # With several queries and no mask, `attention` takes them for the last of the keys.
    skip = given.pop("allow_is_causal_skip", True) and not several
    return sdpa_mask(q_length=q_length, kv_length=kv_length, allow_is_causal_skip=skip, **given)


def attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **given: Any,
) -> tuple[Any, None]:
    """Attend as transformers' interface asks: `query` [rows, heads, q_length, width], `key` and `value`
    [rows, key_heads, kv_length, width]; returns [rows, q_length, heads, width]."""
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    unusual = given.get("dropout") or given.get("position_bias") is not None
    if query.shape[2] == 1 or attention_mask is not None or not causal or unusual:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        found, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, is_causal=is_causal, **given
        )
        return found, None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    attend = _attend_few if query.shape[2] <= FEW_TOKENS else _attend
    return attend(query * scale, key, value), None


def _attend_few(query: Any, key: Any, value: Any) -> Any:
    from torch.nn.functional import scaled_dot_product_attention

    num_rows, num_heads, q_length, width = query.shape
    num_key_heads, kv_length = key.shape[1:3]
    group = num_heads // num_key_heads
    seen = query.new_ones(q_length, kv_length).tril(kv_length - q_length).bool()
    queries = query.reshape(num_rows, num_key_heads, group * q_length, width)
    found = scaled_dot_product_attention(queries, key, value, attn_mask=seen.repeat(group, 1), scale=1.0)
    return found.reshape(num_rows, num_heads, q_length, -1).transpose(1, 2).contiguous()


def _attend(query: Any, key: Any, value: Any) -> Any:
    num_rows, num_heads, q_length, _ = query.shape
    num_key_heads, kv_length = key.shape[1:3]
    unseen = query.new_ones(q_length, q_length).triu(1).bool()
    found = query.new_empty(num_rows, q_length, num_heads, value.shape[-1])
    for row in range(num_rows):
        for head in range(num_heads):
            shared = head * num_key_heads // num_heads
            scores = query[row, head] @ key[row, shared].T
            scores[:, kv_length - q_length :].masked_fill_(unseen, float("-inf"))
            found[row, :, head] = scores.softmax(-1) @ value[row, shared]
    return found

"""From a question to a checked answer; read pipeline.py first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.lazy_names import lazy_names

if TYPE_CHECKING:
    from hexcore_engine.inference.citations import CitationChecker
    from hexcore_engine.inference.decoders.base import (
        ChatMessage,
        DecodedText,
        DecodeFinished,
        Decoder,
        DecodeRequest,
        DecoderMemory,
        Expert,
        StopSignal,
    )
    from hexcore_engine.inference.decoders.factory import open_decoder
    from hexcore_engine.inference.decoders.scripted import ScriptedDecoder
    from hexcore_engine.inference.kv_cache.manager import KVCacheManager, KVCacheStatistics
    from hexcore_engine.inference.metadata import safe_retrieval_result
    from hexcore_engine.inference.pipeline import HexcorePipeline
    from hexcore_engine.inference.request import PipelineRequest

__all__ = [
    "ChatMessage",
    "CitationChecker",
    "DecodeFinished",
    "DecodeRequest",
    "DecodedText",
    "Decoder",
    "DecoderMemory",
    "Expert",
    "HexcorePipeline",
    "KVCacheManager",
    "KVCacheStatistics",
    "PipelineRequest",
    "ScriptedDecoder",
    "StopSignal",
    "open_decoder",
    "safe_retrieval_result",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ChatMessage": "decoders.base",
        "CitationChecker": "citations",
        "DecodeFinished": "decoders.base",
        "DecodeRequest": "decoders.base",
        "DecodedText": "decoders.base",
        "Decoder": "decoders.base",
        "DecoderMemory": "decoders.base",
        "Expert": "decoders.base",
        "HexcorePipeline": "pipeline",
        "KVCacheManager": "kv_cache.manager",
        "KVCacheStatistics": "kv_cache.manager",
        "PipelineRequest": "request",
        "ScriptedDecoder": "decoders.scripted",
        "StopSignal": "decoders.base",
        "open_decoder": "decoders.factory",
        "safe_retrieval_result": "metadata",
    },
)

"""The asyncio side of the process border, used by app, command line and web."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hexcore_engine.lazy_names import lazy_names

if TYPE_CHECKING:
    from hexcore_engine.client.client import EngineClient
    from hexcore_engine.client.engine_process import start_engine
    from hexcore_engine.client.supervisor import Stopped, engine_status, stop_engine

__all__ = [
    "EngineClient",
    "Stopped",
    "engine_status",
    "start_engine",
    "stop_engine",
]

__getattr__ = lazy_names(
    __name__,
    {
        "EngineClient": "client",
        "Stopped": "supervisor",
        "engine_status": "supervisor",
        "start_engine": "engine_process",
        "stop_engine": "supervisor",
    },
)

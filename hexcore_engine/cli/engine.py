"""`hexcore engine status | start | stop | restart`: the engine process."""

from __future__ import annotations

import argparse
import asyncio

from hexcore_engine.cli.command import CommandParser, Context
from hexcore_engine.client.engine_process import start_engine
from hexcore_engine.client.supervisor import Stopped, engine_status, stop_engine
from hexcore_engine.errors import UsageError
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.records import EngineRecord, to_builtins

NOT_RUNNING = EngineRecord(
    running=False,
    pid=None,
    model=None,
    decoder=None,
    quantization=None,
    uptime_s=0.0,
    clients=0,
    busy=False,
    generated_tokens=0,
)


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "action", nargs="?", default="status", help="status (default), start, stop or restart"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Report, start, stop, or stop and start; 1 when no engine runs."""
    if arguments.action in ("start", "restart") and context.settings_error is not None:
        # The engine reads them too; one that runs is not given up for one that can't start.
        raise context.settings_error
    if arguments.action == "start":
        asyncio.run(start_engine(context.paths))
    elif arguments.action == "restart":
        asyncio.run(_restart(context.paths))
    elif arguments.action == "stop":
        stopped = asyncio.run(stop_engine(context.paths))
        document = {"stopped": stopped is not None, "killed": stopped is not None and stopped.killed}
        context.output.result(document, _stopped_text(stopped))
        return 0 if stopped else 1
    elif arguments.action != "status":
        raise UsageError(
            f"There is no `hexcore engine {arguments.action}`.", "Known: status, start, stop, restart."
        )
    status = asyncio.run(engine_status(context.paths)) or NOT_RUNNING
    context.output.result(to_builtins(status), _text(status))
    return 0 if status.running else 1


async def _restart(paths: Paths) -> None:
    await stop_engine(paths)
    await start_engine(paths)


def _stopped_text(stopped: Stopped | None) -> str:
    if stopped is None:
        return "no engine was running"
    if stopped.killed:
        return f"the engine (process {stopped.pid}) did not react and was ended; what it had stored is kept"
    return "stopped"


def _text(status: EngineRecord) -> str:
    if not status.running:
        return "no engine is running"
    model = f"{status.model} ({status.decoder})" if status.model else "no model loaded"
    state = f"answering, {status.generated_tokens} words so far" if status.busy else "idle"
    parts = (
        f"process {status.pid}: {state}",
        model,
        f"{status.clients} clients",
        f"up {status.uptime_s:.0f} s",
        f"vectors {status.vectors}",
    )
    return "; ".join(parts)

"""`hexcore models list | use`: what can answer here, and choosing it."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.errors import UsageError
from hexcore_engine.models.catalog import list_models, use_model
from hexcore_engine.protocol.records import ModelRecord, to_builtins


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", nargs="?", default="list", help="list (default) or use")
    parser.add_argument("model", nargs="?", help="PATH.gguf, http(s)://host/v1, or embedded")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """List models, or write the chosen one into the settings."""
    if arguments.action == "list":
        return _list(context)
    if arguments.action == "use":
        if not arguments.model:
            raise UsageError(
                "No model was named.", "`hexcore models use PATH.gguf | http://host/v1 | embedded`"
            )
        record = use_model(context.paths, joined([arguments.model]))
        text = f"{record.name} answers from now on ({context.paths.settings_file})."
        context.output.result({"model": to_builtins(record)}, text)
        return 0
    raise UsageError(f"There is no `hexcore models {arguments.action}`.", "Known: list, use.")


def _list(context: Context) -> int:
    models = list_models(context.settings, context.paths)
    configured = context.settings.model.path
    lines = [_line(model, model.location == configured) for model in models]
    lines.append("A better one: `hexcore models use PATH.gguf` or `hexcore models use http://host/v1`.")
    context.output.result({"models": to_builtins(models), "configured": configured}, "\n".join(lines))
    return 0


def _line(model: ModelRecord, chosen: bool) -> str:
    mark = "*" if chosen else " "
    if not model.available:
        return f"{mark} {model.name}: {model.note}"
    size = f", {model.weights_bytes / 1e6:,.0f} MB" if model.weights_bytes else ""
    kind = f" {model.quantization}" if model.quantization else ""
    return f"{mark} {model.location}: {model.name}{kind}{size}, run by {model.decoder}"

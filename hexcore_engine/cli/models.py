"""`hexcore models list | use | plan | import-gguf`: what can answer here, what it takes, choosing it."""

from __future__ import annotations

import argparse

import msgspec

from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.errors import UsageError
from hexcore_engine.models.catalog import list_models, model_file, require_torch, use_model
from hexcore_engine.models.fit import fit_text, plan_fit
from hexcore_engine.models.gguf_import import import_gguf
from hexcore_engine.protocol.records import ModelRecord, to_builtins
from hexcore_engine.settings import EMBEDDED_MODEL


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", nargs="?", default="list", help="list (default), use, plan or import-gguf")
    parser.add_argument("--quantization", metavar="Q", help="for plan: 4bit, 8bit or none")
    parser.add_argument(
        "model", nargs="?", help="PATH.gguf, a folder of safetensors, http(s)://host/v1, or embedded"
    )


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
    if arguments.action == "plan":
        return _plan(arguments, context)
    if arguments.action == "import-gguf":
        return _import_gguf(arguments.model or EMBEDDED_MODEL, context)
    raise UsageError(
        f"There is no `hexcore models {arguments.action}`.", "Known: list, use, plan, import-gguf."
    )


def _plan(arguments: argparse.Namespace, context: Context) -> int:
    location = arguments.model or context.settings.model.path
    wanted = msgspec.structs.replace(
        context.settings.model,
        path=location,
        decoder="auto",
        quantization=arguments.quantization or context.settings.model.quantization,
    )
    fit = plan_fit(wanted, context.paths)
    context.output.result({"plan": to_builtins(fit)}, fit_text(fit))
    return 0


def _import_gguf(location: str, context: Context) -> int:
    require_torch()
    folder = import_gguf(model_file(location, context.paths), context.paths.models_dir)
    text = f'Torch can run it now: `hexcore ask --decoder torch "…"`, or `hexcore models use {folder}`.'
    context.output.result({"folder": str(folder)}, text)
    return 0


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

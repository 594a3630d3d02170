"""`hexcore models list | use | plan | get | import-gguf | adapters | add-adapter`: what can answer here."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import msgspec

from hexcore_engine.cli.adapter_actions import add_adapter, list_adapters
from hexcore_engine.cli.command import CommandParser, Context, joined
from hexcore_engine.errors import DownloadError, UsageError
from hexcore_engine.models.advice import missing_torch_here
from hexcore_engine.models.catalog import list_models, model_file, require_torch, use_model
from hexcore_engine.models.fit import fit_line, fit_text, plan_fit
from hexcore_engine.models.gguf_import import import_gguf
from hexcore_engine.models.hub import fetch, hub_folder, look_up
from hexcore_engine.models.quantization import check_quantization
from hexcore_engine.protocol.records import ModelRecord, to_builtins
from hexcore_engine.settings import EMBEDDED_MODEL, ModelSettings, is_offline


def configure(parser: CommandParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        help="list (default), use, plan, get, import-gguf, adapters or add-adapter",
    )
    parser.add_argument("--quantization", metavar="Q", help="for plan: 4bit, 8bit or none")
    parser.add_argument("--mode", metavar="M", help="for add-adapter: the mode it is trained for")
    parser.add_argument(
        "--base", metavar="MODEL", help="for adapters and add-adapter: their model; default the configured"
    )
    parser.add_argument(
        "model",
        nargs="?",
        help="PATH.gguf, a folder of safetensors, a hub id (OWNER/NAME), http(s)://host/v1, or "
        "embedded; for add-adapter the adapter's folder",
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Do one of the actions."""
    action = ACTIONS.get(arguments.action)
    if action is None:
        known = ", ".join(ACTIONS)
        raise UsageError(f"There is no `hexcore models {arguments.action}`.", f"Known: {known}.")
    return action(arguments, context)


def _use(arguments: argparse.Namespace, context: Context) -> int:
    if not arguments.model:
        raise UsageError("No model was named.", "`hexcore models use PATH.gguf | http://host/v1 | embedded`")
    record = use_model(context.paths, joined([arguments.model]))
    text = f"{record.name} answers from now on ({context.paths.settings_file})."
    context.output.result({"model": to_builtins(record)}, text)
    return 0


def _plan(arguments: argparse.Namespace, context: Context) -> int:
    location = arguments.model or context.settings.model.path
    fit = plan_fit(_with_model(arguments, context, location), context.paths)
    context.output.result({"plan": to_builtins(fit)}, fit_text(fit))
    return 0


def _with_model(arguments: argparse.Namespace, context: Context, location: str) -> ModelSettings:
    model = context.settings.model
    quantization = arguments.quantization or model.quantization
    check_quantization(quantization)
    return msgspec.structs.replace(model, path=location, decoder="auto", quantization=quantization)


def _get(arguments: argparse.Namespace, context: Context) -> int:
    if not arguments.model:
        raise UsageError("No model was named.", "`hexcore models get OWNER/NAME`")
    require_torch()
    hub_id = joined([arguments.model])
    folder = hub_folder(hub_id, context.paths.models_dir)
    if not (folder / "config.json").is_file():
        if is_offline():
            raise DownloadError(f"HEXCORE_OFFLINE forbids fetching {hub_id}.", "Unset it and try again.")
        found = look_up(hub_id)
        context.output.narrate(f"{hub_id}: {len(found.files)} files, {found.total_bytes / 1e6:,.0f} MB")
        fetch(found, context.paths.models_dir)
    fit = plan_fit(_with_model(arguments, context, hub_id), context.paths)
    text = f"{fit_text(fit)}\nChoose it with `hexcore models use {hub_id}`."
    context.output.result({"folder": str(folder), "plan": to_builtins(fit)}, text)
    return 0


def _import_gguf(arguments: argparse.Namespace, context: Context) -> int:
    require_torch()
    location = arguments.model or EMBEDDED_MODEL
    folder = import_gguf(model_file(location, context.paths), context.paths.models_dir)
    text = f'Torch can run it now: `hexcore ask --decoder torch "…"`, or `hexcore models use {folder}`.'
    context.output.result({"folder": str(folder)}, text)
    return 0


def _list(arguments: argparse.Namespace, context: Context) -> int:
    models = list_models(context.settings, context.paths)
    configured = context.settings.model.path
    lines: list[str] = []
    fits = []
    for model in models:
        lines.append(_line(model, model.location == configured))
        if model.available:
            fits.append(plan_fit(_with_model(arguments, context, model.location), context.paths))
            lines += [f"    {line}" for line in [fit_line(fits[-1])] if line]
    lines.append("A better one: `hexcore models use PATH.gguf` or `hexcore models use http://host/v1`.")
    lines += [f"{note}." for note in [missing_torch_here()] if note]
    result = {"models": to_builtins(models), "plans": to_builtins(fits), "configured": configured}
    context.output.result(result, "\n".join(lines))
    return 0


def _line(model: ModelRecord, chosen: bool) -> str:
    mark = "*" if chosen else " "
    if not model.available:
        return f"{mark} {model.name}: {model.note}"
    size = f", {model.weights_bytes / 1e6:,.0f} MB" if model.weights_bytes else ""
    kind = f" {model.quantization}" if model.quantization else ""
    return f"{mark} {model.location}: {model.name}{kind}{size}, run by {model.decoder}"


ACTIONS: dict[str, Callable[[argparse.Namespace, Context], int]] = {
    "list": _list,
    "use": _use,
    "plan": _plan,
    "get": _get,
    "import-gguf": _import_gguf,
    "adapters": list_adapters,
    "add-adapter": add_adapter,
}

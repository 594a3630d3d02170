"""`hexcore models adapters | add-adapter`: the experts' adapters here, and installing one."""

from __future__ import annotations

import argparse

from hexcore_engine.cli.command import Context, one_of
from hexcore_engine.errors import UsageError
from hexcore_engine.models.adapter_index import AdapterIndex, AdapterRecord
from hexcore_engine.models.adapter_install import base_fingerprint, install_adapter
from hexcore_engine.paths import named_path
from hexcore_engine.protocol.records import MODE_NAMES, to_builtins


def list_adapters(arguments: argparse.Namespace, context: Context) -> int:
    """List the installed adapters, the refused ones with the reason; 1 when there is none."""
    base = arguments.base or context.settings.model.path
    folder = context.paths.adapters_dir
    records = AdapterIndex(folder, lambda: base_fingerprint(base, context.paths)).records()
    lines = [_line(record) for record in records]
    if not records:
        lines = [f"No adapter is installed in {folder}; the base model answers in every mode."]
    result = {"adapters": to_builtins(records), "folder": str(folder), "base": base}
    context.output.result(result, "\n".join(lines))
    return 0 if records else 1


def add_adapter(arguments: argparse.Namespace, context: Context) -> int:
    """Install an adapter that peft wrote."""
    if not arguments.model or not arguments.mode:
        raise UsageError("No folder or no mode was named.", "`hexcore models add-adapter FOLDER --mode MODE`")
    mode = one_of("mode", arguments.mode, MODE_NAMES)
    source = named_path(arguments.model).absolute()
    base = base_fingerprint(arguments.base or context.settings.model.path, context.paths)
    adapter = install_adapter(source, mode, base, context.paths.adapters_dir)
    text = f"{adapter.name} answers {mode} questions from now on ({adapter.folder})."
    context.output.result({"adapter": adapter.name, "mode": mode, "folder": str(adapter.folder)}, text)
    return 0


def _line(record: AdapterRecord) -> str:
    mode = record.mode or "?"
    if not record.available:
        return f"{mode:<11}{record.name}: not used. {record.note}"
    size = (record.size_bytes or 0) / 1e6
    return f"{mode:<11}{record.name}: {record.kind} of rank {record.rank}, {size:,.1f} MB"

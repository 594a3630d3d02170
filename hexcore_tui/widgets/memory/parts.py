"""The parts of a device's memory: what each is called and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from hexcore_engine.protocol.records import DeviceSnapshot, MemoryRow
from hexcore_engine.utils.validation import clean_line
from hexcore_tui.facts import size_text

MUTED = "$text-muted"


@dataclass(frozen=True)
class Part:
    """`glyph` and `letter` differ from part to part, so that the bar can be read without colours."""

    label: str
    glyph: str
    letter: str
    style: str


PARTS: dict[str, Part] = {
    "weights": Part("weights", "█", "W", "$memory-weights"),
    "kv_cache": Part("KV cache", "▓", "K", "$memory-kv-cache"),
    "workspace": Part("workspace", "▒", "S", "$memory-workspace"),
    "engine_rest": Part("rest of the engine", "░", "E", "$memory-engine-rest"),
    "reserved": Part("reserved, unused", "▪", "R", "$memory-reserved"),
    "others": Part("other processes", "╱", "O", "$memory-others"),
    "free": Part("free", "·", ".", "$memory-free"),
}
ENGINE_PARTS = ("weights", "kv_cache", "workspace", "engine_rest", "reserved")


def device_content(device: DeviceSnapshot, width: int, unicode: bool) -> Content:
    """Return a device as lines: its name, a stacked bar, and a row for each part."""
    lines = [_title(device)]
    if device.rows and not device.lost:
        lines.append(_bar(device, width, unicode))
        lines += [_row(row, device.total_bytes, unicode) for row in device.rows]
    if device.note:
        lines.append(Content(clean_line(device.note)).stylize("$error" if device.lost else MUTED))
    return Content("\n").join(lines)


def engine_bytes(devices: tuple[DeviceSnapshot, ...]) -> int:
    """Return what the engine holds on all devices together, bytes."""
    return sum(row.size_bytes for device in devices for row in device.rows if row.name in ENGINE_PARTS)


def bar_cells(sizes: list[int], total: int, width: int) -> list[int]:
    """Share `width` cells out by size; a part that is there at all gets a cell while there are enough."""
    if total <= 0 or width <= 0:
        return [0] * len(sizes)
    exact = [size * width / total for size in sizes]
    cells = [max(int(share), 1 if size > 0 else 0) for share, size in zip(exact, sizes, strict=True)]
    while sum(cells) > width:
        cells[cells.index(max(cells))] -= 1
    short = min(width, round(sum(exact))) - sum(cells)
    by_remainder = sorted(range(len(sizes)), key=lambda index: cells[index] - exact[index])
    for index in by_remainder[: max(0, short)]:
        cells[index] += 1
    return cells


def _title(device: DeviceSnapshot) -> Content:
    kind = "CPU" if device.kind == "cpu" else f"GPU {device.index}"
    size = size_text(device.total_bytes) if device.total_bytes else "size unknown"
    busy = "" if device.utilization_percent is None else f", {device.utilization_percent:.0f} % busy"
    lost = (" LOST", "bold $error") if device.lost else ""
    name = clean_line(device.name)
    return Content.assemble((kind, "bold $primary"), f"  {name}", lost, (f"  {size}{busy}", MUTED))


def _bar(device: DeviceSnapshot, width: int, unicode: bool) -> Content:
    cells = bar_cells([row.size_bytes for row in device.rows], device.total_bytes, width)
    pieces = []
    for row, num_cells in zip(device.rows, cells, strict=True):
        part = PARTS[row.name]
        pieces.append(Content((part.glyph if unicode else part.letter) * num_cells).stylize(part.style))
    return Content("").join(pieces)


def _row(row: MemoryRow, total: int, unicode: bool) -> Content:
    part = PARTS[row.name]
    share = f"{100 * row.size_bytes / total:5.1f} %" if total else ""
    return Content.assemble(
        (part.glyph if unicode else part.letter, part.style),
        f" {part.label:<19}{size_text(row.size_bytes):>9} {share:>8}",
        (f"  {row.basis}", MUTED),
    )

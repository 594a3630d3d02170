"""Where a model's weights go, as its caller wishes: a device, a map of devices, the most bytes of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hexcore_engine.errors import DeviceMappingError, UsageError
from hexcore_engine.utils.device import DeviceCapabilities, cpu_has_fast_bf16, detect_device
from hexcore_engine.utils.validation import clean_line

DeviceMap = str | dict[str, Any]
MaxMemory = dict[int | str, int | str]

_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Z]*)")
_DEVICE = re.compile(r"cpu|cuda(:\d+)?")


def choose_device(device_map: DeviceMap) -> DeviceCapabilities:
    """Return the device that computes.

    Raises:
        UsageError: for a map that names no device.
        DeviceMappingError: for CUDA where there is none.
    """
    _check_map(device_map)
    device = detect_device()
    wanted = [device_map] if isinstance(device_map, str) else list(map(_name, device_map.values()))
    if any(name.startswith("cuda") for name in wanted) and device.device == "cpu":
        raise DeviceMappingError(
            "CUDA was asked for and torch finds no CUDA device.",
            'Use `device_map="auto"` or "cpu"; `hexcore doctor` shows what is there.',
        )
    absent = [name for name in wanted if ":" in name and not _exists(name)]
    if absent:
        raise DeviceMappingError(
            f"There is no device {absent[0]} here.", 'Use "auto"; `hexcore doctor` shows what is there.'
        )
    if set(wanted) == {"cpu"} and device.device != "cpu":
        return DeviceCapabilities("cpu", cpu_has_fast_bf16())
    return device


def resolved_map(device_map: DeviceMap, device: DeviceCapabilities) -> DeviceMap:
    """Return the map as accelerate wants it: "auto" where there is a GPU to share out, else by module."""
    if isinstance(device_map, dict):
        return device_map
    if device_map == "auto":
        return "auto" if device.device != "cpu" else {"": "cpu"}
    return {"": device_map if ":" in device_map else device.device}


def memory_sizes(max_memory: MaxMemory | None) -> dict[int | str, int]:
    """Return the most bytes of each device, empty without a limit.

    Raises:
        UsageError: for a size or a device that is none.
    """
    return {_place(place): _as_bytes(value) for place, value in (max_memory or {}).items()}


def allowed_bytes(sizes: Mapping[int | str, int], device: DeviceCapabilities) -> int | None:
    """Return the most bytes the weights may take, None without a limit; what is allowed on a GPU counts only
    where there is one."""
    if not sizes:
        return device.total_bytes
    return sizes.get("cpu") if device.device == "cpu" else sum(sizes.values())


def _check_map(device_map: Any) -> None:
    if isinstance(device_map, dict):
        names = [_name(value) for value in device_map.values()]
        strange = [name for name in names if not _DEVICE.fullmatch(name)]
        if names and not strange:
            return
        raise UsageError(
            f"A device map can't place weights on {clean_line(', '.join(strange)) or 'nothing'}.",
            'Each part of the model goes to "cpu", "cuda:0" or the number of a GPU.',
        )
    if not isinstance(device_map, str) or not (device_map == "auto" or _DEVICE.fullmatch(device_map)):
        raise UsageError(
            f"There is no device map {clean_line(repr(device_map))}.",
            'Use "auto", "cpu", "cuda", "cuda:0" or a dict of modules.',
        )


def _name(value: Any) -> str:
    """A device as torch would write it; a bare number is a GPU's."""
    return f"cuda:{value}" if isinstance(value, int) else str(value)


def _exists(name: str) -> bool:
    import torch

    count: int = torch.cuda.device_count()
    return int(name.partition(":")[2]) < count


def _place(place: Any) -> int | str:
    if place == "cpu":
        return "cpu"
    if isinstance(place, int) and place >= 0:
        return place
    raise UsageError(
        f"max_memory knows no device {clean_line(repr(place))}.", 'Use "cpu" or the number of a GPU.'
    )


def _as_bytes(value: Any) -> int:
    if isinstance(value, int) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip().upper()) if isinstance(value, str) else None
    if found is None or found[2] not in _UNITS:
        raise UsageError(
            f"max_memory can't be {clean_line(repr(value))}.", 'Give bytes, or a size like "8GiB" or "500MB".'
        )
    return int(float(found[1]) * _UNITS[found[2]])

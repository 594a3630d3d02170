"""The pages of the API: they name what the rooms export, every name is explained, and their examples run."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hexcore_engine.data.demo import build_demo
from hexcore_engine.paths import default_paths

ROOT = Path(__file__).resolve().parents[2]
API = ROOT / "docs" / "api"
ROOMS = ("client", "inference", "knowledge", "models", "protocol")


def room_of(name: str) -> ModuleType:
    """A room by its name."""
    return importlib.import_module(f"hexcore_engine.{name}")


def page_of(room: str) -> str:
    """The text of a room's page."""
    return (API / f"{room}.md").read_text("utf-8")


def examples(room: str) -> list[str]:
    """The Python of a room's page."""
    return re.findall(r"```python\n(.*?)```", page_of(room), re.DOTALL)


def public_things() -> Iterator[tuple[str, object]]:
    """Each public class and function of each room, and of modules that are public as a whole."""
    for room in ROOMS:
        for name in room_of(room).__all__:
            thing = importlib.import_module(f"hexcore_engine.{room}.{name}") if room == "protocol" else None
            if thing is None:
                yield f"{room}.{name}", getattr(room_of(room), name)
            else:
                yield f"{room}.{name}", thing
                yield from own_members(f"{room}.{name}", thing)


def own_members(place: str, module: ModuleType) -> Iterator[tuple[str, object]]:
    """The public classes and functions that a module defines."""
    for name, thing in vars(module).items():
        defined = (
            inspect.isclass(thing) or inspect.isfunction(thing)
        ) and thing.__module__ == module.__name__
        if defined and not name.startswith("_"):
            yield f"{place}.{name}", thing


def parts_of(kind: type) -> Iterator[tuple[str, object]]:
    """The public functions and properties that a class of ours defines."""
    for name, part in vars(kind).items():
        plain = part.fget if isinstance(part, property) else getattr(part, "__func__", part)
        if not name.startswith("_") and inspect.isfunction(plain):
            yield name, plain


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_documents_exactly_what_its_room_exports(room: str) -> None:
    documented = re.findall(rf"^::: hexcore_engine\.{room}\.([\w.]+)$", page_of(room), re.MULTILINE)
    exported = room_of(room).__all__
    assert sorted(place.rpartition(".")[2] for place in documented) == sorted(exported)
    for place in documented:
        module, _, name = f"hexcore_engine.{room}.{place}".rpartition(".")
        assert getattr(importlib.import_module(module), name) is getattr(room_of(room), name)


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_only_what_is_exported_can_be_taken_from_a_room(room: str) -> None:
    package = room_of(room) if room else importlib.import_module("hexcore_engine")
    assert list(package.__all__) == sorted(set(package.__all__), key=list(package.__all__).index)
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'lantern'"):
        package.__getattr__("lantern") if hasattr(package, "__getattr__") else package.lantern


def test_every_public_name_and_its_parts_are_explained() -> None:
    silent = []
    for place, thing in public_things():
        parts = list(parts_of(thing)) if inspect.isclass(thing) else []
        silent += [place] * (not inspect.getdoc(thing))
        silent += [f"{place}.{name}" for name, part in parts if not inspect.getdoc(part)]
    assert silent == []


def test_every_public_function_says_its_types() -> None:
    untyped = []
    for place, thing in public_things():
        found = list(parts_of(thing)) if inspect.isclass(thing) else [("", thing)]
        for name, function in found:
            if inspect.isfunction(function) and "return" not in function.__annotations__:
                untyped.append(f"{place}.{name}")
    assert untyped == []


def test_numbers_that_cross_the_border_say_their_unit() -> None:
    # By the field's name, or in the words of its class.
    clear = re.compile(
        r"^num_|_(bytes|mb|ms|s|at|tokens|percent|version|pid|turns|rules|cards)$|_id$|^(pid|limit|seed|score|total)$"
        r"|confidence|probability|temperature|tokens|generation|number|turn|turns"
    )
    unclear = []
    for place, thing in public_things():
        if place.startswith("protocol.") and inspect.isclass(thing):
            for name, annotation in thing.__annotations__.items():
                numeric = re.search(r"\b(int|float)\b", str(annotation))
                if numeric and not clear.search(name) and f"`{name}`" not in (thing.__doc__ or ""):
                    unclear.append(f"{place}.{name}: {annotation}")
    assert unclear == []


def test_both_packages_say_that_they_are_typed() -> None:
    for package in ("hexcore_engine", "hexcore_tui"):
        assert (ROOT / package / "py.typed").is_file()


@pytest.fixture
def demo_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the demo's cards, our own words and the scripted model."""
    monkeypatch.setenv("HEXCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEXCORE_MODEL_PATH", "scripted")
    monkeypatch.setenv("HEXCORE_SCRIPTED_RATE", "0")
    build_demo(default_paths().knowledge_dir)
    return tmp_path


@pytest.mark.parametrize(
    ("room", "printed"),
    [
        ("knowledge", "Nettle Adder"),
        ("models", "scripted"),
        ("inference", "PassagesRetrieved"),
        ("protocol", ""),
        pytest.param("client", "The rule that decides this is", marks=pytest.mark.slow),
    ],
)
def test_the_examples_of_the_pages_run(
    room: str, printed: str, demo_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert examples(room)
    for example in examples(room):
        exec(compile(example, f"docs/api/{room}.md", "exec"), {"__name__": "example"})
    assert printed in capsys.readouterr().out

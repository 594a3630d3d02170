from __future__ import annotations

import builtins
import re

import pytest

from hexcore_engine import errors
from hexcore_engine.errors import HexcoreError, error_from_record

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, HexcoreError) and kind.__module__ == errors.__name__
]
# "├── ModelMissingError   HX-MODEL   exit 3   words"
DRAWN = re.compile(
    r"^(?P<lead>[ │├└─]*)(?P<name>\w+)\s+(?P<code>HX-[A-Z-]+)\s+exit (?P<exit_code>\d)", re.MULTILINE
)


def test_the_drawing_shows_every_error_with_its_code_exit_code_and_parent() -> None:
    drawn, above = {}, dict[int, str]()
    for line in DRAWN.finditer(errors.__doc__ or ""):
        depth = len(line["lead"]) // 4
        above[depth] = line["name"]
        drawn[line["name"]] = (above.get(depth - 1, "Exception"), line["code"], int(line["exit_code"]))
    defined = {kind.__name__: (kind.__mro__[1].__name__, kind.code, kind.exit_code) for kind in KINDS}
    assert drawn == defined


def test_codes_are_stable_words_of_one_kind_each() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"HX-[A-Z]+(-[A-Z]+)*", code) for code in codes)


def test_each_error_says_what_to_do() -> None:
    for kind in KINDS:
        error = kind("It broke.")
        assert (error.message, str(error)) == ("It broke.", "It broke.")
        assert error.remedy.endswith((".", "`"))
        assert kind("It broke.", "Mend it.").remedy == "Mend it."
        assert kind.__doc__


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_keeps_its_kind_across_the_process_border(kind: type[HexcoreError]) -> None:
    back = error_from_record(kind.code, "It broke.", "Mend it.")
    assert (type(back).code, back.message, back.remedy) == (kind.code, "It broke.", "Mend it.")


def test_a_code_of_a_newer_engine_is_kept_in_the_message() -> None:
    back = error_from_record("HX-TOMORROW", "It broke.", "Mend it.")
    assert type(back) is HexcoreError
    assert "HX-TOMORROW" in back.message


def test_no_star_import_hides_the_builtin_memory_error() -> None:
    kinds: tuple[type[BaseException], ...] = (errors.MemoryError, builtins.MemoryError)
    assert len(set(kinds)) == 2
    for module in ("hexcore_engine", "hexcore_engine.errors"):
        names: dict[str, object] = {}
        exec(f"from {module} import *", names)
        assert "HexcoreError" in names
        assert "MemoryError" not in names
    assert {kind.__name__ for kind in KINDS} - {"MemoryError"} <= set(errors.__all__)

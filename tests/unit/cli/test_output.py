"""What every command prints: one result, or the error in its place."""

from __future__ import annotations

import json

import pytest

from hexcore_engine.cli.command import Output
from hexcore_engine.errors import UsageError

Capture = pytest.CaptureFixture[str]


def test_of_a_document_that_cant_be_written_the_error_is(capsys: Capture) -> None:
    output = Output(as_json=True)
    with pytest.raises(TypeError):
        output.result({"found": object()}, "")
    output.failure(UsageError("That went wrong."))
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "That went wrong."


def test_after_a_document_an_error_is_told_beside_it(capsys: Capture) -> None:
    output = Output(as_json=True)
    output.result({"found": 1}, "")
    output.failure(UsageError("That went wrong."))
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"found": 1}
    assert printed.err.startswith("That went wrong.")

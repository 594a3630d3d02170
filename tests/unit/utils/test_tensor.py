from __future__ import annotations

import pytest

from hexcore_engine.utils.tensor import is_choosable, tensor_bytes

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
pytestmark = pytest.mark.slow

INFINITY, NAN = float("inf"), float("nan")


def test_bytes_are_those_of_the_values_shown_in_their_own_width() -> None:
    whole = torch.zeros((3, 4), dtype=torch.bfloat16)
    assert [tensor_bytes(whole), tensor_bytes(whole[1:]), tensor_bytes(whole.to(torch.uint8))] == [24, 16, 12]
    assert tensor_bytes(torch.zeros(0)) == 0


@pytest.mark.parametrize(
    ("logits", "choosable"),
    [
        ([0.0, 1.0], True),
        ([-INFINITY, 1.0], True),
        ([-INFINITY, -INFINITY], False),
        ([NAN, 1.0], False),
        ([INFINITY], False),
        ([], False),
    ],
)
def test_a_token_is_drawn_only_from_numbers(logits: list[float], choosable: bool) -> None:
    assert is_choosable(torch.tensor(logits)) == choosable

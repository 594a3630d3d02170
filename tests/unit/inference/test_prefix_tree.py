from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hexcore_engine.inference.kv_cache.prefix_tree import PrefixTree, common_length

sequences = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8).map(tuple), min_size=1, max_size=8)


@given(sequences, st.lists(st.integers(0, 2), max_size=8).map(tuple))
def test_the_longest_known_beginning_is_found(kept: list[tuple[int, ...]], asked: tuple[int, ...]) -> None:
    tree: PrefixTree[tuple[int, ...]] = PrefixTree()
    for sequence in kept:
        tree.put(sequence, sequence)
    length, value = tree.longest(asked)
    assert length == max(common_length(sequence, asked) for sequence in kept)
    if length:
        assert value is not None
        assert value[:length] == asked[:length]


@given(sequences, st.data())
def test_what_was_removed_is_not_found(kept: list[tuple[int, ...]], data: st.DataObject) -> None:
    tree: PrefixTree[tuple[int, ...]] = PrefixTree()
    for sequence in kept:
        tree.put(sequence, sequence)
    gone = data.draw(st.sampled_from(kept))
    tree.remove(gone)
    left = [sequence for sequence in kept if sequence != gone]
    length, _ = tree.longest(gone)
    assert length == max((common_length(sequence, gone) for sequence in left), default=0)

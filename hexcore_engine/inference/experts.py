"""Which experts a question wants: the mode it was understood in, or the two best where that is unsure."""

from __future__ import annotations

from hexcore_engine.inference.decoders.base import Decoder, Expert
from hexcore_engine.protocol.records import ModeChoice


def experts_for(choice: ModeChoice | None, use_multiple: bool) -> tuple[Expert, ...]:
    """Return the experts that should write, likeliest first, weighed by the router's probabilities."""
    if choice is None:
        return ()
    if not use_multiple or not choice.abstained or choice.pinned:
        return (Expert(choice.mode),)
    best = choice.ranked[:2]
    if best[-1].probability == choice.ranked[-1].probability:
        # Nothing judged the question: no two are the best.
        return (Expert(choice.mode),)
    total = sum(entry.probability for entry in best)
    return tuple(Expert(entry.mode, entry.probability / total) for entry in best)


def num_writers(decoder: Decoder, experts: tuple[Expert, ...]) -> int:
    """Return how many of them this decoder would let write together: those with a usable adapter."""
    manager = getattr(decoder, "expert_manager", None)
    if manager is None or len(experts) < 2:
        return 1
    usable = manager.modes()
    return max(1, sum(expert.mode in usable for expert in experts))

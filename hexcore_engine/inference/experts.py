"""Which experts write: the mode a question was understood in, the two likeliest where that is unsure, or as
many as were asked for."""

from __future__ import annotations

from hexcore_engine.errors import ExpertAdapterError
from hexcore_engine.inference.decoders.base import Decoder, Expert
from hexcore_engine.inference.request import PipelineRequest
from hexcore_engine.protocol.records import ModeChoice
from hexcore_engine.settings import Settings


def experts_for(
    choice: ModeChoice | None, request: PipelineRequest, settings: Settings
) -> tuple[Expert, ...]:
    """Return the experts that should write, likeliest first, weighed by the router's probabilities."""
    if choice is None:
        return ()
    wanted = request.num_experts or (1 if settings.answer.experts == "one" else len(choice.modes))
    if wanted == 1:
        return (Expert(choice.mode),)
    best = choice.ranked[:wanted]
    total = sum(entry.probability for entry in best)
    return tuple(Expert(entry.mode, entry.probability / total) for entry in best)


def num_writers(decoder: Decoder, experts: tuple[Expert, ...]) -> int:
    """Return how many of them this decoder would let write together: those with a usable adapter."""
    manager = getattr(decoder, "expert_manager", None)
    if manager is None or len(experts) < 2:
        return 1
    usable = manager.modes()
    return max(1, sum(expert.mode in usable for expert in experts))


def must_mix(request: PipelineRequest) -> bool:
    """Whether several experts were asked for, so that what keeps them from writing together is no answer."""
    return request.num_experts is not None and request.num_experts > 1


def check_can_mix(decoder: Decoder, experts: tuple[Expert, ...]) -> None:
    """Refuse experts that this decoder can't let write together.

    Raises:
        ExpertAdapterError: when it has no adapters, or one of these experts has none it can use.
    """
    alone = "Without a number of experts, one of them or the base writes."
    manager = getattr(decoder, "expert_manager", None)
    if manager is None:
        raise ExpertAdapterError(
            "Experts write together by their adapters, on a model that torch runs; "
            f"{decoder.model.name} is run by {decoder.model.decoder}.",
            f"Load one, e.g. with `--decoder torch`. {alone}",
        )
    usable = manager.modes()
    missing = next((expert.mode for expert in experts if expert.mode not in usable), None)
    if missing is not None:
        refusal = manager.refusal(missing)
        why = f" {refusal.message}" if refusal is not None else ""
        raise ExpertAdapterError(
            f"{' and '.join(expert.mode for expert in experts)} were to write together, and {missing} has no "
            f"adapter that this model can use.{why}",
            f"`hexcore models adapters` lists what there is, `add-adapter` installs one. {alone}",
        )

"""Who writes an answer: the adapter of the mode, several mixed, or the base where there is none; and saying
so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hexcore_engine.errors import ExpertAdapterError
from hexcore_engine.inference.decoders.base import Expert
from hexcore_engine.models.adapter_files import Adapter
from hexcore_engine.models.adapters import ExpertAdapterManager
from hexcore_engine.models.cross_expert import CrossExpertAttention, load_gate
from hexcore_engine.protocol.records import ModeName


@dataclass(frozen=True)
class Writers:
    """The adapters that write one answer together, None being the base. `begins[i]` is the token of the
    prompt from which adapter i acts. `mixer` is None where one writes alone."""

    adapters: tuple[Adapter | None, ...]
    begins: tuple[int, ...]
    weights: tuple[float, ...] = (1.0,)
    mixer: CrossExpertAttention | None = None
    notes: tuple[str, ...] = ()

    @property
    def modes(self) -> tuple[ModeName, ...]:
        """The experts among them."""
        return tuple(adapter.mode for adapter in self.adapters if adapter is not None)


BASE_ALONE = Writers((None,), (0,))


def choose_writers(
    manager: ExpertAdapterManager, experts: Sequence[Expert], prompt: Sequence[int], must_mix: bool = False
) -> Writers:
    """Return who writes; whatever adapter is missing or refused, the base writes in its place and a note says
    why.

    Raises:
        ExpertAdapterError: with `must_mix`, when several can't be mixed or the gate beside them is refused.
    """
    if not experts:
        return BASE_ALONE
    usable = manager.modes()
    together = [expert for expert in experts if expert.mode in usable]
    if len(together) > 1:
        try:
            return _mixed(manager, together, prompt, must_mix)
        except ExpertAdapterError as error:
            if must_mix:
                raise
            alone = _alone(manager, experts[0].mode, prompt)
            return Writers(alone.adapters, alone.begins, notes=(*alone.notes, _words(error)))
    return _alone(manager, experts[0].mode, prompt)


def _alone(manager: ExpertAdapterManager, mode: ModeName, prompt: Sequence[int]) -> Writers:
    without = f"No adapter for {mode}; the base answered with the mode's instructions."
    try:
        if mode not in manager.modes() and manager.refusal(mode) is None:
            return Writers((None,), (0,), notes=(without,))
        (adapter,) = manager.load(mode)
        begin = invocation(adapter, prompt)
    except ExpertAdapterError as error:
        return Writers((None,), (0,), notes=(without, _words(error)))
    return Writers((adapter,), (begin,), notes=(f"The adapter {adapter.name} for {mode} answered.",))


def _mixed(
    manager: ExpertAdapterManager, experts: Sequence[Expert], prompt: Sequence[int], must_mix: bool
) -> Writers:
    adapters = manager.load(*(expert.mode for expert in experts))
    begins = tuple(invocation(adapter, prompt) for adapter in adapters)
    total = sum(expert.weight for expert in experts)
    shares = ", ".join(f"{expert.mode} {expert.weight / total:.0%}" for expert in experts)
    weights = tuple(expert.weight for expert in experts)
    mixer, refusal = _mixer(manager, adapters, must_mix)
    if not mixer.is_gated:
        notes = (f"Mixed by routing confidence: {shares}.", *refusal)
        return Writers(adapters, begins, weights, mixer, notes)
    # The gate reads the base's hidden state, so the base runs along and has no say.
    notes = (f"Mixed by the trained gate, from a prior of {shares}.",)
    return Writers((*adapters, None), (*begins, len(prompt)), weights, mixer, notes)


def _mixer(
    manager: ExpertAdapterManager, adapters: Sequence[Adapter], must_mix: bool
) -> tuple[CrossExpertAttention, tuple[str, ...]]:
    hashes = {adapter.mode: adapter.manifest.sha256 for adapter in adapters}
    try:
        gate = load_gate(manager.folder, manager.base_hash(), hashes) if manager.folder else None
    except ExpertAdapterError as error:
        if must_mix:
            raise
        return CrossExpertAttention(), (_words(error),)
    return gate or CrossExpertAttention(), ()


def invocation(adapter: Adapter, prompt: Sequence[int]) -> int:
    """Return the token from which an adapter acts: 0, or the last place of its invocation.

    Raises:
        ExpertAdapterError: when an activated adapter is not invoked by this prompt.
    """
    wanted = list(adapter.manifest.invocation_tokens)
    for begin in range(len(prompt) - len(wanted), -1, -1):
        if not wanted:
            return 0
        if list(prompt[begin : begin + len(wanted)]) == wanted:
            return begin
    raise ExpertAdapterError(
        f"The adapter {adapter.name} is not invoked: its invocation is not in the prompt.",
        "Train it to be invoked by what begins every answer of the model's chat template.",
    )


def _words(error: ExpertAdapterError) -> str:
    return f"{error.message} {error.remedy}"

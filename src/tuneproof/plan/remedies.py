"""The plan as a record: the choice, and what else could be done about memory.

Other choices and what they would take, what one more gigabyte would buy, where nothing fits the smallest change and
the smaller models of the family that would, and other sizes of device.

    plan = choose_plan(model_config, Lengths(tokens, trained, prompt=80, answer=96), config, target)
    plan.fits, plan.settings, plan.parts
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from tuneproof.config import RunConfig
from tuneproof.plan.catalogue import Known, list_smaller, name_like
from tuneproof.plan.choose import HOPELESS, Answers, Choice, Search
from tuneproof.plan.forecast import Candidate, Forecaster, Lengths, Quantization, Target
from tuneproof.records import Alternative, Card, MoreMemory, Phases, Plan, Rejected, Settings, SmallerModel

__all__ = ["Lengths", "Target", "choose_plan", "find_smaller", "plan_cards"]

GIGABYTE = 10**9
CARDS = (4, 6, 8, 12, 16, 24, 80)
"""Memory of common cards; their makers write GB for 2^30 bytes."""
CARD_UNIT = 1 << 30
ANSWERS_KEPT = 1000
"""Answers that a run keeps, for the estimate of disk; six bytes a token of prompt and answer."""


def choose_plan(model_config: Any, data: Lengths, config: RunConfig, target: Target) -> Plan:
    """The plan for a transformers config, the data's lengths, a config with rank and epochs resolved, and a device.

    `fits` is False when nothing does; `alternatives[0]` is then the smallest change that would. Raises ModelError for a
    config without a decoder's sizes or an architecture that cannot be trained here.
    """
    search = Search(Forecaster(model_config, data, config, target))
    choice = search.choose()
    plan = write_plan(search, choice)
    alternatives = vary_choice(search, choice) if plan.fits else mend_choice(search, choice)
    plan.alternatives = list(alternatives)
    if plan.fits:
        plan.more_memory = weigh_gigabyte(search, choice)
    return plan


def write_plan(search: Search, choice: Choice) -> Plan:
    """The record of a choice, without what else could be done."""
    heaviest = max(choice.phases, key=lambda one: one.peak)
    tight = any(phase.grade == "tight" for phase in choice.phases)
    loading, training, answering = (phase.peak for phase in choice.phases)
    knobs = search.config.train
    assert knobs.epochs is not None
    rows = len(search.data.tokens)
    return Plan(
        model=search.config.model.name or "",
        device=search.target.device,
        limit_bytes=search.target.limit_bytes,
        fits=choice.fits,
        grade=("tight" if tight else "fits") if choice.fits else "no",
        peak_bytes=heaviest.peak,
        phases=Phases(load=loading, train=training, evaluate=answering),
        parts=heaviest.parts,
        settings=describe(search, choice.candidate, choice.answers),
        steps=knobs.max_steps or max(1, round(knobs.epochs * -(-rows // knobs.batch_size))),
        disk_bytes=count_disk(search, choice),
        why=choice.why,
        rejected=[
            Rejected(settings=describe(search, candidate, choice.answers), peak_bytes=peak, why=why)
            for candidate, peak, why in search.turned_down
        ],
        method=choice.training.method,
        host_bytes=search.forecaster.count_host(choice.candidate),
    )


def describe(search: Search, candidate: Candidate, answers: Answers) -> Settings:
    """A setting as the record has it."""
    ranks = search.target.ranks
    return Settings(
        micro_batch=candidate.micro_batch,
        accumulation=-(-search.config.train.batch_size // candidate.micro_batch),
        max_tokens=candidate.max_tokens,
        checkpointing=candidate.checkpointing,
        quantization=candidate.quantization,
        dtype=candidate.dtype or search.target.dtype,
        packing=True,
        loss_chunk=candidate.chunk,
        optimizer=candidate.optimizer,
        offload=candidate.offload,
        strategy="fsdp" if candidate.split else "ddp" if ranks > 1 else "single",
        ranks=ranks,
        answer_batch=answers.rows,
        answer_tokens=answers.tokens,
        folded_answers=answers.folded,
    )


def count_disk(search: Search, choice: Choice) -> int:
    """Checkpoints with their optimizer state, one of them twice while it is written; the adapter; the answers."""
    adapter = choice.training.parts.adapter
    answers = ANSWERS_KEPT * 6 * (search.data.prompt + search.data.answer)
    return (search.config.evaluate.checkpoints + 1) * 3 * adapter + adapter + answers


def vary_choice(search: Search, choice: Choice) -> Iterator[Alternative]:
    """What other choices would take; what is far over the limit by the formula is not traced.

    Other ways to hold the weights are not either, since that needs another model: the formula's difference is taken.
    """
    chosen, cuda = choice.candidate, search.target.device == "cuda"
    other = chosen._replace(checkpointing=not chosen.checkpointing)
    others = [(f"memory.checkpointing={str(other.checkpointing).lower()}", other)]
    smaller = [size for size in search.list_micro_batches() if size < chosen.micro_batch]
    if smaller:
        others.append((f"train.micro_batch={smaller[0]}", chosen._replace(micro_batch=smaller[0])))
    for change, candidate in others:
        peak = search.forecaster.estimate_training(candidate)
        if peak <= HOPELESS * search.target.limit_bytes:
            peak = search.forecaster.forecast_training(candidate).peak
        yield Alternative(change=change, peak_bytes=peak)
    ways: list[Quantization] = ["none", "int8", "nf4"] if cuda and not (chosen.offload or chosen.split) else []
    known = choice.training.peak - search.forecaster.estimate_training(chosen)
    for quantization in ways:
        if quantization != chosen.quantization:
            estimate = search.forecaster.estimate_training(chosen._replace(quantization=quantization))
            yield Alternative(change=f"memory.quantization={quantization}", peak_bytes=known + estimate)
    whole = chosen.quantization == "none" and not (chosen.offload or chosen.split)
    if cuda and whole:
        estimate = search.forecaster.estimate_training(chosen._replace(offload=True))
        yield Alternative(change="memory.offload=true", peak_bytes=known + estimate)
    if search.target.ranks > 1 and whole:
        estimate = search.forecaster.estimate_training(chosen._replace(split=True))
        yield Alternative(change="memory.split=true", peak_bytes=known + estimate)


def mend_choice(search: Search, choice: Choice) -> Iterator[Alternative]:
    """The smallest change that would fit: a knob the user had fixed, shorter rows, more memory."""
    for change, candidate in _list_changes(search, choice.candidate):
        if search.forecaster.estimate_training(candidate) > HOPELESS * search.target.limit_bytes:
            continue
        mended = search.settle(candidate, choice.answers._replace(rows=1), choice.why)
        if mended.fits:
            yield Alternative(change=change, peak_bytes=mended.peak)
            break
    yield Alternative(change=f"--memory {math.ceil(choice.peak / 1e8) / 10:.1f}GB", peak_bytes=choice.peak)


def _list_changes(search: Search, least: Candidate) -> Iterator[tuple[str, Candidate]]:
    """Changes on top of what takes least, each on top of the one before, the mildest first."""
    if not least.checkpointing:
        least = least._replace(checkpointing=True)
        yield "memory.checkpointing=true", least
    if least.micro_batch > 1:
        least = least._replace(micro_batch=1)
        yield "train.micro_batch=1", least
    if search.target.device == "cuda" and least.quantization != "nf4":
        least = least._replace(quantization="nf4", split=False, offload=False)
        # Neither goes with weights in 4 bits.
        yield " ".join(["memory.quantization=nf4", *_give_up(search, "split", "offload")]), least
    streamed = least._replace(quantization="none", offload=True)
    if search.target.device == "cuda" and search.has_host(streamed):
        least = streamed
        yield " ".join(["memory.offload=true memory.quantization=none", *_give_up(search, "split")]), least
    rows = sorted(one for one in search.data.tokens if one < search.longest)
    for share in (0.9, 0.75, 0.5, 0.25):
        if rows:
            cap = rows[int(share * (len(rows) - 1))]
            yield f"data.max_tokens={cap}", least._replace(max_tokens=cap)


def _give_up(search: Search, *names: str) -> list[str]:
    """What the user has asked for of these, set back."""
    return [f"memory.{name}=false" for name in names if getattr(search.config.memory, name)]


def weigh_gigabyte(search: Search, choice: Choice) -> MoreMemory | None:
    """What would be chosen with a gigabyte more; None where that is the same."""
    roomier = search_at(search, search.target.limit_bytes + GIGABYTE)
    more = roomier.choose()
    settings = describe(roomier, more.candidate, more.answers)
    if settings == describe(search, choice.candidate, choice.answers):
        return None
    weights = [(one.quantization, one.offload, one.split) for one in (more.candidate, choice.candidate)]
    return MoreMemory(
        limit_bytes=roomier.target.limit_bytes,
        peak_bytes=more.peak,
        settings=settings,
        faster=search.weigh(choice.candidate) / search.weigh(more.candidate) if weights[0] == weights[1] else 1.0,
    )


def search_at(search: Search, limit: int) -> Search:
    """The same search on a device of another size."""
    one = search.forecaster
    return Search(Forecaster(one.model_config, one.data, one.config, one.target._replace(limit_bytes=limit)))


def find_smaller(
    known: Known | None, read_config: Callable[[Known], Any], data: Lengths, config: RunConfig, target: Target
) -> list[SmallerModel]:
    """The largest model of the same family that would fit where `known` does not, in a list, named like the config's
    model; none where none would.

    `read_config` makes a transformers config of one. Their vocabulary is the same or nearly so: the lengths are kept.
    """
    if known is None:
        return []
    for smaller in list_smaller(known):
        search = Search(Forecaster(read_config(smaller), data, config, target))
        choice = search.choose()
        if choice.fits:
            settings = describe(search, choice.candidate, choice.answers)
            name = name_like(smaller, known, config.model.name or "")
            return [SmallerModel(name=name, peak_bytes=choice.peak, settings=settings)]
    return []


def plan_cards(model_config: Any, data: Lengths, config: RunConfig, target: Target) -> list[Card]:
    """What common cards would do with this model and these rows."""
    search, cards = Search(Forecaster(model_config, data, config, target)), []
    for size in CARDS:
        other = search_at(search, size * CARD_UNIT)
        choice = other.choose()
        plan = write_plan(other, choice)
        card = Card(
            limit_bytes=plan.limit_bytes,
            fits=plan.fits,
            grade=plan.grade,
            peak_bytes=plan.peak_bytes,
            settings=plan.settings,
        )
        cards.append(card)
    return cards

"""The settings: the fastest that fit the limit at the same effective batch, what was turned down, and why.

The order (design rule 24; the chunked loss is always on): everything as it is; smaller chunks and packs; activations
recomputed; a cap on the longest rows; layers split over the ranks, where there are several; 16-bit weights on a CPU;
4-bit weights; an 8-bit optimizer; frozen layers in the computer's own memory. Never the rank of the adapter. What the
user fixed is kept. No device is needed. What else could be changed is `remedies`' matter.

    search = Search(Forecaster(model_config, Lengths(tokens, trained, prompt=80, answer=96), config, target))
    choice = search.choose()
    choice.fits, choice.candidate, search.turned_down
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from tuneproof.plan.forecast import Candidate, Forecast, Forecaster

CHECKPOINTING_COST = 4 / 3
"""Time of a step with recomputation over one without: measured 1.31 to 1.42 on a CPU with the demo model."""
FLUSHING_COST = 1.5
"""Time of a step that must give memory back to the device each time; an assumption, larger than recomputing."""
CHUNKING_COST = 1.02
"""Time of a step with smaller chunks of the loss; an assumption: the same products in more pieces."""
FULL_SPEED = {"cpu": 64, "cuda": 512, "mps": 512}
"""Tokens of a pack from which the device is busy: on a CPU 64 run at 88 % of full speed (measured); a GPU's number is
an assumption."""
HOPELESS = 1.1
"""A setting estimated at this many times the limit is not traced: where the formula holds it is 2 % off."""
SHORT_ROWS = 0.95
"""Share of rows that a cap on the length must leave whole before anything else is given up."""
CHUNK, SMALL_CHUNK = 256, 64
"""Trained tokens whose logits live at a time (rule 24), and where that is too much."""


class Answers(NamedTuple):
    """How answers are made."""

    rows: int
    """Side by side."""
    tokens: int
    """Of their prompts and answers together, at most."""
    folded: bool
    """With the adapter folded into the weights."""


class Choice(NamedTuple):
    """A setting, and what loading, training and answering take with it."""

    candidate: Candidate
    loading: Forecast
    training: Forecast
    answering: Forecast
    answers: Answers
    why: str

    @property
    def phases(self) -> tuple[Forecast, Forecast, Forecast]:
        """The three, in their order."""
        return self.loading, self.training, self.answering

    @property
    def fits(self) -> bool:
        """Whether all fit, if need be by giving memory back."""
        return all(phase.grade != "no" for phase in self.phases)

    @property
    def peak(self) -> int:
        """Bytes at the heaviest moment."""
        return max(phase.peak for phase in self.phases)


class Search:
    """One search; it remembers what it turned down."""

    def __init__(self, forecaster: Forecaster) -> None:
        self.forecaster = forecaster
        self.config, self.data, self.target = forecaster.config, forecaster.data, forecaster.target
        self.turned_down: list[tuple[Candidate, int, str]] = []
        """(setting, its peak, why)."""
        self.longest = self.config.data.limit_row(self.data.tokens)
        self.chunk = self.config.memory.loss_chunk or CHUNK

    def choose(self) -> Choice:
        """The first of rule 24's stages in which something fits; else what takes least."""
        held: dict[Candidate, tuple[Forecast, Forecast, Answers] | None] = {}
        for stage, why in self._stages():
            weights = stage._replace(max_tokens=0)
            if weights not in held:
                held[weights] = self._hold(stage)
            within = held[weights]
            found = self._pick_fastest(stage) if within else None
            if within and found:
                loading, answering, answers = within
                candidate, training = found
                return Choice(candidate, loading, training, answering, answers, why or self._explain(candidate))
        least = self._shrink([stage for stage, _ in self._stages() if stage.max_tokens == self.longest][-1])
        answers = Answers(1, self.data.prompt + self.data.answer, folded=False)
        return self.settle(least, answers, "plan.why.nothing_fits")

    def settle(self, candidate: Candidate, answers: Answers, why: str) -> Choice:
        """What this setting takes, whether it fits or not."""
        loading = self.forecaster.forecast_load(candidate)
        training = self.forecaster.forecast_training(candidate)
        answering = self.forecaster.forecast_answers(answers.rows, candidate)
        return Choice(candidate, loading, training, answering, answers, why)

    def weigh(self, candidate: Candidate) -> float:
        """Time of a token, relative to the best: recomputation, and packs that leave the device idle."""
        mean = sum(self.data.tokens) / max(1, len(self.data.tokens))
        room = candidate.micro_batch * candidate.max_tokens
        tokens = max(1.0, min(room, self.config.train.batch_size * mean))
        idle = max(1.0, FULL_SPEED[self.target.device] / tokens)
        chunking = CHUNKING_COST if candidate.chunk < self.chunk else 1
        return idle * chunking * (CHECKPOINTING_COST if candidate.checkpointing else 1)

    def list_micro_batches(self) -> list[int]:
        """Rows in memory at a time that keep the effective batch: its divisors, the largest first."""
        batch, given = self.config.train.batch_size, self.config.train.micro_batch
        if given is not None:
            return [min(given, batch)]
        return [size for size in range(batch, 0, -1) if batch % size == 0]

    def _stages(self) -> Iterator[tuple[Candidate, str]]:
        """(weights, optimizer and longest row; why) in the order in which they are tried."""
        short = sorted(self.data.tokens)[: math.ceil(SHORT_ROWS * len(self.data.tokens))]
        caps = [(self.longest, "")]
        if self.config.data.max_tokens is None and short and short[-1] < self.longest:
            caps.append((short[-1], "plan.why.capped"))
        plain = Candidate(max(self.list_micro_batches()), False, "none", self.longest, chunk=self.chunk)
        for lighter, why in self._list_lighter(plain):
            for cap, capped in caps:
                yield lighter._replace(max_tokens=cap), why or capped

    def _list_lighter(self, plain: Candidate) -> Iterator[tuple[Candidate, str]]:
        """Ways to hold weights and optimizer, each lighter than the one before; 4 bits need CUDA unless the user
        insists."""
        fixed, optimizer = self.config.memory.quantization, self.config.train.optimizer
        if optimizer is not None:
            plain = plain._replace(optimizer=optimizer)
        if fixed is not None:
            plain = plain._replace(quantization=fixed)
        plain = plain._replace(split=bool(self.config.memory.split))
        if self.config.memory.offload:
            plain = plain._replace(offload=True)
            yield plain, ""
            return
        yield plain, ""
        yield from self._list_split(plain)
        if plain.split:
            return
        if self.target.device != "cuda":
            if self.target.dtype == "float32" and self.config.model.dtype is None and fixed is None:
                yield plain._replace(dtype="bfloat16"), "plan.why.bfloat16"
            return
        lighter = plain._replace(quantization=fixed or "nf4")
        if fixed is None:
            yield lighter, "plan.why.nf4"
        if optimizer is None:
            yield lighter._replace(optimizer="adamw8bit"), "plan.why.adamw8bit"
        streamed = plain._replace(offload=True)
        if self._may_offload(streamed):
            yield streamed, "plan.why.offload"

    def _list_split(self, plain: Candidate) -> Iterator[tuple[Candidate, str]]:
        """Layers split over the ranks in training, and for answers streamed where the whole model is too large; weights
        in 4 or 8 bits are not split."""
        split = plain._replace(split=True)
        if not plain.split:
            if self.target.ranks == 1 or self.config.memory.split is False or plain.quantization != "none":
                return
            if not self.has_host(split):
                return
            yield split, "plan.why.split"
        if self._may_offload(split):
            yield split._replace(offload=True), "plan.why.split_streamed"

    def _may_offload(self, streamed: Candidate) -> bool:
        """Whether layers may be kept in the computer's own memory, and it holds them."""
        if self.target.device != "cuda" or self.config.memory.offload is False or streamed.quantization != "none":
            return False
        return self.has_host(streamed)

    def has_host(self, candidate: Candidate) -> bool:
        """Whether the computer's own memory holds what is kept there, as far as it is known."""
        return self.target.host is None or self.forecaster.count_host(candidate) <= self.target.host

    def _shrink(self, stage: Candidate) -> Candidate:
        """What takes least of a stage."""
        recomputed = self.config.memory.checkpointing is not False
        return stage._replace(micro_batch=min(self.list_micro_batches()), checkpointing=recomputed)

    def _pick_fastest(self, stage: Candidate) -> tuple[Candidate, Forecast] | None:
        """The cheapest in time that fits: candidates in order of cost until no other can be cheaper."""
        fixed = self.config.memory.checkpointing
        waiting = [
            stage._replace(micro_batch=micro_batch, checkpointing=checkpointing)
            for checkpointing in ([False, True] if fixed is None else [fixed])
            for micro_batch in self.list_micro_batches()
        ]
        best: tuple[Candidate, Forecast] | None = None
        lowest = math.inf
        while waiting:
            waiting.sort(key=lambda one: (self.weigh(one), one.checkpointing, -one.micro_batch))
            candidate = waiting.pop(0)
            if self.weigh(candidate) >= lowest:
                break
            estimate = self.forecaster.estimate_training(candidate)
            if estimate > HOPELESS * self.target.limit_bytes:
                self._turn_down(candidate, estimate, "plan.why.over_limit")
                continue
            forecast = self.forecaster.forecast_training(candidate)
            cost = self.weigh(candidate) * (FLUSHING_COST if forecast.grade == "tight" else 1)
            if forecast.grade == "no":
                self._turn_down(candidate, forecast.peak, "plan.why.over_limit")
                waiting += self._chunk_finer(candidate, forecast)
            elif cost < lowest:
                if best:
                    self._turn_down(best[0], best[1].peak, "plan.why.slower")
                best, lowest = (candidate, forecast), cost
            else:
                self._turn_down(candidate, forecast.peak, "plan.why.slower")
        return best

    def _chunk_finer(self, candidate: Candidate, forecast: Forecast) -> list[Candidate]:
        """The same with smaller chunks of the loss, where that could be what is missing."""
        if self.config.memory.loss_chunk is not None or candidate.chunk == SMALL_CHUNK:
            return []
        saved = forecast.parts.logits * (1 - SMALL_CHUNK / candidate.chunk)
        enough = forecast.peak - saved <= self.target.limit_bytes
        return [candidate._replace(chunk=SMALL_CHUNK)] if enough else []

    def _hold(self, stage: Candidate) -> tuple[Forecast, Forecast, Answers] | None:
        """What loading and answering take with weights held like this; None where that alone is too much."""
        loading = self.forecaster.forecast_load(stage)
        if loading.grade == "no":
            self._turn_down(self._shrink(stage), loading.peak, "plan.why.load_over_limit")
            return None
        answering, answers = self._fit_answers(stage)
        if answering.grade == "no":
            self._turn_down(self._shrink(stage), answering.peak, "plan.why.answers_over_limit")
            return None
        return loading, answering, answers

    def _turn_down(self, candidate: Candidate, peak: int, why: str) -> None:
        self.turned_down.append((candidate, peak, why))

    def _fit_answers(self, stage: Candidate) -> tuple[Forecast, Answers]:
        """The most answers side by side that fit, and what they take; one at a time when nothing does.

        Folded where all of them fit so and folding is exact (`model/fold`). Longer prompts, as the few-shot control
        has, are answered fewer at a time: as many tokens as here.
        """
        rows, each, tight = self.config.evaluate.batch_size, self.data.prompt + self.data.answer, None
        if (stage.dtype or self.target.dtype) == "float32" and stage.quantization == "none" and not stage.offload:
            forecast = self.forecaster.forecast_answers(rows, stage, folded=True)
            if forecast.grade == "fits":
                return forecast, Answers(rows, rows * each, folded=True)
        while True:
            hopeless = self.forecaster.estimate_answers(rows, stage) > HOPELESS * self.target.limit_bytes
            if rows == 1 or not hopeless:
                forecast = self.forecaster.forecast_answers(rows, stage)
                answers = Answers(rows, rows * each, folded=False)
                if forecast.grade == "fits":
                    return forecast, answers
                if forecast.grade == "tight" and tight is None:
                    tight = (forecast, answers)
                if rows == 1:
                    return tight or (forecast, answers)
            rows //= 2

    def _explain(self, candidate: Candidate) -> str:
        """Why these settings: the key of a sentence."""
        if self.config.memory.checkpointing is not None and self.config.train.micro_batch is not None:
            return "plan.why.given"
        if candidate.checkpointing:
            return "plan.why.checkpointing"
        whole = candidate.micro_batch == max(self.list_micro_batches())
        return "plan.why.all_fits" if whole else "plan.why.smaller_packs"
